"""The curvature of the cost: products with its Hessian, and its sharpness.

To second order, a step of gradient descent along an eigenvector of the Hessian with eigenvalue
λ > 0 multiplies the distance from the minimum by 1 − αλ. The distance shrinks if λ < 2/α and grows
if λ > 2/α. With weight decay the steps are those of the objective. Its Hessian, which is computed
if the decay is given, is that of the cost with the decay added to the diagonal for W1 and W2.
"""

import functools
import math
from typing import NamedTuple

import jax
import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_arrays, check_untraced, check_values
from jaxnet.defaults import WEIGHT_DECAY
from jaxnet.errors import DataError, UsageError, require_number
from jaxnet.network import Params, as_decay, loss, penalty

# Networks need one or two. A tolerance below the rounding error is never reached.
MOST_RESTARTS = 300


class Sharpness(NamedTuple):
    """The largest eigenvalue λ of the Hessian of the cost or objective, and its direction.

    Attributes:
        value: λ.
        direction: The eigenvector, of length 1, in the shapes of the params.
    """

    value: float
    direction: Params


def hessian_product(
    params: Params,
    vector: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
    *,
    weight_decay: float | jax.Array = WEIGHT_DECAY,
) -> Params:
    """Multiply the Hessian of the cost by a vector in the shapes of the params.

    The product is the derivative of the gradient along the vector, and costs about two gradients
    (Pearlmutter 1994). With a weight decay the Hessian is that of the objective, as in `loss`.

    Raises:
        DataError: If the arrays do not fit together, or the vector has other shapes than params.
        UsageError: If `hidden` is not an Activation, or an array is float64 and JAX uses 32 bits.
    """
    check_arrays(params, X, Y, weights, hidden=hidden)
    check_arrays(vector, X)
    if vector["W1"].shape != params["W1"].shape:
        raise DataError(
            f"W1 of the vector has shape {vector['W1'].shape}, that of params {params['W1'].shape}",
            "a vector with the shapes of params",
            "make it from params, for example jax.tree.map(jnp.ones_like, params)",
        )
    decay = as_decay(weight_decay, Y.dtype)
    return _hessian_product(params, vector, X, Y, hidden, weights, decay)


@functools.partial(jax.jit, static_argnames="hidden")
def _hessian_product(
    params: Params,
    vector: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation,
    weights: jax.Array | None,
    decay: jax.Array | None,
) -> Params:
    def objective(params: Params) -> jax.Array:
        cost = loss(params, X, Y, hidden, weights)
        return cost if decay is None else cost + penalty(params, decay)

    product: Params = jax.jvp(jax.grad(objective), (params,), (vector,))[1]
    return product


def sharpness(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
    *,
    tolerance: float = 1e-4,
    weight_decay: float | jax.Array = WEIGHT_DECAY,
) -> Sharpness:
    """Compute the sharpness by the Lanczos method on products with the Hessian.

    Power iteration would converge to the eigenvalue of largest magnitude. Small random initial
    weights are near a saddle point, where this eigenvalue is negative about half of the time.

    Args:
        params: The point at which the Hessian is taken.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        weights: The weight of each example, (1, m).
        tolerance: The relative error at which Lanczos stops.
        weight_decay: That of the objective, as in `loss`, whose Hessian is taken.

    Returns:
        λ and its direction; 0 and an arbitrary direction if the Hessian is 0.

    Raises:
        DataError: If the arrays do not fit together, or a value is out of its range.
        UsageError: If the Hessian is not finite, Lanczos does not reach the tolerance, an argument
            is out of its range, or it is called within `jit`.
    """
    check_arrays(params, X, Y, weights, hidden=hidden)
    check_untraced(params, X)
    check_values(Y, weights)
    require_number("tolerance", tolerance, 0, 1)
    shapes = {name: leaf.shape for name, leaf in sorted(params.items())}
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    dtype = np.dtype(params["W1"].dtype)

    def unravel(vector: np.ndarray) -> Params:
        parts = np.split(vector.astype(dtype).ravel(), ends[:-1])
        named = zip(shapes.items(), parts, strict=True)
        return jax.device_put({name: part.reshape(shape) for (name, shape), part in named})

    def product(vector: np.ndarray) -> np.ndarray:
        along = unravel(vector)
        times = hessian_product(params, along, X, Y, hidden, weights, weight_decay=weight_decay)
        return np.concatenate([np.ravel(times[name]) for name in shapes])

    operator = LinearOperator((ends[-1], ends[-1]), matvec=product, dtype=dtype)
    start = np.random.default_rng(0).standard_normal(ends[-1]).astype(dtype)
    along_start = product(start)
    if not np.isfinite(along_start).all():
        raise UsageError(
            "a product with the Hessian of the cost is not finite",
            "finite params and X, and values within the range of their type",
            "look for NaN and infinity in params and X; if there are none, use float64",
        )
    if not along_start.any():
        # H v = 0 for a random v means H = 0, for which ARPACK fails.
        return Sharpness(0.0, unravel(start / np.linalg.norm(start)))
    try:
        (value,), vectors = eigsh(
            operator, k=1, which="LA", tol=tolerance, v0=start, maxiter=MOST_RESTARTS
        )
    except ArpackError as cause:
        raise UsageError(
            f"the sharpness does not converge to the tolerance {tolerance:g}: {cause}",
            f"convergence within {MOST_RESTARTS} restarts of the Lanczos method",
            "give a larger tolerance, or params and X in float64",
        ) from cause
    return Sharpness(float(value), unravel(vectors[:, 0]))
