import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxnet.data.folder import read_folder
from jaxnet.errors import DataError, UsageError


def test_one_sub_folder_a_class_and_a_stratified_split(folder: Path) -> None:
    dataset = read_folder(folder, size=8)
    assert dataset.test is not None
    assert dataset.classes == ("dog", "cat")
    assert dataset.train.images.shape == (10, 8, 8, 3)
    for split in dataset.splits.values():
        assert split.labels.mean() == 0.5
        np.testing.assert_array_equal(split.images.mean((1, 2, 3)) > 128, split.labels)
    again, other = read_folder(folder, size=8), read_folder(folder, size=8, data_seed=1)
    np.testing.assert_array_equal(again.train.images, dataset.train.images)
    assert not np.array_equal(other.train.images, dataset.train.images)


def test_no_picture_is_lost_or_in_both_splits(folder: Path) -> None:
    dataset = read_folder(folder, size=8)
    seen = [image.tobytes() for split in dataset.splits.values() for image in split.images]
    assert len(seen) == len(set(seen)) == 12


def test_train_and_test_folders(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(folder, root / "train")
    alone = read_folder(root, size=8)
    assert alone.test is None
    assert len(alone.train.images) == 12
    shutil.copytree(folder, root / "test")
    (root / "test" / "cat" / "01.png").unlink()
    for dataset in (read_folder(root, size=8), read_folder(folder, root / "test", size=8)):
        assert dataset.test is not None
        assert (len(dataset.train.images), len(dataset.test.images)) == (12, 11)
        assert int(dataset.test.labels.sum()) == 5


def test_a_test_folder_with_another_class(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(folder, root / "train")
    shutil.copytree(folder, root / "test")
    (root / "test" / "dog").rename(root / "test" / "dogs")
    with pytest.raises(DataError, match="the same names"):
        read_folder(root)


def test_the_positive_class(folder: Path) -> None:
    dataset = read_folder(folder, positive="dog", size=8)
    assert dataset.classes == ("cat", "dog")
    bright = dataset.train.images.mean((1, 2, 3)) > 128
    np.testing.assert_array_equal(bright, dataset.train.labels == 0)
    with pytest.raises(UsageError, match='no class "bird"'):
        read_folder(folder, positive="bird")


def test_one_picture_a_class_is_no_test_split(folder: Path) -> None:
    for name in ("cat", "dog"):
        for path in sorted((folder / name).iterdir())[1:]:
            path.unlink()
    dataset = read_folder(folder, size=8)
    assert dataset.test is None
    assert len(dataset.train.images) == 2


def test_a_test_split_that_is_a_file_or_missing(folder: Path) -> None:
    for test, found in ((folder / "cat" / "01.png", "is a file"), (folder / "x", "there is no")):
        with pytest.raises(DataError, match=found):
            read_folder(folder, test)


def test_a_class_whose_name_cannot_be_printed(folder: Path) -> None:
    os.rename(folder / "dog", os.fsencode(folder) + b"/\xff\x1bdog")
    assert read_folder(folder, size=8).classes == ("\ufffd\ufffddog", "cat")


def test_of_more_than_two_classes_all_others_become_one(folder: Path) -> None:
    shutil.copytree(folder / "dog", folder / "bird")
    dataset = read_folder(folder, size=8)
    assert dataset.classes == ("not cat", "cat")
    assert sum(int((split.labels == 0).sum()) for split in dataset.splits.values()) == 12
    (folder / "cat").rename(folder / "cow")
    with pytest.raises(UsageError, match="3 classes, and none of them is named cat or cats"):
        read_folder(folder)


def test_what_is_no_picture_is_left_alone(folder: Path) -> None:
    (folder / "cat" / "Thumbs.db").write_bytes(b"?")
    (folder / "cat" / "._01.png").write_bytes(b"?")
    (folder / "notes.txt").write_text("?")
    (folder / ".cache").mkdir()
    (folder / "empty").mkdir()
    deep = folder / "dog" / "more"
    deep.mkdir()
    Image.new("RGB", (9, 9)).save(deep / "deep.PNG")
    dataset = read_folder(folder, size=8)
    assert sum(len(split.images) for split in dataset.splits.values()) == 13


def test_a_folder_without_pictures_or_with_one_class(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match="no sub-folder with pictures"):
        read_folder(tmp_path / "nothing")
    with pytest.raises(
        DataError, match="sub-folder with pictures, only 6 picture files of its own"
    ) as caught:
        read_folder(folder / "cat")
    assert "one sub-folder for each class" in caught.value.remedy
    shutil.rmtree(folder / "dog")
    with pytest.raises(DataError, match="contains only one class, cat"):
        read_folder(folder)


def test_a_bad_picture_is_named_or_left_out(folder: Path) -> None:
    bad = folder / "cat" / "01.png"
    bad.write_bytes(bad.read_bytes()[:60])
    with pytest.raises(DataError, match=str(bad)):
        read_folder(folder, size=8)
    dataset = read_folder(folder, size=8, skip_bad=True)
    assert sum(len(split.images) for split in dataset.splits.values()) == 11
    assert len(dataset.skipped) == 1
    assert str(bad) in dataset.skipped[0]


def test_what_is_passed_over_is_counted_with_an_example(folder: Path) -> None:
    for name in ("a.heic", "b.heic", "c.HEIC"):
        (folder / "cat" / name).write_bytes(b"?")
    (folder / "cat" / "gone.png").symlink_to("nowhere.png")
    (folder / "loose.png").write_bytes((folder / "cat" / "01.png").read_bytes())
    dataset = read_folder(folder, size=8)
    assert [str(found) for found in dataset.passed_over] == [
        "3 .heic (cat/a.heic, …)",
        "1 link that leads nowhere (cat/gone.png)",
        "1 picture outside the folders of the classes (loose.png)",
    ]
    assert dataset.sha256 == read_folder(folder, size=8).sha256
    with pytest.raises(
        DataError, match=r"passed over: 3 \.heic \(cat/a\.heic, …\); 1 link"
    ) as error:
        read_folder(folder, size=8, strict=True)
    assert "strict=True" in error.value.remedy


def test_a_class_of_files_that_cannot_be_read(folder: Path) -> None:
    for path in (folder / "cat").iterdir():
        path.rename(path.with_suffix(".heic"))
    with pytest.raises(DataError, match=r"only one class, dog; passed over: 6 \.heic"):
        read_folder(folder)


def test_strict_is_content_with_pictures_alone(folder: Path) -> None:
    assert len(read_folder(folder, size=8, strict=True).train.labels) == 10


def test_a_validation_folder_is_a_third_split(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(folder, root / "Training")
    shutil.copytree(folder, root / "valid")
    (root / "valid" / "cat" / "01.png").unlink()
    dataset = read_folder(root, size=8)
    assert dataset.test is None
    assert list(dataset.splits) == ["train", "validation"]
    assert dataset.validation is not None
    assert len(dataset.validation.labels) == 11
    shutil.copytree(folder, root / "TEST")
    dataset = read_folder(root, size=8)
    assert list(dataset.splits) == ["train", "validation", "test"]
    assert dataset.sha256 != read_folder(folder, size=8).sha256


def test_splits_below_the_classes(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("cat", "dog"):
        shutil.copytree(folder / name, root / name / "train")
        shutil.copytree(folder / name, root / name / "Test")
    dataset = read_folder(root, size=8)
    assert dataset.test is not None
    assert dataset.classes == ("dog", "cat")
    np.testing.assert_array_equal(dataset.train.images, dataset.test.images)


def test_another_test_folder_replaces_the_one_within(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("train", "test"):
        shutil.copytree(folder, root / name)
    dataset = read_folder(root, folder, size=8)
    (found,) = dataset.passed_over
    assert str(found) == "12 pictures of a test set that another one replaces (test/cat/01.png, …)"
    assert read_folder(root, root / "test", size=8).passed_over == ()
    (folder / "odd").mkdir()
    shutil.copytree(folder / "cat", root / "unlabeled")
    with pytest.raises(UsageError, match="unlabeled"):
        read_folder(root, size=8)
    assert read_folder(root / "train", root / "test", size=8).passed_over == ()


def test_a_test_folder_of_splits(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name in ("train", "val"):
        shutil.copytree(folder, other / name)
    with pytest.raises(UsageError, match="contains the splits train, validation"):
        read_folder(folder, other)
    shutil.copytree(folder, other / "test")
    dataset = read_folder(folder, other, size=8)
    assert dataset.test is not None
    assert len(dataset.test.labels) == 12
    (found,) = dataset.passed_over
    assert (found.count, found.example) == (24, "other/train/cat/01.png")


def test_the_test_folder_within_the_classes_is_left_out_of_them(folder: Path) -> None:
    shutil.copytree(folder, folder / "test")
    with pytest.raises(UsageError, match="cat, dog, test"):
        read_folder(folder)
    dataset = read_folder(folder, folder / "test", size=8)
    assert {len(split.labels) for split in dataset.splits.values()} == {12}


def test_two_names_that_look_alike_stay_two_classes(folder: Path) -> None:
    os.rename(folder / "dog", os.fsencode(folder) + b"/\xff")
    os.rename(folder / "cat", os.fsencode(folder) + b"/\xfe")
    assert read_folder(folder, size=8).classes == ("\ufffd", "\ufffd (2)")
