"""The "?" of each section, and what stands beside the formulas, on the offline page."""

import re

import pytest
from browser import Open, open_diagram, text
from pages import make_run

pytestmark = pytest.mark.slow

SECTIONS = ("way", "network", "curves", "units", "pictures", "chosen")

# Marks with the swatch that explains them: both must have the same line.
LINES = {
    "way": {f".wires.out .{kind}": f"swatch .{kind}" for kind in ("for", "against", "off")},
    "curves": {
        f".charts .curve.{kind}": f"swatch .{kind}"
        for kind in ("train", "test", "theRun", "entropy", "constant")
    },
}
STYLE = """e => { const s = getComputedStyle(e);
return [s.stroke, s.strokeDasharray === "none", e.getAttribute("class")]; }"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_section_explains_its_marks(show: Open, lang: str) -> None:
    page = show(make_run(weight_scale=0.5, hidden_units=8), fragment=f"#lang={lang}&diagram=true")
    said: list[str] = []
    for name in SECTIONS:
        marks = page.locator(f"#{name} .marks li")
        assert marks.first.is_hidden()
        page.locator(f"#{name} summary").click()
        assert marks.count() >= 2
        for at in range(marks.count()):
            mark = marks.nth(at)
            assert mark.is_visible()
            swatch = mark.locator(":scope > :first-child").bounding_box()
            assert swatch is not None
            assert swatch["height"] >= 4
            words = mark.locator(":scope > :last-child").text_content() or ""
            assert len(words) >= (4 if lang == "zh" else 9)
            assert not re.search(r"undefined|[{}]", words)
            said.append(f"{name} {words}")
    assert len(set(said)) == len(said)


def test_a_mark_is_explained_as_it_is_drawn(show: Open) -> None:
    page = show(make_run(weight_scale=0.5, hidden_units=8))
    page.evaluate("jaxnet.step(20)")
    found = set()
    for name, pairs in LINES.items():
        page.locator(f"#{name} summary").click()
        for mark, swatch in pairs.items():
            # A picture may have no unit that votes for one side: the class alone decides the line.
            page.locator(".wires.out path").first.evaluate(
                "(e, kind) => kind && e.setAttribute('class', `wire ${kind}`)",
                mark.split(".")[-1] if name == "way" else "",
            )
            drawn = page.locator(mark).first.evaluate(STYLE)
            explained = page.locator(f"#{name} .{swatch}").evaluate(STYLE)
            assert drawn[:2] == explained[:2], mark
            found.add(mark)
    assert len(found) == 8


def test_beside_each_formula_stands_what_the_article_says(show: Open) -> None:
    for lang, lead in (
        ("en", "The article: "),
        ("zh", "文章："),
    ):
        page = show(fragment=f"#lang={lang}")
        if lang == "en":
            open_diagram(page)
        else:
            page.locator("[aria-controls=diagram]").click()
        said = set()
        for at in range(18):
            page.locator(".box").nth(at).click()
            assert page.locator(".article").is_visible()
            assert text(page, ".article").startswith(lead)
            said.add(text(page, ".article"))
        assert len(said) == 18
    # The output node has a weight for each hidden unit, and its bias.
    page = show(make_run(hidden_units=8), fragment="#box=b2")
    assert "9 belong to this layer" in text(page, ".article")
    page.locator("#way summary").click()
    assert page.locator("#way .marks math").count() >= 3
