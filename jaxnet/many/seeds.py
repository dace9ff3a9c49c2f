"""The same training from many seeds, in one program."""

from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import examples_of
from jaxnet.devices import at_precision
from jaxnet.display import shown
from jaxnet.errors import UsageError, require_integer
from jaxnet.examples import Examples
from jaxnet.many.engine import train_networks
from jaxnet.many.sweep import check_many
from jaxnet.processes import gather_objects, join_shares, own_share, require_alike
from jaxnet.progress import Track, automatic
from jaxnet.settings import Settings


@shown
class Seeds(NamedTuple):
    """The networks of many seeds; the first axis of every array is the seed.

    Attributes:
        seeds: The seeds, (seeds,).
        last_costs: The cost before the last update, (seeds,).
        outcomes: The outcome of each run, (seeds,).
        kept: The seed whose last cost is the median, the lower one of two: the one to keep, since
            neither luck nor a test label chose it.
        probabilities: Of class 1, (seeds, m), of "train", and of "test" if it exists; of pictures
            themselves, also where their mirror images are trained on.
        labels: (m,) of 0 and 1, of the same splits.
    """

    seeds: np.ndarray
    last_costs: np.ndarray
    outcomes: np.ndarray
    kept: int
    probabilities: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]


def train_seeds(
    data: Dataset | Examples,
    settings: Settings | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    seeds: int = 64,
    test: Examples | None = None,
    track: Track = automatic,
) -> Seeds:
    """Train the same network from many seeds, `settings.seed` the first.

    Several processes share out the seeds; each returns the networks of all.

    Args:
        data: The pictures, or examples.
        settings: As for one training.
        preprocessing: How the pictures of a data set become columns.
        seeds: How many.
        test: Test examples, beside examples.
        track: Shows the progress, block by block.

    Raises:
        DataError: If the data cannot be used.
        UsageError: If a setting does not allow it, or no network's numbers are finite.
    """
    settings = settings or Settings()
    require_integer("seeds", seeds, 1, 100_000)
    check_many(settings, seeds)
    train, test = examples_of(data, settings, preprocessing, test)
    require_alike(examples=(train, test), settings=settings, seeds=seeds)
    numbers = settings.seed + np.arange(seeds)
    own = np.array(own_share(numbers.tolist()), numbers.dtype)
    result: dict[str, np.ndarray] = {}
    if len(own):
        with at_precision(settings.precision):
            ends = train_networks(
                train, settings, seeds=own, test=test, keep_probabilities=True, track=track
            )
        arrays = (ends.last_costs, ends.outcomes, ends.train_A2, ends.test_A2)
        names = ("costs", "outcomes", "train", "test")
        result = {name: np.asarray(array)[0, 0] for name, array in zip(names, arrays, strict=True)}
    joined = join_shares(gather_objects(result))
    costs, outcomes = joined["costs"], joined["outcomes"]
    finite = which_finite(outcomes)
    splits = {"train": train} | ({} if test is None else {"test": test})
    labels = {name: np.asarray(examples.Y)[0].astype(int) for name, examples in splits.items()}
    labels["train"] = labels["train"][: train.Y.size // settings.copies]
    return Seeds(
        numbers,
        costs,
        outcomes,
        int(numbers[lower_median(np.where(finite, costs, np.inf))]),
        {name: joined[name][:, : len(row)] for name, row in labels.items()},
        labels,
    )


def which_finite(outcomes: np.ndarray) -> np.ndarray:
    """Return which networks have finite numbers, (seeds,); raise a UsageError if none has."""
    finite: np.ndarray = outcomes != "not finite"
    if not finite.any():
        raise UsageError(
            f"none of {outcomes.size} networks has finite numbers",
            "finite numbers",
            "take a smaller learning rate",
        )
    return finite


def lower_median(costs: np.ndarray) -> int:
    """Find the index of the median of the finite costs (seeds,), the lower of two."""
    finite = int(np.isfinite(costs).sum())
    return int(np.argsort(costs, kind="stable")[(finite - 1) // 2])
