"""The pictures that commands save: what the network sees, and what it has learnt."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from jaxnet.data.columns import Preprocessing
from jaxnet.data.dataset import Dataset
from jaxnet.data.duplicates import Pair, find_pairs
from jaxnet.many.sweep import Sweep
from jaxnet.runs.model_file import Model

# More than these would be too small to see.
MOST_UNITS = 32
MOST_EXAMPLES = 8

# How networks are coloured by how they ended, and what that means; told apart by the colour-blind,
# too.
OUTCOME_COLORS = {
    "learning": ("#009E73", "cost below the label entropy"),
    "plateau": ("lightgray", "cost at the label entropy"),
    "diverged": ("tab:orange", "cost above the label entropy"),
    "dead": ("black", "no unit active"),
    "not finite": ("crimson", "overflow"),
}

# A run whose cost was that many times the label entropy is drawn on a log scale.
FAR_ABOVE = 10


def draw_training(model: Model, label_entropy: float, title: str) -> Figure:
    """Draw a training run: the cost at every iteration, and each hidden unit as a picture.

    Args:
        model: The trained network, with its costs.
        label_entropy: The cost of always predicting the class rate, drawn as a line to compare.
        title: One line above all.
    """
    n_h = len(model.params["W1"])
    shown = min(n_h, MOST_UNITS)
    columns = 4 if shown <= 16 else 8
    rows = math.ceil(shown / columns)
    figure = Figure(
        figsize=(5.5 + 1.6 * columns, max(4.2, 1.2 + 1.75 * rows)), layout="constrained"
    )
    figure.suptitle(_plain(title))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(5.5, 1.6 * columns))[0]

    axes = left.subplots()
    costs = model.costs[np.isfinite(model.costs)]  # only the last of a run can be otherwise
    axes.plot(costs, label="this network")
    axes.axhline(label_entropy, color="tab:gray", linestyle="--", label="always the class rate")
    axes.set(xlabel="iteration", ylabel="cost (mean cross-entropy)")
    if costs.max(initial=0) > FAR_ABOVE * label_entropy:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, None)
    axes.legend(loc="upper right")

    right.suptitle(
        f"{'The hidden units' if shown == n_h else f'{shown} of {n_h} hidden units'}: "
        f'weights W1 (red +, blue −), vote for "{_plain(model.classes[1])}" W2'
    )
    W1, W2 = (np.asarray(model.params[name]) for name in ("W1", "W2"))
    limit = float(np.abs(W1[:shown]).max()) or 1.0
    panels = right.subplots(rows, columns, squeeze=False).flat
    for unit, panel in enumerate(panels):
        panel.set_axis_off()
        if unit < shown:
            _show_weights(panel, W1[unit], model.preprocessing, limit)
            vote = f"{W2[0, unit]:+.2f}".replace("-", "−")
            panel.set_title(f"unit {unit + 1}: {vote}", fontsize="medium")
    return figure


def _show_weights(axes: Axes, weights: np.ndarray, seen: Preprocessing, limit: float) -> None:
    """Show one row of W1 as a picture; neutral is zero, and `limit` the same for all units."""
    if seen.color == "gray":
        picture = weights.reshape(seen.height, seen.width)
        axes.imshow(picture, cmap="RdBu_r", vmin=-limit, vmax=limit)
    else:
        axes.imshow(0.5 + 0.5 * weights.reshape(seen.height, seen.width, 3) / limit)


def draw_contact_sheet(dataset: Dataset, seen: Preprocessing) -> Figure:
    """Draw examples of each class of each split, in colour and below as the network sees them.

    Pictures that are there twice follow, each pair side by side, those across splits first.
    """
    pairs = sorted(find_pairs(dataset), key=lambda pair: pair.first.split == pair.second.split)
    groups = [
        (f'{name}: "{dataset.classes[label]}"', split.images[split.labels == label])
        for name, split in dataset.splits.items()
        for label in (1, 0)
    ]
    rows = len(groups) + bool(pairs)
    figure = Figure(figsize=(1.15 * MOST_EXAMPLES + 1, 2.75 * rows + 0.6), layout="constrained")
    figure.suptitle(
        f"{_plain(dataset.source)}\nin colour, and as the network sees them: "
        f"{seen.height} × {seen.width}, {seen.color}"
    )
    parts = figure.subfigures(rows, 1, squeeze=False)[:, 0]
    if pairs:
        _show_pairs(parts[-1], dataset, pairs)
    for part, (name, images) in zip(parts, groups, strict=False):
        examples = images[:MOST_EXAMPLES]
        part.suptitle(f"{_plain(name)}, {len(examples)} of {len(images)}", ha="left", x=0.02)
        panels = part.subplots(2, MOST_EXAMPLES)
        for panel in panels.flat:
            panel.set_axis_off()
        for panel, image in zip(panels[0], examples, strict=False):
            panel.imshow(image)
        for panel, column in zip(panels[1], _seen_pictures(examples, seen), strict=False):
            panel.imshow(column, cmap="gray", vmin=0, vmax=1)
    return figure


def _show_pairs(part: SubFigure, dataset: Dataset, pairs: Sequence[Pair]) -> None:
    """Show duplicates, each picture with its number and its class."""
    shown = pairs[:MOST_EXAMPLES]
    title = f"pictures that are there twice, {len(shown)} of {len(pairs)} pairs"
    part.suptitle(title, ha="left", x=0.02)
    panels = part.subplots(2, MOST_EXAMPLES)
    for panel in panels.flat:
        panel.set_axis_off()
    for pair, beside in zip(shown, panels.reshape(-1, 2), strict=False):
        marks = ("", "= " if pair.exact else "≈ ")
        for panel, place, mark in zip(beside, (pair.first, pair.second), marks, strict=True):
            split = dataset.splits[place.split]
            name = dataset.classes[split.labels[place.number]]
            panel.imshow(split.images[place.number])
            panel.set_title(f"{mark}{place}\n{_plain(name)}", fontsize="small")


def draw_sweep(
    results: dict[str, Sweep], learning_rates: Sequence[float], scales: Sequence[str], title: str
) -> Figure:
    """Draw every network of a sweep as a cell: rates to the right, scales and seeds downwards.

    A network that learns is coloured by its last cost; another by how it ended. Each activation has
    a panel of its own.
    """
    figure = Figure(figsize=(3.5 + 5.5 * len(results), 6), layout="constrained")
    figure.suptitle(_plain(title))
    panels = figure.subplots(1, len(results), squeeze=False, sharey=True)[0]
    learnt = [part.last_costs[part.outcomes == "learning"] for part in results.values()]
    within = np.concatenate([*learnt, [] if any(map(len, learnt)) else [0.01, 1.0]])
    norm = LogNorm(max(within.min(), 1e-6), max(within.max(), 1e-5))
    handles: dict[str, Artist] = {}
    for axes, (activation, part) in zip(panels, results.items(), strict=True):
        shown = _show_cells(axes, part, norm)
        handles |= {str(line.get_label()): line for line in axes.get_lines()}
        ticks = np.linspace(0, len(learning_rates) - 1, min(len(learning_rates), 9)).round()
        ticks = np.unique(ticks.astype(int))
        axes.set_xticks(ticks, [f"{learning_rates[tick]:.2g}" for tick in ticks])
        axes.set_xlabel("learning rate α")
        if len(results) > 1:
            axes.set_title(activation)
        seeds = part.outcomes.shape[2]
        axes.set_yticks(seeds * np.arange(len(scales)) + (seeds - 1) / 2, scales)
        for edge in range(1, len(scales)):
            axes.axhline(seeds * edge - 0.5, color="white", linewidth=1)
    panels[0].set_ylabel(f"first scale of the weights, {seeds} seeds each")
    figure.colorbar(shown, ax=panels, label="last cost of the networks that learn")
    if handles:
        figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=4)
    return figure


def _show_cells(axes: Axes, part: Sweep, norm: LogNorm) -> AxesImage:
    """Fill the cells of one activation, and name the outcomes that are among them."""
    rates = len(part.outcomes)
    outcomes, costs = (
        array.transpose(1, 2, 0).reshape(-1, rates) for array in (part.outcomes, part.last_costs)
    )
    cells: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
    learning = np.where(outcomes == "learning", costs, np.nan)
    shown = axes.imshow(learning, cmap="viridis_r", norm=norm, **cells)
    for outcome, (color, meaning) in OUTCOME_COLORS.items():
        if outcome != "learning" and (outcomes == outcome).any():
            where = np.where(outcomes == outcome, 1.0, np.nan)
            axes.imshow(where, cmap=ListedColormap([color]), **cells)
            label = f"{outcome}: {meaning}"
            axes.plot([], [], "s", color=color, markeredgecolor="black", label=label)
    return shown


def _plain(text: str) -> str:
    """Keep matplotlib from reading formulas into names with dollar signs."""
    return text.replace("$", r"\$")


def _seen_pictures(images: np.ndarray, seen: Preprocessing) -> list[np.ndarray]:
    """Turn the columns that the network sees back into pictures, 0 black and 1 white."""
    if not len(images):
        return []
    X = dataclasses.replace(seen, scale="unit").columns(images)
    shape = (seen.height, seen.width, 3)[: 2 if seen.color == "gray" else 3]
    return [np.asarray(column).reshape(shape) for column in X.T]
