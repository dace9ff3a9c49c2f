"""`jaxnet sweep` as a user types it, in processes of its own, where it makes each core a device."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import jax
import numpy as np
import pytest
from conftest import Result
from PIL import Image

from jaxnet.commands.sweep import parse_grid
from jaxnet.data.columns import to_columns, to_row
from jaxnet.data.load import load_dataset
from jaxnet.errors import UsageError
from jaxnet.network import init_params
from jaxnet.runs.sweep_file import empty_sweep, resume_sweep, save_sweep
from jaxnet.training import fit

Run = Callable[..., Result]

QUICK = ("--size", "8", "--iterations", "40", "--hidden-units", "4")
GRID = ("--learning-rates", "0.01,0.1,1000", "--scales", "0.1,he", "--seeds", "3")


@pytest.fixture
def run(tmp_path: Path, folder: Path) -> Run:
    def run(*arguments: str) -> Result:
        command = [sys.executable, "-m", "jaxnet", "sweep", "--data", str(folder)]
        command += [*QUICK, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.mark.slow
def test_a_sweep_from_the_command_line(run: Run, jaxnet: Run, tmp_path: Path, folder: Path) -> None:
    result = run(*GRID, "--json")
    assert result.code == 0
    answer = json.loads(result.out)
    assert sum(answer["outcomes"].values()) == 18
    assert len(answer["cells"]) <= 6
    medians = [cell["cost"]["median"] for cell in answer["cells"]]
    assert medians == sorted(medians)
    assert "3 learning rates × 2 scales × 3 seeds = 18 networks" in result.err
    assert {cell["activation"] for cell in answer["cells"]} == {"relu"}
    with Image.open(tmp_path / "runs/001/sweep.png") as image:
        assert min(image.size) > 300

    dataset = load_dataset(folder, size=8)
    X, Y = to_columns(dataset.train.images), to_row(dataset.train.labels)
    params = init_params(jax.random.key(2), 64, 4, scale="he")
    alone = fit(params, X, Y, learning_rate=0.1, iterations=40)
    with h5py.File(tmp_path / "runs/001/sweep.h5") as file:
        np.testing.assert_allclose(
            file["results/relu/last_costs"][1, 1, 2], alone.costs[-1], rtol=1e-4
        )

    # Forget two networks, as if it had been killed; only those are trained again.
    path = tmp_path / "runs/001/sweep.h5"
    assert answer["settings"]["exclude_leaks"] is False
    blank = {"relu": empty_sweep((3, 2, 3), has_test=True)}
    results = resume_sweep(path, answer["settings"], blank)
    relu = results["relu"]
    before = relu.last_costs.copy()
    relu.outcomes[:, 1, :] = ""
    relu.last_costs[:, 1, :] = np.nan
    relu.last_costs[:, 0, :] = 7.0
    save_sweep(path, answer["settings"], results)
    assert run(*GRID, "--out", "runs/001").code == 0
    again = resume_sweep(path, answer["settings"], blank)["relu"]
    assert (again.last_costs[:, 0, :] == 7.0).all()
    np.testing.assert_array_equal(again.last_costs[:, 1, :], before[:, 1, :])

    refused = (*QUICK, "--data", folder, *GRID, "--out", tmp_path / "runs/001")
    other = jaxnet("sweep", *refused, "--momentum", "0.5")
    assert other.code == 2
    assert "was made with momentum = 0.0" in other.err
    assert "momentum = 0.5, as asked for now" in other.err

    with h5py.File(path, "a") as file:
        file.move("results/relu", "results/sigmoid")
    edited = jaxnet("sweep", *refused)
    assert edited.code == 2
    assert "/results holds sigmoid, not relu" in edited.err
    assert "Traceback" not in edited.err


@pytest.mark.slow
def test_leaks_are_excluded(run: Run, tmp_path: Path, folder: Path) -> None:
    both = tmp_path / "both"
    for split in ("train", "test"):
        shutil.copytree(folder, both / split)
    Image.new("RGB", (8, 8), "red").save(both / "test" / "cat" / "new.png")
    grid = ("--data", str(both), "--learning-rates", "0.1", "--seeds", "2", "--exclude-leaks")
    result = run(*grid, "--json")
    assert result.code == 0, result.err
    assert "(1, 8, 8, 3)" in result.err
    answer = json.loads(result.out)
    assert answer["settings"]["exclude_leaks"] is True
    accuracies = answer["cells"][0]["test_accuracy"].values()
    assert set(accuracies) <= {0.0, 0.5, 1.0}, "of one picture"


@pytest.mark.slow
def test_several_activations(run: Run, jaxnet: Run, tmp_path: Path) -> None:
    grid = ("--learning-rates", "0.1", "--scales", "0.1", "--seeds", "2")
    result = run(*grid, "--activations", "sigmoid,relu", "--json")
    assert result.code == 0
    cells = json.loads(result.out)["cells"]
    assert sorted(cell["activation"] for cell in cells) == ["relu", "sigmoid"]
    assert cells[0]["cost"] != cells[1]["cost"]
    with h5py.File(tmp_path / "runs/001/sweep.h5") as file:
        assert set(file["results"]) == {"relu", "sigmoid"}
    wrong = jaxnet("sweep", "--activations", "relu,tanh")
    assert wrong.code == 2
    assert "tanh" in wrong.err
    assert "leaky_relu" in wrong.err


def test_grids() -> None:
    assert parse_grid("--x", "0.001:0.1:3,1, he", ("he",)) == ["0.001", "0.01", "0.1", "1", "he"]
    assert parse_grid("--x", "0,1:2:2,2,1") == ["0", "1", "2"]
    assert len(parse_grid("--x", "1e-300:1e300:10000")) == 10000


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", "a", "-1", "nan", "he", "1e400", "1:2", "1:2:3:4", "::", "1:2:0,"),
        *("1:2:0", "1:2:1", "1:2:-3", "1:2:1.5", "1:2:1e3", "1:2:10001", "1:2:1000000000"),
        *("0:1:3", "-1:1:3", "2:1:3", "1:1:3", "nan:1:3", "1:nan:3", "1:inf:3", "a:1:3"),
    ],
)
def test_what_is_no_grid(text: str) -> None:
    with pytest.raises(UsageError, match="--x is") as caught:
        parse_grid("--x", text)
    assert "0 < LEAST < GREATEST" in caught.value.expected


def test_grids_that_the_command_refuses(jaxnet: Run) -> None:
    for wrong, found in (
        (("--learning-rates", "1e-4:1:0"), '--learning-rates is "1e-4:1:0"'),
        (("--scales", ""), '--scales is ""'),
        (("--seeds", 100_000, "--learning-rates", "1e-4:1:101"), "networks is 10100000"),
        (("--activations", ""), '--activations is ""'),
    ):
        result = jaxnet("sweep", *wrong)
        assert result.code == 2
        assert found in result.err
