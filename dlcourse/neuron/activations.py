"""Activation functions, each with its derivative beside it.

Every function takes a floating-point tensor of any shape and returns one of the same shape and
dtype. The derivative of ``f`` is ``d_f`` and is written out by hand, as one would on paper; the
tests and the chapter compare it with autograd and with finite differences.
"""

import math

import torch
from torch import Tensor

__all__ = [
    "d_gelu",
    "d_leaky_relu",
    "d_relu",
    "d_sigmoid",
    "d_silu",
    "d_softplus",
    "d_step",
    "d_tanh",
    "gelu",
    "leaky_relu",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "step",
    "tanh",
]


def step(z: Tensor) -> Tensor:
    """Return 1 where z > 0 and 0 elsewhere, the perceptron's activation.

    Examples
    --------
    >>> step(torch.tensor([-1.0, 0.0, 3.0]))
    tensor([0., 0., 1.])
    """
    return (z > 0).to(z.dtype)


def d_step(z: Tensor) -> Tensor:
    """Return g'(z) = 0: the step is flat on both sides of its jump, so it gives no direction.

    At z = 0 the derivative does not exist; 0 is returned there too.

    Examples
    --------
    >>> d_step(torch.tensor([-1.0, 3.0]))
    tensor([0., 0.])
    """
    return torch.zeros_like(z)


def sigmoid(z: Tensor) -> Tensor:
    """Return g(z) = 1 / (1 + e⁻ᶻ), between 0 and 1.

    Written so that e is only ever raised to a negative power and cannot overflow.

    Examples
    --------
    >>> sigmoid(torch.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    positive = 1 / (1 + torch.exp(-z.clamp_min(0)))
    e = torch.exp(z.clamp_max(0))
    return torch.where(z >= 0, positive, e / (1 + e))


def d_sigmoid(z: Tensor) -> Tensor:
    """Return g'(z) = g(z)(1 - g(z)), at most 1/4, reached at z = 0.

    Examples
    --------
    >>> d_sigmoid(torch.tensor([0.0]))
    tensor([0.2500])
    """
    return sigmoid(z) * sigmoid(-z)  # 1 - g(z) = g(-z), without losing digits when g(z) is near 1


def tanh(z: Tensor) -> Tensor:
    """Return g(z) = (eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ) = 2·sigmoid(2z) - 1, between -1 and 1.

    Examples
    --------
    >>> tanh(torch.tensor([0.0, 100.0]))
    tensor([0., 1.])
    """
    return torch.tanh(z)


def d_tanh(z: Tensor) -> Tensor:
    """Return g'(z) = 1 - g(z)², at most 1, reached at z = 0.

    Examples
    --------
    >>> d_tanh(torch.tensor([0.0]))
    tensor([1.])
    """
    return 1 - torch.tanh(z) ** 2


def relu(z: Tensor) -> Tensor:
    """Return g(z) = max(0, z), the rectified linear unit.

    References
    ----------
    X. Glorot, A. Bordes, Y. Bengio (2011), "Deep sparse rectifier neural networks", AISTATS.

    Examples
    --------
    >>> relu(torch.tensor([-2.0, 3.0]))
    tensor([0., 3.])
    """
    return torch.where(z > 0, z, torch.zeros_like(z))


def d_relu(z: Tensor) -> Tensor:
    """Return g'(z) = 1 where z > 0, else 0.

    At the kink z = 0 every slope from 0 to 1 is a tangent (a subgradient); 0 is PyTorch's choice
    and ours.

    Examples
    --------
    >>> d_relu(torch.tensor([-2.0, 0.0, 3.0]))
    tensor([0., 0., 1.])
    """
    return (z > 0).to(z.dtype)


def leaky_relu(z: Tensor, *, slope: float = 0.01) -> Tensor:
    """Return z where z > 0, else ``slope``·z: a ReLU that never falls quite silent.

    References
    ----------
    A. L. Maas, A. Y. Hannun, A. Y. Ng (2013), "Rectifier nonlinearities improve neural network
    acoustic models", ICML workshop on deep learning for audio, speech and language processing.

    Examples
    --------
    >>> leaky_relu(torch.tensor([-2.0, 3.0]), slope=0.1)
    tensor([-0.2000,  3.0000])
    """
    return torch.where(z > 0, z, slope * z)


def d_leaky_relu(z: Tensor, *, slope: float = 0.01) -> Tensor:
    """Return 1 where z > 0, else ``slope``.

    Examples
    --------
    >>> d_leaky_relu(torch.tensor([-2.0, 3.0]), slope=0.1)
    tensor([0.1000, 1.0000])
    """
    return torch.where(z > 0, torch.ones_like(z), torch.full_like(z, slope))


def softplus(z: Tensor) -> Tensor:
    """Return g(z) = ln(1 + eᶻ), a ReLU with a rounded corner.

    Computed by ``torch.logaddexp``, which subtracts the maximum and so cannot overflow.

    Examples
    --------
    >>> softplus(torch.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0000e+03])
    """
    return torch.logaddexp(z, torch.zeros_like(z))


def d_softplus(z: Tensor) -> Tensor:
    """Return g'(z) = sigmoid(z).

    Examples
    --------
    >>> d_softplus(torch.tensor([0.0]))
    tensor([0.5000])
    """
    return sigmoid(z)


def silu(z: Tensor) -> Tensor:
    """Return g(z) = z·sigmoid(z), also called swish.

    References
    ----------
    S. Elfwing, E. Uchibe, K. Doya (2018), "Sigmoid-weighted linear units for neural network
    function approximation in reinforcement learning", Neural Networks 107, 3-11.

    Examples
    --------
    >>> silu(torch.tensor([0.0, 10.0]))
    tensor([0.0000, 9.9995])
    """
    return z * sigmoid(z)


def d_silu(z: Tensor) -> Tensor:
    """Return g'(z) = s + z·s(1 - s) with s = sigmoid(z).

    Examples
    --------
    >>> d_silu(torch.tensor([0.0]))
    tensor([0.5000])
    """
    return sigmoid(z) + z * d_sigmoid(z)


def gelu(z: Tensor) -> Tensor:
    """Return g(z) = z·Φ(z), with Φ the distribution function of a standard normal variable.

    References
    ----------
    D. Hendrycks, K. Gimpel (2016), "Gaussian error linear units (GELUs)", arXiv:1606.08415.

    Examples
    --------
    >>> gelu(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8413])
    """
    return z * _normal_cdf(z)


def d_gelu(z: Tensor) -> Tensor:
    """Return g'(z) = Φ(z) + z·φ(z), with φ the standard normal density.

    Examples
    --------
    >>> d_gelu(torch.tensor([0.0]))
    tensor([0.5000])
    """
    density = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return _normal_cdf(z) + z * density


def softmax(logits: Tensor, *, temperature: float = 1.0, dim: int = -1) -> Tensor:
    """Turn k numbers into k probabilities: pᵢ = e^(zᵢ/T) / Σⱼ e^(zⱼ/T).

    The largest number is subtracted first. That multiplies numerator and denominator by the same
    factor, so it changes nothing, and it keeps e^(…) from overflowing.

    Parameters
    ----------
    logits : Tensor, shape (..., k, ...)
        Any real numbers, one a class along ``dim``.
    temperature : float
        T > 0. Below 1 it sharpens the probabilities, above 1 it evens them out.
    dim : int
        The axis that runs over the classes.

    Returns
    -------
    Tensor
        Same shape; each value in [0, 1]; they sum to 1 along ``dim``.

    Raises
    ------
    ValueError
        If the temperature is not a positive number.

    References
    ----------
    J. S. Bridle (1990), "Probabilistic interpretation of feedforward classification network
    outputs, with relationships to statistical pattern recognition", Neurocomputing, 227-236,
    doi:10.1007/978-3-642-76153-9_28.

    Examples
    --------
    >>> softmax(torch.tensor([1000.0, 1000.0]))
    tensor([0.5000, 0.5000])
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be a positive number, got {temperature}")
    z = logits / temperature
    e = torch.exp(z - z.amax(dim=dim, keepdim=True))
    return e / e.sum(dim=dim, keepdim=True)


def _normal_cdf(z: Tensor) -> Tensor:
    """Φ(z), by the complementary error function, which keeps its digits in the left tail."""
    tail: Tensor = torch.special.erfc(-z / math.sqrt(2))
    return tail / 2
