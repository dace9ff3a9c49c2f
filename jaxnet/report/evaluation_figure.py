"""The picture of an evaluation: confusion, ROC, calibration, and the most wrong pictures."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from jaxnet.data.dataset import Split
from jaxnet.evaluation.scores import Scores, most_wrong, roc_curve

COLUMNS = 6
MOST_PICTURES = 2 * COLUMNS


def draw_evaluation(
    scores: Scores,
    split: Split,
    probabilities: np.ndarray,
    classes: tuple[str, str],
    title: str,
) -> Figure:
    """Draw how good a network is on one split.

    Args:
        scores: What `score` computed.
        split: The pictures and their labels (m,).
        probabilities: (m,) of class 1.
        classes: The names of class 0 and of class 1.
        title: One line above all.
    """
    negative, positive = (name.replace("$", r"\$") for name in classes)
    figure = Figure(figsize=(13, 8.6), layout="constrained")
    figure.suptitle(title.replace("$", r"\$"))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(4.2, 4.4))[:, 0]
    confusion, roc, calibration = above.subplots(1, 3)
    _draw_confusion(confusion, scores, (negative, positive))
    _draw_roc(roc, scores, split.labels, probabilities)
    _draw_calibration(calibration, scores, positive)
    _draw_gallery(below, scores.threshold, split, probabilities, (negative, positive))
    return figure


def _draw_confusion(axes: Axes, scores: Scores, classes: tuple[str, str]) -> None:
    counts = scores.confusion
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
        title=f"confusion: accuracy {scores.accuracy.value:.1%}, threshold {scores.threshold:.4g}",
    )


def _draw_roc(axes: Axes, scores: Scores, labels: np.ndarray, probabilities: np.ndarray) -> None:
    axes.plot((0, 1), (0, 1), color="tab:gray", linestyle="--", label="guessing")
    area = scores.roc_auc
    if np.isfinite(area.value):
        axes.plot(*roc_curve(labels, probabilities), label="this network")
        (negatives, positives) = scores.confusion.sum(axis=1)
        false, true = scores.confusion[0, 1] / negatives, scores.confusion[1, 1] / positives
        axes.plot(false, true, "o", color="tab:orange", label="at the threshold")
    axes.set_aspect("equal")
    axes.set(
        xlabel="false positive rate",
        ylabel="true positive rate",
        title=f"ROC: area {area.value:.2f} [{area.low:.2f}–{area.high:.2f}]",
    )
    axes.legend(loc="lower right")


def _draw_calibration(axes: Axes, scores: Scores, positive: str) -> None:
    axes.plot((0, 1), (0, 1), color="tab:gray", linestyle="--", label="what was said happens")
    bins = [part for part in scores.calibration if part.pictures]
    shares = np.array([part.share for part in bins])  # value, low, high
    said = [part.probability for part in bins]
    errors = np.abs(shares[:, 1:] - shares[:, :1]).T
    axes.errorbar(said, shares[:, 0], errors, fmt="o", label="this network, 95 % interval")
    for part in bins:
        axes.annotate(
            str(part.pictures),
            (part.probability, part.share.value),
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


def _draw_gallery(
    figure: SubFigure,
    threshold: float,
    split: Split,
    probabilities: np.ndarray,
    classes: tuple[str, str],
) -> None:
    wrong = most_wrong(split.labels, probabilities, threshold)
    shown = wrong[:MOST_PICTURES]
    figure.suptitle(
        f"The most wrong pictures, {len(shown)} of {len(wrong)}, each with its number, "
        f'its P("{classes[1]}") and its class'
        if len(wrong)
        else "No picture is predicted wrongly"
    )
    panels = figure.subplots(MOST_PICTURES // COLUMNS, COLUMNS).ravel()
    for panel in panels:
        panel.set_axis_off()
    for panel, place in zip(panels, shown, strict=False):
        panel.imshow(split.images[place])
        panel.set_title(
            f"{place}: {probabilities[place]:.3f}, {classes[split.labels[place]]}",
            fontsize="medium",
        )
