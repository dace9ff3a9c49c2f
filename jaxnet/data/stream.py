"""Batches of pictures that need not fit into memory, in random order, read ahead by a thread.

The files are divided into blocks, which are read as a whole. An epoch takes the blocks in random
order; some of them together, a pool, are in memory, where their pictures are shuffled. All of it
depends on the seed and the number of the epoch alone. Files that fit into one pool are seen in the
order in which `fit` sees them in memory.

Where several devices share out the examples, a pool is divided into one part for each of them, and
a process reads the parts of its own devices. The order is the same.

Memory: three pools, or parts of pools, of which one is read while another is used; and the labels.
"""

import math
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jax.typing import DTypeLike

from jaxnet.data.columns import columns_on_device
from jaxnet.data.dataset import Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.read_ahead import read_ahead
from jaxnet.data.stored import Read, StoredPictures, open_pictures
from jaxnet.defaults import LARGEST_SEED
from jaxnet.devices import find_devices, require_dtype
from jaxnet.epochs import steps_an_epoch
from jaxnet.errors import UsageError, require_integer
from jaxnet.examples import Examples
from jaxnet.minibatches import NO_EXAMPLE, draw_permutations
from jaxnet.sharing import Parts

# A block is long enough to be read quickly; a pool is as much as a small machine has to spare.
BLOCK_BYTES, POOL_BYTES = 4 * 2**20, 64 * 2**20

# XLA's, in bytes.
ALIGNMENT = 64

WHOLE = Parts()

# Which stream of random numbers decides the order of the blocks; those below decide that in a pool.
BLOCK_ORDER = 2**63


class Pool(NamedTuple):
    """Pictures in memory, and the batches that are taken of them.

    Attributes:
        images: (n, h, w, 3) uint8, as they are stored; of several parts those of this process.
            Every pool of a stream has the same n, so that one program computes with all; what no
            batch takes is undefined.
        labels: (n,) uint8, of all parts.
        numbers: (n,) int32, the number of each in the files, of all parts.
        batches: The indices of the pictures of each batch, (rows, batch) int32; −1 fills up the
            last batch of an epoch, and the rows from `made` on.
        made: The number of batches.
    """

    images: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray
    batches: np.ndarray
    made: int


def batches(
    source: str | Path | Sequence[str | Path] | StoredPictures,
    batch: int,
    preprocessing: Preprocessing | None = None,
    *,
    seed: int = 0,
    epoch: int = 0,
    start: int = 0,
    epochs: int | None = 1,
    dtype: DTypeLike = np.float32,
) -> Iterator[Examples]:
    """Read examples batch by batch from HDF5 files, which need not fit into memory.

    Each array is a new one, so that a step that is still computing keeps its own. The last batch of
    an epoch is smaller where `batch` does not divide the pictures.

    Args:
        source: HDF5 files in the article's layout, or what `open_pictures` returns.
        batch: The number of pictures of a batch.
        preprocessing: How they become columns; by default grey, in their own size.
        seed: With the number of the epoch it decides the order.
        epoch: The epoch to begin with.
        start: The batch of this epoch to begin with: with both, an interrupted loop goes on.
        epochs: How many epochs; None for endless ones.
        dtype: float32 or float64.

    Yields:
        X (n_x, batch), Y (1, batch).

    Raises:
        DataError: If a file cannot be read, has another layout, or has changed.
        UsageError: If an argument is of the wrong type or out of its range.
    """
    pictures = source if isinstance(source, StoredPictures) else open_pictures(source)
    if preprocessing is None:
        preprocessing = Preprocessing(*pictures.size)
    require_size(preprocessing, pictures)
    dtype = require_dtype(dtype)
    steps = check_stream(pictures, batch, seed, epoch, start)
    if epochs is not None:
        require_integer("epochs", epochs, 1)
    find_devices()
    count = None if epochs is None else epochs * steps - start
    return _as_examples(pictures, batch, seed, epoch * steps + start, count, preprocessing, dtype)


def require_size(preprocessing: Preprocessing, pictures: StoredPictures) -> None:
    """Raise a UsageError unless pictures have the size of the preprocessing."""
    size = (preprocessing.height, preprocessing.width)
    if size != pictures.size:
        raise UsageError(
            f"the preprocessing is for pictures of {size[0]} × {size[1]}, the files hold "
            f"{pictures.size[0]} × {pictures.size[1]}",
            "the same size, since a stream does not resize",
            "write the pictures anew in this size: jaxnet data … --size … --write NEW.h5",
        )


def check_stream(pictures: StoredPictures, batch: int, seed: int, epoch: int, start: int) -> int:
    """Check the arguments of a stream; return the number of batches of an epoch."""
    require_integer("batch", batch, 1)
    steps = steps_an_epoch(len(pictures), batch)
    require_integer("seed", seed, 0, LARGEST_SEED)
    require_integer("epoch", epoch, 0)
    require_integer("start", start, 0, steps - 1)
    return steps


def _as_examples(
    pictures: StoredPictures,
    batch: int,
    seed: int,
    first: int,
    count: int | None,
    preprocessing: Preprocessing,
    dtype: np.dtype,
) -> Iterator[Examples]:
    convert = columns_on_device(preprocessing.color, preprocessing.pixel_scale, str(dtype))
    for pool in read_pools(pictures, batch, seed, first, count):
        for taken in pool.batches[: pool.made]:
            which = taken[taken != NO_EXAMPLE]
            labels = pool.labels[None, which].astype(dtype)
            yield Examples(convert(pool.images[which]), jax.device_put(labels))


def read_in_order(
    pictures: StoredPictures, length: int, part: slice | None = None
) -> Generator[Split, None, None]:
    """Read all pictures, or a part, in their order, `length` at a time, ahead of their use."""
    begin, end, _ = (part or slice(None)).indices(len(pictures))

    def read_all() -> Iterator[Split]:
        with pictures.open() as read:
            for first in range(begin, end, length):
                last = min(first + length, end)
                images = np.empty((last - first, *pictures.size, 3), np.uint8)
                read(first, last, images)
                yield Split(images, pictures.labels[first:last])

    return read_ahead(read_all(), 1)


def read_pools(
    pictures: StoredPictures,
    batch: int,
    seed: int,
    first: int,
    count: int | None = None,
    parts: Parts = WHOLE,
) -> Generator[Pool, None, None]:
    """Read the pools of iteration `first` and those after it, one ahead of its use.

    Args:
        pictures: The pictures.
        batch: The number of pictures of a batch; the last of an epoch may be smaller.
        seed: With the number of the epoch it decides the order.
        first: The first iteration, counted from the beginning of epoch 0.
        count: How many batches; None for endless ones.
        parts: The parts of each pool, and which of them are read.
    """
    return read_ahead(_read(pictures, batch, seed, first, count, parts), 1)


def _read(
    pictures: StoredPictures, batch: int, seed: int, first: int, count: int | None, parts: Parts
) -> Iterator[Pool]:
    steps = steps_an_epoch(len(pictures), batch)
    epoch, start = divmod(first, steps)
    with pictures.open() as read:
        made = 0
        while count is None or made < count:
            for pool in _read_epoch(pictures, read, batch, seed, epoch, start * batch, parts):
                left = pool.made if count is None else min(pool.made, count - made)
                made += left
                yield pool._replace(made=left)
                if made == count:
                    return
            epoch, start = epoch + 1, 0


def _read_epoch(
    pictures: StoredPictures,
    read: Read,
    batch: int,
    seed: int,
    epoch: int,
    skip: int,
    parts: Parts,
) -> Iterator[Pool]:
    """Read the pools of an epoch, without the first `skip` pictures of its order.

    Of each part of a pool, what is left of its pictures in the last pool comes first.
    """
    blocks = _blocks(pictures)
    number = _pool_length(pictures, blocks)
    lengths = blocks[:, 1] - blocks[:, 0]
    most = int(np.sort(lengths)[-number:].sum())
    room = parts.length(most) + batch - 1  # the places of a part
    begin, own = parts.first * room, parts.last - parts.first
    once = range(epoch, epoch + 1)
    order = draw_permutations(seed, once, len(blocks), stream=BLOCK_ORDER)[0]
    images, numbers = _empty((0, *pictures.size, 3)), np.empty(0, np.int32)
    rest = np.empty(0, np.int64)  # the places of what is left
    for p, start in enumerate(range(0, len(blocks), number)):
        chosen = np.sort(order[start : start + number])
        size = int(lengths[chosen].sum())
        if skip >= size:
            skip -= size
            continue
        within = draw_permutations(seed, once, size, stream=p)[0][skip:]
        kept, places = _places(rest, size, parts, room)
        skip, last_images, last_numbers = 0, images, numbers
        images = _empty((own * room, *pictures.size, 3))
        here = (rest >= begin) & (rest < begin + own * room)
        images[kept[here] - begin] = last_images[rest[here] - begin]
        length = parts.length(size)
        for part in range(parts.first, min(parts.last, math.ceil(size / length))):
            first, last = part * length, min((part + 1) * length, size)
            _read_some(read, blocks[chosen], first, last, images[places[first] - begin :])
        # What no batch takes has a number, too, since its label chooses a class weight.
        numbers = np.zeros(parts.number * room, np.int32)
        numbers[kept] = last_numbers[rest]
        numbers[places] = np.concatenate([np.arange(a, b) for a, b in blocks[chosen].tolist()])
        taken = np.concatenate([kept, places[within]])
        ends = start + number >= len(blocks)
        count = math.ceil(len(taken) / batch) if ends else len(taken) // batch
        rows = np.full((math.ceil((most + batch - 1) / batch), batch), NO_EXAMPLE, np.int32)
        rows.reshape(-1)[: min(len(taken), count * batch)] = taken[: count * batch]
        rest = taken[count * batch :]
        yield Pool(images, pictures.labels[numbers], numbers, rows, count)


def _places(rest: np.ndarray, size: int, parts: Parts, room: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the places of the pictures of a pool: in each part first those that are left.

    Args:
        rest: The places that these had in the last pool.
        size: The number of the new pictures.
        parts: The parts.
        room: The number of places in a part.

    Returns:
        The places of the former (rest,) and of the latter (size,).
    """
    of_part = rest // room
    counts = np.bincount(of_part, minlength=parts.number)
    order = np.argsort(of_part, kind="stable")
    kept = np.empty_like(rest)
    before = np.cumsum(counts) - counts
    kept[order] = of_part[order] * room + np.arange(len(rest)) - before[of_part[order]]
    part, number = np.divmod(np.arange(size), parts.length(size))
    return kept, part * room + counts[part] + number


def _empty(shape: tuple[int, ...]) -> np.ndarray:
    """Make an array of bytes that XLA uses in place; it would copy one that is not aligned."""
    size = math.prod(shape)
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].reshape(shape)


def _read_some(read: Read, blocks: np.ndarray, first: int, last: int, images: np.ndarray) -> None:
    """Read the pictures `first` to `last` of those of some blocks into an array."""
    at = 0
    for begin, end in blocks.tolist():
        a, b = max(first, at), min(last, at + end - begin)
        if a < b:
            read(begin + a - at, begin + b - at, images[a - first : b - first])
        at += end - begin


def _blocks(pictures: StoredPictures) -> np.ndarray:
    """List the first picture of each block and the one after its last, (blocks, 2)."""
    size = 3 * math.prod(pictures.size)
    blocks = []
    for start, end, chunk in zip(
        pictures.starts[:-1], pictures.starts[1:], pictures.chunks, strict=True
    ):
        # A chunk of a compressed file is read as a whole, so a block holds whole chunks.
        length = chunk * max(1, BLOCK_BYTES // (size * chunk))
        firsts = np.arange(start, end, length)
        blocks.append(np.stack([firsts, np.minimum(firsts + length, end)], axis=1))
    return np.concatenate(blocks)


def _pool_length(pictures: StoredPictures, blocks: np.ndarray) -> int:
    """Compute how many blocks a pool holds."""
    size = 3 * math.prod(pictures.size)
    longest = int((blocks[:, 1] - blocks[:, 0]).max()) * size
    return max(1, POOL_BYTES // longest)
