"""Data sets as examples. How single arrays are refused is tested in test_arrays.py."""

from typing import Any, cast

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import examples_of, to_examples
from jaxnet.errors import DataError, UsageError
from jaxnet.examples import Examples, balancing_weights, make_examples
from jaxnet.settings import Settings


@pytest.fixture
def data(images: np.ndarray) -> Dataset:
    labels = np.array([0, 1, 0, 0, 1, 0, 0, 1])
    test = Split(images[8:], np.array([0, 0, 0, 1]))
    return Dataset(Split(images[:8], labels), test, ("tree", "boat"), "noise")


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_split_in_the_precision_that_is_set(precision: str, data: Dataset) -> None:
    settings = Settings(precision=precision)
    splits = to_examples(data, settings, Preprocessing(4, 3, "rgb"))
    assert splits.keys() == {"train", "test"}
    with jax.enable_x64(precision == "float64"):
        for name, split in data.splits.items():
            expected = Preprocessing(4, 3, "rgb").examples(split, precision)
            chex.assert_trees_all_equal(splits[name], expected)
            assert splits[name].X.dtype == precision
    own_size = to_examples(data, settings)
    assert own_size["train"].X.shape == (48, 8)


def test_only_the_training_set_is_weighted(data: Dataset) -> None:
    splits = to_examples(data, Settings(balanced=True))
    chex.assert_trees_all_equal(splits["train"].weights, balancing_weights(splits["train"].Y))
    assert splits["test"].weights is None
    assert to_examples(data, Settings())["train"].weights is None


def test_a_data_set_of_one_class_is_refused(data: Dataset) -> None:
    one = Dataset(data.train._replace(labels=np.ones(8, int)), None, ("tree", "boat"))
    with pytest.raises(DataError, match='every training picture is "boat"'):
        to_examples(one, Settings())


def test_examples_stay_as_they_are(data: Dataset) -> None:
    splits = to_examples(data, Settings())
    train, test = examples_of(splits["train"], Settings(), test=splits["test"])
    assert train is splits["train"]
    assert test is splits["test"]
    assert examples_of(splits["train"], Settings()) == (splits["train"], None)
    balanced, _ = examples_of(splits["train"], Settings(balanced=True))
    chex.assert_trees_all_equal(balanced.weights, balancing_weights(train.Y))
    from_data, from_test = examples_of(data, Settings())
    chex.assert_trees_all_equal(from_data, splits["train"])
    chex.assert_trees_all_equal(from_test, splits["test"])


def test_what_does_not_fit(data: Dataset) -> None:
    splits = to_examples(data, Settings())
    train, test = splits["train"], splits["test"]
    weighted = train._replace(weights=jnp.ones_like(train.Y))
    other = make_examples(test.X[:5], test.Y)
    wide, wrong = Settings(precision="float64"), cast(Any, Preprocessing())
    cases: tuple[tuple[Any, Settings, dict[str, Any], type[Exception], str], ...] = (
        (data, Settings(), {"test": test}, UsageError, "test examples are given together"),
        (tuple(train), Settings(), {}, UsageError, "data is of type tuple"),
        (train, Settings(), {"preprocessing": Preprocessing()}, UsageError, "already preprocessed"),
        (train, wide, {}, UsageError, "X is of type float32, but the precision is float64"),
        (weighted, Settings(balanced=True), {}, UsageError, "the examples have weights"),
        (train, Settings(), {"test": other}, DataError, "the test X has 5 features, the"),
        (train, Settings(), {"test": Examples(test.X, test.Y.T)}, DataError, r"shape \(4, 1\)"),
        (data, wrong, {}, UsageError, "settings is of type Preprocessing"),
    )
    for given, settings, options, error, found in cases:
        with pytest.raises(error, match=found):
            examples_of(given, settings, **options)
