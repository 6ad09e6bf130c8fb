
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
