"""Tell, while chapters run, which are done and which are running."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from types import TracebackType
from typing import Self

from sphinx.util import logging

logger = logging.getLogger(__name__)

CLEAR_LINE = "\r\x1b[2K"
LOG_INTERVAL = 20.0  # seconds between hints where lines cannot be overwritten


class Progress:
    """One line for each finished chapter, and a moving hint of those that run."""

    def __init__(self, total: int, jobs: int) -> None:
        self.total = total
        self.jobs = min(total, jobs)
        self.n_finished = 0
        self.running: dict[str, tuple[float, int, int]] = {}
        self.terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    async def __aenter__(self) -> Self:
        chapters = "1 chapter" if self.total == 1 else f"{self.total} chapters"
        logger.info("executing %s, %d at a time", chapters, self.jobs)
        self.ticker = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.ticker.cancel()
        self._overwrite("")

    def started(self, docname: str, n_cells: int) -> None:
        """Note that a chapter begins."""
        self.running[docname] = (time.monotonic(), 0, n_cells)

    def reached(self, docname: str, cell: int) -> None:
        """Note that a chapter has come to a cell."""
        start, _, n_cells = self.running[docname]
        self.running[docname] = (start, cell, n_cells)

    def retried(self, docname: str, reason: str) -> None:
        """Say that a kernel had to be started again."""
        self._overwrite("")
        logger.info("%s: the kernel did not start (%s), trying once more", docname, reason)

    def finished(self, docname: str, result: str) -> None:
        """Print the line of a finished chapter."""
        self.running.pop(docname, None)
        self.n_finished += 1
        self._overwrite("")
        logger.info("[%d/%d] %s  %s", self.n_finished, self.total, docname, result)

    def hint(self) -> str:
        """Return which chapters run, where they are and for how long."""
        now = time.monotonic()
        return "running: " + ", ".join(
            f"{docname} (cell {cell} of {n_cells}, {now - start:.0f} s)"
            for docname, (start, cell, n_cells) in self.running.items()
        )

    def _overwrite(self, text: str) -> None:
        if self.terminal:
            width = shutil.get_terminal_size().columns
            logger.info("%s", CLEAR_LINE + text[: width - 1], nonl=True)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0 if self.terminal else LOG_INTERVAL)
            if self.terminal:
                self._overwrite(self.hint())
            elif self.running:
                logger.info("%s", self.hint())
