"""Train any PyTorch model on tensors with `fit`; measure it with `predict` and `evaluate`.

`fit` is the loop that the chapters write out by hand, plus checks, a history and a progress bar.
This file needs torch and numpy alone, and shows progress if tqdm is installed.
"""

import math
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, repeat
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "History",
    "Patience",
    "Score",
    "choose_device",
    "evaluate",
    "fit",
    "predict",
    "set_seed",
    "wilson_interval",
]

Array = Tensor | npt.ArrayLike
Loss = Callable[[Tensor, Tensor], Tensor]
MakeOptimizer = Callable[[list[nn.Parameter]], torch.optim.Optimizer]
Batches = Iterable[tuple[Tensor, Tensor]]


def set_seed(seed: int) -> torch.Generator:
    """Seed the global generators of Python, NumPy and PyTorch, and return a fresh CPU generator.

    Parameters
    ----------
    seed : int
        From 0 to 2³² - 1, the range that NumPy takes.

    Returns
    -------
    torch.Generator
        A generator of its own with the same seed, to pass on explicitly.

    Raises
    ------
    ValueError
        If the seed is out of range.

    Examples
    --------
    >>> generator = set_seed(3)
    >>> bool(torch.equal(torch.rand(2), torch.rand(2, generator=generator)))
    True
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to 2**32 - 1, got {seed}")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (other people's code still draws from it)
    torch.manual_seed(seed)  # every device
    return torch.Generator().manual_seed(seed)


def choose_device(name: str | None = None) -> torch.device:
    """Return the named device, or the first there is of CUDA, MPS (Apple) and CPU.

    Parameters
    ----------
    name : str, optional
        Such as ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.

    Raises
    ------
    ValueError
        If the name is unknown or this machine has no such device.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    present = [f"cuda:{k}" for k in range(torch.cuda.device_count())]
    present = ["cuda", *present] if torch.cuda.is_available() else []
    present += ["mps"] if torch.backends.mps.is_available() else []
    present += ["cpu"]
    if name is not None and str(name) not in present:
        raise ValueError(f"there is no device {str(name)!r} here; this machine has {present}")
    return torch.device(present[0] if name is None else name)


def wilson_interval(n_correct: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's confidence interval for a proportion, k right out of n.

    With p = k/n and z the normal quantile: (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n).
    It assumes independent examples, and stays in [0, 1] when none or all are right.

    Parameters
    ----------
    n_correct, n : int
        0 ≤ n_correct ≤ n, with n ≥ 1.
    level : float, default 0.95
        Confidence, between 0 and 1.

    Returns
    -------
    (low, high) : float
        Proportions in [0, 1].

    Raises
    ------
    ValueError
        If the counts or the level are impossible.

    References
    ----------
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    JASA 22, 209-212; recommended by L. D. Brown, T. T. Cai, A. DasGupta (2001), "Interval
    estimation for a binomial proportion", Statistical Science 16, 101-133.

    Examples
    --------
    >>> low, high = wilson_interval(81, 263)
    >>> f"{low:.4f} {high:.4f}"
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
    """How well a model does on n examples; accuracy and its 95 % interval are None in regression.

    Examples
    --------
    >>> print(Score(loss=0.1, accuracy=0.9, n=10, interval=wilson_interval(9, 10)))
    90.0 % (95 % CI 59.6-98.2 %, n = 10)
    """

    loss: float
    accuracy: float | None
    n: int
    interval: tuple[float, float] | None

    def __str__(self) -> str:
        if self.accuracy is None or self.interval is None:
            return f"loss {self.loss:.4g} (n = {self.n:,})"
        low, high = self.interval
        accuracy = f"{100 * self.accuracy:.1f} %"
        return f"{accuracy} (95 % CI {100 * low:.1f}-{100 * high:.1f} %, n = {self.n:,})"


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

    def __repr__(self) -> str:
        # Without the seconds, so that pages which show it do not differ between two builds.
        n = len(self.train_loss)
        ending = f" ({self.stopped})" if self.stopped else ""
        parts = [f"History: {n} epoch{'s' * (n != 1)}{ending} on {self.device}"]
        parts += [f"{self.n_parameters:,} parameters"]
        parts += [f"train loss {value:.4g}" for value in self.train_loss[-1:]]
        parts += [f"validation loss {value:.4g}" for value in self.val_loss[-1:]]
        parts += [f"validation accuracy {value:.1%}" for value in self.val_accuracy[-1:]]
        return ", ".join(parts).replace("%", " %")


@dataclass(frozen=True)
class Patience:
    """Early stopping for `fit`: stop once ``n_epochs`` epochs in a row bring no new best loss.

    Better means lower by more than ``min_delta``. Without validation it looks at the training loss.

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
    X = _check_array(X, "X", model)
    return _outputs(model, X.to(_device_of(model)), batch_size).cpu()


def evaluate(model: nn.Module, X: Array, y: Array, *, loss: Loss = F.cross_entropy) -> Score:
    """Return the loss on (X, y) and, for labels, the accuracy with its 95 % Wilson interval.

    Parameters
    ----------
    model, X, y, loss
        As in `fit`. Accuracy counts right labels: the largest output for whole-number labels, the
        sign of the output under binary cross-entropy with logits.

    Raises
    ------
    ValueError, TypeError
        As in `fit`.

    Examples
    --------
    >>> print(evaluate(nn.Identity(), torch.eye(3), torch.tensor([0, 1, 1])))
    66.7 % (95 % CI 20.8-93.9 %, n = 3)
    """
    return _score(model, *_check_pair(model, X, y, loss), loss)


def fit(
    model: nn.Module,
    X_train: Array,
    y_train: Array,
    *,
    X_val: Array | None = None,
    y_val: Array | None = None,
    loss: Loss = F.cross_entropy,
    optimizer: torch.optim.Optimizer | MakeOptimizer | None = None,
    learning_rate: float | None = None,
    n_epochs: int = 100,
    batch_size: int | None = 32,
    seed: int = 0,
    device: str | None = None,
    stop: Callable[[History], bool] | None = None,
    progress: bool = True,
) -> History:
    """Train a model by mini-batch gradient descent.

    Same seed, same machine: same result. Each epoch takes its order from one generator of that
    seed, ``torch.randperm(n, generator=generator)``. PyTorch's global generator, from which
    dropout draws, starts at the seed too and is put back afterwards (on MPS it is not). The model
    trains on ``device``, comes back to where it was, and is left in eval mode. Ctrl-C ends training
    early and keeps the weights.

    Parameters
    ----------
    model : nn.Module
        Maps (n, …) to logits or predictions; trained in place.
    X_train, X_val : Tensor or array, shape (n, …)
        One example a row. Each epoch ends with a look at the validation set, if there is one.
    y_train, y_val : Tensor or array
        Labels 0 to C - 1 of shape (n,) for outputs (n, C), or floats of the outputs' own shape.
    loss : callable, default ``F.cross_entropy``
        From (outputs, targets) to the mean over the batch.
    optimizer : torch.optim.Optimizer or callable, optional
        Made for this model, or a function from its parameters to one. Default: Adam.
    learning_rate : float, optional
        Adam's η, 0.01 if not given; goes only without ``optimizer``, which has its own.
    n_epochs : int, default 100
        Passes through the training set.
    batch_size : int or None, default 32
        Examples a step; None takes all of them, unshuffled.
    seed : int, default 0
        Of the batch order and dropout; the initial weights were drawn before.
    device : str, optional
        See `choose_device`.
    stop : callable, optional
        Called with the history after each epoch; True ends the training. See `Patience`.
    progress : bool, default True
        Show a bar, if someone watches (a terminal or Jupyter) and ``TQDM_DISABLE`` is not set.

    Raises
    ------
    ValueError, TypeError
        If arguments, shapes, number types or labels do not fit together.
    FloatingPointError
        If the loss becomes NaN or infinite.

    Examples
    --------
    >>> X, model = torch.linspace(-1, 1, 64)[:, None], nn.Linear(1, 1)
    >>> history = fit(model, X, 3 * X + 1, loss=F.mse_loss, learning_rate=0.1)
    >>> round(model.weight.item(), 3)
    3.0
    """
    if n_epochs < 1:
        raise ValueError(f"n_epochs must be at least 1, got {n_epochs}")
    if (X_val is None) != (y_val is None):
        raise ValueError("a validation set needs both X_val and y_val")
    home, place, started = _device_of(model), choose_device(device), time.perf_counter()
    cuda = range(torch.cuda.device_count()) if place.type == "cuda" else []
    try:
        with torch.random.fork_rng(cuda, device_type="cuda"):
            torch.manual_seed(seed)
            X, y = _check_pair(model.to(place), X_train, y_train, loss, "_train")
            val = None
            if X_val is not None and y_val is not None:
                val = _check_pair(model, X_val, y_val, loss, "_val")
            optimizer = _check_optimizer(model, optimizer, learning_rate)
            n_parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
            history = History(str(place), n_parameters)
            epochs = islice(_epochs(X, y, batch_size, seed), n_epochs)
            try:
                for batches in _watched(epochs, n_epochs, history, progress):
                    train_loss = _train_epoch(model, batches, loss, optimizer, history)
                    score = None if val is None else _score(model, *val, loss)
                    history.train_loss.append(train_loss)
                    if score is not None:
                        history.val_loss.append(score.loss)
                    if score is not None and score.accuracy is not None:
                        history.val_accuracy.append(score.accuracy)
                    history.seconds = time.perf_counter() - started
                    if stop is not None and stop(history):
                        history.stopped = "early"
                        break
            except KeyboardInterrupt:
                history.stopped = "interrupted"
    finally:
        model.to(home).eval()
    return history


def _epochs(X: Tensor, y: Tensor, batch_size: int | None, seed: int) -> Iterator[Batches]:
    """Yield the mini-batches of epoch after epoch, without end."""
    generator = torch.Generator().manual_seed(seed)  # on the CPU: one order for every device
    if batch_size is None:
        yield from repeat([(X, y)])
        return
    if not 1 <= batch_size <= len(X):
        raise ValueError(
            f"batch_size must lie between 1 and the number of examples, {len(X)}, or be None to "
            f"take them all at once; got {batch_size}"
        )
    while True:
        # Shuffling once and then slicing is several times faster than indexing each batch.
        order = torch.randperm(len(X), generator=generator).to(X.device)
        yield zip(torch.split(X[order], batch_size), torch.split(y[order], batch_size), strict=True)


def _train_epoch(
    model: nn.Module,
    batches: Batches,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    history: History,
) -> float:
    """Take a step for each batch and return the mean loss over the examples."""
    model.train()
    losses, sizes = [], []
    for xb, yb in batches:
        optimizer.zero_grad()
        batch_loss = loss(model(xb), yb)
        batch_loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        # No .item() here: it would make the program wait for the GPU at every step.
        losses.append(batch_loss.detach())
        sizes.append(len(xb))
    values: list[float] = torch.stack(losses).tolist()
    for k, value in enumerate(values):
        if not math.isfinite(value):
            done = len(history.train_loss)
            before = [*history.train_loss[-1:], *values[:k]]
            last = f"{before[-1]:.4g}" if before else "none"
            raise FloatingPointError(
                f"the loss became {value} at step {done * len(values) + k + 1}, in epoch "
                f"{done + 1} (last finite loss: {last}). The weights are lost: make a fresh model "
                f"and try a smaller learning_rate than {optimizer.param_groups[0]['lr']:g}"
            )
    # The last batch may be smaller, and then weighs less.
    return sum(value * size for value, size in zip(values, sizes, strict=True)) / sum(sizes)


def _score(model: nn.Module, X: Tensor, y: Tensor, loss: Loss) -> Score:
    """Measure checked tensors that lie where the model does."""
    outputs = _outputs(model, X)
    value = float(loss(outputs, y))
    if not y.is_floating_point():
        right = outputs.argmax(dim=1) == y
    elif loss is F.binary_cross_entropy_with_logits or isinstance(loss, nn.BCEWithLogitsLoss):
        right = (outputs > 0) == (y > 0.5)
    else:
        return Score(loss=value, accuracy=None, n=len(y), interval=None)
    k, n = int(right.sum()), right.numel()
    return Score(loss=value, accuracy=k / n, n=n, interval=wilson_interval(k, n))


def _outputs(model: nn.Module, X: Tensor, batch_size: int = 1024) -> Tensor:
    """Run X through the model in eval mode, and restore the mode of every part."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            return torch.cat([model(xb) for xb in torch.split(X, batch_size)])
    finally:
        for module, training in modes:
            module.training = training


def _device_of(model: nn.Module) -> torch.device:
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


def _watched(
    epochs: Iterable[Batches], n_epochs: int, history: History, progress: bool
) -> Iterator[Batches]:
    """Pass the epochs on, with a progress bar if someone is there to see it."""
    seen = sys.stderr.isatty() or "ipykernel" in sys.modules
    if not (progress and seen and os.environ.get("TQDM_DISABLE", "0") in ("", "0")):
        yield from epochs
        return
    from tqdm import tqdm

    bar = tqdm(epochs, total=n_epochs, leave=False, unit="epoch", disable=False)
    for batches in bar:
        yield batches
        bar.set_postfix_str(f"loss {history.train_loss[-1]:.3g}", refresh=False)


def _check_optimizer(
    model: nn.Module,
    optimizer: torch.optim.Optimizer | MakeOptimizer | None,
    learning_rate: float | None,
) -> torch.optim.Optimizer:
    """Return the optimizer to use, after checks that it goes with this model."""
    parameters = list(model.parameters())
    if not parameters:
        raise ValueError("this model has no parameters, so there is nothing to train")
    if optimizer is None:
        rate = 0.01 if learning_rate is None else learning_rate
        if not 0 < rate < math.inf:
            raise ValueError(f"learning_rate must be positive, such as 0.01; got {rate}")
        return torch.optim.Adam(parameters, lr=rate)
    if learning_rate is not None:
        raise ValueError(
            "learning_rate is for the default Adam; give your own optimizer its rate, as in "
            "optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1)"
        )
    if not isinstance(optimizer, torch.optim.Optimizer):
        optimizer = optimizer(parameters)
    moved = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if moved.isdisjoint(map(id, parameters)):
        raise ValueError("the optimizer was made for another model: it moves no weight of this one")
    return optimizer


def _check_array(X: Array, name: str, model: nn.Module | None = None) -> Tensor:
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
            raise TypeError(
                f"{name} holds {tensor.dtype}, but the model's weights are {p.dtype}: convert one, "
                f"as in torch.as_tensor({name}).to({p.dtype})"
            )
    return tensor


def _check_pair(
    model: nn.Module, X: Array, y: Array, loss: Loss, suffix: str = ""
) -> tuple[Tensor, Tensor]:
    """Return X and y on the model's device, once they fit the model, the loss and each other."""
    name, device = f"y{suffix}", _device_of(model)
    X, y = _check_array(X, f"X{suffix}", model).to(device), _check_array(y, name).to(device)
    if len(X) != len(y):
        raise ValueError(f"X{suffix} holds {len(X)} examples, but {name} holds {len(y)}")
    y = y if y.is_floating_point() else y.long()
    outputs, targets = _outputs(model, X[:2]), y[:2]  # two rows tell the shape of all
    _check_targets(outputs, y, loss, name)
    if loss(outputs, targets).ndim != 0:
        raise ValueError("loss must return one number, the mean over the batch")
    return X, y


def _check_targets(outputs: Tensor, y: Tensor, loss: Loss, name: str) -> None:
    """Refuse targets that cannot be meant, above all those that would broadcast in silence."""
    cross_entropy = loss is F.cross_entropy or isinstance(loss, nn.CrossEntropyLoss)
    given, made = tuple(y.shape), (len(y), *outputs.shape[1:])
    n_classes = made[1] if len(made) > 1 else 1
    if cross_entropy and n_classes == 1:
        raise ValueError(
            "cross-entropy compares two or more outputs, but the model has one; for two classes "
            "and one output take F.binary_cross_entropy_with_logits"
        )
    if not y.is_floating_point():
        if n_classes == 1 or given != (len(y), *made[2:]):
            raise ValueError(
                f"{name} holds whole numbers, so labels, one for each row of two or more outputs; "
                f"but it has shape {given} and the outputs {made}. Numbers to predict are floats"
            )
        if y.min() < 0 or y.max() >= n_classes:
            raise ValueError(
                f"{name} has labels from {y.min()} to {y.max()}, but the model has {n_classes} "
                f"outputs, for labels 0 to {n_classes - 1}"
            )
    elif cross_entropy and len(given) < len(made):
        raise TypeError(f"{name} holds {y.dtype}, but labels are whole numbers, torch.int64")
    elif given != made:
        raise ValueError(
            f"{name} has shape {given}, but the outputs have shape {made}: the loss would compare "
            f"each output with every target. Reshape {name}"
        )
    elif y.dtype != outputs.dtype:
        raise TypeError(f"{name} holds {y.dtype}, but the outputs are {outputs.dtype}")
