"""Scores against literal values of the literature, scipy, and counts by hand."""

import numpy as np
import pytest
from scipy import stats

from jaxnet.errors import DataError, UsageError
from jaxnet.evaluation import scores
from jaxnet.evaluation.scores import (
    best_cut,
    bootstrap,
    calibrate,
    difference,
    most_wrong,
    roc_curve,
    score,
    wilson,
)

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
PROBABILITIES = np.array([0.1, 0.2, 0.6, 0.4, 0.9, 0.8, 0.3, 0.7, 0.95, 0.45])


@pytest.mark.parametrize(
    ("hits", "m", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_newcombe(hits: int, m: int, low: float, high: float) -> None:
    found = wilson(hits, m)
    assert found.value == hits / m
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)
    assert np.isnan(wilson(0, 0)).all()


def test_scores_are_those_counted_by_hand() -> None:
    found = score(LABELS, PROBABILITIES)
    assert found.confusion.tolist() == [[3, 1], [2, 4]]
    assert found.accuracy == wilson(7, 10)
    assert found.precision == wilson(4, 5)
    assert found.recall == wilson(4, 6)
    assert found.balanced_accuracy.value == pytest.approx((3 / 4 + 4 / 6) / 2)
    assert found.roc_auc.value == pytest.approx(21 / 24)
    right = np.where(LABELS == 1, PROBABILITIES, 1 - PROBABILITIES)
    assert found.log_loss.value == pytest.approx(-np.log(right).mean())
    assert found.brier.value == pytest.approx(0.1505)
    strict = score(LABELS, PROBABILITIES, 0.7)
    assert strict.confusion.tolist() == [[4, 0], [3, 3]]
    assert strict.roc_auc == found.roc_auc


def test_the_area_under_the_curve_is_that_of_hanley_and_mcneil() -> None:
    # Radiology 143 (1982), table II: 58 normal and 51 abnormal pictures, rated from 1 to 5.
    normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
    labels = np.repeat([0, 1], [58, 51])
    ratings = np.concatenate([np.repeat(np.arange(1, 6), counts) for counts in (normal, abnormal)])
    found = score(labels, ratings / 5)
    assert found.roc_auc.value == pytest.approx(0.893, abs=5e-4)
    # Their standard error, 0.032, gives 0.83 to 0.96.
    assert found.roc_auc.low == pytest.approx(0.83, abs=0.01)
    assert found.roc_auc.high == pytest.approx(0.955, abs=0.01)
    false, true = roc_curve(labels, ratings / 5)
    assert np.trapezoid(true, false) == pytest.approx(found.roc_auc.value)
    np.testing.assert_allclose(true, np.cumsum((0, *abnormal[::-1])) / 51)
    np.testing.assert_allclose(false, np.cumsum((0, *normal[::-1])) / 58)


def test_bootstrap_intervals_agree_with_the_normal_ones() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 300)
    probabilities = rng.uniform(size=600)
    found = score(labels, probabilities)
    errors = (probabilities - labels) ** 2
    spread = np.sqrt((errors[:300].var() + errors[300:].var()) / 2 / 600)
    half = stats.norm.ppf(0.975) * spread
    assert found.brier.value == errors.mean()
    assert found.brier.low == pytest.approx(errors.mean() - half, abs=half / 10)
    assert found.brier.high == pytest.approx(errors.mean() + half, abs=half / 10)
    assert found.balanced_accuracy.value == pytest.approx(found.accuracy.value)
    assert found.balanced_accuracy.low == pytest.approx(found.accuracy.low, abs=0.01)
    assert score(labels, probabilities).brier == found.brier


def test_resamples_of_large_splits_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def mean(places: np.ndarray) -> np.ndarray:
        sizes.append(places.size)
        return PROBABILITIES[places].mean(axis=-1)

    whole = bootstrap(mean, LABELS)
    monkeypatch.setattr(scores, "NUMBERS_A_BATCH", 700)
    sizes.clear()
    assert bootstrap(mean, LABELS) == pytest.approx(whole, rel=0.05)
    assert max(sizes) == 700


def test_losses_from_logits_stay_finite() -> None:
    labels, probabilities = np.array([0, 1, 0, 1]), np.array([1.0, 1.0, 0.5, 0.5])
    assert score(labels, probabilities).log_loss.value == np.inf
    found = score(labels, probabilities, losses=np.array([40.0, 0.0, np.log(2), np.log(2)]))
    assert found.log_loss.value == pytest.approx((40 + 2 * np.log(2)) / 4)
    assert found.log_loss.high >= found.log_loss.value


def test_what_too_few_pictures_leave_undefined() -> None:
    only = score(np.ones(3, int), np.array([0.2, 0.6, 0.9]))
    assert np.isnan(only.roc_auc).all()
    assert np.isnan(only.balanced_accuracy).all()
    assert only.recall == wilson(2, 3)
    assert only.brier.low < only.brier.value < only.brier.high
    single = score(np.array([0, 1, 1]), np.array([0.1, 0.2, 0.3]))
    assert np.isnan(single.precision).all()
    assert single.roc_auc.value == 1
    assert np.isnan(single.roc_auc.low)


def test_calibration_counts_each_picture_once() -> None:
    bins = calibrate(np.array([0, 1, 1, 0, 1]), np.array([0, 0.1, 0.11, 0.95, 1]))
    assert [part.pictures for part in bins] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins[0].probability == pytest.approx(0.05)
    assert bins[0].share == wilson(1, 2)
    assert bins[1].share == wilson(1, 1)
    assert (bins[1].low, bins[1].high) == (0.1, 0.2)
    assert bins[9].probability == pytest.approx(0.975)
    assert np.isnan(bins[5].probability)


@pytest.mark.parametrize(
    ("labels", "values", "cut"),
    [
        ([0, 0, 1, 1], [1, 2, 3, 4], 2.5),
        ([0, 1, 0, 1, 1], [1, 2, 3, 4, 5], 1.5),
        ([0, 0, 0, 0, 1], [1, 2, 3, 3, 3], 3.0),
        ([1, 1, 0, 1], [1, 2, 3, 4], np.nextafter(1, 0)),
    ],
)
def test_the_best_cut(labels: list[int], values: list[float], cut: float) -> None:
    assert best_cut(np.array(labels), np.array(values)) == cut


def test_the_most_wrong_come_first() -> None:
    assert most_wrong(LABELS, PROBABILITIES, 0.5).tolist() == [6, 2, 9]
    assert most_wrong(LABELS, PROBABILITIES, 0.7).tolist() == [6, 9, 7]


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(DataError, match="labels have shape"):
        score(LABELS, PROBABILITIES[1:])
    with pytest.raises(DataError, match="probabilities run from"):
        score(LABELS, 2 * PROBABILITIES)
    with pytest.raises(DataError, match="0 and 1 only"):
        score(LABELS + 1, PROBABILITIES)
    with pytest.raises(UsageError, match="threshold is 2"):
        score(LABELS, PROBABILITIES, 2)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090)],
)
def test_intervals_of_a_difference_are_those_of_newcombe(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = difference(wilson(*first), wilson(*second))
    assert found == pytest.approx(
        (first[0] / first[1] - second[0] / second[1], low, high), abs=5e-5
    )


def test_resamples_that_are_all_alike_are_no_certainty() -> None:
    found = score(np.array([0, 0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.8, 0.9]))
    assert found.roc_auc.value == found.balanced_accuracy.value == 1
    assert np.isnan(found.roc_auc[1:]).all()
    assert np.isnan(found.balanced_accuracy[1:]).all()
    assert found.accuracy.low < 1
