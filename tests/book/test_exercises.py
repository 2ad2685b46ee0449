"""Exercises on the page: numbered, linkable, folded, complete; and the same source read as data."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

BOOK = Path(__file__).parents[2] / "book"
sys.path.insert(0, str(BOOK / "_ext"))

from notebook_source import BLOCK_EXTENSIONS, Cell, Directive, Text, find_exercises, read_chapter  # noqa: E402  # noqa: E402

CONF = f"""
import sys
sys.path.insert(0, {str(BOOK / "_ext")!r})
project, version, copyright, language = "Sample", "1", "nobody", "en-GB"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_codeautolink", "exercises"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
nb_execution_mode = "off"
html_theme = "basic"
html_static_path = [{str(BOOK / "_static")!r}]
nitpicky = True
epub_show_urls = "no"
"""

NOTEBOOK = """---
file_format: mystnb
kernelspec:
  name: python3
language_info:
  name: python
  pygments_lexer: ipython3
---
"""

CODE = """
```{code-cell} python
:tags: [starter, skip-execution]
def count(n):
    return ...
```
:::{hint}
Each input doubles the rows.
:::

% a comment does not end the exercise

:::{hint}
List them.
:::
:::{solution}
There are $2^n$ rows.
:::
```{code-cell} python
:tags: [remove-cell, solution]
hidden = 1
```
```{code-cell} python
:tags: [solution]
def count(n):
    return 2**n
```
```{code-cell} python
---
tags: [check]
---
assert count(4) == 16, "four inputs have 16 rows"
```
"""

SAMPLE = f"""{NOTEBOOK}
# Sample

See {{ref}}`ex-four` and [](#ex-pen).

```{{code-cell}} python
n = 1
```

## Exercises

:::{{exercise}} Count the rows of $n$ inputs
:name: ex-four
:difficulty: 2
How many rows has
$$ f(x) $$ (eq-f)
:::
{CODE}
:::{{exercise}} With a pen
:name: ex-pen
:difficulty: 1
Show it.
:::

:::{{solution}}
Shown.
:::

Text after.

:::{{hint}}
An ordinary hint stays one.
:::
"""

OTHER = """
# Other

See {ref}`ex-four`. How many?

:::{answer}
Forty-two.
:::

:::{exercise} Lonely
:name: ex-lonely
:difficulty: 3
Alone?
:::
:::{solution}
Yes.
:::
"""

INDEX = "# Home\n\nSee [](#ex-pen).\n\n```{toctree}\n:glob:\n\n*\n```\n"


def build(folder, pages, builder="html"):
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "conf.py").write_text(CONF, "utf-8")
    for name, text in {"index": INDEX, **pages}.items():
        (source / f"{name}.md").write_text(text, "utf-8")
    out = folder / builder
    command = [sys.executable, "-m", "sphinx", "-q", "-j", "2", "-b", builder]
    command += ["-d", str(folder / "doctrees"), str(source), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return out, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exercises")
    out, warnings = build(folder, {"sample": SAMPLE, "other": OTHER})
    assert warnings == ""
    return out


@pytest.fixture(scope="module")
def page(site):
    return BeautifulSoup((site / "sample.html").read_text("utf-8"), "html.parser")


def test_an_exercise_is_numbered_titled_and_graded(page):
    first, second = page.select("div.exercise")
    assert first["id"] == "ex-four"
    assert first["aria-label"] == "Exercise 1"
    title = first.select_one(".exercise-title")
    assert title.get_text().startswith("Exercise 1: Count the rows of")
    assert (title["role"], title["aria-level"]) == ("heading", "3")
    assert title.select_one("a.headerlink")["href"] == "#ex-four"
    grade = first.select_one(".exercise-difficulty")
    assert grade.get_text() == "●●○ difficulty 2 of 3"
    assert grade.span["aria-hidden"] == "true"
    assert second.get_text().startswith("\nExercise 2: With a pen")


@pytest.mark.parametrize(
    ("name", "links"),
    [
        ("index", [("sample.html#ex-pen", "Exercise 2: With a pen")]),
        ("other", [("sample.html#ex-four", "Exercise 1: Count the rows of n inputs")]),
        (
            "sample",
            [
                ("#ex-four", "Exercise 1: Count the rows of n inputs"),
                ("#ex-pen", "Exercise 2: With a pen"),
            ],
        ),
    ],
)
def test_references_carry_number_and_title(site, name, links):
    text = BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser")
    found = text.select("a.reference.internal[href*='#ex-']:has(span.std-ref)")
    assert [(link["href"], link.get_text()) for link in found] == links


def test_parts_stand_in_the_box_in_order(page):
    box = page.select_one("#ex-four")
    top = [child for child in box.find_all(recursive=False) if child.name != "p"]
    shown = [" ".join(child.get("class", [])) for child in top]
    assert [re.sub(r" docutils.*", "", s) for s in shown if "math" not in s] == [
        "cell tag_starter tag_skip-execution",
        "exercise-fold exercise-hint",
        "exercise-fold exercise-hint",
        "exercise-fold exercise-solution",
    ]
    assert [s.get_text() for s in box.select("summary")] == ["Hint 1", "Hint 2", "Solution"]
    answer = box.select_one("details.exercise-solution")
    assert "open" not in answer.attrs
    words = answer.get_text()
    positions = [words.index(w) for w in ("There are", "2**n", "Check", "assert count(4)")]
    assert positions == sorted(positions)
    assert "hidden = 1" not in page.get_text()


def test_what_follows_stays_outside(page):
    assert "Text after." not in "".join(box.get_text() for box in page.select(".exercise"))
    assert page.select_one("div.admonition.hint:not(.exercise *)")
    assert page.select_one("#ex-pen details.exercise-solution").get_text().endswith("Shown.\n")


def test_ids_are_unique_and_nothing_is_inline(page):
    ids = [element["id"] for element in page.select("[id]")]
    assert len(ids) == len(set(ids))
    assert not page.select(".exercise [style], .exercise script, .exercise style")
    assert page.select('link[href*="exercises.css"]')


def test_an_answer_outside_of_exercises_is_folded(site):
    answer = BeautifulSoup((site / "other.html").read_text("utf-8"), "html.parser")
    (fold,) = answer.select("details.exercise-answer")
    assert fold.summary.get_text() == "Answer"
    assert fold.p.get_text() == "Forty-two."
    assert not fold.has_attr("open")


def test_epub_shows_all_unfolded(site):
    out, warnings = build(site.parent, {"sample": SAMPLE, "other": OTHER}, builder="epub")
    assert warnings == ""
    text = (out / "sample.xhtml").read_text("utf-8")
    assert "<details" not in text
    labels = BeautifulSoup(text, "html.parser").select("div.exercise-fold > p.exercise-label")
    assert [p.get_text() for p in labels][:3] == ["Hint 1", "Hint 2", "Solution"]


PAGE = f"{NOTEBOOK}# Page\n"
HEADER_LINES = PAGE.count("\n")
HEAD = ":::{exercise} Ant\n:name: ex-ant\n:difficulty: 1\nWrite it.\n:::\n"
STARTER = "```{code-cell} python\n:tags: [starter, skip-execution]\na = ...\n```\n"
SOLUTION = "```{code-cell} python\n:tags: [solution]\na = 1\n```\n"
CHECK = '```{code-cell} python\n:tags: [check]\nassert a, "a is one, so it is true"\n```\n'
PROSE = ":::{solution}\nSo.\n:::\n"
TWICE = HEAD + PROSE + "\nText.\n\n" + HEAD.replace("Ant", "Bee") + PROSE
# Each planted source, its line at fault, and the words that must name it. MyST-NB counts blanks
# beside cells its own way, so the line told may be up to two off.
FAULTS = {
    "no-solution": (HEAD, 1, "exercise “Ant” has no solution"),
    "no-check": (
        HEAD + STARTER + SOLUTION,
        1,
        "exercise “Ant” has code but no cell tagged “check”",
    ),
    "prose-only": (
        HEAD + STARTER + PROSE + CHECK,
        1,
        "exercise “Ant” has code but no cell tagged “solution”",
    ),
    "no-starter": (
        HEAD + SOLUTION + CHECK,
        1,
        "exercise “Ant” has code but no cell tagged “starter”",
    ),
    "no-name": (
        HEAD.replace(":name: ex-ant\n", "") + PROSE,
        1,
        "exercise “Ant” needs a “:name:”",
    ),
    "no-level": (
        HEAD.replace(": 1", ": 4") + PROSE,
        1,
        "exercise “Ant” needs “:difficulty:” from 1",
    ),
    "runs": (
        HEAD + STARTER.replace(", skip-execution", "") + SOLUTION + CHECK,
        1,
        "exercise “Ant” has a starter without the tag “skip-execution”",
    ),
    "unchecked": (
        HEAD + STARTER + SOLUTION + CHECK.replace("check]", "check, raises-exception]"),
        1,
        "exercise “Ant” has a check cell tagged “raises-exception”",
    ),
    "stray-starter": (STARTER, 1, "a cell tagged “starter” follows no exercise"),
    "stray-check": (
        HEAD + PROSE + "\nText.\n\n" + CHECK,
        12,
        "a cell tagged “check” follows no exercise",
    ),
    "stray-prose": (PROSE, 1, "a {solution} follows no exercise"),
    "twice": (TWICE, 12, "exercise “Bee” has the name “ex-ant”, which something before"),
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    pages = {
        name: PAGE + source.replace("ex-ant", f"ex-{name}")
        for name, (source, _, _) in FAULTS.items()
    }
    pages["copy"] = pages["no-check"]
    pages["sample"] = SAMPLE
    return build(tmp_path_factory.mktemp("faults"), pages)[1]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(complaints, name):
    _, line, message = FAULTS[name]
    message = re.escape(message.replace("ex-ant", f"ex-{name}"))
    (told,) = re.findall(rf"/{name}\.md:(\d+): WARNING: {message}", complaints)
    assert abs(int(told) - line - HEADER_LINES) <= 2


def test_a_name_used_in_two_documents_is_found(complaints):
    assert re.search(
        r"no-check\.md:\d+: WARNING: the exercise name “ex-no-check” is already used in copy",
        complaints,
    )


def read(tmp_path, text):
    path = tmp_path / "chapter.md"
    path.write_text(text, "utf-8")
    return read_chapter(path)


def test_the_source_reads_as_blocks_with_exact_lines(tmp_path):
    blocks = read(tmp_path, SAMPLE)
    lines = SAMPLE.splitlines()
    kinds = [type(block) for block in blocks]
    assert kinds[:4] == [Text, Cell, Text, Directive]
    for block in blocks:
        if isinstance(block, Directive):
            assert lines[block.line - 1].startswith(f":::{{{block.name}}}")
        else:
            assert lines[block.line - 1] == block.source.splitlines()[0]


def test_an_exercise_is_read_with_its_parts(tmp_path):
    first, second = find_exercises(read(tmp_path, SAMPLE))
    assert first.name == "ex-four"
    assert first.statement.argument == "Count the rows of $n$ inputs"
    assert first.statement.options["difficulty"] == 2
    assert [cell.source for cell in first.starter] == ["def count(n):\n    return ..."]
    assert [hint.body for hint in first.hints] == ["Each input doubles the rows.", "List them."]
    assert [cell.source for cell in first.solution_cells][1] == "def count(n):\n    return 2**n"
    assert [cell.tags for cell in first.check] == [["check"]]
    assert (second.name, second.starter, len(second.solution)) == ("ex-pen", [], 1)
    assert first.stop == second.start


@pytest.mark.parametrize("path", [None, *sorted(BOOK.glob("*/*.md"))], ids=str)
def test_cells_are_those_of_myst_nb(path, tmp_path):
    text = path.read_text("utf-8") if path else SAMPLE
    config = MdParserConfig(enable_extensions=set(BLOCK_EXTENSIONS))
    notebook = read_myst_markdown_notebook(text, config)
    theirs = [(c.source, dict(c.metadata)) for c in notebook.cells if c.cell_type == "code"]
    ours = [(b.source, b.metadata) for b in read(tmp_path, text) if isinstance(b, Cell)]
    assert ours == theirs


def test_options_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"chapter\.md:3: \{code-cell\} cannot be read"):
        read(tmp_path, "# Page\n\n```{code-cell} python\n:tags: [a\n1\n```\n")
