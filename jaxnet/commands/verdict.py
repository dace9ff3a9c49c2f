"""What `jaxnet train` says of how a run ended: what it means, since when, and what to do."""

from typing import TYPE_CHECKING, Any, NamedTuple

from jaxnet.commands.console import show_progress

if TYPE_CHECKING:
    import jax

    from jaxnet.activations import Activation
    from jaxnet.training import Descent, Fit

# The most arithmetic that goes into advice: some ten seconds on two cores.
MOST_OPERATIONS = 1e12


class Verdict(NamedTuple):
    """What is to be said.

    Attributes:
        sentences: For people; none of a run that learnt.
        dead_since: Of a dead run, after how many updates it was, if that is known.
        rate: The largest smaller rate that learns, if it was looked for and found.
    """

    sentences: tuple[str, ...] = ()
    dead_since: int | None = None
    rate: float | None = None


def explain(
    fit: "Fit",
    start: "Descent",
    Y: "jax.Array",
    hidden: "Activation",
    *,
    plain: bool,
    rate: float,
    **search: Any,
) -> Verdict:
    """Say what the outcome of a run means and what to do about it, both as far as measured.

    Args:
        fit: What the run has reached.
        start: The descent as it started.
        Y: (1, m) of 0 and 1.
        hidden: The activation of the hidden units.
        plain: Whether it was plain gradient descent, without momentum.
        rate: α.
        search: What else `largest_rate_that_learns` needs; empty if the optimizer is not SGD.
    """
    from jaxnet.evaluation.diagnosis import dead_since
    from jaxnet.outcomes import FAILED, late_cost

    n_h = len(fit.params["b1"])
    if fit.outcome == "plateau":
        sentence = (
            "plateau: the cost ended at that of always predicting the class rate: no more than "
            "that rate is learnt so far; take more --iterations, a larger --learning-rate or "
            "--weight-scale"
        )
        return Verdict((sentence,))
    if fit.outcome not in FAILED:
        return Verdict()
    since = None
    if fit.outcome == "not finite":
        meaning = (
            f"at iteration {len(fit.costs) - 1} a cost or a parameter was no finite number any "
            "more; the last good state is saved"
        )
    elif fit.outcome == "dead":
        if plain:
            made, weights = len(fit.costs), search.get("weights")
            since = dead_since(
                start, Y, hidden, iterations=made, weights=weights, track=show_progress
            )
        meaning = (
            f"all {n_h} hidden units "
            + ("are dead" if since is None else f"have been dead since iteration {since}")
            + ": none is active on any training picture, so only the output bias still learns"
        )
    else:
        meaning = "the cost ended above that of always predicting the class rate"
    late = float(late_cost(fit.costs))
    if fit.outcome == "diverged" and late < fit.costs[0]:
        advice = (
            f"it fell from {fit.costs[0]:.4f} to {late:.4f} and has not got there yet: take more "
            "--iterations or a larger --learning-rate"
        )
        return Verdict((f"diverged: {meaning}", advice))
    advice, found = _advise(fit, start, Y, hidden, rate, search)
    return Verdict((f"{fit.outcome}: {meaning}", advice), since, found)


def _advise(
    fit: "Fit",
    start: "Descent",
    Y: "jax.Array",
    hidden: "Activation",
    rate: float,
    search: dict[str, Any],
) -> tuple[str, float | None]:
    """Look for a smaller rate that learns, where that is quick; say what to do, and the rate."""
    import numpy as np

    from jaxnet.evaluation.diagnosis import HALVINGS, largest_rate_that_learns, operations

    if not np.isfinite(fit.costs[0]):
        return "it was none from the start: take a smaller --weight-scale or --scale", None
    if search.get("scale") == 0 and fit.outcome == "dead":
        return "units of weight 0 never start: take a --weight-scale above 0", None
    other = "take a smaller --learning-rate, --activation leaky_relu, or --scale symmetric"
    if rate == 0:
        return "the rate is 0: take a larger --learning-rate", None
    if not search:
        return other, None
    if operations(start.X, search["n_h"], search["iterations"]) > MOST_OPERATIONS:
        return f"{other} (to measure which rate learns would take long)", None
    found = largest_rate_that_learns(
        X=start.X, Y=Y, hidden=hidden, below=rate, track=show_progress, **search
    )
    if found is not None:
        return f"the rate {rate:g} is too large: {found:.3g} learns in as many iterations", found
    least = rate / 2**HALVINGS
    return (
        f"nor does any rate of α/2, α/4, … down to {least:.1g} learn in as many iterations: take a "
        "still smaller one, another --weight-scale or --scale, or more --iterations",
        None,
    )
