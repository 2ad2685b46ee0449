"""CpG islands: what is drawn, and forward and backward sums against all ways one by one."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcourse.data import Islands, forward_backward, one_hot
from dlcourse.data.cpg import DURBIN_TABLES

SMALL = Islands(4.0, 3.0)


def by_brute_force(islands, letters):
    """Return p(island) at each base and p(sequence), by adding up all ways through the states."""
    bases = ["ACGT".index(b) for b in letters]
    total, inside = 0.0, [0.0] * len(bases)
    for way in itertools.product((0, 1), repeat=len(bases)):
        p = float(islands.start[way[0]] * islands.base_shares[way[0], bases[0]])
        for t in range(1, len(bases)):
            p *= float(islands.step[way[t - 1], way[t]])
            p *= float(islands.tables[way[t], bases[t - 1], bases[t]])
        total += p
        inside = [sum_t + p * s for sum_t, s in zip(inside, way, strict=True)]
    return [value / total for value in inside], total


def test_the_printed_tables_are_rows_of_probabilities():
    printed = torch.tensor(DURBIN_TABLES, dtype=torch.float64)
    assert printed.shape == (2, 4, 4)
    assert float((printed.sum(2) - 1).abs().max()) < 0.0011  # three decimals are printed
    assert float((Islands().tables - printed).abs().max()) < 0.0005


@settings(deadline=None, max_examples=15)
@given(st.text("ACGT", min_size=1, max_size=8))
def test_the_posterior_equals_the_sum_over_all_ways(letters):
    wanted, _ = by_brute_force(SMALL, letters)
    assert SMALL.posterior(one_hot([letters]))[0].tolist() == pytest.approx(wanted, abs=1e-9)


def test_with_the_past_alone_each_base_is_the_last_of_its_sequence():
    letters = "TACGCGAT"
    p = SMALL.posterior(one_hot([letters]), past_only=True)[0]
    last = [by_brute_force(SMALL, letters[: t + 1])[0][-1] for t in range(len(letters))]
    assert p.tolist() == pytest.approx(last, abs=1e-9)
    both = SMALL.posterior(one_hot([letters]))[0]
    assert float(both[-1]) == pytest.approx(float(p[-1]), abs=1e-12)
    assert float((both - p)[:-1].abs().max()) > 0.01


def test_an_unknown_base_is_summed_over():
    whole = [by_brute_force(SMALL, f"CG{b}CG") for b in "ACGT"]
    total = sum(p for _, p in whole)
    wanted = [sum(inside[t] * p for inside, p in whole) / total for t in range(5)]
    assert SMALL.posterior(one_hot(["CGNCG"]))[0].tolist() == pytest.approx(wanted, abs=1e-9)


def test_unknown_bases_after_the_end_change_nothing():
    short = SMALL.posterior(one_hot(["GCGTA"]))[0]
    padded = SMALL.posterior(one_hot(["GCGTANNN"]))[0]
    assert torch.allclose(padded[:5], short, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 3), st.integers(1, 5), st.integers(0, 99))
def test_forward_backward_with_any_number_of_states(S, L, seed):
    dice = torch.Generator().manual_seed(seed)
    start, step, fit = (
        torch.rand(*shape, generator=dice, dtype=torch.float64) + 0.05
        for shape in ((S,), (S, S), (1, L, S))
    )
    start, step = start / start.sum(), step / step.sum(1, keepdim=True)
    total, inside = 0.0, torch.zeros(L, S, dtype=torch.float64)
    for way in itertools.product(range(S), repeat=L):
        p = float(start[way[0]]) * math.prod(float(fit[0, t, s]) for t, s in enumerate(way))
        p *= math.prod(float(step[a, b]) for a, b in itertools.pairwise(way))
        total += p
        inside[range(L), list(way)] += p
    log_p, log_total = forward_backward(start.log(), step.log(), fit.log())
    assert torch.allclose(log_p[0].exp(), inside / total, atol=1e-9)
    assert float(log_total[0]) == pytest.approx(math.log(total), abs=1e-9)


def test_the_probabilities_of_all_sequences_sum_to_one():
    total = sum(by_brute_force(SMALL, word)[1] for word in itertools.product("ACGT", repeat=4))
    assert total == pytest.approx(1)


def test_ten_thousand_bases_do_not_underflow():
    X, _ = Islands().sample(1, 10_000, seed=0)
    p = Islands().posterior(X)
    assert bool(p.isfinite().all())
    assert 0 <= float(p.min()) < 0.1
    assert 0.9 < float(p.max()) <= 1


def test_what_is_drawn_follows_the_tables():
    islands = Islands()
    X, y = islands.sample(400, 500, seed=3)
    base = X.argmax(1)
    assert X.shape == (400, 4, 500)
    assert bool((X.sum(1) == 1).all())
    for s in (0, 1):
        here = y[:, 1:] == s
        pairs = torch.bincount((4 * base[:, :-1] + base[:, 1:])[here], minlength=16).view(4, 4)
        shares = pairs / pairs.sum(1, keepdim=True)
        noise = (
            5 * (islands.tables[s] * (1 - islands.tables[s]) / pairs.sum(1, keepdim=True)).sqrt()
        )
        assert bool(((shares - islands.tables[s]).abs() < noise).all())
        left = (y[:, 1:] != s)[y[:, :-1] == s].double()
        rate = 1 / (islands.sea_length, islands.island_length)[s]
        assert abs(float(left.mean()) - rate) < 5 * math.sqrt(rate / len(left))
    runs = 400 * 5  # roughly that many independent stretches of either kind
    assert abs(float(y.double().mean()) - 0.4) < 5 * 0.5 / math.sqrt(runs)


def test_the_rule_reaches_its_accuracy_and_the_past_alone_less():
    islands = Islands()
    X, y = islands.sample(500, 200, seed=9)
    p = islands.posterior(X)
    right = ((p > 0.5) == (y == 1)).double().mean(1)
    both, past = islands.bayes_accuracy(), islands.bayes_accuracy(past_only=True)
    assert abs(float(right.mean()) - both) < 5 * float(right.std()) / math.sqrt(500)
    assert 0.6 < past < both - 0.02


def test_a_state_that_never_changes_is_two_chains_compared():
    islands = Islands(1e9, 1e9)
    letters = "ACGCGT"
    bases = ["ACGT".index(b) for b in letters]
    ratio = float((islands.base_shares[1, 0] / islands.base_shares[0, 0]).log())
    for a, b in itertools.pairwise(bases):
        ratio += float((islands.tables[1, a, b] / islands.tables[0, a, b]).log())
    p = islands.posterior(one_hot([letters]))[0]
    assert p.tolist() == pytest.approx([1 / (1 + math.exp(-ratio))] * 6, abs=1e-6)


def test_a_seed_draws_the_same_and_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    one, same, other = (SMALL.sample(3, 20, seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one[0], same[0])
    assert torch.equal(one[1], same[1])
    assert not torch.equal(one[0], other[0])


GOOD = torch.full((2, 2), 0.5).log()
SEEN = torch.zeros(1, 3, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Islands(1.0, 40.0), "numbers above 1, got"),
        (lambda: Islands(60.0, math.nan), "sea_length and island_length"),
        (lambda: Islands(60.0, -3), "sea_length and island_length"),
        (lambda: Islands(tables=torch.ones(2, 4, 4)), "dtype float64"),
        (lambda: Islands(tables=torch.ones(2, 4, 4).double()), "rows sum to 1"),
        (lambda: Islands(tables=torch.eye(4).double().repeat(2, 1, 1)), "above 0"),
        (lambda: SMALL.sample(0, 5, seed=0), "at least 1"),
        (lambda: SMALL.sample(5, 0, seed=0), "at least 1"),
        (lambda: SMALL.posterior(torch.zeros(2, 5, 4)), r"\(n, 4, length\)"),
        (lambda: SMALL.posterior(torch.zeros(2, 4, 5)), "without any positive entry"),
        (lambda: SMALL.posterior(torch.full((2, 4, 5), math.nan)), "without any positive entry"),
        (lambda: forward_backward(GOOD[0], GOOD[0], SEEN), "shapes must be"),
        (lambda: forward_backward(GOOD[0], GOOD, SEEN[:, :0]), "shapes must be"),
        (lambda: forward_backward(GOOD[0] + 1, GOOD, SEEN), "log_start must sum to 1"),
        (lambda: forward_backward(GOOD[0], 2 * GOOD, SEEN), "log_step must sum to 1"),
        (lambda: forward_backward(GOOD[0], GOOD, SEEN - math.inf), "sequence 0 is impossible"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
