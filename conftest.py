"""What every test and doctest shares: figures are drawn without a screen, and closed afterwards."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # small work, and several workers beside one another
collect_ignore_glob = ["*/conftest.py"]  # not to be searched for doctests: they share a name

# The same examples in every run, and no failure because a machine is slow.
settings.register_profile("book", deadline=None, derandomize=True)
settings.load_profile("book")


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
