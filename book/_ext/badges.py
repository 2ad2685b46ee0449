"""Badges under the title of each chapter: how long it takes, what it needs, what to take home."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from notebooks import FOLDER, files_of, is_chapter
from reading import counts_of
from run_times import LIMIT, PAGE, load_script, measured
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

GPU = ("no use", "optional")
COLAB = "https://colab.research.google.com/github/{}/blob/notebooks/{}"
BINDER = "https://mybinder.org/v2/gh/{}/notebooks?labpath={}"


def add_badges(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put the badges under the title of a chapter, and load the script that fills them."""
    if app.builder.name != "html" or doctree is None:
        return
    if page in counts_of(app.env) and is_chapter(app.env, page):
        body = str(context["body"])
        context["body"] = body.replace("</h1>\n", "</h1>\n" + badges(app, page), 1)
        load_script(app, page, context)


def badges(app: Sphinx, page: str) -> str:
    """Write the two lists: what the chapter asks of a reader, and its notebooks."""
    facts = app.env.metadata[page]
    gpu = str(facts.get("gpu", GPU[0]))
    if gpu not in GPU:
        raise ExtensionError(f"{page}: “gpu” should be one of {', '.join(GPU)}, not {gpu!r}")
    runs = measured(page, "badge", f"runs in {LIMIT}").astext()
    if PAGE in app.env.found_docs:
        runs = f'<a href="{app.builder.get_relative_uri(page, PAGE)}">{runs}</a>'
    asked = [f"{counts_of(app.env)[page].minutes} min to read", runs, f"GPU: {gpu}"]
    if facts.get("prerequisites"):
        asked.append(f"needs: {escape(str(facts['prerequisites']))}")
    return _list("badges", "About this chapter", asked) + _list(
        "badges badges-notebooks", "This chapter as a notebook", notebook_links(app, page)
    )


def notebook_links(app: Sphinx, page: str) -> list[str]:
    """Write the links to the notebooks, and to services that run them if they are public."""
    to_root, files = "../" * page.count("/"), files_of(page)
    links = [
        f'<a href="{to_root}{files[True]}" download>Notebook</a>',
        f'<a href="{to_root}{files[False]}" download>Notebook with solutions</a>',
    ]
    repository = str(app.config.notebooks_repository)
    if repository:
        path = files[True].removeprefix(f"{FOLDER}/")
        for name, address in (("Colab", COLAB), ("Binder", BINDER)):
            links.append(f'<a href="{escape(address.format(repository, path))}">Open in {name}</a>')
    return links


def _list(name: str, label: str, items: list[str]) -> str:
    entries = "".join(f"<li>{item}</li>" for item in items)
    return f'<ul class="{name}" role="list" aria-label="{label}">{entries}</ul>\n'


def setup(app: Sphinx) -> ExtensionMetadata:
    """Write the badges with the pages."""
    app.setup_extension("run_times")
    app.connect("html-page-context", add_badges)
    app.add_css_file("badges.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
