from typing import get_args

import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Problem

from jaxnet.activations import Activation, leaky_relu, relu
from jaxnet.network import Params
from jaxnet.outcomes import FAILED, Outcome, judge, label_entropy, late_cost, outcome


def test_label_entropy() -> None:
    Y = jnp.array([[1.0] * 72 + [0.0] * 137])
    assert label_entropy(Y) == pytest.approx(0.6440, abs=5e-5)
    assert label_entropy(jnp.array([[0.0, 1.0]])) == pytest.approx(np.log(2))
    weights = jnp.array([[0.0, 2.0, 2.0]])
    assert label_entropy(jnp.array([[1.0, 1.0, 0.0]]), weights) == pytest.approx(np.log(2))


def test_outcomes(tiny: Problem) -> None:
    entropy = label_entropy(tiny.Y)
    still = {name: jnp.zeros_like(leaf) for name, leaf in tiny.params.items()}

    def how(last: float, params: Params = tiny.params, hidden: Activation = relu) -> str:
        costs = np.r_[np.full(95, 0.5), np.full(5, last)]
        return outcome(params, tiny.X, tiny.Y, hidden, costs=costs)

    assert how(0.5 * entropy) == "learning"
    assert how(0.98 * entropy) == "learning"
    assert how(0.995 * entropy) == how(1.005 * entropy) == "plateau"
    assert how(1.02 * entropy) == "diverged"
    assert how(0.5 * entropy, still) == "dead"
    assert how(0.5 * entropy, still, leaky_relu) == "learning"
    assert how(np.nan) == how(np.inf) == "not finite"
    assert how(0.1, tiny.params | {"b2": jnp.full((1, 1), jnp.nan)}) == "not finite"


def test_many_runs_are_judged_at_once() -> None:
    finite = np.array([False, True, True, True, True])
    active = np.array([True, False, True, True, True])
    late = np.array([np.nan, 0.1, 0.601, 0.7, 0.5])
    expected = ["not finite", "dead", "plateau", "diverged", "learning"]
    assert judge(finite, active, late, 0.6).tolist() == expected


def test_what_has_failed_is_some_of_the_outcomes() -> None:
    assert set(get_args(Outcome)) - set(FAILED) == {"learning", "plateau"}
    assert len(FAILED) == 3


def test_the_late_cost_is_the_mean_of_the_last_twentieth() -> None:
    costs = np.arange(200.0).reshape(2, 100)
    np.testing.assert_array_equal(late_cost(costs), [97.0, 197.0])
    assert late_cost(np.array([3.0])) == 3.0
