"""Which pictures are too many to be loaded, and stay in their files."""

import math
from typing import TYPE_CHECKING

from jaxnet.data.source import DataSource
from jaxnet.defaults import SIDE
from jaxnet.errors import UsageError
from jaxnet.explain import in_units
from jaxnet.machine import free_memory

if TYPE_CHECKING:
    from jaxnet.data.listed import Listing
    from jaxnet.data.stored import StoredPictures

# More pixels are not loaded, however much memory there is: an audit of them takes long, and what is
# read into memory cannot be continued.
LOADED_BYTES = 2**30

# Loading takes twice the memory of the pixels, and what follows some more.
LOADED_SHARE = 1 / 4

# Pictures are hardly ever compressed further, so that smaller files are not opened to be measured.
COMPRESSION = 16


def list_if_large(source: DataSource) -> "Listing | None":
    """List the picture files of a source whose pictures are too many to be loaded, else None."""
    from jaxnet.data.load import list_pictures

    listing = list_pictures(source)
    size = 0 if listing is None else bytes_of(listing, source)
    return listing if _is_too_large(size) else None


def open_if_large(source: DataSource) -> "dict[str, StoredPictures] | None":
    """Open the splits of an HDF5 file whose pictures are too many to be loaded, else None.

    Raises:
        UsageError: If they are too many, and an option asks for others than those of the file.
    """
    from jaxnet.data.stored import count_bytes, files_of, open_splits

    on_disk = sum(path.stat().st_size for path in files_of(source.data) if path.is_file())
    if not _is_too_large(COMPRESSION * on_disk):
        return None
    size = count_bytes(source.data)
    if not _is_too_large(size):
        return None
    for name in ("positive", "size", "exclude_leaks", "layout"):
        if getattr(source, name):
            raise UsageError(
                f"{name} is given for {source.data}, whose {in_units(size)} of pixels are not "
                "loaded",
                "the pictures as they are in the file",
                f"leave {name} out",
            )
    return open_splits(source.data, source.test)


def bytes_of(listing: "Listing", source: DataSource) -> int:
    """Compute how many bytes the pictures of a listing take."""
    return 3 * (source.size or SIDE) ** 2 * sum(map(len, listing.splits.values()))


def _is_too_large(size: int) -> bool:
    free = free_memory()
    return size > min(LOADED_BYTES, LOADED_SHARE * (math.inf if free is None else free))
