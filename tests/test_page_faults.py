"""What was wrong on the offline page once: numbers, lost work, text that is cut, names."""

import dataclasses
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser import Open, button, named, state, text, until
from pages import make_dataset, make_run, train_again

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.source import DataSource
from jaxnet.report.page.build import fill
from jaxnet.report.page.data import collect, shown_source
from jaxnet.runs.checkpoint import Checkpoint
from jaxnet.runs.run import Run, draw_params

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def point(page: "Page", share: float) -> None:
    """Move the pointer to a share of the curves' width."""
    box = page.locator(".charts svg").first.bounding_box()
    assert box is not None
    x = box["x"] + box["width"] * (44 + share * (330 - 52)) / 330
    page.mouse.move(x, box["y"] + 20)


def test_the_pointed_iteration_does_not_outlive_its_steps(show: Open) -> None:
    page = show()
    read = "document.querySelector('.reading').textContent"
    label = "document.querySelector('.charts').getAttribute('aria-valuetext')"

    def check() -> None:
        t = state(page)["iteration"]
        for said in (page.evaluate(read), page.evaluate(label)):
            assert not re.search(r"undefined|NaN|– right", said), said
        assert text(page, ".reading").startswith(f"iteration {t:,} ")
        now, most = page.locator(".charts").evaluate(
            "c => [Number(c.ariaValueNow), Number(c.ariaValueMax)]"
        )
        assert now == most == t

    page.evaluate("jaxnet.step(505)")
    point(page, 504 / 600)
    page.mouse.down()
    page.mouse.up()
    check()
    page.evaluate("jaxnet.step(70)")
    point(page, 0.8)
    page.keyboard.press("r")
    check()
    page.mouse.move(0, 0)
    page.evaluate("jaxnet.step(55)")
    page.locator(".charts").focus()
    page.keyboard.press("Enter")
    check()
    page.keyboard.press("ArrowLeft")
    page.evaluate("jaxnet.reset()")
    check()


def test_a_network_that_is_not_finite_claims_nothing(show: Open) -> None:
    page = show()
    page.evaluate("jaxnet.set({ learning_rate: 1e200 })")
    page.evaluate("jaxnet.step(9)")
    counts = page.locator(".count b").all_text_contents()
    assert counts[2:] == ["–", "–"]
    assert "accuracy –" in text(page, ".reading")
    assert " %" not in text(page, ".says")
    assert "a smaller α" in text(page, ".outcome")
    assert "cannot go on" in text(page, ".outcome")
    assert button(page, "Play").is_disabled()
    assert page.locator(".thumb.wrong").count() == 0
    assert "no prediction" in str(page.locator(".thumb").first.get_attribute("aria-label"))
    assert set(page.locator(".card .badges").all_text_contents()) == {""}
    assert "NaN" not in str(page.locator(".charts").inner_html())
    for logarithmic in (False, True):
        page.get_by_label("logarithmic").set_checked(logarithmic)
        cut = page.locator(".charts text").evaluate_all(
            "l => l.filter(e => e.getBoundingClientRect().left <"
            " e.closest('svg').getBoundingClientRect().left - 0.5).map(e => e.textContent)"
        )
        assert cut == []
        assert page.locator(".charts svg").first.locator("text").count() < 12
    page.keyboard.press("Space")
    assert not state(page)["playing"]
    button(page, "Undo the last change").click()
    assert state(page)["finite"]
    # A start that overflows is not the fault of α, with which no step was taken.
    page.evaluate("jaxnet.set({ weight_scale: 1e200 })")
    assert state(page)["iteration"] == 0
    assert not state(page)["finite"]
    assert text(page, ".outcome").startswith("Not finite: with these initial weights")
    assert "a smaller α" not in text(page, ".outcome")


@pytest.mark.parametrize(
    ("changes", "drawn"),
    [
        ({"start": "random", "seed": 9}, True),
        ({"hidden_units": 5}, True),
        ({"weight_scale": "he"}, False),
    ],
)
def test_it_is_told_where_grey_pictures_are_rounded(
    show: Open, changes: dict[str, Any], drawn: bool
) -> None:
    page = show()
    page.evaluate(f"jaxnet.set({json.dumps(changes)})")
    costs = page.evaluate("jaxnet.step(100).train.costs")
    settings = {name: value for name, value in changes.items() if name != "start"}
    trained = train_again(make_run(**settings), make_dataset(), 100)
    difference = np.abs(costs[:100] - np.asarray(trained.costs)).max()
    assert difference < (1e-3 if drawn else 2e-6)
    note = page.get_by_text("whose grey is rounded to whole levels")
    assert note.is_visible() is drawn
    assert page.get_by_text("A similar training as a command").is_visible() is drawn


def test_the_note_on_changes_goes_with_the_steps(show: Open) -> None:
    page = show()
    note = page.get_by_text("was changed during the training")
    page.evaluate("jaxnet.step(50)")
    page.evaluate("jaxnet.set({ learning_rate: 0.2 })")
    assert note.is_visible()  # these 50 steps were taken with another α
    assert page.get_by_text("A similar training as a command").is_visible()
    page.evaluate("jaxnet.step(20)")
    page.evaluate("jaxnet.set({ learning_rate: 0.1 })")
    assert note.is_visible()
    page.mouse.move(0, 0)
    point(page, 0.2)
    page.mouse.down()
    page.mouse.up()
    assert state(page)["iteration"] < 50
    assert note.is_hidden()
    assert page.get_by_text("The same training as a command").is_visible()
    page.evaluate("jaxnet.set({ learning_rate: 0.3 })")
    assert note.is_visible()
    for _ in range(9):
        if state(page)["iteration"]:
            button(page, "Back to the previous snapshot").click()
    assert state(page)["iteration"] == 0
    assert note.is_hidden()


def test_what_is_wiped_can_be_brought_back(show: Open) -> None:
    page = show()
    undo = button(page, "Undo the last change")
    assert undo.is_disabled()
    for act in (
        lambda: page.keyboard.press("r"),
        lambda: page.get_by_label("hidden units", exact=True).fill("5"),
        lambda: page.get_by_label("activation g").select_option("sigmoid"),
        lambda: page.get_by_label("pixel scale").select_option("unit"),
        lambda: page.keyboard.press("ArrowLeft"),
        lambda: page.evaluate("location.hash = '#hidden_units=2'"),
    ):
        page.evaluate("document.activeElement.blur()")
        before = page.evaluate("jaxnet.step(25)")
        act()
        until(page, f"jaxnet.state().iteration < {before['iteration']}")
        lost = state(page)
        page.keyboard.press("Control+z")
        again = state(page)
        assert {k: again[k] for k in ("settings", "train", "W2", "rises", "snapshots")} == {
            k: before[k] for k in ("settings", "train", "W2", "rises", "snapshots")
        }
        page.keyboard.press("Control+Shift+z")
        assert state(page)["settings"] == lost["settings"]
        assert state(page)["iteration"] == lost["iteration"]
        undo.click()
        assert state(page)["train"] == before["train"]
    # A slider that is dragged makes one change.
    page.evaluate("[20, 21, 22].forEach((n) => jaxnet.set({ seed: n, start: 'own' }))")
    page.evaluate("[0.3, 0.4, 0.5].forEach((scale) => jaxnet.set({ weight_scale: scale }))")
    assert page.evaluate("jaxnet.undo().settings.weight_scale") == 0.1


def test_space_plays_after_a_click_and_arrows_scroll(show: Open) -> None:
    page = show(viewport={"width": 1280, "height": 500})
    for control in (
        button(page, "+10 steps"),
        button(page, "Reset to the initial weights"),
        page.get_by_label("logarithmic"),
        page.locator(".thumb").nth(2),
    ):
        control.click()
        before = state(page)
        page.keyboard.press("Space")
        assert state(page)["playing"]
        page.keyboard.press("Space")
        assert not state(page)["playing"]
        assert state(page)["settings"] == before["settings"]
    assert page.get_by_label("logarithmic").is_checked()
    button(page, "Theme: automatic").focus()
    page.evaluate("scrollTo(0, 0)")
    rate = state(page)["settings"]["learning_rate"]
    page.keyboard.press("ArrowDown")
    until(page, "scrollY > 0")
    assert state(page)["settings"]["learning_rate"] == rate


def test_many_steps_can_be_watched_and_stopped(show: Open) -> None:
    page = show()
    assert page.evaluate("jaxnet.run(300)")["iteration"] == 300
    plain = show()
    costs = plain.evaluate("jaxnet.step(300).train.costs")
    assert state(page)["train"]["costs"] == costs
    page.evaluate("void (window.ended = jaxnet.run(10_000_000))")
    until(page, "jaxnet.state().playing && jaxnet.state().iteration > 320")
    button(page, "Pause").click()
    stopped = page.evaluate("window.ended")
    assert 320 < stopped["iteration"] == state(page)["iteration"]


def test_the_bar_stays_in_view(show: Open) -> None:
    for width, height, share in (
        (1280, 800, 0.2),
        (800, 450, 0.3),
        (640, 400, 0.35),
        (390, 800, 0.16),
        (320, 640, 0.25),
    ):
        page = show(viewport={"width": width, "height": height})
        page.evaluate("scrollTo(0, 900)")
        page.wait_for_timeout(50)
        bar = page.locator(".steering").bounding_box()
        play = button(page, "Play").bounding_box()
        rate = page.get_by_label("α learning rate", exact=True).bounding_box()
        assert bar is not None
        assert bar["height"] <= share * height, width
        for box in (bar, play, rate):
            assert box is not None
            assert 0 <= box["y"] < share * height, width
        assert page.evaluate("scrollY") > 300


# Elements whose text is wider than they, which stick out of their section or of the page, formulas
# that stick out, and selections that are narrower than their widest option. The arrows between the
# boxes stand in the gaps beside their cells.
CUT = """() => {
  const width = document.documentElement.clientWidth;
  const cut = document.documentElement.scrollWidth > width ? ["the page"] : [];
  for (const e of document.body.querySelectorAll("*")) {
    if (!(e instanceof HTMLElement) || e.offsetParent === null || e.closest(".hidden")) continue;
    const name = `${e.tagName} ${e.className} ${e.textContent.slice(0, 30)}`;
    const box = e.getBoundingClientRect();
    const around = e.closest(".panels section")?.getBoundingClientRect();
    if (box.right > width + 0.5 || box.left < -0.5) cut.push(`out of the page: ${name}`);
    if (around && box.right > around.right + 0.5) cut.push(`out of its section: ${name}`);
    const wide = e.clientWidth && e.scrollWidth > e.clientWidth + 1;
    if (wide && !e.matches(".cell, input, select, [title]")) cut.push(`wider than it is: ${name}`);
    if (e.matches("select")) {
      const before = e.offsetWidth;
      e.style.cssText = "width: max-content; flex: none; max-width: none";
      if (e.offsetWidth > before + 1) cut.push(`cut: ${name}`);
      e.style.cssText = "";
    }
  }
  for (const e of document.querySelectorAll("math")) {
    const around = e.closest(".explained, .slow, li").getBoundingClientRect();
    if (e.getBoundingClientRect().right > around.right + 0.5) cut.push(`cut: ${e.textContent}`);
  }
  return cut;
}"""
WIDTHS = (320, 360, 390, 480, 600, 719, 720, 900, 1100, 1239, 1240, 1280, 1366, 1440, 1600, 1920)


@pytest.fixture(scope="module")
def large() -> tuple[Run, Dataset]:
    """A run of 16 units on pictures of 64 × 64, and its data: the widest shapes."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (24, 64, 64, 3), dtype=np.uint8)
    labels = np.arange(24) % 2
    data = Dataset(
        Split(images[:20], labels[:20]), Split(images[20:], labels[20:]), ("no", "yes"),
        data_source=DataSource("pets"),
    )  # fmt: skip
    run = make_run(hidden_units=16)
    preprocessing = dataclasses.replace(run.preprocessing, height=64, width=64)
    assert run.settings is not None
    params = draw_params(run.settings, preprocessing.n_x, None)
    descent = Checkpoint(params, run.costs)
    return dataclasses.replace(run, preprocessing=preprocessing, descent=descent), data


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_text_is_cut_at_any_width(show: Open, large: tuple[Run, Dataset], lang: str) -> None:
    page = show(*large, fragment=f"#lang={lang}&diagram=true")
    page.evaluate("jaxnet.step(3)")
    page.evaluate("document.querySelectorAll('details').forEach((e) => (e.open = true))")
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("J", "dA2", "dZ1", "X"):
            named(page, name).evaluate("symbol => symbol.click()")
            cut = page.evaluate(CUT)
            if cut:
                found[width, name] = cut[:3]
    assert found == {}


def test_long_names_are_shortened(show: Open) -> None:
    data = make_dataset()
    names = ("no", "w" * 170)
    page = show(
        dataclasses.replace(make_run(), classes=names),
        Dataset(data.train, data.test, names, data_source=DataSource("pets")),
        viewport={"width": 390, "height": 800},
    )
    assert "…" in text(page, "#subtitle")
    assert page.locator("#subtitle").evaluate("e => e.clientHeight") < 90
    assert page.locator("#subtitle").get_attribute("title") == f"no / {names[1]}"
    assert page.evaluate(CUT) == []


def test_printed_it_is_whole(show: Open) -> None:
    page = show()
    page.emulate_media(media="print")
    style = "(e, name) => getComputedStyle(e)[name]"
    assert page.locator(".charts svg").first.evaluate(style, "breakInside") == "avoid"
    assert page.locator(".box .bar").first.evaluate(style, "printColorAdjust") == "exact"
    assert page.locator("#transport").evaluate(style, "position") == "static"
    assert page.locator(".thumbs").evaluate(style, "overflowY") == "visible"


def test_the_makers_folders_stay_with_the_maker(show: Open, tmp_path: Path) -> None:
    folder = "/srv/somebody/My pictures"
    source = DataSource(f"{folder}/cats", test=f"{folder}/more cats")
    described = f"{folder}/cats and more cats, 8 × 8"
    data = dataclasses.replace(make_dataset(), source=described, data_source=source)
    for pictures in (True, False):
        header = collect(make_run(), data, pictures=pictures).header
        assert "somebody" not in json.dumps(header)
    page = show(make_run(), data)
    assert text(page, "#notes").startswith("cats and more cats, 8 × 8")
    words = shlex.split(text(page, ".command"))
    assert words[words.index("--data") + 1] == "cats"
    assert words[words.index("--test") + 1] == "more cats"
    assert page.get_by_text("Run it in the folder that holds “cats”.").is_visible()
    assert "somebody" not in fill(collect(make_run(), data))
    assert shown_source("/home/me/x.h5 and y.h5", None) == "x.h5 and y.h5"
    assert shown_source("sketches, recipe 1", DataSource()) == "sketches, recipe 1"
    assert shown_source("data/cats, 8 × 8", DataSource("data/cats")) == "data/cats, 8 × 8"


def contrast(page: "Page", name: str) -> float:
    """Compute the contrast of a colour against the panels, as WCAG 2 defines it."""
    colors = page.evaluate(
        """name => { const probe = document.createElement("span"); document.body.append(probe);
        return [name, "--panel"].map((color) => { probe.style.color = `var(${color})`;
        return getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number); }); }""",
        name,
    )
    levels = np.array(colors) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    light, dark = sorted(linear @ [0.2126, 0.7152, 0.0722], reverse=True)
    return float((light + 0.05) / (dark + 0.05))


def test_marks_are_explained_and_told_apart(show: Open) -> None:
    page = show()
    page.evaluate("jaxnet.step(1)")
    for name in ("network", "curves", "units", "pictures", "chosen"):
        page.locator(f"#{name} summary").click()
        assert page.locator(f"#{name} details .note").is_visible()
    assert "Orange frame and ✗" in text(page, "#pictures details")
    wrong = page.locator(".thumb.wrong").first
    assert wrong.evaluate("e => getComputedStyle(e, '::after').content") == '"✗"'
    assert str(wrong.get_attribute("aria-label")).endswith(", wrong")
    assert page.locator("p.rises.some").count() == 0
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        assert contrast(page, "--run") >= 3, theme
    assert text(page, ".card .line:last-child span:last-child").endswith(" points")
    page.evaluate("jaxnet.set({ hidden_units: 1 })")
    assert text(page, "#subtitle").startswith("1 hidden unit learns ")
    page.evaluate("jaxnet.set({ start: 'zeros' })")
    assert text(page, "#chosen .taken .note").startswith("Empty: no active unit")
    rows = page.locator("#chosen tbody th").all_text_contents()
    assert rows[-2:] == ["sum Z2", "P = σ(Z2)"]
    assert text(page, "#chosen tbody tr:last-child td:nth-child(4)") == "50.0 %"


def test_names_contain_their_labels_and_targets_are_large(show: Open) -> None:
    for lang in ("en", "zh"):
        page = show(fragment=f"#lang={lang}")
        other = page.evaluate(
            """[...document.querySelectorAll("button, summary, select, input")].filter((e) => {
              const label = e.labels?.[0]?.firstElementChild;
              const text = e.matches("button:not(.box, .thumb)") ? e.textContent
                : label && e === e.labels[0].control ? label.textContent : "";
              const name = e.ariaLabel ?? text;
              return !name.toLowerCase().includes(text.trim().toLowerCase());
            }).map((e) => e.outerHTML)"""
        )
        assert other == []
    low = page.evaluate(
        """[...document.querySelectorAll("button, summary, select, input[type=range]")]
        .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 24)
        .map((e) => e.outerHTML)"""
    )
    assert low == []
    assert page.locator("input[type=file]").is_hidden()
    assert page.locator("th:empty").count() == 0
    scrolling = page.evaluate(
        """[...document.querySelectorAll(".formula, .shapes, .command")]
        .filter((e) => /auto|scroll/.test(getComputedStyle(e).overflowX)).length"""
    )
    assert scrolling == 0


def test_chinese_is_upright_and_alone(show: Open) -> None:
    data = dataclasses.replace(make_dataset(), source="drawings of pets, made for a test")
    page = show(make_run(), data, fragment="#lang=zh&diagram=true")
    assert "drawings" not in text(page, "#notes")
    assert text(page, "#notes").startswith("pets，40 张图片")
    for selector in ("#subtitle", ".direction"):
        slant = page.locator(selector).first.evaluate("e => getComputedStyle(e).fontStyle")
        assert slant == "normal"
    said = page.evaluate("document.body.innerText")
    for term in (
        "训练集正确率",
        "本页不会联网",
        "等价的命令行",
        "前向传播",
        "反向传播",
        "始终预测",
    ):
        assert term in said, term
    assert "准确率" not in said
    # In English no Chinese font comes before the one that has the quotes.
    english = show(fragment="#lang=en")
    for selector in ("body", "#subtitle"):
        fonts = english.locator(selector).evaluate("e => getComputedStyle(e).fontFamily")
        assert not re.search(r"CJK|PingFang|YaHei|Songti|system-ui", fonts)


def test_the_page_says_that_the_run_used_mini_batches(show: Open) -> None:
    page = show(make_run(batch=7, momentum=0.5, iterations=30))
    told = "The run used momentum 0.5, mini-batches of 7; this page uses plain gradient descent"
    assert f"{told} on all pictures at once, as they are." in text(page, "#notes")
    page = show(make_run(batch=7, iterations=30), locale="zh-CN")
    assert "每批 7 张的小批量" in text(page, "#notes")
