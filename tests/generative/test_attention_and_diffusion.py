"""Attention against PyTorch; the exact denoiser against Tweedie's formula."""

import pytest
import torch
from torch.nn import functional as F

from dlcourse.generative import attention_and_diffusion as ad

RING = ad.Mixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 0.2)


def test_attend_is_pytorchs() -> None:
    Q, K, V = torch.randn(2, 4, 3), torch.randn(2, 5, 3), torch.randn(2, 5, 6)
    answers, weights = ad.attend(Q, K, V)
    torch.testing.assert_close(answers, F.scaled_dot_product_attention(Q, K, V))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4))


def test_attend_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="expected, got"):
        ad.attend(torch.zeros(2, 3), torch.zeros(2, 4), torch.zeros(2, 1))


def test_bits_are_those_marked() -> None:
    X, y = ad.marked_bits(200, 12, seed=1)
    assert (X[..., 1].sum(1) == 1).all()
    assert torch.equal((X[..., 0] * X[..., 1]).sum(1) > 0, y.bool())


@pytest.mark.parametrize("lag", [0, 12])
def test_impossible_lags(lag: int) -> None:
    with pytest.raises(ValueError, match="lag"):
        ad.marked_bits(2, 12, seed=0, lag=lag)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_denoise_is_tweedies(sigma: float) -> None:
    x = (2 * torch.randn(20, 2)).double().requires_grad_()
    exact = ad.Mixture(RING.means.double(), RING.sd)
    (score,) = torch.autograd.grad(exact.log_density(x, sigma).sum(), x)
    torch.testing.assert_close(exact.denoise(x, sigma), x + sigma**2 * score)


def test_no_linear_denoiser_beats_the_exact_one() -> None:
    clean = RING.sample(5000, seed=0)
    noisy = clean + torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    best = (RING.denoise(noisy, 1.0) - clean).square().mean()
    for share in (0.2, 0.4, 0.6, 1.0):
        assert best < (share * noisy - clean).square().mean()


def test_exact_samples_come_from_all_modes() -> None:
    points = ad.reverse(RING.denoise, 600, 2, seed=0)[-1]
    home = torch.cdist(points, RING.means).argmin(1).bincount(minlength=3)
    assert (home > 120).all()


def test_training_lowers_the_loss() -> None:
    net = ad.Denoiser(2, 16, seed=0)
    losses = ad.train_denoiser(net, RING.sample(500, seed=0), n_steps=200, seed=0)
    assert losses[-50:].mean() < losses[:10].mean()


def test_divergence_is_said() -> None:
    X = torch.full((4, 2), float("nan"))
    with pytest.raises(FloatingPointError, match="step 1"):
        ad.train_denoiser(ad.Denoiser(2, seed=0), X, n_steps=2, seed=0)


@pytest.mark.parametrize("bad", [{"n_hidden": 0}, {"n_classes": -1}])
def test_impossible_denoisers(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        ad.Denoiser(2, **bad)


def test_a_denoiser_wants_classes_if_and_only_if_it_knows_some() -> None:
    x, sigma, classes = torch.zeros(3, 2), torch.ones(3, 1), torch.tensor([0, 1, 2])
    assert ad.Denoiser(2, 8, n_classes=3)(x, sigma, classes).shape == (3, 2)
    with pytest.raises(ValueError, match="made for 3 classes, but no"):
        ad.Denoiser(2, 8, n_classes=3)(x, sigma)
    with pytest.raises(ValueError, match="made for 0 classes, but classes"):
        ad.Denoiser(2, 8)(x, sigma, classes)


def test_a_class_is_learnt() -> None:
    y = torch.arange(400) % 2
    X = torch.where(y[:, None] == 0, -1.0, 1.0) + 0.05 * torch.randn(400, 1)
    net = ad.Denoiser(1, 16, n_classes=2, seed=0)
    ad.train_denoiser(net, X, n_steps=150, seed=0, classes=y)
    for k, place in ((0, -1.0), (1, 1.0)):
        asked = torch.full((50,), k)
        end = ad.reverse(lambda x, s, c=asked: net(x, s, c), 50, 1, seed=1)[-1]
        assert float((end - place).abs().mean()) < 0.3


def test_the_exact_denoiser_of_single_points_copies_them() -> None:
    X = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    made = ad.reverse(ad.Mixture(X, 1e-3).denoise, 40, 4, seed=1)[-1]
    assert float(torch.cdist(made, X).amin(1).max()) < 0.1


def test_impossible_settings() -> None:
    net = ad.Denoiser(2, 8)
    with pytest.raises(ValueError, match="levels"):
        ad.train_denoiser(net, torch.zeros(5, 2), n_steps=1, seed=0, levels=(2.0, 1.0))
    with pytest.raises(ValueError, match="n_steps"):
        ad.reverse(net, 5, 2, seed=0, n_steps=1)
    with pytest.raises(ValueError, match="expected, got"):
        net(torch.zeros(3, 2), torch.ones(3))
    with pytest.raises(ValueError, match="sd > 0"):
        ad.Mixture(torch.zeros(2, 2), 0.0)
