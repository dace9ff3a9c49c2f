import copy
import pickle

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.activations import ACTIVATIONS, Activation, leaky_relu, relu, sigmoid

ALL = pytest.mark.parametrize("g", ACTIVATIONS.values(), ids=lambda g: g.name)


def test_values() -> None:
    Z = jnp.array([[-2.0, 0.0, 3.0]])
    chex.assert_trees_all_equal(relu(Z), jnp.array([[0.0, 0.0, 3.0]]))
    chex.assert_trees_all_close(leaky_relu(Z), jnp.array([[-0.02, 0.0, 3.0]]), rtol=1e-6)
    expected = jnp.array([[0.11920292, 0.5, 0.95257413]])
    chex.assert_trees_all_close(sigmoid(Z), expected, rtol=1e-6)


@ALL
def test_slope_is_the_derivative(g: Activation, x64: None) -> None:
    z = jnp.linspace(-30.0, 30.0, 61).at[30].set(0.1)
    derivative = jax.vmap(jax.grad(g.function))(z)
    chex.assert_trees_all_close(g.slope(z), derivative, rtol=1e-12, atol=1e-15)
    h = 1e-6
    differences = (g(z + h) - g(z - h)) / (2 * h)
    chex.assert_trees_all_close(g.slope(z), differences, atol=1e-9)


@pytest.mark.parametrize(("g", "expected"), [(relu, 0.0), (leaky_relu, 0.01), (sigmoid, 0.25)])
def test_slope_at_zero_is_the_one_that_is_chosen(g: Activation, expected: float) -> None:
    assert float(g.slope(jnp.array(0.0))) == pytest.approx(expected, rel=1e-6)
    assert float(jax.grad(g.function)(0.0)) == pytest.approx(expected, rel=1e-6)


def test_sigmoid_slope_survives_where_the_sigmoid_rounds_to_1() -> None:
    z = jnp.array(20.0, jnp.float32)
    assert sigmoid(z) == 1
    assert float(sigmoid.slope(z)) == pytest.approx(np.exp(-20.0), rel=1e-5)


@ALL
def test_keeps_the_dtype_without_promotion(g: Activation) -> None:
    with jax.numpy_dtype_promotion("strict"):
        for dtype in (jnp.float16, jnp.float32):
            Z = jnp.ones((2, 3), dtype)
            assert g(Z).dtype == g.slope(Z).dtype == dtype


@ALL
def test_pickled_it_is_the_same_activation(g: Activation) -> None:
    assert pickle.loads(pickle.dumps(g)) is g
    assert copy.copy(g) is g


def square(Z: jax.Array) -> jax.Array:
    return Z * Z


def double(Z: jax.Array) -> jax.Array:
    return 2 * Z


def test_one_of_its_own_is_pickled_by_its_functions() -> None:
    own = Activation("relu", square, double)  # the name alone does not make it ours
    again = pickle.loads(pickle.dumps(own))
    assert again == own
    assert again != relu
