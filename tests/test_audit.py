import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Result
from PIL import Image

from jaxnet.data.columns import Preprocessing
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.duplicates import find_pairs
from jaxnet.data.hdf5 import write_hdf5
from jaxnet.data.load import load_dataset
from jaxnet.data.sketches import draw_sketches
from jaxnet.evaluation.audit import Audit, audit, without_leaks
from jaxnet.report.figures import draw_contact_sheet

Run = Callable[..., Result]


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


def relabelled(dataset: Dataset, train: np.ndarray, test: np.ndarray) -> Dataset:
    assert dataset.test is not None
    splits = Split(dataset.train.images, train), Split(dataset.test.images, test)
    return Dataset(*splits, dataset.classes, "made")


def same(dataset: Dataset, label: int, split: str = "train") -> list[int]:
    """Number the pictures of a class."""
    return np.flatnonzero(dataset.splits[split].labels == label).tolist()


def jpeg(image: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file))


def brighter(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: np.clip(image * factor, 0, 255).round().astype(np.uint8)


def shifted(down: int, right: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: np.roll(image, (down, right), (0, 1))


def words(found: Audit) -> list[str]:
    return [str(pair) for pair in found.pairs]


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 14])
def test_nothing_is_invented_on_clean_sketches(seed: int) -> None:
    found = audit(draw_sketches(seed=seed))
    assert (found.pairs, found.leaks, found.constant, found.findings) == ((), (), (), ())


def test_exact_duplicates_are_found_within_and_across_splits(clean: Dataset) -> None:
    first, second = same(clean, 1)[:2]
    image = clean.train.images[first]
    (place,) = same(clean, 1, "test")[:1]
    made = changed(clean, {second: image}, **{f"t{place}": image})
    found = audit(made)
    assert words(found) == [f"train {first} = train {second}", f"train {first} = test {place}"]
    assert not any(pair.two_labels for pair in found.pairs)
    assert found.leaks == (place,)
    leak, within = found.findings
    assert leak.startswith(f"1 test picture is in train, too (train {first} = test {place})")
    assert "--exclude-leaks" in leak
    assert within.startswith("1 pair within a split")


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
def test_near_duplicates_are_found(
    change: Callable[[np.ndarray], np.ndarray], clean: Dataset
) -> None:
    for number in (8, 17):
        found = audit(changed(clean, t4=change(clean.train.images[number])))
        assert words(found) == [f"train {number} ≈ test 4"]
        assert found.leaks == (4,)


def test_what_is_shifted_further_is_another_picture(clean: Dataset) -> None:
    far = changed(clean, t4=shifted(12, 12)(clean.train.images[5]))
    assert audit(far).pairs == ()


def test_copies_of_a_leaked_copy_leak_too(clean: Dataset) -> None:
    copy = jpeg(clean.train.images[5])
    found = audit(changed(clean, t4=copy, t9=copy, t11=clean.train.images[8]))
    assert words(found) == ["train 5 ≈ test 4", "train 8 = test 11", "test 4 = test 9"]
    assert found.leaks == (4, 9, 11)


@pytest.mark.parametrize("change", [np.copy, jpeg])
def test_two_labels_on_one_picture(
    change: Callable[[np.ndarray], np.ndarray], clean: Dataset
) -> None:
    cat, other = same(clean, 1)[0], same(clean, 0)[0]
    found = audit(changed(clean, {other: change(clean.train.images[cat])}))
    (pair,) = found.pairs
    assert pair.two_labels
    assert {pair.first.number, pair.second.number} == {cat, other}
    assert found.findings[1].startswith("1 pair of the same picture has two labels")


def test_constant_pictures_are_told_and_no_near_duplicates(clean: Dataset) -> None:
    flat = np.full((64, 64, 3), 100, np.uint8)
    nearly = flat + np.random.default_rng(0).integers(0, 3, flat.shape, dtype=np.uint8)
    found = audit(changed(clean, {3: flat, 7: nearly}, t2=flat + 50))
    assert [str(place) for place in found.constant] == ["train 3", "train 7", "test 2"]
    assert found.pairs == ()
    assert found.findings[0].startswith("3 pictures have one grey all over (train 3, train 7, test")


def test_skew_and_its_reversal(clean: Dataset) -> None:
    few = (np.arange(60) < 6).astype(int)
    (finding,) = audit(relabelled(clean, few, np.arange(20) < 3)).findings
    assert finding.startswith('90% of train is "other": always answering so')
    assert len(audit(relabelled(clean, few, np.arange(20) < 12)).findings) == 2
    third = (np.arange(60) < 20).astype(int)
    (finding,) = audit(relabelled(clean, third, np.arange(20) < 16)).findings
    # scipy.stats.fisher_exact([[40, 20], [4, 16]]): 0.000514
    assert finding.startswith('67% of train is "other", but 80% of test is "cat" (p = 5e-04)')
    assert "reversed" in finding


def test_small_splits_may_differ_by_chance(clean: Dataset) -> None:
    few = relabelled(clean, np.arange(60) < 20, np.arange(20) < 12)
    assert few.test is not None
    tiny = Dataset(
        Split(few.train.images[15:25], few.train.labels[15:25]),
        Split(few.test.images[9:13], few.test.labels[9:13]),
        few.classes,
    )
    assert audit(tiny).findings == ()


def test_brightness_alone(clean: Dataset) -> None:
    made = clean
    for name, split in made.splits.items():
        factor = np.where(split.labels == 1, 1.0, 0.4)[:, None, None, None]
        images = (split.images * factor).astype(np.uint8)
        other = {"train": made.train, "test": made.test} | {name: Split(images, split.labels)}
        made = Dataset(other["train"] or split, other["test"], made.classes)
    found = audit(made)
    assert found.brightness.brighter == "cat"
    light = made.train.images @ np.array([0.299, 0.587, 0.114])
    right = (light.mean((1, 2)) > found.brightness.threshold) == made.train.labels
    assert found.brightness.accuracies["train"] == right.mean() > 0.85
    (finding,) = found.findings
    assert finding.startswith('brightness alone ("cat" is brighter) gets')


def test_leaks_are_taken_out(clean: Dataset) -> None:
    assert clean.test is not None
    made = changed(clean, t4=jpeg(clean.train.images[5]), t11=clean.train.images[8])
    kept = without_leaks(made, audit(made))
    assert kept.test is not None
    left = np.delete(np.arange(20), [4, 11])
    np.testing.assert_array_equal(kept.test.images, clean.test.images[left])
    np.testing.assert_array_equal(kept.test.labels, clean.test.labels[left])
    assert kept.skipped == ("2 test pictures that train has, too (test 4, test 11)",)
    assert audit(kept).leaks == ()
    assert without_leaks(clean, audit(clean)) is clean
    train = clean.train
    all_leaked = Dataset(train, Split(train.images[:3], train.labels[:3]), clean.classes)
    assert without_leaks(all_leaked, audit(all_leaked)).test is None


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (9, 9), (20, 13), (64, 300)])
def test_pictures_of_any_size(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, *shape, 3), dtype=np.uint8)
    images[7] = images[2]
    found = audit(Dataset(Split(images, np.arange(12) % 2), None, ("no", "yes")))
    assert words(found) == ["train 2 = train 7"]
    assert found.leaks == ()


def test_duplicates_are_shown_on_the_contact_sheet(clean: Dataset) -> None:
    made = changed(clean, {9: jpeg(clean.train.images[2])}, t4=clean.train.images[5])
    figure = draw_contact_sheet(made, Preprocessing())
    assert len(figure.subfigs) == 5
    panels = [axes for axes in figure.subfigs[-1].axes if axes.images]
    titles = [axes.get_title().split("\n")[0] for axes in panels]
    assert titles == ["train 5", "= test 4", "train 2", "≈ train 9"]
    np.testing.assert_array_equal(panels[3].images[0].get_array(), made.train.images[9])
    assert len(draw_contact_sheet(clean, Preprocessing()).subfigs) == 4


def test_the_commands_tell_what_the_audit_finds(jaxnet: Run, clean: Dataset) -> None:
    write_hdf5(Path("made.h5"), changed(clean, t4=clean.train.images[5]))
    result = jaxnet("data", "made.h5")
    assert result.code == 0
    assert "careful: 1 test picture is in train, too (train 5 = test 4)" in result.out
    assert "brightness alone, one threshold" in result.out
    answer = json.loads(jaxnet("data", "made.h5", "--json").out)
    assert answer["audit"]["leaks"] == [4]
    assert answer["audit"]["pairs"][0]["second"] == "test 4"
    assert answer["splits"]["test"]["shape"][0] == 20
    assert answer["leaks_excluded"] == 0
    trained = jaxnet("train", "--data", "made.h5", "--iterations", 2)
    assert "careful: 1 test picture is in train, too" in trained.out


def test_leaks_are_excluded_on_request(jaxnet: Run, clean: Dataset) -> None:
    write_hdf5(Path("made.h5"), changed(clean, t4=clean.train.images[5]))
    result = jaxnet("data", "made.h5", "--exclude-leaks", "--write", "kept.h5")
    assert "left out: 1 test picture that train has, too (test 4)" in result.out
    assert "careful" not in result.out
    answer = json.loads(jaxnet("data", "made.h5", "--exclude-leaks", "--json").out)
    assert answer["splits"]["test"]["shape"][0] == 19
    assert answer["leaks_excluded"] == 1
    assert len(find_pairs(load_dataset("kept.h5"))) == 0


def test_the_cats_leak_and_their_skew_is_reversed(cats: Dataset) -> None:
    found = audit(cats)
    assert words(found) == ["train 146 = test 17"]
    assert found.leaks == (17,)
    assert found.constant == ()
    leak, skew = found.findings
    assert "train 146 = test 17" in leak
    assert skew.startswith('66% of train is "non-cat", but 66% of test is "cat" (p = 9e-05)')
    assert "reversed" in skew
    kept = without_leaks(cats, found)
    assert kept.test is not None
    assert len(kept.test.labels) == 49


def test_pictures_that_are_all_empty(images: np.ndarray) -> None:
    blank = np.zeros_like(images) + np.arange(len(images), dtype=np.uint8)[:, None, None, None]
    labels = np.arange(len(images)) % 2
    found = audit(Dataset(Split(blank, labels), None, ("no", "yes"), source="made"))
    assert found.pairs == ()
    assert len(found.constant) == len(images)
