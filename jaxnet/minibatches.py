"""Mini-batches: which examples each iteration sees.

Drawn by NumPy on the host, so that every program sees the same order: one network, thousands, a
stream or several processes, whatever random generator JAX is set to.
"""

import math

import numpy as np

from jaxnet.defaults import LARGEST_SEED
from jaxnet.epochs import steps_an_epoch
from jaxnet.errors import DataError, require_integer

# Fills up the last batch of an epoch, where the size of a batch does not divide the examples.
NO_EXAMPLE = -1


def draw_batches(seed: int, first: int, count: int, m: int, batch: int) -> np.ndarray:
    """Draw which examples the `count` iterations from `first` on see.

    Every epoch takes each of the m examples once, in an order that depends on the seed and the
    number of the epoch alone. Its last batch is smaller where `batch` does not divide m.

    Returns:
        Indices of the examples, (count, batch) int32; −1 fills up smaller batches.

    Raises:
        UsageError: If an argument is no integer or out of its range.

    Example:
        >>> batches = jaxnet.draw_batches(seed=0, first=0, count=3, m=5, batch=2)  # an epoch
        >>> batches.shape, sorted(batches.ravel().tolist())
        ((3, 2), [-1, 0, 1, 2, 3, 4])
    """
    require_integer("seed", seed, 0, LARGEST_SEED)
    require_integer("first", first, 0)
    for name, value in (("count", count), ("m", m), ("batch", batch)):
        require_integer(name, value, 1)
    steps = steps_an_epoch(m, batch)
    epochs = range(first // steps, math.ceil((first + count) / steps))
    order = np.full((len(epochs), steps * batch), NO_EXAMPLE, np.int32)
    order[:, :m] = draw_permutations(seed, epochs, m)
    start = first - epochs.start * steps
    return order.reshape(-1, batch)[start : start + count]


def draw_permutations(seed: int, epochs: range, m: int, *, stream: int = 0) -> np.ndarray:
    """Draw the order of m examples in consecutive epochs, (epochs, m).

    Another `stream`, up to 2⁶⁴ − 1, gives independent orders for the same seed.

    An epoch sorts the examples by random numbers of 64 bits, at a place of its own in the stream of
    Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), which NumPy
    guarantees not to change.
    """
    blocks = math.ceil(m / 4)  # a step of Philox's counter gives four numbers
    generator = np.random.Philox(key=seed + (stream << 64), counter=epochs.start * blocks)
    numbers = generator.random_raw(len(epochs) * blocks * 4).reshape(len(epochs), -1)
    return np.argsort(numbers[:, :m], axis=1, kind="stable")


def epoch_costs(costs: np.ndarray, m: int, batch: int | None) -> np.ndarray:
    """Compute the mean cost of every complete epoch.

    Args:
        costs: The cost of each batch before its update, (iterations,).
        m: The number of examples.
        batch: The number of examples of a batch; None if every step sees all.

    Returns:
        (epochs,), in which a batch counts by the number of its examples.

    Raises:
        DataError: If costs is no array (iterations,).
        UsageError: If m or batch is no integer or out of its range.
    """
    if not isinstance(costs, np.ndarray) or costs.ndim != 1:
        raise DataError(
            f"costs is of type {type(costs).__name__} and of shape {np.shape(costs)}",
            "a NumPy array (iterations,)",
            "give the costs of a Fit or a Run",
        )
    require_integer("m", m, 1)
    if batch is not None:
        require_integer("batch", batch, 1)
    steps = steps_an_epoch(m, batch)
    whole = costs[: len(costs) // steps * steps].reshape(-1, steps)
    sizes = np.full(steps, m if batch is None else batch)
    sizes[-1] = m - sizes[:-1].sum()
    return np.average(whole, axis=1, weights=sizes)
