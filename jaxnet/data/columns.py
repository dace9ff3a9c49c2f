"""Images to X, labels to Y, and if wished example weights: one example is one column."""

import dataclasses
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from jaxnet.arrays import check_labels
from jaxnet.data.dataset import check_images
from jaxnet.data.pictures import resize_images
from jaxnet.devices import require_dtype
from jaxnet.errors import DataError, require_choice

COLORS = ("gray", "rgb")
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)

SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "symmetric": lambda pixels: pixels / 127.5 - 1,  # [-1, 1], which the article advises
    "unit": lambda pixels: pixels / 255,  # [0, 1]
    "raw": lambda pixels: pixels,  # [0, 255]
}


def to_columns(
    images: np.ndarray,
    *,
    color: str = "gray",
    scale: str = "symmetric",
    dtype: DTypeLike = jnp.float32,
) -> jax.Array:
    """Make pictures grey, scale them, and lay each out as a column.

    The arithmetic is done on the host in `dtype`, so that every device is given the same bits.

    Args:
        images: (m, h, w, 3) uint8, RGB.
        color: "gray" (luma, 0.299 R + 0.587 G + 0.114 B, unrounded) or "rgb".
        scale: "symmetric" [-1, 1], "unit" [0, 1], or "raw" [0, 255].
        dtype: float32 or float64.

    Returns:
        X (n_x, m), n_x = h·w for gray and h·w·3 for rgb, row by row.

    Raises:
        DataError: If `images` are not pictures.
        UsageError: If `color`, `scale` or `dtype` is not one of these.
    """
    require_choice("color", color, COLORS)
    require_choice("scale", scale, SCALES)
    dtype = require_dtype(dtype)
    images = np.asarray(images)
    check_images(images.shape, images.dtype, "images")
    if color == "gray":
        pixels = np.zeros(images.shape[:3], dtype)  # (m, h, w)
        for channel, share in enumerate(LUMA):
            pixels += share * images[..., channel].astype(dtype)
    else:
        pixels = images.astype(dtype)  # (m, h, w, 3)
    return jnp.asarray(SCALES[scale](pixels).reshape(len(images), -1).T)  # (n_x, m)


def to_row(labels: Sequence[int] | np.ndarray, *, dtype: DTypeLike = jnp.float32) -> jax.Array:
    """Lay labels (m,) of 0 and 1 out as the row Y (1, m)."""
    labels = np.asarray(labels)
    if labels.size != max(labels.shape, default=0):
        raise DataError(
            f"labels have shape {labels.shape}", "(m,), one label a picture", "labels.argmax(1)?"
        )
    check_labels(labels, labels.size, "labels")
    return jnp.asarray(labels.reshape(1, -1).astype(require_dtype(dtype)))


def balancing_weights(Y: jax.Array) -> jax.Array:
    """Weigh each example by m / (2 × the size of its class), so that both classes count alike."""
    p = jnp.mean(Y)
    return jnp.where(Y == 1, 0.5 / p, 0.5 / (1 - p))


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """How pictures become columns: fixed for a model, and stored with it.

    Attributes:
        height: Pictures are brought to this height,
        width: and to this width, in pixels.
        color: As in `to_columns`.
        scale: As in `to_columns`.
    """

    height: int = 64
    width: int = 64
    color: str = "gray"
    scale: str = "symmetric"

    @property
    def n_x(self) -> int:
        """The number of features of a picture."""
        return self.height * self.width * (1 if self.color == "gray" else 3)

    def columns(self, images: np.ndarray, dtype: DTypeLike = jnp.float32) -> jax.Array:
        """Turn images (m, h, w, 3) uint8 of any size into X (n_x, m)."""
        images = resize_images(images, self.height, self.width)
        return to_columns(images, color=self.color, scale=self.scale, dtype=dtype)
