"""A model, and the file that holds it: every bit comes back, and what is wrong is refused."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fixed_length import fixed_length
from PIL import Image

from jaxnet.activations import Activation, leaky_relu, relu
from jaxnet.data.columns import to_columns
from jaxnet.data.pictures import resize_images
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError, ModelFileError, UsageError
from jaxnet.network import forward, init_params
from jaxnet.runs.checkpoint import Checkpoint
from jaxnet.runs.model import Model
from jaxnet.runs.model_file import (
    Stored,
    load_model,
    read_model_file,
    save_model,
    write_model_file,
)
from jaxnet.runs.run import load_run

TANH = Activation("tanh", jnp.tanh, lambda Z: 1 - jnp.tanh(Z) ** 2)


def make_model(dtype: str = "float32", hidden: Activation = leaky_relu) -> Model:
    preprocessing = Preprocessing(8, 6, "gray", "unit")
    params = init_params(
        jax.random.key(0), preprocessing.n_x, 3, weight_scale=0.3, dtype=jnp.dtype(dtype)
    )
    return Model(params, preprocessing, ("non-cat", "cät"), hidden)


def assert_equal(ours: Model, theirs: Model) -> None:
    chex.assert_trees_all_equal(ours.params, theirs.params)
    chex.assert_trees_all_equal_dtypes(ours.params, theirs.params)
    for name in ("preprocessing", "classes", "hidden"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    model = make_model()
    save_model(tmp_path / "model.h5", model)
    assert_equal(load_model(tmp_path / "model.h5"), model)
    assert_equal(load_model(str(tmp_path)), model)
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


def test_float64_is_float64_whatever_jax_is_set_to(tmp_path: Path, images: np.ndarray) -> None:
    with jax.enable_x64(True):
        model = make_model("float64")
        expected = model.predict_images(images)
        save_model(tmp_path / "model.h5", model)
    for wide in (True, False):
        with jax.enable_x64(wide):
            loaded = load_model(tmp_path)
            assert_equal(loaded, model)
            probabilities = loaded.predict_images(images)
        assert probabilities.dtype == np.float64
        np.testing.assert_array_equal(probabilities, expected)


def test_a_model_preprocesses_pictures_as_it_was_trained(images: np.ndarray) -> None:
    model = make_model()
    X = to_columns(images, color="gray", pixel_scale="unit")
    compiled = jax.jit(forward, static_argnums=2)
    expected = compiled(model.params, X, leaky_relu).A2[0]
    probabilities = model.predict_images(images)
    assert probabilities.shape == (12,)
    np.testing.assert_array_equal(probabilities, expected)
    large = resize_images(images, 40, 30)
    back = to_columns(resize_images(large, 8, 6), color="gray", pixel_scale="unit")
    np.testing.assert_array_equal(
        model.predict_images(large), compiled(model.params, back, leaky_relu).A2[0]
    )
    with pytest.raises(DataError, match="float64"):
        model.predict_images(images / 255)


def test_picture_files_are_predicted(images: np.ndarray, tmp_path: Path) -> None:
    model = make_model()
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path, image in zip(paths, images, strict=False):
        Image.fromarray(image).save(path)
    expected = model.predict_images(images[:3])
    np.testing.assert_array_equal(model.predict_files(paths), expected)
    np.testing.assert_array_equal(model.predict_files(map(str, paths)), expected)  # type: ignore[arg-type]
    one = model.predict_images(images[1:2])
    np.testing.assert_array_equal(model.predict_files(str(paths[1])), one)
    paths[0].write_text("no picture")
    with pytest.raises(DataError) as caught:
        model.predict_files([*paths, tmp_path / "nowhere.png"])
    assert "0.png" in str(caught.value)
    assert "nowhere.png" in str(caught.value)
    assert "1.png" not in str(caught.value)


def test_a_model_takes_what_its_preprocessing_makes() -> None:
    params = init_params(jax.random.key(0), 47, 3)
    with pytest.raises(DataError, match="W1 is for 47 features, but the preprocessing gives 48"):
        Model(params, Preprocessing(8, 6), ("no", "yes"))
    with pytest.raises(DataError, match="params holds W1"):
        Model({"W1": params["W1"]}, Preprocessing(8, 6), ("no", "yes"))


@pytest.mark.parametrize(
    "classes",
    [("cat",), (0, 1), ("a", "a"), ("a", "b", "c"), "ab", {"a", "b"}, None, ("a", None), ()],
)
def test_classes_are_two_different_texts(classes: Any) -> None:
    model = make_model()
    with pytest.raises(UsageError) as caught:
        Model(model.params, model.preprocessing, classes)
    assert caught.value.found == f"classes is {classes!r}"
    assert Model(model.params, model.preprocessing, ["no", "yes"]).classes == ("no", "yes")  # type: ignore[arg-type]


def test_the_activation_of_a_model_is_one() -> None:
    model = make_model()
    with pytest.raises(UsageError, match="hidden is the function"):
        Model(model.params, model.preprocessing, model.classes, jnp.tanh)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_parameters_that_are_not_finite_are_not_saved(name: str, tmp_path: Path) -> None:
    model = make_model()
    array = np.array(model.params[name])
    array[0, 0] = np.nan
    model.params[name] = jax.device_put(array)
    with pytest.raises(UsageError, match="a parameter of the model is not finite"):
        save_model(tmp_path / "model.h5", model)
    assert not list(tmp_path.iterdir())


def test_names_that_hdf5_would_cut_are_not_saved(tmp_path: Path) -> None:
    model = make_model()
    cut = Model(model.params, model.preprocessing, ("a", "a\0"))
    own = make_model(hidden=Activation("tanh\0", TANH.function, TANH.slope))
    for wrong in (cut, own):
        with pytest.raises(UsageError, match="contains the character NUL"):
            save_model(tmp_path / "model.h5", wrong)
    for classes in (("", "empty"), (b"caf\xe9".decode("utf-8", "surrogateescape"), "x" * 999)):
        save_model(tmp_path / "model.h5", Model(model.params, model.preprocessing, classes))
        assert load_model(tmp_path).classes == classes


def test_an_activation_of_ones_own(tmp_path: Path, images: np.ndarray) -> None:
    model = make_model(hidden=TANH)
    save_model(tmp_path / "model.h5", model)
    with pytest.raises(ModelFileError, match='has the unknown activation "tanh"') as caught:
        load_model(tmp_path)
    assert caught.value.remedy == 'give your own: activations={"tanh": Activation("tanh", …)}'
    for loaded in (
        load_model(tmp_path, activations={"tanh": TANH}),
        load_run(tmp_path, activations={"tanh": TANH}).model,
    ):
        assert_equal(loaded, model)
        np.testing.assert_array_equal(loaded.predict_images(images), model.predict_images(images))


def test_an_activation_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    false_relu = Activation("relu", TANH.function, TANH.slope)
    with pytest.raises(UsageError, match='named "relu", but differs from that of jaxnet') as caught:
        save_model(tmp_path / "model.h5", make_model(hidden=false_relu))
    assert caught.value.remedy == 'rename it: Activation("my_relu", …)'
    assert not list(tmp_path.iterdir())

    save_model(tmp_path / "model.h5", make_model(hidden=relu))
    with pytest.raises(UsageError, match='the "relu" in activations differs'):
        load_model(tmp_path, activations={"relu": false_relu})
    with pytest.raises(UsageError, match="hidden is the function"):
        load_run(tmp_path, activations={"tanh": jnp.tanh})  # type: ignore[dict-item]
    assert load_model(tmp_path, activations={"relu": relu}).hidden == relu


def test_any_hdf5_tool_can_read_it(tmp_path: Path) -> None:
    save_model(tmp_path / "model.h5", make_model())
    with h5py.File(tmp_path / "model.h5") as file:
        assert dict(file.attrs) == {"format": b"jaxnet model", "format_version": 3}
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
    model = make_model()
    save_model(path, model)
    before = path.read_bytes()
    origin: dict[str, Any] = {"what": object()}
    broken = Stored(model, Checkpoint(model.params, np.empty(0)), None, None, origin)
    with pytest.raises(TypeError):
        write_model_file(path, broken)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]
    with pytest.raises(UsageError, match="could not be written"):
        save_model(tmp_path / "nowhere" / "model.h5", make_model())


def test_threads_that_save_to_one_path_all_succeed(tmp_path: Path) -> None:
    models = [make_model(hidden=hidden) for hidden in (relu, leaky_relu, relu)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda model: save_model(tmp_path / "model.h5", model), 4 * models))
    assert_equal(load_model(tmp_path), make_model(hidden=load_model(tmp_path).hidden))
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


def refused(path: Path, *parts: str) -> None:
    for load in (load_model, read_model_file):
        with pytest.raises(ModelFileError) as caught:
            load(path)
        for part in parts:
            assert part in str(caught.value)


def test_a_file_that_is_no_model(tmp_path: Path, h5: Callable[..., Path]) -> None:
    refused(tmp_path / "nowhere.h5", "there is no")
    (tmp_path / "run").mkdir()
    refused(tmp_path / "run", "model.h5")
    refused(h5(), "not a jaxnet model; it contains list_classes", "give the run folder")
    (tmp_path / "page.h5").write_text("<html>")
    refused(tmp_path / "page.h5", "an HTML page", "a model file of jaxnet")


@pytest.mark.parametrize("version", [4, 0, -1, 2.0, "2"])
def test_a_file_of_another_format(version: Any, tmp_path: Path) -> None:
    save_model(tmp_path / "model.h5", make_model())
    with h5py.File(tmp_path / "model.h5", "a") as file:
        file.attrs["format_version"] = fixed_length(version)
    refused(
        tmp_path, f"format version {version}", "a version up to 3", "the version of jaxnet that"
    )


def test_a_file_that_is_written_to_is_in_use(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    save_model(tmp_path / "model.h5", make_model())
    with (tmp_path / "model.h5").open("rb+") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)  # as the HDF5 library does while it writes
        refused(tmp_path, "cannot be read: it is in use", "close it there")
        writer.seek(-100, os.SEEK_END)  # and while it is half written
        before = writer.read(1)
        for written in (bytes([before[0] ^ 255]), before):
            writer.seek(-100, os.SEEK_END)
            writer.write(written)
            writer.flush()
            refused(tmp_path, "cannot be read: it is in use")
    load_model(tmp_path)


def test_too_little_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_model(tmp_path / "model.h5", make_model())

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("jaxnet.runs.model_file.read_array", fail)
    refused(tmp_path, "cannot be read: there is not enough memory", "enough free memory")


def test_a_device_that_is_missing_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(tmp_path / "model.h5", make_model())

    def fail(*_: object) -> None:
        raise RuntimeError("Unable to initialize backend 'cuda'")

    monkeypatch.setattr(jax, "devices", fail)
    with pytest.raises(UsageError, match="Unable to initialize backend 'cuda'"):
        load_model(tmp_path)


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
        file[group].attrs[name] = fixed_length(value)

    return change


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (remove("params/W1"), "params holds W2"),
        (remove("classes"), "classes"),
        (remove("settings"), "settings"),
        (remove("preprocessing"), "preprocessing"),
        (replace("params/W1", np.zeros((3, 47), "f4")), "W1 is for 47 features"),
        (replace("params/b1", np.zeros((4, 1))), "b1 (4, 1)"),
        (replace("params/W2", np.zeros((3, 1))), "W2 (3, 1)"),
        (replace("params/W1", np.zeros(5)), "a part missing or changed"),
        (replace("params/b2", np.full((1, 1), np.nan)), "b2 is not finite"),
        (replace("params/b2", "text"), "a part missing or changed"),
        (replace("classes", np.array([b"a", b"b", b"c"])), "a part missing or changed"),
        (replace("classes", np.array([b"a", b"a"])), "changed (classes is ('a', 'a'))"),
        (replace("params/b2", np.zeros((1, 1), int)), "b2 is of type int64"),
        (replace("params/b2", np.zeros((1, 1), complex)), "b2 is of type complex128"),
        (set_attribute("preprocessing", "height", -8), "height is -8"),
        (set_attribute("preprocessing", "height", 8.0), "height is 8.0 of type float"),
        (set_attribute("preprocessing", "color", "grey"), 'color is "grey"'),
        (set_attribute("preprocessing", "colour", "gray"), "colour"),
        (set_attribute("settings", "activation", "tanh"), 'the unknown activation "tanh"'),
    ],
)
def test_a_file_with_a_part_missing_or_changed(
    change: Callable[[h5py.File], None], found: str, tmp_path: Path
) -> None:
    save_model(tmp_path / "model.h5", make_model())
    with h5py.File(tmp_path / "model.h5", "a") as file:
        change(file)
    refused(tmp_path, found)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (replace("costs", ["a", "b"]), "costs is of type object"),
        (replace("costs", np.zeros(3, int)), "costs is of type int64"),
        (remove("costs"), "costs"),
        (remove("origin"), "origin"),
    ],
)
def test_a_run_with_a_part_missing_or_changed(
    change: Callable[[h5py.File], None], found: str, tmp_path: Path
) -> None:
    """The network itself can still be used."""
    save_model(tmp_path / "model.h5", make_model())
    with h5py.File(tmp_path / "model.h5", "a") as file:
        change(file)
    with pytest.raises(ModelFileError, match="a part missing or changed") as caught:
        load_run(tmp_path)
    assert found in str(caught.value)
    assert_equal(load_model(tmp_path), make_model())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off(share: float, tmp_path: Path) -> None:
    save_model(tmp_path / "model.h5", make_model())
    whole = (tmp_path / "model.h5").read_bytes()
    (tmp_path / "model.h5").write_bytes(whole[: int(share * len(whole))])
    refused(tmp_path, "cut off or damaged")
