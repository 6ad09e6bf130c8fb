// Charts as SVG. Widths are parts of the whole and heights are pixels, so that text keeps its size on every screen. The
// numbers are in `data-` attributes as well, exact, for programs.

import { short } from "./format.js";
import { cutMiddle, html, trusted } from "./html.js";
import { countTicks } from "./ticks.js";

const plot = { top: 12, height: 190, axis: 30 };

/**
 * Returns a chart of columns that stand on a common axis.
 *
 * Each column has a `title`, which says all of it, `parts` of a `kind` (the class of the colour) and a `value`, which
 * are stacked, and `data`. Each tick of `ticks` has a `label` and `at`, a number of columns from the left. Fewer columns
 * than `slots` leave room to the right.
 */
export function columns({ id, title, description, columns, ticks, slots = 1, gap = 0.15 }) {
  const slot = 100 / Math.max(columns.length, slots);
  const totals = columns.map(({ parts }) => parts.reduce((sum, { value }) => sum + Number(value), 0));
  const scale = countTicks(Math.max(0, ...totals));
  const top = scale.at(-1);
  const y = (value) => plot.top + plot.height * (1 - value / top);

  const grid = scale.map(
    (
      value,
    ) => html`<line class="${value === 0 ? "axis" : "grid"}" x1="0" x2="100%" y1="${px(y(value))}" y2="${px(y(value))}"/>
<text class="tick" x="-8" y="${px(y(value))}" dy="0.32em" text-anchor="end">${short(value)}</text>
`,
  );
  const bars = columns.map(({ title, parts, data }, index) => {
    let below = 0;
    const rects = parts.map(({ kind, value }) => {
      if (Number(value) === 0) return null;
      const from = below;
      below += Number(value);
      return html`<rect class="${kind}" x="${percent((index + gap / 2) * slot)}" width="${percent((1 - gap) * slot)}" y="${px(y(below))}" height="${px(y(from) - y(below))}"/>`;
    });
    const whole = html`<rect class="hit" x="${percent(index * slot)}" width="${percent(slot)}" y="${plot.top}" height="${plot.height}"/>`;
    return html`<g class="column"${attributes(data)}><title>${title}</title>${whole}${rects}</g>
`;
  });
  const bottom = plot.top + plot.height;
  const labels = ticks.map(({ at, label }, index) => {
    const x = percent(at * slot);
    return html`<g class="${index % 2 ? "odd" : "even"}"><line class="axis" x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 5}"/><text class="tick" x="${x}" y="${bottom + 20}" text-anchor="middle">${label}</text></g>
`;
  });
  const height = bottom + plot.axis;
  return html`<div class="plot">${svg({ id, title, description, height, content: [grid, bars, labels] })}</div>`;
}

const row = { height: 42, text: 15, bar: 23, thickness: 9 };

/**
 * Returns a chart of bars that lie one below the other, each with its label and its value above it.
 *
 * Each row has a `label`, the `value`, its `text`, a `kind`, a `title` and `data`.
 */
export function rows({ id, title, description, rows }) {
  const max = Math.max(1, ...rows.map(({ value }) => Number(value)));
  const bars = rows.map(({ label, value, text, kind, title, data }, index) => {
    const y = index * row.height;
    const width = percent((Number(value) / max) * 100);
    return html`<g class="row"${attributes(data)}><title>${title}</title>
<rect class="hit" x="0" width="100%" y="${y}" height="${row.height}"/>
<svg x="0" width="66%" y="${y}" height="${row.bar}"><text class="label long" x="0" y="${row.text}">${cutMiddle(label, 44)}</text><text class="label brief" x="0" y="${row.text}">${cutMiddle(label, 22)}</text></svg>
<text class="value" x="100%" y="${y + row.text}" text-anchor="end">${text}</text>
<rect class="track" x="0" width="100%" y="${y + row.bar}" height="${row.thickness}" rx="2"/>
<rect class="${kind}" x="0" width="${width}" y="${y + row.bar}" height="${row.thickness}" rx="2"/></g>
`;
  });
  return svg({ id, title, description, height: rows.length * row.height, content: bars });
}

/** Returns the names of the colours of a chart. Each has a `kind` and a `name`. */
export function legend(entries) {
  const items = entries.map(({ kind, name }) => html`<li><span class="swatch ${kind}"></span>${name}</li>`);
  return html`<ul class="legend">${items}</ul>`;
}

function svg({ id, title, description, height, content }) {
  return html`<svg id="${id}" role="img" aria-labelledby="${id}-title ${id}-description" width="100%" height="${height}">
<title id="${id}-title">${title}</title>
<desc id="${id}-description">${description}</desc>
${content}</svg>`;
}

/** The names are our own, the values need not be. */
function attributes(data) {
  return Object.entries(data ?? {}).map(([name, value]) => html` ${trusted(`data-${name}`)}="${value}"`);
}

function percent(number) {
  return `${round(number, 3)}%`;
}

function px(number) {
  return round(number, 2);
}

function round(number, digits) {
  return Number(number.toFixed(digits));
}
