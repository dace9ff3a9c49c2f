"""What `sgd` makes; that it trains as optax's SGD does is tested in test_training.py."""

import dataclasses
import pickle
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import Problem

from jaxnet.defaults import LEARNING_RATE, MOMENTUM
from jaxnet.errors import UsageError
from jaxnet.optimizer import check_optimizer, sgd
from jaxnet.training import fit, fit_in_chunks, start_descent


def numbers_of(optimizer: Any, params: Any) -> dict[str, float]:
    return {name: float(n) for name, n in optimizer.init(params).hyperparams.items()}


def test_its_numbers_are_in_its_state(tiny: Problem) -> None:
    assert numbers_of(sgd(0.3, 0.9), tiny.params) == {"learning_rate": 0.3, "momentum": 0.9}
    expected = {"learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    assert numbers_of(sgd(), tiny.params) == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_numbers_are_of_the_type_of_the_params(dtype: str, tiny: Problem) -> None:
    params = {name: leaf.astype(dtype) for name, leaf in tiny.params.items()}
    for number in (0.3, np.float64(0.3), jnp.asarray(0.3)):
        state = sgd(number).init(params)
        assert {leaf.dtype for leaf in state.hyperparams.values()} == {np.dtype(dtype)}
        assert all(not leaf.weak_type for leaf in state.hyperparams.values())


def test_the_rule_is_one_function_for_all_numbers() -> None:
    assert sgd(0.1).update is sgd(0.2, 0.9).update
    assert sgd(0.1, nesterov=True).update is sgd(0.2, nesterov=True).update
    assert sgd(0.1).update is not sgd(0.1, nesterov=True).update
    schedule = optax.constant_schedule(0.1)
    assert sgd(schedule).update is sgd(schedule, 0.5).update
    assert sgd(schedule).update is not sgd(0.1).update


@pytest.mark.parametrize("arguments", [(0.3,), (0.3, 0.9), (0.3, 0.9, True)])
def test_pickled_it_is_made_again(arguments: tuple[Any, ...], tiny: Problem) -> None:
    optimizer = sgd(*arguments)
    again = pickle.loads(pickle.dumps(optimizer))
    assert again.update is optimizer.update
    chex.assert_trees_all_equal(again.init(tiny.params), optimizer.init(tiny.params))


def test_numbers_that_are_infinite_in_the_type_of_the_params() -> None:
    params = {"W1": jnp.ones((1, 1))}
    with pytest.raises(UsageError, match=r"learning_rate is 1e\+39"):
        sgd(1e39).init(params)
    sgd(3.4e38).init(params)
    with jax.enable_x64(True):
        sgd(1e39).init({"W1": jnp.ones((1, 1), "float64")})


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((-0.1,), "learning_rate is -0.1"),
        ((np.nan,), "learning_rate is nan"),
        ((np.inf,), "learning_rate is inf"),
        (("0.1",), 'learning_rate is "0.1"'),
        ((0.1, -0.1), "momentum is -0.1"),
        ((0.1, 1.1), "momentum is 1.1"),
        ((0.1, 0.9, "yes"), "nesterov is 'yes'"),
    ],
)
def test_arguments_that_are_refused(arguments: tuple[Any, ...], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        sgd(*arguments)


def test_the_ends_of_the_ranges() -> None:
    sgd(0, 0)
    sgd(0.1, 1)


def test_optimizers_are_known_by_what_they_can_do() -> None:
    for optimizer in (sgd(), optax.adam(0.1), optax.chain(optax.clip(1.0), optax.sgd(0.1))):
        check_optimizer(optimizer)
    for wrong in ("adam", optax.adam, None, 0.1):
        with pytest.raises(UsageError, match="optimizer is"):
            check_optimizer(wrong)


# What training keeps of it.


@pytest.mark.optimized
def test_a_descent_that_is_pickled_goes_on_with_sgd(tiny: Problem) -> None:
    half = fit(tiny.params, tiny.X, tiny.Y, learning_rate=0.1, momentum=0.9, iterations=5)
    again = pickle.loads(pickle.dumps(half))
    assert half.descent.optimizer is not None
    assert again.outcome == half.outcome
    np.testing.assert_array_equal(again.costs, half.costs)
    chex.assert_trees_all_equal(again.params, half.params)
    chex.assert_trees_all_equal(again.descent.state, half.descent.state)
    assert again.descent.optimizer.update is half.descent.optimizer.update


def test_without_its_optimizer_a_descent_does_not_go_on(tiny: Problem) -> None:
    adam = optax.adam(0.1)
    start = start_descent(tiny.params, tiny.X, adam)
    again = pickle.loads(pickle.dumps(start))
    assert again.optimizer is None
    with pytest.raises(UsageError, match="the descent has no optimizer"):
        fit_in_chunks(again, tiny.Y, iterations=3)
    *_, ours = fit_in_chunks(dataclasses.replace(again, optimizer=adam), tiny.Y, iterations=3)
    *_, theirs = fit_in_chunks(start, tiny.Y, iterations=3)
    chex.assert_trees_all_equal(ours.params, theirs.params)
