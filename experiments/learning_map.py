"""Which pairs of learning rates, one for each layer, learn, and what is the border like?

Each cell is a network, trained in the span from the same start with its own pair of rates; its
colour is the cost it reaches, or how it failed. Networks that are merely too slow, since every step
lowered their cost, are no failure: the border is that of the pairs that are too large. If more were
always worse, it would be a staircase, beyond which nothing learns; it is called ragged if it has a
quarter more cells than that staircase. One can go into it with --window: where a network learns is
a fractal in the literature (Sohl-Dickstein 2024, arXiv 2402.06184), so from 256 × 256 cells on its
box-counting dimension is printed, beside that of a straight line counted alike. (The article's
section "Using backpropagation to adjust weights and biases" has one rate for both layers: the
diagonal.)

    python -m experiments.learning_map
    python -m experiments.learning_map --cells 256 --window 0.003:0.3,3:100

Expect a border along which the product of the two rates is about constant. Towards the overflow it
is smooth; but it is in tatters where the output layer's rate is large, and below it single networks
bounce to the end: 3.1 times the cells of its staircase, and 1.5 times on the article's cats. Ten
seconds for 64 × 64 networks on two cores.
"""

import itertools
from typing import Any

import jax
import numpy as np
from matplotlib.colors import ListedColormap, LogNorm

from experiments import Result, at_least, new_figure, run
from jaxnet import UsageError, load_dataset, sweep, to_columns, to_row
from jaxnet.commands.console import show_progress
from jaxnet.report.figures import OUTCOME_COLORS

CLAIM = "Rates that are too large for each other do not learn, and the border is ragged."

# A ragged border has so many times the cells of its staircase.
RAGGED = 1.25

# A share of the cost by which it may rise from rounding alone, in float32.
ROUNDING = 1e-6

# From so many cells on a side there are enough sizes of boxes to fit a line through.
CELLS_FOR_A_DIMENSION = 256


def main(
    data: str = "sketches",
    cells: int = 0,
    window: str = "0.001:100,0.001:100",
    iterations: int = 300,
    seed: int = 0,
) -> Result:
    """Train a network a cell, and look at the border.

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
    X, Y = to_columns(train.images), to_row(train.labels)
    first, second = (np.geomspace(*ends, cells) for ends in read_window(window))
    trained = sweep(
        jax.random.key(seed)[None],
        X,
        Y,
        learning_rates=[(a1, a2) for a2, a1 in itertools.product(second.tolist(), first.tolist())],
        iterations=iterations,
        keep_costs=True,
        track=show_progress,
    )
    assert trained.costs is not None
    outcomes = trained.outcomes.reshape(cells, cells)  # (rates of layer 2, rates of layer 1)
    costs = trained.last_costs.reshape(cells, cells)
    learning = outcomes == "learning"
    share = float(learning.mean())
    slow = too_slow(outcomes, trained.costs.reshape(cells, cells, -1))
    too_large = ~(learning | slow)
    stairs = staircase(too_large)
    times, border = raggedness(too_large), border_of(too_large)
    numbers: dict[str, Any] = {
        "cells on the border, times those of its staircase": times,
        "share that learns": share,
        "too large, though larger ones learn": int((too_large & ~stairs).sum()),
        "too slow": int(slow.sum()),
    }
    numbers |= {str(name): int((outcomes == name).sum()) for name in np.unique(outcomes)}
    if cells >= CELLS_FOR_A_DIMENSION and border.any():
        straight = border_of(np.add.outer(np.arange(cells), np.arange(cells)) < cells)
        for name, mask in (("the border", border), ("a straight line", straight)):
            dimension, error, sides = box_dimension(mask)
            numbers[f"dimension of {name}"] = dimension
            numbers[f"its error, {name}"] = error
            numbers["sides of the boxes, in cells"] = f"{sides[0]} to {sides[-1]}"

    figure, ((axes,),) = new_figure(CLAIM, height=7.5)
    if learning.any():
        # On few pictures a cost can be 0, which no logarithm has.
        norm = LogNorm(max(costs[learning].min(), 1e-6), max(costs[learning].max(), 1e-5))
        learnt = np.where(learning, costs, np.nan)
        shown = axes.pcolormesh(first, second, learnt, norm=norm, cmap="viridis_r")
        figure.colorbar(shown, label=f"cost after {iterations} iterations, where it learns")
    ends = np.where(slow, "too slow", outcomes)
    looks = {**OUTCOME_COLORS, "too slow": ("white", "every step lowered the cost")}
    for name, (color, meaning) in looks.items():
        if name != "learning" and (ends == name).any():
            where = np.where(ends == name, 1.0, np.nan)
            axes.pcolormesh(first, second, where, cmap=ListedColormap([color]))
            label = f"{name}: {meaning}"
            axes.plot([], [], "s", color=color, markeredgecolor="black", label=label)
    if border_of(stairs).any():
        axes.contour(first, second, stairs, [0.5], colors="black", linestyles="--")
        axes.plot([], [], "--", color="black", label="beyond it nothing learns")
    axes.set(xscale="log", yscale="log", xlabel="learning rate of layer 1 (W1, b1)")
    axes.set_ylabel("learning rate of layer 2 (W2, b2)")
    axes.grid(False)
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
            "write 0.001:100,0.001:100, say",
        ) from cause
    return [(least1, greatest1), (least2, greatest2)]


def too_slow(outcomes: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Mark the networks that do not learn, and whose cost (…, iterations) no step has raised."""
    with np.errstate(invalid="ignore"):  # ∞ − ∞, of networks that overflow
        raised = np.diff(costs) > ROUNDING * costs[..., :-1]
    return np.isin(outcomes, ("plateau", "diverged")) & ~raised.any(axis=-1)


def staircase(too_large: np.ndarray) -> np.ndarray:
    """Mark the pairs that are too large, as is every pair beyond them."""
    right = np.logical_and.accumulate(too_large[::-1, ::-1], axis=1)
    return np.logical_and.accumulate(right, axis=0)[::-1, ::-1]


def raggedness(too_large: np.ndarray) -> float:
    """Compute how many times the cells of its staircase the border has; 1 for a smooth one."""
    border, smooth = border_of(too_large), border_of(staircase(too_large))
    # A single cell is no border: that takes as many as a straight one across the map.
    return float(border.sum() / max(smooth.sum(), len(too_large)))


def border_of(inside: np.ndarray) -> np.ndarray:
    """Mark the cells whose neighbour to the right or above is on the other side."""
    border = np.zeros_like(inside)
    border[:, :-1] |= inside[:, :-1] != inside[:, 1:]
    border[:-1] |= inside[:-1] != inside[1:]
    return border


def box_dimension(marked: np.ndarray) -> tuple[float, float, list[int]]:
    """Count the boxes that hold a marked cell, and fit how their number grows as they shrink.

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


if __name__ == "__main__":
    run(main)
