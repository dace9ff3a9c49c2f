"""Baselines against their own optimality, McNemar's test, and the known facts of the cats."""

import numpy as np
import pytest
from scipy.special import expit

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.evaluation.baselines import (
    Comparison,
    compare,
    fit_brightness,
    fit_logistic,
    more_frequent,
    predict_baselines,
)


@pytest.mark.parametrize("n_x", [5, 30])
def test_logistic_regression_is_at_its_optimum(n_x: int) -> None:
    rng = np.random.default_rng(0)
    X, labels = rng.normal(3, 2, (n_x, 12)), np.array([0, 1] * 6)
    fitted = fit_logistic(X, labels)
    seen = (X - X.mean(axis=1, keepdims=True)) / fitted.spread
    assert seen.std() == pytest.approx(1)
    dZ = expit(fitted.weights @ seen + fitted.bias) - labels
    np.testing.assert_allclose(seen @ dZ + fitted.weights, 0, atol=1e-6)
    assert dZ.sum() == pytest.approx(0, abs=1e-6)
    logits = fitted.weights @ seen + fitted.bias
    np.testing.assert_array_equal(fitted.predict(X), logits > 0)


def test_logistic_regression_is_the_same_for_every_scale(images: np.ndarray) -> None:
    labels = np.array([0, 1, 1, 0, 1, 0, 0, 1])
    found = []
    for scale in ("symmetric", "unit", "raw"):
        X = np.asarray(Preprocessing(8, 6, pixel_scale=scale).columns(images))
        fitted = fit_logistic(X[:, :8], labels)
        np.testing.assert_array_equal(fitted.predict(X[:, :8]), labels)
        found.append(fitted.weights)
    for weights in found:
        np.testing.assert_allclose(weights, found[0], atol=1e-4)


def test_logistic_regression_on_pictures_that_are_all_the_same() -> None:
    X = np.ones((4, 5))
    assert fit_logistic(X, np.array([0, 0, 0, 1, 1])).predict(X).tolist() == [0] * 5
    assert fit_logistic(X, np.array([1, 0, 0, 1, 1])).predict(X).tolist() == [1] * 5


def test_brightness_finds_the_threshold_and_the_brighter_class() -> None:
    brightness = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    assert fit_brightness(brightness, np.array([0, 0, 1, 1, 1])) == (0.25, True)
    assert fit_brightness(brightness, np.array([1, 1, 0, 0, 0])) == (0.25, False)
    assert fit_brightness(np.ones(3), np.array([0, 0, 1])) == (1.0, True)
    # Both directions predict three of four: that in which positives are brighter is taken.
    assert fit_brightness(np.array([1, 2, 3, 4]), np.array([0, 1, 1, 0])) == (1.5, True)


def test_the_more_frequent_label() -> None:
    counts = [(3, 0), (2, 1), (2, 2), (1, 2), (0, 3)]
    labels = [more_frequent(np.repeat([0, 1], count)) for count in counts]
    assert labels == [0, 0, 0, 1, 1]


def test_the_baselines_of_a_bright_class() -> None:
    rng = np.random.default_rng(0)
    labels = np.array([0, 0, 0, 1, 1])
    pictures = rng.integers(0, 50, (5, 4, 4, 3)) + 150 * labels[:, None, None, None]
    train = Split(pictures.astype(np.uint8), labels)
    test = Split(train.images[[4, 3, 0]], labels[[4, 3, 0]])
    found = predict_baselines(Dataset(train, test, ("dark", "bright")), Preprocessing(4, 4))
    assert {name: rows.tolist() for name, rows in found["test"].items()} == {
        "constant": [0, 0, 0],
        "hindsight": [1, 1, 1],
        "brightness": [1, 1, 0],
        "logistic": [1, 1, 0],
    }
    assert found["train"]["hindsight"].tolist() == [0] * 5


def test_brightness_is_the_mean_grey_whatever_the_network_sees() -> None:
    # Blue pictures of class 0 and red ones of class 1, whose mean over all values is the same.
    colors = np.array([[0, 0, 200], [0, 0, 210], [200, 0, 0], [210, 0, 0]], np.uint8)
    images = np.broadcast_to(colors[:, None, None], (4, 3, 3, 3))
    train = Split(images, np.array([0, 0, 1, 1]))
    dataset = Dataset(train, Split(images[:2] + np.uint8(10), np.array([0, 0])), ("no", "yes"))
    for color in ("rgb", "gray"):
        found = predict_baselines(dataset, Preprocessing(3, 3, color))
        assert found["train"]["brightness"].tolist() == [0, 0, 1, 1]
        assert found["test"]["brightness"].tolist() == [0, 0]


def pairs(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, ...]:
    """Make labels and two predictions of which so many are right."""
    labels = np.ones(both + first + second + neither, int)
    return labels, *(
        np.repeat(rights, (both, first, second, neither)) for rights in ((1, 1, 0, 0), (1, 0, 1, 0))
    )


@pytest.mark.parametrize(
    ("counts", "p"),
    [
        ((9, 0, 0, 3), 1.0),
        ((7, 3, 3, 0), 1.0),
        ((2, 5, 0, 1), 2 / 2**5),
        ((2, 1, 9, 1), 2 * (1 + 10) / 2**10),
    ],
)
def test_the_test_of_mcnemar_is_exact(counts: tuple[int, int, int, int], p: float) -> None:
    found = compare(*pairs(*counts))
    assert (found.gained, found.lost) == counts[1:3]
    assert found.p == pytest.approx(p)


@pytest.mark.parametrize(
    ("comparison", "verdict"),
    [
        (Comparison(22, 10, 0.0499), "better"),
        (Comparison(10, 22, 0.0499), "worse"),
        (Comparison(22, 10, 0.05), "no difference"),
        (Comparison(10, 22, 0.0501), "no difference"),
    ],
)
def test_the_verdict_of_a_comparison(comparison: Comparison, verdict: str) -> None:
    assert comparison.verdict == verdict


def test_the_baselines_of_the_real_cats(cats: Dataset) -> None:
    found = predict_baselines(cats, Preprocessing())
    assert cats.test is not None
    right = {name: int((row == cats.test.labels).sum()) for name, row in found["test"].items()}
    assert right == {"constant": 17, "hindsight": 33, "brightness": 19, "logistic": 27}
    labels = cats.train.labels
    right = {name: int((row == labels).sum()) for name, row in found["train"].items()}
    assert right == {"constant": 137, "hindsight": 137, "brightness": 138, "logistic": 209}
