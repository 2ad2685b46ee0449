"""The learners' notebooks: what is in them, and that each runs where only the package is.

"Where only the package is" means an environment made for this test: the wheel of `dlcourse`, the
distributions that it and `ipykernel` require, and no other; `fresh_environment.py` tells how.
"""

import json
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fresh_environment
import nbformat
import pytest
import small_book
from filelock import FileLock

# the book's `_ext` folder is on the path since small_book was imported
import notebook_names  # isort: skip
from notebooks import check, indented  # isort: skip
from sphinx.errors import ExtensionError  # isort: skip

CHAPTERS = sorted(
    path.relative_to(small_book.BOOK).with_suffix("").as_posix()
    for path in small_book.BOOK.glob("*/*.md")
    if path.parent.name in ("neuron", "learning", "vision", "sequences", "generative", "labs")
)
MYST = re.compile(
    r"\{(?:term|glue|numref|eq|cite|ref|doc|exercise|hint|solution|quiz|admonition)[:}\w]*"
    r"|^\s*:::|^\s*```+\{|^%|^\([\w-]+\)=|^:\w+:",
    re.MULTILINE,
)
RIGHT = re.compile(r"^✓ Exercise \d+: right$")
WRONG = re.compile(r"^✗ Exercise \d+, not yet: .{20}")
SECONDS = 600

FRONT = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""

CHAPTER = """
# A chapter

The value of {term}`loss` is $a_1 < 2$ in [the next chapter](two.md), 5 * 3 and x_1 [here](#ex-one).

```{code-cell} python
:tags: [remove-cell]
base = 1
unused = 2
```

$$ x = 1 $$ (eq-x)

:::{note}
See {eq}`eq-x` and {numref}`tab-x`.
:::

```{table} A table
:name: tab-x

| a | b |
|---|---|
| 1 | `f(x)` |
```

```{code-cell} python
def total(x):
    return x + base
```

```{code-cell} python
:tags: [skip-execution]
download_everything()
```

2\\. is no list; neither is this:

1. one
   - inner
2. two

:::{exercise} One
:name: ex-one
:difficulty: 2
Make `one` be 1.
:::

```{code-cell} python
:tags: [starter, skip-execution]
one = 0
```

:::{hint}
It is near.
:::

```{code-cell} python
:tags: [solution]
one = SECRET = 1
```

```{code-cell} python
:tags: [check]
text = '''a
b'''
assert (one, len(text)) == (1, 3), f"one should be 1, it is {one}"
```

:::{solution}
A secret, too.
:::

:::{exercise} Two
:name: ex-two
:difficulty: 1
Pen and paper.
:::

:::{solution}
A third secret.
:::
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book with two chapters and a glossary, built."""
    two = FRONT + "# Two\n\n```{code-cell} python\n1\n```\n"
    glossary = "---\norphan: true\n---\n# Glossary\n\n```{glossary}\nloss\n: How wrong.\n```\n"
    folder = small_book.write(
        tmp_path_factory.mktemp("small"),
        {
            "part/one.md": FRONT + CHAPTER,
            "part/two.md": two,
            "words.txt": "",
            "glossary.md": glossary,
        },
    )
    done = small_book.build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def sources(path: Path, kind: str) -> list[str]:
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def notebooks(site: Path) -> list[Path]:
    return sorted(site.glob("notebooks/**/*.ipynb"))


def without_code(source: str) -> str:
    return re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$", "", source, flags=re.DOTALL)


def faults(path: Path) -> list[str]:
    """Say what a notebook should not have."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    found = [] if notebook.nbformat_minor == 5 else ["is not of format 4.5"]
    ids = [cell.id for cell in notebook.cells]
    found += [f"the cell id {name} is there twice" for name in set(ids) if ids.count(name) > 1]
    if "dlcourse" not in notebook.cells[0].source or "%pip" not in notebook.cells[0].source:
        found.append("does not begin by installing dlcourse")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = without_code(cell.source)
            found += [
                f"has MyST left: {m[0]!r} in {cell.source[:80]!r}" for m in MYST.finditer(text)
            ]
            if len(re.findall("<details>", text)) != len(re.findall("</details>", text)):
                found.append(f"splits a fold over two cells: {cell.source[:80]!r}")
        else:
            if cell.outputs or cell.execution_count is not None:
                found.append(f"has outputs: {cell.source[:80]!r}")
            if re.search(r"\bmyst_nb\b|\bglue\(", cell.source):
                found.append(f"uses what only the build has: {cell.source[:80]!r}")
            if "%pip" not in cell.source:
                compile(cell.source, str(path), "exec")
    return found


# --- the notebooks of the book -------------------------------------------------------------------


@pytest.mark.site
def test_each_chapter_has_its_two_notebooks_and_a_place_in_the_archive(site: Path) -> None:
    expected = {f"notebooks/{c}{s}.ipynb" for c in CHAPTERS for s in ("", "-solutions")}
    assert {p.relative_to(site).as_posix() for p in notebooks(site)} == expected
    with zipfile.ZipFile(site / "notebooks/all-notebooks.zip") as archive:
        assert archive.namelist() == sorted(expected)
        for entry in archive.infolist():
            assert archive.read(entry) == (site / entry.filename).read_bytes()
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)


@pytest.mark.site
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_notebooks_are_plain_and_clean(site: Path, chapter: str) -> None:
    for end in ("", "-solutions"):
        path = site / f"notebooks/{chapter}{end}.ipynb"
        found = faults(path)
        assert not found, "\n".join([path.name, *found])


@pytest.mark.site
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_links_between_notebooks_lead_somewhere(site: Path, chapter: str) -> None:
    for end in ("", "-solutions"):
        path = site / f"notebooks/{chapter}{end}.ipynb"
        for source in sources(path, "markdown"):
            for address in re.findall(r"\]\(([^)\s]+)\)", without_code(source)):
                if "://" not in address:
                    assert (path.parent / address).is_file(), f"{path.name} links to {address}"


@pytest.fixture(scope="session")
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the fresh environment, made once for all workers of the session."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    told = shared / "fresh.txt"
    with FileLock(shared / "fresh.lock"):
        if not told.exists():
            folder = shared / "fresh"
            folder.mkdir()
            told.write_text(str(fresh_environment.make(folder)), "utf-8")
    return Path(told.read_text("utf-8"))


def test_the_fresh_environment_has_only_the_package(fresh_python: Path) -> None:
    code = "import importlib.util as u; print([n for n in {!r} if u.find_spec(n)])"
    names = ["dlcourse", "torch", "ipykernel", "sphinx", "myst_nb", "jupyter_cache", "pytest"]
    done = subprocess.run(
        [str(fresh_python), "-I", "-c", code.format(names)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "['dlcourse', 'torch', 'ipykernel']"
    where = "import dlcourse; print(dlcourse.__file__)"
    done = subprocess.run(
        [str(fresh_python), "-I", "-c", where], capture_output=True, text=True, check=True
    )
    assert "site-packages" in done.stdout


@pytest.mark.site
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_both_notebooks_run_from_top_to_bottom(
    site: Path, fresh_python: Path, chapter: str, tmp_path: Path
) -> None:
    told = wrong_answers(fresh_python, site / f"notebooks/{chapter}", tmp_path)
    assert not told, "\n".join([f"{chapter}:", *told])


def wrong_answers(python: Path, notebook: Path, folder: Path) -> list[str]:
    """Run both notebooks; say which starter passes its check or fails it without words, and so on.

    Any other exception than an assertion of a check ends the notebook and is told as it is.
    """

    def run(end: str) -> tuple[list[str], str]:
        path = notebook.with_name(f"{notebook.name}{end}.ipynb")
        script = Path(__file__).with_name("run_notebooks.py")
        command = [sys.executable, script, python, path, folder / f"run{end}"]
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, timeout=SECONDS
        )
        if done.returncode:
            return [], re.sub(r"\x1b\[[0-9;]*m", "", done.stderr)
        return json.loads(done.stdout.splitlines()[-1]), ""

    with ThreadPoolExecutor(2) as pool:
        (learner, broken), (solved, unsolved) = pool.map(run, ("", "-solutions"))
    if broken or unsolved:
        return [broken, unsolved]
    told = [f"a starter should fail its check in words: {a}" for a in learner if not WRONG.match(a)]
    told += [f"a solution should pass its check: {a}" for a in solved if not RIGHT.match(a)]
    if not learner or len(learner) != len(solved):
        told.append(f"{len(learner)} starters and {len(solved)} solutions were checked")
    return told


GOOD = """# A chapter

```{code-cell} python
total = 0
def base():
    return step()
def step():
    return 1
```

:::{exercise} Two steps
:name: ex-NAME
:difficulty: 1
Make `base` return 2.
:::

```{code-cell} python
:tags: [starter, skip-execution]
def step():
    return ...
```
```{code-cell} python
:tags: [solution]
def step():
    return 2
```
```{code-cell} python
:tags: [check]
assert base() == 2, f"base() should return 2, it returns {base()}"
```
"""
FAULTS = {
    "passes": ("return ...", "return 2", "a starter should fail its check in words: ✓"),
    "raises": ("    return ...", "    return nothing", "NameError: name 'nothing' is not defined"),
    "stops": ("    return ...", "    return ...\n1 / 0", "ZeroDivisionError"),
    "silent": (
        ', f"base() should return 2, it returns {base()}"',
        "",
        "fail its check in words: ✗",
    ),
    "unsolved": ("    return 2", "    return 5", "a solution should pass its check: ✗"),
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of chapters, one good and the others with a fault each; it is not executed."""
    files = {"part/good.md": FRONT + GOOD.replace("NAME", "good")}
    for name, (sound, broken, _) in FAULTS.items():
        assert GOOD.count(sound) == 1
        files[f"part/{name}.md"] = FRONT + GOOD.replace("NAME", name).replace(sound, broken)
    folder = small_book.write(tmp_path_factory.mktemp("planted"), files)
    done = small_book.build(folder, "-D", "nb_execution_mode=off")
    assert done.returncode == 0, done.stderr
    return folder / "_build/html/notebooks/part"


def test_a_good_chapter_has_no_wrong_answers(planted: Path, tmp_path: Path) -> None:
    assert wrong_answers(Path(sys.executable), planted / "good", tmp_path) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_told(planted: Path, tmp_path: Path, name: str) -> None:
    told = wrong_answers(Path(sys.executable), planted / name, tmp_path)
    assert any(FAULTS[name][2] in fault for fault in told), told


# --- the exporter, on a small book ---------------------------------------------------------------


def test_a_chapter_becomes_plain_markdown(small: Path) -> None:
    path = small / "_build/html/notebooks/part/one.ipynb"
    assert faults(path) == []
    text = "\n\n".join(sources(path, "markdown"))
    for words in (
        "The value of loss is $a_1 < 2$ in [the next chapter](two.ipynb), 5 \\* 3 and x\\_1 here "
        "(Exercise 1).",
        "$$\nx = 1\n\\tag{1.1}\n$$",
        "> **Note**\n>\n> See (1.1) and Table 1.1.",
        "**Table 1.1.** A table\n\n| a | b |\n| --- | --- |\n| 1 | `f(x)` |",
        "```python\ndownload_everything()\n```",
        "2\\. is no list",
        "1. one\n\n   - inner\n2. two",
        "## Exercise 1: One\n\n●●○ difficulty 2 of 3\n\nMake `one` be 1.",
        "<details>\n<summary>Hint</summary>\n\nIt is near.\n\n</details>",
        "Pen and paper.\n\n*Your answer:*",
    ):
        assert words in text, f"{words!r} is not in\n{text}"


def test_solutions_stand_in_their_own_notebook_only(small: Path) -> None:
    folder = small / "_build/html/notebooks/part"
    learner = (folder / "one.ipynb").read_text("utf-8")
    solved = (folder / "one-solutions.ipynb").read_text("utf-8")
    for secret in ("SECRET", "A secret, too.", "A third secret."):
        assert secret not in learner
        assert secret in solved
    assert "one = 0" in learner
    assert "one = 0" not in solved
    assert "[the next chapter](two-solutions.ipynb)" in solved


def test_a_needed_hidden_definition_stays_and_others_go(small: Path) -> None:
    code = sources(small / "_build/html/notebooks/part/one.ipynb", "code")
    assert "base = 1" in code
    assert not any("unused" in cell for cell in code)


def test_a_check_answers_in_one_line(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *_, code = sources(small / "_build/html/notebooks/part/one.ipynb", "code")
    exec(code, {"one": 0})
    assert capsys.readouterr().out == "✗ Exercise 1, not yet: one should be 1, it is 0\n"
    exec(code, {"one": 1})
    assert capsys.readouterr().out == "✓ Exercise 1: right\n"
    with pytest.raises(NameError):
        exec(code, {})


def test_two_exports_give_the_same_bytes(small: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        paths = [p for p in folder.rglob("*") if p.is_file()]
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}

    done = small_book.build(small, "-E", "-d", str(small / "again"), out="_build/again")
    assert done.returncode == 0, done.stderr
    first = files(small / "_build/html/notebooks")
    assert len(first) == 5
    assert first == files(small / "_build/again/notebooks")


def test_ids_survive_an_edit_elsewhere(small: Path, tmp_path: Path) -> None:
    edited = CHAPTER.replace("2\\. is no list", "A new sentence.\n\n2\\. is no list")
    copy = small_book.write(
        tmp_path, {"part/one.md": FRONT + edited, "part/two.md": FRONT + "# Two\n"}
        | {"glossary.md": (small / "glossary.md").read_text("utf-8")},
    )  # fmt: skip
    assert small_book.build(copy).returncode == 0
    before, after = (
        {cell["source"] if isinstance(cell["source"], str) else "": cell["id"]
         for cell in json.loads((folder / "_build/html/notebooks/part/one.ipynb")
                                .read_text("utf-8"))["cells"] if cell["cell_type"] == "code"}
        for folder in (small, copy)
    )  # fmt: skip
    assert before == after


def test_an_unknown_node_stops_the_build(tmp_path: Path) -> None:
    picture = "```{raw} html\n<b>lost</b>\n```\n"
    book = small_book.write(tmp_path, {"one.md": f"{FRONT}# A chapter\n\n{picture}"})
    assert "has no form in a notebook" in small_book.build(book).stderr


# --- its parts -----------------------------------------------------------------------------------


def test_only_what_is_needed_is_kept_of_hidden_cells() -> None:
    cells = [
        (0, "import math\na = 1\nb = a + 1\nc = 3", True),
        (1, "def f(x):\n    return x + b + later", False),
        (2, "later = 2", True),
        (3, "c = 4", False),
        (4, "c", False),
        (5, "c = math.pi", True),
        (6, "assert c > 3", True),
        (7, "print(c, f(1))", False),
    ]
    kept = {0: "import math\na = 1\nb = a + 1", 2: "later = 2", 5: "c = math.pi"}
    assert notebook_names.needed(cells, "x") == kept


def test_a_needed_definition_that_glues_is_named() -> None:
    cells = [(0, "for n in (1, 2):\n    glue('n', n)", True), (1, "print(n)", False)]
    with pytest.raises(ExtensionError, match=r"(?s)part/x: a visible cell needs “n”.*print\(n\)"):
        notebook_names.needed(cells, "part/x")


def test_indenting_keeps_the_text_of_long_strings() -> None:
    code = 'if text:\n    text = """a\n  b"""\nassert text, (\n    "c"\n    "d"\n)'
    block = check(code, 1)
    space = {"text": "x"}
    exec(block, space)
    assert space["text"] == "a\n  b"
    assert indented("a = (1,\n     2)") == "    a = (1,\n         2)"


@pytest.mark.parametrize(
    ("text", "fault"),
    [("see {numref}`fig-1`", "has MyST left"), (":::{hint}\nx\n:::", "has MyST left"),
     ("<details>\nx", "splits a fold")],
)  # fmt: skip
def test_a_planted_fault_is_found(small: Path, tmp_path: Path, text: str, fault: str) -> None:
    notebook = nbformat.read(small / "_build/html/notebooks/part/one.ipynb", as_version=4)
    notebook.cells[1].source += "\n\n" + text
    path = tmp_path / "bad.ipynb"
    nbformat.write(notebook, path)
    assert any(fault in found for found in faults(path))
