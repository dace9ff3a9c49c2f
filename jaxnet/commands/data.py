"""`jaxnet data`: what is in a data set."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from jaxnet.commands import options
from jaxnet.commands.console import (
    importing,
    print_json,
    require_free,
    save_figure,
    show_progress,
    speak,
)

if TYPE_CHECKING:
    import jax

    from jaxnet.data.columns import Preprocessing
    from jaxnet.data.dataset import Dataset

# What says which data are meant, in every command that trains or looks at them.
DATA_OPTIONS = (
    "data",
    "test",
    "positive",
    "size",
    "count",
    "data_seed",
    "skip_bad",
    "exclude_leaks",
)


def data(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help=options.SOURCES)] = "sketches",
    test: options.Test = None,
    positive: options.Positive = None,
    size: options.Size = None,
    count: options.Count = None,
    data_seed: options.DataSeed = 0,
    skip_bad: options.SkipBad = False,
    exclude_leaks: options.ExcludeLeaks = False,
    color: options.Color = "gray",
    sheet: Annotated[
        Path | None, typer.Option(help="Draw examples into this PNG, in colour and as --color.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="Write the data into this HDF5 file, in the article's layout."),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Show what is in a data set: shapes, classes, range of values, and what can mislead."""
    for path in (sheet, write):
        if path is not None:
            require_free(path, force)
    console = speak(as_json)
    dataset, described = load_and_print(console, ctx.params | {"data": source})
    light = described["audit"]["brightness"]["accuracies"]
    scores = ", ".join(f"{share:.1%} of {name}" for name, share in light.items())
    console.print(f"brightness alone, one threshold on the mean grey, gets {scores} right")
    if sheet is not None:
        from jaxnet.data.columns import Preprocessing
        from jaxnet.report.figures import draw_contact_sheet

        _, height, width, _ = dataset.train.images.shape
        seen = Preprocessing(height, width, color)
        save_figure(draw_contact_sheet(dataset, seen), sheet)
        console.print(f"written: {sheet}")
    if write is not None:
        from jaxnet.data.hdf5 import write_hdf5

        write_hdf5(write, dataset)
        console.print(f"written: {write}")
    if as_json:
        print_json(described)


def load_and_print(console: Console, named: Mapping[str, Any]) -> tuple["Dataset", dict[str, Any]]:
    """Load the data that the options name, and print what is in them; return both.

    What the audit finds in them is told, too; leaks are taken out first, on request.

    Args:
        console: Where to.
        named: The value of each of `DATA_OPTIONS`, by its name, among others; one that a command
            does not have is left out.
    """
    from jaxnet.data.load import load_dataset

    with importing("scipy.stats", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        dataset = load_dataset(
            named["data"],
            named["test"],
            positive=named["positive"],
            size=named["size"],
            count=named["count"],
            seed=named["data_seed"],
            skip_bad=named["skip_bad"],
            track=show_progress,
        )

    from jaxnet.evaluation.audit import audit, describe_audit, without_leaks

    found = audit(dataset)
    excluded = len(found.leaks) if named.get("exclude_leaks") else 0
    if excluded:
        dataset = without_leaks(dataset, found)
        found = audit(dataset)
    described = describe_dataset(dataset) | {
        "audit": describe_audit(found),
        "leaks_excluded": excluded,
    }
    print_dataset(console, dataset, described)
    return dataset, described


def to_arrays(
    dataset: "Dataset", color: str, scale: str, precision: str
) -> tuple["Preprocessing", dict[str, tuple["jax.Array", "jax.Array"]]]:
    """Turn each split into X and Y; return with them how the pictures were prepared."""
    from jaxnet.data.columns import Preprocessing, to_row

    _, height, width, _ = dataset.train.images.shape
    preprocessing = Preprocessing(height, width, color, scale)
    return preprocessing, {
        name: (preprocessing.columns(images, precision), to_row(labels, dtype=precision))
        for name, (images, labels) in dataset.splits.items()
    }


def describe_dataset(dataset: "Dataset") -> dict[str, Any]:
    """Say in numbers what is in a data set."""
    from jaxnet.data.dataset import fingerprint

    negative, positive = dataset.classes
    return {
        "source": dataset.source,
        "positive": positive,
        "splits": {
            name: {
                "shape": list(split.images.shape),
                "counts": {
                    negative: int((split.labels == 0).sum()),
                    positive: int((split.labels == 1).sum()),
                },
                "least": int(split.images.min()),
                "greatest": int(split.images.max()),
                "mean": float(split.images.mean()),
            }
            for name, split in dataset.splits.items()
        },
        "skipped": list(dataset.skipped),
        "sha256": fingerprint(dataset),
        "train_sha256": fingerprint(dataclasses.replace(dataset, test=None)),
    }


def print_dataset(console: Console, dataset: "Dataset", described: dict[str, Any]) -> None:
    """Print what is in a data set, as `describe_dataset` says it, as a table."""
    negative, positive = dataset.classes
    console.print(f"Data: {dataset.source}")
    table = Table()
    for heading in ("split", "pictures", f"0: {negative}", f"1: {positive}", "values"):
        table.add_column(heading, justify="left" if heading in ("split", "pictures") else "right")
    for name, split in described["splits"].items():
        m = split["shape"][0]
        table.add_row(
            name,
            str(tuple(split["shape"])),
            *(f"{count} ({count / m:.1%})" for count in split["counts"].values()),
            f"{split['least']} to {split['greatest']}, mean {split['mean']:.1f}",
        )
    console.print(table)
    for line in dataset.skipped:
        console.print(f"left out: {line}", style="yellow")
    for finding in described["audit"]["findings"]:
        console.print(f"careful: {finding}", style="yellow")
