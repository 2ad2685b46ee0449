"""Each starter of the book must fail its check with words that help; each solution must pass it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
CHAPTERS = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.glob("**/*.md")
    if not path.relative_to(BOOK).parts[0].startswith("_")
)
SECONDS = 600

GOOD = """
```{code-cell} python
total = 0
def base():
    return step()
def step():
    return 1
```

:::{exercise} Two steps
:name: ex-two
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

```{code-cell} python
assert base() == 1, "what an exercise defines must not leak into the chapter"
```

:::{exercise} Three steps
:name: ex-three
:difficulty: 1
Define `three` from your `step`.
:::

```{code-cell} python
:tags: [starter, skip-execution]
three = ...
```
```{code-cell} python
:tags: [solution]
three = step() + 1
```
```{code-cell} python
:tags: [check]
assert three == 3, f"three should be the number 3, it is {three}"
```
"""


def faults_of(chapter, folder):
    env = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("run_starters.py")), str(chapter)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{chapter} could not be run:\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_starters_fail_and_solutions_pass(chapter, tmp_path):
    faults = faults_of(BOOK / chapter, tmp_path)
    assert not faults, "\n".join([f"in book/{chapter}:", *faults])


def test_a_good_chapter_has_no_faults(tmp_path):
    chapter = tmp_path / "good.md"
    chapter.write_text(GOOD, "utf-8")
    assert faults_of(chapter, tmp_path) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("return ...", "return 2", "the starter passes the check"),
        ("return ...", "return nothing", "must fail the starter by an assertion, not by NameError"),
        ("    return ...", "    return ...\n1 / 0", "the starter does not run: ZeroDivisionError"),
        ('f"base() should return 2, it returns {base()}"', '"wrong"', "without a message that"),
        (', f"base() should return 2, it returns {base()}"', "", "without a message that helps"),
        ("    return 2", "    return 5", "the solution does not pass the check: AssertionError"),
        ("total = 0", "total = undefined", "line 3: fails without the solutions: NameError"),
    ],
)
def test_planted_faults_are_found(good, bad, fault, tmp_path):
    assert GOOD.count(good) == 1
    chapter = tmp_path / "bad.md"
    chapter.write_text(GOOD.replace(good, bad), "utf-8")
    told, *_ = faults_of(chapter, tmp_path)
    assert fault in told
    assert told.startswith("line ")
