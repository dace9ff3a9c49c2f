"""Writing a file whole or not at all, when the disk or the folder fails."""

import contextlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import jax
import pytest

from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import DataError, UsageError
from jaxnet.io.files import ABANDONED_AFTER, require_path, write_whole
from jaxnet.network import init_params
from jaxnet.runs.model import Model
from jaxnet.runs.model_file import load_model, save_model


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """Limit the size of files, which fails a write as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 1000, 100_000])
def test_a_full_disk_leaves_the_earlier_file(room: int, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    model = Model(init_params(jax.random.key(0), 4096), Preprocessing(64, 64), ("no", "yes"))
    save_model(path, model)
    before = path.read_bytes()
    assert len(before) > room
    with room_for(room), pytest.raises(UsageError) as caught:
        save_model(path, model)
    assert "could not be written" in caught.value.found
    assert "an existing file is unchanged" in caught.value.remedy
    assert path.read_bytes() == before
    assert [kept.name for kept in tmp_path.iterdir()] == [path.name]
    load_model(path)


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()

    def write() -> None:
        with write_whole(folder / "a") as temporary:
            temporary.write_text("half")
            temporary.rename(tmp_path / "elsewhere")
            folder.rmdir()

    with pytest.raises(UsageError, match="could not be written"):
        write()


def test_a_folder_that_may_not_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("before")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)  # a chmod would not stop root
    with (
        pytest.raises(UsageError, match=r"could not be written: permission denied"),
        write_whole(tmp_path / "a") as temporary,
    ):
        temporary.write_text("after")
    assert (tmp_path / "a").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_error_within_leaves_the_earlier_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")

    def write() -> None:
        with write_whole(tmp_path / "a") as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert (tmp_path / "a").read_text() == "before"
    with write_whole(tmp_path / "a") as temporary:
        temporary.write_text("after")
    assert (tmp_path / "a").read_text() == "after"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_name_in_a_folder_that_may_not_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: object) -> list[str]:
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(DataError, match=r"there is no .*pets") as caught:
        require_path(tmp_path / "pets")
    assert caught.value.remedy == "check the spelling and the folder"


def test_threads_that_write_one_file_all_succeed(tmp_path: Path) -> None:
    """Each holds its own temporary at the moment when the others hold theirs."""
    path, writers = tmp_path / "a", 3
    all_wrote = Barrier(writers)

    def write(number: int) -> str:
        with write_whole(path) as temporary:
            temporary.write_text(str(number))
            all_wrote.wait(10)
            assert temporary.read_text() == str(number)
        return temporary.name

    with ThreadPoolExecutor(writers) as pool:
        names = list(pool.map(write, range(writers)))
    assert len(set(names)) == writers
    assert path.read_text() in {"0", "1", "2"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def temporary_of(host: str, process: int) -> str:
    return f".model.h5.{host}.{process}-0123abcd.tmp"


@pytest.mark.parametrize("days", [0, 0.9, 1.1])
@pytest.mark.skipif(os.name != "posix", reason="other systems do not say who is running")
def test_what_a_killed_process_left_is_swept(
    days: float, dead: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "node-7.cluster")
    ours = {temporary_of("node-7-cluster", number) for number in (os.getppid(), os.getpid())}
    others = {
        temporary_of("node-8-cluster", dead),
        temporary_of("node-8-cluster", os.getpid()),
        f".model.h5.{dead}.tmp",  # as jaxnet 0.1.0 named them
        ".model.h5.x.tmp",
    }
    elsewhere = {".other.h5.node-7-cluster.1.tmp", "model.h5.1.tmp", ".model.h5.tmp"}
    names = {temporary_of("node-7-cluster", dead), *ours, *others, *elsewhere}
    written = time.time() - days * ABANDONED_AFTER
    for name in names:
        (tmp_path / name).write_text("half")
        os.utime(tmp_path / name, (written, written))
    with write_whole(tmp_path / "model.h5") as temporary:
        temporary.write_text("whole")
        host, process = temporary.name.split(".")[-3:-1]
    assert host == "node-7-cluster"
    assert process.partition("-")[0] == str(os.getpid())
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"model.h5", *ours, *elsewhere} | (others if days < 1 else set())


def test_a_temporary_that_is_another_users_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(platform, "node", lambda: "here")
    monkeypatch.setattr(os, "kill", refuse)
    (tmp_path / temporary_of("here", 1)).write_text("half")
    with write_whole(tmp_path / "model.h5") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / temporary_of("here", 1)).exists()
