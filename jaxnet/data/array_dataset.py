"""A data set from files of arrays whose names are those of MedMNIST, Keras, or X and y."""

import numpy as np

from jaxnet.data.array_file import ArrayFile, read_images
from jaxnet.data.array_names import CLASSES, UNNAMED, Names, find_names
from jaxnet.data.dataset import Dataset, Split, describe_joined, two_classes
from jaxnet.data.hold_out import TEST_SHARE, hold_out
from jaxnet.data.labels import name_labels, read_labels
from jaxnet.errors import DataError

Placed = dict[str, tuple[ArrayFile, Names]]  # by split: the file, and the names of its two arrays


def read_array_dataset(
    file: ArrayFile,
    test: ArrayFile | None = None,
    *,
    positive: str | None = None,
    layout: str | None = None,
    seed: int = 0,
) -> Dataset:
    """Read a data set from arrays of pictures and labels, with the names of a known convention.

    Where the names say no split and `test` is not given, a random fifth of each class becomes the
    test split.

    Args:
        file: The file.
        test: The file of the test split, if it is another one.
        positive: The class of label 1; all other classes have label 0.
        layout: The axes of the pictures, if they are not those that are read without it.
        seed: The seed of a random test split.

    Raises:
        DataError: If an array is missing or holds something else.
        UsageError: If the positive class or the layout is missing or does not fit.
    """
    placed, named = _place(file, test)
    source = str(file.path) + ("" if test is None else f" and {test.path.name}")
    labels = {split: read_labels(f, names.labels) for split, (f, names) in placed.items()}
    images = _read_pictures(placed, labels, layout)
    names, classes_of = name_labels(labels, source, _class_names(file))
    classes = two_classes(names, positive, source)
    splits = {
        split: Split(images[split], np.array([int(name == classes[1]) for name in found]))
        for split, found in classes_of.items()
    }
    source += describe_joined(names, classes)
    if not named:
        splits = hold_out(splits["train"], seed)
        if "test" in splits:
            source += f", {TEST_SHARE:.0%} held out as the test split (seed {seed})"
    return Dataset(
        splits["train"],
        splits.get("test"),
        classes,
        source,
        validation=splits.get("validation"),
    )


def _place(file: ArrayFile, test: ArrayFile | None) -> tuple[Placed, bool]:
    """Find the arrays of each split, and whether the names or `test` say what the test split is."""
    found = find_names(file.arrays, str(file.path))
    named = UNNAMED not in found
    if not named:
        found["train"] = found.pop(UNNAMED)
    if "train" not in found:
        raise DataError(
            f"{file.path} holds the splits {', '.join(found)}",
            "a training set",
            "give the file with the training pictures",
        )
    placed: Placed = {split: (file, names) for split, names in found.items()}
    if test is not None:
        own = find_names(test.arrays, str(test.path))
        names = own.get("test") or own.get(UNNAMED)
        if names is None:
            raise DataError(
                f"{test.path} holds the splits {', '.join(own)}",
                "a test set",
                "give the file with the test pictures",
            )
        placed["test"] = (test, names)
    return placed, named or test is not None


def _read_pictures(
    placed: Placed, labels: dict[str, np.ndarray], layout: str | None
) -> dict[str, np.ndarray]:
    """Read the pictures of every split; the arrays of one file have one layout."""
    images: dict[str, np.ndarray] = {}
    for path in dict.fromkeys(file.path for file, _ in placed.values()):
        here = {split: pair for split, pair in placed.items() if pair[0].path == path}
        file = next(iter(here.values()))[0]
        counts = {names.images: len(labels[split]) for split, (_, names) in here.items()}
        read = read_images(file, counts, layout)
        images |= {split: read[names.images] for split, (_, names) in here.items()}
    return images


def _class_names(file: ArrayFile) -> tuple[str, ...]:
    """Read the names of the classes, if the file has them."""
    if CLASSES not in file.arrays:
        return ()
    names = read_labels(file, CLASSES)
    if len(set(names.tolist())) < len(names):
        raise DataError(
            f"two names of {CLASSES} in {file.path} are the same: {', '.join(map(str, names))}",
            "different class names",
            "rename one",
        )
    return tuple(map(str, names))
