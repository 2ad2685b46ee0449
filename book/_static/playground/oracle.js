// The readable engine: Float64 JavaScript, equal to PyTorch. It is what the fast engine is measured
// against, and what trains where a browser has no WebAssembly with SIMD.
"use strict";
((part) => {
  const playground = (globalThis.playground ??= { parts: [] });
  playground.parts.push(part);
  part(playground);
})((playground) => {
  const { GOLDEN, Random, TOO_LARGE, mix } = playground;
  const { abs, exp, log, log1p, max, min, sqrt } = Math;
  const MOMENTUM = 0.9, ALPHA = 0.99, BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8; // as torch.optim

  const density = (z) => exp(-0.5 * z * z) / sqrt(2 * Math.PI);

  // Φ(z): ½ + φ(z)·(z + z³/3 + z⁵/(3·5) + …), terms of one sign, to the last digit.
  const normalCdf = (z) => {
    if (!(abs(z) < 8.5)) return z > 0 ? 1 : 0;
    let term = z, sum = 0;
    for (let k = 3; sum + term !== sum; k += 2) {
      sum += term;
      term *= (z * z) / k;
    }
    return 0.5 + density(z) * sum;
  };

  // a = g(z) takes the place of z, and beside it stands the slope g′(z). Each has a loop of its own,
  // which engines for JavaScript run several times as fast as a loop that calls a function.
  const ACTIVATIONS = {
    linear(a, slope, n) {
      slope.fill(1, 0, n);
    },
    relu(a, slope, n) {
      for (let k = 0; k < n; k++) {
        slope[k] = a[k] > 0 ? 1 : 0;
        a[k] *= slope[k];
      }
    },
    leaky_relu(a, slope, n) {
      for (let k = 0; k < n; k++) {
        slope[k] = a[k] > 0 ? 1 : 0.01;
        a[k] *= slope[k];
      }
    },
    tanh(a, slope, n) {
      for (let k = 0; k < n; k++) {
        a[k] = 1 - 2 / (exp(2 * a[k]) + 1);
        slope[k] = 1 - a[k] * a[k];
      }
    },
    sigmoid(a, slope, n) {
      for (let k = 0; k < n; k++) {
        a[k] = 1 / (1 + exp(-a[k]));
        slope[k] = a[k] * (1 - a[k]);
      }
    },
    gelu(a, slope, n) {
      for (let k = 0; k < n; k++) {
        const z = a[k], cdf = normalCdf(z);
        a[k] = z * cdf;
        slope[k] = cdf + z * density(z);
      }
    },
  };

  // The loss of n rows of k outputs a with targets t, summed; d becomes ∂L/∂a.
  const LOSSES = {
    squared(a, t, d, n, k) {
      let loss = 0;
      for (let j = 0; j < n * k; j++) {
        d[j] = a[j] - t[j];
        loss += 0.5 * d[j] * d[j];
      }
      return loss;
    },

    // Targets are −1 and 1.
    logistic(a, t, d, n, k) {
      let loss = 0;
      for (let j = 0; j < n * k; j++) {
        const miss = -t[j] * a[j];
        d[j] = -t[j] / (1 + exp(-miss));
        loss += max(miss, 0) + log1p(exp(-abs(miss)));
      }
      return loss;
    },

    // Targets are 1 for the class and 0 for the others.
    softmax(a, t, d, n, k) {
      let loss = 0;
      for (let row = 0; row < n * k; row += k) {
        let largest = a[row], total = 0;
        for (let j = row; j < row + k; j++) largest = max(largest, a[j]);
        for (let j = row; j < row + k; j++) total += exp(a[j] - largest);
        for (let j = row; j < row + k; j++) {
          d[j] = exp(a[j] - largest) / total - t[j];
          loss += t[j] * (largest + log(total) - a[j]);
        }
      }
      return loss;
    },
  };

  // The three products of a layer go through the samples by fours or in pairs: several sums at once
  // take hardly longer than one. Where a sample is missing, the first of them stands in for it.

  // Z = X·Wᵀ + b, in the place of A.
  const affine = ({ inputs, neurons, W, b, a }, p, X, n) => {
    for (let s = 0; s < n; s += 4) {
      const t = s + 1 < n ? s + 1 : s, u = s + 2 < n ? s + 2 : s, v = s + 3 < n ? s + 3 : s;
      const xs = s * inputs, xt = t * inputs, xu = u * inputs, xv = v * inputs;
      for (let j = 0; j < neurons; j++) {
        const w = W + j * inputs;
        let zs = p[b + j], zt = zs, zu = zs, zv = zs;
        for (let i = 0; i < inputs; i++) {
          const weight = p[w + i];
          zs += weight * X[xs + i];
          zt += weight * X[xt + i];
          zu += weight * X[xu + i];
          zv += weight * X[xv + i];
        }
        a[s * neurons + j] = zs;
        a[t * neurons + j] = zt;
        a[u * neurons + j] = zu;
        a[v * neurons + j] = zv;
      }
    }
  };

  // ∂L/∂W += Δᵀ·X and ∂L/∂b += Δᵀ·1, where Δ = ∂L/∂Z and X is what the layer read.
  const addGradient = ({ inputs, neurons, W, b, delta }, gradient, X, n) => {
    for (let s = 0; s < n; s += 2) {
      const t = s + 1 < n ? s + 1 : s, xs = s * inputs, xt = t * inputs;
      for (let j = 0; j < neurons; j++) {
        const w = W + j * inputs, ds = delta[s * neurons + j], dt = t > s ? delta[t * neurons + j] : 0;
        for (let i = 0; i < inputs; i++) gradient[w + i] += ds * X[xs + i] + dt * X[xt + i];
        gradient[b + j] += ds + dt;
      }
    }
  };

  // Δ of the layer below is (Δ·W) ∘ g′(Z).
  const passBack = ({ inputs, neurons, W, delta }, below, p, n) => {
    const { delta: out, slope } = below;
    for (let s = 0; s < n; s += 2) {
      const t = s + 1 < n ? s + 1 : s, ds = s * neurons, dt = t * neurons;
      for (let i = 0; i < inputs; i++) {
        let sumS = 0, sumT = 0;
        for (let j = 0, w = W + i; j < neurons; j++, w += inputs) {
          sumS += delta[ds + j] * p[w];
          sumT += delta[dt + j] * p[w];
        }
        out[s * inputs + i] = sumS * slope[s * inputs + i];
        out[t * inputs + i] = sumT * slope[t * inputs + i];
      }
    }
  };

  // Change the parameters p by their gradient g; m and v are what the optimiser remembers.
  const OPTIMIZERS = {
    sgd(p, g, rate) {
      for (let k = 0; k < p.length; k++) p[k] -= rate * g[k];
    },
    momentum(p, g, rate, m) {
      for (let k = 0; k < p.length; k++) {
        m[k] = MOMENTUM * m[k] + g[k];
        p[k] -= rate * m[k];
      }
    },
    rmsprop(p, g, rate, m, v) {
      for (let k = 0; k < p.length; k++) {
        v[k] = ALPHA * v[k] + (1 - ALPHA) * g[k] * g[k];
        p[k] -= (rate * g[k]) / (sqrt(v[k]) + EPSILON);
      }
    },
    adam(p, g, rate, m, v, t) {
      const [warm1, warm2] = [1 - BETA1 ** t, sqrt(1 - BETA2 ** t)];
      for (let k = 0; k < p.length; k++) {
        m[k] = BETA1 * m[k] + (1 - BETA1) * g[k];
        v[k] = BETA2 * v[k] + (1 - BETA2) * g[k] * g[k];
        p[k] -= ((rate / warm1) * m[k]) / (sqrt(v[k]) / warm2 + EPSILON);
      }
    },
  };

  const hasRunAway = (p) => {
    for (let k = 0; k < p.length; k++) if (!(abs(p[k]) <= TOO_LARGE)) return true;
    return false;
  };

  class Oracle {
    constructor(spec) {
      this.name = "JavaScript";
      this.network = playground.layout(spec);
      this.settings = playground.settings({});
      this.data = { train: { n: 0 }, test: { n: 0 } };
      this.rows = 0;
      this.reset();
    }

    // Begin anew: the same seed gives the same weights, order and curve.
    reset(seed = this.network.seed) {
      const { size } = this.network;
      this.network.seed = seed;
      this.parameters = playground.initial(this.network);
      this.gradient = new Float64Array(size);
      this.random = new Random(seed, 1);
      this.dropSeed = new Random(seed, 2).bits();
      this.epoch = this.seen = this.position = this.batchStart = this.batchEnd = 0;
      this.diverged = false;
      this.order = Uint32Array.from({ length: this.data.train.n }, (_, k) => k);
      this.forget();
    }

    // The optimiser forgets its running means.
    forget() {
      this.updates = 0;
      this.mean = new Float64Array(this.network.size);
      this.square = new Float64Array(this.network.size);
    }

    // Take effect with the next batch. Nothing is reset, but a new optimiser begins with no memory.
    set(changes) {
      const { optimizer } = this.settings;
      this.settings = playground.settings(changes, this.settings);
      if (this.settings.optimizer !== optimizer) this.forget();
    }

    // `which` is "train" or "test"; an epoch that was under way begins again.
    load(which, X, Y) {
      const n = playground.checkRows(this.network, X, Y);
      this.data[which] = { n, X: Float64Array.from(X), Y: Float64Array.from(Y) };
      if (which === "test") return;
      this.position = this.batchEnd = 0;
      this.order = Uint32Array.from({ length: n }, (_, k) => k);
    }

    getParameters() {
      return Float64Array.from(this.parameters);
    }

    setParameters(values) {
      this.parameters.set(values);
      this.diverged = false;
    }

    // Room for the activations a, slopes ∂a/∂z and deltas ∂L/∂z of so many rows.
    makeRoom(rows) {
      if (rows <= this.rows) return;
      this.rows = rows;
      this.X = new Float64Array(rows * this.network.inputs);
      this.Y = new Float64Array(rows * this.network.outputs);
      for (const layer of this.network.layers)
        for (const name of ["a", "slope", "delta"])
          layer[name] = new Float64Array(rows * layer.neurons);
    }

    // A = g(X·Wᵀ + b), layer by layer; with `learning`, dropout as well.
    forward(X, n, learning = false) {
      for (const layer of this.network.layers) {
        affine(layer, this.parameters, X, n);
        ACTIVATIONS[layer.activation](layer.a, layer.slope, n * layer.neurons);
        if (learning && layer.dropout > 0) this.drop(layer, n);
        X = layer.a;
      }
      return X;
    }

    // Dropout: a neuron is silent for a sample, or speaks louder by 1/(1 − p). Chance depends on
    // the seed, the number of samples seen, and the neuron, and on nothing else.
    drop({ neurons, dropout, node, a, slope }, n) {
      const least = dropout * 2 ** 32;
      for (let s = 0; s < n; s++) {
        const key = mix(this.dropSeed + this.seen + s);
        for (let j = 0; j < neurons; j++) {
          const factor = mix(key + Math.imul(node + j + 1, GOLDEN)) < least ? 0 : 1 / (1 - dropout);
          a[s * neurons + j] *= factor;
          slope[s * neurons + j] *= factor;
        }
      }
    }

    // Add the gradient of n samples of a batch of `batch`.
    backward(X, Y, n, batch) {
      const { layers, outputs, loss } = this.network;
      const { parameters: p, gradient } = this;
      const last = layers.at(-1);
      LOSSES[loss](last.a, Y, last.delta, n, outputs);
      for (let k = 0; k < n * outputs; k++) last.delta[k] *= last.slope[k] / batch; // ∂L/∂z
      for (let l = layers.length - 1; l >= 0; l--) {
        addGradient(layers[l], gradient, l > 0 ? layers[l - 1].a : X, n);
        if (l > 0) passBack(layers[l], layers[l - 1], p, n);
      }
    }

    // Add the gradient of λ₁·Σ|w| + ½·λ₂·Σw², which leaves biases alone, and take a step.
    update() {
      const { parameters: p, gradient: g, mean, square } = this;
      const { optimizer, learningRate, l1, l2 } = this.settings;
      if (l1 || l2)
        for (const { W, b } of this.network.layers)
          for (let k = W; k < b; k++) g[k] += l1 * Math.sign(p[k]) + l2 * p[k];
      this.updates += 1;
      OPTIMIZERS[optimizer](p, g, learningRate, mean, square, this.updates);
      this.diverged = hasRunAway(p);
    }

    // Learn from so many samples; returns how many it were, fewer if the network diverges.
    // The weights change where a batch ends; the order is drawn anew where an epoch begins.
    train(samples) {
      const { n, X, Y } = this.data.train;
      const { inputs, outputs } = this.network;
      let done = 0;
      while (done < samples && n > 0 && !this.diverged) {
        if (this.position === 0) this.random.shuffle(this.order);
        if (this.position === this.batchEnd) {
          this.batchStart = this.position;
          this.batchEnd = min(n, this.position + this.settings.batchSize);
          this.gradient.fill(0);
        }
        const take = min(samples - done, this.batchEnd - this.position);
        this.makeRoom(take);
        for (let s = 0; s < take; s++) {
          const from = this.order[this.position + s];
          for (let i = 0; i < inputs; i++) this.X[s * inputs + i] = X[from * inputs + i];
          for (let j = 0; j < outputs; j++) this.Y[s * outputs + j] = Y[from * outputs + j];
        }
        this.forward(this.X, take, true);
        this.backward(this.X, this.Y, take, this.batchEnd - this.batchStart);
        this.position += take;
        this.seen += take;
        done += take;
        if (this.position === this.batchEnd) this.update();
        if (this.position === n) {
          this.position = this.batchEnd = 0;
          this.epoch += 1;
        }
      }
      return done;
    }

    // The mean loss over the data, without the penalty on the weights.
    evaluate(which) {
      const { n, X, Y } = this.data[which];
      if (n === 0) return 0;
      this.makeRoom(n);
      const { outputs, loss, layers } = this.network;
      return LOSSES[loss](this.forward(X, n), Y, layers.at(-1).delta, n, outputs) / n;
    }

    // The outputs for each row, flat.
    predict(X) {
      const n = X.length / this.network.inputs;
      this.makeRoom(n);
      return this.forward(X, n).slice(0, n * this.network.outputs);
    }

    // What each neuron answers at each row: all rows of the first neuron, then of the second, ….
    maps(X) {
      const { layers, nodes } = this.network;
      const n = X.length / this.network.inputs;
      this.makeRoom(n);
      this.forward(X, n);
      const answers = new Float32Array(nodes * n);
      for (const { neurons, node, a } of layers)
        for (let j = 0; j < neurons; j++)
          for (let s = 0; s < n; s++) answers[(node + j) * n + s] = a[s * neurons + j];
      return answers;
    }
  }

  Object.assign(playground, { Oracle });
});
