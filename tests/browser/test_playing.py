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


def epoch(page: Page) -> Locator:
    return page.locator(f"{APP} .playground-told dd").first


def start(page: Page) -> Page:
    settle(page)
    expect(epoch(page)).to_have_text("0")
    return page


def press(page: Page, control: Locator, *keys: str) -> None:
    """Reach a control as a keyboard does, and press keys."""
    control.focus()
    expect(control).to_be_focused()
    for key in keys:
        page.keyboard.press(key)


def button(page: Page, name: str) -> Locator:
    return page.locator(APP).get_by_role("button", name=name, exact=True)


def fold(page: Page, text: str) -> Locator:
    return page.locator(f"{APP} summary", has_text=text)


def type_into(page: Page, label: str, text: str) -> None:
    press(page, page.get_by_label(label, exact=True), "ControlOrMeta+a")
    page.keyboard.type(text)
    page.keyboard.press("Tab")


def three_epochs(page: Page) -> list[list[float]]:
    """Step three times, and return the curve."""
    for done in (1, 2, 3):
        press(page, button(page, "Step"), "Enter")
        expect(epoch(page)).to_have_text(str(done))
    curve: list[list[float]] = page.locator(APP).evaluate(CURVE)
    assert len(curve) == 4
    return curve


@pytest.mark.parametrize("scheme", ["http", "strict", "file"])
def test_a_session_by_keyboard(
    read: Callable, addresses: dict[str, str], strict: str, scheme: str
) -> None:
    page = start(read().open(f"{(addresses | {'strict': strict})[scheme]}/{LAB}"))
    app, status = page.locator(APP), page.locator(f"{APP} [role=status]")
    accuracy = page.locator(f"{APP} .playground-told dd").last
    # data and a network
    press(page, page.get_by_role("radio", name="circle"), "ArrowRight", "ArrowRight")
    expect(page.get_by_role("radio", name="gauss")).to_be_checked()
    expect(page).to_have_url(re.compile("dataset=gauss"))
    press(page, button(page, "Remove a layer"), "Enter")
    type_into(page, "Neurons in layer 1", "3")
    expect(page).to_have_url(re.compile("networkShape=3"))
    # step, and train to a target
    press(page, button(page, "Step"), "Enter")
    expect(epoch(page)).to_have_text("1")
    press(page, button(page, "Play"), "Enter")
    expect(accuracy).to_have_text(re.compile(r"^(99|100)\.\d%"))
    press(page, button(page, "Pause"), "Enter")
    expect(status).to_contain_text("Paused")
    # the rate changes without a reset
    type_into(page, "Learning rate", "0.1")
    expect(page).to_have_url(re.compile("learningRate=0.1"))
    assert app.evaluate("e => e.playgroundApp.look.epoch") > 0
    # edit a weight
    before = app.evaluate("e => e.playgroundApp.look.losses")
    press(page, page.get_by_role("button", name="Layer 1, neuron 1"), "Enter")
    type_into(page, "Layer 1, neuron 1: bias", "0.5")
    expect(status).to_contain_text("Weight changed")
    assert app.evaluate("e => e.playgroundApp.look.losses") != before
    # the link brings the same curve back, and so does Reset
    link = page.url
    curves = []
    for _ in range(2):
        page.goto("about:blank")
        page.goto(link)
        start(page)
        curves.append(three_epochs(page))
    press(page, button(page, "Reset"), "Enter")
    expect(epoch(page)).to_have_text("0")
    assert curves[0] == curves[1] == three_epochs(page)


def test_the_engine_runs_where_it_is_fastest(
    read: Callable, addresses: dict[str, str], strict: str
) -> None:
    """A policy that forbids WebAssembly leaves the readable engine; nobody waits for the page."""
    ask = """async e => {
      const { engine, network } = e.playgroundApp;
      return [await engine.call("create", network), engine.place];
    }"""
    found = {}
    for name, address in (addresses | {"strict": strict}).items():
        page = start(read().open(f"{address}/{LAB}"))
        found[name] = page.locator(APP).evaluate(ask)
    assert found["http"] == found["file"] == ["WebAssembly", "worker"]
    assert found["strict"] == ["JavaScript", "worker"]


def test_a_link_of_the_page_sets_the_playground_up(read: Callable, http: str) -> None:
    page = start(read().open(f"{http}/{LAB}"))
    press(page, page.locator("a.playground-setup").nth(3), "Enter")
    expect(page.get_by_role("radio", name="spiral")).to_be_checked()
    expect(button(page, "Play")).to_be_focused()


def test_points_are_drawn_and_pasted_by_keyboard(read: Callable, http: str) -> None:
    page = start(read().open(f"{http}/{LAB}"))
    press(page, fold(page, "Your own data"), "Enter")
    pad = page.get_by_label(re.compile("Drawing pad"))
    press(page, pad, "Enter", "ArrowLeft", "Enter", "ArrowUp", "Enter", "ArrowUp", "Enter")
    expect(page).to_have_url(re.compile("points=0,0,1;-0.5,0,1;-0.5,0.5,1;-0.5,1,1"))
    press(page, page.get_by_label("Rows of x, y, label"))
    page.keyboard.type("1,1,a\n2,<img src=x>,b\n")
    press(page, button(page, "Use these rows"), "Enter")
    status = page.locator(f"{APP} [role=status]")
    expect(status).to_contain_text("Line 2 is not")
    press(page, page.get_by_label("Rows of x, y, label"), "ControlOrMeta+a")
    page.keyboard.type("1,1,a\n-1,-1,b\n2,1,a\n-2,-1,b\n2,2,c\n")
    press(page, button(page, "Use these rows"), "Enter")
    expect(status).to_contain_text("5 points of your own")
    expect(page.get_by_role("button", name="Output 3")).to_be_visible()


def test_what_is_taken_home_says_what_was_learned(read: Callable, http: str) -> None:
    page = start(read().open(f"{http}/{LAB}#networkShape=3&seed=7"))
    press(page, fold(page, "Take it home"), "Enter")
    text = page.get_by_label("To copy", exact=True)
    for name, word in {
        "Link": "&seed=7", "PyTorch": "nn.Linear(2, 3)", "dlcourse": "multilayer.forward(",
        "JSON": '"made_by": "dlcourse playground"',
    }.items():  # fmt: skip
        press(page, button(page, name), "Enter")
        expect(text).to_have_value(re.compile(re.escape(word)))


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
    fold(page, "Your own data").click()
    fold(page, "Take it home").click()
    assert page.evaluate(SIDEWAYS) == []
    told = barriers(page)
    assert not told, "\n".join(told)


def test_without_javascript_a_sentence_stands_there(read: Callable, http: str) -> None:
    page = read(java_script_enabled=False).open(f"{http}/{LAB}")
    expect(page.locator(".playground-still")).to_be_visible()
    assert page.locator(f"{APP} :is(button, input, select, canvas)").count() == 0
