// The module `polyplug/test`: tests of a bundle, run by `polyplug test`.

import { DeclaredError, peer, plugin } from "polyplug";
import { format, same, shown } from "./values.js";

const cases = [];
// The groups that `describe` has opened, the innermost last.
let groups = [{ name: "", before: [], after: [] }];
let givenSettings;

// An assertion that has failed.
export class AssertionError extends Error {
  constructor(message, values) {
    super(message);
    this.name = "AssertionError";
    this.values = values;
  }
}

class Skipped extends Error {}

// Places.

// Returns the places in a stack, the innermost first, without those of this module.
function places(stack) {
  const found = [];
  for (const line of String(stack).split("\n")) {
    const match = /([^\s()]+?):(\d+)(?::\d+)?\)?$/.exec(line.trim());
    // `<polyplug>` is the loader's own program.
    if (match && !match[1].startsWith("polyplug/") && !match[1].startsWith("<")) {
      found.push({ file: match[1], line: Number(match[2]) });
    }
  }
  return found;
}

// Assertions, as those of node:assert/strict.

function fail(message, note, values) {
  if (note instanceof Error) throw note;
  throw new AssertionError(note === undefined ? message : `${note}: ${message}`, values);
}

function both(actual, expected) {
  if (typeof actual === "string" && typeof expected === "string" && (actual + expected).includes("\n")) {
    return { expected, actual };
  }
  return { expected: format(expected), actual: format(actual) };
}

export function assert(value, note) {
  if (!value) fail(`expected a true value, got ${shown(value)}`, note);
}

assert.ok = assert;

assert.equal = assert.strictEqual = (actual, expected, note) => {
  if (Object.is(actual, expected)) return;
  const hint = same(actual, expected) ? ", for objects are compared by identity: use assert.deepEqual" : "";
  fail(`the values differ${hint}`, note, both(actual, expected));
};

assert.notEqual = assert.notStrictEqual = (actual, unexpected, note) => {
  if (Object.is(actual, unexpected)) fail(`the value is ${shown(actual)}`, note);
};

assert.deepEqual = assert.deepStrictEqual = (actual, expected, note) => {
  if (!same(actual, expected)) fail("the values differ", note, both(actual, expected));
};

assert.notDeepEqual = assert.notDeepStrictEqual = (actual, unexpected, note) => {
  if (same(actual, unexpected)) fail(`the value is ${shown(actual)}`, note);
};

assert.match = (text, pattern, note) => {
  if (!pattern.test(text)) fail(`${shown(text)} does not match ${pattern}`, note);
};

assert.doesNotMatch = (text, pattern, note) => {
  if (pattern.test(text)) fail(`${shown(text)} matches ${pattern}`, note);
};

assert.fail = (note) => {
  if (note instanceof Error) throw note;
  throw new AssertionError(note ?? "failed");
};

// Checks an error: by a class, a regular expression, a function, or an object with fields.
function checkThrown(error, expected, note) {
  if (error instanceof AssertionError || error instanceof Skipped) throw error;
  if (typeof expected === "string" && note === undefined) return error;
  if (expected === undefined) return error;
  if (expected instanceof RegExp) {
    if (!expected.test(String(error))) {
      fail("another error was thrown", note, { expected: String(expected), actual: String(error) });
    }
    return error;
  }
  if (typeof expected === "function") {
    if (expected.prototype !== undefined && error instanceof expected) return error;
    if (Error.isPrototypeOf(expected) || expected === Error) throw error;
    if (expected.call({}, error) !== true) fail("the function does not accept the error", note, both(error, true));
    return error;
  }
  if (error instanceof DeclaredError && !(expected instanceof Error)) {
    if (!same(error.value, expected)) fail("another error was declared", note, both(error.value, expected));
    return error;
  }
  const isThing = (value) => typeof value === "object" && value !== null;
  const matches = isThing(expected) && isThing(error)
    ? Object.keys(expected).every((key) => expected[key] instanceof RegExp && typeof error[key] === "string"
      ? expected[key].test(error[key]) : same(error[key], expected[key]))
    : same(error, expected);
  if (!matches) fail("another error was thrown", note, both(error, expected));
  return error;
}

assert.throws = (f, expected, note) => {
  let error;
  try {
    f();
  } catch (thrown) {
    error = { thrown };
  }
  if (!error) fail("no error was thrown", typeof expected === "string" ? expected : note);
  return checkThrown(error.thrown, expected, note);
};

assert.rejects = async (promise, expected, note) => {
  let error;
  try {
    await (typeof promise === "function" ? promise() : promise);
  } catch (thrown) {
    error = { thrown };
  }
  if (!error) fail("no error was thrown", typeof expected === "string" ? expected : note);
  return checkThrown(error.thrown, expected, note);
};

assert.doesNotThrow = (f) => f();

// Declarations.

function check(value, type, what) {
  if (typeof value !== type) throw new TypeError(`${what} is expected, not ${shown(value)}`);
}

export function test(name, options, f) {
  if (typeof options === "function") [options, f] = [{}, options];
  check(name, "string", "the name of a test");
  check(f, "function", "the function of the test");
  const names = [...groups.slice(1).map((group) => group.name), name];
  const [place] = places(new Error().stack);
  cases.push({ name: names.join(" > "), f, groups: [...groups], skip: options.skip, place });
}

test.skip = (name, f) => test(name, { skip: true }, f);

export const it = test;

export function describe(name, f) {
  check(name, "string", "the name of a group of tests");
  check(f, "function", "the function that declares the tests of the group");
  groups.push({ name, before: [], after: [] });
  try {
    f();
  } finally {
    groups.pop();
  }
}

export function beforeEach(f) {
  check(f, "function", "a function");
  groups[groups.length - 1].before.push(f);
}

export function afterEach(f) {
  check(f, "function", "a function");
  groups[groups.length - 1].after.push(f);
}

// Leaves out the rest of the test.
export function skip(reason = "") {
  throw new Skipped(reason);
}

// Returns a new instance of a plugin of the bundle under test.
export function instance(contract) {
  return peer(contract);
}

// Has the methods of an object serve as a host contract, or as a plugin of another bundle, for the bundle under test.
// Returns the object.
export function standIn(contract, implementation) {
  check(implementation, "object", "an object with the contract's methods");
  const forwarding = {};
  for (let source = implementation; source && source !== Object.prototype; source = Object.getPrototypeOf(source)) {
    for (const name of Object.getOwnPropertyNames(source)) {
      if (name !== "constructor" && typeof implementation[name] === "function") {
        forwarding[name] = (...values) => implementation[name](...values);
      }
    }
  }
  plugin(contract, forwarding, { singleton: true, name: `stand-in for ${contract}` });
  return implementation;
}

// Sets the settings with which the bundle under test is loaded.
export function settings(values) {
  check(values, "object", "an object with settings");
  givenSettings = { ...givenSettings, ...values };
}

// The plugin that `polyplug test` calls.

function failure(error) {
  const isError = typeof error === "object" && error !== null && "stack" in error;
  const found = isError ? places(error.stack) : [];
  const message = error instanceof AssertionError ? error.message
    : error instanceof DeclaredError ? `${error.name}: ${format(error.value)}`
      : isError ? String(error) : `threw ${format(error)}`;
  const trace = found.length > 1 ? found.map(({ file, line }) => `called at tests/${file}:${line}`).join("\n") : undefined;
  return { message, place: found[0], values: error?.values, trace };
}

async function runTest({ f, groups, skip: isSkipped }) {
  if (isSkipped) throw new Skipped(typeof isSkipped === "string" ? isSkipped : "");
  const after = [...groups].reverse().flatMap((group) => group.after);
  try {
    for (const before of groups.flatMap((group) => group.before)) await before();
    await f();
  } finally {
    for (const hook of after) await hook();
  }
}

plugin("polyplug.tests@1", {
  cases: () => cases.map(({ name, place }) => ({ name, place })),

  settings: () => givenSettings === undefined ? undefined : JSON.stringify(givenSettings),

  async run(number) {
    try {
      await runTest(cases[number]);
    } catch (error) {
      if (error instanceof Skipped) return { skipped: error.message };
      return { failure: failure(error) };
    }
    return {};
  },
}, { singleton: true, name: "tests" });
