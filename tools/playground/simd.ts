// The fast engine in AssemblyScript: the same steps as oracle.js, four samples to a 128-bit vector.
//
// A matrix here has one row a neuron and one column a sample: `length` bytes a row, a multiple of
// 16. Weights keep the order of PyTorch, but each row begins at a multiple of four numbers.
// simd.js lays out the memory, writes `Model` and `Layer` field by field, and reads the answers.

const TILE: i32 = 256; // as many samples go through the network at once
const MOMENTUM: f32 = 0.9, ALPHA: f32 = 0.99, BETA1: f32 = 0.9, BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
const TOO_LARGE: f32 = 1e10;
const GOLDEN: u32 = 0x9e3779b9;

@unmanaged class Model {
  layers: usize; nLayers: i32; inputs: i32; outputs: i32; loss: i32;
  parameters: usize; size: i32; // the gradient follows them, then two memories of the optimiser
  x: usize; y: usize; // the samples of a tile
  n: i32; X: usize; Y: usize; order: usize; // the training data, `row` bytes a feature
  row: i32;
  optimizer: i32; rate: f32; l1: f32; l2: f32; batchSize: i32;
  s0: u32; s1: u32; s2: u32; s3: u32; dropSeed: u32;
  epoch: i32; seen: u32; position: i32; batchStart: i32; batchEnd: i32; updates: i32;
  diverged: i32;
}

@unmanaged class Layer {
  inputs: i32; neurons: i32; activation: i32; node: i32;
  dropout: f32;
  W: usize; b: usize; // parameters
  a: usize; slope: usize; delta: usize; // of a tile
}

// @ts-ignore: decorator
@inline function add(a: v128, b: v128): v128 { return f32x4.add(a, b); }
// @ts-ignore: decorator
@inline function mul(a: v128, b: v128): v128 { return f32x4.mul(a, b); }
// @ts-ignore: decorator
@inline function splat(a: f32): v128 { return f32x4.splat(a); }
// @ts-ignore: decorator
@inline function weight(at: usize): v128 { return v128.load32_splat(at); }
// @ts-ignore: decorator
@inline function total(a: v128): f32 {
  return (f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1))
    + (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3));
}
// @ts-ignore: decorator
@inline function rowBytes(columns: i32): i32 { return ((columns + 3) >> 2) << 4; }
// @ts-ignore: decorator
@inline function first(k: i32): v128 { // ones in the first k lanes
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(k));
}

// ---- functions of four numbers, with their largest errors ----------------------------------------

// eˣ = 2ⁿ·eᶠ with |f| ≤ ½·ln 2, and eᶠ from its series; relative error 2e-7.
function exp(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, splat(-87)), splat(88));
  const n = f32x4.nearest(mul(x, splat(1.44269504)));
  const f = add(add(x, mul(n, splat(-0.693359375))), mul(n, splat(2.12194440e-4)));
  let e = splat(1.0 / 5040);
  e = add(mul(e, f), splat(1.0 / 720));
  e = add(mul(e, f), splat(1.0 / 120));
  e = add(mul(e, f), splat(1.0 / 24));
  e = add(mul(e, f), splat(1.0 / 6));
  e = add(mul(e, f), splat(0.5));
  e = add(mul(e, f), splat(1));
  e = add(mul(e, f), splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return mul(e, power);
}

// ln x = e·ln 2 + 2·artanh s, s = (m − 1)/(m + 1), m from √½ to √2; error 2e-7 for x ≥ 1.
function log(x: v128): v128 {
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3)); // the bits of √½
  const e = i32x4.shr_s(shifted, 23);
  const m = i32x4.sub(x, i32x4.shl(e, 23));
  const s = f32x4.div(add(m, splat(-1)), add(m, splat(1)));
  const u = mul(s, s);
  let series = splat(2.0 / 9);
  series = add(mul(series, u), splat(2.0 / 7));
  series = add(mul(series, u), splat(2.0 / 5));
  series = add(mul(series, u), splat(2.0 / 3));
  series = add(mul(series, u), splat(2));
  return add(mul(f32x4.convert_i32x4_s(e), splat(0.69314718)), mul(s, series));
}

// A ratio of polynomials, fitted by tools/playground/fit_tanh.py; error 9e-6.
// @ts-ignore: decorator
@inline function tanh(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, splat(-6)), splat(6));
  const u = mul(x, x);
  let p = splat(2.74598890e+01);
  p = add(mul(p, u), splat(2.13353180e+03));
  p = add(mul(p, u), splat(1.87111142e+04));
  let q = add(u, splat(3.24076852e+02));
  q = add(mul(q, u), splat(8.36868050e+03));
  q = add(mul(q, u), splat(1.87117939e+04));
  return f32x4.div(mul(x, p), q);
}

// @ts-ignore: decorator
@inline function sigmoid(x: v128): v128 {
  return add(mul(tanh(mul(x, splat(0.5))), splat(0.5)), splat(0.5));
}

// Φ(x) where e = exp(−x²/2), by formula 7.1.26 of Abramowitz and Stegun (1964); error 3e-7.
// @ts-ignore: decorator
@inline function normalCdf(x: v128, e: v128): v128 {
  const t = f32x4.div(splat(1), add(splat(1), mul(f32x4.abs(x), splat(0.3275911 * 0.70710678))));
  let p = splat(1.061405429);
  p = add(mul(p, t), splat(-1.453152027));
  p = add(mul(p, t), splat(1.421413741));
  p = add(mul(p, t), splat(-0.284496736));
  p = add(mul(p, t), splat(0.254829592));
  const tail = mul(mul(mul(p, t), e), splat(0.5)); // 1 − Φ(|x|)
  return v128.bitselect(tail, f32x4.sub(splat(1), tail), f32x4.lt(x, splat(0)));
}

// ---- activations: a = g(z) in the place of z, and beside it g′(z) where a network learns --------

// Of tanh, four vectors in a round, which need each coefficient only once. `kind` and `learning` are
// constants.
// @ts-ignore: decorator
@inline function each(kind: i32, learning: bool, a: usize, slope: usize, bytes: i32): void {
  const beside = slope - a;
  const end = a + bytes;
  if (kind == 3) for (; a + 48 < end; a += 64) {
    one(kind, learning, a, beside);
    one(kind, learning, a + 16, beside);
    one(kind, learning, a + 32, beside);
    one(kind, learning, a + 48, beside);
  }
  for (; a < end; a += 16) one(kind, learning, a, beside);
}

// @ts-ignore: decorator
@inline function one(kind: i32, learning: bool, at: usize, beside: usize): void {
  const z = v128.load(at), unit = splat(1);
  let g = z, dg = unit;
  if (kind == 1 || kind == 2) {
    const positive = f32x4.gt(z, splat(0)), below = splat(kind == 1 ? 0 : 0.01);
    dg = v128.bitselect(unit, below, positive);
    g = mul(z, dg);
  } else if (kind == 3) {
    g = tanh(z);
    dg = f32x4.sub(unit, mul(g, g));
  } else if (kind == 4) {
    g = sigmoid(z);
    dg = mul(g, f32x4.sub(unit, g));
  } else if (kind == 5) {
    const e = exp(mul(mul(z, z), splat(-0.5)));
    const cdf = normalCdf(z, e);
    g = mul(z, cdf);
    dg = add(cdf, mul(mul(z, e), splat(0.39894228)));
  }
  v128.store(at, g);
  if (learning) v128.store(at + beside, dg);
}

// @ts-ignore: decorator
@inline function activate(kind: i32, learning: bool, a: usize, slope: usize, bytes: i32): void {
  if (learning) {
    if (kind == 3) each(3, true, a, slope, bytes);
    else if (kind == 1) each(1, true, a, slope, bytes);
    else if (kind == 2) each(2, true, a, slope, bytes);
    else if (kind == 4) each(4, true, a, slope, bytes);
    else if (kind == 5) each(5, true, a, slope, bytes);
    else each(0, true, a, slope, bytes);
  } else if (kind == 3) each(3, false, a, slope, bytes);
  else if (kind == 1) each(1, false, a, slope, bytes);
  else if (kind == 2) each(2, false, a, slope, bytes);
  else if (kind == 4) each(4, false, a, slope, bytes);
  else if (kind == 5) each(5, false, a, slope, bytes);
}

// Dropout, as in oracle.js.
function mix(bits: u32): u32 {
  bits = (bits ^ (bits >> 16)) * 0x85ebca6b;
  bits = (bits ^ (bits >> 13)) * 0xc2b2ae35;
  return bits ^ (bits >> 16);
}

function drop(model: Model, layer: Layer, n: i32, length: i32): void {
  const least = f64(layer.dropout) * 4294967296.0;
  for (let s = 0; s < n; s++) {
    const key = mix(model.dropSeed + model.seen + s);
    for (let j = 0; j < layer.neurons; j++) {
      const dropped = f64(mix(key + u32(layer.node + j + 1) * GOLDEN)) < least;
      const factor: f32 = dropped ? 0 : 1 / (1 - layer.dropout);
      const at: usize = j * length + (s << 2);
      store<f32>(layer.a + at, load<f32>(layer.a + at) * factor);
      store<f32>(layer.slope + at, load<f32>(layer.slope + at) * factor);
    }
  }
}

// ---- products of matrices -----------------------------------------------------------------------

// A row or two of W·X (+ b), up to four vectors wide. Weights lie `down` bytes apart from row to row
// and `along` bytes from column to column, so that the same lines serve Wᵀ. `two` and `vectors` are
// constants.
// @ts-ignore: decorator
@inline function block(
  two: bool, vectors: i32, out0: usize, out1: usize, w0: usize, w1: usize, along: i32,
  x: usize, xLength: i32, columns: i32, b0: v128, b1: v128, times: usize,
): void {
  let p0 = b0, p1 = b0, p2 = b0, p3 = b0, q0 = b1, q1 = b1, q2 = b1, q3 = b1;
  for (let end = w0 + columns * along; w0 < end; w0 += along, w1 += along, x += xLength) {
    const p = weight(w0), q = two ? weight(w1) : p, x0 = v128.load(x);
    p0 = add(p0, mul(p, x0)); if (two) q0 = add(q0, mul(q, x0));
    if (vectors > 1) {
      const x1 = v128.load(x, 16);
      p1 = add(p1, mul(p, x1)); if (two) q1 = add(q1, mul(q, x1));
    }
    if (vectors > 2) {
      const x2 = v128.load(x, 32);
      p2 = add(p2, mul(p, x2)); if (two) q2 = add(q2, mul(q, x2));
    }
    if (vectors > 3) {
      const x3 = v128.load(x, 48);
      p3 = add(p3, mul(p, x3)); if (two) q3 = add(q3, mul(q, x3));
    }
  }
  finish(vectors, out0, p0, p1, p2, p3, times);
  if (two) finish(vectors, out1, q0, q1, q2, q3, times);
}

// Store a row, multiplied by what lies `times` bytes further unless that is 0.
// @ts-ignore: decorator
@inline function finish(
  vectors: i32, out: usize, p0: v128, p1: v128, p2: v128, p3: v128, times: usize,
): void {
  if (times) {
    const t = times + out;
    p0 = mul(p0, v128.load(t));
    if (vectors > 1) p1 = mul(p1, v128.load(t, 16));
    if (vectors > 2) p2 = mul(p2, v128.load(t, 32));
    if (vectors > 3) p3 = mul(p3, v128.load(t, 48));
  }
  v128.store(out, p0);
  if (vectors > 1) v128.store(out, p1, 16);
  if (vectors > 2) v128.store(out, p2, 32);
  if (vectors > 3) v128.store(out, p3, 48);
}

// A row or two of a product.
// @ts-ignore: decorator
@inline function line(
  two: bool, out: usize, length: i32, w: usize, down: i32, along: i32, b: usize,
  x: usize, xLength: i32, columns: i32, times: usize,
): void {
  let b0 = splat(0), b1 = b0, out0 = out, out1 = out + length, left = length;
  const w1 = w + down;
  if (b) { b0 = weight(b); if (two) b1 = weight(b + 4); }
  for (; left >= 64; left -= 64, out0 += 64, out1 += 64, x += 64)
    block(two, 4, out0, out1, w, w1, along, x, xLength, columns, b0, b1, times);
  if (left == 48) block(two, 3, out0, out1, w, w1, along, x, xLength, columns, b0, b1, times);
  else if (left == 32) block(two, 2, out0, out1, w, w1, along, x, xLength, columns, b0, b1, times);
  else if (left == 16) block(two, 1, out0, out1, w, w1, along, x, xLength, columns, b0, b1, times);
}

// out = W·X + b, or (W·X)∘T where b is 0.
// @ts-ignore: decorator
@inline function product(
  out: usize, length: i32, w: usize, down: i32, along: i32, b: usize,
  x: usize, xLength: i32, rows: i32, columns: i32, T: usize,
): void {
  const times = T ? T - out : 0;
  for (; rows > 1; rows -= 2, out += length << 1, w += down << 1, b += b ? 8 : 0)
    line(true, out, length, w, down, along, b, x, xLength, columns, times);
  if (rows) line(false, out, length, w, down, along, b, x, xLength, columns, times);
}

// The sums of the lanes of four vectors, as one vector.
// @ts-ignore: decorator
@inline function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

// One row or two of the gradient of weights, G = D·Xᵀ, for up to four columns; and of that of the
// biases, D·1, where `bias` asks for it. `two`, `columns` and `bias` are constants. Lanes beyond the
// columns are 0.
// @ts-ignore: decorator
@inline function corner(
  two: bool, columns: i32, bias: bool, g0: usize, g1: usize, gb: usize,
  d0: usize, d1: usize, length: i32, x: usize, xLength: i32, fresh: bool,
): void {
  const x1: usize = x + xLength, x2: usize = x1 + xLength, x3: usize = x2 + xLength;
  const zero = splat(0);
  let p0 = zero, p1 = zero, p2 = zero, p3 = zero, q0 = zero, q1 = zero, q2 = zero, q3 = zero;
  let p4 = zero, q4 = zero; // for the biases
  for (let k: usize = 0; k < usize(length); k += 16) {
    const p = v128.load(d0 + k), q = two ? v128.load(d1 + k) : zero;
    if (bias) { p4 = add(p4, p); if (two) q4 = add(q4, q); }
    const y0 = v128.load(x + k);
    p0 = add(p0, mul(p, y0)); if (two) q0 = add(q0, mul(q, y0));
    if (columns > 1) {
      const y1 = v128.load(x1 + k);
      p1 = add(p1, mul(p, y1)); if (two) q1 = add(q1, mul(q, y1));
    }
    if (columns > 2) {
      const y2 = v128.load(x2 + k);
      p2 = add(p2, mul(p, y2)); if (two) q2 = add(q2, mul(q, y2));
    }
    if (columns > 3) {
      const y3 = v128.load(x3 + k);
      p3 = add(p3, mul(p, y3)); if (two) q3 = add(q3, mul(q, y3));
    }
  }
  let p = sums(p0, p1, p2, p3), q = two ? sums(q0, q1, q2, q3) : zero;
  if (!fresh) { p = add(p, v128.load(g0)); if (two) q = add(q, v128.load(g1)); }
  v128.store(g0, p);
  if (two) v128.store(g1, q);
  if (bias) {
    const both = sums(p4, q4, p4, q4);
    let b0 = f32x4.extract_lane(both, 0), b1 = f32x4.extract_lane(both, 1);
    if (!fresh) { b0 += load<f32>(gb); if (two) b1 += load<f32>(gb, 4); }
    store<f32>(gb, b0);
    if (two) store<f32>(gb, b1, 4);
  }
}

// A row or two of the gradient. A `fresh` one takes the place of what stood there, else it is added.
// @ts-ignore: decorator
@inline function rowsOf(
  two: bool, g: usize, gRow: i32, gb: usize, d: usize, length: i32, x: usize, xLength: i32,
  columns: i32, fresh: bool,
): void {
  let g0 = g, g1 = g + gRow, left = columns;
  const d1 = d + length;
  for (; left > 4; left -= 4, g0 += 16, g1 += 16, x += xLength << 2)
    corner(two, 4, false, g0, g1, gb, d, d1, length, x, xLength, fresh);
  if (left == 4) corner(two, 4, true, g0, g1, gb, d, d1, length, x, xLength, fresh);
  else if (left == 3) corner(two, 3, true, g0, g1, gb, d, d1, length, x, xLength, fresh);
  else if (left == 2) corner(two, 2, true, g0, g1, gb, d, d1, length, x, xLength, fresh);
  else corner(two, 1, true, g0, g1, gb, d, d1, length, x, xLength, fresh);
}

// The gradient of a layer's weights and biases.
// @ts-ignore: decorator
@inline function outer(
  g: usize, gb: usize, d: usize, length: i32, rows: i32, x: usize, xLength: i32, columns: i32,
  fresh: bool,
): void {
  const gRow = rowBytes(columns);
  for (; rows > 1; rows -= 2, g += gRow << 1, d += length << 1, gb += 8)
    rowsOf(true, g, gRow, gb, d, length, x, xLength, columns, fresh);
  if (rows) rowsOf(false, g, gRow, gb, d, length, x, xLength, columns, fresh);
}

// ---- forward and backward -----------------------------------------------------------------------

// @ts-ignore: decorator
@inline function layerOf(model: Model, l: i32): Layer {
  return changetype<Layer>(model.layers + l * offsetof<Layer>());
}

function forward(model: Model, x: usize, xLength: i32, n: i32, length: i32, learning: bool): void {
  for (let l = 0; l < model.nLayers; l++) {
    const layer = layerOf(model, l), a = layer.a;
    product(a, length, layer.W, rowBytes(layer.inputs), 4, layer.b, x, xLength, layer.neurons,
      layer.inputs, 0);
    activate(layer.activation, learning, a, layer.slope, layer.neurons * length);
    if (learning && layer.dropout > 0) drop(model, layer, n, length);
    x = a;
    xLength = length;
  }
}

// The loss of n samples, summed; or, where a network learns, ∂L/∂z for a batch of `batch` as the last
// layer's delta, with 0 beyond the n samples. `kind` and `learning` are constants.
// @ts-ignore: decorator
@inline function miss(
  kind: i32, learning: bool, model: Model, y: usize, yLength: i32, n: i32, length: i32, batch: i32,
): f32 {
  const last = layerOf(model, model.nLayers - 1), beside = last.slope - last.a;
  const share = splat(1 / f32(batch)), along = last.delta - last.a;
  let sum = splat(0), a = last.a;
  for (let j = 0; j < model.outputs; j++, y += yLength)
    for (let k = 0; k < length; k += 16, a += 16) {
      const answer = v128.load(a), target = v128.load(y + k), there = first(n - (k >> 2));
      let loss: v128, slope: v128;
      if (kind == 0) {
        slope = f32x4.sub(answer, target);
        loss = mul(splat(0.5), mul(slope, slope));
      } else {
        const wrong = f32x4.neg(mul(target, answer));
        slope = f32x4.neg(mul(target, sigmoid(wrong)));
        const small = exp(f32x4.neg(f32x4.abs(wrong)));
        loss = add(f32x4.pmax(wrong, splat(0)), log(add(splat(1), small)));
      }
      if (learning)
        v128.store(a + along, v128.and(mul(mul(slope, share), v128.load(a + beside)), there));
      else sum = add(sum, v128.and(loss, there));
    }
  return total(sum);
}

// The same for softmax and cross-entropy.
function missSoftmax(model: Model, y: usize, yLength: i32, n: i32, length: i32, batch: i32): f32 {
  const outputs = model.outputs, last = layerOf(model, model.nLayers - 1);
  const beside = last.slope - last.a, along = last.delta - last.a, share = splat(1 / f32(batch));
  let sum = splat(0);
  for (let k = 0; k < length; k += 16) {
    const there = first(n - (k >> 2)), top: usize = last.a + k;
    let largest = v128.load(top), all = splat(0);
    for (let j = 1; j < outputs; j++) largest = f32x4.pmax(largest, v128.load(top + j * length));
    for (let j = 0; j < outputs; j++)
      all = add(all, exp(f32x4.sub(v128.load(top + j * length), largest)));
    for (let j = 0; j < outputs; j++) {
      const a: usize = top + j * length, target = v128.load(y + j * yLength + k);
      const below = f32x4.sub(v128.load(a), largest);
      const slope = f32x4.sub(f32x4.div(exp(below), all), target);
      sum = add(sum, v128.and(mul(target, f32x4.sub(log(all), below)), there));
      v128.store(a + along, v128.and(mul(mul(slope, share), v128.load(a + beside)), there));
    }
  }
  return total(sum);
}

function losses(model: Model, y: usize, yLength: i32, n: i32, length: i32): f32 {
  if (model.loss == 0) return miss(0, false, model, y, yLength, n, length, n);
  if (model.loss == 1) return miss(1, false, model, y, yLength, n, length, n);
  return missSoftmax(model, y, yLength, n, length, n);
}

// The gradient of the tile's n samples, of a batch of `batch`.
function backward(model: Model, n: i32, length: i32, batch: i32): void {
  const G: usize = model.size << 2, fresh = model.position == model.batchStart;
  if (model.loss == 0) miss(0, true, model, model.y, length, n, length, batch);
  else if (model.loss == 1) miss(1, true, model, model.y, length, n, length, batch);
  else missSoftmax(model, model.y, length, n, length, batch);
  for (let l = model.nLayers - 1; l >= 0; l--) {
    const layer = layerOf(model, l), neurons = layer.neurons, d = layer.delta;
    const below = layerOf(model, l - 1), inputs = layer.inputs;
    outer(layer.W + G, layer.b + G, d, length, neurons, l > 0 ? below.a : model.x, length, inputs,
      fresh);
    if (l > 0)
      product(below.delta, length, layer.W, 4, rowBytes(inputs), 0, d, length, inputs, neurons,
        below.slope);
  }
}

// ---- the step -----------------------------------------------------------------------------------

// Gradient of λ₁·Σ|w| + ½·λ₂·Σw².
function penalize(model: Model): void {
  const G: usize = model.size << 2, l1 = splat(model.l1), l2 = splat(model.l2), zero = splat(0);
  for (let l = 0; l < model.nLayers; l++) {
    const layer = layerOf(model, l);
    for (let at = layer.W; at < layer.b; at += 16) {
      const w = v128.load(at);
      const up = v128.and(f32x4.gt(w, zero), l1), down = v128.and(f32x4.lt(w, zero), l1);
      v128.store(at + G, add(v128.load(at + G), add(f32x4.sub(up, down), mul(w, l2))));
    }
  }
}

function power(base: f64, n: i32): f64 {
  let answer: f64 = 1;
  for (; n; n >>= 1, base *= base) if (n & 1) answer *= base;
  return answer;
}

// Change the parameters by their gradient, as torch.optim does. False if they have run away.
function step(model: Model): bool {
  const G: usize = model.size << 2, M: usize = G << 1, V: usize = M + G;
  const kind = model.optimizer, t = ++model.updates;
  let rate = splat(model.rate), calm: f32 = 1;
  if (kind == 3) {
    rate = splat(f32(model.rate / (1 - power(0.9, t))));
    calm = f32(1 / Math.sqrt(1 - power(0.999, t)));
  }
  if (model.l1 > 0 || model.l2 > 0) penalize(model);
  let sound = i32x4.splat(-1);
  for (let at = model.parameters, end = at + G; at < end; at += 16) {
    const g = v128.load(at + G);
    let move = g;
    if (kind == 1) {
      move = add(mul(splat(MOMENTUM), v128.load(at + M)), g);
      v128.store(at + M, move);
    } else if (kind >= 2) {
      const keep = kind == 2 ? ALPHA : BETA2;
      const v = add(mul(splat(keep), v128.load(at + V)), mul(splat(1 - keep), mul(g, g)));
      v128.store(at + V, v);
      if (kind == 3) {
        move = add(mul(splat(BETA1), v128.load(at + M)), mul(splat(1 - BETA1), g));
        v128.store(at + M, move);
      }
      move = f32x4.div(move, add(mul(f32x4.sqrt(v), splat(calm)), splat(EPSILON)));
    }
    const p = f32x4.sub(v128.load(at), mul(rate, move));
    v128.store(at, p);
    sound = v128.and(sound, f32x4.le(f32x4.abs(p), splat(TOO_LARGE)));
  }
  return i32x4.all_true(sound);
}

// Fisher and Yates with xoshiro128**, as in random.js.
function shuffle(model: Model): void {
  let a = model.s0, b = model.s1, c = model.s2, d = model.s3;
  for (let i = model.n - 1; i > 0; i--) {
    const bits = rotl<u32>(b * 5, 7) * 9, shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotl<u32>(d, 11);
    const here: usize = model.order + (i << 2);
    const there: usize = model.order + (u32((u64(bits) * (i + 1)) >> 32) << 2);
    const held = load<u32>(here);
    store<u32>(here, load<u32>(there));
    store<u32>(there, held);
  }
  model.s0 = a;
  model.s1 = b;
  model.s2 = c;
  model.s3 = d;
}

function gather(to: usize, length: i32, from: usize, row: i32, rows: i32, order: usize, n: i32): void {
  for (let r = 0; r < rows; r++, to += length, from += row)
    for (let s = 0; s < n << 2; s += 4)
      store<f32>(to + s, load<f32>(from + (load<u32>(order + s) << 2)));
}
// ---- what JavaScript calls ----------------------------------------------------------------------

// Learn from so many samples; returns how many it were.
export function train(model: Model, samples: i32): i32 {
  const n = model.n;
  let done = 0;
  while (done < samples && n > 0 && !model.diverged) {
    if (model.position == 0) shuffle(model);
    if (model.position == model.batchEnd) {
      model.batchStart = model.position;
      model.batchEnd = min(n, model.position + model.batchSize);
    }
    const take = min(TILE, min(samples - done, model.batchEnd - model.position));
    const length = rowBytes(take), order: usize = model.order + (model.position << 2);
    gather(model.x, length, model.X, model.row, model.inputs, order, take);
    gather(model.y, length, model.Y, model.row, model.outputs, order, take);
    forward(model, model.x, length, take, length, true);
    backward(model, take, length, model.batchEnd - model.batchStart);
    model.position += take;
    model.seen += take;
    done += take;
    if (model.position == model.batchEnd) model.diverged = i32(!step(model));
    if (model.position == n) {
      model.position = model.batchEnd = 0;
      model.epoch++;
    }
  }
  return done;
}

// The summed loss over n samples, `row` bytes a feature.
export function evaluate(model: Model, X: usize, Y: usize, n: i32, row: i32): f64 {
  let sum: f64 = 0;
  for (let s = 0; s < n; s += TILE) {
    const count = min(TILE, n - s), length = rowBytes(count), at: usize = s << 2;
    forward(model, X + at, row, count, length, false);
    sum += losses(model, Y + at, row, count, length);
  }
  return sum;
}

// What each neuron answers for n samples: a row of `row` bytes for each.
export function maps(model: Model, X: usize, n: i32, row: i32, out: usize): void {
  for (let s = 0; s < n; s += TILE) {
    const count = min(TILE, n - s), length = rowBytes(count), at: usize = s << 2;
    forward(model, X + at, row, count, length, false);
    for (let l = 0; l < model.nLayers; l++) {
      const layer = layerOf(model, l);
      for (let j = 0; j < layer.neurons; j++) {
        const to: usize = out + (layer.node + j) * row + at, from: usize = layer.a + j * length;
        for (let k = 0; k < length; k += 16) v128.store(to + k, v128.load(from + k));
      }
    }
  }
}
