// The playground: data, a network that learns, and what each of its neurons sees. Nothing leaves
// the browser. state.js holds what a link says, engine.js trains, and this file shows it.
"use strict";
((playground) => {
  const { make, draw } = globalThis.elements;
  const { data, Engine, state: S, NAMES } = playground;
  const SIDE = 40, REACH = 6; // a map has 40 × 40 places, from −6 to 6
  const GRID_POINTS = Array.from({ length: SIDE * SIDE }, (_, k) => [
    (((k % SIDE) + 0.5) / SIDE * 2 - 1) * REACH, (1 - (Math.floor(k / SIDE) + 0.5) / SIDE * 2) * REACH, 0]);
  const FEATURE_NAMES = { x: "x", y: "y", xSquared: "x²", ySquared: "y²", xTimesY: "xy", sinX: "sin x", sinY: "sin y" };
  const CLASSES = [[24, 95, 159], [184, 90, 0], [12, 127, 95], [150, 60, 140], [120, 110, 20], [90, 90, 100]];
  const SHAPES = ["circle", "square", "triangle", "diamond", "plus", "cross"];

  const button = (text, act) => {
    const made = make("button", { type: "button" }, text);
    made.addEventListener("click", act);
    return made;
  };
  const select = (options) => make("select", {}, ...Object.entries(options).map(([value, text]) =>
    make("option", { value }, text)));
  const named = (names) => Object.fromEntries(names.map((name) => [name, name.replace("_", " ")]));
  const short = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const bound = (value) => Math.max(-1, Math.min(1, value));

  const drawShape = (ctx, kind, x, y, r) => {
    ctx.beginPath();
    if (kind === "circle") ctx.arc(x, y, r, 0, 7);
    else if (kind === "square") ctx.rect(x - r, y - r, 2 * r, 2 * r);
    else if (kind === "plus" || kind === "cross") {
      const [a, b] = kind === "plus" ? [r, 0] : [r, r];
      ctx.moveTo(x - a, y - b); ctx.lineTo(x + a, y + b);
      ctx.moveTo(x - b, y + a); ctx.lineTo(x + b, y - a);
    } else {
      ctx.moveTo(x, y - r); ctx.lineTo(x + r, kind === "diamond" ? y : y + r);
      ctx.lineTo(kind === "diamond" ? x : x - r, y + r);
      if (kind === "diamond") ctx.lineTo(x - r, y);
      ctx.closePath();
    }
  };

  class App {
    constructor(root) {
      this.root = root;
      this.small = root.classList.contains("playground-small");
      this.id = root.id || "playground";
      this.engine = new Engine();
      this.runs = [];
      this.version = 0;
      this.node = null;
      this.state = S.parse(!this.small && location.hash.includes("=") ? location.hash : root.dataset.preset);
      this.build();
      root.querySelector(".playground-still").hidden = true;
      addEventListener("hashchange", () => {
        if (this.small || !location.hash.includes("=")) return;
        this.state = S.parse(location.hash);
        this.fill();
        this.rebuild();
        this.root.scrollIntoView();
      });
      new MutationObserver(() => this.paint()).observe(document.documentElement,
        { attributes: true, attributeFilter: ["data-theme"] });
      this.fill();
      this.rebuild();
    }

    // ---- controls ------------------------------------------------------------------------------
    // A labelled control bound to a key; `live` ones act on the running network.
    field(text, control, key, act) {
      control.id = `${this.id}-${key}`;
      const box = make("div", { class: "playground-field", "data-control": key },
        make("label", { for: control.id }, text), control);
      const get = () => (control.type === "checkbox" ? control.checked : control.value);
      control.addEventListener("change", () => act(get()));
      return box;
    }

    bound(text, control, key, effect) {
      this.controls[key] = control;
      return this.field(text, control, key, (value) => {
        const read = S.KEYS[key][1](String(value));
        if (read === undefined) this.say(`${text}: “${value}” is out of range.`);
        else this.state[key] = read;
        this.fill();
        effect();
      });
    }

    build() {
      this.controls = {};
      const rebuild = () => this.rebuild(), repaint = () => { this.share(); this.paint(); };
      const live = () => { this.share(); this.ask("set", S.settings(this.state)); };
      const check = () => make("input", { type: "checkbox" });
      const number = (min, max, step = 1) => make("input", { type: "number", min, max, step });
      const group = (title, ...fields) => make("fieldset", {}, make("legend", {}, title), ...fields);
      const folded = (title, ...parts) => make("details", {}, make("summary", {}, title), ...parts);

      this.playButton = button("Play", () => this.toggle());
      this.unit = select({ epoch: "an epoch", batch: "a batch", sample: "a sample" });
      this.speed = select({ "1e12": "as fast as it goes", 2500: "10 epochs/s", 250: "1 epoch/s", 10: "10 samples/s", 1: "1 sample/s" });
      this.speed.value = "1e12"; // samples a second
      const hideable = (made, name) => {
        made.dataset.control = name;
        return made;
      };
      const bar = make("div", { class: "playground-row" }, hideable(this.playButton, "playButton"),
        hideable(button("Step", () => this.step()), "stepButton"), this.field("Step by", this.unit, "unit", () => {}),
        hideable(button("Reset", () => this.reset()), "resetButton"),
        this.field("Speed", this.speed, "speed", () => this.running && this.ask("run", Number(this.speed.value))));
      this.told = make("p", { class: "playground-told" });
      this.status = make("p", { class: "playground-said", role: "status", "aria-live": "polite" });

      const dataFields = group("Data",
        this.bound("Problem", select(named(["classification", "regression"])), "problem", rebuild),
        this.bound("Data set", select({ ...named(["circle", "xor", "gauss", "spiral", "moons", "blobs"]), own: "your own" }), "dataset", rebuild),
        this.bound("Function", select({ "reg-plane": "plane", "reg-gauss": "hills", "reg-wave": "wave", "reg-own": "your own" }), "regDataset", rebuild),
        this.bound("Noise", number(0, 50, "any"), "noise", rebuild),
        this.bound("Training share (%)", number(10, 90), "percTrainData", rebuild),
        this.bound("Classes of blobs", number(2, 6), "classes", rebuild),
        this.bound("Seed", make("input", { inputmode: "decimal" }), "seed", rebuild),
        button("New seed", () => {
          this.state.seed = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1e6);
          this.fill();
          this.rebuild();
        }));
      const features = group("Inputs", ...Object.entries(FEATURE_NAMES).map(([key, text]) =>
        this.bound(text, check(), key, rebuild)));
      this.layers = make("div", { class: "playground-row" });
      const shape = group("Network", this.layers,
        button("Add a layer", () => this.reshape((shape) => shape.length < 10 && shape.push(4))),
        button("Remove a layer", () => this.reshape((shape) => shape.pop())),
        this.bound("Activation", select(named(NAMES.activation)), "activation", () => {
          this.state.activations = [];
          this.fill();
          this.rebuild();
        }),
        this.bound("Start", select(named(NAMES.initialization)), "initialization", rebuild),
        this.bound("Loss", select(named(["squared", "logistic"])), "loss", rebuild),
        this.bound("Dropout", number(0, 0.9, "any"), "dropout", rebuild));
      const learning = group("Learning",
        this.bound("Learning rate", number(0, 10, "any"), "learningRate", live),
        this.bound("Optimizer", select(named(NAMES.optimizer)), "optimizer", live),
        this.bound("Batch size", number(1, 2000), "batchSize", live),
        this.bound("Penalty", select(named(["none", "L1", "L2"])), "regularization", live),
        this.bound("Penalty rate", number(0, 10, "any"), "regularizationRate", live));

      this.net = make("div", { class: "playground-net", role: "group", "aria-label": "Neurons: choose one to see its map and weights" });
      this.output = make("canvas", { width: 360, height: 360, role: "img", "aria-label": "Output" });
      const view = make("div", { class: "playground-view" }, this.output,
        this.bound("Show test data", check(), "showTestData", repaint),
        this.bound("Discretize output", check(), "discretize", repaint));
      this.chart = make("canvas", { width: 600, height: 200, role: "img", "aria-label": "Loss" });
      this.log = check();
      this.cursor = make("input", { type: "range", min: 0, max: 0, value: 0 });
      this.read = make("span", {}); // no output element: it would speak with every frame
      const curve = make("div", { class: "playground-curve" }, this.chart,
        this.field("Log scale", this.log, "log", () => this.paint()),
        this.field("Epoch under the cursor", this.cursor, "cursor", () => {}), this.read);
      this.cursor.addEventListener("input", () => this.drawChart());
      this.chart.addEventListener("pointermove", (event) => {
        const box = this.chart.getBoundingClientRect();
        this.cursor.value = Math.round(((event.clientX - box.left) / box.width) * this.cursor.max);
        this.drawChart();
      });
      this.matrix = make("div", {});
      this.weights = make("div", {});
      this.root.append(make("div", { class: "playground-app", role: "group", "aria-label": this.root.dataset.title },
        bar, this.told, this.status,
        make("div", { class: "playground-main" }, this.net, view), curve,
        ...(this.small ? [] : [dataFields, features, shape, learning, this.matrix, this.weights,
          folded("Your own data", ...this.ownData()), folded("Take it home", ...this.exports())])));
    }

    ownData() {
      const text = make("textarea", { rows: 6, spellcheck: "false" });
      const label = select({ 1: "● 1", "-1": "■ −1" });
      const pad = make("canvas", { width: 300, height: 300, tabindex: 0, role: "application",
        "aria-label": "Drawing pad: move with the arrow keys, set a point with Enter" });
      const at = [0, 0];
      const add = (x, y) => {
        const points = [...this.state.points, [Number(x.toFixed(2)), Number(y.toFixed(2)), Number(label.value)]];
        if (points.length <= 2000) this.useOwn(points);
        show();
      };
      const show = () => {
        const ctx = pad.getContext("2d");
        ctx.clearRect(0, 0, 300, 300);
        this.drawPoints(ctx, 300, this.state.points, true);
        ctx.strokeStyle = this.colour("text-base");
        drawShape(ctx, "plus", 150 + at[0] * 25, 150 - at[1] * 25, 8);
        ctx.stroke();
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
      return [
        this.field("Rows of x, y, label", text, "csv", () => {}),
        button("Use these rows", () => {
          const { points, error } = S.csv(text.value);
          if (error) this.say(error);
          else this.useOwn(points);
        }),
        this.field("Class to draw", label, "class", () => {}), pad,
        button("Clear the pad", () => { this.useOwn([]); show(); }),
      ];
    }

    useOwn(points) {
      this.state.points = points;
      this.state[S.isRegression(this.state) ? "regDataset" : "dataset"] = S.isRegression(this.state) ? "reg-own" : "own";
      this.fill();
      this.rebuild();
      this.say(points.length < 4 ? `${points.length} points; four are needed, until then a circle stands in.` : `${points.length} points of your own.`);
    }

    exports() {
      const text = make("textarea", { rows: 8, readonly: "" });
      const put = (write) => {
        if (!this.look) return;
        text.value = write(this.state, this.network, this.look.parameters);
        text.select();
      };
      return [
        button("JSON", () => put(S.asJson)), button("PyTorch", () => put(S.asPyTorch)),
        button("dlcourse", () => put(S.asDlcourse)),
        button("Link", () => put(() => location.href.replace(/#.*/, "") + `#${S.format(this.state)}`)),
        this.field("To copy", text, "export", () => {}),
      ];
    }

    // The controls say what the state says.
    fill() {
      for (const [key, control] of Object.entries(this.controls))
        if (control.type === "checkbox") control.checked = this.state[key];
        else control.value = String(this.state[key]);
      const regression = S.isRegression(this.state);
      const hidden = { dataset: regression, regDataset: !regression, loss: regression, classes: regression || this.state.dataset !== "blobs" };
      for (const box of this.root.querySelectorAll("[data-control]")) {
        const key = box.dataset.control;
        box.hidden = Boolean(hidden[key]) || this.state.hidden.includes(key);
      }
      this.fillLayers();
    }

    // Made anew only when their number changes: a field that is in use keeps the focus.
    fillLayers() {
      const { networkShape } = this.state;
      if (this.layerFields?.length !== networkShape.length) {
        this.layerFields = networkShape.map((_, l) => [
          make("input", { type: "number", min: 1, max: 32 }), select(named(NAMES.activation))]);
        this.layers.replaceChildren(...this.layerFields.map(([count, kind], l) =>
          make("div", { class: "playground-row" },
            this.field(`Neurons in layer ${l + 1}`, count, `neurons-${l}`, (value) =>
              this.reshape((shape) => { shape[l] = Math.max(1, Math.min(32, Math.round(Number(value)) || 1)); })),
            this.field(`Activation of layer ${l + 1}`, kind, `activation-${l}`, (value) => {
              this.state.activations = this.state.networkShape.map((_, k) => (k === l ? value : S.activationOf(this.state, k)));
              this.rebuild();
            }))));
      }
      this.layerFields.forEach(([count, kind], l) => {
        count.value = networkShape[l];
        kind.value = S.activationOf(this.state, l);
      });
    }

    reshape(change) {
      change(this.state.networkShape);
      this.state.activations.length = Math.min(this.state.activations.length, this.state.networkShape.length);
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
    rebuild() {
      this.version += 1;
      this.keepRun();
      const { state } = this;
      this.points = S.draw(state);
      const outputs = S.outputsOf(state, this.points);
      this.network = S.spec(state, outputs);
      this.outputs = outputs;
      const features = S.chosen(state);
      const rows = (part) => [data.inputs(part, features), data.targets(part, outputs)];
      this.grid = data.inputs(GRID_POINTS, features);
      this.node = null;
      this.look = null;
      this.running = false;
      this.ask("create", this.network, S.settings(state));
      this.ask("load", rows(this.points.train), rows(this.points.test));
      this.drawNet();
      this.share();
      return this.refresh("Ready");
    }

    keepRun() {
      if (this.look?.curve.length > 1) this.runs = [...this.runs, this.look.curve].slice(-3);
    }

    toggle() {
      this.running = !this.running;
      this.ask(this.running ? "run" : "pause", Number(this.speed.value));
      if (this.running) this.say("Training");
      this.refresh(this.running ? "" : "Paused");
    }

    step() {
      this.running = false;
      this.ask("pause");
      this.ask("step", this.unit.value);
      this.refresh("Stepped");
    }

    reset() {
      this.keepRun();
      this.running = false;
      this.ask("pause");
      this.ask("reset", S.seedOf(this.state));
      this.refresh("Reset");
    }

    // One look at the engine, and again with the next frame while it runs.
    async refresh(news = "") {
      if (news) this.news = news; // kept until a look is shown: a later one may overtake this one
      const { version } = this, turn = (this.turn = (this.turn ?? 0) + 1);
      const all = [...this.points.train, ...this.points.test];
      const [look, answers] = await Promise.all([this.ask("look", this.grid),
        this.ask("predict", data.inputs(all, S.chosen(this.state)))]);
      if (version !== this.version || turn !== this.turn || !look || !answers) return;
      let say = this.news;
      this.news = "";
      this.look = look;
      this.score(all, answers);
      if (this.running && !look.running) [this.running, say] = [false, say || "Stopped"];
      this.playButton.textContent = this.running ? "Pause" : "Play";
      this.paint();
      if (look.diverged) say = "The network has diverged: each step overshot, and the weights grew without bound. Lower the learning rate or add a penalty, then Reset.";
      const now = Date.now();
      if (this.running && now - (this.spoke ?? 0) > 5000) say = "Training";
      if (say) this.say(look.diverged ? say : `${say}. ${this.told.textContent}`);
      if (this.running) requestAnimationFrame(() => this.running && this.refresh());
    }

    say(text) {
      this.spoke = Date.now();
      this.status.textContent = text;
    }

    classOf(answers, k) {
      const { outputs } = this;
      if (outputs === 1) return answers[k] >= 0 ? 1 : 0;
      const own = Array.from(answers.slice(k * outputs, (k + 1) * outputs));
      return own.indexOf(Math.max(...own));
    }

    score(all, answers) {
      const { epoch, losses } = this.look, parts = [`Epoch ${epoch}`,
        `loss ${short(losses[0])} in training, ${short(losses[1])} in the test`];
      if (!S.isRegression(this.state)) {
        const size = Math.max(2, this.outputs), cut = this.points.train.length;
        const table = Array.from({ length: size }, () => Array(size).fill(0));
        for (let k = cut; k < all.length; k++) {
          const label = this.outputs === 1 ? Number(all[k][2] > 0) : all[k][2];
          table[label][this.classOf(answers, k)] += 1;
        }
        const right = table.reduce((sum, row, k) => sum + row[k], 0) / (all.length - cut);
        const limit = S.bayes(this.state);
        parts.push(`test accuracy ${percent(right)}`
          + (limit === null ? "" : ` (limit ${percent(limit)})`));
        const head = (text) => make("th", { scope: "col" }, text);
        const name = (k) => (this.outputs === 1 ? ["−1", "1"][k] : String(k));
        this.matrix.replaceChildren(make("table", { class: "playground-table" },
          make("caption", {}, "Confusion matrix of the test data"),
          make("tr", {}, head("is \\ called"), ...table.map((_, k) => head(name(k)))),
          ...table.map((row, k) => make("tr", {}, make("th", { scope: "row" }, name(k)),
            ...row.map((count) => make("td", {}, String(count)))))));
      } else this.matrix.replaceChildren();
      this.told.textContent = `${parts.join("; ")}.`;
    }

    // ---- pictures ------------------------------------------------------------------------------
    colour(name) {
      return getComputedStyle(document.documentElement).getPropertyValue(name.startsWith("--") ? name : `--pst-color-${name}`).trim() || "#777";
    }

    drawMap(canvas, values, k = 0) {
      const ctx = canvas.getContext("2d"), { discretize } = this.state, paper = this.paper();
      this.image ??= new ImageData(SIDE, SIDE);
      const pixels = new Uint32Array(this.image.data.buffer);
      for (let p = 0; p < SIDE * SIDE; p++) pixels[p] = paper[at(p)];
      this.buffer ??= make("canvas", { width: SIDE, height: SIDE });
      this.buffer.getContext("2d").putImageData(this.image, 0, 0);
      ctx.imageSmoothingEnabled = !discretize;
      ctx.drawImage(this.buffer, 0, 0, canvas.width, canvas.height);
    }

    drawPoints(ctx, size, points, filled) {
      const own = Math.max(1, this.outputs ?? 1);
      for (const [x, y, label] of points) {
        const k = own > 1 ? label : label > 0 ? 0 : 1, colour = `rgb(${(CLASSES[k] ?? CLASSES[0]).join(" ")})`;
        drawShape(ctx, SHAPES[k] ?? "circle", (x / REACH + 1) * size / 2, (1 - y / REACH) * size / 2, 3);
        ctx.fillStyle = colour;
        if (filled) ctx.fill();
        ctx.strokeStyle = filled ? "#fff" : colour;
        if (k > 3) ctx.strokeStyle = colour;
        ctx.stroke();
      }
    }

    // Neurons in columns, as buttons over the links.
    drawNet() {
      const sizes = [this.network.inputs, ...this.network.layers.map(({ neurons }) => neurons)];
      const most = Math.max(...sizes), side = most > 12 ? 24 : 36, row = side + 8;
      const height = most * row, width = (sizes.length - 1) * 96 + side;
      const place = (c, j) => [c * 96, height / 2 + (j - sizes[c] / 2) * row + 4];
      const lines = draw("svg", { width, height, "aria-hidden": "true" });
      this.links = [];
      this.nodes = [];
      const stage = make("div", { class: "playground-stage" }, lines);
      [stage.style.width, stage.style.height] = [`${width}px`, `${height}px`];
      const names = S.chosen(this.state).map((key) => FEATURE_NAMES[key]);
      sizes.forEach((size, c) => {
        for (let j = 0; j < size; j++) {
          const [x, y] = place(c, j);
          if (c > 0) for (let i = 0; i < sizes[c - 1]; i++) {
            const [u, v] = place(c - 1, i);
            this.links.push(lines.appendChild(draw("line", { x1: u + side, y1: v + side / 2, x2: x, y2: y + side / 2 })));
          }
          const name = c === 0 ? `Input ${names[j]}` : c === sizes.length - 1
            ? `Output ${j + 1}` : `Layer ${c}, neuron ${j + 1}`;
          const canvas = make("canvas", { width: SIDE, height: SIDE });
          const node = make("button", { type: "button", class: "playground-node", "aria-label": name, "aria-pressed": "false", title: name }, canvas);
          [node.style.left, node.style.top, node.style.width, node.style.height] = [x, y, side, side].map((n) => `${n}px`);
          const at = { c, j, name, canvas, node };
          const show = (what) => () => { this.hover = what; this.paintOutput(); };
          node.addEventListener("pointerenter", show(at));
          node.addEventListener("pointerleave", show(null));
          node.addEventListener("click", () => this.choose(this.node === at ? null : at));
          this.nodes.push(at);
          stage.append(node);
        }
      });
      this.net.replaceChildren(stage);
      this.hover = null;
      this.showWeights();
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
        this.weights.replaceChildren(make("p", {}, "Choose a neuron to edit its weights."));
        return;
      }
      const places = this.placesOf(at);
      const before = this.nodes.filter(({ c }) => c === at.c - 1);
      const rows = places.map((place, i) => {
        const from = before[i]?.name ?? "Bias";
        const input = make("input", { type: "number", step: "any", "aria-label": `${at.name}: ${before[i] ? `weight from ${from}` : "bias"}` });
        input.addEventListener("change", async () => {
          const value = Number(input.value), values = this.look?.parameters.slice();
          if (!values || input.value === "" || !(Math.abs(value) <= 1e6)) return this.say("A weight is a number up to a million.");
          values[place] = value;
          await this.ask("setParameters", values);
          return this.refresh("Weight changed");
        });
        this.fields.push([place, input]);
        return make("tr", {}, make("th", { scope: "row" }, from), make("td", {}, input));
      });
      this.weights.replaceChildren(make("table", { class: "playground-table" }, make("caption", {}, `Weights of ${at.name}`), ...rows));
      this.fillWeights();
    }

    fillWeights() {
      if (this.look) for (const [place, input] of this.fields)
        if (input !== document.activeElement) input.value = Number(this.look.parameters[place].toPrecision(5));
    }

    mapOf({ c, j }) {
      if (c === 0) return (p) => this.grid[p * this.network.inputs + j];
      const { maps } = this.look, before = this.network.layers.slice(0, c - 1).reduce((sum, { neurons }) => sum + neurons, 0);
      return (p) => maps[(before + j) * SIDE * SIDE + p];
    }

    paint() {
      if (!this.look) return;
      for (const at of this.nodes) this.drawMap(at.canvas, this.mapOf(at));
      let link = 0;
      for (const at of this.nodes.filter(({ c }) => c > 0))
        for (const place of this.placesOf(at).slice(0, -1)) {
          const value = this.look.parameters[place], line = this.links[link++];
          line.setAttribute("stroke-width", Math.min(8, 0.4 + Math.abs(value) * 2));
          line.setAttribute("class", value < 0 ? "playground-minus" : "playground-plus");
        }
      this.fillWeights();
      this.paintOutput();
      this.drawChart();
    }

    paintOutput() {
      if (!this.look) return;
      const at = this.hover ?? this.node, last = this.network.layers.length;
      if (at) this.drawMap(this.output, this.mapOf(at));
      else if (this.outputs === 1) this.drawMap(this.output, this.mapOf({ c: last, j: 0 }));
      else {
        const maps = Array.from({ length: this.outputs }, (_, j) => this.mapOf({ c: last, j }));
        this.drawMap(this.output, (p) => {
          const own = maps.map((map) => map(p));
          return Math.max(0, own.indexOf(Math.max(...own)));
        }, 1);
      }
      const ctx = this.output.getContext("2d");
      this.drawPoints(ctx, this.output.width, this.points.train, true);
      if (this.state.showTestData) this.drawPoints(ctx, this.output.width, this.points.test, false);
      this.output.setAttribute("aria-label", `${at ? at.name : "Output"} over the plane, x and y from −6 to 6, with ${this.points.train.length} training points`);
    }

    drawChart() {
      const { curve } = this.look ?? { curve: [] };
      if (!curve.length) return;
      const ctx = this.chart.getContext("2d"), { width, height } = this.chart, runs = [...this.runs, curve];
      const scale = this.log.checked ? (loss) => Math.log10(Math.max(loss, 1e-8)) : (loss) => loss;
      const values = runs.flatMap((run) => run.flatMap(([, ...losses]) => losses.map(scale))).filter(Number.isFinite);
      const low = this.log.checked ? Math.min(...values) : 0, high = Math.max(low + 1e-9, ...values);
      const end = Math.max(1, ...runs.map((run) => run.at(-1)[0]));
      const x = (epoch) => (epoch / end) * (width - 10) + 5, y = (loss) => height - 5 - ((scale(loss) - low) / (high - low)) * (height - 10);
      ctx.clearRect(0, 0, width, height);
      runs.forEach((run, r) => [1, 2].forEach((which) => {
        ctx.globalAlpha = r < runs.length - 1 ? 0.3 : 1;
        ctx.setLineDash(which === 2 ? [6, 4] : []);
        ctx.strokeStyle = which === 2 ? this.colour("--book-orange") : this.colour("primary");
        ctx.lineWidth = 2;
        ctx.beginPath();
        for (const point of run) if (Number.isFinite(point[which])) ctx.lineTo(x(point[0]), y(point[which]));
        ctx.stroke();
      }));
      ctx.globalAlpha = 1;
      ctx.setLineDash([]);
      const follow = this.cursor.value === this.cursor.max;
      this.cursor.max = curve.length - 1;
      if (follow) this.cursor.value = this.cursor.max;
      const [epoch, train, test] = curve[Math.min(curve.length - 1, Number(this.cursor.value))];
      ctx.strokeStyle = this.colour("text-muted");
      ctx.strokeRect(x(epoch), 0, 0, height);
      this.read.textContent = `Epoch ${epoch}: training ${short(train)} (solid), test ${short(test)} (dashed)`;
      this.chart.setAttribute("aria-label", `Loss over ${end} epochs, ${runs.length - 1} earlier runs behind. ${this.read.textContent}`);
    }
  }

  for (const root of document.querySelectorAll(".playground")) root.playgroundApp = new App(root);
})(globalThis.playground);
