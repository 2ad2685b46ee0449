"""Points in the plane whose densities are known, and so the best possible score on them.

Real classes overlap: two patients with the same measurements may have different diagnoses. Then no
method can be right about both, and the best that any method can reach lies below 100 %. Where the
densities are written down, as here, that limit (the Bayes accuracy) can be computed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

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

NODES_PER_PANEL = 16
MAX_PANELS = 2**14
MAX_GRID = 4_000_000
CHUNK = 2**18  # exponentials held in memory at a time


@dataclass(frozen=True)
class Problem:
    """Points in the plane from K equally likely classes whose densities are known.

    Class k is a curve c_k(t), with t uniform on [0, 1], blurred by a normal distribution of
    standard deviation ``noise`` in both directions. Its density is an average of Gaussians along
    the curve, p(x | k) = ∫ N(x; c_k(t), noise²·I) dt, computed by Gauss-Legendre quadrature.
    Think of two kinds of cells measured in two ways: biology spreads each kind along its curve,
    and the instrument adds noise.

    Attributes
    ----------
    name : str
        Name of the problem, for figures.
    centres : callable
        ``centres(k, t)`` maps a class number and t of shape (n,) to points (n, 2) on its curve,
        which is smooth in t but for a jump at t = 1/2, if you like.
    n_classes : int
        Number of classes K, at least 2.
    noise : float
        Standard deviation σ of the blur, in the units of the plane; above 0.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or the noise is not a positive number.

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
        _check_whole("n_classes", self.n_classes, 2)
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
        TypeError
            If n or the seed is not a whole number.

        Examples
        --------
        >>> X, y = circles().sample(5, seed=1)
        >>> X.shape, y.shape
        (torch.Size([5, 2]), torch.Size([5]))
        """
        _check_whole("n", n, 1)
        dice = _dice(seed)
        y = (torch.arange(n) % self.n_classes)[torch.randperm(n, generator=dice)]
        t = torch.rand(n, generator=dice, dtype=torch.float64)
        X = self.noise * torch.randn(n, 2, generator=dice, dtype=torch.float64)
        for k in range(self.n_classes):
            X[y == k] += self._curve(k, t[y == k])
        return X.float(), y

    def log_density(self, X: Tensor) -> Tensor:
        """Return ln p(x | k), the logarithm of each class's density at each point.

        Parameters
        ----------
        X : Tensor, shape (n, 2)
            Points.

        Returns
        -------
        Tensor, shape (n, K), float64
            Natural logarithms.

        Raises
        ------
        ValueError
            If X does not have two columns, or holds NaN or infinity.

        Examples
        --------
        >>> two_gaussians(distance=2.0).log_density(torch.tensor([[-1.0, 0.0]]))
        tensor([[-1.8379, -3.8379]], dtype=torch.float64)
        """
        X = _check_points(X)
        shared = X.square().sum(1, keepdim=True) / (2 * self.noise**2)
        return self._scores(X) - shared - math.log(2 * math.pi * self.noise**2)

    def posterior(self, X: Tensor) -> Tensor:
        """Return the probability of each class at each point, p(x | k) / Σⱼ p(x | j).

        Parameters
        ----------
        X : Tensor, shape (n, 2)
            Points.

        Returns
        -------
        Tensor, shape (n, K), float64
            Probabilities; each row sums to 1.

        Examples
        --------
        >>> two_gaussians().posterior(torch.tensor([[0.0, 3.0]]))  # half-way between the clouds
        tensor([[0.5000, 0.5000]], dtype=torch.float64)
        """
        return self._scores(_check_points(X)).softmax(1)

    def bayes_rule(self, X: Tensor) -> Tensor:
        """Return the most probable class at each point: the best possible answer.

        Parameters
        ----------
        X : Tensor, shape (n, 2)
            Points.

        Returns
        -------
        Tensor, shape (n,), int64
            Classes, 0 … K - 1.

        Examples
        --------
        >>> two_gaussians().bayes_rule(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
        tensor([0, 1])
        """
        return self._scores(_check_points(X)).argmax(1)

    def bayes_accuracy(self) -> float:
        """Return the accuracy of the Bayes rule, ∫ maxₖ p(x | k) / K dx, to within 1e-4.

        Because the clouds overlap, even someone who knows the densities errs now and then. No
        method can have a higher accuracy on fresh points, except by luck on a small test set.

        Returns
        -------
        float
            Between 1/K, pure guessing, and 1.

        Raises
        ------
        ValueError
            If the noise is so small beside touching curves that the sum would take too long.

        References
        ----------
        C. K. Chow (1957), "An optimum character recognition system using decision functions", IRE
        Transactions on Electronic Computers EC-6(4), 247-254, doi:10.1109/TEC.1957.5222035.

        Examples
        --------
        >>> round(two_gaussians(distance=2.0).bayes_accuracy(), 3)
        0.841
        """
        return self._bayes_accuracy

    def _curve(self, k: int, t: Tensor) -> Tensor:
        points = self.centres(k, t)
        if points.shape != (len(t), 2):
            raise ValueError(
                f"centres({k}, t) must return a point in the plane for each t, "
                f"shape ({len(t)}, 2), got {tuple(points.shape)}"
            )
        return points.double()

    def _scores(self, X: Tensor) -> Tensor:
        """Log densities without what all classes share, -|x|²/2σ² - ln 2πσ²."""
        log_weights, nodes = self._nodes
        columns = []
        for centres in nodes:
            slope = centres.T / self.noise**2
            offset = log_weights - centres.square().sum(1) / (2 * self.noise**2)
            rows = X.chunk(1 + len(X) * len(centres) // CHUNK)
            columns.append(torch.cat([torch.addmm(offset, x, slope).logsumexp(1) for x in rows]))
        return torch.stack(columns, dim=1)

    @cached_property
    def _outline(self) -> tuple[Tensor, float]:
        """512 points along each curve, (K, 512, 2), and the length of the longest curve."""
        t = (torch.arange(512, dtype=torch.float64) + 0.5) / 512
        points = torch.stack([self._curve(k, t) for k in range(self.n_classes)])
        return points, float(points.diff(dim=1).norm(dim=2).sum(1).max())

    @cached_property
    def _nodes(self) -> tuple[Tensor, list[Tensor]]:
        """Logarithms of the weights, and the centres, of the quadrature along each curve.

        Sixteen Gauss-Legendre nodes on panels of about 4σ integrate a Gaussian to rounding error.
        The number of panels is even, so that a curve may jump at t = 1/2.
        """
        length = self._outline[1]
        panels = 2 * max(1, math.ceil(length / (8 * self.noise)))
        if panels > MAX_PANELS:
            raise ValueError(
                f"noise {self.noise} is too small for the density of {self.name}, whose curves "
                f"are {length:.3g} long; use a larger noise"
            )
        x, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(NODES_PER_PANEL))
        t = (torch.arange(panels).unsqueeze(1) + (x + 1) / 2).flatten() / panels
        log_weights = (weights / (2 * panels)).log().repeat(panels)
        return log_weights, [self._curve(k, t) for k in range(self.n_classes)]

    @cached_property
    def _gap(self) -> float:
        """A lower bound of the distance between the curves of two classes."""
        points, length = self._outline
        pairs = [(j, k) for k in range(self.n_classes) for j in range(k)]
        nearest = min(float(torch.cdist(points[j], points[k]).min()) for j, k in pairs)
        return max(0.0, nearest - length / 256)  # the outlines may miss the very nearest points

    @cached_property
    def _bayes_accuracy(self) -> float:
        # A point goes astray only if noise carries it half the gap between two curves, or further.
        if math.exp(-(self._gap**2) / (8 * self.noise**2)) < 1e-6:
            return 1.0
        step = self.noise / 5
        # A tilted grid: in an upright one, whole rows would err alike beside a straight boundary.
        tilt = _unit(torch.tensor([0.55, 0.55 + math.pi / 2], dtype=torch.float64))
        nodes = torch.cat(self._nodes[1]) @ tilt.T
        low, high = nodes.amin(0) - 6 * self.noise, nodes.amax(0) + 6 * self.noise
        n1, n2 = (int(n) for n in ((high - low) / step).ceil())
        if n1 * n2 > MAX_GRID:
            raise ValueError(
                f"noise {self.noise} is too small for the Bayes accuracy of {self.name}: the sum "
                f"would run over {n1} by {n2} points; use a larger noise"
            )
        u1 = low[0] + step * (torch.arange(n1, dtype=torch.float64) + 0.5)
        u2 = low[1] + step * (torch.arange(n2, dtype=torch.float64) + 0.5)
        best = self.log_density(torch.cartesian_prod(u1, u2) @ tilt).amax(1).exp()
        return min(1.0, float(best.sum()) * step**2 / self.n_classes)


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

    Raises
    ------
    ValueError
        If the distance is negative or not finite, or the noise is not positive.

    Examples
    --------
    >>> round(two_gaussians(distance=2.0).bayes_accuracy(), 3)  # Φ(1)
    0.841
    """
    if not 0 <= distance < math.inf:
        raise ValueError(f"distance must be a number that is not negative, got {distance}")

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
        return (1.0 if k == 0 else inner) * _unit(2 * math.pi * t)

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
        arc = _unit(math.pi * t)
        return arc if k == 0 else torch.tensor([1.0, 0.5]) - arc

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
    _check_whole("n_classes", n_classes, 2)
    if not 0 < turns < math.inf:
        raise ValueError(f"turns must be a positive number, got {turns}")

    def centres(k: int, t: Tensor) -> Tensor:
        radius = 0.1 + 0.9 * t
        return radius[:, None] * _unit(2 * math.pi * (turns * t + k / n_classes))

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
        Least distance of a point from the hyperplane, from 0 to 95 % of the radius.
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
        If a number is out of its range, or the dimension is so high that hardly any point of the
        ball lies that far from the hyperplane.
    TypeError
        If n, the dimension or the seed is not a whole number.

    References
    ----------
    A. B. J. Novikoff (1962), "On convergence proofs on perceptrons", Proceedings of the Symposium
    on the Mathematical Theory of Automata XII, 615-622.

    Examples
    --------
    >>> X, y, w = separable(50, margin=0.1, seed=0)
    >>> bool(((2 * y - 1) * (X.double() @ w.double()) >= 0.1).all())
    True
    """
    _check_whole("n", n, 1)
    _check_whole("dimension", dimension, 1)
    if not 0 < radius < math.inf:
        raise ValueError(f"radius must be a positive number, got {radius}")
    if not 0 <= margin <= 0.95 * radius:
        raise ValueError(f"margin must be from 0 to 95% of the radius {radius}, got {margin}")
    dice = _dice(seed)
    w = torch.randn(dimension, generator=dice, dtype=torch.float64)
    w /= w.norm()
    least = margin + 1e-6 * radius  # rounding to float32 must not bring a point nearer
    kept: list[Tensor] = []
    for tries in range(1, 1001):
        direction = torch.randn(4 * n, dimension, generator=dice, dtype=torch.float64)
        r = torch.rand(4 * n, 1, generator=dice, dtype=torch.float64) ** (1 / dimension)
        X = radius * (1 - 1e-6) * r * direction / direction.norm(dim=1, keepdim=True)
        kept.append(X[(X @ w).abs() >= least])
        n_kept = sum(map(len, kept))
        if n_kept >= n:
            X = torch.cat(kept)[:n]
            return X.float(), (X @ w > 0).long(), w.float()
        if n_kept < n * tries / 1000:  # at this rate it would take far too long
            break
    raise ValueError(
        f"hardly any point of a ball in {dimension} dimensions is {margin} from a hyperplane "
        f"through its centre (radius {radius}); take a smaller margin or fewer dimensions"
    )


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
    _check_whole("n_inputs", n_inputs, 1)
    if n_inputs > 16:
        raise ValueError(f"n_inputs must be between 1 and 16, got {n_inputs}")
    rows = torch.arange(2**n_inputs)
    return (rows[:, None] >> torch.arange(n_inputs - 1, -1, -1) & 1).float()


def _unit(angle: Tensor) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def _check_points(X: Tensor) -> Tensor:
    X = torch.as_tensor(X)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"X must have shape (n, 2), one point a row, got {tuple(X.shape)}")
    if not torch.isfinite(X).all():
        raise ValueError("X holds NaN or infinity; every coordinate must be a finite number")
    return X.double()


def _check_whole(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def _dice(seed: int) -> torch.Generator:
    _check_whole("seed", seed, 0)
    return torch.Generator().manual_seed(seed)
