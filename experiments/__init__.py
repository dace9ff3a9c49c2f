"""Each file asks one question about a claim of the article: `python -m experiments.NAME`.

This file holds what the experiments share. JAX is imported inside the functions that need it, since
the processes of the benchmark import this file too, and some of them measure programs without JAX.
"""

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
    from jax.typing import DTypeLike
    from rich.console import Console

    from jaxnet import Params

# The style of every figure: readable on a slide, in colours that the colour-blind can distinguish
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
    """The answer of an experiment.

    Attributes:
        claim: The claim, as one sentence.
        holds: Whether the numbers support it.
        numbers: The numbers that decide, the most important first. Dicts and lists among them are
            written to the JSON file only.
        figure: The figure.
    """

    claim: str
    holds: bool
    numbers: dict[str, Any]
    figure: Figure | None = None


def new_figure(
    title: str, rows: int = 1, columns: int = 1, *, height: float = 5.4, **settings: Any
) -> tuple[Figure, np.ndarray]:
    """Make a figure of a slide's width with the claim as its title, and axes (rows, columns)."""
    figure = Figure(figsize=(11, height))
    figure.suptitle("\n".join(textwrap.wrap(title, 76)))
    return figure, figure.subplots(rows, columns, squeeze=False, **settings)


def at_least(least: int, **settings: int) -> None:
    """Raise a UsageError unless each of these settings is at least `least`."""
    from jaxnet.errors import UsageError

    for name, value in settings.items():
        if value < least:
            raise UsageError(f"{name} is {value}", f"at least {least}", "give a larger number")


def space_rates(least: float, greatest: float, count: int) -> np.ndarray:
    """Space learning rates evenly on a log scale.

    Raises:
        UsageError: If the ends are not positive and in order, or the rates would not all differ.
    """
    from jaxnet.errors import UsageError

    at_least(2, rates=count)
    if not 0 < least < greatest < math.inf:
        raise UsageError(
            f"the learning rates go from {least:g} to {greatest:g}",
            "a smallest rate above 0, and a largest rate above the smallest",
            "give 0.0001 and 10, for example",
        )
    rates = np.geomspace(least, greatest, count)
    if len(np.unique(rates)) < count:
        raise UsageError(
            f"{count} learning rates from {least} to {greatest} are not all different",
            "different rates",
            "give fewer rates, or a wider interval",
        )
    return rates


def draw_networks(
    seeds: int, n_x: int, n_h: int, weight_scale: float, dtype: "DTypeLike"
) -> "Params":
    """Draw the initial parameters of the seeds 0, 1, …, stacked: each array is (seeds, …)."""
    import jax

    from jaxnet import init_params

    # Not by `jax.vmap` over the keys: with the generator rbg that would draw other numbers.
    drawn = [
        init_params(jax.random.key(seed), n_x, n_h, weight_scale=weight_scale, dtype=dtype)
        for seed in range(seeds)
    ]
    return jax.tree.map(lambda *leaves: jax.device_put(np.stack(leaves)), *drawn)


def balanced_accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Compute the balanced accuracy, the mean over networks, of probabilities (networks, m)."""
    right = (probabilities > 0.5) == labels
    return float(np.mean([right[:, labels == label].mean() for label in (0, 1)]))


def run(main: Callable[..., Result]) -> None:
    """Run an experiment from the command line, which has an option for each setting of `main`.

    One more option, `--out`, names the folder of the results.
    """
    import typer

    from jaxnet import use_all_cores
    from jaxnet.report.console import out as console
    from jaxnet.report.console import run_command

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
    folder = Annotated[Path, typer.Option(help="The folder for NAME.json and NAME.png.")]
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
    run_command(app)


def answer(
    main: Callable[..., Result], out: Path, **settings: Any
) -> tuple[Result, list[Path], float]:
    """Run an experiment, and write its numbers and its figure.

    Returns:
        The result, the paths of the files, and the seconds that it took.
    """
    from jaxnet.report.figures.save import save_figure
    from jaxnet.report.json import to_json

    name = Path(inspect.getfile(main)).stem
    began = time.perf_counter()
    with matplotlib.rc_context(STYLE):
        result = main(**settings)
        out.mkdir(parents=True, exist_ok=True)
        paths = [out / f"{name}.json"]
        content = {"claim": result.claim, "holds": result.holds, "numbers": result.numbers}
        text = json.dumps(to_json(content), indent=2, ensure_ascii=False, allow_nan=False)
        paths[0].write_text(text + "\n", encoding="utf-8")
        if result.figure is not None:
            paths.append(out / f"{name}.png")
            save_figure(result.figure, paths[1])
    return result, paths, time.perf_counter() - began


def _print_numbers(console: "Console", numbers: dict[str, Any]) -> None:
    for name, value in numbers.items():
        if isinstance(value, int | float | str):
            shown = f"{value:.6g}" if isinstance(value, float) else str(value)
            console.print(f"  {name}: {shown}")
