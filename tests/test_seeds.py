"""What is said of many seeds, against `fit` from each of them and against numbers by hand."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_span import make_problem

from jaxnet.errors import DataError, UsageError
from jaxnet.evaluation.scores import wilson
from jaxnet.many.seeds import (
    Seeds,
    Spread,
    compare_seeds,
    describe_seeds,
    lower_median,
    seeds_as_answer,
    train_seeds,
)
from jaxnet.network import accuracy, forward, init_params
from jaxnet.training import fit

ALL = np.ones(4, bool)


def test_the_networks_are_those_of_fit_and_the_kept_one_is_the_median(x64: None) -> None:
    _, X, Y, weights = make_problem(20, 6)
    _, X_test, Y_test, _ = make_problem(20, 9)
    keys = jax.random.split(jax.random.key(3), 6)
    found = train_seeds(
        keys,
        X,
        Y,
        learning_rate=0.1,
        scale="he",
        n_h=3,
        momentum=0.5,
        iterations=15,
        weights=weights,
        test=(X_test, Y_test),
    )
    alone = [
        fit(
            init_params(key, 20, 3, scale="he", dtype=jnp.float64),
            X,
            Y,
            learning_rate=0.1,
            momentum=0.5,
            iterations=15,
            weights=weights,
        )
        for key in keys
    ]
    costs = [run.costs[-1] for run in alone]
    np.testing.assert_allclose(found.last_costs, costs, rtol=1e-11)
    assert found.outcomes.tolist() == [run.outcome for run in alone]
    assert costs[found.kept] == sorted(costs)[2]
    for name, data in {"train": (X, Y), "test": (X_test, Y_test)}.items():
        expected = [float(accuracy(run.params, *data)) for run in alone]
        np.testing.assert_allclose(found.splits[name].accuracies, expected, rtol=1e-12)
        A2 = np.stack([forward(run.params, data[0]).A2[0] for run in alone])
        positive = (A2 > 0.5).sum(axis=0)
        np.testing.assert_allclose(found.splits[name].flips, np.minimum(positive, 6 - positive) / 6)
        hits = int(((A2.mean(axis=0) > 0.5) == data[1][0]).sum())
        assert found.splits[name].ensemble == wilson(hits, data[1].size)
    assert found.splits["test"].flips.max() > 0


def test_numbers_by_hand() -> None:
    probabilities = np.array([[0.9, 0.6, 0.4], [0.8, 0.4, 0.4], [0.7, 0.4, 0.2], [0.6, 0.45, 0.9]])
    split = compare_seeds(probabilities, np.array([1, 0, 0]), ALL)
    np.testing.assert_allclose(split.accuracies, [2 / 3, 1, 1, 2 / 3])
    np.testing.assert_allclose(split.accuracy, (5 / 6, 2 / 3, 1))
    assert split.ensemble.value == 1  # of 0.75, 0.4625, 0.475
    np.testing.assert_allclose(split.flips, [0, 0.25, 0.25])


def test_a_network_that_is_not_finite_has_no_say_and_comes_last() -> None:
    probabilities = np.array([[0.9, 0.1], [np.nan, np.nan], [0.8, 0.6]])
    split = compare_seeds(probabilities, np.array([1, 0]), np.array([True, False, True]))
    np.testing.assert_array_equal(split.accuracies, [1, np.nan, 0.5])
    assert split.accuracy.median == 0.75
    assert split.flips.tolist() == [0, 0.5]
    assert split.ensemble.value == 1
    assert lower_median(np.array([0.3, np.inf, 0.1])) == 2
    assert lower_median(np.array([np.inf, np.inf, 0.2, np.inf])) == 2


@pytest.mark.parametrize(
    ("costs", "kept"),
    [([0.5], 0), ([0.5, 0.2], 1), ([0.5, 0.2, 0.3], 2), ([0.1, 0.4, 0.3, 0.2], 3)],
)
def test_the_lower_median(costs: list[float], kept: int) -> None:
    assert lower_median(np.array(costs)) == kept


def test_test_labels_choose_nothing(x64: None) -> None:
    _, X, Y, _ = make_problem(20, 6)
    _, X_test, Y_test, _ = make_problem(20, 9)
    keys = jax.random.split(jax.random.key(3), 5)
    kept = {
        train_seeds(keys, X, Y, scale=0.3, learning_rate=0.2, iterations=9, test=test).kept
        for test in (None, (X_test, Y_test), (X_test, 1 - Y_test))
    }
    assert len(kept) == 1


def test_in_words_and_for_a_program() -> None:
    train = compare_seeds(np.full((4, 2), 0.9), np.array([1, 0]), ALL)
    probabilities = np.array([[0.9, 0.6, 0.4], [0.8, 0.4, 0.4], [0.7, 0.4, 0.2], [0.6, 0.45, 0.9]])
    test = compare_seeds(probabilities, np.array([1, 0, 0]), ALL)
    outcomes = np.array(["learning", "dead", "learning", "learning"])
    found = Seeds(np.array([0.1, 0.7, 0.3, 0.2]), outcomes, 3, {"train": train, "test": test})
    assert describe_seeds(found, first=10) == [
        "4 seeds: 1 dead, 3 learning",
        "train accuracy, the median of the seeds: 50.0 % "
        "(least to greatest of the seeds: 50.0 to 50.0 %)",
        "train accuracy of all of them together, by their mean probability: "
        "1/2 = 50.0 % [9.5–90.5 %]",
        "train pictures whose class depends on the seed: 0 of 2",
        "test accuracy, the median of the seeds: 83.3 % "
        "(least to greatest of the seeds: 66.7 to 100.0 %)",
        "test accuracy of all of them together, by their mean probability: "
        "3/3 = 100.0 % [43.9–100.0 %]",
        "test pictures whose class depends on the seed: 2 of 3; "
        "on average 16.7 % of the seeds are outvoted, most on test 1: 25 %",
        "kept: seed 13, the lower median by its last cost, 0.2000; "
        "the labels of test choose nothing",
    ]
    answer = json.loads(json.dumps(seeds_as_answer(found, first=10)))
    assert answer["seeds"] == [10, 11, 12, 13]
    assert answer["kept"] == 13
    assert answer["outcomes"][1] == "dead"
    assert answer["splits"]["test"]["accuracy"] == pytest.approx(
        Spread(5 / 6, 2 / 3, 1.0)._asdict()
    )
    assert answer["splits"]["test"]["flips"] == [0, 0.25, 0.25]


def test_what_does_not_fit(x64: None) -> None:
    _, X, Y, _ = make_problem(20, 6)
    keys = jax.random.split(jax.random.key(3), 2)
    with pytest.raises(DataError, match="Y has shape"):
        train_seeds(keys, X, Y[0])
    with pytest.raises(UsageError, match="none of 2 networks"):
        train_seeds(keys, X * 1e100, Y, learning_rate=1e300, iterations=9)
