// Calls its host as it starts, and as its instances do.
import { host, plugin } from "polyplug";

const logger = host("test.logger@1");
logger.log("the file runs");

class Counter {
  constructor() {
    this.before = BigInt(logger.log("an instance begins"));
  }

  add(by) {
    return this.before + by;
  }
}

plugin("test.counter@1", Counter);
