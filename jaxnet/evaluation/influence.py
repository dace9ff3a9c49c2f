"""Memorisation and influence: how much each training picture changes a probability.

A change is what a network predicts with a training picture minus what it predicts without it, by
`leave_one_out`. Duplicates hide each other's influence, since one remains when the other is left
out: run the audit first.

Which changes are noise. The seeds make a change vary, and a table shows the largest of many: of 209
changes that are all 0 on average, the largest is far from 0 in any small number of seeds. So one
bound holds for all changes that are looked through at once: a change is noise unless

    |mean| > t(1 − 0.05 / (2 k), n − 1) · sd / √n

with n seeds, their standard deviation sd, and k changes (the two-sided t quantile by Bonferroni's
inequality, which holds however the changes depend on each other; t takes each as normally
distributed over the seeds). If all changes are chance, at most one table of twenty has one that is
not called noise. k covers:

* all m training pictures for `memorisation`, and for one test picture that was named beforehand;
* all m × m′ pairs of pictures where the test pictures are chosen by how much they change.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.display import shown
from jaxnet.errors import DataError, UsageError, require_integer
from jaxnet.evaluation.baselines import more_frequent
from jaxnet.evaluation.scores import Interval, wilson
from jaxnet.evaluation.significance import t_quantile
from jaxnet.evaluation.spread import count_outcomes
from jaxnet.many.leave_one_out import LeaveOneOut
from jaxnet.outcomes import FAILED

# How often a table of pure noise has a change that is not called noise.
ERROR_RATE = 0.05

# A smaller change of a probability is a rounding error of float32, whatever the seeds agree on.
LEAST_CHANGE = 1e-6

CHOSEN = 3  # how many test pictures are explained if none is named
MOST_EXPLAINING = 20  # training pictures that are listed for each


class Change(NamedTuple):
    """How much each training picture changes a probability.

    Attributes:
        mean: Over the seeds; (m,), or (m, m′) for the probabilities of m′ test pictures.
        spread: The standard deviation between the seeds, of the same shape.
        seeds: How many seeds there are.
        compared: How many changes are looked through, which all share one bound.
    """

    mean: np.ndarray
    spread: np.ndarray
    seeds: int
    compared: int

    @property
    def bound(self) -> np.ndarray:
        """The largest |mean| that counts as noise."""
        quantile = t_quantile(1 - ERROR_RATE / (2 * self.compared), self.seeds - 1)
        return np.maximum(quantile * self.spread / np.sqrt(self.seeds), LEAST_CHANGE)

    @property
    def noise(self) -> np.ndarray:
        """Whether a change is noise: not larger than the bound that holds for all of them."""
        return ~(np.abs(self.mean) > self.bound)

    @property
    def order(self) -> np.ndarray:
        """The training pictures, the largest change first."""
        return np.argsort(-np.abs(self.mean), axis=0, kind="stable")

    def of(self, j: int, *, named: bool) -> "Change":
        """Return the changes of test picture j alone, (m,).

        Args:
            j: The number of the test picture.
            named: Whether it was named beforehand, so that only its changes are looked through; not
                if it was chosen among all by its changes.
        """
        mean, spread = self.mean[:, j], self.spread[:, j]
        return Change(mean, spread, self.seeds, mean.size if named else self.compared)


class PictureChange(NamedTuple):
    """The change of one probability by one training picture.

    Attributes:
        picture: The number of the training picture.
        class_: Its class.
        change: The mean over the seeds.
        spread: The standard deviation between the seeds.
        noise: Whether it is noise.
    """

    picture: int
    class_: str
    change: float
    spread: float
    noise: bool


class Memorised(NamedTuple):
    """How much a training picture changes the probability of its own class.

    Attributes:
        picture: The number of the training picture.
        class_: Its class.
        change: The mean over the seeds.
        spread: The standard deviation between the seeds.
        noise: Whether the change is noise.
        seen: The mean probability of its class by the networks that are trained with it.
        left_out: The same by the networks that are trained without it.
    """

    picture: int
    class_: str
    change: float
    spread: float
    noise: bool
    seen: float
    left_out: float


class Explained(NamedTuple):
    """A test picture, and the training pictures that change its probability most.

    Attributes:
        picture: The number of the test picture.
        class_: Its class.
        probability: Of the positive class; the mean of the networks trained with all pictures.
        by: The largest changes.
    """

    picture: int
    class_: str
    probability: float
    by: tuple[PictureChange, ...]


class LeftOut(NamedTuple):
    """The accuracy on training pictures, each predicted by the networks trained without it.

    Attributes:
        pictures: How many.
        accuracy: That of the median seed, the lower one of two (Wilson interval).
    """

    pictures: int
    accuracy: Interval


class Always(NamedTuple):
    """The accuracy of always predicting the more frequent class."""

    class_: str
    accuracy: float


@shown
class Influence(NamedTuple):
    """The results of a leave-one-out, for tables, a figure and JSON.

    Attributes:
        positive: The positive class.
        seeds: How many seeds there are.
        outcomes: How many networks have each outcome.
        left_out: The accuracy on pictures that are left out.
        left_out_by_seed: The same of each seed.
        seen_by_seed: The accuracy on pictures that are trained on, of each seed.
        always: The accuracy of always predicting the more frequent class.
        memorisation: Every training picture, the most memorised first.
        explained: The test pictures that are explained.
        named: Whether these were named beforehand; otherwise they are those that a single training
            picture changes most.
    """

    positive: str
    seeds: int
    outcomes: dict[str, int]
    left_out: LeftOut
    left_out_by_seed: np.ndarray
    seen_by_seed: np.ndarray
    always: Always
    memorisation: tuple[Memorised, ...]
    explained: tuple[Explained, ...]
    named: bool

    @property
    def failed(self) -> int:
        """How many networks failed."""
        return sum(self.outcomes.get(outcome, 0) for outcome in FAILED)


def unseen_accuracies(result: LeaveOneOut, labels: np.ndarray) -> tuple[Interval, np.ndarray]:
    """Compute the share of the training pictures that are predicted correctly when left out.

    Args:
        result: The probabilities.
        labels: Of the training pictures, (m,).

    Returns:
        That of the median seed (the lower one of two) with its Wilson interval, which is about the
        choice of the pictures; and that of each seed, (seeds,).
    """
    hits = ((result.unseen > 0.5) == labels).sum(axis=1)
    median = int(np.sort(hits)[(len(hits) - 1) // 2])
    return wilson(median, labels.size), hits / labels.size


def memorisation(result: LeaveOneOut, labels: np.ndarray) -> Change:
    """Compute how much each training picture raises the probability of its own class, (m,).

    With it minus without it (Feldman & Zhang 2020, arXiv 2008.03703, equation 1): near 1 if its
    class is memorised, near 0 if the other pictures suffice to predict it.
    """
    change = (result.train - result.unseen) * np.where(labels == 1, 1, -1)
    return _summarise(change)


def influence(result: LeaveOneOut) -> Change:
    """Compute how much each training picture raises each test picture's P(class 1), (m, m′).

    With it minus without it (the same paper's equation 2, where one picture is left out). The bound
    for noise covers all m × m′ changes; `Change.of` gives those of one test picture.

    Raises:
        DataError: If there are no test pictures.
    """
    if result.test is None or result.test_without is None:
        raise DataError(
            "there are no test pictures", "test pictures to explain", "add a test split"
        )
    return _summarise(result.test[:, None] - result.test_without)


def most_moved(moved: Change) -> np.ndarray:
    """List the test pictures, by number: the one that a training picture changes most first.

    Changes that are noise do not count.
    """
    strongest = np.where(moved.noise, 0, np.abs(moved.mean)).max(axis=0)
    return np.argsort(-strongest, kind="stable")


def check_test_pictures(dataset: Dataset, pictures: Sequence[int]) -> None:
    """Raise a UsageError unless these are numbers of test pictures; to be called before training.

    Args:
        dataset: The pictures.
        pictures: The numbers, from 0.
    """
    if len(pictures) and dataset.test is None:
        raise UsageError(
            "pictures are given, but the data set has no test split",
            "pictures of the test split",
            "leave pictures out, or add a test split",
        )
    for picture in pictures:
        assert dataset.test is not None
        require_integer("picture", picture, 0, len(dataset.test.labels) - 1)


def summarise_influence(
    result: LeaveOneOut, dataset: Dataset, pictures: Sequence[int] = ()
) -> Influence:
    """Summarise a leave-one-out: accuracies, memorised pictures, and explained test pictures.

    Args:
        result: What `leave_one_out` computed on these pictures.
        dataset: The pictures.
        pictures: The test pictures to explain, by number; by default those that a single training
            picture changes most.

    Raises:
        DataError: If the result is not of these pictures.
        UsageError: If there is no such test picture.
    """
    check_test_pictures(dataset, pictures)
    _check_sizes(result, dataset)
    labels, classes = dataset.train.labels, dataset.classes
    accuracy, by_seed = unseen_accuracies(result, labels)
    frequent = more_frequent(labels)
    return Influence(
        positive=classes[1],
        seeds=len(result.train),
        outcomes=count_outcomes(result.outcomes),
        left_out=LeftOut(labels.size, accuracy),
        left_out_by_seed=by_seed,
        seen_by_seed=((result.train > 0.5) == labels).mean(axis=1),
        always=Always(classes[frequent], float((labels == frequent).mean())),
        memorisation=_memorised(result, labels, classes),
        explained=_explained(result, dataset, pictures),
        named=len(pictures) > 0,
    )


def _check_sizes(result: LeaveOneOut, dataset: Dataset) -> None:
    """Raise a DataError unless there are as many probabilities as pictures."""
    arrays = {"train": result.train, "test": result.test}
    sizes = {name: A2.shape[1] for name, A2 in arrays.items() if A2 is not None}
    pictures = {name: len(split.labels) for name, split in dataset.splits.items() if name in arrays}
    if sizes != pictures:
        raise DataError(
            f"the result is of {sizes} pictures, but the data set has {pictures}",
            "the pictures that leave_one_out was given",
            "give the same data set",
        )


def _summarise(differences: np.ndarray) -> Change:
    """Compute the mean and the standard deviation of differences (seeds, …)."""
    return Change(
        differences.mean(axis=0, dtype=float),
        differences.std(axis=0, dtype=float, ddof=1),
        len(differences),
        differences[0].size,
    )


def _memorised(
    result: LeaveOneOut, labels: np.ndarray, classes: tuple[str, str]
) -> tuple[Memorised, ...]:
    change = memorisation(result, labels)
    seen, unseen = (
        np.where(labels == 1, A2, 1 - A2).mean(axis=0, dtype=float)
        for A2 in (result.train, result.unseen)
    )
    return tuple(
        Memorised(*row, float(seen[row.picture]), float(unseen[row.picture]))
        for row in _rows(change, np.argsort(-change.mean, kind="stable"), labels, classes)
    )


def _explained(
    result: LeaveOneOut, dataset: Dataset, pictures: Sequence[int]
) -> tuple[Explained, ...]:
    if result.test is None or dataset.test is None:
        return ()
    moved = influence(result)
    named = len(pictures) > 0
    explained = []
    for j in pictures if named else most_moved(moved)[:CHOSEN].tolist():
        change = moved.of(j, named=named)
        rows = _rows(change, change.order[:MOST_EXPLAINING], dataset.train.labels, dataset.classes)
        name = dataset.classes[dataset.test.labels[j]]
        probability = float(result.test[:, j].mean(dtype=float))
        explained.append(Explained(int(j), name, probability, rows))
    return tuple(explained)


def _rows(
    change: Change, order: np.ndarray, labels: np.ndarray, classes: tuple[str, str]
) -> tuple[PictureChange, ...]:
    noise = change.noise
    return tuple(
        PictureChange(
            int(i),
            classes[labels[i]],
            float(change.mean[i]),
            float(change.spread[i]),
            bool(noise[i]),
        )
        for i in order
    )
