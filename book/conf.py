"""How the book is built: Sphinx, MyST-NB, sphinx-book-theme, small extensions of our own."""

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
    "numpydoc",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "sphinx_codeautolink",
    # our own, in book/_ext
    "machinery",
    "execute",
    "api",
    "mathml",
    "figures",
    "scrubbers",
    "exercises",
    "quizzes",
    "kernel_editor",
    "playground",
    "word_map",
    "latent_map",
    "game",
    "notebooks",
    "badges",
    "numbering",
    "autolink",
    "polish",
    "epub",
]
exclude_patterns = ["_build", "**/_build", "_ext", "_static", "**/.ipynb_checkpoints"]
nitpicky = True

# --- language of the sources -------------------------------------------------------------------
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_dmath_double_inline = True
suppress_warnings: list[str] = []
numfig = True
numfig_secnum_depth = 1
numfig_format = {"figure": "Figure %s", "table": "Table %s", "code-block": "Listing %s"}
math_numfig = True
math_eqref_format = "({number})"
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"
bibtex_reference_style = "author_year"

# --- execution (book/_ext/execute.py runs the chapters, MyST-NB reads its cache) ----------------
nb_execution_mode = "cache"
nb_execution_timeout = 120  # seconds a chapter; one may set its own in its front matter
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # widgets would be fetched from a foreign site
execute_depends = ["../dlcourse", "../requirements.lock"]
execute_path = [".."]

# --- API reference -----------------------------------------------------------------------------
autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 70
numpydoc_show_class_members = False
add_module_names = False
# libraries of which no inventory is at hand: a build may fetch nothing
nitpick_ignore_regex = [
    (r"py:.*", r"(torch|numpy|np|matplotlib|collections|pathlib|typing|sklearn)\..*"),
    (r"py:class", r"dlcourse\.plot\.scrubber\.Value"),  # a type variable
    (r"py:.*", r"(Tensor|ArrayLike|NDArray|Generator|Module|Axes|Figure|Layers|Path|optional)"),
]
codeautolink_concat_default = True
codeautolink_autodoc_inject = False

# --- HTML --------------------------------------------------------------------------------------
templates_path = ["_templates"]
html_theme = "sphinx_book_theme"
html_title = "Introduction to Neural Networks and Deep Learning"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["custom.css"]
html_theme_options = {
    "logo": {"text": "Neural Networks and Deep Learning", "image_light": "_static/logo.svg",
             "image_dark": "_static/logo.svg", "alt_text": ""},
    "use_download_button": False,
    "use_fullscreen_button": True,
    "back_to_top_button": False,
    "home_page_in_toc": False,
    "show_navbar_depth": 1,
    "toc_title": "On this page",
    "pygments_light_style": "github-light",
    "pygments_dark_style": "github-dark",
}  # fmt: skip
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_domain_indices = False
html_permalinks_icon = "#"
html_secnumber_suffix = "\N{EN SPACE}"
html_last_updated_fmt = None
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"

# --- ePub (book/_ext/epub.py) -------------------------------------------------------------------
epub_basename = "neural-networks-and-deep-learning"
epub_description = (
    "From one artificial neuron to networks that see, read and generate, in PyTorch: a book for "
    "life scientists, in which every figure and every number is computed."
)
epub_copyright = (
    "Text and figures: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/. Code: MIT licence."
)
epub_uid = "book"
epub_identifier = "urn:uuid:a8c3b963-6d0a-5eca-bc4e-833d42106119"
epub_tocdepth = 2
epub_show_urls = "no"

# Only a site that knows its public address has something to say to search engines.
html_baseurl = os.environ.get("BOOK_BASE_URL", "")
if html_baseurl:
    html_baseurl = html_baseurl.rstrip("/") + "/"
    extensions += ["sphinxext.opengraph", "sphinx_sitemap"]
    ogp_site_url = html_baseurl
    ogp_social_cards = {"enable": False}
    sitemap_url_scheme = "{link}"
