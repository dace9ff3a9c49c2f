"""Gradient descent in the span of the pictures: the same steps with one small product each.

The gradient dW1 = dZ1 Xᵀ is a linear combination of pictures for every dZ1 (which here includes the
1/m of the mean cost). Gradient descent therefore keeps W1 in W1₀ + span of the pictures:

    W1 = W1₀ + C Xᵀ,    and therefore    Z1 = W1 X + b1 = W1₀ X + C K + b1,    K = Xᵀ X (m, m),

where C (n_h, m) starts at 0. The step C ← C − α dZ1, times Xᵀ, is the step W1 ← W1 − α dW1. This
also holds for every update that is linear in all gradients so far: momentum, Nesterov, schedules;
and for mini-batches, since dZ1 is 0 for the pictures that a step does not see.

Weight decay adds λ W1 to the gradient, which pulls W1₀, too, towards 0. Then

    W1 = s W1₀ + C Xᵀ,    and therefore    Z1 = s W1₀ X + C K + b1,

where s starts at 1. With λ s and dZ1 + λ C as the gradients for s and C, the step is that of W1.

The gradient that the optimizer gets for C is dZ1, the derivative of the cost with respect to Z1.
The derivative with respect to C would be dZ1 K, which gives a different descent.

Where there are more pictures than features, the features are the smaller basis. There K is X, and C
(n_h, n_x) is what W1 adds to s W1₀; its gradient is dZ1 Xᵀ, and all else is the same.

W1₀ X and K are computed once. Then a step needs one product (n_h, m)(m, m) instead of two products
over all pixels. In float64 the two methods agree to rounding. In float32 they agree until a run
near the edge of stability has amplified the rounding errors, as with any two orders of summation.
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
    """The products from which Z1 of m′ pictures X′ is computed.

    X′ are the training pictures X (n_x, m), or others, which need not lie in the span of X.

    Attributes:
        Z1: W1₀ X′, (n_h, m′), where W1₀ are the initial weights.
        K: Xᵀ X′, (m, m′); in the basis of fewer features than training pictures X′, (n_x, m′).
        W1_square: ‖W1₀‖², if the penalty of the training is asked for.
    """

    Z1: jax.Array
    K: jax.Array
    W1_square: jax.Array | None = None


def enter_span(
    params: Params, X: jax.Array, others: jax.Array | None = None, *, decays: bool = False
) -> tuple[Params, Span]:
    """Represent W1 of a network by coefficients of the training pictures.

    Args:
        params: W1 (n_h, n_x), b1, W2, b2.
        X: The training pictures, (n_x, m).
        others: The pictures X′ of the returned `Span`, (n_x, m′); by default X.
        decays: Whether the training has a weight decay.

    Returns:
        The coefficients C (n_h, m), which are 0, with b1, W2, b2, and s (1, 1), which is 1, if the
        weights decay; and the `Span` of X′.
    """
    # If both factors of XᵀX are one array, NumPy computes only half of this symmetric matrix.
    training = np.asarray(X, np.float64)  # (n_x, m)
    pictures = training if others is None else np.asarray(others, np.float64)  # (n_x, m′)
    Z1, K = (exact_product(A, pictures, X.dtype) for A in (params["W1"], training.T))
    made = {"C": np.zeros((Z1.shape[0], X.shape[1]), X.dtype)}
    if decays:
        made["s"] = np.ones((1, 1), X.dtype)
    rest = {name: params[name] for name in ("b1", "W2", "b2")}
    return jax.device_put(made) | rest, Span(Z1, K)


def exact_product(A: ArrayLike, B: ArrayLike, dtype: DTypeLike) -> jax.Array:
    """Multiply two matrices in float64 on the host, since every later step uses the result."""
    with np.errstate(over="ignore", invalid="ignore"):  # training checks the cost
        product = np.asarray(A, np.float64) @ np.asarray(B, np.float64)
        return jax.device_put(product.astype(dtype))


def leave_span(coefficients: Params, W1: ArrayLike, X: jax.Array) -> Params:
    """Convert coefficients to pixels: s W1 + C Xᵀ, with the initial weights W1 (n_h, n_x).

    In NumPy: it is done once, so that to compile it would take longer.
    """
    factors = (coefficients.get("s", 1), W1, coefficients["C"], X)
    s, first, C, pictures = (np.asarray(factor, X.dtype) for factor in factors)
    with np.errstate(over="ignore", invalid="ignore"):  # the outcome is "not finite" then
        pixels = jax.device_put(s * first + C @ pictures.T)  # (n_h, n_x)
    return {"W1": pixels} | {name: coefficients[name] for name in ("b1", "W2", "b2")}


def _first(coefficients: Params, initial: jax.Array) -> jax.Array:
    """Compute what is left of the initial weights, or of a product with them: s times this."""
    return coefficients["s"] * initial if "s" in coefficients else initial


@at_highest_precision
def layer1_in_span(coefficients: Params, span: Span) -> jax.Array:
    """Compute Z1 (n_h, m′) of the pictures of a span."""
    return _first(coefficients, span.Z1) + coefficients["C"] @ span.K + coefficients["b1"]


@at_highest_precision
def penalty_in_span(coefficients: Params, span: Span, weight_decay: jax.Array) -> jax.Array:
    """Compute (λ/2)(‖W1‖² + ‖W2‖²), where ‖s W1₀ + C Xᵀ‖² is s²‖W1₀‖² + Σ C ∘ (2 s W1₀ X + C K)."""
    C, s = coefficients["C"], coefficients["s"]
    assert span.W1_square is not None
    W1_square = jnp.sum(s * s) * span.W1_square + jnp.sum(C * (2 * s * span.Z1 + C @ span.K))
    return weight_decay / 2 * (W1_square + jnp.sum(jnp.square(coefficients["W2"])))


@at_highest_precision
def span_cost_and_gradients(
    coefficients: Params,
    span: Span,
    Y: jax.Array,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
    indices: jax.Array | None = None,
) -> tuple[jax.Array, Params]:
    """Compute the cost, and the gradients that give the same step as `jax.grad(loss)` in pixels.

    Args:
        coefficients: C (n_h, m), b1, W2, b2, and s if the weights decay, whose gradient is 0.
        span: That of the training pictures. If its K has fewer rows than columns, it is X.
        Y: (1, m).
        hidden: The activation of the hidden units.
        weights: The weight of each example that the step sees, (1, batch).
        indices: Which examples these are, (batch,); None for all. Those that are not among them
            have dZ1 = 0, and therefore no part in the gradient for C. Momentum moves all of C.
    """
    of_features = span.K.shape[0] < span.K.shape[1]
    if indices is not None:
        # In the span K is symmetric, and its rows lie together in memory.
        K = span.K[:, indices] if of_features else span.K[indices].T
        span, Y = Span(span.Z1[:, indices], K), Y[:, indices]

    def tail(Z1: jax.Array, W2: jax.Array, b2: jax.Array) -> jax.Array:
        return cross_entropy(forward_from(Z1, W2, b2, hidden).Z2, Y, weights)

    Z1 = layer1_in_span(coefficients, span)  # (n_h, batch)
    differentiate = jax.value_and_grad(tail, argnums=(0, 1, 2))
    cost, (dZ1, dW2, db2) = differentiate(Z1, coefficients["W2"], coefficients["b2"])
    db1 = jnp.sum(dZ1, axis=1, keepdims=True)
    if of_features:
        dC = dZ1 @ span.K.T
    else:
        dC = dZ1 if indices is None else jnp.zeros_like(coefficients["C"]).at[:, indices].add(dZ1)
    decaying = {"s": jnp.zeros_like(coefficients["s"])} if "s" in coefficients else {}
    return cost, {"C": dC, "b1": db1, "W2": dW2, "b2": db2} | decaying
