"""The offline page's engine under Node, against `train` in float64."""

import dataclasses
import json
import math
import shlex
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import typer
from engine import Node
from pages import make_dataset, make_run, train_again

from jaxnet.activations import ACTIVATIONS, relu
from jaxnet.backprop import backward
from jaxnet.commands.main import app
from jaxnet.data.columns import to_row
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.pixels import PIXEL_SCALES
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import DataError, UsageError
from jaxnet.evaluation.scores import wilson
from jaxnet.examples import balancing_weights
from jaxnet.network import forward, init_params
from jaxnet.outcomes import Outcome, judge, late_cost
from jaxnet.report.page.data import (
    CURVE_POINTS,
    MOST_UNITS,
    PAGE_GENERATOR,
    collect,
    command_source,
    offered_settings,
    sample_splits,
)
from jaxnet.runs.train import train
from jaxnet.settings import Settings


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


STEP_500 = "descents.forEach((descent) => descent.step(500)); "
WRITE_COSTS = "write(descents.map((descent) => descent.state().train.costs));"


@pytest.mark.slow
def test_500_iterations_cost_what_they_cost_in_train(node: Node, dataset: Dataset) -> None:
    runs = [
        make_run(activation=activation, hidden_units=n_h, color=color)
        for activation in ACTIVATIONS
        for n_h in (8, 3)
        for color in ("gray", "rgb")
    ]
    answer = node(STEP_500 + WRITE_COSTS, *((run, dataset) for run in runs))
    for run, costs in zip(runs, answer, strict=True):
        expected = train_again(run, dataset).costs
        assert expected[-1] < expected[0] - 1e-4
        assert len(costs) == 501
        np.testing.assert_allclose(costs[:500], expected, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_other_settings_cost_what_they_cost_in_train(node: Node, dataset: Dataset) -> None:
    changes: list[dict[str, Any]] = [
        {"pixel_scale": "unit"},
        {"weight_scale": 0.3},
        {"weight_scale": "he"},
        {"weight_scale": 0},
        {"pixel_scale": "raw", "learning_rate": 1e-6, "weight_scale": 0.001},
        {"balanced": True},
    ]
    runs = [make_run(**settings) for settings in changes]
    own = [make_run(balanced=True) if "balanced" in s else make_run() for s in changes]
    asked = [{k: v for k, v in s.items() if k != "balanced"} for s in changes]
    lines = f"{json.dumps(asked)}.forEach((settings, at) => descents[at].set(settings)); "
    answer = node(lines + STEP_500 + WRITE_COSTS, *((run, dataset) for run in own))
    for run, settings, costs in zip(runs, asked, answer, strict=True):
        # Weights drawn at another scale are rounded to float32 again.
        atol = 1e-6 if settings.get("weight_scale") else 1e-9
        np.testing.assert_allclose(costs[:500], train_again(run, dataset).costs, rtol=0, atol=atol)


@pytest.mark.slow
def test_the_cats_cost_what_they_cost_in_train(node: Node, cats: Dataset) -> None:
    run = train(cats, Settings(precision="float64", iterations=500))
    (costs,) = node(STEP_500 + WRITE_COSTS, (run, cats))
    np.testing.assert_allclose(costs[:500], run.costs, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_weight_decay_costs_what_it_costs_in_train(node: Node, dataset: Dataset) -> None:
    """Of the run, or set in the page; the weights and their gradients shrink with it, too."""
    run, plain = make_run(weight_decay=0.05, color="rgb"), make_run(color="rgb")
    lines = (
        f"{STEP_500} descents[1].set({{ weight_decay: 0.05 }}); descents[1].step(500);"
        "write(descents.map((d) => [d.state().train.costs, [...d.weightsOf(1)], [...d.slopesOf(1)],"
        "[...d.gradients.dW2], d.state().settings.weight_decay, commandLine(d)]));"
    )
    trained = train_again(run, dataset)
    params = trained.model.params
    assert trained.examples is not None
    X, Y, _ = trained.examples
    with jax.enable_x64(True):
        slopes = backward(params, X, Y, weight_decay=0.05)
        decay_alone = 0.05 * np.asarray(params["W1"])[1]
    for costs, weights, dW1, dW2, decay, command in node(lines, (run, dataset), (plain, dataset)):
        np.testing.assert_allclose(costs[:500], trained.costs, rtol=0, atol=1e-9)
        np.testing.assert_allclose(weights, np.asarray(params["W1"])[1], rtol=0, atol=1e-6)
        np.testing.assert_allclose(dW1, slopes.dW1[1], rtol=0, atol=1e-6)
        np.testing.assert_allclose(dW2, slopes.dW2[0], rtol=0, atol=1e-9)
        assert decay == 0.05
        assert "--weight-decay 0.05" in command
    assert np.abs(decay_alone).max() > 1e-4
    unlike = train_again(plain, dataset).costs
    assert np.abs(unlike - trained.costs).max() > 1e-3


OUTCOMES = "write(cases.map((c) => [outcome(c), lateCost(c.costs)]));"


def test_outcomes_are_those_of_python(node: Node) -> None:
    draw = np.random.default_rng(0)
    cases = []
    for length in (1, 2, 19, 20, 21, 40, 41, 100, 400):
        for entropy in (0.0, 0.3, math.log(2)):
            for last in (0.5, 0.985, 0.991, 1.009, 1.015, 1.5):
                first = draw.choice([0.2, 0.7, 1.2])
                costs = np.linspace(first, last * (entropy or 0.7), length)
                cases.append({"costs": costs.tolist(), "entropy": entropy})
        cases.append({"costs": [0.1] * length, "entropy": 0.05})
        cases.append({"costs": [0.1] * length, "entropy": 0.0})
        cases.append({"costs": [0.1] * length, "entropy": 0.1})
        cases.append({"costs": [0.0] * length, "entropy": 0.0})
    for case in cases:
        case |= {"finite": bool(draw.random() < 0.9), "active": bool(draw.random() < 0.9)}
    answer = node(f"const cases = {json.dumps(cases)};" + OUTCOMES)
    for case, (found, late) in zip(cases, answer, strict=True):
        costs = np.array(case["costs"])
        assert late == pytest.approx(late_cost(costs), rel=1e-14)
        expected = judge(
            case["finite"], case["active"], costs[0], late_cost(costs), case["entropy"]
        )
        assert found == expected, case
    assert {found for found, _ in answer} == set(get_args(Outcome))


def test_a_descent_has_the_outcome_of_its_run(node: Node, dataset: Dataset) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({}, 500, "learning"),
        ({"weight_scale": 0}, 3, "dead"),
        ({"learning_rate": 1e-4, "balanced": True}, 3, "plateau"),
        ({"weight_scale": 1.0, "learning_rate": 1e-6}, 30, "slow"),
        ({"learning_rate": 20.0}, 5, "diverged"),  # a further cost would be lower
        ({"learning_rate": 1e200}, 9, "not finite"),
    ]
    runs = [make_run(**settings) for settings, _, _ in cases]
    steps = json.dumps([iterations for _, iterations, _ in cases])
    lines = (
        "const first = descents.map((descent) => descent.outcome);"
        f"{steps}.forEach((n, at) => descents[at].step(n));"
        "write([first, descents.map((descent) => descent.state().outcome)]);"
    )
    first, last = node(lines, *((run, dataset) for run in runs))
    assert last == [expected for _, _, expected in cases]
    assert last == [
        train_again(run, dataset, n).outcome for run, (_, n, _) in zip(runs, cases, strict=True)
    ]
    assert first == [None, "dead", None, None, None, None]


def test_a_descent_stops_at_a_parameter_that_is_not_finite(node: Node, dataset: Dataset) -> None:
    lines = (  # a unit that is off leaves the cost finite
        "const [descent] = descents; descent.params.b1[0] = -Infinity; descent.evaluate();"
        "descent.step(3); write([descent.t, descent.history.train.costs[0], descent.outcome]);"
    )
    t, cost, outcome = node(lines, (make_run(), dataset))
    assert (t, outcome) == (0, "not finite")
    assert np.isfinite(cost)


def test_silenced_units_and_pictures_of_weight_0_are_not_active(
    node: Node, dataset: Dataset
) -> None:
    lines = (
        "const [one, other] = descents; one.set({ silenced: [0, 1] }); const some = one.outcome;"
        "one.set({ silenced: [0, 1, 2] }); other.data.splits.train.weights.fill(0);"
        "write([some, one.outcome, other.outcome]);"
    )
    assert node(lines, (make_run(), dataset), (make_run(), dataset)) == [None, "dead", "dead"]


def test_every_derivative_is_that_of_backprop(x64: None, node: Node, dataset: Dataset) -> None:
    for hidden in ACTIVATIONS:
        run = make_run(activation=hidden, balanced=True)
        params = run.model.params
        lines = (
            "const [descent] = descents; const list = (group) => Object.fromEntries("
            "Object.entries(group).map(([name, values]) => [name, [...values]]));"
            "write([list(descent.stages.train), list(descent.stages.test), list(descent.gradients),"
            " [0, 1, 2].map((unit) => [...descent.slopesOf(unit)]),"
            " [0, 1, 2].map((unit) => [...descent.weightsOf(unit)])]);"
        )
        train, test, gradients, slopes, W1 = node(lines, (run, dataset))
        X, X_test = (
            run.preprocessing.columns(split.images, jnp.float64)
            for split in dataset.splits.values()
        )
        Y = to_row(dataset.train.labels, dtype=jnp.float64)
        stages = jax.jit(forward, static_argnums=2)(params, np.hstack([X, X_test]), run.hidden)
        for name, values in stages._asdict().items():
            both = np.split(np.asarray(values), [Y.size], axis=1)
            for found, own in zip((train, test), both, strict=True):
                np.testing.assert_allclose(found[name], own.ravel(), rtol=1e-10, atol=1e-13)
        derive = jax.jit(backward, static_argnums=3)
        expected = derive(params, X, Y, run.hidden, balancing_weights(Y))._asdict()
        dW1 = expected.pop("dW1")
        for name, values in expected.items():
            np.testing.assert_allclose(gradients[name], np.ravel(values), rtol=1e-10, atol=1e-13)
        # Grey pictures are carried as bytes, so what is only drawn is rounded.
        np.testing.assert_allclose(slopes, dW1, atol=2e-3)
        np.testing.assert_allclose(W1, params["W1"], atol=1e-6)


def test_a_seed_draws_the_weights_of_jax(x64: None, node: Node, dataset: Dataset) -> None:
    lines = (
        "write([0, 7, 4294967295].map((seed) => drawNormals(seed, 48, 16))"
        ".map(({ W1, W2 }) => [[...W1], [...W2]]));"
    )
    for seed, (W1, W2) in zip((0, 7, 2**32 - 1), node(lines), strict=True):
        params = init_params(jax.random.key(seed, impl=PAGE_GENERATOR), 48, 16, weight_scale=1.0)
        np.testing.assert_allclose(W1, np.ravel(params["W1"]), rtol=2e-6, atol=1e-7)
        np.testing.assert_allclose(W2, np.ravel(params["W2"]), rtol=2e-6, atol=1e-7)


def test_other_starts(x64: None, node: Node, dataset: Dataset) -> None:
    asked = [
        {"start": "random", "seed": 9},
        {"hidden_units": 5},
        {"hidden_units": 2},
        {"start": "zeros"},
        {"start": "equal", "weight_scale": 0.1, "pixel_scale": "unit"},
    ]
    lines = (
        f"write({json.dumps(asked)}.map((settings) => {{ const [descent] = descents;"
        "descent.set({ ...descent.settings, start: 'own', hidden_units: 3, weight_scale: 0.1,"
        "pixel_scale: 'symmetric', ...settings }); return ["
        "[...descent.stages.train.Z1], [...descent.params.W2], [...descent.weightsOf(1)]]; }));"
    )
    answer = node(lines, (make_run(), dataset))
    unit, X = (
        np.asarray(Preprocessing(8, 6, "gray", scale).columns(dataset.train.images, jnp.float64))
        for scale in ("unit", "symmetric")
    )

    def drawn(seed: int, n_h: int) -> tuple[np.ndarray, np.ndarray]:
        params = init_params(jax.random.key(seed), 48, n_h, weight_scale=0.1, dtype=jnp.float64)
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
        "const [descent] = descents;"
        "write(['equal', 'zeros'].map((start) => { descent.set({ start });"
        "descent.step(50); return [[...descent.params.C], descent.state()]; }));"
    )
    (equal, state), (zeros, none) = node(lines, (make_run(), dataset))
    rows = np.reshape(equal, (3, -1))
    np.testing.assert_array_equal(rows[0], rows[2])
    assert np.abs(rows).max() > 0
    assert state["train"]["costs"][50] < state["train"]["costs"][0]
    assert not np.any(zeros)
    assert none["b2"] != 0


def test_going_back_forgets_what_came_after(x64: None, node: Node, dataset: Dataset) -> None:
    lines = (
        "const [descent] = descents; const brief = () => [descent.t, descent.state().train.costs];"
        "descent.step(35); const far = brief(); descent.goTo(18); const near = brief();"
        "const kept = descent.state().snapshots; descent.back(); const earlier = brief();"
        "descent.step(25); write([far, near, earlier, brief(), descent.state().snapshots, kept]);"
    )
    far, near, earlier, again, snapshots, kept = node(lines, (make_run(), dataset))
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
        "const [descent] = descents; descent.set({ silenced: [0], frozen: [1] }); descent.step(20);"
        "write([descent.state(), [...descent.params.C], descent.n_h]);"
    )
    run = make_run()
    params = run.model.params
    state, C, n_h = node(lines, (run, dataset))
    silent, frozen, free = np.reshape(C, (n_h, -1))
    assert not silent.any()
    assert not frozen.any()
    assert free.any()
    W2 = np.asarray(params["W2"])[0]
    np.testing.assert_allclose(state["W2"][:2], W2[:2], rtol=1e-12)
    assert state["W2"][2] != W2[2]
    X = run.preprocessing.columns(dataset.train.images, jnp.float64)
    without = params | {"W2": jax.device_put(np.array([[0.0, *W2[1:]]]))}
    first = node(
        "const [l] = descents; l.set({ silenced: [0] }); write(l.state());", (run, dataset)
    )
    np.testing.assert_allclose(
        first["train"]["probabilities"], np.asarray(jax.jit(forward)(without, X).A2)[0], rtol=1e-10
    )


def test_an_own_photo_goes_through_the_live_network(
    x64: None, node: Node, dataset: Dataset
) -> None:
    # A training picture given as a photo must have the logit that it has in the training split.
    lines = (
        "const [descent] = descents;"
        "descent.setPhoto(descent.data.splits.train.pixels.slice(144, 288));"
        "descent.step(100); descent.set({ pixel_scale: 'unit' }); descent.step(10);"
        "write([descent.stages.photo.Z2[0], descent.stages.train.Z2[1]]);"
    )
    photo, same = node(lines, (make_run(color="rgb"), dataset))
    assert photo == pytest.approx(same, abs=1e-6)


def test_wrong_settings_are_refused(x64: None, node: Node, dataset: Dataset) -> None:
    wrong = [
        {"learning_rate": -1},
        {"weight_scale": "large"},
        {"hidden_units": MOST_UNITS + 1},
        {"hidden_units": 0},
        {"hidden_units": 2.5},
        {"activation": "toString"},
        {"start": "here"},
        {"seed": -1},
        {"pixel_scale": "log"},
        {"scale": "unit"},
        {"seed": 2**32},
        {"seed": "he"},
        {"activation": 1},
        {"silenced": 3},
        {"colour": "red"},
        {"learning_rate": True},
    ]
    lines = (
        f"write({json.dumps(wrong)}.map((settings) => {{ try {{ descents[0].set(settings); }}"
        "catch (error) { return [error.name, descents[0].settings.hidden_units]; } }));"
    )
    assert node(lines, (make_run(), dataset)) == [["RangeError", 3]] * len(wrong)


def test_without_pictures_the_descent_is_the_same(x64: None, node: Node, dataset: Dataset) -> None:
    lines = (
        "const [descent] = descents; descent.step(500); let refused = '';"
        "try { descent.set({ start: 'random' }); } catch (error) { refused = error.message; }"
        "write([descent.state().train.costs, descent.weightsOf(0), refused]);"
    )
    run = make_run()
    costs, weights, refused = node(lines, (run, dataset), pictures=False)
    np.testing.assert_allclose(costs[:500], train_again(run, dataset).costs, rtol=0, atol=1e-9)
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


def test_the_numbers_are_in_float64_whatever_the_precision_of_the_run(dataset: Dataset) -> None:
    wide = collect(make_run(), dataset).arrays
    narrow = collect(make_run(precision="float32"), dataset).arrays
    for name in ("K", "test/products", "train/sums", "train/Z1", "W2"):
        assert narrow[name].dtype == np.float64
        np.testing.assert_array_equal(narrow[name], wide[name])


def test_the_runs_own_curve_is_thinned_out(dataset: Dataset) -> None:
    long = dataclasses.replace(make_run(), costs=np.arange(6000.0))
    costs = collect(long, dataset).arrays["costs"]
    assert len(costs) <= CURVE_POINTS
    assert list(costs[:3]) == [0, 3, 6]


def test_settings_have_the_ranges_of_their_dataclasses(dataset: Dataset) -> None:
    offered = offered_settings(3, pictures=True)
    assert offered["learning_rate"] == {
        "default": None,
        "least": 0,
        "greatest": None,
        "choices": [],
        "numbers": "any",
    }
    assert offered["weight_scale"]["choices"] == ["he"]
    assert offered["weight_scale"]["default"] == Settings().weight_scale
    assert offered["seed"]["greatest"] == 2**32 - 1
    assert offered["activation"]["choices"] == list(ACTIVATIONS)
    assert offered["pixel_scale"]["choices"] == list(PIXEL_SCALES)
    assert offered["pixel_scale"]["numbers"] is None
    units = {"default": 8, "least": 1, "greatest": MOST_UNITS, "choices": [], "numbers": "whole"}
    assert offered["hidden_units"] == units
    assert offered_settings(40, pictures=True)["hidden_units"]["greatest"] == 40
    assert offered_settings(3, pictures=False)["hidden_units"]["greatest"] == 3


def test_the_header_has_the_settings_of_run_and_data(dataset: Dataset) -> None:
    header = collect(make_run(momentum=0.5), dataset).header
    settings = header["settings"]
    assert (settings["momentum"], settings["hidden_units"], settings["seed"]) == (0.5, 3, 5)
    assert (settings["data"], settings["data_seed"]) == ("pets", 0)
    assert "test" not in settings
    assert header["data_options"] == {"data": "pets"}
    assert header["same_data"]
    drawn = dataclasses.replace(dataset, data_source=DataSource(count=9))
    header = collect(make_run(), drawn).header
    assert header["data_options"] == {"data": "sketches", "count": 9}  # the default is named, too


def test_a_balanced_run_weights_its_training_pictures_only(dataset: Dataset) -> None:
    arrays = collect(make_run(balanced=True), dataset).arrays
    assert len(set(arrays["train/weights"])) == 2
    assert set(arrays["test/weights"]) == {1.0}


def test_runs_and_data_that_a_page_cannot_show_are_refused(dataset: Dataset) -> None:
    with pytest.raises(UsageError, match="initial weights") as refused:
        collect(dataclasses.replace(make_run(), settings=None), dataset)
    assert "--" not in str(refused.value)
    own = dataclasses.replace(relu, name="tent")
    with pytest.raises(UsageError, match='"tent"'):
        collect(dataclasses.replace(make_run(), hidden=own), dataset)
    one_class = dataclasses.replace(dataset, train=dataset.train._replace(labels=np.ones(29, int)))
    with pytest.raises(DataError, match="every training picture"):
        collect(make_run(), one_class)


def test_the_command_names_the_pictures_that_are_shown(dataset: Dataset) -> None:
    run = dataclasses.replace(make_run(), data_source=DataSource("here", size=8))
    unnamed = dataclasses.replace(dataset, data_source=None)
    other = dataclasses.replace(
        unnamed, train=unnamed.train._replace(images=255 - unnamed.train.images)
    )
    assert command_source(run, dataset) == DataSource("pets")
    assert command_source(run, unnamed) == run.data_source
    assert command_source(run, other) is None
    assert not collect(run, other).header["same_data"]
    square = dataclasses.replace(run, preprocessing=Preprocessing(5, 5))
    assert command_source(square, dataset) == DataSource("pets", size=5)
    assert (
        command_source(dataclasses.replace(run, preprocessing=Preprocessing(5, 6)), dataset) is None
    )


def parse(line: str) -> tuple[dict[str, str], DataSource, Preprocessing, Settings]:
    """Read a command line as a shell and `jaxnet train` do: variables, data and settings."""
    words = shlex.split(line)
    at = words.index("jaxnet")
    variables = dict(word.split("=") for word in words[:at])
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert words[at + 1] == "train"
    given = commands["train"].make_context("train", words[at + 2 :]).params
    source, preprocessing, settings = (
        {
            field.name: given[field.name]
            for field in dataclasses.fields(kind)
            if given.get(field.name)
        }
        for kind in (DataSource, Preprocessing, Settings)
    )
    for name in ("weight_scale", "learning_rate"):
        settings[name] = given[name]  # 0 is a value, too
    return (
        variables,
        DataSource(**source),
        Preprocessing(8, 6, **preprocessing),
        Settings(**settings),
    )


def test_the_command_has_the_settings_of_the_page(node: Node, dataset: Dataset) -> None:
    source = DataSource("a folder", test="t's", positive="yes", data_seed=3, skip_bad=True)
    dataset = dataclasses.replace(dataset, data_source=source)
    run = make_run(color="rgb", balanced=True, momentum=0.5, iterations=70)
    changes = {"pixel_scale": "unit", "learning_rate": 1e-7, "activation": "sigmoid"}
    lines = (
        "const [descent] = descents; const own = commandLine(descent);"
        f"descent.set({json.dumps(changes | {'weight_scale': 'he', 'hidden_units': 4})});"
        "descent.step(7); const random = commandLine(descent);"
        "descent.set({ start: 'zeros' }); write([own, random, commandLine(descent)]);"
    )
    own, he, zeros = map(parse, node(lines, (run, dataset)))
    assert run.settings is not None
    plain = dataclasses.replace(run.settings, momentum=0.0)  # the page's own update rule
    assert own == ({}, source, run.preprocessing, plain)
    changed = dataclasses.replace(
        plain, learning_rate=1e-7, activation="sigmoid", hidden_units=4, weight_scale="he"
    )
    unit = Preprocessing(8, 6, "rgb", "unit")
    assert he == ({}, source, unit, dataclasses.replace(changed, iterations=7))
    assert zeros == ({}, source, unit, dataclasses.replace(changed, weight_scale=0.0))


def test_a_run_of_another_generator(node: Node, dataset: Dataset) -> None:
    run = make_run(prng="rbg", color="rgb")
    asked: list[dict[str, Any]] = [
        {},
        {"start": "random", "seed": 9},
        {"hidden_units": 2},
        {"hidden_units": 5},
        {"start": "zeros", "hidden_units": 3},
        {"start": "equal"},
    ]
    lines = (
        "const [descent] = descents; const own = descent.settings;"
        f"write({json.dumps(asked)}.map((settings) => {{ descent.set({{ ...own, ...settings }});"
        "const reason = whyNoCommand(descent); const line = reason ?? commandLine(descent);"
        "descent.step(100); return [line, descent.state().train.costs.slice(0, 100)]; }));"
    )
    answer = node(lines, (run, dataset))
    (own, own_costs), (random, random_costs), fewer, more, (zeros, _), equal = answer
    for line, costs, prng, seed, atol in (
        (own, own_costs, "rbg", 5, 1e-9),
        (random, random_costs, "threefry2x32", 9, 1e-6),  # weights rounded to float32
    ):
        variables, _, _, settings = parse(line)
        assert (variables, settings.seed) == ({"JAX_DEFAULT_PRNG_IMPL": prng}, seed)
        with jax.default_prng_impl(prng):
            trained = train_again(make_run(seed=seed, color="rgb"), dataset, 100)
        np.testing.assert_allclose(costs, trained.costs, rtol=0, atol=atol)
    assert fewer[0] == more[0] == "noCommandGenerator"
    assert equal[0] == "noCommandEqual"
    assert zeros.startswith("jaxnet train")
    unknown = dataclasses.replace(dataset, data_source=None)
    assert node("write(whyNoCommand(descents[0]));", (run, unknown)) == "noCommandData"


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


def test_a_long_curve_keeps_its_extremes(node: Node) -> None:
    draw = np.random.default_rng(0)
    values = draw.standard_normal(5_000).cumsum().tolist()
    lines = f"""
    const {{ makeExtremes }} = await import("./extremes.js");
    const values = {values}; const places = makeExtremes(); const list = []; const found = [];
    for (const value of values) {{
      list.push(value);
      if (list.length % 617 && list.length !== values.length) continue;
      found.push([list.length, places(list)]);
    }}
    write([found, places([3, 1, 2])]);
    """
    found, short = node(lines)
    assert short == [0, 1, 2]
    for length, places in found:
        size = 2 ** math.ceil(math.log2(max(1, length / 200)))
        expected = {0, length - 1}
        for start in range(0, length, size):
            part = values[start : min(start + size, length)]
            expected |= {start + int(np.argmin(part)), start + int(np.argmax(part))}
        assert places == sorted(expected)


def test_rows_of_weights_are_sums_of_pictures(node: Node) -> None:
    draw = np.random.default_rng(1)
    for n, m in ((1, 3), (4, 4), (6, 9)):
        C = draw.standard_normal((n, m))
        pixels = draw.integers(0, 256, (m, 5))
        lines = f"""
        const {{ addPictures }} = await import("./data.js");
        const W = new Float32Array({n * 5}).fill(1);
        write([...addPictures(W, Float64Array.of(...{C.ravel().tolist()}),
        Uint8Array.of(...{pixels.ravel().tolist()}), 5, "symmetric")]);
        """
        expected = 1 + C @ (pixels / 127.5 - 1)
        np.testing.assert_allclose(np.reshape(node(lines), (n, 5)), expected, rtol=1e-5, atol=1e-5)
