"""Recurrent networks, against PyTorch, autograd, finite differences, theory and loops by hand."""

import math
from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dlcourse.sequences import recurrent_networks as rn

SIZES = st.integers(1, 5)


def as_torch(net):
    """PyTorch's layer with the weights of ours."""
    theirs = nn.RNN(*net.W.shape, batch_first=True).to(net.W.dtype)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(net.W.T)
        theirs.weight_hh_l0.copy_(net.U.T)
        theirs.bias_ih_l0.copy_(net.b)
        theirs.bias_hh_l0.zero_()
    return theirs


@given(SIZES, SIZES, SIZES, SIZES, st.integers(0, 1000))
def test_states_and_slopes_are_pytorchs(B, T, D, H, seed):
    net = rn.draw_weights(D, H, 1, seeds=seed, gain=1.3, dtype=torch.float64)
    dice = torch.Generator().manual_seed(seed + 1)
    X = torch.randn(B, T, D, generator=dice).double()
    h0 = torch.randn(B, H, generator=dice).double()
    with torch.no_grad():
        net.b.copy_(torch.randn(H, generator=dice))
    ours = rn.unroll(X, net.W, net.U, net.b, h0)
    theirs = as_torch(net)
    expected, last = theirs(X, h0[None])
    assert torch.allclose(ours, expected, atol=1e-6)
    assert torch.allclose(ours[:, -1], last[0], atol=1e-6)
    dH = torch.randn(B, T, H, generator=dice).double()
    (expected * dH).sum().backward()
    slopes = rn.backward_through_time(X, ours.detach(), dH, net.W, net.U, h0)
    assert torch.allclose(slopes.W, theirs.weight_ih_l0.grad.T, atol=1e-9)
    assert torch.allclose(slopes.U, theirs.weight_hh_l0.grad.T, atol=1e-9)
    assert torch.allclose(slopes.b, theirs.bias_ih_l0.grad, atol=1e-9)


def test_slopes_by_finite_differences():
    net = rn.draw_weights(2, 3, 1, seeds=5, dtype=torch.float64)
    W, U, b = (w.detach() for w in net[:3])
    X = torch.randn(4, 6, 2, generator=torch.Generator().manual_seed(1)).double()

    def loss(U):
        return float(rn.unroll(X, W, U, b)[:, -1].square().sum())

    H = rn.unroll(X, W, U, b)
    dH = torch.zeros_like(H)
    dH[:, -1] = 2 * H[:, -1]
    slopes = rn.backward_through_time(X, H, dH, W, U)
    for i in range(3):
        for j in range(3):
            nudge = torch.zeros(3, 3).double()
            nudge[i, j] = 1e-6
            measured = (loss(U + nudge) - loss(U - nudge)) / 2e-6
            assert float(slopes.U[i, j]) == pytest.approx(measured, abs=1e-7)


def test_networks_side_by_side_are_what_each_is_alone():
    X = torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(0))
    many = rn.draw_weights(3, 5, 2, seeds=range(3))
    H = rn.unroll(X, many.W, many.U, many.b)
    assert H.shape == (3, 4, 7, 5)
    slopes = rn.backward_through_time(X, H, torch.ones_like(H), many.W, many.U)
    for seed in range(3):
        one = rn.draw_weights(3, 5, 2, seeds=seed)
        assert torch.equal(one.U, many.U[seed])
        alone = rn.unroll(X, one.W, one.U, one.b)
        assert torch.allclose(H[seed], alone, atol=1e-6)
        its = rn.backward_through_time(X, alone, torch.ones_like(alone), one.W, one.U)
        for together, single in zip(slopes, its, strict=True):
            assert torch.allclose(together[seed], single, atol=1e-4)


def test_the_signals_are_slopes_of_the_weighted_sums():
    net = rn.draw_weights(2, 4, 1, seeds=0, dtype=torch.float64)
    X = torch.randn(1, 5, 2, generator=torch.Generator().manual_seed(3)).double()
    h, zs = torch.zeros(1, 4).double(), []
    for t in range(5):
        zs.append((X[:, t] @ net.W + h @ net.U + net.b).requires_grad_())
        h = torch.tanh(zs[-1])
    expected = torch.autograd.grad(h.sum(), zs)
    H = rn.unroll(X, net.W, net.U, net.b)
    dH = torch.zeros_like(H)
    dH[:, -1] = 1
    signals = rn.backward_through_time(X, H, dH, net.W, net.U).signals
    assert torch.allclose(signals, torch.stack(expected, dim=1), atol=1e-12)


def test_the_module_answers_at_every_step_or_at_the_last():
    X = torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(0))
    before = torch.random.get_rng_state()
    every, last = rn.RNN(3, 6, 2, seed=1), rn.RNN(3, 6, 2, seed=1, only_last=True)
    assert torch.equal(before, torch.random.get_rng_state())
    assert every(X).shape == (4, 7, 2)
    assert torch.equal(every(X)[:, -1], last(X))
    # reading in two parts is reading in one
    H = rn.unroll(X[:, :3], every.W, every.U, every.b)
    assert torch.allclose(every(X[:, 3:], H[:, -1]), every(X)[:, 3:], atol=1e-6)
    assert not torch.equal(rn.RNN(3, 6, 2, seed=2).U, every.U)


def test_the_size_of_the_drawn_weights():
    net = rn.draw_weights(400, 400, 400, seeds=0, gain=1.5)
    for w, sd in ((net.W, 0.05), (net.U, 0.075), (net.V, 0.05)):
        assert float(w.detach().std()) == pytest.approx(sd, rel=0.02)
    assert not net.b.any()
    assert not net.c.any()


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.2, 2.0])
@pytest.mark.parametrize("drive", [0.05, 1.0])
def test_the_theory_predicts_wide_networks(gain, drive):
    chi, q = rn.mean_field(gain, drive)
    dice = torch.Generator().manual_seed(0)
    net = rn.draw_weights(10, 600, 1, seeds=0, gain=gain, dtype=torch.float64)
    W, U, b = (w.detach() for w in net[:3])
    X = torch.randn(4, 40, 10, generator=dice).double() * math.sqrt(drive)
    H = rn.unroll(X, W, U, b)
    assert float(torch.atanh(H[:, 20:]).square().mean()) == pytest.approx(q, rel=0.1)
    dH = torch.zeros_like(H)
    dH[:, -1] = torch.randn(4, 600, generator=dice).double()
    sizes = rn.backward_through_time(X, H, dH, W, U).signals.square().sum((0, 2))
    rate = float(sizes[-16] / sizes[-1]) ** (1 / 15)
    assert rate == pytest.approx(chi, rel=0.1)


def test_the_theory_where_it_is_known():
    assert rn.mean_field(0.8, 0.0) == pytest.approx((0.64, 0.0), abs=1e-6)  # below the edge: rest
    _, q = rn.mean_field(3.0, 0.0)
    assert q > 1  # above it activity keeps itself alive
    assert rn.mean_field(0.0, 0.7) == (0.0, 0.7)
    assert rn.mean_field(1.0, 2.0)[0] < rn.mean_field(1.0, 0.1)[0]  # saturation costs slope


@given(st.integers(1, 20), st.integers(0, 9), st.integers(2, 5), st.integers(0, 99))
def test_recall_task(n, lag, n_symbols, seed):
    X, y = rn.recall_task(n, lag, seed=seed, n_symbols=n_symbols)
    assert X.shape == (n, lag + 1, n_symbols + 1)
    assert (X[..., :-1].sum(2) == 1).all()
    assert torch.equal(X[:, 0, :-1].argmax(1), y)
    assert (X[:, 0, -1] == 1).all()
    assert not X[:, 1:, -1].any()


def test_recall_symbols_are_independent_of_the_first():
    X, y = rn.recall_task(40_000, 1, seed=0)
    second = X[:, 1, :4].argmax(1)
    share = torch.bincount(4 * y + second, minlength=16) / len(y)
    assert ((share - 1 / 16).abs() < 0.006).all()


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 9))
def test_windows_by_hand(length, horizon, extra):
    series = torch.arange(length + horizon + extra) ** 2.0
    past, future = rn.windows(series, length, horizon)
    assert len(past) == len(future) == extra + 1
    for i in range(extra + 1):
        assert past[i].tolist() == series[i : i + length].tolist()
        assert future[i] == series[i + length - 1 + horizon]


@pytest.mark.parametrize("horizon", [1, 3])
def test_autoregression_finds_the_coefficients(horizon):
    dice = torch.Generator().manual_seed(0)
    noise = torch.randn(20_000, generator=dice).double()
    x = [0.0, 0.0]
    for e in noise.tolist():
        x.append(0.5 + 1.2 * x[-1] - 0.6 * x[-2] + e)
    a = rn.autoregression(torch.tensor(x), 2, horizon)
    # k steps ahead, without noise in between, by the same recursion
    step = torch.tensor([[1.2, -0.6], [1.0, 0.0]]).double()
    far = torch.linalg.matrix_power(step, horizon)[0]
    constant, last = 0.0, torch.zeros(2).double()
    for _ in range(horizon):
        last = step @ last + torch.tensor([0.5, 0.0]).double()
        constant = float(last[0])
    assert torch.allclose(a[1:], far, atol=0.03)
    assert float(a[0]) == pytest.approx(constant, abs=0.05)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 100))
def test_origins_never_look_ahead_and_miss_nothing(first, step, rest):
    n = first + step + rest
    pairs = list(rn.rolling_origins(n, first, step))
    assert pairs[0][0].stop == first
    for (past, future), following in zip(pairs, [*pairs[1:], None], strict=True):
        assert past.start == 0
        assert past.stop == future.start
        assert future.stop - future.start == step
        if following:
            assert following[0].stop == future.stop
    assert n - step < pairs[-1][1].stop <= n


BAD = {
    "a series is a row": lambda: rn.windows(torch.zeros(3, 2), 1, 1),
    "row of finite numbers": lambda: rn.windows(torch.tensor([1.0, math.nan, 2]), 1, 1),
    "fit into 3 values; got 3 and 1": lambda: rn.windows(torch.zeros(3), 3, 1),
    "cannot settle 4 coefficients": lambda: rn.autoregression(torch.arange(6.0), 3),
    "at most the 10 values; got 8 and 3": lambda: rn.rolling_origins(10, 8, 3),
    "got 0, 3, 4": lambda: rn.recall_task(0, 3, seed=0),
    "got -1.0 and 0.0": lambda: rn.mean_field(-1.0, 0.0),
    "seeds is empty": lambda: rn.draw_weights(1, 1, 1, seeds=[]),
    "at least 1, got \\(1, 0, 1\\)": lambda: rn.RNN(1, 0, 1, seed=0),
    "gain must be": lambda: rn.draw_weights(1, 1, 1, seeds=0, gain=math.nan),
    "X holds sequences": lambda: rn.RNN(2, 3, 1, seed=0)(torch.zeros(5, 2)),
    "a step at least": lambda: rn.RNN(2, 3, 1, seed=0)(torch.zeros(5, 0, 2)),
    "for 4 inputs": lambda: rn.RNN(2, 3, 1, seed=0)(torch.zeros(5, 6, 4)),
    "H and dH have shape": lambda: rn.backward_through_time(
        torch.zeros(1, 4, 2), torch.zeros(1, 3, 3), torch.zeros(1, 3, 3), *two_weights()
    ),
}


def two_weights():
    return islice(rn.draw_weights(2, 3, 1, seeds=0), 2)


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()
