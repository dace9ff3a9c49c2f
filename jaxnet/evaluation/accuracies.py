"""Predicted classes and accuracies of a network on every split, without intervals."""

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.runs.model import Model


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


def accuracies(predictions: dict[str, np.ndarray], data: Dataset) -> dict[str, float]:
    """Compute the share of the pictures of each split that are predicted correctly."""
    return {
        name: float((predicted == data.splits[name].labels).mean())
        for name, predicted in predictions.items()
    }
