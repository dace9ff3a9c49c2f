"""A sweep in the folder of a run: numbered part files while it is trained, one file in the end.

`sweep.h5`

/                attributes `format` and `format_version`
/settings        attributes: SHA-256 of the data, preprocessing, and the settings that are shared
/grid            learning_rates, weight_scales, activations, and the attribute seeds
/results         a dataset for each array of a `Sweep`, (activations, rates, weight scales, seeds);
                 written once all networks are trained

`sweep.parts/000001.h5`, while it is trained

/                attributes `format`, `format_version`, `sweep`: the SHA-256 of settings and grid
/parts/0, …      the same arrays for some networks; attributes: their place along each axis

Several processes write `000001-0.h5`, `000001-1.h5`, …: the second number is that of the process.

A part is written once, and never again. So what is written in all grows with the number of
networks, not with its square. Every file ends with a seal, as the model file does.

Version 1 (jaxnet 0.1.0) kept the grid as text among the settings, and the results by activation.
"""

import dataclasses
import functools
import hashlib
import itertools
import json
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, get_args

import h5py
import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.data.preprocessing import Preprocessing, preprocessing_for
from jaxnet.data.to_examples import examples_of
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.io.attributes import Value, read_attribute, read_attributes, write_attributes
from jaxnet.io.bounded_hdf5 import (
    find_array,
    find_group,
    names_in,
    open_hdf5,
    read_array,
    seal,
    verify_parts,
)
from jaxnet.io.files import expand, write_whole
from jaxnet.io.formats import require_format
from jaxnet.io.names import SWEEP_NAME
from jaxnet.many.grid import Grid
from jaxnet.many.sweep import Part, Sweep, add_part, empty_sweep, sweep_in_parts
from jaxnet.outcomes import Outcome
from jaxnet.processes import (
    gather_objects,
    is_first_process,
    post,
    process_count,
    process_index,
    require_alike,
)
from jaxnet.runs.model_file import BEFORE_IT_EXISTED
from jaxnet.runs.run import versions
from jaxnet.settings import Settings

PARTS_NAME = "sweep.parts"

FORMAT = "jaxnet sweep"
FORMAT_VERSION = 2

# A part is written after so many seconds of training, and after so many times as long as the last
# writing took: writing takes a twentieth of the time at most.
SECONDS_A_PART = 5.0
TRAINING_A_WRITING = 20


@dataclasses.dataclass(frozen=True)
class SweepRun:
    """What decides a sweep, and its results so far.

    Attributes:
        result: The results, with the grid.
        settings: What the networks share.
        preprocessing: How pictures become columns.
        sha256: Of the data.
        trained: How many networks are trained, by all processes together.
    """

    result: Sweep
    settings: Settings
    preprocessing: Preprocessing
    sha256: str
    trained: int = 0

    def header(self) -> dict[str, Value]:
        """Everything but the grid that decides the results, by name."""
        shared = dataclasses.asdict(self.settings)
        for name in ("activation", "weight_scale", "learning_rate"):  # the axes of the grid
            del shared[name]
        return {"sha256": self.sha256, **dataclasses.asdict(self.preprocessing), **shared}

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of everything that decides the results.

        What is as it was before it could be set is left out: so an older jaxnet left it out, too.
        """
        new = BEFORE_IT_EXISTED.items()
        header = {name: value for name, value in self.header().items() if (name, value) not in new}
        text = repr((header, dataclasses.astuple(self.result.grid)))
        return hashlib.sha256(text.encode()).hexdigest()


# Called with the sweep so far; returning True stops it there.
Hook = Callable[[SweepRun], bool | None]


def start_sweep(
    data: Dataset,
    grid: Grid,
    settings: Settings,
    preprocessing: Preprocessing | None = None,
) -> SweepRun:
    """Prepare a sweep of which no network is trained yet."""
    blank = empty_sweep(grid, has_test=data.test is not None)
    settings = settings.for_pictures(len(data.train.labels))
    return SweepRun(blank, settings, preprocessing or preprocessing_for(data), data.sha256)


def continue_sweep(folder: Path, start: SweepRun) -> SweepRun:
    """Read what earlier runs of the same sweep have left in a folder.

    Args:
        folder: The folder of the run.
        start: The sweep that is asked for now, as `start_sweep` prepares it.

    Raises:
        ModelFileError: If a file is damaged or no sweep, or its results are not those of its grid.
        UsageError: If it was another sweep; it names the first setting that differs.
    """
    folder, result = expand(folder), start.result
    whole = folder / SWEEP_NAME
    if whole.exists():
        result = _read_results(whole, start)
    for path in sorted((folder / PARTS_NAME).glob("*.h5")):
        for part in _read_parts(path, start):
            result = add_part(result, part)
    return dataclasses.replace(start, result=result, trained=_count(result))


def train_sweep(
    folder: Path,
    start: SweepRun,
    data: Dataset,
    *,
    hook: Hook | None = None,
) -> SweepRun:
    """Train the networks of a sweep that are still to be trained, saving on the way.

    Several processes share out the networks. Each writes parts of its own, and returns the results
    of all; the first one writes the whole. They need a folder that all of them see.

    Args:
        folder: The folder of the run.
        start: The sweep so far, from `start_sweep` or `continue_sweep`; its arrays are filled in.
        data: The pictures.
        hook: Called after each part, of its process; if it returns True, the sweep stops there, and
            the other processes after their part, saved.

    Raises:
        DataError: If the pictures cannot be used.
        UsageError: If the settings cannot be trained so, or the folder cannot be written to.
    """
    folder = expand(folder)
    train, test = examples_of(data, start.settings, start.preprocessing)
    if is_first_process() and not (folder / SWEEP_NAME).exists():
        _write_sweep(folder / SWEEP_NAME, start, {})
    post(json.dumps([0, False]))
    # None begins before all have read what is trained already, so that they share out the same.
    require_alike(sweep=start.digest, results=start.result.outcomes, versions=versions())
    result, pending, own = start.result, [], []
    saved, took = time.monotonic(), 0.0
    for part in sweep_in_parts(train, result, start.settings, test=test):
        result = add_part(result, part)
        own.append(part)
        pending.append(part)
        if time.monotonic() - saved > max(SECONDS_A_PART, TRAINING_A_WRITING * took):
            began = time.monotonic()
            _write_parts(folder, start, pending)
            pending, saved = [], time.monotonic()
            took = saved - began
        if _stops(dataclasses.replace(start, result=result), start.trained, hook):
            break
    if pending and (process_count() > 1 or _count(result) < result.outcomes.size):
        _write_parts(folder, start, pending)  # another process may still be training, and die
    for part in itertools.chain(*gather_objects(own)):
        result = add_part(result, part)
    reached = dataclasses.replace(start, result=result, trained=_count(result))
    if is_first_process() and reached.trained == result.outcomes.size:
        save_sweep(folder / SWEEP_NAME, reached)
        # With what a killed process may have left in it while it wrote a part.
        shutil.rmtree(folder / PARTS_NAME, ignore_errors=True)
    return reached


def _stops(own: SweepRun, before: int, hook: Hook | None) -> bool:
    """Call the hook with the progress of all; return whether this process is to stop.

    Args:
        own: The sweep as this process knows it.
        before: How many networks were trained when it was started.
        hook: That of `train_sweep`.
    """
    more = _count(own.result) - before
    posted = [json.loads(text) for text in post(json.dumps([more, False]))]
    trained = before + sum(of_each for of_each, _ in posted)
    stop = hook is not None and bool(hook(dataclasses.replace(own, trained=trained)))
    if stop:
        post(json.dumps([more, True]))
    return stop or any(stopped for _, stopped in posted)


def _count(result: Sweep) -> int:
    return int((result.outcomes != "").sum())


def save_sweep(path: Path, sweep: SweepRun) -> None:
    """Write a sweep and all its results, whole or not at all."""
    _write_sweep(path, sweep, sweep.result.arrays)


def _write_sweep(path: Path, sweep: SweepRun, arrays: dict[str, np.ndarray]) -> None:
    grid = sweep.result.grid
    with write_whole(path) as temporary:
        with h5py.File(temporary, "w") as file:
            write_attributes(file, {"format": FORMAT, "format_version": FORMAT_VERSION})
            header = sweep.header()
            header["scale"] = header.pop("pixel_scale")  # as model files call it
            write_attributes(file.create_group("settings"), header)
            axes = file.create_group("grid")
            write_attributes(axes, {"seeds": grid.seeds})
            axes["learning_rates"] = np.array([np.broadcast_to(r, 2) for r in grid.learning_rates])
            for name in ("weight_scales", "activations"):
                axes[name] = np.array([str(v).encode() for v in getattr(grid, name)])
            for name, array in arrays.items():
                file[f"results/{name}"] = _stored(name, array)
        seal(temporary)


def _stored(name: str, array: np.ndarray) -> np.ndarray:
    return array.astype("S10") if name == "outcomes" else array


def _write_parts(folder: Path, sweep: SweepRun, parts: list[Part]) -> None:
    """Write one new file with some parts; a killed run leaves it whole or not at all."""
    below = folder / PARTS_NAME
    below.mkdir(exist_ok=True)
    numbers = (path.stem.partition("-")[0] for path in below.glob("*.h5"))
    number = max((int(number) for number in numbers if number.isdecimal()), default=0) + 1
    # Two processes may take the same number at the same moment.
    of_process = f"-{process_index()}" if process_count() > 1 else ""
    with write_whole(below / f"{number:06}{of_process}.h5") as temporary:
        with h5py.File(temporary, "w") as file:
            named: dict[str, Value] = {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "sweep": sweep.digest,
            }
            write_attributes(file, named)
            for number, (place, arrays) in enumerate(parts):
                group = file.create_group(f"parts/{number}")
                for axis, piece in enumerate(place):
                    ends = {f"first{axis}": piece.start, f"last{axis}": piece.stop}
                    write_attributes(group, ends)
                for name, array in arrays.items():
                    group[name] = _stored(name, array)
        seal(temporary)


def _read_parts(path: Path, start: SweepRun) -> list[Part]:
    shape = start.result.grid.shape
    parts = []
    with open_hdf5(path, "a part of a sweep", ModelFileError, ours=True) as file:
        require_format(file, FORMAT, FORMAT_VERSION)
        with _verify(path):
            digest = read_attribute(file, "sweep")
        if digest != start.digest:
            raise UsageError(
                f"{path} is a part of another sweep",
                "parts of a sweep with the same data and settings",
                "give the data and settings of that sweep to continue it, or another folder",
            )
        with _verify(path):
            group = find_group(file, "parts")
            for number in range(len(group)):
                stored = find_group(group, str(number))
                ends = read_attributes(stored)
                place = [slice(ends[f"first{axis}"], ends[f"last{axis}"]) for axis in range(4)]
                for piece, size in zip(place, shape, strict=True):
                    whole = isinstance(piece.start, int) and isinstance(piece.stop, int)
                    if not whole or not 0 <= piece.start < piece.stop <= size:
                        raise ValueError(f"part {number} lies outside the grid")
                like = {n: array[tuple(place)] for n, array in start.result.arrays.items()}
                parts.append(Part(tuple(place), _read_arrays(stored, like, complete=True)))  # type: ignore[arg-type]
    return parts


def _read_results(path: Path, start: SweepRun) -> Sweep:
    with open_hdf5(path, "a sweep of jaxnet", ModelFileError, ours=True) as file:
        version = _require_same(path, file, start)
        with _verify(path):
            if version == 2 and "results" not in names_in(file):  # it was not trained to the end
                return start.result
            group = find_group(file, "results")
            like = start.result.arrays
            if version == 2:
                return start.result._replace(**_read_arrays(group, like))  # type: ignore[arg-type]
            names = start.result.grid.activations
            if set(names_in(group)) != set(names):
                raise ValueError(
                    f"{group.name} holds {', '.join(names_in(group))}, not {', '.join(names)}"
                )
            below = {n: array[0] for n, array in like.items()}
            parts = [_read_arrays(find_group(group, name), below) for name in names]
            stacked = {name: np.stack([part[name] for part in parts]) for name in like}
            # Version 1 called "diverged" what is slow, too, and does not have the first costs that
            # tell the one from the other: these networks are to be trained again.
            stacked["outcomes"][stacked["outcomes"] == "diverged"] = ""
            return start.result._replace(**stacked)  # type: ignore[arg-type]


def _verify(path: Path) -> AbstractContextManager[None]:
    return verify_parts("a file of a sweep", path, "start the sweep in another folder")


def _require_same(path: Path, file: h5py.File, start: SweepRun) -> int:
    """Raise an error unless a file is of this sweep; return its format version."""
    version = require_format(file, FORMAT, FORMAT_VERSION)
    asked = start.header() | _axes(start.result.grid)
    with _verify(path):
        stored = _read_header(file, version)
    if version == 1:  # what it did not say was as it is by default, or is said by the SHA-256
        stored = {"seed": 0, "optimizer": "sgd", "balanced": False, "basis": "auto"} | stored
        stored |= {name: asked[name] for name in ("height", "width")}
    stored = {name: BEFORE_IT_EXISTED[name] for name in asked.keys() & BEFORE_IT_EXISTED} | stored
    for name in sorted(stored.keys() | asked.keys()):
        if stored.get(name) != asked.get(name):
            raise UsageError(
                f"{path} was made with {name} = {_short(stored.get(name))}",
                f"{name} = {_short(asked.get(name))}, as given now",
                "give the same value to continue it, or give another folder",
            )
    return version


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}…"


def _read_header(file: h5py.File, version: int) -> dict[str, Any]:
    """Read the settings and the grid of a sweep, by the names that they have now."""
    stored: dict[str, Any] = read_attributes(find_group(file, "settings"))
    stored["pixel_scale"] = stored.pop("scale")
    if version == 1:
        del stored["exclude_leaks"]
        stored["weight_scales"] = stored.pop("scales")
        axes = {field.name: stored.pop(field.name) for field in dataclasses.fields(Grid)}
    else:
        group = find_group(file, "grid")
        axes = read_attributes(group)
        rates = read_array(find_array(group, "learning_rates"))
        axes["learning_rates"] = [a if a == b else (a, b) for a, b in rates.tolist()]
        for name in ("weight_scales", "activations"):
            texts = read_array(find_array(group, name))
            axes[name] = ",".join(text.decode() for text in texts.tolist())
    if axes.keys() != {field.name for field in dataclasses.fields(Grid)}:
        raise ValueError(f"grid holds {', '.join(sorted(axes))}")
    return stored | _axes(Grid(**axes))


def _axes(grid: Grid) -> dict[str, Any]:
    """Return the fields of a grid, with one rate for two equal ones, which a file cannot tell."""
    rates = [
        rate if isinstance(rate, float) else rate[0] if rate[0] == rate[1] else rate
        for rate in grid.learning_rates
    ]
    return dataclasses.asdict(grid) | {"learning_rates": tuple(dict.fromkeys(rates))}


def _read_arrays(
    group: h5py.Group, like: dict[str, np.ndarray], *, complete: bool = False
) -> dict[str, np.ndarray]:
    """Read the arrays of results, which must have the names, shapes and types of `like`."""
    if set(names_in(group)) != set(like):
        raise ValueError(
            f"{group.name} holds {', '.join(names_in(group)) or 'nothing'}, not {', '.join(like)}"
        )
    arrays = {}
    for name, blank in like.items():
        stored = find_array(group, name)
        kind = "S" if name == "outcomes" else "f"
        if stored.shape != blank.shape or stored.dtype.kind != kind or stored.dtype.itemsize > 10:
            raise ValueError(f"{stored.name} is {stored.dtype} {stored.shape}, not {blank.shape}")
        arrays[name] = read_array(stored).astype(blank.dtype)
    for outcome in np.unique(arrays["outcomes"]):
        if outcome not in get_args(Outcome) and (complete or outcome != ""):
            raise ValueError(f'{group.name} has the unknown outcome "{outcome}"')
    ended = ~np.isin(arrays["outcomes"], ("", "not finite"))
    for name in arrays.keys() - {"outcomes"}:
        if not np.isfinite(arrays[name][ended]).all():
            raise ValueError(f"{group.name}/{name} is not finite where a network has ended")
    return arrays
