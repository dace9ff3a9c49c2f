"""The same gradient descent in the span of the pictures: one small product a step.

The gradient dW1 = dZ1 Xᵀ is a sum of pictures, whatever dZ1 is (here with the 1/m of the mean cost
in it). So gradient descent never takes a row of W1 out of W1₀ + span of the pictures:

    W1 = W1₀ + C Xᵀ,    and with it    Z1 = W1 X + b1 = W1₀ X + C K + b1,    K = Xᵀ X (m, m),

where C (n_h, m) starts at 0. The step C ← C − α dZ1, times Xᵀ, is the step W1 ← W1 − α dW1; and so
it is for every update that is linear in the gradients so far: momentum, Nesterov, schedules. Mind
what C is given as its gradient: dZ1, the derivative of the cost by Z1. The derivative by C itself
would be dZ1 K, which is the step of another descent.

W1₀ X and K are computed once; then a step costs one product (n_h, m)(m, m) instead of two with all
the pixels. In float64 the two agree to rounding. In float32 they agree until a run near the edge of
stability has amplified the rounding, as any two orders of summation do.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike

from jaxnet.activations import Activation, relu
from jaxnet.devices import at_highest_precision
from jaxnet.network import Params, cross_entropy, forward_from


class Span(NamedTuple):
    """What pictures are in the span of the training pictures.

    Attributes:
        Z1: W1₀ X, (n_h, m): what the first weights make of them.
        K: Xᵀ X, (m, m): their products with the training pictures. For other pictures X′ it is
            Xᵀ X′, (m, m′); they need not lie in the span.
    """

    Z1: jax.Array
    K: jax.Array


def enter_span(
    params: Params, X: jax.Array, others: jax.Array | None = None
) -> tuple[Params, Span]:
    """Write a network as coefficients of the training pictures.

    Args:
        params: W1 (n_h, n_x), b1, W2, b2.
        X: The training pictures, (n_x, m).
        others: The pictures that are looked at from the span, (n_x, m′); by default X.

    Returns:
        The coefficients C (n_h, m), which are 0, with b1, W2 and b2; and the `Span` of `others`.
    """
    # The same array twice in XᵀX is seen by NumPy, which then computes half of it.
    pictures = np.asarray(X, np.float64)
    seen = pictures if others is None else np.asarray(others, np.float64)
    Z1, K = (exact_product(A, seen, X.dtype) for A in (params["W1"], pictures.T))
    C = jnp.zeros((Z1.shape[0], X.shape[1]), X.dtype)
    return {"C": C} | {name: params[name] for name in ("b1", "W2", "b2")}, Span(Z1, K)


def exact_product(A: ArrayLike, B: ArrayLike, dtype: DTypeLike) -> jax.Array:
    """Multiply two matrices in float64 on the host, since all that follows rests on them."""
    return jnp.asarray(np.asarray(A, np.float64) @ np.asarray(B, np.float64), dtype)


@jax.jit
@at_highest_precision
def leave_span(coefficients: Params, W1: jax.Array, X: jax.Array) -> Params:
    """Write a network in pixels again, W1 + C Xᵀ, from the first weights W1 (n_h, n_x)."""
    rest = {name: coefficients[name] for name in ("b1", "W2", "b2")}
    return {"W1": W1 + coefficients["C"] @ X.T} | rest


@at_highest_precision
def layer1_in_span(coefficients: Params, span: Span) -> jax.Array:
    """Compute Z1 (n_h, m′) of the pictures of a span."""
    return span.Z1 + coefficients["C"] @ span.K + coefficients["b1"]


@at_highest_precision
def span_cost_and_gradients(
    coefficients: Params,
    span: Span,
    Y: jax.Array,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
) -> tuple[jax.Array, Params]:
    """Compute the cost, and the gradients that take the same step as `jax.grad(loss)` in pixels."""

    def tail(Z1: jax.Array, W2: jax.Array, b2: jax.Array) -> jax.Array:
        return cross_entropy(forward_from(Z1, W2, b2, hidden).Z2, Y, weights)

    Z1 = layer1_in_span(coefficients, span)
    by_all = jax.value_and_grad(tail, argnums=(0, 1, 2))
    cost, (dZ1, dW2, db2) = by_all(Z1, coefficients["W2"], coefficients["b2"])
    db1 = jnp.sum(dZ1, axis=1, keepdims=True)
    return cost, {"C": dZ1, "b1": db1, "W2": dW2, "b2": db2}
