"""The tables of docs/own-pictures.md: what folders mean, and what is asked."""

import re
from pathlib import Path

import pytest

from jaxnet.data.layout import interpret
from jaxnet.data.split_names import split_of
from jaxnet.data.tree import Parts
from jaxnet.errors import DataError, UsageError

PAGE = (Path(__file__).parent.parent / "docs" / "own-pictures.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Read the rows of the table with this heading."""
    table = PAGE.split(heading)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def files_of(cell: str) -> list[Parts]:
    return [tuple(path.split("/")) for path in re.findall("`([^`]+)`", cell)]


MEANINGS = rows("| pets holds | training set | validation set | test set |")
QUESTIONS = rows("| pets holds | either | or | what decides |")


@pytest.mark.parametrize("row", MEANINGS, ids=[row[0] for row in MEANINGS])
def test_what_a_folder_means(row: list[str]) -> None:
    files = files_of(row[0])
    layout = interpret(files, "pets", "pets")
    for split, cell in zip(("train", "validation", "test"), row[1:], strict=True):
        if cell == "a fifth":
            assert not layout.named
            assert split not in layout.splits
        else:
            assert list(layout.splits.get(split, {})) == [name for name in cell.split(", ") if name]
    read = [file for split in layout.splits.values() for part in split.values() for file in part]
    assert sorted(read) == sorted(files)
    assert layout.named == (row[3] != "a fifth")


@pytest.mark.parametrize("row", QUESTIONS, ids=[row[0] for row in QUESTIONS])
def test_what_is_asked(row: list[str]) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        interpret(files_of(row[0]), "pets", "pets")
    either, other = caught.value.expected.split("; or ")
    assert either.startswith(f"either {row[1]}")
    assert other.startswith(row[2])
    assert row[3].strip("`") in caught.value.remedy


def test_the_positive_class_decides() -> None:
    trains = interpret([("train", "1.png"), ("cat", "1.png")], "pets", positive="train")
    assert list(trains.splits["train"]) == ["cat", "train"]
    both = [("train", "1.png"), ("test", "1.png")]
    assert list(interpret(both, "pets", positive="test").splits["train"]) == ["test", "train"]
    inner = [("train", "cat", "1.png"), ("train", "test", "1.png"), ("test", "test", "1.png")]
    layout = interpret(inner, "pets", positive="test")
    assert {split: list(files) for split, files in layout.splits.items()} == {
        "train": ["cat", "test"],
        "test": ["test"],
    }


def test_pictures_beside_the_folders() -> None:
    files = [("1.png",), ("train", "1.png"), ("train", "cat", "1.png"), ("train", "dog", "1.png")]
    assert interpret(files, "pets").beside == files[:2]
    files = [("1.png",), ("cat", "1.png"), ("dog", "1.png")]
    assert interpret(files, "pets").beside == files[:1]


def test_classes_that_the_training_set_lacks() -> None:
    files = [("train", "cat", "1"), ("train", "dog", "1"), ("val", "cow", "1")]
    with pytest.raises(DataError, match="the validation split of pets contains the classes cow"):
        interpret(files, "pets")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("TRAIN", "train"),
        ("training-set", "train"),
        ("Test_Images", "test"),
        ("testing", "test"),
        ("Val", "validation"),
        ("valid set", "validation"),
        ("dev", "validation"),
        ("trainer", None),
        ("contest", None),
        ("valley", None),
        ("", None),
    ],
)
def test_names_of_splits(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_pictures_that_are_in_no_split_of_their_class() -> None:
    files = [("cat", "train", "1.png"), ("dog", "1.png")]
    with pytest.raises(
        UsageError,
        match="pets/dog has no sub-folders and 1 picture of its own, while another class has a "
        "sub-folder train",
    ):
        interpret(files, "pets")


def test_a_nested_folder_is_no_question_where_it_holds_the_splits() -> None:
    files = [("pets", "train", name, "1.png") for name in ("cat", "dog")]
    layout = interpret([*files, ("about.png",)], "archive", "archive")
    assert list(layout.splits["train"]) == ["cat", "dog"]
    assert layout.beside == [("about.png",)]
