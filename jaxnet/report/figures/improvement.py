"""The figure of an improvement: each lever a row, with its intervals."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxnet.errors import require_kind
from jaxnet.evaluation.improvement.judge import Improvement
from jaxnet.evaluation.scores import Interval
from jaxnet.report.figures.figure import make_figure, plain

RECOMMENDED, OTHER = "#009E73", "tab:gray"


def plot_improvement(improvement: Improvement, *, title: str = "") -> Figure:
    """Draw the balanced accuracy of each lever, and its difference to the setting as it is.

    The lines are 95 % intervals. A lever that is recommended is green.

    Args:
        improvement: What `improve` measured.
        title: One line above all.
    """
    require_kind("improvement", improvement, Improvement)
    levers = sorted(improvement.levers, key=lambda measured: -measured.difference.value)
    rows = [improvement.base, *levers]
    colors = [RECOMMENDED if measured.recommended else OTHER for measured in rows]
    figure = make_figure(10, 1.3 + 0.32 * len(rows), title)
    left, right = figure.subplots(1, 2, sharey=True)
    _draw(left, [measured.balanced_accuracy for measured in rows], colors)
    left.axvline(50, color="black", linewidth=1)
    left.set_xlabel("balanced accuracy, % (constant: 50)")
    names = [f"{measured.lever.name}{' ✓' if measured.recommended else ''}" for measured in rows]
    left.set_yticks(range(len(rows)), [plain(name) for name in names])
    left.invert_yaxis()
    _draw(right, [Interval(*[np.nan] * 3), *(one.difference for one in levers)], colors)
    right.axvline(0, color="black", linewidth=1)
    right.set_xlabel("difference, percentage points")
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
    return figure


def _draw(axes: Axes, intervals: Sequence[Interval], colors: Sequence[str]) -> None:
    for row, (interval, color) in enumerate(zip(intervals, colors, strict=True)):
        value, low, high = (100 * end for end in interval)
        if np.isfinite(low):
            axes.plot([low, high], [row, row], color=color, linewidth=2, solid_capstyle="butt")
        axes.plot(value, row, "o", color=color)
