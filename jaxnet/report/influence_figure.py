"""The picture of a leave-one-out: what moved test pictures, and what is learnt by heart."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from jaxnet.data.dataset import Dataset
from jaxnet.many.leave_one_out import Change, LeaveOneOut, influence, memorisation

COLUMNS = 7  # pictures in a row

# How much is shown of a picture whose change is noise.
FADED = 0.3


def draw_influence(
    found: LeaveOneOut, dataset: Dataset, explained: Sequence[int], title: str
) -> Figure:
    """Draw each explained test picture in a row with the training pictures that changed it most.

    The last row has the training pictures that are most learnt by heart.

    Args:
        found: What `leave_one_out` found on these pictures.
        dataset: The pictures and their labels.
        explained: The numbers of the test pictures; none where there are no test pictures.
        title: One line above all.
    """
    rows = len(explained) + 1
    figure = Figure(figsize=(1.75 * COLUMNS, 2.5 * rows + 0.5), layout="constrained")
    figure.suptitle(_plain(title))
    parts = figure.subfigures(rows, 1, squeeze=False)[:, 0]
    heading = "most learnt by heart: what raised the probability of its own class most"
    learnt = memorisation(found, dataset.train.labels)
    row = _make_row(parts[-1], heading)
    _show_changes(row, dataset, learnt, np.argsort(-learnt.mean, kind="stable"))
    if dataset.test is None or found.test is None:
        return figure
    moved = influence(found)
    for part, j in zip(parts, explained, strict=False):
        heading = f'test {j}, and what changed its P("{dataset.classes[1]}") most by being there'
        first, *others = _make_row(part, heading)
        label = dataset.classes[dataset.test.labels[j]]
        text = f"test {j}: {label}\nP = {found.test[:, j].mean():.2f}"
        _show(first, dataset.test.images[j], text)
        _show_changes(others, dataset, moved.of(j), moved.of(j).order)
    return figure


def _make_row(part: SubFigure, heading: str) -> list[Axes]:
    part.suptitle(_plain(heading), ha="left", x=0.01)
    panels = list(part.subplots(1, COLUMNS))
    for panel in panels:
        panel.set_axis_off()
    return panels


def _show_changes(panels: list[Axes], dataset: Dataset, change: Change, order: np.ndarray) -> None:
    """Show training pictures with the changes they make; noise is faded."""
    for panel, i in zip(panels, order, strict=False):
        mean, spread, noise = change.mean[i], change.spread[i], change.noise[i]
        label = dataset.classes[dataset.train.labels[i]]
        text = f"train {i}: {label}\n" + f"{mean:+.2f} ± {spread:.2f}".replace("-", "−")
        if noise:
            _show(panel, dataset.train.images[i], f"{text} (noise)", FADED, "tab:gray")
        else:
            _show(panel, dataset.train.images[i], text, 1, "tab:red" if mean > 0 else "tab:blue")


def _show(
    panel: Axes, image: np.ndarray, text: str, alpha: float = 1, color: str = "black"
) -> None:
    panel.imshow(image, alpha=alpha)
    panel.set_title(_plain(text), fontsize="medium", color=color)


def _plain(text: str) -> str:
    """Keep matplotlib from reading formulas into names with dollar signs."""
    return text.replace("$", r"\$")
