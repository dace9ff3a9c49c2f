"""The article in English and in Chinese: one notebook, told in two languages."""

import ast
import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
LANGUAGES = ("article.md", "article.zh.md")


def cells(page: str) -> list[tuple[str, str]]:
    """List the head and the code of each cell of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    parts = r"^```\{code-cell\} ipython3\n(---\n.*?^---\n)?(.*?)^```$"
    return re.findall(parts, text, re.DOTALL | re.MULTILINE)


def formulas(page: str) -> list[str]:
    """List the formulas of a page that stand alone, without the words in them."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(r"^\$\$\n(.*?)^\$\$$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"\\ |\\text\{[^}]*\}|\s", "", formula) for formula in found]


def test_both_languages_run_the_same_code() -> None:
    english, chinese = (cells(page) for page in LANGUAGES)
    assert len(english) > 40
    assert [code for _, code in english] == [code for _, code in chinese]
    for (head, code), (translated, _) in zip(english, chinese, strict=True):
        ast.parse(code)
        assert re.findall("^tags: .*", head, re.M) == re.findall("^tags: .*", translated, re.M)


def test_both_languages_hold_the_same_formulas() -> None:
    english, chinese = (formulas(page) for page in LANGUAGES)
    assert len(english) > 20
    assert english == chinese


def test_every_figure_is_described() -> None:
    """Those who do not see it get its alternative text, in the language of the page."""
    for page in (*LANGUAGES, "start.md"):
        for head, code in cells(page):
            drawn = "draw(" in code or "draw_activation(" in code or "plt.subplots(" in code
            if drawn and "def draw(" not in code:
                (description,) = re.findall(r"^    alt: (.+)$", head, re.MULTILINE)
                chinese = re.search("[\u4e00-\u9fff]", description) is not None
                assert chinese == (page == "article.zh.md"), description
