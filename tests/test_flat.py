"""Classes from the names of files; docs/own-pictures.md has more cases (tests/test_layout.py)."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxnet.data.flat import classes_of_files
from jaxnet.data.folder import read_folder
from jaxnet.data.load import load_dataset
from jaxnet.errors import UsageError


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("cat.0.jpg", "cat"),
        ("cat_001.JPG", "cat"),
        ("cat-12.png", "cat"),
        ("cat (3).png", "cat"),
        ("cat7.webp", "cat"),
        ("great_dane_12.jpg", "great_dane"),
        ("été 4.jpg", "été"),
        ("cat.8", "cat"),
        ("12.jpg", None),
        ("cat.jpg", None),
        ("IMG_0001.jpg", None),
        ("DSC00012.JPG", None),
        ("IMG_20200101_120000.jpg", None),
        ("Screen Shot 12.png", None),
    ],
)
def test_the_class_in_a_name(name: str, found: str | None) -> None:
    classes = classes_of_files([(name,)], "pets", None, 1)
    assert classes == (None if found is None else {found: [(name,)]})


@pytest.fixture
def flat(folder: Path) -> Path:
    """The pictures of `folder` without its sub-folders: cat.01.png, …, dog.00.png, …."""
    for name in ("cat", "dog"):
        for path in (folder / name).iterdir():
            path.rename(folder / f"{name}.{path.name}")
        (folder / name).rmdir()
    return folder


def test_a_flat_folder_is_read_as_sub_folders_are(flat: Path) -> None:
    dataset = read_folder(flat, size=8)
    assert dataset.classes == ("dog", "cat")
    assert {name: len(split.labels) for name, split in dataset.splits.items()} == {
        "train": 10,
        "test": 2,
    }
    for split in dataset.splits.values():
        np.testing.assert_array_equal(split.images.mean((1, 2, 3)) > 128, split.labels)


def test_a_flat_test_folder(flat: Path, tmp_path: Path) -> None:
    test = tmp_path / "others"
    test.mkdir()
    Image.new("RGB", (9, 9)).save(test / "cat_9.png")
    dataset = read_folder(flat, test, size=8)
    assert dataset.test is not None
    assert dataset.test.labels.tolist() == [1]


def test_a_folder_that_may_be_no_class_is_asked_for_and_named(folder: Path) -> None:
    (folder / "unlabeled").mkdir()
    Image.new("RGB", (9, 9)).save(folder / "unlabeled" / "1.png")
    with pytest.raises(UsageError, match="unlabeled"):
        load_dataset(folder)
    dataset = load_dataset(folder, positive="cat", size=8)
    assert dataset.classes == ("not cat", "cat")
    assert '"not cat" is dog, unlabeled' in dataset.source
