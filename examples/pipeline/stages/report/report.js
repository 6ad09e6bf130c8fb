// The page: what of a summary is shown, in which order, and in which words.

import { columns, legend, rows } from "./charts.js";
import { bytes, count, counted, duration, fitting, iso, period, share, time } from "./format.js";
import { cut, html, trusted } from "./html.js";
import { style } from "./style.js";
import { finding, table } from "./table.js";
import { timeTicks } from "./ticks.js";

/** The hundreds of statuses: where the contract has them, the class of their colour, and their name. */
const classes = [
  { field: "success", kind: "success", digit: 2, name: "2xx success" },
  { field: "redirection", kind: "redirection", digit: 3, name: "3xx redirection" },
  { field: "clientError", kind: "client-error", digit: 4, name: "4xx client error" },
  { field: "serverError", kind: "server-error", digit: 5, name: "5xx server error" },
  { field: "informational", kind: "informational", digit: 1, name: "1xx informational" },
];

/** Returns the page as text. It needs nothing from elsewhere: no script, no font, no picture. */
export function page(summary, settings) {
  const sections = [
    traffic(summary),
    statuses(summary),
    sizes(summary),
    paths(summary, settings.paths),
    sessions(summary),
    rejections(summary),
    stages(summary),
    findings(summary),
  ];
  const title = cut(settings.title, 100);
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}: ${cut(summary.source, 100)}</title>
<style>${trusted(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p>${cut(summary.source, 200)}${when(summary.traffic)}</p>
</header>
<main>
${figures(summary)}
${summary.requests === 0n ? nothing(summary) : null}
${sections}
</main>
<footer><p>All times are in UTC. A request is a line of the log that went through every stage of the pipeline.</p></footer>
</body>
</html>
`.toString();
}

function when(traffic) {
  if (!traffic) return null;
  const { first, last } = traffic;
  const machine = iso(first) && iso(last) ? `${iso(first)}/${iso(last)}` : "";
  return html` · <span data-period="${machine}">${period(first, last)}</span>`;
}

/** The numbers that matter most. */
function figures({ lines, requests, bytes: sum, statuses, sessions, rejections }) {
  const errors = sumOf([...statuses].filter(([status]) => status >= 400).map(([, requests]) => requests));
  const rejected = sumOf(rejections.map(({ lines }) => lines));
  const figure = (name, value, text, note) =>
    html`<div><dt>${name}</dt><dd data-figure="${name}" data-value="${value}">${text}<small>${note}</small></dd></div>
`;
  return html`<dl class="figures">
${figure("Requests", requests, count(requests), `of ${counted(lines, "line")}`)}
${figure("Transferred", sum, bytes(sum), requests > 0n ? `${bytes(sum / requests)} a request` : "nothing")}
${figure("Errors", errors, share(errors, requests), `${count(errors)} with 4xx or 5xx`)}
${sessions && figure("Sessions", sessions.sessions, count(sessions.sessions), `of ${counted(sessions.clients, "client")}`)}
${figure("Rejected", rejected, count(rejected), `of ${counted(lines, "line")}`)}
</dl>`;
}

function nothing({ lines }) {
  const none = lines === 1n ? "Its only line did not go" : `None of its ${counted(lines, "line")} went`;
  const why = lines === 0n ? "The log is empty." : `${none} through every stage.`;
  return section("empty", "Nothing to show", html`<p>There are no requests in this log. ${why}</p>`);
}

function traffic({ traffic, requests }) {
  if (!traffic) return null;
  const { start, step, intervals } = traffic;
  const present = classes.filter(({ field }) => intervals.some(({ statuses }) => statuses[field] > 0n));
  const each = intervals.map((interval, index) => {
    const begin = start + step * BigInt(index);
    return { ...interval, begin, requests: sumOf(classes.map(({ field }) => interval.statuses[field])) };
  });
  const peak = each.reduce((peak, interval) => (interval.requests > peak.requests ? interval : peak));
  const length = duration(step);
  const spoken = (interval) => {
    const parts = present.map(({ field, name }) => `${name}: ${count(interval.statuses[field])}`);
    return `${time(interval.begin)}, ${length}: ${counted(interval.requests, "request")}, ${bytes(interval.bytes)}\n${parts.join("\n")}`;
  };
  const [from, to] = [Number(start), Number(start) + Number(step) * intervals.length];
  const chart = columns({
    id: "traffic-chart",
    title: `Requests in intervals of ${length}`,
    description: `${counted(intervals.length, "interval")} from ${time(from)} to ${time(to)}; the most requests, ${count(peak.requests)}, at ${time(peak.begin)}.`,
    columns: each.map((interval) => ({
      title: spoken(interval),
      parts: present.map(({ field, kind }) => ({ kind, value: interval.statuses[field] })),
      data: { start: interval.begin, requests: interval.requests, bytes: interval.bytes },
    })),
    ticks: timeTicks(from, to).map(({ at, label }) => ({ at: (at - from) / Number(step), label })),
    slots: 12,
    gap: intervals.length > 40 ? 0.2 : 0.12,
  });
  const numbers = table({
    caption: `Requests and bytes in intervals of ${length}`,
    head: [
      "from (UTC)",
      { number: "requests" },
      ...present.map(({ digit }) => ({ number: `${digit}xx` })),
      { number: "bytes" },
    ],
    rows: each.map((interval) => [
      time(interval.begin),
      count(interval.requests),
      ...present.map(({ field }) => count(interval.statuses[field])),
      bytes(interval.bytes),
    ]),
  });
  return section(
    "traffic",
    "Traffic",
    html`<p>${counted(requests, "request")} in ${counted(intervals.length, "interval")} of ${length}${intervals.length > 1 && `; ${count(peak.requests)} of them in the busiest, from ${time(peak.begin)}`}.</p>
${legend(present)}
<figure>${chart}</figure>
<details><summary>The numbers, interval by interval</summary>
${numbers}</details>`,
    "long",
  );
}

function statuses({ statuses, requests }) {
  if (statuses.size === 0) return null;
  const codes = [...statuses].sort(([one], [other]) => one - other);
  const present = classes
    .map((group) => ({
      ...group,
      requests: sumOf(
        codes.filter(([status]) => Math.floor(status / 100) === group.digit).map(([, requests]) => requests),
      ),
    }))
    .filter(({ requests }) => requests > 0n)
    .sort((one, other) => one.digit - other.digit);
  const chart = rows({
    id: "status-chart",
    title: "Requests by the class of their status",
    description: present.map(({ name, requests }) => `${name}: ${count(requests)}`).join("; "),
    rows: present.map(({ kind, digit, name, requests: value }) => ({
      label: name,
      value,
      kind,
      text: `${fitting(value)} · ${share(value, requests)}`,
      title: `${name}: ${counted(value, "request")}, ${share(value, requests)}`,
      data: { class: digit, requests: value },
    })),
  });
  const numbers = table({
    caption: "Requests by status",
    head: ["status", { number: "requests" }, { number: "share" }],
    rows: codes.map(([status, value]) => [statusText(status), count(value), share(value, requests)]),
  });
  return section("statuses", "Statuses", pair(chart, numbers));
}

const phrases = {
  200: "OK",
  201: "Created",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  406: "Not Acceptable",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  499: "Client Closed Request",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

function statusText(status) {
  return phrases[status] ? html`${status} <span class="muted">${phrases[status]}</span>` : status;
}

function sizes({ sizes }) {
  if (!sizes) return null;
  const { median, ninetieth, max } = sizes;
  const text = html`<p>Half of the answers have at most ${bytes(median)}, nine tenths at most ${bytes(ninetieth)}, and the largest has ${bytes(max)}.</p>`;
  const shown = distribution({
    id: "size-chart",
    title: "Answers by their size",
    caption: "Answers by the size of their body",
    distribution: sizes,
    edge: bytes,
    what: "size",
    counted: "answers",
  });
  return section("sizes", "Sizes of answers", html`${text}${shown}`);
}

function paths({ paths, distinctPaths, requests }, most) {
  if (paths.length === 0) return null;
  const top = paths.slice(0, most);
  const name = (path) => (path === "" ? "(no path)" : path);
  const chart = rows({
    id: "path-chart",
    title: "The most wanted paths",
    description: `${counted(top.length, "path")} of ${count(distinctPaths)}, with the number of their requests.`,
    rows: top.map(({ path, requests: value, errors }) => ({
      label: name(path),
      value,
      kind: "plain",
      text: `${fitting(value)} · ${share(value, requests)}`,
      title: `${cut(name(path), 300)}\n${counted(value, "request")}, ${share(value, requests)}, ${counted(errors, "error")}`,
      data: { path: cut(path, 300), requests: value },
    })),
  });
  const numbers = table({
    caption: "Paths without their queries",
    head: [{ path: "path" }, { number: "requests" }, { number: "errors" }, { number: "bytes" }],
    rows: top.map(({ path, requests, errors, bytes: sum }) => [name(path), count(requests), count(errors), bytes(sum)]),
  });
  const heading =
    BigInt(top.length) < distinctPaths ? `Paths, the first ${top.length} of ${count(distinctPaths)}` : "Paths";
  return section("paths", heading, pair(chart, numbers));
}

function sessions({ sessions }) {
  if (!sessions) return null;
  const { clients, sessions: number, seconds, requests } = sessions;
  if (!seconds || !requests) return section("sessions", "Sessions", html`<p>There are no sessions.</p>`);
  const text = html`<p>${counted(number, "session")} of ${counted(clients, "client")}. Half of them have at most ${counted(requests.median, "request")} and take at most ${duration(seconds.median)}; the longest takes ${duration(seconds.max)}.</p>`;
  const lengths = distribution({
    id: "session-length-chart",
    title: "Sessions by their length",
    caption: "From the first request of a session to the last",
    distribution: seconds,
    edge: duration,
    what: "length",
    counted: "sessions",
  });
  const sizes = distribution({
    id: "session-request-chart",
    title: "Sessions by their number of requests",
    caption: "Requests of a session",
    distribution: requests,
    edge: count,
    what: "requests",
    counted: "sessions",
    whole: true,
  });
  return section("sessions", "Sessions", html`${text}<h3>Length</h3>${lengths}<h3>Requests</h3>${sizes}`);
}

/** A distribution as a chart of columns with a table beside it. `edge` writes a number where a range begins. */
function distribution({
  id,
  title,
  caption,
  distribution: { bins, median, ninetieth },
  edge,
  what,
  counted: noun,
  whole,
}) {
  const total = sumOf(bins.map(({ count }) => count));
  const range = ({ from, below }) => {
    if (below === null) return `from ${edge(from)}`;
    if (below === from + 1n) return edge(from);
    return whole
      ? `${edge(from)} to ${edge(below - 1n)}`
      : from === 0n
        ? `below ${edge(below)}`
        : `${edge(from)} to ${edge(below)}`;
  };
  const chart = columns({
    id,
    title,
    description: `Half have at most ${edge(median)}, nine tenths at most ${edge(ninetieth)}.`,
    columns: bins.map((bin) => ({
      title: `${range(bin)}: ${count(bin.count)} ${noun}, ${share(bin.count, total)}`,
      parts: [{ kind: "plain", value: bin.count }],
      data: { from: bin.from, below: bin.below ?? "", count: bin.count },
    })),
    ticks: edges(bins).map(({ number, at }) => ({ at, label: number === null ? "∞" : edge(number) })),
    slots: 6,
    gap: 0.06,
  });
  const numbers = table({
    caption,
    head: [what, { number: noun }, { number: "share" }],
    rows: bins.map((bin) => [range(bin), count(bin.count), share(bin.count, total)]),
  });
  return pair(chart, numbers);
}

/** The numbers where the ranges begin, and where the last one ends. */
function edges(bins) {
  const ticks = bins.map(({ from }, at) => ({ number: from, at }));
  return [...ticks, { number: bins.at(-1).below, at: bins.length }];
}

function rejections({ rejections }) {
  if (rejections.length === 0) return null;
  const numbers = table({
    caption: "Rejected lines by reason; line and detail are those of the first",
    head: ["stage", "reason", { number: "lines" }, { number: "first" }, { long: "because" }],
    rows: rejections.map(({ stage, reason, lines, first, detail }) => [
      stage,
      reason,
      count(lines),
      count(first),
      detail,
    ]),
  });
  return section("rejections", "Rejected lines", numbers);
}

function stages({ stages }) {
  if (stages.length === 0) return null;
  const numbers = table({
    caption: "Records at each stage, in the order of the pipeline",
    head: [
      "stage",
      "language",
      { number: "in" },
      { number: "out" },
      { number: "rejected" },
      { number: "lost" },
      { long: "does" },
    ],
    rows: stages.map(({ name, language, recordsIn, recordsOut, rejected, lost, summary }) => [
      name,
      language,
      ...[recordsIn, recordsOut, rejected, lost].map(count),
      summary,
    ]),
  });
  return section("stages", "Stages", numbers);
}

function findings({ findings }) {
  if (findings.length === 0) return null;
  return section(
    "findings",
    "What the stages found",
    html`<p class="muted">Each stage may give tables of its own at the end of the log.</p>
<details><summary>${counted(findings.length, "table")}</summary>${findings.map(finding)}</details>`,
    "long",
  );
}

function section(id, heading, content, name = "") {
  return html`<section id="${id}" class="${name} ${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${heading}</h2>
${content}
</section>
`;
}

function pair(chart, numbers) {
  return html`<div class="pair"><figure>${chart}</figure>${numbers}</div>`;
}

function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0n);
}
