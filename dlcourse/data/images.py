"""Images to look at: two photographs, and a micrograph in which every spot's place is known."""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Micrograph", "micrograph", "photograph"]

# CC BY 2.0: danielbuechele (china), vultilion (flower); both at flickr.com, shipped by scikit-learn
PHOTOGRAPHS = ("china", "flower")
LUMA = (0.299, 0.587, 0.114)  # how bright red, green and blue look: ITU-R BT.601


def photograph(name: str) -> Tensor:
    """Load one of scikit-learn's two sample photographs in shades of grey.

    Parameters
    ----------
    name : {"china", "flower"}
        A pavilion under trees, or a dahlia.

    Returns
    -------
    Tensor, shape (427, 640), float32
        Brightness from 0 (black) to 1 (white).

    Raises
    ------
    ValueError
        If there is no photograph of that name.

    Examples
    --------
    >>> photograph("flower").shape
    torch.Size([427, 640])
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"the photographs are {' and '.join(PHOTOGRAPHS)}, got {name!r}")
    from sklearn.datasets import load_sample_image

    colours = torch.from_numpy(load_sample_image(f"{name}.jpg").copy())
    return (colours.float() @ torch.tensor(LUMA)) / 255


@dataclass(frozen=True, eq=False)
class Micrograph:
    """An image of equal bright spots in white noise, and the truth behind it.

    Attributes
    ----------
    image : Tensor, shape (size, size), float32
        What the camera sees: ``clean`` plus noise; the background is 0, a spot's peak 1.
    clean : Tensor, shape (size, size), float32
        The spots alone.
    centres : Tensor, shape (n_spots, 2), int64
        Row and column of each spot.
    spot : Tensor, shape (2r + 1, 2r + 1), float32
        One spot.
    noise : float
        Standard deviation of the noise in each pixel.
    """

    image: Tensor
    clean: Tensor
    centres: Tensor
    spot: Tensor
    noise: float

    @property
    def best_signal_to_noise(self) -> float:
        """The limit of all linear filters, ‖spot‖/noise (Turin 1960, doi:10.1109/TIT.1960.1057571).

        A filter w answers w·spot to a spot, and its noise has the standard deviation ‖w‖·noise; by
        the Cauchy-Schwarz inequality the ratio is largest for the matched filter, w = spot.
        """
        return float(self.spot.norm()) / self.noise if self.noise else float("inf")


def micrograph(
    n_spots: int = 60, *, seed: int, size: int = 256, width: float = 2.0, noise: float = 0.8
) -> Micrograph:
    """Draw a micrograph: molecules that glow, blurred by the optics, and a camera that hisses.

    Parameters
    ----------
    n_spots : int
        Number of spots, at least 1. No two overlap.
    seed : int
        Seed of places and noise.
    size : int
        Side of the image in pixels.
    width : float
        Standard deviation of a spot in pixels, above 0; it is cut off at three of them.
    noise : float
        Standard deviation of the noise, 0 or more, where a spot's peak is 1.

    Returns
    -------
    Micrograph

    Raises
    ------
    ValueError
        If a number is out of its range, or the spots do not find room.

    Examples
    --------
    >>> picture = micrograph(5, seed=0, size=100)
    >>> [float(picture.clean[i, j]) for i, j in picture.centres]
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if n_spots < 1 or not width > 0 or not noise >= 0:
        raise ValueError(
            f"need n_spots ≥ 1, width > 0 and noise ≥ 0, got {n_spots}, {width} and {noise}"
        )
    r = int(-(-3 * width // 1))
    across = torch.arange(-r, r + 1).double()
    line = torch.exp(-(across**2) / (2 * width**2))
    spot = torch.outer(line, line).float()
    dice = torch.Generator().manual_seed(seed)
    clean = torch.zeros(size, size)
    centres: list[tuple[int, int]] = []
    for _ in range(200 * n_spots):
        if len(centres) == n_spots or size <= 2 * r:
            break
        i, j = torch.randint(r, size - r, (2,), generator=dice).tolist()
        if all(max(abs(i - a), abs(j - b)) > 2 * r for a, b in centres):
            centres.append((i, j))
            clean[i - r : i + r + 1, j - r : j + r + 1] = spot
    if len(centres) < n_spots:
        raise ValueError(
            f"{n_spots} spots of {2 * r + 1} x {2 * r + 1} pixels do not find room without "
            f"overlap in {size} x {size}; take fewer, or a larger size"
        )
    image = clean + noise * torch.randn(size, size, generator=dice)
    return Micrograph(image, clean, torch.tensor(centres), spot, float(noise))
