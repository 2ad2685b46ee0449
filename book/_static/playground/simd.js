// The fast engine's other half: it lays out the memory of the WebAssembly module made from tools/playground/simd.ts,
// and has the same methods as the engine in oracle.js.
"use strict";
((part) => {
  const playground = (globalThis.playground ??= { parts: [] });
  playground.parts.push(part);
  part(playground);
})((playground) => {
  const { NAMES, Random } = playground;
  const TILE = 256; // as in simd.ts, and the fields in its order
  const MODEL = ("layers nLayers inputs outputs loss parameters size x y n X Y order row optimizer rate "
    + "l1 l2 batchSize s0 s1 s2 s3 dropSeed epoch seen position batchStart batchEnd updates diverged")
    .split(" ");
  const LAYER = "inputs neurons activation node dropout W b a slope delta".split(" ");
  const FRACTIONS = new Set(["rate", "l1", "l2", "dropout"]);
  const START = 1024; // of the memory that simd.ts leaves to us
  const padded = (n) => (n + 3) & ~3;

  let module = null;
  const compile = () => (module ??= new WebAssembly.Module(
    Uint8Array.from(atob(playground.wasm), (letter) => letter.charCodeAt(0))));

  // A record of simd.ts: fields of four bytes, one after the other.
  class Struct {
    constructor(memory, at, names) {
      this.memory = memory;
      this.at = at;
      this.index = new Map(names.map((name, k) => [name, k]));
    }

    view(name) {
      const kind = FRACTIONS.has(name) ? Float32Array : Uint32Array;
      return new kind(this.memory.buffer, this.at + 4 * this.index.get(name), 1);
    }

    get(name) {
      return this.view(name)[0];
    }

    set(values) {
      for (const [name, value] of Object.entries(values)) this.view(name)[0] = value;
    }
  }

  class Simd {
    constructor(spec) {
      this.name = "WebAssembly";
      this.network = playground.layout(spec);
      this.settings = playground.settings({});
      this.wasm = new WebAssembly.Instance(compile()).exports;
      this.memory = this.wasm.memory;
      this.top = START;
      this.blocks = {};
      this.data = { train: { n: 0 }, test: { n: 0 } };
      this.place();
      this.reset();
    }

    // ---- memory ------------------------------------------------------------------------------

    take(bytes) {
      const at = this.top;
      this.top = (at + bytes + 15) & ~15;
      const missing = this.top + 4096 - this.memory.buffer.byteLength; // simd.ts may read past the end
      if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
      return at;
    }

    // A block that keeps its place as long as it is large enough.
    block(name, bytes) {
      const held = this.blocks[name];
      if (held?.bytes >= bytes) return held.at;
      this.blocks[name] = { at: this.take(bytes), bytes };
      return this.blocks[name].at;
    }

    floats(at, n) {
      return new Float32Array(this.memory.buffer, at, n);
    }

    place() {
      const { inputs, outputs, layers, loss } = this.network;
      this.model = new Struct(this.memory, this.take(4 * MODEL.length), MODEL);
      const table = this.take(4 * LAYER.length * layers.length);
      let size = 0;
      this.places = layers.map((layer) => { // of its weights and biases among the parameters
        const W = size, b = W + layer.neurons * padded(layer.inputs);
        size = b + padded(layer.neurons);
        return { W, b };
      });
      this.size = size;
      this.parameters = this.take(4 * 4 * size);
      layers.forEach((layer, l) => {
        const tile = 4 * TILE * layer.neurons;
        const record = new Struct(this.memory, table + 4 * LAYER.length * l, LAYER);
        record.set({
          ...layer,
          activation: NAMES.activation.indexOf(layer.activation),
          W: this.parameters + 4 * this.places[l].W,
          b: this.parameters + 4 * this.places[l].b,
          a: this.take(tile), slope: this.take(tile), delta: this.take(tile),
        });
      });
      this.model.set({
        inputs, outputs, size, layers: table, nLayers: layers.length, loss: NAMES.loss.indexOf(loss),
        parameters: this.parameters, x: this.take(4 * TILE * inputs), y: this.take(4 * TILE * outputs),
      });
    }

    // Rows of samples become columns: a row of the memory for each input.
    columns(at, rows, width, n) {
      const row = padded(n);
      const to = this.floats(at, width * row);
      for (let i = 0; i < width; i++) {
        for (let s = 0; s < n; s++) to[i * row + s] = rows[s * width + i];
        to.fill(0, i * row + n, (i + 1) * row);
      }
      return at;
    }

    // ---- the same methods as in oracle.js ----------------------------------------------------

    reset(seed = this.network.seed) {
      this.network.seed = seed;
      const [s0, s1, s2, s3] = new Random(seed, 1).state;
      this.model.set({ s0, s1, s2, s3, dropSeed: new Random(seed, 2).bits(), epoch: 0, seen: 0 });
      this.setParameters(playground.initial(this.network));
      this.restart();
      this.forget();
      this.set({});
    }

    restart() {
      const { n } = this.data.train;
      const order = this.block("order", 4 * n);
      new Uint32Array(this.memory.buffer, order, n).forEach((_, k, all) => { all[k] = k; });
      this.model.set({ n, order, position: 0, batchStart: 0, batchEnd: 0 });
      this.floats(this.parameters, 2 * this.size).fill(0, this.size); // the gradient
    }

    forget() {
      this.floats(this.parameters, 4 * this.size).fill(0, 2 * this.size);
      this.model.set({ updates: 0 });
    }

    set(changes) {
      const { optimizer } = this.settings;
      this.settings = playground.settings(changes, this.settings);
      const { learningRate, l1, l2, batchSize } = this.settings;
      this.model.set({
        optimizer: NAMES.optimizer.indexOf(this.settings.optimizer),
        rate: learningRate, l1, l2, batchSize,
      });
      if (this.settings.optimizer !== optimizer) this.forget();
    }

    load(which, X, Y) {
      const { inputs, outputs } = this.network;
      const n = playground.checkRows(this.network, X, Y);
      const row = padded(n);
      const atX = this.block(`${which} X`, 4 * row * inputs);
      const atY = this.block(`${which} Y`, 4 * row * outputs);
      this.columns(atX, X, inputs, n);
      this.columns(atY, Y, outputs, n);
      this.data[which] = { n, X: atX, Y: atY, row: 4 * row };
      if (which === "test") return;
      this.model.set({ X: atX, Y: atY, row: 4 * row });
      this.restart();
    }

    // Visit the parameters in PyTorch's order; `act` gets the place here and the place there.
    visit(act) {
      this.network.layers.forEach(({ inputs, neurons, W, b }, l) => {
        for (let j = 0; j < neurons; j++) {
          for (let i = 0; i < inputs; i++)
            act(this.places[l].W + j * padded(inputs) + i, W + j * inputs + i);
          act(this.places[l].b + j, b + j);
        }
      });
    }

    getParameters() {
      const from = this.floats(this.parameters, this.size);
      const values = new Float64Array(this.network.size);
      this.visit((here, there) => { values[there] = from[here]; });
      return values;
    }

    setParameters(values) {
      const to = this.floats(this.parameters, this.size);
      this.visit((here, there) => { to[here] = values[there]; });
      this.model.set({ diverged: 0 });
    }

    get epoch() { return this.model.get("epoch"); }
    get seen() { return this.model.get("seen"); }
    get position() { return this.model.get("position"); }
    get batchEnd() { return this.model.get("batchEnd"); }
    get updates() { return this.model.get("updates"); }
    get diverged() { return this.model.get("diverged") !== 0; }

    train(samples) {
      return this.wasm.train(this.model.at, samples);
    }

    evaluate(which) {
      const { n, X, Y, row } = this.data[which];
      return n === 0 ? 0 : this.wasm.evaluate(this.model.at, X, Y, n, row) / n;
    }

    // Read them before the next call: they stand in the memory of the module.
    maps(X) {
      const { inputs, nodes } = this.network;
      const n = X.length / inputs, row = padded(n);
      const from = this.block("map X", 4 * row * inputs);
      if (X !== this.grid) this.columns(from, X, inputs, n); // a grid is seldom another one
      this.grid = X;
      const out = this.block("maps", 4 * row * nodes);
      this.wasm.maps(this.model.at, from, n, 4 * row, out);
      const answers = this.floats(out, row * nodes);
      if (row === n) return answers;
      return Float32Array.from({ length: nodes * n }, (_, k) =>
        answers[Math.floor(k / n) * row + (k % n)]);
    }

    predict(X) {
      const { inputs, outputs, nodes } = this.network;
      const n = X.length / inputs;
      this.grid = null; // these rows may change
      const rows = this.maps(X).subarray((nodes - outputs) * n);
      return Float64Array.from({ length: n * outputs }, (_, k) =>
        rows[(k % outputs) * n + Math.floor(k / outputs)]);
    }
  }

  Object.assign(playground, { Simd });
});
