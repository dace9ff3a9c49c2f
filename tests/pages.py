"""Tiny runs for the tests of the offline page, and the costs that `train` computes for them."""

import dataclasses
from typing import Any

import numpy as np

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.runs.checkpoint import Checkpoint
from jaxnet.runs.run import Run, draw_params
from jaxnet.runs.train import train
from jaxnet.settings import Settings

SETTINGS = Settings(
    hidden_units=3, weight_scale=0.1, seed=5, learning_rate=0.1, precision="float64"
)


def make_dataset() -> Dataset:
    """Draw 29 + 11 pictures of noise, 8 × 6; those of class 1 are darker."""
    draw = np.random.default_rng(3)
    images = draw.integers(0, 256, (40, 8, 6, 3), dtype=np.uint8)
    labels = draw.integers(0, 2, 40)
    images[labels == 1] //= 2
    splits = Split(images[:29], labels[:29]), Split(images[29:], labels[29:])
    return Dataset(*splits, ("no", "yes"), data_source=DataSource("pets"))


def make_run(
    *, color: str = "gray", pixel_scale: str = "symmetric", prng: str = "", **settings: Any
) -> Run:
    """Make a run in float64 on `make_dataset` that has not been trained yet.

    Args:
        color: As in `Preprocessing`.
        pixel_scale: As in `Preprocessing`.
        prng: Its random generator; by default the one that JAX is set to.
        settings: Changes of SETTINGS.
    """
    made = dataclasses.replace(SETTINGS, **settings)
    preprocessing = Preprocessing(8, 6, color, pixel_scale)
    params = draw_params(made, preprocessing.n_x, prng or None)
    costs = np.empty(0)
    origin: dict[str, Any] = {"train_sha256": make_dataset().train_sha256, "train_pictures": 29}
    origin |= {"prng": prng} if prng else {}
    return Run(
        preprocessing,
        ("no", "yes"),
        made.hidden,
        Checkpoint(params, costs),
        costs,
        "unfinished",
        made,
        None,
        origin,
    )


def train_again(run: Run, dataset: Dataset, iterations: int = 500) -> Run:
    """Train a run with its own settings from its initial weights."""
    assert run.settings is not None
    settings = dataclasses.replace(run.settings, iterations=iterations)
    return train(dataset, settings, run.preprocessing)
