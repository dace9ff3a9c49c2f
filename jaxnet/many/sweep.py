"""Thousands of networks in one program: learning rates × first scales × seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_targets
from jaxnet.many.engine import Rate, Scale, train_networks
from jaxnet.progress import Track, silent


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
        keys: One random key a seed, (seeds,), such as `jax.vmap(jax.random.key)(jnp.arange(64))`;
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
    ends = train_networks(
        keys,
        X,
        Y,
        hidden,
        learning_rates=learning_rates,
        scales=scales,
        n_h=n_h,
        momentum=momentum,
        nesterov=nesterov,
        iterations=iterations,
        weightings=None if weights is None else np.asarray(weights)[None],
        test=test,
        keep_costs=keep_costs,
        block=block,
        track=track,
    )
    return Sweep(
        ends.last_costs[:, 0],
        ends.outcomes[:, 0],
        ends.train_accuracies[:, 0],
        None if test is None else ends.test_accuracies[:, 0],
        None if ends.costs is None else ends.costs[:, 0],
    )
