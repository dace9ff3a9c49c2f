"""Files that are broken, by accident or on purpose: refused in words, or read as they are."""

import os
import shutil
import signal
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Result
from mutants import (
    LARGEST_GROWTH,
    Worker,
    blank_sweep,
    is_fine,
    load_descent,
    load_sweep,
    read_mutants,
    save_run,
    start_worker,
    write_bases,
)

from jaxnet.data.hdf5 import read_hdf5
from jaxnet.errors import DataError, ModelFileError
from jaxnet.io import bounded_hdf5
from jaxnet.runs.model_file import load_model
from jaxnet.runs.run import load_run
from jaxnet.runs.sweep_file import save_sweep

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a model file with its descent."""
    path = tmp_path_factory.mktemp("saved") / "model.h5"
    save_run(path)
    return path.read_bytes()


@pytest.fixture
def model(tmp_path: Path, saved: bytes) -> Path:
    """A model file with its descent."""
    (tmp_path / "model.h5").write_bytes(saved)
    return tmp_path / "model.h5"


def data_refused(path: Path, *parts: str) -> None:
    with pytest.raises(DataError) as caught:
        read_hdf5(path)
    for part in (*parts, str(path)):
        assert part in str(caught.value)


def model_refused(path: Path, *parts: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        load_run(path)
    for part in (*parts, str(path)):
        assert part in str(caught.value)


def replace(path: Path, name: str, **how: Any) -> Path:
    """Put another dataset in the place of one, of the same shape and type unless given."""
    with h5py.File(path, "a") as file:
        before = file[name]
        how = {"shape": before.shape, "dtype": before.dtype} | how
        del file[name]
        file.create_dataset(name, **how)
    return path


def link(path: Path, name: str, link: object) -> Path:
    """Put a link in the place of a dataset or a group."""
    with h5py.File(path, "a") as file:
        del file[name]
        file[name] = link
    return path


@pytest.fixture
def away(h5: Write) -> Path:
    """Another file, which holds what could be read through a link."""
    return h5("away.h5")


@pytest.mark.parametrize("name", ["train_set_x", "train_set_y", "test_set_x", "list_classes"])
def test_an_external_link_is_not_followed(name: str, h5: Write, away: Path) -> None:
    path = link(h5(), name, h5py.ExternalLink(away.name, f"/{name}"))
    data_refused(path, f"{name} in", "is an external link", "data in this file")


def test_a_soft_link_is_followed_within_the_file_only(h5: Write, away: Path) -> None:
    path = h5()
    with h5py.File(path, "a") as file:
        file.move("train_set_x", "pictures/x")
        file["train_set_x"] = h5py.SoftLink("/pictures/x")
        file["relative"] = h5py.SoftLink("pictures/x")
    assert len(read_hdf5(path).train.images) == 8
    external, second = "out in .* is an external link", "is a soft link in the target of another"
    for target, found in (
        ("/out/train_set_x", external),
        ("out/train_set_x", external),
        ("/relative", f"relative in .* {second}"),
        ("/train_set_x", f"train_set_x in .* {second}"),
        ("nowhere", "there is no nowhere"),
    ):
        with h5py.File(path, "a") as file:
            del file["train_set_x"]
            file["train_set_x"] = h5py.SoftLink(target)
            if "out" not in list(file):
                file["out"] = h5py.ExternalLink(away.name, "/")
        with pytest.raises(DataError, match=found):
            read_hdf5(path)


@pytest.mark.parametrize("name", ["params", "params/W1", "costs", "classes", "settings", "origin"])
def test_a_model_is_one_file(name: str, model: Path, tmp_path: Path) -> None:
    (tmp_path / "away.h5").write_bytes(model.read_bytes())
    link(model, name, h5py.ExternalLink("away.h5", f"/{name}"))
    model_refused(model, "is an external link")


def test_a_link_to_a_pipe_does_not_wait_for_it(h5: Write, model: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    away = h5py.ExternalLink("pipe.h5", "/x")
    data_refused(link(h5(), "train_set_x", away), "is an external link")
    data_refused(link(h5(), "test_set_x", away), "is an external link")
    with h5py.File(h5("other.h5", train_set_x=None), "a") as file:
        file["a_link"] = away
    data_refused(tmp_path / "other.h5", "contains a_link, list_classes")
    model_refused(link(model, "descent", away).with_name("both.h5"), "but not a jaxnet model; it")
    with pytest.raises(ModelFileError, match="is an external link"):
        load_descent(model)


def test_a_virtual_dataset_is_not_read(h5: Write, model: Path, away: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    for path, name, source in (
        (h5(), "train_set_x", h5py.VirtualSource("away.h5", "train_set_x", (8, 8, 6, 3))),
        (h5(), "train_set_x", h5py.VirtualSource("pipe.h5", "x", (8, 8, 6, 3))),
        (model, "params/b1", h5py.VirtualSource("pipe.h5", "x", (3, 1))),
    ):
        layout = h5py.VirtualLayout(source.shape, "u1" if path != model else "f4")
        layout[...] = source
        with h5py.File(path, "a") as file:
            del file[name]
            file.create_virtual_dataset(name, layout)
        refuse = model_refused if path == model else data_refused
        refuse(path, "stores its values in other files")


def test_values_in_another_file_are_not_read(h5: Write, model: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(8 * 8 * 6 * 3))
    secret = str(tmp_path / "secret")
    data_refused(
        replace(h5(), "train_set_x", external=[(secret, 0, 8 * 8 * 6 * 3)]),
        "train_set_x in",
        "stores its values in other files",
    )
    model_refused(replace(model, "params/W1", external=[(secret, 0, 3 * 48 * 4)]), "other files")


@pytest.mark.parametrize(
    "dtype", [h5py.ref_dtype, h5py.vlen_dtype("u1"), np.dtype([("a", "u1")]), np.dtype("V4")]
)
def test_objects_are_not_read(dtype: np.dtype, h5: Write, model: Path) -> None:
    data_refused(replace(h5(), "list_classes", dtype=dtype), "list_classes in", "of type")
    data_refused(replace(h5(), "train_set_x", dtype=dtype), "train_set_x in", "type")
    model_refused(replace(model, "params/b1", dtype=dtype), "b1 in", "of type")


def test_the_other_byte_order_is_read(h5: Write, model: Path) -> None:
    path = replace(h5(), "train_set_y", dtype=">i4", data=[0, 1, 1, 0, 1, 0, 0, 1])
    labels = read_hdf5(path).train.labels
    np.testing.assert_array_equal(labels, [0, 1, 1, 0, 1, 0, 0, 1])
    assert labels.dtype == np.int64
    assert labels.dtype.isnative
    before, descent = load_run(model), load_descent(model)
    with h5py.File(model, "a") as file:
        names = ["costs", *(f"params/{name}" for name in file["params"])]
        names += [f"descent/state/{name}" for name in file["descent/state"]]
        for name in names:
            array = file[name][()]
            del file[name]
            file[name] = array.astype(array.dtype.newbyteorder(">"))
    after, again = load_run(model), load_descent(model)
    for name, array in before.model.params.items():
        np.testing.assert_array_equal(after.model.params[name], array)
    np.testing.assert_array_equal(after.costs, before.costs)
    for name, array in descent.state.params.items():
        np.testing.assert_array_equal(again.state.params[name], array)


def test_a_size_is_checked_before_memory_is_taken(h5: Write, model: Path) -> None:
    huge = {"chunks": (1, 64, 64, 3), "compression": "gzip"}
    path = replace(h5(), "train_set_x", shape=(8, 2**15, 2**15, 3), **huge)
    data_refused(path, "train_set_x in", "GiB in a file of")
    data_refused(replace(h5(), "train_set_y", shape=(2**40,), chunks=(2**16,)), "declares")
    path = replace(h5(), "list_classes", shape=(2,), dtype=f"S{2**30}", chunks=(1,))
    data_refused(path, "list_classes in", "declares 2.0 GiB")
    model_refused(replace(model, "costs", shape=(2**40,), chunks=(2**16,)), "costs", "declares")
    with h5py.File(model, "a") as file:
        del file["costs"]
        file["costs"] = np.zeros(3, "f4")
    model_refused(replace(model, "params/W1", shape=(2**20, 2**20), chunks=(1, 2**16)), "W1 (1048")


def write_chunk(path: Path, name: str, packed: bytes, filters: int = 1, **how: Any) -> Path:
    """Put a dataset with one chunk, stored as it is given, in the place of another."""
    with h5py.File(path, "a") as file:
        del file[name]
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk(how["chunks"])
        for _ in range(filters):
            plan.set_deflate(9)
        space = h5py.h5s.create_simple(how["shape"], how["chunks"])
        kind = h5py.h5t.py_create(np.dtype(how["dtype"]))
        made = h5py.h5d.create(file.id, name.encode(), kind, space, plan)
        made.write_direct_chunk((0,) * len(how["shape"]), packed)
    return path


def test_compression_bombs(h5: Write) -> None:
    shape = (8, 8, 6, 3)
    zeros = bytes(64 * 2**20)
    once = zlib.compress(zeros, 9)
    one: dict[str, Any] = {"shape": shape, "chunks": shape, "dtype": "u1"}
    path = write_chunk(h5(), "train_set_x", once, **one)
    data_refused(path, "a chunk of /train_set_x decompresses to more bytes than it declares")
    path = write_chunk(h5(), "train_set_x", zlib.compress(once, 9), filters=2, **one)
    data_refused(path, "train_set_x in", "compressed with gzip, then gzip")
    path = replace(h5(), "train_set_x", scaleoffset=4, chunks=(8, 8, 6, 3))
    data_refused(path, "train_set_x in", "compressed with scale-offset", "gzip or lzf once")
    large: dict[str, Any] = {"shape": shape, "chunks": (8, 2**12, 2**12, 3), "dtype": "u1"}
    path = write_chunk(h5(), "train_set_x", once, **large)
    data_refused(path, "train_set_x in", "declares 0.4 GiB")
    path = replace(h5(), "train_set_y", shape=(2**20,), chunks=(1,))
    data_refused(path, "/train_set_y has 1,048,576 chunks, too many")


def test_honest_compression_is_read(h5: Write) -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 128, 128, 3), dtype=np.uint8)
    for how in (
        {"compression": "gzip", "chunks": images.shape},
        {"compression": "gzip", "chunks": (1, 128, 128, 3), "shuffle": True, "fletcher32": True},
        {"compression": "lzf"},
        {"chunks": True, "maxshape": (None, 128, 128, 3)},
    ):
        path = replace(h5(), "train_set_x", shape=images.shape, data=images, **how)
        np.testing.assert_array_equal(read_hdf5(path).train.images, images)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_parameters_are_finite(name: str, value: float, model: Path) -> None:
    with h5py.File(model, "a") as file:
        file[f"params/{name}"][0, 0] = value
    model_refused(model, f"{name} is not finite")


@pytest.mark.parametrize("name", ["state/C", "state/b2", "W1", "Z1"])
def test_a_descent_is_finite(name: str, model: Path) -> None:
    with h5py.File(model, "a") as file:
        file[f"descent/{name}"][0, 0] = np.nan
    load_model(model)
    with pytest.raises(ModelFileError, match=f"{name} of the run is not finite"):
        load_descent(model)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("W1", (4, 48)), ("W1", (48,)), ("b1", (1, 3)), ("b1", (3,)), ("W2", (3, 1)), ("b2", ())],
)
def test_shapes_that_do_not_fit(name: str, shape: tuple[int, ...], model: Path) -> None:
    model_refused(replace(model, f"params/{name}", shape=shape), f"{name} {shape}")


@pytest.mark.parametrize("value", ["tanh", np.bytes_(), 1, np.zeros(3), h5py.Empty("f")])
def test_unknown_activations(value: Any, model: Path) -> None:
    with h5py.File(model, "a") as file:
        file["settings"].attrs["activation"] = value
    model_refused(model, "activation")


def test_attributes_are_plain_values(model: Path) -> None:
    for value in (np.zeros(5), ["a", "b"], h5py.Empty("f"), 1j, "x" * 2**10):
        with h5py.File(model, "a") as file:
            file["origin"].attrs["source"] = value
        if isinstance(value, str):
            assert load_run(model).origin["source"] == value
        else:
            with pytest.raises(ModelFileError, match="the attribute source"):
                load_run(model)


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """The file of a sweep of which some networks are trained."""
    start = blank_sweep()
    results = start.result
    results.outcomes[:, 0] = "learning"
    for array in (results.last_costs, results.train_accuracies):
        array[:, 0] = 0.25
    assert results.test_accuracies is not None
    results.test_accuracies[:, 0] = 0.5
    save_sweep(tmp_path / "sweep.h5", start)
    return tmp_path / "sweep.h5"


def sweep_refused(path: Path, *parts: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        load_sweep(path)
    for part in (*parts, str(path)):
        assert part in str(caught.value)


def test_a_sweep_goes_on_with_what_is_known(sweep: Path) -> None:
    known = load_sweep(sweep)
    assert known.outcomes[0, :, 0, 0].tolist() == ["learning", ""]
    np.testing.assert_array_equal(known.last_costs[0, :, 0, 0], [0.25, np.nan])
    with h5py.File(sweep, "a") as file:
        costs = file["results/last_costs"][()]
        del file["results/last_costs"]
        file["results/last_costs"] = costs.astype(">f8")
    again = load_sweep(sweep)
    np.testing.assert_array_equal(again.last_costs, known.last_costs)
    assert again.last_costs.dtype.isnative


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("last_costs", None, "/results holds outcomes, test_accuracies, train_accuracies"),
        ("test_accuracies", None, "/results holds last_costs, outcomes, train_accuracies"),
        ("outcomes", None, "not last_costs, outcomes, train_accuracies, test_accuracies"),
        ("costs", np.zeros((1, 2, 2, 2, 9)), "/results holds costs, last_costs"),
        ("extra", np.zeros((1, 2, 2, 2)), "/results holds extra, last_costs"),
        ("last_costs", np.zeros((2, 2)), "float64 (2, 2), not (1, 2, 2, 2)"),
        ("last_costs", np.zeros((1, 2, 2, 3)), "float64 (1, 2, 2, 3), not (1, 2, 2, 2)"),
        ("last_costs", np.zeros((1, 2, 2, 2), int), "int64 (1, 2, 2, 2), not"),
        ("outcomes", np.zeros((1, 2, 2, 2)), "float64 (1, 2, 2, 2), not"),
        ("outcomes", np.full((1, 2, 2, 3), "dead", "S10"), "|S10 (1, 2, 2, 3), not (1, 2, 2, 2)"),
        ("outcomes", np.full((1, 2, 2, 2), "asleep", "S10"), 'unknown outcome "asleep"'),
        ("outcomes", np.full((1, 2, 2, 2), b"\xff", "S10"), "can't decode"),
        ("outcomes", np.full((1, 2, 2, 2), "dead", "S10"), "not finite where a network has ended"),
        ("last_costs", h5py.ExternalLink("away.h5", "/"), "is an external link"),
    ],
)
def test_a_sweep_edited_by_hand(name: str, value: object, found: str, sweep: Path) -> None:
    with h5py.File(sweep, "a") as file:
        group = file["results"]
        if name in group:
            del group[name]
        if value is not None:
            group[name] = value
    sweep_refused(sweep, found, "a part missing or changed")


def test_a_sweep_without_a_part(sweep: Path) -> None:
    with h5py.File(sweep, "a") as file:
        file["grid/activations"][...] = b"tanh"
    sweep_refused(sweep, "a part missing or changed", "tanh")
    for group in ("grid", "settings"):
        with h5py.File(sweep, "a") as file:
            del file[group]
        sweep_refused(sweep, "a part missing or changed", f"there is no {group}")
    with h5py.File(sweep, "a") as file:
        file.attrs["format_version"] = 3
    sweep_refused(sweep, "format version 3")


def test_a_damaged_byte_anywhere_in_a_sweep_is_seen(sweep: Path) -> None:
    whole = sweep.read_bytes()
    places = range(50, len(whole), 97)
    for at in places:
        sweep.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        sweep_refused(sweep, "does not match its checksum", "compare its size with the original's")
    sweep.write_bytes(whole[:-1])
    sweep_refused(sweep, "does not match its checksum")


def test_a_damaged_byte_anywhere_in_a_model_is_seen(model: Path) -> None:
    whole = model.read_bytes()
    before = load_run(model)
    refusals = 0
    places = range(0, len(whole), 37)
    for at in places:
        model.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            assert load_run(model).settings == before.settings
        except ModelFileError:
            refusals += 1
    assert refusals >= len(places) - 1
    at = whole.index(np.asarray(before.model.params["W1"]).tobytes())
    model.write_bytes(whole[:at] + b"?" + whole[at + 1 :])
    model_refused(model, "its content does not match its checksum")


def test_a_copy_keeps_the_seal(model: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(model, tmp_path / "copy.h5"))
    assert copy.read_bytes() == model.read_bytes()
    whole = bytearray(copy.read_bytes())
    whole[len(whole) // 2] ^= 1
    copy.write_bytes(whole)
    model_refused(copy, "does not match its checksum")


def test_what_another_tool_has_written_has_no_seal(model: Path, sweep: Path) -> None:
    with h5py.File(model, "a") as file:
        file["settings"].attrs["learning_rate"] = 0.5
        file["data"].attrs["data"] = "of variable length"
    changed = load_run(model)
    assert changed.settings is not None
    assert changed.settings.learning_rate == 0.5
    assert changed.data_source is not None
    assert changed.data_source.data == "of variable length"
    model.write_bytes(model.read_bytes()[:-7])
    model_refused(model, "cut off or damaged")
    with h5py.File(sweep, "a") as file:
        file["results/last_costs"][0, 0, 0, 0] = 7
    assert load_sweep(sweep).last_costs[0, 0, 0, 0] == 7
    with h5py.File(sweep) as file, h5py.File(sweep.with_name("other.h5"), "w") as other:
        other.attrs.update(file.attrs)
        for name in file:
            file.copy(name, other)
    again = load_sweep(sweep.with_name("other.h5"))
    assert again.last_costs[0, 0, 0, 0] == 7


def test_cut_off_at_every_kibibyte(h5: Write, model: Path) -> None:
    data = h5()
    for path, refuse in ((data, data_refused), (model, model_refused)):
        whole = path.read_bytes()
        for size in [*range(0, len(whole), 1024), len(whole) - 1]:
            path.write_bytes(whole[:size])
            refuse(path, "cut off or damaged" if size else "an empty file")


@pytest.mark.parametrize("kind", ["data", "model"])
def test_a_heap_of_strings_without_an_end(
    kind: str, h5: Write, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The HDF5 library goes round for ever in a heap whose free object has the length 0."""
    quickly = bounded_hdf5._READ_STRINGS.replace("process_time()) + 2", "process_time()) + 1")
    assert quickly != bounded_hdf5._READ_STRINGS
    monkeypatch.setattr(bounded_hdf5, "_READ_STRINGS", quickly)
    path = h5(list_classes=["no", "yes"])
    if kind == "model":
        path = model
        with h5py.File(path, "a") as file:
            file["settings"].attrs["data"] = "a string of variable length"
    content = bytearray(path.read_bytes())
    here = content.index(b"GCOL") + 16
    while int.from_bytes(content[here : here + 2], "little"):
        here += 16 + -(-int.from_bytes(content[here + 8 : here + 16], "little") // 8) * 8
    content[here + 8 : here + 16] = bytes(8)
    path.write_bytes(content)
    refuse = model_refused if kind == "model" else data_refused
    refuse(path, "its strings cannot be read")


def test_a_string_of_absurd_length(h5: Write) -> None:
    path = h5(list_classes=["not a cat", "a cat"])
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    here = content.index(b"\t\0\0\0" + heap.to_bytes(8, "little"))  # 9 bytes in that heap
    content[here : here + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    data_refused(path, "its strings cannot be read: OSError")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A process that has read a file of pictures."""
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 6, 3), dtype=np.uint8)
    bases = write_bases(tmp_path_factory.mktemp("bases"), images)
    with start_worker([bases["fixed"]]) as worker:
        yield worker


def test_a_bomb_that_is_believed_takes_no_more_than_it_may(h5: Write, worker: Worker) -> None:
    m = 2**24 // 96  # 5 MiB of labels, 16 of pictures
    path = h5(test_set_x=None, test_set_y=None)
    packing = {"compression": "gzip", "compression_opts": 9}
    replace(path, "train_set_x", shape=(m, 8, 4, 3), chunks=(m // 8, 8, 4, 3), **packing)
    replace(path, "train_set_y", shape=(m,), chunks=(m,), **packing)
    assert path.stat().st_size < 2**16
    reading = worker.read("data", path)
    assert reading.outcome == "read"
    assert reading.growth < LARGEST_GROWTH
    if Path("/proc/self/status").exists():
        assert reading.growth > 16


def test_the_command_tells_it_in_words(
    jaxnet: Callable[..., Result], h5: Write, model: Path, tmp_path: Path
) -> None:
    data = link(h5(), "train_set_x", h5py.ExternalLink("away.h5", "/x"))
    for wrong in (["data", data], ["train", "--data", data]):
        result = jaxnet(*wrong)
        assert result.code == 2
        assert "is an external link" in result.err
        assert "Traceback" not in result.err
    content = bytearray(model.read_bytes())
    content[2000] ^= 1
    model.write_bytes(content)
    for wrong in (["predict", model, data], ["train", "--resume", tmp_path]):
        result = jaxnet(*wrong)
        assert result.code == 2
        assert "does not match its checksum" in result.err
        assert "Traceback" not in result.err


@pytest.mark.slow
def test_a_worker_that_dies_or_hangs_is_started_anew(worker: Worker) -> None:
    (fixed,) = worker.bases
    worker.process.kill()
    assert worker.read(*fixed).outcome == "crash -9"
    assert worker.read(*fixed).outcome == "read"
    assert worker.process.pid is not None
    os.kill(worker.process.pid, signal.SIGSTOP)
    assert worker.read(*fixed, seconds=0.2).outcome == "hang"
    assert worker.read(*fixed).outcome == "read"


@pytest.mark.slow
def test_mutants_are_read_or_refused(tmp_path: Path, images: np.ndarray) -> None:
    """JAXNET_MUTANTS is how many; those that go wrong stay in the folder of the test."""
    bases = write_bases(tmp_path, images)
    number = int(os.environ.get("JAXNET_MUTANTS", "300"))
    readings = read_mutants(bases, tmp_path, seed=1, number=number)
    counts = Counter(f"{name.split('-')[0]}: {r.outcome}" for name, r in readings.items())
    print(sorted(counts.items()), "MiB:", max(reading.growth for reading in readings.values()))
    assert {name.split("-")[0] for name in readings} == set(bases)
    wrong = [(name, *reading) for name, reading in readings.items() if not is_fine(name, reading)]
    assert not wrong, f"{len(wrong)} of {len(readings)} in {tmp_path}, such as {wrong[:5]}"
