"""The same training from many seeds, against `fit` from each of them."""

from typing import Any

import by_numpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_span import make_problem

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import to_examples
from jaxnet.defaults import LARGEST_SEED
from jaxnet.errors import DataError, UsageError
from jaxnet.examples import Examples, make_examples
from jaxnet.many.seeds import lower_median, train_seeds
from jaxnet.network import init_params
from jaxnet.settings import Settings
from jaxnet.training import fit


def make_data(*, weighted: bool = False) -> tuple[Examples, Examples]:
    _, X, Y, weights = make_problem(20, 6)
    _, X_test, Y_test, _ = make_problem(20, 9)
    return make_examples(X, Y, weights if weighted else None), make_examples(X_test, Y_test)


def make_settings(**changes: Any) -> Settings:
    usual: dict[str, Any] = {"hidden_units": 3, "iterations": 15, "precision": "float64"}
    return Settings(**(usual | changes))


def test_the_networks_are_those_of_fit_and_the_kept_one_is_the_median(x64: None) -> None:
    train, test = make_data(weighted=True)
    settings = make_settings(learning_rate=0.1, weight_scale="he", momentum=0.5, seed=3)
    trained = train_seeds(train, settings, seeds=6, test=test)
    alone = [
        fit(
            init_params(jax.random.key(seed), 20, 3, weight_scale="he", dtype=jnp.float64),
            train.X,
            train.Y,
            learning_rate=0.1,
            momentum=0.5,
            iterations=15,
            weights=train.weights,
        )
        for seed in range(3, 9)
    ]
    costs = [run.costs[-1] for run in alone]
    assert trained.seeds.tolist() == [3, 4, 5, 6, 7, 8]
    np.testing.assert_allclose(trained.last_costs, costs, rtol=1e-11)
    assert trained.outcomes.tolist() == [run.outcome for run in alone]
    assert costs[trained.kept - 3] == sorted(costs)[2]
    assert trained.probabilities.keys() == trained.labels.keys() == {"train", "test"}
    for name, data in {"train": train, "test": test}.items():
        A2 = np.stack([by_numpy.predict(run.params, data.X) for run in alone])
        np.testing.assert_allclose(trained.probabilities[name], A2, rtol=1e-10)
        np.testing.assert_array_equal(trained.labels[name], np.asarray(data.Y)[0])
        assert trained.labels[name].dtype.kind == "i"


def test_the_lower_median_of_the_finite_costs() -> None:
    for costs, expected in (
        ([0.5], 0),
        ([0.5, 0.2], 1),
        ([0.5, 0.2, 0.3], 2),
        ([0.1, 0.4, 0.3, 0.2], 3),
        ([0.3, np.inf, 0.1], 2),
        ([np.inf, np.inf, 0.2, np.inf], 2),
        ([0.3, 0.3, 0.3, 0.3], 1),
    ):
        assert lower_median(np.array(costs)) == expected


def test_a_network_that_is_not_finite_is_not_kept(x64: None) -> None:
    train, _ = make_data()
    trained = train_seeds(train, make_settings(learning_rate=1e50), seeds=8)
    finite = trained.outcomes != "not finite"
    assert 0 < finite.sum() < 4
    costs = np.where(finite, trained.last_costs, np.inf)
    assert trained.kept == np.argsort(costs, kind="stable")[(finite.sum() - 1) // 2]
    assert np.isfinite(trained.probabilities["train"][finite]).all()


def test_test_labels_choose_nothing(x64: None) -> None:
    train, test = make_data()
    settings = make_settings(weight_scale=0.3, learning_rate=0.2)
    flipped = test._replace(Y=jax.device_put(1 - np.asarray(test.Y)))
    kept = {train_seeds(train, settings, seeds=8, test=t).kept for t in (None, test, flipped)}
    assert len(kept) == 1


def test_a_data_set_is_trained_on_as_its_examples_are(images: np.ndarray) -> None:
    labels = np.array([0, 1, 0, 0, 1, 0, 0, 1])
    data = Dataset(Split(images[:8], labels), Split(images[8:], labels[:4]), ("tree", "boat"))
    settings = Settings(hidden_units=3, iterations=5)
    preprocessing = Preprocessing(4, 3, "rgb", "unit")
    ours = train_seeds(data, settings, preprocessing, seeds=3)
    splits = to_examples(data, settings, preprocessing)
    theirs = train_seeds(splits["train"], settings, seeds=3, test=splits["test"])
    np.testing.assert_array_equal(ours.last_costs, theirs.last_costs)
    for name in ("train", "test"):
        np.testing.assert_array_equal(ours.probabilities[name], theirs.probabilities[name])
        np.testing.assert_array_equal(ours.labels[name], theirs.labels[name])


def test_what_does_not_fit(x64: None) -> None:
    train, _ = make_data()
    dark = train._replace(X=jax.device_put(np.asarray(train.X) * 1e100))
    cases: tuple[tuple[Examples, dict[str, Any], int, str], ...] = (
        (dark, {"learning_rate": 1e300}, 8, "none of 8 networks"),
        (train, {"optimizer": "adam"}, 2, "optimizer of many networks is adam"),
        (train, {"seed": LARGEST_SEED}, 2, "2 seeds from 4294967295"),
        (train, {}, 0, "seeds is 0"),
        (train, {}, 100_001, "seeds is 100001"),
    )
    for examples, settings, seeds, found in cases:
        with pytest.raises(UsageError, match=found):
            train_seeds(examples, make_settings(**settings), seeds=seeds)
    with pytest.raises(DataError, match="Y has shape"):
        train_seeds(train._replace(Y=np.asarray(train.Y)[0]), make_settings(), seeds=2)
