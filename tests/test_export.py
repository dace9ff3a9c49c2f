"""Exported networks, read by other programs' own readers."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from conftest import Result
from test_model import make_model

from jaxnet.activations import relu
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.network import forward
from jaxnet.runs import export
from jaxnet.runs.export import KINDS, export_model
from jaxnet.runs.model_file import save_model

Run = Callable[..., Result]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_safetensors_and_npz_hold_the_parameters_bit_for_bit(dtype: str, tmp_path: Path) -> None:
    with jax.enable_x64(dtype == "float64"):
        model = make_model(dtype)
    for kind in ("safetensors", "npz"):
        export_model(model, tmp_path / f"a.{kind}", kind)
    with safetensors.safe_open(tmp_path / "a.safetensors", "numpy") as file:
        texts = file.metadata()
    npz = np.load(tmp_path / "a.npz")
    for arrays in (safetensors.numpy.load_file(tmp_path / "a.safetensors"), npz):
        for name, leaf in model.params.items():
            assert arrays[name].dtype == dtype
            np.testing.assert_array_equal(arrays[name], leaf)
    for name, text in texts.items():
        assert str(npz[name]) == text
    assert json.loads(texts["classes"]) == ["non-cat", "cät"]
    assert texts["activation"] == "leaky_relu"
    assert json.loads(texts["preprocessing"]) == {
        "height": 8,
        "width": 6,
        "color": "gray",
        "scale": "unit",
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stablehlo_holds_the_function_for_any_number_of_examples(
    dtype: str, tmp_path: Path
) -> None:
    with jax.enable_x64(dtype == "float64"):
        model = make_model(dtype)
    export_model(model, tmp_path / "a.stablehlo", "stablehlo")  # whatever JAX is set to
    with jax.enable_x64(dtype == "float64"):
        exported = jax.export.deserialize(bytearray((tmp_path / "a.stablehlo").read_bytes()))
        assert exported.platforms == export.PLATFORMS
        compiled = jax.jit(forward, static_argnums=2)
        for m in (1, 2, 30):
            X = jax.device_put(np.random.default_rng(m).uniform(0, 1, (48, m)).astype(dtype))
            ours = compiled(model.params, X, model.hidden).A2
            np.testing.assert_allclose(exported.call(X), ours, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_the_network_is_not_left_behind(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, other = make_model(), make_model()
    other.params["W1"] = other.params["W1"][:, ::-1]
    written = KINDS[kind]
    wrong = written._replace(write=lambda _, path: written.write(other, path))
    monkeypatch.setitem(KINDS, kind, wrong)
    with pytest.raises(ModelFileError, match="does not contain the same network"):
        export_model(model, tmp_path / "a", kind)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_other_texts_are_seen(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model()
    other = dataclasses.replace(model, hidden=relu)
    written = KINDS[kind]
    wrong = written._replace(write=lambda _, path: written.write(other, path))
    monkeypatch.setitem(KINDS, kind, wrong)
    with pytest.raises(ModelFileError, match="does not contain the same network"):
        export_model(model, tmp_path / "a", kind)


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='"safetensors" or "npz" or "stablehlo"'):
        export_model(make_model(), tmp_path / "a", "pickle")


def test_the_command(jaxnet: Run) -> None:
    Path("run").mkdir()
    save_model("run/model.h5", make_model())
    for kind in KINDS:
        result = jaxnet("export", "run", "--format", kind)
        assert result.code == 0
        path = f"run/model{KINDS[kind].suffix}"
        assert f"written: {path}, verified" in result.out
        assert Path(path).exists()
    again = jaxnet("export", "run", "--format", "npz")
    assert again.code == 2
    assert "model.npz exists already" in again.err
    answer = json.loads(
        jaxnet("export", "run/model.h5", "--out", "b", "--json", "--format", "npz").out
    )
    assert answer["bytes"] == Path("b").stat().st_size
    assert jaxnet("export", "nowhere").code == 2
