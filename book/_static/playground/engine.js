// Training in the background: in a Worker where the page may have one, else on the page in slices.
// The fast engine is taken where it runs, else the readable one; nobody need ask which.
//
// The page says `const engine = new playground.Engine()` and `await engine.call(name, ...arguments)`
// with the names of the methods of Runner. Served pages make the Worker from this very file; pages
// opened from a file may not, and hand it the text of the parts.
"use strict";
if (typeof importScripts === "function")
  importScripts("random.js", "network.js", "oracle.js", "simd-wasm.js", "simd.js");

((part) => {
  const playground = (globalThis.playground ??= { parts: [] });
  playground.parts.push(part);
  playground.here = globalThis.document?.currentScript?.src;
  part(playground);
})((playground) => {
  const SLICE = 4; // milliseconds of training between two looks at the messages
  const LONGEST = 512; // points of a curve
  const FEW_CORES = (globalThis.navigator?.hardwareConcurrency ?? 4) <= 2; // the screen needs one too
  const now = () => performance.now();

  // Do it soon, but let messages come first. A timer of 0 would wait for 4 ms.
  const soon = globalThis.setImmediate ?? (() => {
    const channel = new MessageChannel(), waiting = [];
    channel.port1.onmessage = () => waiting.shift()();
    return (act) => {
      waiting.push(act);
      channel.port2.postMessage(0);
    };
  })();

  let fast;
  const hasSimd = () => {
    try {
      fast ??= Boolean(new playground.Simd({ inputs: 1, layers: [{ neurons: 1 }] }));
    } catch { // no WebAssembly, none with SIMD, or a policy that forbids it
      fast = false;
    }
    return fast;
  };

  const create = (spec) => new playground[hasSimd() ? "Simd" : "Oracle"](spec);

  // The losses after each epoch, thinned out evenly as they become many: the same run gives the same
  // curve, however fast it went.
  class Curve {
    constructor() {
      this.every = 1;
      this.points = [];
    }

    add(epoch, ...losses) {
      if (epoch % this.every) return;
      this.points.push([epoch, ...losses]);
      if (this.points.length <= LONGEST) return;
      this.every *= 2;
      this.points = this.points.filter(([at]) => at % this.every === 0);
    }
  }

  class Runner {
    constructor() {
      this.running = false;
      this.pace = Infinity; // samples a second
    }

    // A new network, at rest.
    create(spec, settings = {}) {
      const model = create(spec);
      model.set(settings);
      const { train, test } = this.given ?? {};
      const { inputs, outputs } = model.network;
      for (const [which, rows] of Object.entries({ train, test }))
        if (rows && rows.inputs === inputs && rows.outputs === outputs) model.load(which, rows.X, rows.Y);
      this.model = model;
      this.running = false;
      this.begin();
      return model.name;
    }

    begin() {
      this.curve = new Curve();
      this.measure();
      if (this.model.epoch === 0) this.curve.add(0, ...this.losses);
    }

    measure() {
      this.losses = ["train", "test"].map((which) => this.model.evaluate(which));
    }

    load(train, test) {
      const { inputs, outputs } = this.model.network;
      for (const [which, [X, Y]] of Object.entries({ train, test })) {
        this.model.load(which, X, Y);
        this.given = { ...this.given, [which]: { X, Y, inputs, outputs } };
      }
      this.begin();
    }

    set(changes) {
      this.model.set(changes);
    }

    setParameters(values) {
      this.model.setParameters(values);
      this.measure();
    }

    reset(seed) {
      this.model.reset(seed);
      this.begin();
    }

    run(pace = Infinity) {
      this.pace = pace;
      if (this.running) return;
      this.running = true;
      this.last = now();
      this.credit = 1;
      soon(() => this.loop());
    }

    pause() {
      this.running = false;
      this.measure();
    }

    // "sample", "batch" or "epoch".
    step(unit) {
      const { model } = this, { n } = model.data.train;
      const left = model.position < model.batchEnd ? model.batchEnd - model.position
        : Math.min(model.settings.batchSize, n - model.position);
      this.advance({ sample: 1, batch: left, epoch: n - model.position }[unit]);
      this.measure();
    }

    // Learn from so many samples, but not past the end of an epoch.
    advance(samples) {
      const { model } = this, { epoch } = model;
      const done = model.train(Math.min(samples, model.data.train.n - model.position));
      if (model.epoch > epoch) {
        this.measure();
        this.curve.add(model.epoch, ...this.losses);
      }
      if (model.diverged || done === 0) this.running = false;
      return done;
    }

    loop() {
      const start = now();
      this.credit += (start - this.last) * this.pace / 1000;
      this.last = start;
      while (this.running && this.credit >= 1 && now() - start < SLICE)
        this.credit -= this.advance(Math.floor(Math.min(this.credit, 2 ** 30)));
      this.credit = Math.min(this.credit, this.pace); // no second is made up for later
      if (!this.running) return;
      if (this.credit >= 1 && !FEW_CORES) soon(() => this.loop());
      else setTimeout(() => this.loop(), SLICE / 2);
    }

    // All that a frame of the screen shows; `grid` asks for the maps of the neurons on its points.
    look(grid = null) {
      const { model, running, curve } = this;
      const { epoch, position, updates, diverged } = model;
      if (running && !diverged && position > 0) this.measure();
      return {
        epoch, position, updates, diverged, running, losses: this.losses, curve: curve.points,
        parameters: model.getParameters(), maps: grid && model.maps(this.keep(grid)).slice(),
      };
    }

    // The same grid again is the same object, which spares the engine some work.
    keep(grid) {
      const same = this.grid?.length === grid.length && this.grid.every((value, k) => value === grid[k]);
      return same ? this.grid : (this.grid = grid);
    }

    predict(X) {
      return this.model.predict(X);
    }

    answer({ id, name, args }) {
      try {
        return { id, value: this[name](...args) };
      } catch (error) {
        return { id, error: error.message };
      }
    }
  }

  // In the Worker.
  const serve = () => {
    const runner = new Runner();
    onmessage = ({ data }) => {
      const answer = runner.answer(data);
      const { parameters, maps } = answer.value ?? {};
      postMessage(answer, [parameters, maps].filter(Boolean).map((view) => view.buffer));
    };
  };

  const textOfParts = () => [
    "'use strict'; const playground = globalThis.playground = { parts: [] };",
    ...playground.parts.map((part) => `(${part})(playground);`),
    "playground.serve();",
  ].join("\n");

  const makeWorker = () => {
    try {
      if (/^https?:/.test(playground.here ?? "")) return new Worker(playground.here);
      return new Worker(URL.createObjectURL(new Blob([textOfParts()], { type: "text/javascript" })));
    } catch {
      return null;
    }
  };

  // The page's end of the line.
  class Engine {
    constructor({ worker = true } = {}) {
      this.waiting = new Map();
      this.worker = worker ? makeWorker() : null;
      this.place = this.worker ? "worker" : "page";
      if (!this.worker) return void (this.runner = new Runner());
      this.worker.onmessage = ({ data }) => this.receive(data);
      this.worker.onerror = (event) => { // it may be refused only now
        event.preventDefault();
        this.worker.terminate();
        this.worker = null;
        this.place = "page";
        this.runner = new Runner();
        for (const { message } of this.waiting.values()) this.send(message);
      };
    }

    call(name, ...args) {
      const message = { id: (this.calls = (this.calls ?? 0) + 1), name, args };
      return new Promise((resolve, reject) => {
        this.waiting.set(message.id, { message, resolve, reject });
        this.send(message);
      });
    }

    send(message) {
      if (this.worker) this.worker.postMessage(message);
      else soon(() => this.receive(this.runner.answer(message)));
    }

    receive({ id, value, error }) {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(value);
    }

    close() {
      this.worker?.terminate();
      if (this.runner) this.runner.running = false;
    }
  }

  Object.assign(playground, { Curve, Engine, Runner, create, serve });
});
if (typeof importScripts === "function") globalThis.playground.serve();
