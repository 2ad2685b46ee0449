// The word map: words as points, with search, hover, keyboard, and lines to the nearest words.
// Without this script the page shows what .word-map-still contains.
"use strict";
{
  const { make, draw } = globalThis.elements;
  const EDGE = 20; // free around the words, of 1000
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  class WordMap {
    constructor(root) {
      this.root = root;
      this.id = root.id || "word-map";
      // rows of word, x, y and the numbers of the nearest words; y grows upwards
      this.words = JSON.parse(root.dataset.words).map(([word, x, y, near]) =>
        ({ word, x, y: 1000 - y, near }));
      if (!this.words.length) return;
      this.chosen = -1;
      this.build();
      root.querySelector(".word-map-still").hidden = true;
      this.choose(0, false);
    }

    build() {
      const listId = `${this.id}-words`;
      this.search = make("input", {
        id: `${this.id}-search`, type: "search", list: listId, autocomplete: "off", spellcheck: "false",
      });
      const sorted = this.words.map(({ word }) => word).sort();
      this.lines = draw("g", { class: "word-map-lines" });
      this.points = this.words.map(({ x, y }) => draw("circle", { cx: x, cy: y, r: 6 }));
      this.names = draw("g", { class: "word-map-names" });
      this.sheet = draw("svg", {
        viewBox: `${-EDGE} ${-EDGE} ${1000 + 2 * EDGE} ${1000 + 2 * EDGE}`, tabindex: "0",
        role: "application", "aria-label": "Map of words: move from word to word with the arrow keys",
      }, this.lines, draw("g", { class: "word-map-points" }, ...this.points), this.names);
      this.told = make("p", { class: "word-map-told", "aria-live": "polite" });
      this.root.append(make("div", { role: "group", "aria-label": this.root.dataset.title },
        make("div", { class: "word-map-row" },
          make("label", { for: this.search.id }, "Find a word"), this.search,
          make("datalist", { id: listId }, ...sorted.map((value) => make("option", { value })))),
        this.sheet, this.told));
      this.search.addEventListener("input", () => this.find());
      this.sheet.addEventListener("keydown", (event) => this.key(event));
      for (const kind of ["pointermove", "pointerdown"])
        this.sheet.addEventListener(kind, (event) => this.point(event));
    }

    find() {
      const asked = this.search.value.trim().toLowerCase();
      if (!asked) return;
      const names = this.words.map(({ word }) => word.toLowerCase());
      const exact = names.indexOf(asked);
      const found = exact >= 0 ? exact : names.findIndex((name) => name.startsWith(asked));
      if (found >= 0) this.choose(found);
      else this.told.textContent = `“${this.search.value}” is not among the ${names.length} words of the map.`;
    }

    point(event) {
      const box = this.sheet.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * (1000 + 2 * EDGE) - EDGE;
      const y = (event.clientY - box.top) / box.height * (1000 + 2 * EDGE) - EDGE;
      const far = this.words.map((at) => Math.hypot(at.x - x, at.y - y));
      const nearest = far.indexOf(Math.min(...far));
      if (far[nearest] < 60) this.choose(nearest);
    }

    // The next word in a direction: near ones first, straight ahead before askew.
    key(event) {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      const from = this.words[this.chosen];
      let best = -1;
      let least = Infinity;
      this.words.forEach((to, k) => {
        const ahead = (to.x - from.x) * step[0] + (to.y - from.y) * step[1];
        const aside = Math.abs((to.x - from.x) * step[1]) + Math.abs((to.y - from.y) * step[0]);
        const cost = ahead + 3 * aside;
        if (ahead > 0 && aside <= 2 * ahead && cost < least) [best, least] = [k, cost];
      });
      if (best >= 0) this.choose(best);
    }

    // A name stands above its point, or below it where another name is in the way.
    name(k, kind, taken) {
      const { word, x, y } = this.words[k];
      const anchor = x > 800 ? "end" : x < 200 ? "start" : "middle";
      const free = (at) => Math.min(...taken.map((other) =>
        Math.abs(other.x - x) > 160 ? 1000 : Math.abs(other.y - at)), 45);
      const [above, below] = [y - 12, y + 32];
      const at = above < 20 || free(below) > free(above) ? below : above;
      taken.push({ x, y: at });
      const made = draw("text", { x, y: at, "text-anchor": anchor, class: kind });
      made.textContent = word;
      return made;
    }

    choose(k, tell = true) {
      if (k === this.chosen) return;
      this.chosen = k;
      const { word, x, y, near } = this.words[k];
      this.points.forEach((point, at) => {
        point.classList.toggle("word-map-chosen", at === k);
        point.classList.toggle("word-map-near", near.includes(at));
      });
      this.lines.replaceChildren(...near.map((at) =>
        draw("line", { x1: x, y1: y, x2: this.words[at].x, y2: this.words[at].y })));
      const taken = [];
      const own = this.name(k, "word-map-chosen", taken);
      this.names.replaceChildren(...near.map((at) => this.name(at, "word-map-near", taken)), own);
      const told = `${word}: nearest are ${near.map((at) => this.words[at].word).join(", ")}.`;
      this.told.textContent = told;
      this.root.dataset.chosen = word;
      if (tell) this.sheet.setAttribute("aria-description", told);
    }
  }

  for (const root of document.querySelectorAll(".word-map")) root.wordMap = new WordMap(root);
}
