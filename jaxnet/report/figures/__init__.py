"""Figures: each function draws results and returns a matplotlib Figure, without pyplot."""

from jaxnet.report.figures.contact_sheet import plot_pictures
from jaxnet.report.figures.evaluation import (
    plot_calibration,
    plot_confusion,
    plot_evaluation,
    plot_most_wrong,
    plot_roc,
)
from jaxnet.report.figures.improvement import plot_improvement
from jaxnet.report.figures.influence import plot_influence
from jaxnet.report.figures.learning_curve import plot_learning_curve
from jaxnet.report.figures.style import OUTCOME_COLORS
from jaxnet.report.figures.sweep import plot_sweep
from jaxnet.report.figures.training import (
    FAR_ABOVE,
    plot_costs,
    plot_hidden_units,
    plot_training,
)

__all__ = [
    "FAR_ABOVE",
    "OUTCOME_COLORS",
    "plot_calibration",
    "plot_confusion",
    "plot_costs",
    "plot_evaluation",
    "plot_hidden_units",
    "plot_improvement",
    "plot_influence",
    "plot_learning_curve",
    "plot_most_wrong",
    "plot_pictures",
    "plot_roc",
    "plot_sweep",
    "plot_training",
]
