"""What the chapters took to run: one file of measured figures, and the table filled from it.

Measured times differ from build to build. They stand in `_static/run-times.js` and nowhere else;
the script `measured.js` fills them into badges and table. An ePub has no script, and its table none
of these columns.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, cast

from docutils import nodes
from execute import available_cores, run_times
from notebooks import chapters
from reading import Counts, counts_of
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

PAGE = "reference/run-times"
MEASURED = "run-times.js"
LIMIT = "under a minute"
COUNTED = ("Code cells", "Words", "Minutes to read")
MEASURED_COLUMNS = ("Seconds", "Peak memory (MB)")
ELSEWHERE = (
    "Seconds and memory differ from machine to machine: they stand in this table on the website."
)


class measured_table(nodes.General, nodes.Element):
    """The place of the table of all chapters."""


class RunTimesDirective(SphinxDirective):
    """`{run-times}`: the table over all chapters, and the machine that measured."""

    option_spec: ClassVar[Any] = {}

    def run(self) -> list[nodes.Node]:
        node = measured_table()
        self.set_source_info(node)
        return [node]


def outdated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Have the table written again if anything in it has changed."""
    rows = list(_rows(app))
    if rows == getattr(env, "run_times_rows", None):
        return []
    env.run_times_rows = rows  # type: ignore[attr-defined]
    return [PAGE] if PAGE in env.found_docs else []


def _rows(app: Sphinx) -> Iterator[tuple[str, str, Counts]]:
    for docname in chapters(app.env):
        if docname in counts_of(app.env):
            number = ".".join(map(str, app.env.toc_secnumbers[docname][""]))
            title = app.env.titles[docname].astext()
            yield docname, f"{number}\N{EN SPACE}{title}", counts_of(app.env)[docname]


def fill_tables(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the table; its measured cells hold the limit until the script fills them."""
    online = app.builder.name == "html"
    for place in list(doctree.findall(measured_table)):
        names = ("Chapter", *(MEASURED_COLUMNS if online else ()), *COUNTED)
        rows = [[nodes.paragraph("", name) for name in names]]
        for chapter, title, counts in _rows(app):
            address = app.builder.get_relative_uri(docname, chapter)
            link = nodes.reference("", title, internal=True, refuri=address)
            cells: list[nodes.Node] = [link]
            if online:
                cells.append(measured(chapter, "seconds", LIMIT))
                cells.append(measured(chapter, "peak_mb", "not known"))
            counted = (counts.cells, counts.words, counts.minutes)
            cells += [nodes.Text(f"{number:,}") for number in counted]
            rows.append([nodes.paragraph("", "", cell) for cell in cells])
        place.replace_self([_table(rows), _said_below(online)])


def _said_below(online: bool) -> nodes.paragraph:
    """Say on which machine was measured, or where the measured figures stand."""
    if not online:
        return nodes.paragraph("", ELSEWHERE)
    machine = measured("", "machine", "the machine that built this site")
    return nodes.paragraph("", "", nodes.Text("Measured on "), machine, nodes.Text("."))


def measured(chapter: str, what: str, until_then: str) -> nodes.raw:
    name = f' data-chapter="{escape(chapter)}"' if chapter else ""
    span = f'<span{name} data-measured="{what}">{escape(until_then)}</span>'
    return nodes.raw("", span, format="html")


def _table(rows: list[list[nodes.paragraph]]) -> nodes.table:
    groups = nodes.tgroup(cols=len(rows[0]))
    groups += [nodes.colspec(colwidth=1) for _ in rows[0]]
    made = [nodes.row("", *(nodes.entry("", cell) for cell in row)) for row in rows]
    groups += [nodes.thead("", made[0]), nodes.tbody("", *made[1:])]
    return nodes.table("", groups, classes=["run-times"])


def load_script(app: Sphinx, page: str, context: dict[str, Any]) -> None:
    """Have a page filled with what was measured."""
    # no `add_js_file`: Sphinx would write a checksum of the measured times into the page
    to_root = "../" * page.count("/")
    context["body"] += f'<script defer src="{to_root}_static/{MEASURED}"></script>\n'
    app.add_js_file("measured.js", loading_method="defer")


def load_on_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Have the page with the table filled."""
    if app.builder.name == "html" and page == PAGE:
        load_script(app, page, context)


def write_measured(app: Sphinx, exception: Exception | None) -> None:
    """Write the one file with measured figures."""
    if exception is not None or app.builder.name != "html":
        return
    times = run_times(app)
    found = {
        name: {"seconds": round(times[name].seconds, 1), "peak_mb": round(times[name].peak_mb)}
        for name in chapters(app.env)
        if name in times
    }
    text = json.dumps({"machine": machine(), "chapters": found}, ensure_ascii=False, indent=1)
    path = Path(app.outdir, "_static", MEASURED)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'"use strict";\nwindow.bookRunTimes = {text};\n', encoding="utf-8")


def machine() -> str:
    """Describe this machine in words, without its name."""
    cores = available_cores()
    system = {"Darwin": "macOS"}.get(platform.system(), platform.system())
    return (
        f"{cores} processor core{'s' * (cores != 1)} ({platform.machine()}) under {system}, with "
        f"Python {platform.python_version()} and PyTorch {version('torch').partition('+')[0]}, "
        "one thread a chapter"
    )


def skip(self: Any, node: nodes.Element) -> None:
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the table, and write the measured file at the end."""
    app.setup_extension("notebooks")
    app.setup_extension("reading")
    app.add_directive("run-times", RunTimesDirective)
    app.add_node(measured_table, html=(skip, None))
    app.connect("env-get-updated", outdated)
    app.connect("doctree-resolved", cast(Any, fill_tables))
    app.connect("html-page-context", load_on_page)
    app.connect("build-finished", write_measured, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
