"""`import dlcourse` costs nothing that a reader would notice."""

import subprocess
import sys

CODE = "import time; t = time.perf_counter(); import dlcourse; print(time.perf_counter() - t)"
LIMIT = 0.1  # seconds


def seconds() -> float:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_import(benchmark) -> None:
    taken = [benchmark.pedantic(seconds, rounds=1), *(seconds() for _ in range(4))]
    benchmark.extra_info["import dlcourse, seconds"] = round(min(taken), 5)
    assert min(taken) <= LIMIT
