"""Checks of what a training has come to: its numbers, its cost, and what it is worth."""

import math

import numpy as np

from jaxnet.evaluation.doctor.check import Check, does_not_apply
from jaxnet.evaluation.doctor.subjects import Trained
from jaxnet.evaluation.scores import difference, wilson
from jaxnet.network import accuracy, loss
from jaxnet.outcomes import label_entropy, late_cost, outcome

LN_2 = math.log(2)

# What it means, and what to do about it.
MEANINGS = {
    "learning": ("the cost is below that of always saying the class rate", ""),
    "not finite": (
        "a cost or a parameter is not a finite number",
        "start anew with a smaller --learning-rate or --scale symmetric",
    ),
    "dead": (
        "no hidden unit is active on any training picture: only the class rate can be learnt",
        "begin with the dead hidden units",
    ),
    "plateau at the label entropy": (
        "the cost is that of saying the class rate to every picture: nothing is learnt from what "
        "the pictures show",
        "take more --iterations, or a larger --learning-rate or --weight-scale; where hidden units "
        "are saturated or dead, begin with these",
    ),
    "plateau at ln 2": (
        "the cost is ln 2 = 0.6931, that of saying ½ to every picture: not even the class rate is "
        "learnt",
        "take more --iterations or a larger --learning-rate",
    ),
    "too short": (
        "the cost still falls, and has not come to that of saying the class rate",
        "take more --iterations or a larger --learning-rate",
    ),
    "diverged": (
        "the answers are worse than saying the class rate to every picture",
        "take a smaller --learning-rate: `jaxnet train` names one that learns",
    ),
}


def check_finite(trained: Trained) -> Check:
    """Count the costs and parameters that are not finite numbers."""
    name, costs = "finite numbers", np.asarray(trained.model.costs)
    bad = {key: int((~np.isfinite(leaf)).sum()) for key, leaf in trained.model.params.items()}
    bad = {key: count for key, count in bad.items() if count}
    where = [f"{count:,} of {key}" for key, count in bad.items()]
    first = np.flatnonzero(~np.isfinite(costs))
    if first.size:
        where.append(f"the cost at iteration {first[0]:,} is {costs[first[0]]}")
    stopped = trained.model.origin.get("outcome") == "not finite"
    if stopped:  # the costs that are kept end before the one that was none
        where.append(f"the run ended there, after {costs.size:,} iterations")
    number = sum(bad.values()) + first.size + stopped
    if not number:
        return Check(name, "pass", 0, "all of them", "every cost and parameter is a finite number")
    return not_finite(number, ", ".join(where))


def not_finite(number: float, found: str) -> Check:
    """Fail, since a cost or a parameter is no number any more."""
    return Check(
        "finite numbers",
        "fail",
        number,
        found,
        "a cost or a parameter has become too large to be a number: the steps grew until they "
        "overflowed, or NaN was in the pictures",
        "start anew with a smaller --learning-rate or --scale symmetric",
    )


def check_learnt(trained: Trained) -> Check:
    """Name what the cost says was learnt: the outcome, and a plateau by its height."""
    name, (model, X, Y, weights, _, same) = "what is learnt", trained
    if not same:
        return does_not_apply(name, "the training pictures are not there")
    costs = np.asarray(model.costs)
    if not costs.size:  # then only where it ended is known
        costs = np.asarray(loss(model.params, X, Y, model.hidden, weights))[None]
    how: str = outcome(model.params, X, Y, model.hidden, costs=costs, weights=weights)
    late, entropy = float(late_cost(costs)), label_entropy(Y, weights)
    at_half = abs(late - LN_2) <= 0.01 * LN_2
    if how == "plateau":
        how = "plateau at the label entropy" + (", which is ln 2 here" if at_half else "")
    elif how == "diverged" and at_half:
        how = "plateau at ln 2"
    elif how == "diverged" and late < costs[0] and costs[-1] == costs.min():
        how = "too short"
    found = f"{how}: cost {late:.4f}, guessing {entropy:.4f}"
    meaning, remedy = MEANINGS[how.partition(",")[0]]
    return Check(name, "pass" if how == "learning" else "fail", late, found, meaning, remedy)


def check_gap(trained: Trained) -> Check:
    """Compare the accuracy on the training pictures with that on the test pictures."""
    name, model = "train–test gap", trained.model
    if trained.test is None or not trained.same:
        what = "test" if trained.test is None else "training"
        return does_not_apply(name, f"the {what} pictures are not there")
    splits = ((trained.X, trained.Y), trained.test)
    train, test = (
        wilson(round(float(accuracy(model.params, X, Y, model.hidden)) * Y.size), Y.size)
        for X, Y in splits
    )
    gap, low, high = difference(train, test)
    points = [str(round(100 * number)).replace("-", "−") for number in (gap, low, high)]
    found = f"{100 * train.value:.0f} % − {100 * test.value:.0f} % = {points[0]} points"
    found += f" [{points[1]} to {points[2]}]"
    if low <= 0:
        return Check(name, "pass", gap, found, "no more than the choice of pictures explains")
    return Check(
        name,
        "warn",
        gap,
        found,
        "on pictures it has not seen it is right less often, by more than chance: part of what it "
        "knows it has learnt by heart",
        "more pictures, fewer --hidden-units or fewer --iterations; `jaxnet evaluate` says what "
        "the test accuracy is worth",
    )
