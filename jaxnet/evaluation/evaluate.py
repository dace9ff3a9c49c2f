"""Evaluation of a trained network: scores of each split, baselines, a test against one of them."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from jaxnet.data.all_pictures import Data, classes_of, labels_of
from jaxnet.data.dataset import Dataset, Split, check_dataset
from jaxnet.data.stored import StoredPictures
from jaxnet.display import shown
from jaxnet.errors import UsageError, require_number
from jaxnet.evaluation.accuracies import predict_stored
from jaxnet.evaluation.baselines import (
    SAMPLE,
    TESTED,
    Comparison,
    compare,
    predict_baselines,
    predict_baselines_in_blocks,
)
from jaxnet.evaluation.scores import Interval, Scores, best_cut, most_wrong, score, wilson
from jaxnet.progress import Track, automatic, silent
from jaxnet.runs.model import Model
from jaxnet.runs.run import Run


class Threshold(NamedTuple):
    """The threshold: a picture is predicted positive if its probability exceeds `value`.

    Attributes:
        value: From 0 to 1.
        how: "given" beforehand, or the one that is correct most often on "train".
    """

    value: float
    how: Literal["given", "train"]


class Baseline(NamedTuple):
    """The score of a baseline on one split.

    Attributes:
        always: The class that it predicts for every picture, if it is a constant.
        in_hindsight: Whether it was chosen by the labels of this split.
        right: How many pictures it predicts correctly.
        accuracy: Their share (Wilson interval).
        sampled: To how many training pictures, drawn at random, it was fitted; None if to all.
    """

    always: str | None
    in_hindsight: bool
    right: int
    accuracy: Interval
    sampled: int | None = None


class WrongPicture(NamedTuple):
    """A picture that is predicted wrongly.

    Attributes:
        picture: Its number.
        class_: Its class.
        probability: The probability of the positive class that was predicted.
    """

    picture: int
    class_: str
    probability: float


@shown
@dataclasses.dataclass(frozen=True)
class SplitEvaluation(Scores):
    """The evaluation of a network on one split: its `Scores`, and what they are compared with.

    Attributes:
        seen_in_training: Whether the network was trained on it; None if that is not known.
        pictures: How many there are.
        right: How many are predicted correctly.
        baselines: By name; see `predict_baselines`.
        best_baseline: The one with most correct predictions here, the first of equals. The network
            is not tested against it, since these pictures chose it.
        tested_baseline: The one that the network is tested against, named beforehand.
        mcnemar: The network (first) compared with `tested_baseline` (second).
        most_wrong: The pictures that are predicted wrongly, the largest error first.
        probabilities: Of the positive class, (m,).
    """

    seen_in_training: bool | None
    pictures: int
    right: int
    baselines: dict[str, Baseline]
    best_baseline: str
    tested_baseline: str
    mcnemar: Comparison
    most_wrong: tuple[WrongPicture, ...]
    probabilities: np.ndarray


@shown
class Evaluation(NamedTuple):
    """The evaluation of a network on a data set.

    Attributes:
        same_data_as_in_training: Whether the training split is that of the run; None if that is not
            known.
        classes: The names of class 0 and of class 1, by which the pictures are labelled.
        model_classes: Those of the network, which predicts the probability of class 1.
        threshold: The threshold of the probability.
        leaks_excluded: How many test pictures were left out, as they are in the training split.
        splits: By name, the test split first.
    """

    same_data_as_in_training: bool | None
    classes: tuple[str, str]
    model_classes: tuple[str, str]
    threshold: Threshold
    leaks_excluded: int
    splits: dict[str, SplitEvaluation]


def evaluate(
    model: Model | Run,
    data: Data,
    threshold: float | Literal["train"] = 0.5,
    *,
    track: Track = automatic,
) -> Evaluation:
    """Evaluate a trained network on every split of a data set.

    Args:
        model: The network, or its run, which knows on which pictures it was trained.
        data: The pictures: a `Dataset`, or what `open_splits` returns. These are read in blocks,
            and the logistic regression is fitted to 1,024 of them, drawn at random.
        threshold: A picture is predicted positive if its probability exceeds this; "train" chooses
            the threshold that is correct most often on the training split.
        track: Shows the progress over pictures that stay in their files.

    Raises:
        DataError: If the pictures cannot be used.
        UsageError: If an argument is of the wrong type or out of its range.
    """
    _check_arguments(model, data, threshold)
    same = model.trained_on(data) if isinstance(model, Run) else None
    network = model.model if isinstance(model, Run) else model
    labels, sampled = labels_of(data), None
    predicted: dict[str, tuple[np.ndarray, np.ndarray]]
    if isinstance(data, Dataset):
        predicted = {name: _predict(network, split) for name, split in data.splits.items()}
        baselines = predict_baselines(data, network.preprocessing)
    else:
        predicted = {name: _predict(network, data[name], track) for name in labels}
        baselines = predict_baselines_in_blocks(data, network.preprocessing)
        sampled = SAMPLE if len(labels["train"]) > SAMPLE else None
    if threshold == "train":
        cut = best_cut(labels["train"], predicted["train"][0])
        chosen = Threshold(min(max(cut, 0.0), 1.0), "train")
    else:
        chosen = Threshold(float(threshold), "given")
    return Evaluation(
        same_data_as_in_training=same,
        classes=classes_of(data),
        model_classes=network.classes,
        threshold=chosen,
        leaks_excluded=data.leaks_excluded if isinstance(data, Dataset) else 0,
        splits={
            name: _evaluate_split(
                labels[name],
                *predicted[name],
                chosen.value,
                baselines[name],
                classes_of(data),
                sampled,
                seen=name == "train" if same else None,
            )
            for name in reversed(predicted)  # test and validation before train
        },
    )


def _check_arguments(model: object, data: object, threshold: object) -> None:
    kinds: tuple[type, ...]
    for name, value, kinds in (("model", model, (Model, Run)), ("data", data, (Dataset, Mapping))):
        if not isinstance(value, kinds):
            expected = " or ".join(f"a {kind.__name__}" for kind in kinds)
            remedy = f"load it by load_{'dataset' if name == 'data' else 'run'}"
            raise UsageError(f"{name} is of type {type(value).__name__}", expected, remedy)
    if isinstance(threshold, str):
        if threshold != "train":
            raise UsageError(
                f'threshold is "{threshold}"', 'a number from 0 to 1, or "train"', "give 0.5, say"
            )
    else:
        require_number("threshold", threshold, 0, 1)
    if isinstance(data, Dataset):
        check_dataset(data)


def _predict(
    model: Model, split: Split | StoredPictures, track: Track = silent
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the probability of class 1 and the loss of each picture: (m,) and (m,)."""
    if isinstance(split, StoredPictures):
        Z2, A2 = predict_stored(model, split, track=track)
    else:
        Z2, A2 = model.predict_logits(split.images)
    # From the logits: the loss of a probability that rounds to 0 or 1 would be infinite.
    z = np.where(split.labels == 1, -Z2, Z2).astype(float)
    return np.asarray(A2, float), np.logaddexp(0, z)


def _evaluate_split(
    labels: np.ndarray,
    probabilities: np.ndarray,
    losses: np.ndarray,
    threshold: float,
    baselines: dict[str, np.ndarray],
    classes: tuple[str, str],
    sampled: int | None,
    *,
    seen: bool | None,
) -> SplitEvaluation:
    scores = score(labels, probabilities, threshold, losses=losses)
    predictions = (probabilities > threshold).astype(int)
    scored = {
        name: _score_baseline(name, row, labels, classes, sampled)
        for name, row in baselines.items()
    }
    return SplitEvaluation(
        **vars(scores),
        seen_in_training=seen,
        pictures=len(labels),
        right=int((predictions == labels).sum()),
        baselines=scored,
        best_baseline=max(scored, key=lambda name: scored[name].right),
        tested_baseline=TESTED,
        mcnemar=compare(labels, predictions, baselines[TESTED]),
        most_wrong=tuple(
            WrongPicture(int(i), classes[labels[i]], float(probabilities[i]))
            for i in most_wrong(labels, probabilities, threshold)
        ),
        probabilities=probabilities,
    )


def _score_baseline(
    name: str,
    predictions: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, str],
    sampled: int | None,
) -> Baseline:
    right = int((predictions == labels).sum())
    constant = name in ("constant", "hindsight")
    return Baseline(
        always=classes[predictions[0]] if constant else None,
        in_hindsight=name == "hindsight",
        right=right,
        accuracy=wilson(right, len(labels)),
        sampled=sampled if name == "logistic" else None,
    )
