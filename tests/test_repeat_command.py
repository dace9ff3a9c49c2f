"""`jaxnet repeat` as a user types it: the same bits, or from which iteration on they differ."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np
import pytest
from conftest import Result
from fixed_length import fixed_length

from jaxnet import __version__
from jaxnet.commands import watch
from jaxnet.runs.run import load_run

Run = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("undrawn")

QUICK = ("--size", 8, "--hidden-units", 3, "--weight-scale", "he", "--no-page", "--out", "run")
SAME = "the same: all parameters and all 40 costs agree to the bit\n"


@pytest.fixture
def trained(jaxnet: Run, folder: Path) -> Path:
    """A run of 40 iterations."""
    assert jaxnet("train", "--data", folder, *QUICK, "--iterations", 40).code == 0
    return Path("run")


def edit(run: Path, name: str, value: object) -> None:
    """Change an attribute of the model file, as another program could."""
    group, attribute = name.split("/")
    with h5py.File(run / "model.h5", "a") as file:
        file[group].attrs[attribute] = fixed_length(value)


def test_the_same_bits(jaxnet: Run, trained: Path, folder: Path) -> None:
    before = (trained / "model.h5").read_bytes()
    result = jaxnet("repeat", trained)
    assert result.code == 0
    made_by = "jaxnet train --data " + str(folder)
    assert result.out.startswith(f"Made by: {made_by} --size 8 --hidden-units 3")
    assert result.out.endswith(SAME)
    assert (trained / "model.h5").read_bytes() == before
    answer = json.loads(jaxnet("repeat", trained / "model.h5", "--json").out)
    command = answer.pop("command")
    assert command.startswith(made_by)
    assert command.endswith("--out run --iterations 40")
    assert answer == {
        "run": "run/model.h5",
        "same": True,
        "differs_from": None,
        "largest_difference": 0.0,
        "parameters_differ": [],
        "versions": {},
    }


@pytest.mark.slow
@pytest.mark.optimized
@pytest.mark.parametrize(
    "settings",
    [
        ("--optimizer", "adam"),
        ("--momentum", 0.9, "--nesterov", "--balanced"),
        ("--basis", "pixels", "--activation", "leaky_relu", "--precision", "float64"),
        ("--seeds", 3, "--color", "rgb"),
    ],
    ids=["adam", "momentum", "float64", "seeds"],
)
def test_the_same_bits_with_every_way_to_train(
    settings: tuple[Any, ...], jaxnet: Run, folder: Path
) -> None:
    jaxnet("train", "--data", folder, *QUICK, *settings, "--iterations", 40)
    result = jaxnet("repeat", "run")
    assert (result.code, result.out[-len(SAME) :]) == (0, SAME)


def test_a_resumed_run_is_repeated_in_one_go(jaxnet: Run, trained: Path) -> None:
    jaxnet("train", "--resume", trained, "--iterations", 60, "--no-page")
    result = jaxnet("repeat", trained)
    assert result.code == 0
    first, second, *_ = result.out.splitlines()
    assert first.endswith("--iterations 40")
    assert second == "jaxnet train --resume run --iterations 60 --no-page"
    assert "all 60 costs agree to the bit" in result.out


@pytest.mark.slow
@pytest.mark.optimized
def test_a_run_that_failed_is_repeated_as_far_as_it_came(jaxnet: Run, folder: Path) -> None:
    rate = ("--learning-rate", 1000)
    assert jaxnet("train", "--data", folder, *QUICK, "--iterations", 40, *rate).code == 1
    kept = load_run("run")
    assert kept.outcome == "not finite"
    assert 0 < len(kept.costs) < 40
    result = jaxnet("repeat", "run")
    assert result.code == 0
    assert f"all {len(kept.costs)} costs agree to the bit" in result.out


def test_another_setting_differs_from_the_first_update_on(jaxnet: Run, trained: Path) -> None:
    edit(trained, "settings/learning_rate", 0.05)
    result = jaxnet("repeat", trained)
    assert result.code == 1
    costs = load_run(trained).costs
    answer = json.loads(jaxnet("repeat", trained, "--json").out)
    assert (answer["same"], answer["differs_from"]) == (False, 1)
    assert answer["parameters_differ"] == ["W1", "W2", "b1", "b2"]
    largest = answer["largest_difference"]
    assert 0 < largest < costs.max()
    assert result.out.splitlines()[-2:] == [
        "not the same: the costs agree to the bit up to iteration 0 and differ from iteration 1 "
        f"on, by {largest:.1g} at most; W1, W2, b1 and 1 more differ",
        "the versions are the same; another processor, or another number of cores, adds in another "
        "order",
    ]


def test_another_seed_differs_from_the_start(jaxnet: Run, trained: Path) -> None:
    edit(trained, "settings/seed", 1)
    result = jaxnet("repeat", trained)
    assert result.code == 1
    assert "not the same: the costs differ from the start, by " in result.out


def test_edited_costs_and_parameters_are_seen(jaxnet: Run, trained: Path) -> None:
    with h5py.File(trained / "model.h5", "a") as file:
        costs = file["costs"][()]
        costs[17] = np.nextafter(costs[17], np.float32(1))
        file["costs"][...] = costs
    result = jaxnet("repeat", trained)
    assert result.code == 1
    assert "up to iteration 16 and differ from iteration 17 on" in result.out
    assert "all parameters agree to the bit" in result.out

    with h5py.File(trained / "model.h5", "a") as file:
        costs[17] = np.nextafter(costs[17], np.float32(0))
        file["costs"][...] = costs
        file["params/b1"][0] = np.nextafter(file["params/b1"][0], np.float32(9))
    result = jaxnet("repeat", trained)
    assert result.code == 1
    assert "not the same: all 40 costs agree to the bit; b1 differ" in result.out


def test_other_versions_are_named(jaxnet: Run, trained: Path) -> None:
    edit(trained, "origin/jaxnet", "0.0.1")
    result = jaxnet("repeat", trained)
    assert result.code == 0
    lines = [
        SAME.strip(),
        f"made with other versions: jaxnet was 0.0.1, and is {__version__}",
    ]
    assert result.out.splitlines()[-2:] == lines
    answer = json.loads(jaxnet("repeat", trained, "--json").out)
    assert answer["versions"] == {"jaxnet": ["0.0.1", __version__]}


def test_what_cannot_be_repeated(jaxnet: Run, trained: Path, folder: Path) -> None:
    next((folder / "cat").glob("*")).unlink()
    result = jaxnet("repeat", trained)
    assert result.code == 2
    assert "holds other pictures or labels than the run was trained on" in result.err
    with h5py.File(trained / "model.h5", "a") as file:
        names = set(file["settings"].attrs) - {"activation"}
        for name in names:
            del file["settings"].attrs[name]
        del file["data"]
    result = jaxnet("repeat", trained, "--data", folder, "--size", 8)
    assert result.code == 2
    assert "Traceback" not in result.err


def test_a_signal_ends_it(jaxnet: Run, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jaxnet("train", "--resume", trained, "--iterations", 400, "--no-page")
    called = watch.Watch.__call__

    def interrupt(self: watch.Watch, run: Any) -> bool:
        self._interruption.signal = 15
        return called(self, run)

    monkeypatch.setattr(watch.Watch, "__call__", interrupt)
    result = jaxnet("repeat", trained)
    assert result.code == 143
    assert "stopped: nothing was compared" in result.out


@pytest.mark.slow
@pytest.mark.optimized
def test_a_run_is_repeated_with_its_own_random_generator(jaxnet: Run, folder: Path) -> None:
    """Drawn by `rbg`, which `vmap` over keys would draw other numbers of."""
    train = ("train", "--data", folder, *QUICK, "--iterations", 40, "--seeds", 7, "--json")
    with jax.default_prng_impl("rbg"):
        answer = json.loads(jaxnet(*train).out)
    seeds = answer["seeds"]
    place = seeds["seeds"].index(seeds["kept"])
    assert answer["origin"]["prng"] == "rbg"
    assert answer["settings"]["seed"] == seeds["kept"]
    assert seeds["last_costs"][place] == pytest.approx(answer["last_cost"], rel=1e-5)
    others = [abs(cost / answer["last_cost"] - 1) for cost in seeds["last_costs"]]
    assert sorted(others)[1] > 1e-3, "no other seed is that close"

    result = jaxnet("repeat", "run")
    assert result.code == 0
    assert SAME.strip() in result.out
    assert "made with other versions: prng was rbg, and is threefry2x32" in result.out
