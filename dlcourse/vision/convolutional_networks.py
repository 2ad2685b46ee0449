"""Convolutional networks: filters that are learnt, for images and for DNA.

A convolutional layer applies one small set of weights at every place of its input. Images have
shape (n, channels, height, width), sequences (n, channels, length).

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

__all__ = [
    "DigitNet",
    "LeNet5",
    "MotifNet",
    "best_match",
    "filter_pwms",
    "information_content",
    "n_parameters",
    "saliency",
    "shift",
    "shift_at_random",
]

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

    Two convolutions of 3 x 3 with ReLU, the greatest value of each 2 x 2, dropout, two dense layers:
    (n, 1, 8, 8) → 16 maps of 8 x 8 → 32 of 6 x 6 → 32 of 3 x 3 → 64 → 10.

    Parameters
    ----------
    n_filters : (int, int)
        Filters of the two convolutions.
    n_hidden : int
        Neurons of the dense hidden layer.
    p : float
        Dropout's probability to silence a number, in [0, 1).
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is no positive whole number or p is out of its range.

    Examples
    --------
    >>> model = DigitNet(seed=0)
    >>> model(torch.zeros(5, 64)).shape, n_parameters(model)
    (torch.Size([5, 10]), 23946)
    """

    def __init__(
        self,
        n_filters: tuple[int, int] = (16, 32),
        n_hidden: int = 64,
        *,
        p: float = 0.3,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        sizes = [*n_filters, n_hidden]
        if any(not isinstance(size, int) or size < 1 for size in sizes) or len(sizes) != 3:
            raise ValueError(f"every layer needs at least one filter or neuron, got {sizes}")
        if not 0 <= p < 1:
            raise ValueError(f"p must be a probability in [0, 1), got {p}")
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.conv1 = nn.Conv2d(1, n_filters[0], 3, padding=1)
            self.conv2 = nn.Conv2d(*n_filters, 3)
            self.dense = nn.Linear(9 * n_filters[1], n_hidden)
            self.output = nn.Linear(n_hidden, 10)
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


class _Subsample(nn.Module):
    """Mean of 2 x 2, times a weight, plus a bias, both one for each map; then tanh."""

    def __init__(self, n_maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_maps, 1, 1))
        self.bias = nn.Parameter(torch.zeros(n_maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return _squash(F.avg_pool2d(x, 2) * self.weight + self.bias)


class LeNet5(nn.Module):
    """LeNet-5 for images of 28 x 28, layer by layer as published, but for the last.

    C1: 6 maps of 28 x 28, S2: halved, C3: 16 maps of 10 x 10, each of which sees some maps of S2,
    S4: halved, C5: 120, F6: 84. Its 60,000 weights are the published number. The ten outputs are a
    dense layer (850 weights more) where LeCun et al. compared F6 with drawings of the characters.

    Parameters
    ----------
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998), section II.B.

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
            self.C3 = nn.ModuleList(nn.Conv2d(len(maps), 1, 5) for maps in C3_SEES)
            self.S4, self.C5 = _Subsample(16), nn.Conv2d(16, 120, 5)
            self.F6, self.output = nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, X: Tensor) -> Tensor:
        """Return logits (n, 10) of images (n, 784), (n, 28, 28) or (n, 1, 28, 28)."""
        x = F.pad(_as_images(X, 28), (2, 2, 2, 2))  # (n, 1, 32, 32)
        x = self.S2(self.C1(x))  # (n, 6, 28, 28) → (n, 6, 14, 14)
        maps = zip(self.C3, C3_SEES, strict=True)
        x = torch.cat([conv(x[:, list(seen)]) for conv, seen in maps], dim=1)  # (n, 16, 10, 10)
        x = _squash(self.C5(self.S4(x)).flatten(1))  # (n, 16, 5, 5) → (n, 120)
        return self.output(_squash(self.F6(x)))  # type: ignore[no-any-return]


def shift(X: Tensor, down: int, right: int) -> Tensor:
    """Move images by whole pixels; what leaves is lost, and 0 moves in. Shape (..., H, W).

    Examples
    --------
    >>> shift(torch.tensor([[1, 2], [3, 4]]), 0, 1).tolist()
    [[0, 1], [0, 3]]
    """
    if X.ndim < 2:
        raise ValueError(f"images have shape (..., height, width), got {tuple(X.shape)}")
    H, W = X.shape[-2:]
    y, x = min(abs(down), H), min(abs(right), W)
    wide = F.pad(X, (x, x, y, y))
    top, left = (0 if down > 0 else 2 * y), (0 if right > 0 else 2 * x)
    return wide[..., top : top + H, left : left + W]


def shift_at_random(X: Tensor, generator: torch.Generator, *, still: float = 0.5) -> Tensor:
    """Leave each image, with probability `still`, or move it by -1, 0 or 1 pixel in each direction.

    Shape (n, H, W) in and out.

    Examples
    --------
    >>> X, dice = torch.ones(4, 3, 3), torch.Generator().manual_seed(0)
    >>> shift_at_random(X, dice).sum((1, 2)).tolist()
    [9.0, 4.0, 9.0, 9.0]
    """
    if X.ndim != 3:
        raise ValueError(f"images have shape (n, height, width), got {tuple(X.shape)}")
    if not 0 <= still <= 1:
        raise ValueError(f"still is a probability, got {still}")
    n, H, W = X.shape
    top, left = torch.randint(0, 3, (2, n), generator=generator)
    stay = torch.rand(n, generator=generator) < still
    rows = torch.where(stay, 1, top)[:, None] + torch.arange(H)
    columns = torch.where(stay, 1, left)[:, None] + torch.arange(W)
    return F.pad(X, (1, 1, 1, 1))[
        torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None]
    ]


def saliency(model: nn.Module, X: Tensor, classes: Tensor) -> Tensor:
    """Return the slope of each example's logit for a class with respect to its input, ∂z_k/∂x.

    Parameters
    ----------
    model : nn.Module
        From X to logits (n, K); its weights and their slopes are left alone.
    X : Tensor, shape (n, …)
        Examples, of floats.
    classes : Tensor, shape (n,), int64
        The class k to ask for, one for each example.

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
    if not (0 <= int(classes.min()) and int(classes.max()) < logits.shape[1]):
        raise ValueError(f"classes must lie in 0 … {logits.shape[1] - 1}, got {classes.tolist()}")
    chosen = logits.gather(1, classes[:, None]).sum()
    return torch.autograd.grad(chosen, X)[0]


class MotifNet(nn.Module):
    """Filters that slide along DNA, one number for each of them, and a weighted sum of these.

    (n, 4, length) → (n, n_filters, length - width + 1) → (n, n_filters) → (n, 2).

    Parameters
    ----------
    n_filters, width : int
        Number of filters, and bases that each of them sees.
    pool : {"soft", "max"}
        What becomes of a filter's answers aᵢ along the sequence: ln Σ exp aᵢ, in which every place
        has its part, or the greatest.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    References
    ----------
    B. Alipanahi, A. Delong, M. T. Weirauch, B. J. Frey (2015), Nature Biotechnology 33, 831-838,
    doi:10.1038/nbt.3300.

    Examples
    --------
    >>> MotifNet(seed=0)(torch.zeros(3, 4, 40)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self, n_filters: int = 4, width: int = 10, *, pool: str = "soft", seed: int | None = None
    ) -> None:
        super().__init__()
        if n_filters < 1 or width < 1:
            raise ValueError(f"n_filters and width must be at least 1, got {n_filters}, {width}")
        if pool not in ("soft", "max"):
            raise ValueError(f"pool is 'soft' or 'max', got {pool!r}")
        self.pool = pool
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.filters = nn.Conv1d(4, n_filters, width)
            self.output = nn.Linear(n_filters, 2)

    def forward(self, X: Tensor) -> Tensor:
        """Return logits (n, 2) of one-hot DNA (n, 4, length)."""
        if X.ndim != 3 or X.shape[1] != 4:
            raise ValueError(f"one-hot DNA has shape (n, 4, length), got {tuple(X.shape)}")
        width = self.filters.kernel_size[0]
        if X.shape[2] < width:
            raise ValueError(f"X needs at least the filters' {width} bases, got {X.shape[2]}")
        answers = self.filters(X)  # (n, n_filters, places)
        pooled = answers.logsumexp(2) if self.pool == "soft" else answers.amax(2)
        return self.output(pooled)  # type: ignore[no-any-return]


@torch.no_grad()
def filter_pwms(model: MotifNet, X: Tensor, *, share: float = 0.5) -> Tensor:
    """Count which bases stand where a filter answers strongly: a PWM for each filter.

    In each sequence we look at the place of the filter's greatest answer, and keep the `share` of
    the sequences where it is greatest. One is added to each count, so no probability is 0.

    Parameters
    ----------
    model : MotifNet
        With F filters of width w.
    X : Tensor, shape (n, 4, length)
        One-hot DNA.
    share : float
        In (0, 1].

    Returns
    -------
    Tensor, shape (F, 4, w)
        Probabilities; columns sum to 1.

    Examples
    --------
    >>> filter_pwms(MotifNet(seed=0), torch.eye(4)[None].repeat(1, 1, 5)).shape
    torch.Size([4, 4, 10])
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie above 0 and at most at 1, got {share}")
    answer, place = model.filters(X).max(2)  # (n, F) each
    windows = X.unfold(2, model.filters.kernel_size[0], 1)  # (n, 4, places, w)
    kept = answer.topk(math.ceil(share * len(X)), dim=0).indices  # (kept, F)
    counts = torch.stack(
        [1 + windows[rows, :, place[rows, f]].sum(0) for f, rows in enumerate(kept.T)]
    )
    return counts / counts.sum(1, keepdim=True)


def information_content(pwms: Tensor) -> Tensor:
    """Return the information of each place of a PWM in bits, Σ p log₂(4p): 0 if all bases alike.

    From shape (..., 4, w) to (..., w); at most 2 bits, for a base that is certain.

    Examples
    --------
    >>> information_content(torch.tensor([[1.0, 0.25], [0, 0.25], [0, 0.25], [0, 0.25]])).tolist()
    [2.0, 0.0]
    """
    if pwms.ndim < 2 or pwms.shape[-2] != 4 or (pwms < 0).any():
        raise ValueError(f"a PWM has shape (..., 4, width) and no negative entry, got {pwms.shape}")
    return torch.xlogy(pwms, 4 * pwms).sum(-2) / math.log(2)


def best_match(filter_weights: Tensor, target: Tensor) -> tuple[float, int]:
    """Slide a target along a filter that is at least as wide; return the best correlation, offset.

    Each column's mean is subtracted first: adding a number to all four bases of a place only moves
    the score of every sequence by that number.

    Parameters
    ----------
    filter_weights : Tensor, shape (4, w)
    target : Tensor, shape (4, v), v ≤ w
        For instance the log-odds of a planted PWM.

    Returns
    -------
    (correlation, offset)
        Pearson's r over the 4v numbers in which they overlap, and where the target begins.

    Examples
    --------
    >>> target = torch.tensor([[1.0, 0], [0, 1], [0, 0], [0, 0]])
    >>> r, offset = best_match(torch.cat([torch.zeros(4, 3), 2 * target], dim=1), target)
    >>> round(r, 3), offset
    (1.0, 3)
    """
    (four, w), (rows, v) = filter_weights.shape, target.shape
    if four != 4 or rows != 4 or not 1 <= v <= w:
        got = f"{tuple(filter_weights.shape)} and {tuple(target.shape)}"
        raise ValueError(f"expected a filter (4, w) and a target (4, v) with v ≤ w, got {got}")
    a = (filter_weights - filter_weights.mean(0)).double().unfold(1, v, 1)  # (4, places, v)
    b = (target - target.mean(0)).double()[:, None]
    size = (a.square().sum((0, 2)) * b.square().sum()).sqrt()
    r = torch.where(size > 0, (a * b).sum((0, 2)) / size, 0.0)
    return float(r.max()), int(r.argmax())


def _squash(z: Tensor) -> Tensor:
    return 1.7159 * torch.tanh(2 / 3 * z)  # passes through (1, 1) and (-1, -1)


def _as_images(X: Tensor, side: int) -> Tensor:
    n = X.shape[0] if X.ndim else 0
    if tuple(X.shape[1:]) not in {(side**2,), (side, side), (1, side, side)}:
        wanted = f"(n, {side**2}), (n, {side}, {side}) or (n, 1, {side}, {side})"
        raise ValueError(f"images must have shape {wanted}, got {tuple(X.shape)}")
    return X.reshape(n, 1, side, side)
