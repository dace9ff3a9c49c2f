"""Pages in English and in Chinese: one notebook, told in two languages."""

import ast
import re

import pytest
from conftest import DOCS, cells

CHINESE = sorted(path.name for path in DOCS.glob("*.zh.md"))
PAIRS = [(page.replace(".zh", ""), page) for page in CHINESE]


def formulas(page: str) -> list[str]:
    """List the formulas of a page that stand alone, without the words in them."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(r"^\$\$\n(.*?)^\$\$$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"\\ |\\text\{[^}]*\}|\s", "", formula) for formula in found]


def fenced(page: str) -> list[tuple[str, str]]:
    """List the blocks of a page that are no cells: their language and their text."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_the_article_and_the_exercises_are_in_both() -> None:
    exercises = ("backward", "forward", "loss", "training", "update")
    assert CHINESE == [
        "article.zh.md",
        *(f"exercise-{name}.zh.md" for name in exercises),
        "exercises.zh.md",
    ]
    assert len(cells("article.md")) > 40
    assert len(formulas("article.md")) > 20


@pytest.mark.parametrize("pair", PAIRS, ids=CHINESE)
def test_both_languages_run_the_same_code(pair: tuple[str, str]) -> None:
    english, chinese = map(cells, pair)
    assert [code for _, code in english] == [code for _, code in chinese]
    for (head, code), (translated, _) in zip(english, chinese, strict=True):
        ast.parse(code)
        assert re.findall("^tags: .*", head, re.M) == re.findall("^tags: .*", translated, re.M)
    assert fenced(pair[0]) == fenced(pair[1])


@pytest.mark.parametrize("pair", PAIRS, ids=CHINESE)
def test_both_languages_hold_the_same_formulas(pair: tuple[str, str]) -> None:
    english, chinese = map(formulas, pair)
    assert english == chinese


def test_every_figure_is_described() -> None:
    """Those who do not see it get its alternative text, in the language of the page."""
    for page in (*(page for pair in PAIRS for page in pair), "start.md"):
        for head, code in cells(page):
            drawn = "draw(" in code or "draw_activation(" in code or "plt.subplots(" in code
            if drawn and "def draw(" not in code:
                (description,) = re.findall(r"^    alt: (.+)$", head, re.MULTILINE)
                chinese = re.search("[\u4e00-\u9fff]", description) is not None
                assert chinese == (page in CHINESE), description
