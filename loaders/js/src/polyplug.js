// The module "polyplug", made of the loader's native functions. Evaluates to a function that returns the module's exports
// and what the loader itself calls.
(native) => {
  "use strict";
  // Functions of the language are read before code of a bundle can replace them, and while there is memory to make them.
  const { Error, Map, Object, String, Symbol } = globalThis;
  const { stringify } = JSON;
  const { call } = Function.prototype;
  const forEach = call.bind(Map.prototype.forEach);
  const map = call.bind([].map);
  const { assign, defineProperty, freeze, fromEntries, keys: ownKeys } = Object;
  const iterator = Symbol.iterator;

  const text = (value) => {
    if (typeof value === "string") return value;
    try {
      return stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part)) ?? String(value);
    } catch {
      return native.describe(value);
    }
  };

  /** The error that a method declares. */
  class DeclaredError extends Error {
    constructor(value) {
      super();
      this.value = value;
    }
    get message() {
      return text(this.value);
    }
    set message(_) {}
  }
  defineProperty(DeclaredError.prototype, "name", { value: "DeclaredError", writable: true, configurable: true });

  /** The failure of a call of the host, of another plugin or of an object. */
  class CallError extends Error {}
  defineProperty(CallError.prototype, "name", { value: "CallError", writable: true, configurable: true });

  const makers = {
    record: () => (fields) => fields,
    enum: (cases) => fromEntries(map(cases, ([name]) => [name, name])),
    variant: (cases) => fromEntries(map(cases, (of) => [of[0], caseOf(of)])),
  };
  const caseOf = ([tag, layout]) => {
    if (layout === "empty") return freeze({ tag });
    if (layout === "numbered") return (...val) => ({ tag, val });
    return (val) => ({ tag, val });
  };

  // The classes of declared errors, by contract and name, so that an error of a callee is of the class that `types` returns.
  const classes = new Map();
  const classOf = (contract, name, kind, cases) => {
    const key = `${contract}/${name}`;
    let known = classes.get(key);
    if (known === undefined) {
      known = { [name]: class extends DeclaredError {} }[name];
      defineProperty(known.prototype, "name", { value: name, writable: true, configurable: true });
      if (kind !== "record") {
        const values = makers[kind](cases);
        for (const name of ownKeys(values)) {
          defineProperty(known, name, { value: values[name], writable: true, configurable: true, enumerable: true });
        }
      }
      classes.set(key, known);
    }
    return known;
  };

  const types = (contract) => {
    const { name, definitions } = native.types(contract);
    const made = {};
    for (const [type, kind, isError, cases] of definitions) {
      if (kind !== "object") made[type] = isError ? classOf(name, type, kind, cases) : makers[kind](cases);
    }
    return made;
  };

  const log = (level, message) => native.log(level, message);
  for (const level of ["error", "warn", "info", "debug", "trace"]) log[level] = (message) => native.log(level, message);

  // The engine makes functions of the language when they are first used, and loses those for which there is no memory then.
  // Where memory is limited, all of them are made now.
  if (native.isLimited) {
    const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
    const { ownKeys: allKeys } = Reflect;
    const made = new Set();
    const make = (object) => {
      if ((typeof object !== "object" && typeof object !== "function") || object === null || made.has(object)) return;
      made.add(object);
      for (const key of allKeys(object)) {
        const { value, get, set } = getOwnPropertyDescriptor(object, key);
        make(value);
        make(get);
        make(set);
      }
      make(getPrototypeOf(object));
    };
    make(globalThis);
    for (const list of [[], new Map(), new Set(), "", new Uint8Array(0), "".matchAll(/x/g)]) make(list[iterator]());
    for (const kind of [function* () {}, async function* () {}, async () => {}]) make(kind);
  }

  // The compiler of the engine ends the process where memory lacks. Where memory is limited, code that is made from text is
  // compiled by the loader, which does not limit the compiler's memory.
  if (native.isLimited) {
    const { join } = Array.prototype;
    const joined = call.bind(join);
    const limited = (kind, keyword) => {
      const Limited = function (...parts) {
        const body = parts.length > 0 ? String(parts.pop()) : "";
        const names = joined(map(parts, (part) => String(part)), ",");
        return native.evaluate("(" + keyword + " anonymous(" + names + "\n) {\n" + body + "\n})");
      };
      const { name, prototype } = kind;
      defineProperty(Limited, "name", { value: name, configurable: true });
      defineProperty(Limited, "length", { value: 1, configurable: true });
      defineProperty(Limited, "prototype", { value: prototype, writable: false });
      defineProperty(prototype, "constructor", { value: Limited, configurable: true });
      return Limited;
    };
    const hidden = (name, value) => {
      defineProperty(globalThis, name, { value, writable: true, configurable: true });
    };
    hidden("Function", limited(Function, "function"));
    limited((async () => {}).constructor, "async function");
    limited(function* () {}.constructor, "function*");
    limited(async function* () {}.constructor, "async function*");
    hidden("eval", (text) => (typeof text === "string" ? native.evaluate(text) : text));
  }

  const { bundle, directory, config } = native;
  const context = { bundle, directory, config, dataDirectory: native.dataDirectory, onUnload: native.onUnload };

  return {
    exports: {
      plugin: native.plugin,
      host: native.host,
      peer: native.peer,
      types,
      context: freeze(context),
      log: freeze(log),
      DeclaredError,
      CallError,
    },
    callError(message, kind, bundle, contract, method, location) {
      const error = new CallError(message);
      assign(error, { kind, bundle, contract, method, location });
      return error;
    },
    declared(contract, type, kind, cases, value) {
      const Declared = type === undefined ? DeclaredError : classOf(contract, type, kind, cases);
      return new Declared(value);
    },
    isDeclared: (value) => value instanceof DeclaredError,
    items: (value) => (typeof value[iterator] === "function" ? [...value] : undefined),
    mapPairs(map) {
      const pairs = [];
      let at = 0;
      const put = (value) => defineProperty(pairs, at++, { value, enumerable: true });
      forEach(map, (value, key) => {
        put(key);
        put(value);
      });
      return pairs;
    },
    objectPairs(object) {
      const pairs = [];
      let at = 0;
      for (const key of ownKeys(object)) {
        defineProperty(pairs, at++, { value: key, enumerable: true });
        defineProperty(pairs, at++, { value: object[key], enumerable: true });
      }
      return pairs;
    },
    map: Map,
    mapSet: Map.prototype.set,
  };
}
