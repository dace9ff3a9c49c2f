import io
import math
from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments import Result
from experiments.cats import draw_units, main
from jaxnet import DataError
from jaxnet.data.dataset import Dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def result() -> Result:
    return main(seeds=3)


def wilson(right: int, answers: int) -> tuple[float, float]:
    p, z2 = right / answers, 1.959963984540054**2
    middle = p + z2 / (2 * answers)
    reach = math.sqrt(z2 * (p * (1 - p) / answers + z2 / (4 * answers**2)))
    return (middle - reach) / (1 + z2 / answers), (middle + reach) / (1 + z2 / answers)


def test_it_learns_to_tell_drawn_cats(result: Result) -> None:
    numbers = result.numbers
    assert result.holds
    assert numbers["networks that learn"] == 3
    assert numbers["test accuracy, median network"] == pytest.approx(0.86, abs=0.021)
    assert numbers["training accuracy, median"] > 0.96
    assert numbers["the best constant, in hindsight"] == pytest.approx(33 / 50)
    assert numbers['always "other" (most of training)'] == pytest.approx(33 / 50)


def test_the_interval_is_wilsons(result: Result) -> None:
    right = round(result.numbers["test accuracy, median network"] * 50)
    interval = [result.numbers[f"its Wilson interval, {end}"] for end in ("low", "high")]
    assert interval == pytest.approx(wilson(right, 50), rel=1e-9)


def test_a_network_that_has_hardly_learnt_does_not_beat_the_constant() -> None:
    result = main(seeds=2, iterations=50)
    assert not result.holds
    assert result.numbers["test accuracy, median network"] == pytest.approx(33 / 50)


def test_a_unit_is_shown_where_it_stands() -> None:
    W1 = np.zeros((3, 8 * 4))
    W1[2, 5] = 1.0  # in row 1, column 1
    axes = Figure().subplots()
    draw_units(axes, {"W1": jnp.asarray(W1), "W2": jnp.asarray([[0.5, -0.5, 2.0]])}, (8, 4))
    sheet = axes.images[0].get_array()
    assert sheet is not None
    # Two tiles in a row; above each picture 8 // 4 pixels of space, and 2 on either side.
    assert np.argwhere(sheet == 1).tolist() == [[10 + 2 + 1, 2 + 1]]
    assert [text.get_text() for text in axes.texts] == ["+0.50", "−0.50", "+2.00"]


@pytest.mark.parametrize("learning_rate", [1e30, 1e300])
def test_networks_that_overflow_have_not_learnt(
    learning_rate: float, h5: Callable[..., Path]
) -> None:
    result = main(str(h5()), seeds=3, learning_rate=learning_rate, iterations=20)
    assert not result.holds
    assert result.numbers["networks that learn"] == 0
    assert "not finite" in result.numbers["outcomes"]
    assert result.figure is not None
    result.figure.savefig(io.BytesIO())


@pytest.mark.slow
def test_it_does_not_learn_to_tell_the_articles_cats(cats: Dataset) -> None:
    result = main("catvnoncat", seeds=16)
    numbers = result.numbers
    assert not result.holds
    assert numbers["training accuracy, median"] > 0.98
    assert numbers["test accuracy, median network"] == pytest.approx(0.5, abs=0.05)
    assert numbers["the best constant, in hindsight"] == pytest.approx(33 / 50)
    assert numbers['always "non-cat" (most of training)'] == pytest.approx(17 / 50)


def test_test_pictures_are_needed(h5: Callable[..., Path]) -> None:
    path = h5(test_set_x=None, test_set_y=None)
    with pytest.raises(DataError, match="no test pictures"):
        main(str(path))
