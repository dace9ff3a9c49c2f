"""Forecasts of learning curves whose truth is known: drawn data, and a learner in closed form.

The learner predicts the class with the nearer mean. It takes the place of the networks, so that
hundreds of data sets are measured in seconds; `docs/learning-curve.md` has networks.
"""

import numpy as np
import pytest

from jaxnet.data.hold_out import draw_held_out
from jaxnet.errors import UsageError
from jaxnet.evaluation.forecast import Forecast, _Law, forecast, measure
from jaxnet.many.learning_curve import LearningCurve

SUBSETS = 32

Drawn = tuple[np.ndarray, np.ndarray]


def draw(m: int, signal: float, flipped: float, seed: int, d: int = 60) -> Drawn:
    """Draw X (m, d) whose class means are `signal` apart in every feature, and noisy labels."""
    generator = np.random.default_rng([seed, 31])
    truth = generator.permutation(np.arange(m) % 2)
    X = generator.normal(size=(m, d)) + signal * (truth[:, None] - 0.5)
    return X, np.where(generator.random(m) < flipped, 1 - truth, truth)


def learn(X: np.ndarray, labels: np.ndarray, trained_on: np.ndarray) -> np.ndarray:
    """Return which class (m,) has the nearer mean."""
    means = [X[trained_on & (labels == label)].mean(axis=0) for label in (0, 1)]
    middle, direction = (means[0] + means[1]) / 2, means[1] - means[0]
    return ((X - middle) @ direction > 0).astype(int)


def curve_of(data: Drawn, seed: int = 0) -> LearningCurve:
    X, labels = data
    m = len(labels)
    sizes = np.geomspace(10, 0.8 * m, 8).round().astype(int)
    drawn = np.array(
        [
            [draw_held_out(labels, (seed, size, r), None, size / m) for r in range(SUBSETS)]
            for size in sizes.tolist()
        ]
    )
    correct = [[learn(X, labels, row) == labels for row in rows] for rows in drawn]
    shape = (8, SUBSETS, 1, m)
    outcomes = np.full(shape[:-1], "learning")
    mean = drawn.sum(axis=2).mean(axis=1)
    return LearningCurve(mean, np.reshape(correct, shape), ~drawn, outcomes, labels, np.arange(m))


def true_score(n: int, signal: float, flipped: float) -> float:
    """The mean balanced accuracy of learners of n pictures, on 4,000 others."""
    scores = []
    for seed in range(40):
        X, labels = draw(n + 4000, signal, flipped, 10_000 + seed)
        kept = draw_held_out(labels, seed, None, n / len(labels))
        right = learn(X, labels, kept) == labels
        scores += [np.mean([right[~kept & (labels == k)].mean() for k in (0, 1)])]
    return float(np.mean(scores))


def forecasts(m: int, signal: float, flipped: float, sets: int = 40) -> list[Forecast]:
    return [forecast(curve_of(draw(m, signal, flipped, seed), seed)) for seed in range(sets)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("m", "signal", "flipped"),
    [(100, 0.3, 0.0), (100, 0.5, 0.0), (100, 0.5, 0.15), (200, 0.2, 0.0), (100, 0.0, 0.0)],
)
def test_nine_of_ten_bands_hold_the_truth_at_four_times_the_pictures(
    m: int, signal: float, flipped: float
) -> None:
    truth = 0.5 if signal == 0 else true_score(4 * m, signal, flipped)
    results = forecasts(m, signal, flipped)
    covered = sum(result.then.low <= truth <= result.then.high for result in results)
    assert covered >= 32, (covered, truth, [result.then for result in results])


@pytest.mark.slow
@pytest.mark.parametrize(("signal", "flipped"), [(0.0, 0.0), (3.0, 0.2)])
def test_flat_data_are_called_flat(signal: float, flipped: float) -> None:
    """Data without signal, and data whose curve is saturated from the smallest size on.

    Of the former, some are too noisy to tell: 15 of 20 are called flat, of the latter all.
    """
    verdicts = [result.verdict for result in forecasts(300, signal, flipped, sets=20)]
    assert verdicts.count("flat") >= (14 if signal == 0 else 20)
    assert "rises" not in verdicts


def test_a_rising_and_a_flat_curve() -> None:
    rising = forecast(curve_of(draw(160, 0.3, 0.0, 3)), 300)
    assert rising.verdict == "rises"
    assert (rising.pictures, rising.asked, rising.learning) == (160, 300, 1.0)
    assert rising.now.low < rising.now.value < rising.then.value < rising.then.high
    assert rising.gain.low > 0
    assert rising.band.shape == (3, len(rising.band_sizes))
    assert (np.diff(rising.band, axis=0) >= 0).all()
    assert rising.band_sizes[-1] == pytest.approx(640)
    saturated = forecast(curve_of(draw(300, 3.0, 0.2, 0)))
    assert saturated.verdict == "flat"
    assert saturated.now.low < 0.8 < saturated.now.high
    assert saturated.flat > 0.9


def test_few_pictures_cannot_tell() -> None:
    result = forecast(curve_of(draw(40, 0.3, 0.0, 1)))
    assert result.verdict == "unclear"


def test_the_score_is_the_mean_over_the_pictures_of_each_class() -> None:
    curve = curve_of(draw(60, 0.4, 0.0, 2))
    scores, covariance = measure(curve)
    by_class = []
    for label in (0, 1):
        rates = []
        for i in np.flatnonzero(curve.labels == label):
            out = curve.held_out[3, :, i]
            if out.any():
                rates.append(curve.correct[3, out, 0, i].mean())
        by_class.append(np.mean(rates))
    assert scores[3] == pytest.approx(np.mean(by_class), rel=1e-12)
    assert np.linalg.eigvalsh(covariance).min() > 0


def curve_by_hand(correct: np.ndarray) -> LearningCurve:
    """Make a curve of the sizes 10, 20 and 30 of 60 pictures, whose subsets predict all of them."""
    shape = np.broadcast_shapes(correct.shape, (3, 4, 1, 60))
    held_out, outcomes = np.ones((3, 4, 60), bool), np.full((3, 4, 1), "learning")
    labels = np.repeat([0, 1], [20, 40])
    right = np.broadcast_to(correct, shape).astype(bool)
    sizes = np.array([10.0, 20.0, 30.0])
    return LearningCurve(sizes, right, held_out, outcomes, labels, np.arange(60))


def test_subsets_that_differ_shift_the_whole_curve() -> None:
    """A subset predicts all pictures or none: nothing is due to the pictures that are tested."""
    right = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0]])
    scores, covariance = measure(curve_by_hand(right[:, :, None, None]))
    np.testing.assert_allclose(scores, [0.5, 0.25, 0.75], rtol=1e-12)
    variances = np.array([1 / 3, 1 / 4, 1 / 4])  # between subsets
    shift = np.sqrt(np.array([10, 20, 30]) / 60 * variances)
    expected = np.outer(shift, shift) + np.diag(variances / 4)
    np.testing.assert_allclose(covariance, expected, rtol=1e-12)


def test_the_pictures_that_are_tested_are_a_sample() -> None:
    """All subsets predict the same 15 of 20 and 30 of 40 pictures."""
    right = np.repeat([1, 0, 1, 0], [15, 5, 30, 10])
    scores, covariance = measure(curve_by_hand(right[None, None, None]))
    np.testing.assert_allclose(scores, 0.75, rtol=1e-12)
    variance = 0.75 * 0.25 * (1 / 20 + 1 / 40) / 4 * 60 / 59
    np.testing.assert_allclose(covariance, np.full((3, 3), variance), rtol=1e-12)


def test_the_law_begins_with_guessing_and_is_a_power_law_in_the_end() -> None:
    a, onset, c = 0.1, 20.0, 0.7
    law = _Law(*(np.array([value]) for value in (a, onset, c, 1.0)))
    assert law.scores(0) == pytest.approx(0.5, rel=1e-12)
    b = 0.4 * onset**c
    for n in (1, 30, 1e6):
        assert law.scores(n) == pytest.approx(1 - a - b * (n + onset) ** -c, rel=1e-12)


def test_a_curve_without_any_variance_is_not_taken_as_exact() -> None:
    result = forecast(curve_by_hand(np.ones((1, 1, 1, 1))))
    assert result.verdict == "flat"
    assert 0.95 < result.now.low < result.now.value - 1e-4


def test_pictures_that_belong_together_count_as_one() -> None:
    """Every picture four times: the variance is that of a quarter of the pictures."""
    curve = curve_of(draw(60, 0.4, 0.0, 2))
    four = curve._replace(
        correct=np.tile(curve.correct, 4),
        held_out=np.tile(curve.held_out, 4),
        labels=np.tile(curve.labels, 4),
        groups=np.tile(curve.groups, 4),
    )
    alone = four._replace(groups=np.arange(240))
    once, copied, apart = (np.diag(measure(each)[1]) for each in (curve, four, alone))
    assert (apart < copied).all()
    drawn = curve.correct.shape[1]
    assert np.isfinite(once).all()
    assert drawn == SUBSETS


@pytest.mark.parametrize(
    ("pictures", "found"),
    [(241, "pictures is 241, more than 4 times the 60"), (9, "pictures is 9")],
)
def test_a_forecast_reaches_four_times_the_pictures(pictures: int, found: str) -> None:
    with pytest.raises(UsageError, match=found):
        forecast(curve_of(draw(60, 0.4, 0.0, 2)), pictures)
    with pytest.raises(UsageError, match="curve is of type int"):
        forecast(3)  # type: ignore[arg-type]
