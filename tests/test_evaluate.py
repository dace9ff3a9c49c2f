"""An evaluation against numbers by hand, of a network whose probabilities are known."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from jaxnet.data import all_pictures
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.load import load_dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.stored import open_pictures, open_splits
from jaxnet.errors import DataError, UsageError
from jaxnet.evaluation.baselines import predict_baselines
from jaxnet.evaluation.evaluate import Evaluation, evaluate
from jaxnet.evaluation.scores import score, wilson
from jaxnet.report.evaluation import describe_baseline
from jaxnet.report.json import to_json
from jaxnet.runs.model import Model
from jaxnet.runs.train import train
from jaxnet.settings import Settings

TRAIN = [0, 0, 10, 20, 30, 200, 210, 220]
TRAIN_LABELS = [0, 0, 0, 0, 1, 1, 1, 1]
TEST, TEST_LABELS = [0, 15, 0, 250, 90, 0], [0, 0, 1, 1, 0, 1]


def as_pictures(grey: Sequence[int] | np.ndarray) -> np.ndarray:
    """Make grey pictures of one pixel."""
    pixels = np.asarray(grey, np.uint8)[:, None, None, None]
    return np.broadcast_to(pixels, (len(pixels), 1, 1, 3))


def make_dataset() -> Dataset:
    splits = [
        Split(as_pictures(grey), np.array(labels))
        for grey, labels in ((TRAIN, TRAIN_LABELS), (TEST, TEST_LABELS))
    ]
    return Dataset(splits[0], splits[1], ("dark", "bright"), "made")


def make_model(slope: float = 5.0, bias: float = 0.0, dtype: str = "float32") -> Model:
    """Make a network that predicts σ(slope · grey / 255 + bias)."""
    params = {"W1": [[1.0]], "b1": [[0.0]], "W2": [[slope]], "b2": [[bias]]}
    arrays = {name: jax.device_put(np.array(array, dtype)) for name, array in params.items()}
    return Model(arrays, Preprocessing(1, 1, "gray", "unit"), ("dark", "bright"))


def test_a_probability_of_exactly_the_threshold_is_negative() -> None:
    # P = 0.5 for black pictures, more for all others.
    evaluation = evaluate(make_model(), make_dataset())
    assert evaluation.threshold == (0.5, "given")
    test = evaluation.splits["test"]
    assert test.probabilities[[0, 2, 5]].tolist() == [0.5] * 3
    assert test.confusion.tolist() == [[1, 2], [2, 1]]
    assert (test.right, test.pictures) == (2, 6)
    assert [row.picture for row in test.most_wrong] == [4, 1, 2, 5]
    assert test.most_wrong[0]._asdict() == {
        "picture": 4,
        "class_": "dark",
        "probability": pytest.approx(1 / (1 + np.exp(-5 * 90 / 255))),
    }


def test_scores_are_those_of_score_with_losses_from_the_logits() -> None:
    dataset = make_dataset()
    evaluation = evaluate(make_model(900, -80), dataset)
    for name, split in dataset.splits.items():
        part = evaluation.splits[name]
        grey = split.images[:, 0, 0, 0].astype(float)
        Z2 = 900 * grey / 255 - 80
        losses = np.where(split.labels == 1, np.logaddexp(0, -Z2), np.logaddexp(0, Z2))
        expected = score(split.labels, part.probabilities, losses=losses)
        assert part.log_loss == pytest.approx(expected.log_loss, rel=1e-5)
        for field, value in vars(expected).items():
            if field not in ("log_loss", "confusion", "calibration"):
                assert getattr(part, field) == pytest.approx(value, nan_ok=True)
        np.testing.assert_array_equal(part.confusion, expected.confusion)
    assert 10 < evaluation.splits["test"].log_loss.value < 1000  # by the probabilities: infinite


def test_baselines_and_the_test_against_the_one_that_is_named_beforehand() -> None:
    dataset, model = make_dataset(), make_model(40, -10)  # the threshold is at 64
    assert dataset.test is not None
    labels = dataset.test.labels
    test = evaluate(model, dataset).splits["test"]
    assert {name: baseline.right for name, baseline in test.baselines.items()} == {
        "constant": 3,
        "hindsight": 3,
        "brightness": 3,  # from 25 on
        "logistic": 3,
    }
    constant, hindsight = test.baselines["constant"], test.baselines["hindsight"]
    assert (constant.always, constant.in_hindsight) == ("dark", False)
    assert (hindsight.always, hindsight.in_hindsight) == ("dark", True)
    assert test.baselines["logistic"].always is None
    assert test.baselines["logistic"].accuracy == wilson(3, 6)
    assert test.best_baseline == "constant"
    assert test.tested_baseline == "logistic"
    ours = test.probabilities > 0.5
    theirs = predict_baselines(dataset, model.preprocessing)["test"]["logistic"]
    assert test.mcnemar.gained == ((ours == labels) & (theirs != labels)).sum()


def test_the_network_is_the_first_of_the_comparison() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    train = Split(as_pictures(40 * labels), labels)
    test = Split(as_pictures([0, 40, 255, 255]), np.array([0, 1, 0, 0]))
    dataset = Dataset(train, test, ("dark", "bright"))
    # A hat function: bright at 40, dark at 255.
    params = {
        "W1": [[10.0], [10.0]],
        "b1": [[0.0], [-2.0]],
        "W2": [[100.0, -400.0]],
        "b2": [[-50.0]],
    }
    arrays = {name: jax.device_put(np.array(array, "f4")) for name, array in params.items()}
    model = Model(arrays, Preprocessing(1, 1, "gray", "unit"), ("dark", "bright"))
    part = evaluate(model, dataset).splits["test"]
    assert part.right == 4
    assert part.baselines["logistic"].right == 2
    assert part.mcnemar == (2, 0, 0.5)
    assert part.best_baseline == "constant"


def test_the_threshold_that_is_best_on_train() -> None:
    evaluation = evaluate(make_model(), make_dataset(), "train")
    expected = [1 / (1 + np.exp(-5 * grey / 255)) for grey in (20, 30)]
    assert evaluation.threshold.how == "train"
    assert evaluation.threshold.value == pytest.approx(np.mean(expected), rel=1e-6)
    assert evaluation.splits["train"].right == 8
    assert evaluation.splits["test"].confusion.tolist() == [[2, 1], [2, 1]]
    strict = evaluate(make_model(), make_dataset(), 1)
    assert strict.splits["test"].recall.value == 0
    assert np.isnan(strict.splits["test"].precision.value)
    assert [part.confusion[:, 1].sum() for part in strict.splits.values()] == [0, 0]


def test_a_threshold_from_train_lies_between_0_and_1(images: np.ndarray) -> None:
    # Whatever is predicted, the class of most is right most often.
    images, labels = images[:, :1, :1], np.array([0] + [1] * 11)
    dataset = Dataset(Split(images, labels), None, ("no", "yes"))
    threshold = evaluate(make_model(-1e4), dataset, "train").threshold
    assert threshold == (0.0, "train")


def test_whether_a_split_was_trained_on(images: np.ndarray) -> None:
    labels = np.array([0, 1] * 4)
    test = Split(images[8:], np.array([0, 1, 0, 1]))
    dataset = Dataset(Split(images[:8], labels), test, ("no", "yes"), leaks_excluded=3)
    run = train(dataset, Settings(iterations=5, hidden_units=2))
    evaluation = evaluate(run, dataset)
    assert evaluation.same_data_as_in_training is True
    assert evaluation.leaks_excluded == 3
    assert list(evaluation.splits) == ["test", "train"]
    assert seen(evaluation) == {"test": False, "train": True}
    np.testing.assert_allclose(
        evaluation.splits["test"].probabilities, run.model.predict_images(test.images), rtol=1e-6
    )
    other = dataclasses.replace(dataset, train=Split(images[:8], 1 - labels))
    evaluation = evaluate(run, other)
    assert evaluation.same_data_as_in_training is False
    assert seen(evaluation) == {"test": None, "train": None}
    evaluation = evaluate(run.model, dataclasses.replace(dataset, test=None))
    assert evaluation.same_data_as_in_training is None
    assert seen(evaluation) == {"train": None}


def seen(evaluation: Evaluation) -> dict[str, bool | None]:
    return {name: part.seen_in_training for name, part in evaluation.splits.items()}


def test_a_network_of_another_class_keeps_both_names(x64: None) -> None:
    model = make_model(dtype="float64")
    dataset = dataclasses.replace(make_dataset(), classes=("a", "b"))
    evaluation = evaluate(model, dataset)
    assert evaluation.classes == ("a", "b")
    assert evaluation.model_classes == ("dark", "bright")


def test_float64_is_kept_where_jax_is_set_to_32_bits(x64: None) -> None:
    model = make_model(1e-12, dtype="float64")
    with jax.enable_x64(False):
        probabilities = evaluate(model, make_dataset()).splits["test"].probabilities
    assert (probabilities > 0.5).sum() == 3


def test_the_answer_to_a_program() -> None:
    answer = json.loads(json.dumps(to_json(evaluate(make_model(), make_dataset()))))
    assert answer["threshold"] == {"value": 0.5, "how": "given"}
    test = answer["splits"]["test"]
    assert test["confusion"] == [[1, 2], [2, 1]]
    assert test["accuracy"]["value"] == pytest.approx(1 / 3)
    assert test["calibration"][0]["probability"] is None
    assert test["baselines"]["logistic"].keys() == {
        "always",
        "in_hindsight",
        "right",
        "accuracy",
        "sampled",
    }
    assert test["mcnemar"].keys() == {"gained", "lost", "p"}
    assert test["most_wrong"][0]["class"] == "dark"
    assert len(test["probabilities"]) == 6


EMPTY = dataclasses.replace(make_dataset(), test=Split(np.zeros(3), np.zeros(3)))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((make_model(), make_dataset(), "test"), UsageError, 'threshold is "test"'),
        ((make_model(), make_dataset(), 1.5), UsageError, "threshold is 1.5"),
        ((make_model(), make_dataset(), float("nan")), UsageError, "threshold is nan"),
        ((make_model(), make_dataset(), None), UsageError, "threshold is None"),
        ((make_model().params, make_dataset()), UsageError, "model is of type dict"),
        ((make_model(), "sketches"), UsageError, "data is of type str"),
        (
            (
                make_model(),
                dataclasses.replace(make_dataset(), test=Split(np.zeros(3), np.zeros(3))),
            ),
            DataError,
            "the test split has shape",
        ),
    ],
)
def test_what_cannot_be_evaluated(
    arguments: tuple[Any, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        evaluate(*arguments)


def test_the_cats_are_tested_against_logistic_regression(cats: Dataset) -> None:
    preprocessing = Preprocessing()
    params = {
        "W1": np.zeros((1, 4096)),
        "b1": np.ones((1, 1)),
        "W2": np.ones((1, 1)),
        "b2": np.zeros((1, 1)),
    }
    arrays = {name: jax.device_put(np.array(array, "f4")) for name, array in params.items()}
    always = Model(arrays, preprocessing, ("non-cat", "cat"))  # P = σ(1)
    test = evaluate(always, cats).splits["test"]
    right = {name: baseline.right for name, baseline in test.baselines.items()}
    assert right == {"constant": 17, "hindsight": 33, "brightness": 19, "logistic": 27}
    assert (test.right, test.best_baseline, test.tested_baseline) == (33, "hindsight", "logistic")
    assert test.mcnemar.gained - test.mcnemar.lost == 33 - 27


@pytest.mark.parametrize("size", [(8, 6), (4, 4)])
def test_pictures_in_files_are_evaluated_as_in_memory(
    size: tuple[int, int], h5: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, stored = load_dataset(h5()), open_splits(h5())
    settings = Settings(hidden_units=2, weight_scale=0.3, iterations=5)
    run = train(data, settings, Preprocessing(*size))
    for name, length in (("accuracies.BLOCK", 3), ("baselines.SAMPLE", 8)):
        monkeypatch.setattr(f"jaxnet.evaluation.{name}", length)
    monkeypatch.setattr(all_pictures, "BLOCK", 3 * 8 * 6)
    for threshold in (0.5, "train"):
        by_memory, in_blocks = evaluate(run, data, threshold), evaluate(run, stored, threshold)
        assert in_blocks.same_data_as_in_training is None
        for name, split in by_memory.splits.items():
            other = in_blocks.splits[name]
            np.testing.assert_allclose(other.probabilities, split.probabilities, rtol=1e-5)
            np.testing.assert_allclose(other.log_loss, split.log_loss, rtol=1e-5)
            assert (other.accuracy, other.roc_auc) == (split.accuracy, split.roc_auc)
            assert (other.baselines, other.mcnemar) == (split.baselines, split.mcnemar)


def test_many_pictures_in_files_have_a_regression_that_is_fitted_to_some(
    h5: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("evaluate", "baselines"):
        monkeypatch.setattr(f"jaxnet.evaluation.{module}.SAMPLE", 5)
    run = train(open_pictures(h5()), Settings(batch=4, iterations=3))
    evaluation = evaluate(run, open_splits(h5()))
    assert evaluation.same_data_as_in_training
    baselines = evaluation.splits["test"].baselines
    assert {name: baseline.sampled for name, baseline in baselines.items()} == {
        "constant": None,
        "hindsight": None,
        "brightness": None,
        "logistic": 5,
    }
    words = describe_baseline("logistic", baselines["logistic"])
    assert words == "logistic regression, fitted on 5 random pictures of train"
