"""Checks of the hidden units: dead, always on, saturated, or duplicates of each other."""

import jax
import numpy as np

from jaxnet.activations import leaky_relu, relu, sigmoid
from jaxnet.evaluation.doctor.check import Result, Verdict, does_not_apply
from jaxnet.evaluation.doctor.trained import Trained
from jaxnet.network import Params, forward
from jaxnet.outcomes import slopes

# Linear on each side of 0: g(c z) = c g(z) for c > 0.
PIECEWISE_LINEAR = (relu, leaky_relu)

# A unit is saturated if its slope is below this share of the largest on this share of the pictures.
FLAT, MOST = 0.01, 0.9

# Two units are duplicates if their weights differ by less than this share of their length, which is
# an angle of about two degrees.
APART = 0.04

# Units compared with each other, which bounds the memory.
MOST_UNITS = 2000


def check_dead_units(trained: Trained) -> Result:
    """Count the units that are active on no training picture."""
    if trained.hidden == leaky_relu:
        return does_not_apply("leaky_relu")
    dead = (np.asarray(slopes(trained.params, trained.train.X, trained.hidden)) == 0).all(axis=1)
    return _judge_units(dead)


def check_always_on_units(trained: Trained) -> Result:
    """Count the units whose Z1 is positive on every training picture, where they are linear."""
    if trained.hidden not in PIECEWISE_LINEAR:
        return does_not_apply("not piecewise linear")
    Z1 = np.asarray(_layer1(trained.params, trained.train.X))
    # A warning at most: a linear function may be all that the pictures require.
    return _judge_units(np.asarray((Z1 > 0).all(axis=1)), worst="warn")


@jax.jit
def _layer1(params: Params, X: jax.Array) -> jax.Array:
    return forward(params, X).Z1


def check_saturated_units(trained: Trained) -> Result:
    """Count the units that are on a flat end of the sigmoid for nearly every training picture."""
    if trained.hidden != sigmoid:
        return does_not_apply("not sigmoid")
    # The largest slope of σ is ¼.
    flat = np.asarray(slopes(trained.params, trained.train.X, sigmoid)) < FLAT / 4
    return _judge_units(flat.mean(axis=1) >= MOST)


def check_duplicated_units(trained: Trained) -> Result:
    """Count the units whose W1 and b1 are those of an earlier unit.

    With ReLU and leaky ReLU up to a positive factor, which W2 can make up for.
    """
    params = trained.params
    rows = np.hstack([params["W1"], params["b1"]]).astype(np.float64)[:MOST_UNITS]
    if trained.hidden in PIECEWISE_LINEAR:
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = rows / np.where(lengths > 0, lengths, 1)
    squares = (rows**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * rows @ rows.T
    same = distances <= APART**2 * np.maximum(squares[:, None], squares)
    copies = np.tril(same, -1).any(axis=1)
    return _judge_units(copies, most=len(rows) - 1)


def _judge_units(which: np.ndarray, *, most: int | None = None, worst: Verdict = "fail") -> Result:
    """Judge how many hidden units have a property.

    Args:
        which: Whether each unit has it, (n_h,).
        most: How many count as every unit; by default n_h.
        worst: The verdict for every unit; for some it is "warn", for none "pass".
    """
    count, n_h = int(which.sum()), len(which)
    values = {"units": n_h}
    if not count:
        return Result("pass", 0, "ok", values)
    if count < (n_h if most is None else most):
        return Result("warn", count, "some", values)
    return Result(worst, count, "every", values)
