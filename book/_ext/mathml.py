"""Mathematics as MathML, made at build time: no script, and each error names its formula.

`math-core` turns TeX into MathML and refuses what it does not know. A refusal becomes a Sphinx
warning at the formula's file and line, and warnings stop the build. The TeX stays in the page as
an annotation, for readers who copy it and for screen readers that prefer it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)

# Environments that number their own lines become their plain inner forms: Sphinx does the numbers.
INNER = {"equation": "", "align": "aligned", "gather": "gathered", "alignat": "alignedat"}
OUTER_ENVIRONMENT = re.compile(r"\\(begin|end)\{(equation|align|gather|alignat)\*?\}")

# math-core writes these styles; a strict content policy refuses style attributes, classes it takes.
CLASSES = {
    "text-align: right;justify-items: end;padding-right: 0;": "m-right",
    "text-align: left;justify-items: start;padding-left: 0;": "m-left",
    "text-align: left;justify-items: start;padding-right: 0;": "m-first",
    "text-align: left;justify-items: start;padding-right: 0;padding-left:1em;": "m-next",
}
STYLE = re.compile(r' style="([^"]*)"')


@lru_cache(maxsize=4)
def converter(macros: tuple[tuple[str, str], ...]) -> LatexToMathML:
    """Build the converter for a set of macros, once a process."""
    return LatexToMathML(macros=dict(macros), annotation=True, fancy_error=False)


def to_mathml(
    tex: str, *, display: bool, macros: tuple[tuple[str, str], ...] = (), name: str = ""
) -> str:
    """Convert TeX to a `<math>` element; `name` is an accessible name, if it needs one.

    Raises `LatexError`, whose message starts with the position of the fault.
    """
    math = converter(macros).convert_with_local_state(tex.strip(), displaystyle=display)
    math = STYLE.sub(_as_class, math.replace("&ApplyFunction;", "\u2061"))
    return math.replace("<math", f'<math aria-label="{name}"', 1) if name else math


def _as_class(match: re.Match[str]) -> str:
    name = CLASSES.get(match[1])
    return f' class="{name}"' if name else match[0]


def without_numbers(tex: str) -> str:
    """Replace environments that number lines by their inner forms, for one number a block."""

    def inner(match: re.Match[str]) -> str:
        name = INNER[match[2]]
        return rf"\{match[1]}{{{name}}}" if name else ""

    return OUTER_ENVIRONMENT.sub(inner, tex)


def explain(error: LatexError, tex: str) -> str:
    """Say what is wrong with a formula and where in it."""
    position, _, reason = str(error).partition(": ")
    if not position.isdigit():
        return f"the formula “{tex}” cannot be read: {error}"
    rest = tex[int(position) :]
    where = f"at “{rest[:30]}”" if rest else "at its end"
    return f"the formula “{tex}” cannot be read {where}: {reason}"


def _convert(translator: HTML5Translator, node: nodes.Element, *, display: bool) -> str:
    tex = without_numbers(" ".join(node.astext().split()))
    macros = tuple(sorted(translator.config.mathml_macros.items()))
    try:
        return to_mathml(tex, display=display, macros=macros)
    except LatexError as error:
        LOGGER.warning(explain(error, tex), location=node, type="mathml")
        return f'<code class="math-error">{translator.encode(tex)}</code>'


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write an inline formula."""
    self.body.append(_convert(self, node, display=False))
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a display formula in a box of its own, which scrolls when the formula is too wide."""
    number = get_node_equation_number(self, node) if node.get("number") else ""
    label = f"Equation {number}" if number else "Formula"
    self.body.append(self.starttag(node, "div", "", CLASS="math-block"))
    self.body.append(
        f'<div class="math-scroll" role="group" aria-label="{label}">'
        f"{_convert(self, node, display=True)}</div>"
    )
    if number:
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make MathML the way in which HTML pages write mathematics."""
    app.add_config_value("mathml_macros", {}, "html", types=dict)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.connect("config-inited", lambda _, config: setattr(config, "html_math_renderer", "mathml"))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
