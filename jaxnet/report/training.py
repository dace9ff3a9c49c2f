"""A training in words: the table of its parameters, and its costs and outcome."""

import math

import numpy as np
from rich.table import Table

from jaxnet.data.dataset import Dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.runs.run import Run
from jaxnet.settings import Settings

LAYERS = {"hidden": ("W1", "b1"), "output": ("W2", "b2")}


def parameter_table(n_x: int, n_h: int) -> Table:
    """Tabulate the parameters of a network: shapes and sizes, with their sum by layers."""
    shapes = {"W1": (n_h, n_x), "b1": (n_h, 1), "W2": (1, n_h), "b2": (1, 1)}
    table = Table(show_footer=True)
    sizes = [sum(math.prod(shapes[name]) for name in names) for names in LAYERS.values()]
    total = " + ".join(f"{size:,}" for size in sizes) + f" = {sum(sizes):,}"
    table.add_column("layer", footer="sum")
    table.add_column("name")
    table.add_column("shape", footer=total, justify="right")
    table.add_column("parameters", justify="right")
    for layer, names in LAYERS.items():
        for name in names:
            table.add_row(layer, name, str(shapes[name]), f"{math.prod(shapes[name]):,}")
    return table


def describe_columns(data: Dataset, preprocessing: Preprocessing, settings: Settings) -> str:
    """Say what the pictures of the training set become."""
    m = len(data.train.labels) * settings.copies
    return (
        f"{data.train.images.shape} → X {(preprocessing.n_x, m)}, Y {(1, m)}: "
        f"{preprocessing.color}, {preprocessing.pixel_scale} scale, {settings.precision}"
        f"{', each with its mirror image' if settings.mirrored else ''}\n"
    )


def describe_validation(run: Run) -> list[str]:
    """Say how the validation cost went, and which weights it has chosen; nothing without one."""
    costs, best = run.validation_costs, run.best_iteration
    if costs is None or not costs.size:
        return []
    first, last = curve_ends(costs)
    lines = [f"validation cost {first:.4f} → {last:.4f}"]
    if best is None or run.settings is None:
        return lines
    lowest = f"the validation cost was lowest at iteration {best:,} ({costs[best]:.4f})"
    if run.stopped_early:
        lowest = f"stopped early: {lowest}, and not lower in the next {run.settings.patience:,}"
    decided = "the validation set decided the stop and the weights, the test set nothing"
    return [*lines, f"{lowest}; its weights are kept", decided]


def describe_ensemble(run: Run) -> list[str]:
    """Say whose probabilities the mean is taken of, and whose the rest is; nothing of a network."""
    if not run.members:
        return []
    seed = "" if run.settings is None else f", of seed {run.settings.seed}"
    return [
        f"ensemble: predictions are the mean of the probabilities of {len(run.members)} networks; "
        f"costs, figure, checks and page are those of one of them{seed}"
    ]


def describe_costs(run: Run) -> str:
    """Say how many updates a run has made, in how many seconds, its costs and its outcome."""
    if not run.costs.size:
        return f"not trained yet, {run.outcome}"
    made, costs, which = f"{len(run.costs):,} iterations", run.costs, "cost"
    if run.epoch > 1 and run.epoch_costs.size:
        costs, which = run.epoch_costs, "mean cost of an epoch"
        made += f" ({len(costs):,} {'epoch' if len(costs) == 1 else 'epochs'})"
    if run.seconds:  # that of a run from a file is not known
        made += f" in {run.seconds:.1f} s"
    line = f"{made}: {which} {costs[0]:.4f} → {costs[-1]:.4f}, {run.outcome}"
    if run.objectives is not None and run.objectives.size:
        # Of a mini-batch the penalty alone is that of a whole cost.
        first, last = curve_ends(run.objectives - run.costs[: len(run.objectives)])
        first, last = costs[0] + first, costs[-1] + last
        line += f" · with the penalty on the weights {first:.4f} → {last:.4f}"
    return line


def curve_ends(curve: np.ndarray) -> tuple[float, float]:
    """Return the first and the last value of a curve that are known; NaN if none is."""
    known = curve[~np.isnan(curve)]
    return (float(known[0]), float(known[-1])) if known.size else (math.nan, math.nan)
