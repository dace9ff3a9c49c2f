"""The figure of a sweep: every network a cell, coloured by its cost or its outcome."""

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from jaxnet.errors import require_kind
from jaxnet.many.grid import Grid
from jaxnet.many.sweep import Sweep
from jaxnet.report.figures.figure import make_figure
from jaxnet.report.figures.style import OUTCOME_COLORS
from jaxnet.report.words import in_short

MOST_TICKS = 6  # learning rates that are named below a panel


def plot_sweep(sweep: Sweep, *, title: str = "") -> Figure:
    """Draw every network as a cell: learning rates to the right, weight scales and seeds downwards.

    A network that learns is coloured by its last cost; any other by its outcome. Each activation
    has a panel of its own.

    Args:
        sweep: Its results.
        title: One line above all.
    """
    require_kind("sweep", sweep, Sweep)
    grid = sweep.grid
    figure = make_figure(3.5 + 5.5 * len(grid.activations), 6, title)
    panels = figure.subplots(1, len(grid.activations), squeeze=False, sharey=True)[0]
    norm = _cost_norm(sweep.last_costs[sweep.outcomes == "learning"])
    handles: dict[str, Artist] = {}
    for a, axes in enumerate(panels):
        cells = _show_cells(axes, sweep.outcomes[a], sweep.last_costs[a], norm)
        handles |= {str(line.get_label()): line for line in axes.get_lines()}
        _label_axes(axes, grid)
        if len(panels) > 1:
            axes.set_title(grid.activations[a])
    panels[0].set_ylabel(f"weight scale, {grid.seeds} seeds each")
    figure.colorbar(cells, ax=panels, label="last cost of the networks that learn")
    if handles:
        figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=3)
    return figure


def explain_colors(sweep: Sweep) -> list[tuple[str, str]]:
    """List the colours of outcomes in the figure, in hexadecimal, each with its meaning."""
    return [
        (to_hex(color), f"{outcome}: {meaning}")
        for outcome, (color, meaning) in OUTCOME_COLORS.items()
        if outcome != "learning" and (sweep.outcomes == outcome).any()
    ]


def _cost_norm(costs: np.ndarray) -> LogNorm:
    """Make the colour scale of the costs of the networks that learn."""
    costs = costs if costs.size else np.array([0.01, 1.0])
    return LogNorm(max(costs.min(), 1e-6), max(costs.max(), 1e-5))


def _label_axes(axes: Axes, grid: Grid) -> None:
    rates, scales, seeds = grid.learning_rates, grid.weight_scales, grid.seeds
    ticks = np.linspace(0, len(rates) - 1, min(len(rates), MOST_TICKS)).round()
    ticks = np.unique(ticks.astype(int))
    axes.set_xticks(ticks, [in_short(rates[tick], digits=2) for tick in ticks])
    axes.set_xlabel("learning rate α")
    names = [in_short(scale) for scale in scales]
    axes.set_yticks(seeds * np.arange(len(scales)) + (seeds - 1) / 2, names)
    for edge in range(1, len(scales)):
        axes.axhline(seeds * edge - 0.5, color="white", linewidth=1)


def _show_cells(axes: Axes, outcomes: np.ndarray, costs: np.ndarray, norm: LogNorm) -> AxesImage:
    """Fill the cells of one activation, and name their outcomes for the legend.

    Args:
        axes: The panel.
        outcomes: (rates, weight scales, seeds).
        costs: The last costs, likewise.
        norm: The colour scale of the costs.
    """
    outcomes, costs = (
        array.transpose(1, 2, 0).reshape(-1, len(array)) for array in (outcomes, costs)
    )
    options: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
    learning = np.where(outcomes == "learning", costs, np.nan)
    cells = axes.imshow(learning, cmap="viridis_r", norm=norm, **options)
    for outcome, (color, meaning) in OUTCOME_COLORS.items():
        if outcome != "learning" and (outcomes == outcome).any():
            where = np.where(outcomes == outcome, 1.0, np.nan)
            axes.imshow(where, cmap=ListedColormap([color]), **options)
            label = f"{outcome}: {meaning}"
            axes.plot([], [], "s", color=color, markeredgecolor="black", label=label)
    return cells
