"""A network that reads DNA, against the likelihood ratio, sums by hand and planted truths."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from dlcourse import data
from dlcourse.training import fit
from dlcourse.vision import dna_motifs

LETTERS = st.text("ACGT", min_size=1, max_size=30)


def test_a_seed_draws_the_weights_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    one, same, other = (dna_motifs.MotifNet(seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    pairs = zip(one.parameters(), same.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


@given(LETTERS)
def test_the_other_strand_pairs_and_turns(sequence):
    other = "".join({"A": "T", "C": "G", "G": "C", "T": "A"}[b] for b in reversed(sequence))
    turned = dna_motifs.reverse_complement(data.one_hot([sequence]))
    assert torch.equal(turned, data.one_hot([other]))
    assert torch.equal(dna_motifs.reverse_complement(turned), data.one_hot([sequence]))


@given(st.integers(1, 3), st.integers(1, 8), st.integers(0, 20), st.booleans())
def test_motif_net_by_hand(n_filters, width, seed, both):
    X = torch.eye(4)[torch.randint(4, (3, 12))].transpose(1, 2)
    for pool in ("max", "soft"):
        model = dna_motifs.MotifNet(n_filters, width, pool=pool, both_strands=both, seed=seed)
        model.eval()
        W, b = model.filters.weight, model.filters.bias
        strands = [X, X.flip(1, 2)] if both else [X]
        wide = [F.pad(x, (width // 2, width // 2)) for x in strands]
        places = range(wide[0].shape[2] - width + 1)
        windows = [x[:, :, i : i + width] for x in wide for i in places]
        answers = torch.stack([torch.einsum("nbw,fbw->nf", x, W) + b for x in windows])
        pooled = answers.amax(0) if pool == "max" else answers.exp().sum(0).log()
        model.norm.running_mean.copy_(torch.linspace(-1, 2, n_filters))
        model.norm.running_var.fill_(4)
        normal = (pooled - model.norm.running_mean) / math.sqrt(4 + 1e-5)
        assert torch.allclose(model(X), model.output(normal), atol=1e-4)


@given(st.integers(0, 50))
def test_with_both_strands_the_answer_is_the_same_for_either(seed):
    model = dna_motifs.MotifNet(2, 5, both_strands=True, seed=seed).eval()
    X = torch.eye(4)[torch.randint(4, (4, 11))].transpose(1, 2)
    assert torch.allclose(model(X), model(dna_motifs.reverse_complement(X)), atol=1e-5)


@pytest.mark.parametrize("both", [False, True])
def test_one_soft_filter_of_log_odds_is_the_likelihood_ratio(both):
    motif = data.gata1(both_strands=both)
    model = dna_motifs.MotifNet(1, motif.width, both_strands=both, seed=0).double().eval()
    model.filters.padding = (0,)  # whole sites only, as they are planted
    model.norm.running_mean.fill_(3)
    model.norm.running_var.fill_(25 - 1e-5)
    places = (2 if both else 1) * (motif.length - motif.width + 1)
    with torch.no_grad():
        model.filters.weight[0] = motif.log_odds
        model.filters.bias.zero_()
        model.output.weight.copy_(torch.tensor([[0.0], [5.0]]))
        model.output.bias.copy_(torch.tensor([0.0, 3 - math.log(places)]))
    X, _ = motif.sample(50, seed=0)
    logits = model(X.double())
    ratio = motif.log_likelihood_ratio(X)
    assert torch.allclose(logits[:, 1] - logits[:, 0], ratio, atol=1e-9)


def test_the_maximum_lies_below_the_soft_pool_by_at_most_the_logarithm_of_the_places():
    soft, hard = (dna_motifs.MotifNet(3, 4, pool=pool, seed=0) for pool in ("soft", "max"))
    X, _ = data.gata1().sample(20, seed=0)
    with torch.no_grad():
        answers = soft.filters(X)
        assert torch.equal(answers, hard.filters(X))
        gap = answers.logsumexp(2) - answers.amax(2)
    assert float(gap.min()) > 0
    assert float(gap.max()) <= math.log(answers.shape[2]) + 1e-5


def test_motif_net_learns_a_planted_motif():
    motif = data.gata1()
    X, y = motif.sample(1000, seed=0)
    model = dna_motifs.MotifNet(seed=0)
    fit(model, X, y, n_epochs=24, batch_size=128, learning_rate=0.05, device="cpu", progress=False)
    X_new, y_new = motif.sample(4000, seed=1)
    with torch.no_grad():
        accuracy = float((model(X_new).argmax(1) == y_new).double().mean())
    limit = motif.bayes_accuracy(20_000)
    assert limit - 0.06 < accuracy < limit + 0.02
    matches = [dna_motifs.best_match(w, motif.log_odds)[0] for w in model.filters.weight.detach()]
    assert max(matches) > 0.85


def test_a_planted_filter_counts_its_pwm():
    """A filter of log-odds finds nearly certain sites, and counting them gives their matrix."""
    pwm = torch.full((4, 6), 0.01, dtype=torch.float64)
    pwm[[0, 1, 2, 3, 0, 1], range(6)] = 0.97
    motif = data.Motif(pwm, length=20)
    X, y = motif.sample(2000, seed=0)
    model = dna_motifs.MotifNet(1, 6)
    with torch.no_grad():
        model.filters.weight[0] = motif.log_odds
    counted = dna_motifs.filter_pwms(model, X[y == 1], share=1.0)[0].double()
    assert torch.allclose(counted.sum(0), torch.ones(6, dtype=torch.float64))
    assert float((counted - pwm).abs().max()) < 0.03


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_information_content_is_two_bits_less_the_entropy(weights):
    p = torch.tensor(weights, dtype=torch.float64)
    p = p / p.sum()
    entropy = -sum(float(v) * math.log2(float(v)) for v in p)
    found = float(dna_motifs.information_content(p[:, None]))
    assert found == pytest.approx(2 - entropy, abs=1e-9)
    assert -1e-9 <= found <= 2


def test_information_content_in_closed_form():
    columns = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4]).T
    assert dna_motifs.information_content(columns).tolist() == pytest.approx([2, 1, 0])
    motif = data.gata1()
    assert torch.allclose(dna_motifs.information_content(motif.pwm), motif.information)
    assert dna_motifs.information_content(torch.stack([columns, columns])).shape == (2, 3)


@given(st.integers(-2, 6), st.floats(0.1, 10), st.floats(-3, 3))
def test_best_match_ignores_scale_place_and_columns_constants(offset, scale, constant):
    target = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    wide = torch.zeros(4, 9)
    places = [k for k in range(5) if 0 <= offset + k < 9]
    wide[:, [offset + k for k in places]] = scale * target[:, places] + constant
    r, found = dna_motifs.best_match(wide, target)
    assert found == offset
    whole = len(places) == 5
    assert round(r, 4) == 1.0 if whole else 0.4 < r < 1
    assert dna_motifs.best_match(torch.ones(4, 9), target)[0] == 0.0


def test_the_opposite_matches_itself_nowhere():
    target = data.gata1().log_odds
    assert dna_motifs.best_match(-target, target)[0] < 0.5
    assert dna_motifs.best_match(target, target) == (pytest.approx(1.0), 0)


def test_the_counts_are_those_of_jaspar():
    counts = torch.tensor(data.motifs.GATA1_COUNTS)
    assert counts.shape == (11, 4)
    assert counts.sum(1).unique().tolist() == [4000]
    pwm = data.gata1().pwm
    assert torch.allclose(pwm, (counts.T.double() + 1) / 4004)
    assert "".join("ACGT"[k] for k in pwm.argmax(0)) == "ACAGATAAGAA"


def test_the_ratio_over_both_strands_equals_the_sum_over_all_places():
    dice = torch.Generator().manual_seed(0)
    pwm = torch.rand(4, 2, generator=dice, dtype=torch.float64) + 0.1
    q = (0.1, 0.2, 0.3, 0.4)
    motif = data.Motif(pwm / pwm.sum(0), length=3, background=q, both_strands=True)
    total = 0.0
    for bases in itertools.product(range(4), repeat=3):
        p0 = math.prod(q[b] for b in bases)
        p1 = 0.0
        for start in range(2):
            x, y = bases[start : start + 2]
            forward = float(motif.pwm[x, 0] * motif.pwm[y, 1])
            backward = float(motif.pwm[3 - y, 0] * motif.pwm[3 - x, 1])
            p1 += (forward + backward) / 4 * p0 / (q[x] * q[y])
        X = torch.eye(4)[list(bases)].T[None]
        assert float(motif.log_likelihood_ratio(X)) == pytest.approx(math.log(p1 / p0), abs=1e-9)
        total += p1
    assert total == pytest.approx(1)


def test_half_of_the_sites_stand_on_the_other_strand():
    pwm = torch.full((4, 3), 1e-9, dtype=torch.float64)
    pwm[2, 0] = pwm[0, 1] = pwm[3, 2] = 1 - 3e-9  # GAT, and ATC on the other strand
    X, y = data.Motif(pwm, length=3, both_strands=True).sample(4000, seed=0)
    here = X[y == 1].argmax(1).tolist()
    share = here.count([2, 0, 3]) / len(here)
    assert here.count([2, 0, 3]) + here.count([0, 3, 1]) == len(here)
    assert abs(share - 0.5) < 4 * 0.5 / math.sqrt(len(here))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dna_motifs.MotifNet(0), "must be at least 1"),
        (lambda: dna_motifs.MotifNet(width=0), "must be at least 1"),
        (lambda: dna_motifs.MotifNet(pool="mean"), "pool is 'soft' or 'max', got 'mean'"),
        (lambda: dna_motifs.MotifNet()(torch.zeros(2, 5, 40)), r"shape \(n, 4, length\)"),
        (lambda: dna_motifs.MotifNet()(torch.zeros(2, 4, 0)), r"shape \(n, 4, length\)"),
        (lambda: dna_motifs.reverse_complement(torch.zeros(4, 40)), r"got \(4, 40\)"),
        (
            lambda: dna_motifs.filter_pwms(dna_motifs.MotifNet(), torch.zeros(2, 4, 40), share=0),
            "share must lie above 0",
        ),
        (lambda: dna_motifs.information_content(torch.ones(3, 5)), r"shape \(\.\.\., 4, width\)"),
        (lambda: dna_motifs.information_content(-torch.ones(4, 5)), "from 0 to 1"),
        (lambda: dna_motifs.information_content(torch.full((4, 1), math.nan)), "from 0 to 1"),
        (lambda: dna_motifs.best_match(torch.ones(3, 3), torch.ones(4, 5)), "the filter must"),
        (lambda: dna_motifs.best_match(torch.ones(4, 3), torch.ones(4, 0)), "the target must"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
