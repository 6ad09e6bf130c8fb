// Reads its settings as it starts.
import { plugin } from "polyplug";

class Reading {
  constructor(context) {
    if (context.config.title === "") throw new Error("a title is needed");
    this.config = context.config;
    this.name = context.bundle;
  }

  title() {
    return this.config.title;
  }

  limits() {
    const { lines, share } = this.config.limits;
    return [lines, share];
  }

  words() {
    return this.config.words;
  }

  verbose() {
    return this.config.verbose ?? false;
  }

  bundle() {
    return this.name;
  }
}

plugin("test.reading@1", Reading);
