// Implements an earlier minor version of its contract.
import { plugin } from "polyplug";

plugin("demo.calculator@1.1", {
  add(a, b) {
    return a + b;
  },

  divide(a, b) {
    return a / b;
  },

  greet(name) {
    return `Hello, ${name}!`;
  },
});
