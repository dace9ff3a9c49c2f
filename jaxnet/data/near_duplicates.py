"""Search for near duplicates: each picture against those before it, block by block.

Three comparisons follow each other, each stricter and slower than the one before: the filter of
`candidates`, which compares all pairs; the dHash and the averages at every shift; and the pixels.
"""

import itertools
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
    reach_within,
)
from jaxnet.progress import Track, silent

# A picture is paired with so many earlier ones, the first: among the frames of a film, all pairs
# would be more than can be kept or read.
MOST_PARTNERS = 16

SECOND, FIRST = 4096, 1024  # pictures of a block that is compared with a block of earlier ones
CHUNK = 256  # pairs whose pixels are compared at once

Take = Callable[[np.ndarray], np.ndarray]


class Marks(NamedTuple):
    """What is kept of each picture, unshifted.

    Attributes:
        cells: (m, 72) float32, the normalised averages.
        hashes: (m,) uint64, the dHash.
    """

    cells: np.ndarray
    hashes: np.ndarray


class Shifted(NamedTuple):
    """What is computed of each picture of a block, at every shift.

    Attributes:
        cells: (n, shifts, 72) float32, the normalised averages.
        hashes: (n, shifts) uint64, the dHash.
    """

    cells: np.ndarray
    hashes: np.ndarray


def mark(grey: np.ndarray) -> Marks:
    """Compute the marks of grey pictures (m, h, w)."""
    cells = average(grey, shifted=False)[:, 0, 0]
    return Marks(normalise(cells), difference_hash(cells))


def near_pairs(take: Take, marks: Marks, track: Track = silent) -> list[tuple[int, int]]:
    """Find the near duplicates among pictures, as sorted pairs i < j.

    Args:
        take: Returns the grey pictures (n, h, w) of indices (n,).
        marks: Those of all pictures.
        track: Shows the progress in blocks of pairs.
    """
    m = len(marks.hashes)
    axes = principal_axes(marks.cells)
    points = lift_points(marks.cells @ axes)
    blocks = [
        (start, first) for start in range(0, m, SECOND) for first in range(0, min(start + SECOND, m), FIRST)
    ]
    pairs: list[tuple[int, int]] = []
    tracked = track(blocks, "comparing pictures", len(blocks))
    for start, group in itertools.groupby(tracked, lambda block: block[0]):
        numbers = np.arange(start, min(start + SECOND, m))
        shifted, sheets = _shift(take, numbers, axes)
        planes = lift_planes(sheets, np.sqrt(2 * (1 - ALIKE_CELLS)))
        partners = np.zeros(len(numbers), np.int64)
        for _, first in group:
            open_ = np.flatnonzero(partners < MOST_PARTNERS)
            i, j = pass_near(points[first : first + FIRST], planes[:, :, open_])
            i, j = i + first, open_[j]
            earlier = i < start + j
            i, j = _confirm(take, marks, shifted, start, partners, i[earlier], j[earlier])
            pairs += zip(i.tolist(), (start + j).tolist(), strict=True)
    return sorted(pairs)


def _shift(take: Take, numbers: np.ndarray, axes: np.ndarray) -> tuple[Shifted, np.ndarray]:
    """Compute the shifts of pictures, and their averages (n, s, s, k) along the axes (72, k)."""
    cells, hashes, sheets = [], [], []
    for chunk in np.array_split(numbers, -(-len(numbers) // CHUNK)):
        averages = average(take(chunk), shifted=True)
        rows = normalise(averages)  # (n, s, s, 72)
        sheets.append(rows @ axes)
        cells.append(rows.reshape(len(chunk), -1, rows.shape[-1]))
        hashes.append(difference_hash(averages).reshape(len(chunk), -1))
    return Shifted(np.concatenate(cells), np.concatenate(hashes)), np.concatenate(sheets)


def _confirm(
    take: Take,
    marks: Marks,
    shifted: Shifted,
    start: int,
    partners: np.ndarray,
    i: np.ndarray,
    j: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the candidates that are near duplicates; count them in `partners`, up to the most.

    Args:
        start: The number of the picture that is j = 0.
        i: The numbers of the earlier pictures.
        j: Those of the later ones, within `shifted`.
    """
    order = np.lexsort((i, j))
    i, j = i[order], j[order]
    kept = []
    while len(i):
        # The next few of each j, so that no more than necessary are compared.
        rank = np.arange(len(j)) - np.searchsorted(j, j)
        now = rank < MOST_PARTNERS
        near_i, near_j = i[now], j[now]
        near = _near(take, marks, shifted, start, near_i, near_j)
        near_i, near_j = near_i[near], near_j[near]
        room = np.arange(len(near_j)) - np.searchsorted(near_j, near_j) < (
            MOST_PARTNERS - partners[near_j]
        )
        near_i, near_j = near_i[room], near_j[room]
        np.add.at(partners, near_j, 1)
        kept.append((near_i, near_j))
        later = ~now & (partners[j] < MOST_PARTNERS)
        i, j = i[later], j[later]
    if not kept:
        return i, j
    return tuple(np.concatenate(part) for part in zip(*kept, strict=True))


def _near(
    take: Take, marks: Marks, shifted: Shifted, start: int, i: np.ndarray, j: np.ndarray
) -> np.ndarray:
    """Compute which pairs are near duplicates: (n,) bool."""
    result = np.zeros(len(i), bool)
    size = 64 * CHUNK
    for left in range(0, len(i), size):
        part = np.arange(left, min(left + size, len(i)))
        bits = np.bitwise_count(marks.hashes[i[part], None] ^ shifted.hashes[j[part]])
        part, bits = (x[(bits <= MOST_BITS).any(1)] for x in (part, bits))
        for chunk, b in ((part[k : k + CHUNK], bits[k : k + CHUNK]) for k in range(0, len(part), CHUNK)):
            alike = np.einsum("pc,psc->ps", marks.cells[i[chunk]], shifted.cells[j[chunk]])
            alike[b > MOST_BITS] = 0
            some = (alike >= ALIKE_CELLS).any(1)
            chunk, alike = chunk[some], alike[some]
            result[chunk] = _pixels(take, i[chunk], start + j[chunk], alike)
    return result


def _pixels(take: Take, i: np.ndarray, j: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """Compute which pairs have alike pixels, at any shift where their averages are alike: (n,).

    Args:
        alike: (n, shifts), the correlation of the averages. The highest is tried first.
    """
    result = np.zeros(len(i), bool)
    if not len(i):
        return result
    first, second = (blur(take(number)) for number in (i, j))
    reach = reach_within(*[side + 2 for side in first.shape[1:]])
    h, w = (side - 2 * reach for side in first.shape[1:])
    windows = np.lib.stride_tricks.sliding_window_view(second, (h, w), (1, 2))
    middle = first[:, reach : reach + h, reach : reach + w]
    order = np.argsort(-alike, 1, kind="stable")
    for shift in order.T:
        open_ = np.flatnonzero(~result & (alike[np.arange(len(i)), shift] >= ALIKE_CELLS))
        if not len(open_):
            break
        y, x = np.divmod(shift[open_], 2 * reach + 1)
        result[open_] = pixels_alike(middle[open_], windows[open_, y, x])
    return result
