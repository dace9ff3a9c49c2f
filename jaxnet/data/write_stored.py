"""Picture files of a folder or a table become one HDF5 file, in bounded memory.

The pictures are decoded by several threads and written one after the other to their places in
`NAME.partial`, whose HDF5 structures are complete from the beginning, so that a killed process
damages none. `NAME.partial.json` records which files are read. The same call goes on from there.
"""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import h5py
import numpy as np
import PIL

from jaxnet.data.dataset import PassedOver, check_both_classes, two_classes
from jaxnet.data.hdf5 import write_classes, write_labels
from jaxnet.data.hold_out import divide
from jaxnet.data.listed import Entry, Listing, label_entries
from jaxnet.data.load import choose_source, list_pictures
from jaxnet.data.passed_over import require_none
from jaxnet.data.pictures import read_each, require_readable
from jaxnet.data.source import DataSource
from jaxnet.data.stored import StoredPictures, open_pictures
from jaxnet.defaults import SIDE
from jaxnet.errors import DataError, UsageError
from jaxnet.explain import in_units
from jaxnet.io.files import expand, flush_folder, require_free, write_whole, writing
from jaxnet.progress import Track, automatic, silent

# After so many files the progress is recorded; as many are read again after a kill.
BLOCK = 1024

# Raised when the meaning of a partial file changes, so that an older one is not continued.
FORMAT = 1

KEPT = "what is written already is kept, and the same call goes on from there"


class Written(NamedTuple):
    """What `write_pictures` wrote.

    Attributes:
        splits: The pictures of each split, in the new file.
        skipped: One line for each file that could not be read.
        passed_over: The files of the folder or the table that are not read, by kind.
        earlier: How many files an earlier, interrupted call had read already.
    """

    splits: dict[str, StoredPictures]
    skipped: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    earlier: int


def write_pictures(
    source: str | Path | DataSource,
    path: str | Path,
    test: str | Path | None = None,
    *,
    force: bool = False,
    track: Track = automatic,
    **options: Any,
) -> Written:
    """Write the pictures of a folder or a table into an HDF5 file in the article's layout.

    The file is the one that `load_dataset` and writing its result would give, but the pictures are
    never in memory together: only the list of the files is. A call that was interrupted or killed
    is continued by the same call. A file that has changed meanwhile is read again; if the list of
    the files or an option is another one, all are.

    Args:
        source: A folder of pictures, or a table of paths and labels; or a `DataSource`.
        path: The new file.
        test: The folder or the table of the test split, as for `load_dataset`.
        force: Replace an existing file.
        track: Reports the progress.
        options: Those of `load_dataset`, without exclude_leaks.

    Raises:
        DataError: If pictures cannot be read; all others are read before it is raised.
        UsageError: If the source is neither folder nor table, the options do not fit together, the
            file exists, or the disk is too small.
    """
    chosen = choose_source(source, test, options)
    path = expand(path)
    require_free(path, force)
    if chosen.exclude_leaks:
        raise UsageError(
            "exclude_leaks is given for pictures that are not in memory together",
            "pictures that are written as they are",
            "leave it out, and search the written file for duplicates",
        )
    listing = list_pictures(chosen)
    if listing is None:
        raise UsageError(
            f"{chosen.data} is no folder of pictures and no table of them",
            "a folder of pictures, or a table of paths and labels",
            "give such a source, or load the data whole",
        )
    return write_listing(listing, chosen, path, force=force, track=track)


def write_listing(
    listing: Listing, chosen: DataSource, path: Path, *, force: bool = False, track: Track = silent
) -> Written:
    """Write the pictures of a listing; the arguments and the errors are those of `write_pictures`.

    Args:
        listing: The files, as `list_pictures` lists those of `chosen`.
        chosen: The options.
        path: The new file.
        force: Replace an existing file.
        track: Reports the progress.
    """
    if chosen.validation is not None:
        raise UsageError(
            "validation is given for pictures that are not in memory together",
            "pictures whose duplicates are known, which a validation set must not part",
            "leave it out, and give it where the written file is loaded",
        )
    if chosen.strict:
        require_none(listing.source, listing.passed_over)
    files = _Files.of(listing, chosen)
    places = files.divide(np.arange(len(files.entries)))
    check_both_classes(files.labels[places["train"]], files.classes)
    partial = path.with_name(path.name + ".partial")
    with writing(path, KEPT), _locked(partial):
        require_free(path, force)
        progress, positions = _begin(files, places, partial)
        earlier = progress.count()
        with partial.open("r+b") as file:
            reading = _read_missing(files, file, positions, progress)
            for _ in track(reading, "reading pictures", len(files.entries) - earlier):
                pass
        unreadable = _check_unreadable(files, progress, skip_bad=chosen.skip_bad)
        if len(unreadable):
            _copy_readable(files, partial, positions, unreadable, path)
            partial.unlink()
        else:
            partial.replace(path)
        progress.path.unlink()
        flush_folder(path.parent)
    return Written(
        {split: open_pictures(path, split) for split in places},
        tuple(progress.unreadable[i][0] for i in unreadable.tolist()),
        listing.passed_over,
        earlier,
    )


@dataclasses.dataclass(frozen=True)
class _Files:
    """The files of a listing in one sequence, its splits one after the other.

    Attributes:
        entries: The files, (m,).
        labels: (m,) of 0 and 1.
        groups: (m,) texts; "" where there is none.
        listed: The number of files of each listed split.
        classes: The names of class 0 and of class 1.
        size: Height and width of the pictures.
        seed: The seed of a test split that is drawn; None if the listing names the splits.
    """

    entries: list[Entry]
    labels: np.ndarray
    groups: np.ndarray
    listed: dict[str, int]
    classes: tuple[str, str]
    size: int
    seed: int | None

    @classmethod
    def of(cls, listing: Listing, chosen: DataSource) -> "_Files":
        classes = two_classes(listing.names, chosen.positive, listing.source)
        parts = [label_entries(entries, classes) for entries in listing.splits.values()]
        return cls(
            [entry for entries in listing.splits.values() for entry in entries],
            np.concatenate([labels for labels, _ in parts]),
            np.concatenate(
                [np.full(len(labels), "") if groups is None else groups for labels, groups in parts]
            ),
            {split: len(entries) for split, entries in listing.splits.items()},
            classes,
            chosen.size or SIDE,
            None if listing.named else chosen.data_seed,
        )

    @property
    def picture_bytes(self) -> int:
        """The number of bytes of a picture."""
        return 3 * self.size**2

    def divide(self, which: np.ndarray) -> dict[str, np.ndarray]:
        """Divide the files of these numbers (n,), ascending, into the splits of the new file."""
        if self.seed is None:
            ends = np.cumsum(list(self.listed.values()))
            parts = np.split(which, np.searchsorted(which, ends)[:-1])
            return dict(zip(self.listed, parts, strict=True))
        groups = self.groups[which] if (self.groups != "").any() else None
        drawn = divide(self.labels[which], self.seed, groups)
        return {split: which[part] for split, part in drawn.items()}

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that decides the file, but the pictures themselves."""
        head = (FORMAT, PIL.__version__, self.size, self.classes, self.listed, self.seed)
        digest = hashlib.sha256(repr(head).encode())
        for entry in self.entries:
            digest.update(repr((os.path.abspath(entry.path), *entry[1:])).encode())
        return digest.hexdigest()

    def stamp(self, block: int) -> str:
        """Summarise sizes and times of the files of a block; another one if any has changed."""
        digest = hashlib.sha256()
        for entry in self.entries[block * BLOCK : (block + 1) * BLOCK]:
            with contextlib.suppress(OSError):  # that it is missing shows when it is read
                status = os.stat(expand(entry.path))
                digest.update(repr((status.st_size, status.st_mtime_ns)).encode())
            digest.update(b";")
        return digest.hexdigest()[:16]


@dataclasses.dataclass
class _Progress:
    """Which files are written already.

    Attributes:
        path: The file that records it.
        partial: The file that the pictures are written to.
        digest: That of the files and the options.
        stamps: Those of the blocks of files that are done, by number.
        unreadable: What was found, expected and advised for each file that cannot be read.
        files: The number of all files.
    """

    path: Path
    partial: Path
    digest: str
    files: int
    stamps: dict[int, str] = dataclasses.field(default_factory=dict)
    unreadable: dict[int, tuple[str, str, str]] = dataclasses.field(default_factory=dict)

    def load(self, files: _Files) -> bool:
        """Load what an earlier call recorded of the same files; return whether there is any."""
        try:
            stored = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return False
        if (stored["digest"], stored["size"]) != (self.digest, self.partial.stat().st_size):
            return False
        stamps = {int(block): stamp for block, stamp in stored["stamps"].items()}
        self.stamps = {
            block: stamp for block, stamp in stamps.items() if stamp == files.stamp(block)
        }
        unreadable = {int(i): tuple(error) for i, error in stored["unreadable"].items()}
        self.unreadable = {i: error for i, error in unreadable.items() if i // BLOCK in self.stamps}
        return True

    def save(self) -> None:
        """Record the progress; the pictures must be on the disk before."""
        with write_whole(self.path) as temporary:
            stored = {
                "digest": self.digest,
                "size": self.partial.stat().st_size,
                "stamps": self.stamps,
                "unreadable": self.unreadable,
            }
            temporary.write_text(json.dumps(stored), "utf-8")

    def missing(self) -> list[int]:
        """List the files that are still to be read; those that could not be are tried again."""
        blocks = range(-(-self.files // BLOCK))
        return [
            i
            for block in blocks
            for i in range(block * BLOCK, min((block + 1) * BLOCK, self.files))
            if block not in self.stamps or i in self.unreadable
        ]

    def count(self) -> int:
        """Count the files that are read."""
        return self.files - len(self.missing())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from writing a file, which is made if it is missing.

    Raises:
        UsageError: If another process writes it.
    """
    with path.open("ab") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise UsageError(
                f"another process is writing {path.absolute()}",
                "one process that writes a file",
                "wait until it has ended, or give another name",
            ) from cause
        except (ImportError, OSError):  # Windows, or a network disk without locks
            pass
        try:
            yield
        finally:
            if path.exists() and not path.stat().st_size:
                path.unlink()


def _begin(
    files: _Files, places: dict[str, np.ndarray], partial: Path
) -> tuple[_Progress, np.ndarray]:
    """Create the partial file, unless it is there; return its progress, and its positions (m,)."""
    progress = _Progress(
        partial.with_name(partial.name + ".json"), partial, files.digest, len(files.entries)
    )
    if progress.load(files):
        _require_space(files, partial)
        with h5py.File(partial, "r", locking=False) as file:
            return progress, _positions(files, places, file)
    progress.path.unlink(missing_ok=True)
    os.truncate(partial, 0)
    _require_space(files, partial)
    positions = _create(files, places, partial)
    progress.save()
    return progress, positions


def _require_space(files: _Files, path: Path) -> None:
    """Raise a UsageError unless the disk has room for all pictures in a file.

    What a partial file holds already counts.
    """
    needed = files.picture_bytes * len(files.entries)
    with contextlib.suppress(FileNotFoundError, AttributeError):
        needed -= 512 * path.stat().st_blocks  # of 512 bytes, whatever the disk's own are
    folder = path.absolute().parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UsageError(
            f"{len(files.entries):,} pictures of {files.size} × {files.size} need "
            f"{in_units(needed)} more, and {folder} has {in_units(free)} free",
            "enough free space on the disk",
            "free some, or write the file to another disk",
        )


def _create(files: _Files, places: dict[str, np.ndarray], path: Path) -> np.ndarray:
    """Create a file with all but the pixels; return the position of each picture in it, (m,)."""
    # Allocated at once and not filled, so that the positions are known, and no zeros are written.
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    # The lock of this process is on the file already.
    with h5py.File(path, "w", locking=False) as file:
        for split, which in places.items():
            space = h5py.h5s.create_simple((len(which), files.size, files.size, 3))
            name = f"{split}_set_x".encode()
            h5py.h5d.create(file.id, name, h5py.h5t.NATIVE_UINT8, space, dcpl=layout)
            groups = files.groups[which]
            write_labels(file, split, files.labels[which], groups if (groups != "").any() else None)
        write_classes(file, files.classes)
        positions = _positions(files, places, file)
    with path.open("rb+") as created:
        os.fsync(created.fileno())
    return positions


def _positions(files: _Files, places: dict[str, np.ndarray], file: h5py.File) -> np.ndarray:
    """Find where in a file the pictures of these numbers are, in bytes: (m,); −1 for the others."""
    positions = np.full(len(files.entries), -1)
    for split, which in places.items():
        start = file[f"{split}_set_x"].id.get_offset()
        positions[which] = start + files.picture_bytes * np.arange(len(which))
    return positions


def _read_missing(
    files: _Files, file: BinaryIO, positions: np.ndarray, progress: _Progress
) -> Iterator[int]:
    """Read the missing files, each into its place; record the progress by blocks; yield each."""
    for block, group in itertools.groupby(progress.missing(), lambda i: i // BLOCK):
        numbers = list(group)
        stamp = files.stamp(block)  # before: a file that is changed meanwhile is read again
        paths = [files.entries[i].path for i in numbers]
        for i, result in zip(numbers, read_each(paths, files.size, files.size), strict=True):
            progress.unreadable.pop(i, None)
            if isinstance(result, DataError):
                progress.unreadable[i] = (result.found, result.expected, result.remedy)
            else:
                file.seek(positions[i])
                file.write(result.data)
            yield i
        file.flush()
        os.fsync(file.fileno())
        progress.stamps[block] = stamp
        progress.save()


def _check_unreadable(files: _Files, progress: _Progress, *, skip_bad: bool) -> np.ndarray:
    """Return the numbers of the files that cannot be read; raise a DataError unless skipped."""
    unreadable = np.array(sorted(progress.unreadable), int)
    start = 0
    for count in files.listed.values():
        here = unreadable[(unreadable >= start) & (unreadable < start + count)]
        errors = [DataError(*progress.unreadable[i]) for i in here.tolist()]
        require_readable(errors, count, skip_bad=skip_bad)
        start += count
    return unreadable


def _copy_readable(
    files: _Files, partial: Path, positions: np.ndarray, unreadable: np.ndarray, path: Path
) -> None:
    """Copy the pictures that could be read into a file of the right length."""
    places = files.divide(np.setdiff1d(np.arange(len(files.entries)), unreadable))
    check_both_classes(files.labels[places["train"]], files.classes)
    with write_whole(path) as temporary:
        _require_space(files, temporary)
        targets = _create(files, places, temporary)
        with partial.open("rb") as source, temporary.open("r+b") as target:
            for i in np.flatnonzero(targets >= 0).tolist():
                source.seek(positions[i])
                target.seek(targets[i])
                target.write(source.read(files.picture_bytes))
