"""The options that several commands share, so that they are named and explained once."""

import math
from pathlib import Path
from typing import Annotated, Literal

import typer

from jaxnet.errors import UsageError

LARGEST_SEED = 2**32 - 1

SOURCES = (
    "sketches (drawn here), catvnoncat (the article's cats, downloaded once), "
    "an HDF5 file, or a folder with one sub-folder of pictures a class."
)

Data = Annotated[str, typer.Option(help=SOURCES)]
Test = Annotated[
    Path | None,
    typer.Option(
        help="File or folder of the test split. \\[default: in or beside the data]",
        show_default=False,
    ),
]
Positive = Annotated[
    str | None,
    typer.Option(
        help="The class that is 1. \\[default: the one called cat, else the second]",
        show_default=False,
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Bring pictures to SIZE × SIZE pixels. \\[default: a folder's to 64]",
        show_default=False,
    ),
]
Count = Annotated[
    int | None,
    typer.Option(
        min=2,
        help="How many training pictures to draw, sketches only. \\[default: 209]",
        show_default=False,
    ),
]
DataSeed = Annotated[
    int,
    typer.Option(min=0, max=LARGEST_SEED, help="Decides the sketches, or a folder's test split."),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out pictures that cannot be read.")
]
ExcludeLeaks = Annotated[
    bool,
    typer.Option("--exclude-leaks", help="Take out test pictures that are in train, too."),
]
Color = Annotated[Literal["gray", "rgb"], typer.Option(help="What the network sees.")]
Scale = Annotated[
    Literal["symmetric", "unit", "raw"],
    typer.Option(help="Pixels as [-1, 1], [0, 1] or [0, 255]."),
]
HiddenUnits = Annotated[int, typer.Option(min=1, max=100_000, help="How many hidden units.")]
ActivationName = Annotated[
    Literal["relu", "leaky_relu", "sigmoid"], typer.Option(help="Of the hidden units.")
]
WeightScale = Annotated[
    str, typer.Option(help="The standard deviation of the first weights, or he.")
]
Momentum = Annotated[float, typer.Option(min=0, max=1, help="Of SGD.")]
Nesterov = Annotated[bool, typer.Option("--nesterov", help="Momentum that looks ahead.")]
Iterations = Annotated[int, typer.Option(min=1, max=100_000_000, help="How many updates.")]
Precision = Annotated[Literal["float32", "float64"], typer.Option(help="Of every number.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def parse_weight_scale(text: str) -> float | str:
    """Read --weight-scale: a number, 0 or more, or he."""
    if text == "he":
        return text
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 <= scale < math.inf:
        raise UsageError(f'--weight-scale is "{text}"', "a number, 0 or more, or he", "try 0.01")
    return scale
