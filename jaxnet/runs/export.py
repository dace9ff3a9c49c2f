"""A trained network for other programs, run and compared with the network before it is kept.

safetensors and npz hold W1, b1, W2 and b2; with them, as text, the classes, the activation and how
pictures become columns. StableHLO holds the function from X (n_x, m), any m, to the probabilities
A2 (1, m), for CPU, CUDA and TPU; `jax.export.deserialize` reads it without jaxnet. ONNX holds the
function from pictures to probabilities (`export_onnx.py`); numpy is a Python file that predicts
picture files (`export_numpy.py`).
"""

import json
import platform
import runpy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import PIL
import safetensors.numpy
from jax import export
from PIL import Image

from jaxnet.activations import ACTIVATIONS
from jaxnet.data.dataset import check_images
from jaxnet.data.pictures import resize_images
from jaxnet.devices import at_precision
from jaxnet.errors import ModelFileError, UsageError, require_choice
from jaxnet.io.bounded_npz import NPZ
from jaxnet.io.bounded_tensors import SAFETENSORS
from jaxnet.io.files import write_whole
from jaxnet.network import forward
from jaxnet.runs.export_numpy import write_numpy
from jaxnet.runs.export_onnx import open_onnx, write_onnx
from jaxnet.runs.exported import read_exported
from jaxnet.runs.model import Model, preprocessing_attributes
from jaxnet.runs.sample import draw_sample, try_on

PLATFORMS = ("cpu", "cuda", "tpu")

# From images (m, h, w, 3) uint8 of the network's size to probabilities (m,).
Predict = Callable[[np.ndarray], np.ndarray]


class Exported(NamedTuple):
    """A network in another format, as it was verified.

    Attributes:
        path: The file.
        kind: The format.
        bytes: The size of the file.
        pictures: On how many pictures it was run.
        deviation: The largest difference of a probability from the network's.
        run_by: What ran it.
    """

    path: Path
    kind: str
    bytes: int
    pictures: int
    deviation: float
    run_by: str


class Kind(NamedTuple):
    """A format: how it is written, and how what was written is opened again and by what.

    Attributes:
        suffix: That of the file.
        write: Write the network.
        open: Return the written function, and what runs it.
        any_activation: Whether an activation of the user's own can be written.
        ensembles: Whether an ensemble can be written.
    """

    suffix: str
    write: Callable[[Model, Path], None]
    open: Callable[[Model, Path], tuple[Predict, str]]
    any_activation: bool = True
    ensembles: bool = False


def export_model(
    model: Model, path: str | Path, kind: str, images: np.ndarray | None = None
) -> Exported:
    """Write a network in another format, once what was written predicts what the network does.

    Args:
        model: The network.
        path: Where to; an older file is replaced.
        kind: "safetensors", "npz", "stablehlo", "onnx" or "numpy".
        images: The pictures (m, h, w, 3) uint8 on which both are run; by default drawn ones.

    Raises:
        DataError: If `images` is not of this type and shape.
        UsageError: If the kind is none of these, it cannot be written there, a package is missing,
            or the format does not know the activation, or no ensemble.
        ModelFileError: If what was written is not the network; no file is left then.
    """
    require_choice("kind", kind, KINDS)
    written = KINDS[kind]
    if not (written.any_activation or ACTIVATIONS.get(model.hidden.name) == model.hidden):
        raise UsageError(
            f'the activation "{model.hidden.name}" is your own, which {kind} does not know',
            " or ".join(f'"{name}"' for name in ACTIVATIONS),
            'use kind="stablehlo", which holds any function',
        )
    if model.members and not written.ensembles:
        raise UsageError(
            f"the model is an ensemble of {len(model.members)} networks, and {kind} holds one",
            "a single network, or a format that holds the whole function",
            'use kind="stablehlo"; or export one: dataclasses.replace(model, members=())',
        )
    images = draw_sample().images if images is None else np.asarray(images)
    check_images(images.shape, images.dtype, "images")
    images = resize_images(images, model.preprocessing.height, model.preprocessing.width)
    with at_precision(model.params["W1"].dtype), write_whole(path) as temporary:
        written.write(model, temporary)
        predict, run_by = written.open(model, temporary)
        trial = try_on(model, images, predict(images))
        if not trial.same:
            raise _not_the_same(kind)
        size = temporary.stat().st_size
    return Exported(Path(path), kind, size, len(images), trial.deviation, run_by)


def _not_the_same(kind: str) -> ModelFileError:
    return ModelFileError(
        f"the {kind} file does not contain the same network",
        "the same parameters, or the same probabilities, when the file is read back",
        "use another format, and report this as a bug of jaxnet",
    )


def _describe(model: Model) -> dict[str, str]:
    """Say in texts what is needed beside the parameters."""
    return {
        "classes": json.dumps(model.classes),
        "activation": model.hidden.name,
        "preprocessing": json.dumps(preprocessing_attributes(model.preprocessing)),
    }


def _arrays(model: Model) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(leaf) for name, leaf in model.params.items()}


def _write_safetensors(model: Model, path: Path) -> None:
    safetensors.numpy.save_file(_arrays(model), path, metadata=_describe(model))


def _write_npz(model: Model, path: Path) -> None:
    arrays = _arrays(model) | {name: np.array(text) for name, text in _describe(model).items()}
    with path.open("wb") as file:  # given a name, NumPy would append .npz to it
        np.savez(file, allow_pickle=False, **arrays)


def _open_parameters(content: str) -> Callable[[Model, Path], tuple[Predict, str]]:
    """Make the function that reads parameters back, and compares them bit for bit."""

    def opened(model: Model, path: Path) -> tuple[Predict, str]:
        again = read_exported(path, content, ACTIVATIONS | {model.hidden.name: model.hidden})
        same = _describe(again) == _describe(model) and all(
            leaf.dtype == model.params[name].dtype and np.array_equal(leaf, model.params[name])
            for name, leaf in again.params.items()
        )
        if not same:
            raise _not_the_same(content)
        return again.predict_images, "jaxnet"

    return opened


def _write_stablehlo(model: Model, path: Path) -> None:
    (m,) = export.symbolic_shape("m")
    X = jax.ShapeDtypeStruct((model.preprocessing.n_x, m), model.params["W1"].dtype)

    def probabilities(X: jax.Array) -> jax.Array:
        each = [forward(params, X, model.hidden).A2 for params in model.networks]
        return sum(each[1:], each[0]) / len(each)

    exported = export.export(jax.jit(probabilities), platforms=PLATFORMS)(X)
    path.write_bytes(exported.serialize())


def _open_stablehlo(model: Model, path: Path) -> tuple[Predict, str]:
    exported = export.deserialize(bytearray(path.read_bytes()))

    def predict(images: np.ndarray) -> np.ndarray:
        X = model.preprocessing.columns(images, model.params["W1"].dtype)
        return np.asarray(exported.call(X))[0]

    return predict, f"JAX {jax.__version__}"


def _open_onnx(model: Model, path: Path) -> tuple[Predict, str]:
    return open_onnx(path)


def _open_numpy(model: Model, path: Path) -> tuple[Predict, str]:
    predict_files = runpy.run_path(str(path))["predict_files"]

    def predict(images: np.ndarray) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, f"{i}.png") for i in range(len(images))]
            for image, file in zip(images, files, strict=True):
                Image.fromarray(image).save(file)
            return np.asarray(predict_files(files))

    versions = f"NumPy {np.__version__} and Pillow {PIL.__version__}"
    return predict, f"Python {platform.python_version()} with {versions}"


KINDS: dict[str, Kind] = {
    "safetensors": Kind(".safetensors", _write_safetensors, _open_parameters(SAFETENSORS)),
    "npz": Kind(".npz", _write_npz, _open_parameters(NPZ)),
    "stablehlo": Kind(".stablehlo", _write_stablehlo, _open_stablehlo, ensembles=True),
    "onnx": Kind(
        ".onnx",
        lambda model, path: write_onnx(model, path, _describe(model)),
        _open_onnx,
        any_activation=False,
    ),
    "numpy": Kind(".py", write_numpy, _open_numpy, any_activation=False),
}
