"""Spread over seeds: what another seed would have given, of one training and of a sweep's cells.

Two uncertainties are kept apart. Percentiles over the seeds show what the choice of the seed does;
the Wilson interval of one network, or of the ensemble, what the choice of the pictures does.
"""

import itertools
from typing import NamedTuple

import numpy as np

from jaxnet.display import shown
from jaxnet.evaluation.scores import Interval, wilson
from jaxnet.many.seeds import Seeds
from jaxnet.many.sweep import Sweep

# With fewer seeds the 95th percentile is only interpolated: the range is given instead.
FEW_SEEDS = 20


class Spread(NamedTuple):
    """The median over the seeds, and the 5th and 95th percentile.

    With fewer than `FEW_SEEDS` seeds, `low` and `high` are the smallest and the largest value.
    """

    median: float
    low: float
    high: float


class SplitOverSeeds(NamedTuple):
    """The predictions of one split by networks that differ in their seeds.

    Attributes:
        accuracies: Of each network, (seeds,); NaN where its numbers are not finite.
        accuracy: Their spread.
        ensemble: The accuracy of the mean of their probabilities (Wilson interval).
        flips: (m,), the share of the networks that predict another class than the majority, 0 to
            0.5.
    """

    accuracies: np.ndarray
    accuracy: Spread
    ensemble: Interval
    flips: np.ndarray


@shown
class SpreadOverSeeds(NamedTuple):
    """The networks of many seeds compared.

    Attributes:
        seeds: The seeds, (seeds,).
        kept: The seed whose last cost is the median, the lower one of two.
        last_costs: The cost before the last update, (seeds,).
        outcomes: The outcome of each run, (seeds,).
        splits: The predictions of "train", and of "test" if it exists.
    """

    seeds: np.ndarray
    kept: int
    last_costs: np.ndarray
    outcomes: np.ndarray
    splits: dict[str, SplitOverSeeds]


class Percentiles(NamedTuple):
    """The median over the seeds, and the 5th and 95th percentile, interpolated if need be."""

    median: float
    p5: float
    p95: float


class Cell(NamedTuple):
    """The networks of a sweep that differ only in their seeds.

    Attributes:
        activation: Of the hidden units.
        learning_rate: α, or a pair, one for each layer.
        weight_scale: As in `Settings`.
        networks: How many are trained.
        learning: How many have this outcome.
        best_cost: The smallest last cost.
        cost: The last costs, of the networks whose numbers are finite; so are the accuracies.
        train_accuracy: On the training pictures.
        test_accuracy: On the test pictures, or None.
    """

    activation: str
    learning_rate: float | tuple[float, float]
    weight_scale: float | str
    networks: int
    learning: int
    best_cost: float
    cost: Percentiles
    train_accuracy: Percentiles
    test_accuracy: Percentiles | None


def spread_over_seeds(result: Seeds) -> SpreadOverSeeds:
    """Compare the networks of `train_seeds`: accuracies, their spread, the ensemble, flips."""
    finite = result.outcomes != "not finite"
    return SpreadOverSeeds(
        seeds=result.seeds,
        kept=result.kept,
        last_costs=result.last_costs,
        outcomes=result.outcomes,
        splits={
            name: compare_seeds(A2, result.labels[name], finite)
            for name, A2 in result.probabilities.items()
        },
    )


def compare_seeds(
    probabilities: np.ndarray, labels: np.ndarray, finite: np.ndarray
) -> SplitOverSeeds:
    """Compare the predictions of networks for the same pictures.

    Args:
        probabilities: (seeds, m), of class 1.
        labels: (m,) of 0 and 1.
        finite: (seeds,), whether the numbers of a network are finite; others are left out.
    """
    correct = ((probabilities > 0.5) == labels).mean(axis=1)
    positive = (probabilities[finite] > 0.5).mean(axis=0)
    together = (probabilities[finite].mean(axis=0, dtype=float) > 0.5) == labels
    return SplitOverSeeds(
        np.where(finite, correct, np.nan),
        spread(correct[finite]),
        wilson(int(together.sum()), labels.size),
        np.minimum(positive, 1 - positive),
    )


def spread(values: np.ndarray) -> Spread:
    """Compute the median of finite values (seeds,), with percentiles or the range."""
    ends = (5, 50, 95) if len(values) >= FEW_SEEDS else (0, 50, 100)
    low, median, high = (float(p) for p in np.percentile(values, ends))
    return Spread(median, low, high)


def count_outcomes(outcomes: np.ndarray) -> dict[str, int]:
    """Count the networks of each outcome, in an array of any shape."""
    names, counts = np.unique(outcomes, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def summarise_cells(sweep: Sweep) -> tuple[Cell, ...]:
    """Summarise each cell of a sweep over its seeds, the lowest median cost first.

    A cell of which no network is trained, or none has finite numbers, is left out.
    """
    grid = sweep.grid
    cells = []
    places = itertools.product(
        enumerate(grid.activations), enumerate(grid.learning_rates), enumerate(grid.weight_scales)
    )
    for (a, activation), (r, rate), (s, scale) in places:
        outcomes = sweep.outcomes[a, r, s]
        finite = ~np.isin(outcomes, ("", "not finite"))
        if not finite.any():
            continue
        costs = sweep.last_costs[a, r, s][finite]
        test = sweep.test_accuracies
        cells.append(
            Cell(
                activation=activation,
                learning_rate=rate,
                weight_scale=scale,
                networks=int((outcomes != "").sum()),
                learning=int((outcomes == "learning").sum()),
                best_cost=float(costs.min()),
                cost=_percentiles(costs),
                train_accuracy=_percentiles(sweep.train_accuracies[a, r, s][finite]),
                test_accuracy=None if test is None else _percentiles(test[a, r, s][finite]),
            )
        )
    return tuple(sorted(cells, key=lambda cell: cell.cost.median))


def _percentiles(values: np.ndarray) -> Percentiles:
    low, median, high = (float(p) for p in np.percentile(values, (5, 50, 95)))
    return Percentiles(median, low, high)
