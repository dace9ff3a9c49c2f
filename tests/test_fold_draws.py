"""Folds: stratified, drawn by the seed, never parting a group; what is refused."""

import numpy as np
import pytest

from jaxnet.errors import DataError, UsageError
from jaxnet.many.fold_draws import draw_folds

LABELS = (np.arange(37) % 3 == 0).astype(int)  # 24 and 13


def test_every_fold_has_its_share_of_each_class() -> None:
    drawn = draw_folds(LABELS, 5, 8, seed=3)
    assert drawn.shape == (8, 37)
    for row in drawn:
        assert np.ptp(np.bincount(row, minlength=5)) <= 1
        for label in (0, 1):
            assert np.ptp(np.bincount(row[LABELS == label], minlength=5)) <= 1
    assert len({row.tobytes() for row in drawn}) == 8


def test_the_seed_decides_and_more_repeats_change_none() -> None:
    drawn = draw_folds(LABELS, 5, 3, seed=3)
    np.testing.assert_array_equal(draw_folds(LABELS, 5, 2, seed=3), drawn[:2])
    assert (draw_folds(LABELS, 5, 2, seed=4) != drawn[:2]).any()


def test_every_picture_is_with_every_other_in_some_repeat() -> None:
    """Nothing but chance decides who is in one fold."""
    drawn = draw_folds(np.repeat([0, 1], 6), 3, 200)
    together = (drawn[:, :, None] == drawn[:, None]).mean(axis=0)[~np.eye(12, dtype=bool)]
    # Of the same class 1 of 5 others, of the other class 2 of 6.
    assert together.min() > 0.1
    assert together.max() < 0.45


def test_no_group_is_parted() -> None:
    groups = np.random.default_rng(0).integers(0, 14, 37)
    for repeat in draw_folds(LABELS, 4, 10, groups=groups):
        for group in np.unique(groups):
            assert len(np.unique(repeat[groups == group])) == 1
        shares = [np.bincount(repeat[LABELS == label], minlength=4) for label in (0, 1)]
        assert (shares[0] > 2).all()
        assert (shares[1] > 1).all()


def test_groups_of_one_picture_are_pictures() -> None:
    drawn = draw_folds(LABELS, 5, 3, groups=np.arange(37)[::-1] * 7)
    for row in drawn:
        assert np.ptp(np.bincount(row, minlength=5)) <= 1


def test_more_folds_than_pictures_or_groups_of_a_class() -> None:
    classes = ("dog", "cat")
    with pytest.raises(DataError, match='14 folds, but "cat" has 13 pictures'):
        draw_folds(LABELS, 14, classes=classes)
    draw_folds(LABELS, 13, classes=classes)
    groups = np.where(LABELS == 1, np.arange(37) // 12, np.arange(37))
    with pytest.raises(DataError, match='5 folds, but "cat" has 4 groups'):
        draw_folds(LABELS, 5, groups=groups, classes=classes)
    one_class = np.zeros(9, int)
    with pytest.raises(DataError, match='2 folds, but "cat" has 0 pictures'):
        draw_folds(one_class, 2, classes=classes)


def test_groups_that_cannot_be_dealt_are_told() -> None:
    """The groups of class 0 are large, so that those of both classes come together."""
    labels = np.array([0] * 6 + [0, 1, 1, 0, 1, 1])
    groups = np.array([0] * 6 + [1, 1, 1, 2, 2, 2])
    assert draw_folds(labels, 2, groups=groups).shape == (1, 12)
    with pytest.raises(DataError, match='3 folds, but "class 1" has 2 groups'):
        draw_folds(labels, 3, groups=groups)


def test_numbers_out_of_range() -> None:
    with pytest.raises(UsageError, match="folds is 1"):
        draw_folds(LABELS, 1)
    with pytest.raises(UsageError, match="repeats is 0"):
        draw_folds(LABELS, 2, 0)
    with pytest.raises(UsageError, match="seed is -1"):
        draw_folds(LABELS, 2, seed=-1)
