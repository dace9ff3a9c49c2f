"""SGD, which is plain gradient descent where every step sees all examples."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxnet.errors import require_number
from jaxnet.network import Params

LEARNING_RATE = 0.0075
NO_MOMENTUM = 0.0


class Sgd(optax.GradientTransformationExtraArgs):  # type: ignore[misc]
    """What `sgd` makes: linear in the gradients, so that it can run in the span of the pictures."""


@functools.lru_cache(maxsize=32)
def _sgd_rule(
    schedule: optax.Schedule | None, nesterov: bool
) -> optax.GradientTransformationExtraArgs:
    return optax.inject_hyperparams(optax.sgd, static_args="nesterov")(
        learning_rate=0.0 if schedule is None else schedule, momentum=0.0, nesterov=nesterov
    )


def sgd(
    learning_rate: float | jax.Array | optax.Schedule = LEARNING_RATE,
    momentum: float | jax.Array = NO_MOMENTUM,
    nesterov: bool = False,
) -> Sgd:
    """Make optax's SGD with its numbers kept in the optimizer's state.

    The update rule is then the same function for every learning rate and momentum, so that
    changing them compiles nothing anew. A learning rate may also be a schedule of optax.

    Raises:
        UsageError: If a number is out of its range: 0 or more, and 0 to 1 for momentum.
    """
    require_number("learning_rate", learning_rate, 0, float(np.finfo(np.float64).max))
    require_number("momentum", momentum, 0, 1)
    schedule = learning_rate if callable(learning_rate) else None
    numbers = (
        {"momentum": momentum}
        if schedule
        else {"learning_rate": learning_rate, "momentum": momentum}
    )
    rule = _sgd_rule(schedule, nesterov)

    def init(params: Params) -> optax.OptState:
        state = rule.init(params)
        dtype = jnp.result_type(*jax.tree.leaves(params))
        given = {name: jnp.asarray(number, dtype) for name, number in numbers.items()}
        return state._replace(hyperparams=state.hyperparams | given)

    return Sgd(init, rule.update)
