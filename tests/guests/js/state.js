// Plugins with state: one that keeps it over a reload, and one that does not.
import { plugin } from "polyplug";

class Counter {
  #count = 0n;

  add(by) {
    this.#count += by;
    return this.#count;
  }

  save() {
    if (this.#count === 665n) throw new Error("665 cannot be told");
    return String(this.#count);
  }

  restore(state, from) {
    const text = new TextDecoder().decode(state);
    if (text === "666") {
      const [major, minor] = from.split(".");
      throw new Error(`666 brings bad luck, in version ${major}.${minor}`);
    }
    this.#count = BigInt(text);
  }
}

plugin("test.counter@1", Counter);

let made = 0;

class Singleton {
  #asked = 0;

  constructor() {
    made += 1;
  }

  count() {
    this.#asked += 1;
    return this.#asked;
  }

  made() {
    return made;
  }
}

plugin("test.singleton@1", Singleton, { singleton: true });
