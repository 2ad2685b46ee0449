"""A recording in time that comes with Matplotlib: the voltage across a nerve cell's membrane."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

__all__ = ["Recording", "membrane_potential"]


@dataclass(frozen=True, eq=False)  # comparing tensors gives no yes or no
class Recording:
    """Evenly spaced measurements.

    Attributes
    ----------
    values : Tensor, shape (n,), float32
        The measurements, in ``unit``.
    interval : float
        Seconds from one to the next.
    unit : str
        For instance ``"mV"``.
    source : str
        Where it comes from, and under which licence.
    """

    values: Tensor
    interval: float
    unit: str
    source: str

    @property
    def times(self) -> Tensor:
        """Time of each measurement in seconds, from 0; shape (n,), float64."""
        return torch.arange(len(self.values), dtype=torch.float64) * self.interval

    def every(self, k: int) -> "Recording":
        """Keep every k-th measurement, from the first.

        Raises
        ------
        ValueError
            If k is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        return Recording(self.values[::k].clone(), k * self.interval, self.unit, self.source)


def membrane_potential() -> Recording:
    """Load six seconds of a nerve cell's membrane potential, measured 2,000 times a second.

    The recording is one of Matplotlib's sample data (``membrane.dat``) and was drawn in its first
    logo, from 2003 to 2008. Its page on that logo gives the scale and the interval; which cell it
    was, of which animal, is not recorded.

    Returns
    -------
    Recording
        12,000 values in mV.

    Raises
    ------
    FileNotFoundError
        If Matplotlib was installed without its sample data, as some Linux distributions do.

    References
    ----------
    J. D. Hunter (2007), "Matplotlib: a 2D graphics environment", Computing in Science & Engineering
    9(3), 90-95, doi:10.1109/MCSE.2007.55.

    Examples
    --------
    >>> cell = membrane_potential()
    >>> cell.values.shape, cell.unit, round(cell.times[-1].item(), 4)
    (torch.Size([12000]), 'mV', 5.9995)
    """
    spec = find_spec("matplotlib")  # found without importing it
    folder = Path(spec.origin or "").parent if spec else Path()
    path = folder / "mpl-data" / "sample_data" / "membrane.dat"
    if not path.is_file():
        cure = "install Matplotlib from PyPI: python -m pip install matplotlib"
        raise FileNotFoundError(f"Matplotlib's sample data are not at {path}; {cure}")
    volts = np.fromfile(path, dtype="<f4")
    millivolts = torch.from_numpy(100 * volts.astype(np.float32))  # gain 10, and V to mV
    source = "Matplotlib's sample data membrane.dat, Matplotlib licence (BSD-compatible)"
    return Recording(millivolts, 0.0005, "mV", source)
