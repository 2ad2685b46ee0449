"""Convolution three ways against PyTorch and SciPy; fields against gradients; costs by counting."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from dlcourse.vision import kernels
from dlcourse.vision.kernels import KERNELS

FORMS = [kernels.conv2d_loops, kernels.conv2d_unfold, kernels.conv2d_fft]


@st.composite
def problems(draw):
    """Draw images, kernels and options that fit."""
    small = st.integers(1, 3)
    K, L, dilation, stride = draw(small), draw(small), draw(small), draw(small)
    padding = draw(st.integers(0, 3))
    H = draw(st.integers(max(1, dilation * (K - 1) + 1 - 2 * padding), 9))
    W = draw(st.integers(max(1, dilation * (L - 1) + 1 - 2 * padding), 9))
    B, C, O = draw(st.integers(1, 2)), draw(small), draw(small)  # noqa: E741
    dice = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    x = torch.randn(B, C, H, W, generator=dice, dtype=torch.float64)
    weight = torch.randn(O, C, K, L, generator=dice, dtype=torch.float64)
    return x, weight, {"stride": stride, "padding": padding, "dilation": dilation}


@pytest.mark.parametrize("form", FORMS)
@given(problem=problems())
@settings(max_examples=60, deadline=None)
def test_every_form_equals_conv2d(form, problem):
    x, weight, options = problem
    theirs = F.conv2d(x, weight, **options)
    ours = form(x, weight, **options)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert torch.allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_gradients_flow_as_in_conv2d(form):
    x = torch.randn(1, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    options = {"stride": 2, "padding": 1, "dilation": 2}
    ours = torch.autograd.grad(form(x, weight, **options).square().sum(), (x, weight))
    theirs = torch.autograd.grad(F.conv2d(x, weight, **options).square().sum(), (x, weight))
    assert all(torch.allclose(a, b) for a, b in zip(ours, theirs, strict=True))


def test_it_is_a_correlation_and_the_turned_kernel_a_convolution():
    dice = torch.Generator().manual_seed(3)
    image = torch.randn(7, 8, generator=dice, dtype=torch.float64)
    kernel = torch.randn(3, 3, generator=dice, dtype=torch.float64)
    ours = kernels.conv2d_loops(image[None, None], kernel[None, None])[0, 0].numpy()
    assert ours == pytest.approx(correlate2d(image, kernel, mode="valid"))
    assert ours == pytest.approx(convolve2d(image, kernel.flip(0, 1), mode="valid"))
    assert ours != pytest.approx(convolve2d(image, kernel, mode="valid"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("x", "weight", "options", "said"),
    [
        ((3, 3), (1, 1, 2, 2), {}, r"\(B, C, H, W\).*got \(3, 3\)"),
        ((1, 2, 3, 3), (1, 1, 2, 2), {}, "same C"),
        ((1, 1, 3, 3), (1, 1, 4, 4), {}, "a kernel of 4 .* spans 4 .* only 3"),
        ((1, 1, 3, 3), (1, 1, 2, 2), {"dilation": 3}, "spans 4"),
        ((1, 1, 3, 3), (1, 1, 2, 2), {"stride": 0}, "stride is at least 1, got 0"),
        ((1, 1, 3, 3), (1, 1, 2, 2), {"padding": -1}, "padding is at least 0, got -1"),
    ],
)
def test_bad_input_is_named(form, x, weight, options, said):
    with pytest.raises(ValueError, match=said):
        form(torch.ones(x), torch.ones(weight), **options)


@pytest.mark.parametrize("form", FORMS)
def test_wrong_types_are_named(form):
    x = torch.ones(1, 1, 3, 3)
    with pytest.raises(TypeError, match=r"one dtype, got torch.float32 and torch.float64"):
        form(x, torch.ones(1, 1, 2, 2).double())
    with pytest.raises(TypeError, match="stride is a whole number"):
        form(x, torch.ones(1, 1, 2, 2), stride=1.5)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 2)), max_size=4))
@settings(deadline=None, max_examples=40)
def test_receptive_fields_are_what_the_gradient_reaches(layers):
    fields = kernels.receptive_fields(layers)
    size, jump = fields[-1] if fields else (1, 1)
    n = size + jump  # room for two units at the end of the stack
    x = torch.ones(1, 1, n, dtype=torch.float64, requires_grad=True)
    y = x
    for k, s, d in layers:
        y = F.conv1d(y, torch.ones(1, 1, k, dtype=torch.float64), stride=s, dilation=d)
    assert y.shape[-1] == 2
    reached = [torch.autograd.grad(y[0, 0, i], x, retain_graph=True)[0][0, 0] for i in (0, 1)]
    first, second = (r.nonzero() for r in reached)
    assert int(first.max() - first.min()) + 1 == size
    assert int(second.min() - first.min()) == jump


def test_receptive_fields_of_published_stacks():
    vgg = [(3, 1, 1), (3, 1, 1), (2, 2, 1)] * 2 + ([(3, 1, 1)] * 3 + [(2, 2, 1)]) * 3
    assert kernels.receptive_fields(vgg)[-1] == (212, 32)  # VGG-16: Araujo et al. 2019
    wavenet = [(2, 1, 2**i) for i in range(10)]
    assert kernels.receptive_fields(wavenet)[-1].size == 1024  # van den Oord et al. 2016


@pytest.mark.parametrize("layer", [(3, 1), (0, 1, 1), (3, 0, 1), (3, 1, 0)])
def test_bad_layers_are_named(layer):
    with pytest.raises(ValueError, match="is"):
        kernels.receptive_fields([layer])


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000))
@settings(deadline=None)
def test_an_outer_product_is_separated(k, n, seed):
    dice = torch.Generator().manual_seed(seed)
    kernel = torch.outer(torch.rand(k, generator=dice) + 0.1, torch.rand(n, generator=dice) + 0.1)
    column, row = kernels.separate(kernel)
    assert (column.shape, row.shape) == ((k, 1), (1, n))
    assert torch.allclose(column @ row, kernel, atol=1e-5)
    assert float(column.norm()) == pytest.approx(float(row.norm()), rel=1e-4)


def test_which_named_kernels_are_separable():
    ranks = {name: int(torch.linalg.matrix_rank(kernel)) for name, kernel in KERNELS.items()}
    assert ranks == {
        "identity": 1, "blur": 1, "sharpen": 2, "edge": 2, "sobel_x": 1, "sobel_y": 1, "emboss": 3,
    }  # fmt: skip
    for name, kernel in KERNELS.items():
        if ranks[name] == 1:
            column, row = kernels.separate(kernel)
            assert torch.allclose(column @ row, kernel, atol=1e-6)
        else:
            with pytest.raises(ValueError, match=f"this has rank {ranks[name]}"):
                kernels.separate(kernel)


@pytest.mark.parametrize(
    "bad", [torch.zeros(3, 3), torch.ones(3), torch.ones(0, 3), torch.full((2, 2), float("nan"))]
)
def test_what_cannot_be_separated_is_refused(bad):
    with pytest.raises(ValueError, match=r"rank 0|matrix of finite numbers"):
        kernels.separate(bad)


@pytest.mark.parametrize("k", [3, 5, 11])
def test_costs_are_what_pytorch_counts(k):
    n = 32
    padded = torch.empty(1, 1, n + k - 1, n + k - 1, device="meta")
    with FlopCounterMode(display=False) as counter:
        F.conv2d(padded, torch.empty(1, 1, k, k, device="meta"))
    assert kernels.costs(n, k).direct == counter.get_total_flops() // 2
    with FlopCounterMode(display=False) as counter:
        columns = F.conv2d(padded, torch.empty(1, 1, k, 1, device="meta"))
        F.conv2d(columns, torch.empty(1, 1, 1, k, device="meta"))
    assert kernels.costs(n, k).separable == counter.get_total_flops() // 2


@pytest.mark.parametrize(("n", "k", "side"), [(30, 3, 32), (31, 3, 64), (448, 65, 512)])
def test_the_cost_of_fourier_counts_butterflies(n, k, side):
    one_row, length = 0, side
    while length > 1:  # side/length pieces, each with length/2 products
        one_row += side // length * (length // 2)
        length //= 2
    assert kernels.costs(n, k).fft == 4 * (3 * 2 * side * one_row + side**2)


@pytest.mark.parametrize(("n", "k"), [(0, 3), (3, 0)])
def test_a_cost_needs_an_image_and_a_kernel(n, k):
    with pytest.raises(ValueError, match="is at least 1, got 0"):
        kernels.costs(n, k)
