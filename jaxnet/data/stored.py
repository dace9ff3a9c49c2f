"""Pictures that stay in their HDF5 files, in the article's layout; blocks of them are read."""

import contextlib
import dataclasses
import functools
import glob
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from jaxnet.data.array_names import CLASSES
from jaxnet.data.dataset import check_both_classes, check_images
from jaxnet.data.hdf5 import LAYOUT, find_test, read_classes, read_labels_of
from jaxnet.data.source import DataSource
from jaxnet.errors import DataError
from jaxnet.io.bounded_hdf5 import check_array, find_array, names_in, open_hdf5
from jaxnet.io.files import expand

# Of the pictures, as many are part of the fingerprint; a terabyte would take an hour.
FINGERPRINT_PICTURES = 1024

# Reads the pictures from one number up to another into an array (n, h, w, 3) uint8.
Read = Callable[[int, int, np.ndarray], None]


@dataclasses.dataclass(frozen=True, eq=False)
class StoredPictures:
    """A split of pictures in one or several HDF5 files, and its labels, which are in memory.

    Attributes:
        paths: The files; their pictures are numbered one file after the other.
        starts: The number of the first picture of each file, and that of all, (files + 1,).
        chunks: How many pictures a chunk of each file holds, (files,); 1 if it has none.
        labels: (m,) uint8 of 0 and 1.
        size: Height and width of a picture, in pixels.
        classes: The names of class 0 and of class 1.
        split: "train", "validation" or "test".
        given: The path or the pattern that names the files; None if several paths were given.
    """

    paths: tuple[Path, ...]
    starts: np.ndarray
    chunks: np.ndarray
    labels: np.ndarray
    size: tuple[int, int]
    classes: tuple[str, str]
    split: str = "train"
    given: str | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @contextlib.contextmanager
    def open(self) -> Iterator[Read]:
        """Open the files for reading; yield a function that fills an array with a block.

        Raises:
            DataError: If a file has changed or cannot be read, also inside the `with` block.
        """
        with contextlib.ExitStack() as stack:
            arrays: dict[int, h5py.Dataset] = {}

            def read(first: int, last: int, out: np.ndarray) -> None:
                while first < last:
                    number = int(np.searchsorted(self.starts, first, side="right")) - 1
                    start, end = self.starts[number : number + 2]
                    if number not in arrays:
                        file = stack.enter_context(open_hdf5(self.paths[number], LAYOUT))
                        arrays[number] = find_array(file, f"{self.split}_set_x")
                        self._require_unchanged(number, arrays[number])
                    stop = min(last, end)
                    block, out = out[: stop - first], out[stop - first :]
                    arrays[number].read_direct(block, np.s_[first - start : stop - start])
                    first = stop

            yield read

    def _require_unchanged(self, number: int, array: h5py.Dataset) -> None:
        expected = (self.starts[number + 1] - self.starts[number], *self.size, 3)
        if array.shape != expected or array.dtype != np.uint8:
            raise DataError(
                f"{array.name} in {self.paths[number]} has now shape {array.shape} and type "
                f"{array.dtype}",
                f"shape {expected} and type uint8, as it had at first",
                "do not change a file while it is read; start again",
            )

    @property
    def source(self) -> str:
        """A description of the origin."""
        first = self.paths[0]
        return str(first) if len(self.paths) == 1 else f"{first} and {len(self.paths) - 1} more"

    @property
    def description(self) -> str:
        """The size of the pictures and their classes."""
        height, width = self.size
        return f"{height} × {width} of {' and '.join(self.classes)}"

    @property
    def data_source(self) -> DataSource | None:
        """The options that name the files, if one path or pattern does."""
        return None if self.given is None else DataSource(self.given)

    @functools.cached_property
    def sha256(self) -> str:
        """The SHA-256 of classes, shape, labels and 1,024 pictures spread evenly."""
        digest = hashlib.sha256(repr((self.classes, self.size, len(self))).encode())
        digest.update(self.labels.data)
        picture = np.empty((1, *self.size, 3), np.uint8)
        with self.open() as read:
            count = min(len(self), FINGERPRINT_PICTURES)
            for i in np.linspace(0, len(self) - 1, count).astype(int):
                read(i, i + 1, picture)
                digest.update(picture.data)
        return digest.hexdigest()


def open_pictures(
    source: str | Path | Sequence[str | Path], split: str = "train"
) -> StoredPictures:
    """Open HDF5 files in the article's layout without reading their pictures.

    Args:
        source: A file; several, as a sequence or a pattern such as `parts/*.h5`; their pictures
            have one size and the same two classes.
        split: "train", "validation" or "test".

    Raises:
        DataError: If a file is missing or damaged, has another layout, or does not fit the others.
    """
    parts = [_open_one(path, split) for path in files_of(source)]
    first = parts[0]
    for part in parts[1:]:
        require_like(first, part)
    labels = np.concatenate([part.labels for part in parts])
    if split == "train":
        check_both_classes(labels, first.classes)
    return dataclasses.replace(
        first,
        paths=tuple(part.paths[0] for part in parts),
        starts=np.cumsum([0, *map(len, parts)]),
        chunks=np.concatenate([part.chunks for part in parts]),
        labels=labels,
        given=str(source) if isinstance(source, str | Path) else None,
    )


def require_like(first: StoredPictures, other: StoredPictures) -> None:
    """Raise a DataError unless two files or splits have one size and the same classes."""
    if (other.size, other.classes) != (first.size, first.classes):
        raise DataError(
            f"the {other.split} pictures of {other.source} are {other.description}, the "
            f"{first.split} pictures of {first.source} {first.description}",
            "pictures of one size and of the same two classes",
            "leave one file out, or write it anew",
        )


def files_of(source: str | Path | Sequence[str | Path]) -> list[Path]:
    """List the files that are meant by a path, a pattern, or several paths.

    Raises:
        DataError: If there is none.
    """
    paths = [source] if isinstance(source, str | Path) else list(source)
    files = []
    for path in map(expand, paths):
        pattern = str(path)
        meant = glob.has_magic(pattern) and not os.path.exists(path)
        found = sorted(glob.glob(pattern)) if meant else []
        files += [Path(name) for name in found] or [path]
    if not files:
        raise DataError("no file is given", "one HDF5 file or more", "name the files")
    return files


def open_splits(
    source: str | Path | Sequence[str | Path], test: str | Path | None = None
) -> dict[str, StoredPictures]:
    """Open all splits of HDF5 files in the article's layout, the training set first.

    Args:
        source: As for `open_pictures`. If it is one file without a test set, that of the file
            beside it with "test" for "train" in its name is opened, as by `load_dataset`.
        test: The file of the test set, if it is another one.

    Raises:
        DataError: As `open_pictures`; if there is no training set.
    """
    files = files_of(source)
    with open_hdf5(files[0], LAYOUT) as file:
        members = set(names_in(file))
        if test is None and len(files) == 1:
            beside = find_test(files[0], file)
            test = None if beside == files[0] else beside
    names = [name for name in ("validation", "test") if f"{name}_set_x" in members]
    splits = {name: open_pictures(source, name) for name in ("train", *names)}
    return splits if test is None else splits | {"test": open_pictures(test, "test")}


def count_pictures(source: str | Path) -> tuple[int, int]:
    """Count the pictures in HDF5 files in the article's layout, and their bytes; 0 in others."""
    pictures, size = 0, 0
    for path in files_of(source):
        if not h5py.is_hdf5(path):
            return 0, 0
        with open_hdf5(path, LAYOUT) as file:
            names = {f"{split}_set_x" for split in ("train", "validation", "test")}
            for array in (find_array(file, name) for name in names & set(names_in(file))):
                pictures, size = pictures + len(array), size + array.nbytes
    return pictures, size


def _open_one(path: Path, split: str) -> StoredPictures:
    with open_hdf5(path, LAYOUT) as file:
        members = names_in(file)
        names = [f"{split}_set_{letter}" for letter in "xy"]
        if not set(names) <= set(members):
            raise DataError(
                f"{path} contains {', '.join(sorted(members)) or 'nothing'}",
                f"the datasets {names[0]} and {names[1]}: only files in the article's layout are "
                "read in blocks",
                "load it whole and write it in this layout: jaxnet data FILE --write NEW.h5",
            )
        images = find_array(file, names[0])
        check_images(images.shape, images.dtype, f"{names[0]} in {path}")
        check_array(images)
        labels = read_labels_of(file, split, len(images))
        return StoredPictures(
            (path,),
            np.array([0, len(images)]),
            np.array([1 if images.chunks is None else images.chunks[0]]),
            labels.astype(np.uint8),
            images.shape[1:3],
            read_classes(file) if CLASSES in members else ("class 0", "class 1"),
            split,
        )
