"""An audit and a data set in words."""

import io
import json

import numpy as np
import pytest
from rich.console import Console, RenderableType

from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.duplicates import Pair, Place
from jaxnet.evaluation.audit import Audit, Brightness, Skew, audit
from jaxnet.report.audit import describe_brightness, describe_findings
from jaxnet.report.dataset import dataset_table, dataset_warnings, describe_dataset


def printed(table: RenderableType) -> str:
    file = io.StringIO()
    Console(file=file, width=200).print(table)
    return file.getvalue()


@pytest.fixture
def dataset(images: np.ndarray) -> Dataset:
    train = Split(images[:8], np.array([0, 0, 0, 0, 0, 0, 1, 1]))
    test = Split(images[8:], np.array([0, 1, 1, 1]))
    return Dataset(train, test, ("dog", "cat"), "noise", ("1 picture that cannot be read",))


@pytest.fixture
def clean() -> Audit:
    accuracies = {"train": 0.9, "test": 0.65}
    shares = {"train": 0.75, "test": 0.75}
    skew = Skew({"train": "dog", "test": "cat"}, shares, 0.3, 8.6e-5, False, False, False)
    brightness = Brightness(120.0, "cat", accuracies, 0.2, False)
    return Audit((), (), (), {"train": 0.25, "test": 0.75}, skew, brightness)


def pair(first: tuple[str, int], second: tuple[str, int], exact: bool, two: bool = False) -> Pair:
    return Pair(Place(*first), Place(*second), exact, two)


def test_nothing_is_said_of_clean_data(clean: Audit, dataset: Dataset) -> None:
    assert describe_findings(clean) == []


def test_leaks_and_duplicates(clean: Audit, dataset: Dataset) -> None:
    one = clean._replace(pairs=(pair(("train", 5), ("test", 3), True),), leaks=(3,))
    (leak,) = describe_findings(one)
    assert leak == (
        "1 test picture is also in the training set (train 5 = test 3): a network that has "
        "memorised its training pictures scores too high; leave them out with --exclude-leaks"
    )
    pairs = (
        *(pair(("train", i), ("test", i), False) for i in range(4)),
        pair(("train", 6), ("train", 7), True),
        pair(("train", 1), ("train", 6), False, two=True),
    )
    several = clean._replace(pairs=pairs, leaks=(0, 1, 2, 3))
    leak, within, labels = describe_findings(several)
    assert leak.startswith(
        "4 test pictures are also in the training set "
        "(train 0 ≈ test 0, train 1 ≈ test 1, train 2 ≈ test 2 and 1 more):"
    )
    assert within.startswith(
        "2 pairs of duplicates within a split (train 6 = train 7, train 1 ≈ train 6):"
    )
    assert labels == (
        "1 pair of duplicates has two labels (train 1 ≈ train 6): no network can predict both; "
        "correct the labels"
    )


def test_constant_pictures(clean: Audit, dataset: Dataset) -> None:
    constant = clean._replace(constant=(Place("train", 3), Place("test", 0)))
    (finding,) = describe_findings(constant)
    assert finding.startswith("2 pictures have the same grey everywhere (train 3, test 0):")


def test_skew(clean: Audit, dataset: Dataset) -> None:
    (skewed,) = describe_findings(clean._replace(skew=clean.skew._replace(skewed=True)))
    assert skewed == (
        '75% of train is "dog": always predicting it has this accuracy; weight both classes alike '
        "(jaxnet train --balanced)"
    )
    differing = clean._replace(skew=clean.skew._replace(differs=True))
    (finding,) = describe_findings(differing)
    assert finding.startswith(
        '75% of train is "dog", but 75% of test is "cat" (p = 9e-05): the skew differs between'
    )
    turned = clean._replace(skew=clean.skew._replace(differs=True, reversed=True))
    (finding,) = describe_findings(turned)
    assert "the skew is reversed between the splits" in finding


def test_brightness(clean: Audit, dataset: Dataset) -> None:
    assert describe_brightness(clean) == (
        "brightness alone, one threshold on the mean grey, predicts 90.0% of train, 65.0% of test "
        "correctly"
    )
    bright = clean._replace(brightness=clean.brightness._replace(predictive=True))
    (finding,) = describe_findings(bright)
    assert finding.startswith(
        'brightness alone ("cat" is brighter) predicts 90% of train, 65% of test correctly, '
        'always "dog" 75% of train:'
    )


def test_the_table_of_a_data_set(dataset: Dataset) -> None:
    lines = printed(dataset_table(dataset)).splitlines()
    assert "0: dog" in lines[1]
    train = next(line for line in lines if "train" in line)
    assert "(8, 8, 6, 3)" in train
    assert "6 (75.0%)" in train
    assert "2 (25.0%)" in train
    images = dataset.train.images
    assert f"{images.min()} to {images.max()}, mean {images.mean():.1f}" in train


def test_warnings_name_what_was_left_out_first(clean: Audit, dataset: Dataset) -> None:
    warnings = dataset_warnings(dataset, clean._replace(constant=(Place("train", 3),)))
    assert warnings[0] == "left out: 1 picture that cannot be read"
    assert warnings[1].startswith("warning: 1 picture has the same grey everywhere (train 3)")


def test_a_data_set_for_a_program(dataset: Dataset) -> None:
    described = json.loads(json.dumps(describe_dataset(dataset, audit(dataset)), allow_nan=False))
    assert described["positive"] == "cat"
    assert described["splits"]["train"] == {
        "shape": [8, 8, 6, 3],
        "counts": {"dog": 6, "cat": 2},
        "least": int(dataset.train.images.min()),
        "greatest": int(dataset.train.images.max()),
        "mean": pytest.approx(dataset.train.images.mean()),
    }
    assert described["skipped"] == ["1 picture that cannot be read"]
    assert described["sha256"] == dataset.sha256 != described["train_sha256"]
    assert described["leaks_excluded"] == 0
    assert described["audit"]["positives"] == {"train": 0.25, "test": 0.75}
    assert described["audit"]["findings"] == []
    assert described["audit"]["brightness"].keys() >= {"threshold", "brighter", "accuracies", "p"}
