"""Node for the playground's engine: $NODE, the PATH, or the one that comes with Playwright."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("driver.js")


def find_node() -> str:
    if found := shutil.which(os.environ.get("NODE") or "node"):
        return found
    from playwright._impl._driver import compute_driver_executable

    return str(compute_driver_executable()[0])


@pytest.fixture(scope="session")
def node() -> str:
    return find_node()


@pytest.fixture(scope="session")
def ask(node: str) -> Callable[..., list[Any]]:
    """Let Node run a list of cases, as `driver.js` describes them."""

    def run(cases: list[dict[str, Any]], **variables: str) -> list[Any]:
        done = subprocess.run(
            [node, str(DRIVER)],
            input=json.dumps(cases),
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers

    return run
