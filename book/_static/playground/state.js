// What the playground shows, as data: read from and written to the hash of a link, from CSV, and
// to PyTorch and dlcourse. No page is needed. A link is untrusted: whatever it says becomes one of
// the values below, or is left out.
"use strict";
((part) => {
  const playground = (globalThis.playground ??= { parts: [] });
  part(playground); // not among the parts: the Worker needs none of it
})((playground) => {
  const { data, Random, NAMES } = playground;
  const LONGEST = 60_000, MOST_POINTS = 2000, FURTHEST = 1e6;
  const FEATURES = Object.keys(data.features);

  // Readers of one value of a link: each returns undefined for what it does not understand.
  const number = (low, high) => (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    return value >= low && value <= high ? value + 0 : undefined; // −0 is 0
  };
  const whole = (low, high) => (text) => {
    const value = number(low, high)(text);
    return Number.isInteger(value) ? value : undefined;
  };
  const oneOf = (...names) => (text) => names.find((name) => name === text);
  const yes = (text) => (text === "true" ? true : text === "false" ? false : undefined);
  const list = (read, most) => (text) => {
    if (text === "") return [];
    const values = text.split(",", most + 1).map(read);
    return values.length <= most && !values.includes(undefined) ? values : undefined;
  };
  const points = (text) => {
    const rows = text.split(";", MOST_POINTS + 1).map((row) => list(number(-FURTHEST, FURTHEST), 3)(row));
    return rows.length <= MOST_POINTS && rows.every((row) => row?.length === 3) ? rows : undefined;
  };

  // Each key with its first value and its reader. The first 27 are those of the TensorFlow Playground.
  const KEYS = {
    activation: ["tanh", oneOf(...NAMES.activation)],
    regularization: ["none", oneOf("none", "L1", "L2")],
    batchSize: [10, whole(1, MOST_POINTS)],
    dataset: ["circle", oneOf("circle", "xor", "gauss", "spiral", "moons", "blobs", "own")],
    regDataset: ["reg-plane", oneOf("reg-plane", "reg-gauss", "reg-wave", "reg-own")],
    learningRate: [0.03, number(0, 10)],
    regularizationRate: [0, number(0, 10)],
    noise: [0, number(0, 50)],
    networkShape: [[4, 2], list(whole(1, 32), 10)],
    seed: ["1", (text) => (/^[0-9.]{1,20}$/.test(text) ? text : undefined)],
    showTestData: [false, yes],
    discretize: [false, yes],
    percTrainData: [50, whole(10, 90)],
    x: [true, yes],
    y: [true, yes],
    xTimesY: [false, yes],
    xSquared: [false, yes],
    ySquared: [false, yes],
    cosX: [false, yes], // the anchor keeps these two, and shows neither
    sinX: [false, yes],
    cosY: [false, yes],
    sinY: [false, yes],
    collectStats: [false, yes],
    tutorial: ["", () => undefined],
    problem: ["classification", oneOf("classification", "regression")],
    initZero: [false, yes],
    hideText: [false, yes],
    // ours
    activations: [[], list(oneOf(...NAMES.activation), 10)],
    optimizer: ["sgd", oneOf(...NAMES.optimizer)],
    initialization: ["uniform", oneOf(...NAMES.initialization)],
    loss: ["squared", oneOf(...NAMES.loss)],
    dropout: [0, number(0, 0.9)],
    classes: [3, whole(2, 6)],
    points: [[], points],
  };

  const HIDE = /^[a-zA-Z]{1,30}_hide$/;

  const begin = () => ({
    ...Object.fromEntries(Object.entries(KEYS).map(([key, [value]]) => [key, structuredClone(value)])),
    hidden: [],
  });

  const decode = (text) => {
    try {
      return decodeURIComponent(text.replaceAll("+", " "));
    } catch { // half an escape
      return "";
    }
  };

  // A state from a hash; what is unknown or wrong keeps its first value.
  const parse = (hash) => {
    const state = begin();
    const text = String(hash).replace(/^#/, "");
    if (text.length > LONGEST) return state;
    for (const pair of text.split("&", 200)) {
      const at = pair.indexOf("=");
      const [key, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), decode(pair.slice(at + 1))];
      if (HIDE.test(key) && value === "true" && state.hidden.length < 50) state.hidden.push(key.slice(0, -5));
      if (!Object.hasOwn(KEYS, key)) continue;
      const read = KEYS[key][1](value);
      if (read !== undefined) state[key] = read;
    }
    if (state.initZero) [state.initialization, state.initZero] = ["zero", false];
    return state;
  };

  // The shortest hash that brings the state back; the seed is always said.
  const format = (state) => {
    const text = (value) => (Array.isArray(value) && Array.isArray(value[0])
      ? value.map((row) => row.join(",")).join(";") : String(value));
    const first = begin();
    return [
      ...Object.keys(KEYS)
        .filter((key) => key === "seed" || text(state[key]) !== text(first[key]))
        .map((key) => `${key}=${encodeURIComponent(text(state[key])).replaceAll("%2C", ",").replaceAll("%3B", ";")}`),
      ...state.hidden.map((name) => `${name}_hide=true`),
    ].join("&");
  };

  // The anchor's seeds are such as 0.47021: any text makes a whole number.
  const seedOf = ({ seed }) => (/^[0-9]{1,9}$/.test(seed) ? Number(seed)
    : [...seed].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5) >>> 0);

  const isRegression = ({ problem }) => problem === "regression";
  const isOwn = (state) => (isRegression(state) ? state.regDataset === "reg-own" : state.dataset === "own");

  // Labels of one's own: −1 and 1, or 0, 1, 2, …; two classes are made −1 and 1.
  const ownPoints = (state) => {
    if (isRegression(state)) return state.points;
    const labels = [...new Set(state.points.map(([, , label]) => label))].sort((a, b) => a - b).slice(0, 6);
    const known = state.points.filter(([, , label]) => labels.includes(label));
    const name = labels.length <= 2
      ? (label) => ((labels.length === 2 ? label === labels[0] : label <= 0) ? -1 : 1)
      : (label) => labels.indexOf(label);
    return known.map(([x, y, label]) => [x, y, name(label)]);
  };

  const wave = (random, n, noise) => Array.from({ length: n }, () => {
    const [x, y] = [random.uniform(-6, 6), random.uniform(-6, 6)];
    return [x, y, Math.sin(x) + random.normal(0, noise)];
  });

  // The points to learn from and those to be asked about.
  const draw = (state) => {
    const seed = seedOf(state), noise = state.noise / 100;
    const n = isRegression(state) ? 1200 : 500;
    const name = isRegression(state)
      ? { "reg-plane": "plane", "reg-gauss": "hills" }[state.regDataset] : state.dataset;
    const random = new Random(seed, 3);
    const enough = state.points.length >= 4; // else the first data set stands in
    const all = isOwn(state) && enough ? random.shuffle(ownPoints(state))
      : name ? data.draw(name === "own" ? "circle" : name, { n, noise, seed, classes: state.classes })
        : random.shuffle(wave(random, n, noise));
    const share = Math.round((all.length * state.percTrainData) / 100);
    const cut = Math.min(all.length - 1, Math.max(1, share));
    return { train: all.slice(0, cut), test: all.slice(cut) };
  };

  // How many outputs: one, or one a class.
  const outputsOf = (state, { train, test }) => {
    if (isRegression(state)) return 1;
    if (state.dataset === "blobs") return state.classes;
    const labels = new Set([...train, ...test].map(([, , label]) => label));
    return labels.size > 2 ? labels.size : 1;
  };

  const chosen = (state) => {
    const names = FEATURES.filter((name) => state[name]);
    return names.length ? names : ["x"];
  };

  const activationOf = (state, l) => state.activations[l] ?? state.activation;

  // What the engine makes its network from.
  const spec = (state, outputs) => {
    const loss = outputs > 1 ? "softmax"
      : isRegression(state) || state.loss === "softmax" ? "squared" : state.loss;
    const last = loss === "squared" && !isRegression(state) ? "tanh" : "linear";
    return {
      inputs: chosen(state).length,
      layers: [
        ...state.networkShape.map((neurons, l) =>
          ({ neurons, activation: activationOf(state, l), dropout: state.dropout })),
        { neurons: outputs, activation: last },
      ],
      loss, initialization: state.initialization, seed: seedOf(state),
    };
  };

  const settings = ({ optimizer, learningRate, batchSize, regularization, regularizationRate }) => ({
    optimizer, learningRate, batchSize,
    l1: regularization === "L1" ? regularizationRate : 0,
    l2: regularization === "L2" ? regularizationRate : 0,
  });

  // Three columns x, y, label, separated by commas, semicolons, tabs or spaces; a heading is skipped.
  // Names of classes become 0, 1, 2, …. Coordinates beyond ±6 are scaled to fit.
  const csv = (text) => {
    const lines = String(text).slice(0, 1_000_000).split(/\r\n?|\n/)
      .map((line, at) => [line.trim(), at + 1]).filter(([line]) => line && !line.startsWith("#"));
    const rows = [], names = new Map();
    for (const [k, [line, at]] of lines.entries()) {
      const cells = line.split(/\s*[,;\t]\s*|\s+/).map((cell) => cell.replace(/^"(.*)"$/, "$1"));
      const [x, y] = cells.slice(0, 2).map((cell) => number(-1e300, 1e300)(cell));
      if (cells.length !== 3 || x === undefined || y === undefined || cells[2] === "") {
        if (k === 0) continue;
        return { error: `Line ${at} is not “x, y, label” with two numbers in front.` };
      }
      rows.push([x, y, cells[2]]);
      if (rows.length > MOST_POINTS) return { error: `More than ${MOST_POINTS} points are too many.` };
    }
    if (rows.length < 4) return { error: "At least four points are needed." };
    const numeric = rows.every(([, , label]) => number(-FURTHEST, FURTHEST)(label) !== undefined);
    const read = (label) => {
      if (numeric) return Number(label);
      if (!names.has(label)) names.set(label, names.size);
      return names.get(label);
    };
    const reach = rows.reduce((most, [x, y]) => Math.max(most, Math.abs(x), Math.abs(y)), 0);
    const scale = reach > 6 ? 5 / reach : 1;
    const short = (value) => Number((value * scale).toFixed(3));
    return { points: rows.map(([x, y, label]) => [short(x), short(y), read(label)]), scale };
  };

  // ---- code to take home -------------------------------------------------------------------------
  const TORCH = { linear: "Identity", relu: "ReLU", leaky_relu: "LeakyReLU", tanh: "Tanh",
    sigmoid: "Sigmoid", gelu: "GELU" };

  // One [W, b] a layer, W as rows.
  const unpack = ({ inputs, layers }, parameters) => {
    let at = 0, before = inputs;
    return layers.map(({ neurons }) => {
      const take = (n) => Array.from(parameters.slice(at, (at += n)), (value) => Number(value.toPrecision(9)));
      const W = Array.from({ length: neurons }, () => take(before));
      before = neurons;
      return [W, take(neurons)];
    });
  };

  const asJson = (state, net, parameters) => JSON.stringify({
    made_by: "dlcourse playground", link: format(state), features: chosen(state),
    loss: net.loss, settings: settings(state),
    layers: unpack(net, parameters).map(([W, b], l) => ({ ...net.layers[l], W, b })),
  }, null, 1);

  const ROWS = { x: "x", y: "y", xSquared: "x**2", ySquared: "y**2", xTimesY: "x * y",
    sinX: "x.sin()", sinY: "y.sin()" };

  const features = (state) => [
    "def features(x, y):", `    return torch.stack([${chosen(state).map((name) => ROWS[name]).join(", ")}], dim=-1)`,
  ];

  const asPyTorch = (state, net, parameters) => [
    "import torch", "from torch import nn", "", ...features(state), "", "model = nn.Sequential(",
    ...net.layers.flatMap(({ neurons, activation, dropout }, l) => [
      `    nn.Linear(${l ? net.layers[l - 1].neurons : net.inputs}, ${neurons}),`,
      `    nn.${TORCH[activation]}(),`, ...(dropout ? [`    nn.Dropout(${dropout}),`] : []),
    ]), ")", `weights = ${JSON.stringify(unpack(net, parameters))}`,
    "linear = [layer for layer in model if isinstance(layer, nn.Linear)]",
    "with torch.no_grad():", "    for layer, (W, b) in zip(linear, weights):",
    "        layer.weight.copy_(torch.tensor(W))", "        layer.bias.copy_(torch.tensor(b))",
    "model.eval()", "print(model(features(torch.tensor([1.0]), torch.tensor([2.0]))))", "",
  ].join("\n");

  const asDlcourse = (state, net, parameters) => {
    const hidden = [...new Set(net.layers.slice(0, -1).map(({ activation }) => activation))];
    if (hidden.length > 1)
      return "# dlcourse.neuron.multilayer has one activation for all layers: take the PyTorch code.\n";
    const kind = { linear: "lambda z: z", tanh: "torch.tanh", sigmoid: "torch.sigmoid" }[hidden[0] ?? "linear"]
      ?? `torch.nn.functional.${hidden[0]}`;
    return ["import torch", "", "from dlcourse.neuron import multilayer", "", ...features(state), "",
      `weights = ${JSON.stringify(unpack(net, parameters))}`,
      "layers = [(torch.tensor(W).T, torch.tensor(b)) for W, b in weights]",
      "X = features(torch.tensor([1.0]), torch.tensor([2.0]))",
      `answer = multilayer.forward(X, layers, ${kind})`,
      net.layers.at(-1).activation === "tanh" ? "print(answer.tanh())" : "print(answer)", ""].join("\n");
  };

  Object.assign(playground, { state: {
    KEYS, begin, parse, format, seedOf, isRegression, draw, outputsOf, chosen, activationOf, spec,
    settings, csv, unpack, asJson, asPyTorch, asDlcourse,
  } });
});
