"""Every page in Chromium: quiet, reachable, accessible, and whole without JavaScript."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

BOOK = Path(__file__).parents[2] / "book"
SOURCES = sorted(p for p in BOOK.rglob("*.md") if not p.relative_to(BOOK).parts[0].startswith("_"))
PAGES = [p.relative_to(BOOK).with_suffix(".html").as_posix() for p in SOURCES] + ["search.html"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1400, "height": 900}

SIDEWAYS = Path(__file__).with_name("sideways.js").read_text("utf-8")
FAINT = Path(__file__).with_name("faint.js").read_text("utf-8")


def settle(page: Page) -> Page:
    """Wait until the fonts are there, which change the layout; all else came with the page."""
    page.evaluate("() => document.fonts.ready.then(() => 0)")
    return page


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_a_complaint(
    read: Callable, addresses: dict[str, str], scheme: str, name: str
) -> None:
    page = settle(read().open(f"{addresses[scheme]}/{name}"))
    page.wait_for_load_state("networkidle")
    assert page.locator("h1:visible").count() == 1
    assert page.evaluate("document.fonts.size") > 0, "the style sheet has not been loaded"
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    for image in page.locator("main img").all():
        assert image.evaluate("i => i.complete && i.naturalWidth > 0"), image.get_attribute("src")


@pytest.mark.parametrize("name", PAGES)
def test_a_strict_content_policy_refuses_nothing(read: Callable, strict: str, name: str) -> None:
    settle(read().open(f"{strict}/{name}"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [name for name in PAGES if "/" in name or name == "index.html"])
def test_figures_can_be_seen(read: Callable, http: str, name: str, scheme: str) -> None:
    page = settle(read(color_scheme=scheme).open(f"{http}/{name}"))
    assert page.evaluate(FAINT) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_without_javascript(read: Callable, http: str, name: str) -> None:
    page = read(java_script_enabled=False).open(f"{http}/{name}")
    told = missing_without_javascript(page)
    assert not told, "\n".join(told)


def missing_without_javascript(page: Page) -> list[str]:
    """Say what a reader without JavaScript does not see, or sees in vain."""
    told = []
    if not page.locator("main h1").first.is_visible():
        told.append("the heading is hidden")
    for figure in page.locator("figure").all():
        if not figure.locator("svg[role=img], img").first.is_visible():
            told.append(f"#{figure.get_attribute('id')} is hidden")
    for scrubber in page.locator(".dl-scrubber").all():
        if scrubber.get_by_role("slider").is_visible():
            told.append("a slider does nothing")
        if not scrubber.locator(".dl-scrubber-still").is_visible():
            told.append("a scrubber does not say that it stands still")
    for fold in page.locator("main details").all():
        summary = fold.locator("summary").first
        if summary.is_visible():
            summary.click()
            if not fold.locator(":scope > :not(summary)").first.is_visible():
                told.append(f"“{summary.inner_text()}” does not unfold")
    visible = [button for button in page.locator("button").all() if button.is_visible()]
    return told + [f"the button “{button.inner_text()}” does nothing" for button in visible]


@pytest.mark.parametrize(
    ("script", "sound", "broken", "said"),
    [
        (SIDEWAYS, "width: 300px", "width: 500px", 'in #wide'),
        (FAINT, "fill: #333", "fill: #eee", "#wide: the text “loss”"),
        (FAINT, "fill: #333", "fill: #fff", "#wide: the text “loss”"),
        (FAINT, 'fill="white"', 'fill="#222"', "#wide: the text “loss”"),
        (FAINT, 'stroke="#1d6fb8"', 'stroke="#f2f4f7"', "#wide: lines in #f2f4f7"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_seen(
    browser: Browser, script: str, sound: str, broken: str, said: str
) -> None:
    html = """<!doctype html><body style="background: white; margin: 0"><figure id="wide"
    style="width: 300px; margin: 0"><svg role="img" aria-label="A line" width="200" height="100">
    <rect width="200" height="100" fill="white"/><path d="M0 90H200" stroke="#1d6fb8"/>
    <text x="50" y="50" style="fill: #333">loss</text></svg></figure>"""
    page = browser.new_page(viewport=PHONE)
    page.set_content(html)
    assert page.evaluate(script) == []
    assert sound in html
    page.set_content(html.replace(sound, broken))
    told = page.evaluate(script)
    page.close()
    assert any(said in fault for fault in told), told


ROOM = """<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>
<figure id="fig-a"><svg role="img" aria-label="A line" width="90" height="90"></svg></figure>
<div class="dl-scrubber"><p class="dl-scrubber-still">The last of 3.</p>
<input type="range" aria-label="Step" hidden></div>
<details><summary>Hint</summary><p>Think.</p></details></main>"""


@pytest.mark.parametrize(
    ("sound", "broken", "said"),
    [
        ("<h1>", "<h1 hidden>", "the heading is hidden"),
        ("<figure", "<figure hidden", "#fig-a is hidden"),
        (" hidden>", ">", "a slider does nothing"),
        ('still">', 'still" hidden>', "does not say that it stands still"),
        ("<p>Think.</p>", "<p hidden>Think.</p>", "“Hint” does not unfold"),
        ("</main>", "<button>Go</button></main>", "the button “Go” does nothing"),
    ],
)
def test_what_is_missing_without_javascript_is_named(
    browser: Browser, sound: str, broken: str, said: str
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.set_content(ROOM)
    assert missing_without_javascript(page) == []
    page.set_content(ROOM.replace(sound, broken, 1))
    told = missing_without_javascript(page)
    page.close()
    assert any(said in fault for fault in told), told


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("<script>document.title = 'x'</script>", "Content Security Policy"),
        ('<p style="color: red">Red</p>', "Content Security Policy"),
        (
            '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
            "Content Security Policy",
        ),
        (
            '<img alt="" src="http://example.org/a.png">',
            "foreign request: http://example.org/a.png",
        ),
        ('<img alt="" src="gone.png">', "404 for "),
        ('<script src="loud.js"></script>', "script error: lost"),
    ],
)
def test_a_complaint_of_the_browser_is_heard(
    browser: Browser, hear: Callable, tmp_path: Path, planted: str, said: str
) -> None:
    icon = '<link rel="icon" href="icon.svg">'
    (tmp_path / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf-8")
    (tmp_path / "loud.js").write_text("throw new Error('lost')", "utf-8")
    (tmp_path / "sound.html").write_text(icon + ROOM, "utf-8")
    (tmp_path / "broken.html").write_text(icon + ROOM + planted, "utf-8")
    assert hear(tmp_path, "sound.html") == []
    told = hear(tmp_path, "broken.html")
    assert any(said in complaint for complaint in told), told
