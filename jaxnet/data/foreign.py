"""What is at a path that is given as data, and the refusal of what is not read."""

from pathlib import Path

from jaxnet.errors import DataError, JaxnetError
from jaxnet.io.content import describe_content
from jaxnet.io.conversions import CONVERSIONS
from jaxnet.io.files import reading, unreadable

FOLDER = "a folder"

EXPECTED = (
    "an HDF5 file or a NumPy archive (.npz) of pictures and labels, a CSV file of paths and "
    "labels, or a folder of pictures"
)


def content_of(path: Path) -> str:
    """Return the kind of a file by its first bytes, or FOLDER.

    Raises:
        DataError: If it is neither a file nor a folder, or may not be read.
    """
    if path.is_dir():
        return FOLDER
    if not path.is_file():
        raise DataError(f"{path} is a pipe or a device", EXPECTED, "write it to a file first")
    with reading(path):
        return describe_content(path)


def not_read(path: Path, content: str) -> JaxnetError:
    """Make the error for data of a kind that is not read, with the lines that convert it."""
    if content in CONVERSIONS:
        return DataError(f"{path} is {content}", EXPECTED, CONVERSIONS[content].describe(path))
    if content.endswith(" picture"):
        return DataError(
            f"{path} is {content}",
            EXPECTED,
            "give the folder in which the pictures of each class have a sub-folder",
        )
    return unreadable(path, EXPECTED, DataError)
