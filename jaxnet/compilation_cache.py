"""Compiled programs kept on the disk, so that the next process need not compile them again.

It is JAX's own persistent cache, in a folder of the user. Commands switch it on; the library leaves
that to its user, who calls `cache_programs`. It changes no result: a program is found by all that
decides it, which JAX hashes.
"""

import contextlib
import functools
import glob
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import platformdirs
from jax.experimental.compilation_cache import compilation_cache
from jaxlib import version

from jaxnet.machine import describe_processor

# Some seventy trainings of different shapes. JAX looks at all entries whenever it writes one, so a
# larger cache is slower where it is full.
MOST_BYTES = 16 * 2**20

# How long a cache of another version of jaxlib or of another processor is kept unused.
KEPT_SECONDS = 90 * 24 * 3600

# The caches that XLA itself keeps on a GPU are left off: they have no bound, and stop a compilation
# where they cannot be written.
_SETTINGS = {
    "jax_compilation_cache_max_size": MOST_BYTES,
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
    "jax_persistent_cache_enable_xla_caches": "none",
}


def cache_programs() -> Path | None:
    """Keep every program that JAX compiles from now on, and take those that were kept.

    The folder is one of the user's cache folder, for this version of jaxlib and this kind of
    processor. If JAX is set to a folder already (by `JAX_COMPILATION_CACHE_DIR`), nothing is
    changed; if JAX's cache is switched off (`JAX_ENABLE_COMPILATION_CACHE=false`), neither. An
    entry that cannot be read is removed and compiled anew. A folder that cannot be written to, now
    or later, is no error: programs are then compiled as without a cache.

    Returns:
        The folder in which programs are kept; None if they are not kept.
    """
    set_to = jax.config.values
    if not set_to["jax_enable_compilation_cache"]:
        return None
    if set_to["jax_compilation_cache_dir"]:
        return Path(set_to["jax_compilation_cache_dir"])
    folder = programs_folder() / _kind()
    if not _prepare(folder):
        return None
    _tolerate_faults(folder)
    compilation_cache.reset_cache()  # JAX would stay with a folder that it used before
    for name in set_to.keys() & _SETTINGS:
        jax.config.update(name, _SETTINGS[name])
    jax.config.update("jax_compilation_cache_dir", str(folder))
    return folder


def clear_programs() -> int:
    """Remove all programs that `cache_programs` kept, of every version and kind of processor.

    Returns:
        How many bytes they took. What cannot be removed is left.
    """
    folder = programs_folder()
    if not folder.is_absolute():  # the user has no home folder
        return 0
    before = size_of(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return before - size_of(folder)


def programs_folder() -> Path:
    """Return the folder of all kept programs, whether it exists or not."""
    return platformdirs.user_cache_path("jaxnet") / "programs"


def size_of(folder: Path) -> int:
    """Return how many bytes the files in a folder take; 0 if it does not exist."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # another process has just removed it
                size += os.stat(os.path.join(parent, name)).st_size
    return size


def _kind() -> str:
    """Name what machine code depends on, since several machines may share a home folder."""
    processor = hashlib.sha256(describe_processor().encode()).hexdigest()
    return f"jaxlib-{version.__version__}-{processor[:12]}"


def _prepare(folder: Path) -> bool:
    """Make the folder, which nobody else may write to; return whether it can be used.

    Entries are machine code: who can write to the folder can run any code as the user.
    """
    if not folder.is_absolute():
        return False
    try:
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        if os.name == "posix":
            if folder.parent.stat().st_uid != os.geteuid():
                return False
            folder.parent.chmod(0o700)
        if not folder.exists():
            _remove_unused(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
        _remove_unfinished(folder)
    except OSError:
        return False
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _remove_unused(parent: Path) -> None:
    """Remove the caches that nobody has used for long, as those of an earlier jaxlib."""
    for folder in parent.iterdir():
        last = max(path.stat().st_mtime for path in (folder, *folder.glob("*")))
        if time.time() - last > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_unfinished(folder: Path) -> None:
    """Remove entries without a time of use, at which JAX's eviction fails for ever.

    JAX writes it after the entry: the process was killed in between.
    """
    names = set(os.listdir(folder))
    for name in names:
        if name.endswith("-cache") and f"{name.removesuffix('-cache')}-atime" not in names:
            (folder / name).unlink(missing_ok=True)


# JAX warns of an entry that it cannot read, and then leaves it as it is, since it never writes to
# a file that exists: the warning would come for ever. No setting changes that. Its compiler calls
# these two functions for every program; where a later JAX has no such functions, its faults are
# warnings again, and nothing else.
_READ, _WRITE = "get_executable_and_time", "put_executable_and_time"


@functools.cache
def _tolerate_faults(folder: Path) -> None:
    """Make JAX compile anew, and in silence, what cannot be read from or written to `folder`."""
    faults = _Faults(folder)
    with contextlib.suppress(ImportError, AttributeError):
        from jax._src import compilation_cache as functions

        # Where it can, JAX compresses by zstd, without a checksum: changed code would be run.
        for name in ("zstd", "zstandard"):
            setattr(functions, name, None)
        for name, instead in ((_READ, (None, None)), (_WRITE, None)):
            setattr(functions, name, faults.tolerated(getattr(functions, name), instead))


class _Faults:
    """What to do where reading or writing an entry fails.

    Attributes:
        folder: The folder of the entries.
        usable: Whether the system lets the folder be used. Once it does not, it is asked no more,
            since waiting for a lock takes seconds each time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.usable = True

    def tolerated(self, function: Callable[..., Any], instead: Any) -> Callable[..., Any]:
        """Wrap a function of an entry's key; where it fails, remove the entry."""

        @functools.wraps(function)
        def tolerant(cache_key: str, *arguments: Any, **named: Any) -> Any:
            if jax.config.values["jax_compilation_cache_dir"] != str(self.folder):
                return function(cache_key, *arguments, **named)
            if not self.usable:
                return instead
            try:
                return function(cache_key, *arguments, **named)
            except Exception as cause:
                self.usable = not isinstance(cause, (OSError, NotImplementedError))
                self._remove(cache_key)
                return instead

        return tolerant

    def _remove(self, key: str) -> None:
        with contextlib.suppress(OSError):
            for path in self.folder.glob(f"{glob.escape(key)}-*"):
                path.unlink(missing_ok=True)
