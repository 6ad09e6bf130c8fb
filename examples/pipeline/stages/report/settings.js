// The bundle's settings, checked.

const defaults = { title: "Access log", paths: 10 };

/** Returns the settings; an error names the one that is wrong. */
export function read(config) {
  const { title, paths } = { ...defaults, ...config };
  check("title", title, typeof title === "string" && title.trim() !== "", "a text");
  check("paths", paths, Number.isInteger(paths) && paths >= 1, "a whole number above 0");
  return { title, paths };
}

function check(name, value, isFine, expected) {
  if (!isFine) {
    throw new Error(`settings: ${name}: expected ${expected}, got ${JSON.stringify(value)}`);
  }
}
