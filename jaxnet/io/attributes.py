"""Read and write attributes of an HDF5 file as plain Python values.

Strings are written with a fixed length. Other tools write strings of variable length; if such a
string is damaged, it can hang or crash the HDF5 library. A child process therefore reads them
first.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from jaxnet.errors import UsageError
from jaxnet.io.bounded_hdf5 import try_strings

LONGEST_ATTRIBUTE = 65_000  # bytes; HDF5 limits an attribute to 64 KiB including its name

Value = str | int | float | bool


def write_attributes(group: h5py.Group, values: Mapping[str, Value | None]) -> None:
    """Write attributes, but for those that are None.

    Strings have a fixed length, so that they can be read safely.

    Raises:
        UsageError: If a string is too long for an attribute.
    """
    for name, value in values.items():
        if value is None:
            continue
        if not isinstance(value, str):
            group.attrs[name] = value
            continue
        text = value.encode("utf-8", "surrogateescape")  # a file name may be invalid UTF-8
        if len(text) > LONGEST_ATTRIBUTE:
            raise UsageError(
                f"{name} has {len(text):,} bytes",
                f"at most {LONGEST_ATTRIBUTE:,} bytes, the limit of an HDF5 attribute",
                f"give a shorter {name}",
            )
        kind = h5py.string_dtype(length=max(len(text), 1))
        group.attrs.create(name, np.array(text, kind), dtype=kind)


def read_attributes(group: h5py.Group) -> dict[str, Any]:
    """Read attributes as plain Python values.

    Raises:
        ValueError: If a name is no text, or a value not one number, bool or string.
    """
    for name in group.attrs:
        if not isinstance(name, str):  # h5py returns bytes that are not UTF-8 as they are
            raise ValueError(f"the name of the attribute {name!r} is not UTF-8")
    return {name: read_attribute(group, name) for name in group.attrs}


def read_attribute(group: h5py.Group, name: str) -> Value:
    """Read an attribute as a plain Python value.

    Raises:
        ValueError: If it is not one number, bool or string; its size would be unbounded.
    """
    stored = group.attrs.get_id(name)
    shape, dtype = stored.shape, stored.dtype
    # Only plain strings of variable length are tested below, not those inside compound types.
    plain = dtype.kind in "biufS" or h5py.check_string_dtype(dtype) is not None
    if shape != () or not plain or dtype.itemsize > LONGEST_ATTRIBUTE:
        raise ValueError(f"the attribute {name} has shape {shape} and type {dtype}")
    if dtype.kind == "O":
        path = Path(group.file.filename)
        state = path.stat()
        _try_all_strings(path, state.st_mtime_ns, state.st_size)
    value = group.attrs[name]
    value = value.item() if isinstance(value, np.generic) else value
    value = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    if not isinstance(value, Value):
        raise ValueError(f"the attribute {name} is {value!r}, not a number or a string")
    return value


@functools.lru_cache(maxsize=1)
def _try_all_strings(path: Path, changed: int, size: int) -> None:
    """Test the strings of a file once for each version of it, not once for each attribute."""
    try_strings(path)
