"""Tables of paths and labels."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxnet.data.dataset import Dataset
from jaxnet.data.hold_out import draw_held_out
from jaxnet.data.load import load_dataset
from jaxnet.data.tree import REPLACED
from jaxnet.errors import DataError, UsageError


def write(folder: Path, *lines: str, name: str = "pets.csv", encoding: str = "utf-8") -> Path:
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding=encoding)
    return folder / name


def rows(folder: Path, form: str = "{path},{label}") -> list[str]:
    """A row for each picture of the fixture `folder`: cat/01.png, cat/03.png, …, dog/00.png, …."""
    files = sorted(path.relative_to(folder) for path in folder.glob("*/*.png"))
    return [
        form.format(path=path, label=path.parent, split=("train", "Test")[int(path.stem) > 7])
        for path in files
    ]


def read(path: Path, **options: Any) -> Dataset:
    return load_dataset(path, size=8, **options)


def check(dataset: Dataset) -> Dataset:
    """Compare the labels with the pictures: cats are bright."""
    assert dataset.classes == ("dog", "cat")
    for split in dataset.splits.values():
        np.testing.assert_array_equal(split.images.mean((1, 2, 3)) > 128, split.labels)
    return dataset


def refused(path: Path, *parts: str, **options: Any) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        read(path, **options)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("header", "form", "name", "encoding"),
    [
        ("path,label", "{path},{label}", "pets.csv", "utf-8"),
        ("Class;File Name", "{label};{path}", "pets.csv", "utf-8-sig"),
        ("image\ttarget", "{path}\t{label}", "pets.TSV", "utf-16"),
        ("id, image_path ,label", '7, "{path}", {label} ', "pets.csv", "utf-8"),
        ('"filename"|"class"', '"./{path}"|"{label}"', "pets.csv", "utf-8"),
        ("", "{path},{label}", "pets.csv", "utf-8"),
        ("", "{label}\t{path}", "pets.csv", "utf-8"),
        ("path,label,note", '{path},{label},"one, two\nthree ""four"""', "pets.csv", "utf-8"),
    ],
)
def test_columns_and_delimiters(
    header: str, form: str, name: str, encoding: str, folder: Path
) -> None:
    lines = [header] * bool(header) + ["", *rows(folder, form)]
    dataset = check(read(write(folder, *lines, name=name, encoding=encoding)))
    assert (len(dataset.train.labels), dataset.source.count("20% held out")) == (10, 1)


def test_the_table_is_read_as_the_folder_is(folder: Path) -> None:
    path = write(folder.parent, "path,label", *rows(folder, "pets/{path},{label}"))
    assert read(path).sha256 == load_dataset(folder, size=8).sha256
    assert read(path).train.images.shape[1:] == (8, 8, 3)
    assert load_dataset(path).train.images.shape[1:] == (64, 64, 3)


def test_a_column_of_splits(folder: Path) -> None:
    dataset = check(
        read(write(folder, "path,label,Subset", *rows(folder, "{path},{label},{split}")))
    )
    assert {name: len(split.labels) for name, split in dataset.splits.items()} == {
        "train": 8,
        "test": 4,
    }
    both = [row + (",valid" if "08" in row else "") for row in rows(folder, "{path},{label}")]
    three = [row if row.endswith("valid") else f"{row},training" for row in both]
    validation = read(write(folder, "path,label,split", *three)).validation
    assert validation is not None
    assert len(validation.labels) == 1


def test_another_table_for_the_test_split(folder: Path) -> None:
    lines = rows(folder, "{path},{label},{split}")
    train = write(folder, "path,label", *(line[:-6] for line in lines if "train" in line))
    test = write(folder, "path,label,split", *lines, name="test.csv")
    dataset = check(read(train, test=test))
    assert dataset.test is not None
    assert (len(dataset.train.labels), len(dataset.test.labels)) == (8, 4)
    (found,) = dataset.passed_over  # the rows of the training set in the table of the test set
    assert (found.kind, found.count) == (REPLACED, 8)
    (found,) = read(test, test=test).passed_over
    assert found.count == 4 + 8
    only = write(folder, "path,label,split", *(r for r in lines if "train" in r), name="only.csv")
    refused(train, "holds the splits train", "a test set", test=only)
    refused(test.with_name("pets.csv"), "there is no", test=folder / "none.csv")


def test_the_order_of_the_rows_has_no_influence(folder: Path) -> None:
    grouped = [f"{row},{i // 3}" for i, row in enumerate(rows(folder))]
    for header, lines in (("path,label", rows(folder)), ("path,label,group", grouped)):
        one = read(write(folder, header, *lines))
        other = read(write(folder, header, *lines[::-1]))
        assert one.sha256 == other.sha256
        seeds = {read(write(folder, header, *lines), data_seed=seed).sha256 for seed in range(8)}
        assert len(seeds) > 1


def test_groups_are_kept_and_not_parted(folder: Path, tmp_path: Path) -> None:
    lines = [f"{row},{'' if i in (5, 7) else i // 2}" for i, row in enumerate(rows(folder))]
    path = write(folder, "path,label,group", *lines)
    for seed in range(5):
        dataset = check(read(path, data_seed=seed))
        assert dataset.test is not None
        parts = [dataset.train.groups, dataset.test.groups]
        assert all(groups is not None for groups in parts)
        train, test = (set(np.asarray(groups).tolist()) for groups in parts)
        assert not train & test
        assert {"0", "1", "2", "3", "4", "5"} < train | test
        assert len(train | test) == 8  # a picture without a group is one of its own
        assert set(dataset.test.labels.tolist()) == {0, 1}
    from jaxnet.data.hdf5 import read_hdf5, write_hdf5

    write_hdf5(tmp_path / "a.h5", dataset)
    again = read_hdf5(tmp_path / "a.h5").train
    np.testing.assert_array_equal(again.groups, dataset.train.groups)
    resized = load_dataset(path, size=9).train
    assert resized.groups is not None
    leaks = load_dataset(path, size=8, exclude_leaks=True)
    assert leaks.train.groups is not None


def test_a_picture_that_is_left_out_takes_its_group_along(folder: Path) -> None:
    lines = [f"{row},train,{i}" for i, row in enumerate(rows(folder))]
    (folder / "cat" / "01.png").write_bytes(b"\x89PNG")
    groups = read(write(folder, "path,label,split,group", *lines), skip_bad=True).train.groups
    assert groups is not None
    assert groups.tolist() == [str(i) for i in range(1, 12)]


def test_the_delimiter_that_gives_most_cells_divides(folder: Path) -> None:
    lines = rows(folder, "{path},{label},a;b")
    assert len(check(read(write(folder, "path,label,note;s", *lines))).train.labels) == 10


def test_more_than_two_classes_and_numbers(folder: Path) -> None:
    numbers = [row.replace(",cat", ",1").replace(",dog", ",0") for row in rows(folder)]
    assert read(write(folder, "path,label", *numbers)).classes == ("class 0", "class 1")
    assert read(write(folder, "path,label", *numbers), positive="0").classes[1] == "class 0"
    third = [row.replace(",dog", ",cow") if "00" in row else row for row in rows(folder)]
    dataset = read(write(folder, "path,label", *third))
    assert dataset.classes == ("not cat", "cat")
    assert '"not cat" is cow, dog' in dataset.source


def test_what_is_missing_or_no_picture_is_counted(folder: Path) -> None:
    (folder / "a.heic").write_bytes(b"?")
    (folder / "LICENSE").write_bytes(b"?")
    (folder / "link.png").symlink_to("nowhere")
    more = [
        "gone.png,cat",
        "a.heic,dog",
        "LICENSE,dog",
        "link.png,cat",
        "cat,cat",
        "x" * 300 + ",cat",
    ]
    path = write(folder, "path,label", *rows(folder), *more)
    dataset = check(read(path))
    assert [str(found) for found in dataset.passed_over] == [
        "1 .heic (a.heic)",
        "2 files that do not exist (gone.png, …)",
        "1 file without an ending that is no picture (LICENSE)",
        "1 folder in place of a file (cat)",
        "1 link that leads nowhere (link.png)",
    ]
    refused(path, "1 .heic (a.heic)", "strict=True", strict=True)
    (folder / "cat" / "01.png").write_bytes(b"\x89PNG")
    refused(path, "01.png", "skip_bad=True")
    assert len(read(path, skip_bad=True).skipped) == 1
    refused(
        write(folder, "path,label", "a,cat", "b,dog"),
        "none of the 2 files in",
        "2 files that do not exist (a, …)",
        "correct the paths",
    )


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["path,label", "cat/01.png,cat", "./cat/01.png,cat"], "lines 2 and 3 of"),
        (["path,label", "cat/01.png,cat", "cat/01.png,dog"], "differ in its label"),
        (["path,label", "cat/01.png,"], "line 2 of"),
        (["path,label", ",cat"], "has no path"),
        (["path,label,split", "cat/01.png,cat,"], "has no split"),
        (["path,label,split", "cat/01.png,cat,later"], 'has the split "later"'),
        (["path,label,split", "cat/01.png,cat,test"], "a training set"),
        (["path,label,class", "cat/01.png,cat,1"], "either label or class"),
        (["file,image,label", "cat/01.png,a,1"], "either file or image"),
        (["id,kind", "cat/01.png,cat"], "has the columns id, kind"),
        (["path,kind", "cat/01.png,cat"], "has the columns path, kind"),
        (["cat/01.png,cat,1", "dog/00.png,dog,2"], "3 columns"),
        (["cat/01.png,cat/03.png"], "2 of which hold names of files"),
        (["a.png,b.png"], "none of which hold names of files"),
        (["path,label"], "has no row below its header"),
        (["path,label", "cat/01.png,cat,1"], "line 1 of"),
        (["cat/01.png"], "has one column"),
        (["path,label", 'cat/01.png,"cat', "cat/03.png,cat"], "line 3 of pets.csv"),
        (["path,label", '"cat/01.png"x,cat'], "',' expected after"),
        ([], "has no rows"),
        (["path,label", "cat/01.png,cat", "cat/03.png,cat"], "of one class, cat"),
    ],
)
def test_what_is_not_recognised(lines: Sequence[str], found: str, folder: Path) -> None:
    found = found.replace("pets.csv", str(folder / "pets.csv"))
    refused(write(folder, *lines), found, "pets.csv", "expected:", "to do:")


def test_other_contents_under_the_name_of_a_table(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"PK\x03\x04....")
    refused(tmp_path / "a.csv", "is a ZIP archive")
    (tmp_path / "b.csv").write_bytes("path,label\nchât.png,cat\n".encode("latin-1"))
    refused(tmp_path / "b.csv", "is not a text in UTF-8", "save it as CSV in UTF-8")
    (tmp_path / "c.csv").write_bytes(b'path,label\n"cat')
    refused(tmp_path / "c.csv", "line 2 of", "unexpected end of data")


def test_backslashes_of_another_system(folder: Path) -> None:
    lines = [row.replace("/", "\\") for row in rows(folder)]
    check(read(write(folder, "path,label", *lines)))


def test_absolute_paths(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    check(read(write(tmp_path / "else", *rows(folder, f"{folder}{os.sep}{{path}},{{label}}"))))


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=2, max_size=60),
    st.integers(0, 3),
)
def test_a_draw_parts_no_group(examples: list[tuple[int, int]], seed: int) -> None:
    labels, numbers = np.array(examples).T
    groups = numbers.astype(str)
    held = draw_held_out(labels, seed, groups)
    for group in set(groups.tolist()):
        assert len(set(held[groups == group].tolist())) == 1
    for label in (0, 1):
        own = labels == label
        assert not own.any() or not held[own].all()
    order = np.random.default_rng(seed).permutation(len(labels))
    np.testing.assert_array_equal(draw_held_out(labels[order], seed, groups[order]), held[order])


def test_a_draw_of_many_groups_is_stratified() -> None:
    groups = np.repeat(np.arange(100), 5).astype(str)
    labels = np.repeat(np.arange(100) % 4 == 0, 5).astype(int)
    for seed in range(5):
        held = draw_held_out(labels, seed, groups)
        assert [int(held[labels == label].sum()) for label in (0, 1)] == [75, 25]


def test_two_groups_of_one_class_are_one_each() -> None:
    labels, groups = np.array([0] * 6 + [1] * 6), np.array(list("aaabbbcccddd"))
    held = draw_held_out(labels, 0, groups)
    assert [int(held[labels == label].sum()) for label in (0, 1)] == [3, 3]
    assert not draw_held_out(labels, 0, labels.astype(str)).any()
