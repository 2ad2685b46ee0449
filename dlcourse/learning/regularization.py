"""Against overfitting: prices on weights, dropout, and more data out of the same.

In this module ``penalty`` is λ ≥ 0, ``X`` has shape (n, D), and the linear models are computed in
float64. Their bias b is never penalized: adding 10 to every target should add 10 to every answer.

References
----------
A. E. Hoerl, R. W. Kennard (1970), "Ridge regression: biased estimation for nonorthogonal problems",
Technometrics 12(1), 55-67, doi:10.1080/00401706.1970.10488634.
R. Tibshirani (1996), "Regression shrinkage and selection via the lasso", Journal of the Royal
Statistical Society B 58(1), 267-288, doi:10.1111/j.2517-6161.1996.tb02080.x.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "BiasVariance",
    "LinearFit",
    "bias_variance",
    "dropout",
    "flip_labels",
    "lasso",
    "ridge",
    "shift",
    "soft_threshold",
]


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A linear neuron ŷ = b + Xw whose weights were found under a penalty.

    Attributes
    ----------
    w : Tensor, shape (D,), float64
        The weights.
    b : float
        The bias.
    n_steps : int
        Steps taken; 0 for a closed form.
    """

    w: Tensor
    b: float
    n_steps: int = 0

    def predict(self, X: Tensor) -> Tensor:
        """Return b + Xw, shape (n,), for examples of shape (n, D)."""
        return X.double() @ self.w + self.b


def ridge(X: Tensor, y: Tensor, penalty: float) -> LinearFit:
    """Minimize 1/(2n) ‖y - b - Xw‖² + λ/2 ‖w‖² in closed form: w = (XᵀX/n + λI)⁻¹ Xᵀy/n.

    Here X and y stand for the data minus their means. scikit-learn's ``Ridge`` calls nλ ``alpha``.

    Parameters
    ----------
    X : Tensor, shape (n, D)
        Examples; standardize the columns first, or λ weighs heaviest on those in small units.
    y : Tensor, shape (n,)
        Numbers to predict.
    penalty : float
        λ ≥ 0.

    Returns
    -------
    LinearFit

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or λ is negative; with λ = 0 also if columns
        of X depend on each other, so that infinitely many weights are best.

    Examples
    --------
    >>> X = torch.tensor([[-1.0], [1.0]])
    >>> [round(ridge(X, torch.tensor([-3.0, 3.0]), penalty).w.item(), 6) for penalty in (0, 1, 2)]
    [3.0, 1.5, 1.0]
    """
    gram, moment, x_mean, y_mean = _centred(X, y, penalty)
    D = len(moment)
    if penalty == 0 and int(torch.linalg.matrix_rank(gram, hermitian=True)) < D:
        raise ValueError(
            f"the {D} columns of X depend on each other (or there are too few of its {len(X)} "
            "rows), so without a penalty many weights fit equally well; take penalty > 0"
        )
    w = torch.linalg.solve(gram + penalty * torch.eye(D, dtype=torch.float64), moment)
    return LinearFit(w, float(y_mean - x_mean @ w))


def soft_threshold(z: Tensor, t: float) -> Tensor:
    """Move every number towards 0 by t, and those that would pass it to exactly 0.

    It is the solution of min over w of ½(w - z)² + t|w|.

    Examples
    --------
    >>> soft_threshold(torch.tensor([-3.0, -0.5, 0.2, 2.0]), 1.0)
    tensor([-2.,  0.,  0.,  1.])
    """
    return z - z.clamp(-t, t)


def lasso(
    X: Tensor, y: Tensor, penalty: float, *, tolerance: float = 1e-8, max_steps: int = 200_000
) -> LinearFit:
    """Minimize 1/(2n) ‖y - b - Xw‖² + λ ‖w‖₁ by proximal gradient descent (ISTA).

    Each step goes down the slope of the first term and then soft-thresholds:
    w ← soft_threshold(w - η·∇, ηλ), with η = 1 / the largest eigenvalue of XᵀX/n.

    Parameters
    ----------
    X, y, penalty
        As for `ridge`; λ is scikit-learn's ``Lasso(alpha=λ)``.
    tolerance : float
        Stop when no weight violates its condition for the optimum by more than this share of the
        smallest λ that makes all weights 0.
    max_steps : int
        Steps after which to give up.

    Returns
    -------
    LinearFit
        Many of its weights are exactly 0 if λ is large.

    Raises
    ------
    ValueError
        As for `ridge`, except that dependent columns are allowed.
    RuntimeError
        If ``max_steps`` did not suffice, as happens when columns are nearly copies of each other.

    References
    ----------
    I. Daubechies, M. Defrise, C. De Mol (2004), "An iterative thresholding algorithm for linear
    inverse problems with a sparsity constraint", Communications on Pure and Applied Mathematics
    57(11), 1413-1457, doi:10.1002/cpa.20042.

    Examples
    --------
    >>> X = torch.tensor([[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    >>> [round(v, 4) for v in lasso(X, 3 * X[:, 0] + 0.1 * X[:, 1], 0.5).w.tolist()]
    [2.5, 0.0]
    """
    gram, moment, x_mean, y_mean = _centred(X, y, penalty)
    if not tolerance > 0 or max_steps < 1:
        raise ValueError(f"need tolerance > 0 and max_steps ≥ 1, got {tolerance} and {max_steps}")
    step = 1 / max(float(torch.linalg.eigvalsh(gram)[-1]), 1e-300)
    goal = tolerance * float(moment.abs().max())
    w = torch.zeros_like(moment)
    for n_steps in range(max_steps + 1):
        slope = gram @ w - moment
        # At the optimum: slope = -λ·sign(w) where w ≠ 0, and |slope| ≤ λ where w = 0.
        off = torch.where(w != 0, slope + penalty * w.sign(), (slope.abs() - penalty).clamp_min(0))
        if float(off.abs().max()) <= goal:
            return LinearFit(w, float(y_mean - x_mean @ w), n_steps)
        w = soft_threshold(w - step * slope, step * penalty)
    raise RuntimeError(
        f"the lasso has not converged after {max_steps} steps: an optimum condition is still off "
        f"by {float(off.abs().max()):.2g}, and {goal:.2g} was asked for. Standardize the columns, "
        "drop near copies among them, or raise tolerance or max_steps"
    )


def dropout(
    h: Tensor, p: float, *, keep: Tensor | None = None, generator: torch.Generator | None = None
) -> Tensor:
    """Silence each number with probability p, and divide the others by 1 - p.

    So the expectation is h: E = (1 - p)·h/(1 - p) + p·0 = h.

    Parameters
    ----------
    h : Tensor
        Outputs of a layer, of any shape.
    p : float
        Probability to be dropped, from 0 to below 1.
    keep : Tensor of bool, the shape of h, optional
        Which to keep; drawn if not given.
    generator : torch.Generator, optional
        Where the draw comes from; without it PyTorch's global generator.

    Returns
    -------
    Tensor
        Of the shape of h.

    Raises
    ------
    ValueError
        If p is not in [0, 1) or ``keep`` has another shape than h.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014), "Dropout: a
    simple way to prevent neural networks from overfitting", JMLR 15, 1929-1958.

    Examples
    --------
    >>> dropout(torch.tensor([1.0, 2.0, 3.0]), 0.5, keep=torch.tensor([True, False, True]))
    tensor([2., 0., 6.])
    """
    if not 0 <= p < 1:
        raise ValueError(f"p is the probability to be dropped, at least 0 and below 1; got {p}")
    if keep is None:
        keep = torch.rand(h.shape, generator=generator, device=h.device) >= p
    if keep.shape != h.shape:
        raise ValueError(
            f"keep must have the shape of h, {tuple(h.shape)}; got {tuple(keep.shape)}"
        )
    return h * (keep.to(h.dtype) / (1 - p))


def shift(images: Tensor, down: int, right: int) -> Tensor:
    """Move images by whole pixels; what leaves is lost, and what enters is 0 (paper).

    Parameters
    ----------
    images : Tensor, shape (…, height, width)
        One image or many.
    down, right : int
        Pixels to move; negative numbers move up and left.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    ValueError
        If nothing of the images would be left.

    Examples
    --------
    >>> shift(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 0, 1)
    tensor([[0., 1.],
            [0., 3.]])
    """
    H, W = images.shape[-2:]
    if abs(down) >= H or abs(right) >= W:
        raise ValueError(f"a shift by ({down}, {right}) leaves nothing of images of {H} x {W}")
    moved = torch.zeros_like(images)
    moved[..., max(down, 0) : H + min(down, 0), max(right, 0) : W + min(right, 0)] = images[
        ..., max(-down, 0) : H - max(down, 0), max(-right, 0) : W - max(right, 0)
    ]
    return moved


def flip_labels(y: Tensor, share: float, *, n_classes: int, seed: int) -> Tensor:
    """Give a share of the examples a wrong label, each wrong class being equally likely.

    Parameters
    ----------
    y : Tensor, shape (n,), int64
        Right labels, 0 … n_classes - 1.
    share : float
        Share of wrong labels, in [0, 1]; rounded to a whole number of examples.
    n_classes : int
        Number of classes K ≥ 2.
    seed : int
        Seed of the draw.

    Returns
    -------
    Tensor, shape (n,), int64
        Exactly round(share·n) labels differ from ``y``.

    Raises
    ------
    ValueError
        If the share is not in [0, 1], or labels and ``n_classes`` do not fit.

    Examples
    --------
    >>> y = torch.arange(10)
    >>> int((flip_labels(y, 0.3, n_classes=10, seed=0) != y).sum())
    3
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is between 0 and 1, got {share}")
    if y.ndim != 1 or y.is_floating_point() or n_classes < 2:
        raise ValueError(
            f"need whole-number labels of shape (n,) and n_classes ≥ 2, got {y.dtype} of shape "
            f"{tuple(y.shape)} and {n_classes}"
        )
    if len(y) and not (int(y.min()) >= 0 and int(y.max()) < n_classes):
        raise ValueError(
            f"labels must lie between 0 and {n_classes - 1}, got {int(y.min())} to {int(y.max())}"
        )
    dice = torch.Generator().manual_seed(seed)
    wrong = torch.randperm(len(y), generator=dice)[: round(share * len(y))]
    noisy = y.long().clone()
    noisy[wrong] += torch.randint(1, n_classes, (len(wrong),), generator=dice)
    return noisy % n_classes


@dataclass(frozen=True)
class BiasVariance:
    """The two parts of an error that a better method could avoid; noise comes on top.

    Attributes
    ----------
    bias2 : float
        Mean squared distance from the truth to the average prediction.
    variance : float
        Mean squared distance from that average to the predictions.
    """

    bias2: float
    variance: float


def bias_variance(predictions: Tensor, truth: Tensor) -> BiasVariance:
    """Split the mean squared distance from the truth into bias² and variance, which add up to it.

    Parameters
    ----------
    predictions : Tensor, shape (S, m)
        What models learnt from S training sets predict at the same m places.
    truth : Tensor, shape (m,)
        The noiseless truth there.

    Returns
    -------
    BiasVariance
        Averages over the places. The measured bias² holds 1/S of the variance, so take S large.

    Raises
    ------
    ValueError
        If the shapes do not fit, or S < 2.

    References
    ----------
    S. Geman, E. Bienenstock, R. Doursat (1992), "Neural networks and the bias/variance dilemma",
    Neural Computation 4(1), 1-58, doi:10.1162/neco.1992.4.1.1.

    Examples
    --------
    >>> bias_variance(torch.tensor([[1.0], [3.0]]), torch.tensor([0.0]))
    BiasVariance(bias2=4.0, variance=1.0)
    """
    if predictions.ndim != 2 or predictions.shape[1:] != truth.shape or len(predictions) < 2:
        raise ValueError(
            "predictions must have shape (S, m) with S ≥ 2 training sets, and truth (m,); got "
            f"{tuple(predictions.shape)} and {tuple(truth.shape)}"
        )
    average = predictions.double().mean(0)
    return BiasVariance(
        bias2=float((average - truth.double()).square().mean()),
        variance=float((predictions.double() - average).square().mean()),
    )


def _centred(X: Tensor, y: Tensor, penalty: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Check a regression problem; return XᵀX/n and Xᵀy/n of the centred data, and the means."""
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X must have shape (n, D), one example a row, got {tuple(X.shape)}")
    if y.shape != (len(X),):
        raise ValueError(f"y must have shape ({len(X)},), one a row of X, got {tuple(y.shape)}")
    if not (torch.isfinite(X).all() and torch.isfinite(y).all()):
        raise ValueError("X or y holds NaN or infinity; every value must be a finite number")
    if not 0 <= penalty < math.inf:
        raise ValueError(f"penalty is a number λ that is not negative, got {penalty}")
    X, y = X.double(), y.double()
    x_mean, y_mean = X.mean(0), y.mean()
    X, y = X - x_mean, y - y_mean
    return X.T @ X / len(X), X.T @ y / len(X), x_mean, y_mean
