"""Probabilities of pictures from networks that were not trained on them, for one lever."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxnet.data.belonging import number_together
from jaxnet.data.dataset import Dataset
from jaxnet.data.duplicates import Pair
from jaxnet.data.to_examples import examples_of
from jaxnet.evaluation.improvement.levers import VALIDATION_SHARE, Lever
from jaxnet.many.fold_draws import draw_folds, draw_validation
from jaxnet.many.ways import balance, train_ways
from jaxnet.outcomes import FAILED
from jaxnet.progress import Track, silent
from jaxnet.runs.train import train


class Division(NamedTuple):
    """How the pictures are divided for every lever alike.

    Attributes:
        folds: The number of each picture's fold in each repeat, (repeats, m).
        units: The number of each picture's unit, (m,): pictures of one group, and duplicates, are
            one unit, which no division parts.
        watched: (repeats × folds, m), whether a network that stops early is watched by a picture,
            and not trained on it; None if some network could not be watched by both classes.
    """

    folds: np.ndarray
    units: np.ndarray
    watched: np.ndarray | None

    @property
    def ways(self) -> list[tuple[int, int]]:
        """Each repeat with each fold that is held out."""
        return list(itertools.product(range(len(self.folds)), range(self.folds.max() + 1)))

    @property
    def held_out(self) -> np.ndarray:
        """Whether a picture is held out, (repeats × folds, m)."""
        return np.array([self.folds[repeat] == fold for repeat, fold in self.ways])

    def parts(self, *, watched: bool) -> tuple[np.ndarray, np.ndarray]:
        """The pictures trained on, and those that a network is watched by, (repeats × folds, m)."""
        none = np.zeros_like(self.held_out)
        by = self.watched if watched and self.watched is not None else none
        return ~self.held_out & ~by, by


class HeldOut(NamedTuple):
    """What networks say of pictures that they were not trained on.

    Attributes:
        probabilities: Of class 1, (repeats, seeds, m); NaN where a number was not finite.
        networks: How many networks there were.
        failed: How many of them failed: not finite, dead or diverged.
    """

    probabilities: np.ndarray
    networks: int
    failed: int


def divide(data: Dataset, folds: int, repeats: int, seed: int, pairs: tuple[Pair, ...]) -> Division:
    """Draw the folds, and by which pictures networks may be watched.

    Raises:
        DataError: If a class has fewer pictures, or units, than there are folds.
        UsageError: If an argument is out of its range.
    """
    labels, together = data.train.labels, number_together(data.train, pairs)
    drawn = draw_folds(labels, folds, repeats, seed, groups=together, classes=data.classes)
    units = np.arange(len(labels)) if together is None else together
    division = Division(drawn, units, None)
    watched = draw_validation(~division.held_out, labels, together, VALIDATION_SHARE, seed)
    return division._replace(watched=watched)


def predict_held_out(
    data: Dataset, lever: Lever, division: Division, seeds: int, track: Track = silent
) -> HeldOut:
    """Train the networks of a lever with each fold held out, and predict the held-out pictures.

    In one program, in the span of the pictures; networks whose pictures are shifted one by one.

    Args:
        data: The pictures; only its training set is used.
        lever: The setting.
        division: Which pictures are held out, and by which networks are watched.
        seeds: How many networks of each fold, from the seed of the lever's setting on.
        track: Shows the progress.

    Raises:
        UsageError: If the settings cannot be trained so.
    """
    how = _one_by_one if lever.settings.shift else _in_one_program
    return how(data, lever, division, seeds, track)


def _in_one_program(
    data: Dataset, lever: Lever, division: Division, seeds: int, track: Track
) -> HeldOut:
    settings, labels = lever.settings, data.train.labels
    stops = settings.patience is not None
    only = dataclasses.replace(data, test=None, validation=None)
    # The classes are weighted in each way to train, not in all pictures.
    plain = dataclasses.replace(settings, balanced=False)
    examples, _ = examples_of(only, plain, lever.preprocessing)
    trained, watched = (part.astype(float) for part in division.parts(watched=stops))
    if settings.balanced and stops:
        watched = balance(watched, labels)
    # A mirror image is trained on where its picture is; networks are watched by pictures only.
    more = np.zeros((len(watched), examples.Y.size - len(labels)))
    ends = train_ways(
        examples,
        [settings],
        np.tile(trained, (1, settings.copies)),
        validation_weights=np.hstack([watched, more]) if stops else None,
        seeds=seeds,
        track=track,
    )
    m, repeats = len(labels), len(division.folds)
    of_all = ends.probabilities[:, 0, :, :m].reshape(repeats, -1, seeds, m)
    # Each picture from the networks of its own fold.
    own = np.take_along_axis(of_all, division.folds[:, None, None, :], axis=1)[:, 0]
    failed = int(np.isin(ends.outcomes, FAILED).sum())
    return HeldOut(np.asarray(own, float), ends.outcomes.size, failed)


def _one_by_one(
    data: Dataset, lever: Lever, division: Division, seeds: int, track: Track
) -> HeldOut:
    probabilities = np.full((len(division.folds), seeds, len(data.train.labels)), np.nan)
    stops, failed = lever.settings.patience is not None, 0
    parts = division.parts(watched=stops)

    def networks() -> Iterator[tuple[int, int]]:
        yield from itertools.product(range(len(division.ways)), range(seeds))

    for way, s in track(networks(), "training networks", len(division.ways) * seeds):
        trained, watched = (part[way] for part in parts)
        held = division.held_out[way]
        part = dataclasses.replace(
            data,
            train=data.train.take(trained),
            validation=data.train.take(watched) if stops else None,
            test=None,
        )
        settings = dataclasses.replace(lever.settings, seed=lever.settings.seed + s)
        run = train(part, settings, lever.preprocessing, track=silent)
        failed += run.outcome in FAILED
        if run.outcome != "not finite":
            predicted = run.model.predict_images(data.train.images[held])
            probabilities[division.ways[way][0], s, held] = predicted
    return HeldOut(probabilities, len(division.ways) * seeds, failed)
