"""Mini-batches, and seven rules that turn a noisy gradient into a step.

A rule is a function ``rule(w, dw, memory, learning_rate)`` that returns the new weights. ``dw`` is
the gradient ∂J/∂w, of the shape of ``w``, and ``memory`` is a dict in which the rule keeps what it
must know at the next step: give it an empty one at the start. Rules work on each number of ``w`` by
itself, so ``w`` may have any shape. `Optimizer` applies a rule to all weights of a model.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "Optimizer",
    "adagrad",
    "adam",
    "adamw",
    "beale",
    "descend",
    "gradient_noise",
    "minibatches",
    "momentum",
    "nesterov",
    "polyak",
    "range_test",
    "rmsprop",
    "rosenbrock",
    "saddle",
    "schedule",
    "sgd",
    "valley",
]

Memory = dict[str, Any]
Rule = Callable[[Tensor, Tensor, Memory, float], Tensor]
Objective = Callable[[Tensor], Tensor]


def minibatches(n: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Return the mini-batches of one epoch: the rows 0 … n - 1, shuffled and cut into pieces.

    Parameters
    ----------
    n : int
        Number of examples.
    batch_size : int
        B, from 1 to n. If it does not divide n, the last batch is smaller.
    generator : torch.Generator
        Draws the order. Use the same one for all epochs, and each gets an order of its own.

    Returns
    -------
    tuple of Tensor, shape (B,), int64
        Row numbers; every row is in exactly one batch.

    Raises
    ------
    ValueError
        If the batch size is not between 1 and n.

    Examples
    --------
    >>> [len(rows) for rows in minibatches(10, 4, torch.Generator().manual_seed(0))]
    [4, 4, 2]
    """
    _check_batch(n, batch_size)
    return torch.split(torch.randperm(n, generator=generator), batch_size)


def gradient_noise(gradients: Tensor, batch_size: int, *, replacement: bool = False) -> float:
    """Return how far a mini-batch gradient is from that of all examples, root mean square.

    σ/√B · √((n - B)/(n - 1)), with σ² = 1/n Σ ‖gᵢ - ḡ‖². The second factor, for batches drawn
    without replacement, is 1 at B = 1 and 0 at B = n. With replacement it is left out.

    Parameters
    ----------
    gradients : Tensor, shape (n, P)
        gᵢ, the gradient of each example's loss with respect to the P weights.
    batch_size : int
        B, from 1 to n.
    replacement : bool
        Whether an example can be drawn twice for one batch.

    Returns
    -------
    float
        √E‖g_B - ḡ‖², in the units of the gradient.

    Raises
    ------
    ValueError
        If there are fewer than two examples, or the batch size is not between 1 and n.

    Examples
    --------
    >>> gradient_noise(torch.tensor([[-1.0], [1.0]]), 1), gradient_noise(torch.ones(5, 3), 2)
    (1.0, 0.0)
    """
    if gradients.ndim != 2 or len(gradients) < 2:
        raise ValueError(
            f"gradients must have shape (n, P) with n ≥ 2, got {tuple(gradients.shape)}"
        )
    n = len(gradients)
    _check_batch(n, batch_size)
    variance = float((gradients - gradients.mean(0)).double().square().sum(1).mean())
    finite = 1.0 if replacement else (n - batch_size) / (n - 1)
    return math.sqrt(variance / batch_size * finite)


def sgd(w: Tensor, dw: Tensor, memory: Memory, learning_rate: float) -> Tensor:
    """Step against the gradient; "stochastic" if the gradient is that of a mini-batch.

    w ← w - η ∂J/∂w

    Parameters
    ----------
    w : Tensor, any shape
        The weights.
    dw : Tensor, shape of w
        The gradient ∂J/∂w.
    memory : dict
        What the rule remembers, empty before the first step. This one remembers nothing.
    learning_rate : float
        η > 0.

    Returns
    -------
    Tensor, shape of w
        The new weights; ``w`` itself is left as it was.

    Raises
    ------
    ValueError
        If the learning rate, or another setting, is out of range or NaN.

    References
    ----------
    H. Robbins, S. Monro (1951), "A stochastic approximation method", Annals of Mathematical
    Statistics 22(3), 400-407, doi:10.1214/aoms/1177729586.

    Examples
    --------
    >>> sgd(torch.tensor([1.0]), torch.tensor([2.0]), {}, 0.25)
    tensor([0.5000])
    """
    _check(learning_rate)
    return w - learning_rate * dw


def momentum(
    w: Tensor, dw: Tensor, memory: Memory, learning_rate: float, beta: float = 0.9
) -> Tensor:
    """Step along a sum of past gradients, in which each step's share fades by β.

    v ← βv + ∂J/∂w,  w ← w - ηv

    Parameters
    ----------
    w, dw, memory, learning_rate
        As for `sgd`; the memory holds the velocity v.
    beta : float
        β, in [0, 1).

    Returns
    -------
    Tensor, shape of w

    Raises
    ------
    ValueError
        As for `sgd`.

    References
    ----------
    B. T. Polyak (1964), "Some methods of speeding up the convergence of iteration methods",
    USSR Computational Mathematics and Mathematical Physics 4(5), 1-17,
    doi:10.1016/0041-5553(64)90137-5.

    Examples
    --------
    >>> w, memory = torch.tensor([1.0]), {}
    >>> for _ in range(2):
    ...     w = momentum(w, torch.tensor([1.0]), memory, 0.1, beta=0.5)
    >>> w  # 1 - 0.1·1 - 0.1·1.5
    tensor([0.7500])
    """
    _check(learning_rate, beta=beta)
    # v ← βv + ∂J/∂w
    v: Tensor = beta * memory.get("v", 0.0) + dw
    memory["v"] = v
    # w ← w - ηv
    return w - learning_rate * v


def nesterov(
    w: Tensor, dw: Tensor, memory: Memory, learning_rate: float, beta: float = 0.9
) -> Tensor:
    """Step along the velocity as it will be one step ahead.

    v ← βv + ∂J/∂w,  w ← w - η(∂J/∂w + βv)

    This is Nesterov's method written, as PyTorch does, in terms of the point at which the gradient
    is taken.

    Parameters
    ----------
    w, dw, memory, learning_rate, beta
        As for `momentum`.

    Returns
    -------
    Tensor, shape of w

    Raises
    ------
    ValueError
        As for `sgd`.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl, G. Hinton (2013), "On the importance of initialization and
    momentum in deep learning", Proc. ICML, PMLR 28(3), 1139-1147.

    Examples
    --------
    >>> nesterov(torch.tensor([1.0]), torch.tensor([1.0]), {}, 0.1, beta=0.5)
    tensor([0.8500])
    """
    _check(learning_rate, beta=beta)
    # v ← βv + ∂J/∂w
    v: Tensor = beta * memory.get("v", 0.0) + dw
    memory["v"] = v
    # w ← w - η(∂J/∂w + βv)
    return w - learning_rate * (dw + beta * v)


def adagrad(
    w: Tensor, dw: Tensor, memory: Memory, learning_rate: float, eps: float = 1e-10
) -> Tensor:
    """Divide each weight's gradient by the root of the sum of all its squares so far.

    s ← s + (∂J/∂w)²,  w ← w - η ∂J/∂w / (√s + ε)

    Parameters
    ----------
    w, dw, memory, learning_rate
        As for `sgd`; the memory holds s.
    eps : float
        ε ≥ 0, keeps the division finite.

    Returns
    -------
    Tensor, shape of w

    Raises
    ------
    ValueError
        As for `sgd`.

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer (2011), "Adaptive subgradient methods for online learning and
    stochastic optimization", Journal of Machine Learning Research 12, 2121-2159.

    Examples
    --------
    >>> adagrad(torch.tensor([1.0, 1.0]), torch.tensor([100.0, -0.01]), {}, 0.1)
    tensor([0.9000, 1.1000])
    """
    _check(learning_rate, eps=eps)
    # s ← s + (∂J/∂w)²
    s: Tensor = memory.get("s", 0.0) + dw**2
    memory["s"] = s
    # w ← w - η ∂J/∂w / (√s + ε)
    return w - learning_rate * dw / (s.sqrt() + eps)


def rmsprop(
    w: Tensor,
    dw: Tensor,
    memory: Memory,
    learning_rate: float,
    beta: float = 0.99,
    eps: float = 1e-8,
) -> Tensor:
    """Divide each weight's gradient by a running root mean square of it.

    s ← βs + (1 - β)(∂J/∂w)²,  w ← w - η ∂J/∂w / (√s + ε)

    Parameters
    ----------
    w, dw, memory, learning_rate
        As for `sgd`; the memory holds s.
    beta : float
        β, in [0, 1): s is a mean over about the last 1/(1 - β) steps.
    eps : float
        ε ≥ 0, keeps the division finite.

    Returns
    -------
    Tensor, shape of w

    Raises
    ------
    ValueError
        As for `sgd`.

    References
    ----------
    T. Tieleman, G. Hinton (2012), lecture 6.5 of "Neural networks for machine learning", Coursera.

    Examples
    --------
    >>> rmsprop(torch.tensor([1.0]), torch.tensor([3.0]), {}, 0.05)  # 1 - 0.05/√0.01
    tensor([0.5000])
    """
    _check(learning_rate, beta=beta, eps=eps)
    # s ← βs + (1 - β)(∂J/∂w)²
    s: Tensor = beta * memory.get("s", 0.0) + (1 - beta) * dw**2
    memory["s"] = s
    # w ← w - η ∂J/∂w / (√s + ε)
    return w - learning_rate * dw / (s.sqrt() + eps)


def adam(
    w: Tensor,
    dw: Tensor,
    memory: Memory,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Tensor:
    """Divide a running mean of the gradient by a running root mean square of it.

    v ← β₁v + (1 - β₁)∂J/∂w,  s ← β₂s + (1 - β₂)(∂J/∂w)²,  t ← t + 1,
    w ← w - η v̂/(√ŝ + ε) with v̂ = v/(1 - β₁ᵗ) and ŝ = s/(1 - β₂ᵗ), which make up for the start at 0.

    Parameters
    ----------
    w, dw, memory, learning_rate
        As for `sgd`; the memory holds v, s and t.
    beta1, beta2 : float
        β₁ and β₂, in [0, 1).
    eps : float
        ε ≥ 0, keeps the division finite.

    Returns
    -------
    Tensor, shape of w

    Raises
    ------
    ValueError
        As for `sgd`.

    References
    ----------
    D. P. Kingma, J. Ba (2015), "Adam: a method for stochastic optimization", Proc. ICLR,
    arXiv:1412.6980.

    Examples
    --------
    >>> adam(torch.tensor([1.0, 1.0]), torch.tensor([100.0, -0.01]), {}, 0.1)
    tensor([0.9000, 1.1000])
    """
    _check(learning_rate, beta1=beta1, beta2=beta2, eps=eps)
    # v ← β₁v + (1 - β₁)∂J/∂w
    v: Tensor = beta1 * memory.get("v", 0.0) + (1 - beta1) * dw
    # s ← β₂s + (1 - β₂)(∂J/∂w)²
    s: Tensor = beta2 * memory.get("s", 0.0) + (1 - beta2) * dw**2
    # t ← t + 1
    t: int = memory.get("t", 0) + 1
    memory.update(v=v, s=s, t=t)
    # v̂ = v/(1 - β₁ᵗ), ŝ = s/(1 - β₂ᵗ)
    v_hat, s_hat = v / (1 - beta1**t), s / (1 - beta2**t)
    # w ← w - η v̂/(√ŝ + ε)
    return w - learning_rate * v_hat / (s_hat.sqrt() + eps)


def adamw(
    w: Tensor,
    dw: Tensor,
    memory: Memory,
    learning_rate: float,
    weight_decay: float = 0.01,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Tensor:
    """Shrink the weights a little, then take a step of Adam.

    w ← w - ηλw, then as `adam`. The decay is not divided by √ŝ, as an L2 penalty in J would be.

    Parameters
    ----------
    w, dw, memory, learning_rate, beta1, beta2, eps
        As for `adam`.
    weight_decay : float
        λ ≥ 0.

    Returns
    -------
    Tensor, shape of w

    Raises
    ------
    ValueError
        As for `sgd`.

    References
    ----------
    I. Loshchilov, F. Hutter (2019), "Decoupled weight decay regularization", Proc. ICLR,
    arXiv:1711.05101.

    Examples
    --------
    >>> adamw(torch.tensor([2.0]), torch.tensor([1.0]), {}, 0.1, weight_decay=0.5)
    tensor([1.8000])
    """
    _check(learning_rate, weight_decay=weight_decay)
    # w ← w - ηλw
    w = w - learning_rate * weight_decay * w
    return adam(w, dw, memory, learning_rate, beta1, beta2, eps)


class Optimizer(torch.optim.Optimizer):
    """Apply a rule of this module, or one of your own, to every weight of a model.

    It is a PyTorch optimizer, so it also works with `dlcourse.training.fit` and with the schedules
    of ``torch.optim.lr_scheduler``.

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        What to move, such as ``model.parameters()``.
    rule : callable
        Such as `adam`, or ``functools.partial(adam, beta1=0.8)``.
    learning_rate : float
        η > 0.

    Raises
    ------
    ValueError
        If the learning rate is not positive and finite, or there are no parameters.

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> optimizer = Optimizer(model.parameters(), adam, learning_rate=0.1)
    >>> for _ in range(300):
    ...     loss = (model(torch.tensor([[2.0]])) - 3).square().mean()
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    >>> loss.item() < 1e-6
    True
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], rule: Rule, learning_rate: float
    ) -> None:
        _check(learning_rate)
        super().__init__(parameters, {"lr": learning_rate})
        self.rule = rule

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient; the closure, if there is one, computes it."""
        if closure is not None:
            with torch.enable_grad():
                closure()
        for group in self.param_groups:
            for w in group["params"]:
                if w.grad is not None:
                    w.copy_(self.rule(w, w.grad, self.state[w], group["lr"]))


def descend(
    objective: Objective, start: Tensor, rule: Rule, learning_rate: float, n_steps: int
) -> Tensor:
    """Follow a rule downhill from a point, and return the way it took.

    Parameters
    ----------
    objective : callable
        J, from weights of shape (D,) to one number.
    start : Tensor, shape (D,)
        The first point.
    rule : callable
        Such as `momentum`, or ``functools.partial(momentum, beta=0.5)``.
    learning_rate : float
        η > 0.
    n_steps : int
        Number of steps, at least 1.

    Returns
    -------
    Tensor, shape (n_steps + 1, D)
        The start, and the point after each step.

    Raises
    ------
    ValueError
        If a setting is out of range.
    FloatingPointError
        If J becomes NaN or infinite: the steps were too long.

    Examples
    --------
    >>> path = descend(valley, torch.tensor([1.0, 1.0]), momentum, 0.01, n_steps=200)
    >>> bool(valley(path[-1]) < 1e-3)
    True
    """
    _check(learning_rate)
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    w, memory, value = start.detach().clone(), {}, math.nan  # type: Tensor, Memory, float
    path = [w]
    for t in range(n_steps + 1):
        w = w.detach().requires_grad_()
        J = objective(w)
        if not J.isfinite():
            raise FloatingPointError(
                f"the loss became {J.item()} at step {t} (before: {value:.4g}): the learning rate "
                f"{learning_rate:g} is too large here, or the start too far out; try a smaller one"
            )
        if t == n_steps:
            break
        (dw,) = torch.autograd.grad(J, w)
        w, value = rule(w.detach(), dw, memory, learning_rate), J.item()
        path.append(w)
    return torch.stack(path)


def schedule(
    name: str, n_steps: int, *, warm_up: int = 0, every: int | None = None, factor: float = 0.1
) -> Callable[[int], float]:
    """Return a function from the step t to the factor by which the learning rate is multiplied.

    "constant" is 1; "step" is γ^⌊t/every⌋; "cosine" is (1 + cos(πt/n_steps))/2. With a warm-up of m
    steps the factor first climbs in m equal steps, (t + 1)/m of the whole at step t, and the
    schedule then runs over the other n_steps - m.

    Parameters
    ----------
    name : {"constant", "step", "cosine"}
        Which schedule.
    n_steps : int
        Number of steps of the whole training. From there on "cosine" stays at 0.
    warm_up : int
        m, from 0 to n_steps - 1.
    every : int, optional
        For "step": steps between two cuts; a third of n_steps - m if left out.
    factor : float
        For "step": γ, in (0, 1], what a cut multiplies the rate with.

    Returns
    -------
    callable
        t = 0, 1, … → factor in [0, 1]; fits ``torch.optim.lr_scheduler.LambdaLR``.

    Raises
    ------
    ValueError
        If the name is unknown or a number is out of range.

    References
    ----------
    I. Loshchilov, F. Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", Proc.
    ICLR, arXiv:1608.03983 (cosine). P. Goyal et al. (2017), "Accurate, large minibatch SGD",
    arXiv:1706.02677 (warm-up).

    Examples
    --------
    >>> cosine = schedule("cosine", n_steps=100)
    >>> [round(cosine(t), 3) for t in (0, 50, 100)]
    [1.0, 0.5, 0.0]
    """
    n = n_steps - warm_up
    if n_steps < 1 or not 0 <= warm_up < n_steps:
        raise ValueError(
            f"need n_steps ≥ 1 and 0 ≤ warm_up < n_steps, got n_steps={n_steps}, warm_up={warm_up}"
        )
    every = max(1, n // 3) if every is None else every
    if every < 1 or not 0 < factor <= 1:
        raise ValueError(f"need every ≥ 1 and 0 < factor ≤ 1, got every={every}, factor={factor}")
    shapes: dict[str, Callable[[int], float]] = {
        "constant": lambda t: 1.0,
        "step": lambda t: factor ** (t // every),
        "cosine": lambda t: (1 + math.cos(math.pi * min(t, n) / n)) / 2,
    }
    if name not in shapes:
        raise ValueError(f"unknown schedule {name!r}: choose from {', '.join(shapes)}")
    return lambda t: (t + 1) / warm_up if t < warm_up else shapes[name](t - warm_up)


def range_test(
    batch_loss: Callable[[int], Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    low: float = 1e-5,
    high: float = 10.0,
    n_steps: int = 100,
) -> tuple[Tensor, Tensor]:
    """Take steps with a learning rate that grows from ``low`` to ``high``, and record the loss.

    The test ends early when the loss is NaN or above four times the lowest so far. The weights are
    put back to where they were; the memory of the optimizer is not, so make a fresh one afterwards.

    Parameters
    ----------
    batch_loss : callable
        From the step t = 0, 1, … to the loss of that step's mini-batch.
    optimizer : torch.optim.Optimizer
        A fresh one, over the weights to be tested.
    low, high : float
        The range of η, 0 < low < high; it grows by the same factor at each step.
    n_steps : int
        Number of steps, at least 2.

    Returns
    -------
    rates, losses : Tensor, shape (number of steps taken,)
        The learning rate of each step, and the loss before that step.

    Raises
    ------
    ValueError
        If the range is empty or not positive, or the loss is not finite from the start.

    References
    ----------
    L. N. Smith (2017), "Cyclical learning rates for training neural networks", Proc. WACV,
    464-472, doi:10.1109/WACV.2017.58.

    Examples
    --------
    >>> w = nn.Parameter(torch.tensor([1.0]))
    >>> rates, losses = range_test(lambda t: w.square().sum(), torch.optim.SGD([w], lr=1.0))
    >>> bool(losses.min() < 1e-3), w.item()
    (True, 1.0)
    """
    if not 0 < low < high < math.inf or n_steps < 2:
        raise ValueError(
            f"need 0 < low < high and n_steps ≥ 2, got low={low}, high={high}, n_steps={n_steps}"
        )
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    before = [w.detach().clone() for w in weights]
    rates, losses = torch.logspace(math.log10(low), math.log10(high), n_steps), []
    for t, rate in enumerate(rates.tolist()):
        loss = batch_loss(t)
        losses.append(loss.item())
        if not losses[-1] <= 4 * min(losses) or not math.isfinite(losses[-1]):
            break
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        for w, old in zip(weights, before, strict=True):
            w.copy_(old)
    if not math.isfinite(losses[0]):
        raise ValueError(f"the loss is {losses[0]} before the first step: look at data and weights")
    return rates[: len(losses)], torch.tensor(losses)


def polyak(lambda_min: float, lambda_max: float) -> tuple[float, float]:
    """Return the η and β with which `momentum` is fastest on a quadratic.

    η = (2/(√λmax + √λmin))², β = ((√κ - 1)/(√κ + 1))² with κ = λmax/λmin. The distance to the
    minimum then shrinks, in the long run, by √β a step.

    Parameters
    ----------
    lambda_min, lambda_max : float
        The least and the greatest curvature, 0 < lambda_min ≤ lambda_max: eigenvalues of the matrix
        of second derivatives.

    Returns
    -------
    learning_rate, beta : float

    Raises
    ------
    ValueError
        If the curvatures are not positive and in order.

    References
    ----------
    As for `momentum`.

    Examples
    --------
    >>> polyak(1.0, 9.0)
    (0.25, 0.25)
    """
    if not 0 < lambda_min <= lambda_max < math.inf:
        raise ValueError(f"need 0 < lambda_min ≤ lambda_max, got {lambda_min} and {lambda_max}")
    low, high = math.sqrt(lambda_min), math.sqrt(lambda_max)
    return (2 / (high + low)) ** 2, ((high - low) / (high + low)) ** 2


def valley(w: Tensor) -> Tensor:
    """Return J = (x² + 100y²)/2, a long quadratic valley with κ = 100 and its minimum 0 at (0, 0).

    Parameters
    ----------
    w : Tensor, shape (…, 2)
        Points (x, y). The other landscapes take the same.

    Returns
    -------
    Tensor, shape (…)
        The height J of each point.

    Examples
    --------
    >>> valley(torch.tensor([2.0, 0.0]))
    tensor(2.)
    """
    x, y = w.unbind(-1)
    return (x**2 + 100 * y**2) / 2


def rosenbrock(w: Tensor) -> Tensor:
    """Return J = (1 - x)² + 100(y - x²)², a bent valley with its minimum 0 at (1, 1).

    Parameters
    ----------
    w
        As for `valley`.

    Returns
    -------
    Tensor, shape (…)

    References
    ----------
    H. H. Rosenbrock (1960), "An automatic method for finding the greatest or least value of a
    function", The Computer Journal 3(3), 175-184, doi:10.1093/comjnl/3.3.175.

    Examples
    --------
    >>> rosenbrock(torch.tensor([[1.0, 1.0], [-1.2, 1.0]]))
    tensor([ 0.0000, 24.2000])
    """
    x, y = w.unbind(-1)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(w: Tensor) -> Tensor:
    """Return Beale's function, flat near (3, ½), where its minimum 0 lies, and very steep far away.

    J = (1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²

    Parameters
    ----------
    w
        As for `valley`.

    Returns
    -------
    Tensor, shape (…)

    References
    ----------
    J. J. Moré, B. S. Garbow, K. E. Hillstrom (1981), "Testing unconstrained optimization software",
    ACM Transactions on Mathematical Software 7(1), 17-41, doi:10.1145/355934.355936.

    Examples
    --------
    >>> beale(torch.tensor([3.0, 0.5]))
    tensor(0.)
    """
    x, y = w.unbind(-1)
    return sum(((c - x + x * y**k) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))), 0 * x)


def saddle(w: Tensor) -> Tensor:
    """Return J = 25x² + (y² - 1)²/4: a saddle of height ¼ at (0, 0), minima of height 0 at (0, ±1).

    Parameters
    ----------
    w
        As for `valley`.

    Returns
    -------
    Tensor, shape (…)

    Examples
    --------
    >>> saddle(torch.tensor([[0.0, 0.0], [0.0, -1.0]]))
    tensor([0.2500, 0.0000])
    """
    x, y = w.unbind(-1)
    return 25 * x**2 + (y**2 - 1) ** 2 / 4


def _check_batch(n: int, batch_size: int) -> None:
    """Refuse batches that cannot be."""
    if not 1 <= batch_size <= n:
        raise ValueError(
            f"batch_size must lie between 1 and the number of examples, {n}; got {batch_size}"
        )


def _check(learning_rate: float, **settings: float) -> None:
    """Refuse settings of a rule that are out of range; NaN is, too."""
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate must be positive, such as 0.01; got {learning_rate}")
    for name, value in settings.items():
        below = 1.0 if name.startswith("beta") else math.inf
        if not 0 <= value < below:
            rule = "at least 0" + (" and below 1" if below == 1 else " and finite")
            raise ValueError(f"{name} must be {rule}; got {value}")
