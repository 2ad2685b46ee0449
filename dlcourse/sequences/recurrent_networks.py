"""Recurrent networks: the same neurons at every step of a sequence, and learning through time.

The network is zₜ = xₜW + hₜ₋₁U + b, hₜ = tanh(zₜ), ŷₜ = hₜV + c. A batch of B sequences of T steps
with D inputs each has shape (B, T, D). With a first axis of length S before all weights, and before
the batch or not, S networks run side by side.

References
----------
J. L. Elman (1990), "Finding structure in time", Cognitive Science 14(2), 179-211,
doi:10.1207/s15516709cog1402_1.
P. J. Werbos (1990), "Backpropagation through time: what it does and how to do it", Proceedings of
the IEEE 78(10), 1550-1560, doi:10.1109/5.58337.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

__all__ = [
    "RNN",
    "Slopes",
    "Weights",
    "autoregression",
    "backward_through_time",
    "draw_weights",
    "mean_field",
    "recall_task",
    "rolling_origins",
    "unroll",
    "windows",
]


class Weights(NamedTuple):
    """The weights of one network, or of S networks with a first axis of length S.

    Attributes
    ----------
    W, U, b : Tensor, shape (..., D, H), (..., H, H), (..., H)
        From the inputs to the hidden neurons, from these to themselves one step later, their bias.
    V, c : Tensor, shape (..., H, K), (..., K)
        From the hidden neurons to the outputs, and their bias.
    """

    W: Tensor
    U: Tensor
    b: Tensor
    V: Tensor
    c: Tensor


class Slopes(NamedTuple):
    """What `backward_through_time` returns.

    Attributes
    ----------
    W, U, b : Tensor
        Slopes of the loss with respect to the weights, of their shapes.
    signals : Tensor, shape (..., B, T, H)
        The signals δₜ = ∂J/∂zₜ.
    """

    W: Tensor
    U: Tensor
    b: Tensor
    signals: Tensor


def draw_weights(
    n_inputs: int,
    hidden_size: int,
    n_outputs: int,
    *,
    seeds: int | Sequence[int],
    gain: float = 1.0,
    dtype: torch.dtype = torch.float32,
) -> Weights:
    """Draw the weights with which a network starts: normal, with mean 0, and zero biases.

    Parameters
    ----------
    n_inputs, hidden_size, n_outputs : int
        D, H and K.
    seeds : int or sequence of int
        One seed gives one network, S seeds give S networks with a first axis of length S.
    gain : float
        The recurrent weights U have variance gain²/H; W and V have 1/D and 1/H.
    dtype : torch.dtype
        Of the weights. Gradients that vanish may need float64.

    Returns
    -------
    Weights
        Ready to be differentiated (``requires_grad``).

    Raises
    ------
    ValueError
        If a size is below 1, the gain is negative or no number, or there is no seed.

    Examples
    --------
    >>> draw_weights(3, 16, 2, seeds=range(5)).U.shape
    torch.Size([5, 16, 16])
    """
    D, H, K = n_inputs, hidden_size, n_outputs
    if min(D, H, K) < 1:
        raise ValueError(f"sizes must be at least 1, got {(D, H, K)}")
    if not 0 <= gain < math.inf:
        raise ValueError(f"gain must be a number from 0, got {gain}")
    many = [seeds] if isinstance(seeds, int) else list(seeds)
    if not many:
        raise ValueError("seeds is empty: give one seed for each network")
    networks = []
    for seed in many:
        dice = torch.Generator().manual_seed(seed)
        W, U, V = (
            torch.randn(n, m, generator=dice, dtype=torch.float64) * size / math.sqrt(n)
            for n, m, size in ((D, H, 1.0), (H, H, gain), (H, K, 1.0))
        )
        networks.append((W, U, torch.zeros(H), V, torch.zeros(K)))
    stacked = [torch.stack(same).to(dtype) for same in zip(*networks, strict=True)]
    if isinstance(seeds, int):
        stacked = [w[0] for w in stacked]
    return Weights(*(w.clone().requires_grad_() for w in stacked))


def unroll(X: Tensor, W: Tensor, U: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """Run the hidden neurons along a batch of sequences: hₜ = tanh(xₜW + hₜ₋₁U + b).

    Parameters
    ----------
    X : Tensor, shape (..., B, T, D)
        Sequences of T steps.
    W, U, b : Tensor, shape (..., D, H), (..., H, H), (..., H)
        Weights.
    h0 : Tensor, shape (..., B, H), optional
        State before the first step; zeros if there is none.

    Returns
    -------
    Tensor, shape (..., B, T, H)
        The state after each step.

    Raises
    ------
    ValueError
        If there is no step, or the shapes do not fit.

    Examples
    --------
    >>> w, ones = torch.tensor([[1.0]]), torch.ones(1, 3, 1)
    >>> unroll(ones, w, w, torch.zeros(1)).flatten()  # tanh 1, tanh(1 + tanh 1), …
    tensor([0.7616, 0.9427, 0.9597])
    """
    _check(X, W, U, b)
    drive = X @ W.unsqueeze(-3) + b[..., None, None, :]  # (..., B, T, H), all steps at once
    h = torch.zeros_like(drive[..., 0, :]) if h0 is None else h0
    states = []
    for z in drive.unbind(-2):
        h = torch.tanh(z + h @ U)
        states.append(h)
    return torch.stack(states, dim=-2)


def backward_through_time(
    X: Tensor, H: Tensor, dH: Tensor, W: Tensor, U: Tensor, h0: Tensor | None = None
) -> Slopes:
    """Walk back along the sequence, from the last step to the first, and collect all slopes.

    δₜ = (∂J/∂hₜ + δₜ₊₁Uᵀ) ⊙ (1 - hₜ²), where ∂J/∂hₜ is what the loss says at step t itself. Each
    step adds xₜᵀδₜ to the slope of W, hₜ₋₁ᵀδₜ to that of U, and δₜ to that of b.

    Parameters
    ----------
    X, H : Tensor, shape (..., B, T, D) and (..., B, T, H)
        Inputs, and the states that `unroll` returned for them.
    dH : Tensor, shape (..., B, T, H)
        ∂J/∂hₜ at each step, as if it had no effect on later steps; zeros where nothing is asked.
    W, U, h0 : Tensor
        As for `unroll`.

    Returns
    -------
    Slopes
        ``W``, ``U``, ``b`` and ``signals``.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> w, X = torch.tensor([[1.0]]), torch.ones(1, 3, 1)
    >>> H = unroll(X, w, w, torch.zeros(1))
    >>> backward_through_time(X, H, torch.ones(1, 3, 1), w, w).b
    tensor([0.6695])
    """
    _check(X, W, U, U[..., 0, :])
    if H.shape != dH.shape or H.shape[-2:] != (X.shape[-2], U.shape[-1]):
        wanted = f"(..., B, {X.shape[-2]}, {U.shape[-1]})"
        raise ValueError(f"H and dH have shape {wanted}, got {tuple(H.shape)}, {tuple(dH.shape)}")
    first = torch.zeros_like(H[..., 0, :]) if h0 is None else h0.expand_as(H[..., 0, :])
    before = torch.cat([first.unsqueeze(-2), H[..., :-1, :]], dim=-2)  # hₜ₋₁ for every t
    later = torch.zeros_like(first)
    signals = []
    for t in reversed(range(H.shape[-2])):
        signal = (dH[..., t, :] + later) * (1 - H[..., t, :] ** 2)
        later = signal @ U.mT
        signals.append(signal)
    delta = torch.stack(signals[::-1], dim=-2)
    # Both sums, over the batch and over time, are one matrix product.
    flat = delta.flatten(-3, -2)
    wide = X.expand(*delta.shape[:-1], X.shape[-1])
    return Slopes(
        wide.flatten(-3, -2).mT @ flat, before.flatten(-3, -2).mT @ flat, flat.sum(-2), delta
    )


def _check(X: Tensor, W: Tensor, U: Tensor, b: Tensor) -> None:
    if X.ndim < 3 or X.shape[-2] == 0:
        got = tuple(X.shape)
        raise ValueError(f"X holds sequences, (..., B, T, D) with a step at least; got {got}")
    D, H = X.shape[-1], U.shape[-1]
    shapes = [tuple(w.shape) for w in (W, U, b)]
    if [shapes[0][-2:], shapes[1][-2:], shapes[2][-1:]] != [(D, H), (H, H), (H,)]:
        wanted = f"({D}, H), (H, H) and (H,)"
        raise ValueError(f"for {D} inputs, W, U and b end in {wanted}; got {shapes}")


class RNN(nn.Module):
    """One layer of hidden neurons that see their own past, and a weighted sum of them.

    Parameters
    ----------
    n_inputs, hidden_size, n_outputs : int
        D, H and K.
    only_last : bool
        Answer after the last step only, (B, K), not after every step, (B, T, K).
    gain : float
        Size of the recurrent weights at the start; see `draw_weights`.
    seed : int
        Of the initial weights; PyTorch's global generator is neither used nor changed.

    Raises
    ------
    ValueError
        If sizes or gain are impossible.

    Examples
    --------
    >>> RNN(3, 16, 2, seed=0)(torch.zeros(8, 20, 3)).shape
    torch.Size([8, 20, 2])
    """

    def __init__(
        self,
        n_inputs: int,
        hidden_size: int,
        n_outputs: int,
        *,
        seed: int,
        only_last: bool = False,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        drawn = draw_weights(n_inputs, hidden_size, n_outputs, seeds=seed, gain=gain)
        self.W, self.U, self.b, self.V, self.c = (nn.Parameter(w.detach()) for w in drawn)
        self.only_last = only_last

    def forward(self, X: Tensor, h0: Tensor | None = None) -> Tensor:
        """Return the outputs for sequences of shape (B, T, D)."""
        H = unroll(X, self.W, self.U, self.b, h0)  # (B, T, H)
        if self.only_last:
            H = H[:, -1]
        return H @ self.V + self.c


def mean_field(gain: float, drive: float) -> tuple[float, float]:
    """Predict how the signal shrinks on its way back, for many hidden neurons with random weights.

    With recurrent weights of variance gain²/H, the weighted sums have the mean square
    q = gain²·E[tanh²(√q ξ)] + drive, and each step back multiplies the squared signal by
    χ = gain²·E[(1 - tanh²(√q ξ))²], where ξ is standard normal.

    Parameters
    ----------
    gain : float
        Size of the recurrent weights, from 0.
    drive : float
        Mean square of what the inputs and the bias add to a weighted sum, from 0.

    Returns
    -------
    (chi, q)
        Both where q has settled. A lag of k steps divides the signal's norm by χ^(-k/2).

    Raises
    ------
    ValueError
        If a number is negative or not finite.

    References
    ----------
    H. Sompolinsky, A. Crisanti, H. J. Sommers (1988), "Chaos in random neural networks", Physical
    Review Letters 61(3), 259-262, doi:10.1103/PhysRevLett.61.259.
    M. Chen, J. Pennington, S. S. Schoenholz (2018), "Dynamical isometry and a mean field theory of
    RNNs", ICML, PMLR 80, 873-882, arXiv:1806.05394.

    Examples
    --------
    >>> chi, q = mean_field(0.5, 0.0)  # nothing happens: every neuron rests where tanh has slope 1
    >>> round(chi, 6), round(q, 6)
    (0.25, 0.0)
    """
    if not (0 <= gain < math.inf and 0 <= drive < math.inf):
        raise ValueError(f"gain and drive must be numbers from 0, got {gain} and {drive}")
    places, shares = np.polynomial.hermite_e.hermegauss(200)
    shares = shares / shares.sum()
    q = drive + 1.0
    for _ in range(10_000):
        was, q = q, gain**2 * float(shares @ np.tanh(math.sqrt(q) * places) ** 2) + drive
        if abs(q - was) <= 1e-12 * (1 + q):
            break
    slope = 1 - np.tanh(math.sqrt(q) * places) ** 2
    return gain**2 * float(shares @ slope**2), q


def recall_task(n: int, lag: int, *, seed: int, n_symbols: int = 4) -> tuple[Tensor, Tensor]:
    """Draw sequences of random symbols of which only the first is asked for, ``lag`` steps later.

    Parameters
    ----------
    n, lag : int
        Number of sequences, at least 1, and of steps after the first, at least 0.
    seed : int
        Of the draw.
    n_symbols : int
        Size K of the alphabet, at least 2. Guessing is right in one of K cases.

    Returns
    -------
    X : Tensor, shape (n, lag + 1, K + 1), float32
        One-hot symbols; the last channel is 1 at the first step, "remember this", else 0.
    y : Tensor, shape (n,), int64
        The first symbol.

    Raises
    ------
    ValueError
        If a number is too small.

    Examples
    --------
    >>> X, y = recall_task(100, 7, seed=0)
    >>> X.shape, bool((X[:, 0, :4].argmax(1) == y).all())
    (torch.Size([100, 8, 5]), True)
    """
    if n < 1 or lag < 0 or n_symbols < 2:
        got = f"{n}, {lag}, {n_symbols}"
        raise ValueError(f"n, lag and n_symbols must be at least 1, 0 and 2; got {got}")
    dice = torch.Generator().manual_seed(seed)
    symbols = torch.randint(n_symbols, (n, lag + 1), generator=dice)
    mark = torch.zeros(n, lag + 1, 1)
    mark[:, 0] = 1
    return torch.cat([torch.eye(n_symbols)[symbols], mark], dim=2), symbols[:, 0]


def windows(series: Tensor, length: int, horizon: int) -> tuple[Tensor, Tensor]:
    """Cut a series into all pairs of a past and the value that followed it.

    Parameters
    ----------
    series : Tensor, shape (n,)
        Evenly spaced measurements.
    length, horizon : int
        Values of the past in each pair, and how many steps after the last of them we ask.

    Returns
    -------
    past : Tensor, shape (n - length - horizon + 1, length)
        Oldest value first.
    future : Tensor, shape (n - length - horizon + 1,)
        Row i is ``series[i + length - 1 + horizon]``.

    Raises
    ------
    ValueError
        If the series is not one of finite numbers, or too short for a single pair.

    Examples
    --------
    >>> past, future = windows(torch.arange(5.0), 2, 2)
    >>> past.tolist(), future.tolist()
    ([[0.0, 1.0], [1.0, 2.0]], [3.0, 4.0])
    """
    if series.ndim != 1 or not series.isfinite().all():
        raise ValueError(f"a series is a row of finite numbers, got shape {tuple(series.shape)}")
    if length < 1 or horizon < 1 or len(series) < length + horizon:
        rule = f"must be at least 1 and fit into {len(series)} values"
        raise ValueError(f"length and horizon {rule}; got {length} and {horizon}")
    past: Tensor = series.unfold(0, length, 1)
    return past[:-horizon], series[length - 1 + horizon :]


def autoregression(series: Tensor, order: int, horizon: int = 1) -> Tensor:
    """Fit xₜ₊ₖ ≈ a₀ + a₁xₜ + a₂xₜ₋₁ + … + aₚxₜ₋ₚ₊₁ by least squares.

    Parameters
    ----------
    series : Tensor, shape (n,)
        The values to learn from.
    order, horizon : int
        p and k.

    Returns
    -------
    Tensor, shape (order + 1,), float64
        a₀, a₁, …, aₚ.

    Raises
    ------
    ValueError
        If the series is too short: there must be more pairs than coefficients.

    References
    ----------
    G. U. Yule (1927), "On a method of investigating periodicities in disturbed series",
    Philosophical Transactions of the Royal Society A 226, 267-298, doi:10.1098/rsta.1927.0007.

    Examples
    --------
    >>> autoregression(0.5 ** torch.arange(8.0), 1).abs().round(decimals=6)
    tensor([0.0000, 0.5000], dtype=torch.float64)
    """
    past, future = windows(series.double(), order, horizon)
    if len(past) <= order + 1:
        raise ValueError(f"{len(past)} pairs cannot settle {order + 1} coefficients: too short")
    design = torch.cat([torch.ones(len(past), 1).double(), past.flip(1)], dim=1)
    solved: Tensor = torch.linalg.lstsq(design, future[:, None]).solution
    return solved[:, 0]


def rolling_origins(n: int, first: int, step: int) -> Iterator[tuple[slice, slice]]:
    """Split a series into growing pasts and the stretch that follows each, for honest forecasts.

    Parameters
    ----------
    n : int
        Number of values.
    first, step : int
        Length of the first past, and of every stretch that is to be forecast.

    Yields
    ------
    (past, future) : tuple of slice
        ``slice(0, origin)`` and ``slice(origin, origin + step)``; what does not fill a stretch at
        the end is left out.

    Raises
    ------
    ValueError
        If there is not a single stretch.

    References
    ----------
    L. J. Tashman (2000), "Out-of-sample tests of forecasting accuracy: an analysis and review",
    International Journal of Forecasting 16(4), 437-450, doi:10.1016/S0169-2070(00)00065-0.

    Examples
    --------
    >>> [(past.stop, future.stop) for past, future in rolling_origins(100, 40, 20)]
    [(40, 60), (60, 80), (80, 100)]
    """
    if first < 1 or step < 1 or first + step > n:
        rule = f"must be at least 1, and together at most the {n} values"
        raise ValueError(f"first and step {rule}; got {first} and {step}")
    return (
        (slice(0, origin), slice(origin, origin + step))
        for origin in range(first, n - step + 1, step)
    )
