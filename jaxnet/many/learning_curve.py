"""The score against the number of training pictures: subsets of the training set, in one program.

A subset of the training pictures is trained on, and the other training pictures are its test
pictures; the test set takes no part. Duplicates and pictures of one group are never parted. Each
subset has seeds of its own, since the networks of one lucky seed would shift the whole curve.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxnet.data.belonging import number_together
from jaxnet.data.dataset import Dataset
from jaxnet.data.duplicates import Pair, find_pairs
from jaxnet.data.hold_out import draw_held_out
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

# A size, each with its own seeds; 512 networks with the eight sizes.
SUBSETS, SEEDS = 32, 2
SIZES, LEAST_SIZE = 8, 10
LEAST_SIZES, LEAST_GIVEN_SIZE = 3, 4

# Of the pictures, that the largest subset has: the others must tell its score.
LARGEST_SHARE, LARGEST_GIVEN_SHARE = 0.8, 0.9

# With fewer the curve would be noise.
LEAST_PICTURES, LEAST_OF_A_CLASS = 20, 5

# Of probabilities that are kept: 2 GB in float32.
MOST_NUMBERS = 500_000_000

# Beside the seed, so that the draw differs from those of test and validation sets and of folds.
STREAM = 3


@shown
class LearningCurve(NamedTuple):
    """What networks predict that were trained on subsets of the training pictures.

    Attributes:
        sizes: The number of pictures in a subset, the mean of those that were drawn, (sizes,).
        correct: Whether each network predicts each picture correctly,
            (sizes, subsets, seeds, m).
        held_out: Whether a subset leaves a picture out, (sizes, subsets, m).
        outcomes: The outcome of each network, (sizes, subsets, seeds).
        labels: (m,) of 0 and 1.
        groups: The number of each picture's group, (m,); pictures of one group are not parted.
    """

    sizes: np.ndarray
    correct: np.ndarray
    held_out: np.ndarray
    outcomes: np.ndarray
    labels: np.ndarray
    groups: np.ndarray


def learning_curve(
    data: Dataset | Examples,
    settings: Settings | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    sizes: Sequence[int] | None = None,
    subsets: int = SUBSETS,
    seeds: int = SEEDS,
    pairs: Iterable[Pair] | None = None,
    track: Track = automatic,
) -> LearningCurve:
    """Train on random subsets of several sizes, and predict the pictures that they leave out.

    Each class has the same share in every subset, as nearly as whole pictures and groups allow.

    Args:
        data: The pictures, or examples; of a data set, the training set.
        settings: As for one training; `settings.seed` is the first seed, and that of the draw.
        preprocessing: How the pictures of a data set become columns.
        sizes: Numbers of pictures, from 4 to nine tenths of them; by default eight from 10 to four
            fifths, evenly spaced on a log scale.
        subsets: How many are drawn of each size, two or more.
        seeds: How many networks are trained on each subset.
        pairs: The duplicates of the data set, if `find_pairs` has been called already.
        track: Shows the progress, block by block.

    Raises:
        DataError: If the data cannot be used, or are too few.
        UsageError: If an argument is out of its range, or a setting does not allow it.
    """
    settings = settings or Settings()
    require_integer("subsets", subsets, 2, 10_000)
    require_integer("seeds", seeds, 1, 10_000)
    _check_settings(settings, subsets * seeds)
    train, _ = examples_of(data, settings, preprocessing)
    m = train.Y.size // settings.copies  # pictures; a mirror image is left out with its picture
    labels = np.asarray(train.Y)[0, :m].astype(int)
    classes = data.classes if isinstance(data, Dataset) else ("class 0", "class 1")
    chosen = choose_sizes(sizes, labels, classes)
    groups = None
    if isinstance(data, Dataset):
        pairs = find_pairs(data, track=track) if pairs is None else pairs
        groups = number_together(data.train, pairs)
    drawn = _draw_subsets(labels, groups, chosen, subsets, settings.seed)
    shape = (len(chosen), subsets, seeds, m)
    _check_size(shape, settings.copies)
    own_seeds = settings.seed + np.arange(subsets * seeds).reshape(subsets, seeds)
    with at_precision(settings.precision):
        ends = train_networks(
            train,
            settings,
            seeds=np.tile(own_seeds, (len(chosen), 1)),
            example_weights=np.tile(drawn.reshape(-1, m), settings.copies),
            keep_probabilities=True,
            track=track,
        )
    correct = (np.asarray(ends.train_A2)[..., :m].reshape(shape) > 0.5) == labels
    outcomes = ends.outcomes.reshape(shape[:-1])
    require_finite(outcomes)
    return LearningCurve(
        drawn.sum(axis=2).mean(axis=1),
        correct,
        ~drawn,
        outcomes,
        labels,
        np.arange(m) if groups is None else groups,
    )


def _check_settings(settings: Settings, seeds: int) -> None:
    check_many(settings, seeds)
    if settings.batch is not None:
        raise UsageError(
            f"batch is {settings.batch} for a learning curve",
            "no mini-batches, since they are drawn from all pictures, of which a subset has few",
            "leave batch out",
        )


def choose_sizes(
    sizes: Sequence[int] | None, labels: np.ndarray, classes: tuple[str, str]
) -> list[int]:
    """Check the sizes of a learning curve and sort them, or choose them where none are given.

    Args:
        sizes: As `learning_curve` takes them.
        labels: Those of the training pictures, (m,).
        classes: The names of the classes, for errors.

    Raises:
        DataError: If there are too few pictures for a learning curve.
        UsageError: If a size is out of its range, or there are too few.
    """
    m = len(labels)
    _require_enough(labels, classes)
    if sizes is None:
        spaced = np.geomspace(LEAST_SIZE, LARGEST_SHARE * m, SIZES).round().astype(int)
        return sorted(set(spaced.tolist()))
    largest = int(LARGEST_GIVEN_SHARE * m)
    for size in sizes:
        require_integer("a value of sizes", size, LEAST_GIVEN_SIZE, largest)
    chosen = sorted({int(size) for size in sizes})
    if len(chosen) < LEAST_SIZES:
        raise UsageError(
            f"sizes holds {len(chosen)} different numbers",
            f"{LEAST_SIZES} or more, so that a curve can be fitted",
            f"give numbers from {LEAST_GIVEN_SIZE} to {largest} as sizes",
        )
    return chosen


def _require_enough(labels: np.ndarray, classes: tuple[str, str]) -> None:
    if len(labels) < LEAST_PICTURES:
        raise DataError(
            f"a learning curve of {len(labels)} training pictures",
            f"{LEAST_PICTURES} or more: with fewer it would be nothing but noise",
            "add pictures",
        )
    for label, name in enumerate(classes):
        count = int((labels == label).sum())
        if count < LEAST_OF_A_CLASS:
            raise DataError(
                f'the training set has {count} pictures of "{name}"',
                f"{LEAST_OF_A_CLASS} or more of each class for a learning curve",
                f'add pictures of "{name}"',
            )


def _draw_subsets(
    labels: np.ndarray, groups: np.ndarray | None, sizes: list[int], subsets: int, seed: int
) -> np.ndarray:
    """Draw the subsets, (sizes, subsets, m), each as a test set would be drawn."""
    m = len(labels)
    drawn = np.array(
        [
            [
                draw_held_out(labels, (seed, STREAM, size, number), groups, size / m)
                for number in range(subsets)
            ]
            for size in sizes
        ]
    )
    for label in (0, 1):
        counts = drawn[:, :, labels == label].sum(axis=2)
        if not counts.all() or (counts == (labels == label).sum()).any():
            raise DataError(
                "some pictures that belong together, or are duplicates, are too many for a subset",
                "groups small enough that a subset, and the rest, have pictures of both classes",
                "give larger sizes, or smaller groups",
            )
    return drawn


def _check_size(shape: tuple[int, ...], copies: int) -> None:
    numbers = int(np.prod(shape)) * copies
    if numbers > MOST_NUMBERS:
        raise UsageError(
            f"the result would hold {numbers:,} predictions, one for each picture and network",
            f"{MOST_NUMBERS:,} at most",
            "use fewer pictures, subsets or seeds",
        )
