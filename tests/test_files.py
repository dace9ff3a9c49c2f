"""Writing a file whole or not at all, when the disk or the folder fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from jaxnet.errors import UsageError
from jaxnet.io.files import write_whole

# A real limit on the size of files, which fails a write as a full disk does.
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import jax, numpy as np
from jaxnet import Model, Preprocessing, UsageError, init_params, load_model, save_model

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
model = Model(init_params(jax.random.key(0), 4096), Preprocessing(64, 64), ("no", "yes"))
save_model(path, model)
before = path.read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    save_model(path, model)
except UsageError as error:
    assert "could not be written" in error.found, error
    assert "what was there before is unchanged" in error.remedy
else:
    raise AssertionError("there was room")
assert path.read_bytes() == before
assert [p.name for p in path.parent.iterdir()] == [path.name]
load_model(path)
"""


@pytest.mark.parametrize("room", [0, 1000, 100_000])
def test_a_full_disk_leaves_the_earlier_file(room: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "model.h5"), str(room)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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
        pytest.raises(UsageError, match=r"could not be written \(Permission denied\)"),
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
