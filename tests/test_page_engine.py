"""The offline page's engine under Node, against `fit` in float64."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pages import costs_of_fit, make_dataset, make_model

from jaxnet.activations import ACTIVATIONS
from jaxnet.backprop import backward
from jaxnet.data.columns import Preprocessing, balancing_weights, to_row
from jaxnet.data.dataset import Dataset, Split
from jaxnet.evaluation.scores import wilson
from jaxnet.network import forward, init_params
from jaxnet.report.page.build import encode
from jaxnet.report.page.data import CURVE_POINTS, collect, first_params, sample_splits
from jaxnet.runs.model_file import Model

NODE = shutil.which("node")
SOURCE = Path(__file__).parent.parent / "jaxnet" / "page"

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node to run the engine in")

Node = Callable[..., Any]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Run lines of JavaScript that may use `lessons`, and return what they call `answer`."""

    def run(lines: str, *models: tuple[Model, Dataset], pictures: bool = True) -> Any:
        (tmp_path / "package.json").write_text('{"type": "module"}')
        for module in SOURCE.glob("*.js"):
            shutil.copy(module, tmp_path)
        for number, (model, dataset) in enumerate(models):
            data = collect(model, first_params(model), dataset, pictures=pictures)
            (tmp_path / f"{number}.json").write_text(encode(data))
        (tmp_path / "run.js").write_text(
            'import { readFileSync } from "node:fs";\n'
            'import { readData } from "./data.js";\n'
            'import { Lesson } from "./lesson.js";\n'
            'import { drawNormals } from "./draw.js";\n'
            'import { resize } from "./resample.js";\n'
            'import { wilson } from "./scores.js";\n'
            "const read = (n) => new Lesson(readData(readFileSync(`${n}.json`, 'utf8')));\n"
            f"const lessons = [...Array({len(models)}).keys()].map(read);\n"
            "const write = (answer) => console.log(JSON.stringify(answer));\n" + lines
        )
        done = subprocess.run(
            [str(NODE), "run.js"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


STEP_500 = "lessons.forEach((lesson) => lesson.step(500)); "
WRITE_COSTS = "write(lessons.map((lesson) => lesson.state().train.costs));"


@pytest.mark.slow
def test_500_iterations_cost_what_they_cost_in_fit(x64: None, node: Node, dataset: Dataset) -> None:
    models = [
        make_model(hidden, n_h, color)
        for hidden in ACTIVATIONS
        for n_h in (8, 3)
        for color in ("gray", "rgb")
    ]
    answer = node(STEP_500 + WRITE_COSTS, *((model, dataset) for model in models))
    for model, costs in zip(models, answer, strict=True):
        expected = costs_of_fit(model, dataset)
        assert expected[-1] < expected[0] - 1e-4
        assert len(costs) == 501
        np.testing.assert_allclose(costs[:500], expected, rtol=0, atol=1e-9)


def test_other_settings_cost_what_they_cost_in_fit(x64: None, node: Node, dataset: Dataset) -> None:
    changes: list[dict[str, Any]] = [
        {"scale": "unit"},
        {"weight_scale": "0.3"},
        {"weight_scale": "he"},
        {"weight_scale": "0"},
        {"scale": "raw", "learning_rate": 1e-6, "weight_scale": "0.001"},
        {"balanced": True},
    ]
    models = [make_model(**settings) for settings in changes]
    own = [make_model(balanced=True) if s.get("balanced") else make_model() for s in changes]
    asked = [{k: v for k, v in s.items() if k != "balanced"} for s in changes]
    for settings in asked:
        if settings.get("weight_scale", "he") != "he":
            settings["weight_scale"] = float(settings["weight_scale"])
    lines = f"{json.dumps(asked)}.forEach((settings, at) => lessons[at].set(settings)); "
    answer = node(lines + STEP_500 + WRITE_COSTS, *((model, dataset) for model in own))
    for model, costs in zip(models, answer, strict=True):
        # Weights drawn at another scale are rounded to float32 anew.
        exact = model.settings["weight_scale"] in ("0", "0.1")
        atol = 1e-9 if exact else 1e-6
        np.testing.assert_allclose(costs[:500], costs_of_fit(model, dataset), rtol=0, atol=atol)


@pytest.mark.slow
def test_the_cats_cost_what_they_cost_in_fit(x64: None, node: Node, cats: Dataset) -> None:
    params = init_params(jax.random.key(0), 4096, dtype=jnp.float64)
    settings: dict[str, Any] = {"seed": 0, "weight_scale": "0.01", "learning_rate": 0.0075}
    model = Model(params, Preprocessing(), cats.classes, settings=settings)
    (costs,) = node(STEP_500 + WRITE_COSTS, (model, cats))
    np.testing.assert_allclose(costs[:500], costs_of_fit(model, cats), rtol=0, atol=1e-9)


def test_every_derivative_is_that_of_backprop(x64: None, node: Node, dataset: Dataset) -> None:
    for hidden in ACTIVATIONS:
        model = make_model(hidden, balanced=True)
        lines = (
            "const [lesson] = lessons; const list = (group) => Object.fromEntries("
            "Object.entries(group).map(([name, values]) => [name, [...values]]));"
            "write([list(lesson.stages.train), list(lesson.stages.test), list(lesson.gradients),"
            " [0, 1, 2].map((unit) => [...lesson.slopesOf(unit)]),"
            " [0, 1, 2].map((unit) => [...lesson.weightsOf(unit)])]);"
        )
        train, test, gradients, slopes, W1 = node(lines, (model, dataset))
        X, X_test = (
            model.preprocessing.columns(split.images, jnp.float64)
            for split in dataset.splits.values()
        )
        Y = to_row(dataset.train.labels, dtype=jnp.float64)
        for found, inputs in ((train, X), (test, X_test)):
            for name, values in forward(model.params, inputs, model.hidden)._asdict().items():
                np.testing.assert_allclose(found[name], values.ravel(), rtol=1e-10, atol=1e-13)
        expected = backward(model.params, X, Y, model.hidden, balancing_weights(Y))._asdict()
        dW1 = expected.pop("dW1")
        for name, values in expected.items():
            np.testing.assert_allclose(gradients[name], values.ravel(), rtol=1e-10, atol=1e-13)
        # Grey pictures are carried as bytes, so what is only drawn is rounded.
        np.testing.assert_allclose(slopes, dW1, atol=2e-3)
        np.testing.assert_allclose(W1, model.params["W1"], atol=1e-6)


def test_a_seed_draws_the_weights_of_jax(x64: None, node: Node, dataset: Dataset) -> None:
    lines = (
        "write([0, 7, 4294967295].map((seed) => drawNormals(seed, 48, 16))"
        ".map(({ W1, W2 }) => [[...W1], [...W2]]));"
    )
    for seed, (W1, W2) in zip((0, 7, 2**32 - 1), node(lines), strict=True):
        params = init_params(jax.random.key(seed), 48, 16, scale=1.0)
        np.testing.assert_allclose(W1, params["W1"].ravel(), rtol=2e-6, atol=1e-7)
        np.testing.assert_allclose(W2, params["W2"].ravel(), rtol=2e-6, atol=1e-7)


def test_other_starts(x64: None, node: Node, dataset: Dataset) -> None:
    asked = [
        {"start": "random", "seed": 9},
        {"hidden_units": 5},
        {"hidden_units": 2},
        {"start": "zeros"},
        {"start": "equal", "weight_scale": 0.1, "scale": "unit"},
    ]
    lines = (
        f"write({json.dumps(asked)}.map((settings) => {{ const [lesson] = lessons;"
        "lesson.set({ ...lesson.settings, start: 'own', hidden_units: 3, weight_scale: 0.1,"
        "scale: 'symmetric', ...settings }); return ["
        "[...lesson.stages.train.Z1], [...lesson.params.W2], [...lesson.weightsOf(1)]]; }));"
    )
    answer = node(lines, (make_model(), dataset))
    unit = Preprocessing(8, 6, scale="unit").columns(dataset.train.images, jnp.float64)
    X = Preprocessing(8, 6).columns(dataset.train.images, jnp.float64)

    def drawn(seed: int, n_h: int) -> tuple[np.ndarray, np.ndarray]:
        params = init_params(jax.random.key(seed), 48, n_h, scale=0.1, dtype=jnp.float64)
        return np.asarray(params["W1"]), np.asarray(params["W2"])[0]

    expected = [(*drawn(9, 3), X), (*drawn(5, 5), X), (*drawn(5, 2), X)]
    expected += [
        (np.zeros((3, 48)), np.zeros(3), X),
        (np.full((3, 48), 0.1), np.full(3, 0.1), unit),
    ]
    for (Z1, W2, weights), (W1, vote, inputs) in zip(answer, expected, strict=True):
        # Grey bytes are rounded by up to half a level, in 48 pixels with weights of about 0.1.
        np.testing.assert_allclose(Z1, (W1 @ inputs).ravel(), atol=0.02)
        np.testing.assert_allclose(W2, vote, atol=1e-6)
        np.testing.assert_allclose(weights, W1[1], atol=1e-6)


def test_equal_units_stay_equal_and_zeros_zero(x64: None, node: Node, dataset: Dataset) -> None:
    lines = (
        "const [lesson] = lessons; write(['equal', 'zeros'].map((start) => { lesson.set({ start });"
        "lesson.step(50); return [[...lesson.params.C], lesson.state()]; }));"
    )
    (equal, state), (zeros, none) = node(lines, (make_model(), dataset))
    rows = np.reshape(equal, (3, -1))
    np.testing.assert_array_equal(rows[0], rows[2])
    assert np.abs(rows).max() > 0
    assert state["train"]["costs"][50] < state["train"]["costs"][0]
    assert not np.any(zeros)
    assert none["b2"] != 0


def test_going_back_forgets_what_came_after(x64: None, node: Node, dataset: Dataset) -> None:
    lines = (
        "const [lesson] = lessons; const brief = () => [lesson.t, lesson.state().train.costs];"
        "lesson.step(35); const far = brief(); lesson.goTo(18); const near = brief();"
        "const kept = lesson.state().snapshots; lesson.back(); const earlier = brief();"
        "lesson.step(25); write([far, near, earlier, brief(), lesson.state().snapshots, kept]);"
    )
    far, near, earlier, again, snapshots, kept = node(lines, (make_model(), dataset))
    assert (far[0], near[0], earlier[0], again[0]) == (35, 20, 10, 35)
    assert near[1] == far[1][:21]
    assert earlier[1] == far[1][:11]
    assert again[1] == far[1]
    assert snapshots == [0, 10, 20, 30]
    assert kept == [0, 10, 20]


def test_a_silenced_unit_is_cut_out_and_a_frozen_one_keeps_its_weights(
    x64: None, node: Node, dataset: Dataset
) -> None:
    lines = (
        "const [lesson] = lessons; lesson.set({ silenced: [0], frozen: [1] }); lesson.step(20);"
        "write([lesson.state(), [...lesson.params.C], lesson.n_h]);"
    )
    model = make_model()
    state, C, n_h = node(lines, (model, dataset))
    silent, frozen, free = np.reshape(C, (n_h, -1))
    assert not silent.any()
    assert not frozen.any()
    assert free.any()
    W2 = np.asarray(model.params["W2"])[0]
    np.testing.assert_allclose(state["W2"][:2], W2[:2], rtol=1e-12)
    assert state["W2"][2] != W2[2]
    X = model.preprocessing.columns(dataset.train.images, jnp.float64)
    without = model.params | {"W2": jnp.asarray([[0.0, *W2[1:]]])}
    first = node(
        "const [l] = lessons; l.set({ silenced: [0] }); write(l.state());", (model, dataset)
    )
    np.testing.assert_allclose(
        first["train"]["probabilities"], forward(without, X).A2[0], rtol=1e-10
    )


def test_an_own_photo_goes_through_the_live_network(
    x64: None, node: Node, dataset: Dataset
) -> None:
    # A training picture shown once more must be judged as it is judged in the training split.
    lines = (
        "const [lesson] = lessons; lesson.lookAt(lesson.data.splits.train.pixels.slice(144, 288));"
        "lesson.step(100); lesson.set({ scale: 'unit' }); lesson.step(10);"
        "write([lesson.stages.photo.Z2[0], lesson.stages.train.Z2[1]]);"
    )
    photo, same = node(lines, (make_model(color="rgb"), dataset))
    assert photo == pytest.approx(same, abs=1e-6)


def test_wrong_settings_are_refused(x64: None, node: Node, dataset: Dataset) -> None:
    wrong = [
        {"learning_rate": -1},
        {"weight_scale": "large"},
        {"hidden_units": 17},
        {"hidden_units": 2.5},
        {"activation": "toString"},
        {"start": "here"},
        {"seed": -1},
        {"scale": "log"},
        {"silenced": 3},
        {"colour": "red"},
        {"learning_rate": True},
    ]
    lines = (
        f"write({json.dumps(wrong)}.map((settings) => {{ try {{ lessons[0].set(settings); }}"
        "catch (error) { return [error.name, lessons[0].settings.hidden_units]; } }));"
    )
    assert node(lines, (make_model(), dataset)) == [["RangeError", 3]] * len(wrong)


def test_without_pictures_the_descent_is_the_same(x64: None, node: Node, dataset: Dataset) -> None:
    lines = (
        "const [lesson] = lessons; lesson.step(500); let refused = '';"
        "try { lesson.set({ start: 'random' }); } catch (error) { refused = error.message; }"
        "write([lesson.state().train.costs, lesson.weightsOf(0), refused]);"
    )
    model = make_model()
    costs, weights, refused = node(lines, (model, dataset), pictures=False)
    np.testing.assert_allclose(costs[:500], costs_of_fit(model, dataset), rtol=0, atol=1e-9)
    assert weights is None
    assert refused == "start cannot be random"


def test_many_pictures_become_a_sample_of_each_class(dataset: Dataset) -> None:
    def many(m: int) -> Split:
        return Split(np.zeros((m, 2, 2, 3), np.uint8), (np.arange(m) % 4 == 0).astype(int))

    whole = sample_splits(Dataset(many(500), many(100), ("no", "yes")))
    assert [len(places) for _, places in whole.values()] == [500, 100]
    sample = sample_splits(Dataset(many(2400), many(800), ("no", "yes")))
    assert [split.labels.sum() for split, _ in sample.values()] == [75, 25]
    assert [len(split.labels) for split, _ in sample.values()] == [300, 100]
    for split, places in sample.values():
        assert list(places) == sorted(set(places))
        np.testing.assert_array_equal(split.labels, places % 4 == 0)


def test_the_numbers_are_in_float64_even_where_jax_is_set_to_float32(dataset: Dataset) -> None:
    with jax.enable_x64(True):
        model = make_model()
        wide = collect(model, model.params, dataset).arrays
    params = {name: jnp.asarray(np.float32(values)) for name, values in model.params.items()}
    narrow = Model(params, model.preprocessing, model.classes, settings=model.settings)
    arrays = collect(narrow, params, dataset).arrays
    for name in ("K", "test/products", "train/sums", "train/Z1"):
        assert arrays[name].dtype == np.float64
        np.testing.assert_allclose(arrays[name], wide[name], rtol=1e-14, atol=1e-14)


def test_the_runs_own_curve_is_thinned(x64: None, dataset: Dataset) -> None:
    model = make_model()
    long = Model(model.params, model.preprocessing, model.classes, costs=np.arange(6000.0))
    costs = collect(long, model.params, dataset).arrays["costs"]
    assert len(costs) <= CURVE_POINTS
    assert list(costs[:3]) == [0, 3, 6]


def test_intervals_are_those_of_evaluate(node: Node) -> None:
    counts = [(0, 50), (17, 50), (50, 50), (3, 7)]
    lines = f"write({json.dumps(counts)}.map(([right, m]) => wilson(right, m)));"
    for found, (right, m) in zip(node(lines), counts, strict=True):
        expected = wilson(right, m)
        np.testing.assert_allclose(found, [expected.low, expected.high], atol=1e-12)


@pytest.mark.parametrize("size", [(64, 64), (5, 7), (200, 130), (301, 64)])
def test_a_photo_is_resized_as_in_python(node: Node, size: tuple[int, int]) -> None:
    from jaxnet.data.pictures import resize_images

    width, height = size
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    photo[: height // 2, : width // 3] = 255
    lines = f"write([...resize({photo.ravel().tolist()}, {width}, {height}, 64, 64)]);"
    expected = resize_images(photo[None], 64, 64)[0].astype(int)
    assert np.abs(np.reshape(node(lines), (64, 64, 3)) - expected).max() <= 1
