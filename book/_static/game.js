// "Real or generated?": an image a round, two buttons, and the reader's score beside the
// detector's and beside guessing. Nothing is stored and nothing is sent.
// Without this script the page shows what .game-still contains.
"use strict";
{
  const { make, draw } = globalThis.elements;
  const SIDE = 8;
  const LEVELS = "0123456789abcdefg";
  const KEYS = { r: 1, R: 1, ArrowLeft: 1, g: 0, G: 0, ArrowRight: 0 };

  const name = (real) => (real ? "real" : "generated");

  class Game {
    constructor(root) {
      this.root = root;
      const { rounds, intervals } = JSON.parse(root.dataset.game);
      if (!rounds.length) return;
      this.rounds = rounds.map(([pixels, real, detector]) => ({ pixels, real, detector }));
      this.intervals = intervals;
      this.order = this.rounds.map((_, k) => k);
      this.build();
      root.querySelector(".game-still").hidden = true;
      this.start();
    }

    build() {
      this.count = make("p", { class: "game-count" });
      this.ink = draw("g", { fill: "#1a2330" });
      this.sheet = draw("svg", {
        viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", class: "game-picture",
        "shape-rendering": "crispEdges",
      }, draw("rect", { class: "game-paper", width: SIDE, height: SIDE, fill: "#f1f3f6" }), this.ink);
      this.real = make("button", { type: "button", class: "game-real" }, "Real (R or ←)");
      this.fake = make("button", { type: "button", class: "game-fake" }, "Generated (G or →)");
      this.again = make("button", { type: "button", class: "game-again" }, "Play again");
      this.told = make("p", { class: "game-told", "aria-live": "polite" });
      this.scores = make("tbody");
      const heads = ["who", "right", "exact 95% interval"].map((text) =>
        make("th", { scope: "col" }, text));
      this.table = make("table", { class: "game-scores" },
        make("caption", {}, "Scores"), make("thead", {}, make("tr", {}, ...heads)), this.scores);
      const group = make("div", { role: "group", "aria-label": this.root.dataset.title },
        make("p", { class: "game-title" }, this.root.dataset.title), this.count, this.sheet,
        make("div", { class: "game-row" }, this.real, this.fake, this.again), this.told, this.table);
      this.root.append(group);
      this.real.addEventListener("click", () => this.answer(1));
      this.fake.addEventListener("click", () => this.answer(0));
      this.again.addEventListener("click", () => this.replay());
      group.addEventListener("keydown", (event) => this.key(event));
    }

    start() {
      this.at = 0;
      this.mine = 0;
      this.theirs = 0;
      for (const part of [this.again, this.table]) part.hidden = true;
      for (const part of [this.real, this.fake, this.sheet]) part.toggleAttribute("hidden", false);
      this.told.textContent = "";
      this.show();
    }

    replay() {
      for (let k = this.order.length - 1; k > 0; k -= 1) {
        const other = Math.floor(Math.random() * (k + 1));
        [this.order[k], this.order[other]] = [this.order[other], this.order[k]];
      }
      this.start();
      this.told.textContent = "The same images in another order. Your first score was the fair one.";
      this.real.focus();
    }

    show() {
      const n = this.rounds.length;
      const { pixels } = this.rounds[this.order[this.at]];
      this.root.dataset.round = String(this.at);
      this.count.textContent = `Round ${this.at + 1} of ${n}: real or generated?`;
      this.sheet.setAttribute("aria-label", `Image ${this.at + 1} of ${n}: a digit in 8 by 8 pixels`);
      this.ink.replaceChildren(...[...pixels].flatMap((letter, place) => {
        const level = LEVELS.indexOf(letter);
        return level ? [draw("rect", {
          x: place % SIDE, y: Math.floor(place / SIDE), width: 1, height: 1,
          "fill-opacity": level / 16,
        })] : [];
      }));
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
      if (this.at >= this.rounds.length) return;
      event.preventDefault();
      event.stopPropagation(); // the theme turns pages with the arrow keys
      this.answer(KEYS[event.key]);
    }

    answer(said) {
      if (this.at >= this.rounds.length) return;
      const { real, detector } = this.rounds[this.order[this.at]];
      this.mine += said === real ? 1 : 0;
      this.theirs += detector === real ? 1 : 0;
      this.at += 1;
      const verdict = (it) => (it === real ? "right" : "wrong");
      this.told.textContent = `Image ${this.at} was ${name(real)}. You were ${verdict(said)}, ` +
        `the detector was ${verdict(detector)}. So far you have ${this.mine} and the detector ` +
        `has ${this.theirs} of ${this.at}.`;
      if (this.at < this.rounds.length) this.show();
      else this.end();
    }

    span(right) {
      return this.intervals[right].map((share) => `${Math.round(share)}%`).join(" to ");
    }

    end() {
      const n = this.rounds.length;
      const [low, high] = this.intervals[this.mine];
      const verdict = low > 50 ? "That is better than guessing." :
        high < 50 ? "That is worse than guessing: you see the difference, and take it for its opposite." :
          "50% lies in it, so guessing cannot be excluded.";
      const against = this.mine > this.theirs ? "You beat the detector." :
        this.mine < this.theirs ? "The detector beat you." : "You are level with the detector.";
      this.told.textContent += ` The game is over. You were right in ${this.mine} of ${n}; the exact ` +
        `95% interval for your share is ${this.span(this.mine)}. ${verdict} ${against}`;
      const row = (who, right, span) => make("tr", {},
        make("th", { scope: "row" }, who), make("td", {}, right), make("td", {}, span));
      this.scores.replaceChildren(
        row("you", `${this.mine} of ${n}`, this.span(this.mine)),
        row("the detector", `${this.theirs} of ${n}`, this.span(this.theirs)),
        row("guessing", `${n / 2} of ${n} on average`, "50%, known"));
      this.count.textContent = `All ${n} rounds are played.`;
      this.root.dataset.round = String(n);
      this.again.hidden = false;
      this.table.hidden = false;
      this.again.focus(); // before its neighbours vanish, so that the focus is not lost
      for (const part of [this.real, this.fake, this.sheet]) part.toggleAttribute("hidden", true);
    }
  }

  for (const root of document.querySelectorAll(".game")) root.game = new Game(root);
}
