"""Convolutional networks against PyTorch, published counts, finite differences, exact shifts."""

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


def test_lenet_shapes_and_what_c3_sees():
    model = convnets.LeNet5(seed=1)
    X = torch.rand(3, 784)
    assert model(X).shape == (3, 10)
    assert torch.equal(model(X), model(X.view(3, 28, 28)))
    subsampled = model.S2(model.C1(F.pad(X.view(3, 1, 28, 28), (2, 2, 2, 2))))
    assert subsampled.shape == (3, 6, 14, 14)
    maps, at = model.C3(subsampled), 0
    for f, seen in enumerate(convnets.C3_SEES):  # one map after the other
        kernel = model.C3.weight[at : at + len(seen)]
        want = F.conv2d(subsampled[:, list(seen)], kernel[None])[:, 0] + model.C3.bias[f]
        assert torch.allclose(maps[:, f], want, atol=1e-5)
        at += len(seen)
    assert at == 60


@pytest.mark.parametrize("make", [convnets.DigitNet, convnets.LeNet5])
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


@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 50))
def test_jitter_without_amplitude_changes_nothing(H, W, seed):
    X = torch.rand(3, H, W)
    for nothing in ({"degrees": 0, "zoom": 0, "pixels": 0, "still": 0}, {"still": 1}):
        dice = torch.Generator().manual_seed(seed)
        assert torch.allclose(convnets.jitter(X, dice, **nothing), X, atol=1e-5)


def test_jitter_moves_by_what_it_drew():
    """The centre of a blob moves by at most `pixels`, evenly, and both ways."""
    blob = torch.zeros(1, 9, 9)
    blob[0, 3:6, 3:6] = 1.0
    dice = torch.Generator().manual_seed(0)
    X = blob.expand(2000, 9, 9)
    moved = convnets.jitter(X, dice, degrees=0, zoom=0, pixels=2.0, still=0)
    assert torch.allclose(moved.sum((1, 2)), torch.tensor(9.0), atol=1e-4)
    for axis in (1, 2):
        at = (moved.sum(3 - axis) * torch.arange(9)).sum(1) / 9 - 4
        assert float(at.abs().max()) <= 2.0001
        assert abs(float(at.mean())) < 0.1
        assert float(at.std()) == pytest.approx(2 / 3**0.5, abs=0.05)  # even from -2 to 2


def test_jitter_turns_and_zooms():
    """A lying bar of nine pixels, turned by up to 90 degrees, may stand; its zoom is its length."""
    bar = torch.zeros(1, 17, 17)
    bar[0, 8, 4:13] = 1.0
    dice, X = torch.Generator().manual_seed(0), bar.expand(500, 17, 17)
    turned = convnets.jitter(X, dice, degrees=90, zoom=0, pixels=0, still=0)
    height = (turned.sum(2) > 0.5).sum(1)  # rows with ink
    assert int(height.min()) == 1
    assert int(height.max()) == 9
    zoomed = convnets.jitter(X, dice, degrees=0, zoom=0.5, pixels=0, still=0)
    length = (zoomed[:, 8] > 0.25).sum(1)
    assert 5 <= int(length.min()) <= 7
    assert 15 <= int(length.max()) <= 17


def test_jitter_leaves_the_share_that_is_still():
    X = torch.rand(4000, 4, 4)
    moved = convnets.jitter(X, torch.Generator().manual_seed(0), still=0.3)
    same = float(((moved - X).abs().amax((1, 2)) < 1e-5).double().mean())
    assert same == pytest.approx(0.3, abs=0.03)  # 4 standard errors


def test_jitter_draws_from_its_generator_only():
    X, before = torch.rand(5, 8, 8), torch.random.get_rng_state()
    one, same, other = (
        convnets.jitter(X, torch.Generator().manual_seed(s), still=0) for s in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


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


def test_saliency_of_a_linear_network_is_its_weights():
    model, classes = nn.Linear(5, 3), torch.tensor([2, 0, 2])
    slopes = convnets.saliency(model, torch.rand(3, 5), classes)
    assert torch.equal(slopes, model.weight[classes].detach())


def jitter_one(**settings):
    return convnets.jitter(torch.zeros(1, 2, 2), torch.Generator(), **settings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: convnets.DigitNet(p=1.0), r"probability in \[0, 1\), got 1.0"),
        (lambda: convnets.DigitNet()(torch.zeros(2, 63)), r"shape \(n, 64\), .* got \(2, 63\)"),
        (lambda: convnets.LeNet5()(torch.zeros(2, 64)), r"got \(2, 64\)"),
        (lambda: convnets.jitter(torch.zeros(3), torch.Generator()), "height, width"),
        (lambda: convnets.jitter(torch.ones(1, 2, 2).int(), torch.Generator()), "got torch.int32"),
        (lambda: jitter_one(still=2), r"still must lie in \[0, 1\].*still=2"),
        (lambda: jitter_one(zoom=1), "zoom=1"),
        (lambda: jitter_one(pixels=-1), "pixels=-1"),
        (
            lambda: convnets.saliency(nn.Linear(2, 3), torch.zeros(2, 2), torch.tensor([0])),
            "2 examples need as many classes",
        ),
        (
            lambda: convnets.saliency(nn.Linear(2, 3), torch.zeros(1, 2), torch.tensor([3])),
            r"must lie in 0 … 2, got \[3\]",
        ),
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
    model, dice = convnets.LeNet5(seed=0), torch.Generator().manual_seed(0)
    optimizer, n_steps = torch.optim.Adam(model.parameters(), lr=0.002), -(-60_000 // 128)
    for epoch in range(20):
        images = convnets.jitter(train.images, dice, pixels=2.0)
        falling = [1 - (epoch + t / n_steps) / 20 for t in range(n_steps)]
        options = {"optimizer": optimizer, "schedule": falling.__getitem__, "batch_size": 128}
        fit(model, images, train.y, n_epochs=1, seed=epoch, **options)
    accuracy = evaluate(model, test.X, test.y).accuracy
    assert accuracy >= 0.99, f"{accuracy:.2%} on {choose_device()}"
