"""Pictures on which a network in another form is tried: those of its run, or drawn ones."""

import math
from typing import NamedTuple

import numpy as np

from jaxnet.data.all_pictures import open_all, source_of
from jaxnet.data.sketches import draw_sketches
from jaxnet.errors import JaxnetError
from jaxnet.progress import Track, silent
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run, load_data_for, open_if_large_for

SIZE = 64


class Sample(NamedTuple):
    """Some pictures.

    Attributes:
        images: (m, h, w, 3) uint8.
        source: Where they are from, in words.
    """

    images: np.ndarray
    source: str


def draw_sample() -> Sample:
    """Draw some sketches."""
    return Sample(draw_sketches(SIZE, 0).train.images, "drawn sketches")


def take_sample(run: Run, *, track: Track = silent) -> Sample:
    """Take pictures of all splits of a run's data; draw sketches where they cannot be loaded."""
    try:
        data = open_if_large_for(run) or load_data_for(run, track=track)
        with open_all(data) as pictures:
            m = len(pictures.labels)
            numbers = np.unique(np.linspace(0, m - 1, min(m, SIZE)).astype(int))
            return Sample(pictures.take(numbers), source_of(data))
    except JaxnetError:
        return draw_sample()


class Trial(NamedTuple):
    """A network in another form, compared with the network.

    Attributes:
        deviation: The largest difference of a probability.
        same: Whether rounding explains every difference.
    """

    deviation: float
    same: bool


def try_on(model: Model, images: np.ndarray, probabilities: np.ndarray) -> Trial:
    """Compare probabilities (m,) from elsewhere with those of a network for images of its size.

    The n_x terms of Z1 may be added in another order, and pixels and sigmoids be off by some units
    in the last place. No slope that follows exceeds 1.
    """
    size = {
        name: np.max([np.abs(np.asarray(params[name])) for params in model.networks], axis=0)
        for name in model.params
    }
    n_x, dtype = model.preprocessing.n_x, size["W1"].dtype
    X = np.abs(np.asarray(model.preprocessing.columns(images, dtype)))
    terms = size["W2"] @ (size["W1"] @ (X + 1) + size["b1"] + 8) + size["b2"] + 8
    bound = math.sqrt(n_x) * float(np.finfo(dtype).eps) * np.asarray(terms)[0]
    deviations = np.abs(probabilities - model.predict_images(images))
    return Trial(float(deviations.max()), bool((deviations <= bound).all()))
