"""A repeated run in sentences: whether it gave the same bits, and if not, since when."""

from jaxnet.report.words import some
from jaxnet.runs.repeat import Repetition


def describe_repetition(repetition: Repetition) -> list[str]:
    """Say whether a run that was made anew agrees with the run, a line each."""
    made = len(repetition.run.costs)
    if repetition.same:
        lines = [f"the same: all parameters and all {made:,} costs agree to the bit"]
    else:
        since = repetition.differs_from
        costs = (
            f"all {made:,} costs agree to the bit"
            if since is None
            else f"the costs agree to the bit up to iteration {since - 1:,} and differ from "
            f"iteration {since:,} on, by {repetition.largest_difference:.1g} at most"
            if since
            else f"the costs differ from the start, by {repetition.largest_difference:.1g} at most"
        )
        differ = repetition.parameters_differ
        parameters = f"{some(differ)} differ" if differ else "all parameters agree to the bit"
        lines = [f"not the same: {costs}; {parameters}"]
    others = [
        f"{name} was {then}, and is {now}" for name, (then, now) in repetition.versions.items()
    ]
    if others:
        lines.append("made with other versions: " + "; ".join(others))
    elif not repetition.same:
        lines.append(
            "the versions are the same; another processor, or another number of cores, adds in "
            "another order"
        )
    return lines
