"""The virtual environment of the book: made once, kept up to date, never left half made.

`.venv/set-up/` is the proof that we made `.venv`. It holds the lock, pip's log and `state.json`,
which says "installing" from before the first change until everything is on the disk, then
"complete". Anything that is not complete is removed and made again. Standard library only.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

AGAIN = "then run the same command again"


class SetUpError(Exception):
    """What happened and what to do, in one line."""


class Environment:
    """`.venv` beside `pyproject.toml`, and what is known about it."""

    def __init__(self, root: str) -> None:
        self.root = Path(root)
        self.folder = self.root / ".venv"
        self.ours = self.folder / "set-up"
        self.state_file = self.ours / "state.json"
        self.log = self.ours / "pip.log"
        self.temporary = self.ours / "tmp"
        self.python = self.folder / "bin" / "python"

    def state(self) -> dict[str, Any]:
        try:
            state = json.loads(self.state_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def write_state(self, **state: Any) -> None:
        """Replace the state in one step: a reader sees the old one or the new one, whole."""
        fresh = self.state_file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.state_file)

    def refuse_foreign(self) -> None:
        """A `.venv` that somebody else filled is not ours to change or remove."""
        empty = self.folder.is_dir() and not any(self.folder.iterdir())
        if os.path.lexists(self.folder) and not empty and not self.ours.is_dir():
            raise SetUpError(
                f"{self.folder} was not made by this Makefile, so it is left as it is. "
                f"Move it away (mv .venv .venv-old), {AGAIN}."
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the lock, which the system frees when its last holder dies: none can be stale."""
        while True:
            self.refuse_foreign()
            self.ours.mkdir(parents=True, exist_ok=True)
            with (self.ours / "lock").open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    say(f"Set-up: another set-up of {self.folder} is running; waiting for it.")
                    fcntl.flock(file, fcntl.LOCK_EX)
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file.fileno()), os.stat(file.name)):
                        yield file.fileno()
                        return

    def clear(self) -> None:
        """Remove all but our own notes."""
        for path in self.folder.iterdir():
            if path != self.ours:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def version(self) -> str:
        """Give the version of the Python inside, or nothing where it does not run."""
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        command = [str(self.python), "-I", "-S", "-c", code]
        try:
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()
        except OSError:
            return ""

    def contents(self) -> list[tuple[str, int]]:
        """Give what changes as soon as pip installs or removes anything."""
        folders = [*self.folder.glob("lib/python*/site-packages"), self.folder / "bin"]
        return [(str(path), path.stat().st_mtime_ns) for path in sorted(folders)]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def fingerprint(root: Path, constraints: str) -> str:
    """Hash what decides which packages belong into the environment."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {key: project.get(key) for key in ("project", "build-system")}
    lock = (root / constraints).read_text(encoding="utf-8") if constraints else ""
    return hashlib.sha256(json.dumps([wanted, lock], sort_keys=True).encode()).hexdigest()


def is_ready(state: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Say whether nothing need be done; a torch index that is not given stays what it was."""
    return (
        state.get("status") == "complete"
        and state.get("root") == wanted["root"]
        and state.get("fingerprint") == wanted["fingerprint"]
        and set(wanted["extras"]) <= set(state.get("extras", []))
        and wanted["python"] in ("", state.get("python"))
        and wanted["torch_index"] in ("", state.get("torch_index"))
    )


def can_be_updated(state: dict[str, Any], wanted: dict[str, Any], environment: Environment) -> bool:
    """Say whether a complete environment of ours may be kept and only brought up to date."""
    return (
        state.get("status") == "complete"
        and state.get("root") == wanted["root"]
        and wanted["torch_index"] in ("", state.get("torch_index"))
        and wanted["python"] in ("", state.get("python"))
        and state.get("python") == environment.version()
    )


def create(environment: Environment) -> None:
    """Make an empty virtual environment, with the interpreter that an active one stands on."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    command = [base, "-I", "-m", "venv", str(environment.folder)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    environment.log.write_text(result.stdout + result.stderr, encoding="utf-8")
    if result.returncode == 0:
        return
    if "No space left on device" in result.stdout + result.stderr:
        raise OSError(errno.ENOSPC, "No space left on device")
    raise SetUpError(
        f"{base} could not make a virtual environment (details: {environment.log}). "
        f"On Debian or Ubuntu install it with: apt-get install python3-venv; {AGAIN}."
    )


def set_up(environment: Environment, wanted: dict[str, Any], constraints: str, lock: int) -> None:
    """Bring the environment to what is wanted, or raise."""
    from tools.run_pip import Pip  # only now: a check must stay fast

    state = environment.state()
    keep = can_be_updated(state, wanted, environment)
    index = wanted["torch_index"] or (state.get("torch_index", "") if keep else "")
    extras = sorted(set(wanted["extras"]) | set(state.get("extras", []) if keep else []))
    environment.write_state(status="installing")
    if keep:
        say(f"Set-up: bringing {environment.folder} up to date")
    else:
        say(f"Set-up: making {environment.folder} (this takes some minutes, once)")
        environment.clear()
        create(environment)
    before = environment.contents()
    pip = Pip(environment.python, environment.root, environment.log, environment.temporary, lock)
    try:
        pip.install(extras, constraints, index)
    except BaseException:
        if keep and environment.contents() == before:
            environment.write_state(**state)
        raise
    os.sync()  # or a power cut could leave "complete" beside files that were never written
    version = environment.version()
    environment.write_state(
        **wanted
        | {"status": "complete", "extras": extras, "torch_index": index, "python": version},
    )


def remove(environment: Environment) -> None:
    """Remove the whole of an environment that we made."""
    if os.path.lexists(environment.folder):
        with environment.locked():
            environment.clear()
            shutil.rmtree(environment.ours)
            if not environment.folder.is_symlink():
                environment.folder.rmdir()


def interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main(root: str, arguments: list[str]) -> int:
    """Run the command line and turn every expected trouble into one line."""
    options = {argument for argument in arguments if argument.startswith("--")}
    constraints = os.environ.get("CONSTRAINTS", "requirements.lock")
    environment = Environment(root)
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    try:
        os.chdir(root)
        if "--remove" in options:
            remove(environment)
            return 0
        wanted = {
            "root": root,
            "extras": sorted(set(arguments) - options),
            "fingerprint": fingerprint(environment.root, constraints),
            "torch_index": os.environ.get("TORCH_INDEX", ""),
            "python": "{}.{}".format(*sys.version_info) if "--this-python" in options else "",
        }
        if is_ready(environment.state(), wanted):
            return 0
        if "--check" in options:
            return 1
        with environment.locked() as lock:
            if not is_ready(environment.state(), wanted):
                set_up(environment, wanted, constraints, lock)
        return 0
    except KeyboardInterrupt:
        say("Set-up: interrupted. Nothing is spoilt: run the same command again.")
        return 130
    except SetUpError as error:
        say(f"Set-up: {error}")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            say(f"Set-up: {disk_is_full(environment.root)}")
        else:
            where = f": {error.filename}" if error.filename else ""
            say(f"Set-up: {error.strerror or error}{where}. Put that right, {AGAIN}.")
    except tomllib.TOMLDecodeError as error:
        say(f"Set-up: pyproject.toml cannot be read ({error}). Correct it, {AGAIN}.")
    return 1


def disk_is_full(root: Path) -> str:
    free = shutil.disk_usage(root).free / 1e9
    return (
        f"the disk is full ({free:.1f} GB free beside {root}). "
        f"Free about 3 GB (8 GB for PyTorch's CUDA build), {AGAIN}."
    )
