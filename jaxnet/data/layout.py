"""Decide what the folders of a data set mean, from their names alone: the splits and the classes.

A folder without sub-folders is divided by the names of its files, if they begin with the class.
docs/own-pictures.md has the table of these decisions.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jaxnet.data.flat import Files, classes_of_files
from jaxnet.data.split_names import SPLIT_NAMES, plain, split_of
from jaxnet.data.tree import Parts
from jaxnet.errors import DataError, UsageError

EXPECTED = "at least two sub-folders with pictures, one for each class, such as cat/ and other/"

# Names of folders that may hold what belongs to no class.
NO_CLASS = (
    *("misc", "miscellaneous", "nolabel", "nolabels", "todo", "tosort", "unannotated"),
    *("unclassified", "unknown", "unlabeled", "unlabelled", "unsorted", "unsup"),
)


class Layout(NamedTuple):
    """What the files of a folder are.

    Attributes:
        splits: By "train", "validation", "test": the files of each class.
        beside: The files outside the folders of the classes.
        named: Whether folders name the splits; otherwise all files are in "train".
    """

    splits: dict[str, Files]
    beside: list[Parts]
    named: bool


class _Node(NamedTuple):
    files: list[Parts]
    folders: "dict[str, _Node]"


def interpret(
    files: Sequence[Parts],
    path: str,
    name: str = "",
    positive: str | None = None,
    least: int = 2,
) -> Layout:
    """Decide which files are of which split and which class.

    Args:
        files: The picture files, by the names on the way from the folder.
        path: The folder, for messages.
        name: Its name: a folder in it that has the same name is doubled.
        positive: The class of label 1. A folder of this name is a class, whatever else it means.
        least: The least number of classes of the training set.

    Raises:
        DataError: If there are fewer classes.
        UsageError: If the names have two meanings; the message gives both.
    """
    node, beside = _build(files), list[Parts]()
    while (only := _wrapper(node, name, positive)) is not None:
        beside += node.files
        node, path, name = node.folders[only], f"{path}/{only}", only
    flat = _flat(node, path, positive, least)
    if flat is not None:
        _require_meant(flat, path, positive)
        return Layout({"train": flat}, beside, named=False)
    _require_folders(node, path)
    if not _is_class(positive, node):
        if any(split_of(folder) for folder in node.folders):
            return _splits_above(node, path, beside, positive, least)
        if len(node.folders) >= least and any(
            split_of(inner) for folder in node.folders.values() for inner in folder.folders
        ):
            return _splits_below(node, path, beside, positive)
    _require_classes(node, path, least)
    _require_meant(node.folders, path, positive)
    beside += node.files
    return Layout({"train": _classes(node)}, beside, named=False)


def _build(files: Sequence[Parts]) -> _Node:
    root = _Node([], {})
    for file in sorted(files):
        node = root
        for name in file[:-1]:
            node = node.folders.setdefault(name, _Node([], {}))
        node.files.append(file)
    return root


def _all(node: _Node) -> list[Parts]:
    """List the files of a folder at any depth, sorted."""
    found, waiting = list[Parts](), [node]
    while waiting:
        inner = waiting.pop()
        found += inner.files
        waiting += inner.folders.values()
    return sorted(found)


def _classes(node: _Node) -> Files:
    return {name: _all(folder) for name, folder in sorted(node.folders.items())}


def _flat(node: _Node, path: str, positive: str | None, least: int = 2) -> Files | None:
    """Divide the files of a folder without sub-folders by the classes in their names, if any."""
    return None if node.folders else classes_of_files(node.files, path, positive, least)


def _require_meant(classes: Iterable[str], path: str, positive: str | None) -> None:
    """Raise a UsageError if a folder beside two classes may be none, and nothing says that it is.

    A positive class that is given says so: all others are its negatives.
    """
    names = list(classes)
    odd = next((name for name in names if plain(name) in NO_CLASS), None)
    if positive is not None or odd is None or len(names) < 3:
        return
    rest = [name for name in names if name != odd]
    likely = next((name for name in rest if name.casefold() in ("cat", "cats")), rest[-1])
    raise UsageError(
        f"{path} has the classes {', '.join(names)}",
        f"either {odd} is no class, and no part of the data; or it is a class like the others",
        f'move {odd} out of {path}; or name the positive class, as in positive="{likely}", and '
        f"{odd} is one of those that are not",
    )


def _is_class(positive: str | None, node: _Node) -> bool:
    """Return whether the folder of a split's name is a class, because it is the positive one."""
    return (
        positive in node.folders
        and split_of(positive) is not None
        and not any(positive in folder.folders for folder in node.folders.values())
    )


def _wrapper(node: _Node, last: str, positive: str | None) -> str | None:
    """Return the only folder, if it wraps the data set: if it is doubled, or holds the splits."""
    if len(node.folders) != 1:
        return None
    ((name, inner),) = node.folders.items()
    if name == positive or not (inner.folders or _flat(inner, name, positive)):
        return None
    if name.casefold() == last.casefold():
        return name
    if split_of(name) is not None:
        return name if split_of(name) == split_of(last) else None
    while not any(
        split_of(n) and (folder.folders or _flat(folder, n, positive))
        for n, folder in inner.folders.items()
    ):
        if len(inner.folders) != 1:
            return None
        (inner,) = inner.folders.values()
    return name


def _require_folders(node: _Node, path: str) -> None:
    if node.folders:
        return
    loose = len(node.files)
    only = f", only {loose} picture file{'' if loose == 1 else 's'} of its own" if loose else ""
    raise DataError(
        f"{path} has no sub-folder with pictures{only}",
        EXPECTED,
        "move the pictures into one sub-folder for each class" if loose else "check the path",
    )


def _require_classes(node: _Node, path: str, least: int) -> None:
    """Raise a DataError if a folder has fewer classes; one with sub-folders may be a wrapper."""
    if len(node.folders) >= least:
        return
    ((name, folder),) = node.folders.items()
    inner = ", ".join(sorted(folder.folders or _flat(folder, f"{path}/{name}", None) or ()))
    if not inner:
        raise DataError(
            f"{path} contains only one class, {name}",
            EXPECTED,
            "add a sub-folder with pictures of another class",
        )
    raise DataError(
        f"{path} contains only one class, {name}, "
        + (f"with the sub-folders {inner}" if folder.folders else f"with pictures named {inner}"),
        f"either {name} is a class, and another class is missing; or the classes are {inner}",
        f'add a sub-folder with pictures of another class; or give data="{path}/{name}"',
    )


def _splits_above(
    node: _Node, path: str, beside: list[Parts], positive: str | None, least: int
) -> Layout:
    """Read train/cat, train/dog, test/cat, test/dog."""
    _require_clear(list(node.folders), path)
    beside += node.files
    splits: dict[str, Files] = {}
    for name in _splits_first(node.folders):
        folder, split, where = node.folders[name], str(split_of(name)), f"{path}/{name}"
        while (doubled := _doubled(folder, split, positive)) is not None:
            beside += folder.files
            folder, where = folder.folders[doubled], f"{where}/{doubled}"
        flat = _flat(folder, where, positive, least if split == "train" else 1)
        if flat is not None:
            _require_meant(flat, where, positive)
            splits[split] = flat
            continue
        if not folder.folders:
            raise UsageError(
                f"{where} holds pictures, but no sub-folders",
                f"either {name} is a split with a sub-folder for each class; or it is a class",
                f'make a sub-folder for each class; or give positive="{name}" if it is a class',
            )
        odd = next((inner for inner in folder.folders if split_of(inner)), None)
        if odd is not None and positive not in folder.folders:
            raise UsageError(
                f"{where} has the sub-folders {', '.join(folder.folders)}",
                f"either {odd} is a split; or it is a class of {name}",
                f'move {odd} beside {name}; or give positive="{odd}" if it is a class',
            )
        _require_classes(folder, where, least if split == "train" else 1)
        _require_meant(folder.folders, where, positive)
        beside += folder.files
        splits[split] = _classes(folder)
    return _checked(splits, beside, path)


def _doubled(folder: _Node, split: str, positive: str | None) -> str | None:
    """Return the only folder of a split's folder, if it means the same split: train/training."""
    if len(folder.folders) != 1:
        return None
    ((name, inner),) = folder.folders.items()
    return name if inner.folders and split_of(name) == split and name != positive else None


def _splits_first(names: Iterable[str]) -> list[str]:
    """Sort names: those of train, of validation, of test; then the others, by the alphabet."""
    order = [*SPLIT_NAMES, None]
    return sorted(names, key=lambda name: (order.index(split_of(name)), name))


def _require_clear(names: list[str], path: str) -> None:
    """Raise a UsageError unless every folder is another split, and one is the training set."""
    folders: dict[str, list[str]] = {}
    for name in _splits_first(names):
        folders.setdefault(split_of(name) or "", []).append(name)
    others = folders.pop("", [])
    splits = [name for same in folders.values() for name in same]
    remedies = [f'{split}="{path}/{same[0]}"' for split, same in folders.items() if split == "test"]
    twice = next((split for split, same in folders.items() if len(same) > 1), None)
    if twice is not None:
        first = f"{' and '.join(folders[twice])} are one split, {twice}"
        remedy = "put their pictures into one folder"
    elif "train" not in folders:
        first = f"{_split_or_splits(splits)}, and " + (
            f"the classes of the training set are {', '.join(others)}"
            if others
            else "the training set is missing"
        )
        remedy = (
            f"give {remedies[0]}"
            if others and remedies and len(splits) == 1
            else "put the training set into a folder train"
        )
    elif others:
        first = f"{_split_or_splits(splits)}, and {', '.join(others)} is no part of the data"
        remedy = "give " + ", ".join([f'data="{path}/{folders["train"][0]}"', *remedies])
    else:
        return
    raise UsageError(
        f"{path} has the sub-folders {', '.join(names)}",
        f"either {first}; or each of them is a class",
        f'{remedy}; or give positive="{splits[0]}", or rename {splits[0]}, if it is a class',
    )


def _split_or_splits(names: list[str]) -> str:
    return f"{' and '.join(names)} {'is a split' if len(names) == 1 else 'are splits'}"


def _splits_below(node: _Node, path: str, beside: list[Parts], positive: str | None) -> Layout:
    """Read cat/train, cat/test, dog/train, dog/test."""
    _require_meant(node.folders, path, positive)
    beside += node.files
    splits: dict[str, Files] = {}
    for name, folder in sorted(node.folders.items()):
        meant = [split_of(inner) for inner in folder.folders]
        clear = "train" in meant and None not in meant and len(set(meant)) == len(meant)
        if folder.files or not clear:
            odd = _splits_first({n for c in node.folders.values() for n in c.folders})[0]
            raise _unclear_class(f"{path}/{name}", folder, odd)
        for inner, files in folder.folders.items():
            splits.setdefault(str(split_of(inner)), {})[name] = _all(files)
    return _checked(splits, beside, path)


def _unclear_class(where: str, folder: _Node, odd: str) -> UsageError:
    """Make the error for a class without clear splits, while a class has a sub-folder `odd`."""
    inner = f"the sub-folders {', '.join(folder.folders)}" if folder.folders else "no sub-folders"
    loose = len(folder.files)
    own = f" and {loose} picture{'' if loose == 1 else 's'} of its own" if loose else ""
    other = "" if odd in folder.folders else f", while another class has a sub-folder {odd}"
    return UsageError(
        f"{where} has {inner}{own}{other}",
        f"either {odd} is a split, and each class has a folder train and no pictures outside its "
        f"splits; or {odd} is a part of its class",
        "put all pictures of every class into train, validation and test; or rename "
        f"{odd}, if it is a part of its class",
    )


def _checked(splits: dict[str, Files], beside: list[Parts], path: str) -> Layout:
    """Return the layout in the usual order; every class must be one of the training set."""
    for split, classes in splits.items():
        require_known(classes, splits["train"], f"the {split} split of {path}")
    return Layout({split: splits[split] for split in SPLIT_NAMES if split in splits}, beside, True)


def require_known(classes: Files, train: Files, where: str) -> None:
    """Raise a DataError unless every class is one of the training set."""
    if not classes.keys() <= train.keys():
        raise DataError(
            f"{where} contains the classes {', '.join(classes)}",
            f"the classes of the training set: {', '.join(train)}",
            "give the sub-folders of both splits the same names",
        )
