"""`jaxnet train --resume`: a run that was stopped or killed ends as if it had never been."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import chex
import numpy as np
import pytest
from conftest import Result

from jaxnet.runs.model_file import Model, load_model

Run = Callable[..., Result]

QUICK = ("--size", 8, "--hidden-units", 3, "--learning-rate", 0.05)

# A few on every run of the tests; JAXNET_KILLS=200 for the long one, ten minutes.
KILLS = int(os.environ.get("JAXNET_KILLS", "3"))


def assert_same_run(ours: Model, theirs: Model) -> None:
    chex.assert_trees_all_equal(ours.params, theirs.params)
    np.testing.assert_array_equal(ours.costs, theirs.costs)
    assert ours.settings == theirs.settings


@pytest.mark.parametrize(
    "settings",
    [(), ("--momentum", 0.9), ("--optimizer", "adam"), ("--basis", "pixels", "--nesterov")],
    ids=["span", "momentum", "adam", "pixels"],
)
def test_a_run_goes_on_to_the_same_bits(
    settings: tuple[str, ...], jaxnet: Run, folder: Path
) -> None:
    run = ("train", "--data", folder, *QUICK, *settings)
    jaxnet(*run, "--iterations", 60, "--checkpoint-every", 7, "--out", "whole")
    jaxnet(*run, "--iterations", 25, "--out", "parts")
    result = jaxnet("train", "--resume", "parts", "--iterations", 60)
    assert result.code in (0, 1)
    assert "parts goes on after 25 iterations" in result.out
    assert_same_run(load_model("parts"), load_model("whole"))


def test_a_run_is_saved_on_the_way(
    jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jaxnet.runs import model_file as model

    saved = []
    keep = model.save_model

    def spy(path: Path, kept: Model, *rest: object) -> None:
        saved.append(len(kept.costs))
        keep(path, kept, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "save_model", spy)
    jaxnet("train", "--data", folder, *QUICK, "--iterations", 450, "--checkpoint-every", 150)
    assert saved == [0, 150, 300, 450, 450]
    saved.clear()
    jaxnet("train", "--data", folder, *QUICK, "--iterations", 310, "--checkpoint-every", 101)
    assert saved == [0, 100, 200, 300, 310], "never further apart than asked for"
    saved.clear()
    jaxnet("train", "--data", folder, *QUICK, "--iterations", 450)
    assert saved == [0, 450]


def test_a_run_goes_on_elsewhere(jaxnet: Run, folder: Path) -> None:
    """The pictures may have moved; the model file names the run as well as its folder does."""
    shutil.copytree(folder, "here")
    jaxnet("train", "--data", "here", *QUICK, "--iterations", 20, "--out", "run")
    shutil.move("here", "there")
    settings = ("--basis", "auto", "--iterations", 30)
    assert jaxnet("train", "--resume", "run", *settings).code == 2
    moved = ("--data", "there", *settings)
    assert jaxnet("train", "--resume", "run/model.h5", *moved).code in (0, 1)
    model = load_model("run")
    assert len(model.costs) == 30
    assert model.settings["data"] == "there"
    shutil.copy("run/model.h5", "run/copy.h5")
    refused = jaxnet("train", "--resume", "run/copy.h5", *moved)
    assert refused.code == 2
    assert "copy.h5 is a file, and no run" in refused.err


def test_what_contradicts_the_run_is_refused(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--iterations", 20, "--out", "run")
    before = Path("run/model.h5").read_bytes()
    for changed, found in (
        (("--learning-rate", 0.1), "--learning-rate is 0.1"),
        (("--data", "sketches"), "other pictures than run was trained on"),
        (("--seed", 1), "--seed is 1"),
        (("--optimizer", "adam"), "--optimizer is adam"),
        (("--color", "rgb"), "--color is rgb"),
        (("--activation", "sigmoid"), "--activation is sigmoid"),
        (("--size", 9), "--size is 9"),
        (("--out", "other"), "--out is given with --resume"),
        ((), "run has made 20 iterations"),
        (("--iterations", 15), "run has made 20 iterations"),
    ):
        result = jaxnet("train", "--resume", "run", *changed)
        assert result.code == 2, changed
        assert found in result.err
    agreeing = ("--learning-rate", 0.05, "--data", folder, "--iterations", 30)
    assert jaxnet("train", "--resume", "run", *agreeing).code in (0, 1)
    assert len(load_model("run").costs) == 30
    assert Path("run/model.h5").read_bytes() != before

    next((folder / "cat").glob("*")).unlink()
    result = jaxnet("train", "--resume", "run", "--iterations", 40)
    assert result.code == 2
    assert "other pictures than run was trained on" in result.err
    assert "there is no" in jaxnet("train", "--resume", "nowhere").err


@pytest.mark.slow
def test_a_killed_run_opens_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    train = [sys.executable, "-m", "jaxnet", "train"]
    settings = ["--count", "40", "--size", "16", "--iterations", "30000", "--out"]
    subprocess.run(
        [*train, *settings, "whole"], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL
    )
    whole = load_model(tmp_path / "whole")

    draw = random.Random(0)
    run, model = tmp_path / "run", tmp_path / "run" / "model.h5"
    made, kills = 0, 0
    while kills < KILLS:
        # From the start again where the last one was killed before its first save, or is done.
        if not model.exists() or made == len(whole.costs):
            for file in run.iterdir() if run.exists() else ():
                file.unlink()
            command, made = [*train, *settings, "run"], 0
        else:
            command = [*train, "--resume", "run"]
        process = subprocess.Popen(
            [*command, "--checkpoint-every", "20"], cwd=tmp_path, stdout=subprocess.DEVNULL
        )
        time.sleep(draw.uniform(0.5, 4.5))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        if model.exists():
            costs = load_model(run).costs
            assert len(costs) >= made
            np.testing.assert_array_equal(costs, whole.costs[: len(costs)])
            made = len(costs)
    if made < len(whole.costs):
        goes_on = [*train, "--resume", "run"] if made else [*train, *settings, "run", "--force"]
        subprocess.run(goes_on, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert_same_run(load_model(run), whole)
    left = {path.name for path in run.iterdir()}
    assert left <= {"model.h5", "training.png", "page.html"}, "what the killed leave is swept"
