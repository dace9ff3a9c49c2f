"""What `jaxnet train` is asked for, its training with progress and checkpoints, and its result."""

import dataclasses
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from jaxnet.commands.resume import Begun
from jaxnet.commands.together import describe_processes, signal_of_any
from jaxnet.commands.watch import Watch, chunk_between
from jaxnet.data.source import DataSource
from jaxnet.settings import Settings

if TYPE_CHECKING:
    from jaxnet.data.dataset import Dataset
    from jaxnet.data.preprocessing import Preprocessing
    from jaxnet.data.stored import StoredPictures
    from jaxnet.network import Params
    from jaxnet.runs.run import Run


class Request(NamedTuple):
    """What is to be trained, on which pictures, and where it is kept."""

    console: Console
    source: DataSource
    columns: dict[str, Any]
    settings: Settings
    chooses_rate: bool
    seeds: int
    begun: Begun | None
    out: Path | None
    force: bool
    checkpoint_every: int | None
    page: bool
    ensemble: bool


class Ended(NamedTuple):
    """A run, its folder, the signal that stopped it or None, and the answer for JSON."""

    run: "Run"
    folder: Path
    signal: int | None
    answer: dict[str, Any]


def train_watched(
    asked: Request,
    data: "Dataset | StoredPictures",
    settings: Settings,
    preprocessing: "Preprocessing",
    members: "tuple[Params, ...]" = (),
    validation: "StoredPictures | None" = None,
) -> tuple["Run", Path, int | None]:
    """Train, or continue, and save the run; return it, its folder, and the signal or None.

    If it was not stopped, it is that of an ensemble with these members. Pictures that stay in their
    files have a validation set beside them.
    """
    from jaxnet.processes import by_first, is_first_process
    from jaxnet.runs import train as library
    from jaxnet.runs.folder import claim_folder

    begun, every = asked.begun, asked.checkpoint_every
    folder = begun.folder if begun else by_first(lambda: claim_folder(asked.out, force=asked.force))
    asked.console.print(describe_processes(f"jaxnet train --resume {folder}"), end="")
    saved_in = folder if is_first_process() else None
    with Watch("training", settings.iterations, saved_in, every) as watch:
        command = shlex.join(["jaxnet", *sys.argv[1:]])
        how: dict[str, Any] = {"hook": watch, "chunk": chunk_between(every), "command": command}
        how["validation"] = validation
        if begun is None:
            run = library.train(data, settings, preprocessing, **how)
        else:
            made = f"{len(begun.run.costs):,} of {settings.iterations:,} iterations"
            asked.console.print(f"{folder} is continued after {made}")
            run = library.resume(begun.run, data, iterations=settings.iterations, **how)
    stopped = signal_of_any(watch.signal)
    if members and stopped is None:
        run = dataclasses.replace(run, members=members)
    elif members:
        one = f"stopped before the ensemble was whole: {folder} holds the network of one seed"
        asked.console.print(one, style="yellow")
    if is_first_process():
        run.save(folder, force=True)
    return run, folder, stopped


def require_free_folder(asked: Request) -> None:
    """Raise a UsageError if the folder of the run holds something, before data are read."""
    from jaxnet.processes import by_first
    from jaxnet.runs.folder import require_empty

    out = asked.out
    if out is not None and not asked.force:
        by_first(lambda: require_empty(out))
