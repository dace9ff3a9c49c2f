"""Convert pictures to the rows of Xᵀ in NumPy: grey or RGB, scaled, flattened row by row."""

from collections.abc import Callable
from typing import Any

import numpy as np

COLORS = ("gray", "rgb")
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue (ITU-R BT.601)

PIXEL_SCALES: dict[str, Callable[[Any], Any]] = {
    "symmetric": lambda pixels: pixels / 127.5 - 1,  # [-1, 1], as the article recommends
    "unit": lambda pixels: pixels / 255,  # [0, 1]
    "raw": lambda pixels: pixels,  # [0, 255]
}


def to_rows(images: np.ndarray, color: str, pixel_scale: str, dtype: np.dtype) -> np.ndarray:
    """Compute Xᵀ (m, n_x) of images (m, h, w, 3) uint8 in `dtype`."""
    if color == "gray":
        pixels = np.zeros(images.shape[:3], dtype)  # (m, h, w)
        for channel, weight in enumerate(LUMA):
            pixels += weight * images[..., channel].astype(dtype)
    else:
        pixels = images.astype(dtype)  # (m, h, w, 3)
    rows: np.ndarray = PIXEL_SCALES[pixel_scale](pixels).reshape(len(images), -1)
    return rows
