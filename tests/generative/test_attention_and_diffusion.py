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
    with pytest.raises(FloatingPointError, match="step 1"):
        X = torch.full((4, 2), float("nan"))
        ad.train_denoiser(ad.Denoiser(2, seed=0), X, n_steps=2, seed=0)
