"""The playground's app in Chromium: a whole session by keyboard alone, and that it bars nobody."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from test_axe import barriers
from test_pages import DESK, PHONE, SIDEWAYS, settle

LAB = "labs/playground.html"
APP = ".playground"
CURVE = "e => e.playgroundApp.look.curve"


def start(page: Page) -> Page:
    settle(page)
    expect(page.locator(f"{APP} .playground-told")).to_contain_text("Epoch 0")
    return page


def press(page: Page, control: Locator, *keys: str) -> None:
    """Reach a control as a keyboard does, and press keys."""
    control.focus()
    expect(control).to_be_focused()
    for key in keys:
        page.keyboard.press(key)


def button(page: Page, name: str) -> Locator:
    return page.locator(APP).get_by_role("button", name=name, exact=True)


def type_into(page: Page, label: str, text: str) -> None:
    press(page, page.get_by_label(label, exact=True), "ControlOrMeta+a")
    page.keyboard.type(text)
    page.keyboard.press("Tab")


@pytest.mark.parametrize("scheme", ["http", "strict", "file"])
def test_a_session_by_keyboard(
    read: Callable, addresses: dict[str, str], strict: str, scheme: str
) -> None:
    page = start(read().open(f"{(addresses | {'strict': strict})[scheme]}/{LAB}"))
    app, status = page.locator(APP), page.locator(f"{APP} [role=status]")
    told = page.locator(f"{APP} .playground-told")
    # data and a network
    press(page, page.get_by_label("Data set", exact=True), *"gau")
    expect(page).to_have_url(re.compile("dataset=gauss"))
    press(page, button(page, "Remove a layer"), "Enter")
    type_into(page, "Neurons in layer 1", "3")
    expect(page).to_have_url(re.compile("networkShape=3"))
    # step, and train to a target
    press(page, button(page, "Step"), "Enter")
    expect(told).to_contain_text("Epoch 1;")
    press(page, button(page, "Play"), "Enter")
    expect(told).to_have_text(re.compile(r"test accuracy (99|100)\.\d%"))
    press(page, button(page, "Pause"), "Enter")
    expect(status).to_contain_text("Paused")
    # the rate changes without a reset
    type_into(page, "Learning rate", "0.1")
    expect(page).to_have_url(re.compile("learningRate=0.1"))
    assert app.evaluate("e => e.playgroundApp.look.epoch") > 0
    # edit a weight
    press(page, page.get_by_role("button", name="Layer 1, neuron 1"), "Enter")
    type_into(page, "Layer 1, neuron 1: bias", "0.5")
    expect(status).to_contain_text("Weight changed")
    # the link brings the same curve back
    link = page.url
    curves = []
    for _ in range(2):
        page.goto("about:blank")
        page.goto(link)
        start(page)
        for epoch in (1, 2, 3):
            press(page, button(page, "Step"), "Enter")
            expect(told).to_contain_text(f"Epoch {epoch};")
        curves.append(app.evaluate(CURVE))
    press(page, button(page, "Reset"), "Enter")
    expect(told).to_contain_text("Epoch 0;")
    for epoch in (1, 2, 3):
        press(page, button(page, "Step"), "Enter")
        expect(told).to_contain_text(f"Epoch {epoch};")
    assert curves[0] == curves[1] == app.evaluate(CURVE)


def test_a_network_that_diverges_says_so(read: Callable, http: str) -> None:
    link = "problem=regression&learningRate=10&activation=linear&seed=1"
    page = start(read().open(f"{http}/{LAB}#{link}"))
    press(page, button(page, "Play"), "Enter")
    expect(page.locator(f"{APP} [role=status]")).to_contain_text("has diverged")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_app_has_no_barrier(
    read: Callable, http: str, scheme: str, size: dict[str, int]
) -> None:
    reader = read(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = start(reader.open(f"{http}/{LAB}"))
    page.get_by_role("button", name="Layer 1, neuron 1").click()
    assert page.evaluate(SIDEWAYS) == []
    told = barriers(page)
    assert not told, "\n".join(told)


def test_without_javascript_a_sentence_stands_there(read: Callable, http: str) -> None:
    page = read(java_script_enabled=False).open(f"{http}/{LAB}")
    expect(page.locator(".playground-still")).to_be_visible()
    assert page.locator(f"{APP} :is(button, input, select, canvas)").count() == 0
