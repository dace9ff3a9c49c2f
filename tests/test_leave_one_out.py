"""Leaving one picture out by its weight, against training without its column in pixels."""

from typing import Any

import by_numpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_span import make_problem

from jaxnet.activations import ACTIVATIONS
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import to_examples
from jaxnet.defaults import LARGEST_SEED
from jaxnet.errors import DataError, UsageError
from jaxnet.examples import Examples, make_examples
from jaxnet.many import engine
from jaxnet.many import leave_one_out as module
from jaxnet.many.leave_one_out import LeaveOneOut, leave_one_out
from jaxnet.network import init_params
from jaxnet.settings import Settings
from jaxnet.training import fit

FIRST_SEED, SEEDS = 5, 3


def make_data(*, weighted: bool = False) -> tuple[Examples, Examples]:
    _, X, Y, weights = make_problem(20, 6)
    _, X_test, Y_test, _ = make_problem(20, 4)
    return make_examples(X, Y, weights if weighted else None), make_examples(X_test, Y_test)


def make_settings(**changes: Any) -> Settings:
    usual: dict[str, Any] = {
        "hidden_units": 3,
        "weight_scale": 0.3,
        "seed": FIRST_SEED,
        "learning_rate": 0.2,
        "momentum": 0.9,
        "iterations": 60,
        "precision": "float64",
    }
    return Settings(**(usual | changes))


def leave_out(*, weighted: bool = False, **changes: Any) -> LeaveOneOut:
    train, test = make_data(weighted=weighted)
    return leave_one_out(train, make_settings(**changes), seeds=SEEDS, test=test)


@pytest.mark.parametrize(
    ("activation", "weighted"),
    [
        ("relu", False),
        ("sigmoid", True),
        pytest.param("relu", True, marks=pytest.mark.slow),
        pytest.param("sigmoid", False, marks=pytest.mark.slow),
    ],
)
def test_it_is_what_training_without_the_column_gives(
    activation: str, weighted: bool, x64: None
) -> None:
    (X, Y, weights), (X_test, _, _) = jax.device_get(make_data(weighted=weighted))
    hidden = ACTIVATIONS[activation]
    result = leave_out(weighted=weighted, activation=activation, nesterov=weighted)
    assert result.test is not None
    assert result.test_without is not None
    for s in range(SEEDS):
        key = jax.random.key(FIRST_SEED + s)
        params = init_params(key, 20, 3, weight_scale=0.3, dtype=jnp.float64)
        for i in range(7):
            kept = np.delete(np.arange(6), [i] if i < 6 else [])
            alone = fit(
                params,
                X[:, kept],
                Y[:, kept],
                hidden,
                learning_rate=0.2,
                momentum=0.9,
                nesterov=weighted,
                weights=None if weights is None else weights[:, kept],
                iterations=60,
                basis="pixels",
            )
            ours = (
                (result.train_without[s, i], result.test_without[s, i])
                if i < 6
                else (result.train[s], result.test[s])
            )
            for mine, pictures in zip(ours, (X, X_test), strict=True):
                theirs = by_numpy.predict(alone.params, pictures, hidden)
                np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-9)
            assert result.outcomes[s, i] == alone.outcome
            if i < 6:
                assert result.unseen[s, i] == result.train_without[s, i, i]
    assert (np.abs(result.unseen - result.train).max(axis=1) > 0.01).all()  # it makes a difference


@pytest.mark.parametrize("weighted", [False, True])
def test_each_outcome_is_measured_by_the_entropy_of_the_labels_that_are_left(
    weighted: bool, x64: None
) -> None:
    """Without the only picture of class 1 the labels are of one class, whose entropy is 0."""
    X: Any = np.asarray(make_problem(20, 4).X)
    Y: Any = np.array([[0.0, 1.0, 0.0, 0.0]])
    weights: Any = np.array([[1.0, 3.0, 1.0, 1.0]]) if weighted else None
    settings = make_settings(learning_rate=1e-4, iterations=4, weight_scale=0.01, momentum=0.0)
    outcomes = leave_one_out(
        make_examples(*jax.device_put((X, Y, weights))), settings, seeds=2
    ).outcomes
    # The cost stays near ln 2: that is the entropy of weights 3 to 3, and above all others here.
    expected = ["slow", "learning", "slow", "slow", "plateau" if weighted else "slow"]
    assert outcomes.tolist() == [expected] * 2
    for i in range(4):
        kept = np.delete(np.arange(4), i)
        params = init_params(
            jax.random.key(FIRST_SEED), 20, 3, weight_scale=0.01, dtype=jnp.float64
        )
        alone = fit(
            params,
            X[:, kept],
            Y[:, kept],
            learning_rate=1e-4,
            iterations=4,
            weights=None if weights is None else weights[:, kept],
        )
        assert alone.outcome == expected[i]


def test_a_unit_that_only_the_missing_picture_switches_on_is_dead(x64: None) -> None:
    """One hidden unit; the picture that is left out is the one on which it is active."""
    examples = make_examples(*jax.device_put((np.eye(3) - 0.4, np.array([[1.0, 0.0, 1.0]]))))
    settings = make_settings(hidden_units=1, iterations=1, learning_rate=0.0)
    outcomes = leave_one_out(examples, settings, seeds=8).outcomes
    for s in range(8):
        params = init_params(
            jax.random.key(FIRST_SEED + s), 3, 1, weight_scale=0.3, dtype=jnp.float64
        )
        active = (np.asarray(params["W1"]) @ np.asarray(examples.X))[0] > 0
        for i in range(4):
            assert (outcomes[s, i] == "dead") == (not np.delete(active, [i] if i < 3 else []).any())
    alone_on = (outcomes[:, :3] == "dead") & (outcomes[:, 3:] != "dead")
    assert alone_on.any()


def test_without_test_pictures(x64: None) -> None:
    alone = leave_one_out(make_data()[0], make_settings(), seeds=SEEDS)
    assert alone.test is None
    assert alone.test_without is None
    np.testing.assert_allclose(alone.train_without, leave_out().train_without, rtol=1e-12)


def test_a_data_set_is_trained_on_as_its_examples_are(images: np.ndarray) -> None:
    labels = np.array([0, 1, 0, 0, 1])
    data = Dataset(Split(images[:5], labels), Split(images[8:], labels[:4]), ("tree", "boat"))
    settings = Settings(hidden_units=3, iterations=5)
    preprocessing = Preprocessing(4, 3, "rgb", "unit")
    ours = leave_one_out(data, settings, preprocessing, seeds=2)
    splits = to_examples(data, settings, preprocessing)
    theirs = leave_one_out(splits["train"], settings, seeds=2, test=splits["test"])
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_what_does_not_fit(x64: None, monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = make_data()
    settings = make_settings()
    with pytest.raises(DataError, match="Y has shape"):
        leave_one_out(train._replace(Y=np.asarray(train.Y)[0]), settings)
    with pytest.raises(DataError, match="one example"):
        leave_one_out(train._replace(weights=jax.device_put(np.eye(6)[:1])), settings)
    two = jax.device_put(np.array([[1.0, 1, 0, 0, 0, 0]]))
    leave_one_out(train._replace(weights=two), settings, seeds=2)
    with pytest.raises(UsageError, match="seeds is 1"):
        leave_one_out(train, settings, seeds=1)
    with pytest.raises(UsageError, match="optimizer of many networks is adam"):
        leave_one_out(train, Settings(optimizer="adam", precision="float64"))
    with pytest.raises(UsageError, match="8 seeds from 4294967295"):
        leave_one_out(train, make_settings(seed=LARGEST_SEED))
    with pytest.raises(UsageError, match="of 21 networks have numbers that are not finite"):
        leave_out(learning_rate=1e200)
    monkeypatch.setattr(module, "MOST_NUMBERS", 3 * 7 * 10)
    leave_out()
    monkeypatch.setattr(module, "MOST_NUMBERS", 3 * 7 * 10 - 1)
    with pytest.raises(UsageError, match="210 probabilities"):
        leave_out()


def test_other_seeds_and_settings_compile_nothing_anew(x64: None) -> None:
    train_block = engine._block_program(small_products=True)
    train_block.clear_cache()
    leave_out()
    leave_out(learning_rate=0.1, weight_scale="he", momentum=0.5, seed=9)
    assert train_block._cache_size() == 1
