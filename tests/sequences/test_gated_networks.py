"""Gated cells against PyTorch's, against themselves without padding, and in closed form."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from dlcourse.sequences import gated_networks as gn

KINDS = {
    "rnn": (gn.RNNCell, nn.RNNCell, nn.RNN),
    "lstm": (gn.LSTMCell, nn.LSTMCell, nn.LSTM),
    "gru": (gn.GRUCell, nn.GRUCell, nn.GRU),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def pair(kind, input_size, hidden_size, seed):
    """Return our cell and PyTorch's layer with the same weights, in double precision."""
    ours, _, layer = KINDS[kind]
    torch.manual_seed(seed)
    theirs = layer(input_size, hidden_size, batch_first=True).double()
    cell = ours(input_size, hidden_size).double()
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in theirs.state_dict().items()})
    return cell, theirs


def last_states(kind, state):
    """Return PyTorch's final state as our tuple."""
    return tuple(s[0] for s in state) if kind == "lstm" else (state[0],)


@each_kind
@given(B=st.integers(1, 4), I=st.integers(1, 5), H=st.integers(1, 6), seed=st.integers(0, 99))
def test_one_step_equals_pytorchs_cell(kind, B, I, H, seed):  # noqa: E741
    ours, theirs, _ = KINDS[kind]
    torch.manual_seed(seed)
    cell, other = ours(I, H), theirs(I, H)
    cell.load_state_dict(other.state_dict())
    x, state = torch.randn(B, I), tuple(torch.randn(B, H) for _ in range(cell.n_states))
    new = cell(x, state)
    wanted = other(x, state if kind == "lstm" else state[0])
    wanted = wanted if kind == "lstm" else (wanted,)
    assert len(new) == len(wanted) == cell.n_states
    for a, b in zip(new, wanted, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-6)


@each_kind
def test_weights_go_both_ways(kind):
    ours, theirs, _ = KINDS[kind]
    cell, other = ours(3, 4, seed=0), theirs(3, 4)
    other.load_state_dict(cell.state_dict())
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in cell.state_dict().items())


@each_kind
@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=5),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 5)),
    seed=st.integers(0, 99),
)
def test_padded_sequences_equal_pytorchs_packed_ones(kind, lengths, sizes, seed):
    cell, layer = pair(kind, *sizes, seed)
    lengths = torch.tensor(lengths)
    n_steps = int(lengths.max())
    X = torch.randn(len(lengths), n_steps, sizes[0], dtype=torch.float64)
    packed = pack_padded_sequence(X, lengths, batch_first=True, enforce_sorted=False)
    packed_outputs, state = layer(packed)
    wanted, _ = pad_packed_sequence(packed_outputs, batch_first=True)
    outputs, ended = gn.run(cell, X, lengths)
    assert torch.allclose(outputs, wanted, rtol=0, atol=1e-12)
    for a, b in zip(ended, last_states(kind, state), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-12)


@each_kind
def test_the_gradients_equal_pytorchs_too(kind):
    cell, layer = pair(kind, 3, 4, 0)
    X = torch.randn(5, 6, 3, dtype=torch.float64)
    lengths = torch.tensor([6, 1, 3, 5, 6])
    outputs, _ = gn.run(cell, X, lengths)
    packed = pack_padded_sequence(X, lengths, batch_first=True, enforce_sorted=False)
    wanted, _ = pad_packed_sequence(layer(packed)[0], batch_first=True)
    outputs.square().sum().backward()
    wanted.square().sum().backward()
    theirs = dict(layer.named_parameters())
    for name, weight in cell.named_parameters():
        assert float(weight.grad.abs().max()) > 0
        assert torch.allclose(weight.grad, theirs[name + "_l0"].grad, atol=1e-10)


@each_kind
def test_slopes_equal_central_differences(kind):
    cell = KINDS[kind][0](2, 3, seed=1).double()
    X = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: gn.run(cell, x)[0], (X,))


@each_kind
def test_what_stands_in_the_padding_does_not_matter(kind):
    cell = KINDS[kind][0](2, 3, seed=0)
    X, lengths = torch.randn(3, 5, 2), torch.tensor([5, 2, 4])
    spoilt = X.clone()
    spoilt[1, 2:], spoilt[2, 4:] = math.nan, 1e30
    outputs, state = gn.run(cell, X, lengths)
    same, ended = gn.run(cell, spoilt, lengths)
    assert torch.equal(outputs, same)
    assert all(torch.equal(a, b) for a, b in zip(state, ended, strict=True))
    same.sum().backward()
    assert all(w.grad.isfinite().all() for w in cell.parameters())
    for k, n in enumerate(lengths.tolist()):  # each alone, without padding
        alone, end = gn.run(cell, X[k : k + 1, :n])
        assert torch.allclose(outputs[k, :n], alone[0], atol=1e-6)
        assert torch.allclose(state[-1][k], end[-1][0], atol=1e-6)
        assert (outputs[k, n:] == 0).all()


@given(st.floats(-5, 5), st.integers(1, 30))
def test_without_recurrent_weights_the_gradient_is_the_product_of_the_gates(bias, n_steps):
    """With U = 0 the gates do not see the past, and c_T depends on c_t through f alone."""
    f = 1 / (1 + math.exp(-bias))
    for kind in (gn.LSTMCell, gn.GRUCell):
        cell = kind(2, 4, seed=0).double()
        with torch.no_grad():
            cell.weight_hh.zero_()
            cell.bias_hh.zero_()
            cell.weight_ih.zero_()
            cell.bias_ih[4:8] = bias
        measured = gn.gradient_by_lag(cell, torch.randn(3, n_steps, 2, dtype=torch.float64))
        wanted = f ** torch.arange(n_steps + 1, dtype=torch.float64)
        assert measured.shape == (n_steps + 1,)
        assert torch.allclose(measured, wanted, rtol=1e-9, atol=0)


def test_the_plain_cell_near_zero_multiplies_by_its_matrix():
    """With inputs and biases 0 the state stays 0, where tanh has slope 1."""
    cell = gn.RNNCell(1, 6, seed=3).double()
    with torch.no_grad():
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
        q, _ = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64))
        cell.weight_hh.copy_(0.5 * q)
    measured = gn.gradient_by_lag(cell, torch.zeros(4, 8, 1, dtype=torch.float64))
    wanted = 0.5 ** torch.arange(9, dtype=torch.float64)
    assert torch.allclose(measured, wanted, rtol=1e-9, atol=0)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_remember_sets_the_gate_that_keeps(kind, which):
    H, tau = 5, torch.tensor([1.5, 2.0, 10.0, 100.0, 1e6])
    layer = KINDS[kind][which](3, H)
    before = {k: v.clone() for k, v in layer.state_dict().items()}
    gn.remember(layer, tau)
    after = layer.state_dict()
    total = sum(v for k, v in after.items() if k.startswith("bias"))[H : 2 * H]
    assert torch.allclose(total.double().sigmoid(), 1 - 1 / tau.double(), atol=1e-6)
    for k, v in after.items():
        others = torch.ones(len(v), dtype=torch.bool)
        others[H : 2 * H] = not k.startswith("bias")
        assert torch.equal(v[others], before[k][others]), f"{k} changed elsewhere"


def test_remember_reaches_every_layer_and_direction():
    layer = nn.LSTM(2, 3, num_layers=2, bidirectional=True)
    gn.remember(layer, 3.0)
    given = [v for k, v in layer.named_parameters() if k.startswith("bias_ih")]
    assert len(given) == 4
    for bias in given:
        assert torch.allclose(bias[3:6], torch.full((3,), math.log(2)))


def test_a_memory_of_tau_steps_falls_to_about_one_over_e():
    cell = gn.LSTMCell(1, 4, seed=0).double()
    gn.remember(cell, 50.0)
    with torch.no_grad():
        cell.weight_hh.zero_()
        cell.weight_ih.zero_()
    fallen = float(gn.gradient_by_lag(cell, torch.zeros(1, 50, 1, dtype=torch.float64))[-1])
    assert fallen == pytest.approx((1 - 1 / 50) ** 50, rel=1e-9)
    assert abs(fallen - math.exp(-1)) < 0.005


@each_kind
def test_a_seed_draws_the_weights_and_leaves_the_global_generator_alone(kind):
    cell = KINDS[kind][0]
    before = torch.random.get_rng_state()
    one, same, other = (cell(3, 4, seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one.weight_hh, same.weight_hh)
    assert not torch.equal(one.weight_hh, other.weight_hh)
    assert float(one.weight_hh.detach().abs().max()) <= 0.5  # 1/√4
    assert not torch.equal(cell(3, 4).weight_hh, cell(3, 4).weight_hh), "unseeded cells differ"


def test_an_lstm_with_memory_learns_to_recall():
    torch.manual_seed(0)
    X = torch.randn(512, 12, 1).sign()
    y = (X[:, 0, 0] > 0).long()
    cell, output = gn.LSTMCell(1, 8, seed=0), nn.Linear(8, 2)
    gn.remember(cell, 20.0)
    optimizer = torch.optim.Adam([*cell.parameters(), *output.parameters()], 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(output(gn.run(cell, X)[1][0]), y)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.1, "chance is 0.69"


CELL = gn.GRUCell(2, 3, seed=0)
X = torch.zeros(4, 5, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gn.LSTMCell(0, 3), "must be at least 1, got 0 and 3"),
        (lambda: gn.GRUCell(3, -1), "must be at least 1"),
        (lambda: CELL(torch.zeros(4, 5), CELL.start(4)), r"x must have shape \(B, 2\)"),
        (lambda: CELL(X[:, 0], (torch.zeros(4, 2),)), r"h must have shape \(B, 3\)"),
        (lambda: gn.run(CELL, X[0]), r"X must have shape \(B, n_steps, 2\)"),
        (lambda: gn.run(CELL, X[:, :0]), "a step at least"),
        (lambda: gn.run(CELL, X[:0]), "a sequence and a step"),
        (lambda: gn.run(CELL, X[..., :1]), r"got \(4, 5, 1\)"),
        (lambda: gn.run(CELL, X, torch.ones(4)), "whole numbers"),
        (lambda: gn.run(CELL, X, torch.ones(3).long()), "lengths holds 4 whole numbers"),
        (lambda: gn.run(CELL, X, torch.tensor([5, 5, 0, 1])), "between 1 and the 5 steps"),
        (lambda: gn.run(CELL, X, torch.tensor([5, 6, 2, 1])), "got 1 to 6"),
        (lambda: gn.gradient_by_lag(CELL, X[0]), "X must have shape"),
        (lambda: gn.remember(CELL, 1.0), "above 1, got 1.0"),
        (lambda: gn.remember(CELL, math.inf), "finite"),
        (lambda: gn.remember(CELL, torch.ones(2) * 5), r"one number or 3, got shape \(2,\)"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_plain_cell_has_nothing_to_remember_with():
    with pytest.raises(TypeError, match="an LSTM or a GRU, got RNNCell"):
        gn.remember(gn.RNNCell(1, 2), 5.0)
