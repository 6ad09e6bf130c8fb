// Fails as it starts.
import { plugin } from "polyplug";

plugin(
  "test.stamp@1",
  class Stamp {
    version() {
      return 1;
    }

    echo(text) {
      return text;
    }

    card(text) {
      return { version: 1, text, repeated: [], last: 1 };
    }

    giveUp(text) {
      throw new Error(text);
    }
  },
);

throw new Error("the start is no good"); // here
