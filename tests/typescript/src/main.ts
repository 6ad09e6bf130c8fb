/// <reference path="../polyplug.d.ts" />
import { log, plugin, types } from "polyplug";
import { add, person, sum } from "./lib/math.js";

interface Calculator {
  add(a: number, b: number): number;
  divide(a: bigint, b: bigint): bigint;
  greet(name: string): string;
  sum(data: Uint8Array): bigint;
}

const { MathError } = types("demo.calculator@1");

class TypedCalculator implements Calculator {
  private readonly greeting: string = "Hello";

  add(a: number, b: number): number {
    return add(a, b);
  }

  divide(a: bigint, b: bigint): bigint {
    if (b === 0n) {
      throw new MathError(MathError.DivisionByZero);
    }
    return a / b;
  }

  /** Fails for an empty name, in another file. */
  greet(name: string): string {
    return `${this.greeting}, ${person(name).name}!`;
  }

  sum(data: Uint8Array): bigint {
    return sum(data);
  }
}

log.debug("the calculator in TypeScript is loaded");
plugin("demo.calculator@1", TypedCalculator);
