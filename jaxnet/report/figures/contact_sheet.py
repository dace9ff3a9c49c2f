"""The contact sheet of a data set: examples of each class, and its duplicates."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure

from jaxnet.data.dataset import Dataset
from jaxnet.data.duplicates import Pair
from jaxnet.data.preprocessing import Preprocessing, preprocessing_for
from jaxnet.errors import require_kind
from jaxnet.report.figures.figure import make_figure, plain

COLUMNS = 8  # pictures in a row; more would be too small to recognise


def plot_pictures(
    dataset: Dataset, preprocessing: Preprocessing | None = None, *, pairs: Sequence[Pair] = ()
) -> Figure:
    """Draw examples of each class of each split, in colour and below as the network's input.

    Args:
        dataset: The pictures.
        preprocessing: How pictures become columns; by default grey, in their own size.
        pairs: Duplicates, as an audit finds them, to show below: those across splits first.
    """
    require_kind("dataset", dataset, Dataset)
    preprocessing = preprocessing_for(dataset) if preprocessing is None else preprocessing
    pairs = sorted(pairs, key=lambda pair: pair.first.split == pair.second.split)
    groups = [
        (f'{name}: "{dataset.classes[label]}"', split.images[split.labels == label])
        for name, split in dataset.splits.items()
        for label in (1, 0)
    ]
    rows = len(groups) + bool(pairs)
    title = (
        f"{dataset.source}\nin colour, and as the network's input: "
        f"{preprocessing.height} × {preprocessing.width}, {preprocessing.color}"
    )
    figure = make_figure(1.15 * COLUMNS + 1, 2.75 * rows + 0.6, title)
    parts = figure.subfigures(rows, 1, squeeze=False)[:, 0]
    if pairs:
        _show_pairs(parts[-1], dataset, pairs)
    for part, (name, images) in zip(parts, groups, strict=False):
        examples = images[:COLUMNS]
        part.suptitle(f"{plain(name)}, {len(examples)} of {len(images)}", ha="left", x=0.02)
        panels = part.subplots(2, COLUMNS)
        for panel in panels.flat:
            panel.set_axis_off()
        for panel, image in zip(panels[0], examples, strict=False):
            panel.imshow(image)
        for panel, column in zip(panels[1], _as_seen(examples, preprocessing), strict=False):
            panel.imshow(column, cmap="gray", vmin=0, vmax=1)
    return figure


def _show_pairs(part: SubFigure, dataset: Dataset, pairs: Sequence[Pair]) -> None:
    """Show duplicates side by side, each picture with its number and its class."""
    shown = pairs[:COLUMNS]
    part.suptitle(f"duplicates, {len(shown)} of {len(pairs)} pairs", ha="left", x=0.02)
    panels = part.subplots(2, COLUMNS)
    for panel in panels.flat:
        panel.set_axis_off()
    for pair, beside in zip(shown, panels.reshape(-1, 2), strict=False):
        marks = ("", "= " if pair.exact else "≈ ")
        for panel, place, mark in zip(beside, (pair.first, pair.second), marks, strict=True):
            split = dataset.splits[place.split]
            name = dataset.classes[split.labels[place.number]]
            panel.imshow(split.images[place.number])
            panel.set_title(f"{mark}{place}\n{plain(name)}", fontsize="small")


def _as_seen(images: np.ndarray, preprocessing: Preprocessing) -> list[np.ndarray]:
    """Turn the columns of the network's input back into pictures, 0 black and 1 white."""
    if not len(images):
        return []
    X = dataclasses.replace(preprocessing, pixel_scale="unit").columns(images)
    channels = () if preprocessing.color == "gray" else (3,)
    shape = (preprocessing.height, preprocessing.width, *channels)
    return [column.reshape(shape) for column in np.asarray(X).T]
