import { polite } from "./inner/names.js";

export function greet(name) {
  return `Hello, ${polite(name)}!`;
}
