from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments import Result
from experiments.cost_and_accuracy import main, rank_correlation
from jaxnet import DataError
from jaxnet.data.dataset import Dataset

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6], -1.0),
        ([0.1, 0.3, 0.4, 0.9], 1.0),
        ([0.5, 0.5, 0.5, 0.5], 0.0),
        ([0.9, np.nan, 0.7, 0.6], -1.0),
        ([0.4, 0.2, 0.1, 0.3], -0.4),  # by hand: 1 − 6 Σd² / n(n² − 1) = 1 − 6 · 14 / 60
    ],
)
def test_rank_correlation(accuracies: list[float], expected: float) -> None:
    costs = np.array([1.0, 10.0, 100.0, 1000.0])
    assert rank_correlation(costs, np.array(accuracies)) == pytest.approx(expected, abs=1e-12)


@pytest.fixture(scope="module")
def result() -> Result:
    return main(seeds=2, rates=4, iterations=1000)


def test_it_holds_on_the_sketches_at_first(result: Result) -> None:
    numbers = result.numbers
    assert result.holds
    assert numbers["training pictures"] == numbers["test pictures"] == "yes"
    assert numbers["training pictures: ρ within a run"] < -0.95
    assert numbers["training pictures: ρ across networks"] < -0.9
    assert numbers["test pictures: ρ within a run"] < -0.9
    assert numbers["training pictures: best constant"] == pytest.approx(137 / 209)
    assert numbers["test pictures: best constant"] == pytest.approx(33 / 50)


def test_the_cheapest_network_is_the_best_on_its_own_pictures_only(result: Result) -> None:
    for words, is_best in (("training", True), ("test", False)):
        cheapest = result.numbers[f"{words} pictures: accuracy of the cheapest network"]
        assert (cheapest == result.numbers[f"{words} pictures: best accuracy"]) is is_best


def test_it_does_not_hold_for_the_test_pictures_in_the_end() -> None:
    result = main(seeds=2, rates=4)
    assert not result.holds
    assert result.numbers["training pictures"] == "yes"
    assert result.numbers["test pictures"] == "no"
    assert -0.65 < result.numbers["test pictures: ρ across networks"] < 0
    assert -0.65 < result.numbers["test pictures: ρ within a run"] < 0


def test_a_cost_that_falls_while_no_answer_changes_shows_nothing() -> None:
    result = main(seeds=2, rates=2, greatest=0.001, iterations=50, chunk=10)
    assert not result.holds
    assert result.numbers["training pictures: ρ across networks"] == 0.0
    assert result.numbers["test pictures: ρ within a run"] == 0.0


@pytest.mark.slow
def test_on_the_cats_it_holds_for_the_training_pictures_only(cats: Dataset) -> None:
    result = main("catvnoncat", rates=4, seeds=2)
    assert not result.holds
    assert result.numbers["training pictures"] == "yes"
    assert result.numbers["test pictures"] == "no"
    assert result.numbers["test pictures: ρ within a run"] > 0.5


def test_test_pictures_are_needed(h5: Callable[..., Path]) -> None:
    path = h5(test_set_x=None, test_set_y=None)
    with pytest.raises(DataError, match="no test pictures"):
        main(str(path))
