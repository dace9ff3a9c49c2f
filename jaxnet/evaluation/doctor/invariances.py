"""Invariances of the network, checked on a tiny example: changes that change no result."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.activations import relu
from jaxnet.evaluation.doctor.check import Result, relative_difference, require_small
from jaxnet.evaluation.doctor.pipeline import Pipeline, make_problem
from jaxnet.network import Params

# The largest difference by another order of summation in float64; and after fifty steps.
ROUNDING, ROUNDING_OF_STEPS = 1e-12, 1e-10

# The largest error of float32: its ε is 1e-7, and e^−Z2 multiplies a relative error of Z2 by Z2.
SINGLE = 1e-4


def check_permuted_units(pipeline: Pipeline) -> Result:
    """Compare a network with itself with its hidden units in another order."""
    params, X, _ = make_problem()
    order = np.array([2, 0, 1])
    W1, b1, W2 = (np.asarray(params[name]) for name in ("W1", "b1", "W2"))
    permuted = jax.device_put(params | {"W1": W1[order], "b1": b1[order], "W2": W2[:, order]})
    ours, original = (_probabilities(pipeline, each, X) for each in (permuted, params))
    return require_small(relative_difference(ours, original), ROUNDING)


def check_rescaled_units(pipeline: Pipeline) -> Result:
    """Compare a ReLU network with itself with W1 and b1 times c, and W2 divided by c."""
    params, X, _ = make_problem()
    c = np.array([[0.1], [3.0], [20.0]])
    W1, b1, W2 = (np.asarray(params[name]) for name in ("W1", "b1", "W2"))
    rescaled = jax.device_put(params | {"W1": c * W1, "b1": c * b1, "W2": W2 / c.T})
    ours, original = (_probabilities(pipeline, each, X) for each in (rescaled, params))
    return require_small(relative_difference(ours, original), ROUNDING)


@functools.partial(jax.jit, static_argnames="pipeline")
def _probabilities(pipeline: Pipeline, params: Params, X: jax.Array) -> jax.Array:
    return pipeline.forward(params, X, relu).A2


def check_duplicated_data(pipeline: Pipeline) -> Result:
    """Compare cost and gradient with those of the same examples, each given twice."""
    params, X, Y = make_problem()
    once = _cost_and_gradients(pipeline, params, X, Y)
    twice = _cost_and_gradients(pipeline, params, np.tile(X, (1, 2)), np.tile(Y, (1, 2)))
    return require_small(relative_difference(twice, once), ROUNDING)


def check_weightless_columns(pipeline: Pipeline) -> Result:
    """Compare cost and gradient with those of a set with further examples of weight 0."""
    params, X, Y = make_problem()
    weights = np.array([[1.0, 2.0, 0.5, 1.0, 3.0]])
    alone = _cost_and_gradients(pipeline, params, X, Y, weights)
    extended = _cost_and_gradients(
        pipeline,
        params,
        np.hstack([X, 7 * np.asarray(X)[::-1]]),
        np.hstack([Y, Y]),
        np.hstack([weights, 0 * weights]),
    )
    return require_small(relative_difference(extended, alone), ROUNDING)


@functools.partial(jax.jit, static_argnames="pipeline")
def _cost_and_gradients(
    pipeline: Pipeline,
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    weights: jax.Array | None = None,
) -> tuple[jax.Array, ...]:
    """Compute the cost, and its gradient by the formulas."""
    by_formula = pipeline.backward(params, X, Y, relu, weights)
    of_params = (by_formula.dW1, by_formula.db1, by_formula.dW2, by_formula.db2)
    return pipeline.loss(params, X, Y, relu, weights), *of_params


def check_span(pipeline: Pipeline) -> Result:
    """Compare training in the span of the pictures with training in pixels."""
    params, X, Y = make_problem(n_x=20, m=6)
    settings = {"learning_rate": 0.1, "momentum": 0.5, "iterations": 50}
    ends = [pipeline.fit(params, X, Y, basis=basis, **settings) for basis in ("span", "pixels")]
    return require_small(
        relative_difference(*((end.params, end.costs) for end in ends)), ROUNDING_OF_STEPS
    )


def check_jit(pipeline: Pipeline) -> Result:
    """Compare the compiled cost and gradient with those computed operation by operation."""
    params, X, Y = make_problem()
    cost_and_gradient = jax.value_and_grad(pipeline.loss)
    ours = jax.jit(cost_and_gradient)(params, X, Y)
    with jax.disable_jit():
        theirs = cost_and_gradient(params, X, Y)
    return require_small(relative_difference(ours, theirs), ROUNDING)


def check_precision(pipeline: Pipeline) -> Result:
    """Compare float32 with float64: the initial weights, the network, the cost, the derivatives."""
    params, X, Y = make_problem()
    key = jax.random.key(0)
    first = [pipeline.init_params(key, 5, 3, dtype=dtype) for dtype in (jnp.float32, jnp.float64)]
    worst = relative_difference(*first)
    for c in (1.0, 40.0):  # logits Z2 of about 1, and of some 50
        exact = (params | {"W2": c * np.asarray(params["W2"])}, X, Y)
        rounded = jax.tree.map(lambda array: np.asarray(array, np.float32), exact)
        single, double = (_all_results(pipeline, *data) for data in (rounded, exact))
        worst = max(worst, relative_difference(single, double))
    return require_small(worst, SINGLE)


@functools.partial(jax.jit, static_argnames="pipeline")
def _all_results(pipeline: Pipeline, params: Params, X: jax.Array, Y: jax.Array) -> Any:
    """Compute the network, the cost, and the derivatives by the formulas."""
    network, cost = pipeline.forward(params, X), pipeline.loss(params, X, Y)
    return network, cost, pipeline.backward(params, X, Y)
