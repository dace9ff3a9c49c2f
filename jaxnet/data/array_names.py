"""The names that arrays of pictures and labels have in files."""

from collections.abc import Iterable
from typing import NamedTuple

from jaxnet.errors import DataError

UNNAMED = ""  # the split of arrays whose names say none

# By convention: for each split, the names of its pictures and its labels, in lower case.
CONVENTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "MedMNIST": {
        "train": ("train_images", "train_labels"),
        "validation": ("val_images", "val_labels"),
        "test": ("test_images", "test_labels"),
    },
    "Keras": {
        "train": ("x_train", "y_train"),
        "validation": ("x_val", "y_val"),
        "test": ("x_test", "y_test"),
    },
    "X, y": {UNNAMED: ("x", "y")},
    "images, labels": {UNNAMED: ("images", "labels")},
}
CLASSES = "list_classes"  # the names of the classes, if the file has them


class Names(NamedTuple):
    """The names of the arrays of one split, as they are in the file."""

    images: str
    labels: str


def find_names(members: Iterable[str], path: str) -> dict[str, Names]:
    """Find the arrays of each split by their names, in any case.

    Returns:
        By "train", "validation" and "test", or by UNNAMED, what is found.

    Raises:
        DataError: If no convention fits, several do, or one array of a pair is missing.
    """
    held = sorted(members)
    spelled: dict[str, list[str]] = {}
    for name in held:
        spelled.setdefault(name.casefold(), []).append(name)
    listed = f"{path} holds the arrays {', '.join(held)}" if held else f"{path} holds no array"
    fitting = {
        convention: splits
        for convention, splits in CONVENTIONS.items()
        if any(name in spelled for pair in splits.values() for name in pair)
    }
    if not fitting:
        raise DataError(listed, describe_conventions(), "store the arrays under such names")
    if len(fitting) > 1 or any(len(names) > 1 for names in spelled.values()):
        either = "; or ".join(
            ", ".join(n for pair in splits.values() for key in pair for n in spelled.get(key, ()))
            for splits in fitting.values()
        )
        raise DataError(
            listed, f"one array a name: either {either}", "leave out those that are not meant"
        )
    ((_, splits),) = fitting.items()
    found = {}
    for split, pair in splits.items():
        here = [name for name in pair if name in spelled]
        if len(here) == 1:
            (missing,) = set(pair) - set(here)
            raise DataError(
                listed, f"{missing} beside {spelled[here[0]][0]}", f"add the array {missing}"
            )
        if here:
            found[split] = Names(*(spelled[name][0] for name in pair))
    return found


def describe_conventions() -> str:
    """List the names that are known, for messages."""
    lists = [" and ".join(next(iter(splits.values()))) for splits in CONVENTIONS.values()]
    return f"arrays of pictures and labels, named {', or '.join(lists)}"
