"""Fukushima's neocognitron: cells that learn features without labels, cells that forgive shifts.

An image passes through stages, each a layer of S-cells, which look for learnt features, and a layer
of C-cells, which pool them. Layers are stacks of planes, shape (n, K, H, W): the cells of a plane
share their weights and differ only in where they look.

The formulas are those of the paper of 1980. Simplified are: stages learn one after the other, not
all at once; a cell may be choosier while it learns than when it recognizes (an amendment of 1996);
fields at the edge see zeros; sizes and constants are our own.

References
----------
K. Fukushima (1980), "Neocognitron: a self-organizing neural network model for a mechanism of
pattern recognition unaffected by shift in position", Biological Cybernetics 36, 193-202,
doi:10.1007/BF00344251.

K. Fukushima, M. Tanigawa (1996), "Use of different thresholds in learning and recognition",
Neurocomputing 11, 1-17, doi:10.1016/0925-2312(94)00065-4.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "Neocognitron",
    "Stage",
    "c_cells",
    "fall_off",
    "label_planes",
    "read_planes",
    "representatives",
    "s_cells",
    "threshold",
]


def threshold(r: float) -> float:
    """Return the cosine above which an S-cell of selectivity r fires: θ = r / (1 + r).

    Raises ValueError unless r is positive and finite.

    Examples
    --------
    >>> threshold(4.0)
    0.8
    """
    if not 0 < r < math.inf:
        raise ValueError(f"the selectivity r must be positive and finite, got {r}")
    return r / (1 + r)


def fall_off(size: int, base: float = 0.8) -> Tensor:
    """Return weights base ** (distance from the centre), shape (size, size), for 0 < base ≤ 1.

    Examples
    --------
    >>> fall_off(3, 0.5)[1]
    tensor([0.5000, 1.0000, 0.5000])
    """
    if size < 1 or not 0 < base <= 1:
        raise ValueError(f"need size ≥ 1 and base in (0, 1], got size={size}, base={base}")
    x = torch.arange(size) - (size - 1) / 2
    return base ** (x[:, None].square() + x.square()).sqrt()


def s_cells(
    u: Tensor, a: Tensor, b: Tensor, c: Tensor, r: float, *, padding: int = 0
) -> tuple[Tensor, Tensor]:
    """Compute a layer of S-cells: excitation divided by inhibition.

    u_S = r φ[(1 + Σ a u) / (1 + (2r / (1 + r)) b v) - 1] with v = √(Σ c u²) and φ[x] = max(x, 0).

    Parameters
    ----------
    u : Tensor, shape (n, K_in, H, W)
        Outputs of the cells before, none negative.
    a : Tensor, shape (K, K_in, m, m)
        Excitatory weights: one template a plane.
    b : Tensor, shape (K,)
        Inhibitory weights.
    c : Tensor, shape (m, m)
        Fixed weights of the inhibitory cells, the same for all K_in planes.
    r : float
        Selectivity; the cell fires above the cosine r / (1 + r).
    padding : int
        Rows and columns of zeros around the input.

    Returns
    -------
    u_S, v : Tensor, shapes (n, K, H', W') and (n, 1, H', W')
        Outputs of the S-cells and of the inhibitory cells.

    Raises
    ------
    ValueError
        If shapes do not fit together, an input is negative or not finite, or r is not positive.

    Examples
    --------
    >>> pattern = torch.tensor([[[[3.0, 0.0], [0.0, 4.0]]]])
    >>> a, b = 1000 * pattern, torch.tensor([500 * 5.0])  # what it learns from this pattern
    >>> u_S, v = s_cells(pattern, a, b, torch.ones(2, 2), r=4.0)
    >>> round(float(u_S), 2), float(v)
    (1.0, 5.0)
    """
    K, K_in, m, _ = a.shape
    if u.ndim != 4 or u.shape[1] != K_in or b.shape != (K,) or c.shape != (m, m):
        raise ValueError(
            f"a of shape {tuple(a.shape)} needs u of shape (n, {K_in}, H, W), b of shape ({K},), "
            f"c of shape ({m}, {m}); got {tuple(u.shape)}, {tuple(b.shape)}, {tuple(c.shape)}"
        )
    if not (u.isfinite() & (u >= 0)).all():
        raise ValueError(
            f"inputs are rates, finite and not negative; got {u.min():g} to {u.max():g}"
        )
    excitation = F.conv2d(u, a, padding=padding)
    v = F.conv2d(u.square(), c.expand(1, K_in, m, m), padding=padding).clamp_min(0).sqrt()
    shunt = 2 * threshold(r) * b[:, None, None] * v
    return r * F.relu((1 + excitation) / (1 + shunt) - 1), v


def c_cells(
    u_S: Tensor, d: Tensor, *, alpha: float = 0.5, stride: int = 1, padding: int = 0
) -> Tensor:
    """Compute a layer of C-cells: each pools a neighbourhood of one S-plane, and saturates.

    u_C = ψ[(1 + Σ d u_S) / (1 + v_S) - 1] with ψ[x] = φ[x] / (α + φ[x]); the inhibition v_S is the
    mean of Σ d u_S over all planes, for what every plane reports says nothing.

    Parameters
    ----------
    u_S : Tensor, shape (n, K, H, W)
        Outputs of S-cells.
    d : Tensor, shape (p, p)
        Fixed pooling weights.
    alpha : float
        Where half of the greatest output is reached.
    stride, padding : int
        Distance of neighbouring C-cells, in S-cells; rows of zeros around the S-planes.

    Returns
    -------
    Tensor, shape (n, K, H', W')
        Outputs in [0, 1).

    Examples
    --------
    >>> c_cells(torch.tensor([[[[0.0, 3.0]], [[0.0, 0.0]]]]), torch.ones(1, 1)).flatten()
    tensor([0.0000, 0.5455, 0.0000, 0.0000])
    """
    if u_S.ndim != 4 or not alpha > 0:
        raise ValueError(
            f"need u_S of shape (n, K, H, W) and alpha > 0, got {tuple(u_S.shape)} and {alpha}"
        )
    K = u_S.shape[1]
    pooled = F.conv2d(u_S, d.expand(K, 1, *d.shape), stride=stride, padding=padding, groups=K)
    x = F.relu((1 + pooled) / (1 + pooled.mean(1, keepdim=True)) - 1)
    return x / (alpha + x)


def representatives(u_S: Tensor, column: int) -> dict[int, int]:
    """Choose the S-cells that learn from a pattern, at most one in each plane.

    An S-column holds the cells of all planes in a square; neighbouring columns overlap. The largest
    output of each column is a candidate; of several candidates in one plane the largest is chosen.

    Parameters
    ----------
    u_S : Tensor, shape (K, H, W)
        Outputs of the S-cells for one pattern.
    column : int
        Side of a column, in cells.

    Returns
    -------
    dict of int to int
        Plane → position in it, counted row by row. Empty where all cells are silent.

    Examples
    --------
    >>> u_S = torch.zeros(3, 4, 4)
    >>> u_S[0, 0, 0], u_S[1, 0, 1], u_S[2, 3, 3] = 5.0, 4.0, 3.0
    >>> representatives(u_S, column=3)  # plane 1 is beaten in its column
    {0: 0, 2: 15}
    """
    best, plane = u_S.flatten(1).max(0)
    H, W = u_S.shape[1:]
    side = min(column, H, W)
    stride = (side + 1) // 2
    _, places = F.max_pool2d(best.view(1, H, W), side, stride, ceil_mode=True, return_indices=True)
    chosen: dict[int, int] = {}
    for place in places.flatten().tolist():
        k = int(plane[place])
        rival = best[chosen[k]] if k in chosen else 0.0
        if best[place] > rival:
            chosen[k] = place
    return chosen


@dataclass(eq=False)
class Stage:
    """A layer of S-cells, and the layer of C-cells behind it.

    Attributes
    ----------
    n_inputs, n_planes : int
        Planes before (K_in), and in this stage (K).
    field : int
        Side m of an S-cell's field, odd.
    pool, stride : int
        Side of a C-cell's field, and distance of C-cells; a pool of 0 takes in the whole plane.
    r, r_learning : float
        Selectivity when recognizing, and while learning; 1980 knew only one.
    q : float
        Learning rate.
    column : int
        Side of an S-column.
    padding : int
        Rows of zeros around the planes before.
    seed : int
        Seed of the weak initial weights.
    a, b, c : Tensor
        Weights of the S-cells, as in `s_cells`; b is 0 in a plane that has learnt nothing.

    Examples
    --------
    >>> stage = Stage(1, 4, field=3, pool=3, padding=1)
    >>> stage.learn(torch.eye(8).view(1, 1, 8, 8))
    >>> stage(torch.eye(8).view(1, 1, 8, 8)).shape
    torch.Size([1, 4, 8, 8])
    """

    n_inputs: int
    n_planes: int
    field: int
    pool: int
    stride: int = 1
    r: float = 3.0
    r_learning: float = 6.0
    q: float = 16.0
    column: int = 3
    padding: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.n_inputs, self.n_planes, self.column) < 1 or not 0 < self.q < math.inf:
            raise ValueError(f"planes and column must be at least 1, and q positive: {self}")
        self.c = fall_off(self.field)
        self.c /= self.c.sum() * self.n_inputs  # over all fields of a cell they sum to 1
        dice = torch.Generator().manual_seed(self.seed)
        shape = (self.n_planes, self.n_inputs, self.field, self.field)
        self.a = 1e-4 * torch.rand(shape, generator=dice) * self.c
        self.b = torch.zeros(self.n_planes)

    def s(self, u: Tensor) -> Tensor:
        """Return the outputs of the S-cells, shape (n, K, H', W')."""
        return s_cells(u, self.a, self.b, self.c, self.r, padding=self.padding)[0]

    def __call__(self, u: Tensor) -> Tensor:
        """Return the outputs of the C-cells, shape (n, K, H'', W''), for u (n, K_in, H, W)."""
        u_S = self.s(u)
        if self.pool == 0:
            return c_cells(u_S, torch.ones(u_S.shape[2:]))
        return c_cells(u_S, fall_off(self.pool), stride=self.stride, padding=self.pool // 2)

    def learn(self, patterns: Tensor) -> None:
        """Show patterns of shape (n, K_in, H, W) one by one: Δa = q c u, Δb = (q / 2) v.

        Only planes with a representative learn, from what the representative sees.
        """
        for u in patterns[:, None]:
            u_S, v = s_cells(u, self.a, self.b, self.c, self.r_learning, padding=self.padding)
            seen = F.unfold(u, self.field, padding=self.padding)[0]  # (K_in · m², places)
            for k, place in representatives(u_S[0], self.column).items():
                self.a[k] += self.q * self.c * seen[:, place].view(self.a.shape[1:])
                self.b[k] += self.q / 2 * v.flatten()[place]


class Neocognitron:
    """Three stages for images of 16 x 16 pixels or so; the last C-layer has one cell a plane.

    Examples
    --------
    >>> model = Neocognitron((4, 6, 8), seed=0)
    >>> model.learn(torch.rand(5, 1, 16, 16))
    >>> model(torch.zeros(2, 1, 16, 16)).shape
    torch.Size([2, 8])
    """

    def __init__(self, n_planes: tuple[int, int, int] = (20, 50, 200), *, seed: int) -> None:
        K1, K2, K3 = n_planes
        self.stages = [
            Stage(1, K1, field=3, pool=3, q=1.0, padding=1, seed=seed),
            Stage(K1, K2, field=3, pool=5, stride=2, padding=1, seed=seed + 1),
            Stage(K2, K3, field=5, pool=0, r=4.0, r_learning=8.0, column=99, seed=seed + 2),
        ]

    def learn(self, images: Tensor, n_shown: tuple[int, ...] = (60, 100, 600)) -> None:
        """Teach one stage after the other; each sees the first so many images (n, 1, H, W)."""
        for i, (stage, n) in enumerate(zip(self.stages, n_shown, strict=True)):
            u = images[:n]
            for earlier in self.stages[:i]:
                u = earlier(u)
            stage.learn(u)

    def __call__(self, images: Tensor) -> Tensor:
        """Return the outputs of the last C-cells, shape (n, K), for images (n, 1, H, W)."""
        u = images
        for stage in self.stages:
            u = stage(u)
        return u.flatten(1)


def label_planes(responses: Tensor, y: Tensor, n_classes: int) -> Tensor:
    """Name each plane after the class for which it most often responds more than all others.

    Parameters
    ----------
    responses : Tensor, shape (n, K)
        Outputs of the last C-cells.
    y : Tensor, shape (n,), int64
        Class numbers from 0 to n_classes - 1.

    Returns
    -------
    Tensor, shape (K,), int64
        The class of each plane, -1 for one that never wins.

    Examples
    --------
    >>> R = torch.tensor([[0.9, 0.1, 0.0], [0.7, 0.2, 0.0], [0.1, 0.8, 0.0]])
    >>> label_planes(R, torch.tensor([4, 4, 7]), 10)
    tensor([ 4,  7, -1])
    """
    if len(responses) != len(y) or not 0 <= int(y.min()) <= int(y.max()) < n_classes:
        raise ValueError(
            f"need a label from 0 to {n_classes - 1} for each of {len(responses)} responses; got "
            f"{len(y)} labels from {int(y.min())} to {int(y.max())}"
        )
    heard = responses.amax(1) > 0
    votes = torch.zeros(responses.shape[1], n_classes)
    votes.index_put_((responses.argmax(1)[heard], y[heard]), torch.ones(()), accumulate=True)
    return torch.where(votes.amax(1) > 0, votes.argmax(1), -1)


def read_planes(responses: Tensor, labels: Tensor) -> Tensor:
    """Return the class of the named plane that responds most, shape (n,); -1 for silence.

    Examples
    --------
    >>> read_planes(torch.tensor([[0.2, 0.9], [0.0, 0.0]]), torch.tensor([3, -1]))
    tensor([ 3, -1])
    """
    known = torch.where(labels >= 0, responses, 0.0)
    return torch.where(known.amax(1) > 0, labels[known.argmax(1)], -1)
