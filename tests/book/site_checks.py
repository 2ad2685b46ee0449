"""What must hold on every page of the built book: each check returns its complaints in words.

`test_site.py` runs the checks over the book, `test_breakage.py` over pages with planted faults.
"""

import itertools
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from bs4 import BeautifulSoup, Tag

FILE_NAME = re.compile(r"\S+\.(png|svg|jpe?g|gif|webp|pdf)|[0-9a-f]{16,}", re.IGNORECASE)
TEX = re.compile(r"\$|\\[a-zA-Z]+|\\[()\[\]]|\^\{|_\{")
MARKUP = re.compile(r"`|:::|\{[\w:+-]*\}|\*\*\w|\]\(|^#+ |^%", re.MULTILINE)
# (a brace before a quotation mark opens numpydoc's list of choices, such as {"row", "col"})
FORMAT = re.compile(r"%[.\d]*[dfgs]\b|\{(?!“)[^{}\n]{1,40}\}|(?<![./\d])\d+\.\d{7,}")
BAD_NUMBER = re.compile(r"\b(nan|None|inf)\b")
# what is no prose: code and what it prints, formulas, drawings; captions under outputs are prose
NO_PROSE = "code, pre, math, svg, script, style, noscript, .highlight, .sig, .output, .headerlink"
LOADS = {
    "script": "src", "img": "src", "source": "src", "iframe": "src", "embed": "src", "video": "src",
    "audio": "src", "track": "src", "object": "data", "image": "href", "use": "href",
}  # fmt: skip
LINKS_THAT_LOAD = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect"}
FOREIGN = re.compile(r"^([a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$|<!--.*?-->", re.DOTALL | re.MULTILINE)
NAMESPACE = re.compile(r"https?://www\.w3\.org/[\w/]+")
# what only announces a term or repeats it: headings, goals, folds' titles, the words of a scrubber
ANNOUNCED = "h1, h2, h3, h4, h5, h6, summary, .goals, .badges, .dl-scrubber"
BLOCKS = "p, li, dt, dd, td, th, legend, label"
NO_QUIZ = re.compile(r"The packaged version|Review\b.*|Exercises|Summary")


@dataclass(frozen=True)
class Page:
    """A page of a built site."""

    site: Path
    name: str
    """Path below the site, such as `neuron/perceptron.html`."""

    @property
    def path(self) -> Path:
        return self.site / self.name

    @cached_property
    def html(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.html, "lxml")

    @property
    def is_chapter(self) -> bool:
        """Whether the page bears the badges of a chapter."""
        return self.soup.select_one("ul.badges") is not None

    @property
    def article(self) -> Tag:
        return self.soup.select_one("article") or self.soup.select_one("main") or self.soup

    @cached_property
    def ids(self) -> set[str]:
        return {tag["id"] for tag in self.soup.find_all(id=True)}

    def prose(self) -> Iterator[tuple[str, str]]:
        """Yield each piece of text that a reader sees as prose, with where it stands."""
        copy = BeautifulSoup(str(self.article), "lxml")
        for tag in copy.select(NO_PROSE):
            tag.replace_with(" ")
        for tag in copy.find_all(["p", "li", "dt", "dd", "td", "th", "figcaption", "summary"]):
            if not tag.find(["p", "li", "dt", "dd", "td"]):
                yield place(tag), tag.get_text()
        for heading in copy.find_all(re.compile("^h[1-6]$")):
            yield place(heading), heading.get_text()
        yield "the title", self.soup.title.get_text() if self.soup.title else ""

    def alternatives(self) -> Iterator[tuple[Tag, str]]:
        """Yield the pictures of the article with their alternative texts."""
        for tag in self.article.select("img, svg[role=img]"):
            alt = str(tag.get("alt" if tag.name == "img" else "aria-label", ""))
            yield tag, " ".join(alt.split())


def place(tag: Tag) -> str:
    """Say where an element stands: its own id, or that of the section or figure around it."""
    named = tag if tag.get("id") else tag.find_parent(id=True)
    where = f"#{named['id']}" if named else "the page"
    text = " ".join(tag.get_text().split())[:60]
    return f"<{tag.name}> in {where}" + (f" (“{text}”)" if text else "")


def structure(page: Page) -> Iterator[str]:
    """Language, title, one main heading that the title repeats."""
    html, headings = page.soup.html, page.article.find_all("h1")
    if html is None or html.get("lang") != "en-GB":
        yield "<html> has no lang=en-GB"
    title = page.soup.title.get_text() if page.soup.title else ""
    if len(headings) != 1:
        yield f"has {len(headings)} <h1>, expected 1"
        return
    words = own_words(headings[0])
    if not words or words.split()[0] not in title:
        yield f"<title> {title!r} does not name the page {words!r}"
    levels = [int(tag.name[1]) for tag in page.article.find_all(re.compile("^h[1-6]$"))]
    for before, after in itertools.pairwise(levels):
        if after > before + 1:
            yield f"an <h{after}> follows an <h{before}>: a level is left out"


def unique_ids(page: Page) -> Iterator[str]:
    """No id twice: links and labels would lead to the first."""
    counts = Counter(tag["id"] for tag in page.soup.find_all(id=True))
    for name, count in counts.items():
        if count > 1:
            yield f"the id {name!r} is given to {count} elements"
    for tag in page.soup.find_all(True):
        for attribute in ("aria-labelledby", "aria-describedby", "aria-controls", "for"):
            named = tag.get(attribute) or []
            for name in named.split() if isinstance(named, str) else named:
                if name not in counts:
                    yield f"{place(tag)}: {attribute} names {name!r}, which does not exist"


def links(page: Page, known: dict[Path, set[str]] | None = None) -> Iterator[str]:
    """Links inside the book lead to a file that exists and to a place in it."""
    known = known if known is not None else {}
    for tag in page.soup.find_all(["a", "link", "script", "img", "form"]):
        target = next((tag[name] for name in ("href", "src", "action") if tag.get(name)), "")
        if tag.name == "a" and tag.has_attr("href") and not target:
            yield f"{place(tag)}: a link without an address"
        if not target or urlsplit(target).scheme or FOREIGN.match(target):
            continue
        address, anchor = urldefrag(target)
        file = page.path.parent / unquote(address.split("?")[0]) if address else page.path
        file = (file / "index.html" if file.is_dir() else file).resolve()
        if page.site.resolve() not in file.parents:
            yield f"{place(tag)}: {target!r} leads out of the site"
        elif not file.is_file():
            yield f"{place(tag)}: {target!r} leads to a file that does not exist"
        elif anchor and file.suffix == ".html":
            if file not in known:
                known[file] = set(re.findall(r'\bid="([^"]+)"', file.read_text("utf-8")))
            # (a link such as #dataset=xor sets up the playground of the page)
            setup = "=" in anchor and "playground-app" in known[file]
            if not setup and unquote(anchor) not in known[file]:
                yield f"{place(tag)}: {target!r} leads to a place that does not exist"


def unresolved(page: Page) -> Iterator[str]:
    """References, citations and terms have become links."""
    for tag in page.article.select("span.xref, code.xref"):
        if tag.find_parent("a") is None and tag.find_parent(class_="sig") is None:
            python = {"py", "obj"} & set(tag.get("class", []))
            if not python:  # types of libraries of which no inventory is at hand
                yield f"{place(tag)}: a reference that leads nowhere"
    for where, text in page.prose():
        if re.search(r"\[\?\]|\?\?|\[[a-z]+\d{4}[a-z]?\]", text):
            yield f"{where}: an unresolved reference or citation in {text.strip()[:80]!r}"


def pictures(page: Page) -> Iterator[str]:
    """Each picture says in words what it shows."""
    for tag, alt in page.alternatives():
        figure = tag.find_parent("figure")
        caption = figure.select_one("figcaption .caption-text") if figure else None
        if not alt:
            yield f"{place(figure or tag)}: a picture without alt text"
        elif FILE_NAME.fullmatch(alt):
            yield f"{place(figure or tag)}: the alt text is a file name: {alt!r}"
        elif caption and re.findall(r"\w+", alt.lower()) == re.findall(
            r"\w+", caption.get_text().lower()
        ):
            yield f"{place(figure or tag)}: the alt text repeats the caption: {alt!r}"
        elif len(alt.split()) < 4:
            yield f"{place(figure or tag)}: the alt text says too little: {alt!r}"
        elif found := BAD_NUMBER.search(alt) or FORMAT.search(alt) or TEX.search(alt):
            yield f"{place(figure or tag)}: {found[0]!r} in the alt text {alt!r}"
    for tag in page.article.find_all("svg"):
        inside = tag.find_parent(attrs={"aria-hidden": "true"}) or tag.find_parent("svg")
        if tag.get("role") != "img" and tag.get("aria-hidden") != "true" and not inside:
            yield f"{place(tag)}: an <svg> that is neither named nor hidden"
    for tag in page.soup.find_all("img"):
        if not tag.has_attr("alt"):
            yield f"{place(tag)}: an <img> without alt"


def figures(page: Page) -> Iterator[str]:
    """Each figure is captioned, numbered, and referred to from the text of its page."""
    for tag, _ in page.alternatives():
        if tag.find_parent("figure") is None:
            yield f"{place(tag)}: a picture outside a figure"
    text_links = {
        tag["href"]
        for tag in page.article.select("a[href^='#']")
        if "headerlink" not in tag.get("class", [])
    }
    for figure in page.article.find_all("figure"):
        name, caption = figure.get("id"), figure.find("figcaption")
        if not name:
            yield f"{place(figure)}: a figure without a name"
        elif caption is None or not caption.get_text().strip("# \n"):
            yield f"figure #{name} has no caption"
        elif page.name == "index.html":
            continue
        elif caption.select_one(".caption-number") is None:
            yield f"figure #{name} has no number"
        elif f"#{name}" not in text_links:
            yield f"figure #{name} is never referred to in the text"


def leaks(page: Page) -> Iterator[str]:
    """No TeX, MyST, reST or unfilled format is left in the prose."""
    for where, text in page.prose():
        for what, pattern in {"TeX": TEX, "markup": MARKUP, "a format": FORMAT}.items():
            if found := pattern.search(text):
                yield f"{where}: {what} ({found[0]!r}) is left in the text"
    for tag in page.article.select(".math-error, .problematic, .system-message"):
        yield f"{place(tag)}: something could not be rendered"


def numbers(page: Page) -> Iterator[str]:
    """Numbers computed by the run have arrived, and are numbers."""
    for tag in page.article.select(".pasted-text"):
        text = tag.get_text().strip().strip("'\"")
        if not text or BAD_NUMBER.search(text) or re.search(r"tensor|array|\d\.\d{5,}", text):
            yield f"{place(tag.parent)}: the run inserted {text!r}"


def equations(page: Page) -> Iterator[str]:
    """Every display formula has a number and a name to refer to."""
    for tag in page.article.select(".math-block"):
        tex = tag.find("annotation")
        words = " ".join(tex.get_text().split())[:60] if tex else ""
        if not tag.get("id") or tag.select_one(".eqno") is None:
            yield f"{place(tag)}: the formula “{words}” has no number"
    for tag in page.soup.find_all("math"):
        if not tag.find("annotation"):
            yield f"{place(tag)}: a formula without its TeX"


def foreign(page: Page) -> Iterator[str]:
    """Nothing is loaded from another site."""
    for tag in page.soup.find_all(True):
        address = str(tag.get(LOADS.get(tag.name, ""), "") or tag.get("xlink:href", ""))
        if tag.name == "link" and LINKS_THAT_LOAD & set(tag.get("rel", [])):
            address = str(tag.get("href", ""))
        addresses = [address, *str(tag.get("srcset") or "").split()]
        if any(FOREIGN.match(each) for each in addresses):
            yield f"<{tag.name}> loads {address!r} from another site"
        if tag.name == "meta" and str(tag.get("http-equiv", "")).lower() == "refresh":
            yield "<meta http-equiv=refresh> sends the reader elsewhere"
    for tag in page.soup.find_all(["script", "style"]):
        yield from (f"<{tag.name}> {fault}" for fault in foreign_in_code(tag.get_text()))


def foreign_in_code(code: str) -> Iterator[str]:
    """Complain of addresses in a style sheet or script that could be loaded."""
    for found in re.finditer(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"'`)]*", bare(code)):
        yield f"names {found[0]!r} outside a comment"


def bare(code: str) -> str:
    """Remove comments and XML namespaces."""
    return NAMESPACE.sub("", COMMENT.sub("", code))


def key_terms(page: Page) -> Iterator[str]:
    """Every key term of a summary links to the glossary, as it did where it was first met."""
    for mark in page.article.find_all("strong", string=re.compile(r"^Key terms")):
        met = {tag["href"] for tag in mark.parent.find_all_previous("a", href=True)}
        paragraph = BeautifulSoup(str(mark.parent), "lxml")
        terms = paragraph.select("a[href*='#term-']")
        if not terms:
            yield f"{place(mark.parent)}: no key term links to the glossary"
        for tag in terms:
            if tag["href"] not in met:
                name = tag.get_text()
                yield f"{place(mark.parent)}: the key term {name!r} is not linked where first met"
        for tag in [*terms, *paragraph.find_all("strong")]:
            tag.decompose()
        for rest in re.split(r"[,.;]|\band\b", paragraph.get_text()):
            if rest.strip():
                yield f"{place(mark.parent)}: the key term {rest.strip()!r} is not in the glossary"
    if page.is_chapter and not page.article.find("strong", string=re.compile(r"^Key terms")):
        yield "the summary has no line “Key terms.”"


def quizzes(page: Page) -> Iterator[str]:
    """Each main section of a chapter ends in a quiz, but for the code, the work and the summary."""
    for section in page.article.select("section > section") if page.is_chapter else ():
        heading = section.find("h2", recursive=False)
        title = own_words(heading) if heading else ""
        if heading is None or NO_QUIZ.fullmatch(title):
            continue
        last = section.find_all(True, recursive=False)[-1]
        while last.name == "section":
            last = last.find_all(True, recursive=False)[-1]
        if "quiz" not in last.get("class", []):
            yield f"the section #{section.get('id')} (“{title}”) does not end in a quiz"


def own_words(tag: Tag) -> str:
    """Return the text of a heading or term without its number and the link to itself."""
    copy = BeautifulSoup(str(tag), "lxml")
    for part in copy.select(".headerlink, .section-number"):
        part.decompose()
    return " ".join(copy.get_text().split())


def machine_paths(page: Page) -> Iterator[str]:
    """The site does not tell on which machine it was built."""
    yield from private_paths(page.html)


def private_paths(text: str) -> Iterator[str]:
    """Complain of folders of this machine in a text."""
    root = Path(__file__).parents[2]
    for folder in {root, Path.home(), Path(tempfile.gettempdir()), Path("/tmp")} - {Path("/")}:
        if found := re.search(rf"(?<![\w.]){re.escape(str(folder))}/[^\s\"'<]*", text):
            yield f"{found[0]!r} is a path of the machine that built it"


CHECKS: list[Callable[[Page], Iterator[str]]] = [
    structure, unique_ids, links, unresolved, pictures, figures, leaks, numbers, equations, foreign,
    key_terms, quizzes, machine_paths,
]  # fmt: skip


# --- what must hold of the pages together ---------------------------------------------------------


def chapters(site: Path) -> list[Page]:
    """Return the chapters in the order in which the contents list them."""
    home = Page(site, "index.html")
    listed = home.soup.select("nav .toctree-l1 > a[href]")
    pages = [Page(site, urldefrag(str(tag["href"])).url) for tag in listed]
    return [page for page in pages if page.is_chapter]


def first_uses(chapters: list[Page], glossary: Page) -> Iterator[str]:
    """The paragraph in which the book first uses a term of the glossary links to its entry.

    Chapters are read in their order, with captions, exercises and quizzes, and without code,
    formulas, drawings, headings and goals. Of "multi-layer perceptron" neither "layer" nor
    "perceptron" is a use.
    """
    terms = {str(tag["id"]): own_words(tag) for tag in glossary.soup.select("dt[id^=term-]")}
    known = {form: name for name, term in terms.items() for form in forms(term)}
    longest_first = sorted(known, key=len, reverse=True)
    word = re.compile(
        rf"(?<![\w-])({'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE
    )
    met: set[str] = set()
    for page in chapters:
        for block in paragraphs(page):
            text = " ".join(block.get_text().split())
            for found in word.finditer(text):
                name = known[found[0].lower()]
                if name not in met and not block.select(f"a[href$='#{name}']"):
                    around = text[max(found.start() - 40, 0) : found.end() + 20]
                    yield (
                        f"{page.name}: the book first uses {terms[name]!r} in “…{around}…”, "
                        f"which does not link to the glossary: write {{term}}`{found[0]}` there, "
                        "and say what it is"
                    )
                met.add(name)


def paragraphs(page: Page) -> Iterator[Tag]:
    """Yield the innermost blocks of text of a page, without what is no prose or only announces."""
    copy = BeautifulSoup(str(page.article), "lxml")
    for tag in copy.select(f"{NO_PROSE}, {ANNOUNCED}"):
        tag.replace_with(" ")
    yield from (tag for tag in copy.select(BLOCKS) if not tag.select(BLOCKS))


def forms(term: str) -> set[str]:
    """Return a term in lower case, in the singular and in the plural."""
    word = term.lower()
    singular = {word[:-1]} if word.endswith("s") else set()
    plural = {f"{word[:-1]}ies"} if word.endswith("y") else {f"{word}s", f"{word}es"}
    return {word} | singular | plural
