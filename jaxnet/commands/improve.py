"""`jaxnet improve`: which changes of the setting help, beyond chance."""

from pathlib import Path
from typing import Annotated

import typer

from jaxnet.commands.interruption import Interruption
from jaxnet.commands.options import NETWORK, OUTPUT, Given, Json, expanded, with_options
from jaxnet.commands.show_data import load_and_show, prepare_many, settings_to_json
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.report.console import describe_device, print_json, speak
from jaxnet.settings import Settings

FIGURE_NAME = "improve.png"

FOLDS, REPEATS, SEEDS = 5, 2, 4  # the defaults of the library

# What is no part of a setting to be improved, or is a lever itself.
LEFT_OUT = ("exclude_leaks", "validation", "optimizer", "patience", "shift", "basis")

OUT = (
    "The run folder; if it contains levers that were measured on the same pictures with the same "
    "settings, they are not measured again. \\[default: the next free one of runs/001, …]"
)
QUICK = "Leave out shifted pictures, which take most of the time."
FOLDED = "Into how many folds the training pictures are divided."
REPEATED = "How often they are divided into folds."
SEEDED = "How many networks of each setting are trained for each fold, from --seed on."
Folds = Annotated[int, typer.Option(min=2, help=FOLDED, rich_help_panel=NETWORK)]
Repeats = Annotated[int, typer.Option(min=1, help=REPEATED, rich_help_panel=NETWORK)]
Seeds = Annotated[int, typer.Option(min=1, max=10_000, help=SEEDED, rich_help_panel=NETWORK)]
Quick = Annotated[bool, typer.Option("--quick", help=QUICK, rich_help_panel=NETWORK)]
Folder = Annotated[
    Path | None,
    typer.Option(callback=expanded, help=OUT, show_default=False, rich_help_panel=OUTPUT),
]


@with_options(*LEFT_OUT, source=DataSource, columns=Preprocessing, settings=Settings)
def improve(
    source: Given,
    columns: Given,
    settings: Given,
    folds: Folds = FOLDS,
    repeats: Repeats = REPEATS,
    seeds: Seeds = SEEDS,
    quick: Quick = False,
    out: Folder = None,
    as_json: Json = False,
) -> None:
    """Measure which changes of the setting help on held-out pictures, one by one and together."""
    base = Settings(**settings)
    prepare_many(base, seeds)

    from jaxnet.data.preprocessing import preprocessing_for
    from jaxnet.evaluation.improvement.held_out import divide
    from jaxnet.evaluation.improvement.improve import improve as measure
    from jaxnet.evaluation.improvement.kept import holds_levers
    from jaxnet.report.dataset import describe_dataset
    from jaxnet.report.figures.improvement import plot_improvement
    from jaxnet.report.figures.save import save_figure
    from jaxnet.report.improvement import describe_improvement, describe_plan, improvement_to_json
    from jaxnet.report.json import to_json
    from jaxnet.runs.folder import claim_folder

    begun = out is not None and holds_levers(out)
    console = speak(as_json)
    dataset, audit = load_and_show(console, DataSource(**source))
    console.print(describe_device(console))
    divide(dataset, folds, repeats, base.seed, audit.pairs)  # which may be refused
    folder = out if begun and out is not None else claim_folder(out)
    preprocessing = preprocessing_for(dataset, **columns)
    again = f"stopped: the same command with --out {folder} continues it"
    with Interruption() as interruption:
        result = measure(
            dataset,
            base,
            preprocessing,
            folds=folds,
            repeats=repeats,
            seeds=seeds,
            quick=quick,
            folder=folder,
            pairs=audit.pairs,
            show_plan=lambda plan: console.print(describe_plan(plan)),
            track=interruption.track(console, again),
        )

    chosen = dataset.data_source or DataSource(**source)
    title = f"{dataset.source}: {result.pictures} training pictures in {folds} folds"
    save_figure(plot_improvement(result, title=title), folder / FIGURE_NAME)
    for part in describe_improvement(result, chosen):
        console.print(part)
    console.print(f"written: {folder / FIGURE_NAME}")
    if as_json:
        about = {"run": folder, "data": describe_dataset(dataset, audit)}
        about["settings"] = settings_to_json(chosen, preprocessing, base)
        print_json(improvement_to_json(result, chosen) | to_json(about))
