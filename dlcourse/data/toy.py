"""Points in the plane whose densities are known, and so the best possible score on them.

Real classes overlap: two patients with the same measurements may have different diagnoses. Then no
method can be right about both, and the best that any method can reach lies below 100 %. Where the
densities are written down, as here, that limit (the Bayes accuracy) can be computed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

__all__ = [
    "Problem",
    "boolean_inputs",
    "circles",
    "moons",
    "separable",
    "spirals",
    "two_gaussians",
    "xor",
]


@dataclass(frozen=True)
class Problem:
    """Points in the plane from K equally likely classes whose densities are known.

    Class k is a curve c_k(t), with t uniform on [0, 1], blurred by a normal distribution of
    standard deviation ``noise`` in both directions. Its density is an average of Gaussians along
    the curve, p(x | k) = ∫ N(x; c_k(t), noise²·I) dt, computed by Gauss-Legendre quadrature.

    Attributes
    ----------
    name : str
        Name of the problem, for figures.
    centres : callable
        ``centres(k, t)`` maps a class number and t of shape (n,) to points (n, 2) on its curve.
    n_classes : int
        Number of classes K.
    noise : float
        Standard deviation of the blur, in the units of the plane.

    Examples
    --------
    >>> X, y = moons().sample(100, seed=0)
    >>> X.shape, y.bincount().tolist()
    (torch.Size([100, 2]), [50, 50])
    """

    name: str
    centres: Callable[[int, Tensor], Tensor]
    n_classes: int
    noise: float

    def __post_init__(self) -> None:
        """Check the noise: a density needs some."""
        if not (math.isfinite(self.noise) and self.noise > 0):
            raise ValueError(
                f"noise is a standard deviation and must be positive, got {self.noise}"
            )

    def sample(self, n: int, *, seed: int) -> tuple[Tensor, Tensor]:
        """Draw n points, as many of each class as of the others (to within one), in random order.

        Parameters
        ----------
        n : int
            Number of points, at least 1.
        seed : int
            Seed of the draw; PyTorch's global generator is neither used nor changed.

        Returns
        -------
        X : Tensor, shape (n, 2), float32
            The points.
        y : Tensor, shape (n,), int64
            Their classes, 0 … K - 1.

        Raises
        ------
        ValueError
            If n is less than 1.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        dice = torch.Generator().manual_seed(seed)
        y = (torch.arange(n) % self.n_classes)[torch.randperm(n, generator=dice)]
        t = torch.rand(n, generator=dice, dtype=torch.float64)
        X = self.noise * torch.randn(n, 2, generator=dice, dtype=torch.float64)
        for k in range(self.n_classes):
            X[y == k] += self.centres(k, t[y == k])
        return X.float(), y

    def log_density(self, X: Tensor) -> Tensor:
        """Return ln p(x | k), shape (n, K), float64, for points X of shape (n, 2)."""
        X = torch.as_tensor(X)
        if X.ndim != 2 or X.shape[1] != 2:
            raise ValueError(f"X must have shape (n, 2), got {tuple(X.shape)}")
        X = X.double()
        nodes, log_weights = _quadrature(max(64, 2 * math.ceil(3 / self.noise)))
        columns = []
        for k in range(self.n_classes):
            squared = torch.cdist(X, self.centres(k, nodes)).square()  # (n, nodes)
            exponents = log_weights - squared / (2 * self.noise**2)
            columns.append(exponents.logsumexp(1) - math.log(2 * math.pi * self.noise**2))
        return torch.stack(columns, dim=1)

    def posterior(self, X: Tensor) -> Tensor:
        """Return the probability of each class at each point, shape (n, K), rows summing to 1."""
        return torch.softmax(self.log_density(X), dim=1)

    def bayes_rule(self, X: Tensor) -> Tensor:
        """Return the most probable class at each point, shape (n,): the best possible answer."""
        return self.log_density(X).argmax(1)

    def bayes_accuracy(self) -> float:
        """Return the accuracy of the Bayes rule, ∫ maxₖ p(x | k) / K dx, to within 1e-4.

        No method can have a higher accuracy on fresh points.
        """
        return _bayes_accuracy(self)


@lru_cache(maxsize=32)
def _quadrature(n: int) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes on [0, 1] and the logarithms of their weights; n is even."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return torch.from_numpy((nodes + 1) / 2), torch.from_numpy(np.log(weights / 2))


@lru_cache(maxsize=32)
def _bayes_accuracy(problem: Problem) -> float:
    nodes, _ = _quadrature(256)
    curves = torch.cat([problem.centres(k, nodes) for k in range(problem.n_classes)])
    low, high = curves.amin(0) - 6 * problem.noise, curves.amax(0) + 6 * problem.noise
    n_steps = max(200, math.ceil(5 * float((high - low).max()) / problem.noise))
    step = (high - low) / n_steps
    xs, ys = (low[i] + step[i] * (torch.arange(n_steps) + 0.5) for i in (0, 1))
    total = 0.0
    for x in torch.chunk(xs, 8):
        grid = torch.cartesian_prod(x, ys)
        total += float(problem.log_density(grid).amax(1).exp().sum())
    return total * float(step.prod()) / problem.n_classes


def two_gaussians(distance: float = 4.0, noise: float = 1.0) -> Problem:
    """Two round clouds side by side; their Bayes accuracy is Φ(distance / (2·noise)).

    Parameters
    ----------
    distance : float
        Distance between the two centres, along the first axis.
    noise : float
        Standard deviation of each cloud.

    Returns
    -------
    Problem
        With two classes; class 1 is on the right.

    Examples
    --------
    >>> round(two_gaussians(distance=2.0).bayes_accuracy(), 3)  # Φ(1)
    0.841
    """

    def centres(k: int, t: Tensor) -> Tensor:
        x = torch.full_like(t, (k - 0.5) * distance)
        return torch.stack([x, torch.zeros_like(t)], dim=1)

    return Problem("two Gaussians", centres, 2, noise)


def xor(noise: float = 0.45) -> Problem:
    """Four round clouds at the corners (±1, ±1); opposite corners share a class.

    Parameters
    ----------
    noise : float
        Standard deviation of each cloud.

    Returns
    -------
    Problem
        Class 1 where the two coordinates have different signs.

    Examples
    --------
    >>> xor().bayes_rule(torch.tensor([[1.0, 1.0], [-1.0, 1.0]])).tolist()
    [0, 1]
    """

    def centres(k: int, t: Tensor) -> Tensor:
        x = torch.where(t < 0.5, -1.0, 1.0).to(t.dtype)
        return torch.stack([x, x if k == 0 else -x], dim=1)

    return Problem("XOR", centres, 2, noise)


def circles(noise: float = 0.12, inner: float = 0.5) -> Problem:
    """A ring of radius 1 (class 0) around a smaller ring (class 1).

    Parameters
    ----------
    noise : float
        Standard deviation of the blur.
    inner : float
        Radius of the smaller ring, between 0 and 1.

    Returns
    -------
    Problem
        With two classes.

    Raises
    ------
    ValueError
        If ``inner`` is not between 0 and 1.

    Examples
    --------
    >>> circles().bayes_rule(torch.tensor([[1.0, 0.0], [0.0, 0.5]])).tolist()
    [0, 1]
    """
    if not 0 < inner < 1:
        raise ValueError(f"inner is a radius between 0 and 1, got {inner}")

    def centres(k: int, t: Tensor) -> Tensor:
        angle = 2 * math.pi * t
        return (1.0 if k == 0 else inner) * torch.stack([angle.cos(), angle.sin()], dim=1)

    return Problem("circles", centres, 2, noise)


def moons(noise: float = 0.2) -> Problem:
    """Two interleaved half circles, placed as in scikit-learn's ``make_moons``.

    Parameters
    ----------
    noise : float
        Standard deviation of the blur.

    Returns
    -------
    Problem
        With two classes; class 0 is the upper moon.

    Examples
    --------
    >>> moons().bayes_rule(torch.tensor([[0.0, 1.0], [1.0, -0.5]])).tolist()
    [0, 1]
    """

    def centres(k: int, t: Tensor) -> Tensor:
        angle = math.pi * t
        if k == 0:
            return torch.stack([angle.cos(), angle.sin()], dim=1)
        return torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)

    return Problem("moons", centres, 2, noise)


def spirals(noise: float = 0.07, turns: float = 1.5, n_classes: int = 2) -> Problem:
    """Spiral arms that wind out from near the origin to radius 1.

    Parameters
    ----------
    noise : float
        Standard deviation of the blur.
    turns : float
        How often each arm winds round the origin.
    n_classes : int
        Number of arms, at least 2.

    Returns
    -------
    Problem
        One class an arm.

    Raises
    ------
    ValueError
        If there are fewer than two arms, or ``turns`` is not positive.

    Examples
    --------
    >>> spirals(n_classes=3).posterior(torch.zeros(1, 2)).shape
    torch.Size([1, 3])
    """
    if n_classes < 2 or not turns > 0:
        raise ValueError(f"need n_classes ≥ 2 and turns > 0, got {n_classes} and {turns}")

    def centres(k: int, t: Tensor) -> Tensor:
        radius = 0.1 + 0.9 * t
        angle = 2 * math.pi * (turns * t + k / n_classes)
        return radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)

    return Problem("spirals", centres, n_classes, noise)


def separable(
    n: int, *, margin: float, dimension: int = 2, seed: int, radius: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw points in a ball that a hyperplane through the centre separates with a known margin.

    Parameters
    ----------
    n : int
        Number of points, at least 1.
    margin : float
        Least distance of a point from the hyperplane; 0 ≤ margin < radius.
    dimension : int
        Dimension D of the ball, at least 1.
    seed : int
        Seed of the draw; PyTorch's global generator is neither used nor changed.
    radius : float
        Radius of the ball.

    Returns
    -------
    X : Tensor, shape (n, D), float32
        Points, uniform in the part of the ball that is at least ``margin`` from the hyperplane.
    y : Tensor, shape (n,), int64
        1 on the side to which w points, else 0.
    w : Tensor, shape (D,), float32
        Unit normal of the hyperplane.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> X, y, w = separable(50, margin=0.1, seed=0)
    >>> bool(((2 * y - 1) * (X @ w) >= 0.0999).all())
    True
    """
    if n < 1 or dimension < 1:
        raise ValueError(f"need n ≥ 1 and dimension ≥ 1, got n={n}, dimension={dimension}")
    if not 0 <= margin <= 0.95 * radius:
        raise ValueError(
            f"margin must be between 0 and 95% of the radius {radius}, got {margin}: "
            "otherwise hardly any point of the ball is that far from the hyperplane"
        )
    dice = torch.Generator().manual_seed(seed)
    w = torch.randn(dimension, generator=dice, dtype=torch.float64)
    w /= w.norm()
    kept, n_kept = [], 0
    while n_kept < n:
        direction = torch.randn(4 * n, dimension, generator=dice, dtype=torch.float64)
        r = torch.rand(4 * n, 1, generator=dice, dtype=torch.float64) ** (1 / dimension)
        X = radius * r * direction / direction.norm(dim=1, keepdim=True)
        kept.append(X[(X @ w).abs() >= margin])
        n_kept += len(kept[-1])
    X = torch.cat(kept)[:n]
    return X.float(), (X @ w > 0).long(), w.float()


def boolean_inputs(n_inputs: int) -> Tensor:
    """Return all rows of a truth table, in counting order, the last input changing fastest.

    Parameters
    ----------
    n_inputs : int
        Number of inputs, 1 to 16.

    Returns
    -------
    Tensor, shape (2 ** n_inputs, n_inputs), float32
        Zeros and ones.

    Raises
    ------
    ValueError
        If ``n_inputs`` is out of range.

    Examples
    --------
    >>> boolean_inputs(2).tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    if not 1 <= n_inputs <= 16:
        raise ValueError(f"n_inputs must be between 1 and 16, got {n_inputs}")
    rows = torch.arange(2**n_inputs)
    return (rows[:, None] >> torch.arange(n_inputs - 1, -1, -1) & 1).float()
