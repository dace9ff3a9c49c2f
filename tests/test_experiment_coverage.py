"""The simulation of intervals: what is drawn and counted."""

import numpy as np
import pytest

from experiments import coverage
from experiments.coverage import count, draw, main
from jaxnet import UsageError
from jaxnet.evaluation.cross_validation import CHOICES, ProcedureScores
from jaxnet.evaluation.scores import Interval


def test_each_data_set_has_enough_of_each_class() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        X, Y, _ = draw(generator, "far", 20, 5)
        assert X.shape == (coverage.FEATURES, 20)
        assert 5 <= int(Y.sum()) <= 15


def test_an_interval_counts_if_it_contains_the_truth() -> None:
    intervals = [Interval(0.5, 0.4, 0.6), Interval(0.7, 0.6, 0.9), Interval(0.3, 0.1, 0.5)]
    found = [ProcedureScores(*[interval] * 3) for interval in intervals]
    counted = count("far", 50, False, dict.fromkeys(CHOICES, 0.6), found)
    assert counted.covered["accuracy"] == pytest.approx(200 / 3)
    assert counted.mean["log_loss"] == pytest.approx(0.5)
    assert counted.width["accuracy"] == pytest.approx(0.3)
    by_mean = count("far", 50, True, None, found)
    assert by_mean.truth["accuracy"] == pytest.approx(0.5)
    assert by_mean.covered["accuracy"] == pytest.approx(200 / 3)


def test_sizes_that_are_no_numbers() -> None:
    with pytest.raises(UsageError, match='sizes is "small"'):
        main(sizes="small")


@pytest.mark.slow
def test_a_few_data_sets() -> None:
    result = main(sizes="30", data_sets=3, networks=2, repeats=2)
    assert len(result.numbers["counts"]) == 6
    assert set(result.numbers["lowest"]) == set(CHOICES)
    assert result.figure is not None
