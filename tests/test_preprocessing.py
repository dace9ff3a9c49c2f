from typing import Any

import chex
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.pictures import resize_images
from jaxnet.data.pixels import PIXEL_SCALES
from jaxnet.data.preprocessing import Preprocessing, preprocessing_for
from jaxnet.errors import UsageError
from jaxnet.examples import balancing_weights


def test_it_resizes_and_makes_columns(images: np.ndarray) -> None:
    preprocessing = Preprocessing(5, 4, "rgb", "unit")
    X = preprocessing.columns(images)
    chex.assert_shape(X, (preprocessing.n_x, 12))
    expected = to_columns(resize_images(images, 5, 4), color="rgb", pixel_scale="unit")
    chex.assert_trees_all_equal(X, expected)
    assert Preprocessing().n_x == 4096
    assert Preprocessing(5, 4).n_x == 20


def test_the_defaults_are_those_of_to_columns(images: np.ndarray) -> None:
    chex.assert_trees_all_equal(Preprocessing(8, 6).columns(images), to_columns(images))


def test_a_split_becomes_examples(images: np.ndarray, x64: None) -> None:
    preprocessing, labels = Preprocessing(5, 4), np.array([0, 1, 0, 0] * 3)
    split = Split(images, labels)
    plain = preprocessing.examples(split, "float64")
    assert plain.weights is None
    chex.assert_trees_all_equal(plain.X, preprocessing.columns(images, "float64"))
    chex.assert_trees_all_equal(plain.Y, to_row(labels, dtype=jnp.float64))
    balanced = preprocessing.examples(split, "float64", balanced=True)
    chex.assert_trees_all_equal(balanced.weights, balancing_weights(plain.Y))
    assert {array.dtype for array in balanced if array is not None} == {jnp.dtype("float64")}


def test_that_of_a_data_set_keeps_the_size_of_its_pictures(images: np.ndarray) -> None:
    data = Dataset(Split(images, np.array([0, 1] * 6)), None, ("tree", "boat"))
    assert preprocessing_for(data) == Preprocessing(8, 6)
    assert preprocessing_for(data, color="rgb") == Preprocessing(8, 6, "rgb")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"height": 0}, "height is 0"),
        ({"width": 6.0}, "width is 6.0"),
        ({"color": "grey"}, 'color is "grey"'),
        ({"pixel_scale": "minmax"}, 'pixel_scale is "minmax"'),
        ({"pixel_scale": None}, "pixel_scale is None"),
    ],
)
def test_values_that_are_refused(options: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        Preprocessing(**options)


def test_every_pixel_scale_of_to_columns_may_be_chosen() -> None:
    for pixel_scale in PIXEL_SCALES:
        assert Preprocessing(pixel_scale=pixel_scale).pixel_scale == pixel_scale
