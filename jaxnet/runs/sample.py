"""Some pictures on which a network in another form is tried: those of its run, or drawn ones."""

from typing import NamedTuple

import numpy as np

from jaxnet.data.all_pictures import open_all, source_of
from jaxnet.data.sketches import draw_sketches
from jaxnet.errors import JaxnetError
from jaxnet.progress import Track, silent
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
