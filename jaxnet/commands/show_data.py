"""Load the pictures of a command, and print their table and warnings."""

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console

from jaxnet.commands.interruption import importing
from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.report.console import show_progress
from jaxnet.settings import Settings

if TYPE_CHECKING:
    from jaxnet.data.dataset import Dataset
    from jaxnet.data.duplicates import Pair
    from jaxnet.data.listed import Listing
    from jaxnet.data.stored import StoredPictures
    from jaxnet.evaluation.audit import Audit
    from jaxnet.runs.run import Run

# Slow to import, and needed by what follows the loading: always, and to draw a figure.
NEXT = ("scipy.special",)
TO_DRAW = ("matplotlib.figure", "matplotlib.backends.backend_agg")


def load_and_show(
    console: Console,
    source: DataSource,
    *,
    listing: "Listing | None" = None,
    draws: bool = True,
) -> tuple["Dataset", "Audit"]:
    """Load a data set and print its table and its warnings; return it and its audit.

    Args:
        console: Where to print.
        source: Which data.
        listing: Its files, if they are listed already.
        draws: Whether the command draws a figure, whose library is then imported meanwhile.
    """
    from jaxnet.data.load import load_searched

    with importing(*NEXT, *(TO_DRAW if draws else ())):
        dataset, pairs = load_searched(source, track=show_progress, listing=listing)
    return dataset, show(console, dataset, pairs)


def load_and_show_for(
    console: Console, run: "Run", typed: dict[str, Any], *, draws: bool = True
) -> tuple["Dataset", "Audit"]:
    """Load the data of a run, or those that are typed, and print whether they are the run's."""
    from jaxnet.runs.run import load_searched_for

    with importing(*NEXT, *(TO_DRAW if draws else ())):
        dataset, pairs = load_searched_for(run, track=show_progress, **typed)
    audit = show(console, dataset, pairs)
    ours, theirs = run.origin.get("train_sha256"), dataset.train_sha256
    what = "other data" if typed else "the data have changed"
    warning = ""
    if "stream_sha256" in run.origin:
        warning = "the run was trained on a stream, which is not compared with pictures in memory"
    elif ours is None:
        warning = "the model file does not record on which pictures it was trained"
    elif ours != theirs:
        warning = (
            f"{what}: these are not the training pictures and labels of the run (SHA-256 "
            f"{theirs[:12]}…, the run's {str(ours)[:12]}…); some of those may be in either split"
        )
    elif dataset.sha256 != run.origin.get("sha256") and not dataset.leaks_excluded:
        others = "test" if dataset.validation is None else "validation or test"
        warning = f"{what}: the training pictures are the run's, the {others} pictures are not"
    if warning:
        console.print(warning, style="yellow")
    _warn_of_other_class(console, run, dataset.classes[1])
    return dataset, audit


def show_stored(
    console: Console, run: "Run", splits: "Mapping[str, StoredPictures]"
) -> dict[str, Any]:
    """Print what is known of pictures that stay in their files; return the same for JSON."""
    from jaxnet.report.stream import describe_stored, stored_to_json

    console.print(describe_stored(splits))
    console.print(f"their duplicates are not searched: jaxnet data {splits['train'].source}")
    same = run.trained_on(splits)
    if not same:
        differ = "these are not the training pictures and labels of the run"
        unknown = "it is not known whether the run was trained on these pictures"
        console.print(unknown if same is None else differ, style="yellow")
    _warn_of_other_class(console, run, splits["train"].classes[1])
    return stored_to_json(splits)


def _warn_of_other_class(console: Console, run: "Run", positive: str) -> None:
    if positive != run.classes[1]:
        console.print(
            f'the network predicts the probability of "{run.classes[1]}", but the positive class '
            f'of these data is "{positive}"',
            style="yellow",
        )


def show(console: Console, dataset: "Dataset", pairs: "tuple[Pair, ...] | None" = None) -> "Audit":
    """Print the table and the warnings of a data set; return its audit.

    Its duplicates are searched unless they are given.
    """
    from jaxnet.evaluation.audit import audit
    from jaxnet.report.dataset import dataset_table, dataset_warnings

    console.print(f"Data: {dataset.source}")
    console.print(dataset_table(dataset))
    audited = audit(dataset, pairs=pairs, track=show_progress)
    for line in dataset_warnings(dataset, audited):
        console.print(line, style="yellow")
    return audited


def settings_to_json(*parts: Any, **more: Any) -> dict[str, Any]:
    """Put what decided a result into one dict; the pixel scale is named as in the files: scale."""
    from jaxnet.report.json import to_json

    named: dict[str, Any] = {}
    for part in parts:
        named |= to_json(part)
    if "pixel_scale" in named:
        named["scale"] = named.pop("pixel_scale")
    return named | more


def prepare_many(settings: Settings, seeds: int, *, validates: bool = False) -> None:
    """Let many networks use every core, unless JAX is in use already, as within a notebook.

    The arguments are those of `check_many`.

    Raises:
        UsageError: If many networks cannot be trained with these settings; before data are read.
    """
    from jaxnet import devices
    from jaxnet.many.sweep import check_many

    check_many(settings, seeds, validates=validates)
    with contextlib.suppress(UsageError):
        devices.use_all_cores()
