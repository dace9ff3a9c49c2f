"""One file, one question about a claim; `python -m experiments.NAME` answers it."""

import functools
import inspect
import json
import math
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from rich.console import Console

# How every picture looks: readable at the size of a slide, and told apart by the colour-blind
# (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, RED, PINK, SKY, BLACK, GRAY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#999999",
)  # fmt: skip
STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, PINK, SKY, BLACK, GRAY]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.titlesize": 16,
    "figure.titleweight": "bold",
    "font.size": 13,
    "grid.alpha": 0.3,
    "image.cmap": "viridis",
    "legend.frameon": False,
    "lines.linewidth": 2,
}

DEFAULT_OUT = Path("results")


class Result(NamedTuple):
    """What an experiment answers.

    Attributes:
        claim: The claim, as one sentence.
        holds: Whether it holds, by the numbers.
        numbers: The numbers that decide, the most telling first; they may nest where a program is
            to read them.
        figure: The picture.
    """

    claim: str
    holds: bool
    numbers: dict[str, Any]
    figure: Figure | None = None


def new_figure(
    title: str, rows: int = 1, columns: int = 1, *, height: float = 5.4, **settings: Any
) -> tuple[Figure, np.ndarray]:
    """Make a figure as wide as a slide, under its claim, and its axes (rows, columns)."""
    figure = Figure(figsize=(11, height))
    figure.suptitle("\n".join(textwrap.wrap(title, 76)))
    return figure, figure.subplots(rows, columns, squeeze=False, **settings)


def at_least(least: int, **settings: int) -> None:
    """Raise a UsageError unless each of these settings is at least `least`."""
    from jaxnet import UsageError

    for name, value in settings.items():
        if value < least:
            raise UsageError(f"{name} is {value}", f"at least {least}", "give a larger number")


def space_rates(least: float, greatest: float, count: int) -> np.ndarray:
    """Lay learning rates evenly between two, on a log scale; a UsageError if that cannot be."""
    from jaxnet import UsageError

    at_least(2, rates=count)
    if not 0 < least < greatest < math.inf:
        raise UsageError(
            f"the learning rates go from {least:g} to {greatest:g}",
            "a least rate above 0 and a greatest one above that",
            "give 0.0001 and 10, say",
        )
    return np.geomspace(least, greatest, count)


def run(main: Callable[..., Result]) -> None:
    """Answer the command line, which has an option for each setting of `main`, and `--out`."""
    import typer

    from jaxnet import use_all_cores
    from jaxnet.commands.console import out as console
    from jaxnet.commands.console import run_in_words

    @functools.wraps(main)
    def command(*, out: Path, **settings: Any) -> None:
        use_all_cores()
        result, paths, seconds = answer(main, out, **settings)
        console.print(f"\n{result.claim}\n{'Yes' if result.holds else 'No'}:", style="bold")
        _print_numbers(console, result.numbers)
        for path in paths:
            console.print(f"written: {path}")
        console.print(f"{seconds:.1f} s")

    signature = inspect.signature(main)
    folder = Annotated[Path, typer.Option(help="Where NAME.json and NAME.png are written.")]
    option = inspect.Parameter(
        "out", inspect.Parameter.KEYWORD_ONLY, default=DEFAULT_OUT, annotation=folder
    )
    parameters = [*signature.parameters.values(), option]
    command.__signature__ = signature.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]
    command.__annotations__ = main.__annotations__ | {"out": folder, "return": None}
    command.__doc__ = inspect.getmodule(main).__doc__
    app = typer.Typer(
        rich_markup_mode="markdown", add_completion=False, pretty_exceptions_enable=False
    )
    app.command()(command)
    run_in_words(app)


def answer(
    main: Callable[..., Result], out: Path, **settings: Any
) -> tuple[Result, list[Path], float]:
    """Run an experiment and write its numbers and picture; return it, their paths, the seconds."""
    from jaxnet.commands.console import save_figure

    name = Path(inspect.getfile(main)).stem
    began = time.perf_counter()
    with matplotlib.rc_context(STYLE):
        result = main(**settings)
        out.mkdir(parents=True, exist_ok=True)
        paths = [out / f"{name}.json"]
        paths[0].write_text(_as_json(result), encoding="utf-8")
        if result.figure is not None:
            paths.append(out / f"{name}.png")
            save_figure(result.figure, paths[1])
    return result, paths, time.perf_counter() - began


def _as_json(result: Result) -> str:
    from jaxnet.commands.console import without_nan

    content = {"claim": result.claim, "holds": result.holds, "numbers": result.numbers}
    # Strict, since a program that reads it may not know NaN: such a number is null.
    return json.dumps(without_nan(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _print_numbers(console: "Console", numbers: dict[str, Any]) -> None:
    for name, value in numbers.items():
        if isinstance(value, int | float | str):
            shown = f"{value:.6g}" if isinstance(value, float) else str(value)
            console.print(f"  {name}: {shown}")
