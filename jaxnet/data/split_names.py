"""The names of splits, as folders and tables have them."""

import re

# The usual names of each split, and what may follow them: training_set, Test-Images.
SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
ENDINGS = ("", "set", "split", "data", "images")

_SPLITS = {
    name + ending: split
    for split, names in SPLIT_NAMES.items()
    for name in names
    for ending in ENDINGS
}


def split_of(name: str) -> str | None:
    """Return the split that a name means, in any case and spelling, or None."""
    return _SPLITS.get(plain(name))


def plain(name: str) -> str:
    """Return a name in lower case without spaces and punctuation, for comparison."""
    return re.sub(r"[\W_]", "", name.casefold())
