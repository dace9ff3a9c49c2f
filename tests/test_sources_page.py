"""The tables of docs/own-pictures.md on arrays, tables of paths, and what is not read."""

import re
from pathlib import Path

from jaxnet.data.array_names import CONVENTIONS, UNNAMED
from jaxnet.data.table import COLUMNS
from jaxnet.io.conversions import CONVERSIONS

PAGE = (Path(__file__).parent.parent / "docs" / "own-pictures.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Read the rows of the table with this heading."""
    table = PAGE.split(heading)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_names_of_arrays() -> None:
    described = {
        row[0]: [tuple(re.findall("`([^`]+)`", cell)) for cell in row[1:]]
        for row in rows("| used by | training set | validation set | test set |")
    }
    splits = ("train", "validation", "test")
    assert described == {
        name: [
            pairs.get(split, pairs.get(UNNAMED, ()) if split == "train" else ()) for split in splits
        ]
        for name, pairs in CONVENTIONS.items()
    }


def test_the_names_of_columns() -> None:
    described = {
        row[0]: set(re.findall("`([^`]+)`", row[1]))
        for row in rows("| column | its name, in any case | what it holds |")
    }
    assert described == {meaning: set(names) for meaning, names in COLUMNS.items()}


def test_what_is_converted() -> None:
    described = [kind for row in rows("| file | becomes |") for kind in row[0].split("; ")]
    assert sorted(described) == sorted(CONVERSIONS)
    folders = {
        kind
        for row in rows("| file | becomes |")
        if row[1] == "a folder"
        for kind in row[0].split("; ")
    }
    assert folders == {kind for kind, conversion in CONVERSIONS.items() if not conversion.ending}
