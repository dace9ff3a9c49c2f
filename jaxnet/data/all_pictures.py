"""The pictures of all splits, in memory or in files, in blocks or by their numbers."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from jaxnet.data.dataset import Dataset, Split, check_dataset
from jaxnet.data.stored import StoredPictures, require_like
from jaxnet.errors import DataError
from jaxnet.progress import Track, silent

BLOCK = 2**20  # pixels in one block, so that its grey levels (4 MB) stay near the CPU

# A data set in memory; or the splits of one in files, by name, as `open_splits` opens them.
Data = Dataset | Mapping[str, StoredPictures]


class AllPictures(NamedTuple):
    """Pictures, numbered one split after the other, the training set first.

    Attributes:
        names: The name of each split.
        starts: The number of the first picture of each split, and that of all, (splits + 1,).
        labels: (m,) of 0 and 1.
        size: Height and width, in pixels.
        readers: For each split what returns its pictures from one number up to another.
    """

    names: tuple[str, ...]
    starts: np.ndarray
    labels: np.ndarray
    size: tuple[int, int]
    readers: tuple[Callable[[int, int], np.ndarray], ...]

    def blocks(self, description: str, track: Track = silent) -> Iterator[np.ndarray]:
        """Yield the pictures in order, in blocks (b, h, w, 3)."""
        length = max(1, BLOCK // (self.size[0] * self.size[1]))
        parts = [
            (read, first, min(first + length, int(count)))
            for read, count in zip(self.readers, np.diff(self.starts), strict=True)
            for first in range(0, int(count), length)
        ]
        for read, first, last in track(parts, description, len(parts)):
            yield read(first, last)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """Return the pictures (n, h, w, 3) of these numbers (n,)."""
        images = np.empty((len(numbers), *self.size, 3), np.uint8)
        # In the order in which they are stored; what follows each other is read together.
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        apart = np.flatnonzero((np.diff(ordered) != 1) | np.isin(ordered[1:], self.starts)) + 1
        for run in np.split(np.arange(len(numbers)), apart) if len(numbers) else ():
            split = int(np.searchsorted(self.starts, ordered[run[0]], "right")) - 1
            first = int(ordered[run[0]] - self.starts[split])
            images[order[run]] = self.readers[split](first, first + len(run))
        return images


@contextlib.contextmanager
def open_all(data: Data) -> Iterator[AllPictures]:
    """Open the pictures of a data set for reading.

    Raises:
        DataError: If they cannot be used, or the splits do not fit together; in the `with` block,
            if a file cannot be read.
    """
    splits = data.splits if isinstance(data, Dataset) else _check_splits(data)
    if isinstance(data, Dataset):
        check_dataset(data)
    with contextlib.ExitStack() as stack:
        yield AllPictures(
            tuple(splits),
            np.cumsum([0, *(len(split.labels) for split in splits.values())]),
            np.concatenate([split.labels for split in splits.values()]),
            size_of(data),
            tuple(_reader(split, stack) for split in splits.values()),
        )


def size_of(data: Data) -> tuple[int, int]:
    """Return the height and the width of the pictures of a data set, in pixels."""
    if isinstance(data, Dataset):
        height, width = data.train.images.shape[1:3]
        return height, width
    return data["train"].size


def classes_of(data: Data) -> tuple[str, str]:
    """Return the names of class 0 and of class 1."""
    return data.classes if isinstance(data, Dataset) else data["train"].classes


def source_of(data: Data) -> str:
    """Return the description of the origin of a data set."""
    return data.source if isinstance(data, Dataset) else data["train"].source


def labels_of(data: Data) -> dict[str, np.ndarray]:
    """Return the labels (m,) of each split."""
    splits: Mapping[str, Split | StoredPictures]
    splits = data.splits if isinstance(data, Dataset) else data
    return {name: split.labels for name, split in splits.items()}


def _check_splits(splits: Mapping[str, StoredPictures]) -> Mapping[str, StoredPictures]:
    if "train" not in splits:
        raise DataError(
            f"the splits are {', '.join(splits) or 'none'}", "a training split", "open it as well"
        )
    for other in splits.values():
        require_like(splits["train"], other)
    return {name: splits[name] for name in ("train", "validation", "test") if name in splits}


def _reader(
    split: Split | StoredPictures, stack: contextlib.ExitStack
) -> Callable[[int, int], np.ndarray]:
    if isinstance(split, Split):
        images = split.images
        return lambda first, last: images[first:last]
    read, size = stack.enter_context(split.open()), split.size

    def read_new(first: int, last: int) -> np.ndarray:
        block = np.empty((last - first, *size, 3), np.uint8)
        read(first, last, block)
        return block

    return read_new
