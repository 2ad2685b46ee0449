"""A changed extension reaches every page, an unchanged one costs nothing."""

import shutil
from pathlib import Path

from small_book import BOOK, CONF, build, page, write

CONF_OF_COPY = CONF + "\nextensions.append('shout')\n"
SHOUT = """
def shout(app, name, source):
    source[0] += "\\nWORD!\\n"

def setup(app):
    app.connect("source-read", shout)
    return {"parallel_read_safe": True}
"""


def test_a_changed_extension_makes_every_page_again(tmp_path: Path) -> None:
    skip = shutil.ignore_patterns("__pycache__")
    for folder in ("_ext", "_static", "_templates"):
        shutil.copytree(BOOK / folder, tmp_path / folder, ignore=skip)
    shutil.copy(BOOK / "conf.py", tmp_path / "real_conf.py")
    conf = CONF_OF_COPY.replace(f"__file__ = {str(BOOK / 'conf.py')!r}", "").replace(
        "Path(__file__).read_text", "Path(__file__).with_name('real_conf.py').read_text"
    )
    shout = tmp_path / "_ext/shout.py"
    shout.write_text(SHOUT.replace("WORD", "first"), "utf-8")
    source = write(tmp_path, {"conf.py": conf, "one.md": "# One\n\nText.\n"})
    for word in ("first", "second"):
        shout.write_text(SHOUT.replace("WORD", word), "utf-8")
        done = build(source)
        assert done.returncode == 0, done.stderr
        assert f"{word}!" in page(source, "one.html")
    (written,) = source.rglob("one.html")
    before = written.stat().st_mtime_ns
    assert build(source).returncode == 0
    assert written.stat().st_mtime_ns == before
