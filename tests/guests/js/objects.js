// Calls objects, and gives some of its own.
import { CallError, DeclaredError, host, peer, plugin } from "polyplug";

// What a call gives. If it fails, this one's declared error is the failure as text.
function told(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof CallError) throw new DeclaredError(error.message);
    throw error;
  }
}

// What this plugin gives to others: says yes to one label, or so many times.
class Own {
  constructor({ label, times = 0 }) {
    this.label = label;
    this.times = times;
  }

  step(done, label) {
    if (this.label !== undefined) return label === this.label;
    this.times -= 1;
    return this.times >= 0;
  }

  breaks() {
    throw new Error("it broke");
  }

  note(text) {
    throw new DeclaredError(text);
  }
}

class Objects {
  #kept = [];
  #count = 0;

  work(steps, progress) {
    for (let step = 0; step < steps; step++) {
      if (!progress.step(step, "working")) return step;
    }
    return steps;
  }

  notes(text, first, second) {
    return [first, second].map((progress) => {
      try {
        return String(progress.note(text));
      } catch (error) {
        if (error instanceof DeclaredError) return `no: ${error.value}`;
        throw error;
      }
    });
  }

  provoke(progress) {
    progress.breaks();
  }

  catch(progress) {
    try {
      progress.breaks();
    } catch (error) {
      return error.message;
    }
    return "nothing";
  }

  keep(progress) {
    return this.#kept.push(progress);
  }

  tellAll(label) {
    return this.#kept.map((progress) => {
      try {
        return { tag: "ok", val: progress.step(0, label) };
      } catch (error) {
        return { tag: "err", val: error.message };
      }
    });
  }

  forget() {
    this.#kept = [];
  }

  plant() {
    return told(() => peer("test.objects@1").keep(new Own({ label: "planted" })));
  }

  lend(steps) {
    return told(() => peer("test.objects@1").work(steps, new Own({ times: 2 })));
  }

  passOn(steps, progress) {
    return told(() => peer("test.objects@1").work(steps, progress));
  }

  hear(words) {
    this.#count += 1;
    if (words === "!") throw new Error("too loud");
    if (words === "") throw new DeclaredError("silence");
    return new TextEncoder().encode(words).length;
  }

  // A function will do for an object with one method.
  listen(words) {
    return told(() => host("test.radio@1").play(words, (said) => this.hear(said)));
  }

  subscribe() {
    host("test.radio@1").tune(this);
  }

  heard() {
    return this.#count;
  }
}

plugin("test.objects@1", Objects, { singleton: true });
