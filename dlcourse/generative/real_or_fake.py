"""A generator with styles for images of 8 x 8 pixels, and how well real and fake can be told apart.

Images have shape (n, 8, 8), grey values from 0 (paper) to 1 (ink). Noise z, shape (n, D), and a
class become a vector w; each layer gets its style, a scale and a shift for each map, from w.

References
----------
T. Karras, S. Laine, T. Aila (2019), "A style-based generator architecture for generative
adversarial networks", CVPR, arXiv:1812.04948.
"""

import copy
import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "LAYERS",
    "Detector",
    "StyleGenerator",
    "adain",
    "binomial_interval",
    "tame_accuracy",
    "to_levels",
    "total_variation",
    "train",
]

LAYERS = ("2 × 2", "4 × 4", "8 × 8")
"""The layers of a `StyleGenerator`, by the size of their maps, from coarse to fine."""


def adain(x: Tensor, scale: Tensor, shift: Tensor, *, eps: float = 1e-4) -> Tensor:
    """Adaptive instance normalization: each map of each image gets a new mean and a new spread.

    scale · (x - mean) / √(variance + eps) + shift, with mean and variance (with n) over the pixels
    of one map of one image.

    Parameters
    ----------
    x : Tensor, shape (n, C, H, W)
        Maps.
    scale, shift : Tensor, shape (n, C)
        The style: the new standard deviation and the new mean.
    eps : float
        Keeps a constant map from a division by zero.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    X. Huang, S. Belongie (2017), "Arbitrary style transfer in real-time with adaptive instance
    normalization", ICCV, arXiv:1703.06868.

    Examples
    --------
    >>> x = torch.tensor([[[[1.0, 3.0], [1.0, 3.0]]]])
    >>> adain(x, torch.tensor([[5.0]]), torch.tensor([[10.0]]), eps=0.0)[0, 0, 0]
    tensor([ 5., 15.])
    """
    if x.ndim != 4 or scale.shape != x.shape[:2] or shift.shape != x.shape[:2]:
        got = [tuple(t.shape) for t in (x, scale, shift)]
        raise ValueError(f"maps (n, C, H, W) need scale and shift of shape (n, C), got {got}")
    centred = x - x.mean((2, 3), keepdim=True)
    spread = (centred.square().mean((2, 3), keepdim=True) + eps).sqrt()
    return scale[:, :, None, None] * centred / spread + shift[:, :, None, None]


class StyleGenerator(nn.Module):
    """From a learned constant to images of 8 x 8, in three layers that each obey a style.

    `mapping` turns noise and class into w, shape (n, W). `draw` starts from the constant, 2F maps
    of 2 x 2; each layer adds noise of its own, applies a leaky ReLU and then `adain`. Between
    layers the maps are doubled in size (each pixel four times) and convolved, 3 x 3.

    Parameters
    ----------
    n_noise, n_style : int
        D and W, the lengths of z and w.
    n_maps : int
        F, maps of 8 x 8; there are 2F of 4 x 4 and of 2 x 2.
    n_classes : int
        Classes of which one is asked for.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is below 1.

    Examples
    --------
    >>> G = StyleGenerator(seed=0)
    >>> w = G.mapping(torch.zeros(5, 16), torch.arange(5))
    >>> w.shape, G.draw(w).shape
    (torch.Size([5, 32]), torch.Size([5, 8, 8]))
    """

    def __init__(
        self,
        n_noise: int = 16,
        n_style: int = 32,
        n_maps: int = 8,
        *,
        n_classes: int = 10,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        if min(n_noise, n_style, n_maps, n_classes) < 1:
            got = f"{n_noise}, {n_style}, {n_maps}, {n_classes}"
            raise ValueError(f"n_noise, n_style, n_maps, n_classes are at least 1; got {got}")
        self.n_noise, self.n_style, self.n_classes = n_noise, n_style, n_classes
        sizes = (2 * n_maps, 2 * n_maps, n_maps)
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.dense1 = nn.Linear(n_noise + n_classes, n_style)
            self.dense2 = nn.Linear(n_style, n_style)
            self.constant = nn.Parameter(torch.randn(1, sizes[0], 2, 2))
            self.convolutions = nn.ModuleList(
                nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(sizes)
            )
            styles = [nn.Linear(n_style, 2 * size) for size in sizes]
            self.styles = nn.ModuleList(styles)
            self.noise = nn.ParameterList(torch.full((1, size, 1, 1), 0.1) for size in sizes)
            self.to_image = nn.Conv2d(n_maps, 1, 1)
            # Wide weights, so that from the first step on different noise gives different images.
            for dense in (self.dense1, self.dense2):
                nn.init.normal_(dense.weight, std=2 * (2 / dense.in_features) ** 0.5)
            for style in styles:
                nn.init.normal_(style.weight, std=n_style**-0.5)
        with torch.no_grad():  # the scales begin around 1, the shifts around 0
            for style, size in zip(styles, sizes, strict=True):
                style.bias.zero_()
                style.bias[:size] = 1

    def mapping(self, z: Tensor, classes: Tensor) -> Tensor:
        """Return w, shape (n, W), for noise (n, D) and int64 classes (n,)."""
        if z.ndim != 2 or z.shape[1] != self.n_noise or classes.shape != z.shape[:1]:
            got = f"{tuple(z.shape)} and {tuple(classes.shape)}"
            raise ValueError(f"noise (n, {self.n_noise}) and classes (n,) expected, got {got}")
        told = F.one_hot(classes, self.n_classes).to(z)
        hidden = F.leaky_relu(self.dense1(torch.cat([z, told], 1)), 0.2)
        return F.leaky_relu(self.dense2(hidden), 0.2)

    def draw(self, w: Tensor, *, dice: torch.Generator | None = None) -> Tensor:
        """Return images (n, 8, 8) for w, (n, W) for all layers or (3, n, W), one for each layer.

        Without `dice`, from which it is drawn, no noise is added.
        """
        if w.shape[-1] != self.n_style or w.ndim not in (2, 3) or (w.ndim == 3 and len(w) != 3):
            shapes = f"(n, {self.n_style}) or (3, n, {self.n_style})"
            raise ValueError(f"w has shape {shapes}, got {tuple(w.shape)}")
        w = w.expand(3, *w.shape) if w.ndim == 2 else w
        x = self.constant.expand(w.shape[1], -1, -1, -1)
        for layer in range(3):
            if layer > 0:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
                x = self.convolutions[layer - 1](x)
            if dice is not None:
                speckle = torch.randn(len(x), 1, *x.shape[2:], generator=dice)
                x = x + self.noise[layer] * speckle
            scale, shift = self.styles[layer](w[layer]).chunk(2, dim=1)
            x = adain(F.leaky_relu(x, 0.2), scale, shift)
        return torch.sigmoid(self.to_image(x)[:, 0])

    def forward(self, z: Tensor, classes: Tensor, dice: torch.Generator | None = None) -> Tensor:
        """Return images (n, 8, 8) for noise (n, D) and classes (n,), one style for all layers."""
        return self.draw(self.mapping(z, classes), dice=dice)


class Detector(nn.Module):
    """From images to one logit each, above 0 for "real": two convolutions, one dense layer.

    It serves as the discriminator of the game, told the class which an image is said to have, and,
    told nothing, as the judge of a finished generator.

    Parameters
    ----------
    n_maps : int
        F, maps of 4 x 4; there are 2F of 2 x 2.
    n_classes : int
        If not 0, it is told the class.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Examples
    --------
    >>> Detector(seed=0)(torch.zeros(5, 8, 8)).shape
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
        """Return logits (n,) of images (n, 8, 8) and, if it is told them, int64 classes (n,)."""
        if X.ndim != 3 or X.shape[1:] != (8, 8):
            raise ValueError(f"images must have shape (n, 8, 8), got {tuple(X.shape)}")
        if (classes is None) != (self.n_classes == 0):
            told = "no classes were given" if classes is None else "classes were given"
            raise ValueError(f"this detector was made for {self.n_classes} classes, but {told}")
        x = F.leaky_relu(self.conv1(X[:, None]), 0.2)  # (n, F, 4, 4)
        x = F.leaky_relu(self.conv2(x), 0.2)  # (n, 2F, 2, 2)
        answers = self.output(x.flatten(1))  # (n, 1 + n_classes)
        logits: Tensor = answers[:, 0]
        if classes is not None:
            logits = logits + answers.gather(1, 1 + classes[:, None])[:, 0]
        return logits


def train(
    G: StyleGenerator,
    D: Detector,
    X: Tensor,
    y: Tensor,
    *,
    n_steps: int,
    seed: int,
    batch_size: int = 32,
    learning_rate: float = 0.007,
    mixing: float = 0.5,
    memory: float = 0.99,
) -> tuple[StyleGenerator, Tensor]:
    """Play the game of a GAN: in each step one update of D, then one of G, both by Adam (β₁ = 0).

    D lowers -ln D(real) - ln(1 - D(fake)), G lowers -ln D(fake).

    Parameters
    ----------
    G, D : StyleGenerator, Detector
        Trained in place; D is told classes.
    X, y : Tensor, shape (n, 8, 8) and (n,), int64
        Real images and their classes.
    n_steps, batch_size : int
        Steps, and real images (and as many fakes) in each.
    seed : int
        Of batches and noise; the initial weights were drawn before.
    learning_rate : float
        Adam's η.
    mixing : float
        Share of the steps, in [0, 1], in which the fakes get a second style from some layer on.
    memory : float
        In [0, 1): how much of the averaged generator is kept from step to step (less at the start).

    Returns
    -------
    (StyleGenerator, Tensor)
        A generator whose weights are the running mean of G's, and the losses of D and G at each
        step, shape (n_steps, 2).

    Raises
    ------
    ValueError
        If settings or shapes do not fit.
    FloatingPointError
        If a loss is no longer finite.

    Examples
    --------
    >>> G, D = StyleGenerator(n_maps=4, seed=0), Detector(4, n_classes=10, seed=0)
    >>> X, y = torch.rand(64, 8, 8), torch.arange(64) % 10
    >>> mean_G, losses = train(G, D, X, y, n_steps=2, seed=0)
    >>> losses.shape
    torch.Size([2, 2])
    """
    if n_steps < 1 or not 1 <= batch_size <= len(X) or len(X) != len(y):
        rule = f"n_steps ≥ 1, batch_size from 1 to the {len(X)} images, and a class for each"
        raise ValueError(f"{rule}; got {n_steps}, {batch_size} and {len(y)} classes")
    if not (learning_rate > 0 and 0 <= mixing <= 1 and 0 <= memory < 1):
        rule = "learning_rate > 0, mixing in [0, 1] and memory in [0, 1)"
        raise ValueError(f"{rule}; got {learning_rate}, {mixing} and {memory}")
    dice = torch.Generator().manual_seed(seed)
    mean_G = copy.deepcopy(G)
    step_D, step_G = (
        torch.optim.Adam(net.parameters(), learning_rate, (0.0, 0.99), fused=True) for net in (D, G)
    )
    losses = []
    for step in range(n_steps):
        rows = torch.randint(len(X), (batch_size,), generator=dice)
        real, told = X[rows], y[rows]
        w = _styles(G, told, mixing, dice)
        fake = G.draw(w, dice=dice)
        on_real, on_fake = D(torch.cat([real, fake.detach()]), torch.cat([told, told])).chunk(2)
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
        keep = min(memory, (1 + step) / (10 + step))
        with torch.no_grad():
            for own, other in zip(mean_G.parameters(), G.parameters(), strict=True):
                own.lerp_(other, 1 - keep)
    return mean_G, torch.tensor(losses)


def to_levels(X: Tensor) -> Tensor:
    """Round grey values to the 17 levels 0, 1/16, …, 1 that the scanned digits have.

    Examples
    --------
    >>> to_levels(torch.tensor([-0.2, 0.03, 0.26, 0.99]))
    tensor([0.0000, 0.0000, 0.2500, 1.0000])
    """
    return (16 * X.clamp(0, 1)).round() / 16


def total_variation(p: Tensor, q: Tensor) -> float:
    """Return the total variation distance of two distributions, ½ Σ abs(p - q).

    Whoever knows both, and sees one draw that came from either with equal probability, can say
    which with probability (1 + TV) / 2, and nobody can do better.

    Parameters
    ----------
    p, q : Tensor, shape (K,)
        Probabilities of the same K outcomes.

    Examples
    --------
    >>> total_variation(torch.tensor([0.5, 0.5]), torch.tensor([0.75, 0.25]))
    0.25
    """
    for name, given in {"p": p, "q": q}.items():
        total = float(given.double().sum())
        if given.ndim != 1 or float(given.min()) < 0 or abs(total - 1) > 1e-6:
            raise ValueError(f"{name} must be a list of probabilities, but its sum is {total:g}")
    if p.shape != q.shape:
        raise ValueError(f"p and q must have as many outcomes, got {len(p)} and {len(q)}")
    return float(0.5 * (p.double() - q.double()).abs().sum())


def tame_accuracy(psi: float, n: int) -> float:
    """Return how often the best detector is right if fakes are standard Gaussians, too tame by ψ.

    Real points are n standard normal numbers, fake ones the same times ψ. The densities are equal
    at the squared length r² = 2n ln(1/ψ) / (1/ψ² - 1); shorter points are more probably fake.

    Examples
    --------
    >>> round(tame_accuracy(0.7, 1), 3), round(tame_accuracy(0.7, 16), 3)
    (0.585, 0.84)
    """
    if not 0 < psi < 1 or n < 1:
        raise ValueError(f"ψ lies between 0 and 1, and n is at least 1; got {psi} and {n}")
    squared = 2 * n * math.log(1 / psi) / (1 / psi**2 - 1)
    half = torch.tensor([squared / psi**2, squared], dtype=torch.float64) / 2
    below = torch.special.gammainc(torch.full_like(half, n / 2), half)  # fake, real
    return float(0.5 * (1 + below[0] - below[1]))


def binomial_interval(k: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of Clopper and Pearson for a proportion, k right out of n.

    It holds every p for which neither "k or more" nor "k or fewer" is less probable than
    (1 - level) / 2.

    Raises
    ------
    ValueError
        If the counts or the level are impossible.

    References
    ----------
    C. J. Clopper, E. S. Pearson (1934), Biometrika 26, 404-413, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> "{:.4f} {:.4f}".format(*binomial_interval(10, 20))
    '0.2720 0.7280'
    """
    if not 0 <= k <= n or n < 1 or not 0 < level < 1:
        raise ValueError(f"0 ≤ k ≤ n, n ≥ 1 and 0 < level < 1 expected, got {k}, {n}, {level}")

    def at_least(p: float) -> float:
        return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))

    def at_most(p: float) -> float:
        return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1))

    def root(rises: bool) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):  # halving
            middle = (low + high) / 2
            tail = at_least(middle) if rises else at_most(middle)
            if (tail < (1 - level) / 2) == rises:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    return (0.0 if k == 0 else root(rises=True)), (1.0 if k == n else root(rises=False))


def _styles(G: StyleGenerator, classes: Tensor, mixing: float, dice: torch.Generator) -> Tensor:
    """Return w for each layer, shape (3, n, W); in some steps a second one from some layer on."""
    n = len(classes)
    first, second = (G.mapping(torch.randn(n, G.n_noise, generator=dice), classes) for _ in "12")
    mixes = bool(torch.rand(1, generator=dice) < mixing)
    start = int(torch.randint(1, 3, (1,), generator=dice)) if mixes else 3
    return torch.stack([first if layer < start else second for layer in range(3)])
