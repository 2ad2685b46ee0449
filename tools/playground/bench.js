// Time the engines against the TensorFlow Playground's algorithm, in Node or, after the scripts of
// the engine and anchor.js, in a page. One step is an epoch of 250 points in batches of 10, and the
// loss over train and test data.
"use strict";
if (typeof require === "function") {
  const folder = require("node:path").join(__dirname, "../../book/_static/playground");
  for (const part of ["random", "data", "network", "oracle", "simd-wasm", "simd"])
    require(`${folder}/${part}.js`);
  require("./anchor.js");
}
const { anchor } = globalThis;
const { Oracle, Simd, data } = globalThis.playground;

const FEATURES = Object.keys(data.features);
const CONFIGURATIONS = {
  "(a) 2→[4, 2]→1 tanh, circle": { chosen: FEATURES.slice(0, 2), hidden: [4, 2], name: "circle" },
  "(b) 7→[8×6]→1 tanh, spiral": { chosen: FEATURES, hidden: Array(6).fill(8), name: "spiral" },
};
const SIDE = 100, RATE = 0.03, ROUNDS = 100, MILLISECONDS = 6;

// The most calls a second of each in many short rounds, taken in turn: other work on the machine
// only slows, and slows them alike.
const race = (acts) => {
  const best = acts.map(() => 0);
  for (let round = 0; round < ROUNDS; round++)
    acts.forEach((act, k) => {
      const start = performance.now();
      let calls = 0, passed = 0;
      while (passed < MILLISECONDS) {
        act();
        calls += 1;
        passed = performance.now() - start;
      }
      best[k] = Math.max(best[k], (1000 * calls) / passed);
    });
  return best;
};

const compare = (title, { chosen, hidden, name }) => {
  const points = data.draw(name, { n: 500, seed: 1 });
  const [train, test] = [points.slice(0, 250), points.slice(250)];
  const layers = [...hidden, 1].map((neurons) => ({ neurons, activation: "tanh" }));
  const spec = { inputs: chosen.length, layers, initialization: "uniform", seed: 1 };
  const engines = [new Oracle(spec), new Simd(spec)];
  const graph = anchor.buildNetwork([chosen.length, ...hidden, 1], engines[0].getParameters());
  const asObjects = (rows) => rows.map(([x, y, label]) => ({ x, y, label }));
  const [theirTrain, theirTest] = [asObjects(train), asObjects(test)];
  const state = { learningRate: RATE, batchSize: 10, regularizationRate: 0 };
  for (const feature of FEATURES) state[feature] = chosen.includes(feature);
  const boundary = anchor.makeBoundary(graph, SIDE);
  const at = (k) => -6 + (12 * k) / (SIDE - 1);
  const grid = data.inputs(Array.from({ length: SIDE ** 2 }, (_, k) =>
    [at(k % SIDE), at(Math.floor(k / SIDE))]), chosen);

  for (const engine of engines) {
    for (const [which, rows] of [["train", train], ["test", test]])
      engine.load(which, data.inputs(rows, chosen), data.targets(rows));
    engine.set({ learningRate: RATE, batchSize: 10 });
  }
  const steps = race([
    () => anchor.oneStep(graph, theirTrain, theirTest, state),
    ...engines.map((engine) => () => {
      engine.train(250);
      engine.evaluate("train");
      engine.evaluate("test");
    }),
  ]);
  const maps = race([
    () => anchor.updateDecisionBoundary(graph, boundary, SIDE, state),
    ...engines.map((engine) => () => engine.maps(grid)),
  ]);
  return [title, ...["anchor", ...engines.map(({ name }) => name)].map((who, k) =>
    `  ${who.padEnd(12)}${steps[k].toFixed(0).padStart(8)} steps/s`
    + `${(steps[k] / steps[0]).toFixed(1).padStart(7)}×   maps ${(1000 / maps[k]).toFixed(2).padStart(6)} ms`
    + `${(maps[k] / maps[0]).toFixed(1).padStart(7)}×`)].join("\n");
};

globalThis.bench = () =>
  Object.entries(CONFIGURATIONS).map(([title, how]) => compare(title, how)).join("\n");
if (typeof require === "function") console.log(globalThis.bench());
