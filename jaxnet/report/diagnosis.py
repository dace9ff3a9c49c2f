"""Describe a diagnosis in sentences: the meaning of an outcome, and what to do."""

from jaxnet.evaluation.diagnosis import Diagnosis, Reason
from jaxnet.outcomes import late_cost
from jaxnet.runs.run import Run

_OTHERWISE = "take a smaller --learning-rate, --activation leaky_relu, or --pixel-scale symmetric"

# What to do, by the reason; braces are filled in by `_advise`.
_ADVICE: dict[Reason, str] = {
    "first cost not finite": (
        "the first cost is not finite: take a smaller --weight-scale or another --pixel-scale"
    ),
    "zero weights": (
        "all initial weights are 0, so no hidden unit can learn: take a --weight-scale above 0"
    ),
    "zero rate": "the learning rate is 0: take a larger --learning-rate",
    "rate too large": (
        "the learning rate {rate:g} is too large: {learns:.3g} learns in as many iterations"
    ),
    "no smaller rate learns": (
        "no rate of α/2, α/4, … down to {least:.1g} learns in as many iterations: take a still "
        "smaller one, another --weight-scale or --pixel-scale, or more --iterations"
    ),
    "search too long": f"{_OTHERWISE} (measuring which rate learns would take too long)",
    "not sgd": _OTHERWISE,
    "shifted": _OTHERWISE,
}


def describe_diagnosis(diagnosis: Diagnosis, run: Run) -> list[str]:
    """Say what the outcome of a run means, and what to do; nothing of a run that learns.

    Args:
        diagnosis: What `diagnose` found out about the run.
        run: The run.
    """
    meaning = _describe_outcome(diagnosis, run)
    advice = [_advise(diagnosis, run)] if diagnosis.reason else []
    return [f"{diagnosis.outcome}: {meaning}", *advice] if meaning else []


def _describe_outcome(diagnosis: Diagnosis, run: Run) -> str:
    """Say what an outcome means; nothing of "learning", and of a run that has not ended."""
    n_h, since = len(run.model.params["b1"]), diagnosis.dead_since
    dead = "are dead" if since is None else f"have been dead since iteration {since:,}"
    late = float(late_cost(run.costs, run.epoch)) if run.costs.size else float("nan")
    first = float(run.costs[0]) if run.costs.size else float("nan")
    return {
        "not finite": (
            f"at iteration {diagnosis.failed_at} a cost or a parameter was no longer a finite "
            "number; the last state whose numbers are finite is kept"
        ),
        "dead": (
            f"all {n_h} hidden units {dead}: none is active on any training picture, so only the "
            "output bias still learns"
        ),
        "diverged": (
            f"the cost rose from {first:.4f} to {late:.4f}, above that of always predicting the "
            "class rate"
        ),
        "slow": (
            f"the cost went from {first:.4f} to {late:.4f}, still above that of always predicting "
            "the class rate; take more --iterations or a larger --learning-rate"
        ),
        "plateau": (
            "the cost is that of always predicting the class rate: nothing more has been learned "
            "so far; take more --iterations, a larger --learning-rate or --weight-scale"
        ),
    }.get(diagnosis.outcome, "")


def _advise(diagnosis: Diagnosis, run: Run) -> str:
    rate = run.settings.learning_rate if run.settings else float("nan")
    return _ADVICE[diagnosis.reason].format(
        rate=rate,
        learns=diagnosis.learning_rate_that_learns,
        least=diagnosis.searched_down_to,
    )
