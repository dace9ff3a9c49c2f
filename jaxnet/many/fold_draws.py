"""Repeated stratified k folds, drawn by a seed, which part no group. NumPy only."""

import numpy as np

from jaxnet.data.hold_out import draw_held_out
from jaxnet.errors import DataError, require_integer

# Beside the seed, so that the draws differ from each other, and from those of test and validation
# sets of a whole data set.
STREAM, VALIDATION_STREAM = 2, 3

MOST_FOLDS, MOST_REPEATS = 10_000, 10_000


def draw_folds(
    labels: np.ndarray,
    folds: int,
    repeats: int = 1,
    seed: int = 0,
    *,
    groups: np.ndarray | None = None,
    classes: tuple[str, str] = ("class 0", "class 1"),
) -> np.ndarray:
    """Divide examples into folds, each class evenly, some times over.

    Groups are dealt one after the other, the largest first and those of equal size in random order,
    each to the fold that has the least of its classes. Without groups the numbers of examples of a
    class in two folds of a repeat differ by one at most, and so do the sizes of two folds. The
    folds of a repeat do not depend on how many repeats there are.

    Args:
        labels: (m,) of 0 and 1.
        folds: Into how many.
        repeats: How often.
        seed: The seed of the draw.
        groups: The number of each example's group, (m,): all examples of a group are in one fold.
        classes: The names of the classes, for errors.

    Returns:
        The number of each example's fold in each repeat, (repeats, m), from 0.

    Raises:
        DataError: If a class has fewer examples, or groups, than there are folds, or the groups are
            so uneven that a fold has no example of a class.
        UsageError: If an argument is out of its range.
    """
    require_integer("folds", folds, 2, MOST_FOLDS)
    require_integer("repeats", repeats, 1, MOST_REPEATS)
    require_integer("seed", seed, 0)
    m = len(labels)
    members = np.arange(m) if groups is None else np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((members.max(initial=-1) + 1, 2), int)
    np.add.at(counts, (members, labels), 1)
    _require_enough(counts, folds, classes, grouped=groups is not None)
    drawn = np.array([_deal(counts, folds, (seed, STREAM, repeat)) for repeat in range(repeats)])
    result = drawn[:, members]
    _require_both_classes(result, labels, folds, classes)
    return result


def draw_validation(
    trained_on: np.ndarray, labels: np.ndarray, groups: np.ndarray | None, share: float, seed: int
) -> np.ndarray | None:
    """Draw which of its training examples each network is watched by instead, each class evenly.

    Args:
        trained_on: Which examples each network could be trained on, (…, m).
        labels: (m,) of 0 and 1.
        groups: The number of each example's group, which is not parted, (m,); None for none.
        share: The share that is drawn of the examples of each network.
        seed: The seed of the draw.

    Returns:
        (…, m) bool; None if a network would be trained, or watched, without one of the classes.
    """
    watched = np.zeros(trained_on.shape, bool)
    for network in np.ndindex(trained_on.shape[:-1]):
        among = np.flatnonzero(trained_on[network])
        own = None if groups is None else groups[among]
        drawn = draw_held_out(labels[among], (seed, VALIDATION_STREAM, *network), own, share)
        if any(len(np.unique(labels[among[part]])) < 2 for part in (drawn, ~drawn)):
            return None
        watched[(*network, among[drawn])] = True
    return watched


def _deal(counts: np.ndarray, folds: int, seed: tuple[int, ...]) -> np.ndarray:
    """Deal groups, whose examples of each class are counted in (groups, 2), to folds: (groups,)."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(counts))
    # Stable: by size, then by class, then as drawn.
    order = order[np.lexsort((counts[order, 1], -counts[order].sum(axis=1)))]
    total = np.maximum(counts.sum(axis=0), 1)
    held, chosen = np.zeros((folds, 2)), np.empty(len(counts), int)
    tie = generator.permutation(folds)
    for group in order:
        # The sum of (held / total)² over folds and classes grows by this, up to a constant.
        growth = held @ (counts[group] / total**2)
        best = np.lexsort((tie, held.sum(axis=1), growth))[0]
        chosen[group] = best
        held[best] += counts[group]
    return chosen


def _require_enough(
    counts: np.ndarray, folds: int, classes: tuple[str, str], *, grouped: bool
) -> None:
    for label, name in enumerate(classes):
        number = int((counts[:, label] > 0).sum())
        if number < folds:
            what = "groups of pictures that belong together" if grouped else "pictures"
            raise DataError(
                f'{folds} folds, but "{name}" has {number:,} {what}',
                "no more folds than that, so that each fold has pictures of both classes",
                f"give {number} folds or fewer" if number > 1 else "add pictures",
            )


def _require_both_classes(
    drawn: np.ndarray, labels: np.ndarray, folds: int, classes: tuple[str, str]
) -> None:
    for label, name in enumerate(classes):
        of_class = drawn[:, labels == label]
        if any(len(np.unique(row)) < folds for row in of_class):
            raise DataError(
                f'{folds} folds cannot each have pictures of "{name}", since some pictures that '
                "belong together are too many",
                "groups that can be dealt to the folds, both classes to each",
                "give fewer folds, or smaller groups",
            )
