// Lacks methods of its contract.
import { plugin } from "polyplug";

class Calculator {
  add(a, b) {
    return a + b;
  }

  greet(name) {
    return name;
  }
}

plugin("demo.calculator@1", Calculator);
