"""What a network has to beat: constants, brightness alone, and logistic regression."""

import dataclasses
from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

from jaxnet.data.columns import Preprocessing
from jaxnet.data.dataset import Dataset
from jaxnet.evaluation.scores import best_cut, wilson

# A p-value below this is called a difference.
SIGNIFICANT = 0.05


class Logistic(NamedTuple):
    """A fitted logistic regression: P = σ(weights · (x − mean) / spread + bias)."""

    mean: np.ndarray
    spread: float
    weights: np.ndarray
    bias: float

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict the label of each column of X (n_x, m): (m,) of 0 and 1."""
        logits = self.weights @ ((X - self.mean[:, None]) / self.spread) + self.bias
        return (logits > 0).astype(int)


class Comparison(NamedTuple):
    """How two ways to predict differ on the same pictures.

    Attributes:
        gained: Pictures that only the first predicts rightly.
        lost: Pictures that only the second predicts rightly.
        p: The probability of a difference as large or larger, were both equally good.
    """

    gained: int
    lost: int
    p: float


def fit_logistic(X: np.ndarray, labels: np.ndarray) -> Logistic:
    """Fit a logistic regression to X (n_x, m), with an L2 of 1.

    It minimises Σ ℓ + ½ |weights|² by L-BFGS, from 0. The mean picture is taken off and one number,
    the spread of all pixels, divides them, so that the same is fitted whatever the scale of X.
    """
    X = np.asarray(X, float)
    mean = X.mean(axis=1)
    spread = float((X - mean[:, None]).std()) or 1.0
    # The weights lie in the span of the pictures, whose coordinates are often far fewer.
    basis, X = np.linalg.qr((X - mean[:, None]) / spread)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = theta[:-1], theta[-1]
        Z = weights @ X + bias  # (m,)
        cost = (np.logaddexp(0, Z) - labels * Z).sum() + weights @ weights / 2
        dZ = special.expit(Z) - labels
        return float(cost), np.append(X @ dZ + weights, dZ.sum())

    options = {"maxiter": 2000, "gtol": 1e-6, "ftol": 0.0}
    start = np.zeros(len(X) + 1)
    theta = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
    return Logistic(mean, spread, basis @ theta[:-1], float(theta[-1]))


def fit_brightness(brightness: np.ndarray, labels: np.ndarray) -> tuple[float, bool]:
    """Find the threshold on the brightness (m,) that is right most often, and the brighter class.

    Returns:
        The threshold, and whether what exceeds it is positive.
    """
    cuts = {True: best_cut(labels, brightness), False: best_cut(1 - labels, brightness)}
    right = {up: ((brightness > cut) == (labels == up)).sum() for up, cut in cuts.items()}
    up = bool(right[True] >= right[False])
    return cuts[up], up


def more_frequent(labels: np.ndarray) -> int:
    """Say which label there are more of; 0 if as many."""
    return int(2 * labels.sum() > len(labels))


def predict_baselines(dataset: Dataset, seen: Preprocessing) -> dict[str, dict[str, np.ndarray]]:
    """Predict every picture by what needs no hidden units, fitted on the training split.

    Args:
        dataset: The pictures.
        seen: How the network sees them; the logistic regression sees them so, too.

    Returns:
        By the name of the split and that of the baseline, predictions (m,): "constant", the more
        frequent class in train; "hindsight", the more frequent class in the split itself, which
        nobody can know beforehand; "brightness", by the mean of the grey picture; "logistic".
    """
    gray = dataclasses.replace(seen, color="gray")
    X = {name: np.asarray(seen.columns(split.images)) for name, split in dataset.splits.items()}
    light = {
        name: np.asarray(gray.columns(split.images), float).mean(axis=0)
        for name, split in dataset.splits.items()
    }
    labels = dataset.train.labels
    cut, up = fit_brightness(light["train"], labels)
    logistic = fit_logistic(X["train"], labels)
    return {
        name: {
            "constant": np.full(len(split.labels), more_frequent(labels)),
            "hindsight": np.full(len(split.labels), more_frequent(split.labels)),
            "brightness": ((light[name] > cut) == up).astype(int),
            "logistic": logistic.predict(X[name]),
        }
        for name, split in dataset.splits.items()
    }


def describe_baseline(name: str, predictions: np.ndarray, classes: tuple[str, str]) -> str:
    """Say in words what a baseline of `predict_baselines` is."""
    return {
        "constant": f'always "{classes[predictions[0]]}", the more frequent in train',
        "hindsight": f'always "{classes[predictions[0]]}", the best constant in hindsight',
        "brightness": "brightness alone, fitted on train",
        "logistic": "logistic regression, fitted on train",
    }[name]


def best_baseline(labels: np.ndarray, baselines: dict[str, np.ndarray]) -> str:
    """Name the baseline that is right most often, the first of equals."""
    return max(baselines, key=lambda name: int((baselines[name] == labels).sum()))


def compare(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> Comparison:
    """Test whether two ways to predict (m,) are equally good, by the pictures they differ on.

    The exact, two-sided test of McNemar (1947, Psychometrika 12, 153-157).
    """
    gained = int(((first == labels) & (second != labels)).sum())
    lost = int(((first != labels) & (second == labels)).sum())
    if gained + lost == 0:
        return Comparison(0, 0, 1.0)
    return Comparison(gained, lost, float(stats.binomtest(gained, gained + lost).pvalue))


def judge(comparison: Comparison, than: str) -> str:
    """Say in words what a comparison shows."""
    close = abs(comparison.p - SIGNIFICANT) < 0.0005  # on which side it is must be seen
    digits = ".2f" if comparison.p >= 0.1 else ".3f" if comparison.p >= 0.001 else ".0e"
    digits = ".3g" if close else digits
    p = f"p = {comparison.p:{digits}}"
    if comparison.p >= SIGNIFICANT:
        return f"not better than {than} ({p})"
    return f"{'better' if comparison.gained > comparison.lost else 'worse'} than {than} ({p})"


def summary_line(
    name: str,
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: tuple[str, str],
    *,
    seen: bool = False,
) -> str:
    """Say in one line how good predictions (m,) of a split are, beside its best constant.

    Of a split that was learnt from it gives no interval and no test: they would be about nothing.

    Args:
        name: Of the split.
        labels: (m,) of 0 and 1.
        predictions: (m,) of 0 and 1.
        classes: The names of class 0 and of class 1.
        seen: Whether the split was learnt from.
    """
    guess = more_frequent(labels)
    hits, m = int((predictions == labels).sum()), len(labels)
    share, low, high = wilson(hits, m)
    score = float((labels == guess).mean())
    always = f'always "{classes[guess]}" would score {100 * score:.0f} %'
    if seen:
        return f"{name} {hits}/{m} = {100 * share:.0f} %, learnt from · {always}"
    verdict = judge(compare(labels, predictions, np.full(m, guess)), "guessing")
    interval = f"[{100 * low:.0f}–{100 * high:.0f} %]"
    return f"{name} {hits}/{m} = {100 * share:.0f} % {interval} · {always} · {verdict}"
