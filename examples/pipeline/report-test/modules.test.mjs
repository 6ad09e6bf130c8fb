// The modules of the stage by themselves: what they escape, where axes have ticks, and how numbers look.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as samples from "./samples.mjs";
import * as stage from "./stage.mjs";

const { defaults, html, page, palettes, settings, ticks } = stage;

/** The functions of a module, with ordinary spaces in what they return. */
const format = Object.fromEntries(
  Object.entries(stage.format).map(([name, written]) => [name, (...values) => plain(written(...values))]),
);

function plain(text) {
  return typeof text === "string" ? text.replaceAll("\u00a0", " ") : text;
}

test("values are escaped, markup is not", () => {
  const { html: made } = html;
  const text = `<b class="x">&'\``;
  assert.equal(
    `${made`<i title="${text}">${text}</i>`}`,
    `<i title="${"&lt;b class=&quot;x&quot;&gt;&amp;&#39;&#96;"}">&lt;b class=&quot;x&quot;&gt;&amp;&#39;&#96;</i>`,
  );
  assert.equal(`${made`${[made`<b>`, "<b>", null, undefined, false, 0, 1n]}`}`, "<b>&lt;b&gt;01");
  // An object that claims to be markup is text.
  assert.equal(`${made`${{ text: "<b>", toString: () => "<i>" }}`}`, "&lt;i&gt;");
});

test("characters that hide or rearrange others are shown as such", () => {
  for (const character of [
    "\u0000",
    "\t",
    "\n",
    "\u001b",
    "\u007f",
    "\u0085",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ud800",
    "\udc00",
    "\uffff",
  ]) {
    assert.equal(html.printable(`a${character}b`), "a\ufffdb", JSON.stringify(character));
  }
  assert.equal(html.printable("größe 😀 שלום"), "größe 😀 שלום");
});

test("long texts are cut between characters", () => {
  assert.equal(html.cut("abc", 3), "abc");
  assert.equal(html.cut("abcd", 3), "ab…");
  assert.equal(html.cut("😀😀😀😀", 3), "😀😀…");
  assert.equal(html.cut("😀".repeat(3), 3), "😀😀😀");
  assert.equal(html.cutMiddle("/one/two/three", 7), "/one…ee");
  assert.equal(html.cutMiddle("😀".repeat(9), 7), "😀😀😀😀…😀😀");
  assert.equal(html.cutMiddle("short", 7), "short");
});

test("counts have ticks at round values", () => {
  for (const [max, expected] of [
    [0, [0, 1]],
    [1, [0, 1]],
    [3, [0, 1, 2, 3]],
    [5, [0, 2, 4, 6]],
    [40, [0, 10, 20, 30, 40]],
    [41, [0, 20, 40, 60]],
    [999, [0, 500, 1000]],
    [1000, [0, 500, 1000]],
    [645, [0, 200, 400, 600, 800]],
  ]) {
    assert.deepEqual(ticks.countTicks(max), expected, `${max}`);
  }
  for (let max = 1; max < 1e19; max = Math.ceil(max * 1.37)) {
    const scale = ticks.countTicks(max);
    assert.ok(scale.at(-1) >= max && scale.length <= 6, `${max}: ${scale}`);
    assert.ok(
      scale.every(Number.isInteger) &&
        /^[125]0*$/.test(
          BigInt(scale[1])
            .toString()
            .replace(/(?<=^.{15}).*/, ""),
        ),
      `${max}: ${scale}`,
    );
  }
});

test("times have ticks at full minutes, hours, days, Mondays, months and years", () => {
  const [minute, hour, day] = [60, 3600, 86_400];
  const begin = Date.UTC(2024, 1, 28, 6, 0) / 1000;
  const labels = (length, from = begin) => ticks.timeTicks(from, from + length).map(({ label }) => plain(label));
  assert.deepEqual(labels(minute), ["06:00", "06:01"]);
  assert.deepEqual(labels(hour + 120), ["06:00", "06:10", "06:20", "06:30", "06:40", "06:50", "07:00"]);
  assert.deepEqual(labels(16 * hour + 1800), ["06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]);
  assert.deepEqual(labels(30 * hour), ["06:00", "12:00", "18:00", "29 Feb", "06:00", "12:00"]);
  assert.deepEqual(labels(5 * day), ["29 Feb", "1 Mar", "2 Mar", "3 Mar", "4 Mar"]);
  assert.deepEqual(labels(40 * day), ["4 Mar", "11 Mar", "18 Mar", "25 Mar", "1 Apr", "8 Apr"]);
  assert.deepEqual(labels(600 * day), [
    "Apr 2024",
    "Jul 2024",
    "Oct 2024",
    "Jan 2025",
    "Apr 2025",
    "Jul 2025",
    "Oct 2025",
  ]);
  assert.deepEqual(labels(3650 * day), ["2026", "2028", "2030", "2032", "2034"]);
  for (let length = 60; length < 1e13; length *= 1.7) {
    const found = ticks.timeTicks(begin, begin + length);
    assert.ok(found.length <= 9 && found.every(({ at }) => at >= begin && at <= begin + length), `${length}`);
  }
  assert.deepEqual(ticks.timeTicks(-(2 ** 63), 2 ** 63), []);
  assert.ok(ticks.timeTicks(-8.6e12, 8.6e12).length > 0);
});

test("numbers are for people", () => {
  const { bytes, count, counted, duration, share, short } = format;
  assert.deepEqual(
    [0, 999n, 1000, -1000n, 12_345_678n].map((number) => count(number)),
    ["0", "999", "1,000", "-1,000", "12,345,678"],
  );
  assert.deepEqual(
    [1n, 2n].map((number) => counted(number, "line")),
    ["1 line", "2 lines"],
  );
  assert.deepEqual([0, 5000, 10_000, 15_000, 2_000_000, 2e19].map(short), [
    "0",
    "5,000",
    "10 k",
    "15 k",
    "2 M",
    "20 E",
  ]);
  assert.deepEqual([0n, 1n, 1023n, 1024n, 1536n, 12_217n, 1_048_575n, 1_048_576n, 2n ** 64n - 1n].map(bytes), [
    "0 B",
    "1 B",
    "1,023 B",
    "1 KiB",
    "1.5 KiB",
    "11.9 KiB",
    "1 MiB",
    "1 MiB",
    "16 EiB",
  ]);
  assert.deepEqual([0, 59, 60, 90, 3600, 5400, 86_399, 90_000].map(duration), [
    "0 s",
    "59 s",
    "1 min",
    "1 min 30 s",
    "1 h",
    "1 h 30 min",
    "23 h 59 min",
    "1 d 1 h",
  ]);
  assert.deepEqual(
    [
      [0n, 0n],
      [1n, 8n],
      [1n, 10_000n],
      [9_999n, 10_000n],
      [3n, 3n],
    ].map(([part, whole]) => share(part, whole)),
    ["0%", "12.5%", "<0.1%", ">99.9%", "100.0%"],
  );
});

test("times are in UTC, and a period names its day once", () => {
  const { iso, period, time } = format;
  const at = 1_709_100_000n;
  assert.equal(time(at), "28 Feb 2024, 06:00");
  assert.equal(iso(at), "2024-02-28T06:00:00Z");
  assert.equal(period(at, at + 3600n), "28 Feb 2024, 06:00 to 07:00");
  assert.equal(period(at, at + 90_000n), "28 Feb 2024, 06:00 to 29 Feb 2024, 07:00");
  assert.equal(period(at, at), "28 Feb 2024, 06:00");
  assert.equal(time(2n ** 63n - 1n), "9,223,372,036,854,775,807 s from 1970");
  assert.equal(iso(-(2n ** 63n)), null);
});

test("settings are checked", () => {
  assert.deepEqual(settings.read({ paths: 3 }), { title: "Access log", paths: 3 });
  assert.throws(() => settings.read({ paths: 0 }), /settings: paths: expected a whole number above 0, got 0/);
  assert.throws(() => settings.read({ paths: "all" }), /settings: paths: .*, got "all"/);
  assert.throws(() => settings.read({ title: " " }), /settings: title: expected a text, got " "/);
});

test("a page says that there is nothing", () => {
  const none = page(samples.empty, defaults);
  assert.match(none, /There are no requests in this log\. The log is empty\./);
  assert.ok(!none.includes("<svg"));
  assert.match(page(samples.rejected, defaults), /Its only line did not go through every stage\./);
});

test("a page has as many paths as the settings say", () => {
  const paths = Array.from({ length: 12 }, (_, index) => ({ path: `/${index}`, requests: 1n, errors: 0n, bytes: 0n }));
  const made = page({ ...samples.single, paths, distinctPaths: 530n }, { ...defaults, paths: 7 });
  assert.equal(made.match(/data-path=/g).length, 7);
  assert.match(made, /Paths, the first 7 of 530/);
});

test("the same summary gives the same page", () => {
  for (const summary of Object.values(samples.all)) {
    assert.equal(page(summary, defaults), page(summary, defaults));
  }
});

test("text and charts stand out in both schemes", () => {
  const linear = (part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    const [red, green, blue] = [1, 3, 5].map((at) => linear(parseInt(colour.slice(at, at + 2), 16) / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  for (const [scheme, palette] of Object.entries(palettes)) {
    for (const ground of [palette.page, palette.card]) {
      // WCAG 2.2: text 4.5 (AA) and 7 (AAA), what is not text 3.
      assert.ok(contrast(palette.text, ground) >= 7, `${scheme} text`);
      assert.ok(contrast(palette.muted, ground) >= 4.5, `${scheme} muted`);
      for (const kind of ["plain", "informational", "success", "redirection", "client-error", "server-error"]) {
        const found = contrast(palette[kind], kind === "plain" ? ground : palette.card);
        assert.ok(found >= (kind === "plain" ? 4.5 : 3), `${scheme} ${kind}: ${found}`);
      }
    }
  }
});
