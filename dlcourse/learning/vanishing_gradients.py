"""Vanishing gradients: measure them layer by layer, predict them, cure them.

The network is z₁ = xW₁ + b₁ and zₖ = g(zₖ₋₁)Wₖ + bₖ; its last weighted sums are the logits.
Examples are rows and the weights of a layer have shape (inputs, outputs). With a first axis of
length S in front, S networks run side by side.

References
----------
S. Hochreiter (1991), "Untersuchungen zu dynamischen neuronalen Netzen", diploma thesis, Technische
Universität München.
S. S. Schoenholz, J. Gilmer, S. Ganguli, J. Sohl-Dickstein (2017), "Deep information propagation",
ICLR, arXiv:1611.01232.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

__all__ = [
    "INITIALIZATIONS",
    "MeanField",
    "batch_norm",
    "clip_by_norm",
    "draw_layers",
    "fixed_point",
    "forward",
    "gaussian_mean",
    "gradient_norms",
    "layer_norm",
    "mean_field",
]

Layers = Sequence[tuple[Tensor, Tensor]]  # (W, b) of each layer, from input to output
Function = Callable[[Tensor], Tensor]

INITIALIZATIONS = ("pytorch", "glorot", "he", "orthogonal")
"""Names that `draw_layers` knows."""


def draw_layers(
    sizes: Sequence[int],
    *,
    init: str | float,
    seeds: int | Sequence[int],
    dtype: torch.dtype = torch.float64,
) -> list[tuple[Tensor, Tensor]]:
    """Draw the weights and biases with which a network starts.

    ``"pytorch"``: all uniform in ±1/√inputs, the default of ``nn.Linear``, so that the weights have
    variance 1/(3·inputs). The others have zero biases. ``"glorot"``: normal with variance
    2/(inputs + outputs). ``"he"``: normal with variance 2/inputs. ``"orthogonal"``: perpendicular
    rows or columns of length 1. A number σ: normal with variance σ²/inputs.

    Parameters
    ----------
    sizes : sequence of int
        Neurons from the inputs to the outputs, for instance ``[64, 32, 32, 10]``.
    init : str or float
        One of `INITIALIZATIONS`, or σ > 0.
    seeds : int or sequence of int
        One seed gives W of shape (inputs, outputs) and b of shape (outputs,); S seeds give S
        networks, W of shape (S, inputs, outputs) and b of shape (S, 1, outputs).
    dtype : torch.dtype
        Of the weights. The gradients of deep networks may be too small for float32.

    Returns
    -------
    list of (W, b)
        Ready to be differentiated (``requires_grad``).

    Raises
    ------
    ValueError
        If there are fewer than two sizes, a size is below 1, or ``init`` is unknown.

    References
    ----------
    X. Glorot, Y. Bengio (2010), "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS, 249-256.
    K. He, X. Zhang, S. Ren, J. Sun (2015), "Delving deep into rectifiers", ICCV, 1026-1034,
    doi:10.1109/ICCV.2015.123.
    A. M. Saxe, J. L. McClelland, S. Ganguli (2014), "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", ICLR, arXiv:1312.6120.

    Examples
    --------
    >>> [tuple(W.shape) for W, b in draw_layers([64, 32, 10], init="he", seeds=0)]
    [(64, 32), (32, 10)]
    >>> draw_layers([64, 32, 10], init="he", seeds=range(5))[0][0].shape
    torch.Size([5, 64, 32])
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes must be two or more numbers of neurons ≥ 1, got {list(sizes)}")
    known = init in INITIALIZATIONS if isinstance(init, str) else 0 < init < math.inf
    if not known:
        raise ValueError(f"init must be one of {INITIALIZATIONS} or a number σ > 0, got {init!r}")
    if isinstance(seeds, int):
        dice = torch.Generator().manual_seed(seeds)
        return [_draw_layer(n, m, init, dice, dtype) for n, m in pairwise(sizes)]
    networks = [draw_layers(sizes, init=init, seeds=seed, dtype=dtype) for seed in seeds]
    if not networks:
        raise ValueError("seeds is empty: give one seed for each network")
    stacked = []
    for same_layer in zip(*networks, strict=True):
        W = torch.stack([W.detach() for W, _ in same_layer])  # (S, inputs, outputs)
        b = torch.stack([b.detach() for _, b in same_layer])[:, None]  # (S, 1, outputs)
        stacked.append((W.requires_grad_(), b.requires_grad_()))
    return stacked


def _draw_layer(
    n_in: int, n_out: int, init: str | float, dice: torch.Generator, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    W, b = torch.empty(n_in, n_out).double(), torch.zeros(n_out).double()
    if init == "pytorch":
        edge = 1 / math.sqrt(n_in)
        W.uniform_(-edge, edge, generator=dice)
        b.uniform_(-edge, edge, generator=dice)
    elif init == "orthogonal":
        tall = torch.randn(max(W.shape), min(W.shape), generator=dice, dtype=torch.float64)
        Q, R = torch.linalg.qr(tall)
        Q = Q * R.diagonal().sign()  # without this the draw would not be uniform (Mezzadri, 2007)
        W.copy_(Q if n_in >= n_out else Q.T)
    else:
        variance = {"glorot": 2 / (n_in + n_out), "he": 2 / n_in}
        sd = math.sqrt(variance[init]) if isinstance(init, str) else init / math.sqrt(n_in)
        W.normal_(0, sd, generator=dice)
    return W.to(dtype).requires_grad_(), b.to(dtype).requires_grad_()


def forward(
    X: Tensor,
    layers: Layers,
    activation: Function,
    *,
    normalize: Function | None = None,
    shortcut: float | None = None,
) -> list[Tensor]:
    """Run examples through a deep network and return every layer's weighted sums.

    zₖ = hW + b with h = g(N(zₖ₋₁)), where N normalizes, if asked to. With a shortcut α, layers as
    wide as the one before compute zₖ = zₖ₋₁ + α(hW + b): residual connections.

    Parameters
    ----------
    X : Tensor, shape (B, D) or (S, B, D)
        One example a row; one dtype with the weights.
    layers : sequence of (W, b)
        From `draw_layers`.
    activation : callable
        g, applied to every number.
    normalize : callable, optional
        N, for instance `batch_norm` or `layer_norm`.
    shortcut : float, optional
        α, the weight of what a layer adds to its input; 1 in the original residual networks.

    Returns
    -------
    list of Tensor, shape (B, outputs) or (S, B, outputs)
        z₁ … z_L; the last one holds the logits.

    Raises
    ------
    ValueError
        If a layer's inputs do not match what comes in.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun (2016), "Identity mappings in deep residual networks", ECCV,
    630-645, doi:10.1007/978-3-319-46493-0_38.

    Examples
    --------
    >>> layers = draw_layers([3, 4, 4, 2], init="he", seeds=0)
    >>> [tuple(z.shape) for z in forward(torch.ones(5, 3).double(), layers, torch.relu)]
    [(5, 4), (5, 4), (5, 2)]
    """
    h, zs = X, list[Tensor]()
    for k, (W, b) in enumerate(layers):
        if zs:
            h = activation(zs[-1] if normalize is None else normalize(zs[-1]))
        if h.shape[-1] != W.shape[-2]:
            raise ValueError(
                f"layer {k + 1} expects {W.shape[-2]} inputs (its W has shape {tuple(W.shape)}), "
                f"but {h.shape[-1]} numbers an example come in"
            )
        z = h @ W + b
        if shortcut is not None and zs and W.shape[-2] == W.shape[-1]:
            z = zs[-1] + shortcut * z
        zs.append(z)
    return zs


def batch_norm(z: Tensor, *, rows: int | None = None, eps: float = 1e-5) -> Tensor:
    """Give every neuron mean 0 and variance 1 over the examples of the batch.

    Parameters
    ----------
    z : Tensor, shape (…, B, H)
        Weighted sums of B ≥ 2 examples.
    rows : int, optional
        Take mean and variance from the first ``rows`` examples only. Put the training examples
        there when you test, so that no test example influences another.
    eps : float
        Added to the variance, which may be 0.

    Returns
    -------
    Tensor, shape (…, B, H)
        (z - mean) / √(variance + eps), without the scale and shift that ``nn.BatchNorm1d`` learns.

    Raises
    ------
    ValueError
        If there are fewer than two examples to take the variance from.

    References
    ----------
    S. Ioffe, C. Szegedy (2015), "Batch normalization", ICML, 448-456, arXiv:1502.03167.

    Examples
    --------
    >>> batch_norm(torch.tensor([[1.0], [3.0]]), eps=0)
    tensor([[-1.],
            [ 1.]])
    """
    reference = z[..., :rows, :]
    if reference.shape[-2] < 2:
        raise ValueError(
            f"batch normalization needs two examples or more, got {reference.shape[-2]}: "
            "the deviation from the mean of a single example is always 0"
        )
    variance, mean = torch.var_mean(reference, dim=-2, correction=0, keepdim=True)
    return (z - mean) / (variance + eps).sqrt()


def layer_norm(z: Tensor, *, eps: float = 1e-5) -> Tensor:
    """Give every example mean 0 and variance 1 over the neurons of the layer.

    Parameters
    ----------
    z : Tensor, shape (…, H)
        Weighted sums of H neurons.
    eps : float
        Added to the variance, which may be 0.

    Returns
    -------
    Tensor, shape (…, H)
        (z - mean) / √(variance + eps), without the scale and shift that ``nn.LayerNorm`` learns.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton (2016), "Layer normalization", arXiv:1607.06450.

    Examples
    --------
    >>> layer_norm(torch.tensor([[1.0, 3.0]]), eps=0)
    tensor([[-1.,  1.]])
    """
    variance, mean = torch.var_mean(z, dim=-1, correction=0, keepdim=True)
    return (z - mean) / (variance + eps).sqrt()


def gradient_norms(loss: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    """Return how strongly a loss depends on each of several tensors: ‖∂loss/∂t‖.

    Parameters
    ----------
    loss : Tensor, shape ()
        For S networks side by side: the sum of their losses.
    tensors : sequence of Tensor, each of shape (a, b) or (S, a, b)
        Weights, or weighted sums from `forward`.

    Returns
    -------
    Tensor, shape (len(tensors),) or (len(tensors), S), float64
        Euclidean norms: the root of the sum of squares over the last two axes.

    Raises
    ------
    ValueError
        If the loss is not one finite number, or does not depend on one of the tensors.

    Examples
    --------
    >>> W = torch.tensor([[3.0, 4.0]], requires_grad=True)
    >>> gradient_norms((W**2).sum() / 2, [W])
    tensor([5.], dtype=torch.float64)
    """
    if loss.numel() != 1 or not bool(torch.isfinite(loss).all()):
        raise ValueError(
            f"loss must be one finite number, got {loss.tolist()}; take the mean over the "
            "examples and the sum over networks"
        )
    grads = torch.autograd.grad(loss, tensors, retain_graph=True, allow_unused=True)
    unused = [k for k, grad in enumerate(grads) if grad is None]
    if unused:
        raise ValueError(f"the loss does not depend on the tensors number {unused} (from 0)")
    return torch.stack([grad.double().flatten(-2).norm(dim=-1) for grad in grads])


def clip_by_norm(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Shorten the gradient of all parameters together to ``max_norm``, if it is longer.

    The direction stays: every ``.grad`` is multiplied by the same factor, as
    ``torch.nn.utils.clip_grad_norm_`` does.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those whose ``.grad`` is filled; others are skipped.
    max_norm : float
        The greatest length allowed, > 0.

    Returns
    -------
    float
        The length before.

    Raises
    ------
    ValueError
        If ``max_norm`` is not positive, or no parameter has a gradient.
    FloatingPointError
        If the gradient is NaN or infinite, which no factor can mend.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio (2013), "On the difficulty of training recurrent neural
    networks", ICML, 1310-1318, arXiv:1211.5063.

    Examples
    --------
    >>> w = torch.zeros(2, requires_grad=True)
    >>> w.grad = torch.tensor([30.0, 40.0])
    >>> clip_by_norm([w], 5.0), w.grad.round(decimals=3).tolist()
    (50.0, [3.0, 4.0])
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be greater than 0, got {max_norm}")
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        raise ValueError("no parameter has a gradient; call loss.backward() first")
    length = float(torch.stack([grad.norm() for grad in grads]).norm())
    if not math.isfinite(length):
        raise FloatingPointError(f"the gradient's length is {length}: it has exploded already")
    if length > max_norm:
        for grad in grads:
            grad.mul_(max_norm / (length + 1e-6))  # the 1e-6 is PyTorch's
    return length


def gaussian_mean(f: Function, q: float, *, n_nodes: int = 200) -> float:
    """Return E[f(√q·ξ)] for a standard normal ξ, by Gauss-Hermite quadrature.

    Exact for polynomials of degree below 2·n_nodes. The even number of nodes also makes it exact
    for ReLU and its derivative, squared, because the nodes lie symmetrically around their kink.

    Parameters
    ----------
    f : callable
        From a tensor of shape (n_nodes,) to one of the same shape.
    q : float
        Variance of the argument of f, ≥ 0.
    n_nodes : int
        Number of places at which f is evaluated, even and at least 2.

    Returns
    -------
    float
        The mean.

    Raises
    ------
    ValueError
        If ``q`` is negative or not finite, or ``n_nodes`` odd or below 2.

    Examples
    --------
    >>> round(gaussian_mean(torch.square, 3.0), 9)
    3.0
    """
    if not 0 <= q < math.inf:
        raise ValueError(f"q is a variance, finite and not negative; got {q}")
    if n_nodes < 2 or n_nodes % 2:
        raise ValueError(f"n_nodes must be even and at least 2, got {n_nodes}")
    places, weights = _nodes(n_nodes)
    return float(f(math.sqrt(q) * places) @ weights)


@cache
def _nodes(n: int) -> tuple[Tensor, Tensor]:
    """Return where to evaluate a function of ξ, and how much each place counts."""
    places, weights = np.polynomial.hermite_e.hermegauss(n)  # for the weight exp(-ξ²/2)
    return torch.from_numpy(places), torch.from_numpy(weights / math.sqrt(2 * math.pi))


@dataclass(frozen=True, eq=False)
class MeanField:
    """What the theory of infinitely wide layers predicts.

    Attributes
    ----------
    q : Tensor, shape (depth,)
        Mean square of the weighted sums z₁, z₂, ….
    chi : Tensor, shape (depth - 1,)
        χₖ, by which the mean squared signal ∂loss/∂z grows on its way from layer k + 1 to k.
    """

    q: Tensor
    chi: Tensor

    def signals(self) -> Tensor:
        """Return ‖∂loss/∂zₖ‖ relative to the last layer's, shape (depth,); its last entry is 1."""
        one = torch.ones(1, dtype=torch.float64)
        return torch.cat([self.chi.flip(0).cumprod(0).sqrt().flip(0), one])


def mean_field(
    activation: Function, depth: int, *, sigma_w: float, sigma_b: float = 0.0, q1: float = 1.0
) -> MeanField:
    """Predict sums and signals of a wide random network, layer by layer.

    qₖ₊₁ = σ_w² E[g(√qₖ ξ)²] + σ_b² and χₖ = σ_w² E[g'(√qₖ ξ)²], ξ standard normal.

    Parameters
    ----------
    activation : callable
        g, differentiable by autograd.
    depth : int
        Number of layers of weighted sums, ≥ 1.
    sigma_w, sigma_b : float
        The weights have variance σ_w²/inputs, the biases σ_b².
    q1 : float
        Mean square of the first layer's weighted sums.

    Returns
    -------
    MeanField
        The sequences q and χ.

    Raises
    ------
    ValueError
        If ``depth`` is below 1, or σ_w is not positive, or σ_b or q1 negative.

    References
    ----------
    B. Poole, S. Lahiri, M. Raghu, J. Sohl-Dickstein, S. Ganguli (2016), "Exponential expressivity
    in deep neural networks through transient chaos", NeurIPS 29, 3360-3368.
    S. S. Schoenholz et al. (2017): see the module.

    Examples
    --------
    >>> mean_field(torch.relu, 4, sigma_w=2**0.5).signals().round(decimals=6).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if depth < 1 or not 0 < sigma_w < math.inf or not 0 <= sigma_b < math.inf:
        raise ValueError(
            f"need depth ≥ 1, σ_w > 0 and σ_b ≥ 0, got depth={depth}, sigma_w={sigma_w}, "
            f"sigma_b={sigma_b}"
        )
    q, chi = [float(q1)], list[float]()
    for _ in range(depth - 1):
        slopes = gaussian_mean(lambda z: _slope(activation, z) ** 2, q[-1])
        outputs = gaussian_mean(lambda z: activation(z) ** 2, q[-1])
        chi.append(sigma_w**2 * slopes)
        q.append(sigma_w**2 * outputs + sigma_b**2)
    return MeanField(_float64(q), _float64(chi))


def fixed_point(
    activation: Function,
    *,
    sigma_w: float,
    sigma_b: float = 0.0,
    max_layers: int = 10_000,
    tolerance: float = 1e-12,
) -> tuple[float, float]:
    """Return (q*, χ*): where the sums of a very deep network settle, and the signals' rate there.

    χ* < 1: gradients vanish, by a factor √χ* a layer; χ* > 1: they explode; χ* = 1: the edge of
    chaos. The rule is followed from q = 1 until q no longer changes.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As for `mean_field`.
    max_layers : int
        When to give up.
    tolerance : float
        Change of q, absolute or relative, at which it counts as settled.

    Returns
    -------
    tuple of float
        q* and χ*.

    Raises
    ------
    ValueError
        If q has not settled after ``max_layers``, as happens at the edge itself.

    Examples
    --------
    >>> q, chi = fixed_point(torch.tanh, sigma_w=0.9)
    >>> round(chi, 4)
    0.81
    """
    q = 1.0
    for _ in range(max_layers):
        new = float(mean_field(activation, 2, sigma_w=sigma_w, sigma_b=sigma_b, q1=q).q[1])
        if not new < 1e100:
            raise ValueError(f"q grows without bound at σ_w={sigma_w}: there is no fixed point")
        settled = abs(new - q) <= tolerance * max(1.0, q)
        q = new
        if settled:
            chi = mean_field(activation, 2, sigma_w=sigma_w, sigma_b=sigma_b, q1=q).chi[0]
            return q, float(chi)
    raise ValueError(
        f"q has not settled after {max_layers} layers at σ_w={sigma_w}, σ_b={sigma_b}: "
        f"it is {q:.3g} and moves more and more slowly, as it does at the edge of chaos"
    )


def _float64(numbers: list[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _slope(activation: Function, z: Tensor) -> Tensor:
    """Return g'(z), by autograd."""
    z = z.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(activation(z).sum(), z)[0]
