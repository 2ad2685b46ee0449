"""Variational autoencoders, and the linear model whose likelihood is known: probabilistic PCA.

Examples are rows, X of shape (n, D). A code z has d numbers, drawn from N(0, I) by the model; what
it then makes is drawn from N(decoder(z), σ² I). Logarithms are natural: all is in nats.

References
----------
D. P. Kingma, M. Welling (2014), "Auto-encoding variational Bayes", ICLR, arXiv:1312.6114.
D. J. Rezende, S. Mohamed, D. Wierstra (2014), "Stochastic backpropagation and approximate
inference in deep generative models", ICML, PMLR 32(2), 1278-1286.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = [
    "VAE",
    "LinearGaussian",
    "gaussian_kl",
    "importance_bound",
    "log_normal",
    "ppca",
    "train",
]


def log_normal(x: Tensor, mean: Tensor, log_var: Tensor | float) -> Tensor:
    """Return ln N(x; mean, exp(log_var)), summed over the last axis.

    Examples
    --------
    >>> round(float(log_normal(torch.zeros(2), torch.zeros(2), 0.0)), 4)  # -ln 2π
    -1.8379
    """
    v = torch.as_tensor(log_var, dtype=x.dtype)
    each: Tensor = (x - mean).square() / v.exp() + v + math.log(2 * math.pi)
    return -each.sum(-1) / 2


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """Return KL(N(m, s²) ‖ N(0, 1)) = (m² + s² - 1 - ln s²)/2 for each entry, s² = exp(log_var).

    For a code with a diagonal covariance, sum over its numbers.

    Examples
    --------
    >>> gaussian_kl(torch.tensor([0.0, 2.0]), torch.zeros(2)).tolist()
    [0.0, 2.0]
    """
    return (mean.square() + log_var.exp() - 1 - log_var) / 2


class VAE(nn.Module):
    """A variational autoencoder with Gaussian codes and Gaussian noise on what it makes.

    The encoder maps x to the mean and the log-variance of q(z | x), the decoder z to the mean of
    p(x | z). Between layers stands tanh. Without hidden layers both are linear.

    Parameters
    ----------
    n_inputs, dim : int
        D and d, numbers in an example and in a code.
    hidden_sizes : sequence of int
        Neurons of the encoder's hidden layers; the decoder has the same in reverse.
    noise_variance : float
        σ² before training.
    learn_noise : bool
        Whether training may change σ².
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is below 1, or the variance not positive.

    Examples
    --------
    >>> model = VAE(64, 2, seed=0)
    >>> reconstruction, kl = model.elbo(torch.zeros(5, 64))
    >>> reconstruction.shape, bool((kl >= 0).all())
    (torch.Size([5]), True)
    """

    def __init__(
        self,
        n_inputs: int,
        dim: int,
        hidden_sizes: Sequence[int] = (64,),
        *,
        noise_variance: float = 0.05,
        learn_noise: bool = True,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        sizes = [n_inputs, *hidden_sizes, dim]
        if min(sizes) < 1:
            raise ValueError(f"sizes must be at least 1, got {sizes}")
        if not 0 < noise_variance < math.inf:
            raise ValueError(f"noise_variance must be positive, got {noise_variance}")
        self.n_inputs, self.dim = n_inputs, dim
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.encoder = _layers([*sizes[:-1], 2 * dim])
            self.decoder = _layers(sizes[::-1])
        start = torch.tensor(math.log(noise_variance))
        self.log_noise = nn.Parameter(start, requires_grad=learn_noise)  # ln σ²

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of q(z | x), each (..., d), for x of shape (..., D)."""
        if x.ndim < 2 or x.shape[-1] != self.n_inputs:
            raise ValueError(f"x must have shape (n, {self.n_inputs}), got {tuple(x.shape)}")
        mean, log_var = self.encoder(x).chunk(2, dim=-1)
        return mean, log_var

    def decode(self, z: Tensor) -> Tensor:
        """Return the mean of p(x | z): from (..., d) to (..., D)."""
        mean: Tensor = self.decoder(z)
        return mean

    def log_p(self, x: Tensor, z: Tensor) -> Tensor:
        """Return ln p(x | z), one number for each row of x and z."""
        off = (x - self.decode(z)).square().sum(-1)
        constant = self.n_inputs * (self.log_noise + math.log(2 * math.pi))
        return -(off / self.log_noise.exp() + constant) / 2

    def elbo(self, x: Tensor, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return both terms of the bound for each example: E ln p(x | z), and KL(q ‖ p(z)).

        The first is estimated with one draw of z; the bound is the first less the second.
        """
        mean, log_var = self.encode(x)
        noise = torch.randn(mean.shape, generator=generator).to(mean)
        z = mean + (log_var / 2).exp() * noise  # slopes pass beside the dice
        return self.log_p(x, z), gaussian_kl(mean, log_var).sum(-1)

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw n codes from the prior and return what the decoder makes of them, without noise."""
        return self.decode(torch.randn(n, self.dim, generator=generator).to(self.log_noise))


def train(
    models: Sequence[VAE],
    X: Tensor,
    *,
    beta: float | Sequence[float] = 1.0,
    n_epochs: int = 100,
    batch_size: int = 128,
    learning_rate: float = 0.01,
    seed: int = 0,
) -> Tensor:
    """Maximize reconstruction - β KL by Adam, for K networks of one shape side by side.

    Their weights are stacked, so that a step costs little more than for one. The networks share
    nothing but the generator of the noise. The rate falls linearly to 0.

    Parameters
    ----------
    models : sequence of VAE
        K networks that differ in nothing but their weights; trained in place.
    X : Tensor, shape (n, D) or (K, n, D)
        Examples for all, or for each its own.
    beta : float or K floats
        β, the weight of the KL; 1 is the bound on the likelihood.
    n_epochs, batch_size, learning_rate
        Passes through X, examples a step, and Adam's rate at the first step.
    seed : int
        Of the orders of the examples and of the noise.

    Returns
    -------
    Tensor, shape (K, n_epochs, 2)
        Mean reconstruction and mean KL over each epoch, in nats an example.

    Raises
    ------
    ValueError
        If X holds NaN, or networks, shapes and settings do not fit.
    FloatingPointError
        If a bound becomes NaN or infinite.

    Examples
    --------
    >>> X = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    >>> models = [VAE(3, 1, (8,), noise_variance=1.0, seed=s) for s in range(4)]
    >>> train(models, X, n_epochs=20).shape
    torch.Size([4, 20, 2])
    """
    stack, K = _stacked(models), len(models)
    if X.ndim not in (2, 3) or (X.ndim == 3 and len(X) != K) or not X.isfinite().all():
        given = f"X of shape {tuple(X.shape)}"
        raise ValueError(f"X is finite, of shape (n, D) or ({K}, n, D); got {given}")
    n = X.shape[-2]
    if not (n_epochs >= 1 and 1 <= batch_size <= n):
        rule = f"n_epochs must be at least 1 and batch_size from 1 to the {n} examples"
        raise ValueError(f"{rule}; got {n_epochs} and {batch_size}")
    betas = torch.as_tensor(beta, dtype=X.dtype)
    if not (0 < learning_rate < math.inf and betas.shape in ((), (K,)) and (betas >= 0).all()):
        rule = f"learning_rate must be positive, and beta one number or {K}, at least 0"
        raise ValueError(f"{rule}; got {learning_rate} and {beta}")
    dice = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam([p for p in stack.parameters() if p.requires_grad], fused=True)
    row = torch.arange(K)[:, None]
    curve = torch.zeros(K, n_epochs, 2)
    for epoch in range(n_epochs):
        adam.param_groups[0]["lr"] = learning_rate * (1 - epoch / n_epochs)
        order = torch.stack([torch.randperm(n, generator=dice) for _ in models])
        for batch in torch.split(order, batch_size, dim=1):
            x = X[batch] if X.ndim == 2 else X[row, batch]  # (K, B, D)
            reconstruction, kl = (term.mean(1) for term in stack.elbo(x, generator=dice))
            adam.zero_grad()
            (betas * kl - reconstruction).sum().backward()  # type: ignore[no-untyped-call]
            adam.step()
            seen = torch.stack([reconstruction, kl], dim=1).detach()
            curve[:, epoch] += seen * (batch.shape[1] / n)
        if not curve[:, epoch].isfinite().all():
            cure = f"start afresh with a smaller learning_rate than {learning_rate:g}"
            raise FloatingPointError(f"a bound is lost in epoch {epoch + 1}: {cure}")
    with torch.no_grad():
        for name, weights in stack.named_parameters():
            for model, own in zip(models, weights, strict=True):
                model.get_parameter(name).copy_(own.view_as(model.get_parameter(name)))
    return curve


def _stacked(models: Sequence[VAE]) -> VAE:
    """Return one network whose weights have a first axis for K networks, and so its answers."""
    shapes = [{name: p.shape for name, p in m.named_parameters()} for m in models]
    if not models or any(shape != shapes[0] for shape in shapes):
        raise ValueError("models must be one network or more, all of one shape")
    stack = copy.deepcopy(models[0])
    for name, p in models[0].named_parameters():
        rows = torch.stack([model.get_parameter(name).detach() for model in models])
        rows = rows if p.ndim == 2 else rows[:, None]  # biases and the noise: one row an example
        if p.ndim == 0:
            stack.log_noise = nn.Parameter(rows, requires_grad=p.requires_grad)
        else:
            layer, _, kind = name.rpartition(".")
            setattr(stack.get_submodule(layer), kind, nn.Parameter(rows))
    return stack


@torch.no_grad()
def importance_bound(
    model: VAE, X: Tensor, n_draws: int = 200, *, generator: torch.Generator | None = None
) -> Tensor:
    """Estimate ln p(x) from below: ln of the mean of p(x, z)/q(z | x) over draws z from q.

    On average it is a lower bound for any number of draws. With one draw it is the ELBO, and it
    never falls, on average, when draws are added. Shape (n, D) to (n,).

    References
    ----------
    Y. Burda, R. Grosse, R. Salakhutdinov (2016), "Importance weighted autoencoders", ICLR,
    arXiv:1509.00519.

    Examples
    --------
    >>> importance_bound(VAE(4, 2, seed=0), torch.zeros(3, 4), 10).shape
    torch.Size([3])
    """
    if n_draws < 1:
        raise ValueError(f"n_draws must be at least 1, got {n_draws}")
    found = []
    for x in torch.split(X, max(1, 20_000 // n_draws)):  # bounds the memory
        mean, log_var = model.encode(x)
        noise = torch.randn((n_draws, *mean.shape), generator=generator).to(mean)
        z = mean + (log_var / 2).exp() * noise  # (draws, n, d)
        log_p = log_normal(z, torch.zeros_like(z), 0.0) + model.log_p(x, z)
        found.append((log_p - log_normal(z, mean, log_var)).logsumexp(0) - math.log(n_draws))
    return torch.cat(found)


@dataclass(frozen=True, eq=False)
class LinearGaussian:
    """z ~ N(0, I), x = mean + W z + noise of variance σ²: x is normal, too, and ln p(x) is known.

    Attributes
    ----------
    mean : Tensor, shape (D,)
    W : Tensor, shape (D, d)
    noise_variance : float
        σ².

    Examples
    --------
    >>> model = LinearGaussian(torch.zeros(1), torch.ones(1, 1), 1.0)  # x ~ N(0, 2)
    >>> round(float(model.log_likelihood(torch.zeros(1, 1))), 4)  # -ln(4π)/2
    -1.2655
    """

    mean: Tensor
    W: Tensor
    noise_variance: float

    @property
    def covariance(self) -> Tensor:
        """W Wᵀ + σ² I, shape (D, D), float64."""
        W = self.W.detach().double()
        return W @ W.T + self.noise_variance * torch.eye(len(W), dtype=torch.float64)

    def log_likelihood(self, X: Tensor) -> Tensor:
        """Return the exact ln p(x) of each row, shape (n,), float64."""
        if X.ndim != 2 or X.shape[1] != len(self.mean):
            raise ValueError(f"X must have shape (n, {len(self.mean)}), got {tuple(X.shape)}")
        mean = self.mean.detach().double()
        normal = torch.distributions.MultivariateNormal(mean, self.covariance)
        told: Tensor = normal.log_prob(X.double())  # type: ignore[no-untyped-call]
        return told

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw n codes and return mean + W z for each, without noise, shape (n, D)."""
        z = torch.randn(n, self.W.shape[1], generator=generator).to(self.W)
        return self.mean + z @ self.W.T


def ppca(X: Tensor, dim: int) -> LinearGaussian:
    """Fit probabilistic PCA: of all linear Gaussian models with d codes, the most likely one.

    σ² is the mean of the D - d smallest eigenvalues λ of the covariance (with n below the line),
    and the columns of W are the first d eigenvectors, each times √(λ - σ²).

    Parameters
    ----------
    X : Tensor, shape (n, D)
    dim : int
        d, from 0 (noise alone) to D - 1.

    Raises
    ------
    ValueError
        If shapes do not fit, X holds NaN, or the data lie in d dimensions, where σ² would be 0.

    References
    ----------
    M. E. Tipping, C. M. Bishop (1999), "Probabilistic principal component analysis", Journal of
    the Royal Statistical Society B 61, 611-622, doi:10.1111/1467-9868.00196.

    Examples
    --------
    >>> X = torch.tensor([[3.0, 0], [-3, 0], [0, 1], [0, -1]])  # variances 4.5 and 0.5
    >>> model = ppca(X, 1)
    >>> round(model.noise_variance, 6), round(abs(float(model.W[0, 0])), 6)
    (0.5, 2.0)
    """
    if X.ndim != 2 or not 0 <= dim < X.shape[1] or len(X) == 0:
        rule = "X has shape (n, D), and dim lies from 0 to D - 1"
        raise ValueError(f"{rule}; got {tuple(X.shape)} and {dim}")
    if not X.isfinite().all():
        raise ValueError("X holds NaN or infinity")
    mean = X.double().mean(0)
    rest = X.double() - mean
    eigenvalues, axes = torch.linalg.eigh(rest.T @ rest / len(X))  # smallest first
    noise = float(eigenvalues[: X.shape[1] - dim].mean())
    if noise <= 1e-12 * float(eigenvalues[-1].clamp(min=1e-300)):
        raise ValueError(f"X lies in {dim} dimensions: nothing is left for the noise")
    largest = torch.arange(X.shape[1] - 1, X.shape[1] - dim - 1, -1)
    W = axes[:, largest] * (eigenvalues[largest] - noise).clamp(min=0).sqrt()
    return LinearGaussian(mean, W, noise)


class _Layer(nn.Linear):
    """A fully connected layer; with weights (K, out, in) and biases (K, 1, out) K of them."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.mT + self.bias


def _layers(sizes: Sequence[int]) -> nn.Sequential:
    """Return fully connected layers with tanh between them."""
    parts: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        parts += [_Layer(n_in, n_out), nn.Tanh()]
    return nn.Sequential(*parts[:-1])
