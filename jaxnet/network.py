"""The network: n_x inputs → n_h hidden units → 1 output, as pure functions of its parameters."""

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from jaxnet.activations import Activation, relu, sigmoid
from jaxnet.arrays import check_arrays, check_key, check_params
from jaxnet.defaults import HIDDEN_UNITS, WEIGHT_DECAY, WEIGHT_SCALE
from jaxnet.devices import at_highest_precision, find_devices, require_dtype
from jaxnet.errors import UsageError, require_integer, require_number
from jaxnet.normals import draw_normals

Params = dict[str, jax.Array]  # W1 (n_h, n_x), b1 (n_h, 1), W2 (1, n_h), b2 (1, 1)


class Forward(NamedTuple):
    """What each stage computes for m examples: Z1, A1 (n_h, m) and Z2, A2 (1, m)."""

    Z1: jax.Array
    A1: jax.Array
    Z2: jax.Array
    A2: jax.Array


def init_params(
    key: jax.Array,
    n_x: int,
    n_h: int = HIDDEN_UNITS,
    *,
    weight_scale: float | jax.Array | str = WEIGHT_SCALE,
    dtype: DTypeLike = jnp.float32,
) -> Params:
    """Draw small random weights and set the biases to 0 (the article: "first attempt").

    Args:
        key: A JAX random key. The same key gives the same network in float32 and in float64.
        n_x: The number of features.
        n_h: The number of hidden units.
        weight_scale: The standard deviation of the weights, or "he": √(2 / inputs of the layer)
            (He et al. 2015, arXiv 1502.01852).
        dtype: float32 or float64.

    Raises:
        UsageError: If an argument is of another type, or out of its range, or JAX cannot use its
            device.

    Example:
        >>> params = jaxnet.init_params(jax.random.key(0), n_x=4096, n_h=8)
        >>> {name: array.shape for name, array in params.items()}
        {'W1': (8, 4096), 'b1': (8, 1), 'W2': (1, 8), 'b2': (1, 1)}
    """
    find_devices()
    dtype = require_dtype(dtype)
    check_key(key)
    require_integer("n_x", n_x, 1)
    require_integer("n_h", n_h, 1)
    scale1, scale2 = layer_scales(weight_scale, n_x, n_h)
    normal1, normal2 = draw_normals(key, n_x, n_h)
    with np.errstate(over="ignore"):  # training checks the cost
        W1, W2 = (normal1 * scale1).astype(dtype), (normal2 * scale2).astype(dtype)
    b1, b2 = np.zeros((n_h, 1), dtype), np.zeros((1, 1), dtype)
    W1, b1, W2, b2 = jax.device_put((W1, b1, W2, b2))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def layer_scales(weight_scale: float | jax.Array | str, n_x: int, n_h: int) -> tuple[Any, Any]:
    """Compute the standard deviations with which the weights of the two layers are drawn."""
    if isinstance(weight_scale, str):
        if weight_scale == "he":
            return math.sqrt(2 / n_x), math.sqrt(2 / n_h)
        raise UsageError(f'weight_scale is "{weight_scale}"', 'a number or "he"', "give 0.01, say")
    require_number("weight_scale", weight_scale, 0, float(np.finfo(np.float32).max))
    scale = weight_scale if isinstance(weight_scale, jax.core.Tracer) else float(weight_scale)
    return scale, scale


def count_params(params: Params) -> int:
    """Count the trainable numbers: (n_x + 1) n_h + (n_h + 1).

    Raises:
        DataError: If params does not hold the four arrays of a network.

    Example:
        >>> jaxnet.count_params(jaxnet.init_params(jax.random.key(0), n_x=4096, n_h=8))
        32785
    """
    check_params(params)
    return sum(leaf.size for leaf in params.values())


@at_highest_precision
def forward(params: Params, X: jax.Array, hidden: Activation = relu) -> Forward:
    """Compute Z1, A1, Z2 and A2, the probability of class 1, for X (n_x, m).

    Example:
        >>> params = {"W1": jnp.array([[1.0, -1.0]]), "b1": jnp.zeros((1, 1)),
        ...           "W2": jnp.array([[2.0]]), "b2": jnp.zeros((1, 1))}
        >>> X = jnp.array([[3.0, 0.0], [1.0, 1.0]])  # two examples, one a column
        >>> result = jaxnet.forward(params, X)
        >>> print(result.Z1, result.A1, result.Z2)
        [[ 2. -1.]] [[2. 0.]] [[4. 0.]]
        >>> [round(float(a), 3) for a in result.A2[0]]
        [0.982, 0.5]
    """
    check_arrays(params, X, hidden=hidden)
    Z1 = params["W1"] @ X + params["b1"]  # (n_h, m)
    return forward_from(Z1, params["W2"], params["b2"], hidden)


@at_highest_precision
def forward_from(Z1: jax.Array, W2: jax.Array, b2: jax.Array, hidden: Activation = relu) -> Forward:
    """Compute what follows from Z1 (n_h, m)."""
    A1 = hidden(Z1)
    Z2 = W2 @ A1 + b2  # (1, m)
    A2 = sigmoid(Z2)
    return Forward(Z1, A1, Z2, A2)


def loss(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
    *,
    weight_decay: float | jax.Array = WEIGHT_DECAY,
) -> jax.Array:
    """Compute the cost: the mean of ℓ = −(y log a + (1 − y) log(1 − a)) over the examples.

    With example weights w (1, m) it is Σ w ℓ / Σ w, and 0 where all weights are 0. With a weight
    decay λ it is the objective, the cost + (λ/2)(‖W1‖² + ‖W2‖²).
    """
    check_arrays(params, X, Y, weights, hidden=hidden)
    decay = as_decay(weight_decay, Y.dtype)
    cost = cross_entropy(forward(params, X, hidden).Z2, Y, weights)
    return cost if decay is None else cost + penalty(params, decay)


def as_decay(weight_decay: float | jax.Array, dtype: DTypeLike) -> jax.Array | None:
    """Return λ as an array of a type; None for the number 0, for which nothing is computed.

    Raises:
        UsageError: If it is no number from 0 to the largest of the type.
    """
    require_number("weight_decay", weight_decay, 0, float(np.finfo(dtype).max))
    traced = isinstance(weight_decay, jax.core.Tracer)
    return jnp.asarray(weight_decay, dtype) if traced or float(weight_decay) else None


def penalty(params: Params, weight_decay: jax.Array) -> jax.Array:
    """Compute (λ/2)(‖W1‖² + ‖W2‖²)."""
    return weight_decay / 2 * sum(jnp.sum(jnp.square(params[name])) for name in ("W1", "W2"))


def cross_entropy(Z2: jax.Array, Y: jax.Array, weights: jax.Array | None = None) -> jax.Array:
    """Compute the cost from the logits Z2 (1, m)."""
    # log a and log(1 − a) from the logits: from a they would be log 0 once a rounds to 0 or 1.
    # With z = p − n, |z| = p + n, −log a is n + log(1 + e^−|z|) and −log(1 − a) the same with p.
    p = jnp.maximum(Z2, 0)
    n = p - Z2  # not max(−z, 0): so the slopes at z = 0 fit together, whatever JAX says they are
    losses = Y * n + (1 - Y) * p + jnp.log1p(jnp.exp(-(p + n)))  # (1, m)
    if weights is None:
        return jnp.mean(losses)
    return jnp.sum(weights * losses) / total_weight(weights)


def total_weight(weights: jax.Array) -> jax.Array:
    """Compute Σ w, by which a mean is divided: above 0, since all of a mini-batch may be 0."""
    return jnp.maximum(jnp.sum(weights), np.finfo(weights.dtype).tiny)


def predict(
    params: Params, X: jax.Array, hidden: Activation = relu, threshold: float = 0.5
) -> jax.Array:
    """Compute for each example whether its probability exceeds the threshold: (1, m) of 0 and 1."""
    check_arrays(params, X, hidden=hidden)
    require_number("threshold", threshold, 0, 1)
    return _predict(params, X, hidden, threshold)


def accuracy(params: Params, X: jax.Array, Y: jax.Array, hidden: Activation = relu) -> jax.Array:
    """Compute the share of the examples whose class is predicted correctly."""
    check_arrays(params, X, Y, hidden=hidden)
    return _accuracy(params, X, Y, hidden)


# One program each; the checks stay outside, since jit would turn float64 into float32 silently.


@functools.partial(jax.jit, static_argnames="hidden")
def _predict(params: Params, X: jax.Array, hidden: Activation, threshold: float) -> jax.Array:
    return (forward(params, X, hidden).A2 > threshold).astype(int)


@functools.partial(jax.jit, static_argnames="hidden")
def _accuracy(params: Params, X: jax.Array, Y: jax.Array, hidden: Activation) -> jax.Array:
    return jnp.sum(_predict(params, X, hidden, 0.5) == Y) / Y.size
