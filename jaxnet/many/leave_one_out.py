"""Every training example left out in turn, exactly, in one program.

An example of weight 0 takes no part in the training. So all m retrainings, and the training with
all examples, are m + 1 networks a seed that differ in the example they leave out, and share all
else. As each costs time that grows with m², the time grows with the cube of the number of examples,
and the memory with its square. Duplicates hide each other's influence; run the audit first.
"""

from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import examples_of
from jaxnet.devices import at_precision
from jaxnet.display import shown
from jaxnet.errors import DataError, UsageError, require_integer
from jaxnet.examples import Examples
from jaxnet.many.engine import require_finite, train_networks
from jaxnet.many.sweep import check_many
from jaxnet.progress import Track, automatic
from jaxnet.settings import Settings

# Fewer would hardly tell an influence from noise.
SEEDS = 8

# Of probabilities that are kept: 2 GB in float32.
MOST_NUMBERS = 500_000_000


@shown
class LeaveOneOut(NamedTuple):
    """The probability of class 1, by every network of every seed.

    Attributes:
        train: (seeds, m), each training picture, from the network trained on all.
        test: (seeds, m′), each test picture, from the same; None without test pictures.
        train_without: (seeds, m, m), from the network without picture i, of picture j.
        test_without: (seeds, m, m′), from the same, of test picture j; or None.
        outcomes: (seeds, m + 1), of the network without picture i; the last was trained on all.
    """

    train: np.ndarray
    test: np.ndarray | None
    train_without: np.ndarray
    test_without: np.ndarray | None
    outcomes: np.ndarray

    @property
    def unseen(self) -> np.ndarray:
        """Each training picture, from the network trained without it, (seeds, m)."""
        return np.diagonal(self.train_without, axis1=1, axis2=2)


def leave_one_out(
    data: Dataset | Examples,
    settings: Settings | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    seeds: int = SEEDS,
    test: Examples | None = None,
    track: Track = automatic,
) -> LeaveOneOut:
    """Train with all examples, and with all but each, from every seed.

    Args:
        data: The pictures, or examples.
        settings: As for one training; `settings.seed` is the first seed.
        preprocessing: How the pictures of a data set become columns.
        seeds: How many, two or more: the spread between them tells a change from noise.
        test: Test examples, beside examples.
        track: Shows the progress, block by block.

    Raises:
        DataError: If the data cannot be used, or nothing would be left to train on.
        UsageError: If a setting does not allow it, or a network's numbers are not finite.
    """
    settings = settings or Settings()
    require_integer("seeds", seeds, 2, 100_000)
    check_many(settings, seeds)
    train, test = examples_of(data, settings, preprocessing, test)
    m = train.Y.size // settings.copies  # pictures; a mirror image is left out with its picture
    _check_size(train, test, m, seeds)
    with at_precision(settings.precision):
        ends = train_networks(
            train,
            settings,
            seeds=settings.seed + np.arange(seeds),
            test=test,
            # The last way leaves out none.
            example_weights=1 - np.tile(np.eye(m + 1, m), settings.copies),
            keep_probabilities=True,
            track=track,
        )
    outcomes = ends.outcomes[0].T
    require_finite(outcomes)
    by_train, by_test = (np.asarray(A2)[0].swapaxes(0, 1) for A2 in (ends.train_A2, ends.test_A2))
    by_train = by_train[..., :m]
    return LeaveOneOut(
        by_train[:, m],
        None if test is None else by_test[:, m],
        by_train[:, :m],
        None if test is None else by_test[:, :m],
        outcomes,
    )


def _check_size(train: Examples, test: Examples | None, m: int, seeds: int) -> None:
    """Raise an error where too few of m pictures would remain, or too many numbers be kept."""
    if (m if train.weights is None else int((np.asarray(train.weights) > 0).sum())) < 2:
        raise DataError(
            "only one example has a weight above 0",
            "two or more, so that one can be left out",
            "add pictures",
        )
    numbers = seeds * (m + 1) * (train.Y.size + (0 if test is None else test.Y.size))
    if numbers > MOST_NUMBERS:
        raise UsageError(
            f"the result would hold {numbers:,} probabilities, one for each picture and network",
            f"{MOST_NUMBERS:,} at most",
            "use fewer pictures or seeds",
        )
