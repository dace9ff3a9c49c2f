"""Gradient descent: one jitted update, and `fit`, which repeats it."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_inputs, check_targets
from jaxnet.devices import jit_loop
from jaxnet.errors import DivergenceError, UsageError, require_choice, require_number
from jaxnet.network import Params, loss
from jaxnet.optimizer import LEARNING_RATE, NO_MOMENTUM, Sgd, sgd
from jaxnet.outcomes import Outcome, outcome
from jaxnet.span import Span, enter_span, leave_span, span_cost_and_gradients

# The longest chunk: the program that is compiled once holds room for so many costs.
LONGEST_CHUNK = 1000

# Room is made for as many costs; more would take days.
MOST_ITERATIONS = 100_000_000

Basis = Literal["auto", "pixels", "span"]

# (params, inputs, Y, hidden, weights) -> (cost, gradients)
CostAndGradients = Callable[..., tuple[jax.Array, Params]]


class TrainState(NamedTuple):
    """All that an update changes: the parameters and the optimizer's memory."""

    params: Params
    opt_state: optax.OptState


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
        costs: The cost before each update so far, (iterations,).
        W1: In the span, the first weights (n_h, n_x), to which `state.params["C"]` adds; else None.
        span: In the span, what stays fixed in it; in pixels None.
    """

    state: TrainState
    rule: optax.TransformUpdateExtraArgsFn
    X: jax.Array
    costs: np.ndarray
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
    check_inputs(params, X)
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
    no_costs = np.empty(0, X.dtype)
    if basis == "pixels" or (basis == "auto" and not (isinstance(optimizer, Sgd) and m <= n_x)):
        return Descent(TrainState(params, optimizer.init(params)), rule, X, no_costs)
    coefficients, span = enter_span(params, X)
    state = TrainState(coefficients, optimizer.init(coefficients))
    return Descent(state, rule, X, no_costs, params["W1"], span)


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """What training has reached.

    Attributes:
        descent: The point that is reached; training can go on from there.
        costs: The cost before each update, (iterations,). Those of the descent are the same, unless
            the run ended "not finite": then it is a step or two back, where all was finite.
        outcome: How the run ended; None while it goes on.
    """

    descent: Descent
    costs: np.ndarray
    outcome: Outcome | None

    @property
    def params(self) -> Params:
        """The parameters after the last update: W1, b1, W2, b2."""
        return self.descent.params


def _run_chunk(
    state: TrainState,
    count: int,
    inputs: jax.Array | Span,
    Y: jax.Array,
    weights: jax.Array | None,
    *,
    rule: optax.TransformUpdateExtraArgsFn,
    cost_and_gradients: CostAndGradients,
    hidden: Activation,
) -> tuple[jax.Array, TrainState, jax.Array, jax.Array]:
    """Make up to `count` updates; stop at the first cost or parameter that is not finite.

    Returns:
        How many updates were made, the state after them, the costs (LONGEST_CHUNK,), and whether
        all was finite.
    """

    def goes_on(carry: Any) -> jax.Array:
        done, _, _, finite = carry
        return (done < count) & finite

    def step(carry: Any) -> Any:
        done, state, costs, _ = carry
        state, cost = _update(rule, cost_and_gradients, hidden, state, inputs, Y, weights)
        # A sum is finite only if every term is; it costs one pass less than asking each of them.
        total = cost + sum(jnp.sum(leaf) for leaf in state.params.values())
        return done + 1, state, costs.at[done].set(cost), jnp.isfinite(total)

    start = (jnp.array(0), state, jnp.zeros(LONGEST_CHUNK, Y.dtype), jnp.array(True))
    return lax.while_loop(goes_on, step, start)


_chunk_program = functools.partial(jit_loop, _run_chunk, "rule", "cost_and_gradients", "hidden")


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
        iterations: How many updates to have made in all, with those before `descent`.
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
    require_number("iterations", iterations, len(descent.costs) + 1, MOST_ITERATIONS)
    require_number("chunk", chunk, 1, LONGEST_CHUNK)
    in_span = descent.span is not None
    run = functools.partial(
        _chunk_program(small_products=in_span),
        inputs=descent.span if in_span else descent.X,
        Y=Y,
        weights=weights,
        rule=descent.rule,
        cost_and_gradients=span_cost_and_gradients if in_span else pixel_cost_and_gradients,
        hidden=hidden,
    )
    t = len(descent.costs)
    costs = np.concatenate([descent.costs, np.empty(iterations - t, Y.dtype)])
    state, ended = descent.state, False
    begin = (t, state)
    while not ended:
        before, begin = begin, (t, state)
        done, state, chunk_costs, finite = run(state, min(chunk, iterations - t))
        t += int(done)
        costs[begin[0] : t] = np.asarray(chunk_costs)[: t - begin[0]]
        ended = t == iterations or not finite
        good = t
        if not finite:
            # The same steps give the same bits: so the last state whose parameters and cost are
            # finite is reached once more, from where this chunk began, or the one before it.
            good = t - 1 if np.isfinite(costs[t - 1]) else t - 2
            first, state = begin if good >= begin[0] else before
            good = max(good, first)
            _, state, _, _ = run(state, good - first)
        here = dataclasses.replace(descent, state=state, costs=costs[:good])
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
