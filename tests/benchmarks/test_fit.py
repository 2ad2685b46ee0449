"""`fit` against the bare loop and against Keras on the same tensors.

The three take turns, so that a busy spell of the machine slows all of them, and medians count.
"""

import os
from statistics import median
from time import perf_counter

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.training import fit

N_EPOCHS, BATCH_SIZE, ROUNDS = 10, 32, 31


def data():
    X = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
    return X, (X[:, 0] * X[:, 1] > 0).long()


def net() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)
    )


def bare_loop(X, y) -> None:
    model, generator = net(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(N_EPOCHS):
        order = torch.randperm(len(X), generator=generator)
        for xb, yb in zip(X[order].split(BATCH_SIZE), y[order].split(BATCH_SIZE), strict=True):
            optimizer.zero_grad()
            F.cross_entropy(model(xb), yb).backward()
            optimizer.step()


def with_fit(X, y) -> None:
    fit(net(), X, y, n_epochs=N_EPOCHS, batch_size=BATCH_SIZE, device="cpu", progress=False)


def make_keras():
    os.environ["KERAS_BACKEND"] = "torch"  # read once, at the import
    import keras

    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(True))
    return lambda X, y: model.fit(X, y, batch_size=BATCH_SIZE, epochs=N_EPOCHS, verbose=0)


def seconds(run, X, y) -> float:
    started = perf_counter()
    run(X, y)
    return perf_counter() - started


def test_fit_against_the_bare_loop(benchmark):
    X, y = data()
    bare: list[float] = []
    ours: list[float] = []

    def turn() -> None:
        bare.append(seconds(bare_loop, X, y))
        ours.append(seconds(with_fit, X, y))

    benchmark.pedantic(turn, rounds=ROUNDS, warmup_rounds=2)
    benchmark.extra_info["bare loop, s"] = round(median(bare[2:]), 4)
    benchmark.extra_info["fit, s"] = round(median(ours[2:]), 4)
    ratios = [o / b for o, b in zip(ours[2:], bare[2:], strict=True)]
    benchmark.extra_info["fit / bare loop"] = round(median(ratios), 3)
    print(benchmark.extra_info)


def test_keras_against_fit(benchmark):
    X, y = data()
    keras_fit = make_keras()
    ours: list[float] = []
    keras: list[float] = []

    def turn() -> None:
        ours.append(seconds(with_fit, X, y))
        keras.append(seconds(keras_fit, X, y))

    benchmark.pedantic(turn, rounds=9, warmup_rounds=2)
    benchmark.extra_info["fit, s"] = round(median(ours[2:]), 4)
    benchmark.extra_info["Keras, s"] = round(median(keras[2:]), 4)
    ratios = [k / o for k, o in zip(keras[2:], ours[2:], strict=True)]
    benchmark.extra_info["Keras / fit"] = round(median(ratios), 1)
    print(benchmark.extra_info)
