"""Which lever is better beyond chance: scores, intervals and tests of held-out predictions.

Two things mislead here, and the rule is made against both.

*Accuracy rewards answering always the same.* So everything is measured by the balanced accuracy, of
which every constant answer has ½: a picture counts m / (2 × the size of its class).

*Cross-validated answers depend on each other.* Of two similar pictures each is predicted by
networks that learned the label of the other, so their answers are right or wrong together. On
labels without signal the balanced accuracy of the article's setting has up to 1.5 times the
standard deviation that independent pictures would give it. A test that ignores this finds levers in
noise, all the more as it tries many. Where a score is compared with ½, what is expected by chance
is therefore widened by √(1 + k / (k − 1)), for k folds: the correction of Nadeau & Bengio (2003,
Mach. Learn. 52, 239-281) for training sets that overlap. So are the intervals. The levers are
compared on the same folds, picture by picture, where most of what they have in common cancels.
"""

import math
from typing import NamedTuple

import numpy as np

from jaxnet.display import shown
from jaxnet.evaluation.baselines import SIGNIFICANT
from jaxnet.evaluation.improvement.held_out import HeldOut
from jaxnet.evaluation.improvement.levers import Lever
from jaxnet.evaluation.scores import CONFIDENCE, Interval
from jaxnet.evaluation.sign_flips import ROUNDING, holm, sign_flip_test
from jaxnet.evaluation.significance import t_quantile

# A probability below this counts as this, so that a wrong answer has a finite loss.
LEAST = float(np.finfo(np.float32).eps)


class Measured(NamedTuple):
    """A lever with its scores on held-out pictures.

    Attributes:
        lever: The setting.
        networks: How many were trained.
        failed: How many of them failed.
        balanced_accuracy: The mean over repeats and seeds.
        log_loss: The mean cross-entropy of all pictures, likewise; NaN if a number is not finite.
        p_constant: The p-value of a balanced accuracy above ½, which every constant answer has.
        difference: In balanced accuracy, to the setting as it is.
        p: The p-value of a difference above 0, by sign flips.
        p_holm: The same, adjusted for all levers that were tried.
        recommended: Whether it is better than the setting as it is, and than any constant answer.
    """

    lever: Lever
    networks: int
    failed: int
    balanced_accuracy: Interval
    log_loss: float
    p_constant: float
    difference: Interval
    p: float
    p_holm: float
    recommended: bool


@shown
class Improvement(NamedTuple):
    """What each lever changes, on the same folds.

    Attributes:
        base: The setting as it is; its difference is 0, and the p-values of this are 1.
        levers: The levers that were tried.
        pictures: How many pictures were divided into folds.
        units: How many of them are independent: pictures of one group, and duplicates, are one.
        folds: Into how many folds.
        repeats: How often.
        seeds: How many networks of each setting were trained for each fold.
    """

    base: Measured
    levers: tuple[Measured, ...]
    pictures: int
    units: int
    folds: int
    repeats: int
    seeds: int

    @property
    def best(self) -> Measured | None:
        """Of the recommended levers the one with the largest difference, or None."""
        recommended = [measured for measured in self.levers if measured.recommended]
        return max(recommended, key=lambda m: m.difference.value, default=None)


class _Scored(NamedTuple):
    """How often each picture is predicted correctly, (m,), and the mean of its losses, (m,)."""

    correct: np.ndarray
    losses: np.ndarray


def judge_levers(
    levers: tuple[Lever, ...],
    held_out: list[HeldOut],
    labels: np.ndarray,
    units: np.ndarray,
    folds: int,
) -> Improvement:
    """Score the levers, the first of which is the setting as it is, and test the others.

    A lever is recommended if it is shown to be better than two things:

    - The setting as it is. For each picture, how often it is predicted correctly is averaged over
      repeats and seeds. The differences, weighted by class, have a mean above 0 by the one-sided
      `sign_flip_test` of the units: p, adjusted by Holm for all levers, is at most 0.05. And the
      interval of their mean, which is wider than the test, is above 0.
    - Any constant answer. Its balanced accuracy is above ½ by the same test, at most 0.05, with the
      flipped sums widened for the dependence of the folds.

    Args:
        levers: The settings.
        held_out: What their networks say of held-out pictures.
        labels: (m,) of 0 and 1.
        units: The number of each picture's unit, (m,).
        folds: How many there are.
    """
    widen, m = math.sqrt(1 + folds / (folds - 1)), len(labels)
    weights = m / 2 / np.where(labels == 1, labels.sum(), m - labels.sum())
    scored = [
        _score(lever, answers, labels) for lever, answers in zip(levers, held_out, strict=True)
    ]
    gains = [weights * (own.correct - scored[0].correct) for own in scored]
    p = np.array([sign_flip_test(gain, units) for gain in gains[1:]])
    adjusted = holm(p)
    measured = []
    for i, (lever, answers, own) in enumerate(zip(levers, held_out, scored, strict=True)):
        above = weights * (own.correct - 0.5)
        p_constant = sign_flip_test(above, units, widen=widen)
        share = _interval(weights * own.correct, labels, units, widen)
        gain = _interval(gains[i], labels, units, widen)
        p_own, p_holm = (float(p[i - 1]), float(adjusted[i - 1])) if i else (1.0, 1.0)
        measured.append(
            Measured(
                lever,
                answers.networks,
                answers.failed,
                Interval(*(float(np.clip(end, 0, 1)) for end in share)),
                float(own.losses.mean()),
                p_constant,
                gain,
                p_own,
                p_holm,
                p_holm <= SIGNIFICANT and p_constant <= SIGNIFICANT and not gain.low <= 0,
            )
        )
    repeats, seeds, _ = held_out[0].probabilities.shape
    count = len(np.unique(units))
    return Improvement(measured[0], tuple(measured[1:]), m, count, folds, repeats, seeds)


def _score(lever: Lever, answers: HeldOut, labels: np.ndarray) -> _Scored:
    probabilities = answers.probabilities
    if lever.ensemble:
        probabilities = probabilities.mean(axis=1, keepdims=True)
    # A network whose numbers are not finite has no answer, so it is not right.
    right = ((probabilities > 0.5) == labels) & np.isfinite(probabilities)
    of_label = np.where(labels == 1, probabilities, 1 - probabilities)
    return _Scored(right.mean(axis=(0, 1)), -np.log(np.maximum(of_label, LEAST)).mean(axis=(0, 1)))


def _interval(values: np.ndarray, labels: np.ndarray, units: np.ndarray, widen: float) -> Interval:
    """Compute the mean of weighted values (m,) and its t interval, from the spread of the units.

    The ends are NaN where nothing spreads: an interval of width 0 would suggest certainty.
    """
    mean = np.array([values[labels == label].mean() for label in (0, 1)])
    spread = np.bincount(np.unique(units, return_inverse=True)[1], values - mean[labels])
    count, value = len(spread), float(values.mean())
    if count < 3 or np.abs(spread).max() < ROUNDING * len(values):
        return Interval(value, np.nan, np.nan)
    error = math.sqrt(count / (count - 1) * (spread**2).sum()) / len(values)
    half = widen * error * t_quantile((1 + CONFIDENCE) / 2, count - 2)
    return Interval(value, value - half, value + half)
