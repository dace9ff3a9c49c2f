"""`jaxnet evaluate`: score a trained network, and compare it with simple baselines."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from jaxnet.commands.options import Force, Given, Json, RunArgument, file_option, with_options
from jaxnet.commands.show_data import load_and_show_for, show_stored
from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.io.files import require_free
from jaxnet.report.console import describe_device, print_json, speak

if TYPE_CHECKING:
    from jaxnet.data.all_pictures import Data

FIGURE_NAME = "evaluation.png"


def _read_threshold(text: str) -> Any:
    """Read the option: a number from 0 to 1, or train."""
    if text == "train":
        return text
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise UsageError(f'--threshold is "{text}"', "a number from 0 to 1, or train", "give 0.5")
    return number


@with_options(of_run=True, source=DataSource)
def evaluate(
    model: RunArgument,
    source: Given,
    threshold: Annotated[
        str,
        typer.Option(
            help="The prediction is class 1 if its probability exceeds this; "
            "train: the threshold with the highest accuracy on the training set."
        ),
    ] = "0.5",
    out: Annotated[
        Path | None,
        file_option("The PNG file. \\[default: evaluation.png beside the model file]"),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Score a trained network on each split, with intervals, and compare it with baselines."""
    cut: float | Literal["train"] = _read_threshold(threshold)
    folder = model if model.is_dir() else model.parent
    path = out or folder / FIGURE_NAME

    from jaxnet.evaluation.evaluate import evaluate as evaluate_run
    from jaxnet.report.dataset import describe_dataset
    from jaxnet.report.evaluation import (
        describe_scorings,
        describe_threshold,
        describe_verdict,
        evaluation_tables,
    )
    from jaxnet.report.figures.evaluation import plot_evaluation
    from jaxnet.report.figures.save import save_figure
    from jaxnet.report.json import to_json
    from jaxnet.report.training import describe_ensemble
    from jaxnet.runs.run import load_run, open_if_large_for
    from jaxnet.runs.scorings import count_scoring

    run = load_run(model)
    require_free(path, force)
    console = speak(as_json)
    data: Data
    stored = open_if_large_for(run, **source)
    if stored is None:
        data, audit = load_and_show_for(console, run, source)
        described = describe_dataset(data, audit)
    else:
        data, described = stored, show_stored(console, run, stored)
    console.print(describe_device(console))
    for line in describe_ensemble(run):
        console.print(line)
    evaluation = evaluate_run(run, data, cut)
    if "test" not in evaluation.splits:
        console.print("there is no test split to evaluate on", style="yellow")
    console.print(describe_threshold(evaluation.threshold))
    for part in (*evaluation_tables(evaluation), *describe_verdict(evaluation)):
        console.print(part)
    scorings = count_scoring(run, data, folder, "jaxnet evaluate")
    if again := describe_scorings(scorings):
        console.print(again, style="yellow")
    split = next(iter(evaluation.splits))
    title = f"{model}: the {split} split of {described['source']}"
    save_figure(plot_evaluation(evaluation, data, title=title), path)
    console.print(f"written: {path}")
    if as_json:
        more = {"model": str(model), "data": described, "written": str(path)}
        more["test_set_scored_by"] = scorings
        print_json(to_json(evaluation) | more)
