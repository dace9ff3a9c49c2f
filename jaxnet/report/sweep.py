"""A sweep in words: the table of its best cells, and its outcomes."""

from collections.abc import Sequence

from rich.table import Table

from jaxnet.evaluation.spread import Cell, Percentiles, count_outcomes
from jaxnet.many.grid import Grid
from jaxnet.many.sweep import Sweep
from jaxnet.report.words import count, in_short, with_outcomes

SHOWN = 10  # cells in the table


def describe_grid(grid: Grid, iterations: int) -> str:
    """Say how many networks a sweep trains."""
    return f"{describe_shape(grid)} of {iterations:,} iterations"


def describe_shape(grid: Grid) -> str:
    """Say how many networks a grid has, by its axes."""
    activations, rates, weight_scales, seeds = grid.shape
    factors = [
        *([f"{activations} activations"] if activations > 1 else []),
        count(rates, "learning rate"),
        count(weight_scales, "weight scale"),
        count(seeds, "seed"),
    ]
    return f"{' × '.join(factors)} = {grid.networks:,} networks"


def describe_outcomes(sweep: Sweep) -> str:
    """Say how many networks of a sweep have each outcome."""
    return with_outcomes(count_outcomes(sweep.outcomes))


def sweep_table(cells: Sequence[Cell]) -> Table:
    """Tabulate the cells of the lowest median cost, with the spread over the seeds."""
    table = Table(
        title="Lowest median cost first; with the 5th to 95th percentile of the seeds",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
    )
    several = len({cell.activation for cell in cells}) > 1
    if several:
        table.add_column("activation")
    headings = ("α", "weight scale", "learn", "best", "median", "cost", "train %", "test %")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in cells[:SHOWN]:
        table.add_row(
            *([cell.activation] if several else []),
            in_short(cell.learning_rate),
            in_short(cell.weight_scale),
            f"{cell.learning}/{cell.networks}",
            f"{cell.best_cost:.4f}",
            f"{cell.cost.median:.4f}",
            f"{cell.cost.p5:.4f}–{cell.cost.p95:.4f}",
            _in_percent(cell.train_accuracy),
            _in_percent(cell.test_accuracy),
        )
    return table


def _in_percent(share: Percentiles | None) -> str:
    if share is None:
        return "–"
    return "{:.0f} [{:.0f}–{:.0f}]".format(*(100 * number for number in share))
