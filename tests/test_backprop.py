"""The eight derivatives against `jax.grad` and against central differences.

dW and db are compared with the gradient of `loss`. dA and dZ, which `loss` never shows, are
compared with the gradients of what is left of the network behind them, summed over the examples:
an example's loss depends on its own column alone, so the gradient of the sum is each one's own.
"""

import functools
from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Problem
from jax import lax
from jax.test_util import check_grads
from jitted import backward
from jitted import forward as jitted_forward

from jaxnet.activations import Activation, leaky_relu, relu, sigmoid
from jaxnet.backprop import Gradients
from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.dataset import Dataset
from jaxnet.network import Params, forward, init_params, loss


def tails(
    params: Params, Y: jax.Array, hidden: Activation
) -> dict[str, Callable[[jax.Array], jax.Array]]:
    """The rest of the network behind Z1, A1, Z2 and A2, to the sum of the losses."""

    def behind_A2(A2: jax.Array) -> jax.Array:
        return -jnp.sum(Y * jnp.log(A2) + (1 - Y) * jnp.log(1 - A2))

    def behind_Z2(Z2: jax.Array) -> jax.Array:
        return behind_A2(1 / (1 + jnp.exp(-Z2)))

    def behind_A1(A1: jax.Array) -> jax.Array:
        return behind_Z2(params["W2"] @ A1 + params["b2"])

    def behind_Z1(Z1: jax.Array) -> jax.Array:
        return behind_A1(hidden(Z1))

    return {"A2": behind_A2, "Z2": behind_Z2, "A1": behind_A1, "Z1": behind_Z1}


@functools.partial(jax.jit, static_argnames="hidden")
def by_autodiff(
    params: Params, X: jax.Array, Y: jax.Array, hidden: Activation, weights: jax.Array | None
) -> Gradients:
    gradients = jax.grad(loss)(params, X, Y, hidden, weights)
    values = forward(params, X, hidden)._asdict()
    inner = {name: jax.grad(tail)(values[name]) for name, tail in tails(params, Y, hidden).items()}
    return Gradients(**{f"d{name}": value for name, value in (inner | gradients).items()})


@functools.partial(jax.jit, static_argnames="hidden")
def by_differences(
    params: Params, X: jax.Array, Y: jax.Array, hidden: Activation, weights: jax.Array | None
) -> Gradients:
    def differences(function: Callable[[jax.Array], jax.Array], at: jax.Array) -> jax.Array:
        h = 1e-6

        def slope(step: jax.Array) -> jax.Array:
            return (function(at + step) - function(at - step)) / (2 * h)

        steps = h * np.eye(at.size).reshape(at.size, *at.shape)
        return lax.map(slope, steps).reshape(at.shape)

    def behind(name: str) -> Callable[[jax.Array], jax.Array]:
        return lambda leaf: loss(params | {name: leaf}, X, Y, hidden, weights)

    values = forward(params, X, hidden)._asdict()
    inner = {
        name: differences(tail, values[name]) for name, tail in tails(params, Y, hidden).items()
    }
    outer = {name: differences(behind(name), leaf) for name, leaf in params.items()}
    return Gradients(**{f"d{name}": value for name, value in (inner | outer).items()})


def assert_close(ours: Gradients, theirs: Gradients, tolerance: float) -> None:
    """Compare relative to the largest element of each derivative."""
    chex.assert_trees_all_equal_shapes(ours, theirs)
    for name, left, right in zip(Gradients._fields, ours, theirs, strict=True):
        scale = np.abs(right).max()
        assert scale > 0, f"{name} is 0 and proves nothing"
        np.testing.assert_allclose(left, right, rtol=0, atol=tolerance * scale, err_msg=name)


@pytest.mark.parametrize(
    ("hidden", "weighted"),
    [(relu, False), (relu, True), (leaky_relu, True), (sigmoid, True)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_tiny_network_three_ways(hidden: Activation, weighted: bool, tiny: Problem) -> None:
    weights = tiny.weights if weighted else None
    arguments = (tiny.params, tiny.X, tiny.Y, hidden, weights)
    by_hand = backward(*arguments)
    assert_close(by_hand, by_autodiff(*arguments), 1e-12)
    assert_close(by_hand, by_differences(*arguments), 1e-8)


@pytest.mark.parametrize(
    "hidden",
    [sigmoid, *(pytest.param(g, marks=pytest.mark.slow) for g in (relu, leaky_relu))],
    ids=lambda g: g.name,
)
def test_loss_against_jax_s_own_check(hidden: Activation, tiny: Problem) -> None:
    """Of second derivatives, too; test_curvature.py has those of every activation."""

    @jax.jit
    def cost(params: Params) -> jax.Array:
        return loss(params, tiny.X, tiny.Y, hidden, tiny.weights)

    check_grads(cost, (tiny.params,), order=2, modes=["fwd", "rev"], rtol=1e-6)


@pytest.mark.parametrize(
    ("hidden", "weighted"),
    [(relu, True), (leaky_relu, False), (sigmoid, False)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_real_cats(hidden: Activation, weighted: bool, cats: Dataset, x64: None) -> None:
    X = to_columns(cats.train.images, dtype=jnp.float64)
    Y = to_row(cats.train.labels, dtype=jnp.float64)
    params = init_params(jax.random.key(0), len(X), dtype=jnp.float64)
    weights = jax.device_put(np.linspace(0.0, 2.0, Y.size)[None]) if weighted else None
    arguments = (params, X, Y, hidden, weights)
    assert_close(backward(*arguments), by_autodiff(*arguments), 1e-12)


def test_at_z_0_the_slope_of_relu_is_0_in_both(tiny: Problem) -> None:
    zeros = {name: np.zeros_like(tiny.params[name]) for name in ("W1", "b1")}
    still = jax.device_put(tiny.params | zeros)
    assert not np.any(jitted_forward(still, tiny.X).Z1)
    by_hand = backward(still, tiny.X, tiny.Y)
    by_jax = jax.jit(jax.grad(loss))(still, tiny.X, tiny.Y)
    assert np.any(by_hand.dA1)
    for array in (by_hand.dZ1, by_hand.dW1, by_hand.db1, by_jax["W1"], by_jax["b1"]):
        assert not np.any(array)


def test_derivatives_are_right_where_the_textbook_quotient_is_0_by_0() -> None:
    # Z2 = ±20 in float32: A2 rounds to 1 at +20.
    numbers = {"W1": 1.0, "b1": 0.0, "W2": 1.0, "b2": -20.0}
    params = {name: np.full((1, 1), number, np.float32) for name, number in numbers.items()}
    X, Y = np.array([[[40, 40, 0]], [[1, 0, 0]]], np.float32)
    found = backward(params, X, Y)
    assert found.dA2.dtype == found.dZ2.dtype == np.float32
    expected = [[-1 - np.exp(-20.0), 1 + np.exp(20.0), 1 + np.exp(-20.0)]]
    np.testing.assert_allclose(found.dA2, expected, rtol=1e-6)
    np.testing.assert_allclose(found.dZ2, [[0.0, 1.0, np.exp(-20.0)]], rtol=1e-6, atol=1e-8)


def test_doubled_data_have_the_same_mean_gradient(tiny: Problem) -> None:
    once = backward(tiny.params, tiny.X, tiny.Y)
    twice = backward(tiny.params, np.tile(tiny.X, 2), np.tile(tiny.Y, 2))
    for name in ("dW1", "db1", "dW2", "db2"):
        chex.assert_trees_all_close(getattr(once, name), getattr(twice, name), rtol=1e-12)


def test_weight_zero_leaves_an_example_out(tiny: Problem) -> None:
    kept = np.arange(7) != 3
    whole = backward(tiny.params, tiny.X, tiny.Y, relu, np.where(kept, 1.0, 0.0)[None])
    without = backward(tiny.params, np.asarray(tiny.X)[:, kept], np.asarray(tiny.Y)[:, kept])
    for name in ("dW1", "db1", "dW2", "db2"):
        chex.assert_trees_all_close(getattr(whole, name), getattr(without, name), rtol=1e-12)
