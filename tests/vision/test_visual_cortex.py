"""Slits, gratings, cells and spikes against closed forms, geometry and the Poisson distribution."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.vision import visual_cortex as v1

SCREEN = v1.Screen()
CYCLE = torch.arange(0.0, 360.0)
angles = st.floats(-360, 360)


def pair(**settings):
    return v1.gabor(SCREEN, **settings), v1.gabor(SCREEN, phase=90.0, **settings)


@given(angles, st.floats(0.1, 2.0), st.floats(1.0, 3.0))
def test_a_slit_has_the_area_of_its_sides(angle, width, length):
    image = v1.slit(SCREEN, angle, width=width, length=length)
    assert float(image.mean()) * 36 == pytest.approx(width * length, rel=0.04)
    assert 0 <= float(image.min()) <= float(image.max()) <= 1


@given(angles, st.floats(-1, 1), st.floats(-1, 1))
def test_a_slit_lies_where_it_is_put(angle, x, y):
    image = v1.slit(SCREEN, angle, width=0.3, centre=(x, y))
    at = (torch.arange(96).double() + 0.5) / 16 - 3
    mean_x = float((image.sum(0) * at).sum() / image.sum())
    mean_y = float((image.sum(1) * -at).sum() / image.sum())
    assert (mean_x, mean_y) == (pytest.approx(x, abs=0.01), pytest.approx(y, abs=0.01))


def test_orientation_turns_counter_clockwise_and_repeats_after_half_a_turn():
    tilted = v1.slit(SCREEN, 45.0, length=4.0)
    assert float(tilted[:48, 48:].sum()) > 0.4 * float(tilted.sum())  # upper right
    assert torch.allclose(v1.slit(SCREEN, 20.0), v1.slit(SCREEN, 200.0))
    assert torch.allclose(v1.slit(SCREEN, 90.0), v1.slit(SCREEN, 0.0).T)


def test_a_grating_is_its_formula():
    image = v1.grating(SCREEN, 90.0, frequency=0.5, phase=30.0, contrast=0.4)
    x = (torch.arange(96).double() + 0.5) / 16 - 3
    row = 0.4 * (2 * math.pi * 0.5 * -x - math.pi / 6).cos()
    assert torch.allclose(image, row.expand(96, 96))


def test_many_images_at_once_are_those_one_by_one():
    orientations, phases = torch.tensor([0.0, 33.0, 90.0]), torch.tensor([0.0, 70.0, 200.0])
    centres = (torch.tensor([0.0, 0.5, -1.0]), torch.tensor([0.2, 0.0, 0.1]))
    fields = v1.gabor(SCREEN, orientations, phase=phases, centre=centres)
    slits = v1.slit(SCREEN, orientations, centre=centres)
    stripes = v1.grating(SCREEN, orientations, phase=phases)
    for i in range(3):
        centre = float(centres[0][i]), float(centres[1][i])
        angle, phase = float(orientations[i]), float(phases[i])
        one = v1.gabor(SCREEN, angle, phase=phase, centre=centre)
        assert torch.allclose(fields[i], one)
        assert torch.allclose(slits[i], v1.slit(SCREEN, angle, centre=centre))
        assert torch.allclose(stripes[i], v1.grating(SCREEN, angle, phase=phase))


@given(angles, angles)
def test_drive_by_its_own_grating_is_the_cosine_of_the_phase(angle, phase):
    drive = v1.drive(v1.grating(SCREEN, angle, phase=phase), v1.gabor(SCREEN, angle))
    assert float(drive) == pytest.approx(math.cos(math.radians(phase)), abs=1e-4)


@given(angles, st.floats(0.2, 1.6), st.floats(0.0, 90.0))
def test_drive_by_any_grating_is_the_gabors_fourier_transform(angle, frequency, tilt):
    even, odd = pair(orientation=angle)
    images = v1.grating(SCREEN, angle + tilt, frequency=frequency, phase=torch.tensor([0.0, 90.0]))
    f_u, f_v = frequency * math.cos(math.radians(tilt)), frequency * math.sin(math.radians(tilt))

    def lobe(centre):
        across, along = 0.5 * (f_u - centre), 0.7 * f_v
        return math.exp(-2 * math.pi**2 * (across**2 + along**2))

    assert float(v1.drive(images[0], even)) == pytest.approx(lobe(0.8) + lobe(-0.8), abs=1e-4)
    assert float(v1.drive(images[1], odd)) == pytest.approx(lobe(0.8) - lobe(-0.8), abs=1e-4)


def test_a_simple_cell_has_pi_half_and_a_complex_cell_zero():
    even, odd = pair(orientation=60.0)
    images = v1.grating(SCREEN, 60.0, phase=CYCLE)
    simple = v1.modulation_ratio(v1.simple_cell(images, even))
    energy = v1.complex_cell(images, even, odd)
    assert float(simple) == pytest.approx(math.pi / 2, abs=1e-4)
    assert float(v1.modulation_ratio(energy)) < 1e-12
    ripple = 4 * math.exp(-8 * math.pi**2 * 0.4**2)  # the lobe at the opposite frequency
    assert float((energy.max() - energy.min()) / energy.mean()) == pytest.approx(ripple, rel=0.05)


def test_energy_is_four_half_squared_simple_cells():
    dice = torch.Generator().manual_seed(0)
    images = torch.randn(20, 96, 96, generator=dice, dtype=torch.float64)
    four = v1.gabor(SCREEN, 30.0, phase=torch.tensor([0.0, 90.0, 180.0, 270.0]))
    pooled = v1.simple_cell(images[:, None], four).square().sum(1)
    assert torch.allclose(pooled, v1.complex_cell(images, *pair(orientation=30.0)))


def test_a_threshold_is_taken_off_and_nothing_goes_below_zero():
    weights = torch.tensor([[1.0, -1.0]])
    images = torch.tensor([[[3.0, 1.0]], [[1.0, 3.0]]])
    assert v1.simple_cell(images, weights, threshold=0.5).tolist() == [1.5, 0.0]


@given(st.floats(0.3, 0.6), st.floats(0.3, 0.8))
def test_half_width_of_a_gabor_is_what_its_formula_says(n_across, n_along):
    field = v1.gabor(SCREEN, 40.0, frequency=1.0, sigma_across=n_across, sigma_along=n_along)
    tuning = v1.drive(v1.grating(SCREEN, torch.arange(0.0, 180.0, 2.0), frequency=1.0), field)
    expected = v1.gabor_half_width(n_across, n_along)
    assert v1.half_width(tuning.clamp_min(0)) == pytest.approx(expected, abs=0.5)


def test_half_width_of_a_round_gabor_and_of_one_too_small_to_be_tuned():
    by_hand = math.degrees(2 * math.asin(math.sqrt(math.log(2) / 8) / (math.pi * 0.5)))
    assert v1.gabor_half_width(0.5, 0.5) == pytest.approx(by_hand)
    assert math.isnan(v1.gabor_half_width(0.05, 0.05))


@pytest.mark.parametrize("peak", [0, 7, 179])
def test_half_width_goes_around_the_circle(peak):
    away = (torch.arange(180.0) - peak + 90) % 180 - 90
    assert v1.half_width((-(away**2) / (2 * 20**2)).exp()) == pytest.approx(
        20 * math.sqrt(2 * math.log(2)), abs=0.02
    )
    assert math.isnan(v1.half_width(torch.ones(180)))


@given(st.floats(-3, 0.95))
def test_modulation_ratio_of_a_clipped_cosine(threshold):
    t = torch.arange(0, 7200).double() / 3600 * math.pi
    ratio = float(v1.modulation_ratio((t.cos() - threshold).clamp_min(0)))
    a = math.acos(threshold) if threshold > -1 else math.pi
    mean = math.sin(a) - threshold * a
    if threshold <= -1:
        assert ratio == pytest.approx(-1 / threshold, abs=1e-6)
    else:
        first = a - math.sin(a) * math.cos(a)
        assert ratio == pytest.approx(first / mean, abs=1e-3)
    assert 0 <= ratio <= 2


def test_modulation_ratio_works_on_many_cells_and_skips_the_second_harmonic():
    t = torch.arange(0, 72).double() / 36 * math.pi
    cells = torch.stack([1 + 0.3 * t.cos(), t.cos() ** 2, t.cos().clamp_min(0) ** 2])
    expected = torch.tensor([0.3, 0.0, 16 / (3 * math.pi)]).double()
    assert torch.allclose(v1.modulation_ratio(cells), expected, atol=1e-3)


def test_spikes_have_the_mean_and_the_variance_of_a_poisson_process():
    rate = torch.cat([torch.zeros(500), torch.full((500,), 80.0)])
    counts = v1.poisson_spikes(rate, n_trials=4000, seed=1)
    assert counts.shape == (4000, 1000)
    assert int(counts[:, :500].sum()) == 0
    totals = counts.sum(1).double()
    assert float(totals.mean()) == pytest.approx(40, abs=5 * math.sqrt(40 / 4000))
    assert float(totals.var()) == pytest.approx(40, rel=0.12)
    assert torch.equal(counts, v1.poisson_spikes(rate, n_trials=4000, seed=1))
    assert not torch.equal(counts, v1.poisson_spikes(rate, n_trials=4000, seed=2))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: v1.Screen(width=0.0), "width must be positive"),
        (lambda: v1.slit(SCREEN, width=-0.1), "width must be positive and finite, got -0.1"),
        (lambda: v1.slit(SCREEN, length=math.nan), "length must be positive"),
        (lambda: v1.gabor(SCREEN, sigma_along=0.0), "sigma_along must be positive"),
        (lambda: v1.grating(SCREEN, frequency=9.0), "at most 8 cycles/degree, got 9"),
        (lambda: v1.drive(torch.ones(3, 3), torch.ones(4, 3)), r"got \(3, 3\) and \(4, 3\)"),
        (lambda: v1.poisson_spikes(torch.tensor([-1.0]), seed=0), "rate must be one row"),
        (lambda: v1.poisson_spikes(torch.ones(3), dt=0.0, seed=0), "dt must be positive"),
        (lambda: v1.poisson_spikes(torch.ones(3), n_trials=0, seed=0), "n_trials must be"),
        (lambda: v1.modulation_ratio(torch.tensor([1.0, -1.0, 0.0])), "responses ≥ 0"),
        (lambda: v1.modulation_ratio(torch.zeros(8)), "never responds"),
        (lambda: v1.modulation_ratio(torch.ones(2)), "3 or more phases"),
        (lambda: v1.half_width(torch.zeros(8)), "one of them above 0"),
        (lambda: v1.half_width(torch.ones(3)), "4 or more"),
        (lambda: v1.gabor_half_width(0.0, 1.0), "n_across must be positive"),
    ],
)
def test_bad_input_is_refused_in_words(call, says):
    with pytest.raises(ValueError, match=says):
        call()
