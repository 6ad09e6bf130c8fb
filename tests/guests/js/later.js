// Is for a minor version of a contract that the host does not have yet.
import { plugin } from "polyplug";

plugin("demo.calculator@1.7", {
  add: (a, b) => a + b,
});
