import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcourse.data import split
from dlcourse.data.splits import _nearest_sum

PARTS = ("train", "val", "test")


def rows_of(part):
    return [getattr(part, f"rows_{name}") for name in PARTS]


def numbered(n):
    """Return rows that carry their own number."""
    return torch.arange(float(n)).unsqueeze(1)


shares = st.tuples(st.floats(0.05, 0.45), st.one_of(st.just(0.0), st.floats(0.05, 0.45)))


@given(st.lists(st.integers(3, 60), min_size=1, max_size=6), shares, st.integers(0, 99))
@settings(deadline=None)
def test_every_row_appears_once_and_classes_keep_their_shares(counts, share, seed):
    test, val = share
    y = torch.cat([torch.full((n,), k) for k, n in enumerate(counts)])
    try:
        part = split(numbered(len(y)), y, test=test, val=val, seed=seed)
    except ValueError:  # no whole example of some class for some part
        assert min(counts) * min(1 - test - val, test, val or 1) < 1
        return
    assert torch.cat(rows_of(part)).sort().values.tolist() == list(range(len(y)))
    for name, wanted in zip(PARTS, (1 - test - val, val, test), strict=True):
        X_part, y_part = getattr(part, f"X_{name}"), getattr(part, f"y_{name}")
        rows = getattr(part, f"rows_{name}")
        assert torch.equal(X_part.flatten(), rows.float())
        assert torch.equal(y_part, y[rows])
        for k, n in enumerate(counts):
            assert abs(int((y_part == k).sum()) - wanted * n) <= 1 + 1e-6
        assert abs(len(y_part) - wanted * len(y)) <= 2 + 1e-6


@given(st.integers(10, 300), shares, st.integers(0, 99))
@settings(deadline=None)
def test_without_classes_every_row_appears_once(n, share, seed):
    test, val = share
    part = split(numbered(n), torch.rand(n), test=test, val=val, seed=seed, stratify=False)
    assert torch.cat(rows_of(part)).sort().values.tolist() == list(range(n))
    assert abs(len(part.X_test) - test * n) <= 0.5
    assert abs(len(part.X_val) - val * n) <= 0.5


@given(
    st.lists(st.integers(1, 30), min_size=3, max_size=25), shares, st.integers(0, 99), st.booleans()
)
@settings(deadline=None, max_examples=50)
def test_groups_stay_whole(sizes, share, seed, stratify):
    test, val = share
    groups = [f"patient {i}" for i, size in enumerate(sizes) for _ in range(size)]
    n = len(groups)
    y = torch.arange(n) % 2
    part = split(numbered(n), y, test=test, val=val, seed=seed, groups=groups, stratify=stratify)
    sides = [{groups[i] for i in rows.tolist()} for rows in rows_of(part)]
    assert sum(map(len, sides)) == len(sizes)
    assert torch.cat(rows_of(part)).sort().values.tolist() == list(range(n))
    assert sides[0]
    assert sides[2]
    assert bool(sides[1]) == (val > 0)
    if val == 0:
        sums = {0}
        for size in sizes:
            sums |= {s + size for s in sums}
        nearest = min(abs(s - test * n) for s in sums if 0 < s < n)
        assert abs(len(part.X_test) - test * n) == pytest.approx(nearest)


def test_groups_come_near_all_three_shares():
    sizes = [40, 7, 7, 7, 5, 5, 5, 4, 4, 4, 3, 3, 2, 2, 1, 1]  # one large clinic, 100 patients
    groups = np.repeat(np.arange(len(sizes)), sizes)
    part = split(numbered(100), groups % 2, test=0.2, val=0.2, seed=0, groups=groups)
    assert (len(part.X_train), len(part.X_val), len(part.X_test)) == (60, 20, 20)


def test_groups_keep_class_shares_nearly():
    groups = torch.arange(400) // 4
    y = (groups % 5 == 0).long()  # patients are ill or well: 20 % are ill
    for seed in range(5):
        part = split(numbered(400), y, test=0.25, seed=seed, groups=groups)
        assert abs(float(part.y_test.double().mean()) - 0.2) <= 0.041
        assert len(part.y_test) == 100


def test_many_groups_take_no_time_to_speak_of():
    groups = torch.arange(20_000) // 10
    part = split(numbered(20_000), groups % 2, test=0.25, val=0.1, seed=0, groups=groups)
    assert (len(part.X_test), len(part.X_val)) == (5000, 2000)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8), st.floats(0, 80))
def test_nearest_sum_is_nearest(sizes, target):
    order = np.random.default_rng(0).permutation(len(sizes))
    chosen = _nearest_sum(order, np.array(sizes), target)
    assert len(set(chosen)) == len(chosen) < len(sizes)
    sums = {0}
    for size in sizes:
        sums |= {s + size for s in sums}
    nearest = min(abs(s - target) for s in sums if 0 < s < sum(sizes))
    assert abs(sum(sizes[i] for i in chosen) - target) == pytest.approx(nearest)


@pytest.mark.parametrize("options", [{}, {"stratify": False}, {"groups": torch.arange(60) // 3}])
def test_splits_follow_their_seed_and_leave_the_global_state_alone(options):
    X, y = numbered(60), torch.arange(60) % 3
    before = torch.random.get_rng_state()
    first, again, other = (split(X, y, val=0.2, seed=s, **options) for s in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(map(torch.equal, rows_of(first), rows_of(again)))
    assert not torch.equal(first.rows_test, other.rows_test)


def test_every_row_is_equally_likely_to_be_tested():
    X, y = numbered(40), torch.tensor([0] * 28 + [1] * 12)
    tested = torch.zeros(40)
    for seed in range(800):
        tested[split(X, y, test=0.25, seed=seed).rows_test] += 1
    # Each row is drawn about 200 times; 5 standard deviations are 61.
    assert float((tested - 200).abs().max()) < 61


@given(st.integers(0, 99), st.floats(-1e3, 1e3), st.floats(1e-2, 1e3))
@settings(deadline=None)
def test_standardizing_uses_the_training_part_alone(seed, centre, spread):
    dice = torch.Generator().manual_seed(seed)
    X = centre + spread * torch.randn(60, 3, generator=dice, dtype=torch.float64)
    y = torch.arange(60) % 2
    part = split(X, y, test=0.25, val=0.25, seed=seed)
    scaled = part.standardized()
    mean, deviation = part.X_train.mean(0), part.X_train.std(0)
    for name in PARTS:
        expected = (getattr(part, f"X_{name}") - mean) / deviation
        torch.testing.assert_close(getattr(scaled, f"X_{name}"), expected)
        assert torch.equal(getattr(scaled, f"y_{name}"), getattr(part, f"y_{name}"))
    # Whatever stands in the test rows, the training rows come out the same.
    changed = X.clone()
    changed[part.rows_test] += 1e6
    again = split(changed, y, test=0.25, val=0.25, seed=seed).standardized()
    assert torch.equal(again.X_train, scaled.X_train)


@given(st.floats(-1e6, 1e6, width=32))
def test_a_constant_column_becomes_zero(value):
    X = torch.stack([torch.full((12,), value), torch.arange(12.0)], dim=1)
    scaled = split(X, torch.arange(12) % 2, val=0.25, seed=0).standardized()
    for name in PARTS:
        assert torch.equal(
            getattr(scaled, f"X_{name}")[:, 0], torch.zeros(len(getattr(scaled, f"X_{name}")))
        )


def test_a_column_constant_in_training_only_is_shifted():
    X = torch.full((8, 1), 5.0)
    y = torch.arange(8) % 2
    X[split(X, y, seed=0).rows_test] = 7.0
    scaled = split(X, y, seed=0).standardized()
    assert scaled.X_train.abs().max() == 0
    assert torch.equal(scaled.X_test, torch.full((2, 1), 2.0))


def test_images_and_whole_numbers_can_be_standardized():
    X = np.random.default_rng(0).integers(0, 17, (20, 8, 8))
    scaled = split(X, np.arange(20) % 2, seed=0).standardized()
    assert scaled.X_train.shape == (15, 8, 8) or scaled.X_train.shape == (16, 8, 8)
    assert scaled.X_train.dtype == torch.float32
    torch.testing.assert_close(scaled.X_train.mean(0), torch.zeros(8, 8), atol=1e-5, rtol=0)


@pytest.mark.parametrize("as_type", [torch.Tensor.numpy, torch.Tensor.tolist])
def test_arrays_and_lists_are_converted(as_type):
    X, y = torch.rand(12, 2, dtype=torch.float64), torch.arange(12) % 2
    part = split(as_type(X), as_type(y), seed=0)
    assert (part.X_train.dtype, part.y_train.dtype) == (torch.float32, torch.int64)
    assert torch.equal(part.X_test, split(X, y, seed=0).X_test.float())
    assert split(X, y, seed=0).X_test.dtype == torch.float64  # a tensor keeps its dtype


GOOD_X, GOOD_Y = numbered(12), torch.arange(12) % 2


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": torch.zeros(11).long()}, ValueError, "12 rows but y"),
        ({"X": torch.zeros(0, 2), "y": torch.zeros(0)}, ValueError, "at least one row"),
        ({"X": torch.tensor(1.0)}, ValueError, "at least one row"),
        (
            {"X": torch.full((12, 1), math.nan)},
            ValueError,
            "NaN .* first in row 0",
        ),
        ({"X": torch.full((12, 1), math.inf)}, ValueError, "NaN or infinite"),
        ({"y": torch.full((12,), math.nan), "stratify": False}, ValueError, "y holds NaN"),
        ({"y": ["a", "b"] * 6}, TypeError, "y must be a tensor or array of numbers"),
        ({"X": None}, TypeError, "X must be a tensor or array of numbers"),
        ({"y": torch.rand(12)}, TypeError, "stratify=False"),
        ({"y": torch.zeros(12, 1).long()}, TypeError, "whole numbers of shape"),
        ({"test": 1.0}, ValueError, "between 0 and 1"),
        ({"test": -0.1}, ValueError, "between 0 and 1"),
        ({"test": math.nan}, ValueError, "between 0 and 1"),
        ({"test": 0.5, "val": 0.5}, ValueError, "together below 1"),
        ({"test": "a quarter"}, TypeError, "test must be a number"),
        ({"test": 0.01, "stratify": False}, ValueError, "leaves the test part empty"),
        ({"val": 0.01, "stratify": False}, ValueError, "leaves the val part empty"),
        ({"test": 0.97, "stratify": False}, ValueError, "none to learn from"),
        ({"test": 0.05}, ValueError, "too few for one of them to be in the test part"),
        ({"y": torch.tensor([1] + [0] * 11)}, ValueError, "class 1 has too few examples, 1,"),
        ({"seed": None}, TypeError, "seed must be a whole number"),
        ({"seed": 1.5}, TypeError, "seed must be a whole number"),
        ({"groups": [1, 2]}, ValueError, "groups has 2 entries"),
        ({"groups": ["ann"] * 12}, ValueError, "1 group"),
        ({"groups": ["ann", "bo"] * 6, "val": 0.25}, ValueError, "2 group.* 3 parts"),
        ({"groups": [math.nan] * 12}, ValueError, "NaN"),
    ],
)
def test_bad_input_is_named(change, error, message):
    with pytest.raises(error, match=message):
        split(**({"X": GOOD_X, "y": GOOD_Y, "seed": 0} | change))
