// Text of HTML and SVG. What comes from a log may hold anything, so every value is escaped unless it was made here.

/** Markup that needs no escaping. Only `html` makes it. */
class Markup {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/**
 * Makes markup: html`<b>${text}</b>`. Texts and numbers are escaped, in attributes as well, which must have quotes.
 * Arrays are written one after the other; nothing is written for null, undefined and false.
 */
export function html(strings, ...values) {
  let text = strings[0];
  values.forEach((value, index) => {
    text += markup(value) + strings[index + 1];
  });
  return new Markup(text);
}

/** Returns a text of our own, such as the style sheet, as markup. Not for what comes from a log. */
export function trusted(text) {
  return new Markup(text);
}

function markup(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(markup).join("");
  if (value === null || value === undefined || value === false) return "";
  return escape(String(value));
}

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "`": "&#96;" };

/** Returns text that is safe between tags and between quotes. */
export function escape(text) {
  return printable(text).replace(/[&<>"'`]/g, (character) => entities[character]);
}

// Control characters, what turns the direction of text, halves of characters, and what is no character at all.
const unprintable =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Shows each character that could hide or rearrange others as U+FFFD. */
export function printable(text) {
  return text.replace(unprintable, "\ufffd");
}

/** Cuts a text to at most `length` characters, the last of which is an ellipsis. */
export function cut(text, length) {
  const characters = [...text.slice(0, 2 * length + 2)];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** Cuts a text in its middle: the end of a path tells as much as its beginning. */
export function cutMiddle(text, length) {
  const characters = [...text];
  if (characters.length <= length) return text;
  const end = Math.floor((length - 1) / 3);
  return `${characters.slice(0, length - 1 - end).join("")}…${characters.slice(-end).join("")}`;
}
