"""Many networks in one program, in blocks over all devices.

Every network is trained as `fit` trains one, in the span of the pictures, or in their features
where these are fewer: the same step under `jax.vmap`. The networks share the products K of the
pictures, and differ in their initial weights, their learning rates, their weight decays, the order
of their mini-batches, and the weights of the examples, by which folds, subsets, bootstraps and
pictures left out are trained. They are trained in blocks, sharded over all devices of the process:
64 networks a CPU core, whose numbers stay in its cache, or 4,096 a GPU.

With patience, the cost of each network on pictures that it is not trained on is computed before
each update, from the same products. A network whose patience is at its end changes no more, while
the others of its block go on.

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
from jaxnet.descent import Progress, TrainState, add_decay
from jaxnet.devices import at_highest_precision, find_devices, jit_loop
from jaxnet.epochs import steps_an_epoch, true_batch
from jaxnet.errors import UsageError, require_number
from jaxnet.examples import Examples, select
from jaxnet.many.grid import Rate, WeightScale
from jaxnet.minibatches import draw_batches
from jaxnet.network import Forward, Params, forward_from, layer_scales
from jaxnet.normals import draw_normals, make_key
from jaxnet.optimizer import Sgd, largest_number, sgd
from jaxnet.outcomes import is_active, judge, label_entropy, late_cost, late_cost_until
from jaxnet.progress import Track, silent
from jaxnet.settings import Settings
from jaxnet.span import Span, exact_product, layer1_in_span, span_cost_and_gradients
from jaxnet.stability import require_decay
from jaxnet.validation import Best, Validation, judge_validation, keep_lower, start_best

CPU_BLOCK, GPU_BLOCK = 64, 4096
SEEDS_AT_ONCE = 64

# Memory limits, in array elements: per block and device, and of normals drawn together; all starts.
MOST_AT_ONCE = 100_000_000
MOST_IN_STARTS = 500_000_000


class Variant(NamedTuple):
    """In what networks of one program differ, beside their seed and the weights of the examples.

    Attributes:
        learning_rate: A number, or a pair (α of layer 1, α of layer 2).
        weight_scale: As `Settings.weight_scale`.
        weight_decay: As `Settings.weight_decay`.
    """

    learning_rate: Rate
    weight_scale: WeightScale
    weight_decay: float


class Ends(NamedTuple):
    """The results of networks; every array is (variants, ways, seeds, …).

    With patience, the accuracies and probabilities are those of the weights with the lowest
    validation cost, and the other results those of the updates that were made.

    Attributes:
        last_costs: The cost before the last update.
        outcomes: The outcome, as `jaxnet.outcome` defines it.
        train_accuracies: On all pictures of X, those of weight 0 included; NaN where a cost or
            parameter is not finite.
        test_accuracies: On the test pictures, likewise.
        costs: (…, iterations), the cost before each update, if asked for; NaN of those that were
            not made.
        train_A2: (…, m), the probability of each picture of X, if asked for.
        test_A2: (…, m′), that of each test picture, likewise.
        best_iterations: With patience, the number of updates before the validation cost was lowest,
            −1 if it never was finite; else None.
        params: W1, b1, W2 and b2, each (…) and its own shape, if asked for.
    """

    last_costs: np.ndarray
    outcomes: np.ndarray
    train_accuracies: np.ndarray
    test_accuracies: np.ndarray
    costs: np.ndarray | None
    train_A2: np.ndarray | None
    test_A2: np.ndarray | None
    best_iterations: np.ndarray | None
    params: dict[str, np.ndarray] | None


def train_networks(
    examples: Examples,
    settings: Settings,
    *,
    seeds: np.ndarray,
    test: Examples | None = None,
    variants: Sequence[Variant] | None = None,
    example_weights: np.ndarray | None = None,
    validation_weights: np.ndarray | None = None,
    keep_costs: bool = False,
    keep_probabilities: bool = False,
    keep_params: bool = False,
    block: int | None = None,
    track: Track = silent,
) -> Ends:
    """Train a network for every variant, every way to weight the examples, and every seed.

    Args:
        examples: X (n_x, m), Y and weights, which `examples_of` has checked.
        settings: What the networks share. Its rate, weight scale and decay are those of the one
            variant if no variants are given; its seed is not used.
        seeds: Integers, (seeds,), or (ways, seeds) if each way has its own; each draws what
            `init_params` draws from `jax.random.key(seed)`.
        test: The test pictures.
        variants: In what the networks differ.
        example_weights: (ways, m), by which the weights of the examples are multiplied, in each of
            the ways to train; 0 leaves an example out. By default one way, with all examples.
        validation_weights: (ways, m), the weights of the examples in the validation cost, which are
            not trained on in this way; given if, and only if, the settings have a patience.
        keep_costs: Whether to return the cost of every iteration.
        keep_probabilities: Whether to return the probability of every picture.
        keep_params: Whether to return the parameters.
        block: How many networks a device trains at a time; by default 64 on a CPU, 4,096 elsewhere.
        track: Shows the progress, block by block.

    Raises:
        UsageError: If a rate is infinite in the type of X, a weight decay overshoots with its rate,
            or the starts do not fit into memory.
    """
    X, Y, weights = examples
    settings = settings.for_examples(Y.size)
    X_test, Y_test = (X[:, :0], Y[:, :0]) if test is None else test[:2]
    if variants is None:
        variants = [Variant(settings.learning_rate, settings.weight_scale, settings.weight_decay)]
    _check_variants(variants, settings, X.dtype)
    rates = np.array([np.broadcast_to(variant.learning_rate, 2) for variant in variants], X.dtype)
    decays = np.array([variant.weight_decay for variant in variants], X.dtype)
    weight_scales = list(dict.fromkeys(variant.weight_scale for variant in variants))
    scale_of = np.array([weight_scales.index(variant.weight_scale) for variant in variants])
    own_weights = _weights_of_ways(example_weights, weights, X.dtype)
    watched = _weights_of_ways(validation_weights, None, X.dtype)
    ways = 1 if own_weights is None else len(own_weights)
    grid = (len(variants), ways, seeds.shape[-1])
    drawn_seeds, number = np.unique(np.broadcast_to(seeds, grid[1:]), return_inverse=True)
    number = number.reshape(grid[1:])
    n_h, starts = settings.hidden_units, len(weight_scales) * len(drawn_seeds)
    _check_memory(n_h, X.shape[1] + X_test.shape[1], starts)
    K, K_test = X, X_test  # of fewer features than pictures, which are then the smaller basis
    if X.shape[1] <= len(X):
        pictures = np.asarray(X, np.float64)
        K, K_test = (exact_product(pictures.T, other, X.dtype) for other in (pictures, X_test))
    scales = [layer_scales(scale, len(X), n_h) for scale in weight_scales]
    drawn = [_draw_starts(drawn_seeds, scale, X, X_test, n_h) for scale in scales]
    Z1, Z1_test, W2 = (np.concatenate(parts) for parts in zip(*drawn, strict=True))

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
        v, w, k = np.unravel_index(members, grid)
        seed = number[w, k]
        s = scale_of[v] * len(drawn_seeds) + seed
        own = _Network(
            rates[v],
            # Where nothing decays, the program has no s.
            decays[v] if decays.any() else None,
            None if own_weights is None else own_weights[w],
            None if watched is None else watched[w],
            None if batch is None else _batches(drawn_seeds[seed], iterations, m, batch),
            Z1[s],
            Z1_test[s],
            W2[s],
        )
        ends = train_block(
            jax.tree.map(shard, own),
            settings.momentum,
            settings.patience,
            shared,
            nesterov=settings.nesterov,
            hidden=settings.hidden,
            iterations=iterations,
            epoch=steps_an_epoch(m, batch),
            keep_costs=keep_costs,
            keep_probabilities=keep_probabilities,
            keep_params=keep_params,
        )
        results.append(jax.device_get(ends))

    end = _join(results, networks, grid)
    entropy = _entropies(Y, weights, own_weights).reshape(-1, 1)
    outcomes = judge(end.finite, end.active, end.first_cost, end.late_cost, entropy)
    accuracies = (end.train_accuracy, end.test_accuracy)
    kept = (end.costs, end.train_A2, end.test_A2, end.best_iteration)
    params = None
    if keep_params:
        initial = np.stack([_draw_first(seeds, scale, len(X), n_h) for scale in scales])
        params = _leave_basis(end.params, initial[scale_of], X)
    return Ends(end.last_cost, outcomes, *accuracies, *kept, params)


def _draw_first(seeds: np.ndarray, scale: tuple[float, float], n_x: int, n_h: int) -> np.ndarray:
    """Draw the first W1 of every seed, (seeds, n_h, n_x), as `init_params` does."""
    drawn = (draw_normals(make_key(int(seed)), n_x, n_h)[0] for seed in seeds)
    return np.stack([W1 * np.float32(scale[0]) for W1 in drawn])


def _leave_basis(
    coefficients: dict[str, np.ndarray], first: np.ndarray, X: jax.Array
) -> dict[str, np.ndarray]:
    """Convert coefficients (variants, ways, seeds, …) to pixels: s W1₀ + C Xᵀ, or + C itself.

    Args:
        coefficients: C, b1, W2, b2, and s if weights decay.
        first: The first W1, (variants, seeds, n_h, n_x).
        X: (n_x, m).
    """
    C, pictures = np.asarray(coefficients["C"], np.float64), np.asarray(X, np.float64)
    W1 = first[:, None] * coefficients["s"] if "s" in coefficients else first[:, None]
    with np.errstate(over="ignore", invalid="ignore"):  # of networks that are not finite
        W1 = W1 + (C if C.shape[-1] < X.shape[1] else C @ pictures.T)
    return {"W1": W1.astype(X.dtype)} | {name: coefficients[name] for name in ("b1", "W2", "b2")}


def _check_variants(variants: Sequence[Variant], settings: Settings, dtype: np.dtype) -> None:
    for variant in variants:
        for rate in np.ravel(variant.learning_rate):
            require_number("a learning rate", rate, 0, largest_number(dtype))
        largest = float(np.max(variant.learning_rate))
        require_decay(variant.weight_decay, largest, settings.momentum, settings.nesterov)


def _weights_of_ways(
    given: np.ndarray | None, weights: jax.Array | None, dtype: np.dtype
) -> np.ndarray | None:
    """Compute the weight of each example in each way, (ways, 1, m); None if none are given."""
    if given is None:
        return None
    product = np.asarray(given) if weights is None else given * np.asarray(weights)
    return product.astype(dtype)[:, None]


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


def require_finite(outcomes: np.ndarray) -> None:
    """Raise a UsageError if the numbers of a network are not finite, by the outcomes of all."""
    overflows = int((outcomes == "not finite").sum())
    if overflows:
        raise UsageError(
            f"{overflows} of {outcomes.size} networks have numbers that are not finite",
            "finite numbers",
            "take a smaller learning rate",
        )


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


def _entropies(Y: jax.Array, weights: Any, of_ways: np.ndarray | None) -> np.ndarray:
    """Compute the label entropy of each way, (ways,)."""
    if of_ways is None:
        return np.array([label_entropy(Y, weights)])
    return np.array([label_entropy(Y, w) for w in of_ways])


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
    weight_decay: Any  # () or None
    weights: Any  # (1, m) or None
    validation_weights: Any  # (1, m) or None
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
    best_iteration: Any
    params: Any


class _Trained(NamedTuple):
    """What a descent has reached.

    Attributes:
        params: The coefficients after the last update.
        costs: (iterations,), NaN where no update was made.
        made: With patience, the number of updates, (); else None.
        best: With patience, where the validation cost was lowest; else None.
    """

    params: Params
    costs: jax.Array
    made: Any
    best: Best | None


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
    patience: int | None,
    shared: _Shared,
    *,
    nesterov: bool,
    hidden: Activation,
    iterations: int,
    epoch: int,
    keep_costs: bool,
    keep_probabilities: bool,
    keep_params: bool,
) -> _End:
    """Train the networks of a block, whose arrays have one more axis in front."""
    optimizer = sgd(1.0, momentum, nesterov)

    def train(own: _Network) -> tuple[_End, jax.Array]:
        trained = _descend(own, shared, optimizer, patience, hidden, iterations)
        end = _measure(own, shared, trained, hidden, epoch)
        return end._replace(
            costs=end.costs if keep_costs else None,
            train_A2=end.train_A2 if keep_probabilities else None,
            test_A2=end.test_A2 if keep_probabilities else None,
            params=end.params if keep_params else None,
        ), trained.params["C"]

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
    patience: int | None,
    hidden: Activation,
    iterations: int,
) -> _Trained:
    """Train one network."""
    span = Span(own.Z1, shared.K)
    rate1, rate2 = own.rates
    rate_of = {"C": rate1, "s": rate1, "b1": rate1, "W2": rate2, "b2": rate2}
    zeros = {"C": (len(own.Z1), len(shared.K)), "b1": (own.W2.shape[1], 1), "b2": (1, 1)}
    params = {name: jnp.zeros(shape, own.W2.dtype) for name, shape in zeros.items()}
    params |= {"W2": own.W2}
    if own.weight_decay is not None:
        params["s"] = jnp.ones((1, 1), own.W2.dtype)

    def step(state: TrainState, t: Any) -> tuple[TrainState, jax.Array]:
        indices, w = select(t, shared.Y, _weights(own, shared), batches=own.batches)
        cost, gradients = span_cost_and_gradients(state.params, span, shared.Y, hidden, w, indices)
        gradients = add_decay(gradients, state.params, own.weight_decay)
        # SGD is linear, so that a rate a layer may be applied to what goes in.
        gradients = {name: rate_of[name] * leaf for name, leaf in gradients.items()}
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
        return TrainState(optax.apply_updates(state.params, updates), opt_state), cost

    start = TrainState(params, optimizer.init(params))
    if patience is None:
        last, costs = lax.scan(step, start, jnp.arange(iterations))
        return _Trained(last.params, costs, None, None)
    validation = Validation(span, shared.Y, own.validation_weights, patience)

    def watched_step(progress: Progress, t: jax.Array) -> tuple[Progress, Any]:
        state, best = progress
        assert best is not None
        stopped = best.age >= patience
        # XLA computes Z1 once, for this cost and that of the step.
        validation_cost, _ = judge_validation(state.params, validation, hidden)
        judged = keep_lower(best, validation_cost, state.params)
        new, cost = step(state, t)
        reached = jax.tree.map(
            lambda old, new: jnp.where(stopped, old, new), progress, Progress(new, judged)
        )
        return reached, (jnp.where(stopped, jnp.nan, cost), ~stopped)

    no_costs = np.empty(0, own.W2.dtype)
    begin = Progress(start, start_best(params, None, no_costs))
    reached, (costs, made) = lax.scan(watched_step, begin, jnp.arange(iterations))
    return _Trained(reached.state.params, costs, jnp.sum(made), reached.best)


def _weights(own: _Network, shared: _Shared) -> jax.Array | None:
    return shared.weights if own.weights is None else own.weights


def _measure(
    own: _Network, shared: _Shared, trained: _Trained, hidden: Activation, epoch: int
) -> _End:
    """Compute the results of a trained network."""
    last, costs, made, best = trained
    late, made_costs, best_iteration = late_cost(costs, epoch), costs, None
    kept = last
    if best is not None:
        made_costs = jnp.where(jnp.arange(costs.size) < made, costs, 0)
        late = late_cost_until(made, costs, epoch)
        kept, best_iteration = best.params, made - 1 - best.age
    numbers = (made_costs, *last.values())
    finite = functools.reduce(jnp.logical_and, (jnp.isfinite(leaf).all() for leaf in numbers))

    def outputs(params: Params, span: Span) -> Forward:
        return forward_from(layer1_in_span(params, span), params["W2"], params["b2"], hidden)

    own_span = Span(own.Z1, shared.K)
    trained_on = outputs(kept, own_span)
    tested = outputs(kept, Span(own.Z1_test, shared.K_test))
    Z1 = trained_on.Z1 if best is None else layer1_in_span(last, own_span)
    return _End(
        costs[0],
        costs[-1] if best is None else costs[made - 1],
        late,
        finite,
        is_active(Z1, hidden, _weights(own, shared)),
        _accuracy(trained_on.A2, shared.Y),
        _accuracy(tested.A2, shared.Y_test),
        costs,
        trained_on.A2[0],
        tested.A2[0],
        best_iteration,
        kept,
    )


def _accuracy(A2: jax.Array, Y: jax.Array) -> jax.Array:
    return jnp.sum((A2 > 0.5) == Y, dtype=A2.dtype) / max(Y.size, 1)


@at_highest_precision
def _weights_finite(C: jax.Array, finite: jax.Array, X: jax.Array) -> jax.Array:
    """Compute whether W1 = W1₀ + C Xᵀ, which `fit` returns, is finite where C is: (networks,).

    C of features is W1 − W1₀ itself.
    Only if some may overflow are they multiplied, which takes as long as an iteration in pixels.
    """
    if C.shape[2] < X.shape[1]:
        return jnp.ones_like(finite)
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
    "keep_params",
)
