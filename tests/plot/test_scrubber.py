import gzip
import re
from html.parser import HTMLParser
from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dlcourse import plot

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(100, 2)), np.arange(100) % 2
CSP = "default-src 'self'"


def draw(ax, step):
    plot.scatter(ax, X, Y)
    angle = step / 10
    plot.line_boundary(ax, [np.cos(angle), np.sin(angle)], 0.1, extent=(-3, 3, -3, 3))
    ax.set_title(f"after update {step}")


def say(step):
    return f"The boundary after update {step} with its normal"


@pytest.fixture(scope="module")
def forty():
    return plot.scrubber(draw, range(40), label="Update", alt=say)


@pytest.fixture(scope="module")
def few():
    return plot.scrubber(draw, range(5), label="Step", alt=say, value_text=lambda v: f"t = {v}")


class Attributes(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.names, self.ids = set(), set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.ids += [value for name, value in attrs if name == "id"]


def test_forty_frames_of_a_hundred_points_are_light(forty):
    assert len(gzip.compress(forty.html.encode())) <= 20_000
    assert len(gzip.compress(forty._repr_html_().encode())) <= 25_000


def test_frames_share_what_they_have_in_common(few):
    points = len(re.findall("<use ", few.svg))
    assert points >= 100
    assert len(re.findall("<use ", few.html)) < 1.5 * points


def test_a_site_gets_neither_script_nor_style(few):
    found = Attributes(few.html)
    assert not {"script", "style"} & found.tags
    assert not {name for name in found.names if name == "style" or name.startswith("on")}
    assert len(found.ids) == len(set(found.ids))
    data, metadata = few._repr_mimebundle_()
    assert set(data) == {plot.SCRUBBER_MIME, "text/html", "image/svg+xml", "text/plain"}
    assert metadata == {plot.SCRUBBER_MIME: {"still": few.still}}


def test_two_runs_give_the_same_bytes_and_a_key_tells_two_apart(few):
    again, other = (
        plot.scrubber(draw, range(5), label="Step", alt=say, value_text="t = {}".format, key=key)
        for key in ("", "second")
    )
    assert again.html == few.html
    assert again.svg == few.svg
    assert not set(Attributes(other.html).ids) & set(Attributes(few.html).ids)


def test_no_figure_stays_open():
    before = plt.get_fignums()
    plot.scrubber(draw, range(3), label="Step", alt=say)
    assert plt.get_fignums() == before


def test_only_the_last_frame_is_seen_without_javascript(few, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_content(few.html)
    assert page.get_by_text("after update 4", exact=True).is_visible()
    assert not page.get_by_text("after update 0", exact=True).is_visible()
    assert not page.get_by_role("slider").is_visible()
    assert page.get_by_text("The last of 5 pictures (Step: t = 4).").is_visible()
    page.context.close()


@pytest.fixture
def site(page, few):
    """A page with two scrubbers, sent with a strict content security policy."""
    other = plot.scrubber(draw, range(3), label="Epoch", alt=say)
    package = files("dlcourse.plot")
    body = (
        "<!doctype html><html lang=en><title>t</title><link rel=stylesheet href=scrubber.css>"
        f"<script defer src=scrubber.js></script>{few.html}{other.html}"
    )
    sent = {
        "/": ("text/html", body),
        "/scrubber.js": ("text/javascript", (package / "scrubber.js").read_text()),
        "/scrubber.css": ("text/css", (package / "scrubber.css").read_text()),
    }

    def answer(route):
        path = "/" + route.request.url.split("/", 3)[3]
        kind, text = sent.get(path, ("text/plain", ""))
        route.fulfill(
            body=text,
            headers={"content-type": f"{kind}; charset=utf-8", "content-security-policy": CSP},
        )

    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route("**/*", answer)
    yield page
    assert complaints == []


def visible_titles(page):
    texts = page.locator(".dl-scrubber").first.get_by_text(re.compile(r"^after update \d$"))
    return [t.text_content() for t in texts.all() if t.is_visible()]


def test_it_is_driven_by_keyboard_alone(site):
    site.goto("http://book.test/")
    output = site.locator("output").first
    assert output.text_content() == "t = 0"
    assert visible_titles(site) == ["after update 0"]
    for _ in range(3):
        site.keyboard.press("Tab")  # play, previous, slider
    site.keyboard.press("ArrowRight")
    site.keyboard.press("ArrowRight")
    assert output.text_content() == "t = 2"
    assert visible_titles(site) == ["after update 2"]
    slider = site.get_by_role("slider").first
    assert slider.get_attribute("aria-valuetext") == "t = 2"
    site.keyboard.press("Tab")
    site.keyboard.press("Enter")  # next
    assert output.text_content() == "t = 3"
    site.keyboard.press("Shift+Tab")
    site.keyboard.press("End")
    site.keyboard.press("ArrowRight")
    assert output.text_content() == "t = 4", "it runs past its end"
    said = site.locator("[aria-live=polite]").first
    said.get_by_text("Step t = 4: The boundary after update 4").wait_for(state="attached")
    picture = site.locator("svg[role=img]").first
    assert picture.get_attribute("aria-label") == say(4)
    assert site.locator("output").nth(1).text_content() == "0", "the second scrubber moved too"


def test_it_plays_only_when_asked_and_stops_at_the_end(site):
    site.goto("http://book.test/")
    play = site.get_by_role("button", name="Play").first
    play.click()
    site.get_by_role("button", name="Pause").first.wait_for()
    site.locator("output").first.get_by_text("t = 4").wait_for()
    site.get_by_role("button", name="Play").nth(1).wait_for()
    assert visible_titles(site) == ["after update 4"]


def test_reduced_motion_hides_the_play_button(site):
    site.emulate_media(reduced_motion="reduce")
    site.goto("http://book.test/")
    assert site.get_by_role("button", name="Play").count() == 0
    assert site.get_by_role("button", name="Next").first.is_visible()


def test_it_prints_its_last_frame(site):
    site.goto("http://book.test/")
    still = site.get_by_text("The last of 5 pictures (Step: t = 4).")
    assert not still.is_visible()
    site.emulate_media(media="print")
    site.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert visible_titles(site) == ["after update 4"]
    assert still.is_visible()
    assert not site.get_by_role("slider").first.is_visible()
    site.emulate_media(media="screen")
    site.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert visible_titles(site) == ["after update 0"]
    assert not still.is_visible()


def test_it_fits_a_phone(site):
    site.set_viewport_size({"width": 360, "height": 700})
    site.goto("http://book.test/")
    assert site.evaluate("document.documentElement.scrollWidth") <= 360
    box = site.get_by_role("button", name="Next").first.bounding_box()
    assert min(box["width"], box["height"]) >= 36


def test_in_a_notebook_it_brings_its_own_script(few, page):
    page.set_content(few._repr_html_() + few._repr_html_())
    page.get_by_role("slider").first.press("ArrowRight")
    assert page.locator("output").all_text_contents() == ["t = 1", "t = 0"]


# Notebooks write outputs with innerHTML, into a frame of their own or into the page. A browser runs
# no script that comes so: VS Code and Colab make each script anew behind the output, JupyterLab in
# its place and before the output is shown. An output that is not trusted gets none.
HOSTS = {
    "behind": """(html) => {
        const cell = document.createElement("div");
        document.body.append(cell);
        cell.innerHTML = html;
        for (const old of cell.querySelectorAll("script")) {
          const made = document.createElement("script");
          made.text = old.textContent;
          cell.append(made);
        }
      }""",
    "in its place": """(html) => {
        const cell = document.createElement("div");
        cell.innerHTML = html;
        for (const old of cell.querySelectorAll("script")) {
          const made = document.createElement("script");
          made.append(document.createTextNode(old.textContent));
          old.replaceWith(made);
        }
        document.body.append(cell);
      }""",
    "untrusted": """(html) => {
        const cell = document.createElement("div");
        cell.innerHTML = html;
        document.body.append(cell);
      }""",
}
FRAME = """<!doctype html><html><body data-vscode-theme-kind="vscode-dark"></body></html>"""


@pytest.fixture
def notebook(page):
    """A sandboxed frame, like the webview in which a notebook shows its outputs."""
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_content('<iframe sandbox="allow-scripts" width="600" height="550"></iframe>')
    page.locator("iframe").evaluate("(frame, html) => { frame.srcdoc = html; }", FRAME)
    page.frame_locator("iframe").locator("body[data-vscode-theme-kind]").wait_for(state="attached")
    yield page.frames[1]
    assert complaints == []


@pytest.mark.parametrize("host", ["behind", "in its place"])
def test_outputs_written_with_inner_html_work_beside_one_another(few, page, notebook, host):
    other = plot.scrubber(draw, range(3), label="Epoch", alt=say)
    notebook.evaluate(HOSTS[host], few._repr_html_())
    first = notebook.get_by_role("slider")
    first.focus()
    page.keyboard.press("ArrowRight")
    notebook.evaluate(HOSTS[host], other._repr_html_())  # a later cell is run
    output = notebook.locator("output")
    assert output.all_text_contents() == ["t = 1", "0"], "the first was set back"
    page.keyboard.press("ArrowRight")
    assert output.all_text_contents() == ["t = 2", "0"]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # next
    assert visible_titles(notebook) == ["after update 3"]
    for _ in range(3):
        page.keyboard.press("Tab")  # play, previous, slider of the second
    page.keyboard.press("End")
    assert output.all_text_contents() == ["t = 3", "2"]
    assert [note.is_visible() for note in notebook.get_by_text("The last of").all()] == [False] * 2
    paper = notebook.locator(".dl-notebook").first.evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert max(map(int, re.findall(r"\d+", paper))) < 70, f"on a dark page the paper is {paper}"


def test_an_output_that_is_not_trusted_shows_its_last_frame_and_says_so(few, notebook):
    notebook.evaluate(HOSTS["untrusted"], few._repr_html_())
    assert visible_titles(notebook) == ["after update 4"]
    assert notebook.get_by_text("The last of 5 pictures (Step: t = 4).").is_visible()
    assert not notebook.get_by_role("slider").is_visible()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": [1]}, "2 to 200 frames, got 1"),
        ({"label": " "}, "label is empty"),
        ({"alt": str}, "what the figure shows"),
    ],
)
def test_bad_requests_are_explained(options, message):
    given = {"values": [1, 2], "label": "Step", "alt": say} | options
    with pytest.raises(ValueError, match=message):
        plot.scrubber(draw, **given)
    with pytest.raises(TypeError, match="must be functions"):
        plot.scrubber("draw", [1, 2], label="Step", alt=say)
