"""Read HDF5 files that may be damaged or hostile, within limits and from one file only.

The HDF5 library does not validate its input: a tiny file can make it allocate any amount of memory,
hang, crash, or open another file through a link. Therefore declared sizes are compared with the
file's size, links are resolved here, and what cannot be bounded beforehand is first read in a child
process.
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

from jaxnet.errors import DataError, JaxnetError, ModelFileError
from jaxnet.explain import Reason, explain, is_contradiction, is_of_jax
from jaxnet.io.files import cannot_be_read, require_path, unreadable
from jaxnet.io.filters import name_filter, repack_remedy
from jaxnet.io.superblock import HEAD, is_marked_open, require_unlocked, without_mark

# A tiny file may declare an array larger than any memory. Photographs compress to a half or a tenth
# of their size, constant pictures to a thousandth. An array is refused if it exceeds both bounds.
PLAUSIBLE_BYTES = 16 * 2**20
PLAUSIBLE_RATIO = 200
DEFLATE_RATIO = 1032  # the largest expansion factor of deflate
SECONDS_FOR_STRINGS = 60  # wall time of the child process, which limits its CPU time to about 2 s
CHUNK_RECORD = 1024  # the most bytes of the HDF5 library's record of one chunk


@contextlib.contextmanager
def open_hdf5(
    path: Path, expected: str, error: type[JaxnetError] = DataError, ours: bool = False
) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; raise `error` if it fails, also inside the `with` block.

    The HDF5 library reports a damaged file by exceptions of many types. An exception that neither
    the file nor the system explains passes as it is.

    Args:
        path: The file.
        expected: A description of the file that was expected, for the message.
        error: The type of the error.
        ours: Whether jaxnet writes such files. If so, the seal is checked first, if there is one.
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
    except Exception as cause:
        reason = explain(cause)
        if is_of_jax(cause) or (reason is None and not is_contradiction(cause, "h5py")):
            raise
        if reason is None and is_marked_open(path):
            reason = _left_open(path)
        if reason is not None:
            raise cannot_be_read(path, reason, error=error) from cause
        raise unreadable(path, expected, error, str(cause)) from cause


def _left_open(path: Path) -> Reason:
    return Reason(
        "a program opened it for writing and did not close it; either it still writes to it, or it "
        "was killed, and what it wrote last may be missing",
        "a file that its writer has closed",
        f"close it in that program; if none has it open, clear the mark with: h5clear -s {path} — "
        "or write the file again",
    )


@contextlib.contextmanager
def verify_parts(kind: str, path: Path, again: str) -> Iterator[None]:
    """Raise a ModelFileError if a part of a file of jaxnet's own is missing or contradicts another.

    Args:
        kind: The kind of file, for the message: "a model file".
        path: The file.
        again: What makes such a file anew: "train again".
    """
    try:
        yield
    except ModelFileError:
        raise
    except Exception as cause:
        if not is_contradiction(cause, "h5py"):
            raise
        raise ModelFileError(
            f"{path} is {kind} with a part missing or changed ({getattr(cause, 'found', cause)})",
            "an unchanged file, as it was written",
            f"use an undamaged copy, or {again}",
        ) from cause


def seal(path: Path) -> None:
    """Append the SHA-256 of an HDF5 file to it, so that damage to any byte is detected.

    An HDF5 file ends at the offset in its header. When a tool modifies the file, the HDF5 library
    drops the bytes after this offset. The file then has no seal and is read without this check.
    """
    digest = hashlib.sha256(path.read_bytes()).digest()
    with path.open("ab") as file:
        file.write(digest)


def _check_seal(path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = int.from_bytes(content[40:48], "little")
        # These bytes are the end of the file only in version 0 of the header, which h5py writes.
        if content[:9] != b"\x89HDF\r\n\x1a\n\0" or end >= len(content):
            return
        with memoryview(content) as view, view[:end] as sealed:
            digest = hashlib.sha256(sealed).digest()
            kept = content[end:]
            if digest != kept and _digest_unmarked(sealed) != kept:
                require_unlocked(path)  # else it is being written to
                raise ValueError("its content does not match its checksum")


def _digest_unmarked(content: memoryview) -> bytes:
    """Return the SHA-256 of a file without the mark that a program has it open for writing.

    Opening it so sets the mark, even if nothing is written.
    """
    digest = hashlib.sha256(without_mark(bytes(content[:HEAD])))
    with content[HEAD:] as rest:
        digest.update(rest)
    return digest.digest()


def try_strings(path: Path, name: str = "") -> None:
    """Raise a ValueError if strings of variable length cannot be read.

    A damaged length or offset can make the HDF5 library hang, crash, or allocate any amount of
    memory. A child process with limits therefore reads the strings first: those of `name`, or by
    default all in the file.
    """
    command = [sys.executable, "-P", "-c", _READ_STRINGS, str(path), name]
    # Each thread of OpenBLAS takes address space, which the child process limits.
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
        reason = getattr(cause, "stderr", None) or "the HDF5 library crashed or hung"
        raise ValueError(f"its strings cannot be read: {reason.splitlines()[-1]}") from cause


_READ_STRINGS = """
import contextlib, sys, time
import h5py

with contextlib.suppress(ImportError, OSError, ValueError):  # some systems have no such limit
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


def names_in(group: h5py.Group) -> list[str]:
    """List the names of what a group holds, also those that are not UTF-8.

    A link into another file is not followed, as `name in group` would.
    """
    return [
        name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
        for name in group
    ]


def find_inside(group: h5py.Group, name: str, follow: bool = True) -> h5py.Group | h5py.Dataset:
    """Open the group or dataset at `name` in a group, without opening another file.

    One soft link is followed; its target may not contain another. The path is resolved link by
    link, because opening a path, or testing whether it exists, opens the files of external links.

    Raises:
        KeyError: If the name does not exist.
        DataError: If a link is external or a second one, or a dataset has its values in other
            files.
    """
    item = group
    for part in filter(None, name.split("/")):
        key = part.encode("utf-8", "surrogateescape")
        if not isinstance(item, h5py.Group) or not item.id.links.exists(key):
            raise KeyError(f"there is no {part} in {item.name}")
        link_type = item.id.links.get_info(key).type
        if link_type == h5py.h5l.TYPE_HARD:
            item = item[part]
        elif link_type == h5py.h5l.TYPE_SOFT and follow:
            target = item.id.links.get_val(key).decode("utf-8", "surrogateescape")
            start = group.file if target.startswith("/") else item
            item = find_inside(start, target, follow=False)
        else:
            soft = link_type == h5py.h5l.TYPE_SOFT
            kind = "a soft link in the target of another soft link" if soft else "an external link"
            raise DataError(
                f"{part} in {group.file.filename} is {kind}",
                "data in this file, reached by at most one soft link",
                "replace the link by a copy of its target, for example with h5copy",
            )
    if isinstance(item, h5py.Dataset):
        properties = item.id.get_create_plist()
        if properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count():
            raise DataError(
                f"{name} in {group.file.filename} stores its values in other files",
                "values in this file",
                "write the values into this file",
            )
    return item


def find_group(group: h5py.Group, name: str) -> h5py.Group:
    """Open a group inside a group, as `find_inside` does."""
    item = find_inside(group, name)
    if not isinstance(item, h5py.Group):
        raise ValueError(f"{name} is not a group")
    return item


def find_array(group: h5py.Group, name: str) -> h5py.Dataset:
    """Open an array inside a group, as `find_inside` does, for `read_array` to read."""
    item = find_inside(group, name)
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        raise DataError(
            f"{name} in {group.file.filename} is a group or an empty dataset",
            "a dataset with values",
            "write the values as a dataset of this name",
        )
    return item


def read_array(source: h5py.Dataset) -> np.ndarray:
    """Read a whole HDF5 dataset, after `check_array`.

    Returns:
        The values, in the byte order of this machine.

    Raises:
        DataError: As `check_array`.
        ValueError: As `check_array`.
    """
    check_array(source)
    array = np.asarray(source[()])
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_array(source: h5py.Dataset) -> None:
    """Check the declared size of an HDF5 dataset against the file's size, and how it is stored.

    Raises:
        DataError: If its values are neither numbers nor strings, it declares an implausible size,
            or is compressed by an unsupported filter.
        ValueError: If a string or a chunk is damaged.
    """
    path = Path(source.file.filename)
    dtype = source.dtype
    if dtype.kind not in "iufcbS":
        if h5py.check_string_dtype(dtype) is None:
            raise DataError(
                f"{source.name} in {path} is of type {dtype}",
                "numbers or strings",
                "write the values as numbers or strings",
            )
        try_strings(path, source.name)
    stored = path.stat().st_size
    plausible = max(PLAUSIBLE_BYTES, PLAUSIBLE_RATIO * stored)
    # A chunk is decompressed as a whole, even if it is larger than the array.
    declared = dtype.itemsize * max(math.prod(source.shape), math.prod(source.chunks or ()))
    if declared > plausible:
        raise DataError(
            f"{source.name} in {path} declares {declared / 2**30:,.1f} GiB "
            f"in a file of {stored / 2**20:,.1f} MiB",
            f"at most {plausible / 2**20:,.1f} MiB for a file of this size",
            "do not use this file; write it again from the original data",
        )
    if source.chunks is not None:
        _check_chunks(source, plausible)


def _check_chunks(source: h5py.Dataset, plausible: int) -> None:
    """Raise an error if reading the chunks could crash, or take more than `plausible` bytes.

    The HDF5 library keeps a record of each chunk, and allocates memory for all bytes that a chunk
    decompresses to, even if they are more than it declares.
    """
    count = math.prod(math.ceil(n / c) for n, c in zip(source.shape, source.chunks, strict=True))
    if count * CHUNK_RECORD > plausible:
        raise ValueError(f"{source.name} has {count:,} chunks, too many for the size of the file")
    properties = source.id.get_create_plist()
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    packers = [f for f in filters if f not in (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)]
    # Other filters, rarely used for pictures, crash if their settings are damaged.
    if packers not in ([], [h5py.h5z.FILTER_DEFLATE], [h5py.h5z.FILTER_LZF]):
        names = ", then ".join(name_filter(number) for number in filters)
        raise DataError(
            f"{source.name} in {source.file.filename} is compressed with {names}",
            "no compression, or gzip or lzf once",
            repack_remedy(filters),
        )
    if packers != [h5py.h5z.FILTER_DEFLATE]:
        return
    large: list[tuple[int, ...]] = []

    def collect_large(chunk: h5py.h5d.StoreInfo) -> None:
        if chunk.size * DEFLATE_RATIO > plausible:
            large.append(chunk.chunk_offset)

    source.id.chunk_iter(collect_large)
    declared = source.dtype.itemsize * math.prod(source.chunks)
    for offset in large:
        unfiltered, packed = source.id.read_direct_chunk(offset)
        if not unfiltered and len(zlib.decompressobj().decompress(packed, declared + 1)) > declared:
            raise ValueError(
                f"a chunk of {source.name} decompresses to more bytes than it declares"
            )
