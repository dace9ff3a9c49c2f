"""Descent: one update, many updates in one program, and a training as a sequence of those."""

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from jaxnet.activations import Activation
from jaxnet.devices import jit_loop
from jaxnet.examples import select
from jaxnet.network import Params, loss, penalty, total_weight
from jaxnet.outcomes import Outcome
from jaxnet.shifts import Drawing, Shifts, draw_offsets, shift_rows
from jaxnet.span import penalty_in_span
from jaxnet.validation import Best, Validation, judge_validation, keep_lower

# (params, inputs, Y, hidden, weights) -> (cost, gradients)
CostAndGradients = Callable[..., tuple[jax.Array, Params]]

# The longest chunk without mini-batches: its program holds room for so many costs.
LONGEST_CHUNK = 1000

# What weight decay draws towards 0: the weights, and in the span what W1 is made of.
DECAYING = ("W1", "W2", "C", "s")

# Of the examples that a CPU core works on at a time; with fewer blocks it would not pay.
BLOCK_BYTES, LEAST_BLOCKS = 4 * 2**20, 4


class TrainState(NamedTuple):
    """All that an update changes: the parameters and the optimizer's memory."""

    params: Params
    opt_state: optax.OptState


class Curves(NamedTuple):
    """What is recorded before each update beside the cost; None where it is not.

    Attributes:
        objectives: The cost with the penalty of the weight decay, (iterations,); with mini-batches
            NaN but in the iterations of `Interval`.
        validation_costs: The cost on the validation examples, (iterations,).
        validation_accuracies: The share of them whose class is predicted correctly, (iterations,).
    """

    objectives: Any = None
    validation_costs: Any = None
    validation_accuracies: Any = None

    def until(self, count: int) -> "Curves":
        """Return the first `count` iterations of every curve."""
        return jax.tree.map(lambda curve: curve[:count], self)


class Interval(NamedTuple):
    """In which iterations of a training with mini-batches the objective is computed.

    Attributes:
        first: The iteration from which updates are counted, ().
        length: It is computed in those whose number is divisible by this one, ().
    """

    first: Any
    length: Any


class Progress(NamedTuple):
    """What the updates of a training carry on.

    Attributes:
        state: The parameters and the optimizer's memory.
        best: Where the validation cost was lowest, if the training may stop early.
    """

    state: TrainState
    best: Best | None = None


NO_CURVES = Curves()

# Cached, so that the same optimizer gives the same rule, for which nothing is compiled twice.
with_extra_args = functools.lru_cache(maxsize=32)(optax.with_extra_args_support)


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


@functools.cache
def shifted_cost_and_gradients(shifts: Shifts) -> CostAndGradients:
    """Make the function that does the same of pictures that are moved by offsets (batch, 2)."""

    def cost_and_gradients(
        params: Params,
        rows: jax.Array,
        Y: jax.Array,
        hidden: Activation,
        weights: jax.Array | None,
        indices: jax.Array,
        offsets: jax.Array,
    ) -> tuple[jax.Array, Params]:
        X = shift_rows(rows[indices], offsets, shifts).T
        return pixel_cost_and_gradients(params, X, Y[:, indices], hidden, weights)

    return cost_and_gradients


def block_cost_and_gradients(
    params: Params,
    blocks: jax.Array,
    Y: jax.Array,
    hidden: Activation,
    weights: jax.Array | None,
) -> tuple[jax.Array, Params]:
    """Compute the cost of all examples and its gradients, one block of them after the other.

    Forward and backward pass of a block find it in the cache; of all examples at once, each pass
    would read all of X from memory.

    Args:
        params: W1, b1, W2, b2.
        blocks: Xᵀ in blocks, (number, size, n_x), as `in_blocks` makes them.
        Y: (1, m).
        hidden: The activation of the hidden units.
        weights: (1, m), or None.
    """
    number, size, _ = blocks.shape
    w = jnp.ones_like(Y) if weights is None else weights
    total = total_weight(w)

    def divide(row: jax.Array) -> jax.Array:
        filled = jnp.pad(row, ((0, 0), (0, number * size - row.shape[1])))
        return filled.reshape(number, 1, size)

    def add(sums: Any, block: Any) -> tuple[Any, None]:
        rows, y, v = block
        found = pixel_cost_and_gradients(params, rows.T, y, hidden, v)
        share = jnp.sum(v) / total
        return jax.tree.map(lambda sum_, part: sum_ + share * part, sums, found), None

    nothing = (jnp.zeros((), Y.dtype), jax.tree.map(jnp.zeros_like, params))
    (cost, gradients), _ = lax.scan(add, nothing, (blocks, divide(Y), divide(w)))
    return cost, gradients


def in_blocks(X: jax.Array) -> jax.Array | None:
    """Divide Xᵀ into blocks that fit into the cache of a CPU core, the last filled up with zeros.

    Returns:
        (number, size, n_x); None where X itself is small, or another device computes.
    """
    n_x, m = X.shape
    size = max(1, BLOCK_BYTES // (n_x * X.dtype.itemsize))
    if m < LEAST_BLOCKS * size or jax.default_backend() != "cpu":
        return None
    number = math.ceil(m / size)
    rows = np.zeros((number * size, n_x), X.dtype)
    rows[:m] = np.asarray(X).T
    return jax.device_put(rows.reshape(number, size, n_x))


def update_once(
    rule: optax.TransformUpdateExtraArgsFn,
    cost_and_gradients: CostAndGradients,
    hidden: Activation,
    state: TrainState,
    inputs: Any,
    Y: jax.Array,
    weights: jax.Array | None = None,
    weight_decay: jax.Array | None = None,
) -> tuple[TrainState, jax.Array, jax.Array]:
    """Make one update; return the new state, and the cost and the objective before it."""

    def objective_of(params: Params, cost: jax.Array) -> jax.Array:
        return cost if weight_decay is None else cost + penalty_of(params, inputs, weight_decay)

    def value_of(params: Params) -> jax.Array:
        return objective_of(params, cost_and_gradients(params, inputs, Y, hidden, weights)[0])

    cost, gradients = cost_and_gradients(state.params, inputs, Y, hidden, weights)
    gradients = add_decay(gradients, state.params, weight_decay)
    value = objective_of(state.params, cost)
    # Value and function are for the optimizers that search along a line, such as L-BFGS.
    steps, opt_state = rule(
        gradients, state.opt_state, state.params, value=value, grad=gradients, value_fn=value_of
    )
    return TrainState(optax.apply_updates(state.params, steps), opt_state), cost, value


def penalty_of(params: Params, inputs: Any, weight_decay: jax.Array) -> jax.Array:
    """Compute the penalty of the weight decay, in the basis that the parameters are written in."""
    if "C" in params:
        return penalty_in_span(params, inputs, weight_decay)
    return penalty(params, weight_decay)


def add_decay(gradients: Params, params: Params, weight_decay: Any) -> Params:
    """Add λ W to the gradients of the weights; None adds nothing."""
    if weight_decay is None:
        return gradients
    return {
        name: leaf + weight_decay * params[name] if name in DECAYING else leaf
        for name, leaf in gradients.items()
    }


def run_updates(
    progress: Progress,
    count: int,
    batches: np.ndarray | None,
    inputs: Any,
    Y: jax.Array,
    weights: jax.Array | None,
    weight_decay: jax.Array | None = None,
    validation: Validation | None = None,
    drawing: Drawing | None = None,
    interval: Interval | None = None,
    *,
    rule: optax.TransformUpdateExtraArgsFn,
    cost_and_gradients: CostAndGradients,
    hidden: Activation,
    shifts: Shifts | None = None,
) -> tuple[jax.Array, Progress, jax.Array, Curves, jax.Array]:
    """Make up to `count` updates; stop where a number is not finite, or the patience is at its end.

    Args:
        progress: Where to start from.
        count: How many.
        batches: The indices of the examples that they see, (count or more, batch); None for all.
        inputs: What `cost_and_gradients` takes: X (n_x, m), with batches Xᵀ, or a `Span`.
        Y: (1, m).
        weights: (1, m), or None.
        weight_decay: λ, or None.
        validation: What the training is watched with, or None.
        drawing: What the shifts are drawn from, or None.
        interval: With mini-batches, when the objective is recorded; None if it is not.
        rule: The optimizer's.
        cost_and_gradients: That of the basis.
        hidden: The activation of the hidden units.
        shifts: How the pictures of mini-batches are shifted, or None.

    Returns:
        How many updates were made, the progress after them, the costs and the other curves (count
        or more,), and whether every cost and parameter was finite.
    """
    room = LONGEST_CHUNK if batches is None else len(batches)

    def objective_of_batch(t: jax.Array, params: Params, cost: jax.Array) -> jax.Array:
        """Compute the objective where the interval asks for it, else NaN.

        In the span the penalty takes all of K, of which the step of a mini-batch takes a part.
        """
        assert interval is not None
        assert weight_decay is not None
        computed: jax.Array = lax.cond(
            (interval.first + t) % interval.length == 0,
            lambda: cost + penalty_of(params, inputs, weight_decay),
            lambda: jnp.full_like(cost, jnp.nan),
        )
        return computed

    def continues(carry: Any) -> jax.Array:
        done, (_, best), _, _, finite = carry
        goes_on = (done < count) & finite
        if best is None or validation is None:
            return goes_on
        return goes_on & (best.age < validation.patience)

    def step(carry: Any) -> Any:
        done, (state, best), costs, curves, _ = carry
        new, params = Curves(), state.params
        if validation is not None:
            new = Curves(None, *judge_validation(state.params, validation, hidden))
        if best is not None:
            best = keep_lower(best, new.validation_costs, state.params)
        indices, w = select(done, Y, weights, batches=batches)
        of_batch = {} if indices is None else {"indices": indices}
        if shifts is not None and drawing is not None and indices is not None:
            of_batch["offsets"] = draw_offsets(shifts, drawing, done, indices)
        of_these = functools.partial(cost_and_gradients, **of_batch)
        state, cost, objective = update_once(
            rule, of_these, hidden, state, inputs, Y, w, weight_decay
        )
        if curves.objectives is not None:
            if batches is not None:
                objective = objective_of_batch(done, params, cost)
            new = new._replace(objectives=objective)
        curves = jax.tree.map(lambda curve, value: curve.at[done].set(value), curves, new)
        finite = functools.reduce(
            jnp.logical_and, (jnp.isfinite(leaf).all() for leaf in state.params.values())
        )
        reached = Progress(state, best)
        return done + 1, reached, costs.at[done].set(cost), curves, finite & jnp.isfinite(cost)

    blank = jnp.zeros(room, Y.dtype)
    decays = weight_decay is not None and (batches is None or interval is not None)
    watched = validation is not None
    curves = Curves(*(blank if asked else None for asked in (decays, watched, watched)))
    start = (jnp.array(0), progress, blank, curves, jnp.array(True))
    return lax.while_loop(continues, step, start)


updates_program = functools.partial(
    jit_loop, run_updates, "rule", "cost_and_gradients", "hidden", "shifts"
)


class Part(NamedTuple):
    """A part of a training: some consecutive updates.

    Attributes:
        first: The iteration of its first update.
        length: How many there are.
        run: Makes up to so many of them, as `run_updates` does: (progress, count) -> its results.
    """

    first: int
    length: int
    run: Callable[[Progress, int], Any]


class Reached(NamedTuple):
    """Where a training is after a part.

    Attributes:
        progress: The last whose numbers are all finite.
        made: After how many updates this is.
        costs: The cost before each update that was made, (iterations,).
        curves: What else is recorded of them.
        outcome: How it ended; None while it goes on.
    """

    progress: Progress
    made: int
    costs: np.ndarray
    curves: Curves
    outcome: Outcome | None


def descend(
    parts: Iterable[Part],
    progress: Progress,
    costs: np.ndarray,
    curves: Curves,
    iterations: int,
    judge: Callable[[TrainState, np.ndarray], Outcome],
) -> Iterator[Reached]:
    """Make the updates of a training part by part, until its end or a number that is not finite.

    The end is the number of iterations, or where a part makes fewer updates than it could.

    Args:
        parts: The parts, the first of them after the updates that are made already.
        progress: The state after those.
        costs: The cost before each of them.
        curves: What else is recorded of them.
        iterations: The number of updates in all.
        judge: Determines the outcome of a training whose numbers are finite.
    """
    t = len(costs)
    recorded = (costs, curves)
    costs, curves = jax.tree.map(
        lambda curve: np.concatenate([curve, np.empty(iterations - t, curve.dtype)]), recorded
    )
    begin: tuple[Part, Progress] | None = None
    for part in parts:
        before, begin = begin, (part, progress)
        done, progress, *new, finite = part.run(progress, part.length)
        t += int(done)
        for curve, values in zip(*map(jax.tree.leaves, ((costs, curves), new)), strict=True):
            curve[part.first : t] = np.asarray(values)[: t - part.first]
        if t < iterations and finite and int(done) == part.length:
            yield Reached(progress, t, costs[:t], curves.until(t), None)
            continue
        how: Outcome = judge(progress.state, costs[:t]) if finite else "not finite"
        made = t
        if how == "not finite":
            # The last finite state: the same steps give the same bits, so it is computed once more
            # from the start of this part, or of the one before.
            good = t - 1 if np.isfinite(costs[t - 1]) else t - 2
            again, start = begin if good >= part.first or before is None else before
            made = max(good, again.first)
            _, progress, *_ = again.run(start, made - again.first)
        yield Reached(progress, made, costs[:t], curves.until(t), how)
        return
