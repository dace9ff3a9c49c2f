"""Look at a folder and everything below it: which files are pictures, and what is passed over."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jaxnet.data.pictures import is_picture, picture_suffixes
from jaxnet.io.names import CLAIM_NAME, MODEL_NAME, RUNS_NAME, SWEEP_NAME

Parts = tuple[str, ...]  # the names on the way from the folder that is looked at to a file in it

# What makes a folder one of jaxnet's own: a claimed run, a model, a sweep. Its pictures are plots.
OWN_FILES = (CLAIM_NAME, MODEL_NAME, SWEEP_NAME)

# The files and folders of operating systems and network disks, in lower case.
SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
SYSTEM_FOLDERS = (
    "__macosx",
    "__pycache__",
    "lost+found",
    "$recycle.bin",
    "system volume information",
    "@eadir",
)

# The kinds of what is passed over. The others are endings, as in "5 .heic".
HIDDEN_FILES = "hidden files"
IN_HIDDEN = "files in hidden folders"
SYSTEM = "files of the operating system"
RUNS = "files in runs of jaxnet"
DANGLING = "links that lead nowhere"
MISSING = "files that do not exist"
FOLDERS = "folders in place of files"
LOOPS = "links that lead back to a folder above them"
NO_ENDING = "files without an ending that are no pictures"
UNLISTED = "folders that may not be opened"
DEVICES = "pipes, sockets or devices"
BESIDE = "pictures outside the folders of the classes"
BELOW = "pictures in the folders below"
REPLACED = "pictures of a test set that another one replaces"

_ONE = {
    HIDDEN_FILES: "hidden file",
    IN_HIDDEN: "file in hidden folders",
    SYSTEM: "file of the operating system",
    RUNS: "file in runs of jaxnet",
    DANGLING: "link that leads nowhere",
    MISSING: "file that does not exist",
    FOLDERS: "folder in place of a file",
    LOOPS: "link that leads back to a folder above it",
    NO_ENDING: "file without an ending that is no picture",
    UNLISTED: "folder that may not be opened",
    DEVICES: "pipe, socket or device",
    BESIDE: "picture outside the folders of the classes",
    BELOW: "picture in the folders below",
    REPLACED: "picture of a test set that another one replaces",
}

# An ending is short and has a letter: a name such as "scan 12.30" has none.
ENDING = re.compile(r"\.(?=\w*[a-z])\w{1,10}", re.IGNORECASE)

_PICTURE, _FOLDER = "picture", "folder"


class Tree(NamedTuple):
    """What lies in a folder, at any depth.

    Attributes:
        pictures: The picture files, sorted.
        passed_over: All other files, by kind; each sorted.
    """

    pictures: tuple[Parts, ...]
    passed_over: dict[str, tuple[Parts, ...]]


def count_kind(kind: str, count: int) -> str:
    """Put a count and a kind into words: "1 link that leads nowhere"."""
    return f"{count:,} {_ONE.get(kind, kind) if count == 1 else kind}"


def look(path: Path, without: Path | None = None) -> Tree:
    """List all files in a folder: its pictures, and what is passed over.

    Files are pictures by their ending, and without an ending by their content. Links are followed,
    unless they lead back to a folder above them.

    Args:
        path: The folder.
        without: A folder within it that is read by itself: it is left out.
    """
    pictures: list[Parts] = []
    passed_over: dict[str, list[Parts]] = {}
    left_out = None if without is None else _identity(without)
    suffixes = picture_suffixes()
    waiting: list[tuple[Parts, frozenset[tuple[int, int]]]] = [((), frozenset([_identity(path)]))]
    while waiting:
        parts, above = waiting.pop()
        folder = path.joinpath(*parts)
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            passed_over.setdefault(UNLISTED, []).append(parts or (".",))
            continue
        for name in names:
            here, inner = folder / name, (*parts, name)
            kind = _kind(here, above, suffixes)
            if kind == _PICTURE:
                pictures.append(inner)
            elif kind != _FOLDER:
                passed_over.setdefault(kind, []).extend(_files(here, inner))
            elif _identity(here) != left_out:
                waiting.append((inner, above | {_identity(here)}))
    return Tree(
        tuple(sorted(pictures)), {kind: tuple(sorted(passed_over[kind])) for kind in passed_over}
    )


def _kind(path: Path, above: frozenset[tuple[int, int]], suffixes: frozenset[str]) -> str:
    """Return the kind of what is at a path, below the folders `above`."""
    name, is_folder = path.name, os.path.isdir(path)
    if name.startswith("."):
        return IN_HIDDEN if is_folder else HIDDEN_FILES
    if name.casefold() in (SYSTEM_FOLDERS if is_folder else SYSTEM_FILES):
        return SYSTEM
    if is_folder:
        if _identity(path) in above or (path.is_symlink() and _leads_back(path)):
            return LOOPS
        return RUNS if is_run(path) else _FOLDER
    return kind_of_file(path, suffixes) or _PICTURE


def kind_of_file(path: Path, suffixes: frozenset[str]) -> str | None:
    """Return as what a file is passed over; None if it is a picture.

    Args:
        path: The path of a file, which need not exist.
        suffixes: The endings of pictures, from `picture_suffixes`.
    """
    if os.path.isdir(path):
        return FOLDERS
    if not os.path.isfile(path):
        if os.path.exists(path):
            return DEVICES
        return DANGLING if os.path.lexists(path) else MISSING
    suffix = path.suffix.lower()
    if suffix in suffixes:
        return None
    if ENDING.fullmatch(suffix):
        return suffix
    return None if is_picture(path) else NO_ENDING


def _identity(path: Path) -> tuple[int, int]:
    """Return what a folder has in common with a link to it."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _leads_back(link: Path) -> bool:
    """Return whether a link leads to a folder that contains it."""
    target, here = Path(os.path.realpath(link)), Path(os.path.realpath(link.parent))
    return target == here or target in here.parents


def is_run(folder: Path) -> bool:
    """Return whether a folder is a run of jaxnet's, or one that holds nothing but runs."""
    if any(os.path.lexists(folder / name) for name in OWN_FILES):
        return True
    if folder.name != RUNS_NAME or not os.access(folder, os.R_OK):
        return False
    inner = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return bool(inner) and all(is_run(path) for path in inner)


def _files(path: Path, parts: Parts) -> Iterator[Parts]:
    """List what a folder that is passed over holds, without following links; or the file itself."""
    if os.path.islink(path) or not os.path.isdir(path):
        yield parts
        return
    for folder, folders, files in os.walk(path):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in (*files, *links):
            yield (*parts, *Path(folder, name).relative_to(path).parts)
