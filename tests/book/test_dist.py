"""The offline archive: whole, checked by its sums, and always the same."""

import hashlib
import re
import subprocess
import sys
import zipfile
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r'\b(?:href|src)="([^"]*)"')

pytestmark = pytest.mark.site


def make(out: Path) -> Path:
    command = [sys.executable, str(ROOT / "tools/dist.py"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [archive] = out.iterdir()
    assert str(archive) in done.stdout
    return archive


@pytest.fixture(scope="module")
def archive(site: Path, epub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one folder of the archive."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    [top] = folder.iterdir()
    assert top.name == archive.stem
    return top


def broken_sums(folder: Path) -> list[str]:
    """Read SHA256SUMS as `sha256sum -c` does; return what does not agree."""
    listed = {}
    for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  (\S.*)", line)
        assert match, line
        listed[match[2]] = match[1]
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    del files["SHA256SUMS"]
    wrong = sorted(listed.keys() ^ files.keys())
    for name in listed.keys() & files.keys():
        if hashlib.sha256(files[name].read_bytes()).hexdigest() != listed[name]:
            wrong.append(name)
    return wrong


def dead_links(folder: Path) -> list[str]:
    """Return the relative addresses of all pages that lead to no file of the folder."""
    dead = []
    for page in sorted(folder.rglob("*.html")):
        for address in map(unescape, ADDRESS.findall(page.read_text("utf-8"))):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            target = (page.parent / unquote(parts.path)).resolve()
            if not target.is_file() or not target.is_relative_to(folder.resolve()):
                dead.append(f"{page.relative_to(folder)}: {address}")
    return dead


def test_everything_is_in_it(unpacked: Path, site: Path, epub: Path) -> None:
    version = parse_wheel_filename(next(unpacked.glob("*.whl")).name)[1]
    assert unpacked.name == f"dlcourse-book-{version}"
    for name in ("index.html", "neuron/perceptron.html", "README.txt", "LICENSE", "SHA256SUMS"):
        assert (unpacked / name).is_file(), name
    assert (unpacked / epub.name).read_bytes() == epub.read_bytes()
    for path in site.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            there = unpacked / path.relative_to(site)
            assert there.read_bytes() == path.read_bytes(), there
    for chapter in ("perceptron", "activations", "multilayer"):
        for name in (f"{chapter}.ipynb", f"{chapter}-solutions.ipynb"):
            assert (unpacked / "notebooks/neuron" / name).is_file(), name


def test_its_readme_names_what_is_there(unpacked: Path) -> None:
    words = (unpacked / "README.txt").read_text("utf-8")
    named = re.findall(r"^(\S+\.\S+|\S+/|[A-Z0-9]{9,})(?:\s|$)", words, re.MULTILINE)
    assert len(named) == 5
    for name in named:
        assert (unpacked / name).exists(), name


def test_its_wheel_holds_the_package(unpacked: Path) -> None:
    with zipfile.ZipFile(next(unpacked.glob("*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("dlcourse/")}
    sources = [p for p in (ROOT / "dlcourse").rglob("*") if p.is_file()]
    wanted = {p.relative_to(ROOT).as_posix() for p in sources if "__pycache__" not in p.parts}
    assert packed == wanted


def test_the_checksums_are_right_and_a_changed_byte_is_seen(unpacked: Path) -> None:
    assert broken_sums(unpacked) == []
    page = unpacked / "index.html"
    was = page.read_bytes()
    page.write_bytes(was + b" ")
    assert broken_sums(unpacked) == ["index.html"]
    page.write_bytes(was)


def test_every_relative_link_stays_inside(unpacked: Path, tmp_path: Path) -> None:
    assert dead_links(unpacked) == []
    (tmp_path / "page.html").write_text('<a href="gone.html"></a><a href="../x">', "utf-8")
    (tmp_path.parent / "x").touch()
    assert dead_links(tmp_path) == ["page.html: gone.html", "page.html: ../x"]


def test_notebooks_find_the_wheel(unpacked: Path) -> None:
    """They look for it beside themselves and up to two folders higher."""
    for notebook in unpacked.glob("notebooks/*/*.ipynb"):
        assert "../.." in notebook.read_text("utf-8")
        assert list((notebook.parent / "../..").glob("dlcourse-*.whl"))


def test_a_second_archive_has_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    again = make(tmp_path)
    assert again.name == archive.name
    assert again.read_bytes() == archive.read_bytes()
