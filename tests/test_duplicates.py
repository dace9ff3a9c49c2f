"""Duplicates of sketches that are copied, re-encoded, brightened and shifted; and leaks."""

import io
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from jaxnet.data import candidates, near_duplicates
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.duplicates import (
    Pair,
    Place,
    find_pairs,
    leaking,
    pairs_without_leaks,
    without_leaks,
)
from jaxnet.data.grey import average_matrices, measure_grey, to_grey
from jaxnet.data.likeness import (
    ALIKE,
    ALIKE_CELLS,
    MOST_BITS,
    average,
    blur,
    difference_hash,
    normalise,
    pixels_alike,
)
from jaxnet.data.near_duplicates import MOST_PARTNERS
from jaxnet.data.sketches import draw_sketches
from jaxnet.progress import T

Change = Callable[[np.ndarray], np.ndarray]
SLOW = pytest.mark.slow


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


def added(levels: int) -> Change:
    return lambda image: np.clip(image.astype(int) + levels, 0, 255).astype(np.uint8)


def noisy(deviation: float) -> Change:
    def change(image: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(int(image.sum())).normal(0, deviation, image.shape)
        return np.clip(image + noise, 0, 255).round().astype(np.uint8)

    return change


def blurred(radius: float) -> Change:
    return lambda image: np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def resized(side: int) -> Change:
    """Store a picture at another size; it is read at its first one."""

    def change(image: np.ndarray) -> np.ndarray:
        size = image.shape[1], image.shape[0]
        return np.asarray(Image.fromarray(image).resize((side, side)).resize(size))

    return change


def with_noise(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 10, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def words(pairs: tuple[Pair, ...]) -> list[str]:
    return [str(pair) for pair in pairs]


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=SLOW) for k in (1, 2)), 3, 14])
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
    images = clean.train.images
    pairs = find_pairs(changed(clean, t4=change(images[8]), t7=change(images[17])))
    for pair, number, copy in zip(pairs, (8, 17), (4, 7), strict=True):
        assert (pair.first, pair.second) == (Place("train", number), Place("test", copy))
        assert not pair.exact


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        (as_jpeg(40), set()),
        (as_jpeg(90), set()),
        (brighter(0.7), set()),
        (brighter(1.15), {5}),  # most of it is white
        (added(25), {5}),
        (added(-25), set()),
        (noisy(3), set()),
        (noisy(6), {8}),  # as in one of six draws of such noise
        (blurred(0.8), set()),
        (resized(96), set()),
        (resized(48), set()),
        # The pixels of picture 35 correlate too little.
        (lambda image: noisy(3)(as_jpeg(60)(brighter(0.85)(shifted(-2, 1)(image)))), {35}),
    ],
)
def test_copies_of_several_strengths(change: Change, missed: set[int], clean: Dataset) -> None:
    """What the fit of one picture to the other leaves of a copy is noise."""
    images = clean.train.images
    copies = np.stack([change(image) for image in images])
    pairs = find_pairs(Dataset(clean.train, Split(copies, clean.train.labels), clean.classes))
    assert set(range(len(images))) - set(leaking(pairs)) == missed
    assert {pair.first.number - pair.second.number for pair in pairs} == {0}


def test_a_part_that_is_drawn_otherwise_makes_another_picture(clean: Dataset) -> None:
    """Most of the pixels of two drawings of one kind agree; a copy differs nowhere by much."""
    changed_parts = []
    for number in range(60):
        image = clean.train.images[number].copy()
        spot = image[20:29, 36:45].astype(int)
        image[20:29, 36:45] = np.where(spot.mean() < 128, spot + 60, spot - 60).clip(0, 255)
        changed_parts.append(image)
    both = np.stack([clean.train.images, np.stack(changed_parts)])
    grey = blur(to_grey(both.reshape(-1, 64, 64, 3))).reshape(2, 60, 62, 62)
    correlations = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(*grey, strict=True)]
    alike = np.array(correlations) >= ALIKE
    assert alike.sum() >= 10, "their correlation does not tell them apart"
    assert not pixels_alike(*grey)[alike].any()
    assert pixels_alike(grey[0], grey[0]).all()


@pytest.mark.parametrize("down", [-3, 3, 4, 12])
def test_a_picture_that_is_shifted_further_is_no_duplicate(down: int, clean: Dataset) -> None:
    for change in (shifted(down, 0), shifted(0, down)):
        some = [change(clean.train.images[number]) for number in (0, 4, 17)]
        assert find_pairs(changed(clean, t4=some[0], t7=some[1], t9=some[2])) == ()


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


def compare_all(images: np.ndarray) -> list[str]:
    """Find the near duplicates by comparing each picture with each at each shift: the oracle."""
    grey = to_grey(images)
    cells = average(grey, shifted=True)
    hashes, rows = difference_hash(cells), normalise(cells)
    reach = cells.shape[1] // 2
    h, w = (side - 2 * reach for side in grey.shape[1:])
    found = []
    for j in range(len(images)):
        partners = []
        for i in range(j):
            middle = blur(grey[i : i + 1, reach : reach + h, reach : reach + w])
            bits = np.bitwise_count(hashes[i, reach, reach] ^ hashes[j])  # (n, n)
            alike = rows[j] @ rows[i, reach, reach] >= ALIKE_CELLS
            for y, x in np.argwhere((bits <= MOST_BITS) & alike):
                window = blur(grey[j : j + 1, y : y + h, x : x + w])
                if pixels_alike(middle, window)[0]:
                    partners.append(f"train {i} ≈ train {j}")
                    break
        found += partners[:MOST_PARTNERS]
    return sorted(found)


def random_pictures(seed: int, m: int, shape: tuple[int, int]) -> np.ndarray:
    """Make smooth random pictures, half of them changed copies of others, weakly or strongly."""
    generator = np.random.default_rng(seed)
    few = generator.integers(0, 256, (m, 6, 6, 3), dtype=np.uint8)
    size = (shape[1], shape[0])
    images = np.stack(
        [np.asarray(Image.fromarray(i).resize(size, Image.Resampling.BICUBIC)) for i in few]
    )
    reach, noise = min(2, min(shape) // 16), 25 * min(shape) / 64
    for k in range(m // 2):
        shift = shifted(*generator.integers(-reach, reach + 1, 2).tolist())
        copy = shift(images[generator.integers(m // 2)])
        copy = brighter(generator.uniform(0.8, 1.1))(copy)
        images[m // 2 + k] = noisy(generator.uniform(0, noise))(copy)
    return images[generator.permutation(m)]


@pytest.mark.parametrize("shape", [(9, 9), (16, 30), (32, 32), (64, 64), (70, 40)])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=SLOW), 2])
def test_the_same_pairs_as_comparing_all(
    seed: int, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "LATER", 16)
    monkeypatch.setattr(near_duplicates, "EARLIER", 8)
    monkeypatch.setattr(near_duplicates, "CHUNK", 5)
    monkeypatch.setattr(near_duplicates, "HASHED", 11)
    monkeypatch.setattr(candidates, "ROWS", 3)
    monkeypatch.setattr(candidates, "COLUMNS", 5)
    images = random_pictures(seed, 40, shape)
    dataset = Dataset(Split(images, np.arange(40) % 2), None, ("no", "yes"))
    expected = compare_all(images)
    assert 8 <= len(expected) < 200
    assert sorted(words(find_pairs(dataset))) == expected


@pytest.mark.parametrize("block", [6, 2048])
def test_of_many_near_duplicates_the_first_are_listed(
    block: int, clean: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "EARLIER", block)
    noise = np.random.default_rng(0).integers(-2, 3, (30, 64, 64, 3))
    frames = clean.train.images[5] + noise
    images = frames.clip(0, 255).astype(np.uint8)
    labels = np.arange(30) % 2
    made = Dataset(Split(images[:20], labels[:20]), Split(images[20:], labels[20:]), clean.classes)
    pairs = find_pairs(made)
    for number in range(20):
        partners = [p.first.number for p in pairs if p.second == Place("train", number)]
        assert partners == list(range(min(number, MOST_PARTNERS)))
    assert leaking(pairs) == tuple(range(10))


def test_every_shift_at_which_the_averages_are_alike_is_tried(clean: Dataset) -> None:
    """The averages may correlate most at another shift than the pixels."""
    images = np.stack([clean.train.images[4], shifted(1, -2)(clean.train.images[4])])
    first, second = np.array([0]), np.array([1])
    alike = np.zeros((1, 25))  # by the shifts down, then to the right
    alike[0, 24] = 0.999

    def near() -> bool:
        grey = to_grey(images)
        return bool(near_duplicates._pixels(lambda i: grey[i], first, second, alike)[0])

    assert not near()
    alike[0, 5 * 3 + 0] = 0.981
    assert near()


def test_a_copy_is_found_behind_many_candidates(clean: Dataset) -> None:
    """Pictures that differ in fine detail alone pass all comparisons but the last."""
    generator = np.random.default_rng(0)
    detail = generator.normal(0, 15, (60, 32, 32, 1)).repeat(2, axis=1).repeat(2, axis=2)
    images = (0.8 * clean.train.images[4] + 25 + detail).clip(0, 255).astype(np.uint8)
    images[59] = jpeg(images[58])
    pairs = find_pairs(Dataset(Split(images, np.arange(60) % 2), None, clean.classes))
    assert words(pairs) == ["train 58 ≈ train 59"]


def test_a_faint_picture_may_differ_from_its_copy_by_some_grey_levels(clean: Dataset) -> None:
    faint = (0.5 * clean.train.images + 80).round().astype(np.uint8)
    copies = np.stack([as_jpeg(15)(image) for image in faint])
    grey = blur(to_grey(np.concatenate([faint, copies])))
    first, second = grey[:60], grey[60:]
    correlations = [
        np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(first, second, strict=True)
    ]
    alike = np.array(correlations) >= ALIKE
    assert 5 <= alike.sum() < 60
    np.testing.assert_array_equal(pixels_alike(first, second), alike)


def test_a_copy_of_a_validation_picture_leaks_if_that_is_in_train(clean: Dataset) -> None:
    assert clean.test is not None
    images = clean.test.images.copy()
    images[3] = jpeg(clean.train.images[5])
    test = clean.test.images.copy()
    test[8] = images[3]
    test[:2] = test[-2:] = clean.train.images[:2]
    made = Dataset(
        clean.train,
        Split(test, clean.test.labels),
        clean.classes,
        validation=Split(images[2:6], clean.test.labels[2:6]),
    )
    pairs = find_pairs(made)
    assert "train 5 ≈ validation 1" in words(pairs)
    assert "validation 1 = test 8" in words(pairs)
    assert leaking(pairs) == (0, 1, 8, 18, 19)


def test_the_duplicates_that_remain_without_leaks_are_known(clean: Dataset) -> None:
    assert clean.test is not None
    test = clean.test.images.copy()
    test[2], test[5] = clean.train.images[3], jpeg(clean.train.images[7])
    test[9], test[12], test[15] = test[4], jpeg(test[4]), jpeg(test[1])
    made = changed(clean, {9: clean.train.images[2]})
    made = Dataset(made.train, Split(test, clean.test.labels), clean.classes)
    pairs = find_pairs(made)
    left = find_pairs(without_leaks(made, pairs))
    assert len(left) == len(pairs) - 2
    assert set(pairs_without_leaks(pairs)) == set(left)
    assert pairs_without_leaks(left) == left


def test_the_search_shows_its_progress(clean: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "LATER", 32)
    monkeypatch.setattr(near_duplicates, "EARLIER", 16)
    steps: list[tuple[str, float | None, int]] = []

    def track(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        items = list(sequence)
        steps.append((description, total, len(items)))
        return items

    assert find_pairs(clean, track=track) == ()
    assert steps == [("reading pictures", 2, 2), ("comparing pictures", 11, 11)]


def test_brightness_is_measured_of_each_picture(clean: Dataset) -> None:
    assert clean.test is not None
    flat = np.full((64, 64, 3), 100, np.uint8)
    means, constant = measure_grey(changed(clean, {3: flat}, t2=flat + 50))
    images = np.concatenate([clean.train.images, clean.test.images])
    images[3], images[62] = flat, flat + 50
    expected = (images @ np.array([0.299, 0.587, 0.114])).mean((1, 2))
    np.testing.assert_allclose(means, expected, rtol=1e-5)
    assert np.flatnonzero(constant).tolist() == [3, 62]


def test_averages_are_those_of_the_pixels_that_remain() -> None:
    matrices = average_matrices(10, 3, reach=2)
    assert matrices.shape == (5, 10, 3)
    expected = [np.arange(10)[s : s + 6].reshape(3, 2).mean(1) for s in range(5)]
    np.testing.assert_allclose(np.arange(10) @ matrices, expected, rtol=1e-6)


def test_the_blur_weights_neighbours_1_2_1_in_both_directions() -> None:
    pictures = np.zeros((1, 5, 5))
    pictures[0, 2, 2] = 16
    expected = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert blur(pictures)[0].tolist() == expected
