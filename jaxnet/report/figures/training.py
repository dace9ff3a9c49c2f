"""The figure of a training: the cost at every iteration, and each hidden unit as a picture."""

import math
from typing import Any, overload

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import require_kind
from jaxnet.outcomes import binary_entropy
from jaxnet.report.figures.figure import make_axes, make_figure, plain
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run

# More than these would be too small to recognise.
MOST_UNITS = 32

# A run whose cost was more than this many times the label entropy is drawn on a log scale.
FAR_ABOVE = 10

COLORS = "RdBu_r"  # of weights


def plot_training(run: Run, *, label_entropy: float | None = None, title: str = "") -> Figure:
    """Draw a training: the cost at every iteration, and each hidden unit as a picture.

    With a validation set, its accuracy is drawn below the cost.

    Args:
        run: The training, finished or not.
        label_entropy: As in `plot_costs`.
        title: One line above all.
    """
    require_kind("run", run, Run)
    rows, columns = _arrange(run.model)
    figure = make_figure(5.5 + 1.6 * columns, max(4.2, 1.2 + 1.75 * rows), title)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(5.5, 1.6 * columns))[0]
    if run.validation_accuracies is None:
        plot_costs(run, label_entropy=label_entropy, ax=left.subplots())
    else:
        above, below = left.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        plot_costs(run, label_entropy=label_entropy, ax=above)
        above.set_xlabel("")
        t, accuracies = finite_points(run.validation_accuracies)
        below.plot(t, 100 * accuracies, color="tab:orange", linewidth=1)
        below.set(xlabel="iteration", ylabel="validation\naccuracy (%)")
    _draw_units(right, run.model)
    return figure


def finite_points(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the iterations in which a curve (iterations,) is known and finite, and its values."""
    t = np.flatnonzero(np.isfinite(curve))
    return t, curve[t]


@overload
def plot_costs(run: Run, *, label_entropy: float | None = None, ax: None = None) -> Figure: ...
@overload
def plot_costs(run: Run, *, label_entropy: float | None = None, ax: Axes) -> None: ...
def plot_costs(
    run: Run, *, label_entropy: float | None = None, ax: Axes | None = None
) -> Figure | None:
    """Draw the cost at every iteration, and with mini-batches the mean of every epoch.

    Beside it those on the validation set and, dotted, on the test set, which decides nothing.

    Args:
        run: The training, finished or not.
        label_entropy: The cost of always predicting the class rate, drawn as a line to compare; by
            default that of the run's examples. A run from a file has none, so there is no line.
        ax: The panel to draw into; by default one in a new figure, which is returned.
    """
    if ax is None:
        figure, axes = make_axes()
        plot_costs(run, label_entropy=label_entropy, ax=axes)
        return figure
    require_kind("run", run, Run)
    costs = run.costs[np.isfinite(run.costs)]  # only the last one of a run can be infinite or NaN
    if run.epoch == 1:
        ax.plot(costs, label="this network")
    else:
        ax.plot(costs, color="tab:blue", alpha=0.4, linewidth=0.7, label="each mini-batch")
        means = run.epoch_costs[np.isfinite(run.epoch_costs)]
        middles = run.epoch * (np.arange(len(means)) + 0.5)
        ax.plot(middles, means, color="tab:blue", label="mean of each epoch")
    if run.validation_costs is not None:
        t, validation = finite_points(run.validation_costs)
        ax.plot(t, validation, color="tab:orange", linewidth=1, label="validation")
        costs = np.append(costs, validation)
    if run.test_curve is not None:
        style: dict[str, Any] = {"color": "tab:green", "linestyle": (0, (1, 1)), "linewidth": 1}
        ax.plot(*run.test_curve, label="test (decides nothing)", **style)
        seen = run.test_curve.costs
        costs = np.append(costs, seen[np.isfinite(seen)])
    if run.best_iteration is not None:
        ax.axvline(run.best_iteration, color="tab:orange", linestyle=":", label="weights kept")
    if label_entropy is None and run.examples is not None:
        _, Y, weights = run.examples
        label_entropy = binary_entropy(float(np.average(Y, weights=weights)))
    if label_entropy is not None:
        ax.axhline(label_entropy, color="tab:gray", linestyle="--", label="always the class rate")
    ax.set(xlabel="iteration", ylabel="cost (mean cross-entropy)")
    if label_entropy is not None and costs.max(initial=0) > FAR_ABOVE * label_entropy:
        ax.set_yscale("log")
    else:
        room = 1.25 if len(ax.lines) < 4 else 1.5  # for the legend
        ax.set_ylim(0, room * max(costs.max(initial=0), label_entropy or 0) or None)
    ax.legend(loc="upper right", ncols=1 if len(ax.lines) < 4 else 2)
    return None


def plot_hidden_units(model: Model | Run) -> Figure:
    """Draw the weights of each hidden unit as a picture, with its output weight.

    Args:
        model: The network, or its run.
    """
    require_kind("model", model, Model, Run)
    network = model.model if isinstance(model, Run) else model
    rows, columns = _arrange(network)
    figure = make_figure(1.6 * columns, 1.2 + 1.75 * rows)
    _draw_units(figure, network)
    return figure


def describe_colors(preprocessing: Preprocessing) -> str:
    """Say how the pictures of weights are to be read."""
    return "red +, blue −" if preprocessing.color == "gray" else "of each colour; grey is 0"


def weights_as_pictures(model: Model, most: int) -> list[np.ndarray]:
    """Make the pictures of the first hidden units' weights, (h, w, 3) uint8 each."""
    W1, seen = np.asarray(model.params["W1"])[:most], model.preprocessing
    scaled = 0.5 + 0.5 * W1 / (float(np.abs(W1).max()) or 1.0)
    if seen.color == "gray":
        return list(
            colormaps[COLORS](scaled.reshape(-1, seen.height, seen.width), bytes=True)[..., :3]
        )
    return list((255 * scaled).astype(np.uint8).reshape(-1, seen.height, seen.width, 3))


def _arrange(model: Model) -> tuple[int, int]:
    """Choose the rows and columns of the hidden units' pictures."""
    shown = min(len(model.params["W1"]), MOST_UNITS)
    columns = 4 if shown <= 16 else 8
    return math.ceil(shown / columns), columns


def _draw_units(figure: Figure | SubFigure, model: Model) -> None:
    W1, W2 = (np.asarray(model.params[name]) for name in ("W1", "W2"))
    n_h, shown = len(W1), min(len(W1), MOST_UNITS)
    figure.suptitle(
        f"{'The hidden units' if shown == n_h else f'{shown} of {n_h} hidden units'}: "
        f"weights W1 ({describe_colors(model.preprocessing)})\n"
        f'and output weight W2, positive for "{plain(model.classes[1])}"'
    )
    rows, columns = _arrange(model)
    height = model.preprocessing.height / model.preprocessing.width
    # All pictures share one panel, a picture 1 wide: a panel each takes four times as long.
    panel = figure.subplots()
    panel.set_axis_off()
    for unit, picture in enumerate(weights_as_pictures(model, shown)):
        row, column = divmod(unit, columns)
        left, top = 1.06 * column, (height + 0.3) * row
        panel.imshow(picture, extent=(left, left + 1, top + height, top))
        weight = f"{W2[0, unit]:+.2f}".replace("-", "−")
        caption = f"unit {unit + 1}: {weight}"
        panel.text(left + 0.5, top - 0.05, caption, ha="center", fontsize="medium")
    panel.set(xlim=(0, 1.06 * columns - 0.06), ylim=((height + 0.3) * rows - 0.3, -0.25))
