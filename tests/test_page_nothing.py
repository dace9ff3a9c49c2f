"""A page that begins empty: pictures dropped or filmed, trained, kept as a file, opened again."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import pytest
import safetensors.numpy
from browser import Open, button, state, text, until
from conftest import Result
from engine import Node
from PIL import Image

from jaxnet.data.dataset import Split
from jaxnet.data.load import load_dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError, ModelFileError, UsageError
from jaxnet.report.page.build import empty_page
from jaxnet.report.page.data import collect_nothing
from jaxnet.runs.run import load_run
from jaxnet.runs.train import resume
from jaxnet.training import fit

if TYPE_CHECKING:
    from playwright.sync_api import Page

Command = Callable[..., Result]


def make_pictures(folder: Path, seed: int, count: int = 40, *, dark: bool = False) -> list[Path]:
    """Draw pictures of odd sizes; some are rotated by their EXIF, some transparent in part."""
    folder.mkdir()
    draw = np.random.default_rng(seed)
    paths = []
    for i in range(count):
        pixels = draw.integers(0, 256, (50 + i, 73 - i, 3), dtype=np.uint8)
        image, exif = Image.fromarray(pixels // 2 if dark else pixels), Image.Exif()
        if i % 5 == 1:
            exif[0x0112] = 6
        if i % 5 == 2:
            image.putalpha(Image.fromarray(pixels[..., 0]))
        paths.append(folder / f"{i:03}.png")
        image.save(paths[-1], exif=exif)
    return paths


def drop(page: "Page", light: list[Path], dark: list[Path]) -> None:
    """Add pictures to both classes, and name these."""
    page.get_by_label("Class A", exact=True).fill("light")
    page.get_by_label("Class B (positive)").fill("dark")
    for label, paths in enumerate((light, dark)):
        page.locator(f"#heapFiles{label}").set_input_files(paths)
        until(
            page,
            f"document.querySelectorAll('[data-heap=\"{label}\"] canvas').length >= {len(paths)}",
        )
        until(page, "!document.querySelector('.findings').textContent.includes('Reading')")


def train_here(page: "Page") -> None:
    button(page, "Train on these").click()
    until(page, "'jaxnet' in window && jaxnet.state().iteration === 0")


def keep(page: "Page", path: Path) -> Path:
    with page.expect_download() as download:
        button(page, "Keep as a file").click()
    assert download.value.suggested_filename == "light-dark.safetensors"
    download.value.save_as(path)
    return path


def costs_of_fit(path: Path, iterations: int, learning_rate: float = 0.0075) -> np.ndarray:
    """Train the pictures of a file from its first weights, in float64."""
    arrays = safetensors.numpy.load_file(path)
    with jax.enable_x64(True):
        examples = load_run(path).preprocessing.examples(load_dataset(path).train, np.float64)
        first = {
            name: jax.numpy.asarray(arrays[f"first/{name}"]) for name in ("W1", "b1", "W2", "b2")
        }
        trained = fit(first, *examples[:2], learning_rate=learning_rate, iterations=iterations)
    return np.asarray(trained.costs)


@pytest.mark.slow
def test_from_nothing_to_a_file_that_jaxnet_goes_on_with(
    show: Open, jaxnet: Command, tmp_path: Path
) -> None:
    light = make_pictures(tmp_path / "light", 1)
    dark = make_pictures(tmp_path / "dark", 2, dark=True)
    page = show(path=empty_page().save(tmp_path / "empty.html"))
    drop(page, light, dark)
    told = text(page, ".findings")
    assert told.startswith("16 pictures are held out as the test set, 64 are trained on.")
    train_here(page)
    page.evaluate("jaxnet.step(200)")
    reached = state(page)
    path = keep(page, tmp_path / "kept.safetensors")
    np.testing.assert_allclose(
        reached["train"]["costs"][:200], costs_of_fit(path, 200), rtol=0, atol=1e-9
    )

    run, data = load_run(path), load_dataset(path)
    assert data.classes == run.classes == ("light", "dark")
    assert data.test is not None
    for split in ("train", "test"):
        images = data.splits[split].images
        with jax.enable_x64(True):
            predicted = run.model.predict_images(images)
        np.testing.assert_allclose(predicted, reached[split]["probabilities"], rtol=0, atol=1e-9)
    asked = jaxnet("predict", path, light[0], "--json")
    assert json.loads(asked.out)[0]["class"] in run.classes

    done = jaxnet("train", "--resume", path, "--iterations", 260, "--no-page")
    assert done.code == 0, done.err
    resumed = load_run(tmp_path / "kept")
    np.testing.assert_allclose(resumed.costs, costs_of_fit(path, 260), rtol=0, atol=1e-9)
    with pytest.raises(UsageError, match="is not empty"):
        load_run(path).save(tmp_path / "kept")

    # Opened again it is where it was, and goes on alike.
    again = show(path=tmp_path / "empty.html")
    again.locator("#runFile").set_input_files(path)
    until(again, "'jaxnet' in window && jaxnet.state().iteration === 200")
    opened = state(again)
    for split in ("train", "test"):
        assert opened[split]["costs"] == reached[split]["costs"]
        np.testing.assert_allclose(
            opened[split]["probabilities"], reached[split]["probabilities"], rtol=0, atol=1e-12
        )
    costs = again.evaluate("jaxnet.step(60).train.costs")
    np.testing.assert_allclose(costs[:260], resumed.costs, rtol=0, atol=1e-9)
    assert again.evaluate("jaxnet.reset().train.cost") == reached["train"]["costs"][0]


@pytest.mark.slow
def test_bad_input_is_told_and_nothing_is_lost(show: Open, tmp_path: Path) -> None:
    light = make_pictures(tmp_path / "light", 1, 1)
    dark = make_pictures(tmp_path / "dark", 2, 1, dark=True)
    page = show(path=empty_page().save(tmp_path / "empty.html"))
    (tmp_path / "none.png").write_text("no picture")
    page.locator("#heapFiles0").set_input_files([tmp_path / "none.png", *light])
    until(page, "document.querySelector('.findings').textContent.includes('none.png')")
    told = text(page, ".findings")
    assert "1 file was not read as a picture, as “none.png”. The others were." in told
    assert "“B” has no picture yet" in told
    assert button(page, "Train on these").is_disabled()

    drop(page, [], dark)  # two pictures in all
    assert "No picture can be held out" in text(page, ".findings")
    train_here(page)
    assert "test" not in page.evaluate("jaxnet.step(20)")
    path = keep(page, tmp_path / "kept.safetensors")
    np.testing.assert_allclose(
        state(page)["train"]["costs"][:20], costs_of_fit(path, 20), atol=1e-9
    )

    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    for name, content, error in (
        ("cut", whole[:-9], "is cut off or damaged"),
        ("damaged", bytes(damaged), "is cut off or damaged"),
        (
            "other",
            safetensors.numpy.save({"a": np.zeros(3)}),
            "is not a training",
        ),
    ):
        bad = tmp_path / f"{name}.safetensors"
        bad.write_bytes(content)
        page.locator("#runFile").set_input_files(bad)
        until(page, f"document.querySelector('.findings').textContent.includes('{error}')")
        assert state(page)["iteration"] == 20
        if name != "other":
            with pytest.raises(ModelFileError, match="damaged"):
                load_run(bad)
        with pytest.raises(DataError, match=r"damaged|without pictures"):
            load_dataset(bad)

    files = ", ".join(["new File([bytes], `${at}.png`)"])
    page.evaluate(
        "async (base64) => { const bytes = Uint8Array.from(atob(base64), (l) => l.charCodeAt(0));"
        "const transfer = new DataTransfer();"
        f"for (let at = 0; at < 5000; at++) transfer.items.add({files});"
        "const input = document.getElementById('heapFiles1'); input.files = transfer.files;"
        "input.dispatchEvent(new Event('change')); }",
        base64.b64encode(dark[0].read_bytes()).decode(),
    )
    until(
        page,
        "document.querySelector('.findings').textContent.includes('5000 pictures are too many')",
    )
    assert page.locator("[data-heap='1'] canvas").count() == 599
    told = text(page, ".findings")
    assert "Lopsided: 99.8 % of the pictures are “dark”." in told
    assert "598 pictures equal an earlier one." in told


def drop_paths(page: "Page", target: str, *paths: Path) -> None:
    """Drop files and folders from the disk."""
    box = page.locator(target).bounding_box()
    assert box is not None
    tools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + 20, "y": box["y"] + 5}
        tools.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})


@pytest.mark.slow
def test_two_folders_are_two_classes(show: Open, tmp_path: Path) -> None:
    make_pictures(tmp_path / "b light", 1, 4)
    make_pictures(tmp_path / "a dark", 2, 3, dark=True)
    (tmp_path / "a dark" / ".hidden.png").write_text("")
    page = show(path=empty_page().save(tmp_path / "empty.html"))
    drop_paths(page, "#begin h2", tmp_path / "b light", tmp_path / "a dark")
    for label, (name, count) in enumerate((("a dark", 3), ("b light", 4))):
        until(
            page, f"document.querySelectorAll('[data-heap=\"{label}\"] canvas').length === {count}"
        )
        assert page.locator(f"[data-heap='{label}'] input[type=text]").input_value() == name
    drop_paths(page, "[data-heap='1'] p.note", tmp_path / "a dark")  # another folder for one class
    until(page, "document.querySelectorAll('[data-heap=\"1\"] canvas').length === 7")
    assert "3 pictures equal an earlier one" in text(page, ".findings")
    assert "In 3 cases, alike pictures are in different classes" in text(page, ".findings")
    for name in ("c", "d", "e"):
        make_pictures(tmp_path / name, 3, 1)
    drop_paths(page, "#begin h2", *(tmp_path / name for name in ("c", "d", "e")))
    until(page, "document.querySelector('.findings').textContent.includes('3 heaps were dropped')")


@pytest.mark.slow
def test_the_camera_takes_pictures_and_shows_them_live(show: Open, tmp_path: Path) -> None:
    page = show(path=empty_page().save(tmp_path / "empty.html"))
    button(page, "Open the camera").click()
    until(page, "document.querySelector('.camera video').videoWidth > 0")
    for name in ("A", "B"):
        for _ in range(2):
            hold = button(page, f"Hold for “{name}”")
            hold.dispatch_event("pointerdown")
            page.wait_for_timeout(500)
            hold.dispatch_event("pointerup")
    assert page.locator("[data-heap='0'] canvas").count() >= 3
    assert "held out" in text(page, ".findings")
    train_here(page)
    until(page, "document.querySelector('.says').textContent.startsWith('your photo')")
    before = page.evaluate("jaxnet.run(30).then(() => document.querySelector('.says').textContent)")
    until(page, f"document.querySelector('.says').textContent !== {json.dumps(before)}")
    button(page, "Close the camera").click()
    assert page.locator("video").is_hidden()


@pytest.mark.slow
def test_without_a_camera_it_says_why(show: Open, tmp_path: Path) -> None:
    page = show(path=empty_page().save(tmp_path / "empty.html"))
    page.evaluate(
        "void (navigator.mediaDevices.getUserMedia = () => "
        "Promise.reject(new DOMException('', 'NotFoundError')))"
    )
    button(page, "Open the camera").click()
    until(page, "document.querySelector('.camera .note').textContent === 'No camera was found.'")
    page.evaluate(
        "void (navigator.mediaDevices.getUserMedia = () => "
        "Promise.reject(new DOMException('', 'NotAllowedError')))"
    )
    button(page, "Open the camera").click()
    until(page, "document.querySelector('.camera .note').textContent.includes('not allowed')")


@pytest.mark.slow
def test_training_again_and_again_takes_no_more_memory(show: Open, tmp_path: Path) -> None:
    light = make_pictures(tmp_path / "light", 1, 30)
    dark = make_pictures(tmp_path / "dark", 2, 30, dark=True)
    page = show(path=empty_page().save(tmp_path / "empty.html"))
    drop(page, light, dark)
    tools = page.context.new_cdp_session(page)
    sizes = []
    for _ in range(6):
        train_here(page)
        page.evaluate("jaxnet.run(20)")
        tools.send("HeapProfiler.collectGarbage")
        sizes.append(tools.send("Runtime.getHeapUsage"))
    held = [size["usedSize"] + size.get("backingStorageSize", 0) for size in sizes]
    assert held[-1] < held[1] + 4e6, held  # the data of one training are 7 MB


def test_a_file_of_every_kind_goes_on_in_python_as_in_the_page(node: Node, tmp_path: Path) -> None:
    """With weight decay, other activations, scales and weights; and without a test set."""
    changes: list[dict[str, Any]] = [
        {"weight_decay": 0.05, "activation": "leaky_relu", "hidden_units": 3},
        {"pixel_scale": "unit", "start": "random", "seed": 4, "weight_scale": "he"},
    ]
    lines = (
        'import { makeData } from "./made.js"; import { writeRun } from "./run_file.js";'
        f"const empty = {json.dumps(collect_nothing().header)};"
        f"const changes = {json.dumps(changes)};"
        "const draw = drawNormals(3, 12288, 9).W1.map((x) => 127 + 40 * x);"
        "const pictures = [...Array(9).keys()].map((at) => ({ label: at % 2, held: at > 6,"
        "colors: Uint8ClampedArray.from(draw.subarray(at * 12288, (at + 1) * 12288)) }));"
        "const { settings, pixel_scale } = empty; const classes = ['a', 'b'];"
        "const made = changes.map((change, at) => {"
        "const used = at ? pictures.map((one) => ({ ...one, held: false })) : pictures;"
        "const data = makeData({ ...empty, costs: [] }, used, { classes, settings, pixel_scale });"
        "const descent = new Descent(data); descent.set(change); descent.step(30);"
        "const file = Buffer.from(writeRun(descent)).toString('base64'); descent.step(30);"
        "return [file, descent.state().train.costs]; }); write(made);"
    )
    for change, (file, costs) in zip(changes, node(lines), strict=True):
        path = tmp_path / "kept.safetensors"
        path.write_bytes(base64.b64decode(file))
        run, data = load_run(path), load_dataset(path)
        assert (data.test is None) == (change.get("weight_decay") is None)
        assert run.settings is not None
        assert run.settings.seed == change.get("seed", 0)
        resumed = resume(run, data, iterations=60)
        np.testing.assert_allclose(resumed.costs, costs[:60], rtol=0, atol=1e-9)


@pytest.mark.slow
def test_the_data_are_those_of_python(node: Node) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (7, 64, 64, 3), dtype=np.uint8)
    labels = np.array([0, 1, 0, 1, 1, 0, 1])
    empty = json.dumps(collect_nothing().header)
    lines = (
        'import { makeData } from "./made.js";'
        f"const empty = {empty};"
        f"const images = {json.dumps(images.reshape(7, -1).tolist())};"
        f"const labels = {labels.tolist()};"
        "const pictures = images.map((colors, at) => ({ colors: Uint8Array.from(colors),"
        "label: labels[at], held: at > 4 }));"
        "const { settings, pixel_scale } = empty; const classes = ['a', 'b'];"
        "const descent = new Descent(makeData({ ...empty, costs: [] }, pictures,"
        "{ classes, settings, pixel_scale }));"
        "descent.step(50);"
        "const { train, test } = descent.data.splits;"
        "write([[...train.products], [...test.products], [...descent.start.W1],"
        "[...descent.start.params.W2], descent.state().train.costs]);"
    )
    K, to_test, W1, W2, costs = node(lines)
    with jax.enable_x64(True):
        columns = Preprocessing(64, 64).examples(Split(images, labels), np.float64)
        X, Y = np.asarray(columns.X), np.asarray(columns.Y)
        train = X[:, :5]
        np.testing.assert_allclose(np.reshape(K, (5, 5)), train.T @ train, rtol=0, atol=1e-9)
        np.testing.assert_allclose(
            np.reshape(to_test, (5, 2)), train.T @ X[:, 5:], rtol=0, atol=1e-9
        )
        params = {
            "W1": jax.numpy.reshape(jax.numpy.array(W1), (8, 4096)),
            "b1": jax.numpy.zeros((8, 1)),
            "W2": jax.numpy.array(W2)[None],
            "b2": jax.numpy.zeros((1, 1)),
        }
        trained = fit(params, jax.numpy.array(train), jax.numpy.array(Y[:, :5]), iterations=50)
    np.testing.assert_allclose(costs[:50], trained.costs, rtol=0, atol=1e-9)


def test_alike_pictures_stay_on_one_side(node: Node) -> None:
    lines = (
        'import { countClasses, findAlike, holdOut, lopsided } from "./alike.js";'
        "const draw = drawNormals(3, 12288, 40).W1.map((x) => 127 + 40 * x);"
        "const part = (at) => draw.subarray(at * 12288, (at + 1) * 12288);"
        "const colors = (at) => Uint8ClampedArray.from(part(at));"
        "const near = (at) => colors(at).map((byte, f) => byte + (f % 2));"
        "const labels = [...Array(40).keys()].map((at) => at % 2);"
        "const pictures = labels.map((label, at) => ({ label, colors: colors(at) }));"
        "pictures[2].colors = colors(0); pictures[4].colors = near(0);"
        "pictures[5].colors = near(7); pictures[9].colors = colors(8);"
        "pictures[20].burst = pictures[22].burst = 1;"
        "const found = findAlike(pictures);"
        "write([found, holdOut(labels, found.group), holdOut([0, 1], [0, 1]),"
        "[[3, 3], [6, 3], [1, 9]].map(lopsided), countClasses(labels)]);"
    )
    found, held, none, lopsided, counts = node(lines)
    assert (found["equal"], found["near"], found["contradicting"]) == (2, 2, 1)
    group = np.array(found["group"])
    assert len(set(group[[0, 2, 4]])) == len(set(group[[5, 7]])) == len(set(group[[20, 22]])) == 1
    assert len(set(group)) == 40 - 5
    held = np.array(held)
    assert all(len(set(held[group == name])) == 1 for name in set(group))
    assert [held[0::2].sum(), held[1::2].sum()] == [4, 4]
    assert none == [False, False]
    assert lopsided == [None, 0, 1]
    assert counts == [20, 20]


def test_the_command_writes_it_here(jaxnet: Command, tmp_path: Path) -> None:
    done = jaxnet("page", "--json")
    assert done.code == 0
    assert json.loads(done.out)["written"] == "empty-page.html"
    page = (tmp_path / "workplace" / "empty-page.html").read_text("utf-8")
    assert page == empty_page().content
    assert "default-src 'none'" in page
    assert jaxnet("page", "--data", "sketches").code == 2
