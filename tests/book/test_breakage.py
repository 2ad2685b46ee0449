"""Every kind of breakage must stop the build or fail a gate, in words that name it.

Two small books with the real book's settings have one fault a page: one in what the cells do, which
ends a build before it reads, and one in all else. The gates see pages with one fault each.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from site_checks import CHECKS, Page, chapters, first_uses
from small_book import BOOK

ROOT = BOOK.parent
SOUND = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page named SLUG

See {numref}`fig-SLUG`, {eq}`eq-SLUG`, {cite:t}`rosenblatt1958`, [home](index.md), the
[page itself](#ex-SLUG), a {term}`perceptron`, {py:func}`dlcourse.plot.colour` and $x^2$. The answer
is {glue:text}`answer_SLUG:.1f`.

**Key terms.** {term}`perceptron`.

$$
y = x^2
$$ (eq-SLUG)

```{code-cell} python
:tags: [remove-cell]
from IPython.display import SVG
from myst_nb import glue

answer = 6 * 7
assert answer == 42, "the answer is 42"
glue("answer_SLUG", answer)
```

```{code-cell} python
---
tags: [hide-input]
mystnb:
  figure:
    name: fig-SLUG
    caption: A line.
---
SVG('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>A line falls from left to '
    'right</title><path d="M0 0L9 9"/></svg>')
```

:::{exercise} Think
:name: ex-SLUG
:difficulty: 1
What is one and one?
:::

:::{solution}
Two.
:::
"""
INDEX = """# Home

```{{toctree}}
:numbered: 1

{pages}
```

```{{toctree}}
reference
```
"""
REFERENCE = """# Reference

:::{glossary}
perceptron
  A neuron.
:::

```{eval-rst}
.. autofunction:: dlcourse.plot.colour
```

```{bibliography}
```
"""


@dataclass(frozen=True)
class Fault:
    """A fault: the sound text, what stands in its place, and what the build says of it."""

    sound: str
    broken: str
    said: str


IN_CELLS = {
    "raises": Fault(
        "answer = 6 * 7", "answer = 6 * seven", "NameError: name 'seven' is not defined"
    ),
    "syntax": Fault("answer = 6 * 7", "answer = = 7", "SyntaxError: invalid syntax"),
    "untrue": Fault("answer = 6 * 7", "answer = 6 * 8", "AssertionError: the answer is 42"),
    "warns": Fault(
        "answer = 6 * 7",
        "answer = 42; import warnings; warnings.warn('careful')",
        "UserWarning: careful",
    ),
    "speaks": Fault(
        "answer = 6 * 7",
        "answer = 42; import sys; print('downloading', file=sys.stderr)",
        "the cell wrote to stderr: downloading",
    ),
    "unsaid": Fault(
        "SVG('<svg",
        "from dlcourse import plot; plot.show(plot.axes()[0], alt=' ')\nSVG('<svg",
        "ValueError: alt text must say wh",
    ),
}
IN_TEXT = {
    "link": Fault("[home](index.md)", "[home](nowhere.md)", "nowhere.md"),
    "anchor": Fault("(#ex-SLUG)", "(#ex-nowhere)", "ex-nowhere"),
    "numref": Fault("{numref}`fig-SLUG`", "{numref}`fig-nowhere`", "fig-nowhere"),
    "ref": Fault("{numref}`fig-SLUG`", "{ref}`fig-nowhere2`", "fig-nowhere2"),
    "eq": Fault("{eq}`eq-SLUG`", "{eq}`eq-nowhere`", "eq-nowhere"),
    "citation": Fault("rosenblatt1958", "rosenblatt1858", "rosenblatt1858"),
    "term": Fault("{term}`perceptron`", "{term}`perceptrum`", "perceptrum"),
    "python": Fault("`dlcourse.plot.colour`", "`dlcourse.plot.color`", "dlcourse.plot.color"),
    "inline-formula": Fault("$x^2$", r"$\sqr{x}$", r"“\sqr{x}” cannot be read"),
    "formula": Fault("y = x^2", r"y = \frac{x", r"“y = \frac{x” cannot be read at its end"),
    "glue": Fault("{glue:text}`answer_SLUG:.1f`", "{glue:text}`reply:.1f`", "reply"),
    "format": Fault("`answer_SLUG:.1f`", "`answer_SLUG:.1q`", "Unknown format code 'q'"),
    "alt": Fault("title>", "g>", "figure “fig-alt” in alt has no alt text"),
    "file-name": Fault("A line falls from left to '\n    'right", "line.svg", "has a file name"),
    "caption": Fault("    caption: A line.\n", "", "has no caption"),
    "figure-name": Fault("    name: fig-SLUG\n", "", "has no name to refer to"),
    "label": Fault("(eq-SLUG)", "(eq-SLUG)\n\n$$\ny = z\n$$ (eq-SLUG)", "duplicate label"),
    "solution": Fault(":::{solution}\nTwo.\n:::", "", "exercise “Think” has no solution"),
    "directive": Fault(":::{solution}", ":::{solutoin}", "solutoin"),
    "role": Fault("{term}`perceptron`", "{trem}`perceptron`", "trem"),
    "level": Fault(":::{exercise} Think", "#### Deep\n\n:::{exercise} Think", "H1 to H4"),
    "include": Fault(
        "$x^2$.",
        "$x^2$.\n\n```{literalinclude} ../dlcourse/training.py\n:pyobject: fitt\n```\n",
        "fitt",
    ),
}  # fmt: skip
# other faults that the name, figure or term that is gone causes in the same page
FOLLOW = {
    "figure-name": "fig-figure-name",
    "caption": "fig-caption",
    "label": "Duplicate ID",
    "directive": "Think",
}


def write_book(folder: Path, faults: dict[str, Fault]) -> Path:
    """Copy the real book without its pages, and write a page for each fault, and a sound one."""
    book = folder / "book"
    skip = shutil.ignore_patterns("_build", "*.md", "__pycache__")
    shutil.copytree(BOOK, book, ignore=skip)
    shutil.copytree(ROOT / "dlcourse", folder / "dlcourse", ignore=skip)
    shutil.copy(ROOT / "requirements.lock", folder)
    for slug, fault in {**faults, "sound": Fault("", "", "")}.items():
        text = SOUND
        if fault.sound:
            assert fault.sound in text, f"the sound page has no {fault.sound!r}"
            text = text.replace(fault.sound, fault.broken)
        (book / f"{slug}.md").write_text(text.replace("SLUG", slug), "utf-8")
    (book / "index.md").write_text(INDEX.format(pages="\n".join([*faults, "sound"])), "utf-8")
    (book / "reference.md").write_text(REFERENCE, "utf-8")
    return book


def build(book: Path) -> tuple[int, str]:
    """Build as the Makefile does; return the exit status and all that was said."""
    command = "-m sphinx -q -b html -j auto -W --keep-going"
    done = subprocess.run(
        [sys.executable, *command.split(), str(book), str(book / "_build/html")],
        cwd=book.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


def test_the_sound_page_builds_without_a_word(tmp_path: Path) -> None:
    book = write_book(tmp_path, {})
    status, said = build(book)
    assert status == 0, said
    assert "WARNING" not in said
    page = Page(book / "_build/html", "sound.html")
    assert "42.0" in page.article.get_text()
    assert not [fault for check in CHECKS for fault in check(page)]


@pytest.fixture(scope="module")
def cell_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    status, said = build(write_book(tmp_path_factory.mktemp("cells"), IN_CELLS))
    assert status != 0, "a book with failing cells was built"
    return said


@pytest.mark.parametrize("slug", IN_CELLS)
def test_a_cell_that_fails_is_named(cell_report: str, slug: str) -> None:
    count = 2 if slug == "unsaid" else 1
    told = [p for p in cell_report.split("\n\n") if p.startswith(f"{slug}, code cell")]
    assert len(told) == 1, cell_report
    assert re.match(rf"{slug}, code cell {count} of 2 \(book/{slug}\.md:\d+\)", told[0])
    assert IN_CELLS[slug].said in told[0]


def test_a_cell_that_is_sound_is_not_named(cell_report: str) -> None:
    assert f"The code of {len(IN_CELLS)} of {len(IN_CELLS) + 1} executed" in cell_report


@pytest.fixture(scope="module")
def text_report(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The warnings of a book that has all other faults, and two in its table of contents."""
    book = write_book(tmp_path_factory.mktemp("text"), IN_TEXT)
    (book / "orphan.md").write_text("# Nobody leads here\n", "utf-8")
    index = (book / "index.md").read_text("utf-8")
    (book / "index.md").write_text(
        index.replace("\nreference\n", "\nreference\nmissing\n"), "utf-8"
    )
    status, said = build(book)
    assert status != 0, "a book with faults was built"
    return [line for line in said.splitlines() if re.search("WARNING|ERROR", line)]


@pytest.mark.parametrize("slug", IN_TEXT)
def test_a_fault_is_named_with_its_page(text_report: list[str], slug: str) -> None:
    about = [line for line in text_report if re.search(rf"/{slug}\.md\b", line)]
    told = [line for line in about if IN_TEXT[slug].said in line]
    assert told, "\n".join(about or text_report)
    assert any(re.search(rf"/{slug}\.md:\d+: ", line) for line in told), f"no line number: {told}"
    others = [line for line in about if line not in told and FOLLOW.get(slug, "\0") not in line]
    assert not others, "\n".join(others)


@pytest.mark.parametrize(
    ("page", "said"), [("orphan", "document isn't included in any toctree"), ("index", "'missing'")]
)
def test_a_page_outside_the_table_of_contents_is_named(
    text_report: list[str], page: str, said: str
) -> None:
    assert [line for line in text_report if f"/{page}.md" in line and said in line], text_report


def test_nothing_else_is_complained_of(text_report: list[str]) -> None:
    known = "|".join([*IN_TEXT, "orphan", "index"])
    assert not [line for line in text_report if not re.search(rf"/({known})\.md\b", line)]


# --- what only the gates over the written pages can see -------------------------------------------

WRITTEN = """<!DOCTYPE html>
<html lang="en-GB"><head><title>Sound pages</title><link rel="stylesheet" href="site.css"></head>
<body><article><section id="top"><h1><span class="section-number">1 </span>Sound pages</h1>
<ul class="badges"></ul><p id="met">With a <a href="glossary.html#term-bias">bias</a>.</p>
<p>After <span class="pasted-text">14</span> steps <a href="#fig-line">Figure 1</a> is done.</p>
<div class="cell_output"><figure id="fig-line">
<svg role="img" aria-label="A line falls from left to right"></svg>
<figcaption><span class="caption-number">Figure 1</span> <span class="caption-text">A line.</span>
</figcaption></figure></div>
<div class="math-block" id="eq-a"><math><annotation>x^2</annotation></math>
<span class="eqno">(1)</span></div>
<section id="sums"><h2>Sums</h2><section id="more"><h3>More</h3><p>So.</p>
<div class="quiz" id="quiz-a"></div></section></section>
<section id="end"><h2>Summary<a class="headerlink" href="#end">#</a></h2>
<p id="terms"><strong>Key terms.</strong> <a href="glossary.html#term-bias">bias</a>.</p></section>
</section></article></body></html>
"""
PLANTED = {
    "structure": [
        ('lang="en-GB"', "", "<html> has no lang"),
        ("<title>Sound", "<title>Other", "does not name the page"),
        ('<p id="met"', '<h1>Two</h1><p id="met"', "has 2 <h1>"),
        ('<p id="met"', '<h3>Deep</h3><p id="met"', "an <h3> follows an <h1>"),
    ],
    "unique_ids": [
        ('id="terms"', 'id="top"', "the id 'top' is given to 2 elements"),
        ('id="terms"', 'aria-describedby="gone"', "names 'gone', which does not exist"),
    ],
    "links": [
        ("glossary.html#term", "glossy.html#term", "'glossy.html#term-bias' leads to a file"),
        ("#term-bias", "#term-bios", "'glossary.html#term-bios' leads to a place"),
        ("#fig-line", "../outside.html", "leads out of the site"),
        ('"site.css"', '"gone.css"', "'gone.css' leads to a file that does not exist"),
        ('"#fig-line"', '""', "a link without an address"),
    ],
    "unresolved": [
        ("is done", '<span class="xref">fig-gone</span>', "a reference that leads nowhere"),
        ("is done", "[rosenblatt1958]", "an unresolved reference or citation"),
    ],
    "pictures": [
        ("A line falls from left to right", "", "#fig-line (“Figure 1 A line.”): a picture"),
        ("A line falls from left to right", "fig-3.svg", "the alt text is a file name: 'fig-"),
        ("A line falls from left to right", "A line", "the alt text repeats the caption"),
        ("A line falls from left to right", "A falling line", "says too little"),
        ("left to right", "nan to right", "'nan' in the alt text"),
        ("left to right", "{left:.1f} to 2", "'{left:.1f}' in the alt text"),
        ('<svg role="img" aria', "<svg aria", "an <svg> that is neither named nor hidden"),
    ],
    "figures": [
        ('href="#fig-line"', 'href="#top"', "figure #fig-line is never referred to"),
        ('<span class="caption-number">Figure 1</span>', "", "figure #fig-line has no number"),
        ("figcaption", "div", "figure #fig-line has no caption"),
        ("figure", "section", "a picture outside a figure"),
    ],
    "leaks": [
        ("is done", r"is \frac{1}{2}", r"TeX ('\\frac') is left in the text"),
        ("is done", "costs $x$", "TeX ('$') is left in the text"),
        ("is done", "is {term}`bias`", "markup ('{term}') is left in the text"),
        ("is done", "::: note", "markup (':::') is left in the text"),
        ("is done", "is %.2f", "a format ('%.2f') is left in the text"),
        ("is done", "is {n_steps}", "a format ('{n_steps}') is left in the text"),
        ("is done", "is 0.30000000000000004", "a format ('0.30000000000000004')"),
        ("A line.<", r"A line, \alpha.<", r"TeX ('\\alpha') is left in the text"),
        ("is done", '<code class="math-error">x</code>', "something could not be rendered"),
    ],
    "numbers": [
        (">14<", ">nan<", "the run inserted 'nan'"),
        (">14<", ">None<", "the run inserted 'None'"),
        (">14<", ">tensor(14)<", "the run inserted 'tensor(14)'"),
    ],
    "equations": [
        ('<span class="eqno">(1)</span>', "", "the formula “x^2” has no number"),
        ("<annotation>x^2</annotation>", "", "a formula without its TeX"),
    ],
    "foreign": [
        ('href="site.css"', 'href="//cdn.example/site.css"', "<link> loads '//cdn"),
        ("is done", '<script src="https://cdn.example/a.js"></script>', "<script> loads 'https://cdn"),
        ("is done", '<img alt="" src="https://cdn.example/a.png">', "<img> loads"),
        ("is done", "<style>a{background:url(//cdn.example/a.png)}</style>", "<style> names '//"),
        ("is done", "<script>fetch('https://cdn.example/a')</script>", "<script> names 'https:"),
    ],
    "key_terms": [
        ("</a>.</p></section>", "</a>, margin.</p></section>", "the key term 'margin' is not"),
        ('<p id="met">With a <a href="glossary.html#term-bias">', "<p><a>", "'bias' is not linked"),
        ("<strong>Key terms.</strong>", "", "the summary has no line “Key terms.”"),
    ],
    "quizzes": [
        ('class="quiz"', 'class="note"', "the section #sums (“Sums”) does not end in a quiz"),
        ("</div></section>", "</div><p>More.</p></section>", "does not end in a quiz"),
        (">Summary<", ">Other<", "the section #end (“Other”) does not end in a quiz"),
    ],
    "machine_paths": [("is done", f"is in {ROOT}/book", f"'{ROOT}/book.' is a path of")],
}  # fmt: skip


def written(folder: Path, sound: str = "", broken: str = "") -> Page:
    (folder / "site.css").write_text("", "utf-8")
    (folder / "glossary.html").write_text('<dt id="term-bias">bias</dt>', "utf-8")
    assert sound in WRITTEN
    (folder / "page.html").write_text(WRITTEN.replace(sound, broken) if sound else WRITTEN, "utf-8")
    return Page(folder, "page.html")


def test_every_gate_has_a_planted_fault() -> None:
    assert list(PLANTED) == [check.__name__ for check in CHECKS]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_gate_is_content_with_a_sound_page(check, tmp_path: Path) -> None:
    assert list(check(written(tmp_path))) == []


@pytest.mark.parametrize(
    ("gate", "sound", "broken", "said"),
    [(gate, *fault) for gate, faults in PLANTED.items() for fault in faults],
    ids=[f"{gate}-{n}" for gate, faults in PLANTED.items() for n in range(1, len(faults) + 1)],
)
def test_a_gate_names_a_planted_fault(
    gate: str, sound: str, broken: str, said: str, tmp_path: Path
) -> None:
    check = next(check for check in CHECKS if check.__name__ == gate)
    told = list(check(written(tmp_path, sound, broken)))
    assert any(said in fault for fault in told), told


# --- what only a gate over all chapters can see ---------------------------------------------------

HOME = """<nav><ul><li class="toctree-l1"><a href="b.html">1 First</a></li>
<li class="toctree-l1"><a href="a.html">2 Second</a></li>
<li class="toctree-l1"><a href="glossary.html">Glossary</a></li></ul></nav>"""
GLOSSARY = """<dl><dt id="term-bias">bias<a class="headerlink" href="#term-bias">#</a></dt>
<dt id="term-layer">layer</dt><dt id="term-hidden-layer">hidden layer</dt>
<dt id="term-parity">parity</dt></dl>"""
CHAPTER = '<article><h1>Biases</h1><ul class="badges"><li>layer</li></ul>{}</article>'
FIRST = """<div class="goals"><p>See a bias.</p></div><pre>bias = 1</pre><p>The <code>bias</code> is
unbiased, and bi-layers are two.</p><p>A <a href="glossary.html#term-bias">bias</a> helps.</p>"""
SECOND = """<p>All biases.</p><figure><figcaption><p>A
<a href="glossary.html#term-hidden-layer">hidden layer</a>.</p></figcaption></figure>
<ul><li><p>Two <a href="glossary.html#term-layer">layers</a>.</p></li></ul>
<div class="quiz"><legend>An odd <a href="glossary.html#term-parity">parity</a>?</legend></div>"""


def told_of_first_uses(folder: Path, first: str = FIRST, second: str = SECOND) -> list[str]:
    pages = {"a": CHAPTER.format(second), "b": CHAPTER.format(first)}
    for name, html in {"index": HOME, "glossary": GLOSSARY, **pages}.items():
        (folder / f"{name}.html").write_text(html, "utf-8")
    return list(first_uses(chapters(folder), Page(folder, "glossary.html")))


def test_terms_that_link_where_they_are_first_used_are_sound(tmp_path: Path) -> None:
    assert told_of_first_uses(tmp_path) == []
    assert [page.name for page in chapters(tmp_path)] == ["b.html", "a.html"]


@pytest.mark.parametrize(
    ("planted", "page", "said"),
    [
        ("<p>Biases bend.</p>{}", "b.html", "'bias' in “…Biases bend.…”"),
        ("<p>Hidden layers.</p>{}", "b.html", "'hidden layer' in “…Hidden layers.…”"),
        ("<ul><li><p>A layer.</p></li></ul>{}", "b.html", "'layer' in “…A layer.…”"),
        ("{}<figcaption><p>A layer.</p></figcaption>", "b.html", "write {term}`layer` there"),
        ("{}<table><tr><td>parities</td></tr></table>", "b.html", "'parity' in “…parities…”"),
        ("{}<fieldset><legend>A layer?</legend></fieldset>", "b.html", "'layer' in “…A layer?…”"),
    ],
)
def test_a_term_that_is_used_before_it_is_linked_is_named(
    tmp_path: Path, planted: str, page: str, said: str
) -> None:
    [told] = told_of_first_uses(tmp_path, planted.format(FIRST))
    assert told.startswith(f"{page}: the book first uses ")
    assert said in told


def test_a_term_whose_first_link_is_gone_is_named(tmp_path: Path) -> None:
    [told] = told_of_first_uses(tmp_path, second=SECOND.replace("#term-parity", "#other"))
    assert told.startswith("a.html: the book first uses 'parity' in “…An odd parity?…”")
