"""`jaxnet import`: a network that PyTorch or scikit-learn trained."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from jaxnet.commands.options import DATA, NETWORK, Force, Json, Out, expanded
from jaxnet.data.source import LARGEST_SIZE
from jaxnet.errors import UsageError
from jaxnet.report.console import print_json, speak


def _read_size(text: str) -> tuple[int, int]:
    """Read the option: one number, or height and width, as in 48x64."""
    parts = text.lower().split("x")
    numbers = [int(part) for part in parts if part.isdecimal()]
    whole = len(numbers) == len(parts) and len(numbers) in (1, 2)
    if not whole or not all(1 <= number <= LARGEST_SIZE for number in numbers):
        raise UsageError(
            f'--size is "{text}"', "a number of pixels, or HEIGHTxWIDTH", "give 64, or 48x64"
        )
    return numbers[0], numbers[-1]


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            callback=expanded,
            help="A state_dict of PyTorch in safetensors; or the arrays of scikit-learn's "
            "MLPClassifier in npz: numpy.savez('mlp.npz', *mlp.coefs_, *mlp.intercepts_).",
        ),
    ],
    framework: Annotated[
        Literal["pytorch", "sklearn"], typer.Option("--from", help="What trained the network.")
    ],
    size: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="The size of the pictures that it takes: 64, or HEIGHTxWIDTH.",
            rich_help_panel=DATA,
        ),
    ],
    color: Annotated[
        Literal["gray", "rgb"],
        typer.Option(help="Whether it takes grey or colour pictures.", rich_help_panel=DATA),
    ],
    pixel_scale: Annotated[
        Literal["symmetric", "unit", "raw"],
        typer.Option(
            help="The range of its pixels: [-1, 1], [0, 1] or [0, 255].", rich_help_panel=DATA
        ),
    ],
    classes: Annotated[
        tuple[str, str],
        typer.Option(
            metavar="NEGATIVE POSITIVE", help="The names of class 0 and 1.", rich_help_panel=DATA
        ),
    ],
    channels: Annotated[
        Literal["first", "last"] | None,
        typer.Option(
            help="How colour pictures were flattened: (3, h, w), as PyTorch's tensors, or "
            "(h, w, 3).",
            rich_help_panel=DATA,
        ),
    ] = None,
    activation: Annotated[
        Literal["relu", "leaky_relu", "sigmoid"],
        typer.Option(
            help="That of the hidden units; scikit-learn's logistic is sigmoid.",
            rich_help_panel=NETWORK,
        ),
    ] = "relu",
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make a run folder of a network that was trained elsewhere, once both predict the same."""
    height, width = _read_size(size)

    from jaxnet.data.preprocessing import Preprocessing
    from jaxnet.report.export import describe_import
    from jaxnet.report.json import to_json
    from jaxnet.runs.folder import require_empty
    from jaxnet.runs.imports import import_model

    if out is not None and not force:
        require_empty(out)  # before anything is computed
    imported = import_model(
        file,
        framework,
        Preprocessing(height, width, color, pixel_scale),
        classes,
        activation=activation,
        channels=channels,
    )
    folder = imported.save(out, force=force)
    for line in describe_import(imported, folder):
        speak(as_json).print(line)
    if as_json:
        answer = {name: part for name, part in imported._asdict().items() if name != "model"}
        print_json({"run": str(folder), **to_json(answer)})
