// Summaries as the stage gets them, from none to hostile.

const none = { informational: 0n, success: 0n, redirection: 0n, clientError: 0n, serverError: 0n };

/** A log without lines, and pipelines without sessions. */
export const empty = {
  source: "empty.log",
  lines: 0n,
  requests: 0n,
  bytes: 0n,
  traffic: null,
  statuses: new Map(),
  sizes: null,
  paths: [],
  distinctPaths: 0n,
  sessions: null,
  rejections: [],
  stages: [],
  findings: [],
};

/** One line, of which nothing is left. */
export const rejected = {
  ...empty,
  lines: 1n,
  sessions: { clients: 0n, sessions: 0n, seconds: null, requests: null },
  rejections: [{ stage: "parse", reason: "bad status", lines: 1n, first: 1n, detail: '"2O0" is not a number' }],
};

/** One request. */
export const single = {
  ...empty,
  source: "single.log",
  lines: 1n,
  requests: 1n,
  bytes: 512n,
  traffic: {
    first: 1709100000n,
    last: 1709100000n,
    start: 1709100000n,
    step: 60n,
    intervals: [{ statuses: { ...none, success: 1n }, bytes: 512n }],
  },
  statuses: new Map([[200, 1n]]),
  sizes: {
    bins: [
      { from: 0n, below: 1n, count: 0n },
      { from: 1n, below: 1024n, count: 1n },
    ],
    median: 512n,
    ninetieth: 512n,
    max: 512n,
  },
  paths: [{ path: "/", requests: 1n, errors: 0n, bytes: 512n }],
  distinctPaths: 1n,
  sessions: {
    clients: 1n,
    sessions: 1n,
    seconds: { bins: [{ from: 0n, below: 1n, count: 1n }], median: 0n, ninetieth: 0n, max: 0n },
    requests: { bins: [{ from: 1n, below: 2n, count: 1n }], median: 1n, ninetieth: 1n, max: 1n },
  },
};

/** Texts that try to be markup, to hide themselves, or to be too long. */
export const attacks = [
  "<script>globalThis.attacked = 1</script>",
  "</title></style></svg><img src=x onerror=globalThis.attacked=1>",
  `"><svg onload="globalThis.attacked=1">`,
  "' onmouseover='globalThis.attacked=1",
  "/\u202egnp.exe\u0000\u001b[31m\u0085\u2028",
  "&lt;script&gt;&amp;#x3c;",
  "]]><!--",
  "javascript:globalThis.attacked=1",
  `/${"long".repeat(2000)}`,
  `/${"😀".repeat(500)}`,
  "",
];

/** Everything that a text can be is an attack. */
export const hostile = {
  ...single,
  source: attacks[1],
  paths: attacks.map((path) => ({ path, requests: 1n, errors: 1n, bytes: 1n })),
  distinctPaths: BigInt(attacks.length),
  rejections: attacks.map((text) => ({ stage: text, reason: text, lines: 1n, first: 1n, detail: text })),
  stages: attacks.map((text) => ({
    name: text,
    summary: text,
    language: text,
    recordsIn: 1n,
    recordsOut: 1n,
    rejected: 0n,
    lost: 0n,
  })),
  findings: attacks.map((text) => ({
    stage: text,
    report: {
      title: text,
      columns: [text, text],
      rows: [
        [
          { tag: "Text", val: text },
          { tag: "Integer", val: -1n },
          { tag: "Number", val: NaN },
        ],
        [],
      ],
    },
  })),
};

const most = 2n ** 64n - 1n;

/** The greatest numbers that the contract knows. */
export const greatest = {
  ...single,
  lines: most,
  requests: most,
  bytes: most,
  traffic: {
    first: -(2n ** 63n),
    last: 2n ** 63n - 1n,
    start: -(2n ** 63n),
    step: 2n ** 58n,
    intervals: Array.from({ length: 64 }, () => ({ statuses: { ...none, serverError: most / 64n }, bytes: most })),
  },
  statuses: new Map([[599, most]]),
  sizes: { bins: [{ from: 0n, below: null, count: most }], median: most, ninetieth: most, max: most },
  paths: [{ path: "/", requests: most, errors: most, bytes: most }],
  distinctPaths: most,
  sessions: {
    clients: most,
    sessions: most,
    seconds: { bins: [{ from: 0n, below: null, count: most }], median: most, ninetieth: most, max: most },
    requests: { bins: [{ from: 1n, below: null, count: most }], median: most, ninetieth: most, max: most },
  },
};

export const all = { empty, rejected, single, hostile, greatest };
