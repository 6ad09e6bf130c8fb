// Calls its host and others.
import { DeclaredError, host, peer, plugin, types } from "polyplug";

const { MathError } = types("demo.calculator@1");
const { Shape, Refusal } = types("test.mirror@1");

// What a call gives. If it fails, this one's declared error is the failure as text.
function told(call) {
  try {
    return call();
  } catch (error) {
    throw error instanceof DeclaredError ? error : new DeclaredError(error.message);
  }
}

function isSame(a, b) {
  if (typeof a !== "object" || a === null) return Object.is(a, b);
  if (typeof b !== "object" || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  if (a instanceof Map) return b instanceof Map && isSame([...a], [...b]);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => isSame(a[key], b[key]));
}

const ORDER = {
  id: 2n ** 64n - 1n,
  customer: "Ångström & Söhne",
  items: [
    { name: "ink", count: 2, price: 1.25 },
    { name: "", count: 0, price: 0 },
  ],
  note: null,
  colour: "Green",
  shape: Shape.Dot(3),
  stock: new Map([
    ["ink", 7],
    ["paper", 0],
  ]),
  size: [3, "A4"],
};

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

const SHAPES = [
  { tag: "Empty" },
  Shape.Dot(3),
  Shape.Line({ x: 0, y: 1 }, { x: 2, y: 3 }),
  Shape.Circle({ centre: { x: 0, y: 1 }, radius: 2 }),
  Shape.Named({ name: "flag", tags: ["a", "b"], colour: "Red" }),
  Shape.Inside(null),
  Shape.Inside(Shape.Inside({ tag: "Empty" })),
];

class Reaching {
  #calculator;

  log(line) {
    return told(() => host("test.logger@1").log(line));
  }

  hostPanics(words) {
    told(() => host("test.logger@1").panics(words));
  }

  hostPanicsThrough(words) {
    host("test.logger@1").panics(words);
  }

  mirrored() {
    const mirror = host("test.mirror@1");
    const same = [isSame(mirror.order(ORDER), ORDER), isSame(mirror.extremes(EXTREMES), EXTREMES)];
    return same.concat(SHAPES.map((shape) => isSame(mirror.shape({ tag: "ok", val: shape }), shape)));
  }

  many() {
    const mirror = host("test.mirror@1");
    return mirror.many(1, "zwei", true, -(2n ** 63n), 5.5, "6", null, 2n ** 64n - 1n, "Blue");
  }

  refused() {
    try {
      host("test.mirror@1").shape({ tag: "err", val: Refusal.Full({ capacity: 7 }) });
    } catch (error) {
      if (error instanceof Refusal && error.value.tag === "Full") return `full ${error.value.val.capacity}`;
      throw error;
    }
    return "something else";
  }

  add(a, b) {
    return told(() => peer("demo.calculator@1").add(a, b));
  }

  addAgain(a, b) {
    return told(() => {
      this.#calculator ??= peer("demo.calculator@1");
      return this.#calculator.add(a, b);
    });
  }

  divide(a, b) {
    return told(() => {
      try {
        return peer("demo.calculator@1").divide(a, b);
      } catch (error) {
        if (!(error instanceof MathError)) throw error;
        const { tag, val } = error.value;
        throw new DeclaredError(tag === "Overflow" ? `Overflow ${val.at}` : tag);
      }
    });
  }

  undeclared() {
    return told(() => peer("test.stamp@1").version());
  }

  nested(depth) {
    if (depth === 0) return 0;
    // The error that the host declares is text, like this method's, and goes through as it is.
    return told(() => host("test.echo@1").callBack(depth)) + 1;
  }
}

plugin("test.reaching@1", Reaching);
