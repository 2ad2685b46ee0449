// What both engines share: which networks there are, how they begin, and how training is set.
"use strict";
((part) => {
  const playground = (globalThis.playground ??= { parts: [] });
  playground.parts.push(part);
  part(playground);
})((playground) => {
  const { Random } = playground;
  const LARGEST = { inputs: 32, layers: 11, neurons: 32 }; // ten hidden layers and the output
  const NAMES = {
    activation: ["linear", "relu", "leaky_relu", "tanh", "sigmoid", "gelu"],
    loss: ["squared", "logistic", "softmax"],
    optimizer: ["sgd", "momentum", "rmsprop", "adam"],
    initialization: ["zero", "uniform", "normal", "glorot", "he"],
  };
  const SETTINGS = { optimizer: "sgd", learningRate: 0.03, l1: 0, l2: 0, batchSize: 10 };
  const TOO_LARGE = 1e10; // a weight beyond it, or one that is no number, is called divergence

  const checkName = (kind, name) => {
    if (!NAMES[kind].includes(name))
      throw new RangeError(`${kind} is one of ${NAMES[kind].join(", ")}, not ${name}`);
  };

  const checkNumber = (name, value, low, high, whole = false) => {
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value)))
      throw new RangeError(
        `${name} is a ${whole ? "whole number" : "number"} from ${low} to ${high}, not ${value}`);
  };

  // Give each layer its place in one long list of parameters, as torch.nn.Linear orders them: the
  // weights of a neuron in a row, the rows one after the other, then the biases.
  const layout = ({ inputs, layers, loss = "squared", initialization = "glorot", seed = 0 }) => {
    checkNumber("inputs", inputs, 1, LARGEST.inputs, true);
    checkNumber("the number of layers", layers.length, 1, LARGEST.layers, true);
    checkName("loss", loss);
    checkName("initialization", initialization);
    let [size, nodes, before] = [0, 0, inputs];
    const placed = layers.map(({ neurons, activation = "linear", dropout = 0 }) => {
      checkNumber("neurons", neurons, 1, LARGEST.neurons, true);
      checkNumber("dropout", dropout, 0, 0.99);
      checkName("activation", activation);
      const W = size, b = W + neurons * before, node = nodes;
      const layer = { inputs: before, neurons, activation, dropout, W, b, node };
      size = b + neurons;
      nodes += neurons;
      before = neurons;
      return layer;
    });
    return { inputs, outputs: before, layers: placed, loss, initialization, seed, size, nodes };
  };

  // The first parameters. Biases are 0, but for "uniform", which is the TensorFlow Playground's way.
  const initial = ({ layers, size, initialization, seed }) => {
    const parameters = new Float64Array(size);
    const random = new Random(seed, 0);
    for (const { inputs, neurons, W, b } of layers) {
      const reach = Math.sqrt(6 / (inputs + neurons));
      const draw = {
        zero: () => 0,
        uniform: () => random.uniform(-0.5, 0.5),
        normal: () => random.normal(),
        glorot: () => random.uniform(-reach, reach), // torch.nn.init.xavier_uniform_
        he: () => random.normal(0, Math.sqrt(2 / inputs)), // torch.nn.init.kaiming_normal_
      }[initialization];
      for (let k = W; k < b; k++) parameters[k] = draw();
      if (initialization === "uniform") parameters.fill(0.1, b, b + neurons);
    }
    return parameters;
  };

  // Settings that may change while a network learns.
  const settings = (changes, before = SETTINGS) => {
    const after = { ...before, ...changes };
    checkName("optimizer", after.optimizer);
    for (const name of ["learningRate", "l1", "l2"]) checkNumber(name, after[name], 0, 1000);
    checkNumber("batchSize", after.batchSize, 1, 2 ** 20, true);
    return after;
  };

  // Rows of numbers for a network: `X` and `Y` are flat, row after row.
  const checkRows = ({ inputs, outputs }, X, Y) => {
    const n = X.length / inputs;
    if (!Number.isInteger(n) || Y.length !== n * outputs)
      throw new RangeError(`${X.length} inputs and ${Y.length} targets do not fit a network of `
        + `${inputs} inputs and ${outputs} outputs`);
    return n;
  };

  Object.assign(playground, { NAMES, TOO_LARGE, layout, initial, settings, checkRows });
});
