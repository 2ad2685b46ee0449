"""Every activation against PyTorch, every derivative against autograd and finite differences."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from dlcourse.neuron import activations

TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
}
numbers = st.floats(-700, 700, allow_nan=False)


def pair(name):
    return getattr(activations, name), getattr(activations, f"d_{name}")


@pytest.mark.parametrize("name", TORCH)
@given(values=st.lists(numbers, min_size=1, max_size=20))
def test_value_equals_pytorch(name, values):
    z = torch.tensor(values, dtype=torch.float64)
    g, _ = pair(name)
    # softplus: PyTorch returns z itself above 20, where ln(1 + e^z) - z is up to 2e-9
    assert torch.allclose(g(z), TORCH[name](z), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", TORCH)
@given(values=st.lists(numbers, min_size=1, max_size=20))
def test_derivative_equals_autograd(name, values):
    g, dg = pair(name)
    for function in (TORCH[name], g):  # PyTorch's, and ours as autograd sees it, at 0 as well
        z = torch.tensor([0.0, *values], dtype=torch.float64, requires_grad=True)
        function(z).sum().backward()
        assert torch.allclose(dg(z.detach()), z.grad, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", TORCH)
def test_derivative_equals_central_difference(name):
    z = torch.linspace(-9.95, 9.95, 200, dtype=torch.float64)  # never closer than 0.05 to a kink
    g, dg = pair(name)
    h = 1e-5
    assert torch.allclose(dg(z), (g(z + h) - g(z - h)) / (2 * h), atol=1e-9)


@pytest.mark.parametrize("name", ["step", *TORCH])
def test_shape_dtype_and_extremes(name):
    g, dg = pair(name)
    for dtype in (torch.float32, torch.float64):
        z = torch.tensor([[-1e4, -1.0, 0.0], [1e-3, 2.0, 1e4]], dtype=dtype)
        for out in (g(z), dg(z)):
            assert out.shape == z.shape
            assert out.dtype == dtype
            assert out.isfinite().all()


def test_step_and_its_useless_derivative():
    z = torch.tensor([-2.0, 0.0, 1e-30, 5.0])
    assert activations.step(z).tolist() == [0, 0, 1, 1]
    assert activations.d_step(z).tolist() == [0, 0, 0, 0]


def test_largest_slopes():
    z = torch.arange(-20_000, 20_001, dtype=torch.float64) / 1000  # holds 0 exactly
    assert activations.d_sigmoid(z).max() == 0.25
    assert activations.d_tanh(z).max() == 1.0
    assert activations.d_relu(z).max() == 1.0


def test_sigmoid_keeps_its_digits_in_the_tail():
    z = torch.tensor([-700.0, 40.0], dtype=torch.float64)
    assert activations.sigmoid(z)[0].item() == pytest.approx(math.exp(-700), rel=1e-12)
    assert activations.d_sigmoid(z)[1].item() == pytest.approx(math.exp(-40), rel=1e-12)


logits = st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=1, max_size=6)


@given(values=logits, shift=numbers)
def test_softmax_is_a_distribution_and_ignores_a_shift(values, shift):
    z = torch.tensor(values, dtype=torch.float64)
    p = activations.softmax(z)
    assert torch.allclose(p, torch.softmax(z, -1), atol=1e-14)
    assert ((p >= 0) & (p <= 1)).all()
    assert torch.allclose(p.sum(-1), torch.ones(len(z), dtype=torch.float64))
    assert torch.allclose(p, activations.softmax(z + shift), atol=1e-10)


@given(numbers, numbers)
def test_softmax_of_two_is_the_sigmoid_of_the_difference(a, b):
    p = activations.softmax(torch.tensor([a, b], dtype=torch.float64))
    want = activations.sigmoid(torch.tensor([a - b, b - a], dtype=torch.float64))
    assert torch.allclose(p, want, atol=1e-14)


def test_softmax_along_another_axis_and_at_a_temperature():
    z = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)).double()
    assert torch.allclose(activations.softmax(z, dim=1), torch.softmax(z, 1))
    assert torch.allclose(activations.softmax(z, temperature=0.5), torch.softmax(2 * z, -1))


def test_softmax_does_not_overflow():
    p = activations.softmax(torch.tensor([1e30, -1e30, 1e30]))
    assert p.tolist() == [0.5, 0.0, 0.5]


@pytest.mark.parametrize("T", [0.0, -1.0, float("nan"), float("inf")])
def test_temperature_must_be_positive(T):
    with pytest.raises(ValueError, match="temperature must be a positive number, got"):
        activations.softmax(torch.zeros(2), temperature=T)
