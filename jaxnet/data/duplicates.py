"""Find duplicates: pictures that are identical, or re-encoded, brightened or shifted copies.

Identical pictures are told by their SHA-256; `near_duplicates` searches the others. A copy that was
brightened until most of it is white is not detected.
"""

import bisect
import dataclasses
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from jaxnet.data.all_pictures import AllPictures, Data, open_all
from jaxnet.data.dataset import Dataset
from jaxnet.data.grey import nearly_constant, to_grey
from jaxnet.data.likeness import GRID
from jaxnet.data.near_duplicates import Marks, mark, near_pairs
from jaxnet.progress import Track, automatic

SHOWN = 3  # the most excluded pictures that are listed by number


class Place(NamedTuple):
    """A picture of a data set: the name of its split and its number, from 0."""

    split: str
    number: int

    def __str__(self) -> str:
        return f"{self.split} {self.number}"


class Pair(NamedTuple):
    """Two pictures that are duplicates of each other.

    Attributes:
        first: The one that comes first in the data set, train before test.
        second: The other one.
        exact: Whether they are identical, byte by byte; otherwise they are near duplicates.
        two_labels: Whether their labels differ.
    """

    first: Place
    second: Place
    exact: bool
    two_labels: bool

    def __str__(self) -> str:
        return f"{self.first} {'=' if self.exact else '≈'} {self.second}"


def find_pairs(data: Data, *, track: Track = automatic) -> tuple[Pair, ...]:
    """Find the duplicates within and across splits.

    Of several identical pictures, each is paired with the first, and only the first is compared
    with others. Near duplicates are searched among pictures of at least 9 × 9 pixels that are not
    nearly constant. A picture that has many, like a frame of a film, is paired with the first
    `MOST_PARTNERS` of those before it, so that it has a pair with a training picture if any is its
    near duplicate.

    Pictures that stay in files are read in blocks, and then the few that are compared: in memory
    is about 1 KB of each.

    Args:
        data: The pictures: a `Dataset`, or what `open_splits` returns.
        track: Shows the progress, in blocks of pictures and then of pairs.

    Raises:
        DataError: If the pictures cannot be used.
    """
    with open_all(data) as pictures:
        pairs = _find_pairs(pictures, track)
    names, starts, labels = pictures.names, pictures.starts, pictures.labels

    def place(i: int) -> Place:
        split = int(np.searchsorted(starts, i, "right")) - 1
        return Place(names[split], i - int(starts[split]))

    return tuple(
        Pair(place(i), place(j), exact, bool(labels[i] != labels[j]))
        for i, j, exact in sorted(pairs)
    )


def _find_pairs(pictures: AllPictures, track: Track) -> list[tuple[int, int, bool]]:
    """Find the pairs by the numbers of their pictures, and whether they are identical."""
    first, constant, marks = _mark_all(pictures, track)
    pairs = [(int(i), j, True) for j, i in enumerate(first) if i != j]
    if marks is not None:
        compared = np.flatnonzero((first == np.arange(len(first))) & ~constant)

        def take(numbers: np.ndarray) -> np.ndarray:
            return to_grey(pictures.take(compared[numbers]))

        near = near_pairs(take, Marks(*(part[compared] for part in marks)), track)
        pairs += [(int(compared[i]), int(compared[j]), False) for i, j in near]
    return pairs


def leaking(pairs: Iterable[Pair]) -> tuple[int, ...]:
    """List the test pictures that are duplicates of training pictures, by number.

    An identical copy is paired only with the first such picture, in whichever split that is, so it
    leaks if that one is a duplicate of a training picture.
    """
    pairs = tuple(pairs)
    places = {pair.second for pair in pairs if pair.first.split == "train"}
    places |= {pair.second for pair in pairs if pair.exact and pair.first in places}
    return tuple(sorted(place.number for place in places if place.split == "test"))


def without_leaks(dataset: Dataset, pairs: Iterable[Pair]) -> Dataset:
    """Remove the test pictures that are duplicates of training pictures.

    `leaks_excluded` of the result counts them, and `skipped` names some. If no test picture
    remains, the result has no test split.

    Args:
        dataset: The pictures.
        pairs: Its duplicates, as `find_pairs` returns them.
    """
    leaks = leaking(pairs)
    if dataset.test is None or not leaks:
        return dataset
    kept = np.setdiff1d(np.arange(len(dataset.test.labels)), leaks)
    names = ", ".join(str(Place("test", number)) for number in leaks[:SHOWN])
    more = f" and {len(leaks) - SHOWN} more" if len(leaks) > SHOWN else ""
    noun = "test picture that is" if len(leaks) == 1 else "test pictures that are"
    line = f"{len(leaks):,} {noun} also in the training set ({names}{more})"
    return dataclasses.replace(
        dataset,
        test=dataset.test.take(kept) if len(kept) else None,
        skipped=(*dataset.skipped, line),
        leaks_excluded=dataset.leaks_excluded + len(leaks),
    )


def pairs_without_leaks(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Compute the duplicates of what `without_leaks` leaves, as `find_pairs` would find them.

    Pictures with more than `MOST_PARTNERS` are an exception: `find_pairs` would list further ones.
    """
    pairs = tuple(pairs)
    leaks = leaking(pairs)

    def renumbered(place: Place) -> Place:
        if place.split != "test":
            return place
        return place._replace(number=place.number - bisect.bisect_left(leaks, place.number))

    excluded = {Place("test", number) for number in leaks}
    return tuple(
        pair._replace(first=renumbered(pair.first), second=renumbered(pair.second))
        for pair in pairs
        if pair.first not in excluded and pair.second not in excluded
    )


def _mark_all(pictures: AllPictures, track: Track) -> tuple[np.ndarray, np.ndarray, Marks | None]:
    """Read all pictures once.

    Returns:
        For each picture the index of the first identical one (m,), and whether it is nearly
        constant (m,); and the marks of all, or None if the pictures are too small to be compared.
    """
    large = min(pictures.size) >= max(GRID)
    first: dict[bytes, int] = {}
    firsts: list[int] = []
    constant, marks = [], []
    for images in pictures.blocks("reading pictures", track):
        for image in images:
            digest = hashlib.sha256(np.ascontiguousarray(image).data).digest()
            firsts.append(first.setdefault(digest, len(firsts)))
        grey = to_grey(images)
        constant.append(nearly_constant(grey))
        if large:
            marks.append(mark(grey))
    joined = Marks(*(np.concatenate(part) for part in zip(*marks, strict=True))) if large else None
    return np.array(firsts), np.concatenate(constant), joined
