"""Validation: the cost on examples that are not trained on, and the weights where it was lowest."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.activations import Activation
from jaxnet.network import Params, cross_entropy, forward, forward_from
from jaxnet.span import Span, layer1_in_span


class Validation(NamedTuple):
    """What a training is watched with.

    Attributes:
        inputs: X′ (n_x, m′); in the span the `Span` of these examples.
        Y: (1, m′).
        weights: (1, m′), or None.
        patience: After how many iterations without a lower cost the training stops, (); None if it
            does not, and no weights are kept.
    """

    inputs: Any
    Y: jax.Array
    weights: jax.Array | None
    patience: Any


class Best(NamedTuple):
    """Where the validation cost was lowest so far.

    Attributes:
        cost: The lowest, (); ∞ before the first.
        age: How many iterations have not been lower since, ().
        params: The parameters there, in the basis of the training.
    """

    cost: Any
    age: Any
    params: Params


def judge_validation(
    params: Params, validation: Validation, hidden: Activation
) -> tuple[jax.Array, jax.Array]:
    """Compute the cost and the accuracy on the validation examples."""
    inputs, Y, weights, _ = validation
    if isinstance(inputs, Span):
        Z1 = layer1_in_span(params, inputs)
        result = forward_from(Z1, params["W2"], params["b2"], hidden)
    else:
        result = forward(params, inputs, hidden)
    accuracy = jnp.sum((result.A2 > 0.5) == Y, dtype=Y.dtype) / Y.size
    return cross_entropy(result.Z2, Y, weights), accuracy


def start_best(params: Params, kept: Params | None, costs: np.ndarray) -> Best:
    """Return the best of a training that has these validation costs so far, (iterations,).

    Args:
        params: Where the training is.
        kept: The parameters where the cost was lowest; None if it was never finite.
        costs: What is known so far.
    """
    low = np.where(np.isnan(costs), np.inf, costs)
    if kept is None or not low.size or low.min() == np.inf:
        return Best(np.asarray(np.inf, costs.dtype), np.int32(len(costs)), params)
    at = int(np.argmin(low))
    return Best(low[at], np.int32(len(costs) - 1 - at), kept)


def keep_lower(best: Best, cost: jax.Array, params: Params) -> Best:
    """Return the best after an iteration, whose cost is before its update, as its parameters."""
    lower = cost < best.cost
    params = jax.tree.map(lambda new, old: jnp.where(lower, new, old), params, best.params)
    return Best(jnp.where(lower, cost, best.cost), jnp.where(lower, 0, best.age + 1), params)
