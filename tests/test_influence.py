"""Memorisation and influence against numbers by hand, and what counts as noise, by simulation."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.dataset import Dataset, Split
from jaxnet.errors import DataError, UsageError
from jaxnet.evaluation.influence import (
    Change,
    check_test_pictures,
    influence,
    memorisation,
    most_moved,
    summarise_influence,
    unseen_accuracies,
)
from jaxnet.evaluation.scores import wilson
from jaxnet.examples import make_examples
from jaxnet.many.leave_one_out import LeaveOneOut, leave_one_out
from jaxnet.report.json import to_json
from jaxnet.settings import Settings


def make_result() -> LeaveOneOut:
    """Two seeds, two training pictures (of class 1 and 0), one test picture."""
    return LeaveOneOut(
        train=np.array([[0.9, 0.2], [0.7, 0.2]], np.float32),
        test=np.array([[0.6], [0.6]], np.float32),
        train_without=np.array([[[0.4, 0.1], [0.9, 0.7]], [[0.6, 0.3], [0.8, 0.1]]], np.float32),
        test_without=np.array([[[0.5], [0.9]], [[0.1], [0.3]]], np.float32),
        outcomes=np.array([["learning", "learning", "dead"], ["learning", "slow", "learning"]]),
    )


def make_dataset(train: int, test: int | None) -> Dataset:
    def split(m: int) -> Split:
        return Split(np.zeros((m, 1, 1, 3), np.uint8), np.arange(1, m + 1) % 2)

    return Dataset(split(train), None if test is None else split(test), ("no", "yes"))


def test_changes_are_those_of_the_probabilities_averaged_over_the_seeds() -> None:
    result = make_result()
    memorised = memorisation(result, np.array([1, 0]))
    np.testing.assert_allclose(memorised.mean, [0.3, 0.2], rtol=1e-6)  # 0.5, 0.1 and 0.5, -0.1
    np.testing.assert_allclose(memorised.spread, [0.4 / 2**0.5, 0.6 / 2**0.5], rtol=1e-6)
    assert (memorised.seeds, memorised.compared) == (2, 2)
    moved = influence(result)
    np.testing.assert_allclose(moved.mean, [[0.3], [0.0]], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(moved.spread, [[0.4 / 2**0.5], [0.6 / 2**0.5]], rtol=1e-6)
    with pytest.raises(DataError, match="no test pictures"):
        influence(result._replace(test=None, test_without=None))


def test_the_accuracy_on_pictures_that_are_left_out() -> None:
    accuracy, by_seed = unseen_accuracies(make_result(), np.array([1, 0]))
    assert by_seed.tolist() == [0.0, 1.0]
    assert accuracy == wilson(0, 2)  # the lower of the two in the middle
    half = make_result()
    half.train_without[:] = 0.5
    assert unseen_accuracies(half, np.array([0, 0]))[1].tolist() == [1, 1]  # 0.5 is negative


def test_a_matrix_covers_every_pair_and_a_named_picture_its_own() -> None:
    moved = Change(np.zeros((209, 50)), np.full((209, 50), 0.1), 8, 209 * 50)
    assert moved.of(3, named=False).compared == 209 * 50
    assert moved.of(3, named=True).compared == 209
    result = make_result()._replace(
        test=np.zeros((2, 5)), test_without=np.zeros((2, 2, 5)) + np.arange(5)
    )
    matrix = influence(result)
    assert matrix.compared == 10
    assert matrix.of(4, named=True).mean.tolist() == [-4, -4]


def test_the_bound_is_the_t_quantile_by_bonferroni() -> None:
    change = Change(np.zeros(209), np.full(209, 0.1), 8, 209)
    expected = stats.t.ppf(1 - 0.05 / (2 * 209), 7) * 0.1 / 8**0.5
    np.testing.assert_allclose(change.bound, expected, rtol=1e-9)
    alone = Change(np.zeros(1), np.ones(1), 8, 1)  # 2.3646 of every table of t
    np.testing.assert_allclose(alone.bound, 2.3646 / 8**0.5, rtol=1e-4)
    above, below = expected * (1 + 1e-9), expected * (1 - 1e-9)
    edge = Change(np.array([above, -above, below, -below]), np.full(4, 0.1), 8, 209)
    assert edge.noise.tolist() == [False, False, True, True]


def test_seeds_that_agree_exactly_are_no_noise_unless_the_change_is_a_rounding_error() -> None:
    mean = np.array([0.0, 6e-8, -1e-6, 2e-6, -0.3, np.nan])
    assert Change(mean, np.zeros(6), 8, 6).noise.tolist() == [True, True, True, False, False, True]


def make_noise(tables: int, seeds: int, m: int, seed: int) -> Change:
    """Draw changes that are 0 on average, as many tables side by side, (m, tables)."""
    differences = np.random.default_rng(seed).normal(0, 0.1, (seeds, m, tables))
    return Change(differences.mean(axis=0), differences.std(axis=0, ddof=1), seeds, m)


@pytest.mark.parametrize("seeds", [2, 8])
def test_of_tables_of_pure_chance_one_in_twenty_shows_a_change(seeds: int) -> None:
    m, tables = 209, 4000
    chance = make_noise(tables, seeds, m, seed=1)
    shown = (~chance.noise).any(axis=0).mean()
    # 4.9 % are expected of independent changes; the standard error is 0.34 %.
    assert 0.035 < shown < 0.06
    # A change no larger than the standard deviation was called noise before: that shows chance in
    # nearly every table, as the largest of all changes is at the top.
    old = np.abs(chance.mean) > chance.spread
    assert old.any(axis=0).mean() > 0.95


def test_chance_shows_no_more_where_the_test_pictures_are_chosen_by_their_changes() -> None:
    shown = too_many = 0
    for seed in range(400):
        moved = make_noise(30, 8, 40, seed)._replace(compared=40 * 30)
        top = int(most_moved(moved)[0])
        shown += not moved.of(top, named=False).noise.all()
        # As if each test picture had been named beforehand.
        narrow = moved._replace(compared=40)
        top = int(most_moved(narrow)[0])
        too_many += not moved.of(top, named=True).noise.all()
    assert 0.02 < shown / 400 < 0.08  # 4.9 % are expected, with a standard error of 1.1 %
    assert too_many / 400 > 0.7


def test_a_real_change_among_many_is_no_noise() -> None:
    differences = np.random.default_rng(1).normal(0, 0.05, (8, 209))
    differences[:, 146] += 0.3
    change = Change(differences.mean(axis=0), differences.std(axis=0, ddof=1), 8, 209)
    assert np.flatnonzero(~change.noise).tolist() == [146]
    assert change.order[0] == 146


def test_the_largest_change_comes_first() -> None:
    change = Change(np.array([0.1, -0.5, 0.9, 0.3, 0.0]), np.zeros(5), 2, 5)
    assert change.order.tolist() == [2, 1, 3, 0, 4]
    # Of three test pictures, the second has noise only, and the third the largest change.
    mean, spread = np.array([[0.2, 0.9, 0.1], [0.1, 0.0, -0.3]]), np.array([[0.0, 1.0, 0.0]] * 2)
    moved = Change(mean, spread, 8, 6)
    assert most_moved(moved).tolist() == [2, 0, 1]
    assert moved.of(2, named=True).order.tolist() == [1, 0]
    assert moved.of(2, named=True).noise.tolist() == [False, False]


def test_the_summary_by_hand() -> None:
    summary = summarise_influence(make_result(), make_dataset(2, 1))
    assert summary.positive == "yes"
    assert (summary.seeds, summary.named) == (2, False)
    assert summary.outcomes == {"dead": 1, "learning": 4, "slow": 1}
    assert summary.left_out == (2, wilson(0, 2))
    assert summary.left_out_by_seed.tolist() == [0, 1]
    assert summary.seen_by_seed.tolist() == [1, 1]
    assert summary.always == ("no", 0.5)
    first, second = summary.memorisation
    assert (first.picture, first.class_, second.picture, second.class_) == (0, "yes", 1, "no")
    assert first.change == pytest.approx(0.3)
    assert (first.seen, first.left_out) == pytest.approx((0.8, 0.5))
    assert (second.seen, second.left_out) == pytest.approx((0.8, 0.6))
    assert first.noise
    (explained,) = summary.explained
    assert (explained.picture, explained.class_) == (0, "yes")
    assert explained.probability == pytest.approx(0.6)
    assert [row.picture for row in explained.by] == [0, 1]
    assert explained.by[0].change == pytest.approx(0.3)
    answer = json.loads(json.dumps(to_json(summary)))
    assert answer["memorisation"][0].keys() == {
        "picture", "class", "change", "spread", "noise", "seen", "left_out",
    }  # fmt: skip
    assert answer["explained"][0]["by"][0].keys() == {
        "picture", "class", "change", "spread", "noise",
    }  # fmt: skip
    assert answer["left_out"]["accuracy"]["value"] == 0
    assert answer["always"] == {"class": "no", "accuracy": 0.5}


def make_large(m: int = 30, tests: int = 5) -> LeaveOneOut:
    """Picture 2 of train moves test picture 3 in each of eight seeds; all else is noise."""
    draw = np.random.default_rng(0).normal
    test_without = 0.5 + draw(0, 0.01, (8, m, tests))
    test_without[:, 2, 3] -= 0.1
    return LeaveOneOut(
        np.full((8, m), 0.5),
        np.full((8, tests), 0.5),
        0.5 + draw(0, 0.01, (8, m, m)),
        test_without,
        np.full((8, m + 1), "learning"),
    )


def test_the_test_pictures_are_named_or_those_that_change_most() -> None:
    dataset = make_dataset(30, 5)
    chosen = summarise_influence(make_large(), dataset)
    assert len(chosen.explained) == 3
    assert chosen.explained[0].picture == 3
    assert len(chosen.explained[0].by) == 20
    assert [row.picture for row in chosen.explained[0].by if not row.noise] == [2]
    named = summarise_influence(make_large(), dataset, [4, 3])
    assert named.named
    assert [part.picture for part in named.explained] == [4, 3]
    moved = influence(make_large())
    # A change between the two bounds is noise only where its picture was chosen by it.
    narrow, wide = (moved.of(3, named=name).bound.max() for name in (True, False))
    assert narrow < wide


def test_without_test_pictures() -> None:
    alone = make_result()._replace(test=None, test_without=None)
    summary = summarise_influence(alone, make_dataset(2, None))
    assert summary.explained == ()
    assert len(summary.memorisation) == 2


def test_what_does_not_fit() -> None:
    with pytest.raises(UsageError, match="picture is 1\n"):
        summarise_influence(make_result(), make_dataset(2, 1), [1])
    with pytest.raises(UsageError, match="picture is -1"):
        check_test_pictures(make_dataset(2, 1), [-1])
    with pytest.raises(UsageError, match="the data set has no test split"):
        check_test_pictures(make_dataset(2, None), [0])
    check_test_pictures(make_dataset(2, None), [])
    check_test_pictures(make_dataset(2, 3), [2, 0])
    for dataset in (make_dataset(3, 1), make_dataset(2, 2), make_dataset(2, None)):
        with pytest.raises(DataError, match="the result is of"):
            summarise_influence(make_result(), dataset)


@pytest.mark.optimized
@pytest.mark.slow
def test_a_test_picture_that_is_in_train_too_is_explained_by_its_copy(cats: Dataset) -> None:
    assert cats.test is not None
    third = Split(cats.train.images[2::3], cats.train.labels[2::3])
    train = make_examples(to_columns(third.images), to_row(third.labels))
    test = make_examples(to_columns(cats.test.images), to_row(cats.test.labels))
    result = leave_one_out(train, Settings(iterations=500, learning_rate=0.015), test=test)
    explained = influence(result).of(17, named=True)
    copy = 146 // 3
    assert explained.order[0] == copy
    assert explained.mean[copy] > 0.1
    assert not explained.noise[copy]
    summary = summarise_influence(result, dataclasses.replace(cats, train=third), [17])
    assert summary.explained[0].by[0].picture == copy
