"""Losses against PyTorch, least squares against LAPACK, limits against quadrature and formulas."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from dlcourse import data
from dlcourse.learning import loss

FRAME = (-9.0, 9.0, -8.0, 8.0)


def gaussians(distance):
    return data.two_gaussians(distance=distance).log_density


def draw(*shape, seed=0, scale=1.0):
    dice = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=dice, dtype=torch.float64)


@given(st.integers(1, 30), st.integers(2, 12), st.integers(0, 999), st.floats(0.01, 300))
def test_losses_equal_pytorch(n, K, seed, scale):
    logits = draw(n, K, seed=seed, scale=scale)
    labels = torch.randint(0, K, (n,), generator=torch.Generator().manual_seed(seed))
    one, yes = logits[:, 0], (labels > 0).double()
    torch.testing.assert_close(
        loss.cross_entropy(logits, labels), F.cross_entropy(logits, labels, reduction="none")
    )
    torch.testing.assert_close(
        loss.binary_cross_entropy(one, yes),
        F.binary_cross_entropy_with_logits(one, yes, reduction="none"),
    )
    torch.testing.assert_close(loss.squared_error(one, yes), F.mse_loss(one, yes, reduction="none"))


def test_losses_are_log_likelihoods():
    answers, y = draw(20), draw(20, seed=1)
    sigma = 0.7
    surprise = -torch.distributions.Normal(answers, sigma).log_prob(y)
    rest = surprise - loss.squared_error(answers, y) / (2 * sigma**2)
    torch.testing.assert_close(rest, torch.full_like(rest, math.log(sigma * math.tau**0.5)))
    labels = torch.arange(20) % 3
    logits = draw(20, 3, seed=2)
    surprise = -torch.distributions.Categorical(logits=logits).log_prob(labels)
    torch.testing.assert_close(loss.cross_entropy(logits, labels), surprise)


def test_slopes_are_answer_minus_truth():
    logits = draw(9, 4, scale=3).requires_grad_()
    labels = torch.arange(9) % 4
    loss.cross_entropy(logits, labels).sum().backward()
    torch.testing.assert_close(logits.grad, logits.detach().softmax(1) - F.one_hot(labels, 4))
    z = torch.linspace(-30, 30, 13, dtype=torch.float64)[torch.arange(13) != 6].requires_grad_()
    y = (torch.arange(12) % 2).double()
    loss.binary_cross_entropy(z, y).sum().backward()
    torch.testing.assert_close(z.grad, z.detach().sigmoid() - y)


def test_slope_at_logit_zero():
    z = torch.zeros(2).requires_grad_()
    loss.binary_cross_entropy(z, torch.tensor([0, 1])).sum().backward()
    assert z.grad.tolist() == [0.5, -0.5]


def test_huge_logits_stay_finite():
    z = torch.tensor([1e4, -1e4]).requires_grad_()
    losses = loss.binary_cross_entropy(z, torch.tensor([0, 1]))
    losses.sum().backward()
    assert losses.tolist() == [1e4, 1e4]
    assert z.grad.tolist() == [1.0, -1.0]
    assert loss.cross_entropy(torch.tensor([[0.0, 1e4]]), torch.tensor([0])).tolist() == [1e4]


def test_two_columns_are_one_logit():
    logits, labels = draw(11, 2, scale=4), torch.arange(11) % 2
    torch.testing.assert_close(
        loss.cross_entropy(logits, labels),
        loss.binary_cross_entropy(logits[:, 1] - logits[:, 0], labels),
    )


@given(st.integers(1, 8), st.integers(0, 50), st.integers(0, 999), st.floats(1e-3, 1e5))
def test_least_squares_equals_lapack(D, extra, seed, unit):
    X, y = draw(D + 1 + extra, D, seed=seed), draw(D + 1 + extra, seed=seed + 1)
    if np.linalg.cond(np.column_stack([np.ones(len(X)), X])) > 1e4:
        return  # normal equations square the condition number
    X[:, 0] *= unit
    w, b = loss.least_squares(X, y)
    want = np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(w, want[1:], rtol=1e-6, atol=1e-7 / min(unit, 1))
    assert b == pytest.approx(want[0], rel=1e-6, abs=1e-7)


def test_residuals_are_at_right_angles_to_every_column():
    X, y = draw(50, 3), draw(50, seed=1)
    w, b = loss.least_squares(X.float(), y.float())
    residual = y - X @ w - b
    assert w.dtype == torch.float64
    assert float(residual.sum()) == pytest.approx(0, abs=1e-4)
    assert float((X.T @ residual).abs().max()) < 1e-4


def test_no_step_away_from_least_squares_pays():
    X, y = draw(40, 3), draw(40, seed=1)
    w, b = loss.least_squares(X, y)
    best = float(loss.squared_error(X @ w + b, y).mean())
    for seed in range(20):
        step = draw(3, seed=seed, scale=1e-3)
        assert float(loss.squared_error(X @ (w + step) + b, y).mean()) > best


def test_published_coefficients_of_the_diabetes_data():
    patients = data.diabetes()
    w, b = loss.least_squares(patients.X, patients.y)
    # What R's lm finds, in the documentation of the package mplot (Tarr, Mueller, Welsh 2018).
    table = [-0.03636, -22.85965, 5.60296, 1.11681, -1.09, 0.74645, 0.372, 6.53383, 68.48312]
    assert w.tolist() == pytest.approx([*table, 0.28012], abs=2e-5)
    assert b == pytest.approx(-334.56714, abs=1e-3)
    residuals = patients.X.double() @ w + b - patients.y
    assert float(residuals.square().sum() / 431) ** 0.5 == pytest.approx(54.15, abs=0.005)


@pytest.mark.parametrize("distance", [0.0, 0.5, 1.0, 2.0, 4.0, 7.0])
def test_bayes_error_for_equal_classes_is_one_normal_tail(distance):
    tail = float(torch.special.ndtr(torch.tensor(-distance / 2, dtype=torch.float64)))
    assert loss.bayes_error(distance) == pytest.approx(tail, rel=1e-9)
    assert loss.bayes_error(3 * distance, 3.0) == pytest.approx(tail, rel=1e-9)


@given(st.floats(0.05, 6), st.floats(0.01, 0.99))
def test_bayes_error_against_quadrature(distance, prior):
    from scipy.integrate import quad
    from scipy.stats import norm

    def smaller(x):
        return min((1 - prior) * norm.pdf(x), prior * norm.pdf(x, distance))

    middle = distance / 2 + math.log((1 - prior) / prior) / distance
    break_at = [middle] if -10 < middle < 16 else None
    want = quad(smaller, -10, 16, points=break_at, limit=200)[0]
    assert loss.bayes_error(distance, prior=prior) == pytest.approx(want, abs=1e-7)
    assert 0 < loss.bayes_error(distance, prior=prior) <= min(prior, 1 - prior)


def test_bayes_error_agrees_with_the_integral_over_the_plane():
    for distance in (1.0, 2.0, 4.0):
        accuracy = data.two_gaussians(distance=distance).bayes_accuracy()
        assert 1 - loss.bayes_error(distance) == pytest.approx(accuracy, abs=1e-4)


def test_classes_that_cannot_be_told_apart():
    assert loss.bayes_error(0.0, prior=0.3) == 0.3
    assert loss.bayes_error(1e-12, prior=0.3) == 0.3
    floor = loss.expected_cross_entropy(gaussians(0.0), gaussians(0.0), extent=FRAME)
    assert floor == pytest.approx(math.log(2), abs=1e-9)


@pytest.mark.parametrize("distance", [1.0, 2.0, 4.0])
def test_entropy_floor_against_one_integral(distance):
    from scipy.integrate import quad
    from scipy.stats import norm

    def surprise(x):  # class 1, at its centre + x: its log-odds are δx + δ²/2
        return norm.pdf(x) * np.logaddexp(0, -distance * x - distance**2 / 2)

    floor = loss.expected_cross_entropy(gaussians(distance), gaussians(distance), extent=FRAME)
    assert floor == pytest.approx(quad(surprise, -12, 12)[0], abs=1e-8)
    error = loss.bayes_error(distance)  # Hellman and Raviv (1970), and Fano's inequality
    assert 2 * math.log(2) * error <= floor
    assert floor <= -error * math.log(error) - (1 - error) * math.log(1 - error)


@given(st.integers(0, 999), st.floats(0, 2))
def test_no_scores_beat_the_densities(seed, size):
    change = draw(2, 2, seed=seed, scale=size)
    density = gaussians(2.0)
    floor = loss.expected_cross_entropy(density, density, extent=FRAME, n_points=60)
    other = loss.expected_cross_entropy(
        lambda X: density(X) + X @ change, density, extent=FRAME, n_points=60
    )
    assert other >= floor - 1e-12


def test_expected_loss_agrees_with_many_points():
    problem = data.moons()
    X, y = problem.sample(200_000, seed=0)
    sampled = loss.cross_entropy(problem.log_density(X), y)
    floor = loss.expected_cross_entropy(
        problem.log_density, problem.log_density, extent=(-2.5, 3.5, -2, 2.5)
    )
    assert float(sampled.mean()) == pytest.approx(
        floor, abs=4 * float(sampled.std()) / 200_000**0.5
    )


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (torch.zeros(3, 1), torch.zeros(3), r"\(3, 1\) and \(3,\).*every output with every target"),
        (torch.zeros(3), torch.zeros(3, 1), r"\(3,\) and \(3, 1\)"),
        (torch.zeros(3), torch.zeros(4), r"\(3,\) and \(4,\)"),
        (torch.zeros(3), torch.tensor(0.0), r"\(3,\) and \(\)"),
        (torch.zeros(0), torch.zeros(0), r"shape \(n,\)"),
        (torch.tensor([0.0, math.nan]), torch.zeros(2), "first in row 1"),
        (torch.zeros(2), torch.tensor([math.inf, 0.0]), "first in row 0"),
    ],
)
def test_nothing_is_broadcast_and_nothing_is_nan(a, b, message):
    for function in (loss.squared_error, loss.binary_cross_entropy):
        with pytest.raises(ValueError, match=message):
            function(a, b)


@given(st.lists(st.integers(1, 4), max_size=3), st.lists(st.integers(1, 4), max_size=3))
def test_only_equal_lists_pass(shape, other):
    a, b = torch.zeros(shape), torch.zeros(other)
    if len(shape) == 1 and shape == other:
        assert loss.squared_error(a, b).shape == a.shape
    else:
        with pytest.raises(ValueError, match=r"both have shape \(n,\)"):
            loss.squared_error(a, b)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (torch.zeros(3), torch.zeros(3).long(), r"got \(3,\)"),
        (torch.zeros(3, 1), torch.zeros(3).long(), "K ≥ 2"),
        (torch.zeros(0, 2), torch.zeros(0).long(), r"got \(0, 2\)"),
        (torch.zeros(3, 2), torch.zeros(3, 1).long(), r"shape \(3,\); got \(3, 1\)"),
        (torch.zeros(3, 2), torch.zeros(3), "whole numbers.*float32"),
        (torch.zeros(3, 2), torch.zeros(3).bool(), "whole numbers.*bool"),
        (torch.zeros(3, 2), torch.tensor([0, 1, 2]), "labels are 0 to 1; got 0 to 2"),
        (torch.zeros(3, 2), torch.tensor([0, -1, 1]), "got -1 to 1"),
        (torch.full((3, 2), math.nan), torch.zeros(3).long(), "diverged"),
    ],
)
def test_bad_classes_are_refused(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        loss.cross_entropy(logits, labels)


def test_labels_of_two_classes_are_probabilities():
    with pytest.raises(ValueError, match=r"from -1(\.0)? to 1"):
        loss.binary_cross_entropy(torch.zeros(2), torch.tensor([-1.0, 1.0]))


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (torch.zeros(3), torch.zeros(3), r"\(3,\) and \(3,\)"),
        (torch.zeros(3, 1), torch.zeros(3, 1), r"got \(3, 1\) and \(3, 1\)"),
        (draw(3, 3), torch.zeros(3), "3 examples cannot fix 3 weights and a bias"),
        (torch.ones(5, 1), torch.zeros(5), "constant"),
        (torch.zeros(5, 1), torch.zeros(5), "constant"),
        (
            draw(9, 2) @ torch.tensor([[1.0, 0, 1], [0, 1, 1]]).double(),
            torch.zeros(9),
            "from others",
        ),
        (torch.full((3, 1), math.nan), torch.zeros(3), "NaN"),
    ],
)
def test_least_squares_says_why_there_is_no_answer(X, y, message):
    with pytest.raises(ValueError, match=message):
        loss.least_squares(X, y)


@pytest.mark.parametrize(
    ("distance", "noise", "prior"),
    [(-1, 1, 0.5), (math.nan, 1, 0.5), (math.inf, 1, 0.5), (1, 0, 0.5), (1, 1, 0), (1, 1, 1.0)],
)
def test_impossible_clouds_are_refused(distance, noise, prior):
    with pytest.raises(ValueError, match=r"distance ≥ 0|share of class 1"):
        loss.bayes_error(distance, noise, prior=prior)


def test_the_grid_must_hold_the_clouds():
    density = gaussians(2.0)
    with pytest.raises(ValueError, match="widen the extent"):
        loss.expected_cross_entropy(density, density, extent=(-1, 1, -1, 1))
    with pytest.raises(ValueError, match="smaller first"):
        loss.expected_cross_entropy(density, density, extent=(1, -1, -1, 1))
    with pytest.raises(ValueError, match=r"got \(3600,\) and \(3600, 2\)"):
        loss.expected_cross_entropy(lambda X: X[:, 0], density, extent=FRAME, n_points=60)
