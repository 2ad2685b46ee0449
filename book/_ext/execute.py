"""Execute the chapters before Sphinx reads them: in parallel, each in a kernel of its own.

The outputs go into the jupyter-cache from which MyST-NB takes them afterwards, so that every way
of calling Sphinx behaves alike and MyST-NB itself never starts a kernel.  The cache's folder is
named after all that the outputs depend on beyond the cells: the package, the lock file, Python.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import myst_nb.core.execute.cache as myst_nb_cache
from execute_cache import (
    VERSION,
    BuildStopped,
    RunTime,
    find_cached,
    fingerprint,
    load_times,
    open_cache,
    prune_caches,
    save_times,
    store,
    table,
)
from execute_faults import describe
from execute_progress import Progress
from myst_nb.core.nb_to_tokens import nb_node_to_dict
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

__all__ = ["RunTime", "run_times", "setup"]

logger = logging.getLogger(__name__)


def run_times(app: Sphinx) -> dict[str, RunTime]:
    """Return the measurements of every executed chapter by docname.

    They are complete once Sphinx has begun to read: from `env-before-read-docs`, priority 501 on.
    """
    return dict(sorted(getattr(app.env, "execute_times", {}).items()))


@dataclass(frozen=True)
class Chapter:
    """A notebook as MyST-NB will see it."""

    docname: str
    path: Path
    notebook: Any
    timeout: float | None

    @property
    def n_cells(self) -> int:
        return sum(cell.cell_type == "code" for cell in self.notebook.cells)


class Executor:
    """The state of one build."""

    def __init__(self) -> None:
        self.executed: set[str] = set()
        self.wall_seconds = 0.0
        self.original = myst_nb_cache.single_nb_execution

    def choose_cache(self, app: Sphinx, config: Config) -> None:
        """Point MyST-NB to the cache for this state of the package.

        When this path changes, Sphinx sees a changed setting and reads every page again.
        """
        sources = [Path(app.confdir, name) for name in config.execute_depends]
        folder = build_folder(app, config) / "cache" / fingerprint(sources)
        config.nb_execution_cache_path = str(folder)

    def run(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        """Execute those of the documents about to be read that are not in the cache."""
        if app.config.nb_execution_mode != "cache":
            return
        myst_nb_cache.single_nb_execution = _refuse(env)
        # what is read now is measured anew, or remembered by the cache
        times = {
            docname: measured
            for docname, measured in run_times(app).items()
            if docname in env.found_docs and docname not in docnames
        }
        env.execute_times = times  # type: ignore[attr-defined]
        chapters = [c for c in (read_chapter(env, docname) for docname in docnames) if c]
        if not chapters:
            return
        cache = open_cache(Path(app.config.nb_execution_cache_path))
        todo = []
        for chapter in chapters:
            record = find_cached(cache, chapter.notebook)
            if record is None and not chapter.n_cells:
                store(cache, chapter.notebook, chapter.path, seconds=0.0, peak_mb=0.0)
            elif record is None:
                todo.append(chapter)
            elif chapter.n_cells:
                seconds = record.get("execution_seconds", 0.0)
                peak_mb = record.get("peak_memory_mb", 0.0)
                times[chapter.docname] = RunTime(seconds, peak_mb, chapter.n_cells)
        if todo:
            self.execute(app, cache, todo, times)
        save_times(run_times(app), times_file(app))

    def execute(
        self, app: Sphinx, cache: Any, chapters: list[Chapter], times: dict[str, RunTime]
    ) -> None:
        """Run chapters side by side, and tell of all their faults at the end."""
        start = time.perf_counter()
        faults: dict[str, str] = {}
        ordered = slowest_first(chapters, load_times(times_file(app)))
        asyncio.run(self._run_all(app, cache, ordered, times, faults))
        self.wall_seconds = time.perf_counter() - start
        if faults:
            title = f"\nThe code of {len(faults)} of {len(chapters)} executed chapters failed."
            raise BuildStopped("\n\n".join([title, *(faults[doc] for doc in sorted(faults))]))

    async def _run_all(
        self,
        app: Sphinx,
        cache: Any,
        chapters: list[Chapter],
        times: dict[str, RunTime],
        faults: dict[str, str],
    ) -> None:
        # imported only here: a build that executes nothing does not wait for it
        from execute_kernel import run_chapter

        jobs = app.config.execute_jobs or available_cores()
        import_path = [str(Path(app.confdir, name).resolve()) for name in app.config.execute_path]
        gate = asyncio.Semaphore(jobs)

        async def run_one(chapter: Chapter) -> None:
            docname, notebook, path = chapter.docname, chapter.notebook, chapter.path
            async with gate:
                progress.started(docname, chapter.n_cells)
                outcome = await run_chapter(
                    notebook,
                    timeout=chapter.timeout,
                    import_path=import_path,
                    on_cell=lambda number: progress.reached(docname, number),
                    on_retry=lambda reason: progress.retried(docname, reason),
                )
            self.executed.add(docname)
            if outcome.faults:
                progress.finished(docname, f"failed after {outcome.seconds:.1f} s")
                told = [describe(fault, notebook, docname, path) for fault in outcome.faults]
                faults[docname] = "\n\n".join(told)
                return
            seconds, peak_mb = outcome.seconds, outcome.peak_mb
            progress.finished(docname, f"{seconds:.1f} s  {peak_mb:.0f} MB")
            store(cache, notebook, path, seconds=seconds, peak_mb=peak_mb)
            times[docname] = RunTime(seconds, peak_mb, chapter.n_cells)

        async with Progress(len(chapters), jobs) as progress:
            try:
                async with asyncio.TaskGroup() as group:
                    for chapter in chapters:
                        group.create_task(run_one(chapter))
            except BaseExceptionGroup as several:
                raise several.exceptions[0] from None

    def finish(self, app: Sphinx, exception: Exception | None) -> None:
        """Drop old caches, print where the book is and what its chapters took."""
        myst_nb_cache.single_nb_execution = self.original
        if exception is not None or app.config.nb_execution_mode != "cache":
            return
        prune_caches(Path(app.config.nb_execution_cache_path))
        if app.builder.name != "html":
            return
        times = run_times(app)
        if times:
            logger.info("\n%s", table(times, self.executed, self.wall_seconds))
        logger.info("\nThe book: %s", Path(app.outdir, "index.html"))


def slowest_first(chapters: list[Chapter], earlier: dict[str, RunTime]) -> list[Chapter]:
    """Order chapters so that none is left running alone at the end.

    A chapter that never ran is taken to need half a second a cell.
    """

    def key(chapter: Chapter) -> tuple[float, str]:
        known = earlier.get(chapter.docname)
        return -(known.seconds if known else 0.5 * chapter.n_cells), chapter.docname

    return sorted(chapters, key=key)


def read_chapter(env: BuildEnvironment, docname: str) -> Chapter | None:
    """Read a document as MyST-NB's parser will; None if that is not going to execute it."""
    path = Path(env.doc2path(docname))
    if path.suffix not in {".md", ".ipynb"}:
        return None
    md_config, nb_config = env.myst_config, env.mystnb_config  # type: ignore[attr-defined]
    if any(PurePosixPath(path).match(p) for p in nb_config.execution_excludepatterns):
        return None
    text = path.read_text(encoding=env.config.source_encoding)
    reader = create_nb_reader(str(path), md_config, nb_config, text)
    if reader is None:
        return None
    try:
        notebook = reader.read(text)
    except Exception as error:
        raise BuildStopped(f"{docname} cannot be read as a notebook: {error}") from error
    kernel = notebook.metadata.get("kernelspec", {}).get("name")
    for pattern, alias in nb_config.kernel_rgx_aliases.items():
        if kernel is not None and re.fullmatch(pattern, kernel):
            notebook.metadata["kernelspec"]["name"] = alias
            break
    overrides = nb_node_to_dict(notebook.metadata.get(nb_config.metadata_key, {}))
    overrides.pop("output_folder", None)
    with suppress(Exception):  # MyST-NB warns of what it cannot use, and goes on without it
        nb_config = nb_config.copy(**overrides)
    if nb_config.execution_mode == "off":
        return None
    if nb_config.execution_mode != "cache":
        raise BuildStopped(
            f"{docname} asks for execution_mode {nb_config.execution_mode!r}: "
            "this book knows 'cache' and 'off'"
        )
    limit = nb_config.execution_timeout
    return Chapter(docname, path, notebook, float(limit) if limit and limit > 0 else None)


def _refuse(env: BuildEnvironment) -> Any:
    def single_nb_execution(*_args: Any, **_options: Any) -> None:
        raise ExtensionError(
            f"{env.docname} was executed, yet MyST-NB does not find its outputs in the cache: "
            "does an extension change the cells while Sphinx reads them?"
        )

    return single_nb_execution


def build_folder(app: Sphinx, config: Config) -> Path:
    """Return the folder that holds the caches and the run times."""
    return Path(app.confdir, config.execute_build).resolve()


def times_file(app: Sphinx) -> Path:
    """Return the file of measurements, which lies beside and not inside the site."""
    return build_folder(app, app.config) / "run-times.json"


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the executor to the build."""
    app.setup_extension("myst_nb")
    app.add_config_value("execute_depends", [], "", list)
    app.add_config_value("execute_path", [], "", list)
    app.add_config_value("execute_build", "_build", "", str)
    app.add_config_value("execute_jobs", 0, "", int)
    executor = Executor()
    app.connect("config-inited", executor.choose_cache)
    app.connect("env-before-read-docs", executor.run)
    app.connect("build-finished", executor.finish)
    return {"version": VERSION, "parallel_read_safe": True, "parallel_write_safe": True}
