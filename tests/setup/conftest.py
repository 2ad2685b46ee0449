"""Fixtures of the set-up tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from setup_project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "a clone")


@pytest.fixture
def one_line() -> Callable[[str], str]:
    """Give the only line that reports trouble, and check that there is no traceback."""

    def find(output: str) -> str:
        assert "Traceback" not in output, output
        working = ("Set-up: making", "Set-up: bringing", "make: ***", "make[", "  0:")
        lines = [line for line in output.splitlines() if line and not line.startswith(working)]
        assert len(lines) == 1, output
        return lines[0]

    return find
