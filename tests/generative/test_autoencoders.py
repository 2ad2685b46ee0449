"""Autoencoders and their limits, against scikit-learn, SciPy, closed forms and simulation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from torch import nn

from dlcourse import data
from dlcourse.generative import autoencoders
from dlcourse.training import fit


def cloud(n, D, seed, dtype=torch.float64):
    """Points that spread unequally, in directions that are not the axes."""
    dice = torch.Generator().manual_seed(seed)
    mix = torch.randn(D, D, generator=dice, dtype=dtype) * torch.linspace(2, 0.3, D, dtype=dtype)
    return 3 + torch.randn(n, D, generator=dice, dtype=dtype) @ mix.T


# --- the network ----------------------------------------------------------------------------------


def test_a_seed_draws_the_weights_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    one, same, other = (autoencoders.Autoencoder(6, 2, seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    pairs = zip(one.parameters(), same.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


@given(st.integers(1, 5), st.integers(1, 3), st.lists(st.integers(1, 4), max_size=2))
def test_the_network_by_hand(D, k, hidden):
    net = autoencoders.Autoencoder(D, k, hidden, seed=0)
    linear = [m for m in net.modules() if isinstance(m, nn.Linear)]
    sizes = [D, *hidden, k, *hidden[::-1], D]
    assert [m.in_features for m in linear] == sizes[:-1]
    assert [m.out_features for m in linear] == sizes[1:]
    h = X = torch.randn(4, D, generator=torch.Generator().manual_seed(0))
    for i, layer in enumerate(linear):
        h = h @ layer.weight.T + layer.bias
        if i not in (len(hidden), 2 * len(hidden) + 1):  # the code and the output stay as they are
            h = h * torch.sigmoid(h)
        if i == len(hidden):
            assert torch.allclose(net.encode(X), h, atol=1e-5)
    assert torch.allclose(net(X), h, atol=1e-5)
    assert net.encode(X).shape == (4, k)


def test_noise_is_added_in_training_mode_only():
    net = autoencoders.Autoencoder(3, 3, (), noise=0.5, seed=0)
    with torch.no_grad():
        for part in (net.encode[0], net.decode[0]):
            part.weight.copy_(torch.eye(3))
            part.bias.zero_()
    X = torch.zeros(20_000, 3)
    torch.manual_seed(0)
    assert abs(float(net.train()(X).detach().std()) - 0.5) < 0.01
    assert torch.equal(net.eval()(X), X)


def test_reconstruction_error_is_a_mean_over_columns():
    half = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        half.weight.copy_(torch.eye(2) / 2)
    X = torch.tensor([[2.0, 0.0], [4.0, 2.0]])
    assert autoencoders.reconstruction_error(half, X).tolist() == [0.5, 2.5]


# --- training side by side ------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [(), (5,), (6, 4)])
def test_side_by_side_each_goes_the_way_it_would_go_alone(hidden):
    X = torch.stack([cloud(45, 6, seed=s) for s in range(3)])
    make = lambda: [autoencoders.Autoencoder(6, 2, hidden, seed=s).double() for s in range(3)]  # noqa: E731
    together, alone = make(), make()
    history = autoencoders.train(
        together, X, n_epochs=4, batch_size=20, learning_rate=0.02, seeds=[7, 8, 9]
    )
    for k, net in enumerate(alone):
        told = fit(
            net, X[k], X[k], loss=nn.functional.mse_loss, n_epochs=4, batch_size=20, seed=7 + k,
            learning_rate=0.02, schedule=lambda t: 1 - t / 12, device="cpu", progress=False,
        )  # fmt: skip
        assert torch.allclose(together[k](X[k]), net(X[k]), atol=1e-8)
        assert history[:, k].tolist() == pytest.approx(told.train_loss)
    assert not any(net.training for net in together)


def test_the_seeds_decide_and_the_global_generator_is_left_alone():
    X = cloud(20, 3, seed=0, dtype=torch.float32)[None]

    def trained(seed, noise):
        net = autoencoders.Autoencoder(3, 2, (4,), noise=noise, seed=0)
        autoencoders.train([net], X, n_epochs=2, batch_size=8, seeds=[seed])
        return net(X[0])

    before = torch.random.get_rng_state()
    for noise in (0.0, 0.5):
        assert torch.equal(trained(1, noise), trained(1, noise))
        assert not torch.equal(trained(1, noise), trained(2, noise))
    assert torch.equal(before, torch.random.get_rng_state())
    assert not torch.equal(trained(1, 0.0), trained(1, 0.5))


def test_a_linear_denoising_autoencoder_comes_to_the_wiener_filter():
    X = cloud(4000, 3, seed=5)
    X = X - X.mean(0)
    net = autoencoders.Autoencoder(3, 3, (), noise=1.0, seed=0).double()
    autoencoders.train([net], X[None], n_epochs=60, batch_size=100)
    with torch.no_grad():
        W = net(torch.eye(3).double()) - net(torch.zeros(1, 3).double())
    assert torch.allclose(W, autoencoders.wiener(X, 1.0)[1], atol=0.05)


def test_the_callback_sees_the_new_weights():
    X = cloud(20, 3, seed=0)[None]
    net, seen = autoencoders.Autoencoder(3, 1, (), seed=0).double(), []
    look = lambda epoch: seen.append((epoch, net(X[0]).detach().clone()))  # noqa: E731
    autoencoders.train([net], X, n_epochs=3, batch_size=20, callback=look)
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert not torch.equal(seen[0][1], seen[1][1])
    assert torch.equal(seen[-1][1], net(X[0]))


def test_divergence_is_said():
    X = 1e3 * cloud(20, 3, seed=0, dtype=torch.float32)[None]
    net = autoencoders.Autoencoder(3, 3, (4,), seed=0)
    with pytest.raises(FloatingPointError, match="network 0 diverged in epoch"):
        autoencoders.train([net], X, n_epochs=20, learning_rate=1e18, batch_size=5)


# --- principal axes: the limit --------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 7])
def test_pca_agrees_with_scikit_learn(k):
    X = cloud(200, 7, seed=0)
    ours, theirs = autoencoders.pca(X, k), PCA(k).fit(X.numpy())
    assert torch.allclose(ours.mean, torch.from_numpy(theirs.mean_))
    variances = torch.from_numpy(theirs.explained_variance_) * 199 / 200
    assert torch.allclose(ours.variances[:k], variances)
    back = theirs.inverse_transform(theirs.transform(X.numpy()))
    assert torch.allclose(ours(X), torch.from_numpy(back))
    assert torch.allclose(ours.axes @ ours.axes.T, torch.eye(k, dtype=X.dtype), atol=1e-12)


@given(st.integers(2, 12), st.integers(1, 6), st.data())
def test_what_is_lost_are_the_variances_left_out(n, D, draw):
    k = draw.draw(st.integers(1, D))
    X = cloud(n, D, seed=n)
    axes = autoencoders.pca(X, k)
    lost = (axes(X) - X).square().sum(1).mean()
    assert float(lost) == pytest.approx(float(axes.variances[k:].sum()), abs=1e-9)
    assert (axes.variances.diff() <= 1e-12).all()
    assert len(axes.variances) == D


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_no_pair_of_matrices_beats_the_principal_axes(seed, k):
    """Eckart and Young; even if the decoder is the best one for a random encoder."""
    X = cloud(50, 5, seed=0)
    away = X - X.mean(0)
    encoder = torch.randn(5, k, generator=torch.Generator().manual_seed(seed), dtype=X.dtype)
    z = away @ encoder
    decoder = torch.linalg.lstsq(z, away).solution
    best = autoencoders.pca(X, k)(X)
    assert (z @ decoder - away).square().mean() >= (best - X).square().mean() - 1e-12


def test_a_linear_autoencoder_comes_to_the_principal_axes():
    X = cloud(300, 6, seed=1, dtype=torch.float32)
    X = X - X.mean(0)
    net = autoencoders.Autoencoder(6, 2, (), seed=0)
    n_steps = 1500
    fit(
        net, X, X, loss=nn.functional.mse_loss, n_epochs=n_steps, batch_size=None, device="cpu",
        learning_rate=0.02, schedule=lambda t: 1 - t / n_steps, progress=False,
    )  # fmt: skip
    best = autoencoders.pca(X, 2)
    reached = float((autoencoders.reconstruction_error(net, X)).mean())
    limit = float((best(X) - X).square().mean())
    assert limit * (1 - 1e-5) <= reached <= limit * 1.01
    angles = autoencoders.principal_angles(net.decode[0].weight.detach().T, best.axes)
    assert float(angles.max()) < math.radians(3)


# --- angles between subspaces ---------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(0, 1000), st.data())
def test_principal_angles_agree_with_scipy(D, seed, draw):
    k = draw.draw(st.integers(1, D))
    dice = torch.Generator().manual_seed(seed)
    A, B = (torch.randn(k, D, generator=dice, dtype=torch.float64) for _ in "ab")
    ours = autoencoders.principal_angles(A, B)
    theirs = np.sort(subspace_angles(A.numpy().T, B.numpy().T))
    assert np.allclose(ours.numpy(), theirs, atol=1e-6)
    assert (ours.diff() >= -1e-9).all()


@given(st.floats(1e-9, math.pi / 2), st.floats(0.1, 10), st.booleans())
def test_an_angle_in_closed_form_however_small(angle, length, swap):
    A = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0]], dtype=torch.float64)
    turned = [0.0, math.cos(angle), math.sin(angle), 0.0]
    B = length * torch.tensor([[1.0, 0, 0, 0], turned], dtype=torch.float64)
    B = B.flip(0) if swap else B
    found = autoencoders.principal_angles(A, B)
    assert float(found[0]) == pytest.approx(0, abs=1e-12)
    assert float(found[1]) == pytest.approx(angle, rel=1e-5)


# --- denoising ------------------------------------------------------------------------------------


def test_the_wiener_filter_is_the_least_squares_fit_to_noisy_copies():
    X, sigma = cloud(400, 4, seed=2), 1.5
    mean, W = autoencoders.wiener(X, sigma)
    dice = torch.Generator().manual_seed(0)
    clean = X.repeat(500, 1)
    noisy = clean + sigma * torch.randn(clean.shape, generator=dice, dtype=X.dtype)
    fitted = torch.linalg.lstsq(noisy - mean, clean - mean).solution
    assert torch.allclose(W, fitted, atol=0.01)
    error = float((mean + (noisy - mean) @ W - clean).square().mean())
    assert error == pytest.approx(float(sigma**2 * W.trace() / 4), rel=0.01)


def test_the_wiener_filter_along_the_principal_axes():
    X, sigma = cloud(100, 5, seed=3), 0.7
    axes = autoencoders.pca(X, 5)
    gains = axes.variances / (axes.variances + sigma**2)
    _, W = autoencoders.wiener(X, sigma)
    assert torch.allclose(axes.axes @ W @ axes.axes.T, torch.diag(gains), atol=1e-10)


@pytest.mark.parametrize(("sigma", "radius"), [(0.05, 1.0), (0.3, 1.0), (1.0, 2.0), (5.0, 1.0)])
def test_the_ring_posterior_mean_against_a_sum_over_the_ring(sigma, radius):
    angle = torch.arange(20_000, dtype=torch.float64) * (2 * math.pi / 20_000)
    ring = radius * torch.stack([angle.cos(), angle.sin()], dim=1)
    dice = torch.Generator().manual_seed(0)
    y = ring[::1000] + sigma * torch.randn(20, 2, generator=dice, dtype=torch.float64)
    weights = (-torch.cdist(y, ring).square() / (2 * sigma**2)).softmax(1)
    by_sum = weights @ ring
    ours = autoencoders.ring_posterior_mean(y, sigma, radius)
    assert torch.allclose(ours, by_sum, atol=1e-8)


def test_the_middle_of_the_ring_stays_in_the_middle():
    zero = torch.zeros(1, 2)
    assert torch.equal(autoencoders.ring_posterior_mean(zero, 0.1), zero)


# --- what is strange ------------------------------------------------------------------------------


def test_mahalanobis_agrees_with_scipy():
    train, X = cloud(60, 4, seed=4), cloud(9, 4, seed=5)
    inverse = np.linalg.inv(np.cov(train.numpy().T))
    theirs = cdist(X.numpy(), train.numpy().mean(0)[None], "mahalanobis", VI=inverse)[:, 0]
    assert np.allclose(autoencoders.mahalanobis(train, X).numpy(), theirs)


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_mahalanobis_does_not_mind_units(scale, shift):
    train, X = cloud(60, 3, seed=4), cloud(9, 3, seed=5)
    units = torch.tensor([scale, 1.0, 1.0], dtype=torch.float64)
    plain = autoencoders.mahalanobis(train, X)
    other = autoencoders.mahalanobis(train * units + shift, X * units + shift)
    assert torch.allclose(plain, other, rtol=1e-6)


def test_the_nearest_distance_by_looking_at_all():
    train, X = cloud(20, 3, seed=6), cloud(5, 3, seed=7)
    by_hand = [min(math.dist(a.tolist(), b.tolist()) for b in train) for a in X]
    assert autoencoders.nearest_distance(train, X).tolist() == pytest.approx(by_hand)
    assert float(autoencoders.nearest_distance(train, train).max()) < 1e-6


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40).filter(
        lambda rows: len({label for _, label in rows}) == 2
    )
)
def test_the_area_agrees_with_scikit_learn_also_with_ties(rows):
    scores = torch.tensor([float(s) for s, _ in rows])
    y = torch.tensor([int(label) for _, label in rows])
    ours = autoencoders.area_under_roc(scores, y)
    assert ours == pytest.approx(roc_auc_score(y.numpy(), scores.numpy()))
    assert autoencoders.area_under_roc(-scores, y) == pytest.approx(1 - ours)


def test_what_benign_looks_like_finds_malignant():
    """On the real tumours every score of this module beats chance by far."""
    tumours = data.breast_cancer()
    benign, malignant = tumours.X[tumours.y == 1], tumours.X[tumours.y == 0]
    train, rest = benign[:250], benign[250:]
    scale = lambda X: (X - train.mean(0)) / train.std(0)  # noqa: E731
    X = scale(torch.cat([rest, malignant]))
    y = torch.cat([torch.zeros(len(rest)), torch.ones(len(malignant))]).long()
    for score in (autoencoders.mahalanobis, autoencoders.nearest_distance):
        assert autoencoders.area_under_roc(score(scale(train), X), y) > 0.85
    residual = autoencoders.pca(scale(train), 5)
    assert autoencoders.area_under_roc((residual(X) - X).square().mean(1), y) > 0.85


# --- input that cannot be meant -------------------------------------------------------------------

ONES = torch.ones(3, 2)
NET = autoencoders.Autoencoder(4, 2, seed=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: autoencoders.Autoencoder(0, 1), "at least 1 neuron"),
        (lambda: autoencoders.Autoencoder(4, 2, (8, 0)), r"got sizes \[4, 8, 0, 2\]"),
        (lambda: autoencoders.Autoencoder(4, 2, noise=-1.0), "0 or more, got -1"),
        (lambda: autoencoders.Autoencoder(4, 2, noise=math.nan), "0 or more, got nan"),
        (lambda: autoencoders.train([NET, NET], torch.ones(2, 5, 4)), "an object of its own"),
        (
            lambda: autoencoders.train([NET, autoencoders.Autoencoder(4, 3)], torch.ones(2, 5, 4)),
            "of one shape",
        ),
        (lambda: autoencoders.train([], torch.ones(2, 5, 4)), "of one shape"),
        (lambda: autoencoders.train([NET], torch.ones(5, 4)), r"\(K, n, D\)"),
        (lambda: autoencoders.train([NET], torch.ones(1, 5, 3)), r"got \(1, 5, 3\)"),
        (lambda: autoencoders.train([NET], torch.ones(1, 5, 4)), "from 1 to n = 5"),
        (
            lambda: autoencoders.train([NET], torch.ones(1, 5, 4), batch_size=5, seeds=[0, 1]),
            "seeds must be 1 numbers",
        ),
        (
            lambda: autoencoders.train([NET], torch.ones(1, 5, 4), batch_size=5, learning_rate=0.0),
            "learning_rate positive",
        ),
        (lambda: autoencoders.pca(ONES, 3), "between 1 and D = 2"),
        (lambda: autoencoders.pca(ONES, 0), "got n_axes = 0"),
        (lambda: autoencoders.pca(ONES[:1], 1), "and 1 rows"),
        (lambda: autoencoders.pca(ONES.long(), 1), "X must be floats"),
        (lambda: autoencoders.pca(ONES[0], 1), r"got torch.float32 \(2,\)"),
        (lambda: autoencoders.principal_angles(ONES, ONES[:2]), "the same shape"),
        (lambda: autoencoders.principal_angles(ONES, ONES), "1 ≤ k ≤ D"),
        (lambda: autoencoders.principal_angles(ONES[:2], torch.eye(2)), "rows of A span fewer"),
        (lambda: autoencoders.wiener(ONES, 0.0), "above 0, got 0"),
        (lambda: autoencoders.wiener(ONES[0], 1.0), r"\(n, D\)"),
        (lambda: autoencoders.ring_posterior_mean(torch.ones(3, 3), 1.0), r"shape \(n, 2\)"),
        (lambda: autoencoders.ring_posterior_mean(ONES, 0.0), "above 0, got 0"),
        (lambda: autoencoders.ring_posterior_mean(ONES, 1.0, -1.0), "and -1"),
        (lambda: autoencoders.mahalanobis(ONES, ONES), "fewer than D = 2 directions"),
        (lambda: autoencoders.mahalanobis(ONES, torch.ones(3, 3)), "same number of columns"),
        (lambda: autoencoders.nearest_distance(ONES, torch.ones(3)), "X must be floats"),
        (lambda: autoencoders.area_under_roc(torch.ones(3), torch.ones(2)), "one length"),
        (lambda: autoencoders.area_under_roc(torch.ones(3), torch.ones(3)), r"got \[1.0\]"),
        (lambda: autoencoders.area_under_roc(torch.ones(2), torch.tensor([1, 2])), "1 and 0"),
        (
            lambda: autoencoders.area_under_roc(torch.tensor([math.nan, 1]), torch.tensor([0, 1])),
            "NaN or infinite",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
