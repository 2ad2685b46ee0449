"""DNA with a planted motif: a binding site, a background, and the best that any method can do.

A transcription factor binds to sites that resemble one another. A position-weight matrix (PWM) says
how often each base stands at each place of the site. Because we plant the sites ourselves, the
probability that a sequence holds one can be computed, and with it the limit.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["BASES", "Motif", "gata1", "one_hot"]

BASES = "ACGT"

# MA0035.2 of JASPAR: how often A, C, G, T stood at each place of 4,000 sites of GATA1.
GATA1_COUNTS = (
    *((1423, 560, 1242, 775), (708, 1633, 1235, 424), (2782, 31, 10, 1177), (0, 0, 4000, 0)),
    *((4000, 0, 0, 0), (27, 29, 109, 3835), (3887, 0, 6, 107), (3550, 4, 383, 63)),
    *((799, 681, 2296, 224), (1432, 897, 1360, 311), (1487, 829, 1099, 585)),
)


def one_hot(sequences: list[str]) -> Tensor:
    """Write sequences of A, C, G, T as numbers: four channels, 1 where the base stands, else 0.

    Parameters
    ----------
    sequences : list of str
        Equally long; small letters are read as capitals, and N (unknown) gives 1/4 in each channel.

    Returns
    -------
    Tensor, shape (n, 4, length), float32
        Channels in the order A, C, G, T.

    Raises
    ------
    ValueError
        If there is no sequence, lengths differ, or a letter is none of A, C, G, T and N.

    Examples
    --------
    >>> one_hot(["GAT"])[0].int().tolist()
    [[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]
    """
    lengths = {len(sequence) for sequence in sequences}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"sequences must be equally long, with a base at least; got {lengths}")
    known = {base: [float(base == other) for other in BASES] for base in BASES} | {"N": [0.25] * 4}
    strange = sorted(set("".join(sequences).upper()) - set(known))
    if strange:
        raise ValueError(f"DNA is written with A, C, G, T and N; got {', '.join(strange)}")
    rows = [[known[base] for base in sequence.upper()] for sequence in sequences]
    return torch.tensor(rows).transpose(1, 2).contiguous()


@dataclass(frozen=True, eq=False)  # comparing tensors gives no yes or no
class Motif:
    """Sequences of which half hold one site, drawn from a PWM, at a random place.

    All other bases are drawn from the background. Class 1 holds the site, class 0 does not.

    Attributes
    ----------
    pwm : Tensor, shape (4, width), float64
        Probability of A, C, G, T at each place of the site; no entry is 0, columns sum to 1.
    length : int
        Bases of a sequence, at least `width`.
    background : tuple of 4 floats
        Probability of A, C, G, T elsewhere.
    both_strands : bool
        Whether the site stands on either strand with the same probability. On the other strand it
        is read from its end, with A for T, C for G and the reverse.

    Examples
    --------
    >>> X, y = gata1().sample(100, seed=0)
    >>> X.shape, int(y.sum())
    (torch.Size([100, 4, 40]), 50)
    """

    pwm: Tensor
    length: int = 40
    background: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    both_strands: bool = False

    def __post_init__(self) -> None:
        if self.pwm.ndim != 2 or self.pwm.shape[0] != 4 or self.pwm.dtype != torch.float64:
            got = f"{tuple(self.pwm.shape)}, {self.pwm.dtype}"
            raise ValueError(f"pwm has shape (4, width) and dtype float64, got {got}")
        if not (self.pwm > 0).all() or ((self.pwm.sum(0) - 1).abs() > 1e-9).any():
            raise ValueError("pwm holds probabilities above 0 whose columns sum to 1")
        if not self.length >= self.width:
            raise ValueError(f"length must be at least the site's {self.width}, got {self.length}")
        if len(self.background) != 4 or min(self.background) <= 0:
            raise ValueError(f"background is 4 probabilities above 0, got {self.background}")
        if abs(sum(self.background) - 1) > 1e-9:
            raise ValueError(f"background must sum to 1, got {sum(self.background)}")

    @property
    def width(self) -> int:
        """Bases of the site."""
        return self.pwm.shape[1]

    @property
    def log_odds(self) -> Tensor:
        """ln(pwm / background), shape (4, width): what each base adds to a site's score."""
        return (self.pwm / self._background()[:, None]).log()

    @property
    def information(self) -> Tensor:
        """Information content of each place in bits, shape (width,): Σ p log₂(p / background).

        References
        ----------
        T. D. Schneider, G. D. Stormo, L. Gold, A. Ehrenfeucht (1986), "Information content of
        binding sites on nucleotide sequences", J. Mol. Biol. 188, 415-431,
        doi:10.1016/0022-2836(86)90165-8.
        """
        return (self.pwm * self.log_odds).sum(0) / math.log(2)

    def sample(self, n: int, *, seed: int) -> tuple[Tensor, Tensor]:
        """Draw n sequences, half of them (rounded down) with a site, in random order.

        Parameters
        ----------
        n : int
            Number of sequences, at least 2.
        seed : int
            Seed of the draw; PyTorch's global generator is neither used nor changed.

        Returns
        -------
        X : Tensor, shape (n, 4, length), float32
            One-hot sequences.
        y : Tensor, shape (n,), int64
            1 where there is a site.

        Raises
        ------
        ValueError
            If n is below 2.
        """
        if n < 2:
            raise ValueError(f"n must be at least 2, for one sequence of each class; got {n}")
        dice = torch.Generator().manual_seed(seed)
        y = (torch.arange(n) < n // 2).long()[torch.randperm(n, generator=dice)]
        base = torch.multinomial(self._background(), n * self.length, True, generator=dice)
        base = base.view(n, self.length)
        site = [torch.multinomial(column, n, True, generator=dice) for column in self.pwm.T]
        start = torch.randint(self.length - self.width + 1, (n, 1), generator=dice)
        place = start + torch.arange(self.width)
        sites = torch.stack(site, dim=1)  # (n, width)
        if self.both_strands:
            turned = torch.rand(n, 1, generator=dice) < 0.5
            sites = torch.where(turned, 3 - sites.flip(1), sites)
        planted = base.scatter(1, place, sites)
        base = torch.where(y[:, None] == 1, planted, base)
        return torch.eye(4)[base].transpose(1, 2).contiguous(), y

    def log_likelihood_ratio(self, X: Tensor) -> Tensor:
        """Return ln p(x | site somewhere) / p(x | no site), shape (n,).

        The site may start at each of the m places with the same probability, so the ratio is the
        mean over the places of exp(score there), where a place's score is the sum of the log-odds
        of its bases. If it may stand on both strands, the mean is over the places of both. No other
        rule separates the classes better (Neyman and Pearson 1933).

        Parameters
        ----------
        X : Tensor, shape (n, 4, length)
            One-hot sequences.

        Raises
        ------
        ValueError
            If X has another shape.
        """
        if X.ndim != 3 or X.shape[1:] != (4, self.length):
            wanted = f"(n, 4, {self.length})"
            raise ValueError(f"X has shape {tuple(X.shape)}, expected one-hot DNA of {wanted}")
        kernels = [self.log_odds]  # each (4, width)
        if self.both_strands:
            kernels.append((self.pwm.flip(0, 1) / self._background()[:, None]).log())
        scores = torch.nn.functional.conv1d(X.double(), torch.stack(kernels)).flatten(1)
        return scores.logsumexp(1) - math.log(scores.shape[1])

    def bayes_accuracy(self, n: int = 100_000, *, seed: int = 0) -> float:
        """Estimate the accuracy of the Bayes rule, which says "site" where the ratio is above 1.

        Given a sequence, the rule is right with probability max(p, 1 - p), where p is the posterior
        of class 1; the mean of that over n draws is the limit. Its standard error is below
        1 / (4 √n).
        """
        X, _ = self.sample(n, seed=seed)
        p = self.log_likelihood_ratio(X).sigmoid()
        return float(torch.maximum(p, 1 - p).mean())

    def _background(self) -> Tensor:
        return torch.tensor(self.background, dtype=torch.float64)


def gata1(length: int = 40, *, both_strands: bool = False) -> Motif:
    """Make sequences in which half hold a site of GATA1, after the matrix MA0035.2 of JASPAR.

    The counts are real: bases at 11 places of 4,000 sites. One is added to each, so that no
    probability is 0. The sequences are simulated.

    References
    ----------
    A. Mathelier et al. (2016), "JASPAR 2016: a major expansion and update of the open-access
    database of transcription factor binding profiles", Nucleic Acids Res. 44, D110-D115,
    doi:10.1093/nar/gkv1176.

    Examples
    --------
    >>> motif = gata1()
    >>> "".join(BASES[k] for k in motif.pwm.argmax(0)), round(float(motif.information.sum()), 1)
    ('ACAGATAAGAA', 10.8)
    """
    counts = torch.tensor(GATA1_COUNTS, dtype=torch.float64).T + 1
    return Motif((counts / counts.sum(0)).contiguous(), length, both_strands=both_strands)
