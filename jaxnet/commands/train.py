"""`jaxnet train`: from pictures to a trained network in a run folder."""

import dataclasses
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from jaxnet.commands.options import NETWORK, OUTPUT, Force, Given, Json, Out, expanded, with_options
from jaxnet.commands.resume import open_run
from jaxnet.commands.show_data import load_and_show, prepare_many
from jaxnet.commands.watch import Watch, chunk_between
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.report.console import describe_device, print_json, show_progress, speak
from jaxnet.settings import Settings

if TYPE_CHECKING:
    from jaxnet.data.dataset import Dataset
    from jaxnet.evaluation.audit import Audit
    from jaxnet.evaluation.spread import SpreadOverSeeds
    from jaxnet.runs.run import Run

SEEDS = "Train this many seeds, from --seed on; keep the network with the median last cost."
EVERY = "Save the run at least once in this many iterations. \\[default: every five seconds]"
RESUME = (
    "Continue the run in this folder, up to its own --iterations or more; --data and --test give "
    "the new place of its pictures, if they were moved."
)
NO_PAGE = "Do not write page.html, the interactive page of the run."

Seeds = Annotated[int, typer.Option(min=1, max=10_000, help=SEEDS, rich_help_panel=NETWORK)]
CheckpointEvery = Annotated[
    int | None, typer.Option(min=1, help=EVERY, show_default=False, rich_help_panel=OUTPUT)
]
Resume = Annotated[
    Path | None,
    typer.Option(callback=expanded, help=RESUME, show_default=False, rich_help_panel=OUTPUT),
]
NoPage = Annotated[bool, typer.Option("--no-page", help=NO_PAGE, rich_help_panel=OUTPUT)]


@with_options(source=DataSource, columns=Preprocessing, settings=Settings)
def train(
    source: Given,
    columns: Given,
    settings: Given,
    seeds: Seeds = 1,
    checkpoint_every: CheckpointEvery = None,
    resume: Resume = None,
    out: Out = None,
    no_page: NoPage = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Train the network, and save it with its figure and its page in a run folder."""
    console, begun = speak(as_json), None
    if resume is not None:
        begun = open_run(resume, source | columns | settings, out=out, force=force, seeds=seeds > 1)
        if begun.is_finished(page=not no_page):
            console.print(f"{begun.folder} is finished already")
            return print_json(begun.describe()) if as_json else None
    chosen = DataSource(**source) if begun is None else begun.source
    asked = Settings(**settings) if begun is None else begun.settings
    if seeds > 1:
        prepare_many(asked, seeds)

    from jaxnet.data.preprocessing import preprocessing_for
    from jaxnet.report.training import describe_columns, parameter_table
    from jaxnet.runs import train as library
    from jaxnet.runs.folder import claim_folder, require_empty

    if out is not None and not force:
        require_empty(out)
    dataset, audit = load_and_show(console, chosen)
    asked = asked.for_examples(len(dataset.train.labels))
    preprocessing = preprocessing_for(dataset, **columns) if begun is None else begun.preprocessing
    console.print(describe_columns(dataset, preprocessing, asked.precision))
    console.print(describe_device(console))
    spread = None
    if seeds > 1:
        asked, spread = _choose_seed(dataset, asked, preprocessing, seeds)
    console.print(parameter_table(preprocessing.n_x, asked.hidden_units))
    folder = claim_folder(out, force=force) if begun is None else begun.folder

    with Watch("training", asked.iterations, folder, checkpoint_every) as watch:
        command, chunk = shlex.join(["jaxnet", *sys.argv[1:]]), chunk_between(checkpoint_every)
        how: dict[str, Any] = {"hook": watch, "chunk": chunk, "command": command}
        if begun is None:
            run = library.train(dataset, asked, preprocessing, **how)
        else:
            made = f"{len(begun.run.costs):,} of {asked.iterations:,} iterations"
            console.print(f"{folder} is continued after {made}")
            run = library.resume(begun.run, dataset, iterations=asked.iterations, **how)
    run.save(folder, force=True)
    page = not no_page and watch.signal is None
    answer = _report(console, folder, run, dataset, audit, spread, page=page)
    if as_json:
        print_json(answer)
    _exit(console, folder, run, watch.signal)


def _choose_seed(
    dataset: "Dataset", settings: Settings, preprocessing: Preprocessing, seeds: int
) -> tuple[Settings, "SpreadOverSeeds"]:
    """Train many seeds; return the settings of the one that is kept, and how they differ."""
    from jaxnet.evaluation.spread import spread_over_seeds
    from jaxnet.many.seeds import train_seeds

    networks = train_seeds(dataset, settings, preprocessing, seeds=seeds, track=show_progress)
    return dataclasses.replace(settings, seed=networks.kept), spread_over_seeds(networks)


def _report(
    console: Console,
    folder: Path,
    run: "Run",
    dataset: "Dataset",
    audit: "Audit",
    spread: "SpreadOverSeeds | None",
    *,
    page: bool,
) -> dict[str, Any]:
    """Describe a run and write its outputs; return the same for JSON."""
    from jaxnet.evaluation.accuracies import predict_splits
    from jaxnet.evaluation.diagnosis import diagnose
    from jaxnet.report.outputs import write_outputs
    from jaxnet.report.run import describe_run, run_to_json

    findings = (predict_splits(run.model, dataset), spread, diagnose(run, track=show_progress))
    console.print(*describe_run(run, dataset, *findings), sep="\n")
    console.print(*write_outputs(folder, run, dataset, page=page), sep="\n")
    return run_to_json(folder, run, dataset, audit, *findings)


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
