"""What each training picture does: every one of them left out in turn, exactly, in one program.

A picture of weight 0 takes no part in the training. So all m retrainings, and the training with all
pictures, are m + 1 networks a seed that differ in their weights, and share all else. As each costs
time that grows with m², the time grows with the cube of the number of pictures, and the memory with
its square. Pictures that are there twice stand in for each other: to know, look at the audit.
"""

from typing import NamedTuple

import jax
import numpy as np

from jaxnet.activations import Activation, relu
from jaxnet.arrays import check_targets
from jaxnet.errors import DataError, UsageError, require_number
from jaxnet.evaluation.scores import Interval, wilson
from jaxnet.many.engine import Rate, Scale, train_networks
from jaxnet.optimizer import LEARNING_RATE
from jaxnet.progress import Track, silent

# Of probabilities that are kept: 2 GB in float32.
MOST_NUMBERS = 500_000_000


class LeaveOneOut(NamedTuple):
    """The probability of class 1, by every network of every seed.

    Attributes:
        train: (seeds, m), each training picture, from the network that has learnt from all.
        test: (seeds, m′), each test picture, from the same; None without test pictures.
        train_without: (seeds, m, m), from the network without picture i, of picture j.
        test_without: (seeds, m, m′), from the same, of test picture j; or None.
        outcomes: (seeds, m + 1), how each network ended, without picture i; the last has seen all.
    """

    train: np.ndarray
    test: np.ndarray | None
    train_without: np.ndarray
    test_without: np.ndarray | None
    outcomes: np.ndarray

    @property
    def unseen(self) -> np.ndarray:
        """Each training picture, from the network that has not seen it, (seeds, m)."""
        return np.diagonal(self.train_without, axis1=1, axis2=2)


class Change(NamedTuple):
    """How much each training picture changes a probability by being there.

    Attributes:
        mean: Over the seeds; (m,), or (m, m′) for many probabilities.
        spread: The standard deviation between the seeds.
    """

    mean: np.ndarray
    spread: np.ndarray

    @property
    def noise(self) -> np.ndarray:
        """Whether a change is no larger than the spread."""
        return np.abs(self.mean) <= self.spread

    @property
    def order(self) -> np.ndarray:
        """The training pictures, the largest change first."""
        return np.argsort(-np.abs(self.mean), axis=0, kind="stable")

    def of(self, j: int) -> "Change":
        """The changes of probability j alone."""
        return Change(self.mean[:, j], self.spread[:, j])


def leave_one_out(
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
) -> LeaveOneOut:
    """Train with all pictures, and with all but each, from the start of every key.

    Args:
        keys: One random key a seed, two at least, since the spread between them tells a change
            from noise; each draws the network that `init_params` draws from it.
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
        DataError: If the shapes do not fit together, or nothing would be left to learn from.
        UsageError: If a setting is out of its range, or a network's numbers are not finite.
    """
    check_targets(X, Y, weights)
    require_number("the number of seeds", len(keys), 2, np.inf)
    m = Y.size
    ones = np.ones(Y.shape, X.dtype) if weights is None else np.asarray(weights)
    if (ones > 0).sum() < 2:
        raise DataError(
            "one picture is all there is to learn from",
            "two pictures at least, so that one can be left out",
            "add pictures",
        )
    numbers = len(keys) * (m + 1) * (m + (0 if test is None else test[1].size))
    if numbers > MOST_NUMBERS:
        raise UsageError(
            f"{numbers:,} probabilities, of each picture by each network, would be kept",
            f"{MOST_NUMBERS:,} at most",
            "take fewer pictures or seeds",
        )
    left_out = np.eye(m + 1, m, dtype=X.dtype)[:, None]  # (m + 1, 1, m); the last row is 0
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
        weightings=ones * (1 - left_out),
        test=test,
        keep_probabilities=True,
        track=track,
    )
    outcomes = ends.outcomes[0, :, 0].T
    overflows = int((outcomes == "not finite").sum())
    if overflows:
        raise UsageError(
            f"{overflows} of {outcomes.size} networks have numbers that are not finite",
            "finite numbers",
            "take a smaller learning rate",
        )
    by_train, by_test = (
        np.asarray(A2)[0, :, 0].swapaxes(0, 1) for A2 in (ends.train_A2, ends.test_A2)
    )
    return LeaveOneOut(
        by_train[:, m],
        None if test is None else by_test[:, m],
        by_train[:, :m],
        None if test is None else by_test[:, :m],
        outcomes,
    )


def unseen_accuracies(found: LeaveOneOut, labels: np.ndarray) -> tuple[Interval, np.ndarray]:
    """Compute the share of the training pictures that are predicted rightly when left out.

    Args:
        found: What `leave_one_out` found.
        labels: Of the training pictures, (m,).

    Returns:
        That of the median seed (the lower one of two) with its Wilson interval, which is about
        which pictures; and that of each seed, (seeds,).
    """
    hits = ((found.unseen > 0.5) == labels).sum(axis=1)
    median = int(np.sort(hits)[(len(hits) - 1) // 2])
    return wilson(median, labels.size), hits / labels.size


def memorisation(found: LeaveOneOut, labels: np.ndarray) -> Change:
    """Compute how much the probability of each training picture's class owes to itself, (m,).

    With a picture minus without it (Feldman & Zhang 2020, arXiv 2008.03703, equation 1): near 1
    where its class is learnt by heart, near 0 where the other pictures tell it.
    """
    return _change((found.train - found.unseen) * np.where(labels == 1, 1, -1))


def influence(found: LeaveOneOut) -> Change:
    """Compute how much each training picture raises each test picture's P(class 1), (m, m′).

    With it minus without it (the same paper's equation 2 for all training pictures but one).

    Raises:
        DataError: If there are no test pictures.
    """
    if found.test is None or found.test_without is None:
        raise DataError("there are no test pictures", "some to be explained", "give test=…")
    return _change(found.test[:, None] - found.test_without)


def most_moved(moved: Change) -> np.ndarray:
    """List the test pictures: the one that a single training picture moves most comes first."""
    strongest = np.where(moved.noise, 0, np.abs(moved.mean)).max(axis=0)
    return np.argsort(-strongest, kind="stable")


def _change(differences: np.ndarray) -> Change:
    return Change(
        differences.mean(axis=0, dtype=float), differences.std(axis=0, dtype=float, ddof=1)
    )
