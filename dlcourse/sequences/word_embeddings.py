"""Word embeddings: skip-gram with negative sampling, and the table that it factors.

A document is a tensor of word numbers, shape (length,). An embedding E has one row a word, shape
(V, D); words that keep the same company get similar rows.

References
----------
T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean (2013), "Distributed representations of
words and phrases and their compositionality", NeurIPS 26, arXiv:1310.4546.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "SkipGram",
    "analogies",
    "cooccurrence",
    "encode",
    "keep_probability",
    "nearest",
    "noise_distribution",
    "pairs",
    "pmi",
    "ppmi_svd",
    "train",
    "vocabulary",
]


def vocabulary(documents: Iterable[Sequence[str]], min_count: int = 1) -> tuple[list[str], Tensor]:
    """Count words and keep those seen at least `min_count` times, the most frequent first.

    Words that are equally frequent stand in alphabetical order. Returns the V words, and their
    counts, shape (V,), int64.

    Examples
    --------
    >>> vocabulary([["to", "be", "or"], ["not", "to", "be"]], min_count=2)
    (['be', 'to'], tensor([2, 2]))
    """
    seen = Counter(word for document in documents for word in document)
    words = sorted((w for w in seen if seen[w] >= min_count), key=lambda w: (-seen[w], w))
    if not words:
        raise ValueError(f"no word was seen {min_count} times or more")
    return words, torch.tensor([seen[w] for w in words])


def encode(documents: Iterable[Sequence[str]], words: Sequence[str]) -> list[Tensor]:
    """Replace each word by its number in `words`; others are dropped, and their gaps closed.

    Examples
    --------
    >>> encode([["to", "be", "or", "to"]], ["be", "to"])
    [tensor([1, 0, 1])]
    """
    number = {word: k for k, word in enumerate(words)}
    return [
        torch.tensor([number[w] for w in document if w in number], dtype=torch.long)
        for document in documents
    ]


def keep_probability(counts: Tensor, threshold: float) -> Tensor:
    """Return how probably a word survives sub-sampling: min(1, √(threshold / its share)).

    Examples
    --------
    >>> keep_probability(torch.tensor([900, 100]), threshold=0.1).tolist()
    [0.3333333432674408, 1.0]
    """
    if not threshold > 0:
        raise ValueError(f"threshold must be a share above 0, got {threshold}")
    return (threshold / (_checked_counts(counts) / counts.sum())).sqrt().clamp(max=1)


def noise_distribution(counts: Tensor, power: float = 0.75) -> Tensor:
    """Return the probability of each word to be drawn as noise: its count, to a power.

    Power 1 draws words as often as they are seen, power 0 all alike.

    Examples
    --------
    >>> noise_distribution(torch.tensor([16, 1])).tolist()
    [0.8888888955116272, 0.1111111119389534]
    """
    weights = _checked_counts(counts) ** power
    return weights / weights.sum()


def pairs(
    documents: Sequence[Tensor],
    window: int,
    *,
    keep: Tensor | None = None,
    generator: torch.Generator,
) -> Tensor:
    """Pair each word with its neighbours: all pairs (centre, context) of a corpus.

    For each centre a reach is drawn from 1 to `window`, so that near words count more. If `keep`
    is given, word w of the text survives with probability ``keep[w]`` and gaps close beforehand.

    Returns
    -------
    Tensor, shape (n, 2), int64
        In no useful order: shuffle before use.

    Examples
    --------
    >>> pairs([torch.tensor([5, 6, 7])], 1, generator=torch.Generator()).tolist()
    [[5, 6], [6, 7], [6, 5], [7, 6]]
    """
    text, home = _joined(documents, window)
    if keep is not None:
        stays = torch.rand(len(text), generator=generator) < keep[text]
        text, home = text[stays], home[stays]
    reach = torch.randint(1, window + 1, (len(text),), generator=generator)
    found = []
    for d in range(1, min(window, len(text) - 1) + 1):
        left, right, same = text[:-d], text[d:], home[:-d] == home[d:]
        after, before = same & (reach[:-d] >= d), same & (reach[d:] >= d)
        found.append(torch.stack([left[after], right[after]], dim=1))
        found.append(torch.stack([right[before], left[before]], dim=1))
    return torch.cat(found) if found else torch.empty(0, 2, dtype=torch.long)


class SkipGram(nn.Module):
    """Two tables of vectors: v for a word as centre, u for the same word as context.

    The network believes in a pair (w, c) with probability σ(v_w · u_c).

    Examples
    --------
    >>> model = SkipGram(10, 4, seed=0)
    >>> model(torch.tensor([1, 2]), torch.tensor([3, 4])).tolist()  # u starts at 0
    [0.0, 0.0]
    """

    def __init__(self, n_words: int, dim: int, *, seed: int) -> None:
        super().__init__()
        if n_words < 1 or dim < 1:
            raise ValueError(f"n_words and dim must be at least 1, got {n_words} and {dim}")
        dice = torch.Generator().manual_seed(seed)
        self.v = nn.Parameter((torch.rand(n_words, dim, generator=dice) - 0.5) / dim)
        self.u = nn.Parameter(torch.zeros(n_words, dim))

    def forward(self, centre: Tensor, context: Tensor) -> Tensor:
        """Return v_w · u_c for each pair; shapes (B,) and (B,) to (B,)."""
        return (self.v[centre] * self.u[context]).sum(1)

    def loss(self, centre: Tensor, context: Tensor, noise: Tensor, k: float) -> Tensor:
        """Return the mean over pairs of -ln σ(v·u) - k · mean over noise words of ln σ(-v·u).

        `centre` and `context` have shape (B,). The noise words, shape (M,), serve all pairs.
        """
        v = F.embedding(centre, self.v)  # (B, D); its backward pass is faster than v[centre]'s
        true = (v * F.embedding(context, self.u)).sum(1)  # (B,)
        false = v @ F.embedding(noise, self.u).T  # (B, M)
        return -F.logsigmoid(true).mean() - k * F.logsigmoid(-false).mean()


def train(
    documents: Sequence[Tensor],
    counts: Tensor,
    *,
    dim: int = 64,
    window: int = 5,
    k: float = 5,
    threshold: float | None = 1e-3,
    power: float = 0.75,
    n_epochs: int = 4,
    batch_size: int = 4096,
    n_noise: int = 128,
    learning_rate: float = 0.01,
    seed: int = 0,
) -> tuple[SkipGram, list[float]]:
    """Train skip-gram with negative sampling by Adam, with a rate that falls linearly to 0.

    Parameters
    ----------
    documents : list of Tensor, shapes (length,)
        Word numbers from 0 to V - 1.
    counts : Tensor, shape (V,)
        How often each word is in them.
    dim, window, k : int, int, float
        Numbers in a vector; words to each side at most; weight of the noise for one true pair.
    threshold : float or None
        Of sub-sampling, see `keep_probability`; None keeps all words.
    power : float
        Of the noise, see `noise_distribution`.
    n_epochs, batch_size, n_noise : int
        Passes; pairs in a step; noise words drawn for a step.
    learning_rate : float
        Adam's rate at the first step.
    seed : int
        Of everything that is drawn.

    Returns
    -------
    (SkipGram, list of float)
        The model, and the mean loss of each epoch.

    Raises
    ------
    ValueError
        If a word number or a setting does not fit, or there are no pairs.
    FloatingPointError
        If the loss becomes NaN or infinite.

    Examples
    --------
    >>> text = [torch.tensor([0, 1, 2, 3] * 50)]
    >>> counts = torch.tensor([50] * 4)
    >>> model, losses = train(text, counts, dim=4, window=1, threshold=None, batch_size=50)
    >>> losses[-1] < losses[0]
    True
    """
    if min(n_epochs, batch_size, n_noise) < 1 or not min(k, learning_rate) > 0:
        told = f"{n_epochs}, {batch_size}, {n_noise}, {k}, {learning_rate}"
        rule = "n_epochs, batch_size and n_noise must be at least 1, k and learning_rate above 0"
        raise ValueError(f"{rule}; got {told}")
    noise = noise_distribution(counts, power)
    if any(len(d) and not 0 <= int(d.min()) <= int(d.max()) < len(counts) for d in documents):
        raise ValueError(f"word numbers must lie from 0 to {len(counts) - 1}, as counts has them")
    keep = None if threshold is None else keep_probability(counts, threshold)
    model, dice = SkipGram(len(counts), dim, seed=seed), torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses: list[float] = []
    for epoch in range(n_epochs):
        found = pairs(documents, window, keep=keep, generator=dice)
        if not len(found):
            raise ValueError("there are no pairs: documents need two words or more")
        found = found[torch.randperm(len(found), generator=dice)]
        batches, total = torch.split(found, batch_size), 0.0
        for step, batch in enumerate(batches):
            done = (epoch + step / len(batches)) / n_epochs
            adam.param_groups[0]["lr"] = learning_rate * (1 - done)
            drawn = torch.multinomial(noise, n_noise, replacement=True, generator=dice)
            loss = model.loss(batch[:, 0], batch[:, 1], drawn, k)
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            total += float(loss.detach()) * len(batch)
        losses.append(total / len(found))
        if not losses[-1] < float("inf"):
            raise FloatingPointError(
                f"the loss is {losses[-1]} in epoch {epoch + 1}: lower the rate"
            )
    return model, losses


def cooccurrence(documents: Sequence[Tensor], n_words: int, window: int) -> Tensor:
    """Count how often two words are neighbours, near ones more: the mean of what `pairs` gives.

    A pair at distance d counts (window - d + 1) / window. Shape (V, V), float64, symmetric.

    Examples
    --------
    >>> cooccurrence([torch.tensor([0, 1, 2])], 3, window=2).tolist()
    [[0.0, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.0]]
    """
    text, home = _joined(documents, window)
    counts = torch.zeros(n_words * n_words, dtype=torch.float64)
    for d in range(1, min(window, len(text) - 1) + 1):
        same = home[:-d] == home[d:]
        cell = text[:-d][same] * n_words + text[d:][same]
        counts += (window - d + 1) / window * torch.bincount(cell, minlength=n_words**2)
    table = counts.view(n_words, n_words)
    return table + table.T


def pmi(counts: Tensor, *, power: float = 1.0) -> Tensor:
    """Return the pointwise mutual information ln p(w, c) / (p(w) p(c)) of a table of pairs.

    Where a pair was never seen it is -∞. The share of the contexts, p(c), is taken to `power`, as
    `noise_distribution` does. Shape (V, V).

    Examples
    --------
    >>> pmi(torch.tensor([[3.0, 1.0], [1.0, 3.0]])).exp().tolist()
    [[1.5, 0.5], [0.5, 1.5]]
    """
    if counts.ndim != 2 or not (counts >= 0).all() or not (counts.sum(0) > 0).all():
        raise ValueError("counts is a table of numbers from 0 with no empty column")
    if not (counts.sum(1) > 0).all():
        raise ValueError("counts has an empty row: a word without neighbours")
    by_row = counts / counts.sum(1, keepdim=True)  # p(c | w)
    return (by_row / noise_distribution(counts.sum(0), power)).log()


def ppmi_svd(counts: Tensor, dim: int, *, power: float = 0.75, seed: int = 0) -> Tensor:
    """Embed words without a network: clip the PMI at 0 and factor it. Shape (V, dim).

    Rows are U √S of the truncated singular value decomposition U S Vᵀ.

    References
    ----------
    O. Levy, Y. Goldberg, I. Dagan (2015), TACL 3, 211-225, doi:10.1162/tacl_a_00134.

    Examples
    --------
    >>> ppmi_svd(torch.tensor([[3.0, 1.0], [1.0, 3.0]]), 1).shape
    torch.Size([2, 1])
    """
    table = pmi(counts, power=power).clamp(min=0)
    if not 1 <= dim <= len(table):
        raise ValueError(f"dim must lie from 1 to the {len(table)} words, got {dim}")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        U, S, _ = torch.svd_lowrank(table, q=min(dim + 16, len(table)), niter=4)
    return U[:, :dim] * S[:dim].sqrt()


def nearest(E: Tensor, queries: Tensor, n: int, *, leave_out: Tensor | None = None) -> Tensor:
    """Return the numbers of the n rows of E with the greatest cosine to each query.

    From (Q, D) to (Q, n). `leave_out`, shape (Q, any), names rows that do not count.

    Examples
    --------
    >>> nearest(torch.eye(3), torch.tensor([[1.0, 0.5, 0.0]]), 2).tolist()
    [[0, 1]]
    """
    likeness = F.normalize(queries, dim=1) @ F.normalize(E, dim=1).T
    if leave_out is not None:
        likeness = likeness.scatter(1, leave_out, -torch.inf)
    return likeness.topk(n, dim=1).indices


def analogies(E: Tensor, questions: Tensor) -> Tensor:
    """Answer "a is to b as c is to which word?" by the row nearest to E[b] - E[a] + E[c].

    Rows are first made 1 long, and a, b and c are no answers. From (Q, 3 or 4) to (Q,).

    Examples
    --------
    >>> E = torch.tensor([[1.0, 0, 0], [1, 0, 1], [0, 1, 0], [0, 1, 1]])
    >>> analogies(E, torch.tensor([[0, 1, 2]])).tolist()
    [3]
    """
    a, b, c = questions[:, :3].T
    E = F.normalize(E, dim=1)
    return nearest(E, E[b] - E[a] + E[c], 1, leave_out=questions[:, :3])[:, 0]


def _checked_counts(counts: Tensor) -> Tensor:
    if counts.ndim != 1 or not len(counts) or not (counts > 0).all():
        raise ValueError(f"counts holds a number above 0 for each word, got {counts}")
    return counts if counts.is_floating_point() else counts.float()


def _joined(documents: Sequence[Tensor], window: int) -> tuple[Tensor, Tensor]:
    """Return all documents in a row, and for each place the number of its document."""
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    if not len(documents):
        raise ValueError("there are no documents")
    home = torch.repeat_interleave(
        torch.arange(len(documents)), torch.tensor([len(d) for d in documents])
    )
    return torch.cat(list(documents)), home
