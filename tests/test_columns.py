import chex
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.data.columns import to_columns, to_row
from jaxnet.errors import DataError, UsageError


def test_one_picture_is_one_column_row_by_row(images: np.ndarray) -> None:
    X = to_columns(images, color="rgb", pixel_scale="raw")
    chex.assert_shape(X, (8 * 6 * 3, 12))
    chex.assert_type(X, jnp.float32)
    np.testing.assert_array_equal(X, images.reshape(12, -1).T)
    chex.assert_shape(to_columns(images), (8 * 6, 12))


def test_grey_is_the_luma_unrounded(x64: None) -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 20, 30]]], np.uint8)
    X = to_columns(pixels[None], pixel_scale="raw", dtype=jnp.float64)
    expected = [[76.245], [149.685], [29.07], [2.99 + 11.74 + 3.42]]
    np.testing.assert_allclose(X, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("pixel_scale", "black", "white"), [("symmetric", -1, 1), ("unit", 0, 1), ("raw", 0, 255)]
)
def test_pixel_scales(pixel_scale: str, black: float, white: float) -> None:
    pixels = np.zeros((1, 1, 2, 3), np.uint8)
    pixels[0, 0, 1] = 255
    for color in ("gray", "rgb"):
        X = np.unique(to_columns(pixels, color=color, pixel_scale=pixel_scale))
        np.testing.assert_allclose(X, [black, white], rtol=1e-6)


def test_float64_is_kept_or_refused(images: np.ndarray) -> None:
    with pytest.raises(UsageError, match="dtype is float64, but JAX is set to 32"):
        to_columns(images, dtype=jnp.float64)
    with pytest.raises(UsageError, match="dtype is float64, but JAX is set to 32"):
        to_row(np.array([0, 1]), dtype=jnp.float64)


def test_float64_where_it_is_allowed(images: np.ndarray, x64: None) -> None:
    chex.assert_type(to_columns(images, dtype=jnp.float64), jnp.float64)
    chex.assert_type(to_row(np.array([0, 1]), dtype=jnp.float64), jnp.float64)


def test_other_types_of_numbers_are_refused(images: np.ndarray) -> None:
    for dtype in (jnp.float16, jnp.int32, jnp.complex64):
        with pytest.raises(UsageError, match="float32 or float64"):
            to_columns(images, dtype=dtype)


def test_labels_become_a_row() -> None:
    Y = to_row([0, 1, 1])
    chex.assert_shape(Y, (1, 3))
    chex.assert_type(Y, jnp.float32)
    np.testing.assert_array_equal(Y, [[0, 1, 1]])
    with pytest.raises(DataError, match=r"shape \(3, 2\)"):
        to_row(np.array([[1, 0], [0, 1], [0, 1]]))
    with pytest.raises(DataError, match="labels 0, 1, 2"):
        to_row([0, 1, 2])


def test_what_is_no_picture_and_settings_that_are_not_there(images: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"\(8, 6, 3\)"):
        to_columns(images[0])
    with pytest.raises(DataError, match="float32"):
        to_columns(images.astype(np.float32))
    with pytest.raises(UsageError, match='"gray" or "rgb"'):
        to_columns(images, color="grey")
    with pytest.raises(UsageError, match='"symmetric" or "unit" or "raw"'):
        to_columns(images, pixel_scale="minmax")
