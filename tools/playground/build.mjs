// Compile simd.ts and write it as a script: pages opened from a file may not fetch a .wasm.
// node tools/playground/build.mjs [folder of the script, else that of the book]
import asc from "assemblyscript/asc";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, "../../book/_static/playground"));
let wasm;
const { error, stderr } = await asc.main(
  ["simd.ts", "-O3", "--noAssert", "--runtime", "stub", "--enable", "simd,bulk-memory", "-o", "simd.wasm"],
  {
    readFile: (name, base) => {
      try {
        return readFileSync(join(base === "." ? here : base, name), "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name, contents) => { if (name.endsWith(".wasm")) wasm = contents; },
    listFiles: () => [],
  });
if (error) {
  console.error(stderr.toString());
  process.exit(1);
}
writeFileSync(join(folder, "simd-wasm.js"), `// Made from simd.ts by tools/playground/build.mjs: do not edit.
"use strict";
((part) => {
  const playground = (globalThis.playground ??= { parts: [] });
  playground.parts.push(part);
  part(playground);
})((playground) => {
  playground.wasm = "${Buffer.from(wasm).toString("base64")}";
});
`);
console.log(`${wasm.length} bytes of WebAssembly`);
