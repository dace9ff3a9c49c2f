"""Figures: each function draws results and returns a matplotlib Figure."""

from jaxnet.report.figures.contact_sheet import draw_contact_sheet
from jaxnet.report.figures.evaluation import draw_evaluation
from jaxnet.report.figures.influence import draw_influence
from jaxnet.report.figures.style import OUTCOME_COLORS
from jaxnet.report.figures.sweep import draw_sweep
from jaxnet.report.figures.training import FAR_ABOVE, draw_training

__all__ = [
    "FAR_ABOVE",
    "OUTCOME_COLORS",
    "draw_contact_sheet",
    "draw_evaluation",
    "draw_influence",
    "draw_sweep",
    "draw_training",
]
