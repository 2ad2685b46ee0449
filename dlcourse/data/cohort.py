"""Patients who give several samples each, with the best possible accuracy on a new patient.

Samples of one patient resemble one another more than those of two patients, ill or well. A model
that has seen a patient before can recognize the patient instead of the illness.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

__all__ = ["Cohort", "patients"]


@dataclass(frozen=True, eq=False)  # comparing tensors gives no yes or no
class Cohort:
    """Samples of patients, their diagnoses, and which patient each sample is from.

    Attributes
    ----------
    X : Tensor, shape (n, D), float32
        One sample a row, D measurements each.
    y : Tensor, shape (n,), int64
        The patient's diagnosis: 1 ill, 0 well.
    patient : Tensor, shape (n,), int64
        The patient's number, 0 … n_patients - 1.
    bayes_accuracy : float
        Accuracy of the Bayes rule on a sample of a *new* patient, which nothing can exceed.
    """

    X: Tensor
    y: Tensor
    patient: Tensor
    bayes_accuracy: float


def patients(
    n_patients: int = 60,
    n_samples: int = 8,
    *,
    n_measurements: int = 30,
    signal: float = 1.0,
    patient_sd: float = 1.0,
    noise_sd: float = 0.5,
    seed: int,
) -> Cohort:
    """Draw several samples from each of many patients, half of whom are ill.

    x = ±signal·u + patient effect + noise, where u is a direction of length 1 that is the same in
    every cohort, with + for the ill. The patient effect is drawn once for each patient, from
    N(0, patient_sd²·I), and the noise for each sample, from N(0, noise_sd²·I). For a new patient
    both are unknown, so the limit is Φ(signal / √(patient_sd² + noise_sd²)).

    Parameters
    ----------
    n_patients : int
        Number of patients, at least 2; half of them (rounded down) are ill.
    n_samples : int
        Samples of each patient, at least 1.
    n_measurements : int
        Measurements D of each sample, at least 1.
    signal : float
        How far the illness moves the mean, ≥ 0; the classes are 2·signal apart.
    patient_sd, noise_sd : float
        Standard deviations of patient effect and noise, ≥ 0, not both 0.
    seed : int
        Seed of the draw; PyTorch's global generator is neither used nor changed.

    Returns
    -------
    Cohort
        Sorted by patient.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> cohort = patients(20, 3, seed=0)
    >>> cohort.X.shape, cohort.patient[:7].tolist(), round(cohort.bayes_accuracy, 3)
    (torch.Size([60, 30]), [0, 0, 0, 1, 1, 1, 2], 0.814)
    """
    counts = {"n_patients": (n_patients, 2), "n_samples": (n_samples, 1)}
    for name, (value, least) in (counts | {"n_measurements": (n_measurements, 1)}).items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    for name, size in {"signal": signal, "patient_sd": patient_sd, "noise_sd": noise_sd}.items():
        if not 0 <= size < math.inf:
            raise ValueError(f"{name} must be a number that is not negative, got {size}")
    spread = math.hypot(patient_sd, noise_sd)
    if spread == 0:
        raise ValueError("patient_sd and noise_sd are both 0, so all samples would be alike")
    dice = torch.Generator().manual_seed(seed)
    ill = (torch.arange(n_patients) % 2)[torch.randperm(n_patients, generator=dice)]
    effect = torch.randn(n_patients, n_measurements, generator=dice, dtype=torch.float64)
    patient = torch.arange(n_patients).repeat_interleave(n_samples)
    noise = torch.randn(len(patient), n_measurements, generator=dice, dtype=torch.float64)
    u = torch.full((n_measurements,), n_measurements**-0.5, dtype=torch.float64)
    y = ill[patient]
    X = signal * (2 * y[:, None] - 1) * u + patient_sd * effect[patient] + noise_sd * noise
    return Cohort(X.float(), y, patient, NormalDist().cdf(signal / spread))
