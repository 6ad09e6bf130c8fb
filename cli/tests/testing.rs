//! `polyplug test`: suites of each language on plugins of each language, as they are run from a shell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polyplug::schema::Schema;
use tempfile::TempDir;
use test_contracts as _; // links the contracts of the fixtures

/// A shop, which a plugin implements.
#[polyplug::contract(name = "demo.shop", version = "1.0")]
pub trait Shop {
    /// Returns the price of what is called `name`.
    fn price(&self, name: &str, currency: &str) -> Result<i64, PriceError>;
    /// Returns a thing with one more of it.
    fn add(&self, item: &Item) -> Item;
    /// Returns the area of a shape.
    fn area(&self, shape: &Shape) -> f64;
    /// Returns how often this instance was asked.
    fn count(&self) -> u32;
    /// Returns the setting `greeting`.
    fn greeting(&self) -> String;
    /// Never returns if `endless`.
    fn wait(&self, endless: bool);
}

/// A thing.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Item {
    /// The name.
    pub name: String,
    /// The number of pieces.
    pub amount: u32,
    /// Words about the thing.
    pub tags: Vec<String>,
}

/// A reason for no price.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum PriceError {
    /// There is no such thing.
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// There is no rate for the currency.
    NoRate,
}

/// A shape.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum Shape {
    /// A rectangle.
    Rectangle {
        /// Its width.
        width: f64,
        /// Its height.
        height: f64,
    },
    /// Nothing.
    Nothing,
}

/// A journal, which the host implements.
#[polyplug::contract(name = "demo.journal", version = "1.0")]
pub trait Journal {
    /// Writes a line. Returns how many there are.
    fn write(&self, line: &str) -> Result<u32, String>;
    /// Returns the last line.
    fn last(&self) -> Option<String>;
}

/// A receiver of texts.
#[polyplug::contract(name = "demo.sink", version = "1.0")]
pub trait Sink {
    /// Takes a text. Returns whether more are wanted.
    fn put(&self, text: &str) -> bool;
}

/// A source of texts, which the host implements.
#[polyplug::contract(name = "demo.feed", version = "1.0")]
pub trait Feed {
    /// Gives all texts to a receiver. Returns their number.
    fn each(&self, sink: &dyn Sink) -> u32;
}

/// A reader of texts, which a plugin implements.
#[polyplug::contract(name = "demo.reader", version = "1.0")]
pub trait Reader {
    /// Returns the texts of the host's feed.
    fn read(&self) -> Vec<String>;
}

/// The greeter of the page on tests.
#[polyplug::contract(name = "demo.greeter", version = "1.0")]
pub trait Greeter {
    /// Greets somebody.
    fn greet(&self, name: &str) -> Result<String, GreetError>;
}

/// A reason for no greeting.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
pub enum GreetError {
    /// The name is empty.
    Nameless,
}

/// The logger of the page on tests.
#[polyplug::contract(name = "demo.logger", version = "1.0")]
pub trait Logger {
    /// Writes a line.
    fn log(&self, line: &str);
}

/// The clock of the page on tests.
#[polyplug::contract(name = "demo.clock", version = "1.0")]
pub trait Clock {
    /// Returns the hour.
    fn hour(&self) -> u32;
}

/// Rates, which another bundle implements.
#[polyplug::contract(name = "demo.rates", version = "1.0")]
pub trait Rates {
    /// Returns the rate of a currency.
    fn rate(&self, currency: &str) -> Option<i64>;
}

const LUA_SHOP: &str = r#"
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

const PYTHON_SHOP: &str = r#"
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

const JS_SHOP: &str = r#"
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

const LUA_SUITE: &str = r#"
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

const PYTHON_SUITE: &str = r#"
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

const JS_SUITE: &str = r#"
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
const LANGUAGES: [(&str, &str, &str, &str, &str); 3] = [
    ("lua", "lua", LUA_SHOP, LUA_SUITE, "return { eur = 3 }\n"),
    ("python", "py", PYTHON_SHOP, PYTHON_SUITE, "RATES = {\"eur\": 3}\n"),
    ("js", "js", JS_SHOP, JS_SUITE, "export default { eur: 3n };\n"),
];

/// The outcome of a command.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Run {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }

    #[track_caller]
    fn complains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }
}

fn polyplug() -> Command {
    Command::new(env!("CARGO_BIN_EXE_polyplug"))
}

/// A bundle in a folder of its own.
struct Bundle {
    folder: TempDir,
}

impl Bundle {
    /// Makes a bundle `shop` with the schemas of all contracts.
    fn shop(loader: &str) -> Self {
        let (_, ending, code, ..) = LANGUAGES.into_iter().find(|(known, ..)| *known == loader).unwrap();
        let manifest = format!(
            "name = \"shop\"\nversion = \"1.0.0\"\nloader = \"{loader}\"\nfile = \"main.{ending}\"\n\n[[host]]\ncontract = \
             \"demo.journal@1\"\n\n[[dependency]]\ncontract = \"demo.rates@1\"\n\n[config]\ngreeting = \"Hello\"\n"
        );
        Self::new(&manifest).with(&format!("main.{ending}"), code)
    }

    fn new(manifest: &str) -> Self {
        let bundle = Self { folder: tempfile::tempdir().unwrap() };
        for schema in Schema::linked() {
            if schema.name.starts_with("demo.") {
                fs::write(bundle.at(&format!("{}@{}.schema", schema.name, schema.major)), schema.encode()).unwrap();
            }
        }
        bundle.with("manifest.toml", manifest)
    }

    fn with(self, file: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.at(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn test(&self, arguments: &[&str]) -> Run {
        Run::of(polyplug().arg("test").arg(self.folder.path()).args(arguments))
    }
}

/// Adds the suite of each language.
fn with_suites(mut bundle: Bundle) -> Bundle {
    for (_, ending, _, suite, module) in LANGUAGES {
        bundle =
            bundle.with(&format!("tests/test_shop.{ending}"), suite).with(&format!("tests/_rates.{ending}"), module);
    }
    bundle
}

#[test]
fn suites_of_each_language_pass_on_plugins_of_each_language() {
    for (loader, ..) in LANGUAGES {
        let run = with_suites(Bundle::shop(loader)).test(&[]).is(0);
        assert_eq!(run.err, "", "{loader}");
        run.says(&[
            "tests/test_shop.lua\n  ok      price > is calculated with the rate, and written to the journal",
            "tests/test_shop.js\n  ok      price > is calculated with the rate",
            "tests/test_shop.py\n",
            "ok      TestPrice > test_is_calculated_with_the_rate",
            "\n18 passed, 0 failed\n",
        ]);
    }
}

/// A plugin of the contract `demo.rates@1`, which needs nothing.
const RATES: &str = "local R = require('polyplug').plugin('demo.rates@1')\nfunction R:rate() return 7 end\n";

/// Makes a bundle that needs nothing.
fn rates() -> Bundle {
    Bundle::new("name = \"rates\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n")
        .with("main.lua", RATES)
}

#[test]
fn failures_have_their_message_place_and_difference() {
    let lua = r#"local t = require("polyplug.test")
t.test("values", function()
  print("before")
  t.equals({ a = 1, list = { "x", "y" } }, { a = 1, list = { "x", "z" } }, "a note")
end)
local function helper() t.is_true(false) end
t.test("calls", function()
  helper()
end)
t.test("exceptions", function() local nothing; nothing.field = 1 end)
t.test("declared", function() error({ tag = "Odd", val = { at = 7 } }) end)
t.test("nothing raised", function() t.raises(function() end) end)
t.test("left out", function() t.skip("not now") end)
"#;
    let run = rates().with("tests/rates.lua", lua).test(&[]).is(1);
    run.says(&[
        "  FAILED  values",
        "    tests/rates.lua:4\n    a note: the values differ\n    - expected + actual\n",
        "      a = 1,\n        list = {\n          \"x\",\n    -     \"z\",\n    +     \"y\",\n",
        "    log:\n    [tests] before\n",
        "    tests/rates.lua:6\n    expected true, got false\n    called at tests/rates.lua:6\n    called at tests/rates.lua:8\n",
        "    tests/rates.lua:10\n    attempt to index local 'nothing'",
        "    tests/rates.lua:11\n    raised {\n      tag = \"Odd\",\n      val = {\n        at = 7,\n",
        "    tests/rates.lua:12\n    no error was raised\n",
        "  skipped left out: not now\n",
        "\n0 passed, 5 failed, 1 skipped\n",
    ]);

    let python = "from polyplug.test import fail, raises, skip\nfrom polyplug import log\n\n\ndef test_values():\n    log('warn', \
                  'before')\n    assert {'a': [1, 2]} == {'a': [1, 3]}, 'a note'\n\n\ndef helper(value):\n    assert value\n\n\ndef \
                  test_calls():\n    helper([])\n\n\ndef test_exceptions():\n    nothing.field\n\n\ndef test_nothing_raised():\n    \
                  with raises(ValueError):\n        pass\n\n\ndef test_other_error():\n    with raises(ValueError, match='x'):\n        \
                  raise ValueError('y')\n\n\ndef test_left_out():\n    skip('not now')\n\n\ndef test_lines():\n    assert 'a\\nb' == \
                  'a\\nc'\n";
    let run = rates().with("tests/test_rates.py", python).test(&[]).is(1);
    run.says(&[
        "  FAILED  test_values",
        "    tests/test_rates.py:7\n    a note: assert {'a': [1, 2]} == {'a': [1, 3]}\n    - expected + actual\n    - {'a': [1, 3]}\n    \
         + {'a': [1, 2]}\n    log:\n    warning: [tests] before\n",
        "    tests/test_rates.py:11\n    assert value, which is []\n    called at tests/test_rates.py:11\n    called at \
         tests/test_rates.py:15\n",
        "    tests/test_rates.py:19\n    NameError: name 'nothing' is not defined",
        "ValueError was not raised",
        "the text of the exception is another one\n    - expected + actual\n    - x\n    + y\n",
        "  skipped test_left_out: not now\n",
        "      a\n    - c\n    + b\n",
        "\n0 passed, 6 failed, 1 skipped\n",
    ]);

    let js = r#"import { log } from "polyplug";
import { assert, skip, test } from "polyplug/test";
test("values", async () => {
  log.info("before");
  await null;
  assert.deepEqual({ a: 1n, m: new Map([["x", [1]]]) }, { a: 1n, m: new Map([["x", [2]]]) }, "a note");
});
function helper() { assert.ok(0); }
test("calls", () => {
  helper();
});
test("exceptions", () => { nothing.field; });
test("nothing thrown", () => assert.throws(() => {}));
test("identity", () => assert.equal([1], [1]));
test("left out", () => skip("not now"));
test.skip("as well", () => {});
"#;
    let run = rates().with("tests/rates.test.js", js).test(&[]).is(1);
    run.says(&[
        "  FAILED  values",
        "    tests/rates.test.js:6\n    a note: the values differ\n    - expected + actual\n",
        "        \"x\" => [\n    -       2,\n    +       1,\n",
        "    log:\n    [tests] before\n",
        "    tests/rates.test.js:8\n    expected a true value, got 0\n    called at tests/rates.test.js:8\n    called at \
         tests/rates.test.js:10\n",
        "    tests/rates.test.js:12\n    ReferenceError: ",
        "    tests/rates.test.js:13\n    no error was thrown\n",
        "use assert.deepEqual",
        "  skipped left out: not now\n  skipped as well\n",
        "\n0 passed, 5 failed, 2 skipped\n",
    ]);
}

#[test]
fn a_contract_without_a_stand_in_is_named() {
    let rates = "require('polyplug.test').stand_in('demo.rates@1', { rate = function() return 1 end })\n";
    let asks = "require('polyplug.test').test('asks', function() require('polyplug.test').instance('demo.shop@1'):price('tea', \
                'eur') end)\n";
    for (loader, ..) in LANGUAGES {
        let run = Bundle::shop(loader).with("tests/a.lua", format!("{rates}{asks}")).test(&[]).is(1);
        run.says(&["demo.journal.write", "no test stands in for this host contract", "`stand_in`"]);
        let run = Bundle::shop(loader).with("tests/a.lua", asks).test(&[]).is(3);
        run.says(&[
            "could not be run: bundle `shop` needs demo.rates@1.0 of another bundle",
            "declare `stand_in(\"demo.rates@1\", { .. })` in tests/a.lua",
            "`--with`",
        ]);
    }
}

#[test]
fn another_bundle_may_be_loaded_before() {
    let other = rates();
    let suite = "local t = require('polyplug.test')\nt.stand_in('demo.journal@1', { write = function() return 1 end, last = \
                 function() end })\nt.test('asks', function() t.equals(t.instance('demo.shop@1'):price('tea', 'eur'), 700) end)\n";
    let run = Bundle::shop("js").with("tests/a.lua", suite).test(&["--with", other.folder.path().to_str().unwrap()]);
    run.is(0).says(&["ok      asks"]);
}

#[test]
fn stand_ins_get_objects_of_the_plugin() {
    let reader = "local polyplug = require('polyplug')\nlocal feed = polyplug.host('demo.feed@1')\nlocal R = \
                  polyplug.plugin('demo.reader@1')\nfunction R:read()\n  local all = {}\n  feed:each({ put = function(_, text) \
                  all[#all + 1] = text; return #all < 2 end })\n  return all\nend\n";
    let lua = "local t = require('polyplug.test')\nt.stand_in('demo.feed@1', { each = function(_, sink)\n  local count = 0\n  \
               for _, text in ipairs({ 'a', 'b', 'c' }) do\n    count = count + 1\n    if not sink:put(text) then break end\n  \
               end\n  return count\nend })\nt.test('reads', function() t.equals(t.instance('demo.reader@1'):read(), { 'a', 'b' \
               }) end)\n";
    let python = "from polyplug.test import instance, stand_in\n\nclass Feed:\n    def each(self, sink):\n        return \
                  len([text for text in 'abc' if sink.put(text)])\n\nstand_in('demo.feed@1', Feed())\n\ndef test_reads():\n    \
                  assert instance('demo.reader@1').read() == ['a', 'b', 'c']\n";
    let js = "import { assert, instance, standIn, test } from 'polyplug/test';\nstandIn('demo.feed@1', { each: (sink) => ['a', \
              'b'].filter((text) => sink.put(text)).length });\ntest('reads', () => \
              assert.deepEqual(instance('demo.reader@1').read(), ['a', 'b']));\n";
    let bundle = Bundle::new("name = \"reader\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n")
        .with("main.lua", reader)
        .with("tests/a.lua", lua)
        .with("tests/a.py", python)
        .with("tests/a.js", js);
    bundle.test(&[]).is(0).says(&["3 passed, 0 failed"]);
}

#[test]
fn a_stand_in_has_all_methods_of_its_contract() {
    for (file, suite) in [
        ("a.lua", "require('polyplug.test').stand_in('demo.journal@1', { write = function() return 1 end })\n"),
        (
            "a.py",
            "from polyplug.test import stand_in\nclass J:\n    def write(self, line): return 1\nstand_in('demo.journal@1', J())\n",
        ),
        ("a.js", "import { standIn } from 'polyplug/test';\nstandIn('demo.journal@1', { write: () => 1 });\n"),
    ] {
        let run = Bundle::shop("lua").with(&format!("tests/{file}"), suite).test(&[]).is(3);
        run.says(&["could not be run", "demo.journal@1", "`last`"]);
    }
    let run = rates()
        .with("tests/a.py", "from polyplug.test import stand_in\nclass J: pass\nstand_in('demo.journal@1', J)\n");
    run.test(&[]).is(3).says(&["not the class J: write J()"]);
    let run = rates().with("tests/a.lua", "require('polyplug.test').stand_in('demo.journal@1', 5)\n").test(&[]).is(3);
    run.says(&["a table with the contract's methods is expected, not number", "tests/a.lua:1"]);
}

#[test]
fn the_remaining_files_run_if_one_cannot() {
    let fine = "require('polyplug.test').test('fine', function() end)\n";
    for (file, text, words) in [
        ("a.lua", "local x = = 1\n", "tests/a.lua:1"),
        ("a.py", "\ndef test_it(:\n    pass\n", "a.py"),
        ("a.js", "import { test } from 'polyplug/test';\ntest('x' () => {});\n", "tests/a.js:2"),
        ("a.lua", "local t = require('polyplug.test')\nt.test('x')\n", "the function of the test is expected, not nil"),
        ("a.py", "import nowhere\n", "nowhere"),
        ("a.js", "import { tset } from 'polyplug/test';\n", "tset"),
        ("a.js", "import { test } from 'polyplug/tests';\n", "polyplug/tests"),
    ] {
        let bundle = rates().with("tests/b.lua", fine).with(&format!("tests/{file}"), text);
        let run = bundle.test(&[]).is(3);
        run.says(&["could not be run", words, "ok      fine", "1 passed, 0 failed, 1 file could not be run"]);
    }
    let run = rates().with("main.lua", "error('no plugin today')\n").with("tests/b.lua", fine).test(&[]).is(3);
    run.says(&["could not be run: bundle `rates`", "no plugin today"]);
}

#[test]
fn missing_tests_are_an_error_with_the_remedy() {
    rates().test(&[]).is(3).complains(&["bundle `rates` has no tests", "NAME.lua"]);
    rates().with("tests/_helper.lua", "").test(&[]).is(3).complains(&["bundle `rates` has no tests"]);
    for (file, text, words) in [
        ("a.lua", "", "declare test(\"name\", function() .. end)"),
        ("a.lua", "require('polyplug.test')\n", "tests/a.lua declares no tests"),
        ("a.py", "def tset_it(): pass\n", "functions whose names begin with `test_`"),
        ("a.js", "", "declare test(\"name\", () => { .. }) of \"polyplug/test\""),
        ("a.js", "import 'polyplug/test';\n", "tests/a.js declares no tests"),
    ] {
        rates().with(&format!("tests/{file}"), text).test(&[]).is(3).says(&["could not be run", words]);
    }
    Run::of(polyplug().args(["test", "/nowhere"])).is(3).complains(&["/nowhere", "no bundle there"]);
    Run::of(polyplug().args(["test", ".", "--timeout", "0"])).is(2).complains(&["--timeout"]);
}

#[test]
fn a_test_has_a_limited_time() {
    for (file, text) in [
        (
            "a.lua",
            "local t = require('polyplug.test')\nt.test('endless', function() while true do end end)\nt.test('next', \
                   function() end)\n",
        ),
        ("a.py", "def test_endless():\n    while True: pass\ndef test_next(): pass\n"),
        (
            "a.js",
            "import { test } from 'polyplug/test';\ntest('endless', () => { for (;;); });\ntest('next', () => {});\n",
        ),
    ] {
        let run = rates().with(&format!("tests/{file}"), text).test(&["--timeout", "1"]).is(1);
        run.says(&[
            "FAILED",
            "endless",
            "the test takes longer than 1 s: `--timeout` sets the limit",
            "1 passed, 1 failed",
        ]);
    }
    let stand_ins = "local t = require('polyplug.test')\nt.stand_in('demo.journal@1', { write = print, last = print })\n\
                     t.stand_in('demo.rates@1', { rate = print })\n";
    let suite =
        "t.test('waits', function() t.instance('demo.shop@1'):wait(true) end)\nt.test('next', function() end)\n";
    for (loader, ..) in LANGUAGES {
        let bundle = Bundle::shop(loader).with("tests/a.lua", format!("{stand_ins}{suite}"));
        bundle.test(&["--timeout", "1"]).is(1).says(&["takes longer than", "ok      next", "1 passed, 1 failed"]);
    }
}

#[test]
fn settings_are_given_by_the_command_line_and_the_manifest() {
    let stand_ins = "local t = require('polyplug.test')\nt.stand_in('demo.journal@1', { write = print, last = print })\n\
                     t.stand_in('demo.rates@1', { rate = print })\n";
    let suite =
        format!("{stand_ins}t.test('it', function() t.equals(t.instance('demo.shop@1'):greeting(), 'Hello') end)\n");
    let bundle = Bundle::shop("python").with("tests/a.lua", suite);
    bundle.test(&[]).is(0);
    bundle.test(&["--config", "greeting = 'Hi'"]).is(1).says(&["- \"Hello\"", "+ \"Hi\""]);
    bundle.test(&["--config", "greeting"]).is(3).complains(&["--config greeting: no TOML"]);
}

#[test]
fn tests_are_chosen_by_a_part_of_their_name() {
    let bundle = rates()
        .with("tests/a.lua", "local t = require('polyplug.test')\nt.test('one', print)\nt.test('two', print)\n")
        .with("tests/b.py", "def test_two(): pass\n");
    bundle.test(&["--filter", "two"]).is(0).says(&["ok      two", "ok      test_two", "2 passed"]);
    bundle.test(&["--filter", "b.py"]).is(0).says(&["ok      test_two", "\n1 passed"]);
    bundle.test(&["--filter", "three"]).is(3).complains(&["no test has a name that contains `three`"]);
}

#[test]
fn reports_are_read_by_other_programs() {
    let bundle = rates()
        .with("tests/a.lua", "local t = require('polyplug.test')\nt.test('<\"&>', function() print('\\27[1m<') t.equals('<a>', \
                              'b&\"') end)\nt.test('fine', print)\nt.test('later', function() t.skip('not & now') end)\n")
        .with("tests/b.lua", "= <");
    let file = bundle.at("junit.xml");
    bundle.test(&["--junit", file.to_str().unwrap()]).is(3);
    let xml = fs::read_to_string(&file).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("name")), ("testsuites", Some("rates")));
    let counts = ["tests", "failures", "errors", "skipped"].map(|name| root.attribute(name).unwrap());
    assert_eq!(counts, ["4", "1", "1", "1"]);
    let cases: Vec<_> = root.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let names: Vec<_> = cases.iter().map(|case| case.attribute("name").unwrap()).collect();
    assert_eq!(names, ["<\"&>", "fine", "later", "tests/b.lua"]);
    assert_eq!((cases[0].attribute("classname"), cases[0].attribute("line")), (Some("tests/a.lua"), Some("2")));
    let child = |case: usize, name: &str| cases[case].children().find(|node| node.has_tag_name(name)).unwrap();
    assert_eq!(child(0, "failure").attribute("message"), Some("the values differ"));
    let text = child(0, "failure").text().unwrap();
    assert_eq!(text, "the values differ\nat tests/a.lua:2\nexpected: \"b&\\\"\"\nactual: \"<a>\"");
    assert_eq!(child(0, "system-out").text(), Some("[tests] \u{fffd}[1m<"));
    assert_eq!(child(2, "skipped").attribute("message"), Some("not & now"));
    assert!(child(3, "error").attribute("message").unwrap().contains("b.lua:1"), "{xml}");

    let run = bundle.test(&["--json"]).is(3);
    let json: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out));
    let tests = &json[0]["tests"];
    assert_eq!((&json[0]["file"], &tests[0]["status"]), (&"tests/a.lua".into(), &"failed".into()));
    assert_eq!((&tests[0]["expected"], &tests[0]["failed_at"]["line"]), (&"\"b&\\\"\"".into(), &2.into()));
    assert_eq!((&tests[1]["status"], &tests[2]["reason"]), (&"passed".into(), &"not & now".into()));
    assert!(json[1]["error"].as_str().unwrap().contains("b.lua:1"));
    bundle.test(&["--junit", "/nowhere/x.xml"]).is(3).complains(&["/nowhere/x.xml"]);
}

/// Makes a bundle with the built library of a fixture package.
fn native(package: &str, needs: &str) -> Bundle {
    let file = format!("{}{package}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = Path::new(env!("CARGO_BIN_EXE_polyplug")).with_file_name(&file);
    assert!(library.is_file(), "{} is not built: run `cargo xtask fixtures`", library.display());
    let manifest = format!("name = \"native\"\nversion = \"1.0.0\"\nloader = \"native\"\nfile = \"{file}\"\n{needs}");
    Bundle::new(&manifest).with(&file, fs::read(library).unwrap())
}

/// Writes the schema of a contract of the fixtures to a bundle.
fn with_schema(bundle: Bundle, name: &str) -> Bundle {
    let schema = Schema::linked().into_iter().find(|schema| schema.name == name).unwrap();
    bundle.with(&format!("{name}@{}.schema", schema.major), schema.encode())
}

#[test]
fn scripts_test_native_plugins() {
    let lua = "local t = require('polyplug.test')\nt.test('divides', function()\n  local c = t.instance('demo.calculator@1')\n  \
               t.equals(c:divide(6, 3), 2)\n  t.raises(function() c:divide(1, 0) end, 'DivisionByZero')\nend)\n";
    let python = "from polyplug import types\nfrom polyplug.test import instance, raises\n\ndef test_divides():\n    with \
                  raises(types('demo.calculator@1').MathError.DivisionByZero()):\n        \
                  instance('demo.calculator@1').divide(1, 0)\n";
    let js = "import { types } from 'polyplug';\nimport { assert, instance, test } from 'polyplug/test';\nconst { MathError } = \
              types('demo.calculator@1');\ntest('divides', () => assert.throws(() => \
              instance('demo.calculator@1').divide(1n, 0n), MathError.DivisionByZero));\n";
    let bundle = native("plugin_calc", "").with("tests/a.lua", lua).with("tests/a.py", python).with("tests/a.js", js);
    bundle.test(&[]).is(0).says(&["3 passed, 0 failed"]);
}

/// Returns the folder of everything that belongs to .NET, or `None` if the tests are to do without it.
fn dotnet() -> Option<PathBuf> {
    const REMEDY: &str = "there is no .NET: run `cargo xtask fixtures`, or do without: POLYPLUG_TESTS_WITHOUT=dotnet";
    let without = std::env::var("POLYPLUG_TESTS_WITHOUT").unwrap_or_default();
    if without.split(',').any(|each| each.trim() == "dotnet") {
        eprintln!("SKIPPED: POLYPLUG_TESTS_WITHOUT names dotnet");
        return None;
    }
    let mut places = Path::new(env!("CARGO_BIN_EXE_polyplug")).ancestors().map(|folder| folder.join("dotnet"));
    Some(places.find(|place| place.join("lock").is_file() || place.join("sdk").is_file()).expect(REMEDY))
}

#[test]
fn scripts_test_plugins_in_c_sharp() {
    let Some(place) = dotnet() else { return };
    let root = fs::read_to_string(place.join("sdk")).map_or_else(|_| place.join("9.0.1/dotnet"), PathBuf::from);
    let lua = "local t = require('polyplug.test')\nt.test('divides', function()\n  local c = t.instance('demo.calculator@1')\n  \
               t.equals(c:divide(6, 3), 2)\n  t.raises(function() c:divide(1, 0) end, 'DivisionByZero')\nend)\n";
    let python = "from polyplug.test import instance\n\ndef test_adds():\n    assert instance('demo.calculator@1').add(2, 3) == \
                  5\n";
    let js = "import { assert, instance, test } from 'polyplug/test';\ntest('adds', () => \
              assert.equal(instance('demo.calculator@1').add(2, 3), 5));\n";
    let manifest = "name = \"calculator\"\nversion = \"1.0.0\"\nloader = \"dotnet\"\nfile = \"calculator.dll\"\n";
    let assembly = fs::read(place.join("guests/calculator.dll")).expect("run `cargo xtask fixtures`");
    let bundle = with_schema(Bundle::new(manifest).with("calculator.dll", assembly), "demo.calculator");
    let bundle = bundle.with("tests/a.lua", lua).with("tests/a.py", python).with("tests/a.js", js);
    let run = Run::of(polyplug().arg("test").arg(bundle.folder.path()).env("DOTNET_ROOT", root));
    run.is(0).says(&["3 passed, 0 failed"]);
}

/// Makes a bundle with a native plugin that calls its host, also on threads of its own, and another bundle.
fn caller() -> Bundle {
    let needs = "[[host]]\ncontract = \"test.logger@1\"\n[[dependency]]\ncontract = \"demo.calculator@1\"\n";
    with_schema(with_schema(native("plugin_caller", needs), "test.logger"), "demo.calculator")
}

/// Stand-ins for the needs of [`caller`], in Lua.
const CALLER_STAND_INS: &str = r#"
local t = require("polyplug.test")
local lines = {}
t.stand_in("test.logger@1", {
  log = function(_, line) lines[#lines + 1] = line; return #lines end,
  panics = function(_, words) error(words) end,
  lines = function() return lines end,
})
t.stand_in("demo.calculator@1", { add = function(_, a, b) return 10 * a + b end, divide = print, greet = print, sum = print })
"#;

#[test]
fn stand_ins_serve_native_plugins() {
    let lua = r#"
t.test("calls", function()
  local caller = t.instance("test.caller@1")
  t.equals(caller:log("first"), 1)
  t.equals(caller:log("second"), 2)
  t.equals(caller:lines(), { "first", "second" })
  t.equals(caller:add(4, 2), 42)
  t.raises(function() caller:host_panics("words of the test") end, "words of the test")
end)
"#;
    let python = r#"
from polyplug.test import instance, stand_in

class Logger:
    def __init__(self):
        self.written = []
    def log(self, line):
        self.written.append(line)
        return len(self.written)
    def panics(self, words):
        raise ValueError(words)
    def lines(self):
        return self.written

class Calculator:
    def add(self, a, b): return a + b
    def divide(self, a, b): return 0
    def greet(self, name): return name
    def sum(self, data): return 0

logger = stand_in("test.logger@1", Logger())
stand_in("demo.calculator@1", Calculator())

def test_calls_of_other_threads():
    assert instance("test.caller@1").log_on_threads(3, 4) <= 12
    assert len(logger.written) == 12
"#;
    let bundle = caller().with("tests/a.lua", format!("{CALLER_STAND_INS}{lua}")).with("tests/b.py", python);
    bundle.test(&[]).is(0).says(&["ok      calls", "ok      test_calls_of_other_threads"]);
}

#[test]
fn a_test_that_cannot_be_ended_is_given_up() {
    // The plugin waits for its threads, and they wait for the Lua state, in which the test runs.
    let lua =
        "t.test('waits', function() t.instance('test.caller@1'):log_on_threads(1, 1) end)\nt.test('next', print)\n";
    let bundle =
        caller().with("tests/a.lua", format!("{CALLER_STAND_INS}{lua}")).with("tests/b.py", "def test_it(): pass\n");
    bundle.test(&["--timeout", "1"]).is(3).says(&[
        "FAILED  waits",
        "the test did not return in time, and cannot be ended",
        "serve one thread at a time",
        "tests/b.py\n  could not be run: not run: a test before does not return",
        "0 passed, 1 failed, 2 files could not be run",
    ]);
}

#[test]
fn crates_are_tested_by_cargo() {
    let write = |body: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(
            folder.path().join("Cargo.toml"),
            "[package]\nname = \"tested\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
        )
        .unwrap();
        fs::write(folder.path().join("src/lib.rs"), format!("#[test]\nfn it() {{\n    {body}\n}}\n")).unwrap();
        folder
    };
    let test = |folder: &TempDir| Run::of(polyplug().arg("test").arg(folder.path()));
    test(&write("")).is(0).says(&["ok      cargo test", "1 passed"]).complains(&["test it ... ok"]);
    test(&write("panic!(\"words\");")).is(1).says(&["FAILED  cargo test"]).complains(&["words"]);
    test(&write("nothing")).is(3).says(&["could not be run", "the tests could not be built"]);
}

#[test]
fn a_missing_dotnet_sdk_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Tests.csproj"), "<Project/>").unwrap();
    let run = Run::of(polyplug().arg("test").arg(folder.path()).env("PATH", folder.path()));
    run.is(3).says(&["could not be run", "Tests.csproj", "`dotnet` cannot be started", "install the .NET SDK"]);
}

/// Returns the blocks in a language of the page on tests.
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../docs/src/testing.md");
    let parts = page.split(&format!("```{language}\n")).skip(1).collect::<Vec<_>>();
    parts.into_iter().map(|part| part.split("```").next().unwrap()).collect()
}

#[test]
fn the_examples_of_the_page_run() {
    let [manifest, lua, python, js] = ["toml", "lua", "python", "js"].map(blocks);
    assert_eq!([manifest.len(), lua.len(), python.len(), js.len()], [1, 2, 1, 1]);
    let bundle = Bundle::new(manifest[0])
        .with("main.lua", lua[0])
        .with("tests/greeter.lua", lua[1])
        .with("tests/test_greeter.py", python[0])
        .with("tests/greeter.test.js", js[0]);
    bundle.test(&[]).is(0).says(&[
        "ok      greet > needs a name",
        "ok      test_needs_a_name",
        "\n6 passed, 0 failed\n",
    ]);
    bundle.test(&["--config", "morning = 'Hi'"]).is(1).says(&["+ \"Hi, Ada!\"", "3 passed, 3 failed"]);
}

#[test]
fn places_are_found_in_folders_with_long_names() {
    let long = tempfile::tempdir().unwrap();
    let folder = long.path().join("a-folder-whose-name-is-longer-than-lua-shows-in-its-errors-by-itself");
    fs::create_dir(&folder).unwrap();
    let lua = "local t = require('polyplug.test')\nlocal part = require('parts.part')\nt.test('own', function() t.fail('x') end)\n\
               t.test('of a part', function() part() end)\nt.test('error', function() error('y') end)\n";
    let bundle = rates()
        .with("tests/a.lua", lua)
        .with("tests/parts/part.lua", "local t = require('polyplug.test')\nreturn function()\n  t.fail('z')\nend\n");
    let run =
        Run::of(polyplug().arg("test").arg(bundle.folder.path()).env("TMPDIR", &folder).env("TMP", &folder)).is(1);
    run.says(&["    tests/a.lua:3\n    x\n", "    tests/parts/part.lua:3\n    z\n", "    tests/a.lua:5\n    y\n"]);
}

#[test]
fn a_bundle_may_be_called_like_the_test_bundle() {
    let suite = "local t = require('polyplug.test')\nt.test('it', function() t.equals(t.instance('demo.rates@1'):rate('eur'), 8) \
                 end)\n";
    let bundle = Bundle::new("name = \"tests\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n")
        .with("main.lua", RATES)
        .with("tests/a.lua", suite);
    bundle.test(&[]).is(1).says(&["tests/a.lua:2\n    the values differ", "- 8\n    + 7\n"]);
}

#[test]
fn assertions_of_modules_show_their_line() {
    let bundle = rates()
        .with("tests/test_it.py", "from _checks import check\n\n\ndef test_it():\n    check(1)\n")
        .with("tests/_checks.py", "def check(value):\n    assert value == 2\n");
    let run = bundle.test(&[]).is(1);
    run.says(&["tests/_checks.py:2\n    AssertionError: assert value == 2\n    called at tests/_checks.py:2\n    called at tests/test_it.py:5"]);
}

#[test]
fn what_no_module_can_catch_is_a_failure_of_the_test() {
    let bundle = rates()
        .with("tests/a.py", "import sys\n\n\ndef test_exit():\n    sys.exit(3)\n\n\ndef test_next():\n    pass\n")
        .with(
            "tests/b.js",
            "import { test } from 'polyplug/test';\ntest('never', () => new Promise(() => {}));\ntest('null', () => { throw \
             null; });\ntest('next', () => {});\n",
        )
        .with("tests/c.lua", "local t = require('polyplug.test')\nt.test('nil', function() error(nil) end)\nt.test('next', print)\n");
    bundle.test(&[]).is(1).says(&[
        "    tests/a.py:5\n    SystemExit: 3\n",
        "    tests/b.js:2\n    the promise that was returned can never settle",
        "    tests/b.js:3\n    threw null\n",
        "    tests/c.lua:2\n    nil\n",
        "\n3 passed, 4 failed\n",
    ]);
}
