"""Progress reporting: a long loop wraps its iterable in a `Track`, which the caller may give."""

import collections
import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from jaxnet.display import ipython_shell, report

T = TypeVar("T")

_asked: bool | None = None  # by show_progress; None: in notebooks


class Track(Protocol):
    """Wraps an iterable, yields its items unchanged, and shows the progress.

    `rich.progress.track` is one.
    """

    def __call__(self, sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        """Yield the items of `sequence`; `total` is their number, if known."""
        ...


def silent(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
    """Return `sequence` unchanged: the `Track` that shows nothing."""
    return sequence


def automatic(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
    """Show a bar in a notebook, and elsewhere if `show_progress` asks for it: the usual `Track`."""
    in_notebook = hasattr(ipython_shell(), "kernel")
    if not (in_notebook if _asked is None else _asked):
        return sequence
    track: Track = report("progress").track if in_notebook else report("console").show_progress
    return track(sequence, description, total)


@contextlib.contextmanager
def counting(track: Track, description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Report the progress of what is no loop over items: yield what takes the number reached."""
    with contextlib.ExitStack() as stack:
        ticks = iter(track(range(total), description, total))
        if hasattr(ticks, "close"):
            stack.callback(ticks.close)
        next(ticks, None)  # now 0 items are done
        reached = 0

        def reach(number: int) -> None:
            nonlocal reached
            collections.deque(itertools.islice(ticks, number - reached), maxlen=0)
            reached = number

        yield reach


def show_progress(shown: bool | None = True) -> None:
    """Choose whether long computations show a bar.

    In a notebook it appears below the cell after two seconds; elsewhere on stderr, if that is a
    terminal. An argument `track` of a function takes precedence.

    Args:
        shown: True or False; None, as at the start, shows it in notebooks only.
    """
    global _asked  # noqa: PLW0603  # a choice for the whole process, as a notebook is one
    _asked = shown
