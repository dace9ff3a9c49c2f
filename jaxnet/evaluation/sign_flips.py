"""A paired test by sign flips: is the mean of differences larger than 0?

Fisher (1935, The Design of Experiments, section 21): if a change does nothing, the difference of a
unit could as well have had the other sign. The sum of the differences is compared with the sums
after flipping the signs of units at random. Units are what is independent: a picture, or a group of
pictures that belong together, whose differences are flipped together.

The test is one-sided, since only a change for the better is ever recommended: a change that makes
things worse has a p-value near 1. What is not symmetric in each unit but has the mean 0 is covered
approximately, as by a t test: the flipped sums have the variance Σ d², at least that of the sum.
"""

import itertools
import math

import numpy as np

from jaxnet.errors import DataError, require_integer, require_number

# Up to so many units that differ, all sums are computed; of more, so many are drawn.
EXACT_UP_TO = 14
DRAWS = 20_000

# The number of signs that are drawn in one batch, which bounds the memory.
SIGNS_A_BATCH = 4_000_000

# Sums that are equal but for rounding count as equal, relative to Σ |d|.
ROUNDING = 1e-9


def sign_flip_test(
    differences: np.ndarray,
    units: np.ndarray | None = None,
    *,
    widen: float = 1.0,
    draws: int = DRAWS,
    seed: int = 0,
) -> float:
    """Compute the p-value of a mean above 0: the share of sign flips with a sum as large.

    Args:
        differences: (m,), one of each picture, with its weight.
        units: (m,), numbers of the units; by default each picture is one. The differences of a unit
            are added, and flipped together.
        widen: By how much the flipped sums are multiplied, where the units are not quite
            independent, so that the sum varies more than they do.
        draws: How many sign flips are drawn, if more than `EXACT_UP_TO` units differ. The flip that
            was observed is one more, so that p is never 0, and the test is valid for any number
            (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9, 39).
        seed: The seed of the draws.

    Returns:
        From 2⁻ⁿ, or 1 / (draws + 1), to 1; 1 if no unit differs.

    Raises:
        DataError: If a difference is not finite, or the shapes do not fit.
        UsageError: If `draws` is no positive integer.
    """
    require_integer("draws", draws, 1)
    require_number("widen", widen, 1, math.inf)
    sums = _unit_sums(differences, units)
    scale = np.abs(sums).sum()
    sums = sums[np.abs(sums) > ROUNDING * scale]
    if not len(sums):
        return 1.0
    least = sums.sum() / widen - ROUNDING * scale
    if len(sums) <= EXACT_UP_TO:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(sums))))
        return float(np.mean(signs @ sums >= least))
    generator, as_large = np.random.default_rng(seed), 0
    batch = max(1, SIGNS_A_BATCH // len(sums))
    for done in range(0, draws, batch):
        kept = generator.integers(0, 2, (min(batch, draws - done), len(sums)), np.int8)
        as_large += int((2 * (kept @ sums) - sums.sum() >= least).sum())
    return (1 + as_large) / (draws + 1)


def _unit_sums(differences: np.ndarray, units: np.ndarray | None) -> np.ndarray:
    """Add the differences (m,) of each unit."""
    differences = np.asarray(differences, float)
    if differences.ndim != 1 or not np.isfinite(differences).all():
        raise DataError(
            f"the differences have shape {differences.shape}"
            + ("" if differences.ndim != 1 else ", and some are not finite"),
            "one finite number for each picture, shape (m,)",
            "give the differences of pictures that both networks predict",
        )
    if units is None:
        return differences
    if np.shape(units) != differences.shape:
        raise DataError(
            f"the units have shape {np.shape(units)}, the differences {differences.shape}",
            "the number of a unit for each difference",
            "give each picture its unit, or none at all: units=None",
        )
    return np.bincount(np.unique(units, return_inverse=True)[1], weights=differences)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p-values (n,) for all n tests at once (Holm 1979, Scand. J. Stat. 6, 65-70).

    Of true null hypotheses, whatever depends on whatever, one with an adjusted p-value of at most α
    occurs with a probability of at most α, if each p-value is valid.
    """
    p_values = np.asarray(p_values, float)
    order = np.argsort(p_values, kind="stable")
    adjusted = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    result = np.empty_like(p_values)
    result[order] = np.minimum(adjusted, 1)
    return result
