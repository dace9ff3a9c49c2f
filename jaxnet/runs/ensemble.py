"""An ensemble: networks of many seeds, which predict by the mean of their probabilities."""

import dataclasses
from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.defaults import LARGEST_SEED
from jaxnet.errors import require_integer
from jaxnet.many.seeds import Seeds, lower_median, which_finite
from jaxnet.network import Params
from jaxnet.progress import Track, automatic, silent
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run
from jaxnet.runs.train import train
from jaxnet.settings import Settings


class Members(NamedTuple):
    """The networks of an ensemble.

    Attributes:
        params: The parameters of every network whose numbers are finite.
        seeds: What `train_seeds` returns of the same networks.
    """

    params: tuple[Params, ...]
    seeds: Seeds


def train_ensemble(
    data: Dataset,
    settings: Settings | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    seeds: int = 8,
    track: Track = automatic,
) -> Run:
    """Train the same network from many seeds; predict by the mean of their probabilities.

    Each network is the one of `train` with its seed, so all settings are allowed: any optimizer,
    basis and patience. A network whose numbers are not finite is left out.

    Args:
        data: The pictures.
        settings: As for one training; `settings.seed` is the first seed.
        preprocessing: As for one training.
        seeds: How many.
        track: Shows the progress, network by network.

    Returns:
        The run of the network whose last cost is the median, the lower one of two. Its model, its
        folder and its scores are those of the ensemble; its costs, its curves and its page those of
        this network.

    Raises:
        DataError: If the pictures cannot be used.
        UsageError: If an argument is of the wrong type or out of its range, or no network's numbers
            are finite.
    """
    settings = Settings() if settings is None else settings
    members = train_members(data, settings, preprocessing, seeds=seeds, track=track)
    kept = dataclasses.replace(settings, seed=members.seeds.kept)
    run = train(data, kept, preprocessing, track=silent)
    return dataclasses.replace(run, members=members.params)


def train_members(
    data: Dataset,
    settings: Settings,
    preprocessing: Preprocessing | None = None,
    *,
    seeds: int,
    track: Track = silent,
) -> Members:
    """Train the networks of an ensemble one after the other; raises what `train_ensemble` does."""
    require_integer("seeds", seeds, 2, 10_000)
    require_integer("the last seed", settings.seed + seeds - 1, 0, LARGEST_SEED)
    numbers = settings.seed + np.arange(seeds)
    models: list[Model] = []
    costs, outcomes = np.empty(seeds), np.empty(seeds, "U10")
    for i, seed in enumerate(track(numbers.tolist(), "training networks", seeds)):
        run = train(data, dataclasses.replace(settings, seed=seed), preprocessing, track=silent)
        costs[i], outcomes[i] = run.costs[-1], run.outcome
        models.append(run.model)
    finite = which_finite(outcomes)
    splits = {name: split for name, split in data.splits.items() if name != "validation"}
    together = Seeds(
        numbers,
        costs,
        outcomes,
        int(numbers[lower_median(np.where(finite, costs, np.inf))]),
        {
            name: np.stack([model.predict_images(split.images) for model in models])
            for name, split in splits.items()
        },
        {name: split.labels.astype(int) for name, split in splits.items()},
    )
    params = tuple(model.params for model, good in zip(models, finite, strict=True) if good)
    return Members(params, together)
