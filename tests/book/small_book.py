"""A small book with the real book's settings, built where a test wants it."""

import re
import subprocess
import sys
from pathlib import Path

BOOK = Path(__file__).parents[2] / "book"
sys.path.insert(0, str(BOOK / "_ext"))

CONF = f"""
from pathlib import Path
__file__ = {str(BOOK / "conf.py")!r}
exec(compile(Path(__file__).read_text(encoding="utf-8"), __file__, "exec"))
for name in ("execute", "sphinxcontrib.bibtex"):
    if name in extensions:
        extensions.remove(name)
nb_execution_mode = "off"
html_static_path = [{str(BOOK / "_static")!r}]
templates_path = [{str(BOOK / "_templates")!r}]
html_favicon = {str(BOOK / "_static" / "favicon.svg")!r}
"""

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 36" width="72pt" height="36pt">
<title>The loss falls to 0.1 by step 40, then flattens</title>
<path id="line" d="M0 0L72 36" style="stroke: #000000; fill: none"/></svg>
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write the sources of a book; the pages are listed in `index.md` unless that is given."""
    pages = [name for name in files if name.endswith(".md") and name != "index.md"]
    toctree = "\n".join(["```{toctree}", ":numbered: 1", "", *pages, "```"])
    files = {"conf.py": CONF, "index.md": f"# Home\n\nWelcome.\n\n{toctree}\n"} | files
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def build(
    source: Path, *options: str, builder: str = "html", out: str = "_build/html"
) -> subprocess.CompletedProcess[str]:
    """Run Sphinx as the Makefile does: warnings are errors."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", builder, *options]
    return subprocess.run(
        [*command, str(source), str(source / out)], capture_output=True, text=True, check=False
    )


def complaints(source: Path, **options: str) -> str:
    """Build a book that must fail, and return what it complains of, without colours."""
    done = build(source, **options)
    assert done.returncode == 1, done.stderr
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stderr)


def page(source: Path, name: str, out: str = "_build/html") -> str:
    """Read a page of a built book."""
    return (source / out / name).read_text(encoding="utf-8")
