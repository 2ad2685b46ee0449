"""Every page in Chromium through axe-core: light and dark, on a desk and on a phone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from test_pages import DESK, PAGES, PHONE, SIDEWAYS, settle

AXE = Axe()
LIGHTEN = Path(__file__).with_name("lighten.js").read_text("utf-8")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_barrier(
    read: Callable, http: str, name: str, scheme: str, size: dict[str, int]
) -> None:
    reader = read(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = settle(reader.open(f"{http}/{name}"))
    assert page.locator("html").get_attribute("data-theme") == scheme
    if size == PHONE:
        assert page.evaluate(SIDEWAYS) == []
    told = barriers(page)
    assert not told, "\n".join(told)


def barriers(page: Page) -> list[str]:
    """Say what axe finds on a page, and in which elements."""
    page.evaluate(LIGHTEN)
    return [
        f"{v['id']}: {v['help']}\n    " + "\n    ".join(n["html"][:150] for n in v["nodes"][:5])
        for v in AXE.run(page).response["violations"]
    ]


ROOM = """<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>
<figure><svg role="img" aria-label="A line" width="90" height="90"></svg></figure>
<div class="cell_input"><div class="highlight"><pre tabindex="0">
<span class="k">def</span> <span class="n">f</span>
<span class="k">if</span> <span class="n">loss</span></pre></div></div></main>"""


def test_axe_names_a_planted_barrier(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(ROOM)
    assert barriers(page) == []
    page.set_content(ROOM.replace("<h1>", '<img src="data:,"><h1 style="color: #999">'))
    told = "\n".join(barriers(page))
    page.close()
    assert "image-alt: " in told
    assert "color-contrast: " in told
    assert '<h1 style="color: #999">' in told
    for word in ('<span class="k">def', '<span class="n">loss'):
        faint = word.replace("<span", '<span style="color: #aaa"')
        page = browser.new_page()
        page.set_content(ROOM.replace(word, faint))
        assert any("color-contrast: " in fault for fault in barriers(page)), word
        page.close()
