"""Examples: X, Y and their weights; and which of them a step sees."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxnet.arrays import check_columns, check_rows, check_types, check_untraced, check_values
from jaxnet.minibatches import NO_EXAMPLE


class Examples(NamedTuple):
    """What a network is trained on or judged by; one example is one column.

    A plain tuple of arrays, so that it passes through `jax.tree.map`, `jit` and `vmap`. It cannot
    check itself: `make_examples` does, and every public function that takes arrays.

    Attributes:
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        weights: The weight of each example, (1, m); None if all count alike.
    """

    X: jax.Array
    Y: jax.Array
    weights: jax.Array | None = None


def make_examples(X: jax.Array, Y: jax.Array, weights: jax.Array | None = None) -> Examples:
    """Check X (n_x, m), Y (1, m) and weights (1, m), and put them together.

    Raises:
        DataError: If they do not fit together in shape or type, or a value is out of its range.
        UsageError: If they are float64 while JAX is set to 32 bits, or called within `jit`.
    """
    examples = Examples(X, Y, weights)
    check_examples(examples)
    return examples


def check_examples(examples: Examples) -> None:
    """Raise what `make_examples` raises."""
    X, Y, weights = examples
    check_columns(X)
    check_types({"X": X} | check_rows(Y, weights, m=X.shape[1]))
    check_untraced(X)
    check_values(Y, weights)


def balancing_weights(Y: jax.Array) -> jax.Array:
    """Weight each example by m / (2 × the size of its class), so that both classes count alike.

    Raises:
        DataError: If Y is no row (1, m) of float32 or float64.

    Example:
        >>> weights = jaxnet.balancing_weights(jnp.array([[0.0, 0.0, 0.0, 1.0]]))
        >>> [round(float(w), 3) for w in weights[0]]
        [0.667, 0.667, 0.667, 2.0]
    """
    check_types(check_rows(Y))
    p = jnp.mean(Y)
    return jnp.where(Y == 1, 0.5 / p, 0.5 / (1 - p))


def select(
    t: Any,
    Y: jax.Array,
    weights: jax.Array | None = None,
    *,
    batches: Any = None,
) -> tuple[jax.Array | None, jax.Array | None]:
    """Choose which examples a step sees, and with what weight.

    Every training asks this function, alone or among thousands, so that batches, folds and shards
    need no loop of their own. Pure: the same arguments give the same answer, in a traced program.

    Args:
        t: The row of `batches` that belongs to this step.
        Y: (1, m).
        weights: The weight of each example, (1, m), 0 of one that is left out; None if all count
            alike.
        batches: The indices of the examples of every step, as `draw_batches` draws them from a seed
            for some iterations, (iterations, batch); None if every step sees all examples.

    Returns:
        Indices of the examples, (batch,), or None for all in their order; and the weights of these
        examples, (1, batch), or None. What fills up a smaller batch has the weight 0.

    Raises:
        DataError: If Y or weights is no row (1, m).
    """
    check_rows(Y, weights)
    if batches is None:
        return None, weights
    indices = jnp.asarray(batches)[t]  # (batch,)
    drawn = (indices != NO_EXAMPLE)[None].astype(Y.dtype)  # (1, batch)
    indices = jnp.maximum(indices, 0)
    return indices, drawn if weights is None else drawn * weights[:, indices]
