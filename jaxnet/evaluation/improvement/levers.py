"""Levers: the changes of a setting that are tried, fixed before any of them is measured."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from jaxnet.data.dataset import Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import UsageError
from jaxnet.settings import Settings

BASE = "as it is"

WEIGHT_DECAY = 0.1  # over the article's 2,500 steps of 0.0075 it alone shrinks W by e^−1.9
PATIENCE = 100
SHIFT = 2  # pixels
TIMES_UNITS = 4

# Of the pictures that a network with patience would be trained on, the share that it is watched by.
VALIDATION_SHARE = 0.2


Training = tuple[Settings, Preprocessing]


class Lever(NamedTuple):
    """A setting to be measured.

    Attributes:
        name: What is changed, in a word or two.
        settings: The whole setting, with the change. Its seed is the first of several.
        preprocessing: How pictures become columns, likewise.
        ensemble: Whether the mean probability of the networks of all seeds is the answer.
    """

    name: str
    settings: Settings
    preprocessing: Preprocessing
    ensemble: bool = False

    @property
    def training(self) -> Training:
        """What decides the networks, which an ensemble shares with another lever."""
        return self.settings, self.preprocessing


def make_levers(
    split: Split,
    settings: Settings,
    preprocessing: Preprocessing,
    *,
    seeds: int,
    stops_early: bool = True,
    quick: bool = False,
) -> tuple[Lever, ...]:
    """List the setting as it is, each lever alone, and several levers together.

    A lever that changes nothing is left out: weight decay that is set already, colour for grey
    pictures, an ensemble of one. Together are always the same, whatever they do alone: colour,
    mirror images, weight decay, early stopping, balanced classes and the ensemble. So no choice
    among results flatters the combination. Not among them are what contradicts itself (more units
    and fewer), what has no better side (He weights, pixel scale), and shifts.

    Args:
        split: The training pictures.
        settings: The setting as it is.
        preprocessing: The same.
        seeds: How many networks an ensemble has.
        stops_early: Whether there are pictures by which networks may stop early.
        quick: Whether to leave out what cannot be trained in the span of the pictures: shifts.

    Raises:
        UsageError: If the setting as it is has a patience or shifts.
    """
    for name, value in (("patience", settings.patience), ("shift", settings.shift or None)):
        if value is not None:
            raise UsageError(
                f"{name} is {value} in the setting to be improved",
                "a setting without it, since it is one of the levers",
                f"leave {name} out",
            )
    units = settings.hidden_units
    together: dict[str, Any] = {
        "weight_decay": settings.weight_decay or WEIGHT_DECAY,
        "balanced": True,
        "mirrored": True,
    }
    if stops_early:
        together["patience"] = PATIENCE
    colored = dataclasses.replace(preprocessing, color="rgb" if _in_color(split) else "gray")
    changed: dict[str, dict[str, Any]] = {
        "mirrored": {"mirrored": True},
        "shifted": {} if quick else {"shift": _shift(preprocessing)},
        "weight decay": {"weight_decay": together["weight_decay"]},
        "early stopping": {"patience": PATIENCE} if stops_early else {},
        "more units": {"hidden_units": TIMES_UNITS * units},
        "fewer units": {"hidden_units": max(1, units // TIMES_UNITS)},
        "He weights": {"weight_scale": "he"},
        "balanced": {"balanced": True},
    }
    scale = "unit" if preprocessing.pixel_scale == "symmetric" else "symmetric"
    ensemble = seeds > 1
    levers = [
        Lever("colour", settings, colored),
        *(
            Lever(name, dataclasses.replace(settings, **change), preprocessing)
            for name, change in changed.items()
        ),
        Lever("pixel scale", settings, dataclasses.replace(preprocessing, pixel_scale=scale)),
        Lever("ensemble", settings, preprocessing, ensemble),
        Lever("together", dataclasses.replace(settings, **together), colored, ensemble),
    ]
    base = Lever(BASE, settings, preprocessing)
    return (base, *(lever for lever in levers if lever[1:] != base[1:]))


def _in_color(split: Split) -> bool:
    images = split.images
    return not all(np.array_equal(images[..., 0], images[..., i]) for i in (1, 2))


def _shift(preprocessing: Preprocessing) -> int:
    return min(SHIFT, min(preprocessing.height, preprocessing.width) - 1)
