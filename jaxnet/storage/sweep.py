"""The file of a sweep: one HDF5 file, written anew after every block of networks.

/                attributes `format` and `format_version`
/settings        attributes: the data, the grid, and how each network is trained
/results/NAME    of each activation: a dataset for each array of a `Sweep`, (rates, scales, seeds);
an outcome is "" where a network is still to be trained
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from jaxnet.data.files import find_array, find_group, open_hdf5, read_array, write_whole
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.storage.model import read_attribute, read_attributes
from jaxnet.sweeps import Sweep

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
    with write_whole(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(format=FORMAT, format_version=FORMAT_VERSION)
        file.create_group("settings").attrs.update(settings)
        for activation, part in results.items():
            for name, array in part._asdict().items():
                if array is not None:
                    kept = array.astype("S10") if name == "outcomes" else array
                    file[f"results/{activation}/{name}"] = kept


def resume_sweep(path: Path, settings: dict[str, Any]) -> dict[str, Sweep]:
    """Read the results so far of a sweep with these settings, by the name of the activation.

    Raises:
        ModelFileError: If it is no file of a sweep.
        UsageError: If its settings are others; it names both values.
    """
    with open_hdf5(path, "a file of jaxnet sweep", ModelFileError, ours=True) as file:
        if "format" not in file.attrs or read_attribute(file, "format") != FORMAT:
            raise ModelFileError(f"{path} is no sweep", "a file of jaxnet sweep", "give another")
        there = read_attributes(find_group(file, "settings"))
        for name in settings.keys() | there.keys():
            if there.get(name) != settings.get(name):
                raise UsageError(
                    f"{path} was made with {name} = {there.get(name)}",
                    f"{name} = {settings.get(name)}, as asked for now",
                    "ask for the same to go on with it, or give another folder",
                )
        results = find_group(file, "results")
        return {name: _read_part(find_group(results, name)) for name in results}


def _read_part(group: h5py.Group) -> Sweep:
    arrays: dict[str, Any] = dict.fromkeys(Sweep._fields)
    for name in group:
        if name not in arrays:
            raise ValueError(f"{name} is no array of a sweep")
        arrays[name] = read_array(find_array(group, name))
    shape = arrays["outcomes"].shape
    for name, array in arrays.items():
        kind = "S" if name == "outcomes" else "f"
        if array is not None and (array.shape[:3] != shape or array.dtype.kind != kind):
            raise ValueError(f"{name} has shape {array.shape} and type {array.dtype}")
    arrays["outcomes"] = arrays["outcomes"].astype("U10")
    return Sweep(**arrays)
