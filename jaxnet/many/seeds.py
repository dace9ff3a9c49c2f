"""What another seed would have given: the same training from many starts, in one program.

Two doubts are kept apart. Which start was drawn: percentiles over the seeds tell. Which pictures
the score was measured on: the Wilson interval of one network, or of the ensemble, tells.
"""

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_targets
from jaxnet.errors import UsageError
from jaxnet.evaluation.scores import Interval, wilson
from jaxnet.many.engine import Rate, Scale, train_networks
from jaxnet.optimizer import LEARNING_RATE
from jaxnet.progress import Track, silent

# Of fewer a 95th percentile would be made up between the two greatest.
FEW_SEEDS = 20


class Spread(NamedTuple):
    """The median over the seeds, and the 5th and 95th percentile, or of few seeds the extremes."""

    median: float
    low: float
    high: float


class SplitOverSeeds(NamedTuple):
    """What networks that differ in their seeds say of one split.

    Attributes:
        accuracies: Of each network; NaN where its numbers are not finite.
        accuracy: Their spread.
        ensemble: The accuracy of the mean of their probabilities (Wilson interval).
        flips: (m,), the share of the networks whose class is not that of the majority: 0 to 0.5.
    """

    accuracies: np.ndarray
    accuracy: Spread
    ensemble: Interval
    flips: np.ndarray


class Seeds(NamedTuple):
    """What `train_seeds` finds; the first axis of every array is the seed.

    Attributes:
        last_costs: The cost before the last update, (seeds,).
        outcomes: How each run ended, (seeds,).
        kept: The place of the seed that is kept: the lower median by the last cost. Its network is
            the one that `fit` trains from `init_params(keys[kept], …)`.
        splits: What the networks say of "train", and of "test" if it is given.
    """

    last_costs: np.ndarray
    outcomes: np.ndarray
    kept: int
    splits: dict[str, SplitOverSeeds]


def train_seeds(
    keys: jax.Array,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation = relu,
    *,
    learning_rate: Rate = LEARNING_RATE,
    scale: Scale = 0.01,
    n_h: int = 8,
    momentum: float = 0.0,
    nesterov: bool = False,
    iterations: int = 2500,
    weights: jax.Array | None = None,
    test: tuple[jax.Array, jax.Array] | None = None,
    track: Track = silent,
) -> Seeds:
    """Train the same network from the start of every key, and compare what they say.

    Args:
        keys: One random key a seed, (seeds,); each draws what `init_params` draws from it.
        X: (n_x, m).
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        learning_rate: A number, or a pair (α of layer 1, α of layer 2).
        scale: Of the first weights, as in `init_params`.
        n_h: The number of hidden units.
        momentum: As in `fit`.
        nesterov: As in `fit`.
        iterations: How many updates each network makes.
        weights: The weight of each example, (1, m).
        test: X and Y of test pictures.
        track: Shows the progress, block by block.

    Raises:
        DataError: If the shapes do not fit together.
        UsageError: If a setting is out of its range, or no network's numbers are finite.
    """
    check_targets(X, Y, weights)
    ends = train_networks(
        keys,
        X,
        Y,
        hidden,
        learning_rates=[learning_rate],
        scales=[scale],
        n_h=n_h,
        momentum=momentum,
        nesterov=nesterov,
        iterations=iterations,
        weightings=None if weights is None else np.asarray(weights)[None],
        test=test,
        keep_probabilities=True,
        track=track,
    )
    costs, outcomes = ends.last_costs[0, 0, 0], ends.outcomes[0, 0, 0]
    finite = outcomes != "not finite"
    if not finite.any():
        raise UsageError(
            f"none of {len(keys)} networks has finite numbers",
            "finite numbers",
            "take a smaller learning rate",
        )
    said = {"train": (ends.train_A2, Y)}
    if test is not None:
        said["test"] = (ends.test_A2, test[1])
    return Seeds(
        costs,
        outcomes,
        lower_median(np.where(finite, costs, np.inf)),
        {
            name: compare_seeds(np.asarray(A2)[0, 0, 0], np.asarray(labels)[0], finite)
            for name, (A2, labels) in said.items()
        },
    )


def lower_median(costs: np.ndarray) -> int:
    """Find the place of the median of the finite costs, the lower of two."""
    finite = int(np.isfinite(costs).sum())
    return int(np.argsort(costs, kind="stable")[(finite - 1) // 2])


def compare_seeds(
    probabilities: np.ndarray, labels: np.ndarray, finite: np.ndarray
) -> SplitOverSeeds:
    """Compare what networks say of the same pictures.

    Args:
        probabilities: (seeds, m), of class 1.
        labels: (m,) of 0 and 1.
        finite: (seeds,), whether a network's numbers are; the others have no say.
    """
    right = ((probabilities > 0.5) == labels).mean(axis=1)
    positive = (probabilities[finite] > 0.5).mean(axis=0)
    together = (probabilities[finite].mean(axis=0, dtype=float) > 0.5) == labels
    ends = (5, 50, 95) if finite.sum() >= FEW_SEEDS else (0, 50, 100)
    low, median, high = (float(p) for p in np.percentile(right[finite], ends))
    return SplitOverSeeds(
        np.where(finite, right, np.nan),
        Spread(median, low, high),
        wilson(int(together.sum()), labels.size),
        np.minimum(positive, 1 - positive),
    )


def describe_seeds(found: Seeds, first: int = 0) -> list[str]:
    """Say in words what came of the seeds, a line each.

    Args:
        found: What `train_seeds` found.
        first: The number of the first seed; the others follow.
    """
    seeds = len(found.last_costs)
    finite = int(np.isfinite(found.splits["train"].accuracies).sum())
    spread = "5th to 95th percentile" if finite >= FEW_SEEDS else "least to greatest"
    ends = zip(*np.unique(found.outcomes, return_counts=True), strict=True)
    lines = [f"{seeds} seeds: " + ", ".join(f"{count} {outcome}" for outcome, count in ends)]
    for name, split in found.splits.items():
        m, flipping, worst = len(split.flips), int((split.flips > 0).sum()), split.flips.argmax()
        median, low, high = (100 * share for share in split.accuracy)
        lines.append(
            f"{name} accuracy, the median of the seeds: {median:.1f} % "
            f"({spread} of the seeds: {low:.1f} to {high:.1f} %)"
        )
        share, low, high = (100 * share for share in split.ensemble)
        lines.append(
            f"{name} accuracy of all of them together, by their mean probability: "
            f"{share * m / 100:.0f}/{m} = {share:.1f} % [{low:.1f}–{high:.1f} %]"
        )
        lines.append(
            f"{name} pictures whose class depends on the seed: {flipping} of {m}"
            + (
                f"; on average {100 * split.flips.mean():.1f} % of the seeds are outvoted, "
                f"most on {name} {worst}: {100 * split.flips[worst]:.0f} %"
                if flipping
                else ""
            )
        )
    lines.append(
        f"kept: seed {first + found.kept}, the {'lower ' if seeds % 2 == 0 else ''}median by its "
        f"last cost, {found.last_costs[found.kept]:.4f}; the labels of test choose nothing"
    )
    return lines


def seeds_as_answer(found: Seeds, first: int = 0) -> dict[str, Any]:
    """Say the same for a program, in what JSON can hold."""
    return {
        "seeds": list(range(first, first + len(found.last_costs))),
        "kept": first + found.kept,
        "last_costs": found.last_costs.tolist(),
        "outcomes": found.outcomes.tolist(),
        "splits": {
            name: {
                "accuracies": split.accuracies.tolist(),
                "accuracy": split.accuracy._asdict(),
                "ensemble": split.ensemble._asdict(),
                "flips": split.flips.tolist(),
            }
            for name, split in found.splits.items()
        },
    }
