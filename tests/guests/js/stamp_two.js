// Version 2 of the bundle that is reloaded.
import { plugin, types } from "polyplug";

const { Card } = types("test.stamp@1");

class Stamp {
  version() {
    return 2;
  }

  echo(text) {
    return `2 ${text}`;
  }

  card(text) {
    const { length } = new TextEncoder().encode(text);
    return Card({ version: 2, text: `2 ${text}`, repeated: Array(length).fill(2n), last: 2 });
  }

  giveUp(text) {
    throw new Error(`2 ${text}`);
  }
}

plugin("test.stamp@1", Stamp);
