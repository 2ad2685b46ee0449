"""The multi-layer perceptron against torch.nn, closed forms and brute-force counting."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlcourse.neuron import activations, multilayer

sizes = st.lists(st.integers(1, 6), min_size=2, max_size=5)


def layers_of(model):
    return [(layer.weight.T, layer.bias) for layer in model.layers]


@given(sizes=sizes, n=st.integers(1, 5), seed=st.integers(0, 100))
def test_mlp_equals_torch_sequential(sizes, n, seed):
    model = multilayer.MLP(sizes[0], sizes[1:-1], sizes[-1], activation=torch.tanh, seed=seed)
    torch.manual_seed(seed)
    parts = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        parts += [nn.Linear(fan_in, fan_out), nn.Tanh()]
    reference = nn.Sequential(*parts[:-1])
    X = torch.randn(n, sizes[0])
    assert torch.equal(model(X), reference(X))
    assert torch.allclose(multilayer.forward(X, layers_of(model), torch.tanh), model(X), atol=1e-6)
    hidden = model.hidden(X)
    assert [h.shape for h in hidden] == [(n, size) for size in sizes[1:-1]]


def test_seed_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    multilayer.MLP(2, [4], 1, seed=0)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("sizes", [(0, [3], 1), (2, [0], 1), (2, [3], -1), (2, [2.5], 1)])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="at least one neuron, got the sizes"):
        multilayer.MLP(*sizes)


def test_mismatched_layers_are_named():
    layers = [(torch.zeros(2, 3), torch.zeros(3)), (torch.zeros(4, 1), torch.zeros(1))]
    with pytest.raises(ValueError, match=r"layer 2 expects 4 inputs .* but 3 numbers"):
        multilayer.forward(torch.zeros(5, 2), layers, torch.relu)


def test_linear_layers_collapse():
    dice = torch.Generator().manual_seed(0)
    X, W1, b1, W2, b2 = (
        torch.randint(-9, 10, shape, generator=dice)
        for shape in [(5, 3), (3, 7), (7,), (7, 2), (2,)]
    )
    out = multilayer.forward(X, [(W1, b1), (W2, b2)], lambda z: z)
    assert torch.equal(out, X @ (W1 @ W2) + (b1 @ W2 + b2))


def test_xor_by_hand():
    X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    out = multilayer.forward(X, multilayer.xor_network(), activations.step)
    assert (out > 0).squeeze(1).tolist() == [False, True, True, False]


@pytest.mark.parametrize("n", [1, 2, 5, 32, 200])
def test_bump_network_interpolates_within_the_bound(n):
    def f(x):
        return torch.sin(3 * x) + x**2

    layers = multilayer.bump_network(f, n_bumps=n)
    knots = torch.linspace(0, 1, n + 1, dtype=torch.float64)
    assert torch.allclose(multilayer.forward(knots[:, None], layers, torch.relu)[:, 0], f(knots))
    x = torch.linspace(0, 1, 5001, dtype=torch.float64)
    error = (multilayer.forward(x[:, None], layers, torch.relu)[:, 0] - f(x)).abs().max()
    assert error <= (9 + 2) / (8 * n**2)  # |f''| = |2 - 9 sin(3x)| ≤ 11
    assert [tuple(W.shape) for W, _ in layers] == [(1, n), (n, 1)]


def test_bump_error_falls_with_slope_minus_two():
    x = torch.linspace(0, 1, 20_001, dtype=torch.float64)

    def error(n):
        layers = multilayer.bump_network(torch.exp, n_bumps=n)
        return float(
            (multilayer.forward(x[:, None], layers, torch.relu)[:, 0] - x.exp()).abs().max()
        )

    assert math.log(error(200) / error(20)) / math.log(10) == pytest.approx(-2, abs=0.03)


@pytest.mark.parametrize("depth", range(1, 12))
def test_sawtooth_has_two_to_the_depth_pieces(depth):
    layers = multilayer.sawtooth_network(depth)
    assert multilayer.count_linear_pieces(layers) == 2**depth
    x = torch.linspace(0, 1, 2**depth + 1, dtype=torch.float64)
    teeth = multilayer.forward(x[:, None], layers, torch.relu)[:, 0]
    assert teeth.tolist() == [k % 2 for k in range(2**depth + 1)]


def pieces_by_brute_force(layers, low, high):
    """Count changes of slope on a very fine grid: right if pieces are longer than two cells."""
    x = torch.linspace(low, high, 200_001, dtype=torch.float64)
    y = multilayer.forward(x[:, None], [(W.double(), b.double()) for W, b in layers], torch.relu)
    slope = y[:, 0].diff() / x.diff()
    changed = (slope.diff().abs() > 1e-6 * slope.abs().max()).long()
    return 1 + int(((changed[1:] - changed[:-1]) == 1).sum()) + int(changed[0])


@settings(max_examples=30)
@given(hidden=st.lists(st.integers(1, 6), min_size=1, max_size=3), seed=st.integers(0, 1000))
def test_count_of_random_networks(hidden, seed):
    layers = layers_of(multilayer.MLP(1, hidden, 1, seed=seed))
    counted = multilayer.count_linear_pieces(layers, low=-3, high=3)
    assert counted <= math.prod(n + 1 for n in hidden)
    # a grid may merge two kinks that fall into one cell, but can never see too many
    assert 0 <= counted - pieces_by_brute_force(layers, -3, 3) <= 1


def test_count_of_a_bump_network():
    assert multilayer.count_linear_pieces(multilayer.bump_network(torch.exp, n_bumps=50)) == 50
    straight = multilayer.bump_network(lambda x: 3 * x, n_bumps=50)
    assert multilayer.count_linear_pieces(straight) == 1


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (0.0, 0.0), (0.0, float("inf"))])
def test_bad_interval(low, high):
    with pytest.raises(ValueError, match="low must be smaller than high"):
        multilayer.count_linear_pieces(multilayer.sawtooth_network(1), low=low, high=high)


def test_counting_needs_one_input_and_one_output():
    with pytest.raises(ValueError, match="one input and one output, got 2 and 1"):
        multilayer.count_linear_pieces(multilayer.xor_network())


@pytest.mark.parametrize(
    "build",
    [lambda: multilayer.sawtooth_network(0), lambda: multilayer.bump_network(torch.sin, n_bumps=0)],
)
def test_at_least_one(build):
    with pytest.raises(ValueError, match="at least 1, got 0"):
        build()
