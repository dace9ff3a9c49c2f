"""The options that choose a data set, for the library, the commands and the files of runs."""

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

from jaxnet.defaults import LARGEST_SEED, RECIPE
from jaxnet.errors import UsageError
from jaxnet.settings import check_options, option

# Larger values would take an impractical amount of memory or time.
LARGEST_SIZE = 4096
LARGEST_COUNT = 10_000_000

SOURCES = (
    "The pictures: sketches (built-in drawings), catvnoncat (the article's cats, downloaded once), "
    "an HDF5 or npz file of arrays, a CSV file of paths and labels, or a folder with one "
    "sub-folder for each class."
)


@dataclasses.dataclass(frozen=True)
class DataSource:
    """The source of a data set, and the options of loading a training set and a test set from it.

    Paths may be given as `Path`; they are stored as strings.

    Raises:
        UsageError: If a value is of the wrong type or out of its range.
    """

    data: str = option("sketches", SOURCES)
    test: str | None = option(
        None, "File or folder of the test split.", shown="in or beside the data"
    )
    positive: str | None = option(
        None, "The class of label 1.", shown="the one named cat or cats, else the second"
    )
    size: int | None = option(
        None,
        "Resize pictures to SIZE × SIZE pixels.",
        least=1,
        greatest=LARGEST_SIZE,
        shown="64 for picture files, else unchanged",
    )
    count: int | None = option(
        None,
        "The number of training pictures, for sketches only.",
        least=2,
        greatest=LARGEST_COUNT,
        shown="209",
    )
    data_seed: int = option(
        0,
        "The seed of the sketches, or of what is held out for validation or test.",
        least=0,
        greatest=LARGEST_SEED,
    )
    recipe: int = option(
        RECIPE,
        "How the sketches are painted: 1 is the way of jaxnet 0.1.0, which differs in some pixels.",
        least=1,
        greatest=RECIPE,
    )
    skip_bad: bool = option(False, "Leave out pictures that cannot be read.")
    exclude_leaks: bool = option(
        False, "Leave out test pictures that are also in the training set."
    )

    strict: bool = option(False, "Refuse data with files that are passed over.")
    layout: str | None = option(
        None,
        "The axes of picture arrays, by the letters N, H, W and C, as in NCHW.",
        shown="NHWC, or NHW for grey ones",
    )
    validation: float | None = option(
        None,
        "The share of the training pictures that is held out to watch the training.",
        least=0,
        greatest=1,
        shown="none, unless the data have a validation set",
    )

    group_by: str | None = option(
        None,
        "A regular expression on file names whose first group names what a picture belongs to (an "
        "animal, a patient, a scene): what is held out parts no group.",
        shown="each picture alone, unless a table has groups",
    )

    def __post_init__(self) -> None:
        """Convert paths to strings, and check every value."""
        for name in ("data", "test"):
            value: Any = getattr(self, name)
            if isinstance(value, Path):
                object.__setattr__(self, name, os.fspath(value))
        check_options(self)
        if self.validation in (0, 1):
            raise UsageError(
                f"validation is {self.validation:g}",
                "a share between 0 and 1, which leaves pictures on both sides",
                "give 0.2, for example, or leave it out",
            )
        if self.group_by is not None:
            require_pattern(self.group_by)
        if self.layout is not None:
            object.__setattr__(self, "layout", require_layout(self.layout))


def require_pattern(text: str) -> None:
    """Raise a UsageError unless a text is a regular expression with a group."""
    try:
        groups = re.compile(text).groups
    except re.error as cause:
        raise UsageError(
            f'group_by is "{text}", which is no regular expression: {cause}',
            "a regular expression of Python",
            r'give, for example, "^([a-z]+)-"',
        ) from cause
    if not groups:
        raise UsageError(
            f'group_by is "{text}", which has no group',
            "parentheses around what names the animal, patient or scene of a picture",
            r'give, for example, "^([a-z]+)-"',
        )


def require_layout(text: str) -> str:
    """Return the axes of picture arrays in capitals; raise a UsageError unless they are such."""
    layout = text.upper()
    if sorted(layout) not in (sorted("NHWC"), sorted("NHW")):
        raise UsageError(
            f'layout is "{text}"',
            "the letters N, H, W and C in the order of the axes, or N, H and W for grey pictures",
            'give such a layout: layout="NCHW"',
        )
    return layout
