"""What went wrong in a run, measured: since when it is dead, and which smaller rate learns."""

from typing import Literal, NamedTuple

import jax
import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.descent import LONGEST_CHUNK
from jaxnet.devices import at_precision
from jaxnet.epochs import true_batch
from jaxnet.errors import UsageError
from jaxnet.evaluation.learning_rate import sweep_rates
from jaxnet.examples import Examples
from jaxnet.network import loss
from jaxnet.outcomes import FAILED, any_active
from jaxnet.progress import Track, automatic, silent
from jaxnet.runs.run import Run, columns_of, first_params
from jaxnet.settings import Settings
from jaxnet.training import Descent, fit_in_chunks, start_descent

# How often the rate is halved in search of one that learns: down to a 65,536th.
HALVINGS = 16

# The most arithmetic that goes into the search: some ten seconds on two cores.
MOST_OPERATIONS = 1e12

_loss = jax.jit(loss, static_argnames="hidden")

Reason = Literal[
    "",  # the run did not fail
    "first cost not finite",
    "zero weights",
    "zero rate",
    "rate too large",
    "no smaller rate learns",
    "search too long",
    "not sgd",
    "shifted",
]


class Diagnosis(NamedTuple):
    """What went wrong in a run, as far as it was measured.

    Attributes:
        outcome: The outcome of the run.
        reason: Why it failed; "search too long", "not sgd" and "shifted" say why that
            was not measured.
        failed_at: Of a run that is not finite, the iteration at which it stopped.
        dead_since: Of a dead run, after how many updates it was dead, if that is known.
        learning_rate_that_learns: The largest of α/2, α/4, … that learns from the same start.
        searched_down_to: The smallest rate that was tried; None if none was.
    """

    outcome: str
    reason: Reason
    failed_at: int | None = None
    dead_since: int | None = None
    learning_rate_that_learns: float | None = None
    searched_down_to: float | None = None


def diagnose(run: Run, data: Dataset | None = None, *, track: Track = automatic) -> Diagnosis:
    """Find out what went wrong in a run that failed, as far as that is quick.

    Args:
        run: From `train` or `resume`; or from `load_run`, with its data.
        data: The pictures of the run, if it was loaded from a file.
        track: Shows the progress.

    Raises:
        UsageError: If the run failed, and its pictures or settings are not known.
    """
    if run.outcome not in FAILED:
        return Diagnosis(run.outcome, "")
    settings = run.settings
    if settings is None:
        raise UsageError(
            "the run has no settings",
            "a run that train returned or Run.save wrote",
            "train it with train(…)",
        )
    examples = columns_of(run, data)
    with at_precision(settings.precision):
        start = start_descent(
            first_params(run),
            examples.X,
            settings.make_optimizer(),
            settings.basis,
            weight_decay=settings.weight_decay,
        )
        found = Diagnosis(run.outcome, "")
        if run.outcome == "not finite":
            found = found._replace(failed_at=len(run.costs) - 1)
        moves_on = settings.momentum or settings.weight_decay or settings.shift
        plain = settings.optimizer == "sgd" and not moves_on
        if run.outcome == "dead" and plain:
            made = len(run.costs)
            since = dead_since(start, examples, settings, iterations=made, track=track)
            found = found._replace(dead_since=since)
        reason = _reason_before_search(run, settings, start, examples)
        if reason:
            return found._replace(reason=reason)
        with jax.default_prng_impl(str(run.origin["prng"])):
            rate = largest_rate_that_learns(examples, settings, track=track)
    return found._replace(
        reason="no smaller rate learns" if rate is None else "rate too large",
        learning_rate_that_learns=rate,
        searched_down_to=settings.learning_rate / 2**HALVINGS,
    )


def _reason_before_search(
    run: Run, settings: Settings, start: Descent, examples: Examples
) -> Reason | None:
    """Determine a reason that no other rate mends, or why none is searched for."""
    X, Y, weights = examples
    if not np.isfinite(_loss(start.params, X, Y, run.hidden, weights)):
        return "first cost not finite"
    if settings.weight_scale == 0 and run.outcome == "dead":
        return "zero weights"
    if settings.learning_rate == 0:
        return "zero rate"
    if settings.optimizer != "sgd":
        return "not sgd"
    if settings.shift:
        return "shifted"
    if operations(X, settings) > MOST_OPERATIONS:
        return "search too long"
    return None


def largest_rate_that_learns(
    examples: Examples, settings: Settings, *, track: Track = silent
) -> float | None:
    """Find the largest of α/2, α/4, … that learns from the same start, in one small sweep.

    It takes the arithmetic of sixteen runs in the span, as `operations` counts it.

    Args:
        examples: The training set.
        settings: Those of the run that did not learn, with its rate α.
        track: Shows the progress.

    Returns:
        The rate, or None if none of them learns.
    """
    rates = [settings.learning_rate / 2**halvings for halvings in range(1, HALVINGS + 1)]
    result = sweep_rates(examples, rates, settings, seeds=1, track=track)
    outcomes = result.outcomes[0, :, 0, 0]
    learn = (rate for rate, outcome in zip(rates, outcomes, strict=True) if outcome == "learning")
    return next(learn, None)


def operations(X: jax.Array, settings: Settings) -> float:
    """Count the floating-point operations of a search for a rate that learns."""
    n_x, m = X.shape
    seen = true_batch(m, settings.batch) or m
    return 2.0 * m * (m * n_x + HALVINGS * settings.iterations * settings.hidden_units * seen)


def dead_since(
    start: Descent,
    examples: Examples,
    settings: Settings,
    *,
    iterations: int,
    track: Track = silent,
) -> int:
    """Find after how many updates no hidden unit of a dead run was active any more.

    The run is repeated, in ever smaller chunks. In plain gradient descent a dead network stays
    dead, since nothing but b2 changes; with momentum a unit may become active again, and this finds
    the first time.

    Args:
        start: The descent as it started, in plain gradient descent.
        examples: The training set.
        settings: Those of the run: its activation, and what its batches depend on.
        iterations: After which the run is dead.
        track: Shows the progress.
    """
    alive, dead = start, iterations
    _, Y, weights = examples
    hidden = settings.hidden
    if not any_active(alive.params, alive.X, hidden, weights):
        return len(alive.costs)
    for chunk in (LONGEST_CHUNK, 30, 1):
        fits = fit_in_chunks(
            alive,
            Y,
            hidden,
            iterations=dead,
            batch=settings.batch,
            seed=settings.seed,
            weights=weights,
            chunk=chunk,
        )
        count = -(-(dead - len(alive.costs)) // chunk)
        for fit in track(fits, "since when it is dead", count):
            if not any_active(fit.params, alive.X, hidden, weights):
                dead = len(fit.costs)
                break
            alive = fit.descent
    return dead
