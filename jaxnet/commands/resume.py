"""The settings of a run: those given, or for `--resume` those that it was begun with."""

from pathlib import Path
from typing import Any

import typer

from jaxnet.commands.settings import load_run_settings
from jaxnet.errors import UsageError

# What of the command line is no setting of the run itself.
NOT_SETTINGS = ("seeds", "checkpoint_every", "resume", "out", "no_page", "force", "as_json")

# What may be another on going on: the iterations, and where the pictures lie, which are compared.
MAY_CHANGE = ("iterations", "data", "test")

# α of each optimizer, unless it is given.
RATES = {"sgd": 0.0075, "adam": 0.001}


def given_settings(ctx: typer.Context) -> dict[str, Any]:
    """Put together the settings of a new run."""
    settings = {name: value for name, value in ctx.params.items() if name not in NOT_SETTINGS}
    if settings["test"] is not None:
        settings["test"] = str(settings["test"])
    if settings["learning_rate"] is None:
        settings["learning_rate"] = RATES[settings["optimizer"]]
    return settings


def resumed_settings(ctx: typer.Context, folder: Path) -> dict[str, Any]:
    """Put together the settings of a run that goes on.

    Raises:
        ModelFileError: If it is no such run.
        UsageError: If an option contradicts the run's own; it names both values.
    """
    given = given_settings(ctx)
    stored = load_run_settings(ctx, folder, apart=NOT_SETTINGS, always=("learning_rate",))
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            continue
        if name in ("out", "force", "seeds"):
            raise UsageError(
                f"--{name} is given with --resume",
                "one or the other",
                "a run goes on in its folder, with its own seed",
            )
        if name in MAY_CHANGE:
            stored[name] = given[name]
        elif name in given and given[name] not in (stored[name], "auto"):
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} is {given[name]}",
                f"{stored[name]}, with which {folder} was begun",
                f"leave --{option} out, or start a new run",
            )
    return stored


def run_folder(path: Path) -> Path:
    """Find the folder of a run that is named by it or by the model file in it."""
    from jaxnet.runs.folder import MODEL_NAME

    if path.is_file() and path.name != MODEL_NAME:
        raise UsageError(
            f"{path} is a file, and no run",
            f"the folder of a run, or the {MODEL_NAME} in it",
            "put it into a folder of its own under that name to go on with it there",
        )
    return path.parent if path.is_file() else path
