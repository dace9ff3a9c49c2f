"""The offline page's names, roles and contrasts, as axe-core judges them, in each of its states."""

import importlib.resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser import Open, until
from pages import make_run
from PIL import Image

from jaxnet.report.page.build import empty_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Each state, with what leads to it from the one before.
STATES = {
    "first": "0",
    "trained, all open": "(jaxnet.step(60),"
    " document.querySelectorAll('details').forEach((e) => (e.open = true)))",
    "dead, silenced, after another training": (
        "jaxnet.set({ silenced: [1], frozen: [2], start: 'zeros' })"
    ),
    "not finite": "(jaxnet.set({ learning_rate: 1e200, start: 'own' }), jaxnet.step(9))",
    "cards": "(jaxnet.set({ learning_rate: 0.1 }), jaxnet.reset(),"
    " document.querySelector('[aria-controls=lessons]').click())",
    "asked": "document.querySelectorAll('.lessonCard')[1].click()",
    "told": "document.querySelector('.guess').click()",
    "slow motion": "(document.querySelector('.lessonHead button').click(),"
    " document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 's', bubbles: true })))",
    "refused": "location.hash = '#diagram=true&lesson={}'",
    "playing": "(jaxnet.set({ learning_rate: 0.1 }), jaxnet.reset(), void jaxnet.run(1e7))",
}


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, if it is installed."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    return (importlib.resources.files(package) / "axe.min.js").read_text("utf-8")


def violations(page: "Page") -> list[tuple[str, Any]]:
    only = "{ resultTypes: ['violations'] }"  # the others without their elements, which take time
    found = page.evaluate(f"axe.run({only}).then(({{ violations }}) => violations)")
    return [(v["id"], [node["target"] for node in v["nodes"]][:5]) for v in found]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "lang", "width"), [("light", "en", 1280), ("dark", "zh", 1280), ("light", "en", 390)]
)
def test_no_state_has_a_violation(show: Open, axe: str, scheme: str, lang: str, width: int) -> None:
    viewport = {"width": width, "height": 900}
    found = {}
    for pictures in (True, False):
        page = show(
            make_run(weight_scale=0.5),
            pictures=pictures,
            fragment=f"#lang={lang}&diagram=true",
            color_scheme=scheme,
            viewport=viewport,
        )
        page.evaluate(axe)
        for name, act in STATES.items():
            page.evaluate(act)
            found[pictures, name] = violations(page)
        page.close()
    assert {state: told for state, told in found.items() if told} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "lang", "width"), [("light", "en", 1280), ("dark", "zh", 390)])
def test_an_empty_page_has_no_violation(
    show: Open, axe: str, tmp_path: Path, scheme: str, lang: str, width: int
) -> None:
    """Empty, with pictures, with the camera, and trained with its sweep of α."""
    for label in range(2):
        for at in range(20):
            pixels = np.full((9, 9, 3), 120 * label + 3 * at, np.uint8)
            pixels[at % 9] = 255
            Image.fromarray(pixels).save(tmp_path / f"{label}-{at}.png")
    page = show(
        path=empty_page().save(tmp_path / "empty.html"),
        fragment=f"#lang={lang}",
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )
    page.evaluate(axe)
    found = {"empty": violations(page)}
    for label in range(2):
        page.locator(f"#heapFiles{label}").set_input_files(sorted(tmp_path.glob(f"{label}-*.png")))
        until(page, f"document.querySelectorAll('[data-heap=\"{label}\"] canvas').length === 20")
    page.locator(".camera button").first.click()
    until(page, "document.querySelector('.camera video').videoWidth > 0")
    found["gathered"] = violations(page)
    page.locator("#begin .primary").click()
    until(page, "'jaxnet' in window")
    page.locator(".rates button").click()
    until(page, "document.querySelectorAll('.rates .trial').length === 13")
    found["trained"] = violations(page)
    assert {state: told for state, told in found.items() if told} == {}
