"""`jaxnet data` for pictures that do not fit into memory."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.explain import in_units
from jaxnet.report.console import show_progress

if TYPE_CHECKING:
    from jaxnet.data.listed import Listing
    from jaxnet.data.stored import StoredPictures


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
    from jaxnet.data.too_large import bytes_of_picture
    from jaxnet.data.write_stored import write_listing
    from jaxnet.report.stream import describe_stored, stored_to_json

    count = sum(map(len, listing.splits.values()))
    needed = f"{count:,} pictures are {in_units(count * bytes_of_picture(source))} of pixels"
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


def show_large(
    console: Console,
    splits: "dict[str, StoredPictures]",
    *,
    writes: bool,
    draws: bool,
) -> dict[str, Any]:
    """Show and audit pictures that stay in their HDF5 file; return the answer for JSON.

    Args:
        console: Where to print.
        splits: The pictures.
        writes: Whether they are to be written to another file.
        draws: Whether a contact sheet is asked for.
    """
    from jaxnet.evaluation.audit import audit
    from jaxnet.report.audit import describe_brightness, describe_findings
    from jaxnet.report.json import to_json
    from jaxnet.report.stream import describe_stored, stored_to_json

    for asked, option in ((writes, "--write"), (draws, "--sheet")):
        if asked:
            raise UsageError(
                f"{option} is given, and the pictures are too many to be loaded",
                "pictures that stay in their file",
                f"leave {option} out",
            )
    console.print(describe_stored(splits))
    audited = audit(splits, track=show_progress)
    findings = describe_findings(audited)
    for finding in findings:
        console.print(f"warning: {finding}", style="yellow")
    console.print(describe_brightness(audited))
    return stored_to_json(splits) | {"audit": to_json(audited) | {"findings": findings}}
