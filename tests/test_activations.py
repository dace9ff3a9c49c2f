import copy
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.activations import ACTIVATIONS, Activation, leaky_relu, relu, sigmoid

ALL = pytest.mark.parametrize("g", ACTIVATIONS.values(), ids=lambda g: g.name)


def test_values() -> None:
    Z = np.array([[-2, 0, 3]], np.float32)
    values = jax.jit(lambda Z: [g(Z) for g in (relu, leaky_relu, sigmoid)])(Z)
    assert {array.dtype for array in values} == {np.dtype("float32")}
    np.testing.assert_array_equal(values[0], [[0.0, 0.0, 3.0]])
    np.testing.assert_allclose(values[1], [[-0.02, 0.0, 3.0]], rtol=1e-6)
    np.testing.assert_allclose(values[2], [[0.11920292, 0.5, 0.95257413]], rtol=1e-6)


@ALL
def test_slope_is_the_derivative(g: Activation, x64: None) -> None:
    z = np.linspace(-30.0, 30.0, 61)
    z[30] = 0.1
    h = 1e-6

    @jax.jit
    def compute(z: jax.Array) -> Any:
        return g.slope(z), jax.vmap(jax.grad(g.function))(z), g(z + h), g(z - h)

    slope, derivative, above, below = jax.device_get(compute(z))
    np.testing.assert_allclose(slope, derivative, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(slope, (above - below) / (2 * h), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("g", "expected"), [(relu, 0.0), (leaky_relu, 0.01), (sigmoid, 0.25)])
def test_slope_at_zero_is_the_one_that_is_chosen(g: Activation, expected: float) -> None:
    slope, derivative = jax.jit(lambda z: (g.slope(z), jax.grad(g.function)(z)))(0.0)
    assert float(slope) == pytest.approx(expected, rel=1e-6)
    assert float(derivative) == pytest.approx(expected, rel=1e-6)


def test_sigmoid_slope_survives_where_the_sigmoid_rounds_to_1() -> None:
    value, slope = jax.jit(lambda z: (sigmoid(z), sigmoid.slope(z)))(np.float32(20))
    assert value.dtype == np.float32
    assert value == 1
    assert float(slope) == pytest.approx(np.exp(-20.0), rel=1e-5)


@ALL
def test_keeps_the_dtype_without_promotion(g: Activation) -> None:
    with jax.numpy_dtype_promotion("strict"):
        for dtype in (jnp.float16, jnp.float32):
            Z = jax.ShapeDtypeStruct((2, 3), dtype)
            assert jax.eval_shape(g, Z).dtype == jax.eval_shape(g.slope, Z).dtype == dtype


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
