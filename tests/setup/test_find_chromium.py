"""The browser of the tests is found, or one line says how to get one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from setup_project import ROOT


def find(folder: Path, **changes: str) -> "subprocess.CompletedProcess[str]":
    variables = {key: value for key, value in os.environ.items() if key != "CHROMIUM"}
    variables |= {"PATH": str(folder), "PLAYWRIGHT_BROWSERS_PATH": str(folder / "none")}
    variables |= {"PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:9"}  # nobody answers there
    script = ROOT / "tools" / "find_chromium.py"
    return subprocess.run(
        [sys.executable, str(script)], env=variables | changes, capture_output=True, text=True
    )


def browser(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", ["chromium", "google-chrome"])
def test_on_path(tmp_path: Path, name: str) -> None:
    path = browser(tmp_path, name)
    assert find(tmp_path).stdout == f"{path}\n"


def test_chosen(tmp_path: Path) -> None:
    browser(tmp_path, "chromium")
    mine = browser(tmp_path, "my browser")
    assert find(tmp_path, CHROMIUM=str(mine)).stdout == f"{mine}\n"


def test_chosen_but_missing(tmp_path: Path) -> None:
    done = find(tmp_path, CHROMIUM=str(tmp_path / "nothing"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be run" in done.stderr


def test_none_to_be_had(tmp_path: Path) -> None:
    done = find(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "apt-get install chromium" in done.stderr.splitlines()[-1]
