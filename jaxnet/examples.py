"""Examples: X, Y and their weights; and which of them a step sees."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.arrays import check_columns, check_rows, check_types, check_untraced, check_values


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
    """
    check_types(check_rows(Y))
    p = jnp.mean(Y)
    return jnp.where(Y == 1, 0.5 / p, 0.5 / (1 - p))


def select(
    seed: int,
    t: Any,
    Y: jax.Array,
    weights: jax.Array | None = None,
    *,
    left_out: Any = None,
) -> tuple[jax.Array | None, jax.Array | None]:
    """Choose which examples the step at iteration t sees, and with what weight.

    Every training asks this function, alone or among thousands, so that batches, folds and shards
    need no loop of their own. Pure: the same arguments give the same answer, in a traced program.

    Args:
        seed: With t it decides what is drawn at random; a full batch draws nothing.
        t: The iteration, from 0.
        Y: (1, m).
        weights: The weight of each example, (1, m); None if all count alike.
        left_out: The number of one example that is left out, by weight 0; m leaves out none.

    Returns:
        Indices of the examples, or None for all in their order; and their weights, or None.

    Raises:
        DataError: If Y or weights is no row (1, m).
    """
    check_rows(Y, weights)
    del seed, t  # a full batch is the same at every iteration
    if left_out is None:
        return None, weights
    ones = jnp.ones_like(Y) if weights is None else weights
    return None, jnp.where(np.arange(Y.shape[1]) == left_out, 0, ones)
