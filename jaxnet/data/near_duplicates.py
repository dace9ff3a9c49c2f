"""Search for near duplicates: each picture against those before it, block by block.

Three comparisons follow each other, each stricter and slower than the one before: the filter of
`candidates`, which compares all pairs; the dHash and the averages at every shift; and the pixels.
"""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxnet.data.candidates import lift_planes, lift_points, pass_near, principal_axes
from jaxnet.data.likeness import (
    ALIKE_CELLS,
    MOST_BITS,
    average,
    blur,
    difference_hash,
    normalise,
    pixels_alike,
)
from jaxnet.progress import Track, silent

# A picture is paired with so many earlier ones, the first: among the frames of a film, all pairs
# would be more than can be kept or read.
MOST_PARTNERS = 16

LATER, EARLIER = 4096, 2048  # pictures of a block, and of the blocks it is compared with
CHUNK = 256  # pairs whose pixels are compared at once
HASHED = 64 * CHUNK  # pairs whose hashes are compared at once

RADIUS = float(np.sqrt(2 - 2 * ALIKE_CELLS))  # the distance of points with this correlation

Take = Callable[[np.ndarray], np.ndarray]


class Marks(NamedTuple):
    """What is kept of each picture, unshifted.

    Attributes:
        cells: (m, 72) float32, the normalised averages.
        hashes: (m,) uint64, the dHash.
    """

    cells: np.ndarray
    hashes: np.ndarray


class Block(NamedTuple):
    """Pictures at every shift, which are compared with all earlier ones.

    Attributes:
        numbers: (n,), those of the pictures.
        cells: (n, shifts, 72) float32, the normalised averages.
        hashes: (n, shifts) uint64, the dHash.
        partners: (n,), the near duplicates of each among the earlier pictures so far.
    """

    numbers: np.ndarray
    cells: np.ndarray
    hashes: np.ndarray
    partners: np.ndarray


def mark(grey: np.ndarray) -> Marks:
    """Compute the marks of grey pictures (m, h, w)."""
    cells = average(grey, shifted=False)[:, 0, 0]
    return Marks(normalise(cells), difference_hash(cells))


def near_pairs(take: Take, marks: Marks, track: Track = silent) -> list[tuple[int, int]]:
    """Find the near duplicates among m pictures, as sorted pairs i < j.

    The time grows with m²; the memory, beside the marks and the pairs, does not grow.

    Args:
        take: Returns the grey pictures (n, h, w) of numbers (n,).
        marks: Those of all pictures.
        track: Shows the progress in pairs of blocks.
    """
    m = len(marks.hashes)
    axes = principal_axes(marks.cells)
    points = lift_points(marks.cells @ axes)
    blocks = [
        (later, earlier)
        for later in range(0, m, LATER)
        for earlier in range(0, min(later + LATER, m), EARLIER)
    ]
    pairs: list[tuple[int, int]] = []
    tracked = track(blocks, "comparing pictures", len(blocks))
    for later, group in itertools.groupby(tracked, lambda starts: starts[0]):
        block, sheets = _shift(take, _in_order(points, later, LATER), axes)
        planes, spans = lift_planes(sheets, RADIUS)
        for _, earlier in group:
            numbers = _in_order(points, earlier, EARLIER)
            free = np.flatnonzero(block.partners < MOST_PARTNERS)
            i, j = pass_near(points[numbers], planes[:, :, free], spans[:, free])
            i, j = numbers[i], free[j]
            before = i < block.numbers[j]
            i, j = _confirm(take, marks, block, i[before], j[before])
            pairs += zip(i.tolist(), block.numbers[j].tolist(), strict=True)
    return sorted(pairs)


def _in_order(points: np.ndarray, start: int, count: int) -> np.ndarray:
    """Return the numbers of the next pictures, by ascending first coordinate."""
    return start + np.argsort(points[start : start + count, 0], kind="stable")


def _shift(take: Take, numbers: np.ndarray, axes: np.ndarray) -> tuple[Block, np.ndarray]:
    """Shift pictures; return them, and their averages (n, s, s, k) along the axes (72, k)."""
    cells, hashes, sheets = [], [], []
    for chunk in np.array_split(numbers, -(-len(numbers) // CHUNK)):
        averages = average(take(chunk), shifted=True)
        rows = normalise(averages)  # (n, s, s, 72)
        sheets.append(rows @ axes)
        cells.append(rows.reshape(len(chunk), -1, rows.shape[-1]))
        hashes.append(difference_hash(averages).reshape(len(chunk), -1))
    block = Block(
        numbers, np.concatenate(cells), np.concatenate(hashes), np.zeros(len(numbers), np.int64)
    )
    return block, np.concatenate(sheets)


def _confirm(
    take: Take, marks: Marks, block: Block, i: np.ndarray, j: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the near duplicates among candidates, and count them in `partners`, up to the most.

    The candidates are the numbers i of earlier pictures, and the places j of later ones in the
    block; both are (n,).
    """
    order = np.lexsort((i, j))
    i, j = i[order], j[order]
    kept = [(i[:0], j[:0])]
    while len(i):
        # The next few of each picture, so that of many no more than necessary are compared.
        now = _rank(j) < MOST_PARTNERS
        near = _near(take, marks, block, i[now], j[now])
        near_i, near_j = i[now][near], j[now][near]
        free = _rank(near_j) + block.partners[near_j] < MOST_PARTNERS
        kept.append((near_i[free], near_j[free]))
        np.add.at(block.partners, near_j[free], 1)
        later = ~now & (block.partners[j] < MOST_PARTNERS)
        i, j = i[later], j[later]
    i, j = (np.concatenate(part) for part in zip(*kept, strict=True))
    return i, j


def _rank(groups: np.ndarray) -> np.ndarray:
    """Number the members of each group, from 0; the groups (n,) are ascending."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)


def _near(take: Take, marks: Marks, block: Block, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Compute which candidates are near duplicates: (n,) bool."""
    parts = []
    for start in range(0, len(i), HASHED):
        part = np.arange(start, min(start + HASHED, len(i)))
        bits = np.bitwise_count(marks.hashes[i[part], None] ^ block.hashes[j[part]])
        parts.append(part[(bits <= MOST_BITS).any(1)])
    hashed = np.concatenate(parts)
    result = np.zeros(len(i), bool)
    for start in range(0, len(hashed), CHUNK):
        chunk = hashed[start : start + CHUNK]
        bits = np.bitwise_count(marks.hashes[i[chunk], None] ^ block.hashes[j[chunk]])
        alike = np.einsum("pc,psc->ps", marks.cells[i[chunk]], block.cells[j[chunk]])
        alike[bits > MOST_BITS] = 0
        some = (alike >= ALIKE_CELLS).any(1)
        chunk = chunk[some]
        result[chunk] = _pixels(take, i[chunk], block.numbers[j[chunk]], alike[some])
    return result


def _pixels(take: Take, i: np.ndarray, j: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """Compute which pairs have alike pixels, at any shift where their averages are alike: (n,).

    Those correlate by `alike` (n, shifts). The shift of the highest correlation is tried first.
    """
    result = np.zeros(len(i), bool)
    if not len(i):
        return result
    first, second = (blur(take(number)) for number in (i, j))
    reach = math.isqrt(alike.shape[1]) // 2
    h, w = (side - 2 * reach for side in first.shape[1:])
    windows = np.lib.stride_tricks.sliding_window_view(second, (h, w), (1, 2))
    middle = first[:, reach : reach + h, reach : reach + w]
    order = np.argsort(-alike, 1, kind="stable")
    for shift in order.T:
        rest = np.flatnonzero(~result & (alike[np.arange(len(i)), shift] >= ALIKE_CELLS))
        if not len(rest):
            break
        y, x = np.divmod(shift[rest], 2 * reach + 1)
        result[rest] = pixels_alike(middle[rest], windows[rest, y, x])
    return result
