// The page in a browser, which is Chromium: `CHROMIUM` names it where it is not on the path.
//
// `REPORT` names a report of the pipeline, and `PASSED` the lines that went through every stage (`--output`): then the
// charts of the report are compared with the lines. `SCREENSHOTS` names a folder for pictures.

import assert from "node:assert/strict";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import * as samples from "./samples.mjs";
import { defaults, page as made } from "./stage.mjs";

const folder = mkdtempSync(join(tmpdir(), "report-pages-"));
const pages = Object.entries(samples.all).map(([name, summary]) => {
  const path = join(folder, `${name}.html`);
  writeFileSync(path, made(summary, defaults));
  return { name, path };
});
if (process.env.REPORT) pages.push({ name: "report", path: process.env.REPORT });

const widths = { desktop: 1280, tablet: 768, phone: 390, narrow: 320 };

let browser;

before(async () => {
  // Chromium's sandbox does not work for root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath: program(), args });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

function program() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const paths = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const found = paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  assert.ok(found, "there is no Chromium: on Debian and Ubuntu, apt-get install chromium; or name one in CHROMIUM");
  return found;
}

/** Opens a page, hands it to `look`, and checks that it was quiet: no message, no error, no request for anything. */
async function open({ path }, { width = widths.desktop, scheme = "light", media = "screen" }, look) {
  const context = await browser.newContext({
    viewport: { width, height: 844 },
    colorScheme: scheme,
    deviceScaleFactor: width < 500 ? 2 : 1,
    isMobile: width < 500,
  });
  const noise = [];
  const address = pathToFileURL(path).href;
  try {
    const page = await context.newPage();
    page.on("console", (message) => noise.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => noise.push(`error: ${error}`));
    page.on("request", (request) => {
      if (request.url() !== address && request.url() !== "data:,") noise.push(`request: ${request.url()}`);
    });
    await page.emulateMedia({ colorScheme: scheme, media });
    await page.goto(address, { waitUntil: "load" });
    const result = await look(page);
    assert.deepEqual(noise, []);
    return result;
  } finally {
    await context.close();
  }
}

for (const sample of pages) {
  describe(`the page ${sample.name}`, () => {
    test("runs nothing, loads nothing, and has no elements but its own", async () => {
      await open(sample, {}, async (page) => {
        const { attacked, foreign, linked, handlers } = await page.evaluate(() => {
          const all = [...document.querySelectorAll("*")];
          const inactive = [
            "html",
            "head",
            "meta",
            "link",
            "title",
            "style",
            "body",
            "header",
            "main",
            "footer",
            "section",
            "h1",
            "h2",
            "h3",
            "p",
            "span",
            "small",
            "dl",
            "div",
            "dt",
            "dd",
            "ul",
            "li",
            "figure",
            "details",
            "summary",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "svg",
            "desc",
            "g",
            "rect",
            "line",
            "text",
          ];
          return {
            attacked: globalThis.attacked,
            foreign: all.map((element) => element.localName).filter((name) => !inactive.includes(name)),
            linked: all
              .flatMap((element) =>
                ["src", "href", "xlink:href", "action", "srcset"].map((name) => element.getAttribute(name)),
              )
              .filter((value) => value !== null),
            handlers: all.flatMap((element) => element.getAttributeNames()).filter((name) => name.startsWith("on")),
          };
        });
        assert.deepEqual(
          { attacked, foreign, linked, handlers },
          { attacked: undefined, foreign: [], linked: ["data:,"], handlers: [] },
        );
      });
    });

    for (const [name, width] of Object.entries(widths)) {
      test(`fits into ${width} pixels`, async () => {
        await open(sample, { width }, async (page) => {
          const { scrolled, outside, overlapping } = await page.evaluate(layout);
          assert.ok(scrolled <= width, `${scrolled} pixels are wide, on a ${name}`);
          assert.deepEqual({ outside, overlapping }, { outside: [], overlapping: [] });
        });
      });
    }

    for (const scheme of ["light", "dark"]) {
      test(`is readable in ${scheme}`, async () => {
        await open(sample, { scheme }, async (page) => {
          await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
          const { ground, faint } = await page.evaluate(contrasts);
          assert.deepEqual(faint, []);
          assert.ok(scheme === "light" ? ground > 0.8 : ground < 0.05, `the page's luminance is ${ground}`);
        });
      });
    }

    test("can be printed", async () => {
      // A4 with margins, whatever the screen is.
      await open(sample, { width: 700, scheme: "dark", media: "print" }, async (page) => {
        const { scrolled } = await page.evaluate(layout);
        assert.ok(scrolled <= 700, `${scrolled} pixels are wide on paper`);
        const { ground, faint } = await page.evaluate(contrasts);
        assert.deepEqual({ ground, faint }, { ground: 1, faint: [] });
        const hidden = await page.evaluate(
          () =>
            [...document.querySelectorAll("details table")].filter(
              (table) => table.getBoundingClientRect().height === 0,
            ).length,
        );
        assert.equal(hidden, 0, "tables that are folded on the screen are on paper");
        const pdf = await page.pdf({ format: "A4" });
        assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
      });
    });

    test("is accessible: names for charts, tables beside them, heads for columns", async () => {
      await open(sample, {}, async (page) => {
        assert.deepEqual(await page.evaluate(accessibility), []);
      });
    });
  });
}

test("texts of the log are shown as they are", async () => {
  await open(
    pages.find(({ name }) => name === "hostile"),
    {},
    async (page) => {
      const cells = await page.locator("#paths td.path").allTextContents();
      assert.equal(cells[0], samples.attacks[0]);
      assert.equal(cells[1], samples.attacks[1]);
      assert.equal(cells[4], "/\ufffdgnp.exe\ufffd\ufffd[31m\ufffd\ufffd");
      assert.equal(cells[5], samples.attacks[5]);
      assert.equal([...cells[8]].length, 200);
      assert.equal(cells[9], `/${"😀".repeat(198)}…`);
      const data = await page
        .locator("#path-chart [data-path]")
        .evaluateAll((rows) => rows.map((row) => row.dataset.path));
      assert.equal(data[2], samples.attacks[2]);
    },
  );
});

test("without a script, the page is the same", async () => {
  const text = readFileSync(pages[0].path, "utf8");
  assert.ok(!/<script|javascript:|https?:|@import|url\(/i.test(text), "nothing that would need one, or the network");
});

describe(
  "the report of a log",
  { skip: !(process.env.REPORT && process.env.PASSED) && "REPORT and PASSED are not set" },
  () => {
    const report = pages.at(-1);
    let lines;
    let charts;

    before(async () => {
      lines = readFileSync(process.env.PASSED, "utf8").split("\n").filter(Boolean).map(parsed);
      charts = await open(report, {}, (page) =>
        page.evaluate(() => {
          const rows = (chart) =>
            [...document.querySelectorAll(`#${chart} g[data-requests], #${chart} g[data-count]`)].map((group) => ({
              ...group.dataset,
              title: group.querySelector("title").textContent,
              drawn: [...group.querySelectorAll("rect:not(.hit, .track)")].map((rect) => ({
                kind: rect.getAttribute("class"),
                height: rect.height.baseVal.value,
                width: rect.width.baseVal.value,
              })),
            }));
          const names = ["traffic", "status", "size", "path", "session-length", "session-request"];
          return {
            ...Object.fromEntries(names.map((name) => [name, rows(`${name}-chart`)])),
            figures: Object.fromEntries(
              [...document.querySelectorAll("[data-figure]")].map((figure) => [
                figure.dataset.figure,
                Number(figure.dataset.value),
              ]),
            ),
            tables: Object.fromEntries(
              [...document.querySelectorAll("section")].map((section) => [
                section.id,
                [...section.querySelectorAll("table")].map((table) =>
                  [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent)),
                ),
              ]),
            ),
          };
        }),
      );
    });

    const sum = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
    const tally = (keys) => keys.reduce((counts, key) => counts.set(key, (counts.get(key) ?? 0) + 1), new Map());

    test("has the figures of the lines", () => {
      assert.equal(charts.figures.Requests, lines.length);
      assert.equal(charts.figures.Transferred, sum(lines.map(({ size }) => size)));
      assert.equal(charts.figures.Errors, lines.filter(({ status }) => status >= 400).length);
    });

    test("has the lines by time, in columns as high as they are many", () => {
      const found = charts.traffic.map(({ start, requests, bytes }) => ({
        start: Number(start),
        requests: Number(requests),
        bytes: Number(bytes),
      }));
      const step = found[1].start - found[0].start;
      found.forEach(({ start, requests, bytes }, index) => {
        assert.equal(start, found[0].start + index * step);
        const inside = lines.filter(({ time }) => time >= start && time < start + step);
        assert.equal(requests, inside.length, `${start}`);
        assert.equal(bytes, sum(inside.map(({ size }) => size)), `${start}`);
      });
      assert.equal(sum(found.map(({ requests }) => requests)), lines.length);

      const scale = charts.traffic
        .map(({ requests, drawn }) => sum(drawn.map(({ height }) => height)) / Number(requests))
        .filter(Number.isFinite);
      assert.ok(
        Math.max(...scale) - Math.min(...scale) < 0.05,
        `pixels a request: ${Math.min(...scale)} to ${Math.max(...scale)}`,
      );
      const failed = charts.traffic.map(({ start, drawn }) => [
        Number(start),
        drawn.some(({ kind }) => kind === "client-error"),
      ]);
      for (const [start, shown] of failed) {
        const inside = lines.some(
          ({ time, status }) => time >= start && time < start + step && status >= 400 && status < 500,
        );
        assert.equal(shown, inside, `${start}`);
      }
    });

    test("has the lines by status", () => {
      const classes = tally(lines.map(({ status }) => Math.floor(status / 100)));
      assert.deepEqual(
        new Map(charts.status.map((row) => [Number(row.class), Number(row.requests)])),
        new Map([...classes].sort(([one], [other]) => one - other)),
      );
      const statuses = tally(lines.map(({ status }) => status));
      const shown = charts.tables.statuses[0].map(([status, requests]) => [
        parseInt(status, 10),
        Number(requests.replaceAll(",", "")),
      ]);
      assert.deepEqual(
        shown,
        [...statuses].sort(([one], [other]) => one - other),
      );
    });

    test("has the lines by size", () => {
      for (const { from, below, count } of charts.size) {
        const end = below === "" ? Infinity : Number(below);
        assert.equal(Number(count), lines.filter(({ size }) => size >= Number(from) && size < end).length, from);
      }
      assert.equal(sum(charts.size.map(({ count }) => Number(count))), lines.length);
    });

    test("has the most wanted paths", () => {
      const counts = [...tally(lines.map(({ path }) => path))];
      const order = (one, other) => (one < other ? -1 : 1);
      const top = counts
        .sort(([one, first], [other, second]) => second - first || order(one, other))
        .slice(0, charts.path.length);
      assert.deepEqual(
        charts.path.map(({ path, requests }) => [path, Number(requests)]),
        top,
      );
      charts.path.forEach(({ title, requests }) =>
        assert.match(title, new RegExp(`\\b${Number(requests).toLocaleString("en")} requests`)),
      );
      const widths = charts.path.map(({ drawn }) => drawn[0].width);
      assert.ok(widths.every((width, index) => Math.abs(width / widths[0] - top[index][1] / top[0][1]) < 0.01));
    });

    test("has every session once in each chart", () => {
      const all = charts.figures.Sessions;
      assert.ok(all > 0);
      for (const chart of ["session-length", "session-request"]) {
        assert.equal(sum(charts[chart].map(({ count }) => Number(count))), all, chart);
      }
    });
  },
);

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function parsed(line) {
  const found =
    /^\S+ \S+ .*? \[(\d+)\/(\w+)\/(\d+):(\d+):(\d+):(\d+) ([+-])(\d\d)(\d\d)\] "((?:[^"\\]|\\.)*)" (\d+) (\d+|-) /.exec(
      line,
    );
  assert.ok(found, line);
  const [day, month, year, hour, minute, second, sign, hours, minutes, request, status, size] = found.slice(1);
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 * (sign === "-" ? -1 : 1);
  const local = Date.UTC(year, months.indexOf(month), day, hour, minute, second) / 1000;
  const path = request.split(" ")[1].split(/[?#]/)[0];
  return { time: local - offset, status: Number(status), size: size === "-" ? 0 : Number(size), path };
}

if (process.env.SCREENSHOTS) {
  test("pictures", async () => {
    mkdirSync(process.env.SCREENSHOTS, { recursive: true });
    for (const sample of pages) {
      for (const [name, options] of Object.entries({
        light: {},
        dark: { scheme: "dark" },
        phone: { width: widths.phone },
        "phone-dark": { width: widths.phone, scheme: "dark" },
      })) {
        await open(sample, options, (page) =>
          page.screenshot({ path: join(process.env.SCREENSHOTS, `${sample.name}-${name}.png`), fullPage: true }),
        );
      }
      await open(sample, { media: "print" }, (page) =>
        page.pdf({
          path: join(process.env.SCREENSHOTS, `${sample.name}.pdf`),
          format: "A4",
          printBackground: true,
          margin: { top: "12mm", bottom: "12mm", left: "12mm", right: "12mm" },
        }),
      );
    }
  });
}

// What follows runs in the page.

/** How wide the page is, which texts of charts lie outside of it, and which lie on each other. */
function layout() {
  // A label is cut off where its own place ends.
  const visible = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const place = element.closest("svg svg");
    const chart = place?.parentElement.closest("svg").getBoundingClientRect();
    const end = place ? Math.min(right, chart.left + place.x.baseVal.value + place.width.baseVal.value) : right;
    return { left, right: end, top, bottom, width: end - left };
  };
  const texts = [...document.querySelectorAll("svg text")]
    .map((element) => ({ element, box: visible(element) }))
    .filter(({ box }) => box.width > 0);
  const outside = texts
    .filter(({ box }) => box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5)
    .map(({ element }) => element.textContent);
  const overlapping = [];
  for (const chart of document.querySelectorAll("svg[role]")) {
    const own = texts.filter(({ element }) => chart.contains(element));
    own.forEach(({ element, box }, index) => {
      for (const other of own.slice(index + 1)) {
        const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (across > 0 && down > 1)
          overlapping.push(`${chart.id}: ${element.textContent} and ${other.element.textContent}`);
      }
    });
  }
  return { scrolled: document.documentElement.scrollWidth, outside, overlapping };
}

/** The luminance of the page, and texts whose contrast with what is behind them is below 4.5. */
function contrasts() {
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = parts(colour).map((part) =>
      part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
    if (!own || ["title", "desc"].includes(element.localName)) continue;
    const style = getComputedStyle(element);
    const colour = element.localName === "text" ? style.fill : style.color;
    const [dark, light] = [luminance(colour), luminance(behind(element.closest("svg") ?? element))].sort(
      (a, b) => a - b,
    );
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) faint.add(`${element.localName}.${element.getAttribute("class")}: ${contrast.toFixed(2)}`);
  }
  return { ground: luminance(behind(document.body)), faint: [...faint] };
}

/** What is wrong for those who do not see the page. */
function accessibility() {
  const wrong = [];
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  if (new Set(ids).size !== ids.length) wrong.push("an id is there twice");
  if (!document.documentElement.lang || !document.title.trim()) wrong.push("the page has no language or no title");
  if (document.querySelectorAll("h1").length !== 1) wrong.push("there is not one heading of the page");
  for (const element of document.querySelectorAll("[aria-labelledby]")) {
    for (const id of element.getAttribute("aria-labelledby").split(" ")) {
      if (!document.getElementById(id)?.textContent.trim()) wrong.push(`${element.id} has no name ${id}`);
    }
  }
  for (const chart of document.querySelectorAll("figure svg:not(svg svg)")) {
    if (chart.getAttribute("role") !== "img") wrong.push(`${chart.id} is no image`);
    if (chart.firstElementChild.localName !== "title") wrong.push(`${chart.id} has no title`);
    if (!chart.closest("section").querySelector("table")) wrong.push(`${chart.id} has no table`);
    for (const group of chart.querySelectorAll("g[class=column], g[class=row]")) {
      if (!group.querySelector("title")?.textContent.trim()) wrong.push(`a part of ${chart.id} has no title`);
    }
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption?.textContent.trim()) wrong.push("a table has no caption");
    if (![...table.tHead.rows[0].cells].every((cell) => cell.localName === "th" && cell.scope === "col"))
      wrong.push("a column has no head");
    if (!table.parentElement.getAttribute("aria-label")) wrong.push("a table that can be scrolled has no name");
  }
  return wrong;
}
