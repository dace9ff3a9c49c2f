"""Check paths and contents of files for error messages, and write files atomically."""

import contextlib
import difflib
import glob
import os
import platform
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from jaxnet.errors import DataError, JaxnetError, UsageError
from jaxnet.explain import Reason, explain
from jaxnet.io.content import describe_content

# The age in seconds from which a temporary file of another machine counts as abandoned.
ABANDONED_AFTER = 24 * 3600


def expand(path: str | os.PathLike[str]) -> Path:
    """Return a path whose leading ~ or ~name is replaced by the home folder of that user.

    The shell does not do so within `--out=~/runs`, nor does anyone in a notebook. A name that no
    user has is left as it is.
    """
    return Path(os.path.expanduser(path))


def require_path(
    path: Path, names: tuple[str, ...] = (), error: type[JaxnetError] = DataError
) -> None:
    """Raise `error` unless `path` exists; suggest similar names from its folder and `names`."""
    if os.path.exists(path):  # unlike Path.exists, it does not raise for names that are too long
        return
    if os.path.islink(path):
        raise error(
            f"{path.absolute()} is a broken symbolic link",
            "an existing file or folder",
            f"repair the link, whose target is {os.readlink(path)}",
        )
    folder = path.absolute().parent
    siblings: list[str] = []
    with contextlib.suppress(OSError):  # there is none, or it may not be listed
        siblings = os.listdir(folder)
    similar = difflib.get_close_matches(path.name, [*siblings, *names], n=3, cutoff=0.6)
    raise error(
        f"there is no {path.absolute()}",
        "an existing file or folder" + (f", or one of {', '.join(names)}" if names else ""),
        f"did you mean {' or '.join(similar)}?"
        if similar
        else "check the spelling and the folder"
        + ("" if folder.is_dir() else f"; {folder} does not exist either"),
    )


COPY_AGAIN = "copy or download it again, and compare its size with the original's"

_REMEDIES = {
    "a Git LFS": "run `git lfs pull` in the cloned repository, or download the file itself",
    "an HTML": "download the file itself (on GitHub: the button 'Download raw file')",
    "a NumPy arch": "give another file; numpy.load reads the arrays in this one",
    "a NumPy arr": "give another file; numpy.load reads this one",
    "an Office": "save the table in it as CSV",
    "a PyTorch": "save the arrays in it by numpy.savez: torch.load reads them",
    "an empty": COPY_AGAIN,
}


def content_remedy(content: str, default: str) -> str:
    """Say what to do with a file that is not of the expected kind but `content`."""
    if content.endswith("archive") or content.startswith("a tar archive"):
        return "unpack it, and give the unpacked file or folder"
    matching = (text for start, text in _REMEDIES.items() if content.startswith(start))
    return next(matching, default)


def cannot_be_read(
    path: Path, reason: Reason, expected: str = "", error: type[JaxnetError] = DataError
) -> JaxnetError:
    """Make the error for a file that is not read for a reason outside of it."""
    found = f"{path} cannot be read: {reason.found}"
    return error(found, expected or reason.expected, reason.remedy)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise a DataError if a file is not read in the `with` block for a reason outside of it."""
    try:
        yield
    except Exception as cause:
        reason = explain(cause)
        if reason is None:
            raise
        raise cannot_be_read(path, reason) from cause


def unreadable(
    path: Path, expected: str, error: type[JaxnetError], reason: str = ""
) -> JaxnetError:
    """Make the error for a file that is not HDF5, or that HDF5 cannot read for `reason`."""
    content = describe_content(path)
    if content != "an HDF5 file":
        wrong = f"give another file; if this was one of that kind, {COPY_AGAIN}"
        default = wrong if content.startswith("a file of another") else "give another file"
        return error(f"{path} is {content}", expected, content_remedy(content, default))
    detail = f" ({reason})" if reason else ""
    return error(f"{path} is {content} that is cut off or damaged{detail}", expected, COPY_AGAIN)


def require_free(path: Path, force: bool) -> None:
    """Raise a UsageError if `path` exists already, unless `force` is set."""
    path = expand(path)
    if os.path.exists(path) and not force:
        raise UsageError(
            f"{path.absolute()} exists already",
            "a new name, so that no file is lost",
            "give another name, or force=True to overwrite it",
        )


@contextlib.contextmanager
def write_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path to write to; after the `with` block it replaces `path` in one step.

    If the block raises, `path` is unchanged. The file and its folder are flushed to the disk, so
    that either the old or the new file is complete after a power failure.

    Raises:
        UsageError: If the folder does not exist or may not be written to, or the disk is full.
    """
    path = expand(path)
    with writing(path):
        with _temporary(path) as temporary:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        flush_folder(path.parent)


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Yield a free path beside `path`; what is there after the `with` block is removed."""
    unique = f"{_host()}.{os.getpid()}-{uuid.uuid4().hex[:8]}"  # threads and hosts may share it
    temporary = path.with_name(f".{path.name}.{unique}.tmp")
    _sweep_temporaries(path)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: Path, kept: str = "an existing file is unchanged") -> Iterator[None]:
    """Raise a UsageError if the system does not write a file in the `with` block.

    Args:
        path: The file.
        kept: What has become of the file, for the message.
    """
    try:
        yield
    except (OSError, RuntimeError) as cause:
        reason = _writing_failed(cause)
        if reason is None:
            raise
        raise UsageError(
            f"{path.absolute()} could not be written: {reason.found}",
            "an existing, writable folder with enough free space",
            f"{reason.remedy}, or give another path; {kept}",
        ) from cause


def flush_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    with contextlib.suppress(OSError):  # Windows and some network disks cannot do so
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _writing_failed(cause: BaseException) -> Reason | None:
    """Say why the system did not write a file; None if something else is the matter.

    HDF5 reports a full disk by an OSError, then by a RuntimeError when it closes the file.
    """
    if isinstance(cause, RuntimeError) and "write failed" not in str(cause):
        return None
    if isinstance(cause, FileNotFoundError):
        return Reason("its folder does not exist", "an existing folder", "make the folder")
    failures = (explain(each) for each in (cause, cause.__context__) if each is not None)
    return next(filter(None, failures), None)


def _host() -> str:
    """Return the name of this machine as a part of a file name, without dots."""
    return re.sub(r"[^\w-]", "-", platform.node()) or "localhost"


def _sweep_temporaries(path: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote `path`.

    A file of this machine is removed if its process does not run any more; a file of another
    machine on a shared disk, once it is older than `ABANDONED_AFTER`.
    """
    for temporary in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        *_, host, process = temporary.name.removesuffix(".tmp").split(".")
        number = process.partition("-")[0]
        if host == _host() and number.isdecimal() and os.name == "posix":
            abandoned = not _is_running(int(number))
        else:
            abandoned = False
            with contextlib.suppress(OSError):
                abandoned = time.time() - temporary.stat().st_mtime > ABANDONED_AFTER
        if abandoned:
            with contextlib.suppress(OSError):  # already removed, or another user's
                temporary.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 only tests whether the process exists
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user owns the process, or the number is too large
        return True
    return True
