"""NumPy archives, and HDF5 files with the same names of arrays."""

import io
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from jaxnet.data.array_names import CONVENTIONS
from jaxnet.data.dataset import Dataset
from jaxnet.data.load import load_dataset
from jaxnet.errors import DataError, UsageError
from jaxnet.io.bounded_npz import read_headers, read_member

Write = Callable[..., Path]
LABELS = np.arange(12) % 3


@pytest.fixture(params=["npz", "h5"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Write arrays by name into a file."""

    def save(name: str = "pets", **arrays: np.ndarray) -> Path:
        path = tmp_path / f"{name}.{request.param}"
        if request.param == "npz":
            np.savez(path, **arrays)  # type: ignore[arg-type]
        else:
            with h5py.File(path, "w") as file:
                for key, value in arrays.items():
                    file[key] = value.astype("S") if value.dtype.kind == "U" else value
        return path

    return save


def refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        load_dataset(path, **options)
    for part in parts:
        assert part in str(caught.value)


def sizes(dataset: Dataset) -> dict[str, int]:
    return {name: len(split.labels) for name, split in dataset.splits.items()}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_names_of_each_convention(convention: str, write: Write, images: np.ndarray) -> None:
    for change in (str, str.upper):
        arrays: dict[str, np.ndarray] = {}
        for pictures, labels in CONVENTIONS[convention].values():
            arrays |= {change(pictures): images, change(labels): LABELS % 2}
        dataset = load_dataset(write(**arrays))
        named = len(arrays) > 2
        assert sizes(dataset) == (
            {"train": 12, "validation": 12, "test": 12} if named else {"train": 9, "test": 3}
        )
        assert ("20% held out" in dataset.source) != named
        assert dataset.classes == ("class 0", "class 1")


def test_grey_and_colour_labels_in_one_column(write: Write, images: np.ndarray) -> None:
    for pictures in (images, images[..., 0], images[..., :1]):
        dataset = load_dataset(write(x_train=pictures, y_train=LABELS[:, None] % 2))
        expected = np.broadcast_to(pictures.reshape(12, 8, 6, -1), images.shape)
        np.testing.assert_array_equal(dataset.train.images, expected)
        np.testing.assert_array_equal(dataset.train.labels, LABELS % 2)
        assert dataset.test is None


def test_more_than_two_classes_as_in_folders(write: Write, images: np.ndarray) -> None:
    path = write(x_train=images, y_train=LABELS)
    refused(path, "has 3 classes, and none of them is named cat", '"class 2"')
    for positive in ("2", "class 2"):
        dataset = load_dataset(path, positive=positive)
        assert dataset.classes == ("not class 2", "class 2")
        assert dataset.source.endswith('"not class 2" is class 0, class 1')
        np.testing.assert_array_equal(dataset.train.labels, LABELS == 2)
    refused(path, 'has no class "3"', positive="3")
    texts = np.array(["cow", "cat", "dog"])[LABELS]
    dataset = load_dataset(write(x_train=images, y_train=texts))
    assert dataset.classes == ("not cat", "cat")
    np.testing.assert_array_equal(dataset.train.labels, texts == "cat")
    names = np.array(["cow", "cat", "dog"])
    named = load_dataset(write(x_train=images, y_train=LABELS, list_classes=names))
    assert named.sha256 == dataset.sha256


def test_classes_of_numbers_are_in_their_order(write: Write, images: np.ndarray) -> None:
    dataset = load_dataset(write(x_train=images, y_train=np.array([2, 10] * 6)))
    assert dataset.classes == ("class 2", "class 10")


def test_another_file_for_the_test_split(write: Write, images: np.ndarray) -> None:
    train = write("a", X=images, y=LABELS % 2)
    for arrays in (
        {"x_test": images[:4], "y_test": LABELS[:4] % 2},
        {"X": images, "Y": LABELS % 2},
    ):
        dataset = load_dataset(train, test=write("b", **arrays))
        assert sizes(dataset) == {"train": 12, "test": len(next(iter(arrays.values())))}
    refused(
        train,
        "holds the splits train",
        "a test set",
        test=write("b", x_train=images, y_train=LABELS),
    )
    refused(write("b", x_test=images, y_test=LABELS), "holds the splits test", "a training set")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("a", "b"), "holds the arrays a, b"),
        (("x_train", "b"), "y_train beside x_train"),
        (("x_train", "y_train", "X", "y"), "either x_train, y_train; or X, y"),
        (("X", "x", "y"), "either X, x, y"),
    ],
)
def test_names_that_do_not_fit(
    names: tuple[str, ...], found: str, tmp_path: Path, images: np.ndarray
) -> None:
    np.savez(tmp_path / "a.npz", **dict.fromkeys(names, images))  # type: ignore[arg-type]
    refused(tmp_path / "a.npz", found)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (LABELS[:5], "(12, 8, 6, 3) and type uint8, for 5 labels"),
        (LABELS / 2, "type float64"),
        (np.zeros((12, 2), int), "has shape (12, 2)"),
        (np.ones((12, 2), int), "store the number or the name of the class"),
        (np.zeros(12, complex), "type complex128"),
        (np.zeros(12, int), "of one class, class 0"),
    ],
)
def test_labels_that_do_not_fit(
    labels: np.ndarray, found: str, write: Write, images: np.ndarray
) -> None:
    refused(write(x_train=images, y_train=labels), found)


@pytest.mark.parametrize(
    "labels", [np.eye(3)[LABELS], (LABELS % 2).astype(float), np.eye(2, dtype=bool)[LABELS % 2]]
)
def test_labels_that_a_line_mends(labels: np.ndarray, write: Write, images: np.ndarray) -> None:
    path = write(x_train=images, y_train=labels)
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    exec(caught.value.remedy.splitlines()[-1].strip(), {})
    dataset = load_dataset(path, positive="1")
    np.testing.assert_array_equal(
        dataset.train.labels, (LABELS if labels.shape == (12, 3) else LABELS % 2) == 1
    )


def test_class_names_that_do_not_fit(write: Write, images: np.ndarray) -> None:
    for names, found in (
        (["a", "b"], "2 names of classes and the labels 2"),
        (["a", "b", "a"], "are the same"),
    ):
        refused(write(x_train=images, y_train=LABELS, list_classes=np.array(names)), found)


def test_a_class_that_the_training_set_lacks(write: Write, images: np.ndarray) -> None:
    path = write(x_train=images, y_train=LABELS % 2, x_test=images, y_test=LABELS)
    refused(path, "the test split", "class 2")


def test_an_exported_network_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", W1=np.zeros((2, 3)), b1=0, W2=0, b2=0, classes="[]")
    refused(tmp_path / "model.npz", "is a network that jaxnet exported", "model.h5")


class Trap:
    """A pickle of it, if it were read, would fail the test."""

    def __reduce__(self) -> tuple[object, ...]:
        return pytest.fail, ("a pickle was read",)


def test_a_pickle_is_never_read(tmp_path: Path, images: np.ndarray) -> None:
    labels = np.array([Trap()] * 12, dtype=object)
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels)
    refused(tmp_path / "a.npz", "y_train in", "holds Python objects", "never opened")
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(Trap()))
    refused(tmp_path / "a.pkl", "is a Python pickle")


METHOD = zipfile.ZIP_DEFLATED


def npy(shape: tuple[int, ...], content: bytes = b"", kind: str = "|u1") -> bytes:
    file = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", METHOD) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def test_an_absurd_shape_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    labels = npy((8,), bytes(8))
    path = archive(tmp_path / "a.npz", X=npy((8, 2**15, 2**15, 3)), y=labels)
    refused(path, "X in", "declares 24.0 GiB in a file of")
    path = archive(tmp_path / "b.npz", X=npy((8, 4, 4, 3)), y=npy((10**12,)))
    refused(path, "y in", "GiB in a file of")


def test_no_more_is_decompressed_than_declared(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", X=npy((2, 4, 4, 3), bytes(2**26)), y=npy((2,), b"\0\1"))
    asked = []
    read = zipfile.ZipExtFile.read

    def record(file: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        content = read(file, n)
        asked.append(len(content))
        return content

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile.ZipExtFile, "read", record)
        refused(path, "cut off or damaged (X does not have the size that it declares)")
    assert sum(asked) < 2**16


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (npy((2, 4, 4, 3), bytes(95)), "does not have the size"),
        (npy((2, -4, 4, 3), bytes(96)), "a shape is (2, -4, 4, 3)"),
        (npy((2, 4, 4, 3), bytes(96), "|V1"), "type |V1"),
        (b"\x93NUMPY\x09\0", "cut off or damaged"),
        (b"\x93NUMPY\x01\0\x03\0(\n(", "cut off or damaged"),
        (b"no array", "cut off or damaged"),
        (b"", "cut off or damaged"),
        (npy((0, 4, 4, 3)), "at least one picture"),
    ],
)
def test_members_that_cannot_be_read(content: bytes, found: str, tmp_path: Path) -> None:
    refused(archive(tmp_path / "a.npz", x=content, y=npy((2,), b"\0\1")), found)


def test_other_archives(tmp_path: Path) -> None:
    good = {"X": npy((2, 4, 4, 3), bytes(96)), "y": npy((2,), b"\0\1")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[__name__], "METHOD", zipfile.ZIP_LZMA)
        refused(archive(tmp_path / "a.npz", **good), "another method than NumPy's")
    path = archive(tmp_path / "b.npz", **good)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("notes.txt", "?")
    refused(path, "notes.txt, which is no array")
    path = archive(tmp_path / "c.npz", **good, **{f"a{i}": b"" for i in range(1000)})
    refused(path, "1,002 members")


def test_a_file_with_a_damaged_byte_is_read_or_refused(tmp_path: Path, images: np.ndarray) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x_train=images[:4], y_train=LABELS[:4] % 2)
    whole, refusals = path.read_bytes(), 0
    for position in range(0, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            load_dataset(path)
        except DataError:
            refusals += 1
    assert refusals > 50
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        refused(path, "cut off or damaged")


def test_members_in_other_orders_and_encodings(tmp_path: Path) -> None:
    array = np.arange(24, dtype=">i4").reshape(2, 3, 4)
    np.savez(tmp_path / "a.npz", a=np.asfortranarray(array), b=np.array(["é", "x"]))
    assert {name: header.shape for name, header in read_headers(tmp_path / "a.npz").items()} == {
        "a": (2, 3, 4),
        "b": (2,),
    }
    read = read_member(tmp_path / "a.npz", "a")
    np.testing.assert_array_equal(read, array)
    assert read.dtype.isnative
    assert read_member(tmp_path / "a.npz", "b").tolist() == ["é", "x"]
