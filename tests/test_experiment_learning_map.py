import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments.learning_map import (
    RAGGED,
    border_of,
    box_dimension,
    find_too_small,
    main,
    raggedness,
    read_window,
    staircase,
)
from jaxnet import UsageError

# All maps of the sketches are made of blocks of 64 networks that make 60 updates: of one program.


def test_the_map_of_a_few_networks() -> None:
    result = main(cells=12, iterations=60)
    numbers = result.numbers
    assert result.holds == (numbers["cells on the border, times those of its staircase"] > RAGGED)
    kinds = ("learning", "plateau", "slow", "diverged", "dead", "not finite")
    assert sum(numbers.get(kind, 0) for kind in kinds) == 144
    assert numbers["share that learns"] == numbers["learning"] / 144
    assert numbers["not finite"] > 20
    assert "dimension of the border" not in numbers


def test_a_window_in_which_all_learn_has_no_border() -> None:
    result = main(cells=8, iterations=60, window="0.02:0.03,0.02:0.03")
    assert not result.holds
    assert result.numbers["share that learns"] == 1


@pytest.mark.parametrize(
    "text", ["", "1", "1:2", "1:2,3", "2:1,1:2", "0:1,1:2", "a:b,1:2", "1:inf,1:2"]
)
def test_a_window_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match="the window is"):
        read_window(text)
    assert read_window("0.1:1,2:3e1") == [(0.1, 1.0), (2.0, 30.0)]


def test_the_border_is_where_neighbours_differ() -> None:
    inside = np.zeros((4, 4), bool)
    inside[1:3, 1:3] = True
    expected = [[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    assert border_of(inside).astype(int).tolist() == expected
    assert not border_of(~np.zeros((4, 4), bool)).any()


def test_box_dimensions_of_known_sets() -> None:
    n = 256
    point, line = np.zeros((n, n), bool), np.eye(n, dtype=bool)
    point[100, 30] = True
    i, j = np.indices((n, n))
    sierpinski = (i & j) == 0
    for marked, expected in ((point, 0), (line, 1), (sierpinski, np.log2(3)), (i >= 0, 2)):
        dimension, error, sides = box_dimension(marked)
        assert dimension == pytest.approx(expected, abs=1e-12)
        assert error < 1e-6
        assert sides == [1, 2, 4, 8, 16, 32]


def test_a_smooth_border_is_not_ragged_whatever_its_shape() -> None:
    i, j = np.indices((32, 32))
    for too_large in (i + j > 20, (i > 20) | (j > 12), i > 9, (i > 20) & (j > 12), i * j > 90):
        assert raggedness(too_large) <= 1
        np.testing.assert_array_equal(staircase(too_large), too_large)
    assert raggedness(i < 0) == raggedness(i >= 0) == 0


def test_a_ragged_border_has_more_cells_than_its_staircase() -> None:
    i, j = np.indices((32, 32))
    comb = i > 10 + 6 * (j % 2)
    np.testing.assert_array_equal(staircase(comb), i > 16)
    assert raggedness(comb) > 4
    flickering = (i + j > 20) & (np.random.default_rng(0).random((32, 32)) < 0.3 + (i + j > 26))
    assert raggedness(flickering) > 2
    # A single cell is no border, and a few single ones make none ragged.
    few = i + j > 30
    few[3, 4] = few[5, 11] = True
    assert 1 < raggedness(few) < RAGGED
    alone = np.zeros((32, 32), bool)
    alone[5, 5] = True
    assert raggedness(alone) < RAGGED


def test_rates_are_too_small_if_no_step_raised_the_cost() -> None:
    costs = np.array([[0.7, 0.69, 0.68], [0.7, 0.72, 0.68], [0.7, 0.69, 0.69 + 1e-8]])
    for outcome in ("plateau", "slow"):
        assert find_too_small(np.full(3, outcome), costs).tolist() == [True, False, True]
    for outcome in ("learning", "diverged", "dead", "not finite"):
        assert not find_too_small(np.full(3, outcome), costs).any()
    assert not find_too_small(np.array(["not finite"]), np.array([[0.7, np.inf, np.inf]])).any()


def test_rates_that_are_too_small_make_no_border() -> None:
    result = main(cells=8, iterations=60, window="0.0001:0.03,0.0001:0.03")
    assert not result.holds
    numbers = result.numbers
    assert 0 < numbers["share that learns"] < 1
    assert numbers["too small"] == 64 - numbers["learning"]
    assert numbers["cells on the border, times those of its staircase"] == 0


def test_where_the_second_rate_is_large_the_border_is_ragged() -> None:
    result = main(cells=16, iterations=60, window="0.001:0.1,1:100")
    assert result.holds
    assert result.numbers["cells on the border, times those of its staircase"] > 1.5
    assert result.numbers["too large, though larger ones learn"] > 10


def test_a_cost_of_0_can_be_drawn(h5: Callable[..., Path], images: np.ndarray) -> None:
    two = h5(train_set_x=images[:2], train_set_y=np.array([0, 1]))
    result = main(str(two), cells=8, iterations=100, window="0.1:100,0.1:100")
    assert result.figure is not None
    result.figure.savefig(io.BytesIO())
