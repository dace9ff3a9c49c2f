"""`jaxnet sweep` as a user types it, in processes of its own, where it makes each core a device."""

import json
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
from jaxnet.storage.sweep import resume_sweep, save_sweep
from jaxnet.training import fit

Run = Callable[..., Result]

GRID = ("--learning-rates", "0.01,0.1,1000", "--scales", "0.1,he", "--seeds", "3")


@pytest.fixture
def run(tmp_path: Path, folder: Path) -> Run:
    def run(*arguments: str) -> Result:
        command = [sys.executable, "-m", "jaxnet", "sweep", "--data", str(folder), "--size", "8"]
        command += ["--iterations", "40", "--hidden-units", "4", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.mark.slow
def test_a_sweep_from_the_command_line(run: Run, tmp_path: Path, folder: Path) -> None:
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
    results = resume_sweep(path, answer["settings"])
    relu = results["relu"]
    before = relu.last_costs.copy()
    relu.outcomes[:, 1, :] = ""
    relu.last_costs[:, 1, :] = np.nan
    relu.last_costs[:, 0, :] = 7.0
    save_sweep(path, answer["settings"], results)
    assert run(*GRID, "--out", "runs/001").code == 0
    again = resume_sweep(path, answer["settings"])["relu"]
    assert (again.last_costs[:, 0, :] == 7.0).all()
    np.testing.assert_array_equal(again.last_costs[:, 1, :], before[:, 1, :])

    other = run(*GRID, "--out", "runs/001", "--momentum", "0.5")
    assert other.code == 2
    assert "was made with momentum = 0.0" in other.err
    assert "momentum = 0.5, as asked for now" in other.err


@pytest.mark.slow
def test_several_activations(run: Run, tmp_path: Path) -> None:
    grid = ("--learning-rates", "0.1", "--scales", "0.1", "--seeds", "2")
    result = run(*grid, "--activations", "sigmoid,relu", "--json")
    assert result.code == 0
    cells = json.loads(result.out)["cells"]
    assert sorted(cell["activation"] for cell in cells) == ["relu", "sigmoid"]
    assert cells[0]["cost"] != cells[1]["cost"]
    with h5py.File(tmp_path / "runs/001/sweep.h5") as file:
        assert set(file["results"]) == {"relu", "sigmoid"}
    wrong = run("--activations", "relu,tanh")
    assert wrong.code == 2
    assert "tanh" in wrong.err
    assert "leaky_relu" in wrong.err


def test_grids() -> None:
    assert parse_grid("--x", "0.001:0.1:3,1, he", ("he",)) == ["0.001", "0.01", "0.1", "1", "he"]
    for text in ("", "a", "1:2", "0:1:3", "1:2:0,", "-1", "nan", "he", "1e400"):
        with pytest.raises(UsageError, match="--x is"):
            parse_grid("--x", text)
