"""How the book is built: Sphinx, MyST-NB, sphinx-book-theme and a few small extensions of our own."""

import os
import sys
from pathlib import Path

BOOK = Path(__file__).parent
ROOT = BOOK.parent
sys.path[:0] = [str(BOOK / "_ext"), str(ROOT)]

import dlcourse  # noqa: E402  (only the version: torch is not imported)

project = "Introduction to Neural Networks and Deep Learning"
author = "The authors of the book"
copyright = "text and figures CC BY 4.0, code MIT"
version = release = dlcourse.__version__
language = "en-GB"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "sphinx_codeautolink",
    # our own, in book/_ext
    "execute",
    "mathml",
    "figures",
    "exercises",
    "polish",
]
exclude_patterns = ["_build", "_ext", "_static", "**/.ipynb_checkpoints"]
nitpicky = True

html_theme = "sphinx_book_theme"
html_title = "Introduction to Neural Networks and Deep Learning"
html_static_path = ["_static"]
