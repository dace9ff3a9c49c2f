"""Which pictures are too many to be loaded, and stay in their files."""

import math
import os
from typing import NamedTuple

from jaxnet.data.listed import Listing
from jaxnet.data.source import DataSource
from jaxnet.data.stored import StoredPictures, count_pictures, files_of, open_splits
from jaxnet.defaults import SIDE
from jaxnet.errors import UsageError
from jaxnet.explain import in_units
from jaxnet.machine import free_memory

# `jaxnet data` does not load more pixels, however much memory there is: an audit of them takes
# long, and what is read into memory cannot be continued.
LOADED_BYTES = 2**30
LOADED_SHARE = 1 / 4  # nor more than this share of the free memory

# What takes part in a training takes so many times the memory of the pixels: they are joined when
# they are read, and X is float32.
IN_MEMORY = 3

# Pictures are hardly ever compressed further, so that smaller files are not opened to be measured.
COMPRESSION = 16


class Amount(NamedTuple):
    """How many pictures there are, and the bytes of their pixels; 0 if they are few."""

    pictures: int
    size: int

    @property
    def is_large(self) -> bool:
        """Whether they are too many to be loaded only to be examined."""
        return self.size > _most_examined()


def open_if_large(source: str | DataSource) -> dict[str, StoredPictures] | None:
    """Open the splits of an HDF5 file whose pictures are too many to be loaded, else None.

    Those are more than 1 GiB, or a quarter of the free memory. `audit`, `find_pairs` and `evaluate`
    take what it returns in place of a `Dataset`.

    Args:
        source: Which data.

    Raises:
        DataError: If they are too many, and the file has another layout than the article's.
        UsageError: If they are too many, and an option asks for others than those of the file.
    """
    source = DataSource(source) if isinstance(source, str) else source
    amount = measure(source)
    if not amount.is_large:
        return None
    for name in ("positive", "size", "validation", "exclude_leaks", "layout", "group_by"):
        if getattr(source, name):
            raise UsageError(
                f"{name} is given for {source.data}, whose {in_units(amount.size)} of pixels are "
                "not loaded",
                "the pictures as they are in the file",
                f"leave {name} out",
            )
    return open_splits(source.data, source.test)


def require_memory(source: DataSource, listing: Listing | None = None) -> None:
    """Raise a UsageError if pictures would not fit into memory, before any is read.

    Args:
        source: Which pictures.
        listing: Their files, if each has one of its own.
    """
    amount, free = measure(source, listing), free_memory()
    needed = IN_MEMORY * amount.size
    if free is None or needed <= free:
        return
    raise UsageError(
        f"the {amount.pictures:,} pictures of {source.data} are {in_units(amount.size)} of pixels "
        f"and would take about {in_units(needed)} of memory; there are {in_units(free)} free",
        f"at most {int(amount.pictures * free / needed):,} such pictures here, since all are "
        "needed at once",
        "give fewer pictures, or train on a stream, which reads an HDF5 file in blocks",
    )


def measure(source: DataSource, listing: Listing | None = None) -> Amount:
    """Count the pictures of a source, without reading them; its files are in a listing, if any."""
    if listing is not None:
        pictures = sum(map(len, listing.splits.values()))
        return Amount(pictures, bytes_of_picture(source) * pictures)
    # Unlike Path.is_file, os.path.isfile does not raise for names that are too long.
    on_disk = sum(path.stat().st_size for path in files_of(source.data) if os.path.isfile(path))
    free = free_memory()
    least = math.inf if free is None else free / IN_MEMORY
    if COMPRESSION * on_disk <= min(least, _most_examined()):
        return Amount(0, 0)
    return Amount(*count_pictures(source.data))


def bytes_of_picture(source: DataSource) -> int:
    """Compute how many bytes a picture takes that is read from a file of its own."""
    return 3 * (source.size or SIDE) ** 2


def _most_examined() -> float:
    free = free_memory()
    return min(LOADED_BYTES, LOADED_SHARE * (math.inf if free is None else free))
