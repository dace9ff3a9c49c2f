"""The folder of a run: claimed by one run, whatever runs at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from jaxnet.errors import UsageError
from jaxnet.io.names import CLAIM_NAME
from jaxnet.runs import folder as module
from jaxnet.runs.folder import claim_folder, require_empty


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_run_has_the_next_free_number() -> None:
    assert [claim_folder() for _ in range(2)] == [Path("runs/001"), Path("runs/002")]
    Path("runs/041").mkdir()
    Path("runs/notes").mkdir()
    assert claim_folder() == Path("runs/042")
    assert [path.name for path in Path("runs/042").iterdir()] == [CLAIM_NAME]
    assert not Path("runs/042", CLAIM_NAME).stat().st_mode & 0o111, "it is no program"


def test_a_number_that_another_run_takes_in_the_same_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim_folder()
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(()))  # as if it looked too early
    assert claim_folder() == Path("runs/002")


def test_a_folder_with_something_in_it_is_not_written_to_unasked() -> None:
    out = Path("deep/run")
    out.mkdir(parents=True)
    assert claim_folder(out) == out
    (out / "model.h5").touch()
    for refuse in (claim_folder, require_empty):
        with pytest.raises(UsageError) as caught:
            refuse(out)
        assert caught.value.found == f"{out.absolute()} is not empty"
        assert caught.value.remedy == "give another folder, or force=True to write into this one"
    assert claim_folder(out, force=True) == out
    assert (out / "model.h5").exists()
    require_empty(Path("nowhere"))


def test_a_claim_without_a_run_is_named_as_such() -> None:
    """A run that was killed before its first save leaves it."""
    out = claim_folder(Path("run"))
    with pytest.raises(UsageError) as caught:
        claim_folder(out)
    assert caught.value.found == (
        f"{out.absolute()} is not empty (claimed by a run that has saved nothing yet)"
    )
    assert "force=True" in caught.value.remedy
    assert claim_folder(out, force=True) == out


def test_a_forced_folder_is_claimed_too() -> None:
    claim_folder(Path("run"), force=True)
    with pytest.raises(UsageError, match="claimed by a run"):
        claim_folder(Path("run"))


def test_of_many_runs_at_once_one_has_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them has found the folder empty before any claims it."""
    runs = 8
    all_looked = Barrier(runs)

    def look(out: Path) -> None:
        require_empty(out)
        all_looked.wait(10)

    monkeypatch.setattr(module, "require_empty", look)

    def claim(_: int) -> Path | UsageError:
        try:
            return claim_folder(Path("run"))
        except UsageError as error:
            return error

    with ThreadPoolExecutor(runs) as pool:
        answers = list(pool.map(claim, range(runs)))
    assert answers.count(Path("run")) == 1
    refusals = [answer for answer in answers if isinstance(answer, UsageError)]
    assert len(refusals) == runs - 1
    assert all("run is not empty (claimed by a run" in error.found for error in refusals)


def test_of_many_runs_at_once_each_has_a_number() -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: claim_folder(), range(24)))
    assert sorted(folders) == [Path(f"runs/{number:03}") for number in range(1, 25)]


def test_a_place_where_no_folder_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be created"):
        claim_folder(tmp_path / "file" / "run")
    for force in (False, True):
        with pytest.raises(UsageError, match="file is a file"):
            claim_folder(tmp_path / "file", force=force)
    Path("runs").touch()
    with pytest.raises(UsageError, match="runs is a file"):
        claim_folder()
