"""Grey pictures, at most 64 × 64: what the audit and the search read pixels by.

They are made block by block: the grey levels of all pictures would take four times the memory of
the pictures.
"""

import numpy as np

from jaxnet.data.all_pictures import Data, open_all
from jaxnet.data.pixels import LUMA
from jaxnet.progress import Track, silent

SIDE = 64  # larger pictures are first reduced to this side, in pixels
NEARLY_CONSTANT = 2.0  # upper bound of the standard deviation of the grey levels, 0 to 255


def to_grey(images: np.ndarray) -> np.ndarray:
    """Convert RGB pictures (m, h, w, 3) to grey, at most 64 × 64: (m, h, w) float32, 0 to 255."""
    grey = np.multiply(images[..., 0], LUMA[0], dtype=np.float32)
    for channel in (1, 2):
        grey += np.multiply(images[..., channel], LUMA[channel], dtype=np.float32)
    _, h, w = grey.shape
    if h > SIDE:
        grey = average_matrices(h, SIDE)[0].T @ grey
    return grey @ average_matrices(w, SIDE)[0] if w > SIDE else grey


def measure_grey(data: Data, track: Track = silent) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean grey (m,) of each picture, train first, and whether it is nearly constant.

    Returns:
        The means (m,) float32, 0 to 255, and (m,) bool.
    """
    means, constant = [], []
    with open_all(data) as pictures:
        for images in pictures.blocks("measuring brightness", track):
            grey = to_grey(images)
            means.append(grey.mean((1, 2)))
            constant.append(nearly_constant(grey))
    return np.concatenate(means), np.concatenate(constant)


def nearly_constant(grey: np.ndarray) -> np.ndarray:
    """Compute which grey pictures (m, h, w) are nearly constant: (m,) bool."""
    return grey.std((1, 2)) < NEARLY_CONSTANT


def average_matrices(n: int, cells: int, reach: int = 0) -> np.ndarray:
    """Build the matrices that average n pixels into cells, without `reach` pixels at the ends.

    Returns:
        (2 reach + 1, n, cells), one matrix for each shift of the pixels that remain.
    """
    size = n - 2 * reach
    edges = np.linspace(0, size, cells + 1)
    pixels = np.arange(n)[:, None] - np.arange(2 * reach + 1)[:, None, None]
    covered = np.minimum(pixels + 1, edges[1:]) - np.maximum(pixels, edges[:-1])
    return (np.clip(covered, 0, 1) * cells / size).astype(np.float32)
