"""GANs, against closed forms, PyTorch's own layers and optimizers, autograd and games alone."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from dlcourse.generative import gans

DENSITIES = st.lists(st.just(0.0) | st.floats(1e-3, 5), min_size=3, max_size=3)
X_GRID = torch.linspace(-14, 14, 5601, dtype=torch.float64)
STEP = float(X_GRID[1] - X_GRID[0])


def normal(mean, sd=1.0):
    return (-((X_GRID - mean) ** 2) / (2 * sd**2)).exp() / (sd * math.sqrt(2 * math.pi))


@given(DENSITIES, DENSITIES)
def test_the_best_discriminator_maximizes_each_place(p, q):
    p, q = torch.tensor(p).double(), torch.tensor(q).double()
    best = gans.best_discriminator(p, q)
    assert ((best >= 0) & (best <= 1)).all()

    def worth(d):
        return torch.xlogy(p, d) + torch.xlogy(q, 1 - d)

    for other in torch.linspace(0.01, 0.99, 50).double():
        assert (worth(best) >= worth(other.expand(3)) - 1e-9).all()


def test_the_best_discriminator_of_two_gaussians_is_a_sigmoid():
    d = gans.best_discriminator(normal(0), normal(3))
    assert torch.allclose(d, torch.sigmoid(4.5 - 3 * X_GRID), atol=1e-12)
    assert gans.best_discriminator(torch.zeros(2), torch.zeros(2)).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("distance", [0.0, 0.5, 2.0, 5.0])
def test_the_value_of_the_game_is_two_divergences_above_minus_log_four(distance):
    p, q = normal(0), normal(distance)
    t = 0.5 * distance**2 - distance * X_GRID  # logit of D*
    value = -float((p * F.softplus(-t) + q * F.softplus(t)).sum()) * STEP
    jsd = float(gans.jensen_shannon(p, q, STEP))
    assert value == pytest.approx(-math.log(4) + 2 * jsd, abs=1e-9)
    assert -1e-12 <= jsd < math.log(2)


def test_the_divergence_is_symmetric_and_ends_at_log_two():
    p, q = normal(-1, 0.5), normal(2, 1.5)
    assert torch.allclose(gans.jensen_shannon(p, q, STEP), gans.jensen_shannon(q, p, STEP))
    assert float(gans.jensen_shannon(p, p, STEP)) == pytest.approx(0, abs=1e-12)
    far = gans.jensen_shannon(normal(-7), normal(7), STEP)
    assert float(far) == pytest.approx(math.log(2), abs=1e-9)
    rows = gans.jensen_shannon(torch.stack([p, p]), torch.stack([q, p]), STEP)
    assert rows.shape == (2,)


@given(st.integers(1, 20), st.integers(0, 100))
def test_losses_are_pytorchs_cross_entropies(n, seed):
    dice = torch.Generator().manual_seed(seed)
    real, fake = torch.randn(2, 3, n, generator=dice, dtype=torch.float64) * 3
    entropy = F.binary_cross_entropy_with_logits
    for k in range(3):
        ones = torch.ones(n, dtype=torch.float64)
        both = entropy(real[k], ones) + entropy(fake[k], 0 * ones)
        assert torch.allclose(gans.discriminator_loss(real, fake)[k], both)
        assert torch.allclose(gans.generator_loss(fake)[k], entropy(fake[k], ones))
        against = -entropy(fake[k], 0 * ones)
        assert torch.allclose(gans.generator_loss(fake, saturating=True)[k], against)


def test_slopes_of_both_generator_losses():
    t = torch.linspace(-9, 9, 19, dtype=torch.float64).requires_grad_()
    each = t.unsqueeze(1)
    (plain,) = torch.autograd.grad(gans.generator_loss(each).sum(), t)
    (saturating,) = torch.autograd.grad(gans.generator_loss(each, True).sum(), t)
    assert torch.allclose(plain, -(1 - t.sigmoid()))
    assert torch.allclose(saturating, -t.sigmoid())


def test_the_ring_has_its_modes_where_they_should_be():
    X, centres = gans.ring(40_000, seed=0, n_modes=5, radius=3.0, sd=0.2)
    assert torch.allclose(centres.norm(dim=1), torch.full((5,), 3.0))
    distance, home = torch.cdist(X, centres).min(1)
    share = torch.bincount(home, minlength=5) / len(X)
    assert ((share - 0.2).abs() < 4 * math.sqrt(0.16 / len(X))).all()
    # the square of a distance in the plane is 2 sd² on average
    assert float(distance.square().mean()) == pytest.approx(2 * 0.04, rel=0.03)
    assert torch.equal(X, gans.ring(40_000, seed=0, n_modes=5, radius=3.0, sd=0.2)[0])


def test_coverage_by_hand():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    near, far, lost = [0.2, 0.0], [10.0, 0.31], [5.0, 0.0]
    samples = torch.tensor([[near] * 6 + [far] * 2, [near] * 4 + [[10.0, 0.29]] * 4])
    result = gans.coverage(samples, centres, 0.1)
    assert result.modes.tolist() == [1, 2]
    assert result.good.tolist() == [0.75, 1.0]
    assert result.shares.tolist() == [[0.75, 0.0], [0.5, 0.5]]
    assert int(gans.coverage(torch.tensor([lost]), centres, 0.1).modes) == 0
    # seven of eight at one centre leave a quarter of its half to the other
    few = torch.tensor([near] * 7 + [[10.0, 0.0]])
    assert int(gans.coverage(few, centres, 0.1).modes) == 2
    assert int(gans.coverage(few, centres, 0.1, least=0.5).modes) == 1


def test_real_samples_are_good_as_often_as_the_normal_distribution_says():
    X, centres = gans.ring(50_000, seed=1)
    result = gans.coverage(X, centres, 0.1)
    assert int(result.modes) == 8
    assert float(result.good) == pytest.approx(1 - math.exp(-4.5), abs=0.002)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=4), st.integers(1, 3), st.integers(1, 6))
def test_networks_side_by_side_are_pytorchs_modules(sizes, S, n):
    many = gans.Networks(sizes, seeds=range(S))
    X = torch.randn(S, n, sizes[0], generator=torch.Generator().manual_seed(0))
    outputs = many(X)
    assert outputs.shape == (S, n, sizes[-1])
    for k in range(S):
        alone = many.module(k)
        assert isinstance(alone[-1], nn.Linear)
        assert torch.allclose(outputs[k], alone(X[k]), atol=1e-5)
        assert torch.allclose(many(X[0])[k], alone(X[0]), atol=1e-5)
        assert torch.equal(gans.Networks(sizes, seeds=[k]).W[0], many.W[k])
    assert sum(p.numel() for p in many.module(0).parameters()) == many.W.shape[1]


def test_initial_weights_keep_the_size_of_signals():
    many = gans.Networks([300, 400, 2], seeds=[5])
    (W1, b1), (W2, _) = many.layers()
    assert float(W1.detach().var()) == pytest.approx(2 / 300, rel=0.02)
    assert float(W2.detach().var()) == pytest.approx(2 / 400, rel=0.15)
    assert not b1.any()


def test_a_copy_stays_behind():
    X, _ = gans.ring(200, seed=0)
    game = gans.Game(X, seeds=[0])
    before = game.D.copy()
    game.play(3)
    assert not torch.equal(before.W, game.D.W)
    assert torch.equal(before(X), gans.Game(X, seeds=[0]).D(X))


def four_turns_in_plain_pytorch(real, game, penalty, greed):
    """Four turns of the game with seed 3, with modules and optimizers of PyTorch."""
    G, D = game.G.module(0), game.D.module(0)
    adam_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
    adam_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.99))
    dice = torch.Generator().manual_seed(20_000 + 3)
    entropy, size = F.binary_cross_entropy_with_logits, (64,)
    losses = []
    for _ in range(4):
        x = real[torch.randint(len(real), size, generator=dice)].requires_grad_()
        fake = G(torch.randn(64, 2, generator=dice))
        t = D(x)
        ones = torch.ones(64, 1)
        d_loss = entropy(t, ones) + entropy(D(fake.detach()), 0 * ones)
        (slope,) = torch.autograd.grad(t.sum(), x, create_graph=True)
        adam_d.zero_grad()
        (d_loss + penalty / 2 * slope.square().sum(1).mean()).backward()
        adam_d.step()
        g_loss = entropy(D(fake), ones)
        adam_g.zero_grad()
        g_loss.backward()
        adam_g.step()
        for _ in range(greed - 1):
            adam_g.zero_grad()
            entropy(D(G(torch.randn(64, 2, generator=dice))), ones).backward()
            adam_g.step()
        losses.append((float(d_loss.detach()), float(g_loss.detach())))
    return G, D, losses


@pytest.mark.parametrize(("penalty", "greed"), [(0.0, 1), (0.7, 1), (0.1, 3)])
def test_a_game_is_what_plain_pytorch_plays(penalty, greed):
    real, _ = gans.ring(500, seed=0)
    game = gans.Game(real, seeds=[3, 4], penalty=[penalty, 0.2], greed=greed)
    G, D, losses = four_turns_in_plain_pytorch(real, game, penalty, greed)
    d_loss, g_loss = game.play(4)
    assert torch.allclose(d_loss[0], torch.tensor([d for d, _ in losses]), atol=1e-4)
    assert torch.allclose(g_loss[0], torch.tensor([g for _, g in losses]), atol=1e-4)
    z = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(game.generate(9)[0], G(z), atol=1e-3)
    assert torch.allclose(game.judge(real)[0], D(real)[:, 0].sigmoid(), atol=1e-3)


def test_the_running_mean_of_the_forgers_weights():
    real, _ = gans.ring(100, seed=0)
    game = gans.Game(real, seeds=[0, 1])
    mean = game.G.W.detach().clone()
    for _ in range(5):
        game.play(1)
        mean = 0.99 * mean + 0.01 * game.G.W.detach()
    assert torch.allclose(game.mean_G.W, mean, atol=1e-6)
    assert not torch.allclose(game.generate(9), game.generate(9, averaged=True))


@pytest.mark.parametrize(
    "kind", [{}, {"penalty": 0.5}, {"blur": 0.3}, {"pack": 2}, {"statistic": True}]
)
def test_games_side_by_side_go_as_each_would_alone(kind):
    real, _ = gans.ring(300, seed=0)
    together = gans.Game(real, seeds=[1, 2], rate_d=[1e-3, 3e-3], **kind)
    together.play(6)
    for k, rate in enumerate([1e-3, 3e-3]):
        alone = gans.Game(real, seeds=[1 + k], rate_d=rate, **kind)
        alone.play(6)
        assert torch.allclose(together.generate(20)[k], alone.generate(20)[0], atol=1e-3)


def test_the_push_is_minus_the_slope_by_finite_differences():
    real, _ = gans.ring(300, seed=0)
    for saturating in (False, True):
        game = gans.Game(real, seeds=[0, 1], saturating=saturating)
        game.play(20)
        X = torch.tensor([[0.31, -0.42], [1.3, 1.1]])
        push = game.push(X)
        assert push.shape == (2, 2, 2)
        D = game.D.module(1).double()

        def loss(x, D=D, saturating=saturating):
            return float(gans.generator_loss(D(x.double())[None, :, 0], saturating).detach())

        for j in range(2):
            nudge = torch.zeros(2).double()
            nudge[j] = 1e-6
            x = X[:1].double()
            slope = (loss(x + nudge) - loss(x - nudge)) / 2e-6
            assert float(push[1, 0, j]) == pytest.approx(-slope, abs=1e-4)


def test_what_a_packed_expert_sees():
    real, _ = gans.ring(300, seed=0)
    pairs = gans.Game(real, seeds=[0], pack=2, batch_size=4)
    X = torch.arange(8.0).view(1, 4, 2)
    assert pairs._view(X).tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]]
    spread = gans.Game(real, seeds=[0], statistic=True, batch_size=4)
    seen = spread._view(X)
    assert seen.shape == (1, 4, 3)
    assert torch.equal(seen[..., :2], X)
    assert torch.allclose(seen[..., 2], torch.full((1, 4), math.sqrt(5.0)))  # variances 5 and 5
    for game in (pairs, spread):
        with pytest.raises(ValueError, match="judges samples together"):
            game.judge(real)
        with pytest.raises(ValueError, match="judges samples together"):
            game.push(real)


def test_a_discriminator_alone_finds_the_best_answer():
    """With G's rate at 0 the expert learns p/(p + q) for the forgeries there are."""
    dice = torch.Generator().manual_seed(0)
    real = torch.randn(20_000, 1, generator=dice)
    game = gans.Game(real, seeds=[0, 1], rate_g=0.0, n_noise=1, batch_size=512, rate_d=0.01)
    first = game.G.copy()
    with torch.no_grad():  # a linear generator of standard normals, moved by 1
        for W, b in game.G.layers():
            W.zero_()
            b.zero_()
        (W1, _), (W2, _), (W3, b3) = game.G.layers()
        W1[:, 0, :2] = torch.tensor([1.0, -1.0])
        W2[:, 0, 0] = W2[:, 1, 1] = 1.0
        W3[:, 0, 0] = 1 / (1 + gans.LEAK**2)
        W3[:, 1, 0] = -1 / (1 + gans.LEAK**2)
        b3[:, 0, 0] = 1.0
    assert not torch.equal(first.W, game.G.W)
    fake = game.generate(10_000)[0, :, 0]
    assert float(fake.mean()) == pytest.approx(1, abs=0.05)
    assert float(fake.std()) == pytest.approx(1, abs=0.05)
    game.play(300)
    x = torch.linspace(-1.5, 2.5, 21).unsqueeze(1)
    assert float((game.judge(x) - torch.sigmoid(0.5 - x[:, 0])).abs().max()) < 0.12


def test_a_fair_game_covers_the_ring_and_a_greedy_one_collapses():
    real, centres = gans.ring(5000, seed=0, sd=0.2)
    fair, greedy = (
        gans.Game(real, seeds=range(3), rate_g=0.004, rate_d=0.008, greed=n) for n in (1, 5)
    )
    fair.play(700)
    greedy.play(250)
    many, few = (gans.coverage(game.generate(1000), centres, 0.2) for game in (fair, greedy))
    assert int(many.modes.min()) >= 6
    assert float(many.good.mean()) > 0.6
    assert float(few.modes.double().mean()) < 4


BAD = {
    "densities are 0 or more": lambda X: gans.best_discriminator(
        torch.tensor([-1.0]), torch.ones(1)
    ),
    "at the same places": lambda X: gans.jensen_shannon(torch.ones(2), torch.ones(3), 1.0),
    "step is the distance": lambda X: gans.jensen_shannon(torch.ones(2), torch.ones(2), 0.0),
    "sd above 0; got 5, 8, 0": lambda X: gans.ring(5, seed=0, sd=0),
    r"centres \(K, D\)": lambda X: gans.coverage(X, torch.ones(3, 3), 0.1),
    "least above 0": lambda X: gans.coverage(X, torch.ones(3, 2), 0.1, least=0),
    "sizes are those": lambda X: gans.Networks([3], seeds=[0]),
    "seeds is empty": lambda X: gans.Networks([3, 1], seeds=[]),
    r"inputs are \(n, 3\)": lambda X: gans.Networks([3, 1], seeds=[0])(X),
    "real samples are finite": lambda X: gans.Game(X / 0, seeds=[0]),
    "a multiple of pack": lambda X: gans.Game(X, seeds=[0], pack=3),
    "rate_d is one number from 0, or 2": lambda X: gans.Game(X, seeds=[0, 1], rate_d=[1, 2, 3]),
    "penalty is one number": lambda X: gans.Game(X, seeds=[0, 1], penalty=-1.0),
    "n_turns must be at least 1": lambda X: gans.Game(X, seeds=[0]).play(0),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message):
    with pytest.raises(ValueError, match=message):
        BAD[message](torch.ones(64, 2))


def test_a_game_that_blows_up_says_so():
    real, _ = gans.ring(100, seed=0)
    game = gans.Game(real, seeds=[0, 1], rate_d=[1e-3, 1e30])
    with pytest.raises(FloatingPointError, match="game 1 became infinite"):
        game.play(5)
