"""Every file of a folder is read or counted, whatever the folder holds."""

import io
import os
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from PIL import Image

from jaxnet.data import tree
from jaxnet.data.folder import read_folder
from jaxnet.data.split_names import split_of
from jaxnet.data.tree import look
from jaxnet.errors import DataError, UsageError


def encode(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(file, kind)
    return file.getvalue()


PNG = encode("PNG")


def put(root: Path, path: str, content: bytes = PNG) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


def passed_over(path: Path) -> dict[str, list[str]]:
    found = look(path).passed_over
    return {kind: ["/".join(file) for file in files] for kind, files in found.items()}


def pictures(path: Path) -> list[str]:
    return ["/".join(file) for file in look(path).pictures]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("cat/a.HEIC", ".heic"),
        ("cat/notes.txt", ".txt"),
        ("cat/.a.png", tree.HIDDEN_FILES),
        ("cat/._a.png", tree.HIDDEN_FILES),
        ("cat/.ipynb_checkpoints/a-checkpoint.png", tree.IN_HIDDEN),
        (".git/deep/er/a.png", tree.IN_HIDDEN),
        ("__MACOSX/cat/a.png", tree.SYSTEM),
        ("cat/thumbs.DB", tree.SYSTEM),
        ("cat/lost+found/a.png", tree.SYSTEM),
        ("model/model.h5", tree.RUNS),
        ("cat/sweep/sweep.h5", tree.RUNS),
        ("runs/001/.jaxnet-run", tree.RUNS),
    ],
)
def test_each_kind(path: str, kind: str, tmp_path: Path) -> None:
    put(tmp_path, path)
    put(tmp_path, "dog/a.png")
    assert passed_over(tmp_path) == {kind: [path]}
    assert pictures(tmp_path) == ["dog/a.png"]


def test_runs_are_passed_over_as_a_whole(tmp_path: Path) -> None:
    for path in ("runs/001/model.h5", "runs/001/training.png", "runs/compared.png"):
        put(tmp_path, path)
    assert passed_over(tmp_path)[tree.RUNS] == [
        "runs/001/model.h5",
        "runs/001/training.png",
        "runs/compared.png",
    ]
    put(tmp_path, "runs/marathon/a.png")  # no folder of runs, then: a class
    assert pictures(tmp_path) == ["runs/compared.png", "runs/marathon/a.png"]


def test_files_without_an_ending_are_read_by_content(tmp_path: Path) -> None:
    put(tmp_path, "cat/scan 12.30")
    put(tmp_path, "cat/IMG_1", encode("JPEG"))
    put(tmp_path, "cat/LICENSE", b"free")
    put(tmp_path, "cat/empty", b"")
    assert pictures(tmp_path) == ["cat/IMG_1", "cat/scan 12.30"]
    assert passed_over(tmp_path) == {tree.NO_ENDING: ["cat/LICENSE", "cat/empty"]}


def test_links_are_followed_without_loops(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    put(root, "cat/a.png")
    put(tmp_path, "elsewhere/b.png")
    put(tmp_path, "elsewhere/deep/c.png")
    (root / "cat" / "more").symlink_to(tmp_path / "elsewhere")
    (root / "cat" / "d.png").symlink_to(root / "cat" / "a.png")
    (root / "cat" / "up").symlink_to("..")
    (root / "cat" / "itself").symlink_to(root / "cat")
    (root / "cat" / "out").symlink_to(tmp_path)
    (tmp_path / "elsewhere" / "back").symlink_to(root)
    (root / "cat" / "gone.png").symlink_to("nowhere.png")
    (root / "cat" / "round").symlink_to("round")
    assert pictures(root) == ["cat/a.png", "cat/d.png", "cat/more/b.png", "cat/more/deep/c.png"]
    assert passed_over(root) == {
        tree.LOOPS: ["cat/itself", "cat/more/back", "cat/out", "cat/up"],
        tree.DANGLING: ["cat/gone.png", "cat/round"],
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert passed_over(tmp_path) == {tree.DEVICES: ["pipe.png"]}


def test_a_folder_that_may_not_be_opened(tmp_path: Path) -> None:
    put(tmp_path, "cat/a.png")
    listed = os.listdir

    def refuse(path: Path) -> list[str]:
        if Path(path).name == "cat":
            raise PermissionError
        return listed(path)

    with mock.patch("os.listdir", refuse):
        assert passed_over(tmp_path) == {tree.UNLISTED: ["cat"]}


NAMES = st.sampled_from(
    ["cat", "dog", "train", "Test_Set", "val", "pets", ".cache", "__MACOSX", "runs", "1"]
)
FILES = st.sampled_from(
    ["a.png", "b.PNG", "c", "d.heic", ".e.png", "Thumbs.db", "model.h5", "LICENSE", "f.txt"]
)
FLAT = st.sampled_from(["cat.0.png", "cat_1.PNG", "dog-12.png", "dog (2).png", "cow7.png", "cat8"])
LIKELY = st.sampled_from(["a.png", "b.PNG", "c"])
PATHS = st.lists(st.tuples(st.lists(NAMES, max_size=4), st.one_of(LIKELY, LIKELY, FILES)))
SPLIT_PATHS = st.lists(  # these are more often a data set
    st.tuples(
        st.tuples(
            st.sampled_from(["train", "Test_Set"]), st.sampled_from(["cat", "dog", ".cache"])
        ),
        st.one_of(LIKELY, LIKELY, FILES),
    ),
    min_size=4,
)
FLAT_PATHS = st.builds(  # the names of the files begin with the class
    lambda folder, names: [(folder, name) for name in ("cat.1.png", "dog.1.png", *names)],
    st.sampled_from([(), ("train",), ("pets", "Train_Set")]),
    st.lists(st.one_of(FLAT, FLAT, st.sampled_from(["d.heic", ".e.png", "f.txt", "b.png"]))),
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.one_of(PATHS, SPLIT_PATHS))
def test_every_file_is_read_or_counted(paths: list[tuple[list[str], str]]) -> None:
    check_every_file(paths)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(FLAT_PATHS)
def test_every_file_of_a_flat_folder_is_read_or_counted(paths: list[tuple[list[str], str]]) -> None:
    check_every_file(paths)


def check_every_file(paths: list[tuple[list[str], str]]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "pets"
        root.mkdir()
        for folders, name in paths:
            put(root, "/".join((*folders, name)), b"?" if name == "LICENSE" else PNG)
        files = sorted(path.relative_to(root).parts for path in root.rglob("*") if path.is_file())
        seen = look(root)
        passed = [file for kind in seen.passed_over.values() for file in kind]
        assert sorted([*seen.pictures, *passed]) == files
        listed = os.listdir
        with mock.patch("os.listdir", lambda path: listed(path)[::-1]):
            assert look(root) == seen
        try:
            dataset = read_folder(root, size=2)
        except (DataError, UsageError) as error:
            event(type(error).__name__)
            return
        event(f"a data set with {', '.join(dataset.splits)}")
        read = sum(len(split.labels) for split in dataset.splits.values())
        assert read + sum(found.count for found in dataset.passed_over) == len(files)
        assert not any(split_of(name) for name in dataset.classes)
        with mock.patch("os.listdir", lambda path: listed(path)[::-1]):
            again = read_folder(root, size=2)
        assert again.sha256 == dataset.sha256
        assert again.passed_over == dataset.passed_over
