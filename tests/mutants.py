"""Damaged copies of good files, read in a worker process that is started anew when it dies.

The worker reads many mutants; a crash, a hang or a traceback of one is told as its outcome.
"""

import contextlib
import functools
import hashlib
import multiprocessing
import random
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.activations import relu
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.hdf5 import read_hdf5, write_hdf5
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import JaxnetError
from jaxnet.io.bounded_hdf5 import PLAUSIBLE_BYTES
from jaxnet.many.grid import Grid
from jaxnet.many.sweep import Part, Sweep, empty_sweep
from jaxnet.network import init_params
from jaxnet.optimizer import sgd
from jaxnet.runs.checkpoint import checkpoint_of, continue_from
from jaxnet.runs.model_file import Stored, load_model, write_model_file
from jaxnet.runs.run import Run, load_run, versions
from jaxnet.runs.sweep_file import SweepRun, _read_parts, _read_results, _write_parts, save_sweep
from jaxnet.settings import Settings
from jaxnet.training import Descent, fit_in_chunks, start_descent

SECONDS = 20.0  # that a mutant may take, on a busy machine

# A file with strings of variable length is read by a process of its own first, which takes longer.
SHARES = {
    "fixed": 30,
    "chunks": 30,
    "strings": 1,
    "sealed": 20,
    "bare": 20,
    "edited": 1,
    "version1": 10,
    "sweep": 15,
    "part": 15,
    "sweep1": 10,
}

# What may become of a mutant. Only a sealed file shows every change; a sweep that is asked for with
# other settings than the file or the part has is wrong usage.
ALLOWED = {
    "fixed": ("read", "read otherwise", "DataError"),
    "chunks": ("read", "read otherwise", "DataError"),
    "strings": ("read", "read otherwise", "DataError"),
    "sealed": ("read", "ModelFileError"),
    "bare": ("read", "read otherwise", "ModelFileError"),
    "edited": ("read", "read otherwise", "ModelFileError"),
    "version1": ("read", "read otherwise", "ModelFileError"),
    "sweep": ("read", "read otherwise", "ModelFileError", "UsageError"),
    "part": ("read", "read otherwise", "ModelFileError", "UsageError"),
    "sweep1": ("read", "read otherwise", "ModelFileError", "UsageError"),
}

# In MiB, of reading a file of a few KiB: four arrays of PLAUSIBLE_BYTES, and a copy of each.
LARGEST_GROWTH = 8 * PLAUSIBLE_BYTES / 2**20

GRID = Grid((0.1, 1.0), (0.01, "he"), 2)


class Reading(NamedTuple):
    """What became of a file: "read", the name of an error, "hang" or "crash"."""

    outcome: str
    digest: str = ""
    growth: float = 0.0  # by how much memory was more at its peak than before, in MiB
    details: str = ""


@functools.cache
def make_start() -> tuple[Descent, jax.Array]:
    draw = np.random.default_rng(3)
    X = jnp.asarray(draw.uniform(-1, 1, (48, 7)), "float32")
    Y = jnp.asarray(draw.integers(0, 2, (1, 7)), "float32")
    params = init_params(jax.random.key(1), 48, 3, weight_scale=0.3)
    return start_descent(params, X, sgd(0.1, 0.9), "span"), Y


def make_run() -> Run:
    start, Y = make_start()
    *_, fit = fit_in_chunks(start, Y, iterations=20)
    settings = Settings(
        hidden_units=3, learning_rate=0.1, momentum=0.9, iterations=20, basis="span"
    )
    return Run(
        Preprocessing(8, 6),
        ("no", "yes"),
        relu,
        fit.descent,
        fit.costs,
        str(fit.outcome),
        settings,
        DataSource("pets"),
        versions(),
    )


def save_run(path: Path) -> None:
    """Write the run of `make_run` to a model file."""
    run = make_run()
    origin = run.origin | {"outcome": run.outcome}
    checkpoint = checkpoint_of(run.descent)
    write_model_file(path, Stored(run.model, checkpoint, run.settings, run.data_source, origin))


def load_descent(path: Path) -> Descent:
    """Read the descent of the run of `make_run`."""
    return continue_from(checkpoint_of(load_run(path).descent), make_start()[0])


def blank_sweep() -> SweepRun:
    blank = empty_sweep(GRID, has_test=True)
    return SweepRun(blank, Settings(momentum=0.5), Preprocessing(8, 6), "0" * 64)


def load_sweep(path: Path) -> Sweep:
    return _read_results(path, blank_sweep())


def full_sweep() -> SweepRun:
    """Make the same sweep with all its results."""
    sweep = blank_sweep()
    for array in sweep.result.arrays.values():
        array[...] = "learning" if array.dtype.kind == "U" else 0.25
    return sweep


def write_part(folder: Path) -> Path:
    """Write a part of the sweep, of all its rates and one seed; return its path."""
    place = (slice(0, 1), slice(0, 2), slice(1, 2), slice(1, 2))
    arrays = {name: array[place] for name, array in full_sweep().result.arrays.items()}
    _write_parts(folder, blank_sweep(), [Part(place, arrays)])
    (path,) = folder.glob("*/*.h5")
    return path


def make_version_1(path: Path) -> None:
    """Turn the file of a run or a sweep into one as jaxnet 0.1.0 wrote it."""

    def put(values: dict[str, Any]) -> None:
        for name, value in values.items():
            file["settings"].attrs[name] = np.bytes_(value) if isinstance(value, str) else value

    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 1
        attributes = file["settings"].attrs
        if "data" in file:
            attributes.update(file["data"].attrs)
            del file["data"], attributes["weight_scale"]
            put({"weight_scale": "0.01"})
            return
        for name in ("seed", "optimizer", "balanced", "basis", "height", "width"):
            del attributes[name]
        put({"learning_rates": "0.1,1", "scales": "0.01,he", "activations": "relu"})
        put({"seeds": 2, "exclude_leaks": False})
        results = {name: array[()] for name, array in file["results"].items()}
        del file["grid"], file["results"]
        for name, array in results.items():
            file[f"results/relu/{name}"] = array[0]


def write_bases(folder: Path, images: np.ndarray) -> dict[str, tuple[str, Path]]:
    """Write a good file of each kind; return its reader's name and its path, by its name."""
    labels = np.arange(len(images)) % 2
    split = Split(images, labels)
    fixed = folder / "fixed.h5"
    write_hdf5(fixed, Dataset(split, split, ("no", "yes")))
    strings = folder / "strings.h5"
    with h5py.File(strings, "w") as file:
        file["train_set_x"], file["train_set_y"] = images, labels
        file["list_classes"] = ["no", "yes"]
    chunks = folder / "chunks.h5"
    with h5py.File(chunks, "w") as file:
        packing = {"compression": "gzip", "shuffle": True}
        file.create_dataset("train_set_x", data=images, chunks=(5, 8, 6, 3), **packing)
        file.create_dataset("train_set_y", data=labels, maxshape=(None,), compression="lzf")
        file["list_classes"] = np.array([b"no", b"yes"])
    names = ("sealed", "bare", "edited", "version1", "sweep", "part", "sweep1")
    sealed, bare, edited, version1, sweep, part, sweep1 = (folder / f"{n}.h5" for n in names)
    save_run(sealed)
    for path in (bare, edited, version1):
        remove_seal(sealed, path)
    with h5py.File(edited, "a") as file:
        file["data"].attrs["data"] = "of variable length"
    make_version_1(version1)
    save_sweep(sweep, full_sweep())
    for path in (sweep1, sweep):
        remove_seal(sweep, path)
    make_version_1(sweep1)
    remove_seal(write_part(folder), part)
    readers = [*3 * ["data"], *4 * ["model"], "sweep", "part", "sweep"]
    paths = [fixed, strings, chunks, sealed, bare, edited, version1, sweep, part, sweep1]
    return {path.stem: (reader, path) for reader, path in zip(readers, paths, strict=True)}


def remove_seal(source: Path, target: Path) -> None:
    """Write a file without its seal, as an HDF5 tool leaves one that it changes."""
    target.write_bytes(source.read_bytes()[:-32])


def mutate(content: bytes, draw: random.Random) -> bytes:
    """Damage a file at one to four places, each in one of the ways that files are damaged."""
    for _ in range(draw.randint(1, 4)):
        mutant = bytearray(content)
        at, source = draw.randrange(len(mutant)), draw.randrange(len(mutant))
        size = draw.choice((1, 2, 4, 8, 16, 64, 512))
        how = draw.randrange(7)
        if how == 0:
            mutant[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            mutant[at] = draw.randrange(256)
        elif how == 2:
            mutant[at : at + size] = bytes(len(mutant[at : at + size]))
        elif how == 3:
            mutant[at : at + size] = b"\xff" * len(mutant[at : at + size])
        elif how == 4:
            block = mutant[source : source + size]
            mutant[at : at + len(block)] = block
        elif how == 5:
            at, source = (place // 8 * 8 for place in (at, source))
            one, other = mutant[at : at + 8], mutant[source : source + 8]
            if len(one) == len(other):
                mutant[at : at + 8], mutant[source : source + 8] = other, one
        elif draw.random() < 0.3:
            del mutant[max(at, 1) :]
        content = bytes(mutant)
    return content


def _read_data(path: Path) -> str:
    return read_hdf5(path).sha256


def _read_model(path: Path) -> str:
    model, run, descent = load_model(path), load_run(path), load_descent(path)
    leaves = jax.tree.leaves((model.params, descent.state, descent.W1, descent.span))
    arrays = [np.asarray(leaf) for leaf in (*leaves, run.costs, descent.costs)]
    words: tuple[object, ...] = (
        model.preprocessing,
        model.classes,
        model.hidden.name,
        run.settings,
        run.data_source,
        run.outcome,
        run.origin,
    )
    words += ([(a.shape, a.dtype) for a in arrays],)
    return hashlib.sha256(repr(words).encode() + b"".join(a.tobytes() for a in arrays)).hexdigest()


def _read_sweep(path: Path) -> str:
    return repr(load_sweep(path))


def _read_part(path: Path) -> str:
    return repr(_read_parts(path, blank_sweep()))


READERS: dict[str, Callable[[Path], str]] = {
    "data": _read_data,
    "model": _read_model,
    "sweep": _read_sweep,
    "part": _read_part,
}


def memory(which: str) -> float:
    """Return the memory of this process in MiB, now (VmRSS) or at its peak (VmHWM).

    Not getrusage: a child of a large process begins with its parent's peak.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in status.open() if line.startswith(which))


def read(reader: str, path: Path) -> Reading:
    try:
        return Reading("read", READERS[reader](path))
    except JaxnetError as error:
        return Reading(type(error).__name__, details=str(error))
    except BaseException as error:
        return Reading(type(error).__name__, details=traceback.format_exc())


def work(connection: Connection, bases: list[tuple[str, Path]]) -> None:
    """Read one file after the other, in a process of its own."""
    for reader, path in bases:  # so that all is imported and compiled before memory is measured
        assert read(reader, path).outcome == "read"
    while True:
        reader, path = connection.recv()
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
        before = memory("VmRSS")
        reading = read(reader, path)
        connection.send(reading._replace(growth=memory("VmHWM") - before))


class Worker:
    """A process that reads files, and is started anew when it dies or hangs."""

    def __init__(self, bases: list[tuple[str, Path]]) -> None:
        self.bases = bases
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, end = context.Pipe()
        self.process = context.Process(target=work, args=(end, self.bases), daemon=True)
        self.process.start()
        end.close()

    def stop(self) -> int | None:
        self.process.kill()
        self.process.join()
        self.connection.close()
        return self.process.exitcode

    def read(self, reader: str, path: Path, seconds: float = SECONDS) -> Reading:
        """Read a file in the worker."""
        try:
            self.connection.send((reader, path))
            if self.connection.poll(seconds):
                reading: Reading = self.connection.recv()
                return reading
            outcome = "hang"
        except (EOFError, OSError):
            self.process.join(5)
            outcome = f"crash {self.process.exitcode}"
        self.stop()
        self.start()
        self.connection.send(self.bases[0])  # its answer tells that the imports are done
        self.connection.recv()
        return Reading(outcome)


@contextlib.contextmanager
def start_worker(bases: list[tuple[str, Path]]) -> Iterator[Worker]:
    worker = Worker(bases)
    worker.read(*bases[0], seconds=100)
    try:
        yield worker
    finally:
        worker.stop()


def read_mutants(
    bases: dict[str, tuple[str, Path]], folder: Path, seed: int, number: int
) -> dict[str, Reading]:
    """Read so many mutants, at least one of each base; return readings by the mutant's name.

    Those that went wrong are left in `folder`.
    """
    draw = random.Random(seed)
    readings = {}
    with start_worker(list(bases.values())) as worker:
        whole = {name: (base[1].read_bytes(), worker.read(*base)) for name, base in bases.items()}
        names = draw.choices(list(bases), [SHARES[name] for name in bases], k=number)
        for i, name in enumerate([*bases, *names][:number]):
            path = folder / f"{name}-{seed}-{i}.h5"
            path.write_bytes(mutate(whole[name][0], draw))
            reading = worker.read(bases[name][0], path)
            if reading.outcome == "read" and reading.digest != whole[name][1].digest:
                reading = reading._replace(outcome="read otherwise")
            readings[path.name] = reading
            if is_fine(path.name, reading):
                path.unlink()
    return readings


def is_fine(name: str, reading: Reading) -> bool:
    """Say whether a file of this name may end so."""
    return reading.outcome in ALLOWED[name.split("-")[0]] and reading.growth < LARGEST_GROWTH
