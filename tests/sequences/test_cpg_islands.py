"""Labels for every base: against sums over all ways, padding, a bare GRU, and the limit."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from dlcourse import data
from dlcourse.sequences.cpg_islands import Labeller, calibration, carry, log_odds, train_together


def clues_of(islands, X):
    """Return what each base says for an island, given the one before it, shape (n, L)."""
    base = X.argmax(1)
    ratios = (islands.tables[1] / islands.tables[0]).log()
    first = islands.start[:, None] * islands.base_shares
    first = (first[1] / first[0]).log()[base[:, :1]]
    return torch.cat([first, ratios[base[:, :-1], base[:, 1:]]], dim=1)


@pytest.mark.parametrize("past_only", [False, True])
def test_two_units_give_what_the_chain_of_eight_states_gives(past_only):
    islands = data.Islands(9.0, 5.0)
    X, _ = islands.sample(20, 60, seed=0)
    p = log_odds(clues_of(islands, X), islands.step, past_only=past_only).sigmoid()
    assert torch.allclose(p, islands.posterior(X, past_only=past_only), atol=1e-10)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 7), st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.integers(0, 99))
def test_log_odds_equal_the_sum_over_all_ways(L, a, b, seed):
    dice = torch.Generator().manual_seed(seed)
    clues = 2 * torch.randn(1, L, generator=dice, dtype=torch.float64)
    step = torch.tensor([[1 - a, a], [b, 1 - b]], dtype=torch.float64)
    weight = torch.zeros(L, 2, dtype=torch.float64)
    for way in itertools.product((0, 1), repeat=L):
        p = math.prod(math.exp(float(clues[0, t]) * s) for t, s in enumerate(way))
        p *= math.prod(float(step[i, j]) for i, j in itertools.pairwise(way))
        weight[range(L), list(way)] += p
    wanted = (weight[:, 1] / weight[:, 0]).log()
    assert torch.allclose(log_odds(clues, step)[0], wanted, atol=1e-9)


@given(st.floats(-30, 30), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_carry_takes_a_probability_one_step_on(r, a, b):
    step = torch.tensor([[1 - a, a], [b, 1 - b]], dtype=torch.float64)
    p = torch.tensor(r, dtype=torch.float64).sigmoid()
    after = carry(torch.tensor(r, dtype=torch.float64), step).sigmoid()
    assert float(after) == pytest.approx(float((1 - p) * a + p * (1 - b)), abs=1e-9)


def test_carry_saturates_and_never_amplifies():
    step = data.Islands().step
    r = torch.linspace(-40, 40, 2001, dtype=torch.float64, requires_grad=True)
    out = carry(r, step)
    (slope,) = torch.autograd.grad(out.sum(), r)
    assert float(slope.min()) > -1e-12
    assert float(slope.max()) < 1
    out = out.detach()
    assert float(out[-1]) == pytest.approx(math.log(39), abs=1e-6)
    assert float(out[0]) == pytest.approx(-math.log(59), abs=1e-6)


@pytest.mark.parametrize("both_ways", [False, True])
def test_the_labeller_is_a_gru_and_a_linear_layer(both_ways):
    model = Labeller(5, both_ways=both_ways, seed=0)
    X, _ = data.Islands().sample(3, 12, seed=0)
    gru = nn.GRU(4, 5, batch_first=True, bidirectional=both_ways)
    gru.load_state_dict(model.gru.state_dict())
    h = gru(X.transpose(1, 2))[0]
    wanted = torch.stack([model.output(h[:, t]) for t in range(12)], dim=2)
    assert torch.allclose(model(X), wanted, atol=1e-6)
    assert model(X).shape == (3, 2, 12)


@pytest.mark.parametrize("both_ways", [False, True])
def test_which_bases_a_label_depends_on(both_ways):
    model = Labeller(4, both_ways=both_ways, seed=0)
    X = torch.eye(4)[torch.tensor([[0, 1, 2, 3, 0, 1]])].transpose(1, 2)
    X.requires_grad_()
    (slope,) = torch.autograd.grad(model(X)[0, 1, 2], X)
    seen = slope[0].abs().sum(0) > 0
    assert seen.tolist() == [True, True, True, *[both_ways] * 3]


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.booleans(), st.integers(0, 5))
def test_padding_changes_no_answer(lengths, both_ways, extra):
    model = Labeller(3, both_ways=both_ways, seed=0)
    L = max(lengths) + extra
    X, _ = data.Islands().sample(len(lengths), L, seed=0)
    with torch.no_grad():
        together = model(X, torch.tensor(lengths))
        assert together.shape == (len(lengths), 2, L)
        for row, length in enumerate(lengths):
            alone = model(X[row : row + 1, :, :length])
            assert torch.allclose(together[row : row + 1, :, :length], alone, atol=1e-6)


def test_a_seed_draws_the_weights_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    one, same, other = (Labeller(seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    pairs = zip(one.parameters(), same.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(one.gru.weight_ih_l0, other.gru.weight_ih_l0)


def test_the_labeller_learns_where_islands_are():
    islands = data.Islands()
    X, y = islands.sample(64 * 60, 60, seed=0)
    model = Labeller(8, seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for xb, yb in zip(X.split(64), y.split(64), strict=True):
        loss = F.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    X_new, y_new = islands.sample(300, 60, seed=1)
    with torch.no_grad():
        right = float((model(X_new).argmax(1) == y_new).double().mean())
    p = islands.posterior(X_new)
    limit = float(((p > 0.5) == (y_new == 1)).double().mean())
    assert limit - 0.05 < right < limit + 0.01


def test_the_true_probabilities_are_calibrated():
    islands = data.Islands()
    X, y = islands.sample(800, 200, seed=0)
    mean_p, share, count = calibration(islands.posterior(X), y)
    assert int(count.sum()) == y.numel()
    assert float((mean_p - share).abs().max()) < 0.05
    wrong, share, _ = calibration(islands.posterior(X) ** 2, y)
    assert float((wrong - share).abs().max()) > 0.15


def test_calibration_counts_each_bin_and_leaves_empty_ones_open():
    p = torch.tensor([[0.0, 0.05], [0.95, 1.0]], dtype=torch.float64)
    mean_p, share, count = calibration(p, torch.tensor([[0, 1], [1, 1]]), n_bins=10)
    assert count.tolist() == [2, *[0] * 8, 2]
    assert mean_p[[0, 9]].tolist() == pytest.approx([0.025, 0.975])
    assert share[[0, 9]].tolist() == [0.5, 1.0]
    assert bool(share[1:9].isnan().all())


STEP = torch.full((2, 2), 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Labeller(0), "hidden_size must be at least 1, got 0"),
        (lambda: Labeller()(torch.zeros(2, 5, 4)), r"shape \(n, 4, L\), got \(2, 5, 4\)"),
        (lambda: Labeller()(torch.zeros(2, 4, 0)), r"shape \(n, 4, L\)"),
        (lambda: Labeller()(torch.zeros(2, 4, 5), torch.tensor([3])), "2 numbers from 1 to 5"),
        (lambda: Labeller()(torch.zeros(2, 4, 5), torch.tensor([0, 5])), "from 1 to 5"),
        (lambda: Labeller()(torch.zeros(2, 4, 5), torch.tensor([1, 6])), "from 1 to 5"),
        (lambda: carry(torch.zeros(3), torch.eye(2)), "above 0"),
        (lambda: carry(torch.zeros(3), torch.ones(3, 3)), "2 × 2"),
        (lambda: log_odds(torch.zeros(3), STEP), r"shape \(n, L\)"),
        (lambda: log_odds(torch.zeros(3, 0), STEP), r"shape \(n, L\)"),
        (lambda: calibration(torch.zeros(3), torch.zeros(4)), "one shape"),
        (lambda: calibration(torch.zeros(0), torch.zeros(0)), "hold something"),
        (lambda: calibration(torch.full((1,), math.nan), torch.zeros(1)), "from 0 to 1"),
        (lambda: calibration(torch.full((1,), 1.1), torch.zeros(1)), "from 0 to 1"),
        (lambda: calibration(torch.zeros(1), torch.full((1,), 2)), "labels 0 and 1"),
        (lambda: calibration(torch.zeros(1), torch.zeros(1), 0), "n_bins must be"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("both_ways", [False, True])
def test_training_together_is_training_one_after_the_other(both_ways):
    islands = data.Islands(9.0, 5.0)
    drawn = [islands.sample(30, 11, seed=s) for s in (1, 2, 3)]
    X, y = (torch.stack(part) for part in zip(*drawn, strict=True))
    together = [Labeller(4, both_ways=both_ways, seed=s) for s in (1, 2, 3)]
    alone = [Labeller(4, both_ways=both_ways, seed=s) for s in (1, 2, 3)]
    steps = []
    train_together(together, X, y, batch_size=8, callback=steps.append)
    assert steps == [1, 2, 3, 4]
    for net, x, labels in zip(alone, X, y, strict=True):
        adam = torch.optim.Adam(net.parameters())
        for k, (xb, yb) in enumerate(zip(x.split(8), labels.split(8), strict=True)):
            adam.param_groups[0]["lr"] = 0.04 * (1 - k / 4)
            loss = torch.nn.functional.cross_entropy(net(xb), yb)
            adam.zero_grad()
            loss.backward()
            adam.step()
    for one, other in zip(together, alone, strict=True):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.allclose(a, b, atol=1e-4)


def test_training_together_refuses_what_does_not_fit():
    X, y = data.Islands().sample(4, 5, seed=0)
    pair = [Labeller(3, seed=0), Labeller(4, seed=0)]
    with pytest.raises(ValueError, match="of one size and kind"):
        train_together(pair, torch.stack([X, X]), torch.stack([y, y]))
    with pytest.raises(ValueError, match=r"\(1, n, 4, L\)"):
        train_together(pair[:1], X, y)
