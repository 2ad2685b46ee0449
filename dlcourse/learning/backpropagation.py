"""Backpropagation: the chain rule, run backwards through a computation.

`Value` is a number that remembers how it was computed and can therefore tell how much it would
change with any number it came from. `mlp_gradients` does the same for whole layers, in matrix form,
and `check_gradients` measures any derivatives of yours and says which of them are wrong.

References
----------
S. Linnainmaa (1976), "Taylor expansion of the accumulated rounding error", BIT 16, 146-160,
doi:10.1007/BF01931367.
D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986), "Learning representations by back-propagating
errors", Nature 323, 533-536, doi:10.1038/323533a0.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch
from torch import Tensor

__all__ = ["GradientCheck", "Value", "check_gradients", "mlp_gradients", "operations"]

Arrows = tuple[tuple["Value", float], ...]  # what a number was computed from, with the slopes
Layers = Sequence[tuple[Tensor, Tensor]]  # (W, b) of each layer, from input to output


class Value:
    """A number that remembers how it was computed.

    Each operation makes a new Value and notes in ``arrows`` what it was computed from, each with
    the slope of the result with respect to it. `backward` multiplies the slopes along the way back
    and leaves in ``grad`` how much the result changes for each unit of change here.

    Parameters
    ----------
    data : float
        The number. (The other two arguments are for the operations.)

    Raises
    ------
    TypeError, ValueError
        If ``data`` is not a real number, or not finite.

    Examples
    --------
    >>> w = Value(3.0)
    >>> (w * w + w).backward()
    >>> w.grad
    7.0
    """

    def __init__(self, data: float, arrows: Arrows = (), op: str = "") -> None:
        self.data: float = _checked(data, arrows, op)
        self.grad: float = 0.0
        self.arrows: Arrows = arrows
        self.op: str = op

    def __add__(self, other: "Value | float") -> "Value":
        other = other if isinstance(other, Value) else Value(other)
        arrows = (self, 1.0), (other, 1.0)
        return Value(self.data + other.data, arrows, "+")

    def __mul__(self, other: "Value | float") -> "Value":
        other = other if isinstance(other, Value) else Value(other)
        arrows = (self, other.data), (other, self.data)
        return Value(self.data * other.data, arrows, "*")

    def __pow__(self, k: float) -> "Value":
        if isinstance(k, Value):
            raise TypeError("the exponent must be a plain number; write (k * x.log()).exp()")
        try:
            value, slope = self.data**k, (k * self.data ** (k - 1) if k else 0.0)
        except (ZeroDivisionError, OverflowError) as error:
            raise ValueError(f"{self.data} ** {k} or its slope is not a finite number") from error
        return Value(value, ((self, slope),), "**")

    def __neg__(self) -> "Value":
        return self * -1.0

    def __sub__(self, other: "Value | float") -> "Value":
        return self + other * -1.0

    def __rsub__(self, other: float) -> "Value":
        return self * -1.0 + other

    def __truediv__(self, other: "Value | float") -> "Value":
        return self * other**-1

    def __rtruediv__(self, other: float) -> "Value":
        return self**-1 * other

    __radd__, __rmul__ = __add__, __mul__

    def exp(self) -> "Value":
        """Return e to the power of this number."""
        value = math.exp(self.data) if self.data < 709 else math.inf
        return Value(value, ((self, value),), "exp")

    def log(self) -> "Value":
        """Return the natural logarithm."""
        if self.data <= 0:
            raise ValueError(f"the logarithm needs a number above 0, got {self.data}")
        return Value(math.log(self.data), ((self, 1 / self.data),), "log")

    def tanh(self) -> "Value":
        """Return the hyperbolic tangent."""
        t = math.tanh(self.data)
        return Value(t, ((self, 1 - t * t),), "tanh")

    def sigmoid(self) -> "Value":
        """Return 1 / (1 + exp(-z))."""
        s = 1 / (1 + math.exp(-self.data)) if self.data > -709 else 0.0
        return Value(s, ((self, s * (1 - s)),), "sigmoid")

    def relu(self) -> "Value":
        """Return the number itself if it is positive, else 0."""
        return Value(max(self.data, 0.0), ((self, float(self.data > 0)),), "relu")

    def backward(self) -> None:
        """Set the ``grad`` of every number this one was computed from."""
        order = _in_order(self)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in order:  # its own grad is complete
            for source, slope in node.arrows:
                source.grad += slope * node.grad
        if not all(math.isfinite(node.grad) for node in order):
            raise ValueError("a derivative grew beyond the largest number")

    def __repr__(self) -> str:
        return f"Value({self.data:.6g}, grad={self.grad:.6g})"


def _in_order(result: Value) -> list[Value]:
    """List all numbers behind a result, each after everything that was computed from it."""
    uses, found = {result: 0}, [result]
    for node in found:  # the list grows while we go along it
        for source, _ in node.arrows:
            if source not in uses:
                found.append(source)
            uses[source] = uses.get(source, 0) + 1
    order = [result] if uses[result] == 0 else []
    for node in order:
        for source, _ in node.arrows:
            uses[source] -= 1
            if uses[source] == 0:
                order.append(source)
    if len(order) < len(uses):
        raise ValueError("a number depends on itself: the arrows run in a circle")
    return order


def _checked(data: float, arrows: Arrows, op: str) -> float:
    if not isinstance(data, Real):
        raise TypeError(f"a Value holds one real number, got {data!r}; use .item() of a tensor")
    if not math.isfinite(data):
        done = f"“{op}” of {[source.data for source, _ in arrows]} gave" if op else "got"
        raise ValueError(f"a Value must be a finite number, but {done} {data}")
    return float(data)


SLOPE_COST = {"+": 0, "*": 0, "**": 2, "exp": 0, "log": 1, "tanh": 2, "sigmoid": 2, "relu": 0}
"""Operations that the slope of a node costs beyond its value; 1 - t·t of tanh costs two."""


def operations(result: Value) -> tuple[int, int]:
    """Count the operations that computed a number, and those of the way back from it.

    Forwards, each sum, product, power or function is one operation. Backwards, each arrow costs a
    product and a sum, and a slope may cost up to two operations more. Every node has two arrows
    and free slopes, or one arrow: forwards and backwards together cost at most 1 + 4 = 5.

    Parameters
    ----------
    result : Value
        The number at the end of the computation.

    Returns
    -------
    forward, backward : int
        Operations in each direction.

    References
    ----------
    W. Baur, V. Strassen (1983), "The complexity of partial derivatives", Theoretical Computer
    Science 22, 317-330, doi:10.1016/0304-3975(83)90110-X.

    Examples
    --------
    >>> w = Value(3.0)
    >>> operations(w * w + w)
    (2, 8)
    """
    computed = [node for node in _in_order(result) if node.arrows]
    back = sum(SLOPE_COST[node.op] + 2 * len(node.arrows) for node in computed)
    return len(computed), back


def mlp_gradients(
    X: Tensor,
    y: Tensor,
    layers: Layers,
    *,
    activation: Callable[[Tensor], Tensor] = torch.tanh,
    derivative: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Return the mean cross-entropy of a multi-layer perceptron and its slope for every weight.

    Forwards: z = hW + b and h = g(z), layer by layer. Backwards, with dz = ∂J/∂z: dW = hᵀdz,
    db = Σ dz over the examples, and dz of the layer before = (dz Wᵀ) ⊙ g'(z).

    Parameters
    ----------
    X : Tensor, shape (n, D)
        One example a row.
    y : Tensor, shape (n,), int64
        Class numbers, 0 … K - 1.
    layers : sequence of (W, b)
        W of shape (inputs, outputs), b of shape (outputs,); the last layer gives K logits.
    activation, derivative : callable
        g and g' of the hidden layers, each from z to a tensor of the same shape. Only tanh brings
        its derivative along.

    Returns
    -------
    loss : Tensor, shape ()
        J, the mean over the examples, in nats.
    gradients : list of (dW, db)
        ∂J/∂W and ∂J/∂b of each layer, from input to output.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, labels are no class numbers, or the loss is not finite.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986), Nature 323, 533-536,
    doi:10.1038/323533a0.

    Examples
    --------
    >>> X, y = torch.tensor([[1.0, 2.0]]), torch.tensor([1])
    >>> loss, [(dW, db)] = mlp_gradients(X, y, [(torch.zeros(2, 2), torch.zeros(2))])
    >>> dW
    tensor([[ 0.5000, -0.5000],
            [ 1.0000, -1.0000]])
    """
    _check_network(X, y, layers)
    if derivative is None:
        if activation is not torch.tanh:
            raise ValueError("give the derivative of your activation, too: derivative=…")
        derivative = _d_tanh
    h, inputs, sums = X, [], []
    for W, b in layers:
        inputs.append(h)
        sums.append(h @ W + b)  # (n, outputs)
        h = activation(sums[-1])
    n, rows = len(X), torch.arange(len(X), device=X.device)
    log_probs = sums[-1].log_softmax(1)  # (n, K)
    loss = -log_probs[rows, y].mean()
    if not loss.isfinite():
        raise ValueError(f"the loss is {loss.item()}: the weights have grown too large, or are NaN")

    dz = log_probs.exp()
    dz[rows, y] -= 1
    dz = dz / n  # ∂J/∂logits
    gradients = []
    for k in reversed(range(len(layers))):
        gradients.append((inputs[k].T @ dz, dz.sum(0)))
        if k > 0:
            dz = (dz @ layers[k][0].T) * derivative(sums[k - 1])
    return loss, gradients[::-1]


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradients` found.

    Attributes
    ----------
    wrong : dict of str to list of tuple
        For each parameter, the places whose derivative differs from its measurement.
    n_checked : dict of str to int
        For each parameter, how many derivatives were compared.
    name, index : str and tuple of int
        Where the relative disagreement is worst.
    given, measured : float
        Both derivatives there.
    """

    wrong: dict[str, list[tuple[int, ...]]]
    n_checked: dict[str, int]
    name: str
    index: tuple[int, ...]
    given: float
    measured: float

    @property
    def ok(self) -> bool:
        """Whether all derivatives agree."""
        return not any(self.wrong.values())

    def __str__(self) -> str:
        if self.ok:
            return f"all {sum(self.n_checked.values())} derivatives agree with their measurement"
        lines = [
            f"{name}: {len(places)} of {self.n_checked[name]} wrong"
            for name, places in self.wrong.items()
        ]
        place = ", ".join(map(str, self.index))
        worst = f"{self.name}[{place}]: yours {self.given:.6g}, measured {self.measured:.6g}"
        return "\n".join([*lines, f"worst at {worst}"])


def check_gradients(
    loss: Callable[[], Tensor],
    parameters: Mapping[str, Tensor],
    gradients: Mapping[str, Tensor],
    *,
    step: float = 1e-5,
    tolerance: float = 1e-5,
) -> GradientCheck:
    """Compare derivatives with central differences, (J(w + h) - J(w - h)) / 2h, weight by weight.

    Two losses for each weight: for small networks and for one honest look, not for training.

    Parameters
    ----------
    loss : callable
        Computes J from the current parameters, without arguments and without chance.
    parameters : mapping of str to Tensor, float64
        The tensors that ``loss`` uses. They are moved and put back.
    gradients : mapping of str to Tensor
        Your ∂J/∂parameter, of the same names and shapes.
    step : float
        The small step h, in units of the parameters.
    tolerance : float
        The relative difference that still counts as equal. Derivatives below a thousandth of the
        largest are judged by that thousandth, and the rounding error of J is allowed for.

    Returns
    -------
    GradientCheck
        Print it; ``ok`` says whether all agree.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not float64, in which rounding would drown the measurement; if names or
        shapes do not match; if ``step`` or ``tolerance`` is not positive; if the loss is not one
        finite number, or differs between two calls.

    Examples
    --------
    >>> w = torch.tensor([1.0, 2.0], dtype=torch.float64)
    >>> print(check_gradients(lambda: (w**3).sum(), {"w": w}, {"w": 3 * w}))
    w: 1 of 2 wrong
    worst at w[1]: yours 6, measured 12
    """
    _check_comparison(parameters, gradients, step, tolerance)
    centre = _number(loss)
    if centre != _number(loss):
        raise ValueError("the loss changes from call to call; fix its seed, or take out dropout")
    noise = 10 * np.finfo(float).eps * abs(centre) / step
    measured = {name: _differences(loss, w.detach(), step) for name, w in parameters.items()}
    given = {name: gradients[name].detach().double() for name in parameters}
    sizes = {
        name: torch.maximum(given[name].nan_to_num(0, 0, 0).abs(), measured[name].abs())
        for name in parameters
    }
    largest = max(float(size.max()) for size in sizes.values())
    wrong: dict[str, list[tuple[int, ...]]] = {}
    worst: tuple[float, str, tuple[int, ...]] = (-1.0, "", ())
    for name, size in sizes.items():
        scale = size.clamp_min(1e-3 * largest)
        gap = (given[name] - measured[name]).abs().nan_to_num(torch.inf)
        wrong[name] = [tuple(p) for p in (gap > tolerance * scale + noise).nonzero().tolist()]
        share = gap / scale.clamp_min(1e-300)
        where = tuple(int(i) for i in np.unravel_index(int(share.argmax()), share.shape))
        worst = max(worst, (float(share[where]), name, where))
    _, name, where = worst
    counts = {name: w.numel() for name, w in parameters.items()}
    values = given[name][where].item(), measured[name][where].item()
    return GradientCheck(wrong, counts, name, where, *values)


def _d_tanh(z: Tensor) -> Tensor:
    return 1 - torch.tanh(z) ** 2


def _number(loss: Callable[[], Tensor]) -> float:
    value = float(loss())
    if not math.isfinite(value):
        raise ValueError(f"the loss must be a finite number, got {value}")
    return value


def _differences(loss: Callable[[], Tensor], w: Tensor, step: float) -> Tensor:
    slopes = torch.zeros_like(w)
    for place in np.ndindex(*w.shape):
        kept = w[place].item()
        try:
            w[place] = kept + step
            above = _number(loss)
            w[place] = kept - step
            slopes[place] = (above - _number(loss)) / (2 * step)
        finally:
            w[place] = kept
    return slopes


def _check_comparison(
    parameters: Mapping[str, Tensor],
    gradients: Mapping[str, Tensor],
    step: float,
    tolerance: float,
) -> None:
    if not parameters or set(parameters) != set(gradients):
        raise ValueError(
            f"parameters and gradients need the same names, at least one; got "
            f"{sorted(parameters)} and {sorted(gradients)}"
        )
    for name, w in parameters.items():
        if w.dtype != torch.float64:
            raise TypeError(
                f"{name} is {w.dtype}: the differences of single precision are mostly rounding; "
                "use .double() for parameters and data"
            )
        if w.numel() == 0 or gradients[name].shape != w.shape:
            raise ValueError(
                f"the gradient of {name} must have its shape {tuple(w.shape)}, not empty; got "
                f"{tuple(gradients[name].shape)}"
            )
    if not (0 < step < math.inf and 0 < tolerance < math.inf):
        raise ValueError(f"step and tolerance must be positive, got {step} and {tolerance}")


def _check_network(X: Tensor, y: Tensor, layers: Layers) -> None:
    if X.ndim != 2 or len(X) == 0 or y.shape != X.shape[:1]:
        raise ValueError(
            f"X must have the shape (n, D) with n ≥ 1 and y the shape (n,), got {tuple(X.shape)} "
            f"and {tuple(y.shape)}"
        )
    if y.dtype != torch.int64:
        raise TypeError(f"labels are class numbers, in int64; got {y.dtype}; use y.long()")
    if not layers:
        raise ValueError("a network needs at least one layer (W, b), got none")
    width = X.shape[1]
    for k, (W, b) in enumerate(layers, start=1):
        if W.ndim != 2 or W.shape[0] != width or b.shape != W.shape[1:]:
            raise ValueError(
                f"layer {k} gets {width} numbers an example, so W must have the shape "
                f"({width}, outputs) and b (outputs,); got {tuple(W.shape)} and {tuple(b.shape)}"
            )
        width = W.shape[1]
    if y.min() < 0 or y.max() >= width:
        raise ValueError(
            f"the last layer has {width} outputs, so labels lie from 0 to {width - 1}; "
            f"got labels from {int(y.min())} to {int(y.max())}"
        )
