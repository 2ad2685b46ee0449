"""Write `requirements.lock`: what the ranges in `pyproject.toml` resolve to today (`make lock`).

pip resolves in a throw-away virtual environment and installs nothing into it. Run it with the
oldest Python that the book supports: what it picks then holds for the newer ones too.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)
# The newest PyTorch with a CPU build on the machines that test this book.
TORCH = "torch==2.13.0"

HEADER = """\
# The exact versions that the book is built and tested with: a pip constraints file, not a list to
# install (pip install -c requirements.lock -e ".[book,test]"). Written by `make lock`: change the
# ranges in pyproject.toml, not this file. It holds for Python 3.11 to 3.13. PyTorch stands without
# a local suffix, so that a CPU build and a CUDA build both fit.
"""


def resolve() -> list[str]:
    """Give `name==version` for everything that the package, its extras and its build need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = ",".join(project["project"]["optional-dependencies"])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(Path(folder) / "bin" / "python"), "-I", "-m", "pip", "install"]
        report = Path(folder) / "report.json"
        wanted = [TORCH, *project["build-system"]["requires"], "-e", f".[{extras}]"]
        subprocess.run([*pip, "--upgrade", "--quiet", "pip"], check=True)
        dry = [*pip, "--dry-run", "--ignore-installed", "--report", str(report), *wanted]
        subprocess.run(dry, check=True, cwd=ROOT)
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = {item["metadata"]["name"]: item["metadata"]["version"] for item in installs}
    found.pop(project["project"]["name"], None)
    return sorted(
        (f"{name}=={re.sub('[+].*', '', version)}" for name, version in found.items()),
        key=str.lower,
    )


def main() -> None:
    if sys.version_info[:2] != OLDEST:
        wanted = "python{}.{}".format(*OLDEST)
        raise SystemExit(f"The lock is made with the oldest Python: make lock PYTHON={wanted}")
    try:
        pins = resolve()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"requirements.lock is unchanged: pip failed ({error})") from None
    LOCK.write_text(HEADER + "\n".join(pins) + "\n", encoding="utf-8")
    print(f"{LOCK}: {len(pins)} packages")


if __name__ == "__main__":
    main()
