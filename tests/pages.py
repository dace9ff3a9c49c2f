"""Tiny runs for the tests of the offline page, and what `fit` makes of them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.activations import ACTIVATIONS
from jaxnet.data.columns import Preprocessing, balancing_weights, to_row
from jaxnet.data.dataset import Dataset, Split
from jaxnet.network import init_params
from jaxnet.runs.model_file import Model
from jaxnet.training import fit


def make_dataset() -> Dataset:
    """Draw 29 + 11 pictures of noise, 8 × 6; those of class 1 are darker."""
    draw = np.random.default_rng(3)
    images = draw.integers(0, 256, (40, 8, 6, 3), dtype=np.uint8)
    labels = draw.integers(0, 2, 40)
    images[labels == 1] //= 2
    return Dataset(Split(images[:29], labels[:29]), Split(images[29:], labels[29:]), ("no", "yes"))


def make_model(hidden: str = "relu", n_h: int = 3, color: str = "gray", **settings: Any) -> Model:
    """The model of a run that has drawn its first weights and gone no further."""
    height, width = settings.pop("size", (8, 6))
    preprocessing = Preprocessing(height, width, color, settings.pop("scale", "symmetric"))
    defaults: dict[str, Any] = {"seed": 5, "weight_scale": "0.1", "learning_rate": 0.1}
    settings = defaults | settings
    scale = settings["weight_scale"]
    params = init_params(
        jax.random.key(settings["seed"]),
        preprocessing.n_x,
        n_h,
        scale=scale if scale == "he" else float(scale),
        dtype=jnp.float64,
    )
    return Model(params, preprocessing, ("no", "yes"), ACTIVATIONS[hidden], settings=settings)


def costs_of_fit(model: Model, dataset: Dataset, iterations: int = 500) -> np.ndarray:
    X = model.preprocessing.columns(dataset.train.images, jnp.float64)
    Y = to_row(dataset.train.labels, dtype=jnp.float64)
    weights = balancing_weights(Y) if model.settings.get("balanced") else None
    return fit(
        model.params,
        X,
        Y,
        model.hidden,
        learning_rate=float(model.settings["learning_rate"]),
        iterations=iterations,
        weights=weights,
    ).costs
