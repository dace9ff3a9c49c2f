from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

from experiments import Result, explore_data
from experiments.explore_data import main, tile
from jaxnet import to_columns

AWAY = "largest difference after the way back, in levels of 255"
LOST = "colour lost, root mean square, in levels of 255"


@pytest.fixture(scope="module")
def sketches() -> Result:
    return main(examples=2)


def test_the_sketches_lose_nothing_but_colour(sketches: Result) -> None:
    assert sketches.holds
    assert sketches.numbers["numbers a picture"] == sketches.numbers["pixels a picture"] == 4096
    assert sketches.numbers[AWAY] < 1e-12
    assert sketches.numbers["sum of the luma weights"] == pytest.approx(1, abs=1e-15)
    assert sketches.numbers[LOST] > 10


def test_the_classes_of_the_sketches_are_counted(sketches: Result) -> None:
    assert sketches.numbers["share of cat, train"] == 72 / 209
    assert sketches.numbers["share of cat, test"] == 17 / 50


@pytest.mark.parametrize("scale", ["symmetric", "unit", "raw"])
def test_any_size_and_scale_comes_back(scale: str, h5: Callable[..., Path]) -> None:
    result = main(data=str(h5()), pixel_scale=scale)
    assert result.holds
    assert result.numbers["numbers a picture"] == 8 * 6
    assert result.numbers["share of cat, test"] == 0.75


def test_grey_pictures_lose_nothing(h5: Callable[..., Path], images: np.ndarray) -> None:
    grey = images[:8, :, :, :1].repeat(3, axis=-1)
    assert main(data=str(h5(train_set_x=grey))).numbers[LOST] < 1e-12


def test_in_colour_it_is_another_column(h5: Callable[..., Path]) -> None:
    result = main(data=str(h5()), color="rgb")
    assert not result.holds
    assert result.numbers["numbers a picture"] == 3 * 8 * 6
    assert result.numbers[LOST] < 1e-12
    assert result.numbers[AWAY] > 10


def test_columns_in_another_order_are_noticed(
    h5: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_columns(images: np.ndarray, **settings: str) -> jax.Array:
        return to_columns(images.swapaxes(1, 2), **settings)

    monkeypatch.setattr(explore_data, "to_columns", by_columns)
    assert not main(data=str(h5())).holds


def test_pictures_are_laid_out_in_rows_and_columns() -> None:
    pictures = np.arange(6, dtype=np.uint8).reshape(2, 3, 1, 1, 1).repeat(3, axis=-1)
    sheet = tile(pictures)
    assert sheet.shape == (2 * 5, 3 * 5, 3)
    np.testing.assert_array_equal(sheet[2::5, 2::5, 0], [[0, 1, 2], [3, 4, 5]])
    assert (sheet[0] == 255).all()
