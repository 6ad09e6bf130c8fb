// Counts lines, words and characters.
import { plugin, types } from "polyplug";

const { Outcome } = types("editor.command@1");

const Count = {
  help() {
    return "count: counts lines, words and characters";
  },

  run(text) {
    const lines = text.split("\n").length - 1;
    const words = text.split(/\s+/).filter((word) => word !== "").length;
    return Outcome.Message(`${lines} lines, ${words} words, ${[...text].length} characters`);
  },
};

plugin("editor.command@1", Count, { singleton: true });
