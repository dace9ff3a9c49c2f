"""Ctrl-C and SIGTERM, and imports in the background: what a long command needs of the system."""

import contextlib
import importlib
import signal
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from jaxnet.report.console import show_progress

if TYPE_CHECKING:
    from jaxnet.progress import T, Track


class Interruption:
    """Ctrl-C and SIGTERM, kept until the loop that asks for them can stop.

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

    def track(self, console: Console, stopped: str = "stopped: nothing is written") -> "Track":
        """Make a track that shows a bar, and ends the command after a signal with these words."""

        def track(sequence: "Iterable[T]", description: str, total: float | None) -> "Iterator[T]":
            for item in show_progress(sequence, description, total):
                yield item
                if self.signal is not None:
                    console.print(stopped, style="yellow")
                    raise typer.Exit(128 + self.signal)

        return track


@contextlib.contextmanager
def importing(*modules: str) -> Iterator[None]:
    """Import modules in another thread during the block, which leaves a core idle.

    Nothing in the block may import them itself. A module that cannot be imported raises its error
    where it is used.
    """

    def load() -> None:
        with contextlib.suppress(Exception):
            for module in modules:
                importlib.import_module(module)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        yield
    finally:
        thread.join()
