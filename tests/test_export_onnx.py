"""The ONNX graph of a network computes its probabilities, in onnxruntime and in onnx itself."""

import json
import sys
from pathlib import Path

import jax
import numpy as np
import onnx
import onnxruntime
import pytest
from test_model import TANH, make_model

from jaxnet.activations import ACTIVATIONS
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import UsageError
from jaxnet.network import init_params
from jaxnet.runs.export import export_model
from jaxnet.runs.export_onnx import open_onnx
from jaxnet.runs.model import Model


@pytest.mark.parametrize(
    ("color", "pixel_scale"), [("gray", "symmetric"), ("rgb", "unit"), ("gray", "raw")]
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_computes_what_the_network_does(
    color: str,
    pixel_scale: str,
    activation: str,
    dtype: str,
    images: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    how = Preprocessing(8, 6, color, pixel_scale)
    size = 0.001 if pixel_scale == "raw" else 0.3
    with jax.enable_x64(True):
        params = init_params(jax.random.key(0), how.n_x, 3, weight_scale=size, dtype=dtype)
    model = Model(params, how, ("a", "b"), ACTIVATIONS[activation])
    path, ours = tmp_path / "model.onnx", model.predict_images(images)
    exported = export_model(model, path, "onnx", images)
    assert 0.001 < ours.min() < ours.max() < 0.999  # where deviations show
    assert exported.deviation < 64 * np.finfo(dtype).eps
    assert exported.run_by == f"onnxruntime {onnxruntime.__version__}"
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    predict, run_by = open_onnx(path)
    assert run_by == f"onnx {onnx.__version__}"
    probabilities = predict(images)
    assert probabilities.dtype == dtype
    assert (np.abs(probabilities - ours) < 64 * np.finfo(dtype).eps).all()


def test_what_it_states(tmp_path: Path, images: np.ndarray) -> None:
    """The operator set and the IR version are those of onnxruntime 1.7."""
    model = make_model()
    export_model(model, tmp_path / "model.onnx", "onnx")
    graph = onnx.load(tmp_path / "model.onnx")
    assert [(opset.domain, opset.version) for opset in graph.opset_import] == [("", 13)]
    assert graph.ir_version == 7
    texts = {entry.key: entry.value for entry in graph.metadata_props}
    assert json.loads(texts["classes"]) == ["non-cat", "cät"]
    assert json.loads(texts["preprocessing"])["scale"] == "unit"
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, taken.shape) == ("images", "tensor(uint8)", ["N", 8, 6, 3])
    assert (given.name, given.type, given.shape) == ("probability", "tensor(float)", ["N"])
    for m in (1, 12):
        assert session.run(None, {"images": images[:m]})[0].shape == (m,)


def test_without_its_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match="package onnx, which is not installed") as caught:
        export_model(make_model(), tmp_path / "model.onnx", "onnx")
    assert caught.value.expected == "the extra onnx of jaxnet"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["onnx", "numpy"])
def test_an_activation_of_ones_own_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='"tanh" is your own') as caught:
        export_model(make_model(hidden=TANH), tmp_path / "model", kind)
    assert "stablehlo" in caught.value.remedy
    assert not list(tmp_path.iterdir())
