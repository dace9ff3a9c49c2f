"""Which quantities of a learner's function are wrong, and by which slips.

A quantity is compared with its formula, computed from the learner's own quantities before it where
these are returned. Those that are not returned are assumed to be right, or to hold one of their
slips: the explanation with the fewest slips is taken. A slip counts only if its result agrees on
every problem.
"""

import functools
from typing import NamedTuple

import numpy as np

from jaxnet.evaluation.tutor.calling import GRADIENTS, PARTS, Called, Letters, with_bias_shape
from jaxnet.evaluation.tutor.formulas import FORMULAS, HIDDEN, Formula

# What may be lost by rounding: of float64, and of anything shorter.
BOUNDS = {8: 1e-7, 4: 2e-4, 2: 2e-2}

# The cost of an explanation: a slip that is recognised, and a difference that is none.
SLIP, UNKNOWN = 1.0, 2.5


class Deviation(NamedTuple):
    """A quantity that is wrong.

    Attributes:
        quantity: Such as "dZ2"; of an input that was changed in place, "W2".
        slip: The code of the slip, such as "no 1/m"; "value" or "shape" if none is recognised,
            "not filled in" of `...`.
        returned: Whether the quantity was returned; else it is implied by those that follow.
        shape: The shape that was returned.
        expected: The shape that it should have.
        factor: By which the right result is multiplied, if it is such a multiple.
    """

    quantity: str
    slip: str
    returned: bool = True
    shape: tuple[int, ...] | None = None
    expected: tuple[int, ...] | None = None
    factor: float | None = None


class Judgement(NamedTuple):
    """The explanation with the fewest slips.

    Attributes:
        cost: Of all deviations; 0 if there is none.
        deviations: In the order of the computation.
        consistent: Quantities that differ only because of those before them.
    """

    cost: float
    deviations: tuple[Deviation, ...]
    consistent: tuple[str, ...]


Values = list[np.ndarray]  # of one quantity, one array for each problem


@np.errstate(all="ignore")  # what a learner returns may hold anything
def judge(part: str, calls: list[Called], problems: list[Letters]) -> Judgement:
    """Find the explanation of what a function returned on several problems.

    dA and dZ may be derivatives of each example's own loss or of the mean cost, 1/m of those.
    """
    blanks = calls[0].blanks
    best = _Search(part, [called.values for called in calls], problems, blanks).best
    early = ("dA2", "dZ2", "dA1", "dZ1")
    if part == "backprop" and best.cost and any(name in calls[0].values for name in early):
        scaled = [
            {
                name: value * problem["m"] if name in early else value
                for name, value in called.values.items()
            }
            for called, problem in zip(calls, problems, strict=True)
        ]
        of_mean = _Search(part, scaled, problems, blanks).best
        fits = all(
            each.quantity not in early or each.slip not in ("value", "factor")
            for each in of_mean.deviations
        )
        if fits and of_mean.cost < best.cost:
            best = of_mean
    return _share(best, {*calls[0].values, *blanks})


def _share(judgement: Judgement, returned: set[str]) -> Judgement:
    """Put one deviation of dZ where no slip explains dW and db, which both come from it."""
    for dZ, shared in (("dZ2", {"dW2", "db2"}), ("dZ1", {"dW1", "db1"})):
        unknown = [each for each in judgement.deviations if each.slip == "value"]
        names = {each.quantity for each in unknown}
        if dZ not in returned and shared <= names:
            later = shared | {"dW1", "db1"}
            kept = [d for d in judgement.deviations if d not in unknown or d.quantity not in later]
            found = Deviation(dZ, "value", returned=False)
            deviations = tuple(
                sorted([*kept, found], key=lambda each: GRADIENTS.index(each.quantity))
            )
            judgement = judgement._replace(deviations=deviations)
    return judgement


class _Search:
    """The search of one explanation, quantity by quantity in the order of the computation."""

    def __init__(
        self,
        part: str,
        returned: list[dict[str, np.ndarray]],
        problems: list[Letters],
        blanks: tuple[str, ...],
    ) -> None:
        self.part, self.blanks = part, blanks
        self.true = problems if part == "update" else [each | each["true"] for each in problems]
        self.given = {
            name: [values[name] for values in returned]
            for name in PARTS[part].returns
            if all(name in values for values in returned)
        }
        self.guesses = True
        for budget in (SLIP, 2 * SLIP, 3 * SLIP):
            self.best = Judgement(budget + 0.1, (), ())
            self._descend(0, problems, Judgement(0.0, (), ()))
            if self.best.cost <= budget:
                return
        self.guesses = False  # so many slips that anything could be explained by others
        self.best = Judgement(np.inf, (), ())
        self._descend(0, problems, Judgement(0.0, (), ()))

    def _descend(self, place: int, letters: list[Letters], so_far: Judgement) -> None:
        if so_far.cost >= self.best.cost:
            return
        if place == len(PARTS[self.part].returns):
            self.best = so_far
            return
        name = PARTS[self.part].returns[place]
        quantity = FORMULAS[self.part][name]
        right = _compute(quantity.formula, letters) or _compute(quantity.formula, self.true) or []
        if name in self.given:
            if self._is_right(name, letters):
                found, consistent = None, not self._agrees(name, quantity.formula, self.true)
            elif so_far.cost + SLIP >= self.best.cost:
                return
            else:
                found, consistent = self._deviation(name, letters, right), False
            cost = 0.0 if found is None else SLIP if found.slip not in _OPEN else UNKNOWN
            usable = all(np.isfinite(value).all() for value in self.given[name])
            own = self.given[name] if usable else right
            new = so_far._replace(cost=so_far.cost + cost)
            if found is not None:
                new = new._replace(deviations=(*new.deviations, found))
            if consistent:
                new = new._replace(consistent=(*new.consistent, name))
            self._descend(place + 1, _with(letters, name, own), new)
            return
        if name in PARTS[self.part].required and not self.blanks:
            missing = (*so_far.deviations, Deviation(name, "missing", returned=False))
            so_far = so_far._replace(cost=so_far.cost + SLIP, deviations=missing)
        self._descend(place + 1, _with(letters, name, right), so_far)
        if (
            not self.guesses
            or name in self.blanks
            or name not in HIDDEN[self.part]
            or so_far.cost + SLIP >= self.best.cost
        ):
            return
        for slip, formula in quantity.slips:
            values = _compute(formula, letters)
            shapes = [each.shape for each in right]
            if values is not None and [each.shape for each in values] == shapes:
                deviations = (*so_far.deviations, Deviation(name, slip, returned=False))
                new = so_far._replace(cost=so_far.cost + SLIP, deviations=deviations)
                self._descend(place + 1, _with(letters, name, values), new)

    def _is_right(self, name: str, letters: list[Letters]) -> bool:
        quantity = FORMULAS[self.part][name]
        formulas = (quantity.formula, *quantity.others)
        return any(self._agrees(name, formula, letters) for formula in formulas)

    def _deviation(self, name: str, letters: list[Letters], right: Values) -> Deviation:
        """Return how a returned quantity deviates from its formula."""
        values, quantity = self.given[name], FORMULAS[self.part][name]
        as_deviation = functools.partial(
            Deviation, name, shape=values[0].shape, expected=right[0].shape
        )
        if self._agrees(name, quantity.formula, self.true):
            return as_deviation(slip="cancels")
        if not all(np.isfinite(value).all() for value in values):
            return as_deviation(slip="not finite")
        for known in (letters, self.true):
            for slip, formula in quantity.slips:
                if self._agrees(name, formula, known):
                    return as_deviation(slip=slip)
        if [v.shape for v in values] != [r.shape for r in right]:
            return as_deviation(slip="shape")
        if not any(value.any() for value in values):
            return as_deviation(slip="zero")
        square = float((right[0] ** 2).sum())
        factor = float((values[0] * right[0]).sum()) / square if square else 0.0
        if self._agrees(name, lambda v: factor * quantity.formula(v), letters):
            return as_deviation(slip="factor", factor=factor)
        return as_deviation(slip="value")

    def _agrees(self, name: str, formula: Formula, letters: list[Letters]) -> bool:
        """Return whether a formula gives the returned quantity on every problem."""
        for value, known in zip(self.given[name], letters, strict=True):
            made = _compute(formula, [known])
            if made is None:
                return False
            candidate = with_bias_shape(name, made[0], known)
            if value.shape != candidate.shape:
                return False
            bound = BOUNDS.get(value.dtype.itemsize, BOUNDS[8])
            if not np.abs(value - candidate).max() <= bound * (np.abs(candidate).max() or 1.0):
                return False
        return True


_OPEN = ("value", "shape", "not finite")


def _compute(formula: Formula, letters: list[Letters]) -> Values | None:
    """Compute a formula for every problem; None if the shapes do not fit."""
    try:
        return [np.asarray(formula(each)) for each in letters]
    except ValueError:
        return None


def _with(letters: list[Letters], name: str, values: Values) -> list[Letters]:
    return [
        each | {name: np.asarray(value, np.float64)}
        for each, value in zip(letters, values, strict=True)
    ]
