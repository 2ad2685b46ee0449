"""The executor: chapters run in parallel, once, in a kernel that no reader's home can spoil."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"
sys.path.insert(0, str(EXTENSIONS))

import execute  # noqa: E402
import execute_cache  # noqa: E402
import execute_faults  # noqa: E402
import execute_kernel  # noqa: E402

CONF = f"""
import sys
sys.path.insert(0, {str(EXTENSIONS)!r})
project, copyright, html_theme = "Sample", "nobody", "basic"
extensions = ["myst_nb", "execute"]
exclude_patterns = ["_build"]
nb_execution_mode = "cache"
nb_execution_timeout = 60
execute_depends = ["../pkg"]
execute_path = [".."]
execute_jobs = 2
"""
HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n{extra}---\n\n# A chapter\n\n"


def cell(source, options=""):
    return f"```{{code-cell}} python\n{options}{source}\n```\n\n"


class Book:
    """A tiny book in a folder of its own, beside a tiny package that it uses."""

    def __init__(self, root):
        self.root = root
        self.source = root / "book"
        self.html = self.source / "_build" / "html"
        self.source.mkdir()
        (root / "pkg").mkdir()
        (root / "pkg" / "__init__.py").write_text("ANSWER = 42\n")
        (self.source / "conf.py").write_text(CONF)
        self.docnames = []

    def write(self, docname, *parts, extra=""):
        (self.source / f"{docname}.md").write_text(HEAD.format(extra=extra) + "".join(parts))
        self.docnames = sorted({*self.docnames, docname})
        toctree = "\n".join(self.docnames)
        (self.source / "index.md").write_text(f"# Book\n\n```{{toctree}}\n{toctree}\n```\n")

    def command(self, *options):
        build = [self.source, self.html, "-d", self.source / "_build" / "doctrees", *options]
        return [sys.executable, "-m", "sphinx", "-b", "html", *map(str, build)]

    def build(self, *options, **environment):
        return subprocess.run(
            self.command(*options),
            capture_output=True,
            text=True,
            cwd=self.root,
            env=os.environ | environment,
            timeout=120,
        )

    def caches(self):
        return sorted(path.name for path in (self.source / "_build" / "cache").iterdir())

    def pages(self):
        # MyST-NB's own style sheet gets its checksum only from the second build on
        return {
            path.name: re.sub(r"\.css\?v=\w+", ".css", path.read_text())
            for path in self.html.glob("*.html")
        }


def meet(own, other):
    """A cell that ends only when the other chapter runs at the same time."""
    return cell(
        "import time\n"
        "from pathlib import Path\n"
        "import pkg\n"
        f"own, other = (Path(pkg.__file__).parents[1] / n for n in ({own!r}, {other!r}))\n"
        "own.touch()\n"
        "deadline = time.monotonic() + 30\n"
        "while not other.exists():\n"
        "    assert time.monotonic() < deadline, 'the other chapter does not run'\n"
        "    time.sleep(0.05)"
    )


def strange_home(root):
    """Environment of a reader whose IPython profile, start-up file and style are all broken."""
    profile = root / "home" / ".ipython" / "profile_default"
    (profile / "startup").mkdir(parents=True)
    (profile / "startup" / "00.py").write_text("raise RuntimeError('start-up file was read')\n")
    (profile / "ipython_kernel_config.py").write_text("this is no Python\n")
    (root / "home" / "startup.py").write_text("raise RuntimeError('PYTHONSTARTUP was read')\n")
    return {
        "HOME": str(root / "home"),
        "PYTHONSTARTUP": str(root / "home" / "startup.py"),
        "OMP_NUM_THREADS": "7",
        "FORCE_COLOR": "1",
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book built once by a reader with a strange home; tests that change it rebuild it."""
    book = Book(tmp_path_factory.mktemp("good"))
    book.write("large", meet("one.met", "two.met"), cell("x = bytearray(300_000_000); len(x)"))
    book.write("small", meet("two.met", "one.met"))
    book.write(
        "plain",
        "Some prose.\n\n",
        cell("import os\nprint('threads', os.environ['OMP_NUM_THREADS'], os.listdir())"),
        cell("1 / 0", ":tags: [raises-exception]\n"),
        cell("print('never' + 'run')", ":tags: [skip-execution]\n"),
        cell("import pkg\npkg.ANSWER"),
        cell("from myst_nb import glue\nglue('number', 1.2345, display=False)"),
        "The value is {glue:text}`number:.2f`.\n",
    )
    book.write("wordy", "No code here.\n")
    book.first = book.build("-j", "2", "-W", **strange_home(book.root))
    assert book.first.returncode == 0, book.first.stderr
    return book


def test_chapters_run_side_by_side_and_report_as_they_finish(built):
    lines = re.findall(
        r"^\[(\d)/3\] (\w+)  \d+\.\d s  \d+ MB$", built.first.stdout, flags=re.MULTILINE
    )
    assert [number for number, _ in lines] == ["1", "2", "3"]
    assert {docname for _, docname in lines} == {"large", "small", "plain"}
    assert "executing 3 chapters, 2 at a time" in built.first.stdout


def test_outputs_reach_the_page(built):
    page = (built.html / "plain.html").read_text()
    assert "threads 1 []" in page
    assert "ZeroDivisionError" in page
    assert "neverrun" not in page
    assert "42" in page
    assert re.search(r"The value is .*1\.23", page)


def test_the_build_ends_with_a_table_and_the_path(built):
    table = built.first.stdout[built.first.stdout.index("chapter  seconds  peak MB") :]
    assert re.search(r"^large +\d+\.\d +\d+$", table, flags=re.MULTILINE)
    assert re.search(r"^total +\d+\.\d +executed in \d+\.\d s$", table, flags=re.MULTILINE)
    assert f"The book: {built.html / 'index.html'}" in table


def test_peak_memory_is_that_of_each_kernel(built):
    times = execute_cache.load_times(built.source / "_build" / "run-times.json")
    assert sorted(times) == ["large", "plain", "small"]
    assert times["plain"].cells == 5
    # the array itself is 300 MB; what remains is Python, IPython and the first cell's imports
    difference = times["large"].peak_mb - times["small"].peak_mb
    assert 290 < difference < 320
    assert 20 < times["small"].peak_mb < 150


def test_peak_memory_grows_with_what_is_allocated():
    before = execute_kernel.peak_memory_mb()
    block = bytearray(int(before * 1e6) + 50_000_000)
    assert execute_kernel.peak_memory_mb() >= len(block) / 1e6


def test_prose_is_free(built):
    path = built.source / "plain.md"
    path.write_text(path.read_text().replace("Some prose.", "Other prose."))
    done = built.build()
    assert done.returncode == 0, done.stderr
    assert "executing" not in done.stdout
    assert re.search(r"^plain +\d+\.\d +\d+  cached$", done.stdout, flags=re.MULTILINE)
    assert "Other prose." in (built.html / "plain.html").read_text()


def test_a_changed_package_runs_and_reads_every_chapter_again(built):
    before, caches = built.pages(), built.caches()
    for met in built.root.glob("*.met"):
        met.unlink()
    (built.root / "pkg" / "__init__.py").write_text("ANSWER = 43\n")
    done = built.build()
    assert done.returncode == 0, done.stderr
    assert "executing 3 chapters" in done.stdout
    assert set(caches) < set(built.caches())
    after = built.pages()
    # measured times differ from run to run: that nothing else changed shows they are on no page
    answer = "</span>43\n"
    assert answer in after["plain.html"]
    before["plain.html"] = before["plain.html"].replace("</span>42\n", answer)
    assert after == before


def test_without_execution_nothing_runs(built):
    done = built.build("-D", "nb_execution_mode=off", "-E", "-b", "dummy")
    assert done.returncode == 0, done.stderr
    assert "executing" not in done.stdout


FAULTY = {
    "raises": [
        cell("def f(x):\n    return 1 / x"),
        cell("y = 1\nf(0)\ny = 2", "---\ntags: [hide-input]\n---\n"),
        cell("print('never' + 'reached')"),
    ],
    "syntax": [cell("x = = 1")],
    "warns": [
        cell("import warnings\n\nwarnings.warn('careful')"),
        cell("import sys\nprint('oops', file=sys.stderr)"),
    ],
    "hangs": [cell("x = 1"), cell("import time\ntime.sleep(60)")],
    "dies": [cell("import os\nos._exit(1)")],
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("faulty"))
    for docname, cells in FAULTY.items():
        extra = "mystnb:\n  execution_timeout: 2\n" if docname == "hangs" else ""
        book.write(docname, *cells, extra=extra)
    book.write("good", cell("1 + 1"))
    book.first = book.build()
    return book


@pytest.mark.parametrize(
    ("docname", "place", "message", "listing"),
    [
        ("raises", "cell 2 of 3 (book/raises.md:19)", "ZeroDivisionError: division", "f(0)"),
        ("syntax", "cell 1 of 1 (book/syntax.md:10)", "SyntaxError: invalid syntax", "x = = 1"),
        ("warns", "cell 1 of 2 (book/warns.md:12)", "UserWarning: careful", "warnings.warn("),
        ("warns", "cell 2 of 2 (book/warns.md:16)", "wrote to stderr: oops", "import sys"),
        ("hangs", "cell 2 of 2 (book/hangs.md:16)", "ran longer than 2 s", "import time"),
        ("dies", "cell 1 of 1 (book/dies.md:10)", "the kernel died", "import os"),
    ],
)
def test_a_fault_is_named(faulty, docname, place, message, listing):
    report = faulty.first.stderr
    start = report.index(f"{docname}, code {place}")
    paragraph = report[start:].split("\n\n")[0]
    assert message in paragraph
    line = place[:-1].rpartition(":")[2]
    assert re.search(rf"^  [> ] +{line} \| {re.escape(listing)}", paragraph, flags=re.MULTILINE)
    number = int(line) - 1
    assert listing in (faulty.source / f"{docname}.md").read_text().splitlines()[number]


def test_all_faults_are_reported_at_once_in_order_and_nothing_else(faulty):
    report = faulty.first.stderr
    assert faulty.first.returncode != 0
    assert "The code of 5 of 6 executed chapters failed." in report
    assert re.findall(r"^(\w+), code cell", report, flags=re.MULTILINE) == [
        *("dies", "hangs", "raises", "syntax", "warns", "warns"),
    ]
    assert "Traceback" not in report
    assert "\x1b" not in report
    assert len(report.splitlines()) < 60


def test_the_report_follows_a_call_out_of_the_cell(faulty):
    assert "  by In[1] of this chapter, line 2, in f" in faulty.first.stderr


def test_only_what_succeeded_is_kept(faulty):
    (name,) = faulty.caches()
    cache = execute_cache.open_cache(faulty.source / "_build" / "cache" / name)
    uris = [Path(record.uri).stem for record in cache.list_cache_records()]
    cache.db.dispose()
    assert uris == ["good"]
    assert not (faulty.html / "good.html").exists()


def test_cells_changed_behind_our_back_are_refused(tmp_path):
    book = Book(tmp_path)
    book.write("chapter", cell("x = 1"))
    conf = book.source / "conf.py"
    conf.write_text(
        conf.read_text()
        + "def change(app, docname, source):\n"
        + "    source[0] = source[0].replace('x = 1', 'x = 2')\n"
        + "def setup(app):\n"
        + "    app.connect('source-read', change)\n"
    )
    done = book.build()
    assert done.returncode != 0
    assert "chapter was executed, yet MyST-NB does not find its outputs" in done.stderr


def test_interrupting_the_build_ends_its_kernels(tmp_path):
    book = Book(tmp_path)
    flag = tmp_path / "pid"
    source = (
        "import os, time\nfrom pathlib import Path\n"
        f"draft = Path({str(flag)!r} + '.draft')\n"
        "draft.write_text(str(os.getpid()))\n"
        f"draft.rename({str(flag)!r})\n"
        "time.sleep(60)"
    )
    book.write("chapter", cell(source))
    with subprocess.Popen(
        book.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as build:
        wait_until(flag.exists)
        build.send_signal(signal.SIGINT)
        _, errors = build.communicate(timeout=30)
    assert build.returncode != 0
    assert "Interrupted!" in errors
    wait_until(lambda: not is_running(int(flag.read_text())))


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


RACE = "import sys; sys.exit('zmq.error.ZMQError: Address already in use')"


@pytest.mark.parametrize("n_races", [1, 2])
def test_a_lost_port_race_is_tried_once_more(monkeypatch, n_races):
    command, reasons, starts = execute_kernel.kernel_command, [], []

    def racing_command():
        starts.append(1)
        return [sys.executable, "-c", RACE] if len(starts) <= n_races else command()

    monkeypatch.setattr(execute_kernel, "kernel_command", racing_command)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("6 * 7")])
    outcome = asyncio.run(execute_kernel.run_chapter(notebook, timeout=30, on_retry=reasons.append))
    assert reasons == ["zmq.error.ZMQError: Address already in use"]
    if n_races == 1:
        assert outcome.faults == ()
        assert notebook.cells[0].outputs[0].data["text/plain"] == "42"
    else:
        assert "did not start, twice" in outcome.faults[0].title


def chapter(docname, n_cells):
    cells = [nbformat.v4.new_code_cell("1") for _ in range(n_cells)]
    return execute.Chapter(docname, Path(docname), nbformat.v4.new_notebook(cells=cells), None)


def test_the_slowest_chapter_starts_first():
    chapters = [chapter("b", 3), chapter("a", 3), chapter("known", 1), chapter("short", 1)]
    earlier = {"known": execute.RunTime(seconds=9.0, peak_mb=1.0, cells=1)}
    ordered = execute.slowest_first(chapters, earlier)
    assert [c.docname for c in ordered] == ["known", "a", "b", "short"]
    assert execute.slowest_first(chapters[::-1], earlier) == ordered


def test_a_half_written_cache_is_repaired(tmp_path):
    folder = tmp_path / "cache"
    cache = execute_cache.open_cache(folder)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    assert execute_cache.find_cached(cache, notebook) is None
    execute_cache.store(cache, notebook, Path("chapter.md"), seconds=1.5, peak_mb=64)
    remembered = {"execution_seconds": 1.5, "peak_memory_mb": 64}
    assert execute_cache.find_cached(cache, notebook) == remembered
    (output,) = folder.glob("executed/*/base.ipynb")
    output.write_text('{"cells": [')
    assert execute_cache.find_cached(cache, notebook) is None
    output.unlink()
    assert execute_cache.find_cached(cache, notebook) is None
    execute_cache.store(cache, notebook, Path("chapter.md"), seconds=1.5, peak_mb=64)
    assert execute_cache.find_cached(cache, notebook) == remembered
    cache.db.dispose()

    (folder / "global.db").write_bytes(b"")
    cache = execute_cache.open_cache(folder)
    assert execute_cache.find_cached(cache, notebook) is None
    assert not output.exists()
    cache.db.dispose()


def test_old_caches_are_dropped_but_the_last_three_stay(tmp_path):
    names = [f"{number:016x}" for number in range(5)]
    for age, name in enumerate(names):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (10.0 - age, 10.0 - age))
    (tmp_path / "something else").mkdir()
    execute_cache.prune_caches(tmp_path / names[4])  # the oldest, but used just now
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {names[4], names[0], names[1], "something else"}


def test_the_cache_follows_every_file_of_the_package_and_its_name(tmp_path):
    package = tmp_path / "pkg"
    (package / "__pycache__").mkdir(parents=True)
    module = package / "module.py"
    module.write_text("x = 1\n")
    first = execute_cache.fingerprint([package])
    (package / "__pycache__" / "module.pyc").write_bytes(b"compiled")
    assert execute_cache.fingerprint([package]) == first
    module.write_text("x = 2\n")
    changed = execute_cache.fingerprint([package])
    module.rename(package / "renamed.py")
    assert len({first, changed, execute_cache.fingerprint([package])}) == 3
    with pytest.raises(SystemExit, match=r"lock\.txt, which does not exist"):
        execute_cache.fingerprint([tmp_path / "lock.txt"])


def test_a_torn_file_of_times_is_no_obstacle(tmp_path):
    path = tmp_path / "build" / "run-times.json"
    times = {"chapter": execute.RunTime(seconds=1.25, peak_mb=70.0, cells=3)}
    assert execute_cache.load_times(path) == {}
    execute_cache.save_times(times, path)
    assert execute_cache.load_times(path) == times
    path.write_text('{"chapter": {"seconds": 1')
    assert execute_cache.load_times(path) == {}


def test_a_warning_from_another_file_marks_no_line():
    stderr = nbformat.v4.new_output("stream", name="stderr")
    stderr.text = "/lib/other.py:1: FutureWarning: soon gone\n  old_function()\n"
    code = nbformat.v4.new_code_cell("import other\nother.run()", outputs=[stderr])
    fault = execute_faults.warned(code, 0)
    assert fault.title == "FutureWarning: soon gone"
    assert fault.cell_line is None
    code.outputs = []
    assert execute_faults.warned(code, 0) is None
