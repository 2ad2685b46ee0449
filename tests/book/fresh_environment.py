"""An environment that holds the wheel of `dlcourse`, what it requires, and a kernel: nothing else.

Downloading PyTorch again for each run of the tests would take minutes and a network. So the
distributions that the wheel and `ipykernel` require, directly or not, are linked file by file from
the environment of the tests, where pip put the same versions; the rest of that environment, such
as Sphinx or MyST-NB, cannot be imported. The wheel itself is built, and installed by pip.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SECONDS = 600


def build_wheel(folder: Path) -> Path:
    """Build the wheel of the package, from a copy, so that nothing is left in the source."""
    source = folder / "source"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "dlcourse", source / "dlcourse", ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder)]
    done = subprocess.run(
        [*command, str(source)], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    wheels = sorted(folder.glob("dlcourse-*.whl"))
    return wheels[0] if wheels else _pack(source, folder, done.stderr)


def _pack(source: Path, folder: Path, why: str) -> Path:
    """Make the wheel by hand where its builder cannot be had, as without a network."""
    print(f"pip could not build the wheel, so the test packs it:\n{why}")
    here = importlib.metadata.distribution("dlcourse")
    info = f"dlcourse-{here.version}.dist-info"
    wheel = folder / f"dlcourse-{here.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in sorted(p for p in source.rglob("*") if p.is_file() and "dlcourse" in p.parts):
            archive.write(path, path.relative_to(source))
        archive.writestr(f"{info}/METADATA", here.read_text("METADATA"))
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tag)
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def required(*names: str) -> set[str]:
    """Return the installed distributions that these require, directly or not, and themselves."""
    found: set[str] = set()
    waiting = [(canonicalize_name(name), frozenset[str]()) for name in names]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        for line in importlib.metadata.requires(name) or []:
            wanted = Requirement(line)
            cases = [{"extra": extra} for extra in ("", *extras)]
            if wanted.marker is None or any(wanted.marker.evaluate(case) for case in cases):
                waiting.append((canonicalize_name(wanted.name), frozenset(wanted.extras)))
    return found


def link(name: str, packages: Path) -> None:
    """Show the files of an installed distribution in another folder of packages."""
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or []:
        source = Path(str(distribution.locate_file(file)))
        if ".." in file.parts or file.suffix == ".pyc" or not source.is_file():
            continue
        target = packages / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(source.resolve())


def make(folder: Path) -> Path:
    """Make the environment; return its Python."""
    wheel = build_wheel(folder)
    home = folder / "venv"
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(home)
    scheme = {"base": str(home), "platbase": str(home)}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    for name in sorted(required("dlcourse", "ipykernel") - {"dlcourse"}):
        link(name, packages)
    python = Path(sysconfig.get_path("scripts", "venv", scheme), "python")
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    install = ["install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *install], check=True, timeout=SECONDS)
    subprocess.run([*pip, "check"], check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
    return python
