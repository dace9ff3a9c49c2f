import io

import numpy as np
import pytest

from experiments import Result
from experiments.early_stopping import compare, main
from jaxnet import CrossValidation, Settings
from jaxnet.data.dataset import Dataset
from jaxnet.evaluation.sign_flips import sign_flip_test

LABELS = np.repeat([1, 0], [4, 8])


def cross_validation(end: np.ndarray, stopped: np.ndarray) -> CrossValidation:
    """A result of two repeats and one seed, with these probabilities (2, m) of both settings."""
    probabilities = np.stack([end, stopped])[:, :, None].astype(np.float32)
    nothing, folds = np.zeros((2, 2, 3, 1)), np.zeros((2, 12), int)
    settings = (Settings(), Settings(patience=1))
    return CrossValidation(settings, LABELS, folds, probabilities, nothing, nothing)


def test_pictures_are_compared_one_by_one_and_both_classes_count_alike() -> None:
    end = np.full((2, 12), 0.4)  # always class 0
    stopped = end.copy()
    stopped[:, :3] = 0.6  # three of four positives are right
    stopped[0, 4] = 0.7  # one of eight negatives is wrong, once in two
    p_accuracy, p_loss = compare(cross_validation(end, stopped))
    gains = np.array([1 / 4, 1 / 4, 1 / 4, -0.5 / 8])
    assert p_accuracy == sign_flip_test(gains) == 2 / 16
    saved = np.array([*[np.log(0.6 / 0.4)] * 3, -np.log(0.6 / 0.3) / 2])
    assert p_loss == sign_flip_test(saved)
    worse = compare(cross_validation(stopped, end))
    assert worse[0] == 15 / 16


@pytest.fixture(scope="module")
def short() -> Result:
    return main(folds=3, repeats=1, seeds=1, iterations=20, patience=5)


@pytest.mark.slow
def test_both_are_cross_validated(short: Result) -> None:
    numbers = short.numbers
    assert numbers["networks"] == 6
    assert 0 <= numbers["updates before the lowest cost, median"] <= 20
    assert short.holds == (numbers["p-value of the difference"] <= 0.05)
    assert short.figure is not None
    short.figure.savefig(io.BytesIO())


@pytest.mark.slow
def test_on_the_cats_it_lowers_the_log_loss_but_predicts_no_better(cats: Dataset) -> None:
    assert cats.test is not None
    result = main("catvnoncat", repeats=2, seeds=2)
    assert not result.holds
    assert result.numbers["balanced accuracy, stopped early"] == pytest.approx(0.5, abs=0.03)
    assert result.numbers["log loss, to the end"] > 1.5 * result.numbers["log loss, stopped early"]
    assert result.numbers["p-value of its difference"] < 0.001
