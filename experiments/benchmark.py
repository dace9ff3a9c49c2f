"""How fast is the same gradient descent, in the span of the pictures and in other programs?

The article's network (64 × 64 grey → 8 ReLU → 1 sigmoid, 2,500 iterations) is trained from the same
parameters by NumPy, PyTorch, scikit-learn, plain JAX and jaxnet, each in a process of its own, in
turns. Then 1 to 4,096 networks are trained at once, and jaxnet alone with more pictures, pixels and
hidden units. The final cost in float64 of every program is compared, so that none is faster because
it computes something else. (The article's section "Repeat".)

    pip install -e '.[bench]'
    python -m experiments.benchmark --out experiments/results/MACHINE

Expect twelve minutes on two cores. A time is measured from the arrays in memory to the trained W1,
b1, W2, b2; in the span it includes K and the conversion back to pixels. Imports are not included,
and compilation has a column of its own. The time of one step does not include what comes before the
first step. `experiments/benchmark_scripts.py` times all that a user waits for.
"""

import functools
import importlib.metadata
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments import Result, run
from experiments.benchmarking.peers import (
    DIFFERENT,
    MANY_NETWORKS,
    ONE_NETWORK,
    SQUARE,
    Arrays,
    Problem,
    Train,
    jaxnet_pixels,
    jaxnet_span,
    numpy_pixels,
    products_alone,
    pytorch,
    square_product,
)
from experiments.benchmarking.report import (
    ONE_BY_ONE,
    OURS,
    PRODUCT,
    Growth,
    ManyNetworks,
    OneNetwork,
    draw,
    growth_table,
    many_networks_table,
    one_network_table,
)
from experiments.benchmarking.workers import Worker, time_in_turns
from jaxnet import DataError, init_params, load_dataset, to_columns, to_row
from jaxnet.report.console import out, show_progress

ON_PIXELS = ("NumPy", "PyTorch", "scikit-learn")
PACKAGES = ("jax", "numpy", "optax", "torch", "scikit-learn")

# The number of floating-point operations that are timed at once: a second or two on two cores.
OPERATIONS = 3e11
MOST_STEPS = 3000

# What grows; then the number of pictures, their size and colour, and the number of hidden units.
GROWTH = [("pictures", m, 64, "gray", 8) for m in (209, 836, 3344, 20_000)]
GROWTH += [("pixels", 209, size, "gray", 8) for size in (32, 64)]
GROWTH += [("pixels", 209, size, "rgb", 8) for size in (64, 128)]
GROWTH += [("hidden units", 209, 64, "gray", n_h) for n_h in (8, 32, 128, 512)]


def main(
    data: str = "",
    learning_rate: float = 0.0075,
    iterations: int = 2500,
    rounds: int = 4,
    most_networks: int = 4096,
    most_growth: int = 100,
) -> Result:
    """Time every peer.

    Args:
        data: Any source of pictures; by default the cats, or sketches where they are absent.
        learning_rate: α.
        iterations: Of one network.
        rounds: How often each program is timed.
        most_networks: The largest number of networks at once.
        most_growth: The largest factor by which the article's network or its data grow.
    """
    problem, source = load_problem(data, learning_rate)
    machine = describe_machine()
    out.print(f"{source}, {problem.Y.size} pictures; {machine['processor']}\n")

    one, difference = time_one_network(problem, iterations, rounds)
    missing = [name for name in ONE_NETWORK if name not in one]
    out.print(one_network_table(one, missing, iterations))
    if missing:
        out.print("Install the missing programs with: pip install -e '.[bench]'", style="yellow")

    many, many_difference = time_many_networks(problem, most_networks, rounds)
    out.print(many_networks_table(many))

    square = Peer(square_product, problem, 2 * SQUARE**3)
    ceiling = 1e-9 * square.operations / time_steps({"square": square}, rounds)["square"]
    growth = time_growth(most_growth, rounds)
    if growth:
        out.print(growth_table(growth, ceiling))

    factor = min(one[name]["median"] for name in ON_PIXELS if name in one) / one[OURS]["median"]
    largest = max(difference, many_difference)
    numbers: dict[str, Any] = {
        "times the fastest of NumPy, PyTorch and scikit-learn on pixels": factor,
        "largest difference of the final costs in float64": largest,
    } | compare_many(problem, many, ceiling)
    details = {
        "machine": machine,
        "data": source,
        "missing": missing,
        "one network, seconds": one,
        "many networks, seconds a step": many,
        "growth": growth,
        "GFLOP/s of a square product": ceiling,
    }
    return Result(
        "The same gradient descent, more than ten times faster.",
        factor > 10 and largest < 1e-9,
        numbers | details,
        draw(one, many, growth, machine["processor"]),
    )


def compare_many(problem: Problem, many: ManyNetworks, ceiling: float) -> dict[str, float]:
    """Compare jaxnet with the others at about 1,024 networks; `ceiling` is in GFLOP/s."""
    at = max(count for count in many[OURS] if count <= 1024)
    ours = many[OURS][at]
    rate = 1e-9 * operations(problem, "span", at) / ours
    numbers = {
        f"microseconds a network's step, {at} networks": 1e6 * ours / at,
        "share of the rate of the product C K alone": many[PRODUCT][at] / ours,
        "share of the rate of a square product": rate / ceiling,
    }
    if ONE_BY_ONE in many:
        numbers[f"times {ONE_BY_ONE}, {at} networks"] = many[ONE_BY_ONE][1] * at / ours
    for name in MANY_NETWORKS.keys() & many.keys() - {OURS}:
        numbers[f"times {name}, {at} networks"] = many[name][at] / ours
    return numbers


def load_problem(data: str, learning_rate: float) -> tuple[Problem, str]:
    """Load the pictures, and draw the initial parameters of the seeds 0, 1, …."""
    try:
        dataset = load_dataset(data or "catvnoncat")
    except DataError:
        if data:
            raise
        dataset = load_dataset("sketches")
    X, Y = to_columns(dataset.train.images), to_row(dataset.train.labels)
    drawn = [init_params(jax.random.key(seed), len(X)) for seed in range(DIFFERENT)]
    params = {name: np.stack([p[name] for p in drawn]) for name in drawn[0]}
    return Problem(np.array(X), np.array(Y), params, learning_rate), Path(dataset.source).name


def describe_machine() -> dict[str, Any]:
    """Return the processor, and the versions of the packages that are compared."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    processor = f"{(models or [platform.processor()])[0]}, {cores} cores"
    device = jax.devices()[0]
    if device.platform != "cpu":
        processor = f"{device.device_kind}; {processor}"
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed[package] = "missing"
    return {"processor": processor, "system": platform.system(), "versions": installed}


def time_one_network(problem: Problem, iterations: int, rounds: int) -> tuple[OneNetwork, float]:
    """Time each peer; return the times, and the largest difference of a cost from NumPy's."""
    alone = first_of(problem)
    workers = {name: Worker(make, alone) for name, make in ONE_NETWORK.items()}
    timings = time_in_turns(workers, dict.fromkeys(workers, iterations), rounds, show_progress)
    exact = alone.astype(np.float64)
    costs = {}
    for name in show_progress(list(workers), "final costs in float64", len(workers)):
        costs[name] = float(cost(exact, workers[name].train(iterations, "float64")[1]))
        workers[name].close()
    one = {name: timing._asdict() | {"cost": costs[name]} for name, timing in timings.items()}
    return one, max(abs(value - costs["NumPy"]) for value in costs.values())


def time_many_networks(problem: Problem, most: int, rounds: int) -> tuple[ManyNetworks, float]:
    """Time one step of 1, 4, 16, … networks; return the times, and the costs' difference."""
    seconds: ManyNetworks = {}
    networks = 1
    while networks <= most:
        out.print(f"{networks:,} at once …", style="dim")
        peers = {}
        for name, make in (MANY_NETWORKS | {PRODUCT: products_alone}).items():
            basis = "pixels" if "pixels" in name else "span"
            together = functools.partial(make, networks=networks)
            peers[name] = Peer(together, problem, operations(problem, basis, networks))
        if networks == 1:
            peers[ONE_BY_ONE] = Peer(pytorch, first_of(problem), operations(problem, "pixels"))
        for name, step in time_steps(peers, rounds).items():
            seconds.setdefault(name, {})[networks] = step
        networks *= 4

    exact, iterations = problem.astype(np.float64), 100
    alone = [cost(exact, numpy_pixels(one)(iterations)) for one in each_of(exact)]
    differences = []
    for make in MANY_NETWORKS.values():
        worker = Worker(functools.partial(make, networks=DIFFERENT), problem)
        try:
            params = worker.train(iterations, "float64")[1]
        except ImportError:
            continue
        finally:
            worker.close()
        costs = params["costs"] if "costs" in params else cost(exact, params)
        differences.append(float(np.abs(costs - alone).max()))
    return seconds, max(differences)


def time_growth(most: int, rounds: int) -> Growth:
    """Time one step of jaxnet on sketches as m, n_x and n_h grow, one at a time."""
    rows: Growth = []
    for grows, m, size, color, n_h in GROWTH:
        if max(m / 209, size**2 / 64**2 * (3 if color == "rgb" else 1), n_h / 8) > most:
            continue
        out.print(f"{grows}: {m:,} of {size} × {size} {color}, {n_h} units …", style="dim")
        images, labels, _ = load_dataset("sketches", size=size, count=m, track=show_progress).train
        X = np.array(to_columns(images, color=color))
        params = jax.device_get(init_params(jax.random.key(0), len(X), n_h))
        problem = Problem(X, np.array(to_row(labels)), params, 0.0075)
        peers = {"pixels": Peer(jaxnet_pixels, problem, operations(problem, "pixels"))}
        if m <= len(X):
            peers["span"] = Peer(jaxnet_span, problem, operations(problem, "span"))
        for basis, seconds in time_steps(peers, rounds).items():
            shape = {"grows": grows, "m": m, "n_x": len(X), "n_h": n_h, "basis": basis}
            rate = 1e-9 * peers[basis].operations / seconds
            rows.append(shape | {"seconds": seconds, "gflops": rate})
    return rows


class Peer(NamedTuple):
    """A training program, its problem, and the number of floating-point operations of a step."""

    make: Callable[..., Train]
    problem: Problem
    operations: float


def time_steps(peers: dict[str, Peer], rounds: int) -> dict[str, float]:
    """Time one step of each peer, from many steps, without what comes before the first."""
    workers = {name: Worker(peer.make, peer.problem) for name, peer in peers.items()}
    counts = {
        name: int(np.clip(OPERATIONS / peer.operations, 3, MOST_STEPS))
        for name, peer in peers.items()
    }
    one = time_in_turns(workers, dict.fromkeys(peers, 1), rounds, show_progress)
    all_of_them = time_in_turns(workers, counts, rounds, show_progress)
    for worker in workers.values():
        worker.close()
    seconds = {}
    for name in workers:
        count = counts[name]
        first, whole = one[name].median, all_of_them[name].median
        # On a busy machine many steps may take less time than one: then return an upper bound.
        seconds[name] = (whole - first) / (count - 1) if whole > first else whole / count
    return seconds


def operations(problem: Problem, basis: str, networks: int = 1) -> float:
    """Count the floating-point operations of a step's large products."""
    n_h, n_x = problem.params["W1"].shape[-2:]
    m = problem.Y.size
    return networks * n_h * m * (2 * m if basis == "span" else 4 * n_x)


def first_of(problem: Problem) -> Problem:
    """Take the first of the stacked networks."""
    return each_of(problem)[0]


def each_of(problem: Problem) -> list[Problem]:
    """Take the stacked networks apart."""
    return [
        problem._replace(params={name: array[i] for name, array in problem.params.items()})
        for i in range(len(problem.params["W1"]))
    ]


def cost(problem: Problem, params: Arrays) -> np.ndarray:
    """Compute the cost of a network, or of each of stacked ones, in NumPy."""
    Z1 = params["W1"] @ problem.X + params["b1"]
    Z2 = params["W2"] @ np.maximum(Z1, 0) + params["b2"]
    return (np.logaddexp(0, Z2) - problem.Y * Z2).mean(axis=(-2, -1))


if __name__ == "__main__":
    run(main)
