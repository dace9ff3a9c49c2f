"""`jaxnet data` for pictures that do not fit into memory."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from jaxnet.data.source import DataSource
from jaxnet.defaults import SIDE
from jaxnet.errors import UsageError
from jaxnet.explain import in_units
from jaxnet.machine import free_memory
from jaxnet.report.console import show_progress

if TYPE_CHECKING:
    from jaxnet.data.listed import Listing

# More pixels are not loaded, however much memory there is: an audit of them takes long, and what is
# read into memory cannot be continued.
LOADED_BYTES = 2**30

# Loading takes twice the memory of the pixels, and what follows some more.
LOADED_SHARE = 1 / 4


def list_if_large(source: DataSource) -> "Listing | None":
    """List the picture files of a source whose pictures are too many to be loaded, else None."""
    from jaxnet.data.load import list_pictures

    listing = list_pictures(source)
    if listing is None or _bytes_of(listing, source) <= _most_bytes():
        return None
    return listing


def write_large(
    console: Console,
    listing: "Listing",
    source: DataSource,
    write: Path | None,
    *,
    force: bool,
    draws: bool,
) -> dict[str, Any]:
    """Write the pictures of a listing into a file, and show them; return the answer for JSON.

    Args:
        console: Where to print.
        listing: The files.
        source: The options.
        write: The new file.
        force: Whether to replace an existing file.
        draws: Whether a contact sheet is asked for, which needs the pictures in memory.
    """
    from jaxnet.data.write_stored import write_listing
    from jaxnet.report.stream import describe_stored, stored_to_json

    needed = f"{_count(listing):,} pictures are {in_units(_bytes_of(listing, source))} of pixels"
    if write is None:
        raise UsageError(
            f"{listing.source} is not loaded: {needed}",
            "data that fit into memory, or a file to which they are written",
            f"write them: jaxnet data {listing.source} --write NEW.h5",
        )
    if draws:
        raise UsageError(
            f"--sheet is given, and {needed}",
            "a contact sheet of pictures that are loaded",
            "leave --sheet out",
        )
    if source.exclude_leaks:
        raise UsageError(
            f"exclude_leaks is given, and {needed}",
            "pictures that are written as they are",
            "leave --exclude-leaks out; jaxnet data NEW.h5 finds the duplicates",
        )
    console.print(
        f"{listing.source}: {needed}. They are not loaded, but written to {write} in blocks; if "
        "this is interrupted, the same command goes on."
    )
    written = write_listing(listing, source, write, force=force, track=show_progress)
    if written.earlier:
        console.print(f"{written.earlier:,} pictures had been written before")
    console.print(describe_stored(written.splits))
    for line in written.skipped:
        console.print(f"left out: {line}", style="yellow")
    for found in written.passed_over:
        console.print(f"passed over: {found}", style="yellow")
    console.print(
        f"values, brightness and duplicates are not examined yet: jaxnet data {write}",
        f"written: {write}",
        sep="\n",
    )
    return stored_to_json(written.splits) | {
        "skipped": list(written.skipped),
        "passed_over": [
            {"kind": found.kind, "count": found.count, "example": found.example}
            for found in written.passed_over
        ],
    }


def _count(listing: "Listing") -> int:
    return sum(map(len, listing.splits.values()))


def _bytes_of(listing: "Listing", source: DataSource) -> int:
    return 3 * (source.size or SIDE) ** 2 * _count(listing)


def _most_bytes() -> float:
    free = free_memory()
    return min(LOADED_BYTES, LOADED_SHARE * (math.inf if free is None else free))
