"""`jaxnet cross-validate`: what settings score on pictures that they were not trained on."""

from typing import Annotated, Any, Literal

import typer

from jaxnet.commands.interruption import Interruption
from jaxnet.commands.options import NETWORK, Force, Given, Json, Out, with_options
from jaxnet.commands.show_data import load_and_show, prepare_many, settings_to_json
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.many.candidates import Candidates
from jaxnet.report.console import describe_device, print_json, speak
from jaxnet.settings import Settings

FIGURE_NAME = "cross-validation.png"

# As the library has them.
FOLDS, REPEATS = 5, 10

# Of a training, what the candidates replace, and what many networks cannot have; and of the data,
# what is about the test set.
LEFT_OUT = (
    *("activation", "weight_scale", "learning_rate", "weight_decay", "hidden_units"),
    *("optimizer", "basis", "exclude_leaks"),
)

Folds = Annotated[
    int,
    typer.Option(
        min=2, help="Into how many folds the pictures are divided.", rich_help_panel=NETWORK
    ),
]
Repeats = Annotated[
    int, typer.Option(min=1, help="How often they are divided anew.", rich_help_panel=NETWORK)
]
Seeds = Annotated[
    int,
    typer.Option(
        min=1, max=100_000, help="The number of seeds, from --seed on.", rich_help_panel=NETWORK
    ),
]
By = Annotated[
    Literal["accuracy", "balanced_accuracy", "log_loss"],
    typer.Option(help="The score that chooses the best setting.", rich_help_panel=NETWORK),
]


@with_options(
    *LEFT_OUT, source=DataSource, columns=Preprocessing, candidates=Candidates, settings=Settings
)
def cross_validate(
    source: Given,
    columns: Given,
    candidates: Given,
    settings: Given,
    folds: Folds = FOLDS,
    repeats: Repeats = REPEATS,
    seeds: Seeds = 1,
    by: By = "accuracy",
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Train settings without each fold of the pictures in turn, to estimate what they score.

    Of several settings, the best is also chosen within the other folds (nested), so that its score
    is not flattered by the choice. The test pictures play no part.
    """
    validation = source.pop("validation", None)  # held out of each fold, not of the data
    tried = Candidates(**candidates).settings(Settings(**settings))
    for one in tried:
        prepare_many(one, seeds, validates=validation is not None)

    from jaxnet.data.preprocessing import preprocessing_for
    from jaxnet.evaluation.cross_validation import score_cross_validation
    from jaxnet.many.folds import cross_validate as train_folds
    from jaxnet.report.cross_validation import describe_cross_validation, describe_folds
    from jaxnet.report.dataset import describe_dataset
    from jaxnet.report.figures.cross_validation import plot_cross_validation
    from jaxnet.report.figures.save import save_figure
    from jaxnet.report.json import to_json
    from jaxnet.runs.folder import claim_folder, require_empty

    if out is not None and not force:
        require_empty(out)
    console = speak(as_json)
    dataset, audit = load_and_show(console, DataSource(**source))
    nested = len(tried) > 1
    console.print(describe_folds(tried, folds, repeats, seeds, nested=nested))
    console.print(describe_device(console))
    preprocessing = preprocessing_for(dataset, **columns)
    how: dict[str, Any] = {"folds": folds, "repeats": repeats, "seeds": seeds}
    how |= {"nested": nested, "validation": validation, "seed": tried[0].seed}
    with Interruption() as interruption:
        track = interruption.track(console)
        result = train_folds(dataset, tried, preprocessing, **how, pairs=audit.pairs, track=track)
    scores = score_cross_validation(result, by)
    folder = claim_folder(out, force=force)
    figure = plot_cross_validation(scores, title=f"{dataset.source}: {folds} folds, {repeats} ×")
    save_figure(figure, folder / FIGURE_NAME)
    for part in describe_cross_validation(scores):
        console.print(part)
    console.print(f"written: {folder / FIGURE_NAME}")
    if as_json:
        given = settings_to_json(DataSource(**source), preprocessing, how)
        about = {"run": folder, "data": describe_dataset(dataset, audit), "asked": given}
        print_json(to_json(scores) | to_json(about))
    if scores.best is None:
        raise typer.Exit(1)
