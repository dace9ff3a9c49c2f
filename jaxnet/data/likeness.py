"""Compare two pictures: by the dHash, by averages and by pixels, each stricter and slower.

The dHash is that of N. Krawetz ("Kind of like that", The Hacker Factor Blog, 2013). It alone would
match two drawings of the same kind.
"""

import numpy as np

from jaxnet.data.grey import average_matrices

GRID = (8, 9)  # averages in a dHash, which compares 8 × 8 pairs of horizontal neighbours
MOST_BITS = 6  # the most bits that differ between the dHashes of near duplicates
ALIKE_CELLS = 0.98  # the least correlation of their averages
ALIKE = 0.985  # the least correlation of their pixels

SPOT = 6  # side in pixels of the smallest spot in which two pictures may differ
SPOT_LEVELS = 6.5  # the largest difference of a spot's mean, in grey levels from 0 to 255 …
SPOT_SHARE = 0.2  # … or in standard deviations of the picture, whichever is larger

REACH = 2  # the largest shift of a copy along each axis, in pixels


def reach_within(h: int, w: int) -> int:
    """Compute the largest shift, in pixels, of pictures of this size: 2 are much in a small one."""
    return min(REACH, min(h, w) // 16)


def average(grey: np.ndarray, *, shifted: bool) -> np.ndarray:
    """Compute the averages of grey pictures (m, h, w), of the middle or of all shifts.

    Returns:
        (m, s, s, 8, 9), where s is 1 or 2 · reach + 1: shifted down, then to the right.
    """
    (m, h, w), (rows, columns) = grey.shape, GRID
    reach = reach_within(h, w)
    shifts = slice(None) if shifted else slice(reach, reach + 1)
    down = average_matrices(h, rows, reach)[shifts]  # (s, h, rows)
    across = average_matrices(w, columns, reach)[shifts]  # (s, w, columns)
    n = len(down)
    cells = (
        down.transpose(0, 2, 1).reshape(n * rows, h)
        @ grey
        @ across.transpose(1, 0, 2).reshape(w, n * columns)
    )
    return cells.reshape(m, n, rows, n, columns).transpose(0, 1, 3, 2, 4)


def difference_hash(cells: np.ndarray) -> np.ndarray:
    """Compute the dHash of averages (…, 8, 9): (…) uint64, a bit for each rise to the right."""
    bits = cells[..., 1:] > cells[..., :-1]
    packed = np.packbits(bits.reshape(*bits.shape[:-2], -1), -1)
    return packed.view(np.uint64)[..., 0]


def normalise(cells: np.ndarray) -> np.ndarray:
    """Flatten averages (…, 8, 9) to (…, 72) of mean 0 and norm 1; dot products are correlations."""
    flat = cells.reshape(*cells.shape[:-2], -1)
    flat = flat - flat.mean(-1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-6)


def blur(grey: np.ndarray) -> np.ndarray:
    """Average over 3 × 3 pixels, weighted 1 2 1, since re-encoding changes the finest detail."""
    for _ in range(2):
        grey = (grey[:, 1:] + grey[:, :-1]) / 2
        grey = (grey[:, :, 1:] + grey[:, :, :-1]) / 2
    return grey


def pixels_alike(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compute which pairs of blurred pictures (n, h, w) show the same: (n,) bool.

    Their pixels correlate by at least `ALIKE`, and what is left after a fit of one to the other is
    noise: see `_differ_locally`. The fit by brightness and contrast alone suffices for most.
    """
    first, second = (p - p.mean((1, 2), keepdims=True) for p in (first, second))
    squares = [np.einsum("nhw,nhw->n", p, p) for p in (first, second)]
    products = np.einsum("nhw,nhw->n", first, second)
    alike = products >= ALIKE * np.sqrt(np.maximum(squares[0] * squares[1], 1e-12))
    unsure = np.flatnonzero(alike)
    for fit in (_fit_contrast, _fit_copy):
        for one, other in ((first, second), (second, first)):
            a, b = one[unsure], other[unsure]
            unsure = unsure[_differ_locally(fit(a, b), b)]
    alike[unsure] = False
    return alike


def _differ_locally(residuals: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Compute where the residuals (n, h', w') of a fit to pictures (n, h, w) are no noise: (n,).

    Averaged over 6 × 6 pixels, noise and the errors of JPEG nearly vanish: an error of a block's
    mean is at most half a step of its quantisation, 3.3 grey levels at quality 15. A part that is
    drawn or placed otherwise remains. Smaller pictures hold no such block, and never differ.
    """
    n, h, w = residuals.shape
    rows, columns = h // SPOT, w // SPOT
    spots = residuals[:, : rows * SPOT, : columns * SPOT]
    spots = spots.reshape(n, rows, SPOT, columns, SPOT).mean((2, 4)).reshape(n, rows * columns)
    largest = np.abs(spots).max(1, initial=0)
    return largest > np.maximum(SPOT_LEVELS, SPOT_SHARE * pictures.std((1, 2)))


def _fit_contrast(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Fit centred pictures (n, h, w) by contrast alone; return the residuals."""
    products = [np.einsum("nhw,nhw->n", first, other) for other in (first, second)]
    return second - (products[1] / products[0])[:, None, None] * first


def _fit_copy(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Fit pictures (n, h, w) as copies; return the residuals (n, h - 2, w - 2).

    A copy is a curve of the tones (to the third order, which follows clipped highlights roughly),
    shifted by a part of a pixel (the two slopes) and sharper or softer (the Laplacian).
    """
    middle = first[:, 1:-1, 1:-1]
    n, pixels = len(middle), middle.shape[1] * middle.shape[2]
    up, down, left, right = (
        first[:, :-2, 1:-1],
        first[:, 2:, 1:-1],
        first[:, 1:-1, :-2],
        first[:, 1:-1, 2:],
    )
    scaled = middle / 128
    squares = scaled * scaled
    parts = [
        scaled,
        squares,
        squares * scaled,
        down - up,
        right - left,
        up + down + left + right - 4 * middle,
    ]
    basis = np.stack(parts, 1).reshape(n, len(parts), pixels)
    basis -= basis.mean(-1, keepdims=True)
    basis /= np.maximum(np.linalg.norm(basis, axis=-1, keepdims=True), 1e-6)
    target = second[:, 1:-1, 1:-1].reshape(n, 1, pixels)
    target = target - target.mean(-1, keepdims=True)
    gram = basis @ basis.transpose(0, 2, 1)
    weights = np.linalg.pinv(gram, hermitian=True, rcond=1e-5) @ (basis @ target.transpose(0, 2, 1))
    return (target - weights.transpose(0, 2, 1) @ basis).reshape(middle.shape)
