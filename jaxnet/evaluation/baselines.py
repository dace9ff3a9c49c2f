"""Baselines (constants, brightness, logistic regression) and a test of a network against one.

A network is tested against logistic regression only, which is fixed here in advance. A test against
the best of several baselines, selected on the tested pictures themselves, would be biased against
the network.
"""

import dataclasses
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from jaxnet.data.all_pictures import Data, labels_of, open_all
from jaxnet.data.dataset import Dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.evaluation.scores import best_cut
from jaxnet.evaluation.significance import binomial_test

# A p-value below this counts as a difference.
SIGNIFICANT = 0.05

# The baseline of `predict_baselines` that networks are tested against.
TESTED = "logistic"

# To so many pictures, drawn at random, the logistic regression is fitted where not all are loaded.
SAMPLE = 1024


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
    """The comparison of the predictions of two models on the same pictures.

    Attributes:
        gained: The number of pictures that only the first predicts correctly.
        lost: The number of pictures that only the second predicts correctly.
        p: The probability of a difference at least as large, if both were equally good.
    """

    gained: int
    lost: int
    p: float

    @property
    def verdict(self) -> Literal["better", "worse", "no difference"]:
        """Whether the first is better or worse than the second, at the level `SIGNIFICANT`."""
        if self.p >= SIGNIFICANT:
            return "no difference"
        return "better" if self.gained > self.lost else "worse"


def fit_logistic(X: np.ndarray, labels: np.ndarray) -> Logistic:
    """Fit a logistic regression to X (n_x, m), with an L2 penalty of 1.

    It minimises Σ ℓ + ½ |weights|² by Newton's method, from 0. The mean picture is subtracted, and
    every pixel is divided by the standard deviation of all pixels, so that the result does not
    depend on the pixel scale.
    """
    from scipy import optimize  # here, since the audit needs the rest of this file only

    X = np.asarray(X, float)
    mean = X.mean(axis=1)
    spread = float((X - mean[:, None]).std()) or 1.0
    X = (X - mean[:, None]) / spread
    basis = X
    if X.shape[1] < len(X):
        # The optimal weights lie in the span of the pictures, here by its principal axes.
        values, Q = np.linalg.eigh(X.T @ X)
        basis = np.sqrt(np.maximum(values, 0))[:, None] * Q.T  # (m, m)

    def outputs(theta: np.ndarray) -> np.ndarray:
        return theta[:-1] @ basis + theta[-1]  # Z (m,)

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        Z, weights = outputs(theta), theta[:-1]
        cost = (np.logaddexp(0, Z) - labels * Z).sum() + weights @ weights / 2
        dZ = special.expit(Z) - labels
        return float(cost), np.append(basis @ dZ + weights, dZ.sum())

    def hessian_product(theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        Z = outputs(theta)
        dZ = special.expit(Z) * special.expit(-Z) * outputs(direction)
        return np.append(basis @ dZ + direction[:-1], dZ.sum())

    theta = optimize.minimize(
        objective,
        np.zeros(len(basis) + 1),
        jac=True,
        hessp=hessian_product,
        method="Newton-CG",
        options={"xtol": 1e-9},
    ).x
    # Where the gradient is 0, so is X (σ(Z) − labels) + weights.
    weights = X @ (labels - special.expit(outputs(theta)))
    return Logistic(mean, spread, weights, float(theta[-1]))


def fit_brightness(brightness: np.ndarray, labels: np.ndarray) -> tuple[float, bool]:
    """Fit the threshold on the brightness (m,) that predicts most labels (m,) correctly.

    Returns:
        The threshold, and whether pictures above it, not those below, are predicted positive.
    """
    cuts = {True: best_cut(labels, brightness), False: best_cut(1 - labels, brightness)}
    correct = {up: ((brightness > cut) == (labels == up)).sum() for up, cut in cuts.items()}
    up = bool(correct[True] >= correct[False])
    return cuts[up], up


def more_frequent(labels: np.ndarray) -> int:
    """Return the more frequent label; 0 if both are equally frequent."""
    return int(2 * labels.sum() > len(labels))


def predict_baselines(
    dataset: Dataset, preprocessing: Preprocessing
) -> dict[str, dict[str, np.ndarray]]:
    """Predict every picture by models without hidden units, fitted to the training split.

    Args:
        dataset: The pictures.
        preprocessing: The network's preprocessing, which the logistic regression uses, too.

    Returns:
        Predictions (m,) of 0 and 1, by the names of the split and of the baseline: "constant", the
        more frequent class in train; "hindsight", the more frequent class in the split itself,
        which is not known in advance; "brightness", by the mean of the grey picture; "logistic".
    """
    gray = dataclasses.replace(preprocessing, color="gray")
    X = {
        name: np.asarray(preprocessing.columns(split.images))
        for name, split in dataset.splits.items()
    }
    brightness = {
        name: np.asarray(gray.columns(split.images), float).mean(axis=0)
        for name, split in dataset.splits.items()
    }
    labels = dataset.train.labels
    threshold, up = fit_brightness(brightness["train"], labels)
    logistic = fit_logistic(X["train"], labels)
    return {
        name: {
            "constant": np.full(len(split.labels), more_frequent(labels)),
            "hindsight": np.full(len(split.labels), more_frequent(split.labels)),
            "brightness": ((brightness[name] > threshold) == up).astype(int),
            "logistic": logistic.predict(X[name]),
        }
        for name, split in dataset.splits.items()
    }


def predict_baselines_in_blocks(
    data: Data, preprocessing: Preprocessing
) -> dict[str, dict[str, np.ndarray]]:
    """Predict every picture by the models of `predict_baselines`, with bounded memory.

    The pictures are read in blocks. The logistic regression is fitted to `SAMPLE` training
    pictures, drawn at random, where there are more.
    """
    gray = dataclasses.replace(preprocessing, color="gray")
    splits = labels_of(data)
    labels = splits["train"]
    chosen = np.random.default_rng(0).permutation(len(labels))[:SAMPLE]
    with open_all(data) as pictures:
        sample = np.asarray(preprocessing.columns(pictures.take(chosen)))
        logistic = fit_logistic(sample, labels[chosen])
        brightness, predicted = [], []
        for images in pictures.blocks("predicting by baselines"):
            X = grey = np.asarray(preprocessing.columns(images))
            if preprocessing != gray:
                grey = np.asarray(gray.columns(images))
            brightness.append(np.asarray(grey, float).mean(axis=0))
            predicted.append(logistic.predict(X))
        ends = pictures.starts[1:-1]
    bright = dict(zip(splits, np.split(np.concatenate(brightness), ends), strict=True))
    by_regression = np.split(np.concatenate(predicted), ends)
    threshold, up = fit_brightness(bright["train"], labels)
    return {
        name: {
            "constant": np.full(len(own), more_frequent(labels)),
            "hindsight": np.full(len(own), more_frequent(own)),
            "brightness": ((bright[name] > threshold) == up).astype(int),
            "logistic": predictions,
        }
        for (name, own), predictions in zip(splits.items(), by_regression, strict=True)
    }


def compare(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> Comparison:
    """Test whether two models predict equally well, by the pictures on which they differ.

    The exact, two-sided test of McNemar (1947, Psychometrika 12, 153-157).

    Args:
        labels: (m,) of 0 and 1.
        first: The predictions of the first model, (m,).
        second: Those of the second, (m,).
    """
    gained = int(((first == labels) & (second != labels)).sum())
    lost = int(((first != labels) & (second == labels)).sum())
    if gained + lost == 0:
        return Comparison(0, 0, 1.0)
    return Comparison(gained, lost, binomial_test(gained, gained + lost))
