"""Time the engines beside the TensorFlow Playground's algorithm in one page of Chromium."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
ENGINE = HERE.parents[1] / "book" / "_static" / "playground"
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
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
