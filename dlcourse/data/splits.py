"""Splitting and standardizing data so that nothing leaks from the test part into learning."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

__all__ = ["Split", "split"]


@dataclass(frozen=True)
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
            The same rows, on the new scale.
        """
        mean = self.X_train.mean(0)
        deviation = self.X_train.std(0) if len(self.X_train) > 1 else torch.zeros_like(mean)
        constant = deviation <= 1e-7 * mean.abs().clamp_min(1e-30)
        scale = torch.where(constant, torch.ones_like(deviation), deviation)
        return replace(
            self,
            X_train=(self.X_train - mean) / scale,
            X_val=(self.X_val - mean) / scale,
            X_test=(self.X_test - mean) / scale,
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
        Examples.
    y : Tensor or array, shape (n,)
        Their labels.
    test, val : float
        Shares of the test and validation parts, each in [0, 1), together below 1.
    seed : int
        Seed of the shuffle; PyTorch's global generator is neither used nor changed.
    stratify : bool
        Keep the share of each class the same in all parts, to within one example. Turn it off for
        regression. Ignored when ``groups`` are given.
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
        If lengths differ, a value is not finite, a share is out of range, or a part that was asked
        for, or the training part, would be empty.

    Examples
    --------
    >>> part = split(torch.arange(8.0)[:, None], torch.tensor([0, 1] * 4), test=0.25, seed=0)
    >>> len(part.X_train), part.y_test.sort().values.tolist()
    (6, [0, 1])
    """
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    _check(X, y, test, val, groups)
    dice = torch.Generator().manual_seed(seed)
    if groups is not None:
        piles = _by_group(groups, dice, test, val)
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
    if values.is_floating_point() and len(values) > 20:
        raise ValueError(
            f"y has {len(values)} different values, which looks like a regression: "
            "call split(…, stratify=False)"
        )
    rare = values[counts < 1 + (test > 0) + (val > 0)]
    if len(rare):
        raise ValueError(
            f"class {rare[0].item()} has too few examples to be in every part; "
            "collect more, or call split(…, stratify=False)"
        )
    shuffled = torch.randperm(len(y), generator=dice)
    ordered = shuffled[y[shuffled].argsort(stable=True)]  # class after class, random within
    place = torch.arange(len(y), dtype=torch.float64) + 0.5
    phase = torch.rand(2, generator=dice, dtype=torch.float64)
    takes_test = ((place * test + phase[0]).floor() - ((place - 1) * test + phase[0]).floor()) > 0
    rest = ordered[~takes_test]
    share = val / (1 - test)
    place = torch.arange(len(rest), dtype=torch.float64) + 0.5
    takes_val = ((place * share + phase[1]).floor() - ((place - 1) * share + phase[1]).floor()) > 0
    return rest[~takes_val], rest[takes_val], ordered[takes_test]


def _by_group(
    groups: Sequence[Any] | Tensor, dice: torch.Generator, test: float, val: float
) -> Piles:
    """Give whole groups, in random order, to the part that is furthest below its share."""
    members: dict[Any, list[int]] = {}
    for row, group in enumerate(groups.tolist() if isinstance(groups, Tensor) else groups):
        members.setdefault(group, []).append(row)
    parts = 1 + (test > 0) + (val > 0)
    if len(members) < parts:
        raise ValueError(f"{len(members)} group(s) cannot be spread over {parts} parts")
    n = sum(map(len, members.values()))
    wanted = {"train": (1 - test - val) * n, "val": val * n, "test": test * n}
    piles: dict[str, list[int]] = {name: [] for name in wanted}
    names = list(members)
    order = [names[i] for i in torch.randperm(len(names), generator=dice).tolist()]
    for group in sorted(order, key=lambda name: -len(members[name])):  # large groups first
        lacking = {name: wanted[name] - len(piles[name]) for name in piles if wanted[name] > 0}
        empty = [name for name in lacking if not piles[name]]
        left = sum(1 for name in names if name not in _placed(piles, members))
        choice = empty if empty and left <= len(empty) else list(lacking)
        piles[max(choice, key=lambda name: lacking[name])] += members[group]
    train, validation, held_out = (torch.tensor(rows, dtype=torch.long) for rows in piles.values())
    return train, validation, held_out


def _placed(piles: dict[str, list[int]], members: dict[Any, list[int]]) -> set[Any]:
    rows = {row for pile in piles.values() for row in pile}
    return {group for group, own in members.items() if own[0] in rows}


def _check(X: Tensor, y: Tensor, test: float, val: float, groups: Any) -> None:
    if len(X.shape) == 0 or len(X) == 0:
        raise ValueError(f"X needs at least one row, got shape {tuple(X.shape)}")
    if y.shape[:1] != X.shape[:1]:
        raise ValueError(f"X has {len(X)} rows but y has shape {tuple(y.shape)}")
    if X.is_floating_point() and not torch.isfinite(X).all():
        rows = (~torch.isfinite(X.reshape(len(X), -1))).any(1).nonzero().flatten()
        raise ValueError(f"X holds NaN or infinite values, first in row {int(rows[0])}")
    if not (0 <= test < 1 and 0 <= val < 1 and test + val < 1):
        raise ValueError(
            f"test and val are shares between 0 and 1, together below 1; got {test} and {val}"
        )
    if groups is not None and len(groups) != len(X):
        raise ValueError(f"X has {len(X)} rows but groups has {len(groups)} entries")
