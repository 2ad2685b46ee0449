// The kernel editor: an image, a kernel, and its feature map. Nothing leaves the browser.
// Without this script the page shows what .kernel-still contains.
"use strict";
{
  const LARGEST = 512;
  const here = document.currentScript;

  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  const number = (value, digits = 3) =>
    String(Number(value.toFixed(digits))).replace("-", "−");

  // Slide a kernel of k × k over grey bytes; `padded` is `source` in a frame of r zeros.
  class Slider {
    resize(width, height) {
      this.width = width;
      this.height = height;
      this.padded = new Float32Array((width + 4) * (height + 4)); // for 5 × 5, and so for 3 × 3
      this.map = new Float32Array(width * height);
    }

    load(pixels, width, height) {
      if (width !== this.width || height !== this.height) this.resize(width, height);
      for (let i = 0; i < height; i++) {
        const row = (i + 2) * (width + 4) + 2;
        for (let j = 0; j < width; j++) this.padded[row + j] = pixels[i * width + j];
      }
    }

    // Returns the number of products: only weights that are not 0 cost any.
    run(kernel, side) {
      const { width, height, padded, map } = this;
      const reach = (side - 1) / 2;
      const stride = width + 4;
      const used = kernel.reduce((n, weight) => n + (weight !== 0), 0);
      const weights = new Float64Array(used);
      const offsets = new Int32Array(used);
      let n = 0;
      kernel.forEach((weight, at) => {
        if (weight === 0) return;
        weights[n] = weight;
        offsets[n++] = (Math.floor(at / side) - reach) * stride + (at % side) - reach;
      });
      for (let i = 0; i < height; i++) {
        const row = (i + 2) * stride + 2;
        for (let j = 0; j < width; j++) {
          let sum = 0;
          for (let t = 0; t < used; t++) sum += weights[t] * padded[row + j + offsets[t]];
          map[i * width + j] = sum;
        }
      }
      return used * width * height;
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
      root.querySelector(".kernel-still").hidden = true;
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
      this.imageBox = make("select", {},
        ...[...this.sources].map(([name, li]) => option(name, li.textContent)),
        option("", "Your own"));
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
        this.imageBox.value ? this.chooseImage(this.imageBox.value) : this.fileBox.click());
      this.fileBox.addEventListener("change", () => this.open(this.fileBox.files[0]));
      this.presetBox.addEventListener("change", () => this.choosePreset(this.presetBox.value));
      this.sideBox.addEventListener("change", () => this.resize(Number(this.sideBox.value)));
      this.contrastBox.addEventListener("change", () => this.request());
      this.grid.addEventListener("input", () => this.typed());
      for (const canvas of [this.imageCanvas, this.mapCanvas]) {
        const point = (event) => {
          const box = canvas.getBoundingClientRect();
          this.probe(Math.floor((event.clientY - box.top) / box.height * canvas.height),
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
          type: "number", step: "any", inputmode: "decimal", "aria-label":
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
      this.request();
    }

    typed() {
      this.kernel = [...this.grid.children].map((field) => {
        const value = Number(field.value);
        return Number.isFinite(value) ? value : 0;
      });
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
      if (Math.abs(total) < 1e-6) this.say("The weights sum to 0, and nothing can be divided by it.");
      else this.setKernel(this.kernel.map((weight) => weight / total), this.side);
    }

    turn() {
      const k = this.side;
      this.setKernel(this.kernel.map((_, at) =>
        this.kernel[(k - 1 - (at % k)) * k + Math.floor(at / k)]), k);
    }

    // --- the image --------------------------------------------------------------------------
    chooseImage(name) {
      this.imageBox.value = name;
      this.wanted = name;
      const known = window.kernelImages?.[name];
      if (known) {
        const [mime, text] = known;
        const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        this.read(new Blob([bytes], { type: mime }), name);
        return;
      }
      const script = make("script", { src: this.sources.get(name).dataset.src });
      script.addEventListener("load", () => this.wanted === name && this.chooseImage(name));
      script.addEventListener("error", () => this.complain("The image could not be loaded."));
      here.after(script);
    }

    open(file) {
      if (!file) return;
      this.wanted = "";
      this.imageBox.value = "";
      this.read(file, "");
    }

    async read(blob, name) {
      let bitmap;
      try {
        bitmap = await createImageBitmap(blob);
      } catch {
        this.complain("This file is no image that the browser can read.");
        return;
      }
      if (this.wanted !== name) return; // the reader has chosen another one meanwhile
      this.complain("");
      const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
      const width = Math.max(1, Math.round(bitmap.width * scale));
      const height = Math.max(1, Math.round(bitmap.height * scale));
      for (const canvas of [this.imageCanvas, this.mapCanvas]) {
        canvas.width = width;
        canvas.height = height;
      }
      const context = this.imageCanvas.getContext("2d", { willReadFrequently: true });
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
      this.shown.data.fill(255);
      this.at = null;
      this.request();
    }

    // --- the feature map --------------------------------------------------------------------
    // However many changes come between two frames of the screen, the map is computed once.
    request() {
      if (!this.pixels || this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.draw();
      });
    }

    draw() {
      const { map } = this.slider;
      this.products += this.slider.run(this.kernel, this.side);
      this.frames += 1;
      const balanced = Math.abs(this.kernel.reduce((a, b) => a + b, 0)) < 1e-3;
      const middle = balanced ? 0 : 128; // a kernel that sums to 0 shows 0 as mid-grey
      const contrast = Number(this.contrastBox.value);
      const bytes = this.shown.data;
      for (let at = 0; at < map.length; at++) {
        const value = (map[at] - middle) * contrast + 128; // the array clamps it to 0 … 255
        bytes[4 * at] = bytes[4 * at + 1] = bytes[4 * at + 2] = value;
      }
      this.mapCanvas.getContext("2d").putImageData(this.shown, 0, 0);
      const [low, high] = [-128, 127].map((end) => number(middle + end / contrast, 0));
      this.told.textContent = `${balanced ? "The weights sum to 0, and mid-grey is 0. " : ""}`
        + `Black is ${low} or less, white ${high} or more. `
        + "Point at a picture, or focus the feature map and use the arrow keys.";
      this.root.dataset.frames = this.frames;
      this.root.dataset.products = this.products;
      if (this.at) this.probe(...this.at, false);
      else this.probe(Math.floor(this.slider.height / 2), Math.floor(this.slider.width / 2), false);
    }

    key(event) {
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const step = steps[event.key];
      if (!step || !this.at || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const by = event.shiftKey ? 10 : 1;
      this.probe(this.at[0] + by * step[0], this.at[1] + by * step[1]);
    }

    // Show which patch meets which kernel at a pixel.
    probe(row, column, aloud = true) {
      if (!this.pixels) return;
      const { width, height, padded, map } = this.slider;
      const { side, kernel } = this;
      const i = Math.min(Math.max(row, 0), height - 1);
      const j = Math.min(Math.max(column, 0), width - 1);
      this.at = [i, j];
      const reach = (side - 1) / 2;
      const patch = kernel.map((_, at) => padded[
        (i + 2 + Math.floor(at / side) - reach) * (width + 4) + j + 2 + (at % side) - reach]);
      const table = (name, values, digits) => {
        const made = make("table", { class: "kernel-table" }, make("caption", {}, name));
        for (let at = 0; at < values.length; at += side)
          made.append(make("tr", {}, ...values.slice(at, at + side).map((value) =>
            make("td", {}, number(value, digits)))));
        return made;
      };
      const answer = number(map[i * width + j], 1);
      this.sum.replaceChildren(table("patch", patch, 0), make("span", {}, "×"),
        table("kernel", kernel, 2), make("span", {}, "="), make("strong", {}, answer));
      const place = (marker, across) => {
        marker.hidden = false;
        marker.style.left = `${100 * (j - across) / width}%`;
        marker.style.top = `${100 * (i - across) / height}%`;
        marker.style.width = `${100 * (2 * across + 1) / width}%`;
        marker.style.height = `${100 * (2 * across + 1) / height}%`;
      };
      this.markers.forEach((marker) => place(marker, reach));
      if (aloud) this.say(`Row ${i + 1}, column ${j + 1}: pixel ${patch[(side * side - 1) / 2]}, answer ${answer}`);
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
