"""Predictions of the class of picture files, many or few, in bounded memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxnet.data.pictures import require_readable
from jaxnet.errors import DataError, require_number
from jaxnet.progress import Track, automatic
from jaxnet.runs.model import Model


class Prediction(NamedTuple):
    """What a network says of one picture.

    Attributes:
        picture: The file.
        positive: The name of class 1.
        probability: The probability of class 1.
        class_: The name of the predicted class.
    """

    picture: str
    positive: str
    probability: float
    class_: str


class Predictions(NamedTuple):
    """What a network says of picture files.

    Attributes:
        predictions: One for each file that could be read, in their order.
        left_out: Why each of the other files could not be read.
    """

    predictions: tuple[Prediction, ...]
    left_out: tuple[DataError, ...]


def predict_pictures(
    model: Model,
    paths: Sequence[str | Path],
    *,
    threshold: float = 0.5,
    skip_bad: bool = False,
    track: Track = automatic,
) -> Predictions:
    """Predict the class of picture files of any format and size.

    Args:
        model: The network.
        paths: The files, as `find_pictures` finds them.
        threshold: The class is 1 if its probability exceeds this.
        skip_bad: Leave out files that cannot be read, instead of raising an error.
        track: Reports the progress.

    Raises:
        DataError: If a file cannot be read and `skip_bad` is false, or if none can be read. It
            names the first six such files and the number of the others.
        UsageError: If the threshold is not from 0 to 1.
    """
    require_number("threshold", threshold, 0, 1)
    named = [Path(path) for path in paths]
    negative, positive = model.classes
    predictions: list[Prediction] = []
    errors: list[DataError] = []
    for path, result in zip(named, model.predict_each(named, track=track), strict=True):
        if isinstance(result, DataError):
            errors.append(result)
            continue
        name = positive if result > threshold else negative
        predictions.append(Prediction(str(path), positive, float(result), name))
    require_readable(errors, len(named), skip_bad=skip_bad)
    return Predictions(tuple(predictions), tuple(errors))
