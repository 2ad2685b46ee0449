"""Print the path of a Chromium for the browser tests, or say in one line how to get one.

First $CHROMIUM, then the PATH, then Playwright's own, which is downloaded where it is missing.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW = "On Debian: apt-get install chromium; elsewhere install Chrome and set CHROMIUM to its path."


def of_playwright() -> str:
    """Download Playwright's Chromium where it is missing and give its path, or an empty string."""
    install = [sys.executable, "-m", "playwright", "install", "chromium"]
    print("Chromium is not on PATH: asking Playwright for one.", file=sys.stderr, flush=True)
    if subprocess.run(install, stdout=sys.stderr, stderr=subprocess.DEVNULL).returncode:
        return ""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def find() -> str:
    """Give the path of a browser that can be run, or raise with one line for the reader."""
    chosen = os.environ.get("CHROMIUM", "")
    if chosen:
        if path := shutil.which(chosen):
            return path
        raise SystemExit(f"Browser tests: CHROMIUM={chosen} cannot be run. {HOW}")
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if path := of_playwright():
        return path
    raise SystemExit(f"Browser tests: no Chromium was found and none could be downloaded. {HOW}")


if __name__ == "__main__":
    print(find())
