"""Vanishing gradients against PyTorch, closed forms, finite differences and published values."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from dlcourse.learning import vanishing_gradients as vg

sizes = st.lists(st.integers(1, 6), min_size=2, max_size=5)


def some(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Drawing weights


@given(sizes=sizes, init=st.sampled_from(vg.INITIALIZATIONS), n=st.integers(1, 4))
def test_layers_have_the_shapes_promised(sizes, init, n):
    single = vg.draw_layers(sizes, init=init, seeds=3)
    many = vg.draw_layers(sizes, init=init, seeds=range(3, 3 + n))
    for (W, b), (Ws, bs), fan_in, fan_out in zip(single, many, sizes[:-1], sizes[1:], strict=True):
        assert W.shape == (fan_in, fan_out)
        assert b.shape == (fan_out,)
        assert Ws.shape == (n, fan_in, fan_out)
        assert bs.shape == (n, 1, fan_out)
        assert torch.equal(Ws[0], W)
        assert torch.equal(bs[0, 0], b)
        assert all(t.requires_grad and t.is_leaf for t in (W, b, Ws, bs))


@pytest.mark.parametrize(
    ("init", "variance"),
    [("pytorch", 1 / 1200), ("glorot", 2 / 1000), ("he", 2 / 400), (1.5, 2.25 / 400)],
)
def test_weights_have_the_variance_promised(init, variance):
    ((W, b),) = vg.draw_layers([400, 600], init=init, seeds=1)
    n = W.numel()
    assert abs(float(W.detach().var()) / variance - 1) < 5 * math.sqrt(2 / n)
    assert abs(float(W.detach().mean())) < 5 * math.sqrt(variance / n)
    assert (b.detach() == 0).all() == (init != "pytorch")


def test_the_default_is_that_of_pytorch():
    ((W, b),) = vg.draw_layers([400, 600], init="pytorch", seeds=1)
    torch.manual_seed(0)
    theirs = nn.Linear(400, 600)
    for mine, other in ((W, theirs.weight), (b, theirs.bias)):
        mine, other = mine.detach(), other.detach()
        assert mine.abs().max() <= 1 / 20
        assert float(mine.abs().max()) == pytest.approx(float(other.abs().max()), rel=0.02)
        assert float(mine.std()) == pytest.approx(float(other.std()), rel=0.1)


@given(n=st.integers(1, 8), m=st.integers(1, 8), seed=st.integers(0, 99))
def test_orthogonal_weights_are_orthogonal(n, m, seed):
    ((W, _),) = vg.draw_layers([n, m], init="orthogonal", seeds=seed)
    gram = W @ W.T if n <= m else W.T @ W
    assert torch.allclose(gram, torch.eye(min(n, m)).double(), atol=1e-12)


@pytest.mark.parametrize(
    ("sizes", "init", "seeds", "message"),
    [
        ([4], "he", 0, "two or more numbers of neurons"),
        ([4, 0], "he", 0, r"≥ 1, got \[4, 0\]"),
        ([4, 4], "xavier", 0, "one of .*'glorot'.* got 'xavier'"),
        ([4, 4], 0.0, 0, "a number σ > 0, got 0.0"),
        ([4, 4], float("nan"), 0, "got nan"),
        ([4, 4], "he", [], "seeds is empty"),
    ],
)
def test_bad_requests_for_weights_are_refused(sizes, init, seeds, message):
    with pytest.raises(ValueError, match=message):
        vg.draw_layers(sizes, init=init, seeds=seeds)


# Running


def test_forward_equals_torch_sequential():
    layers = vg.draw_layers([5, 7, 7, 3], init="pytorch", seeds=0)
    parts = []
    for W, b in layers:
        linear = nn.Linear(*W.shape).double()
        linear.weight.data, linear.bias.data = W.detach().T.clone(), b.detach().clone()
        parts += [linear, nn.Tanh()]
    X = some(4, 5)
    zs = vg.forward(X, layers, torch.tanh)
    assert torch.allclose(zs[-1], nn.Sequential(*parts[:-1])(X))
    assert torch.allclose(zs[0], parts[0](X))


def test_networks_side_by_side_do_not_mix():
    many = vg.draw_layers([5, 6, 6, 2], init="he", seeds=[4, 9])
    X = some(8, 5)
    for options in ({}, {"normalize": vg.batch_norm}, {"shortcut": 0.5}):
        together = vg.forward(X, many, torch.relu, **options)
        for s, seed in enumerate([4, 9]):
            alone = vg.forward(
                X, vg.draw_layers([5, 6, 6, 2], init="he", seeds=seed), torch.relu, **options
            )
            for a, b in zip(together, alone, strict=True):
                assert torch.allclose(a[s], b)


def test_a_shortcut_adds_the_layer_to_its_input():
    layers = vg.draw_layers([3, 4, 4, 2], init="he", seeds=0)
    X = some(6, 3)
    zs = vg.forward(X, layers, torch.relu, shortcut=0.3)
    (W1, _), (W2, _), (W3, _) = layers
    z1 = X @ W1
    z2 = z1 + 0.3 * torch.relu(z1) @ W2
    for z, expected in zip(zs, [z1, z2, torch.relu(z2) @ W3], strict=True):
        assert torch.allclose(z, expected)
    assert torch.equal(vg.forward(X, layers, torch.relu, shortcut=0.0)[1], zs[0])


def test_mismatched_inputs_are_named():
    layers = vg.draw_layers([3, 4, 2], init="he", seeds=0)
    with pytest.raises(ValueError, match=r"layer 1 expects 3 inputs .* but 5 numbers"):
        vg.forward(some(6, 5), layers, torch.relu)
    with pytest.raises(ValueError, match=r"layer 2 expects 2 inputs .* but 4 numbers"):
        vg.forward(some(6, 3), [layers[0], (some(2, 2), some(2))], torch.relu)


# Normalizing


@given(B=st.integers(2, 9), H=st.integers(1, 9), seed=st.integers(0, 50))
def test_normalization_equals_pytorch(B, H, seed):
    z = 3 * some(B, H, seed=seed) + 1
    assert torch.allclose(vg.batch_norm(z), F.batch_norm(z, None, None, training=True))
    assert torch.allclose(vg.layer_norm(z), F.layer_norm(z, (H,)))


def test_batch_norm_with_rows_equals_pytorch_with_fixed_statistics():
    z = some(20, 3)
    mean, variance = z[:12].mean(0), z[:12].var(0, correction=0)
    expected = F.batch_norm(z, mean, variance, training=False)
    assert torch.allclose(vg.batch_norm(z, rows=12), expected)
    changed = z.clone()
    changed[15] += 100
    same = torch.arange(20) != 15
    assert torch.equal(vg.batch_norm(changed, rows=12)[same], vg.batch_norm(z, rows=12)[same])


@pytest.mark.parametrize(("z", "rows"), [(torch.zeros(1, 3), None), (torch.zeros(5, 3), 1)])
def test_a_single_example_has_no_deviation(z, rows):
    with pytest.raises(ValueError, match="two examples or more, got 1"):
        vg.batch_norm(z, rows=rows)


# Measuring


def test_gradient_norms_equal_backward_and_finite_differences():
    layers = vg.draw_layers([4, 5, 5, 3], init="he", seeds=2)
    X, y = some(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    weights = [W for W, _ in layers]
    loss = F.cross_entropy(vg.forward(X, layers, torch.tanh)[-1], y)
    norms = vg.gradient_norms(loss, weights)
    loss.backward()
    assert torch.allclose(norms, torch.stack([W.grad.norm() for W in weights]))
    W, h, slopes = weights[0].detach(), 1e-6, []
    for i in range(W.numel()):
        losses = []
        for step in (h, -h):
            moved = W.clone()
            moved.view(-1)[i] += step
            shifted = [(moved, layers[0][1]), *layers[1:]]
            losses.append(F.cross_entropy(vg.forward(X, shifted, torch.tanh)[-1], y).item())
        slopes.append((losses[0] - losses[1]) / (2 * h))
    assert math.hypot(*slopes) == pytest.approx(float(norms[0]), rel=1e-6)


def test_norms_of_many_networks_are_those_of_each():
    X, y = some(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    many = vg.draw_layers([4, 5, 3], init="glorot", seeds=range(3))
    zs = vg.forward(X, many, torch.tanh)
    loss = sum(F.cross_entropy(z, y) for z in zs[-1])
    together = vg.gradient_norms(loss, zs)
    assert together.shape == (2, 3)
    for seed in range(3):
        alone = vg.forward(X, vg.draw_layers([4, 5, 3], init="glorot", seeds=seed), torch.tanh)
        expected = vg.gradient_norms(F.cross_entropy(alone[-1], y), alone)
        assert torch.allclose(together[:, seed], expected)


def test_norms_need_a_finite_number_that_depends_on_the_tensors():
    W = torch.ones(2, 2, requires_grad=True)
    with pytest.raises(ValueError, match="one finite number"):
        vg.gradient_norms(W * 2, [W])
    with pytest.raises(ValueError, match="one finite number, got nan"):
        vg.gradient_norms(W.sum() * float("nan"), [W])
    with pytest.raises(ValueError, match=r"tensors number \[1\]"):
        vg.gradient_norms(W.sum(), [W, torch.ones(2, 2, requires_grad=True)])


# Clipping


@given(
    shapes=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4),
    max_norm=st.floats(0.01, 100),
    seed=st.integers(0, 50),
)
def test_clipping_equals_pytorch(shapes, max_norm, seed):
    mine = [torch.zeros(*s, dtype=torch.float64, requires_grad=True) for s in shapes]
    for k, p in enumerate(mine):
        p.grad = 10 * some(*p.shape, seed=seed + k)
    theirs = [p.detach().clone().requires_grad_() for p in mine]
    for p, q in zip(mine, theirs, strict=True):
        q.grad = p.grad.clone()
    before = vg.clip_by_norm(mine, max_norm)
    assert before == pytest.approx(float(torch.nn.utils.clip_grad_norm_(theirs, max_norm)))
    for p, q in zip(mine, theirs, strict=True):
        assert torch.allclose(p.grad, q.grad, rtol=1e-5)
    after = float(torch.cat([p.grad.flatten() for p in mine]).norm())
    assert after <= max_norm * (1 + 1e-9)


def test_short_gradients_are_left_alone():
    p = torch.zeros(2, requires_grad=True)
    p.grad = torch.tensor([0.3, 0.4])
    assert vg.clip_by_norm([p, torch.zeros(1)], 5.0) == pytest.approx(0.5)
    assert torch.equal(p.grad, torch.tensor([0.3, 0.4]))


def test_clipping_says_what_is_wrong():
    p = torch.zeros(2, requires_grad=True)
    with pytest.raises(ValueError, match="backward"):
        vg.clip_by_norm([p], 1.0)
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="max_norm must be greater than 0"):
            vg.clip_by_norm([p], bad)
    p.grad = torch.tensor([1.0, float("nan")])
    with pytest.raises(FloatingPointError, match="exploded"):
        vg.clip_by_norm([p], 1.0)


# Predicting


@given(q=st.floats(0, 20), power=st.integers(0, 6))
def test_quadrature_is_exact_for_polynomials(q, power):
    moments = [1, 0, q, 0, 3 * q**2, 0, 15 * q**3]
    got = vg.gaussian_mean(lambda z: z**power, q)
    assert got == pytest.approx(moments[power], rel=1e-9, abs=1e-9)


@given(q=st.floats(0.01, 10))
def test_quadrature_equals_the_closed_forms_for_erf_and_relu(q):
    """Williams (1997), "Computing with infinite networks", NIPS 9, for the error function."""
    got = vg.gaussian_mean(lambda z: torch.erf(z / math.sqrt(2)).square(), q)
    assert got == pytest.approx(2 / math.pi * math.asin(q / (1 + q)), abs=1e-6)
    assert vg.gaussian_mean(lambda z: torch.relu(z).square(), q) == pytest.approx(q / 2)
    assert vg.gaussian_mean(lambda z: (z > 0).double(), q) == pytest.approx(0.5)
    slope = vg.mean_field(lambda z: torch.erf(z / math.sqrt(2)), 2, sigma_w=1, q1=q).chi
    assert float(slope) == pytest.approx(2 / math.pi / math.sqrt(1 + 2 * q), abs=1e-6)


def test_quadrature_equals_a_sum_over_many_random_numbers():
    xi = some(1_000_000)
    for g in (torch.tanh, torch.sigmoid):
        sample = g(1.3 * xi).square()
        error = float(sample.std()) / 1000
        assert abs(vg.gaussian_mean(lambda z, g=g: g(z).square(), 1.69) - sample.mean()) < 5 * error


def test_he_is_critical_for_relu_and_one_for_tanh():
    theory = vg.mean_field(torch.relu, 30, sigma_w=math.sqrt(2), q1=0.7)
    assert torch.allclose(theory.q, torch.full((30,), 0.7).double())
    assert torch.allclose(theory.signals(), torch.ones(30).double())
    _, chi = vg.fixed_point(torch.tanh, sigma_w=0.8)
    assert chi == pytest.approx(0.64, abs=1e-6)


def test_the_edge_of_chaos_with_biases_is_an_edge_by_another_integration_too():
    """For tanh and σ_b² = 0.05 the edge lies near σ_w² = 1.76."""
    q, chi = vg.fixed_point(torch.tanh, sigma_w=math.sqrt(1.76), sigma_b=math.sqrt(0.05))
    xi = torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    density = torch.exp(-xi.square() / 2) / math.sqrt(2 * math.pi)
    h = torch.tanh(math.sqrt(q) * xi)
    again = 1.76 * float(torch.trapezoid(density * h.square(), xi)) + 0.05
    slope = 1.76 * float(torch.trapezoid(density * (1 - h.square()).square(), xi))
    assert q == pytest.approx(again, abs=1e-9)
    assert chi == pytest.approx(slope, abs=1e-6)
    assert chi == pytest.approx(1, abs=2e-3)


def test_a_wide_network_does_what_is_predicted():
    X = some(8, 400)
    X = X / X.square().mean(1, keepdim=True).sqrt()
    for g, sigma in ((torch.tanh, 1.5), (torch.sigmoid, 2.0), (torch.relu, 1.0)):
        layers = vg.draw_layers([400] * 9, init=sigma, seeds=range(10))
        zs = vg.forward(X, layers, g)
        theory = vg.mean_field(g, 8, sigma_w=sigma, q1=sigma**2)
        q = torch.stack([z.detach().square().mean() for z in zs])
        assert torch.allclose(q, theory.q, rtol=0.1)
        loss = (zs[-1] * some(8, 400, seed=5)).sum()
        norms = vg.gradient_norms(loss, zs).square().mean(1).sqrt()
        assert torch.allclose(norms / norms[-1], theory.signals(), rtol=0.1)


def test_fixed_point_gives_up_with_a_reason():
    with pytest.raises(ValueError, match="edge of chaos"):
        vg.fixed_point(torch.tanh, sigma_w=1.0, max_layers=50)
    with pytest.raises(ValueError, match="grows without bound"):
        vg.fixed_point(torch.relu, sigma_w=2.0)


@settings(max_examples=20)
@given(depth=st.integers(-3, 0))
def test_bad_questions_to_the_theory_are_refused(depth):
    with pytest.raises(ValueError, match=f"depth={depth}"):
        vg.mean_field(torch.tanh, depth, sigma_w=1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma_w": 0.0}, "sigma_w=0.0"),
        ({"sigma_w": float("nan")}, "sigma_w=nan"),
        ({"sigma_w": 1.0, "sigma_b": -1.0}, "sigma_b=-1.0"),
        ({"sigma_w": 1.0, "q1": -1.0}, "not negative; got -1.0"),
    ],
)
def test_bad_variances_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        vg.mean_field(torch.tanh, 3, **arguments)


@pytest.mark.parametrize("n_nodes", [0, 1, 7])
def test_nodes_are_even(n_nodes):
    with pytest.raises(ValueError, match=f"even and at least 2, got {n_nodes}"):
        vg.gaussian_mean(torch.square, 1.0, n_nodes=n_nodes)
