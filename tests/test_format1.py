"""Files written by jaxnet 0.1.0, whose format has the version 1: read, used and continued."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import numpy as np
import pytest
from first_sketches import first_sketches
from fixed_length import fixed_length
from test_run import DATA, QUICK, assert_same, every_way, quick_run, settings_of
from test_sweep_file import GRID, SHARED, make_start, stop_after
from test_sweep_file import assert_same as assert_same_sweep

from jaxnet.data.dataset import Dataset
from jaxnet.data.download import FOLDER_VARIABLE
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.io.bounded_hdf5 import seal
from jaxnet.io.names import SWEEP_NAME
from jaxnet.many import sweep as sweep_module
from jaxnet.many.grid import Grid
from jaxnet.many.sweep import sweep
from jaxnet.runs import model_file
from jaxnet.runs.checkpoint import checkpoint_of, write_checkpoint
from jaxnet.runs.model_file import load_model
from jaxnet.runs.repeat import repeat
from jaxnet.runs.run import Run, first_params, load_run
from jaxnet.runs.sweep_file import continue_sweep, start_sweep, train_sweep
from jaxnet.runs.train import resume, train
from jaxnet.settings import Settings

ARTICLE = Settings(basis="span", iterations=400)

# What the three files are known to hold.
RUNS = {
    "span": ARTICLE,
    "momentum_float64": dataclasses.replace(
        ARTICLE, hidden_units=3, activation="leaky_relu", momentum=0.9, precision="float64"
    ),
    "adam_pixels": Settings(optimizer="adam", basis="pixels", iterations=200),
}


@pytest.fixture
def format1() -> Path:
    """The folder with files of 0.1.0."""
    folder = Path(os.environ.get(FOLDER_VARIABLE, "")) / "format1"
    if FOLDER_VARIABLE not in os.environ or not folder.is_dir():
        pytest.skip(f"{FOLDER_VARIABLE} names no folder with format1")
    return folder


@pytest.fixture(scope="module")
def sketches() -> Dataset:
    return first_sketches()


@pytest.fixture(scope="module")
def few_sketches() -> Dataset:
    return first_sketches(40)


# The files of 0.1.0 itself


@pytest.mark.optimized
@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_0_1_0_is_loaded(name: str, format1: Path) -> None:
    path = format1 / f"{name}.h5"
    run = load_run(path)
    settings = RUNS[name]
    assert run.settings == settings
    assert run.data_source == DataSource(count=40 if name == "adam_pixels" else None, recipe=1)
    assert run.preprocessing == Preprocessing(64, 64)
    assert run.classes == ("other", "cat")
    assert run.hidden == settings.hidden
    assert run.outcome == "learning"
    assert run.origin["jaxnet"] == "0.1.0"
    assert run.origin["prng"] == "threefry2x32"
    assert (len(run.costs), run.costs.dtype.name) == (settings.iterations, settings.precision)
    assert run.costs[-1] < run.costs[0] < 0.7
    model = load_model(path)
    chex.assert_trees_all_equal(model.params, run.model.params)
    with h5py.File(path) as file:
        for part, leaf in model.params.items():
            assert leaf.dtype == settings.precision
            np.testing.assert_array_equal(leaf, file[f"params/{part}"][()])
        if settings.basis == "span":
            W1 = first_params(run)["W1"]
            np.testing.assert_array_equal(W1, file["descent/W1"][()])


@pytest.mark.optimized
@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_0_1_0_continues(
    name: str, format1: Path, sketches: Dataset, few_sketches: Dataset, tmp_path: Path
) -> None:
    """On another machine the last bits may be others; in float64 they stay the last ones."""
    run = load_run(format1 / f"{name}.h5")
    data = few_sketches if name == "adam_pixels" else sketches
    assert run.trained_on(data)
    predicted = run.model.predict_images(data.train.images) > 0.5
    assert (predicted == data.train.labels).mean() > 0.75

    made = len(run.costs)
    resumed = resume(run, data, iterations=made + 50)
    np.testing.assert_array_equal(resumed.costs[:made], run.costs)
    assert resumed.outcome == "learning"
    assert resumed.costs[-1] < run.costs[-1]
    assert run.settings is not None
    whole = train(data, dataclasses.replace(run.settings, iterations=made + 50))
    rtol = 1e-9 if name == "momentum_float64" else 1e-3
    np.testing.assert_allclose(resumed.costs, whole.costs, rtol=rtol)
    again = load_run(resumed.save(tmp_path / "run"))
    assert_same(again, resumed)
    assert (again.origin["jaxnet"], again.settings) == ("0.1.0", resumed.settings)

    repetition = repeat(run, data)
    assert repetition.largest_difference < (1e-9 if name == "momentum_float64" else 1e-3)
    assert "jaxnet" in repetition.versions
    with pytest.raises(UsageError, match="other pictures or labels"):
        resume(run, sketches if name == "adam_pixels" else few_sketches, iterations=made + 50)


@pytest.mark.slow  # `jaxnet sweep` continues it in test_sweep_command.py
@pytest.mark.optimized
def test_a_sweep_of_0_1_0_continues(format1: Path, sketches: Dataset, tmp_path: Path) -> None:
    (tmp_path / SWEEP_NAME).write_bytes((format1 / SWEEP_NAME).read_bytes())
    grid = Grid(learning_rates="0.001,0.01", seeds=3)  # type: ignore[arg-type]
    start = start_sweep(sketches, grid, Settings(iterations=50))
    known = continue_sweep(tmp_path, start)
    with h5py.File(format1 / SWEEP_NAME) as file:
        stored = {name: file["results/relu"][name][()] for name in file["results/relu"]}
    assert (stored["outcomes"] == b"diverged").all(), "which are slow, as they are called now"
    assert (known.result.outcomes == "").all()
    np.testing.assert_array_equal(known.result.last_costs[0], stored["last_costs"])
    np.testing.assert_array_equal(known.result.train_accuracies[0], stored["train_accuracies"])
    ended = train_sweep(tmp_path, known, sketches).result
    assert (ended.outcomes == "slow").all()
    np.testing.assert_allclose(ended.last_costs[0], stored["last_costs"], rtol=1e-4)
    with h5py.File(tmp_path / SWEEP_NAME) as file:
        assert file.attrs["format_version"] == 2
    with pytest.raises(UsageError, match="was made with iterations = 50"):
        continue_sweep(tmp_path, start_sweep(sketches, grid, Settings(iterations=51)))


# Files as 0.1.0 wrote them, by hand


def write_attributes(group: h5py.Group, values: dict[str, Any]) -> None:
    for name, value in values.items():
        group.attrs[name] = fixed_length(value)


def settings_of_version_1(run: Run) -> dict[str, Any]:
    """Put all settings of a run into one group, with the weight scale as text."""
    assert run.settings is not None
    values: dict[str, Any] = dataclasses.asdict(run.settings)
    source = dataclasses.asdict(run.data_source or DataSource("pets", size=8))
    values |= {name: value for name, value in source.items() if value is not None}
    return values | {"weight_scale": str(values["weight_scale"])}


def write_version_1(path: Path, run: Run, **changes: Any) -> Path:
    """Write a run as 0.1.0 did; None leaves a setting out."""
    settings = settings_of_version_1(run) | changes
    origin = {name: value for name, value in run.origin.items() if name != "command"}
    with h5py.File(path, "w") as file:
        write_attributes(file, {"format": "jaxnet model", "format_version": 1})
        for name, leaf in run.model.params.items():
            file[f"params/{name}"] = np.asarray(leaf)
        file["costs"] = run.costs
        file["classes"] = np.array([name.encode() for name in run.classes])
        columns = {"height": 8, "width": 6, "color": "gray", "scale": "symmetric"}
        write_attributes(file.create_group("preprocessing"), columns)
        kept = {name: value for name, value in settings.items() if value is not None}
        write_attributes(file.create_group("settings"), kept)
        write_attributes(file.create_group("origin"), origin | {"outcome": run.outcome})
        write_checkpoint(file.create_group("descent"), checkpoint_of(run.descent))
    seal(path)
    return path


@every_way(
    {
        ("momentum", "float32"),
        ("nesterov", "float32"),
        ("adam", "float64"),
        ("balanced", "float64"),
        ("batches", "float32"),
    }
)
def test_a_run_of_version_1_continues_with_the_same_bits(
    way: str, precision: str, tmp_path: Path
) -> None:
    source = DataSource("./a folder//pets", "test", "yes", 8, None, 3, skip_bad=True)
    data = dataclasses.replace(DATA, data_source=source)
    run = train(data, settings_of(way, precision=precision))
    path = write_version_1(tmp_path / "model.h5", run)
    loaded = load_run(path)
    assert "command" not in loaded.origin
    named = dataclasses.replace(loaded, origin=loaded.origin | {"command": ""})
    assert_same(named, run)
    whole = train(data, settings_of(way, precision=precision, iterations=60))
    resumed = resume(named, data, iterations=60)
    assert_same(resumed, whole)
    assert_same(load_run(resumed.save(tmp_path / "run")), whole)
    assert repeat(loaded, data).same


@pytest.mark.parametrize(("text", "value"), [("he", "he"), ("0.01", 0.01), ("1e-2", 0.01)])
def test_a_weight_scale_is_a_text_in_version_1(text: str, value: Any, tmp_path: Path) -> None:
    path = write_version_1(tmp_path / "model.h5", quick_run(), weight_scale=text)
    settings = load_run(path).settings
    assert settings is not None
    assert settings.weight_scale == value


NAMES = [*dataclasses.fields(Settings), *dataclasses.fields(DataSource)]
OPTIONAL = ("test", "positive", "size", "count", *model_file.BEFORE_IT_EXISTED)


@pytest.mark.parametrize(
    "name", [field.name for field in NAMES if field.name not in (*OPTIONAL, "activation")]
)
def test_a_setting_that_a_file_of_version_1_lacks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = quick_run()
    path = write_version_1(tmp_path / "model.h5", run, **{name: None})
    with pytest.raises(ModelFileError) as caught:
        load_run(path)
    assert caught.value.found == f"{path} does not hold the setting {name}"
    chex.assert_trees_all_equal(load_model(path).params, run.model.params)
    # Of a setting that came after it, the value of then is known.
    value = getattr(Settings() if hasattr(Settings(), name) else DataSource(), name)
    monkeypatch.setitem(model_file.BEFORE_IT_EXISTED, name, value)
    loaded = load_run(path)
    part = loaded.settings if hasattr(Settings(), name) else loaded.data_source
    assert getattr(part, name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seed", value) for value in (-1, 2**32, 3.5, float("inf"), "3", "", float("nan"))),
        *(("hidden_units", value) for value in (0, 100_001, "8")),
        *(("iterations", value) for value in (0, 1e300, "many")),
        *(("momentum", value) for value in (-0.1, 1.5, "0.5", float("nan"))),
        *(("learning_rate", value) for value in ("0.1", "fast", float("nan"), float("inf"))),
        *(("nesterov", value) for value in ("yes", 2, 0.5)),
        *(("optimizer", value) for value in ("adamw", 1, "SGD")),
        *(("basis", value) for value in ("", 0)),
        *(("size", value) for value in (0, "64")),
        *(("count", value) for value in (1, 2.5)),
        *(("weight_scale", value) for value in (0.01, True, 1)),
        *(("data", value) for value in (1, 0.5)),
        ("test", 5),
        ("precision", "float16"),
    ],
)
def test_a_setting_of_version_1_that_was_edited(name: str, value: Any, tmp_path: Path) -> None:
    path = write_version_1(tmp_path / "model.h5", quick_run(), **{name: value})
    with pytest.raises(ModelFileError) as caught:
        load_run(path)
    assert caught.value.found.startswith(f"{path} was saved with the setting {name} = {value!r} (")
    assert f"restore the original {name}" in caught.value.remedy


@pytest.mark.parametrize(("text", "value"), [("she", "'she'"), ("-1", "-1.0"), ("nan", "nan")])
def test_a_weight_scale_of_version_1_that_is_none(text: str, value: str, tmp_path: Path) -> None:
    path = write_version_1(tmp_path / "model.h5", quick_run(), weight_scale=text)
    with pytest.raises(ModelFileError, match="was saved with the setting weight_scale") as caught:
        load_run(path)
    assert f"weight_scale = {value} (" in caught.value.found


def test_a_setting_that_version_1_did_not_have(tmp_path: Path) -> None:
    path = write_version_1(tmp_path / "model.h5", quick_run(), dropout=0.5)
    with pytest.raises(ModelFileError, match="holds the setting dropout, which jaxnet"):
        load_run(path)


def test_numbers_as_other_tools_write_them(tmp_path: Path) -> None:
    path = write_version_1(tmp_path / "model.h5", quick_run(), momentum=0, nesterov=0, skip_bad=1)
    run = load_run(path)
    assert run.settings == dataclasses.replace(QUICK, basis="span")
    assert run.data_source is not None
    assert run.data_source.skip_bad is True


def test_what_version_1_called_diverged(tmp_path: Path) -> None:
    """Above the label entropy; whether above the first cost, too, tells slow from diverged."""
    slow = train(DATA, dataclasses.replace(QUICK, weight_scale=3.0, learning_rate=1e-4))
    diverged = train(DATA, dataclasses.replace(QUICK, learning_rate=1e4))
    assert (slow.outcome, diverged.outcome) == ("slow", "diverged")
    for run in (slow, diverged):
        then = dataclasses.replace(run, outcome="diverged")
        assert load_run(write_version_1(tmp_path / "model.h5", then)).outcome == run.outcome
    for word in ("plateau", "learning", "dead", "not finite", "stopped", "unfinished"):
        then = dataclasses.replace(slow, outcome=word)
        assert load_run(write_version_1(tmp_path / "model.h5", then)).outcome == word
    bare = dataclasses.replace(slow, outcome="diverged", costs=np.empty(0, "f4"))
    assert load_run(write_version_1(tmp_path / "model.h5", bare)).outcome == "diverged"


def write_sweep_of_version_1(path: Path, results: dict[str, np.ndarray], **changes: Any) -> Path:
    settings = {
        "sha256": DATA.sha256,
        "exclude_leaks": False,
        "color": "gray",
        "scale": "symmetric",
        "learning_rates": "0.01,0.1",
        "scales": "0.1,he",
        "seeds": 3,
        "hidden_units": 2,
        "activations": "relu,leaky_relu",
        "momentum": 0.5,
        "nesterov": False,
        "iterations": 5,
        "precision": "float32",
    }
    with h5py.File(path, "w") as file:
        write_attributes(file, {"format": "jaxnet sweep", "format_version": 1})
        write_attributes(file.create_group("settings"), settings | changes)
        for i, activation in enumerate(("relu", "leaky_relu")):
            for name, array in results.items():
                kept = array.astype("S10") if name == "outcomes" else array
                file[f"results/{activation}/{name}"] = kept[i]
    seal(path)
    return path


GRID_1 = dataclasses.replace(GRID, learning_rates=(0.01, 0.1))
SHARED_1 = dataclasses.replace(SHARED, seed=0)


@pytest.fixture
def sweep1(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """The folder of a sweep of version 1, and its results."""
    results = sweep(DATA, GRID_1, SHARED_1).arrays
    words = results["outcomes"]
    words[0, 0] = "learning"
    words[0, 1, 0] = ["dead", "plateau", "not finite"]
    words[1, 0, 0] = "diverged"
    words[1, 1] = ""
    words[words == "slow"] = "learning"
    write_sweep_of_version_1(tmp_path / SWEEP_NAME, results)
    return tmp_path, results


def test_what_a_sweep_of_version_1_has_known(
    sweep1: tuple[Path, dict[str, np.ndarray]],
) -> None:
    folder, results = sweep1
    known = continue_sweep(folder, make_start(GRID_1, SHARED_1)).result
    for name in ("last_costs", "train_accuracies", "test_accuracies"):
        np.testing.assert_array_equal(getattr(known, name), results[name])
    expected = results["outcomes"].copy()
    assert (expected == "diverged").sum() >= 3
    expected[expected == "diverged"] = ""
    np.testing.assert_array_equal(known.outcomes, expected)
    assert set(np.unique(known.outcomes)) == {"", "dead", "learning", "not finite", "plateau"}


@pytest.mark.slow
@pytest.mark.optimized
def test_a_sweep_of_version_1_continues(
    sweep1: tuple[Path, dict[str, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = sweep1
    monkeypatch.setattr(sweep_module, "NETWORKS_A_PART", 2)
    start = make_start(GRID_1, SHARED_1)
    before = continue_sweep(folder, start).result.outcomes.copy()
    stopped = train_sweep(folder, continue_sweep(folder, start), DATA, hook=stop_after(2))
    again = continue_sweep(folder, make_start(GRID_1, SHARED_1))
    assert_same_sweep(again.result, stopped.result)
    ended = train_sweep(folder, again, DATA).result
    expected = sweep(DATA, GRID_1, SHARED_1)
    np.testing.assert_array_equal(ended.last_costs, expected.last_costs)
    kept = (before != "").all(axis=1, keepdims=True) & (before != "")
    np.testing.assert_array_equal(ended.outcomes[kept], before[kept])
    np.testing.assert_array_equal(ended.outcomes[before == ""], expected.outcomes[before == ""])
    with h5py.File(folder / SWEEP_NAME) as file:
        assert file.attrs["format_version"] == 2
    assert_same_sweep(continue_sweep(folder, make_start(GRID_1, SHARED_1)).result, ended)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"seeds": 4}, "seeds"),
        ({"learning_rates": "0.01,0.2"}, "learning_rates"),
        ({"scales": "0.1"}, "weight_scales"),
        ({"activations": "relu"}, "activations"),
        ({"iterations": 6}, "iterations"),
        ({"scale": "unit"}, "pixel_scale"),
        ({"color": "rgb"}, "color"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"momentum": 0.0}, "momentum"),
        ({"precision": "float64"}, "precision"),
    ],
)
def test_a_sweep_of_version_1_of_other_settings(
    changes: dict[str, Any], name: str, tmp_path: Path
) -> None:
    write_sweep_of_version_1(tmp_path / SWEEP_NAME, {}, **changes)
    with pytest.raises(UsageError, match=f"was made with {name} = "):
        continue_sweep(tmp_path, make_start(GRID_1, SHARED_1))


@pytest.mark.parametrize(
    ("setting", "name"),
    [({"seed": 1}, "seed"), ({"balanced": True}, "balanced"), ({"basis": "span"}, "basis")],
)
def test_what_a_sweep_of_version_1_could_not_set(
    setting: dict[str, Any], name: str, tmp_path: Path
) -> None:
    write_sweep_of_version_1(tmp_path / SWEEP_NAME, {})
    other = dataclasses.replace(SHARED_1, **setting)
    with pytest.raises(UsageError, match=f"was made with {name} = "):
        continue_sweep(tmp_path, make_start(GRID_1, other))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda file: file["results"].move("relu", "tanh"), "/results holds leaky_relu, tanh"),
        (lambda file: file.pop("results"), "there is no results"),
        (lambda file: file["results/relu"].pop("outcomes"), "/results/relu holds last_costs"),
        (lambda file: file["settings"].attrs.pop("scales"), "a part missing or changed"),
        (lambda file: file["settings"].attrs.pop("exclude_leaks"), "a part missing or changed"),
        (lambda file: file.pop("settings"), "there is no settings"),
        (lambda file: file["settings"].attrs.modify("seeds", -1), "seeds is -1"),
    ],
)
def test_a_sweep_of_version_1_with_a_part_missing(
    change: Callable[[h5py.File], object],
    found: str,
    sweep1: tuple[Path, dict[str, np.ndarray]],
) -> None:
    folder, _ = sweep1
    with h5py.File(folder / SWEEP_NAME, "a") as file:
        change(file)
    with pytest.raises(ModelFileError) as caught:
        continue_sweep(folder, make_start(GRID_1, SHARED_1))
    assert found in str(caught.value)


def test_newer_formats_are_refused(tmp_path: Path) -> None:
    run = quick_run()
    model = write_version_1(tmp_path / "model.h5", run)
    saved = run.save(tmp_path / "run") / "model.h5"
    write_sweep_of_version_1(tmp_path / SWEEP_NAME, {})
    for path in (model, saved, tmp_path / SWEEP_NAME):
        with h5py.File(path, "a") as file:
            file.attrs["format_version"] = 4
    for read in (
        lambda: load_run(model),
        lambda: load_model(saved),
        lambda: continue_sweep(tmp_path, make_start(GRID_1, SHARED_1)),
    ):
        with pytest.raises(ModelFileError, match="has the format version 4") as caught:
            read()
        assert caught.value.remedy == "use the version of jaxnet that wrote it, or a newer one"


def test_float64_is_float64_whatever_jax_is_set_to(tmp_path: Path) -> None:
    run = train(DATA, settings_of("span", precision="float64"))
    path = write_version_1(tmp_path / "model.h5", run)
    for wide in (False, True):
        with jax.enable_x64(wide):
            assert load_model(path).params["W1"].dtype == np.float64
