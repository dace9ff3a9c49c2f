"""Scores of predictions, with confidence intervals for the random choice of the pictures."""

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxnet.arrays import check_labels
from jaxnet.errors import DataError, require_number
from jaxnet.evaluation.significance import normal_quantile, ranks

CONFIDENCE = 0.95
RESAMPLES = 2000
BINS = 10

# The number of values that are resampled in one batch, which bounds the memory.
NUMBERS_A_BATCH = 2_000_000


class Interval(NamedTuple):
    """A value and its 95 % confidence interval; NaN where there are too few pictures."""

    value: float
    low: float
    high: float


class Bin(NamedTuple):
    """The pictures with a probability in (low, high]; the first bin includes its lower end.

    Attributes:
        low: The lower end.
        high: The upper end.
        pictures: The number of pictures.
        probability: The mean of their probabilities; NaN without pictures.
        share: The share of positives among them (Wilson interval).
    """

    low: float
    high: float
    pictures: int
    probability: float
    share: Interval


@dataclasses.dataclass(frozen=True)
class Scores:
    """What `score` computes for one split.

    An `Interval` that is added here appears in every evaluation, its table and its JSON.

    Attributes:
        confusion: Counts (2, 2): the row is the label, the column the prediction.
        accuracy: The share predicted correctly (Wilson interval).
        balanced_accuracy: The mean of both classes' shares predicted correctly (bootstrap).
        precision: The share of positives among those predicted positive (Wilson).
        recall: The share predicted positive among the positives (Wilson).
        roc_auc: The probability that a positive is ranked above a negative (bootstrap).
        log_loss: The mean cross-entropy, the network's cost (bootstrap).
        brier: The mean squared difference of probability and label (bootstrap).
        calibration: The share of positives, by bins of the probability.
    """

    confusion: np.ndarray
    accuracy: Interval
    balanced_accuracy: Interval
    precision: Interval
    recall: Interval
    roc_auc: Interval
    log_loss: Interval
    brier: Interval
    calibration: tuple[Bin, ...]


def score(
    labels: np.ndarray,
    probabilities: np.ndarray,
    threshold: float = 0.5,
    *,
    losses: np.ndarray | None = None,
) -> Scores:
    """Compute all scores of a split.

    Shares have Wilson intervals, because a bootstrap interval of 33 of 33 would have width 0. The
    other scores have bootstrap intervals, which are stratified by class.

    Args:
        labels: (m,) of 0 and 1.
        probabilities: (m,) of class 1.
        threshold: A picture is predicted positive if its probability exceeds this.
        losses: (m,), the cross-entropy of each picture, computed from the logits. By default it
            is computed from the probabilities; a wrong one that rounds to 0 or 1 then has an
            infinite loss.

    Raises:
        DataError: If the labels are not 0 and 1, or the probabilities do not fit them.
        UsageError: If the threshold is not from 0 to 1.
    """
    labels, probabilities = _checked(labels, probabilities)
    require_number("threshold", threshold, 0, 1)
    if losses is None:
        with np.errstate(divide="ignore"):
            losses = -np.log(np.where(labels == 1, probabilities, 1 - probabilities))
    losses = np.asarray(losses, float)
    predictions = (probabilities > threshold).astype(int)
    confusion = np.zeros((2, 2), int)
    np.add.at(confusion, (labels, predictions), 1)
    correct, errors = predictions == labels, (probabilities - labels) ** 2
    positive = labels == 1

    def balanced_accuracy(places: np.ndarray) -> np.ndarray:
        return (_mean_of(correct, positive, places) + _mean_of(correct, ~positive, places)) / 2

    def roc_auc(places: np.ndarray) -> np.ndarray:
        # The Mann-Whitney statistic over all pairs (Hanley & McNeil 1982, Radiology 143, 29-36).
        n = positive.sum()
        pairs = n * (labels.size - n)
        ranked = ranks(probabilities[places]) * positive[places]
        return (ranked.sum(axis=-1) - n * (n + 1) / 2) / pairs

    both_classes = 0 < positive.sum() < labels.size
    undefined = Interval(np.nan, np.nan, np.nan)
    return Scores(
        confusion=confusion,
        accuracy=wilson(int(correct.sum()), labels.size),
        balanced_accuracy=bootstrap(balanced_accuracy, labels) if both_classes else undefined,
        precision=wilson(int(confusion[1, 1]), int(confusion[:, 1].sum())),
        recall=wilson(int(confusion[1, 1]), int(confusion[1].sum())),
        roc_auc=bootstrap(roc_auc, labels) if both_classes else undefined,
        log_loss=bootstrap(lambda places: losses[places].mean(axis=-1), labels),
        brier=bootstrap(lambda places: errors[places].mean(axis=-1), labels),
        calibration=calibrate(labels, probabilities),
    )


def _checked(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, float)
    if not labels.size or labels.shape != (labels.size,) or labels.shape != probabilities.shape:
        raise DataError(
            f"labels have shape {labels.shape}, probabilities {probabilities.shape}",
            "shape (m,) for both, one number for each picture, and at least one picture",
            "give the labels of these pictures",
        )
    check_labels(labels, labels.size, "labels")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError(
            f"probabilities run from {probabilities.min()} to {probabilities.max()}",
            "numbers from 0 to 1",
            "give A2 of forward, not its logits Z2",
        )
    return labels.astype(int), probabilities


def _mean_of(values: np.ndarray, among: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Compute the mean of values at the indices `places` (…, m) for which `among` is true."""
    return (values & among)[places].sum(axis=-1) / among[places].sum(axis=-1)


def wilson(hits: float, m: int) -> Interval:
    """Compute the share hits / m and its interval (Wilson 1927, JASA 22, 209-212)."""
    if m == 0:
        return Interval(np.nan, np.nan, np.nan)
    share, z = hits / m, normal_quantile((1 + CONFIDENCE) / 2)
    center = (share + z**2 / (2 * m)) / (1 + z**2 / m)
    half = z * math.sqrt(share * (1 - share) / m + (z / (2 * m)) ** 2) / (1 + z**2 / m)
    low = 0.0 if hits == 0 else center - half  # which rounding would miss
    high = 1.0 if hits == m else center + half
    return Interval(share, low, high)


def difference(first: Interval, second: Interval) -> Interval:
    """Compute the difference of two shares and its interval from the Wilson intervals of both.

    Method 10 of Newcombe (1998, Statistics in Medicine 17, 873-890), for independent samples: the
    shares must be of different pictures.
    """
    gap = first.value - second.value
    return Interval(
        gap,
        gap - math.hypot(first.value - first.low, second.high - second.value),
        gap + math.hypot(first.high - first.value, second.value - second.low),
    )


def bootstrap(statistic: Callable[[np.ndarray], np.ndarray], labels: np.ndarray) -> Interval:
    """Compute a statistic of a split and its percentile interval (Efron 1979, Ann. Stat. 7, 1-26).

    Args:
        statistic: A function of the indices (…, m) of pictures, which reduces the last axis.
        labels: (m,); each resample has as many pictures of each class as the split has.

    Returns:
        The interval. Its ends are NaN if a class has a single picture, or if every resample gives
        the same value, for example because the classes are separated perfectly: an interval of
        width 0 would suggest certainty.
    """
    by_class = [np.flatnonzero(labels == label) for label in (1, 0) if (labels == label).any()]
    value = float(statistic(np.concatenate(by_class)))
    if min(map(len, by_class)) < 2 or not np.isfinite(value):
        return Interval(value, np.nan, np.nan)
    draw, values = np.random.default_rng(0).integers, []
    batch = max(1, NUMBERS_A_BATCH // labels.size)
    for done in range(0, RESAMPLES, batch):
        rows = min(batch, RESAMPLES - done)
        drawn = [places[draw(0, len(places), (rows, len(places)))] for places in by_class]
        values.append(statistic(np.concatenate(drawn, axis=-1)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(values), (tail, 1 - tail))
    if low == high:
        return Interval(value, np.nan, np.nan)
    return Interval(value, float(low), float(high))


def calibrate(labels: np.ndarray, probabilities: np.ndarray) -> tuple[Bin, ...]:
    """Compute the share of positives in each of ten bins of the probability."""
    edges = np.linspace(0, 1, BINS + 1)
    which = np.digitize(probabilities, edges[1:-1], right=True)
    bins = []
    for i in range(BINS):
        inside = which == i
        count = int(inside.sum())
        mean = float(probabilities[inside].mean()) if count else np.nan
        share = wilson(int(labels[inside].sum()), count)
        bins.append(Bin(float(edges[i]), float(edges[i + 1]), count, mean, share))
    return tuple(bins)


def roc_curve(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the false and the true positive rate at every threshold, from (0, 0) to (1, 1)."""
    values = np.unique(probabilities)[::-1]
    cuts = np.append(values, -np.inf)  # no picture is above the first cut, every one above the last
    above = []
    for label in (0, 1):
        ordered = np.sort(probabilities[labels == label])
        above.append(1 - np.searchsorted(ordered, cuts, side="right") / len(ordered))
    return above[0], above[1]


def best_cut(labels: np.ndarray, values: np.ndarray) -> float:
    """Compute the smallest cut for which predicting 1 above it is correct most often."""
    distinct, inverse = np.unique(np.asarray(values, float), return_inverse=True)
    between = (distinct[1:] + distinct[:-1]) / 2
    cuts = np.concatenate([[np.nextafter(distinct[0], -np.inf)], between, distinct[-1:]])
    # For each value, the correct predictions that are gained by predicting 0 instead of 1.
    gains = np.bincount(inverse, weights=1 - 2.0 * np.asarray(labels))
    return float(cuts[np.argmax(np.append(0, np.cumsum(gains)))])


def most_wrong(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """List the indices of the wrongly predicted pictures, the largest error first."""
    wrong = np.flatnonzero((probabilities > threshold) != labels)
    return wrong[np.argsort(-np.abs(probabilities - labels)[wrong], kind="stable")]
