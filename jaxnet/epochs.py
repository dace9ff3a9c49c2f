"""The length of a training: iterations, or epochs. Importable without NumPy, for the help."""

import math

from jaxnet.defaults import ITERATIONS, MOST_ITERATIONS
from jaxnet.errors import UsageError, require_integer


def true_batch(m: int, batch: int | None) -> int | None:
    """Return the size of a mini-batch of m examples; None if it would be all of them."""
    return None if batch is None or batch >= m else batch


def steps_an_epoch(m: int, batch: int | None) -> int:
    """Count the batches of an epoch of m examples; without mini-batches it is one."""
    return 1 if batch is None else math.ceil(m / batch)


def count_iterations(
    m: int, batch: int | None, iterations: int | None = None, epochs: int | None = None
) -> int:
    """Count the updates of a training, whose length is given in iterations or in epochs.

    Raises:
        UsageError: If both are given, or one is out of its range.
    """
    if batch is not None:
        require_integer("batch", batch, 1)
    if epochs is None:
        iterations = ITERATIONS if iterations is None else iterations
        require_integer("iterations", iterations, 1, MOST_ITERATIONS)
        return int(iterations)
    require_one_length(iterations, epochs)
    require_integer("epochs", epochs, 1, MOST_ITERATIONS // steps_an_epoch(m, batch))
    return int(epochs) * steps_an_epoch(m, batch)


def require_one_length(iterations: int | None, epochs: int | None) -> None:
    """Raise a UsageError if the length of a training is given in iterations and in epochs."""
    if iterations is not None and epochs is not None:
        raise UsageError(
            f"iterations is {iterations} and epochs is {epochs}",
            "one of the two, since each says how long to train",
            "leave one of them out",
        )
