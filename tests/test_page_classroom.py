"""The offline page in a classroom: bars that stay, one printed sheet, keys alone, speech, sleep."""

import re
from typing import TYPE_CHECKING, Any

import pytest
from browser import Open, button, state, text, until
from pages import make_run
from test_page_faults import CUT

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

# What can be pressed, with the label of a checkbox in place of it; smaller than 24 × 24 pixels.
SMALL = """[...document.querySelectorAll("button, summary, select, input, a, [tabindex='0']")]
.map((e) => (e.type === "checkbox" ? e.closest("label") : e))
.filter((e) => e.offsetParent && (e.offsetHeight < 24 || e.offsetWidth < 24))
.map((e) => e.outerHTML)"""

# A worker that hears nothing any more, once the computer has slept; then time has passed.
DEAF_WORKER = """(globalThis.made = 0, globalThis.Worker = class extends Worker {
  constructor(...parts) { super(...parts); this.number = ++made; }
  postMessage(message) { if (!globalThis.deaf || this.number > 1) super.postMessage(message); }
}, 0)"""
WAKE = "(() => { const now = Date.now; Date.now = () => now() + 3_600_000; })()"


# What leads through the states of lessons and of slow motion, one after the other.
STATES = (
    "document.querySelector('[aria-controls=lessons]').click()",
    "document.querySelectorAll('.lessonCard')[3].click()",
    "document.querySelector('.guess').click()",
    "document.querySelector('.lessonHead button').click()",
    "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 's', bubbles: true }))",
    "document.querySelectorAll('.box')[14].click()",  # dW1
)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_cut_and_every_target_is_large(show: Open, lang: str) -> None:
    for width in (320, 390, 720, 1280):
        page = show(
            make_run(hidden_units=16, weight_scale=0.5),
            fragment=f"#lang={lang}",
            viewport={"width": width, "height": 800},
        )
        for act in STATES:
            page.evaluate(act)
            if "guess" in act:
                until(page, "document.querySelector('.said').textContent !== ''")
            assert page.evaluate(CUT) == [], (width, act)
            assert page.evaluate(SMALL) == [], (width, act)
        page.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 800)])
def test_both_bars_stay_in_view_and_leave_room(show: Open, width: int, height: int) -> None:
    page = show(fragment="#lesson=equal", viewport={"width": width, "height": height})
    until(page, "document.querySelector('.guess') !== null")
    for down in (0, 600, 1800):
        page.evaluate(f"scrollTo(0, {down})")
        page.wait_for_timeout(50)
        steering, lesson = (page.locator(x).bounding_box() for x in (".steering", "#lesson"))
        assert steering is not None
        assert lesson is not None
        if down:
            assert steering["y"] >= 0
            assert steering["y"] + steering["height"] < 0.2 * height
        assert lesson["y"] + lesson["height"] <= height + 1
        assert lesson["height"] <= 0.45 * height
        if down:
            assert lesson["y"] - steering["y"] - steering["height"] > 0.35 * height


@pytest.mark.parametrize(("lang", "units"), [("en", 8), ("zh", 16)])
def test_a_state_fits_on_one_sheet_with_its_settings(show: Open, lang: str, units: int) -> None:
    page = show(make_run(hidden_units=units, weight_scale=0.5), fragment=f"#lang={lang}")
    page.evaluate("window.print = () => { globalThis.printed = true; }")
    page.evaluate("jaxnet.set({ learning_rate: 0.25, silenced: [0, 2] }); jaxnet.step(60)")
    page.locator("#setup > button").click()
    assert page.evaluate("printed")
    page.emulate_media(media="print")
    told = page.locator("#sheet").inner_text()
    for part in ("0.25", str(units), "1, 3", "silenced=0%2C2", "t=60"):
        assert part in told, part
    assert "jaxnet train" not in told  # which silences no unit
    for selector in ("#way .sum", ".charts svg >> nth=0", ".outcome", ".count >> nth=0"):
        assert page.locator(selector).is_visible(), selector
    for selector in ("#pictures", "#units", ".primary", "footer", "#setup"):
        assert page.locator(selector).is_hidden(), selector
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4"))
    assert len(pages) == 1
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("#sheet").is_hidden()
    assert page.locator("#pictures").is_visible()
    page.evaluate("jaxnet.set({ silenced: [], seed: 3 })")
    page.locator("#setup > button").click()
    assert "--learning-rate 0.25" in (page.locator("#sheet").text_content() or "")


def tab_to(page: "Page", said: str) -> None:
    """Press Tab until an element with this text has the focus."""
    for _ in range(200):
        if said in page.evaluate("document.activeElement.textContent"):
            tag = page.evaluate("document.activeElement.tagName")
            if tag == "BUTTON":
                return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to: {said}")


def test_a_lesson_by_keys_alone(show: Open) -> None:
    page = show()
    page.evaluate("jaxnet.step(5)")
    press = page.keyboard.press
    tab_to(page, "Lessons")
    press("Enter")
    tab_to(page, "Equal weights stay equal")
    press("Space")
    until(page, "document.querySelector('.guess') !== null")
    assert page.evaluate("document.activeElement.textContent") == "Equal weights stay equal"
    tab_to(page, "Not at all")
    press("Enter")
    until(page, "document.querySelector('.said').textContent !== ''")
    assert text(page, ".said").startswith("✓ As you guessed")
    tab_to(page, "Next lesson")
    press("Enter")
    until(page, "document.querySelector('.guess') !== null")
    tab_to(page, "Back to where I was")
    press("Enter")
    assert state(page)["iteration"] == 5
    press("s")
    assert page.locator(".slow").is_visible()
    press("s")
    assert page.locator(".slow").is_hidden()


def test_a_screen_reader_is_told_what_changed_and_no_frame(show: Open) -> None:
    page = show()
    spoken = page.locator("#spoken")
    page.evaluate("jaxnet.set({ learning_rate: 0.3, silenced: [1] })")
    assert (spoken.text_content() or "").startswith("α = 0.3, silenced: 2 Iteration 0: cost 0.")
    page.evaluate("jaxnet.step(2)")
    assert (spoken.text_content() or "").startswith("Iteration 2: cost 0.")
    page.locator("[aria-controls=lessons]").click()
    # While it plays, no live region changes, nor a value of the slider that may have the focus.
    page.evaluate(
        """(() => { globalThis.changes = [];
        const live = "[role=status], [role=alert], [aria-live], [role=slider]";
        new MutationObserver((all) => { if (!jaxnet.state().playing) return;
          for (const { target } of all) {
            const element = target.nodeType === 1 ? target : target.parentElement;
            if (element.closest(live) && !element.closest("svg")) changes.push(element.outerHTML);
          } }).observe(document.body, { subtree: true, childList: true, characterData: true,
          attributes: true, attributeFilter: ["aria-valuetext", "aria-valuenow", "aria-label"] });
        })()"""
    )
    page.get_by_label("Speed").select_option("medium")  # a frame for each step
    page.locator(".charts").evaluate("e => e.scrollIntoView()")  # what is not in view is not drawn
    page.wait_for_timeout(300)
    page.evaluate("jaxnet.run(8)")
    assert page.evaluate("changes") == []
    assert (spoken.text_content() or "").startswith("Iteration 10: cost 0.")
    assert page.locator(".charts").get_attribute("aria-valuenow") == "10"
    roles = page.locator("#lesson [role=status], .slow [role=status]")
    assert roles.count() == 2


def numbers(page: "Page") -> Any:
    return state(page)["train"]["costs"]


def test_nothing_is_lost_when_the_computer_sleeps(show: Open) -> None:
    page = show()
    page.evaluate(DEAF_WORKER)
    button(page, "Play").click()
    until(page, "jaxnet.state().iteration > 50")
    page.evaluate("globalThis.deaf = true")
    page.wait_for_timeout(300)
    asleep = state(page)["iteration"]
    page.wait_for_timeout(300)
    assert state(page)["iteration"] == asleep  # nobody answers
    page.evaluate(WAKE)
    until(page, f"jaxnet.state().iteration > {asleep + 20}")
    assert page.evaluate("made") == 2
    # A page that is hidden may be dropped: its address leads to the same state.
    page.evaluate(
        "(Object.defineProperty(document, 'hidden', { value: true, configurable: true }),"
        "document.dispatchEvent(new Event('visibilitychange')))"
    )
    t = int(re.findall(r"t=(\d+)", page.url)[0])
    assert t >= asleep + 20
    button(page, "Pause").click()
    costs = numbers(page)
    dropped = show(fragment=f"#t={t}")
    until(dropped, f"jaxnet.state().iteration === {t} && !jaxnet.state().playing")
    assert numbers(dropped) == costs[: t + 1]
    plain = show()
    assert (
        plain.evaluate(f"(void jaxnet.step(1000), jaxnet.state().train.costs[{min(t, 1000)}])")
        == (costs[min(t, 1000)])
    )
