"""Which pictures of a data set are the same: to the byte, or re-encoded, brightened or shifted.

Near duplicates are found in three steps, each stricter and dearer than the one before: the dHash
(N. Krawetz, "Kind of like that", The Hacker Factor Blog, 2013), the averages it is made of, the
pixels. The dHash alone would take two drawings of the same kind for one picture. What brightening
turned white for the most part is no longer recognised.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxnet.data.columns import LUMA
from jaxnet.data.dataset import Dataset

GRID = (8, 9)  # the averages of a dHash: 8 × 8 comparisons of neighbours in a row
MOST_BITS = 6  # that may differ between two dHashes
ALIKE_CELLS = 0.98  # the least correlation of the averages,
ALIKE = 0.985  # and that of the pixels

REACH = 2  # by how many pixels a copy may be shifted
SIDE = 64  # larger pictures are brought to this side first
NEARLY_CONSTANT = 2.0  # the standard deviation of the grey levels, of 255

# Beyond, comparing each with each would take minutes; exact duplicates are found all the same.
MOST_COMPARED = 50_000

CHUNK = 512  # pictures or pairs at a time, so that their pixels fit into memory
ROWS = 16  # pictures compared with all others at a time, so that it stays in the cache


class Place(NamedTuple):
    """Where a picture is: the name of its split and its number, from 0."""

    split: str
    number: int

    def __str__(self) -> str:
        return f"{self.split} {self.number}"


class Pair(NamedTuple):
    """Two pictures that are one.

    Attributes:
        first: A training picture, if one of the two is.
        second: The other.
        exact: Whether they are the same to the byte.
        two_labels: Whether their labels differ.
    """

    first: Place
    second: Place
    exact: bool
    two_labels: bool

    def __str__(self) -> str:
        return f"{self.first} {'=' if self.exact else '≈'} {self.second}"


def find_pairs(dataset: Dataset) -> tuple[Pair, ...]:
    """Find the pictures that are there twice, within and across splits.

    Of pictures that are the same to the byte, each is paired with the first; of those, only the
    first is compared with others. Near duplicates are looked for among pictures of 9 × 9 pixels
    or more that are not nearly constant, and at most `MOST_COMPARED` of them.
    """
    places = [
        Place(name, i) for name, split in dataset.splits.items() for i in range(len(split.labels))
    ]
    labels = np.concatenate([split.labels for split in dataset.splits.values()])
    images = [image for split in dataset.splits.values() for image in split.images]
    first = _first_of_each(images)
    found = [(int(i), j, True) for j, i in enumerate(first) if i != j]

    grey = to_grey(dataset)
    unlike = np.flatnonzero((first == np.arange(len(first))) & ~nearly_constant(grey))
    if min(grey.shape[1:]) >= max(GRID) and 1 < len(unlike) <= MOST_COMPARED:
        near = _near_pairs(grey[unlike])
        found += [(int(unlike[i]), int(unlike[j]), False) for i, j in near]
    return tuple(
        Pair(places[i], places[j], exact, bool(labels[i] != labels[j]))
        for i, j, exact in sorted(found)
    )


def to_grey(dataset: Dataset) -> np.ndarray:
    """Make all pictures, training first, grey and at most 64 × 64: (m, h, w) float32, 0 to 255."""
    parts = [_reduced(chunk) for split in dataset.splits.values() for chunk in _chunks(split[0])]
    return np.concatenate(parts)


def nearly_constant(grey: np.ndarray) -> np.ndarray:
    """Say which pictures (m, h, w) show nothing: (m,) bool."""
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
    """Build what averages n pixels into cells, without `reach` pixels at either end.

    Returns:
        (2 reach + 1, n, cells), one matrix for each shift of what is left in.
    """
    size = n - 2 * reach
    edges = np.linspace(0, size, cells + 1)
    pixels = np.arange(n)[:, None] - np.arange(2 * reach + 1)[:, None, None]
    covered = np.minimum(pixels + 1, edges[1:]) - np.maximum(pixels, edges[:-1])
    return (np.clip(covered, 0, 1) * cells / size).astype(np.float32)


def _first_of_each(images: list[np.ndarray]) -> np.ndarray:
    """Say for each picture which is the first that is the same to the byte: (m,)."""
    seen: dict[bytes, int] = {}
    digests = (hashlib.sha256(image.tobytes()).digest() for image in images)
    return np.array([seen.setdefault(digest, i) for i, digest in enumerate(digests)])


def _near_pairs(grey: np.ndarray) -> list[tuple[int, int]]:
    """Find the near duplicates among pictures (m, h, w), as pairs i < j."""
    reach = min(REACH, min(grey.shape[1:]) // 16)  # of a small picture two pixels are much
    hashes, cells = _hash(grey, reach)
    windows = np.lib.stride_tricks.sliding_window_view(
        grey, [side - 2 * reach for side in grey.shape[1:]], (1, 2)
    )  # (m, shifts, shifts, …): every window that stays inside the picture
    middle, m = len(hashes) // 2, len(grey)
    found: set[tuple[int, int]] = set()
    for start in range(0, m, ROWS):
        rows = hashes[middle, start : start + ROWS, None]
        candidates = []
        for shift in range(len(hashes)):
            near = np.bitwise_count(rows ^ hashes[shift, start:]) <= MOST_BITS
            i, j = np.divmod(np.flatnonzero(near), m - start)
            i, j = start + i[i < j], start + j[i < j]
            alike = np.einsum("pc,pc->p", cells[middle, i], cells[shift, j]) >= ALIKE_CELLS
            candidates.append(np.stack([i, j, np.full_like(i, shift)])[:, alike])
        for pairs in _chunks(np.concatenate(candidates, 1).T):
            i, j, shift = pairs.T
            y, x = np.divmod(shift, 2 * reach + 1)
            here, there = windows[i, reach, reach], windows[j, y, x]
            alike = (
                np.einsum("pc,pc->p", *(_normal(_blur(part)) for part in (here, there))) >= ALIKE
            )
            found.update(zip(i[alike].tolist(), j[alike].tolist(), strict=True))
    return sorted(found)


def _hash(grey: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute for every shift the dHash (shifts, m) and the averages (shifts, m, 72) it is from."""
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
    """Bring each picture to a row of mean 0 and length 1: their products are correlations."""
    rows = pictures.reshape(*pictures.shape[:axes], -1)
    rows = rows - rows.mean(-1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6)


def _blur(grey: np.ndarray) -> np.ndarray:
    """Average over 3 × 3 pixels, the middle most, since re-encoding changes the finest detail."""
    for _ in range(2):
        grey = (grey[:, 1:] + grey[:, :-1]) / 2
        grey = (grey[:, :, 1:] + grey[:, :, :-1]) / 2
    return grey
