"""How every experiment is run: by itself, and all of them in one table."""

import importlib
import inspect
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import chex
import jax
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from experiments import (
    Result,
    answer,
    balanced_accuracy,
    course_table,
    draw_networks,
    new_figure,
    space_rates,
)
from experiments.__main__ import EXPERIMENTS
from experiments.__main__ import main as run_all
from jaxnet import DataError, UsageError, init_params

ROOT = Path(__file__).parent.parent


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run an experiment as a program, in this process."""
    monkeypatch.setattr("jaxnet.use_all_cores", lambda: None)  # JAX is in use already

    def run(name: str, *arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / "experiments" / f"{name}.py"), run_name="__main__")
        return int(end.value.code or 0), *capfd.readouterr()

    return run


@pytest.mark.slow
def test_an_experiment_is_a_program(tmp_path: Path) -> None:
    words = ["experiments.parameter_count", "--n-h", "3", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "12,295" in done.stdout
    assert (tmp_path / "parameter_count.png").exists()


def test_one_experiment_from_the_command_line(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = run("parameter_count", "--n-h", "3", "--out", tmp_path)
    assert code == 0
    assert "12,295" in out
    kept = json.loads((tmp_path / "parameter_count.json").read_text("utf-8"))
    assert kept["numbers"]["parameters"] == 12295
    with Image.open(tmp_path / "parameter_count.png") as image:
        assert min(image.size) > 300

    code, _, err = run("learning_map", "--window", "3", "--out", tmp_path)
    assert code == 2
    assert 'the window is "3"' in err
    assert "Traceback" not in err


def test_the_help_of_an_experiment_is_its_docstring(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    code, out, _ = run("learning_map", "--help")
    assert code == 0
    assert "Which pairs of learning rates" in out
    assert "--window" in out
    assert "0.001:100,0.001:100" in out


def parameter_count() -> Result:
    return Result("It is so.", False, {"n": 1.5, "all": {"a": [1, 2]}}, Figure())


def test_an_answer_is_written(tmp_path: Path) -> None:
    result, paths, seconds = answer(parameter_count, tmp_path / "new")
    assert [path.suffix for path in paths] == [".json", ".png"]
    kept = json.loads(paths[0].read_text("utf-8"))
    assert kept == {"claim": result.claim, "holds": False, "numbers": result.numbers}
    assert seconds > 0


def test_numbers_that_json_lacks_are_null(tmp_path: Path) -> None:
    def so_large() -> Result:
        numbers = {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": (-float("inf"), 2)}}
        return Result("It is large.", True, numbers)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    (path,) = answer(so_large, tmp_path)[1]
    kept = json.loads(path.read_text("utf-8"), parse_constant=refuse)
    assert kept["numbers"] == {"a": None, "b": [None, 1.5], "c": {"d": [None, 2]}}


@pytest.mark.parametrize(
    ("name", "settings", "found"),
    [
        ("activation_functions", {"step": 0.0}, "the step 0"),
        ("activation_functions", {"reach": -1.0}, "the reach is -1"),
        ("cats", {"seeds": 0}, "seeds is 0"),
        ("cats", {"n_h": 0}, "n_h is 0"),
        ("cost_and_accuracy", {"seeds": 0}, "seeds is 0"),
        ("cost_and_accuracy", {"chunk": 0}, "chunk is 0"),
        ("cost_and_accuracy", {"rates": 1}, "rates is 1"),
        ("course_table", {"seed": -1}, "seed is -1"),
        ("dead_relu", {"biases": 0}, "biases is 0"),
        ("dead_relu", {"weight_scale": "large"}, 'weight_scale is "large"'),
        ("forecast_coverage", {"m": 19}, "m is 19"),
        ("forecast_coverage", {"data_sets": 0}, "data_sets is 0"),
        ("gradient_check", {"pictures": 0}, "pictures is 0"),
        ("gradient_check", {"step": 1e30}, "no picture is further from a kink"),
        ("how_many_pictures", {"seeds": 0}, "seeds is 0"),
        ("how_many_pictures", {"subsets": 1}, "subsets is 1"),
        ("initialisation", {"seeds": 0}, "seeds is 0"),
        ("input_scaling", {"seeds": 0}, "seeds is 0"),
        ("learning_map", {"cells": -1}, "cells is -1"),
        ("learning_rate", {"iterations": 1}, "iterations is 1"),
        ("learning_rate", {"least": 0.0}, "the learning rates go from 0 to 10"),
        ("learning_rate", {"greatest": 1e-5}, "the learning rates go from 0.0001 to 1e-05"),
        ("one_step", {"learning_rate": 0.0}, "the learning rate is 0"),
        ("one_step", {"rates": 0}, "rates is 0"),
        ("parameter_count", {"m": 0}, "m is 0"),
        ("vanishing_gradient", {"decades": -1}, "decades is -1"),
    ],
)
def test_settings_with_which_nothing_can_be_asked(
    name: str, settings: dict[str, object], found: str, h5: Callable[..., Path]
) -> None:
    main = importlib.import_module(f"experiments.{name}").main
    if "data" in inspect.signature(main).parameters:
        settings = settings | {"data": str(h5())}
    with pytest.raises(UsageError, match=re.escape(found)):
        main(**settings)


def test_rates_are_spaced_on_a_log_scale() -> None:
    np.testing.assert_allclose(space_rates(0.01, 1.0, 3), [0.01, 0.1, 1.0], rtol=1e-12)
    with pytest.raises(UsageError, match="not all different"):
        space_rates(0.1, np.nextafter(0.1, 1), 4)


@pytest.mark.parametrize("generator", ["threefry2x32", "rbg"])
def test_networks_are_those_of_the_seeds_under_every_generator(generator: str) -> None:
    with jax.default_prng_impl(generator):
        networks = draw_networks(3, 5, 4, 0.5, "float32")
        for seed in range(3):
            alone = init_params(jax.random.key(seed), 5, 4, weight_scale=0.5)
            chex.assert_trees_all_equal({name: networks[name][seed] for name in alone}, alone)


def test_the_balanced_accuracy_is_the_mean_of_both_classes_and_of_networks() -> None:
    labels = np.array([1, 1, 1, 1, 0])
    probabilities = np.array([[0.9, 0.9, 0.9, 0.1, 0.1], [0.9, 0.1, 0.1, 0.1, 0.9]])
    expected = (0.75 + 1 + 0.25 + 0) / 4
    assert balanced_accuracy(probabilities, labels) == pytest.approx(expected)


def test_no_experiment_imports_a_command() -> None:
    for path in (ROOT / "experiments").rglob("*.py"):
        assert "jaxnet.commands" not in path.read_text("utf-8"), path


def test_a_long_claim_is_broken_over_lines() -> None:
    figure, axes = new_figure("a claim " * 30, 2, 3)
    assert axes.shape == (2, 3)
    assert max(map(len, figure.get_suptitle().splitlines())) <= 76


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Run only these three experiments when all are run."""
    everything = sys.modules["experiments.__main__"]
    names = ("cats", "course_table", "activation_functions")
    monkeypatch.setattr(everything, "EXPERIMENTS", names)
    monkeypatch.setattr(everything, "use_all_cores", lambda: None)  # JAX is in use already
    monkeypatch.setattr(everything.console, "width", 200)
    return names


def test_the_table_of_all(
    some: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    h5: Callable[..., Path],
) -> None:
    def refuse(source: str) -> None:
        raise DataError(f"{source} cannot be loaded", "a network", "connect")

    monkeypatch.setattr(course_table, "load_dataset", refuse)
    monkeypatch.chdir(tmp_path)
    run_all(h5(test_set_x=None, test_set_y=None).name, tmp_path)
    _, table = capsys.readouterr().out.split("The article's claims")
    assert re.search(r"cats +– +both.h5 has no test pictures", table)
    assert re.search(r"course_table +– +catvnoncat cannot be loaded", table)
    assert re.search(r"The sigmoid is.*yes", table)
    assert (tmp_path / "activation_functions.png").exists()


def test_data_that_cannot_be_loaded_end_the_run_at_once(
    some: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="sketchs"):
        run_all("sketchs", tmp_path / "new")
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "new").exists()


def test_every_experiment_is_listed_and_can_be_run() -> None:
    files = {path.stem for path in (ROOT / "experiments").glob("[a-z]*.py")}
    # Benchmarks and simulations of intervals show no claim of the article, and take long.
    files -= {name for name in files if name.startswith("benchmark") or name.endswith("coverage")}
    assert set(EXPERIMENTS) == files - {"minimal"}
    reference = (ROOT / "docs" / "experiments.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", reference, re.MULTILINE)
    assert rows == list(EXPERIMENTS)
    for name in EXPERIMENTS:
        module = importlib.import_module(f"experiments.{name}")
        assert f"python -m experiments.{name}" in (module.__doc__ or "")
        assert module.CLAIM.endswith(".")
