"""Figures without pyplot, whose global state they leave alone: they are the caller's to keep."""

import io

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

NEUTRAL = "#7c7c7c"  # has a contrast of 4 : 1 to white and to the black of dark themes


class OwnFigure(Figure):
    """A figure that shows itself where it ends a cell of a notebook, once.

    Jupyter knows how to show a Figure only when pyplot is in use.
    """

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def make_figure(width: float, height: float, title: str = "") -> Figure:
    """Make a figure of a size in inches with a title above all, which may be empty."""
    figure = OwnFigure(figsize=(width, height), layout="constrained")
    if title:
        figure.suptitle(plain(title))
    return figure


def make_axes(width: float = 5.5, height: float = 4.2) -> tuple[Figure, Axes]:
    """Make a figure with one panel."""
    figure = make_figure(width, height)
    return figure, figure.subplots()


def plain(text: str) -> str:
    """Keep matplotlib from reading formulas into names with dollar signs."""
    return text.replace("$", r"\$")


def to_any_theme(figure: Figure) -> Figure:
    """Make a figure legible on light and on dark ground: grey in place of black, no background."""
    figure.patch.set_alpha(0)
    for text in figure.findobj(Text):
        if to_rgb(text.get_color()) == (0, 0, 0):
            text.set_color(NEUTRAL)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
        axes.tick_params(which="both", color=NEUTRAL, labelcolor=NEUTRAL)
        for spine in axes.spines.values():
            spine.set_edgecolor(NEUTRAL)
    for legend in figure.findobj(Legend):
        legend.get_frame().set_alpha(0)
    return figure
