"""The settings of a run that were edited by hand are refused in words, as if mistyped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import jax
import pytest
import typer
from conftest import Result

from jaxnet.commands.main import app
from jaxnet.commands.resume import NOT_SETTINGS
from jaxnet.commands.settings import check_setting, load_run_settings
from jaxnet.data.columns import Preprocessing
from jaxnet.errors import ModelFileError
from jaxnet.network import init_params
from jaxnet.runs.model_file import Model, save_model

SETTINGS: dict[str, Any] = {
    "data": "pets",
    "data_seed": 3,
    "skip_bad": True,
    "exclude_leaks": False,
    "hidden_units": 3,
    "weight_scale": "he",
    "seed": 2**32 - 1,
    "learning_rate": 0.05,
    "momentum": 0.0,
    "nesterov": False,
    "optimizer": "sgd",
    "iterations": 40,
    "balanced": False,
    "basis": "span",
    "precision": "float32",
    "test": "./a folder//test/",
}


@pytest.fixture
def ctx() -> typer.Context:
    """The command `jaxnet train`, with no option given."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    made: typer.Context = commands["train"].make_context("train", [])
    return made


def save(path: Path, settings: dict[str, Any]) -> Path:
    seen = Preprocessing(8, 6, "rgb", "unit")
    params = init_params(jax.random.key(0), seen.n_x, 3)
    save_model(path, Model(params, seen, ("no", "yes"), settings=settings))
    return path


def load(ctx: typer.Context, path: Path) -> dict[str, Any]:
    return load_run_settings(ctx, path, apart=NOT_SETTINGS, always=("learning_rate",))


def refused(ctx: typer.Context, path: Path, *parts: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        load(ctx, path)
    for part in (*parts, str(path), "as `jaxnet train` wrote them"):
        assert part in str(caught.value)


def test_what_was_saved_is_what_comes_back(ctx: typer.Context, tmp_path: Path) -> None:
    unset = dict.fromkeys(("positive", "size", "count"))
    seen = {"activation": "relu", "color": "rgb", "scale": "unit"}
    loaded = load(ctx, save(tmp_path / "model.h5", SETTINGS))
    known = {name: loaded[name] for name in SETTINGS | unset | seen}
    assert known == SETTINGS | unset | seen
    assert loaded.keys() == ctx.params.keys() - set(NOT_SETTINGS)


def test_every_option_of_train_comes_back(
    ctx: typer.Context, jaxnet: Callable[..., Result], folder: Path
) -> None:
    given = ("--size", 8, "--hidden-units", 3, "--positive", "dog", "--test", folder, "--nesterov")
    more = ("--momentum", 1, "--weight-scale", "he", "--balanced", "--scale", "unit")
    result = jaxnet(
        "train", "--data", folder, "--iterations", 5, "--out", "run", *given, *more, "--seed", 7
    )
    assert "written: run/model.h5" in result.out
    loaded = load(ctx, Path("run"))
    assert loaded["test"] == loaded["data"] == str(folder)
    numbers = {name: loaded[name] for name in ("size", "hidden_units", "seed", "momentum")}
    assert numbers == {"size": 8, "hidden_units": 3, "seed": 7, "momentum": 1.0}
    assert loaded["positive"] == "dog"
    assert loaded["nesterov"] is loaded["balanced"] is True
    assert loaded["skip_bad"] is False
    assert loaded["basis"] == "span"


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "test"])
def test_a_setting_that_is_missing(name: str, ctx: typer.Context, tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", SETTINGS)
    with h5py.File(path, "a") as file:
        del file["settings"].attrs[name]
    option = name.replace("_", "-")
    refused(ctx, path, f"does not say with which --{option} it was trained", "fit(load_model")


def test_a_model_without_settings(ctx: typer.Context, tmp_path: Path) -> None:
    refused(ctx, save(tmp_path / "model.h5", {}), "does not say with which --data")


def test_an_unknown_setting(ctx: typer.Context, tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", SETTINGS | {"dropout": 0.5})
    refused(ctx, path, "holds the setting dropout, which jaxnet train does not have")


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
        *(("weight_scale", value) for value in (0.01, True)),
        *(("data", value) for value in (1, 0.5)),
        ("test", 5),
        ("precision", "float16"),
    ],
)
def test_a_setting_that_no_option_takes(
    name: str, value: Any, ctx: typer.Context, tmp_path: Path
) -> None:
    path = save(tmp_path / "model.h5", SETTINGS | {name: value})
    refused(ctx, path, f"was saved with the setting {name} = {value!r} (", f"put the {name} back")


def test_numbers_of_another_kind_are_taken_as_typed(ctx: typer.Context, tmp_path: Path) -> None:
    for name, value, typed in (("momentum", 1, 1.0), ("nesterov", 1, True), ("balanced", 0, False)):
        checked = check_setting(ctx, tmp_path, name, value)
        assert checked == typed
        assert type(checked) is type(typed)


def test_the_preprocessing_is_checked_too(ctx: typer.Context, tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", SETTINGS)
    with h5py.File(path, "a") as file:
        file["preprocessing"].attrs["color"] = "grey"
    refused(ctx, path, "setting color = 'grey'")
    with h5py.File(path, "a") as file:
        file["preprocessing"].attrs["color"] = "gray"
        file["settings"].attrs["activation"] = "tanh"
    refused(ctx, path, "setting activation = 'tanh'")
