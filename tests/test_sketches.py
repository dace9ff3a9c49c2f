"""The built-in pictures: what is promised of their bytes, and how hard they are."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import jax
import numpy as np
import pytest
from conftest import PAINT
from first_sketches import first_sketches

from jaxnet.data import recipe1, recipe2
from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.kinds import KINDS
from jaxnet.data.sketches import draw_sketches
from jaxnet.errors import DataError, UsageError
from jaxnet.network import accuracy, init_params
from jaxnet.progress import silent
from jaxnet.training import fit

T = TypeVar("T")
SHA256 = "4be511c9f49234962d1178c1f7559299217dac23dfbeca43679e086a16e94946"
SHA256_OF_RECIPE_1 = "88a57057e514a0367bd79a6450ddfe8e946ba5a71e0a8c0f14e3978be7f1cc5f"
LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module", autouse=True)
def _every_picture_is_painted() -> Iterator[None]:
    """Paint also what another test has painted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe2, "_paint", PAINT)
        yield


@pytest.fixture(scope="module")
def sketches() -> Dataset:
    return draw_sketches()


def of(split: Split | None, label: int) -> np.ndarray:
    """Return the pictures of one class, in order."""
    assert split is not None
    pictures: np.ndarray = split.images[split.labels == label]
    return pictures


@pytest.mark.parametrize(("name", "count", "cats"), [("train", 209, 72), ("test", 50, 17)])
def test_counts_shapes_and_dtypes(sketches: Dataset, name: str, count: int, cats: int) -> None:
    images, labels, _ = sketches.splits[name]
    assert images.shape == (count, 64, 64, 3)
    assert images.dtype == np.uint8
    assert labels.shape == (count,)
    assert labels.dtype == np.int64
    assert set(labels) == {0, 1}
    assert labels.sum() == cats
    assert 0 < labels[: count // 2].sum() < cats


def test_says_what_it_is(sketches: Dataset) -> None:
    assert sketches.classes == ("other", "cat")
    assert "recipe 2" in sketches.source
    assert "seed 0" in sketches.source


def test_no_test_split() -> None:
    assert draw_sketches(5, 0).test is None


def test_the_seed_decides_every_byte(sketches: Dataset) -> None:
    again, other = draw_sketches(), draw_sketches(seed=1)
    for name, split in sketches.splits.items():
        np.testing.assert_array_equal(again.splits[name].images, split.images)
        np.testing.assert_array_equal(again.splits[name].labels, split.labels)
        for label in (0, 1):
            assert not np.any(np.all(of(other.splits[name], label) == of(split, label), (1, 2, 3)))
        assert np.any(other.splits[name].labels != split.labels)


@pytest.mark.parametrize("count", [2, 37, 193, 500])
def test_a_picture_does_not_depend_on_those_beside_it(sketches: Dataset, count: int) -> None:
    drawn = draw_sketches(count, count // 2 + 1)
    for name, split in sketches.splits.items():
        for label in (0, 1):
            mine, theirs = of(drawn.splits[name], label), of(split, label)
            common = min(len(mine), len(theirs))
            assert common > 0
            np.testing.assert_array_equal(mine[:common], theirs[:common])


def test_no_picture_comes_twice(sketches: Dataset) -> None:
    pictures = [image.tobytes() for split in sketches.splits.values() for image in split.images]
    assert len(set(pictures)) == len(pictures) == 259


@pytest.mark.parametrize(("train_count", "test_count"), [(1, 50), (0, 50), (209, 1), (-3, 0)])
def test_too_few_to_hold_both_classes(train_count: int, test_count: int) -> None:
    with pytest.raises(DataError, match="at least 2"):
        draw_sketches(train_count, test_count)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_range(seed: int) -> None:
    with pytest.raises(UsageError, match=str(seed)):
        draw_sketches(2, 0, seed=seed)


@pytest.mark.slow
def test_the_bytes_of_each_recipe(sketches: Dataset) -> None:
    """Recipe 2 draws these bytes everywhere, and recipe 1 nearly those of JAX 0.10."""
    assert sketches.sha256 == SHA256
    known = first_sketches()
    assert known.sha256 == SHA256_OF_RECIPE_1
    with jax.enable_x64(True):  # which changes no byte
        drawn = draw_sketches(recipe=1)
    assert "recipe 1" in drawn.source
    for name, split in drawn.splits.items():
        np.testing.assert_array_equal(known.splits[name].labels, split.labels)
        difference = np.abs(known.splits[name].images.astype(int) - split.images)
        assert difference.max() <= 1
        assert np.count_nonzero(difference) <= 1e-5 * split.images.size


def test_a_part_covers_nothing_outside_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where a part may cover pixels it is painted; painted everywhere, it is the same."""
    monkeypatch.setattr(recipe2, "BLOCK", 1)  # the window of a block is that of all its pictures
    kinds = np.repeat(np.arange(len(KINDS)), 8)
    keys = np.stack([np.full(len(kinds), 7), np.arange(len(kinds))], 1).astype(np.uint32)
    quick = recipe2.paint_all(keys, kinds, silent)
    everywhere = np.full((1, 1, 1), np.float32(1e3))
    monkeypatch.setattr(recipe2, "_reach", lambda *_: (everywhere, everywhere))
    np.testing.assert_array_equal(recipe2.paint_all(keys, kinds, silent), quick)


@pytest.mark.parametrize("recipe", [0, 3, "2"])
def test_a_recipe_that_does_not_exist(recipe: Any) -> None:
    with pytest.raises(UsageError, match="recipe is"):
        draw_sketches(2, 0, recipe=recipe)


@pytest.mark.parametrize(("recipe", "parts"), [(1, 2), (2, len(KINDS))])
def test_every_part_is_tracked(recipe: int, parts: int) -> None:
    told: list[float | None] = []

    def track(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        items = list(sequence)
        told.extend([len(items), total])
        return items

    draw_sketches(recipe1.BATCH, 2, recipe=recipe, track=track)
    assert told == [parts, parts]


def best_threshold(values: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the sign and the threshold with which sign · value > threshold fits best."""
    found = []
    for sign in (1.0, -1.0):
        for threshold in np.append(sign * values, -np.inf):
            found.append((np.mean((sign * values > threshold) == labels), sign, threshold))
    _, sign, threshold = max(found)
    return sign, float(threshold)


@pytest.mark.parametrize("place", ["everywhere", "border"])
def test_brightness_alone_does_not_tell(sketches: Dataset, place: str) -> None:
    """Always saying "other" is right for 66 %; one threshold on the mean grey adds little to it."""
    where = np.ones((64, 64), bool)
    where[4:-4, 4:-4] = place == "everywhere"
    brightness = {
        name: (split.images @ LUMA)[:, where].mean(1) for name, split in sketches.splits.items()
    }
    sign, threshold = best_threshold(brightness["train"], sketches.train.labels)
    for name, split in sketches.splits.items():
        assert np.mean((sign * brightness[name] > threshold) == split.labels) <= 0.70


@pytest.mark.slow
def test_the_article_s_network_learns_them(sketches: Dataset) -> None:
    """With the defaults it fits the training pictures, and does well, not perfectly, on others."""
    X, Y = {}, {}
    for name, split in sketches.splits.items():
        X[name], Y[name] = to_columns(split.images), to_row(split.labels)
    scores: dict[str, list[float]] = {"train": [], "test": []}
    for seed in range(8):
        params = fit(init_params(jax.random.key(seed), 4096), X["train"], Y["train"]).params
        for name in scores:
            scores[name].append(float(accuracy(params, X[name], Y[name])))
    assert np.median(scores["train"]) >= 0.95
    assert 0.75 <= np.median(scores["test"]) <= 0.95
