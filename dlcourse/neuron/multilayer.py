"""The multi-layer perceptron: layers of neurons, one feeding the next.

h₁ = g(xW₁ + b₁), h₂ = g(h₁W₂ + b₂), …, logits = h_L W + b. Examples are rows, so ``X`` has shape
(n, D) and the weights of a layer have shape (inputs, outputs).

References
----------
D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986), "Learning representations by back-propagating
errors", Nature 323, 533-536, doi:10.1038/323533a0.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = [
    "MLP",
    "bump_network",
    "count_linear_pieces",
    "forward",
    "sawtooth_network",
    "xor_network",
]

Layers = Sequence[tuple[Tensor, Tensor]]  # (W, b) of each layer, from input to output


def forward(X: Tensor, layers: Layers, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """Run examples through the layers: the activation after each, except the last.

    Parameters
    ----------
    X : Tensor, shape (n, D)
        One example a row.
    layers : sequence of (W, b)
        W of shape (inputs, outputs), b of shape (outputs,).
    activation : callable
        Applied to every number of a hidden layer, for instance ``torch.relu``.

    Returns
    -------
    Tensor, shape (n, outputs of the last layer)
        The network's outputs before any softmax or sigmoid (logits).

    Raises
    ------
    ValueError
        If a layer's inputs do not match what comes in.

    Examples
    --------
    >>> eye = (torch.eye(2), torch.zeros(2))
    >>> forward(torch.tensor([[1.0, -1.0]]), [eye, eye], torch.relu)
    tensor([[1., 0.]])
    """
    h = X
    for k, (W, b) in enumerate(layers):
        if h.shape[-1] != W.shape[0]:
            raise ValueError(
                f"layer {k + 1} expects {W.shape[0]} inputs (its W has shape {tuple(W.shape)}), "
                f"but {h.shape[-1]} numbers an example come in"
            )
        z = h @ W + b  # (n, outputs)
        h = z if k == len(layers) - 1 else activation(z)
    return h


def xor_network() -> list[tuple[Tensor, Tensor]]:
    """Return hand-set layers of a 2-2-1 network of steps whose output is positive for XOR only.

    Hidden neuron 1 is OR, hidden neuron 2 is NAND, and the output neuron is their AND.

    Returns
    -------
    list of (W, b)
        For `forward` with ``dlcourse.neuron.activations.step``.

    Examples
    --------
    >>> X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> (forward(X, xor_network(), lambda z: (z > 0).float()) > 0).int().squeeze().tolist()
    [0, 1, 1, 0]
    """
    hidden = torch.tensor([[1.0, -1.0], [1.0, -1.0]]), torch.tensor([-0.5, 1.5])
    output = torch.tensor([[1.0], [1.0]]), torch.tensor([-1.5])
    return [hidden, output]


class MLP(nn.Module):
    """A multi-layer perceptron for PyTorch: Linear, activation, Linear, …, Linear.

    Parameters
    ----------
    n_inputs : int
        Numbers an example, D.
    hidden_sizes : sequence of int
        Neurons in each hidden layer; ``()`` gives a single layer, the modern perceptron.
    n_outputs : int
        Numbers that come out: one a class (logits), or one for a regression.
    activation : callable, default ``torch.relu``
        Applied after each hidden layer.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is not a positive whole number.

    Examples
    --------
    >>> model = MLP(2, [8, 8], 3, seed=0)
    >>> model(torch.zeros(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_sizes: Sequence[int],
        n_outputs: int,
        *,
        activation: Callable[[Tensor], Tensor] = torch.relu,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        sizes = [n_inputs, *hidden_sizes, n_outputs]
        if any(not isinstance(size, int) or size < 1 for size in sizes):
            raise ValueError(f"every layer needs at least one neuron, got the sizes {sizes}")
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.layers = nn.ModuleList(
                nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes)
            )
        self.activation = activation

    def hidden(self, X: Tensor) -> list[Tensor]:
        """Return what each hidden layer makes of ``X``: one tensor (n, size) a layer."""
        h, outputs = X, []
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
            outputs.append(h)
        return outputs

    def forward(self, X: Tensor) -> Tensor:
        """Return the logits, shape (n, n_outputs), for examples of shape (n, n_inputs)."""
        h = X
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
        logits: Tensor = self.layers[-1](h)
        return logits


def bump_network(f: Callable[[Tensor], Tensor], *, n_bumps: int) -> list[tuple[Tensor, Tensor]]:
    """Build, without training, a ReLU network that follows ``f`` on [0, 1].

    Each of the evenly spaced knots tᵢ = i/n gets one neuron ReLU(x - tᵢ), which lets the slope
    change there. The network is then the broken line through the points (tᵢ, f(tᵢ)). For a smooth
    ``f`` its largest error is at most max|f''| / (8n²).

    Parameters
    ----------
    f : callable
        From a tensor of shape (m,) to one of shape (m,), defined on [0, 1].
    n_bumps : int
        Number of pieces n, which is also the number of hidden neurons.

    Returns
    -------
    list of (W, b)
        A 1-n-1 network in float64, for `forward` with ``torch.relu``.

    Raises
    ------
    ValueError
        If ``n_bumps`` is less than 1.

    Examples
    --------
    >>> layers = bump_network(torch.square, n_bumps=2)
    >>> forward(torch.tensor([[0.0], [0.5], [1.0]]).double(), layers, torch.relu).squeeze()
    tensor([0.0000, 0.2500, 1.0000], dtype=torch.float64)
    """
    if n_bumps < 1:
        raise ValueError(f"n_bumps must be at least 1, got {n_bumps}")
    t = torch.linspace(0, 1, n_bumps + 1, dtype=torch.float64)
    slopes = f(t).diff() * n_bumps
    slope_changes = torch.cat([slopes[:1], slopes.diff()])
    hidden = torch.ones(1, n_bumps, dtype=torch.float64), -t[:-1]
    output = slope_changes[:, None], f(t[:1])
    return [hidden, output]


def sawtooth_network(depth: int) -> list[tuple[Tensor, Tensor]]:
    """Build a ReLU network of ``depth`` hidden layers of two neurons with 2^depth linear pieces.

    Each hidden layer folds [0, 1] in two: the tent 2·ReLU(h) - 4·ReLU(h - ½) rises to 1 and falls
    back to 0. Folding a folded line doubles its teeth, as folding paper does.

    Parameters
    ----------
    depth : int
        Number of hidden layers, at least 1.

    Returns
    -------
    list of (W, b)
        A 1-2-…-2-1 network in float64, for `forward` with ``torch.relu``.

    Raises
    ------
    ValueError
        If ``depth`` is less than 1.

    References
    ----------
    M. Telgarsky (2016), "Benefits of depth in neural networks", COLT, 1517-1539.

    Examples
    --------
    >>> count_linear_pieces(sawtooth_network(5))
    32
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    b = torch.tensor([0.0, -0.5], dtype=torch.float64)
    first = torch.ones(1, 2, dtype=torch.float64), b
    fold = torch.tensor([[2.0, 2.0], [-4.0, -4.0]], dtype=torch.float64), b
    output = torch.tensor([[2.0], [-4.0]], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    return [first, *[fold] * (depth - 1), output]


def count_linear_pieces(layers: Layers, *, low: float = 0.0, high: float = 1.0) -> int:
    """Count the straight pieces of a ReLU network with one input and one output on [low, high].

    Exact up to rounding, not sampled: between two neighbouring kinks each neuron of the next layer
    is a straight line in x, so the place where it crosses zero, if any, is found by linear
    interpolation. Kinks that cancel out in the output do not count.

    Parameters
    ----------
    layers : sequence of (W, b)
        The first W has shape (1, size), the last one (size, 1).
    low, high : float
        The interval, low < high.

    Returns
    -------
    int
        Number of pieces on which the slope is constant.

    Raises
    ------
    ValueError
        If the network has more than one input or output, or low ≥ high.

    Examples
    --------
    >>> count_linear_pieces(bump_network(torch.sin, n_bumps=7))
    7
    """
    if layers[0][0].shape[0] != 1 or layers[-1][0].shape[1] != 1:
        raise ValueError(
            f"the network must have one input and one output, got {layers[0][0].shape[0]} and "
            f"{layers[-1][0].shape[1]}"
        )
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"low must be smaller than high, got low={low}, high={high}")
    layers = [(W.detach().double(), b.detach().double()) for W, b in layers]
    x = torch.tensor([low, high], dtype=torch.float64)  # (P + 1,): the ends of P pieces
    for depth in range(1, len(layers)):
        z = forward(x[:, None], layers[:depth], torch.relu)  # (P + 1, size), before its own ReLU
        left, right = z[:-1], z[1:]
        crosses = (left * right) < 0
        position = x[:-1, None] + (x.diff()[:, None]) * left / torch.where(crosses, left - right, 1)
        x = torch.cat([x, position[crosses]]).sort().values
        x = x[torch.cat([torch.tensor([True]), x.diff() > 1e-12 * (high - low)])]
    y = forward(x[:, None], layers, torch.relu)[:, 0]
    slopes = y.diff() / x.diff()
    bends = slopes.diff().abs() > 1e-6 * slopes.abs().max().clamp_min(1e-300)
    return 1 + int(bends.sum())
