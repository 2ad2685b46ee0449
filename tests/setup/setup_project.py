"""A tiny project that is set up by the real tools, with the real pip or with a fake one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))  # for the tools
PYPROJECT = """\
[build-system]
requires = []
build-backend = "fake_backend"
backend-path = ["."]

[project]
name = "fake-book"
dynamic = ["version", "dependencies", "optional-dependencies"]
"""
# Writes the page, and tells what it was asked to do.
FAKE_SPHINX = """\
import pathlib, sys
print("sphinx", *sys.argv[1:])
pathlib.Path(sys.argv[-1]).mkdir(parents=True, exist_ok=True)
pathlib.Path(sys.argv[-1], "index.html").write_text("page")
"""
# The real tools; only the virtual environment has no pip of its own (it would take seconds to
# make), and pip is the fake one.
FAKE_RUN = """\
import subprocess, sys
sys.path.insert(0, ".")
from tools import environment, run_pip

real_run, real_popen = subprocess.run, subprocess.Popen

class Popen(real_popen):
    def __init__(self, command, **options):
        if command[1:4] == ["-I", "-m", "pip"]:
            command = [command[0], "fake_pip.py", *command[4:]]
        if command[2:4] == ["-m", "venv"]:
            command = [*command, "--without-pip"]
        super().__init__(command, **options)

subprocess.Popen = Popen
sys.exit(environment.main(sys.argv[1], sys.argv[2:]))
"""


class Project:
    """A folder with a Makefile, the tools and a package; its path holds a space."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        self.ours = self.venv / "set-up"
        folder.mkdir()
        shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__py*"))
        shutil.copy(ROOT / "Makefile", folder)
        (folder / "book").mkdir()
        shutil.copy(ROOT / "book" / "Makefile", folder / "book")
        for name in ("fake_backend.py", "fake_pip.py"):
            shutil.copy(HERE / name, folder)
        (folder / "fake_run.py").write_text(FAKE_RUN, encoding="utf-8")
        (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        (folder / "requirement.txt").write_text("not-to-be-had", encoding="utf-8")
        (folder / "requirements.lock").write_text("torch==2.13.0\n", encoding="utf-8")
        (folder / "sphinx").mkdir()
        (folder / "sphinx" / "__main__.py").write_text(FAKE_SPHINX, encoding="utf-8")

    def variables(self, **changes: str) -> dict[str, str]:
        """Give an environment in which pip has no source at all and make no parent."""
        drop = ("PIP_", "MAKE", "MFLAGS", "PYTHON", "TORCH_INDEX", "CONSTRAINTS", "VIRTUAL_ENV")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
        quiet = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
        return kept | quiet | changes

    def make(self, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        changes = {"PYTHON": sys.executable} | changes
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env=self.variables(**changes),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "fake_run.py", str(self.folder), *arguments]

    def fake(self, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        """Run the set-up with the fake pip."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.variables(**changes),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *arguments: str, **changes: str) -> "subprocess.Popen[str]":
        """Start the set-up with the fake pip and do not wait for it."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.variables(**changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def calls(self) -> list[str]:
        path = self.folder / "calls.txt"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
