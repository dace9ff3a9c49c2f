"""Cross-validation as one program: settings × repeats × folds × seeds, folds by weights of 0.

All networks share the products of the pictures, so that a fold costs no more than a seed. In
nested cross-validation the folds of the outer one serve the inner one, too: a network trained
without the folds k and l predicts l for the choice that is made without k, and k for the choice
that is made without l. So k folds need k networks and k (k − 1) / 2 more for each setting.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxnet.data.belonging import number_equal, number_together
from jaxnet.data.dataset import Dataset, Split, check_dataset
from jaxnet.data.duplicates import Pair, Place, find_pairs
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import examples_of
from jaxnet.defaults import LARGEST_SEED
from jaxnet.display import shown
from jaxnet.errors import DataError, UsageError, require_integer, require_number
from jaxnet.examples import Examples
from jaxnet.many.fold_draws import MOST_REPEATS, draw_folds, draw_validation
from jaxnet.many.ways import Trained, check_settings, train_ways
from jaxnet.processes import require_alike
from jaxnet.progress import Track, automatic
from jaxnet.settings import Settings

FOLDS, REPEATS = 5, 10


@shown
class CrossValidation(NamedTuple):
    """Every out-of-fold prediction of every setting.

    Attributes:
        settings: The settings, each of which was trained on all folds but one.
        labels: (m,) of 0 and 1.
        folds: (repeats, m), the number of each picture's fold.
        probabilities: (settings, repeats, seeds, m), of class 1, of each picture from the network
            trained without its fold; NaN if the numbers of this network are not finite.
        outcomes: (settings, repeats, folds, seeds), of the network trained without this fold.
        best_iterations: The same shape: with patience, the number of updates before the validation
            cost was lowest; else −1.
        inner: Of nested cross-validation, (settings, repeats, folds, seeds, m): the probability of
            each picture from the network trained without this fold and without the picture's own;
            NaN for the pictures of this fold. Else None.
    """

    settings: tuple[Settings, ...]
    labels: np.ndarray
    folds: np.ndarray
    probabilities: np.ndarray
    outcomes: np.ndarray
    best_iterations: np.ndarray
    inner: np.ndarray | None = None

    @property
    def training_size(self) -> int:
        """The number of pictures that a network was trained on, with those of its validation."""
        k = self.outcomes.shape[2]
        return round(self.labels.size * (k - 1) / k)


class Pictures(NamedTuple):
    """What is divided into folds.

    Attributes:
        examples: X, Y, and weights if examples were given with weights.
        labels: (m,) of 0 and 1.
        together: Numbers (m,) of what belongs together; None if every picture stands alone.
        classes: The names of the classes.
    """

    examples: Examples
    labels: np.ndarray
    together: np.ndarray | None
    classes: tuple[str, str]


def cross_validate(
    data: Dataset | Examples,
    settings: Settings | Sequence[Settings] | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    folds: int = FOLDS,
    repeats: int = REPEATS,
    seeds: int = 1,
    nested: bool = False,
    validation: float | None = None,
    groups: np.ndarray | None = None,
    pairs: Iterable[Pair] | None = None,
    seed: int = 0,
    track: Track = automatic,
) -> CrossValidation:
    """Train every setting without each fold of each division in turn, and predict that fold.

    All labelled pictures but those of the test set are divided, by class, into folds, which part no
    group (`Split.groups`) and no duplicates. With mini-batches, a batch is drawn from all pictures,
    of which those left out have the weight 0.

    Args:
        data: The pictures, or examples, of which equal ones are duplicates.
        settings: One, or several, as `vary` makes them; each `settings.seed` is the first of its
            seeds. Those that differ in rate, weight scale and decay alone share a program.
        preprocessing: How the pictures of a data set become columns.
        folds: Into how many folds the pictures are divided.
        repeats: How often they are divided anew.
        seeds: How many networks are trained of every setting and fold.
        nested: Whether to train without each two folds as well, so that `score_cross_validation`
            can say how good the chosen setting is without the flattery of the choice.
        validation: With patience in a setting, the share of the training pictures of each fold that
            it holds out, by class, to know when to stop.
        groups: The group of each example, (m,), beside examples.
        pairs: The duplicates of a data set, if they are known; else `find_pairs` searches them.
        seed: Draws the folds, and the validation pictures.
        track: Shows the progress, block by block.

    Raises:
        DataError: If the data cannot be used, or a class has fewer pictures, or groups, than folds.
        UsageError: If a setting does not allow it, or an argument is out of its range.
    """
    settings = Settings() if settings is None else settings  # no settings at all are refused
    chosen = (settings,) if isinstance(settings, Settings) else tuple(settings)
    _check_arguments(chosen, folds, repeats, seeds, validation, seed, nested=nested)
    pictures = pictures_of(data, chosen[0], preprocessing, groups, pairs)
    arguments = (folds, repeats, seeds, nested, validation, seed)
    require_alike(examples=pictures.examples, settings=chosen, arguments=arguments)
    labels, together = pictures.labels, pictures.together
    drawn = draw_folds(labels, folds, repeats, seed, groups=together, classes=pictures.classes)
    lefts: list[tuple[int, ...]] = [(k,) for k in range(folds)]
    lefts += itertools.combinations(range(folds), 2) if nested else []
    trained_on = np.array([[~np.isin(row, left) for left in lefts] for row in drawn])
    held = None
    if validation is not None:
        watched = draw_validation(trained_on, labels, together, validation, seed)
        if watched is None:
            raise _no_validation(validation)
        held = watched.reshape(-1, labels.size).astype(float)
    trained = train_ways(
        pictures.examples,
        chosen,
        trained_on.reshape(-1, labels.size).astype(float),
        validation_weights=held,
        seeds=seeds,
        track=track,
    )
    return _arrange(chosen, labels, drawn, trained, lefts)


def pictures_of(
    data: Dataset | Examples,
    settings: Settings,
    preprocessing: Preprocessing | None,
    groups: np.ndarray | None,
    pairs: Iterable[Pair] | None = None,
) -> Pictures:
    """Return the pictures that are divided: all of a data set but the test set, or examples.

    Raises:
        DataError: If the data cannot be used.
        UsageError: If the arguments do not fit together.
    """
    # The balancing weights are those of each fold, not of all pictures.
    if isinstance(data, Dataset):
        if groups is not None:
            raise UsageError(
                "groups are given together with a data set",
                "groups beside examples only, since a data set has its own",
                "leave groups out, or set Split.groups",
            )
        offset = len(check_dataset(data).train.labels)
        data = _without_test(data)
        plain = dataclasses.replace(settings, balanced=False)
        examples, _ = examples_of(data, plain, preprocessing)
        found = find_pairs(data) if pairs is None else _joined_pairs(pairs, offset)
        together = number_together(data.train, found)
        return Pictures(examples, data.train.labels.astype(int), together, data.classes)
    examples, _ = examples_of(data, settings, preprocessing)
    if settings.balanced:
        examples = examples._replace(weights=None)
    labels = np.asarray(examples.Y)[0].astype(int)
    if groups is not None and np.shape(groups) != labels.shape:
        raise DataError(
            f"groups has shape {np.shape(groups)}",
            f"one group for each example, shape {labels.shape}",
            "give each example its group",
        )
    together = number_equal(np.asarray(examples.X), groups)
    return Pictures(examples, labels, together, ("class 0", "class 1"))


def _without_test(data: Dataset) -> Dataset:
    """Return a data set whose training set holds all pictures but the test set."""
    train, more = data.train, data.validation
    if more is not None:
        images = np.concatenate([train.images, more.images])
        labels = np.concatenate([train.labels, more.labels])
        groups = None
        if train.groups is not None or more.groups is not None:
            groups = np.concatenate([_own_groups(train, "train"), _own_groups(more, "validation")])
        train = Split(images, labels, groups)
    return dataclasses.replace(data, train=train, validation=None, test=None)


def _joined_pairs(pairs: Iterable[Pair], offset: int) -> list[Pair]:
    """Number the pictures of pairs as `_without_test` does, validation behind the training set."""

    def moved(place: Place) -> Place:
        return Place("train", offset + place.number) if place.split == "validation" else place

    return [pair._replace(first=moved(pair.first), second=moved(pair.second)) for pair in pairs]


def _own_groups(split: Split, name: str) -> np.ndarray:
    """Return the groups of a split; each picture is one of its own where it has none."""
    if split.groups is not None:
        return split.groups
    return np.array([f"{name} {i}" for i in range(len(split.labels))])


def _check_arguments(
    settings: tuple[Settings, ...],
    folds: int,
    repeats: int,
    seeds: int,
    validation: float | None,
    seed: int,
    *,
    nested: bool,
) -> None:
    if not settings or not all(isinstance(one, Settings) for one in settings):
        raise UsageError(
            f"settings holds {[type(one).__name__ for one in settings][:3]}",
            "Settings, one or more",
            "give Settings(), or several as vary makes them",
        )
    # With two folds, nothing would be left of two of them.
    require_integer("folds", folds, 3 if nested else 2)
    require_integer("repeats", repeats, 1, MOST_REPEATS)
    require_integer("seeds", seeds, 1, 100_000)
    require_integer("seed", seed, 0, LARGEST_SEED)
    check_settings(settings, seeds, validates=validation is not None)
    if validation is not None:
        require_number("validation", validation, 0, 1)
        if all(one.patience is None for one in settings):
            raise UsageError(
                f"validation is {validation:g}, and no setting has a patience",
                "validation pictures for settings that stop early",
                "give Settings(patience=…), or leave validation out",
            )


def _no_validation(share: float) -> DataError:
    return DataError(
        f"a validation share of {share:g} of the training pictures of a fold leaves out a class on "
        "one side",
        "pictures of both classes in training and in validation",
        "give another share, fewer folds, or add pictures",
    )


def _arrange(
    settings: tuple[Settings, ...],
    labels: np.ndarray,
    drawn: np.ndarray,
    trained: Trained,
    lefts: list[tuple[int, ...]],
) -> CrossValidation:
    """Arrange networks by the folds that they are trained without."""
    repeats, m = drawn.shape
    folds = int(drawn.max()) + 1
    # (repeats, ways of a repeat, settings, seeds, …)
    A2, outcomes, best = (array.reshape(repeats, -1, *array.shape[1:]) for array in trained)
    r, i = np.arange(repeats)[:, None], np.arange(m)

    def predict(way_of: np.ndarray) -> np.ndarray:
        """Take of each picture the probability of a way (repeats, m): (settings, r, seeds, m)."""
        return A2[r, way_of, :, :, i].transpose(2, 0, 3, 1)

    inner = None
    if len(lefts) > folds:
        # Of a fold without itself, any network: these places become NaN.
        pairs = np.zeros((folds, folds), int)
        for k, other in lefts[folds:]:
            pairs[k, other] = pairs[other, k] = lefts.index((k, other))
        inner = np.stack([predict(pairs[k][drawn]) for k in range(folds)], axis=2)
        own = drawn[:, None] == np.arange(folds)[:, None]  # (repeats, folds, m)
        inner[np.broadcast_to(own[None, :, :, None], inner.shape)] = np.nan
    return CrossValidation(
        settings,
        labels,
        drawn,
        predict(drawn),
        outcomes[:, :folds].transpose(2, 0, 1, 3),
        best[:, :folds].transpose(2, 0, 1, 3),
        inner,
    )
