"""The data set: images and labels of its splits, and two class names."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxnet.arrays import check_labels
from jaxnet.data.source import DataSource
from jaxnet.display import shown
from jaxnet.errors import DataError, UsageError

JOINED_SHOWN = 6  # the most classes that the description of a data set names


@shown
class Split(NamedTuple):
    """Pictures with their labels.

    Attributes:
        images: (m, h, w, 3) uint8, RGB.
        labels: (m,) of 0 and 1; 1 is the positive class.
        groups: (m,) texts, or None. Pictures of one group, as of one animal, patient or burst, are
            no independent examples: whoever divides them keeps a group on one side.
    """

    images: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None

    def take(self, which: np.ndarray) -> "Split":
        """Return the pictures at these indices, or where a mask (m,) is true."""
        groups = None if self.groups is None else self.groups[which]
        return Split(self.images[which], self.labels[which], groups)


@dataclasses.dataclass(frozen=True)
class PassedOver:
    """Files of one kind that a folder holds or a table lists, and that are not read.

    Attributes:
        kind: What they are, as in "links that lead nowhere"; or their ending, as in ".heic".
        count: Their number.
        example: The path of the first one, from the folder of the data set or as the table has it.
        line: The kind and the number in words, with the example.
    """

    kind: str
    count: int
    example: str
    line: str

    def __str__(self) -> str:
        return self.line


@shown
@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A two-class picture data set.

    Attributes:
        train: The training set.
        test: The test set, or None.
        classes: The names of label 0 and of label 1, the positive class.
        source: A description of its origin.
        skipped: One line for each omission on request: an unreadable file, or the leaks.
        data_source: The options of `load_dataset`; None if it was made otherwise.
        leaks_excluded: The number of test pictures left out as duplicates of training pictures.
        validation: The validation set, or None. It is never used as the test set.
        passed_over: The files of a folder or table that are not read, by kind.
    """

    train: Split
    test: Split | None
    classes: tuple[str, str]
    source: str = ""
    skipped: tuple[str, ...] = ()
    data_source: DataSource | None = None
    leaks_excluded: int = 0
    validation: Split | None = None
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the classes and of every split's shape, pixels and labels."""
        return self._fingerprints[-1]

    @property
    def train_sha256(self) -> str:
        """The SHA-256 of the classes and the training set's shape, pixels and labels."""
        return self._fingerprints[0]

    @functools.cached_property
    def _fingerprints(self) -> list[str]:
        return _fingerprints(self.classes, self.splits)

    @property
    def splits(self) -> dict[str, Split]:
        """The splits by name: "train", and "validation" and "test" if they exist."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in splits.items() if split is not None}


def check_images(shape: tuple[int, ...], dtype: np.dtype, where: str) -> None:
    """Raise a DataError unless an array of this shape and dtype holds RGB pictures.

    It takes no array, so that the shape in a file is checked before memory is allocated for it.
    """
    if 0 in shape:
        raise DataError(f"{where} has shape {shape}", "at least one picture", "add pictures")
    if dtype != np.uint8 or len(shape) != 4 or shape[-1] != 3:
        raise DataError(
            f"{where} has shape {shape} and type {dtype}",
            "pictures of shape (m, height, width, 3), RGB, of type uint8 (0 to 255)",
            "convert them first, for example (255 * images).round().astype('uint8') "
            "for floats in [0, 1], or images[..., None].repeat(3, axis=-1) for grey pictures",
        )


def check_dataset(dataset: Dataset) -> Dataset:
    """Return `dataset`, or raise a DataError if a network cannot be trained and tested on it.

    Both classes must occur in the training split, and all splits must have one picture size.
    """
    for name, split in dataset.splits.items():
        check_images(split.images.shape, split.images.dtype, f"the {name} split")
        check_labels(split.labels, len(split.images), f"the {name} split")
        if split.groups is not None and np.shape(split.groups) != split.labels.shape:
            raise DataError(
                f"the {name} split has groups of shape {np.shape(split.groups)}",
                f"one group for each picture, shape {split.labels.shape}",
                "give each picture its group, or none at all: groups=None",
            )
    check_both_classes(dataset.train.labels, dataset.classes)
    sizes = {name: split.images.shape[1:3] for name, split in dataset.splits.items()}
    other = next((name for name in sizes if sizes[name] != sizes["train"]), None)
    if other is not None:
        (train_h, train_w), (h, w) = sizes["train"], sizes[other]
        raise DataError(
            f"training pictures are {train_h} × {train_w}, {other} pictures {h} × {w}",
            "one size for both",
            "give a size that both are resized to: load_dataset(…, size=64)",
        )
    return dataset


def check_both_classes(labels: np.ndarray, classes: tuple[str, str]) -> None:
    """Raise a DataError unless both classes occur in the labels (m,) of the training split."""
    present = np.unique(labels)
    if len(present) < 2:
        raise DataError(
            f'every training picture is "{classes[present[0]]}"',
            "pictures of both classes in the training split",
            f'add pictures of "{classes[1 - present[0]]}"',
        )


def choose_positive(names: Sequence[str], positive: str | None, source: str) -> str:
    """Return the class of label 1: `positive`, or the default class.

    The default is the only class named cat or cats; without such a class, the second of two. A
    class that has no name but a number, "class 3", may be given as "3".

    Raises:
        UsageError: If no class is named `positive`, or it is None and no default applies.
    """
    cats = [name for name in names if name.casefold() in ("cat", "cats")]
    if positive is None and len(cats) == 1:
        return cats[0]
    if positive is None and len(names) == 2:
        return names[1]
    if positive not in names and f"class {positive}" in names:
        return f"class {positive}"
    if positive is None or positive not in names:
        which = f"{len(cats)} of them are" if cats else "none of them is"
        raise UsageError(
            f'{source} has no class "{positive}"'
            if positive is not None
            else f"{source} has {len(names)} classes, and {which} named cat or cats",
            "one of " + ", ".join(f'"{name}"' for name in names),
            "name the positive class: load_dataset(…, positive=…)",
        )
    return positive


def two_classes(names: Sequence[str], positive: str | None, source: str) -> tuple[str, str]:
    """Return the names of label 0 and of label 1, as `choose_positive` chooses it.

    Of more than two classes, all that are not positive become one, "not cat".
    """
    positive = choose_positive(names, positive, source)
    others = [name for name in names if name != positive]
    return (others[0] if len(others) == 1 else f"not {positive}"), positive


def describe_joined(names: Sequence[str], classes: tuple[str, str]) -> str:
    """Say for a data set's description which classes `two_classes` made one, if it did."""
    others = [name for name in names if name != classes[1]]
    if len(others) < 2:
        return ""
    more = f" and {len(others) - JOINED_SHOWN} more" if len(others) > JOINED_SHOWN else ""
    return f', "{classes[0]}" is {", ".join(others[:JOINED_SHOWN])}{more}'


def with_positive(dataset: Dataset, positive: str | None) -> Dataset:
    """Return `dataset`, its labels swapped if `choose_positive` chooses the class of label 0."""
    if choose_positive(dataset.classes, positive, dataset.source) == dataset.classes[1]:
        return dataset
    negative, positive = dataset.classes
    return map_splits(
        dataclasses.replace(dataset, classes=(positive, negative)),
        lambda split: split._replace(labels=1 - split.labels),
    )


def map_splits(dataset: Dataset, change: Callable[[Split], Split]) -> Dataset:
    """Return `dataset` with `change` applied to each existing split."""
    changed: dict[str, Any] = {name: change(split) for name, split in dataset.splits.items()}
    return dataclasses.replace(dataset, **changed)


def _fingerprints(classes: tuple[str, str], splits: dict[str, Split]) -> list[str]:
    """Compute the SHA-256 of the classes and the first split, of the first two, and so on."""
    digest, fingerprints = hashlib.sha256(repr(classes).encode()), []
    for name, split in splits.items():
        digest.update(f"{name} {split.images.shape}".encode())
        digest.update(np.ascontiguousarray(split.images).data)
        digest.update(split.labels.astype(np.uint8).data)
        fingerprints.append(digest.hexdigest())
    return fingerprints
