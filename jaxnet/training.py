"""Gradient descent: one jitted update, and `fit`, which repeats it."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from jaxnet.activations import Activation, relu
from jaxnet.arrays import (
    check_activation,
    check_arrays,
    check_rows,
    check_types,
    check_untraced,
    check_values,
)
from jaxnet.batches import draw_batches
from jaxnet.defaults import BASES, LARGEST_SEED, LEARNING_RATE, MOMENTUM, MOST_ITERATIONS
from jaxnet.devices import PickledOnHost, jit_loop
from jaxnet.epochs import count_iterations, steps_an_epoch
from jaxnet.errors import DivergenceError, UsageError, require_choice, require_integer
from jaxnet.examples import select
from jaxnet.network import Params, loss
from jaxnet.optimizer import Sgd, check_optimizer, sgd
from jaxnet.outcomes import Outcome, outcome
from jaxnet.span import Span, enter_span, leave_span, span_cost_and_gradients

# The longest chunk: the program that is compiled once holds room for so many costs.
LONGEST_CHUNK = 1000

# At most so many indices of examples are drawn for a chunk: 16 MB.
MOST_INDICES = 4_000_000

# (params, inputs, Y, hidden, weights) -> (cost, gradients)
CostAndGradients = Callable[..., tuple[jax.Array, Params]]


class TrainState(NamedTuple):
    """All that an update changes: the parameters and the optimizer's memory."""

    params: Params
    opt_state: optax.OptState


# Cached, so that the same optimizer gives the same rule, for which nothing is compiled twice.
_with_extra_args = functools.lru_cache(maxsize=32)(optax.with_extra_args_support)


pixel_cost_and_gradients = jax.value_and_grad(loss)


def batch_cost_and_gradients(
    params: Params,
    rows: jax.Array,
    Y: jax.Array,
    hidden: Activation,
    weights: jax.Array | None,
    indices: jax.Array,
) -> tuple[jax.Array, Params]:
    """Compute the cost of some examples and its gradients.

    Args:
        params: W1, b1, W2, b2.
        rows: Xᵀ (m, n_x), since rows are gathered ten times faster than columns.
        Y: (1, m).
        hidden: The activation of the hidden units.
        weights: The weights of these examples, (1, batch).
        indices: Which examples, (batch,).
    """
    return pixel_cost_and_gradients(params, rows[indices].T, Y[:, indices], hidden, weights)


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
    `TrainState(params, optimizer.init(params))`. Another learning rate of `sgd` compiles nothing
    anew; optax's own optimizers compile once each time they are made.

    Raises:
        DataError: From the step, if its arrays do not fit together.
        UsageError: If `optimizer` is no optimizer or `hidden` no Activation; from the step, if it
            is given something else than a TrainState.
    """
    check_optimizer(optimizer)
    check_activation(hidden)
    step = _step_program(_with_extra_args(optimizer).update, hidden)

    def update(
        state: TrainState, X: jax.Array, Y: jax.Array, weights: jax.Array | None = None
    ) -> tuple[TrainState, jax.Array]:
        if not isinstance(state, TrainState):
            raise UsageError(
                f"the state is of type {type(state).__name__}",
                "the TrainState that the last step returned",
                "start from TrainState(params, optimizer.init(params))",
            )
        check_arrays(state.params, X, Y, weights)
        stepped: tuple[TrainState, jax.Array] = step(state, X, Y, weights)
        return stepped

    return update


@functools.lru_cache(maxsize=32)
def _step_program(rule: optax.TransformUpdateExtraArgsFn, hidden: Activation) -> Any:
    return jax.jit(functools.partial(_update, rule, pixel_cost_and_gradients, hidden))


@dataclasses.dataclass(frozen=True, eq=False)
class Descent(PickledOnHost):
    """A gradient descent after some iterations, with all that is needed to continue it.

    An optimizer of optax is made of local functions, which cannot be pickled: the copy that is
    unpickled has none, and needs it again to continue. `sgd(…)` is pickled.

    Attributes:
        state: The parameters and the optimizer's memory, in its basis.
        optimizer: The optimizer; None after unpickling one that cannot be pickled.
        X: The training pictures, (n_x, m).
        costs: The cost before each update so far, (iterations,).
        W1: In the span, the first weights (n_h, n_x), to which `state.params["C"]` adds; else None.
        span: In the span, what stays fixed in it; in pixels None.
    """

    state: TrainState
    optimizer: optax.GradientTransformation | None
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

    def __getstate__(self) -> dict[str, Any]:
        kept = self.optimizer if isinstance(self.optimizer, Sgd) else None
        return dataclasses.replace(self, optimizer=None)._arrays_on_host() | {"optimizer": kept}


def start_descent(
    params: Params,
    X: jax.Array,
    optimizer: optax.GradientTransformation | None = None,
    basis: str = "auto",
) -> Descent:
    """Start a gradient descent from `params`.

    Args:
        params: Where to start from, as `init_params` draws them.
        X: (n_x, m).
        optimizer: Any optimizer of optax; by default `sgd()`.
        basis: What the first layer's weights are written in: "pixels", "span" (the coefficients of
            the pictures, see `jaxnet.span`; the same steps, many times faster), or "auto": the span
            if the optimizer is `sgd(…)` and there are no more pictures than features.

    Raises:
        DataError: If the shapes or the types do not fit together.
        UsageError: If an argument is of the wrong type, another optimizer than `sgd(…)` is to run
            in the span, or it is called within `jit`.
    """
    optimizer = sgd() if optimizer is None else optimizer
    check_optimizer(optimizer)
    check_arrays(params, X)
    check_untraced(params, X)
    require_choice("basis", basis, BASES)
    if basis == "span" and not isinstance(optimizer, Sgd):
        raise UsageError(
            "the basis is the span, and the optimizer is not jaxnet's sgd(…)",
            "an update that is linear in the gradients: Adam and its like scale each weight by "
            "itself, and so leave the span of the pictures",
            'take sgd(…), with momentum or a schedule if you like, or basis="pixels"',
        )
    n_x, m = X.shape
    no_costs = np.empty(0, X.dtype)
    if basis == "pixels" or (basis == "auto" and not (isinstance(optimizer, Sgd) and m <= n_x)):
        return Descent(TrainState(params, optimizer.init(params)), optimizer, X, no_costs)
    coefficients, span = enter_span(params, X)
    state = TrainState(coefficients, optimizer.init(coefficients))
    return Descent(state, optimizer, X, no_costs, params["W1"], span)


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
    batches: np.ndarray | None,
    inputs: jax.Array | Span,
    Y: jax.Array,
    weights: jax.Array | None,
    *,
    rule: optax.TransformUpdateExtraArgsFn,
    cost_and_gradients: CostAndGradients,
    hidden: Activation,
) -> tuple[jax.Array, TrainState, jax.Array, jax.Array]:
    """Make up to `count` updates; stop where a number is not finite.

    Args:
        state: Where to start from.
        count: How many.
        batches: The indices of the examples that they see, (count or more, batch); None for all.
        inputs: X (n_x, m); with batches Xᵀ; in the span what stays fixed in it.
        Y: (1, m).
        weights: (1, m), or None.
        rule: The optimizer's.
        cost_and_gradients: That of the basis.
        hidden: The activation of the hidden units.

    Returns:
        How many updates were made, the state after them, the costs (LONGEST_CHUNK,), and whether
        every cost and parameter was finite.
    """

    def continues(carry: Any) -> jax.Array:
        done, _, _, finite = carry
        return (done < count) & finite

    def step(carry: Any) -> Any:
        done, state, costs, _ = carry
        indices, w = select(done, Y, weights, batches=batches)
        of_these = cost_and_gradients
        if indices is not None:
            of_these = functools.partial(cost_and_gradients, indices=indices)
        state, cost = _update(rule, of_these, hidden, state, inputs, Y, w)
        finite = functools.reduce(
            jnp.logical_and, (jnp.isfinite(leaf).all() for leaf in state.params.values())
        )
        return done + 1, state, costs.at[done].set(cost), finite & jnp.isfinite(cost)

    start = (jnp.array(0), state, jnp.zeros(LONGEST_CHUNK, Y.dtype), jnp.array(True))
    return lax.while_loop(continues, step, start)


_chunk_program = functools.partial(jit_loop, _run_chunk, "rule", "cost_and_gradients", "hidden")


def fit_in_chunks(
    descent: Descent,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    iterations: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    weights: jax.Array | None = None,
    chunk: int = 100,
) -> Iterator[Fit]:
    """Train, and yield after every `chunk` iterations.

    Progress bars, checkpoints and interruptions are loops over this generator. How the iterations
    are divided into chunks changes no bit of the result, nor does continuing from a `Fit`'s
    descent.

    Args:
        descent: Where to start from: `start_descent(params, X)`, or the descent of an earlier Fit.
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        iterations: The number of updates in all, those before `descent` included; by default 2,500.
        epochs: How often every example is seen in all, in place of iterations.
        batch: How many examples a step sees, in a new order each epoch; by default all.
        seed: With the number of the epoch it decides the order.
        weights: The weight of each example, (1, m).
        chunk: How many updates between two yields, 1 to LONGEST_CHUNK.

    Yields:
        The `Fit` so far. The last has an outcome; if it is "not finite", training stopped at that
        iteration, and the descent is at the last point whose parameters and cost were finite.

    Raises:
        DataError: If the shapes or the types do not fit together.
        UsageError: If an argument is of the wrong type or out of its range.
    """
    _check_training(descent, Y, hidden, weights)
    iterations = count_iterations(Y.size, batch, iterations, epochs)
    require_integer("iterations", iterations, len(descent.costs) + 1, MOST_ITERATIONS)
    require_integer("seed", seed, 0, LARGEST_SEED)
    require_integer("chunk", chunk, 1, LONGEST_CHUNK)
    return _chunks(descent, Y, hidden, iterations, weights, chunk, batch, seed)


def _check_training(
    descent: Descent, Y: jax.Array, hidden: Activation, weights: jax.Array | None
) -> None:
    check_activation(hidden)
    if not isinstance(descent, Descent):
        raise UsageError(
            f"descent is of type {type(descent).__name__}",
            "a Descent",
            "give start_descent(params, X), or the descent of a Fit",
        )
    if descent.optimizer is None:
        raise UsageError(
            "the descent has no optimizer: it was pickled with one that cannot be pickled",
            "the optimizer that it was started with",
            "put it back: dataclasses.replace(descent, optimizer=…)",
        )
    rows = check_rows(Y, weights, m=descent.X.shape[1])
    check_types({"X": descent.X} | rows)
    check_untraced(descent.state, descent.X)
    check_values(Y, weights)


def _chunks(
    descent: Descent,
    Y: jax.Array,
    hidden: Activation,
    iterations: int,
    weights: jax.Array | None,
    chunk: int,
    batch: int | None,
    seed: int,
) -> Iterator[Fit]:
    m = Y.size
    if batch is not None and batch >= m:
        batch = None  # the same steps, but for the order of summation
    inputs, cost_and_gradients = _basis(descent, batch)
    program = functools.partial(
        _chunk_program(small_products=descent.span is not None),
        inputs=inputs,
        Y=Y,
        weights=weights,
        rule=_with_extra_args(descent.optimizer).update,
        cost_and_gradients=cost_and_gradients,
        hidden=hidden,
    )

    def run(state: TrainState, first: int, count: int) -> Any:
        batches = None if batch is None else draw_batches(seed, first, chunk, m, batch)
        return program(state, count, batches)

    t = len(descent.costs)
    costs = np.concatenate([descent.costs, np.empty(iterations - t, Y.dtype)])
    state, ended = descent.state, False
    begin = (t, state)
    while not ended:
        before, begin = begin, (t, state)
        done, state, chunk_costs, finite = run(state, t, min(chunk, iterations - t))
        t += int(done)
        costs[begin[0] : t] = np.asarray(chunk_costs)[: t - begin[0]]
        ended = t == iterations or not finite
        here = dataclasses.replace(descent, state=state, costs=costs[:t])
        how: Outcome | None = None
        if ended and finite:
            # In the span the pixels' weights may overflow where their coefficients do not.
            epoch = steps_an_epoch(m, batch)
            how = outcome(here.params, here.X, Y, hidden, costs=costs, weights=weights, epoch=epoch)
        if not finite or how == "not finite":
            # The last finite state: the same steps give the same bits, so it is computed once more
            # from the start of this chunk, or of the one before.
            how, good = "not finite", t - 1 if np.isfinite(costs[t - 1]) else t - 2
            first, state = begin if good >= begin[0] else before
            good = max(good, first)
            _, state, _, _ = run(state, first, good - first)
            here = dataclasses.replace(descent, state=state, costs=costs[:good])
        yield Fit(here, costs[:t], how)


def _basis(descent: Descent, batch: int | None) -> tuple[jax.Array | Span, CostAndGradients]:
    """Return what stays fixed in a descent, and the function that takes it."""
    if descent.span is not None:
        return descent.span, span_cost_and_gradients
    if batch is None:
        return descent.X, pixel_cost_and_gradients
    return jax.device_put(np.ascontiguousarray(np.asarray(descent.X).T)), batch_cost_and_gradients


def fit(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    learning_rate: float | jax.Array | optax.Schedule = LEARNING_RATE,
    momentum: float | jax.Array = MOMENTUM,
    nesterov: bool = False,
    iterations: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    optimizer: optax.GradientTransformation | None = None,
    weights: jax.Array | None = None,
    basis: str = "auto",
) -> Fit:
    """Train a network by gradient descent (the article: "rinse and repeat").

    Args:
        params: Where to start from, as `init_params` draws them.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        learning_rate: α, or a schedule of optax.
        momentum: The share of the last step that is repeated, 0 to 1.
        nesterov: Whether the momentum is Nesterov's.
        iterations: How many updates to make; by default 2,500.
        epochs: How often every example is seen, in place of iterations.
        batch: How many examples a step sees, in a new order each epoch; by default all. The costs
            are then those of the batches; `epoch_costs` takes their mean.
        seed: With the number of the epoch it decides the order.
        optimizer: Any optimizer of optax, in place of the three numbers above.
        weights: The weight of each example, (1, m).
        basis: "pixels", "span" or "auto", as `start_descent` explains; it changes the time it
            takes, and nothing else beyond rounding.

    Raises:
        DataError: If the shapes or the types do not fit together.
        UsageError: If a setting is of the wrong type or out of its range, or `optimizer` is given
            beside the settings that it replaces.
        DivergenceError: If a cost or a parameter is not finite; its `fit` has the last good state.
    """
    check_arrays(params, X, Y, weights, hidden=hidden)
    check_untraced(params, X)
    check_values(Y, weights)
    if optimizer is None:
        optimizer = sgd(learning_rate, momentum, nesterov)
    elif learning_rate is not LEARNING_RATE or momentum is not MOMENTUM or nesterov:
        # By identity: a rate that is given counts as given even if it is 0.0075.
        raise UsageError(
            "both an optimizer and a learning rate, momentum or nesterov are given",
            "one or the other",
            "set the rate inside the optimizer, for example optax.adam(1e-3)",
        )
    descent = start_descent(params, X, optimizer, basis)
    iterations = count_iterations(Y.size, batch, iterations, epochs)
    chunk = max(1, min(LONGEST_CHUNK, MOST_INDICES // min(batch or 1, Y.size)))
    *_, last = fit_in_chunks(
        descent,
        Y,
        hidden,
        iterations=iterations,
        batch=batch,
        seed=seed,
        weights=weights,
        chunk=chunk,
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
