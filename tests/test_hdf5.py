import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from jaxnet.data.dataset import Dataset
from jaxnet.data.hdf5 import read_hdf5, write_hdf5
from jaxnet.errors import DataError

Write = Callable[..., Path]


def test_both_splits_in_one_file(h5: Write, images: np.ndarray) -> None:
    dataset = read_hdf5(h5())
    assert dataset.classes == ("non-cat", "cat")
    assert dataset.test is not None
    np.testing.assert_array_equal(dataset.train.images, images[:8])
    np.testing.assert_array_equal(dataset.test.images, images[8:])
    np.testing.assert_array_equal(dataset.test.labels, [0, 1, 1, 1])


def test_one_file_a_split_the_test_file_found_by_its_name(h5: Write) -> None:
    train = h5("train_pets.h5", test_set_x=None, test_set_y=None)
    assert read_hdf5(train).test is None
    test = h5("test_pets.h5", train_set_x=None, train_set_y=None, list_classes=None)
    for dataset in (read_hdf5(train), read_hdf5(train, test)):
        assert dataset.test is not None
        assert len(dataset.test.images) == 4


def test_layouts_that_mean_the_same(h5: Write) -> None:
    for changes in (
        {"train_set_y": np.array([[0, 1, 0, 1, 0, 1, 0, 1]], np.uint8)},
        {"train_set_y": np.array([0, 1, 0, 1, 0, 1, 0, 1], bool)},
        {"train_set_y": np.array([0, 1, 0, 1, 0, 1, 0, 1], ">i2")},
        {"list_classes": ["non-cat", "cat"]},
    ):
        dataset = read_hdf5(h5(**changes))
        assert dataset.classes == ("non-cat", "cat")
        np.testing.assert_array_equal(dataset.train.labels, [0, 1, 0, 1, 0, 1, 0, 1])
    assert read_hdf5(h5(list_classes=None)).classes == ("class 0", "class 1")


def test_what_is_written_is_read_again(h5: Write, tmp_path: Path) -> None:
    dataset = read_hdf5(h5())
    write_hdf5(tmp_path / "again.h5", dataset)
    again = read_hdf5(tmp_path / "again.h5")
    assert again.classes == dataset.classes
    for name, split in dataset.splits.items():
        np.testing.assert_array_equal(again.splits[name].images, split.images)
        np.testing.assert_array_equal(again.splits[name].labels, split.labels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.h5", "both.h5"]


def refused(path: Path, *parts: str, test: Path | None = None) -> None:
    with pytest.raises(DataError) as caught:
        read_hdf5(path, test)
    for part in parts:
        assert part in str(caught.value)


def test_no_such_file_names_its_neighbours(h5: Write, tmp_path: Path) -> None:
    h5("train_catvnoncat.h5")
    wrong = tmp_path / "train_catvnoncats.h5"
    refused(wrong, f"there is no {wrong}", "did you mean train_catvnoncat.h5?")
    refused(tmp_path / "no" / "where.h5", f"{tmp_path / 'no'} does not exist either")


@pytest.mark.parametrize(
    ("content", "found", "remedy"),
    [
        (b"\n<!DOCTYPE html><html><body>GitHub", "an HTML page", "download the file itself"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a Git LFS", "git lfs pull"),
        (b"", "an empty file", "again"),
        (b"PK\x03\x04....", "a ZIP archive", "unpack"),
        (b"\x1f\x8b\x08....", "a gzip archive", "unpack"),
        (b"label,pixel1,pixel2", "a file of another kind", "again"),
    ],
)
def test_a_file_that_is_something_else(
    content: bytes, found: str, remedy: str, tmp_path: Path
) -> None:
    path = tmp_path / "train.h5"
    path.write_bytes(content)
    refused(path, f"{path} is {found}", "expected: an HDF5 file with train_set_x", remedy)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off(share: float, h5: Write) -> None:
    path = h5()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path, "an HDF5 file that is cut off or damaged")


def test_other_names_are_listed(h5: Write) -> None:
    path = h5(train_set_x=None, X=np.zeros(3))
    refused(path, "contains X, list_classes, test_set_x, test_set_y, train_set_y", "train_set_x")
    only_test = h5("test.h5", train_set_x=None, train_set_y=None)
    refused(only_test, "give the file with the training pictures")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"train_set_x": np.zeros((8, 4, 4, 3))}, "(8, 4, 4, 3) and type float64"),
        ({"train_set_x": np.zeros((8, 4, 4), np.uint8)}, "(8, 4, 4) and type uint8"),
        ({"train_set_y": np.arange(8)}, "the labels 0, 1, 2, 3, 4, 5, 6, 7"),
        ({"train_set_y": np.array([0, 1, 1])}, "3 labels for 8 pictures"),
        ({"train_set_y": np.zeros(8)}, "type float64"),
        ({"train_set_y": np.zeros((4, 2), int)}, "shape (4, 2)"),
        ({"train_set_y": np.array(1)}, "shape ()"),
        ({"list_classes": np.array([b"cat"])}, "the size of list_classes in"),
        ({"list_classes": np.array([b"cat", b"cat"])}, "are 'cat'"),
        ({"list_classes": h5py.Empty("i")}, "list_classes"),
        ({"train_set_x": h5py.Empty("u1")}, "neither of them empty"),
        ({"train_set_y": h5py.Empty("u1")}, "neither of them empty"),
        ({"train_set_x": np.zeros((0, 4, 4, 3), np.uint8)}, "at least one picture"),
        ({"list_classes": np.array([b"a", b"b", b"c"])}, "is 3\n  expected: two class names"),
    ],
)
def test_contents_of_another_kind(changes: dict[str, object], found: str, h5: Write) -> None:
    refused(h5(**changes), found)


def test_a_test_file_of_other_classes(h5: Write) -> None:
    other = h5("other.h5", list_classes=np.array([b"dog", b"cat"]))
    refused(h5("train.h5"), "('dog', 'cat')", "('non-cat', 'cat')", test=other)


@pytest.mark.parametrize("name", ["train_set_x", "train_set_y"])
def test_an_absurd_shape_is_refused_before_memory_is_taken(name: str, h5: Write) -> None:
    m = 10**9
    path = h5(**{name: None})
    with h5py.File(path, "a") as file:
        if name == "train_set_x":
            del file["train_set_y"]
            file.create_dataset("train_set_y", (8,), "i8", fillvalue=0)
        shape = (8, 2**15, 2**15, 3) if name == "train_set_x" else (m,)
        file.create_dataset(name, shape, "u1", chunks=True, compression="gzip")
    refused(path, name, "GiB in a file of")


@pytest.mark.parametrize("name", ["train_set_x", "train_set_y", "list_classes"])
@pytest.mark.parametrize("link", [h5py.SoftLink("/away"), h5py.ExternalLink("away.h5", "/x"), None])
def test_a_link_that_leads_nowhere_or_a_group(name: str, link: object, h5: Write) -> None:
    path = h5(**{name: None})
    with h5py.File(path, "a") as file:
        if link is None:
            file.create_group(name)
        else:
            file[name] = link
    refused(path, str(path), "expected:")


@pytest.mark.slow
def test_a_file_with_a_damaged_byte_is_read_or_refused(h5: Write) -> None:
    path = h5()
    whole = path.read_bytes()
    refusals = 0
    for position in range(0, 2048, 13):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            read_hdf5(path)
        except DataError:
            refusals += 1
    assert refusals > 20


def test_a_folder_or_a_pipe_is_no_hdf5_file(tmp_path: Path) -> None:
    refused(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe.h5")
    refused(tmp_path / "pipe.h5", "is a pipe")


def test_written_by_the_course(cats: Dataset) -> None:
    assert cats.train.images.shape == (209, 64, 64, 3)
    assert cats.test is not None
    assert cats.test.images.shape == (50, 64, 64, 3)
    assert (int(cats.train.labels.sum()), int(cats.test.labels.sum())) == (72, 33)
    assert cats.classes == ("non-cat", "cat")
