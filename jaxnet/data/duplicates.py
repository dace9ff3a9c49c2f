"""Find duplicates: pictures that are identical, or re-encoded, brightened or shifted copies.

Near duplicates pass three comparisons, each stricter and slower than the one before: of the dHash
(N. Krawetz, "Kind of like that", The Hacker Factor Blog, 2013), of the averages from which the
dHash is computed, and of the pixels. The dHash alone would match two drawings of the same kind. A
copy that was brightened until most of it is white is not detected.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from jaxnet.data.columns import LUMA
from jaxnet.data.dataset import Dataset

GRID = (8, 9)  # averages in a dHash, which compares 8 × 8 pairs of horizontal neighbours
MOST_BITS = 6  # the most bits that differ between the dHashes of near duplicates
ALIKE_CELLS = 0.98  # the least correlation of their averages
ALIKE = 0.985  # the least correlation of their pixels

REACH = 2  # the largest shift of a copy along each axis, in pixels
SIDE = 64  # larger pictures are first reduced to this side, in pixels
NEARLY_CONSTANT = 2.0  # upper bound of the standard deviation of the grey levels, 0 to 255

# For more pictures, comparing all pairs would take minutes: only exact duplicates are searched.
MOST_COMPARED = 50_000

CHUNK = 512  # pictures or pairs in one batch, which bounds the memory
ROWS = 16  # pictures compared with all others in one batch, which keeps the hashes in the CPU cache

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


def find_pairs(dataset: Dataset) -> tuple[Pair, ...]:
    """Find the duplicates within and across splits.

    Of several identical pictures, each is paired with the first, and only the first is compared
    with others. Near duplicates are searched among pictures of at least 9 × 9 pixels that are not
    nearly constant, if their number is at most `MOST_COMPARED`.
    """
    places = [
        Place(name, i) for name, split in dataset.splits.items() for i in range(len(split.labels))
    ]
    labels = np.concatenate([split.labels for split in dataset.splits.values()])
    images = [image for split in dataset.splits.values() for image in split.images]
    first = _first_of_each(images)
    pairs = [(int(i), j, True) for j, i in enumerate(first) if i != j]

    grey = to_grey(dataset)
    compared = np.flatnonzero((first == np.arange(len(first))) & ~nearly_constant(grey))
    if min(grey.shape[1:]) >= max(GRID) and 1 < len(compared) <= MOST_COMPARED:
        near = _near_pairs(grey[compared])
        pairs += [(int(compared[i]), int(compared[j]), False) for i, j in near]
    return tuple(
        Pair(places[i], places[j], exact, bool(labels[i] != labels[j]))
        for i, j, exact in sorted(pairs)
    )


def leaking(pairs: Iterable[Pair]) -> tuple[int, ...]:
    """List the test pictures that are duplicates of training pictures, by number.

    An identical copy is paired only with the first such picture, so it leaks if that one leaks.
    """
    pairs = tuple(pairs)
    places = {p.second for p in pairs if (p.first.split, p.second.split) == ("train", "test")}
    places |= {p.second for p in pairs if p.exact and p.first in places}
    return tuple(sorted(place.number for place in places))


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


def to_grey(dataset: Dataset) -> np.ndarray:
    """Convert all pictures, train first, to grey, at most 64 × 64: (m, h, w) float32, 0 to 255."""
    parts = [_reduced(chunk) for split in dataset.splits.values() for chunk in _chunks(split[0])]
    return np.concatenate(parts)


def nearly_constant(grey: np.ndarray) -> np.ndarray:
    """Compute which grey pictures (m, h, w) are nearly constant: (m,) bool."""
    return np.concatenate([chunk.std((1, 2)) < NEARLY_CONSTANT for chunk in _chunks(grey)])


def _chunks(pictures: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(pictures), CHUNK):
        yield pictures[start : start + CHUNK]


def _reduced(images: np.ndarray) -> np.ndarray:
    grey = images.astype(np.float32) @ np.asarray(LUMA, np.float32)
    _, h, w = grey.shape
    if h > SIDE:
        grey = _averages(h, SIDE)[0].T @ grey
    return grey @ _averages(w, SIDE)[0] if w > SIDE else grey


def _averages(n: int, cells: int, reach: int = 0) -> np.ndarray:
    """Build the matrices that average n pixels into cells, without `reach` pixels at the ends.

    Returns:
        (2 reach + 1, n, cells), one matrix for each shift of the pixels that remain.
    """
    size = n - 2 * reach
    edges = np.linspace(0, size, cells + 1)
    pixels = np.arange(n)[:, None] - np.arange(2 * reach + 1)[:, None, None]
    covered = np.minimum(pixels + 1, edges[1:]) - np.maximum(pixels, edges[:-1])
    return (np.clip(covered, 0, 1) * cells / size).astype(np.float32)


def _first_of_each(images: list[np.ndarray]) -> np.ndarray:
    """Compute for each picture the index of the first identical one: (m,)."""
    first: dict[bytes, int] = {}
    digests = (hashlib.sha256(image.tobytes()).digest() for image in images)
    return np.array([first.setdefault(digest, i) for i, digest in enumerate(digests)])


def _near_pairs(grey: np.ndarray) -> list[tuple[int, int]]:
    """Find the near duplicates among pictures (m, h, w), as pairs i < j."""
    reach = min(REACH, min(grey.shape[1:]) // 16)  # two pixels are a large shift in a small picture
    hashes, cells = _hash(grey, reach)
    windows = np.lib.stride_tricks.sliding_window_view(
        grey, [side - 2 * reach for side in grey.shape[1:]], (1, 2)
    )  # (m, shifts, shifts, …): every window within the picture
    middle, m = len(hashes) // 2, len(grey)
    pairs: set[tuple[int, int]] = set()
    for start in range(0, m, ROWS):
        rows = hashes[middle, start : start + ROWS, None]
        candidates = []
        for shift in range(len(hashes)):
            near = np.bitwise_count(rows ^ hashes[shift, start:]) <= MOST_BITS
            i, j = np.divmod(np.flatnonzero(near), m - start)
            i, j = start + i[i < j], start + j[i < j]
            alike = np.einsum("pc,pc->p", cells[middle, i], cells[shift, j]) >= ALIKE_CELLS
            candidates.append(np.stack([i, j, np.full_like(i, shift)])[:, alike])
        for triples in _chunks(np.concatenate(candidates, 1).T):
            i, j, shift = triples.T
            y, x = np.divmod(shift, 2 * reach + 1)
            first, second = windows[i, reach, reach], windows[j, y, x]
            rows_of_pixels = (_normal(_blur(pictures)) for pictures in (first, second))
            alike = np.einsum("pc,pc->p", *rows_of_pixels) >= ALIKE
            pairs.update(zip(i[alike].tolist(), j[alike].tolist(), strict=True))
    return sorted(pairs)


def _hash(grey: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute for every shift the dHash (shifts, m) and its normalised averages (shifts, m, 72)."""
    (_, h, w), (rows, columns), n = grey.shape, GRID, 2 * reach + 1
    down = _averages(h, rows, reach).transpose(0, 2, 1).reshape(n * rows, h)
    across = _averages(w, columns, reach).transpose(1, 0, 2).reshape(w, n * columns)
    parts = [
        (down @ chunk @ across)
        .reshape(-1, n, rows, n, columns)
        .transpose(1, 3, 0, 2, 4)
        .reshape(n * n, -1, rows, columns)
        for chunk in _chunks(grey)
    ]
    cells = np.concatenate(parts, 1)
    bits = (cells[..., 1:] > cells[..., :-1]).reshape(n * n, len(grey), 64)
    return np.packbits(bits, -1).view(np.uint64)[..., 0], _normal(cells, 2)


def _normal(pictures: np.ndarray, axes: int = 1) -> np.ndarray:
    """Normalise each picture to a row of mean 0 and norm 1; dot products are then correlations."""
    rows = pictures.reshape(*pictures.shape[:axes], -1)
    rows = rows - rows.mean(-1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6)


def _blur(grey: np.ndarray) -> np.ndarray:
    """Average over 3 × 3 pixels, weighted 1 2 1, since re-encoding changes the finest detail."""
    for _ in range(2):
        grey = (grey[:, 1:] + grey[:, :-1]) / 2
        grey = (grey[:, :, 1:] + grey[:, :, :-1]) / 2
    return grey
