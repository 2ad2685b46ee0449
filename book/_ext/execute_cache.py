"""Keep the outputs of chapters, and what running them took, between builds."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

VERSION = "1"
KEPT_CACHES = 3
# packages whose version shows in outputs, should it differ from the lock file's
PACKAGES = ("torch", "numpy", "matplotlib", "scikit-learn", "ipykernel", "ipython")


class BuildStopped(SystemExit):
    """The build ends with this message alone: to any other exception Sphinx adds pages of its own.

    Sphinx's record of what it has read stays as the last good build left it.
    """


class RunTime(NamedTuple):
    """What the last run of a chapter took."""

    seconds: float
    peak_mb: float
    cells: int


def fingerprint(sources: Iterable[Path]) -> str:
    """Hash all that outputs depend on beside the cells: these files and folders, and Python."""
    digest = hashlib.sha256()
    for text in (VERSION, platform.python_version(), *map(_version, PACKAGES)):
        digest.update(f"{text}\n".encode())
    # the environment of the kernels is code of ours: its own source stands for it
    for source in [Path(__file__).with_name("execute_kernel.py"), *sources]:
        if not source.exists():
            raise BuildStopped(f"execute_depends names {source}, which does not exist")
        for path in sorted(_files(source)):
            name = path.relative_to(source.parent).as_posix()
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _files(source: Path) -> Iterable[Path]:
    if source.is_file():
        return [source]
    return (
        path
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    )


def open_cache(folder: Path) -> Any:
    """Open a cache; one that an interrupted build left broken is emptied first."""
    cache = get_cache(str(folder))
    try:
        cache.list_cache_records()
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        cache = get_cache(str(folder))
    return cache


def find_cached(cache: Any, notebook: Any) -> dict[str, Any] | None:
    """Return what the cache remembers of a run of these cells; None if they must be run."""
    try:
        record = cache.match_cache_notebook(notebook)
        cache.get_cache_bundle(record.pk)
    except Exception:  # no such run, or its file was lost or half written
        return None
    return dict(record.data or {})


def store(cache: Any, notebook: Any, path: Path, *, seconds: float, peak_mb: float) -> None:
    """Put the executed notebook of a file into the cache."""
    if find_cached(cache, notebook) is not None:  # another chapter, or another build, was faster
        return
    data = {"execution_seconds": round(seconds, 3), "peak_memory_mb": round(peak_mb, 1)}
    bundle = CacheBundleIn(notebook, str(path), data=data)
    try:
        # what an interrupted build may have left in its place
        _, key = cache.create_hashed_notebook(notebook)
        shutil.rmtree(cache.path / "executed" / key, ignore_errors=True)
        # cells tagged skip-execution have no count: the cache would call the notebook invalid
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    except Exception as error:
        message = f"the outputs of {path} could not be kept in {cache.path}: {error}"
        raise BuildStopped(message) from error


def prune_caches(current: Path) -> None:
    """Delete all but the newest caches beside the current one."""
    if not current.is_dir():
        return
    os.utime(current)
    caches = [path for path in current.parent.iterdir() if re.fullmatch("[0-9a-f]{16}", path.name)]
    caches.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in caches[KEPT_CACHES:]:
        shutil.rmtree(path, ignore_errors=True)


def save_times(times: dict[str, RunTime], path: Path) -> None:
    """Write the measurements to a file; a reader of it never sees half of one."""
    content = {
        docname: {"seconds": round(t.seconds, 2), "peak_mb": round(t.peak_mb), "cells": t.cells}
        for docname, t in times.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf8")
    draft.replace(path)


def load_times(path: Path) -> dict[str, RunTime]:
    """Read the measurements of the previous run; empty where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf8"))
        return {docname: RunTime(**values) for docname, values in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def table(times: dict[str, RunTime], executed: set[str], wall_seconds: float) -> str:
    """Lay the measurements out as a table for the terminal."""
    width = max(len("chapter"), *map(len, times))
    rows = [f"{'chapter':{width}}  {'seconds':>7}  {'peak MB':>7}"]
    rows += [
        f"{docname:{width}}  {t.seconds:7.1f}  {t.peak_mb:7.0f}"
        + ("" if docname in executed else "  cached")
        for docname, t in times.items()
    ]
    total = sum(t.seconds for t in times.values())
    took = f"{'':9}  executed in {wall_seconds:.1f} s" if executed else ""
    rows.append(f"{'total':{width}}  {total:7.1f}{took}")
    return "\n".join(rows)
