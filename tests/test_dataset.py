import dataclasses

import numpy as np
import pytest

from jaxnet.data.dataset import (
    Dataset,
    Split,
    check_dataset,
    check_images,
    choose_positive,
    with_positive,
)
from jaxnet.errors import DataError, UsageError


@pytest.fixture
def dataset(images: np.ndarray) -> Dataset:
    labels = np.array([0, 1, 0, 0, 1, 0, 0, 1])
    test = Split(images[8:], np.array([0, 0, 1, 1]))
    return Dataset(Split(images[:8], labels), test, ("tree", "boat"), "noise")


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((5, 8, 8, 3), np.float32),
        ((5, 8, 8), np.uint8),
        ((8, 8, 3), np.uint8),
        ((5, 8, 8, 4), np.uint8),
        ((5, 3, 8, 8), np.uint8),
        ((5, 8, 8, 3), np.uint16),
    ],
)
def test_images_of_another_kind_are_refused(shape: tuple[int, ...], dtype: type) -> None:
    with pytest.raises(DataError, match="the pictures has shape") as caught:
        check_images(shape, np.dtype(dtype), "the pictures")
    assert str(shape) in caught.value.found
    assert np.dtype(dtype).name in caught.value.found


def test_no_pictures_are_refused() -> None:
    with pytest.raises(DataError, match=r"the pictures has shape \(0, 8, 8, 3\)"):
        check_images((0, 8, 8, 3), np.dtype(np.uint8), "the pictures")


def test_a_good_dataset_passes(dataset: Dataset) -> None:
    assert check_dataset(dataset) is dataset


def test_labels_that_do_not_fit_are_refused(dataset: Dataset) -> None:
    images = dataset.train.images
    for labels, found in (
        (np.array([0, 1, 0]), "3 labels for 8 pictures"),
        (np.array([0, 1, 0] * 3), "9 labels for 8 pictures"),
        (np.array([0, 1, 2, 0, 1, 2, 0, 1]), "labels 0, 1, 2"),
        (np.array([-1, 1, -1, 1, -1, 1, -1, 1]), "labels -1, 1"),
    ):
        with pytest.raises(DataError, match=found):
            check_dataset(dataclasses.replace(dataset, train=Split(images, labels)))


def test_one_class_only_is_refused(dataset: Dataset) -> None:
    train = Split(dataset.train.images, np.ones(8, int))
    with pytest.raises(DataError, match='every training picture is "boat"') as caught:
        check_dataset(dataclasses.replace(dataset, train=train))
    assert '"tree"' in caught.value.remedy


def test_train_and_test_of_different_sizes_are_refused(dataset: Dataset) -> None:
    test = Split(np.zeros((4, 8, 7, 3), np.uint8), np.array([0, 0, 1, 1]))
    with pytest.raises(DataError, match="training pictures are 8 × 6, test pictures 8 × 7"):
        check_dataset(dataclasses.replace(dataset, test=test))


def test_the_positive_class() -> None:
    assert choose_positive(("dog", "Cats"), None, "") == "Cats"
    assert choose_positive(("cat", "dog"), None, "") == "cat"
    assert choose_positive(("tree", "boat"), None, "") == "boat"
    assert choose_positive(("tree", "boat"), "tree", "") == "tree"
    assert choose_positive(("tree", "cat", "boat"), None, "") == "cat"
    with pytest.raises(UsageError, match='no class "car"'):
        choose_positive(("tree", "boat"), "car", "there")
    with pytest.raises(UsageError, match="there has 3 classes, and none of them is named cat or"):
        choose_positive(("tree", "boat", "car"), None, "there")
    with pytest.raises(
        UsageError, match="there has 3 classes, and 2 of them are named cat or cats"
    ):
        choose_positive(("cat", "Cats", "dog"), None, "there")


def test_making_the_first_class_positive_swaps_the_labels(dataset: Dataset) -> None:
    assert with_positive(dataset, None) is dataset
    swapped = with_positive(dataset, "tree")
    assert swapped.classes == ("boat", "tree")
    assert swapped.test is not None
    np.testing.assert_array_equal(swapped.train.labels, 1 - dataset.train.labels)
    np.testing.assert_array_equal(swapped.test.labels, [1, 1, 0, 0])


def test_the_sha256_covers_every_part(dataset: Dataset) -> None:
    original = dataset.sha256
    assert original == dataclasses.replace(dataset, source="elsewhere").sha256
    pixels = dataset.train.images.copy()
    pixels[3, 2, 1, 0] ^= 1
    labels = dataset.train.labels.copy()
    labels[0] = 1
    others = [
        dataclasses.replace(dataset, train=Split(pixels, dataset.train.labels)),
        dataclasses.replace(dataset, train=Split(dataset.train.images, labels)),
        dataclasses.replace(dataset, test=None),
        dataclasses.replace(dataset, classes=("boat", "tree")),
    ]
    assert len({original, *(other.sha256 for other in others)}) == 5
    # That of the training set does not depend on the test split, but on all else.
    ours = dataset.train_sha256
    assert [other.train_sha256 == ours for other in others] == [False, False, True, False]


def test_groups_stay_with_their_pictures(dataset: Dataset) -> None:
    groups = np.array(list("aabbccdd"))
    grouped = dataclasses.replace(dataset, train=dataset.train._replace(groups=groups))
    assert check_dataset(grouped) is grouped
    assert grouped.sha256 == dataset.sha256
    swapped = with_positive(grouped, "tree").train
    np.testing.assert_array_equal(swapped.groups, groups)
    some = grouped.train.take(np.array([6, 1]))
    assert some.groups is not None
    assert some.groups.tolist() == ["d", "a"]
    assert some.labels.tolist() == [0, 1]
    assert dataset.train.take(np.array([6, 1])).groups is None
    wrong = dataclasses.replace(dataset, train=dataset.train._replace(groups=groups[:3]))
    with pytest.raises(DataError, match=r"groups of shape \(3,\)"):
        check_dataset(wrong)


def test_a_class_of_a_number_may_be_named_by_it() -> None:
    assert choose_positive(("class 0", "class 3"), "3", "a.npz") == "class 3"
    assert choose_positive(("3", "class 3"), "3", "a.npz") == "3"
