"""Quantiles and p-values by special functions, since importing `scipy.stats` is slow.

Each agrees with its function there to twelve digits (`tests/test_significance.py`).
"""

import math

import numpy as np
from scipy import special

# Up to this size of the smaller sample, and without ties, `mann_whitney` is exact.
EXACT_UP_TO = 8


def normal_quantile(p: float) -> float:
    """Compute the number that a standard normal variable is below with probability `p`."""
    return float(special.ndtri(p))


def t_quantile(p: float, degrees: float) -> float:
    """Compute the number that a variable of Student's t is below with probability `p`."""
    return float(special.stdtrit(degrees, p))


def binomial_test(hits: int, m: int) -> float:
    """Compute the two-sided p-value of `hits` out of `m`, if each is a hit with probability ½."""
    fewer = min(hits, m - hits)
    if 2 * fewer == m:
        return 1.0
    # The regularised incomplete beta function is the binomial distribution function.
    return min(1.0, 2 * float(special.betainc(m - fewer, fewer + 1, 0.5)))


def fisher_test(counts: list[list[int]]) -> float:
    """Compute the two-sided p-value of a table of 2 × 2 counts (Fisher 1922, JRSS 85, 87-94).

    It is the probability of all tables with the same margins that are not more probable.
    """
    (a, b), (c, d) = counts
    row, column, others = a + b, a + c, b + d
    k = np.arange(max(0, row - others), min(row, column) + 1)  # every possible value of a
    ratios = (row - k[:-1]) * (column - k[:-1]) / ((k[:-1] + 1) * (others - row + k[:-1] + 1))
    logs = np.append(0.0, np.cumsum(np.log(ratios)))
    weights = np.exp(logs - logs.max())
    # The tolerance counts equally probable tables in, in spite of rounding.
    unlikely = weights <= weights[a - k[0]] * (1 + 1e-7)
    return float(weights[unlikely].sum() / weights.sum())


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank the values along the last axis from 1; equal ones share the mean of their ranks."""
    return (_least_ranks(values) + values.shape[-1] + 1 - _least_ranks(-values)) / 2


def _least_ranks(values: np.ndarray) -> np.ndarray:
    """Rank the values along the last axis from 1; equal ones share the least of their ranks."""
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    places = np.arange(1, values.shape[-1] + 1)
    places = np.broadcast_to(places, values.shape).copy()
    places[..., 1:][ordered[..., 1:] == ordered[..., :-1]] = 1
    least = np.empty_like(places)
    np.put_along_axis(least, order, np.maximum.accumulate(places, axis=-1), axis=-1)
    return least


def mann_whitney(first: np.ndarray, second: np.ndarray) -> float:
    """Compute the two-sided p-value of a difference in location of two samples.

    Mann & Whitney (1947, Ann. Math. Stat. 18, 50-60): by the normal approximation with corrections
    for ties and continuity; exactly for a sample of at most `EXACT_UP_TO` without ties.
    """
    n, k = len(first), len(second)
    pooled = np.concatenate([first, second])
    times = np.unique(pooled, return_counts=True)[1].astype(float)  # whose cubes may be large
    if min(n, k) <= EXACT_UP_TO and times.max() == 1:
        from scipy import stats  # which has the exact distribution

        return float(stats.mannwhitneyu(first, second, method="exact").pvalue)
    U = ranks(pooled)[:n].sum() - n * (n + 1) / 2
    m = n + k
    variance = n * k / 12 * (m + 1 - (times**3 - times).sum() / (m * (m - 1)))
    if variance == 0:  # all values are equal
        return 1.0
    z = (max(U, n * k - U) - n * k / 2 - 0.5) / math.sqrt(variance)
    return min(1.0, 2 * float(special.ndtr(-z)))
