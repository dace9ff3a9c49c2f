"""What must change nothing beyond rounding: the laws of the network, tried on a tiny one."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.activations import relu
from jaxnet.evaluation.doctor.check import Check, relative_difference, require_small
from jaxnet.evaluation.doctor.subjects import Pipeline, make_problem
from jaxnet.network import Params

# What different orders of summation may differ by in float64; and after fifty steps.
ROUNDING, ROUNDING_OF_STEPS = 1e-12, 1e-10

# What float32 may be off by: its ε is 1e-7, and e^−Z2 multiplies the error of a logit Z2 by Z2.
SINGLE = 1e-4


def check_permuted_units(pipeline: Pipeline) -> Check:
    """Compare a network with itself after its hidden units have changed places."""
    params, X, _ = make_problem()
    order = np.array([2, 0, 1])
    permuted = params | {
        "W1": params["W1"][order],
        "b1": params["b1"][order],
        "W2": params["W2"][:, order],
    }
    return require_small(
        "permuted hidden units",
        relative_difference(pipeline.forward(permuted, X).A2, pipeline.forward(params, X).A2),
        ROUNDING,
        holds="hidden units may change places",
        broken="hidden units that change places change the output",
        remedy="look for a bias added along the wrong axis, or a unit that is treated differently",
    )


def check_rescaled_units(pipeline: Pipeline) -> Check:
    """Compare a ReLU network with itself after W1 and b1 times c, W2 divided by c."""
    params, X, _ = make_problem()
    c = jnp.asarray([[0.1], [3.0], [20.0]])
    rescaled = params | {
        "W1": c * params["W1"],
        "b1": c * params["b1"],
        "W2": params["W2"] / c.T,
    }
    law = "W1 and b1 times c and W2 divided by c is the same network, since ReLU(c z) = c ReLU(z)"
    return require_small(
        "ReLU rescaling",
        relative_difference(
            pipeline.forward(rescaled, X, relu).A2, pipeline.forward(params, X, relu).A2
        ),
        ROUNDING,
        holds=law,
        broken=f"{law}; here it is another",
        remedy="look whether the activation is ReLU, and whether b1 is added before it",
    )


def check_duplicated_data(pipeline: Pipeline) -> Check:
    """Compare cost and gradient with those of the same examples, each there twice."""
    params, X, Y = make_problem()
    once = _cost_and_gradients(pipeline, params, X, Y)
    twice = _cost_and_gradients(pipeline, params, jnp.tile(X, (1, 2)), jnp.tile(Y, (1, 2)))
    return require_small(
        "duplicated data",
        relative_difference(twice, once),
        ROUNDING,
        holds="every example twice is the same mean cost and the same gradient",
        broken="every example twice should be the same mean cost and the same gradient",
        remedy="look for a missing 1/m: the cost and its gradient are means over the examples",
    )


def check_weightless_columns(pipeline: Pipeline) -> Check:
    """Compare cost and gradient with those among further examples, of weight 0."""
    params, X, Y = make_problem()
    weights = jnp.asarray([[1.0, 2.0, 0.5, 1.0, 3.0]])
    without = _cost_and_gradients(pipeline, params, X, Y, weights)
    among = _cost_and_gradients(
        pipeline,
        params,
        jnp.hstack([X, 7 * X[::-1]]),
        jnp.hstack([Y, Y]),
        jnp.hstack([weights, 0 * weights]),
    )
    return require_small(
        "columns of weight zero",
        relative_difference(among, without),
        ROUNDING,
        holds="examples of weight 0 might as well not be there",
        broken="examples of weight 0 should change neither the cost nor its gradient",
        remedy="look whether w multiplies every example's loss, and whether Σ w divides, not m",
    )


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


def check_span(pipeline: Pipeline) -> Check:
    """Compare training in the span of the pictures with training in pixels."""
    params, X, Y = make_problem(n_x=20, m=6)
    settings = {"learning_rate": 0.1, "momentum": 0.5, "iterations": 50}
    ends = [pipeline.fit(params, X, Y, basis=basis, **settings) for basis in ("span", "pixels")]
    return require_small(
        "span equals pixels",
        relative_difference(*((end.params, end.costs) for end in ends)),
        ROUNDING_OF_STEPS,
        holds="gradient descent in the span of the pictures is gradient descent",
        broken="the coefficients of the pictures take other steps than the pixels",
        remedy="look whether C is given dZ1 as its gradient, and b1 the sums of its rows; "
        "until then train with --basis pixels",
    )


def check_jit(pipeline: Pipeline) -> Check:
    """Compare the compiled cost and gradient with the same, computed operation by operation."""
    params, X, Y = make_problem()
    cost_and_gradient = jax.value_and_grad(pipeline.loss)
    ours = jax.jit(cost_and_gradient)(params, X, Y)
    with jax.disable_jit():
        theirs = cost_and_gradient(params, X, Y)
    return require_small(
        "jit equals no jit",
        relative_difference(ours, theirs),
        ROUNDING,
        holds="compiled and not compiled, cost and gradient are the same",
        broken="compiled, the cost or its gradient is another",
        remedy="look for what a traced function must not do: draw from NumPy, or read or change a "
        "variable outside of it",
    )


def check_precision(pipeline: Pipeline) -> Check:
    """Compare float32 with float64: the first weights, the network, the cost, the derivatives."""
    params, X, Y = make_problem()
    key = jax.random.key(0)
    first = [pipeline.init_params(key, 5, 3, dtype=dtype) for dtype in (jnp.float32, jnp.float64)]
    worst = relative_difference(*first)
    for c in (1.0, 40.0):  # logits Z2 of about 1, and of some 50
        exact = (params | {"W2": c * params["W2"]}, X, Y)
        rounded = jax.tree.map(lambda array: array.astype(jnp.float32), exact)
        single, double = (_all_of_it(pipeline, *data) for data in (rounded, exact))
        worst = max(worst, relative_difference(single, double))
    return require_small(
        "float32 against float64",
        worst,
        SINGLE,
        holds="float32 is the network of float64, rounded",
        broken="float32 is further from float64 than rounding explains",
        remedy="look for products in TF32 or bfloat16, for log(A2) where the loss should be "
        "taken from Z2, and for weights drawn in float64",
    )


@functools.partial(jax.jit, static_argnames="pipeline")
def _all_of_it(pipeline: Pipeline, params: Params, X: jax.Array, Y: jax.Array) -> Any:
    """Compute the network, the cost, and the derivatives by the formulas."""
    network, cost = pipeline.forward(params, X), pipeline.loss(params, X, Y)
    return network, cost, pipeline.backward(params, X, Y)
