// Run what pytest asks for: standard input holds a list of cases, each an engine or part of the
// playground, what it is made with, and the calls to make; standard output gets the answers.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

if (process.env.WITHOUT_WASM) delete globalThis.WebAssembly;
const folder = process.env.PLAYGROUND ?? join(__dirname, "../../book/_static/playground");
for (const part of ["random", "data", "network", "oracle", "simd-wasm", "simd", "engine", "state", "limits"])
  require(join(folder, `${part}.js`));
const { playground } = globalThis;

const plain = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const speakable = (key, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
const run = ({ make, args, calls }) => {
  try {
    const made = ["data", "state", "limits"].includes(make) ? playground[make] : new playground[make](...args);
    return calls.map(([name, ...rest]) =>
      plain(typeof made[name] === "function" ? made[name](...rest) : made[name]));
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
};
const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(run), speakable));
