"""Run pip for the set-up: something moves while it works, and its troubles become one line.

Standard library only.
"""

import collections
import errno
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from tools.environment import AGAIN, SetUpError, say

FULL = re.compile(r"No space left on device|Errno 28\b|Disk quota exceeded|Errno 122\b")
CONFLICT = re.compile(r"ResolutionImpossible|conflicting dependencies")
DOWNLOAD = re.compile(
    r"No matching distribution|Could not find a version|HTTPSConnectionPool|HTTPConnectionPool"
    r"|ConnectionError|Connection (?:broken|refused|reset|aborted)|[Tt]imed? ?out|name resolution"
    r"|Max retries|HTTP error|SSLError|ProxyError|IncompleteRead|DO NOT MATCH THE HASHES|Network is"
)


class Pip:
    """The pip of one virtual environment, its log and what it shows of its progress."""

    def __init__(
        self, python: Path, root: Path, log: Path, temporary: Path, inherited_lock: int
    ) -> None:
        self.python = python
        self.root = root
        self.log = log
        self.temporary = temporary
        self.lock = inherited_lock
        self.tail: collections.deque[str] = collections.deque(maxlen=200)
        self.progress = Progress(python.parent.parent)

    def install(self, extras: list[str], constraints: str, torch_index: str) -> None:
        """Install the package, editable, with its extras; torch first where it has an index."""
        limits = ["-c", constraints] if constraints else []
        if torch_index:
            torch = pinned_torch(self.root / constraints) if constraints else "torch"
            self.run(["--no-deps", "--index-url", torch_index, torch], append=False)
        target = f".[{','.join(extras)}]" if extras else "."
        self.run([*limits, "-e", target], append=bool(torch_index), constraints=constraints)
        self.progress.finish()

    def run(self, arguments: list[str], *, append: bool, constraints: str = "") -> None:
        command = [str(self.python), "-I", "-m", "pip", "install", *self.raw_progress(), *arguments]
        self.progress.start()
        with self.log.open("a" if append else "w", encoding="utf-8") as log:
            self.clean_temporary()
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=self.variables(constraints),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                # An orphan of a killed set-up goes on holding the lock while it still writes.
                pass_fds=[self.lock],
            )
            try:
                self.follow(process, log)
            except BaseException:
                stop(process)
                raise
            finally:
                self.progress.clear()
                self.clean_temporary()
        if process.returncode:
            self.explain(process.returncode)

    def follow(self, process: subprocess.Popen[str], log: TextIO) -> None:
        """Copy pip's lines to the log and show a summary, at least once a second."""
        lines: queue.Queue[str | None] = queue.Queue()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=1)
            except queue.Empty:
                self.progress.tick()
                continue
            if line is None:
                break
            if not line.startswith("Progress "):
                self.tail.append(line)
                log.write(line)
                log.flush()
            self.progress.see(line)
        process.wait()

    def explain(self, code: int) -> None:
        """Raise the one line that says why pip failed."""
        text = "".join(self.tail)
        errors = [line.strip() for line in self.tail if line.startswith("ERROR: ")]
        reason = (errors or [line.strip() for line in self.tail if line.strip()] or [""])[-1]
        reason = reason.removeprefix("ERROR: ").rstrip(".")[:240]
        if FULL.search(text):
            raise OSError(errno.ENOSPC, "No space left on device")
        if code < 0:
            happened = f"pip was ended by signal {-code}, perhaps for want of memory"
            todo = f"Close other programs, {AGAIN}"
        elif CONFLICT.search(text):
            happened = f"the versions of the packages do not fit together: {reason}"
            todo = f"Compare pyproject.toml with requirements.lock, {AGAIN}"
        elif DOWNLOAD.search(text):
            happened = f"a download failed: {reason}"
            todo = f"Check the network, {AGAIN}"
        else:
            happened = f"pip failed: {reason}"
            todo = f"Read its log, {AGAIN}"
        raise SetUpError(f"{happened}. {todo}. pip's log: {self.log}")

    def variables(self, constraints: str) -> dict[str, str]:
        """Give pip's surroundings, less what would install elsewhere or hide what it does."""
        variables = {**os.environ, "TMPDIR": str(self.temporary)}
        for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT", "PIP_CONSTRAINT"):
            variables.pop(name, None)
        variables |= {"PIP_USER": "0", "PIP_QUIET": "0", "PIP_VERBOSE": "0", "PIP_NO_INPUT": "1"}
        variables["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        if constraints:  # the build backend is pinned too, in old pips and in new ones
            variables["PIP_CONSTRAINT"] = variables["PIP_BUILD_CONSTRAINT"] = constraints
        return variables

    def raw_progress(self) -> list[str]:
        """Ask pip for bytes received, which it tells a pipe since version 24.1."""
        for info in self.python.parent.parent.glob("lib/python*/site-packages/pip-*.dist-info"):
            version = re.match(r"pip-(\d+)\.(\d+)", info.name)
            if version and (int(version[1]), int(version[2])) >= (24, 1):
                return ["--progress-bar", "raw"]
        return []

    def clean_temporary(self) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(exist_ok=True)


class Progress:
    """One line that moves on a terminal; elsewhere a new line now and then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begin = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.shown_at = 0.0
        self.start()

    def start(self) -> None:
        """Begin a run of pip."""
        self.text = "starting pip"
        self.bytes = ""
        self.found = 0
        self.total = 0

    def see(self, line: str) -> None:
        """Read one line of pip's output."""
        words = line.split()
        if line.startswith("Progress ") and len(words) == 4:
            done, of = int(words[1]) / 1e6, int(words[3]) / 1e6
            self.bytes = f" {done:.0f} of {of:.0f} MB" if of else f" {done:.0f} MB"
        elif line.startswith("Collecting "):
            self.found += 1
            self.text, self.bytes = f"resolving: {self.found} packages", ""
        elif line.lstrip().startswith("Downloading "):
            name = words[1].rsplit("/", 1)[-1].split("-", 1)[0]
            size = line.rsplit("(", 1)[-1].rstrip(")\n") if "(" in line else ""
            self.text, self.bytes = f"downloading {name} {size}".rstrip(), ""
        elif line.startswith("Installing collected packages:"):
            self.total = line.count(",") + 1
            self.found = self.installed()
        self.tick()

    def installed(self) -> int:
        """Count the packages on the disk."""
        return len(list(self.folder.glob("lib/python*/site-packages/*.dist-info")))

    def tick(self) -> None:
        """Show where we are: five times a second at most on a terminal, else every ten seconds."""
        now = time.monotonic()
        if now - self.shown_at < (0.2 if self.terminal else 10):
            return
        self.shown_at = now
        if self.total:
            done = min(max(self.installed() - self.found, 0), self.total)
            self.text, self.bytes = f"installing: {done} of {self.total} packages", ""
        line = f"  {clock(now - self.begin)}  {self.text}{self.bytes}"
        if self.terminal:
            sys.stderr.write(f"\r\033[K{line[:78]}")
            sys.stderr.flush()
        else:
            say(line)

    def clear(self) -> None:
        if self.terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def finish(self) -> None:
        say(f"  {clock(time.monotonic() - self.begin)}  ready")


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def pinned_torch(constraints: Path) -> str:
    """Find the line of the lock that pins torch."""
    for line in constraints.read_text(encoding="utf-8").splitlines():
        if line.startswith("torch=="):
            return line
    return "torch"
