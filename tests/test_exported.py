"""What `export_model` wrote is read as the same network, or refused in words."""

import dataclasses
import json
import os
from pathlib import Path

import jax
import numpy as np
import pytest
import safetensors.numpy
from test_model import make_model

from jaxnet.activations import relu
from jaxnet.errors import ModelFileError
from jaxnet.runs.export import export_model
from jaxnet.runs.model import Model
from jaxnet.runs.model_file import load_model, save_model
from jaxnet.runs.run import load_run

KINDS = ("npz", "safetensors")


def write(path: Path, arrays: dict[str, np.ndarray], texts: dict[str, str]) -> None:
    if path.suffix == ".npz":
        np.savez(path, allow_pickle=False, **arrays, **{k: np.array(v) for k, v in texts.items()})
    else:
        safetensors.numpy.save_file(arrays, path, metadata=texts)


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_is_read_as_the_same_network(
    kind: str, tmp_path: Path, images: np.ndarray
) -> None:
    model = make_model()
    path = tmp_path / f"renamed.{kind}.bin"  # known by its content
    export_model(model, path, kind)
    again = load_model(path)
    jax.tree.map(np.testing.assert_array_equal, again.params, model.params)
    assert (again.preprocessing, again.classes) == (model.preprocessing, model.classes)
    assert again.hidden == model.hidden
    np.testing.assert_array_equal(again.predict_images(images), model.predict_images(images))
    run = load_run(path)
    assert run.settings is None
    assert len(run.costs) == 0


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("kind", KINDS)
def test_float64_and_own_activations_are_kept(kind: str, tmp_path: Path) -> None:
    model = make_model()
    own = dataclasses.replace(relu, name="own")
    wide = {name: np.asarray(leaf, np.float64) for name, leaf in model.params.items()}
    model = Model(jax.device_put(wide), model.preprocessing, model.classes, own)
    path = tmp_path / f"model.{kind}"
    export_model(model, path, kind)
    with jax.enable_x64(False):
        again = load_model(path, {"own": own})
    assert again.params["W1"].dtype == np.float64
    with pytest.raises(ModelFileError, match='the activation "own" is unknown'):
        load_model(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"W2": None}, "without W2"),
        ({"classes": None}, "without classes"),
        ({"W1": np.zeros((3, 5), np.float32)}, "W1 is for 5 features"),
        ({"b1": np.zeros((4, 1), np.float32)}, "b1"),
        ({"b2": np.full((1, 1), np.inf, np.float32)}, "not finite"),
        ({"classes": "[1"}, "Expecting"),
        ({"classes": '["cat"]'}, "not enough values"),
        ({"preprocessing": '{"scale": "unit"}'}, "preprocessing holds pixel_scale"),
        ({"activation": "swish"}, '"swish" is unknown'),
    ],
)
def test_one_with_a_part_missing_or_changed_is_refused(
    kind: str, changes: dict[str, object], found: str, tmp_path: Path
) -> None:
    model = make_model()
    parts: dict[str, object] = {name: np.asarray(leaf) for name, leaf in model.params.items()}
    preprocessing = {"height": 8, "width": 6, "color": "rgb", "scale": "unit"}
    parts |= {"activation": "relu", "classes": json.dumps(model.classes)}
    parts |= {"preprocessing": json.dumps(preprocessing)}
    parts = {name: part for name, part in (parts | changes).items() if part is not None}
    path = tmp_path / f"model.{kind}"
    write(
        path,
        {name: part for name, part in parts.items() if isinstance(part, np.ndarray)},
        {name: part for name, part in parts.items() if isinstance(part, str)},
    )
    with pytest.raises(ModelFileError) as caught:
        load_model(path)
    assert found in caught.value.found
    assert str(path) in caught.value.found


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_cut_off_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{kind}"
    export_model(make_model(), path, kind)
    whole = path.read_bytes()
    for size in (40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelFileError, match=path.name):
            load_model(path)


def test_an_exported_function_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.stablehlo"
    export_model(make_model(), path, "stablehlo")
    with pytest.raises(ModelFileError, match="exported function"):
        load_model(path)


def test_of_a_folder_of_runs_the_newest_is_named(tmp_path: Path) -> None:
    for name in ("2", "1"):
        (tmp_path / name).mkdir()
        save_model(tmp_path / name / "model.h5", make_model())
    os.utime(tmp_path / "2" / "model.h5", (1, 1))
    with pytest.raises(ModelFileError) as caught:
        load_model(tmp_path)
    assert "is a folder of runs" in caught.value.found
    assert caught.value.remedy.endswith(f"the newest is {tmp_path / '1'}")
