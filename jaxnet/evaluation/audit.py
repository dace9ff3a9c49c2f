"""Audit a data set: duplicates, conflicting labels, class imbalance, constant pictures, brightness.

The audit returns numbers; `jaxnet.report.audit` describes them in sentences.
"""

from typing import NamedTuple

import numpy as np

from jaxnet.data.all_pictures import Data, classes_of, labels_of
from jaxnet.data.duplicates import Pair, Place, find_pairs, leaking
from jaxnet.data.grey import measure_grey
from jaxnet.display import shown
from jaxnet.evaluation.baselines import fit_brightness, more_frequent
from jaxnet.evaluation.significance import binomial_test, fisher_test, mann_whitney
from jaxnet.progress import Track, automatic

# An effect is reported if it is both statistically significant and large.
SIGNIFICANT = 0.01
SKEWED = 0.75  # the share of the more frequent class
GAP = 0.1  # of class shares between the splits, or of accuracy above the constant baseline


class Skew(NamedTuple):
    """The class imbalance within train and between the splits.

    Attributes:
        more_frequent: The more frequent class, by the name of the split.
        shares: Its share, by the name of the split.
        p_equal: The p-value of the class counts in train, if both classes were equally frequent.
        p_alike: The p-value of the difference between the splits, if all pictures had been divided
            at random; None without a test split.
        skewed: Whether the share in train is significant and at least `SKEWED`.
        differs: Whether the class shares of the splits differ significantly and by at least `GAP`.
        reversed: Whether they do, and the more frequent class is another one in test.
    """

    more_frequent: dict[str, str]
    shares: dict[str, float]
    p_equal: float
    p_alike: float | None
    skewed: bool
    differs: bool
    reversed: bool


class Brightness(NamedTuple):
    """The prediction of the class by one threshold on the mean grey, fitted to train.

    Attributes:
        threshold: The threshold, from 0 to 255.
        brighter: The class that is predicted above the threshold.
        accuracies: The accuracy, by the name of the split.
        p: The p-value of the difference in brightness between the classes in train.
        predictive: Whether the difference is significant, and the accuracy in train is at least
            `GAP` above that of a constant.
    """

    threshold: float
    brighter: str
    accuracies: dict[str, float]
    p: float
    predictive: bool


@shown
class Audit(NamedTuple):
    """The results of an audit.

    Attributes:
        pairs: The duplicates.
        leaks: The test pictures that are duplicates of training pictures, by number.
        constant: The nearly constant pictures.
        positives: The share of class 1, by the name of the split.
        skew: The class imbalance.
        brightness: The prediction of the class by brightness alone.
    """

    pairs: tuple[Pair, ...]
    leaks: tuple[int, ...]
    constant: tuple[Place, ...]
    positives: dict[str, float]
    skew: Skew
    brightness: Brightness


def audit(data: Data, *, pairs: tuple[Pair, ...] | None = None, track: Track = automatic) -> Audit:
    """Compute the properties of a data set that can make training or evaluation misleading.

    Args:
        data: The pictures: a `Dataset`, or what `open_splits` returns; these stay in their files.
        pairs: Its duplicates, if they are known; otherwise `find_pairs` searches them.
        track: Shows the progress of the search.

    Raises:
        DataError: If the pictures cannot be used.
    """
    pairs = find_pairs(data, track=track) if pairs is None else pairs
    means, constant = measure_grey(data, track)
    labels, classes = labels_of(data), classes_of(data)
    numbers = [(name, i) for name, y in labels.items() for i in range(len(y))]
    return Audit(
        pairs=pairs,
        leaks=leaking(pairs),
        constant=tuple(Place(*numbers[i]) for i in np.flatnonzero(constant)),
        positives={name: float(y.mean()) for name, y in labels.items()},
        skew=_skew(labels, classes),
        brightness=_brightness(labels, means, classes),
    )


def _skew(labels: dict[str, np.ndarray], classes: tuple[str, str]) -> Skew:
    frequent = {name: more_frequent(y) for name, y in labels.items()}
    shares = {name: float((y == frequent[name]).mean()) for name, y in labels.items()}
    train = labels["train"]
    hits = int((train == frequent["train"]).sum())
    p_equal, p_alike = binomial_test(hits, len(train)), None
    differs = False
    if "test" in labels:
        # Fisher's exact test is valid for splits of any size.
        counts = [[int((y == label).sum()) for label in (0, 1)] for y in (train, labels["test"])]
        p_alike = fisher_test(counts)
        gap = abs(float(train.mean() - labels["test"].mean()))
        differs = p_alike < SIGNIFICANT and gap >= GAP
    return Skew(
        more_frequent={name: classes[label] for name, label in frequent.items()},
        shares=shares,
        p_equal=p_equal,
        p_alike=p_alike,
        skewed=shares["train"] >= SKEWED and p_equal < SIGNIFICANT,
        differs=differs,
        reversed=differs and frequent["train"] != frequent["test"],
    )


def _brightness(
    labels: dict[str, np.ndarray], grey: np.ndarray, classes: tuple[str, str]
) -> Brightness:
    """Fit a threshold to the mean grey (m,) of all pictures, those of train first."""
    parts = np.split(grey, np.cumsum([len(y) for y in labels.values()])[:-1])
    threshold, up = fit_brightness(parts[0], labels["train"])
    accuracies = {
        name: float((((part > threshold) == up) == y).mean())
        for part, (name, y) in zip(parts, labels.items(), strict=True)
    }
    y = labels["train"]
    p = mann_whitney(*(parts[0][y == label] for label in (0, 1)))
    constant = float((y == more_frequent(y)).mean())
    predictive = p < SIGNIFICANT and accuracies["train"] >= constant + GAP
    return Brightness(threshold, classes[int(up)], accuracies, p, predictive)
