"""The span against the pixels, in float64: the same costs and the same parameters to rounding."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import jitted
import numpy as np
import optax
import pytest
from conftest import Problem

from jaxnet.activations import ACTIVATIONS, Activation, relu, sigmoid
from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.dataset import Dataset
from jaxnet.errors import UsageError
from jaxnet.network import Params, init_params
from jaxnet.optimizer import sgd
from jaxnet.span import enter_span, layer1_in_span, leave_span, span_cost_and_gradients
from jaxnet.training import Descent, Fit, fit, fit_in_chunks, start_descent

ALL = pytest.mark.parametrize("hidden", ACTIVATIONS.values(), ids=lambda g: g.name)


def make_problem(n_x: int, m: int, n_h: int = 3) -> Problem:
    draw = np.random.default_rng(n_x + m)
    X, Y = draw.uniform(-1, 1, (n_x, m)), draw.integers(0, 2, (1, m)).astype(float)
    return Problem(
        init_params(jax.random.key(0), n_x, n_h, weight_scale=0.3, dtype=jnp.float64),
        *jax.device_put((X, Y, draw.uniform(0, 2, (1, m)))),
    )


@pytest.fixture
def wide(x64: None) -> Problem:
    """A 20–3–1 network and 6 examples: fewer pictures than features."""
    return make_problem(20, 6)


def assert_same(ours: Fit, theirs: Fit) -> None:
    np.testing.assert_allclose(ours.costs, theirs.costs, rtol=1e-12, atol=1e-14)
    chex.assert_trees_all_close(ours.params, theirs.params, rtol=1e-12, atol=1e-13)
    assert ours.outcome == theirs.outcome


def assert_span_equals_pixels(problem: Problem, hidden: Activation = relu, **settings: Any) -> None:
    params, X, Y, _ = problem
    settings = {"learning_rate": 0.2, "iterations": 60} | settings
    span = fit(params, X, Y, hidden, basis="span", **settings)
    assert span.descent.span is not None
    assert_same(span, fit(params, X, Y, hidden, basis="pixels", **settings))
    assert np.abs(np.asarray(span.params["W1"]) - params["W1"]).max() > 1e-3


@ALL
def test_every_activation(hidden: Activation, wide: Problem) -> None:
    assert_span_equals_pixels(wide, hidden)


@pytest.mark.parametrize(
    "settings",
    [
        {"momentum": 0.9, "learning_rate": 0.05},
        {"momentum": 0.9, "nesterov": True, "learning_rate": 0.05},
        {"learning_rate": optax.exponential_decay(0.3, 10, 0.5), "momentum": 0.5},
    ],
    ids=["momentum", "nesterov", "schedule and momentum"],
)
def test_every_update_that_is_linear_in_the_gradients(
    settings: dict[str, Any], wide: Problem
) -> None:
    assert_span_equals_pixels(wide, **settings)


def test_example_weights(wide: Problem) -> None:
    assert_span_equals_pixels(wide, weights=wide.weights)
    without = np.where(np.arange(6) == 2, 0.0, wide.weights)
    assert_span_equals_pixels(wide, weights=jax.device_put(without))


def test_one_picture_more_pictures_than_features_and_repeated_pictures(x64: None) -> None:
    assert_span_equals_pixels(make_problem(20, 1))
    params, *arrays = make_problem(4, 15)
    twice = Problem(params, *jax.device_put([np.tile(array, 2) for array in arrays]))
    assert_span_equals_pixels(twice, weights=twice.weights)


def test_going_on_gives_the_same_bits_in_the_span(wide: Problem) -> None:
    def run(descent: Descent, iterations: int, chunk: int) -> Fit:
        *_, last = fit_in_chunks(descent, wide.Y, iterations=iterations, chunk=chunk)
        return last

    start = start_descent(wide.params, wide.X, sgd(0.1, 0.9), "span")
    whole = run(start, 50, 50)
    first = run(start, 23, 7)
    rest = run(first.descent, 50, 10)
    chex.assert_trees_all_equal(rest.params, whole.params)
    np.testing.assert_array_equal(rest.costs, whole.costs)


def test_lifted_and_taken_up_again_it_is_the_same_descent(wide: Problem) -> None:
    half = fit(wide.params, wide.X, wide.Y, learning_rate=0.2, iterations=30, basis="span")
    rest = fit(half.params, wide.X, wide.Y, learning_rate=0.2, iterations=30, basis="span")
    whole = fit(wide.params, wide.X, wide.Y, learning_rate=0.2, iterations=60, basis="pixels")
    np.testing.assert_allclose(rest.costs, whole.costs[30:], rtol=1e-12)
    chex.assert_trees_all_close(rest.params, whole.params, rtol=1e-12)


@ALL
def test_the_gradients_are_those_of_the_article(hidden: Activation, wide: Problem) -> None:
    coefficients, span = enter_span(wide.params, wide.X)
    arguments = (wide.Y, hidden, wide.weights)
    in_span = jax.jit(span_cost_and_gradients, static_argnums=3)
    cost, gradients = jax.device_get(in_span(coefficients, span, *arguments))
    by_hand = jax.device_get(jitted.backward(wide.params, wide.X, *arguments))
    share = np.asarray(wide.weights) / np.sum(wide.weights)
    np.testing.assert_allclose(cost, jitted.loss(wide.params, wide.X, *arguments), rtol=1e-12)
    expected = {
        "C": share * by_hand.dZ1,
        "b1": by_hand.db1,
        "W2": by_hand.dW2,
        "b2": by_hand.db2,
    }
    chex.assert_trees_all_close(gradients, expected, rtol=1e-12, atol=1e-15)
    dW1 = gradients["C"] @ np.transpose(wide.X)
    np.testing.assert_allclose(dW1, by_hand.dW1, rtol=1e-12, atol=1e-15)


def test_other_pictures_are_seen_as_in_pixels_though_they_lie_outside_the_span(
    wide: Problem,
) -> None:
    others = make_problem(20, 9).X
    trained = fit(wide.params, wide.X, wide.Y, learning_rate=0.2, iterations=40, basis="span")
    _, seen = enter_span(wide.params, wide.X, others)
    Z1 = layer1_in_span(trained.descent.state.params, seen)
    expected = jitted.forward(trained.params, others).Z1
    np.testing.assert_allclose(Z1, expected, rtol=1e-12, atol=1e-14)


def test_float32_stays_float32_where_float64_is_allowed(wide: Problem) -> None:
    narrow = jax.tree.map(lambda array: np.asarray(array, np.float32), wide)
    params, X, Y, weights = jax.device_put(narrow)
    trained = fit(params, X, Y, weights=weights, iterations=3, basis="span")
    arrays = (trained.descent.state, trained.descent.span, trained.params)
    floats = [leaf for leaf in jax.tree.leaves(arrays) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    assert {leaf.dtype for leaf in floats} == {trained.costs.dtype} == {np.dtype("float32")}


def test_entering_and_leaving_change_nothing(wide: Problem) -> None:
    coefficients, _ = enter_span(wide.params, wide.X)
    back = leave_span(coefficients, wide.params["W1"], wide.X)
    chex.assert_trees_all_equal(back, wide.params)


def cancel(params: Params) -> jax.Array:
    """Draw six pictures whose large products with W1, of one unit, nearly cancel.

    A sum in float32 is off by more than the sum itself.
    """
    W1 = np.asarray(params["W1"], np.float64)[0]
    X = np.random.default_rng(0).normal(size=(W1.size, 6))
    X -= np.outer(W1, W1 @ X) / (W1 @ W1)
    return jax.device_put((1e6 * X).astype(np.float32))


def test_products_with_the_pictures_are_summed_in_float64() -> None:
    # 1 + 1e-8 · 1e8 terms would be lost one by one in float32.
    X = np.full((4097, 2), 1e-4, np.float32)
    X[0] = 1
    params = init_params(jax.random.key(0), 4097, 1)
    for pictures in (jax.device_put(X), cancel(params)):
        W1, exact = np.asarray(params["W1"], np.float64), np.asarray(pictures, np.float64)
        _, span = enter_span(params, pictures)
        np.testing.assert_array_equal(span.K, (exact.T @ exact).astype(np.float32))
        np.testing.assert_allclose(span.Z1, W1 @ exact, rtol=1e-4)
        assert span.K.dtype == span.Z1.dtype == jnp.float32
    _, reversed_ = enter_span(params, pictures, jax.device_put(np.asarray(pictures)[:, ::-1]))
    K, Z1 = np.asarray(span.K), np.asarray(span.Z1)
    np.testing.assert_allclose(reversed_.K, K[:, ::-1], rtol=1e-6, atol=1e5)
    np.testing.assert_allclose(reversed_.Z1, Z1[:, ::-1], rtol=1e-4)


def test_the_first_cost_in_the_span_is_exact_where_products_cancel() -> None:
    params = init_params(jax.random.key(0), 2000, 1)
    X, Y = cancel(params), jax.device_put(np.array([[0, 1, 1, 0, 1, 0]], np.float32))
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda array: np.asarray(array, np.float64), (params, X, Y))
        exact = float(jitted.loss(*wide, sigmoid))
    trained = fit(params, X, Y, sigmoid, iterations=1, basis="span")
    np.testing.assert_allclose(trained.costs[0], exact, rtol=1e-6)


def test_auto_takes_the_span_where_it_is_the_same_and_smaller(wide: Problem) -> None:
    def basis(X: jax.Array, optimizer: Any = None) -> str:
        params = init_params(jax.random.key(0), len(X), dtype=jnp.float64)
        return "pixels" if start_descent(params, X, optimizer).span is None else "span"

    assert basis(wide.X) == "span"
    assert basis(jax.device_put(np.asarray(wide.X)[:6])) == "span"
    assert basis(jax.device_put(np.asarray(wide.X)[:5])) == "pixels"
    assert basis(wide.X, sgd(0.1, 0.9)) == "span"
    assert basis(wide.X, optax.adam(0.1)) == "pixels"
    assert basis(wide.X, optax.sgd(0.1)) == "pixels"


def test_another_optimizer_is_refused_in_the_span(wide: Problem) -> None:
    with pytest.raises(UsageError, match="leave the span of the pictures"):
        fit(wide.params, wide.X, wide.Y, optimizer=optax.adam(0.1), basis="span")
    with pytest.raises(UsageError, match='"auto" or "pixels" or "span"'):
        start_descent(wide.params, wide.X, basis="kernel")


def test_every_product_in_the_span_runs_at_highest_precision(wide: Problem) -> None:
    coefficients, span = enter_span(wide.params, wide.X)
    lowered = jax.jit(span_cost_and_gradients).lower(coefficients, span, wide.Y).as_text()
    products = [line for line in lowered.splitlines() if "dot_general" in line]
    assert len(products) >= 3
    assert all("precision = [HIGHEST, HIGHEST]" in line for line in products)


@pytest.mark.slow
def test_real_cats(cats: Dataset, x64: None) -> None:
    """Scaled to [0, 1] both reach the published costs (test_course_table.py)."""
    X = to_columns(cats.train.images, dtype=jnp.float64)
    Y = to_row(cats.train.labels, dtype=jnp.float64)
    params = init_params(jax.random.key(0), len(X), dtype=jnp.float64)
    ours, theirs = (fit(params, X, Y, iterations=1000, basis=b) for b in ("span", "pixels"))
    np.testing.assert_allclose(ours.costs, theirs.costs, rtol=0, atol=1e-12)
    chex.assert_trees_all_close(ours.params, theirs.params, rtol=0, atol=1e-12)
