"""How curved the cost is: products with its Hessian, and its sharpness.

Along a direction of curvature λ a step of gradient descent multiplies the distance from the floor
of the valley by 1 − αλ: it shrinks while λ < 2/α, and grows above.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from jaxnet.activations import Activation, relu
from jaxnet.errors import UsageError
from jaxnet.network import Params, loss

# Networks take one or two; a tolerance below the rounding of the numbers would take for ever.
MOST_RESTARTS = 300


class Sharpness(NamedTuple):
    """The largest eigenvalue λ of the Hessian of the cost, and its direction.

    Attributes:
        value: λ.
        direction: The eigenvector, of length 1, in the shapes of the params.
    """

    value: float
    direction: Params


@functools.partial(jax.jit, static_argnames="hidden")
def hessian_product(
    params: Params,
    vector: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
) -> Params:
    """Multiply the Hessian of the cost by a vector in the shapes of the params.

    It is the derivative of the gradient along the vector, which costs about two gradients
    (Pearlmutter 1994).
    """

    def gradient(params: Params) -> Params:
        return jax.grad(loss)(params, X, Y, hidden, weights)

    product: Params = jax.jvp(gradient, (params,), (vector,))[1]
    return product


def sharpness(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
    *,
    tolerance: float = 1e-4,
) -> Sharpness:
    """Compute the sharpness by Lanczos on products with the Hessian.

    Power iteration would find the eigenvalue that is largest in size: at a small random start, a
    saddle, that is a negative one as often as not.

    Args:
        params: Where the cost is looked at.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        weights: The weight of each example, (1, m).
        tolerance: The relative error at which Lanczos stops.

    Returns:
        λ and its direction; 0 and an arbitrary direction where the cost is flat in all of them.

    Raises:
        UsageError: If the Hessian is not finite, or Lanczos does not reach the tolerance.
    """
    flat, unravel = ravel_pytree(params)

    def product(vector: np.ndarray) -> np.ndarray:
        along = unravel(jnp.asarray(vector.ravel(), flat.dtype))
        return np.asarray(ravel_pytree(hessian_product(params, along, X, Y, hidden, weights))[0])

    operator = LinearOperator((flat.size, flat.size), matvec=product, dtype=np.dtype(flat.dtype))
    start = np.random.default_rng(0).standard_normal(flat.size).astype(flat.dtype)
    along_start = product(start)
    if not np.isfinite(along_start).all():
        raise UsageError(
            "a product with the Hessian of the cost is not finite",
            "finite params and X, and values within the range of their type",
            "look for NaN and infinity in params and X; where there are none, take float64",
        )
    if not along_start.any():
        # A random vector meets every direction that is curved; and ARPACK knows no zero matrix.
        return Sharpness(0.0, unravel(jnp.asarray(start / np.linalg.norm(start))))
    try:
        (value,), vectors = eigsh(
            operator, k=1, which="LA", tol=tolerance, v0=start, maxiter=MOST_RESTARTS
        )
    except ArpackError as cause:
        raise UsageError(
            f"the sharpness is not found to the tolerance {tolerance:g}: {cause}",
            f"that Lanczos reaches it within {MOST_RESTARTS} restarts",
            "give a larger tolerance, or params and X in float64",
        ) from cause
    return Sharpness(float(value), unravel(jnp.asarray(vectors[:, 0])))
