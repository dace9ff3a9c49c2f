"""The file of a sweep: one HDF5 file, written anew after every block of networks.

/                attributes `format` and `format_version`
/settings        attributes: the data, the grid, and how each network is trained
/results/NAME    of each activation: a dataset for each array of a `Sweep`, (rates, scales, seeds);
an outcome is "" where a network is still to be trained

It ends with a seal, as the model file does.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, get_args

import h5py
import numpy as np

from jaxnet.io.files import write_whole
from jaxnet.io.bounded_hdf5 import find_array, find_group, open_hdf5, read_array, seal
from jaxnet.errors import DataError, ModelFileError, UsageError
from jaxnet.outcomes import Outcome
from jaxnet.io.attributes import read_attribute, read_attributes, write_attributes
from jaxnet.many.sweep import Sweep

SWEEP_NAME = "sweep.h5"

FORMAT = "jaxnet sweep"
FORMAT_VERSION = 1


def empty_sweep(shape: tuple[int, int, int], has_test: bool) -> Sweep:
    """Make the results of a sweep of which no network is trained yet."""

    def blank() -> np.ndarray:
        return np.full(shape, np.nan)

    outcomes = np.full(shape, "", dtype="U10")
    return Sweep(blank(), outcomes, blank(), blank() if has_test else None, None)


def save_sweep(path: Path, settings: dict[str, Any], results: dict[str, Sweep]) -> None:
    """Write what is known so far of each activation, whole or not at all."""
    with write_whole(path) as temporary:
        _write(temporary, settings, results)
        seal(temporary)


def _write(path: Path, settings: dict[str, Any], results: dict[str, Sweep]) -> None:
    with h5py.File(path, "w") as file:
        write_attributes(file, {"format": FORMAT, "format_version": FORMAT_VERSION})
        write_attributes(file.create_group("settings"), settings)
        for activation, part in results.items():
            for name, array in part._asdict().items():
                if array is not None:
                    kept = array.astype("S10") if name == "outcomes" else array
                    file[f"results/{activation}/{name}"] = kept


def resume_sweep(path: Path, settings: dict[str, Any], blank: dict[str, Sweep]) -> dict[str, Sweep]:
    """Read the results so far of a sweep.

    Args:
        path: A file that `save_sweep` wrote.
        settings: The settings that are asked for now.
        blank: What `empty_sweep` makes of them, by the name of the activation.

    Returns:
        What is known of each activation, like `blank`.

    Raises:
        ModelFileError: If it is no file of a sweep, or its results are not those of its settings.
        UsageError: If its settings are others; it names both values.
    """
    with open_hdf5(path, "a file of jaxnet sweep", ModelFileError, ours=True) as file:
        if "format" not in file.attrs or read_attribute(file, "format") != FORMAT:
            raise ModelFileError(f"{path} is no sweep", "a file of jaxnet sweep", "give another")
        try:
            _require_version_and_settings(path, file, settings)
            results = find_group(file, "results")
            _require_names(results, blank)
            return {
                activation: _read_part(find_group(results, activation), part)
                for activation, part in blank.items()
            }
        except (ModelFileError, UsageError):
            raise
        except Exception as cause:
            reason = cause.found if isinstance(cause, DataError) else cause
            raise ModelFileError(
                f"{path} is a file of a sweep with a part missing or changed ({reason})",
                "a file as jaxnet sweep wrote it",
                "take a copy that is whole, or sweep into another folder",
            ) from cause


def _require_version_and_settings(path: Path, file: h5py.File, settings: dict[str, Any]) -> None:
    version = read_attribute(file, "format_version")
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has the format version {version}",
            f"version {FORMAT_VERSION}, which this jaxnet reads",
            "use the jaxnet that wrote it, or sweep into another folder",
        )
    there = read_attributes(find_group(file, "settings"))
    for name in sorted(settings.keys() | there.keys()):
        if there.get(name) != settings.get(name):
            raise UsageError(
                f"{path} was made with {name} = {there.get(name)!r}",
                f"{name} = {settings.get(name)!r}, as asked for now",
                "ask for the same to go on with it, or give another folder",
            )


def _read_part(group: h5py.Group, blank: Sweep) -> Sweep:
    arrays = {name: array for name, array in blank._asdict().items() if array is not None}
    _require_names(group, arrays)
    for name, like in arrays.items():
        stored = find_array(group, name)
        kind = np.dtype("S10") if name == "outcomes" else like.dtype
        if (stored.shape, stored.dtype.newbyteorder("=")) != (like.shape, kind):
            raise ValueError(
                f"{stored.name} is {stored.dtype} {stored.shape}, not {kind} {like.shape}"
            )
        arrays[name] = read_array(stored).astype(like.dtype)
    for outcome in np.unique(arrays["outcomes"]):
        if outcome not in ("", *get_args(Outcome)):
            raise ValueError(f'{group.name} has the unknown outcome "{outcome}"')
    ended = ~np.isin(arrays["outcomes"], ("", "not finite"))
    for name in arrays.keys() - {"outcomes"}:
        if not np.isfinite(arrays[name][ended]).all():
            raise ValueError(f"{group.name}/{name} is not finite where a network has ended")
    return blank._replace(**arrays)


def _require_names(group: h5py.Group, names: Collection[str]) -> None:
    if set(group) != set(names):
        raise ValueError(
            f"{group.name} holds {', '.join(group) or 'nothing'}, not {', '.join(names)}"
        )
