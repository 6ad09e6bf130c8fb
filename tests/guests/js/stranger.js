// Is for a contract that nobody knows.
import { plugin } from "polyplug";

plugin("test.nobody@1", {
  add: (a, b) => a + b,
});
