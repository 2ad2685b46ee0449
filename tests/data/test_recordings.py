import subprocess
import sys

import pytest
import torch

from dlcourse import data
from dlcourse.data import recordings


def test_the_recording_is_matplotlibs():
    from matplotlib.cbook import get_sample_data  # where it officially lives

    cell = data.membrane_potential()
    raw = get_sample_data("membrane.dat", asfileobj=False)
    with open(raw, "rb") as file:
        content = bytearray(file.read())
    assert torch.allclose(cell.values, 100 * torch.frombuffer(content, dtype=torch.float32))
    assert cell.values.shape == (12_000,)
    assert bool(cell.values.isfinite().all())
    assert -100 < float(cell.values.min()) < float(cell.values.max()) < 60  # mV, not V
    assert (cell.interval, cell.unit) == (0.0005, "mV")
    assert float(cell.times[2000]) == pytest.approx(1.0)
    assert "BSD" in cell.source


def test_every_keeps_places_and_times():
    cell = data.membrane_potential()
    coarse = cell.every(4)
    assert coarse.values.shape == (3000,)
    assert torch.equal(coarse.values[7], cell.values[28])
    assert float(coarse.times[7]) == pytest.approx(float(cell.times[28]))
    with pytest.raises(ValueError, match="at least 1, got 0"):
        cell.every(0)


def test_matplotlib_is_found_but_not_imported():
    code = "import sys; from dlcourse import data; data.membrane_potential(); "
    code += "assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_sample_data_it_says_what_to_do(monkeypatch, tmp_path):
    class Spec:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(recordings, "find_spec", lambda name: Spec)
    with pytest.raises(FileNotFoundError, match="install Matplotlib"):
        data.membrane_potential()
    monkeypatch.setattr(recordings, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="install Matplotlib"):
        data.membrane_potential()
