"""A validation set is a third split, and never taken for the test set."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxnet.data.dataset import Dataset, Split, check_dataset, with_positive
from jaxnet.data.hdf5 import read_hdf5, write_hdf5
from jaxnet.data.to_examples import examples_of, to_examples
from jaxnet.errors import DataError
from jaxnet.evaluation.audit import audit
from jaxnet.evaluation.evaluate import evaluate
from jaxnet.evaluation.influence import summarise_influence
from jaxnet.many.leave_one_out import LeaveOneOut
from jaxnet.report.audit import describe_findings
from jaxnet.report.dataset import describe_dataset
from jaxnet.report.page.data import sample_splits
from jaxnet.runs.train import train
from jaxnet.settings import Settings

QUICK = Settings(iterations=2)


@pytest.fixture
def both(images: np.ndarray) -> Dataset:
    split = Split(images[:6], np.array([0, 1] * 3))
    test = Split(images[6:9], np.array([0, 1, 1]))
    return Dataset(split, test, ("dog", "cat"), validation=Split(images[9:], np.array([1, 0, 0])))


def test_the_checksum_is_the_old_one_without_a_validation_set(both: Dataset) -> None:
    without = dataclasses.replace(both, validation=None)
    # Earlier versions computed the same; their runs are compared by it.
    assert without.sha256 == "b0c046d6c1fe6b2c37ababe8fcd29ac8e7391b8a16e04137b80495462fd9347f"
    assert both.sha256 != without.sha256
    assert both.train_sha256 == without.train_sha256


def test_it_is_checked_and_swapped_like_the_others(both: Dataset) -> None:
    swapped = with_positive(both, "dog").validation
    assert swapped is not None
    np.testing.assert_array_equal(swapped.labels, [0, 1, 1])
    small = Split(np.zeros((1, 4, 4, 3), np.uint8), np.array([1]))
    with pytest.raises(DataError, match="training pictures are 8 × 6, validation pictures 4 × 4"):
        check_dataset(dataclasses.replace(both, validation=small))


def test_a_file_keeps_it(both: Dataset, tmp_path: Path) -> None:
    write_hdf5(tmp_path / "x.h5", both)
    again = read_hdf5(tmp_path / "x.h5")
    assert list(again.splits) == ["train", "validation", "test"]
    assert again.sha256 == both.sha256
    write_hdf5(tmp_path / "y.h5", dataclasses.replace(both, test=None))
    assert list(read_hdf5(tmp_path / "y.h5").splits) == ["train", "validation"]


def test_a_training_does_not_test_on_it(both: Dataset) -> None:
    alone = dataclasses.replace(both, test=None)
    assert list(to_examples(alone, QUICK)) == ["train", "validation"]
    assert examples_of(alone, QUICK)[1] is None
    evaluation = evaluate(train(alone, QUICK), alone)
    assert list(evaluation.splits) == ["validation", "train"]
    assert list(evaluate(train(both, QUICK), both).splits) == ["test", "validation", "train"]


def test_the_audit_names_it(both: Dataset) -> None:
    assert both.validation is not None
    assert set(audit(both).positives) == {"train", "validation", "test"}
    assert audit(dataclasses.replace(both, validation=both.train)).leaks == ()
    copied = dataclasses.replace(both, validation=both.train)
    (line,) = [text for text in describe_findings(audit(copied)) if "validation" in text]
    assert line.startswith("6 pairs of duplicates have one picture in the validation set")
    assert list(describe_dataset(both, audit(both))["splits"]) == ["train", "validation", "test"]


def test_the_page_leaves_it_out(both: Dataset) -> None:
    assert list(sample_splits(both)) == ["train", "test"]


def test_the_commands_print_it(
    folder: Path, tmp_path: Path, jaxnet: Callable[..., Any], undrawn: None
) -> None:
    pets = tmp_path / "three"
    shutil.copytree(folder, pets / "train")
    shutil.copytree(folder, pets / "val")
    (pets / "val" / "cat" / "a.heic").write_bytes(b"?")
    result = jaxnet("data", pets, "--size", "8")
    assert result.code == 0
    assert "passed over: 1 .heic (val/cat/a.heic)" in result.err + result.out
    answer = json.loads(jaxnet("data", pets, "--size", "8", "--json").out)
    assert answer["passed_over"] == [{"kind": ".heic", "count": 1, "example": "val/cat/a.heic"}]
    assert list(answer["splits"]) == ["train", "validation"]
    result = jaxnet("data", pets, "--strict")
    assert result.code == 2
    assert "1 .heic (val/cat/a.heic)" in result.err
    assert "leave --strict out" in result.err
    result = jaxnet("train", "--data", pets, "--size", "8", "--iterations", "2")
    assert result.code == 0
    assert "validation 6/12 = 50 % [" in result.out
    assert "test " not in result.out.partition("cost")[2]


def test_a_leave_one_out_has_no_need_of_it(both: Dataset) -> None:
    A2, without = np.full((2, 6), 0.5, np.float32), np.full((2, 6, 6), 0.5, np.float32)
    outcomes = np.full((2, 7), "learning")
    result = LeaveOneOut(A2, A2[:, :3], without, without[:, :, :3], outcomes)
    assert summarise_influence(result, both, []).memorisation is not None
