"""Read the picture files that a folder or a table lists, each with its class, as a data set."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset, PassedOver, Split, describe_joined, two_classes
from jaxnet.data.hold_out import TEST_SHARE, hold_out
from jaxnet.data.passed_over import require_none
from jaxnet.data.pictures import read_pictures
from jaxnet.errors import UsageError
from jaxnet.progress import Track, silent


class Entry(NamedTuple):
    """A picture file, its class, and its group, if it has one."""

    path: Path
    label: str
    group: str | None = None


class Listing(NamedTuple):
    """The picture files of a data set.

    Attributes:
        source: Where they are listed, for messages.
        names: The classes, in the order from which the default of the positive class is chosen.
        splits: The files of "train", and of "validation" and "test" if there are any.
        named: Whether the source says what the test split is; otherwise one is drawn.
        passed_over: What is not read.
    """

    source: str
    names: Sequence[str]
    splits: dict[str, list[Entry]]
    named: bool
    passed_over: tuple[PassedOver, ...] = ()


def group_listing(listing: Listing, pattern: str | None) -> Listing:
    """Group the files of a listing by their names; None leaves it as it is.

    Args:
        listing: The files.
        pattern: A regular expression that is searched in every file name; its first group names
            what the picture belongs to. Where this group takes no part, a picture is alone.

    Raises:
        UsageError: If the listing has groups already, or a name does not contain the pattern.
    """
    if pattern is None:
        return listing
    if any(entry.group is not None for entries in listing.splits.values() for entry in entries):
        raise UsageError(
            f"group_by is given for {listing.source}, which has a column of groups",
            "groups from the table or from the file names",
            "leave group_by out, or remove the column",
        )
    found = re.compile(pattern)

    def grouped(entry: Entry) -> Entry:
        match = found.search(entry.path.name)
        if match is None:
            raise UsageError(
                f"the file name {entry.path.name} does not contain the pattern {pattern}",
                "a pattern that every file name contains, whose first group names the animal, "
                "patient or scene of the picture",
                'correct group_by, or make it optional, as in "(?:^([a-z]+)-)?"',
            )
        name = match[1]
        return entry._replace(group=f"picture {entry.path}" if name is None else name)

    splits = {name: [*map(grouped, entries)] for name, entries in listing.splits.items()}
    return listing._replace(splits=splits)


def read_listing(
    listing: Listing,
    positive: str | None,
    size: int,
    seed: int,
    *,
    skip_bad: bool = False,
    strict: bool = False,
    track: Track = silent,
) -> Dataset:
    """Read the pictures of a listing; of more than two classes all but `positive` become one.

    Args:
        listing: The files.
        positive: The class of label 1.
        size: Every picture is resized to size × size pixels.
        seed: The seed of a random test split, a fifth of each class; it parts no group.
        skip_bad: Leave out pictures that cannot be read, instead of raising an error.
        strict: Raise an error if any file is passed over.
        track: Reports the progress.

    Raises:
        DataError: If a picture cannot be read; with `strict`, if a file is passed over.
        UsageError: If the positive class is missing or ambiguous.
    """
    if strict:
        require_none(listing.source, listing.passed_over)
    classes = two_classes(listing.names, positive, listing.source)
    skipped: list[str] = []
    read: dict[str, Split] = {}
    for split, entries in listing.splits.items():
        paths = [entry.path for entry in entries]
        labels, groups = label_entries(entries, classes)
        images, kept, errors = read_pictures(paths, size, size, skip_bad=skip_bad, track=track)
        read[split] = Split(images, labels[kept], None if groups is None else groups[kept])
        skipped += [error.found for error in errors]
    source = f"{listing.source}, {size} × {size}{describe_joined(listing.names, classes)}"
    if not listing.named:
        read = hold_out(read["train"], seed)
        if "test" in read:
            source += f", {TEST_SHARE:.0%} held out as the test split (seed {seed})"
    return Dataset(
        read["train"],
        read.get("test"),
        classes,
        source,
        tuple(skipped),
        validation=read.get("validation"),
        passed_over=listing.passed_over,
    )


def label_entries(
    entries: Sequence[Entry], classes: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the labels (m,) of entries, and their groups (m,) as texts, if they have any."""
    labels = np.array([int(entry.label == classes[1]) for entry in entries])
    if all(entry.group is None for entry in entries):
        return labels, None
    return labels, np.array([entry.group for entry in entries], np.str_)
