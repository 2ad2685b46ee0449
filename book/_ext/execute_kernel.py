"""Run one chapter in a kernel of its own, the same on every machine and in every home folder."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import STDOUT
from typing import Any

from execute_faults import Fault, raised, warned
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

KERNEL_ENVIRONMENT = {
    # one thread a kernel: sums are added in the same order however many chapters run beside it
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",
    "CUDA_VISIBLE_DEVICES": "",
}
# what a reader may have set for their own sessions, and would change the pages
NOT_PASSED_ON = ("PYTHONSTARTUP", "COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "MPLBACKEND")
START_TIMEOUT = 60.0
OUTPUT_TIMEOUT = 60  # seconds that the outputs of a finished cell may still be under way

QUIET = logging.getLogger("execute.kernel")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class KernelStartError(Exception):
    """The kernel never answered."""


@dataclass(frozen=True)
class Outcome:
    """What a run of a chapter gave; the outputs are in the notebook itself."""

    seconds: float
    peak_mb: float
    faults: tuple[Fault, ...]


class OwnPython(KernelSpecManager):
    """Offer the running Python's own ipykernel, whatever kernels the reader has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(argv=kernel_command(), language="python", display_name=kernel_name)


def kernel_command() -> list[str]:
    """Return the command that starts a kernel."""
    return [
        *(sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"),
        "--HistoryManager.hist_file=:memory:",
    ]


def kernel_environment(folder: Path, import_path: Sequence[str]) -> dict[str, str]:
    """Return the environment of a kernel whose private files lie in `folder`."""
    environment = {name: text for name, text in os.environ.items() if name not in NOT_PASSED_ON}
    environment |= KERNEL_ENVIRONMENT
    # an empty profile and an empty style sheet instead of those in the reader's home
    environment["IPYTHONDIR"] = str(folder / "ipython")
    environment["MATPLOTLIBRC"] = str(folder / "matplotlibrc")
    paths = [*import_path, environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment


@asynccontextmanager
async def running_kernel(
    import_path: Sequence[str],
) -> AsyncIterator[tuple[AsyncKernelManager, AsyncKernelClient]]:
    """Start a kernel in an empty folder, and kill it however the block ends."""
    with tempfile.TemporaryDirectory(prefix="chapter-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        work, log = folder / "work", folder / "kernel.log"
        work.mkdir()
        (folder / "matplotlibrc").touch()
        manager = AsyncKernelManager(
            kernel_spec_manager=OwnPython(log=QUIET),
            connection_file=str(folder / "connection.json"),
            log=QUIET,
        )
        client: AsyncKernelClient | None = None
        try:
            with log.open("wb") as stream:
                await manager.start_kernel(
                    env=kernel_environment(folder, import_path),
                    cwd=str(work),
                    stdout=stream,
                    stderr=STDOUT,
                )
            client = manager.client()
            client.start_channels()
            try:
                await client.wait_for_ready(timeout=START_TIMEOUT)
            except RuntimeError as error:
                lines = log.read_text(errors="replace").strip().splitlines()
                raise KernelStartError(lines[-1] if lines else str(error)) from None
            yield manager, client
        finally:
            if client is not None:
                client.stop_channels()
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)
            else:
                await manager.cleanup_resources()


async def run_chapter(
    notebook: Any,
    *,
    timeout: float | None,
    import_path: Sequence[str] = (),
    on_cell: Callable[[int], None] = lambda number: None,
    on_retry: Callable[[str], None] = lambda reason: None,
) -> Outcome:
    """Execute a notebook in place; a kernel that does not start is given one more try."""
    for last_try in (False, True):
        try:
            return await _run_once(
                notebook, timeout=timeout, import_path=import_path, on_cell=on_cell
            )
        except KernelStartError as error:
            reason = str(error)
        if not last_try:
            on_retry(reason)
    fault = Fault(f"the kernel did not start, twice: {reason}", _code_cells(notebook)[0])
    return Outcome(0.0, 0.0, (fault,))


async def _run_once(
    notebook: Any,
    *,
    timeout: float | None,
    import_path: Sequence[str],
    on_cell: Callable[[int], None],
) -> Outcome:
    async with running_kernel(import_path) as (manager, client):
        client.allow_stdin = False
        reply = await client.kernel_info(reply=True, timeout=START_TIMEOUT)
        notebook.metadata["language_info"] = reply["content"]["language_info"]
        runner = NotebookClient(
            notebook,
            km=manager,
            iopub_timeout=OUTPUT_TIMEOUT,
            raise_on_iopub_timeout=True,
            record_timing=False,  # times in the cells would change the cache key, and the pages
            log=QUIET,
        )
        runner.kc = client
        start = time.perf_counter()
        faults = await _run_cells(runner, timeout=timeout, on_cell=on_cell)
        seconds = time.perf_counter() - start
        peak_mb = await _ask_peak_memory(client) if not faults else 0.0
        return Outcome(seconds, peak_mb, faults)


async def _run_cells(
    runner: Any, *, timeout: float | None, on_cell: Callable[[int], None]
) -> tuple[Fault, ...]:
    """Run the cells in order: an exception ends the chapter, a warning does not."""
    faults: list[Fault] = []
    index = 0
    try:
        async with asyncio.timeout(timeout):
            for number, index in enumerate(_code_cells(runner.nb), start=1):
                on_cell(number)
                cell = runner.nb.cells[index]
                fatal = await _run_cell(runner, cell, index)
                # a warning comes before the exception that it may explain
                faults += [fault for fault in (warned(cell, index), fatal) if fault]
                if fatal:
                    break
    except TimeoutError:
        faults.append(Fault(f"the chapter ran longer than {timeout:g} s, up to this cell", index))
    runner.set_widgets_metadata()
    return tuple(faults)


async def _run_cell(runner: Any, cell: Any, index: int) -> Fault | None:
    try:
        await runner.async_execute_cell(cell, index, execution_count=runner.code_cells_executed + 1)
    except CellExecutionError as error:
        return raised(cell, index, ename=error.ename, evalue=error.evalue)
    except CellTimeoutError:
        return Fault(f"outputs did not arrive within {OUTPUT_TIMEOUT} s of the cell's end", index)
    except DeadKernelError:
        # nbclient reports a cancelled task (timeout, Ctrl-C) as a dead kernel, too
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from None
        return Fault("the kernel died while this cell ran (out of memory, or a crash)", index)
    return None


def _code_cells(notebook: Any) -> list[int]:
    return [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in MB (10⁶ bytes)."""
    import sys

    if sys.platform == "linux":
        # not ru_maxrss: there, a child's figure starts from its parent's, which is Sphinx
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:
        import psutil

        return float(psutil.Process().memory_info().peak_wset / 1e6)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)


async def _ask_peak_memory(client: AsyncKernelClient) -> float:
    reply = await client.execute(
        inspect.getsource(peak_memory_mb),
        silent=True,
        user_expressions={"peak": f"{peak_memory_mb.__name__}()"},
        reply=True,
        timeout=START_TIMEOUT,
    )
    return float(reply["content"]["user_expressions"]["peak"]["data"]["text/plain"])
