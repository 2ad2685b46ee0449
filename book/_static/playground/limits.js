// The best score that is possible on a data set whose formula is known: the accuracy of the answer
// that knows how the points were drawn, and the loss that noise leaves in a regression.
"use strict";
((playground) => {
  const { data } = playground;
  const { PI, abs, cos, max, min, sin, sqrt } = Math;
  const SIDE = 240; // cells to a side of the grid on which densities are added up
  const middles = (n, low, high) =>
    Array.from({ length: n }, (_, k) => low + ((high - low) * (k + 0.5)) / n);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  // Φ(z), by its series around 0.
  const normal = (z) => {
    if (abs(z) > 8) return z > 0 ? 1 : 0;
    let term = z, sum = 0;
    for (let k = 3; sum + term !== sum && k < 400; k += 2) {
      sum += term;
      term *= (z * z) / k;
    }
    return 0.5 + (Math.exp(-0.5 * z * z) / sqrt(2 * PI)) * sum;
  };
  const flat = (z) => min(1, max(0, (z + 1) / 2)); // the same for a uniform number from −1 to 1

  // Where each class is a mean of clouds, all alike, around its centres: the sum over a grid of the
  // most that any class has in a cell.
  const ofClouds = (classes, spread, cumulative, reach) => {
    const edges = Array.from({ length: SIDE + 1 }, (_, k) => reach * ((2 * k) / SIDE - 1));
    const shares = (centre) => {
      const below = edges.map((edge) => cumulative((edge - centre) / spread));
      const all = Array.from({ length: SIDE }, (_, k) => [k, below[k + 1] - below[k]]);
      return all.filter(([, share]) => share > 0);
    };
    const most = new Float64Array(SIDE * SIDE);
    for (const centres of classes) {
      const own = new Float64Array(SIDE * SIDE);
      for (const [x, y] of centres) {
        const columns = shares(x);
        for (const [r, inRow] of shares(y))
          for (const [c, inColumn] of columns) own[r * SIDE + c] += inRow * inColumn;
      }
      own.forEach((value, k) => { most[k] = max(most[k], value / centres.length); });
    }
    return most.reduce((sum, value) => sum + value, 0) / classes.length;
  };

  const accuracies = {
    // A point is inside if it lies so after a shake in a square of side 2h: the share of the square
    // that lies in the disc, added up in strips.
    circle: (noise) => {
      const h = 5 * noise, R = 2.5;
      const inside = (x, y) => mean(middles(48, x - h, x + h).map((u) => {
        const half = sqrt(max(0, R * R - u * u));
        return max(0, min(y + h, half) - max(y - h, -half)) / (2 * h);
      }));
      const rings = [middles(60, 0, R), middles(60, 3.5, 5)].flat();
      return mean(rings.flatMap((r) => middles(9, 0, PI / 4).map((angle) => {
        const share = inside(r * cos(angle), r * sin(angle));
        return max(share, 1 - share);
      })));
    },
    // Each coordinate, 0.3 to 5.3 from 0, keeps its sign with the chance ½ + at most ½.
    xor: (noise) => {
      const h = 5 * noise, end = max(0.3, min(h, 5.3));
      const surplus = ((end * end - 0.09) / (4 * h) + (5.3 - end) / 2) / 5;
      return 0.5 + 2 * surplus * surplus;
    },
    // Two round clouds, 4√2 apart: half of that in deviations is an error away.
    gauss: (noise) => normal(sqrt(8) / sqrt(0.5 + 7 * noise)),
    spiral: (noise) => {
      const arm = (turn) => Array.from({ length: 250 }, (_, k) => {
        const along = k / 250, angle = 3.5 * PI * along + turn;
        return [5 * along * sin(angle), 5 * along * cos(angle)];
      });
      return ofClouds([arm(0), arm(PI)], noise, flat, 5.6);
    },
    moons: (noise) => {
      const half = middles(200, 0, PI);
      return ofClouds([
        half.map((a) => [3 * (cos(a) - 0.5), 3 * (sin(a) - 0.25)]),
        half.map((a) => [3 * (0.5 - cos(a)), 3 * (0.25 - sin(a))]),
      ], 3 * noise, normal, 12);
    },
    blobs: (noise, n) => ofClouds(Array.from({ length: n }, (_, k) =>
      [[3.5 * sin((2 * PI * k) / n), 3.5 * cos((2 * PI * k) / n)]]), 0.5 + 3 * noise, normal, 12),
  };

  // Half of the mean variance of the target at one place.
  const losses = {
    "reg-plane": (noise) => 0.12 * noise * noise,
    "reg-wave": (noise) => 0.5 * noise * noise,
    "reg-gauss": (noise) => {
      const places = middles(48, -6, 6), shakes = middles(12, -6 * noise, 6 * noise);
      return mean(places.flatMap((x) => places.map((y) => {
        const heights = shakes.flatMap((dx) => shakes.map((dy) => data.height(x + dx, y + dy)));
        const middle = mean(heights);
        return 0.5 * mean(heights.map((height) => (height - middle) ** 2));
      })));
    },
  };

  const known = new Map();
  const recall = (table, name, noise, classes) => {
    if (!Object.hasOwn(table, name)) return null;
    const key = `${name} ${noise} ${name === "blobs" ? classes : ""}`;
    if (!known.has(key)) known.set(key, table[name](noise, classes));
    return known.get(key);
  };

  // Both take a state, and give null where nothing is known, as of one's own points.
  const isRegression = ({ problem }) => problem === "regression";
  const accuracy = (state) => {
    if (isRegression(state)) return null;
    const still = state.noise === 0 && !["gauss", "blobs"].includes(state.dataset);
    if (still) return Object.hasOwn(accuracies, state.dataset) ? 1 : null;
    return recall(accuracies, state.dataset, state.noise / 100, state.classes);
  };
  const loss = (state) =>
    (isRegression(state) ? recall(losses, state.regDataset, state.noise / 100) : null);

  Object.assign(playground, { limits: { accuracy, loss } });
})(globalThis.playground);
