"""Picture files written in bounded memory: the same file as by way of memory, whatever happens."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import h5py
import pytest
from conftest import Result
from PIL import Image

from jaxnet import DataError, UsageError, load_dataset, write_pictures
from jaxnet.data import too_large, write_stored
from jaxnet.data.hdf5 import write_hdf5
from jaxnet.data.pictures import read_each

Run = Callable[..., Result]


def arrays(path: Path) -> dict[str, tuple[Any, ...]]:
    with h5py.File(path, "r") as file:
        return {name: (file[name].dtype, file[name][()].tolist()) for name in file}


def same_as_by_memory(path: Path, source: Path, **options: Any) -> None:
    by_memory = path.with_name("by_memory.h5")
    write_hdf5(by_memory, load_dataset(source, **options))
    assert arrays(path) == arrays(by_memory)
    assert not list(path.parent.glob("*.partial*"))


def of_splits(folder: Path) -> dict[str, Any]:
    """Put the pictures below folders of three splits."""
    for split in ("train", "valid", "test"):
        shutil.copytree(folder, folder.parent / "splits" / split)
    shutil.rmtree(folder)
    (folder.parent / "splits").rename(folder)
    return {}


def three_classes(folder: Path) -> dict[str, Any]:
    shutil.copytree(folder / "dog", folder / "bird")
    return {"positive": "dog", "data_seed": 3}


def elsewhere(folder: Path) -> dict[str, Any]:
    return {"test": shutil.copytree(folder, folder.parent / "held_out")}


def broken(folder: Path) -> dict[str, Any]:
    """Break two pictures, so that a test split is drawn of the others."""
    for name in ("cat/03.png", "dog/08.png"):
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    return {"skip_bad": True}


def broken_of_splits(folder: Path) -> dict[str, Any]:
    of_splits(folder)
    (folder / "valid/cat/01.png").write_bytes(b"")
    return {"skip_bad": True}


SOURCES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "drawn": lambda folder: {},
    "splits": of_splits,
    "three classes": three_classes,
    "a test folder": elsewhere,
    "unreadable": broken,
    "unreadable in a split": broken_of_splits,
}


@pytest.mark.parametrize("prepare", SOURCES.values(), ids=SOURCES)
def test_a_folder_gives_the_file_that_it_gives_by_way_of_memory(
    prepare: Callable[[Path], dict[str, Any]],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(write_stored, "BLOCK", 5)
    options = prepare(folder) | {"size": 5}
    written = write_pictures(folder, tmp_path / "new.h5", **options)
    same_as_by_memory(tmp_path / "new.h5", folder, **options)
    dataset = load_dataset(folder, **options)
    assert (written.skipped, written.passed_over) == (dataset.skipped, dataset.passed_over)
    assert {name: len(split) for name, split in written.splits.items()} == {
        name: len(split.labels) for name, split in dataset.splits.items()
    }


@pytest.mark.parametrize("column", ["group", "group,split"])
def test_a_table_keeps_its_groups(column: str, folder: Path, tmp_path: Path) -> None:
    rows = [f"path,label,{column}"]
    for path in sorted(folder.glob("*/*.png")):
        group = f"ä{int(path.stem) // 4}" if path.stem != "07" else ""
        split = ("", f",{'train' if int(path.stem) < 9 else 'test'}")["split" in column]
        rows.append(f"{path.relative_to(folder)},{path.parent.name},{group}{split}")
    (folder / "table.csv").write_text("\n".join(rows), encoding="utf-8")
    write_pictures(folder / "table.csv", tmp_path / "new.h5", size=5)
    same_as_by_memory(tmp_path / "new.h5", folder / "table.csv", size=5)
    assert "train_set_groups" in arrays(tmp_path / "new.h5")


class Stop:
    """A `Track` that interrupts after some files."""

    def __init__(self, after: int, stop: Callable[[], None]) -> None:
        self.after, self.stop = after, stop

    def __call__(self, sequence: Iterable[Any], description: str, total: float | None) -> Any:
        for number, item in enumerate(sequence, 1):
            yield item
            if number == self.after:
                self.stop()


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Blocks of three files; list the files that are read."""
    names: list[str] = []

    def read(paths: list[Path], *rest: Any) -> Any:
        names.extend(path.stem for path in paths)
        return read_each(paths, *rest)

    monkeypatch.setattr(write_stored, "BLOCK", 3)
    monkeypatch.setattr(write_stored, "read_each", read)
    return names


def test_an_interrupted_call_goes_on_and_reads_what_has_changed(
    folder: Path, tmp_path: Path, files_read: list[str]
) -> None:
    path = tmp_path / "new.h5"
    with pytest.raises(KeyboardInterrupt):
        write_pictures(folder, path, size=5, track=Stop(8, interrupt))
    assert not path.exists()
    Image.new("RGB", (9, 9), "red").save(folder / "cat" / "05.png")  # the third file
    files_read.clear()
    written = write_pictures(folder, path, size=5)
    assert files_read == ["01", "03", "05", "00", "02", "04", "06", "08", "10"]
    assert written.earlier == 3
    same_as_by_memory(path, folder, size=5)


CHANGES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "size": lambda folder: {"size": 6},
    "seed": lambda folder: {"data_seed": 1},
    "positive": lambda folder: {"positive": "dog"},
    "another file": lambda folder: {
        "strict": bool(shutil.copy(folder / "cat/01.png", folder / "cat/12.png"))
    },
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_other_files_or_options_start_anew(
    change: Callable[[Path], dict[str, Any]], folder: Path, tmp_path: Path, files_read: list[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_pictures(folder, tmp_path / "new.h5", size=5, track=Stop(8, interrupt))
    options = {"size": 5} | change(folder)
    assert write_pictures(folder, tmp_path / "new.h5", **options).earlier == 0
    same_as_by_memory(tmp_path / "new.h5", folder, **options)


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from jaxnet import write_pictures
from jaxnet.data import write_stored
from test_write_stored import Stop
write_stored.BLOCK = 3
stop = Stop(int(sys.argv[4]), lambda: os.kill(os.getpid(), signal.SIGKILL))
write_pictures(sys.argv[2], sys.argv[3], size=5, track=stop)
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [2, 6])
def test_a_killed_process_loses_a_block_at_most(
    after: int, folder: Path, tmp_path: Path, files_read: list[str]
) -> None:
    path = tmp_path / "new.h5"
    arguments = (Path(__file__).parent, folder, path, after)
    ended = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert write_pictures(folder, path, size=5).earlier == (0 if after == 2 else 3)
    same_as_by_memory(path, folder, size=5)


def test_unreadable_files_are_told_when_all_others_are_written(
    folder: Path, tmp_path: Path, files_read: list[str]
) -> None:
    broken(folder)
    path = tmp_path / "new.h5"
    with pytest.raises(DataError, match=r"03\.png.*\n.*08\.png"):
        write_pictures(folder, path, size=5)
    files_read.clear()
    write_pictures(folder, path, size=5, skip_bad=True)
    assert files_read == ["03", "08"]
    same_as_by_memory(path, folder, size=5, skip_bad=True)


def test_a_class_without_a_readable_picture(folder: Path, tmp_path: Path) -> None:
    for path in (folder / "cat").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match='every training picture is "dog"'):
        write_pictures(folder, tmp_path / "new.h5", skip_bad=True)
    assert not (tmp_path / "new.h5").exists()


def test_a_disk_that_is_too_small_is_told_before_anything_is_read(
    folder: Path, tmp_path: Path, files_read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=2**20))
    with pytest.raises(UsageError, match=r"need 2\.1 MiB more, and .* has 1\.0 MiB free"):
        write_pictures(folder, tmp_path / "new.h5", size=250)
    assert not files_read
    assert not list(tmp_path.glob("new.h5*"))


def test_two_processes_do_not_write_one_file(folder: Path, tmp_path: Path) -> None:
    with (tmp_path / "new.h5.partial").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another process is writing"):
            write_pictures(folder, tmp_path / "new.h5")


def test_what_is_not_written(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.h5"
    with pytest.raises(UsageError, match="no folder of pictures"):
        write_pictures("sketches", path)
    with pytest.raises(UsageError, match="exclude_leaks"):
        write_pictures(folder, path, exclude_leaks=True)
    (folder / "notes.txt").touch()
    with pytest.raises(DataError, match="passed over"):
        write_pictures(folder, path, strict=True)
    with pytest.raises(UsageError, match="its folder does not exist"):
        write_pictures(folder, tmp_path / "nowhere" / "new.h5")
    path.touch()
    with pytest.raises(UsageError, match="exists already"):
        write_pictures(folder, path)
    write_pictures(folder, path, size=5, force=True)
    same_as_by_memory(path, folder, size=5)


MEASURED = """
import resource, sys
from jaxnet import write_pictures
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
write_pictures(sys.argv[1], "small.h5", size=8)
before = peak()
write_pictures(sys.argv[1], "large.h5", size=256)
print(peak() - before)
"""


@pytest.mark.slow
def test_the_pictures_are_never_in_memory_together(folder: Path, tmp_path: Path) -> None:
    for i in range(1000):
        os.link(folder / "cat" / "01.png", folder / "cat" / f"more{i}.png")
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, folder], cwd=tmp_path, capture_output=True, check=True
    )
    pixels = (tmp_path / "large.h5").stat().st_size
    assert int(ended.stdout) < 0.6 * pixels


def test_the_command_writes_what_it_does_not_load(
    folder: Path, jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(too_large, "LOADED_BYTES", 0)
    (folder / "notes.txt").touch()
    refused = jaxnet("data", folder)
    assert refused.code == 2
    assert "12 pictures are 0.1 MiB of pixels" in refused.err
    assert "--write NEW.h5" in refused.err
    for option in (("--sheet", "a.png"), ("--exclude-leaks",)):
        assert jaxnet("data", folder, "--write", "new.h5", *option).code == 2
    written = jaxnet("data", folder, "--write", "new.h5", "--size", 5)
    assert written.code == 0, written.err
    for part in (
        "the same command goes on",
        "(10, 5, 5, 3)",
        "passed over: 1 .txt",
        "not examined",
    ):
        assert part in written.out
    same_as_by_memory(Path("new.h5"), folder, size=5)
    answer = jaxnet("data", folder, "--write", "new.h5", "--size", 5, "--force", "--json")
    assert json.loads(answer.out)["splits"]["test"]["counts"] == {"dog": 1, "cat": 1}
