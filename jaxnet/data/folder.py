"""Read folders of pictures: one sub-folder per class, below or above the folders of the splits."""

import os
from pathlib import Path

import numpy as np

from jaxnet.data.dataset import Dataset, PassedOver, Split, choose_positive
from jaxnet.data.layout import Files, Layout, interpret, require_known
from jaxnet.data.pictures import read_pictures
from jaxnet.data.tree import BESIDE, REPLACED, Parts, count_kind, look
from jaxnet.defaults import SIDE
from jaxnet.errors import DataError, UsageError
from jaxnet.io.files import require_path
from jaxnet.progress import Track, silent

TEST_SHARE = 0.2

Found = dict[str, list[str]]  # the paths of what is passed over, by kind
Paths = dict[str, list[Path]]  # the paths of pictures, by the name of the class


def read_folder(
    path: Path,
    test: Path | None = None,
    *,
    positive: str | None = None,
    size: int = SIDE,
    seed: int = 0,
    skip_bad: bool = False,
    track: Track = silent,
    strict: bool = False,
) -> Dataset:
    """Read a data set from a folder of pictures.

    The names of its folders decide what they are, as `interpret` says. If none names a split, and
    without `test`, a random `TEST_SHARE` of each class becomes the test split.

    Args:
        path: The folder.
        test: The folder of the test split, if it is elsewhere.
        positive: The class of label 1; all other classes have label 0.
        size: Every picture is resized to size × size pixels.
        seed: The seed of a random test split.
        skip_bad: Leave out pictures that cannot be read, instead of raising an error.
        track: Reports the progress.
        strict: Raise an error if any file is passed over.

    Raises:
        DataError: If a folder has no pictures, fewer than two classes, other classes than the
            training split, or a picture that cannot be read; with `strict`, if a file is passed
            over.
        UsageError: If the positive class is missing or ambiguous, or a folder has two meanings.
    """
    if test is not None:
        require_path(test)
        if not test.is_dir():
            raise DataError(f"{test} is a file", f"a folder, like {path}", "give the test folder")
    found: Found = {}
    splits, named = _find_splits(path, test, positive, found)
    passed_over = _passed_over(found)
    if strict and passed_over:
        raise _not_strict(path, passed_over)
    names = list(splits["train"])
    positive = choose_positive(names, positive, str(path))
    others = [name for name in names if name != positive]
    classes = (others[0] if len(others) == 1 else f"not {positive}", positive)

    skipped: list[str] = []
    read: dict[str, Split] = {}
    for split, files in splits.items():
        paths = [file for name in files for file in files[name]]
        labels = np.array([int(name == positive) for name in files for _ in files[name]])
        images, kept, errors = read_pictures(paths, size, size, skip_bad=skip_bad, track=track)
        read[split] = Split(images, labels[kept])
        skipped += [error.found for error in errors]
    source = f"{path}, {size} × {size}"
    if not named:
        read = _hold_out(read["train"], seed)
        if "test" in read:
            source += f", {TEST_SHARE:.0%} held out as the test split (seed {seed})"
    return Dataset(
        read["train"],
        read.get("test"),
        classes,
        source,
        tuple(skipped),
        validation=read.get("validation"),
        passed_over=passed_over,
    )


def _not_strict(path: Path, passed_over: tuple[PassedOver, ...]) -> DataError:
    return DataError(
        f"{path} holds files that are passed over: {'; '.join(map(str, passed_over))}",
        "pictures only, because strict=True is given",
        "move the files away, or leave strict=True out",
    )


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
                    _add(found, REPLACED, prefix, members)
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
        _add(found, kind, prefix, files)
    name = os.path.basename(os.path.abspath(path))
    try:
        layout = interpret(tree.pictures, str(path), name, positive, least)
    except DataError as error:
        lines = "; ".join(map(str, _passed_over(found)))
        if not lines:
            raise
        raise DataError(
            f"{error.found}; passed over: {lines}", error.expected, error.remedy
        ) from error
    _add(found, BESIDE, prefix, layout.beside)
    return layout


def _add(found: Found, kind: str, prefix: str, files: list[Parts] | tuple[Parts, ...]) -> None:
    if files:
        found.setdefault(kind, []).extend(prefix + "/".join(file) for file in files)


def _passed_over(found: Found) -> tuple[PassedOver, ...]:
    """Count what is passed over, by kind."""
    result = []
    for kind in sorted(found):
        files, shown = found[kind], _readable(kind)
        example = _readable(min(files))
        line = count_kind(shown, len(files))
        line += f" ({example})" if len(files) == 1 else f" ({example}, …)"
        result.append(PassedOver(shown, len(files), example, line))
    return tuple(result)


def _located(folder: Path, files: Files) -> Paths:
    return {name: [folder.joinpath(*file) for file in files[name]] for name in files}


def _printable(names: list[str]) -> dict[str, str]:
    """Return a printable name for each class; two that look alike are numbered."""
    shown: dict[str, str] = {}
    for name in dict.fromkeys(names):
        text, number = _readable(name), 2
        while text in shown.values():
            text, number = f"{_readable(name)} ({number})", number + 1
        shown[name] = text
    return shown


def _readable(name: str) -> str:
    """Replace the characters of a file name that are unprintable or not valid UTF-8."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _hold_out(split: Split, seed: int) -> dict[str, Split]:
    """Divide a split into a training and a test split; with one picture a class, leave it whole."""
    held_out = _stratify(split.labels, seed)
    if not held_out.any():
        return {"train": split}
    images, labels = split
    return {
        "train": Split(images[~held_out], labels[~held_out]),
        "test": Split(images[held_out], labels[held_out]),
    }


def _stratify(labels: np.ndarray, seed: int) -> np.ndarray:
    """Draw the held-out examples, (m,) bool: `TEST_SHARE` of each class, but never all of it."""
    generator = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), bool)
    for label in (0, 1):
        members = generator.permutation(np.flatnonzero(labels == label))
        count = min(max(1, round(TEST_SHARE * len(members))), len(members) - 1)
        held_out[members[: max(count, 0)]] = True
    return held_out
