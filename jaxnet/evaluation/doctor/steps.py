"""Checks of the steps of a training: are they too long, do they go down, can they settle?"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxnet.curvature import sharpness
from jaxnet.errors import UsageError
from jaxnet.evaluation.doctor.check import Check, Verdict, does_not_apply
from jaxnet.evaluation.doctor.subjects import Trained
from jaxnet.network import loss
from jaxnet.outcomes import any_active

# A step that changes a layer by more than a tenth is coarse, by more than all of it is a leap.
COARSE_STEP, LEAP = 0.1, 1.0

# Which share of the steps may raise the cost.
SOME_RISE, MOST_RISE = 0.01, 0.5

# A cost that rises by less than so many ε has not risen, it was rounded.
ROUNDING = 16


def check_step_size(trained: Trained) -> Check:
    """Compare the next step with the weights it changes: α‖dW‖ / ‖W‖ of each layer."""
    name, model = "update to weight", trained.model
    rate, why_not = _learning_rate(trained)
    if why_not:
        return does_not_apply(name, why_not)
    gradient: Callable[..., Any] = jax.jit(jax.grad(loss), static_argnums=3)
    slopes = gradient(model.params, trained.X, trained.Y, model.hidden, trained.weights)
    ratios = {}
    for key in ("W1", "W2"):
        step, size = (float(jnp.linalg.norm(each[key])) for each in (slopes, model.params))
        ratios[key] = rate * step / size if size else math.inf if step else 0.0
    largest, least = (float(f(list(ratios.values()))) for f in (np.max, np.min))  # nan stays nan
    found = ", ".join(f"{key} {ratio:.0e}" for key, ratio in ratios.items())
    if not largest <= COARSE_STEP:
        verdict: Verdict = "warn" if largest <= LEAP else "fail"
        return Check(
            name,
            verdict,
            largest,
            found,
            "one step still changes a layer by more than all it has learnt"
            if verdict == "fail"
            else "one step still changes a layer by more than a tenth: it has not settled",
            "take a smaller --learning-rate",
        )
    if least < np.finfo(model.params["W1"].dtype).eps:
        return Check(
            name,
            "warn",
            least,
            found,
            "a step changes a layer by less than its numbers can hold: it stands still",
            "a dead or saturated layer needs another start, and a rate that is too small a larger "
            "--learning-rate; a network that has learnt all it can needs nothing",
        )
    return Check(name, "pass", largest, found, "steps are small beside the weights, and seen")


def check_rising_steps(trained: Trained) -> Check:
    """Count the steps after which the cost was higher than before."""
    name, costs = "steps that raised the cost", np.asarray(trained.model.costs)
    if costs.size < 2:
        return does_not_apply(name, "the model does not say what each step cost")
    allowed = ROUNDING * np.finfo(costs.dtype).eps * costs[:-1]
    rises, steps = int((~(costs[1:] <= costs[:-1] + allowed)).sum()), costs.size - 1
    share = rises / steps
    found = f"{rises:,} of {steps:,} ({share:.1%})"
    if share <= SOME_RISE:
        return Check(name, "pass", rises, found, "the cost falls as it should, step by step")
    most = share > MOST_RISE
    return Check(
        name,
        "fail" if most else "warn",
        rises,
        found,
        "most steps go up: the run climbs away from where it should go"
        if most
        else "steps leap over the floor of the valley: where the run ends is partly chance, and "
        "rounding decides",
        "take a smaller --learning-rate",
    )


def check_sharpness(trained: Trained) -> Check:
    """Compare the largest curvature λ of the cost with what the learning rate can stand.

    Plain gradient descent settles where λ < 2/α; with the momentum β where λ < (2 + 2β)/α, and
    with Nesterov's where λ < (2 + 2β)/(α + 2αβ) (Cohen et al. 2021, arXiv 2103.00065).
    """
    name, model = "sharpness", trained.model
    rate, why_not = _learning_rate(trained)
    if why_not:
        return does_not_apply(name, why_not)
    if not any_active(model.params, trained.X, model.hidden):
        return does_not_apply(name, "where no unit is active λ says nothing about a rate")
    momentum = float(model.settings.get("momentum", 0.0))
    nesterov = bool(momentum and model.settings.get("nesterov", False))
    limit = (2 + 2 * momentum) / (1 + 2 * momentum if nesterov else 1)
    law = "2/α" if not momentum else "(2 + 2β)/(α + 2αβ)" if nesterov else "(2 + 2β)/α"
    data = (trained.X, trained.Y, model.hidden, trained.weights)
    try:
        value = sharpness(model.params, *data, tolerance=0.01).value
    except UsageError as cause:
        remedy = "begin with the other checks that do not pass"
        return Check(name, "warn", math.nan, "λ could not be computed", cause.found, remedy)
    found = f"λ = {value:.3g}, {law} = {limit / rate:.3g}"
    if value < limit / rate:
        return Check(name, "pass", value, found, f"λ is below {law}: the steps can settle")
    return Check(
        name,
        "warn",
        value,
        found,
        f"λ is above {law}: along the sharpest direction the steps overshoot, and bounce",
        f"take a smaller --learning-rate: here below {limit / value:.2g}, and λ may still grow",
    )


def _learning_rate(trained: Trained) -> tuple[float, str]:
    """Find α; or say why there is none by which the steps can be judged."""
    settings = trained.model.settings
    optimizer = settings.get("optimizer", "sgd")
    if optimizer != "sgd":
        return 0.0, f"{optimizer} scales each weight's step by itself, so α alone says little"
    rate = float(settings.get("learning_rate", 0.0))
    return rate, "" if rate > 0 else "the model names no learning rate above 0"
