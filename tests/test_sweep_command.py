"""`jaxnet sweep` as a user types it; in a process of its own it makes each core a device."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np
import pytest
from conftest import Result
from first_sketches import first_sketches
from PIL import Image

from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.download import FOLDER_VARIABLE
from jaxnet.data.hdf5 import write_hdf5
from jaxnet.data.load import load_dataset
from jaxnet.data.preprocessing import preprocessing_for
from jaxnet.many.grid import Grid
from jaxnet.many.sweep import Sweep
from jaxnet.network import init_params
from jaxnet.runs.sweep_file import continue_sweep, save_sweep, start_sweep
from jaxnet.settings import Settings
from jaxnet.training import fit

Run = Callable[..., Result]

QUICK = ("--size", "8", "--iterations", "40", "--hidden-units", "4")
GRID = ("--learning-rates", "0.01,0.1,1000", "--weight-scales", "0.1,he", "--seeds", "3")
AXES = Grid((0.01, 0.1, 1000.0), (0.1, "he"), 3)
SHARED = Settings(iterations=40, hidden_units=4)


@pytest.fixture
def run(jaxnet: Run, folder: Path) -> Run:
    def run(*arguments: object) -> Result:
        return jaxnet("sweep", "--data", folder, *QUICK, *arguments)

    return run


def results_in(folder: Path, data: Path) -> Sweep:
    """Read the sweep of `QUICK` and `GRID`."""
    return continue_sweep(folder, start_sweep(load_dataset(data, size=8), AXES, SHARED)).result


@pytest.mark.slow
def test_a_sweep_from_the_command_line(run: Run, tmp_path: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "jaxnet", "sweep", "--data", str(folder), *QUICK, *GRID]
    result = subprocess.run(
        [*command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    answer = json.loads(result.stdout)
    assert sum(answer["outcomes"].values()) == 18
    assert answer["outcomes"]["to be trained"] == 0
    assert len(answer["cells"]) <= 6
    medians = [cell["cost"]["median"] for cell in answer["cells"]]
    assert medians == sorted(medians)
    assert "3 learning rates × 2 weight scales × 3 seeds = 18 networks of 40" in result.stderr
    assert {cell["activation"] for cell in answer["cells"]} == {"relu"}
    assert {cell["weight_scale"] for cell in answer["cells"]} == {0.1, "he"}
    out = tmp_path / "runs/001"
    with Image.open(out / "sweep.png") as image:
        assert min(image.size) > 300
    settings = answer["settings"]
    assert settings["exclude_leaks"] is False
    assert settings["learning_rates"] == [0.01, 0.1, 1000]
    assert settings["weight_scales"] == [0.1, "he"]
    assert (settings["seeds"], settings["activations"]) == (3, ["relu"])
    assert (settings["scale"], settings["iterations"]) == ("symmetric", 40)

    dataset = load_dataset(folder, size=8)
    X, Y = to_columns(dataset.train.images), to_row(dataset.train.labels)
    params = init_params(jax.random.key(2), 64, 4, weight_scale="he")
    alone = fit(params, X, Y, learning_rate=0.1, iterations=40)
    with h5py.File(out / "sweep.h5") as file:
        last_costs = file["results/last_costs"][0]
    np.testing.assert_allclose(last_costs[1, 1, 2], alone.costs[-1], rtol=1e-4)

    # Forget some networks, as if it had been killed; only those are trained again.
    start = start_sweep(dataset, AXES, SHARED)
    reached = continue_sweep(out, start)
    found = reached.result
    before = found.last_costs.copy()
    found.outcomes[:, :, 1, :] = ""
    found.last_costs[:, :, 1, :] = np.nan
    found.last_costs[:, :, 0, :] = 7.0
    save_sweep(out / "sweep.h5", reached)
    assert run(*GRID, "--out", out).code == 0
    again = results_in(out, folder)
    assert (again.last_costs[:, :, 0, :] == 7.0).all()
    # On one device now; that the bits are the same on as many is tested below.
    np.testing.assert_allclose(again.last_costs[:, :, 1], before[:, :, 1], rtol=1e-6)

    for option, value, then, now in (
        ("--momentum", 0.5, "momentum = 0.0", "momentum = 0.5"),
        ("--seeds", 4, "seeds = 3", "seeds = 4"),
        ("--learning-rates", "1", "--learning-rates = (0.01, 0.1, ", "--learning-rates = (1.0,)"),
        ("--pixel-scale", "unit", "--pixel-scale = 'symmetric'", "--pixel-scale = 'unit'"),
    ):
        other = run(*GRID, "--out", out, option, value)
        assert other.code == 2
        assert f"was made with {then}" in other.err
        assert f"expected: {now}, as given now" in other.err

    with h5py.File(out / "sweep.h5", "a") as file:
        file.move("results/outcomes", "results/verdicts")
    edited = run(*GRID, "--out", out)
    assert edited.code == 2
    assert "/results holds last_costs, test_accuracies, train_accuracies, verdicts" in edited.err
    assert "Traceback" not in edited.err


# Runs the sweep, and sends itself a signal in the midst of writing a file of parts.
SIGNALLED = """
import os, shutil, signal, sys
from jaxnet.commands.main import main
from jaxnet.many import sweep
from jaxnet.runs import sweep_file

whole, words, seal, files = sweep.NETWORKS_A_PART, sys.argv, sweep_file.seal, []

def run(out):
    sys.argv = [*words, "--out", out]
    try:
        main()
    except SystemExit as end:
        return end.code

def run_in_parts(number, at):
    def signal_at(path):
        seal(path)
        files.append(path)
        if len(files) == at:
            os.kill(os.getpid(), number)

    sweep_file.seal = signal_at
    sweep.NETWORKS_A_PART, sweep_file.SECONDS_A_PART, sweep_file.TRAINING_A_WRITING = 6, 0, 0
    return run("parts")
"""

# As `kill -9` does, at the third file of parts; the first file is sweep.h5.
KILLED = """
assert run("whole") == 0
run_in_parts(signal.SIGKILL, 4)
"""

# In words this time, at the next part; then to the end.
STOPPED = """
assert run_in_parts(signal.SIGTERM, 1) == 143
shutil.copytree("parts", "stopped")
sweep.NETWORKS_A_PART = whole
assert run("parts") == 0
"""


@pytest.mark.optimized
@pytest.mark.slow
def test_a_sweep_that_is_killed_is_continued_to_the_same_results(
    tmp_path: Path, folder: Path
) -> None:
    def run(program: str) -> "subprocess.CompletedProcess[str]":
        words = ["sweep", "--data", str(folder), *QUICK, *GRID]
        command = [sys.executable, "-c", SIGNALLED + program, *words]
        return subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)

    assert run(KILLED).returncode == -signal.SIGKILL
    parts = tmp_path / "parts"
    left = {path.name for path in (parts / "sweep.parts").glob("[!.]*")}
    assert left == {"000001.h5", "000002.h5"}
    assert (results_in(parts, folder).outcomes != "").sum() == 9, "2 of 4 parts"
    kept = {path: path.read_bytes() for path in (parts / "sweep.parts").glob("0*.h5")}
    with h5py.File(parts / "sweep.h5") as file:
        assert set(file) == {"settings", "grid"}

    continued = run(STOPPED)
    assert continued.returncode == 0, continued.stderr
    assert "stopped: the same command with --out parts continues it" in continued.stdout
    stopped = tmp_path / "stopped" / "sweep.parts"
    assert {path: (stopped / path.name).read_bytes() for path in kept} == kept
    assert (stopped / "000003.h5").exists()
    assert not (parts / "sweep.parts").exists()
    ours, theirs = results_in(parts, folder), results_in(tmp_path / "whole", folder)
    for name, array in theirs.arrays.items():
        np.testing.assert_array_equal(ours.arrays[name], array)


@pytest.mark.usefixtures("undrawn")
def test_leaks_are_excluded(run: Run, tmp_path: Path, folder: Path) -> None:
    both = tmp_path / "both"
    for split in ("train", "test"):
        shutil.copytree(folder, both / split)
    Image.new("RGB", (8, 8), "red").save(both / "test" / "cat" / "new.png")
    grid = ("--data", both, "--learning-rates", "0.1", "--seeds", "2", "--exclude-leaks")
    result = run(*grid, "--json")
    assert result.code == 0, result.err
    assert "(1, 8, 8, 3)" in result.err
    answer = json.loads(result.out)
    assert answer["settings"]["exclude_leaks"] is True
    accuracies = answer["cells"][0]["test_accuracy"].values()
    assert set(accuracies) <= {0.0, 0.5, 1.0}, "of one picture"


@pytest.mark.usefixtures("undrawn")
def test_several_activations(run: Run) -> None:
    grid = ("--learning-rates", "0.1", "--weight-scales", "0.1", "--seeds", "2")
    result = run(*grid, "--activations", "sigmoid,relu", "--json")
    assert result.code == 0
    assert "2 activations × 1 learning rate × 1 weight scale × 2 seeds = 4 networks" in result.err
    cells = json.loads(result.out)["cells"]
    assert sorted(cell["activation"] for cell in cells) == ["relu", "sigmoid"]
    assert cells[0]["cost"] != cells[1]["cost"]
    with h5py.File("runs/001/sweep.h5") as file:
        assert file["grid/activations"][()].tolist() == [b"sigmoid", b"relu"]
        assert file["results/last_costs"].shape == (2, 1, 1, 2)
        costs = file["results/last_costs"][:, 0, 0].mean(axis=1)
    medians = {cell["activation"]: cell["cost"]["median"] for cell in cells}
    assert [medians["sigmoid"], medians["relu"]] == pytest.approx(costs.tolist())


@pytest.fixture
def old_sweep() -> Path:
    """A sweep of 0.1.0, of two rates and three seeds, beside the article's pictures."""
    path = Path(os.environ.get(FOLDER_VARIABLE, "")) / "format1" / "sweep.h5"
    if FOLDER_VARIABLE not in os.environ or not path.exists():
        pytest.skip(f"{FOLDER_VARIABLE} names no folder with format1/sweep.h5")
    return path


OLD: dict[str, Any] = {
    "--data": "first.h5",
    "--learning-rates": "0.001,0.01",
    "--seeds": 3,
    "--iterations": 50,
}


@pytest.mark.usefixtures("undrawn")
def test_a_sweep_of_0_1_0_is_read_and_continued(jaxnet: Run, old_sweep: Path) -> None:
    with h5py.File(old_sweep) as file:
        names = ("last_costs", "train_accuracies", "test_accuracies")
        old = {name: file[f"results/relu/{name}"][()] for name in names}
    dataset = first_sketches()
    write_hdf5(Path("first.h5"), dataset)
    grid, shared = Grid((0.001, 0.01), (0.01,), 3), Settings(iterations=50)
    out = Path("old")
    out.mkdir()
    shutil.copyfile(old_sweep, out / "sweep.h5")
    start = start_sweep(dataset, grid, shared, preprocessing_for(dataset))
    read = continue_sweep(out, start)
    for name, array in old.items():
        np.testing.assert_array_equal(read.result.arrays[name][0], array)

    # A part that is missing is trained, to what 0.1.0 found.
    with h5py.File(out / "sweep.h5", "a") as file:
        outcomes = file["results/relu/outcomes"]
        outcomes[:] = np.full(outcomes.shape, b"")
        file["results/relu/last_costs"][:] = np.nan
    words = [word for pair in OLD.items() for word in pair]
    result = jaxnet("sweep", *words, "--out", out, "--json")
    assert result.code == 0
    answer = json.loads(result.out)
    assert answer["outcomes"] == {"slow": 6, "to be trained": 0}
    again = continue_sweep(out, start_sweep(dataset, grid, shared))
    for name, array in old.items():
        np.testing.assert_allclose(again.result.arrays[name][0], array, rtol=1e-5)
    with h5py.File(out / "sweep.h5") as file:
        assert file.attrs["format_version"] == 2

    refused = jaxnet("sweep", *words, "--out", out, "--momentum", 0.5)
    assert refused.code == 2
    assert "was made with momentum = 0.0" in refused.err


def test_grids_that_the_command_refuses(jaxnet: Run) -> None:
    for wrong, found in (
        (("--learning-rates", "1e-4:1:0"), '--learning-rates is "1e-4:1:0"'),
        (("--weight-scales", ""), '--weight-scales is ""'),
        (("--scales", "she"), '--weight-scales is "she"'),
        (("--seeds", 100_000, "--learning-rates", "1e-4:1:101"), "networks is 10100000"),
        (("--activations", ""), '--activations is ""'),
        (("--activations", "relu,tanh"), '--activations is "tanh"'),
        (("--seed", 2**32 - 1), "the 16 seeds from 4294967295 go up to"),
    ):
        result = jaxnet("sweep", *wrong)
        assert result.code == 2
        assert found in result.err
        assert "Data: " not in result.out, "refused before pictures are read"
    Path("notes").mkdir()
    Path("notes/mine.txt").touch()
    held = jaxnet("sweep", "--out", "notes")
    assert held.code == 2
    assert "notes is not empty and contains no sweep" in held.err
    assert "--force" not in held.err, "which sweep does not have"
    assert "Data: " not in held.out
    assert '"relu" or "leaky_relu" or "sigmoid"' in jaxnet("sweep", "--activations", "tanh").err
    assert not Path("runs").exists()
