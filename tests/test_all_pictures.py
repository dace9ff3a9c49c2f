"""Pictures in files against the same pictures in memory: blocks, numbers, audit and duplicates."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Result

from jaxnet import (
    DataError,
    Settings,
    StoredPictures,
    UsageError,
    audit,
    find_pairs,
    load_dataset,
    open_pictures,
    open_splits,
    train,
)
from jaxnet.data import all_pictures, too_large
from jaxnet.data.all_pictures import open_all
from jaxnet.report.page import data as page_data
from jaxnet.report.page.data import collect

Run = Callable[..., Result]
Write = Callable[..., Path]


@pytest.fixture
def pictures() -> np.ndarray:
    """Ten 24 × 20 pictures: two are the same, one is a brighter copy, one is empty."""
    generator = np.random.default_rng(5)
    coarse = generator.integers(40, 180, (10, 6, 5, 3), dtype=np.uint8)
    images = coarse.repeat(4, axis=1).repeat(4, axis=2)
    images[7], images[9], images[4] = images[1], images[2] + 20, 77
    return images


@pytest.fixture
def path(h5: Write, pictures: np.ndarray) -> Path:
    return h5(
        train_set_x=pictures[:5],
        train_set_y=np.array([0, 1, 0, 1, 1]),
        validation_set_x=pictures[5:6],
        validation_set_y=np.array([0]),
        test_set_x=pictures[6:],
        test_set_y=np.array([1, 0, 1, 0]),
    )


def test_blocks_and_numbers(
    path: Path, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_pictures, "BLOCK", 2 * 24 * 20)
    chosen = np.array([9, 0, 4, 5, 6, 1, 0, 3, 2])
    for data in (open_splits(path), load_dataset(path)):
        with open_all(data) as opened:
            blocks = list(opened.blocks("reading"))
            assert [len(block) for block in blocks] == [2, 2, 1, 1, 2, 2]
            np.testing.assert_array_equal(np.concatenate(blocks), pictures)
            np.testing.assert_array_equal(opened.take(chosen), pictures[chosen])
            assert opened.labels.tolist() == [0, 1, 0, 1, 1, 0, 1, 0, 1, 0]


def test_the_audit_of_files_is_that_of_memory(path: Path) -> None:
    stored, loaded = open_splits(path), load_dataset(path)
    result = audit(stored)
    assert result == audit(loaded)
    assert list(map(str, result.pairs)) == ["train 1 = test 1", "train 2 ≈ test 3"]
    assert result.leaks == (1, 3)
    assert find_pairs(stored) == result.pairs


def test_a_test_set_in_another_file(h5: Write) -> None:
    train = h5("train_x.h5", test_set_x=None, test_set_y=None)
    test = h5("test_x.h5", train_set_x=None, train_set_y=None)
    assert open_splits(train)["test"].paths == (test,)
    other = test.rename(test.with_name("other.h5"))
    assert list(open_splits(train)) == ["train"]
    assert open_splits(train, other)["test"].paths == (other,)


def test_splits_that_do_not_fit_together(h5: Write, path: Path) -> None:
    other = h5("other.h5", test_set_x=np.zeros((4, 8, 8, 3), np.uint8))
    with pytest.raises(
        DataError, match=r"8 × 8 of non-cat and cat, the train pictures of .* 24 × 20"
    ):
        audit({**open_splits(path), "test": open_pictures(other, "test")})
    with pytest.raises(DataError, match="the splits are test"):
        audit({"test": open_pictures(path, "test")})


def test_the_command_audits_what_it_does_not_load(
    path: Path, jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = json.loads(jaxnet("data", path, "--json").out)
    monkeypatch.setattr(too_large, "LOADED_BYTES", 0)
    monkeypatch.setattr("jaxnet.data.load.load_searched", None)
    shown = jaxnet("data", path)
    assert shown.code == 0, shown.err
    for part in ("read in blocks", "(5, 24, 20, 3)", "train 1 = test 1", "brightness alone"):
        assert part in shown.out
    answer = json.loads(jaxnet("data", path, "--json").out)
    assert answer["audit"] == loaded["audit"]
    for options in (("--write", "new.h5"), ("--size", 8), ("--exclude-leaks",), ("--sheet", "a")):
        refused = jaxnet("data", path, *options)
        assert refused.code == 2
        assert options[0] in refused.err


@pytest.mark.parametrize("command", ["train", "sweep", "leave-one-out"])
def test_what_does_not_fit_into_memory_is_told_at_once(
    command: str, folder: Path, path: Path, jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(too_large, "free_memory", lambda: 3 * 1440 * 5)  # five of 24 × 20
    for reader in ("_read", "_read_listed"):
        monkeypatch.setattr(f"jaxnet.data.load.{reader}", None)
    with pytest.raises(UsageError, match="the 10 pictures of"):
        load_dataset(path)
    refused = jaxnet(command, "--data", path)
    assert refused.code == 2
    assert "the 10 pictures of" in refused.err
    assert "at most 5 such pictures here" in refused.err
    (folder.parent / "linked").mkdir()
    (folder.parent / "linked" / "cat").symlink_to(folder / "cat")
    (folder.parent / "linked" / "dog").symlink_to(folder / "dog")
    for name in ("pets", "linked"):
        refused = jaxnet(command, "--data", folder.parent / name, "--size", 24)
        assert "at most 4 such pictures here" in refused.err


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_data, "MOST_PICTURES", 5)
    monkeypatch.setattr(page_data, "SAMPLE", 4)


@pytest.mark.usefixtures("small_sample")
def test_the_page_of_files_is_that_of_memory(path: Path) -> None:
    """Of nine pictures without those of the validation set."""
    stored, loaded = open_splits(path), load_dataset(path)
    run = train(loaded, Settings(iterations=3, hidden_units=2))
    ours, theirs = collect(run, stored), collect(run, loaded)
    assert {name: split["m"] for name, split in ours.header["splits"].items()} == {
        "train": 2,
        "test": 2,
    }
    assert ours.header["splits"] == theirs.header["splits"]
    assert (ours.header["in_files"], theirs.header["in_files"]) == (True, False)
    assert ours.arrays.keys() == theirs.arrays.keys()
    for name, array in theirs.arrays.items():
        np.testing.assert_array_equal(ours.arrays[name], array)


@pytest.mark.usefixtures("small_sample")
def test_the_page_of_a_stream_reads_its_sample_only(
    path: Path, jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(open_pictures(path), Settings(batch=2, iterations=3))
    run.save("run")
    monkeypatch.setattr("jaxnet.data.load.load_searched", None)
    monkeypatch.setattr(StoredPictures, "sha256", run.origin["stream_sha256"])
    lengths: list[int] = []
    read = h5py.Dataset.read_direct

    def counting(array: h5py.Dataset, block: np.ndarray, *which: Any) -> None:
        lengths.append(len(block))
        read(array, block, *which)

    monkeypatch.setattr(h5py.Dataset, "read_direct", counting)
    shown = jaxnet("page", "run")
    assert shown.code == 0, shown.err
    assert "a sample of 4 of the 9 pictures" in shown.out
    assert sum(lengths) == 4
    assert Path("run/page.html").exists()


MEASURED = """
import resource, sys
from jaxnet import audit, open_splits
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
for name in sys.argv[1:]:
    print(len(audit(open_splits(name)).constant), peak())
"""


def measure(folder: Path, *counts: int) -> list[list[int]]:
    """Audit sparse files of so many pictures in another process: empty pictures, peak memory."""
    for count in counts:
        with h5py.File(folder / f"{count}.h5", "w") as file:
            images = file.create_dataset("train_set_x", (count, 64, 64, 3), np.uint8)
            images[:100] = np.random.default_rng(0).integers(0, 256, (100, 64, 64, 3), np.uint8)
            file["train_set_y"] = np.arange(count) % 2
    arguments: list[Any] = [sys.executable, "-c", MEASURED, *(f"{count}.h5" for count in counts)]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=True)
    return [[int(number) for number in line.split()] for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_the_audit_does_not_hold_the_pictures(tmp_path: Path) -> None:
    (_, before), (empty, after) = measure(tmp_path, 200, 8000)  # the latter 98 MB
    assert empty == 7900
    assert after - before < 40e6


@pytest.mark.skipif("JAXNET_LARGE_TESTS" not in os.environ, reason="JAXNET_LARGE_TESTS is not set")
def test_an_audit_of_4_gb_in_less_than_1_gb(tmp_path: Path) -> None:
    ((_, peak),) = measure(tmp_path, 350_000)
    assert peak < 1e9
