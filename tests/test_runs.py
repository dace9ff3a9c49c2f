from pathlib import Path

import pytest

from jaxnet.errors import UsageError
from jaxnet.runs.folder import make_run_folder


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_run_has_the_next_free_number() -> None:
    assert [make_run_folder() for _ in range(2)] == [Path("runs/001"), Path("runs/002")]
    Path("runs/041").mkdir()
    Path("runs/notes").mkdir()
    assert make_run_folder() == Path("runs/042")
    assert Path("runs/042").is_dir()


def test_a_number_that_another_run_takes_in_the_same_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_run_folder()
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(()))  # as if it looked too early
    assert make_run_folder() == Path("runs/002")


def test_a_folder_with_something_in_it_is_not_written_to_unasked() -> None:
    out = Path("deep/run")
    assert make_run_folder(out) == make_run_folder(out) == out
    (out / "model.h5").touch()
    with pytest.raises(UsageError, match="deep/run is not empty") as caught:
        make_run_folder(out)
    assert "--force" in caught.value.remedy
    assert make_run_folder(out, force=True) == out


def test_a_place_where_no_folder_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="no folder can be made"):
        make_run_folder(tmp_path / "file" / "run")
