"""Train any PyTorch model on tensors with `fit`, the loop that the chapters write out by hand.

Copy it with its sibling `dlcourse.evaluation`: torch and numpy suffice, tqdm shows progress.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from copy import deepcopy
from itertools import count, islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from dlcourse import evaluation
from dlcourse.evaluation import History, Patience, Score, evaluate, predict, wilson_interval

__all__ = ["choose_device", "fit", "set_seed"]
__all__ += ["History", "Patience", "Score", "evaluate", "predict", "wilson_interval"]

Array = evaluation.Array
Loss = evaluation.Loss
Batches = Iterable[evaluation.Pair]
Schedule = Callable[[int], float] | None


def set_seed(seed: int) -> torch.Generator:
    """Seed the global generators of Python, NumPy and PyTorch, and return a fresh CPU generator.

    NumPy takes seeds from 0 to 2³² - 1; any other raises a ValueError.

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

    Names are such as ``"cpu"``, ``"cuda:1"`` or ``"mps"``; one not there raises a ValueError.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    cuda = ["cuda", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))]
    present = cuda if torch.cuda.is_available() else []
    present += ["mps", "cpu"] if torch.backends.mps.is_available() else ["cpu"]
    if name is not None and str(name) not in present:
        raise ValueError(f"there is no device {str(name)!r} here; this machine has {present}")
    return torch.device(present[0] if name is None else name)


def fit(
    model: nn.Module,
    X_train: Array,
    y_train: Array,
    *,
    X_val: Array | None = None,
    y_val: Array | None = None,
    loss: Loss = F.cross_entropy,
    optimizer: evaluation.OptimizerLike = None,
    learning_rate: float | None = None,
    n_epochs: int = 100,
    batch_size: int | None = 32,
    seed: int = 0,
    device: str | None = None,
    schedule: Schedule = None,
    clip_norm: float | None = None,
    callback: Callable[[nn.Module, History], object] | None = None,
    stop: Callable[[History], bool] | None = None,
    keep_best: bool = False,
    progress: bool = True,
) -> History:
    """Train a model by mini-batch gradient descent.

    Same seed, same machine: same result. One generator of that seed orders each epoch, by
    ``torch.randperm(n, generator=generator)``; PyTorch's global one, from which dropout draws,
    starts at the seed too and is put back afterwards (not on MPS). The model comes back from
    ``device`` to where it was, in eval mode. Ctrl-C ends training early and keeps the weights.

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
    optimizer : torch.optim.Optimizer or callable, default Adam
        Made for this model, or a function from its parameters to one.
    learning_rate : float, default 0.01
        Adam's η; goes only without ``optimizer``, which has its own.
    n_epochs, batch_size : int, default 100 and 32
        Passes through the data, and examples a step; None takes all of them, unshuffled.
    seed : int, default 0
        Of the batch order and dropout; the initial weights were drawn before.
    device : str, optional
        See `choose_device`.
    schedule : callable, optional
        From the number of a step, 0 at first, to a factor on the learning rate, such as
        ``lambda step: 0.99**step``. In the end the optimizer gets its own rate back.
    clip_norm : float, optional
        The gradient of all weights together is shortened to this length wherever it is longer.
    callback : callable, optional
        Called after each epoch with the model, in eval mode, and the history; may draw at random.
    stop : callable, optional
        Called with the history after each epoch; True ends the training. See `Patience`.
    keep_best : bool, default False
        End with the weights of the epoch with the lowest validation loss, not with the last ones.
    progress : bool, default True
        Show a bar, if someone watches (a terminal or Jupyter) and ``TQDM_DISABLE`` is not set.

    Raises
    ------
    ValueError, TypeError, FloatingPointError
        If shapes, number types, labels or settings do not fit; if the loss becomes NaN or infinite.

    Examples
    --------
    >>> X, model = torch.linspace(-1, 1, 64)[:, None], nn.Linear(1, 1)
    >>> history = fit(model, X, 3 * X + 1, loss=F.mse_loss, learning_rate=0.1)
    >>> round(model.weight.item(), 3)
    3.0
    """
    if n_epochs < 1:
        raise ValueError(f"n_epochs must be at least 1, got {n_epochs}")
    if keep_best and X_val is None:
        raise ValueError("keep_best compares validation losses, so it needs X_val and y_val")
    home, place, started = evaluation.device_of(model), choose_device(device), time.perf_counter()
    history = History(str(place), sum(p.numel() for p in model.parameters() if p.requires_grad))
    cuda = range(torch.cuda.device_count()) if place.type == "cuda" else []
    best: dict[str, Tensor] = {}
    try:
        with torch.random.fork_rng(cuda, device_type="cuda"):
            torch.manual_seed(seed)
            X, y = evaluation.check_pair(model.to(place), X_train, y_train, loss, "_train")
            val = evaluation.check_validation(model, X_val, y_val, loss)
            optimizer = evaluation.check_optimizer(model, optimizer, learning_rate)
            epochs = islice(_epochs(X, y, batch_size, seed), n_epochs)
            adjust = _adjust(model, optimizer, *evaluation.check_adjustments(schedule, clip_norm))
            try:
                for batches in _watched(epochs, n_epochs, history, progress):
                    losses, sizes = _train_epoch(model, batches, loss, optimizer, adjust)
                    train_loss = evaluation.check_losses(losses, sizes, history, optimizer)
                    scores = [evaluation.score(model, *val, loss)] if val else []
                    history.train_loss.append(train_loss)
                    history.val_loss += [s.loss for s in scores]
                    history.val_accuracy += [s.accuracy for s in scores if s.accuracy is not None]
                    history.seconds = time.perf_counter() - started
                    if keep_best and history.best_epoch == len(history.val_loss):
                        best = deepcopy(model.state_dict())
                    if callback is not None:
                        with torch.random.fork_rng(cuda, device_type="cuda"):
                            callback(model.eval(), history)
                    if stop is not None and stop(history):
                        history.stopped = "early"
                        break
            except KeyboardInterrupt:
                history.stopped = "interrupted"
            finally:
                adjust.close()
            if best:
                model.load_state_dict(best)
            evaluation.check_weights(model)
    finally:
        model.to(home).eval()
    return history


def _epochs(X: Tensor, y: Tensor, batch_size: int | None, seed: int) -> Iterator[Batches]:
    """Yield the mini-batches of epoch after epoch, without end."""
    if batch_size is not None and not 1 <= batch_size <= len(X):
        rule = f"must lie between 1 and the number of examples, {len(X)}, or be None to take"
        raise ValueError(f"batch_size {rule} them all at once; got {batch_size}")
    generator = torch.Generator().manual_seed(seed)  # on the CPU: one order for every device
    while batch_size is None:
        yield [(X, y)]
    while True:
        # Shuffling once and then slicing is several times faster than indexing each batch.
        order = torch.randperm(len(X), generator=generator).to(X.device)
        yield zip(torch.split(X[order], batch_size), torch.split(y[order], batch_size), strict=True)


def _adjust(
    model: nn.Module, optimizer: Optimizer, schedule: Schedule, clip_norm: float | None
) -> Generator[None]:
    """Before each step set its learning rate and clip the gradient; when closed, undo the rate."""
    own = [(group, group["lr"]) for group in optimizer.param_groups if schedule is not None]
    try:
        for step in count():
            if schedule is not None:
                factor = evaluation.check_factor(schedule(step), step)
                for group, rate in own:
                    group["lr"] = factor * rate
            if clip_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            yield
    finally:
        for group, rate in own:
            group["lr"] = rate


def _train_epoch(
    model: nn.Module, batches: Batches, loss: Loss, optimizer: Optimizer, adjust: Iterator[None]
) -> tuple[list[float], list[int]]:
    """Take a step for each batch; return the mean loss of each batch, and its size."""
    model.train()
    losses, sizes = [], []
    for xb, yb in batches:
        optimizer.zero_grad()
        batch_loss = loss(model(xb), yb)
        batch_loss.backward()  # type: ignore[no-untyped-call]
        next(adjust)
        optimizer.step()
        losses.append(batch_loss.detach())  # .item() would wait for the GPU at every step
        sizes.append(len(xb))
    return torch.stack(losses).tolist(), sizes


def _watched(epochs: Iterable[Batches], n: int, history: History, show: bool) -> Iterator[Batches]:
    """Pass the epochs on, with a progress bar if someone is there to see it."""
    seen = sys.stderr.isatty() or "ipykernel" in sys.modules
    if not (show and seen and os.environ.get("TQDM_DISABLE", "0") in ("", "0")):
        yield from epochs
        return
    from tqdm import tqdm

    bar = tqdm(epochs, total=n, leave=False, unit="epoch", disable=False)
    for batches in bar:
        yield batches
        bar.set_postfix_str(f"loss {history.train_loss[-1]:.3g}", refresh=False)
