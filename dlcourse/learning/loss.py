"""What a good network is: losses of single examples, and the least that any model can lose.

The losses return one number an example, L(f(x; W), y), shape (n,). Their mean over a data set is
the empirical loss J(W) = 1/n Σ L, also called objective, cost or empirical risk. Logarithms are
natural, so cross-entropies are in nats; 1 nat is 1.443 bits.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = [
    "bayes_error",
    "binary_cross_entropy",
    "cross_entropy",
    "expected_cross_entropy",
    "least_squares",
    "squared_error",
]


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return (ŷ - y)² of each example; nothing is broadcast.

    Up to constants, this is minus the log-likelihood of y = ŷ plus normal noise.

    Parameters
    ----------
    outputs : Tensor, shape (n,)
        What the model answers.
    targets : Tensor, shape (n,)
        The truth, in the same units.

    Returns
    -------
    Tensor, shape (n,)
        The losses, in squared units of the targets.

    Raises
    ------
    ValueError
        If the shapes are not both (n,), or a value is not finite.

    References
    ----------
    A.-M. Legendre (1805), "Nouvelles méthodes pour la détermination des orbites des comètes",
    appendix "Sur la méthode des moindres quarrés".

    Examples
    --------
    >>> squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0]))
    tensor([0., 9.])
    """
    _check_one_each(outputs, targets, "outputs", "targets")
    return (outputs - targets) ** 2


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return -ln p(y) of each example for two classes, from the logit z of class 1.

    With p = 1 / (1 + e⁻ᶻ) it is -y ln p - (1 - y) ln(1 - p) = ln(e⁰ + eᶻ) - yz, which PyTorch's
    ``logaddexp`` computes without overflow and without a logarithm of 0. Its slope in z is p - y.

    Parameters
    ----------
    logits : Tensor, shape (n,)
        The model's output before the sigmoid.
    labels : Tensor, shape (n,)
        0 or 1, or a probability of class 1 in between.

    Returns
    -------
    Tensor, shape (n,)
        The losses, in nats.

    Raises
    ------
    ValueError
        If the shapes are not both (n,), a logit is not finite, or a label is not in [0, 1].

    Examples
    --------
    >>> binary_cross_entropy(torch.tensor([0.0, 200.0]), torch.tensor([1, 0]))
    tensor([  0.6931, 200.0000])
    """
    _check_one_each(logits, labels, "logits", "labels")
    if not ((labels >= 0) & (labels <= 1)).all():
        raise ValueError(
            "labels of two classes are 0 or 1 (or a probability in between), "
            f"got values from {labels.min()} to {labels.max()}"
        )
    return torch.logaddexp(torch.zeros_like(logits), logits) - labels * logits


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return -ln p(y) of each example, with p the softmax of the logits z: ln Σₖ exp(zₖ) - z_y.

    Parameters
    ----------
    logits : Tensor, shape (n, K)
        The model's scores, before the softmax.
    labels : Tensor, shape (n,), int64
        The right classes, 0 … K - 1.

    Returns
    -------
    Tensor, shape (n,)
        The losses, in nats: 0 if the right class got probability 1, ln K if all got the same.

    Raises
    ------
    ValueError
        If the shapes do not match, a logit is not finite, or a label is no class number.

    References
    ----------
    I. J. Good (1952), "Rational decisions", Journal of the Royal Statistical Society B 14(1),
    107-114, doi:10.1111/j.2517-6161.1952.tb00104.x.

    Examples
    --------
    >>> cross_entropy(torch.tensor([[0.0, 0.0], [0.0, 200.0]]), torch.tensor([0, 0]))
    tensor([  0.6931, 200.0000])
    """
    if logits.ndim != 2 or logits.shape[1] < 2 or len(logits) == 0:
        raise ValueError(
            "logits must have shape (n, K), a row for each example and a column for each of K ≥ 2 "
            f"classes, got {tuple(logits.shape)}"
        )
    n, K = logits.shape
    if labels.shape != (n,):
        raise ValueError(
            f"labels must be class numbers, one for each row, shape ({n},); "
            f"got {tuple(labels.shape)}"
        )
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"labels must be whole numbers (torch.int64), got {labels.dtype}")
    if labels.min() < 0 or labels.max() >= K:
        raise ValueError(
            f"with {K} columns of logits, labels are 0 to {K - 1}; "
            f"got {int(labels.min())} to {int(labels.max())}"
        )
    _check_finite(logits, "logits")
    right = logits.gather(1, labels.long()[:, None])[:, 0]  # (n,)
    return logits.logsumexp(1) - right


def least_squares(X: Tensor, y: Tensor) -> tuple[Tensor, float]:
    """Return the weights and the bias that make the mean squared error of a linear model least.

    They solve the normal equations X̃ᵀX̃ w̃ = X̃ᵀy, where X̃ is X with a column of ones in front.
    Computed in float64.

    Parameters
    ----------
    X : Tensor, shape (n, D)
        One example a row, n > D.
    y : Tensor, shape (n,)
        The numbers to predict.

    Returns
    -------
    w : Tensor, shape (D,), float64
        The weights.
    b : float
        The bias w₀.

    Raises
    ------
    ValueError
        If shapes do not match, a value is not finite, or infinitely many weights are equally good:
        too few examples, or a column that is constant or a sum of multiples of others.

    References
    ----------
    C. F. Gauss (1809), "Theoria motus corporum coelestium", book II, section III.

    Examples
    --------
    >>> X = torch.tensor([[0.0], [1.0], [2.0]])
    >>> w, b = least_squares(X, torch.tensor([1.0, 3.0, 5.0]))
    >>> round(w.item(), 6), round(b, 6)
    (2.0, 1.0)
    """
    if X.ndim != 2 or y.shape != (len(X),) or len(X) == 0:
        raise ValueError(
            f"X must have shape (n, D) and y shape (n,), got {tuple(X.shape)} and {tuple(y.shape)}"
        )
    _check_finite(X, "X")
    _check_finite(y, "y")
    n, D = X.shape
    if n <= D:
        raise ValueError(
            f"{n} examples cannot fix {D} weights and a bias: many choices fit equally well"
        )
    X1 = torch.cat([torch.ones(n, 1, dtype=torch.float64, device=X.device), X.double()], dim=1)
    lengths = X1.norm(dim=0).clamp_min(torch.finfo(torch.float64).tiny)
    A = X1 / lengths  # columns of length 1, so that units do not matter
    if torch.linalg.matrix_rank(A, rtol=1e-7) <= D:
        raise ValueError(
            "a column of X is constant, or can be computed from others, so that infinitely many "
            "weights are equally good; leave it out"
        )
    solution = torch.linalg.solve(A.T @ A, A.T @ y.double()) / lengths
    return solution[1:], float(solution[0])


def bayes_error(distance: float, noise: float = 1.0, *, prior: float = 0.5) -> float:
    """Return the least probability of error for two normal clouds of equal standard deviation.

    With δ = distance / noise and t = ln((1 - prior) / prior) / δ, the classes change places at
    t from the middle (in units of the noise), and the error is
    (1 - prior) Φ(-δ/2 - t) + prior Φ(-δ/2 + t); for equally frequent classes simply Φ(-δ/2).

    Parameters
    ----------
    distance : float
        Distance of the two centres, at least 0.
    noise : float
        Standard deviation of each cloud in every direction, above 0.
    prior : float
        Share of class 1, between 0 and 1.

    Returns
    -------
    float
        Between 0 and min(prior, 1 - prior).

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    C. K. Chow (1957), "An optimum character recognition system using decision functions", IRE
    Transactions on Electronic Computers EC-6(4), 247-254, doi:10.1109/TEC.1957.5222035.

    Examples
    --------
    >>> round(bayes_error(2.0), 4)
    0.1587
    """
    if not (0 <= distance < math.inf and 0 < noise < math.inf):
        raise ValueError(
            f"need a distance ≥ 0 and a noise > 0, both finite; got {distance} and {noise}"
        )
    if not 0 < prior < 1:
        raise ValueError(f"prior is the share of class 1, between 0 and 1; got {prior}")
    delta = distance / noise
    log_odds = math.log((1 - prior) / prior)
    if delta == 0 or abs(log_odds / delta) > 40:  # one class always wins
        return min(prior, 1 - prior)
    t = log_odds / delta
    return (1 - prior) * _normal_cdf(-delta / 2 - t) + prior * _normal_cdf(-delta / 2 + t)


def expected_cross_entropy(
    scores: Callable[[Tensor], Tensor],
    log_density: Callable[[Tensor], Tensor],
    *,
    extent: tuple[float, float, float, float],
    n_points: int = 300,
) -> float:
    """Return the cross-entropy that a model would have on infinitely many fresh points.

    It is ∫ Σₖ p(x, k) (-ln qₖ(x)) dx with q the softmax of the scores, summed over a grid, for
    equally frequent classes in the plane. No scores give less than the log-densities themselves,
    whose softmax is the posterior p(k | x). With them it is the conditional entropy of the class
    given the point, the floor of the cross-entropy.

    Parameters
    ----------
    scores : callable
        From float64 points (m, 2) to the model's logits (m, K).
    log_density : callable
        From points (m, 2) to the true ln p(x | k), (m, K).
    extent : (x_min, x_max, y_min, y_max)
        The part of the plane to sum over; practically all of the mass must lie in it.
    n_points : int
        Grid points along each side, at least 10.

    Returns
    -------
    float
        The expected loss, in nats.

    Raises
    ------
    ValueError
        If the grid misses more than a thousandth of the mass, or the scores have a wrong shape.

    References
    ----------
    C. E. Shannon (1948), "A mathematical theory of communication", Bell System Technical Journal
    27, 379-423, doi:10.1002/j.1538-7305.1948.tb01338.x.

    Examples
    --------
    >>> def log_density(X):  # the same cloud twice: the point tells nothing of the class
    ...     one = -X.square().sum(1) / 2 - math.log(2 * math.pi)
    ...     return torch.stack([one, one], dim=1)
    >>> round(expected_cross_entropy(log_density, log_density, extent=(-6, 6, -6, 6)), 4)  # ln 2
    0.6931
    """
    x_min, x_max, y_min, y_max = extent
    if not (x_min < x_max and y_min < y_max) or n_points < 10:
        raise ValueError(
            "extent is (x_min, x_max, y_min, y_max), smaller first, and n_points at least 10; "
            f"got {extent} and {n_points}"
        )
    step_x, step_y = (x_max - x_min) / n_points, (y_max - y_min) / n_points
    middles = torch.arange(n_points, dtype=torch.float64) + 0.5
    grid = torch.cartesian_prod(x_min + step_x * middles, y_min + step_y * middles)
    with torch.no_grad():
        log_p, logits = log_density(grid).double(), scores(grid).double()
    if log_p.ndim != 2 or len(log_p) != len(grid) or logits.shape != log_p.shape:
        raise ValueError(
            f"for {len(grid)} points and K classes, scores and log_density must return shape "
            f"({len(grid)}, K), got {tuple(logits.shape)} and {tuple(log_p.shape)}"
        )
    _check_finite(logits, "scores")
    joint = log_p.exp() * (step_x * step_y / log_p.shape[1])  # probability of each cell and class
    mass = float(joint.sum())
    if abs(mass - 1) > 1e-3:
        raise ValueError(
            f"the probabilities on the grid sum to {mass:.4f} instead of 1: widen the extent "
            f"{extent}, or take more than n_points={n_points}"
        )
    return float((joint * -logits.log_softmax(1)).sum()) / mass


def _normal_cdf(x: float) -> float:
    """Φ(x), the share of a standard normal distribution below x."""
    return math.erfc(-x / math.sqrt(2)) / 2


def _check_one_each(outputs: Tensor, targets: Tensor, name: str, other: str) -> None:
    """Refuse shapes that would broadcast: (n, 1) minus (n,) is a table of n x n differences."""
    if outputs.ndim != 1 or len(outputs) == 0 or targets.shape != outputs.shape:
        raise ValueError(
            f"{name} and {other} must both have shape (n,), one number an example; got "
            f"{tuple(outputs.shape)} and {tuple(targets.shape)}. A column of shape (n, 1) becomes "
            "(n,) by [:, 0]; unequal shapes would compare every output with every target"
        )
    _check_finite(outputs, name)
    _check_finite(targets, other)


def _check_finite(values: Tensor, name: str) -> None:
    if not torch.isfinite(values).all():
        row = int((~torch.isfinite(values)).nonzero()[0, 0])
        raise ValueError(
            f"{name} holds NaN or infinite values, first in row {row}; if they come from a "
            "network, its weights have probably diverged"
        )
