"""Quizzes: complete as a page, checked by keyboard in Chromium, and loud when badly written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

BOOK = Path(__file__).parents[2] / "book"
LARGEST_SCRIPT = 4096  # bytes

CONF = f"""
import sys
sys.path.insert(0, {str(BOOK / "_ext")!r})
project, version, copyright, language = "Sample", "1", "nobody", "en-GB"
extensions = ["myst_nb", "quizzes"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
nb_execution_mode = "off"
html_theme = "basic"
html_static_path = [{str(BOOK / "_static")!r}]
nitpicky = True
epub_show_urls = "no"
"""

QUIZ = """# Page

See [](#quiz-units).

## Section

::::{quiz} Check yourself
:name: quiz-units

:::{question} Which function can no unit compute?
- [ ] AND

  One line cuts off its corner.
- [x] XOR

  Its corners lie across.
:::

:::{question} How many can it compute?
:answer: glue n_units
:tolerance: 0.5

All but two.

- 16

  That is all of them.
:::
::::
"""

LARGE = """# Large

::::{quiz} Check yourself
:name: quiz-large

:::{question} How many?
:answer: 4096

512 times 8.

- 1204224

  Too many.
:::
::::
"""

INDEX = "# Home\n\n```{toctree}\n:glob:\n\n*\n```\n"


def notebook(text):
    """Return a notebook whose stored output glues n_units, so that no kernel is needed."""
    glued = {
        "output_type": "display_data",
        "data": {"text/plain": "np.float64(14.25)"},
        "metadata": {"scrapbook": {"name": "n_units", "mime_prefix": ""}},
    }
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {"tags": ["remove-cell"]}}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": text},
        {**cell, "source": "pass", "outputs": [glued]},
    ]
    info = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return json.dumps({"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 4})


def build(folder, pages, builder="html"):
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "conf.py").write_text(CONF, "utf-8")
    (source / "index.md").write_text(INDEX, "utf-8")
    for name, text in pages.items():
        (source / f"{name}.ipynb").write_text(notebook(text), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder]
    command += ["-d", str(folder / "doctrees"), str(source), str(folder / builder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / builder, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out, warnings = build(tmp_path_factory.mktemp("quizzes"), {"page": QUIZ, "large": LARGE})
    assert warnings == ""
    return out


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser, site):
    context = browser.new_context()
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(error.stack))
    page.goto((site / "page.html").as_uri())
    yield page
    context.close()
    assert [stack for stack in complaints if "quiz.js" in stack] == []


def test_the_page_can_be_read_without_javascript(site):
    soup = BeautifulSoup((site / "page.html").read_text("utf-8"), "html.parser")
    first, second = soup.select(".quiz > fieldset.quiz-question")
    assert first.legend.get_text() == "Which function can no unit compute?"
    assert [label.get_text().strip() for label in first.select("label")] == ["AND", "XOR"]
    assert {radio["name"] for radio in first.select("input")} == {"quiz-units-1"}
    told = [item.get_text() for item in first.select("details li")]
    assert told == [
        "Wrong: AND\nOne line cuts off its corner.\n",
        "Right: XOR\nIts corners lie across.\n",
    ]
    values = [item["data-value"] for item in second.select("li")]
    assert values == ["14.25", "16.0"], "the right answer is the value of the chapter's run"
    assert not soup.select(".quiz [style], .quiz script, .quiz [onclick]")
    assert soup.select_one("a[href='#quiz-units']").get_text() == "Check yourself"


def test_only_pages_with_a_quiz_load_the_script(site):
    assert "quiz.js" in (site / "page.html").read_text("utf-8")
    assert "quiz.js" not in (site / "index.html").read_text("utf-8")
    assert (BOOK / "_static" / "quiz.js").stat().st_size <= LARGEST_SCRIPT


def test_an_epub_has_questions_and_answers_but_no_inputs(site):
    out, warnings = build(site.parent, {"page": QUIZ}, builder="epub")
    assert warnings == ""
    text = (out / "page.xhtml").read_text("utf-8")
    assert not re.search("<(input|fieldset|details|button)", text)
    assert "○ XOR" in text
    assert "Its corners lie across." in text


def test_choices_are_checked_by_keyboard(page):
    feedback = page.locator(".quiz-feedback").first
    assert feedback.get_attribute("role") == "status"
    page.get_by_role("button", name="Check", exact=True).first.focus()
    page.keyboard.press("Enter")
    assert feedback.inner_text() == "Choose an answer first."
    page.get_by_label("AND").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert feedback.inner_text().split("\n\n") == ["Wrong: AND", "One line cuts off its corner."]
    page.get_by_label("AND").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert feedback.inner_text().startswith("Right: XOR")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("14", "Right: 14.25"),
        ("14,5", "Right: 14.25"),
        ("16", "Wrong: 16\n\nThat is all of them."),
        ("3", "Not yet."),
        ("−14", "Not yet."),
        ("many", "Type a number, such as 0.5."),
        ("", "Type a number, such as 0.5."),
    ],
)
def test_numbers_are_checked_by_keyboard(page, typed, said):
    page.get_by_label("Your answer").focus()
    page.keyboard.insert_text(typed)
    page.keyboard.press("Enter")
    assert page.locator(".quiz-feedback").nth(1).inner_text().startswith(said)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("4096", "Right: 4096"),
        ("4,096", "Right: 4096"),
        ("4,096.0", "Right: 4096"),
        ("1,204,224", "Wrong: 1204224"),
        ("40,96", "Not yet."),
        ("4,096,", "Type a number, such as 0.5."),
    ],
)
def test_thousands_may_be_parted_by_commas(page, site, typed, said):
    page.goto((site / "large.html").as_uri())
    page.get_by_label("Your answer").fill(typed)
    page.get_by_label("Your answer").press("Enter")
    assert page.locator(".quiz-feedback").inner_text().startswith(said)


def answer_all(page):
    page.get_by_label("XOR").check()
    page.get_by_role("button", name="Check", exact=True).first.click()
    page.get_by_label("Your answer").fill("14")
    page.get_by_label("Your answer").press("Enter")


def test_progress_is_kept_and_can_be_cleared(page):
    state = page.locator(".quiz-state")
    assert state.inner_text() == ""
    answer_all(page)
    assert state.inner_text().startswith("✓ Done")
    page.reload()
    assert state.inner_text().startswith("✓ Done")
    page.get_by_role("button", name="Start again").press("Enter")
    assert page.evaluate("document.activeElement.type") == "radio"
    page.reload()
    assert state.inner_text() == ""


def test_it_works_where_storage_is_refused(page):
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused'); }})"
    )
    page.reload()
    answer_all(page)
    assert page.locator(".quiz-state").inner_text().startswith("✓ Done")


ASK = "::::{quiz} Q\n:name: quiz-q\n\n:::{question} Which?\n%s\n:::\n::::\n"
FAULTS = {
    "no-name": (QUIZ.replace(":name: quiz-units\n", ""), "quiz “Check yourself” needs a “:name:”"),
    "empty": ("::::{quiz} Q\n:name: quiz-q\n::::\n", "quiz “Q” has no {question}"),
    "no-reason": (ASK % "- [x] A\n- [ ] B", "“Which?” gives no reason why “B” is wrong"),
    "no-mark": (ASK % "- [x] A\n- [ ] B\n\n  No.\n- C", "has an option without [x] or [ ]: “C”"),
    "two-right": (ASK % "- [x] A\n- [x] B", "“Which?” needs at least two options, exactly one"),
    "no-glue": (ASK % ":answer: glue gone\n:tolerance: 1\n\nSo.", "asks for “gone”, which the"),
    "no-number": (ASK % ":answer: many\n\nSo.", "needs a number or “glue NAME”, not “many”"),
    "no-tolerance": (ASK % ":answer: 0.5\n\nSo.", "needs a “:tolerance:”, because its answer is"),
    "no-prose": (ASK % ":answer: 5", "needs a sentence that explains the right answer"),
    "unexplained": (ASK % ":answer: 5\n\nSo.\n\n- 6", "gives no reason why 6 is wrong"),
    "stray": (":::{question} Which?\n:answer: 5\n\nSo.\n:::\n", "stands outside of a quiz"),
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    pages = {
        name: "# Page\n\n" + source.replace("quiz-q", f"quiz-{name}").replace("# Page", "Page")
        for name, (source, _) in FAULTS.items()
    }
    pages["no-name"] = pages["no-name"].replace("See [](#quiz-units).", "")
    return build(tmp_path_factory.mktemp("faults"), pages)[1]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(complaints, name):
    told = [line for line in complaints.splitlines() if f"/{name}.ipynb:" in line]
    assert len(told) == 1, complaints
    assert FAULTS[name][1] in told[0]
