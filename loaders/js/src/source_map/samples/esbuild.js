// src/main.ts
import { log, plugin, types } from "polyplug";

// src/lib/math.ts
function add(a, b) {
  return a + b | 0;
}
function sum(data) {
  let total = 0n;
  for (const byte of data) {
    total += BigInt(byte);
  }
  return total;
}
function person(name) {
  if (name.length === 0) {
    throw new RangeError("a name is needed");
  }
  return { name };
}

// src/main.ts
var { MathError } = types("demo.calculator@1");
var TypedCalculator = class {
  greeting = "Hello";
  add(a, b) {
    return add(a, b);
  }
  divide(a, b) {
    if (b === 0n) {
      throw new MathError(MathError.DivisionByZero);
    }
    return a / b;
  }
  /** Fails for an empty name, in another file. */
  greet(name) {
    return `${this.greeting}, ${person(name).name}!`;
  }
  sum(data) {
    return sum(data);
  }
};
log.debug("the calculator in TypeScript is loaded");
plugin("demo.calculator@1", TypedCalculator);
//# sourceMappingURL=main.js.map
