"""What a check of the doctor finds, and how numbers that must agree are compared."""

import math
from typing import Literal, NamedTuple

import jax
import numpy as np

Verdict = Literal["pass", "warn", "fail"]


class Check(NamedTuple):
    """What a check finds.

    Attributes:
        name: What is looked at.
        verdict: "pass", "warn" (it may be meant so, but should be known) or "fail".
        number: What is measured; nan where the question does not apply.
        found: The number in words.
        meaning: What it means.
        remedy: What to do about it; empty if it passes.
    """

    name: str
    verdict: Verdict
    number: float
    found: str
    meaning: str
    remedy: str = ""


def require_small(
    name: str, number: float, bound: float, *, holds: str, broken: str, remedy: str
) -> Check:
    """Pass if a difference is within its bound, and fail if it is above or not a number."""
    found = f"{number:.1e}, at most {bound:.0e}"
    if number <= bound:
        return Check(name, "pass", number, found, holds)
    return Check(name, "fail", number, found, broken, remedy)


def does_not_apply(name: str, why: str) -> Check:
    """Pass, since the question makes no sense here."""
    return Check(name, "pass", math.nan, f"does not apply: {why}", why)


def relative_difference(ours: object, theirs: object) -> float:
    """Compute the largest difference of any array in two pytrees, relative to its largest element.

    It is infinite where a number is not finite or the shapes differ.
    """
    largest = 0.0
    for our, their in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        a, b = np.asarray(our, np.float64), np.asarray(their, np.float64)
        if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
            return math.inf
        size = np.abs(b).max() or 1.0
        largest = max(largest, float(np.abs(a - b).max() / size))
    return largest
