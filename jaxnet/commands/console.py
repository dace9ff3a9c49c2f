"""How commands speak: the console, progress bars, files written, and the device that computes."""

import contextlib
import importlib
import json
import math
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    track,
)

from jaxnet.errors import JaxnetError, UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jaxnet.progress import T

# No markup, since a class may be named "[red]"; lines stay whole, since they may be piped.
_AS_IT_IS: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": True}
out = Console(**_AS_IT_IS)
err = Console(**_AS_IT_IS, stderr=True)


def run_in_words(command: Callable[[], object]) -> None:
    """Run a command line; an error on purpose is told in words, not as a traceback."""
    # JAX would otherwise take three quarters of a GPU's memory at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    for stream in (sys.stdout, sys.stderr):
        # A name or a symbol that the terminal's encoding lacks is no reason to end.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        command()
    except (JaxnetError, OSError) as error:
        err.print("Error: ", end="", style="bold red")
        err.print(str(error))
        sys.exit(2)


def speak(as_json: bool) -> Console:
    """Choose where words for people go: aside, where a program reads the answer."""
    return err if as_json else out


def print_json(answer: dict[str, Any] | list[Any]) -> None:
    """Print the answer for a program."""
    print(json.dumps(without_nan(answer), indent=2, allow_nan=False))


def without_nan(value: Any) -> Any:
    """Replace numbers that JSON cannot hold by None."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show_progress(sequence: "Iterable[T]", description: str, total: float | None) -> "Iterable[T]":
    """Yield the items with a progress bar, which goes away at the end (a `Track`)."""
    return track(
        sequence, description, total, console=err, transient=True, disable=not err.is_terminal
    )


def make_bar(description: str, *columns: ProgressColumn) -> Progress:
    """Make the bar of a long training, with further columns before the time that remains."""
    return Progress(
        TextColumn(description),
        BarColumn(),
        MofNCompleteColumn(),
        *columns,
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


@contextlib.contextmanager
def importing(*modules: str) -> Iterator[None]:
    """Import modules in another thread during the block: there are cores to spare while it waits.

    Nothing in the block may import them itself.
    """
    thread = threading.Thread(target=lambda: [*map(importlib.import_module, modules)])
    thread.start()
    try:
        yield
    finally:
        thread.join()


def describe_device(console: Console) -> str:
    """Name the device that computes, and say so if a GPU lies idle beside it."""
    import jax

    devices = jax.devices()
    kind = devices[0].device_kind
    name = f"CPU, {os.cpu_count()} cores" if kind == "cpu" else kind
    driver = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi")
    if jax.default_backend() == "cpu" and driver and not os.environ.get("JAX_PLATFORMS"):
        console.print(
            "This machine has an NVIDIA driver, but JAX computes on the CPU. "
            "To use the GPU, install jaxnet with its cuda extra: pip install -e '.[cuda]'",
            style="yellow",
        )
    return name if len(devices) == 1 else f"{name}, as {len(devices)} devices"


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure as a PNG, whole or not at all."""
    from jaxnet.io.files import write_whole

    with write_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


class Interruption:
    """Ctrl-C and SIGTERM, kept until the loop that asks for it has come to a good point.

    A KeyboardInterrupt in the midst of a compiled program can be lost or crash the process.

    Attributes:
        signal: The number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def __enter__(self) -> "Interruption":
        self._before = {s: signal.signal(s, self._keep) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _keep(self, number: int, _: object) -> None:
        self.signal = number


def require_free(path: Path, force: bool) -> None:
    """Raise a UsageError if a file is at `path` already, unless it may be overwritten."""
    if os.path.exists(path) and not force:
        raise UsageError(
            f"{path.absolute()} exists already",
            "a new name, so that no file is lost",
            "give another name, or --force to overwrite it",
        )
