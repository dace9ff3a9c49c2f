"""A validation set that is held out: its share, what stays together, what is refused."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jaxnet import (
    DataError,
    Dataset,
    Split,
    UsageError,
    find_pairs,
    hold_out_validation,
    load_dataset,
    write_pictures,
)
from jaxnet.data.dataset import with_positive
from jaxnet.data.validation_set import divide_training


def make_data(m: int = 40, groups: np.ndarray | None = None) -> Dataset:
    images = np.random.default_rng(m).integers(0, 256, (m + 6, 12, 10, 3), dtype=np.uint8)
    labels = (np.arange(m + 6) % 4 == 0).astype(int)
    return Dataset(
        Split(images[:m], labels[:m], groups), Split(images[m:], labels[m:]), ("no", "yes"), "noise"
    )


def numbers_of(part: Split, whole: Split) -> list[int]:
    places = {image.tobytes(): i for i, image in enumerate(whole.images)}
    return [places[image.tobytes()] for image in part.images]


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_each_class_has_its_share_drawn_by_the_seed(share: float) -> None:
    data = make_data()
    divided = hold_out_validation(data, share, seed=3)
    assert divided.validation is not None
    assert np.bincount(divided.validation.labels).tolist() == [30 * share, 10 * share]
    taken, left = (numbers_of(s, data.train) for s in (divided.validation, divided.train))
    assert sorted(taken + left) == list(range(40))
    assert (taken, left) == (sorted(taken), sorted(left))
    assert divided.test is data.test
    again, other = (hold_out_validation(data, share, seed=seed).validation for seed in (3, 4))
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(again.images, divided.validation.images)
    assert numbers_of(other, data.train) != taken


def test_groups_and_duplicates_stay_together() -> None:
    """Groups of four; and copies that join pictures of two groups, exact ones and brighter ones."""
    groups = np.array([f"animal {i // 4}" for i in range(40)])
    data = make_data(groups=groups)
    images = data.train.images.copy()
    images[[13, 30]] = images[[2, 21]]
    images[37] = np.clip(images[9].astype(int) + 1, 0, 255)
    data = dataclasses.replace(data, train=data.train._replace(images=images))
    pairs = find_pairs(data)
    assert len(pairs) == 3
    for seed in range(6):
        divided, renamed = divide_training(data, 0.3, seed, pairs)
        assert divided.validation is not None
        assert divided.validation.groups is not None
        assert divided.train.groups is not None
        assert not set(divided.validation.groups) & set(divided.train.groups)
        assert renamed == find_pairs(divided)
        assert all(pair.first.split == pair.second.split for pair in renamed)
        held = np.bincount(divided.validation.labels, minlength=2) / np.bincount(data.train.labels)
        assert (np.abs(held - 0.3) < 0.15).all()


def test_pairs_with_the_test_set_are_renumbered() -> None:
    data = make_data()
    assert data.test is not None
    copied = data.test.images.copy()
    copied[:3] = data.train.images[[5, 6, 7]]
    data = dataclasses.replace(data, test=data.test._replace(images=copied))
    for seed in range(3):
        divided, renamed = divide_training(data, 0.5, seed, find_pairs(data))
        assert renamed == find_pairs(divided)
        assert len(renamed) == 3


def test_what_cannot_be_held_out_is_refused() -> None:
    data = make_data()
    with pytest.raises(
        DataError, match=r'a share of 0\.02 of the 10 training pictures of "yes" is n'
    ):
        hold_out_validation(data, 0.02)
    with pytest.raises(
        DataError, match=r'a share of 0\.96 of the 10 training pictures of "yes" is a'
    ):
        hold_out_validation(data, 0.96)
    with pytest.raises(DataError, match="belong together"):
        hold_out_validation(make_data(groups=np.full(40, "one")), 0.2)
    with pytest.raises(UsageError, match="has a validation set of 8 pictures"):
        hold_out_validation(hold_out_validation(data, 0.2), 0.2)
    for share in (-0.1, 1.5, "some"):
        with pytest.raises(UsageError, match="share is"):
            hold_out_validation(data, share)  # type: ignore[arg-type]


def test_it_is_an_option_of_the_data() -> None:
    data = load_dataset("sketches", count=20, size=12, validation=0.25)
    whole = load_dataset("sketches", count=20, size=12)
    assert data.data_source is not None
    assert data.data_source.validation == 0.25
    assert data.validation is not None
    assert len(data.validation.labels) + len(data.train.labels) == 20
    assert data.sha256 != whole.sha256
    same = hold_out_validation(whole, 0.25)
    assert same.sha256 == data.sha256
    assert with_positive(same, None).sha256 == data.sha256
    for share in (0, 1, 2):
        with pytest.raises(UsageError, match=f"validation is {share}"):
            load_dataset("sketches", validation=share)


def write_folder(folder: Path) -> Path:
    """Three pictures of each of eight animals, the first four of them cats."""
    images = np.random.default_rng(0).integers(0, 256, (24, 12, 10, 3), dtype=np.uint8)
    for i, image in enumerate(images):
        path = folder / ("cat" if i < 12 else "dog") / f"{'abcdefgh'[i // 3]}_{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


def test_groups_by_the_names_of_files_are_not_parted(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "pets")
    for seed in range(4):
        options: dict[str, Any] = {"size": 12, "data_seed": seed, "validation": 0.34}
        data = load_dataset(folder, group_by="^([a-h])_", **options)
        groups = [set(split.groups) for split in data.splits.values()]  # type: ignore[arg-type]
        assert len(data.splits) == 3
        assert len(set().union(*groups)) == sum(map(len, groups)) == 8
    alone = load_dataset(folder, size=12, group_by="(?:^([a-d])_)?")
    assert alone.train.groups is not None
    assert len({*alone.train.groups, *alone.test.groups}) == 4 + 12  # type: ignore[union-attr, misc]


def test_a_pattern_that_groups_nothing_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "pets")
    for pattern, said in (
        ("^([a-c])_", r"d_\d+\.png does not contain the pattern"),
        ("^[a-h]_", "has no group"),
        ("([a-h", "is no regular expression"),
    ):
        with pytest.raises(UsageError, match=said):
            load_dataset(folder, size=12, group_by=pattern)
    table = tmp_path / "pets.csv"
    rows = [f"{path},{path.parent.name},x{i}" for i, path in enumerate(folder.glob("*/*.png"))]
    table.write_text("\n".join(["path,label,group", *rows]))
    with pytest.raises(UsageError, match="has a column of groups"):
        load_dataset(table, size=12, group_by="^([a-h])_")
    np.savez(tmp_path / "a.npz", x=[1])
    for source in ("sketches", tmp_path / "a.npz"):
        with pytest.raises(UsageError, match="group_by is given for"):
            load_dataset(source, group_by="^([a-h])_")


def test_what_is_written_into_a_file_is_not_held_out(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "pets")
    with pytest.raises(UsageError, match="validation is given for pictures"):
        write_pictures(folder, tmp_path / "pets.h5", validation=0.2)
    write_pictures(folder, tmp_path / "pets.h5", group_by="^([a-h])_", size=12)
    data = load_dataset(tmp_path / "pets.h5")
    direct = load_dataset(folder, group_by="^([a-h])_", size=12)
    assert data.train_sha256 == direct.train_sha256
    assert sorted(data.train.groups) == sorted(direct.train.groups)  # type: ignore[arg-type]
