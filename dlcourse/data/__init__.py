"""Data for every experiment: generators with their limits, real sets, and splits that cannot leak.

Only `mnist` and `fashion_mnist` download, and only if told to. Nothing here knows a model.
"""

from dlcourse.data.cohort import Cohort, patients
from dlcourse.data.cpg import Islands, forward_backward
from dlcourse.data.downloads import DownloadError, fashion_mnist, mnist
from dlcourse.data.fasta import FastaError, Record, read_fasta
from dlcourse.data.images import Micrograph, micrograph, photograph
from dlcourse.data.motifs import Motif, gata1, one_hot
from dlcourse.data.proteins import AMINO_ACIDS, HYDROPATHY, blosum62, globins, substitutions
from dlcourse.data.python_source import ANALOGIES, identifiers, standard_library
from dlcourse.data.real import Dataset, breast_cancer, diabetes, digits
from dlcourse.data.recordings import Recording, membrane_potential
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
    "AMINO_ACIDS",
    "ANALOGIES",
    "HYDROPATHY",
    "Cohort",
    "Dataset",
    "DownloadError",
    "FastaError",
    "Islands",
    "Micrograph",
    "Motif",
    "Problem",
    "Record",
    "Recording",
    "Split",
    "blosum62",
    "boolean_inputs",
    "breast_cancer",
    "circles",
    "diabetes",
    "digits",
    "fashion_mnist",
    "forward_backward",
    "gata1",
    "globins",
    "identifiers",
    "membrane_potential",
    "micrograph",
    "mnist",
    "moons",
    "one_hot",
    "patients",
    "photograph",
    "read_fasta",
    "separable",
    "spirals",
    "split",
    "standard_library",
    "substitutions",
    "two_gaussians",
    "xor",
]
