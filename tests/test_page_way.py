"""One picture's way through the network, on the offline page."""

import re
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
import pytest
from browser import Open, button, state, text, until
from pages import make_dataset, make_run

from jaxnet.network import forward
from jaxnet.runs.run import Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def votes_of(run: Run, split: str, at: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Compute A1, the votes W2 A1, Z2 and the probability of a picture in Python."""
    images = make_dataset().splits[split].images
    X = run.preprocessing.columns(images, jnp.float64)
    found = forward(run.model.params, X, run.hidden)
    A1 = np.asarray(found.A1)[:, at]
    votes = np.asarray(run.model.params["W2"])[0] * A1
    return A1, votes, float(found.Z2[0, at]), float(found.A2[0, at])


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(" ", "").replace("%", ""))


def terms(page: "Page") -> list[float]:
    """Read the terms of the formula."""
    texts = page.locator(".sum .term").all_text_contents()
    return [number(re.sub(r"\(b₂\)|\+", "", term)) for term in texts]


def choose(page: "Page", split: str, at: int) -> None:
    """Choose a picture by its place."""
    button(page, split).click()
    page.get_by_label("Order").select_option("number")
    page.locator(".thumb").nth(at).click()


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_the_numbers_are_those_of_the_network(x64: None, show: Open, activation: str) -> None:
    run = make_run(weight_scale=0.5, activation=activation, hidden_units=5)
    page = show(run)
    for split, at in (("train", 3), ("test", 0), ("test", 7)):
        choose(page, split, at)
        A1, votes, Z2, p = votes_of(run, split, at)
        shown = page.locator(".stacked .row")
        levels = [number(x) for x in shown.locator(".a1").all_text_contents()]
        np.testing.assert_allclose(levels, A1, rtol=6e-3)
        told = shown.locator(".vote").all_text_contents()
        assert [text == "off" for text in told] == (votes == 0).tolist()
        said = [0 if text == "off" else number(text) for text in told]
        np.testing.assert_allclose(said, votes, rtol=6e-2)
        assert all(re.match("[+−]", text) for text in told if text != "off")
        some = votes[votes != 0]
        np.testing.assert_allclose(terms(page), some, rtol=6e-3, atol=6e-3)
        total = text(page, ".sum .total")
        form = r" = (−?[\d.]+),  σ\(\1\) = ([\d.]+) %"
        found = re.fullmatch(form, total)
        assert found is not None, total
        assert number(found[1]) == pytest.approx(Z2, rel=6e-3, abs=6e-3)
        assert number(found[2]) / 100 == pytest.approx(p, abs=6e-4)
        assert text(page, ".chance") == f"{found[2]} %"
        says = "yes" if p > 0.5 else "no"
        is_right = make_dataset().splits[split].labels[at] == (p > 0.5)
        mark = ("✓", "right") if is_right else ("✗", "wrong")
        assert text(page, ".verdict") == f"{mark[0]} says “{says}”: {mark[1]}"


def test_wires_tell_size_and_sign_not_by_colour_only(x64: None, show: Open) -> None:
    run = make_run(weight_scale=0.5, hidden_units=8)
    page = show(run)
    at = next(
        at for at in range(29) if len(set(np.sign(votes_of(run, "train", at)[1]).tolist())) == 3
    )
    choose(page, "train", at)
    votes = votes_of(run, "train", at)[1]
    kinds = {1.0: "for", -1.0: "against", 0.0: "off"}
    style = "l => l.map(e => [e.getAttribute('class'), getComputedStyle(e).strokeDasharray])"
    wires = page.locator(".wires.out path")
    found = wires.evaluate_all(style)
    assert [kind for kind, _ in found] == [f"wire {kinds[float(sign)]}" for sign in np.sign(votes)]
    dashes = dict(found)
    assert dashes["wire for"] == "none"
    assert len(set(dashes.values())) == 3
    widths = wires.evaluate_all("l => l.map(e => Number(e.getAttribute('stroke-width')))")
    expected = np.maximum(1, 9 * np.abs(votes) / np.abs(votes).max())
    np.testing.assert_allclose(widths, expected, atol=0.06)
    veils = page.locator(".veil").evaluate_all("l => l.map(e => Number(e.style.opacity))")
    A1 = votes_of(run, "train", at)[0]
    np.testing.assert_allclose(veils, 0.4 * (1 - A1 / A1.max()), atol=6e-3)


def test_it_lives_while_the_network_trains(show: Open) -> None:
    page = show(make_run(weight_scale=0.5))
    painted = "document.querySelector('.stack').toDataURL()"
    before = (text(page, ".sum"), text(page, ".chance"), page.evaluate(painted))
    button(page, "Play").click()
    until(page, "jaxnet.state().iteration > 50")
    for selector, told in ((".sum", before[0]), (".chance", before[1])):
        assert page.evaluate("document.querySelector(`" + selector + "`).textContent") != told
    assert page.evaluate(painted) != before[2]
    button(page, "Pause").click()
    probability = state(page)["train"]["probabilities"][
        make_dataset().train.labels.tolist().index(1)
    ]
    assert text(page, ".chance") == f"{100 * probability:.1f} %"
    page.evaluate("jaxnet.set({ learning_rate: 1e200 }); jaxnet.step(9)")
    assert text(page, ".chance") == "–"
    assert text(page, ".verdict") == "no prediction"


def test_silenced_and_further_units(show: Open) -> None:
    page = show(make_run(hidden_units=20))
    rows = page.locator(".stacked .row")
    assert rows.count() == 16
    assert text(page, ".row.rest .name") == "5 more"
    page.evaluate("jaxnet.set({ silenced: [1] })")
    assert text(page, ".row.silenced .name") == "2"
    assert text(page, ".row.silenced .vote") == "silenced"
    page.evaluate("jaxnet.set({ hidden_units: 3 })")
    assert rows.count() == page.locator(".wires.out path").count() == 3
    page.evaluate("jaxnet.set({ start: 'zeros', hidden_units: 1 })")
    assert text(page, ".sum") == "Z₂ = 0 = 0,  σ(0) = 50.0 %"
    without = show(pictures=False)
    assert without.locator(".way .photo canvas").is_hidden()
    assert without.locator(".way .photo .number").is_visible()


def box_of(page: "Page", selector: str) -> dict[str, float]:
    box: Any = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return {**box, "right": box["x"] + box["width"], "end": box["y"] + box["height"]}


def test_all_of_it_is_above_the_fold(show: Open) -> None:
    page = show(make_run(hidden_units=8), viewport={"width": 1280, "height": 900})
    page.evaluate("jaxnet.step(20)")
    photo, units, answer = (box_of(page, x) for x in (".way .photo", ".stacked", ".answerEnd"))
    assert photo["right"] <= units["x"] < units["right"] <= answer["x"] < answer["right"] <= 1280
    assert max(box["end"] for box in (photo, units, answer)) < box_of(page, ".charts")["y"]
    assert box_of(page, ".charts")["end"] <= 900
    play = box_of(page, "button.primary")
    assert play["width"] >= 100
    assert play["height"] >= 50
    others = page.locator(".controls button").evaluate_all("l => l.map(e => e.offsetHeight)")
    assert max(others) < play["height"]
    assert page.locator("#diagram").is_hidden()
    thumbs = box_of(page, ".thumb")
    assert thumbs["right"] <= photo["x"]
