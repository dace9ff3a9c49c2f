"""The outcome of a run, in one definition for training, sweeps, maps, the page and the doctor."""

import functools
import math
from collections.abc import Callable
from typing import Literal, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_arrays, check_rows, check_types, check_untraced, check_values
from jaxnet.errors import DataError
from jaxnet.network import Params, forward

Array = TypeVar("Array", np.ndarray, jax.Array)

Outcome = Literal["not finite", "dead", "plateau", "learning", "diverged", "slow"]

# The failures. A plateau or a slow run is none: more iterations may help it.
FAILED: tuple[Outcome, ...] = ("not finite", "dead", "diverged")


def label_entropy(Y: jax.Array, weights: jax.Array | None = None) -> float:
    """Compute the cost of always predicting the class rate p: −p log p − (1 − p) log(1 − p).

    Raises:
        DataError: If Y or weights is no row (1, m), or a value is out of its range.
        UsageError: If called within `jit`.

    Example:
        >>> round(jaxnet.label_entropy(jnp.array([[0.0, 1.0, 0.0, 0.0]])), 4)
        0.5623
    """
    check_types(check_rows(Y, weights))
    check_values(Y, weights)
    return _entropy(Y, weights)


def _entropy(Y: jax.Array, weights: jax.Array | None) -> float:
    return binary_entropy(float(np.average(Y, weights=weights)))


def entropy_of_labels(labels: np.ndarray, *, balanced: bool) -> float:
    """Compute the label entropy of labels (m,), whose classes count alike if `balanced`."""
    return binary_entropy(0.5 if balanced else float(np.mean(labels)))


def binary_entropy(p: float) -> float:
    """Compute −p log p − (1 − p) log(1 − p)."""
    return -sum(share * math.log(share) for share in (p, 1 - p) if share > 0)


def outcome(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    costs: np.ndarray,
    weights: jax.Array | None = None,
    epoch: int = 1,
) -> Outcome:
    """Determine the outcome of a run from its params and costs (iterations,).

    Args:
        params: W1, b1, W2, b2 after the last update.
        X: (n_x, m).
        Y: (1, m).
        hidden: The activation of the hidden units.
        costs: The cost before each update; of mini-batches, that of each batch.
        weights: The weight of each example, (1, m).
        epoch: The number of iterations of an epoch.

    Returns:
        The first of these that fits, where the late cost is the mean of the last 5 % of the costs,
        and of one epoch at least, so that every picture counts:

        - "not finite": a cost or a parameter is not a finite number.
        - "dead": no hidden unit is active on any training picture; its slope is 0, and with it dW1.
        - "plateau": the late cost is within 1 % of the label entropy, the cost of always predicting
          the class rate.
        - "learning": it is below the label entropy; where all labels are of one class, whose
          entropy is 0, below the first cost.
        - "diverged": it is above the label entropy and above the first cost.
        - "slow": it is above the label entropy, but not above the first cost.

        A picture of weight 0 is no training picture.

    Raises:
        DataError: If the arrays do not fit together, or a value is out of its range.
        UsageError: If `hidden` is no Activation, or it is called within `jit`.
    """
    check_arrays(params, X, Y, weights, hidden=hidden)
    check_untraced(params, X, costs)
    check_values(Y, weights)
    if not isinstance(costs, jax.Array | np.ndarray) or costs.ndim != 1 or not costs.size:
        raise DataError(
            f"costs is of type {type(costs).__name__} and of shape {np.shape(costs)}",
            "an array (iterations,) of one cost or more",
            "give the costs of a Fit or a Run",
        )
    return judge_one(
        params, costs, lambda: any_active(params, X, hidden, weights), _entropy(Y, weights), epoch
    )


def judge_one(
    params: Params,
    costs: np.ndarray,
    is_any_active: Callable[[], bool],
    entropy: float,
    epoch: int,
) -> Outcome:
    """Determine the outcome of one run; its activity is asked for where all numbers are finite."""
    finite = all(np.isfinite(np.asarray(numbers)).all() for numbers in (costs, *params.values()))
    active = finite and is_any_active()
    result: Outcome = str(judge(finite, active, costs[0], late_cost(costs, epoch), entropy))  # type: ignore[assignment]
    return result


def any_active(
    params: Params, X: jax.Array, hidden: Activation = relu, weights: jax.Array | None = None
) -> bool:
    """Compute whether any hidden unit has a slope other than 0 on a picture of weight above 0."""
    active = np.asarray(slopes(params, X, hidden)) != 0  # (n_h, m)
    return bool(np.any(active if weights is None else active & (np.asarray(weights) > 0)))


@functools.partial(jax.jit, static_argnames="hidden")
def slopes(params: Params, X: jax.Array, hidden: Activation) -> jax.Array:
    """Compute the slope of every hidden unit on every example, (n_h, m)."""
    return hidden.slope(forward(params, X, hidden).Z1)


def is_active(Z1: jax.Array, hidden: Activation, weights: jax.Array | None) -> jax.Array:
    """Compute from Z1 (n_h, m) what `any_active` computes."""
    active = hidden.slope(Z1) != 0  # (n_h, m)
    return jnp.any(active if weights is None else active & (weights > 0))


def late_cost(costs: Array, epoch: int = 1) -> Array:
    """Compute the mean of the last 5 % of costs (…, iterations), and of one epoch at least."""
    # As a distance from the first cost, so that rounding cannot lift the mean of equal costs above
    # it, which would be "diverged".
    first = costs[..., :1]
    late = costs[..., -max(math.ceil(costs.shape[-1] / 20), epoch) :]
    # Divided before they are added, since a sum of finite costs may overflow.
    return (first + ((late - first) / late.shape[-1]).sum(axis=-1, keepdims=True))[..., 0]


def late_cost_until(made: jax.Array, costs: jax.Array, epoch: int) -> jax.Array:
    """Compute `late_cost` of the first `made` costs of (iterations,), where `made` is traced."""
    count = jnp.minimum(jnp.maximum((made + 19) // 20, epoch), made)
    t = jnp.arange(costs.size)
    distances = jnp.where((t >= made - count) & (t < made), costs - costs[0], 0)
    return costs[0] + jnp.sum(distances / count.astype(costs.dtype))


def judge(
    finite: ArrayLike,
    active: ArrayLike,
    first_cost: ArrayLike,
    late_cost: ArrayLike,
    entropy: float | np.ndarray,
) -> np.ndarray:
    """Determine the outcome of each of many runs, as `outcome` defines it."""
    first, late, entropy = (np.asarray(cost, float) for cost in (first_cost, late_cost, entropy))
    one_class = entropy == 0
    conditions: dict[Outcome, np.ndarray] = {
        "not finite": np.logical_not(finite),
        "dead": np.logical_not(active),
        "plateau": ~one_class & (np.abs(late - entropy) <= 0.01 * entropy),
        "learning": np.where(one_class, late < first, late < entropy),
        "diverged": late > first,
    }
    return np.select(list(conditions.values()), list(conditions), "slow")
