"""A step in slow motion on the offline page: its numbers, its order, its keys."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
import pytest
from browser import Open, button, state, text, until
from engine import Node
from pages import make_dataset, make_run

from jaxnet.activations import ACTIVATIONS
from jaxnet.backprop import backward
from jaxnet.data.dataset import Dataset
from jaxnet.network import forward

if TYPE_CHECKING:
    from playwright.sync_api import Page

ORDER = "X Z1 A1 Z2 A2 J dA2 dZ2 dW2 db2 dA1 dZ1 dW1 db1 W2 b2 W1 b1".split()  # noqa: SIM905
NUMBERS = """
const { MOMENTS, stepNumbers, weightRows } = await import("./moments.js");
write([MOMENTS, descents.map((descent) => {
  const rows = weightRows(descent, 1);
  const found = Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, [...row]]));
  const of = (split, at) => stepNumbers(descent, 1, { split, at });
  const told = [of("train", 4), of("test", 2)];
  descent.step(1);
  const later = stepNumbers(descent, 1, { split: "train", at: 4 });
  return [told, found, later, [...weightRows(descent, 1).before]];
})]);
"""


def grey(dataset: Dataset) -> Dataset:
    """Make every picture grey, in whole numbers, which the page carries exactly."""
    for split in dataset.splits.values():
        split.images[...] = split.images[..., :1]
    return dataset


def change(name: str, at: tuple[int, int], *values: Any) -> dict[str, float]:
    """Take a parameter's number before a step, its slope, and its number after the step."""
    before, slopes, after = values
    numbers = before[name][at], getattr(slopes, f"d{name}")[at], after[name][at]
    return dict(zip(("before", "slope", "after"), map(float, numbers), strict=True))


def test_the_numbers_are_those_of_backprop(x64: None, node: Node) -> None:
    """To 1e-9, and so is the step; weights of a scale of 1/8 are exact in float32, too."""
    data = grey(make_dataset())
    kinds = zip(ACTIVATIONS, ("gray", "rgb", "gray"), (0.05, 0.0, 0.0), strict=True)
    runs = [
        make_run(activation=name, color=color, weight_scale=0.125, weight_decay=decay)
        for name, color, decay in kinds
    ]
    order, answers = node(NUMBERS, *((run, data) for run in runs))
    assert order == ORDER
    for run, (told, rows, later, next_row) in zip(runs, answers, strict=True):
        assert run.settings is not None
        params, rate, decay = run.model.params, 0.1, run.settings.weight_decay
        X, Y = run.preprocessing.examples(data.train, jnp.float64)[:2]
        stages = forward(params, X, run.hidden)
        slopes = backward(params, X, Y, run.hidden, weight_decay=decay)
        after = {name: leaf - rate * getattr(slopes, f"d{name}") for name, leaf in params.items()}
        y, a = float(Y[0, 4]), float(stages.A2[0, 4])

        expected = {
            "y": y, "z1": stages.Z1[1, 4], "a1": stages.A1[1, 4], "z2": stages.Z2[0, 4], "a2": a,
            "loss": -(y * np.log(a) + (1 - y) * np.log(1 - a)),
            "J": -jnp.mean(Y * jnp.log(stages.A2) + (1 - Y) * jnp.log(1 - stages.A2)),
            "dA2": slopes.dA2[0, 4], "dZ2": slopes.dZ2[0, 4],
            "dA1": slopes.dA1[1, 4], "dZ1": slopes.dZ1[1, 4],
        }  # fmt: skip
        parameters = {"b1": (1, 0), "W2": (0, 1), "b2": (0, 0)}
        train, test = told
        for name, at in parameters.items():
            told_change = change(name, at, params, slopes, after)
            assert train.pop(name) == pytest.approx(told_change, rel=0, abs=1e-9), name
        assert train == pytest.approx({k: float(v) for k, v in expected.items()}, rel=0, abs=1e-9)
        assert not {"dA2", "dZ2", "dA1", "dZ1"} & test.keys()
        for name, values in (
            ("before", params["W1"]),
            ("slope", slopes.dW1),
            ("after", after["W1"]),
        ):
            np.testing.assert_allclose(rows[name], values[1], rtol=0, atol=1e-9)
        assert np.abs(np.asarray(rows["slope"])).max() > 1e-4
        # The step that follows arrives where the moments said.
        np.testing.assert_allclose(next_row, rows["after"], rtol=0, atol=1e-12)
        assert later["z1"] == pytest.approx(
            float(forward(after, X, run.hidden).Z1[1, 4]), rel=0, abs=1e-9
        )


def test_a_frozen_unit_and_a_page_without_pictures(node: Node) -> None:
    lines = """
    const { largestPixel, phaseOf, stepNumbers, weightRows } = await import("./moments.js");
    const [descent] = descents; descent.set({ frozen: [1] });
    const { W2, b2 } = stepNumbers(descent, 1, { split: "train", at: 0 });
    write([W2, b2, weightRows(descent, 1), largestPixel({ slope: [0, -3, 2] }), phaseOf("dZ1")]);
    """
    W2, b2, rows, place, phase = node(lines, (make_run(), make_dataset()), pictures=False)
    assert W2["before"] == W2["after"]
    assert b2["before"] != b2["after"]
    assert rows is None
    assert (place, phase) == (1, "phase.backward")


def shown(page: "Page") -> tuple[str, int]:
    """Return the box that is lit, and how many were computed before it."""
    boxes = page.locator(".box.lit .symbol").all_text_contents()
    assert len(boxes) == 1
    return boxes[0], page.locator(".box.done").count()


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_keys_go_on_and_back(show: Open, lang: str) -> None:
    page = show(make_run(weight_scale=0.5), fragment=f"#lang={lang}")
    page.evaluate("jaxnet.step(3)")
    press = page.keyboard.press
    press("s")
    assert page.locator("#diagram").is_visible()
    before = state(page)
    said = set()
    for name in ORDER:
        assert shown(page)[0] == name
        assert page.locator(".slow .formulaNow math").count() >= 1
        told = text(page, ".slow [role=status]")
        assert not any(wrong in told for wrong in ("undefined", "NaN", "{"))
        said.add(told)
        assert state(page)["train"] == before["train"]
        assert page.locator(".slow canvas:visible").count() == (3 if name in ("dW1", "W1") else 0)
        press("ArrowRight")
    assert len(said) == len(ORDER)
    after = state(page)
    assert after["iteration"] == 4
    assert shown(page) == ("X", 4)
    press("ArrowLeft")
    assert shown(page)[0] == "b1"
    assert state(page)["train"] == before["train"]
    for name in ORDER[-2::-1]:
        press("ArrowLeft")
        assert shown(page)[0] == name
    press("Shift+ArrowRight")  # ten steps, as ever
    assert state(page)["iteration"] == 13
    press("Escape")
    assert page.locator(".slow").is_hidden()
    press("ArrowRight")
    assert state(page)["iteration"] == 14
    plain = show(make_run(weight_scale=0.5))
    assert plain.evaluate("jaxnet.step(4).train") == after["train"]


@pytest.mark.slow
def test_the_buttons_do_the_same_and_name_unit_and_picture(show: Open) -> None:
    page = show(make_run(weight_scale=0.5))
    button(page, "A step in slow motion").click()
    assert page.locator(".slow button").first.is_disabled()  # there is no step before
    button(page, "Next →").click()
    assert text(page, ".place").startswith("Step 1, 2 of 18, forward: Z1 · unit ")
    page.get_by_label("hidden unit", exact=True).select_option("3")
    page.locator(".thumb").nth(3).click()
    place = text(page, ".place")
    assert f"unit 3 · {text(page, '.way .name')}" in place
    row = page.locator("#chosen tbody tr").nth(2).locator("td").all_text_contents()
    sizes = [text(page, ".slow dd").split(" = ")[-1], row[0]]
    told, listed = (float(size.replace("−", "-")) for size in sizes)
    assert told == pytest.approx(listed, rel=6e-3)
    assert page.locator(".stacked").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    button(page, "test").click()
    page.locator(".thumb").first.click()
    page.locator(".box").nth(12).click()  # dZ2
    assert text(page, ".slow dd") == "Derivatives exist for training pictures only."
    until(page, "location.hash.includes('box=dZ2')")
    page.reload()
    until(page, "document.querySelector('.box.lit') !== null")
    assert shown(page)[0] == "dZ2"
    assert page.get_by_label("hidden unit", exact=True).input_value() == "2"
    button(page, "Play").click()
    until(page, "jaxnet.state().iteration > 3")
    button(page, "Pause").click()
    assert page.locator(".slow").is_hidden()
    page.evaluate("jaxnet.set({ learning_rate: 1e200 }); jaxnet.step(9)")
    page.keyboard.press("s")
    page.locator(".box").nth(1).click()  # b1, the last one
    assert button(page, "Next →").is_disabled()
    page.keyboard.press("ArrowRight")
    assert shown(page)[0] == "b1"
