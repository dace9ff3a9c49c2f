"""Whether a program has an HDF5 file open for writing: its lock, and the mark in its superblock.

The HDF5 library locks a file that it has open for writing. It also sets a mark in the superblock,
the first bytes of the file, and clears it when the file is closed; a program that is killed leaves
the mark. `h5clear -s` clears it.
"""

import contextlib
from pathlib import Path

SIGNATURE = b"\x89HDF\r\n\x1a\n"
HEAD = 24  # bytes of the superblock that hold the mark, in all its versions
MARKS = (0b001, 0b101)  # bit 0: open for writing; bit 2: while others read it (SWMR)


def _place(head: bytes) -> int:
    """Return where the mark lies: versions 0 and 1 have it at byte 20, versions 2 and 3 at 11."""
    return 20 if head[8] < 2 else 11


def without_mark(head: bytes) -> bytes:
    """Return the first bytes of an HDF5 file with the mark cleared."""
    if len(head) < HEAD:
        return head
    place = _place(head)
    return head[:place] + b"\0" + head[place + 1 :] if head[place] in MARKS else head


def is_marked_open(path: Path) -> bool:
    """Return whether an HDF5 file has the mark of a file that is open for writing."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    return len(head) == HEAD and head.startswith(SIGNATURE) and head[_place(head)] in MARKS


def require_unlocked(path: Path) -> None:
    """Raise a BlockingIOError if another program has locked a file, as HDF5 does for writing.

    Systems without such locks, and disks that refuse them, raise nothing.
    """
    with contextlib.suppress(ImportError):
        import fcntl

        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise
            except OSError:  # a network disk without locks
                return
