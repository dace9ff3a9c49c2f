"""Many networks in one program, in blocks over all devices.

Every network is trained as `fit` trains one, in the span of the pictures: the same step under
`jax.vmap`. The networks share the products K of the pictures, and differ in their initial weights,
their learning rates, the order of their mini-batches and the example that they leave out. They are
trained in blocks, sharded over all devices of the process: 64 networks a CPU core, whose numbers
stay in its cache, or 4,096 a GPU.

Memory, in array elements: about 10 n_h m a network of a block, with mini-batches an index for every
example that it sees, and n_h (m + m′) a start (a weight scale and a seed); K and the pictures once.
The result is a handful of numbers a network, and its costs or probabilities if asked. Its
parameters are those of `fit` from the same seed and settings.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxnet.activations import Activation
from jaxnet.descent import TrainState, add_decay
from jaxnet.devices import at_highest_precision, find_devices, jit_loop
from jaxnet.epochs import steps_an_epoch, true_batch
from jaxnet.errors import UsageError, require_number
from jaxnet.examples import Examples, select
from jaxnet.many.grid import Rate, WeightScale
from jaxnet.minibatches import draw_batches
from jaxnet.network import Forward, Params, forward_from, layer_scales
from jaxnet.normals import draw_normals, make_key
from jaxnet.optimizer import Sgd, largest_number, sgd
from jaxnet.outcomes import is_active, judge, label_entropy, late_cost
from jaxnet.progress import Track, silent
from jaxnet.settings import Settings
from jaxnet.span import Span, exact_product, layer1_in_span, span_cost_and_gradients
from jaxnet.stability import require_decay

CPU_BLOCK, GPU_BLOCK = 64, 4096
SEEDS_AT_ONCE = 64

# Memory limits, in array elements: per block and device, and of normals drawn together; all starts.
MOST_AT_ONCE = 100_000_000
MOST_IN_STARTS = 500_000_000


class Ends(NamedTuple):
    """The results of networks; every array is (rates, left out, weight scales, seeds, …).

    Attributes:
        last_costs: The cost before the last update.
        outcomes: The outcome, as `jaxnet.outcome` defines it.
        train_accuracies: On the training pictures; NaN where a cost or parameter is not finite.
        test_accuracies: On the test pictures, likewise.
        costs: (…, iterations), the cost before each update, if asked for.
        train_A2: (…, m), the probability of each training picture, if asked for.
        test_A2: (…, m′), that of each test picture, likewise.
    """

    last_costs: np.ndarray
    outcomes: np.ndarray
    train_accuracies: np.ndarray
    test_accuracies: np.ndarray
    costs: np.ndarray | None
    train_A2: np.ndarray | None
    test_A2: np.ndarray | None


def train_networks(
    examples: Examples,
    settings: Settings,
    *,
    seeds: np.ndarray,
    test: Examples | None = None,
    learning_rates: Sequence[Rate] | None = None,
    weight_scales: Sequence[WeightScale] | None = None,
    left_out: np.ndarray | None = None,
    keep_costs: bool = False,
    keep_probabilities: bool = False,
    block: int | None = None,
    track: Track = silent,
) -> Ends:
    """Train a network for every learning rate, left-out example, weight scale and seed.

    Args:
        examples: X (n_x, m), Y and weights, which `examples_of` has checked.
        settings: What the networks share; its rate, weight scale and seed only where not given.
        seeds: Integers, (seeds,); each draws what `init_params` draws from `jax.random.key(seed)`.
        test: The test pictures.
        learning_rates: Numbers, or pairs (α of layer 1, α of layer 2).
        weight_scales: As `Settings.weight_scale`.
        left_out: Numbers of examples, of which one is left out; m leaves out none.
        keep_costs: Whether to return the cost of every iteration.
        keep_probabilities: Whether to return the probability of every picture.
        block: How many networks a device trains at a time; by default 64 on a CPU, 4,096 elsewhere.
        track: Shows the progress, block by block.

    Raises:
        UsageError: If a rate is infinite in the type of X, the weight decay overshoots with the
            largest rate, or the starts do not fit into memory.
    """
    X, Y, weights = examples
    settings = settings.for_examples(Y.size)
    X_test, Y_test = (X[:, :0], Y[:, :0]) if test is None else test[:2]
    learning_rates = [settings.learning_rate] if learning_rates is None else learning_rates
    weight_scales = [settings.weight_scale] if weight_scales is None else weight_scales
    for rate in learning_rates:
        for number in np.ravel(rate):
            require_number("a learning rate", number, 0, largest_number(X.dtype))
    decay, largest = settings.weight_decay, max(np.max(rate) for rate in learning_rates)
    require_decay(decay, float(largest), settings.momentum, settings.nesterov)
    rates = np.array([np.broadcast_to(rate, 2) for rate in learning_rates], X.dtype)
    n_h, starts = settings.hidden_units, len(weight_scales) * len(seeds)
    _check_memory(n_h, X.shape[1] + X_test.shape[1], starts)
    pictures = np.asarray(X, np.float64)
    K, K_test = (exact_product(pictures.T, other, X.dtype) for other in (pictures, X_test))
    scales = [layer_scales(scale, len(X), n_h) for scale in weight_scales]
    drawn = [_draw_starts(seeds, scale, X, X_test, n_h) for scale in scales]
    Z1, Z1_test, W2 = (np.concatenate(parts) for parts in zip(*drawn, strict=True))

    ways = 1 if left_out is None else len(left_out)
    grid = (len(rates), ways, starts)
    networks = math.prod(grid)
    m, iterations = Y.size, settings.iterations
    batch = true_batch(m, settings.batch)
    size = 10 * n_h * m + (0 if batch is None else iterations * batch)
    at_once, shard, copy = _share_out(networks, block, size)
    shared = jax.tree.map(copy, _Shared(X, K, K_test, Y, Y_test, weights))
    train_block = _block_program(small_products=True)
    results = []
    starting = range(0, networks, at_once)
    for first in track(starting, "training networks", len(starting)):
        # The last block is filled up with its last network, so that nothing compiles anew.
        members = np.minimum(np.arange(first, first + at_once), networks - 1)
        r, w, s = np.unravel_index(members, grid)
        out = None if left_out is None else left_out[w]
        batches = None if batch is None else _batches(seeds[s % len(seeds)], iterations, m, batch)
        ends = train_block(
            jax.tree.map(shard, _Network(rates[r], out, batches, Z1[s], Z1_test[s], W2[s])),
            settings.momentum,
            decay or None,
            shared,
            nesterov=settings.nesterov,
            hidden=settings.hidden,
            iterations=iterations,
            epoch=steps_an_epoch(m, batch),
            keep_costs=keep_costs,
            keep_probabilities=keep_probabilities,
        )
        results.append(jax.device_get(ends))

    end = _join(results, networks, (*grid[:2], len(weight_scales), len(seeds)))
    entropy = _entropies(Y, weights, left_out).reshape(-1, 1, 1)
    outcomes = judge(end.finite, end.active, end.first_cost, end.late_cost, entropy)
    accuracies = (end.train_accuracy, end.test_accuracy)
    return Ends(end.last_cost, outcomes, *accuracies, end.costs, end.train_A2, end.test_A2)


def _batches(seeds: np.ndarray, iterations: int, m: int, batch: int) -> np.ndarray:
    """Draw what every network of a block sees, (networks, iterations, batch)."""
    drawn = {seed: draw_batches(int(seed), 0, iterations, m, batch) for seed in np.unique(seeds)}
    return np.stack([drawn[seed] for seed in seeds])


def _join(results: "list[_End]", networks: int, shape: tuple[int, ...]) -> "_End":
    """Join the results of the blocks, without the networks that the last one is filled up with."""

    def joined(*leaves: np.ndarray) -> np.ndarray:
        whole = np.concatenate(leaves)[:networks]
        return whole.reshape(*shape, *whole.shape[1:])

    return jax.tree.map(joined, *results)


def _check_memory(n_h: int, pictures: int, starts: int) -> None:
    elements = n_h * pictures * starts
    if elements > MOST_IN_STARTS:
        raise UsageError(
            f"{starts:,} starts of {n_h:,} hidden units need {elements:,} numbers in memory",
            f"at most {MOST_IN_STARTS:,}, so that they fit into memory",
            "use fewer seeds, hidden units or pictures",
        )


def _share_out(networks: int, block: int | None, size: int) -> tuple[int, Any, Any]:
    """Compute how many networks all devices train at once, and how arrays get to the devices.

    Args:
        networks: How many there are.
        block: How many a device trains at a time, or None.
        size: The memory of a network, in array elements.

    Returns:
        The number of networks at once; a function that shards an array over the devices by its
        first axis; and one that copies it to all of them.
    """
    devices = find_devices()
    if block is None:
        block = CPU_BLOCK if devices[0].platform == "cpu" else GPU_BLOCK
    block = max(1, min(block, MOST_AT_ONCE // size))
    at_once = len(devices) * min(block, math.ceil(networks / len(devices)))
    mesh = Mesh(np.array(devices), ("networks",), axis_types=(AxisType.Auto,))
    put = jax.device_put
    shard = functools.partial(put, device=NamedSharding(mesh, PartitionSpec("networks")))
    return at_once, shard, functools.partial(put, device=NamedSharding(mesh, PartitionSpec()))


def _entropies(Y: jax.Array, weights: Any, left_out: np.ndarray | None) -> np.ndarray:
    """Compute the label entropy without each of the examples left out, (ways,)."""
    if left_out is None:
        return np.array([label_entropy(Y, weights)])
    return np.array([label_entropy(Y, select(0, Y, weights, left_out=i)[1]) for i in left_out])


def _draw_starts(
    seeds: np.ndarray, scale: tuple[float, float], X: jax.Array, X_test: jax.Array, n_h: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute what networks start from: W1₀ X, W1₀ X_test and W2, (seeds, …)."""
    drawn = []
    together = max(1, min(SEEDS_AT_ONCE, MOST_AT_ONCE // (n_h * len(X))))
    for first in range(0, len(seeds), together):
        some = seeds[first : first + together].tolist()
        normals = [draw_normals(make_key(seed), len(X), n_h) for seed in some]
        W1, W2 = (np.stack(layer) for layer in zip(*normals, strict=True))
        # As init_params rounds: the product in float32, whatever comes after.
        W1, W2 = W1 * np.float32(scale[0]), (W2 * np.float32(scale[1])).astype(X.dtype)
        rows = W1.astype(X.dtype).reshape(-1, len(X))
        Z1, Z1_test = (
            np.asarray(exact_product(rows, pictures, X.dtype)).reshape(len(W2), n_h, -1)
            for pictures in (X, X_test)
        )
        drawn.append((Z1, Z1_test, W2))
    Z1, Z1_test, W2 = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    return Z1, Z1_test, W2


class _Network(NamedTuple):
    """What a network does not share with the others."""

    rates: Any  # (2,)
    left_out: Any  # () or None
    batches: Any  # (iterations, batch) or None
    Z1: Any  # W1₀ X, (n_h, m)
    Z1_test: Any
    W2: Any


class _End(NamedTuple):
    first_cost: Any
    last_cost: Any
    late_cost: Any
    finite: Any
    active: Any
    train_accuracy: Any
    test_accuracy: Any
    costs: Any
    train_A2: Any
    test_A2: Any


class _Shared(NamedTuple):
    """What all networks share."""

    X: Any
    K: Any
    K_test: Any
    Y: Any
    Y_test: Any
    weights: Any


def _train_block(
    networks: _Network,
    momentum: float,
    weight_decay: float | None,
    shared: _Shared,
    *,
    nesterov: bool,
    hidden: Activation,
    iterations: int,
    epoch: int,
    keep_costs: bool,
    keep_probabilities: bool,
) -> _End:
    """Train the networks of a block, whose arrays have one more axis in front."""
    optimizer = sgd(1.0, momentum, nesterov)

    def train(own: _Network) -> tuple[_End, jax.Array]:
        params, costs = _descend(own, shared, optimizer, weight_decay, hidden, iterations)
        end = _measure(own, shared, params, costs, hidden, epoch)
        return end._replace(
            costs=end.costs if keep_costs else None,
            train_A2=end.train_A2 if keep_probabilities else None,
            test_A2=end.test_A2 if keep_probabilities else None,
        ), params["C"]

    ends, C = jax.vmap(train)(networks)
    finite = ends.finite & _weights_finite(C, ends.finite, shared.X)
    return ends._replace(
        finite=finite,
        train_accuracy=jnp.where(finite, ends.train_accuracy, jnp.nan),
        test_accuracy=jnp.where(finite, ends.test_accuracy, jnp.nan),
    )


def _descend(
    own: _Network,
    shared: _Shared,
    optimizer: Sgd,
    weight_decay: float | None,
    hidden: Activation,
    iterations: int,
) -> tuple[Params, jax.Array]:
    """Train one network; return its coefficients and its costs (iterations,)."""
    span = Span(own.Z1, shared.K)
    rate1, rate2 = own.rates
    rate_of = {"C": rate1, "s": rate1, "b1": rate1, "W2": rate2, "b2": rate2}
    zeros = {"C": own.Z1.shape, "b1": (own.W2.shape[1], 1), "b2": (1, 1)}
    params = {name: jnp.zeros(shape, own.W2.dtype) for name, shape in zeros.items()}
    params |= {"W2": own.W2}
    if weight_decay is not None:
        params["s"] = jnp.ones((1, 1), own.W2.dtype)

    def step(state: TrainState, t: jax.Array) -> tuple[TrainState, jax.Array]:
        indices, w = select(t, shared.Y, shared.weights, batches=own.batches, left_out=own.left_out)
        cost, gradients = span_cost_and_gradients(state.params, span, shared.Y, hidden, w, indices)
        gradients = add_decay(gradients, state.params, weight_decay)
        # SGD is linear, so that a rate a layer may be applied to what goes in.
        gradients = {name: rate_of[name] * leaf for name, leaf in gradients.items()}
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
        return TrainState(optax.apply_updates(state.params, updates), opt_state), cost

    start = TrainState(params, optimizer.init(params))
    last, costs = lax.scan(step, start, jnp.arange(iterations))
    return last.params, costs


def _measure(
    own: _Network,
    shared: _Shared,
    params: Params,
    costs: jax.Array,
    hidden: Activation,
    epoch: int,
) -> _End:
    """Compute the results of a trained network."""
    numbers = (costs, *params.values())
    finite = functools.reduce(jnp.logical_and, (jnp.isfinite(leaf).all() for leaf in numbers))

    def outputs(span: Span) -> Forward:
        return forward_from(layer1_in_span(params, span), params["W2"], params["b2"], hidden)

    trained = outputs(Span(own.Z1, shared.K))
    tested = outputs(Span(own.Z1_test, shared.K_test))
    _, w = select(0, shared.Y, shared.weights, left_out=own.left_out)
    return _End(
        costs[0],
        costs[-1],
        late_cost(costs, epoch),
        finite,
        is_active(trained.Z1, hidden, w),
        _accuracy(trained.A2, shared.Y),
        _accuracy(tested.A2, shared.Y_test),
        costs,
        trained.A2[0],
        tested.A2[0],
    )


def _accuracy(A2: jax.Array, Y: jax.Array) -> jax.Array:
    return jnp.sum((A2 > 0.5) == Y, dtype=A2.dtype) / max(Y.size, 1)


@at_highest_precision
def _weights_finite(C: jax.Array, finite: jax.Array, X: jax.Array) -> jax.Array:
    """Compute whether W1 = W1₀ + C Xᵀ, which `fit` returns, is finite where C is: (networks,).

    Only if some may overflow are they multiplied, which takes as long as an iteration in pixels.
    """
    bound = jnp.abs(C).sum(axis=2).max(axis=1) * jnp.abs(X).max()
    in_doubt = finite & ~(bound < largest_number(X.dtype) / 2)
    return lax.cond(
        in_doubt.any(),
        lambda: lax.map(lambda C: jnp.isfinite(C @ X.T).all(), C),
        lambda: jnp.ones_like(finite),
    )


_block_program = functools.partial(
    jit_loop,
    _train_block,
    "nesterov",
    "hidden",
    "iterations",
    "epoch",
    "keep_costs",
    "keep_probabilities",
)
