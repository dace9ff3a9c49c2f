"""Train a run again, and compare the results bit by bit."""

from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset
from jaxnet.errors import UsageError
from jaxnet.io.attributes import Value
from jaxnet.progress import Track, automatic
from jaxnet.runs.run import Hook, Run, versions
from jaxnet.runs.train import train_as


class Repetition(NamedTuple):
    """How a run that was made anew compares with the run.

    Attributes:
        run: The new run.
        same: Whether all parameters and all costs have the same bits.
        differs_from: The first iteration whose cost differs; None if all costs are the same.
        largest_difference: The largest absolute difference of a cost, over the iterations of both.
        parameters_differ: The names of the parameters that differ.
        versions: What the run was made with and is not now: by name, (then, now).
    """

    run: Run
    same: bool
    differs_from: int | None
    largest_difference: float
    parameters_differ: tuple[str, ...]
    versions: dict[str, tuple[Value | None, Value]]


def repeat(
    run: Run, data: Dataset, *, hook: Hook | None = None, track: Track = automatic
) -> Repetition:
    """Train a run anew, from its own seed, random generator and settings, and compare.

    Args:
        run: From `load_run`, or from `train`. One that was stopped is repeated as far as it came.
        data: The pictures that it was trained on.
        hook: As in `train`.
        track: As in `train`.

    Raises:
        UsageError: If the pictures are others, or the run does not say how it was trained.
    """
    kept = run.descent.costs
    if run.settings is None or not len(kept):
        raise UsageError(
            "the run has no iterations that could be repeated",
            "a run with settings and costs",
            "train it first",
        )
    again = train_as(run, data, iterations=len(kept), hook=hook, track=track)
    costs = again.descent.costs
    m = min(len(kept), len(costs))
    apart = np.flatnonzero(kept[:m] != costs[:m])
    first = int(apart[0]) if apart.size else None
    if first is None and len(kept) != len(costs):
        first = m
    wrong = tuple(
        name
        for name, leaf in run.model.params.items()
        if not np.array_equal(np.asarray(leaf), np.asarray(again.model.params[name]))
    )
    largest = float(np.abs(kept[:m] - costs[:m]).max(initial=0))
    now = versions()
    others = {
        name: (run.origin.get(name), value)
        for name, value in now.items()
        if run.origin.get(name) != value
    }
    return Repetition(again, first is None and not wrong, first, largest, wrong, others)
