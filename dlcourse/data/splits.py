"""Splitting and standardizing data so that nothing leaks from the test part into learning."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["Split", "split"]


@dataclass(frozen=True, eq=False)  # comparing tensors gives no yes or no
class Split:
    """Data in three parts: to learn from, to choose by, and to be judged by.

    Attributes
    ----------
    X_train, X_val, X_test : Tensor, shape (n_part, D)
        Examples of each part; the validation part may be empty.
    y_train, y_val, y_test : Tensor, shape (n_part,)
        Their labels.
    rows_train, rows_val, rows_test : Tensor, shape (n_part,), int64
        The row numbers in the data that were split.
    """

    X_train: Tensor
    y_train: Tensor
    X_val: Tensor
    y_val: Tensor
    X_test: Tensor
    y_test: Tensor
    rows_train: Tensor
    rows_val: Tensor
    rows_test: Tensor

    def standardized(self) -> "Split":
        """Return the split with every column of the training part at mean 0 and deviation 1.

        Mean and standard deviation (with n - 1) are taken from the training part alone and
        applied to all three; taking them from all the data would tell the model about the test
        part. A column that is constant in the training part is only shifted.

        Returns
        -------
        Split
            The same rows, on the new scale; columns of whole numbers become float32.

        Examples
        --------
        >>> part = split(torch.arange(8.0)[:, None], torch.tensor([0, 1] * 4), seed=0)
        >>> bool(part.standardized().X_train.mean().abs() < 1e-6)
        True
        """
        X = self.X_train.double()
        low, high = X.amin(0), X.amax(0)
        mean = torch.where(low == high, low, X.mean(0))  # exact, so that constants become 0
        scale = X.std(0) if len(X) > 1 else torch.ones_like(mean)
        scale = torch.where((low == high) | (scale == 0), torch.ones_like(scale), scale)
        dtype = self.X_train.dtype if self.X_train.is_floating_point() else torch.float32

        def rescale(part: Tensor) -> Tensor:
            return ((part.double() - mean) / scale).to(dtype)

        return replace(
            self,
            X_train=rescale(self.X_train),
            X_val=rescale(self.X_val),
            X_test=rescale(self.X_test),
        )


def split(
    X: Any,
    y: Any,
    *,
    test: float = 0.25,
    val: float = 0.0,
    seed: int,
    stratify: bool = True,
    groups: Sequence[Any] | Tensor | None = None,
) -> Split:
    """Split data at random into training, validation and test parts.

    Parameters
    ----------
    X : Tensor or array, shape (n, ...)
        Examples, finite. An array of floats becomes float32, PyTorch's usual kind; a tensor keeps
        its dtype.
    y : Tensor or array, shape (n,)
        Their labels: whole numbers, or with ``stratify=False`` any finite numbers.
    test, val : float
        Shares of the test and validation parts, each in [0, 1), together below 1.
    seed : int
        Seed of the shuffle; PyTorch's global generator is neither used nor changed.
    stratify : bool
        Keep the share of each class the same in all parts, to within one example. Turn it off for
        regression. With ``groups``, the division that comes nearest to it among fifty is taken.
    groups : sequence of length n, optional
        What must stay together, such as the patient each row comes from: no group is on two
        sides. Shares then hold as nearly as the sizes of the groups allow.

    Returns
    -------
    Split
        The three parts; every row is in exactly one of them.

    Raises
    ------
    ValueError
        If lengths differ, a value is not finite, a share is out of range, a part that was asked
        for, or the training part, would be empty or lack a class, or there are too few groups.
    TypeError
        If X, y, a share or the seed is no number, or a label to stratify by is no whole number.

    Examples
    --------
    >>> part = split(torch.arange(8.0)[:, None], torch.tensor([0, 1] * 4), test=0.25, seed=0)
    >>> len(part.X_train), part.y_test.sort().values.tolist()
    (6, [0, 1])
    """
    X, y = _tensor("X", X), _tensor("y", y)
    _check(X, y, test, val, stratify)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed must be a whole number, got {seed!r}")
    dice = torch.Generator().manual_seed(seed)
    if groups is not None:
        piles = _by_group(_group_numbers(groups, len(X)), y if stratify else None, dice, test, val)
    elif stratify:
        piles = _by_class(y, dice, test, val)
    else:
        piles = _cut(torch.randperm(len(X), generator=dice), test, val)
    train, validation, held_out = (
        pile[torch.randperm(len(pile), generator=dice)] for pile in piles
    )
    for name, share, rows in (("test", test, held_out), ("val", val, validation)):
        if share > 0 and len(rows) == 0:
            raise ValueError(f"{name}={share} of {len(X)} examples leaves the {name} part empty")
    if len(train) == 0:
        raise ValueError(f"test={test} and val={val} of {len(X)} examples leave none to learn from")
    return Split(
        X[train], y[train], X[validation], y[validation], X[held_out], y[held_out],
        train, validation, held_out,
    )  # fmt: skip


Piles = tuple[Tensor, Tensor, Tensor]


def _cut(rows: Tensor, test: float, val: float) -> Piles:
    n_test, n_val = _round(len(rows) * test), _round(len(rows) * val)
    return rows[n_test + n_val :], rows[n_test : n_test + n_val], rows[:n_test]


def _round(x: float) -> int:
    return math.floor(x + 0.5)


def _by_class(y: Tensor, dice: torch.Generator, test: float, val: float) -> Piles:
    """Deal each class out in proportion; what rounding leaves over evens out between classes."""
    values, counts = torch.unique(y, return_counts=True)
    parts = 1 + (test > 0) + (val > 0)
    rarest = int(counts.argmin())
    if int(counts[rarest]) < parts:
        raise ValueError(
            f"class {int(values[rarest])} has too few examples, {int(counts[rarest])}, to be in "
            f"each of {parts} parts; collect more, or call split(…, stratify=False)"
        )
    shuffled = torch.randperm(len(y), generator=dice)
    ordered = shuffled[y[shuffled].argsort(stable=True)]  # class after class, random within
    place = torch.arange(len(y), dtype=torch.float64) + 0.5
    phase = torch.rand(2, generator=dice, dtype=torch.float64)
    takes_test = ((place * test + phase[0]).floor() - ((place - 1) * test + phase[0]).floor()) > 0
    n_test = torch.stack([takes_test[y[ordered] == c].sum() for c in values])
    n_val = _validation_counts(counts, n_test, test, val)
    takes_val = torch.zeros_like(takes_test)
    for c, n in zip(values, n_val, strict=True):
        takes_val[((y[ordered] == c) & ~takes_test).nonzero().flatten()[:n]] = True
    for name, taken in (("test", n_test), ("val", n_val), ("train", counts - n_test - n_val)):
        share = {"test": test, "val": val, "train": 1}[name]
        if share > 0 and int(taken.min()) == 0:
            c = int(taken.argmin())
            raise ValueError(
                f"class {int(values[c])} has {int(counts[c])} examples, too few for one of them to "
                f"be in the {name} part; change the shares, or call split(…, stratify=False)"
            )
    return ordered[~takes_test & ~takes_val], ordered[takes_val], ordered[takes_test]


def _validation_counts(counts: Tensor, n_test: Tensor, test: float, val: float) -> Tensor:
    """Choose each class's number in the validation part, given that in the test part.

    Rounding down both parts that are left may leave one or two examples of a class. Two go one to
    each part; one goes where the total lacks it. So no part is off by more than one a class.
    """
    ideal = counts.double() * val
    n_val = (ideal + 1e-9).floor().long()
    n_train = (counts.double() * (1 - test - val) + 1e-9).floor().long()
    spare = counts - n_test - n_val - n_train
    n_val += (spare > 1).long()
    lacking = _round(float(ideal.sum())) - int(n_val.sum())
    single = (spare == 1).nonzero().flatten()
    neediest = ideal.frac()[single].argsort(descending=True, stable=True)
    n_val[single[neediest][: max(0, lacking)]] += 1
    return n_val


def _by_group(
    groups: Tensor, y: Tensor | None, dice: torch.Generator, test: float, val: float
) -> Piles:
    """Keep the best of fifty random divisions of the groups: sizes first, then class shares."""
    sizes = groups.bincount()
    parts = 1 + (test > 0) + (val > 0)
    if len(sizes) < parts:
        raise ValueError(f"{len(sizes)} group(s) cannot be spread over {parts} parts")
    kinds = torch.zeros_like(groups) if y is None else torch.unique(y, return_inverse=True)[1]
    best, best_score = groups, (math.inf, math.inf)
    wanted = torch.tensor([1 - test - val, val, test], dtype=torch.float64)
    for _ in range(50):
        place = _deal(sizes, dice, test, val)[groups]  # the part of each row
        table = torch.bincount(3 * kinds + place, minlength=3 * (int(kinds.max()) + 1))
        off = table.view(-1, 3) - table.view(-1, 3).sum(1, keepdim=True) * wanted
        score = (round(float(off.sum(0).abs().sum()), 6), float(off.abs().sum()))
        if score < best_score:
            best, best_score = place, score
    train, validation, held_out = (torch.where(best == part)[0] for part in range(3))
    return train, validation, held_out


def _deal(sizes: Tensor, dice: torch.Generator, test: float, val: float) -> Tensor:
    """Assign shuffled groups to training (0), validation (1) and test (2); return (n_groups,)."""
    order = torch.randperm(len(sizes), generator=dice).numpy()
    part = np.zeros(len(sizes), dtype=np.int64)
    n = int(sizes.sum())
    kept_back, free = (order[:1], order[1:]) if val > 0 else (order[:0], order)
    if test > 0:  # one group is kept back, so that something is left to validate with
        part[_nearest_sum(free, sizes.numpy(), test * n)] = 2
    if val > 0:
        rest = np.concatenate([kept_back, free[part[free] == 0]])
        part[_nearest_sum(rest, sizes.numpy(), val * n)] = 1
    return torch.from_numpy(part)


def _nearest_sum(order: np.ndarray, sizes: np.ndarray, target: float) -> list[int]:
    """Choose some groups, but not all, whose sizes add up as nearly as possible to the target.

    ``reached_by[s]`` is the first group, in the given order, that makes the sum s possible; from
    the best sum the groups are read backwards.
    """
    total = int(sizes[order].sum())
    reached_by = np.full(total + 1, -1)
    possible = np.zeros(total + 1, dtype=bool)
    possible[0] = True
    goal = min(max(1, _round(target)), total - 1)
    for position, group in enumerate(order):
        size = sizes[group]
        new = np.zeros_like(possible)
        new[size:] = possible[:-size]
        new &= ~possible
        reached_by[new] = position
        possible |= new
        if possible[goal]:
            break
    sums = np.flatnonzero(possible[1:total]) + 1
    best = int(sums[np.abs(sums - target).argmin()])
    chosen = []
    while best > 0:
        chosen.append(int(order[reached_by[best]]))
        best -= int(sizes[chosen[-1]])
    return chosen


def _tensor(name: str, values: Any) -> Tensor:
    try:
        tensor = torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as problem:
        raise TypeError(
            f"{name} must be a tensor or array of numbers, got {type(values).__name__}: {problem}"
        ) from problem
    if tensor.is_complex():
        raise TypeError(f"{name} must hold real numbers, got {tensor.dtype}")
    if tensor.ndim == 0 or len(tensor) == 0:
        raise ValueError(f"{name} needs at least one row, got shape {tuple(tensor.shape)}")
    if tensor.is_floating_point() and not isinstance(values, Tensor):
        tensor = tensor.float()
    if not torch.isfinite(tensor).all():
        row = int((~torch.isfinite(tensor.reshape(len(tensor), -1))).any(1).nonzero()[0])
        raise ValueError(f"{name} holds NaN or infinite values, first in row {row}")
    return tensor


def _check(X: Tensor, y: Tensor, test: float, val: float, stratify: bool) -> None:
    if len(y) != len(X):
        raise ValueError(f"X has {len(X)} rows but y has shape {tuple(y.shape)}")
    for name, share in (("test", test), ("val", val)):
        if isinstance(share, bool) or not isinstance(share, int | float):
            raise TypeError(f"{name} must be a number between 0 and 1, got {share!r}")
    if not (0 <= test < 1 and 0 <= val < 1 and test + val < 1):
        raise ValueError(
            f"test and val are shares between 0 and 1, together below 1; got {test} and {val}"
        )
    if stratify and (y.ndim != 1 or (y.is_floating_point() and bool((y != y.round()).any()))):
        raise TypeError(
            f"labels to stratify by must be whole numbers of shape ({len(X)},), got {y.dtype} of "
            f"shape {tuple(y.shape)}; for regression call split(…, stratify=False)"
        )


def _group_numbers(groups: Sequence[Any] | Tensor, n: int) -> Tensor:
    """Number the groups from 0."""
    names = groups.tolist() if isinstance(groups, Tensor) else list(groups)
    if len(names) != n:
        raise ValueError(f"X has {n} rows but groups has {len(names)} entries")
    if any(name != name for name in names):
        raise ValueError("groups holds NaN; every row needs the name of its group")
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([numbers[name] for name in names])
