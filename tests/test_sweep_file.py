"""A sweep in its folder: parts while it is trained, one file in the end, and never twice."""

import contextlib
import dataclasses
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from fixed_length import fixed_length
from test_run import DATA, make_data

from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import ModelFileError, UsageError
from jaxnet.io.bounded_hdf5 import seal
from jaxnet.io.files import write_whole
from jaxnet.io.names import SWEEP_NAME
from jaxnet.many import sweep as sweep_module
from jaxnet.many.engine import train_networks
from jaxnet.many.grid import Grid
from jaxnet.many.sweep import Part, Sweep, sweep
from jaxnet.runs import model_file, sweep_file
from jaxnet.runs.sweep_file import (
    PARTS_NAME,
    SweepRun,
    continue_sweep,
    save_sweep,
    start_sweep,
    train_sweep,
)
from jaxnet.settings import Settings

GRID = Grid(
    learning_rates=[0.01, (0.1, 0.2)],  # type: ignore[arg-type]
    weight_scales=[0.1, "he"],  # type: ignore[arg-type]
    seeds=3,
    activations="relu,leaky_relu",  # type: ignore[arg-type]
)
SHARED = Settings(hidden_units=2, iterations=5, seed=4, momentum=0.5)

# One seed of one activation and one weight scale, all rates: so many parts has the grid.
PARTS = 2 * 2 * 3


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train the smallest parts, and write each at once."""
    monkeypatch.setattr(sweep_module, "NETWORKS_A_PART", 2)
    monkeypatch.setattr(sweep_file, "SECONDS_A_PART", 0)
    monkeypatch.setattr(sweep_file, "TRAINING_A_WRITING", 0)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The name and the size of every file that is written, in their order."""
    files: list[tuple[str, int]] = []

    @contextlib.contextmanager
    def watch(path: Path) -> Iterator[Path]:
        with write_whole(path) as temporary:
            yield temporary
            files.append((path.name, temporary.stat().st_size))

    monkeypatch.setattr(sweep_file, "write_whole", watch)
    return files


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The seeds of every part that is trained."""
    parts: list[np.ndarray] = []

    def watch(*arguments: Any, seeds: np.ndarray, **options: Any) -> Any:
        parts.append(seeds)
        return train_networks(*arguments, seeds=seeds, **options)

    monkeypatch.setattr(sweep_module, "train_networks", watch)
    return parts


def make_start(grid: Grid = GRID, settings: Settings = SHARED, **options: Any) -> SweepRun:
    return start_sweep(DATA, grid, settings, **options)


def assert_same(ours: Sweep, theirs: Sweep) -> None:
    assert ours.grid == theirs.grid
    assert ours.arrays.keys() == theirs.arrays.keys()
    for name, array in theirs.arrays.items():
        np.testing.assert_array_equal(getattr(ours, name), array)


def stop_after(parts: int) -> Callable[[SweepRun], bool]:
    """Make a hook that stops after so many parts."""
    called: list[SweepRun] = []

    def hook(reached: SweepRun) -> bool:
        called.append(reached)
        return len(called) == parts

    return hook


def list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# Whole


def test_a_sweep_in_a_folder_is_the_sweep(tmp_path: Path, trained: list[np.ndarray]) -> None:
    expected = sweep(DATA, GRID, SHARED)
    reached = train_sweep(tmp_path, make_start(), DATA)
    assert_same(reached.result, expected)
    assert list_files(tmp_path) == [SWEEP_NAME]
    assert [path.name for path in tmp_path.iterdir()] == [SWEEP_NAME]
    trained.clear()
    again = continue_sweep(tmp_path, make_start())
    assert_same(again.result, expected)
    assert_same(train_sweep(tmp_path, again, DATA).result, expected)
    assert not trained


def test_any_hdf5_tool_can_read_it(tmp_path: Path) -> None:
    expected = train_sweep(tmp_path, make_start(), DATA).result
    with h5py.File(tmp_path / SWEEP_NAME) as file:
        assert dict(file.attrs) == {"format": b"jaxnet sweep", "format_version": 2}
        assert sorted(file) == ["grid", "results", "settings"]
        assert file["settings"].attrs["scale"] == b"symmetric"
        assert file["settings"].attrs["iterations"] == 5
        assert file["grid"].attrs["seeds"] == 3
        np.testing.assert_array_equal(file["grid/learning_rates"], [[0.01, 0.01], [0.1, 0.2]])
        assert file["grid/weight_scales"][()].tolist() == [b"0.1", b"he"]
        assert file["grid/activations"][()].tolist() == [b"relu", b"leaky_relu"]
        for name, array in expected.arrays.items():
            np.testing.assert_array_equal(file[f"results/{name}"][()].astype(array.dtype), array)


def test_without_test_pictures(tmp_path: Path) -> None:
    data = make_data(test=None)
    start = start_sweep(data, Grid(seeds=2, learning_rates=[0.1]), SHARED)  # type: ignore[arg-type]
    reached = train_sweep(tmp_path, start, data)
    assert reached.result.test_accuracies is None
    with h5py.File(tmp_path / SWEEP_NAME) as file:
        assert "test_accuracies" not in file["results"]
    assert_same(continue_sweep(tmp_path, start).result, reached.result)


def test_another_preprocessing(tmp_path: Path) -> None:
    grid = dataclasses.replace(GRID, activations=("relu",))
    start = make_start(grid, preprocessing=Preprocessing(4, 3, "rgb", "unit"))
    expected = sweep(DATA, grid, SHARED, Preprocessing(4, 3, "rgb", "unit"))
    assert_same(train_sweep(tmp_path, start, DATA).result, expected)
    assert_same(continue_sweep(tmp_path, start).result, expected)


# Parts


@pytest.mark.usefixtures("small_parts")
def test_a_sweep_that_is_stopped_continues_from_its_parts(
    tmp_path: Path, trained: list[np.ndarray], written: list[tuple[str, int]]
) -> None:
    expected = sweep(DATA, GRID, SHARED)
    trained.clear()
    stopped = train_sweep(tmp_path, make_start(), DATA, hook=stop_after(5))
    assert (stopped.result.outcomes != "").sum() == 5 * 2
    parts = [f"{PARTS_NAME}/{number:06}.h5" for number in range(1, 6)]
    assert list_files(tmp_path) == [SWEEP_NAME, *parts]
    made = {name: (tmp_path / name).stat() for name in parts}

    known = continue_sweep(tmp_path, make_start())
    assert_same(known.result, stopped.result)
    further = train_sweep(tmp_path, known, DATA, hook=stop_after(3))
    assert (further.result.outcomes != "").sum() == 8 * 2
    for name, before in made.items():
        after = (tmp_path / name).stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    ended = train_sweep(tmp_path, continue_sweep(tmp_path, make_start()), DATA)
    assert_same(ended.result, expected)
    assert list_files(tmp_path) == [SWEEP_NAME]
    assert not (tmp_path / PARTS_NAME).exists()
    assert len(trained) == PARTS, "nothing is trained twice"
    names = [name for name, _ in written]
    assert names == [SWEEP_NAME, *(f"{n:06}.h5" for n in range(1, PARTS + 1)), SWEEP_NAME]
    assert_same(continue_sweep(tmp_path, make_start()).result, expected)


@pytest.mark.usefixtures("small_parts")
def test_a_sweep_that_is_killed_loses_no_part(tmp_path: Path, trained: list[np.ndarray]) -> None:
    expected = sweep(DATA, GRID, SHARED)
    trained.clear()
    kill = stop_after(4)

    def hook(reached: SweepRun) -> None:
        if kill(reached):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_sweep(tmp_path, make_start(), DATA, hook=hook)
    # What a process leaves that is killed while it writes.
    left = tmp_path / PARTS_NAME / ".000005.h5.elsewhere.1-0123abcd.tmp"
    left.write_text("half")
    known = continue_sweep(tmp_path, make_start())
    assert (known.result.outcomes != "").sum() == 4 * 2
    assert_same(train_sweep(tmp_path, known, DATA).result, expected)
    assert len(trained) == PARTS
    assert list_files(tmp_path) == [SWEEP_NAME]
    assert [path.name for path in tmp_path.iterdir()] == [SWEEP_NAME]


@pytest.mark.usefixtures("small_parts")
def test_a_sweep_that_is_killed_while_its_parts_are_joined(tmp_path: Path) -> None:
    """The file is whole, and some parts are still there."""
    folder = tmp_path / "stopped"
    folder.mkdir()
    train_sweep(folder, make_start(), DATA, hook=stop_after(5))
    (folder / PARTS_NAME / "000002.h5").unlink()
    whole = train_sweep(tmp_path, make_start(), DATA)
    save_sweep(folder / SWEEP_NAME, whole)
    known = continue_sweep(folder, make_start())
    assert_same(known.result, whole.result)
    train_sweep(folder, known, DATA)
    assert list_files(folder) == [SWEEP_NAME]


def test_what_is_pending_is_written_at_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "NETWORKS_A_PART", 2)
    stopped = train_sweep(tmp_path, make_start(), DATA, hook=stop_after(5))
    assert list_files(tmp_path) == [SWEEP_NAME, f"{PARTS_NAME}/000001.h5"]
    assert_same(continue_sweep(tmp_path, make_start()).result, stopped.result)


def test_a_stop_after_the_last_part_is_the_end(tmp_path: Path) -> None:
    reached: list[int] = []

    def hook(sweep: SweepRun) -> bool:
        reached.append(int((sweep.result.outcomes != "").sum()))
        return reached[-1] == GRID.networks

    train_sweep(tmp_path, make_start(), DATA, hook=hook)
    assert reached == [6, 12, 18, 24], "each activation and weight scale is a part here"
    assert list_files(tmp_path) == [SWEEP_NAME]


def fake_parts(seconds: float = 0, clock: SimpleNamespace | None = None) -> Callable[..., Any]:
    """Make what stands in for the training of one network after the other."""

    def parts(train: object, result: Sweep, *_: object, **__: object) -> Iterator[Part]:
        for seed in range(result.grid.seeds):
            if clock is not None:
                clock.now += seconds
            place = (slice(0, 1), slice(0, 1), slice(0, 1), slice(seed, seed + 1))
            arrays = {name: np.full((1, 1, 1, 1), 0.5) for name in result.arrays}
            yield Part(place, arrays | {"outcomes": np.full((1, 1, 1, 1), "learning")})

    return parts


def grid_of(networks: int) -> Grid:
    return Grid(learning_rates=[0.1], seeds=networks)  # type: ignore[arg-type]


@pytest.mark.usefixtures("small_parts")
def test_what_is_written_grows_with_the_number_of_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: list[tuple[str, int]]
) -> None:
    """And not with its square, as if all were written anew each time."""
    monkeypatch.setattr(sweep_file, "sweep_in_parts", fake_parts())
    sizes = []
    for networks in (10, 20, 40):
        written.clear()
        folder = tmp_path / str(networks)
        folder.mkdir()
        train_sweep(folder, start_sweep(DATA, grid_of(networks), SHARED), DATA)
        assert len(written) == networks + 2
        assert max(size for _, size in written[1:-1]) == min(size for _, size in written[1:-1])
        sizes.append(sum(size for _, size in written))
    least, middle, most = sizes
    assert most - middle == pytest.approx(2 * (middle - least), rel=0.05)


@pytest.mark.parametrize(
    ("training", "writing"), [(0.1, 0.01), (0.5, 1), (7, 1), (60, 2), (0.2, 3)]
)
def test_a_twentieth_of_the_time_goes_into_writing(
    training: float, writing: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is written every five seconds, or less often where writing takes long."""
    clock = SimpleNamespace(now=1000.0, writes=[])

    def write(*_: object) -> None:
        clock.now += writing
        clock.writes.append(clock.now)

    monkeypatch.setattr(sweep_file, "_write_parts", write)
    monkeypatch.setattr(sweep_file, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(sweep_file, "sweep_in_parts", fake_parts(training, clock))
    networks = max(40, math.ceil(200 / training))
    train_sweep(tmp_path, start_sweep(DATA, grid_of(networks), SHARED), DATA)
    took = networks * training
    count = len(clock.writes)
    between = max(5, 20 * writing) + training + writing
    assert np.all(np.diff(clock.writes) <= between + 1e-6), "no more is lost than that"
    # The first is written before it is known how long writing takes.
    assert (count - 1) * writing <= 0.05 * took
    assert count >= (took - between) // between


# What is refused


@pytest.mark.parametrize(
    ("grid", "settings", "options", "name"),
    [
        ({"seeds": 4}, {}, {}, "seeds"),
        ({"activations": "relu"}, {}, {}, "activations"),
        ({"activations": "leaky_relu,relu"}, {}, {}, "activations"),
        ({"learning_rates": [0.01, (0.1, 0.3)]}, {}, {}, "learning_rates"),
        ({"learning_rates": [0.01, 0.1]}, {}, {}, "learning_rates"),
        ({"weight_scales": [0.1, 0.2]}, {}, {}, "weight_scales"),
        ({}, {"seed": 5}, {}, "seed"),
        ({}, {"hidden_units": 3}, {}, "hidden_units"),
        ({}, {"iterations": 6}, {}, "iterations"),
        ({}, {"momentum": 0.25}, {}, "momentum"),
        ({}, {"nesterov": True}, {}, "nesterov"),
        ({}, {"balanced": True}, {}, "balanced"),
        ({}, {"precision": "float64"}, {}, "precision"),
        ({}, {}, {"color": "rgb"}, "color"),
        ({}, {}, {"pixel_scale": "unit"}, "pixel_scale"),
        ({}, {}, {"height": 4}, "height"),
    ],
)
@pytest.mark.parametrize("ended", [True, False])
def test_a_sweep_of_other_settings_is_refused(
    grid: dict[str, Any],
    settings: dict[str, Any],
    options: dict[str, Any],
    name: str,
    ended: bool,
    tmp_path: Path,
) -> None:
    start = make_start()
    if ended:
        start.result.outcomes[...] = "dead"
        for array in (start.result.last_costs, start.result.train_accuracies):
            array[...] = 0.5
        assert start.result.test_accuracies is not None
        start.result.test_accuracies[...] = 0.5
        save_sweep(tmp_path / SWEEP_NAME, start)
    else:
        sweep_file._write_sweep(tmp_path / SWEEP_NAME, start, {})
    other = make_start(
        dataclasses.replace(GRID, **grid),
        dataclasses.replace(SHARED, **settings),
        preprocessing=dataclasses.replace(Preprocessing(8, 6), **options),
    )
    with pytest.raises(UsageError) as caught:
        continue_sweep(tmp_path, other)
    assert f"{SWEEP_NAME} was made with {name} = " in caught.value.found
    assert caught.value.expected.startswith(f"{name} = ")
    assert "given now" in caught.value.expected
    assert_same(continue_sweep(tmp_path, make_start()).result, start.result)


def test_a_sweep_of_other_pictures_is_refused(tmp_path: Path) -> None:
    sweep_file._write_sweep(tmp_path / SWEEP_NAME, make_start(), {})
    with pytest.raises(UsageError, match="was made with sha256 = "):
        continue_sweep(tmp_path, start_sweep(make_data(test=None), GRID, SHARED))


def test_what_the_axes_replace_may_be_set_to_anything(tmp_path: Path) -> None:
    sweep_file._write_sweep(tmp_path / SWEEP_NAME, make_start(), {})
    changes: dict[str, Any] = {"learning_rate": 9, "weight_scale": 9, "activation": "sigmoid"}
    continue_sweep(tmp_path, make_start(settings=dataclasses.replace(SHARED, **changes)))


@pytest.mark.parametrize("rates", [[(0.1, 0.1), (0.3, 0.3)], [(0.2, 0.2), (0.1, 0.3)]])
def test_two_equal_rates_are_one(rates: list[Any], tmp_path: Path) -> None:
    grid = Grid(learning_rates=rates, seeds=3)  # type: ignore[arg-type]
    reached = train_sweep(tmp_path, make_start(grid), DATA)
    assert_same(continue_sweep(tmp_path, make_start(grid)).result, reached.result)


@pytest.mark.usefixtures("small_parts")
def test_a_setting_that_is_newer_than_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had its value of then; with another value, it is another sweep."""
    stopped = train_sweep(tmp_path, make_start(), DATA, hook=stop_after(5))
    header = SweepRun.header
    monkeypatch.setattr(SweepRun, "header", lambda self: header(self) | {"label_smoothing": 0.0})
    with pytest.raises(UsageError, match="was made with label_smoothing = None"):
        continue_sweep(tmp_path, make_start())
    monkeypatch.setitem(model_file.BEFORE_IT_EXISTED, "label_smoothing", 0.0)
    assert_same(continue_sweep(tmp_path, make_start()).result, stopped.result)
    monkeypatch.setattr(SweepRun, "header", lambda self: header(self) | {"label_smoothing": 0.5})
    with pytest.raises(UsageError, match=r"was made with label_smoothing = 0\.0"):
        continue_sweep(tmp_path, make_start())
    (tmp_path / SWEEP_NAME).unlink()
    with pytest.raises(UsageError, match=r"000001\.h5 is a part of another sweep"):
        continue_sweep(tmp_path, make_start())


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="could not be written"):
        train_sweep(tmp_path / "nowhere", make_start(), DATA)
    start = make_start()
    assert continue_sweep(tmp_path / "nowhere", start).result is start.result


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """A part of a sweep, of all its rates and one seed; beside it nothing."""
    start = make_start()
    place = (slice(0, 1), slice(0, 2), slice(1, 2), slice(2, 3))
    arrays = {name: np.full((1, 2, 1, 1), 0.25) for name in start.result.arrays}
    outcomes = np.full((1, 2, 1, 1), "learning", "U10")
    sweep_file._write_parts(tmp_path, start, [Part(place, arrays | {"outcomes": outcomes})])
    return tmp_path / PARTS_NAME / "000001.h5"


def part_refused(part: Path, found: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        continue_sweep(part.parent.parent, make_start())
    assert str(part) in caught.value.found
    assert found in caught.value.found


def test_a_part_is_entered_at_its_place(part: Path) -> None:
    result = continue_sweep(part.parent.parent, make_start()).result
    expected = make_start().result
    expected.last_costs[0, :, 1, 2] = expected.train_accuracies[0, :, 1, 2] = 0.25
    assert expected.test_accuracies is not None
    expected.test_accuracies[0, :, 1, 2] = 0.25
    expected.outcomes[0, :, 1, 2] = "learning"
    assert_same(result, expected)


@pytest.mark.parametrize(
    "other",
    [
        {"grid": dataclasses.replace(GRID, seeds=4)},
        {"settings": dataclasses.replace(SHARED, iterations=6)},
        {"preprocessing": Preprocessing(8, 6, "rgb")},
    ],
    ids=["grid", "settings", "preprocessing"],
)
def test_a_part_of_another_sweep_is_refused(other: dict[str, Any], part: Path) -> None:
    with pytest.raises(UsageError) as caught:
        continue_sweep(part.parent.parent, make_start(**other))
    assert caught.value.found == f"{part} is a part of another sweep"


def test_a_damaged_part_is_reported(part: Path) -> None:
    whole = part.read_bytes()
    for at in range(60, len(whole), 487):
        part.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        part_refused(part, "its content does not match its checksum")
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        part.write_bytes(whole[:size])
        part_refused(part, "")
    part.write_bytes(whole)
    continue_sweep(part.parent.parent, make_start())


def edit(group: str, **attributes: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        for name, value in attributes.items():
            if value is None:
                del file[group].attrs[name]
            else:
                file[group].attrs[name] = fixed_length(value)

    return change


def put(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        if name in file:
            del file[name]
        if value is not None:
            file[name] = value

    return change


NINE = np.full((1, 2, 1, 1), b"asleep", "S10")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (edit("/", format="jaxnet model"), "not a jaxnet sweep"),
        (edit("/", format_version=3), "format version 3"),
        (edit("/", sweep=None), "a part missing or changed"),
        (put("parts", None), "there is no parts"),
        (edit("parts/0", first1=None), "a part missing or changed"),
        (edit("parts/0", first1=-1), "lies outside the grid"),
        (edit("parts/0", last1=3), "lies outside the grid"),
        (edit("parts/0", first1=1, last1=1), "lies outside the grid"),
        (edit("parts/0", last3=2**40), "lies outside the grid"),
        (edit("parts/0", first0=0.5), "a part missing or changed"),
        (edit("parts/0", last1=1), "not (1, 1, 1, 1)"),
        (put("parts/0/last_costs", None), "/parts/0 holds outcomes, test_accuracies"),
        (put("parts/0/costs", np.zeros((1, 2, 1, 1))), "/parts/0 holds costs, last_costs"),
        (put("parts/0/last_costs", np.zeros((1, 2, 1, 1), int)), "int64 (1, 2, 1, 1), not"),
        (put("parts/0/last_costs", np.full((1, 2, 1, 1), np.nan)), "where a network has ended"),
        (put("parts/0/outcomes", NINE), 'the unknown outcome "asleep"'),
        (put("parts/0/outcomes", np.full((1, 2, 1, 1), b"", "S10")), 'the unknown outcome ""'),
        (put("parts/0/last_costs", h5py.ExternalLink("away.h5", "/")), "external link"),
        (put("parts/7", np.zeros(3)), "there is no 1"),
    ],
)
def test_a_part_edited_by_hand(change: Callable[[h5py.File], None], found: str, part: Path) -> None:
    with h5py.File(part, "a") as file:
        change(file)
    part_refused(part, found)
    seal(part)
    part_refused(part, found)


def test_a_part_is_read_into_no_other_byte_order(part: Path) -> None:
    with h5py.File(part, "a") as file:
        costs = file["parts/0/last_costs"][()]
        del file["parts/0/last_costs"]
        file["parts/0/last_costs"] = costs.astype(">f8")
    result = continue_sweep(part.parent.parent, make_start()).result
    assert result.last_costs.dtype.isnative
    np.testing.assert_array_equal(result.last_costs[0, :, 1, 2], 0.25)


def test_parts_that_may_not_be_read(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(h5py, "File", refuse)  # a chmod would not stop root
    part_refused(part, "cannot be read: permission denied")
    assert os.path.exists(part)


def test_a_grid_with_another_attribute_is_told_as_such(tmp_path: Path) -> None:
    save_sweep(tmp_path / SWEEP_NAME, make_start())
    continue_sweep(tmp_path, make_start())
    with h5py.File(tmp_path / SWEEP_NAME, "a") as file:
        file["grid"].attrs["#eeds"] = 3
    with pytest.raises(ModelFileError, match="holds #eeds, activations"):
        continue_sweep(tmp_path, make_start())
