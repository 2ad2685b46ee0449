// The latent map: a grid of places, a cross that pointer and arrow keys move, and the image that the
// decoder made there. Without this script the page shows what .latent-map-still contains.
"use strict";
{
  const { make, draw } = globalThis.elements;
  const CELL = 40; // a place of the map
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  const number = (value) => (Math.abs(value) < 0.05 ? "0.0" : value.toFixed(1)).replace("-", "−");

  class LatentMap {
    constructor(root) {
      this.root = root;
      const { side, edge, images, says } = JSON.parse(root.dataset.map);
      if (!images) return;
      Object.assign(this, { side, edge, images, says, n: Math.sqrt(images.length) });
      this.build();
      root.querySelector(".latent-map-still").hidden = true;
      const middle = (this.n - 1) / 2;
      this.move(middle, middle);
    }

    build() {
      const { n, side } = this;
      this.names = this.says.map(([name, sure], k) => {
        const made = draw("text", {
          x: (k % n + 0.5) * CELL, y: (Math.floor(k / n) + 0.5) * CELL,
          class: sure >= 90 ? "latent-map-sure" : "latent-map-unsure",
        });
        made.textContent = name;
        return made;
      });
      this.cross = draw("path", { class: "latent-map-cross" });
      this.frame = draw("rect", { width: CELL, height: CELL, class: "latent-map-frame" });
      this.sheet = draw("svg", {
        viewBox: `0 0 ${n * CELL} ${n * CELL}`, tabindex: "0", role: "application",
        "aria-label": "Latent map: move the cross with the arrow keys, to the middle with Home",
      }, draw("g", { class: "latent-map-names" }, ...this.names), this.cross, this.frame);
      this.pixels = Array.from({ length: side * side }, (_, k) => draw("rect", {
        x: k % side, y: Math.floor(k / side), width: 1, height: 1, class: "latent-map-ink",
      }));
      this.picture = draw("svg", { viewBox: `0 0 ${side} ${side}`, role: "img" }, ...this.pixels);
      this.told = make("p", { class: "latent-map-told", "aria-live": "polite" });
      this.root.append(make("div", {
        class: "latent-map-group", role: "group", "aria-label": this.root.dataset.title,
      },
        make("div", { class: "latent-map-sheet" }, this.sheet),
        make("div", { class: "latent-map-picture" }, this.picture, this.told)));
      this.sheet.addEventListener("keydown", (event) => this.key(event));
      for (const kind of ["pointermove", "pointerdown"])
        this.sheet.addEventListener(kind, (event) => this.point(event));
    }

    point(event) {
      const box = this.sheet.getBoundingClientRect();
      const place = (at, length) =>
        Math.min(this.n - 1, Math.max(0, Math.floor(at / length * this.n)));
      this.move(place(event.clientX - box.left, box.width), place(event.clientY - box.top, box.height));
    }

    key(event) {
      const middle = (this.n - 1) / 2;
      const [right, down] = STEPS[event.key] || [0, 0];
      if (event.key === "Home") this.move(middle, middle);
      else if (STEPS[event.key]) {
        const within = (at) => Math.min(this.n - 1, Math.max(0, at));
        this.move(within(this.column + right), within(this.row + down));
      } else return;
      event.preventDefault();
    }

    move(column, row) {
      if (column === this.column && row === this.row) return;
      Object.assign(this, { column, row });
      const { n, edge } = this;
      const k = row * n + column;
      const x = (column + 0.5) * CELL;
      const y = (row + 0.5) * CELL;
      this.cross.setAttribute("d", `M${x} 0V${n * CELL}M0 ${y}H${n * CELL}`);
      this.frame.setAttribute("x", column * CELL);
      this.frame.setAttribute("y", row * CELL);
      this.pixels.forEach((pixel, i) =>
        pixel.setAttribute("fill-opacity", parseInt(this.images[k][i], 16) / 15));
      const first = (2 * column / (n - 1) - 1) * edge;
      const second = (1 - 2 * row / (n - 1)) * edge;
      const [name, sure] = this.says[k];
      const told = `z₁ = ${number(first)}, z₂ = ${number(second)}: the classifier reads ${name}, ${sure}% sure.`;
      this.told.textContent = told;
      this.picture.setAttribute("aria-label", `Decoded image, read as ${name}`);
      this.root.dataset.at = `${column},${row}`;
    }
  }

  for (const root of document.querySelectorAll(".latent-map")) root.latentMap = new LatentMap(root);
}
