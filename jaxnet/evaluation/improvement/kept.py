"""The measured levers of an improvement in a folder, so that a stopped one is continued.

`levers/NAME.h5`, one file a lever, which is written whole and ends with a seal:

/                attributes `format`, `format_version`, `networks`, `failed`, and `measurement`: the
                 SHA-256 of everything that decides the answers
/probabilities   (repeats, seeds, m), of class 1, of the held-out pictures
"""

import dataclasses
import hashlib
from pathlib import Path

import h5py

from jaxnet import __version__
from jaxnet.data.dataset import Dataset
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.evaluation.improvement.held_out import Division, HeldOut
from jaxnet.evaluation.improvement.levers import Lever
from jaxnet.io.attributes import Value, read_attribute, write_attributes
from jaxnet.io.bounded_hdf5 import find_array, open_hdf5, read_array, seal, verify_parts
from jaxnet.io.files import write_whole
from jaxnet.io.formats import require_format
from jaxnet.io.names import LEVERS_NAME

FORMAT = "jaxnet lever"
FORMAT_VERSION = 1


def holds_levers(folder: Path) -> bool:
    """Tell whether a folder has measured levers; a new or an empty one has none.

    Raises:
        UsageError: If it holds something else.
    """
    if (folder / LEVERS_NAME).is_dir():
        return True
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} is not empty and contains no measured levers",
            "a new or an empty folder, or the folder of the same improvement to continue it",
            "give another folder",
        )
    return False


def digest_measurement(data: Dataset, lever: Lever, division: Division, seeds: int) -> str:
    """Compute the SHA-256 of everything that decides what networks say of held-out pictures."""
    decisive = (
        __version__,
        data.train_sha256,
        dataclasses.astuple(lever.settings),
        dataclasses.astuple(lever.preprocessing),
        seeds,
    )
    digest = hashlib.sha256(repr(decisive).encode())
    digest.update(division.folds.tobytes())
    if lever.settings.patience is not None and division.watched is not None:
        digest.update(division.watched.tobytes())
    return digest.hexdigest()


def keep_lever(folder: Path, lever: Lever, answers: HeldOut, digest: str) -> None:
    """Write the answers of a lever's networks into the folder of an improvement."""
    below = folder / LEVERS_NAME
    below.mkdir(parents=True, exist_ok=True)
    with write_whole(_path(folder, lever)) as temporary:
        with h5py.File(temporary, "w") as file:
            named: dict[str, Value] = {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "measurement": digest,
                "networks": answers.networks,
                "failed": answers.failed,
            }
            write_attributes(file, named)
            file["probabilities"] = answers.probabilities
        seal(temporary)


def find_lever(folder: Path, lever: Lever, digest: str) -> HeldOut | None:
    """Read the answers of a lever's networks, or return None if they are not in the folder.

    Raises:
        ModelFileError: If the file is damaged or of another kind.
        UsageError: If they are those of other pictures or other settings.
    """
    path = _path(folder, lever)
    if not path.exists():
        return None
    with open_hdf5(path, "a measured lever", ModelFileError, ours=True) as file:
        require_format(file, FORMAT, FORMAT_VERSION)
        with verify_parts("a measured lever", path, "measure it in another folder"):
            stored = read_attribute(file, "measurement")
            answers = HeldOut(
                read_array(find_array(file, "probabilities")),
                *(int(read_attribute(file, name)) for name in ("networks", "failed")),
            )
    if stored != digest:
        raise UsageError(
            f"{path} was measured on other pictures, with other settings, or by another jaxnet",
            "the levers of one improvement in a folder",
            "give the pictures and settings of that one to continue it, or another folder",
        )
    return answers


def _path(folder: Path, lever: Lever) -> Path:
    return folder / LEVERS_NAME / f"{lever.name.replace(' ', '-').lower()}.h5"
