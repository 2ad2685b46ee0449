"""DNA with CpG islands: a hidden chain of two states, and the exact probability of each label.

Sea (0) and island (1) take turns. Each base is drawn from a table that depends on the state and on
the base before. Because the tables are known, forward and backward sums over all ways through the
states give the probability that a base lies in an island, and with it the limit.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

__all__ = ["Islands", "forward_backward"]

# How often A, C, G, T follows A, C, G, T (rows), in the sea and in islands: counted in human DNA
# with 48 islands (Durbin, Eddy, Krogh, Mitchison 1998, page 50).
DURBIN_TABLES = (
    (
        (0.300, 0.205, 0.285, 0.210),
        (0.322, 0.298, 0.078, 0.302),
        (0.248, 0.246, 0.298, 0.208),
        (0.177, 0.239, 0.292, 0.292),
    ),
    (
        (0.180, 0.274, 0.426, 0.120),
        (0.171, 0.368, 0.274, 0.188),
        (0.161, 0.339, 0.375, 0.125),
        (0.079, 0.355, 0.384, 0.182),
    ),
)


def forward_backward(
    log_start: Tensor, log_step: Tensor, log_fit: Tensor, *, past_only: bool = False
) -> tuple[Tensor, Tensor]:
    """Sum over all ways through S hidden states, and return each state's log-probability.

    Forward, αₜ(j) = fitₜ(j) Σᵢ αₜ₋₁(i) step(i, j); backward, βₜ(i) = Σⱼ step(i, j) fitₜ₊₁(j)
    βₜ₊₁(j), from βₗ = 1. The posterior is αβ over its sum. All in logarithms, so that a long
    sequence does not come out as 0.

    Parameters
    ----------
    log_start : Tensor, shape (S,)
        Logarithms of the probabilities of the first state.
    log_step : Tensor, shape (S, S)
        From the state of the row to that of the column.
    log_fit : Tensor, shape (n, L, S)
        Logarithms of the probability of what is seen at each place in each state.
    past_only : bool, default False
        Whether to use only what is seen up to each place.

    Returns
    -------
    log_posterior : Tensor, shape (n, L, S)
    log_likelihood : Tensor, shape (n,)
        Logarithm of the probability of each whole sequence.

    Raises
    ------
    ValueError
        If shapes do not fit, probabilities do not sum to 1, or a sequence is impossible.

    References
    ----------
    L. E. Baum, T. Petrie, G. Soules, N. Weiss (1970), "A maximization technique occurring in the
    statistical analysis of probabilistic functions of Markov chains", Ann. Math. Statist. 41,
    164-171, doi:10.1214/aoms/1177697196.

    Examples
    --------
    >>> half = torch.tensor([0.5, 0.5]).log()
    >>> step = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).log()
    >>> seen = torch.tensor([[[0.8, 0.2], [0.5, 0.5]]]).log()  # the second place tells nothing
    >>> forward_backward(half, step, seen)[0].exp()[0, :, 0]
    tensor([0.8000, 0.7400])
    """
    S = log_start.numel()
    shapes = tuple(log_start.shape), tuple(log_step.shape), tuple(log_fit.shape)
    if shapes[:2] != ((S,), (S, S)) or log_fit.ndim != 3 or 0 in shapes[2] or shapes[2][2] != S:
        raise ValueError(
            f"shapes must be (S,), (S, S), (n, L, S); got {', '.join(map(str, shapes))}"
        )
    for name, rows in {"start": log_start, "step": log_step}.items():
        if not (rows.logsumexp(-1).abs() < 1e-4).all():
            raise ValueError(f"the probabilities of log_{name} must sum to 1 in each row")
    alpha = log_start + log_fit[:, 0]  # (n, S)
    alphas = [alpha]
    for fit in log_fit[:, 1:].unbind(1):
        alpha = (alpha[:, :, None] + log_step).logsumexp(1) + fit
        alphas.append(alpha)
    log_likelihood = alpha.logsumexp(1)
    if not log_likelihood.isfinite().all():
        row = int((~log_likelihood.isfinite()).nonzero()[0])
        raise ValueError(f"sequence {row} is impossible in this model, or holds NaN")
    joint = torch.stack(alphas, dim=1)  # (n, L, S)
    if not past_only:
        beta = torch.zeros_like(alpha)
        betas = [beta]
        for fit in log_fit[:, 1:].flip(1).unbind(1):
            beta = (log_step + (fit + beta)[:, None, :]).logsumexp(2)
            betas.append(beta)
        joint = joint + torch.stack(betas[::-1], dim=1)
    return joint - joint.logsumexp(2, keepdim=True), log_likelihood


def _durbin() -> Tensor:
    tables = torch.tensor(DURBIN_TABLES, dtype=torch.float64)
    return tables / tables.sum(2, keepdim=True)  # one row sums to 1.001 in print


@dataclass(frozen=True, eq=False)  # comparing tensors gives no yes or no
class Islands:
    """Sequences in which stretches of sea (0) and of island (1) take turns.

    The tables are real by default: how often each base followed each other one inside and outside
    of 48 islands of human DNA. The lengths are not: real islands have some hundreds of bases and
    lie far apart. Short ones make a problem in which the borders matter.

    After each base the state changes with probability 1 / (its mean length), so that lengths
    are geometrically distributed. The first state and base are drawn from the long-run shares.

    Attributes
    ----------
    sea_length, island_length : float
        Mean number of bases of a stretch of sea, and of an island; above 1.
    tables : Tensor, shape (2, 4, 4), float64
        ``tables[s, a, b]``: probability of base b after base a in state s, in the order A, C, G,
        T. No entry is 0, rows sum to 1.

    References
    ----------
    R. Durbin, S. R. Eddy, A. Krogh, G. Mitchison (1998), Biological Sequence Analysis, chapter 3,
    doi:10.1017/CBO9780511790492; G. A. Churchill (1989), Bull. Math. Biol. 51, 79-94,
    doi:10.1007/BF02458837.

    Examples
    --------
    >>> X, y = Islands().sample(10, 50, seed=0)
    >>> X.shape, y.shape
    (torch.Size([10, 4, 50]), torch.Size([10, 50]))
    >>> sea, island = Islands().tables
    >>> round(float(island[1, 2] / sea[1, 2]), 1)  # G after C
    3.5
    """

    sea_length: float = 60.0
    island_length: float = 40.0
    tables: Tensor = field(default_factory=_durbin)

    def __post_init__(self) -> None:
        lengths = self.sea_length, self.island_length
        if not all(1 < length < math.inf for length in lengths):
            raise ValueError(f"sea_length and island_length are numbers above 1, got {lengths}")
        if self.tables.shape != (2, 4, 4) or self.tables.dtype != torch.float64:
            got = f"{tuple(self.tables.shape)}, {self.tables.dtype}"
            raise ValueError(f"tables have shape (2, 4, 4) and dtype float64, got {got}")
        if not (self.tables > 0).all() or ((self.tables.sum(2) - 1).abs() > 1e-9).any():
            raise ValueError("tables hold probabilities above 0 whose rows sum to 1")

    @property
    def step(self) -> Tensor:
        """Probability of the next state, shape (2, 2): from the row's state to the column's."""
        sea, island = 1 / self.sea_length, 1 / self.island_length
        rows = [[1 - sea, sea], [island, 1 - island]]
        return torch.tensor(rows, dtype=torch.float64)

    @property
    def start(self) -> Tensor:
        """Share of the bases that lie in the sea, and in islands, in the long run, shape (2,)."""
        lengths = torch.tensor([self.sea_length, self.island_length], dtype=torch.float64)
        return lengths / lengths.sum()

    @property
    def base_shares(self) -> Tensor:
        """Share of A, C, G, T in a long stretch of each state, shape (2, 4)."""
        shares: Tensor = torch.linalg.matrix_power(self.tables, 256)
        return shares[:, 0]

    def sample(self, n: int, length: int, *, seed: int) -> tuple[Tensor, Tensor]:
        """Draw n sequences of `length` bases.

        Parameters
        ----------
        n, length : int
            At least 1.
        seed : int
            Seed of the draw; PyTorch's global generator is neither used nor changed.

        Returns
        -------
        X : Tensor, shape (n, 4, length), float32
            One-hot sequences.
        y : Tensor, shape (n, length), int64
            1 where the base lies in an island.

        Raises
        ------
        ValueError
            If n or length is below 1.
        """
        if n < 1 or length < 1:
            raise ValueError(f"n and length must be at least 1, got {n} and {length}")
        dice = torch.Generator().manual_seed(seed)
        luck = torch.rand(2, length, n, generator=dice, dtype=torch.float64)
        island = self.start[1] > luck[0, 0]
        base = _pick(self.base_shares[island.long()], luck[1, 0])
        leave = self.step.fliplr().diagonal()  # 1 / mean length of each state
        states, bases = [island.long()], [base]
        for turn, draw in zip(luck[0, 1:], luck[1, 1:], strict=True):
            island = island ^ (turn < leave[island.long()])
            base = _pick(self.tables[island.long(), base], draw)
            states.append(island.long())
            bases.append(base)
        X = torch.eye(4)[torch.stack(bases, dim=1)].transpose(1, 2).contiguous()
        return X, torch.stack(states, dim=1)

    def posterior(self, X: Tensor, *, past_only: bool = False) -> Tensor:
        """Return the probability that each base lies in an island, shape (n, length), float64.

        State and base together form a chain of eight states, sea or island with A, C, G or T,
        on which `forward_backward` runs. An unknown base (1/4 in each channel, as `one_hot` writes
        N) is summed over, too.

        Parameters
        ----------
        X : Tensor, shape (n, 4, length)
            One-hot sequences.
        past_only : bool, default False
            Whether to look only at the bases up to the one that is labelled.

        Raises
        ------
        ValueError
            If X has another shape, or a base has no positive entry.
        """
        if X.ndim != 3 or X.shape[1] != 4 or 0 in X.shape:
            raise ValueError(f"X has shape {tuple(X.shape)}, expected one-hot DNA (n, 4, length)")
        if not ((X >= 0).all() and (X.sum(1) > 0).all()):
            raise ValueError(
                "X holds a base without any positive entry; an unknown base is 1/4 each"
            )
        pairs = (self.step[:, None, :, None] * self.tables.transpose(0, 1)[None]).reshape(8, 8)
        start = (self.start[:, None] * self.base_shares).flatten()
        seen = X.double().log().transpose(1, 2).repeat(1, 1, 2)  # (n, length, 8)
        log_p, _ = forward_backward(start.log(), pairs.log(), seen, past_only=past_only)
        return log_p[:, :, 4:].logsumexp(2).exp()

    def bayes_accuracy(
        self, n: int = 500, length: int = 200, *, past_only: bool = False, seed: int = 0
    ) -> float:
        """Estimate the accuracy of the Bayes rule, which says "island" where p is above 1/2.

        It is right with probability max(p, 1 - p) at each base; the mean of that over n sequences
        is the limit. No labels are drawn upon, so chance disturbs it less than a count would.
        """
        X, _ = self.sample(n, length, seed=seed)
        p = self.posterior(X, past_only=past_only)
        return float(torch.maximum(p, 1 - p).mean())


def _pick(shares: Tensor, luck: Tensor) -> Tensor:
    """Draw one of four from each row of shares (n, 4), given a number from 0 to 1 for each."""
    return (luck[:, None] >= shares.cumsum(1)[:, :3]).sum(1)
