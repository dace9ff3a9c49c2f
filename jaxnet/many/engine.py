"""Many networks in one program, in blocks over all devices.

Every network is trained as `fit` trains one, in the span of the pictures: the same step under
`jax.vmap`. The networks share the products K of the pictures, and differ in their first weights,
their rates and the weights of their examples. They are run in blocks, sharded over all devices: 64
a CPU core, whose numbers stay in its cache, or 4,096 a GPU.

Memory, in numbers: about 10 n_h m a network of a block, and n_h (m + m′) a start (a scale and a
seed); K and the pictures once. What comes back is five numbers a network, and its costs or its
probabilities if asked. Its parameters are what `fit` reaches from the same key, rate and weights.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxnet.activations import Activation, relu
from jaxnet.devices import jit_loop
from jaxnet.errors import UsageError, require_number
from jaxnet.network import Forward, draw_normals, forward_from, layer_scales
from jaxnet.optimizer import sgd
from jaxnet.outcomes import judge, label_entropy, late_cost
from jaxnet.progress import Track, silent
from jaxnet.span import Span, exact_product, layer1_in_span, span_cost_and_gradients
from jaxnet.training import MOST_ITERATIONS, TrainState

CPU_BLOCK, GPU_BLOCK = 64, 4096
SEEDS_AT_ONCE = 64

# Numbers that may be held at once: of the networks of a block on each device, of normals that are
# drawn, and of all starts.
MOST_AT_ONCE = 100_000_000
MOST_IN_STARTS = 500_000_000

# α for both layers, or one for each.
Rate = float | tuple[float, float]
Scale = float | str


class Ends(NamedTuple):
    """How networks ended; every array is (rates, weightings, scales, seeds, …).

    Attributes:
        last_costs: The cost before the last update.
        outcomes: How the run ended, as `jaxnet.outcome` names it.
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
    keys: jax.Array,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    learning_rates: Sequence[Rate],
    scales: Sequence[Scale],
    n_h: int,
    momentum: float,
    nesterov: bool,
    iterations: int,
    weightings: np.ndarray | None = None,
    test: tuple[jax.Array, jax.Array] | None = None,
    keep_costs: bool = False,
    keep_probabilities: bool = False,
    block: int | None = None,
    track: Track = silent,
) -> Ends:
    """Train a network for every rate, weighting, scale and key.

    Args:
        keys: One random key a seed, (seeds,).
        X: (n_x, m).
        Y: (1, m) of 0 and 1, which `check_targets` has checked with the weights.
        hidden: The activation of the hidden units.
        learning_rates: Numbers, or pairs (α of layer 1, α of layer 2).
        scales: Of the first weights, as in `init_params`.
        n_h: The number of hidden units.
        momentum: As in `fit`.
        nesterov: As in `fit`.
        iterations: How many updates each network makes.
        weightings: Ways to weigh the examples, (weightings, 1, m); by default one, all alike.
        test: X and Y of test pictures.
        keep_costs: Whether to return the cost of every iteration.
        keep_probabilities: Whether to return the probability of every picture.
        block: How many networks a device trains at a time; by default 64 on a CPU, 4,096 elsewhere.
        track: Shows the progress, block by block.

    Raises:
        UsageError: If a setting is out of its range.
    """
    require_number("iterations", iterations, 1, MOST_ITERATIONS)
    require_number("momentum", momentum, 0, 1)
    X_test, Y_test = (X[:, :0], Y[:, :0]) if test is None else test
    rates = np.array([np.broadcast_to(rate, 2) for rate in learning_rates], X.dtype)
    for rate in rates.flat:
        require_number("a learning rate", float(rate), 0, math.inf)
    numbers = n_h * (X.shape[1] + X_test.shape[1]) * len(scales) * len(keys)
    if numbers > MOST_IN_STARTS:
        raise UsageError(
            f"{len(scales) * len(keys):,} starts of {n_h:,} hidden units make {numbers:,} numbers",
            f"at most {MOST_IN_STARTS:,}, so that they fit into memory",
            "take fewer seeds, hidden units or pictures",
        )
    pictures = np.asarray(X, np.float64)
    K, K_test = (exact_product(pictures.T, seen, X.dtype) for seen in (pictures, X_test))
    starts = [_draw_starts(keys, layer_scales(s, len(X), n_h), X, X_test, n_h) for s in scales]
    Z1, Z1_test, W2 = (np.concatenate(parts) for parts in zip(*starts, strict=True))

    ways = [None] if weightings is None else list(weightings)
    grid = (len(rates), len(ways), len(W2))
    networks = math.prod(grid)
    devices = jax.devices()
    if block is None:
        block = CPU_BLOCK if devices[0].platform == "cpu" else GPU_BLOCK
    block = max(1, min(block, MOST_AT_ONCE // (10 * n_h * X.shape[1])))
    at_once = len(devices) * min(block, math.ceil(networks / len(devices)))
    mesh = jax.make_mesh((len(devices),), ("networks",), axis_types=(AxisType.Auto,))
    shard = functools.partial(jax.device_put, device=NamedSharding(mesh, PartitionSpec("networks")))
    copy = functools.partial(jax.device_put, device=NamedSharding(mesh, PartitionSpec()))
    shared = jax.tree.map(copy, (K, K_test, Y, Y_test))

    train_block = _block_program(small_products=True)
    results = []
    starting = range(0, networks, at_once)
    for first in track(starting, "training networks", len(starting)):
        # The last block is filled up with its last network, so that nothing compiles anew.
        members = np.minimum(np.arange(first, first + at_once), networks - 1)
        r, w, s = np.unravel_index(members, grid)
        weights = None if weightings is None else weightings[w]
        ends = train_block(
            jax.tree.map(shard, _Network(rates[r], weights, Z1[s], Z1_test[s], W2[s])),
            momentum,
            *shared,
            nesterov=nesterov,
            hidden=hidden,
            iterations=iterations,
            keep_costs=keep_costs,
            keep_probabilities=keep_probabilities,
        )
        results.append(jax.device_get(ends))

    def joined(*leaves: np.ndarray) -> np.ndarray:
        whole = np.concatenate(leaves)[:networks]
        return whole.reshape(*grid[:2], len(scales), len(keys), *whole.shape[1:])

    end = jax.tree.map(joined, *results)
    entropy = np.array([label_entropy(Y, way) for way in ways]).reshape(-1, 1, 1)
    return Ends(
        end.last_cost,
        judge(end.finite, end.active, end.late_cost, entropy),
        end.train_accuracy,
        end.test_accuracy,
        end.costs,
        end.train_A2,
        end.test_A2,
    )


def _draw_starts(
    keys: jax.Array, scale: tuple[float, float], X: jax.Array, X_test: jax.Array, n_h: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute what networks start from: W1₀ X, W1₀ X_test and W2, (seeds, …)."""
    draw: Callable[..., Any] = jax.vmap(lambda key: draw_normals(key, len(X), n_h))
    drawn = []
    together = max(1, min(SEEDS_AT_ONCE, MOST_AT_ONCE // (n_h * len(X))))
    for first in range(0, len(keys), together):
        W1, W2 = (np.asarray(normals) for normals in draw(keys[first : first + together]))
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
    weights: Any  # (1, m) or None
    Z1: Any  # W1₀ X, (n_h, m)
    Z1_test: Any
    W2: Any


class _End(NamedTuple):
    last_cost: Any
    late_cost: Any
    finite: Any
    active: Any
    train_accuracy: Any
    test_accuracy: Any
    costs: Any
    train_A2: Any
    test_A2: Any


def _train_block(
    networks: _Network,
    momentum: float,
    K: jax.Array,
    K_test: jax.Array,
    Y: jax.Array,
    Y_test: jax.Array,
    *,
    nesterov: bool,
    hidden: Activation,
    iterations: int,
    keep_costs: bool,
    keep_probabilities: bool,
) -> _End:
    """Train the networks of a block, whose arrays have one more axis in front."""
    optimizer = sgd(1.0, momentum, nesterov)

    def train(own: _Network) -> _End:
        span, span_test = Span(own.Z1, K), Span(own.Z1_test, K_test)
        rate1, rate2 = own.rates
        rate_of = {"C": rate1, "b1": rate1, "W2": rate2, "b2": rate2}
        n_h, dtype = own.W2.shape[1], own.W2.dtype
        zeros = {"C": own.Z1.shape, "b1": (n_h, 1), "b2": (1, 1)}
        params = {"W2": own.W2} | {name: jnp.zeros(shape, dtype) for name, shape in zeros.items()}

        def step(state: TrainState, _: None) -> tuple[TrainState, jax.Array]:
            cost, gradients = span_cost_and_gradients(state.params, span, Y, hidden, own.weights)
            # SGD is linear, so that a rate a layer may be applied to what goes in.
            gradients = {name: rate_of[name] * leaf for name, leaf in gradients.items()}
            updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
            return TrainState(optax.apply_updates(state.params, updates), opt_state), cost

        start = TrainState(params, optimizer.init(params))
        end, costs = lax.scan(step, start, length=iterations)
        params = end.params
        finite = jnp.isfinite(jnp.sum(costs) + sum(jnp.sum(leaf) for leaf in params.values()))

        def outputs(span: Span) -> Forward:
            return forward_from(layer1_in_span(params, span), params["W2"], params["b2"], hidden)

        def accuracy(A2: jax.Array, Y: jax.Array) -> jax.Array:
            share = jnp.sum((A2 > 0.5) == Y, dtype=dtype) / max(Y.size, 1)
            return jnp.where(finite, share, jnp.nan)

        trained, tested = outputs(span), outputs(span_test)
        return _End(
            costs[-1],
            late_cost(costs),
            finite,
            jnp.any(hidden.slope(trained.Z1) != 0),
            accuracy(trained.A2, Y),
            accuracy(tested.A2, Y_test),
            costs if keep_costs else None,
            trained.A2[0] if keep_probabilities else None,
            tested.A2[0] if keep_probabilities else None,
        )

    return jax.vmap(train)(networks)


_block_program = functools.partial(
    jit_loop,
    _train_block,
    "nesterov",
    "hidden",
    "iterations",
    "keep_costs",
    "keep_probabilities",
)
