"""Convolution kernels: three ways to slide one over an image, and what each of them costs.

The three functions ``conv2d_…`` take what `torch.nn.functional.conv2d` takes and return what it
returns. ``x`` has shape (B, C, H, W): B images of C channels; ``weight`` has shape (O, C, K, L):
O kernels of K rows and L columns. Like all of deep learning they compute a cross-correlation,
y[i, j] = Σ x[s·i + d·u - p, s·j + d·v - p]·weight[u, v], and call it convolution; s is the stride,
p the padding and d the dilation. Turn the kernel by 180° to get what mathematics calls convolution.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "KERNELS", "Costs", "Field", "conv2d_fft", "conv2d_loops", "conv2d_unfold", "costs",
    "output_size", "receptive_fields", "separate",
]  # fmt: skip

KERNELS: dict[str, Tensor] = {
    "identity": torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "blur": torch.full((3, 3), 1 / 9),
    "sharpen": torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "edge": torch.tensor([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "sobel_x": torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "sobel_y": torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "emboss": torch.tensor([[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]]),
}
"""The named kernels of the chapter; ``sobel_x`` answers to change from left to right."""


def output_size(n: int, k: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return how many places a kernel finds along one side: ⌊(n + 2p - d(k - 1) - 1)/s⌋ + 1.

    Parameters
    ----------
    n, k : int
        Pixels of the image and of the kernel along that side, at least 1.
    stride, padding, dilation : int
        s ≥ 1 pixels from place to place, p ≥ 0 pixels of zeros added at each end, d ≥ 1 pixels
        from one number of the kernel to the next.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or too small, or the kernel does not fit into the padded image.

    Examples
    --------
    >>> output_size(28, 5), output_size(28, 5, padding=2), output_size(28, 5, stride=2)
    (24, 28, 12)
    """
    given = {"n": n, "k": k, "stride": stride, "padding": padding, "dilation": dilation}
    for name, value in given.items():
        least = 0 if name == "padding" else 1
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} is a whole number, got {value!r}")
        if value < least:
            raise ValueError(f"{name} is at least {least}, got {value}")
    free = n + 2 * padding - dilation * (k - 1) - 1
    if free < 0:
        raise ValueError(
            f"a kernel of {k} with dilation {dilation} spans {dilation * (k - 1) + 1} pixels, but "
            f"the image has only {n} + 2 · {padding} with its padding"
        )
    return free // stride + 1


def conv2d_loops(
    x: Tensor, weight: Tensor, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    """Slide kernels over images: at every place multiply patch and kernel, and add up.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
        Images.
    weight : Tensor, shape (O, C, K, L)
        Kernels, one for each feature map that is wanted; of the dtype of ``x``.
    stride, padding, dilation : int
        As for `output_size`; the padding is zeros.

    Returns
    -------
    Tensor, shape (B, O, H′, W′)
        The feature maps; H′ and W′ are given by `output_size`.

    Raises
    ------
    TypeError, ValueError
        If shapes or dtypes do not fit, or as for `output_size`.

    Examples
    --------
    >>> x = torch.arange(9.0).view(1, 1, 3, 3)
    >>> conv2d_loops(x, torch.ones(1, 1, 2, 2)).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    n_high, n_wide = _check(x, weight, stride, padding, dilation)
    K, L = weight.shape[-2:]
    x = F.pad(x, [padding] * 4)
    y = x.new_zeros(len(x), len(weight), n_high, n_wide)
    for i in range(n_high):
        rows = slice(i * stride, i * stride + dilation * (K - 1) + 1, dilation)
        for j in range(n_wide):
            columns = slice(j * stride, j * stride + dilation * (L - 1) + 1, dilation)
            patch = x[:, None, :, rows, columns]  # (B, 1, C, K, L)
            y[:, :, i, j] = (patch * weight).sum((2, 3, 4))
    return y


def conv2d_unfold(
    x: Tensor, weight: Tensor, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    """Do what `conv2d_loops` does as one matrix product: every patch becomes a column.

    Parameters, result and errors are those of `conv2d_loops`. It needs the memory of K·L images.
    """
    n_high, n_wide = _check(x, weight, stride, padding, dilation)
    K, L = weight.shape[-2:]
    patches = F.unfold(x, (K, L), dilation, padding, stride)  # (B, C·K·L, H′·W′)
    y = weight.flatten(1) @ patches  # (O, C·K·L) @ (B, C·K·L, H′·W′) → (B, O, H′·W′)
    return y.view(len(x), len(weight), n_high, n_wide)


def conv2d_fft(
    x: Tensor, weight: Tensor, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    """Do what `conv2d_loops` does by the convolution theorem: waves only need to be multiplied.

    With X and Ŵ the Fourier transforms of image and kernel, Y = Σ_c X_c·conj(Ŵ_c). The answers at
    places where the kernel would hang over the edge wrap around; they are cut off.

    Parameters, result and errors are those of `conv2d_loops`, for real numbers only. With a stride
    all places are computed and most thrown away.

    References
    ----------
    J. W. Cooley, J. W. Tukey (1965), "An algorithm for the machine calculation of complex Fourier
    series", Mathematics of Computation 19, 297-301, doi:10.1090/S0025-5718-1965-0178586-1.
    """
    n_high, n_wide = _check(x, weight, stride, padding, dilation)
    K, L = weight.shape[-2:]
    spaced = x.new_zeros(*weight.shape[:2], dilation * (K - 1) + 1, dilation * (L - 1) + 1)
    spaced[..., ::dilation, ::dilation] = weight
    x = F.pad(x, [padding] * 4)
    size = (x.shape[-2], x.shape[-1])
    X, W = torch.fft.rfft2(x), torch.fft.rfft2(spaced, s=size)
    Y = torch.einsum("bchw,ochw->bohw", X, W.conj())
    y: Tensor = torch.fft.irfft2(Y, s=size)
    return y[..., ::stride, ::stride][..., :n_high, :n_wide]


class Field(NamedTuple):
    """What a unit sees along one side: pixels in its receptive field; pixels to the next field."""

    size: int
    jump: int


def receptive_fields(layers: Sequence[tuple[int, int, int]]) -> list[Field]:
    """Follow size r and jump j of the receptive field up a stack: r ← r + (k - 1)·d·j, j ← j·s.

    A layer is (k, s, d), its kernel size, stride and dilation; the one nearest to the image comes
    first. Raises TypeError or ValueError if a layer is not three whole numbers ≥ 1.

    Examples
    --------
    >>> receptive_fields([(3, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 1)])[-1]
    Field(size=11, jump=2)
    """
    field, fields = Field(1, 1), []
    for layer in layers:
        if len(layer) != 3:
            raise ValueError(f"a layer is (kernel size, stride, dilation), got {layer!r}")
        k, s, d = layer
        output_size(k * d, k, stride=s, dilation=d)  # complains of what is no number or below 1
        field = Field(field.size + (k - 1) * d * field.jump, field.jump * s)
        fields.append(field)
    return fields


def separate(kernel: Tensor, *, tolerance: float = 1e-6) -> tuple[Tensor, Tensor]:
    """Split a kernel of rank 1 into a column and a row whose product it is, by the SVD.

    From a kernel of shape (K, L) come a column (K, 1) and a row (1, L) of the same length ‖·‖, and
    ``column @ row`` is the kernel. Singular values up to ``tolerance`` times the first count as 0.

    Raises
    ------
    ValueError
        If the kernel has another rank, is no matrix, or holds NaN or infinity.

    Examples
    --------
    >>> column, row = separate(KERNELS["sobel_x"])
    >>> torch.allclose(column @ row, KERNELS["sobel_x"], atol=1e-6)
    True
    """
    if kernel.ndim != 2 or 0 in kernel.shape or not torch.isfinite(kernel).all():
        raise ValueError(f"a kernel is a matrix of finite numbers, got {kernel}")
    U, S, V = torch.linalg.svd(kernel.double())
    rank = int(S.gt(tolerance * S[0]).sum()) if S[0] > 0 else 0
    if rank != 1:
        raise ValueError(f"only a kernel of rank 1 is a column times a row; this has rank {rank}")
    root = S[0].sqrt()
    return (root * U[:, :1]).to(kernel.dtype), (root * V[:1]).to(kernel.dtype)


class Costs(NamedTuple):
    """Multiplications of three ways to slide one kernel over one image."""

    direct: int
    separable: int
    fft: int


def costs(n: int, k: int) -> Costs:
    """Count the multiplications that a k x k kernel costs at n x n places.

    Direct: k² at each place. Separable: a column of k, which also needs the margins, then a row.
    FFT: two transforms, a product, a transform back, on a side N that is the next power of two from
    n + k - 1; a transform takes N/2·log₂N complex products for each of 2N lines, and a complex
    product four multiplications: 4·N²·(3·log₂N + 1).

    Examples
    --------
    >>> costs(448, 3)
    Costs(direct=1806336, separable=1206912, fft=29360128)
    """
    output_size(n, k, padding=k)  # complains of what is no number or below 1
    levels = (n + k - 2).bit_length()
    return Costs(n * n * k * k, n * (n + k - 1) * k + n * n * k, 4 * 4**levels * (3 * levels + 1))


def _check(x: Tensor, weight: Tensor, stride: int, padding: int, dilation: int) -> tuple[int, int]:
    """Check images and kernels; return the size of the feature maps."""
    if x.ndim != 4 or weight.ndim != 4 or x.shape[1] != weight.shape[1]:
        raise ValueError(
            "x must have shape (B, C, H, W) and weight (O, C, K, L) with the same C; got "
            f"{tuple(x.shape)} and {tuple(weight.shape)}"
        )
    if x.dtype != weight.dtype:
        raise TypeError(f"x and weight must have one dtype, got {x.dtype} and {weight.dtype}")
    (H, W), (K, L) = x.shape[2:], weight.shape[2:]
    return (
        output_size(H, K, stride=stride, padding=padding, dilation=dilation),
        output_size(W, L, stride=stride, padding=padding, dilation=dilation),
    )
