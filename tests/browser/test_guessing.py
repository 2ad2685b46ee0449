"""The game in Chromium: played by pointer and by keyboard, with the right scores at the end."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from test_pages import settle

CHAPTER = "generative/real-or-fake.html"
GAME = ".game"


@pytest.fixture
def shown(read: Callable, addresses: dict[str, str]) -> Page:
    page = settle(read().open(f"{addresses['http']}/{CHAPTER}"))
    page.locator(GAME).scroll_into_view_if_needed()
    return page


def truth(page: Page) -> tuple[list[int], list[int]]:
    data = json.loads(page.locator(GAME).get_attribute("data-game"))
    return [real for _, real, _ in data["rounds"]], [said for _, _, said in data["rounds"]]


def test_the_pointer_plays_and_each_round_is_told(shown: Page) -> None:
    real, _ = truth(shown)
    assert len(real) == 20
    expect(shown.locator(".game-still")).to_be_hidden()
    expect(shown.locator(".game-count")).to_have_text("Round 1 of 20: real or generated?")
    shown.locator(".game-real").click()
    told = shown.locator(".game-told")
    expect(told).to_contain_text(f"Image 1 was {'real' if real[0] else 'generated'}")
    expect(told).to_contain_text(f"You were {'right' if real[0] else 'wrong'}")
    expect(shown.locator(GAME)).to_have_attribute("data-round", "1")


@pytest.mark.parametrize("keys", [("r", "g"), ("ArrowLeft", "ArrowRight")])
def test_the_keyboard_wins_every_round(shown: Page, keys: tuple[str, str]) -> None:
    real, said = truth(shown)
    address = shown.url
    shown.locator(".game-real").focus()
    for answer in real:
        shown.keyboard.press(keys[0] if answer else keys[1])
    expect(shown.locator(".game-told")).to_contain_text("You were right in 20 of 20")
    expect(shown.locator(".game-told")).to_contain_text("83% to 100%")
    expect(shown.locator(".game-told")).to_contain_text("better than guessing")
    rows = shown.locator(".game-scores tbody tr")
    right = sum(a == b for a, b in zip(real, said, strict=True))
    expect(rows.nth(0)).to_contain_text("20 of 20")
    expect(rows.nth(1)).to_contain_text(f"{right} of 20")
    expect(shown.locator(".game-again")).to_be_focused()
    expect(shown.locator(".game-real")).to_be_hidden()
    assert shown.url == address, "the arrows did not turn the page"


def test_one_can_lose_and_play_again(shown: Page) -> None:
    real, _ = truth(shown)
    shown.locator(".game-real").focus()
    for answer in real:
        shown.keyboard.press("g" if answer else "r")
    expect(shown.locator(".game-told")).to_contain_text("You were right in 0 of 20")
    expect(shown.locator(".game-told")).to_contain_text("worse than guessing")
    shown.locator(".game-again").press("Enter")
    expect(shown.locator(".game-count")).to_have_text("Round 1 of 20: real or generated?")
    expect(shown.locator(".game-real")).to_be_focused()
    expect(shown.locator(".game-scores")).to_be_hidden()


def test_the_image_shows_the_pixels_of_the_round(shown: Page) -> None:
    data = json.loads(shown.locator(GAME).get_attribute("data-game"))
    pixels = data["rounds"][0][0]
    drawn = shown.locator(f"{GAME} [role=group] .game-picture g rect")
    expect(drawn).to_have_count(sum(letter != "0" for letter in pixels))


def test_without_javascript_all_answers_can_be_unfolded(
    read: Callable, addresses: dict[str, str]
) -> None:
    page = read(java_script_enabled=False).open(f"{addresses['http']}/{CHAPTER}")
    items = page.locator(".game-list > li")
    expect(items).to_have_count(20)
    expect(items.nth(0).locator("p")).to_be_hidden()
    items.nth(0).locator("summary").click()
    expect(items.nth(0).locator("p")).to_be_visible()
