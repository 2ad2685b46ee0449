"""The set-up ends complete, or says why not in one line and leaves nothing to trip over."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from setup_project import ROOT, Project

OneLine = Callable[[str], str]


def wait_for(path: Path) -> str:
    for _ in range(300):
        if path.exists() and (text := path.read_text(encoding="utf-8")):
            return text
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear")


def is_complete(project: Project) -> bool:
    state = json.loads((project.ours / "state.json").read_text(encoding="utf-8"))
    half = list(project.venv.glob("lib/python*/site-packages/torch-half"))
    return state["status"] == "complete" and not half


def test_make_html_installs_builds_and_then_only_builds(project: Project) -> None:
    first = project.make("html")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Set-up: making" in first.stderr
    page = project.folder / "book" / "_build" / "html" / "index.html"
    assert page.is_file()
    asked = next(line for line in first.stdout.splitlines() if line.startswith("sphinx")).split()
    assert {"-W", "--keep-going", "-j", "auto", "book/_build/doctrees"} <= set(asked)
    assert not {"-E", "-a"} & set(asked)

    again = project.make("-C", "book", "html", PYTHON="")
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stderr == ""


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13)])
def test_python_too_old(project: Project, one_line: OneLine, version: tuple[int, ...]) -> None:
    """The script itself tells, before it imports anything that an old Python cannot parse."""
    script = project.folder / "tools" / "setup_venv.py"
    pretend = f"import sys; sys.version_info = {version}; exec(open({str(script)!r}).read())"
    old = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True)
    assert old.returncode == 1
    assert "3.11 or newer is needed" in one_line(old.stderr)
    assert ".".join(map(str, version)) in old.stderr
    assert not project.venv.exists()


def test_the_version_is_checked_in_syntax_that_old_pythons_parse() -> None:
    source = (ROOT / "tools" / "setup_venv.py").read_text(encoding="ascii")
    compile(source, "setup_venv.py", "exec", dont_inherit=True)
    for newer in ("f'", 'f"', ":=", "->", "match ", "async ", "print("):
        assert newer not in source
    assert source.index("version_info < (3, 11)") < source.index("from tools")


def test_make_passes_over_pythons_that_fail_or_are_old(project: Project) -> None:
    """A broken shim comes first on PATH, an old Python second, a good one last."""
    shims = project.folder / "shims"
    shims.mkdir()
    scripts = {
        "python3": "echo 'pyenv: python3: command not found' >&2; exit 127",
        "python3.13": 'case "$2" in "import sys") exit 0;; *) exit 1;; esac',
        "python3.12": f'echo "took 3.12"; exec "{sys.executable}" "$@"',
    }
    for name, body in scripts.items():
        (shims / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (shims / name).chmod(0o755)
    path = f"{shims}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "tools/with_python.sh", "-c", "print('ran')"],
        cwd=project.folder,
        env=project.variables(PATH=path),
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-2:] == ["took 3.12", "ran"], done.stdout + done.stderr
    assert done.stderr == ""


def test_a_python_that_does_not_run(project: Project, one_line: OneLine) -> None:
    done = project.make("html", PYTHON="no-such-python")
    assert done.returncode != 0
    assert "PYTHON=no-such-python does not run" in one_line(done.stdout + done.stderr)


def test_failed_download_by_the_real_pip(project: Project, one_line: OneLine) -> None:
    # Nobody listens at this address, and the extra `test` wants a package that nobody has.
    unreachable = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    failed = project.make("lint", **unreachable, PIP_RETRIES="0")
    assert failed.returncode != 0
    line = one_line(failed.stdout + failed.stderr)
    assert "a download failed" in line
    assert "not-to-be-had" in line
    log = Path(line.split("pip's log: ")[1])
    assert "not-to-be-had" in log.read_text(encoding="utf-8")

    (project.folder / "requirement.txt").write_text("pip", encoding="utf-8")  # this one is there
    second = subprocess.run(
        ["sh", "tools/setup.sh", "book", "test"],
        cwd=project.folder,
        env=project.variables(PYTHON=sys.executable),
        capture_output=True,
        text=True,
    )
    assert second.returncode == 0, second.stderr
    assert is_complete(project)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("offline", ["a download failed", "torch>=2.6", "network", "pip.log"]),
        ("full", ["the disk is full", "GB free", "Free about"]),
        ("conflict", ["do not fit together", "requirements.lock", "pip.log"]),
        ("killed", ["signal 9", "memory", "pip.log"]),
    ],
)
def test_trouble_is_one_line_and_the_next_run_works(
    project: Project, one_line: OneLine, trouble: str, words: list[str]
) -> None:
    failed = project.fake("book", FAKE_PIP=trouble)
    assert failed.returncode == 1
    line = one_line(failed.stdout + failed.stderr)
    assert all(word in line for word in words), line
    assert project.fake("book").returncode == 0
    assert is_complete(project)


def test_our_own_writes_meet_a_full_disk(project: Project, one_line: OneLine) -> None:
    """The state file cannot be written: the same line, and no half-written state."""
    code = (
        "import errno, os, sys; sys.path.insert(0, '.')\n"
        "from tools import environment\n"
        "def full(fd): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
        "os.fsync = full\n"
        "sys.exit(environment.main(os.getcwd(), ['book']))\n"
    )
    failed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.folder,
        env=project.variables(),
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 1
    assert "the disk is full" in one_line(failed.stdout + failed.stderr)
    assert not (project.ours / "state.json").exists()
    assert project.fake("book").returncode == 0
    assert is_complete(project)


def test_kill_in_the_middle_then_a_second_run(project: Project) -> None:
    """The set-up is killed outright; its pip lives on, and the next run waits for it to end."""
    first = project.start("book", FAKE_PIP="hangs", FAKE_SECONDS="3")
    wait_for(project.folder / "hanging.txt")
    first.kill()
    first.communicate()
    second = project.fake("book")
    assert second.returncode == 0, second.stderr
    assert "another set-up" in second.stderr
    assert is_complete(project)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_ends_pip_too(project: Project, one_line: OneLine, number: int) -> None:
    first = project.start("book", FAKE_PIP="hangs")
    pip = int(wait_for(project.folder / "hanging.txt"))
    first.send_signal(number)
    output, _ = first.communicate(timeout=30)
    assert first.returncode == 130
    assert "interrupted" in one_line(output)
    with pytest.raises(ProcessLookupError):
        os.kill(pip, 0)
    assert project.fake("book").returncode == 0
    assert is_complete(project)


def test_a_foreign_venv_is_left_alone(project: Project, one_line: OneLine) -> None:
    project.venv.mkdir()
    (project.venv / "mine").write_text("precious", encoding="utf-8")
    for arguments in (["book"], ["--remove"]):
        done = project.fake(*arguments)
        assert done.returncode == 1
        assert "was not made by this Makefile" in one_line(done.stdout + done.stderr)
    assert [path.name for path in project.venv.iterdir()] == ["mine"]


def test_an_empty_venv_folder_is_filled(project: Project) -> None:
    """What a set-up leaves that is killed in its very first step."""
    project.venv.mkdir()
    assert project.fake("book").returncode == 0
    assert is_complete(project)


def test_two_at_the_same_time(project: Project) -> None:
    both = [project.start("book", FAKE_PIP="slow") for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum("making" in output for output in outputs) == 1
    assert len(project.calls()) == 1
    assert is_complete(project)


def test_what_makes_it_install_again(project: Project) -> None:
    def installs(*extras: str, **changes: str) -> list[str]:
        before = len(project.calls())
        done = project.fake(*extras, **changes)
        assert done.returncode == 0, done.stderr
        return project.calls()[before:]

    assert len(installs("book")) == 1
    assert installs("book") == []
    assert "-e .[book,test]" in installs("book", "test")[0]
    assert installs("book") == []
    with (project.folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.ruff]\nline-length = 100\n")
    assert installs("book") == []  # only what is installed counts
    (project.folder / "requirements.lock").write_text("torch==2.14.0\n", encoding="utf-8")
    assert "-c requirements.lock -e .[book,test]" in installs("book")[0]
    assert "-c" not in installs("book", CONSTRAINTS="")[0].split()


def test_torch_comes_first_from_its_own_index(project: Project) -> None:
    address = "https://torch.example/cpu"
    assert project.fake("book", TORCH_INDEX=address).returncode == 0
    assert project.calls()[0].endswith(f"--no-deps --index-url {address} torch==2.13.0")
    assert len(project.calls()) == 2
    assert project.fake("book").returncode == 0  # the address is remembered
    assert len(project.calls()) == 2
    assert project.fake("book", "test").returncode == 0
    assert address in project.calls()[2]


def test_a_failed_address_is_not_remembered(project: Project) -> None:
    assert project.fake("book", TORCH_INDEX="https://wrong", FAKE_PIP="offline").returncode == 1
    assert project.fake("book").returncode == 0
    assert "https://wrong" not in project.calls()[-1]


def test_a_failed_download_keeps_an_environment_that_works(project: Project) -> None:
    """Offline, a wish for more must not cost what is there."""
    assert project.fake("book").returncode == 0
    assert project.fake("book", "test", FAKE_PIP="offline").returncode == 1
    calls = len(project.calls())
    assert project.fake("book").returncode == 0
    assert len(project.calls()) == calls


def test_a_moved_clone_is_made_again(project: Project) -> None:
    assert project.fake("book").returncode == 0
    project.folder = project.folder.rename(project.folder.with_name("moved"))
    project.venv, project.ours = project.folder / ".venv", project.folder / ".venv" / "set-up"
    done = project.fake("book")
    assert done.returncode == 0
    assert "making" in done.stderr
    assert is_complete(project)


def test_a_python_that_vanished_from_the_venv(project: Project) -> None:
    """After an upgrade of the system the link in .venv may lead nowhere."""
    assert project.fake("book").returncode == 0
    python = project.venv / "bin" / "python"
    python.unlink()
    python.symlink_to(project.folder / "gone")
    (project.folder / "requirements.lock").write_text("torch==2.14.0\n", encoding="utf-8")
    assert project.fake("book").returncode == 0
    assert python.exists()


def test_remove(project: Project) -> None:
    assert project.fake("book").returncode == 0
    assert project.fake("--remove").returncode == 0
    assert not project.venv.exists()
    assert project.fake("--remove").returncode == 0


def test_unreadable_state_counts_as_none(project: Project) -> None:
    """What a power cut may leave."""
    assert project.fake("book").returncode == 0
    (project.ours / "state.json").write_bytes(b"\0" * 40)
    assert project.fake("book").returncode == 0
    assert is_complete(project)


def test_a_file_that_cannot_be_written_is_named(project: Project, one_line: OneLine) -> None:
    project.ours.mkdir(parents=True)
    (project.ours / "lock").mkdir()
    done = project.fake("book")
    assert done.returncode == 1
    line = one_line(done.stdout + done.stderr)
    assert os.strerror(errno.EISDIR) in line
    assert str(project.ours / "lock") in line
    with contextlib.suppress(OSError):
        (project.ours / "lock").rmdir()
    assert project.fake("book").returncode == 0
