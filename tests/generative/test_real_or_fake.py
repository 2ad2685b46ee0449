"""Styles layer by layer, a detector, and how well real and fake can be told apart at best."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from dlcourse import data
from dlcourse.generative import real_or_fake
from dlcourse.generative.real_or_fake import Detector, StyleGenerator


def dice(seed):
    return torch.Generator().manual_seed(seed)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(2, 5), st.integers(0, 99))
def test_adain_sets_mean_and_spread_of_every_map(n, n_maps, side, seed):
    x = torch.randn(n, n_maps, side, side, generator=dice(seed), dtype=torch.float64)
    scale = torch.rand(n, n_maps, generator=dice(seed + 1), dtype=torch.float64) + 0.5
    shift = torch.randn(n, n_maps, generator=dice(seed + 2), dtype=torch.float64)
    out = real_or_fake.adain(x, scale, shift, eps=0.0)
    assert torch.allclose(out.mean((2, 3)), shift, atol=1e-9)
    assert torch.allclose(out.std((2, 3), correction=0), scale, atol=1e-9)
    normal = F.instance_norm(x, eps=0.0)
    assert torch.allclose(out, scale[:, :, None, None] * normal + shift[:, :, None, None])


def test_adain_forgets_what_scale_and_shift_the_maps_had():
    x, style = torch.randn(2, 3, 4, 4, generator=dice(0)).double(), torch.ones(2, 3).double()
    once = real_or_fake.adain(x, style, style, eps=0.0)
    assert torch.allclose(once, real_or_fake.adain(7 * x - 2, style, style, eps=0.0))
    flat = real_or_fake.adain(torch.ones(1, 1, 2, 2), torch.ones(1, 1), torch.zeros(1, 1))
    assert torch.equal(flat, torch.zeros(1, 1, 2, 2)), "a constant map stays finite"


def test_a_seed_draws_the_weights_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    for network in (StyleGenerator, Detector):
        one, same, other = (list(network(seed=s).parameters()) for s in (1, 1, 2))
        assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
        assert any(not torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert torch.equal(before, torch.random.get_rng_state())


def test_one_style_for_all_layers_is_the_same_style_three_times():
    G = StyleGenerator(seed=0)
    w = G.mapping(torch.randn(4, 16, generator=dice(0)), torch.arange(4))
    assert torch.equal(G.draw(w), G.draw(torch.stack([w, w, w])))
    assert torch.equal(G.draw(w), G(torch.randn(4, 16, generator=dice(0)), torch.arange(4)))


@pytest.mark.parametrize("layer", range(3))
def test_each_layer_obeys_its_own_style(layer):
    G = StyleGenerator(seed=0)
    w = G.mapping(torch.randn(6, 16, generator=dice(0)), torch.arange(6))
    mixed = torch.stack([w[:3]] * 3)
    mixed[layer] = w[3:]
    changed = (G.draw(mixed) - G.draw(w[:3])).detach().abs().amax((1, 2))
    assert float(changed.min()) > 1e-4


def test_the_image_of_a_generator_by_hand():
    G = StyleGenerator(3, 4, 2, n_classes=2, seed=0)
    z, classes = torch.randn(5, 3, generator=dice(0)), torch.tensor([0, 1, 0, 1, 1])
    told = torch.cat([z, torch.eye(2)[classes]], 1)
    hidden = F.leaky_relu(told @ G.dense1.weight.T + G.dense1.bias, 0.2)
    w = F.leaky_relu(hidden @ G.dense2.weight.T + G.dense2.bias, 0.2)
    assert torch.allclose(G.mapping(z, classes), w, atol=1e-6)
    x = G.constant.repeat(5, 1, 1, 1)
    for k in range(3):
        if k:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
            weight, bias = G.convolutions[k - 1].weight, G.convolutions[k - 1].bias
            x = F.conv2d(x, weight, bias, padding=1)
        style = w @ G.styles[k].weight.T + G.styles[k].bias
        half = x.shape[1]
        x = real_or_fake.adain(F.leaky_relu(x, 0.2), style[:, :half], style[:, half:])
    image = torch.einsum("nchw,c->nhw", x, G.to_image.weight[0, :, 0, 0]) + G.to_image.bias
    assert torch.allclose(G.draw(w), image.sigmoid(), atol=1e-5)


def test_noise_changes_the_image_and_none_is_added_unasked():
    G = StyleGenerator(seed=0)
    w = G.mapping(torch.zeros(2, 16), torch.arange(2))
    quiet, one, same, other = (G.draw(w, dice=d) for d in (None, dice(1), dice(1), dice(2)))
    assert torch.equal(quiet, G.draw(w))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, quiet)
    with torch.no_grad():
        for strength in G.noise:
            strength.zero_()
    assert torch.allclose(G.draw(w, dice=dice(1)), G.draw(w))


def test_the_detector_adds_what_the_class_says():
    D = Detector(4, n_classes=10, seed=0)
    X = torch.rand(7, 8, 8, generator=dice(0))
    answers = torch.stack([D(X, torch.full((7,), k)) for k in range(10)])
    assert answers.shape == (10, 7)
    with torch.no_grad():
        D.output.weight[1:] = 0
        D.output.bias[1:] = torch.arange(10.0)
    plain = torch.stack([D(X, torch.full((7,), k)) - k for k in range(10)])
    assert torch.allclose(plain, plain[:1].expand(10, 7), atol=1e-5)


def test_the_same_seed_plays_the_same_game_and_moves_both_players():
    X, y = torch.rand(64, 8, 8, generator=dice(0)), torch.arange(64) % 10

    def play():
        G, D = StyleGenerator(n_maps=4, seed=0), Detector(4, n_classes=10, seed=0)
        mean_G, losses = real_or_fake.train(G, D, X, y, n_steps=4, seed=3)
        return [*mean_G.parameters(), *D.parameters()], losses

    (weights, losses), (again, same) = play(), play()
    assert torch.equal(losses, same)
    assert losses.shape == (4, 2)
    assert all(torch.equal(a, b) for a, b in zip(weights, again, strict=True))
    start = [*StyleGenerator(n_maps=4, seed=0).parameters()]
    moved = zip(start, weights[: len(start)], strict=True)
    assert all(not torch.equal(a, b) for a, b in moved)


def test_the_first_losses_are_those_of_the_formula():
    X, y = torch.rand(8, 8, 8, generator=dice(0)), torch.zeros(8, dtype=torch.long)
    G, D = StyleGenerator(n_maps=4, seed=0), Detector(4, n_classes=10, seed=0)
    with torch.no_grad():
        for p in D.parameters():
            p.zero_()
    _, losses = real_or_fake.train(G, D, X, y, n_steps=1, seed=0, batch_size=8)
    assert float(losses[0, 0]) == pytest.approx(math.log(4), abs=1e-6)


def test_the_class_of_digits_is_learnt():
    """After a short game, images of one class look more like that class than like others."""
    digits = data.digits()
    X, y = digits.X.view(-1, 8, 8), digits.y
    G, D = StyleGenerator(seed=0), Detector(n_classes=10, seed=0)
    G, _ = real_or_fake.train(G, D, X, y, n_steps=100, seed=0)
    asked = torch.arange(200) % 10
    with torch.no_grad():
        made = G(torch.randn(200, 16, generator=dice(0)), asked)
    means = torch.stack([X[y == k].mean(0) for k in range(10)])
    nearest = torch.cdist(made.flatten(1), means.flatten(1)).argmin(1)
    assert float((nearest == asked).double().mean()) > 0.3, "a guess is right in 0.1 of them"


@given(st.floats(0, 1))
def test_levels_are_sixteenths_and_digits_have_them_already(value):
    rounded = float(real_or_fake.to_levels(torch.tensor(value)))
    assert 16 * rounded == round(16 * rounded)
    assert abs(rounded - value) <= 1 / 32 + 1e-6


def test_real_digits_stay_what_they_are():
    X = data.digits().X
    assert torch.equal(real_or_fake.to_levels(X), X)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.integers(0, 99))
def test_total_variation_is_the_best_detectors_gain(weights, seed):
    p = torch.tensor(weights, dtype=torch.float64)
    q = torch.rand(len(p), generator=dice(seed), dtype=torch.float64) + 0.01
    p, q = p / p.sum(), q / q.sum()
    best = float(0.5 * torch.maximum(p, q).sum())  # says "p" where p is greater
    assert (1 + real_or_fake.total_variation(p, q)) / 2 == pytest.approx(best)


def test_total_variation_at_both_ends():
    p = torch.tensor([0.2, 0.8, 0.0, 0.0])
    assert real_or_fake.total_variation(p, p) == 0
    assert real_or_fake.total_variation(p, p.flip(0)) == pytest.approx(1)


@pytest.mark.parametrize(("psi", "n"), [(0.7, 1), (0.5, 3), (0.9, 16)])
def test_the_best_detector_of_tame_points_by_counting(psi, n):
    x = torch.randn(200_000, n, generator=dice(0), dtype=torch.float64)
    squared = x.square().sum(1)

    def ratio(r2):  # ln of real density over fake density
        return n * math.log(psi) + r2 * (1 / psi**2 - 1) / 2

    right = (ratio(squared) > 0).double().mean() + (ratio(psi**2 * squared) < 0).double().mean()
    assert float(right) / 2 == pytest.approx(real_or_fake.tame_accuracy(psi, n), abs=0.005)


def test_one_tame_number_in_closed_form():
    psi = 0.6
    edge = math.sqrt(2 * math.log(1 / psi) / (1 / psi**2 - 1))

    def inside(x):
        return math.erf(x / math.sqrt(2))

    expected = 0.5 * (1 + inside(edge / psi) - inside(edge))
    assert real_or_fake.tame_accuracy(psi, 1) == pytest.approx(expected, abs=1e-9)
    rising = [real_or_fake.tame_accuracy(psi, n) for n in (1, 2, 4, 8, 16)]
    assert rising == sorted(rising)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    # closed forms: (α/2)^(1/n) and 1 - (α/2)^(1/n); 10 of 20 is a table's value
    [
        (0, 20, 0.0, 1 - 0.025 ** (1 / 20)),
        (20, 20, 0.025 ** (1 / 20), 1.0),
        (10, 20, 0.27196, 0.72804),
        (1, 1, 0.025, 1.0),
    ],
)
def test_exact_intervals(k, n, low, high):
    assert real_or_fake.binomial_interval(k, n) == pytest.approx((low, high), abs=1e-5)


@given(st.integers(1, 12), st.floats(0.02, 0.98))
def test_the_interval_holds_the_truth_at_least_as_often_as_it_says(n, p):
    covered = 0.0
    for k in range(n + 1):
        low, high = real_or_fake.binomial_interval(k, n)
        if low <= p <= high:
            covered += math.comb(n, k) * p**k * (1 - p) ** (n - k)
    assert covered > 0.95 - 1e-6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: StyleGenerator(0), "at least 1; got 0"),
        (lambda: StyleGenerator(seed=0).mapping(torch.zeros(2, 3), torch.zeros(2)), r"\(n, 16\)"),
        (lambda: StyleGenerator(seed=0).draw(torch.zeros(2, 5, 32)), r"w has shape"),
        (lambda: StyleGenerator(seed=0).draw(torch.zeros(2, 31)), r"w has shape"),
        (lambda: Detector(0), "n_maps is at least 1"),
        (lambda: Detector()(torch.zeros(2, 7, 8)), r"shape \(n, 8, 8\), got \(2, 7, 8\)"),
        (lambda: Detector()(torch.zeros(2, 8, 8), torch.zeros(2)), "made for 0 classes"),
        (lambda: Detector(n_classes=3)(torch.zeros(2, 8, 8)), "no classes were given"),
        (lambda: real_or_fake.adain(torch.zeros(1, 2, 3, 3), torch.ones(1, 3), torch.ones(1, 2)),
         r"scale and shift of shape \(n, C\)"),
        (lambda: real_or_fake.total_variation(torch.ones(2), torch.ones(2)), "its sum is 2"),
        (lambda: real_or_fake.total_variation(torch.ones(1), torch.tensor([0.5, 0.5])),
         "as many outcomes, got 1 and 2"),
        (lambda: real_or_fake.tame_accuracy(1.0, 3), "ψ lies between 0 and 1"),
        (lambda: real_or_fake.binomial_interval(3, 2), "0 ≤ k ≤ n"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("wrong", [{"n_steps": 0}, {"batch_size": 65}, {"mixing": 2.0}])
def test_settings_of_the_game_that_cannot_be(wrong):
    X, y = torch.rand(64, 8, 8), torch.arange(64) % 10
    G, D = StyleGenerator(n_maps=2, seed=0), Detector(2, n_classes=10, seed=0)
    with pytest.raises(ValueError, match="got"):
        real_or_fake.train(G, D, X, y, **({"n_steps": 1, "seed": 0} | wrong))


def test_a_loss_that_is_no_number_is_reported():
    X, y = torch.full((64, 8, 8), math.nan), torch.arange(64) % 10
    G, D = StyleGenerator(n_maps=2, seed=0), Detector(2, n_classes=10, seed=0)
    with pytest.raises(FloatingPointError, match="at step 1; try a learning_rate below"):
        real_or_fake.train(G, D, X, y, n_steps=1, seed=0)
