"""Leaving one picture out by its weight, against training without its column in pixels."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_span import make_problem

from jaxnet.activations import Activation, relu, sigmoid
from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.dataset import Dataset
from jaxnet.errors import DataError, UsageError
from jaxnet.many import engine as blocks
from jaxnet.many import leave_one_out as module
from jaxnet.many.leave_one_out import (
    Change,
    LeaveOneOut,
    influence,
    leave_one_out,
    memorisation,
    most_moved,
    unseen_accuracies,
)
from jaxnet.network import forward, init_params
from jaxnet.training import fit

SETTINGS: dict[str, Any] = {"iterations": 60, "momentum": 0.9}


def find(hidden: Activation = relu, **changes: Any) -> LeaveOneOut:
    _, X, Y, _ = make_problem(20, 6)
    _, X_test, Y_test, _ = make_problem(20, 4)
    settings = {"learning_rate": 0.2, "scale": 0.3, "n_h": 3} | SETTINGS | changes
    keys = jax.random.split(jax.random.key(5), 3)
    return leave_one_out(keys, X, Y, hidden, test=(X_test, Y_test), **settings)


@pytest.mark.parametrize("hidden", [relu, sigmoid], ids=lambda g: g.name)
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_what_training_without_the_column_gives(
    hidden: Activation, weighted: bool, x64: None
) -> None:
    _, X, Y, weights = make_problem(20, 6)
    X_test = make_problem(20, 4).X
    found = find(hidden, nesterov=weighted, **({"weights": weights} if weighted else {}))
    assert found.test is not None
    assert found.test_without is not None
    for s, key in enumerate(jax.random.split(jax.random.key(5), 3)):
        params = init_params(key, 20, 3, scale=0.3, dtype=jnp.float64)
        for i in range(7):
            kept = np.delete(np.arange(6), [i] if i < 6 else [])
            alone = fit(
                params,
                X[:, kept],
                Y[:, kept],
                hidden,
                learning_rate=0.2,
                nesterov=weighted,
                weights=weights[:, kept] if weighted else None,
                basis="pixels",
                **SETTINGS,
            )
            ours = (
                (found.train_without[s, i], found.test_without[s, i])
                if i < 6
                else (found.train[s], found.test[s])
            )
            for mine, pictures in zip(ours, (X, X_test), strict=True):
                theirs = forward(alone.params, pictures, hidden).A2[0]
                np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-9)
            assert found.outcomes[s, i] == alone.outcome
            if i < 6:
                assert found.unseen[s, i] == found.train_without[s, i, i]
    assert (np.abs(found.unseen - found.train).max(axis=1) > 0.01).all()  # it makes a difference


def test_changes_are_those_of_the_probabilities_averaged_over_the_seeds() -> None:
    # Two seeds, two training pictures (of class 1 and 0), one test picture.
    found = LeaveOneOut(
        train=np.array([[0.9, 0.2], [0.7, 0.2]], np.float32),
        test=np.array([[0.6], [0.6]], np.float32),
        train_without=np.array([[[0.4, 0.1], [0.9, 0.7]], [[0.6, 0.3], [0.8, 0.1]]], np.float32),
        test_without=np.array([[[0.5], [0.9]], [[0.1], [0.3]]], np.float32),
        outcomes=np.full((2, 3), "learning"),
    )
    learnt = memorisation(found, np.array([1, 0]))
    np.testing.assert_allclose(learnt.mean, [0.3, 0.2], rtol=1e-6)  # 0.5, 0.1 and 0.5, -0.1
    np.testing.assert_allclose(learnt.spread, [0.4 / 2**0.5, 0.6 / 2**0.5], rtol=1e-6)
    assert learnt.noise.tolist() == [False, True]
    moved = influence(found)
    np.testing.assert_allclose(moved.mean, [[0.3], [0.0]], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(moved.spread, [[0.4 / 2**0.5], [0.6 / 2**0.5]], rtol=1e-6)
    accuracy, by_seed = unseen_accuracies(found, np.array([1, 0]))
    assert by_seed.tolist() == [0.0, 1.0]
    assert accuracy.value == 0.0  # the lower of the two in the middle
    np.testing.assert_allclose(accuracy.high, 0.6576, atol=1e-4)
    with pytest.raises(DataError, match="no test pictures"):
        influence(found._replace(test=None, test_without=None))


def test_the_largest_change_comes_first_and_noise_is_named() -> None:
    change = Change(np.array([0.1, -0.5, 0.9, 0.3, 0.0]), np.array([0.01, 0.1, 1.0, 0.3, 0.0]))
    assert change.noise.tolist() == [False, False, True, True, True]
    assert change.order.tolist() == [2, 1, 3, 0, 4]
    # Of three test pictures, the second has but noise, and the third the largest change.
    moved = Change(np.array([[0.2, 0.9, 0.1], [0.1, 0.0, -0.3]]), np.array([[0.1, 1.0, 0.0]] * 2))
    assert most_moved(moved).tolist() == [2, 0, 1]
    assert moved.of(2).order.tolist() == [1, 0]
    assert moved.of(2).noise.tolist() == [False, False]


def test_without_test_pictures(x64: None) -> None:
    _, X, Y, _ = make_problem(20, 6)
    keys = jax.random.split(jax.random.key(5), 3)
    alone = leave_one_out(
        keys, X, Y, learning_rate=0.2, scale=0.3, n_h=3, iterations=60, momentum=0.9
    )
    assert alone.test is None
    assert alone.test_without is None
    np.testing.assert_allclose(alone.train_without, find().train_without, rtol=1e-12)


def test_what_does_not_fit(x64: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _, X, Y, _ = make_problem(20, 6)
    keys = jax.random.split(jax.random.key(5), 3)
    with pytest.raises(DataError, match="Y has shape"):
        leave_one_out(keys, X, Y[0])
    with pytest.raises(DataError, match="one picture"):
        leave_one_out(keys, X, Y, weights=jnp.eye(6)[:1])
    with pytest.raises(UsageError, match="seeds is 1"):
        leave_one_out(keys[:1], X, Y)
    with pytest.raises(UsageError, match="of 21 networks have numbers that are not finite"):
        find(learning_rate=1e200)
    monkeypatch.setattr(module, "MOST_NUMBERS", 3 * 7 * 10 - 1)
    with pytest.raises(UsageError, match="210 probabilities"):
        find()


def test_other_seeds_and_settings_compile_nothing_anew(x64: None) -> None:
    train_block = blocks._block_program(small_products=True)
    train_block.clear_cache()
    find()
    find(learning_rate=0.1, scale="he", momentum=0.5)
    assert train_block._cache_size() == 1


@pytest.mark.slow
def test_a_test_picture_that_is_in_train_too_is_explained_by_its_copy(cats: Dataset) -> None:
    X, Y = to_columns(cats.train.images), to_row(cats.train.labels)
    assert cats.test is not None
    test = to_columns(cats.test.images), to_row(cats.test.labels)
    keys = jax.vmap(jax.random.key)(np.arange(4))
    moved = influence(leave_one_out(keys, X, Y, test=test, iterations=1000))
    explained = moved.of(17)
    assert explained.order[0] == 146
    assert explained.mean[146] > 0.1
    assert not explained.noise[146]
