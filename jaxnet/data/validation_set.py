"""A validation set: a share of the training set, which parts no group and no duplicates."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from jaxnet.data.belonging import number_together
from jaxnet.data.dataset import Dataset, check_dataset
from jaxnet.data.duplicates import Pair, Place, find_pairs
from jaxnet.data.hold_out import draw_held_out
from jaxnet.defaults import LARGEST_SEED
from jaxnet.errors import DataError, UsageError, require_integer, require_number
from jaxnet.progress import Track, silent

# Beside the seed, so that the draw differs from that of a test set with the same seed.
STREAM = 1


def hold_out_validation(
    dataset: Dataset, share: float, seed: int = 0, *, track: Track = silent
) -> Dataset:
    """Divide the training set of a data set into training and validation.

    Of each class about the same share is drawn by the seed. Pictures of one group (`Split.groups`)
    and duplicates stay together, since a network knows the copy of what it was trained on.

    Args:
        dataset: The pictures, without a validation set.
        share: Of the training pictures, between 0 and 1.
        seed: The seed of the draw.
        track: Reports the progress of the search for duplicates.

    Raises:
        DataError: If a class would be left out on either side.
        UsageError: If an argument is out of its range, or there is a validation set already.
    """
    check_dataset(dataset)
    return divide_training(dataset, share, seed, find_pairs(dataset, track=track))[0]


def divide_training(
    dataset: Dataset, share: float, seed: int, pairs: Iterable[Pair]
) -> tuple[Dataset, tuple[Pair, ...]]:
    """Do what `hold_out_validation` does; return the result, and its duplicates.

    Args:
        dataset: The pictures, which are checked.
        share: Of the training pictures.
        seed: The seed of the draw.
        pairs: Their duplicates, as `find_pairs` returns them.
    """
    pairs = tuple(pairs)
    require_number("share", share, 0, 1)
    require_integer("seed", seed, 0, LARGEST_SEED)
    if dataset.validation is not None:
        raise UsageError(
            f"{dataset.source} has a validation set of {len(dataset.validation.labels):,} pictures",
            "its own validation set, or a share of its training set",
            "leave the share out",
        )
    labels = dataset.train.labels
    _require_share(labels, dataset.classes, share)
    held_out = draw_held_out(labels, (seed, STREAM), number_together(dataset.train, pairs), share)
    for which in (held_out, ~held_out):
        missing = set(range(2)) - set(labels[which].tolist())
        if missing:
            name = dataset.classes[missing.pop()]
            raise DataError(
                f'the pictures of "{name}" are so few groups of pictures that belong together, or '
                "of duplicates, that none is left on one side",
                "pictures of both classes in training and in validation",
                "give another share, or groups of fewer pictures",
            )
    train, validation = (dataset.train.take(which) for which in (~held_out, held_out))
    divided = dataclasses.replace(dataset, train=train, validation=validation)
    return divided, _divide_pairs(pairs, held_out)


def _divide_pairs(pairs: Iterable[Pair], held_out: np.ndarray) -> tuple[Pair, ...]:
    """Compute the duplicates after a division, as `find_pairs` would find them.

    Args:
        pairs: Those before it.
        held_out: Which training pictures became validation, (m,).
    """
    numbers = np.where(held_out, np.cumsum(held_out), np.cumsum(~held_out)) - 1

    def moved(place: Place) -> Place:
        if place.split != "train":
            return place
        split = "validation" if held_out[place.number] else "train"
        return Place(split, int(numbers[place.number]))

    order = ("train", "validation", "test")
    renamed = (pair._replace(first=moved(pair.first), second=moved(pair.second)) for pair in pairs)
    places = sorted(renamed, key=lambda pair: [(order.index(p.split), p.number) for p in pair[:2]])
    return tuple(places)


def _require_share(labels: np.ndarray, classes: tuple[str, str], share: float) -> None:
    """Raise a DataError if the share of a class is none of its pictures, or all."""
    for label, name in enumerate(classes):
        count = int((labels == label).sum())
        taken = round(share * count)
        if not 0 < taken < count:
            raise DataError(
                f'a share of {share:g} of the {count:,} training pictures of "{name}" is '
                f"{'none' if not taken else 'all'} of them",
                "pictures of both classes in training and in validation",
                "give another share, or add pictures",
            )
