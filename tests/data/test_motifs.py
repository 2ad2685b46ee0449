"""Planted motifs: what is drawn, and the limit that the likelihood ratio sets."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.data import Motif, gata1, one_hot


@given(st.integers(2, 60), st.integers(11, 50), st.integers(0, 99))
def test_samples_are_one_hot_and_half_hold_a_site(n, length, seed):
    X, y = gata1(length).sample(n, seed=seed)
    assert X.shape == (n, 4, length)
    assert bool((X.sum(1) == 1).all())
    assert int(y.sum()) == n // 2


def test_a_certain_site_is_planted_everywhere_alike():
    pwm = torch.full((4, 3), 1e-9, dtype=torch.float64)
    pwm[2, 0] = pwm[0, 1] = pwm[3, 2] = 1 - 3e-9  # GAT
    X, y = Motif(pwm, length=6).sample(4000, seed=0)
    hits = (X[:, 2, :-2] * X[:, 0, 1:-1] * X[:, 3, 2:])[y == 1]
    assert bool(hits.any(1).all())
    share = hits.mean(0)  # 1/4 planted there, and by chance where it was planted elsewhere
    assert float(share.max() - share.min()) < 0.05


def test_the_ratio_equals_the_sum_over_all_places():
    dice = torch.Generator().manual_seed(0)
    pwm = torch.rand(4, 2, generator=dice, dtype=torch.float64) + 0.1
    motif = Motif(pwm / pwm.sum(0), length=4, background=(0.1, 0.2, 0.3, 0.4))
    total = 0.0
    for bases in itertools.product(range(4), repeat=4):
        p0 = math.prod(motif.background[b] for b in bases)
        p1 = 0.0
        for start in range(3):
            inside = math.prod(float(motif.pwm[bases[start + k], k]) for k in range(2))
            outside = [b for k, b in enumerate(bases) if k not in (start, start + 1)]
            p1 += inside * math.prod(motif.background[b] for b in outside) / 3
        X = torch.eye(4)[list(bases)].T[None]
        assert float(motif.log_likelihood_ratio(X)) == pytest.approx(math.log(p1 / p0), abs=1e-9)
        total += max(p0, p1) / 2
    assert motif.bayes_accuracy(40_000) == pytest.approx(total, abs=4 / (4 * 200))


def test_the_bayes_rule_reaches_the_bayes_accuracy():
    motif = gata1()
    X, y = motif.sample(40_000, seed=5)
    right = float(((motif.log_likelihood_ratio(X) > 0) == (y == 1)).double().mean())
    limit = motif.bayes_accuracy(40_000)
    assert abs(right - limit) < 4 * math.sqrt(limit * (1 - limit) / 40_000) + 4 / (4 * 200)


def test_information_is_two_bits_for_a_certain_base_and_none_for_the_background():
    columns = torch.tensor([[1 - 3e-12, *[1e-12] * 3], [0.25] * 4], dtype=torch.float64)
    information = Motif(columns.T.contiguous(), length=5).information
    assert information.tolist() == pytest.approx([2.0, 0.0], abs=1e-9)


def test_longer_sequences_hide_the_site_better():
    limits = [gata1(length).bayes_accuracy(20_000) for length in (11, 40, 640)]
    assert limits[0] > limits[1] + 0.03 > limits[2] + 0.06


def test_a_sample_follows_its_seed_and_leaves_the_global_state_alone():
    before = torch.random.get_rng_state()
    one, same, other = (gata1().sample(50, seed=s)[0] for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_letters():
    assert one_hot(["acgt", "NNNN"])[0].equal(torch.eye(4))
    assert one_hot(["acgt", "NNNN"])[1].unique().tolist() == [0.25]


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], "equally long"),
        (["AC", "A"], "equally long"),
        ([""], "a base at least"),
        (["AXQ"], "got Q, X"),
    ],
)
def test_what_is_no_dna_is_refused(sequences, message):
    with pytest.raises(ValueError, match=message):
        one_hot(sequences)


HALF = torch.full((4, 3), 0.25, dtype=torch.float64)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pwm": HALF.float()}, "dtype float64"),
        ({"pwm": HALF[:3]}, r"shape \(4, width\)"),
        ({"pwm": HALF * 2}, "columns sum to 1"),
        ({"pwm": HALF, "length": 2}, "at least the site's 3, got 2"),
        ({"pwm": HALF, "background": (0.5, 0.5, 0.0, 0.0)}, "probabilities above 0"),
        ({"pwm": HALF, "background": (0.5, 0.5, 0.5, 0.5)}, "must sum to 1"),
    ],
)
def test_impossible_motifs_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Motif(**given)


def test_impossible_draws_are_refused():
    with pytest.raises(ValueError, match="n must be at least 2"):
        gata1().sample(1, seed=0)
    with pytest.raises(ValueError, match=r"expected one-hot DNA of \(n, 4, 40\)"):
        gata1().log_likelihood_ratio(torch.zeros(2, 4, 39))
