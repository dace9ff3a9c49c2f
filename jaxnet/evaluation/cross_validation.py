"""Scores of a cross-validation: what they estimate, with an interval that holds for it.

The number is the expected score of a procedure: of networks that are trained so, from these seeds,
on new pictures as many as the folds of these leave for training, and tested on new pictures. It is
not the score of one network, nor of a network trained on all pictures, which is better as a rule,
nor that of other seeds, of which `spread_over_seeds` shows the spread.

The folds share their training pictures, so that their scores are no independent sample, and no
unbiased estimate of the variance exists (Bengio & Grandvalet 2004, JMLR 5, 1089-1105). The interval
is that of the corrected resampled t (Nadeau & Bengio 2003, Machine Learning 52, 239-281): with the
mean and the variance S² of J scores of folds, each tested on a share 1/k of the pictures,

    mean ± t(J − 1) √((1/J + 1/(k − 1)) S² + (s₁ − s₀)² p (1 − p) / m),

where the last term is ours: the folds are drawn by class, so that S² lacks what the share p of
class 1 among m pictures adds where the two classes score s₁ and s₀. The interval is at least as
wide as that of a mean of independent pictures, since all folds may have one score by chance. The
log loss is skewed: its interval is made for its logarithm. `COVERAGE` has how often the intervals
contain the number that they are for, in a simulation (`experiments/coverage.py`).

The best of several scores is flattered by the choice. In nested cross-validation, the setting is
chosen for each fold by the predictions of networks trained without this fold, and judged by it.
"""

import math
from typing import NamedTuple

import numpy as np

from jaxnet.display import shown
from jaxnet.errors import require_choice
from jaxnet.evaluation.scores import CONFIDENCE, Interval, wilson
from jaxnet.evaluation.significance import t_quantile
from jaxnet.evaluation.spread import count_outcomes
from jaxnet.many.folds import CrossValidation
from jaxnet.outcomes import FAILED
from jaxnet.settings import Settings

# By which a setting is chosen; of the log loss, the smallest is the best.
CHOICES = ("accuracy", "balanced_accuracy", "log_loss")


# How many of 100 simulated 95 % intervals contained the number that they are for, by the number of
# pictures: the fewest of three kinds of data, with and without a choice (docs/cross-validation.md).
COVERAGE = {
    "accuracy": {50: 91, 200: 88, 800: 94},
    "balanced_accuracy": {50: 92, 200: 95, 800: 96},
    "log_loss": {50: 91, 200: 92, 800: 94},
}

# With fewer of 100, an interval is called approximate.
LEAST_COVERAGE = 93


class Coverage(NamedTuple):
    """How often the intervals of a score held in simulation.

    Attributes:
        pictures: The number of pictures that was simulated, the nearest one.
        percent: Of 100 intervals that say 95 %, how many contained the number.
        approximate: Whether they are too few.
    """

    pictures: int
    percent: int
    approximate: bool


class ProcedureScores(NamedTuple):
    """The expected scores of a procedure at the training size of the folds, with intervals.

    Attributes:
        accuracy: The share of new pictures that is predicted correctly.
        balanced_accuracy: The mean of the shares of both classes.
        log_loss: The mean cross-entropy.
    """

    accuracy: Interval
    balanced_accuracy: Interval
    log_loss: Interval


class SettingScores(NamedTuple):
    """The scores of one setting.

    Attributes:
        settings: The setting.
        scores: NaN if the numbers of a network are not finite.
        outcomes: How many networks have each outcome.
        updates: With patience, the median number of updates before the validation cost was lowest;
            else None.
    """

    settings: Settings
    scores: ProcedureScores
    outcomes: dict[str, int]
    updates: float | None


class NestedScores(NamedTuple):
    """The scores of choosing a setting and training it, from nested cross-validation.

    Attributes:
        scores: Of the chosen setting, on folds that played no part in the choice.
        chosen: How often each setting was chosen, (settings,), of repeats × folds.
        flattered: The score of the best setting by the measure of the choice, from the folds that
            chose it.
        difference: By how much this is better: the flattery of the choice.
    """

    scores: ProcedureScores
    chosen: np.ndarray
    flattered: float
    difference: float


@shown
class CrossValidationScores(NamedTuple):
    """The scores of a cross-validation.

    Attributes:
        pictures: How many there are.
        training_size: On how many of them each network was trained: that of the estimate.
        folds: Into how many folds they were divided.
        repeats: How often.
        seeds: How many networks of each setting and fold.
        by: The score by which the best setting is chosen.
        settings: The scores of each setting, in their order.
        best: The number of the best setting; None if none has finite numbers.
        nested: The scores of choosing and training; None without nested cross-validation.
        class_rate: The accuracy of always predicting the more frequent class.
        coverage: How often the intervals held in simulation, by score.
    """

    pictures: int
    training_size: int
    folds: int
    repeats: int
    seeds: int
    by: str
    settings: tuple[SettingScores, ...]
    best: int | None
    nested: NestedScores | None
    class_rate: float
    coverage: dict[str, Coverage]

    @property
    def failed(self) -> int:
        """How many networks failed."""
        return sum(
            number
            for one in self.settings
            for outcome, number in one.outcomes.items()
            if outcome in FAILED
        )


def score_cross_validation(result: CrossValidation, by: str = "accuracy") -> CrossValidationScores:
    """Compute the scores of every setting, and those of choosing the best where it is nested.

    Args:
        result: The out-of-fold predictions.
        by: The score that chooses: "accuracy", "balanced_accuracy" or "log_loss". Of equal scores
            the first setting is chosen.

    Raises:
        UsageError: If there is no such score.
    """
    require_choice("by", by, CHOICES)
    labels, folds = result.labels, result.folds
    k = result.outcomes.shape[2]
    by_fold = fold_scores(result)  # each (settings, repeats, folds)
    rows = []
    for s, settings in enumerate(result.settings):
        own = {name: array[s] for name, array in by_fold.items()}
        scores = _scores(own, result.probabilities[s], labels)
        best = result.best_iterations[s]
        updates = float(np.median(best[best >= 0])) if (best >= 0).any() else None
        rows.append(SettingScores(settings, scores, count_outcomes(result.outcomes[s]), updates))
    means = by_fold[by].mean(axis=(1, 2))
    best_of_all = _best(means, by)
    nested = None
    if result.inner is not None and best_of_all is not None:
        nested = _nested(result, by_fold, by, float(means[best_of_all]))
    positive = float(labels.mean())
    return CrossValidationScores(
        labels.size,
        result.training_size,
        k,
        len(folds),
        result.probabilities.shape[2],
        by,
        tuple(rows),
        best_of_all,
        nested,
        max(positive, 1 - positive),
        {name: _coverage(name, labels.size) for name in CHOICES},
    )


def _coverage(name: str, pictures: int) -> Coverage:
    simulated = COVERAGE[name]
    nearest = min(simulated, key=lambda m: abs(math.log(m / pictures)))
    return Coverage(nearest, simulated[nearest], simulated[nearest] < LEAST_COVERAGE)


def fold_scores(result: CrossValidation) -> dict[str, np.ndarray]:
    """Compute each score in each fold, (settings, repeats, folds), as the mean over the seeds.

    All of a repeat are NaN where the numbers of a network are not finite. The log loss takes a
    probability that rounds to 0 or 1 for the next number, as scikit-learn does.
    """
    k = result.outcomes.shape[2]
    within = result.folds[:, None] == np.arange(k)[:, None]  # (repeats, folds, m)
    correct, losses = _of_pictures(result.probabilities, result.labels)
    correct, losses = correct.mean(axis=2), losses.mean(axis=2)  # (settings, repeats, m)
    return _means(correct, losses, within, result.labels)


def _of_pictures(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute of every prediction whether it is correct, and its cross-entropy."""
    correct = np.where(np.isnan(probabilities), np.nan, (probabilities > 0.5) == labels)
    eps = np.finfo(probabilities.dtype).eps
    of_label = np.where(labels == 1, probabilities, 1 - probabilities)
    return correct, -np.log(np.clip(of_label, eps, 1 - eps))


def _means(
    correct: np.ndarray, losses: np.ndarray, within: np.ndarray, labels: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute the scores of pictures (…, repeats, m) in the places (repeats, folds, m)."""

    def mean(values: np.ndarray, among: np.ndarray) -> np.ndarray:
        inside = within & among
        return np.einsum("...rm,rkm->...rk", values, inside.astype(float)) / inside.sum(axis=-1)

    every = np.ones(labels.shape, bool)
    balanced = (mean(correct, labels == 1) + mean(correct, labels == 0)) / 2
    return {
        "accuracy": mean(correct, every),
        "balanced_accuracy": balanced,
        "log_loss": mean(losses, every),
    }


def _best(means: np.ndarray, by: str) -> int | None:
    """Return the number of the best score, the first of equal ones; None if all are NaN."""
    larger_is_better = -means if by == "log_loss" else means
    return None if np.isnan(means).all() else int(np.nanargmax(larger_is_better))


def _nested(
    result: CrossValidation, by_fold: dict[str, np.ndarray], by: str, flattered: float
) -> NestedScores:
    """Choose a setting for each fold without it, and score the choices."""
    assert result.inner is not None
    labels, k = result.labels, result.outcomes.shape[2]
    settings, repeats = result.probabilities.shape[:2]
    chosen = np.zeros((repeats, k), int)
    for fold in range(k):
        own = result.folds == fold  # whose places are NaN, and not looked at
        correct, losses = (
            np.where(own, 0, values.mean(axis=2))
            for values in _of_pictures(result.inner[:, :, fold], labels)
        )
        others = np.delete(np.arange(k), fold)
        within = result.folds[:, None] == others[:, None]
        scores = _means(correct, losses, within, labels)[by].mean(axis=-1)  # (settings, repeats)
        for repeat in range(repeats):
            best = _best(scores[:, repeat], by)
            chosen[repeat, fold] = 0 if best is None else best
    r = np.arange(repeats)[:, None]
    of_chosen = {name: array[chosen, r, np.arange(k)] for name, array in by_fold.items()}
    of_picture = chosen[r, result.folds]  # (repeats, m)
    probabilities = result.probabilities[of_picture, r, :, np.arange(labels.size)]
    scores = _scores(of_chosen, probabilities.transpose(0, 2, 1), labels)
    unflattered = getattr(scores, by).value
    gap = unflattered - flattered if by == "log_loss" else flattered - unflattered
    counts = np.bincount(chosen.ravel(), minlength=settings)
    return NestedScores(scores, counts, flattered, gap)


def _scores(
    by_fold: dict[str, np.ndarray], probabilities: np.ndarray, labels: np.ndarray
) -> ProcedureScores:
    """Compute the scores of a procedure from those of its folds (repeats, folds).

    Args:
        by_fold: The scores by name.
        probabilities: (repeats, seeds, m), of the same predictions.
        labels: (m,).
    """
    correct, losses = (values.mean(axis=(0, 1)) for values in _of_pictures(probabilities, labels))
    of_class = [correct[labels == label] for label in (0, 1)]
    accuracy = _interval(by_fold["accuracy"], _class_share(correct, labels), _error(correct))
    balanced = _interval(by_fold["balanced_accuracy"], 0.0, math.hypot(*map(_error, of_class)) / 2)
    loss = _interval(by_fold["log_loss"], _class_share(losses, labels), _error(losses))
    if accuracy.low == accuracy.high:
        # All predictions are right, or all are wrong.
        accuracy = balanced = wilson(accuracy.value * labels.size, labels.size)
    shares = (_within_0_and_1(accuracy), _within_0_and_1(balanced))
    return ProcedureScores(*shares, _on_log_scale(loss))


def _class_share(values: np.ndarray, labels: np.ndarray) -> float:
    """Compute the variance of a mean of pictures (m,) that their share of class 1 makes."""
    p = labels.mean()
    gap = values[labels == 1].mean() - values[labels == 0].mean()
    return float(gap**2 * p * (1 - p) / labels.size)


def _error(values: np.ndarray) -> float:
    """Compute the standard error of a mean of independent pictures (m,)."""
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def corrected_t(scores: np.ndarray) -> Interval:
    """Compute the interval of a mean of scores of folds by the corrected resampled t.

    Args:
        scores: (repeats, folds).
    """
    return _interval(scores, 0.0, 0.0)


def _interval(scores: np.ndarray, more_variance: float, least_error: float) -> Interval:
    """Compute `corrected_t` with more variance, and with at least this standard error."""
    number, folds = scores.size, scores.shape[1]
    mean, variance = float(scores.mean()), float(scores.var(ddof=1))
    error = math.sqrt((1 / number + 1 / (folds - 1)) * variance + more_variance)
    half = t_quantile((1 + CONFIDENCE) / 2, number - 1) * max(error, least_error)
    return Interval(mean, mean - half, mean + half)


def _within_0_and_1(interval: Interval) -> Interval:
    value, low, high = interval
    return Interval(value, min(max(low, 0.0), value), max(min(high, 1.0), value))


def _on_log_scale(interval: Interval) -> Interval:
    """Make an interval of the same width at its value for the logarithm of it, which is skewed."""
    value, low, _ = interval
    factor = math.exp((value - low) / value)
    return Interval(value, value / factor, value * factor)
