"""SGD, which is plain gradient descent where every step sees all examples."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import DTypeLike

from jaxnet.defaults import LEARNING_RATE, MOMENTUM
from jaxnet.errors import UsageError, require_number
from jaxnet.network import Params
from jaxnet.stability import require_decay

# The steps of a schedule whose rates are computed together.
STEPS_AT_ONCE = 100_000


class Sgd(optax.GradientTransformationExtraArgs):  # type: ignore[misc]
    """What `sgd` makes: linear in the gradients, so that it can run in the span of the pictures.

    It is pickled by the arguments of `sgd`.
    """

    arguments: tuple[Any, ...]

    def __reduce__(self) -> Any:
        return sgd, self.arguments


def check_optimizer(optimizer: Any) -> None:
    """Raise a UsageError unless `optimizer` is an optimizer of optax, such as `sgd` makes."""
    if not all(callable(getattr(optimizer, name, None)) for name in ("init", "update")):
        name = getattr(optimizer, "__name__", repr(optimizer))
        raise UsageError(
            f"optimizer is {name} of type {type(optimizer).__name__}",
            "an optimizer of optax, or sgd(…)",
            "call what makes it: optax.adam(0.001), say",
        )


def require_stable_decay(
    optimizer: optax.GradientTransformation, weight_decay: float, steps: int | None = None
) -> None:
    """Raise a UsageError if a weight decay overshoots with the learning rate of `sgd`.

    Nothing is known of the steps of another optimizer, or of a traced rate.

    Args:
        optimizer: Any.
        weight_decay: λ.
        steps: Over how many steps the largest rate of a schedule counts; None if that is not known,
            and a schedule is not judged.
    """
    if not weight_decay or not isinstance(optimizer, Sgd):
        return
    rate, momentum, nesterov = optimizer.arguments
    if callable(rate):
        if steps is None:
            return
        rate = _largest_rate(rate, steps)
    if not any(isinstance(number, jax.core.Tracer) for number in (rate, momentum)):
        require_decay(float(weight_decay), float(rate), float(momentum), nesterov)


def _largest_rate(schedule: optax.Schedule, steps: int) -> float:
    block = min(steps, STEPS_AT_ONCE)
    rates = jax.jit(lambda counts: jnp.max(jax.vmap(lambda t: jnp.asarray(schedule(t)))(counts)))
    firsts = range(0, steps, block)
    return max(float(rates(np.minimum(first + np.arange(block), steps - 1))) for first in firsts)


def largest_number(dtype: DTypeLike) -> float:
    """Return the largest finite number of a type."""
    return float(np.finfo(dtype).max)


@functools.lru_cache(maxsize=32)
def _sgd_rule(
    schedule: optax.Schedule | None, nesterov: bool
) -> optax.GradientTransformationExtraArgs:
    return optax.inject_hyperparams(optax.sgd, static_args="nesterov")(
        learning_rate=0.0 if schedule is None else schedule, momentum=0.0, nesterov=nesterov
    )


def sgd(
    learning_rate: float | jax.Array | optax.Schedule = LEARNING_RATE,
    momentum: float | jax.Array = MOMENTUM,
    nesterov: bool = False,
) -> Sgd:
    """Make optax's SGD with its numbers kept in the optimizer's state.

    The update rule is then the same function for every learning rate and momentum, so that
    changing them compiles nothing anew. A learning rate may also be a schedule of optax.

    Raises:
        UsageError: If an argument is of the wrong type, or a number out of its range: 0 or more,
            and 0 to 1 for momentum. From `init`, if a number is infinite in the type of the params.
    """
    schedule = learning_rate if callable(learning_rate) else None
    if schedule is None:
        require_number("learning_rate", learning_rate, 0, math.inf)
    require_number("momentum", momentum, 0, 1)
    if not isinstance(nesterov, bool | np.bool_):
        raise UsageError(f"nesterov is {nesterov!r}", "True or False", "give one as nesterov")
    nesterov = bool(nesterov)
    numbers = {"momentum": momentum} | ({} if schedule else {"learning_rate": learning_rate})
    rule = _sgd_rule(schedule, nesterov)

    def init(params: Params) -> optax.OptState:
        dtype = jnp.result_type(*jax.tree.leaves(params))
        for name, number in numbers.items():
            require_number(name, number, 0, largest_number(dtype))
        leaves = jax.tree.leaves((params, numbers))
        if schedule or any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            traced = {name: jnp.asarray(number, dtype) for name, number in numbers.items()}
            state = rule.init(params)
            return state._replace(hyperparams=state.hyperparams | traced)
        # All is 0 but the numbers: made in NumPy, which compiles nothing.
        shapes = jax.eval_shape(rule.init, params)
        state = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
        given = {name: np.asarray(number, dtype) for name, number in numbers.items()}
        return jax.device_put(state._replace(hyperparams=state.hyperparams | given))

    made = Sgd(init, rule.update)
    made.arguments = (learning_rate, momentum, nesterov)
    return made
