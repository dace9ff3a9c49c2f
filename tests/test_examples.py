"""Examples, and which of them a step sees; the checks of arrays are in test_arrays.py."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import jitted
import numpy as np
import pytest
from conftest import Problem

from jaxnet import descent, training
from jaxnet.activations import Activation, leaky_relu, relu, sigmoid
from jaxnet.examples import Examples, balancing_weights, make_examples, select
from jaxnet.minibatches import NO_EXAMPLE
from jaxnet.network import loss
from jaxnet.optimizer import sgd
from jaxnet.training import fit


def test_examples_are_what_they_were_made_of(tiny: Problem) -> None:
    examples = make_examples(tiny.X, tiny.Y)
    assert examples == Examples(tiny.X, tiny.Y, None)
    assert make_examples(tiny.X, tiny.Y, tiny.weights).weights is tiny.weights
    assert examples.X is tiny.X


def test_examples_pass_through_jit_and_vmap(tiny: Problem) -> None:
    @jax.jit
    def cost(examples: Examples) -> jax.Array:
        return loss(tiny.params, examples.X, examples.Y, weights=examples.weights)

    for weights in (None, tiny.weights):
        examples = make_examples(tiny.X, tiny.Y, weights)
        expected = jitted.loss(tiny.params, tiny.X, tiny.Y, weights=weights)
        np.testing.assert_allclose(cost(examples), expected, rtol=1e-12)
        two = jax.tree.map(lambda array: np.stack([array, array]), examples)
        np.testing.assert_allclose(jax.vmap(cost)(two), [expected] * 2, rtol=1e-12)


def test_balancing_weights_make_both_classes_count_alike() -> None:
    Y = jax.device_put(np.array([[1, 0, 0, 0]], np.float32))
    np.testing.assert_allclose(balancing_weights(Y), [[2.0, 2 / 3, 2 / 3, 2 / 3]], rtol=1e-6)
    one_class = balancing_weights(jax.device_put(np.ones((1, 4), np.float32)))
    np.testing.assert_array_equal(one_class, [[0.5, 0.5, 0.5, 0.5]])


def test_a_step_sees_all_examples(tiny: Problem) -> None:
    assert select(0, tiny.Y) == (None, None)
    indices, weights = select(9, tiny.Y, tiny.weights)
    assert indices is None
    assert weights is tiny.weights


def without(weights: jax.Array, i: Any) -> jax.Array:
    """Leave out example i by its weight."""
    return jnp.where(jnp.arange(weights.shape[1]) == i, 0, weights)


def test_select_takes_the_examples_of_a_batch_in_a_traced_program(tiny: Problem) -> None:
    batches = np.array([[0, 4, 2], [6, 1, NO_EXAMPLE]])

    @jax.jit
    @jax.vmap
    def traced(t: jax.Array) -> Any:
        return select(t, tiny.Y, tiny.weights, batches=batches)

    for row, indices, weights in zip(batches, *traced(np.arange(2)), strict=True):
        expected = np.where(row == NO_EXAMPLE, 0, row)
        np.testing.assert_array_equal(indices, expected)
        kept = np.where(row == NO_EXAMPLE, 0, np.asarray(tiny.weights)[:, expected])
        np.testing.assert_array_equal(weights, kept)


@pytest.mark.parametrize(
    ("basis", "hidden"), [("pixels", leaky_relu), ("pixels", sigmoid), ("span", relu)]
)
def test_leaving_out_by_weight_is_training_without_the_picture(
    basis: str, hidden: Activation, tiny: Problem
) -> None:
    params, X, Y, weights = jax.device_get(tiny)
    kept = np.array([0, 1, 3, 4, 5, 6])
    without_2 = jax.device_put(np.where(np.arange(7) == 2, 0, weights))
    by_weight = fit(params, X, Y, hidden, weights=without_2, iterations=30, basis=basis)
    alone = fit(
        params, X[:, kept], Y[:, kept], hidden, weights=weights[:, kept], iterations=30, basis=basis
    )
    np.testing.assert_allclose(by_weight.costs, alone.costs, rtol=1e-12)
    chex.assert_trees_all_close(by_weight.params, alone.params, rtol=1e-12)
    assert by_weight.outcome == alone.outcome
    whole = fit(params, X, Y, hidden, weights=weights, iterations=30, basis=basis)
    assert abs(whole.costs[-1] - alone.costs[-1]) > 1e-3


@pytest.mark.parametrize("basis", ["pixels", "span"])
def test_every_step_of_fit_asks_select(
    basis: str, tiny: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that leaves out picture t mod 7 at step t is seen in the costs."""

    def rotating(
        t: jax.Array, Y: jax.Array, weights: jax.Array | None = None, *, batches: Any
    ) -> tuple[None, jax.Array | None]:
        assert batches is None
        return None, without(jnp.ones_like(Y), t % 7)

    monkeypatch.setattr(descent, "select", rotating)
    hidden = Activation("rotating", relu.function, relu.slope)  # for which nothing is compiled yet
    start = training.start_descent(tiny.params, tiny.X, sgd(0.0), basis)
    *_, still = training.fit_in_chunks(start, tiny.Y, hidden, iterations=9, chunk=9)
    expected = [
        jitted.loss(tiny.params, tiny.X, tiny.Y, weights=1.0 * (np.arange(7) != t % 7)[None])
        for t in range(9)
    ]
    np.testing.assert_allclose(still.costs, expected, rtol=1e-12)
    assert np.ptp(still.costs) > 0.01
