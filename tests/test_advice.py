"""The advice for a run that went wrong is measured: what it says can be seen to be so."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Problem

from jaxnet.activations import leaky_relu, relu
from jaxnet.evaluation.diagnosis import dead_since, largest_rate_that_learns
from jaxnet.network import forward, init_params
from jaxnet.optimizer import sgd
from jaxnet.outcomes import any_active
from jaxnet.training import Basis, fit, start_descent


def make_problem() -> tuple[jax.Array, jax.Array]:
    draw = np.random.default_rng(4)
    return jnp.asarray(draw.uniform(0, 1, (12, 9))), jnp.asarray([[0.0, 1, 1, 0, 1, 0, 0, 1, 0]])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_rate_learns_and_twice_the_rate_does_not(momentum: float, x64: None) -> None:
    X, Y = make_problem()
    key = jax.random.key(0)
    settings: dict[str, Any] = {"momentum": momentum, "iterations": 200}
    found = largest_rate_that_learns(key, X, Y, below=1000.0, scale=0.1, n_h=3, **settings)
    assert found is not None
    assert np.log2(1000 / found) == pytest.approx(round(np.log2(1000 / found)))
    params = init_params(key, 12, 3, scale=0.1, dtype=jnp.float64)
    for rate, learns in ((found, True), (2 * found, False)):
        trained = fit(params, X, Y, learning_rate=rate, **settings)
        assert (trained.outcome == "learning") is learns


def test_there_may_be_no_such_rate(x64: None) -> None:
    X, Y = make_problem()
    # Settings as above, so that nothing compiles anew.
    settings: dict[str, Any] = {"scale": 0.1, "n_h": 3, "momentum": 0.0, "iterations": 200}
    assert largest_rate_that_learns(jax.random.key(0), X, Y, below=1e-6, **settings) is None


@pytest.mark.parametrize(
    ("basis", "death"),
    [
        *(("pixels", death) for death in (0, 1, 77, 1300)),
        *(("span", death) for death in (0, 2, 130, 1300)),
    ],
)
def test_since_when_it_is_dead(death: int, basis: Basis, tiny: Problem) -> None:
    """A schedule kills the network by one huge step whose time is known."""
    params = tiny.params | {"W2": jnp.abs(tiny.params["W2"])}
    X, Y = jnp.abs(tiny.X), jnp.zeros_like(tiny.Y)  # each step lowers b1 and W1
    if death == 0:
        params |= {"b1": params["b1"] - 100}
    optimizer = sgd(lambda t: jnp.where(t == death - 1, 1e4, 1e-4))
    start = start_descent(params, X, optimizer, basis)
    assert dead_since(start, Y, relu, iterations=1400) == death


def test_a_leaky_unit_is_never_dead(tiny: Problem) -> None:
    lowered = tiny.params | {"b1": tiny.params["b1"] - 100}
    assert (forward(lowered, tiny.X).Z1 < 0).all()
    assert not any_active(lowered, tiny.X, relu)
    assert any_active(lowered, tiny.X, leaky_relu)
