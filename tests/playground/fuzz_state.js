// Feed the playground links and tables that nobody should trust; print what went wrong, as JSON.
"use strict";
const { isDeepStrictEqual } = require("node:util");
const { join } = require("node:path");

const folder = join(__dirname, "../../book/_static/playground");
for (const part of ["random", "data", "network", "state", "limits"]) require(join(folder, `${part}.js`));
const { state: S, Random, layout, limits, settings } = globalThis.playground;

const CASES = Number(process.argv[2]);
const random = new Random(8);
const pick = (list) => list[random.below(list.length)];
const KEYS = Object.keys(S.KEYS);
const VALUES = ["", "true", "false", "0", "-1", "1e999", "NaN", "Infinity", "0x10", "L1", "L2", "tanh", "own",
  "regression", "reg-own", "reg-wave", "blobs", "4,2", "8,8,8", "1,".repeat(40), "33", "constructor", "__proto__",
  "toString", "%", "%zz", "%00", "%F0%9F", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "0.47021", "50",
  "1,2,1;2,1,-1;0,0,1;1,1,-1;3,3,1", "1,2,0;2,1,1;0,0,2;1,1,2", ";;;", "9".repeat(400), "\u0000", "😀", "gelu,relu"];
const noise = () => Array.from({ length: random.below(30) }, () =>
  String.fromCharCode(random.below(pick([128, 65536])))).join("");
const value = () => (random.below(4) ? pick(VALUES) : noise());
const hash = () => "#" + Array.from({ length: random.below(12) }, () =>
  `${random.below(8) ? pick(KEYS) : pick(["__proto__", "playButton_hide", "x_hide", "<b>_hide", noise()])}=${value()}`)
  .join(pick(["&", "&", "&&", "="]));
const CELLS = ["1", "-2.5", "1e400", "NaN", "", "a", "\"b\"", "<script>", "0", "7", "99", "😀"];
const table = () => Array.from({ length: random.below(12) }, () => (random.below(5)
  ? Array.from({ length: 1 + random.below(4) }, () => pick(CELLS)).join(pick([",", ";", "\t", " "])) : noise()))
  .join(pick(["\n", "\r\n", "\r"]));

// Everything that a page does with a state before it shows it.
const use = (state) => {
  const points = S.draw(state), outputs = S.outputsOf(state, points), spec = S.spec(state, outputs);
  const net = layout(spec);
  settings(S.settings(state));
  if (!(points.train.length > 0 && points.test.length > 0)) throw new Error("no points");
  for (const point of [...points.train, ...points.test])
    if (point.length !== 3 || !point.every(Number.isFinite)) throw new Error(`a point is ${point}`);
  if (outputs > 1 && points.train.some(([, , label]) => !(label >= 0 && label < outputs && Number.isInteger(label))))
    throw new Error("a label has no output");
  const accuracy = limits.accuracy(state), loss = limits.loss(state);
  if (accuracy !== null && !(accuracy >= 1 / Math.max(2, outputs) && accuracy <= 1 + 1e-9))
    throw new Error(`the limit is ${accuracy}`);
  if (loss !== null && !(loss >= 0 && loss < 1)) throw new Error(`the limit is ${loss}`);
  if (JSON.stringify(state).includes("<")) throw new Error("markup came through");
  const weights = new Float64Array(net.size);
  for (const write of [S.asJson, S.asPyTorch, S.asDlcourse]) write(state, spec, weights);
};

const wrong = [];
for (let k = 0; k < CASES; k++) {
  const link = hash(), text = table();
  try {
    const state = S.parse(link);
    if (!isDeepStrictEqual(S.parse(S.format(state)), state)) throw new Error("the link does not come back");
    use(state);
    const read = S.csv(text);
    if (read.points) use({ ...state, problem: "classification", dataset: "own", points: read.points });
    else if (typeof read.error !== "string" || read.error.includes("<")) throw new Error("no reason given");
  } catch (error) {
    wrong.push({ link, text, error: String(error) });
  }
}
process.stdout.write(JSON.stringify({ cases: CASES, wrong: wrong.slice(0, 5) }));
