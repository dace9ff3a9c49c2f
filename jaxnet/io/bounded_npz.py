"""Read NumPy archives (.npz) that may be damaged or hostile, within limits and without pickle.

An archive is a ZIP file with one array in each member. What a member declares is read and compared
with the size of the file before memory is taken, and no more is decompressed than was declared.
"""

import contextlib
import math
import tokenize
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, NamedTuple

import numpy as np

from jaxnet.errors import DataError, JaxnetError
from jaxnet.explain import is_contradiction
from jaxnet.io.bounded_hdf5 import PLAUSIBLE_BYTES, PLAUSIBLE_RATIO
from jaxnet.io.content import describe_content
from jaxnet.io.files import COPY_AGAIN, reading, require_path, unreadable

NPZ = "a NumPy archive (.npz)"  # the kind of the content
EXPECTED = "a NumPy archive (.npz) of arrays of numbers or texts"
MOST_MEMBERS = 1000
HEADER_BYTES = 10_000  # NumPy's own limit of the length of a header

# What is raised of a damaged archive outside of the modules that read it, or by their helpers.
_DAMAGE = (*(zipfile.BadZipFile, tokenize.TokenError, NotImplementedError, OverflowError),)


class Header(NamedTuple):
    """What a member declares: its shape, its type, and whether its columns are contiguous."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran_order: bool


def read_headers(path: Path) -> dict[str, Header]:
    """Read the shape and the type of every array in an archive, by name.

    Raises:
        DataError: If the file is no archive, is damaged, holds something that is no array, or
            declares an implausible size.
    """
    headers = {}
    with _open(path) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise DataError(
                f"{path} holds {len(members):,} members",
                f"at most {MOST_MEMBERS:,}",
                "store all pictures of a split in one array",
            )
        for member in members:
            name = member.filename.removesuffix(".npy")
            if name == member.filename:
                raise DataError(
                    f"{path} holds {name}, which is no array", EXPECTED, "write it by numpy.savez"
                )
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise DataError(
                    f"{name} in {path} is compressed by another method than NumPy's",
                    "no compression, or deflate",
                    "write it again by numpy.savez_compressed",
                )
            with archive.open(member) as file:
                headers[name] = _read_header(file)
            _check_size(path, name, headers[name])
    return headers


def read_member(path: Path, name: str) -> np.ndarray:
    """Read one array of an archive, in the byte order of this machine.

    Raises:
        DataError: If it is damaged, declares an implausible size, or holds Python objects.
    """
    with _open(path) as archive, archive.open(f"{name}.npy") as file:
        header = _read_header(file)
        _check_size(path, name, header)
        if header.dtype.hasobject:
            raise DataError(
                f"{name} in {path} holds Python objects, which only pickle reads; a pickle can run "
                "any program, and is never opened",
                "an array of numbers or texts",
                "if you trust the file, load it by numpy.load(…, allow_pickle=True), and save the "
                "array with a type of its own, as by astype(str) or astype(int)",
            )
        if header.dtype.kind not in "biufcSU":
            raise DataError(
                f"{name} in {path} is of type {header.dtype}",
                "numbers or texts",
                "store an array of numbers or texts",
            )
        size = header.dtype.itemsize * math.prod(header.shape)
        content = bytearray(file.read(size))
        if len(content) < size or file.read(1):
            raise ValueError(f"{name} does not have the size that it declares")
    order: Literal["F", "C"] = "F" if header.fortran_order else "C"
    array: np.ndarray = np.ndarray(header.shape, header.dtype, content, order=order)
    return array.astype(header.dtype.newbyteorder("="), order="C", copy=False)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    require_path(path)
    try:
        with reading(path), zipfile.ZipFile(path) as archive:
            yield archive
    except DataError:
        raise
    except Exception as cause:
        known = isinstance(cause, _DAMAGE) or is_contradiction(cause, "zipfile", "numpy")
        if not known:
            raise
        raise _damaged(path, cause) from cause


def _damaged(path: Path, cause: Exception) -> JaxnetError:
    if describe_content(path) != NPZ:
        return unreadable(path, EXPECTED, DataError)
    found = f"{path} is a NumPy archive that is cut off or damaged ({cause})"
    return DataError(found, EXPECTED, COPY_AGAIN)


def _read_header(file: IO[bytes]) -> Header:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        read = np.lib.format.read_array_header_1_0
    elif version in ((2, 0), (3, 0)):  # these differ in the names of fields only
        read = np.lib.format.read_array_header_2_0
    else:
        raise ValueError(f"version {version} of the npy format")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of headers that Python 2 wrote
        shape, fortran_order, dtype = read(file, max_header_size=HEADER_BYTES)
    if any(length < 0 for length in shape):
        raise ValueError(f"a shape is {shape}")
    return Header(shape, dtype, fortran_order)


def _check_size(path: Path, name: str, header: Header) -> None:
    stored = path.stat().st_size
    plausible = max(PLAUSIBLE_BYTES, PLAUSIBLE_RATIO * stored)
    declared = header.dtype.itemsize * math.prod(header.shape)
    if declared > plausible:
        raise DataError(
            f"{name} in {path} declares {declared / 2**30:,.1f} GiB "
            f"in a file of {stored / 2**20:,.1f} MiB",
            f"at most {plausible / 2**20:,.1f} MiB for a file of this size",
            "do not use this file; write it again from the original data",
        )
