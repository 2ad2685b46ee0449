import pytest
import torch

from dlcourse.data import Dataset, breast_cancer, diabetes, digits


def check(data: Dataset) -> None:
    n, D = data.X.shape
    assert (data.X.dtype, data.y.dtype) == (torch.float32, torch.int64)
    assert bool(data.X.isfinite().all())
    assert data.y.shape == (n,)
    assert len(data.feature_names) == len(set(data.feature_names)) == D
    assert data.y.unique().tolist() == list(range(len(data.class_names)))
    assert all(type(name) is str for name in data.feature_names + data.class_names)
    assert data.name
    assert data.source


def test_digits_are_the_published_ones():
    data = digits()
    check(data)
    assert data.X.shape == (1797, 64)
    # The counts in optdigits.names of the UCI repository, testing part.
    assert data.y.bincount().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (float(data.X.min()), float(data.X.max())) == (0, 1)
    assert torch.equal(16 * data.X, (16 * data.X).round())
    assert data.class_names == tuple("0123456789")


def test_images_are_the_rows_in_shape():
    data = digits()
    assert data.images.shape == (1797, 8, 8)
    assert torch.equal(data.images[3, 2], data.X[3, 16:24])
    assert float(data.images[:, :, 0].mean()) < 0.01  # the left edge is nearly always paper


def test_breast_cancer_is_the_published_one():
    data = breast_cancer()
    check(data)
    assert data.X.shape == (569, 30)
    assert data.class_names == ("malignant", "benign")
    assert data.y.bincount().tolist() == [212, 357]
    radius = data.X[:, data.feature_names.index("mean radius")]
    assert float(radius[data.y == 0].mean()) > float(radius[data.y == 1].mean())  # not swapped


def test_diabetes_is_the_published_one():
    data = diabetes()
    assert data.X.shape == (442, 10)
    assert (data.X.dtype, data.y.dtype) == (torch.float32, torch.float32)
    assert len(set(data.feature_names)) == 10
    assert data.class_names == ()
    assert bool(data.X.isfinite().all())
    # The first two rows of Table 1 of Efron et al. (2004).
    rows = [
        [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.9, 87],
        [48, 1, 21.6, 87, 183, 103.2, 70, 3, 3.9, 69],
    ]
    assert torch.allclose(data.X[:2], torch.tensor(rows), atol=0.05)
    assert data.y[:6].tolist() == [151, 75, 141, 206, 135, 97]
    assert (float(data.y.min()), float(data.y.max())) == (25, 346)


def test_tumours_are_no_images():
    with pytest.raises(ValueError, match="not images"):
        _ = breast_cancer().images


def test_each_call_gives_a_copy():
    digits().X.zero_()
    assert float(digits().X.max()) == 1
