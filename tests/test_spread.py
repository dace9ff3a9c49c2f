"""The spread over seeds and over the cells of a sweep, against numbers by hand."""

import json

import numpy as np
import pytest

from jaxnet.evaluation.scores import wilson
from jaxnet.evaluation.spread import (
    Percentiles,
    Spread,
    compare_seeds,
    count_outcomes,
    spread,
    spread_over_seeds,
    summarise_cells,
)
from jaxnet.many.grid import Grid
from jaxnet.many.seeds import Seeds
from jaxnet.many.sweep import Sweep
from jaxnet.report.json import to_json

PROBABILITIES = np.array([[0.9, 0.6, 0.4], [0.8, 0.4, 0.4], [0.7, 0.4, 0.2], [0.6, 0.45, 0.9]])
ALL = np.ones(4, bool)


def test_numbers_by_hand() -> None:
    split = compare_seeds(PROBABILITIES, np.array([1, 0, 0]), ALL)
    np.testing.assert_allclose(split.accuracies, [2 / 3, 1, 1, 2 / 3])
    assert split.accuracy == pytest.approx(Spread(5 / 6, 2 / 3, 1))
    assert split.ensemble == wilson(3, 3)  # of 0.75, 0.4625, 0.475
    np.testing.assert_allclose(split.flips, [0, 0.25, 0.25])


def test_the_ensemble_is_the_mean_of_the_probabilities_not_the_majority() -> None:
    probabilities = np.array([[0.45, 0.9], [0.45, 0.55], [0.9, 0.2]])
    split = compare_seeds(probabilities, np.array([1, 1]), np.ones(3, bool))
    assert split.ensemble.value == 1  # of 0.6 and 0.55
    np.testing.assert_allclose(split.flips, [1 / 3, 1 / 3])
    split = compare_seeds(np.array([[0.5, 0.51]]), np.array([1, 1]), np.ones(1, bool))
    assert split.accuracies.tolist() == [0.5]  # exactly one half is negative
    assert split.ensemble.value == 0.5
    split = compare_seeds(np.array([[0.5], [0.55]]), np.array([1]), np.ones(2, bool))
    assert split.flips.tolist() == [0.5]


def test_a_network_that_is_not_finite_is_left_out() -> None:
    probabilities = np.array([[0.9, 0.1], [np.nan, np.nan], [0.8, 0.6]])
    split = compare_seeds(probabilities, np.array([1, 0]), np.array([True, False, True]))
    np.testing.assert_array_equal(split.accuracies, [1, np.nan, 0.5])
    assert split.accuracy == (0.75, 0.5, 1.0)
    assert split.flips.tolist() == [0, 0.5]
    assert split.ensemble.value == 1


def test_percentiles_of_twenty_values_or_more_and_the_range_of_fewer() -> None:
    values = np.arange(101) / 100
    draw = np.random.default_rng(0).permutation
    assert spread(draw(values)) == pytest.approx(Spread(0.5, 0.05, 0.95))
    assert spread(draw(np.arange(20.0))) == pytest.approx(Spread(9.5, 0.95, 18.05))
    assert spread(draw(np.arange(19.0))) == pytest.approx(Spread(9, 0, 18))
    probabilities = np.where(np.arange(40) < values[:40, None] * 100, 0.9, 0.1)  # (seeds, m)
    split = compare_seeds(probabilities, np.ones(40, int), np.ones(40, bool))
    assert split.accuracy == pytest.approx(Spread(19.5 / 40, 1.95 / 40, 37.05 / 40))
    # What counts is how many are finite.
    split = compare_seeds(probabilities, np.ones(40, int), np.arange(40) < 19)
    assert split.accuracy == pytest.approx(Spread(9 / 40, 0, 18 / 40))


def make_seeds() -> Seeds:
    return Seeds(
        seeds=np.arange(10, 14),
        last_costs=np.array([0.1, 0.7, 0.3, np.nan]),
        outcomes=np.array(["learning", "dead", "learning", "not finite"]),
        kept=12,
        probabilities={"train": PROBABILITIES[:, :2], "test": PROBABILITIES},
        labels={"train": np.array([1, 0]), "test": np.array([1, 0, 0])},
    )


def test_the_spread_of_both_splits() -> None:
    seeds = make_seeds()
    result = spread_over_seeds(seeds)
    finite = np.array([True, True, True, False])
    assert list(result.splits) == ["train", "test"]
    for name, split in result.splits.items():
        expected = compare_seeds(seeds.probabilities[name], seeds.labels[name], finite)
        assert split.accuracy == expected.accuracy
        assert split.ensemble == expected.ensemble
        np.testing.assert_array_equal(split.accuracies, expected.accuracies)
    answer = json.loads(json.dumps(to_json(result), allow_nan=False))
    assert answer["seeds"] == [10, 11, 12, 13]
    assert answer["kept"] == 12
    assert answer["last_costs"] == [0.1, 0.7, 0.3, None]
    assert answer["outcomes"][1] == "dead"
    assert answer["splits"]["test"]["accuracies"][3] is None
    assert answer["splits"]["test"]["accuracy"].keys() == {"median", "low", "high"}
    assert answer["splits"]["test"]["ensemble"].keys() == {"value", "low", "high"}


def make_sweep() -> Sweep:
    """Two activations, two rates, one weight scale, three seeds."""
    outcomes = np.array(
        [
            [[["learning", "learning", "dead"]], [["not finite"] * 3]],
            [[["slow", "learning", "not finite"]], [["learning", "", ""]]],
        ]
    )
    costs = np.array([[[[0.3, 0.1, 0.7]], [[np.nan] * 3]], [[[0.9, 0.05, np.nan]], [[0.2, 7, 8]]]])
    grid = Grid(
        learning_rates=(0.1, (0.2, 0.3)),
        weight_scales=("he",),
        seeds=3,
        activations=("relu", "sigmoid"),
    )
    return Sweep(grid, costs, outcomes, costs / 10, costs / 100)


def test_the_cells_of_a_sweep() -> None:
    first, second, third = summarise_cells(make_sweep())
    # The median of 0.2 alone, of 0.1, 0.3, 0.7, and of 0.9, 0.05.
    medians = [cell.cost.median for cell in (first, second, third)]
    assert medians == pytest.approx([0.2, 0.3, 0.475])
    assert (first.activation, first.learning_rate, first.weight_scale) == (
        "sigmoid",
        (0.2, 0.3),
        "he",
    )
    assert (second.activation, second.learning_rate) == ("relu", 0.1)
    assert [(cell.learning, cell.networks) for cell in (first, second, third)] == [
        (1, 1),
        (2, 3),
        (1, 3),
    ]
    assert second.best_cost == 0.1
    assert second.cost == pytest.approx(Percentiles(0.3, 0.12, 0.66))
    assert second.train_accuracy == pytest.approx(Percentiles(0.03, 0.012, 0.066))
    assert second.test_accuracy == pytest.approx(Percentiles(0.003, 0.0012, 0.0066))
    assert first.train_accuracy == pytest.approx(Percentiles(0.02, 0.02, 0.02))
    assert third.cost == pytest.approx(Percentiles(0.475, 0.0925, 0.8575))
    without = summarise_cells(make_sweep()._replace(test_accuracies=None))
    assert [cell.test_accuracy for cell in without] == [None] * 3
    assert to_json(first)["cost"] == {"median": 0.2, "p5": 0.2, "p95": 0.2}


def test_outcomes_are_counted() -> None:
    assert count_outcomes(make_sweep().outcomes) == {
        "": 2,
        "dead": 1,
        "learning": 4,
        "not finite": 4,
        "slow": 1,
    }
