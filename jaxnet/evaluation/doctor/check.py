"""The result of a check, and how numbers that must agree are compared."""

import math
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

from jaxnet.display import shown

Verdict = Literal["pass", "warn", "fail"]


class Result(NamedTuple):
    """What one check measured; with the check's name it is a `Check`."""

    verdict: Verdict
    number: float
    case: str
    values: dict[str, Any]


@shown
class Check(NamedTuple):
    """The result of one check, with its name.

    `jaxnet.report.checks` holds the sentences for every name and case.

    Attributes:
        name: Which check it is.
        verdict: "pass", "warn" (possibly intended, but worth knowing) or "fail".
        number: What was measured; NaN if the check does not apply.
        case: Which of the possible results of this check it is, as a short key.
        values: Further numbers of the result, by name.
    """

    name: str
    verdict: Verdict
    number: float
    case: str
    values: dict[str, Any]

    @property
    def applies(self) -> bool:
        """Whether anything was measured; a check that does not apply passes."""
        return self.verdict != "pass" or not math.isnan(self.number)


@shown
class Checks(tuple[Check, ...]):
    """The results of several checks."""


def require_small(
    difference: float, bound: float, *, number: float | None = None, **values: Any
) -> Result:
    """Pass with the case "ok" if a difference is within its bound, else fail with the case "off".

    Args:
        difference: What is compared; NaN fails.
        bound: The largest difference that passes.
        number: What the result reports as measured; by default the difference.
        values: Further numbers for the result.
    """
    measured = difference if number is None else number
    small = difference <= bound
    return Result(
        "pass" if small else "fail", measured, "ok" if small else "off", {"bound": bound} | values
    )


def does_not_apply(case: str, **values: Any) -> Result:
    """Pass without a number, for the reason that `case` names."""
    return Result("pass", math.nan, case, values)


def relative_difference(ours: object, theirs: object) -> float:
    """Compute the largest difference of any array in two pytrees, relative to its largest element.

    It is infinite where a number is not finite, or the shapes or the pytrees differ.
    """
    if jax.tree.structure(ours) != jax.tree.structure(theirs):  # type: ignore[operator]
        return math.inf
    largest = 0.0
    for our, their in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        a, b = np.asarray(our, np.float64), np.asarray(their, np.float64)
        if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
            return math.inf
        size = np.abs(b).max() or 1.0
        largest = max(largest, float(np.abs(a - b).max() / size))
    return largest
