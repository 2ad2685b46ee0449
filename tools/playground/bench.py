"""Time the engines beside the TensorFlow Playground's algorithm in one page of Chromium.

Where the site is built, time the whole app at full speed as well.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
ENGINE = HERE.parents[1] / "book" / "_static" / "playground"
LAB = HERE.parents[1] / "book" / "_build" / "html" / "labs" / "playground.html"
DEEP = "dataset=spiral&networkShape=8,8,8,8,8,8"
DEEP += "&xSquared=true&ySquared=true&xTimesY=true&sinX=true&sinY=true"
LINKS = {"(a)": "dataset=circle&networkShape=4,2", "(b)": DEEP}
APP = """async () => {
  const app = document.querySelector(".playground").playgroundApp;
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const epoch = async () => (await app.engine.call("look")).epoch;
  app.toggle();
  await wait(1000);
  const start = performance.now(), from = await epoch(), frame = app.turn;
  await wait(3000);
  const seconds = (performance.now() - start) / 1000;
  return [((await epoch()) - from) / seconds, (app.turn - frame) / seconds];
}"""
PARTS = ("random", "data", "network", "oracle", "simd-wasm", "simd")


def main(chromium: str) -> None:
    """Open a page with all scripts and print what its `bench` says."""
    scripts = [ENGINE / f"{part}.js" for part in PARTS] + [HERE / "anchor.js", HERE / "bench.js"]
    tags = "".join(f'<script src="{path.as_uri()}"></script>' for path in scripts)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder, "bench.html")
        path.write_text(f'<!doctype html><meta charset="utf-8"><title>Bench</title>{tags}', "utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(path.as_uri())
        print(f"Chromium {browser.version}\n{page.evaluate('bench()')}")
        for name, link in LINKS.items() if LAB.is_file() else ():
            page = browser.new_page(viewport={"width": 1366, "height": 900})
            page.goto(f"{LAB.as_uri()}#{link}", wait_until="networkidle")
            epochs, frames = page.evaluate(APP)
            page.close()  # it would go on training
            print(f"{name} whole app: {epochs:,.0f} epochs/s at {frames:.0f} frames/s")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
