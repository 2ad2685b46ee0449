"""Pack the built book for people without a network: site, notebooks, ePub, wheel (`make dist`).

The archive holds one folder. Its files are sorted and dated 1980, so the same book gives the same
bytes, and `SHA256SUMS` lets everyone check what they were given: `sha256sum -c SHA256SUMS`.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SITE = ROOT / "book" / "_build" / "html"
EPUB = ROOT / "book" / "_build" / "epub"
SUMS = "SHA256SUMS"

README = """\
Introduction to Neural Networks and Deep Learning
=================================================

Reading needs no network. Running needs Python 3.11 or newer, and PyTorch, which pip fetches
together with the wheel's other requirements unless they are installed.

index.html    the book: open it in a browser
{epub}
              the book for e-readers
notebooks/    every chapter as a Jupyter notebook, also with solutions
{wheel}
              the code of the book: pip install {wheel}
{sums}    checksums: sha256sum -c {sums}

Text and figures are under CC BY 4.0, code is under the MIT licence: see LICENSE.
"""


def build_wheel(folder: Path) -> Path:
    """Build the wheel of the package with the hatchling that is installed, without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The wheel cannot be built:\n{done.stdout}{done.stderr}")
    return next(folder.glob("*.whl"))


def built_epub(folder: Path) -> Path:
    """Return the one ePub in the folder."""
    found = sorted(folder.glob("*.epub"))
    if len(found) != 1:
        named = ", ".join(path.name for path in found) or "no ePub"
        raise SystemExit(f"{folder} should hold one ePub and has {named}: run make epub")
    return found[0]


def contents(site: Path, epub: Path, wheel: Path) -> dict[str, bytes]:
    """Return the files of the archive by their names; names that start with a dot stay behind."""
    if not (site / "index.html").is_file():
        raise SystemExit(f"There is no built book in {site}: run make html")
    files = {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    files |= {path.name: path.read_bytes() for path in (epub, wheel, ROOT / "LICENSE")}
    words = README.format(epub=epub.name, wheel=wheel.name, sums=SUMS)
    files["README.txt"] = words.encode()
    return files


def sums(files: dict[str, bytes]) -> bytes:
    """Write the checksums of all files as `sha256sum` does."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def pack(archive: Path, files: dict[str, bytes]) -> None:
    """Write the files, and their checksums, into one folder of an archive."""
    files = files | {SUMS: sums(files)}
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{archive.stem}/{name}")  # dated 1980, whenever it is made
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            target.writestr(entry, files[name], zipfile.ZIP_DEFLATED)


def main() -> None:
    """Pack what `make html` and `make epub` have built."""
    parser = argparse.ArgumentParser(description="Pack the built book into one archive.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the archive")
    out = parser.parse_args().out
    epub = built_epub(EPUB)
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder))
        version = wheel.name.split("-")[1]
        archive = out / f"dlcourse-book-{version}.zip"
        files = contents(SITE, epub, wheel)
    pack(archive, files)
    print(f"The archive: {archive} ({archive.stat().st_size / 1e6:.1f} MB, {len(files)} files)")


if __name__ == "__main__":
    main()
