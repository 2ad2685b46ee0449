"""Two clean builds of the book give the same bytes, wherever and however they are made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Set
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("book", "dlcourse", "requirements.lock")
# Measured seconds and memory differ from run to run; this file holds them all.
MAY_DIFFER = frozenset({"_static/run-times.js"})
# After edits, Sphinx keeps words in the search index that no page holds any more.
MAY_DIFFER_AFTER_EDITS = MAY_DIFFER | {"searchindex.js"}

pytestmark = pytest.mark.site


def build(root: Path, out: Path, *options: str, seed: str) -> None:
    """Build the book of `root`, from nothing but perhaps the outputs of its cells."""
    command = "-m sphinx -q -E -b html -W --keep-going"
    done = subprocess.run(
        [
            sys.executable,
            *command.split(),
            *options,
            "-d",
            str(out / "doctrees"),
            "book",
            str(out / "html"),
        ],
        cwd=root,
        env={**os.environ, "PYTHONHASHSEED": seed, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def first_difference(one: bytes, other: bytes) -> str:
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), -1)
    at = at if at >= 0 else min(len(one), len(other))
    start = max(0, at - 60)
    return f"at byte {at}: {one[start : at + 60]!r} and {other[start : at + 60]!r}"


def compare(one: Path, other: Path, *, but: Set[str] = MAY_DIFFER) -> None:
    first, second = contents(one), contents(other)
    faults = [f"{name} is in one build only" for name in sorted(first.keys() ^ second.keys())]
    for name in sorted(first.keys() & second.keys() - but):
        if first[name] != second[name]:
            faults.append(f"{name} differs {first_difference(first[name], second[name])}")
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def clean(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean build in one process, from the outputs that the site was made of."""
    out = tmp_path_factory.mktemp("clean")
    build(ROOT, out, "-j", "1", seed="1")
    return out / "html"


def test_a_rebuilt_site_is_that_of_a_clean_build(site: Path, clean: Path) -> None:
    compare(site, clean, but=MAY_DIFFER_AFTER_EDITS)


def test_a_copy_elsewhere_that_runs_every_cell_gives_the_same_bytes(
    clean: Path, tmp_path: Path
) -> None:
    root = tmp_path / "a copy with another name"
    for name in SOURCES:
        skip = shutil.ignore_patterns("_build", "__pycache__")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=skip)
        else:
            shutil.copy(ROOT / name, root / name)
    build(root, tmp_path / "out", "-j", "auto", seed="2")
    assert (root / "book/_build/run-times.json").is_file(), "the copy did not run its own cells"
    compare(clean, tmp_path / "out/html")
