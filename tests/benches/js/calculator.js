import { plugin, types } from "polyplug";

const { MathError } = types("demo.calculator@1");

plugin("demo.calculator@1", class {
  add(a, b) {
    return a + b;
  }

  greet(name) {
    return "Hello, " + name + "!";
  }

  divide(a, b) {
    if (b === 0n) throw new MathError(MathError.DivisionByZero);
    return a / b;
  }

  sum(data) {
    let total = 0;
    for (let i = 0; i < data.length; i++) total += data[i];
    return total;
  }
});
