"""How fast is training on many pictures: from a file, with a full batch, and with small batches?

A file of pictures is drawn; jaxnet, PyTorch and scikit-learn make epochs of it in turns, in one
process. The time is that of an epoch with all that belongs to it: reading, converting bytes to
grey, forward, backward, update. Then the same network is trained in memory: with all of many
pictures at each step, and with batches of 32 of the article's number of pictures. What is compiled
is compiled before.

    pip install -e '.[bench]'
    python -m experiments.benchmark_large --out experiments/results/MACHINE

Expect five minutes on two cores.
"""

import contextlib
import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from experiments import Result, run
from experiments.benchmark import describe_machine
from experiments.benchmarking.large import FROM_A_FILE, IN_MEMORY, Epochs, Updates, make_file
from jaxnet import StoredPictures
from jaxnet.report.console import out

OURS, READER, LOADER = "jaxnet", "PyTorch, the same reader", "PyTorch, DataLoader, 2 workers"


def main(
    pictures: int = 40_000,
    batch: int = 256,
    epochs: int = 3,
    full_batch: int = 20_000,
    updates: int = 100,
    small_updates: int = 2000,
    rounds: int = 5,
) -> Result:
    """Time every peer.

    Args:
        pictures: In the file.
        batch: The number of pictures of a batch from the file.
        epochs: How many are timed at once.
        full_batch: The number of pictures in memory of which every step sees all.
        updates: How many updates are timed with them.
        small_updates: How many updates with batches of 32 of 209 pictures.
        rounds: How often each program is timed.
    """
    with tempfile.TemporaryDirectory() as folder:
        stored = make_file(Path(folder) / "pictures.h5", pictures)
        makers = {
            name: functools.partial(_reading, make, stored, batch, epochs)
            for name, make in FROM_A_FILE.items()
        }
        seconds = time_in_turns(makers, rounds)
    rates = {name: epochs * pictures / median for name, median in seconds.items()}
    out.print(_table("from a file", "pictures a second", rates))

    memory = {}
    for title, m, size, count in (
        (f"full batch of {full_batch:,} pictures", full_batch, None, updates),
        ("batches of 32 of 209 pictures", 209, 32, small_updates),
    ):
        X, Y = _draw(m)
        made = {
            name: functools.partial(_ready, make, X, Y, size, count)
            for name, make in IN_MEMORY.items()
        }
        memory[title] = {
            name: count / median for name, median in time_in_turns(made, rounds).items()
        }
        out.print(_table(title, "updates a second", memory[title]))

    numbers: dict[str, Any] = {f"pictures a second: {name}": rate for name, rate in rates.items()}
    for title, found in memory.items():
        numbers |= {f"updates a second, {title}: {name}": rate for name, rate in found.items()}
    if READER in rates:
        numbers["times PyTorch on the same reader"] = rates[OURS] / rates[READER]
        numbers["times PyTorch with DataLoader"] = rates[OURS] / rates[LOADER]
        for title, found in memory.items():
            numbers[f"times PyTorch, {title}"] = found[OURS] / found["PyTorch"]
    numbers["share of reading alone"] = rates[OURS] / rates["reading alone"]
    return Result(
        claim="Training from a file is at least 1.5 times as fast as PyTorch on the same reader.",
        holds=numbers.get("times PyTorch on the same reader", 0.0) >= 1.5,
        numbers=numbers | {"machine": describe_machine()},
        figure=_draw_rates(rates),
    )


def time_in_turns(
    makers: Mapping[str, Callable[[], Callable[[], object]]], rounds: int
) -> dict[str, float]:
    """Time each program in turns; return the median of its seconds.

    A program that is not installed is left out.
    """
    programs = {}
    for name, make in makers.items():
        with contextlib.suppress(ImportError):
            programs[name] = make()
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            began = time.perf_counter()
            program()
            if turn:  # the first compiles, and fills the caches
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _reading(
    make: Callable[..., Epochs], pictures: StoredPictures, batch: int, epochs: int
) -> Callable[[], object]:
    return functools.partial(make(pictures, batch), epochs)


def _ready(
    make: Callable[..., Updates], X: np.ndarray, Y: np.ndarray, batch: int | None, count: int
) -> Callable[[], object]:
    return functools.partial(make(X, Y, batch), count)


def _draw(m: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    X = draw.uniform(-1, 1, (4096, m)).astype(np.float32)
    return X, draw.integers(0, 2, (1, m)).astype(np.float32)


def _table(title: str, unit: str, rates: dict[str, float]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("program")
    table.add_column(unit, justify="right")
    table.add_column("jaxnet is faster by", justify="right")
    for name, rate in rates.items():
        factor = "" if name == OURS else f"{rates[OURS] / rate:.2g} ×"
        table.add_row(name, f"{rate:,.0f}", factor)
    return table


def _draw_rates(rates: dict[str, float]) -> Figure:
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    axes = figure.subplots()
    names = sorted(rates, key=lambda name: rates[name])
    axes.barh(names, [rates[name] for name in names])
    axes.set(xlabel="pictures a second, from a file")
    return figure


if __name__ == "__main__":
    run(main)
