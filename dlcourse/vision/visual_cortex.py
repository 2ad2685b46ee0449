"""Hubel and Wiesel's cells: slits and gratings, simple cells, complex cells, and their spikes.

Lengths are in degrees of visual angle, orientations in degrees counter-clockwise from horizontal;
the orientation of a receptive field is that of the line it prefers. Images are luminances above
the background, of shape (H, W) with row 0 on top. A `Number` is a float, or a tensor of shape (n,)
with one value for each image; the result then has shape (n, H, W). Everything is float64.

References
----------
D. H. Hubel and T. N. Wiesel (1962), "Receptive fields, binocular interaction and functional
architecture in the cat's visual cortex", Journal of Physiology 160, 106-154,
doi:10.1113/jphysiol.1962.sp006837.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "Screen",
    "complex_cell",
    "drive",
    "gabor",
    "gabor_half_width",
    "grating",
    "half_width",
    "modulation_ratio",
    "poisson_spikes",
    "simple_cell",
    "slit",
]

Number = float | Tensor


@dataclass(frozen=True)
class Screen:
    """A square screen, centre (0, 0), of size × size pixels and ``width`` degrees a side."""

    size: int = 96
    width: float = 6.0

    def __post_init__(self) -> None:
        _need_positive(size=float(self.size), width=self.width)

    def axes(self, orientation: Number, centre: tuple[Number, Number]) -> tuple[Tensor, Tensor]:
        """Return how far each pixel lies along and across a line, in degrees: two (..., H, W)."""
        at = ((torch.arange(self.size).double() + 0.5) / self.size - 0.5) * self.width
        x, y = at - _each(centre[0]), -at[:, None] - _each(centre[1])
        angle = torch.deg2rad(_each(orientation))
        return x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()


def slit(
    screen: Screen,
    orientation: Number = 0.0,
    *,
    width: Number = 0.125,
    length: Number = 2.5,
    centre: tuple[Number, Number] = (0.0, 0.0),
) -> Tensor:
    """Shine a slit of light: 1 inside, 0 outside, a fraction where its edge cuts a pixel.

    A slit that moves in direction d is a slit with centres (s cos d, s sin d), one image for each
    moment. Raises ValueError if width or length is not positive.

    Examples
    --------
    >>> round(float(slit(Screen(), 90.0, width=0.5).mean()) * 6.0**2, 9)  # 0.5° by 2.5°
    1.25
    """
    _need_positive(width=width, length=length)
    sides = zip(screen.axes(orientation, centre), (_each(length), _each(width)), strict=True)
    pixel = screen.width / screen.size
    along, across = (((side + pixel) / 2 - at.abs()).clamp_min(0) / pixel for at, side in sides)
    return along.clamp_max(1) * torch.minimum(across, _each(width) / pixel).clamp_max(1)


def grating(
    screen: Screen,
    orientation: Number = 0.0,
    *,
    frequency: Number = 0.8,
    phase: Number = 0.0,
    contrast: Number = 1.0,
) -> Tensor:
    """Draw stripes: contrast · cos(2π · frequency · (distance across the stripes) - phase).

    ``frequency`` is in cycles per degree of visual angle, ``phase`` in degrees of a cycle. Stripes
    drift towards orientation + 90° as the phase grows. Raises ValueError if a cycle is narrower
    than two pixels.

    Examples
    --------
    >>> grating(Screen(), 45.0, phase=torch.tensor([0.0, 90.0, 180.0])).shape
    torch.Size([3, 96, 96])
    """
    finest = screen.size / screen.width / 2
    if not bool((torch.as_tensor(frequency).abs() <= finest).all()):
        raise ValueError(f"this screen shows at most {finest:g} cycles/degree, got {frequency}")
    _, across = screen.axes(orientation, (0.0, 0.0))
    return _each(contrast) * _waves(across, frequency, phase)


def gabor(
    screen: Screen,
    orientation: Number = 0.0,
    *,
    frequency: Number = 0.8,
    phase: Number = 0.0,
    sigma_across: Number = 0.5,
    sigma_along: Number = 0.7,
    centre: tuple[Number, Number] = (0.0, 0.0),
) -> Tensor:
    """Return the weights of a simple cell: a grating that fades out like a Gaussian.

    The envelope's standard deviations are in degrees, the phase is measured from ``centre``. A
    grating of full contrast and of the cell's own orientation, frequency and phase drives it
    with 1. Raises ValueError if a standard deviation is not positive.

    References
    ----------
    J. G. Daugman (1985), "Uncertainty relation for resolution in space, spatial frequency, and
    orientation optimized by two-dimensional visual cortical filters", Journal of the Optical
    Society of America A 2, 1160-1169, doi:10.1364/JOSAA.2.001160.

    Examples
    --------
    >>> round(float(drive(grating(Screen(), 30.0), gabor(Screen(), 30.0))), 3)
    1.0
    """
    _need_positive(sigma_across=sigma_across, sigma_along=sigma_along)
    along, across = screen.axes(orientation, centre)
    s_u, s_v = _each(sigma_across), _each(sigma_along)
    envelope = (-(across**2) / (2 * s_u**2) - along**2 / (2 * s_v**2)).exp()
    scale = (screen.width / screen.size) ** 2 / (math.pi * s_u * s_v)
    return scale * envelope * _waves(across, frequency, phase)


def drive(images: Tensor, weights: Tensor) -> Tensor:
    """Return Σ weight · luminance over the last two axes; both need the same height and width."""
    if images.shape[-2:] != weights.shape[-2:]:
        raise ValueError(
            f"images and weights must have the same height and width, got {tuple(images.shape)} "
            f"and {tuple(weights.shape)}"
        )
    return (images * weights).sum((-2, -1))


def simple_cell(images: Tensor, weights: Tensor, *, threshold: float = 0.0) -> Tensor:
    """Return the responses (...) of a simple cell to images (..., H, W): drive above threshold.

    Examples
    --------
    >>> simple_cell(torch.ones(2, 3, 3), torch.eye(3), threshold=1.0)
    tensor([2., 2.])
    """
    return (drive(images, weights) - threshold).clamp_min(0)


def complex_cell(images: Tensor, even: Tensor, odd: Tensor) -> Tensor:
    """Return the responses (...) of a complex cell by the energy model, even² + odd².

    ``even`` and ``odd`` are two receptive fields a quarter of a cycle apart.

    References
    ----------
    E. H. Adelson and J. R. Bergen (1985), "Spatiotemporal energy models for the perception of
    motion", Journal of the Optical Society of America A 2, 284-299, doi:10.1364/JOSAA.2.000284.

    Examples
    --------
    >>> pair = gabor(Screen()), gabor(Screen(), phase=90.0)
    >>> images = grating(Screen(), phase=torch.tensor([0.0, 50.0, 100.0]))
    >>> complex_cell(images, *pair).round(decimals=3)
    tensor([1., 1., 1.], dtype=torch.float64)
    """
    return drive(images, even).square() + drive(images, odd).square()


def poisson_spikes(rate: Tensor, *, dt: float = 0.001, n_trials: int = 1, seed: int) -> Tensor:
    """Draw spikes by chance: in each step of ``dt`` seconds a Poisson number of mean rate · dt.

    ``rate`` has shape (T,), in spikes per second; the counts have shape (n_trials, T). Raises
    ValueError if a rate is negative or not finite, or if there is no step or trial.

    Examples
    --------
    >>> counts = poisson_spikes(torch.full((1000,), 50.0), n_trials=200, seed=0)
    >>> bool(48 < counts.sum(1).double().mean() < 52)
    True
    """
    if rate.ndim != 1 or not bool(((rate >= 0) & rate.isfinite()).all()):
        raise ValueError("rate must be one row of finite numbers ≥ 0, in spikes per second")
    _need_positive(dt=dt, n_trials=float(n_trials))
    dice = torch.Generator().manual_seed(seed)
    return torch.poisson((rate * dt).expand(n_trials, -1), generator=dice).long()


def modulation_ratio(response: Tensor) -> Tensor:
    """Return F1/F0: how strongly a response waxes and wanes with a drifting grating.

    F0 is the mean over one cycle, F1 the amplitude of the first harmonic. ``response`` has shape
    (..., T), at T ≥ 3 equally spaced phases of one cycle. The ratio lies between 0 and 2; above 1
    a cell is called simple. Raises ValueError if a response is negative, or always 0.

    References
    ----------
    B. C. Skottun et al. (1991), "Classifying simple and complex cells on the basis of response
    modulation", Vision Research 31, 1079-1086, doi:10.1016/0042-6989(91)90033-2.

    Examples
    --------
    >>> wave = torch.linspace(0, 2 * math.pi, 721)[:-1].double().cos()
    >>> round(float(modulation_ratio(wave.clamp_min(0))), 4)  # π/2
    1.5708
    """
    T = response.shape[-1]
    if T < 3 or not bool((response >= 0).all()):
        raise ValueError(f"need responses ≥ 0 at 3 or more phases of one cycle, got {response}")
    mean = response.mean(-1)
    if not bool((mean > 0).all()):
        raise ValueError("a cell that never responds has no F1/F0: its mean response is 0")
    first_harmonic: Tensor = 2 * torch.fft.rfft(response)[..., 1].abs() / T
    return first_harmonic / mean


def half_width(response: Tensor) -> float:
    """Return the half-width at half-height of a tuning curve, in degrees.

    ``response`` has shape (n,), at n ≥ 4 orientations in equal steps over 180°. Half the distance
    between the places left and right of the peak at which half of it is left, by straight lines
    between the points; NaN if the curve stays above half. Raises ValueError if the cell is silent.

    Examples
    --------
    >>> half_width(90 - (torch.arange(180.0) - 90).abs())
    45.0
    """
    n = len(response)
    if n < 4 or not float(response.max()) > 0:
        raise ValueError(f"need 4 or more responses, one of them above 0, got {response}")
    peak, distance = int(response.argmax()), 0.0
    for way in (1, -1):
        curve = [float(response[(peak + way * k) % n] / response[peak]) for k in range(n)]
        k = next((k for k, value in enumerate(curve) if value <= 0.5), None)
        if k is None:
            return math.nan
        distance += k - (0.5 - curve[k]) / (curve[k - 1] - curve[k])
    return distance / 2 * 180 / n


def gabor_half_width(n_across: float, n_along: float) -> float:
    """Return the half-width of a Gabor cell's tuning to gratings of its own frequency, in degrees.

    With sizes n = σ · frequency, in cycles, the drive is half where n_across² (1 - cos δ)² +
    n_along² sin² δ = ln 2 / 2π² (but for the faint lobe at the opposite frequency); NaN if nowhere.

    Examples
    --------
    >>> round(gabor_half_width(0.4, 0.56), 1)
    19.4
    """
    _need_positive(n_across=n_across, n_along=n_along)
    a, b, k = n_across**2, n_along**2, math.log(2) / (2 * math.pi**2)
    root = a * a - (a - b) * (a + b - k)  # of (a - b) cos² δ - 2a cos δ + (a + b - k) = 0
    cosine = (a + b - k) / (a + math.sqrt(root)) if root >= 0 else math.nan
    return math.degrees(math.acos(cosine)) if abs(cosine) <= 1 else math.nan


def _waves(across: Tensor, frequency: Number, phase: Number) -> Tensor:
    return (2 * math.pi * _each(frequency) * across - torch.deg2rad(_each(phase))).cos()


def _each(value: Number) -> Tensor:
    """Turn a number, or one for each image, into a tensor that broadcasts over (..., H, W)."""
    tensor = torch.as_tensor(value, dtype=torch.float64)
    return tensor if tensor.ndim == 0 else tensor[..., None, None]


def _need_positive(**values: Number) -> None:
    for name, value in values.items():
        if not bool(((torch.as_tensor(value) > 0) & torch.as_tensor(value).isfinite()).all()):
            raise ValueError(f"{name} must be positive and finite, got {value}")
