"""Gradient descent: one jitted update, and `fit`, which repeats it."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from jaxnet.activations import Activation, relu
from jaxnet.errors import DataError, DivergenceError, UsageError
from jaxnet.network import Params, forward, loss

# The longest chunk: the program that is compiled once holds room for so many costs.
LONGEST_CHUNK = 1000

Outcome = Literal["not finite", "dead", "diverged", "plateau", "learning"]


class TrainState(NamedTuple):
    """All that an update changes: the parameters and the optimizer's memory."""

    params: Params
    opt_state: optax.OptState


@dataclasses.dataclass(frozen=True)
class Fit:
    """What training has reached.

    Attributes:
        params: The parameters after the last update.
        costs: The cost before each update so far, (iterations,).
        outcome: How the run ended; None while it goes on.
        opt_state: The optimizer's memory, to go on from.
    """

    params: Params
    costs: np.ndarray
    outcome: Outcome | None
    opt_state: optax.OptState


@functools.lru_cache(maxsize=32)
def _sgd_rule(
    schedule: optax.Schedule | None, nesterov: bool
) -> optax.GradientTransformationExtraArgs:
    return optax.inject_hyperparams(optax.sgd, static_args="nesterov")(
        learning_rate=0.0 if schedule is None else schedule, momentum=0.0, nesterov=nesterov
    )


def sgd(
    learning_rate: float | jax.Array | optax.Schedule = 0.0075,
    momentum: float | jax.Array = 0.0,
    nesterov: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Make optax's SGD with its numbers kept in the optimizer's state.

    The update rule is then the same function for every learning rate and momentum, so that
    changing them compiles nothing anew. A learning rate may also be a schedule of optax.
    """
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

    return optax.GradientTransformationExtraArgs(init, rule.update)


# Cached, so that the same optimizer gives the same rule, for which nothing is compiled twice.
_with_extra_args = functools.lru_cache(maxsize=32)(optax.with_extra_args_support)


def _update(
    rule: optax.TransformUpdateExtraArgsFn,
    hidden: Activation,
    state: TrainState,
    X: jax.Array,
    Y: jax.Array,
    weights: jax.Array | None = None,
) -> tuple[TrainState, jax.Array]:
    cost_of = functools.partial(loss, X=X, Y=Y, hidden=hidden, weights=weights)
    cost, gradients = jax.value_and_grad(cost_of)(state.params)
    # The cost and its function are for the optimizers that search along a line, such as L-BFGS.
    steps, opt_state = rule(
        gradients, state.opt_state, state.params, value=cost, grad=gradients, value_fn=cost_of
    )
    return TrainState(optax.apply_updates(state.params, steps), opt_state), cost


def make_update(
    optimizer: optax.GradientTransformation, hidden: Activation = relu
) -> Callable[..., tuple[TrainState, jax.Array]]:
    """Make the jitted step `update(state, X, Y, weights=None) -> (state, cost)`.

    It takes the gradient of `loss` by `jax.grad` and applies it by the optimizer; for SGD that is
    params − α · gradient. `cost` is the cost before the step. It starts from
    `TrainState(params, optimizer.init(params))`.
    """
    return jax.jit(functools.partial(_update, _with_extra_args(optimizer).update, hidden))


@functools.partial(jax.jit, static_argnames=("rule", "hidden"))
def _run_chunk(
    state: TrainState,
    good: TrainState,
    count: int,
    X: jax.Array,
    Y: jax.Array,
    weights: jax.Array | None,
    *,
    rule: optax.TransformUpdateExtraArgsFn,
    hidden: Activation,
) -> tuple[jax.Array, TrainState, TrainState, jax.Array, jax.Array]:
    """Make up to `count` updates; stop at the first cost or parameter that is not finite.

    `good` is the last state before `state` whose parameters and cost are finite.

    Returns:
        How many updates were made, the state after them, the last good state before it, the costs
        (LONGEST_CHUNK,), and whether all was finite.
    """

    def goes_on(carry: Any) -> jax.Array:
        done, _, _, _, finite = carry
        return (done < count) & finite

    def step(carry: Any) -> Any:
        done, state, good, costs, _ = carry
        new, cost = _update(rule, hidden, state, X, Y, weights)
        good = jax.tree.map(functools.partial(jnp.where, jnp.isfinite(cost)), state, good)
        # A sum is finite only if every term is; it costs one pass less than asking each of them.
        total = cost + sum(jnp.sum(leaf) for leaf in new.params.values())
        return done + 1, new, good, costs.at[done].set(cost), jnp.isfinite(total)

    costs = jnp.zeros(LONGEST_CHUNK, Y.dtype)
    start = (jnp.array(0), state, good, costs, jnp.array(True))
    return lax.while_loop(goes_on, step, start)


def fit_in_chunks(
    state: TrainState,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    optimizer: optax.GradientTransformation,
    iterations: int = 2500,
    weights: jax.Array | None = None,
    chunk: int = 100,
) -> Iterator[Fit]:
    """Train, and stop to tell after every `chunk` iterations.

    Progress bars, checkpoints and interruptions are loops over this generator. How the iterations
    are cut into chunks changes no bit of the result.

    Args:
        state: Where to start from: `TrainState(params, optimizer.init(params))`.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        optimizer: Any optimizer of optax, or `sgd(…)`.
        iterations: How many updates to make.
        weights: The weight of each example, (1, m).
        chunk: How many updates between two yields, 1 to LONGEST_CHUNK.

    Yields:
        The `Fit` so far. The last has an outcome; if it is "not finite", training stopped at that
        iteration, and its params and opt_state are the last whose parameters and cost were finite.

    Raises:
        DataError: If the shapes or the precisions do not fit together.
        UsageError: If `iterations` or `chunk` is out of its range.
    """
    _check_fit(state.params, X, Y, weights)
    if iterations < 1 or not 1 <= chunk <= LONGEST_CHUNK:
        raise UsageError(
            f"iterations is {iterations}, chunk {chunk}",
            f"at least 1 iteration, in chunks of 1 to {LONGEST_CHUNK}",
            "give numbers in these ranges",
        )
    rule = _with_extra_args(optimizer).update
    costs = np.empty(iterations, Y.dtype)
    t, ended, good = 0, False, state
    while not ended:
        done, state, good, chunk_costs, finite = _run_chunk(
            state, good, min(chunk, iterations - t), X, Y, weights, rule=rule, hidden=hidden
        )
        before, t = t, t + int(done)
        costs[before:t] = np.asarray(chunk_costs)[: t - before]
        ended = t == iterations or not finite
        params, opt_state = state if finite else good
        how: Outcome | None = None
        if ended:
            how = outcome(params, X, Y, costs, hidden, weights) if finite else "not finite"
        yield Fit(params, costs[:t], how, opt_state)


def fit(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    learning_rate: float | jax.Array | optax.Schedule = 0.0075,
    momentum: float | jax.Array = 0.0,
    nesterov: bool = False,
    iterations: int = 2500,
    optimizer: optax.GradientTransformation | None = None,
    weights: jax.Array | None = None,
) -> Fit:
    """Train a network by full-batch gradient descent (the article: "rinse and repeat").

    Args:
        params: Where to start from, as `init_params` draws them.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        learning_rate: α, or a schedule of optax.
        momentum: The share of the last step that is made again, 0 to 1.
        nesterov: Whether the momentum looks ahead.
        iterations: How many updates to make.
        optimizer: Any optimizer of optax, in place of the three numbers above.
        weights: The weight of each example, (1, m).

    Raises:
        DataError: If the shapes or the precisions do not fit together.
        UsageError: If a setting is out of its range, or `optimizer` is given beside the settings
            that it replaces.
        DivergenceError: If a cost or a parameter is not finite; its `fit` has the last good state.
    """
    if optimizer is None:
        optimizer = sgd(learning_rate, momentum, nesterov)
    elif (learning_rate, momentum, nesterov) != (0.0075, 0.0, False):
        raise UsageError(
            "both an optimizer and a learning rate, momentum or nesterov are given",
            "one or the other",
            "set the rate inside the optimizer, for example optax.adam(1e-3)",
        )
    state = TrainState(params, optimizer.init(params))
    *_, last = fit_in_chunks(
        state, X, Y, hidden, optimizer=optimizer, iterations=iterations, weights=weights
    )
    if last.outcome == "not finite":
        raise DivergenceError(
            f"the cost or a parameter stopped being finite at iteration {len(last.costs) - 1}",
            "finite numbers",
            "take a smaller learning rate, or inputs on a smaller scale",
            last,
        )
    return last


def label_entropy(Y: jax.Array, weights: jax.Array | None = None) -> float:
    """Compute the cost of always predicting the class rate p: −p log p − (1 − p) log(1 − p)."""
    p = float(np.average(Y, weights=weights))
    return -sum(share * math.log(share) for share in (p, 1 - p) if share > 0)


def outcome(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    costs: np.ndarray,
    hidden: Activation = relu,
    weights: jax.Array | None = None,
) -> Outcome:
    """Say how a run ended.

    Returns:
        "not finite": a cost or a parameter is not a finite number.
        "dead": no hidden unit is active on any training picture; its slope is 0, and with it dW1.
        "diverged": the mean cost of the last 5 % lies above the label entropy, which predicting
            the class rate alone would reach.
        "plateau": it lies within 1 % of the label entropy.
        "learning": none of these.
    """
    if not all(np.isfinite(np.asarray(numbers)).all() for numbers in (costs, *params.values())):
        return "not finite"
    if not jnp.any(hidden.slope(forward(params, X, hidden).Z1)):
        return "dead"
    recent = float(np.mean(costs[-math.ceil(len(costs) / 20) :]))
    entropy = label_entropy(Y, weights)
    if abs(recent - entropy) <= 0.01 * entropy:
        return "plateau"
    return "diverged" if recent > entropy else "learning"


def _check_fit(params: Params, X: jax.Array, Y: jax.Array, weights: jax.Array | None) -> None:
    """Raise a DataError unless params, X, Y and weights fit together in shape and precision."""
    n_x, m = params["W1"].shape[1], Y.size
    if X.shape != (n_x, m):
        raise DataError(
            f"X has shape {X.shape} for W1 {params['W1'].shape} and {m} labels",
            f"({n_x}, {m}): one example is one column",
            "transpose it: X.T" if X.shape == (m, n_x) else "make X by to_columns, Y by to_row",
        )
    for name, row in {"Y": Y, "weights": weights}.items():
        if row is not None and row.shape != (1, m):
            raise DataError(
                f"{name} has shape {row.shape}", f"(1, {m}), a row", f"{name}.reshape(1, -1)"
            )
    dtypes = {str(array.dtype) for array in (*params.values(), X, Y)}
    if len(dtypes) > 1 or not dtypes <= {"float32", "float64"}:
        raise DataError(
            f"params, X and Y are of the types {', '.join(sorted(dtypes))}",
            "float32 or float64, the same for all",
            "give the same dtype to init_params, to_columns and to_row",
        )
