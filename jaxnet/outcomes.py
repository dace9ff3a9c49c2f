"""How a run ended, in one definition for training, sweeps and maps."""

import functools
import math
from typing import Literal, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxnet.activations import Activation, relu
from jaxnet.network import Params, forward

Array = TypeVar("Array", np.ndarray, jax.Array)

Outcome = Literal["not finite", "dead", "diverged", "plateau", "learning"]

# Those of a run in which something went wrong.
FAILED: tuple[Outcome, ...] = ("not finite", "dead", "diverged")


def label_entropy(Y: jax.Array, weights: jax.Array | None = None) -> float:
    """Compute the cost of always predicting the class rate p: −p log p − (1 − p) log(1 − p)."""
    p = float(np.average(Y, weights=weights))
    return -sum(share * math.log(share) for share in (p, 1 - p) if share > 0)


def outcome(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    costs: np.ndarray,
    weights: jax.Array | None = None,
) -> Outcome:
    """Say how a run ended, by its params and its costs (iterations,); the first that fits counts.

    Returns:
        "not finite": a cost or a parameter is not a finite number.
        "dead": no hidden unit is active on any training picture; its slope is 0, and with it dW1.
        "plateau": the mean cost of the last 5 % is within 1 % of the label entropy, the cost of
            always predicting the class rate.
        "diverged": it is above the label entropy (as every cost is where the labels are all one).
        "learning": it is below.
    """
    finite = all(np.isfinite(np.asarray(numbers)).all() for numbers in (costs, *params.values()))
    active = finite and any_active(params, X, hidden)
    how: Outcome = str(judge(finite, active, late_cost(costs), label_entropy(Y, weights)))  # type: ignore[assignment]
    return how


@functools.partial(jax.jit, static_argnames="hidden")
def any_active(params: Params, X: jax.Array, hidden: Activation = relu) -> jax.Array:
    """Say whether any hidden unit has a slope, other than 0, on any picture."""
    return jnp.any(hidden.slope(forward(params, X, hidden).Z1))


def late_cost(costs: Array) -> Array:
    """Compute the mean of the last 5 % of costs (…, iterations)."""
    return costs[..., -math.ceil(costs.shape[-1] / 20) :].mean(axis=-1)


def judge(
    finite: ArrayLike, active: ArrayLike, late_cost: ArrayLike, entropy: float | np.ndarray
) -> np.ndarray:
    """Name the outcome of each of many runs, as `outcome` explains it."""
    conditions = {
        "not finite": np.logical_not(finite),
        "dead": np.logical_not(active),
        "plateau": np.abs(np.asarray(late_cost) - entropy) <= 0.01 * entropy,
        "diverged": np.asarray(late_cost) > entropy,
    }
    return np.select(list(conditions.values()), list(conditions), "learning")
