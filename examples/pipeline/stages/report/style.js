// What the page looks like, in light and in dark, on screens of all sizes and on paper.

/** The colours of both schemes. Text is readable on `page` and on `card`, and colours of charts stand out on `card`. */
export const palettes = {
  light: {
    page: "#f5f6f4",
    card: "#ffffff",
    text: "#1b1f24",
    muted: "#545c66",
    line: "#d5d9d6",
    grid: "#e6e9e7",
    track: "#eceeed",
    plain: "#2f6cb3",
    informational: "#6d7783",
    success: "#2f6cb3",
    redirection: "#2a8f85",
    "client-error": "#bd6a00",
    "server-error": "#a3212f",
  },
  dark: {
    page: "#121518",
    card: "#1b1f24",
    text: "#e7eaed",
    muted: "#a5aeb8",
    line: "#39414a",
    grid: "#2b3138",
    track: "#262c32",
    plain: "#6fa8e6",
    informational: "#98a2ad",
    success: "#6fa8e6",
    redirection: "#56c4b5",
    "client-error": "#f0a13c",
    "server-error": "#ff7b72",
  },
};

const kinds = ["plain", "informational", "success", "redirection", "client-error", "server-error"];

function variables(palette) {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(" ");
}

export const style = `
:root { color-scheme: light dark; ${variables(palettes.light)} }
@media (prefers-color-scheme: dark) { :root { ${variables(palettes.dark)} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.5rem; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { margin: 0 0 0.25rem; font-size: 1.2rem; line-height: 1.3; }
h3 { margin: 1.75rem 0 0.25rem; font-size: 1rem; }
p { margin: 0 0 0.75rem; max-width: 48rem; text-wrap: pretty; }
section > p:last-child { margin-bottom: 0; }
.muted, footer { color: var(--muted); }
header p { margin: 0.4rem 0 0; color: var(--muted); overflow-wrap: anywhere; }
section { margin: 1.25rem 0; padding: 1.25rem 1.5rem 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; }
.figures { display: flex; flex-wrap: wrap; gap: 1px; margin: 1.5rem 0 1.25rem; overflow: hidden; background: var(--line); border: 1px solid var(--line); border-radius: 0.6rem; }
.figures div { flex: 1 1 9.5rem; padding: 0.9rem 1.1rem; background: var(--card); }
.figures dt { color: var(--muted); font-size: 0.85rem; }
.figures dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.3; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.figures small { display: block; color: var(--muted); font-size: 0.8rem; font-weight: 400; letter-spacing: 0; }
.pair { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1rem 2.5rem; align-items: start; margin-top: 0.75rem; }
figure { margin: 0.75rem 0 0; min-width: 0; }
.pair figure { margin: 0; }
.plot { padding: 0 0.5rem 0 3.2rem; }
svg { display: block; overflow: visible; font-variant-numeric: tabular-nums; }
svg svg { overflow: hidden; }
svg text { fill: var(--text); font-size: 0.8125rem; }
svg .tick { fill: var(--muted); font-size: 0.75rem; }
svg .value { fill: var(--muted); }
svg .brief { display: none; }
.paths svg .label, td.path { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.paths svg .label { font-size: 0.75rem; }
line { stroke-width: 1; shape-rendering: crispEdges; }
.grid { stroke: var(--grid); }
.axis { stroke: var(--muted); }
.track { fill: var(--track); }
.hit { fill: transparent; }
.column:hover .hit { fill: var(--grid); }
${kinds.map((kind) => `.${kind} { fill: var(--${kind}); background: var(--${kind}); }`).join("\n")}
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.25rem 0 0; padding: 0; list-style: none; font-size: 0.85rem; color: var(--muted); }
.swatch { display: inline-block; width: 0.75em; height: 0.75em; margin-right: 0.45em; border-radius: 2px; }
.table { overflow-x: auto; }
.table:focus-visible, summary:focus-visible { outline: 2px solid var(--plain); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; line-height: 1.4; }
caption { padding-bottom: 0.35rem; color: var(--muted); text-align: left; }
caption span { position: sticky; left: 0; display: inline-block; max-width: min(100%, 100vw - 4.2rem); }
th, td { padding: 0.32rem 0 0.32rem 1rem; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: baseline; }
th:first-child, td:first-child { padding-left: 0; }
thead th { border-bottom-color: var(--line); color: var(--muted); font-weight: 500; vertical-align: bottom; }
h2, h3, p, caption { overflow-wrap: anywhere; }
th { overflow-wrap: break-word; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
td.text:first-child { min-width: 3.5rem; }
td.long { min-width: 14rem; }
td.path { font-size: 0.8125rem; }
.text { min-width: 6rem; overflow-wrap: anywhere; unicode-bidi: isolate; }
details { margin-top: 1rem; }
summary { width: fit-content; color: var(--plain); cursor: pointer; }
footer { padding-top: 0.25rem; padding-bottom: 2.5rem; font-size: 0.85rem; }
@media (max-width: 60rem) {
  .pair { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 36rem) {
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  header { padding-top: 1.5rem; }
  h1 { font-size: 1.5rem; }
  section { padding: 1rem 1rem 1.15rem; }
  .figures div { flex-basis: 40%; padding: 0.7rem 0.9rem; }
  .figures dd { font-size: 1.25rem; }
  .plot { padding-left: 2.6rem; }
  svg .long, svg .odd { display: none; }
  svg .brief { display: inline; }
  th, td { padding-left: 0.7rem; }
  td.path { min-width: 7rem; font-size: 0.75rem; }
}
@media print {
  :root { color-scheme: light; ${variables({ ...palettes.light, page: "#ffffff" })} }
  body { font-size: 10pt; }
  header, main, footer { max-width: none; padding: 0; }
  section, .figures { break-inside: avoid; }
  section.long { break-inside: auto; }
  section { padding: 0.75rem 1rem; }
  .figures { flex-wrap: nowrap; }
  .figures div { flex-basis: 0; padding: 0.6rem 0.75rem; }
  .figures dd { font-size: 1.2rem; }
  th, td { padding-top: 0.15rem; padding-bottom: 0.15rem; }
  tr, svg, figure { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  thead { display: table-header-group; }
  .table { overflow: visible; }
  td.text, td.long { min-width: 0; }
  th { overflow-wrap: anywhere; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { display: none; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
