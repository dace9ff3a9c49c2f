"""Scores of a cross-validation against scikit-learn's, the interval, and the nested choice."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from jaxnet.errors import UsageError
from jaxnet.evaluation.cross_validation import (
    corrected_t,
    fold_scores,
    score_cross_validation,
)
from jaxnet.evaluation.scores import wilson
from jaxnet.many.fold_draws import draw_folds
from jaxnet.many.folds import CrossValidation
from jaxnet.settings import Settings, vary

M, REPEATS, FOLDS, SEEDS = 30, 2, 3, 2


def make_result(settings: int = 3, **changes: Any) -> CrossValidation:
    """Probabilities by chance, those of the later settings better."""
    draw = np.random.default_rng(8)
    labels = (np.arange(M) % 3 == 0).astype(int)
    folds = draw_folds(labels, FOLDS, REPEATS)
    signal = np.arange(settings)[:, None, None, None] * 0.15 * (2 * labels - 1)
    A2 = np.clip(draw.uniform(0.05, 0.95, (settings, REPEATS, SEEDS, M)) + signal, 0, 1)
    shape = (settings, REPEATS, FOLDS, SEEDS)
    inner = np.clip(draw.uniform(0.05, 0.95, (*shape, M)) + signal[:, :, None], 0, 1)
    own = folds[:, None] == np.arange(FOLDS)[:, None]  # (repeats, folds, m)
    inner = np.where(own[None, :, :, None], np.nan, inner)
    result = CrossValidation(
        vary(learning_rate=0.001 * np.arange(1, settings + 1)),
        labels, folds, A2, np.full(shape, "learning", dtype="U10"), np.full(shape, -1), inner,
    )  # fmt: skip
    return result._replace(**changes)


def test_scores_of_folds_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    result = make_result()
    scores = fold_scores(result)
    for s, r, k in np.ndindex(3, REPEATS, FOLDS):
        own = result.folds[r] == k
        y = result.labels[own]
        expected = []
        for A2 in result.probabilities[s, r][:, own]:
            expected.append(
                (
                    metrics.accuracy_score(y, A2 > 0.5),
                    metrics.balanced_accuracy_score(y, A2 > 0.5),
                    metrics.log_loss(y, A2),
                )
            )
        ours = [scores[name][s, r, k] for name in ("accuracy", "balanced_accuracy", "log_loss")]
        np.testing.assert_allclose(ours, np.mean(expected, axis=0), rtol=1e-12)


def test_the_interval_is_the_corrected_resampled_t() -> None:
    scores = np.array([[0.7, 0.9, 0.8], [0.6, 0.8, 1.0]])
    mean, low, high = corrected_t(scores)
    assert mean == pytest.approx(0.8)
    half = stats.t.ppf(0.975, 5) * math.sqrt((1 / 6 + 1 / 2) * 0.02)
    assert (low, high) == pytest.approx((0.8 - half, 0.8 + half))


def test_of_the_log_loss_the_interval_is_that_of_its_logarithm() -> None:
    loss = score_cross_validation(make_result()).settings[0].scores.log_loss
    assert loss.low > 0
    assert loss.high / loss.value == pytest.approx(loss.value / loss.low)
    half = corrected_t(fold_scores(make_result())["log_loss"][0]).high - loss.value
    assert half > 0.01
    assert math.log(loss.high / loss.value) == pytest.approx(half / loss.value, rel=0.5)


def test_where_all_is_right_the_interval_is_wilsons() -> None:
    result = make_result(1)
    right = np.broadcast_to(np.where(result.labels == 1, 0.9, 0.1), result.probabilities.shape)
    scores = score_cross_validation(result._replace(probabilities=right, inner=None)).settings[0]
    assert scores.scores.accuracy == pytest.approx(wilson(M, M))
    assert scores.scores.balanced_accuracy == scores.scores.accuracy


def test_the_share_of_the_classes_widens_the_interval() -> None:
    """Always the more frequent class: every fold scores about 2/3."""
    result = make_result(1)
    result = result._replace(probabilities=np.full_like(result.probabilities, 0.2), inner=None)
    scores = score_cross_validation(result).settings[0].scores
    assert scores.accuracy.value == pytest.approx(2 / 3)
    # What the share of the classes would be among other pictures.
    by_fold = fold_scores(result)["accuracy"]
    variance = (1 / 6 + 1 / 2) * by_fold.var(ddof=1) + 2 / 9 / M
    half = stats.t.ppf(0.975, 5) * math.sqrt(variance)
    assert scores.accuracy.low == pytest.approx(2 / 3 - half)
    assert scores.accuracy.high == pytest.approx(2 / 3 + half)
    assert scores.balanced_accuracy.value == 0.5
    assert scores.log_loss.low < scores.log_loss.value < scores.log_loss.high
    assert score_cross_validation(result).class_rate == pytest.approx(2 / 3)


@pytest.mark.parametrize("by", ["accuracy", "balanced_accuracy", "log_loss"])
def test_the_setting_of_a_fold_is_chosen_without_it(by: str) -> None:
    result = make_result()
    assert result.inner is not None
    scored = score_cross_validation(result, by)
    assert scored.nested is not None
    sign = -1 if by == "log_loss" else 1
    own, counts = [], [0, 0, 0]
    for r, k in np.ndindex(REPEATS, FOLDS):
        others = [other for other in range(FOLDS) if other != k]
        means = []
        for s in range(3):
            # The networks without fold k as if they were those of a cross-validation.
            inner = result.inner[s : s + 1, r : r + 1, k]
            alone = result._replace(
                probabilities=np.where(np.isnan(inner), 0.5, inner),
                folds=result.folds[r : r + 1],
                outcomes=result.outcomes[s : s + 1, r : r + 1],
            )
            means.append(fold_scores(alone)[by][0, 0, others].mean())
        best = int(np.argmax(sign * np.array(means)))
        counts[best] += 1
        own.append(fold_scores(result)[by][best, r, k])
    assert scored.nested.chosen.tolist() == counts
    assert getattr(scored.nested.scores, by).value == pytest.approx(np.mean(own))
    plain = [getattr(one.scores, by).value for one in scored.settings]
    assert scored.best == int(np.argmax(sign * np.array(plain)))
    assert scored.nested.flattered == pytest.approx(plain[scored.best])
    assert scored.nested.difference == pytest.approx(sign * (plain[scored.best] - np.mean(own)))


def test_of_equal_settings_the_first_is_chosen_without_flattery() -> None:
    result = make_result(1)
    twice = result._replace(
        settings=result.settings * 2,
        **{name: np.repeat(getattr(result, name), 2, axis=0)
           for name in ("probabilities", "outcomes", "best_iterations", "inner")},
    )  # fmt: skip
    scored = score_cross_validation(twice)
    assert scored.best == 0
    assert scored.nested is not None
    assert scored.nested.chosen.tolist() == [REPEATS * FOLDS, 0]
    assert scored.nested.difference == pytest.approx(0, abs=1e-12)


def test_a_setting_whose_numbers_are_not_finite_is_never_chosen() -> None:
    result = make_result()
    assert result.inner is not None
    result.outcomes[2, 0, 1, 0] = "not finite"
    result.probabilities[2, 0, 0, result.folds[0] == 1] = np.nan
    result.inner[2] = np.nan
    scored = score_cross_validation(result)
    assert np.isnan(scored.settings[2].scores.accuracy.value)
    assert scored.settings[2].outcomes == {"learning": 11, "not finite": 1}
    assert scored.failed == 1
    assert scored.best != 2
    assert scored.nested is not None
    assert scored.nested.chosen[2] == 0
    assert np.isfinite(scored.nested.scores.accuracy.value)
    none = result._replace(probabilities=np.full_like(result.probabilities, np.nan))
    assert score_cross_validation(none).best is None
    assert score_cross_validation(none).nested is None


def test_updates_of_settings_that_stop_early() -> None:
    result = make_result(2)
    settings = (Settings(patience=3), Settings())
    result.best_iterations[0] = np.arange(12).reshape(2, 3, 2)
    result.best_iterations[0, 0, 0, 0] = -1  # never finite
    scored = score_cross_validation(result._replace(settings=settings))
    assert [one.updates for one in scored.settings] == [6, None]


def test_an_unknown_score() -> None:
    with pytest.raises(UsageError, match='by is "recall"'):
        score_cross_validation(make_result(), "recall")
