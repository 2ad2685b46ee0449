"""Chromium without a network, two little servers for the built site, and a record of complaints."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

BOOK = Path(__file__).parents[2] / "book"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
POLICY = "default-src 'self'"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.site)


@pytest.fixture(scope="module")  # two at once in one process disturb each other, and asyncio
def browser() -> Iterator[Browser]:
    chosen = os.environ.get("CHROMIUM", "")
    found = shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        what = f"CHROMIUM={chosen} cannot be run" if chosen else "no Chromium was found"
        pytest.fail(f"{what}: install it, or set CHROMIUM to its path", pytrace=False)
    # every host but this machine is unknown, whatever a page asks for
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage", offline]
        )
        yield browser
        browser.close()


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder quietly, with a content security policy if there is one."""

    def __init__(self, *args: Any, policy: str = "", **options: Any) -> None:
        self.policy = policy
        super().__init__(*args, **options)

    def end_headers(self) -> None:
        if self.policy:
            self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serve(folder: Path, policy: str = "") -> Iterator[str]:
    handler = partial(Handler, directory=str(folder), policy=policy)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def serve_folder() -> Callable[..., Any]:
    """A context that serves a folder, plainly or under the strict policy, and gives its address."""
    return lambda folder, strict: serve(folder, POLICY if strict else "")


@pytest.fixture(scope="session")
def http(site: Path) -> Iterator[str]:
    """The address of the site, served plainly."""
    with serve(site) as address:
        yield address


@pytest.fixture(scope="session")
def strict(site: Path) -> Iterator[str]:
    """The address of the site, served with a strict content security policy."""
    with serve(site, POLICY) as address:
        yield address


@pytest.fixture(scope="session")
def addresses(http: str, site: Path) -> dict[str, str]:
    return {"http": http, "file": site.as_uri()}


class Reader:
    """A browser window that writes down whatever goes wrong."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Any) -> None:
        if request.failure == "net::ERR_ABORTED":  # the reader has moved on to another page
            return
        self.complaints.append(f"request failed: {request.url} ({request.failure})")

    def _response(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} for {response.url}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:")):
            self.complaints.append(f"foreign request: {request.url}")

    def open(self, address: str) -> Page:
        self.page.goto(address)
        return self.page


@pytest.fixture
def read(browser: Browser) -> Iterator[Callable[..., Reader]]:
    """Open windows with the options of a browser context; a window with complaints fails."""
    readers: list[Reader] = []

    def make(**options: Any) -> Reader:
        readers.append(Reader(browser, **({"viewport": {"width": 1400, "height": 900}} | options)))
        return readers[-1]

    yield make
    for reader in readers:
        reader.context.close()
    complaints = [text for reader in readers for text in reader.complaints]
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def hear(browser: Browser) -> Callable[[Path, str], list[str]]:
    """Open a page of a folder under the strict policy, and return what the browser complains of."""

    def listen(folder: Path, name: str) -> list[str]:
        with serve(folder, POLICY) as address:
            reader = Reader(browser)
            reader.open(f"{address}/{name}").wait_for_load_state("networkidle")
            reader.context.close()
        return reader.complaints

    return listen
