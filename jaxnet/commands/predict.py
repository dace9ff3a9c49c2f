"""`jaxnet predict`: the probability of a class for any picture files."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jaxnet.commands.options import OUTPUT, Json, RunArgument, expanded
from jaxnet.commands.standard_input import read_places
from jaxnet.errors import UsageError
from jaxnet.report.console import describe_device, err, out, print_json, show_progress

if TYPE_CHECKING:
    from jaxnet.evaluation.predictions import Prediction

PICTURES = (
    'Picture files, folders of them, patterns in quotes ("photos/*.jpg"), or - for standard '
    "input: one picture, or names of files, one a line."
)
STDIN = Path("-")


def predict(
    model: RunArgument,
    pictures: Annotated[list[Path], typer.Argument(callback=expanded, help=PICTURES)],
    threshold: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="The prediction is class 1 if its probability exceeds this."
        ),
    ] = 0.5,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Read the folders below a folder, too.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out pictures that cannot be read.")
    ] = False,
    as_json: Json = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print the result as CSV.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Print for each picture the probability of the positive class, and the class."""
    if as_json and as_csv:
        raise UsageError("both --json and --csv are given", "one of them", "leave one out")
    _require_order(model, pictures)

    from jaxnet.data.find_pictures import find_pictures
    from jaxnet.evaluation.predictions import predict_pictures
    from jaxnet.runs.model_file import load_model

    network = load_model(model)
    err.print(describe_device(err), end="")
    if network.members:
        err.print(f"ensemble: the mean probability of {len(network.members)} networks")
    with tempfile.TemporaryDirectory() as folder:
        places: list[Path] = []
        for picture in pictures:
            places += read_places(Path(folder)) if picture == STDIN else [picture]
        files = find_pictures(places, recursive=recursive)
        answer = predict_pictures(
            network, files.paths, threshold=threshold, skip_bad=skip_bad, track=show_progress
        )
    named = [_as_named(p, Path(folder)) for p in answer.predictions]
    _print(named, as_json=as_json, as_csv=as_csv)
    for passed in files.passed_over:
        err.print(f"passed over: {passed.line}", style="yellow")
    for error in answer.left_out:
        err.print(f"left out: {error.found}", style="yellow")


def _require_order(model: Path, pictures: list[Path]) -> None:
    """Raise a UsageError if the pictures are given first, and the run after them."""
    from jaxnet.data.tree import is_run
    from jaxnet.io.content import PICTURE, describe_content
    from jaxnet.io.names import MODEL_NAME

    if not model.exists() or model.name == MODEL_NAME or (model.is_dir() and is_run(model)):
        return
    runs = [p for p in pictures if p.name == MODEL_NAME or (p.is_dir() and is_run(p))]
    if model.is_file() and describe_content(model).endswith(PICTURE):
        found = f"{model} is {describe_content(model)}, where the run is expected"
    elif model.is_dir() and runs:
        found = f"{model} is no run, but {runs[0]} is one"
    else:
        return
    run = runs[0] if runs else "RUN"
    raise UsageError(
        found, "the run first, then the pictures", f"as in: jaxnet predict {run} {model}"
    )


def _as_named(prediction: "Prediction", folder: Path) -> "Prediction":
    """Name the picture from standard input as that, not by the file it was put into."""
    path = Path(prediction.picture)
    return prediction._replace(picture=path.name) if path.parent == folder else prediction


def _print(predictions: "list[Prediction]", *, as_json: bool, as_csv: bool) -> None:
    from jaxnet.report.predictions import describe_predictions, predictions_to_csv

    if as_json:
        print_json(predictions)
    elif as_csv:
        out.print(predictions_to_csv(predictions))
    else:
        out.print(*describe_predictions(predictions), sep="\n")
