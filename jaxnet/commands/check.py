"""`jaxnet check`: what is wrong with the pipeline or with a trained network, and what to do."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxnet.commands import options
from jaxnet.commands.console import describe_device, print_json, show_progress, speak
from jaxnet.commands.run_data import Data, load_for_model, typed_options
from jaxnet.errors import ModelFileError, UsageError

if TYPE_CHECKING:
    from jaxnet.evaluation.doctor.check import Check

COLORS = {"pass": "green", "warn": "yellow", "fail": "bold red"}


def check(
    ctx: typer.Context,
    model: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="A run folder, or a model file, to be checked as well."),
    ] = None,
    data: Data = None,
    test: options.Test = None,
    positive: options.Positive = None,
    size: options.Size = None,
    count: options.Count = None,
    data_seed: options.DataSeed = 0,
    skip_bad: options.SkipBad = False,
    exclude_leaks: options.ExcludeLeaks = False,
    as_json: options.Json = False,
) -> None:
    """Check the formulas and the training of this installation, and a trained network."""
    if model is None and typed_options(ctx):
        raise UsageError(
            f"--{typed_options(ctx)[0].replace('_', '-')} is given without a run",
            "the data of a trained network; the pipeline is checked on pictures made for it",
            "name the run, or leave the option out",
        )

    import jax

    # A model keeps its own precision; this only allows float64.
    jax.config.update("jax_enable_x64", True)

    from jaxnet.evaluation.doctor.examine import check_pipeline

    console = speak(as_json)
    answer: dict[str, Any] = {}
    parts: dict[str, tuple[Check, ...]] = {}
    if model is not None:
        parts["run"], answer = _check_run(ctx, console, model)
    console.print(f"Device: {describe_device(console)} (JAX {jax.__version__})\n")
    parts = {"pipeline": check_pipeline(track=show_progress)} | parts
    for part, checks in parts.items():
        console.print(_table("the pipeline" if part == "pipeline" else str(model), checks))
    found = [each for checks in parts.values() for each in checks]
    for each in found:
        if each.verdict != "pass":
            console.print(f"{each.verdict}: {each.name}", style=COLORS[each.verdict])
            console.print(f"  means: {each.meaning}\n  to do: {each.remedy}")
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in COLORS}
    unasked = sum(each.verdict == "pass" and math.isnan(each.number) for each in found)
    console.print(
        f"{counts['pass'] - unasked} passed, {counts['warn']} warned, {counts['fail']} failed"
        + (f", {unasked} do not apply" if unasked else ""),
        style=COLORS["fail" if counts["fail"] else "warn" if counts["warn"] else "pass"],
    )
    if as_json:
        told = [{"of": part} | each._asdict() for part in parts for each in parts[part]]
        print_json(answer | {"checks": told, "counts": counts})
    if counts["fail"]:
        raise typer.Exit(1)


def _check_run(
    ctx: typer.Context, console: Console, path: Path
) -> tuple[tuple["Check", ...], dict[str, Any]]:
    """Check a trained network; return with that which network and which data it is."""
    from jaxnet.data.columns import balancing_weights, to_row
    from jaxnet.evaluation.doctor.course import not_finite
    from jaxnet.evaluation.doctor.examine import check_trained
    from jaxnet.evaluation.doctor.subjects import Trained
    from jaxnet.runs.model_file import load_model, load_settings

    try:
        network, settings = load_model(path), load_settings(path)
    except ModelFileError as error:
        if "not finite" not in error.found:
            raise
        return (not_finite(float("nan"), error.found),), {"model": str(path)}
    dataset, described, same = load_for_model(ctx, console, path, network, settings)
    dtype = network.params["W1"].dtype
    columns = {
        name: (network.preprocessing.columns(images, dtype), to_row(labels, dtype=dtype))
        for name, (images, labels) in dataset.splits.items()
    }
    X, Y = columns["train"]
    weights = balancing_weights(Y) if settings.get("balanced") else None
    trained = Trained(network, X, Y, weights, columns.get("test"), same)
    answer = {"model": str(path), "data": described, "same_data_as_in_training": same}
    return check_trained(trained, track=show_progress), answer


def _table(title: str, checks: "tuple[Check, ...]") -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("", "check", "found"):
        table.add_column(heading)
    for each in checks:
        table.add_row(Text(each.verdict, style=COLORS[each.verdict]), each.name, each.found)
    return table
