"""Run a notebook from top to bottom with another Python: `run_notebooks.py PYTHON NOTEBOOK FOLDER`.

It runs in FOLDER, which must not exist. The first error ends it, with status 1 and the error's
traceback; else the output is a JSON list of what the cells that check exercises have printed.
"""

import json
import os
import sys
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

SECONDS = 600
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
NOT_PASSED_ON = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MPLBACKEND", "PYTHONWARNINGS")


class OnePython(KernelSpecManager):
    """Offers the kernel of one Python only."""

    python = Path(sys.executable)

    def get_kernel_spec(self, kernel_name):
        options = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
        argv = [str(self.python), *options]
        return KernelSpec(argv=argv, language="python", display_name=kernel_name)


def run(python: Path, notebook: Path, folder: Path) -> nbformat.NotebookNode:
    """Run a notebook from top to bottom in an empty folder; the first error ends it."""
    folder.mkdir(parents=True)
    try:
        return _run(python, notebook, folder)
    except RuntimeError as error:
        if type(error) is not RuntimeError:  # the kernel had started
            raise
        # now and then another process takes the port of a new kernel
        print(f"{notebook.name}: {error}; once more")
        return _run(python, notebook, folder)


def _run(python: Path, notebook: Path, folder: Path) -> nbformat.NotebookNode:
    specs = OnePython()
    specs.python = python
    connection = folder.parent / f"{folder.name}.json"
    connection.unlink(missing_ok=True)
    manager = KernelManager(kernel_spec_manager=specs, connection_file=str(connection))
    env = {name: text for name, text in os.environ.items() if name not in NOT_PASSED_ON}
    env |= ONE_THREAD | {"IPYTHONDIR": f"{folder}-ipython", "CUDA_VISIBLE_DEVICES": ""}
    client = NotebookClient(
        nbformat.read(notebook, as_version=4),
        km=manager,
        timeout=SECONDS,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        return client.execute(env=env)
    finally:
        if manager.has_kernel:  # nbclient leaves a kernel running that it was given
            manager.shutdown_kernel(now=True)


def answers(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what the checks of a notebook that was run have printed."""
    return [
        "".join(output.get("text", "") for output in cell.outputs).strip()
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.startswith("# Run this cell to check")
    ]


if __name__ == "__main__":
    try:
        done = run(*map(Path, sys.argv[1:4]))
    except CellExecutionError as error:
        raise SystemExit(f"{sys.argv[2]}: {error}") from None
    print(json.dumps(answers(done)))
