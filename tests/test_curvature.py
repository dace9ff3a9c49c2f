"""Products with the Hessian and the sharpness, against the dense Hessian and differences."""

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


def dense_hessian(problem: Problem, hidden: Activation) -> np.ndarray:
    flat, unravel = ravel_pytree(problem.params)
    _, X, Y, weights = problem
    hessian = jax.jit(jax.hessian(lambda v: loss(unravel(v), X, Y, hidden, weights)))
    return np.asarray(hessian(flat))


@ALL
def test_the_product_is_that_with_the_dense_hessian(hidden: Activation, tiny: Problem) -> None:
    flat, unravel = ravel_pytree(tiny.params)
    vector = jnp.asarray(np.random.default_rng(0).normal(size=flat.shape))
    ours = hessian_product(tiny.params, unravel(vector), tiny.X, tiny.Y, hidden, tiny.weights)
    expected = dense_hessian(tiny, hidden) @ vector
    np.testing.assert_allclose(ravel_pytree(ours)[0], expected, rtol=1e-10, atol=1e-14)


@ALL
def test_the_product_is_the_difference_of_gradients(hidden: Activation, tiny: Problem) -> None:
    params, X, Y, _ = tiny
    vector = jax.tree.map(jnp.cos, params)

    @jax.jit
    def gradient(step: float) -> chex.ArrayTree:
        moved = jax.tree.map(lambda p, v: p + step * v, params, vector)
        return jax.grad(loss)(moved, X, Y, hidden)

    h = 1e-6
    differences = jax.tree.map(lambda a, b: (a - b) / (2 * h), gradient(h), gradient(-h))
    ours = hessian_product(params, vector, X, Y, hidden)
    chex.assert_trees_all_close(ours, differences, rtol=1e-5, atol=1e-8)


@ALL
def test_the_sharpness_is_the_largest_eigenvalue(hidden: Activation, tiny: Problem) -> None:
    params, X, Y, weights = tiny
    values, vectors = np.linalg.eigh(dense_hessian(tiny, hidden))
    assert values[0] < 0 < values[-1]
    top = sharpness(params, X, Y, hidden, weights, tolerance=1e-12)
    assert top.value == pytest.approx(values[-1], rel=1e-10)
    direction = np.asarray(ravel_pytree(top.direction)[0])
    assert abs(direction @ vectors[:, -1]) == pytest.approx(1, rel=1e-8)
    chex.assert_trees_all_equal_shapes_and_dtypes(top.direction, params)


def test_a_negative_curvature_of_larger_size_is_not_taken_for_it(x64: None) -> None:
    # One hidden unit in the middle of a saddle: (W1, W2) = 0 has eigenvalues ± the same, and the
    # bias shifts them; a power iteration would end at either.
    params = {name: 1e-3 * leaf for name, leaf in init_params(jax.random.key(0), 4, 2).items()}
    X = jnp.asarray(np.random.default_rng(0).uniform(0, 1, (4, 8)))
    Y = jnp.asarray([[0.0, 1.0] * 4])
    params = {name: leaf.astype(float) for name, leaf in params.items()}
    values = np.linalg.eigvalsh(dense_hessian(Problem(params, X, Y, jnp.ones((1, 8))), relu))
    assert sharpness(params, X, Y).value == pytest.approx(values[-1], rel=1e-4)
    # Sigmoid units that are far off: here the negative one is the larger by far.
    params = init_params(jax.random.key(2), 4, 2, weight_scale=3.0, dtype=jnp.float64)
    params |= {"W2": 5 * jnp.abs(params["W2"]), "b2": jnp.full((1, 1), -4.0)}
    values = np.linalg.eigvalsh(dense_hessian(Problem(params, X, Y, jnp.ones((1, 8))), sigmoid))
    assert -values[0] > 2 * values[-1] > 0
    assert sharpness(params, X, Y, sigmoid).value == pytest.approx(values[-1], rel=1e-4)


def test_a_cost_that_is_flat_in_every_direction_has_sharpness_0(tiny: Problem) -> None:
    # Every answer is 1 to the last bit, and right: no derivative is left.
    sure = {name: jnp.zeros_like(leaf) for name, leaf in tiny.params.items()}
    sure["b2"] = jnp.full((1, 1), 1000.0)
    flat = sharpness(sure, tiny.X, jnp.ones_like(tiny.Y))
    assert flat.value == 0.0
    chex.assert_trees_all_equal_shapes_and_dtypes(flat.direction, sure)
    assert np.linalg.norm(ravel_pytree(flat.direction)[0]) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_named(wrong: float, tiny: Problem) -> None:
    with pytest.raises(UsageError, match=r"is not finite[\s\S]*look for NaN"):
        sharpness(tiny.params | {"W1": wrong * tiny.params["W1"]}, tiny.X, tiny.Y)


def test_a_tolerance_that_is_not_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Eigenvalues as close as these take Lanczos many restarts.
    def product(_: Params, vector: Params, *others: object, weight_decay: float) -> Params:
        flat, unravel = ravel_pytree(vector)
        return unravel(jnp.linspace(0.0, 1.0, flat.size) * flat)

    monkeypatch.setattr(curvature, "hessian_product", product)
    monkeypatch.setattr(curvature, "MOST_RESTARTS", 2)
    params = init_params(jax.random.key(0), 1000, 3)
    with pytest.raises(UsageError, match="larger tolerance") as caught:
        sharpness(params, jnp.ones((1000, 2)), jnp.ones((1, 2)))
    assert "within 2 restarts" in str(caught.value)
