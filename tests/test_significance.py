"""Quantiles and p-values against scipy.stats, to twelve digits."""

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from jaxnet.evaluation import scores
from jaxnet.evaluation.significance import (
    binomial_test,
    fisher_test,
    mann_whitney,
    normal_quantile,
    ranks,
)


def exactly(value: float) -> Any:
    return pytest.approx(value, rel=1e-12, abs=0)


@pytest.mark.parametrize("p", [0.005, 0.5, 0.9, 0.975, 0.995])
def test_the_quantile(p: float) -> None:
    assert normal_quantile(p) == exactly(stats.norm.ppf(p))


@pytest.mark.parametrize("m", [1, 2, 3, 10, 51, 209, 1000])
def test_the_binomial_test_and_the_interval_of_wilson(m: int) -> None:
    for hits in range(0, m + 1, max(1, m // 50)):
        test = stats.binomtest(hits, m)
        ends = test.proportion_ci(scores.CONFIDENCE, method="wilson")
        found = scores.wilson(hits, m)
        assert binomial_test(hits, m) == exactly(test.pvalue)
        # An end near 0 or 1 is a difference, which keeps fewer digits in either program.
        assert found.low == pytest.approx(ends.low, rel=0, abs=1e-14)
        assert found.high == pytest.approx(ends.high, rel=0, abs=1e-14)
    assert scores.wilson(0, m).low == 0
    assert scores.wilson(m, m).high == 1


def test_the_test_of_fisher() -> None:
    draw = np.random.default_rng(0).integers
    tables = [draw(0, draw(1, 300), (2, 2)).tolist() for _ in range(200)]
    tables += [
        [[0, 0], [3, 4]],
        [[5, 0], [3, 0]],
        [[137, 72], [17, 33]],
        [[9000, 8000], [2400, 2000]],
    ]
    for table in tables:
        assert fisher_test(table) == exactly(stats.fisher_exact(table).pvalue)


@pytest.mark.parametrize("digits", [0, 1, 9])
def test_the_test_of_mann_and_whitney(digits: int) -> None:
    draw = np.random.default_rng(0).normal
    for n, k in itertools.product((1, 5, 8, 9, 137), (2, 8, 9, 72)):
        first, second = draw(0, 1, n).round(digits), draw(0.5, 1, k).round(digits)
        expected = stats.mannwhitneyu(first, second).pvalue
        assert mann_whitney(first, second) == exactly(expected)
    assert mann_whitney(np.ones(9), np.ones(12)) == 1


def test_equal_values_share_their_rank() -> None:
    values = np.random.default_rng(0).integers(0, 9, (4, 5, 20)).astype(float)
    np.testing.assert_array_equal(ranks(values), stats.rankdata(values, axis=-1))
    np.testing.assert_array_equal(ranks(values[0, 0]), stats.rankdata(values[0, 0]))


@pytest.mark.parametrize("batch", [700, 2_000_000])
def test_the_bootstrap(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "NUMBERS_A_BATCH", batch)
    draw = np.random.default_rng(1)
    labels, values = draw.integers(0, 2, 30), draw.normal(size=30)
    ends = stats.bootstrap(
        [np.flatnonzero(labels == label) for label in (1, 0)],
        lambda *drawn, axis: values[np.concatenate(drawn, axis=-1)].mean(axis=-1),
        n_resamples=scores.RESAMPLES,
        batch=max(1, batch // labels.size),
        vectorized=True,
        confidence_level=scores.CONFIDENCE,
        method="percentile",
        random_state=np.random.default_rng(0),
    ).confidence_interval
    found = scores.bootstrap(lambda places: values[places].mean(axis=-1), labels)
    assert found.low == exactly(ends.low)
    assert found.high == exactly(ends.high)
