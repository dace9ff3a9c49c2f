"""Backpropagation by hand: the article's formulas, in the order in which they are computed.

Training does not use them; it differentiates `loss` by `jax.grad`. They document the derivatives
and verify those of `jax.grad`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_arrays
from jaxnet.defaults import WEIGHT_DECAY
from jaxnet.devices import at_highest_precision
from jaxnet.network import Params, as_decay, forward, total_weight


class Gradients(NamedTuple):
    """All derivatives of one backward pass.

    dA and dZ are derivatives of each example's own loss; dW and db of the mean cost.
    """

    dA2: jax.Array  # (1, m)
    dZ2: jax.Array  # (1, m)
    dW2: jax.Array  # (1, n_h)
    db2: jax.Array  # (1, 1)
    dA1: jax.Array  # (n_h, m)
    dZ1: jax.Array  # (n_h, m)
    dW1: jax.Array  # (n_h, n_x)
    db1: jax.Array  # (n_h, 1)


@at_highest_precision
def backward(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
    *,
    weight_decay: float | jax.Array = WEIGHT_DECAY,
) -> Gradients:
    """Compute the eight derivatives by the chain rule, for X (n_x, m) and Y (1, m) of 0 and 1.

    With example weights w (1, m) the cost is Σ w ℓ / Σ w; without, w = 1 and Σ w = m. With a weight
    decay λ, dW1 and dW2 are those of the objective, cost + (λ/2)(‖W1‖² + ‖W2‖²).
    """
    check_arrays(params, X, Y, weights, hidden=hidden)
    decay = as_decay(weight_decay, Y.dtype)
    w = jnp.ones_like(Y) if weights is None else weights  # (1, m)
    m = total_weight(w)
    Z1, A1, Z2, A2 = forward(params, X, hidden)

    # −Y/A2 + (1−Y)/(1−A2), from the logits: the quotient is 0/0 once A2 has rounded to Y.
    dA2 = jnp.where(Y == 1, -(1 + jnp.exp(-Z2)), 1 + jnp.exp(Z2))
    dZ2 = A2 - Y
    dW2 = (w * dZ2) @ A1.T / m
    db2 = jnp.sum(w * dZ2, axis=1, keepdims=True) / m
    dA1 = params["W2"].T @ dZ2
    dZ1 = dA1 * hidden.slope(Z1)
    dW1 = (w * dZ1) @ X.T / m
    db1 = jnp.sum(w * dZ1, axis=1, keepdims=True) / m
    if decay is not None:
        dW1, dW2 = dW1 + decay * params["W1"], dW2 + decay * params["W2"]
    return Gradients(dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1)
