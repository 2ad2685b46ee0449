"""A convolutional GAN, against PyTorch, explicit matrices and Gaussians whose distance is known."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from dlcourse import data
from dlcourse.generative import digit_gans


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=dice(seed), dtype=torch.float64)


def covariance(d, seed=0, rank=None):
    A = normal(d, rank or d, seed=seed)
    return A @ A.T / d


# Transposed convolution


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(0, 4),
    st.integers(1, 4),
)
def test_transposed_convolution_is_pytorchs(C, K, k, stride, padding, side):
    padding = min(padding, k - 1)
    if (side - 1) * stride + k - 2 * padding < 1:
        padding = 0
    x, W = normal(2, C, side, side + 1), normal(C, K, k, k, seed=1)
    ours = digit_gans.transposed_convolution(x, W, stride=stride, padding=padding)
    theirs = F.conv_transpose2d(x, W, stride=stride, padding=padding)
    assert ours.shape == theirs.shape
    assert torch.allclose(ours, theirs)


def test_its_matrix_is_that_of_the_convolution_turned_over():
    W = normal(1, 1, 4, 4)
    small, large = (
        torch.eye(16).double().view(16, 1, 4, 4),
        torch.eye(64).double().view(64, 1, 8, 8),
    )
    down = F.conv2d(large, W, stride=2, padding=1).flatten(1)  # row: pixel of the large image
    up = digit_gans.transposed_convolution(small, W, stride=2, padding=1).flatten(1)
    assert down.shape == (64, 16)
    assert torch.equal(up, down.T)


# The networks


def test_a_seed_draws_the_weights_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    for kind in (digit_gans.DigitGenerator, digit_gans.DigitDiscriminator):
        one, same, other = (kind(seed=s) for s in (1, 1, 2))
        pairs = list(zip(one.parameters(), same.parameters(), strict=True))
        assert all(torch.equal(a, b) for a, b in pairs)
        assert not torch.equal(next(one.parameters()), next(other.parameters()))
    assert torch.equal(before, torch.random.get_rng_state())


@given(st.integers(1, 5), st.integers(1, 4), st.integers(2, 6))
def test_the_generator_by_hand(n_noise, n_maps, n):
    G = digit_gans.DigitGenerator(n_noise, n_maps, seed=0)
    z = normal(n, n_noise).float()
    x = (z @ G.dense.weight.T).view(n, 2 * n_maps, 2, 2)
    for grow, norm in ((G.grow1, G.norm1), (G.grow2, G.norm2)):
        mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
        x = F.relu((x - mean) / (var + norm.eps).sqrt())
        x = digit_gans.transposed_convolution(x, grow.weight, stride=2, padding=1)
    images = torch.sigmoid(x[:, 0] + G.grow2.bias)
    assert torch.allclose(G(z), images, atol=1e-4)
    assert images.shape == (n, 8, 8)


def test_the_discriminator_by_hand():
    D = digit_gans.DigitDiscriminator(3, seed=0)
    X = torch.rand(4, 8, 8, generator=dice())
    with torch.no_grad():
        x = X[:, None]
        for conv in (D.conv1, D.conv2):
            x = F.conv2d(x, conv.weight, conv.bias, stride=2, padding=1)
            x = torch.where(x > 0, x, 0.2 * x)
        logits = x.flatten(1) @ D.output.weight[0] + D.output.bias[0]
        assert torch.allclose(D(X), logits, atol=1e-6)


# Training


def small(seed=0):
    return (
        digit_gans.DigitGenerator(n_maps=4, seed=seed),
        digit_gans.DigitDiscriminator(n_maps=4, seed=seed),
    )


def test_one_step_is_adams_on_the_two_losses():
    X = torch.rand(32, 8, 8, generator=dice())
    G, D = small()
    by_hand_G, by_hand_D = small()
    digit_gans.train(G, D, X, n_steps=1, seed=5, batch_size=16, beta1=0.5)

    random = dice(5)
    real = X[torch.randint(32, (16,), generator=random)]
    z = torch.randn(16, 16, generator=random)
    for net, other in ((by_hand_D, by_hand_G), (by_hand_G, by_hand_D)):
        optimizer = torch.optim.Adam(net.parameters(), 0.01, (0.5, 0.99))
        if net is by_hand_D:
            fake = other(z).detach()
            loss = (
                -torch.sigmoid(net(real)).log().mean() - (1 - torch.sigmoid(net(fake))).log().mean()
            )
        else:
            other.zero_grad()
            loss = -torch.sigmoid(other(net(z))).log().mean()
        loss.backward()
        optimizer.step()
    for net, by_hand in ((D, by_hand_D), (G, by_hand_G)):
        for a, b in zip(net.parameters(), by_hand.parameters(), strict=True):
            assert torch.allclose(a, b, atol=1e-5)


def test_at_the_start_the_losses_are_those_of_somebody_who_guesses():
    G, D = small()
    with torch.no_grad():
        D.output.weight.zero_()
        D.output.bias.zero_()
    X = torch.rand(32, 8, 8, generator=dice())
    _, losses = digit_gans.train(G, D, X, n_steps=1, seed=0, batch_size=32)
    assert float(losses[0, 0]) == pytest.approx(math.log(4), abs=1e-6)


def test_the_same_seed_gives_the_same_generator_and_watching_changes_nothing():
    X = torch.rand(40, 8, 8, generator=dice())
    seen, made = [], []
    for watch in (None, lambda step, G: seen.append((step, digit_gans.sample(G, 2, seed=0)))):
        G, D = small()
        mean_G, _ = digit_gans.train(G, D, X, n_steps=5, seed=3, batch_size=8, watch=watch)
        made.append(digit_gans.sample(mean_G, 4, seed=1))
    assert torch.equal(*made)
    assert [step for step, _ in seen] == [0, 1, 2, 3, 4, 5]


def test_without_memory_the_averaged_generator_is_the_last():
    X = torch.rand(40, 8, 8, generator=dice())
    G, D = small()
    mean_G, _ = digit_gans.train(G, D, X, n_steps=4, seed=0, batch_size=8, memory=0.0)
    for a, b in zip(mean_G.state_dict().values(), G.state_dict().values(), strict=True):
        assert torch.allclose(a.double(), b.double(), atol=1e-6)


def test_training_brings_samples_nearer_to_the_digits():
    X = data.digits().images
    G, D = small()
    start = digit_gans.sample(G, 500, seed=0).flatten(1)
    mean_G, losses = digit_gans.train(G, D, X, n_steps=150, seed=0)
    end = digit_gans.sample(mean_G, 500, seed=0).flatten(1)
    real = X.flatten(1)
    before, after = (digit_gans.frechet_distance(some, real) for some in (start, end))
    assert after < 0.5 * before
    assert losses.shape == (150, 2)


def test_a_network_that_is_told_the_class_uses_it():
    G = digit_gans.DigitGenerator(4, 4, n_classes=3, seed=0).eval()
    D = digit_gans.DigitDiscriminator(4, n_classes=3, seed=0)
    z, first, last = torch.zeros(2, 4), torch.tensor([0, 0]), torch.tensor([2, 2])
    assert not torch.equal(G(z, first), G(z, last))
    X = torch.rand(2, 8, 8, generator=dice())
    answers = [D(X, torch.full((2,), k)) for k in range(3)]
    assert not torch.equal(answers[0], answers[1])
    y = torch.arange(30) % 3
    X = torch.rand(30, 8, 8, generator=dice())
    mean_G, _ = digit_gans.train(G, D, X, y=y, n_steps=2, seed=0, batch_size=8)
    assert digit_gans.sample(mean_G, 2, seed=0, classes=first).shape == (2, 8, 8)


def test_divergence_is_said():
    G, D = small()
    with torch.no_grad():
        D.output.bias.fill_(math.nan)
    with pytest.raises(FloatingPointError, match=r"at step 1; try a learning_rate below 0\.01"):
        digit_gans.train(G, D, torch.rand(8, 8, 8), n_steps=3, seed=0, batch_size=8)


# Distances


@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0, 5))
def test_two_gaussians_on_a_line(shift, s1, s2):
    zero = torch.zeros(1).double()
    a, b = torch.tensor([[s1**2]]).double(), torch.tensor([[s2**2]]).double()
    found = digit_gans.frechet_gaussians(zero, a, zero + shift, b)
    assert found == pytest.approx(shift**2 + (s1 - s2) ** 2, abs=1e-6)


@given(st.integers(1, 6), st.floats(0.1, 4), st.integers(0, 20))
def test_equal_shapes_shifted_or_scaled(d, scale, seed):
    cov, zero, shift = covariance(d, seed), torch.zeros(d).double(), normal(d, seed=seed + 1)
    moved = digit_gans.frechet_gaussians(zero, cov, shift, cov)
    assert moved == pytest.approx(float(shift.square().sum()), abs=1e-6)
    grown = digit_gans.frechet_gaussians(zero, cov, zero, scale**2 * cov)
    assert grown == pytest.approx((scale - 1) ** 2 * float(cov.trace()), abs=1e-5)


@given(st.integers(2, 6), st.integers(0, 20))
def test_it_agrees_with_the_matrix_square_root_of_scipy(d, seed):
    from scipy.linalg import sqrtm

    A, B, m = covariance(d, seed), covariance(d, seed + 100), normal(d, seed=seed)
    root = torch.as_tensor(sqrtm((A @ B).numpy()).real)
    formula = m.square().sum() + A.trace() + B.trace() - 2 * root.trace()
    found = digit_gans.frechet_gaussians(torch.zeros(d).double(), A, m, B)
    assert found == pytest.approx(float(formula), rel=1e-4, abs=1e-4)


def test_covariances_may_be_singular():
    A, B = covariance(6, 0, rank=2), covariance(6, 1, rank=3)
    zero = torch.zeros(6).double()
    there = digit_gans.frechet_gaussians(zero, A, zero, B)
    assert there == pytest.approx(digit_gans.frechet_gaussians(zero, B, zero, A))
    assert 0 < there < float(A.trace() + B.trace())
    assert digit_gans.frechet_gaussians(zero, A, zero, A) == pytest.approx(0, abs=1e-6)


def test_the_distance_of_sets_does_not_depend_on_order_or_rotation():
    A, B = normal(200, 4), 2 * normal(150, 4, seed=1) + 1
    there = digit_gans.frechet_distance(A, B)
    turn = torch.linalg.qr(normal(4, 4, seed=2))[0]
    assert digit_gans.frechet_distance(B, A.flip(0)) == pytest.approx(there)
    assert digit_gans.frechet_distance(A @ turn, B @ turn) == pytest.approx(there)
    assert digit_gans.frechet_distance(A.repeat(1, 1), A) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(400, 400), (300, 1200)])
def test_the_floor_is_what_two_draws_of_one_gaussian_show(n, m):
    lam = torch.tensor([4.0, 2.0, 1.0, 0.3, 0.0]).double()
    found = []
    for seed in range(60):
        Z = normal(n + m, 5, seed=seed) * lam.sqrt()
        found.append(digit_gans.frechet_distance(Z[:n], Z[n:]))
    shown = torch.tensor(found)
    floor = digit_gans.frechet_floor(lam.diag(), n, m)
    error = float(shown.std()) / math.sqrt(60)
    assert abs(float(shown.mean()) - floor) < 4 * error + 0.03 * floor
    assert error < 0.1 * floor


def test_copies_have_distance_zero_and_others_that_of_pythagoras():
    X = data.digits().images[:50]
    distance, row = digit_gans.nearest_distance(X[[7, 3]], X)
    assert distance.tolist() == [0.0, 0.0]
    assert row.tolist() == [7, 3]
    other, row = digit_gans.nearest_distance(X[:1], X[1:])
    assert float(other) == pytest.approx(float((X[0] - X[1 + int(row)]).square().sum().sqrt()))
    assert float(other) == pytest.approx(float((X[0] - X[1:]).square().sum((1, 2)).min().sqrt()))


@given(st.floats(0, 1))
def test_an_arc_keeps_the_length_of_right_angled_ends(t):
    a, b = torch.tensor([3.0, 0.0, 0.0]).double(), torch.tensor([0.0, 0.0, 3.0]).double()
    assert float(digit_gans.arc(a, b, t).norm()) == pytest.approx(3.0)


def test_an_arc_of_gaussian_noise_is_gaussian_noise():
    a, b = normal(20_000, 3), normal(20_000, 3, seed=1)
    for t in (0.0, 0.3, 0.5, 1.0):
        middle = digit_gans.arc(a, b, t)
        assert float(middle.var()) == pytest.approx(1, abs=0.02)
    assert torch.equal(digit_gans.arc(a, b, 0.0), a)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: digit_gans.DigitGenerator(0), "n_noise and n_maps are at least 1"),
        (lambda: digit_gans.DigitDiscriminator(0), "n_maps is at least 1"),
        (lambda: digit_gans.DigitGenerator()(torch.zeros(3, 5)), r"shape \(n, 16\), got \(3, 5\)"),
        (lambda: digit_gans.DigitDiscriminator()(torch.zeros(3, 64)), r"shape \(n, 8, 8\)"),
        (
            lambda: digit_gans.DigitGenerator(n_classes=2)(torch.zeros(3, 16)),
            "for 2 classes, but no classes were given",
        ),
        (
            lambda: digit_gans.DigitGenerator()(torch.zeros(3, 16), torch.zeros(3).long()),
            "for 0 classes, but classes were given",
        ),
        (
            lambda: digit_gans.DigitDiscriminator(n_classes=2)(
                torch.zeros(3, 8, 8), torch.zeros(2).long()
            ),
            r"3 images need as many classes, got \(2,\)",
        ),
        (
            lambda: digit_gans.train(*small(), torch.rand(8, 8, 8), n_steps=0, seed=0),
            "n_steps at least 1",
        ),
        (
            lambda: digit_gans.train(*small(), torch.rand(8, 8, 8), n_steps=1, seed=0),
            "the 8 images; got 1 and 64",
        ),
        (
            lambda: digit_gans.train(
                *small(), torch.rand(64, 8, 8), n_steps=1, seed=0, learning_rate=-1.0
            ),
            "learning_rate > 0",
        ),
        (
            lambda: digit_gans.transposed_convolution(
                torch.ones(1, 2, 3, 3), torch.ones(1, 1, 2, 2)
            ),
            r"filters \(C, K, k, k\)",
        ),
        (
            lambda: digit_gans.transposed_convolution(
                torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2), padding=2
            ),
            "padding < 2",
        ),
        (
            lambda: digit_gans.frechet_gaussians(
                torch.zeros(2), torch.eye(2), torch.zeros(3), torch.eye(3)
            ),
            r"means \(d,\)",
        ),
        (
            lambda: digit_gans.frechet_gaussians(
                torch.zeros(2), -torch.eye(2), torch.zeros(2), torch.eye(2)
            ),
            "no eigenvalue below 0",
        ),
        (lambda: digit_gans.frechet_floor(torch.full((2, 2), math.nan), 9, 9), "finite square"),
        (lambda: digit_gans.frechet_floor(torch.eye(2), 1, 9), "at least 2"),
        (lambda: digit_gans.frechet_distance(torch.ones(3, 2), torch.ones(3, 4)), "n and m ≥ 2"),
        (lambda: digit_gans.frechet_distance(torch.ones(1, 2), torch.ones(3, 2)), "n and m ≥ 2"),
        (
            lambda: digit_gans.nearest_distance(torch.ones(2, 8, 8), torch.ones(0, 8, 8)),
            "at least one",
        ),
        (lambda: digit_gans.arc(torch.ones(2), torch.ones(3), 0.5), "one shape"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
