"""Download the article's cat pictures once, and verify and cache the files.

`pooch` and `requests` are imported for a download only, since they are slow to import.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from jaxnet.data.dataset import Dataset
from jaxnet.data.hdf5 import read_hdf5
from jaxnet.errors import DataError
from jaxnet.explain import Reason, explain
from jaxnet.io.files import expand

# SHA-256 of each file.
FILES = {
    "train_catvnoncat.h5": "fbe56ab67c3ae28d564e3a644189117976d6b31af0a3ce9bb17dbf22908af242",
    "test_catvnoncat.h5": "6a9d39ce52fa85953c5834695b8534a30ed8cfd54971fb2f080b5a24d002b951",
}

# Public repositories with unmodified copies of the files, each at a fixed commit.
MIRRORS = (
    "https://raw.githubusercontent.com/Kulbear/deep-learning-coursera/"
    "8ef9dd4fd4a627217d4ff31e63b661dbb3db9150/Neural%20Networks%20and%20Deep%20Learning/datasets/",
    "https://raw.githubusercontent.com/Hiren2002/Logistic-Regression/"
    "a6139a838a0e624f4ab923377df0c5d3386fdf1f/datasets/",
)

FOLDER_VARIABLE = "JAXNET_DATA_DIR"


def read_catvnoncat(mirrors: Sequence[str] = MIRRORS) -> Dataset:
    """Read the article's cats, 209 training and 50 test pictures; download them if necessary.

    The files are cached in the user's cache folder, or in the folder named by JAXNET_DATA_DIR. A
    cached file with the right checksum is used without a network connection.

    Raises:
        DataError: If no mirror delivers a file with the right checksum.
    """
    folder = cache_folder()
    train, test = (_fetch(name, folder, mirrors) for name in FILES)
    return read_hdf5(train, test)


def cache_folder() -> Path:
    """Return the folder of the downloads: the one that JAXNET_DATA_DIR names, or the user's."""
    return expand(os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_path("jaxnet"))


def _fetch(name: str, folder: Path, mirrors: Sequence[str]) -> Path:
    path, sha256 = folder / name, FILES[name]
    failures = []
    try:
        if path.exists():
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                    return path
            failures = [f"the cached file {path} has the wrong checksum"]
    except OSError as cause:
        reason = explain(cause)
        failures = [f"{path} could not be read: {reason.found if reason else cause}"]
    import pooch
    from requests import RequestException

    for mirror in mirrors:
        try:
            downloader = pooch.HTTPDownloader(timeout=30)
            pooch.retrieve(mirror + name, sha256, name, folder, downloader=downloader)
            return path
        except (OSError, ValueError, RequestException) as cause:
            if not isinstance(cause, RequestException):
                _require_writable(folder, explain(cause), cause)
            failures.append(f"{mirror}: {_describe_failure(cause)}")
    raise DataError(
        f"{name} could not be downloaded\n  " + "\n  ".join(failures),
        f"a file with the SHA-256 {sha256}",
        f"try again later, or set {FOLDER_VARIABLE} to a folder that contains the file",
    )


def _require_writable(folder: Path, reason: Reason | None, cause: Exception) -> None:
    """Raise a DataError if it is the disk that failed, and not the server."""
    if reason is not None:
        raise DataError(
            f"the downloads cannot be written to {folder}: {reason.found}",
            "a folder for them that can be written to",
            f"{reason.remedy}, or set {FOLDER_VARIABLE} to another folder",
        ) from cause


def _describe_failure(cause: Exception) -> str:
    """Describe briefly why a download failed."""
    import requests

    match cause:
        case requests.HTTPError(response=response) if response is not None:
            return f"the server answered {response.status_code} {response.reason}"
        case requests.exceptions.ChunkedEncodingError():
            return "the transfer was interrupted"
        case requests.Timeout():
            return "the server did not answer in time"
        case requests.ConnectionError():
            return "the connection failed"
        case ValueError() if "hash" in str(cause):
            return "the downloaded file has the wrong checksum"
    return f"{type(cause).__name__}: {cause}"
