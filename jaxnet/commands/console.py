"""How commands speak: the console, progress bars, files written, and the device that computes."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import track

from jaxnet.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jaxnet.progress import T

# No markup, since a class may be named "[red]"; lines stay whole, since they may be piped.
_AS_IT_IS: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": True}
out = Console(**_AS_IT_IS)
err = Console(**_AS_IT_IS, stderr=True)


def speak(as_json: bool) -> Console:
    """Choose where words for people go: aside, where a program reads the answer."""
    return err if as_json else out


def print_json(answer: dict[str, Any] | list[Any]) -> None:
    """Print the answer for a program."""
    print(json.dumps(answer, indent=2, ensure_ascii=False))


def show_progress(sequence: "Iterable[T]", description: str, total: float | None) -> "Iterable[T]":
    """Yield the items with a progress bar, which goes away at the end (a `Track`)."""
    return track(
        sequence, description, total, console=err, transient=True, disable=not err.is_terminal
    )


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
    return name if len(devices) == 1 else f"{name} ({len(devices)} devices, one used)"


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure as a PNG, whole or not at all."""
    from jaxnet.data.files import write_whole

    with write_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def require_free(path: Path, force: bool) -> None:
    """Raise a UsageError if a file is at `path` already, unless it may be overwritten."""
    if path.exists() and not force:
        raise UsageError(
            f"{path.absolute()} exists already",
            "a new name, so that no file is lost",
            "give another name, or --force to overwrite it",
        )
