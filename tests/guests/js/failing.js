// Errors and exceptions.
import { DeclaredError, plugin, types } from "polyplug";

const { Refusal, Colour, Problem } = types("test.failing@1");

class Failing {
  variant(which) {
    switch (which) {
      case "closed":
        throw new Refusal(Refusal.Closed);
      case "full":
        throw new Refusal(Refusal.Full({ capacity: 7 }));
      case "other":
        // A value that is thrown plainly is the declared error as well.
        throw { tag: "Other", val: ["why", -(2n ** 63n)] };
    }
    return 1;
  }

  case() {
    throw new Colour(Colour.Blue);
  }

  record() {
    throw new Problem({ code: 2n ** 63n - 1n, text: "no" });
  }

  text() {
    throw new DeclaredError("no: 5");
  }

  number() {
    throw new DeclaredError(2n ** 64n - 1n);
  }

  list() {
    throw new DeclaredError(["a", "b"]);
  }

  tuple() {
    throw new DeclaredError([5, null]);
  }

  throw(words) {
    fail(words);
  }

  raiseInstead(words) {
    fail(words);
  }

  raiseNothing(words) {
    fail(words);
  }

  calm(number) {
    return number;
  }
}

function fail(words) {
  throw new Error(words); // here
}

plugin("test.failing@1", Failing);
