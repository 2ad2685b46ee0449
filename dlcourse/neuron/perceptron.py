"""Rosenblatt's perceptron: one artificial neuron and its learning rule.

ŷ = g(w₀ + xᵀw) with the step g(z) = 1 if z > 0, else 0. In this module ``b`` is the bias w₀,
``w`` has shape (D,), ``X`` has shape (n, D) and the labels ``y`` are 0 or 1. Everything is computed
in float64, in which sums of whole numbers are exact.

References
----------
F. Rosenblatt (1958), "The perceptron: a probabilistic model for information storage and
organization in the brain", Psychological Review 65(6), 386-408, doi:10.1037/h0042519.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "OneVsRest",
    "PerceptronFit",
    "associate",
    "association_units",
    "learnable_functions",
    "margin",
    "novikoff_bound",
    "predict",
    "step",
    "train",
    "train_one_vs_rest",
]


def step(z: Tensor) -> Tensor:
    """Return 1 where z > 0 and 0 elsewhere: the neuron fires or stays silent.

    Parameters
    ----------
    z : Tensor
        Weighted sums, of any shape.

    Returns
    -------
    Tensor
        Zeros and ones of the shape and dtype of ``z``.

    Examples
    --------
    >>> step(torch.tensor([-0.5, 0.0, 2.0]))
    tensor([0., 0., 1.])
    """
    return (z > 0).to(z.dtype)


def predict(X: Tensor, w: Tensor, b: float) -> Tensor:
    """Return the perceptron's answers ŷ = g(b + Xw).

    Parameters
    ----------
    X : Tensor, shape (n, D)
        One example a row.
    w : Tensor, shape (D,)
        One weight an input.
    b : float
        The bias w₀, the weight of an input that is always 1.

    Returns
    -------
    Tensor, shape (n,), int64
        0 or 1 for each example.

    Examples
    --------
    >>> X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> predict(X, torch.tensor([1.0, 1.0]), -1.5)  # AND
    tensor([0, 0, 0, 1])
    """
    return step(X.double() @ w.double() + b).long()


@dataclass(frozen=True, eq=False)
class PerceptronFit:
    """What the learning rule found, and how it got there.

    Attributes
    ----------
    w : Tensor, shape (D,)
        The weights after the last update.
    b : float
        The bias w₀ after the last update.
    mistakes : tuple of int
        How many examples were corrected in each pass over the data.
    converged : bool
        True if the last pass made no mistake: every training example is then on its side.
    path : Tensor, shape (n_updates + 1, D + 1)
        (w₀, w₁, …, w_D) before the first update and after each one.
    """

    w: Tensor
    b: float
    mistakes: tuple[int, ...]
    converged: bool
    path: Tensor

    @property
    def n_updates(self) -> int:
        """Number of corrections made in all."""
        return sum(self.mistakes)


def train(X: Tensor, y: Tensor, *, max_epochs: int = 100, seed: int | None = None) -> PerceptronFit:
    """Train one perceptron with Rosenblatt's rule: after each mistake, w ← w + (y - ŷ)x.

    The weights start at zero. A correct answer changes nothing, so the loop leaps from one mistake
    to the next instead of visiting every example.

    Parameters
    ----------
    X : Tensor, shape (n, D)
        Training examples.
    y : Tensor, shape (n,)
        Their labels, 0 or 1.
    max_epochs : int
        Passes over the data after which to give up; the rule stops by itself after a pass
        without a mistake, which never comes if the classes cannot be separated by a hyperplane.
    seed : int, optional
        Shuffle the examples before every pass with this seed. Without it they are visited in order.

    Returns
    -------
    PerceptronFit
        Weights, mistakes per pass, whether it converged, and the path of the weights.

    Raises
    ------
    ValueError
        If shapes do not match, a label is neither 0 nor 1, or a value is not finite.

    Examples
    --------
    >>> X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> fit = train(X, torch.tensor([0, 1, 1, 1]))  # OR
    >>> fit.converged, predict(X, fit.w, fit.b).tolist()
    (True, [0, 1, 1, 1])
    """
    _check_examples(X, y)
    if max_epochs < 1:
        raise ValueError(f"max_epochs must be at least 1, got {max_epochs}")
    n, D = X.shape
    ones = torch.ones(n, 1, dtype=torch.float64)
    X1 = torch.cat([ones, X.double()], dim=1)  # (n, 1 + D): the bias is a weight on a constant 1
    target = y.double()
    shuffler = None if seed is None else torch.Generator().manual_seed(seed)

    w = torch.zeros(1 + D, dtype=torch.float64)
    path, mistakes = [w.clone()], []
    for _ in range(max_epochs):
        order = torch.arange(n) if shuffler is None else torch.randperm(n, generator=shuffler)
        X_pass, y_pass = X1[order], target[order]
        i, n_mistakes = 0, 0
        while i < n:
            error = y_pass[i:] - step(X_pass[i:] @ w)  # +1: should have fired; -1: should not have
            wrong = error.nonzero()
            if len(wrong) == 0:
                break
            first = int(wrong[0])
            w = w + error[first] * X_pass[i + first]
            path.append(w.clone())
            n_mistakes += 1
            i += first + 1
        mistakes.append(n_mistakes)
        if n_mistakes == 0:
            break
    return PerceptronFit(w[1:], float(w[0]), tuple(mistakes), mistakes[-1] == 0, torch.stack(path))


def margin(X: Tensor, y: Tensor, w: Tensor, b: float) -> float:
    """Return γ, the smallest distance of an example (1, x) from the boundary.

    γ = minᵢ sᵢ(b + xᵢᵀw) / ‖(b, w)‖ with sᵢ = 2yᵢ - 1. The bias counts as a weight on a constant
    input, so for b ≠ 0 this is less than the distance in the space of the x. It is negative if an
    example is on the wrong side.

    Parameters
    ----------
    X : Tensor, shape (n, D)
        Examples.
    y : Tensor, shape (n,)
        Labels, 0 or 1.
    w : Tensor, shape (D,)
        Weights of the boundary.
    b : float
        Its bias.

    Returns
    -------
    float
        The margin.

    Raises
    ------
    ValueError
        If all weights are zero, or the examples are no examples (see `train`).

    Examples
    --------
    >>> X = torch.tensor([[2.0], [-2.0]])
    >>> margin(X, torch.tensor([1, 0]), torch.tensor([1.0]), 0.0)
    2.0
    """
    _check_examples(X, y)
    signed = (2 * y.double() - 1) * (X.double() @ w.double() + b)
    length = float((w.double().square().sum() + b**2).sqrt())
    if length == 0:
        raise ValueError("all weights are zero, so there is no boundary to measure a distance from")
    return float(signed.min()) / length


def novikoff_bound(X: Tensor, y: Tensor, w: Tensor, b: float) -> float:
    """Return (R/γ)², the most mistakes the perceptron can make on these examples, in any order.

    R = maxᵢ ‖(1, xᵢ)‖ and γ is the margin of any separating (b, w); the best one gives the best
    bound.

    Parameters
    ----------
    X, y, w, b
        As for `margin`; (b, w) must separate the examples.

    Returns
    -------
    float
        The bound; the number of updates is at most this.

    Raises
    ------
    ValueError
        If (b, w) leaves an example on the wrong side or on the boundary.

    References
    ----------
    A. B. J. Novikoff (1962), "On convergence proofs on perceptrons", Proceedings of the Symposium
    on the Mathematical Theory of Automata XII, 615-622.

    Examples
    --------
    >>> X = torch.tensor([[2.0], [-2.0]])
    >>> novikoff_bound(X, torch.tensor([1, 0]), torch.tensor([1.0]), 0.0)
    1.25
    """
    gamma = margin(X, y, w, b)
    if gamma <= 0:
        raise ValueError(
            "Novikoff's bound needs weights that separate the classes, but the worst example lies "
            f"{abs(gamma):.3g} on the wrong side of the boundary given (0: on the boundary)"
        )
    radius_squared = 1.0 + float(X.double().square().sum(1).max())
    return radius_squared / gamma**2


def learnable_functions(n_inputs: int) -> Tensor:
    """Return which Boolean functions of ``n_inputs`` a perceptron can learn, by teaching it all.

    Function f answers bit p of the number f to the p-th row of the truth table. All functions are
    taught at once. Each ends in one of two ways, and both are proofs: a pass without a mistake
    (learnt), or weights that were seen before at the start of a pass (it will cycle for ever).
    Weights are whole numbers and stay bounded, so one of the two must happen.

    Parameters
    ----------
    n_inputs : int
        Number of binary inputs, 1 to 4.

    Returns
    -------
    Tensor, shape (2 ** 2 ** n_inputs,), bool
        True where function f was learnt.

    Raises
    ------
    ValueError
        If ``n_inputs`` is not between 1 and 4: five inputs have 4,294,967,296 functions.

    References
    ----------
    H. D. Block and S. A. Levin (1970), "On the boundedness of an iterative procedure for solving a
    system of linear inequalities", Proc. AMS 26, 229-235 (weights stay bounded).

    Examples
    --------
    >>> int(learnable_functions(2).sum())
    14
    """
    if not 1 <= n_inputs <= 4:
        raise ValueError(
            f"n_inputs must be 1, 2, 3 or 4, got {n_inputs}: the number of functions is "
            "2 to the power 2 to the power n_inputs"
        )
    rows = 2**n_inputs
    X = torch.tensor([[1] + [p >> k & 1 for k in range(n_inputs)] for p in range(rows)])
    functions = torch.arange(2**rows)
    targets = functions[:, None] >> torch.arange(rows) & 1  # (F, rows)

    learnt = torch.zeros(len(functions), dtype=torch.bool)
    W = torch.zeros(len(functions), 1 + n_inputs, dtype=torch.long)
    seen, epoch, next_look = W.clone(), 0, 1
    while len(functions):
        n_mistakes = torch.zeros_like(functions)
        for p in range(rows):
            error = targets[:, p] - ((W * X[p]).sum(1) > 0).long()
            W = W + error[:, None] * X[p]
            n_mistakes += error.abs()
        done = n_mistakes == 0
        learnt[functions[done]] = True
        keep = ~(done | (seen == W).all(1))
        functions, targets, W, seen = functions[keep], targets[keep], W[keep], seen[keep]
        epoch += 1
        if epoch == next_look:  # Brent's cycle finding: remember the weights at pass 1, 2, 4, 8, …
            seen, next_look = W.clone(), 2 * next_look
    return learnt


def association_units(
    n_inputs: int, n_units: int = 512, *, n_connections: int = 10, seed: int
) -> Tensor:
    """Wire the Mark I's association units: each listens to a few photocells chosen at random.

    Parameters
    ----------
    n_inputs : int
        Number of photocells (400 on the Mark I).
    n_units : int
        Number of association units (512 on the Mark I).
    n_connections : int
        Photocells that each unit listens to, each with a weight of +1 or -1 (with equal chance).
    seed : int
        Seed of the random wiring.

    Returns
    -------
    Tensor, shape (n_inputs, n_units), float64
        The fixed weights: +1, -1 or 0 (not connected).

    Raises
    ------
    ValueError
        If ``n_connections`` is not between 1 and ``n_inputs``, or ``n_units`` is below 1.

    References
    ----------
    J. C. Hay, B. E. Lynch, D. R. Smith (1960), "Mark I perceptron operators' manual", Cornell
    Aeronautical Laboratory report VG-1196-G-5.

    Examples
    --------
    >>> wiring = association_units(400, 512, n_connections=10, seed=0)
    >>> wiring.shape, wiring.abs().sum(0).unique()
    (torch.Size([400, 512]), tensor([10.], dtype=torch.float64))
    """
    if not 1 <= n_connections <= n_inputs or n_units < 1:
        raise ValueError(
            f"need n_units ≥ 1 and 1 ≤ n_connections ≤ n_inputs, got n_units={n_units}, "
            f"n_connections={n_connections}, n_inputs={n_inputs}"
        )
    wires = torch.Generator().manual_seed(seed)
    chosen = torch.rand(n_units, n_inputs, generator=wires).argsort(1)[:, :n_connections]
    signs = torch.randint(0, 2, (n_units, n_connections), generator=wires) * 2 - 1
    wiring = torch.zeros(n_units, n_inputs, dtype=torch.float64)
    return wiring.scatter(1, chosen, signs.double()).T.contiguous()


def associate(X: Tensor, wiring: Tensor, *, threshold: float = 0.5) -> Tensor:
    """Return which association units fire: 1 where a unit's sum exceeds its threshold.

    Parameters
    ----------
    X : Tensor, shape (n, n_inputs)
        What the photocells see.
    wiring : Tensor, shape (n_inputs, n_units)
        From `association_units`.
    threshold : float
        The sum a unit must exceed to fire.

    Returns
    -------
    Tensor, shape (n, n_units), float64
        Zeros and ones: the inputs of the response unit, which is the part that learns.

    Examples
    --------
    >>> associate(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, -1.0], [1.0, 1.0]]))
    tensor([[1., 0.]], dtype=torch.float64)
    """
    return step(X.double() @ wiring.double() - threshold)


@dataclass(frozen=True, eq=False)
class OneVsRest:
    """K perceptrons, each trained to tell its class from all others; the largest sum wins.

    Attributes
    ----------
    W : Tensor, shape (K, D)
        One row of weights a class.
    b : Tensor, shape (K,)
        One bias a class.
    """

    W: Tensor
    b: Tensor

    def scores(self, X: Tensor) -> Tensor:
        """Return the weighted sums, shape (n, K), for examples of shape (n, D)."""
        return X.double() @ self.W.T + self.b

    def predict(self, X: Tensor) -> Tensor:
        """Return the class with the largest weighted sum, shape (n,)."""
        return self.scores(X).argmax(1)


def train_one_vs_rest(
    X: Tensor, y: Tensor, *, max_epochs: int = 30, seed: int | None = None
) -> OneVsRest:
    """Train one perceptron a class: class k against the rest.

    Parameters
    ----------
    X : Tensor, shape (n, D)
        Training examples.
    y : Tensor, shape (n,), int64
        Class numbers 0 … K - 1.
    max_epochs, seed
        As for `train`.

    Returns
    -------
    OneVsRest
        The K weight vectors and biases, each scaled to length 1 so that their sums can be compared.

    Raises
    ------
    ValueError
        If a class between 0 and the largest label has no example, or as for `train`.

    Examples
    --------
    >>> X = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    >>> y = torch.tensor([0, 1, 2])
    >>> train_one_vs_rest(X, y).predict(X)
    tensor([0, 1, 2])
    """
    present = sorted(set(y.tolist()))
    if present != list(range(len(present))) or len(present) < 2:
        raise ValueError(
            f"need examples of at least two classes, numbered 0, 1, 2, … without a gap; "
            f"got the labels {present[:12]}"
        )
    n_classes = len(present)
    fits = [train(X, (y == k).long(), max_epochs=max_epochs, seed=seed) for k in range(n_classes)]
    lengths = torch.stack([fit.path[-1].norm().clamp_min(1e-12) for fit in fits])
    W = torch.stack([fit.w for fit in fits]) / lengths[:, None]
    b = torch.tensor([fit.b for fit in fits], dtype=torch.float64) / lengths
    return OneVsRest(W, b)


def _check_examples(X: Tensor, y: Tensor) -> None:
    """Raise a ValueError that says what is wrong with examples and labels."""
    if X.ndim != 2 or len(X) == 0:
        raise ValueError(f"X must have shape (n, D) with n ≥ 1, got {tuple(X.shape)}")
    if y.shape != (len(X),):
        raise ValueError(
            f"y must have one label for each of the {len(X)} rows of X, shape ({len(X)},), "
            f"got {tuple(y.shape)}"
        )
    if not torch.isfinite(X.double()).all():
        raise ValueError("X holds NaN or infinite values; a perceptron needs finite numbers")
    labels = set(y.tolist())
    if not labels <= {0, 1}:
        raise ValueError(f"labels must be 0 or 1, got {sorted(labels)[:5]}")
