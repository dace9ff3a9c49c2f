"""Names of files, folders and patterns become picture files, and nothing vanishes."""

from pathlib import Path

import pytest
from PIL import Image

from jaxnet.data.find_pictures import find_pictures
from jaxnet.errors import DataError
from jaxnet.io.names import MODEL_NAME


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures, another one below, a text beside each, and a run."""
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "photos"
    (photos / "more").mkdir(parents=True)
    for name in ("b.png", "a.png", "more/c.png"):
        Image.new("RGB", (4, 4)).save(photos / name)
    for name in ("notes.txt", "more/list.txt"):
        (photos / name).write_text("text")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / MODEL_NAME).touch()
    return Path("photos")


def test_a_folder_gives_its_pictures_sorted_and_counts_the_rest(photos: Path) -> None:
    files = find_pictures(photos)
    assert files.paths == (photos / "a.png", photos / "b.png")
    assert [passed.line for passed in files.passed_over] == [
        "1 .txt (photos/notes.txt)",
        "1 picture in the folders below (photos/more/c.png)",
    ]


def test_recursively_it_gives_those_below_it_too(photos: Path) -> None:
    files = find_pictures(photos, recursive=True)
    assert files.paths == (photos / "a.png", photos / "b.png", photos / "more" / "c.png")
    assert [(passed.kind, passed.count) for passed in files.passed_over] == [(".txt", 2)]


def test_a_pattern_gives_the_files_that_fit_sorted(photos: Path) -> None:
    assert find_pictures("photos/*.png").paths == (photos / "a.png", photos / "b.png")
    assert find_pictures("photos/**/*.png").paths[-1] == photos / "more" / "c.png"
    Image.new("RGB", (4, 4)).save(photos / "[a].png")
    assert find_pictures(photos / "[a].png").paths == (photos / "[a].png",), "a file, no pattern"


def test_files_stay_in_their_order_and_need_not_exist(photos: Path) -> None:
    named = ["photos/b.png", "nowhere.png", "photos/a.png"]
    assert find_pictures(named).paths == tuple(map(Path, named))


@pytest.mark.parametrize(
    ("place", "found", "remedy"),
    [
        ("run", "run is a run of jaxnet, whose pictures are plots", "give the pictures"),
        ("photos/*.gif", "the pattern photos/*.gif fits no file", "upper and lower case differ"),
        (".", ". holds no pictures itself, and 3 in the folders below it", "recursive=True"),
        ("empty", "empty holds no pictures; passed over: 1 .txt", "give another folder"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_a_place_without_pictures_is_refused(place: str, found: str, remedy: str) -> None:
    Path("empty").mkdir()
    Path("empty/readme.txt").touch()
    with pytest.raises(DataError) as caught:
        find_pictures(place)
    assert caught.value.found.startswith(found)
    assert remedy in caught.value.remedy
