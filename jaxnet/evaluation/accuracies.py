"""Predicted classes and accuracies of a network on every split, without intervals."""

import math

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.data.stored import StoredPictures
from jaxnet.data.stream import read_in_order
from jaxnet.progress import Track, silent
from jaxnet.runs.model import Model

# Of pictures that are predicted at a time.
BLOCK = 1024


def predict_splits(model: Model, data: Dataset, threshold: float = 0.5) -> dict[str, np.ndarray]:
    """Predict the class of every picture of every split, (m,) of 0 and 1.

    Args:
        model: The network.
        data: The pictures.
        threshold: The class is 1 if its probability exceeds this.

    Raises:
        DataError: If the pictures cannot be used.
    """
    return {
        name: (model.predict_images(split.images) > threshold).astype(int)
        for name, split in data.splits.items()
    }


def predict_stored(model: Model, pictures: StoredPictures, *, track: Track = silent) -> np.ndarray:
    """Compute the probability of class 1 of pictures that stay in their files, (m,).

    They are read in blocks, so the memory does not grow with their number.
    """
    blocks = read_in_order(pictures, BLOCK)
    count = math.ceil(len(pictures) / BLOCK)
    predicted = [model.predict_images(block.images) for block in track(blocks, "predicting", count)]
    return np.concatenate(predicted)


def accuracies(predictions: dict[str, np.ndarray], data: Dataset) -> dict[str, float]:
    """Compute the share of the pictures of each split that are predicted correctly."""
    return {
        name: float((predicted == data.splits[name].labels).mean())
        for name, predicted in predictions.items()
    }
