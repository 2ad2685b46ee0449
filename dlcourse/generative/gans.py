"""Generative adversarial networks: a forger and an expert who learn from each other.

The discriminator D (the expert) answers with a logit t; σ(t) is its belief that a sample is real.
The generator G (the forger) turns noise into samples. S games are played side by side: weights
have a first axis of length S, and samples the shape (S, n, D).

References
----------
I. J. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville,
Y. Bengio (2014), "Generative adversarial nets", NeurIPS 27, 2672-2680, arXiv:1406.2661.
"""

import copy
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "Coverage",
    "Game",
    "Networks",
    "best_discriminator",
    "coverage",
    "discriminator_loss",
    "generator_loss",
    "jensen_shannon",
    "ring",
]

LEAK = 0.2
MEMORY = 0.99  # of the running mean of G's weights
Each = float | Sequence[float] | Tensor


def best_discriminator(p: Tensor, q: Tensor) -> Tensor:
    """Return what the best expert believes, D* = p / (p + q), and ½ where nothing is ever seen.

    Parameters
    ----------
    p, q : Tensor
        Densities of the real and of the forged at the same places.

    Examples
    --------
    >>> best_discriminator(torch.tensor([0.3, 0.2, 0.0]), torch.tensor([0.1, 0.2, 0.0]))
    tensor([0.7500, 0.5000, 0.5000])
    """
    _check_densities(p, q)
    return torch.where(p + q > 0, p / (p + q), 0.5)


def jensen_shannon(p: Tensor, q: Tensor, step: float) -> Tensor:
    """Return the Jensen-Shannon divergence of two densities on an even grid, in nats.

    JSD = ½ ∫ p ln(p/m) + ½ ∫ q ln(q/m) with m = (p + q)/2; from 0, if p = q, to ln 2, if they
    never meet. The value of the game against the best expert is -ln 4 + 2 JSD.

    Parameters
    ----------
    p, q : Tensor, shape (..., n)
        Densities at n places.
    step : float
        Distance of two neighbouring places. With 1, p and q are probabilities.

    References
    ----------
    J. Lin (1991), "Divergence measures based on the Shannon entropy", IEEE Transactions on
    Information Theory 37(1), 145-151, doi:10.1109/18.61115.

    Examples
    --------
    >>> jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 1.0)  # ln 2
    tensor(0.6931)
    """
    _check_densities(p, q)
    if not 0 < step < math.inf:
        raise ValueError(f"step is the distance of two places, above 0; got {step}")
    m = (p + q) / 2
    terms = torch.xlogy(p, p) + torch.xlogy(q, q) - torch.xlogy(p, m) - torch.xlogy(q, m)
    return terms.sum(-1) * step / 2


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return -E ln D(x) - E ln(1 - D(G(z))) from logits (..., n): ln 4 if the expert only guesses.

    Examples
    --------
    >>> discriminator_loss(torch.zeros(5), torch.zeros(5))
    tensor(1.3863)
    """
    return F.softplus(-real).mean(-1) + F.softplus(fake).mean(-1)


def generator_loss(fake: Tensor, saturating: bool = False) -> Tensor:
    """Return -E ln D(G(z)) from logits (..., n), or E ln(1 - D(G(z))) if saturating.

    Examples
    --------
    >>> generator_loss(torch.zeros(5)), generator_loss(torch.zeros(5), saturating=True)
    (tensor(0.6931), tensor(-0.6931))
    """
    return -F.softplus(fake).mean(-1) if saturating else F.softplus(-fake).mean(-1)


def ring(
    n: int, *, seed: int, n_modes: int = 8, radius: float = 2.0, sd: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Draw points from equally frequent round Gaussians whose centres stand on a circle.

    Returns the points, shape (n, 2), and the centres, shape (n_modes, 2).

    Examples
    --------
    >>> X, centres = ring(1000, seed=0)
    >>> X.shape, centres.shape
    (torch.Size([1000, 2]), torch.Size([8, 2]))
    """
    if n < 1 or n_modes < 1 or not sd > 0:
        raise ValueError(f"n and n_modes must be at least 1, sd above 0; got {n}, {n_modes}, {sd}")
    dice = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.arange(n_modes) / n_modes
    centres = radius * torch.stack([angle.cos(), angle.sin()], dim=1)
    home = torch.randint(n_modes, (n,), generator=dice)
    return centres[home] + sd * torch.randn(n, 2, generator=dice), centres


class Coverage(NamedTuple):
    """What `coverage` returns, for each set of samples.

    Attributes
    ----------
    modes : Tensor, shape (...,)
        Number of modes that are covered.
    good : Tensor, shape (...,)
        Share of samples within three standard deviations of a centre.
    shares : Tensor, shape (..., K)
        Share of samples that are good and nearest to each centre.
    """

    modes: Tensor
    good: Tensor
    shares: Tensor


def coverage(samples: Tensor, centres: Tensor, sd: float, *, least: float = 0.25) -> Coverage:
    """Count the modes that samples cover, and the share of good samples.

    A sample is good within three standard deviations of a centre. A mode is covered if its good
    samples make up at least ``least`` of the 1/K that it should have.

    Parameters
    ----------
    samples : Tensor, shape (..., n, D)
    centres : Tensor, shape (K, D)
    sd : float
        Standard deviation of a mode along each axis.

    References
    ----------
    A. Srivastava, L. Valkov, C. Russell, M. U. Gutmann, C. Sutton (2017), "VEEGAN: reducing mode
    collapse in GANs using implicit variational learning", NeurIPS 30, arXiv:1705.07761.

    Examples
    --------
    >>> X, centres = ring(4000, seed=0)
    >>> int(coverage(X, centres, 0.1).modes), int(coverage(X[X[:, 0] > 0], centres, 0.1).modes)
    (8, 5)
    """
    if samples.ndim < 2 or centres.ndim != 2 or samples.shape[-1] != centres.shape[1]:
        got = f"{tuple(samples.shape)} and {tuple(centres.shape)}"
        raise ValueError(f"samples are (..., n, D) and centres (K, D); got {got}")
    if not (sd > 0 and 0 < least <= 1):
        raise ValueError(f"sd must be above 0, least above 0 and at most 1; got {sd}, {least}")
    K = len(centres)
    distance, nearest = torch.cdist(samples, centres).min(-1)  # (..., n) each
    home = F.one_hot(nearest, K) * (distance <= 3 * sd).unsqueeze(-1)
    shares = home.to(samples.dtype).mean(-2)
    return Coverage((shares >= least / K).sum(-1), shares.sum(-1), shares)


class Networks:
    """S multi-layer perceptrons of one shape side by side, with leaky ReLUs between the layers.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, neurons of each hidden layer, outputs.
    seeds : sequence of int
        One a network, of its initial weights: normal, of variance 2/inputs; biases are zero.

    Attributes
    ----------
    W : Tensor, shape (S, P)
        All weights and biases of network k in row k.

    Examples
    --------
    >>> Networks([2, 16, 1], seeds=range(5))(torch.zeros(7, 2)).shape
    torch.Size([5, 7, 1])
    """

    def __init__(self, sizes: Sequence[int], seeds: Sequence[int]) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes are those of two layers or more, at least 1; got {sizes}")
        if len(seeds) == 0:
            raise ValueError("seeds is empty: give one for each network")
        rows = []
        for seed in seeds:
            dice, parts = torch.Generator().manual_seed(seed), []
            for n, m in pairwise(sizes):
                parts += [torch.randn(n * m, generator=dice) * math.sqrt(2 / n), torch.zeros(m)]
            rows.append(torch.cat(parts))
        self.sizes, self.W = list(sizes), torch.stack(rows).requires_grad_()

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Return weights (S, n, m) and biases (S, 1, m) of each layer, as views of ``W``."""
        pairs = list(pairwise(self.sizes))
        parts = iter(torch.split(self.W, [k for n, m in pairs for k in (n * m, m)], dim=1))
        return [(next(parts).view(-1, n, m), next(parts).unsqueeze(1)) for n, m in pairs]

    def __call__(self, X: Tensor) -> Tensor:
        """Return the outputs (S, n, outputs) for inputs (n, D), or (S, n, D), own for each."""
        if X.shape[-1] != self.sizes[0] or X.ndim not in (2, 3):
            raise ValueError(f"inputs are (n, {self.sizes[0]}) or (S, n, …); got {tuple(X.shape)}")
        X = X.expand(len(self.W), *X.shape[-2:])
        for k, (W, b) in enumerate(self.layers()):
            X = torch.baddbmm(b, F.leaky_relu(X, LEAK) if k else X, W)
        return X

    def copy(self) -> "Networks":
        """Return the networks as they are now."""
        same = copy.copy(self)
        same.W = self.W.detach().clone().requires_grad_()
        return same

    def module(self, k: int) -> nn.Sequential:
        """Return network k alone, as PyTorch would write it."""
        parts: list[nn.Module] = []
        for W, b in self.layers():
            linear = nn.Linear(W.shape[1], W.shape[2])
            with torch.no_grad():
                linear.weight.copy_(W[k].T)
                linear.bias.copy_(b[k, 0])
            parts += [linear, nn.LeakyReLU(LEAK)]
        return nn.Sequential(*parts[:-1])


class _Adam:
    """Adam for a table of weights, with a rate for each row."""

    def __init__(self, W: Tensor, rate: Tensor, betas: tuple[float, float]) -> None:
        self.W, self.rate, self.betas, self.t = W, rate, betas, 0
        self.m, self.v = torch.zeros_like(W), torch.zeros_like(W)

    def step(self, losses: Tensor) -> None:
        """Take one step down the losses (S,), each of which knows its own row only."""
        (g,) = torch.autograd.grad(losses.sum(), self.W)
        self.t += 1
        b1, b2 = self.betas
        self.m.lerp_(g, 1 - b1)
        self.v.mul_(b2).addcmul_(g, g, value=1 - b2)
        with torch.no_grad():
            size = (self.v / (1 - b2**self.t)).sqrt() + 1e-8
            self.W -= self.rate / (1 - b1**self.t) * self.m / size


class Game:
    """S games between a generator and a discriminator, side by side.

    In each turn D sees a batch of each kind and takes a step of Adam down `discriminator_loss`;
    then G takes one down `generator_loss` for the same forgeries, against the new D. Each game
    goes the way it would go alone, but for rounding.

    Parameters
    ----------
    real : Tensor, shape (N, D)
        Real samples, from which each game draws its batches.
    seeds : sequence of int
        One a game: of its weights, its batches and its noise.
    hidden : sequence of int
        Neurons in the hidden layers of both players.
    n_noise : int
        Number of (standard normal) inputs of the generator.
    batch_size : int
        Real samples a turn, and as many forgeries.
    rate_d, rate_g : float, or S of them
        Learning rates of both players.
    greed : int
        Number of steps that G takes in each turn; all but the first with new forgeries.
    betas : (float, float)
        Of Adam.
    penalty : float, or S of them
        γ of the gradient penalty R1: D's loss grows by γ/2 · E|∇t(x)|² over real x.
    blur : float, or S of them
        Standard deviation of noise that is added to all that D sees, real and forged.
    pack : int
        Number of samples of a kind that D judges together.
    statistic : bool
        Whether D also sees the spread of the batch, √(mean variance of the coordinates).
    saturating : bool
        See `generator_loss`.

    Raises
    ------
    ValueError
        If samples or settings are impossible.

    References
    ----------
    L. Mescheder, A. Geiger, S. Nowozin (2018), ICML, arXiv:1801.04406, for the penalty; Z. Lin,
    A. Khetan, G. Fanti, S. Oh (2018), NeurIPS, arXiv:1712.04086, for packing; T. Karras, T. Aila,
    S. Laine, J. Lehtinen (2018), ICLR, arXiv:1710.10196, for the statistic; M. Arjovsky, L. Bottou
    (2017), ICLR, arXiv:1701.04862, for the blur.

    Examples
    --------
    >>> X, _ = ring(1000, seed=0)
    >>> game = Game(X, seeds=range(3))
    >>> d_loss, g_loss = game.play(5)
    >>> d_loss.shape, game.generate(100).shape
    (torch.Size([3, 5]), torch.Size([3, 100, 2]))
    """

    def __init__(
        self,
        real: Tensor,
        *,
        seeds: Sequence[int],
        hidden: Sequence[int] = (32, 32),
        n_noise: int = 2,
        batch_size: int = 64,
        rate_d: Each = 2e-3,
        rate_g: Each = 1e-3,
        greed: int = 1,
        betas: tuple[float, float] = (0.5, 0.99),
        penalty: Each = 0.0,
        blur: Each = 0.0,
        pack: int = 1,
        statistic: bool = False,
        saturating: bool = False,
    ) -> None:
        if real.ndim != 2 or not real.isfinite().all():
            raise ValueError(f"real samples are finite, (N, D); got shape {tuple(real.shape)}")
        if min(n_noise, greed, pack, batch_size) < 1 or batch_size % pack:
            rule = "n_noise, greed, pack and batch_size are at least 1, the last a multiple of pack"
            raise ValueError(f"{rule}; got {n_noise}, {greed}, {pack}, {batch_size}")
        S, D = len(seeds), real.shape[1]
        self.real, self.n_noise, self.batch_size = real, n_noise, batch_size
        self.greed, self.pack, self.statistic, self.saturating = greed, pack, statistic, saturating
        self.G = Networks([n_noise, *hidden, D], seeds)
        self.mean_G = self.G.copy()
        self.D = Networks([pack * (D + statistic), *hidden, 1], [10_000 + s for s in seeds])
        self.dice = [torch.Generator().manual_seed(20_000 + s) for s in seeds]
        self.penalty = _each(penalty, S, "penalty")[:, 0]
        self.blur = _each(blur, S, "blur").unsqueeze(2)
        self._adam_g = _Adam(self.G.W, _each(rate_g, S, "rate_g"), betas)
        self._adam_d = _Adam(self.D.W, _each(rate_d, S, "rate_d"), betas)

    def play(self, n_turns: int) -> tuple[Tensor, Tensor]:
        """Take turns, and return both losses in each, shape (S, n_turns), penalties left out.

        Raises a FloatingPointError if a loss is not finite.
        """
        if n_turns < 1:
            raise ValueError(f"n_turns must be at least 1, got {n_turns}")
        losses = [self._turn() for _ in range(n_turns)]
        d, g = (torch.stack(each, dim=1) for each in zip(*losses, strict=True))
        broken = ~(d + g).isfinite().all(1)
        if broken.any():
            k = int(broken.nonzero()[0, 0])
            raise FloatingPointError(f"the losses of game {k} became infinite: try smaller rates")
        return d, g

    def _turn(self) -> tuple[Tensor, Tensor]:
        size = (self.batch_size,)
        rows = [torch.randint(len(self.real), size, generator=g) for g in self.dice]
        fake = self.G(self._randn(self.n_noise))  # (S, B, D)
        seen_fake = self._blurred(fake)
        seen_real = self._view(self._blurred(self.real[torch.stack(rows)]))
        # D's turn. G's weights are out of it: the forgeries are detached.
        punished = bool((self.penalty > 0).any())
        seen_real.requires_grad_(punished)
        t_real = self.D(seen_real)[..., 0]  # (S, B / pack)
        d_loss = discriminator_loss(t_real, self.D(self._view(seen_fake.detach()))[..., 0])
        total = d_loss
        if punished:
            (slopes,) = torch.autograd.grad(t_real.sum(), seen_real, create_graph=True)
            total = d_loss + self.penalty / 2 * slopes.square().sum(2).mean(1)
        self._adam_d.step(total)
        # G's turn, through the new D.
        g_loss = generator_loss(self.D(self._view(seen_fake))[..., 0], self.saturating)
        self._adam_g.step(g_loss)
        for _ in range(self.greed - 1):
            seen_fake = self._blurred(self.G(self._randn(self.n_noise)))
            more = generator_loss(self.D(self._view(seen_fake))[..., 0], self.saturating)
            self._adam_g.step(more)
        with torch.no_grad():
            self.mean_G.W.lerp_(self.G.W, 1 - MEMORY)
        return d_loss.detach(), g_loss.detach()

    @torch.no_grad()
    def generate(self, n: int, seed: int = 0, *, averaged: bool = False) -> Tensor:
        """Return n forgeries of each game, (S, n, D); the same seed means the same noise.

        If ``averaged``, they come from the running mean of G's weights over about 100 turns.
        """
        dice = torch.Generator().manual_seed(seed)
        G = self.mean_G if averaged else self.G
        return G(torch.randn(n, self.n_noise, generator=dice))

    @torch.no_grad()
    def judge(self, X: Tensor) -> Tensor:
        """Return D's belief σ(t) that each sample of X, (n, D) or (S, n, D), is real: (S, n)."""
        self._check_single()
        return self.D(X)[..., 0].sigmoid()

    def push(self, X: Tensor) -> Tensor:
        """Return where G's loss would move each sample: minus its slope, (S, n, D)."""
        self._check_single()
        X = X.detach().expand(len(self.dice), *X.shape[-2:]).clone().requires_grad_()
        loss = generator_loss(self.D(X), self.saturating).sum()  # each sample alone
        return -torch.autograd.grad(loss, X)[0]

    def _check_single(self) -> None:
        if self.pack > 1 or self.statistic:
            raise ValueError("this expert judges samples together, so it has no opinion of one")

    def _randn(self, size: int) -> Tensor:
        shape = self.batch_size, size
        return torch.stack([torch.randn(shape, generator=g) for g in self.dice])

    def _blurred(self, X: Tensor) -> Tensor:
        return X + self.blur * self._randn(X.shape[2]) if bool(self.blur.any()) else X

    def _view(self, X: Tensor) -> Tensor:
        """Arrange samples (S, B, D) as D sees them."""
        if self.statistic:
            spread = (X.var(1, unbiased=False).mean(1) + 1e-8).sqrt()  # (S,)
            X = torch.cat([X, spread.view(-1, 1, 1).expand(-1, X.shape[1], 1)], dim=2)
        return X.reshape(X.shape[0], -1, self.pack * X.shape[2])


def _each(given: Each, S: int, name: str) -> Tensor:
    """Return one number for each of S games, shape (S, 1)."""
    values = torch.as_tensor(given, dtype=torch.float32).flatten()
    if len(values) not in (1, S) or not ((values >= 0) & values.isfinite()).all():
        raise ValueError(f"{name} is one number from 0, or {S} of them; got {given}")
    return values.expand(S).clone().unsqueeze(1)


def _check_densities(p: Tensor, q: Tensor) -> None:
    if p.shape != q.shape or not ((p >= 0) & (q >= 0)).all():
        got = f"{tuple(p.shape)} and {tuple(q.shape)}"
        raise ValueError(f"densities are 0 or more, at the same places; got shapes {got}")
