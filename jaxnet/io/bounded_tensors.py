"""Read the tensors and texts of a safetensors file; what is damaged is refused."""

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors

from jaxnet.errors import DataError
from jaxnet.io.files import COPY_AGAIN

SAFETENSORS = "a safetensors file"

# The texts beside the tensors of a training that an empty page kept.
PAGE_RUN = "jaxnet page run"
PAGE_RUN_VERSION = "1"


@contextlib.contextmanager
def open_tensors(path: Path, error: type[Any] = DataError) -> Iterator[Any]:
    """Open a safetensors file as an object with `keys`, `get_tensor` and `metadata`.

    Args:
        path: The file.
        error: The class of what is raised if it is cut off or damaged.
    """
    try:
        with safetensors.safe_open(path, "numpy") as file:
            yield file
    except safetensors.SafetensorError as cause:
        raise error(
            f"{path} is a safetensors file that is cut off or damaged ({cause})",
            "a whole file",
            COPY_AGAIN,
        ) from cause


def require_undamaged(path: Path, texts: dict[str, str], error: type[Any] = DataError) -> None:
    """Compare the numbers of a training that a page kept with their CRC-32, and its version."""
    if texts.get("format_version") != PAGE_RUN_VERSION:
        raise error(
            f"{path} has version {texts.get('format_version')} of the format “{PAGE_RUN}”",
            f"version {PAGE_RUN_VERSION}",
            "use a newer jaxnet",
        )
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    if texts.get("crc32") != str(zlib.crc32(content[start:])):
        raise error(f"{path} is damaged: its CRC-32 is another", "a whole file", COPY_AGAIN)
