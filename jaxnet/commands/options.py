"""Options of the commands, made from the fields of the library's dataclasses.

A command names the dataclasses it takes, `@with_options(source=DataSource, settings=Settings)`, and
is called with a dict for each: the values that were typed, by the names of the fields. What was not
typed is left to the dataclass, so that a default stands there alone.
"""

import dataclasses
import functools
import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.io.files import expand
from jaxnet.many.candidates import Candidates
from jaxnet.many.grid import Grid
from jaxnet.settings import Settings

# The values of a dataclass's fields that were typed, by name.
Given = dict[str, Any]

DATA, NETWORK, OUTPUT = "Data", "Network and training", "Output"
PANELS = {
    DataSource: DATA,
    Preprocessing: DATA,
    **dict.fromkeys((Settings, Grid, Candidates), NETWORK),
}

# The size of the pictures is a matter of the data: --size.
NO_OPTIONS = ("height", "width")

# What "auto" does, of the fields that a command may take it for in place of a number.
AUTO = {"learning_rate": "auto finds the largest that learns, by a small sweep."}


def expanded(value: Any) -> Any:
    """Expand ~ in a path or in each of several, as the shell does not within --out=~/run."""
    if isinstance(value, Path):
        return expand(value)
    return [expand(path) for path in value] if value else value


Out = Annotated[
    Path | None,
    typer.Option(
        callback=expanded,
        help="The run folder. \\[default: the next free one of runs/001, …]",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=OUTPUT)
]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite existing files.", rich_help_panel=OUTPUT)
]


def file_option(about: str) -> Any:
    """Make the option for the path of a file that a command writes, with a default in words."""
    return typer.Option(callback=expanded, help=about, show_default=False, rich_help_panel=OUTPUT)


RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", callback=expanded, help="A run folder, or a model file.")
]


def with_options(
    *leave_out: str, of_run: bool = False, auto: tuple[str, ...] = (), **groups: type
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for every field of some dataclasses.

    Args:
        leave_out: Fields that this command has no option for.
        of_run: Whether a run is given, whose own data are the default.
        auto: Fields of numbers for which this command takes the word auto, too.
        groups: Parameters of the command, and the dataclass for each.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        options = {
            name: {
                field: parameter
                for field, parameter in _as_parameters(kind, of_run, auto).items()
                if field not in leave_out
            }
            for name, kind in groups.items()
        }

        @functools.wraps(command)
        def called(**values: Any) -> None:
            for name, fields in options.items():
                typed = {field: values.pop(field) for field in fields}
                values[name] = {key: value for key, value in typed.items() if value is not None}
            command(**values)

        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            own = options.get(parameter.name)
            parameters += [parameter] if own is None else own.values()
        # Arguments, which have no default, come first.
        parameters.sort(key=lambda p: p.default is not inspect.Parameter.empty)
        keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        called.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in keywords}
        return called

    return decorate


@functools.cache
def _as_parameters(kind: type, of_run: bool, auto: tuple[str, ...]) -> dict[str, inspect.Parameter]:
    """Make the option of each field of a dataclass, by name; once, since commands share them."""
    hints = typing.get_type_hints(kind)
    return {
        field.name: _as_parameter(field, kind, hints[field.name], of_run, field.name in auto)
        for field in dataclasses.fields(kind)
        if field.name not in NO_OPTIONS
    }


def _as_parameter(
    field: "dataclasses.Field[Any]", kind: type, hint: Any, of_run: bool, auto: bool
) -> inspect.Parameter:
    """Make the option of a field, whose value is None where it is not typed."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    limits = field.metadata
    words: dict[str, Any] = {"show_default": False, "rich_help_panel": PANELS[kind]}
    name = "--" + field.name.replace("_", "-")
    typed: Any
    if bool in kinds:
        typed = bool
    elif auto:
        typed = str
        words |= {"parser": functools.partial(_number_or_auto, limits), "metavar": "NUMBER|auto"}
    elif limits["choices"] and float in kinds:
        typed = str  # typer knows no unions; the parser makes a number of it where it can
        words |= {"parser": _number_or_text, "metavar": "|".join(("NUMBER", *limits["choices"]))}
    elif limits["choices"]:
        typed = Literal[tuple(limits["choices"])]
    elif int in kinds or float in kinds:
        typed = int if int in kinds else float
        words |= {
            end: typed(limits[limit])
            for end, limit in (("min", "least"), ("max", "greatest"))
            if math.isfinite(limits[limit])
        }
    else:
        typed = str
    default = limits["shown"] or field.default
    if of_run:
        default = "the run's"
    text = f"{limits['help']} {AUTO[field.name]}" if auto else limits["help"]
    if bool not in kinds or of_run:
        text += f" \\[default: {default}]"
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[typed | None, typer.Option(name, help=text, **words)],
    )


def _number_or_auto(limits: Mapping[str, Any], text: str) -> float | str:
    if text == "auto":
        return text
    try:
        number = float(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is neither a number nor auto.") from None
    if not limits["least"] <= number <= limits["greatest"]:
        raise typer.BadParameter(f"{text} is not in the range x>={limits['least']:g}.")
    return number


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
