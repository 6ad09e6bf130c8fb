//! A plugin of `demo.shop@1` in each language, and a suite in each language that passes on all of them.

pub(crate) const LUA_SHOP: &str = r#"
local polyplug = require("polyplug")
local PriceError = polyplug.types("demo.shop@1").PriceError
local journal = polyplug.host("demo.journal@1")
local rates = polyplug.peer("demo.rates@1")
local Shop = polyplug.plugin("demo.shop@1")

function Shop:init() self.asked = 0 end
function Shop:price(name, currency)
  self.asked = self.asked + 1
  journal:write("price of " .. name)
  if name ~= "tea" then error(PriceError.Unknown({ name = name })) end
  local rate = rates:rate(currency)
  if not rate then error(PriceError.NoRate()) end
  return 100 * rate
end
function Shop:add(item)
  item.amount = item.amount + 1
  return item
end
function Shop:area(shape)
  return shape.tag == "Rectangle" and shape.val.width * shape.val.height or 0
end
function Shop:count() return self.asked end
function Shop:greeting() return polyplug.config.greeting end
function Shop:wait(endless) while endless do end end
"#;

pub(crate) const PYTHON_SHOP: &str = r#"
from polyplug import config, host, peer, plugin, types

PriceError, Shape = types("demo.shop@1").PriceError, types("demo.shop@1").Shape
journal = host("demo.journal@1")
rates = peer("demo.rates@1")

@plugin("demo.shop@1")
class Shop:
    def __init__(self):
        self.asked = 0

    def price(self, name, currency):
        self.asked += 1
        journal.write(f"price of {name}")
        if name != "tea":
            raise PriceError.Unknown(name=name)
        rate = rates.rate(currency)
        if rate is None:
            raise PriceError.NoRate()
        return 100 * rate

    def add(self, item):
        item.amount += 1
        return item

    def area(self, shape):
        match shape:
            case Shape.Rectangle(width=width, height=height):
                return width * height
        return 0

    def count(self):
        return self.asked

    def greeting(self):
        return config["greeting"]

    def wait(self, endless):
        while endless:
            pass
"#;

pub(crate) const JS_SHOP: &str = r#"
import { context, host, peer, plugin, types } from "polyplug";

const { PriceError } = types("demo.shop@1");
const journal = host("demo.journal@1");
const rates = peer("demo.rates@1");

class Shop {
  asked = 0;
  price(name, currency) {
    this.asked++;
    journal.write(`price of ${name}`);
    if (name !== "tea") throw new PriceError(PriceError.Unknown({ name }));
    const rate = rates.rate(currency);
    if (rate === null) throw new PriceError(PriceError.NoRate);
    return 100n * rate;
  }
  add(item) { return { ...item, amount: item.amount + 1 }; }
  area(shape) { return shape.tag === "Rectangle" ? shape.val.width * shape.val.height : 0; }
  count() { return this.asked; }
  greeting() { return context.config.greeting; }
  wait(endless) { while (endless); }
}
plugin("demo.shop@1", Shop);
"#;

pub(crate) const LUA_SUITE: &str = r#"
local polyplug = require("polyplug")
local t = require("polyplug.test")
local types = polyplug.types("demo.shop@1")
local rates = require("_rates")

local lines = {}
t.stand_in("demo.journal@1", {
  write = function(_, line)
    if line == "price of gold" then polyplug.raise("the journal is full") end
    lines[#lines + 1] = line
    return #lines
  end,
  last = function() return lines[#lines] end,
})
t.stand_in("demo.rates@1", { rate = function(self, currency) return rates[currency] end })

local shop
t.before_each(function()
  lines = {}
  shop = t.instance("demo.shop@1")
end)

t.describe("price", function()
  t.it("is calculated with the rate, and written to the journal", function()
    t.equals(shop:price("tea", "eur"), 300)
    t.equals(lines, { "price of tea" })
  end)
  t.it("fails as declared", function()
    t.raises(function() shop:price("salt", "eur") end, types.PriceError.Unknown({ name = "salt" }))
    t.raises(function() shop:price("tea", "usd") end, types.PriceError.NoRate())
  end)
  t.it("fails with the journal", function()
    t.raises(function() shop:price("gold", "eur") end, { bundle = "shop", method = "demo.shop.price" })
    t.raises(function() shop:price("gold", "eur") end, "the journal is full")
  end)
end)
t.test("records and variants", function()
  local item = { name = "tea", amount = 1, tags = { "green", "\1\"" } }
  t.equals(shop:add(item), { name = "tea", amount = 2, tags = { "green", "\1\"" } })
  t.near(shop:area(types.Shape.Rectangle({ width = 2, height = 1.5 })), 3)
  t.equals(shop:area("Nothing"), 0)
end)
t.test("instances are new", function()
  shop:price("tea", "eur")
  t.equals(shop:count(), 1)
  t.equals(t.instance("demo.shop@1"):count(), 0)
  t.differs(shop:count(), 2)
end)
t.settings({ greeting = "Good \"day\"", nested = { list = { 1, 2 }, on = true } })
t.test("settings", function() t.contains(shop:greeting(), "Good \"day\"") end)
"#;

pub(crate) const PYTHON_SUITE: &str = r#"
from polyplug import CallError, Declared, types
from polyplug.test import instance, near, raises, settings, stand_in
from _rates import RATES

PriceError, Item, Shape = (getattr(types("demo.shop@1"), name) for name in ("PriceError", "Item", "Shape"))
settings(greeting="Good \"day\"", nested={"list": [1, 2]})


class Journal:
    def __init__(self):
        self.lines = []

    def write(self, line):
        if line == "price of gold":
            raise Declared("the journal is full")
        self.lines.append(line)
        return len(self.lines)

    def last(self):
        return self.lines[-1] if self.lines else None


class Rates:
    def rate(self, currency):
        return RATES.get(currency)


journal = stand_in("demo.journal@1", Journal())
stand_in("demo.rates@1", Rates())


class TestPrice:
    def setup_method(self):
        journal.lines.clear()
        self.shop = instance("demo.shop@1")

    def test_is_calculated_with_the_rate(self):
        assert self.shop.price("tea", "eur") == 300
        assert journal.lines == ["price of tea"], "the journal"

    def test_fails_as_declared(self):
        with raises(PriceError.Unknown(name="salt")):
            self.shop.price("salt", "eur")
        with raises(PriceError) as raised:
            self.shop.price("tea", "usd")
        assert isinstance(raised.value, PriceError.NoRate)

    def test_fails_with_the_journal(self):
        with raises(CallError, match="the journal is full") as raised:
            self.shop.price("gold", "eur")
        assert raised.value.method == "demo.shop.price"


def test_records_and_variants():
    shop = instance("demo.shop@1")
    assert shop.add(Item("tea", 1, ["green"])) == Item("tea", 2, ["green"])
    assert shop.area(Shape.Rectangle(2, 1.5)) == near(3)
    assert not shop.area(Shape.Nothing())


def test_instances_are_new():
    shop = instance("demo.shop@1")
    shop.price("tea", "eur")
    assert shop.count() == 1 != instance("demo.shop@1").count()


def test_settings():
    assert "Good \"day\"" in instance("demo.shop@1").greeting()
"#;

pub(crate) const JS_SUITE: &str = r#"
import { CallError, DeclaredError, types } from "polyplug";
import { afterEach, assert, beforeEach, describe, instance, settings, standIn, test } from "polyplug/test";
import rates from "./_rates.js";

const { PriceError, Shape } = types("demo.shop@1");
settings({ greeting: "Good \"day\"", nested: { list: [1, 2] } });

let lines = [];
standIn("demo.journal@1", {
  write(line) {
    if (line === "price of gold") throw new DeclaredError("the journal is full");
    return lines.push(line);
  },
  last: () => lines.at(-1),
});
class Rates { rate(currency) { return rates[currency]; } }
standIn("demo.rates@1", new Rates());

let shop;
beforeEach(async () => { shop = await instance("demo.shop@1"); });
afterEach(() => { lines = []; });

describe("price", () => {
  test("is calculated with the rate", () => {
    assert.equal(shop.price("tea", "eur"), 300n);
    assert.deepEqual(lines, ["price of tea"]);
  });
  test("fails as declared", () => {
    assert.throws(() => shop.price("salt", "eur"), PriceError.Unknown({ name: "salt" }));
    assert.throws(() => shop.price("tea", "usd"), PriceError);
  });
  test("fails with the journal", async () => {
    assert.throws(() => shop.price("gold", "eur"), { method: "demo.shop.price", message: /the journal is full/ });
    await assert.rejects(async () => shop.price("gold", "eur"), CallError);
  });
});
test("records and variants", () => {
  const item = { name: "tea", amount: 1, tags: ["green"] };
  assert.deepEqual({ ...shop.add(item) }, { ...item, amount: 2 });
  assert.equal(shop.area(Shape.Rectangle({ width: 2, height: 1.5 })), 3);
  assert.equal(shop.area(Shape.Nothing), 0);
});
test("instances are new", () => {
  shop.price("tea", "eur");
  assert.deepEqual([shop.count(), instance("demo.shop@1").count()], [1, 0]);
});
test("settings", () => assert.match(shop.greeting(), /Good "day"/));
"#;

/// The languages: the loader, the ending, the plugin, the suite, and a module of the suite.
pub(crate) const LANGUAGES: [(&str, &str, &str, &str, &str); 3] = [
    ("lua", "lua", LUA_SHOP, LUA_SUITE, "return { eur = 3 }\n"),
    ("python", "py", PYTHON_SHOP, PYTHON_SUITE, "RATES = {\"eur\": 3}\n"),
    ("js", "js", JS_SHOP, JS_SUITE, "export default { eur: 3n };\n"),
];
