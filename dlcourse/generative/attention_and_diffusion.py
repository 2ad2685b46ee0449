"""Attention, a look-up by similarity, and diffusion, sampling by taking noise away step by step.

References
----------
A. Vaswani et al. (2017), "Attention is all you need", NeurIPS, arXiv:1706.03762.
J. Ho, A. Jain, P. Abbeel (2020), "Denoising diffusion probabilistic models", NeurIPS,
arXiv:2006.11239.
"""

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EXACT = "donot_use_mm_for_euclid_dist"  # the fast way is off by 0.001 where points are near

__all__ = ["Denoiser", "Mixture", "attend", "marked_bits", "reverse", "train_denoiser"]


def attend(Q: Tensor, K: Tensor, V: Tensor) -> tuple[Tensor, Tensor]:
    """Look up: for each query the mean of the values, weighted by the likeness of its keys.

    Parameters
    ----------
    Q : Tensor, shape (…, M, d)
    K : Tensor, shape (…, N, d)
    V : Tensor, shape (…, N, e)

    Returns
    -------
    answers : Tensor, shape (…, M, e)
    weights : Tensor, shape (…, M, N)
        softmax(Q Kᵀ / √d); each row sums to 1.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> answers, weights = attend(torch.zeros(1, 2), torch.ones(2, 2), torch.tensor([[1.0], [3.0]]))
    >>> answers, weights
    (tensor([[2.]]), tensor([[0.5000, 0.5000]]))
    """
    if min(Q.ndim, K.ndim, V.ndim) < 2 or Q.shape[-1] != K.shape[-1] or K.shape[-2] != V.shape[-2]:
        got = f"{tuple(Q.shape)}, {tuple(K.shape)}, {tuple(V.shape)}"
        raise ValueError(f"shapes (…, M, d), (…, N, d) and (…, N, e) expected, got {got}")
    weights = (Q @ K.transpose(-1, -2) / math.sqrt(Q.shape[-1])).softmax(-1)
    return weights @ V, weights


def marked_bits(
    n: int, n_steps: int, *, seed: int, lag: int | None = None
) -> tuple[Tensor, Tensor]:
    """Draw sequences of random bits of which one is marked; the label is that bit.

    Parameters
    ----------
    n, n_steps : int
        Sequences, and their length, at least 2.
    seed : int
    lag : int, optional
        Steps from the mark to the end, 1 to n_steps - 1; without it each is drawn.

    Returns
    -------
    X : Tensor, shape (n, n_steps, 3)
        The bit (-1 or 1), the mark (0 or 1), and 1 at the last step, where the answer is asked.
    y : Tensor, shape (n,), int64

    Raises
    ------
    ValueError
        If a size or the lag is impossible.

    Examples
    --------
    >>> X, y = marked_bits(5, 8, seed=0, lag=3)
    >>> bool(((X[:, 4, 0] > 0) == y.bool()).all())
    True
    """
    if n < 1 or n_steps < 2 or (lag is not None and not 1 <= lag < n_steps):
        raise ValueError(f"n ≥ 1, n_steps ≥ 2, 1 ≤ lag < n_steps; got {n}, {n_steps}, {lag}")
    dice = torch.Generator().manual_seed(seed)
    bits = torch.randint(2, (n, n_steps), generator=dice)
    at = torch.randint(n_steps - 1, (n,), generator=dice)
    at = at if lag is None else torch.full((n,), n_steps - 1 - lag)
    X = torch.zeros(n, n_steps, 3)
    X[..., 0] = 2.0 * bits - 1
    X[torch.arange(n), at, 1] = 1
    X[:, -1, 2] = 1
    return X, bits[torch.arange(n), at]


class Mixture:
    """Equally frequent Gaussians with one standard deviation, whose best denoiser is known.

    Parameters
    ----------
    means : Tensor, shape (K, D)
    sd : float
        Above 0.

    Raises
    ------
    ValueError
        If the shape or the sd is impossible.

    Examples
    --------
    >>> pair = Mixture(torch.tensor([[-1.0], [1.0]]), 0.1)
    >>> pair.denoise(torch.zeros(1, 1), 1.0)
    tensor([[0.]])
    """

    def __init__(self, means: Tensor, sd: float) -> None:
        if means.ndim != 2 or not 0 < sd < math.inf:
            raise ValueError(f"means (K, D) and sd > 0 expected, got {tuple(means.shape)}, {sd}")
        self.means, self.sd = means, sd

    def sample(self, n: int, *, seed: int) -> Tensor:
        """Draw n points, shape (n, D)."""
        dice = torch.Generator().manual_seed(seed)
        rows = torch.randint(len(self.means), (n,), generator=dice)
        noise = torch.randn(n, self.means.shape[1], generator=dice)
        return self.means[rows] + self.sd * noise

    def denoise(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """Return the mean of all clean points that may lie behind x = clean + sigma · noise.

        x has shape (n, D); sigma is one number, or (n, 1).
        """
        v = self.sd**2 + torch.as_tensor(sigma) ** 2
        apart = torch.cdist(x, self.means, compute_mode=EXACT).square()  # (n, K)
        share = (-apart / (2 * v)).softmax(1)
        middle = share @ self.means
        return middle + self.sd**2 / v * (x - middle)

    def log_density(self, x: Tensor, sigma: float = 0.0) -> Tensor:
        """Return ln p of points (n, D) after noise of standard deviation sigma; shape (n,)."""
        v, (K, D) = self.sd**2 + sigma**2, self.means.shape
        apart = (x[:, None] - self.means).square().sum(-1)
        return (-apart / (2 * v)).logsumexp(1) - math.log(K) - D / 2 * math.log(2 * math.pi * v)


class Denoiser(nn.Module):
    """Three hidden layers from a noisy point and its noise level to the clean point.

    The output is c·x + s·net(x/√(1+σ²), ln σ) with c = 1/(1+σ²) and s = σ/√(1+σ²): for data of
    variance 1 the network then has to learn what a single Gaussian would not tell.

    Parameters
    ----------
    n_inputs, n_hidden : int
        D, and neurons in each hidden layer; at least 1.
    n_classes : int
        If not 0, the network is told the class of each point.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is impossible, or classes are given where none are known or the other way round.

    References
    ----------
    T. Karras et al. (2022), "Elucidating the design space of diffusion-based generative models",
    NeurIPS, arXiv:2206.00364.

    Examples
    --------
    >>> Denoiser(2, seed=0)(torch.zeros(5, 2), torch.ones(5, 1)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        n_inputs: int,
        n_hidden: int = 64,
        *,
        n_classes: int = 0,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        if min(n_inputs, n_hidden) < 1 or n_classes < 0:
            got = f"n_inputs={n_inputs}, n_hidden={n_hidden}, n_classes={n_classes}"
            raise ValueError(f"sizes are at least 1, n_classes at least 0; got {got}")
        self.n_classes = n_classes
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.net = nn.Sequential(
                nn.Linear(n_inputs + 1 + n_classes, n_hidden), nn.SiLU(),
                nn.LayerNorm(n_hidden), nn.Linear(n_hidden, n_hidden), nn.SiLU(),
                nn.LayerNorm(n_hidden), nn.Linear(n_hidden, n_hidden), nn.SiLU(),
                nn.Linear(n_hidden, n_inputs),
            )  # fmt: skip

    def forward(self, x: Tensor, sigma: Tensor, classes: Tensor | None = None) -> Tensor:
        """Return clean points (n, D) for noisy ones (n, D), noise levels (n, 1), classes (n,)."""
        if x.ndim != 2 or sigma.shape != (len(x), 1):
            got = f"{tuple(x.shape)} and {tuple(sigma.shape)}"
            raise ValueError(f"x (n, D) and sigma (n, 1) expected, got {got}")
        if (classes is None) != (self.n_classes == 0):
            told = "no classes were given" if classes is None else "classes were given"
            raise ValueError(f"this denoiser was made for {self.n_classes} classes, but {told}")
        v = 1 + sigma**2
        inputs = [x / v.sqrt(), sigma.log() / 4]
        if classes is not None:
            inputs.append(F.one_hot(classes, self.n_classes).to(x))
        answer: Tensor = self.net(torch.cat(inputs, dim=1))
        return x / v + sigma / v.sqrt() * answer


def train_denoiser(
    net: Denoiser,
    X: Tensor,
    *,
    n_steps: int,
    seed: int,
    classes: Tensor | None = None,
    levels: tuple[float, float] = (0.02, 5.0),
    batch_size: int = 256,
    learning_rate: float = 0.01,
) -> Tensor:
    """Teach a network to take noise away; return the weighted loss of each step, (n_steps,).

    Noise levels are drawn evenly in ln σ between `levels`; the squared error of a point counts
    (1 + σ²)/σ² times, so that all levels matter alike. X has shape (n, D); classes, for a network
    that is told them, (n,) and int64.

    Raises
    ------
    ValueError
        If a setting is impossible.
    FloatingPointError
        If the loss is no longer finite.

    Examples
    --------
    >>> train_denoiser(Denoiser(2, 8, seed=0), torch.randn(50, 2), n_steps=3, seed=0).shape
    torch.Size([3])
    """
    low, high = levels
    if n_steps < 1 or X.ndim != 2 or not 0 < low < high:
        got = f"{n_steps}, {tuple(X.shape)}, {levels}"
        raise ValueError(f"n_steps ≥ 1, X (n, D) and levels 0 < low < high expected, got {got}")
    dice = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), learning_rate, fused=True)
    losses = []
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / n_steps)
        rows = torch.randint(len(X), (batch_size,), generator=dice)
        x, told = X[rows], None if classes is None else classes[rows]
        u = torch.rand(batch_size, 1, generator=dice)
        sigma = low * (high / low) ** u
        noisy = x + sigma * torch.randn(x.shape, generator=dice)
        loss = ((net(noisy, sigma, told) - x).square() * (1 + sigma**2) / sigma**2).mean()
        if not loss.isfinite():
            raise FloatingPointError(f"the loss became {float(loss.detach())} at step {step + 1}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return torch.tensor(losses)


@torch.no_grad()
def reverse(
    denoise: Callable[[Tensor, Tensor], Tensor],
    n: int,
    n_inputs: int,
    *,
    seed: int,
    n_steps: int = 40,
    levels: tuple[float, float] = (0.02, 5.0),
) -> Tensor:
    """Make points from noise: at each level, go part of the way to the denoised point.

    Returns
    -------
    Tensor, shape (n_steps + 1, n, n_inputs)
        The points from pure noise to the end.

    Examples
    --------
    >>> reverse(lambda x, sigma: 0 * x, 4, 2, seed=0, n_steps=10)[-1].abs().max().item()
    0.0
    """
    low, high = levels
    if n_steps < 2 or not 0 < low < high:
        raise ValueError(f"n_steps ≥ 2 and 0 < low < high expected, got {n_steps}, {levels}")
    sigmas = [high * (low / high) ** (k / (n_steps - 1)) for k in range(n_steps)] + [0.0]
    x = high * torch.randn(n, n_inputs, generator=torch.Generator().manual_seed(seed))
    path = [x]
    for now, then in itertools.pairwise(sigmas):
        x = torch.lerp(denoise(x, torch.full((n, 1), now)), x, then / now)
        path.append(x)
    return torch.stack(path)
