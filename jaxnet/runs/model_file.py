"""The model file: one HDF5 file with everything that is needed to use a network again.

/                attributes `format` and `format_version`
/params          W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1)
/costs           the cost before each update
/classes         the names of class 0 and of class 1
/preprocessing   attributes: height, width, color, scale
/settings        attributes: how it was trained
/origin          attributes: source and SHA-256 of the data, device, versions, outcome, prng
/descent         if training can go on: see jaxnet/storage/descent.py

A run of `jaxnet train` draws its first weights with the key jax.random.key(seed, impl=prng), where
the seed is a setting and prng the generator that JAX was set to, "threefry2x32" by default.

After the end of the HDF5 file, where no HDF5 tool looks, stands the SHA-256 of all before it. It is
kept by a copy, and dropped by a tool that changes the file, which is then read without.
"""

import contextlib
import dataclasses
import importlib.metadata
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import jax
import jax.numpy as jnp
import numpy as np

from jaxnet import __version__
from jaxnet.activations import ACTIVATIONS, Activation, relu
from jaxnet.arrays import check_params
from jaxnet.data.columns import COLORS, SCALES, Preprocessing
from jaxnet.data.dataset import check_images
from jaxnet.io.files import write_whole
from jaxnet.io.bounded_hdf5 import find_array, find_group, open_hdf5, read_array, seal
from jaxnet.errors import DataError, ModelFileError, UsageError
from jaxnet.network import Params, forward
from jaxnet.devices import require_dtype
from jaxnet.io.attributes import Value, read_attribute, read_attributes, write_attributes
from jaxnet.runs.checkpoint import read_descent, write_descent
from jaxnet.runs.folder import MODEL_NAME
from jaxnet.training import Descent

FORMAT = "jaxnet model"
FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Model:
    """A trained network that knows its preprocessing and its classes.

    Attributes:
        params: W1, b1, W2, b2.
        preprocessing: How pictures become columns.
        classes: The names of class 0 and of class 1, whose probability it gives.
        hidden: The activation of the hidden units.
        costs: The cost before each update, (iterations,).
        settings: How it was trained, by name.
        origin: Where it comes from: data, device, versions, random generator.
    """

    params: Params
    preprocessing: Preprocessing
    classes: tuple[str, str]
    hidden: Activation = relu
    costs: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    settings: dict[str, Value] = dataclasses.field(default_factory=dict)
    origin: dict[str, Value] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the network takes what its preprocessing makes."""
        check_params(self.params)
        n_x = self.params["W1"].shape[1]
        if n_x != self.preprocessing.n_x:
            raise DataError(
                f"W1 takes {n_x} features, the preprocessing makes {self.preprocessing.n_x}",
                "the same number",
                "give the Preprocessing that the network was trained with",
            )

    def predict_images(self, images: np.ndarray) -> np.ndarray:
        """Compute the probability of class 1 for images (m, h, w, 3) uint8 of any size: (m,)."""
        check_images(np.shape(images), np.asarray(images).dtype, "images")
        X = self.preprocessing.columns(np.asarray(images), self.params["W1"].dtype)
        return np.asarray(forward(self.params, X, self.hidden).A2)[0]


def versions() -> dict[str, Value]:
    """Name the versions, the device and the random generator that a result was computed with."""
    packages = ("jax", "jaxlib", "optax", "numpy")
    return {
        "device": jax.devices()[0].device_kind,
        "prng": str(jax.random.key_impl(jax.random.key(0))),
        "python": platform.python_version(),
        "jaxnet": __version__,
        **{name: importlib.metadata.version(name) for name in packages},
    }


def save_model(path: str | Path, model: Model, descent: Descent | None = None) -> None:
    """Write a model file, whole or not at all; an older file at `path` is replaced.

    Args:
        path: Where to.
        model: The network.
        descent: What it was trained by, so that `load_descent` can go on from there.

    Raises:
        UsageError: If it cannot be written there.
    """
    with write_whole(Path(path)) as temporary:
        _write(temporary, model, descent)
        seal(temporary)


def _write(path: Path, model: Model, descent: Descent | None) -> None:
    with h5py.File(path, "w") as file:
        write_attributes(file, {"format": FORMAT, "format_version": FORMAT_VERSION})
        for name, array in model.params.items():
            file[f"params/{name}"] = np.asarray(array)
        file["costs"] = np.asarray(model.costs)
        names = [name.encode() for name in model.classes]
        file["classes"] = np.array(names, h5py.string_dtype(length=max(1, *map(len, names))))
        groups: dict[str, dict[str, Any]] = {
            "preprocessing": dataclasses.asdict(model.preprocessing),
            "settings": {"activation": model.hidden.name, **model.settings},
            "origin": model.origin,
        }
        for name, values in groups.items():
            write_attributes(file.create_group(name), values)
        if descent is not None:
            write_descent(file.create_group("descent"), descent)


def load_model(path: str | Path) -> Model:
    """Read a model file, or the one in a run folder.

    Raises:
        ModelFileError: If it is missing, no model file, of a newer format, or contradicts itself.
        UsageError: If it is in float64 and JAX is set to 32 bits.
    """
    with _open_model(path) as file:
        return _read(file)


def load_settings(path: str | Path) -> dict[str, Value]:
    """Read how the network of a model file was trained, by the names of the options of `train`."""
    with _open_model(path) as file:
        seen = read_attributes(find_group(file, "preprocessing"))
        settings = read_attributes(find_group(file, "settings"))
        return settings | {name: seen[name] for name in ("color", "scale")}


def load_origin(path: str | Path) -> dict[str, Value]:
    """Read where the network of a model file comes from: its data, the device, the versions."""
    with _open_model(path) as file:
        return read_attributes(find_group(file, "origin"))


def load_descent(path: str | Path, start: Descent) -> Descent:
    """Read how far a run has come, to go on from there as if it had never stopped.

    Args:
        path: A model file that `save_model` wrote with its descent, or the folder of a run.
        start: The descent of that run as it started: from the same settings and the same pictures.

    Raises:
        ModelFileError: If the file is no such file, or does not fit to `start`.
    """
    with _open_model(path) as file:
        if "descent" not in list(file):
            raise ModelFileError(
                f"{path} holds a network, but not how to go on with its training",
                "a file that `jaxnet train` wrote",
                "start anew from its parameters: fit(load_model(path).params, …)",
            )
        return read_descent(find_group(file, "descent"), start, _read_costs(file))


@contextlib.contextmanager
def _open_model(path: str | Path) -> Iterator[h5py.File]:
    """Open a model file, or the one in a run folder; whatever is wrong in it is told as such."""
    path = Path(path)
    if path.is_dir():
        path = path / MODEL_NAME
    with open_hdf5(path, "a model file of jaxnet", ModelFileError, ours=True) as file:
        if "format" not in file.attrs or read_attribute(file, "format") != FORMAT:
            raise ModelFileError(
                f"{path} is an HDF5 file, but no model: it holds {', '.join(file) or 'nothing'}",
                "a file that save_model or `jaxnet train` wrote",
                "give the run folder or the model.h5 in it",
            )
        version = read_attribute(file, "format_version")
        if version != FORMAT_VERSION:
            raise ModelFileError(
                f"{path} has the format version {version}",
                f"version {FORMAT_VERSION}, which jaxnet {__version__} reads",
                "use the jaxnet that wrote it, which the attribute jaxnet of /origin names",
            )
        try:
            yield file
        except (ModelFileError, UsageError):
            raise
        except Exception as cause:
            reason = cause.found if isinstance(cause, DataError) else cause
            raise ModelFileError(
                f"{path} is a model file with a part missing or changed ({reason})",
                "a file as save_model wrote it",
                "take a copy that is whole, or train anew",
            ) from cause


def _read(file: h5py.File) -> Model:
    group = find_group(file, "params")
    stored = {name: find_array(group, name) for name in group}
    check_params(stored)  # their shapes, before memory is taken for them
    arrays = {name: read_array(source) for name, source in stored.items()}
    costs = _read_costs(file)
    for name, array in {"costs": costs, **arrays}.items():
        if array.dtype not in (np.float32, np.float64):
            raise ValueError(f"{name} is of type {array.dtype}")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("a parameter is not finite")
    preprocessing = Preprocessing(**read_attributes(find_group(file, "preprocessing")))
    sides = (preprocessing.height, preprocessing.width)
    if preprocessing.color not in COLORS or preprocessing.scale not in SCALES:
        raise ValueError(f"unknown {preprocessing}")
    if not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"pictures of {sides} pixels")
    settings = read_attributes(find_group(file, "settings"))
    activation = settings.pop("activation")
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation}")
    negative, positive = (name.decode() for name in read_array(find_array(file, "classes")))
    return Model(
        {name: jnp.asarray(array, require_dtype(array.dtype)) for name, array in arrays.items()},
        preprocessing,
        (negative, positive),
        ACTIVATIONS[activation],
        costs,
        settings,
        read_attributes(find_group(file, "origin")),
    )


def _read_costs(file: h5py.File) -> np.ndarray:
    return read_array(find_array(file, "costs")).reshape(-1)
