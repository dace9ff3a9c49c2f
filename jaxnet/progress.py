"""How a long loop tells how far it is: the caller may hand in a `Track` that watches it."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Wraps an iterable, yields its items unchanged, and shows the progress (`rich` has one)."""

    def __call__(self, sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        """Yield the items of `sequence`, of which there are `total`."""
        ...


def silent(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
    """The default `Track`: shows nothing."""
    return sequence
