"""The build of the ePub, as `make epub` does it, with the Python that runs the tests."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EPUB = ROOT / "book/_build/epub"
DOCTREES = ROOT / "book/_build/doctrees-epub"


def build_epub(
    out: Path, doctrees: Path, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Build the ePub into a folder; what Sphinx says comes back as one text."""
    command = [sys.executable, "-m", "sphinx", "-b", "epub", "-W", "--keep-going", *options]
    return subprocess.run(
        [*command, "-d", str(doctrees), "book", str(out)],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
