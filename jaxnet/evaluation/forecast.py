"""What more training pictures would bring: a power law fitted to a learning curve, with its doubt.

The score is the balanced accuracy on pictures that were not trained on. It does not rise when a
network learns no more than which class is frequent, as the accuracy does. Its error with n
training pictures is taken as

    e(n) = a + b (n + n₀)^(−c),   a, b ≥ 0,   e(0) = ½,

a power law that begins with guessing: for n far above n₀ it is a + b n^(−c), and for n far below it
nothing has been learned yet. A law without n₀ takes this beginning for a small c, and forecasts far
too little. Or the error is constant. The scores at the sizes have a covariance of four parts:

* the pictures that are predicted are a sample. Each has a mean correctness at every size, and the
  covariance of these over the pictures (groups are kept whole) is that of the scores;
* so are the pictures that are trained on. The mean over all subsets of n of m pictures is a
  U-statistic, whose variance is at most n/m times the variance V between subsets (Hoeffding 1948,
  Annals of Mathematical Statistics 19, 293-325). V is the variance between the subsets that were
  drawn, less what their seeds and test pictures contribute. It shifts the whole curve;
* only some subsets are drawn: their variance over their number, at each size by itself;
* the law is not exact: `MISFIT`, at each size by itself.

The posterior over a grid of (a, n₀, c), with a prior uniform in a^¼, log n₀ and log c, a fifth of
it on the constant, gives the bands. So whatever the sizes do not determine, such as a against c,
widens them. c is from ½ to 2, and n₀ at most m: a curve that will only begin to rise cannot be
forecast. This prior was chosen on drawn sets; docs/learning-curve.md has the coverage on others.
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from jaxnet.display import shown
from jaxnet.errors import UsageError, require_integer, require_kind
from jaxnet.evaluation.scores import Interval
from jaxnet.many.learning_curve import LearningCurve

BAND = 0.9

# A forecast reaches at most so many times the pictures.
REACH = 4

# A curve is flat if four times the pictures bring less than FLAT, with a probability of SURE, and
# rises if they bring more than RISE, with 95 %.
FLAT, SURE, RISE = 0.03, 0.9, 0.005

# The standard deviation of the scores from the power law, at each size.
MISFIT = 0.015

# What the law takes as possible: c, n₀ up to m, the error of a constant.
EXPONENTS, ONSET, LARGEST_ERROR = (0.5, 2.0), 0.1, 0.6
GUESSING = 0.5

# The prior probability of the constant. With more, curves that begin to rise are called flat.
CONSTANT = 0.2

# The grid: a, n₀, c; and the constants.
GRID, CONSTANTS = (61, 31, 12), 121
POINTS = 60  # of the band in the figure

Verdict = Literal["rises", "flat", "unclear"]


@shown
class Forecast(NamedTuple):
    """A power law fitted to a learning curve. Scores are balanced accuracies; bands hold 90 %.

    Attributes:
        pictures: The number of training pictures, m.
        now: The score with all of them, by the fit: no picture is left to measure it.
        asked: The number of pictures for which a forecast is made.
        then: The score with these.
        gain: What four times the pictures would bring.
        flat: The probability that they bring less than three points.
        verdict: "rises", "flat", or "unclear": these data cannot tell.
        learning: The share of the networks of the largest size that learn.
        sizes: Those of the curve, (sizes,).
        scores: The measured scores, (sizes,).
        errors: Their standard errors, (sizes,).
        band_sizes: Numbers of pictures up to four times m, (points,).
        band: The low end, the median and the high end of the score with these, (3, points).
    """

    pictures: int
    now: Interval
    asked: int
    then: Interval
    gain: Interval
    flat: float
    verdict: Verdict
    learning: float
    sizes: np.ndarray
    scores: np.ndarray
    errors: np.ndarray
    band_sizes: np.ndarray
    band: np.ndarray


def forecast(curve: LearningCurve, pictures: int | None = None) -> Forecast:
    """Fit a power law to a learning curve, and forecast the score with more pictures.

    Args:
        curve: From `learning_curve`.
        pictures: For how many training pictures; by default four times as many as there are.

    Raises:
        UsageError: If that is fewer than the smallest size, or more than four times the pictures:
            these data cannot tell.
    """
    require_kind("curve", curve, LearningCurve)
    m = len(curve.labels)
    pictures = require_reach(m, float(curve.sizes[0]), pictures)
    scores, covariance = measure(curve)
    law = _fit(m, curve.sizes, scores, covariance)
    now, then, far = (law.scores(n) for n in (m, pictures, REACH * m))
    gain = law.interval(far - now)
    band_sizes = np.geomspace(curve.sizes[0], REACH * m, POINTS)
    band = np.array([law.interval(law.scores(n)) for n in band_sizes]).T[[1, 0, 2]]
    verdict: Verdict = "unclear"
    flat = float(law.probability[far - now < FLAT].sum())
    if flat >= SURE:
        verdict = "flat"
    elif gain.low > RISE:
        verdict = "rises"
    return Forecast(
        pictures=m,
        now=law.interval(now),
        asked=pictures,
        then=law.interval(then),
        gain=gain,
        flat=flat,
        verdict=verdict,
        learning=float((curve.outcomes[-1] == "learning").mean()),
        sizes=curve.sizes,
        scores=scores,
        errors=np.sqrt(np.diag(covariance)),
        band_sizes=band_sizes,
        band=band,
    )


def require_reach(m: int, smallest: float, pictures: int | None) -> int:
    """Return for how many pictures a forecast is made, by default four times the m of the curve.

    Raises:
        UsageError: As `forecast` raises it.
    """
    if pictures is None:
        return REACH * m
    require_integer("pictures", pictures, math.ceil(smallest))
    if pictures > REACH * m:
        raise UsageError(
            f"pictures is {pictures:,}, more than {REACH} times the {m:,} of the training set",
            f"at most {REACH * m:,}: what more would bring, these data cannot tell",
            "ask for fewer, or collect more pictures and measure the curve anew",
        )
    return int(pictures)


def measure(curve: LearningCurve) -> tuple[np.ndarray, np.ndarray]:
    """Compute the score at each size, (sizes,), and the covariance of these, (sizes, sizes)."""
    m, subsets = len(curve.labels), curve.held_out.shape[1]
    scores, influence = _by_picture(curve)
    _, group = np.unique(curve.groups, return_inverse=True)
    groups = int(group.max()) + 1
    by_group = np.zeros((groups, len(scores)))
    np.add.at(by_group, group, influence.T)
    of_tested = by_group.T @ by_group * groups / (groups - 1)
    of_drawn, between = _between_subsets(curve)
    shift = np.sqrt(curve.sizes / m * between)
    return scores, of_tested + np.outer(shift, shift) + np.diag(of_drawn / subsets)


def _by_picture(curve: LearningCurve) -> tuple[np.ndarray, np.ndarray]:
    """Compute the scores, (sizes,), and by how much each picture moves them, (sizes, m)."""
    right = curve.correct.mean(axis=2)  # (sizes, subsets, m)
    times = curve.held_out.sum(axis=1)  # (sizes, m)
    rates = (right * curve.held_out).sum(axis=1) / np.maximum(times, 1)
    scores, influence = np.zeros(len(rates)), np.zeros_like(rates)
    for label in (0, 1):
        among = (times > 0) & (curve.labels == label)
        count = among.sum(axis=1)
        mean = (rates * among).sum(axis=1) / count
        scores += mean / 2
        influence += among * (rates - mean[:, None]) / count[:, None] / 2
    return scores, influence


def _between_subsets(curve: LearningCurve) -> tuple[np.ndarray, np.ndarray]:
    """Compute the variance of the score between subsets, (sizes,): as drawn, and without noise.

    Without that of the seeds, and of the pictures that a subset happens to leave out. Of subsets
    larger than half of the pictures too few pictures are left to tell: they have the variance of
    those that are not, which is larger.
    """
    held_out, seeds = curve.held_out[:, :, None], curve.correct.shape[2]
    right = curve.correct.mean(axis=2, keepdims=True)
    each, noise = np.zeros(curve.correct.shape[:3]), np.zeros(curve.held_out.shape[:2])
    for label in (0, 1):
        of_class = curve.labels == label
        among = held_out & of_class
        count = among.sum(axis=-1)
        each += (curve.correct & among).sum(axis=-1) / count / 2
        mean = (right * among).sum(axis=-1, keepdims=True) / count[..., None]
        squares = ((right - mean) ** 2 * among).sum(axis=-1) / np.maximum(count - 1, 1)
        # Drawn without replacement from the pictures of the class.
        noise += (squares / count * (1 - count / of_class.sum()))[..., 0] / 4
    drawn = each.mean(axis=2).var(axis=1, ddof=1)
    by_seed = each.var(axis=2, ddof=1).mean(axis=1) / seeds if seeds > 1 else 0.0
    between = np.maximum(drawn - noise.mean(axis=1) - by_seed, 0)
    halves = np.flatnonzero(curve.sizes <= len(curve.labels) / 2)
    if len(halves):
        between[halves[-1] + 1 :] = between[halves[-2:]].mean()
    return drawn, between


class _Law(NamedTuple):
    """Laws with their probabilities; each array is (laws,)."""

    last: np.ndarray  # a
    onset: np.ndarray  # n0
    exponent: np.ndarray  # c
    probability: np.ndarray

    def scores(self, n: float) -> np.ndarray:
        """Compute the score of each law with n pictures."""
        falling = (1 + n / self.onset) ** -self.exponent
        return 1 - self.last - (GUESSING - self.last) * falling

    def interval(self, values: np.ndarray) -> Interval:
        """Compute the median of a value of the laws, and the ends of its band."""
        order = np.argsort(values)
        below = np.cumsum(self.probability[order]) - self.probability[order] / 2
        tail = (1 - BAND) / 2
        low, median, high = np.interp((tail, 0.5, 1 - tail), below, values[order])
        return Interval(float(median), float(low), float(high))


def _fit(m: int, sizes: np.ndarray, scores: np.ndarray, covariance: np.ndarray) -> _Law:
    """Compute the posterior of the laws on a grid."""
    lasts = ((np.arange(GRID[0]) + 0.5) / GRID[0]) ** 4 * GUESSING
    onsets, exponents = np.geomspace(ONSET, m, GRID[1]), np.geomspace(*EXPONENTS, GRID[2])
    grid = np.meshgrid(lasts, onsets, exponents, indexing="ij")
    falling = [values.ravel() for values in grid]
    # A constant is the law whose guessing ends before the first picture.
    constants = np.linspace(0, LARGEST_ERROR, CONSTANTS)
    constant = [constants, np.full(CONSTANTS, 1e-300), np.full(CONSTANTS, EXPONENTS[1])]
    shares = [(1 - CONSTANT) / falling[0].size, CONSTANT / CONSTANTS]
    prior = np.repeat(shares, [falling[0].size, CONSTANTS])
    last, onset, exponent = map(np.concatenate, zip(falling, constant, strict=True))
    law = _Law(last, onset, exponent, prior)
    residuals = np.stack([law.scores(n) for n in sizes], axis=1) - scores  # (laws, sizes)
    inverse = np.linalg.inv(covariance + MISFIT**2 * np.eye(len(sizes)))
    squares = (residuals @ inverse * residuals).sum(axis=1)
    weight = prior * np.exp((squares.min() - squares) / 2)
    return law._replace(probability=weight / weight.sum())
