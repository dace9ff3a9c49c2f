"""Streams against memory: the same pictures in the same order, and the same training."""

import contextlib
import dataclasses
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import numpy as np
import pytest

from jaxnet import DataError, Dataset, Preprocessing, Settings, Split, UsageError, resume, train
from jaxnet.data import stream
from jaxnet.data.columns import columns_on_device, to_columns
from jaxnet.data.pixels import PIXEL_SCALES
from jaxnet.data.read_ahead import read_ahead
from jaxnet.data.source import DataSource
from jaxnet.data.stored import Read, StoredPictures, open_pictures
from jaxnet.data.stream import batches, read_in_order
from jaxnet.errors import ModelFileError
from jaxnet.evaluation import accuracies
from jaxnet.evaluation.accuracies import predict_stored
from jaxnet.io.names import MODEL_NAME
from jaxnet.minibatches import draw_batches
from jaxnet.runs.run import Run, load_run
from jaxnet.sharing import Parts

# Momentum and a decay change no shape: all tests of one size share a program.
QUICK = Settings(
    hidden_units=3,
    weight_scale=0.3,
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=0.1,
    batch=4,
    iterations=18,
)
PIXELS = dataclasses.replace(QUICK, basis="pixels")


def draw(m: int) -> Split:
    generator = np.random.default_rng(m)
    images = generator.integers(0, 256, (m, 4, 6, 3), dtype=np.uint8)
    return Split(images, np.arange(m) % 3 % 2)


def draw_bright(m: int) -> Split:
    """Draw noise that is bright for class 1, so that a network learns it."""
    images, labels, _ = draw(m)
    return Split(images // 2 + (128 * labels[:, None, None, None]).astype(np.uint8), labels)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(split: Split, name: str = "a.h5", test: Split | None = None, **how: Any) -> Path:
        with h5py.File(tmp_path / name, "w") as file:
            if test is not None:
                file["test_set_x"], file["test_set_y"] = test.images, test.labels
            file.create_dataset("train_set_x", data=split.images, **how)
            file["train_set_y"] = split.labels
            file["list_classes"] = np.array([b"no", b"yes"])
        return tmp_path / name

    return write


@pytest.fixture
def small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of two pictures of 72 bytes, or of one chunk, and pools of three such blocks."""
    monkeypatch.setattr(stream, "BLOCK_BYTES", 2 * 72)
    monkeypatch.setattr(stream, "POOL_BYTES", 6 * 72)


LAYOUTS: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "chunks": {"chunks": (3, 4, 6, 3)},
    "gzip": {"chunks": (3, 4, 6, 3), "compression": "gzip"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_that_fits_into_a_pool_is_seen_as_in_memory(
    layout: str, write: Callable[..., Path]
) -> None:
    split = draw(10)
    path = write(split, **LAYOUTS[layout])
    ours = list(batches(path, 4, Preprocessing(4, 6, "rgb", "raw"), seed=7, epoch=2, epochs=2))
    expected = draw_batches(7, 6, 6, 10, 4)
    assert [examples.Y.size for examples in ours] == [4, 4, 2, 4, 4, 2]
    for examples, indices in zip(ours, expected, strict=True):
        seen = indices[indices >= 0]
        np.testing.assert_array_equal(
            np.transpose(examples.X), split.images[seen].reshape(len(seen), -1)
        )
        np.testing.assert_array_equal(np.asarray(examples.Y)[0], split.labels[seen])


@pytest.mark.usefixtures("small_pools")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sizes", [(23,), (9, 1, 8)])
def test_every_epoch_takes_each_picture_once(
    sizes: tuple[int, ...], layout: str, write: Callable[..., Path]
) -> None:
    splits = [draw(m) for m in sizes]
    how = LAYOUTS[layout]
    paths = [
        write(split, f"{i}.h5", **({} if len(split.labels) < 3 else how))
        for i, split in enumerate(splits)
    ]
    whole = np.concatenate([split.images for split in splits]).reshape(sum(sizes), -1)
    labels = np.concatenate([split.labels for split in splits])
    orders = []
    for epoch in range(3):
        read = list(batches(paths, 4, Preprocessing(4, 6, "rgb", "raw"), seed=1, epoch=epoch))
        assert [examples.Y.size for examples in read[:-1]] == [4] * (len(read) - 1)
        pictures = np.concatenate([np.transpose(examples.X) for examples in read])
        order = np.array([int(np.flatnonzero((whole == one).all(axis=1))[0]) for one in pictures])
        np.testing.assert_array_equal(np.sort(order), np.arange(len(whole)))
        np.testing.assert_array_equal(
            np.concatenate([np.asarray(e.Y)[0] for e in read]), labels[order]
        )
        orders.append(tuple(order))
    assert len(set(orders)) == 3
    # Blocks come in random order, and are mixed with others.
    assert any(abs(np.diff(order)).max() > 6 for order in orders)


@pytest.mark.usefixtures("small_pools")
def test_a_stream_goes_on_at_any_batch(write: Callable[..., Path]) -> None:
    path = write(draw(23))
    whole = [np.asarray(examples.X) for examples in batches(path, 4, seed=3, epochs=2)]
    assert len(whole) == 12
    for epoch, start in itertools.product(range(2), range(6)):
        rest = batches(path, 4, seed=3, epoch=epoch, start=start, epochs=1)
        for ours, theirs in zip(rest, whole[6 * epoch + start : 6 * epoch + 6], strict=True):
            np.testing.assert_array_equal(ours.X, theirs)
    endless = batches(path, 4, seed=3, epochs=None)
    assert len(list(itertools.islice(endless, 20))) == 20


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each call has read from a file."""
    read_so_far: list[int] = []
    opened = StoredPictures.open

    @contextlib.contextmanager
    def counting(pictures: StoredPictures) -> Iterator[Read]:
        with opened(pictures) as read:

            def count(first: int, last: int, out: np.ndarray) -> None:
                read_so_far.append(last - first)
                read(first, last, out)

            yield count

    monkeypatch.setattr(StoredPictures, "open", counting)
    return read_so_far


@pytest.mark.usefixtures("small_pools")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_process_reads_its_parts_of_the_same_batches(
    layout: str, write: Callable[..., Path], lengths: list[int]
) -> None:
    pictures = open_pictures(write(draw(23), **LAYOUTS[layout]))
    whole = list(stream.read_pools(pictures, 4, 3, 1, 11))
    assert sum(lengths) == 2 * 23
    assert all(set(pool.labels) <= {0, 1} for pool in whole)
    own = []
    for first, last in ((0, 1), (1, 3)):  # one device, and two
        lengths.clear()
        own.append(list(stream.read_pools(pictures, 4, 3, 1, 11, Parts(3, first, last))))
        # Of each pool of six pictures or more two or three for each device, of the last the rest.
        assert abs(sum(lengths) - (last - first) * 2 * 23 / 3) <= 5
    for theirs, *ours in zip(whole, *own, strict=True):
        images = np.concatenate([pool.images for pool in ours])
        assert len(images) == len(ours[0].labels)
        for pool in ours:
            assert pool.made == theirs.made
            np.testing.assert_array_equal(pool.batches == -1, theirs.batches == -1)
            which, expected = pool.batches[pool.batches >= 0], theirs.batches[theirs.batches >= 0]
            np.testing.assert_array_equal(images[which], theirs.images[expected])
            np.testing.assert_array_equal(pool.labels[which], theirs.labels[expected])


def test_a_batch_keeps_its_numbers(write: Callable[..., Path]) -> None:
    """Refilling one array would change what is still to be computed with."""
    read = list(batches(write(draw(12)), 4, epochs=2))
    sums = [np.asarray(examples.X).sum() for examples in read]
    again = [np.asarray(examples.X).sum() for examples in batches(write(draw(12)), 4, epochs=2)]
    assert sums == again
    assert len(set(sums)) == 6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pixel_scale", PIXEL_SCALES)
@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_columns_on_the_device_are_those_of_the_host(
    color: str, pixel_scale: str, dtype: str
) -> None:
    images = draw(9).images
    with jax.enable_x64(True):
        ours = columns_on_device(color, pixel_scale, dtype)(images)
        theirs = to_columns(images, color=color, pixel_scale=pixel_scale, dtype=dtype)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        largest = 255 if pixel_scale == "raw" else 1
        bound = largest * (4e-7 if dtype == "float32" else 1e-15)
        assert np.abs(np.asarray(ours) - np.asarray(theirs)).max() <= bound


def as_dataset(split: Split) -> Dataset:
    return Dataset(split, None, ("no", "yes"))


@pytest.mark.parametrize("how", ["momentum, balanced, decayed", "adam"])
def test_a_training_on_a_stream_is_that_in_memory(how: str, write: Callable[..., Path]) -> None:
    changes: dict[str, dict[str, Any]] = {
        "momentum, balanced, decayed": {"balanced": True},
        "adam": {"optimizer": "adam", "momentum": 0.0, "weight_decay": 0.0},
    }
    settings = dataclasses.replace(PIXELS, precision="float64", **changes[how])
    split = draw(10)
    ours = train(open_pictures(write(split)), settings)
    theirs = train(as_dataset(split), settings)
    np.testing.assert_allclose(ours.costs, theirs.costs, rtol=1e-12)
    chex.assert_trees_all_close(ours.model.params, theirs.model.params, rtol=1e-10, atol=1e-14)
    assert ours.outcome == theirs.outcome
    np.testing.assert_allclose(ours.epoch_costs, theirs.epoch_costs, rtol=1e-12)
    assert ours.settings == theirs.settings


@pytest.mark.usefixtures("small_pools")
def test_a_stopped_training_on_a_stream_is_resumed_with_the_same_bits(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    pictures = open_pictures(write(draw(23)))
    settings = QUICK
    whole = train(pictures, settings)
    assert whole.outcome in ("learning", "plateau", "slow", "diverged")
    for stop in (1, 2, 4, 6, 7, 12):  # of two epochs of six batches, read in pools of six pictures
        half = train(pictures, dataclasses.replace(settings, iterations=stop))
        kept = load_run(half.save(tmp_path / str(stop)))
        again = resume(kept, pictures, iterations=18)
        np.testing.assert_array_equal(again.costs, whole.costs)
        chex.assert_trees_all_equal(again.model.params, whole.model.params)
        assert (again.outcome, again.settings) == (whole.outcome, whole.settings)
    ended = resume(kept, pictures, iterations=12)
    assert ended.outcome == half.outcome


def test_what_a_pool_does_not_fill_weighs_no_class(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_before(shape: Any, dtype: Any = float) -> np.ndarray:
        return np.full(shape, 77, dtype)

    pictures = open_pictures(write(draw(10)))
    monkeypatch.setattr(np, "empty", used_before)
    assert np.isfinite(train(pictures, dataclasses.replace(PIXELS, balanced=True)).costs).all()


@pytest.mark.usefixtures("small_pools")
def test_the_hook_stops_a_stream(write: Callable[..., Path]) -> None:
    pictures = open_pictures(write(draw(23)))
    seen: list[int] = []

    def hook(run: Run) -> bool:
        seen.append(len(run.costs))
        return len(seen) == 2

    stopped = train(pictures, QUICK, hook=hook)
    assert stopped.outcome == "stopped"
    assert len(stopped.costs) == seen[-1] < 18
    assert threading.active_count() < 10


@pytest.mark.usefixtures("small_pools")
def test_a_stream_that_is_not_finite_keeps_the_last_good_state(write: Callable[..., Path]) -> None:
    pictures = open_pictures(write(draw(23)))
    changes: dict[str, Any] = {"learning_rate": 1e7, "momentum": 0.0, "weight_decay": 0.0}
    settings = dataclasses.replace(QUICK, iterations=60, **changes)
    run = train(pictures, settings)
    assert run.outcome == "not finite"
    made = len(run.descent.costs)
    assert 0 < made < len(run.costs)
    again = train(pictures, dataclasses.replace(settings, iterations=made))
    chex.assert_trees_all_equal(run.model.params, again.model.params)


def test_a_dead_network_is_found_dead(write: Callable[..., Path]) -> None:
    settings = dataclasses.replace(QUICK, weight_scale=0.0)
    assert train(open_pictures(write(draw(10))), settings).outcome == "dead"


def test_pictures_in_their_order(write: Callable[..., Path]) -> None:
    split = draw(10)
    read = list(read_in_order(open_pictures(write(split)), 4))
    assert [len(part.labels) for part in read] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([part.images for part in read]), split.images)


def test_the_fingerprint_depends_on_all_that_it_says(write: Callable[..., Path]) -> None:
    split = draw(10)
    other_images = split.images.copy()
    other_images[7, 0, 0, 0] ^= 1
    splits = (
        split,
        split._replace(images=other_images),
        split._replace(labels=1 - split.labels),
        draw(11),
    )
    hashes = [open_pictures(write(one, f"{i}.h5")).sha256 for i, one in enumerate(splits)]
    assert len(set(hashes)) == 4
    assert open_pictures(write(split, "again.h5")).sha256 == hashes[0]


def refuse(found: str, call: Callable[[], object]) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        call()
    assert found in caught.value.found, caught.value.found


def test_what_cannot_be_streamed_is_refused(
    write: Callable[..., Path], tmp_path: Path, h5: Callable[..., Path]
) -> None:
    path = write(draw(10))
    pictures = open_pictures(path)
    refuse("batch is not given", lambda: train(pictures, dataclasses.replace(QUICK, batch=None)))
    refuse("basis is span", lambda: train(pictures, dataclasses.replace(QUICK, basis="span")))
    refuse("4 × 6", lambda: train(pictures, QUICK, Preprocessing(8, 8)))
    refuse("4 × 6", lambda: batches(path, 4, Preprocessing(8, 8)))
    refuse("batch is 0", lambda: batches(path, 0))
    refuse("start is 3", lambda: batches(path, 4, start=3))
    refuse("epochs is 0", lambda: batches(path, 4, epochs=0))
    refuse("there is no", lambda: open_pictures(tmp_path / "none.h5"))
    refuse("contains", lambda: open_pictures(path, "test"))
    refuse("no file is given", lambda: open_pictures([]))
    refuse("8 × 6 of", lambda: open_pictures([path, h5()]))
    one_class = draw(10)._replace(labels=np.zeros(10, int))
    refuse('every training picture is "no"', lambda: open_pictures(write(one_class, "one.h5")))
    floats = draw(10)._replace(images=np.zeros((10, 4, 6, 3)))
    refuse("type float64", lambda: open_pictures(write(floats, "floats.h5")))


def test_a_run_continues_on_its_own_pictures_only(write: Callable[..., Path]) -> None:
    split = draw(10)
    pictures = open_pictures(write(split))
    streamed, in_memory = train(pictures, QUICK), train(as_dataset(split), PIXELS)
    other = open_pictures(write(draw(11), "b.h5"))
    refuse("holds other pictures", lambda: resume(streamed, other, iterations=30))
    refuse("stay in their files", lambda: resume(streamed, as_dataset(split), iterations=30))
    refuse("pictures in memory", lambda: resume(in_memory, pictures, iterations=30))


def test_a_file_that_changes_while_it_is_read(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(draw(23))
    pictures = open_pictures(path)
    write(draw(22))
    refuse("has now shape (22, 4, 6, 3)", lambda: list(batches(pictures, 4)))
    write(draw(23), chunks=(3, 4, 6, 3), compression="gzip")
    pictures = open_pictures(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(DataError, match=r"a\.h5"):
        list(batches(pictures, 4))


def test_reading_ahead_keeps_the_order_and_passes_errors_on() -> None:
    def numbers() -> Iterator[int]:
        yield from range(5)
        raise ValueError("the sixth")

    read: list[int] = []
    with pytest.raises(ValueError, match="the sixth"):
        read.extend(read_ahead(numbers(), 2))
    assert list(read_ahead(iter(range(5)), 2)) == list(range(5))


def test_a_reader_ends_when_it_is_closed() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.set()

    reader = read_ahead(endless(), 2)
    assert next(reader) == 0
    reader.close()
    assert closed.is_set()


def test_a_split_is_known_by_its_length(write: Callable[..., Path]) -> None:
    pictures = open_pictures(write(draw(10)))
    assert isinstance(pictures, StoredPictures)
    assert (len(pictures), pictures.size, pictures.classes) == (10, (4, 6), ("no", "yes"))


@pytest.mark.usefixtures("undrawn")
def test_the_command_trains_on_a_stream(
    jaxnet: Callable[..., Any], write: Callable[..., Path]
) -> None:
    path = write(draw_bright(23), test=draw_bright(7))
    settings = ("--hidden-units", 3, "--weight-scale", 0.1, "--learning-rate", 0.05, "--batch", 4)
    command = ("train", "--data", path, "--stream", *settings)
    whole = jaxnet(*command, "--epochs", 3, "--out", "whole", "--json")
    assert whole.code == 0
    answer = json.loads(whole.out)
    assert (answer["iterations"], answer["epochs"]) == (18, 3)
    assert answer["data"]["splits"]["test"]["shape"] == [7, 4, 6, 3]
    assert {"train", "test"} == answer["accuracy"].keys()
    run = load_run("whole")
    expected = {
        name: (run.model.predict_images(split.images) > 0.5) == split.labels
        for name, split in {"train": draw_bright(23), "test": draw_bright(7)}.items()
    }
    assert answer["accuracy"] == {name: right.mean() for name, right in expected.items()}
    assert {file.name for file in Path("whole").iterdir()} >= {"model.h5", "training.png"}

    told = jaxnet(*command, "--iterations", 7, "--out", "half")
    assert "(23, 4, 6, 3)" in told.out
    assert "7 iterations (1 epoch)" in told.out
    assert jaxnet("train", "--resume", "half", "--epochs", 3).code == 0
    np.testing.assert_array_equal(load_run("half").costs, run.costs)
    assert jaxnet("train", "--resume", "half").out == "half is finished already\n"


def test_the_command_says_what_a_stream_cannot_have(
    jaxnet: Callable[..., Any], write: Callable[..., Path]
) -> None:
    path = write(draw(10))
    for options, found in (
        ((), "batch is not given"),
        (("--batch", 4, "--size", 8), "--size is given with --stream"),
        (("--batch", 4, "--seeds", 2), "--seeds 2 is given with --stream"),
        (("--batch", 4, "--basis", "span"), "basis is span"),
    ):
        result = jaxnet("train", "--data", path, "--stream", *options)
        assert result.code == 2
        assert found in result.err
    folder = jaxnet("train", "--data", path.parent, "--stream", "--batch", 4)
    assert "is a folder" in folder.err


@pytest.mark.usefixtures("small_pools")
def test_a_pattern_means_its_files_in_order(write: Callable[..., Path], tmp_path: Path) -> None:
    for name, m in (("part-2.h5", 9), ("part-1.h5", 4)):
        write(draw(m), name)
    pattern = str(tmp_path / "part-*.h5")
    pictures = open_pictures(pattern)
    np.testing.assert_array_equal(pictures.starts, [0, 4, 13])
    assert pictures.source.endswith("part-1.h5 and 1 more")
    assert train(pictures, QUICK).data_source == DataSource(pattern)
    assert open_pictures(pictures.paths).data_source is None


def test_probabilities_of_a_stream_are_those_of_memory(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracies, "BLOCK", 4)
    split = draw(10)
    run = train(as_dataset(split), PIXELS)
    Z2, A2 = predict_stored(run.model, open_pictures(write(split)))
    theirs = run.model.forward_images(split.images)
    np.testing.assert_allclose(Z2, np.asarray(theirs.Z2)[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(A2, np.asarray(theirs.A2)[0], rtol=1e-6)


def test_a_stream_with_an_edited_setting_is_refused(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    """The optimizer keeps its rate: the descent would go on with that, whatever is written."""
    pictures = open_pictures(write(draw(10)))
    path = train(pictures, QUICK).save(tmp_path / "run") / MODEL_NAME
    with h5py.File(path, "a") as file:
        file["settings"].attrs["learning_rate"] = 0.25
    with pytest.raises(ModelFileError, match=r"learning_rate 0\.05, but its settings have 0\.25"):
        resume(load_run(path), pictures, iterations=30)
