"""`jaxnet sweep`: thousands of networks, to see which rates and first scales learn."""

import collections
import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from jaxnet.commands import options
from jaxnet.commands.console import (
    Interruption,
    describe_device,
    make_bar,
    print_json,
    save_figure,
    speak,
)
from jaxnet.commands.data import load_and_print, to_arrays
from jaxnet.errors import UsageError, require_choice, require_number

if TYPE_CHECKING:
    import numpy as np

    from jaxnet.many.sweep import Sweep
    from jaxnet.progress import T

FIGURE_NAME = "sweep.png"

# About how many networks are trained between two saves: some seconds on two cores.
NETWORKS_A_SAVE = 512

SHOWN = 10

# More would not fit into memory, or a lifetime.
MOST_VALUES, MOST_NETWORKS = 10_000, 10_000_000


def sweep(
    ctx: typer.Context,
    data: options.Data = "sketches",
    test: options.Test = None,
    positive: options.Positive = None,
    size: options.Size = None,
    count: options.Count = None,
    data_seed: options.DataSeed = 0,
    skip_bad: options.SkipBad = False,
    exclude_leaks: options.ExcludeLeaks = False,
    color: options.Color = "gray",
    scale: options.Scale = "symmetric",
    learning_rates: Annotated[
        str, typer.Option(help="LEAST:GREATEST:COUNT on a log scale, or numbers, with commas.")
    ] = "1e-4:1:25",
    scales: Annotated[
        str, typer.Option(help="Of the first weights, written likewise; he may be among them.")
    ] = "0.01",
    seeds: Annotated[
        int, typer.Option(min=1, max=100_000, help="How many: 0, 1, …, each as --seed of train.")
    ] = 16,
    hidden_units: options.HiddenUnits = 8,
    activations: Annotated[
        str, typer.Option(help="Of the hidden units: relu, leaky_relu, sigmoid, with commas.")
    ] = "relu",
    momentum: options.Momentum = 0.0,
    nesterov: options.Nesterov = False,
    iterations: options.Iterations = 2500,
    precision: options.Precision = "float32",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The run folder; in that of the same sweep it goes on. \\[default: runs/001, …]",
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train a network for every activation, learning rate, first scale and seed; see who learns."""
    from jaxnet.activations import ACTIVATIONS

    rates = [float(rate) for rate in parse_grid("--learning-rates", learning_rates)]
    names = parse_grid("--scales", scales, words=("he",))
    kinds = list(dict.fromkeys(kind.strip() for kind in activations.split(",")))
    for kind in kinds:
        require_choice("--activations", kind, ACTIVATIONS)
    shape = (len(rates), len(names), seeds)
    networks = len(kinds) * math.prod(shape)
    require_number("the number of networks", networks, 1, MOST_NETWORKS)

    from jaxnet.devices import use_all_cores

    with contextlib.suppress(UsageError):  # called from Python, where JAX may be in use already
        use_all_cores()

    import jax
    import numpy as np

    jax.config.update("jax_enable_x64", precision == "float64")

    from jaxnet.many.sweep import sweep as train_networks
    from jaxnet.report.figures import draw_sweep
    from jaxnet.runs.folder import make_run_folder
    from jaxnet.runs.sweep_file import SWEEP_NAME, empty_sweep, resume_sweep, save_sweep

    console = speak(as_json)
    dataset, described = load_and_print(console, ctx.params)
    console.print(
        (f"{len(kinds)} activations × " if len(kinds) > 1 else "")
        + f"{len(rates)} learning rates × {len(names)} scales × {seeds} seeds = "
        f"{networks:,} networks of {iterations:,} iterations"
    )
    console.print(f"Device: {describe_device(console)} (JAX {jax.__version__})\n")

    settings = {
        "sha256": described["sha256"],
        "exclude_leaks": exclude_leaks,
        "color": color,
        "scale": scale,
        "learning_rates": learning_rates,
        "scales": scales,
        "seeds": seeds,
        "hidden_units": hidden_units,
        "activations": activations,
        "momentum": momentum,
        "nesterov": nesterov,
        "iterations": iterations,
        "precision": precision,
    }
    results = {kind: empty_sweep(shape, dataset.test is not None) for kind in kinds}
    if out is not None and (out / SWEEP_NAME).exists():
        folder, results = out, resume_sweep(out / SWEEP_NAME, settings, results)
    else:
        folder = make_run_folder(out)

    _, columns = to_arrays(dataset, color, scale, precision)
    keys = jax.vmap(jax.random.key)(np.arange(seeds))
    seeds_a_save = max(1, NETWORKS_A_SAVE // len(rates))
    bar = make_bar("training networks")
    with Interruption() as interruption, bar:
        task = bar.add_task("", total=networks, completed=networks - count_outcomes(results)[""])
        for kind, s, members in _blocks(kinds, len(names), seeds, seeds_a_save):
            if interruption.signal is not None:
                break
            if (results[kind].outcomes[:, s, members] != "").all():
                continue

            def track(
                sequence: "Iterable[T]", description: str, total: float | None
            ) -> "Iterator[T]":
                for item in sequence:
                    yield item
                    bar.advance(task, len(rates) * (members.stop - members.start) / (total or 1))  # noqa: B023

            part = train_networks(
                keys[members],
                *columns["train"],
                ACTIVATIONS[kind],
                learning_rates=rates,
                scales=[names[s] if names[s] == "he" else float(names[s])],
                n_h=hidden_units,
                momentum=momentum,
                nesterov=nesterov,
                iterations=iterations,
                test=columns.get("test"),
                track=track,
            )
            for whole, trained in zip(results[kind], part, strict=True):
                if whole is not None:
                    whole[:, s : s + 1, members] = trained
            save_sweep(folder / SWEEP_NAME, settings, results)

    counts = count_outcomes(results)
    counts["to be trained"] = counts.pop("", 0)
    title = f"{data}: {networks - counts['to be trained']:,} networks of {iterations:,} iterations"
    save_figure(draw_sweep(results, rates, names, title), folder / FIGURE_NAME)
    cells = summarise(results, rates, names)
    console.print(_best_table(cells))
    console.print(", ".join(f"{count:,} {name}" for name, count in counts.items() if count))
    for name in (SWEEP_NAME, FIGURE_NAME):
        console.print(f"written: {folder / name}")
    if interruption.signal is not None:
        console.print(f"stopped: the same command with --out {folder} goes on", style="yellow")
    if as_json:
        print_json({"run": str(folder), "settings": settings, "outcomes": counts, "cells": cells})
    if interruption.signal is not None:
        raise typer.Exit(128 + interruption.signal)


def parse_grid(option: str, text: str, words: tuple[str, ...] = ()) -> list[str]:
    """Read values with commas between, each a number or LEAST:GREATEST:COUNT on a log scale.

    Returns:
        The values as texts, each a number, 0 or more, or one of `words`, and none twice.

    Raises:
        UsageError: If it cannot be read so.
    """
    import numpy as np

    values: list[str] = []
    try:
        for part in text.split(","):
            if ":" in part:
                first, last, number = part.split(":")
                least, greatest, count = float(first), float(last), int(number)
                if not (0 < least < greatest < math.inf and 2 <= count <= MOST_VALUES):
                    raise ValueError(part)
                values += [f"{value:.6g}" for value in np.geomspace(least, greatest, count)]
            else:
                values.append(part.strip())
        if not all(value in words or 0 <= float(value) < math.inf for value in values):
            raise ValueError(text)
    except ValueError as cause:
        raise UsageError(
            f'{option} is "{text}"',
            "numbers, 0 or more, or LEAST:GREATEST:COUNT on a log scale, with commas between, "
            f"where 0 < LEAST < GREATEST and COUNT is from 2 to {MOST_VALUES:,}"
            + "".join(f"; or {word}" for word in words),
            "write 1e-4:1:25, say, or 0.001,0.01",
        ) from cause
    return list(dict.fromkeys(values))


def _blocks(
    activations: list[str], scales: int, seeds: int, seeds_a_save: int
) -> "Iterator[tuple[str, int, slice]]":
    """Yield the parts of the grid that are trained and saved one by one."""
    for activation, s in itertools.product(activations, range(scales)):
        for first in range(0, seeds, seeds_a_save):
            yield activation, s, slice(first, min(first + seeds_a_save, seeds))


def count_outcomes(results: "dict[str, Sweep]") -> collections.Counter[str]:
    """Count how the networks ended; "" for those that are still to be trained."""
    return collections.Counter(
        str(outcome) for part in results.values() for outcome in part.outcomes.flat
    )


def summarise(
    results: "dict[str, Sweep]", rates: list[float], scales: list[str]
) -> list[dict[str, Any]]:
    """Summarise each cell of the grid over its seeds, the lowest median cost first."""
    import numpy as np

    def spread(values: "np.ndarray") -> dict[str, float]:
        low, median, high = np.percentile(values, (5, 50, 95)) if len(values) else [np.nan] * 3
        return {"median": float(median), "p5": float(low), "p95": float(high)}

    cells = []
    grid = itertools.product(results.items(), enumerate(rates), enumerate(scales))
    for (activation, whole), (r, rate), (s, scale) in grid:
        done = ~np.isin(whole.outcomes[r, s], ("", "not finite"))
        if not done.any():
            continue
        costs = whole.last_costs[r, s][done]
        cell = {
            "activation": activation,
            "learning_rate": rate,
            "scale": scale,
            "networks": int((whole.outcomes[r, s] != "").sum()),
            "learning": int((whole.outcomes[r, s] == "learning").sum()),
            "best_cost": float(costs.min()),
            "cost": spread(costs),
            "train_accuracy": spread(whole.train_accuracies[r, s][done]),
        }
        if whole.test_accuracies is not None:
            cell["test_accuracy"] = spread(whole.test_accuracies[r, s][done])
        cells.append(cell)
    return sorted(cells, key=lambda cell: cell["cost"]["median"])


def _best_table(cells: list[dict[str, Any]]) -> Table:
    """Show the cells of lowest median cost: best, median and spread over the seeds."""
    table = Table(
        title="Lowest median cost first; with the 5th to 95th percentile of the seeds",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
    )
    several = len({cell["activation"] for cell in cells}) > 1
    if several:
        table.add_column("activation")
    for heading in ("α", "scale", "learn", "best", "median", "cost", "train %", "test %"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in cells[:SHOWN]:
        cost = cell["cost"]
        accuracies = [
            "{:.0f} [{:.0f}–{:.0f}]".format(*(100 * cell[name][p] for p in ("median", "p5", "p95")))
            if name in cell
            else "–"
            for name in ("train_accuracy", "test_accuracy")
        ]
        table.add_row(
            *([cell["activation"]] if several else []),
            f"{cell['learning_rate']:.3g}",
            cell["scale"],
            f"{cell['learning']}/{cell['networks']}",
            f"{cell['best_cost']:.4f}",
            f"{cost['median']:.4f}",
            f"{cost['p5']:.4f}–{cost['p95']:.4f}",
            *accuracies,
        )
    return table
