"""Classes from the names of files: cat.0.jpg, cat_001.jpg, dog-12.png."""

import re
from collections.abc import Sequence

from jaxnet.data.split_names import plain, split_of
from jaxnet.data.tree import ENDING, Parts
from jaxnet.errors import UsageError

# A class and a number, with or without something between them: great_pyrenees_12, cat (3), cat7.
_NUMBERED = re.compile(r"(?P<name>.*[^\W\d_])[\s._-]*(?:\d+|\(\d+\))")

# What cameras, telephones and programs begin the names of all their pictures with.
_NO_CLASSES = (
    *("at", "cap", "capture", "crop", "dcim", "dsc", "dscf", "dscn", "download", "file", "foto"),
    *("frame", "gopr", "im", "image", "images", "img", "imgp", "mvi", "p", "page", "photo", "pic"),
    *("picture", "pxl", "scan", "screen", "screenshot", "shot", "untitled", "vid", "whatsapp"),
)

Files = dict[str, list[Parts]]  # by the name of the class


def classes_of_files(
    files: Sequence[Parts], path: str, positive: str | None, least: int
) -> Files | None:
    """Divide the files of a folder by the classes that their names begin with.

    Args:
        files: The picture files.
        path: The folder, for messages.
        positive: The class of label 1, which is a class even if its name is that of a split.
        least: The least number of classes.

    Returns:
        The classes; None if the names do not begin with so many.

    Raises:
        UsageError: If only some names do, two are spelt alike, or one is the name of a split.
    """
    classes = _divide(files)
    others = classes.pop("", [])
    if len(classes) < (2 if others else least):
        return None
    listed, found = ", ".join(classes), f"the names of the pictures in {path} begin with "
    if others:
        raise UsageError(
            f"{found}{listed}, but {len(others)} of {len(files)} do not, "
            f"as {others[0][-1]} does not",
            f"either the classes are {listed}, and the others are no part of the data; or the "
            "names do not begin with classes",
            "move the others away; or make a sub-folder for each class",
        )
    split = next((name for name in classes if split_of(name) and name != positive), None)
    if split is not None:
        raise UsageError(
            f"{found}{listed}",
            f"either {split} is a split, with a folder for its pictures; or it is a class",
            f'make a folder {split}; or give positive="{split}" if it is a class',
        )
    alike = [name for name in classes if sum(plain(name) == plain(n) for n in classes) > 1]
    if alike:
        raise UsageError(
            f"{found}{listed}",
            f"either {' and '.join(alike)} are one class; or each of them is a class",
            "rename the pictures of one of them; or make a sub-folder for each class",
        )
    return classes


def _divide(files: Sequence[Parts]) -> Files:
    """Divide files by the class that their names begin with, sorted.

    Files whose names are not a class and a number, and those that a camera named, are under "".
    """
    found: Files = {}
    for file in sorted(files):
        stem, dot, ending = file[-1].rpartition(".")
        match = _NUMBERED.fullmatch(stem if ENDING.fullmatch(dot + ending) else file[-1])
        name = match["name"] if match else ""
        if all(word in _NO_CLASSES for word in re.findall(r"[^\W\d_]+", name.casefold())):
            name = ""
        found.setdefault(name, []).append(file)
    return dict(sorted(found.items()))
