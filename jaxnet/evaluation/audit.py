"""What in a data set can mislead: duplicates, contradictions, skew, empty pictures, mere light."""

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.duplicates import (
    MOST_COMPARED,
    Pair,
    Place,
    find_pairs,
    nearly_constant,
    to_grey,
)
from jaxnet.evaluation.baselines import fit_brightness, more_frequent

# A finding must be large enough to matter, and larger than chance allows.
SIGNIFICANT = 0.01
SKEWED = 0.75  # the share of the more frequent class
GAP = 0.1  # between the class shares of both splits, or of brightness over the commoner class

SHOWN = 3


class Brightness(NamedTuple):
    """How well one threshold on the mean grey, fitted on train, predicts the class.

    Attributes:
        threshold: From 0 to 255.
        brighter: The class that is predicted above it.
        accuracies: By the name of the split.
        p: The probability of classes that differ as much in brightness, were they equally bright.
    """

    threshold: float
    brighter: str
    accuracies: dict[str, float]
    p: float


class Audit(NamedTuple):
    """What `audit` finds.

    Attributes:
        pairs: Pictures that are there twice.
        leaks: Which test pictures are training pictures, too.
        constant: Pictures that show nothing.
        positives: The share of class 1, by the name of the split.
        brightness: What brightness alone predicts.
        findings: What of this can mislead: what it is, what it means, and what to do.
    """

    pairs: tuple[Pair, ...]
    leaks: tuple[int, ...]
    constant: tuple[Place, ...]
    positives: dict[str, float]
    brightness: Brightness
    findings: tuple[str, ...]


def audit(dataset: Dataset) -> Audit:
    """Look for what in a data set can mislead whoever learns from it or is judged by it."""
    pairs = find_pairs(dataset)
    grey = to_grey(dataset)
    places = [Place(name, i) for name, y in _labels(dataset).items() for i in range(len(y))]
    constant = tuple(places[i] for i in np.flatnonzero(nearly_constant(grey)))
    brightness = _brightness(dataset, grey.mean((1, 2)))
    leaks = _leaks(pairs)
    findings = (
        *_describe_pairs(pairs, leaks, dataset),
        *_describe_constant(constant),
        *_describe_skew(dataset),
        *_describe_brightness(brightness, dataset),
    )
    positives = {name: float(y.mean()) for name, y in _labels(dataset).items()}
    return Audit(pairs, leaks, constant, positives, brightness, findings)


def without_leaks(dataset: Dataset, found: Audit) -> Dataset:
    """Take the test pictures out that are training pictures, too.

    If none remains, there is no test split any more.
    """
    if dataset.test is None or not found.leaks:
        return dataset
    images, labels = dataset.test
    kept = np.setdiff1d(np.arange(len(labels)), found.leaks)
    named = _some(Place("test", i) for i in found.leaks)
    line = f"{_count(len(found.leaks), 'test')} that train has, too ({named})"
    return dataclasses.replace(
        dataset,
        test=Split(images[kept], labels[kept]) if len(kept) else None,
        skipped=(*dataset.skipped, line),
    )


def describe_audit(found: Audit) -> dict[str, Any]:
    """Put what an audit found into what JSON can hold."""
    pairs = [
        pair._asdict() | {"first": str(pair.first), "second": str(pair.second)}
        for pair in found.pairs
    ]
    return found._asdict() | {
        "pairs": pairs,
        "leaks": list(found.leaks),
        "constant": [str(place) for place in found.constant],
        "brightness": found.brightness._asdict(),
        "findings": list(found.findings),
    }


def _labels(dataset: Dataset) -> dict[str, np.ndarray]:
    return {name: split.labels for name, split in dataset.splits.items()}


def _leaks(pairs: Iterable[Pair]) -> tuple[int, ...]:
    """Number the test pictures that are training pictures, too.

    A copy to the byte is paired with the first of its kind only: it leaks if that one does.
    """
    leaking = {p.second for p in pairs if (p.first.split, p.second.split) == ("train", "test")}
    leaking |= {p.second for p in pairs if p.exact and p.first in leaking}
    return tuple(sorted(place.number for place in leaking))


def _describe_pairs(
    pairs: tuple[Pair, ...], leaks: tuple[int, ...], dataset: Dataset
) -> Iterable[str]:
    across = [pair for pair in pairs if pair.first.split != pair.second.split]
    if leaks:
        yield (
            f"{_count(len(leaks), 'test')} {'is' if len(leaks) == 1 else 'are'} in train, too "
            f"({_some(across)}): what is learnt by heart scores there; "
            "take them out with --exclude-leaks"
        )
    within = [pair for pair in pairs if pair.first.split == pair.second.split]
    if within:
        yield (
            f"{_pairs(len(within))} within a split show one picture ({_some(within)}): "
            "it counts more than once; keep one of each"
        )
    contradicting = [pair for pair in pairs if pair.two_labels]
    if contradicting:
        yield (
            f"{_pairs(len(contradicting))} of the same picture {_have(len(contradicting))} two "
            f"labels ({_some(contradicting)}): nobody can get both right; correct the labels"
        )
    if sum(len(y) for y in _labels(dataset).values()) > MOST_COMPARED:
        yield (
            f"more than {MOST_COMPARED:,} pictures: only exact duplicates were looked for, "
            "no near ones; audit a part of them with fewer"
        )


def _describe_constant(constant: tuple[Place, ...]) -> Iterable[str]:
    if constant:
        yield (
            f"{_count(len(constant))} {_have(len(constant))} one grey all over "
            f"({_some(constant)}): there is nothing to be seen; take them out"
        )


def _describe_skew(dataset: Dataset) -> Iterable[str]:
    labels = _labels(dataset)
    often = {name: more_frequent(y) for name, y in labels.items()}
    words = {
        name: f'{(y == often[name]).mean():.0%} of {name} is "{dataset.classes[often[name]]}"'
        for name, y in labels.items()
    }
    train = labels["train"]
    hits = int((train == often["train"]).sum())
    if hits / len(train) >= SKEWED and stats.binomtest(hits, len(train)).pvalue < SIGNIFICANT:
        yield (
            f"{words['train']}: always answering so scores as much; "
            "weigh both classes alike (jaxnet train --balanced)"
        )
    if dataset.test is None:
        return
    # Fisher's exact test (1922, J. R. Stat. Soc. 85, 87-94) holds for splits of any size.
    counts = [[int((y == label).sum()) for label in (0, 1)] for y in labels.values()]
    p = float(stats.fisher_exact(counts).pvalue)
    if p < SIGNIFICANT and abs(train.mean() - labels["test"].mean()) >= GAP:
        reversed_ = often["train"] != often["test"]
        yield (
            f"{words['train']}, but {words['test']} (p = {p:.0e}): the skew "
            f"{'is reversed' if reversed_ else 'differs'} between the splits, so the test accuracy "
            "says little; draw both splits from all the pictures at random"
        )


def _brightness(dataset: Dataset, light: np.ndarray) -> Brightness:
    """Fit a threshold on the mean grey of the training pictures, which come first in `light`."""
    parts = np.split(light, [len(dataset.train.labels)])
    labels = _labels(dataset)
    threshold, up = fit_brightness(parts[0], labels["train"])
    accuracies = {
        name: float((((part > threshold) == up) == y).mean())
        for part, (name, y) in zip(parts, labels.items(), strict=False)
    }
    groups = [parts[0][labels["train"] == label] for label in (0, 1)]
    # Mann & Whitney (1947, Ann. Math. Stat. 18, 50-60).
    p = float(stats.mannwhitneyu(*groups).pvalue) if all(map(len, groups)) else 1.0
    return Brightness(threshold, dataset.classes[int(up)], accuracies, p)


def _describe_brightness(brightness: Brightness, dataset: Dataset) -> Iterable[str]:
    y = dataset.train.labels
    guess = more_frequent(y)
    constant = float((y == guess).mean())
    if brightness.p < SIGNIFICANT and brightness.accuracies["train"] >= constant + GAP:
        scores = ", ".join(
            f"{share:.0%} of {name}" for name, share in brightness.accuracies.items()
        )
        yield (
            f'brightness alone ("{brightness.brighter}" is brighter) gets {scores} right, where '
            f'always "{dataset.classes[guess]}" gets {constant:.0%} of train: a network may learn '
            "the light instead of the thing; take pictures of both classes in the same light"
        )


def _some(things: Iterable[object]) -> str:
    words = [str(thing) for thing in things]
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, kind: str = "") -> str:
    return f"{number:,} {kind}{' ' if kind else ''}picture{'' if number == 1 else 's'}"


def _pairs(number: int) -> str:
    return f"{number:,} pair{'' if number == 1 else 's'}"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"
