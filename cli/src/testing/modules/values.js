// Values as text, and their equality.

const isPlain = (value) => typeof value === "object" && value !== null;

// Returns whether two values are equal; objects are if their classes and contents are.
export function same(one, other, seen = new Map()) {
  if (Object.is(one, other)) return true;
  if (!isPlain(one) || !isPlain(other)) return false;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (seen.get(one) === other) return true;
  seen.set(one, other);
  if (one instanceof Date) return one.getTime() === other.getTime();
  if (one instanceof RegExp) return String(one) === String(other);
  if (one instanceof Error && (one.name !== other.name || one.message !== other.message)) return false;
  if (one instanceof Map) {
    if (one.size !== other.size) return false;
    return [...one].every(([key, value]) => {
      if (other.has(key)) return same(value, other.get(key), seen);
      return [...other].some(([k, v]) => same(key, k, seen) && same(value, v, seen));
    });
  }
  if (one instanceof Set) {
    return one.size === other.size && [...one].every((item) => other.has(item) || [...other].some((o) => same(item, o, seen)));
  }
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length
    && keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key], seen));
}

// Returns a value as text of several lines.
export function format(value, indent = "", seen = []) {
  switch (typeof value) {
    case "string": return JSON.stringify(value);
    case "bigint": return `${value}n`;
    case "number": return Object.is(value, -0) ? "-0" : String(value);
    case "function": return `[function ${value.name || "without a name"}]`;
    case "object": break;
    default: return String(value);
  }
  if (value === null) return "null";
  if (seen.includes(value)) return "[the object that it is in]";
  if (value instanceof Date) return `Date(${value.toISOString()})`;
  if (value instanceof RegExp) return String(value);
  const [inner, deeper] = [indent + "  ", [...seen, value]];
  const shown = (item) => format(item, inner, deeper);
  const body = (open, lines, close) =>
    lines.length === 0 ? open + close : `${open}\n${lines.map((line) => `${inner}${line},\n`).join("")}${indent}${close}`;
  if (Array.isArray(value)) return body("[", value.map(shown), "]");
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} [${[...value].join(", ")}]`;
  if (value instanceof Map) return body("Map {", [...value].map(([key, item]) => `${shown(key)} => ${shown(item)}`), "}");
  if (value instanceof Set) return body("Set {", [...value].map(shown), "}");
  const fields = Object.keys(value).map((key) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    return `${name}: ${shown(value[key])}`;
  });
  if (value instanceof Error) return body(`${value.name}(${JSON.stringify(value.message)})${fields.length ? " {" : ""}`, fields, fields.length ? "}" : "");
  const name = value.constructor?.name;
  return body(name && name !== "Object" ? `${name} {` : "{", fields, "}");
}

// Returns a value as text of one line if it is short.
export function shown(value) {
  const text = format(value);
  return text.length <= 80 ? text.replace(/\s*\n\s*/g, " ").replace(/, ([}\]])/g, " $1") : text;
}
