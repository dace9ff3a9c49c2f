"""What to tell the user of a run that went wrong, measured and not guessed."""

import jax

from jaxnet.activations import Activation, relu
from jaxnet.many.engine import Scale
from jaxnet.many.sweep import sweep
from jaxnet.outcomes import any_active
from jaxnet.progress import Track, silent
from jaxnet.training import LONGEST_CHUNK, Descent, fit_in_chunks

# How often the rate is halved in search of one that learns: down to a 65,536th.
HALVINGS = 16


def largest_rate_that_learns(
    key: jax.Array,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    below: float,
    scale: Scale = 0.01,
    n_h: int = 8,
    momentum: float = 0.0,
    nesterov: bool = False,
    iterations: int = 2500,
    weights: jax.Array | None = None,
    track: Track = silent,
) -> float | None:
    """Find the largest of α/2, α/4, … that learns from the same start, in one small sweep.

    It takes the arithmetic of sixteen runs in the span, as `operations` counts it.

    Args:
        key: Draws the start, as in `init_params`.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        below: α, with which it did not learn.
        scale: Of the first weights, as in `init_params`.
        n_h: The number of hidden units.
        momentum: As in `fit`.
        nesterov: As in `fit`.
        iterations: As many as are to be made.
        weights: The weight of each example, (1, m).
        track: Shows the progress.

    Returns:
        The rate, or None if none of them learns.
    """
    rates = [below / 2**halvings for halvings in range(1, HALVINGS + 1)]
    ends = sweep(
        key[None],
        X,
        Y,
        hidden,
        learning_rates=rates,
        scales=[scale],
        n_h=n_h,
        momentum=momentum,
        nesterov=nesterov,
        iterations=iterations,
        weights=weights,
        track=track,
    )
    learn = ends.outcomes[:, 0, 0] == "learning"
    return next((rate for rate, learns in zip(rates, learn, strict=True) if learns), None)


def operations(X: jax.Array, n_h: int, iterations: int) -> float:
    """Count the floating-point operations of a search for a rate that learns."""
    n_x, m = X.shape
    return 2.0 * m**2 * (n_x + HALVINGS * iterations * n_h)


def dead_since(
    start: Descent,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    iterations: int,
    weights: jax.Array | None = None,
    track: Track = silent,
) -> int:
    """Find after how many updates no hidden unit of a dead run was active any more.

    The run is made again, in ever smaller chunks. By plain gradient descent what is dead stays so,
    since nothing but b2 changes; with momentum a unit may come back, and this finds the first time.

    Args:
        start: The descent as it started, by plain gradient descent.
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        iterations: After which the run is dead.
        weights: The weight of each example, (1, m).
        track: Shows the progress.
    """
    alive, dead = start, iterations
    if not any_active(alive.params, alive.X, hidden):
        return len(alive.costs)
    for chunk in (LONGEST_CHUNK, 30, 1):
        fits = fit_in_chunks(alive, Y, hidden, iterations=dead, weights=weights, chunk=chunk)
        count = -(-(dead - len(alive.costs)) // chunk)
        for fit in track(fits, "since when it is dead", count):
            if not any_active(fit.params, alive.X, hidden):
                dead = len(fit.costs)
                break
            alive = fit.descent
    return dead
