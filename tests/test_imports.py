"""Networks that others trained predict here what they predict there, or are refused in words."""

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from conftest import Result
from sklearn.neural_network import MLPClassifier

from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError, ModelFileError, UsageError
from jaxnet.runs.imports import import_classifier, import_model
from jaxnet.runs.run import load_run

Run = Callable[..., Result]
Arrays = dict[str, np.ndarray]

GRAY = Preprocessing(8, 6, "gray", "unit")
CLASSES = ("dog", "cat")


def state_dict(n_x: int = 48, outputs: int = 1, names: tuple[str, str] = ("0", "2")) -> Arrays:
    """Draw what `state_dict` of two linear layers of PyTorch holds, as arrays of NumPy."""
    draw = np.random.default_rng(0)
    shapes = {"weight": (5, n_x), "bias": (5,)}, {"weight": (outputs, 5), "bias": (outputs,)}
    return {
        f"{name}.{kind}": draw.normal(0, 0.5, shape).astype(np.float32)
        for name, layer in zip(names, shapes, strict=True)
        for kind, shape in layer.items()
    }


def torch_predicts(arrays: Arrays, x: np.ndarray, names: tuple[str, str] = ("0", "2")) -> Any:
    """Compute sigmoid(Linear(ReLU(Linear(x)))), or softmax, as PyTorch defines them."""
    for name in names:
        last = x @ arrays[f"{name}.weight"].T.astype(float) + arrays[f"{name}.bias"]
        x = np.maximum(last, 0)
    if last.shape[1] == 1:
        return 1 / (1 + np.exp(-last[:, 0]))
    return (np.exp(last) / np.exp(last).sum(1, keepdims=True))[:, 1]


def grey(images: np.ndarray) -> np.ndarray:
    return images @ np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("names", [("0", "2"), ("hidden", "classifier"), ("z", "a")])
def test_a_state_dict_predicts_as_in_pytorch(
    outputs: int, names: tuple[str, str], images: np.ndarray
) -> None:
    arrays = state_dict(outputs=outputs, names=names)
    imported = import_model(arrays, "pytorch", GRAY, CLASSES)
    expected = torch_predicts(arrays, grey(images).reshape(12, -1) / 255, names)
    np.testing.assert_allclose(imported.model.predict_images(images), expected, rtol=1e-5)
    assert imported.model.classes == CLASSES
    assert imported.outputs == outputs
    assert imported.arrays[0] == f"{names[0]}.weight"
    assert imported.pictures == 64
    assert imported.deviation < 1e-6


@pytest.mark.parametrize("channels", ["first", "last"])
def test_colours_in_both_orders(channels: str, images: np.ndarray) -> None:
    arrays = state_dict(n_x=3 * 48)
    how = Preprocessing(8, 6, "rgb", "symmetric")
    x = images.transpose(0, 3, 1, 2) if channels == "first" else images
    expected = torch_predicts(arrays, x.reshape(12, -1) / 127.5 - 1)
    model = import_model(arrays, "pytorch", how, CLASSES, channels=channels).model
    np.testing.assert_allclose(model.predict_images(images), expected, rtol=1e-4)
    with pytest.raises(UsageError, match="order of numbers is not given"):
        import_model(arrays, "pytorch", how, CLASSES)
    with pytest.raises(UsageError, match='"first" or "last"'):
        import_model(arrays, "pytorch", how, CLASSES, channels="middle")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("activation", "dtype"),
    [
        ("relu", "float32"),
        ("logistic", "float64"),
        pytest.param("relu", "float64", marks=pytest.mark.slow),
        pytest.param("logistic", "float32", marks=pytest.mark.slow),
    ],
)
def test_a_classifier_of_scikit_learn_predicts_the_same(
    activation: str, dtype: str, images: np.ndarray, tmp_path: Path
) -> None:
    x = (grey(images).reshape(12, -1) / 255).astype(dtype)
    mlp = MLPClassifier((5,), activation=activation, max_iter=20, random_state=0)
    mlp.fit(x, np.arange(12) % 2)
    expected = mlp.predict_proba(x)[:, 1]
    imported = import_classifier(mlp, GRAY)
    assert imported.model.classes == ("0", "1")
    assert imported.model.params["W1"].dtype == dtype
    np.savez(tmp_path / "mlp.npz", *mlp.coefs_, *mlp.intercepts_)
    name = {"logistic": "sigmoid"}.get(activation, activation)
    again = import_model(tmp_path / "mlp.npz", "sklearn", GRAY, CLASSES, activation=name)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for model in (imported.model, again.model):
        np.testing.assert_allclose(model.predict_images(images), expected, rtol=tolerance)


def test_other_classifiers_are_refused() -> None:
    with pytest.raises(UsageError, match="without coefs_"):
        import_classifier(MLPClassifier(), GRAY)
    mlp = MLPClassifier((5,), activation="tanh", max_iter=1)
    mlp.coefs_, mlp.intercepts_ = [], []
    with pytest.raises(UsageError, match='is "tanh"'):
        import_classifier(mlp, GRAY)


LAYERS = state_dict()


@pytest.mark.parametrize(
    ("framework", "arrays", "found"),
    [
        ("pytorch", state_dict(n_x=47), "0.weight (5, 47)"),
        ("pytorch", state_dict(outputs=3), "2.weight (3, 5)"),
        ("pytorch", LAYERS | {"4.weight": np.zeros((1, 1), np.float32)}, "4.weight (1, 1)"),
        ("pytorch", {k: v for k, v in LAYERS.items() if k != "0.bias"}, "these are not"),
        ("pytorch", LAYERS | {"0.weight": np.zeros((5, 3, 4, 4), np.float32)}, "(5, 3, 4, 4)"),
        ("pytorch", {"scale": np.float32(1), **LAYERS}, "scale ()"),
        ("sklearn", LAYERS, "these are not"),
        ("pytorch", LAYERS | {"0.bias": np.zeros(5, np.float16)}, "0.bias is of type float16"),
        ("pytorch", LAYERS | {"0.bias": np.zeros(5)}, "float32 and float64"),
        ("pytorch", LAYERS | {"0.bias": np.full(5, np.nan, np.float32)}, "0.bias is not finite"),
        ("pytorch", {}, "these are not"),
    ],
)
def test_arrays_of_other_networks_are_refused(framework: str, arrays: Arrays, found: str) -> None:
    with pytest.raises(DataError) as caught:
        import_model(arrays, framework, GRAY, CLASSES)
    assert found in str(caught.value)


def test_what_fits_in_two_ways_is_refused_unless_names_tell(images: np.ndarray) -> None:
    """One hidden unit: both biases have the shape (1,)."""
    draw = np.random.default_rng(0)
    arrays = {
        "a": draw.normal(size=(48, 1)),
        "b": draw.normal(size=1),
        "c": draw.normal(size=(1, 1)),
        "d": draw.normal(size=1),
    }
    with pytest.raises(DataError, match="several orders") as caught:
        import_model(arrays, "sklearn", GRAY, CLASSES)
    names = caught.value.remedy.split("name them ")[1].split(", and")[0].split(", ")
    named = dict(zip(names, arrays.values(), strict=True))
    model = import_model(named, "sklearn", GRAY, CLASSES).model
    hidden = np.maximum(grey(images).reshape(12, -1) / 255 @ arrays["a"] + arrays["b"], 0)
    expected = 1 / (1 + np.exp(-(hidden @ arrays["c"] + arrays["d"])[:, 0]))
    np.testing.assert_allclose(model.predict_images(images), expected, rtol=1e-10)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net"

    def refusal() -> ModelFileError:
        with pytest.raises(ModelFileError) as caught:
            import_model(path, "pytorch", GRAY, CLASSES)
        return caught.value

    assert "there is no" in refusal().found
    path.write_bytes(pickle.dumps(LAYERS))
    assert "is a Python pickle" in refusal().found
    assert "safetensors.torch.save_file" in refusal().remedy
    header = json.dumps({"a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0")
    assert "is of type BF16" in refusal().found
    path.write_bytes(path.read_bytes()[:-1])
    assert "cut off or damaged" in refusal().found
    np.savez(tmp_path / "objects.npz", a=np.array([{}], object))
    path.write_bytes((tmp_path / "objects.npz").read_bytes())
    assert "holds Python objects" in refusal().found


def test_one_that_predicts_something_else_is_not_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jaxnet.runs.imports._predict", lambda *_: np.full(64, 0.123))
    with pytest.raises(DataError, match="deviates from its source by up to"):
        import_model(LAYERS, "pytorch", GRAY, CLASSES)


def test_the_command(jaxnet: Run, images: np.ndarray, folder: Path) -> None:
    safetensors.numpy.save_file(LAYERS, "net.safetensors")
    how = ("--from", "pytorch", "--size", "8x6", "--color", "gray", "--pixel-scale", "unit")
    done = jaxnet("import", "net.safetensors", *how, "--classes", "dog", "cat", "--out", "mine")
    assert done.code == 0, done.err
    assert "48 inputs, 5 units (relu), 1 output, float32: 0.weight, 0.bias" in done.out
    assert "written: mine/model.h5, verified against its arrays" in done.out
    run = load_run("mine")
    expected = torch_predicts(LAYERS, grey(images).reshape(12, -1) / 255)
    np.testing.assert_allclose(run.model.predict_images(images), expected, rtol=1e-5)
    assert run.origin["imported"] == "pytorch, net.safetensors"
    assert jaxnet("predict", "mine", folder / "cat").code == 0
    assert "does not record the settings" in jaxnet("page", "mine").err
    again = jaxnet("import", "net.safetensors", *how, "--classes", "a", "b", "--out", "mine")
    assert (again.code, "is not empty" in again.err) == (2, True)
    answer = json.loads(
        jaxnet("import", "net.safetensors", *how, "--classes", "a", "b", "--json").out
    )
    assert answer["run"] == "runs/001"
    assert answer["arrays"] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    wrong = jaxnet("import", "net.safetensors", *how[:3], "8y6", *how[4:], "--classes", "a", "b")
    assert (wrong.code, '--size is "8y6"' in wrong.err) == (2, True)
    colour = jaxnet(
        *("import", "net.safetensors", "--from", "pytorch", "--size", "4"),
        *("--color", "rgb", "--pixel-scale", "unit", "--classes", "a", "b"),
    )
    assert "as in --channels first" in colour.err
