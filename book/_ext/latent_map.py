"""The latent map: a grid of decoded images from the run, and `latent-map.js`.

`:map:` is an object: `side`, pixels to a side of an image; `edge`, the greatest coordinate of the
square map; `images`, a string for each of n × n places, row by row from the top left, with a
hexadecimal digit (0 paper, f ink) for each pixel; and `says`, for each place a class and a per
cent.
"""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

from docutils.parsers.rst import directives
from embedded import EmbeddedDirective, box, compact, register
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

SHAPE = "needs an object with side, edge, images and says"


class latent_map(box):
    """The place of the map."""

    kind = "latent-map"


class LatentMapDirective(EmbeddedDirective):
    """`{latent-map} Title` with `:name:`, `:map:` and a sentence as content."""

    box = latent_map
    option_spec: ClassVar[Any] = {
        **EmbeddedDirective.option_spec,
        "map": directives.unchanged_required,
    }

    def told(self) -> dict[str, str]:
        return {"data-map": compact(self.glued("map", SHAPE, wrong, {}))}


def wrong(given: dict[str, Any]) -> str:
    """Say what is wrong with the data, or nothing."""
    side, edge, images, says = (given[name] for name in ("side", "edge", "images", "says"))
    n = math.isqrt(len(images))
    if n < 3 or n % 2 == 0 or n * n != len(images):
        return f"needs n × n images, n odd and at least 3; got {len(images)}"
    if not all(re.fullmatch(rf"[0-9a-f]{{{side * side}}}", image) for image in images):
        return f"needs {side * side} hexadecimal digits for each image"
    if not (isinstance(edge, int | float) and edge > 0):
        return f"needs an edge above 0, got {edge}"
    if len(says) != len(images) or not all(
        isinstance(name, str) and 0 <= sure <= 100 for name, sure in says
    ):
        return "needs a class (a string) and a per cent for each image"
    return ""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node, style sheet and script."""
    return register(app, LatentMapDirective, "latent-map.css", ("latent-map.js",))
