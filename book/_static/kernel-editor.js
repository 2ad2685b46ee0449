// The kernel editor: an image, a kernel, and its feature map. Nothing leaves the browser.
// Without this script the page shows what .kernel-editor-still contains.
"use strict";
{
  const LARGEST = 512; // pixels a side
  const HEAVIEST = 50e6; // bytes
  const here = document.currentScript;
  const { make } = globalThis.elements;

  const number = (value, digits = 3) =>
    String(Number(value.toFixed(digits))).replace("-", "−");

  const short = (value) => String(Number(value.toPrecision(3))).replace("-", "−");

  // Add to each sum a row of pixels under a row of weights. The window keeps what it has read.
  const addRow = {
    3: (sums, pixels, at, [a, b, c]) => {
      let p = pixels[at + 1], q = pixels[at + 2];
      for (let j = 0; j < sums.length; j++) {
        const next = pixels[at + j + 3];
        sums[j] += a * p + b * q + c * next;
        p = q; q = next;
      }
    },
    5: (sums, pixels, at, [a, b, c, d, e]) => {
      let p = pixels[at], q = pixels[at + 1], r = pixels[at + 2], s = pixels[at + 3];
      for (let j = 0; j < sums.length; j++) {
        const next = pixels[at + j + 4];
        sums[j] += a * p + b * q + c * r + d * s + e * next;
        p = q; q = r; r = s; s = next;
      }
    },
  };

  // Slide a kernel of k × k over grey bytes; `padded` is the image in a frame of two zeros.
  class Slider {
    resize(width, height) {
      this.width = width;
      this.height = height;
      this.padded = new Float64Array((width + 4) * (height + 4));
      this.map = new Float64Array(width * height);
    }

    load(pixels, width, height) {
      if (width !== this.width || height !== this.height) this.resize(width, height);
      for (let i = 0; i < height; i++)
        this.padded.set(pixels.subarray(i * width, (i + 1) * width), (i + 2) * (width + 4) + 2);
    }

    // Returns the number of products; a row of zeros in the kernel costs none.
    run(kernel, side) {
      const { width, height, padded, map } = this;
      const rows = Array.from({ length: side }, (_, u) => kernel.slice(u * side, (u + 1) * side));
      const used = rows.filter((weights) => weights.some((weight) => weight !== 0)).length;
      map.fill(0);
      for (let i = 0; i < height; i++) {
        const sums = map.subarray(i * width, (i + 1) * width);
        rows.forEach((weights, u) => {
          if (weights.every((weight) => weight === 0)) return;
          addRow[side](sums, padded, (i + 2 + u - (side - 1) / 2) * (width + 4), weights);
        });
      }
      return used * side * width * height;
    }
  }

  class Editor {
    constructor(root) {
      this.root = root;
      this.id = root.id || "kernel-editor";
      this.presets = JSON.parse(root.dataset.presets);
      this.sources = new Map([...root.querySelectorAll(".kernel-images li")].map((li) =>
        [li.dataset.name, li]));
      this.slider = new Slider();
      this.side = 3;
      this.kernel = [];
      this.at = null;
      this.frames = 0;
      this.products = 0;
      this.build();
      this.choosePreset("edge" in this.presets ? "edge" : Object.keys(this.presets)[0]);
      root.querySelector(".kernel-editor-still").hidden = true;
      const first = this.sources.keys().next().value;
      // the image is fetched when the reader comes near it
      new IntersectionObserver((entries, observer) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        observer.disconnect();
        if (!this.pixels) this.chooseImage(first);
      }, { rootMargin: "600px" }).observe(root);
    }

    label(text, control) {
      control.id = `${this.id}-${text.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
      return make("div", { class: "kernel-field" },
        make("label", { for: control.id }, text), control);
    }

    build() {
      const option = (value, text) => make("option", { value }, text);
      this.own = make("option", { value: "", disabled: "" }, "Your own"); // until there is one
      this.imageBox = make("select", {},
        ...[...this.sources].map(([name, li]) => option(name, li.textContent)), this.own);
      this.fileBox = make("input", { type: "file", accept: "image/*" });
      this.presetBox = make("select", {},
        ...Object.keys(this.presets).map((name) => option(name, name)), option("", "Your own"));
      this.sideBox = make("select", {}, option("3", "3 × 3"), option("5", "5 × 5"));
      this.contrastBox = make("select", {}, option("0.25", "¼ ×"), option("0.5", "½ ×"),
        option("1", "1 ×"), option("2", "2 ×"), option("4", "4 ×"));
      this.contrastBox.value = "1";
      this.grid = make("div", { class: "kernel-grid", role: "group", "aria-label": "Weights" });
      const button = (text, act) => {
        const made = make("button", { type: "button" }, text);
        made.addEventListener("click", act);
        return made;
      };
      this.total = make("span", { class: "kernel-total" });
      this.imageCanvas = make("canvas", { width: 512, height: 427, role: "img", "aria-label": "Image" });
      this.mapCanvas = make("canvas", {
        width: 512, height: 427, tabindex: 0, role: "application",
        "aria-label": "Feature map: move with the arrow keys, ten pixels with Shift",
      });
      const framed = (title, canvas) => {
        const marker = make("div", { class: "kernel-marker", hidden: "" });
        const frame = make("div", { class: "kernel-frame" }, canvas, marker);
        return [make("div", { class: "kernel-picture" }, make("p", {}, title), frame), marker];
      };
      const [left, one] = framed("Image", this.imageCanvas);
      const [right, two] = framed("Feature map", this.mapCanvas);
      this.markers = [one, two];
      this.told = make("p", { class: "kernel-told" });
      this.sum = make("div", { class: "kernel-sum" });
      this.said = make("p", { class: "kernel-said", "aria-live": "polite" });
      this.complaint = make("p", { class: "kernel-complaint", role: "alert" });
      const group = make("div", {
        class: "kernel-controls", role: "group", "aria-label": this.root.dataset.title,
      },
        make("div", { class: "kernel-row" }, this.label("Image", this.imageBox),
          this.label("Open an image of yours", this.fileBox)),
        make("div", { class: "kernel-row" }, this.label("Kernel", this.presetBox),
          this.label("Size", this.sideBox), this.label("Contrast", this.contrastBox)),
        this.grid,
        make("div", { class: "kernel-row" },
          button("Divide by the sum", () => this.divide()),
          button("Turn by 90°", () => this.turn()), this.total),
        this.complaint,
        make("div", { class: "kernel-pictures" }, left, right),
        this.told, this.sum, this.said);
      this.root.append(group);

      this.imageBox.addEventListener("change", () =>
        this.imageBox.value ? this.chooseImage(this.imageBox.value) : this.open(this.file));
      this.fileBox.addEventListener("click", () => { this.fileBox.value = ""; }); // the same again
      this.fileBox.addEventListener("change", () => this.open(this.fileBox.files[0]));
      this.presetBox.addEventListener("change", () => this.choosePreset(this.presetBox.value));
      this.sideBox.addEventListener("change", () => this.resize(Number(this.sideBox.value)));
      this.contrastBox.addEventListener("change", () => this.request());
      this.grid.addEventListener("input", (event) => this.typed(event.target));
      for (const canvas of [this.imageCanvas, this.mapCanvas]) {
        const point = (event) => {
          const box = canvas.getBoundingClientRect();
          this.move(Math.floor((event.clientY - box.top) / box.height * canvas.height),
            Math.floor((event.clientX - box.left) / box.width * canvas.width));
        };
        canvas.addEventListener("pointermove", point);
        canvas.addEventListener("pointerdown", point);
      }
      this.mapCanvas.addEventListener("keydown", (event) => this.key(event));
    }

    // --- the kernel -------------------------------------------------------------------------
    choosePreset(name) {
      const rows = this.presets[name];
      if (rows) this.setKernel(rows.flat(), rows.length, name);
    }

    setKernel(kernel, side, name = "") {
      this.kernel = kernel;
      if (side !== this.side || !this.grid.children.length) {
        this.side = side;
        this.grid.dataset.side = side;
        this.grid.replaceChildren(...kernel.map((_, at) => make("input", {
          type: "number", step: "any", "aria-label":
            `Weight in row ${Math.floor(at / side) + 1}, column ${(at % side) + 1}`,
        })));
      }
      [...this.grid.children].forEach((field, at) => {
        field.value = Number(kernel[at].toFixed(4));
      });
      this.sideBox.value = String(side);
      this.changed(name);
    }

    changed(name) {
      this.presetBox.value = name;
      const total = this.kernel.reduce((a, b) => a + b, 0);
      this.total.textContent = `The weights sum to ${number(total)}.`;
      this.complain("");
      this.request();
    }

    typed(field) {
      const value = Number(field.value);
      const changed = [...this.grid.children].indexOf(field);
      this.kernel = this.kernel.map((weight, at) =>
        at !== changed ? weight : Number.isFinite(value) ? value : 0);
      this.changed("");
    }

    resize(side) {
      const from = this.side;
      const shift = (side - from) / 2;
      this.setKernel(Array.from({ length: side * side }, (_, at) => {
        const i = Math.floor(at / side) - shift;
        const j = (at % side) - shift;
        return i >= 0 && j >= 0 && i < from && j < from ? this.kernel[i * from + j] : 0;
      }), side);
    }

    divide() {
      const total = this.kernel.reduce((a, b) => a + b, 0);
      if (Math.abs(total) < 1e-6) this.complain("The weights sum to 0, and nothing can be divided by it.");
      else this.setKernel(this.kernel.map((weight) => weight / total), this.side);
    }

    turn() {
      const k = this.side;
      this.setKernel(this.kernel.map((_, at) =>
        this.kernel[(k - 1 - (at % k)) * k + Math.floor(at / k)]), k);
    }

    // --- the image --------------------------------------------------------------------------
    // The images of the book are scripts that hand over their bytes.
    chooseImage(name) {
      const turn = this.turnOf(name);
      const show = () => {
        const known = window.kernelImages?.[name];
        if (!known) return this.fail("The image could not be loaded.", turn);
        const bytes = Uint8Array.from(atob(known[1]), (letter) => letter.charCodeAt(0));
        return this.read(new Blob([bytes], { type: known[0] }), name, turn);
      };
      if (window.kernelImages?.[name]) return void show();
      const script = make("script", { src: this.sources.get(name).dataset.src });
      script.addEventListener("load", show);
      script.addEventListener("error", show);
      here.after(script);
    }

    open(file) {
      if (!file) return;
      const turn = this.turnOf("");
      if (file.size > HEAVIEST) this.fail("This file is larger than 50 MB.", turn);
      else this.read(file, "", turn);
    }

    // Only what was asked for last is shown.
    turnOf(name) {
      this.imageBox.value = name;
      this.turns = (this.turns ?? 0) + 1;
      return this.turns;
    }

    fail(text, turn) {
      if (turn !== this.turns) return;
      this.imageBox.value = this.shownName ?? "";
      this.complain(text);
    }

    async read(blob, name, turn) {
      let bitmap;
      try {
        bitmap = await createImageBitmap(blob);
      } catch {
        this.fail("The browser cannot read this file as an image. "
          + "Please save it as PNG, JPEG or WebP first.", turn);
        return;
      }
      if (turn !== this.turns) {
        bitmap.close();
        return;
      }
      this.shownName = name;
      if (!name) [this.file, this.own.disabled] = [blob, false];
      this.imageBox.value = name;
      this.complain("");
      const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
      const width = Math.max(1, Math.round(bitmap.width * scale));
      const height = Math.max(1, Math.round(bitmap.height * scale));
      this.root.classList.toggle("kernel-coarse", width < 256); // then its pixels may be seen
      for (const canvas of [this.imageCanvas, this.mapCanvas]) {
        canvas.width = width;
        canvas.height = height;
      }
      const context = this.imageCanvas.getContext("2d", { willReadFrequently: true });
      context.imageSmoothingQuality = "high";
      context.fillStyle = "white"; // behind what is transparent
      context.fillRect(0, 0, width, height);
      context.drawImage(bitmap, 0, 0, width, height);
      bitmap.close();
      const data = context.getImageData(0, 0, width, height);
      this.pixels = new Uint8ClampedArray(width * height);
      for (let at = 0; at < this.pixels.length; at++) {
        const [red, green, blue] = [data.data[4 * at], data.data[4 * at + 1], data.data[4 * at + 2]];
        this.pixels[at] = 0.299 * red + 0.587 * green + 0.114 * blue;
        data.data.fill(this.pixels[at], 4 * at, 4 * at + 3);
      }
      context.putImageData(data, 0, 0);
      const title = name ? this.sources.get(name).textContent : "your own";
      this.imageCanvas.setAttribute("aria-label", `Image: ${title}, ${width} × ${height} pixels, grey`);
      this.slider.load(this.pixels, width, height);
      this.shown = this.mapCanvas.getContext("2d").createImageData(width, height);
      this.bytes = new Uint32Array(this.shown.data.buffer); // one number holds a pixel's four bytes
      this.at = null;
      this.request();
    }

    // --- the feature map --------------------------------------------------------------------
    // However many changes come between two frames of the screen, the map is computed once.
    request() {
      this.stale = true;
      this.redraw();
    }

    redraw() {
      if (!this.pixels || this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        if (this.stale) this.draw();
        this.stale = false;
        this.probe();
      });
    }

    draw() {
      const { map } = this.slider;
      this.products += this.slider.run(this.kernel, this.side);
      this.frames += 1;
      const balanced = Math.abs(this.kernel.reduce((a, b) => a + b, 0)) < 1e-3;
      const middle = balanced ? 0 : 128; // a kernel that sums to 0 shows 0 as mid-grey
      const contrast = Number(this.contrastBox.value);
      const { bytes } = this;
      for (let at = 0; at < map.length; at++) {
        const value = (map[at] - middle) * contrast + 128.5;
        bytes[at] = 0xff000000 | (value < 0 ? 0 : value > 255 ? 255 : value | 0) * 0x010101;
      }
      this.mapCanvas.getContext("2d").putImageData(this.shown, 0, 0);
      const [low, high] = [-128, 127].map((end) => number(middle + end / contrast, 0));
      this.told.textContent = `${balanced ? "The weights sum to 0, and mid-grey is 0. " : ""}`
        + `Black is ${low} or less, white ${high} or more. `
        + "Point at a picture, or focus the feature map and use the arrow keys.";
      this.root.dataset.frames = this.frames;
      this.root.dataset.products = this.products;
    }

    key(event) {
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const step = steps[event.key];
      if (!step || !this.at || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const by = event.shiftKey ? 10 : 1;
      this.move(this.at[0] + by * step[0], this.at[1] + by * step[1]);
      const { padded, map, width } = this.slider;
      const [i, j] = this.at;
      this.say(`Row ${i + 1}, column ${j + 1}: pixel ${padded[(i + 2) * (width + 4) + j + 2]}, `
        + `answer ${number(map[i * width + j], 1)}`);
    }

    move(row, column) {
      if (!this.pixels) return;
      const inside = (at, n) => Math.min(Math.max(at, 0), n - 1);
      this.at = [inside(row, this.slider.height), inside(column, this.slider.width)];
      this.redraw();
    }

    // Show which patch meets which kernel at a pixel, and what comes out.
    probe() {
      const { width, height, padded, map } = this.slider;
      const { side, kernel } = this;
      this.at ??= [Math.floor(height / 2), Math.floor(width / 2)];
      const [i, j] = this.at;
      const reach = (side - 1) / 2;
      const patch = kernel.map((_, at) => padded[
        (i + 2 + Math.floor(at / side) - reach) * (width + 4) + j + 2 + (at % side) - reach]);
      if (this.cells?.[0].length !== side * side) this.layTables();
      [patch, kernel, patch.map((pixel, at) => pixel * kernel[at])].forEach((values, t) =>
        values.forEach((value, at) => {
          const text = t === 1 ? short(value) : number(value, 1);
          if (this.cells[t][at].textContent !== text) this.cells[t][at].textContent = text;
        }));
      this.answer.textContent = number(map[i * width + j], 1);
      for (const marker of this.markers) {
        marker.hidden = false;
        marker.style.left = `${100 * (j - reach) / width}%`;
        marker.style.top = `${100 * (i - reach) / height}%`;
        marker.style.width = `${100 * side / width}%`;
        marker.style.height = `${100 * side / height}%`;
      }
    }

    layTables() {
      this.cells = [];
      const table = (name) => {
        const made = make("table", { class: "kernel-table" }, make("caption", {}, name));
        for (let i = 0; i < this.side; i++)
          made.append(make("tr", {}, ...Array.from({ length: this.side }, () => make("td"))));
        this.cells.push([...made.querySelectorAll("td")]);
        return made;
      };
      this.answer = make("strong");
      this.sum.replaceChildren(table("patch"), make("span", {}, "×"), table("kernel"),
        make("span", {}, "="), table("products"), make("span", {}, "sum: ", this.answer));
    }

    say(text) {
      clearTimeout(this.speech); // wait for a pause, so that a quick move is not read out
      this.speech = setTimeout(() => { this.said.textContent = text; }, 300);
    }

    complain(text) {
      this.complaint.textContent = text;
    }
  }

  for (const root of document.querySelectorAll(".kernel-editor")) root.kernelEditor = new Editor(root);
}
