"""How long direct, separable and Fourier convolution take, beside the products that they count."""

import pytest
import torch
from torch.nn import functional as F

from dlcourse.vision import kernels

N = 448


def separable(x: torch.Tensor, column: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    return F.conv2d(F.conv2d(x, column), row)


@pytest.mark.benchmark(group="kernels")
@pytest.mark.parametrize("way", ["direct", "separable", "fft"])
@pytest.mark.parametrize("k", [3, 9, 17, 33, 65])
def test_one_kernel_over_one_image(benchmark, way: str, k: int) -> None:
    dice = torch.Generator().manual_seed(0)
    x = torch.randn(1, 1, N + k - 1, N + k - 1, generator=dice)
    column, row = torch.rand(1, 1, k, 1, generator=dice), torch.rand(1, 1, 1, k, generator=dice)
    kernel = column * row
    ways = {
        "direct": (F.conv2d, (x, kernel)),
        "separable": (separable, (x, column, row)),
        "fft": (kernels.conv2d_fft, (x, kernel)),
    }
    run, arguments = ways[way]
    benchmark.extra_info["multiplications"] = getattr(kernels.costs(N, k), way)
    y = benchmark(run, *arguments)
    assert torch.allclose(y, F.conv2d(x, kernel), rtol=1e-3, atol=1e-2)
