"""The word map in Chromium: found by search, by pointer and by keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from test_pages import settle

CHAPTER = "sequences/word-embeddings.html"
MAP = ".word-map"


@pytest.fixture
def shown(read: Callable, addresses: dict[str, str]) -> Page:
    page = settle(read().open(f"{addresses['http']}/{CHAPTER}"))
    page.locator(MAP).scroll_into_view_if_needed()
    return page


def test_a_search_finds_a_word_and_names_its_neighbours(shown: Page) -> None:
    shown.get_by_label("Find a word").fill("KeyError")
    expect(shown.locator(MAP)).to_have_attribute("data-chosen", "KeyError")
    expect(shown.locator(".word-map-told")).to_contain_text("KeyError: nearest are")
    shown.get_by_label("Find a word").fill("no such word")
    expect(shown.locator(".word-map-told")).to_contain_text("is not among")


def test_the_arrow_keys_walk_to_other_words(shown: Page) -> None:
    sheet = shown.locator(f"{MAP} svg")
    sheet.focus()
    seen = {shown.locator(MAP).get_attribute("data-chosen")}
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        sheet.press(key)
        seen.add(shown.locator(MAP).get_attribute("data-chosen"))
    assert len(seen) > 1


def test_the_pointer_chooses_the_word_below_it(shown: Page) -> None:
    circle = shown.locator(f"{MAP} circle").nth(17)
    circle.hover(force=True)
    word = shown.locator(MAP).evaluate("e => e.wordMap.words[17].word")
    expect(shown.locator(MAP)).to_have_attribute("data-chosen", word)
