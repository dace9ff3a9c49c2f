"""A network of one hidden layer that PyTorch or scikit-learn trained, from its arrays.

Files are read without unpickling: a `state_dict` in safetensors, `coefs_` and `intercepts_` in npz.
Before a network counts as imported, it is compared with its source: the arrays as they are, in
their own layout, computed by NumPy in float64.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnet.activations import ACTIVATIONS
from jaxnet.arrays import PARAM_NAMES
from jaxnet.data.pictures import resize_images
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.devices import at_precision
from jaxnet.errors import DataError, ModelFileError, UsageError, require_choice
from jaxnet.io.attributes import Value
from jaxnet.io.bounded_npz import NPZ, read_headers, read_member
from jaxnet.io.bounded_tensors import SAFETENSORS
from jaxnet.io.content import describe_content
from jaxnet.io.files import expand, require_path
from jaxnet.io.names import MODEL_NAME
from jaxnet.runs.checkpoint import Checkpoint
from jaxnet.runs.exported import read_tensors
from jaxnet.runs.folder import claim_folder
from jaxnet.runs.layers import Names, find_layers
from jaxnet.runs.model import Model, params_from
from jaxnet.runs.model_file import Stored, write_model_file
from jaxnet.runs.sample import draw_sample, try_on
from jaxnet.runs.standalone import NUMPY_ACTIVATIONS

FRAMEWORKS = ("pytorch", "sklearn")
CHANNELS = ("first", "last")

_SAVE = {
    "pytorch": 'in PyTorch: safetensors.torch.save_file(net.state_dict(), "net.safetensors")',
    "sklearn": 'in scikit-learn: numpy.savez("mlp.npz", *mlp.coefs_, *mlp.intercepts_)',
}


class Imported(NamedTuple):
    """A network from elsewhere, as it was verified.

    Attributes:
        model: The network.
        framework: Where it is from: "pytorch" or "sklearn".
        arrays: The names of the arrays that became W1, b1, W2 and b2.
        outputs: 1, a sigmoid; or 2, a softmax, which is a sigmoid of their difference.
        pictures: On how many pictures both were computed.
        deviation: The largest difference of a probability.
        origin: What the model file states of it.
    """

    model: Model
    framework: str
    arrays: Names
    outputs: int
    pictures: int
    deviation: float
    origin: dict[str, Value]

    def save(self, folder: str | Path | None = None, *, force: bool = False) -> Path:
        """Write the network into a folder like that of a run; return it.

        Args:
            folder: A new or an empty folder; by default the next free one of runs/001, …
            force: Whether to take a folder that holds something.

        Raises:
            UsageError: If the folder holds something or cannot be written to.
        """
        folder = claim_folder(None if folder is None else Path(folder), force=force)
        checkpoint = Checkpoint(self.model.params, np.empty(0))
        write_model_file(
            folder / MODEL_NAME, Stored(self.model, checkpoint, None, None, self.origin)
        )
        return folder


def import_model(
    source: Mapping[str, Any] | str | Path,
    framework: str,
    preprocessing: Preprocessing,
    classes: tuple[str, str],
    *,
    activation: str = "relu",
    channels: str | None = None,
) -> Imported:
    """Make a model of the arrays of a network with one hidden layer.

    Args:
        source: The arrays by name, as in a `state_dict`; or a file of them: safetensors or npz.
        framework: "pytorch": two linear layers, whose arrays are named NAME.weight (out, in) and
            NAME.bias (out,). "sklearn": `coefs_` (in, out) and `intercepts_` (out,) of an
            `MLPClassifier`. Which layer is the first the shapes tell. The last one has one output,
            a sigmoid, or in PyTorch two, a softmax.
        preprocessing: How pictures became the network's input.
        classes: The names of class 0 and of class 1, whose probability it predicts.
        activation: That of the hidden units: "relu", "leaky_relu" or "sigmoid" (scikit-learn's
            "logistic").
        channels: For colour pictures, whether each was flattened with the three colours "first", as
            PyTorch's tensors (3, h, w), or "last", as arrays (h, w, 3).

    Raises:
        ModelFileError: If the file cannot be used.
        DataError: If the arrays are not those of such a network.
        UsageError: If an argument is out of its range, or `channels` is missing.
    """
    require_choice("framework", framework, FRAMEWORKS)
    require_choice("activation", activation, ACTIVATIONS)
    channels = _require_channels(channels, preprocessing)
    origin: dict[str, Value] = {"imported": framework}
    if isinstance(source, str | Path):
        path = expand(source)
        origin["imported"] = f"{framework}, {path.name}"
        arrays = _read(path, framework)
        origin["imported_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    else:
        arrays = {str(name): np.asarray(array) for name, array in source.items()}
    _check(arrays)
    names = find_layers(arrays, framework, preprocessing.n_x)
    W1, b1, W2, b2 = parts = [arrays[name] for name in names]
    if framework == "sklearn":
        W1, W2 = W1.T, W2.T
    if channels == "first":  # (n_h, 3 · h · w) to (n_h, h · w · 3)
        shape = (len(W1), 3, preprocessing.height, preprocessing.width)
        W1 = W1.reshape(shape).transpose(0, 2, 3, 1).reshape(W1.shape)
    outputs = len(W2)
    if outputs == 2:  # softmax (z₀, z₁) = sigmoid (z₁ − z₀)
        W2, b2 = W2[1:] - W2[:1], b2[1:] - b2[:1]
    ours = {"W1": W1, "b1": b1[:, None], "W2": W2, "b2": b2[:, None]}
    with at_precision(W1.dtype):
        params = params_from({name: np.ascontiguousarray(ours[name]) for name in PARAM_NAMES})
        model = Model(params, preprocessing, classes, ACTIVATIONS[activation])
        images = resize_images(draw_sample().images, preprocessing.height, preprocessing.width)
        theirs = _predict(parts, framework, preprocessing, activation, channels, images)
        trial = try_on(model, images, theirs)
    if not trial.same:
        raise DataError(
            f"the imported network deviates from its source by up to {trial.deviation:.2g}",
            "the same probabilities",
            "report this as a bug of jaxnet",
        )
    return Imported(model, framework, names, outputs, len(images), trial.deviation, origin)


def import_classifier(
    classifier: Any,
    preprocessing: Preprocessing,
    classes: tuple[str, str] | None = None,
    *,
    channels: str | None = None,
) -> Imported:
    """Make a model of a fitted `MLPClassifier` of scikit-learn, with one hidden layer.

    Args:
        classifier: The classifier.
        preprocessing: As for `import_model`.
        classes: As for `import_model`; by default the classifier's own labels, as texts.
        channels: As for `import_model`.

    Raises:
        DataError: If it is of another shape.
        UsageError: If it is none or not fitted, or has another activation.
    """
    parts = [getattr(classifier, name, None) for name in ("coefs_", "intercepts_")]
    if None in parts:
        raise UsageError(
            f"the classifier is of type {type(classifier).__name__}, without coefs_",
            "a fitted MLPClassifier",
            "fit it; of a pipeline, give the last step",
        )
    activation = {"logistic": "sigmoid"}.get(classifier.activation, classifier.activation)
    if activation not in ACTIVATIONS:
        raise UsageError(
            f'the activation of the classifier is "{classifier.activation}"',
            '"relu" or "logistic"',
            "train it with one of these",
        )
    arrays = {
        f"{kind}_{i}": array
        for kind, layers in zip(("coefs", "intercepts"), parts, strict=True)
        for i, array in enumerate(layers or ())
    }
    if classes is None:
        negative, positive = (str(label) for label in classifier.classes_)
        classes = (negative, positive)
    return import_model(
        arrays, "sklearn", preprocessing, classes, activation=activation, channels=channels
    )


def _require_channels(channels: str | None, preprocessing: Preprocessing) -> str:
    if preprocessing.color == "gray":
        return "last"
    if channels is None:
        raise UsageError(
            "the network takes colour pictures, and their order of numbers is not given",
            "channels: first, as in PyTorch's tensors (3, h, w), or last, as in arrays (h, w, 3)",
            'say which, as in channels="first"',
        )
    require_choice("channels", channels, CHANNELS)
    return channels


def _read(path: Path, framework: str) -> dict[str, np.ndarray]:
    """Read the arrays of a file, without unpickling anything."""
    require_path(path, error=ModelFileError)
    content = "a folder" if path.is_dir() else describe_content(path)
    if content == SAFETENSORS:
        return read_tensors(path)
    if content == NPZ:
        try:
            return {name: read_member(path, name) for name in read_headers(path)}
        except DataError as cause:
            raise ModelFileError(cause.found, cause.expected, cause.remedy) from cause
    raise ModelFileError(
        f"{path} is {content}",
        "a safetensors file or a NumPy archive (.npz), which hold arrays only",
        _SAVE[framework],
    )


def _check(arrays: Mapping[str, np.ndarray]) -> None:
    """Raise a DataError unless all arrays are finite numbers of one type that JAX computes in."""
    for name, array in arrays.items():
        if array.dtype not in (np.float32, np.float64):
            raise DataError(
                f"{name} is of type {array.dtype}",
                "float32 or float64",
                "convert it: net.float() in PyTorch, astype('float32') in NumPy",
            )
        if not np.isfinite(array).all():
            raise DataError(f"{name} is not finite", "finite numbers", "train it again")
    kinds = sorted({str(array.dtype) for array in arrays.values()})
    if len(kinds) > 1:
        raise DataError(
            f"the arrays are of types {' and '.join(kinds)}", "one type", "convert them to one"
        )


def _predict(
    parts: list[np.ndarray],
    framework: str,
    preprocessing: Preprocessing,
    activation: str,
    channels: str,
    images: np.ndarray,
) -> np.ndarray:
    """Compute what the source itself predicts for images of its size: (m,) in float64."""
    pixels = images.astype(np.float64)
    if preprocessing.color == "gray":
        pixels = 0.299 * pixels[..., 0] + 0.587 * pixels[..., 1] + 0.114 * pixels[..., 2]
    elif channels == "first":
        pixels = pixels.transpose(0, 3, 1, 2)
    scale: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "symmetric": lambda p: (p - 127.5) / 127.5,
        "unit": lambda p: p / 255,
        "raw": lambda p: p,
    }
    x = scale[preprocessing.pixel_scale](pixels).reshape(len(images), -1)
    first, first_bias, last, last_bias = (part.astype(np.float64) for part in parts)
    if framework == "pytorch":
        first, last = first.T, last.T
    z = NUMPY_ACTIVATIONS[activation](x @ first + first_bias) @ last + last_bias  # (m, 1 or 2)
    if z.shape[1] == 1:
        return NUMPY_ACTIVATIONS["sigmoid"](z[:, 0])
    softmax = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(softmax[:, 1] / softmax.sum(axis=1))
