"""The download against a server on this machine, which can misbehave."""

import hashlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jaxnet.data import download
from jaxnet.data.download import FILES, FOLDER_VARIABLE, read_catvnoncat
from jaxnet.errors import DataError

Write = Callable[..., Path]


class Server(http.server.ThreadingHTTPServer):
    files: dict[str, bytes]
    fault: str | None = None
    asked: list[str]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.fault == "404":
            self.send_error(404)
            return
        content = self.server.files[self.path.rsplit("/", 1)[-1]]
        if self.server.fault == "wrong":
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(
            content[: len(content) // 2] if self.server.fault == "partial" else content
        )

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for what is downloaded."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def server(h5: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that has files of the right names, whose checksums are the expected ones."""
    paths = {
        "train_catvnoncat.h5": h5("train_catvnoncat.h5", test_set_x=None, test_set_y=None),
        "test_catvnoncat.h5": h5("test_catvnoncat.h5", train_set_x=None, train_set_y=None),
    }
    files = {name: path.read_bytes() for name, path in paths.items()}
    for name, content in files.items():
        monkeypatch.setitem(FILES, name, hashlib.sha256(content).hexdigest())
    with Server(("127.0.0.1", 0), Handler) as server:
        server.files, server.asked = files, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/"


def test_each_file_is_downloaded_once(server: Server, cache: Path) -> None:
    for _ in range(2):
        dataset = read_catvnoncat([address(server)])
        assert dataset.test is not None
        assert (len(dataset.train.images), len(dataset.test.images)) == (8, 4)
    assert server.asked == ["/train_catvnoncat.h5", "/test_catvnoncat.h5"]
    assert sorted(path.name for path in cache.iterdir()) == sorted(FILES)


def test_the_next_mirror_is_tried(server: Server, cache: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    read_catvnoncat([nowhere, address(server)])
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("404", "404 Not Found"),
        ("wrong", "wrong checksum"),
        ("partial", "transfer was interrupted"),
    ],
)
def test_a_faulty_download_is_told_and_leaves_nothing(
    fault: str, words: str, server: Server, cache: Path
) -> None:
    server.fault = fault
    with pytest.raises(DataError) as caught:
        read_catvnoncat([address(server)])
    assert f"{address(server)}: " in caught.value.found
    assert words in caught.value.found
    assert FOLDER_VARIABLE in caught.value.remedy
    assert list(cache.iterdir()) == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_refused_connection_is_told_and_leaves_nothing(cache: Path) -> None:
    with pytest.raises(DataError, match="the connection failed"):
        read_catvnoncat([f"http://127.0.0.1:{free_port()}/"])
    assert list(cache.iterdir()) == []


def test_a_wrong_file_that_is_there_already_is_replaced_or_told(
    server: Server, cache: Path
) -> None:
    cache.mkdir()
    path = cache / "train_catvnoncat.h5"
    path.write_text("<html>")
    with pytest.raises(DataError, match=f"the cached file {path} has the wrong checksum"):
        read_catvnoncat([])
    assert path.read_text() == "<html>"
    read_catvnoncat([address(server)])
    assert path.read_bytes() == server.files[path.name]


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match=r"cannot be written to .*: a part of its path is a file"):
        read_catvnoncat(["http://127.0.0.1:1/"])


def test_the_folder_may_be_named_within_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv(FOLDER_VARIABLE, "~/cats")
    assert download.cache_folder() == tmp_path / "cats"


def test_a_folder_in_the_place_of_a_file(cache: Path) -> None:
    (cache / "train_catvnoncat.h5").mkdir(parents=True)
    with pytest.raises(DataError, match="could not be read: it is a folder"):
        read_catvnoncat([])


def test_the_mirrors_are_web_addresses() -> None:
    assert len(download.MIRRORS) == 2
    assert all(
        mirror.startswith("https://") and mirror.endswith("/") for mirror in download.MIRRORS
    )
