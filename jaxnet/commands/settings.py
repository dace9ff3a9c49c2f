"""The settings that a run was saved with, as if they were typed as options."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import typer

from jaxnet.errors import ModelFileError

AS_WRITTEN = "the settings as `jaxnet train` wrote them"


def load_run_settings(
    ctx: typer.Context,
    run: Path,
    *,
    apart: Collection[str] = (),
    always: Collection[str] = (),
) -> dict[str, Any]:
    """Read the settings of a run, and check that the options of this command take them.

    Args:
        ctx: The command that asks.
        run: The folder of the run, or its model file.
        apart: Options of the command that are no settings of a run.
        always: Options that are None unless given, but have a value in every run.

    Returns:
        The value of each option, by its name; None where the run has none.

    Raises:
        ModelFileError: If a setting is missing, unknown, of another type, or outside its range; or
            if the file is no model file.
    """
    from jaxnet.runs.model_file import load_settings

    stored = load_settings(run)
    options = {option.name: option for option in ctx.command.params if option.name not in apart}
    for name in stored:
        if name not in options:
            raise ModelFileError(
                f"{run} holds the setting {name}, which jaxnet {ctx.command.name} does not have",
                AS_WRITTEN,
                "take the jaxnet that wrote it, which the attribute jaxnet of /origin names",
            )
    settings: dict[str, Any] = {}
    for name, option in options.items():
        if name in stored:
            settings[name] = check_setting(ctx, run, name, stored[name])
        elif option.default is None and name not in always:
            settings[name] = None
        else:
            raise ModelFileError(
                f"{run} does not say with which {option.opts[0]} it was trained",
                AS_WRITTEN,
                "start anew from its parameters: fit(load_model(path).params, …)",
            )
    return settings


def check_setting(ctx: typer.Context, run: Path, name: str, value: Any) -> Any:
    """Check that an option of this command takes a value that was saved; return it as typed.

    Raises:
        ModelFileError: If it does not.
    """
    (option,) = (option for option in ctx.command.params if option.name == name)
    typed, reason = None, f"not what {option.opts[0]} is"
    try:
        # As a text, since not every version of typer is prepared for other values.
        typed = option.process_value(ctx, str(value))
    except typer.BadParameter as cause:
        reason = cause.message
    if isinstance(typed, Path) and isinstance(value, str):
        return value
    if typed != value:  # the text "8" may be typed, and is no number
        raise ModelFileError(
            f"{run} was saved with the setting {name} = {value!r} ({reason})",
            AS_WRITTEN,
            f"put the {name} back that it was trained with, or start a new run",
        )
    return typed
