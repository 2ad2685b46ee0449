"""Label each base of a sequence: a GRU that reads both ways, and the best rule as a network.

One-hot DNA has shape (n, 4, L), rows A, C, G, T. There are two labels, 0 and 1; a log-odds is
ln(p / (1 - p)), where p is the probability of label 1.

References
----------
K. Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical
machine translation", EMNLP, doi:10.3115/v1/D14-1179, for the GRU.
M. Schuster, K. K. Paliwal (1997), "Bidirectional recurrent neural networks", IEEE Trans. Signal
Processing 45, 2673-2681, doi:10.1109/78.650093.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

__all__ = ["Labeller", "calibration", "carry", "log_odds"]


def carry(r: Tensor, step: Tensor) -> Tensor:
    """Take a log-odds one base on: ln (a₀₁ + a₁₁ eʳ) / (a₀₀ + a₁₀ eʳ), an S-shaped function of r.

    Parameters
    ----------
    r : Tensor, any shape
        Log-odds of state 1 at one base.
    step : Tensor, shape (2, 2)
        Probabilities above 0 of the next state, from the row's state to the column's. Its transpose
        takes what later bases tell one base back.

    Returns
    -------
    Tensor, shape of r
        Log-odds of state 1 at the next base, before it is seen.

    Examples
    --------
    >>> step = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    >>> carry(torch.tensor([-99.0, 0.0, 99.0]), step).sigmoid()
    tensor([0.1000, 0.4500, 0.8000])
    """
    if step.shape != (2, 2) or not (step > 0).all():
        raise ValueError(f"step holds 2 × 2 probabilities above 0, got {step.tolist()}")
    (a00, a01), (a10, a11) = step.log()
    return torch.logaddexp(a01, a11 + r) - torch.logaddexp(a00, a10 + r)


def log_odds(clues: Tensor, step: Tensor, *, past_only: bool = False) -> Tensor:
    """Return the exact log-odds of state 1 at each place of a chain with two states.

    From the left, rₜ = carry(rₜ₋₁) + clueₜ; from the right, bₜ = carry(bₜ₊₁ + clueₜ₊₁), with the
    transposed step. The answer is rₜ + bₜ: two recurrent networks of one unit each.

    Parameters
    ----------
    clues : Tensor, shape (n, L)
        How much what is seen at a place speaks for state 1: ln(probability in 1 / in 0). The first
        also holds the log-odds before anything is seen.
    step : Tensor, shape (2, 2)
        See `carry`.
    past_only : bool, default False
        Whether to leave out b, all that comes later.

    Returns
    -------
    Tensor, shape (n, L)

    Examples
    --------
    >>> step = torch.tensor([[0.9, 0.1], [0.1, 0.9]])
    >>> log_odds(torch.tensor([[1.0, 0.0]]), step)  # the second place tells nothing by itself
    tensor([[1.0000, 0.7761]])
    """
    if clues.ndim != 2 or clues.shape[1] == 0:
        raise ValueError(f"clues have shape (n, L) with L at least 1, got {tuple(clues.shape)}")
    first, *others = clues.unbind(1)
    forward = [first]
    for clue in others:
        forward.append(carry(forward[-1], step) + clue)
    if past_only:
        return torch.stack(forward, dim=1)
    backward = [torch.zeros_like(first)]
    for clue in reversed(others):
        backward.append(carry(backward[-1] + clue, step.T))
    return torch.stack(forward, dim=1) + torch.stack(backward[::-1], dim=1)


class Labeller(nn.Module):
    """A GRU that reads DNA base by base, and two logits for each base.

    (n, 4, L) → (n, L, H), or 2H if it reads both ways → (n, 2, L), as `F.cross_entropy` wants them
    for labels (n, L).

    Parameters
    ----------
    hidden_size : int
        H, the units of each direction.
    both_ways : bool
        Whether a second GRU reads from the end, so that each label may depend on all bases.
    seed : int, optional
        Draw the initial weights with this seed, leaving PyTorch's global generator as it was.

    Raises
    ------
    ValueError
        If there are no units.

    Examples
    --------
    >>> Labeller(seed=0)(torch.zeros(3, 4, 50)).shape
    torch.Size([3, 2, 50])
    """

    def __init__(
        self, hidden_size: int = 12, *, both_ways: bool = True, seed: int | None = None
    ) -> None:
        super().__init__()
        if hidden_size < 1:
            raise ValueError(f"hidden_size must be at least 1, got {hidden_size}")
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.gru = nn.GRU(4, hidden_size, batch_first=True, bidirectional=both_ways)
            self.output = nn.Linear((1 + both_ways) * hidden_size, 2)

    def forward(self, X: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (n, 2, L) of one-hot DNA (n, 4, L).

        If `lengths`, shape (n,), says how many bases of each sequence are real, no state passes
        through the others; their logits mean nothing.
        """
        if X.ndim != 3 or X.shape[1] != 4 or 0 in X.shape:
            raise ValueError(f"one-hot DNA has shape (n, 4, L), got {tuple(X.shape)}")
        n, _, L = X.shape
        x = X.transpose(1, 2)  # (n, L, 4)
        if lengths is None:
            return self.output(self.gru(x)[0]).transpose(1, 2)  # type: ignore[no-any-return]
        if lengths.shape != (n,) or not ((lengths >= 1) & (lengths <= L)).all():
            raise ValueError(f"lengths are {n} numbers from 1 to {L}, got {lengths.tolist()}")
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        h, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=L)
        return self.output(h).transpose(1, 2)  # type: ignore[no-any-return]


def calibration(p: Tensor, y: Tensor, n_bins: int = 10) -> tuple[Tensor, Tensor, Tensor]:
    """Compare probabilities with what happened, as in "of all that got 70%, 70% came true".

    Parameters
    ----------
    p : Tensor
        Probabilities of label 1.
    y : Tensor, shape of p
        Labels 0 and 1.
    n_bins : int
        Number of equally wide bins from 0 to 1.

    Returns
    -------
    mean_p, share, count : Tensor, shape (n_bins,)
        In each bin the mean probability, the share of label 1 (NaN where it is empty), and how
        many there are.

    References
    ----------
    A. H. Murphy, R. L. Winkler (1977), "Reliability of subjective probability forecasts of
    precipitation and temperature", J. R. Stat. Soc. C 26, 41-47, doi:10.2307/2346866.

    Examples
    --------
    >>> p, y = torch.tensor([0.125, 0.375, 0.875]), torch.tensor([0, 1, 1])
    >>> mean_p, share, count = calibration(p, y, n_bins=2)
    >>> mean_p.tolist(), share.tolist(), count.tolist()
    ([0.25, 0.875], [0.5, 1.0], [2, 1])
    """
    if p.shape != y.shape or p.numel() == 0:
        shapes = f"{tuple(p.shape)} and {tuple(y.shape)}"
        raise ValueError(f"p and y must have one shape and hold something, got {shapes}")
    if not ((p >= 0) & (p <= 1)).all() or not ((y == 0) | (y == 1)).all():
        raise ValueError("p holds probabilities from 0 to 1, and y labels 0 and 1")
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins}")
    p, y = p.flatten().double(), y.flatten().double()
    which = (p * n_bins).long().clamp(max=n_bins - 1)
    count = torch.bincount(which, minlength=n_bins)
    sums = (torch.bincount(which, weights=v, minlength=n_bins) for v in (p, y))
    mean_p, share = (s / count for s in sums)
    return mean_p, share, count
