"""Pictures from standard input: the bytes of one, or the names of files."""

import os
import sys
from pathlib import Path

from jaxnet.errors import DataError
from jaxnet.io.content import PICTURE, name_content


def read_places(folder: Path) -> list[Path]:
    """Read what standard input holds: a picture, or names of files, one a line.

    Names may also be separated by NUL, as `find -print0` does.

    Args:
        folder: A picture is written into this folder, and read from there.

    Raises:
        DataError: If there is nothing, or something else.
    """
    content = sys.stdin.buffer.read() if sys.stdin else b""
    kind = name_content(content[:1024])
    if kind.endswith(PICTURE):
        picture = folder / "standard input"
        picture.write_bytes(content)
        return [picture]
    names = content.split(b"\0" if b"\0" in content else b"\n")
    places = [Path(os.fsdecode(name.removesuffix(b"\r"))) for name in names if name.strip()]
    if not places or not (kind.endswith("(text)") or b"\0" in content):
        raise DataError(
            f"standard input is {kind if content else 'empty'}",
            "the bytes of one picture, or names of picture files, one a line",
            "as in: jaxnet predict RUN - < photo.jpg",
        )
    return places
