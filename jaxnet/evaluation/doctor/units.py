"""Checks of the hidden units: are they dead, always on, saturated, or copies of each other?"""

import numpy as np

from jaxnet.activations import leaky_relu, sigmoid
from jaxnet.evaluation.doctor.check import Check, Verdict, does_not_apply
from jaxnet.evaluation.doctor.subjects import Trained
from jaxnet.network import forward

# A slope below this share of the largest lets hardly any gradient through; a unit with such a slope
# on so many pictures is saturated.
FLAT, MOST = 0.01, 0.9

# Two units are one if their weights differ by less than this share of their length: by an angle of
# some two degrees.
APART = 0.04

# All pairs of so many units are compared.
MOST_UNITS = 2000


def check_dead_units(trained: Trained) -> Check:
    """Count the units that are active on no training picture."""
    name, hidden = "dead hidden units", trained.model.hidden
    if hidden == leaky_relu:
        return does_not_apply(name, "the slope of leaky ReLU is never 0: its units cannot die")
    dead = (_slopes(trained) == 0).all(axis=1)
    return _judge_units(
        name,
        dead,
        none="every unit is active on some training picture",
        some="a unit that is active on no training picture has the gradient 0: the network has as "
        "many units less",
        every="no unit is active on any training picture: W1 and W2 have the gradient 0, and "
        "whatever the picture, the answer is the same",
        remedy="start anew with a smaller --learning-rate or --scale symmetric; units of "
        "--activation leaky_relu cannot die, and with --weight-scale 0 those of relu never start",
    )


def check_always_on_units(trained: Trained) -> Check:
    """Count the units whose Z1 is positive on every training picture."""
    name, hidden = "always-on hidden units", trained.model.hidden
    if hidden == sigmoid:
        return does_not_apply(name, "a sigmoid has no half where it is a straight line")
    Z1: np.ndarray = np.asarray(forward(trained.model.params, trained.X, hidden).Z1)
    return _judge_units(
        name,
        np.asarray((Z1 > 0).all(axis=1)),
        worst="warn",  # a straight line may be all that the pictures ask for
        none="every unit switches off for some training picture",
        some="a unit that never switches off is a straight line: it adds nothing that a network "
        "without hidden units could not do",
        every="no unit ever switches off: the network is a straight line, a logistic regression",
        remedy="--scale symmetric puts the pictures on both sides of 0; a smaller --learning-rate "
        "pushes units less far",
    )


def check_saturated_units(trained: Trained) -> Check:
    """Count the units that are on a flat end of the sigmoid for nearly every training picture."""
    name, hidden = "saturated hidden units", trained.model.hidden
    if hidden != sigmoid:
        return does_not_apply(name, "only sigmoid units have flat ends on both sides")
    flat = _slopes(trained) < FLAT / 4  # the largest slope of σ is ¼
    saturated = flat.mean(axis=1) >= MOST
    return _judge_units(
        name,
        saturated,
        none="every unit has a slope to learn by",
        some="on at least 9 of 10 training pictures such a unit is so far out on the sigmoid that "
        "hardly any gradient gets through: its weights stand still",
        every="on at least 9 of 10 training pictures every unit is so far out on the sigmoid that "
        "hardly any gradient gets through: only the output layer learns",
        remedy="scale the pictures (--scale symmetric), start with a smaller --weight-scale, or "
        "take --activation relu",
    )


def check_duplicated_units(trained: Trained) -> Check:
    """Count the units that look for the same as an earlier one: the same W1 and b1.

    With ReLU, times any positive number: a unit's size can be moved into W2.
    """
    params = trained.model.params
    rows = np.hstack([params["W1"], params["b1"]]).astype(np.float64)[:MOST_UNITS]
    if trained.model.hidden != sigmoid:
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = rows / np.where(lengths > 0, lengths, 1)
    squares = (rows**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * rows @ rows.T
    same = distances <= APART**2 * np.maximum(squares[:, None], squares)
    copies = np.tril(same, -1).any(axis=1)
    return _judge_units(
        "duplicated hidden units",
        copies,
        most=len(rows) - 1,
        none="every unit looks for something else",
        some="a unit that looks for the same as another adds nothing: the network has as many "
        "units less",
        every="all units look for the same: the network is one unit, however many it has",
        remedy="draw the first weights at random (--weight-scale 0.01, or he): equal units get "
        "equal gradients and stay equal; if they became alike by learning, fewer --hidden-units do",
    )


def _slopes(trained: Trained) -> np.ndarray:
    hidden = trained.model.hidden
    return np.asarray(hidden.slope(forward(trained.model.params, trained.X, hidden).Z1))


def _judge_units(
    name: str,
    which: np.ndarray,
    *,
    none: str,
    some: str,
    every: str,
    remedy: str,
    most: int | None = None,
    worst: Verdict = "fail",
) -> Check:
    """Pass if no unit is one of these, warn if some are, and give the worst verdict if `most` are.

    `most` is by default the number of units.
    """
    count, n_h = int(which.sum()), len(which)
    found = f"{count:,} of {n_h:,}"
    if not count:
        return Check(name, "pass", count, found, none)
    if count < (n_h if most is None else most):
        return Check(name, "warn", count, found, some, remedy)
    return Check(name, worst, count, found, every, remedy)
