"""The terminal: text, errors, progress bars, JSON, and the device that computes."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
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

from jaxnet.errors import JaxnetError

if TYPE_CHECKING:
    from jaxnet.progress import T

# No markup, since a class may be named "[red]"; lines are not wrapped, since they may be piped.
_PLAIN: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": True}
out = Console(**_PLAIN)
err = Console(**_PLAIN, stderr=True)


def run_command(
    command: Callable[[], object], translate: Callable[[str], str] = lambda message: message
) -> None:
    """Run a command line; print an expected error as a message, not as a traceback.

    Args:
        command: The command line.
        translate: Replaces the names of arguments in a message by those of options.
    """
    # JAX would otherwise allocate three quarters of a GPU's memory at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    for stream in (sys.stdout, sys.stderr):
        # A symbol that the terminal's encoding lacks must not end the command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        command()
    except (JaxnetError, OSError) as error:
        err.print("Error: ", end="", style="bold red")
        err.print(translate(str(error)))
        sys.exit(2)


def speak(as_json: bool) -> Console:
    """Choose the stream of text for people: stderr, where a program reads the answer."""
    return err if as_json else out


def print_json(answer: Any) -> None:
    """Print the answer for a program."""
    from jaxnet.report.json import to_json  # here, so that --help does not import NumPy

    print(json.dumps(to_json(answer), indent=2, allow_nan=False))


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


def describe_device(console: Console) -> str:
    """Name the device that computes, and warn if a GPU beside it is not used."""
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
    if len(devices) > 1:
        name += f", as {len(devices)} devices"
    return f"Device: {name} (JAX {jax.__version__})\n"
