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
    for part in ("neuron", "learning", "vision", "sequences", "generative")
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
    "learning/loss": "assert abs(m.bayes_error(2.0) - 0.158655) < 1e-6",
    "learning/gradient_descent": "assert m.SpeedLimits(1.0, 9.0).best_factor == 0.8",
    "learning/backpropagation": "w = m.Value(3.0); (w * w).backward(); assert w.grad == 6.0",
    "learning/vanishing_gradients": "assert round(m.gaussian_mean(lambda z: z**2, 3.0), 9) == 3",
    "learning/sweeps": (
        "import torch; X, y = torch.eye(4), torch.arange(4); net = torch.nn.Linear(4, 4); "
        "assert len(m.train([net], X, y, n_epochs=3, batch_size=2)[0].train_loss) == 3"
    ),
    "learning/stochastic_gradient_descent": "assert m.polyak(1, 9) == (0.25, 0.25)",
    "learning/regularization": "import torch; assert m.dropout(torch.ones(3), 0.0).sum() == 3",
    "vision/visual_cortex": "assert round(m.gabor_half_width(0.4, 0.56), 1) == 19.4",
    "vision/neocognitron": "assert m.threshold(4.0) == 0.8",
    "vision/kernels": "assert m.output_size(28, 5, padding=2) == 28",
    "vision/dna_motifs": (
        "import torch; pwm = torch.tensor([[0.5], [0.5], [0.0], [0.0]]); "
        "assert m.information_content(pwm).item() == 1"
    ),
    "vision/convolutional_networks": "assert m.n_parameters(m.LeNet5()) == 60_850",
    "sequences/recurrent_networks": "assert round(m.mean_field(0.5, 0.0)[0], 9) == 0.25",
    "sequences/gated_networks": (
        "import torch; outputs, (h, c) = m.run(m.LSTMCell(1, 2), torch.ones(3, 4, 1)); "
        "assert torch.equal(h, outputs[:, -1])"
    ),
    "sequences/cpg_islands": (
        "import torch; step = torch.full((2, 2), 0.5); "
        "assert m.carry(torch.ones(1), step).item() == 0"
    ),
    "sequences/word_embeddings": (
        "import torch; "
        "assert m.pmi(torch.tensor([[3.0, 1.0], [1.0, 3.0]])).exp()[0, 0].item() == 1.5"
    ),
    "generative/autoencoders": (
        "import torch; axes = m.pca(torch.tensor([[0.0, 1.0], [2.0, 1.0]]), 1); "
        "assert round(axes.variances[0].item(), 5) == 1"
    ),
    "generative/variational_autoencoders": (
        "import torch; assert m.gaussian_kl(torch.tensor(2.0), torch.tensor(0.0)).item() == 2"
    ),
    "generative/gans": (
        "import torch; "
        "assert m.best_discriminator(torch.tensor([3.0]), torch.tensor([1.0])).item() == 0.75"
    ),
    "generative/digit_gans": "import torch; assert m.frechet_floor(torch.eye(2), 100, 100) == 0.07",
    "generative/real_or_fake": "assert round(m.tame_accuracy(0.7, 1), 3) == 0.585",
    "generative/attention_and_diffusion": (
        "import torch; answers, _ = m.attend(torch.zeros(1, 2), torch.ones(2, 2), "
        "torch.tensor([[1.0], [3.0]])); assert answers.item() == 2"
    ),
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
