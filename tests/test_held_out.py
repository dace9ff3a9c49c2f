"""Networks of a lever are those that `train` makes of the training part of each fold alone."""

import dataclasses

import numpy as np
import pytest

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.duplicates import Pair, Place
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError
from jaxnet.evaluation.improvement.held_out import Division, _one_by_one, divide, predict_held_out
from jaxnet.evaluation.improvement.levers import Lever, make_levers
from jaxnet.settings import Settings

SETTINGS = Settings(
    hidden_units=3, learning_rate=0.3, weight_scale=0.3, iterations=30, precision="float64", seed=5
)


def make_data(m: int = 18, *, groups: np.ndarray | None = None) -> Dataset:
    generator = np.random.default_rng(2)
    images = generator.integers(0, 256, (m, 4, 5, 3), dtype=np.uint8)
    labels = (np.arange(m) % 3 == 0).astype(int)
    return Dataset(Split(images, labels, groups), None, ("no", "yes"))


def levers_of(data: Dataset) -> dict[str, Lever]:
    own = Preprocessing(*data.train.images.shape[1:3])
    return {lever.name: lever for lever in make_levers(data.train, SETTINGS, own, seeds=2)}


def impatient(lever: Lever) -> Lever:
    if lever.settings.patience is None:
        return lever
    return lever._replace(settings=dataclasses.replace(lever.settings, patience=4))


# "together" has mirror images, decay, balanced classes and patience at once.
@pytest.mark.parametrize(
    "name",
    [
        "together",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                "as it is",
                "colour",
                "mirrored",
                "weight decay",
                "early stopping",
                "more units",
                "fewer units",
                "He weights",
                "balanced",
                "pixel scale",
            )
        ),
    ],
)
def test_one_program_trains_what_train_does_with_each_fold_removed(name: str) -> None:
    data = make_data()
    division = divide(data, 3, 1, 0, ())
    lever = impatient(levers_of(data)[name])
    at_once = predict_held_out(data, lever, division, 2)
    alone = _one_by_one(data, lever, division, 2, lambda items, *_: items)
    assert at_once.probabilities.shape == (1, 2, 18)
    np.testing.assert_allclose(at_once.probabilities, alone.probabilities, rtol=1e-8)
    assert (at_once.networks, at_once.failed) == (alone.networks, alone.failed) == (6, 0)


@pytest.mark.slow
def test_shifted_pictures_are_those_of_train() -> None:
    """A picture is predicted by networks that saw none of its fold, from the seeds in order."""
    from jaxnet.runs.train import train

    data = make_data()
    division = divide(data, 2, 1, 0, ())
    lever = levers_of(data)["shifted"]
    assert lever.settings.shift == 2
    got = predict_held_out(data, lever, division, 2).probabilities
    held = division.folds[0] == 1
    part = dataclasses.replace(data, train=data.train.take(~held))
    run = train(part, dataclasses.replace(lever.settings, seed=6), lever.preprocessing)
    np.testing.assert_array_equal(
        got[0, 1, held], run.model.predict_images(data.train.images[held])
    )


def test_overflow_has_no_answer() -> None:
    data = make_data()
    settings = dataclasses.replace(SETTINGS, learning_rate=1e300)
    lever = Lever("wild", settings, Preprocessing(4, 5))
    answers = predict_held_out(data, lever, divide(data, 3, 1, 0, ()), 1)
    assert answers.failed > 0
    assert np.isnan(answers.probabilities).any()


def test_no_division_parts_groups_or_duplicates() -> None:
    groups = np.array([f"animal {i // 2}" for i in range(40)])
    data = make_data(40, groups=groups)
    pairs = (Pair(Place("train", 0), Place("train", 39), exact=True, two_labels=True),)
    division = divide(data, 4, 3, 1, pairs)
    assert division.units[0] == division.units[39] == division.units[1]
    assert len(np.unique(division.units)) == 19
    assert division.watched is not None
    for row in (*division.folds, *division.watched):
        for unit in np.unique(division.units):
            assert len(np.unique(row[division.units == unit])) == 1
    trained, watched = division.parts(watched=True)
    assert not (trained & watched).any()
    assert not (division.held_out & (trained | watched)).any()
    assert (division.held_out | trained | watched).all()
    assert 0.1 < watched[~division.held_out].mean() < 0.3


def test_too_few_to_be_watched_by_both_classes() -> None:
    """Then there is no early stopping, and the other levers are measured all the same."""
    groups = np.array(["a", "b", "c", "d"])[[0, 0, 1, 1, 2, 2, 3, 3]]
    labels = np.array([1, 1, 0, 0, 1, 1, 0, 0])
    images = np.random.default_rng(0).integers(0, 256, (8, 3, 3, 3), dtype=np.uint8)
    data = Dataset(Split(images, labels, groups), None, ("no", "yes"))
    division = divide(data, 2, 1, 0, ())
    assert division.watched is None


def test_more_folds_than_pictures_of_a_class() -> None:
    with pytest.raises(DataError, match='9 folds, but "yes" has 6 pictures'):
        divide(make_data(), 9, 1, 0, ())
    groups = np.array([f"{i % 3}" for i in range(18)])
    with pytest.raises(DataError, match="groups of pictures that belong together"):
        divide(make_data(groups=groups), 5, 1, 0, ())


def test_a_picture_is_predicted_by_its_own_fold() -> None:
    division = Division(np.array([[0, 1, 1], [1, 0, 1]]), np.arange(3), None)
    assert division.ways == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert division.held_out.tolist() == [
        [True, False, False],
        [False, True, True],
        [False, True, False],
        [True, False, True],
    ]
