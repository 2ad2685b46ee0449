"""The perceptron against proofs, published counts and a loop that visits every example."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.neuron import perceptron

SQUARE = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def plain_loop(X, y, order, max_epochs):
    """Rosenblatt's rule as one would write it on a blackboard: every example in turn."""
    w, b, path = torch.zeros(X.shape[1], dtype=torch.float64), 0.0, []
    for epoch in range(max_epochs):
        mistakes = 0
        for i in order(epoch):
            error = float(y[i]) - float(X[i].double() @ w + b > 0)
            if error:
                w, b = w + error * X[i].double(), b + error
                path.append(torch.cat([torch.tensor([b], dtype=torch.float64), w]))
                mistakes += 1
        if mistakes == 0:
            break
    return w, b, path


def separated(n, seed, gap=0.1, D=2):
    dice = torch.Generator().manual_seed(seed)
    X = torch.rand(n, D, generator=dice, dtype=torch.float64) * 2 - 1
    w = torch.randn(D, generator=dice, dtype=torch.float64)
    score = X @ w / w.norm()
    keep = score.abs() >= gap
    return X[keep], (score[keep] > 0).long(), w / w.norm()


@pytest.mark.parametrize("seed", range(5))
def test_leaping_between_mistakes_equals_visiting_every_example(seed):
    X, y, _ = separated(60, seed)
    w, b, path = plain_loop(X, y, lambda epoch: range(len(X)), 200)
    fit = perceptron.train(X, y, max_epochs=200)
    assert torch.equal(fit.w, w)
    assert fit.b == b
    assert torch.equal(fit.path[1:], torch.stack(path))
    assert fit.n_updates == len(path) == len(fit.path) - 1


def test_shuffling_follows_the_seed():
    X, y, _ = separated(60, 0, gap=0.02)
    shuffler = torch.Generator().manual_seed(7)
    w, b, _ = plain_loop(X, y, lambda epoch: torch.randperm(len(X), generator=shuffler), 300)
    fit = perceptron.train(X, y, max_epochs=300, seed=7)
    assert torch.equal(fit.w, w)
    assert fit.b == b
    assert not torch.equal(fit.path[-1], perceptron.train(X, y, max_epochs=300, seed=8).path[-1])


@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.05, 0.2]), st.integers(1, 6))
def test_never_more_corrections_than_novikoff_allows(seed, gap, D):
    X, y, w = separated(80, seed, gap, D)
    if len(X) == 0:
        return
    fit = perceptron.train(X, y, max_epochs=100_000, seed=seed)
    assert fit.converged
    assert torch.equal(perceptron.predict(X, fit.w, fit.b), y)
    assert fit.n_updates <= perceptron.novikoff_bound(X, y, w, 0.0)
    assert fit.n_updates <= perceptron.novikoff_bound(X, y, fit.w, fit.b)


def test_margin_by_hand():
    X = torch.tensor([[3.0, 4.0], [-3.0, -4.0], [6.0, 8.0]])
    y = torch.tensor([1, 0, 1])
    w = torch.tensor([3.0, 4.0])
    assert perceptron.margin(X, y, w, 0.0) == pytest.approx(5.0)
    assert perceptron.margin(X, 1 - y, w, 0.0) == pytest.approx(-10.0)
    assert perceptron.novikoff_bound(X, y, w, 0.0) == pytest.approx((1 + 100) / 25)


def test_a_boundary_needs_weights():
    with pytest.raises(ValueError, match="all weights are zero"):
        perceptron.margin(SQUARE, torch.tensor([0, 0, 0, 1]), torch.zeros(2), 0.0)


@pytest.mark.parametrize("labels", [[0, 2, 0, 2], [-1, 0, 1, 1], [0, 0, 0, 0]])
def test_one_vs_rest_needs_every_class(labels):
    with pytest.raises(ValueError, match="numbered 0, 1, 2"):
        perceptron.train_one_vs_rest(SQUARE, torch.tensor(labels))


def test_bound_refuses_weights_that_do_not_separate():
    with pytest.raises(ValueError, match="wrong side"):
        perceptron.novikoff_bound(SQUARE, torch.tensor([0, 1, 1, 0]), torch.tensor([1.0, 1.0]), 0.0)


@pytest.mark.parametrize(("n_inputs", "published"), [(1, 4), (2, 14), (3, 104), (4, 1882)])
def test_published_counts_of_threshold_functions(n_inputs, published):
    learnt = perceptron.learnable_functions(n_inputs)
    assert len(learnt) == 2**2**n_inputs
    assert int(learnt.sum()) == published


@pytest.mark.parametrize("n_inputs", [2, 3])
def test_learnable_functions_agree_with_a_linear_program(n_inputs):
    from scipy.optimize import linprog  # scikit-learn brings scipy

    learnt = perceptron.learnable_functions(n_inputs)
    rows = 2**n_inputs
    X1 = torch.tensor([[1] + [p >> k & 1 for k in range(n_inputs)] for p in range(rows)]).double()
    for f in range(2**rows):
        sign = torch.tensor([2.0 * (f >> p & 1) - 1 for p in range(rows)])
        program = linprog(
            [0] * (n_inputs + 1),
            A_ub=-(sign[:, None] * X1).numpy(),
            b_ub=[-1] * rows,
            bounds=[(None, None)] * (n_inputs + 1),
        )
        assert bool(learnt[f]) == (program.status == 0), f"function {f:0{rows}b}"


def test_xor_cycles():
    fit = perceptron.train(SQUARE, torch.tensor([0, 1, 1, 0]), max_epochs=50)
    ends = fit.path[torch.tensor(fit.mistakes).cumsum(0)]
    assert not fit.converged
    assert len(fit.mistakes) == 50
    assert len(ends[10:].unique(dim=0)) == 1


@pytest.mark.parametrize("n_inputs", [0, 5, -1])
def test_counting_says_why_it_stops_at_four(n_inputs):
    with pytest.raises(ValueError, match=f"1, 2, 3 or 4, got {n_inputs}"):
        perceptron.learnable_functions(n_inputs)


def test_association_units_are_wired_as_asked():
    wiring = perceptron.association_units(400, 512, n_connections=10, seed=3)
    assert set(wiring.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert (wiring.abs().sum(0) == 10).all()
    assert torch.equal(wiring, perceptron.association_units(400, 512, n_connections=10, seed=3))
    assert not torch.equal(wiring, perceptron.association_units(400, 512, n_connections=10, seed=4))
    X = torch.rand(5, 400)
    assert torch.equal(perceptron.associate(X, wiring), ((X.double() @ wiring) > 0.5).double())


@pytest.mark.parametrize(("n_inputs", "n_units", "k"), [(10, 5, 11), (10, 5, 0), (10, 0, 3)])
def test_impossible_wiring_is_refused(n_inputs, n_units, k):
    with pytest.raises(ValueError, match=f"n_connections={k}"):
        perceptron.association_units(n_inputs, n_units, n_connections=k, seed=0)


def test_one_vs_rest_takes_the_largest_sum():
    dice = torch.Generator().manual_seed(0)
    centres = torch.tensor([[4.0, 0.0], [-4.0, 4.0], [-4.0, -4.0]])
    y = torch.arange(90) % 3
    X = centres[y] + torch.randn(90, 2, generator=dice) / 2
    model = perceptron.train_one_vs_rest(X, y)
    assert model.W.shape == (3, 2)
    assert torch.equal(model.predict(X), model.scores(X).argmax(1))
    assert torch.equal(model.predict(X), y)
    lengths = (model.W.square().sum(1) + model.b**2).sqrt()
    assert torch.allclose(lengths, torch.ones(3).double())


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (torch.zeros(3), torch.zeros(3), r"shape \(n, D\)"),
        (torch.zeros(0, 2), torch.zeros(0), "n ≥ 1"),
        (torch.zeros(3, 2), torch.zeros(4), "one label for each of the 3 rows"),
        (torch.zeros(3, 2), torch.zeros(3, 1), r"got \(3, 1\)"),
        (torch.full((3, 2), float("nan")), torch.zeros(3), "NaN"),
        (torch.zeros(3, 2), torch.tensor([0, 1, 2]), "0 or 1, got"),
        (torch.zeros(3, 2), torch.tensor([-1, 1, 1]), r"0 or 1, got \[-1"),
    ],
)
def test_bad_examples_are_refused_with_a_reason(X, y, message):
    with pytest.raises(ValueError, match=message):
        perceptron.train(X, y)


def test_epochs_must_be_positive():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        perceptron.train(SQUARE, torch.tensor([0, 0, 0, 1]), max_epochs=0)
