// The types of the module "polyplug", which the JavaScript loader gives to plugins, and of the contracts that are named
// below. Made by `polyplug stubs --lang ts`.

declare module "polyplug" {
  /** The contracts that are known here, by their names. Further declarations of the interface add others. */
  export interface Contracts {
    /** The calculator of the documentation. */
    "demo.calculator@1": { plugin: DemoCalculator1.Calculator; proxy: DemoCalculator1.CalculatorProxy; types: DemoCalculator1.Types };
    "demo.calculator@1.0": { plugin: Omit<DemoCalculator1.Calculator, "greet" | "sum">; proxy: DemoCalculator1.CalculatorProxy; types: DemoCalculator1.Types };
    "demo.calculator@1.1": { plugin: Omit<DemoCalculator1.Calculator, "sum">; proxy: DemoCalculator1.CalculatorProxy; types: DemoCalculator1.Types };
    "demo.calculator@1.2": { plugin: DemoCalculator1.Calculator; proxy: DemoCalculator1.CalculatorProxy; types: DemoCalculator1.Types };
  }

  /** What a plugin gets as its instance is made. */
  export interface Context {
    /** The name of the bundle. */
    readonly bundle: string;
    /** The folder of the bundle, or null for a bundle from memory. */
    readonly directory: string | null;
    /** The settings of the bundle. */
    readonly config: Readonly<Record<string, unknown>>;
    /** Returns the folder in which the bundle keeps its data, and makes it if it does not exist. */
    dataDirectory(): string;
    /** Has a function called before the bundle is unloaded. */
    onUnload(callback: () => void): void;
  }

  export interface PluginOptions {
    /** The plugin's name in messages; without it, the contract's. */
    readonly name?: string;
    /** One instance serves the whole bundle. */
    readonly singleton?: boolean;
    /** Instances have no state, so any of the bundle's workers may serve a call. */
    readonly stateless?: boolean;
  }

  /** What implements a contract: a class, or an object with the methods. */
  export type Target<Methods> = Methods | (new (context: Context) => Methods);

  export type Level = "error" | "warn" | "info" | "debug" | "trace";

  export interface Log {
    (level: Level, message: string): void;
    error(message: string): void;
    warn(message: string): void;
    info(message: string): void;
    debug(message: string): void;
    trace(message: string): void;
  }

  /** An error that a contract declares. */
  export class DeclaredError<T = unknown> extends Error {
    constructor(value: T);
    readonly value: T;
  }

  /** The failure of a call of a host contract, a peer or an object. */
  export class CallError extends Error {
    private constructor();
    /** What kind of failure it is, such as "exception", "unloaded" or "invalid_argument". */
    readonly kind: string;
    /** The bundle that was called; undefined for the host. */
    readonly bundle: string | undefined;
    readonly contract: string | undefined;
    /** The method, with the contract. */
    readonly method: string | undefined;
    /** The place of the failure in the callee's code. */
    readonly location: string | undefined;
  }

  /** Declares that a class, an object or a module implements a contract. Returns the target. */
  export function plugin<Name extends keyof Contracts, T extends Target<Contracts[Name]["plugin"]>>(
    contract: Name,
    target: T,
    options?: PluginOptions,
  ): T;

  /** Returns a contract of the host, which the manifest declares under `[[host]]`. */
  export function host<Name extends keyof Contracts>(contract: Name): Contracts[Name]["proxy"];

  /** Returns a plugin of another bundle, which the manifest declares under `[[dependency]]`. */
  export function peer<Name extends keyof Contracts>(contract: Name): Contracts[Name]["proxy"];

  /** Returns makers of the values of a contract's types, by the types' names. */
  export function types<Name extends keyof Contracts>(contract: Name): Contracts[Name]["types"];

  export const context: Context;

  /** Writes to the host's log. */
  export const log: Log;

  /** The calculator of the documentation. */
  export namespace DemoCalculator1 {
    /** Why there is no quotient. */
    type MathError =
      /** The divisor is zero. */
      | { tag: "DivisionByZero"; val?: undefined }
      /** The quotient is too large. */
      | { tag: "Overflow"; val: {
        /** The dividend. */
        at: bigint;
      } };

    /**
     * The calculator of the documentation.
     *
     * For a plugin to implement.
     */
    interface Calculator {
      /** The sum. */
      add(a: number, b: number): number;
      /**
       * The quotient, or why there is none.
       * @throws {DemoCalculator1.MathError}
       */
      divide(a: bigint, b: bigint): bigint;
      /**
       * Greets `name`.
       *
       * Since version 1.1.
       */
      greet(name: string): string;
      /**
       * The sum of all bytes.
       *
       * Since version 1.2.
       */
      sum(data: Uint8Array): bigint;
    }

    /**
     * The calculator of the documentation.
     *
     * For a plugin to call.
     */
    interface CalculatorProxy {
      /** The sum. */
      add(a: number, b: number): number;
      /**
       * The quotient, or why there is none.
       * @throws {DemoCalculator1.MathError}
       */
      divide(a: bigint, b: bigint): bigint;
      /**
       * Greets `name`.
       *
       * Since version 1.1.
       */
      greet(name: string): string;
      /**
       * The sum of all bytes.
       *
       * Since version 1.2.
       */
      sum(data: Iterable<number>): bigint;
    }

    /** Makers of the values of the contract's types. */
    interface Types {
      /** Why there is no quotient. */
      readonly MathError: {
        new (value: DemoCalculator1.MathError): DeclaredError<DemoCalculator1.MathError>;
        readonly prototype: DeclaredError<DemoCalculator1.MathError>;
        /** The divisor is zero. */
        readonly DivisionByZero: { readonly tag: "DivisionByZero" };
        /** The quotient is too large. */
        Overflow(val: {
        /** The dividend. */
        at: bigint;
      }): DemoCalculator1.MathError;
      };
    }
  }
}

// What engines have beside the language itself. Projects leave out the library "dom", which declares what is not there.

/** Writes to the host's log. */
declare const console: {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  assert(condition?: unknown, ...values: unknown[]): void;
  dir(value?: unknown, options?: unknown): void;
  dirxml(...values: unknown[]): void;
  table(rows?: unknown, columns?: readonly string[]): void;
  count(label?: string): void;
  countReset(label?: string): void;
  group(...values: unknown[]): void;
  groupCollapsed(...values: unknown[]): void;
  groupEnd(): void;
  time(label?: string): void;
  timeLog(label?: string, ...values: unknown[]): void;
  timeEnd(label?: string): void;
  clear(): void;
};

/** Turns text into bytes of UTF-8. */
declare class TextEncoder {
  readonly encoding: string;
  encode(input?: string): Uint8Array;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}

/** Turns bytes of UTF-8 into text. */
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(input?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

declare class URL {
  static canParse(url: string | URL, base?: string | URL): boolean;
  static parse(url: string | URL, base?: string | URL): URL | null;
  constructor(url: string | URL, base?: string | URL);
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  readonly searchParams: URLSearchParams;
  toString(): string;
  toJSON(): string;
}

declare class URLSearchParams implements Iterable<[string, string]> {
  constructor(init?: string | URLSearchParams | Iterable<readonly [string, string]> | Record<string, string>);
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArg?: unknown): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
  toString(): string;
}

/** The error of functions such as `structuredClone` and `atob`. */
declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}

/** Turns text of Base64 into text whose letters stand for bytes. */
declare function atob(text: string): string;
/** Turns text whose letters stand for bytes into text of Base64. */
declare function btoa(bytes: string): string;

declare function structuredClone<T>(value: T, options?: { transfer?: unknown[] }): T;

/** Has a function called once, after some milliseconds. Returns the number by which `clearTimeout` knows it. */
declare function setTimeout<Args extends unknown[]>(
  callback: (...args: Args) => void,
  milliseconds?: number,
  ...args: Args
): number;
/** Has a function called again and again. Returns the number by which `clearInterval` knows it. */
declare function setInterval<Args extends unknown[]>(
  callback: (...args: Args) => void,
  milliseconds?: number,
  ...args: Args
): number;
declare function clearTimeout(timer: number | undefined): void;
declare function clearInterval(timer: number | undefined): void;
declare function queueMicrotask(callback: () => void): void;

declare const performance: {
  /** Returns milliseconds since some point in the past. */
  now(): number;
};

// The module "polyplug/test", which `polyplug test` gives to test files.

declare module "polyplug/test" {
  import type { Contracts } from "polyplug";

  /** What a test or a hook does. The test goes on when a promise that the function returns is settled. */
  export type Body = () => unknown;

  export interface Test {
    /** Declares a test. `skip` leaves it out, for a reason. */
    (name: string, options: { readonly skip?: boolean | string }, f: Body): void;
    (name: string, f: Body): void;
    /** Declares a test that is left out. */
    skip(name: string, f: Body): void;
  }

  export const test: Test;
  export const it: Test;

  /** Declares the tests that a function declares as a group. */
  export function describe(name: string, f: () => void): void;

  /** Has a function called before each test of the group, or of the file. */
  export function beforeEach(f: Body): void;

  /** Has a function called after each test of the group, or of the file. */
  export function afterEach(f: Body): void;

  /** Returns a new instance of a plugin of the bundle under test. */
  export function instance<Name extends keyof Contracts>(contract: Name): Contracts[Name]["proxy"];

  /** Has an object implement a contract that the bundle under test calls. Returns the object. */
  export function standIn<Name extends keyof Contracts>(
    contract: Name,
    implementation: Contracts[Name]["plugin"] & { [name: string]: any },
  ): Contracts[Name]["plugin"] & { [name: string]: any };
  export function standIn<Name extends keyof Contracts, T extends Contracts[Name]["plugin"]>(
    contract: Name,
    implementation: T,
  ): T;

  /** Replaces settings of the bundle under test. */
  export function settings(values: Readonly<Record<string, unknown>>): void;

  /** Ends a test that is left out from here. */
  export function skip(reason?: string): never;

  /** A check that has failed. */
  export class AssertionError extends Error {
    private constructor();
  }

  /** The message of a failed check, or the error to throw. */
  type Note = string | Error;

  /** The checks of `node:assert/strict`. */
  export interface Assert {
    (value: unknown, note?: Note): asserts value;
    ok(value: unknown, note?: Note): asserts value;
    equal(actual: unknown, expected: unknown, note?: Note): void;
    strictEqual(actual: unknown, expected: unknown, note?: Note): void;
    notEqual(actual: unknown, unexpected: unknown, note?: Note): void;
    notStrictEqual(actual: unknown, unexpected: unknown, note?: Note): void;
    deepEqual(actual: unknown, expected: unknown, note?: Note): void;
    deepStrictEqual(actual: unknown, expected: unknown, note?: Note): void;
    notDeepEqual(actual: unknown, unexpected: unknown, note?: Note): void;
    notDeepStrictEqual(actual: unknown, unexpected: unknown, note?: Note): void;
    match(text: string, pattern: RegExp, note?: Note): void;
    doesNotMatch(text: string, pattern: RegExp, note?: Note): void;
    /**
     * Returns the error that a function throws. `expected` is a class, a regular expression, a function that returns true for
     * the error, an object with some of its properties, or a declared error.
     */
    throws(f: () => unknown, expected?: unknown, note?: Note): unknown;
    /** Returns the error that a promise is rejected with, as `throws` does. */
    rejects(promise: Promise<unknown> | (() => Promise<unknown>), expected?: unknown, note?: Note): Promise<unknown>;
    doesNotThrow(f: () => unknown): void;
    fail(note?: Note): never;
  }

  export const assert: Assert;
}
