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

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

__all__ = ["Labeller", "calibration", "carry", "log_odds", "train_together"]


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


def train_together(
    networks: Sequence[Labeller],
    X: Tensor,
    y: Tensor,
    *,
    batch_size: int = 128,
    learning_rate: float = 0.04,
    callback: Callable[[int], object] | None = None,
) -> None:
    """Train several networks side by side by Adam: once through the data, with a falling rate.

    The rate falls evenly to 0. A GRU computes so little at a base that most of the time goes into
    starting each operation. Here one operation serves all networks and directions. The result is
    that of training them one after the other, but for rounding.

    Parameters
    ----------
    networks : sequence of Labeller
        K networks of one size and kind; trained in place.
    X, y : Tensor, shape (K, n, 4, L) and (K, n, L)
        One-hot sequences and labels, of its own for each network.
    batch_size : int
        Sequences that each network sees in a step.
    learning_rate : float
        Adam's rate at the first step.
    callback : callable, optional
        Called with the number of steps taken, from 1, after each of them.

    Raises
    ------
    ValueError
        If the networks differ in size or kind, or the data do not fit them.
    """
    kinds = {(net.gru.hidden_size, net.gru.bidirectional) for net in networks}
    if len(kinds) != 1:
        raise ValueError(f"networks must be of one size and kind, got {sorted(kinds)}")
    ((_, both_ways),) = kinds
    K = len(networks)
    if X.ndim != 4 or X.shape[::2] != (K, 4) or y.shape != (K, X.shape[1], X.shape[3]):
        got = f"{tuple(X.shape)} and {tuple(y.shape)}"
        raise ValueError(f"X and y have shapes ({K}, n, 4, L) and ({K}, n, L), got {got}")
    own = [list(net.parameters()) for net in networks]
    stacks = [torch.stack(same).detach().requires_grad_() for same in zip(*own, strict=True)]
    adam = torch.optim.Adam(stacks, lr=learning_rate)
    starts = range(0, X.shape[1], batch_size)
    for step, start in enumerate(starts):
        adam.param_groups[0]["lr"] = learning_rate * (1 - step / len(starts))
        xb, yb = (v[:, start : start + batch_size] for v in (X, y))
        logits = _side_by_side(xb.transpose(2, 3), stacks, both_ways)  # (K, B, L, 2)
        loss = F.cross_entropy(logits.flatten(0, 2), yb.flatten(), reduction="sum") / yb[0].numel()
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        with torch.no_grad():
            for k, parameters in enumerate(own):
                for parameter, stack in zip(parameters, stacks, strict=True):
                    parameter.copy_(stack[k])
        if callback is not None:
            callback(step + 1)


def _side_by_side(x: Tensor, stacks: Sequence[Tensor], both_ways: bool) -> Tensor:
    """Return logits (K, B, L, 2) of x, (K, B, L, 4), by K networks whose parameters are stacked."""
    K, B, L, _ = x.shape
    *gru, V, c = stacks
    if both_ways:  # the second direction reads the reversed sequence, as K more networks
        x = torch.cat([x, x.flip(2)])
        gru = [torch.cat(pair) for pair in zip(gru[:4], gru[4:], strict=True)]
    W, U, b, d = gru  # (N, 3H, 4), (N, 3H, H), (N, 3H), (N, 3H)
    from_x = (x.flatten(1, 2) @ W.mT + b[:, None]).view(len(x), B, L, -1)
    h, states = x.new_zeros(len(x), B, U.shape[2]), []
    for sums in from_x.unbind(2):  # one base of every sequence, in all networks
        r_x, z_x, n_x = sums.chunk(3, dim=2)
        r_h, z_h, n_h = torch.baddbmm(d[:, None], h, U.mT).chunk(3, dim=2)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        h = torch.lerp((n_x + r * n_h).tanh(), h, z)  # z h + (1 - z) n
        states.append(h)
    H_all = torch.stack(states, dim=2)  # (N, B, L, H)
    if both_ways:
        H_all = torch.cat([H_all[:K], H_all[K:].flip(2)], dim=3)
    logits: Tensor = H_all.flatten(1, 2) @ V.mT + c[:, None]
    return logits.view(K, B, L, 2)


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
