"""Exceptions in words, by what they are: of the system, of memory, of HDF5, of JAX.

`explain` knows the reasons for which a good program fails on a good file: a lock, a full disk, a
permission, too little memory, a device that is missing. It returns None for all else, which is
then either a fault of a file (`is_contradiction`) or of the program, and keeps its traceback.
JAX is not imported here, so its errors are known by their texts.
"""

import errno
import math
import os
import re
import struct
import traceback
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxnet.errors import JaxnetError, UsageError
from jaxnet.machine import free_memory


class Reason(NamedTuple):
    """Why something failed: a clause, what was expected instead, and what to do."""

    found: str
    expected: str
    remedy: str


_IN_USE = Reason(
    "it is in use: another program, or this one, has it open for writing",
    "a file that no program has open for writing",
    "close it there (a notebook: file.close(), or restart its kernel), or wait until it is written",
)
_FULL = Reason(
    "the disk is full, or the quota is used up", "enough free space", "free some space on the disk"
)
_LOST = Reason(
    "the disk or the network disk does not answer",
    "a disk that can be read and written",
    "try again; check the connection, and whether other files there can be read",
)
_DENIED = Reason("permission denied", "the permission to do so", "change its permissions")
_MANY_FILES = Reason(
    "too many files are open",
    "fewer open files than the limit",
    "close some, or raise the limit (ulimit -n)",
)

# By the name of the error, since not every system has each.
_BY_NAME = {
    "ENOSPC": _FULL,
    "EDQUOT": _FULL,
    "EFBIG": Reason(
        "the file would be larger than the system allows",
        "a smaller file, or a higher limit",
        "raise the limit on the size of files (ulimit -f), or use another disk",
    ),
    "EROFS": Reason("the disk is read-only", "a disk that can be written to", "use another folder"),
    "EACCES": _DENIED,
    "EPERM": _DENIED,
    "ENOENT": Reason(
        "it does not exist", "an existing file or folder", "check the spelling and the folder"
    ),
    "EISDIR": Reason("it is a folder", "a file", "name a file"),
    "ENOTDIR": Reason(
        "a part of its path is a file", "folders in the path", "check the spelling and the folder"
    ),
    "EEXIST": Reason("it exists already", "a new name", "give another name"),
    "ENAMETOOLONG": Reason("the name is too long", "a shorter name", "give a shorter name"),
    "EMFILE": _MANY_FILES,
    "ENFILE": _MANY_FILES,
    "EIO": Reason(
        "the disk reports an error (Input/output error)",
        "a disk that can be read and written",
        "try again; if it fails again, copy what can be copied to another disk",
    ),
    **dict.fromkeys(("EAGAIN", "EWOULDBLOCK", "EBUSY", "ETXTBSY", "EDEADLK"), _IN_USE),
    **dict.fromkeys(("ESTALE", "ETIMEDOUT", "EHOSTDOWN", "ENOTCONN", "EREMOTEIO"), _LOST),
}
_BY_NUMBER = {
    getattr(errno, name): reason for name, reason in _BY_NAME.items() if hasattr(errno, name)
}
# What the system reports of offsets that make no sense, which a damaged file or a bug can ask for.
_OF_NONSENSE = (errno.EINVAL, errno.EOVERFLOW, errno.EBADF)
_WINDOWS_IN_USE = (32, 33)  # a sharing violation, a lock violation

# What the loader of shared libraries says where memory does not suffice for one.
_UNMAPPED = ("failed to map segment", "annot allocate memory", "cannot create shared object")
_ALLOCATION = re.compile(r"allocat\w* (?:of )?([\d,]{3,})(?: bytes)?", re.IGNORECASE)


def explain(cause: BaseException) -> Reason | None:
    """Say why something failed if the reason lies outside the program and its files, else None.

    Args:
        cause: The exception, with its traceback.
    """
    text = str(cause)
    if isinstance(cause, MemoryError):
        return out_of_memory(_needed(cause))
    if isinstance(cause, OSError):
        return _of_system(cause, text)
    if isinstance(cause, ImportError) and any(words in text for words in _UNMAPPED):
        return out_of_memory(None)
    if isinstance(cause, RuntimeError):
        if "can't start new thread" in text:
            return Reason(
                "the system starts no further thread",
                "memory and processes for a few threads",
                "raise the limits (ulimit -v, ulimit -u), or close other programs",
            )
        number = _number_in(text)
        if number is not None:  # HDF5 reports a full disk so when it closes a file
            return _of_number(number)
        return _of_jax(text)
    if isinstance(cause, ValueError) and raised_in(cause, "jax._src.config"):
        return Reason(
            f"JAX refuses one of its settings: {text}",
            "environment variables JAX_… with values that JAX knows",
            "correct the variable, or unset it",
        )
    return None


def is_device_missing(cause: BaseException) -> bool:
    """Return whether JAX raised this because it cannot use the device that it is told to use."""
    if isinstance(cause, AssertionError):  # for CUDA without a GPU, and without a word
        return raised_in(cause, "jax._src.xla_bridge")
    return isinstance(cause, RuntimeError) and "nable to initialize backend" in str(cause)


def missing_device(
    cause: BaseException, asked: str | None = None, plugins: Sequence[str] = ()
) -> UsageError:
    """Make the error for a device that JAX is told to use and cannot.

    Args:
        cause: What JAX raised.
        asked: The devices that JAX is set to use; by default those of the environment.
        plugins: Why plugins of JAX failed, if it is known.
    """
    asked = os.environ.get("JAX_PLATFORMS", "") if asked is None else asked
    # JAX's own advice is to set JAX_PLATFORMS='', or to uninstall a plugin: said below in words.
    reason = re.sub(r"\s*\((?:set JAX_PLATFORMS|you may need to)[^)]*\)\s*", "", str(cause))
    reason = " ".join(reason.split()).removesuffix(".")
    reason = reason or f'it finds no device for "{asked}" on this machine'
    if plugins:
        reason += f"; a plugin of JAX fails ({'; '.join(plugins)})"
    told = f'JAX is told to use "{asked}" (JAX_PLATFORMS), but cannot'
    return UsageError(
        f"{told if asked else 'JAX cannot start its devices'}: {reason}",
        "a device that JAX can use on this machine; the CPU can always be used",
        ("unset JAX_PLATFORMS, or set it to cpu" if asked else "set JAX_PLATFORMS to cpu")
        + "; for a GPU or a TPU, install the extra cuda or tpu of jaxnet",
    )


def is_of_jax(cause: BaseException) -> bool:
    """Return whether an exception is one of JAX's own, which no file can cause."""
    return type(cause).__module__.split(".")[0] in ("jax", "jaxlib")


def out_of_memory(needed: int | None) -> Reason:
    """Say that memory does not suffice, with how many bytes are needed and free, if known."""
    free = free_memory()
    there = "" if free is None else f"{in_units(free)} free"
    if needed is None:
        sizes = f"; there are {there}" if there else ""
    else:
        sizes = f": {in_units(needed)} more are needed" + (f", there are {there}" if there else "")
    return Reason(
        f"there is not enough memory{sizes}",
        "enough free memory for all of it",
        "close other programs, raise a limit on memory (ulimit -v, a container's or a job's), or "
        "use less data",
    )


def in_units(size: float) -> str:
    """Write a number of bytes in MiB or GiB."""
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.1f} MiB"


def reason_for_error(cause: BaseException) -> JaxnetError | None:
    """Make the error that a program ends with, of an exception that nobody has put into words.

    None for what nobody expected: its traceback is to be kept.
    """
    if isinstance(cause, JaxnetError):
        return cause
    if is_device_missing(cause):
        return missing_device(cause)
    reason = explain(cause)
    if reason is None:
        return None
    subject = getattr(cause, "filename", None)
    named = "" if subject is None else f"{os.fsdecode(subject)} cannot be used: "
    return UsageError(f"{named}{reason.found}", reason.expected, reason.remedy)


# What is raised of bytes that contradict themselves, by a reader of jaxnet's own.
_CONTRADICTIONS = (ValueError, KeyError, EOFError, SyntaxError, struct.error, zlib.error)


def is_contradiction(cause: BaseException, *libraries: str) -> bool:
    """Return whether an exception says that a file contradicts itself.

    That is a JaxnetError, an error of a value, or whatever is raised within one of the `libraries`
    that read the file; HDF5's own error stack arrives as such an exception of h5py.
    """
    if explain(cause) is not None or is_device_missing(cause):
        return False
    known = isinstance(cause, (JaxnetError, *_CONTRADICTIONS))
    return known or isinstance(cause, OSError) or raised_in(cause, *libraries)


def raised_in(cause: BaseException, *modules: str) -> bool:
    """Return whether an exception was raised within one of these modules or packages."""
    frames = [frame for frame, _ in traceback.walk_tb(cause.__traceback__)]
    name = str(frames[-1].f_globals.get("__name__", "")) if frames else ""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _of_system(cause: OSError, text: str) -> Reason | None:
    if getattr(cause, "winerror", None) in _WINDOWS_IN_USE or "unable to lock file" in text:
        return _IN_USE
    number = cause.errno if isinstance(cause.errno, int) else _number_in(text)
    return None if number is None else _of_number(number)


def _of_number(number: int) -> Reason | None:
    if number == errno.ENOMEM:
        return out_of_memory(None)
    if number in _OF_NONSENSE:
        return None
    other = Reason(
        f"the system reports: {os.strerror(number)}",
        "a file or a folder that can be used",
        "try another",
    )
    return _BY_NUMBER.get(number, other)


def _number_in(text: str) -> int | None:
    """Return the number of the system's error that HDF5 quotes in its own, if it does."""
    quoted = re.search(r"\berrno = (\d+)", text)
    return int(quoted[1]) if quoted and int(quoted[1]) else None


def _of_jax(text: str) -> Reason | None:
    if "RESOURCE_EXHAUSTED" in text or "Out of memory" in text:
        size = _ALLOCATION.search(text)
        return out_of_memory(int(size[1].replace(",", "")) if size else None)
    if "Gloo" in text or "CoordinationService" in text:
        return Reason(
            f"another process of this training or sweep does not answer any more ({_first(text)})",
            "all processes until the end",
            "look for what ended it, start all again, and continue from what was saved",
        )
    if "Disallowed" in text and "transfer" in text:
        return Reason(
            "JAX is set to refuse a transfer of data to or from the device that jaxnet makes "
            "(JAX_TRANSFER_GUARD)",
            "transfers that are allowed",
            'unset JAX_TRANSFER_GUARD, or compute within `with jax.transfer_guard("allow"):`',
        )
    return None


def _first(text: str) -> str:
    """Return the first line of a text, without what follows a bracket."""
    return text.partition("\n")[0].partition(" [")[0]


def _needed(cause: MemoryError) -> int | None:
    """Return how many bytes an array of NumPy's would have taken, if NumPy says so."""
    shape, dtype = getattr(cause, "shape", None), getattr(cause, "dtype", None)
    if shape is None or dtype is None:
        return None
    size: Any = math.prod(shape) * dtype.itemsize
    return int(size)
