"""The sign-flip test against SciPy's permutation test; Holm against closed testing."""

import itertools

import numpy as np
import pytest
from scipy import stats

from jaxnet.errors import DataError
from jaxnet.evaluation.sign_flips import EXACT_UP_TO, holm, sign_flip_test


def by_scipy(differences: np.ndarray) -> float:
    """All sign flips, by `scipy.stats.permutation_test`."""
    return stats.permutation_test(
        (differences,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=np.inf,
        vectorized=True,
    ).pvalue


@pytest.mark.parametrize("m", [2, 7, 10])
def test_few_units_give_the_exact_p_value(m: int) -> None:
    generator = np.random.default_rng(m)
    for _ in range(5):
        differences = generator.normal(size=m) + 0.4
        assert sign_flip_test(differences) == pytest.approx(by_scipy(differences), abs=1e-12)


def test_equal_differences_tie_in_spite_of_rounding() -> None:
    # The sums 0.1 + 0.2 − 0.3 and −(0.1 + 0.2 − 0.3) are both 0, rounded differently.
    differences = np.array([0.1, 0.2, -0.3])
    assert sign_flip_test(differences) == 5 / 8
    assert sign_flip_test(differences[::-1]) == 5 / 8
    assert sign_flip_test(np.ones(4)) == 1 / 16


def test_many_units_are_near_the_exact_p_value() -> None:
    differences = np.random.default_rng(3).normal(size=EXACT_UP_TO + 1) + 0.3
    exact = by_scipy(differences)
    assert 0.02 < exact < 0.5
    drawn = sign_flip_test(differences)
    assert abs(drawn - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)
    assert sign_flip_test(differences) == drawn  # the same seed
    assert sign_flip_test(differences, seed=1) != drawn


def test_a_drawn_p_value_is_never_zero() -> None:
    assert sign_flip_test(np.ones(100), draws=99) == 1 / 100


@pytest.mark.parametrize("differences", [np.zeros(5), np.array([]), np.zeros(500)])
def test_nothing_that_differs_has_a_p_value_of_1(differences: np.ndarray) -> None:
    assert sign_flip_test(differences) == 1


def test_pictures_that_belong_together_are_flipped_together() -> None:
    differences = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.7])
    units = np.array([4, 4, 4, 4, 9, 2])
    assert sign_flip_test(differences) == 1 / 64
    assert sign_flip_test(differences, units) == 1 / 8
    # A unit whose differences cancel counts for nothing.
    assert sign_flip_test(np.array([1.0, -1.0, 1.0]), np.array([0, 0, 1])) == 1 / 2


def test_sums_that_vary_more_than_their_units_are_widened() -> None:
    # Twice the sum of three of four ones and a minus one is as large as that of all.
    assert sign_flip_test(np.ones(4), widen=2.0) == 5 / 16
    differences = np.random.default_rng(0).normal(size=60) + 0.3
    assert sign_flip_test(differences, widen=1.5) > 2 * sign_flip_test(differences)


def test_worse_has_a_p_value_near_1() -> None:
    assert sign_flip_test(-np.ones(10)) == 1
    assert sign_flip_test(-np.ones(50)) == 1


def test_the_test_keeps_its_level() -> None:
    """Of differences without effect, a share of α has a p-value of at most α, or fewer."""
    generator = np.random.default_rng(5)
    p = np.array([sign_flip_test(generator.normal(size=8)) for _ in range(1000)])
    for level in (0.01, 0.05, 0.25):
        assert abs(np.mean(p <= level) - level) < 4 * np.sqrt(level / 1000)


def test_what_is_not_finite_or_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        sign_flip_test(np.array([0.0, np.nan]))
    with pytest.raises(DataError, match=r"shape \(2, 2\)"):
        sign_flip_test(np.zeros((2, 2)))
    with pytest.raises(DataError, match=r"units have shape \(3,\)"):
        sign_flip_test(np.zeros(2), np.zeros(3))


def test_holm_is_the_closed_test_of_bonferroni() -> None:
    generator = np.random.default_rng(0)
    for n in (1, 2, 5):
        p = np.round(generator.random(n) ** 3, 2)  # with ties
        subsets = [
            list(some) for k in range(1, n + 1) for some in itertools.combinations(range(n), k)
        ]
        closed = [max(min(1, len(s) * p[s].min()) for s in subsets if i in s) for i in range(n)]
        np.testing.assert_allclose(holm(p), closed, atol=1e-15)
    assert holm(np.array([])).shape == (0,)
