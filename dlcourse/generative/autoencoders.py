"""Autoencoders: networks that must say their input again after a narrow place, and their limits.

Examples are rows, X of shape (n, D). A code z has k numbers, one row of shape (n, k) for each.

References
----------
H. Bourlard, Y. Kamp (1988), "Auto-association by multilayer perceptrons and singular value
decomposition", Biological Cybernetics 59, 291-294, doi:10.1007/BF00332918.
G. E. Hinton, R. R. Salakhutdinov (2006), "Reducing the dimensionality of data with neural
networks", Science 313, 504-507, doi:10.1126/science.1127647.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "Autoencoder",
    "PrincipalAxes",
    "area_under_roc",
    "mahalanobis",
    "nearest_distance",
    "pca",
    "principal_angles",
    "reconstruction_error",
    "ring_posterior_mean",
    "train",
    "wiener",
]


class Autoencoder(nn.Module):
    """An encoder from D numbers to k, and a decoder from these back to D.

    Between the layers of each stands a SiLU; the code and the output are plain weighted sums.
    Without hidden layers the network is linear.

    Parameters
    ----------
    n_inputs, n_code : int
        D and k.
    hidden_sizes : sequence of int
        Neurons of the encoder's hidden layers; the decoder has the same in reverse.
    noise : float
        Standard deviation of Gaussian noise that is added to the inputs in training mode, and only
        there: with the clean inputs as targets this makes a denoising autoencoder.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is below 1, or the noise negative.

    References
    ----------
    P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol (2008), "Extracting and composing robust
    features with denoising autoencoders", ICML, 1096-1103, doi:10.1145/1390156.1390294.

    Examples
    --------
    >>> net = Autoencoder(64, 2, seed=0)
    >>> X = torch.zeros(5, 64)
    >>> net.encode(X).shape, net(X).shape
    (torch.Size([5, 2]), torch.Size([5, 64]))
    """

    def __init__(
        self,
        n_inputs: int,
        n_code: int,
        hidden_sizes: Sequence[int] = (128,),
        *,
        noise: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        sizes = [n_inputs, *hidden_sizes, n_code]
        if min(sizes) < 1:
            raise ValueError(f"every layer needs at least 1 neuron, got sizes {sizes}")
        if not noise >= 0:
            raise ValueError(f"noise is a standard deviation, 0 or more, got {noise}")
        self.noise = noise
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.encode = _layers(sizes)
            self.decode = _layers(sizes[::-1])

    def forward(self, X: Tensor) -> Tensor:
        """Return the reconstructions of X, both of shape (n, D)."""
        if self.training and self.noise:
            X = X + self.noise * torch.randn_like(X)
        return self.decode(self.encode(X))  # type: ignore[no-any-return]


def _layers(sizes: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def train(
    nets: Sequence[Autoencoder],
    X: Tensor,
    *,
    n_epochs: int = 40,
    batch_size: int = 64,
    learning_rate: float = 0.01,
    seeds: Sequence[int] | None = None,
    callback: Callable[[int], object] | None = None,
) -> Tensor:
    """Train K autoencoders of one shape side by side, each to reconstruct its own data.

    Mini-batches with Adam, whose rate falls in a straight line to 0. The K networks lie in one
    table for each layer and never meet, so that each goes the way it would go alone, but all take a
    step at the price of little more than one.

    Parameters
    ----------
    nets : sequence of K Autoencoder
        Trained in place and left in eval mode. Their noise, if any, is drawn anew at each step.
    X : Tensor, shape (K, n, D)
        The clean examples of each network.
    n_epochs, batch_size, learning_rate
        As in `dlcourse.training.fit`.
    seeds : sequence of K ints, default 0 … K - 1
        Of the order of the examples; the first also of the noise.
    callback : callable, optional
        Called after each epoch, with its number from 1, when the networks have their new weights.

    Returns
    -------
    Tensor, shape (n_epochs, K)
        Mean squared error over each epoch, seen while the weights still moved.

    Raises
    ------
    ValueError
        If shapes or settings do not fit, or the networks differ in more than their weights.
    FloatingPointError
        If the error of a network is no finite number any more.

    Examples
    --------
    >>> nets = [Autoencoder(3, 1, (), seed=s) for s in range(2)]
    >>> line = torch.linspace(-1, 1, 10)[:, None] * torch.tensor([1.0, 2.0, 3.0])
    >>> train(nets, torch.stack([line, line]), n_epochs=300, batch_size=10)[-1] < 1e-3
    tensor([True, True])
    """
    layers = _tables(nets, X, n_epochs, batch_size)
    K, n, _ = X.shape
    seeds = range(K) if seeds is None else seeds
    if len(seeds) != K or not learning_rate > 0:
        rule = f"seeds must be {K} numbers and learning_rate positive"
        raise ValueError(f"{rule}, got {list(seeds)} and {learning_rate}")
    dice = [torch.Generator().manual_seed(s) for s in seeds]
    hiss = torch.Generator().manual_seed(seeds[0])
    plain = {sum(isinstance(m, nn.Linear) for m in nets[0].encode) - 1, len(layers) - 1}
    adam = torch.optim.Adam([p for layer in layers for p in layer], lr=learning_rate, fused=True)
    n_steps, t = n_epochs * -(-n // batch_size), 0
    mine, history = torch.arange(K)[:, None], []
    for epoch in range(1, n_epochs + 1):
        total = torch.zeros(K, dtype=X.dtype)
        order = torch.stack([torch.randperm(n, generator=g) for g in dice])
        for rows in torch.split(order, batch_size, dim=1):
            clean = X[mine, rows]  # (K, B, D)
            h = clean
            if nets[0].noise:
                h = h + nets[0].noise * torch.randn(h.shape, generator=hiss, dtype=X.dtype)
            for i, (W, b) in enumerate(layers):
                h = torch.baddbmm(b, h, W)
                h = h if i in plain else F.silu(h)
            errors = (h - clean).square().mean((1, 2))  # (K,)
            adam.param_groups[0]["lr"] = learning_rate * (1 - t / n_steps)
            adam.zero_grad()
            errors.sum().backward()  # type: ignore[no-untyped-call]
            adam.step()
            total += errors.detach() * rows.shape[1] / n
            t += 1
        if not total.isfinite().all():
            k = int((~total.isfinite()).nonzero()[0])
            raise FloatingPointError(f"network {k} diverged in epoch {epoch}; try a smaller rate")
        history.append(total)
        if callback is not None or epoch == n_epochs:
            _give_back(nets, layers)
        if callback is not None:
            callback(epoch)
    return torch.stack(history)


def _linear(net: Autoencoder) -> list[nn.Linear]:
    return [m for m in net.modules() if isinstance(m, nn.Linear)]


def _tables(
    nets: Sequence[Autoencoder], X: Tensor, n_epochs: int, batch_size: int
) -> list[tuple[Tensor, Tensor]]:
    """Return weights (K, in, out) and biases (K, 1, out) of each layer, once all fit together."""
    forms = {(*(m.weight.shape for m in _linear(net)), net.noise) for net in nets}
    if len(forms) != 1 or len({id(net) for net in nets}) < len(nets):
        raise ValueError("give networks of one shape and noise, each an object of its own")
    wanted = (len(nets), _linear(nets[0])[0].in_features)
    if X.ndim != 3 or (X.shape[0], X.shape[2]) != wanted or X.shape[1] == 0:
        rule = f"X must have shape (K, n, D), here ({wanted[0]}, n, {wanted[1]})"
        raise ValueError(f"{rule}; got {tuple(X.shape)}")
    if not (n_epochs >= 1 and 1 <= batch_size <= X.shape[1]):
        rule = f"n_epochs must be at least 1, and batch_size from 1 to n = {X.shape[1]}"
        raise ValueError(f"{rule}; got {n_epochs} and {batch_size}")
    return [
        (
            torch.stack([m.weight.detach().T for m in same]).requires_grad_(),
            torch.stack([m.bias.detach()[None] for m in same]).requires_grad_(),
        )
        for same in zip(*map(_linear, nets), strict=True)
    ]


@torch.no_grad()
def _give_back(nets: Sequence[Autoencoder], layers: Sequence[tuple[Tensor, Tensor]]) -> None:
    for k, net in enumerate(nets):
        for m, (W, b) in zip(_linear(net.eval()), layers, strict=True):
            m.weight.copy_(W[k].T)
            m.bias.copy_(b[k, 0])


@torch.no_grad()
def reconstruction_error(model: Callable[[Tensor], Tensor], X: Tensor) -> Tensor:
    """Return each example's squared error, mean over its D numbers: (n, D) → (n,).

    Examples
    --------
    >>> reconstruction_error(nn.Identity(), torch.ones(3, 4))
    tensor([0., 0., 0.])
    """
    return (model(X) - X).square().mean(1)


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """The k directions in which data spread most: the best linear encoder and decoder there are.

    Attributes
    ----------
    mean : Tensor, shape (D,)
        Of the data it was made from.
    axes : Tensor, shape (k, D)
        Of length 1 and at right angles, in the order of their variances.
    variances : Tensor, shape (D,)
        Of the data along all D axes, falling, with 1/n; those of the last D - k are what is lost.
    """

    mean: Tensor
    axes: Tensor
    variances: Tensor

    def encode(self, X: Tensor) -> Tensor:
        """Return the codes (n, k) of examples (n, D)."""
        return (X - self.mean) @ self.axes.T

    def decode(self, z: Tensor) -> Tensor:
        """Return the examples (n, D) that codes (n, k) stand for."""
        return self.mean + z @ self.axes

    def __call__(self, X: Tensor) -> Tensor:
        """Return the reconstructions of X, both of shape (n, D)."""
        return self.decode(self.encode(X))


def pca(X: Tensor, n_axes: int) -> PrincipalAxes:
    """Find the principal axes of data: the rows of V in X - mean = U S V.

    By Eckart and Young no other k axes, and no pair of matrices D × k and k × D, has a smaller
    squared error on X.

    Parameters
    ----------
    X : Tensor, shape (n, D)
        Floats, n ≥ 2.
    n_axes : int
        k, from 1 to D.

    References
    ----------
    K. Pearson (1901), "On lines and planes of closest fit to systems of points in space",
    Philosophical Magazine 2, 559-572, doi:10.1080/14786440109462720.
    C. Eckart, G. Young (1936), Psychometrika 1, 211-218, doi:10.1007/BF02288367.

    Examples
    --------
    >>> pca(torch.tensor([[0.0, 1], [2, 1], [4, 1]]), 1).axes.abs()
    tensor([[1., 0.]])
    """
    n, D = _table(X, "X").shape
    if n < 2 or not 1 <= n_axes <= D:
        rule = f"n_axes must lie between 1 and D = {D}, and X have at least 2 rows"
        raise ValueError(f"{rule}; got n_axes = {n_axes} and {n} rows")
    mean = X.mean(0)
    # All D axes are wanted, and of the left side never more than n columns.
    _, S, V = torch.linalg.svd(X - mean, full_matrices=n < D)
    variances = torch.zeros(D, dtype=X.dtype, device=X.device)
    variances[: len(S)] = S**2 / n
    return PrincipalAxes(mean, V[:n_axes], variances)


def principal_angles(A: Tensor, B: Tensor) -> Tensor:
    """Measure how far two subspaces are turned against each other, in radians, smallest first.

    Of all pairs of directions, one in each subspace, the first angle is the smallest; the next is
    the smallest among those at right angles to the pairs before. All are 0 if the subspaces are
    the same, and one of π/2 means a direction of A that B does not know at all.

    Parameters
    ----------
    A, B : Tensor, shape (k, D)
        Rows that span the subspaces: linearly independent, of any length.

    Returns
    -------
    Tensor, shape (k,)
        Angles from 0 to π/2, in float64.

    References
    ----------
    Å. Björck, G. H. Golub (1973), "Numerical methods for computing angles between linear
    subspaces", Mathematics of Computation 27, 579-594, doi:10.1090/S0025-5718-1973-0348991-3.

    Examples
    --------
    >>> principal_angles(torch.tensor([[1.0, 0]]), torch.tensor([[1.0, 1]])).rad2deg().round()
    tensor([45.], dtype=torch.float64)
    """
    if A.shape != B.shape or A.ndim != 2 or not 1 <= A.shape[0] <= A.shape[1]:
        got = f"got {tuple(A.shape)} and {tuple(B.shape)}"
        raise ValueError(f"both need the same shape (k, D) with 1 ≤ k ≤ D; {got}")
    for name, M in {"A": A, "B": B}.items():
        if int(torch.linalg.matrix_rank(M.double())) < len(M):
            raise ValueError(f"the {len(M)} rows of {name} span fewer than {len(M)} directions")
    Q, R = (torch.linalg.qr(M.double().T).Q for M in (A, B))
    cosines = torch.linalg.svdvals(Q.T @ R)
    # An angle near 0 is lost in its cosine, but not in its sine.
    sines = torch.linalg.svdvals(R - Q @ (Q.T @ R)).flip(0)
    return torch.atan2(sines, cosines)


def wiener(X: Tensor, noise: float) -> tuple[Tensor, Tensor]:
    """Find the best linear denoiser for data like X: x̂ = mean + (y - mean) W.

    W = Σ (Σ + σ² I)⁻¹, with Σ the covariance of X. Its mean squared error for a number of an
    example, if the noise is white with standard deviation σ, is σ² tr W / D.

    Parameters
    ----------
    X : Tensor, shape (n, D)
        Clean examples.
    noise : float
        σ > 0.

    Returns
    -------
    (mean, W) : Tensor of shapes (D,) and (D, D)

    References
    ----------
    N. Wiener (1949), Extrapolation, interpolation, and smoothing of stationary time series, MIT
    Press.

    Examples
    --------
    >>> mean, W = wiener(torch.tensor([[-1.0], [1.0]]), noise=1.0)  # half signal, half noise
    >>> W
    tensor([[0.5000]])
    """
    if not noise > 0:
        raise ValueError(f"noise is a standard deviation above 0, got {noise}")
    n, D = _table(X, "X").shape
    mean = X.mean(0)
    covariance = (X - mean).T @ (X - mean) / n
    eye = torch.eye(D, dtype=X.dtype, device=X.device)
    return mean, torch.linalg.solve(covariance + noise**2 * eye, covariance)


def ring_posterior_mean(y: Tensor, noise: float, radius: float = 1.0) -> Tensor:
    """Return the mean of all points of a ring that a noisy point may come from, (n, 2) → (n, 2).

    x̂ = r I₁(κ)/I₀(κ) · y/‖y‖ with κ = r‖y‖/σ², for points spread evenly on a circle of radius r
    about 0, and white noise. No method has a smaller mean squared error.

    Examples
    --------
    >>> ring_posterior_mean(torch.tensor([[0.0, 0.0], [2.0, 0.0]]), noise=0.1)[:, 0]
    tensor([0.0000, 0.9975])
    """
    if y.ndim != 2 or y.shape[1] != 2:
        raise ValueError(f"points of the plane have shape (n, 2), got {tuple(y.shape)}")
    if not (noise > 0 and radius > 0):
        raise ValueError(f"noise and radius must be above 0, got {noise} and {radius}")
    length: Tensor = y.norm(dim=1, keepdim=True)
    kappa = radius * length / noise**2
    shrink: Tensor = torch.special.i1e(kappa) / torch.special.i0e(kappa)
    return radius * shrink * y / length.clamp_min(torch.finfo(y.dtype).tiny)


def mahalanobis(X_train: Tensor, X: Tensor) -> Tensor:
    """Return how far examples lie from the training data's mean, in their standard deviations.

    d² = (x - mean)ᵀ Σ⁻¹ (x - mean), with Σ the covariance of the training data (with n - 1), so
    that directions in which they vary little count for more; (n, D) → (n,).

    Raises
    ------
    ValueError
        If the training data vary in fewer than D directions: leave out columns, or go to PCA first.

    References
    ----------
    P. C. Mahalanobis (1936), "On the generalised distance in statistics", Proceedings of the
    National Institute of Sciences of India 2, 49-55.

    Examples
    --------
    >>> square = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    >>> mahalanobis(square, torch.tensor([[2.0, 0.0]])).square()
    tensor([3.])
    """
    _pair(X_train, X)
    clean = X_train.double()
    mean = clean.mean(0)
    covariance = (clean - mean).T @ (clean - mean) / max(len(clean) - 1, 1)
    if int(torch.linalg.matrix_rank(covariance, hermitian=True)) < len(mean):
        few = f"{len(clean)} training examples vary in fewer than D = {len(mean)} directions"
        raise ValueError(f"{few}, so their covariance has no inverse")
    away = X.double() - mean
    squared: Tensor = (away * torch.linalg.solve(covariance, away.T).T).sum(1)
    return squared.sqrt().to(X.dtype)


def nearest_distance(X_train: Tensor, X: Tensor) -> Tensor:
    """Return the distance of each example to the nearest training example, (n, D) → (n,).

    Examples
    --------
    >>> nearest_distance(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[3.0, 0.0]]))
    tensor([3.])
    """
    _pair(X_train, X)
    return torch.cdist(X, X_train).amin(1)


def area_under_roc(scores: Tensor, y: Tensor) -> float:
    """Return the probability that a random positive scores above a random negative, ties as ½.

    Parameters
    ----------
    scores : Tensor, shape (n,)
        Finite; high where an example looks positive.
    y : Tensor, shape (n,)
        1 for positives, 0 for the others; at least one of each.

    References
    ----------
    J. A. Hanley, B. J. McNeil (1982), "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143, 29-36, doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> area_under_roc(torch.tensor([0.1, 0.4, 0.4, 0.9]), torch.tensor([0, 0, 1, 1]))
    0.875
    """
    if scores.shape != y.shape or scores.ndim != 1:
        got = f"got {tuple(scores.shape)} and {tuple(y.shape)}"
        raise ValueError(f"scores and y are two lists of one length, (n,); {got}")
    if not scores.isfinite().all():
        raise ValueError("a score is NaN or infinite")
    positive, negative = scores[y == 1], scores[y == 0]
    if len(positive) + len(negative) < len(y) or min(len(positive), len(negative)) == 0:
        raise ValueError(f"y holds 1 and 0, at least one of each; got {sorted(set(y.tolist()))}")
    low = negative.sort().values
    below = torch.searchsorted(low, positive, side="left").double()
    up_to = torch.searchsorted(low, positive, side="right").double()
    return float((below + up_to).mean() / (2 * len(negative)))


def _table(X: Tensor, name: str) -> Tensor:
    if X.ndim != 2 or X.numel() == 0 or not X.is_floating_point():
        raise ValueError(f"{name} must be floats (n, D), got {X.dtype} {tuple(X.shape)}")
    return X


def _pair(X_train: Tensor, X: Tensor) -> None:
    if _table(X_train, "X_train").shape[1] != _table(X, "X").shape[1]:
        shapes = f"{tuple(X_train.shape)} and {tuple(X.shape)}"
        raise ValueError(f"X_train and X need the same number of columns, got {shapes}")
