// What the TensorFlow Playground does in one step of training, written anew as it is built there: a
// graph of node and link objects, walked one sample at a time. It is here to be timed against.
"use strict";
{
  const ACTIVATIONS = {
    tanh: {
      output: (x) => Math.tanh(x),
      der: (x) => {
        const output = ACTIVATIONS.tanh.output(x);
        return 1 - output * output;
      },
    },
  };

  // Everything the page can feed a network; `state` says which of them it does.
  const INPUTS = {
    x: { f: (x, y) => x },
    y: { f: (x, y) => y },
    xSquared: { f: (x, y) => x * x },
    ySquared: { f: (x, y) => y * y },
    xTimesY: { f: (x, y) => x * y },
    sinX: { f: (x, y) => Math.sin(x) },
    sinY: { f: (x, y) => Math.sin(y) },
  };

  const constructInput = (state, x, y) => {
    const input = [];
    for (const name in INPUTS) if (state[name]) input.push(INPUTS[name].f(x, y));
    return input;
  };

  class Link {
    constructor(source, dest, weight, regularization) {
      this.id = `${source.id}-${dest.id}`;
      this.source = source;
      this.dest = dest;
      this.weight = weight;
      this.errorDer = this.accErrorDer = this.numAccumulatedDers = 0;
      this.regularization = regularization;
    }
  }

  class Node {
    constructor(id, activation, bias) {
      this.id = id;
      this.inputLinks = [];
      this.outputs = [];
      this.bias = bias;
      this.activation = activation;
      this.totalInput = this.output = this.outputDer = this.inputDer = 0;
      this.accInputDer = this.numAccumulatedDers = 0;
    }

    updateOutput() {
      this.totalInput = this.bias;
      for (let j = 0; j < this.inputLinks.length; j++) {
        const link = this.inputLinks[j];
        this.totalInput += link.weight * link.source.output;
      }
      this.output = this.activation.output(this.totalInput);
      return this.output;
    }
  }

  // `parameters` in PyTorch's order: for each layer the rows of weights, then the biases.
  const buildNetwork = (shape, parameters, activation = ACTIVATIONS.tanh) => {
    const network = [];
    let at = 0, id = 0;
    shape.forEach((size, l) => {
      const biases = at + size * (shape[l - 1] ?? 0);
      network.push(Array.from({ length: size }, (_, j) => {
        const node = new Node(String(id++), activation, l > 0 ? parameters[biases + j] : 0);
        for (const source of network[l - 1] ?? []) {
          const link = new Link(source, node, parameters[at++], null);
          source.outputs.push(link);
          node.inputLinks.push(link);
        }
        return node;
      }));
      if (l > 0) at += size;
    });
    return network;
  };

  const forwardProp = (network, inputs) => {
    for (let i = 0; i < network[0].length; i++) network[0][i].output = inputs[i];
    for (let l = 1; l < network.length; l++)
      for (let i = 0; i < network[l].length; i++) network[l][i].updateOutput();
    return network[network.length - 1][0].output;
  };

  const backProp = (network, target) => {
    const outputNode = network[network.length - 1][0];
    outputNode.outputDer = outputNode.output - target;
    for (let l = network.length - 1; l >= 1; l--) {
      for (let i = 0; i < network[l].length; i++) {
        const node = network[l][i];
        node.inputDer = node.outputDer * node.activation.der(node.totalInput);
        node.accInputDer += node.inputDer;
        node.numAccumulatedDers++;
      }
      for (let i = 0; i < network[l].length; i++) {
        const node = network[l][i];
        for (let j = 0; j < node.inputLinks.length; j++) {
          const link = node.inputLinks[j];
          link.errorDer = node.inputDer * link.source.output;
          link.accErrorDer += link.errorDer;
          link.numAccumulatedDers++;
        }
      }
      if (l === 1) continue;
      for (let i = 0; i < network[l - 1].length; i++) {
        const node = network[l - 1][i];
        node.outputDer = 0;
        for (let j = 0; j < node.outputs.length; j++)
          node.outputDer += node.outputs[j].weight * node.outputs[j].dest.inputDer;
      }
    }
  };

  const updateWeights = (network, rate, regularizationRate) => {
    for (let l = 1; l < network.length; l++) {
      for (let i = 0; i < network[l].length; i++) {
        const node = network[l][i];
        if (node.numAccumulatedDers > 0) {
          node.bias -= (rate * node.accInputDer) / node.numAccumulatedDers;
          node.accInputDer = node.numAccumulatedDers = 0;
        }
        for (let j = 0; j < node.inputLinks.length; j++) {
          const link = node.inputLinks[j];
          const regulDer = link.regularization ? link.regularization.der(link.weight) : 0;
          if (link.numAccumulatedDers > 0) {
            link.weight -=
              (rate / link.numAccumulatedDers) * (link.accErrorDer + regularizationRate * regulDer);
            link.accErrorDer = link.numAccumulatedDers = 0;
          }
        }
      }
    }
  };

  const getLoss = (network, points, state) => {
    let loss = 0;
    for (let i = 0; i < points.length; i++) {
      const output = forwardProp(network, constructInput(state, points[i].x, points[i].y));
      loss += 0.5 * Math.pow(output - points[i].label, 2);
    }
    return loss / points.length;
  };

  const oneStep = (network, train, test, state) => {
    train.forEach((point, i) => {
      forwardProp(network, constructInput(state, point.x, point.y));
      backProp(network, point.label);
      if ((i + 1) % state.batchSize === 0)
        updateWeights(network, state.learningRate, state.regularizationRate);
    });
    return [getLoss(network, train, state), getLoss(network, test, state)];
  };

  const forEachNode = (network, act) => {
    for (let l = 1; l < network.length; l++)
      for (let i = 0; i < network[l].length; i++) act(network[l][i]);
  };

  // The heat maps of all nodes on a grid of side × side, as rows of numbers for each node's name.
  const makeBoundary = (network, side) => {
    const boundary = {};
    forEachNode(network, ({ id }) => {
      boundary[id] = Array.from({ length: side }, () => new Array(side));
    });
    return boundary;
  };

  const updateDecisionBoundary = (network, boundary, side, state) => {
    const xScale = (k) => -6 + (12 * k) / (side - 1), yScale = (k) => 6 - (12 * k) / (side - 1);
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++) {
        forwardProp(network, constructInput(state, xScale(i), yScale(j)));
        forEachNode(network, (node) => { boundary[node.id][i][j] = node.output; });
      }
  };

  globalThis.anchor = { buildNetwork, oneStep, makeBoundary, updateDecisionBoundary };
}
