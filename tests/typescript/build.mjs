// Builds the plugin: `node build.mjs [BUILD ...] [--out FOLDER]`. Without a build's name, all are built. FOLDER is `out`
// beside this file unless the option or the variable OUT names another one.
//
// FOLDER/BUILD is a project as a plugin's author has it: `src` with a copy of the sources, and `dist` with the output,
// whose main file is `dist/main.js`. A map that is not inline lies beside its file.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const copied = ["src", "polyplug.d.ts", "tsconfig.json"];
const external = ["polyplug"];

/** Compiles each file to a file, with TypeScript's own compiler. */
function tsc(folder, options) {
  const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const args = [compiler, "--project", join(folder, "tsconfig.json"), "--outDir", join(folder, "dist"), ...options];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) {
    throw new Error(`tsc failed with ${status}`);
  }
}

async function esbuild(folder, options) {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: folder,
    entryPoints: [join(folder, "src", "main.ts")],
    outfile: join(folder, "dist", "main.js"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external,
    logLevel: "warning",
    ...options,
  });
}

async function rollup(folder, sourcemap) {
  const { rollup } = await import("rollup");
  const { default: typescript } = await import("@rollup/plugin-typescript");
  process.chdir(folder);
  const bundle = await rollup({
    input: join(folder, "src", "main.ts"),
    external,
    plugins: [typescript({ tsconfig: join(folder, "tsconfig.json"), sourceMap: true })],
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  await bundle.write({ file: join(folder, "dist", "main.js"), format: "es", sourcemap });
  await bundle.close();
}

const builds = {
  "tsc": (folder) => tsc(folder, ["--sourceMap"]),
  "tsc-inline": (folder) => tsc(folder, ["--inlineSourceMap", "--inlineSources"]),
  "esbuild": (folder) => esbuild(folder, { sourcemap: "linked" }),
  "esbuild-inline": (folder) => esbuild(folder, { sourcemap: "inline" }),
  "esbuild-minified": (folder) => esbuild(folder, { sourcemap: "linked", minify: true, keepNames: true }),
  "rollup": (folder) => rollup(folder, true),
  "rollup-inline": (folder) => rollup(folder, "inline"),
};

const { values, positionals } = parseArgs({
  options: { out: { type: "string" } },
  allowPositionals: true,
});
const out = resolve(values.out ?? process.env.OUT ?? join(here, "out"));
for (const name of positionals.length > 0 ? positionals : Object.keys(builds)) {
  const build = builds[name];
  if (build === undefined) {
    throw new Error(`there is no build "${name}"; there are ${Object.keys(builds).join(", ")}`);
  }
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of copied) {
    cpSync(join(here, name), join(folder, name), { recursive: true });
  }
  await build(folder);
}
