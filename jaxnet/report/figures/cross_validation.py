"""The figure of a cross-validation: the score of each setting, and of choosing among them."""

import numpy as np
from matplotlib.figure import Figure

from jaxnet.errors import require_kind
from jaxnet.evaluation.cross_validation import CrossValidationScores
from jaxnet.report.cross_validation import SCORES, best_first, describe_setting, varied_fields
from jaxnet.report.figures.figure import make_figure

SHOWN = 30  # settings


def plot_cross_validation(scores: CrossValidationScores, *, title: str = "") -> Figure:
    """Draw the score of each setting with its interval, the best above.

    Args:
        scores: What `score_cross_validation` computed.
        title: One line above all.
    """
    require_kind("scores", scores, CrossValidationScores)
    rows = best_first(scores)[:SHOWN]
    varied = varied_fields([one.settings for one in scores.settings])
    names = [describe_setting(one.settings, varied) or "the setting" for one in rows]
    intervals = [getattr(one.scores, scores.by) for one in rows]
    if scores.nested is not None:
        names.append("nested: choosing, then training")
        intervals.append(getattr(scores.nested.scores, scores.by))
    figure = make_figure(9, 1.6 + 0.32 * len(names), title)
    axes = figure.subplots()
    values, lows, highs = np.array(intervals).T
    y = np.arange(len(names))
    colors = ["C0"] * len(rows) + ["C1"] * (len(names) - len(rows))
    for row, color in zip(y, colors, strict=True):
        ends = [[values[row] - lows[row]], [highs[row] - values[row]]]
        axes.errorbar(values[row], row, xerr=ends, fmt="o", color=color, capsize=3)
    if scores.by == "accuracy":
        label = "always the more frequent class"
        axes.axvline(scores.class_rate, color="gray", linestyle="--", label=label)
        axes.legend(loc="best", fontsize="small")
    axes.set_yticks(y, names)
    axes.invert_yaxis()
    axes.set_xlabel(
        f"{SCORES[scores.by]} at {scores.training_size:,} training pictures, 95 % interval"
    )
    return figure
