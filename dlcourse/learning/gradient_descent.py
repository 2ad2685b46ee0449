"""Gradient descent, the curvatures of a loss, and how fast they let it go.

w ← w - η ∇J(w), repeated until the slope is nearly 0. In this module ``loss`` is J, a function from
weights to one number; ``learning_rate`` is η; curvatures are the eigenvalues λ of the Hessian, the
matrix of second derivatives of J.

References
----------
A. Cauchy (1847), "Méthode générale pour la résolution des systèmes d'équations simultanées",
Comptes rendus de l'Académie des sciences 25, 536-538.
B. T. Polyak (1987), "Introduction to optimization", Optimization Software, section 1.4.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Descent", "SpeedLimits", "curvatures", "descend"]

Loss = Callable[[Tensor], Tensor]
RUNAWAY = 1e6  # a loss this many times its start (or 1) has run away; growth is exponential


@dataclass(frozen=True, eq=False)
class Descent:
    """Where gradient descent went.

    Attributes
    ----------
    path : Tensor, shape (n_steps + 1, …)
        The weights at the start and after each step.
    losses : Tensor, shape (n_steps + 1,), float64
        The loss at each of them.
    converged : bool
        True if the length of the last gradient is at most the tolerance.
    """

    path: Tensor
    losses: Tensor
    converged: bool

    @property
    def w(self) -> Tensor:
        """The last weights."""
        return self.path[-1]

    @property
    def n_steps(self) -> int:
        """Number of steps taken."""
        return len(self.path) - 1

    @property
    def n_rises(self) -> int:
        """Number of steps that went uphill: a sign that the learning rate is too large."""
        return int((self.losses.diff() > 0).sum())


def descend(
    loss: Loss,
    start: Tensor,
    *,
    learning_rate: float,
    n_steps: int = 1000,
    tolerance: float = 0.0,
) -> Descent:
    """Walk downhill: w ← w - η ∇J(w), until the gradient is short or the steps are used up.

    Parameters
    ----------
    loss : callable
        J: takes weights of the shape of ``start`` and returns one number, by PyTorch operations.
    start : Tensor of floats
        Where to begin, often drawn from a normal distribution. It is not changed.
    learning_rate : float
        η, in units of (weight)²/loss.
    n_steps : int
        Most steps to take.
    tolerance : float
        Stop when the gradient's length is at most this.

    Returns
    -------
    Descent
        The path, the loss along it, and whether it converged.

    Raises
    ------
    ValueError
        If the learning rate is not positive and finite, another setting is out of range, the start
        is not finite, or the loss is not a single number that depends on the weights.
    TypeError
        If the start is not a tensor of floats.
    FloatingPointError
        If the loss becomes NaN or infinite, or a million times what it was at the start (or a
        million, if it started below 1). The message compares η with 2/λmax.

    Examples
    --------
    >>> walk = descend(lambda w: (w - 3) ** 2, torch.tensor(0.0), learning_rate=0.25, n_steps=3)
    >>> walk.path.tolist(), walk.converged
    ([0.0, 1.5, 2.25, 2.625], False)
    """
    _check_settings(start, learning_rate, n_steps, tolerance)
    w = start.detach().clone()
    path, losses = [w], list[float]()
    for step in range(n_steps + 1):
        value, gradient = _value_and_gradient(loss, w)
        losses.append(value)
        runaway = RUNAWAY * max(1.0, abs(losses[0]))
        if not math.isfinite(value) or value > runaway:
            raise FloatingPointError(_what_happened(loss, path, losses, learning_rate))
        converged = float(gradient.norm()) <= tolerance
        if converged or step == n_steps:
            break
        w = w - learning_rate * gradient
        path.append(w)
    return Descent(torch.stack(path), torch.tensor(losses, dtype=torch.float64), converged)


def curvatures(loss: Loss, w: Tensor) -> Tensor:
    """Return the eigenvalues of the Hessian ∂²J/∂w∂wᵀ at ``w``, from the smallest to the largest.

    All positive: the surface is a bowl there. All negative: a hilltop. Both signs: a saddle.

    Parameters
    ----------
    loss : callable
        As for `descend`.
    w : Tensor
        The place, of P weights in all.

    Returns
    -------
    Tensor, shape (P,)
        The curvatures λ in ascending order; in units of loss/(weight)².

    Raises
    ------
    ValueError
        If the second derivatives are not finite there.

    Examples
    --------
    >>> curvatures(lambda w: w[0] ** 2 - 3 * w[1] ** 2, torch.zeros(2))
    tensor([-6.,  2.])
    """
    P = w.numel()
    hessian = torch.autograd.functional.hessian(loss, w.detach())  # type: ignore[no-untyped-call]
    H: Tensor = hessian.reshape(P, P)
    if not torch.isfinite(H).all():
        raise ValueError("the second derivatives of the loss are not finite at these weights")
    eigenvalues: Tensor = torch.linalg.eigvalsh((H + H.T) / 2)
    return eigenvalues


@dataclass(frozen=True)
class SpeedLimits:
    """How fast gradient descent can be on a bowl whose curvatures lie between two values.

    Each step multiplies the distance to the lowest point, along a direction of curvature λ, by
    1 - ηλ. On a quadratic J this is exact.

    Parameters
    ----------
    flattest, steepest : float
        λmin and λmax, with 0 < λmin ≤ λmax.

    Raises
    ------
    ValueError
        If they are not positive, finite and in order.

    References
    ----------
    B. T. Polyak (1987), "Introduction to optimization", Optimization Software, section 1.4.

    Examples
    --------
    >>> bowl = SpeedLimits(1.0, 9.0)
    >>> bowl.best_rate, bowl.best_factor, bowl.condition_number
    (0.2, 0.8, 9.0)
    """

    flattest: float
    steepest: float

    def __post_init__(self) -> None:
        if not 0 < self.flattest <= self.steepest < math.inf:
            raise ValueError(
                "a bowl needs curvatures with 0 < flattest ≤ steepest, "
                f"got flattest={self.flattest} and steepest={self.steepest}"
            )

    @classmethod
    def of(cls, eigenvalues: Tensor) -> "SpeedLimits":
        """Return the limits for the eigenvalues that `curvatures` gives."""
        return cls(float(eigenvalues.min()), float(eigenvalues.max()))

    @property
    def condition_number(self) -> float:
        """κ = λmax/λmin: how much longer the bowl's valley is curved in one way than in another."""
        return self.steepest / self.flattest

    @property
    def largest_rate(self) -> float:
        """2/λmax: any larger learning rate diverges."""
        return 2 / self.steepest

    @property
    def best_rate(self) -> float:
        """2/(λmin + λmax): the learning rate that converges fastest."""
        return 2 / (self.flattest + self.steepest)

    @property
    def best_factor(self) -> float:
        """(κ - 1)/(κ + 1): what is left of the distance after one step at the best rate."""
        return (self.steepest - self.flattest) / (self.steepest + self.flattest)

    def factor(self, learning_rate: float) -> float:
        """Return ``max |1 - ηλ|``: what one step makes of the distance; above 1 it grows."""
        _check_rate(learning_rate)
        return max(abs(1 - learning_rate * self.flattest), abs(1 - learning_rate * self.steepest))


def _value_and_gradient(loss: Loss, w: Tensor) -> tuple[float, Tensor]:
    """Return J(w) and ∇J(w), or say why there is no gradient."""
    w = w.detach().requires_grad_()
    value = loss(w)
    if not isinstance(value, Tensor) or value.numel() != 1:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"the loss must be a tensor with one number, such as a mean; got {got}")
    if not value.requires_grad:
        raise ValueError(
            "the loss does not depend on the weights through PyTorch operations, so it has no "
            "gradient; look for .item(), .detach(), float() or numpy in it"
        )
    (gradient,) = torch.autograd.grad(value.sum(), w)
    return float(value.detach()), gradient


def _what_happened(loss: Loss, path: list[Tensor], losses: list[float], rate: float) -> str:
    """Say at which step the loss ran away, and what the learning rate has to do with it."""
    step, last = len(losses) - 1, losses[-1]
    what = f"grew from {losses[0]:.3g} to {last:.3g}" if math.isfinite(last) else f"became {last}"
    said = f"the loss {what} at step {step}".replace("nan", "NaN")
    finite = [k for k in range(step) if math.isfinite(losses[k])]
    if not finite:
        return f"{said}, before the first step: look at the loss and the starting weights"
    best = min(finite, key=losses.__getitem__)
    advice = f"{said}: learning rate {rate:g} is too large; try a tenth of it"
    if path[best].numel() > 500:  # the Hessian would be large
        return advice
    try:
        steepest = float(curvatures(loss, path[best])[-1])
    except (ValueError, RuntimeError):  # no second derivatives
        return advice
    if steepest <= 0 or rate <= 2 / steepest:
        return f"{advice} (the surface is steeper elsewhere than at step {best})"
    return (
        f"{said}: learning rate {rate:g} is above 2/λmax = {2 / steepest:.3g} "
        f"(λmax = {steepest:.3g}, the largest curvature at step {best}); choose a smaller one"
    )


def _check_rate(learning_rate: float) -> None:
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate must be a positive, finite number, got {learning_rate}")


def _check_settings(start: Tensor, learning_rate: float, n_steps: int, tolerance: float) -> None:
    """Raise an error that says which setting is wrong."""
    if not isinstance(start, Tensor) or not start.is_floating_point():
        kind = start.dtype if isinstance(start, Tensor) else type(start).__name__
        raise TypeError(f"start must be a tensor of floats, got {kind}; write torch.tensor([1.0])")
    if start.numel() == 0 or not torch.isfinite(start).all():
        raise ValueError("start must hold at least one weight, and no NaN or infinite ones")
    _check_rate(learning_rate)
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance must be 0 or a positive number, got {tolerance}")
