"""Attributes of an HDF5 file, as plain Python values.

Strings are written in a fixed length. A damaged one of variable length, as other tools write them,
can hang or crash the HDF5 library: a child process reads those of the file first.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from jaxnet.errors import UsageError
from jaxnet.io.bounded_hdf5 import try_strings

LONGEST_ATTRIBUTE = 65_000  # in bytes; HDF5 keeps 64 KiB with the name

Value = str | int | float | bool


def write_attributes(group: h5py.Group, values: Mapping[str, Value]) -> None:
    """Write attributes; strings in a fixed length, which is what can be read without danger.

    Raises:
        UsageError: If a string is longer than an attribute may be.
    """
    for name, value in values.items():
        if not isinstance(value, str):
            group.attrs[name] = value
            continue
        text = value.encode("utf-8", "surrogateescape")  # a file name may be no UTF-8
        if len(text) > LONGEST_ATTRIBUTE:
            raise UsageError(
                f"{name} takes {len(text):,} bytes",
                f"at most {LONGEST_ATTRIBUTE:,}, as HDF5 keeps attributes",
                f"give a shorter {name}",
            )
        kind = h5py.string_dtype(length=max(len(text), 1))
        group.attrs.create(name, np.array(text, kind), dtype=kind)


def read_attributes(group: h5py.Group) -> dict[str, Any]:
    """Read attributes as plain Python values."""
    return {name: read_attribute(group, name) for name in group.attrs}


def read_attribute(group: h5py.Group, name: str) -> Value:
    """Read an attribute as a plain Python value.

    Raises:
        ValueError: If it is another: it may then be of any size.
    """
    stored = group.attrs.get_id(name)
    shape, dtype = stored.shape, stored.dtype
    # Only a plain string of variable length is tried; other types may hold such strings inside.
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
        raise ValueError(f"the attribute {name} is {value!r}")
    return value


@functools.lru_cache(maxsize=1)
def _try_all_strings(path: Path, changed: int, size: int) -> None:
    """Try the strings of a file once, not for each attribute, until it is changed again."""
    try_strings(path)
