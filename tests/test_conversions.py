"""What is not read is named, and the lines that convert it are executed."""

import gzip
import pickle
import shutil
import sys
import tarfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

from jaxnet.data.dataset import Dataset
from jaxnet.data.load import load_dataset
from jaxnet.errors import DataError
from jaxnet.io.conversions import CONVERSIONS

LABELS = np.arange(12) % 2


def refusal(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    return caught.value


def convert(path: Path, kind: str) -> tuple[Path, Dataset]:
    """Execute the lines of an error, and read what they made of the file."""
    error = refusal(path)
    assert error.found == f"{path} is {kind}"
    first, *lines = error.remedy.splitlines()
    assert all(line.startswith("    ") for line in lines)
    exec("\n".join(line[4:] for line in lines), {})
    result = Path(first.rpartition("then give ")[2].removesuffix(":"))
    return result, load_dataset(result, size=8)


def same(dataset: Dataset, images: np.ndarray) -> None:
    found = np.concatenate([split.images for split in dataset.splits.values()])
    assert {image.tobytes() for image in found} == {image.tobytes() for image in images}


@pytest.fixture
def small(images: np.ndarray) -> np.ndarray:
    return images[:, :, :, :].repeat(2, axis=2)[:, :8, :8]


def test_an_array(small: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("pets.npy", small)
    np.save("labels.npy", LABELS)
    same(convert(tmp_path / "pets.npy", "a NumPy array (.npy)")[1], small)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle(protocol: int, small: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "pets.pkl"
    path.write_bytes(pickle.dumps({"images": small, "labels": LABELS}, protocol))
    same(convert(path, "a Python pickle")[1], small)
    assert "only if you trust its author" in refusal(path).remedy


def test_an_older_file_of_matlab(small: np.ndarray, tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "pets.mat", {"X": small, "y": LABELS[:, None]})
    same(convert(tmp_path / "pets.mat", "a MATLAB file of version 5")[1], small)


@pytest.mark.parametrize(
    ("mode", "kind"), [("w", "a tar archive"), ("w:gz", "a tar archive, compressed by gzip")]
)
def test_a_tar_archive(mode: Any, kind: str, folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "pets.tar", mode) as archive:
        archive.add(folder, "pets")
    result, dataset = convert(tmp_path / "pets.tar", kind)
    assert result == tmp_path / "pets-converted" / "pets"  # a folder pets exists
    same(dataset, np.concatenate([s.images for s in load_dataset(folder, size=8).splits.values()]))


def test_a_zip_archive(folder: Path, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "archive"), "zip", folder)
    result, dataset = convert(tmp_path / "archive.zip", "a ZIP archive")
    assert result == tmp_path / "archive"
    assert len(dataset.train.labels) == 10


class Table:
    """The part of a pandas table that the lines use; pandas itself is not needed to test them."""

    def __init__(self, **columns: list[Any]) -> None:
        self.columns = columns

    def iterrows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        names = list(self.columns)
        for number, row in enumerate(zip(*self.columns.values(), strict=True)):
            yield number, dict(zip(names, row, strict=True))

    def drop(self, columns: str) -> "Numbers":
        return Numbers([self.columns[name] for name in self.columns if name != columns])

    def __getitem__(self, name: str) -> Any:
        return Numbers(self.columns[name])


class Numbers:
    def __init__(self, columns: Any) -> None:
        self.array = np.array(columns).T

    def to_numpy(self, dtype: str | None = None) -> np.ndarray:
        return self.array.astype(dtype) if dtype else self.array


def test_a_parquet_table(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(folder.glob("*/*.png"))
    table = Table(
        image=[{"bytes": file.read_bytes(), "path": None} for file in files],
        label=[file.parent.name for file in files],
    )
    monkeypatch.setitem(
        sys.modules, "pandas", types.SimpleNamespace(read_parquet=lambda path: table)
    )
    (tmp_path / "cats.parquet").write_bytes(b"PAR1....PAR1")
    result, dataset = convert(tmp_path / "cats.parquet", "a Parquet table")
    assert result == tmp_path / "cats"
    assert dataset.classes == ("dog", "cat")
    same(dataset, np.concatenate([s.images for s in load_dataset(folder, size=8).splits.values()]))


def test_a_file_of_pandas(
    small: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {
        f"pixel{i}": values.tolist() for i, values in enumerate(small[..., 0].reshape(12, -1).T)
    }
    table = Table(**columns, label=LABELS.tolist())
    monkeypatch.setitem(sys.modules, "pandas", types.SimpleNamespace(read_hdf=lambda path: table))
    with h5py.File(tmp_path / "pets.h5", "w") as file:
        file.create_group("frame").attrs["pandas_type"] = "frame"
    error = refusal(tmp_path / "pets.h5")
    assert error.found.endswith("is an HDF5 file that pandas wrote")
    exec("\n".join(line[4:] for line in error.remedy.splitlines()[1:]), {})
    mended = refusal(tmp_path / "pets.npz")  # as rows of numbers, which a further line mends
    exec(mended.remedy.splitlines()[-1].strip(), {})
    same(load_dataset(tmp_path / "pets.npz"), small[..., :1].repeat(3, axis=-1))


def test_a_table_of_pixels(small: np.ndarray, tmp_path: Path) -> None:
    names = ",".join(["label", *(f"pixel{i}" for i in range(64))])
    table = np.column_stack([LABELS, small[..., 0].reshape(12, 64)])
    np.savetxt(tmp_path / "pets.csv", table, "%d", ",", header=names, comments="")
    error = refusal(tmp_path / "pets.csv")
    assert error.found.endswith("is a table of pixels")
    exec("\n".join(line[4:] for line in error.remedy.splitlines()[1:]), {})
    mended = refusal(tmp_path / "pets.npz")
    exec(mended.remedy.splitlines()[-1].strip(), {})
    same(load_dataset(tmp_path / "pets.npz"), small[..., :1].repeat(3, axis=-1))


def test_every_conversion_is_tested() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for kind in CONVERSIONS:
        assert f'{kind}"' in text, kind


@pytest.mark.parametrize(
    ("name", "content", "found", "remedy"),
    [
        (
            "a.xlsx",
            b"PK\x03\x04" + bytes(22) + b"\x13\0\0\0[Content_Types].xml",
            "an Office",
            "CSV",
        ),
        ("a.pt", b"PK\x03\x04" + bytes(22) + b"\x0a\0\0\0a/data.pkl", "a PyTorch", "numpy.savez"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "a PNG picture", "give the folder"),
        ("a.gz", gzip.compress(b"?" * 600, mtime=0), "a gzip archive", "unpack it"),
        ("a.csv", b"version https://git-lfs", "a Git LFS pointer", "git lfs pull"),
        ("a", b"?", "a file of another kind (text)", "copy or download it again"),
        ("a.h5", b"", "an empty file", "again"),
    ],
)
def test_other_files(name: str, content: bytes, found: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path / name)
    assert found in error.found
    assert "an HDF5 file or a NumPy archive (.npz)" in error.expected
    assert remedy in error.remedy


def test_a_network_of_keras(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("model_weights")
    assert "a network that Keras saved" in refusal(tmp_path / "a.h5").found


def test_a_user_block_of_any_length(tmp_path: Path, images: np.ndarray) -> None:
    for length in (512, 2048):
        with h5py.File(tmp_path / "a.h5", "w", userblock_size=length) as file:
            file["train_set_x"], file["train_set_y"] = images, LABELS
        assert len(load_dataset(tmp_path / "a.h5").train.labels) == 12
