"""What a reader does with the book: search, switch, unfold, copy, print; all by keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

CHAPTERS = ["neuron/perceptron.html", "neuron/activations.html", "neuron/multilayer.html"]
CHAPTER = CHAPTERS[0]


def tab_to(page: Page, selector: str, *, limit: int = 200) -> None:
    """Press Tab until an element that matches has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{limit} presses of Tab do not reach {selector}")


def tab_from(page: Page, element_selector: str, target: str) -> None:
    """Set the starting point of Tab just before an element, as a click into the text would."""
    page.locator(element_selector).first.evaluate(
        """e => { const here = document.createElement("span"); here.tabIndex = -1;
                  e.before(here); here.focus(); }"""
    )
    tab_to(page, target, limit=10)


def visible_focus(page: Page) -> bool:
    """Say whether the focused element differs from how it looks without the focus."""
    return page.evaluate(
        """() => { const e = document.activeElement, look = () => { const s = getComputedStyle(e);
             return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor,
                     s.backgroundColor].join(); };
             const focused = look(); e.blur(); const plain = look(); e.focus();
             return focused !== plain; }"""
    )


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_xor_by_keyboard(
    read: Callable, addresses: dict[str, str], scheme: str
) -> None:
    page = read().open(f"{addresses[scheme]}/{CHAPTER}")
    page.keyboard.press("Control+k")
    expect(page.locator("dialog input[name=q]")).to_be_focused()
    page.keyboard.type("xor")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=xor*")
    results = page.locator("#search-results li a")
    expect(results.first).to_be_visible()
    page.wait_for_load_state("networkidle")
    found = [link.get_attribute("href") or "" for link in results.all()]
    assert any("neuron/multilayer" in address for address in found), found
    assert any("neuron/perceptron" in address for address in found), found
    chapter = page.locator("#search-results li a[href*='neuron/']").first
    chapter.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/neuron/*.html*")
    expect(page.locator("h1:visible")).to_have_count(1)


def test_search_says_when_nothing_is_found(read: Callable, http: str) -> None:
    page = read().open(f"{http}/search.html?q=zebrafish")
    expect(page.locator("#search-results")).to_contain_text("did not match any documents")


def test_the_skip_link_leads_to_the_text(read: Callable, http: str) -> None:
    page = read().open(f"{http}/{CHAPTER}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"


def test_colours_are_switched_by_keyboard_and_remembered(read: Callable, http: str) -> None:
    page = read(color_scheme="light").open(f"{http}/{CHAPTER}")
    html = page.locator("html")
    tab_to(page, ".theme-switch-button")
    assert visible_focus(page)
    seen = []
    for _ in range(3):
        seen.append((html.get_attribute("data-mode"), html.get_attribute("data-theme")))
        page.keyboard.press("Enter")
    assert seen == [("auto", "light"), ("light", "light"), ("dark", "dark")]
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(html).to_have_attribute("data-theme", "dark")
    page.goto(f"{http}/{CHAPTERS[1]}")
    expect(html).to_have_attribute("data-theme", "dark")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    expect(html).to_have_attribute("data-theme", "dark")
    assert background != "rgb(255, 255, 255)"


def test_the_system_decides_until_the_reader_does(read: Callable, http: str) -> None:
    page = read(color_scheme="dark").open(f"{http}/{CHAPTER}")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("name", CHAPTERS)
@pytest.mark.parametrize("fold", ["details.hide", "details.exercise-fold"])
def test_folds_open_and_close_by_keyboard(read: Callable, http: str, name: str, fold: str) -> None:
    page = read().open(f"{http}/{name}")
    details = page.locator(fold).first
    inside = details.locator(":scope > :not(summary)").first
    expect(inside).not_to_be_visible()
    tab_from(page, f"{fold} >> nth=0", "summary")
    assert visible_focus(page)
    page.keyboard.press("Enter")
    expect(inside).to_be_visible()
    page.keyboard.press("Space")
    expect(inside).not_to_be_visible()


@pytest.mark.parametrize("name", CHAPTERS)
def test_scrubbers_move_by_keyboard(read: Callable, http: str, name: str) -> None:
    page = read().open(f"{http}/{name}")
    assert page.locator(".dl-scrubber").count() > 0
    for scrubber in page.locator(".dl-scrubber").all():
        slider, reading = scrubber.get_by_role("slider"), scrubber.locator("output")
        picture = scrubber.locator("svg[role=img]")
        slider.focus()
        page.keyboard.press("Home")
        first, alt = reading.text_content(), picture.get_attribute("aria-label")
        page.keyboard.press("ArrowRight")
        assert reading.text_content() != first
        expect(picture).not_to_have_attribute("aria-label", alt or "")
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Previous"
        page.keyboard.press("Enter")
        assert reading.text_content() == first
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Next"
        page.keyboard.press("Space")
        assert reading.text_content() != first


def test_a_scrubber_plays_and_stops_by_keyboard(read: Callable, http: str) -> None:
    page = read().open(f"{http}/{CHAPTER}")
    scrubber = page.locator(".dl-scrubber").first
    play, reading = scrubber.locator(".dl-scrubber-play"), scrubber.locator("output")
    first = reading.text_content()
    play.focus()
    page.keyboard.press("Enter")
    expect(play).to_have_attribute("aria-label", "Pause")
    expect(reading).not_to_have_text(first or "")
    page.keyboard.press("Enter")
    expect(play).to_have_attribute("aria-label", "Play")


def test_reduced_motion_plays_nothing(read: Callable, http: str) -> None:
    page = read(reduced_motion="reduce").open(f"{http}/{CHAPTER}")
    expect(page.locator(".dl-scrubber-play").first).not_to_be_visible()


@pytest.mark.parametrize("name", CHAPTERS)
def test_quizzes_are_answered_and_cleared_by_keyboard(read: Callable, http: str, name: str) -> None:
    """Answer every question, those of the first quiz wrongly before; then clear what is kept."""
    page = read().open(f"{http}/{name}")
    for number, quiz in enumerate(page.locator(".quiz").all()):
        state = quiz.locator(".quiz-state [role=status]")
        for question in quiz.locator(".quiz-question").all():
            feedback, answers = question.locator(".quiz-feedback"), question.locator("li")
            rights = answers.evaluate_all("all => all.map((li) => li.dataset.right === 'yes')")
            field = question.locator(".quiz-number input")
            question.locator("input").first.focus()
            for index in sorted(range(len(rights)), key=rights.__getitem__):
                if number and not rights[index]:
                    continue
                if field.count():
                    field.press("Control+a")
                    page.keyboard.type(answers.nth(index).get_attribute("data-value") or "")
                    page.keyboard.press("Enter")
                else:
                    page.keyboard.press("Space")  # choose the first, then go on to this one
                    while not question.locator("input").nth(index).is_checked():
                        page.keyboard.press("ArrowDown")
                    page.keyboard.press("Tab")
                    page.keyboard.press("Enter")
                    page.keyboard.press("Shift+Tab")
                verdict = "Right: " if rights[index] else "Wrong: "
                expect(feedback).to_contain_text(verdict)
                said = feedback.locator("p").nth(1).inner_text()
                assert len(said.split()) > 2, f"no reason is given: {said!r}"
        expect(state).to_contain_text("✓ Done")
    page.reload()
    for quiz in page.locator(".quiz").all():
        expect(quiz.locator(".quiz-state")).to_contain_text("✓ Done")
        quiz.locator("summary").last.focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Start again"
        assert visible_focus(page)
        page.keyboard.press("Enter")
    assert page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('quiz '))") == []
    page.reload()
    assert set(page.locator(".quiz-state [role=status]").all_text_contents()) == {""}


def test_code_is_copied_as_it_is_written(read: Callable, http: str) -> None:
    reader = read(permissions=["clipboard-read", "clipboard-write"])
    page = reader.open(f"{http}/{CHAPTER}")
    first = page.locator(".cell:not(.tag_hide-input) .cell_input div.highlight > pre").first
    text = (first.text_content() or "").rstrip("\n")
    assert text.startswith("import")
    first.locator("..").locator(".copy-button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text


def test_code_is_selected_where_it_cannot_be_copied(read: Callable, http: str) -> None:
    page = read().open(f"{http}/{CHAPTER}")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    page.locator(".copy-button").first.click()
    expect(page.get_by_text("Press Ctrl+C", exact=True)).to_be_visible()
    assert page.evaluate("getSelection().toString()").strip()


@pytest.mark.parametrize("name", CHAPTERS)
def test_print_shows_solutions_and_hides_controls(read: Callable, http: str, name: str) -> None:
    page = read(color_scheme="dark").open(f"{http}/{name}")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    folds = page.locator("details.exercise-fold")
    assert folds.count() > 0
    for fold in folds.all():
        expect(fold.locator(":scope > :not(summary)").first).to_be_visible()
    for control in (".copy-button", ".theme-switch-button", ".dl-scrubber-controls", ".bd-sidebar"):
        for element in page.locator(control).all():
            expect(element).not_to_be_visible()
    ink = page.locator("article p").first.evaluate("e => getComputedStyle(e).color")
    assert sum(map(int, ink[4:-1].split(","))) < 3 * 90, f"the text would be printed in {ink}"


def test_sidebars_open_and_close_by_keyboard_on_a_phone(read: Callable, http: str) -> None:
    page = read(viewport={"width": 390, "height": 844}).open(f"{http}/{CHAPTER}")
    for name, words in (("primary", "Contents of the book"), ("secondary", "On this page")):
        dialog = page.locator(f"#pst-{name}-sidebar-modal")
        page.get_by_role("button", name=words).focus()
        page.keyboard.press("Enter")
        expect(dialog.locator("a").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).not_to_be_visible()
