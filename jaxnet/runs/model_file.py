"""The model file: one HDF5 file with everything that is needed to use a network, or to continue.

/                attributes `format` and `format_version`
/params          W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1)
/members         of an ensemble: the same arrays of every member, with one more axis in front
/costs           the cost before each update
/objectives, …   the other curves, those that are recorded: see `Curves`
/test_curve      of a run that has ended: iterations, and costs on the test set before them
/classes         the names of class 0 and of class 1
/preprocessing   attributes: height, width, color, scale (of the pixels)
/settings        attributes: the fields of `Settings`; of a bare network the activation only
/data            attributes: the fields of `DataSource`, if the data were loaded by it
/origin          attributes: description and SHA-256 of the data, device, versions, outcome, prng,
                 command
/descent         if the training can be continued: see jaxnet/runs/checkpoint.py

The initial weights of a run are drawn with the key jax.random.key(seed, impl=prng), where the seed
is a setting and prng the generator that JAX was set to, "threefry2x32" by default.

After the end of the HDF5 file, where no HDF5 tool looks, stands the SHA-256 of all before it. It is
kept by a copy, and dropped by a tool that changes the file, which is then read without.

Version 2 had no ensembles, which a reader of that version would take for their one network.
Version 1 (jaxnet 0.1.0) kept the fields of `DataSource` among the settings, and `weight_scale` as
text.
"""

import contextlib
import dataclasses
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import h5py
import numpy as np

from jaxnet import __version__
from jaxnet.activations import ACTIVATIONS, Activation
from jaxnet.arrays import check_activation, check_params
from jaxnet.data.source import DataSource
from jaxnet.descent import Curves
from jaxnet.devices import find_devices
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.io.attributes import Value, read_attributes, write_attributes
from jaxnet.io.bounded_hdf5 import (
    find_array,
    find_group,
    names_in,
    open_hdf5,
    read_array,
    seal,
    verify_parts,
)
from jaxnet.io.bounded_tensors import SAFETENSORS
from jaxnet.io.content import describe_content
from jaxnet.io.files import expand, write_whole
from jaxnet.io.formats import require_format
from jaxnet.io.names import MODEL_NAME
from jaxnet.network import Params
from jaxnet.outcomes import late_cost
from jaxnet.runs.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from jaxnet.runs.exported import READABLE as EXPORTS
from jaxnet.runs.exported import read_exported
from jaxnet.runs.model import Model, params_from, preprocessing_attributes, preprocessing_from
from jaxnet.runs.page_file import read_page_file
from jaxnet.runs.test_curve import TestCurve
from jaxnet.settings import Settings

FORMAT = "jaxnet model"
FORMAT_VERSION = 3

# The value that a setting had in runs from before it existed, by its name. Whoever adds a field to
# `Settings` or `DataSource` adds it here.
BEFORE_IT_EXISTED: dict[str, Any] = {
    "strict": False,
    "layout": None,
    "recipe": 1,
    "batch": None,
    "epochs": None,
    "weight_decay": 0.0,
    "patience": None,
    "validation": None,
    "group_by": None,
    "mirrored": False,
    "shift": 0,
}


Options = TypeVar("Options", Settings, DataSource)


class Stored(NamedTuple):
    """What a model file holds.

    Attributes:
        model: The network.
        checkpoint: Its costs, and what is needed to continue.
        settings: How it was trained; None if the file does not say.
        data_source: Which data it was trained on; None if the file does not say.
        origin: Data, device, versions, outcome, random generator, command.
        test_curve: The cost on the test set in some iterations; None if there is none.
    """

    model: Model
    checkpoint: Checkpoint
    settings: Settings | None
    data_source: DataSource | None
    origin: dict[str, Value]
    test_curve: TestCurve | None = None


def save_model(path: str | Path, model: Model) -> None:
    """Write a network to a model file, whole or not at all; an older file is replaced.

    Raises:
        UsageError: If it cannot be written there, or could not be read again.
    """
    write_model_file(path, Stored(model, Checkpoint(model.params, np.empty(0)), None, None, {}))


def write_model_file(path: str | Path, stored: Stored) -> None:
    """Write a model file, whole or not at all; an older file at `path` is replaced."""
    require_loadable(stored.model)
    with write_whole(path) as temporary:
        _write(temporary, stored)
        seal(temporary)


def require_loadable(model: Model) -> None:
    """Raise a UsageError for what `load_model` could not read."""
    known = ACTIVATIONS.get(model.hidden.name)
    if known is not None and known != model.hidden:
        raise UsageError(
            f'the activation of the model is named "{known.name}", but differs from that of jaxnet',
            "another name for an activation of your own",
            f'rename it: Activation("my_{known.name}", …)',
        )
    leaves = [leaf for params in (model.params, *model.members) for leaf in params.values()]
    if not all(np.isfinite(np.asarray(leaf)).all() for leaf in leaves):
        raise UsageError(
            "a parameter of the model is not finite", "finite parameters", "train it again"
        )
    for name in (*model.classes, model.hidden.name):
        if "\0" in name:  # HDF5 ends a string there
            raise UsageError(
                f"the name {name!r} of a class or of the activation contains the character NUL",
                "names without this character",
                "give another name",
            )


def _write(path: Path, stored: Stored) -> None:
    model = stored.model
    groups: dict[str, Mapping[str, Any]] = {
        "preprocessing": preprocessing_attributes(model.preprocessing),
        "settings": {"activation": model.hidden.name},
        "origin": stored.origin,
    }
    if stored.settings is not None:
        groups["settings"] = {**dataclasses.asdict(stored.settings), **groups["settings"]}
    if stored.data_source is not None:
        groups["data"] = dataclasses.asdict(stored.data_source)
    with h5py.File(path, "w") as file:
        write_attributes(file, {"format": FORMAT, "format_version": FORMAT_VERSION})
        for name, array in model.params.items():
            file[f"params/{name}"] = np.asarray(array)
            if model.members:
                file[f"members/{name}"] = np.stack([member[name] for member in model.members])
        file["costs"] = np.asarray(stored.checkpoint.costs)
        for name, curve in stored.checkpoint.curves._asdict().items():
            if curve is not None:
                file[name] = curve
        if stored.test_curve is not None:
            for name, array in stored.test_curve._asdict().items():
                file[f"test_curve/{name}"] = array
        names = [name.encode("utf-8", "surrogateescape") for name in model.classes]
        file["classes"] = np.array(names, h5py.string_dtype(length=max(1, *map(len, names))))
        for name, values in groups.items():
            write_attributes(file.create_group(name), values)
        if stored.checkpoint.basis is not None:
            write_checkpoint(file.create_group("descent"), stored.checkpoint)


def load_model(path: str | Path, activations: Mapping[str, Activation] | None = None) -> Model:
    """Read the network in a model file, in the one of a run folder, or in an export.

    A network in float64 is read whatever JAX is set to.

    Args:
        path: The file, or the folder of a run; or a file that `export_model` wrote as safetensors
            or npz.
        activations: Activations of one's own, by their names.

    Raises:
        ModelFileError: If it is missing, no model file, of a newer format, or contradicts itself.
        UsageError: If one of `activations` is none, or has the name of one of jaxnet's.
    """
    known = _known_activations(activations)
    path = _locate(path)
    exported = _read_if_exported(path, known)
    if exported is not None:
        return exported
    with _open_model(path) as (file, _):
        return _read_model(file, known)


def read_model_file(
    path: str | Path, activations: Mapping[str, Activation] | None = None
) -> Stored:
    """Read all of a model file, or of the one in a run folder; raises what `load_model` does."""
    known = _known_activations(activations)
    path = _locate(path)
    exported = _read_if_exported(path, known)
    if exported is not None:
        kept = read_page_file(path, exported) if describe_content(path) == SAFETENSORS else None
        if kept is not None:
            return Stored(exported, *kept)
        return Stored(exported, Checkpoint(exported.params, np.empty(0)), None, None, {})
    with _open_model(path) as (file, version):
        model = _read_model(file, known)
        costs = read_array(find_array(file, "costs")).reshape(-1)
        if costs.dtype not in (np.float32, np.float64):
            raise ValueError(f"costs is of type {costs.dtype}")
        checkpoint = Checkpoint(model.params, costs)
        if "descent" in names_in(file):
            checkpoint = read_checkpoint(find_group(file, "descent"), model.params, costs)
        checkpoint = checkpoint._replace(curves=_read_curves(file, costs))
        settings, data_source = _read_options(path, file, version)
        origin = read_attributes(find_group(file, "origin"))
        if settings is not None and settings.batch is not None:
            m = origin.get("train_pictures")
            if not isinstance(m, int) or m < 1:
                raise ValueError(f"train_pictures of the origin is {m!r}")
        if version == 1 and origin.get("outcome") == "diverged" and len(costs):
            # Version 1 had one word for two outcomes.
            origin["outcome"] = "diverged" if late_cost(costs) > costs[0] else "slow"
        test_curve = _read_test_curve(file) if "test_curve" in names_in(file) else None
        return Stored(model, checkpoint, settings, data_source, origin, test_curve)


def _read_curves(file: h5py.File, costs: np.ndarray) -> Curves:
    held = [name for name in Curves._fields if name in names_in(file)]
    curves = {name: read_array(find_array(file, name)) for name in held}
    for name, curve in curves.items():
        if (curve.shape, curve.dtype) != (costs.shape, costs.dtype):
            raise ValueError(f"{name} has shape {curve.shape} and type {curve.dtype}")
    return Curves(**curves)


def _read_test_curve(file: h5py.File) -> TestCurve:
    group = find_group(file, "test_curve")
    curve = TestCurve(*(read_array(find_array(group, name)) for name in TestCurve._fields))
    shapes = [array.shape for array in curve]
    if len(shapes[0]) != 1 or shapes[0] != shapes[1]:
        raise ValueError(f"the arrays of the test curve have shapes {shapes}")
    return curve


def _locate(path: str | Path) -> Path:
    """Return the model file that is meant by its path or by that of a run folder."""
    path = expand(path)
    if not path.is_dir():
        return path
    if not (path / MODEL_NAME).exists():
        files = path.glob(f"*/{MODEL_NAME}")
        runs = sorted(files, key=lambda file: file.stat().st_mtime)
        if runs:
            raise ModelFileError(
                f"{path} is a folder of runs",
                "one run",
                f"give one of the {len(runs):,} runs in it; the newest is {runs[-1].parent}",
            )
    return path / MODEL_NAME


def _read_if_exported(path: Path, activations: Mapping[str, Activation]) -> Model | None:
    """Read the network in a file that `export_model` wrote; None if it is another kind of file."""
    content = describe_content(path) if path.is_file() else ""
    if path.suffix == ".stablehlo":
        raise ModelFileError(
            f"{path} is an exported function (StableHLO), which has no parameters of its own",
            "a model file, or a network exported as safetensors or npz",
            "give the run that was exported; jax.export.deserialize reads this file",
        )
    if content not in EXPORTS:
        return None
    find_devices()
    return read_exported(path, content, activations)


@contextlib.contextmanager
def _open_model(path: Path) -> Iterator[tuple[h5py.File, int]]:
    """Open a model file; any error in it becomes a ModelFileError."""
    find_devices()
    with open_hdf5(path, "a model file of jaxnet", ModelFileError, ours=True) as file:
        version = require_format(file, FORMAT, FORMAT_VERSION)
        with verify_parts("a model file", path, "train again"):
            yield file, version


def _known_activations(own: Mapping[str, Activation] | None) -> dict[str, Activation]:
    """Put jaxnet's activations and the user's own together, by name."""
    for name, activation in (own or {}).items():
        check_activation(activation)
        if ACTIVATIONS.get(name, activation) != activation:
            raise UsageError(
                f'the "{name}" in activations differs from that of jaxnet',
                "another name for an activation of your own",
                "leave it out: a model whose activation has this name uses that of jaxnet",
            )
    return {**ACTIVATIONS, **(own or {})}


def _read_model(file: h5py.File, activations: Mapping[str, Activation]) -> Model:
    group = find_group(file, "params")
    stored = {name: find_array(group, name) for name in names_in(group)}
    # Their shapes first, by arrays of one number each: before memory is taken for them.
    check_params({n: np.broadcast_to(np.float32(0), source.shape) for n, source in stored.items()})
    arrays = {name: read_array(source) for name, source in stored.items()}
    params = params_from(arrays)
    preprocessing = preprocessing_from(read_attributes(find_group(file, "preprocessing")))
    hidden = _find_activation(file, activations)
    classes = read_array(find_array(file, "classes"))
    if classes.shape != (2,) or not all(isinstance(name, bytes) for name in classes.tolist()):
        raise ValueError(f"classes has shape {classes.shape} and type {classes.dtype}")
    negative, positive = (name.decode("utf-8", "surrogateescape") for name in classes.tolist())
    members = _read_members(file, params) if "members" in names_in(file) else ()
    return Model(params, preprocessing, (negative, positive), hidden, members)


def _read_members(file: h5py.File, params: Params) -> tuple[Params, ...]:
    """Read the networks of an ensemble; each has the shapes of the network in `params`."""
    group = find_group(file, "members")
    stored = {name: find_array(group, name) for name in params}
    counts = {source.shape[0] if source.shape else 0 for source in stored.values()}
    for name, source in stored.items():
        if source.shape[1:] != params[name].shape or len(counts) != 1 or 0 in counts:
            raise ValueError(f"{name} of the members has shape {source.shape}")
    arrays = {name: read_array(source) for name, source in stored.items()}
    return tuple(
        params_from({name: array[i] for name, array in arrays.items()}) for i in range(*counts)
    )


def _find_activation(file: h5py.File, activations: Mapping[str, Activation]) -> Activation:
    name = read_attributes(find_group(file, "settings"))["activation"]
    if name not in activations:
        raise ModelFileError(
            f'{file.filename} has the unknown activation "{name}"',
            f"one of {', '.join(activations)}",
            f'give your own: activations={{"{name}": Activation("{name}", …)}}',
        )
    return activations[name]


def _read_options(
    path: Path, file: h5py.File, version: int
) -> tuple[Settings | None, DataSource | None]:
    """Read the settings and the data source, checked as if they were given now."""
    stored = read_attributes(find_group(file, "settings"))
    if stored.keys() <= {"activation"}:
        return None, None
    names = {field.name for field in dataclasses.fields(DataSource)}
    if version == 1:
        named = {name: stored.pop(name) for name in names & stored.keys()}
        if isinstance(stored.get("weight_scale"), str):
            stored["weight_scale"] = _number_or_text(stored["weight_scale"])
        elif "weight_scale" in stored:
            raise _wrong_setting(path, "weight_scale", stored["weight_scale"], "not a text")
    else:
        named = read_attributes(find_group(file, "data")) if "data" in names_in(file) else {}
    if stored["activation"] not in ACTIVATIONS:  # one of the user's own, which is no setting
        stored["activation"] = "relu"
    settings = _make_options(path, Settings, stored)
    return settings, _make_options(path, DataSource, named) if named else None


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _make_options(path: Path, kind: type[Options], stored: dict[str, Any]) -> Options:
    """Make settings or a data source of what was stored.

    Raises:
        ModelFileError: If one is missing, unknown, of another type, or outside its range.
    """
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in stored.keys() - fields.keys():
        raise ModelFileError(
            f"{path} holds the setting {name}, which jaxnet {__version__} does not have",
            f"the settings {', '.join(fields)}",
            "use the version of jaxnet that wrote it; the attribute jaxnet of /origin names it",
        )
    values = {}
    for name in fields:
        if name not in stored:
            if name in BEFORE_IT_EXISTED:
                values[name] = BEFORE_IT_EXISTED[name]
            elif type(None) not in typing.get_args(hints[name]):
                raise ModelFileError(
                    f"{path} does not hold the setting {name}",
                    f"a file with the settings {', '.join(fields)}",
                    "start a new training from its parameters: fit(load_model(path).params, …)",
                )
            continue
        value = stored[name]
        if hints[name] is bool and value in (0, 1) and not isinstance(value, float):
            value = bool(value)  # as other tools write it
        values[name] = value
    try:
        return kind(**values)
    except UsageError as cause:
        name = next((name for name in fields if cause.found.startswith(f"{name} is ")), "")
        raise _wrong_setting(path, name, stored.get(name), cause.expected) from cause


def _wrong_setting(path: Path, name: str, value: Any, expected: str) -> ModelFileError:
    return ModelFileError(
        f"{path} was saved with the setting {name} = {value!r} ({expected} is expected)",
        "the settings as they were saved",
        f"restore the original {name}, or start a new run",
    )
