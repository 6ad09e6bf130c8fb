// Version 1 of the bundle that is reloaded.
import { plugin, types } from "polyplug";

const { Card } = types("test.stamp@1");

class Stamp {
  version() {
    return 1;
  }

  echo(text) {
    return `1 ${text}`;
  }

  card(text) {
    const { length } = new TextEncoder().encode(text);
    return Card({ version: 1, text: `1 ${text}`, repeated: Array(length).fill(1n), last: 1 });
  }

  giveUp(text) {
    throw new Error(`1 ${text}`);
  }
}

plugin("test.stamp@1", Stamp);
