"""`jaxnet learning-curve`: the score against the number of pictures, and what more would bring."""

from typing import Annotated, Any

import typer

from jaxnet.commands.interruption import Interruption
from jaxnet.commands.options import NETWORK, Force, Given, Json, Out, with_options
from jaxnet.commands.show_data import load_and_show, prepare_many, settings_to_json
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.report.console import describe_device, print_json, speak
from jaxnet.settings import Settings

FIGURE_NAME = "learning-curve.png"

SIZES = (
    "Numbers of training pictures, with commas. "
    "\\[default: eight from 10 to four fifths of the pictures]"
)
PICTURES = (
    "For how many pictures the score is forecast, at most four times as many as there are. "
    "\\[default: four times as many]"
)
Sizes = Annotated[str | None, typer.Option(help=SIZES, show_default=False, rich_help_panel=NETWORK)]
Subsets = Annotated[
    int,
    typer.Option(
        min=2, max=10_000, help="How many subsets of each size are drawn.", rich_help_panel=NETWORK
    ),
]
Seeds = Annotated[
    int,
    typer.Option(
        min=1, max=10_000, help="How many networks a subset trains.", rich_help_panel=NETWORK
    ),
]
Pictures = Annotated[
    int | None, typer.Option(min=1, help=PICTURES, show_default=False, rich_help_panel=NETWORK)
]


@with_options(
    "exclude_leaks",
    "optimizer",
    "patience",
    "batch",
    "shift",
    "basis",
    source=DataSource,
    columns=Preprocessing,
    settings=Settings,
)
def learning_curve(
    source: Given,
    columns: Given,
    settings: Given,
    sizes: Sizes = None,
    subsets: Subsets = 32,
    seeds: Seeds = 2,
    pictures: Pictures = None,
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Train on subsets of the training pictures, and say what more pictures would bring.

    The score is measured on the training pictures that a subset leaves out; the test set takes no
    part. The time grows with the square of the number of pictures.
    """
    shared, chosen = Settings(**settings), None if sizes is None else read_sizes(sizes)
    prepare_many(shared, subsets * seeds)

    from jaxnet.data.preprocessing import preprocessing_for
    from jaxnet.evaluation.forecast import forecast, require_reach
    from jaxnet.many.learning_curve import choose_sizes
    from jaxnet.many.learning_curve import learning_curve as train_on_subsets
    from jaxnet.report.dataset import describe_dataset
    from jaxnet.report.figures.learning_curve import plot_learning_curve
    from jaxnet.report.figures.save import save_figure
    from jaxnet.report.json import to_json
    from jaxnet.report.learning_curve import describe_curve_plan, describe_learning_curve
    from jaxnet.runs.folder import claim_folder, require_empty

    if out is not None and not force:
        require_empty(out)
    console = speak(as_json)
    dataset, audit = load_and_show(console, DataSource(**source))
    m = len(dataset.train.labels)
    chosen = choose_sizes(chosen, dataset.train.labels, dataset.classes)
    require_reach(m, chosen[0], pictures)
    shared = shared.for_pictures(m)
    console.print(describe_curve_plan(m, len(chosen), subsets, seeds, shared.iterations))
    console.print(describe_device(console))
    preprocessing = preprocessing_for(dataset, **columns)
    how: dict[str, Any] = {"sizes": chosen, "subsets": subsets, "seeds": seeds}
    with Interruption() as interruption:
        track = interruption.track(console)
        curve = train_on_subsets(
            dataset, shared, preprocessing, **how, pairs=audit.pairs, track=track
        )

    result = forecast(curve, pictures)
    folder = claim_folder(out, force=force)
    save_figure(plot_learning_curve(result), folder / FIGURE_NAME)
    for part in describe_learning_curve(result):
        console.print(part)
    console.print(f"written: {folder / FIGURE_NAME}")
    if as_json:
        decided = settings_to_json(DataSource(**source), preprocessing, shared, **how)
        about = {"run": folder, "data": describe_dataset(dataset, audit), "settings": decided}
        print_json(to_json(result) | to_json(about))


def read_sizes(text: str) -> list[int]:
    """Read numbers separated by commas."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as cause:
        raise UsageError(
            f'--sizes is "{text}"', "whole numbers separated by commas", "write 10,20,40,80"
        ) from cause
