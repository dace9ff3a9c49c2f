"""Attributes are written as strings of fixed length and numbers, and read as nothing else."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from jaxnet.errors import UsageError
from jaxnet.io import attributes
from jaxnet.io.attributes import LONGEST_ATTRIBUTE, Value, read_attributes, write_attributes

VALUES: dict[str, Value] = {
    "text": "a cät",
    "empty": "",
    "no UTF-8": b"caf\xe9.png".decode("utf-8", "surrogateescape"),
    "long": "x" * LONGEST_ATTRIBUTE,
    "whole": 2**40,
    "part": 0.1,
    "yes": True,
}


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that a child process was to try."""
    names: list[str] = []
    monkeypatch.setattr(attributes, "try_strings", lambda path: names.append(path.name))
    attributes._try_all_strings.cache_clear()
    return names


def test_what_is_written_is_read(tmp_path: Path, tried: list[str]) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        write_attributes(file, VALUES)
    with h5py.File(tmp_path / "a.h5") as file:
        assert read_attributes(file) == VALUES
        assert [type(value) for value in read_attributes(file).values()] == [
            type(file_value) for _, file_value in sorted(VALUES.items())
        ]
        assert file.attrs["text"] == "a cät".encode()
        assert file.attrs.get_id("text").dtype == "S6"
    assert tried == [], "strings of fixed length are read without danger"


def test_an_attribute_has_an_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file, pytest.raises(UsageError) as caught:
        write_attributes(file, {"scales": "1," * LONGEST_ATTRIBUTE})
    assert caught.value.found == "scales has 130,000 bytes"
    assert caught.value.expected == "at most 65,000 bytes, the limit of an HDF5 attribute"


def test_strings_of_variable_length_are_tried_once(tmp_path: Path, tried: list[str]) -> None:
    for name in ("a.h5", "b.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs.update(one="1", two="2")
        for _ in range(2):
            with h5py.File(tmp_path / name) as file:
                assert read_attributes(file) == {"one": "1", "two": "2"}
    assert tried == ["a.h5", "b.h5"]
    with h5py.File(tmp_path / "b.h5", "a") as file:
        file.attrs["three"] = "3"
    with h5py.File(tmp_path / "b.h5") as file:
        read_attributes(file)
    assert tried == ["a.h5", "b.h5", "b.h5"], "a file that was changed is tried again"


LIST = np.empty((), object)
LIST[()] = np.array([1, 2], "i4")


def put(value: object, dtype: object = None) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.create("what", value, dtype=dtype)


@pytest.mark.parametrize(
    "put",
    [
        put(np.zeros(3)),
        put([b"a", b"b"]),
        put(h5py.Empty("f")),
        put(1j),
        put(np.array(("x",), [("inside", h5py.string_dtype())])),
        put(LIST, h5py.vlen_dtype("i4")),
        put(b"x" * (LONGEST_ATTRIBUTE + 1), f"S{LONGEST_ATTRIBUTE + 1}"),
    ],
    ids=["array", "strings", "empty", "complex", "compound", "vlen", "long"],
)
def test_other_attributes_are_refused_unread(
    put: Callable[[h5py.File], None], tmp_path: Path, tried: list[str]
) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        put(file)
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises(ValueError, match="what has shape"):
        read_attributes(file)
    assert tried == []
