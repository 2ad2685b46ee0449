"""A network that reads DNA: filters slide along one-hot sequences and look for binding sites.

One-hot DNA has shape (n, 4, length), rows A, C, G, T. A position-weight matrix (PWM) holds the
probability of each base at each place of a site, shape (4, width).

References
----------
B. Alipanahi, A. Delong, M. T. Weirauch, B. J. Frey (2015), "Predicting the sequence specificities
of DNA- and RNA-binding proteins by deep learning", Nature Biotechnology 33, 831-838,
doi:10.1038/nbt.3300.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "MotifNet",
    "best_match",
    "filter_pwms",
    "information_content",
    "reverse_complement",
]


def reverse_complement(X: Tensor) -> Tensor:
    """Return the other strand of one-hot DNA, read in its own direction; shape (n, 4, length).

    Examples
    --------
    >>> GA = torch.tensor([[[0.0, 1], [0, 0], [1, 0], [0, 0]]])
    >>> reverse_complement(GA)[0].argmax(0).tolist()  # T, C
    [3, 1]
    """
    return _as_dna(X).flip(1, 2)


class MotifNet(nn.Module):
    """Filters that slide along DNA, one number for each of them, and a weighted sum of these.

    (n, 4, length) → (n, n_filters, places) → (n, n_filters) → (n, 2). Half a filter's width of
    unknown bases (zeros) is added at both ends, and the pooled numbers are batch-normalized.

    Parameters
    ----------
    n_filters, width : int
        Number of filters, and bases that each of them sees.
    pool : {"soft", "max"}
        What becomes of a filter's answers aᵢ along the sequence: ln Σ exp aᵢ, or the greatest.
    both_strands : bool
        Whether the same filters also read the reverse complement; its places are pooled as well.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If a size is below 1, or `pool` is unknown.

    Examples
    --------
    >>> MotifNet(seed=0)(torch.zeros(3, 4, 40)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        n_filters: int = 8,
        width: int = 12,
        *,
        pool: str = "soft",
        both_strands: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        if n_filters < 1 or width < 1:
            raise ValueError(f"n_filters and width must be at least 1, got {n_filters}, {width}")
        if pool not in ("soft", "max"):
            raise ValueError(f"pool is 'soft' or 'max', got {pool!r}")
        self.pool, self.both_strands = pool, both_strands
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.filters = nn.Conv1d(4, n_filters, width, padding=width // 2)
            self.norm = nn.BatchNorm1d(n_filters, affine=False)
            self.output = nn.Linear(n_filters, 2)
            # Log-odds are large numbers; from small weights ln Σ exp hardly sees single places.
            nn.init.normal_(self.filters.weight, std=0.5)

    def forward(self, X: Tensor) -> Tensor:
        """Return logits (n, 2) of one-hot DNA (n, 4, length)."""
        answers = self.filters(_as_dna(X))  # (n, n_filters, places)
        if self.both_strands:
            answers = torch.cat([answers, self.filters(reverse_complement(X))], dim=2)
        pooled = answers.logsumexp(2) if self.pool == "soft" else answers.amax(2)
        return self.output(self.norm(pooled))  # type: ignore[no-any-return]


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
        One-hot DNA; only the strand that is given is read.
    share : float
        In (0, 1].

    Returns
    -------
    Tensor, shape (F, 4, w)
        Probabilities; columns sum to 1.

    Examples
    --------
    >>> filter_pwms(MotifNet(seed=0), torch.eye(4)[None].repeat(1, 1, 5)).shape
    torch.Size([8, 4, 12])
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie above 0 and at most at 1, got {share}")
    answer, place = model.filters(_as_dna(X)).max(2)  # (n, F) each
    width, pad = model.filters.kernel_size[0], int(model.filters.padding[0])
    windows = F.pad(X, (pad, pad)).unfold(2, width, 1)  # (n, 4, places, w)
    kept = answer.topk(math.ceil(share * len(X)), dim=0).indices  # (kept, F)
    counts = torch.stack(
        [1 + windows[rows, :, place[rows, f]].sum(0) for f, rows in enumerate(kept.T)]
    )
    return counts / counts.sum(1, keepdim=True)


def information_content(pwms: Tensor) -> Tensor:
    """Return the information of each place of a PWM in bits, Σ p log₂(4p): 0 if all bases alike.

    From shape (..., 4, w) to (..., w); at most 2 bits, for a base that is certain.

    References
    ----------
    T. D. Schneider, G. D. Stormo, L. Gold, A. Ehrenfeucht (1986), J. Mol. Biol. 188, 415-431,
    doi:10.1016/0022-2836(86)90165-8.

    Examples
    --------
    >>> information_content(torch.tensor([[1.0, 0.25], [0, 0.25], [0, 0.25], [0, 0.25]])).tolist()
    [2.0, 0.0]
    """
    if pwms.ndim < 2 or pwms.shape[-2] != 4 or not ((pwms >= 0) & (pwms <= 1)).all():
        got = tuple(pwms.shape)
        raise ValueError(f"a PWM has shape (..., 4, width) and entries from 0 to 1, got {got}")
    return torch.xlogy(pwms, 4 * pwms).sum(-2) / math.log(2)


def best_match(filter_weights: Tensor, target: Tensor) -> tuple[float, int]:
    """Slide a target along a filter, and return the best correlation and where it is.

    Each column's mean is subtracted first: adding a number to all four bases of a place only moves
    the score of every sequence by that number. Where the target reaches beyond the filter, the
    filter counts as 0.

    Parameters
    ----------
    filter_weights : Tensor, shape (4, w)
    target : Tensor, shape (4, v)
        For instance the log-odds of a planted PWM.

    Returns
    -------
    (correlation, offset)
        Pearson's r over the 4v numbers of the target, and the filter's column on which it begins.

    Examples
    --------
    >>> target = torch.tensor([[1.0, 0], [0, 1], [0, 0], [0, 0]])
    >>> r, offset = best_match(torch.cat([torch.zeros(4, 3), 2 * target], dim=1), target)
    >>> round(r, 3), offset
    (1.0, 3)
    """
    for what, given in {"filter": filter_weights, "target": target}.items():
        if given.ndim != 2 or given.shape[0] != 4 or given.shape[1] == 0:
            raise ValueError(f"the {what} must have shape (4, width), got {tuple(given.shape)}")
    v = target.shape[1]
    wide = F.pad((filter_weights - filter_weights.mean(0)).double(), (v // 2, v // 2))
    a = wide.unfold(1, v, 1)  # (4, places, v)
    b = (target - target.mean(0)).double()[:, None]
    size = (a.square().sum((0, 2)) * b.square().sum()).sqrt()
    r = torch.where(size > 0, (a * b).sum((0, 2)) / size, 0.0)
    return float(r.max()), int(r.argmax()) - v // 2


def _as_dna(X: Tensor) -> Tensor:
    if X.ndim != 3 or X.shape[1] != 4 or X.shape[2] == 0:
        raise ValueError(f"one-hot DNA has shape (n, 4, length), got {tuple(X.shape)}")
    return X
