"""The worker of the offline page: the same numbers, whoever takes the steps, and long calls."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser import Open, button, state, text, until
from pages import make_dataset, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

WITHOUT_WORKER = "delete globalThis.Worker"
# A worker that a policy stops: it exists, and reports an error.
BROKEN_WORKER = """(globalThis.Worker = class {
  constructor() { setTimeout(() => this.onerror({})); }
  postMessage() {}
}, 0)"""
# A worker whose answers come late.
LATE_WORKER = """(globalThis.Worker = class extends Worker {
  postMessage(message) { setTimeout(() => super.postMessage(message), 150); }
}, 0)"""


def numbers(page: "Page") -> dict[str, Any]:
    found = state(page)
    return {k: found[k] for k in ("iteration", "train", "test", "W2", "b1", "b2", "rises")}


@pytest.mark.slow
def test_worker_slices_and_one_call_agree_to_the_bit(show: Open) -> None:
    plain = show(make_run(learning_rate=9.0))
    plain.evaluate("jaxnet.step(407)")
    expected = numbers(plain)
    assert expected["rises"]
    snapshots = state(plain)["snapshots"]
    for change in ("null", WITHOUT_WORKER, BROKEN_WORKER):
        page = show(make_run(learning_rate=9.0))
        page.evaluate(change)
        page.evaluate("jaxnet.run(400)")
        page.evaluate("jaxnet.run(7)")
        assert numbers(page) == expected
        assert state(page)["snapshots"] == snapshots
        again = page.evaluate("(jaxnet.step(3), jaxnet.undo(), jaxnet.reset(), jaxnet.run(50))")
        assert again["train"]["costs"] == expected["train"]["costs"][:51]


def test_the_worker_exists_and_can_request_nothing(show: Open) -> None:
    page = show()
    page.evaluate(
        "globalThis.made = 0; const Old = Worker;"
        "globalThis.Worker = class extends Old { constructor(...a) { super(...a); made++; } }; 0"
    )
    page.evaluate("jaxnet.run(20)")
    page.evaluate("jaxnet.run(20)")
    assert page.evaluate("made") == 1
    assert len(page.workers) == 1  # it lives: an error had ended it
    assert page.evaluate("typeof SharedArrayBuffer") == "undefined"
    html = Path(page.url.split("#")[0].removeprefix("file://")).read_text("utf-8")
    assert "default-src 'none'" in html
    assert "connect-src" not in html


@pytest.mark.slow
def test_changes_while_it_plays(show: Open) -> None:
    page = show(make_run(learning_rate=0.1))
    page.evaluate(LATE_WORKER)
    button(page, "Play").click()
    until(page, "jaxnet.state().iteration > 60")
    page.evaluate("jaxnet.set({ learning_rate: 0.2, silenced: [1] })")
    at = state(page)["iteration"]
    until(page, f"jaxnet.state().iteration > {at + 60}")
    button(page, "Pause").click()
    live = state(page)
    assert page.get_by_text("was changed during the training").is_visible()
    button(page, "Play").click()
    until(page, f"jaxnet.state().iteration > {live['iteration'] + 20}")
    page.evaluate("jaxnet.set({ hidden_units: 2, silenced: [] })")
    until(page, "jaxnet.state().playing && jaxnet.state().iteration > 20")
    button(page, "Pause").click()
    restarted = state(page)
    fresh = show(make_run(learning_rate=0.1))
    fresh.evaluate("jaxnet.set({ hidden_units: 2, learning_rate: 0.2 })")
    fresh.evaluate(f"jaxnet.step({restarted['iteration']})")
    assert state(fresh)["train"] == restarted["train"]


@pytest.mark.slow
def test_a_long_call_shows_its_progress_and_can_be_stopped(show: Open) -> None:
    page = show()
    page.evaluate("void (window.ended = jaxnet.step(50_000))")
    until(page, "jaxnet.state().iteration > 30")
    assert text(page, ".count span") == "iteration of 50,000"
    first = text(page, ".count b")
    until(page, f"document.querySelector('.count b').textContent !== '{first}'")
    button(page, "Pause").click()
    stopped = page.evaluate("window.ended")
    assert 30 < stopped["iteration"] == state(page)["iteration"] < 50_000
    assert text(page, ".count span") == "iteration"
    assert page.evaluate("jaxnet.step(1000).iteration") == stopped["iteration"] + 1000
    size = Path(page.url.split("#")[0].removeprefix("file://")).stat().st_size
    assert size < 500_000


@pytest.mark.slow
def test_pictures_out_of_view_are_not_painted(show: Open) -> None:
    data = make_dataset()
    many = data.train._replace(
        images=np.tile(data.train.images, (4, 1, 1, 1)), labels=np.tile(data.train.labels, 4)
    )
    page = show(dataset=dataclasses.replace(data, train=many))
    box = "e => { const { width, height } = e.getBoundingClientRect(); return [width, height]; }"
    canvases = page.locator(".thumb canvas")
    until(page, "document.querySelectorAll('.thumb canvas.unseen').length > 20")
    seen = page.locator(".thumb canvas.seen")
    assert 4 <= seen.count() <= canvases.count() - 20
    sizes = canvases.evaluate_all(f"l => l.map({box})")
    assert len({tuple(size) for size in sizes}) == 1
    assert sizes[0][0] / sizes[0][1] == pytest.approx(6 / 8, rel=0.02)
    last = page.locator(".thumb").last
    last.scroll_into_view_if_needed()
    until(page, "!document.querySelector('.thumb:last-child canvas.unseen')")
    style = "e => getComputedStyle(e).contentVisibility"
    assert last.locator("canvas").evaluate(style) == "visible"
    page.emulate_media(media="print")
    assert set(canvases.evaluate_all(f"l => l.map({style})")) == {"visible"}


@pytest.mark.slow
def test_playing_leaves_nothing_behind(show: Open) -> None:
    page = show()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def measure() -> tuple[float, int, float, float]:
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")
        metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        size = used["usedSize"] + used.get("backingStorageSize", 0)
        return size, state(page)["frames"], metrics["Nodes"], metrics["JSEventListeners"]

    page.evaluate("jaxnet.step(1000)")
    for speed, steps in (("full", 6_000), ("medium", 40)):  # what a step, and what a frame leaves
        page.get_by_label("Speed").select_option(speed)
        page.evaluate(f"jaxnet.run({steps})")
        before, frames, nodes, listeners = measure()
        page.evaluate(f"jaxnet.run({2 * steps})")
        after, later, more_nodes, more_listeners = measure()
        # Two costs and two counts an iteration are kept, and 240 snapshots of the parameters.
        assert after - before < 64 * 2 * steps + 300_000
        assert later > frames
        assert more_nodes <= nodes + 10
        assert more_listeners == listeners
        assert len(state(page)["snapshots"]) <= 240
