"""A real Chromium for the tests of the offline page, and what they ask of it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pages import make_dataset, make_run

from jaxnet.data.dataset import Dataset
from jaxnet.report.page.build import write_page
from jaxnet.runs.run import Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

Open = Callable[..., "Page"]

# A camera that films a pattern, and may be used without asking.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A Chromium that Playwright drives, if it is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"there is no Chromium: none of {', '.join(NAMES)}")
    # As root, Chromium does not run in its sandbox.
    rights = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        arguments = ["--disable-gpu", *CAMERA, *rights]
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def show(chromium: "Browser", tmp_path: Path) -> Iterator[Open]:
    """Write the page of a run and open it, which must cause no error, dialog or request."""
    events: list[str] = []
    opened: set[str] = set()
    contexts = []

    def note(url: str) -> None:
        # A worker runs the page's own script; a page may be opened again.
        if not url.startswith("blob:") and url not in opened:
            events.append(url)

    def show(
        run: Run | None = None,
        dataset: Dataset | None = None,
        *,
        fragment: str = "",
        pictures: bool = True,
        path: Path | None = None,
        **options: Any,
    ) -> "Page":
        if path is None:
            path = tmp_path / "page.html"
            write_page(path, run or make_run(), dataset or make_dataset(), pictures=pictures)
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: events.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: events.append(f"error: {error}"))
        page.on("dialog", lambda dialog: events.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: note(request.url))
        address = path.as_uri() + fragment
        page.goto(address)
        page.wait_for_selector("html[data-ready]", timeout=10_000)
        if path.as_uri() not in opened:
            assert events.pop(0) == path.as_uri()
        opened.add(path.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert events == []


def state(page: "Page") -> Any:
    return page.evaluate("jaxnet.state()")


def until(page: "Page", condition: str) -> None:
    """Wait for a condition; Playwright's own way would need `eval`, which the page forbids."""
    for _ in range(400):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never: {condition}")


def text(page: "Page | Locator", selector: str) -> str:
    return page.locator(selector).first.text_content() or ""


def open_diagram(page: "Page") -> None:
    """Show the block diagram, which the page opens with a click."""
    if page.locator("#diagram").is_hidden():
        button(page, "Show every matrix, with its formula").click()


def named(page: "Page", name: str) -> "Locator":
    """Find a box of the diagram, which must be open."""
    at = page.locator(".box .symbol").all_text_contents().index(name)
    return page.locator(".box").nth(at)


def button(page: "Page", name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)
