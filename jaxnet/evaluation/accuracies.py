"""Predicted classes and accuracies of a network on every split, without intervals."""

import functools
import math

import jax
import numpy as np

from jaxnet.activations import Activation
from jaxnet.data.columns import rows_of_bytes
from jaxnet.data.dataset import Dataset
from jaxnet.data.pictures import resize_images
from jaxnet.data.stored import StoredPictures
from jaxnet.data.stream import read_in_order
from jaxnet.devices import at_precision
from jaxnet.network import Params, forward
from jaxnet.progress import Track, silent
from jaxnet.runs.model import Model, mean_prediction

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


def predict_stored(
    model: Model, pictures: StoredPictures, *, track: Track = silent
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the logits and the probabilities of class 1 of pictures in files: (m,) and (m,).

    They are read in blocks, so the memory does not grow with their number.
    """
    preprocessing, dtype = model.preprocessing, model.params["W1"].dtype
    how = {
        "color": preprocessing.color,
        "pixel_scale": preprocessing.pixel_scale,
        "hidden": model.hidden,
    }
    count = math.ceil(len(pictures) / BLOCK)
    Z2, A2 = [], []
    with at_precision(dtype):
        for block in track(read_in_order(pictures, BLOCK), "predicting", count):
            images = resize_images(block.images, preprocessing.height, preprocessing.width)
            each = [jax.device_get(_outputs(params, images, **how)) for params in model.networks]
            logits, probabilities = mean_prediction([(z[0], a[0]) for z, a in each])
            Z2.append(logits)
            A2.append(probabilities)
    return np.concatenate(Z2), np.concatenate(A2)


@functools.partial(jax.jit, static_argnames=("color", "pixel_scale", "hidden"))
def _outputs(
    params: Params, images: jax.Array, *, color: str, pixel_scale: str, hidden: Activation
) -> tuple[jax.Array, jax.Array]:
    X = rows_of_bytes(images, color, pixel_scale, params["W1"].dtype).T
    result = forward(params, X, hidden)
    return result.Z2, result.A2


def accuracies(predictions: dict[str, np.ndarray], data: Dataset) -> dict[str, float]:
    """Compute the share of the pictures of each split that are predicted correctly."""
    return {
        name: float((predicted == data.splits[name].labels).mean())
        for name, predicted in predictions.items()
    }
