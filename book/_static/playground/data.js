// The data sets, drawn from a seed. Those of the TensorFlow Playground have its formulas.
// Classes of two are −1 and 1; blobs number theirs from 0.
"use strict";
((part) => {
  const playground = (globalThis.playground ??= { parts: [] });
  playground.parts.push(part);
  part(playground);
})((playground) => {
  const { Random } = playground;
  const { PI, abs, cos, floor, hypot, max, sin, sqrt } = Math;
  const sign = (yes) => (yes ? 1 : -1);

  // Six hills and hollows, each a cone; the one that reaches furthest from 0 counts.
  const HILLS = [[-4, 2.5, 1], [0, 2.5, -1], [4, 2.5, 1], [-4, -2.5, -1], [0, -2.5, 1], [4, -2.5, -1]];
  const height = (x, y) => HILLS.reduce((furthest, [cx, cy, to]) => {
    const here = to * max(0, 1 - hypot(x - cx, y - cy) / 2);
    return abs(here) > abs(furthest) ? here : furthest;
  }, 0);

  // Each takes a generator, the number of points and the noise, 0 to 0.5, and yields [x, y, label].
  const generators = {
    *circle(random, n, noise) {
      const shake = () => random.uniform(-5, 5) * noise;
      for (let i = 0; i < n; i++) {
        const r = i < n / 2 ? random.uniform(0, 2.5) : random.uniform(3.5, 5);
        const angle = random.uniform(0, 2 * PI);
        const [x, y] = [r * sin(angle), r * cos(angle)];
        yield [x, y, sign(hypot(x + shake(), y + shake()) < 2.5)];
      }
    },

    *xor(random, n, noise) {
      const shake = () => random.uniform(-5, 5) * noise;
      const draw = () => {
        const value = random.uniform(-5, 5);
        return value + 0.3 * sign(value > 0); // a gap between the quadrants
      };
      for (let i = 0; i < n; i++) {
        const [x, y] = [draw(), draw()];
        yield [x, y, sign((x + shake()) * (y + shake()) >= 0)];
      }
    },

    *gauss(random, n, noise) {
      const deviation = sqrt(0.5 + 7 * noise);
      for (let i = 0; i < n; i++) {
        const label = sign(i < n / 2);
        yield [random.normal(2 * label, deviation), random.normal(2 * label, deviation), label];
      }
    },

    *spiral(random, n, noise) {
      const half = n / 2;
      const shake = () => random.uniform(-1, 1) * noise;
      for (let i = 0; i < n; i++) {
        const label = sign(i < half);
        const along = (i < half ? i : i - Math.ceil(half)) / half;
        const angle = 3.5 * PI * along + (label < 0 ? PI : 0);
        yield [5 * along * sin(angle) + shake(), 5 * along * cos(angle) + shake(), label];
      }
    },

    // Two half circles in one another, as scikit-learn's make_moons, three times as large.
    *moons(random, n, noise) {
      for (let i = 0; i < n; i++) {
        const label = sign(i >= n / 2);
        const angle = random.uniform(0, PI);
        const [x, y] = label < 0 ? [cos(angle), sin(angle)] : [1 - cos(angle), 0.5 - sin(angle)];
        const shake = () => random.normal(0, noise);
        yield [3 * (x - 0.5 + shake()), 3 * (y - 0.25 + shake()), label];
      }
    },

    // As many round clouds as classes, on a circle.
    *blobs(random, n, noise, classes = 3) {
      const deviation = 0.5 + 3 * noise;
      for (let i = 0; i < n; i++) {
        const label = floor((i * classes) / n);
        const angle = (2 * PI * label) / classes;
        yield [random.normal(3.5 * sin(angle), deviation), random.normal(3.5 * cos(angle), deviation),
          label];
      }
    },

    *plane(random, n, noise) {
      for (let i = 0; i < n; i++) {
        const [x, y, dx, dy] = [1, 1, noise, noise].map((by) => random.uniform(-6, 6) * by);
        yield [x, y, (x + dx + y + dy) / 10];
      }
    },

    *hills(random, n, noise) {
      for (let i = 0; i < n; i++) {
        const [x, y, dx, dy] = [1, 1, noise, noise].map((by) => random.uniform(-6, 6) * by);
        yield [x, y, height(x + dx, y + dy)];
      }
    },
  };

  const features = {
    x: (x) => x,
    y: (x, y) => y,
    xSquared: (x) => x * x,
    ySquared: (x, y) => y * y,
    xTimesY: (x, y) => x * y,
    sinX: (x) => sin(x),
    sinY: (x, y) => sin(y),
  };

  // Points as [x, y, label], in random order.
  const draw = (name, { n, noise = 0, seed = 0, classes = 3 }) => {
    if (!Object.hasOwn(generators, name))
      throw new RangeError(`data is one of ${Object.keys(generators).join(", ")}, not ${name}`);
    const random = new Random(seed, 3);
    return random.shuffle([...generators[name](random, n, noise, classes)]);
  };

  // The rows that a network reads: the chosen features of each point, one row after the other.
  const inputs = (points, chosen) => Float64Array.from(
    points.flatMap(([x, y]) => chosen.map((name) => features[name](x, y))));

  // What it should answer: the label, or a 1 in the place of the class among zeros.
  const targets = (points, classes = 1) => Float64Array.from(points.flatMap(([, , label]) =>
    classes === 1 ? [label] : Array.from({ length: classes }, (_, k) => Number(k === label))));

  Object.assign(playground, { data: { names: Object.keys(generators), features, height, draw, inputs, targets } });
});
