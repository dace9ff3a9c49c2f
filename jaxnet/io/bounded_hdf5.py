"""Reading an HDF5 file that may be damaged or hostile, within bounds and without another file.

The HDF5 library trusts what it reads: a tiny file can make it take any memory, hang, crash, or open
what a link names. So sizes are compared with the file first, links are followed by hand, and what
cannot be bounded beforehand is tried in a child process.
"""

import contextlib
import hashlib
import math
import mmap
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from jaxnet.errors import DataError, JaxnetError
from jaxnet.io.files import require_path, unreadable

# A tiny file may declare an array larger than any memory. Real pictures shrink to a half or a
# tenth when compressed, constant ones to a thousandth; beyond these bounds a claim is not believed.
BELIEVED_BYTES = 16 * 2**20
BELIEVED_RATIO = 200
DEFLATE_RATIO = 1032  # the most bytes that a compressed one can become
SECONDS_FOR_STRINGS = 60  # for the whole process; reading takes two of computing at most
CHUNK_RECORD = 1024  # the most bytes that the HDF5 library takes to keep a chunk in mind


@contextlib.contextmanager
def open_hdf5(
    path: Path, expected: str, error: type[JaxnetError] = DataError, ours: bool = False
) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading, and raise `error` for whatever goes wrong inside the block.

    The HDF5 library tells of a damaged file by exceptions of many kinds. In a file of `ours` the
    seal, if it has one, is checked first.
    """
    require_path(path, error=error)
    if path.is_dir():
        raise error(f"{path} is a folder", expected, "name the file inside it")
    if not path.is_file():
        raise error(f"{path} is a pipe or a device", expected, "write it to a file first")
    try:
        if ours:
            _check_seal(path)
        with h5py.File(path, "r") as file:
            yield file
    except DataError as cause:
        raise error(cause.found, cause.expected, cause.remedy) from cause
    except JaxnetError:
        raise
    except PermissionError as cause:
        raise error(f"{path} may not be read", expected, "change its permissions") from cause
    except Exception as cause:
        raise unreadable(path, expected, error, str(cause)) from cause


def seal(path: Path) -> None:
    """Append the SHA-256 of an HDF5 file to it, so that damage to any byte is seen.

    HDF5 ends where its header says, and drops what follows when a tool changes the file: then it
    has no seal, and is read without.
    """
    digest = hashlib.sha256(path.read_bytes()).digest()
    with path.open("ab") as file:
        file.write(digest)


def _check_seal(path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = int.from_bytes(content[40:48], "little")
        # Only the first version of the header, which h5py writes, says there where the file ends.
        if content[:9] != b"\x89HDF\r\n\x1a\n\0" or end >= len(content):
            return
        with memoryview(content) as view, view[:end] as sealed:
            digest = hashlib.sha256(sealed).digest()
        if content[end:] != digest:
            raise ValueError("its bytes are not those that were written")


def try_strings(path: Path, name: str = "") -> None:
    """Raise a ValueError if strings of variable length cannot be read.

    A damaged length or place lets the HDF5 library hang, crash, or take any memory: a child process
    reads them first, those of `name`, or all that are in the file.
    """
    command = [sys.executable, "-P", "-c", _READ_STRINGS, str(path), name]
    # Each thread of OpenBLAS takes memory.
    settings = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS_FOR_STRINGS,
            env=os.environ | settings,
            check=True,
        )
    except subprocess.SubprocessError as cause:
        told = getattr(cause, "stderr", None) or "the HDF5 library crashed or hung"
        raise ValueError(f"its strings cannot be read: {told.splitlines()[-1]}") from cause


_READ_STRINGS = """
import contextlib, sys, time
import h5py

with contextlib.suppress(ImportError, OSError, ValueError):  # where a system has no such limit
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds = int(time.process_time()) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))

def read(name, item):
    if isinstance(item, h5py.Dataset) and item.dtype.kind == "O":
        if not item.is_virtual and not item.external:
            item[()]
    elif isinstance(item, h5py.Group):
        dict(item.attrs)

_, path, name = sys.argv
with h5py.File(path, "r") as file:
    if name:
        read(name, file[name])
    else:
        read("/", file)
        file.visititems(read)
"""


def find_inside(group: h5py.Group, name: str, follow: bool = True) -> h5py.Group | h5py.Dataset:
    """Open what is at `name` in a group, without touching another file.

    A soft link is followed once, to where no further link is. A group is asked link by link, since
    opening a path, or even asking whether it exists, opens the files that it leads through.

    Raises:
        KeyError: If there is nothing of this name.
        DataError: If a link leads elsewhere, or a dataset has its values in other files.
    """
    there = group
    for part in filter(None, name.split("/")):
        key = part.encode("utf-8", "surrogateescape")
        if not isinstance(there, h5py.Group) or not there.id.links.exists(key):
            raise KeyError(f"there is no {part} in {there.name}")
        kind = there.id.links.get_info(key).type
        if kind == h5py.h5l.TYPE_HARD:
            there = there[part]
        elif kind == h5py.h5l.TYPE_SOFT and follow:
            target = there.id.links.get_val(key).decode("utf-8", "surrogateescape")
            start = group.file if target.startswith("/") else there
            there = find_inside(start, target, follow=False)
        else:
            raise DataError(
                f"{part} in {group.file.filename} is a link that leads elsewhere",
                "all that is read in one file",
                "put what it leads to in its place: h5copy does that",
            )
    if isinstance(there, h5py.Dataset):
        plan = there.id.get_create_plist()
        if plan.get_layout() == h5py.h5d.VIRTUAL or plan.get_external_count():
            raise DataError(
                f"{name} in {group.file.filename} has its values in other files",
                "all that is read in one file",
                "write the values into this file",
            )
    return there


def find_group(group: h5py.Group, name: str) -> h5py.Group:
    """Open a group inside a group, as `find_inside` does."""
    there = find_inside(group, name)
    if not isinstance(there, h5py.Group):
        raise ValueError(f"{name} is no group")
    return there


def find_array(group: h5py.Group, name: str) -> h5py.Dataset:
    """Open an array inside a group, as `find_inside` does, for `read_array` to read."""
    there = find_inside(group, name)
    if not isinstance(there, h5py.Dataset) or there.shape is None:
        raise DataError(
            f"{name} in {group.file.filename} is a group, or empty",
            "a dataset with values",
            "write the values under this name",
        )
    return there


def read_array(source: h5py.Dataset) -> np.ndarray:
    """Read a whole HDF5 dataset, once its declared size is plausible for the file that holds it.

    The values are in the byte order of this machine.

    Raises:
        DataError: If they are neither numbers nor strings, or take more memory than plausible.
    """
    path = Path(source.file.filename)
    dtype = source.dtype
    if dtype.kind not in "iufcbS":
        if h5py.check_string_dtype(dtype) is None:
            raise DataError(
                f"{source.name} in {path} is of type {dtype}",
                "plain numbers or strings",
                "write the values as such",
            )
        try_strings(path, source.name)
    stored = path.stat().st_size
    believed = max(BELIEVED_BYTES, BELIEVED_RATIO * stored)
    # A chunk is unpacked whole, even one that is larger than the array.
    declared = dtype.itemsize * max(math.prod(source.shape), math.prod(source.chunks or ()))
    if declared > believed:
        raise DataError(
            f"{source.name} in {path} declares {declared / 2**30:,.1f} GiB "
            f"in a file of {stored / 2**20:,.1f} MiB",
            f"at most {BELIEVED_RATIO} times the file's size",
            "do not trust this file; make it anew from the pictures",
        )
    if source.chunks is not None:
        _check_chunks(source, believed)
    array = np.asarray(source[()])
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _check_chunks(source: h5py.Dataset, believed: int) -> None:
    """Raise an error if unpacking the chunks could crash, or take more memory than is believed.

    The HDF5 library keeps a record of each chunk, and makes room for all that comes out of one,
    even if it is more than the chunk declares.
    """
    count = math.prod(math.ceil(n / c) for n, c in zip(source.shape, source.chunks, strict=True))
    if count * CHUNK_RECORD > believed:
        raise ValueError(f"{source.name} is cut into {count:,} chunks")
    plan = source.id.get_create_plist()
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    packers = [f for f in filters if f not in (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)]
    # Others, which hardly anyone takes for pictures, crash if their settings are damaged.
    if packers not in ([], [h5py.h5z.FILTER_DEFLATE], [h5py.h5z.FILTER_LZF]):
        names = ", then ".join(plan.get_filter(i)[3].decode() for i in range(len(filters)))
        raise DataError(
            f"{source.name} in {source.file.filename} is packed by {names}",
            "gzip or lzf, once, or none",
            "pack it anew: h5repack -f GZIP=4",
        )
    if packers != [h5py.h5z.FILTER_DEFLATE]:
        return
    large: list[tuple[int, ...]] = []

    def look(chunk: h5py.h5d.StoreInfo) -> None:
        if chunk.size * DEFLATE_RATIO > believed:
            large.append(chunk.chunk_offset)

    source.id.chunk_iter(look)
    declared = source.dtype.itemsize * math.prod(source.chunks)
    for offset in large:
        skipped, packed = source.id.read_direct_chunk(offset)
        if not skipped and len(zlib.decompressobj().decompress(packed, declared + 1)) > declared:
            raise ValueError(f"a chunk of {source.name} unpacks to more than it declares")
