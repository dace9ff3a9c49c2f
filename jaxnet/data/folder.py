"""Read folders of pictures: one sub-folder per class, below or above the folders of the splits."""

import os
from collections.abc import Iterable
from pathlib import Path

from jaxnet.data.dataset import Dataset
from jaxnet.data.flat import Files
from jaxnet.data.layout import Layout, interpret, require_known
from jaxnet.data.listed import Entry, Listing, read_listing
from jaxnet.data.passed_over import Found, add, count, readable
from jaxnet.data.tree import BESIDE, REPLACED, Parts, look
from jaxnet.defaults import SIDE
from jaxnet.errors import DataError, UsageError
from jaxnet.io.files import require_path
from jaxnet.progress import Track, silent

Paths = dict[str, list[Path]]  # the paths of pictures, by the name of the class


def read_folder(
    path: Path,
    test: Path | None = None,
    *,
    positive: str | None = None,
    size: int = SIDE,
    data_seed: int = 0,
    skip_bad: bool = False,
    track: Track = silent,
    strict: bool = False,
) -> Dataset:
    """Read a data set from a folder of pictures.

    The names of its folders decide what they are, as `interpret` says. If none names a split, and
    without `test`, a random fifth of each class becomes the test split.

    Args:
        path: The folder.
        test: The folder of the test split, if it is elsewhere.
        positive: The class of label 1; all other classes have label 0.
        size: Every picture is resized to size × size pixels.
        data_seed: The seed of a random test split.
        skip_bad: Leave out pictures that cannot be read, instead of raising an error.
        track: Reports the progress.
        strict: Raise an error if any file is passed over.

    Raises:
        DataError: If a folder has no pictures, fewer than two classes, other classes than the
            training split, or a picture that cannot be read; with `strict`, if a file is passed
            over.
        UsageError: If the positive class is missing or ambiguous, or a folder has two meanings.
    """
    listing = list_folder(path, test, positive)
    return read_listing(
        listing, positive, size, data_seed, skip_bad=skip_bad, strict=strict, track=track
    )


def list_folder(path: Path, test: Path | None, positive: str | None) -> Listing:
    """List the pictures of a folder; the arguments and the errors are those of `read_folder`."""
    if test is not None:
        require_path(test)
        if not test.is_dir():
            raise DataError(f"{test} is a file", f"a folder, like {path}", "give the test folder")
    found: Found = {}
    splits, named = _find_splits(path, test, positive, found)
    entries = {
        split: [Entry(file, name) for name in files for file in files[name]]
        for split, files in splits.items()
    }
    return Listing(str(path), list(splits["train"]), entries, named, count(found))


def _find_splits(
    path: Path, test: Path | None, positive: str | None, found: Found
) -> tuple[dict[str, Paths], bool]:
    """List the pictures of each split and class, and whether the splits are fixed.

    What is passed over is added to `found`.
    """
    layout = _look_and_interpret(path, "", positive, found, without=test)
    splits = {split: _located(path, files) for split, files in layout.splits.items()}
    if test is not None:
        own = _look_and_interpret(test, f"{test.name}/", positive, found, least=1)
        if own.named and "test" not in own.splits:
            raise UsageError(
                f"{test} contains the splits {', '.join(own.splits)}",
                "a folder of the test split, with one sub-folder for each class",
                "give the folder of one split",
            )
        files = own.splits.pop("test" if own.named else "train")
        require_known(files, layout.splits["train"], str(test))
        for prefix, unused in (
            (f"{test.name}/", own.splits),
            ("", {"test": layout.splits.get("test", {})}),
        ):
            for classes in unused.values():
                for members in classes.values():
                    add(found, REPLACED, _joined(prefix, members))
        splits["test"] = _located(test, files)
    names = _printable([name for files in splits.values() for name in files])
    renamed = {
        split: {names[name]: paths for name, paths in files.items()}
        for split, files in splits.items()
    }
    return renamed, layout.named or test is not None


def _look_and_interpret(
    path: Path,
    prefix: str,
    positive: str | None,
    found: Found,
    *,
    least: int = 2,
    without: Path | None = None,
) -> Layout:
    tree = look(path, without)
    for kind, files in tree.passed_over.items():
        add(found, kind, _joined(prefix, files))
    name = os.path.basename(os.path.abspath(path))
    try:
        layout = interpret(tree.pictures, str(path), name, positive, least)
    except DataError as error:
        lines = "; ".join(map(str, count(found)))
        if not lines:
            raise
        raise DataError(
            f"{error.found}; passed over: {lines}", error.expected, error.remedy
        ) from error
    add(found, BESIDE, _joined(prefix, layout.beside))
    return layout


def _joined(prefix: str, files: Iterable[Parts]) -> list[str]:
    return [prefix + "/".join(file) for file in files]


def _located(folder: Path, files: Files) -> Paths:
    return {name: [folder.joinpath(*file) for file in files[name]] for name in files}


def _printable(names: list[str]) -> dict[str, str]:
    """Return a printable name for each class; two that look alike are numbered."""
    shown: dict[str, str] = {}
    for name in dict.fromkeys(names):
        text, number = readable(name), 2
        while text in shown.values():
            text, number = f"{readable(name)} ({number})", number + 1
        shown[name] = text
    return shown
