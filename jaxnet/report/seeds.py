"""The spread over seeds in sentences."""

from jaxnet.evaluation.spread import (
    FEW_SEEDS,
    SplitOverSeeds,
    SpreadOverSeeds,
    count_outcomes,
)
from jaxnet.report.words import with_outcomes


def describe_seeds(spread: SpreadOverSeeds) -> list[str]:
    """Describe the networks of many seeds, a line each."""
    seeds = len(spread.seeds)
    kept_cost = float(spread.last_costs[spread.seeds == spread.kept][0])
    return [
        f"{seeds} seeds: {with_outcomes(count_outcomes(spread.outcomes))}",
        *(line for name, split in spread.splits.items() for line in _describe_split(name, split)),
        f"kept: seed {spread.kept}, the {'lower ' if seeds % 2 == 0 else ''}median by its last "
        f"cost, {kept_cost:.4f}; the test labels play no part in the choice",
    ]


def _describe_split(name: str, split: SplitOverSeeds) -> list[str]:
    finite = int((split.accuracies == split.accuracies).sum())  # NaN is not equal to itself
    ends = "5th to 95th percentile" if finite >= FEW_SEEDS else "smallest to largest"
    median, low, high = (100 * share for share in split.accuracy)
    share, lower, upper = (100 * share for share in split.ensemble)
    m, flips = len(split.flips), split.flips
    flipping, worst = int((flips > 0).sum()), int(flips.argmax())
    dissent = (
        f"; on average {100 * flips.mean():.1f} % of the seeds predict another class than the "
        f"majority, most for {name} {worst}: {100 * flips[worst]:.0f} %"
    )
    return [
        f"{name} accuracy, the median of the seeds: {median:.1f} % "
        f"({ends} of the seeds: {low:.1f} to {high:.1f} %)",
        f"{name} accuracy of the ensemble, by the mean probability: "
        f"{share * m / 100:.0f}/{m} = {share:.1f} % [{lower:.1f}–{upper:.1f} %]",
        f"{name} pictures whose predicted class depends on the seed: {flipping} of {m}"
        + (dissent if flipping else ""),
    ]
