"""What is measured: a model's outputs and `Score` on data, and the `History` of its training.

This file needs torch and numpy alone. `dlcourse.training` takes its checks of input from here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from numbers import Real
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

__all__ = ["History", "Patience", "Score", "evaluate", "predict", "wilson_interval"]

Array = Tensor | npt.ArrayLike
Pair = tuple[Tensor, Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]
OptimizerLike = Optimizer | Callable[[list[nn.Parameter]], Optimizer] | None


def wilson_interval(n_correct: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's confidence interval for a proportion, k right out of n independent examples.

    (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n), with p = k/n and z the normal quantile.

    Parameters
    ----------
    n_correct, n : int
        0 ≤ n_correct ≤ n, with n ≥ 1.
    level : float, default 0.95
        Confidence, between 0 and 1.

    Returns
    -------
    (low, high) : float, in [0, 1] even when none or all are right

    Raises
    ------
    ValueError
        If the counts or the level are impossible.

    References
    ----------
    E. B. Wilson (1927), JASA 22, 209-212; recommended by L. D. Brown, T. T. Cai, A. DasGupta
    (2001), Statistical Science 16, 101-133.

    Examples
    --------
    >>> "{:.4f} {:.4f}".format(*wilson_interval(81, 263))
    '0.2553 0.3662'
    """
    if not (n >= 1 and 0 <= n_correct <= n):
        raise ValueError(f"n_correct must lie between 0 and n, n ≥ 1; got {n_correct} of {n}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, such as 0.95; got {level}")
    z, p = NormalDist().inv_cdf((1 + level) / 2), n_correct / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    # Rounding must not push the ends past what they are exactly.
    return (0.0 if n_correct == 0 else middle - half), (1.0 if n_correct == n else middle + half)


@dataclass(frozen=True)
class Score:
    """How well a model does on n examples; accuracy and its 95% interval are None in regression.

    Examples
    --------
    >>> print(Score(loss=0.1, accuracy=0.9, n=10, interval=wilson_interval(9, 10)))
    90.0% (95% CI 59.6-98.2%, n = 10)
    """

    loss: float
    accuracy: float | None
    n: int
    interval: tuple[float, float] | None

    def __str__(self) -> str:
        if self.accuracy is None or self.interval is None:
            return f"loss {self.loss:.4g} (n = {self.n:,})"
        low, high = (100 * end for end in self.interval)
        return f"{100 * self.accuracy:.1f}% (95% CI {low:.1f}-{high:.1f}%, n = {self.n:,})"


@dataclass(repr=False)
class History:
    """What `fit` saw: one number an epoch in each list, those of validation empty if there is none.

    ``train_loss`` is the mean over the epoch's examples, each seen while the weights still moved;
    ``stopped`` is None after all epochs, else ``"early"`` or ``"interrupted"``.

    Examples
    --------
    >>> History(device="cpu", n_parameters=12, train_loss=[0.7, 0.5])
    History: 2 epochs on cpu, 12 parameters, train loss 0.5
    """

    device: str
    n_parameters: int
    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str | None = None

    @property
    def best_epoch(self) -> int | None:
        """The first epoch, counted from 1, of lowest validation loss; None without validation."""
        return self.val_loss.index(min(self.val_loss)) + 1 if self.val_loss else None

    def __repr__(self) -> str:
        # Without the seconds, so that pages which show it do not differ between two builds.
        n, ending = len(self.train_loss), f" ({self.stopped})" if self.stopped else ""
        parts = [f"History: {n} epoch{'s' * (n != 1)}{ending} on {self.device}"]
        parts += [f"{self.n_parameters:,} parameters"]
        parts += [f"train loss {value:.4g}" for value in self.train_loss[-1:]]
        parts += [f"validation loss {value:.4g}" for value in self.val_loss[-1:]]
        parts += [f"validation accuracy {value:.1%}" for value in self.val_accuracy[-1:]]
        return ", ".join(parts)


@dataclass(frozen=True)
class Patience:
    """Early stopping for `fit`: stop once ``n_epochs`` epochs in a row bring no new best loss.

    Better means lower by more than ``min_delta``. Without validation it looks at the training loss.
    By itself it leaves the last weights; `fit` with ``keep_best=True`` ends with the best ones.

    Examples
    --------
    >>> history = History(device="cpu", n_parameters=1, val_loss=[0.5, 0.4, 0.41, 0.42])
    >>> Patience(2)(history), Patience(3)(history)
    (True, False)
    """

    n_epochs: int
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        if self.n_epochs < 1 or not self.min_delta >= 0:
            raise ValueError(f"n_epochs must be at least 1 and min_delta at least 0, got {self}")

    def __call__(self, history: History) -> bool:
        """Tell whether to stop."""
        losses = history.val_loss or history.train_loss
        before, recent = losses[: -self.n_epochs], losses[-self.n_epochs :]
        return bool(before) and min(recent) >= min(before) - self.min_delta


def predict(model: nn.Module, X: Array, *, batch_size: int = 1024) -> Tensor:
    """Return the model's outputs, in eval mode and without gradients; modes are restored.

    Parameters
    ----------
    model : nn.Module
        Runs on the device where it lies.
    X : Tensor or array, shape (n, …)
        One example a row.
    batch_size : int, default 1024
        Examples run at a time, which bounds the memory.

    Returns
    -------
    Tensor, shape (n, …), on the CPU

    Raises
    ------
    ValueError, TypeError
        If X is empty, holds NaN or has another float type than the model.

    Examples
    --------
    >>> predict(nn.Flatten(), np.ones((5, 2, 3), dtype="float32")).shape
    torch.Size([5, 6])
    """
    return run(model, check_array(X, "X", model).to(device_of(model)), batch_size).cpu()


def evaluate(model: nn.Module, X: Array, y: Array, *, loss: Loss = F.cross_entropy) -> Score:
    """Return the loss on (X, y) and, for labels, the accuracy with its 95% Wilson interval.

    Parameters
    ----------
    model, X, y, loss
        As in `dlcourse.training.fit`. Accuracy counts right labels: the largest output for
        whole-number labels, the sign of the output under binary cross-entropy with logits.

    Raises
    ------
    ValueError, TypeError
        If shapes, number types or labels do not fit together, or X or y holds NaN.

    Examples
    --------
    >>> print(evaluate(nn.Identity(), torch.eye(3), torch.tensor([0, 1, 1])))
    66.7% (95% CI 20.8-93.9%, n = 3)
    """
    return score(model, *check_pair(model, X, y, loss), loss)


def score(model: nn.Module, X: Tensor, y: Tensor, loss: Loss) -> Score:
    """Measure checked tensors that lie where the model does."""
    outputs = run(model, X)
    value = float(loss(outputs, y))
    if not y.is_floating_point():
        right = outputs.argmax(dim=1) == y
    elif is_binary(loss):
        right = (outputs > 0) == (y > 0.5)
    else:
        return Score(loss=value, accuracy=None, n=len(y), interval=None)
    k, n = int(right.sum()), right.numel()
    return Score(loss=value, accuracy=k / n, n=n, interval=wilson_interval(k, n))


def run(model: nn.Module, X: Tensor, batch_size: int = 1024) -> Tensor:
    """Run X through the model in eval mode, and restore the mode of every part."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            return torch.cat([model(xb) for xb in torch.split(X, batch_size)])
    finally:
        for module, training in modes:
            module.training = training


def device_of(model: nn.Module) -> torch.device:
    """Return where the first parameter lies, the CPU if there is none."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def check_array(X: Array, name: str, model: nn.Module | None = None) -> Tensor:
    """Return X as a tensor that holds examples, finite numbers and the model's float type."""
    tensor = X.detach() if isinstance(X, Tensor) else torch.tensor(np.asarray(X))
    if tensor.ndim == 0 or len(tensor) == 0:
        raise ValueError(f"{name} holds no examples: its shape is {tuple(tensor.shape)}")
    if not tensor.is_floating_point():
        return tensor
    finite = tensor.isfinite()
    if not finite.all():
        raise ValueError(f"{name} holds NaN or infinity, first in row {(~finite).nonzero()[0, 0]}")
    for p in model.parameters() if model else []:
        if p.is_floating_point() and p.dtype != tensor.dtype:
            types = f"{tensor.dtype}, but the model's weights are {p.dtype}"
            cure = f"convert one, as in torch.as_tensor({name}).to({p.dtype})"
            raise TypeError(f"{name} holds {types}: {cure}")
    return tensor


def check_pair(model: nn.Module, X: Array, y: Array, loss: Loss, of: str = "") -> Pair:
    """Return X and y on the model's device, once they fit the model, the loss and each other."""
    device = device_of(model)
    X, y = check_array(X, f"X{of}", model).to(device), check_array(y, f"y{of}").to(device)
    if len(X) != len(y):
        raise ValueError(f"X{of} holds {len(X)} examples, but y{of} holds {len(y)}")
    y = y if y.is_floating_point() else y.long()
    if isinstance(loss, type):
        raise TypeError(f"loss is the class {loss.__name__}; give a loss: {loss.__name__}()")
    try:
        outputs = run(model, X[:2])  # two rows tell the shape of all
    except RuntimeError as error:
        given = f"X{of} of shape {tuple(X.shape)} and type {X.dtype}"
        raise ValueError(f"the model cannot take {given}: {error}") from error
    check_targets(outputs, y, loss, f"y{of}")
    if loss(outputs, y[:2]).ndim != 0 or getattr(loss, "reduction", "mean") != "mean":
        raise ValueError("loss must return one number, the mean over the batch")
    return X, y


def check_validation(
    model: nn.Module, X_val: Array | None, y_val: Array | None, loss: Loss
) -> Pair | None:
    """Return the checked validation set, if there is one."""
    if X_val is not None and y_val is not None:
        return check_pair(model, X_val, y_val, loss, "_val")
    if X_val is not None or y_val is not None:
        raise ValueError("a validation set needs both X_val and y_val")
    return None


def check_targets(outputs: Tensor, y: Tensor, loss: Loss, name: str) -> None:
    """Refuse targets that cannot be meant, above all those that would broadcast in silence."""
    cross_entropy = loss is F.cross_entropy or isinstance(loss, nn.CrossEntropyLoss)
    given, made = tuple(y.shape), (len(y), *outputs.shape[1:])
    n_classes = made[1] if len(made) > 1 else 1
    if cross_entropy and n_classes == 1:
        cure = "for two classes and one output take F.binary_cross_entropy_with_logits"
        fault = "cross-entropy compares two or more outputs, but the model has one"
        raise ValueError(f"{fault}; {cure}")
    if not y.is_floating_point():
        if n_classes == 1 or given != (len(y), *made[2:]):
            rule = "whole numbers, so labels, one for each row of two or more outputs"
            fault = f"it has shape {given} and the outputs {made}. Numbers to predict are floats"
            raise ValueError(f"{name} holds {rule}; but {fault}")
        if y.min() < 0 or y.max() >= n_classes:
            rule = f"the model has {n_classes} outputs, for labels 0 to {n_classes - 1}"
            raise ValueError(f"{name} has labels from {y.min()} to {y.max()}, but {rule}")
    elif cross_entropy and len(given) < len(made):
        raise TypeError(f"{name} holds {y.dtype}, but labels are whole numbers, torch.int64")
    elif given != made:
        fault = f"{name} has shape {given}, but the outputs have shape {made}"
        cure = f"the loss would compare each output with every target. Reshape {name}"
        raise ValueError(f"{fault}: {cure}")
    elif y.dtype != outputs.dtype:
        raise TypeError(f"{name} holds {y.dtype}, but the outputs are {outputs.dtype}")
    elif is_binary(loss) and not 0 <= y.min() <= y.max() <= 1:
        rule = "binary cross-entropy compares with 0 and 1, or with probabilities in between"
        raise ValueError(f"{name} has targets from {y.min():g} to {y.max():g}, but {rule}")


def is_binary(loss: Loss) -> bool:
    """Tell whether a loss is the cross-entropy of two classes, from logits."""
    name = loss is F.binary_cross_entropy_with_logits
    return name or isinstance(loss, nn.BCEWithLogitsLoss)


def check_optimizer(
    model: nn.Module, given: OptimizerLike, learning_rate: float | None
) -> Optimizer:
    """Return the optimizer to use, by default Adam, once it is sure to move this model."""
    parameters = list(model.parameters())
    if not parameters:
        raise ValueError("this model has no parameters, so there is nothing to train")
    if given is None:
        rate = 0.01 if learning_rate is None else learning_rate
        if not 0 < rate < math.inf:
            raise ValueError(f"learning_rate must be positive, such as 0.01; got {rate}")
        return Adam(parameters, lr=rate)
    if learning_rate is not None:
        cure = "optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1)"
        raise ValueError(
            f"learning_rate is for the default Adam; give your own optimizer its rate, as in {cure}"
        )
    optimizer = given if isinstance(given, Optimizer) else given(parameters)
    moved = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if moved.isdisjoint(map(id, parameters)):
        raise ValueError("the optimizer was made for another model: it moves no weight of this one")
    return optimizer


def check_adjustments(
    schedule: Callable[[int], float] | None, clip_norm: float | None
) -> tuple[Callable[[int], float] | None, float | None]:
    """Return what changes the steps, once it can be meant."""
    if schedule is not None and not callable(schedule):
        rule = "a function from the number of a step to a factor, such as lambda step: 0.99**step"
        raise TypeError(f"schedule must be {rule}; got {schedule!r}")
    if clip_norm is not None and not 0 < clip_norm < math.inf:
        raise ValueError(f"clip_norm must be positive, such as 1.0, or None; got {clip_norm}")
    return schedule, clip_norm


def check_factor(factor: float, step: int) -> float:
    """Return what a schedule gave for a step, once it can multiply a learning rate."""
    if not isinstance(factor, Real) or not 0 <= factor < math.inf:
        rule = "schedule must give a factor on the learning rate, finite and at least 0"
        raise ValueError(f"{rule}; for step {step} it gave {factor!r}")
    return float(factor)


def check_losses(
    values: list[float], sizes: list[int], history: History, optimizer: Optimizer
) -> float:
    """Return the mean loss over an epoch's examples, once the losses of its steps are finite."""
    done, k = len(history.train_loss), sum(1 for _ in takewhile(math.isfinite, values))
    if k < len(values):
        last = ["none", *(f"{value:.4g}" for value in [*history.train_loss, *values[:k]])][-1]
        raise FloatingPointError(
            f"the loss became {values[k]} at step {done * len(values) + k + 1}, in epoch "
            f"{done + 1} (last finite loss: {last}). The weights are lost: make a fresh model and "
            f"try a smaller learning_rate than {optimizer.param_groups[0]['lr']:g}"
        )
    return sum(value * size for value, size in zip(values, sizes, strict=True)) / sum(sizes)


def check_weights(model: nn.Module) -> None:
    """Refuse weights that the very last step broke, which no loss has shown."""
    for name, p in model.named_parameters():
        if not p.isfinite().all():
            raise FloatingPointError(
                f"the last step left NaN or infinity in {name}. The weights are lost: make a fresh "
                "model and try a smaller learning_rate"
            )
