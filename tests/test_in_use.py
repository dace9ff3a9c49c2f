"""HDF5 files that a program has open for writing, or had open when it was killed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import jax
import numpy as np
import pytest

from jaxnet.data.hdf5 import read_hdf5
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError, ModelFileError
from jaxnet.io.bounded_hdf5 import open_hdf5
from jaxnet.io.superblock import HEAD, is_marked_open, without_mark
from jaxnet.network import init_params
from jaxnet.runs.model import Model
from jaxnet.runs.model_file import load_model, save_model

# Holds each file open, then ends without closing it, as a killed process does.
HOLD = """
import os, sys
import h5py
files = [h5py.File(path, "a") for path in sys.argv[1:-1]]
files.append(h5py.File(sys.argv[-1], "a", libver="latest"))
if "written" in sys.argv[1]:
    files[0]["costs"][0] = 3
    files[0].flush()
print("open", flush=True)
sys.stdin.read()
os._exit(0)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    params = init_params(jax.random.key(0), 12, 3)
    save_model(tmp_path / "model.h5", Model(params, Preprocessing(4, 3), ("no", "yes")))
    return tmp_path / "model.h5"


@pytest.mark.skipif(sys.platform == "win32", reason="files are locked otherwise")
def test_files_held_and_left_by_another_program(
    model: Path, h5: Callable[..., Path], tmp_path: Path
) -> None:
    data, latest = h5("data.h5"), tmp_path / "latest.h5"
    with h5py.File(latest, "w", libver="latest") as file, h5py.File(data) as old:
        for name in old:
            old.copy(name, file)
    whole = {path: path.read_bytes() for path in (model, data, latest)}
    command = [sys.executable, "-c", HOLD, str(model), str(data), str(latest)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        assert model.read_bytes() != whole[model], "the mark is set"
        with pytest.raises(ModelFileError, match="it is in use: another program") as caught:
            load_model(model)
        assert "close it there" in caught.value.remedy
        for path in (data, latest):
            with pytest.raises(DataError, match="it is in use: another program"):
                read_hdf5(path)
        holder.communicate()
    # It ended without closing them. Nothing was written: two of them can be read as they are.
    assert is_marked_open(model)
    load_model(model)
    assert len(read_hdf5(data).train.images) == 8
    with pytest.raises(DataError, match="did not close it") as left:
        read_hdf5(latest)
    assert f"h5clear -s {latest}" in left.value.remedy
    assert "damaged" not in str(left.value)


def test_a_file_of_which_nothing_was_written_yet(model: Path) -> None:
    """The superblock of a file that was never closed, before the first group."""
    content = bytearray(model.read_bytes())
    content[96:] = bytes(len(content) - 96)
    content[20] = 1
    model.write_bytes(content)
    with pytest.raises(ModelFileError, match="did not close it"):
        load_model(model)
    content[20] = 0
    model.write_bytes(content)
    with pytest.raises(ModelFileError, match="cut off or damaged"):
        load_model(model)


def test_a_model_that_this_program_has_open(model: Path) -> None:
    with h5py.File(model, "a") as file:
        before = load_model(model)
        file["params/b2"][0, 0] = 5
        file.flush()
    assert float(load_model(model).params["b2"][0, 0]) == 5
    assert float(before.params["b2"][0, 0]) == 0


def test_the_mark_is_known_in_every_version_of_the_superblock(tmp_path: Path) -> None:
    for version, place in ((0, 20), (1, 20), (2, 11), (3, 11)):
        head = bytearray(b"\x89HDF\r\n\x1a\n" + bytes([version]) + bytes(HEAD - 9))
        (tmp_path / "a").write_bytes(head)
        assert not is_marked_open(tmp_path / "a")
        for mark in (1, 5):
            marked = bytearray(head)
            marked[place] = mark
            (tmp_path / "a").write_bytes(marked)
            assert is_marked_open(tmp_path / "a")
            assert without_mark(bytes(marked)) == head
    (tmp_path / "a").write_bytes(b"\x89HDF\r\n\x1a\n")
    assert not is_marked_open(tmp_path / "a")


@pytest.mark.parametrize(
    ("number", "name", "remedy"),
    [
        (32015, "zstd", "install the package hdf5plugin"),
        (32001, "blosc", "install the package hdf5plugin"),
        (32026, "blosc2", "install the package hdf5plugin"),
        (40000, "filter 40000", "h5repack -f GZIP=4"),
    ],
)
def test_a_compression_that_is_missing_is_named(
    number: int, name: str, remedy: str, h5: Callable[..., Path]
) -> None:
    path = h5(train_set_x=None)
    shape = (8, 8, 6, 3)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk(shape)
    properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, ())
    with h5py.File(path, "a") as file:
        space = h5py.h5s.create_simple(shape)
        kind = h5py.h5t.NATIVE_UINT8
        h5py.h5d.create(file.id, b"train_set_x", kind, space, dcpl=properties)
        file["train_set_x"].id.write_direct_chunk((0, 0, 0, 0), b"packed")
    with pytest.raises(DataError, match=f"is compressed with {name}\n") as caught:
        read_hdf5(path)
    assert remedy in caught.value.remedy


def test_what_jax_refuses_is_no_fault_of_the_file(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise jax.errors.JaxRuntimeError("INVALID_ARGUMENT: Disallowed host-to-device transfer")

    monkeypatch.setattr("jaxnet.runs.model_file.read_array", refuse)
    with pytest.raises(jax.errors.JaxRuntimeError, match="Disallowed"):
        load_model(model)


def test_a_bug_in_the_reader_is_no_fault_of_the_file(
    model: Path, h5: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        pytest.raises(AttributeError, match="no_such_name"),
        open_hdf5(h5(), "data") as file,
    ):
        file.no_such_name  # noqa: B018

    def wrong(*_: object) -> np.ndarray:
        return np.zeros(2).no_such_name  # type: ignore[attr-defined]

    monkeypatch.setattr("jaxnet.runs.model_file.read_array", wrong)
    with pytest.raises(AttributeError, match="no_such_name"):
        load_model(model)
