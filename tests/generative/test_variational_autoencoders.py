"""Variational autoencoders, against closed forms, integrals, PyTorch and probabilistic PCA."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Independent, Normal, kl_divergence

from dlcourse.generative import variational_autoencoders as vae

NUMBER = st.floats(-3, 3)


def cloud(n: int, seed: int = 0) -> torch.Tensor:
    """Return n points in five dimensions that spread unequally, about a mean that is not 0."""
    dice = torch.Generator().manual_seed(seed)
    mix = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(99))).Q
    scale = torch.tensor([2.0, 1.2, 0.4, 0.3, 0.2])
    return torch.randn(n, 5, generator=dice) * scale @ mix + torch.arange(5.0)


@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=6))
def test_the_kl_equals_pytorchs(entries):
    mean, log_var = torch.tensor(entries, dtype=torch.float64).T
    q = Normal(mean, (log_var / 2).exp())
    want = kl_divergence(q, Normal(torch.zeros_like(mean), torch.ones_like(mean)))
    got = vae.gaussian_kl(mean, log_var)
    assert torch.allclose(got, want, atol=1e-9)
    assert bool((got >= -1e-12).all())


def test_the_kl_equals_the_mean_of_the_difference_of_logarithms():
    mean, log_var = torch.tensor(0.8).double(), torch.tensor(-1.0).double()
    z = mean + (log_var / 2).exp() * torch.randn(
        200_000, generator=torch.Generator().manual_seed(0)
    )
    zero = torch.zeros(()).double()
    each = vae.log_normal(z[:, None], mean, log_var) - vae.log_normal(z[:, None], zero, 0.0)
    error = float(each.std()) / math.sqrt(len(z))
    assert abs(float(each.mean() - vae.gaussian_kl(mean, log_var))) < 4 * error


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 100))
def test_the_log_density_equals_pytorchs(n, dim, seed):
    dice = torch.Generator().manual_seed(seed)
    x, mean, log_var = torch.randn(3, n, dim, generator=dice).double()
    want = Independent(Normal(mean, (log_var / 2).exp()), 1).log_prob(x)
    assert torch.allclose(vae.log_normal(x, mean, log_var), want, atol=1e-9)


def test_a_seed_draws_the_weights_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    one, same, other = (vae.VAE(5, 2, seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    pairs = zip(one.parameters(), same.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(one.decoder[0].weight, other.decoder[0].weight)


@given(st.integers(1, 4), st.lists(st.integers(1, 6), max_size=2), st.integers(1, 5))
def test_shapes(dim, hidden_sizes, n):
    model = vae.VAE(7, dim, hidden_sizes, seed=0)
    mean, log_var = model.encode(torch.randn(n, 7))
    assert mean.shape == log_var.shape == (n, dim)
    assert model.decode(mean).shape == (n, 7)
    assert model.decode(torch.zeros(3, n, dim)).shape == (3, n, 7)
    assert [term.shape for term in model.elbo(torch.randn(n, 7))] == [(n,), (n,)]
    assert model.sample(n).shape == (n, 7)
    assert not model.sample(n).requires_grad


def test_the_slopes_of_the_bound_are_those_of_finite_differences():
    """The dice start afresh for every evaluation, so the bound is a function of the weights."""
    model = vae.VAE(5, 2, (3,), seed=0).double()
    x = cloud(4).double()

    def bound():
        reconstruction, kl = model.elbo(x, generator=torch.Generator().manual_seed(7))
        return (reconstruction - kl).mean()

    bound().backward()
    for name, p in model.named_parameters():
        k = p.numel() // 2
        with torch.no_grad():
            entry = p.view(-1)[k]
            old, step = float(entry), 1e-5
            ends = []
            for moved in (old + step, old - step):
                p.view(-1)[k] = moved
                ends.append(float(bound()))
            p.view(-1)[k] = old
        slope = (ends[0] - ends[1]) / (2 * step)
        assert float(p.grad.view(-1)[k]) == pytest.approx(slope, rel=1e-5, abs=1e-7), name


def test_one_draw_of_the_importance_bound_is_on_average_the_elbo():
    model, x = vae.VAE(5, 2, seed=0), cloud(10)
    with torch.no_grad():
        dice = torch.Generator().manual_seed(0)
        elbo = torch.stack(
            [r - kl for r, kl in (model.elbo(x, generator=dice) for _ in range(3000))]
        )
        single = torch.stack(
            [vae.importance_bound(model, x, 1, generator=dice) for _ in range(3000)]
        )
    error = ((elbo.var(0) + single.var(0)) / 3000).sqrt()
    assert bool(((elbo.mean(0) - single.mean(0)).abs() < 5 * error).all())


def test_in_one_dimension_the_bounds_stay_below_the_integral_and_approach_it():
    model = vae.VAE(3, 1, (8,), noise_variance=0.3, seed=0).double()
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(1)).double()
    z = torch.linspace(-8, 8, 4001).double()[:, None]
    dice = torch.Generator().manual_seed(0)
    with torch.no_grad():
        log_p = vae.log_normal(z, torch.zeros_like(z), 0.0)[:, None]
        log_p = log_p + vae.log_normal(x, model.decode(z)[:, None], model.log_noise)
        exact = log_p.logsumexp(0) + math.log(16 / 4000)
        terms = [model.elbo(x, generator=dice) for _ in range(2000)]
        elbo = torch.stack([r - kl for r, kl in terms]).mean(0)
        many = vae.importance_bound(model, x, 20_000, generator=dice)
    assert bool((elbo < exact + 0.02).all())
    assert float((many - exact).abs().max()) < 0.05
    assert float((exact - elbo).min()) > float((exact - many).abs().max())


def test_batches_do_not_change_the_importance_bound():
    model = vae.VAE(5, 2, seed=0)
    x = cloud(10)
    whole = vae.importance_bound(model, x, 20_000, generator=torch.Generator().manual_seed(0))
    assert whole.shape == (10,)
    few = vae.importance_bound(model, x[:1], 20_000, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(whole[:1], few, atol=1e-4)


def test_ppca_against_the_eigenvalues_and_against_pytorchs_normal():
    X = cloud(300)
    S = torch.cov(X.double().T, correction=0)
    values, axes = torch.linalg.eigh(S)
    model = vae.ppca(X, 2)
    assert model.noise_variance == pytest.approx(float(values[:3].mean()))
    C = model.covariance
    assert torch.allclose(C @ axes[:, 3:], axes[:, 3:] * values[3:], atol=1e-9)
    # Tipping and Bishop's equation (for the maximum): all is known from the eigenvalues
    spectrum = torch.cat([values[3:], values[:3].mean().expand(3)])
    want = -(5 * math.log(2 * math.pi) + float(spectrum.log().sum()) + 5) / 2
    assert float(model.log_likelihood(X).mean()) == pytest.approx(want)
    normal = torch.distributions.MultivariateNormal(X.double().mean(0), C)
    assert torch.allclose(model.log_likelihood(X), normal.log_prob(X.double()))


@given(st.integers(0, 200))
def test_no_other_linear_gaussian_model_is_more_likely(seed):
    X, dice = cloud(100), torch.Generator().manual_seed(seed)
    best = vae.ppca(X, 2)
    nudge = 0.1 * torch.randn(5, 2, generator=dice).double()
    shift = 0.1 * torch.randn(5, generator=dice).double()
    noise = best.noise_variance * math.exp(0.3 * float(torch.randn((), generator=dice)))
    other = vae.LinearGaussian(best.mean + shift, best.W + nudge, noise)
    assert other.log_likelihood(X).mean() < best.log_likelihood(X).mean()


def test_ppca_with_no_code_is_noise_alone():
    X = cloud(50)
    model = vae.ppca(X, 0)
    assert model.noise_variance == pytest.approx(float(X.double().var(0, correction=0).mean()))
    assert torch.allclose(model.sample(3), X.double().mean(0).expand(3, 5))


def test_samples_have_the_covariance_of_the_model():
    model = vae.LinearGaussian(torch.ones(2), torch.tensor([[2.0], [1.0]]), 0.1)
    X = model.sample(40_000, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(X.mean(0), torch.ones(2), atol=0.05)
    assert torch.allclose(torch.cov(X.T), model.W @ model.W.T, atol=0.1)


def test_the_bound_of_linear_vaes_reaches_the_likelihood_of_ppca():
    X = cloud(400)
    X = X - X.mean(0)
    models = [vae.VAE(5, 2, (), noise_variance=0.5, seed=seed) for seed in range(3)]
    vae.train(models, X, n_epochs=150, batch_size=100, learning_rate=0.1)
    best = float(vae.ppca(X, 2).log_likelihood(X).mean())
    for model in models:
        with torch.no_grad():
            dice = torch.Generator().manual_seed(1)
            terms = [model.elbo(X, generator=dice) for _ in range(200)]
            elbo = float(torch.stack([r - kl for r, kl in terms]).mean())
        decoder, noise = model.decoder[0], model.log_noise.exp().item()
        own = vae.LinearGaussian(decoder.bias, decoder.weight, noise)
        exact = float(own.log_likelihood(X).mean())
        assert elbo - 0.02 < exact < best + 1e-4
        assert best - elbo < 0.1


def test_networks_side_by_side_answer_as_each_alone():
    models, X = [vae.VAE(5, 2, (4,), seed=s) for s in range(3)], cloud(6)
    stack = vae._stacked(models)
    for part in ("encoder", "decoder"):
        x = X if part == "encoder" else X[:, :2]
        together = getattr(stack, part)(x)
        for k, model in enumerate(models):
            assert torch.allclose(together[k], getattr(model, part)(x), atol=1e-6)
    z = X[:, :2]
    for k, log_p in enumerate(stack.log_p(X, z)):
        assert torch.allclose(log_p, models[k].log_p(X, z), atol=1e-4)
    reconstruction, kl = stack.elbo(X)
    assert reconstruction.shape == kl.shape == (3, 6)


def test_one_step_is_adams():
    """From the same start and with the same dice, a step by hand with PyTorch's optimizer."""
    X = cloud(20)
    ours, theirs = (vae.VAE(5, 2, (4,), seed=0) for _ in range(2))
    vae.train([ours], X, n_epochs=1, batch_size=20, learning_rate=0.1, beta=2.0, seed=3)
    dice = torch.Generator().manual_seed(3)
    batch = X[torch.randperm(20, generator=dice)]
    reconstruction, kl = theirs.elbo(batch, generator=dice)
    adam = torch.optim.Adam(theirs.parameters(), lr=0.1)
    (2.0 * kl - reconstruction).mean().backward()
    adam.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5)
        assert a.shape == b.shape


def test_a_large_beta_silences_the_code():
    X = cloud(300)
    X = X - X.mean(0)
    models = [vae.VAE(5, 2, (), noise_variance=1.0, learn_noise=False, seed=0) for _ in range(2)]
    vae.train(models, X, beta=[20.0, 0.5], n_epochs=60, batch_size=100, learning_rate=0.1)
    with torch.no_grad():
        heavy, light = (float(model.elbo(X)[1].mean()) for model in models)
    assert heavy < 0.05 < 1 < light
    assert all(float(model.log_noise.detach()) == 0.0 for model in models)


def test_each_network_can_have_its_own_examples():
    X = cloud(100) - cloud(100).mean(0)
    both = torch.stack([X - 1, X + 1])
    models = [vae.VAE(5, 1, (), noise_variance=1.0, seed=0) for _ in range(2)]
    vae.train(models, both, n_epochs=60, batch_size=50, learning_rate=0.1)
    with torch.no_grad():
        made = torch.stack(
            [model.decode(model.encode(x)[0]).mean() for model, x in zip(models, both, strict=True)]
        )
    assert torch.allclose(made, both.mean((1, 2)), atol=0.2)


def test_the_same_seed_trains_the_same_network():
    X = cloud(50)
    curves = [
        vae.train([vae.VAE(5, 1, (4,), seed=0)], X, n_epochs=3, batch_size=20, seed=s)
        for s in (0, 0, 1)
    ]
    assert torch.equal(curves[0], curves[1])
    assert not torch.equal(curves[0], curves[2])
    assert curves[0].shape == (1, 3, 2)


def test_divergence_is_said():
    with pytest.raises(FloatingPointError, match="smaller learning_rate than 1e"):
        vae.train([vae.VAE(5, 1, seed=0)], cloud(20), batch_size=20, learning_rate=1e6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vae.VAE(0, 1), "sizes must be at least 1"),
        (lambda: vae.VAE(3, 1, (0,)), "sizes must be at least 1"),
        (lambda: vae.VAE(3, 1, noise_variance=0.0), "noise_variance must be positive"),
        (lambda: vae.VAE(3, 1).encode(torch.zeros(2, 4)), r"shape \(n, 3\), got \(2, 4\)"),
        (lambda: vae.train([vae.VAE(3, 1)], torch.full((2, 3), math.nan)), "X is finite"),
        (lambda: vae.train([vae.VAE(3, 1)], torch.zeros(2, 3)), "batch_size from 1 to the 2"),
        (lambda: vae.train([vae.VAE(3, 1)], torch.zeros(200, 3), beta=-1.0), "at least 0"),
        (lambda: vae.train([vae.VAE(3, 1)], torch.zeros(200, 3), beta=[1, 2]), "one number or 1"),
        (lambda: vae.train([vae.VAE(3, 1)], torch.zeros(200, 3), learning_rate=0.0), "positive"),
        (lambda: vae.train([vae.VAE(3, 1)], torch.zeros(2, 200, 3)), r"or \(1, n, D\)"),
        (lambda: vae.train([], torch.zeros(200, 3)), "one network or more"),
        (lambda: vae.train([vae.VAE(3, 1), vae.VAE(3, 2)], torch.zeros(200, 3)), "of one shape"),
        (lambda: vae.importance_bound(vae.VAE(3, 1), torch.zeros(2, 3), 0), "n_draws"),
        (lambda: vae.ppca(torch.zeros(4, 3), 3), "dim lies from 0 to D - 1"),
        (lambda: vae.ppca(torch.zeros(3), 0), r"X has shape \(n, D\)"),
        (lambda: vae.ppca(torch.eye(3)[:, :2].repeat(2, 1) * math.inf, 1), "NaN or infinity"),
        (lambda: vae.ppca(torch.tensor([[1.0, 2], [2, 4], [3, 6]]), 1), "nothing is left"),
        (lambda: vae.ppca(cloud(9), 1).log_likelihood(torch.zeros(2, 3)), r"\(n, 5\), got"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
