"""Convert images to X and labels to Y; one example is one column."""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.layout import Format, Layout
from jax.sharding import SingleDeviceSharding
from jax.typing import DTypeLike

from jaxnet.arrays import check_labels
from jaxnet.data.dataset import check_images
from jaxnet.data.pixels import COLORS, LUMA, PIXEL_SCALES, to_rows
from jaxnet.defaults import COLOR, PIXEL_SCALE
from jaxnet.devices import find_devices, require_dtype
from jaxnet.errors import DataError, require_choice


def to_columns(
    images: np.ndarray,
    *,
    color: str = COLOR,
    pixel_scale: str = PIXEL_SCALE,
    dtype: DTypeLike = jnp.float32,
) -> jax.Array:
    """Convert pictures to grey or keep RGB, scale the pixels, and flatten each into a column.

    The arithmetic runs on the host in `dtype`, so that X is bit-identical on every device.

    Args:
        images: (m, h, w, 3) uint8, RGB.
        color: "gray" (luma, 0.299 R + 0.587 G + 0.114 B, unrounded) or "rgb".
        pixel_scale: "symmetric" [-1, 1], "unit" [0, 1], or "raw" [0, 255].
        dtype: float32 or float64.

    Returns:
        X (n_x, m), n_x = h·w for gray and h·w·3 for rgb, in row-major order.

    Raises:
        DataError: If `images` is not a uint8 array of shape (m, h, w, 3), or is empty.
        UsageError: If `color`, `pixel_scale` or `dtype` has another value, or JAX cannot use its
            device.

    Example:
        >>> images = np.zeros((5, 64, 64, 3), np.uint8)  # five black pictures
        >>> X = jaxnet.to_columns(images)
        >>> X.shape, float(X.min()), float(X.max())
        ((4096, 5), -1.0, -1.0)
    """
    require_choice("color", color, COLORS)
    require_choice("pixel_scale", pixel_scale, PIXEL_SCALES)
    dtype = require_dtype(dtype)
    images = np.asarray(images)
    check_images(images.shape, images.dtype, "images")
    find_devices()
    # Unlike jnp.asarray, device_put compiles nothing.
    return jax.device_put(to_rows(images, color, pixel_scale, dtype).T)  # (n_x, m)


@functools.cache
def columns_on_device(
    color: str, pixel_scale: str, dtype: str
) -> Callable[[np.ndarray], jax.Array]:
    """Compile what `to_columns` computes, to rounding, for batches of a stream.

    The bytes of a picture lie together, and so do the numbers of its column: X is stored by
    columns, since a transposition would take twenty times as long as the arithmetic.
    """
    layout = Format(Layout((1, 0)), SingleDeviceSharding(find_devices()[0]))

    def convert(images: jax.Array) -> jax.Array:
        return rows_of_bytes(images, color, pixel_scale, dtype).T

    return jax.jit(convert, out_shardings=layout)


def rows_of_bytes(images: jax.Array, color: str, pixel_scale: str, dtype: DTypeLike) -> jax.Array:
    """Compute Xᵀ (m, n_x) of images (m, h, w, 3) uint8, within a compiled program."""
    pixels = images.astype(dtype)
    if color == "gray":
        pixels = sum(weight * pixels[..., channel] for channel, weight in enumerate(LUMA))  # type: ignore[assignment]
    return PIXEL_SCALES[pixel_scale](pixels).reshape(len(images), -1)


def to_row(labels: Sequence[int] | np.ndarray, *, dtype: DTypeLike = jnp.float32) -> jax.Array:
    """Convert labels (m,) of 0 and 1 to the row Y (1, m).

    Raises:
        DataError: If the labels are not a vector of 0 and 1.
        UsageError: If `dtype` is not float32 or float64, or JAX cannot use its device.

    Example:
        >>> jaxnet.to_row([0, 1, 1])
        Array([[0., 1., 1.]], dtype=float32)
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"labels are of type {array.dtype}",
            "numbers, 0 or 1",
            "number the classes: np.equal(labels, positive).astype(int)",
        )
    if array.size != max(array.shape, default=0):
        raise DataError(
            f"labels have shape {array.shape}",
            "shape (m,), one label for each picture",
            "for one-hot labels of shape (m, classes), give labels.argmax(axis=1)",
        )
    check_labels(array, array.size, "labels")
    find_devices()
    return jax.device_put(array.reshape(1, -1).astype(require_dtype(dtype)))
