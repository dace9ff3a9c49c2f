"""Gradient descent: one jitted update, and `fit`, which repeats it."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.typing import ArrayLike

from jaxnet.activations import Activation, relu
from jaxnet.data.dataset import check_labels
from jaxnet.errors import DataError, DivergenceError, UsageError, require_choice, require_number
from jaxnet.network import Params, check_params, check_row, forward, loss
from jaxnet.span import Span, enter_span, leave_span, span_cost_and_gradients

LEARNING_RATE = 0.0075
NO_MOMENTUM = 0.0

# The longest chunk: the program that is compiled once holds room for so many costs.
LONGEST_CHUNK = 1000

# Room is made for as many costs; more would take days.
MOST_ITERATIONS = 100_000_000

Array = TypeVar("Array", np.ndarray, jax.Array)

Basis = Literal["auto", "pixels", "span"]

# (params, inputs, Y, hidden, weights) -> (cost, gradients)
CostAndGradients = Callable[..., tuple[jax.Array, Params]]

Outcome = Literal["not finite", "dead", "diverged", "plateau", "learning"]


class TrainState(NamedTuple):
    """All that an update changes: the parameters and the optimizer's memory."""

    params: Params
    opt_state: optax.OptState


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


# Cached, so that the same optimizer gives the same rule, for which nothing is compiled twice.
_with_extra_args = functools.lru_cache(maxsize=32)(optax.with_extra_args_support)


pixel_cost_and_gradients = jax.value_and_grad(loss)


def _update(
    rule: optax.TransformUpdateExtraArgsFn,
    cost_and_gradients: CostAndGradients,
    hidden: Activation,
    state: TrainState,
    inputs: jax.Array | Span,
    Y: jax.Array,
    weights: jax.Array | None = None,
) -> tuple[TrainState, jax.Array]:
    def cost_of(params: Params) -> jax.Array:
        return cost_and_gradients(params, inputs, Y, hidden, weights)[0]

    cost, gradients = cost_and_gradients(state.params, inputs, Y, hidden, weights)
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
    rule = _with_extra_args(optimizer).update
    return jax.jit(functools.partial(_update, rule, pixel_cost_and_gradients, hidden))


@dataclasses.dataclass(frozen=True, eq=False)
class Descent:
    """A gradient descent at some point of its way, with all that is needed to go on.

    Attributes:
        state: The parameters and the optimizer's memory, in its basis.
        rule: The optimizer's update rule.
        X: The training pictures, (n_x, m).
        W1: In the span, the first weights (n_h, n_x), to which `state.params["C"]` adds; else None.
        span: In the span, what stays fixed in it; in pixels None.
    """

    state: TrainState
    rule: optax.TransformUpdateExtraArgsFn
    X: jax.Array
    W1: jax.Array | None = None
    span: Span | None = None

    @functools.cached_property
    def params(self) -> Params:
        """The parameters in pixels: W1, b1, W2, b2."""
        if self.W1 is None:
            return self.state.params
        return leave_span(self.state.params, self.W1, self.X)


def start_descent(
    params: Params,
    X: jax.Array,
    optimizer: optax.GradientTransformation | None = None,
    basis: Basis = "auto",
) -> Descent:
    """Prepare a gradient descent from `params`.

    Args:
        params: Where to start from, as `init_params` draws them.
        X: (n_x, m).
        optimizer: Any optimizer of optax; by default `sgd()`.
        basis: What the first layer's weights are written in: "pixels", "span" (the coefficients of
            the pictures, see `jaxnet.span`; the same steps, many times faster), or "auto": the span
            if the optimizer is `sgd(…)` and there are no more pictures than features.

    Raises:
        DataError: If the shapes or the precisions do not fit together.
        UsageError: If another optimizer than `sgd(…)` is to run in the span.
    """
    optimizer = sgd() if optimizer is None else optimizer
    _check_inputs(params, X)
    require_choice("basis", basis, get_args(Basis))
    if basis == "span" and not isinstance(optimizer, Sgd):
        raise UsageError(
            "the basis is the span, and the optimizer is not jaxnet's sgd(…)",
            "an update that is linear in the gradients: Adam and its like scale each weight by "
            "itself, and so leave the span of the pictures",
            'take sgd(…), with momentum or a schedule if you like, or basis="pixels"',
        )
    rule = _with_extra_args(optimizer).update
    n_x, m = X.shape
    if basis == "pixels" or (basis == "auto" and not (isinstance(optimizer, Sgd) and m <= n_x)):
        return Descent(TrainState(params, optimizer.init(params)), rule, X)
    coefficients, span = enter_span(params, X)
    state = TrainState(coefficients, optimizer.init(coefficients))
    return Descent(state, rule, X, params["W1"], span)


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """What training has reached.

    Attributes:
        descent: The point that is reached; training can go on from there.
        costs: The cost before each update so far, (iterations,).
        outcome: How the run ended; None while it goes on.
    """

    descent: Descent
    costs: np.ndarray
    outcome: Outcome | None

    @property
    def params(self) -> Params:
        """The parameters after the last update: W1, b1, W2, b2."""
        return self.descent.params


@functools.partial(jax.jit, static_argnames=("rule", "cost_and_gradients", "hidden"))
def _run_chunk(
    state: TrainState,
    good: TrainState,
    count: int,
    inputs: jax.Array | Span,
    Y: jax.Array,
    weights: jax.Array | None,
    *,
    rule: optax.TransformUpdateExtraArgsFn,
    cost_and_gradients: CostAndGradients,
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
        new, cost = _update(rule, cost_and_gradients, hidden, state, inputs, Y, weights)
        good = jax.tree.map(functools.partial(jnp.where, jnp.isfinite(cost)), state, good)
        # A sum is finite only if every term is; it costs one pass less than asking each of them.
        total = cost + sum(jnp.sum(leaf) for leaf in new.params.values())
        return done + 1, new, good, costs.at[done].set(cost), jnp.isfinite(total)

    costs = jnp.zeros(LONGEST_CHUNK, Y.dtype)
    start = (jnp.array(0), state, good, costs, jnp.array(True))
    return lax.while_loop(goes_on, step, start)


def fit_in_chunks(
    descent: Descent,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    iterations: int = 2500,
    weights: jax.Array | None = None,
    chunk: int = 100,
) -> Iterator[Fit]:
    """Train, and stop to tell after every `chunk` iterations.

    Progress bars, checkpoints and interruptions are loops over this generator. How the iterations
    are cut into chunks changes no bit of the result, nor does going on from a `Fit`'s descent.

    Args:
        descent: Where to start from: `start_descent(params, X)`, or the descent of an earlier Fit.
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        iterations: How many updates to make.
        weights: The weight of each example, (1, m).
        chunk: How many updates between two yields, 1 to LONGEST_CHUNK.

    Yields:
        The `Fit` so far. The last has an outcome; if it is "not finite", training stopped at that
        iteration, and the descent is at the last point whose parameters and cost were finite.

    Raises:
        DataError: If the shapes or the precisions do not fit together.
        UsageError: If `iterations` or `chunk` is out of its range.
    """
    check_targets(descent.X, Y, weights)
    require_number("iterations", iterations, 1, MOST_ITERATIONS)
    require_number("chunk", chunk, 1, LONGEST_CHUNK)
    in_span = descent.span is not None
    run = functools.partial(
        _run_chunk,
        inputs=descent.span if in_span else descent.X,
        Y=Y,
        weights=weights,
        rule=descent.rule,
        cost_and_gradients=span_cost_and_gradients if in_span else pixel_cost_and_gradients,
        hidden=hidden,
    )
    costs = np.empty(iterations, Y.dtype)
    state = good = descent.state
    t, ended = 0, False
    while not ended:
        done, state, good, chunk_costs, finite = run(state, good, min(chunk, iterations - t))
        before, t = t, t + int(done)
        costs[before:t] = np.asarray(chunk_costs)[: t - before]
        ended = t == iterations or not finite
        here = dataclasses.replace(descent, state=state if finite else good)
        how: Outcome | None = None
        if ended:
            X = descent.X
            how = "not finite"
            if finite:
                how = outcome(here.params, X, Y, hidden, costs=costs, weights=weights)
        yield Fit(here, costs[:t], how)


def fit(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    learning_rate: float | jax.Array | optax.Schedule = LEARNING_RATE,
    momentum: float | jax.Array = NO_MOMENTUM,
    nesterov: bool = False,
    iterations: int = 2500,
    optimizer: optax.GradientTransformation | None = None,
    weights: jax.Array | None = None,
    basis: Basis = "auto",
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
        basis: "pixels", "span" or "auto", as `start_descent` explains; it changes the time it
            takes, and nothing else beyond rounding.

    Raises:
        DataError: If the shapes or the precisions do not fit together.
        UsageError: If a setting is out of its range, or `optimizer` is given beside the settings
            that it replaces.
        DivergenceError: If a cost or a parameter is not finite; its `fit` has the last good state.
    """
    if optimizer is None:
        optimizer = sgd(learning_rate, momentum, nesterov)
    elif learning_rate is not LEARNING_RATE or momentum is not NO_MOMENTUM or nesterov:
        # By identity: a rate that is given counts as given even if it is 0.0075.
        raise UsageError(
            "both an optimizer and a learning rate, momentum or nesterov are given",
            "one or the other",
            "set the rate inside the optimizer, for example optax.adam(1e-3)",
        )
    descent = start_descent(params, X, optimizer, basis)
    *_, last = fit_in_chunks(
        descent, Y, hidden, iterations=iterations, weights=weights, chunk=LONGEST_CHUNK
    )
    if last.outcome == "not finite":
        raise DivergenceError(
            f"the cost or a parameter is not finite at iteration {len(last.costs) - 1}",
            "finite numbers",
            "take a smaller learning rate, or inputs on a smaller scale"
            if np.isfinite(last.costs[0])
            else "look for NaN and infinity in X and params: the first cost is already one",
            last,
        )
    return last


def label_entropy(Y: jax.Array, weights: jax.Array | None = None) -> float:
    """Compute the cost of always predicting the class rate p: −p log p − (1 − p) log(1 − p)."""
    p = float(np.average(Y, weights=weights))
    return -sum(share * math.log(share) for share in (p, 1 - p) if share > 0)


def balancing_weights(Y: jax.Array) -> jax.Array:
    """Weigh each example by m / (2 × the size of its class), so that both classes count alike."""
    p = jnp.mean(Y)
    return jnp.where(Y == 1, 0.5 / p, 0.5 / (1 - p))


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
    active = finite and jnp.any(hidden.slope(forward(params, X, hidden).Z1))
    how: Outcome = str(judge(finite, active, late_cost(costs), label_entropy(Y, weights)))  # type: ignore[assignment]
    return how


def late_cost(costs: Array) -> Array:
    """Compute the mean of the last 5 % of costs (…, iterations)."""
    return costs[..., -math.ceil(costs.shape[-1] / 20) :].mean(axis=-1)


def judge(finite: ArrayLike, active: ArrayLike, late_cost: ArrayLike, entropy: float) -> np.ndarray:
    """Name the outcome of each of many runs, as `outcome` explains it."""
    conditions = {
        "not finite": np.logical_not(finite),
        "dead": np.logical_not(active),
        "plateau": np.abs(np.asarray(late_cost) - entropy) <= 0.01 * entropy,
        "diverged": np.asarray(late_cost) > entropy,
    }
    return np.select(list(conditions.values()), list(conditions), "learning")


def _check_inputs(params: Params, X: jax.Array) -> None:
    """Raise a DataError unless params and X fit together in shape and precision."""
    check_params(params)
    n_x = params["W1"].shape[1]
    if X.ndim != 2 or len(X) != n_x:
        raise DataError(
            f"X has shape {X.shape} for W1 {params['W1'].shape}",
            f"({n_x}, m): one example is one column",
            "transpose it: X.T" if X.shape[1:] == (n_x,) else "make it by to_columns",
        )
    dtypes = {str(array.dtype) for array in (*params.values(), X)}
    if len(dtypes) > 1 or not dtypes <= {"float32", "float64"}:
        raise DataError(
            f"params and X are of the types {', '.join(sorted(dtypes))}",
            "float32 or float64, the same for all",
            "give the same dtype to init_params and to_columns",
        )


def check_targets(X: jax.Array, Y: jax.Array, weights: jax.Array | None) -> None:
    """Raise a DataError unless Y and weights fit X in shape, precision and range."""
    rows = {"Y": Y} if weights is None else {"Y": Y, "weights": weights}
    for name, row in rows.items():
        check_row(name, row, X.shape[1])
        if row.dtype != X.dtype:
            raise DataError(
                f"{name} is of type {row.dtype}, X of type {X.dtype}",
                "one type for all",
                f"make Y by to_row(labels, dtype=X.dtype), or {name}.astype(X.dtype)",
            )
    check_labels(np.asarray(Y), Y.size, "Y")
    if weights is not None and not (np.min(weights) >= 0 and 0 < np.sum(weights) < np.inf):
        raise DataError(
            f"weights run from {np.min(weights)} to {np.max(weights)}",
            "finite numbers, 0 or more, not all of them 0",
            "give such weights, or none",
        )
