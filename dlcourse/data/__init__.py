"""Data for every experiment: generators with their limits, real sets, and splits that cannot leak.

Nothing here downloads anything, and nothing here knows a model.
"""

from dlcourse.data.cohort import Cohort, patients
from dlcourse.data.images import Micrograph, micrograph, photograph
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
    "Micrograph",
    "Problem",
    "Split",
    "boolean_inputs",
    "breast_cancer",
    "circles",
    "diabetes",
    "digits",
    "micrograph",
    "moons",
    "patients",
    "photograph",
    "separable",
    "spirals",
    "split",
    "two_gaussians",
    "xor",
]
