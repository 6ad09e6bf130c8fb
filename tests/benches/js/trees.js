import { plugin } from "polyplug";

plugin("bench.trees@1", class {
  tree(value) {
    return value;
  }
});
