"""Processes from their start to their exit: whole scripts, and the first training of a process."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.benchmarking.peers import Arrays, Problem, Train
from experiments.benchmarking.script import NETWORK
from experiments.benchmarking.workers import Worker
from jaxnet.data.dataset import Dataset
from jaxnet.data.download import FOLDER_VARIABLE, cache_folder
from jaxnet.data.hdf5 import write_hdf5
from jaxnet.progress import Track
from jaxnet.runs.run import load_run

ROOT = Path(__file__).parent.parent.parent
COLD, WARM = "jaxnet, cold", "jaxnet, warm"


class Times(NamedTuple):
    """The medians over the rounds.

    Attributes:
        wall: Seconds from the start of a process to its exit.
        cpu: Seconds of all cores, user and system.
    """

    wall: float
    cpu: float


class Scripts:
    """The scripts of the peers and `jaxnet train`, which train the same network of one data set.

    Attributes:
        data: The source for `jaxnet train`.
        iterations: Of each.
    """

    def __init__(
        self, data: str, dataset: Dataset, start: Arrays, iterations: int, workplace: Path
    ) -> None:
        self.data, self.iterations, self._workplace = data, iterations, workplace
        self._pictures, self._start = workplace / "pictures.h5", workplace / "start.npz"
        write_hdf5(self._pictures, dataset)
        np.savez(self._start, **start)  # type: ignore[arg-type]

    def time_in_turns(self, names: Iterable[str], rounds: int, track: Track) -> dict[str, Times]:
        """Start each script once a round, in turns; one warm start comes before the first round."""
        measured: dict[str, list[Times]] = {name: [] for name in names}
        if WARM in measured:
            self.run(WARM)
        turns = [name for _ in range(rounds) for name in measured]
        for name in track(turns, f"scripts, {self.data}", len(turns)):
            measured[name].append(self.run(name)[0])
        return {name: Times(*np.median(times, axis=0)) for name, times in measured.items()}

    def run(self, name: str, dtype: str = "float32") -> tuple[Times, Arrays]:
        """Run one script; return its times, and the parameters that it saved."""
        folder = Path(tempfile.mkdtemp(dir=self._workplace)) / "run"
        # A cold start finds no compiled programs; matplotlib's list of fonts is made once, for all.
        cache = folder.parent if name == COLD else self._workplace
        variables = {
            "XDG_CACHE_HOME": str(cache / "cache"),
            "MPLCONFIGDIR": str(self._workplace / "matplotlib"),
            FOLDER_VARIABLE: str(cache_folder()),
        }
        command: tuple[object, ...] = ("experiments.benchmarking.script", name, self._pictures)
        command += (self._start, dtype, self.iterations, folder)
        if name in (COLD, WARM):
            command = ("jaxnet", "train", "--data", self.data, "--precision", dtype)
            command += ("--iterations", self.iterations, "--out", folder)
        times = time_module(*command, **variables)
        if name in (COLD, WARM):
            params = load_run(folder).model.params
            return times, {letter: np.asarray(array) for letter, array in params.items()}
        with np.load(folder / NETWORK) as file:
            return times, {letter: file[letter] for letter in file.files}


def time_module(*command: object, **variables: str) -> Times:
    """Run a module with its arguments as a process, and time it."""
    environment = os.environ | variables
    for name in ("JAX_ENABLE_COMPILATION_CACHE", "JAX_COMPILATION_CACHE_DIR"):
        environment.pop(name, None)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Times(wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def time_first_trainings(
    peers: dict[str, Callable[[Problem], Train]],
    problem: Problem,
    iterations: int,
    rounds: int,
    track: Track,
) -> dict[str, float]:
    """Time the first training of a new process, without its imports, in turns.

    Returns:
        The median of the seconds of each peer, without the first of all rounds, which may fill a
        cache.
    """
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    turns = [name for _ in range(rounds + 1) for name in peers]
    for name in track(turns, "first trainings", len(turns)):
        worker = Worker(peers[name], problem)
        seconds[name].append(worker.train(iterations)[0])
        worker.close()
    return {name: float(np.median(taken[1:])) for name, taken in seconds.items()}
