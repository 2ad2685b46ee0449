"""Convolutional networks for images: a small one for digits of 8 x 8 pixels, and LeNet-5.

A convolutional layer applies one small set of weights at every place of its input. Images have
shape (n, channels, height, width); one channel may be left out, or the pixels stand in a row.

References
----------
Y. LeCun, B. Boser, J. S. Denker, D. Henderson, R. E. Howard, W. Hubbard, L. D. Jackel (1989),
"Backpropagation applied to handwritten zip code recognition", Neural Computation 1, 541-551,
doi:10.1162/neco.1989.1.4.541.
Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), "Gradient-based learning applied to document
recognition", Proc. IEEE 86, 2278-2324, doi:10.1109/5.726791.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["DigitNet", "LeNet5", "jitter", "n_parameters", "saliency"]

# Which maps of S2 each of the 16 maps of C3 sees: Table I of LeCun et al. (1998).
C3_SEES = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)


def n_parameters(model: nn.Module) -> int:
    """Count the numbers that training may change.

    Examples
    --------
    >>> n_parameters(nn.Conv2d(1, 16, 3)), n_parameters(nn.Linear(64, 1024))
    (160, 66560)
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


class DigitNet(nn.Module):
    """A small relative of LeNet for images of 8 x 8 grey values.

    Two convolutions of 3 x 3, the greatest number of each 2 x 2, dropout, two dense layers.

    Parameters
    ----------
    p : float
        Dropout's probability to silence a number, in [0, 1); anything else raises a ValueError.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Examples
    --------
    >>> model = DigitNet(seed=0)
    >>> model(torch.zeros(5, 64)).shape, n_parameters(model)
    (torch.Size([5, 10]), 23946)
    """

    def __init__(self, *, p: float = 0.1, seed: int | None = None) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p must be a probability in [0, 1), got {p}")
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.conv1, self.conv2 = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3)
            self.dense, self.output = nn.Linear(288, 64), nn.Linear(64, 10)
        self.dropout = nn.Dropout(p)

    def forward(self, X: Tensor) -> Tensor:
        """Return logits (n, 10) of images (n, 64), (n, 8, 8) or (n, 1, 8, 8)."""
        x = _as_images(X, 8)  # (n, 1, 8, 8)
        x = F.relu(self.conv1(x))  # (n, 16, 8, 8)
        x = F.relu(self.conv2(x))  # (n, 32, 6, 6)
        x = F.max_pool2d(x, 2)  # (n, 32, 3, 3)
        x = self.dropout(x.flatten(1))  # (n, 288)
        x = F.relu(self.dense(x))  # (n, 64)
        return self.output(x)  # type: ignore[no-any-return]


class _TableConv(nn.Module):
    """A convolution of 5 x 5 in which each of the 16 maps sees only those that C3_SEES names."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = [f for f, seen in enumerate(C3_SEES) for _ in seen]
        self.seen = [k for seen in C3_SEES for k in seen]
        reach = torch.tensor([(25 * len(C3_SEES[f])) ** -0.5 for f in self.maps])  # 1 / √inputs
        self.weight = nn.Parameter((2 * torch.rand(60, 5, 5) - 1) * reach[:, None, None])
        self.bias = nn.Parameter(torch.zeros(16))

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight.new_zeros(16, 6, 5, 5)
        kernel[self.maps, self.seen] = self.weight
        return F.conv2d(x, kernel, self.bias)


class _Subsample(nn.Module):
    """Mean of 2 x 2, times a weight, plus a bias, both one for each map; then tanh."""

    def __init__(self, n_maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_maps, 1, 1))
        self.bias = nn.Parameter(torch.zeros(n_maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return _squash(F.avg_pool2d(x, 2) * self.weight + self.bias)


class LeNet5(nn.Module):
    """LeNet-5 for images of 28 x 28, as published in 1998 (section II.B) but for the last layer.

    C1: 6 maps of 28 x 28, S2: halved, C3: 16 maps of 10 x 10, each of which sees some maps of S2,
    S4: halved, C5: 120, F6: 84. Its 60,000 weights are the published number. Paper is given to it
    as -0.1 and ink as 1.175. The ten outputs are a dense layer (850 weights more) where LeCun et
    al. compared F6 with drawings of the characters.

    Parameters
    ----------
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Examples
    --------
    >>> model = LeNet5(seed=0)
    >>> model(torch.zeros(2, 28, 28)).shape, n_parameters(model) - n_parameters(model.output)
    (torch.Size([2, 10]), 60000)
    """

    def __init__(self, *, seed: int | None = None) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.C1, self.S2 = nn.Conv2d(1, 6, 5), _Subsample(6)
            self.C3, self.S4 = _TableConv(), _Subsample(16)
            self.C5, self.F6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
            self.output = nn.Linear(84, 10)

    def forward(self, X: Tensor) -> Tensor:
        """Return logits (n, 10) of images (n, 784), (n, 28, 28) or (n, 1, 28, 28), 0 to 1."""
        x = 1.275 * F.pad(_as_images(X, 28), (2, 2, 2, 2)) - 0.1  # (n, 1, 32, 32)
        x = self.S2(_squash(self.C1(x)))  # (n, 6, 28, 28) → (n, 6, 14, 14)
        x = self.S4(_squash(self.C3(x)))  # (n, 16, 10, 10) → (n, 16, 5, 5)
        x = _squash(self.C5(x).flatten(1))  # (n, 120)
        return self.output(_squash(self.F6(x)))  # type: ignore[no-any-return]


def jitter(
    X: Tensor,
    generator: torch.Generator,
    *,
    degrees: float = 10.0,
    zoom: float = 0.1,
    pixels: float = 0.7,
    still: float = 0.3,
) -> Tensor:
    """Turn, zoom and move each image a little, at random; what enters is 0 (paper).

    Angle, zoom and both shifts are drawn evenly from -1 to 1 times the greatest that is allowed.
    New pixels are weighted means of the four old ones nearest to them.

    Parameters
    ----------
    X : Tensor, shape (n, H, W)
        Images; the result has the same shape.
    generator : torch.Generator
        Where the random numbers come from.
    degrees, zoom, pixels : float
        Greatest angle, share by which an image grows or shrinks (below 1), and shift.
    still : float
        Probability to leave an image as it is; like the others, it is checked (ValueError).

    Examples
    --------
    >>> dot, dice = torch.zeros(1, 3, 3), torch.Generator().manual_seed(0)
    >>> dot[0, 1, 1] = 1.0
    >>> jitter(dot, dice, pixels=0.5, still=0.0).count_nonzero().item()
    4
    """
    if X.ndim != 3 or not X.is_floating_point():
        got = f"{X.dtype} of shape {tuple(X.shape)}"
        raise ValueError(f"images are floats of shape (n, height, width), got {got}")
    if not (0 <= still <= 1 and 0 <= zoom < 1 and min(degrees, pixels) >= 0):
        got = f"degrees={degrees}, zoom={zoom}, pixels={pixels}, still={still}"
        raise ValueError(f"still must lie in [0, 1], zoom in [0, 1), no other below 0; got {got}")
    n, H, W = X.shape
    dice = 2 * torch.rand(4, n, generator=generator) - 1  # (angle, zoom, right, down), (n,) each
    dice = dice * (torch.rand(n, generator=generator) >= still)
    angle, size = dice[0] * math.radians(degrees), 1 + dice[1] * zoom
    # The place (x, y) of a new image, each from -1 to 1, shows what was at
    # (cos x - sin y + right, sin x + cos y + down) of the old one.
    cos, sin = size * angle.cos(), size * angle.sin()
    right, down = dice[2:] * 2 * pixels / torch.tensor([[W], [H]])
    rows = torch.stack([cos, -sin, right, sin, cos, down], dim=1).view(n, 2, 3).to(X)
    places = F.affine_grid(rows, [n, 1, H, W], align_corners=False)  # (n, H, W, 2)
    return F.grid_sample(X[:, None], places, align_corners=False)[:, 0]


def saliency(model: nn.Module, X: Tensor, classes: Tensor) -> Tensor:
    """Return the slope of each example's logit for a class with respect to its input, ∂z_k/∂x.

    Parameters
    ----------
    model : nn.Module
        From X, shape (n, …), to logits (n, K); its weights and their slopes are left alone.
    X, classes : Tensor, Tensor
        Examples of floats, and the class k to ask for, int64, one for each example.

    Returns
    -------
    Tensor, shape of X
        Positive where a larger input would raise the logit.

    Raises
    ------
    ValueError
        If there is not one class for each example, or a class does not exist.

    References
    ----------
    K. Simonyan, A. Vedaldi, A. Zisserman (2014), ICLR Workshop, arXiv:1312.6034.

    Examples
    --------
    >>> saliency(nn.Linear(3, 2), torch.zeros(1, 3), torch.tensor([1])).shape
    torch.Size([1, 3])
    """
    if classes.shape != X.shape[:1]:
        raise ValueError(f"{len(X)} examples need as many classes, got {tuple(classes.shape)}")
    X = X.detach().clone().requires_grad_()
    logits = model(X)
    if ((classes < 0) | (classes >= logits.shape[1])).any():
        raise ValueError(f"classes must lie in 0 … {logits.shape[1] - 1}, got {classes.tolist()}")
    chosen = logits.gather(1, classes[:, None]).sum()
    return torch.autograd.grad(chosen, X)[0]


def _squash(z: Tensor) -> Tensor:
    return 1.7159 * torch.tanh(2 / 3 * z)  # passes through (1, 1) and (-1, -1)


def _as_images(X: Tensor, side: int) -> Tensor:
    n = X.shape[0] if X.ndim else 0
    if tuple(X.shape[1:]) not in {(side**2,), (side, side), (1, side, side)}:
        wanted = f"(n, {side**2}), (n, {side}, {side}) or (n, 1, {side}, {side})"
        raise ValueError(f"images must have shape {wanted}, got {tuple(X.shape)}")
    return X.reshape(n, 1, side, side)
