"""The solver "sgd" of scikit-learn's MLPClassifier, by the training loop of `jaxnet.descent`.

An epoch sees every example once. The examples are filled up with examples of weight 0, and outside
the span their features with zeros, to one of few sizes. That changes no result beyond rounding, and
a program that was compiled for one fold of a cross-validation fits the others.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from optax import tree_utils

from jaxnet.activations import Activation
from jaxnet.descent import (
    NO_CURVES,
    CostAndGradients,
    Part,
    Progress,
    TrainState,
    add_decay,
    descend,
    penalty_of,
    updates_program,
    with_extra_args,
)
from jaxnet.devices import at_precision
from jaxnet.epochs import steps_an_epoch
from jaxnet.errors import UsageError
from jaxnet.minibatches import NO_EXAMPLE, draw_batches, epoch_costs
from jaxnet.network import Params, total_weight
from jaxnet.optimizer import Sgd
from jaxnet.outcomes import Outcome
from jaxnet.sharing import Sharing
from jaxnet.sklearn.checks import Arrays
from jaxnet.span import leave_span
from jaxnet.training import MOST_INDICES, Descent, basis_of, start_descent

# After so many updates the losses are looked at, of which a training that ends early needs no more.
CHUNK = 250


class Network(NamedTuple):
    """What a training changes.

    Attributes:
        params: The parameters.
        velocity: For momentum, the decaying sum of past gradients; None where it is 0.
    """

    params: Arrays
    velocity: Arrays | None = None


class Data(NamedTuple):
    """What a network is trained on; as in scikit-learn, one example is one row.

    Attributes:
        X: (m, n_x), float32 or float64, in which everything is computed.
        y: (m,) of 0 and 1.
        weights: The weight of each example, (m,).
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray


class Plan(NamedTuple):
    """How a training goes.

    Attributes:
        hidden: The activation of the hidden units.
        optimizer: Made by `sgd`.
        alpha: The penalty (alpha/2)(‖W1‖² + ‖W2‖²) is divided by the weight of a step's examples.
        batch: How many examples a step sees; None for all.
        seed: With the number of the epoch it decides the order of the examples; None keeps it.
        epochs: How many epochs to make at most.
        tol: By how much an epoch has to lower the least loss so far.
        patience: The training ends after more consecutive epochs than these that did not.
    """

    hidden: Activation
    optimizer: Sgd
    alpha: float
    batch: int | None
    seed: int | None
    epochs: int
    tol: float
    patience: float


class Trained(NamedTuple):
    """What a training has reached.

    Attributes:
        network: The network after the last epoch.
        losses: The loss of each epoch: the mean of the losses before its updates, in which an
            update counts by the number of its examples.
        ended: Whether it ended since the loss did not fall any more.
    """

    network: Network
    losses: list[float]
    ended: bool


def train_epochs(network: Network, data: Data, plan: Plan, earlier: list[float]) -> Trained:
    """Train a network.

    Args:
        network: Where to start from.
        data: The examples.
        plan: How.
        earlier: The loss of each epoch of earlier trainings of this network.

    Raises:
        UsageError: If a loss or a parameter is not finite.
    """
    m, n_x = data.X.shape
    steps = steps_an_epoch(m, plan.batch)
    with at_precision(data.X.dtype):
        descent = _start(network, data, plan)
        make_part = _part_maker(descent, data, plan, earlier_epochs=len(earlier))
        total = plan.epochs * steps
        parts = map(make_part, range(0, total, _chunk(plan)))
        progress, made, losses, end = Progress(descent.state), 0, [], None
        for reached in descend(parts, progress, descent.costs, NO_CURVES, total, _unjudged):
            if reached.outcome == "not finite":
                raise _not_finite(1 + (len(reached.costs) - 1) // steps)
            losses = epoch_costs(reached.costs, m, plan.batch).tolist()
            end = _find_end(earlier, losses, plan)
            if end is not None:
                # The same updates give the same bits: those of the last chunk are made once more.
                _, progress, *_ = make_part(made).run(progress, end * steps - made)
                break
            progress, made = reached.progress, reached.made
        last = _finish(descent, progress.state, plan.optimizer, n_x)
        return Trained(last, losses[:end], end is not None)


def _unjudged(state: TrainState, losses: np.ndarray) -> Outcome:
    """Return one outcome for all trainings whose numbers are finite: scikit-learn judges none."""
    return "learning"


def _chunk(plan: Plan) -> int:
    """Return after how many updates the losses are looked at; of large batches after fewer."""
    return max(1, min(CHUNK, MOST_INDICES // (plan.batch or 1)))


def _start(network: Network, data: Data, plan: Plan) -> Descent:
    """Start a descent, of arrays that are filled up, in the basis in which it takes less time."""
    m, n_x = data.X.shape
    # The span is entered by a product of all examples with all, which one epoch would not pay for.
    in_span = m <= n_x and plan.epochs > 1 and network.velocity is None
    features = n_x if in_span else round_up(n_x)
    X = np.zeros((features, round_up(m)), data.X.dtype)
    X[:n_x, :m] = data.X.T
    params = jax.device_put(_widen(network.params, features))
    basis = "span" if in_span else "pixels"
    descent = start_descent(
        params, jax.device_put(X), plan.optimizer, basis, weight_decay=plan.alpha
    )
    if network.velocity is None:
        return descent
    params, memory = descent.state
    memory = tree_utils.tree_set(memory, trace=jax.device_put(_widen(network.velocity, features)))
    return dataclasses.replace(descent, state=TrainState(params, memory))


def round_up(size: int) -> int:
    """Round up to a multiple of 8, and of a sixteenth of the next power of two: by 1/8 at most."""
    step = max(8, (1 << (size - 1).bit_length()) // 16)
    return -(-size // step) * step


def _widen(params: Arrays, features: int) -> Arrays:
    W1 = params["W1"]
    return params | {"W1": np.pad(W1, ((0, 0), (0, features - W1.shape[1])))}


def _part_maker(
    descent: Descent, data: Data, plan: Plan, *, earlier_epochs: int
) -> Callable[[int], Part]:
    """Make the function that makes the part of the training that begins with an update."""
    m, batch, chunk = len(data.X), plan.batch, _chunk(plan)
    inputs, of_data = basis_of(descent, batch, Sharing(None))
    dtype, size = data.X.dtype, descent.X.shape[1]
    alpha = np.asarray(plan.alpha, dtype) if plan.alpha else None
    Y, weights = (
        jax.device_put(np.pad(row.astype(dtype), (0, size - m))[None])
        for row in (data.y, data.weights)
    )
    program = functools.partial(
        updates_program(small_products=descent.span is not None),
        rule=with_extra_args(plan.optimizer).update,
        cost_and_gradients=_with_penalty(of_data),
        hidden=plan.hidden,
    )

    def make_part(first: int) -> Part:
        batches = None
        if batch is not None:
            begin = first + earlier_epochs * steps_an_epoch(m, batch)
            batches = order_batches(plan.seed, begin, chunk, m, batch)
        count = min(chunk, plan.epochs * steps_an_epoch(m, batch) - first)
        arrays = (batches, (inputs, alpha), Y, weights)
        return Part(first, count, lambda state, number: program(state, number, *arrays))

    return make_part


def order_batches(seed: int | None, first: int, count: int, m: int, batch: int) -> np.ndarray:
    """Return what `draw_batches` returns; without a seed, the examples in their own order."""
    if seed is not None:
        return draw_batches(seed, first, count, m, batch)
    steps = steps_an_epoch(m, batch)
    order = np.full(steps * batch, NO_EXAMPLE, np.int32)
    order[:m] = np.arange(m)
    return order.reshape(steps, batch)[(first + np.arange(count)) % steps]


@functools.cache
def _with_penalty(of_data: CostAndGradients) -> CostAndGradients:
    """Make the function that adds MLPClassifier's penalty to a cost and its gradients."""

    def loss_and_gradients(
        params: Params,
        inputs: Any,
        Y: jax.Array,
        hidden: Activation,
        weights: jax.Array,
        **indices: jax.Array,
    ) -> tuple[jax.Array, Params]:
        data, alpha = inputs
        cost, gradients = of_data(params, data, Y, hidden, weights, **indices)
        if alpha is None:
            return cost, gradients
        total = jnp.sum(weights)
        decay = jnp.where(total > 0, alpha / total_weight(weights), 0)
        return cost + penalty_of(params, data, decay), add_decay(gradients, params, decay)

    return loss_and_gradients


def _find_end(earlier: list[float], losses: list[float], plan: Plan) -> int | None:
    """Return after how many epochs the training ends early; None if it goes on."""
    curve = np.array(earlier + losses)
    best = np.minimum.accumulate(np.concatenate([[np.inf], curve]))[:-1]  # before each epoch
    epochs = np.arange(len(curve))
    lowered = np.maximum.accumulate(np.where(curve <= best - plan.tol, epochs, -1))
    ends = np.flatnonzero((epochs - lowered > plan.patience)[len(earlier) :])
    return int(ends[0]) + 1 if ends.size else None


def _finish(descent: Descent, state: TrainState, optimizer: Sgd, n_x: int) -> Network:
    """Return the network that a descent has reached, without what filled it up."""
    _, momentum, _ = optimizer.arguments
    velocity = tree_utils.tree_get(state.opt_state, "trace") if momentum else None
    if descent.W1 is not None and velocity is not None:
        # That of s, which the initial weights are multiplied by, exists where they decay.
        initial = descent.W1 if "s" in velocity else np.zeros_like(descent.W1)
        velocity = leave_span(velocity, initial, descent.X)
    params = dataclasses.replace(descent, state=state).params
    return Network(_narrow(params, n_x), None if velocity is None else _narrow(velocity, n_x))


def _narrow(params: Params, n_x: int) -> Arrays:
    arrays = {name: np.array(leaf) for name, leaf in params.items()}
    return arrays | {"W1": arrays["W1"][:, :n_x]}


def _not_finite(epoch: int) -> UsageError:
    return UsageError(
        f"the loss or a parameter is not finite after epoch {epoch}",
        "finite numbers",
        "take a smaller learning_rate_init, or scale the features, by StandardScaler for example",
    )
