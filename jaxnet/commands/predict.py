"""`jaxnet predict`: the probability of a class for any picture file."""

from pathlib import Path
from typing import Annotated

import typer

from jaxnet.commands.options import Json, RunArgument
from jaxnet.report.console import describe_device, err, out, print_json, show_progress


def predict(
    model: RunArgument,
    pictures: Annotated[
        list[Path], typer.Argument(help="Picture files of any size, in a usual format.")
    ],
    threshold: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="The prediction is class 1 if its probability exceeds this."
        ),
    ] = 0.5,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out pictures that cannot be read.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print for each picture the probability of the positive class, and the class."""
    from jaxnet.data.pictures import read_pictures
    from jaxnet.runs.model_file import load_model

    network = load_model(model)
    err.print(describe_device(err), end="")
    height, width = network.preprocessing.height, network.preprocessing.width
    images, kept, errors = read_pictures(
        pictures, height, width, skip_bad=skip_bad, track=show_progress
    )
    negative, positive = network.classes
    answers = [
        {
            "picture": str(pictures[i]),
            "positive": positive,
            "probability": float(probability),
            "class": positive if probability > threshold else negative,
        }
        for i, probability in zip(kept, network.predict_images(images), strict=True)
    ]
    if as_json:
        print_json(answers)
    else:
        longest = max(len(str(answer["picture"])) for answer in answers)
        for answer in answers:
            probability = f"P({positive}) = {answer['probability']:.4f}"
            out.print(f"{answer['picture']:{longest}}  {probability}  {answer['class']}")
    for error in errors:
        err.print(f"left out: {error.found}", style="yellow")
