"""Thousands of networks in one program: learning rates × first scales × seeds.

Every network is trained as `fit` trains one, in the span of the pictures: the same step under
`jax.vmap`. The networks share the products K of the pictures, and differ in their first weights and
their rates. They are run in blocks, sharded over all devices: 64 a CPU core, whose numbers stay in
its cache, or 4,096 a GPU.

Memory, in numbers: about 10 n_h m a network of a block, and n_h (m + m′) a start (a scale and a
seed); K and the pictures once. What comes back is five numbers a network, and its costs if asked.
"""

import functools
import math
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxnet.activations import Activation, relu
from jaxnet.checks import check_targets
from jaxnet.compilation import jit_loop
from jaxnet.errors import UsageError, require_number
from jaxnet.network import draw_normals, forward_from, layer_scales
from jaxnet.optimizer import sgd
from jaxnet.outcomes import judge, label_entropy, late_cost
from jaxnet.progress import Track, silent
from jaxnet.span import Span, exact_product, layer1_in_span, span_cost_and_gradients
from jaxnet.training import MOST_ITERATIONS, TrainState

CPU_BLOCK, GPU_BLOCK = 64, 4096
SEEDS_AT_ONCE = 64

# α for both layers, or one for each.
Rate = float | tuple[float, float]
Scale = float | str


class Sweep(NamedTuple):
    """What became of each network; every array is (rates, scales, seeds).

    Attributes:
        last_costs: The cost before the last update.
        outcomes: How the run ended, as `jaxnet.outcome` names it.
        train_accuracies: On the training pictures; NaN where a cost or parameter is not finite.
        test_accuracies: On the test pictures, likewise; None without test pictures.
        costs: (rates, scales, seeds, iterations), the cost before each update, if asked for.
    """

    last_costs: np.ndarray
    outcomes: np.ndarray
    train_accuracies: np.ndarray
    test_accuracies: np.ndarray | None
    costs: np.ndarray | None


def use_all_cores() -> None:
    """Make each CPU core a device of JAX, so that a sweep uses all of them.

    To be called once, before anything is computed with JAX. It changes nothing on a GPU or TPU, and
    no result.

    Raises:
        UsageError: If JAX is in use already.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError as cause:
        raise UsageError(
            "JAX is in use already, with the devices it has",
            "use_all_cores() before the first array is made",
            "move the call to the top of the program",
        ) from cause


def sweep(
    keys: jax.Array,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    learning_rates: Sequence[Rate],
    scales: Sequence[Scale] = (0.01,),
    n_h: int = 8,
    momentum: float = 0.0,
    nesterov: bool = False,
    iterations: int = 2500,
    weights: jax.Array | None = None,
    test: tuple[jax.Array, jax.Array] | None = None,
    keep_costs: bool = False,
    block: int | None = None,
    track: Track = silent,
) -> Sweep:
    """Train a network for every rate, scale and key.

    Args:
        keys: One random key a seed, (seeds,), such as `jax.random.split(jax.random.key(0), 64)`;
            each draws the network that `init_params` draws from it.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        learning_rates: Numbers, or pairs (α of layer 1, α of layer 2).
        scales: Of the first weights, as in `init_params`.
        n_h: The number of hidden units.
        momentum: As in `fit`.
        nesterov: As in `fit`.
        iterations: How many updates each network makes.
        weights: The weight of each example, (1, m).
        test: X and Y of test pictures.
        keep_costs: Whether to return the cost of every iteration.
        block: How many networks a device trains at a time; by default 64 on a CPU, 4,096 elsewhere.
        track: Shows the progress, block by block.

    Raises:
        DataError: If the shapes do not fit together.
        UsageError: If a setting is out of its range.
    """
    check_targets(X, Y, weights)
    require_number("iterations", iterations, 1, MOST_ITERATIONS)
    require_number("momentum", momentum, 0, 1)
    X_test, Y_test = (X[:, :0], Y[:, :0]) if test is None else test
    rates = np.array([np.broadcast_to(rate, 2) for rate in learning_rates], X.dtype)
    for rate in rates.flat:
        require_number("a learning rate", float(rate), 0, math.inf)
    pictures = np.asarray(X, np.float64)
    K, K_test = (exact_product(pictures.T, seen, X.dtype) for seen in (pictures, X_test))
    starts = [_draw_starts(keys, layer_scales(s, len(X), n_h), X, X_test, n_h) for s in scales]
    Z1, Z1_test, W2 = (np.concatenate(parts) for parts in zip(*starts, strict=True))

    networks = len(rates) * len(W2)
    rate_of, start_of = np.divmod(np.arange(networks), len(W2))
    devices = jax.devices()
    if block is None:
        block = CPU_BLOCK if devices[0].platform == "cpu" else GPU_BLOCK
    at_once = len(devices) * min(block, math.ceil(networks / len(devices)))
    mesh = jax.make_mesh((len(devices),), ("networks",), axis_types=(AxisType.Auto,))
    shard = functools.partial(jax.device_put, device=NamedSharding(mesh, PartitionSpec("networks")))
    copy = functools.partial(jax.device_put, device=NamedSharding(mesh, PartitionSpec()))
    shared = jax.tree.map(copy, (K, K_test, Y, Y_test, weights))

    train_block = _block_program(small_products=True)
    results = []
    starting = range(0, networks, at_once)
    for first in track(starting, "training networks", len(starting)):
        # The last block is filled up with its last network, so that nothing compiles anew.
        members = np.minimum(np.arange(first, first + at_once), networks - 1)
        r, s = rate_of[members], start_of[members]
        ends = train_block(
            *map(shard, (rates[r], Z1[s], Z1_test[s], W2[s])),
            momentum,
            *shared,
            nesterov=nesterov,
            hidden=hidden,
            iterations=iterations,
            keep_costs=keep_costs,
        )
        results.append(jax.device_get(ends))

    def joined(*leaves: np.ndarray) -> np.ndarray:
        whole = np.concatenate(leaves)[:networks]
        return whole.reshape(len(rates), len(scales), len(keys), *whole.shape[1:])

    ends = jax.tree.map(joined, *results)
    entropy = label_entropy(Y, weights)
    return Sweep(
        ends.last_cost,
        judge(ends.finite, ends.active, ends.late_cost, entropy),
        ends.train_accuracy,
        None if test is None else ends.test_accuracy,
        ends.costs,
    )


def _draw_starts(
    keys: jax.Array, scale: tuple[float, float], X: jax.Array, X_test: jax.Array, n_h: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute what networks start from: W1₀ X, W1₀ X_test and W2, (seeds, …)."""
    draw: Callable[..., Any] = jax.vmap(lambda key: draw_normals(key, len(X), n_h))
    drawn = []
    for first in range(0, len(keys), SEEDS_AT_ONCE):
        W1, W2 = (np.asarray(normals) for normals in draw(keys[first : first + SEEDS_AT_ONCE]))
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


class _End(NamedTuple):
    last_cost: Any
    late_cost: Any
    finite: Any
    active: Any
    train_accuracy: Any
    test_accuracy: Any
    costs: Any


def _train_block(
    rates: jax.Array,
    Z1: jax.Array,
    Z1_test: jax.Array,
    W2: jax.Array,
    momentum: float,
    K: jax.Array,
    K_test: jax.Array,
    Y: jax.Array,
    Y_test: jax.Array,
    weights: jax.Array | None,
    *,
    nesterov: bool,
    hidden: Activation,
    iterations: int,
    keep_costs: bool,
) -> _End:
    """Train the networks of a block, whose arrays have one more axis in front."""
    optimizer = sgd(1.0, momentum, nesterov)

    def train(rate: jax.Array, Z1: jax.Array, Z1_test: jax.Array, W2: jax.Array) -> _End:
        rate_of = {"C": rate[0], "b1": rate[0], "W2": rate[1], "b2": rate[1]}
        n_h, dtype = W2.shape[1], W2.dtype
        zeros = {"C": Z1.shape, "b1": (n_h, 1), "b2": (1, 1)}
        params = {"W2": W2} | {name: jnp.zeros(shape, dtype) for name, shape in zeros.items()}

        def step(state: TrainState, _: None) -> tuple[TrainState, jax.Array]:
            cost, gradients = span_cost_and_gradients(state.params, Span(Z1, K), Y, hidden, weights)
            # SGD is linear, so that a rate a layer may be applied to what goes in.
            gradients = {name: rate_of[name] * leaf for name, leaf in gradients.items()}
            updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
            return TrainState(optax.apply_updates(state.params, updates), opt_state), cost

        start = TrainState(params, optimizer.init(params))
        end, costs = lax.scan(step, start, length=iterations)
        params = end.params
        finite = jnp.isfinite(jnp.sum(costs) + sum(jnp.sum(leaf) for leaf in params.values()))

        def accuracy(span: Span, Y: jax.Array) -> jax.Array:
            Z1 = layer1_in_span(params, span)
            A2 = forward_from(Z1, params["W2"], params["b2"], hidden).A2
            share = jnp.sum((A2 > 0.5) == Y, dtype=dtype) / max(Y.size, 1)
            return jnp.where(finite, share, jnp.nan)

        return _End(
            costs[-1],
            late_cost(costs),
            finite,
            jnp.any(hidden.slope(layer1_in_span(params, Span(Z1, K))) != 0),
            accuracy(Span(Z1, K), Y),
            accuracy(Span(Z1_test, K_test), Y_test),
            costs if keep_costs else None,
        )

    return jax.vmap(train)(rates, Z1, Z1_test, W2)


_block_program = functools.partial(
    jit_loop, _train_block, "nesterov", "hidden", "iterations", "keep_costs"
)
