import itertools
import re
import subprocess
import sys

import numpy as np
import pytest

from dlcourse.plot.style import CYCLE, INK, LINE_STYLES, MARKERS, PALETTE, colour, soft

FILLS = [name for name in PALETTE if re.search(r"-(soft|\d)$", name)]
TEXT = [*CYCLE, "muted", "limit"]
PAPERS = {"white": ("#ffffff", 0), "black theme": ("#121212", 1), "pydata": ("#14181e", 1)}
BODY_TEXT = ("#000000", "#ced6dd")  # ink follows the page's text


def rgb(hex_value: str) -> np.ndarray:
    return np.array([int(hex_value[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(hex_value: str) -> np.ndarray:
    v = rgb(hex_value)
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def contrast(one: str, two: str) -> float:
    """Contrast ratio as WCAG 2 defines it."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, two))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_the_published_maximum():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", TEXT)
def test_lines_and_labels_can_be_read(name, paper):
    background, theme = PAPERS[paper]
    assert contrast(PALETTE[name][theme], background) >= 4.5


@pytest.mark.parametrize("theme", [0, 1])
def test_axes_are_visible(theme):
    assert contrast(PALETTE["axis"][theme], PALETTE["paper"][theme]) >= 2.5


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("name", FILLS)
def test_text_on_fills_can_be_read(name, theme):
    assert contrast(BODY_TEXT[theme], PALETTE[name][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("name", CYCLE)
def test_points_stand_out_from_their_region(name, theme):
    assert contrast(PALETTE[name][theme], PALETTE[f"{name}-soft"][theme]) >= 3


# Viénot, Brettel and Mollon (1999), for linear RGB: red-blind and green-blind vision.
BLIND = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def lab(values: np.ndarray) -> np.ndarray:
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(matrix) @ values / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("blindness", BLIND)
def test_the_first_two_class_colours_differ_for_the_colour_blind(blindness, theme):
    seen = [np.clip(np.array(BLIND[blindness]) @ linear(PALETTE[n][theme]), 0, 1) for n in CYCLE]
    assert np.linalg.norm(lab(seen[0]) - lab(seen[1])) > 40


def test_colour_never_stands_alone():
    assert len(set(MARKERS)) == len(set(map(str, LINE_STYLES))) == len(CYCLE)


def test_light_values_are_distinct_and_none_is_ink_or_white():
    lights = [light for light, _ in PALETTE.values()]
    assert len(set(lights)) == len(lights)
    assert not {INK, "#ffffff"} & set(lights)
    assert all(re.fullmatch("#[0-9a-f]{6}", c) for c in itertools.chain(*PALETTE.values()))


def test_names_and_palette_values_are_colours_and_nothing_else_is():
    assert colour("ink") == colour(INK) == INK
    assert colour(colour("limit")) == colour("limit")
    assert soft("green") == PALETTE["green-soft"][0]
    with pytest.raises(ValueError, match=r"no colour 'pink'.*ink, blue"):
        colour("pink")


def test_importing_changes_no_setting_of_matplotlib():
    code = (
        "import matplotlib as m; before = dict(m.rcParams); import dlcourse.plot;"
        "assert dict(m.rcParams) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
