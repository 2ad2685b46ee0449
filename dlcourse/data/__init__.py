"""Data for every experiment: generators with their limits, real sets, and splits that cannot leak.

Only `mnist` and `fashion_mnist` download, and only if told to. Nothing here knows a model.
"""

from dlcourse.data.cohort import Cohort, patients
from dlcourse.data.downloads import DownloadError, fashion_mnist, mnist
from dlcourse.data.images import Micrograph, micrograph, photograph
from dlcourse.data.motifs import Motif, gata1, one_hot
from dlcourse.data.real import Dataset, breast_cancer, diabetes, digits
from dlcourse.data.splits import Split, split
from dlcourse.data.toy import (
    Problem,
    boolean_inputs,
    circles,
    moons,
    separable,
    spirals,
    two_gaussians,
    xor,
)

__all__ = [
    "Cohort",
    "Dataset",
    "DownloadError",
    "Micrograph",
    "Motif",
    "Problem",
    "Split",
    "boolean_inputs",
    "breast_cancer",
    "circles",
    "diabetes",
    "digits",
    "fashion_mnist",
    "gata1",
    "micrograph",
    "mnist",
    "moons",
    "one_hot",
    "patients",
    "photograph",
    "separable",
    "spirals",
    "split",
    "two_gaussians",
    "xor",
]
