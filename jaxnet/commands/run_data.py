"""Which data are meant where a trained network is given: the run's, unless others are named."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from jaxnet.commands import options
from jaxnet.commands.data import DATA_OPTIONS, load_and_print
from jaxnet.commands.settings import check_setting
from jaxnet.errors import UsageError

if TYPE_CHECKING:
    from jaxnet.data.dataset import Dataset
    from jaxnet.runs.model_file import Model

Data = Annotated[
    str | None,
    typer.Option(help=f"{options.SOURCES} \\[default: the run's]", show_default=False),
]


def load_for_model(
    ctx: typer.Context, console: Console, path: Path, network: "Model", settings: dict[str, Any]
) -> tuple["Dataset", dict[str, Any], bool]:
    """Load the data that are meant, and print what is in them.

    Returns:
        The data, what they are in numbers, and whether its training split is the run's.
    """
    named = _choose_data(ctx, path, settings)
    dataset, described = _load(console, named, network.classes[1])
    ours, theirs = network.origin.get("train_sha256"), described["train_sha256"]
    same = ours == theirs
    what = "other data" if typed_options(ctx) else "the data have changed"
    if ours is None:
        console.print("the model does not say from which pictures it has learnt", style="yellow")
    elif not same:
        console.print(
            f"{what}: these are not the training pictures and labels of the run (SHA-256 "
            f"{theirs[:12]}…, the run's {str(ours)[:12]}…); some may be in either split",
            style="yellow",
        )
    elif described["sha256"] != network.origin.get("sha256") and not described["leaks_excluded"]:
        console.print(
            f"{what}: the training pictures are the run's, the test pictures are not",
            style="yellow",
        )
    if dataset.classes[1] != network.classes[1]:
        console.print(
            f'the network gives the probability of "{network.classes[1]}", '
            f'and is judged by "{dataset.classes[1]}"',
            style="yellow",
        )
    return dataset, described, same


def typed_options(ctx: typer.Context) -> list[str]:
    """List the data options that are given on the command line."""
    sources = {name: ctx.get_parameter_source(name) for name in DATA_OPTIONS}
    return [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]


def _choose_data(ctx: typer.Context, path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Put together which data are meant: the run's, unless others are named."""
    given = {name: ctx.params[name] for name in DATA_OPTIONS}
    if given["data"] is not None:
        return given
    if "data" not in settings:
        raise UsageError(
            f"{path} does not say on which data it was trained",
            "a model that `jaxnet train` wrote, or data that are named",
            "name them with --data",
        )
    run = {
        name: check_setting(ctx, path, name, settings[name])
        for name in DATA_OPTIONS
        if name in settings
    }
    typed = {name: given[name] for name in typed_options(ctx)}
    return given | run | typed


def _load(
    console: Console, named: dict[str, Any], positive: str
) -> tuple["Dataset", dict[str, Any]]:
    """Load and print the data, with the network's positive class as theirs if they have it."""
    if named["positive"] is not None:
        return load_and_print(console, named)
    try:
        return load_and_print(console, named | {"positive": positive})
    except UsageError:  # they may have no class of this name
        return load_and_print(console, named)
