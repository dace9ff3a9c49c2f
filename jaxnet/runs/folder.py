"""The folder of a run: a new number each time, and nothing overwritten unasked."""

import itertools
from pathlib import Path

from jaxnet.errors import UsageError

RUNS = Path("runs")
MODEL_NAME = "model.h5"


def require_empty(out: Path) -> None:
    """Raise a UsageError if the folder `out` holds something already."""
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(
            f"{out.absolute()} is not empty",
            "a new or an empty folder, so that no earlier run is lost",
            "give another folder, or --force to write into this one",
        )


def make_run_folder(out: Path | None = None, *, force: bool = False) -> Path:
    """Make the folder of a new run: `out`, or the next free number, as in runs/001.

    Raises:
        UsageError: If `out` holds something and `force` is false, or no folder can be made there.
    """
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            if not force:
                require_empty(out)
            return out
        RUNS.mkdir(exist_ok=True)
        taken = [int(folder.name) for folder in RUNS.iterdir() if folder.name.isdecimal()]
        for number in itertools.count(max(taken, default=0) + 1):
            folder = RUNS / f"{number:03}"
            try:
                folder.mkdir()
            except FileExistsError:  # another run took it in this moment
                continue
            return folder
        raise AssertionError("the numbers do not end")
    except OSError as cause:
        raise UsageError(
            f"no folder can be made at {(out or RUNS).absolute()} ({cause.strerror})",
            "a place that may be written to",
            "name another folder with --out",
        ) from cause
