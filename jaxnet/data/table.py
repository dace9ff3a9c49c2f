"""Read a data set from a table of paths and labels (.csv, .tsv).

Columns are known by their names in the first row, or, without such a row, by their content: the
paths are the column that holds names of existing files.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxnet.data.dataset import Dataset
from jaxnet.data.labels import name_labels
from jaxnet.data.listed import Entry, Listing, read_listing
from jaxnet.data.passed_over import Found, add, count
from jaxnet.data.pictures import picture_suffixes
from jaxnet.data.split_names import SPLIT_NAMES, plain, split_of
from jaxnet.data.tree import ENDING, REPLACED, kind_of_file
from jaxnet.defaults import SIDE
from jaxnet.errors import DataError, UsageError
from jaxnet.io.conversions import CONVERSIONS
from jaxnet.io.delimited import Row, read_rows
from jaxnet.progress import Track, silent

ENDINGS = (".csv", ".tsv")
LEAST_PIXELS = 16  # numbers in a row, from which they are taken for pixels

# The names of columns, as `plain` returns them.
COLUMNS = {
    "path": ("path", "file", "filename", "filepath", "image", "imagepath", "imagefile", "picture"),
    "label": ("label", "class", "target", "labels", "classname", "category"),
    "split": ("split", "subset", "set", "partition"),
    "group": ("group", "groups", "groupid"),
}
EXPECTED = (
    "a column path (or file, filename, image) and a column label (or class, target); and, if "
    "wanted, split (or subset) and group"
)


class Picture(NamedTuple):
    """A row of a table: its line, and its cells by the meaning of their columns."""

    line: int
    path: str
    label: str
    split: str = ""
    group: str = ""


def is_table(path: Path, content: str) -> bool:
    """Return whether a file is a table, by its ending, unless its content is something else."""
    return path.suffix.lower() in ENDINGS and content.startswith(("a file of another", "an empty"))


def read_table(
    path: Path,
    test: Path | None = None,
    *,
    positive: str | None = None,
    size: int = SIDE,
    data_seed: int = 0,
    skip_bad: bool = False,
    strict: bool = False,
    track: Track = silent,
) -> Dataset:
    """Read a data set from a table of paths and labels.

    Paths are relative to the folder of the table. Without a column of splits, and without `test`, a
    random fifth of each class becomes the test split; it parts no group. The order of the rows has
    no influence.

    Args:
        path: The table.
        test: The table of the test split, if it is another one.
        positive: The class of label 1; all other classes have label 0.
        size: Every picture is resized to size × size pixels.
        data_seed: The seed of a random test split.
        skip_bad: Leave out pictures that cannot be read, instead of raising an error.
        strict: Raise an error if a file is missing or no picture; otherwise such rows are counted.
        track: Reports the progress.

    Raises:
        DataError: If a column is not recognised, a row is incomplete or doubled, or a picture
            cannot be read.
        UsageError: If the positive class is missing or ambiguous.
    """
    listing = list_table(path, test)
    return read_listing(
        listing, positive, size, data_seed, skip_bad=skip_bad, strict=strict, track=track
    )


def list_table(path: Path, test: Path | None) -> Listing:
    """List the pictures of a table; the arguments and the errors are those of `read_table`."""
    found: Found = {}
    splits, named = _find_splits(path, test, found)
    labels = {split: [entry.label for entry in entries] for split, entries in splits.items()}
    names, classes = name_labels(labels, str(path))
    entries = {
        split: [
            entry._replace(label=name) for entry, name in zip(listed, classes[split], strict=True)
        ]
        for split, listed in splits.items()
    }
    return Listing(str(path), names, entries, named, count(found))


def _find_splits(
    path: Path, test: Path | None, found: Found
) -> tuple[dict[str, list[Entry]], bool]:
    """List the entries of each split, and whether the tables say what the test split is."""
    splits = _read_splits(path, found)
    named = "" not in splits
    if not named:
        splits["train"] = splits.pop("")
    if test is not None:
        own = _read_splits(test, found)
        if "test" not in own and "" not in own:
            raise DataError(
                f"{test} holds the splits {', '.join(own)}", "a test set", "add its pictures"
            )
        used = "test" if "test" in own else ""
        for split, unused in (("test", splits), *((split, own) for split in own if split != used)):
            add(found, REPLACED, [str(entry.path) for entry in unused.get(split, ())])
        splits["test"] = own[used]
    if "train" not in splits:
        raise DataError(
            f"the pictures of {path} are of the splits {', '.join(splits)}",
            "a training set",
            "write train into the rows of the training set",
        )
    return splits, named or test is not None


def _read_splits(path: Path, found: Found) -> dict[str, list[Entry]]:
    """Read the entries of each split that a table names, or of "", sorted by their paths.

    Rows whose files are missing or no pictures are added to `found`.
    """
    pictures = _read_pictures(path)
    _require_once(path, pictures)
    suffixes = picture_suffixes()
    grouped = any(picture.group for picture in pictures)
    splits: dict[str, list[Entry]] = {}
    for picture in sorted(pictures, key=lambda picture: picture.path):
        file = _locate(path, picture.path)
        kind = kind_of_file(file, suffixes)
        if kind is not None:
            add(found, kind, [picture.path])
            continue
        # A picture without a group is a group of its own.
        group = (picture.group or f"picture {picture.path}") if grouped else None
        splits.setdefault(picture.split, []).append(Entry(file, picture.label, group))
    if not splits:
        lines = "; ".join(map(str, count(found)))
        raise DataError(
            f"none of the {len(pictures):,} files in {path} is a picture: {lines}",
            f"paths of pictures, relative to {path.absolute().parent}",
            "correct the paths, or move the table to the folder from which they lead",
        )
    return {split: splits[split] for split in (*SPLIT_NAMES, "") if split in splits}


def _locate(table: Path, path: str) -> Path:
    """Return the file of a row; a path that was written on Windows may have backslashes."""
    file = table.parent / path
    if "\\" in path and not os.path.lexists(file):
        file = table.parent / path.replace("\\", "/")
    return file


def _read_pictures(path: Path) -> list[Picture]:
    """Read the rows of a table, and check that each has a path, a label, and a known split."""
    rows = read_rows(path)
    columns, header = _find_columns(path, rows)
    pictures = []
    for row in rows[1:] if header else rows:
        cells = {meaning: row.cells[column] for meaning, column in columns.items()}
        for meaning in ("path", "label", "split"):
            if not cells.get(meaning, "?"):
                raise DataError(
                    f"line {row.line} of {path} has no {meaning}",
                    f"a {meaning} in every row",
                    "complete the row, or remove it",
                )
        if "split" in cells:
            split = split_of(cells["split"])
            if split is None:
                raise DataError(
                    f'line {row.line} of {path} has the split "{cells["split"]}"',
                    "train, validation or test, or another usual name of these",
                    "correct the row",
                )
            cells["split"] = split
        pictures.append(Picture(row.line, **cells))
    if not pictures:
        raise DataError(f"{path} has no row below its header", EXPECTED, "add the pictures")
    return pictures


def _require_once(path: Path, pictures: Sequence[Picture]) -> None:
    """Raise a DataError if two rows name one file."""
    seen: dict[str, Picture] = {}
    for picture in pictures:
        file = os.path.normpath(_locate(path, picture.path))
        first = seen.setdefault(file, picture)
        if first is not picture:
            same = first[2:] == picture[2:]
            raise DataError(
                f"lines {first.line} and {picture.line} of {path} name one picture, {picture.path}"
                + ("" if same else ", and differ in its label, split or group"),
                "one row for each picture",
                "remove the second row" if same else "remove the row that is wrong",
            )


def _find_columns(path: Path, rows: list[Row]) -> tuple[dict[str, int], bool]:
    """Find the column of each meaning, and whether the first row is a header."""
    first = rows[0].cells
    by_name: dict[str, list[int]] = {}
    for column, name in enumerate(first):
        for meaning, names in COLUMNS.items():
            if plain(name) in names:
                by_name.setdefault(meaning, []).append(column)
    if "path" in by_name and "label" in by_name:
        twice = next((columns for columns in by_name.values() if len(columns) > 1), None)
        if twice is not None:
            either = " or ".join(first[column] for column in twice)
            raise UsageError(
                f"{path} has the columns {', '.join(first)}",
                f"one column a meaning: either {either}",
                "rename the one that is not meant",
            )
        return {meaning: columns[0] for meaning, columns in by_name.items()}, True
    if _holds_pixels(rows):
        what = "a table of pixels"
        raise DataError(f"{path} is {what}", EXPECTED, CONVERSIONS[what].describe(path))
    if by_name or _is_header(path, first):
        raise DataError(
            f"{path} has the columns {', '.join(first)}",
            EXPECTED,
            "give the columns such names in the first row",
        )
    return _find_by_content(path, rows), False


def _holds_pixels(rows: list[Row]) -> bool:
    """Return whether the last row holds nothing but whole numbers, and many of them."""
    cells = rows[-1].cells
    return len(cells) >= LEAST_PIXELS and all(cell.isdecimal() for cell in cells)


def _is_header(path: Path, cells: Sequence[str]) -> bool:
    """Return whether no cell of the first row is a file, or is named as one."""
    return not any(
        ENDING.fullmatch(Path(cell).suffix) or (cell and os.path.isfile(_locate(path, cell)))
        for cell in cells
    )


def _find_by_content(path: Path, rows: list[Row]) -> dict[str, int]:
    """Find the columns of paths and labels in a table of two columns without a header."""
    width = len(rows[0].cells)
    files = [
        sum(os.path.isfile(_locate(path, row.cells[column])) for row in rows)
        for column in range(width)
    ]
    paths = [column for column in range(width) if files[column]]
    example = ", ".join(rows[0].cells)
    if width != 2 or len(paths) != 1:
        what = f"{len(paths) or 'none'} of which {'holds' if len(paths) == 1 else 'hold'}"
        raise DataError(
            f"{path} has no header, as its first row is {example}; it has {width} columns, "
            f"{what} names of files in {path.absolute().parent}",
            "two columns, of which one holds names of files; or a header",
            "add a first row with the names of the columns: path, label",
        )
    return {"path": paths[0], "label": 1 - paths[0]}
