"""The folder of a run: claimed by one run, and never overwritten by another unless forced."""

import itertools
import os
from pathlib import Path

from jaxnet.errors import UsageError
from jaxnet.explain import explain
from jaxnet.io.files import expand
from jaxnet.io.names import CLAIM_NAME, RUNS_NAME

RUNS = Path(RUNS_NAME)


def require_empty(out: Path) -> None:
    """Raise a UsageError if the folder `out` holds something already."""
    if out.is_dir() and any(out.iterdir()):
        raise _not_empty(out)


def claim_folder(out: Path | None = None, *, force: bool = False) -> Path:
    """Create the folder of a new run: `out`, or the next free number, as in runs/001.

    Args:
        out: The folder; it may exist if it is empty.
        force: Whether to take a folder that holds something.

    Raises:
        UsageError: If `out` holds something, another run claims it at the same moment, or no folder
            can be made there.
    """
    out = None if out is None else expand(out)
    try:
        if out is None:
            return _claim_next()
        out.mkdir(parents=True, exist_ok=True)  # FileExistsError if it is a file
        if force:
            (out / CLAIM_NAME).touch()
        else:
            require_empty(out)
            _claim(out)
        return out
    except FileExistsError as cause:
        raise _not_empty(RUNS if out is None else out) from cause
    except OSError as cause:
        reason = explain(cause)
        if reason is None:
            raise
        raise UsageError(
            f"the folder {(out or RUNS).absolute()} cannot be created: {reason.found}",
            "a path that is writable",
            f"{reason.remedy}, or give another folder",
        ) from cause


def _claim_next() -> Path:
    RUNS.mkdir(exist_ok=True)
    taken = [int(folder.name) for folder in RUNS.iterdir() if folder.name.isdecimal()]
    for number in itertools.count(max(taken, default=0) + 1):
        folder = RUNS / f"{number:03}"
        try:
            folder.mkdir()
            _claim(folder)
        except FileExistsError:  # another run took it in this moment
            continue
        return folder
    raise AssertionError("the numbers do not end")


def _claim(folder: Path) -> None:
    os.close(os.open(folder / CLAIM_NAME, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))


def _not_empty(out: Path) -> UsageError:
    if not out.is_dir():
        return UsageError(f"{out.absolute()} is a file", "a folder", "give another name")
    held = {path.name for path in out.iterdir()}
    started = " (claimed by a run that has saved nothing yet)" if held == {CLAIM_NAME} else ""
    return UsageError(
        f"{out.absolute()} is not empty{started}",
        "a new or an empty folder, so that no earlier run is lost",
        "give another folder, or force=True to write into this one",
    )
