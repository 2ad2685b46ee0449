"""Backpropagation against PyTorch, finite differences, published digits and counted operations."""

import inspect
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcourse.learning import backpropagation
from dlcourse.learning.backpropagation import Value, check_gradients, mlp_gradients, operations

UNARY = ("tanh", "sigmoid", "exp", "relu", "neg", "cube", "log1", "inverse", "affine")
BINARY = ("+", "-", "*", "/")


def apply(op, a, b):
    """One operation for Values and for tensors alike."""
    if op in UNARY:
        return {
            "tanh": lambda: a.tanh(),
            "sigmoid": lambda: a.sigmoid(),
            "exp": lambda: a.tanh().exp(),
            "relu": lambda: a.relu(),
            "neg": lambda: -a,
            "cube": lambda: a.tanh() ** 3,
            "log1": lambda: (a * a + 1.0).log(),
            "inverse": lambda: 1.0 / (2.0 + a.tanh()),
            "affine": lambda: 3.0 - 0.5 * a,
        }[op]()
    if op == "/":
        return a / (b * b + 1.0)
    return {"+": a + b, "-": a - b, "*": a * b}[op]


@st.composite
def programs(draw):
    """Random straight-line programs: every line may use any earlier result, also twice."""
    leaves = draw(st.lists(st.floats(-2, 2), min_size=1, max_size=4))
    lines = []
    for k in range(draw(st.integers(1, 25))):
        earlier = st.integers(0, len(leaves) + k - 1)
        lines.append((draw(st.sampled_from(UNARY + BINARY)), draw(earlier), draw(earlier)))
    return leaves, lines


def run(numbers, lines):
    results = list(numbers)
    for op, i, j in lines:
        results.append(apply(op, results[i], results[j]).tanh())  # tanh keeps the numbers small
    total = results[0]
    for each in results[1:]:
        total = total + each
    return total


@settings(max_examples=200)
@given(programs())
def test_random_expression_graphs_agree_with_pytorch(program):
    leaves, lines = program
    ours = [Value(x) for x in leaves]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in leaves]
    a, b = run(ours, lines), run(theirs, lines)
    a.backward()
    b.backward()
    assert a.data == pytest.approx(b.item(), rel=1e-12, abs=1e-12)
    for mine, tensor in zip(ours, theirs, strict=True):
        assert mine.grad == pytest.approx(tensor.grad.item(), rel=1e-9, abs=1e-11)


@settings(max_examples=100)
@given(programs())
def test_no_graph_costs_more_than_five_operations_a_node(program):
    leaves, lines = program
    forward, back = operations(run([Value(x) for x in leaves], lines))
    assert 2 * forward <= back <= 4 * forward


class Counted(float):
    """A number that counts what is done with it, to check the count of `operations`."""

    done = 0

    def _counting(name):
        def method(self, *other):
            Counted.done += 1
            return Counted(getattr(float, name)(self, *other))

        return method

    __add__, __radd__ = _counting("__add__"), _counting("__radd__")
    __sub__, __rsub__ = _counting("__sub__"), _counting("__rsub__")
    __mul__, __rmul__ = _counting("__mul__"), _counting("__rmul__")
    __truediv__, __rtruediv__ = _counting("__truediv__"), _counting("__rtruediv__")
    __pow__ = _counting("__pow__")


class CountingMath:
    """Of the functions, each call is one operation."""

    inf, isfinite = math.inf, math.isfinite

    def __getattr__(self, name):
        def function(x):
            Counted.done += 1
            return Counted(getattr(math, name)(x))

        return function


@pytest.mark.parametrize("op", ["+", "*", "**", "exp", "log", "tanh"])
def test_operations_counts_what_is_really_done(op, monkeypatch):
    monkeypatch.setattr(backpropagation, "math", CountingMath())
    monkeypatch.setattr(backpropagation, "_checked", lambda data, *_: Counted(data), raising=True)
    a, b = Value(0.7), Value(1.3)
    Counted.done = 0
    result = {
        "+": lambda: a + b,
        "*": lambda: a * b,
        "**": lambda: a**3,
        "exp": lambda: a.exp(),
        "log": lambda: a.log(),
        "tanh": lambda: a.tanh(),
    }[op]()
    order = backpropagation._in_order(result)
    for node in order:
        node.grad = Counted(0.0)
    result.grad = Counted(1.0)
    for node in order:
        for source, slope in node.arrows:
            source.grad += Counted(slope) * node.grad
    assert Counted.done == sum(operations(result))


def test_a_reused_number_collects_from_all_its_uses():
    x = Value(2.0)
    for _ in range(30):  # 2^30 ways back, but only 60 arrows
        x_next = x + x
        x = x_next
    x.backward()
    leaf = x
    while leaf.arrows:
        leaf = leaf.arrows[0][0]
    assert leaf.grad == 2.0**30


@pytest.mark.parametrize("depth", [100_000])
def test_deep_graphs_hit_no_recursion_limit(depth):
    w = Value(1.0)
    x = w
    for _ in range(depth):
        x = x + 1e-3
    x.backward()
    assert w.grad == 1.0
    del x  # freeing the chain must not overflow the stack either


def test_backward_starts_afresh_each_time():
    w = Value(3.0)
    loss = w * w
    loss.backward()
    loss.backward()
    assert w.grad == 6.0


def test_augmented_assignment_makes_a_new_number_and_no_cycle():
    a = Value(2.0)
    b = a
    b += a
    b *= b
    b.backward()
    assert b is not a
    assert (b.data, a.grad) == (16.0, 16.0)


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_a_forced_cycle_is_reported(behind):
    a = Value(1.0)
    b = a * 2.0
    c = b + 1.0
    a.arrows = ((c, 1.0),)
    result = c
    for _ in range(behind):
        result = result.tanh()
    with pytest.raises(ValueError, match="depends on itself"):
        result.backward()
    a.arrows = ()


@pytest.mark.parametrize(
    ("broken", "error", "message"),
    [
        (lambda: Value("3"), TypeError, "one real number, got '3'"),
        (lambda: Value(torch.tensor(3.0)), TypeError, "item"),
        (lambda: Value(float("nan")), ValueError, "finite number, but got nan"),
        (lambda: Value(1e200) * Value(1e200), ValueError, r"“\*” of \[1e\+200, 1e\+200\] gave inf"),
        (lambda: Value(1000.0).exp(), ValueError, "“exp”"),
        (lambda: Value(-1.0).log(), ValueError, "above 0, got -1"),
        (lambda: Value(0.0) ** -1, ValueError, r"0\.0 \*\* -1"),
        (lambda: Value(0.0) ** 0.5, ValueError, "slope"),
        (lambda: Value(-1.0) ** 0.5, TypeError, "real number"),
        (lambda: Value(1.0) ** Value(2.0), TypeError, "plain number"),
        (lambda: Value(1e200) ** 2, ValueError, "finite"),
        (lambda: Value(1.0) / Value(0.0), ValueError, "finite"),
    ],
)
def test_what_is_no_number_is_refused_where_it_arises(broken, error, message):
    with pytest.raises(error, match=message):
        broken()


def test_a_derivative_that_overflows_is_reported():
    x = Value(0.0)
    y = x * 1e200 * 1e200
    with pytest.raises(ValueError, match="derivative grew"):
        y.backward()


@pytest.mark.parametrize("z", [-1000.0, -30.0, 0.0, 30.0, 1000.0])
def test_sigmoid_is_right_at_both_ends(z):
    x = Value(z)
    x.sigmoid().backward()
    t = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    torch.sigmoid(t).backward()
    assert x.sigmoid().data == pytest.approx(torch.sigmoid(t).item(), abs=1e-300)
    assert x.grad == pytest.approx(t.grad.item(), abs=1e-15)


def test_zero_has_the_slopes_that_pytorch_gives_it():
    for power in (0, 1, 2):
        x, t = Value(0.0), torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
        (x**power).backward()
        (t**power).backward()
        assert x.grad == t.grad.item()
    x = Value(0.0)
    x.relu().backward()
    assert x.grad == 0.0


def test_the_engine_is_small():
    lines = inspect.getsource(Value).rstrip().splitlines()
    assert len(lines) <= 120


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def test_the_worked_example():
    w1, w2 = Value(0.35), Value(0.40)
    y_hat = (0.50 * w1 + 0.51 * w2).sigmoid()
    loss = 0.5 * (0.10 - y_hat) ** 2
    loss.backward()
    assert (round(y_hat.data, 4), round(loss.data, 4)) == (0.5936, 0.1218)
    assert round(y_hat.grad, 4) == 0.4936
    assert (round(w1.grad, 4), round(w2.grad, 4)) == (0.0595, 0.0607)
    assert round(w1.data - w1.grad, 4) == 0.2905


def mazur():
    """The 2-2-2 network of Matt Mazur's example of 17 March 2015."""
    return [Value(w) for w in (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55)]


def mazur_loss(w):
    h1 = (w[0] * 0.05 + w[1] * 0.10 + 0.35).sigmoid()
    h2 = (w[2] * 0.05 + w[3] * 0.10 + 0.35).sigmoid()
    o1 = (w[4] * h1 + w[5] * h2 + 0.60).sigmoid()
    o2 = (w[6] * h1 + w[7] * h2 + 0.60).sigmoid()
    return o1, o2, 0.5 * (0.01 - o1) ** 2 + 0.5 * (0.99 - o2) ** 2


def test_mazurs_digits():
    w = mazur()
    o1, o2, loss = mazur_loss(w)
    assert round(loss.data, 9) == 0.298371109
    assert (round(o1.data, 8), round(o2.data, 9)) == (0.75136507, 0.772928465)
    loss.backward()
    for each in w:
        each.data -= 0.5 * each.grad
    printed = ["0.149780716", "0.19956143", "0.24975114", "0.29950229"]
    printed += ["0.35891648", "0.408666186", "0.511301270", "0.561370121"]
    for each, digits in zip(w, printed, strict=True):
        assert f"{each.data:.{len(digits) - 2}f}" == digits
    assert round(mazur_loss(w)[2].data, 9) == 0.291027774  # he prints …924: see the chapter


def random_network(sizes, seed, n=7):
    dice = torch.Generator().manual_seed(seed)
    layers = [
        (
            torch.randn(a, b, generator=dice, dtype=torch.float64) / a**0.5,
            torch.randn(b, generator=dice, dtype=torch.float64) / 2,
        )
        for a, b in itertools.pairwise(sizes)
    ]
    X = torch.randn(n, sizes[0], generator=dice, dtype=torch.float64)
    return X, torch.randint(0, sizes[-1], (n,), generator=dice), layers


def autograd(X, y, layers, g):
    leaves = [t.clone().requires_grad_() for layer in layers for t in layer]
    h = X
    for k in range(0, len(leaves), 2):
        z = h @ leaves[k] + leaves[k + 1]
        h = g(z)
    loss = torch.nn.functional.cross_entropy(z, y)
    return loss, torch.autograd.grad(loss, leaves)


ACTIVATIONS = {
    "tanh": (torch.tanh, None),
    "sigmoid": (torch.sigmoid, lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
    "relu": (torch.relu, lambda z: (z > 0).to(z.dtype)),
}


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    seed=st.integers(0, 10_000),
    n=st.integers(1, 9),
    name=st.sampled_from(sorted(ACTIVATIONS)),
)
def test_layers_agree_with_autograd_at_any_depth(sizes, seed, n, name):
    X, y, layers = random_network(sizes, seed, n)
    g, d_g = ACTIVATIONS[name]
    loss, ours = mlp_gradients(X, y, layers, activation=g, derivative=d_g)
    their_loss, theirs = autograd(X, y, layers, g)
    assert torch.allclose(loss, their_loss, rtol=1e-12, atol=1e-12)
    flat = [t for layer in ours for t in layer]
    for mine, other in zip(flat, theirs, strict=True):
        assert mine.shape == other.shape
        assert torch.allclose(mine, other, rtol=1e-10, atol=1e-12)


def test_layers_agree_with_the_scalar_engine():
    X, y, layers = random_network([3, 4, 2], seed=5, n=1)
    loss, ours = mlp_gradients(X, y, layers)
    numbers = [[[Value(v) for v in row] for row in (*W.tolist(), b.tolist())] for W, b in layers]
    h = [Value(v) for v in X[0].tolist()]
    for k, rows in enumerate(numbers):
        z = [
            sum((h[i] * rows[i][j] for i in range(len(h))), rows[-1][j])
            for j in range(len(rows[-1]))
        ]
        h = [each.tanh() for each in z] if k == 0 else z
    result = (h[0].exp() + h[1].exp()).log() - h[int(y[0])]
    result.backward()
    assert result.data == pytest.approx(loss.item(), rel=1e-12)
    for (dW, db), rows in zip(ours, numbers, strict=True):
        grads = torch.tensor([[v.grad for v in row] for row in rows], dtype=torch.float64)
        assert torch.allclose(grads, torch.cat([dW, db[None]]), rtol=1e-10, atol=1e-14)


def test_two_examples_weigh_half_each():
    X, y, layers = random_network([3, 4, 2], seed=6, n=2)
    _, both = mlp_gradients(X, y, layers)
    singles = [mlp_gradients(X[i : i + 1], y[i : i + 1], layers)[1] for i in range(2)]
    for k, (dW, db) in enumerate(both):
        assert torch.allclose(dW, (singles[0][k][0] + singles[1][k][0]) / 2)
        assert torch.allclose(db, (singles[0][k][1] + singles[1][k][1]) / 2)


GOOD = random_network([3, 4, 2], seed=1, n=4)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y, s: (X[0], y, s), ValueError, r"\(n, D\)"),
        (lambda X, y, s: (X[:0], y[:0], s), ValueError, "n ≥ 1"),
        (lambda X, y, s: (X, y[:, None], s), ValueError, r"\(4, 1\)"),
        (lambda X, y, s: (X, y.double(), s), TypeError, "int64; got torch.float64"),
        (lambda X, y, s: (X, y + 1, s), ValueError, "labels lie from 0 to 1; got labels from"),
        (lambda X, y, s: (X, y - 2, s), ValueError, "from -"),
        (lambda X, y, s: (X, y, []), ValueError, "at least one layer"),
        (lambda X, y, s: (X, y, s[1:]), ValueError, r"layer 1 gets 3 numbers .* got \(4, 2\)"),
        (lambda X, y, s: (X, y, [s[0], (s[1][0], s[1][1][:1])]), ValueError, "layer 2 gets 4"),
        (lambda X, y, s: (X * math.nan, y, s), ValueError, "the loss is nan"),
    ],
)
def test_bad_networks_are_refused_with_a_reason(change, error, message):
    with pytest.raises(error, match=message):
        mlp_gradients(*change(*GOOD))


def test_an_activation_needs_its_own_derivative():
    with pytest.raises(ValueError, match="derivative of your activation"):
        mlp_gradients(*GOOD, activation=torch.relu)


def checked(change=None, **settings):
    """Check the gradients of a small network, after a change to them."""
    X, y, layers = random_network([5, 4, 3], seed=3)
    names = ("W1", "b1", "W2", "b2")
    parameters = dict(zip(names, (t for layer in layers for t in layer), strict=True))
    gradients = dict(
        zip(names, (t for layer in mlp_gradients(X, y, layers)[1] for t in layer), strict=True)
    )
    if change is not None:
        change(gradients, layers)
    before = {name: w.clone() for name, w in parameters.items()}
    report = check_gradients(
        lambda: mlp_gradients(X, y, layers)[0], parameters, gradients, **settings
    )
    assert all(torch.equal(before[name], w) for name, w in parameters.items()), "put back"
    return report


def test_right_gradients_pass():
    report = checked()
    assert report.ok
    assert str(report) == "all 39 derivatives agree with their measurement"


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize(
    "bug", [lambda g: -g, lambda g: 1.01 * g, lambda g: g * 0, lambda g: g + 1]
)
def test_a_planted_bug_in_one_weight_is_found_by_name_and_place(name, bug):
    place = (2, 1) if name.startswith("W") else (1,)

    def plant(gradients, _):
        gradients[name][place] = bug(gradients[name][place])

    report = checked(plant)
    assert not report.ok
    assert {key: places for key, places in report.wrong.items() if places} == {name: [place]}
    assert (report.name, report.index) == (name, place)
    label = ", ".join(map(str, place))
    assert f"{name}: 1 of {report.n_checked[name]} wrong" in str(report)
    assert f"worst at {name}[{label}]: yours {report.given:.6g}" in str(report)


def test_a_bug_that_is_not_a_number_is_found():
    def plant(gradients, _):
        gradients["b2"][0] = math.nan

    report = checked(plant)
    assert (report.name, report.index) == ("b2", (0,))
    assert not report.ok


def test_rounding_at_the_bottom_of_a_valley_is_no_bug():
    w = torch.zeros(3, dtype=torch.float64)
    assert check_gradients(lambda: (w**2).sum() + 1e6, {"w": w}, {"w": 2 * w}).ok


@pytest.mark.parametrize(
    ("parameters", "gradients", "settings", "error", "message"),
    [
        ({}, {}, {}, ValueError, "at least one"),
        ({"w": torch.ones(2).double()}, {"v": torch.ones(2)}, {}, ValueError, "same names"),
        ({"w": torch.ones(2)}, {"w": torch.ones(2)}, {}, TypeError, "single precision"),
        ({"w": torch.ones(2).double()}, {"w": torch.ones(2, 1)}, {}, ValueError, r"\(2,\)"),
        (
            {"w": torch.ones(2).double()},
            {"w": torch.ones(2)},
            {"step": 0.0},
            ValueError,
            "positive",
        ),
        (
            {"w": torch.ones(2).double()},
            {"w": torch.ones(2)},
            {"tolerance": math.nan},
            ValueError,
            "positive",
        ),
    ],
)
def test_bad_comparisons_are_refused(parameters, gradients, settings, error, message):
    with pytest.raises(error, match=message):
        check_gradients(lambda: torch.tensor(1.0), parameters, gradients, **settings)


def test_a_loss_that_throws_dice_is_refused():
    w = torch.ones(2, dtype=torch.float64)
    with pytest.raises(ValueError, match="changes from call to call"):
        check_gradients(lambda: (w * torch.rand(2)).sum(), {"w": w}, {"w": torch.ones(2)})


def test_a_loss_that_is_not_finite_is_refused():
    w = torch.ones(2, dtype=torch.float64)
    with pytest.raises(ValueError, match="finite number, got nan"):
        check_gradients(lambda: (w * math.nan).sum(), {"w": w}, {"w": torch.ones(2)})
