"""The audit's numbers, on sketches with known faults; and what the commands do with them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Result
from scipy import stats
from test_duplicates import changed, jpeg

from jaxnet.data import duplicates
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.duplicates import find_pairs
from jaxnet.data.hdf5 import write_hdf5
from jaxnet.data.load import load_dataset
from jaxnet.data.near_duplicates import near_pairs
from jaxnet.data.sketches import draw_sketches
from jaxnet.errors import DataError
from jaxnet.evaluation import audit as module
from jaxnet.evaluation.audit import audit

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def clean() -> Dataset:
    return draw_sketches(60, 20, seed=3)


def relabelled(dataset: Dataset, train: int, test: int | None = None) -> Dataset:
    """Label so many pictures of each split, the first ones, as class 1."""
    assert dataset.test is not None
    images = dataset.train.images, dataset.test.images
    counts = (train, test)
    splits = [
        None if count is None else Split(part, (np.arange(len(part)) < count).astype(int))
        for part, count in zip(images, counts, strict=True)
    ]
    assert splits[0] is not None
    return Dataset(splits[0], splits[1], dataset.classes, "made")


def made_bright(dataset: Dataset, dark: float) -> Dataset:
    """Darken the pictures of class 0."""
    assert dataset.test is not None
    splits = [
        Split((images * np.where(labels == 1, 1.0, dark)[:, None, None, None]).astype("u1"), labels)
        for images, labels, _ in (dataset.train, dataset.test)
    ]
    return Dataset(splits[0], splits[1], dataset.classes)


def test_clean_sketches(clean: Dataset) -> None:
    result = audit(clean)
    assert (result.pairs, result.leaks, result.constant) == ((), (), ())
    skew = result.skew
    assert [skew.skewed, skew.differs, skew.reversed] == [False] * 3
    assert not result.brightness.predictive
    assert result.positives == {name: y.mean() for name, (_, y, _) in clean.splits.items()}


def test_duplicates_and_leaks(clean: Dataset) -> None:
    made = changed(clean, {9: clean.train.images[2]}, t4=jpeg(clean.train.images[5]))
    result = audit(made)
    assert result.pairs == find_pairs(made)
    assert len(result.pairs) == 2
    assert result.leaks == (4,)


def test_known_duplicates_are_not_searched_again(
    clean: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = changed(clean, t4=clean.train.images[5])
    pairs = find_pairs(made)
    monkeypatch.setattr(module, "find_pairs", None)
    result = audit(made, pairs=pairs)
    assert (result.pairs, result.leaks) == (pairs, (4,))
    assert audit(made, pairs=()).leaks == ()


def test_constant_pictures_are_no_near_duplicates(clean: Dataset) -> None:
    flat = np.full((64, 64, 3), 100, np.uint8)
    nearly = flat + np.random.default_rng(0).integers(0, 3, flat.shape, dtype=np.uint8)
    result = audit(changed(clean, {3: flat, 7: nearly}, t2=flat + 50))
    assert [str(place) for place in result.constant] == ["train 3", "train 7", "test 2"]
    assert result.pairs == ()


def test_pictures_that_are_all_constant(images: np.ndarray) -> None:
    blank = np.zeros_like(images) + np.arange(len(images), dtype=np.uint8)[:, None, None, None]
    labels = np.arange(len(images)) % 2
    result = audit(Dataset(Split(blank, labels), None, ("no", "yes"), source="made"))
    assert result.pairs == ()
    assert len(result.constant) == len(images)


def test_the_skew_of_the_training_split(clean: Dataset) -> None:
    skew = audit(relabelled(clean, 6, 3)).skew
    assert skew.more_frequent == {"train": "other", "test": "other"}
    assert skew.shares == {"train": 0.9, "test": 0.85}
    assert skew.p_equal == pytest.approx(stats.binomtest(54, 60).pvalue, rel=1e-12)
    assert (skew.skewed, skew.differs, skew.reversed) == (True, False, False)
    # Three quarters are enough, and less is not.
    assert audit(relabelled(clean, 15, 5)).skew.skewed
    assert not audit(relabelled(clean, 16, 5)).skew.skewed
    assert audit(relabelled(clean, 45, 15)).skew.skewed


def test_a_skew_must_be_more_than_chance_and_large_enough(images: np.ndarray) -> None:
    def is_skewed(m: int, positives: int) -> bool:
        pictures = np.resize(images[:, :1, :1], (m, 1, 1, 3))
        split = Split(pictures, (np.arange(m) < positives).astype(int))
        return audit(Dataset(split, None, ("no", "yes"))).skew.skewed

    assert is_skewed(1000, 250)
    assert not is_skewed(1000, 255)
    assert not is_skewed(8, 1)  # p = 0.07
    assert not is_skewed(12, 2)  # p = 0.04


def test_the_skew_between_the_splits(clean: Dataset) -> None:
    skew = audit(relabelled(clean, 20, 16)).skew
    assert skew.p_alike == pytest.approx(0.000514, abs=5e-7)  # of [[40, 20], [4, 16]]
    assert (skew.skewed, skew.differs, skew.reversed) == (False, True, True)
    assert skew.more_frequent == {"train": "other", "test": "cat"}
    assert skew.shares == {"train": 40 / 60, "test": 16 / 20}
    # Different, but with the same class in front.
    skew = audit(relabelled(clean, 6, 9)).skew
    assert (skew.differs, skew.reversed) == (True, False)
    # Not more different than chance allows.
    skew = audit(relabelled(clean, 20, 13)).skew
    assert skew.p_alike == pytest.approx(stats.fisher_exact([[40, 20], [7, 13]]).pvalue, rel=1e-12)
    assert skew.p_alike is not None
    assert 0.01 < skew.p_alike < 0.05
    assert (skew.differs, skew.reversed) == (False, False)


def test_a_difference_must_be_large_enough_to_matter(images: np.ndarray) -> None:
    few = np.resize(images[:, :1, :1], (4000, 1, 1, 3))
    for positives, differs in ((1170, False), (1230, True)):  # 0.2925 and 0.3075 beside 0.2
        splits = [Split(few, (np.arange(4000) < count).astype(int)) for count in (800, positives)]
        skew = audit(Dataset(splits[0], splits[1], ("no", "yes"))).skew
        assert skew.p_alike is not None
        assert skew.p_alike < 1e-10
        assert skew.differs is differs


def test_without_a_test_split(clean: Dataset) -> None:
    result = audit(relabelled(clean, 20))
    assert result.skew.p_alike is None
    assert not result.skew.differs
    assert list(result.positives) == list(result.brightness.accuracies) == ["train"]


def test_small_splits_may_differ_by_chance(clean: Dataset) -> None:
    few = relabelled(clean, 20, 12)
    assert few.test is not None
    tiny = Dataset(
        Split(few.train.images[15:25], few.train.labels[15:25]),
        Split(few.test.images[9:13], few.test.labels[9:13]),
        few.classes,
    )
    result = audit(tiny)
    findings = [result.skew.skewed, result.skew.differs, result.brightness.predictive]
    assert findings == [False] * 3


def test_brightness_alone(clean: Dataset) -> None:
    made = made_bright(clean, 0.4)
    assert made.test is not None
    brightness = audit(made).brightness
    assert brightness.brighter == "cat"
    for name, (images, labels, _) in made.splits.items():
        grey = (images @ np.array([0.299, 0.587, 0.114])).mean((1, 2))
        right = (grey > brightness.threshold) == labels
        assert brightness.accuracies[name] == right.mean()
    assert brightness.accuracies["train"] > 0.85
    assert brightness.p < 0.01
    assert brightness.predictive
    splits = [Split(images, 1 - labels) for images, labels, _ in (made.train, made.test)]
    swapped = Dataset(splits[0], splits[1], made.classes)
    assert audit(swapped).brightness == brightness._replace(brighter="other")


def test_brightness_must_predict_much_better_than_a_constant(images: np.ndarray) -> None:
    # 80 dark pictures of class 0, and 20 of class 1, of which so many are bright.
    for bright, predictive in ((9, False), (11, True)):
        grey = np.r_[np.full(80, 60), np.full(20 - bright, 60), np.full(bright, 200)].astype("u1")
        pictures = np.broadcast_to(grey[:, None, None, None], (100, 2, 2, 3))
        labels = (np.arange(100) >= 80).astype(int)
        brightness = audit(Dataset(Split(pictures, labels), None, ("no", "yes"))).brightness
        assert brightness.accuracies["train"] == pytest.approx((80 + bright) / 100)
        assert brightness.p < 1e-6
        assert brightness.predictive is predictive


def test_what_cannot_be_audited(clean: Dataset) -> None:
    with pytest.raises(DataError, match="every training picture is"):
        audit(relabelled(clean, 0, 5))


@pytest.mark.usefixtures("undrawn")
def test_the_commands_print_what_the_audit_finds(jaxnet: Run, clean: Dataset) -> None:
    write_hdf5(Path("made.h5"), changed(clean, t4=clean.train.images[5]))
    result = jaxnet("data", "made.h5")
    assert result.code == 0
    finding = "warning: 1 test picture is also in the training set (train 5 = test 4)"
    assert finding in result.out
    assert "brightness alone, one threshold" in result.out
    answer = json.loads(jaxnet("data", "made.h5", "--json").out)
    assert answer["audit"]["leaks"] == [4]
    assert answer["audit"]["pairs"][0]["second"] == "test 4"
    assert answer["audit"]["skew"]["differs"] is False
    assert f"warning: {answer['audit']['findings'][0]}".startswith(finding)
    assert answer["splits"]["test"]["shape"][0] == 20
    assert answer["leaks_excluded"] == 0
    trained = jaxnet("train", "--data", "made.h5", "--iterations", 2, "--no-page")
    assert finding in trained.out


def test_leaks_are_excluded_on_request(jaxnet: Run, clean: Dataset) -> None:
    write_hdf5(Path("made.h5"), changed(clean, t4=clean.train.images[5]))
    result = jaxnet("data", "made.h5", "--exclude-leaks", "--write", "kept.h5")
    assert "left out: 1 test picture that is also in the training set (test 4)" in result.out
    assert "warning:" not in result.out
    answer = json.loads(jaxnet("data", "made.h5", "--exclude-leaks", "--json").out)
    assert answer["splits"]["test"]["shape"][0] == 19
    assert answer["leaks_excluded"] == 1
    assert len(find_pairs(load_dataset("kept.h5"))) == 0


@pytest.mark.usefixtures("undrawn")
def test_a_command_searches_duplicates_once(
    jaxnet: Run, clean: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, calls = near_pairs, []

    def counted(*arguments: Any) -> list[tuple[int, int]]:
        calls.append(arguments)
        return search(*arguments)

    monkeypatch.setattr(duplicates, "near_pairs", counted)
    made = changed(clean, {9: clean.train.images[2]}, t4=jpeg(clean.train.images[5]))
    write_hdf5(Path("made.h5"), made)
    train = ("train", "--data", "made.h5", "--iterations", 2, "--no-page", "--out", "run")
    commands = [
        (("data", "made.h5"), True),
        (("data", "made.h5", "--exclude-leaks"), False),
        ((*train, "--exclude-leaks"), False),
        (("evaluate", "run"), False),
    ]
    for number, (command, leaks) in enumerate(commands, 1):
        result = jaxnet(*command)
        assert "train 2 = train 9" in result.out
        assert ("train 5 ≈ test 4" in result.out) is leaks
        assert len(calls) == number


def test_the_cats_leak_and_their_skew_is_reversed(cats: Dataset) -> None:
    result = audit(cats)
    assert [str(pair) for pair in result.pairs] == ["train 146 = test 17"]
    assert result.leaks == (17,)
    assert result.constant == ()
    assert result.skew.shares == {"train": 137 / 209, "test": 33 / 50}
    assert result.skew.p_alike == pytest.approx(9e-5, abs=5e-6)
    assert (result.skew.skewed, result.skew.reversed) == (False, True)
    assert not result.brightness.predictive
