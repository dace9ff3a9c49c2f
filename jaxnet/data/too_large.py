"""Which pictures are too many to be loaded, and stay in their files."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jaxnet.data.source import DataSource
from jaxnet.defaults import SIDE
from jaxnet.errors import UsageError
from jaxnet.explain import in_units
from jaxnet.io.files import expand
from jaxnet.machine import free_memory

if TYPE_CHECKING:
    from jaxnet.data.listed import Listing
    from jaxnet.data.stored import StoredPictures
    from jaxnet.runs.run import Run

# `jaxnet data` does not load more pixels, however much memory there is: an audit of them takes
# long, and what is read into memory cannot be continued.
LOADED_BYTES = 2**30
LOADED_SHARE = 1 / 4  # nor more than this share of the free memory

# What takes part in a training takes so many times the memory of the pixels: they are joined when
# they are read, and X is float32.
IN_MEMORY = 3

# Pictures are hardly ever compressed further, so that smaller files are not opened to be measured.
COMPRESSION = 16
SHORTEST_ROW = 4  # bytes of a row of a table, "a,b\n"


class Many(NamedTuple):
    """Pictures that are many: their number, the bytes of their pixels, and their files, if listed.

    The files are None where the pictures are in HDF5 files.
    """

    pictures: int
    size: int
    listing: "Listing | None"


def list_if_large(source: DataSource) -> "Listing | None":
    """List the picture files of a source whose pictures are too many to be shown, else None."""
    many = find_many(source, _most_bytes())
    return many and many.listing


def open_if_large(source: DataSource) -> "dict[str, StoredPictures] | None":
    """Open the splits of an HDF5 file whose pictures are too many to be loaded, else None.

    Raises:
        UsageError: If they are too many, and an option asks for others than those of the file.
    """
    from jaxnet.data.stored import open_splits

    many = find_many(source, _most_bytes())
    if many is None or many.listing is not None:
        return None
    for name in ("positive", "size", "exclude_leaks", "layout"):
        if getattr(source, name):
            raise UsageError(
                f"{name} is given for {source.data}, whose {in_units(many.size)} of pixels are "
                "not loaded",
                "the pictures as they are in the file",
                f"leave {name} out",
            )
    return open_splits(source.data, source.test)


def open_for(run: "Run", typed: dict[str, Any]) -> "dict[str, StoredPictures] | None":
    """Open the data of a run, or those that are typed, where they are not to be loaded, else None.

    Those of a run that was trained on a stream are not, however few they are.
    """
    from jaxnet.data.stored import open_splits
    from jaxnet.runs.run import source_for

    source = source_for(run, **typed)
    if "stream_sha256" in run.origin and not typed:
        return open_splits(source.data)
    return open_if_large(source)


def require_memory(source: DataSource) -> None:
    """Raise a UsageError if pictures would not fit into memory, before any is read."""
    free = free_memory()
    many = None if free is None else find_many(source, free / IN_MEMORY)
    if many is None or free is None:
        return
    needed = IN_MEMORY * many.size
    raise UsageError(
        f"the {many.pictures:,} pictures of {source.data} are {in_units(many.size)} of pixels and "
        f"would take about {in_units(needed)} of memory; there are {in_units(free)} free",
        f"at most {int(many.pictures * free / needed):,} such pictures here, since all are needed "
        "at once",
        "give fewer pictures, or train on a stream: jaxnet train --stream",
    )


def find_many(source: DataSource, most: float) -> Many | None:
    """Count the pictures of a source if their pixels take more than `most` bytes, else None."""
    from jaxnet.data.load import list_pictures
    from jaxnet.data.stored import count_pictures, files_of

    size = bytes_of_picture(source)
    if _may_list(source, most / size):
        listing = list_pictures(source)
        if listing is not None:
            pictures = sum(map(len, listing.splits.values()))
            return Many(pictures, size * pictures, listing) if size * pictures > most else None
    files = files_of(source.data)
    # Unlike Path.is_file, it does not raise for names that are too long.
    on_disk = sum(path.stat().st_size for path in files if os.path.isfile(path))
    if COMPRESSION * on_disk <= most:
        return None
    pictures, size = count_pictures(source.data)
    return Many(pictures, size, None) if size > most else None


def bytes_of_picture(source: DataSource) -> int:
    """Compute how many bytes a picture takes that is read from a file of its own."""
    return 3 * (source.size or SIDE) ** 2


def _may_list(source: DataSource, most: float) -> bool:
    """Return whether a source may list more than `most` files; to list them takes much longer."""
    count = 0
    for place in filter(None, (source.data, source.test)):
        path = expand(place)
        if os.path.isfile(path):
            count += path.stat().st_size // SHORTEST_ROW
        for folder, folders, files in os.walk(path):
            count += len(files)
            # What a link leads to is not counted here.
            if count > most or any(Path(folder, name).is_symlink() for name in folders):
                return True
    return count > most


def _most_bytes() -> float:
    free = free_memory()
    return min(LOADED_BYTES, LOADED_SHARE * (math.inf if free is None else free))
