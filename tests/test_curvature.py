"""Products with the Hessian and the sharpness, against the dense Hessian and differences."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Problem
from jax.flatten_util import ravel_pytree

from jaxnet import curvature
from jaxnet.activations import ACTIVATIONS, Activation, relu, sigmoid
from jaxnet.curvature import hessian_product, sharpness
from jaxnet.errors import UsageError
from jaxnet.network import Params, init_params, loss

ALL = pytest.mark.parametrize("hidden", ACTIVATIONS.values(), ids=lambda g: g.name)


@functools.partial(jax.jit, static_argnames="hidden")
def dense_hessian(problem: Problem, hidden: Activation) -> jax.Array:
    flat, unravel = ravel_pytree(problem.params)
    _, X, Y, weights = problem
    hessian: jax.Array = jax.hessian(lambda v: loss(unravel(v), X, Y, hidden, weights))(flat)
    return hessian


gradient = jax.jit(jax.grad(loss), static_argnames="hidden")


def flatten(tree: Params) -> np.ndarray:
    """Write the arrays one after the other, in the order of `ravel_pytree`."""
    return np.concatenate([np.ravel(tree[name]) for name in sorted(tree)])


@ALL
def test_the_product_is_that_with_the_dense_hessian(hidden: Activation, tiny: Problem) -> None:
    draw = np.random.default_rng(0).normal
    vector = jax.device_put({name: draw(size=leaf.shape) for name, leaf in tiny.params.items()})
    ours = hessian_product(tiny.params, vector, tiny.X, tiny.Y, hidden, tiny.weights)
    expected = np.asarray(dense_hessian(tiny, hidden)) @ flatten(vector)
    np.testing.assert_allclose(flatten(ours), expected, rtol=1e-10, atol=1e-14)


@ALL
def test_the_product_is_the_difference_of_gradients(hidden: Activation, tiny: Problem) -> None:
    params, X, Y, weights = tiny
    vector = jax.device_put(jax.tree.map(np.cos, jax.device_get(params)))

    def at(step: float) -> np.ndarray:
        moved = jax.tree.map(lambda p, v: np.asarray(p) + step * np.asarray(v), params, vector)
        return flatten(gradient(moved, X, Y, hidden, weights))

    h = 1e-6
    ours = hessian_product(params, vector, X, Y, hidden, weights)
    np.testing.assert_allclose(flatten(ours), (at(h) - at(-h)) / (2 * h), rtol=1e-5, atol=1e-8)


@ALL
def test_the_sharpness_is_the_largest_eigenvalue(hidden: Activation, tiny: Problem) -> None:
    params, X, Y, weights = tiny
    values, vectors = np.linalg.eigh(dense_hessian(tiny, hidden))
    assert values[0] < 0 < values[-1]
    top = sharpness(params, X, Y, hidden, weights, tolerance=1e-12)
    assert top.value == pytest.approx(values[-1], rel=1e-10)
    direction = flatten(top.direction)
    assert abs(direction @ vectors[:, -1]) == pytest.approx(1, rel=1e-8)
    chex.assert_trees_all_equal_shapes_and_dtypes(top.direction, params)


def test_a_negative_curvature_of_larger_size_is_not_taken_for_it(x64: None) -> None:
    # One hidden unit in the middle of a saddle: (W1, W2) = 0 has eigenvalues ± the same, and the
    # bias shifts them; a power iteration would end at either.
    params = init_params(jax.random.key(0), 4, 2, weight_scale=1e-5, dtype=jnp.float64)
    X = np.random.default_rng(0).uniform(0, 1, (4, 8))
    X, Y, ones = jax.device_put((X, np.array([[0.0, 1.0] * 4]), np.ones((1, 8))))
    values = np.linalg.eigvalsh(dense_hessian(Problem(params, X, Y, ones), relu))
    assert sharpness(params, X, Y).value == pytest.approx(values[-1], rel=1e-4)
    # Sigmoid units that are far off: here the negative one is the larger by far.
    params = init_params(jax.random.key(2), 4, 2, weight_scale=3.0, dtype=jnp.float64)
    params |= jax.device_put({"W2": 5 * np.abs(params["W2"]), "b2": np.full((1, 1), -4.0)})
    values = np.linalg.eigvalsh(dense_hessian(Problem(params, X, Y, ones), sigmoid))
    assert -values[0] > 2 * values[-1] > 0
    assert sharpness(params, X, Y, sigmoid).value == pytest.approx(values[-1], rel=1e-4)


def test_a_cost_that_is_flat_in_every_direction_has_sharpness_0(tiny: Problem) -> None:
    # Every answer is 1 to the last bit, and right: no derivative is left.
    sure = {name: np.zeros_like(leaf) for name, leaf in tiny.params.items()}
    sure = jax.device_put(sure | {"b2": np.full((1, 1), 1000.0)})
    flat = sharpness(sure, tiny.X, jax.device_put(np.ones_like(tiny.Y)))
    assert flat.value == 0.0
    chex.assert_trees_all_equal_shapes_and_dtypes(flat.direction, sure)
    assert np.linalg.norm(flatten(flat.direction)) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_named(wrong: float, tiny: Problem) -> None:
    W1 = jax.device_put(wrong * np.asarray(tiny.params["W1"]))
    with pytest.raises(UsageError, match=r"is not finite[\s\S]*look for NaN"):
        sharpness(tiny.params | {"W1": W1}, tiny.X, tiny.Y)


def test_a_tolerance_that_is_not_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Eigenvalues as close as these take Lanczos many restarts.
    def product(_: Params, vector: Params, *others: object, weight_decay: float) -> Params:
        slopes = np.linspace(0.0, 1.0, flatten(vector).size, dtype=np.float32)
        parts = np.split(slopes, np.cumsum([vector[name].size for name in sorted(vector)])[:-1])
        return {
            name: part.reshape(vector[name].shape) * np.asarray(vector[name])
            for name, part in zip(sorted(vector), parts, strict=True)
        }

    monkeypatch.setattr(curvature, "hessian_product", product)
    monkeypatch.setattr(curvature, "MOST_RESTARTS", 2)
    params = init_params(jax.random.key(0), 1000, 3)
    with pytest.raises(UsageError, match="larger tolerance") as caught:
        sharpness(params, *jax.device_put(tuple(np.ones((n, 2), np.float32) for n in (1000, 1))))
    assert "within 2 restarts" in str(caught.value)
