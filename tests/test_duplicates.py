"""Duplicates of sketches that are copied, re-encoded, brightened and shifted; and leaks."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.duplicates import Pair, Place, find_pairs, leaking, without_leaks
from jaxnet.data.sketches import draw_sketches

Change = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def clean() -> Dataset:
    return draw_sketches(60, 20, seed=3)


def changed(
    dataset: Dataset, train: dict[int, np.ndarray] | None = None, **test: np.ndarray
) -> Dataset:
    """Replace pictures by their numbers: of train as a dict, of test as keywords t0, t1, …"""
    assert dataset.test is not None
    images = [split.images.copy() for split in (dataset.train, dataset.test)]
    for i, image in (train or {}).items():
        images[0][i] = image
    for name, image in test.items():
        images[1][int(name[1:])] = image
    return Dataset(
        Split(images[0], dataset.train.labels),
        Split(images[1], dataset.test.labels),
        dataset.classes,
        "made",
    )


def as_jpeg(quality: int) -> Change:
    def change(image: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))

    return change


jpeg = as_jpeg(75)


def brighter(factor: float) -> Change:
    return lambda image: np.clip(image * factor, 0, 255).round().astype(np.uint8)


def shifted(down: int, right: int) -> Change:
    return lambda image: np.roll(image, (down, right), (0, 1))


def with_noise(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 10, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def words(pairs: tuple[Pair, ...]) -> list[str]:
    return [str(pair) for pair in pairs]


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 14])
def test_clean_sketches_have_no_duplicates(seed: int) -> None:
    assert find_pairs(draw_sketches(seed=seed)) == ()


@pytest.mark.parametrize(
    "change",
    [
        jpeg,
        brighter(0.9),
        brighter(1.1),
        shifted(2, 0),
        shifted(0, -2),
        shifted(-2, 2),
        shifted(1, 2),
        lambda image: jpeg(brighter(1.1)(shifted(2, -1)(image))),
    ],
)
def test_near_duplicates(change: Change, clean: Dataset) -> None:
    for number in (8, 17):
        (pair,) = find_pairs(changed(clean, t4=change(clean.train.images[number])))
        assert (pair.first, pair.second) == (Place("train", number), Place("test", 4))
        assert not pair.exact


@pytest.mark.parametrize("down", [-3, 3, 4, 12])
def test_a_picture_that_is_shifted_further_is_no_duplicate(down: int, clean: Dataset) -> None:
    for number in (0, 4, 17):
        for change in (shifted(down, 0), shifted(0, down)):
            assert find_pairs(changed(clean, t4=change(clean.train.images[number]))) == ()


def test_fine_detail_is_averaged_before_pictures_are_compared(clean: Dataset) -> None:
    # Their pixels correlate by 0.966 as they are, by 0.995 once blurred.
    pairs = find_pairs(changed(clean, t4=as_jpeg(30)(clean.train.images[5])))
    assert words(pairs) == ["train 5 ≈ test 4"]
    # By 0.988 once blurred; and this one by 0.973.
    assert find_pairs(changed(clean, t4=as_jpeg(15)(clean.train.images[5]))) != ()
    assert find_pairs(changed(clean, t4=as_jpeg(15)(clean.train.images[20]))) == ()


def test_up_to_six_bits_of_two_hashes_may_differ(clean: Dataset) -> None:
    for number in (2, 8):  # 6 bits differ
        pairs = find_pairs(changed(clean, t4=as_jpeg(15)(clean.train.images[number])))
        assert words(pairs) == [f"train {number} ≈ test 4"]
    assert find_pairs(changed(clean, t4=with_noise(clean.train.images[33]))) == ()  # 7 bits


def test_leaks_include_the_copies_of_a_leaked_copy(clean: Dataset) -> None:
    copy = jpeg(clean.train.images[5])
    pairs = find_pairs(changed(clean, t4=copy, t9=copy, t11=clean.train.images[8]))
    assert words(pairs) == ["train 5 ≈ test 4", "train 8 = test 11", "test 4 = test 9"]
    assert [pair.exact for pair in pairs] == [False, True, True]
    assert leaking(pairs) == (4, 9, 11)


def test_duplicates_within_a_split_are_no_leaks(clean: Dataset) -> None:
    assert clean.test is not None
    made = changed(clean, {9: clean.train.images[2]}, t4=clean.test.images[7])
    pairs = find_pairs(made)
    assert words(pairs) == ["train 2 = train 9", "test 4 = test 7"]
    assert leaking(pairs) == ()


@pytest.mark.parametrize("change", [np.copy, jpeg])
def test_two_labels_on_one_picture(change: Change, clean: Dataset) -> None:
    cat, other = (int(np.flatnonzero(clean.train.labels == label)[0]) for label in (1, 0))
    (pair,) = find_pairs(changed(clean, {other: change(clean.train.images[cat])}))
    assert pair.two_labels
    assert {pair.first.number, pair.second.number} == {cat, other}


def test_leaks_are_removed(clean: Dataset) -> None:
    assert clean.test is not None
    made = changed(clean, t4=jpeg(clean.train.images[5]), t11=clean.train.images[8])
    kept = without_leaks(made, find_pairs(made))
    assert kept.test is not None
    left = np.delete(np.arange(20), [4, 11])
    np.testing.assert_array_equal(kept.test.images, clean.test.images[left])
    np.testing.assert_array_equal(kept.test.labels, clean.test.labels[left])
    assert kept.skipped == ("2 test pictures that are also in the training set (test 4, test 11)",)
    assert kept.leaks_excluded == 2
    assert leaking(find_pairs(kept)) == ()
    assert without_leaks(clean, find_pairs(clean)) is clean


def test_a_test_split_of_leaks_alone_is_removed(clean: Dataset) -> None:
    train = clean.train
    leaked = Dataset(train, train.take(np.arange(4)), clean.classes)
    kept = without_leaks(leaked, find_pairs(leaked))
    assert kept.test is None
    assert kept.leaks_excluded == 4
    (line,) = kept.skipped
    assert line.endswith("training set (test 0, test 1, test 2 and 1 more)")


def test_groups_stay_without_leaks(clean: Dataset) -> None:
    assert clean.test is not None
    images = clean.test.images.copy()
    images[0] = clean.train.images[0]
    test = Split(images, clean.test.labels, np.arange(20).astype(str))
    made = Dataset(clean.train, test, clean.classes)
    kept = without_leaks(made, find_pairs(made)).test
    assert kept is not None
    assert kept.groups is not None
    assert kept.groups.tolist() == [str(i) for i in range(1, 20)]


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (9, 9), (20, 13), (64, 300)])
def test_pictures_of_any_size(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, *shape, 3), dtype=np.uint8)
    images[7] = images[2]
    pairs = find_pairs(Dataset(Split(images, np.arange(12) % 2), None, ("no", "yes")))
    assert words(pairs) == ["train 2 = train 7"]


def test_near_duplicates_of_larger_pictures(clean: Dataset) -> None:
    images = clean.train.images.repeat(2, axis=1).repeat(3, axis=2)  # 128 × 192
    images[9] = shifted(4, -6)(images[2])
    pairs = find_pairs(Dataset(Split(images, clean.train.labels), None, clean.classes))
    assert words(pairs) == ["train 2 ≈ train 9"]
