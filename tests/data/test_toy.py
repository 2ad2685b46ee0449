import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_moons

from dlcourse.data import toy

PROBLEMS = [
    toy.two_gaussians(),
    toy.xor(),
    toy.circles(),
    toy.moons(),
    toy.spirals(),
    toy.spirals(n_classes=3, turns=4),
]
every_problem = pytest.mark.parametrize(
    "problem", PROBLEMS, ids=lambda p: f"{p.name} {p.n_classes}"
)


def normal_cdf(z):
    return math.erfc(-z / math.sqrt(2)) / 2


def grid_over(problem, *, step):
    nodes = torch.cat([problem.centres(k, torch.linspace(0, 1, 999)) for k in range(2)])
    reach = float(nodes.abs().max()) + 7 * problem.noise
    u = torch.arange(-reach, reach, step, dtype=torch.float64)
    return torch.cartesian_prod(u, u)


@every_problem
def test_densities_integrate_to_one(problem):
    step = problem.noise / 3
    totals = problem.log_density(grid_over(problem, step=step)).exp().sum(0) * step**2
    torch.testing.assert_close(totals, torch.ones(problem.n_classes).double(), atol=1e-6, rtol=0)


@every_problem
def test_log_density_agrees_with_a_plain_average_along_the_curve(problem):
    X, _ = problem.sample(40, seed=0)
    t = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    for k in range(problem.n_classes):
        squared = torch.cdist(X.double(), problem.centres(k, t).double()).square()
        gaussians = -squared / (2 * problem.noise**2) - math.log(2 * math.pi * problem.noise**2)
        expected = gaussians.logsumexp(1) - math.log(len(t))
        assert torch.allclose(problem.log_density(X)[:, k], expected, atol=1e-4)


@every_problem
def test_posterior_sums_to_one_and_agrees_with_the_rule(problem):
    X, _ = problem.sample(300, seed=1)
    posterior = problem.posterior(X)
    assert posterior.shape == (300, problem.n_classes)
    torch.testing.assert_close(posterior.sum(1), torch.ones(300).double())
    assert torch.equal(posterior.argmax(1), problem.bayes_rule(X))
    torch.testing.assert_close(posterior, problem.log_density(X).softmax(1))


def test_posterior_holds_far_away():
    X = torch.tensor([[1e6, 3.0], [-1e6, 3.0]])
    expected = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).double()
    torch.testing.assert_close(toy.two_gaussians().posterior(X), expected)


@every_problem
def test_bayes_accuracy_is_what_the_rule_scores(problem):
    n = 40_000
    X, y = problem.sample(n, seed=2)
    limit = problem.bayes_accuracy()
    scored = float((problem.bayes_rule(X) == y).double().mean())
    assert abs(scored - limit) < 4 * math.sqrt(limit * (1 - limit) / n)


@pytest.mark.parametrize("distance", [0.0, 0.1, 1.0, 2.0, 4.0, 7.0, 30.0])
def test_two_gaussians_have_the_closed_form(distance):
    problem = toy.two_gaussians(distance=distance, noise=0.9)
    assert problem.bayes_accuracy() == pytest.approx(normal_cdf(distance / 1.8), abs=1e-4)


@pytest.mark.parametrize("noise", [0.05, 0.45, 1.0, 3.0])
def test_xor_has_the_closed_form(noise):
    astray = normal_cdf(-1 / noise)  # either coordinate may change its sign, or both
    expected = (1 - astray) ** 2 + astray**2
    assert toy.xor(noise=noise).bayes_accuracy() == pytest.approx(expected, abs=1e-4)


@every_problem
def test_default_limits_leave_something_to_lose(problem):
    if problem.name == "spirals" and problem.n_classes == 3:
        assert 1 / 3 < problem.bayes_accuracy() < 1
    else:
        assert 0.95 < problem.bayes_accuracy() < 0.995


@given(st.floats(0.02, 2.0))
@settings(max_examples=15, deadline=None)
def test_more_noise_never_helps(noise):
    less, more = (toy.moons(noise=s).bayes_accuracy() for s in (noise, 1.1 * noise))
    assert 0.5 <= more <= less + 2e-4
    assert less <= 1


@every_problem
def test_no_other_rule_beats_the_bayes_rule(problem):
    X, y = problem.sample(30_000, seed=3)
    best = float((problem.bayes_rule(X) == y).double().mean())
    t = torch.linspace(0, 1, 200, dtype=torch.float64)
    curves = torch.stack([problem.centres(k, t).double() for k in range(problem.n_classes)])
    means = torch.stack([X[y == k].mean(0) for k in range(problem.n_classes)])
    nearest_curve = torch.stack([torch.cdist(X.double(), c).amin(1) for c in curves]).argmin(0)
    for other in (torch.cdist(X, means).argmin(1), nearest_curve, (X[:, 0] > 0).long()):
        assert float((other == y).double().mean()) <= best + 0.003


def test_moons_lie_as_in_scikit_learn():
    X, y = make_moons(200, shuffle=False)
    for k in range(2):
        expected = torch.as_tensor(X[y == k])
        t = torch.linspace(0, 1, 100, dtype=torch.float64)
        torch.testing.assert_close(toy.moons().centres(k, t), expected)


@given(st.integers(1, 200), st.integers(0, 2**40), st.sampled_from(PROBLEMS))
@settings(deadline=None)
def test_samples_are_balanced_and_typed(n, seed, problem):
    X, y = problem.sample(n, seed=seed)
    assert X.shape == (n, 2)
    assert X.dtype == torch.float32
    assert y.dtype == torch.int64
    counts = y.bincount(minlength=problem.n_classes)
    assert len(counts) == problem.n_classes
    assert int(counts.max() - counts.min()) <= 1


@every_problem
def test_samples_follow_their_seed_and_leave_the_global_state_alone(problem):
    before = torch.random.get_rng_state()
    first, again, other = (problem.sample(50, seed=s) for s in (7, 7, 8))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(1)
    assert all(map(torch.equal, first, again))
    assert all(map(torch.equal, first, problem.sample(50, seed=7)))
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[1], first[1].sort().values)


def test_a_curve_of_your_own():
    def centres(k, t):
        return torch.stack([3 * t, torch.full_like(t, 2.0 * k)], dim=1)

    problem = toy.Problem("two bars", centres, 3, 0.5)
    # Across the bars, the outer classes err on one side and the middle one on both.
    expected = 1 - 4 * normal_cdf(-2) / 3
    assert problem.bayes_accuracy() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("noise", [0.0, -1.0, math.nan, math.inf])
def test_noise_must_be_positive(noise):
    for make in (toy.two_gaussians, toy.xor, toy.circles, toy.moons, toy.spirals):
        with pytest.raises(ValueError, match="noise"):
            make(noise=noise)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: toy.moons().sample(0, seed=0), ValueError, "n must be at least 1, got 0"),
        (lambda: toy.moons().sample(2.5, seed=0), TypeError, "n must be a whole number"),
        (lambda: toy.moons().sample(3, seed=None), TypeError, "seed must be a whole number"),
        (lambda: toy.moons().sample(3, seed=-1), ValueError, "seed"),
        (lambda: toy.moons().posterior(torch.zeros(3)), ValueError, r"shape \(n, 2\)"),
        (lambda: toy.moons().bayes_rule(torch.zeros(1, 3)), ValueError, r"\(1, 3\)"),
        (lambda: toy.moons().log_density(torch.tensor([[0, math.nan]])), ValueError, "NaN"),
        (lambda: toy.two_gaussians(distance=-1.0), ValueError, "distance"),
        (lambda: toy.circles(inner=1.5), ValueError, "inner"),
        (lambda: toy.spirals(turns=0), ValueError, "turns"),
        (lambda: toy.spirals(n_classes=1), ValueError, "n_classes"),
        (lambda: toy.circles(inner=0.999, noise=1e-3).bayes_accuracy(), ValueError, "larger noise"),
        (lambda: toy.moons(noise=1e-7).posterior(torch.zeros(1, 2)), ValueError, "larger noise"),
        (lambda: toy.boolean_inputs(0), ValueError, "n_inputs"),
        (lambda: toy.boolean_inputs(17), ValueError, "17"),
        (lambda: toy.separable(0, margin=0.1, seed=0), ValueError, "n must"),
        (lambda: toy.separable(5, margin=1.0, seed=0), ValueError, "margin"),
        (lambda: toy.separable(5, margin=-0.1, seed=0), ValueError, "margin"),
        (lambda: toy.separable(5, margin=math.nan, seed=0), ValueError, "margin"),
        (lambda: toy.separable(5, margin=0.0, radius=0.0, seed=0), ValueError, "radius"),
        (lambda: toy.separable(5, margin=0.9, dimension=100, seed=0), ValueError, "dimensions"),
        (lambda: toy.Problem("bad", lambda k, t: t, 2, 0.1).sample(4, seed=0), ValueError, "plane"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@given(
    st.integers(1, 200),
    st.floats(0, 0.5),
    st.integers(1, 6),
    st.integers(0, 1000),
    st.sampled_from([0.1, 1.0, 50.0]),
)
@settings(deadline=None)
def test_separable_points_keep_their_distance(n, share, dimension, seed, radius):
    margin = share * radius
    X, y, w = toy.separable(n, margin=margin, dimension=dimension, seed=seed, radius=radius)
    assert X.shape == (n, dimension)
    assert (X.dtype, y.dtype, w.dtype) == (torch.float32, torch.int64, torch.float32)
    height = X.double() @ w.double()
    assert bool((height.abs() >= margin).all())
    assert torch.equal(y, (height > 0).long())
    assert float(X.double().norm(dim=1).max()) <= radius
    assert float(w.norm()) == pytest.approx(1)


def test_separable_points_are_uniform_in_the_ball():
    X, y, _ = toy.separable(40_000, margin=0.0, seed=0)
    # In a disc the squared distance is uniform, and so is the direction.
    assert float((X.norm(dim=1) ** 2 < 0.25).double().mean()) == pytest.approx(0.25, abs=0.01)
    assert float(y.double().mean()) == pytest.approx(0.5, abs=0.01)
    assert float(X.mean(0).norm()) < 0.01


def test_separable_follows_its_seed():
    before = torch.random.get_rng_state()
    first, again, other = (toy.separable(9, margin=0.1, seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[0], other[0])


@given(st.integers(1, 12))
def test_boolean_inputs_count(n_inputs):
    rows = toy.boolean_inputs(n_inputs)
    numbers = [int("".join(str(int(bit)) for bit in row), 2) for row in rows.tolist()]
    assert numbers == list(range(2**n_inputs))
    assert rows.dtype == torch.float32


def test_importing_data_does_not_import_scikit_learn():
    code = "import sys, dlcourse.data; print('sklearn' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
