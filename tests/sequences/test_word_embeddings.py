"""Word embeddings against counts by brute force, autograd, PyTorch's SVD and planted company."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from dlcourse.sequences import word_embeddings as we

TEXTS = st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=4)


def tensors(texts):
    return [torch.tensor(text, dtype=torch.long) for text in texts]


def die(seed=0):
    return torch.Generator().manual_seed(seed)


def test_vocabulary_sorts_by_count_and_then_by_letter():
    words, counts = we.vocabulary([["b", "a", "c"], ["a", "b"], ["d", "c"]], min_count=2)
    assert words == ["a", "b", "c"]
    assert counts.tolist() == [2, 2, 2]
    assert we.vocabulary(["zzy"])[0] == ["z", "y"]


@given(st.lists(st.text("abcd", max_size=9), min_size=1, max_size=4))
def test_encoding_keeps_what_is_known_in_order(documents):
    coded = we.encode(documents, ["c", "a"])
    for document, code in zip(documents, coded, strict=True):
        assert ["ca"[k] for k in code] == [w for w in document if w in "ca"]
        assert code.dtype == torch.long


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=9), st.floats(1e-4, 1))
def test_sub_sampling_keeps_rare_words_and_thins_frequent_ones_to_the_geometric_mean(counts, t):
    counts = torch.tensor(counts)
    share = counts / counts.sum()
    left = share * we.keep_probability(counts, t)
    assert torch.allclose(left, torch.minimum(share, (share * t).sqrt()), atol=1e-6)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=9))
def test_the_noise_lies_between_the_counts_and_equality(counts):
    counts = torch.tensor(counts)
    assert torch.allclose(we.noise_distribution(counts, 1.0), counts / counts.sum())
    assert torch.allclose(
        we.noise_distribution(counts, 0.0), torch.full_like(counts, 1) / len(counts)
    )
    assert float(we.noise_distribution(counts).sum()) == pytest.approx(1, abs=1e-5)


def by_hand(texts, window, n_words=6):
    table = torch.zeros(n_words, n_words, dtype=torch.float64)
    for text in texts:
        for i, w in enumerate(text):
            for j, c in enumerate(text):
                if 0 < abs(i - j) <= window:
                    table[w, c] += (window - abs(i - j) + 1) / window
    return table


@given(TEXTS, st.integers(1, 4))
def test_cooccurrence_by_brute_force(texts, window):
    assert torch.allclose(we.cooccurrence(tensors(texts), 6, window), by_hand(texts, window))


@given(TEXTS, st.integers(1, 4), st.integers(0, 9))
def test_pairs_are_neighbours_and_never_cross_documents(texts, window, seed):
    found = we.pairs(tensors(texts), window, generator=die(seed))
    possible = by_hand(texts, window) > 0
    assert found.shape[1] == 2
    assert all(bool(possible[w, c]) for w, c in found.tolist())
    within_one = sum(2 * max(len(text) - 1, 0) for text in texts)
    assert within_one <= len(found) <= window * within_one


def test_the_mean_of_many_pairs_is_the_table_of_counts():
    texts = [[0, 1, 2, 3, 4, 5, 0, 1], [2, 2, 5]]
    table, n = torch.zeros(36), 2000
    dice = die()
    for _ in range(n):
        found = we.pairs(tensors(texts), 3, generator=dice)
        table += torch.bincount(found[:, 0] * 6 + found[:, 1], minlength=36)
    assert torch.allclose(table.view(6, 6) / n, by_hand(texts, 3).float(), atol=0.1)


def test_sub_sampling_closes_the_gaps():
    keep = torch.tensor([1.0, 0.0, 1.0])
    found = we.pairs([torch.tensor([0, 1, 2])], 1, keep=keep, generator=die())
    assert sorted(found.tolist()) == [[0, 2], [2, 0]]


@given(st.integers(1, 5), st.integers(1, 7), st.integers(1, 4), st.integers(0, 99))
def test_the_slopes_of_the_loss_are_sigmoid_minus_truth(B, M, D, seed):
    torch.manual_seed(seed)
    model = we.SkipGram(6, D, seed=seed).double()
    torch.nn.init.normal_(model.u)
    centre, context, noise = (torch.randint(6, (n,)) for n in (B, B, M))
    k = 3.0
    model.loss(centre, context, noise, k).backward()
    v, u, n = model.v[centre], model.u[context], model.u[noise]
    true = ((v * u).sum(1).sigmoid() - 1)[:, None] / B
    false = k * (v @ n.T).sigmoid() / (B * M)
    dv = torch.zeros_like(model.v).index_add_(0, centre, true * u + false @ n)
    du = torch.zeros_like(model.u).index_add_(0, context, true * v)
    du.index_add_(0, noise, false.T @ v)
    assert torch.allclose(model.v.grad, dv)
    assert torch.allclose(model.u.grad, du)
    assert torch.allclose(model(centre, context), (v * u).sum(1))


def test_a_fresh_model_believes_in_nothing_and_pays_one_bit_for_each_answer():
    model = we.SkipGram(9, 3, seed=1)
    some = torch.tensor([1, 2, 3])
    assert float(model.loss(some, some, some, 5).detach()) == pytest.approx(
        6 * math.log(2), abs=1e-5
    )
    assert torch.equal(model.v, we.SkipGram(9, 3, seed=1).v)
    assert not torch.equal(model.v, we.SkipGram(9, 3, seed=2).v)


def two_companies(seed=0):
    """Words 0 to 4 only meet one another, as do words 5 to 9; word 10 is everywhere."""
    dice = die(seed)
    return [
        torch.where(
            torch.rand(30, generator=dice) < 0.2,
            10,
            5 * (d % 2) + torch.randint(5, (30,), generator=dice),
        )
        for d in range(200)
    ]


def test_words_of_one_company_come_together_and_a_seed_decides_all():
    texts = two_companies()
    counts = torch.bincount(torch.cat(texts))
    settings = {"dim": 4, "window": 3, "batch_size": 256, "n_epochs": 6, "threshold": None}
    before = torch.random.get_rng_state()
    model, losses = we.train(texts, counts, seed=3, **settings)
    again, _ = we.train(texts, counts, seed=3, **settings)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(model.v, again.v)
    assert losses[-1] < losses[0]
    E = model.v.detach()[:10]
    near = we.nearest(E, E, 5)
    assert all(
        set(row) == set(range(5 * (w // 5), 5 * (w // 5) + 5))
        for w, row in enumerate(near.tolist())
    )


def test_trained_long_enough_the_dot_product_is_pmi_less_ln_k():
    """Levy and Goldberg 2014, from the sampled loss: five words whose table can be factored."""
    dice = die()
    text = [torch.multinomial(torch.tensor([4.0, 3, 2, 2, 1]), 4000, True, generator=dice)]
    text[0][1::2] = (text[0][::2] + (torch.rand(2000, generator=dice) < 0.3)) % 5
    counts = torch.bincount(text[0])
    table = we.cooccurrence(text, 5, 1)
    assert (table > 0).all()
    model, _ = we.train(text, counts, dim=5, window=1, k=2, threshold=None, power=1.0, n_epochs=120,
                        batch_size=1000, n_noise=200, learning_rate=0.05)  # fmt: skip
    found = (model.v @ model.u.T).detach().double()
    assert float((found - (we.pmi(table) - math.log(2))).abs().max()) < 0.15


def test_pmi_in_closed_form():
    p, q = torch.tensor([0.2, 0.3, 0.5]).double(), torch.tensor([0.6, 0.3, 0.1]).double()
    assert torch.allclose(we.pmi(1000 * p[:, None] * q), torch.zeros(3, 3).double(), atol=1e-9)
    table = torch.tensor([[2.0, 0], [1, 1]])
    assert we.pmi(table)[0, 1] == -torch.inf
    assert float(we.pmi(table)[0, 0]) == pytest.approx(math.log(0.5 / (0.5 * 0.75)), abs=1e-6)
    squared = torch.tensor([9.0, 1]) / 10
    assert torch.allclose(we.pmi(table, power=2.0)[1], (torch.tensor([0.5, 0.5]) / squared).log())


def test_ppmi_svd_is_the_truncated_factorization():
    torch.manual_seed(0)
    counts = torch.rand(30, 30).double() + 0.01
    counts = counts + counts.T
    table = we.pmi(counts, power=0.75).clamp(min=0)
    U, S, _ = torch.linalg.svd(table)
    E = we.ppmi_svd(counts, 14)
    assert torch.allclose(E @ E.T, (U[:, :14] * S[:14]) @ U[:, :14].T, atol=1e-6)
    assert torch.equal(E, we.ppmi_svd(counts, 14))


@given(st.integers(2, 8), st.integers(1, 5), st.integers(0, 99))
def test_nearest_agrees_with_cosine_similarity(V, D, seed):
    E = torch.randn(V, D, generator=die(seed), dtype=torch.float64)
    likeness = F.cosine_similarity(E[:, None], E[None], dim=2)
    left_out = torch.arange(V)[:, None]
    near = we.nearest(E, E, 1, leave_out=left_out)[:, 0]
    likeness.fill_diagonal_(-2)
    best = likeness.max(1).values
    assert torch.allclose(likeness[torch.arange(V), near], best)


def test_analogies_on_a_grid_and_without_the_words_of_the_question():
    E = torch.tensor([[1.0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    questions = torch.tensor([[0, 1, 2, 3], [2, 3, 0, 1], [1, 0, 3, 2]])
    assert we.analogies(E, questions).tolist() == [3, 1, 2]
    assert we.analogies(E, questions * torch.tensor([1, 1, 1, 0])).tolist() == [3, 1, 2]
    same = we.analogies(torch.eye(4), torch.tensor([[0, 1, 2]]))
    assert same.tolist() == [3]


NOTHING = [torch.tensor([0])]
ONE = torch.tensor([1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: we.vocabulary([["a"]], min_count=2), "no word was seen 2 times"),
        (lambda: we.keep_probability(ONE, 0), "threshold must be a share above 0, got 0"),
        (lambda: we.keep_probability(torch.tensor([0, 1]), 0.1), "a number above 0 for each word"),
        (lambda: we.noise_distribution(torch.ones(2, 2)), "a number above 0 for each word"),
        (lambda: we.pairs(NOTHING, 0, generator=die()), "window must be at least 1, got 0"),
        (lambda: we.pairs([], 1, generator=die()), "there are no documents"),
        (lambda: we.SkipGram(0, 3, seed=0), "must be at least 1, got 0 and 3"),
        (lambda: we.train(NOTHING, ONE), "there are no pairs"),
        (lambda: we.train([torch.tensor([0, 1])], ONE), "must lie from 0 to 0"),
        (lambda: we.train(NOTHING, ONE, n_epochs=0), "must be at least 1"),
        (lambda: we.train(NOTHING, ONE, k=0), "k and learning_rate above 0"),
        (lambda: we.pmi(torch.tensor([[1.0, 0], [1, 0]])), "no empty column"),
        (lambda: we.pmi(torch.tensor([[0.0, 0], [1, 1]])), "empty row"),
        (lambda: we.pmi(torch.tensor([[math.nan]])), "numbers from 0"),
        (lambda: we.ppmi_svd(torch.ones(2, 2), 3), "from 1 to the 2 words, got 3"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_divergence_is_said():
    text = [torch.tensor([0, 1] * 50)]
    with pytest.raises(FloatingPointError, match="lower the rate"):
        we.train(text, torch.tensor([50, 50]), dim=2, window=1, learning_rate=1e30, n_epochs=3)
