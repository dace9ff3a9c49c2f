"""Read folders of pictures: one sub-folder per class, optionally below `train/` and `test/`."""

import os
from pathlib import Path

import numpy as np

from jaxnet.data.dataset import Dataset, Split, choose_positive
from jaxnet.data.pictures import picture_suffixes, read_pictures
from jaxnet.defaults import SIDE
from jaxnet.errors import DataError
from jaxnet.io.files import require_path
from jaxnet.progress import Track, silent

TEST_SHARE = 0.2

EXPECTED = "at least two sub-folders with pictures, one for each class, such as cat/ and other/"


def read_folder(
    path: Path,
    test: Path | None = None,
    *,
    positive: str | None = None,
    size: int = SIDE,
    seed: int = 0,
    skip_bad: bool = False,
    track: Track = silent,
) -> Dataset:
    """Read a data set from a folder of pictures.

    Args:
        path: The folder. If it contains `train/`, that is the training split, and `test/` is the
            test split if it exists. Otherwise, without `test`, a random `TEST_SHARE` of each class
            becomes the test split.
        test: The folder of the test split, if it is elsewhere.
        positive: The class of label 1; all other classes have label 0.
        size: Every picture is resized to size × size pixels.
        seed: The seed of a random test split.
        skip_bad: Leave out pictures that cannot be read, instead of raising an error.
        track: Reports the progress.

    Raises:
        DataError: If a folder has no pictures, fewer than two classes, other classes than the
            training split, or a picture that cannot be read.
        UsageError: If the positive class is missing or ambiguous.
    """
    if test is not None:
        require_path(test)
        if not test.is_dir():
            raise DataError(f"{test} is a file", f"a folder, like {path}", "give the test folder")
    has_train = (path / "train").is_dir()
    train = path / "train" if has_train else path
    if test is None and has_train and (path / "test").is_dir():
        test = path / "test"

    files = _list_files(train)
    if len(files) < 2:
        raise DataError(
            f"{train} contains only one class, {next(iter(files))}",
            EXPECTED,
            "add a sub-folder with pictures of another class",
        )
    positive = choose_positive(list(files), positive, str(train))
    others = [name for name in files if name != positive]
    classes = (others[0] if len(others) == 1 else f"not {positive}", positive)

    def read(files: dict[str, list[Path]]) -> tuple[Split, list[str]]:
        paths = [file for name in files for file in files[name]]
        labels = np.array([int(name == positive) for name in files for _ in files[name]])
        images, kept, errors = read_pictures(paths, size, size, skip_bad=skip_bad, track=track)
        return Split(images, labels[kept]), [error.found for error in errors]

    split, skipped = read(files)
    source = f"{path}, {size} × {size}"
    if test is not None:
        test_files = _list_files(test)
        if not test_files.keys() <= files.keys():
            raise DataError(
                f"{test} contains the classes {', '.join(test_files)}",
                f"the classes of {train}: {', '.join(files)}",
                "give the sub-folders of both splits the same names",
            )
        test_split, test_skipped = read(test_files)
        return Dataset(split, test_split, classes, source, (*skipped, *test_skipped))
    held_out = _stratify(split.labels, seed)
    if has_train or not held_out.any():
        return Dataset(split, None, classes, source, tuple(skipped))
    return Dataset(
        Split(split.images[~held_out], split.labels[~held_out]),
        Split(split.images[held_out], split.labels[held_out]),
        classes,
        f"{source}, {TEST_SHARE:.0%} held out as the test split (seed {seed})",
        tuple(skipped),
    )


def _list_files(path: Path) -> dict[str, list[Path]]:
    """List the picture files below each sub-folder, sorted by path."""
    suffixes = picture_suffixes()
    files = {
        _readable(folder.name): sorted(
            file
            for file in folder.rglob("*")
            if file.suffix.lower() in suffixes and not file.name.startswith(".") and file.is_file()
        )
        for folder in sorted(path.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
    }
    files = {name: paths for name, paths in files.items() if paths}
    if not files:
        loose = sum(file.suffix.lower() in suffixes for file in path.iterdir())
        raise DataError(
            f"{path} has no sub-folder with pictures"
            + (
                f", only {loose} picture file{'' if loose == 1 else 's'} of its own"
                if loose
                else ""
            ),
            EXPECTED,
            "move the pictures into one sub-folder for each class" if loose else "check the path",
        )
    return files


def _readable(name: str) -> str:
    """Replace the characters of a file name that are unprintable or not valid UTF-8."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _stratify(labels: np.ndarray, seed: int) -> np.ndarray:
    """Draw the held-out examples, (m,) bool: `TEST_SHARE` of each class, but never all of it."""
    generator = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), bool)
    for label in (0, 1):
        members = generator.permutation(np.flatnonzero(labels == label))
        count = min(max(1, round(TEST_SHARE * len(members))), len(members) - 1)
        held_out[members[: max(count, 0)]] = True
    return held_out
