"""Simulated patients: their sizes, their spread, and the limit that nothing exceeds."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.data import patients


@given(st.integers(2, 30), st.integers(1, 6), st.integers(1, 12), st.integers(0, 99))
def test_every_patient_has_all_samples_and_one_diagnosis(n_patients, n_samples, D, seed):
    cohort = patients(n_patients, n_samples, n_measurements=D, seed=seed)
    assert cohort.X.shape == (n_patients * n_samples, D)
    assert cohort.patient.bincount().tolist() == [n_samples] * n_patients
    by_patient = cohort.y.view(n_patients, n_samples)
    assert bool((by_patient == by_patient[:, :1]).all())
    assert int(by_patient[:, 0].sum()) == n_patients // 2


@pytest.mark.parametrize(
    ("signal", "patient_sd", "noise_sd"), [(1, 1, 0.5), (0.5, 0.3, 0), (2, 0, 1)]
)
def test_the_bayes_rule_reaches_the_bayes_accuracy(signal, patient_sd, noise_sd):
    """The best rule looks along u alone, as patients and noise spread alike everywhere."""
    cohort = patients(
        40_000, 1, n_measurements=8, signal=signal, patient_sd=patient_sd, noise_sd=noise_sd, seed=1
    )
    right = (cohort.X.sum(1) > 0) == (cohort.y == 1)
    error = math.sqrt(cohort.bayes_accuracy * (1 - cohort.bayes_accuracy) / 40_000)
    assert abs(float(right.double().mean()) - cohort.bayes_accuracy) < 4 * error


def test_no_signal_is_a_coin():
    assert patients(10, 2, signal=0.0, seed=0).bayes_accuracy == 0.5


def test_samples_of_a_patient_are_alike():
    cohort = patients(300, 5, n_measurements=20, signal=0.0, patient_sd=2.0, noise_sd=0.5, seed=0)
    X = cohort.X.view(300, 5, 20)
    assert float(X.std(1).square().mean()) == pytest.approx(0.25, rel=0.05)
    assert float(X.mean(1).square().mean()) == pytest.approx(4 + 0.25 / 5, rel=0.05)


def test_a_cohort_follows_its_seed_and_leaves_the_global_state_alone():
    before = torch.random.get_rng_state()
    one, same, other = (patients(6, 2, seed=s) for s in (1, 1, 2))
    assert torch.equal(one.X, same.X)
    assert not torch.equal(one.X, other.X)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_patients": 1}, "n_patients must be at least 2, got 1"),
        ({"n_samples": 0}, "n_samples must be at least 1, got 0"),
        ({"n_measurements": 0}, "n_measurements must be at least 1"),
        ({"signal": -1.0}, "signal must be a number that is not negative"),
        ({"noise_sd": float("nan")}, "noise_sd must be a number"),
        ({"patient_sd": 0.0, "noise_sd": 0.0}, "both 0"),
    ],
)
def test_impossible_cohorts_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        patients(**options, seed=0)
