"""A convolutional GAN for images of 8 x 8 pixels, and how to tell whether its samples are good.

A generator turns noise, shape (n, D), into images, shape (n, 8, 8), grey values from 0 to 1. A
discriminator turns images into one logit each: above 0 it says "real".

References
----------
I. Goodfellow et al. (2014), "Generative adversarial nets", NIPS 27, arXiv:1406.2661.
A. Radford, L. Metz, S. Chintala (2016), "Unsupervised representation learning with deep
convolutional generative adversarial networks", ICLR, arXiv:1511.06434.
M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter (2017), "GANs trained by a two
time-scale update rule converge to a local Nash equilibrium", NIPS 30, arXiv:1706.08500.
"""

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "DigitDiscriminator",
    "DigitGenerator",
    "arc",
    "frechet_distance",
    "frechet_floor",
    "frechet_gaussians",
    "nearest_distance",
    "sample",
    "train",
    "transposed_convolution",
]


def transposed_convolution(x: Tensor, W: Tensor, *, stride: int = 1, padding: int = 0) -> Tensor:
    """Enlarge feature maps: put zeros between the pixels, then convolve with the turned filter.

    Equals ``F.conv_transpose2d``; its matrix is that of ``F.conv2d`` with the same weights, turned
    over (transposed).

    Parameters
    ----------
    x : Tensor, shape (n, C, H, W)
        Maps.
    W : Tensor, shape (C, K, k, k)
        Filters: what each of the C input maps stamps onto each of the K output maps.
    stride : int
        How many pixels of the output lie between two neighbours of the input.
    padding : int
        Pixels that are cut off at each border of the output, from 0 to k - 1.

    Returns
    -------
    Tensor, shape (n, K, (H - 1) stride + k - 2 padding, …)

    Raises
    ------
    ValueError
        If shapes, stride or padding do not fit.

    References
    ----------
    V. Dumoulin, F. Visin (2016), "A guide to convolution arithmetic", arXiv:1603.07285.

    Examples
    --------
    >>> dots = torch.tensor([[[[1.0, 2.0]]]])
    >>> transposed_convolution(dots, torch.ones(1, 1, 2, 2), stride=2)[0, 0]
    tensor([[1., 1., 2., 2.],
            [1., 1., 2., 2.]])
    """
    if x.ndim != 4 or W.ndim != 4 or W.shape[0] != x.shape[1] or W.shape[2] != W.shape[3]:
        got = f"{tuple(x.shape)} and {tuple(W.shape)}"
        raise ValueError(f"maps (n, C, H, W) need filters (C, K, k, k), got {got}")
    n, C, height, width = x.shape
    k = W.shape[2]
    if stride < 1 or not 0 <= padding < k:
        raise ValueError(f"stride ≥ 1 and 0 ≤ padding < {k}, got {stride} and {padding}")
    stuffed = x.new_zeros(n, C, (height - 1) * stride + 1, (width - 1) * stride + 1)
    stuffed[:, :, ::stride, ::stride] = x
    return F.conv2d(stuffed, W.flip(2, 3).transpose(0, 1), padding=k - 1 - padding)


class DigitGenerator(nn.Module):
    """From noise to images of 8 x 8: a dense layer, then two transposed convolutions.

    (n, D) → (n, 2F, 2, 2) → (n, F, 4, 4) → (n, 8, 8); batch normalization and ReLU in between, a
    sigmoid at the end, as DCGAN has it (but for tanh).

    Parameters
    ----------
    n_noise : int
        D, how many random numbers make an image.
    n_maps : int
        F, feature maps of 4 x 4.
    n_classes : int
        If not 0, the generator is also told which class to draw.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is too small, or classes are given where none are known or the other way round.

    Examples
    --------
    >>> DigitGenerator(seed=0)(torch.zeros(5, 16)).shape
    torch.Size([5, 8, 8])
    """

    def __init__(
        self, n_noise: int = 16, n_maps: int = 16, *, n_classes: int = 0, seed: int | None = None
    ) -> None:
        super().__init__()
        if min(n_noise, n_maps) < 1 or n_classes < 0:
            got = f"n_noise={n_noise}, n_maps={n_maps}, n_classes={n_classes}"
            raise ValueError(f"n_noise and n_maps are at least 1, n_classes at least 0; got {got}")
        self.n_noise, self.n_classes, self.n_maps = n_noise, n_classes, n_maps
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.dense = nn.Linear(n_noise + n_classes, 8 * n_maps, bias=False)
            self.norm1 = nn.BatchNorm2d(2 * n_maps)
            self.grow1 = nn.ConvTranspose2d(2 * n_maps, n_maps, 4, 2, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(n_maps)
            self.grow2 = nn.ConvTranspose2d(n_maps, 1, 4, 2, 1)

    def forward(self, z: Tensor, classes: Tensor | None = None) -> Tensor:
        """Return images (n, 8, 8) for noise (n, D) and, if it knows classes, int64 labels (n,)."""
        if z.ndim != 2 or z.shape[1] != self.n_noise:
            raise ValueError(f"noise must have shape (n, {self.n_noise}), got {tuple(z.shape)}")
        z = torch.cat([z, *_one_hot(classes, self.n_classes, z)], dim=1)
        x = self.dense(z).view(len(z), 2 * self.n_maps, 2, 2)
        x = self.grow1(F.relu(self.norm1(x)))  # (n, F, 4, 4)
        x = self.grow2(F.relu(self.norm2(x)))  # (n, 1, 8, 8)
        return torch.sigmoid(x[:, 0])


class DigitDiscriminator(nn.Module):
    """From images of 8 x 8 to one logit each: two convolutions with stride 2, one dense layer.

    If it is told a class, the logit is the sum of two outputs: one for "real?", one for "a real
    one of this class?" (a projection).

    Parameters
    ----------
    n_maps : int
        F, feature maps of 4 x 4; there are 2F of 2 x 2.
    n_classes : int
        If not 0, it is told the class which the image is said to have.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is too small, or classes are given where none are known or the other way round.

    References
    ----------
    T. Miyato, M. Koyama (2018), "cGANs with projection discriminator", ICLR, arXiv:1802.05637.

    Examples
    --------
    >>> DigitDiscriminator(seed=0)(torch.zeros(5, 8, 8)).shape
    torch.Size([5])
    """

    def __init__(self, n_maps: int = 16, *, n_classes: int = 0, seed: int | None = None) -> None:
        super().__init__()
        if n_maps < 1 or n_classes < 0:
            got = f"n_maps={n_maps}, n_classes={n_classes}"
            raise ValueError(f"n_maps is at least 1, n_classes at least 0; got {got}")
        self.n_classes = n_classes
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.conv1 = nn.Conv2d(1, n_maps, 4, 2, 1)
            self.conv2 = nn.Conv2d(n_maps, 2 * n_maps, 4, 2, 1)
            self.output = nn.Linear(8 * n_maps, 1 + n_classes)

    def forward(self, X: Tensor, classes: Tensor | None = None) -> Tensor:
        """Return logits (n,) of images (n, 8, 8) and, if it knows classes, int64 labels (n,)."""
        if X.shape[1:] != (8, 8):
            raise ValueError(f"images must have shape (n, 8, 8), got {tuple(X.shape)}")
        x = F.leaky_relu(self.conv1(X[:, None]), 0.2)  # (n, F, 4, 4)
        x = F.leaky_relu(self.conv2(x), 0.2)  # (n, 2F, 2, 2)
        answers = self.output(x.flatten(1))  # (n, 1 + n_classes)
        logits: Tensor = answers[:, 0]
        for told in _one_hot(classes, self.n_classes, X):
            logits = logits + (answers[:, 1:] * told).sum(1)
        return logits


def train(
    G: DigitGenerator,
    D: DigitDiscriminator,
    X: Tensor,
    *,
    n_steps: int,
    seed: int,
    y: Tensor | None = None,
    batch_size: int = 64,
    learning_rate: float = 0.01,
    beta1: float = 0.0,
    memory: float = 0.99,
    watch: Callable[[int, DigitGenerator], object] | None = None,
) -> tuple[DigitGenerator, Tensor]:
    """Play the game: in each step one update of D, then one of G, both by Adam.

    D lowers -ln D(real) - ln(1 - D(fake)), G lowers -ln D(fake). (D here is the probability, the
    sigmoid of the discriminator's logit.)

    Parameters
    ----------
    G, D : DigitGenerator, DigitDiscriminator
        Trained in place.
    X : Tensor, shape (n, 8, 8)
        Real images.
    n_steps, batch_size : int
        Steps, and real images (and as many fakes) in each.
    seed : int
        Of batches and noise; the initial weights were drawn before.
    y : Tensor, shape (n,), int64, optional
        Classes of the real images, for networks that are told them.
    learning_rate, beta1 : float
        Adam's η, and how much of the running mean of slopes is kept from step to step.
    memory : float
        In [0, 1): how much of the averaged generator is kept from step to step (less at the start).
    watch : callable, optional
        Called with the number of steps done and the averaged generator, from 0 on.

    Returns
    -------
    (DigitGenerator, Tensor)
        A generator whose weights are the running mean of G's, in eval mode, and the losses of D
        and G at each step, shape (n_steps, 2).

    Raises
    ------
    ValueError
        If settings or shapes do not fit.
    FloatingPointError
        If a loss is no longer finite.

    References
    ----------
    Y. Yazıcı et al. (2019), "The unusual effectiveness of averaging in GAN training", ICLR,
    arXiv:1806.04498.

    Examples
    --------
    >>> G, D = DigitGenerator(n_maps=4, seed=0), DigitDiscriminator(n_maps=4, seed=0)
    >>> mean_G, losses = train(G, D, torch.rand(64, 8, 8), n_steps=3, seed=0)
    >>> losses.shape, mean_G(torch.zeros(2, 16)).shape
    (torch.Size([3, 2]), torch.Size([2, 8, 8]))
    """
    if n_steps < 1 or not 1 <= batch_size <= len(X):
        rule = f"n_steps at least 1 and batch_size from 1 to the {len(X)} images"
        raise ValueError(f"{rule}; got {n_steps} and {batch_size}")
    if not (learning_rate > 0 and 0 <= beta1 < 1 and 0 <= memory < 1):
        rule = "learning_rate > 0, and beta1 and memory in [0, 1)"
        raise ValueError(f"{rule}; got {learning_rate}, {beta1} and {memory}")
    dice = torch.Generator().manual_seed(seed)
    mean_G = copy.deepcopy(G)
    step_D, step_G = (
        torch.optim.Adam(net.parameters(), learning_rate, (float(beta1), 0.99), fused=True)
        for net in (D, G)
    )
    losses = []
    G.train()
    D.train()
    for step in range(n_steps):
        if watch is not None:
            watch(step, mean_G)
        rows = torch.randint(len(X), (batch_size,), generator=dice)
        real, told = X[rows], None if y is None else y[rows]
        z = torch.randn(batch_size, G.n_noise, generator=dice)
        fake = G(z, told)
        both = None if told is None else torch.cat([told, told])
        on_real, on_fake = D(torch.cat([real, fake.detach()]), both).chunk(2)
        loss_D = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        step_D.zero_grad()
        loss_D.backward()  # type: ignore[no-untyped-call]
        step_D.step()

        loss_G = F.softplus(-D(fake, told)).mean()
        step_G.zero_grad()
        # D's own slopes are not needed here.
        loss_G.backward(inputs=list(G.parameters()))  # type: ignore[no-untyped-call]
        step_G.step()
        losses.append((float(loss_D.detach()), float(loss_G.detach())))
        if not all(map(math.isfinite, losses[-1])):
            now = f"the losses became {losses[-1]} at step {step + 1}"
            raise FloatingPointError(f"{now}; try a learning_rate below {learning_rate:g}")
        _follow(mean_G, G, min(memory, (1 + step) / (10 + step)))
    if watch is not None:
        watch(n_steps, mean_G)
    return mean_G.eval(), torch.tensor(losses)


@torch.no_grad()
def sample(G: DigitGenerator, n: int, *, seed: int, classes: Tensor | None = None) -> Tensor:
    """Draw n images, shape (n, 8, 8), from noise of a seed; G is used in eval mode.

    Examples
    --------
    >>> sample(DigitGenerator(seed=0), 3, seed=1).shape
    torch.Size([3, 8, 8])
    """
    z = torch.randn(n, G.n_noise, generator=torch.Generator().manual_seed(seed))
    training = G.training
    images: Tensor = G.eval()(z, classes)
    G.train(training)
    return images


def frechet_gaussians(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Return the squared Fréchet distance of two Gaussians, in closed form.

    ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½): the least mean squared distance between a point of the
    one and its partner of the other, over all ways to pair them.

    Parameters
    ----------
    mean1, mean2 : Tensor, shape (d,)
    cov1, cov2 : Tensor, shape (d, d)
        Covariance matrices; they may be singular.

    Raises
    ------
    ValueError
        If shapes do not fit, or a matrix is not symmetric or has an eigenvalue below 0.

    References
    ----------
    D. C. Dowson, B. V. Landau (1982), "The Fréchet distance between multivariate normal
    distributions", J. Multivariate Analysis 12, 450-455, doi:10.1016/0047-259X(82)90077-X.

    Examples
    --------
    >>> one, zero = torch.eye(1), torch.zeros(1)
    >>> frechet_gaussians(zero, one, zero + 3, 4 * one)  # (0 - 3)² + (1 - 2)²
    10.0
    """
    d = mean1.numel()
    shapes = [tuple(t.shape) for t in (mean1, cov1, mean2, cov2)]
    if shapes != [(d,), (d, d)] * 2:
        raise ValueError(f"means (d,) and covariances (d, d) expected, got {shapes}")
    root1, root2 = _root(cov1), _root(cov2)
    # The eigenvalues of (Σ₁ Σ₂)^½ are the singular values of Σ₁^½ Σ₂^½.
    overlap = torch.linalg.svdvals(root1 @ root2).sum()
    apart = (mean1.double() - mean2.double()).square().sum()
    return float(apart + (cov1.double().trace() + cov2.double().trace() - 2 * overlap).clamp_min(0))


def frechet_distance(A: Tensor, B: Tensor) -> float:
    """Return the squared Fréchet distance of Gaussians fitted to two sets of features.

    Parameters
    ----------
    A, B : Tensor, shape (n, d) and (m, d)
        Features, one image a row, at least two rows. In the literature d = 2,048, from the network
        "Inception", whence FID.

    Examples
    --------
    >>> A = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    >>> round(frechet_distance(A, A + 2), 4)
    12.0
    """
    if A.ndim != 2 or B.ndim != 2 or A.shape[1] != B.shape[1] or min(len(A), len(B)) < 2:
        got = f"{tuple(A.shape)} and {tuple(B.shape)}"
        raise ValueError(f"features must have shapes (n, d) and (m, d), n and m ≥ 2; got {got}")
    A, B = A.double(), B.double()
    covs = [torch.cov(features.T).view(A.shape[1], A.shape[1]) for features in (A, B)]
    return frechet_gaussians(A.mean(0), covs[0], B.mean(0), covs[1])


def frechet_floor(cov: Tensor, n: int, m: int) -> float:
    """Return what `frechet_distance` shows on average for n and m draws from one same Gaussian.

    (1/n + 1/m) (5/4 tr Σ + ½ Σᵢⱼ λᵢλⱼ/(λᵢ + λⱼ)) with the eigenvalues λ of Σ, to first order in
    1/n and 1/m, for n and m well above d. The true distance is 0.

    Examples
    --------
    >>> frechet_floor(torch.eye(2), 100, 100)  # 2/100 · (5/2 + 1)
    0.07
    """
    if min(n, m) < 2:
        raise ValueError(f"n and m must be at least 2, got {n} and {m}")
    lam = _eigenvalues(cov)[0]
    pairs = lam[:, None] * lam / (lam[:, None] + lam).clamp_min(1e-300)
    return round(float((1 / n + 1 / m) * (1.25 * lam.sum() + 0.5 * pairs.sum())), 12)


def nearest_distance(X: Tensor, X_train: Tensor) -> tuple[Tensor, Tensor]:
    """Return each image's distance to the nearest training image, and that one's row.

    Euclidean, over the pixels; both results have shape (n,). Copies have distance 0.

    Examples
    --------
    >>> nearest_distance(torch.ones(1, 8, 8), torch.zeros(3, 8, 8))
    (tensor([8.]), tensor([0]))
    """
    if X.shape[1:] != X_train.shape[1:] or len(X_train) == 0:
        got = f"{tuple(X.shape)} and {tuple(X_train.shape)}"
        raise ValueError(
            f"both must hold images of one size, at least one to learn from; got {got}"
        )
    exact = "donot_use_mm_for_euclid_dist"  # the fast way leaves 0.001 where 0 is right
    apart = torch.cdist(X.flatten(1), X_train.flatten(1), compute_mode=exact)
    distance, row = apart.min(1)
    return distance, row


def arc(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Return the point at t, from 0 to 1, on the arc from noise a to noise b, shape (…, D).

    cos(πt/2) a + sin(πt/2) b. If a and b are independent draws of Gaussian noise, so is every
    point between them; on the straight line, the middle is shorter by √½.

    Examples
    --------
    >>> arc(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 0.5)
    tensor([0.7071, 0.7071])
    """
    if a.shape != b.shape:
        raise ValueError(f"both ends must have one shape, got {tuple(a.shape)}, {tuple(b.shape)}")
    return math.cos(math.pi / 2 * t) * a + math.sin(math.pi / 2 * t) * b


@torch.no_grad()
def _follow(mean_G: nn.Module, G: nn.Module, memory: float) -> None:
    """Move the averaged generator towards G; what batch normalization counts is copied."""
    for own, other in zip(mean_G.parameters(), G.parameters(), strict=True):
        own.lerp_(other, 1 - memory)
    for count, current in zip(mean_G.buffers(), G.buffers(), strict=True):
        count.copy_(current)


def _one_hot(classes: Tensor | None, n_classes: int, like: Tensor) -> list[Tensor]:
    if (classes is None) != (n_classes == 0):
        told = "no classes were given" if classes is None else "classes were given"
        raise ValueError(f"this network was made for {n_classes} classes, but {told}")
    if classes is None:
        return []
    if classes.shape != like.shape[:1]:
        raise ValueError(f"{len(like)} images need as many classes, got {tuple(classes.shape)}")
    return [F.one_hot(classes, n_classes).to(like)]


def _eigenvalues(cov: Tensor) -> tuple[Tensor, Tensor]:
    cov = cov.double()
    if cov.ndim != 2 or cov.shape[0] != cov.shape[1] or not cov.isfinite().all():
        raise ValueError(f"a covariance is a finite square matrix, got shape {tuple(cov.shape)}")
    lam, vectors = torch.linalg.eigh(cov)
    size = float(cov.abs().max())
    if not torch.allclose(cov, cov.T, atol=1e-6 * size) or float(lam.min()) < -1e-6 * size:
        raise ValueError("a covariance is symmetric and has no eigenvalue below 0")
    return lam.clamp_min(0), vectors


def _root(cov: Tensor) -> Tensor:
    lam, vectors = _eigenvalues(cov)
    return vectors * lam.sqrt() @ vectors.T
