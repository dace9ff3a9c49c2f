"""The terminal: text, errors, progress bars, JSON, and the device that computes."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console

from jaxnet.explain import in_units, reason_for_error
from jaxnet.machine import free_address_space, has_gpu_driver
from jaxnet.report.streams import SteadyConsole, steady_streams

if TYPE_CHECKING:
    from rich.progress import Progress

    from jaxnet.progress import T

# No markup, since a class may be named "[red]"; lines are not wrapped, since they may be piped.
_PLAIN: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": True}
out = SteadyConsole(**_PLAIN)
err = SteadyConsole(**_PLAIN, stderr=True)


# What importing and compiling take of the address space, most of it never used.
ADDRESS_SPACE = 2 * 2**30

REPORT = (
    "This is a fault of jaxnet, not of your input. Please report it in the issue tracker of the "
    "project, with this traceback, the command, and what `jaxnet info` prints."
)


def run_command(
    command: Callable[[], object], translate: Callable[[str], str] = lambda message: message
) -> None:
    """Run a command line; print an error that has a reason as a message, not as a traceback.

    What nobody expected keeps its traceback, and says where to report it.

    Args:
        command: The command line.
        translate: Replaces the names of arguments in a message by those of options.
    """
    # JAX would otherwise allocate three quarters of a GPU's memory at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    steady_streams()
    _warn_of_little_memory()
    try:
        command()
    except Exception as cause:
        error = reason_for_error(cause)
        if error is None:
            cause.add_note(REPORT)
            raise
        _print_error(translate(str(error)))
        sys.exit(2)


def _print_error(text: str) -> None:
    """Print why a command fails; of several processes that fail alike, one does."""
    together = sys.modules.get("jaxnet.processes")  # which is slow to import, and not needed alone
    if together is None or together.says_it(text):
        err.quiet = False
        err.print("Error: ", end="", style="bold red")
        err.print(text)
    if together is not None:
        together.end_at_once(2)


def _warn_of_little_memory() -> None:
    """Warn of a limit on memory below which the libraries may abort, or wait without an end."""
    space = free_address_space()
    if space is None or space >= ADDRESS_SPACE:
        return
    # OpenBLAS takes tens of megabytes for each of its threads, and asks again and again for them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    err.print(
        f"memory is limited to {in_units(space)} (ulimit -v); JAX and its libraries take "
        f"{in_units(ADDRESS_SPACE)}, and may abort or hang with less",
        style="yellow",
    )


def speak(as_json: bool) -> Console:
    """Choose the stream of text for people: stderr, where a program reads the answer."""
    return err if as_json else out


def print_json(answer: Any) -> None:
    """Print the answer for a program."""
    from jaxnet.report.json import to_json  # here, so that --help does not import NumPy

    out.print(json.dumps(to_json(answer), indent=2, allow_nan=False))


def show_progress(sequence: "Iterable[T]", description: str, total: float | None) -> "Iterable[T]":
    """Yield the items with a progress bar, which goes away at the end (a `Track`)."""
    from rich.progress import track  # here, so that --help does not import it

    return track(
        sequence, description, total, console=err, transient=True, disable=not err.is_terminal
    )


def make_bar(description: str, *columns: str) -> "Progress":
    """Make the bar of a long training, with columns of text before the time that remains."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn(description),
        BarColumn(),
        MofNCompleteColumn(),
        *map(TextColumn, columns),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def describe_device(console: Console) -> str:
    """Name the device that computes, and warn if a GPU beside it is not used."""
    import jax

    from jaxnet.devices import find_devices
    from jaxnet.processes import process_count

    devices = find_devices()
    kind = devices[0].device_kind
    name = f"CPU, {os.cpu_count()} cores" if kind == "cpu" else kind
    if devices[0].platform == "cpu" and has_gpu_driver() and not os.environ.get("JAX_PLATFORMS"):
        console.print(
            "This machine has an NVIDIA driver, but JAX computes on the CPU. "
            "To use the GPU, install jaxnet with its cuda extra: pip install -e '.[cuda]'",
            style="yellow",
        )
    if len(devices) > 1:
        name += f", as {len(devices)} devices"
    if process_count() > 1:
        name += ", of each process"
    return f"Device: {name} (JAX {jax.__version__})\n"
