// Values as JavaScript writes them.
import { plugin, types } from "polyplug";

const { Shape, Colour, Point, Item, Options, Many } = types("test.written@1");

const EXTREMES = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  nat8: 255,
  nat16: 65535,
  nat32: 2 ** 32 - 1,
  nat64: 2n ** 64n - 1n,
  inexact: [-(2n ** 53n) - 1n, 2n ** 53n + 1n],
  beyond: 2n ** 63n,
  infinite: [-Infinity, Infinity],
  finite: [Number.MAX_VALUE, 3.4028234663852886e38, Number.MIN_VALUE],
  letter: "\u{10ffff}",
  text: "Grüße, 世界 🦀 e\u0301 \0!",
  bytes: Uint8Array.of(0, 127, 128, 255),
};

const NEXT = { [Colour.Red]: Colour.Green, [Colour.Green]: Colour.Blue, [Colour.Blue]: Colour.Red };

// Two numbers are the same if they are of the same type, too.
function isSame(a, b) {
  if (typeof a !== "object") return Object.is(a, b);
  return a.constructor === b.constructor && a.length === b.length && a.every((item, i) => isSame(item, b[i]));
}

// An option as text.
const told = (value) => (value === null ? "none" : String(value));

class Written {
  extremes() {
    return EXTREMES;
  }

  differing(value) {
    return Object.keys(EXTREMES).filter((name) => !isSame(EXTREMES[name], value[name]));
  }

  floatKind(value) {
    return [Number.isNaN(value), Object.is(value, -0)];
  }

  oddFloats() {
    return [NaN, -0];
  }

  total(order) {
    return order.items.reduce((total, item) => total + item.count * item.price, 0);
  }

  // A list may be anything that can be iterated, and a map whose keys are text may be an object.
  order() {
    const items = [
      ["ink", 2, 1.25],
      ["paper", 500, 0.01],
      ["pen", 1, 3],
      ["", 0, 0],
    ];
    return {
      id: 2n ** 64n - 1n,
      customer: "Ångström & Söhne",
      items: new Set(items.map(([name, count, price]) => Item({ name, count, price }))),
      colour: "Green",
      shape: Shape.Dot(3),
      stock: { ink: 7, paper: 0 },
      size: [3, "A4"],
    };
  }

  *shapes() {
    yield "Empty";
    yield Shape.Dot(3);
    yield Shape.Line(Point({ x: 0, y: 1 }), { x: 2, y: 3 });
    yield Shape.Circle({ centre: Point({ x: 0, y: 1 }), radius: 2 });
    yield { tag: "Named", val: { name: "flag", tags: ["a", "b"], colour: Colour.Red } };
    yield Shape.Inside(undefined);
    yield Shape.Inside(Shape.Inside(Shape.Empty));
  }

  spell({ tag, val }) {
    switch (tag) {
      case "Empty":
        return "empty";
      case "Dot":
        return `dot ${val}`;
      case "Line":
        return `line ${val.map(({ x, y }) => `${x} ${y}`).join(" ")}`;
      case "Circle":
        return `circle ${val.centre.x} ${val.centre.y} ${val.radius}`;
      case "Named":
        return `${val.name} ${val.tags} ${val.colour}`;
      case "Inside":
        return `inside ${val === null ? "nothing" : this.spell(val)}`;
    }
  }

  next(colour) {
    return NEXT[colour];
  }

  tell(options) {
    const [flag, number] = options.inTuple;
    const inMap = [...options.inMap].sort().map(([key, value]) => `${key}:${told(value)}`);
    return [
      `plain=${told(options.plain)}`,
      `nested=${options.nested === null ? "none" : `some ${told(options.nested.val)}`}`,
      `in_list=${options.inList.map(told)}`,
      `in_tuple=${told(flag)} ${number}`,
      `in_map=${inMap}`,
      `boxed=${told(options.boxed && options.boxed.name)}`,
    ];
  }

  options(isFull) {
    if (isFull) {
      return Options({
        plain: 5,
        nested: { tag: "some", val: 5 },
        inList: [null, "a", undefined],
        inTuple: [false, 7],
        inMap: { a: null, b: 5 },
        boxed: Item({ name: "ink", count: 1, price: 0.5 }),
      });
    }
    return {
      plain: null,
      nested: { tag: "some", val: null },
      inList: [null, undefined, null],
      inTuple: [null, 7],
      inMap: new Map([
        ["a", null],
        ["b", undefined],
      ]),
      boxed: undefined,
    };
  }

  empty() {
    return ["", new Uint8Array(), [], {}];
  }

  measure(text, bytes) {
    return [new TextEncoder().encode(text).length, bytes.length];
  }

  repeat(text, times) {
    return text.repeat(times);
  }

  fill(count) {
    return new Uint8Array(count).fill(255);
  }

  many(a, b, c, d, e, f, g, h, i, j) {
    return Many({ a, b, c, d, e, f, g, h, i, j });
  }
}

plugin("test.written@1", Written);
