// The calculator of the documentation.
import { plugin, types } from "polyplug";

const { MathError } = types("demo.calculator@1");

class Calculator {
  add(a, b) {
    return a + b;
  }

  divide(a, b) {
    if (b === 0n) throw new MathError(MathError.DivisionByZero);
    if (b === -1n && a === -(2n ** 63n)) throw new MathError(MathError.Overflow({ at: a }));
    return a / b;
  }

  greet(name) {
    return `Hello, ${name}!`;
  }

  sum(data) {
    return data.reduce((sum, byte) => sum + byte, 0);
  }
}

plugin("demo.calculator@1", Calculator);
