"""The ePub: sound by our own checks and by the W3C's, from the site's run, always the same."""

import re
import shutil
import zipfile
from pathlib import Path

import epub_checks
import pytest
from epub_book import build_epub
from epub_checks import MATHML, XHTML, Book
from lxml import etree

ROOT = Path(__file__).parents[2]
CHAPTERS = {
    "neuron/perceptron.xhtml": "1 The perceptron (1958)",
    "neuron/activations.xhtml": "2 Activation functions",
    "neuron/multilayer.xhtml": "3 The multi-layer perceptron (1986)",
}

pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def book(epub: Path) -> Book:
    return Book.open(epub)


def test_the_book_is_sound(book: Book, epub: Path) -> None:
    """Our own checks need nothing; the W3C's epubcheck adds its own wherever there is Java."""
    assert epub_checks.faults(book) == []
    assert epub_checks.epubcheck(epub) == []


def test_nothing_is_executed_again(epub_build: tuple[Path, str]) -> None:
    said = epub_build[1]
    assert "Using cached notebook" in said
    assert not re.search(r"^executing|^running", said, re.MULTILINE), said


def test_the_contents_list_all_chapters_by_number(book: Book) -> None:
    listed = dict(book.links())
    for page, title in CHAPTERS.items():
        assert listed[page] == title
    assert book.spine()[0] == "index.xhtml"
    order = [page for page in book.spine() if page in CHAPTERS]
    assert order == list(CHAPTERS)


def test_it_says_what_it_is(book: Book) -> None:
    package = book.package()
    said = {etree.QName(e).localname: e.text for e in package[0]}
    assert said["title"] == "Introduction to Neural Networks and Deep Learning"
    assert said["language"] == "en-GB"
    assert said["creator"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", said["identifier"])
    assert "CC BY 4.0" in said["rights"]
    assert "MIT" in said["rights"]
    for name, page in book.pages().items():
        assert page.get("lang") == "en-GB", name
        assert page.findtext(f".//{{{XHTML}}}title"), name


def test_chapters_hold_what_their_pages_hold(book: Book, site: Path) -> None:
    """As many formulas, figures and exercises as on the site, and every solution to be read."""
    for name in CHAPTERS:
        page = book.pages()[name]
        html = (site / name.replace(".xhtml", ".html")).read_text("utf-8")
        body = re.search(r"<article.*</article>", html, re.DOTALL)
        assert body, name
        for tag, space in (("math", MATHML), ("figure", XHTML)):
            found = len(list(page.iter(f"{{{space}}}{tag}")))
            assert found == len(re.findall(rf"<{tag}[\s>]", body[0])) > 5, f"{name}: {tag}"
        for word in ("exercise", "quiz"):
            boxes = page.xpath(f"//*[@class='{word}']")
            assert len(boxes) == body[0].count(f'class="{word}"') > 1, f"{name}: {word}"
        solutions = page.xpath("//*[contains(@class, 'exercise-solution')]")
        assert len(solutions) == len(page.xpath("//*[@class='exercise']"))
        assert all(etree.QName(solution).localname == "div" for solution in solutions), name


def test_scrubbers_show_their_last_frame(book: Book, site: Path) -> None:
    html = (site / "neuron/perceptron.html").read_text("utf-8")
    assert "dl-scrubber" in html
    page = book.pages()["neuron/perceptron.xhtml"]
    assert b"dl-scrubber-controls" not in book.files["neuron/perceptron.xhtml"]
    [figure] = page.xpath("//*[@id='fig-scrub-updates']")
    image = figure.find(f"{{{XHTML}}}img")
    assert image is not None
    assert len(image.get("alt").split()) > 5
    for name in CHAPTERS:
        html = (site / name.replace(".xhtml", ".html")).read_text("utf-8")
        stills = book.pages()[name].xpath("//*[@class='dl-scrubber-still']")
        assert len(stills) == html.count('class="dl-scrubber"'), name
        for still in stills:
            assert re.match(r"The last of \d+ pictures \(.+: .+\)\. On the website", still.text)
            assert etree.QName(still.getparent()).localname == "figure"


def test_what_a_script_fills_on_the_site_is_left_out(book: Book) -> None:
    page = book.pages()["reference/run-times.xhtml"]
    heads = [" ".join(th.itertext()).strip() for th in page.iter(f"{{{XHTML}}}th")]
    assert heads == ["Chapter", "Code cells", "Words", "Minutes to read"]
    assert "they stand in this table on the website" in "".join(page.itertext())


def test_figures_bring_their_own_paper(book: Book) -> None:
    """On the dark page of an e-reader, black ink needs a light ground."""
    drawings = {name: data.decode() for name, data in book.files.items() if name.endswith(".svg")}
    assert len(drawings) > 20
    for name, svg in drawings.items():
        assert "dl-backdrop" in svg or "#ffffff" in svg, name
        assert "var(--" not in svg, name
        assert "currentColor" not in svg, name


def test_dates_and_order_say_nothing_of_the_build(epub: Path) -> None:
    with zipfile.ZipFile(epub) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert entries[0].filename == "mimetype"
    assert entries[0].compress_type == zipfile.ZIP_STORED
    names = [entry.filename for entry in entries[3:]]
    assert names == sorted(names)
    assert epub.stat().st_size < 2_000_000


def test_another_build_gives_the_same_bytes(epub: Path, tmp_path: Path) -> None:
    done = build_epub(tmp_path / "epub", tmp_path / "doctrees", "-q", PYTHONHASHSEED="7")
    assert done.returncode == 0, done.stdout
    again = tmp_path / "epub" / epub.name
    one, other = Book.open(epub).files, Book.open(again).files
    assert [name for name in one if one[name] != other.get(name)] == []
    assert again.read_bytes() == epub.read_bytes()


def test_the_validator_refuses_a_broken_book(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "broken.epub"
    with zipfile.ZipFile(path, "w") as archive:
        for name in book.order:
            archive.writestr(name, book.files[name].replace(b' alt="', b' old="'))
    said = epub_checks.epubcheck(path)
    assert any("alt" in line for line in said) == (shutil.which("java") is not None), said


FAULTS = {
    "is not well-formed": (b"</body>", b"</bdy>"),
    "has the alt text ''": (b'<img alt="', b'<img alt="" data-was="'),
    "is not in the namespace of MathML": (b' xmlns="http://www.w3.org/1998/Math/MathML"', b""),
    "<script> is no matter": (b"</body>", b"<script></script></body>"),
    "loads https://example.org": (b"</body>", b'<img src="https://example.org/a.png"/></body>'),
    "elements have the id": (b"</body>", b'<p id="twin"/><p id="twin"/></body>'),
    "leads nowhere": (b"</body>", b'<a href="gone.xhtml">gone</a></body>'),
    "has no such place": (b"</body>", b'<a href="#gone">gone</a></body>'),
    "Click here.…” makes no sense": (b"</body>", b"<p>Click here.</p></body>"),
    "Move the slider to the left.…” makes": (
        b"</body>",
        b"<p>Move the slider to the left.</p></body>",
    ),
    "the manifest says": (b"</body>", b'<svg xmlns="http://www.w3.org/2000/svg"/></body>'),
}


@pytest.mark.parametrize(("fault", "planted"), FAULTS.items(), ids=list(FAULTS))
def test_planted_faults_in_a_page_are_named(
    book: Book, fault: str, planted: tuple[bytes, bytes]
) -> None:
    name = "neuron/perceptron.xhtml"
    assert planted[0] in book.files[name]
    broken = Book(book.files | {name: book.files[name].replace(*planted)}, book.order)
    assert any(fault in said and name in said for said in epub_checks.faults(broken))


def test_planted_faults_in_the_package_are_named(book: Book) -> None:
    unlisted = Book(book.files | {"extra.css": b"p { background: url(x.png) }"})
    assert "extra.css is there but not listed" in epub_checks.faults(unlisted)
    assert "extra.css loads something" in epub_checks.faults(unlisted)
    lost = Book({name: data for name, data in book.files.items() if name != "style.css"})
    assert "style.css is listed but not there" in epub_checks.faults(lost)
    first, second = re.findall(rb"<itemref[^>]*>", book.files["content.opf"])[:2]
    swapped = book.files["content.opf"].replace(first, b"@").replace(second, first)
    swapped = swapped.replace(b"@", second)
    turned = Book(book.files | {"content.opf": swapped})
    assert any(fault.startswith("the spine is") for fault in epub_checks.faults(turned))
    late = Book(book.files, sorted(book.order))
    assert "the first file is not the mimetype" in epub_checks.faults(late)
