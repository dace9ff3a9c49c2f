"""`jaxnet predict`: the probability of a class for any picture file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from jaxnet.commands import options
from jaxnet.commands.console import describe_device, err, out, print_json, show_progress


def predict(
    model: Annotated[Path, typer.Argument(help="A run folder, or a model file.")],
    pictures: Annotated[list[Path], typer.Argument(help="Picture files of any kind and size.")],
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="The class is 1 if its probability exceeds this.")
    ] = 0.5,
    skip_bad: options.SkipBad = False,
    as_json: options.Json = False,
) -> None:
    """Print for each picture the probability of the positive class, and the class."""
    import jax

    # A model keeps its own precision; this only allows float64.
    jax.config.update("jax_enable_x64", True)

    from jaxnet.data.pictures import read_pictures
    from jaxnet.runs.model_file import load_model

    network = load_model(model)
    err.print(f"Device: {describe_device(err)}")
    seen = network.preprocessing
    images, kept, errors = read_pictures(
        pictures, seen.height, seen.width, skip_bad=skip_bad, track=show_progress
    )
    probabilities = [float(probability) for probability in network.predict_images(images)]
    negative, positive = network.classes
    answers: list[dict[str, Any]] = [
        {
            "picture": str(pictures[i]),
            "positive": positive,
            "probability": probability,
            "class": positive if probability > threshold else negative,
        }
        for i, probability in zip(kept, probabilities, strict=True)
    ]
    if as_json:
        print_json(answers)
    else:
        width = max(len(answer["picture"]) for answer in answers)
        for answer in answers:
            probability = f"P({positive}) = {answer['probability']:.4f}"
            out.print(f"{answer['picture']:{width}}  {probability}  {answer['class']}")
    for error in errors:
        err.print(f"left out: {error.found}", style="yellow")
