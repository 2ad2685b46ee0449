"""Convolutional networks against PyTorch, published counts, finite differences, planted truths."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from dlcourse import data
from dlcourse.training import choose_device, evaluate, fit
from dlcourse.vision import convolutional_networks as convnets


def test_digit_net_equals_a_torch_sequential():
    model = convnets.DigitNet(seed=0).eval()
    reference = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        *(model.conv1, nn.ReLU(), model.conv2, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(model.dense, nn.ReLU(), model.output),
    )
    X = torch.rand(7, 64)
    assert torch.equal(model(X), reference(X))
    assert torch.equal(model(X), model(X.view(7, 8, 8)))
    assert torch.equal(model(X), model(X.view(7, 1, 8, 8)))


def test_lenet_has_the_published_numbers_of_weights():
    """LeCun et al. (1998), section II.B, layer by layer."""
    parts = {name: convnets.n_parameters(p) for name, p in convnets.LeNet5().named_children()}
    published = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164}
    assert {name: parts[name] for name in published} == published
    assert sum(published.values()) == 60_000
    assert parts["output"] == 850


def test_the_table_of_c3_is_that_of_the_paper():
    sees = convnets.C3_SEES
    assert [len(maps) for maps in sees] == [3] * 6 + [4] * 9 + [6]
    assert len(set(sees)) == 16
    seen_by = [sum(k in maps for maps in sees) for k in range(6)]
    assert seen_by == [10] * 6


def test_lenet_shapes_and_what_c3_does_not_see():
    model = convnets.LeNet5(seed=1)
    X = torch.rand(3, 784)
    assert model(X).shape == (3, 10)
    assert torch.equal(model(X), model(X.view(3, 28, 28)))
    subsampled = model.S2(model.C1(F.pad(X.view(3, 1, 28, 28), (2, 2, 2, 2))))
    assert subsampled.shape == (3, 6, 14, 14)
    first = model.C3[0](subsampled[:, [0, 1, 2]])
    assert first.shape == (3, 1, 10, 10)


@pytest.mark.parametrize("make", [convnets.DigitNet, convnets.LeNet5, convnets.MotifNet])
def test_a_seed_draws_the_weights_and_leaves_the_global_generator_alone(make):
    before = torch.random.get_rng_state()
    one, same, other = make(seed=1), make(seed=1), make(seed=2)
    assert torch.equal(before, torch.random.get_rng_state())
    pairs = zip(one.parameters(), same.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


def test_digit_net_learns_the_digits():
    digits = data.digits()
    part = data.split(digits.X, digits.y, seed=0)
    model = convnets.DigitNet(seed=0)
    fit(model, part.X_train, part.y_train, n_epochs=4, batch_size=64, device="cpu")
    assert evaluate(model, part.X_test, part.y_test).accuracy > 0.94


@given(st.integers(1, 5), st.integers(1, 6), st.integers(-7, 7), st.integers(-7, 7))
def test_shift_moves_every_pixel(H, W, down, right):
    X = torch.arange(1, 2 * H * W + 1).view(2, H, W)
    moved = convnets.shift(X, down, right)
    assert moved.shape == X.shape
    for i in range(H):
        for j in range(W):
            a, b = i - down, j - right
            inside = 0 <= a < H and 0 <= b < W
            assert moved[0, i, j] == (X[0, a, b] if inside else 0)


@given(st.integers(0, 50))
def test_random_shifts_are_shifts_by_at_most_one(seed):
    X = torch.rand(6, 4, 5)
    dice = torch.Generator().manual_seed(seed)
    moved = convnets.shift_at_random(X, dice, still=0.3)
    possible = torch.stack(
        [convnets.shift(X, down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    )
    assert bool((possible == moved).flatten(2).all(2).any(0).all())
    assert torch.equal(convnets.shift_at_random(X, dice, still=1.0), X)


def test_saliency_equals_finite_differences():
    torch.manual_seed(0)
    model = convnets.DigitNet(seed=0).double().eval()
    X, classes = torch.rand(2, 64, dtype=torch.float64), torch.tensor([3, 7])
    slopes = convnets.saliency(model, X, classes)
    for row, pixel in ((0, 5), (1, 30), (1, 63)):
        step = torch.zeros_like(X)
        step[row, pixel] = 1e-6
        rise = model(X + step)[row, classes[row]] - model(X - step)[row, classes[row]]
        assert float(rise.detach()) / 2e-6 == pytest.approx(float(slopes[row, pixel]), abs=1e-5)
    assert all(p.grad is None for p in model.parameters())
    assert not X.requires_grad


@given(st.integers(1, 3), st.integers(1, 8), st.integers(0, 20))
def test_motif_net_by_hand(n_filters, width, seed):
    X = torch.eye(4)[torch.randint(4, (3, 12))].transpose(1, 2)
    for pool in ("max", "soft"):
        model = convnets.MotifNet(n_filters, width, pool=pool, seed=seed)
        W, b = model.filters.weight, model.filters.bias
        windows = [X[:, :, i : i + width] for i in range(12 - width + 1)]
        answers = torch.stack([torch.einsum("nbw,fbw->nf", x, W) + b for x in windows])
        pooled = answers.amax(0) if pool == "max" else answers.exp().sum(0).log()
        assert torch.allclose(model(X), model.output(pooled), atol=1e-5)


def test_one_soft_filter_of_log_odds_is_the_likelihood_ratio():
    motif = data.gata()
    model = convnets.MotifNet(1, motif.width, seed=0).double()
    with torch.no_grad():
        model.filters.weight[0] = motif.log_odds
        model.filters.bias.zero_()
        model.output.weight.copy_(torch.tensor([[0.0], [1.0]]))
        model.output.bias.copy_(torch.tensor([0.0, -math.log(33)]))
    X, _ = motif.sample(50, seed=0)
    logits = model(X.double())
    ratio = motif.log_likelihood_ratio(X)
    assert torch.allclose(logits[:, 1] - logits[:, 0], ratio, atol=1e-9)


def test_a_planted_filter_counts_its_pwm():
    """A filter of log-odds finds nearly certain sites, and counting them gives their matrix."""
    pwm = torch.full((4, 6), 0.01, dtype=torch.float64)
    pwm[[0, 1, 2, 3, 0, 1], range(6)] = 0.97
    motif = data.Motif(pwm, length=20)
    X, y = motif.sample(2000, seed=0)
    model = convnets.MotifNet(1, 6)
    with torch.no_grad():
        model.filters.weight[0] = motif.log_odds
    counted = convnets.filter_pwms(model, X[y == 1], share=1.0)[0].double()
    assert torch.allclose(counted.sum(0), torch.ones(6, dtype=torch.float64))
    assert float((counted - pwm).abs().max()) < 0.03


def test_information_content_in_closed_form():
    columns = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4]).T
    assert convnets.information_content(columns).tolist() == pytest.approx([2, 1, 0])
    pwm = data.gata().pwm
    assert torch.allclose(convnets.information_content(pwm), data.gata().information)


@given(st.integers(0, 4), st.floats(0.1, 10), st.floats(-3, 3))
def test_best_match_ignores_scale_place_and_columns_constants(offset, scale, constant):
    target = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    wide = torch.zeros(4, 9)
    wide[:, offset : offset + 5] = scale * target + constant
    r, found = convnets.best_match(wide, target)
    assert (round(r, 4), found) == (1.0, offset)
    assert convnets.best_match(-target, target)[0] == pytest.approx(-1, abs=1e-5)
    assert convnets.best_match(torch.ones(4, 9), target)[0] == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: convnets.DigitNet((0, 4)), "at least one filter or neuron"),
        (lambda: convnets.DigitNet(p=1.0), r"probability in \[0, 1\), got 1.0"),
        (lambda: convnets.DigitNet()(torch.zeros(2, 63)), r"shape \(n, 64\), .* got \(2, 63\)"),
        (lambda: convnets.LeNet5()(torch.zeros(2, 64)), r"got \(2, 64\)"),
        (lambda: convnets.MotifNet(0), "must be at least 1"),
        (lambda: convnets.MotifNet(pool="mean"), "pool is 'soft' or 'max', got 'mean'"),
        (lambda: convnets.MotifNet()(torch.zeros(2, 5, 40)), r"shape \(n, 4, length\)"),
        (lambda: convnets.MotifNet()(torch.zeros(2, 4, 9)), "at least the filters' 10 bases"),
        (lambda: convnets.shift(torch.zeros(3), 1, 1), r"shape \(\.\.\., height, width\)"),
        (lambda: convnets.shift_at_random(torch.zeros(3), torch.Generator()), "height, width"),
        (
            lambda: convnets.shift_at_random(torch.zeros(1, 2, 2), torch.Generator(), still=2),
            "probability, got 2",
        ),
        (
            lambda: convnets.saliency(nn.Linear(2, 3), torch.zeros(2, 2), torch.tensor([0])),
            "2 examples need as many classes",
        ),
        (
            lambda: convnets.saliency(nn.Linear(2, 3), torch.zeros(1, 2), torch.tensor([3])),
            r"must lie in 0 … 2, got \[3\]",
        ),
        (
            lambda: convnets.filter_pwms(convnets.MotifNet(), torch.zeros(2, 4, 40), share=0),
            "share must lie above 0",
        ),
        (lambda: convnets.information_content(torch.ones(3, 5)), r"shape \(\.\.\., 4, width\)"),
        (lambda: convnets.best_match(torch.ones(4, 3), torch.ones(4, 5)), "v ≤ w"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.mnist
def test_lenet_reads_mnist():
    """At most 1.0% of the test images misread; LeCun et al. (1998) published 0.95%."""
    try:
        train, test = data.mnist()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    model, n_steps = convnets.LeNet5(seed=0), 20 * -(-60_000 // 128)
    falling = {"learning_rate": 0.002, "schedule": lambda step: 1 - step / n_steps}
    fit(model, train.X, train.y, n_epochs=20, batch_size=128, **falling)
    accuracy = evaluate(model, test.X, test.y).accuracy
    assert accuracy >= 0.99, f"{accuracy:.2%} on {choose_device()}"
