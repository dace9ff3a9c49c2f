"""Paths: what is really there before it is read, and how a file is written whole or not at all."""

import contextlib
import difflib
import glob
import os
from collections.abc import Iterator
from pathlib import Path

from jaxnet.errors import DataError, JaxnetError, UsageError


def require_path(
    path: Path, names: tuple[str, ...] = (), error: type[JaxnetError] = DataError
) -> None:
    """Raise `error` unless something is at `path`; say what comes near, there or in `names`."""
    if os.path.exists(path):  # unlike Path.exists it has no opinion on names that are too long
        return
    if os.path.islink(path):
        raise error(
            f"{path.absolute()} is a link that leads nowhere",
            "an existing file or folder",
            f"mend the link, which points to {os.readlink(path)}",
        )
    folder = path.absolute().parent
    beside = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, [*beside, *names], n=3, cutoff=0.6)
    raise error(
        f"there is no {path.absolute()}",
        "an existing file or folder" + (f", or one of {', '.join(names)}" if names else ""),
        f"did you mean {' or '.join(near)}?"
        if near
        else "check the spelling and the folder"
        + ("" if folder.is_dir() else f"; {folder} does not exist either"),
    )


def describe_content(path: Path) -> str:
    """Say what a file is by its first bytes, for a message about a file that could not be read."""
    with path.open("rb") as file:
        head = file.read(1024)
    text = head.lstrip().lower()
    if not head:
        return "an empty file"
    if text.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file that it points to"
    if text.startswith((b"<!doctype html", b"<html")) or b"<html" in text:
        return "an HTML page, as a browser saves it when it is shown a page instead of the file"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "an HDF5 file that is cut off or damaged"
    if head.startswith(_PICTURES) or head[4:8] == b"ftyp" or head[8:12] == b"WEBP":
        return "a picture file that is damaged or of an unknown variety"
    if head.startswith(b"PK\x03\x04"):
        return "a ZIP archive"
    if head.startswith(b"\x1f\x8b"):
        return "a gzip archive"
    return "a file of another kind"


# How JPEG, PNG, GIF, TIFF, BMP, and JPEG 2000 files begin.
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"BM", b"\0\0\0\x0cjP")

_REMEDIES = {
    "a Git LFS": "run `git lfs pull` where it was cloned, or download the file itself",
    "an HTML": "download the file itself (on GitHub: the button 'Download raw file')",
    "a ZIP": "unpack it and give what is inside",
    "a gzip": "unpack it and give what is inside",
}


def unreadable(
    path: Path, expected: str, error: type[JaxnetError], reason: str = ""
) -> JaxnetError:
    """Make the error for a file that could not be read; `reason` is the reader's own."""
    content = describe_content(path)
    remedy = next(
        (text for start, text in _REMEDIES.items() if content.startswith(start)),
        "copy or download it again, and compare its size with the original's",
    )
    return error(f"{path} is {content}" + (f" ({reason})" if reason else ""), expected, remedy)


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; what stands there afterwards becomes `path` in one step.

    If the block raises, `path` stays as it was. The file and its folder are flushed to the disk, so
    that even a power cut leaves the old file or the new one.

    Raises:
        UsageError: If the folder does not exist or may not be written to, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _sweep_temporaries(path)
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, RuntimeError) as cause:
        # HDF5 tells of a disk that is full by an OSError, then by a RuntimeError as it closes.
        if isinstance(cause, RuntimeError) and "write failed" not in str(cause):
            raise
        number = getattr(cause, "errno", None) or getattr(cause.__context__, "errno", None)
        raise UsageError(
            f"{path.absolute()} could not be written "
            f"({os.strerror(number) if number else 'the disk refused'})",
            "a folder that exists, may be written to, and has room",
            "make room or name another place; what was there before is unchanged",
        ) from cause
    with contextlib.suppress(OSError):  # Windows and some network disks cannot flush a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sweep_temporaries(path: Path) -> None:
    """Remove what processes that were killed in the midst of writing `path` have left."""
    if os.name != "posix":  # elsewhere there is no harmless signal to ask with
        return
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        number = left.suffixes[-2].removeprefix(".")
        try:
            os.kill(int(number), 0)  # asks whether there is such a process
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except (ValueError, PermissionError):  # another's file, or another's process
            continue
