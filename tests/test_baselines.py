"""Baselines against their own optimality, McNemar's test, and the known facts of the cats."""

import numpy as np
import pytest
from scipy.special import expit

from jaxnet.data.columns import Preprocessing
from jaxnet.data.dataset import Dataset, Split
from jaxnet.evaluation.baselines import (
    Comparison,
    best_baseline,
    compare,
    describe_baseline,
    fit_brightness,
    fit_logistic,
    judge,
    predict_baselines,
    summary_line,
)


@pytest.mark.parametrize("n_x", [5, 30])
def test_logistic_regression_is_at_its_optimum(n_x: int) -> None:
    rng = np.random.default_rng(0)
    X, labels = rng.normal(3, 2, (n_x, 12)), np.array([0, 1] * 6)
    fitted = fit_logistic(X, labels)
    seen = (X - X.mean(axis=1, keepdims=True)) / fitted.spread
    assert seen.std() == pytest.approx(1)
    dZ = expit(fitted.weights @ seen + fitted.bias) - labels
    np.testing.assert_allclose(seen @ dZ + fitted.weights, 0, atol=1e-4)
    assert dZ.sum() == pytest.approx(0, abs=1e-4)
    logits = fitted.weights @ seen + fitted.bias
    np.testing.assert_array_equal(fitted.predict(X), logits > 0)


def test_logistic_regression_is_the_same_for_every_scale(images: np.ndarray) -> None:
    labels = np.array([0, 1, 1, 0, 1, 0, 0, 1])
    found = []
    for scale in ("symmetric", "unit", "raw"):
        X = np.asarray(Preprocessing(8, 6, scale=scale).columns(images))
        fitted = fit_logistic(X[:, :8], labels)
        np.testing.assert_array_equal(fitted.predict(X[:, :8]), labels)
        found.append(fitted.weights)
    for weights in found:
        np.testing.assert_allclose(weights, found[0], atol=1e-4)


def test_brightness_finds_the_threshold_and_the_brighter_class() -> None:
    brightness = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    assert fit_brightness(brightness, np.array([0, 0, 1, 1, 1])) == (0.25, True)
    assert fit_brightness(brightness, np.array([1, 1, 0, 0, 0])) == (0.25, False)


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
    assert best_baseline(test.labels, found["test"]) == "brightness"
    said = [describe_baseline(name, row, ("dark", "bright")) for name, row in found["test"].items()]
    assert said == [
        'always "dark", the more frequent in train',
        'always "bright", the best constant in hindsight',
        "brightness alone, fitted on train",
        "logistic regression, fitted on train",
    ]


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


def test_the_summary_line() -> None:
    labels = np.repeat([0, 1], [17, 33])
    predictions = np.concatenate([np.repeat([0, 1], [8, 9]), np.repeat([1, 0], [26, 7])])
    assert summary_line("test", labels, predictions, ("non-cat", "cat")) == (
        'test 34/50 = 68 % [54–79 %] · always "cat" would score 66 % '
        "· not better than guessing (p = 1.00)"
    )
    better = summary_line("test", labels, labels, ("non-cat", "cat"))
    assert better == (
        'test 50/50 = 100 % [93–100 %] · always "cat" would score 66 % '
        "· better than guessing (p = 2e-05)"
    )
    worse = summary_line("test", labels, 1 - labels, ("non-cat", "cat"))
    assert "worse than guessing (p = 2e-10)" in worse


def test_the_baselines_of_the_real_cats(cats: Dataset) -> None:
    found = predict_baselines(cats, Preprocessing())
    assert cats.test is not None
    right = {name: int((row == cats.test.labels).sum()) for name, row in found["test"].items()}
    assert right == {"constant": 17, "hindsight": 33, "brightness": 19, "logistic": 27}
    assert best_baseline(cats.test.labels, found["test"]) == "hindsight"
    labels = cats.train.labels
    right = {name: int((row == labels).sum()) for name, row in found["train"].items()}
    assert right == {"constant": 137, "hindsight": 137, "brightness": 138, "logistic": 209}


def test_what_was_learnt_from_is_not_tested() -> None:
    labels = np.array([0, 0, 1])
    line = summary_line("train", labels, labels, ("other", "cat"), seen=True)
    assert line == 'train 3/3 = 100 %, learnt from · always "other" would score 67 %'


def test_on_which_side_of_the_bound_a_p_value_is_can_be_seen() -> None:
    assert judge(Comparison(10, 22, 0.0501), "guessing") == "not better than guessing (p = 0.0501)"
    assert judge(Comparison(10, 22, 0.0499), "guessing") == "worse than guessing (p = 0.0499)"
