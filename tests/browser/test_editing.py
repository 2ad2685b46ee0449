"""The kernel editor in Chromium: right to the digit, bounded in work, private, by keyboard."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect
from test_axe import barriers
from test_pages import DESK, PHONE, SIDEWAYS, settle
from test_reading import tab_from, visible_focus
from torch.nn import functional as F

from dlcourse.vision.kernels import KERNELS

CHAPTER = "vision/kernels.html"
EDITOR = ".kernel-editor"
PICTURE = f"{EDITOR} canvas[role=img]"
# what the editor has done so far: computed maps, and products in them
WORK = "e => [e.kernelEditor.frames, e.kernelEditor.products]"
# A frame of 33 ms must hold the largest kernel on the largest image. Engines for JavaScript do
# several hundred million products a second on typed arrays, so ten million are safe.
PRODUCTS_PER_FRAME = 10_000_000


def start(page: Page) -> Page:
    """Scroll to the editor and wait for its first feature map."""
    settle(page).locator(EDITOR).scroll_into_view_if_needed()
    # a strict policy refuses `wait_for_function`, which evaluates text
    expect(page.locator(EDITOR)).to_have_attribute("data-frames", re.compile("[1-9]"))
    return page


def upload(page: Page, path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path)
    page.get_by_label("Open an image of yours").set_input_files(path)
    height, width = (round(n * min(1, 512 / max(pixels.shape))) for n in pixels.shape)
    told = f"Image: your own, {width} × {height} pixels, grey"
    expect(page.locator(PICTURE)).to_have_attribute("aria-label", told)
    settle_frames(page)


def settle_frames(page: Page) -> None:
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)


def answers(page: Page) -> np.ndarray:
    shown = page.locator(EDITOR).evaluate(
        "e => [e.kernelEditor.slider.height, Array.from(e.kernelEditor.slider.map)]"
    )
    return np.array(shown[1]).reshape(shown[0], -1)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_every_preset_is_what_pytorch_computes(
    read: Callable, addresses: dict[str, str], scheme: str, tmp_path: Path
) -> None:
    page = start(read().open(f"{addresses[scheme]}/{CHAPTER}"))
    pixels = noise(24, 32)
    upload(page, tmp_path / "noise.png", pixels)
    box = page.get_by_label("Kernel", exact=True)
    presets = page.locator(EDITOR).evaluate("e => JSON.parse(e.dataset.presets)")
    assert {name.replace("_", " ") for name in KERNELS} < set(presets)
    for name, rows in presets.items():
        box.select_option(name)
        settle_frames(page)
        kernel = torch.tensor(rows, dtype=torch.float64)
        known = KERNELS.get(name.replace(" ", "_"))
        assert known is None or torch.allclose(kernel.float(), known, atol=1e-4), name
        x = torch.from_numpy(pixels).double()[None, None]
        theirs = F.conv2d(x, kernel[None, None], padding=len(rows) // 2)[0, 0].numpy()
        assert answers(page) == pytest.approx(theirs, abs=1e-2), name


@pytest.mark.parametrize("name", ["Pavilion", "Dahlia", "Molecules"])
@pytest.mark.parametrize("scheme", ["strict", "file"])
def test_the_images_of_the_book_can_be_chosen(
    read: Callable, addresses: dict[str, str], strict: str, scheme: str, name: str
) -> None:
    page = start(read().open(f"{(addresses | {'strict': strict})[scheme]}/{CHAPTER}"))
    page.get_by_label("Image", exact=True).select_option(label=name)
    told = re.compile(f"^Image: {name}, ")
    expect(page.locator(PICTURE)).to_have_attribute("aria-label", told)
    settle_frames(page)
    assert answers(page).std() > 1


def test_the_work_of_a_frame_is_bounded_and_never_done_twice(
    read: Callable, http: str, tmp_path: Path
) -> None:
    page = start(read().open(f"{http}/{CHAPTER}"))
    upload(page, tmp_path / "large.png", noise(512, 512))
    editor, places = page.locator(EDITOR), 512 * 512
    buffers = "e => { const s = e.kernelEditor.slider; return window.seen ??= [s.map, s.padded]; }"
    editor.evaluate_handle(buffers)
    for preset, used in {"edge": 9, "sobel x": 9, "identity": 3, "blur 5 × 5": 25}.items():
        before = editor.evaluate(WORK)
        page.get_by_label("Kernel", exact=True).select_option(preset)
        settle_frames(page)
        frames, products = np.subtract(editor.evaluate(WORK), before)
        assert (frames, products) == (1, used * places), preset
        assert products <= PRODUCTS_PER_FRAME
    # a hundred changes between two frames of the screen are one computation
    frames, products = editor.evaluate(
        f"""async (e) => {{
          const work = {WORK}, before = work(e), field = e.querySelector(".kernel-grid input");
          for (let i = 1; i <= 100; i++) {{
            field.value = i; field.dispatchEvent(new Event("input", {{ bubbles: true }}));
          }}
          await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
          return work(e).map((now, i) => now - before[i]);
        }}"""
    )
    assert (frames, products) == (1, 25 * places)
    same = "({ kernelEditor: { slider } }) => seen[0] === slider.map && seen[1] === slider.padded"
    assert editor.evaluate(same), "a frame makes no new arrays"


def test_a_large_image_is_made_smaller_and_stays_here(
    read: Callable, strict: str, tmp_path: Path
) -> None:
    page = start(read().open(f"{strict}/{CHAPTER}"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    upload(page, tmp_path / "wide.png", noise(300, 1024))
    assert answers(page).shape == (150, 512)
    assert [url for url in asked if not url.startswith("blob:")] == []


def test_a_file_that_is_no_image_is_named(read: Callable, http: str, tmp_path: Path) -> None:
    page = start(read().open(f"{http}/{CHAPTER}"))
    (tmp_path / "words.png").write_text("no image", "utf-8")
    page.get_by_label("Open an image of yours").set_input_files(tmp_path / "words.png")
    expect(page.locator(".kernel-complaint")).to_have_text(
        "The browser cannot read this file as an image. Please save it as PNG, JPEG or WebP first."
    )
    expect(page.get_by_label("Image", exact=True)).to_have_value("china")


def test_a_photograph_taken_sideways_stands_upright(
    read: Callable, http: str, tmp_path: Path
) -> None:
    page = start(read().open(f"{http}/{CHAPTER}"))
    sideways = Image.fromarray(noise(20, 30))
    exif = sideways.getexif()
    exif[0x0112] = 6  # turn by 90° to show it
    sideways.save(tmp_path / "phone.jpg", exif=exif)
    page.get_by_label("Open an image of yours").set_input_files(tmp_path / "phone.jpg")
    told = "Image: your own, 20 × 30 pixels, grey"
    expect(page.locator(PICTURE)).to_have_attribute("aria-label", told)


def test_one_can_come_back_to_an_image_of_ones_own(
    read: Callable, http: str, tmp_path: Path
) -> None:
    page = start(read().open(f"{http}/{CHAPTER}"))
    box, picture = page.get_by_label("Image", exact=True), page.locator(PICTURE)
    expect(box.locator("option", has_text="Your own")).to_be_disabled()
    upload(page, tmp_path / "noise.png", noise(24, 32))
    box.select_option(label="Dahlia")
    expect(picture).to_have_attribute("aria-label", re.compile("^Image: Dahlia, "))
    box.select_option(label="Your own")
    expect(picture).to_have_attribute("aria-label", "Image: your own, 32 × 24 pixels, grey")


def test_a_sum_of_zero_divides_nothing_and_says_so(read: Callable, http: str) -> None:
    page = start(read().open(f"{http}/{CHAPTER}"))
    page.get_by_role("button", name="Divide by the sum").click()
    expect(page.locator(".kernel-complaint")).to_have_text(
        "The weights sum to 0, and nothing can be divided by it."
    )
    page.get_by_label("Kernel", exact=True).select_option("blur")
    expect(page.locator(".kernel-complaint")).to_have_text("")


def test_patch_times_kernel_by_keyboard(read: Callable, http: str, tmp_path: Path) -> None:
    page = start(read().open(f"{http}/{CHAPTER}"))
    pixels = noise(40, 50)
    upload(page, tmp_path / "noise.png", pixels)
    page.get_by_label("Kernel", exact=True).select_option("sharpen")
    settle_frames(page)
    tab_from(page, f"{EDITOR} .kernel-pictures", "canvas")
    assert visible_focus(page)
    page.locator(f"{EDITOR} canvas[tabindex]").focus()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    row, column = page.locator(EDITOR).evaluate("e => e.kernelEditor.at")
    assert (row, column) == (20 - 1 + 10, 25 + 1 - 2)
    tables = [
        [float(cell.inner_text().replace("−", "-")) for cell in table.locator("td").all()]
        for table in page.locator(".kernel-sum table").all()
    ]
    patch = pixels[row - 1 : row + 2, column - 1 : column + 2].flatten()
    weights = KERNELS["sharpen"].flatten().numpy()
    assert tables == [patch.tolist(), weights.tolist(), (patch * weights).tolist()]
    answer = float(page.locator(".kernel-sum strong").inner_text().replace("−", "-"))
    assert answer == float(patch @ weights)
    expect(page.locator(".kernel-said")).to_contain_text(f"Row {row + 1}, column {column + 1}: ")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")  # the edge of the image holds
    assert page.locator(EDITOR).evaluate("e => e.kernelEditor.at[1]") == 49


def test_the_pointer_shows_the_pixel_below_it(read: Callable, http: str) -> None:
    page = start(read().open(f"{http}/{CHAPTER}"))
    canvas = page.locator(f"{EDITOR} canvas[tabindex]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    row, column = page.locator(EDITOR).evaluate("e => e.kernelEditor.at")
    assert (row, column) == (pytest.approx(0.75 * 427, abs=3), pytest.approx(0.25 * 512, abs=3))


def test_a_kernel_is_turned_divided_and_enlarged(read: Callable, http: str) -> None:
    page = start(read().open(f"{http}/{CHAPTER}"))
    kernel = "e => e.kernelEditor.kernel"
    page.get_by_label("Kernel", exact=True).select_option("sobel x")
    page.get_by_role("button", name="Turn by 90°").click()
    assert page.locator(EDITOR).evaluate(kernel) == KERNELS["sobel_y"].flatten().tolist()
    page.get_by_label("Size", exact=True).select_option("5")
    bigger = F.pad(KERNELS["sobel_y"], [1] * 4).flatten().tolist()
    assert page.locator(EDITOR).evaluate(kernel) == bigger
    assert page.get_by_role("spinbutton").count() == 25
    page.get_by_label("Weight in row 3, column 3").fill("4")
    page.get_by_role("button", name="Divide by the sum").click()
    assert sum(page.locator(EDITOR).evaluate(kernel)) == pytest.approx(1)
    expect(page.locator(".kernel-total")).to_have_text("The weights sum to 1.")
    expect(page.get_by_label("Kernel", exact=True)).to_have_value("")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_editor_has_no_barrier(
    read: Callable, http: str, scheme: str, size: dict[str, int]
) -> None:
    reader = read(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = start(reader.open(f"{http}/{CHAPTER}"))
    page.get_by_label("Kernel", exact=True).select_option("blur 5 × 5")
    settle_frames(page)
    assert page.evaluate(SIDEWAYS) == []
    told = barriers(page)
    assert not told, "\n".join(told)


def test_without_javascript_a_sentence_leads_to_a_picture(read: Callable, http: str) -> None:
    page = read(java_script_enabled=False).open(f"{http}/{CHAPTER}")
    expect(page.locator(".kernel-editor-still")).to_be_visible()
    assert page.locator(f"{EDITOR} :is(button, input, select, canvas)").count() == 0
    target = page.locator(".kernel-editor-still a").get_attribute("href")
    expect(page.locator(f"{target} svg[role=img]")).to_be_visible()
