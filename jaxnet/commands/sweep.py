"""`jaxnet sweep`: thousands of networks, to see which rates and weight scales learn."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from jaxnet.commands.interruption import Interruption
from jaxnet.commands.options import OUTPUT, Given, Json, expanded, with_options
from jaxnet.commands.show_data import load_and_show, prepare_many, settings_to_json
from jaxnet.commands.together import Distributed, describe_processes, join, signal_of_any
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.many.grid import Grid
from jaxnet.report.console import describe_device, make_bar, print_json, speak
from jaxnet.settings import Settings

if TYPE_CHECKING:
    from jaxnet.data.dataset import Dataset
    from jaxnet.runs.sweep_file import SweepRun

FIGURE_NAME = "sweep.png"

# Of the settings of one training, what the grid replaces, or what many networks cannot have.
LEFT_OUT = (
    "activation",
    "weight_scale",
    "learning_rate",
    "optimizer",
    "patience",
    "shift",
    "basis",
)

OUT = (
    "The run folder; if it contains the same sweep, this sweep is continued. "
    "\\[default: the next free one of runs/001, …]"
)
SweepFolder = Annotated[
    Path | None,
    typer.Option(callback=expanded, help=OUT, show_default=False, rich_help_panel=OUTPUT),
]


@with_options(*LEFT_OUT, source=DataSource, columns=Preprocessing, axes=Grid, settings=Settings)
def sweep(
    source: Given,
    columns: Given,
    axes: Given,
    settings: Given,
    out: SweepFolder = None,
    distributed: Distributed = False,
    as_json: Json = False,
) -> None:
    """Train a network for every activation, learning rate, weight scale and seed."""
    grid, shared = Grid(**axes), Settings(**settings)
    first = join(distributed)
    prepare_many(shared, grid.seeds)

    from jaxnet.data.preprocessing import preprocessing_for
    from jaxnet.io.names import SWEEP_NAME
    from jaxnet.processes import by_first
    from jaxnet.report.sweep import describe_grid
    from jaxnet.runs.folder import claim_folder
    from jaxnet.runs.sweep_file import continue_sweep, start_sweep

    begun = out is not None and by_first((out / SWEEP_NAME).exists)
    if out is not None and not begun:
        by_first(lambda: _require_empty(out))
    console = speak(as_json)
    dataset, _ = load_and_show(console, DataSource(**source))
    shared = shared.for_pictures(len(dataset.train.labels))
    console.print(describe_grid(grid, shared.iterations))
    console.print(describe_device(console))
    start = start_sweep(dataset, grid, shared, preprocessing_for(dataset, **columns))
    if begun and out is not None:
        folder, start = out, continue_sweep(out, start)
    else:
        folder = by_first(lambda: claim_folder(out))
    console.print(describe_processes(f"the same command with --out {folder}"), end="")

    reached, stopped = _train(folder, start, dataset)
    if first:
        answer = _report(console, folder, dataset, reached)
        if stopped is not None:
            again = f"stopped: the same command with --out {folder} continues it"
            console.print(again, style="yellow")
        if as_json:
            chosen = settings_to_json(dataset.data_source, reached.header(), grid)
            print_json({"run": folder, "settings": chosen} | answer)
    if stopped is not None:
        raise typer.Exit(128 + stopped)


def _report(
    console: Console, folder: Path, dataset: "Dataset", reached: "SweepRun"
) -> dict[str, Any]:
    """Draw and describe the results; return what a program would read of them."""
    from jaxnet.evaluation.spread import count_outcomes, summarise_cells
    from jaxnet.io.names import SWEEP_NAME
    from jaxnet.report.figures.save import save_figure
    from jaxnet.report.figures.sweep import plot_sweep
    from jaxnet.report.sweep import describe_outcomes, sweep_table

    result = reached.result
    counts = count_outcomes(result.outcomes)
    counts["to be trained"] = counts.pop("", 0)
    iterations = reached.settings.iterations
    title = f"{dataset.source}: {reached.trained:,} networks of {iterations:,} iterations"
    save_figure(plot_sweep(result, title=title), folder / FIGURE_NAME)
    cells = summarise_cells(result)
    console.print(sweep_table(cells))
    console.print(describe_outcomes(result))
    for name in (SWEEP_NAME, FIGURE_NAME):
        console.print(f"written: {folder / name}")
    return {"outcomes": counts, "cells": cells}


def _train(folder: Path, start: "SweepRun", dataset: "Dataset") -> tuple["SweepRun", int | None]:
    """Train with a progress bar; return what is reached, and the signal that stopped it."""
    from jaxnet.runs.sweep_file import train_sweep

    bar = make_bar("training networks")
    with Interruption() as interruption, bar:
        task = bar.add_task("", total=start.result.outcomes.size)

        def hook(reached: "SweepRun") -> bool:
            bar.update(task, completed=reached.trained)
            return interruption.signal is not None

        return train_sweep(folder, start, dataset, hook=hook), signal_of_any(interruption.signal)


def _require_empty(out: Path) -> None:
    """Raise a UsageError if a folder holds something that is no sweep, before data are read."""
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(
            f"{out} is not empty and contains no sweep",
            "a new or an empty folder, or the folder of the same sweep to continue it",
            "give another folder",
        )
