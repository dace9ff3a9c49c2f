"""`jaxnet leave-one-out`: what each training picture contributes, by training without it."""

from typing import Annotated

import typer

from jaxnet.commands.interruption import Interruption
from jaxnet.commands.options import NETWORK, OUTPUT, Force, Given, Json, Out, with_options
from jaxnet.commands.show_data import load_and_show, prepare_many, settings_to_json
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.report.console import describe_device, print_json, speak
from jaxnet.settings import Settings

FIGURE_NAME = "leave-one-out.png"

# Fewer would hardly distinguish an influence from noise; eight are the default of the library.
LEAST_SEEDS, SEEDS = 4, 8

PICTURE = (
    "The number, from 0, of a test picture to explain; may be given several times. "
    "\\[default: those that a single training picture changes most]"
)
Seeds = Annotated[
    int,
    typer.Option(
        min=LEAST_SEEDS,
        max=100_000,
        help="The number of seeds, from --seed on.",
        rich_help_panel=NETWORK,
    ),
]
Pictures = Annotated[
    list[int] | None,
    typer.Option(min=0, help=PICTURE, show_default=False, rich_help_panel=OUTPUT),
]


@with_options(
    "exclude_leaks",
    "optimizer",
    "patience",
    "shift",
    "basis",
    source=DataSource,
    columns=Preprocessing,
    settings=Settings,
)
def leave_one_out(
    source: Given,
    columns: Given,
    settings: Given,
    seeds: Seeds = SEEDS,
    picture: Pictures = None,
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Train without each picture in turn, to find memorised and influential pictures.

    The time grows with the cube of the number of training pictures, the memory with its square.
    """
    shared = Settings(**settings)
    prepare_many(shared, seeds)

    from jaxnet.data.preprocessing import preprocessing_for
    from jaxnet.evaluation.influence import check_test_pictures, summarise_influence
    from jaxnet.many.leave_one_out import leave_one_out as train_without_each
    from jaxnet.report.dataset import describe_dataset
    from jaxnet.report.figures.influence import plot_influence
    from jaxnet.report.figures.save import save_figure
    from jaxnet.report.influence import describe_leave_one_out, describe_plan
    from jaxnet.report.json import to_json
    from jaxnet.runs.folder import claim_folder, require_empty

    if out is not None and not force:
        require_empty(out)
    console = speak(as_json)
    dataset, audit = load_and_show(console, DataSource(**source))
    check_test_pictures(dataset, picture or ())
    shared = shared.for_pictures(len(dataset.train.labels))
    console.print(describe_plan(len(dataset.train.labels), seeds, shared.iterations))
    console.print(describe_device(console))
    preprocessing = preprocessing_for(dataset, **columns)
    with Interruption() as interruption:
        result = train_without_each(
            dataset, shared, preprocessing, seeds=seeds, track=interruption.track(console)
        )

    influence = summarise_influence(result, dataset, picture or ())
    folder = claim_folder(out, force=force)
    left_out = f"{len(dataset.train.labels)} training pictures left out in turn"
    title = f"{dataset.source}: {left_out}, mean ± spread over {seeds} seeds"
    save_figure(plot_influence(influence, dataset, title=title), folder / FIGURE_NAME)
    for part in describe_leave_one_out(influence):
        console.print(part)
    console.print(f"written: {folder / FIGURE_NAME}")
    if as_json:
        chosen = settings_to_json(DataSource(**source), preprocessing, shared, seeds=seeds)
        about = {"run": folder, "data": describe_dataset(dataset, audit), "settings": chosen}
        print_json(to_json(influence) | to_json(about))
    if influence.failed:
        raise typer.Exit(1)
