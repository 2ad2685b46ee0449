"""Mini-batches and step rules against PyTorch's own, closed forms and published values."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim import lr_scheduler

from dlcourse.learning import stochastic_gradient_descent as sgd
from dlcourse.training import fit

START = torch.tensor([-1.2, 1.0], dtype=torch.float64)
RULES = [sgd.sgd, sgd.momentum, sgd.nesterov, sgd.adagrad, sgd.rmsprop, sgd.adam, sgd.adamw]
LANDSCAPES = [sgd.valley, sgd.rosenbrock, sgd.beale, sgd.saddle]

rates = st.floats(1e-5, 1e-3)
betas = st.floats(0.0, 0.99)
tiny = st.floats(1e-10, 1e-4)


def agree(rule, learning_rate, make):
    """100 steps with gradients of very different sizes: each point within 1e-6 of PyTorch's.

    Both get the same gradients. Taken at each one's own place, they would let some settings grow
    a difference in the last digit until it is as large as the path.
    """
    dice = torch.Generator().manual_seed(0)
    sizes = 10 ** torch.empty(100, 1, dtype=torch.float64).uniform_(-3, 3, generator=dice)
    gradients = sizes * torch.randn(100, 2, generator=dice, dtype=torch.float64)
    w, memory, theirs = START, {}, nn.Parameter(START.clone())
    optimizer = make([theirs])
    for dw in gradients:
        w = rule(w, dw, memory, learning_rate)
        theirs.grad = dw.clone()
        optimizer.step()
        torch.testing.assert_close(w, theirs.detach(), rtol=1e-6, atol=1e-6)
    assert not torch.equal(w, START)


@given(rates)
def test_sgd_is_torchs(rate):
    agree(sgd.sgd, rate, lambda p: torch.optim.SGD(p, lr=rate))


@given(rates, betas)
def test_momentum_is_torchs(rate, beta):
    agree(
        partial(sgd.momentum, beta=beta),
        rate,
        lambda p: torch.optim.SGD(p, lr=rate, momentum=beta),
    )


@given(rates, st.floats(0.01, 0.99))
def test_nesterov_is_torchs(rate, beta):
    agree(
        partial(sgd.nesterov, beta=beta),
        rate,
        lambda p: torch.optim.SGD(p, lr=rate, momentum=beta, nesterov=True),
    )


@given(st.floats(1e-4, 1.0), tiny)
def test_adagrad_is_torchs(rate, eps):
    agree(partial(sgd.adagrad, eps=eps), rate, lambda p: torch.optim.Adagrad(p, lr=rate, eps=eps))


@given(st.floats(1e-5, 1e-2), st.floats(0.5, 0.999), tiny)
def test_rmsprop_is_torchs(rate, beta, eps):
    agree(
        partial(sgd.rmsprop, beta=beta, eps=eps),
        rate,
        lambda p: torch.optim.RMSprop(p, lr=rate, alpha=beta, eps=eps),
    )


@given(st.floats(1e-5, 1e-1), st.floats(0.0, 0.95), st.floats(0.9, 0.9999), tiny)
def test_adam_is_torchs(rate, beta1, beta2, eps):
    agree(
        partial(sgd.adam, beta1=beta1, beta2=beta2, eps=eps),
        rate,
        lambda p: torch.optim.Adam(p, lr=rate, betas=(beta1, beta2), eps=eps),
    )


@given(st.floats(1e-5, 1e-1), st.floats(0.0, 1.0), st.floats(0.0, 0.95), st.floats(0.9, 0.9999))
def test_adamw_is_torchs(rate, decay, beta1, beta2):
    agree(
        partial(sgd.adamw, weight_decay=decay, beta1=beta1, beta2=beta2),
        rate,
        lambda p: torch.optim.AdamW(p, lr=rate, weight_decay=decay, betas=(beta1, beta2)),
    )


TORCHS = {
    sgd.sgd: torch.optim.SGD,
    sgd.momentum: partial(torch.optim.SGD, momentum=0.9),
    sgd.nesterov: partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    sgd.adagrad: torch.optim.Adagrad,
    sgd.rmsprop: torch.optim.RMSprop,
    sgd.adam: torch.optim.Adam,
    sgd.adamw: torch.optim.AdamW,
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_descending_is_what_torch_does(rule, landscape):
    rate = 1e-3
    ours = sgd.descend(landscape, START, rule, rate, 100)
    w = nn.Parameter(START.clone())
    optimizer = TORCHS[rule]([w], lr=rate)
    for point in ours:
        torch.testing.assert_close(point, w.detach(), rtol=1e-6, atol=1e-6)
        optimizer.zero_grad()
        landscape(w).backward()
        optimizer.step()
    assert landscape(ours[-1]) < landscape(ours[0])


@pytest.mark.parametrize("rule", RULES)
def test_a_network_learns_the_same_as_with_torchs_optimizer(rule):
    dice = torch.Generator().manual_seed(0)
    X = torch.randn(60, 3, generator=dice, dtype=torch.float64)
    y = (X[:, 0] * X[:, 1] > 0).long()
    outputs = []
    for make in (
        lambda p: sgd.Optimizer(p, rule, 0.01),
        lambda p: TORCHS[rule](p, lr=0.01),
    ):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).double()
        before = [p.clone() for p in model.parameters()]
        fit(model, X, y, optimizer=make, n_epochs=20, batch_size=12, seed=0, device="cpu")
        assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
        outputs.append(model(X))
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-6, atol=1e-6)


def test_the_optimizer_obeys_torchs_schedulers_and_leaves_frozen_weights_alone():
    w, frozen = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    optimizer = sgd.Optimizer([w, frozen], sgd.sgd, 0.5)
    scheduler = lr_scheduler.LambdaLR(optimizer, sgd.schedule("step", 10, every=1, factor=0.5))
    for _ in range(2):
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()
        scheduler.step()
    assert w.item() == 1 - 0.5 - 0.25
    assert frozen.item() == 1


def test_the_optimizer_calls_a_closure_with_gradients_on():
    w = nn.Parameter(torch.ones(1))
    optimizer = sgd.Optimizer([w], sgd.sgd, 0.1)
    optimizer.step(lambda: w.sum().backward())
    assert w.item() == pytest.approx(0.9)


@pytest.mark.parametrize("rule", RULES)
@given(shape=st.lists(st.integers(0, 4), max_size=3), scale=st.floats(0.1, 100))
def test_rules_work_on_each_number_by_itself(rule, shape, scale):
    """A stack of problems takes the same steps as each of them alone, and w is not changed."""
    dice = torch.Generator().manual_seed(0)
    w = torch.randn(shape, generator=dice)
    gradients = [scale * torch.randn(shape, generator=dice) for _ in range(3)]
    before, memory, together = w.clone(), {}, w
    for dw in gradients:
        together = rule(together, dw, memory, 0.1)
    alone, own = w.flatten()[:1], {}
    for dw in gradients:
        alone = rule(alone, dw.flatten()[:1], own, 0.1)
    assert together.shape == w.shape
    assert torch.equal(w, before)
    torch.testing.assert_close(together.flatten()[:1], alone)


@pytest.mark.parametrize("rule", [sgd.adagrad, sgd.adam])
def test_the_first_adaptive_step_is_the_learning_rate_whatever_the_gradient(rule):
    dw = torch.tensor([1e-3, -1.0, 1e3])
    step = rule(torch.zeros(3), dw, {}, 0.1)
    torch.testing.assert_close(step, -0.1 * dw.sign(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("rate", [0.0, -0.1, math.nan, math.inf])
def test_impossible_learning_rates_are_refused(rate):
    w = torch.ones(2)
    for rule in RULES:
        with pytest.raises(ValueError, match=f"learning_rate must be positive.*got {rate}"):
            rule(w, w, {}, rate)
    with pytest.raises(ValueError, match="learning_rate must be positive"):
        sgd.Optimizer([nn.Parameter(w)], sgd.sgd, rate)
    with pytest.raises(ValueError, match="learning_rate must be positive"):
        sgd.descend(sgd.valley, w, sgd.sgd, rate, 3)


@pytest.mark.parametrize(
    ("rule", "name", "value"),
    [
        (sgd.momentum, "beta", 1.0),
        (sgd.nesterov, "beta", -0.1),
        (sgd.rmsprop, "beta", math.nan),
        (sgd.adam, "beta1", 1.5),
        (sgd.adam, "beta2", 1.0),
        (sgd.adamw, "beta1", 1.0),
        (sgd.adamw, "weight_decay", -0.01),
        (sgd.adagrad, "eps", -1e-9),
        (sgd.rmsprop, "eps", math.inf),
    ],
)
def test_impossible_settings_are_refused_by_name(rule, name, value):
    w = torch.ones(2)
    with pytest.raises(ValueError, match=f"^{name} must be at least 0.*got {value}"):
        rule(w, w, {}, 0.1, **{name: value})


@pytest.mark.parametrize("steps", [0, -1])
def test_descending_takes_steps(steps):
    with pytest.raises(ValueError, match=f"n_steps must be at least 1, got {steps}"):
        sgd.descend(sgd.valley, START, sgd.sgd, 0.01, steps)


def test_divergence_is_said_with_the_step_and_the_rate():
    with pytest.raises(FloatingPointError, match=r"at step \d+ .*learning rate 0.1 is too large"):
        sgd.descend(sgd.valley, START, sgd.sgd, 0.1, 1000)
    with pytest.raises(FloatingPointError, match=r"became nan at step 0"):
        sgd.descend(lambda w: w.sum() * math.nan, START, sgd.sgd, 0.1, 10)


def test_descent_on_a_quadratic_follows_the_closed_form():
    start = torch.tensor([2.0, -3.0], dtype=torch.float64)
    path = sgd.descend(sgd.valley, start, sgd.sgd, 0.015, 50)
    t = torch.arange(51, dtype=torch.float64)[:, None]
    curvature = torch.tensor([1.0, 100.0], dtype=torch.float64)
    torch.testing.assert_close(path, start * (1 - 0.015 * curvature) ** t)


@given(st.floats(1.0, 1e4), st.floats(1e-3, 1e3))
def test_polyaks_settings_give_all_curvatures_the_spectral_radius_root_beta(kappa, low):
    rate, beta = sgd.polyak(low, low * kappa)
    assert beta == pytest.approx(
        ((math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)) ** 2, rel=1e-9, abs=1e-12
    )
    for curvature in (low, low * kappa**0.5, low * kappa):
        step = torch.tensor([[1 + beta - rate * curvature, -beta], [1.0, 0.0]], dtype=torch.float64)
        radius = float(torch.linalg.eigvals(step).abs().max())
        # double roots at both ends of the spectrum: they are found to about √ε only
        assert radius == pytest.approx(math.sqrt(beta), abs=3e-7)


@pytest.mark.parametrize("kappa", [4.0, 100.0])
@pytest.mark.parametrize("change", [(0.97, 1), (1.03, 1), (1, 0.97), (1, 1.03)])
def test_no_other_settings_near_polyaks_are_faster(kappa, change):
    def slowest(rate, beta):
        steps = [
            torch.tensor([[1 + beta - rate * c, -beta], [1.0, 0.0]]).double()
            for c in torch.linspace(1, kappa, 101).tolist()
        ]
        return max(float(torch.linalg.eigvals(s).abs().max()) for s in steps)

    rate, beta = sgd.polyak(1.0, kappa)
    assert slowest(rate * change[0], min(beta * change[1], 0.999)) > math.sqrt(beta) + 1e-4


@pytest.mark.parametrize(("low", "high"), [(0, 1), (2, 1), (-1, 1), (math.nan, 1), (1, math.inf)])
def test_polyak_needs_positive_curvatures_in_order(low, high):
    with pytest.raises(ValueError, match="lambda_min"):
        sgd.polyak(low, high)


@given(st.integers(1, 60), st.data())
def test_minibatches_hold_every_row_once(n, data):
    batch_size = data.draw(st.integers(1, n))
    generator = torch.Generator().manual_seed(1)
    first = sgd.minibatches(n, batch_size, generator)
    second = sgd.minibatches(n, batch_size, generator)
    for batches in (first, second):
        assert sorted(torch.cat(batches).tolist()) == list(range(n))
        assert [len(b) for b in batches[:-1]] == [batch_size] * (len(batches) - 1)
        assert len(batches) == math.ceil(n / batch_size)
    if n > 20:
        assert not torch.equal(torch.cat(first), torch.cat(second))
    order = torch.randperm(n, generator=torch.Generator().manual_seed(1))
    assert torch.equal(torch.cat(first), order)


@pytest.mark.parametrize("batch_size", [0, -1, 11])
def test_impossible_batches_are_refused(batch_size):
    message = f"between 1 and the number of examples, 10; got {batch_size}"
    with pytest.raises(ValueError, match=message):
        sgd.minibatches(10, batch_size, torch.Generator())
    with pytest.raises(ValueError, match=message):
        sgd.gradient_noise(torch.randn(10, 2), batch_size)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 5])
def test_gradient_noise_is_exact_over_all_batches_of_a_small_set(batch_size):
    from itertools import combinations, product

    g = torch.randn(5, 3, generator=torch.Generator().manual_seed(2)).double()
    for batches, replacement in (
        (combinations(range(5), batch_size), False),
        (product(range(5), repeat=batch_size), True),
    ):
        means = torch.stack([g[list(rows)].mean(0) for rows in batches])
        exact = float((means - g.mean(0)).square().sum(1).mean().sqrt())
        noise = sgd.gradient_noise(g, batch_size, replacement=replacement)
        assert noise == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("shape", [(5,), (1, 3), (0, 3)])
def test_noise_needs_several_gradients(shape):
    with pytest.raises(ValueError, match=r"shape \(n, P\) with n ≥ 2"):
        sgd.gradient_noise(torch.zeros(shape), 1)


def torch_rates(make, n):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, seen = make(optimizer), []
    for _ in range(n):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


@given(st.integers(1, 80), st.integers(1, 30), st.floats(0.05, 1.0))
def test_step_and_cosine_are_torchs(n, every, factor):
    step = sgd.schedule("step", n, every=every, factor=factor)
    assert [step(t) for t in range(n)] == pytest.approx(
        torch_rates(lambda o: lr_scheduler.StepLR(o, every, factor), n), abs=1e-9
    )
    cosine = sgd.schedule("cosine", n)
    assert [cosine(t) for t in range(n)] == pytest.approx(
        torch_rates(lambda o: lr_scheduler.CosineAnnealingLR(o, n), n), abs=1e-9
    )


@given(st.integers(1, 20), st.integers(1, 40), st.sampled_from(["constant", "step", "cosine"]))
def test_warm_up_is_torchs_linear_climb_and_then_the_schedule(m, rest, name):
    ours = sgd.schedule(name, m + rest, warm_up=m)
    climb = torch_rates(lambda o: lr_scheduler.LinearLR(o, 1 / m, 1.0, max(1, m - 1)), m)
    assert [ours(t) for t in range(m)] == pytest.approx(climb, abs=1e-9)
    after = sgd.schedule(name, rest)
    assert [ours(m + t) for t in range(rest)] == [after(t) for t in range(rest)]


def test_schedules_stay_between_0_and_1_and_cosine_ends_at_0():
    cosine = sgd.schedule("cosine", 50, warm_up=10)
    assert cosine(0) == 0.1
    assert cosine(9) == cosine(10) == 1
    assert cosine(50) == cosine(1000) == pytest.approx(0)
    assert sgd.schedule("constant", 5)(1000) == 1
    assert [sgd.schedule("step", 6)(t) for t in range(0, 6, 2)] == pytest.approx([1, 0.1, 0.01])


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("cosin", {}, "unknown schedule 'cosin': choose from constant, step, cosine"),
        ("cosine", {"warm_up": 10}, "0 ≤ warm_up < n_steps, got n_steps=10, warm_up=10"),
        ("cosine", {"warm_up": -1}, "warm_up=-1"),
        ("step", {"every": 0}, "every=0"),
        ("step", {"factor": 0.0}, "factor=0.0"),
        ("step", {"factor": math.nan}, "factor=nan"),
    ],
)
def test_impossible_schedules_are_refused(name, settings, message):
    with pytest.raises(ValueError, match=message):
        sgd.schedule(name, 10, **settings)


def test_a_schedule_needs_steps():
    with pytest.raises(ValueError, match="n_steps=0"):
        sgd.schedule("constant", 0)


def test_the_range_test_raises_the_rate_stops_in_time_and_restores_the_weights():
    w = nn.Parameter(torch.ones(1))
    rates, losses = sgd.range_test(
        lambda t: 50 * w.square().sum(), torch.optim.SGD([w], lr=9.0), low=1e-4, high=10, n_steps=60
    )
    ratios = rates[1:] / rates[:-1]
    torch.testing.assert_close(ratios, ratios[:1].expand(len(ratios)))
    assert rates[0].item() == pytest.approx(1e-4)
    assert len(rates) == len(losses) < 60
    assert losses[0] == 50
    assert losses[-1] > 4 * losses.min() or not losses[-1].isfinite()
    # with a curvature of 100, exactly the steps with η > 2/100 go uphill
    uphill = losses[1:] > losses[:-1]
    assert torch.equal(uphill, rates[:-1] > 0.02)
    assert torch.equal(w, torch.ones(1))


def test_the_range_test_ends_at_a_nan():
    w = nn.Parameter(torch.ones(1))
    rates, losses = sgd.range_test(
        lambda t: w.sum() * (math.nan if t == 5 else 1), torch.optim.SGD([w], lr=1.0), high=0.1
    )
    assert len(rates) == 6
    assert losses[-1].isnan()
    with pytest.raises(ValueError, match="nan before the first step"):
        sgd.range_test(lambda t: w.sum() * math.nan, torch.optim.SGD([w], lr=1.0))
    assert w.item() == 1


@pytest.mark.parametrize(("low", "high", "n"), [(0, 1, 9), (1, 1, 9), (2, 1, 9), (0.1, 1, 1)])
def test_an_empty_range_is_refused(low, high, n):
    w = nn.Parameter(torch.ones(1))
    with pytest.raises(ValueError, match="0 < low < high and n_steps ≥ 2"):
        sgd.range_test(
            lambda t: w.sum(), torch.optim.SGD([w], lr=1.0), low=low, high=high, n_steps=n
        )


@pytest.mark.parametrize(
    ("landscape", "minima"),
    [
        (sgd.valley, [(0, 0)]),
        (sgd.rosenbrock, [(1, 1)]),
        (sgd.beale, [(3, 0.5)]),
        (sgd.saddle, [(0, 1), (0, -1)]),
    ],
)
def test_landscapes_have_their_published_minima(landscape, minima):
    for at in minima:
        w = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        J = landscape(w)
        (dw,) = torch.autograd.grad(J, w)
        assert J.item() == 0
        assert dw.abs().max() < 1e-12
    around = 3 * torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
    assert landscape(around).shape == (1000,)
    assert (landscape(around) > 0).all()


def test_published_values_of_the_landscapes():
    assert float(sgd.rosenbrock(START)) == pytest.approx(24.2)  # Moré et al., problem 1
    assert float(sgd.beale(torch.ones(2))) == pytest.approx(14.203125)  # problem 5
    eigenvalues = torch.linalg.eigvalsh(
        torch.autograd.functional.hessian(sgd.saddle, torch.zeros(2))
    )
    assert eigenvalues.tolist() == [-1, 50]
    hessian = torch.autograd.functional.hessian(sgd.valley, torch.zeros(2))
    assert torch.linalg.eigvalsh(hessian).tolist() == [1, 100]
