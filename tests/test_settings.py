"""Settings, data source and grid: what they refuse, and how a model file gives them back."""

import dataclasses
import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Result
from fixed_length import fixed_length

from jaxnet import __version__
from jaxnet.activations import ACTIVATIONS
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.defaults import LARGEST_SEED
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.many.grid import Grid
from jaxnet.runs import model_file
from jaxnet.runs.checkpoint import Checkpoint
from jaxnet.runs.model import Model
from jaxnet.runs.model_file import Stored, save_model, write_model_file
from jaxnet.runs.run import Run, draw_params, load_run
from jaxnet.settings import Settings

SETTINGS = Settings(
    hidden_units=3,
    activation="leaky_relu",
    weight_scale="he",
    seed=LARGEST_SEED,
    learning_rate=0.05,
    momentum=0.5,
    nesterov=True,
    iterations=40,
    balanced=True,
    basis="span",
    precision="float64",
)
SOURCE = DataSource("pets", "./a folder//test/", "dog", 8, 5, 3, skip_bad=True, exclude_leaks=True)

# The fields whose value may be None, which a file does not hold then.
MAY_BE_NONE = ("test", "positive", "size", "count", "validation", "group_by")


def test_the_defaults_are_those_of_the_article() -> None:
    assert dataclasses.asdict(Settings()) == {
        "hidden_units": 8,
        "activation": "relu",
        "weight_scale": 0.01,
        "seed": 0,
        "learning_rate": 0.0075,
        "momentum": 0.0,
        "nesterov": False,
        "optimizer": "sgd",
        "weight_decay": 0.0,
        "batch": None,
        "iterations": 2500,
        "epochs": None,
        "patience": None,
        "balanced": False,
        "mirrored": False,
        "shift": 0,
        "basis": "auto",
        "precision": "float32",
    }
    assert Settings(optimizer="adam").learning_rate == 0.001
    assert Settings(optimizer="adam", learning_rate=0.1).learning_rate == 0.1
    assert dataclasses.asdict(Preprocessing()) == {
        "height": 64,
        "width": 64,
        "color": "gray",
        "pixel_scale": "symmetric",
    }
    assert dataclasses.asdict(DataSource()) == dict.fromkeys(MAY_BE_NONE) | {
        "data": "sketches",
        "data_seed": 0,
        "recipe": 2,
        "skip_bad": False,
        "exclude_leaks": False,
        "strict": False,
        "layout": None,
    }


def test_settings_cannot_change_and_can_be_keys_and_pickled() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SETTINGS.seed = 1  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(SETTINGS))
    assert {SETTINGS: 1}[again] == 1
    assert [Settings(activation=name).hidden for name in ACTIVATIONS] == [*ACTIVATIONS.values()]


def test_choices_are_those_of_the_library() -> None:
    fields = {field.name: field.metadata["choices"] for field in dataclasses.fields(Settings)}
    assert set(fields["activation"]) == set(ACTIVATIONS)
    for name, choices in fields.items():
        for choice in choices:
            assert getattr(Settings(**{name: choice}), name) == choice


def test_numbers_of_numpy_become_those_of_python() -> None:
    settings = Settings(
        hidden_units=np.int64(3),  # type: ignore[arg-type]
        weight_scale=np.float32(0.5),  # type: ignore[arg-type]
        momentum=1,
        nesterov=np.True_,  # type: ignore[arg-type]
        seed=np.uint32(LARGEST_SEED),  # type: ignore[arg-type]
    )
    kinds = {name: type(value) for name, value in dataclasses.asdict(settings).items()}
    assert (settings.hidden_units, settings.seed) == (3, LARGEST_SEED)
    assert kinds["hidden_units"] is kinds["seed"] is int
    assert kinds["weight_scale"] is kinds["momentum"] is kinds["learning_rate"] is float
    assert kinds["nesterov"] is bool
    assert DataSource(Path("a") / "b", test=Path("c")) == DataSource("a/b", "c")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "found", "expected"),
    [
        ({"seed": -1}, "seed is -1", "an integer from 0 to 4,294,967,295"),
        ({"seed": LARGEST_SEED + 1}, "seed is 4294967296", "an integer from 0 to 4,294,967,295"),
        ({"seed": "3"}, 'seed is "3"', "an integer"),
        ({"seed": True}, "seed is True of type bool", "an integer"),
        ({"iterations": 20.0}, "iterations is 20.0 of type float", "an integer"),
        ({"iterations": 0}, "iterations is 0", "an integer from 1 to 100,000,000"),
        ({"hidden_units": 100_001}, "hidden_units is 100001", "an integer from 1 to 100,000"),
        ({"momentum": 1.5}, "momentum is 1.5", "a finite number from 0 to 1"),
        ({"momentum": math.nan}, "momentum is nan", "a finite number from 0 to 1"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1", "a finite number, 0 or more"),
        ({"learning_rate": math.inf}, "learning_rate is inf", "a finite number, 0 or more"),
        ({"learning_rate": "fast"}, 'learning_rate is "fast"', "a number"),
        ({"weight_scale": "she"}, 'weight_scale is "she"', 'a number or "he"'),
        ({"weight_scale": -1}, "weight_scale is -1", "a finite number, 0 or more"),
        ({"weight_scale": True}, "weight_scale is True of type bool", "a number"),
        ({"nesterov": 1}, "nesterov is 1", "True or False"),
        ({"balanced": "no"}, "balanced is 'no'", "True or False"),
        ({"basis": "fourier"}, 'basis is "fourier"', '"auto" or "pixels" or "span"'),
        ({"precision": "float16"}, 'precision is "float16"', '"float32" or "float64"'),
        ({"activation": "tanh"}, 'activation is "tanh"', '"relu" or "leaky_relu" or "sigmoid"'),
        ({"optimizer": "SGD"}, 'optimizer is "SGD"', '"sgd" or "adam"'),
        ({"optimizer": 1}, "optimizer is 1 of type int", '"sgd" or "adam"'),
        (
            {"optimizer": "adam", "nesterov": True},
            "momentum is 0 and nesterov True with adam",
            "momentum and nesterov with sgd only",
        ),
        (
            {"optimizer": "adam", "basis": "span"},
            "the basis is span with the optimizer adam",
            "sgd, whose updates are linear in the gradients, or another basis",
        ),
    ],
)
def test_settings_that_are_none(options: dict[str, Any], found: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(**options)
    assert (caught.value.found, caught.value.expected) == (found, expected)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"size": 0}, "size is 0"),
        ({"size": 4097}, "size is 4097"),
        ({"size": "64"}, 'size is "64"'),
        ({"count": 1}, "count is 1"),
        ({"count": 2.5}, "count is 2.5 of type float"),
        ({"data_seed": -1}, "data_seed is -1"),
        ({"data": 5}, "data is 5"),
        ({"data": None}, "data is None"),
        ({"positive": 1}, "positive is 1"),
        ({"skip_bad": 0}, "skip_bad is 0"),
    ],
)
def test_data_sources_that_are_none(options: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageError) as caught:
        DataSource(**options)
    assert caught.value.found == found


def test_preprocessings_that_are_none() -> None:
    for options, found in (
        ({"color": "grey"}, 'color is "grey"'),
        ({"pixel_scale": "he"}, 'pixel_scale is "he"'),
        ({"height": 0}, "height is 0"),
    ):
        with pytest.raises(UsageError, match=re.escape(found)):
            Preprocessing(**options)


def test_grids() -> None:
    grid = Grid("0.001:0.1:3,1, 1", "1, he,0.01", 3, "sigmoid, relu,sigmoid")  # type: ignore[arg-type]
    assert grid.learning_rates == (0.001, 0.01, 0.1, 1.0)
    assert grid.weight_scales == (1.0, "he", 0.01)
    assert grid.activations == ("sigmoid", "relu")
    assert (grid.shape, grid.networks) == ((2, 4, 3, 3), 72)
    assert Grid([0, 1, (0.1, 2)], ["he", 0.5], 3, ["relu"]) == Grid(  # type: ignore[arg-type]
        (0.0, 1.0, (0.1, 2.0)), ("he", 0.5), 3, ("relu",)
    )
    assert Grid("0,1:2:2,2,1").learning_rates == (0.0, 1.0, 2.0)  # type: ignore[arg-type]
    assert len(Grid("1e-300:1e300:10000").learning_rates) == 10_000  # type: ignore[arg-type]
    assert Grid().shape == (1, 25, 1, 16)
    assert (Grid().learning_rates[0], Grid().learning_rates[-1]) == (1e-4, 1.0)
    assert Grid().weight_scales == (Settings().weight_scale,)
    assert Grid().activations == (Settings().activation,)


@pytest.mark.parametrize("name", ["learning_rates", "weight_scales"])
@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", "a", "-1", "nan", "she", "1e400", "1:2", "1:2:3:4", "::", "1:2:0,"),
        *("1:2:0", "1:2:1", "1:2:-3", "1:2:1.5", "1:2:1e3", "1:2:10001", "1:2:1000000000"),
        *("0:1:3", "-1:1:3", "2:1:3", "1:1:3", "nan:1:3", "1:nan:3", "1:inf:3", "a:1:3", "he:1:3"),
    ],
)
def test_what_is_no_axis(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f'{name} is "{text}"')) as caught:
        Grid(**{name: text})  # type: ignore[arg-type]
    assert "0 < LEAST < GREATEST" in caught.value.expected
    assert caught.value.expected.endswith("; or he") is (name == "weight_scales")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"learning_rates": "he"}, 'learning_rates is "he"'),
        ({"learning_rates": ["he"]}, 'a value of learning_rates is "he"'),
        ({"learning_rates": [0.1, math.inf]}, "a value of learning_rates is inf"),
        ({"learning_rates": [0.1, -1]}, "a value of learning_rates is -1"),
        ({"learning_rates": [(0.1, math.nan)]}, "a value of learning_rates is nan"),
        ({"learning_rates": [(0.1, 0.1, 0.1)]}, "learning_rates holds (0.1, 0.1, 0.1)"),
        ({"learning_rates": 0.1}, "learning_rates is 0.1"),
        ({"learning_rates": []}, "learning_rates is empty"),
        ({"weight_scales": [(0.1, 0.1)]}, "weight_scales holds (0.1, 0.1)"),
        ({"weight_scales": ["she"]}, 'weight_scales is "she"'),
        ({"activations": "relu,tanh"}, 'activations is "tanh"'),
        ({"activations": ""}, 'activations is ""'),
        ({"seeds": 0}, "seeds is 0"),
        ({"seeds": 2.0}, "seeds is 2.0 of type float"),
        ({"seeds": 100_000, "learning_rates": "1e-4:1:101"}, "10100000"),
    ],
)
def test_grids_that_are_none(options: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageError) as caught:
        Grid(**options)
    assert found in caught.value.found


def save(
    path: Path, settings: Settings | None = SETTINGS, source: DataSource | None = SOURCE, **raw: Any
) -> Path:
    """Write a model file, and put raw values into it as another program could."""
    preprocessing = Preprocessing(8, 6, "rgb", "unit")
    params = draw_params(settings or SETTINGS, preprocessing.n_x)
    model = Model(params, preprocessing, ("no", "yes"), (settings or SETTINGS).hidden)
    write_model_file(path, Stored(model, Checkpoint(params, np.empty(0)), settings, source, {}))
    with h5py.File(path, "a") as file:
        for name, value in raw.items():
            file[group_of(name)].attrs[name] = fixed_length(value)
    return path


def group_of(name: str) -> str:
    return (
        "data" if name in {field.name for field in dataclasses.fields(DataSource)} else "settings"
    )


def refused(path: Path, found: str) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        load_run(path)
    assert str(path) in caught.value.found
    assert found in caught.value.found
    return caught.value


def test_what_was_saved_is_what_comes_back(tmp_path: Path) -> None:
    for settings, source in ((SETTINGS, SOURCE), (Settings(optimizer="adam"), DataSource())):
        run = load_run(save(tmp_path / "model.h5", settings, source))
        assert run.settings == settings
        assert run.data_source == source
        assert run.preprocessing == Preprocessing(8, 6, "rgb", "unit")


@pytest.mark.usefixtures("undrawn")
def test_every_option_of_train_comes_back(jaxnet: Callable[..., Result], folder: Path) -> None:
    typed = ("--size", 8, "--hidden-units", 3, "--positive", "dog", "--test", folder, "--nesterov")
    more = (
        "--momentum",
        1,
        "--weight-scale",
        "he",
        "--balanced",
        "--mirrored",
        "--pixel-scale",
        "unit",
        "--no-page",
    )
    result = jaxnet(
        "train", "--data", folder, "--iterations", 5, "--out", "run", *typed, *more, "--seed", 7
    )
    assert "written: run/model.h5" in result.out
    run = load_run("run")
    assert run.data_source == DataSource(str(folder), str(folder), "dog", 8)
    assert run.preprocessing == Preprocessing(8, 8, "gray", "unit")
    assert run.settings == Settings(
        hidden_units=3,
        weight_scale="he",
        seed=7,
        momentum=1.0,
        nesterov=True,
        iterations=5,
        balanced=True,
        mirrored=True,
        basis="span",
    )


STORED = [
    field.name
    for kind in (Settings, DataSource)
    for field in dataclasses.fields(kind)
    if field.name not in {"activation", *MAY_BE_NONE, *model_file.BEFORE_IT_EXISTED}
]


@pytest.mark.parametrize("name", STORED)
def test_a_setting_that_is_missing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "model.h5")
    with h5py.File(path, "a") as file:
        del file[group_of(name)].attrs[name]
    error = refused(path, f"does not hold the setting {name}")
    assert "fit(load_model" in error.remedy

    # As soon as a setting is known to be newer than the file, it has its value of then.
    default = getattr(Settings() if group_of(name) == "settings" else DataSource(), name)
    monkeypatch.setitem(model_file.BEFORE_IT_EXISTED, name, default)
    run = load_run(path)
    settings, source = dataclasses.asdict(SETTINGS), dataclasses.asdict(SOURCE)
    (settings if name in settings else source)[name] = default
    assert run.settings == Settings(**settings)
    assert run.data_source == DataSource(**source)


def test_a_model_without_settings(tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", None, None)
    run = load_run(path)
    assert (run.settings, run.data_source) == (None, None)
    save_model(tmp_path / "alone.h5", run.model)
    again: Run = load_run(tmp_path / "alone.h5")
    assert (again.settings, again.data_source, len(again.costs)) == (None, None, 0)


def test_an_unknown_setting(tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", dropout=0.5)
    refused(path, f"holds the setting dropout, which jaxnet {__version__} does not have")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seed", value) for value in (-1, 2**32, 3.5, float("inf"), "3", "x", "", float("nan"))),
        *(("hidden_units", value) for value in (0, 100_001, "8")),
        *(("iterations", value) for value in (0, 1e300, "many")),
        *(("momentum", value) for value in (-0.1, 1.5, "0.5", float("nan"), float("inf"))),
        *(("learning_rate", value) for value in ("0.1", "fast", float("nan"))),
        *(("nesterov", value) for value in ("yes", 2, 0.5)),
        *(("optimizer", value) for value in ("adamw", 1, "SGD")),
        *(("basis", value) for value in ("", 0)),
        *(("size", value) for value in (0, "64")),
        *(("count", value) for value in (1, 2.5)),
        *(("weight_scale", value) for value in ("0.01", "she", True)),
        *(("data", value) for value in (1, 0.5)),
        ("test", 5),
        ("precision", "float16"),
    ],
)
def test_a_setting_that_no_option_takes(name: str, value: Any, tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", **{name: value})
    error = refused(path, f"was saved with the setting {name} = {value!r} (")
    assert f"restore the original {name}" in error.remedy


def test_settings_that_contradict(tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", optimizer="adam")
    refused(path, "was saved with the setting momentum = 0.5 (momentum and nesterov with sgd only")


def test_numbers_of_another_kind_are_taken_as_typed(tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", momentum=1, nesterov=1, balanced=0, skip_bad=0)
    run = load_run(path)
    assert run.settings == dataclasses.replace(SETTINGS, momentum=1.0, balanced=False)
    assert run.data_source == dataclasses.replace(SOURCE, skip_bad=False)
    assert type(run.settings.momentum) is float
    assert type(run.settings.nesterov) is type(run.settings.balanced) is bool


def test_the_preprocessing_is_checked_too(tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5")
    with h5py.File(path, "a") as file:
        file["preprocessing"].attrs["color"] = np.bytes_("grey")
    refused(path, '(color is "grey")')
    with h5py.File(path, "a") as file:
        file["preprocessing"].attrs["color"] = np.bytes_("rgb")
        file["settings"].attrs["activation"] = np.bytes_("tanh")
    error = refused(path, 'has the unknown activation "tanh"')
    assert error.expected == f"one of {', '.join(ACTIVATIONS)}"
