"""Checks of the result of a training: its numbers, its cost, and its accuracy on other pictures."""

import math

import numpy as np

from jaxnet.epochs import steps_an_epoch
from jaxnet.evaluation.doctor.check import Result, Verdict, does_not_apply
from jaxnet.evaluation.doctor.trained import Trained
from jaxnet.evaluation.scores import difference, wilson
from jaxnet.network import accuracy, loss
from jaxnet.outcomes import FAILED, label_entropy, late_cost, outcome

LN_2 = math.log(2)

# A cost within this share of ln 2 is that of predicting ½ for every picture.
NEAR = 0.01


def check_finite(trained: Trained) -> Result:
    """Count the costs and parameters that are not finite numbers."""
    costs = trained.costs
    counts = {name: int((~np.isfinite(array)).sum()) for name, array in trained.params.items()}
    parameters = {name: count for name, count in counts.items() if count}
    bad_costs = np.flatnonzero(~np.isfinite(costs))
    values = {"parameters": parameters, "iterations": costs.size}
    # The costs that are kept may end before the one that was not finite.
    number = sum(parameters.values()) + max(bad_costs.size, int(trained.stopped))
    if not number:
        return Result("pass", 0, "ok", values)
    if bad_costs.size:
        values |= {"iteration": int(bad_costs[0]), "cost": float(costs[bad_costs[0]])}
        return Result("fail", number, "parameters and costs" if parameters else "costs", values)
    return Result("fail", number, "parameters" if parameters else "stopped", values)


def check_outcome(trained: Trained) -> Result:
    """Determine the outcome of the run from its costs.

    The case is the outcome, or "slow at ln 2"; or, where the costs are not known, "above" for a
    cost now that is above the label entropy, since without its start slow and diverged are one.
    """
    if not trained.same:
        return does_not_apply("other training set")
    (X, Y, weights), costs = trained.train, trained.costs
    if not costs.size:
        costs = np.asarray(loss(trained.params, X, Y, trained.hidden, weights))[None]
    batch = None if trained.settings is None else trained.settings.batch
    epoch = steps_an_epoch(Y.size, batch)
    case: str = outcome(
        trained.params, X, Y, trained.hidden, costs=costs, weights=weights, epoch=epoch
    )
    if trained.stopped:
        case = "not finite"
    verdict: Verdict = "pass" if case == "learning" else "fail" if case in FAILED else "warn"
    late = float(late_cost(costs, epoch))
    if case == "slow" and not trained.costs.size:
        case = "above"
    elif case == "slow" and abs(late - LN_2) <= NEAR * LN_2:
        case = "slow at ln 2"
    return Result(verdict, late, case, {"entropy": label_entropy(Y, weights)})


def check_gap(trained: Trained) -> Result:
    """Compare the accuracy on the training set with that on the test set."""
    if not trained.same:
        return does_not_apply("other training set")
    if trained.test is None:
        return does_not_apply("no test set")
    X, Y, _ = trained.train
    m = Y.size // (1 if trained.settings is None else trained.settings.copies)  # no mirror images
    train, test = (
        wilson(round(float(accuracy(trained.params, X, Y, trained.hidden)) * Y.size), Y.size)
        for X, Y in ((X[:, :m], Y[:, :m]), trained.test[:2])
    )
    gap, low, high = difference(train, test)
    values = {"train": train.value, "test": test.value, "low": low, "high": high}
    overfit = low > 0
    return Result("warn" if overfit else "pass", gap, "overfit" if overfit else "ok", values)
