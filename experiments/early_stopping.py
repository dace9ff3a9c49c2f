"""Does stopping early predict unseen pictures better than training to the end?

A network that is trained to the end memorises its training pictures, and is then sure of wrong
answers. Early stopping holds a fifth of the training pictures out, and keeps the weights of the
lowest cost on these. Both are cross-validated on the same folds: the balanced accuracy, of which
every constant answer has 50 %, and the log loss, the cost on unseen pictures. Each is compared
picture by picture, by a sign-flip test of the differences, averaged over repeats and seeds. The
claim holds if the balanced accuracy is higher beyond chance (p at most 0.05).

    python -m experiments.early_stopping

Expect no on the drawn cats: 74 % stopped early, 80 % trained to the end, since a fifth of the
pictures is missing; the log loss is the same (0.47 and 0.48). On the article's cats (`--data
catvnoncat`) expect no as well: 50 % either way, no better than a constant answer; but the log loss
falls from 1.31 to 0.67, since the stopped network is no longer sure of what it does not know. It
takes some ten seconds.
"""

import dataclasses

import numpy as np
from matplotlib.axes import Axes

from experiments import BLUE, ORANGE, Result, at_least, new_figure, run
from jaxnet import (
    CrossValidation,
    Settings,
    cross_validate,
    load_dataset,
    score_cross_validation,
)
from jaxnet.evaluation.scores import Interval
from jaxnet.evaluation.sign_flips import sign_flip_test

CLAIM = "Stopping early predicts unseen pictures better than training to the end."


def main(
    data: str = "sketches",
    folds: int = 5,
    repeats: int = 4,
    seeds: int = 4,
    iterations: int = 2500,
    patience: int = 100,
) -> Result:
    """Cross-validate both, and compare them picture by picture."""
    at_least(2, folds=folds)
    at_least(1, repeats=repeats, seeds=seeds, iterations=iterations, patience=patience)
    to_the_end = Settings(iterations=iterations)
    early = dataclasses.replace(to_the_end, patience=patience)
    result = cross_validate(
        load_dataset(data),
        (to_the_end, early),
        folds=folds,
        repeats=repeats,
        seeds=seeds,
        validation=0.2,
    )
    scores = score_cross_validation(result)
    p_accuracy, p_loss = compare(result)
    end, stopped = (one.scores for one in scores.settings)
    numbers = {
        "balanced accuracy, stopped early": stopped.balanced_accuracy.value,
        "balanced accuracy, to the end": end.balanced_accuracy.value,
        "p-value of the difference": p_accuracy,
        "log loss, stopped early": stopped.log_loss.value,
        "log loss, to the end": end.log_loss.value,
        "p-value of its difference": p_loss,
        "updates before the lowest cost, median": scores.settings[1].updates,
        "networks": result.outcomes.size,
    }
    figure, (panels,) = new_figure(f"{CLAIM[:-1]} ({data}).", 1, 2, height=4)
    balanced = [Interval(*(100 * v for v in s.balanced_accuracy)) for s in (end, stopped)]
    draw(panels[0], balanced, "balanced accuracy, held-out pictures, %")
    panels[0].axvline(50, color="black", linewidth=1)
    draw(panels[1], [end.log_loss, stopped.log_loss], "log loss, held-out pictures")
    return Result(CLAIM, p_accuracy <= 0.05, numbers, figure)


def compare(result: CrossValidation) -> tuple[float, float]:
    """Compute the p-values of a higher balanced accuracy and of a lower log loss when stopped."""
    labels, (end, stopped) = result.labels, result.probabilities.astype(float)
    gains = (correct(stopped, labels) - correct(end, labels)) / np.bincount(labels)[labels]
    saved = losses(end, labels) - losses(stopped, labels)
    return sign_flip_test(gains), sign_flip_test(saved)


def correct(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute how often each picture is predicted correctly, (m,)."""
    right = ((probabilities > 0.5) == labels) & np.isfinite(probabilities)
    return np.asarray(right.mean(axis=(0, 1)))


def losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute the mean cross-entropy of each picture, (m,)."""
    of_label = np.where(labels == 1, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.clip(of_label, np.finfo(np.float32).eps, 1)).mean(axis=(0, 1)))


def draw(axes: Axes, intervals: list[Interval], label: str) -> None:
    """Draw the scores of both, each with its interval."""
    for row, (interval, color) in enumerate(zip(intervals, (ORANGE, BLUE), strict=True)):
        axes.plot([interval.low, interval.high], [row, row], color=color)
        axes.plot(interval.value, row, "o", color=color, markersize=10)
    axes.set_yticks((0, 1), ("to the end", "stopped early"))
    axes.set(ylim=(1.5, -0.5), xlabel=label)


if __name__ == "__main__":
    run(main)
