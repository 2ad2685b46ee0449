"""The neocognitron against its formulas written with loops, its theory, and its own promises."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcourse.vision import neocognitron as neo


def rates(seed, *shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def taught(x, c, q, r, u):
    """What a cell says to u that has learnt x with rate q; x and u have shape (m, m)."""
    v = (c * x**2).sum().sqrt()
    a, b = (q * c * x)[None, None], (q / 2 * v)[None]
    return float(neo.s_cells(u[None, None], a, b, c, r)[0])


@pytest.mark.parametrize("padding", [0, 1])
def test_s_cells_equal_the_formula_of_1980_cell_by_cell(padding):
    u, a, b, c, r = rates(0, 2, 3, 6, 5), rates(1, 4, 3, 3, 3), rates(2, 4), rates(3, 3, 3), 1.5
    u_S, v = neo.s_cells(u, a, b, c, r, padding=padding)
    framed = torch.nn.functional.pad(u, (padding,) * 4)
    assert u_S.shape == (2, 4, 4 + 2 * padding, 3 + 2 * padding)
    for n in range(2):
        for i in range(u_S.shape[2]):
            for j in range(u_S.shape[3]):
                field = framed[n, :, i : i + 3, j : j + 3]
                rms = math.sqrt(float((c * field**2).sum()))
                assert float(v[n, 0, i, j]) == pytest.approx(rms, abs=1e-5)
                for k in range(4):
                    top = 1 + float((a[k] * field).sum())
                    bottom = 1 + 2 * r / (1 + r) * float(b[k]) * rms
                    want = r * max(0.0, top / bottom - 1)
                    assert float(u_S[n, k, i, j]) == pytest.approx(want, abs=1e-4)


@given(st.integers(0, 10_000), st.floats(0.2, 20), st.floats(0.1, 1e4), st.floats(0.1, 10))
def test_a_cell_fires_exactly_above_its_threshold_whatever_the_brightness(seed, r, q, brightness):
    c = neo.fall_off(3)
    x, u = rates(seed, 3, 3) ** 3, brightness * rates(seed + 1, 3, 3) ** 3
    cosine = float((c * x * u).sum() / ((c * x**2).sum() * (c * u**2).sum()).sqrt())
    theta = neo.threshold(r)
    if abs(cosine - theta) > 1e-3:
        assert (taught(x, c, q, r, u) > 0) == (cosine > theta)


@pytest.mark.parametrize("r", [0.5, 4.0])
def test_a_well_taught_cell_measures_the_angle(r):
    c, x = neo.fall_off(3), rates(0, 3, 3)
    for seed in range(1, 20):
        u = rates(seed, 3, 3)
        cosine = float((c * x * u).sum() / ((c * x**2).sum() * (c * u**2).sum()).sqrt())
        limit = max(0.0, (1 + r) * cosine - r)
        assert taught(x, c, 1e5, r, u) == pytest.approx(limit, abs=2e-3)
        Q = 3.0 * float(((c * x**2).sum() * (c * u**2).sum()).sqrt())
        exact = r * max(0.0, Q * (cosine - r / (1 + r)) / (1 + Q * r / (1 + r)))
        assert taught(x, c, 3.0, r, u) == pytest.approx(exact, abs=1e-4)


def test_c_cells_equal_their_formula():
    u_S, d = rates(0, 1, 3, 5, 5), neo.fall_off(3)
    got = neo.c_cells(u_S, d, alpha=0.7, stride=2, padding=1)
    assert got.shape == (1, 3, 3, 3)
    sums = [float((d * u_S[0, k, 1:4, 1:4]).sum()) for k in range(3)]
    for k in range(3):
        x = max(0.0, (1 + sums[k]) / (1 + sum(sums) / 3) - 1)
        assert float(got[0, k, 1, 1]) == pytest.approx(x / (0.7 + x), abs=1e-5)
    assert (got >= 0).all()
    assert (got < 1).all()


def test_planes_that_all_say_the_same_silence_the_c_cells():
    same = rates(0, 1, 1, 6, 6).expand(1, 4, 6, 6)
    assert neo.c_cells(same, neo.fall_off(3)).abs().max() < 1e-6


def test_representatives_are_one_a_plane_and_win_their_column():
    u_S = rates(0, 5, 9, 9)
    chosen = neo.representatives(u_S, column=3)
    assert 1 <= len(chosen) <= 5
    for k, place in chosen.items():
        i, j = divmod(place, 9)
        windows = [
            u_S[:, top : top + 3, left : left + 3]
            for top in range(0, 9, 2)
            for left in range(0, 9, 2)
            if top <= i < top + 3 and left <= j < left + 3
        ]
        assert any(float(w.max()) == float(u_S[k, i, j]) for w in windows)
    best = int(u_S.flatten().argmax())
    assert chosen[best // 81] == best % 81, "the largest of all always learns"


def test_columns_cover_the_edge_and_silence_chooses_nobody():
    u_S = torch.zeros(2, 8, 8)
    assert neo.representatives(u_S, column=3) == {}
    u_S[1, 7, 7] = 1.0
    assert neo.representatives(u_S, column=3) == {1: 63}


def test_learning_adds_what_the_representative_saw():
    stage = neo.Stage(1, 3, field=3, pool=3, q=2.0, padding=1)
    before = stage.a.clone()
    image = torch.zeros(1, 1, 7, 7)
    image[0, 0, 2:5, 3] = 1.0
    stage.learn(image)
    (k,) = stage.b.nonzero().flatten()[:1].tolist()
    gained = stage.a[k, 0] - before[k, 0]
    seen = gained / (2.0 * stage.c)
    assert torch.allclose(seen, seen.round(), atol=1e-5), "Δa is q c u, and u is 0 or 1"
    v = float((stage.c * seen.round() ** 2).sum().sqrt())
    assert float(stage.b[k]) == pytest.approx(2.0 / 2 * v, rel=1e-5)
    silent = stage.b == 0
    assert torch.equal(stage.a[silent], before[silent]), "planes without representative keep still"


def test_orthogonal_strokes_get_planes_of_their_own():
    upright, level = torch.zeros(1, 1, 9, 9), torch.zeros(1, 1, 9, 9)
    upright[..., 2:7, 4], level[..., 4, 2:7] = 1.0, 1.0
    stage = neo.Stage(1, 12, field=3, pool=3, r=4.0, padding=1)
    stage.learn(torch.cat([upright, level] * 3))
    middle = stage.s(torch.cat([upright, level]))[:, :, 4, 4]
    best = middle.argmax(1)
    assert best[0] != best[1]
    assert middle[0, best[1]] == 0, "the plane of level strokes is silent at upright ones"
    assert middle[1, best[0]] == 0


def test_a_shift_by_one_cell_shifts_the_answers():
    model = neo.Neocognitron((6, 10, 12), seed=0)
    images = torch.zeros(8, 1, 16, 16)
    images[:, :, 5:10, 5:10] = rates(0, 8, 1, 5, 5)
    model.learn(images)
    one, two, _ = model.stages
    here, moved = two(one(images)), two(one(images.roll(2, 3)))
    assert here.max() > 0.1
    assert torch.allclose(moved[..., 1:7], here[..., 0:6], atol=1e-5)


def test_the_seed_decides_and_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    a, b, other = (neo.Neocognitron((3, 3, 3), seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    images = rates(0, 4, 1, 16, 16)
    for model in (a, b, other):
        model.learn(images)
    assert torch.equal(a(images), b(images))
    assert not torch.equal(a.stages[0].a, other.stages[0].a)


def test_planes_are_named_and_read():
    R = torch.tensor(
        [[0.9, 0.0, 0.1], [0.8, 0.1, 0.0], [0.0, 0.5, 0.2], [0.6, 0.1, 0.0], [0, 0, 0]]
    )
    labels = neo.label_planes(R, torch.tensor([3, 3, 1, 2, 2]), 4)
    assert labels.tolist() == [3, 1, -1], "a majority, and silence does not vote"
    fresh = torch.tensor([[0.1, 0.2, 0.9], [0.3, 0.2, 0.0], [0.0, 0.0, 0.9]])
    assert neo.read_planes(fresh, labels).tolist() == [1, 3, -1]


@settings(max_examples=30)
@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.sampled_from([1, 3]),
    st.integers(4, 9), st.integers(4, 9), st.sampled_from([0, 1, 3]), st.integers(1, 2),
)  # fmt: skip
def test_shapes_of_a_stage(n, K_in, K, field, H, W, pool, stride):
    stage = neo.Stage(K_in, K, field=field, pool=pool, stride=stride, padding=field // 2)
    u = rates(n, n, K_in, H, W)
    stage.learn(u)
    out = stage(u)
    size = (1, 1) if pool == 0 else (-(-H // stride), -(-W // stride))
    assert out.shape == (n, K, *size)
    assert (out >= 0).all()
    assert (out < 1).all()
    assert 1 <= int((stage.b > 0).sum()) <= K


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_rates_are_finite_and_not_negative(bad):
    stage = neo.Stage(1, 2, field=3, pool=3, padding=1)
    u = torch.zeros(1, 1, 5, 5)
    u[0, 0, 2, 2] = bad
    with pytest.raises(ValueError, match="finite and not negative"):
        stage(u)
    with pytest.raises(ValueError, match="finite and not negative"):
        stage.learn(u)


@given(st.floats(max_value=0) | st.sampled_from([math.inf, math.nan]))
def test_a_selectivity_that_cannot_be_meant_is_refused(r):
    with pytest.raises(ValueError, match="selectivity r must be positive"):
        neo.threshold(r)


def test_wrong_shapes_and_settings_say_what_was_expected():
    with pytest.raises(ValueError, match=r"needs u of shape \(n, 1, H, W\)"):
        neo.Stage(1, 2, field=3, pool=3)(torch.zeros(1, 2, 5, 5))
    with pytest.raises(ValueError, match=r"u_S of shape \(n, K, H, W\)"):
        neo.c_cells(torch.zeros(2, 3), neo.fall_off(3))
    with pytest.raises(ValueError, match="alpha > 0"):
        neo.c_cells(torch.zeros(1, 1, 3, 3), neo.fall_off(3), alpha=0.0)
    with pytest.raises(ValueError, match="at least 1"):
        neo.Stage(1, 0, field=3, pool=3)
    with pytest.raises(ValueError, match="base in"):
        neo.fall_off(3, 1.5)
    with pytest.raises(ValueError, match="a label from 0 to 9 for each of 2 responses"):
        neo.label_planes(torch.zeros(2, 3), torch.tensor([1]), 10)
    with pytest.raises(ValueError, match="labels from 0 to 12"):
        neo.label_planes(torch.zeros(2, 3), torch.tensor([0, 12]), 10)


def test_it_learns_digits_without_labels_and_forgives_a_shift():
    from dlcourse import data

    digits = data.digits()
    images = torch.nn.functional.pad(digits.images[:500, None], (4, 4, 4, 4))
    model = neo.Neocognitron(seed=0)
    model.learn(images[:400], (40, 60, 400))
    labels = neo.label_planes(model(images[:400]), digits.y[:400], 10)
    for shift, least in ((0, 0.65), (2, 0.6)):
        said = neo.read_planes(model(images[400:].roll(shift, 3)), labels)
        assert float((said == digits.y[400:500]).float().mean()) > least
