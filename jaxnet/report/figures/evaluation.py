"""The figure of an evaluation: confusion, ROC, calibration, and the most wrong pictures."""

from typing import overload

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from jaxnet.data.all_pictures import Data, labels_of, open_all
from jaxnet.errors import require_choice, require_kind
from jaxnet.evaluation.evaluate import Evaluation, SplitEvaluation
from jaxnet.evaluation.scores import roc_curve
from jaxnet.report.figures.figure import make_axes, make_figure, plain

COLUMNS = 6
MOST_PICTURES = 2 * COLUMNS
SIDE = 4.2  # of a panel, in inches


def plot_evaluation(
    evaluation: Evaluation, data: Data, *, split: str | None = None, title: str = ""
) -> Figure:
    """Draw how good a network is on one split: its confusion, ROC, calibration, and what is wrong.

    Args:
        evaluation: What `evaluate` computed on these pictures.
        data: The pictures.
        split: The name of the split; by default test, or train if there is no test split.
        title: One line above all.

    Raises:
        UsageError: If there is no such split.
    """
    figure = make_figure(13, 8.6, title)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(4.2, 4.4))[:, 0]
    confusion, roc, calibration = above.subplots(1, 3)
    plot_confusion(evaluation, split=split, ax=confusion)
    plot_roc(evaluation, data, split=split, ax=roc)
    plot_calibration(evaluation, split=split, ax=calibration)
    _draw_most_wrong(below, evaluation, data, split)
    return figure


@overload
def plot_confusion(
    evaluation: Evaluation, *, split: str | None = None, ax: None = None
) -> Figure: ...
@overload
def plot_confusion(evaluation: Evaluation, *, split: str | None = None, ax: Axes) -> None: ...
def plot_confusion(
    evaluation: Evaluation, *, split: str | None = None, ax: Axes | None = None
) -> Figure | None:
    """Draw how many pictures of each class are predicted as each class.

    Args:
        evaluation: What `evaluate` computed.
        split: As in `plot_evaluation`.
        ax: The panel to draw into; by default one in a new figure, which is returned.

    Raises:
        UsageError: If there is no such split.
    """
    if ax is None:
        figure, axes = make_axes(SIDE, SIDE)
        plot_confusion(evaluation, split=split, ax=axes)
        return figure
    _, part = _choose(evaluation, split)
    counts = part.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (label, prediction), count in np.ndenumerate(counts):
        share = shares[label, prediction]
        ax.text(
            prediction,
            label,
            f"{count}\n{share:.0%}",
            ha="center",
            va="center",
            color="white" if share > 0.5 else "black",
        )
    classes = [plain(name) for name in evaluation.classes]
    ax.set_xticks((0, 1), classes)
    ax.set_yticks((0, 1), classes, rotation=90, va="center")
    threshold = evaluation.threshold.value
    ax.set(
        xlabel="predicted",
        ylabel="true",
        title=f"confusion: accuracy {part.accuracy.value:.1%}, threshold {threshold:.4g}",
    )
    return None


@overload
def plot_roc(
    evaluation: Evaluation, data: Data, *, split: str | None = None, ax: None = None
) -> Figure: ...
@overload
def plot_roc(evaluation: Evaluation, data: Data, *, split: str | None = None, ax: Axes) -> None: ...
def plot_roc(
    evaluation: Evaluation, data: Data, *, split: str | None = None, ax: Axes | None = None
) -> Figure | None:
    """Draw the true against the false positive rate at every threshold.

    Args:
        evaluation: What `evaluate` computed on these pictures.
        data: The pictures, of which the labels are used.
        split: As in `plot_evaluation`.
        ax: The panel to draw into; by default one in a new figure, which is returned.

    Raises:
        UsageError: If there is no such split.
    """
    if ax is None:
        figure, axes = make_axes(SIDE, SIDE)
        plot_roc(evaluation, data, split=split, ax=axes)
        return figure
    name, part = _choose(evaluation, split)
    ax.plot((0, 1), (0, 1), color="tab:gray", linestyle="--", label="guessing")
    area = part.roc_auc
    if np.isfinite(area.value):
        ax.plot(*roc_curve(labels_of(data)[name], part.probabilities), label="this network")
        false, true = part.confusion[:, 1] / part.confusion.sum(axis=1)
        ax.plot(false, true, "o", color="tab:orange", label="at the threshold")
    ax.set_aspect("equal")
    ax.set(
        xlabel="false positive rate",
        ylabel="true positive rate",
        title=f"ROC: area {area.value:.2f} [{area.low:.2f}–{area.high:.2f}]",
    )
    ax.legend(loc="lower right")
    return None


@overload
def plot_calibration(
    evaluation: Evaluation, *, split: str | None = None, ax: None = None
) -> Figure: ...
@overload
def plot_calibration(evaluation: Evaluation, *, split: str | None = None, ax: Axes) -> None: ...
def plot_calibration(
    evaluation: Evaluation, *, split: str | None = None, ax: Axes | None = None
) -> Figure | None:
    """Draw how often the positive class is there, against the probability that was predicted.

    Args:
        evaluation: What `evaluate` computed.
        split: As in `plot_evaluation`.
        ax: The panel to draw into; by default one in a new figure, which is returned.

    Raises:
        UsageError: If there is no such split.
    """
    if ax is None:
        figure, axes = make_axes(SIDE, SIDE)
        plot_calibration(evaluation, split=split, ax=axes)
        return figure
    _, part = _choose(evaluation, split)
    positive = plain(evaluation.classes[1])
    ax.plot((0, 1), (0, 1), color="tab:gray", linestyle="--", label="calibrated perfectly")
    bins = [each for each in part.calibration if each.pictures]
    shares = np.array([each.share for each in bins])  # value, low, high
    probabilities = [each.probability for each in bins]
    errors = np.abs(shares[:, 1:] - shares[:, :1]).T
    ax.errorbar(probabilities, shares[:, 0], errors, fmt="o", label="this network, 95 % interval")
    for each in bins:
        ax.annotate(
            str(each.pictures),
            (each.probability, each.share.value),
            xytext=(6, 4),
            textcoords="offset points",
        )
    ax.set(
        xlim=(-0.05, 1.05),
        ylim=(-0.05, 1.35),  # with room for the legend
        yticks=np.linspace(0, 1, 6),
        xlabel=f'mean P("{positive}") in a bin',
        ylabel=f'share of "{positive}"',
        title="calibration, with the number of pictures",
    )
    ax.legend(loc="upper left")
    return None


def plot_most_wrong(evaluation: Evaluation, data: Data, *, split: str | None = None) -> Figure:
    """Draw the pictures that are predicted wrongly, the largest error first.

    Args:
        evaluation: What `evaluate` computed on these pictures.
        data: The pictures.
        split: As in `plot_evaluation`.

    Raises:
        UsageError: If there is no such split.
    """
    figure = make_figure(13, SIDE)
    _draw_most_wrong(figure, evaluation, data, split)
    return figure


def _choose(evaluation: Evaluation, split: str | None) -> tuple[str, SplitEvaluation]:
    """Return a split with its name, by default the first one."""
    require_kind("evaluation", evaluation, Evaluation)
    name = next(iter(evaluation.splits)) if split is None else split
    require_choice("split", name, evaluation.splits)
    return name, evaluation.splits[name]


def _draw_most_wrong(
    figure: Figure | SubFigure, evaluation: Evaluation, data: Data, split: str | None
) -> None:
    name, part = _choose(evaluation, split)
    wrong, positive = part.most_wrong, plain(evaluation.classes[1])
    shown = wrong[:MOST_PICTURES]
    numbers = np.array([row.picture for row in shown], int)
    with open_all(data) as pictures:
        images = pictures.take(pictures.starts[pictures.names.index(name)] + numbers)
    figure.suptitle(
        f"The most wrong pictures, {len(shown)} of {len(wrong)}, each with its number, "
        f'its P("{positive}") and its class'
        if wrong
        else "No picture is predicted wrongly"
    )
    panels = figure.subplots(MOST_PICTURES // COLUMNS, COLUMNS).ravel()
    for panel in panels:
        panel.set_axis_off()
    for panel, row, image in zip(panels, shown, images, strict=False):
        panel.imshow(image)
        text = f"{row.picture}: {row.probability:.3f}, {plain(row.class_)}"
        panel.set_title(text, fontsize="medium")
