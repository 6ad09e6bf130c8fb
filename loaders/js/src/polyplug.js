// The module "polyplug", made of the loader's native functions. Evaluates to a function that returns the module's exports
// and what the loader itself calls.
(native) => {
  "use strict";
  const { Array, Error, Map, Object, String, Symbol, TypeError } = globalThis;
  const { call } = Function.prototype;
  const forEach = call.bind(Map.prototype.forEach);
  const { defineProperty, keys: ownKeys } = Object;
  const iterator = Symbol.iterator;

  const text = (value) => {
    if (typeof value === "string") return value;
    try {
      return JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part)) ?? String(value);
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
    enum: (cases) => Object.fromEntries(cases.map(([name]) => [name, name])),
    variant: (cases) => Object.fromEntries(cases.map((of) => [of[0], caseOf(of)])),
  };
  const caseOf = ([tag, layout]) => {
    if (layout === "empty") return Object.freeze({ tag });
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

  const { bundle, directory, config } = native;
  const context = { bundle, directory, config, dataDirectory: native.dataDirectory, onUnload: native.onUnload };

  return {
    exports: {
      plugin: native.plugin,
      host: native.host,
      peer: native.peer,
      types,
      context: Object.freeze(context),
      log: Object.freeze(log),
      DeclaredError,
      CallError,
    },
    callError(message, kind, bundle, contract, method, location) {
      const error = new CallError(message);
      Object.assign(error, { kind, bundle, contract, method, location });
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
