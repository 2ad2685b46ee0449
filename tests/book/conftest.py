"""The book as an ePub, for every test that looks at it."""

import json
import os
from pathlib import Path

import pytest
from epub_book import DOCTREES, EPUB, build_epub
from filelock import FileLock


@pytest.fixture(scope="session")
def epub_build(site: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The ePub, built after the site and from its run, and what the build said."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    report = shared / "epub.json"
    with FileLock(shared / "epub.lock"):
        if not report.exists():
            for old in EPUB.glob("*.epub"):
                old.unlink()
            done = build_epub(EPUB, DOCTREES, "-E", "-j", "auto")
            report.write_text(json.dumps([done.returncode, done.stdout]), "utf-8")
    status, said = json.loads(report.read_text("utf-8"))
    if status:
        pytest.fail(f"the ePub does not build:\n{said}", pytrace=False)
    return next(EPUB.glob("*.epub")), said


@pytest.fixture(scope="session")
def epub(epub_build: tuple[Path, str]) -> Path:
    """The built ePub."""
    return epub_build[0]
