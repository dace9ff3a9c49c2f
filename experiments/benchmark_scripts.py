"""How long does a user wait, from the start of a process to its exit?

`jaxnet train` and whole scripts with NumPy, PyTorch and scikit-learn read the same pictures, train
the article's network for 2,500 iterations from the same parameters, score both splits, save, and
draw a figure; each is a process of its own, in turns. jaxnet starts twice: cold, with no compiled
program kept from before, and warm. The first training of a process is timed, too, without imports,
saving and drawing. The final cost in float64 of every script is compared, so that none is faster
because it computes something else. (The article's section "Repeat".)

    pip install -e '.[bench]'
    python -m experiments.benchmark_scripts --out experiments/results/MACHINE

Expect four minutes on two quiet cores. The tables are printed as Markdown. `jaxnet train` does more
than the scripts: it draws the sketches, which the scripts read from a file, searches for
duplicates, records every cost, and writes a page.
"""

import importlib.util
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments import Result, at_least, run
from experiments.benchmark import ON_PIXELS, cost, describe_machine, first_of, load_problem
from experiments.benchmarking.peers import ONE_NETWORK, Problem, Train, jaxnet_kept, jaxnet_span
from experiments.benchmarking.starts import COLD, WARM, Scripts, Times, time_first_trainings
from jaxnet import DataError, load_dataset
from jaxnet.report.console import out, show_progress

CLAIM = "The command is done before a plain script, and in half of its time once it has run before."
PACKAGES = {"PyTorch": "torch", "scikit-learn": "sklearn"}

# data -> script -> its times
Table = dict[str, dict[str, Times]]


def main(data: str = "", iterations: int = 2500, rounds: int = 7) -> Result:
    """Time every script on each data set.

    Args:
        data: Any source of pictures; by default the cats and the sketches.
        iterations: Of each training.
        rounds: How often each script is started.
    """
    at_least(1, rounds=rounds)
    at_least(2, iterations=iterations)
    peers = [name for name in ON_PIXELS if importlib.util.find_spec(PACKAGES.get(name, "numpy"))]
    missing = [name for name in ON_PIXELS if name not in peers]
    machine = describe_machine()
    busy = os.getloadavg()[0]
    out.print(f"{machine['processor']}; load before the start: {busy:.1f}\n")

    table: Table = {}
    first: dict[str, dict[str, float]] = {}
    difference = 0.0
    for source in (data,) if data else ("catvnoncat", "sketches"):
        try:
            load_dataset(source)
        except DataError as error:
            if data:
                raise
            out.print(f"{source} is left out: {error}", style="yellow")
            continue
        problem = first_of(load_problem(source, 0.0075)[0])
        with tempfile.TemporaryDirectory() as workplace:
            scripts = Scripts(
                source, load_dataset(source), problem.params, iterations, Path(workplace)
            )
            difference = max(difference, compare_costs(scripts, problem, peers))
            names = [*peers, COLD, WARM]
            table[source] = scripts.time_in_turns(names, rounds, show_progress)
        makers: dict[str, Callable[[Problem], Train]] = {name: ONE_NETWORK[name] for name in peers}
        makers |= {COLD: jaxnet_span, WARM: jaxnet_kept}
        first[source] = time_first_trainings(makers, problem, iterations, rounds, show_progress)

    out.print(scripts_table(table, iterations, missing), first_table(first, iterations), sep="\n\n")
    shares = {
        f"time of {name} on {source}, of the fastest script": share(times, name)
        for source, times in table.items()
        for name in (WARM, COLD)
    }
    details = {
        "largest difference of the final costs in float64": difference,
        "machine": machine,
        "load before the start": busy,
        "missing": missing,
        "rounds": rounds,
        "scripts, seconds": {
            source: {name: time._asdict() for name, time in times.items()}
            for source, times in table.items()
        },
        "first trainings, seconds": first,
    }
    holds = all(value <= (0.5 if WARM in name else 1) for name, value in shares.items())
    return Result(CLAIM, holds and difference < 1e-9, shares | details)


def compare_costs(scripts: Scripts, problem: Problem, peers: list[str]) -> float:
    """Run each script once in float64; return the largest difference of two final costs."""
    exact = problem.astype(np.float64)
    costs = [float(cost(exact, scripts.run(name, "float64")[1])) for name in (*peers, COLD)]
    return max(costs) - min(costs)


def share(times: dict[str, Times], name: str) -> float:
    """Divide the time of a script by that of the fastest of the peers."""
    return times[name].wall / min(times[peer].wall for peer in times if peer not in (COLD, WARM))


def scripts_table(table: Table, iterations: int, missing: list[str]) -> str:
    """Tabulate the seconds of the scripts, as Markdown."""
    heading = f"from start to exit, {iterations:,} iterations"
    columns = [f"{source}: seconds | of all cores | of the fastest script" for source in table]
    lines = [f"| {heading} | {' | '.join(columns)} |", "| --- |" + " ---: |" * 3 * len(table)]
    for name in next(iter(table.values()), {}):
        cells = [
            f"{times[name].wall:.2f} | {times[name].cpu:.2f} | {share(times, name):.2f}"
            for times in table.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [f"| {name} | missing |" + " |" * (3 * len(table) - 1) for name in missing]
    return "\n".join(lines)


def first_table(first: dict[str, dict[str, float]], iterations: int) -> str:
    """Tabulate the seconds of the first training of a process, as Markdown."""
    heading = f"first training of a process, {iterations:,} iterations"
    columns = [f"{source}: seconds" for source in first]
    lines = [f"| {heading} | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(first)]
    for name in next(iter(first.values()), {}):
        cells = [f"{seconds[name]:.2f}" for seconds in first.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
