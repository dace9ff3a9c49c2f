"""`jaxnet train --stream`: training on pictures that stay in their HDF5 file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from jaxnet.commands.training import Ended, Request, require_free_folder, train_watched
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import UsageError
from jaxnet.report.console import describe_device, show_progress

if TYPE_CHECKING:
    from jaxnet.data.stored import StoredPictures
    from jaxnet.runs.run import Run

# Options whose pictures are not those of the file, or that need all pictures at once.
NOT_STREAMED = (
    "test",
    "positive",
    "size",
    "count",
    "validation",
    "exclude_leaks",
    "layout",
    "group_by",
)


def require_streamed_options(source: dict[str, Any], seeds: int, *, chooses_rate: bool) -> None:
    """Raise a UsageError for an option that a stream cannot have."""
    for name in NOT_STREAMED:
        if source.get(name):
            raise UsageError(
                f"{name} is given with --stream",
                "the pictures as they are in the file",
                f"leave {name} out, or write the data anew: jaxnet data … --write NEW.h5",
            )
    if seeds > 1:
        raise UsageError(
            f"--seeds {seeds} is given with --stream",
            "one seed: many networks need all pictures in memory",
            "leave --seeds out",
        )
    if chooses_rate:
        raise UsageError(
            "--learning-rate auto is given with --stream",
            "a number: the sweep that finds one needs all pictures in memory",
            "give a number, as --learning-rate 0.01",
        )


def train_on_stream(asked: Request) -> Ended:
    """Train on pictures that are read in blocks, and write the run with its figure."""
    from jaxnet.data.stored import open_splits
    from jaxnet.processes import alone, is_first_process
    from jaxnet.report.stream import describe_stored
    from jaxnet.report.training import parameter_table
    from jaxnet.runs.stream_training import require_streamable

    console, path = asked.console, asked.source.data
    require_streamable(asked.settings)
    require_free_folder(asked)
    splits = open_splits(path)
    pictures = splits["train"]
    console.print(describe_stored(splits))
    settings = asked.settings.for_pictures(len(pictures))
    preprocessing = Preprocessing(*pictures.size, **asked.columns)
    if asked.begun is not None:
        preprocessing = asked.begun.preprocessing
    console.print(describe_device(console))
    console.print(parameter_table(preprocessing.n_x, settings.hidden_units))
    run, folder, signal = train_watched(
        asked, pictures, settings, preprocessing, validation=splits.get("validation")
    )
    if not is_first_process():
        return Ended(run, folder, signal, {})
    with alone():
        return Ended(run, folder, signal, _report(console, folder, run, splits))


def _report(
    console: Console, folder: Path, run: "Run", splits: "dict[str, StoredPictures]"
) -> dict[str, Any]:
    """Describe a run and write its figure; return the same for JSON."""
    from jaxnet.evaluation.accuracies import predict_stored
    from jaxnet.report.outputs import write_figure
    from jaxnet.report.stream import stored_results, stream_to_json
    from jaxnet.report.training import describe_costs, describe_validation

    console.print(describe_costs(run), *describe_validation(run), sep="\n")
    predictions = {
        name: (predict_stored(run.model, split, track=show_progress)[1] > 0.5).astype(int)
        for name, split in splits.items()
    }
    console.print(*stored_results(splits, predictions), sep="\n")
    console.print(*write_figure(folder, run, splits["train"].labels), sep="\n")
    return stream_to_json(folder, run, splits, predictions)
