"""The built book, for every test that looks at it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
HTML = ROOT / "book/_build/html"
BUILD = "-m sphinx -b html -j auto -W --keep-going -d book/_build/doctrees book book/_build/html"

# before torch is imported, and for the processes that tests start: more would not help networks
# as small as these, and would fight with the other processes
os.environ.setdefault("OMP_NUM_THREADS", "2")

# A shell's background jobs ignore Ctrl-C, and so would what the tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def build_book() -> subprocess.CompletedProcess[str]:
    """Build the book as `make html` does, with the Python that runs the tests."""
    return subprocess.run(
        [sys.executable, *BUILD.split()],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built pages; whichever worker of pytest-xdist comes first builds them."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    report = shared / "build.json"
    with FileLock(shared / "build.lock"):
        if not report.exists():
            done = build_book()
            report.write_text(json.dumps([done.returncode, done.stdout]), "utf-8")
    status, said = json.loads(report.read_text("utf-8"))
    if status:
        pytest.fail(f"the book does not build:\n{said}", pytrace=False)
    return HTML


@pytest.fixture(scope="session")
def build_again() -> Callable[[], subprocess.CompletedProcess[str]]:
    """The function that builds the book, for tests of a second build."""
    return build_book
