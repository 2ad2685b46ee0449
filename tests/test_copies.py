"""The copy rule: a concept module alone in a folder, beside torch and numpy, imports and works."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dlcourse

PACKAGE = Path(dlcourse.__file__).parent
CONCEPTS = sorted(
    path
    for part in ("neuron", "learning")
    for path in (PACKAGE / part).glob("*.py")
    if path.stem != "__init__"
)
# Whatever is not torch, numpy or the standard library is hidden from the copy.
HIDE = """
import sys
for name in ("dlcourse", "sklearn", "matplotlib", "tqdm"):
    sys.modules[name] = None
"""
WORKS = {
    "neuron/perceptron": "assert int(m.learnable_functions(2).sum()) == 14",
    "neuron/activations": "import torch; assert m.d_sigmoid(torch.zeros(1)) == 0.25",
    "neuron/multilayer": "assert m.count_linear_pieces(m.sawtooth_network(3)) == 8",
    "learning/regularization": "import torch; assert m.dropout(torch.ones(3), 0.0).sum() == 3",
}


def _slug(module):
    return f"{module.parent.name}/{module.stem}"


@pytest.mark.parametrize("module", CONCEPTS, ids=_slug)
def test_a_copied_module_works_alone(module, tmp_path):
    shutil.copy(module, tmp_path)
    code = f"{HIDE}\nimport {module.stem} as m\n{WORKS[_slug(module)]}\nprint(m.__file__)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()).parent.samefile(tmp_path)
