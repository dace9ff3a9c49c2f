"""One process for each peer, with its own threads and memory; the processes train in turns."""

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np

from experiments.benchmarking.peers import Arrays, Problem, Train
from jaxnet.progress import Track

# The least seconds of a turn: a short one would mostly measure the caches that the peer before has
# filled with its own data.
TURN = 0.5


class Timing(NamedTuple):
    """The seconds of a peer over the rounds, and its memory.

    Attributes:
        median: The median of the rounds.
        least: The shortest round.
        most: The longest round.
        compiling: The additional seconds of the first call, before the rounds.
        memory: The peak memory of its process, in bytes.
    """

    median: float
    least: float
    most: float
    compiling: float
    memory: int


class Worker:
    """A process that trains one problem with one peer."""

    def __init__(self, make: Callable[[Problem], Train], problem: Problem) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(other_end, make, problem), daemon=True)
        self._process.start()
        other_end.close()

    def train(
        self, iterations: int, dtype: str = "float32", at_least: float = 0.0
    ) -> tuple[float, Arrays, int]:
        """Train from the start, repeatedly, until `at_least` seconds have passed.

        Returns:
            The median of the seconds, the params, and the peak memory.

        Raises:
            ImportError: If the peer is not installed.
        """
        self._connection.send((iterations, dtype, at_least))
        answer = self._connection.recv()
        if isinstance(answer, ImportError):
            raise answer
        return answer

    def close(self) -> None:
        """End the process."""
        self._connection.send(None)
        self._process.join()


def _serve(connection: Connection, make: Callable[[Problem], Train], problem: Problem) -> None:
    made: dict[str, Train] = {}
    while question := connection.recv():
        iterations, dtype, at_least = question
        try:
            if dtype == "float64":
                _switch_jax_to_float64()
            if dtype not in made:
                made[dtype] = make(problem.astype(np.dtype(dtype).type))
            seconds: list[float] = []
            while not seconds or sum(seconds) < at_least:
                began = time.perf_counter()
                params = made[dtype](iterations)
                seconds.append(time.perf_counter() - began)
        except ImportError as error:
            connection.send(error)
        else:
            connection.send((statistics.median(seconds), params, _peak_memory()))


def _switch_jax_to_float64() -> None:
    import jax

    jax.config.update("jax_enable_x64", True)


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def time_in_turns(
    workers: dict[str, Worker], iterations: dict[str, int], rounds: int, track: Track
) -> dict[str, Timing]:
    """Train once with each worker, to compile; then time all of them in turns, A B C A B C.

    A worker whose peer is not installed is closed, and removed from `workers`.
    """
    first: dict[str, float] = {}
    for name in track(list(workers), "compiling", len(workers)):
        try:
            first[name] = workers[name].train(iterations[name])[0]
        except ImportError:
            workers.pop(name).close()
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    memory: dict[str, int] = {}
    turns = [name for _ in range(rounds) for name in workers]
    for name in track(turns, "timing in turns", len(turns)):
        taken, _, memory[name] = workers[name].train(iterations[name], at_least=TURN)
        seconds[name].append(taken)
    return {
        name: Timing(
            statistics.median(taken),
            min(taken),
            max(taken),
            first[name] - statistics.median(taken),
            memory[name],
        )
        for name, taken in seconds.items()
    }
