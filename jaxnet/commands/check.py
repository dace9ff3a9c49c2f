"""`jaxnet check`: check the pipeline and a trained network, and say what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from jaxnet.commands.options import Given, Json, expanded, with_options
from jaxnet.commands.show_data import load_and_show_for
from jaxnet.data.source import DataSource
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.report.console import describe_device, print_json, show_progress, speak

if TYPE_CHECKING:
    from jaxnet.evaluation.doctor.check import Check


@with_options(of_run=True, source=DataSource)
def check(
    source: Given,
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN",
            callback=expanded,
            help="A run folder or a model file, which is checked as well.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the formulas and the training of this installation, and a trained network."""
    if model is None and source:
        raise UsageError(
            f"--{next(iter(source)).replace('_', '-')} is given without a run",
            "options of the data together with a run; the pipeline is checked on generated data",
            "give the run, or leave the option out",
        )

    from jaxnet.evaluation.doctor.all_checks import check_pipeline
    from jaxnet.report import checks as report

    console = speak(as_json)
    answer: dict[str, Any] = {}
    parts: dict[str, tuple[Check, ...]] = {}
    if model is not None:
        parts["run"], answer = _check_run(console, model, source)
    console.print(describe_device(console))
    parts = {"pipeline": check_pipeline(track=show_progress)} | parts
    for part, checks in parts.items():
        title = "the pipeline" if part == "pipeline" else str(model)
        console.print(report.checks_table(title, checks))
    everything = [each for checks in parts.values() for each in checks]
    for text in report.problems(everything):
        console.print(text)
    console.print(report.checks_summary(everything))
    counts = report.count_verdicts(everything)
    if as_json:
        listed = [
            {"of": part} | report.check_to_json(each) for part in parts for each in parts[part]
        ]
        print_json(answer | {"checks": listed, "counts": counts})
    if counts["fail"]:
        raise typer.Exit(1)


def _check_run(
    console: Console, path: Path, source: Given
) -> tuple[tuple["Check", ...], dict[str, Any]]:
    """Check a trained network; return with the checks which network and which data they are of."""
    from jaxnet.evaluation.doctor.all_checks import check_run, stored_not_finite
    from jaxnet.report.dataset import describe_dataset
    from jaxnet.report.training import describe_ensemble
    from jaxnet.runs.run import load_run

    try:
        run = load_run(path)
    except ModelFileError as error:
        if "not finite" not in error.found:
            raise
        return (stored_not_finite(),), {"model": str(path)}
    dataset, audit = load_and_show_for(console, run, source, draws=False)
    answer = {
        "model": str(path),
        "data": describe_dataset(dataset, audit),
        "same_data_as_in_training": run.trained_on(dataset),
    }
    for line in describe_ensemble(run):
        console.print(line)
    return check_run(run, dataset, track=show_progress), answer
