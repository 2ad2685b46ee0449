"""A sweep of K networks against K single runs, and the memory it takes.

2-32-32-1 networks, batches of 32, Adam, 2 threads; the two take turns, and medians count. `make
bench` shows all of it, `python tests/benchmarks/test_sweep_speed.py` the table alone.
"""

import resource
import subprocess
import sys
from statistics import median
from time import perf_counter

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.learning import sweeps
from dlcourse.training import fit

SIZES = (1, 4, 16, 64, 256, 1024)
MEMORY_SIZES = (256, 1024, 4096)
LOSS = F.binary_cross_entropy_with_logits


def data():
    X = torch.randn(1024, 2, generator=torch.Generator().manual_seed(0))
    return X, (X[:, :1] * X[:, 1:] > 0).float()


def net(width: int = 32) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
    )


def bare_loop(X, y, n_epochs: int, width: int = 32) -> None:
    model, generator = net(width), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(n_epochs):
        order = torch.randperm(len(X), generator=generator)
        for xb, yb in zip(X[order].split(32), y[order].split(32), strict=True):
            optimizer.zero_grad()
            LOSS(model(xb), yb).backward()
            optimizer.step()


def with_fit(X, y, n_epochs: int, width: int = 32) -> None:
    fit(net(width), X, y, loss=LOSS, n_epochs=n_epochs, device="cpu", progress=False)


def sweep(X, y, K: int, n_epochs: int, width: int = 32) -> None:
    models = [net(width) for _ in range(K)]
    sweeps.train(models, X, y, loss=LOSS, seed=range(K), n_epochs=n_epochs)


def seconds(run, *arguments) -> float:
    started = perf_counter()
    run(*arguments)
    return perf_counter() - started


def compare(K: int, rounds: int, n_epochs: int = 4, width: int = 32) -> dict[str, float]:
    """Median seconds of one single run and of the sweep, and how many times faster it is.

    Eight single runs stand for K, of which each would take the same time.
    """
    X, y = data()
    times: dict[str, list[float]] = {"bare loop": [], "fit": [], "sweep": []}
    for _ in range(rounds + 1):
        times["bare loop"].append(
            median(seconds(bare_loop, X, y, n_epochs, width) for _ in range(8))
        )
        times["fit"].append(median(seconds(with_fit, X, y, n_epochs, width) for _ in range(8)))
        times["sweep"].append(seconds(sweep, X, y, K, n_epochs, width))
    told = {f"{name}, s": round(median(values[1:]), 4) for name, values in times.items()}
    for name in ("bare loop", "fit"):
        pairs = zip(times[name][1:], times["sweep"][1:], strict=True)
        told[f"{K} x {name} / sweep"] = round(median(K * one / all_ for one, all_ in pairs), 2)
    return told


@pytest.mark.parametrize("K", SIZES)
def test_a_sweep_against_single_runs(benchmark, K):
    benchmark.extra_info.update(compare(K, rounds=9))
    benchmark.pedantic(sweep, args=(*data(), K, 4), rounds=3, warmup_rounds=1)
    print(K, benchmark.extra_info)


def test_large_networks_gain_nothing(benchmark):
    benchmark.extra_info.update(compare(8, rounds=3, n_epochs=1, width=512))
    benchmark.pedantic(sweep, args=(*data(), 8, 1, 512), rounds=3)
    print("width 512", benchmark.extra_info)


def peak(K: int) -> int:
    """Bytes that training alone adds to the process at its highest, the models not counted."""
    X, y = data()
    sweep(X, y, 1, 1)  # code and caches
    models = [net() for _ in range(K)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sweeps.train(models, X, y, loss=LOSS, seed=range(K), n_epochs=1)
    return 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


def test_memory(benchmark):
    def measure() -> None:
        for K in MEMORY_SIZES:  # each in a process of its own, for a peak never falls
            command = [sys.executable, __file__, str(K)]
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            benchmark.extra_info[f"K = {K}, MB"] = round(int(run.stdout) / 1e6, 1)

    benchmark.pedantic(measure, rounds=1)
    print(benchmark.extra_info)


if __name__ == "__main__":
    torch.set_num_threads(2)
    if len(sys.argv) > 1:
        print(peak(int(sys.argv[1])))
    else:
        for size in SIZES:
            print(size, compare(size, rounds=9))
