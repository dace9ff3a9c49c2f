import numpy as np
import pytest

from experiments.learning_map import border_of, box_dimension, main, read_window
from jaxnet import UsageError


def test_the_map_of_a_few_networks() -> None:
    result = main(cells=12, iterations=60)
    assert result.holds
    numbers = result.numbers
    kinds = ("learning", "plateau", "diverged", "dead", "not finite")
    assert sum(numbers.get(kind, 0) for kind in kinds) == 144
    assert numbers["share that learns"] == numbers["learning"] / 144
    assert numbers["not finite"] > 20
    assert "dimension of the border" not in numbers


def test_a_window_in_which_all_learn_has_no_border() -> None:
    result = main(cells=3, iterations=200, window="0.02:0.03,0.02:0.03")
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
