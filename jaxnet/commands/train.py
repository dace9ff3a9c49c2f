"""`jaxnet train`: from pictures to a trained network in a run folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from jaxnet.commands.options import NETWORK, OUTPUT, Force, Given, Json, Out, expanded, with_options
from jaxnet.commands.resume import open_run
from jaxnet.commands.together import Distributed, join
from jaxnet.commands.train_in_memory import train_in_memory
from jaxnet.commands.train_on_stream import require_streamed_options, train_on_stream
from jaxnet.commands.training import Request
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.report.console import print_json, speak
from jaxnet.settings import Settings

if TYPE_CHECKING:
    from jaxnet.runs.run import Run

SEEDS = "Train this many seeds, from --seed on; keep the network with the median last cost."
ENSEMBLE = "Predict by the mean probability of the networks of all --seeds, and keep all of them."
EVERY = "Save the run at least once in this many iterations. \\[default: every five seconds]"
RESUME = (
    "Continue the run in this folder, up to its own --iterations or more; --data and --test give "
    "the new place of its pictures, if they were moved."
)
NO_PAGE = "Do not write page.html, the interactive page of the run."

Seeds = Annotated[int, typer.Option(min=1, max=10_000, help=SEEDS, rich_help_panel=NETWORK)]
Ensemble = Annotated[bool, typer.Option("--ensemble", help=ENSEMBLE, rich_help_panel=NETWORK)]
CheckpointEvery = Annotated[
    int | None, typer.Option(min=1, help=EVERY, show_default=False, rich_help_panel=OUTPUT)
]
Resume = Annotated[
    Path | None,
    typer.Option(callback=expanded, help=RESUME, show_default=False, rich_help_panel=OUTPUT),
]
STREAM = (
    "Read mini-batches from the HDF5 file, which need not fit into memory; with --batch. "
    "Duplicates are not searched, and no page is written: jaxnet page writes one of a sample."
)
Stream = Annotated[bool, typer.Option("--stream", help=STREAM, rich_help_panel=NETWORK)]
NoPage = Annotated[bool, typer.Option("--no-page", help=NO_PAGE, rich_help_panel=OUTPUT)]


@with_options(auto=("learning_rate",), source=DataSource, columns=Preprocessing, settings=Settings)
def train(
    source: Given,
    columns: Given,
    settings: Given,
    seeds: Seeds = 1,
    ensemble: Ensemble = False,
    checkpoint_every: CheckpointEvery = None,
    resume: Resume = None,
    stream: Stream = False,
    out: Out = None,
    no_page: NoPage = False,
    force: Force = False,
    distributed: Distributed = False,
    as_json: Json = False,
) -> None:
    """Train the network, and save it with its figure and its page in a run folder."""
    join(distributed)
    console, begun = speak(as_json), None
    auto = settings.get("learning_rate") == "auto"
    if resume is not None:
        new = {"out": out, "force": force, "seeds": seeds > 1, "ensemble": ensemble}
        new["learning-rate auto"] = auto
        begun = open_run(resume, source | columns | settings, **new)
        stream = stream or begun.streamed
        if begun.is_finished(page=not (no_page or stream)):
            console.print(f"{begun.folder} is finished already")
            return print_json(begun.describe()) if as_json else None
    if ensemble and seeds == 1:
        raise UsageError(
            "--ensemble is given with one seed",
            "two seeds or more, whose networks become the ensemble",
            "give --seeds 8",
        )
    if stream:
        require_streamed_options(source, seeds, chooses_rate=auto)
    if auto:
        del settings["learning_rate"]
    asked = Request(
        console,
        DataSource(**source) if begun is None else begun.source,
        columns,
        Settings(**settings) if begun is None else begun.settings,
        auto,
        seeds,
        begun,
        out,
        force,
        checkpoint_every,
        page=not no_page,
        ensemble=ensemble,
    )
    run, folder, stopped, answer = (train_on_stream if stream else train_in_memory)(asked)
    if answer and stopped is None:
        console.print(f"jaxnet card {folder} writes a model card")
    if as_json:
        print_json(answer)
    return _exit(console, folder, run, stopped)


def _exit(console: Console, folder: Path, run: "Run", stopped: int | None) -> None:
    """End the command with the code that tells its outcome."""
    from jaxnet.outcomes import FAILED

    if run.outcome == "stopped":
        console.print(
            "stopped: the run was interrupted, and its state is saved\n"
            f"jaxnet train --resume {folder} continues it",
            style="yellow",
        )
    if stopped is not None:
        raise typer.Exit(128 + stopped)
    if run.outcome in FAILED:
        raise typer.Exit(1)
