// The modules of the stage `report`, for Node.js. Without a package.json beside them it would not know what they are.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const source = process.env.REPORT_STAGE ?? fileURLToPath(new URL("../stages/report", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "report-stage-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
cpSync(source, copy, { recursive: true });
writeFileSync(join(copy, "package.json"), '{ "type": "module" }');

const load = (name) => import(pathToFileURL(join(copy, name)));

export const html = await load("html.js");
export const format = await load("format.js");
export const ticks = await load("ticks.js");
export const settings = await load("settings.js");
export const { palettes } = await load("style.js");
export const { page } = await load("report.js");

export const defaults = settings.read({});
