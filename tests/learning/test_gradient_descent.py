"""Gradient descent against PyTorch's SGD, closed forms on quadratics, and finite differences."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.learning.gradient_descent import SpeedLimits, curvatures, descend


def quadratic(eigenvalues, seed):
    """Return a bowl ½(w - w*)ᵀH(w - w*), turned at random, with H and w*."""
    dice = torch.Generator().manual_seed(seed)
    D = len(eigenvalues)
    turn, _ = torch.linalg.qr(torch.randn(D, D, generator=dice, dtype=torch.float64))
    H = turn @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ turn.T
    lowest = torch.randn(D, generator=dice, dtype=torch.float64)
    return lambda w: 0.5 * (w - lowest) @ H @ (w - lowest), H, lowest


def logistic(seed, n=60, D=3):
    dice = torch.Generator().manual_seed(seed)
    X = torch.randn(n, D, generator=dice, dtype=torch.float64)
    y = (X[:, 0] + torch.randn(n, generator=dice, dtype=torch.float64) > 0).double()
    return lambda w: torch.nn.functional.binary_cross_entropy_with_logits(X @ w, y)


def small_network(seed):
    """Return a loss over the 13 weights of a 2-3-1 tanh network."""
    dice = torch.Generator().manual_seed(seed)
    X = torch.randn(20, 2, generator=dice, dtype=torch.float64)
    y = (X[:, 0] * X[:, 1]).sign()

    def loss(w):
        h = torch.tanh(X @ w[:6].view(2, 3) + w[6:9])
        return (h @ w[9:12] + w[12] - y).square().mean()

    return loss


@pytest.mark.parametrize("learning_rate", [0.01, 0.3])
@pytest.mark.parametrize(("make", "P"), [(logistic, 3), (small_network, 13)])
@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_steps_equal_torch_sgd(make, P, seed, learning_rate):
    loss = make(seed)
    start = torch.randn(P, generator=torch.Generator().manual_seed(seed + 9)).double()
    walk = descend(loss, start, learning_rate=learning_rate, n_steps=100)
    w = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([w], lr=learning_rate)
    for step in range(101):
        assert torch.allclose(walk.path[step], w, rtol=0, atol=1e-6), f"step {step}"
        assert walk.losses[step].item() == pytest.approx(float(loss(w.detach())), abs=1e-9)
        optimizer.zero_grad()
        loss(w).backward()
        optimizer.step()
    assert walk.n_steps == 100


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=5),
    st.floats(0.05, 0.95),
    st.integers(0, 1000),
)
def test_on_a_quadratic_the_path_is_the_closed_form(eigenvalues, share, seed):
    loss, H, lowest = quadratic(eigenvalues, seed)
    eta = share * 2 / max(eigenvalues)
    start = torch.zeros(len(eigenvalues), dtype=torch.float64)
    walk = descend(loss, start, learning_rate=eta, n_steps=20)
    step = torch.eye(len(eigenvalues), dtype=torch.float64) - eta * H
    exact = lowest + torch.linalg.matrix_power(step, 20) @ (start - lowest)
    assert torch.allclose(walk.w, exact, atol=1e-9)
    assert walk.n_rises == 0
    factor = SpeedLimits(min(eigenvalues), max(eigenvalues)).factor(eta)
    distances = (walk.path - lowest).norm(dim=1)
    assert (distances[1:] <= factor * distances[:-1] + 1e-9).all()


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6), st.integers(0, 1000))
def test_curvatures_of_a_turned_bowl_are_its_eigenvalues(eigenvalues, seed):
    loss, _, lowest = quadratic(eigenvalues, seed)
    found = curvatures(loss, torch.zeros_like(lowest))
    expected = torch.tensor(sorted(eigenvalues), dtype=torch.float64)
    assert torch.allclose(found, expected, rtol=1e-8, atol=1e-8)


def test_curvatures_agree_with_finite_differences():
    loss, w, h = small_network(1), torch.linspace(-1, 1, 13).double(), 1e-4
    unit = torch.eye(13, dtype=torch.float64) * h
    H = torch.tensor(
        [
            [
                float(loss(w + a + b) - loss(w + a - b) - loss(w - a + b) + loss(w - a - b))
                for b in unit
            ]
            for a in unit
        ]
    ) / (4 * h * h)
    by_hand = torch.linalg.eigvalsh((H + H.T).double() / 2)
    assert torch.allclose(curvatures(loss, w), by_hand, atol=1e-4)


def test_curvatures_tell_a_saddle_for_weights_of_any_shape():
    found = curvatures(lambda W: W[0, 0] ** 2 - W[1, 0] ** 2, torch.zeros(2, 1))
    assert found.tolist() == [-2.0, 2.0]


def test_curvatures_refuse_a_place_without_second_derivatives():
    with pytest.raises(ValueError, match="second derivatives"):
        curvatures(lambda w: w.pow(1.5).sum(), torch.zeros(2))


@given(st.floats(0.01, 10), st.floats(1, 1000))
def test_no_rate_beats_the_best_rate(flattest, kappa):
    bowl = SpeedLimits(flattest, flattest * kappa)
    assert bowl.condition_number == pytest.approx(kappa)
    assert bowl.best_factor == pytest.approx((kappa - 1) / (kappa + 1), abs=1e-9)
    assert bowl.factor(bowl.best_rate) == pytest.approx(bowl.best_factor, abs=1e-9)
    assert bowl.factor(bowl.largest_rate) == pytest.approx(1, abs=1e-9)
    for share in torch.linspace(0.01, 1.5, 50).tolist():
        assert bowl.factor(share * bowl.largest_rate) >= bowl.best_factor - 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_two_over_lambda_max_is_the_border(seed):
    loss, _, lowest = quadratic([0.5, 2.0, 8.0], seed)
    start, limit = torch.zeros_like(lowest), 2 / 8.0
    inside = descend(loss, start, learning_rate=0.99 * limit, n_steps=3000, tolerance=1e-9)
    assert inside.converged
    assert inside.n_steps < 3000
    assert torch.allclose(inside.w, lowest, atol=1e-8)
    with pytest.raises(FloatingPointError, match=r"above 2/λmax = 0\.25"):
        descend(loss, start, learning_rate=1.01 * limit, n_steps=3000)


def test_divergence_is_said_with_step_rate_and_limit():
    with pytest.raises(FloatingPointError) as error:
        descend(lambda w: 2 * w.square().sum(), torch.tensor([1.0]), learning_rate=3.0)
    # each step multiplies w by 1 - 3·4 = -11, so the loss 2 by 121: above 2·10⁶ after 3 steps
    assert str(error.value) == (
        "the loss grew from 2 to 3.54e+06 at step 3: learning rate 3 is above 2/λmax = 0.5 "
        "(λmax = 4, the largest curvature at step 0); choose a smaller one"
    )


@pytest.mark.parametrize(
    ("loss", "start", "message"),
    [
        (lambda w: w.log().sum() ** 2, 0.5, "became NaN at step 7: learning rate 5 is above"),
        (lambda w: -(w**3).sum(), 1.0, r"became -inf at step \d+: .* steeper elsewhere"),
        (lambda w: w.sum() / 0, 1.0, "became inf at step 0, before the first step"),
        (lambda w: w.sum() * math.nan, 1.0, "became NaN at step 0, before the first step"),
    ],
)
def test_every_way_to_run_away_is_said(loss, start, message):
    with pytest.raises(FloatingPointError, match=message):
        descend(loss, torch.tensor([start]), learning_rate=5.0, n_steps=500)


def test_a_large_model_gets_no_hessian():
    with pytest.raises(FloatingPointError, match="learning rate 3 is too large; try a tenth"):
        descend(lambda w: w.square().sum(), torch.ones(501), learning_rate=3.0)


def test_stopping_at_once_where_the_ground_is_level():
    walk = descend(lambda w: (w**2).sum(), torch.zeros(3), learning_rate=0.1)
    assert walk.converged
    assert walk.n_steps == 0
    assert walk.path.shape == (1, 3)


def test_bouncing_is_counted_and_not_called_convergence():
    walk = descend(logistic(0), torch.full((3,), 0.1).double(), learning_rate=200.0, n_steps=50)
    assert not walk.converged
    assert walk.n_rises > 5


def test_the_start_is_left_alone():
    start = torch.ones(2)
    walk = descend(lambda w: w.square().sum(), start, learning_rate=0.1, n_steps=3)
    assert torch.equal(start, torch.ones(2))
    assert not start.requires_grad
    assert not walk.path.requires_grad
    assert walk.losses.shape == (4,)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_bad_rates_are_refused(rate):
    with pytest.raises(ValueError, match=f"positive, finite number, got {rate}"):
        descend(lambda w: w.sum(), torch.ones(1), learning_rate=rate)
    with pytest.raises(ValueError, match="positive, finite number"):
        SpeedLimits(1, 2).factor(rate)


@pytest.mark.parametrize(
    ("start", "settings", "error", "message"),
    [
        (torch.ones(1), {"n_steps": 0}, ValueError, "n_steps must be at least 1, got 0"),
        (torch.ones(1), {"tolerance": -1e-6}, ValueError, "tolerance must be 0 or"),
        (torch.ones(1), {"tolerance": math.nan}, ValueError, "tolerance must be 0 or"),
        (torch.tensor([math.nan]), {}, ValueError, "no NaN"),
        (torch.ones(0), {}, ValueError, "at least one weight"),
        (torch.ones(1).long(), {}, TypeError, "tensor of floats, got torch.int64"),
        ([1.0], {}, TypeError, "tensor of floats, got list"),
    ],
)
def test_bad_settings_are_refused_with_a_reason(start, settings, error, message):
    with pytest.raises(error, match=message):
        descend(lambda w: w.square().sum(), start, learning_rate=0.1, **settings)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda w: w**2, r"one number, such as a mean; got shape \(2,\)"),
        (lambda w: 1.0, "got float"),
        (lambda w: w.detach().sum(), "does not depend on the weights"),
    ],
)
def test_a_loss_without_a_gradient_is_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        descend(loss, torch.ones(2), learning_rate=0.1)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0), (1.0, math.inf)])
def test_speed_limits_need_a_bowl(low, high):
    with pytest.raises(ValueError, match="0 < flattest ≤ steepest"):
        SpeedLimits(low, high)


def test_speed_limits_of_eigenvalues():
    assert SpeedLimits.of(torch.tensor([3.0, 1.0, 2.0])) == SpeedLimits(1.0, 3.0)
