// Pictures of the playground on canvases: what a neuron answers over the plane, points, and curves.
"use strict";
((playground) => {
  const SIDE = 40, REACH = 6; // a map has 40 × 40 places, from −6 to 6
  const FONT = "13px sans-serif";
  const STEPS = 100; // shades from 0 to ±1
  const SHAPES = ["circle", "square", "triangle", "diamond", "plus", "cross"];
  const COLOURS = {
    light: { paper: [252, 252, 253], edge: "#fff", muted: "#55606c", share: 0.6, classes: [[24, 95, 159], [196, 98, 0],
      [12, 127, 95], [150, 60, 140], [120, 110, 20], [90, 90, 100]] },
    dark: { paper: [24, 27, 32], edge: "#111", muted: "#9ba7b4", share: 0.5, classes: [[104, 176, 242], [246, 165, 92],
      [85, 202, 160], [222, 140, 214], [214, 204, 96], [176, 180, 190]] },
  };
  const theme = () => COLOURS[document.documentElement.dataset.theme === "dark" ? "dark" : "light"];
  const rgb = (k) => `rgb(${(theme().classes[k] ?? theme().classes[0]).join(" ")})`;

  // The pixels of all shades: from −1 to 1, then one for each class.
  const shades = new Map();
  const shadesOf = (colours) => {
    const { paper, classes, share } = colours;
    const pixel = (full, much) => full.reduce((bits, value, c) =>
      bits | (Math.round(paper[c] + (value - paper[c]) * much) << (8 * c)), 0xff << 24) >>> 0;
    if (!shades.has(colours)) {
      const both = Array.from({ length: 2 * STEPS + 1 }, (_, k) =>
        pixel(classes[k >= STEPS ? 0 : 1], (Math.abs(k - STEPS) / STEPS) * share));
      shades.set(colours, Uint32Array.from([...both, ...classes.map((full) => pixel(full, share))]));
    }
    return shades.get(colours);
  };
  const ofValue = (value) => Math.round(STEPS * (1 + Math.max(-1, Math.min(1, value))));
  const ofClass = (k) => 2 * STEPS + 1 + k;

  // A canvas whose pixels are as fine as the screen's.
  const ready = (canvas, width, height) => {
    const fine = Math.min(2, globalThis.devicePixelRatio || 1), ctx = canvas.getContext("2d");
    const [w, h] = [Math.round(width * fine), Math.round(height * fine)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    ctx.setTransform(fine, 0, 0, fine, 0, 0);
    return ctx;
  };

  // `shade` gives the number of the shade at each place, row by row from the top left.
  const small = document.createElement("canvas");
  const image = new ImageData(SIDE, SIDE), pixels = new Uint32Array(image.data.buffer);
  const tile = (canvas, shade) => {
    const all = shadesOf(theme());
    if (canvas.width !== SIDE) canvas.width = canvas.height = SIDE;
    for (let p = 0; p < SIDE * SIDE; p++) pixels[p] = all[shade(p)];
    canvas.getContext("2d").putImageData(image, 0, 0);
  };
  const map = (ctx, size, shade, smooth = true) => {
    tile(small, shade);
    ctx.imageSmoothingEnabled = smooth;
    ctx.drawImage(small, 0, 0, size, size);
  };

  const shape = (ctx, kind, x, y, r) => {
    ctx.beginPath();
    if (kind === "circle") ctx.arc(x, y, r, 0, 7);
    else if (kind === "square") ctx.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
    else if (kind === "plus" || kind === "cross") {
      const [a, b] = kind === "plus" ? [r, 0] : [r, r];
      ctx.moveTo(x - a, y - b); ctx.lineTo(x + a, y + b);
      ctx.moveTo(x - b, y + a); ctx.lineTo(x + b, y - a);
    } else {
      ctx.moveTo(x, y - 1.2 * r); ctx.lineTo(x + 1.2 * r, kind === "diamond" ? y : y + r);
      ctx.lineTo(kind === "diamond" ? x : x - 1.2 * r, y + (kind === "diamond" ? 1.2 * r : r));
      if (kind === "diamond") ctx.lineTo(x - 1.2 * r, y);
      ctx.closePath();
    }
  };

  // Points as [x, y, label]; `hollow` ones are test data. A regression has round points, shaded.
  const points = (ctx, size, list, { classes = 1, hollow = false, shaded = false, r = 3.4 } = {}) => {
    const { edge } = theme();
    for (const [x, y, label] of list) {
      const k = classes > 1 ? label : label > 0 ? 0 : 1, lines = k > 3 && !shaded;
      shape(ctx, shaded ? "circle" : SHAPES[k] ?? "circle",
        ((x / REACH + 1) * size) / 2, ((1 - y / REACH) * size) / 2, r);
      const colour = rgb(k);
      ctx.globalAlpha = shaded ? 0.25 + 0.75 * Math.min(1, Math.abs(label)) : 1;
      if (hollow || lines) [ctx.strokeStyle, ctx.lineWidth] = [colour, 1.5];
      else {
        [ctx.fillStyle, ctx.strokeStyle, ctx.lineWidth] = [colour, edge, 1];
        ctx.fill();
      }
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  };

  // Weights as lines, [x, y, x, y, weight]: wide if large, dashed if negative.
  const lines = (ctx, list) => {
    ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
    for (const [k, dash] of [[0, []], [1, [6, 3]]]) {
      ctx.strokeStyle = rgb(k);
      ctx.setLineDash(dash);
      for (const [x, y, u, v, weight] of list) {
        if (weight < 0 !== (k === 1)) continue;
        ctx.lineWidth = Math.min(8, 0.4 + Math.abs(weight) * 2);
        ctx.beginPath();
        ctx.moveTo(x, y);
        ctx.lineTo(u, v);
        ctx.stroke();
      }
    }
    ctx.setLineDash([]);
  };

  const short = (value) => {
    if (!Number.isFinite(value)) return "∞";
    const tiny = value !== 0 && Math.abs(value) < 1e-3;
    const [digits, power] = tiny ? value.toExponential(1).split("e") : [String(Number(value.toPrecision(3)))];
    const raised = [...(power ?? "")].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign])).join("");
    return `${digits}${tiny ? ` · 10${raised}` : ""}`.replaceAll("-", "−");
  };

  const count = (whole) => String(whole).replace(/\B(?=(\d{3})+$)/g, "\u202f"); // 12 345

  // Losses over epochs: rows of [epoch, training, test]; earlier runs are faint behind the last.
  const chart = (canvas, runs, { log, cursor, width }) => {
    const height = 190, ctx = ready(canvas, width, height);
    const [left, right, top, bottom] = [58, 74, 10, 26];
    const scale = log ? (loss) => Math.log10(Math.max(loss, 1e-8)) : (loss) => loss;
    let low = Infinity, high = -Infinity;
    for (const run of runs) for (const row of run) for (let k = 1; k < 3; k++) if (Number.isFinite(row[k])) {
      low = Math.min(low, row[k]);
      high = Math.max(high, row[k]);
    }
    low = log && low < Infinity ? scale(low) : 0;
    high = Math.max(low + 1e-9, high > low ? scale(high) : 1);
    const end = Math.max(1, ...runs.map((run) => run.at(-1)[0]));
    const x = (epoch) => left + (epoch / end) * (width - left - right);
    const y = (loss) => top + (1 - (scale(loss) - low) / (high - low)) * (height - top - bottom);
    const { muted } = theme(), tones = [rgb(0), rgb(1)];
    ctx.clearRect(0, 0, width, height);
    if (ctx.font !== FONT) ctx.font = FONT; // to set it makes the browser lay the page out
    [ctx.strokeStyle, ctx.fillStyle, ctx.lineWidth] = [muted, muted, 1];
    ctx.beginPath();
    ctx.moveTo(left, top); ctx.lineTo(left, height - bottom); ctx.lineTo(width - right, height - bottom);
    ctx.stroke();
    const at = (text, u, v, align, base = "middle") => {
      [ctx.textAlign, ctx.textBaseline] = [align, base];
      ctx.fillText(text, u, v);
    };
    const undo = (value) => (log ? 10 ** value : value);
    at(short(undo(high)), left - 6, top + 4, "right");
    at(short(undo(low)), left - 6, height - bottom, "right");
    at("loss", left - 6, (height - bottom) / 2 + 6, "right");
    at("0", left, height - bottom + 6, "center", "top");
    at(`epoch ${count(end)}`, width - right, height - bottom + 6, "right", "top");
    runs.forEach((run, r) => [1, 2].forEach((which) => {
      ctx.globalAlpha = r < runs.length - 1 ? 0.3 : 1;
      ctx.setLineDash(which === 2 ? [6, 4] : []);
      [ctx.strokeStyle, ctx.lineWidth] = [tones[which - 1], 2];
      ctx.beginPath();
      for (const point of run) if (Number.isFinite(point[which])) ctx.lineTo(x(point[0]), y(point[which]));
      ctx.stroke();
    }));
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
    const now = runs.at(-1).at(-1), ends = [1, 2].map((which) => (Number.isFinite(now[which]) ? y(now[which]) : top));
    const apart = Math.max(0, 16 - Math.abs(ends[0] - ends[1])) / 2, up = ends[0] <= ends[1] ? -1 : 1;
    ["training", "test"].forEach((text, k) => {
      ctx.fillStyle = tones[k];
      const v = ends[k] + (k ? -up : up) * apart;
      at(text, Math.min(x(now[0]) + 8, width - right + 8), Math.max(8, Math.min(height - bottom, v)), "left");
    });
    const row = runs.at(-1)[cursor];
    if (row && cursor < runs.at(-1).length - 1) {
      [ctx.strokeStyle, ctx.lineWidth] = [muted, 1];
      ctx.strokeRect(x(row[0]), top, 0, height - top - bottom);
    }
    return (u) => ((u - left) / (width - left - right)) * end; // the epoch under a place
  };

  Object.assign(playground, { paint: { SIDE, REACH, ready, tile, map, lines, points, shape, chart, count, short, ofValue, ofClass, rgb } });
})(globalThis.playground);
