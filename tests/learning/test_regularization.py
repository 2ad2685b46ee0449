"""Penalties, dropout and early stopping against closed forms, scikit-learn and PyTorch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, Ridge
from torch.nn import functional as F

from dlcourse.learning import regularization as reg


def diabetes():
    table = load_diabetes(scaled=False)
    X = torch.tensor(table.data)
    return (X - X.mean(0)) / X.std(0, correction=0), torch.tensor(table.target)


def problem(seed, n=40, D=6):
    dice = torch.Generator().manual_seed(seed)
    X = torch.randn(n, D, generator=dice, dtype=torch.float64)
    w = torch.randn(D, generator=dice, dtype=torch.float64)
    return X, 2 + X @ w + torch.randn(n, generator=dice, dtype=torch.float64)


@pytest.mark.parametrize("penalty", [0.0, 0.01, 1.0, 100.0])
def test_ridge_equals_scikit_learn(penalty):
    X, y = diabetes()
    theirs = Ridge(alpha=len(X) * penalty).fit(X, y)
    ours = reg.ridge(X, y, penalty)
    assert torch.allclose(ours.w, torch.tensor(theirs.coef_), atol=1e-8)
    assert ours.b == pytest.approx(theirs.intercept_)
    assert torch.allclose(ours.predict(X), torch.tensor(theirs.predict(X)))


@given(st.integers(0, 10_000), st.floats(0.001, 10))
def test_the_slope_of_the_ridge_loss_is_zero_at_its_closed_form(seed, penalty):
    X, y = problem(seed)
    line = reg.ridge(X, y, penalty)
    w, b = line.w.requires_grad_(), torch.tensor(line.b, dtype=torch.float64, requires_grad=True)
    loss = (y - b - X @ w).square().mean() / 2 + penalty / 2 * w.square().sum()
    loss.backward()
    assert float(w.grad.abs().max()) < 1e-10
    assert abs(float(b.grad)) < 1e-10


def test_ridge_needs_a_price_where_least_squares_has_no_single_answer():
    X, y = problem(0)
    twice = torch.cat([X, X[:, :1]], dim=1)
    with pytest.raises(ValueError, match="depend on each other"):
        reg.ridge(twice, y, 0.0)
    line = reg.ridge(twice, y, 0.1)
    assert float(line.w[0]) == pytest.approx(float(line.w[-1]))  # twins share


@pytest.mark.parametrize("penalty", [30.0, 10.0, 3.0, 1.0, 0.3, 0.1])
def test_lasso_equals_scikit_learn_with_the_same_exact_zeros(penalty):
    X, y = diabetes()
    theirs = Lasso(alpha=penalty, tol=1e-10, max_iter=100_000).fit(X, y)
    ours = reg.lasso(X, y, penalty)
    assert torch.allclose(ours.w, torch.tensor(theirs.coef_), rtol=0, atol=1e-3)
    assert torch.equal(ours.w == 0, torch.tensor(theirs.coef_ == 0))
    assert ours.b == pytest.approx(theirs.intercept_)


@given(st.integers(0, 10_000), st.floats(0.01, 3))
def test_lasso_meets_the_conditions_of_its_optimum(seed, penalty):
    X, y = problem(seed)
    line = reg.lasso(X, y, penalty)
    residual = y - line.predict(X)
    slope = -X.T @ residual / len(X)
    on = line.w != 0
    assert torch.allclose(slope[on], -penalty * line.w[on].sign(), atol=1e-5)
    assert bool((slope[~on].abs() <= penalty + 1e-5).all())
    assert abs(float(residual.mean())) < 1e-10


def test_lasso_is_all_zero_from_a_known_price_on():
    X, y = problem(3)
    X0 = X - X.mean(0)
    least = float((X0.T @ (y - y.mean()) / len(X)).abs().max())
    assert int((reg.lasso(X, y, least * 1.0001).w != 0).sum()) == 0
    assert int((reg.lasso(X, y, least * 0.99).w != 0).sum()) == 1


def test_the_order_of_entry_that_efron_and_colleagues_printed():
    X, y = diabetes()
    path = torch.stack([reg.lasso(X, y, 10**k).w for k in torch.linspace(1.7, 0.2, 60).tolist()])
    entered = (path != 0).double().argmax(0)
    entered[~(path != 0).any(0)] = 99
    assert (entered.argsort()[:4] + 1).tolist() == [3, 9, 4, 7]


def test_lasso_says_when_it_gives_up():
    X, y = diabetes()
    with pytest.raises(RuntimeError, match="not converged after 3 steps"):
        reg.lasso(X, y, 0.1, max_steps=3)


@given(st.floats(-5, 5), st.floats(0, 3))
def test_soft_threshold_is_the_minimum(z, t):
    w = float(reg.soft_threshold(torch.tensor(z, dtype=torch.float64), t))

    def cost(v):
        return 0.5 * (v - z) ** 2 + t * abs(v)

    for other in [0.0, z, w + 0.01, w - 0.01]:
        assert cost(w) <= cost(other) + 1e-12


@pytest.mark.parametrize(
    ("X", "y", "penalty", "message"),
    [
        (torch.zeros(3), torch.zeros(3), 1.0, r"shape \(n, D\)"),
        (torch.zeros(0, 2), torch.zeros(0), 1.0, r"shape \(n, D\)"),
        (torch.zeros(3, 2), torch.zeros(3, 1), 1.0, r"shape \(3,\)"),
        (torch.zeros(3, 2), torch.zeros(4), 1.0, r"shape \(3,\)"),
        (torch.full((3, 2), float("nan")), torch.zeros(3), 1.0, "NaN"),
        (torch.zeros(3, 2), torch.zeros(3), -0.1, "not negative, got -0.1"),
        (torch.zeros(3, 2), torch.zeros(3), float("nan"), "not negative, got nan"),
    ],
)
@pytest.mark.parametrize("method", [reg.ridge, reg.lasso])
def test_bad_problems_are_refused_with_a_reason(method, X, y, penalty, message):
    with pytest.raises(ValueError, match=message):
        method(X, y, penalty)


@pytest.mark.parametrize("options", [{"tolerance": 0.0}, {"max_steps": 0}])
def test_lasso_refuses_settings_with_which_it_cannot_end(options):
    with pytest.raises(ValueError, match="tolerance > 0 and max_steps"):
        reg.lasso(*problem(0), 0.1, **options)


@given(st.floats(0, 0.95), st.integers(0, 1000))
def test_dropout_equals_pytorch_given_the_same_mask(p, seed):
    dice = torch.Generator().manual_seed(seed)
    h = torch.randn(7, 11, generator=dice)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        theirs = F.dropout(h, p)
    assert torch.equal(reg.dropout(h, p, keep=theirs != 0), theirs)


def test_dropout_keeps_the_expectation_and_has_the_known_variance():
    h, p, n = torch.tensor([1.0, -2.0, 3.0]).double(), 0.3, 200_000
    out = reg.dropout(h.expand(n, 3), p, generator=torch.Generator().manual_seed(0))
    sd = h.abs() * (p / (1 - p)) ** 0.5
    assert bool(((out.mean(0) - h).abs() < 4 * sd / n**0.5).all())
    assert torch.allclose(out.std(0), sd, rtol=0.01)
    assert float((out == 0).double().mean()) == pytest.approx(p, abs=0.005)


def test_dropout_on_linear_inputs_is_ridge():
    X, y = diabetes()
    dice = torch.Generator().manual_seed(0)
    for p in (0.2, 0.5):
        copies = [reg.dropout(X, p, generator=dice) for _ in range(600)]
        gram = sum(Z.T @ Z for Z in copies)
        w = torch.linalg.solve(gram, sum(Z.T @ (y - y.mean()) for Z in copies))
        want = reg.ridge(X, y, p / (1 - p)).w
        assert float((w - want).abs().max() / want.abs().max()) < 0.03


def test_dropout_lets_the_slope_through_to_what_is_kept():
    h = torch.ones(2, 2, requires_grad=True)
    keep = torch.tensor([[True, False], [False, True]])
    reg.dropout(h, 0.75, keep=keep).sum().backward()
    assert torch.equal(h.grad, 4.0 * keep)


def test_dropout_of_nothing_is_the_identity():
    h = torch.randn(3, 4)
    assert torch.equal(reg.dropout(h, 0.0), h)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, float("nan")])
def test_dropout_refuses_impossible_probabilities(p):
    with pytest.raises(ValueError, match=f"got {p}"):
        reg.dropout(torch.ones(2), p)


def test_dropout_refuses_a_mask_that_would_broadcast():
    with pytest.raises(ValueError, match=r"\(2, 3\); got \(3,\)"):
        reg.dropout(torch.ones(2, 3), 0.5, keep=torch.ones(3, dtype=torch.bool))


@given(st.integers(-3, 3), st.integers(-4, 4))
def test_shift_moves_each_pixel_and_back_again(down, right):
    dice = torch.Generator().manual_seed(0)
    images = torch.rand(2, 4, 5, generator=dice)
    moved = reg.shift(images, down, right)
    for i in range(4):
        for j in range(5):
            a, b = i - down, j - right
            inside = 0 <= a < 4 and 0 <= b < 5
            want = images[:, a, b] if inside else torch.zeros(2)
            assert torch.equal(moved[:, i, j], want)
    assert images.min() > 0  # the original is untouched


@pytest.mark.parametrize(("down", "right"), [(4, 0), (0, -5)])
def test_shift_refuses_to_lose_everything(down, right):
    with pytest.raises(ValueError, match="leaves nothing of images of 4 x 5"):
        reg.shift(torch.ones(4, 5), down, right)


@given(st.integers(0, 200), st.floats(0, 1), st.integers(2, 12), st.integers(0, 99))
def test_exactly_the_share_of_labels_becomes_wrong(n, share, K, seed):
    y = torch.arange(n) % K
    noisy = reg.flip_labels(y, share, n_classes=K, seed=seed)
    assert int((noisy != y).sum()) == round(share * n)
    assert bool(((noisy >= 0) & (noisy < K)).all())
    assert torch.equal(noisy, reg.flip_labels(y, share, n_classes=K, seed=seed))


def test_wrong_labels_are_spread_evenly_over_the_wrong_classes():
    noisy = reg.flip_labels(torch.zeros(9000, dtype=torch.long), 1.0, n_classes=4, seed=0)
    counts = noisy.bincount(minlength=4)
    assert counts[0] == 0
    assert bool(((counts[1:] - 3000).abs() < 4 * (9000 * 2 / 9) ** 0.5).all())


@pytest.mark.parametrize(
    ("y", "share", "K", "message"),
    [
        (torch.zeros(3, dtype=torch.long), 1.5, 2, "between 0 and 1, got 1.5"),
        (torch.zeros(3), 0.5, 2, "whole-number labels"),
        (torch.zeros(3, 1, dtype=torch.long), 0.5, 2, "whole-number labels"),
        (torch.zeros(3, dtype=torch.long), 0.5, 1, "n_classes ≥ 2"),
        (torch.tensor([0, 3]), 0.5, 3, "between 0 and 2, got 0 to 3"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y, share, K, message):
    with pytest.raises(ValueError, match=message):
        reg.flip_labels(y, share, n_classes=K, seed=0)


@given(st.integers(2, 20), st.integers(1, 10), st.integers(0, 1000))
def test_bias_and_variance_add_up_to_the_distance_from_the_truth(S, m, seed):
    dice = torch.Generator().manual_seed(seed)
    said = torch.randn(S, m, generator=dice, dtype=torch.float64)
    truth = torch.randn(m, generator=dice, dtype=torch.float64)
    parts = reg.bias_variance(said, truth)
    assert parts.bias2 + parts.variance == pytest.approx(float((said - truth).square().mean()))


def test_variance_of_least_squares_is_the_textbook_formula():
    """At the n places of the measurements themselves it is σ²·(number of weights)/n."""
    dice = torch.Generator().manual_seed(0)
    x, sigma = torch.linspace(-1, 1, 20).double(), 0.3
    truth = 1 - 2 * x + x**3  # within reach of degree 3, so the bias is 0
    A = x[:, None] ** torch.arange(4)
    Y = truth + sigma * torch.randn(4000, 20, generator=dice, dtype=torch.float64)
    said = (A @ torch.linalg.pinv(A) @ Y.T).T
    parts = reg.bias_variance(said, truth)
    assert parts.variance == pytest.approx(sigma**2 * 4 / 20, rel=0.05)
    assert parts.bias2 < 1e-4


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        (torch.zeros(5), torch.zeros(5)),
        (torch.zeros(5, 3), torch.zeros(5)),
        (torch.zeros(1, 3), torch.zeros(3)),
    ],
)
def test_bias_variance_refuses_shapes_that_do_not_fit(said, truth):
    with pytest.raises(ValueError, match="S ≥ 2 training sets"):
        reg.bias_variance(said, truth)


@pytest.mark.parametrize("seed", range(5))
def test_l2_and_weight_decay_coincide_under_sgd_and_differ_under_adam(seed):
    """The chapter's claim, on the optimizers of PyTorch that it uses."""

    def run(optimizer_class, decoupled, weight_decay=0.1, lr=0.01):
        dice = torch.Generator().manual_seed(seed)
        w = torch.ones(20, dtype=torch.float64, requires_grad=True)
        opt = optimizer_class([w], lr=lr, weight_decay=0.0 if decoupled else weight_decay)
        for _ in range(100):
            w.grad = torch.randn(20, generator=dice, dtype=torch.float64)
            if decoupled:
                with torch.no_grad():
                    w.mul_(1 - lr * weight_decay)
            opt.step()
        return w.detach()

    sgd = run(torch.optim.SGD, True) - run(torch.optim.SGD, False)
    adam = run(torch.optim.Adam, True) - run(torch.optim.Adam, False)
    adamw = run(torch.optim.Adam, True) - run(torch.optim.AdamW, False)
    assert float(sgd.abs().max()) < 1e-12
    assert float(adam.abs().max()) > 1e-3
    assert float(adamw.abs().max()) < 1e-12
