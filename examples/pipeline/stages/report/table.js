// Tables. A table that is wider than the screen is scrolled by itself, by keyboard as well.

import { count } from "./format.js";
import { cut, html } from "./html.js";

/** The longest text in a cell, in characters. */
const longest = 200;

/**
 * Returns a table. `head` has the heads of its columns: a text, or, where the cells are not short texts, an object such
 * as `{ number: "requests" }`, `{ path: "path" }` or `{ long: "because" }`. `rows` are arrays of texts, numbers and markup.
 */
export function table({ caption, head, rows }) {
  const kinds = head.map((head) => (typeof head === "string" ? "text" : Object.keys(head)[0]));
  const heads = head.map((head, column) => {
    const text = typeof head === "string" ? head : Object.values(head)[0];
    return html`<th scope="col" class="${kinds[column] === "number" ? "number" : ""}">${cut(text, longest)}</th>`;
  });
  const body = rows.map(
    (cells) => html`<tr>${cells.map((cell, column) => td(cell, kinds[column] ?? "text"))}</tr>
`,
  );
  return html`<div class="table" role="region" aria-label="${caption}" tabindex="0"><table>
<caption><span>${caption}</span></caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody></table></div>`;
}

function td(cell, kind) {
  const name = kind === "path" || kind === "long" ? `${kind} text` : kind;
  return html`<td class="${name}">${typeof cell === "string" ? cut(cell, longest) : cell}</td>`;
}

/** Returns a stage's own table. Rows may have more or fewer cells than there are columns. */
export function finding({ stage, report }) {
  const width = Math.max(report.columns.length, ...report.rows.map((row) => row.length));
  const head = Array.from({ length: width }, (_, column) => {
    const text = report.columns[column] ?? "";
    const cells = report.rows.map((row) => row[column]).filter((cell) => cell !== undefined);
    return cells.length > 0 && cells.every(({ tag }) => tag !== "Text")
      ? { number: text }
      : cells.some(({ tag, val }) => tag === "Text" && val.length > 40)
        ? { long: text }
        : text;
  });
  const rows = report.rows.map((row) => Array.from({ length: width }, (_, column) => text(row[column])));
  return html`<h3>${cut(report.title, longest)}</h3>
${table({ caption: `Found by the stage ${cut(stage, 60)}`, head, rows })}`;
}

function text(cell) {
  switch (cell?.tag) {
    case "Text":
      return cell.val;
    case "Integer":
      return count(cell.val);
    case "Number":
      return decimal(cell.val);
    default:
      return "";
  }
}

/** `1,234.50` */
function decimal(number) {
  const [whole, fraction] = number.toFixed(2).split(".");
  return fraction === undefined ? whole : `${count(whole)}.${fraction}`;
}
