"""The figure of an evaluation: confusion, ROC, calibration, and the most wrong pictures."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from jaxnet.data.all_pictures import Data, labels_of, open_all
from jaxnet.errors import require_choice
from jaxnet.evaluation.evaluate import Evaluation, SplitEvaluation
from jaxnet.evaluation.scores import roc_curve
from jaxnet.report.figures.style import plain

COLUMNS = 6
MOST_PICTURES = 2 * COLUMNS


def draw_evaluation(
    evaluation: Evaluation, data: Data, title: str, split: str | None = None
) -> Figure:
    """Draw how good a network is on one split.

    Args:
        evaluation: What `evaluate` computed on these pictures.
        data: The pictures.
        title: One line above all.
        split: The name of the split; by default test, or train if there is no test split.

    Raises:
        UsageError: If there is no such split.
    """
    name = next(iter(evaluation.splits)) if split is None else split
    require_choice("split", name, evaluation.splits)
    part, labels = evaluation.splits[name], labels_of(data)[name]
    classes = (plain(evaluation.classes[0]), plain(evaluation.classes[1]))
    figure = Figure(figsize=(13, 8.6), layout="constrained")
    figure.suptitle(plain(title))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(4.2, 4.4))[:, 0]
    confusion, roc, calibration = above.subplots(1, 3)
    _draw_confusion(confusion, part, evaluation.threshold.value, classes)
    _draw_roc(roc, part, labels)
    _draw_calibration(calibration, part, classes[1])
    numbers = np.array([row.picture for row in part.most_wrong[:MOST_PICTURES]], int)
    with open_all(data) as pictures:
        images = pictures.take(pictures.starts[pictures.names.index(name)] + numbers)
    _draw_most_wrong(below, part, images, classes[1])
    return figure


def _draw_confusion(
    axes: Axes, part: SplitEvaluation, threshold: float, classes: tuple[str, str]
) -> None:
    counts = part.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (label, prediction), count in np.ndenumerate(counts):
        share = shares[label, prediction]
        axes.text(
            prediction,
            label,
            f"{count}\n{share:.0%}",
            ha="center",
            va="center",
            color="white" if share > 0.5 else "black",
        )
    axes.set_xticks((0, 1), classes)
    axes.set_yticks((0, 1), classes, rotation=90, va="center")
    axes.set(
        xlabel="predicted",
        ylabel="true",
        title=f"confusion: accuracy {part.accuracy.value:.1%}, threshold {threshold:.4g}",
    )


def _draw_roc(axes: Axes, part: SplitEvaluation, labels: np.ndarray) -> None:
    axes.plot((0, 1), (0, 1), color="tab:gray", linestyle="--", label="guessing")
    area = part.roc_auc
    if np.isfinite(area.value):
        axes.plot(*roc_curve(labels, part.probabilities), label="this network")
        false, true = part.confusion[:, 1] / part.confusion.sum(axis=1)
        axes.plot(false, true, "o", color="tab:orange", label="at the threshold")
    axes.set_aspect("equal")
    axes.set(
        xlabel="false positive rate",
        ylabel="true positive rate",
        title=f"ROC: area {area.value:.2f} [{area.low:.2f}–{area.high:.2f}]",
    )
    axes.legend(loc="lower right")


def _draw_calibration(axes: Axes, part: SplitEvaluation, positive: str) -> None:
    axes.plot((0, 1), (0, 1), color="tab:gray", linestyle="--", label="calibrated perfectly")
    bins = [each for each in part.calibration if each.pictures]
    shares = np.array([each.share for each in bins])  # value, low, high
    probabilities = [each.probability for each in bins]
    errors = np.abs(shares[:, 1:] - shares[:, :1]).T
    axes.errorbar(probabilities, shares[:, 0], errors, fmt="o", label="this network, 95 % interval")
    for each in bins:
        axes.annotate(
            str(each.pictures),
            (each.probability, each.share.value),
            xytext=(6, 4),
            textcoords="offset points",
        )
    axes.set(
        xlim=(-0.05, 1.05),
        ylim=(-0.05, 1.35),  # with room for the legend
        yticks=np.linspace(0, 1, 6),
        xlabel=f'mean P("{positive}") in a bin',
        ylabel=f'share of "{positive}"',
        title="calibration, with the number of pictures",
    )
    axes.legend(loc="upper left")


def _draw_most_wrong(
    figure: SubFigure, part: SplitEvaluation, images: np.ndarray, positive: str
) -> None:
    wrong = part.most_wrong
    shown = wrong[:MOST_PICTURES]
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
