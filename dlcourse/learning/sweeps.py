"""Train many networks of one shape at once: other starts, batch orders, rates and weight decays.

The weights of K networks lie in a table W, one row a network. `torch.func` turns the slopes of one
network's loss into the slopes of all, and an update works on the whole table: a step costs one
round of calls instead of K. Rows never meet, so each network goes the way it would go alone.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional as F

__all__ = ["Record", "adam", "sgd", "train"]

Loss = Callable[[Tensor, Tensor], Tensor]
Named = dict[str, Tensor]
Update = Callable[[Tensor, Tensor, int, Tensor, Tensor, Named], None]
Each = float | Sequence[float] | Tensor


@dataclass(frozen=True, repr=False)
class Record:
    """What one network of a sweep was given, and what it did: one number an epoch in each curve.

    ``diverged_at`` is the first step, counted from 1, at which its loss is not finite, else None.
    From that epoch on its curves are NaN and its weights lost; the other networks do not notice.

    Examples
    --------
    >>> Record(3, seed=0, learning_rate=50.0, weight_decay=0.0, diverged_at=7)
    network 3 (seed 0, rate 50, weight decay 0): diverged at step 7, try a smaller rate
    """

    network: int
    seed: int
    learning_rate: float
    weight_decay: float
    train_loss: tuple[float, ...] = ()
    val_loss: tuple[float, ...] = ()
    val_accuracy: tuple[float, ...] = ()
    diverged_at: int | None = None

    def __repr__(self) -> str:
        given = f"seed {self.seed}, rate {self.learning_rate:g}, weight decay {self.weight_decay:g}"
        told = [f"train loss {value:.4g}" for value in self.train_loss[-1:]]
        told += [f"validation loss {value:.4g}" for value in self.val_loss[-1:]]
        told += [f"validation accuracy {value:.1%}" for value in self.val_accuracy[-1:]]
        if self.diverged_at is not None:
            told = [f"diverged at step {self.diverged_at}, try a smaller rate"]
        return f"network {self.network} ({given}): {', '.join(told)}"


def sgd(
    W: Tensor, G: Tensor, t: int, rate: Tensor, decay: Tensor, memory: Named, momentum: float = 0.0
) -> None:
    """Move all networks in place as `torch.optim.SGD` does: v ← μv + g + λw, then w ← w - ηv.

    Parameters
    ----------
    W, G : Tensor, shape (K, P)
        Weights and slopes, one row a network.
    t : int
        Number of this step, from 1.
    rate, decay : Tensor, shape (K, 1)
        η and λ of each network.
    memory : dict
        What the update keeps from step to step; empty at first.
    momentum : float, default 0
        μ. To train with another, give ``update=functools.partial(sgd, momentum=0.9)``.

    Examples
    --------
    >>> W, rates = torch.ones(2, 3), torch.tensor([[0.5], [2.0]])
    >>> sgd(W, torch.ones(2, 3), 1, rates, torch.zeros(2, 1), {})
    >>> W[:, 0]
    tensor([ 0.5000, -1.0000])
    """
    v = G + decay * W
    if momentum:
        v = memory["v"] = momentum * memory["v"] + v if t > 1 else v
    W -= rate * v


def adam(
    W: Tensor, G: Tensor, t: int, rate: Tensor, decay: Tensor, memory: Named, apart: bool = False
) -> None:
    """Move all networks in place as `torch.optim.Adam` does: w ← w - ηm̂/(√v̂ + ε).

    m̂ and v̂ are running means of g + λw and of its square, with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    If ``apart``, the decay keeps apart from the slopes, w ← (1 - ηλ)w, as in `torch.optim.AdamW`.
    The arguments are those of `sgd`.

    References
    ----------
    D. P. Kingma and J. Ba (2015), ICLR, arXiv:1412.6980; for AdamW I. Loshchilov and F. Hutter
    (2019), ICLR, arXiv:1711.05101.

    Examples
    --------
    >>> W, rates = torch.ones(2, 3), torch.tensor([[0.5], [2.0]])
    >>> adam(W, 7 * torch.ones(2, 3), 1, rates, torch.zeros(2, 1), {})
    >>> W[:, 0]  # the first step has length η, however steep the slope
    tensor([ 0.5000, -1.0000])
    """
    if apart:
        W *= 1 - rate * decay
    g = G if apart else G + decay * W
    if t == 1:
        memory.update(m=torch.zeros_like(W), v=torch.zeros_like(W))
    m = memory["m"].lerp_(g, 1 - 0.9)
    v = memory["v"].mul_(0.999).addcmul_(g, g, value=1 - 0.999)
    W -= rate / (1 - 0.9**t) * m / (v.sqrt() / math.sqrt(1 - 0.999**t) + 1e-8)


def train(
    models: Sequence[nn.Module],
    X_train: Tensor,
    y_train: Tensor,
    *,
    X_val: Tensor | None = None,
    y_val: Tensor | None = None,
    loss: Loss = F.cross_entropy,
    update: Update = adam,
    learning_rate: Each = 0.01,
    weight_decay: Each = 0.0,
    seed: Each = 0,
    n_epochs: int = 100,
    batch_size: int | None = 32,
) -> list[Record]:
    """Train K networks side by side by mini-batch gradient descent, and return their records.

    Each ends up where it would alone, but for rounding. Only dropout differs from a single run:
    it draws for all networks in one go, from a generator that starts at the first seed.

    Parameters
    ----------
    models : sequence of nn.Module
        K networks that differ in nothing but their weights, on one device; trained in place and
        left in eval mode.
    X_train, X_val : Tensor, shape (n, …)
        One example a row. Each epoch ends with a look at the validation set, if there is one.
    y_train, y_val : Tensor
        Labels 0 to C - 1 of shape (n,) for outputs (n, C), or floats of the outputs' own shape.
    loss : callable, default ``F.cross_entropy``
        From (outputs, targets) of one network to the mean over its batch.
    update : callable, default `adam`
        `sgd`, `adam`, or a function of yours that takes the same six arguments.
    learning_rate, weight_decay : float or K floats, default 0.01 and 0
        η and λ, one for all or one for each.
    seed : int or K ints, default 0
        Of the order of the examples: ``torch.randperm(n, generator=generator)`` in each epoch, of
        one generator a network. The initial weights were drawn before.
    n_epochs, batch_size : int, default 100 and 32
        Passes through the data, and examples a step; None takes all of them.

    Raises
    ------
    ValueError, TypeError
        If the networks differ in more than their weights, or data or settings do not fit.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> X, models = torch.linspace(-1, 1, 64)[:, None], [nn.Linear(1, 1) for _ in range(3)]
    >>> rates = [0.01, 0.1, 1e9]
    >>> records = train(models, X, 3 * X, loss=F.mse_loss, update=sgd, learning_rate=rates)
    >>> round(models[1].weight.item(), 3)
    3.0
    >>> records[2]
    network 2 (seed 0, rate 1e+09, weight decay 0): diverged at step 4, try a smaller rate
    """
    table, K = _Table(models), len(models)
    X, y = table.check(X_train, y_train, loss, "_train")
    if (X_val is None) != (y_val is None):
        raise ValueError("a validation set needs both X_val and y_val")
    val = None if X_val is None or y_val is None else table.check(X_val, y_val, loss, "_val")
    batch_size = len(X) if batch_size is None else batch_size
    if not (n_epochs >= 1 and 1 <= batch_size <= len(X)):
        rule = f"n_epochs must be at least 1 and batch_size from 1 to the {len(X)} examples"
        raise ValueError(f"{rule}; got {n_epochs} and {batch_size}")
    rates = _each(learning_rate, K, "learning_rate", "positive", lambda v: 0 < v < math.inf)
    decays = _each(weight_decay, K, "weight_decay", "0 or more", lambda v: 0 <= v < math.inf)
    whole = _each(seed, K, "seed", "a whole number from 0", lambda v: 0 <= v == v // 1)
    seeds = [int(s) for s in whole]

    rate, decay = (
        torch.tensor(v, dtype=torch.float64)[:, None].to(table.W) for v in (rates, decays)
    )
    dice = [torch.Generator().manual_seed(s) for s in seeds]  # on the CPU: one order everywhere
    memory: Named = {}
    curves: dict[str, list[Tensor]] = {}
    t, diverged = 0, torch.zeros(K, dtype=torch.long, device=X.device)
    with torch.random.fork_rng([X.device] if X.is_cuda else []):
        torch.manual_seed(seeds[0])
        for _ in range(n_epochs):
            order = torch.stack([torch.randperm(len(X), generator=g) for g in dice]).to(X.device)
            total, finite = torch.zeros_like(table.W[:, 0]), []
            for batch in torch.split(order, batch_size, dim=1):  # (K, B), its own for each network
                G, losses = table.slopes(X[batch], y[batch], loss)
                t += 1
                update(table.W, G, t, rate, decay, memory)
                total += losses * batch.shape[1]
                finite.append(losses.isfinite())
            # Weights that broke in the epoch's last step would show in the next one's loss.
            ok = torch.stack([*finite, table.W.isfinite().all(1)])
            step = t - len(finite) + 1 + (~ok).int().argmax(0)
            diverged = torch.where((diverged == 0) & ~ok.all(0), step, diverged)
            seen = {"train_loss": total / len(X)} | (table.measure(*val, loss) if val else {})
            for name, values in seen.items():
                curves.setdefault(name, []).append(values.masked_fill(diverged > 0, math.nan))
    table.give_back()
    told = {name: torch.stack(values, dim=1).tolist() for name, values in curves.items()}
    records = []
    for k, given in enumerate(zip(seeds, rates, decays, strict=True)):
        own: dict[str, Any] = {name: tuple(lines[k]) for name, lines in told.items()}
        records.append(Record(k, *given, diverged_at=int(diverged[k]) or None, **own))
    return records


class _Table:
    """K networks as one: row k of ``W`` holds the weights of network k."""

    def __init__(self, models: Sequence[nn.Module]) -> None:
        if len(models) == 0 or len({id(model) for model in models}) < len(models):
            raise ValueError("models must be one network or more, each an object of its own")
        forms = [
            (
                [(type(part), part.extra_repr()) for part in m.modules()],
                {name: p.shape for name, p in m.named_parameters()},
            )
            for m in models
        ]
        for k, form in enumerate(forms):
            if form != forms[0]:
                raise ValueError(
                    f"all networks must have one shape, but network {k} differs from 0"
                )
        weights, rest = stack_module_state([model.eval() for model in models])
        frozen = [name for name, w in weights.items() if not w.requires_grad]
        self.rest = rest | {name: weights.pop(name) for name in frozen}
        if not weights:
            raise ValueError("these networks have no weights to train")
        rows = [w.detach().flatten(1) for w in weights.values()]
        self.W = torch.cat(rows, dim=1)
        # The forward pass looks through windows into W, by name; they show W as it changes.
        panes = torch.split(self.W, [row.shape[1] for row in rows], dim=1)
        shapes = [w.shape for w in weights.values()]
        self.weights = {n: p.view(s) for n, p, s in zip(weights, panes, shapes, strict=True)}
        self.models, self.form = models, copy.deepcopy(models[0])

    def outputs(self, X: Tensor) -> Tensor:
        """Return each network's answers to X in eval mode, shape (K, n, …)."""

        def one(weights: Named, rest: Named, xb: Tensor) -> Any:
            return functional_call(self.form.eval(), (weights, rest), (xb,))

        each = vmap(one, in_dims=(0, 0, None))
        return torch.cat([each(self.weights, self.rest, xb) for xb in torch.split(X, 256)], dim=1)

    def slopes(self, X: Tensor, y: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
        """Return slopes (K, P) and losses (K,) of the networks, each on its batch X[k], y[k]."""

        def one(weights: Named, rest: Named, xb: Tensor, yb: Tensor) -> Tensor:
            return loss(functional_call(self.form.train(), (weights, rest), (xb,)), yb)

        each = vmap(grad_and_value(one), randomness="different")
        slopes, losses = each(self.weights, self.rest, X, y)
        return torch.cat([g.flatten(1) for g in slopes.values()], dim=1), losses

    def measure(self, X: Tensor, y: Tensor, loss: Loss) -> Named:
        """Return validation losses and, for labels, accuracies, each of shape (K,)."""
        outputs = self.outputs(X)
        seen = {"val_loss": vmap(loss, in_dims=(0, None))(outputs, y)}
        if not y.is_floating_point():
            seen["val_accuracy"] = (outputs.argmax(2) == y).flatten(1).to(self.W).mean(1)
        elif _is_binary(loss):
            seen["val_accuracy"] = ((outputs > 0) == (y > 0.5)).flatten(1).to(self.W).mean(1)
        return seen

    def give_back(self) -> None:
        """Write the weights, and whatever else changed, into the models."""
        for k, model in enumerate(self.models):
            own = {name: values[k] for name, values in (self.weights | self.rest).items()}
            model.load_state_dict(own, strict=False)

    def check(self, X: Tensor, y: Tensor, loss: Loss, of: str) -> tuple[Tensor, Tensor]:
        """Return X and y on the networks' device, once all fit one another."""
        X, y = torch.as_tensor(X).to(self.W.device), torch.as_tensor(y).to(self.W.device)
        if X.ndim == 0 or y.ndim == 0 or not len(X) == len(y) > 0:
            got = f"got shapes {tuple(X.shape)} and {tuple(y.shape)}"
            raise ValueError(f"X{of} and y{of} hold one row an example, at least one; {got}")
        for name, values in {"X": X, "y": y}.items():
            if not values.isfinite().all():
                raise ValueError(f"{name}{of} holds NaN or infinity")
            if values.is_floating_point() and values.dtype != self.W.dtype:
                types = f"{values.dtype}, but the weights are {self.W.dtype}"
                raise TypeError(f"{name}{of} holds {types}; convert one")
        outputs = self.outputs(X[:2])
        for k, model in enumerate(self.models):
            with torch.no_grad():
                if not torch.allclose(model(X[:2]), outputs[k], 1e-3, 1e-4, equal_nan=True):
                    fault = f"network {k} computes something else than network 0 would"
                    raise ValueError(f"{fault} with the same weights: do their activations differ?")
        labels, n_outputs = not y.is_floating_point(), math.prod(outputs.shape[2:3])
        wanted = (len(y), *outputs.shape[3 if labels else 2 :])
        if y.shape != wanted:
            kind = "labels (whole numbers)" if labels else "numbers to predict (floats)"
            rule = f"for outputs of shape {(len(y), *outputs.shape[2:])}, {kind} have {wanted}"
            raise ValueError(f"y{of} has shape {tuple(y.shape)}, but {rule}")
        if loss is F.cross_entropy and n_outputs == 1:
            cure = "take F.binary_cross_entropy_with_logits"
            raise ValueError(f"cross-entropy compares two outputs or more; for one {cure}")
        if _is_binary(loss) and not 0 <= y.min() <= y.max() <= 1:
            rule = "binary cross-entropy compares with 0 and 1, or probabilities in between"
            raise ValueError(f"y{of} has targets from {y.min():g} to {y.max():g}, but {rule}")
        if labels and not 0 <= int(y.min()) <= int(y.max()) < n_outputs:
            rule = f"the networks have {n_outputs} outputs, for labels 0 to {n_outputs - 1}"
            raise ValueError(f"y{of} has labels from {y.min()} to {y.max()}, but {rule}")
        return X, y.long() if labels else y


def _is_binary(loss: Loss) -> bool:
    """Tell whether a loss is the cross-entropy of two classes, from logits."""
    return loss is F.binary_cross_entropy_with_logits or isinstance(loss, nn.BCEWithLogitsLoss)


def _each(
    given: Each, K: int, name: str, rule: str, allowed: Callable[[float], bool]
) -> list[float]:
    """Return K numbers from one or K."""
    values: list[float] = torch.as_tensor(given, dtype=torch.float64).flatten().tolist()
    if len(values) not in (1, K):
        raise ValueError(f"{name} is one number or {K}, one for each network; got {len(values)}")
    for value in values:
        if not allowed(value):
            raise ValueError(f"{name} must be {rule}, got {value:g}")
    return values * K if len(values) == 1 else values
