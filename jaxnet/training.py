"""Gradient descent: one jitted update, and `fit`, which repeats it."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxnet.activations import Activation, relu
from jaxnet.arrays import (
    check_activation,
    check_arrays,
    check_rows,
    check_types,
    check_untraced,
    check_values,
)
from jaxnet.defaults import (
    BASES,
    LARGEST_SEED,
    LEARNING_RATE,
    MOMENTUM,
    MOST_ITERATIONS,
    WEIGHT_DECAY,
)
from jaxnet.descent import (
    LONGEST_CHUNK,
    NO_CURVES,
    CostAndGradients,
    Curves,
    Interval,
    Part,
    Progress,
    TrainState,
    batch_cost_and_gradients,
    block_cost_and_gradients,
    descend,
    in_blocks,
    pixel_cost_and_gradients,
    shifted_cost_and_gradients,
    update_once,
    updates_program,
    with_extra_args,
)
from jaxnet.devices import PickledOnHost, at_precision
from jaxnet.display import shown
from jaxnet.epochs import count_iterations, steps_an_epoch, true_batch
from jaxnet.errors import (
    DataError,
    DivergenceError,
    UsageError,
    require_choice,
    require_integer,
    require_number,
)
from jaxnet.examples import Examples, check_examples
from jaxnet.minibatches import draw_batches
from jaxnet.network import Params, as_decay
from jaxnet.optimizer import Sgd, check_optimizer, require_stable_decay, sgd
from jaxnet.outcomes import Outcome, any_active, judge_one, label_entropy, outcome
from jaxnet.processes import in_any, require_alike
from jaxnet.sharing import Sharing, own_part, share_out
from jaxnet.shifts import Shifts, check_shifts, start_drawing
from jaxnet.span import (
    Span,
    enter_span,
    exact_product,
    leave_span,
    span_cost_and_gradients,
)
from jaxnet.validation import Validation, start_best

# At most so many indices of examples are drawn for a chunk: 16 MB.
MOST_INDICES = 4_000_000

# At least so many iterations lie between two in which the objective of a mini-batch is computed,
# which takes about as long as a step.
LEAST_BETWEEN = 10


def make_update(
    optimizer: optax.GradientTransformation,
    hidden: Activation = relu,
    *,
    weight_decay: float = WEIGHT_DECAY,
) -> Callable[..., tuple[TrainState, jax.Array]]:
    """Make the jitted step `update(state, X, Y, weights=None) -> (state, cost)`.

    It takes the gradient of `loss` by `jax.grad` and applies it by the optimizer; for SGD that is
    params − α · gradient. With a weight decay λ the gradient is that of the objective, `loss` with
    this decay. `cost` is the cost before the step, without a penalty. It starts from
    `TrainState(params, optimizer.init(params))`. Another learning rate of `sgd` and another weight
    decay compile nothing anew; optax's own optimizers compile once each time they are made.

    Raises:
        DataError: From the step, if its arrays do not fit together.
        UsageError: If `optimizer` is no optimizer or `hidden` no Activation, or the weight decay is
            out of its range, or overshoots with the rate of `sgd`, unless that is a schedule; from
            the step, if it is given something else than a TrainState.
    """
    check_optimizer(optimizer)
    check_activation(hidden)
    require_number("weight_decay", weight_decay, 0, math.inf)
    require_stable_decay(optimizer, weight_decay)
    step = _step_program(with_extra_args(optimizer).update, hidden)

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
        stepped: tuple[TrainState, jax.Array]
        stepped = step(state, X, Y, weights, as_decay(weight_decay, X.dtype))
        return stepped

    return update


@functools.lru_cache(maxsize=32)
def _step_program(rule: optax.TransformUpdateExtraArgsFn, hidden: Activation) -> Any:
    def step(*arguments: Any) -> tuple[TrainState, jax.Array]:
        state, cost, _ = update_once(rule, pixel_cost_and_gradients, hidden, *arguments)
        return state, cost

    return jax.jit(step)


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
        weight_decay: λ of the objective.
        curves: What else is recorded before each update.
        m: The number of all pictures, where each of several processes has a part of them and `X`
            holds this part; None where `X` holds all.
        best: With patience, the parameters in the same basis where the validation cost was lowest
            so far; None before the first iteration.
    """

    state: TrainState
    optimizer: optax.GradientTransformation | None
    X: jax.Array
    costs: np.ndarray
    W1: jax.Array | None = None
    span: Span | None = None
    weight_decay: float = WEIGHT_DECAY
    curves: Curves = NO_CURVES
    m: int | None = None
    best: Params | None = None

    @functools.cached_property
    def params(self) -> Params:
        """The parameters in pixels, W1, b1, W2, b2: the best with patience, else those reached."""
        params = self.state.params if self.best is None else self.best
        if self.W1 is None:
            return params
        with at_precision(self.X.dtype):
            return leave_span(params, self.W1, self.X)

    def __getstate__(self) -> dict[str, Any]:
        kept = self.optimizer if isinstance(self.optimizer, Sgd) else None
        return dataclasses.replace(self, optimizer=None)._arrays_on_host() | {"optimizer": kept}


def start_descent(
    params: Params,
    X: jax.Array,
    optimizer: optax.GradientTransformation | None = None,
    basis: str = "auto",
    *,
    weight_decay: float = WEIGHT_DECAY,
) -> Descent:
    """Start a gradient descent from `params`.

    Args:
        params: Where to start from, as `init_params` draws them.
        X: (n_x, m).
        optimizer: Any optimizer of optax; by default `sgd()`.
        basis: What the first layer's weights are written in: "pixels", "span" (the coefficients of
            the pictures, see `jaxnet.span`; the same steps, many times faster), or "auto": the span
            if the optimizer is `sgd(…)` and there are no more pictures than features.
        weight_decay: λ of the objective, the cost + (λ/2)(‖W1‖² + ‖W2‖²).

    Raises:
        DataError: If the shapes or the types do not fit together.
        UsageError: If an argument is of the wrong type or out of its range, another optimizer than
            `sgd(…)` is to run in the span, or it is called within `jit`.
    """
    optimizer = sgd() if optimizer is None else optimizer
    check_optimizer(optimizer)
    check_arrays(params, X)
    check_untraced(params, X, weight_decay)
    decays = as_decay(weight_decay, X.dtype) is not None
    weight_decay = float(weight_decay)
    require_choice("basis", basis, BASES)
    if basis == "span" and not isinstance(optimizer, Sgd):
        raise UsageError(
            "the basis is the span, and the optimizer is not jaxnet's sgd(…)",
            "an update that is linear in the gradients: Adam and its like scale each weight by "
            "itself, and so leave the span of the pictures",
            'take sgd(…), with momentum or a schedule if you like, or basis="pixels"',
        )
    no_costs = np.empty(0, X.dtype)
    if choose_basis(basis, optimizer, *X.shape) == "pixels":
        state = TrainState(params, optimizer.init(params))
        return Descent(state, optimizer, X, no_costs, weight_decay=weight_decay)
    coefficients, span = enter_span(params, X, decays=decays)
    state = TrainState(coefficients, optimizer.init(coefficients))
    return Descent(state, optimizer, X, no_costs, params["W1"], span, weight_decay)


def choose_basis(
    basis: str, optimizer: optax.GradientTransformation, n_x: int, m: int
) -> Literal["pixels", "span"]:
    """Return the basis in which m examples of n_x features are trained, as `start_descent` does."""
    if basis == "auto":
        basis = "span" if isinstance(optimizer, Sgd) and m <= n_x else "pixels"
    return "span" if basis == "span" else "pixels"


@shown
@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """What training has reached.

    Attributes:
        descent: The point that is reached; training can go on from there.
        costs: The cost before each update, (iterations,). Those of the descent are the same, unless
            the run ended "not finite": then it is a step or two back, where all was finite.
        outcome: How the run ended; None while it goes on.
        objectives: With weight decay, the cost with its penalty before each update, (iterations,),
            as `loss` computes it; None without. With mini-batches it is the cost of the batch with
            the penalty, in one iteration of an epoch, or of ten if these are more, and NaN in the
            others.
        validation_costs: The cost on the validation examples before each update, (iterations,);
            None without any.
        validation_accuracies: The share of them that is predicted correctly, likewise.
    """

    descent: Descent
    costs: np.ndarray
    outcome: Outcome | None
    objectives: np.ndarray | None = None
    validation_costs: np.ndarray | None = None
    validation_accuracies: np.ndarray | None = None

    @property
    def params(self) -> Params:
        """The parameters W1, b1, W2, b2 after the last update; with patience the best ones."""
        return self.descent.params


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
    validation: Examples | None = None,
    patience: int | None = None,
    shifts: Shifts | None = None,
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
        validation: Examples that are not trained on, whose cost and accuracy are recorded.
        patience: After how many iterations without a lower validation cost the training stops. The
            parameters of the `Fit` are then those where this cost was lowest.
        shifts: By how many pixels each picture that a step sees is moved, anew for each step. The
            costs are those of the moved pictures; the outcome is judged by the pictures themselves.
        chunk: How many updates between two yields, 1 to LONGEST_CHUNK.

    Yields:
        The `Fit` so far. The last has an outcome; if it is "not finite", training stopped at that
        iteration, and the descent is at the last point whose parameters and cost were finite.

    Raises:
        DataError: If the shapes or the types do not fit together.
        UsageError: If an argument is of the wrong type or out of its range, or the weight decay of
            the descent overshoots with the rate of its `sgd`; of a schedule the largest counts.
    """
    _check_training(descent, Y, hidden, weights)
    iterations = count_iterations(Y.size, batch, iterations, epochs)
    require_integer("iterations", iterations, len(descent.costs) + 1, MOST_ITERATIONS)
    assert descent.optimizer is not None
    require_stable_decay(descent.optimizer, descent.weight_decay, iterations)
    require_integer("seed", seed, 0, LARGEST_SEED)
    require_integer("chunk", chunk, 1, LONGEST_CHUNK)
    _check_validation(validation, patience, descent.X)
    if shifts is not None:
        _require_pixels(descent)
        check_shifts(shifts, len(descent.X))
    watched = None if validation is None else _watch(descent, validation, patience)
    return _chunks(descent, Y, hidden, iterations, weights, chunk, batch, seed, watched, shifts)


def _require_pixels(descent: Descent) -> None:
    if descent.span is not None:
        raise UsageError(
            "the basis of the descent is the span, and the pictures are shifted",
            "the pixels: a picture that is moved does not lie in the span of the pictures",
            'start_descent(…, basis="pixels")',
        )


def _check_validation(validation: Examples | None, patience: int | None, X: jax.Array) -> None:
    if patience is not None:
        require_integer("patience", patience, 1)
    if validation is None:
        if patience is not None:
            raise UsageError(
                f"patience is {patience} without validation examples",
                "examples that are not trained on, whose cost says when to stop",
                "give validation, or leave patience out",
            )
        return
    if not isinstance(validation, Examples):
        raise UsageError(
            f"validation is of type {type(validation).__name__}",
            "Examples",
            "make them by make_examples(X, Y)",
        )
    check_examples(validation)
    check_types({"X": X, "X of validation": validation.X})
    if len(validation.X) != len(X):
        raise DataError(
            f"the X of validation has {len(validation.X)} features, that of training {len(X)}",
            "the same number of features",
            "use the same preprocessing for both",
        )


def _watch(descent: Descent, validation: Examples, patience: int | None) -> Validation:
    X, Y, weights = validation
    inputs: Any = X
    if descent.W1 is not None:
        Z1, K = (exact_product(A, X, X.dtype) for A in (descent.W1, np.asarray(descent.X).T))
        inputs = Span(Z1, K)
    return Validation(inputs, Y, weights, None if patience is None else np.int32(patience))


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
    m = descent.X.shape[1] if descent.m is None else descent.m
    if descent.m is not None and own_part(m) is None:
        raise UsageError(
            f"the descent has {descent.X.shape[1]} of {m} examples, a part of several processes",
            "the processes that have the other parts",
            "start a descent with all examples; resume does so with the data of a run",
        )
    rows = check_rows(Y, weights, m=m)
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
    watched: Validation | None,
    shifts: Shifts | None,
) -> Iterator[Fit]:
    m = Y.size
    batch = true_batch(m, batch)
    if shifts is not None and batch is None:
        batch = m
    batched = batch is not None
    how = (hidden.name, iterations, chunk, batch, seed, descent.weight_decay, shifts)
    # Who hands over a part of X has compared the pictures.
    X = None if descent.m else descent.X
    require_alike(examples=(X, Y, weights, watched), parameters=descent.state, arguments=how)
    # In the span a step is a few small products, which take less time than sharing them out.
    sharing = share_out() if descent.span is None else Sharing(None)
    inputs, of_share = basis_of(descent, batch, sharing)
    if shifts is not None:
        of_share = shifted_cost_and_gradients(shifts)
    decay = as_decay(descent.weight_decay, Y.dtype)
    placed = sharing.place(inputs, Y, weights, batched=batched)
    arrays = (*placed, decay, sharing.copy(watched))
    epoch = steps_an_epoch(m, batch)
    program = functools.partial(
        updates_program(small_products=descent.span is not None),
        rule=with_extra_args(descent.optimizer).update,
        cost_and_gradients=sharing.cost_and_gradients(of_share, batch),
        hidden=hidden,
        shifts=shifts,
    )

    def part(first: int) -> Part:
        rows = None if batch is None else draw_batches(seed, first, chunk, m, batch)
        batches = None if rows is None else sharing.divide_batches(rows, m)
        drawing = None if shifts is None else sharing.copy(start_drawing(seed, first))
        interval = objective_interval(first, epoch) if batched and decay is not None else None
        every = (*arrays, drawing, interval)
        count = min(chunk, iterations - first)
        return Part(first, count, lambda state, number: program(state, number, batches, *every))

    def at(progress: Progress) -> Descent:
        state, best = sharing.take_back(progress)
        return dataclasses.replace(descent, state=state, best=best and best.params)

    def judge(state: TrainState, costs: np.ndarray) -> Outcome:
        return judge_descent(
            at(Progress(state)), Y, hidden, costs=costs, weights=weights, epoch=epoch
        )

    parts = map(part, range(len(descent.costs), iterations, chunk))
    curves = _curves(descent, watched)
    best = None
    if watched is not None and watched.patience is not None:
        best = start_best(descent.state.params, descent.best, curves.validation_costs)
    start = sharing.copy(Progress(descent.state, best))
    for reached in descend(parts, start, descent.costs, curves, iterations, judge):
        progress, good, costs, curves, how_ended = reached
        here = dataclasses.replace(at(progress), costs=costs[:good], curves=curves.until(good))
        yield Fit(here, costs, how_ended, *curves)


def objective_interval(first: int, epoch: int) -> Interval:
    """Return when the objective of mini-batches is recorded, from iteration `first` on.

    Args:
        first: The first iteration.
        epoch: The number of iterations of an epoch.
    """
    return Interval(np.int32(first), np.int32(max(epoch, LEAST_BETWEEN)))


def _curves(descent: Descent, watched: Validation | None) -> Curves:
    """Return the curves that a training continues: those of the descent, as far as it has them."""
    recorded = (bool(descent.weight_decay), watched is not None, watched is not None)
    missing = np.full_like(descent.costs, np.nan)
    known = ((missing if curve is None else curve) for curve in descent.curves)
    return Curves(*(curve if yes else None for yes, curve in zip(recorded, known, strict=True)))


def basis_of(
    descent: Descent, batch: int | None, sharing: Sharing
) -> tuple[jax.Array | np.ndarray | Span, CostAndGradients]:
    """Return what stays fixed in a descent, as far as it is of this process, and its function.

    Args:
        descent: The descent.
        batch: The size of a mini-batch, or None.
        sharing: The devices among which the examples are divided.
    """
    if descent.span is not None:
        if not descent.weight_decay:
            return descent.span, span_cost_and_gradients
        square = np.sum(np.square(np.asarray(descent.W1, np.float64)))
        fixed = descent.span._replace(W1_square=jnp.asarray(square, descent.X.dtype))
        return fixed, span_cost_and_gradients
    X: Any = descent.X
    if sharing.mesh is None:
        blocks = in_blocks(X) if batch is None else None
        if blocks is not None:
            return blocks, block_cost_and_gradients
    elif descent.m is None:
        X = np.asarray(X)[:, sharing.parts.own(X.shape[1])]
    if batch is None:
        return X, pixel_cost_and_gradients
    rows = np.ascontiguousarray(np.asarray(X).T)
    return jax.device_put(rows) if sharing.mesh is None else rows, batch_cost_and_gradients


def judge_descent(
    descent: Descent,
    Y: jax.Array,
    hidden: Activation,
    *,
    costs: np.ndarray,
    weights: jax.Array | None,
    epoch: int,
) -> Outcome:
    """Determine what `outcome` does, also where each process has a part of the pictures."""
    # In the span the pixels' weights may overflow where their coefficients do not.
    params, X = descent.params, descent.X
    if descent.m is None:
        return outcome(params, X, Y, hidden, costs=costs, weights=weights, epoch=epoch)
    own = own_part(descent.m)
    w = None if weights is None else weights[:, own]
    entropy = label_entropy(Y, weights)
    return judge_one(
        params, costs, lambda: in_any(any_active(params, X, hidden, w)), entropy, epoch
    )


def fit(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    learning_rate: float | jax.Array | optax.Schedule = LEARNING_RATE,
    momentum: float | jax.Array = MOMENTUM,
    nesterov: bool = False,
    weight_decay: float = WEIGHT_DECAY,
    iterations: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    optimizer: optax.GradientTransformation | None = None,
    weights: jax.Array | None = None,
    validation: Examples | None = None,
    patience: int | None = None,
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
        weight_decay: λ of the objective that is descended, cost + (λ/2)(‖W1‖² + ‖W2‖²), with any
            optimizer. The costs stay without the penalty.
        iterations: How many updates to make; by default 2,500.
        epochs: How often every example is seen, in place of iterations.
        batch: How many examples a step sees, in a new order each epoch; by default all. The costs
            are then those of the batches; `epoch_costs` takes their mean.
        seed: With the number of the epoch it decides the order.
        optimizer: Any optimizer of optax, in place of learning_rate, momentum and nesterov.
        weights: The weight of each example, (1, m).
        validation: Examples that are not trained on, whose cost and accuracy are recorded.
        patience: After how many iterations without a lower validation cost to stop; the parameters
            are then those where it was lowest.
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
    descent = start_descent(params, X, optimizer, basis, weight_decay=weight_decay)
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
        validation=validation,
        patience=patience,
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
