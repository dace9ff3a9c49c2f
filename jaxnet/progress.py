"""Progress reporting: a long loop wraps its iterable in a `Track`, which the caller may give."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Wraps an iterable, yields its items unchanged, and shows the progress.

    `rich.progress.track` is one.
    """

    def __call__(self, sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        """Yield the items of `sequence`; `total` is their number, if known."""
        ...


def silent(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
    """Return `sequence` unchanged: the default `Track`, which shows nothing."""
    return sequence
