"""The choice of a learning rate: one small sweep on the training set."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import examples_of
from jaxnet.display import shown
from jaxnet.epochs import steps_an_epoch, true_batch
from jaxnet.errors import UsageError, require_kind
from jaxnet.examples import Examples
from jaxnet.many.grid import Grid, read_values
from jaxnet.many.sweep import Sweep, check_many, sweep
from jaxnet.outcomes import late_cost
from jaxnet.progress import Track, automatic
from jaxnet.settings import Settings
from jaxnet.stability import largest_curvature

RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
SEEDS = 16


@shown
class ChosenRate(NamedTuple):
    """A learning rate, and the sweep that chose it.

    Attributes:
        rate: The chosen rate.
        rates: The rates that were tried, ascending, (rates,).
        worst_costs: Of each, the largest late cost of the seeds that learn; infinite where none
            does, (rates,).
        outcomes: Of each rate and seed, as `jaxnet.outcome` defines it, (rates, seeds).
        left_out: Rates that were not tried: with them the weight decay overshoots.
    """

    rate: float
    rates: np.ndarray
    worst_costs: np.ndarray
    outcomes: np.ndarray
    left_out: tuple[float, ...]

    @property
    def learning(self) -> np.ndarray:
        """How many seeds learn at each rate, (rates,)."""
        return _count_learning(self.outcomes)


def choose_learning_rate(
    data: Dataset | Examples,
    settings: Settings | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    rates: Iterable[float] = RATES,
    seeds: int = SEEDS,
    track: Track = automatic,
) -> ChosenRate:
    """Choose the largest rate that learns within the iterations as well as every smaller one.

    A network is trained from every seed at every rate, to the end of its iterations. Of the rates
    at which the most seeds are "learning", by default all, the one is chosen whose worst seed has
    the lowest late cost: the mean cost of the last 5 % of the iterations, by which the outcome is
    judged, too. At every larger rate the worst seed ends higher, or fewer seeds learn. Of equal
    costs that of the largest rate counts.

    The outcome alone would choose a bad rate, since it asks only whether the late cost is below the
    label entropy. After 2,500 iterations of the article's network on the sketches all of 16 seeds
    are "learning" at the rate 1, the worst with a late cost of 0.56; at 0.2 the worst has 0.003.
    The late cost of the worst of 16 seeds, at the chosen rate and its neighbours:

    ========================  ===========  ===========  ===========
    sketches                  0.1: 0.006   0.2: 0.003   0.5: 0.033
    sketches, leaky ReLU, He  0.05: 0.009  0.1: 0.004   0.2: 0.009
    sketches, 300 iterations  0.05: 0.113  0.1: 0.050   0.2: 0.096
    the article's cats        0.05: 0.013  0.1: 0.006   0.2: 0.019
    cats, pixel scale "unit"  0.02: 0.234  0.05: 0.192  0.1: 0.593
    ========================  ===========  ===========  ===========

    Args:
        data: The pictures, of which only the training set is used; or the training examples.
        settings: Those of the training; its learning rate plays no part, nor has it a patience. The
            seeds start at its seed.
        preprocessing: How the pictures of a data set become columns.
        rates: The rates to try.
        seeds: The number of seeds.
        track: Shows the progress.

    Raises:
        DataError: If the data cannot be used.
        UsageError: If many networks cannot be trained with these settings, or no rate learns.

    Example:
        >>> data = jaxnet.load_dataset("sketches", count=20)
        >>> settings = jaxnet.Settings(iterations=100)
        >>> jaxnet.choose_learning_rate(data, settings, rates=[1e-6, 0.1], seeds=2).rate
        0.1
    """
    settings = settings or Settings()
    require_kind("settings", settings, Settings)
    require_rate_choice(settings, seeds)
    examples, _ = examples_of(data, settings, preprocessing)
    tried, left_out = _split_by_decay(_read_rates(rates), settings)
    result = sweep_rates(examples, tried, settings, seeds=seeds, track=track)
    assert result.costs is not None
    outcomes = result.outcomes[0, :, 0]  # (rates, seeds)
    learns = outcomes == "learning"
    m = examples.Y.size
    costs = np.where(learns[..., None], result.costs[0, :, 0], 0)  # (rates, seeds, iterations)
    late = late_cost(costs, steps_an_epoch(m, true_batch(m, settings.batch)))
    worst = np.where(learns.any(axis=1), late.max(axis=1), np.inf)
    if not learns.any():
        iterations = settings.for_examples(m).iterations
        raise UsageError(
            f"no learning rate of {_listed(tried)} learns within {iterations:,} iterations, from "
            f"any of {seeds} seeds",
            "a rate with which the cost falls below that of always predicting the class rate",
            "give the learning rate as a number, more iterations, or another weight_scale, "
            "pixel_scale or weight_decay",
        )
    return ChosenRate(
        tried[place_of_best(worst, outcomes)], np.array(tried), worst, outcomes, left_out
    )


def sweep_rates(
    examples: Examples, rates: Sequence[float], settings: Settings, *, seeds: int, track: Track
) -> Sweep:
    """Train the network of these settings at every rate, to its end, and keep the costs.

    Args:
        examples: The training set, with the weights and mirror images that the settings ask for.
        rates: The learning rates.
        settings: What the networks share.
        seeds: How many, from that of the settings on.
        track: Shows the progress.
    """
    grid = Grid(tuple(rates), (settings.weight_scale,), seeds, (settings.activation,))
    made = dataclasses.replace(settings, balanced=False, mirrored=False, patience=None)
    return sweep(examples, grid, made, keep_costs=True, track=track)


def require_rate_choice(settings: Settings, seeds: int = SEEDS) -> None:
    """Raise a UsageError unless a rate for these settings can be chosen by a sweep."""
    try:
        check_many(dataclasses.replace(settings, patience=None), seeds)
    except UsageError as error:
        raise UsageError(
            f"{error.found}, by which the learning rate is to be chosen",
            error.expected,
            "give the learning rate as a number",
        ) from error


def place_of_best(worst_costs: np.ndarray, outcomes: np.ndarray) -> int:
    """Find the place of the lowest worst cost among the rates at which the most seeds learn.

    Args:
        worst_costs: As in `ChosenRate`, (rates,).
        outcomes: Likewise, (rates, seeds).
    """
    learning = _count_learning(outcomes)
    costs = np.where(learning == learning.max(), worst_costs, np.inf)
    return int(np.flatnonzero(costs == costs.min())[-1])


def _count_learning(outcomes: np.ndarray) -> np.ndarray:
    return np.count_nonzero(outcomes == "learning", axis=1)


def _read_rates(given: Iterable[float]) -> list[float]:
    """Check the rates, and sort them."""
    values = read_values("rates", given)
    if any(isinstance(value, tuple) for value in values):
        raise UsageError("rates holds pairs", "a number for both layers", "give numbers as rates")
    return sorted(values)


def _split_by_decay(
    rates: list[float], settings: Settings
) -> tuple[list[float], tuple[float, ...]]:
    """Split rates into those that are stable with the weight decay, and the others."""

    def is_stable(rate: float) -> bool:
        largest = largest_curvature(rate, settings.momentum, settings.nesterov)
        return settings.weight_decay <= largest

    stable = [rate for rate in rates if is_stable(rate)]
    if not stable:
        raise UsageError(
            f"weight_decay is {settings.weight_decay:g}, which overshoots with every learning rate "
            f"of {_listed(rates)}",
            "a weight_decay with which the weights do not grow",
            "take a smaller weight_decay, or give the learning rate as a number",
        )
    return stable, tuple(rate for rate in rates if not is_stable(rate))


def _listed(rates: Sequence[float]) -> str:
    return ", ".join(f"{rate:g}" for rate in rates)
