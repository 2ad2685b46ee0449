"""The Float64 engine against PyTorch, against finite differences, and at its limits."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from engine_in_python import batches, dropout_factors
from torch import Tensor, nn
from torch.nn import functional as F

Ask = Callable[[list[dict[str, Any]]], list[Any]]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda z: z,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
}
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared": lambda a, y: (0.5 * (a - y) ** 2).sum(1).mean(),
    "logistic": lambda a, y: F.binary_cross_entropy_with_logits(a, (y + 1) / 2),
    "softmax": F.cross_entropy,
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.003),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
}
PENALTIES = {"none": (0.0, 0.0), "l1": (0.003, 0.0), "l2": (0.0, 0.01)}
N, BATCH, UPDATES, SEED = 40, 7, 200, 5


def samples(loss: str, width: int = 3) -> tuple[Tensor, Tensor]:
    dice = torch.Generator().manual_seed(0)
    X = torch.randn(N, width, generator=dice, dtype=torch.float64)
    Y = torch.randn(N, 3 if loss == "softmax" else 1, generator=dice, dtype=torch.float64)
    if loss == "logistic":
        Y = torch.where(Y > 0, 1.0, -1.0).double()
    if loss == "softmax":
        Y = F.one_hot(Y.argmax(1), 3).double()
    return X, Y


def network(activation: str, loss: str, dropout: float = 0.0) -> dict[str, Any]:
    hidden = [{"neurons": n, "activation": activation, "dropout": dropout} for n in (5, 4)]
    output = {"neurons": 3 if loss == "softmax" else 1, "activation": "linear"}
    return {"inputs": 3, "layers": [*hidden, output], "loss": loss, "seed": SEED}


def flat(X: Tensor) -> list[float]:
    values: list[float] = X.flatten().tolist()
    return values


def case(
    make: str, spec: dict[str, Any], data: tuple[Tensor, Tensor], *calls: Any
) -> dict[str, Any]:
    X, Y = map(flat, data)
    return {"make": make, "args": [spec], "calls": [["load", "train", X, Y], *calls]}


def unpack(values: list[float], spec: dict[str, Any]) -> list[tuple[Tensor, Tensor]]:
    """Read the engine's list of parameters as (W, b) of each layer."""
    rest, read, layers = torch.tensor(values, dtype=torch.float64), spec["inputs"], []
    for layer in spec["layers"]:
        n = layer["neurons"]
        W, b, rest = rest.tensor_split([n * read, n * read + n])
        layers.append((W.reshape(n, read).clone().requires_grad_(), b.clone().requires_grad_()))
        read = n
    assert not len(rest)
    return layers


def forward(
    x: Tensor,
    layers: list[tuple[Tensor, Tensor]],
    activation: str,
    factors: list[Tensor] | None = None,
) -> Tensor:
    for k, (W, b) in enumerate(layers):
        x = F.linear(x, W, b)
        if k < len(layers) - 1:
            x = ACTIVATIONS[activation](x)
            x = x * factors[k] if factors else x
    return x


def n_samples(updates: int) -> int:
    per_epoch = -(-N // BATCH)
    return updates // per_epoch * N + updates % per_epoch * BATCH


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_all_weights_are_those_of_pytorch(ask: Ask, activation: str, loss: str) -> None:
    data, spec = samples(loss), network(activation, loss)
    ways = list(product(OPTIMIZERS, PENALTIES))
    cases = []
    for optimizer, penalty in ways:
        (l1, l2), rate = PENALTIES[penalty], OPTIMIZERS[optimizer]([torch.zeros(1)]).defaults["lr"]
        settings = {"optimizer": optimizer, "learningRate": rate, "l1": l1, "l2": l2}
        settings["batchSize"] = BATCH
        cases.append(
            case("Oracle", spec, data, ["set", settings], ["getParameters"],
                 ["train", n_samples(UPDATES)], ["getParameters"], ["evaluate", "train"],
                 ["updates"])
        )  # fmt: skip
    X, Y = data
    for (optimizer, penalty), answer in zip(ways, ask(cases), strict=True):
        _, _, first, done, last, their_loss, updates = answer
        assert (done, updates) == (n_samples(UPDATES), UPDATES)
        layers = unpack(first, spec)
        step = OPTIMIZERS[optimizer]([t for layer in layers for t in layer])
        l1, l2 = PENALTIES[penalty]
        for chosen in batches(N, BATCH, UPDATES, SEED):
            step.zero_grad()
            value = LOSSES[loss](forward(X[chosen], layers, activation), Y[chosen])
            if l1 or l2:
                value = value + sum(l1 * W.abs().sum() + l2 / 2 * (W**2).sum() for W, _ in layers)
            value.backward()
            step.step()
        with torch.no_grad():
            our_loss = LOSSES[loss](forward(X, layers, activation), Y)
        assert their_loss == pytest.approx(our_loss.item(), abs=1e-9), (optimizer, penalty)
        ours = nn.utils.parameters_to_vector([t for layer in layers for t in layer])
        assert np.abs(np.array(last) - ours.detach().numpy()).max() < 1e-9, (optimizer, penalty)


def test_dropout_silences_the_neurons_that_its_description_names(ask: Ask) -> None:
    data, spec = samples("squared"), network("tanh", "squared", dropout=0.3)
    settings = {"learningRate": 0.05, "batchSize": BATCH}
    calls = [["set", settings], ["getParameters"], ["train", n_samples(50)], ["getParameters"]]
    [answer] = ask([case("Oracle", spec, data, *calls)])
    (X, Y), layers, seen = data, unpack(answer[2], spec), 0
    step = torch.optim.SGD([t for layer in layers for t in layer], lr=0.05)
    for chosen in batches(N, BATCH, 50, SEED):
        factors = [
            torch.from_numpy(dropout_factors(SEED, seen, len(chosen), first, n, 0.3))
            for first, n in ((0, 5), (5, 4))
        ]
        seen += len(chosen)
        step.zero_grad()
        LOSSES["squared"](forward(X[chosen], layers, "tanh", factors), Y[chosen]).backward()
        step.step()
    ours = nn.utils.parameters_to_vector([t for layer in layers for t in layer])
    assert np.abs(np.array(answer[4]) - ours.detach().numpy()).max() < 1e-9


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gelu"])
def test_the_gradient_is_the_slope_of_the_loss(ask: Ask, activation: str, loss: str) -> None:
    data, spec, h = samples(loss), network(activation, loss), 1e-5
    full = ["set", {"batchSize": N, "learningRate": 1.0}]
    [answer] = ask(
        [case("Oracle", spec, data, full, ["getParameters"], ["train", N], ["getParameters"])]
    )
    first, last = np.array(answer[2]), np.array(answer[4])  # a step of rate 1 is the gradient
    calls = []
    for k in range(len(first)):
        for sign in (1, -1):
            moved = first.copy()
            moved[k] += sign * h
            calls += [["setParameters", moved.tolist()], ["evaluate", "train"]]
    [answer] = ask([case("Oracle", spec, data, *calls)])
    losses = np.array(answer[2::2]).reshape(-1, 2)
    slopes = (losses[:, 0] - losses[:, 1]) / (2 * h)
    assert first - last == pytest.approx(slopes, abs=1e-9)


def test_weights_begin_as_they_should(ask: Ask) -> None:
    ways = ("zero", "uniform", "normal", "glorot", "he")
    wide = [{"neurons": 32, "activation": "relu"}] * 11
    specs = [{"inputs": 16, "layers": wide, "initialization": way, "seed": 1} for way in ways]
    answers = ask(
        [{"make": "Oracle", "args": [spec], "calls": [["getParameters"]]} for spec in specs]
    )
    layers = {way: unpack(a[0], spec) for way, a, spec in zip(ways, answers, specs, strict=True)}
    second = {way: layers[way][1][0].detach() for way in ways}
    assert not second["zero"].any()
    assert second["uniform"].abs().max() <= 0.5
    assert second["uniform"].std().item() == pytest.approx(1 / 12**0.5, rel=0.1)
    assert second["normal"].std().item() == pytest.approx(1, rel=0.1)
    assert second["glorot"].abs().max() <= (6 / 64) ** 0.5
    assert second["glorot"].std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.1)
    assert second["he"].std().item() == pytest.approx((2 / 32) ** 0.5, rel=0.1)
    for way in ways:
        assert (layers[way][1][1] == (0.1 if way == "uniform" else 0)).all()


@pytest.mark.parametrize("engine", ["Oracle", "Simd"])
def test_the_largest_network_learns(ask: Ask, engine: str) -> None:
    wide = [{"neurons": 32, "activation": "gelu"}] * 10
    spec = {"inputs": 3, "layers": [*wide, {"neurons": 1}], "initialization": "he"}
    calls = [["set", {"optimizer": "adam", "learningRate": 1e-3, "batchSize": N}],
             ["evaluate", "train"], ["train", 50 * N], ["evaluate", "train"]]  # fmt: skip
    [answer] = ask([case(engine, spec, samples("squared"), *calls)])
    assert answer[3] == 50 * N
    assert answer[4] < 0.5 * answer[2]


@pytest.mark.parametrize("engine", ["Oracle", "Simd"])
def test_divergence_is_seen_and_stops_the_training(ask: Ask, engine: str) -> None:
    spec = network("linear", "squared")
    calls = [["set", {"learningRate": 10}], ["train", 10**6], ["diverged"], ["train", 10]]
    calls += [["reset"], ["diverged"], ["set", {"learningRate": 0.01}], ["train", 1000]]
    calls += [["diverged"]]
    [answer] = ask([case(engine, spec, samples("squared"), *calls)])
    _, _, done, diverged, more, _, after, _, learnt, still = answer
    assert 0 < done < 10**6
    assert diverged
    assert more == 0
    assert (after, learnt, still) == (False, 1000, False)


@pytest.mark.parametrize("engine", ["Oracle", "Simd"])
def test_reset_brings_the_same_curve_back(ask: Ask, engine: str) -> None:
    spec = network("tanh", "squared", dropout=0.2)
    run = [["train", 1000], ["evaluate", "train"]]
    again = [["reset"], *run, ["reset", 6], *run]
    [answer] = ask(
        [case(engine, spec, samples("squared"), ["set", {"optimizer": "adam"}], *run, *again)]
    )
    assert answer[3] == answer[6]
    assert answer[9] != answer[3]


@pytest.mark.parametrize("engine", ["Oracle", "Simd"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": 0}, "inputs is a whole number from 1 to 32, not 0"),
        ({"layers": []}, "the number of layers is a whole number from 1 to 11, not 0"),
        ({"layers": [{"neurons": 33}]}, "neurons is a whole number from 1 to 32, not 33"),
        ({"layers": [{"neurons": 2.5}]}, "neurons is a whole number from 1 to 32, not 2.5"),
        ({"layers": [{"neurons": 1, "activation": "step"}]}, "activation is one of linear, relu"),
        ({"layers": [{"neurons": 1, "dropout": 1}]}, "dropout is a number from 0 to 0.99, not 1"),
        ({"loss": "hinge"}, "loss is one of squared, logistic, softmax, not hinge"),
        ({"initialization": "best"}, "initialization is one of zero, uniform"),
    ],
)
def test_a_network_that_cannot_be_is_refused(
    ask: Ask, engine: str, change: dict[str, Any], said: str
) -> None:
    spec = network("tanh", "squared") | change
    [answer] = ask([{"make": engine, "args": [spec], "calls": []}])
    assert answer["error"].startswith(f"RangeError: {said}")


@pytest.mark.parametrize("engine", ["Oracle", "Simd"])
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["set", {"optimizer": "lion"}], "optimizer is one of sgd, momentum, rmsprop, adam"),
        (["set", {"learningRate": -1}], "learningRate is a number from 0 to 1000, not -1"),
        (["set", {"l1": None, "l2": "x"}], "l2 is a number from 0 to 1000, not x"),
        (["set", {"batchSize": 0}], "batchSize is a whole number from 1 to 1048576, not 0"),
        (["load", "test", [1, 2, 3, 4], [1]], "4 inputs and 1 targets do not fit a network"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(
    ask: Ask, engine: str, call: list[Any], said: str
) -> None:
    [answer] = ask([{"make": engine, "args": [network("tanh", "squared")], "calls": [call]}])
    assert answer["error"].startswith(f"RangeError: {said}")
