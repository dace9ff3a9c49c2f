"""Which pairs of learning rates, one for each layer, learn, and what shape has the border?

Each cell of the map is a network, trained in the span of the pictures from the same start with its
own pair of rates. A network that learns is coloured by its cost, any other by its outcome. Rates
are too small if the network does not learn and no step raised the cost: more iterations would help.
Rates are too large if it does not learn for another reason; the border is that of these. If larger
rates were always worse, the border would be a staircase, beyond which nothing learns. It is called
ragged if it has a quarter more cells than that staircase. `--window` enlarges a part. The set of
rates that learn is a fractal in the literature (Sohl-Dickstein 2024, arXiv 2402.06184): from 256 ×
256 cells on its box-counting dimension is printed, beside that of a straight line. (The article's
section "Using backpropagation to adjust weights and biases" has one rate for both layers: the
diagonal.)

    python -m experiments.learning_map
    python -m experiments.learning_map --cells 256 --window 0.003:0.3,3:100

Expect a border along which the product of the two rates is about constant. It is smooth where the
numbers overflow, and irregular where the output layer's rate is large; below it the costs of single
networks oscillate to the end. It has three to four times the cells of its staircase (rounding
differs between processors, and with it the outcome of a network at the border), and 1.5 times on
the article's cats. It takes ten seconds for 64 × 64 networks on two cores.
"""

import itertools
from typing import Any

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap, LogNorm

from experiments import Result, at_least, new_figure, run, space_rates
from jaxnet import (
    Grid,
    Settings,
    UsageError,
    load_dataset,
    make_examples,
    sweep,
    to_columns,
    to_row,
)
from jaxnet.report.console import show_progress
from jaxnet.report.figures import OUTCOME_COLORS

CLAIM = "Rates that are too large for each other do not learn, and the border is ragged."

# A border is ragged if it has this many times the cells of its staircase.
RAGGED = 1.25

# The relative rise of the cost that is attributed to rounding in float32.
ROUNDING = 1e-6

# With at least this many cells on a side, the boxes have enough sizes to fit a line.
CELLS_FOR_A_DIMENSION = 256


def main(
    data: str = "sketches",
    cells: int = 0,
    window: str = "0.001:100,0.001:100",
    iterations: int = 300,
    seed: int = 0,
) -> Result:
    """Train a network for each cell, and measure the border.

    Args:
        data: Any source of pictures.
        cells: On each side; by default 64 on a CPU and 256 on an accelerator.
        window: LEAST:GREATEST of layer 1's rate and of layer 2's.
        iterations: Of each network.
        seed: Draws the start, which all share.
    """
    if cells == 0:
        cells = 64 if jax.default_backend() == "cpu" else CELLS_FOR_A_DIMENSION
    at_least(2, cells=cells)
    train = load_dataset(data).train
    first, second = (space_rates(*ends, cells) for ends in read_window(window))
    pairs = [(a1, a2) for a2, a1 in itertools.product(second.tolist(), first.tolist())]
    trained = sweep(
        make_examples(to_columns(train.images), to_row(train.labels)),
        Grid(learning_rates=tuple(pairs), seeds=1),
        Settings(seed=seed, iterations=iterations),
        keep_costs=True,
        track=show_progress,
    )
    assert trained.costs is not None
    outcomes = trained.outcomes.reshape(cells, cells)  # (rates of layer 2, rates of layer 1)
    too_small = find_too_small(outcomes, trained.costs.reshape(cells, cells, -1))
    too_large = ~((outcomes == "learning") | too_small)
    times, share = raggedness(too_large), float((outcomes == "learning").mean())
    numbers: dict[str, Any] = {
        "cells on the border, times those of its staircase": times,
        "share that learns": share,
        "too large, though larger ones learn": int((too_large & ~staircase(too_large)).sum()),
        "too small": int(too_small.sum()),
    }
    numbers |= {str(name): int((outcomes == name).sum()) for name in np.unique(outcomes)}
    numbers |= measure_dimensions(border_of(too_large))

    figure, ((axes,),) = new_figure(CLAIM, height=7.5)
    shown = draw_cells(axes, first, second, outcomes, trained.last_costs.reshape(cells, cells))
    if shown is not None:
        figure.colorbar(shown, label=f"cost after {iterations} iterations, where it learns")
    draw_staircase(axes, first, second, staircase(too_large))
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return Result(CLAIM, 0 < share < 1 and times > RAGGED, numbers, figure)


def read_window(text: str) -> list[tuple[float, float]]:
    """Read LEAST:GREATEST,LEAST:GREATEST."""
    try:
        ends = [tuple(float(end) for end in part.split(":")) for part in text.split(",")]
        (least1, greatest1), (least2, greatest2) = ends
        if not (0 < least1 < greatest1 < np.inf and 0 < least2 < greatest2 < np.inf):
            raise ValueError(text)
    except ValueError as cause:
        raise UsageError(
            f'the window is "{text}"',
            "LEAST:GREATEST of layer 1's rate, a comma, and that of layer 2's, all above 0",
            "write 0.001:100,0.001:100, for example",
        ) from cause
    return [(least1, greatest1), (least2, greatest2)]


def find_too_small(outcomes: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Mark the networks that do not learn, and whose cost (…, iterations) no step has raised."""
    with np.errstate(invalid="ignore"):  # ∞ − ∞ where a cost is not finite
        raised = np.diff(costs) > ROUNDING * costs[..., :-1]
    return np.isin(outcomes, ("plateau", "slow")) & ~raised.any(axis=-1)


def staircase(too_large: np.ndarray) -> np.ndarray:
    """Mark the pairs that are too large, and beyond which every pair is too large."""
    right = np.logical_and.accumulate(too_large[::-1, ::-1], axis=1)
    return np.logical_and.accumulate(right, axis=0)[::-1, ::-1]


def raggedness(too_large: np.ndarray) -> float:
    """Divide the number of cells of the border by that of its staircase; 1 if it is smooth."""
    border, smooth = border_of(too_large), border_of(staircase(too_large))
    # A few single cells are no border: a straight one across the map has as many as its side.
    return float(border.sum() / max(smooth.sum(), len(too_large)))


def border_of(inside: np.ndarray) -> np.ndarray:
    """Mark the cells whose neighbour to the right or above is on the other side."""
    border = np.zeros_like(inside)
    border[:, :-1] |= inside[:, :-1] != inside[:, 1:]
    border[:-1] |= inside[:-1] != inside[1:]
    return border


def measure_dimensions(border: np.ndarray) -> dict[str, Any]:
    """Measure the dimension of the border and of a straight line, if the map is large enough."""
    cells = len(border)
    if cells < CELLS_FOR_A_DIMENSION or not border.any():
        return {}
    numbers: dict[str, Any] = {}
    straight = border_of(np.add.outer(np.arange(cells), np.arange(cells)) < cells)
    for name, mask in (("the border", border), ("a straight line", straight)):
        dimension, error, sides = box_dimension(mask)
        numbers[f"dimension of {name}"] = dimension
        numbers[f"its error, {name}"] = error
        numbers["sides of the boxes, in cells"] = f"{sides[0]} to {sides[-1]}"
    return numbers


def box_dimension(marked: np.ndarray) -> tuple[float, float, list[int]]:
    """Count the boxes with a marked cell, and fit their number against their size.

    Returns:
        The dimension, its standard error, and the sides of the boxes: 1, 2, 4, … to an eighth of
        the map.
    """
    sides = [2**k for k in range(int(np.log2(len(marked) // 8)) + 1)]
    whole = len(marked) // sides[-1] * sides[-1]
    counts = []
    for side in sides:
        boxes = marked[:whole, :whole].reshape(whole // side, side, whole // side, side)
        counts.append(boxes.any(axis=(1, 3)).sum())
    (slope, _), covariance = np.polyfit(-np.log(sides), np.log(counts), 1, cov=True)
    return float(slope), float(np.sqrt(covariance[0, 0])), sides


def draw_cells(
    axes: Axes, first: np.ndarray, second: np.ndarray, outcomes: np.ndarray, costs: np.ndarray
) -> QuadMesh | None:
    """Draw each network; return the cells that are coloured by cost, None if none learns."""
    learning, shown = outcomes == "learning", None
    if learning.any():
        # With few pictures a cost can be 0, which has no logarithm.
        norm = LogNorm(max(costs[learning].min(), 1e-6), max(costs[learning].max(), 1e-5))
        low = np.where(learning, costs, np.nan)
        shown = axes.pcolormesh(first, second, low, norm=norm, cmap="viridis_r")
    for name, (color, meaning) in OUTCOME_COLORS.items():
        if name != "learning" and (outcomes == name).any():
            where = np.where(outcomes == name, 1.0, np.nan)
            axes.pcolormesh(first, second, where, cmap=ListedColormap([color]))
            label = f"{name}: {meaning}"
            axes.plot([], [], "s", color=color, markeredgecolor="black", label=label)
    axes.set(xscale="log", yscale="log", xlabel="learning rate of layer 1 (W1, b1)")
    axes.set_ylabel("learning rate of layer 2 (W2, b2)")
    axes.grid(False)
    return shown


def draw_staircase(axes: Axes, first: np.ndarray, second: np.ndarray, stairs: np.ndarray) -> None:
    """Draw the line beyond which nothing learns, if the map has one."""
    if border_of(stairs).any():
        axes.contour(first, second, stairs, [0.5], colors="black", linestyles="--")
        axes.plot([], [], "--", color="black", label="beyond this line no network learns")


if __name__ == "__main__":
    run(main)
