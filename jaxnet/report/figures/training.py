"""The figure of a training: the cost at every iteration, and each hidden unit as a picture."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from jaxnet.data.preprocessing import Preprocessing
from jaxnet.report.figures.style import plain
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run

# More than these would be too small to recognise.
MOST_UNITS = 32

# A run whose cost was more than this many times the label entropy is drawn on a log scale.
FAR_ABOVE = 10


def draw_training(run: Run, label_entropy: float, title: str) -> Figure:
    """Draw a training: the cost at every iteration, and each hidden unit as a picture.

    Args:
        run: The training, finished or not.
        label_entropy: The cost of always predicting the class rate, drawn as a line to compare.
        title: One line above all.
    """
    n_h = len(run.model.params["W1"])
    shown = min(n_h, MOST_UNITS)
    columns = 4 if shown <= 16 else 8
    rows = math.ceil(shown / columns)
    figure = Figure(
        figsize=(5.5 + 1.6 * columns, max(4.2, 1.2 + 1.75 * rows)), layout="constrained"
    )
    figure.suptitle(plain(title))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(5.5, 1.6 * columns))[0]
    _draw_costs(left.subplots(), run, label_entropy)
    _draw_units(right, run.model, rows, columns)
    return figure


def _draw_costs(axes: Axes, run: Run, label_entropy: float) -> None:
    costs = run.costs[np.isfinite(run.costs)]  # only the last one of a run can be infinite or NaN
    if run.epoch == 1:
        axes.plot(costs, label="this network")
    else:
        axes.plot(costs, color="tab:blue", alpha=0.25, linewidth=0.5, label="each mini-batch")
        means = run.epoch_costs[np.isfinite(run.epoch_costs)]
        middles = run.epoch * (np.arange(len(means)) + 0.5)
        axes.plot(middles, means, color="tab:blue", label="mean of each epoch")
    axes.axhline(label_entropy, color="tab:gray", linestyle="--", label="always the class rate")
    axes.set(xlabel="iteration", ylabel="cost (mean cross-entropy)")
    if costs.max(initial=0) > FAR_ABOVE * label_entropy:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, None)
    axes.legend(loc="upper right")


def _draw_units(figure: SubFigure, model: Model, rows: int, columns: int) -> None:
    W1, W2 = (np.asarray(model.params[name]) for name in ("W1", "W2"))
    n_h, shown = len(W1), min(len(W1), MOST_UNITS)
    figure.suptitle(
        f"{'The hidden units' if shown == n_h else f'{shown} of {n_h} hidden units'}: "
        f"weights W1 (red +, blue −)\n"
        f'and output weight W2, positive for "{plain(model.classes[1])}"'
    )
    limit = float(np.abs(W1[:shown]).max()) or 1.0
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for unit, panel in enumerate(panels):
        panel.set_axis_off()
        if unit < shown:
            _show_weights(panel, W1[unit], model.preprocessing, limit)
            weight = f"{W2[0, unit]:+.2f}".replace("-", "−")
            panel.set_title(f"unit {unit + 1}: {weight}", fontsize="medium")


def _show_weights(
    axes: Axes, weights: np.ndarray, preprocessing: Preprocessing, limit: float
) -> None:
    """Show one row of W1 as a picture; neutral is zero, and `limit` the same for all units."""
    height, width = preprocessing.height, preprocessing.width
    if preprocessing.color == "gray":
        picture = weights.reshape(height, width)
        axes.imshow(picture, cmap="RdBu_r", vmin=-limit, vmax=limit)
    else:
        axes.imshow(0.5 + 0.5 * weights.reshape(height, width, 3) / limit)
