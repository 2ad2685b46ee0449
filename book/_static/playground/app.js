// The playground: data, a network that learns, and what each of its neurons sees. Nothing leaves
// the browser. state.js holds what a link says, engine.js trains, paint.js draws; here are the
// controls and what they do.
"use strict";
((playground) => {
  const { make, draw } = globalThis.elements;
  const { data, Engine, limits, paint, state: S, NAMES } = playground;
  const { SIDE, REACH, count, short } = paint;
  const VIEW = 300, PAD = 300; // pixels
  const GRID_POINTS = Array.from({ length: SIDE * SIDE }, (_, k) => [
    (((k % SIDE) + 0.5) / SIDE * 2 - 1) * REACH, (1 - (Math.floor(k / SIDE) + 0.5) / SIDE * 2) * REACH, 0]);
  const FEATURES = { x: "x", y: "y", xSquared: "x²", ySquared: "y²", xTimesY: "xy", sinX: "sin x", sinY: "sin y" };
  const SETS = { circle: "circle", xor: "xor", gauss: "gauss", spiral: "spiral", moons: "moons", blobs: "blobs", own: "your own" };
  const FUNCTIONS = { "reg-plane": "plane", "reg-gauss": "hills", "reg-wave": "wave", "reg-own": "your own" };
  const PACES = [["1e12", "as fast as it goes"], [2500, "10 epochs/s"], [250, "1 epoch/s"], [10, "10 samples/s"], [1, "1 sample/s"]];
  const ICONS = { Play: "M4 2l10 6-10 6z", Pause: "M4 2h3v12H4zM9 2h3v12H9z", Step: "M3 2l7 6-7 6zM11 2h2v12h-2z",
    Reset: "M8 2a6 6 0 1 0 6 6h-2a4 4 0 1 1-4-4v2.5L12 3 8 0z" };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const icon = (name) => draw("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", class: "playground-icon" },
    draw("path", { d: ICONS[name] }));
  const button = (text, act, ...before) => {
    const made = make("button", { type: "button" }, ...before, text);
    made.addEventListener("click", act);
    return made;
  };
  const select = (options) => make("select", {}, ...options.map(([value, text = value.replace("_", " ")]) =>
    make("option", { value }, text)));
  const check = () => make("input", { type: "checkbox" });
  const number = (min, max, step = 1) => make("input", { type: "number", min, max, step });
  const range = (min, max) => make("input", { type: "range", min, max });
  const named = (names) => names.map((name) => [name]);
  const row = (...parts) => make("div", { class: "playground-row" }, ...parts);
  const group = (title, ...parts) => make("fieldset", {}, make("legend", {}, title), ...parts);
  const folded = (title, ...parts) => make("details", {}, make("summary", {}, title), ...parts);
  const control = (made, name) => {
    made.dataset.control = name;
    return made;
  };
  const percent = (share) => `${(100 * share).toFixed(1)}%`;

  class App {
    constructor(root) {
      this.root = root;
      this.small = root.classList.contains("playground-small");
      this.id = root.id || "playground";
      this.engine = new Engine();
      this.controls = {};
      this.runs = [];
      this.version = this.turn = 0;
      this.news = "";
      this.state = S.parse(this.ours() ? location.hash : root.dataset.preset);
      this.build();
      root.querySelector(".playground-still").hidden = true;
      addEventListener("hashchange", () => this.follow());
      new MutationObserver(() => this.repaint()).observe(document.documentElement,
        { attributes: true, attributeFilter: ["data-theme"] });
      new ResizeObserver(() => this.look && this.place()).observe(this.net);
      this.fill();
      this.rebuild();
    }

    // Whether the address sets the playground up: other hashes lead to places of the page.
    ours() {
      return !this.small && location.hash.includes("=");
    }

    follow() {
      if (!this.ours()) return;
      this.state = S.parse(location.hash);
      this.fill();
      this.rebuild();
      this.root.scrollIntoView();
      this.playButton.focus({ preventScroll: true });
    }

    // ---- controls ------------------------------------------------------------------------------
    // A control under its label.
    field(text, made, key, act) {
      made.id = `${this.id}-${key}`;
      made.addEventListener("change", () => act(made.type === "checkbox" ? made.checked : made.value));
      const label = make("label", { for: made.id }, text), beside = made.type === "checkbox";
      return control(make("div", { class: `playground-field${beside ? " playground-check" : ""}` },
        ...(beside ? [made, label] : [label, made])), key);
    }

    // A control of a key of the state, and what follows when it changes.
    bound(text, made, key, effect) {
      this.controls[key] = made;
      return this.field(text, made, key, (value) => this.take(text, key, value, effect));
    }

    take(text, key, value, effect) {
      const read = S.KEYS[key][1](String(value));
      if (read === undefined) this.say(`${text}: “${value}” is not possible here.`);
      else this.state[key] = read;
      this.fill();
      if (read !== undefined) effect();
    }

    // One of several, each with a picture.
    choice(text, options, key, effect) {
      const radios = Object.entries(options).map(([value, title]) => {
        const radio = make("input", { type: "radio", name: `${this.id}-${key}`, value });
        const canvas = make("canvas", { "aria-hidden": "true" });
        radio.addEventListener("change", () => this.take(text, key, value, effect));
        return { value, radio, canvas, label: make("label", { class: "playground-choice" }, radio, canvas, title) };
      });
      this.controls[key] = { radios };
      return control(make("div", { role: "radiogroup", "aria-label": text, class: "playground-choices" },
        ...radios.map(({ label }) => label)), key);
    }

    build() {
      const rebuild = () => this.rebuild();
      const repaint = () => { this.share(); this.repaint(); };
      const live = () => { this.share(); this.ask("set", S.settings(this.state)); };
      this.playIcon = icon("Play");
      this.playText = make("span", {}, "Play");
      this.playButton = control(button(this.playText, () => this.toggle(), this.playIcon), "playButton");
      this.playButton.classList.add("playground-play");
      this.unit = select([["epoch", "an epoch"], ["batch", "a batch"], ["sample", "a sample"]]);
      this.speed = select(PACES);
      const bar = row(this.playButton,
        control(button("Step", () => this.step(), icon("Step")), "stepButton"),
        this.field("Step by", this.unit, "unit", () => {}),
        control(button("Reset", () => this.reset(), icon("Reset")), "resetButton"),
        this.field("Speed", this.speed, "speed", () => this.running && this.ask("run", Number(this.speed.value))));
      bar.classList.add("playground-bar");
      this.tiles = {};
      const tile = (key, text, ...more) => {
        this.tiles[key] = make("dd", {});
        return make("div", {}, make("dt", {}, text), this.tiles[key], ...more);
      };
      this.gauge = make("div", { class: "playground-gauge", "aria-hidden": "true" }, make("span", {}), make("i", {}));
      const told = make("dl", { class: "playground-told" }, tile("epoch", "Epoch"), tile("train", "Training loss"),
        tile("test", "Test loss"), tile("accuracy", "Test accuracy", this.gauge));
      this.said = make("span", {});
      this.numbers = make("span", { class: "playground-unseen" });
      this.status = make("p", { class: "playground-said", role: "status", "aria-live": "polite" }, this.said, this.numbers);
      bar.append(this.status);

      this.heading = make("p", { class: "playground-caption" });
      this.output = make("canvas", { role: "img", "aria-label": "Output" });
      this.legend = make("p", { class: "playground-legend" });
      const view = make("div", { class: "playground-view" }, this.heading, this.output, this.legend,
        this.bound("Show test data", check(), "showTestData", repaint),
        this.bound("Discretize output", check(), "discretize", repaint));
      this.net = make("div", { class: "playground-net", role: "group",
        "aria-label": "Neurons: choose one to see its map and weights" });
      this.layers = make("div", { class: "playground-layers" });
      const middle = make("div", { class: "playground-middle" }, this.net);

      this.chart = make("canvas", { role: "img", "aria-label": "Loss" });
      this.log = check();
      this.cursor = make("input", { type: "range", min: 0, max: 0, value: 0 });
      this.read = make("p", { class: "playground-read" }); // no output element: it would speak with every frame
      const curve = make("div", { class: "playground-curve" }, this.chart,
        row(this.field("Log scale", this.log, "log", () => this.drawChart()),
          this.field("Epoch under the cursor", this.cursor, "cursor", () => {}), this.read));
      this.cursor.addEventListener("input", () => this.drawChart());
      this.chart.addEventListener("pointermove", (event) => this.point(event));
      this.matrix = make("div", { class: "playground-matrix" });
      this.weights = make("div", { class: "playground-weights" });

      const main = make("div", { class: "playground-main" }, middle, view);
      const app = make("div", { class: "playground-app", role: "group", "aria-label": this.root.dataset.title });
      if (this.small) app.append(bar, told, main, curve);
      else {
        main.prepend(this.dataFields(rebuild));
        middle.append(group("Hidden layers", this.layers,
          row(button("Add a layer", () => this.reshape((shape) => shape.length < 10 && shape.push(4))),
            button("Remove a layer", () => this.reshape((shape) => shape.pop())))), curve);
        view.append(this.matrix);
        app.append(bar, told, this.learningFields(live, rebuild), main, this.weights,
          folded("Your own data: draw or paste", ...this.ownData()), folded("Take it home", ...this.exports()));
      }
      this.root.append(app);
    }

    dataFields(rebuild) {
      return group("Data",
        this.bound("Problem", select(named(["classification", "regression"])), "problem", rebuild),
        this.choice("Data set", SETS, "dataset", rebuild),
        this.choice("Function", FUNCTIONS, "regDataset", rebuild),
        this.bound("Classes of blobs", number(2, 6), "classes", rebuild),
        this.bound("Noise", range(0, 50), "noise", rebuild),
        this.bound("Training share", range(10, 90), "percTrainData", rebuild),
        row(this.bound("Seed", make("input", { inputmode: "decimal", size: 8 }), "seed", rebuild),
          button("New seed", () => {
            this.state.seed = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1e6);
            this.fill();
            this.rebuild();
          })),
        group("Inputs", make("div", { class: "playground-inputs" }, ...Object.entries(FEATURES).map(([key, text]) => this.bound(text, check(), key, rebuild)))));
    }

    learningFields(live, rebuild) {
      const all = row(
        this.bound("Learning rate", number(0, 10, "any"), "learningRate", live),
        this.bound("Activation", select(named(NAMES.activation)), "activation", () => {
          this.state.activations = [];
          this.fill();
          rebuild();
        }),
        this.bound("Optimizer", select(named(NAMES.optimizer)), "optimizer", live),
        this.bound("Batch size", number(1, 2000), "batchSize", live),
        this.bound("Penalty", select(named(["none", "L1", "L2"])), "regularization", live),
        this.bound("Penalty rate", number(0, 10, "any"), "regularizationRate", live),
        this.bound("Dropout", number(0, 0.9, "any"), "dropout", rebuild),
        this.bound("First weights", select(named(NAMES.initialization)), "initialization", rebuild),
        this.bound("Loss", select(named(["squared", "logistic"])), "loss", rebuild));
      all.classList.add("playground-settings");
      return all;
    }

    ownData() {
      const text = make("textarea", { rows: 8, spellcheck: "false", placeholder: "1.5, -2, 1\n-0.5, 3, -1" });
      const label = select([["1", "● 1"], ["-1", "■ −1"]]);
      const pad = make("canvas", { tabindex: 0, role: "application",
        "aria-label": "Drawing pad: move with the arrow keys, set a point with Enter" });
      const at = [0, 0];
      const show = () => {
        const ctx = paint.ready(pad, PAD, PAD);
        ctx.clearRect(0, 0, PAD, PAD);
        paint.points(ctx, PAD, this.state.points, { classes: this.outputs, shaded: S.isRegression(this.state) });
        ctx.strokeStyle = getComputedStyle(pad).color;
        paint.shape(ctx, "plus", (at[0] / REACH + 1) * PAD / 2, (1 - at[1] / REACH) * PAD / 2, 9);
        ctx.stroke();
      };
      const add = (x, y) => {
        const points = [...this.state.points, [Number(x.toFixed(2)), Number(y.toFixed(2)), Number(label.value)]];
        if (points.length <= 2000) this.useOwn(points);
        show();
      };
      pad.addEventListener("focus", show);
      pad.addEventListener("pointerdown", (event) => {
        const box = pad.getBoundingClientRect();
        add(((event.clientX - box.left) / box.width * 2 - 1) * REACH, (1 - (event.clientY - box.top) / box.height * 2) * REACH);
      });
      pad.addEventListener("keydown", (event) => {
        const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (move) [0, 1].forEach((k) => { at[k] = Math.max(-REACH, Math.min(REACH, at[k] + move[k] * 0.5)); });
        else if (event.key !== "Enter" && event.key !== " ") return;
        else add(...at);
        event.preventDefault();
        show();
      });
      paint.ready(pad, PAD, PAD);
      return [make("div", { class: "playground-pair" },
        make("div", {}, row(this.field("Class to draw", label, "class", () => {}),
          button("Clear", () => { this.useOwn([]); show(); })), pad),
        make("div", {}, this.field("Rows of x, y, label", text, "csv", () => {}),
          button("Use these rows", () => {
            const { points, error } = S.csv(text.value);
            if (error) this.say(error);
            else this.useOwn(points);
            show();
          })))];
    }

    useOwn(points) {
      this.state.points = points;
      this.state[S.isRegression(this.state) ? "regDataset" : "dataset"] = S.isRegression(this.state) ? "reg-own" : "own";
      this.fill();
      this.rebuild(points.length < 4 ? `${points.length} points; four are needed, until then others stand in` : `${points.length} points of your own`);
    }

    exports() {
      const text = make("textarea", { rows: 8, readonly: "" });
      const put = (write) => {
        if (!this.look) return;
        text.value = write(this.state, this.network, this.look.parameters);
        text.focus();
        text.select();
      };
      return [
        row(button("Link", () => put(() => `${location.href.replace(/#.*/, "")}#${S.format(this.state)}`)),
          button("PyTorch", () => put(S.asPyTorch)), button("dlcourse", () => put(S.asDlcourse)),
          button("JSON", () => put(S.asJson))),
        this.field("To copy", text, "export", () => {}),
      ];
    }

    // The controls say what the state says.
    fill() {
      const { state } = this;
      for (const [key, made] of Object.entries(this.controls))
        if (made.radios) for (const { radio, value } of made.radios) radio.checked = value === state[key];
        else if (made.type === "checkbox") made.checked = state[key];
        else made.value = String(state[key]);
      const regression = S.isRegression(state), several = state.dataset === "blobs";
      const hidden = { dataset: regression, regDataset: !regression, loss: regression || several,
        classes: regression || !several };
      for (const box of this.root.querySelectorAll("[data-control]")) {
        const key = box.dataset.control;
        box.hidden = Boolean(hidden[key]) || state.hidden.includes(key);
      }
      const told = (key, text) => {
        const label = this.root.querySelector(`label[for="${this.id}-${key}"]`);
        if (label) label.textContent = text;
      };
      told("noise", `Noise: ${state.noise}`);
      told("percTrainData", `Training share: ${state.percTrainData}%`);
      this.fillLayers();
    }

    // Made anew only when their number changes: a field that is in use keeps the focus.
    fillLayers() {
      if (this.small) return;
      const { networkShape } = this.state;
      if (this.layerFields?.length !== networkShape.length) {
        this.layerFields = networkShape.map(() => [number(1, 32), select(named(NAMES.activation))]);
        this.layers.replaceChildren(...this.layerFields.map(([neurons, kind], l) => {
          neurons.setAttribute("aria-label", `Neurons in layer ${l + 1}`);
          kind.setAttribute("aria-label", `Activation of layer ${l + 1}`);
          neurons.addEventListener("change", () => this.reshape((shape) => {
            shape[l] = Math.max(1, Math.min(32, Math.round(Number(neurons.value)) || 1));
          }));
          kind.addEventListener("change", () => {
            this.state.activations = this.state.networkShape.map((_, k) =>
              (k === l ? kind.value : S.activationOf(this.state, k)));
            this.rebuild();
          });
          return make("div", {}, make("span", { "aria-hidden": "true" }, `${l + 1}`), neurons, kind);
        }));
      }
      this.layerFields.forEach(([neurons, kind], l) => {
        neurons.value = networkShape[l];
        kind.value = S.activationOf(this.state, l);
      });
    }

    reshape(change) {
      const { state } = this;
      change(state.networkShape);
      state.activations.length = Math.min(state.activations.length, state.networkShape.length);
      this.fill();
      this.rebuild();
    }

    // ---- training ------------------------------------------------------------------------------
    ask(name, ...args) {
      return this.engine.call(name, ...args).catch((error) => this.say(error.message));
    }

    share() {
      if (this.small) return;
      try {
        history.replaceState(null, "", `#${S.format(this.state)}`);
      } catch { /* too many changes in a short time: the next one says it */ }
    }

    // Data and network anew, from the state alone.
    rebuild(news = "Ready") {
      this.version += 1;
      this.keepRun();
      const { state } = this;
      this.points = S.draw(state);
      this.outputs = S.outputsOf(state, this.points);
      this.network = S.spec(state, this.outputs);
      this.limit = { accuracy: limits.accuracy(state), loss: limits.loss(state) };
      const features = S.chosen(state);
      const rows = (part) => [data.inputs(part, features), data.targets(part, this.outputs)];
      this.all = [...this.points.train, ...this.points.test];
      this.allInputs = data.inputs(this.all, features);
      this.grid = data.inputs(GRID_POINTS, features);
      this.look = null;
      this.running = false;
      this.ask("create", this.network, S.settings(state));
      this.ask("load", rows(this.points.train), rows(this.points.test));
      this.drawNet();
      this.drawThumbs();
      this.share();
      return this.refresh(news);
    }

    keepRun() {
      if (this.look?.curve.length > 1) this.runs = [...this.runs, this.look.curve].slice(-3);
    }

    toggle() {
      this.ahead = null;
      this.running = !this.running;
      this.ask(this.running ? "run" : "pause", Number(this.speed.value));
      if (this.running) this.say("Training.");
      return this.refresh(this.running ? "" : "Paused");
    }

    step() {
      this.running = false;
      this.ask("pause");
      this.ask("step", this.unit.value);
      return this.refresh("Stepped");
    }

    reset() {
      this.keepRun();
      this.running = false;
      this.ask("pause");
      this.ask("reset", S.seedOf(this.state));
      return this.refresh("Reset");
    }

    request() {
      return Promise.all([this.ask("look", this.grid), this.ask("predict", this.allInputs)]);
    }

    // One look at the engine, and again with the next frame while it runs. The engine works on the
    // next look while this one is painted.
    async refresh(news = "") {
      if (news) this.news = news; // kept until a look is shown: a later one may overtake this one
      const { version } = this, turn = (this.turn += 1);
      const asked = (!news && this.ahead) || this.request();
      this.ahead = null;
      const [look, answers] = await asked;
      if (version !== this.version || turn !== this.turn || !look || !answers) return;
      if (this.running && look.running && !calm.matches) this.ahead = this.request();
      let say = this.news;
      this.news = "";
      this.look = look;
      if (!this.running || !look.running || turn % 3 === 0) this.score(answers);
      if (this.running && !look.running) [this.running, say] = [false, say || "Stopped"];
      this.playText.textContent = this.running ? "Pause" : "Play";
      this.playIcon.firstChild.setAttribute("d", ICONS[this.playText.textContent]);
      this.repaint();
      if (this.running && Date.now() - (this.spoke ?? 0) > 5000) say = "Training";
      if (look.diverged)
        this.say("The network has diverged: each step overshot, and its weights grew without bound. Lower the learning rate, then Reset.");
      else if (say) this.say(`${say}.`, ` ${this.summary}`);
      if (!this.running) return;
      if (calm.matches) setTimeout(() => this.running && this.refresh(), 500);
      else requestAnimationFrame(() => this.running && this.refresh());
    }

    // The numbers stand in the tiles; here they are for those who hear the page.
    say(text, numbers = "") {
      this.spoke = Date.now();
      this.said.textContent = text;
      this.numbers.textContent = numbers;
    }

    score(answers) {
      const { epoch, losses } = this.look, { limit, tiles } = this, n = this.points.train.length;
      tiles.epoch.textContent = count(epoch);
      tiles.train.textContent = short(losses[0]);
      tiles.test.textContent = short(losses[1]) + (limit.loss === null ? "" : ` (limit ${short(limit.loss)})`);
      this.summary = `Epoch ${epoch}; loss ${short(losses[0])} in training, ${tiles.test.textContent} in the test`;
      const regression = S.isRegression(this.state);
      tiles.accuracy.parentElement.hidden = this.matrix.hidden = regression;
      if (!regression) {
        const table = this.confusion(answers, n);
        const right = table.reduce((sum, line, k) => sum + line[k], 0) / (this.all.length - n);
        tiles.accuracy.textContent = percent(right) + (limit.accuracy === null ? "" : ` (limit ${percent(limit.accuracy)})`);
        this.summary += `; test accuracy ${tiles.accuracy.textContent}`;
        const [bar, mark] = this.gauge.children;
        bar.style.width = `${100 * right}%`;
        mark.hidden = limit.accuracy === null;
        mark.style.left = `${100 * (limit.accuracy ?? 0)}%`;
        this.fillMatrix(table);
      }
      this.summary += ".";
    }

    // Rows are what the test data are, columns what the network calls them.
    confusion(answers, from) {
      const { outputs } = this, size = Math.max(2, outputs);
      const table = Array.from({ length: size }, () => Array(size).fill(0));
      for (let k = from; k < this.all.length; k++) {
        const [, , label] = this.all[k];
        let called = Number(answers[k] >= 0);
        if (outputs > 1) {
          const own = Array.from(answers.slice(k * outputs, (k + 1) * outputs));
          called = Math.max(0, own.indexOf(Math.max(...own)));
        }
        table[outputs === 1 ? Number(label > 0) : label][called] += 1;
      }
      return table;
    }

    // The cells of the table are made once for a size, and then only filled.
    fillMatrix(table) {
      if (this.small) return;
      const size = table.length, name = (k) => (this.outputs === 1 ? ["■ −1", "● 1"][k] : `${"●■▲◆+×"[k]} ${k}`);
      if (this.cells?.length !== size || this.cells.outputs !== this.outputs) {
        this.cells = table.map((line) => line.map(() => make("td", {})));
        this.cells.outputs = this.outputs;
        const head = (text) => make("th", { scope: "col" }, text);
        this.matrix.replaceChildren(make("table", { class: "playground-table" },
          make("caption", {}, "Confusion matrix, test data"),
          make("thead", {}, make("tr", {}, head("is ↓ called →"), ...table.map((_, k) => head(name(k))))),
          make("tbody", {}, ...this.cells.map((line, k) =>
            make("tr", {}, make("th", { scope: "row" }, name(k)), ...line)))));
      }
      table.forEach((line, i) => line.forEach((value, j) => {
        this.cells[i][j].textContent = value;
        this.cells[i][j].className = i !== j && value > 0 ? "playground-wrong" : "";
      }));
    }

    // ---- the network, as buttons over lines --------------------------------------------------
    drawNet() {
      const sizes = [this.network.inputs, ...this.network.layers.map(({ neurons }) => neurons)], last = sizes.length - 1;
      const names = S.chosen(this.state).map((key) => FEATURES[key]);
      const chosen = this.node && [this.node.c, this.node.j].join();
      this.lines = make("canvas", { "aria-hidden": "true" });
      this.links = [];
      this.nodes = [];
      this.heads = sizes.map((_, c) => make("span", { class: "playground-head", "aria-hidden": "true" },
        c === 0 ? "inputs" : c === last ? "output" : String(c)));
      this.stage = make("div", { class: "playground-stage" }, this.lines, ...this.heads);
      sizes.forEach((size, c) => {
        for (let j = 0; j < size; j++) {
          const name = c === 0 ? `Input ${names[j]}` : c === last ? `Output ${j + 1}` : `Layer ${c}, neuron ${j + 1}`;
          const canvas = make("canvas", {});
          const node = make("button", { type: "button", class: "playground-node", "aria-label": name,
            "aria-pressed": "false", title: name }, canvas);
          const at = { c, j, name, canvas, node };
          const hover = (what) => () => { this.hover = what; this.paintOutput(); };
          node.addEventListener("pointerenter", hover(at));
          node.addEventListener("pointerleave", hover(null));
          node.addEventListener("click", () => this.choose(this.node === at ? null : at));
          this.nodes.push(at);
          this.stage.append(node);
          if (c > 0) for (const from of this.nodes.filter((one) => one.c === c - 1))
            this.links.push({ from, to: at });
        }
      });
      this.net.replaceChildren(this.stage);
      this.hover = null;
      this.place();
      this.choose(this.nodes.find(({ c, j }) => [c, j].join() === chosen) ?? null);
    }

    // As wide as there is room, and narrow enough for ten layers to be scrolled.
    place() {
      const sizes = [this.network.inputs, ...this.network.layers.map(({ neurons }) => neurons)];
      const most = Math.max(...sizes), side = most > 12 ? 24 : most > 8 ? 30 : 40, step = side + 8, head = 24;
      const room = (this.net.clientWidth || 320) - 10;
      this.chartWidth = this.chart.clientWidth || 320;
      const pitch = Math.max(side + 16, Math.min(150, (room - side) / (sizes.length - 1)));
      const height = most * step + head, width = (sizes.length - 1) * pitch + side;
      const px = (value) => `${value}px`;
      Object.assign(this.stage.style, { width: px(width), height: px(height) });
      Object.assign(this, { side, stageWidth: width, stageHeight: height });
      Object.assign(this.lines.style, { width: px(width), height: px(height) });
      this.heads.forEach((made, c) => Object.assign(made.style, { left: px(c * pitch - 12), width: px(side + 24) }));
      for (const at of this.nodes) {
        at.x = at.c * pitch;
        at.y = head + ((most - sizes[at.c]) / 2 + at.j) * step;
        Object.assign(at.node.style, { left: px(at.x), top: px(at.y), width: px(side), height: px(side) });
      }
      if (this.look) {
        this.drawLinks();
        this.drawChart();
      }
    }

    choose(at) {
      this.node = at;
      for (const { node } of this.nodes) node.setAttribute("aria-pressed", String(node === at?.node));
      this.showWeights();
      this.paintOutput();
    }

    // Places of the weights and the bias of a neuron among the parameters.
    placesOf({ c, j }) {
      let at = 0, before = this.network.inputs;
      for (let l = 0; l < c - 1; l++) {
        const { neurons } = this.network.layers[l];
        at += neurons * (before + 1);
        before = neurons;
      }
      const bias = at + before * this.network.layers[c - 1].neurons + j;
      return [...Array.from({ length: before }, (_, i) => at + j * before + i), bias];
    }

    showWeights() {
      this.fields = [];
      const at = this.node;
      if (!at || at.c === 0) {
        this.weights.replaceChildren(make("p", {}, "Choose a neuron to see its map in large, and to edit its weights."));
        return;
      }
      const before = this.nodes.filter(({ c }) => c === at.c - 1);
      this.weights.replaceChildren(make("p", { class: "playground-caption" }, `Weights of ${at.name}`),
        row(...this.placesOf(at).map((place, i) => {
          const from = before[i]?.name.replace(/^Input /, "") ?? "bias";
          const input = make("input", { type: "number", step: "any",
            "aria-label": `${at.name}: ${before[i] ? `weight from ${before[i].name}` : "bias"}` });
          input.addEventListener("change", () => this.edit(place, input.value));
          this.fields.push([place, input]);
          return make("label", { class: "playground-field" }, from, input);
        })));
      this.fillWeights();
    }

    async edit(place, text) {
      const value = Number(text), values = this.look?.parameters.slice();
      if (!values || text.trim() === "" || !(Math.abs(value) <= 1e6)) return this.say("A weight is a number, at most a million.");
      values[place] = value;
      await this.ask("setParameters", values);
      return this.refresh("Weight changed");
    }

    fillWeights() {
      if (this.look) for (const [place, input] of this.fields)
        if (input !== document.activeElement) input.value = Number(this.look.parameters[place].toPrecision(4));
    }

    // ---- pictures ------------------------------------------------------------------------------
    drawThumbs() {
      const key = S.isRegression(this.state) ? "regDataset" : "dataset";
      for (const { value, canvas } of this.controls[key]?.radios ?? []) {
        const ctx = paint.ready(canvas, 56, 56), own = { ...S.begin(), problem: this.state.problem, [key]: value,
          points: this.state.points, classes: this.state.classes, noise: 5 };
        const points = value.endsWith("own") ? this.state.points : S.draw(own).train.slice(0, 150);
        ctx.clearRect(0, 0, 56, 56);
        if (!points.length) {
          ctx.strokeStyle = getComputedStyle(canvas).color;
          paint.shape(ctx, "plus", 28, 28, 9);
          ctx.stroke();
        }
        paint.points(ctx, 56, points, { classes: S.outputsOf(own, { train: points, test: [] }),
          shaded: S.isRegression(own), r: 1.8 });
      }
    }

    // Weights in the order of the links: those of a layer stand together.
    drawLinks() {
      const { parameters } = this.look, { inputs, layers } = this.network, { side } = this, weights = [];
      let at = 0, before = inputs;
      for (const { neurons } of layers) {
        weights.push(...parameters.subarray(at, at + neurons * before));
        at += neurons * (before + 1);
        before = neurons;
      }
      paint.lines(paint.ready(this.lines, this.stageWidth, this.stageHeight), this.links.map(({ from, to }, k) =>
        [from.x + side, from.y + side / 2, to.x, to.y + side / 2, weights[k]]));
    }

    // The shade of a neuron's answer at a place.
    shadeOf({ c, j }) {
      const sign = this.state.discretize ? Math.sign : (value) => value;
      if (c === 0) return (p) => paint.ofValue(sign(this.grid[p * this.network.inputs + j]));
      const before = this.network.layers.slice(0, c - 1).reduce((sum, { neurons }) => sum + neurons, 0);
      const from = (before + j) * SIDE * SIDE, { maps } = this.look;
      return (p) => paint.ofValue(sign(maps[from + p]));
    }

    // The shade of the class with the largest output.
    shadeOfClass() {
      const { maps } = this.look, from = maps.length - this.outputs * SIDE * SIDE;
      return (p) => {
        let best = 0;
        for (let k = 1; k < this.outputs; k++)
          if (maps[from + k * SIDE * SIDE + p] > maps[from + best * SIDE * SIDE + p]) best = k;
        return paint.ofClass(best);
      };
    }

    repaint() {
      if (!this.look) return;
      // while it runs, a large network is painted in parts, one with each frame
      const parts = this.running ? Math.ceil(this.nodes.length / 14) : 1, due = (k, n) => this.turn % n === k % n;
      this.nodes.forEach((at, k) => { if (due(k, parts)) paint.tile(at.canvas, this.shadeOf(at)); });
      if (due(0, parts)) this.drawLinks();
      if (!this.running || due(1, 6)) this.drawChart();
      this.fillWeights();
      this.paintOutput();
    }

    paintOutput() {
      if (!this.look) return;
      const at = this.hover ?? this.node, ctx = paint.ready(this.output, VIEW, VIEW), { points, state } = this;
      const shade = at || this.outputs === 1 ? this.shadeOf(at ?? { c: this.network.layers.length, j: 0 }) : this.shadeOfClass();
      paint.map(ctx, VIEW, shade, !state.discretize && (Boolean(at) || this.outputs === 1));
      ctx.drawImage(this.sheet(), 0, 0, VIEW, VIEW);
      const heading = at ? at.name : "Answer of the network";
      if (this.heading.textContent === heading && this.described === this.sheetFor) return;
      this.described = this.sheetFor;
      this.heading.textContent = heading;
      this.legend.textContent = `x and y from −6 to 6; filled: training${state.showTestData ? ", hollow: test" : ""}`;
      this.output.setAttribute("aria-label",
        `${heading} over the plane, x and y from −6 to 6, with ${points.train.length} training points`);
    }

    // The points, drawn once for as long as they stay.
    sheet() {
      const { points, state } = this, { showTestData } = state;
      const key = [this.version, showTestData, document.documentElement.dataset.theme, devicePixelRatio].join();
      if (this.sheetFor !== key) {
        this.sheetFor = key;
        this.points.sheet ??= make("canvas", {});
        const ctx = paint.ready(this.points.sheet, VIEW, VIEW), how = { classes: this.outputs, shaded: S.isRegression(state) };
        ctx.clearRect(0, 0, VIEW, VIEW);
        paint.points(ctx, VIEW, points.train, how);
        if (showTestData) paint.points(ctx, VIEW, points.test, { ...how, hollow: true });
      }
      return this.points.sheet;
    }

    point(event) {
      const { curve } = this.look ?? {};
      if (!curve || !this.epochAt) return;
      const epoch = this.epochAt(event.clientX - this.chart.getBoundingClientRect().left);
      const found = curve.findIndex(([at]) => at >= epoch);
      this.cursor.value = found < 0 ? curve.length - 1 : found;
      this.drawChart();
    }

    drawChart() {
      const { curve } = this.look ?? { curve: [] };
      if (!curve.length) return;
      const follow = this.cursor.value === this.cursor.max;
      this.cursor.max = curve.length - 1;
      if (follow) this.cursor.value = this.cursor.max;
      const cursor = Math.min(curve.length - 1, Number(this.cursor.value)), [epoch, train, test] = curve[cursor];
      this.epochAt = paint.chart(this.chart, [...this.runs, curve], { log: this.log.checked, cursor, width: this.chartWidth });
      this.read.textContent = `Epoch ${count(epoch)}: training ${short(train)}, test ${short(test)}`;
      this.chart.setAttribute("aria-label",
        `Loss over the epochs, training solid, test dashed, ${this.runs.length} earlier runs behind. ${this.read.textContent}`);
    }
  }

  for (const root of document.querySelectorAll(".playground")) root.playgroundApp = new App(root);
})(globalThis.playground);
