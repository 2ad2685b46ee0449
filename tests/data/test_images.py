"""Photographs as scikit-learn ships them, and micrographs that keep what they promise."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_sample_image

from dlcourse.data import micrograph, photograph


@pytest.mark.parametrize("name", ["china", "flower"])
def test_a_photograph_is_the_brightness_of_the_colours(name):
    grey = photograph(name)
    red, green, blue = torch.from_numpy(load_sample_image(f"{name}.jpg").copy()).double().unbind(2)
    assert grey.dtype == torch.float32
    assert 0 <= float(grey.min()) < float(grey.max()) <= 1
    expected = (0.299 * red + 0.587 * green + 0.114 * blue) / 255
    assert torch.allclose(grey.double(), expected, atol=1e-5)


def test_an_unknown_photograph_is_named():
    with pytest.raises(ValueError, match=r"china and flower, got 'cat'"):
        photograph("cat")


@given(st.integers(1, 20), st.integers(0, 1000), st.floats(0.5, 2.5))
@settings(deadline=None, max_examples=30)
def test_the_truth_of_a_micrograph_is_true(n, seed, width):
    m = micrograph(n, seed=seed, width=width)
    r = len(m.spot) // 2
    assert m.centres.shape == (n, 2)
    assert float(m.clean.sum()) == pytest.approx(n * float(m.spot.sum()), rel=1e-4)
    for i, j in m.centres.tolist():
        assert torch.equal(m.clean[i - r : i + r + 1, j - r : j + r + 1], m.spot)
    assert m.best_signal_to_noise == pytest.approx(float(m.spot.norm()) / 0.8)


def test_the_noise_is_white_and_of_the_given_size():
    m = micrograph(seed=1, size=400, noise=0.5)
    rest = m.image - m.clean
    assert float(rest.std()) == pytest.approx(0.5, rel=0.01)
    assert abs(float((rest[:, 1:] * rest[:, :-1]).mean())) < 4 * 0.25 / 400


def test_a_seed_gives_the_same_picture_again_and_leaves_the_global_dice_alone():
    before = torch.random.get_rng_state()
    assert torch.equal(micrograph(seed=4).image, micrograph(seed=4).image)
    assert not torch.equal(micrograph(seed=4).image, micrograph(seed=5).image)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_without_noise_nothing_limits():
    m = micrograph(3, seed=0, noise=0.0)
    assert torch.equal(m.image, m.clean)
    assert m.best_signal_to_noise == float("inf")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_spots": 0}, "n_spots ≥ 1"),
        ({"width": 0.0}, "width > 0"),
        ({"noise": -1.0}, "noise ≥ 0"),
        ({"noise": float("nan")}, "noise ≥ 0"),
        ({"n_spots": 60, "size": 40}, "do not find room"),
        ({"size": 10}, "do not find room"),
    ],
)
def test_what_cannot_be_drawn_is_named(options, said):
    with pytest.raises(ValueError, match=said):
        micrograph(seed=0, **options)
