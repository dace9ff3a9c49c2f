"""Checks of the steps of a training: their size, whether they lower the cost, their stability."""

import math
from collections.abc import Callable

import jax
import numpy as np

from jaxnet.curvature import sharpness
from jaxnet.errors import UsageError
from jaxnet.evaluation.doctor.check import Result, does_not_apply
from jaxnet.evaluation.doctor.trained import Trained
from jaxnet.network import Params, loss
from jaxnet.outcomes import any_active
from jaxnet.settings import Settings
from jaxnet.stability import largest_curvature

# The share of a layer's weights that one step changes: above the first it is coarse, above the
# second it replaces what was learnt.
COARSE, WHOLE = 0.1, 1.0

# The share of the steps that raise the cost: above the first it warns, above the second it fails.
SOME_RISE, MOST_RISE = 0.01, 0.5

# A cost that rises by fewer ε than this is rounded, not raised.
ROUNDING = 16

_gradient: Callable[..., Params] = jax.jit(
    jax.grad(loss), static_argnames=("hidden", "weight_decay")
)


def check_step_size(trained: Trained) -> Result:
    """Compare the next step with the weights that it changes: α‖dW‖ / ‖W‖ of each layer."""
    settings = _sgd_settings(trained)
    if isinstance(settings, Result):
        return settings
    X, Y, weights = trained.train
    slopes = _gradient(
        trained.params, X, Y, trained.hidden, weights, weight_decay=settings.weight_decay
    )
    ratios = {}
    for key in ("W1", "W2"):
        with np.errstate(over="ignore", invalid="ignore"):
            step, size = (float(np.linalg.norm(each[key])) for each in (slopes, trained.params))
        ratio = step / size if size else math.inf if step else 0.0
        ratios[key] = settings.learning_rate * ratio
    largest, least = (float(f(list(ratios.values()))) for f in (np.max, np.min))  # NaN stays NaN
    if not largest <= WHOLE:
        return Result("fail", largest, "whole", ratios)
    if largest > COARSE:
        return Result("warn", largest, "coarse", ratios)
    if least < np.finfo(trained.params["W1"].dtype).eps:
        return Result("warn", least, "too small", ratios)
    return Result("pass", largest, "ok", ratios)


def check_rising_steps(trained: Trained) -> Result:
    """Count the steps after which the cost was higher than before.

    With weight decay it is the objective, which the steps descend; the cost may rise for it.
    """
    seen = trained.objectives  # of mini-batches not that of every step
    costs = trained.costs if seen is None or np.isnan(seen).any() else seen
    if costs.size < 2:
        return does_not_apply("no costs")
    allowed = ROUNDING * np.finfo(costs.dtype).eps * costs[:-1]
    rises, steps = int((~(costs[1:] <= costs[:-1] + allowed)).sum()), costs.size - 1
    values = {"steps": steps, "share": rises / steps}
    if rises / steps <= SOME_RISE:
        return Result("pass", rises, "ok", values)
    if rises / steps <= MOST_RISE:
        return Result("warn", rises, "some", values)
    return Result("fail", rises, "most", values)


def check_sharpness(trained: Trained) -> Result:
    """Compare the largest curvature λ of the cost with the limit of the learning rate.

    Steps are stable below `largest_curvature`. With weight decay, λ is that of the objective.
    """
    settings = _sgd_settings(trained)
    if isinstance(settings, Result):
        return settings
    X, Y, weights = trained.train
    if not any_active(trained.params, X, trained.hidden):
        return does_not_apply("no active unit")
    limit = largest_curvature(settings.learning_rate, settings.momentum, settings.nesterov)
    values = {"limit": limit}
    try:
        value = sharpness(
            trained.params,
            X,
            Y,
            trained.hidden,
            weights,
            tolerance=0.01,
            weight_decay=settings.weight_decay,
        ).value
    except UsageError:  # the Hessian is not finite, or Lanczos does not converge
        return Result("warn", math.nan, "not computed", values)
    if value < limit:
        return Result("pass", value, "ok", values)
    largest_rate = settings.learning_rate * limit / value
    return Result("warn", value, "unstable", values | {"largest_rate": largest_rate})


def _sgd_settings(trained: Trained) -> Settings | Result:
    """Return the settings if their learning rate decides the steps; else the reason why not."""
    if trained.settings is None:
        return does_not_apply("no settings")
    if trained.settings.optimizer != "sgd":
        return does_not_apply("not sgd", optimizer=trained.settings.optimizer)
    if trained.settings.learning_rate == 0:
        return does_not_apply("rate 0")
    return trained.settings
