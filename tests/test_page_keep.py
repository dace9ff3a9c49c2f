"""Nothing is lost on the offline page: undo, the curve before a change, and the address."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from browser import Open, button, state, text, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

KEPT = ("iteration", "settings", "train", "test", "W2", "b1", "b2", "rises")


def numbers(page: "Page") -> dict[str, Any]:
    found = state(page)
    return {name: found[name] for name in KEPT}


def fill(page: "Page", label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.blur()


def play_back(page: "Page") -> None:
    page.get_by_label("Iteration to play to").fill("20")
    button(page, "Play to the iteration").click()


CONTROLS: dict[str, Callable[["Page"], Any]] = {
    "rate slider": lambda page: page.get_by_label("α learning rate", exact=True).fill("-1.5"),
    "rate number": lambda page: fill(page, "Learning rate, as a number", "0.3"),
    "+ key": lambda page: page.keyboard.press("+"),
    "Back": lambda page: button(page, "Back to the previous snapshot").click(),
    "Reset": lambda page: button(page, "Reset to the initial weights").click(),
    "Play to, backwards": play_back,
    "curve": lambda page: page.locator(".charts svg").first.click(position={"x": 90, "y": 30}),
    "hidden units": lambda page: page.get_by_label("hidden units", exact=True).fill("5"),
    "activation": lambda page: page.get_by_label("activation g").select_option("sigmoid"),
    "start": lambda page: page.get_by_label("initial weights", exact=True).select_option("zeros"),
    "weight scale": lambda page: fill(page, "Weight scale, as a number", "0.5"),
    "He": lambda page: page.get_by_label("He: √(2/n)").check(),
    "pixel scale": lambda page: page.get_by_label("pixel scale").select_option("unit"),
    "silence": lambda page: button(page, "Silence unit 2").click(),
    "freeze": lambda page: button(page, "Freeze unit 1").click(),
}


def test_each_control_can_be_undone(show: Open) -> None:
    page = show()
    for name, act in CONTROLS.items():
        page.evaluate("jaxnet.step(45)")
        page.evaluate("document.activeElement.blur()")
        before = numbers(page)
        act(page)
        after = numbers(page)
        assert after != before, name
        button(page, "Undo the last change").click()
        assert numbers(page) == before, name
        button(page, "Redo the change").click()
        assert numbers(page) == after, name
        page.keyboard.press("Control+z")
        assert numbers(page) == before, name
        page.evaluate("jaxnet.reset()")


def test_the_training_before_a_change_stays_as_a_faint_curve(show: Open) -> None:
    page = show()
    before = page.locator(".charts .curve.before").first
    legend = page.locator(".legend .before")
    path = "e => e.getAttribute('d')"
    page.evaluate("jaxnet.step(60)")
    assert legend.is_hidden()
    button(page, "Back to the previous snapshot").click()
    assert text(page, ".legend .before") == "before, to iteration 60"
    button(page, "Undo the last change").click()
    assert legend.is_hidden()
    page.evaluate("jaxnet.set({ learning_rate: 0.2 })")  # it goes on: nothing is lost
    page.evaluate("jaxnet.step(60)")
    assert legend.is_hidden()
    assert not before.evaluate(path)
    curve = page.locator(".charts .curve.train").first.evaluate(path)
    page.evaluate("jaxnet.reset()")
    assert before.evaluate(path) == curve
    assert text(page, ".legend .before") == "before, to iteration 120"
    page.evaluate("jaxnet.set({ learning_rate: 0.05, hidden_units: 5 })")
    assert text(page, ".legend .before") == "before: α = 0.2, 3 hidden units"
    page.evaluate("jaxnet.step(30)")
    assert before.evaluate(path) == curve
    page.evaluate("jaxnet.set({ silenced: [0], activation: 'sigmoid', pixel_scale: 'unit' })")
    said = "before: 5 hidden units, ReLU, symmetric, −1 to 1, silenced: –"
    assert text(page, ".legend .before") == said.replace("5 hidden units, ", "")
    button(page, "中文: change the language to Chinese").click()
    assert text(page, ".legend .before").startswith("更改前：")
    for _ in range(4):
        page.keyboard.press("Control+z")
    assert not before.evaluate(path)
    right = page.locator(".charts .curve.before").nth(1)
    page.keyboard.press("r")
    assert right.evaluate(path)


def test_playing_to_an_iteration(show: Open) -> None:
    page = show()
    field = page.get_by_label("Iteration to play to")
    assert field.input_value() == "2500"
    plain = show()
    costs = plain.evaluate("jaxnet.step(150).train.costs")

    def play(to: str, key: bool = False) -> None:
        field.fill(to)
        if key:
            field.press("Enter")
        else:
            button(page, "Play to the iteration").click()
        until(page, "!jaxnet.state().playing")

    for to in (123, 37, 37, 40, 0):
        play(str(to), key=to == 37)
        assert state(page)["iteration"] == to
        assert state(page)["train"]["costs"] == costs[: to + 1]
    for wrong in ("-4", "2.5", ""):
        play(wrong)
        assert state(page)["iteration"] == 0
    page.evaluate("jaxnet.step(30)")
    box = page.locator(".charts svg").nth(1).bounding_box()
    assert box is not None
    x = box["x"] + box["width"] * (44 + 0.8 * (330 - 52)) / 330
    page.mouse.click(x, box["y"] + 20)
    until(page, "!jaxnet.state().playing")
    assert state(page)["iteration"] == pytest.approx(80, abs=1)


def test_the_address_leads_to_the_same_state(show: Open) -> None:
    page = show()
    page.evaluate("jaxnet.step(40)")
    page.evaluate("jaxnet.set({ learning_rate: 0.3 }); jaxnet.step(25)")
    page.evaluate("jaxnet.set({ silenced: [0, 2], frozen: [1], learning_rate: 1e-7 })")
    page.evaluate("jaxnet.step(8)")
    page.evaluate("jaxnet.set({ learning_rate: 0.1, silenced: [2] })")
    button(page, "test").click()
    page.get_by_label("Order").select_option("number")
    page.locator(".thumb").nth(4).click()
    until(page, "location.hash.includes('picture')")
    expected, said, verdict = numbers(page), text(page, ".sum"), text(page, ".verdict")
    fragment = "#" + page.url.split("#")[1]
    assert "t=73" in fragment
    assert "steps=0*0.1_40*0.3_65*1e-7*0.2*1" in fragment
    page.reload()
    sent = show(fragment=fragment)
    for again in (page, sent):
        until(again, "jaxnet.state().iteration === 73 && !jaxnet.state().playing")
        assert numbers(again) == expected
        assert text(again, ".sum") == said
        assert text(again, ".verdict") == verdict
        assert again.locator(".thumb[aria-pressed=true]").count() == 1
    # One rate from the start needs no path.
    steady = show(fragment="#t=50&learning_rate=0.2")
    until(steady, "jaxnet.state().iteration === 50 && !jaxnet.state().playing")
    plain = show()
    plain.evaluate("jaxnet.set({ learning_rate: 0.2 }); jaxnet.step(50)")
    assert numbers(steady) == numbers(plain)
    steady.evaluate("location.hash = '#t=12&learning_rate=0.2&picture=train-3'")
    until(steady, "jaxnet.state().iteration === 12 && !jaxnet.state().playing")
    assert text(steady, ".way .name").startswith("train 3: ")


@pytest.mark.parametrize(
    "fragment",
    [
        "#t=-3",
        "#t=1.5",
        "#t=1e99",
        "#picture=train-999",
        "#picture=photo-0",
        "#picture=toString-0",
        "#picture=",
        "#t=x&steps=0*0.1",
    ],
)
def test_an_address_that_is_not_valid_is_ignored(show: Open, fragment: str) -> None:
    page = show(fragment=fragment)
    assert state(page)["iteration"] == 0
    assert not state(page)["playing"]
    assert text(page, ".verdict")


def test_a_path_that_is_not_valid_is_one_rate(show: Open) -> None:
    for steps in ("5*0.1", "0*-1", "0*0.1_0*0.2", "0*0.1_99*0.2", "a*b", "0*0.1*x"):
        page = show(fragment=f"#t=20&steps={steps}")
        until(page, "jaxnet.state().iteration === 20 && !jaxnet.state().playing")
        plain = page.evaluate("(jaxnet.reset(), jaxnet.step(20).train.costs)")
        page.evaluate("jaxnet.undo()")
        assert state(page)["train"]["costs"] == plain
        page.close()
