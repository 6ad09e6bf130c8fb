// Loads other files of its bundle.
import * as words from "./words.js";

export const contract = "test.modules@1";

export function greet(name) {
  return words.greet(name);
}

export async function load(name) {
  try {
    await import(specifier(name));
  } catch (error) {
    return `${error}\n${error.stack}`;
  }
  return null;
}

// A path is taken as it is. In any other name, a dot parts a folder from what is in it.
function specifier(name) {
  if (name.startsWith("/")) return `${name}.js`;
  return `./${name.includes("/") ? name : name.replaceAll(".", "/")}.js`;
}
