import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Result

from jaxnet.activations import leaky_relu
from jaxnet.data.columns import Preprocessing, to_columns
from jaxnet.data.pictures import resize_images
from jaxnet.errors import DataError, ModelFileError, UsageError
from jaxnet.network import forward, init_params
from jaxnet.runs.model_file import Model, load_model, load_origin, save_model, versions


def make_model(dtype: str = "float32") -> Model:
    seen = Preprocessing(8, 6, "gray", "unit")
    return Model(
        init_params(jax.random.key(0), seen.n_x, 3, scale=0.3, dtype=dtype),
        seen,
        ("non-cat", "cät"),
        leaky_relu,
        np.linspace(0.7, 0.1, 5, dtype=dtype),
        {"learning_rate": 0.0075, "seed": 3, "nesterov": False, "data": "sketches"},
        versions(),
    )


def assert_equal(ours: Model, theirs: Model) -> None:
    chex.assert_trees_all_equal(ours.params, theirs.params)
    chex.assert_trees_all_equal_dtypes(ours.params, theirs.params)
    np.testing.assert_array_equal(ours.costs, theirs.costs)
    assert ours.costs.dtype == theirs.costs.dtype
    for name in ("preprocessing", "classes", "hidden", "settings", "origin"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    model = make_model()
    save_model(tmp_path / "model.h5", model)
    assert_equal(load_model(tmp_path / "model.h5"), model)
    assert_equal(load_model(str(tmp_path)), model)
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


def test_float64_bit_for_bit(tmp_path: Path, x64: None) -> None:
    model = make_model("float64")
    save_model(tmp_path / "model.h5", model)
    assert_equal(load_model(tmp_path / "model.h5"), model)


def test_float64_is_refused_where_jax_would_make_it_float32(tmp_path: Path) -> None:
    with jax.enable_x64(True):
        save_model(tmp_path / "model.h5", make_model("float64"))
    with pytest.raises(UsageError, match="jax_enable_x64"):
        load_model(tmp_path)


def test_a_model_prepares_pictures_as_it_was_trained(images: np.ndarray) -> None:
    model = make_model()
    X = to_columns(images, color="gray", scale="unit")
    expected = forward(model.params, X, leaky_relu).A2[0]
    probabilities = model.predict_images(images)
    assert probabilities.shape == (12,)
    np.testing.assert_array_equal(probabilities, expected)
    large = resize_images(images, 40, 30)
    back = to_columns(resize_images(large, 8, 6), color="gray", scale="unit")
    np.testing.assert_array_equal(
        model.predict_images(large), forward(model.params, back, leaky_relu).A2[0]
    )
    with pytest.raises(DataError, match="float64"):
        model.predict_images(images / 255)


def test_a_model_takes_what_its_preprocessing_makes() -> None:
    params = init_params(jax.random.key(0), 47, 3)
    with pytest.raises(DataError, match="W1 takes 47 features, the preprocessing makes 48"):
        Model(params, Preprocessing(8, 6), ("no", "yes"))
    with pytest.raises(DataError, match="params holds W1"):
        Model({"W1": params["W1"]}, Preprocessing(8, 6), ("no", "yes"))


def test_any_hdf5_tool_can_read_it(tmp_path: Path) -> None:
    save_model(tmp_path / "model.h5", make_model())
    with h5py.File(tmp_path / "model.h5") as file:
        assert sorted(file) == ["classes", "costs", "origin", "params", "preprocessing", "settings"]
        assert sorted(file["params"]) == ["W1", "W2", "b1", "b2"]
        assert dict(file["preprocessing"].attrs) == {
            "height": 8,
            "width": 6,
            "color": b"gray",
            "scale": b"unit",
        }
        assert file["settings"].attrs["activation"] == b"leaky_relu"


def test_a_failed_save_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    save_model(path, make_model())
    before = path.read_bytes()
    broken = dataclasses.replace(make_model(), settings={"what": object()})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        save_model(path, broken)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]
    with pytest.raises(UsageError, match="could not be written"):
        save_model(tmp_path / "nowhere" / "model.h5", make_model())


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = (f".model.h5.{gone.pid}.tmp", f".model.h5.{os.getppid()}.tmp", ".model.h5.x.tmp")
    for name in names:
        (tmp_path / name).write_text("half")
    save_model(tmp_path / "model.h5", make_model())
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"model.h5", *names[1:]}, "but not what a living process writes"


def refused(path: Path, *parts: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        load_model(path)
    for part in parts:
        assert part in str(caught.value)


def test_a_file_that_is_no_model(tmp_path: Path, h5: Callable[..., Path]) -> None:
    refused(tmp_path / "nowhere.h5", "there is no")
    (tmp_path / "run").mkdir()
    refused(tmp_path / "run", "model.h5")
    refused(h5(), "no model: it holds list_classes, test_set_x", "jaxnet train")
    (tmp_path / "page.h5").write_text("<html>")
    refused(tmp_path / "page.h5", "an HTML page", "a model file of jaxnet")


def test_a_file_of_a_newer_format(tmp_path: Path) -> None:
    save_model(tmp_path / "model.h5", make_model())
    with h5py.File(tmp_path / "model.h5", "a") as file:
        file.attrs["format_version"] = 2
    refused(tmp_path, "format version 2", "version 1", "the jaxnet that wrote it")


def remove(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def replace(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = value

    return change


def set_attribute(group: str, name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[group].attrs[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (remove("params/W1"), "params holds W2"),
        (remove("classes"), "classes"),
        (remove("settings"), "settings"),
        (replace("params/W1", np.zeros((3, 47), "f4")), "W1 takes 47 features"),
        (replace("params/b1", np.zeros((4, 1))), "b1 (4, 1)"),
        (replace("params/W2", np.zeros((3, 1))), "W2 (3, 1)"),
        (replace("params/W1", np.zeros(5)), "a part missing or changed"),
        (replace("params/b2", np.full((1, 1), np.nan)), "a parameter is not finite"),
        (replace("params/b2", "text"), "a part missing or changed"),
        (replace("classes", ["a", "b", "c"]), "a part missing or changed"),
        (replace("params/b2", np.zeros((1, 1), int)), "b2 is of type int64"),
        (replace("params/b2", np.zeros((1, 1), complex)), "b2 is of type complex128"),
        (replace("costs", ["a", "b"]), "costs is of type object"),
        (set_attribute("preprocessing", "height", -8), "(-8, 6) pixels"),
        (set_attribute("preprocessing", "height", 8.0), "(8.0, 6) pixels"),
        (set_attribute("preprocessing", "color", "grey"), "grey"),
        (set_attribute("preprocessing", "colour", "gray"), "colour"),
        (set_attribute("settings", "activation", "tanh"), "unknown activation tanh"),
    ],
)
def test_a_file_with_a_part_missing_or_changed(
    change: Callable[[h5py.File], None], found: str, tmp_path: Path
) -> None:
    save_model(tmp_path / "model.h5", make_model())
    with h5py.File(tmp_path / "model.h5", "a") as file:
        change(file)
    refused(tmp_path, found)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off(share: float, tmp_path: Path) -> None:
    save_model(tmp_path / "model.h5", make_model())
    whole = (tmp_path / "model.h5").read_bytes()
    (tmp_path / "model.h5").write_bytes(whole[: int(share * len(whole))])
    refused(tmp_path, "cut off or damaged")


def test_versions_name_what_computed() -> None:
    assert {"device", "jax", "jaxnet", "python"} <= versions().keys()
    assert versions()["jax"] == jax.__version__
    assert jnp.zeros(1).devices().pop().device_kind == versions()["device"]
    assert versions()["prng"] == "threefry2x32"
    with jax.default_prng_impl("rbg"):
        assert versions()["prng"] == "rbg"


@pytest.mark.parametrize("prng", ["threefry2x32", "rbg"])
def test_a_file_tells_the_key_that_drew_the_first_weights(
    prng: str, jaxnet: Callable[..., Result], folder: Path
) -> None:
    with jax.default_prng_impl(prng):
        jaxnet("train", "--data", folder, "--size", 8, "--iterations", 5, "--seed", 7)
    model, origin = load_model("runs/001"), load_origin("runs/001")
    key = jax.random.key(int(model.settings["seed"]), impl=origin["prng"])
    with h5py.File("runs/001/model.h5") as file:
        W1 = file["descent/W1"][()]
    np.testing.assert_array_equal(init_params(key, 64)["W1"], W1)
