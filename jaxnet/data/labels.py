"""Labels as files have them, numbers or texts, become the names of classes."""

from collections.abc import Mapping, Sequence

import numpy as np

from jaxnet.data.array_file import ArrayFile, mend_by
from jaxnet.errors import DataError

SHOWN = 8  # the most labels in a message


def read_labels(file: ArrayFile, name: str) -> np.ndarray:
    """Read an array of labels, (m,) or (m, 1) of integers or texts, as (m,).

    Raises:
        DataError: If it has another shape or type, with the line of Python that mends it.
    """
    shape, dtype, *_ = file.arrays[name]
    found = f"{name} in {file.path} has shape {shape} and type {dtype}"
    expected = "one integer or text for each picture, of shape (m,)"
    labels = file.arrays[name].read()
    if labels.ndim == 0 or labels.size != max(labels.shape):
        line = file.mend(name, "{}.argmax(axis=1)")
        one_hot = labels.ndim == 2 and labels.dtype.kind in "biuf"
        one_hot = one_hot and bool(((labels != 0).sum(1) == 1).all())
        raise DataError(
            found,
            expected,
            mend_by(line)
            if one_hot
            else "store the number or the name of the class of each picture",
        )
    labels = labels.reshape(-1)
    if labels.dtype.kind == "f" and (labels == np.round(labels)).all():
        line = file.mend(name, '{}.astype("int64")')
        raise DataError(found, expected, mend_by(line))
    if labels.dtype.kind in "OS":
        return as_texts(labels)
    if labels.dtype.kind not in "biuU":
        raise DataError(found, expected, "store the labels as integers or texts")
    return labels.astype(np.int64) if labels.dtype.kind in "biu" else labels


def as_texts(values: np.ndarray) -> np.ndarray:
    """Return texts or bytes (m,) as texts (m,)."""
    return np.array(
        [str(x, "utf-8", "replace") if isinstance(x, bytes) else str(x) for x in values], np.str_
    )


def name_labels(
    labels: Mapping[str, Sequence[str] | np.ndarray],
    source: str,
    names: Sequence[str] = (),
) -> tuple[list[str], dict[str, list[str]]]:
    """Name the class of every picture.

    Args:
        labels: Of each split, integers or texts (m,). Texts that are all integers count as such.
        source: Where they are from, for messages.
        names: The names of class 0, 1, …, if they are known; otherwise a class of a number is
            called "class 3".

    Returns:
        The classes of the training set, in the order of the numbers or texts; and the name of the
        class of each picture of each split.

    Raises:
        DataError: If the training set has fewer than two classes, or lacks one of another split.
    """
    texts = {split: [str(value).strip() for value in values] for split, values in labels.items()}
    values = {value for split in texts.values() for value in split}
    numbers = all(value.removeprefix("-").isdecimal() for value in values)
    called = {value: f"class {int(value)}" if numbers else value for value in values}
    if len(names) > 0:
        called |= {str(number): name for number, name in enumerate(names)}
        odd = sorted(values - {str(number) for number in range(len(names))})
        if odd:
            raise DataError(
                f"{source} has {len(names)} names of classes and the labels {_listed(odd)}",
                f"the labels 0 to {len(names) - 1}",
                "add the missing names, or correct the labels",
            )
    ordered = sorted(values, key=int) if numbers else sorted(values)
    classes = list(dict.fromkeys(called[value] for value in ordered if value in texts["train"]))
    if len(classes) < 2:
        raise DataError(
            f"every training picture in {source} is of one class, {_listed(classes)}",
            "pictures of two classes at least",
            "add pictures of another class",
        )
    named = {
        split: [called[value] for value in split_texts] for split, split_texts in texts.items()
    }
    for split, found in named.items():
        unknown = sorted(set(found) - set(classes))
        if unknown:
            raise DataError(
                f"the {split} split of {source} has the classes {_listed(unknown)}, too",
                f"the classes of the training set: {_listed(classes)}",
                "leave these pictures out, or add such pictures to the training set",
            )
    return classes, named


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
