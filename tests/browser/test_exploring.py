"""The latent map in Chromium: the cross moves by keyboard and by pointer, and the image follows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from test_pages import settle

CHAPTER = "generative/variational-autoencoders.html"
MAP = ".latent-map"


@pytest.fixture
def shown(read: Callable, addresses: dict[str, str]) -> Page:
    page = settle(read().open(f"{addresses['http']}/{CHAPTER}"))
    page.locator(MAP).scroll_into_view_if_needed()
    return page


def inks(page: Page) -> list[str]:
    script = "rects => rects.map((rect) => rect.getAttribute('fill-opacity'))"
    return page.locator(f"{MAP}-ink").evaluate_all(script)


def test_it_begins_in_the_middle_and_hides_what_stands_in_for_it(shown: Page) -> None:
    n = shown.locator(MAP).evaluate("e => e.latentMap.n")
    middle = (n - 1) // 2
    expect(shown.locator(MAP)).to_have_attribute("data-at", f"{middle},{middle}")
    expect(shown.locator(f"{MAP}-told")).to_contain_text("z₁ = 0.0, z₂ = 0.0: the classifier reads")
    expect(shown.locator(f"{MAP}-still")).to_be_hidden()
    expect(shown.locator(f"{MAP}-told")).to_have_attribute("aria-live", "polite")


def test_the_arrow_keys_move_the_cross_and_stop_at_the_edge(shown: Page) -> None:
    sheet, root = shown.locator(f"{MAP}-sheet svg"), shown.locator(MAP)
    n = root.evaluate("e => e.latentMap.n")
    middle = (n - 1) // 2
    sheet.focus()
    before = inks(shown)
    sheet.press("ArrowUp")
    expect(root).to_have_attribute("data-at", f"{middle},{middle - 1}")
    sheet.press("ArrowRight")
    expect(root).to_have_attribute("data-at", f"{middle + 1},{middle - 1}")
    for _ in range(n):
        sheet.press("ArrowLeft")
    expect(root).to_have_attribute("data-at", f"0,{middle - 1}")
    edge = root.evaluate("e => JSON.parse(e.dataset.map).edge")
    expect(shown.locator(f"{MAP}-told")).to_contain_text(f"z₁ = −{edge:.1f}")
    assert inks(shown) != before
    sheet.press("Home")
    expect(root).to_have_attribute("data-at", f"{middle},{middle}")
    assert inks(shown) == before


def test_the_pointer_moves_the_cross_and_the_image_is_the_decoders(shown: Page) -> None:
    sheet, root = shown.locator(f"{MAP}-sheet svg"), shown.locator(MAP)
    box = sheet.bounding_box()
    n = root.evaluate("e => e.latentMap.n")
    at = {"x": 2.5 / n * box["width"], "y": 3.5 / n * box["height"]}
    sheet.hover(position=at)
    expect(root).to_have_attribute("data-at", "2,3")
    given = root.evaluate("e => JSON.parse(e.dataset.map)")
    digits = given["images"][3 * n + 2]
    assert [round(15 * float(ink)) for ink in inks(shown)] == [int(d, 16) for d in digits]
    name, sure = given["says"][3 * n + 2]
    expect(shown.locator(f"{MAP}-told")).to_contain_text(f"reads {name}, {sure}% sure")
