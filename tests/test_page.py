"""The offline page in a real Chromium."""

import dataclasses
import json
import re
import shlex
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser import Open, button, named, open_diagram, state, text, until
from conftest import Result
from pages import make_dataset, make_run, train_again
from picture_files import (
    DISPLAY_P3,
    PROPHOTO,
    SRGB,
    chunk,
    cmyk_profile,
    frame,
    grey_profile,
    rgb_profile,
    write_containers,
    write_png,
)
from PIL import Image

from jaxnet.activations import ACTIVATIONS
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.pictures import read_pictures
from jaxnet.data.source import DataSource
from jaxnet.report.page.data import MOST_PICTURES, SAMPLE
from jaxnet.runs.run import load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page


Command = Callable[..., Result]

HOSTILE = '</script><img src=x onerror="alert(1)"><!--'


@pytest.mark.slow
def test_500_iterations_cost_what_they_cost_in_train(show: Open) -> None:
    for activation in ACTIVATIONS:
        for n_h, color in ((8, "gray"), (3, "rgb")):
            run = make_run(activation=activation, hidden_units=n_h, color=color)
            page = show(run)
            costs = page.evaluate("jaxnet.step(500).train.costs")
            expected = train_again(run, make_dataset()).costs
            np.testing.assert_allclose(costs[:500], expected, rtol=0, atol=1e-9)
            page.close()


@pytest.mark.slow
def test_the_cats_in_the_page(show: Open, cats: Dataset, tmp_path: Path) -> None:
    run = train(cats, Settings(precision="float64", iterations=500))
    page = show(run, cats)
    costs = page.evaluate("jaxnet.step(500).train.costs")
    np.testing.assert_allclose(costs[:500], run.costs, rtol=0, atol=1e-9)
    assert (tmp_path / "page.html").stat().st_size < 2_500_000


@pytest.mark.slow
def test_the_transport(show: Open) -> None:
    page = show()
    first = state(page)
    assert first["iteration"] == 0
    assert button(page, "Back to the previous snapshot").is_disabled()
    for steps, after in ((1, 1), (10, 11), (100, 111)):
        button(page, f"+{steps} {'step' if steps == 1 else 'steps'}").click()
        assert state(page)["iteration"] == after
        assert text(page, ".count b") == str(after)
    button(page, "Back to the previous snapshot").click()
    assert state(page)["iteration"] == 110
    button(page, "Play").click()
    until(page, "jaxnet.state().iteration > 130")
    button(page, "Pause").click()
    paused = state(page)
    assert not paused["playing"]
    page.wait_for_timeout(100)
    assert state(page)["iteration"] == paused["iteration"]
    button(page, "Reset to the initial weights").click()
    assert state(page)["train"] == first["train"]
    page.get_by_label("Speed").select_option("slow")
    began = page.evaluate("performance.now()")
    button(page, "Play").click()
    until(page, "jaxnet.state().iteration > 5")
    button(page, "Pause").click()
    slow, ended = state(page), page.evaluate("performance.now()")
    assert slow["iteration"] <= (ended - began) / 200 + 1


@pytest.mark.slow
def test_the_learning_rate_goes_on_and_the_set_up_begins_anew(show: Open) -> None:
    page = show()

    def change(label: str, act: Callable[[Any], Any], **settings: Any) -> Any:
        page.evaluate("jaxnet.step(20)")
        before = state(page)
        act(page.get_by_label(label, exact=True))
        after = state(page)
        changed = {k: v for k, v in after["settings"].items() if v != before["settings"][k]}
        assert changed == settings
        return after

    rate = change(
        "Learning rate, as a number", lambda x: (x.fill("0.25"), x.blur()), learning_rate=0.25
    )
    assert rate["iteration"] == 20
    slid = change("α learning rate", lambda x: x.fill("-1"), learning_rate=0.1)
    assert slid["iteration"] == 40
    for label, act, settings in (
        ("hidden units", lambda x: x.fill("5"), {"hidden_units": 5}),
        ("activation g", lambda x: x.select_option("sigmoid"), {"activation": "sigmoid"}),
        ("initial weights", lambda x: x.select_option("random"), {"start": "random"}),
        ("seed", lambda x: (x.fill("7"), x.blur()), {"seed": 7}),
        ("Weight scale, as a number", lambda x: (x.fill("0.5"), x.blur()), {"weight_scale": 0.5}),
        ("weight scale", lambda x: x.fill("-1"), {"weight_scale": 0.1}),
        ("He: √(2/n)", lambda x: x.check(), {"weight_scale": "he"}),
        ("pixel scale", lambda x: x.select_option("unit"), {"pixel_scale": "unit"}),
        ("initial weights", lambda x: x.select_option("equal"), {"start": "equal"}),
        ("initial weights", lambda x: x.select_option("zeros"), {"start": "zeros"}),
    ):
        after = change(label, act, **settings)
        assert after["iteration"] == 0, label
        assert len(after["W2"]) == after["settings"]["hidden_units"]
    assert after["W2"] == [0] * 5
    page.get_by_label("Learning rate, as a number").fill("-3")
    page.get_by_label("Learning rate, as a number").blur()
    assert state(page)["settings"]["learning_rate"] == 0.1


@pytest.mark.slow
def test_keyboard_alone(show: Open) -> None:
    page = show()
    press = page.keyboard.press
    press("ArrowRight")
    press("ArrowRight")
    assert state(page)["iteration"] == 2
    press("Shift+ArrowRight")
    assert state(page)["iteration"] == 12
    press("ArrowLeft")
    assert state(page)["iteration"] == 10
    press("+")
    assert state(page)["settings"]["learning_rate"] == 0.112
    press("-")
    assert state(page)["settings"]["learning_rate"] == pytest.approx(0.1, abs=2e-3)
    press("Space")
    until(page, "jaxnet.state().iteration > 20")
    press("Space")
    assert not state(page)["playing"]
    press("r")
    assert state(page)["iteration"] == 0
    for _ in range(4):
        press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Play"
    press("Space")
    until(page, "jaxnet.state().playing && jaxnet.state().iteration > 0")
    press("Space")
    assert not state(page)["playing"]
    page.get_by_label("α learning rate", exact=True).focus()
    before = state(page)
    press("ArrowRight")
    after = state(page)
    assert after["iteration"] == before["iteration"]
    assert after["settings"]["learning_rate"] > before["settings"]["learning_rate"]
    press("Space")
    assert state(page)["playing"]
    press("Space")
    page.locator(".thumb[tabindex='0']").focus()
    before = text(page, ".says")
    press("ArrowRight")
    press("Enter")
    assert text(page, ".says") != before
    t = state(page)["iteration"]
    page.locator(".charts").focus()
    press("ArrowLeft")
    assert text(page, ".reading").startswith(f"iteration {t - 1:,} ")
    press("Enter")
    assert state(page)["iteration"] in state(page)["snapshots"]


@pytest.mark.slow
def test_boxes_explain_themselves(show: Open) -> None:
    page = show()
    page.evaluate("jaxnet.step(30)")
    assert page.locator(".box").first.is_hidden()
    open_diagram(page)
    boxes = page.locator(".box")
    assert boxes.count() == 18
    shapes = {}
    for at in range(18):
        box = boxes.nth(at)
        box.click()
        assert box.get_attribute("aria-pressed") == "true"
        name = text(box, ".symbol")
        shapes[name] = text(box, ".shape")
        assert page.locator(".formula math").count() >= 1
        assert text(page, ".explained")
        drawn = page.locator(".heat canvas").evaluate("c => c.width * c.height")
        assert drawn >= 1
    assert shapes["W1"] == "3 × 48"
    assert shapes["dZ1"] == "3 × 29"
    named(page, "dZ1").click()
    assert text(page, ".formula").startswith("dZ1=dA1∘g′(Z1)")
    assert text(page, ".shapes") == "(3, 29) ∘ (3, 29) = (3, 29)"
    probability = state(page)["train"]["probabilities"]
    Z2 = text(named(page, "Z2"), ".size")
    logits = np.log(probability) - np.log1p(-np.array(probability))
    assert float(Z2) == pytest.approx(np.sqrt(np.mean(logits**2)), rel=5e-3)


def test_the_curves_are_read_and_lead_back(show: Open) -> None:
    page = show()
    costs = page.evaluate("jaxnet.step(100).train.costs")
    box = page.locator(".charts svg").first.bounding_box()
    assert box is not None
    # The chart is 330 wide, 44 of them left of iteration 0 and 8 right of iteration 100.
    x = box["x"] + box["width"] * (44 + 0.47 * (330 - 52)) / 330
    page.mouse.move(x, box["y"] + 20)
    assert f"iteration 47 · train: cost {costs[47]:.4f}" in text(page, ".reading")
    page.mouse.click(x, box["y"] + 20)
    assert state(page)["iteration"] == 50
    curve = page.locator(".charts .curve.train").first.get_attribute("d")
    page.get_by_label("logarithmic").check()
    assert page.locator(".charts .curve.train").first.get_attribute("d") != curve
    assert page.get_by_text("was changed during the training").is_hidden()
    page.evaluate("jaxnet.set({ learning_rate: 30 }); jaxnet.step(20)")
    assert page.get_by_text("was changed during the training").is_visible()
    rises = state(page)["rises"]
    assert len(rises) > 1
    assert text(page, "p.rises") == f"steps that raised the cost: {len(rises)}"


@pytest.mark.slow
def test_it_stops_where_the_cost_is_not_finite(show: Open) -> None:
    page = show()
    page.evaluate("jaxnet.set({ learning_rate: 1e200 })")
    button(page, "Play").click()
    until(page, "!jaxnet.state().playing")
    stopped = state(page)
    assert not stopped["finite"]
    assert stopped["outcome"] == "not finite"
    assert text(page, ".outcome.failed").startswith("Not finite: ")
    open_diagram(page)
    for at in range(18):
        page.locator(".box").nth(at).click()
    assert button(page, "+10 steps").is_disabled()
    assert page.evaluate("jaxnet.step(10).iteration") == stopped["iteration"] < 10
    button(page, "Reset to the initial weights").click()
    assert state(page)["finite"]
    assert text(page, ".outcome") == "Not trained yet."
    assert page.locator(".failed").count() == 0


def test_the_outcome_is_shown(show: Open) -> None:
    page = show(make_run(weight_scale=1.0, learning_rate=1e-6))
    assert page.evaluate("jaxnet.step(20).outcome") == "slow"
    assert text(page, ".outcome").startswith("Slow: ")
    assert page.locator(".failed").count() == 0
    button(page, "中文: change the language to Chinese").click()
    assert text(page, ".outcome").startswith("缓慢：")
    page.evaluate("jaxnet.set({ weight_scale: 0.1, learning_rate: 20 })")
    assert page.evaluate("jaxnet.step(5).outcome") == "diverged"
    assert text(page, ".outcome.failed").startswith("发散：")


@pytest.mark.slow
def test_units_are_silenced_frozen_and_told_apart(show: Open) -> None:
    page = show()
    cards = page.locator(".card")
    assert cards.count() == 3
    button(page, "Silence unit 2").click()
    button(page, "Freeze unit 1").click()
    before = state(page)
    assert before["settings"]["silenced"] == [1]
    assert before["settings"]["frozen"] == [0]
    after = page.evaluate("jaxnet.step(10)")
    assert after["W2"][:2] == before["W2"][:2]
    assert after["W2"][2] != before["W2"][2]
    button(page, "Silence unit 2").click()
    assert state(page)["settings"]["silenced"] == []
    page.evaluate("jaxnet.set({ start: 'equal' })")
    assert page.locator(".badges").all_text_contents() == ["equal to 2", "equal to 1", "equal to 1"]
    page.evaluate("jaxnet.set({ start: 'zeros' })")
    assert "dead" in text(page, ".badges")
    assert text(page, ".outcome.failed").startswith("Dead: ")


@pytest.mark.slow
def test_pictures_are_sorted_and_taken_apart(show: Open) -> None:
    page = show(make_run(learning_rate=0.2))
    page.evaluate("jaxnet.step(200)")
    button(page, "test").click()
    labels = page.locator(".thumb").evaluate_all("l => l.map(b => b.ariaLabel)")
    assert len(labels) == 11
    form = r"test (\d+), (no|yes): P = ([\d.]+) %, (?:right|wrong)"
    matches = [re.fullmatch(form, label) for label in labels]
    p = np.array([float(match[3]) / 100 for match in matches if match])
    y = np.array([match[2] == "yes" for match in matches if match])
    loss = -np.log(np.where(y, p, 1 - p))
    assert (np.diff(loss) < 0.01).all()
    page.get_by_label("Order").select_option("number")
    page.locator(".thumb").nth(4).click()
    numbers = state(page)
    probability = numbers["test"]["probabilities"][4]
    assert f"P(“yes”) = {100 * probability:.1f} %" in text(page, ".says")
    cells = page.locator("tbody tr").evaluate_all("l => l.map(r => r.children[3].textContent)")
    assert cells.pop() == f"{100 * probability:.1f} %"
    *votes, total = [float(cell.replace("−", "-")) for cell in cells]
    assert len(votes) == 4
    assert sum(votes) == pytest.approx(total, abs=5e-3)
    assert total == pytest.approx(np.log(probability / (1 - probability)), abs=5e-3)


def test_an_own_photo_is_classified_as_in_python(show: Open, tmp_path: Path) -> None:
    run = make_run(weight_scale=1.0)
    photo = np.random.default_rng(5).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    (expected,) = run.model.predict_images(photo[None])
    page = show(run)
    page.locator("input[type=file]").set_input_files(tmp_path / "photo.png")
    until(page, "document.querySelector('.says').textContent.startsWith('your photo')")
    said = re.search(r"= ([\d.]+) %", text(page, ".says"))
    assert said is not None
    assert float(said[1]) / 100 == pytest.approx(float(expected), abs=6e-4)
    page.evaluate("jaxnet.step(50)")
    assert f"{said[1]} %" not in text(page, ".says")
    page.evaluate("jaxnet.set({ hidden_units: 5 })")
    page.locator(".thumb").first.click()
    page.locator(".answer").click()
    assert text(page, ".answer") in text(page, ".says").replace(" ·", ":")
    colors = page.locator("figure canvas").first
    before = colors.evaluate("canvas => canvas.toDataURL()")
    Image.new("RGB", (9, 9), "white").save(tmp_path / "white.png")
    page.evaluate(
        "bytes => { const files = new DataTransfer();"
        "files.items.add(new File([new Uint8Array(bytes)], 'white.png'));"
        "document.body.dispatchEvent(new DragEvent('drop',"
        " { bubbles: true, cancelable: true, dataTransfer: files })); }",
        list((tmp_path / "white.png").read_bytes()),
    )
    for _ in range(100):
        if colors.evaluate("canvas => canvas.toDataURL()") != before:
            break
        page.wait_for_timeout(25)
    pixel = "canvas => [...canvas.getContext('2d').getImageData(2, 2, 1, 1).data]"
    assert colors.evaluate(pixel) == [255, 255, 255, 255]
    (tmp_path / "note.txt").write_text("no picture")
    page.locator("input[type=file]").set_input_files(tmp_path / "note.txt")
    until(page, "document.querySelector('#pictures [role=alert]').textContent !== ''")


def photos(folder: Path) -> dict[str, Path]:
    """Write a picture of each kind that a browser reads, with profiles, long texts and frames."""
    colors = Image.fromarray(
        np.random.default_rng(5)
        .integers(0, 256, (6, 8, 3), dtype=np.uint8)
        .repeat(8, 0)
        .repeat(8, 1)
    )
    grey, red, lime = colors.convert("L"), *(Image.new("RGB", (8, 8), c) for c in ("red", "lime"))
    wide = np.asarray(grey).astype(np.uint16) * 257
    cmyk = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    linear = rgb_profile(SRGB, 1.0)
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3_000_000)))
    control, first = chunk(b"acTL", struct.pack(">II", 2, 0)), frame(0, red)
    part = frame(0, Image.new("RGB", (4, 2), "red"), (4, 6))
    saved: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "linear.png": (colors, {"icc_profile": linear}),
        "prophoto.png": (colors, {"icc_profile": rgb_profile(PROPHOTO, 1.8)}),
        "p3.webp": (colors, {"icc_profile": rgb_profile(DISPLAY_P3, 2.2), "lossless": True}),
        "grey.png": (grey, {"icc_profile": grey_profile(1.0)}),
        "grey with a colour profile.jpg": (grey, {"icc_profile": linear, "quality": 100}),
        "grey with a colour profile.png": (grey, {"icc_profile": linear}),
        "cmyk.jpg": (cmyk, {"icc_profile": cmyk_profile(), "quality": 100}),
        "broken.png": (colors, {"icc_profile": b"no profile"}),
        "other model.png": (colors, {"icc_profile": grey_profile(1.0)}),
        "sixteen.png": (Image.fromarray(wide), {}),
        "bits.png": (grey.convert("1"), {}),
        "two.gif": (red, {"save_all": True, "append_images": [lime]}),
        "two.webp": (red, {"save_all": True, "append_images": [lime], "lossless": True}),
        "animation.png": (red, {"save_all": True, "append_images": [lime]}),
    }
    for name, (image, options) in saved.items():
        image.save(folder / name, **options)
    written = {
        "text.png": (colors, text, b""),
        "checksum.png": (colors, chunk(b"tEXt", b"Comment\0cat", broken=True), b""),
        "default image.png": (lime, control, first + frame(2, lime)),
        "part.png": (lime, control, part + frame(2, lime)),
    }
    for name, (image, before, after) in written.items():
        write_png(folder / name, image, before, after)
    return {name: folder / name for name in [*saved, *written]}


@pytest.mark.slow
def test_pictures_of_every_kind_are_seen_as_in_python(show: Open, tmp_path: Path) -> None:
    page = show(make_run(weight_scale=1.0))
    differences = {}
    for name, path in photos(tmp_path).items():
        expected = read_pictures([path], 8, 6)[0][0].astype(int)
        page.evaluate("document.querySelector('.answer').textContent = ''")
        page.locator("input[type=file]").set_input_files(path)
        until(page, "document.querySelector('.answer').textContent !== ''")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        pixels = page.locator("figure canvas").first.evaluate(
            "canvas => { const copy = new OffscreenCanvas(6, 8);"
            "const context = copy.getContext('2d', { willReadFrequently: true });"
            "context.drawImage(canvas, 0, 0);"
            "return [...context.getImageData(0, 0, 6, 8).data]; }"
        )
        difference = np.reshape(pixels, (8, 6, 4))[..., :3] - expected
        differences[name] = int(np.abs(difference).max())
    assert {name: levels for name, levels in differences.items() if levels > 2} == {}


# What Chromium does not read; the page says so, and which command does.
UNREAD = (".tif", ".jp2", ".j2k", ".ppm")


@pytest.mark.slow
def test_a_picture_has_the_same_probability_in_every_container(show: Open, tmp_path: Path) -> None:
    run = make_run(weight_scale=1.0)
    page = show(run)
    containers = write_containers(tmp_path)
    (expected,) = run.model.predict_files(containers["plain.png"])
    said = {}
    for name, path in containers.items():
        page.evaluate("document.querySelector('.answer').textContent = ''")
        page.evaluate("document.querySelector('.note[role=alert]').textContent = ''")
        page.locator("input[type=file]").set_input_files(path)
        answered = "document.querySelector('.answer').textContent"
        told = "document.querySelector('.note[role=alert]').textContent"
        until(page, f"{answered} + {told} !== ''")
        said[name] = page.evaluate(told) or page.evaluate(answered)
    unread = [name for name in containers if Path(name).suffix in UNREAD]
    assert [name for name in said if "jaxnet predict also reads" in said[name]] == unread
    shares = {name: re.search(r"= ([\d.]+) %", said[name]) for name in said if name not in unread}
    assert {name for name, share in shares.items() if share is None} == set()
    found = {name: float(share[1]) / 100 for name, share in shares.items() if share}
    assert found == pytest.approx(dict.fromkeys(found, float(expected)), abs=6e-4)


def test_a_picture_that_no_browser_reads_is_told(show: Open, tmp_path: Path) -> None:
    page = show()
    for name in ("colors.tiff", "colors.jp2"):
        Image.new("RGB", (8, 8), "red").save(tmp_path / name)
        page.evaluate("document.querySelector('.note[role=alert]').textContent = ''")
        page.locator("input[type=file]").set_input_files(tmp_path / name)
        until(page, "document.querySelector('.note[role=alert]').textContent !== ''")
        said = text(page, ".note[role=alert]")
        assert "This browser cannot read the file as a picture." in said
        assert "jaxnet predict" in said


@pytest.mark.slow
def test_the_state_stands_in_the_address(show: Open) -> None:
    page = show()
    assert "#" not in page.url
    page.evaluate(
        "jaxnet.set({ learning_rate: 0.03, hidden_units: 6, activation: 'leaky_relu',"
        " start: 'random', seed: 11, weight_scale: 'he', pixel_scale: 'unit', silenced: [1, 4] })"
    )
    open_diagram(page)
    named(page, "dA2").click()
    button(page, "中文: change the language to Chinese").click()
    until(page, "location.hash.includes('dA2')")
    fragment, settings = "#" + page.url.split("#")[1], state(page)["settings"]
    again = show(fragment=fragment)
    assert state(again)["settings"] == settings
    assert text(again, ".box[aria-pressed=true] .symbol") == "dA2"
    assert again.evaluate("document.documentElement.lang") == "zh-Hans"
    odd = show(fragment="#hidden_units=99&seed=x&activation=none&lang=xx&box=Q&learning_rate=0.5")
    assert state(odd)["settings"] == state(show())["settings"] | {"learning_rate": 0.5}


@pytest.mark.slow
def test_languages_and_themes(show: Open) -> None:
    page = show(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    button(page, "Theme: automatic").click()
    light = page.evaluate(background)
    assert light != dark
    button(page, "Theme: light").click()
    assert page.evaluate(background) == dark
    assert text(page, "h1") == "Watch it learn"
    button(page, "中文: change the language to Chinese").click()
    assert text(page, "h1") == "看它学习"
    chinese = page.evaluate("document.body.innerText")
    assert not re.search(r"\{\w+\}|undefined", chinese)
    left = re.findall(r"[A-Za-z]{5,}", chinese)
    assert set(left) <= {"jaxnet", "train", "English", "Python", "sigmoid", *command_words(page)}
    assert show(locale="zh-CN").locator("h1").text_content() == "看它学习"


def command_words(page: "Page") -> list[str]:
    return re.findall(r"[A-Za-z]+", text(page, ".command"))


def test_hostile_names_stay_names(show: Open) -> None:
    data = make_dataset()
    names = (HOSTILE, "{{script}}${1}'")
    source = DataSource(HOSTILE, positive=names[1])
    hostile = Dataset(data.train, data.test, names, HOSTILE, data_source=source)
    page = show(dataclasses.replace(make_run(), classes=names), hostile)
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert HOSTILE in page.title()
    assert HOSTILE in text(page, "#subtitle")
    assert "{{script}}${1}'" in text(page, "#subtitle")
    assert {*names} <= {*shlex.split(text(page, ".command"))}
    page.locator(".thumb").first.click()


@pytest.mark.slow
def test_what_the_page_draws_itself_is_named_with_its_generator(show: Open) -> None:
    page = show(make_run(prng="rbg"))
    note = page.get_by_text("The page draws weights with threefry2x32")
    assert note.is_hidden()
    assert text(page, ".command").startswith("JAX_DEFAULT_PRNG_IMPL=rbg jaxnet train")
    page.evaluate("jaxnet.set({ hidden_units: 4 })")
    assert note.is_visible()
    assert text(page, ".command").startswith("no command: ")
    assert button(page, "Copy").is_disabled()
    page.evaluate("jaxnet.set({ start: 'random' })")
    assert note.is_visible()
    assert text(page, ".command").startswith("JAX_DEFAULT_PRNG_IMPL=threefry2x32 jaxnet train")
    page.evaluate("jaxnet.set({ start: 'zeros' })")
    assert note.is_hidden()


def test_no_request_could_be_made(show: Open, tmp_path: Path) -> None:
    show()
    html = (tmp_path / "page.html").read_text("utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    parts = policy.split("; ")
    assert parts[0] == "default-src 'none'"
    assert [re.sub(r"'sha256-[\w+/=]{44}'", "HASH", part) for part in parts[1:]] == [
        "script-src HASH",
        "style-src HASH",
        "worker-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "innerHTML", "eval("):
        assert word not in html, word


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_telephone_scrolls_down_only(show: Open, lang: str) -> None:
    page = show(fragment=f"#lang={lang}&diagram=true", viewport={"width": 390, "height": 800})
    page.evaluate("jaxnet.step(20)")
    for at in range(page.locator(".box").count()):
        page.locator(".box").nth(at).click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    cut = "b => b.scrollHeight > b.clientHeight || b.scrollWidth > b.clientWidth"
    assert page.locator(".box").evaluate_all(f"l => l.filter({cut}).length") == 0
    outside = "l => l.filter(e => e.getBoundingClientRect().right > 390).map(e => e.outerHTML)"
    assert page.locator("main :visible").evaluate_all(outside) == []


def test_everything_has_a_name_for_a_screen_reader(show: Open) -> None:
    page = show()
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, select, canvas[role], [role=slider]')]"
        ".filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.hidden"
        " || e.type === 'file')).map(e => e.outerHTML)"
    )
    assert nameless == []
    page.evaluate("jaxnet.step(3)")
    assert text(page, "#spoken").startswith("Iteration 3: cost 0.")


@pytest.mark.slow
def test_less_motion_is_drawn_seldom(show: Open) -> None:
    page = show(reduced_motion="reduce")
    frames = state(page)["frames"]
    button(page, "Play").click()
    until(page, "jaxnet.state().iteration > 1")
    page.wait_for_timeout(700)
    assert state(page)["frames"] - frames <= 5
    assert (
        page.locator("button").first.evaluate("b => getComputedStyle(b).transitionDuration") == "0s"
    )


@pytest.mark.slow
def test_without_pictures(show: Open, tmp_path: Path) -> None:
    page = show(pictures=False)
    assert "This file holds no pictures" in text(page, "#holds")
    assert page.locator("input[type=file]").count() == 0
    page.evaluate("jaxnet.step(10)")
    open_diagram(page)
    for name in ("X", "W1", "dW1"):
        named(page, name).click()
    page.locator(".thumb").nth(3).click()
    assert page.locator("figure:visible").count() == 0
    assert '"train/pixels"' not in (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.slow
def test_a_sample_says_that_it_is_one(show: Open) -> None:
    images = np.random.default_rng(0).integers(
        0, 256, (MOST_PICTURES + 100, 8, 6, 3), dtype=np.uint8
    )
    labels = (np.arange(len(images)) % 5 == 0).astype(int)
    source = DataSource("many")
    data = Dataset(Split(images, labels), None, ("no", "yes"), data_source=source)
    page = show(dataset=data)
    assert "not the pictures that the run was trained on" in text(page, "#notes")
    assert page.get_by_text("trains on all pictures").is_visible()
    assert f"sample: {SAMPLE} of {MOST_PICTURES + 100} pictures" in text(page, "#notes")
    assert state(page)["train"]["pictures"] == SAMPLE
    assert "test" not in state(page)


@pytest.mark.slow
def test_the_command_writes_the_page_of_a_run(jaxnet: Command, show: Open) -> None:
    size = ("--count", 24, "--size", 8, "--iterations", 30, "--learning-rate", 0.05)
    jaxnet("train", *size, "--precision", "float64", "--balanced", "--seed", 4)
    result = jaxnet("page", "runs/001")
    assert result.code == 0
    assert "written: runs/001/page.html (0." in result.out
    assert "the page contains the pictures" in result.out
    page = show(path=Path("runs/001/page.html").absolute())
    trained = load_run("runs/001")
    costs = page.evaluate("jaxnet.step(30).train.costs")
    np.testing.assert_allclose(costs[:30], trained.costs, rtol=0, atol=1e-9)

    page.evaluate("jaxnet.set({ activation: 'leaky_relu', start: 'random', seed: 9 })")
    costs = page.evaluate("jaxnet.step(20).train.costs")
    program, *words = shlex.split(text(page, ".command"))
    assert program == "jaxnet"
    answer = json.loads(jaxnet(*words, "--json").out)
    assert answer["iterations"] == 20
    assert answer["last_cost"] == pytest.approx(costs[19], abs=2e-6)

    less = json.loads(jaxnet("page", "runs/001/model.h5", "--no-pictures", "--json").out)
    assert less["written"] == "runs/001/page.html"
    assert not less["pictures"]
    assert less["size"] == Path("runs/001/page.html").stat().st_size


def test_steps_are_whole_numbers(show: Open) -> None:
    page = show()
    for wrong in ("-5", "0", "1.5", "'x'", "NaN"):
        attempt = (
            f"(() => {{ try {{ jaxnet.step({wrong}) }} catch (error) {{ return error.name }} }})()"
        )
        assert page.evaluate(attempt) == "RangeError", wrong
    assert page.evaluate("jaxnet.step(2).iteration") == 2
