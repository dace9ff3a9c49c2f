from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxnet.data.load import load_dataset
from jaxnet.data.source import DataSource
from jaxnet.errors import DataError, UsageError

Write = Callable[..., Path]


def test_an_hdf5_file_or_two(h5: Write) -> None:
    dataset = load_dataset(h5())
    assert dataset.test is not None
    assert dataset.train.images.shape == (8, 8, 6, 3)
    train = h5("train.h5", test_set_x=None, test_set_y=None)
    assert load_dataset(str(train)).test is None
    assert load_dataset(train, test=h5()).test is not None


def test_a_folder(folder: Path) -> None:
    dataset = load_dataset(folder)
    assert dataset.train.images.shape == (10, 64, 64, 3)
    assert dataset.classes == ("dog", "cat")
    assert load_dataset(folder, size=9).train.images.shape == (10, 9, 9, 3)
    assert load_dataset(folder, positive="dog").classes == ("cat", "dog")


def test_a_test_split_of_another_kind(h5: Write, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,label\npets/cat/01.png,cat\npets/dog/00.png,dog\n")
    np.savez(tmp_path / "a.npz", X=np.zeros((2, 4, 4), np.uint8), y=[0, 1])
    sources = (h5(), folder, tmp_path / "a.csv", tmp_path / "a.npz")
    for source in sources:
        for test in sources:
            if source != test:
                with pytest.raises(DataError, match="a test split of the same kind"):
                    load_dataset(source, test=test)
        with pytest.raises(DataError, match="there is no"):
            load_dataset(source, test=tmp_path / "nothing")


def test_sketches() -> None:
    dataset = load_dataset("sketches", count=10)
    assert dataset.test is not None
    assert (len(dataset.train.images), len(dataset.test.images)) == (10, 2)
    assert dataset.classes == ("other", "cat")
    other = load_dataset("sketches", count=10, data_seed=1)
    assert not np.array_equal(dataset.train.images, other.train.images)
    assert load_dataset("sketches", count=10, recipe=1).source.startswith("sketches, recipe 1")


def test_the_class_called_cat_becomes_1(h5: Write) -> None:
    swapped = load_dataset(h5(list_classes=np.array([b"cat", b"non-cat"])))
    assert swapped.classes == ("non-cat", "cat")
    np.testing.assert_array_equal(swapped.train.labels, [1, 0, 1, 0, 1, 0, 1, 0])


def test_size_brings_splits_together(h5: Write) -> None:
    path = h5(test_set_x=np.zeros((4, 5, 5, 3), np.uint8))
    with pytest.raises(DataError, match="training pictures are 8 × 6, test pictures 5 × 5"):
        load_dataset(path)
    dataset = load_dataset(path, size=7)
    assert {split.images.shape[1:] for split in dataset.splits.values()} == {(7, 7, 3)}


def test_one_class_only(h5: Write) -> None:
    with pytest.raises(DataError, match='every training picture is "cat"'):
        load_dataset(h5(train_set_y=np.ones(8, int)))


def test_no_such_source_names_the_built_in_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset("sketchs")
    assert f"there is no {Path('sketchs').absolute()}" in caught.value.found
    assert "sketches, catvnoncat" in caught.value.expected
    assert "did you mean sketches?" in caught.value.remedy


@pytest.mark.parametrize("source", ["x" * 300, "~nobody-of-that-name/x.h5"])
def test_names_that_the_system_refuses(source: str) -> None:
    with pytest.raises(DataError, match="there is no"):
        load_dataset(source)


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "link.h5").symlink_to("away.h5")
    with pytest.raises(DataError, match=r"is a broken symbolic link"):
        load_dataset(tmp_path / "link.h5")


def test_a_home_folder_by_its_sign(
    h5: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5("pets.h5")
    h5("others.h5", train_set_x=None, train_set_y=None)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    dataset = load_dataset("~/pets.h5", test="~/others.h5")
    assert dataset.test is not None
    assert dataset.data_source == DataSource("~/pets.h5", "~/others.h5")


def test_a_data_set_says_how_it_was_loaded(h5: Write) -> None:
    path = h5()
    options: dict[str, Any] = {"positive": "non-cat", "size": 5, "exclude_leaks": True}
    dataset = load_dataset(path, **options)
    assert dataset.data_source == DataSource(str(path), **options)
    assert dataset.classes == ("cat", "non-cat")
    for again in (
        load_dataset(dataset.data_source),
        load_dataset(DataSource(str(path)), **options),
        load_dataset(DataSource(path, path), **options),  # type: ignore[arg-type]
    ):
        assert again.sha256 == dataset.sha256
    assert load_dataset(dataset.data_source, size=6).train.images.shape == (8, 6, 6, 3)


def test_leaks_are_left_out_where_that_is_asked_for(h5: Write, images: np.ndarray) -> None:
    leaking = np.concatenate([images[2:3], images[8:11]])
    path = h5(test_set_x=leaking)
    whole, without = load_dataset(path), load_dataset(path, exclude_leaks=True)
    assert whole.test is not None
    assert without.test is not None
    assert (whole.leaks_excluded, without.leaks_excluded) == (0, 1)
    np.testing.assert_array_equal(without.test.images, whole.test.images[1:])
    np.testing.assert_array_equal(without.test.labels, whole.test.labels[1:])
    assert without.train_sha256 == whole.train_sha256


@pytest.mark.parametrize(
    ("source", "settings", "found"),
    [
        ("sketches", {"size": 0}, "size is 0"),
        ("sketches", {"size": 10**10}, "size is 10000000000"),
        ("sketches", {"count": 10**12}, "count is 1000000000000"),
        ("sketches", {"data_seed": -1}, "data_seed is -1"),
        ("sketches", {"data_seed": 2**32}, "data_seed is 4294967296"),
        ("catvnoncat", {"count": 5}, "count is given for catvnoncat"),
        ("sketches", {"test": "x.h5"}, "a test split is given for sketches"),
        ("sketches", {"count": 10, "positive": "dog"}, 'no class "dog"'),
        ("sketches", {"count": 10.0}, "write count=10"),
        ("sketches", {"skip_bad": 1}, "skip_bad is 1"),
        ("sketches", {"positive": 1}, "positive is 1"),
        ("sketches", {"seed": 1, "color": "rgb"}, "no option color, seed"),
    ],
)
def test_settings_that_do_not_fit(source: str, settings: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        load_dataset(source, **settings)
