"""`jaxnet train --resume`: the run that is continued, and what may be said beside it."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jaxnet.errors import UsageError

if TYPE_CHECKING:
    from jaxnet.data.preprocessing import Preprocessing
    from jaxnet.data.source import DataSource
    from jaxnet.runs.run import Run
    from jaxnet.settings import Settings

# What may differ from the run: its length, and where the pictures lie, which are compared.
LENGTHS = ("iterations", "epochs")
MAY_CHANGE = (*LENGTHS, "data", "test")


class Begun(NamedTuple):
    """A run that is to be continued: its folder, itself, where its pictures are, its settings."""

    folder: Path
    run: "Run"
    source: "DataSource"
    settings: "Settings"

    @property
    def preprocessing(self) -> "Preprocessing":
        """How its pictures become columns."""
        return self.run.preprocessing

    @property
    def streamed(self) -> bool:
        """Whether its pictures stay in their file."""
        return "stream_sha256" in self.run.origin

    def is_finished(self, *, page: bool) -> bool:
        """Whether it has made all iterations, and has all outputs.

        If it is told where its pictures are now, they are still to be compared.
        """
        from jaxnet.report.outputs import missing_outputs

        ended = self.run.outcome not in ("unfinished", "stopped")
        made = len(self.run.costs) == self.settings.iterations or self.run.stopped_early
        moved = self.source != self.run.data_source
        missing = missing_outputs(self.folder, self.run, page=page)
        return ended and made and not moved and not missing

    def describe(self) -> dict[str, Any]:
        """Put together for JSON what is known of it without its pictures."""
        from jaxnet.report.run import settings_to_json

        run = self.run
        return {
            "run": self.folder,
            "settings": settings_to_json(run),
            "origin": run.origin,
            "outcome": run.outcome,
            "iterations": len(run.costs),
            "first_cost": run.costs[0],
            "last_cost": run.costs[-1],
        }


def open_run(path: Path, typed: dict[str, Any], **of_new_runs: object) -> Begun:
    """Open a run to continue it.

    Args:
        path: Its folder, or the model file in it.
        typed: Options that were typed, by the names of their fields.
        of_new_runs: Options that only a new run has; they must not be given.

    Raises:
        ModelFileError: If it is no run.
        UsageError: If an option contradicts the run; it names both values.
    """
    for name, value in of_new_runs.items():
        if value:
            raise UsageError(
                f"--{name} is given with --resume",
                f"either --resume or --{name}",
                "leave one of them out; a run is continued in its folder, with its own seed",
            )

    from jaxnet.runs.run import load_run

    folder = _folder_of(path)
    run = load_run(folder)
    if run.settings is None or run.data_source is None:
        raise UsageError(
            f"{folder} has a network without its settings or its data source",
            "a run of jaxnet train",
            "start a new run",
        )
    parts = (run.settings, run.preprocessing, run.data_source)
    ours = {name: value for part in parts for name, value in dataclasses.asdict(part).items()}
    for name, value in typed.items():
        if name not in MAY_CHANGE and value not in (ours[name], "auto"):
            raise UsageError(
                f"{name} is {value}",
                f"{ours[name]}, the value of the run {folder}",
                f"leave {name} out, or start a new run",
            )
    moved = {name: typed[name] for name in ("data", "test") if name in typed}
    source = dataclasses.replace(run.data_source, **moved)
    settings = run.settings
    if typed.keys() & set(LENGTHS):
        length: dict[str, Any] = {name: typed.get(name) for name in LENGTHS}
        settings = dataclasses.replace(settings, **length)
    return Begun(folder, run, source, settings)


def _folder_of(path: Path) -> Path:
    from jaxnet.io.bounded_tensors import SAFETENSORS
    from jaxnet.io.content import describe_content
    from jaxnet.io.names import MODEL_NAME
    from jaxnet.runs.run import load_run

    if path.is_file() and describe_content(path) == SAFETENSORS:
        run = load_run(path)
        if run.settings is not None:  # an empty page kept it; it goes on in a folder of its own
            return run.save(path.with_suffix(""))
    if path.is_file() and path.name != MODEL_NAME:
        raise UsageError(
            f"{path} is a file, not a run folder",
            f"the folder of a run, or the {MODEL_NAME} in it",
            f"to continue it, move the file into a new folder under the name {MODEL_NAME}"
            if path.suffix == ".h5"
            else "give the folder; an exported network cannot be continued",
        )
    return path.parent if path.is_file() else path
