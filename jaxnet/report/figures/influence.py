"""The figure of a leave-one-out: what changes test pictures, and which pictures are memorised."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from jaxnet.data.dataset import Dataset
from jaxnet.errors import require_kind
from jaxnet.evaluation.influence import Influence, Memorised, PictureChange
from jaxnet.report.figures.figure import make_figure, plain
from jaxnet.report.influence import change_in_words

COLUMNS = 7  # pictures in a row

# The opacity of a picture whose change is noise.
FADED = 0.3


def plot_influence(influence: Influence, dataset: Dataset, *, title: str = "") -> Figure:
    """Draw each explained test picture in a row with the training pictures that change it most.

    The last row has the most memorised training pictures. A picture whose change is noise is faded.

    Args:
        influence: What `summarise_influence` computed on these pictures.
        dataset: The pictures.
        title: One line above all.
    """
    require_kind("influence", influence, Influence)
    rows = len(influence.explained) + 1
    figure = make_figure(1.75 * COLUMNS, 2.5 * rows + 0.5, title)
    parts = figure.subfigures(rows, 1, squeeze=False)[:, 0]
    heading = "most memorised: which training pictures raise the P of their own class most"
    _show_changes(_make_row(parts[-1], heading), dataset, influence.memorisation)
    if dataset.test is None:
        return figure
    for part, explained in zip(parts, influence.explained, strict=False):
        j, positive = explained.picture, influence.positive
        heading = f'test {j}, and the training pictures that change its P("{positive}") most'
        first, *others = _make_row(part, heading)
        text = f"test {j}: {explained.class_}\nP = {explained.probability:.2f}"
        _show(first, dataset.test.images[j], text)
        _show_changes(others, dataset, explained.by)
    return figure


def _make_row(part: SubFigure, heading: str) -> list[Axes]:
    part.suptitle(plain(heading), ha="left", x=0.01)
    panels = list(part.subplots(1, COLUMNS))
    for panel in panels:
        panel.set_axis_off()
    return panels


def _show_changes(
    panels: list[Axes], dataset: Dataset, changes: Sequence[PictureChange | Memorised]
) -> None:
    for panel, row in zip(panels, changes, strict=False):
        text = f"train {row.picture}: {row.class_}\n{change_in_words(row)}"
        alpha, color = 1.0, "tab:red" if row.change > 0 else "tab:blue"
        if row.noise:
            alpha, color = FADED, "tab:gray"
        _show(panel, dataset.train.images[row.picture], text, alpha, color)


def _show(
    panel: Axes, image: np.ndarray, text: str, alpha: float = 1, color: str = "black"
) -> None:
    panel.imshow(image, alpha=alpha)
    panel.set_title(plain(text), fontsize="medium", color=color)
