"""Real data that come with scikit-learn, as tensors. Nothing is downloaded."""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Dataset", "breast_cancer", "diabetes", "digits"]


@dataclass(frozen=True, eq=False)  # comparing tensors gives no yes or no
class Dataset:
    """Real examples with their labels, names and origin.

    Attributes
    ----------
    name : str
        Name of the collection.
    X : Tensor, shape (n, D), float32
        One example a row.
    y : Tensor, shape (n,)
        Class numbers 0 … K - 1, int64; or, where a number is to be predicted, float32.
    feature_names : tuple of str
        D names, one for each column of X.
    class_names : tuple of str
        K names, in the order of the class numbers; none where a number is to be predicted.
    source : str
        Who collected the data, and where they were published.
    image_shape : tuple of int, optional
        Height and width if each row of X is an image.

    Examples
    --------
    >>> tumours = breast_cancer()
    >>> tumours.class_names[tumours.y[0]]
    'malignant'
    """

    name: str
    X: Tensor
    y: Tensor
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    source: str
    image_shape: tuple[int, int] | None = None

    @property
    def images(self) -> Tensor:
        """The examples as images, shape (n, height, width).

        Raises
        ------
        ValueError
            If the data are no images.
        """
        if self.image_shape is None:
            raise ValueError(f"{self.name} has {self.X.shape[1]} measurements a row, not images")
        return self.X.view(-1, *self.image_shape)


def breast_cancer() -> Dataset:
    """Load 569 fine-needle aspirates of breast lumps with thirty measurements each.

    Ten properties of the cell nuclei (radius, texture, …), each as mean, standard error and worst
    value over the image, in the units of the original files.

    Mind the labels, which are scikit-learn's: "positive" in the sense of a medical test is class 0.

    Returns
    -------
    Dataset
        Class 0 is malignant (212 patients), class 1 benign (357).

    References
    ----------
    W. N. Street, W. H. Wolberg, O. L. Mangasarian (1993), "Nuclear feature extraction for breast
    tumor diagnosis", Proc. SPIE 1905, 861-870, doi:10.1117/12.148698.

    Examples
    --------
    >>> tumours = breast_cancer()
    >>> tumours.X.shape, tumours.class_names
    (torch.Size([569, 30]), ('malignant', 'benign'))
    """
    from sklearn.datasets import load_breast_cancer  # here, because it takes a second to import

    bunch = load_breast_cancer()
    return Dataset(
        name="Breast Cancer Wisconsin (Diagnostic)",
        X=torch.from_numpy(bunch.data).float(),
        y=torch.from_numpy(bunch.target).long(),
        feature_names=tuple(str(name) for name in bunch.feature_names),
        class_names=tuple(str(name) for name in bunch.target_names),
        source="Wolberg, Street, Mangasarian (1995), UCI Machine Learning Repository",
    )


def diabetes() -> Dataset:
    """Load 442 diabetes patients: ten measurements, and how far the disease went in a year.

    Age in years, sex (1 or 2; scikit-learn does not say which is which), body mass index in kg/m²,
    mean blood pressure in mmHg, and six blood-serum measurements: total cholesterol, LDL, HDL, the
    ratio of the first to the last, the logarithm of triglycerides (probably), and glucose.

    Returns
    -------
    Dataset
        X as measured, not scaled. y is a measure of disease progression one year later, between 25
        and 346; its unit was never published.

    References
    ----------
    B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004), "Least angle regression", Annals of
    Statistics 32(2), 407-499, doi:10.1214/009053604000000067.

    Examples
    --------
    >>> patients = diabetes()
    >>> patients.X.shape, patients.y[:3]
    (torch.Size([442, 10]), tensor([151.,  75., 141.]))
    """
    from sklearn.datasets import load_diabetes  # here, because it takes a second to import

    bunch = load_diabetes(scaled=False)
    names = ("age", "sex", "body mass index", "blood pressure", "total cholesterol", "LDL", "HDL")
    return Dataset(
        name="Diabetes",
        X=torch.from_numpy(bunch.data).float(),
        y=torch.from_numpy(bunch.target).float(),
        feature_names=(*names, "cholesterol / HDL", "log triglycerides", "glucose"),
        class_names=(),
        source="Efron, Hastie, Johnstone, Tibshirani (2004), Annals of Statistics 32",
    )


def digits() -> Dataset:
    """Load 1,797 handwritten digits of 8 x 8 grey values, from 13 writers.

    Who wrote which digit is not recorded. A random split therefore tests new digits by known hands,
    which is easier than digits by strangers.

    Returns
    -------
    Dataset
        Grey values from 0 (paper) to 1 (ink), in steps of 1/16; classes 0 … 9.

    References
    ----------
    E. Alpaydin, C. Kaynak (1998), "Cascading classifiers", Kybernetika 34(4), 369-374.

    Examples
    --------
    >>> handwriting = digits()
    >>> handwriting.images.shape, float(handwriting.X.max())
    (torch.Size([1797, 8, 8]), 1.0)
    """
    from sklearn.datasets import load_digits  # here, because it takes a second to import

    bunch = load_digits()
    return Dataset(
        name="Optical Recognition of Handwritten Digits",
        X=torch.from_numpy(bunch.data / 16).float(),
        y=torch.from_numpy(bunch.target).long(),
        feature_names=tuple(f"row {i} column {j}" for i in range(8) for j in range(8)),
        class_names=tuple(str(k) for k in range(10)),
        source="Alpaydin, Kaynak (1998), UCI Machine Learning Repository, test part",
        image_shape=(8, 8),
    )
