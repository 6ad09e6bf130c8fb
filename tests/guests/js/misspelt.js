// Has a method whose name is misspelt.
import { plugin } from "polyplug";

class Calculator {
  add(a, b) {
    return a + b;
  }

  divdie(a, b) {
    return a / b;
  }

  greet(name) {
    return name;
  }

  sum(data) {
    return 0n;
  }
}

plugin("demo.calculator@1", Calculator);
