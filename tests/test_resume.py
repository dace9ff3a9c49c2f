"""`jaxnet train --resume`: a run that was stopped or killed ends as if it had never been."""

import dataclasses
import json
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
import h5py
import numpy as np
import pytest
from conftest import Result

from jaxnet.data.load import load_dataset
from jaxnet.data.source import DataSource
from jaxnet.runs import run as run_module
from jaxnet.runs.model_file import Stored
from jaxnet.runs.run import Run as KeptRun
from jaxnet.runs.run import load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings

Run = Callable[..., Result]
Write = Callable[..., Path]

QUICK = ("--size", 8, "--hidden-units", 3, "--learning-rate", 0.05)
OUTPUTS = {"model.h5", "training.png", "page.html"}

# Two on every run of the tests, both after a save; JAXNET_KILLS=200 for the long one, ten minutes.
KILLS = int(os.environ.get("JAXNET_KILLS", "2"))


def assert_same_run(ours: KeptRun, theirs: KeptRun) -> None:
    chex.assert_trees_all_equal(ours.model.params, theirs.model.params)
    np.testing.assert_array_equal(ours.costs, theirs.costs)
    assert ours.settings == theirs.settings
    assert ours.outcome == theirs.outcome


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param((), id="span"),
        pytest.param(("--momentum", 0.9), id="momentum", marks=pytest.mark.slow),
        pytest.param(("--basis", "pixels", "--nesterov"), id="pixels"),
        pytest.param(("--optimizer", "adam", "--batch", 4), id="adam"),
        pytest.param(("--batch", 4), id="batches", marks=pytest.mark.slow),
    ],
)
def test_a_resumed_run_has_the_same_bits(
    settings: tuple[str, ...], jaxnet: Run, folder: Path
) -> None:
    run = ("train", "--data", folder, *QUICK, *settings, "--no-page")
    jaxnet(*run, "--iterations", 60, "--checkpoint-every", 7, "--out", "whole")
    jaxnet(*run, "--iterations", 25, "--out", "parts")
    result = jaxnet("train", "--resume", "parts", "--iterations", 60, "--no-page")
    assert result.code == 0
    assert "parts is continued after 25 of 60 iterations" in result.out
    assert_same_run(load_run("parts"), load_run("whole"))
    made_by = str(load_run("parts").origin["command"]).splitlines()
    assert [line.split("--")[-1] for line in made_by] == ["out parts", "no-page"]
    assert made_by[1] == "jaxnet train --resume parts --iterations 60 --no-page"


@pytest.mark.usefixtures("undrawn")
def test_a_run_is_saved_on_the_way(
    jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = []
    keep = run_module.write_model_file  # type: ignore[attr-defined]

    def spy(path: Path, stored: Stored) -> None:
        saved.append(len(stored.checkpoint.costs))
        keep(path, stored)

    monkeypatch.setattr(run_module, "write_model_file", spy)
    train = ("train", "--data", folder, *QUICK, "--no-page")
    jaxnet(*train, "--iterations", 450, "--checkpoint-every", 150)
    assert saved == [150, 300, 450]
    saved.clear()
    jaxnet(*train, "--iterations", 310, "--checkpoint-every", 101)
    assert saved == [100, 200, 300, 310], "never further apart than asked for"
    saved.clear()
    jaxnet(*train, "--iterations", 450)
    assert saved == [100, 450], "soon, so that it can be resumed from then on"


@pytest.mark.usefixtures("undrawn")
def test_a_run_is_resumed_elsewhere(jaxnet: Run, folder: Path) -> None:
    """The pictures may have moved; the model file names the run as well as its folder does."""
    shutil.copytree(folder, "here")
    jaxnet("train", "--data", "here", *QUICK, "--iterations", 20, "--out", "run", "--no-page")
    shutil.move("here", "there")
    settings = ("--basis", "auto", "--iterations", 30, "--no-page")
    assert jaxnet("train", "--resume", "run", *settings).code == 2
    moved = ("--data", "there", *settings)
    assert jaxnet("train", "--resume", "run/model.h5", *moved).code == 0
    run = load_run("run")
    assert len(run.costs) == 30
    assert run.data_source == DataSource("there", size=8)
    shutil.copy("run/model.h5", "run/copy.h5")
    refused = jaxnet("train", "--resume", "run/copy.h5", *moved)
    assert refused.code == 2
    assert "copy.h5 is a file, not a run folder" in refused.err


@pytest.fixture
def less(folder: Path, tmp_path: Path) -> Path:
    """A copy of `folder` without a picture."""
    shutil.copytree(folder, tmp_path / "less")
    next((tmp_path / "less/cat").glob("*")).unlink()
    return tmp_path / "less"


@pytest.mark.usefixtures("undrawn")
def test_what_contradicts_the_run_is_refused(jaxnet: Run, folder: Path, less: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--iterations", 20, "--out", "run", "--no-page")
    before = Path("run/model.h5").read_bytes()
    for changed, found in (
        (("--learning-rate", 0.1), "--learning-rate is 0.1\n"),
        (("--data", less), "holds other pictures or labels than the run was trained on"),
        (("--seed", 1), "--seed is 1\n"),
        (("--optimizer", "adam"), "--optimizer is adam\n"),
        (("--basis", "pixels"), "--basis is pixels\n"),
        (("--precision", "float64"), "--precision is float64\n"),
        (("--weight-scale", "he"), "--weight-scale is he\n"),
        (("--balanced",), "--balanced is True\n"),
        (("--color", "rgb"), "--color is rgb\n"),
        (("--pixel-scale", "unit"), "--pixel-scale is unit\n"),
        (("--activation", "sigmoid"), "--activation is sigmoid\n"),
        (("--size", 9), "--size is 9\n"),
        (("--positive", "dog"), "--positive is dog\n"),
        (("--out", "other"), "--out is given with --resume"),
        (("--force",), "--force is given with --resume"),
        (("--seeds", 2), "--seeds is given with --resume"),
        (("--iterations", 15), "the run has made 20 iterations"),
    ):
        result = jaxnet("train", "--resume", "run", *changed)
        assert result.code == 2, changed
        assert found in result.err
        assert Path("run/model.h5").read_bytes() == before, changed
    agreeing = ("--learning-rate", 0.05, "--data", folder, "--iterations", 30, "--no-page")
    assert jaxnet("train", "--resume", "run", *agreeing).code == 0
    assert len(load_run("run").costs) == 30

    next((folder / "cat").glob("*")).unlink()
    result = jaxnet("train", "--resume", "run", "--iterations", 40)
    assert result.code == 2
    assert "holds other pictures or labels than the run was trained on" in result.err
    assert "there is no" in jaxnet("train", "--resume", "nowhere").err


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ("permuted", "other pictures or labels than the run"),
        ("flipped", "other pictures or labels than the run"),
        ("test flipped", "other test pictures or labels than the run"),
        ("one pixel", "other pictures or labels than the run"),
    ],
)
def test_other_pictures_are_refused(
    changed: str, found: str, jaxnet: Run, h5: Write, images: np.ndarray
) -> None:
    """In the order, in the labels, or in one value; the files have the same shapes."""
    jaxnet("train", "--data", h5(), "--iterations", 20, "--out", "run", "--no-page")
    before = Path("run/model.h5").read_bytes()
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    altered = images[:8].copy()
    altered[0, 0, 0, 0] ^= 1
    h5(
        **{
            "permuted": {
                "train_set_x": images[[1, 0, 3, 2, 5, 4, 7, 6]],
                "train_set_y": 1 - labels,
            },
            "flipped": {"train_set_y": 1 - labels},
            "test flipped": {"test_set_y": np.array([1, 0, 0, 0])},
            "one pixel": {"train_set_x": altered},
        }[changed]
    )
    result = jaxnet("train", "--resume", "run", "--iterations", 40)
    assert result.code == 2
    assert found in result.err
    assert "Traceback" not in result.err
    assert Path("run/model.h5").read_bytes() == before


def kept_files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Read what a run has written, and when it did so."""
    files = [path for path in folder.iterdir() if path.name in OUTPUTS]
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.usefixtures("undrawn")
def test_a_finished_run_says_so_and_is_left_alone(jaxnet: Run, folder: Path, less: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--iterations", 20, "--out", "run")
    before = kept_files(Path("run"))
    assert before.keys() == OUTPUTS
    result = jaxnet("train", "--resume", "run")
    assert (result.code, result.out) == (0, "run is finished already\n")
    as_json = jaxnet("train", "--resume", "run", "--iterations", 20, "--json")
    answer = json.loads(as_json.out)
    assert as_json.err == result.out
    assert (answer["run"], answer["iterations"]) == ("run", 20)
    assert answer["last_cost"] == float(load_run("run").costs[-1])
    assert kept_files(Path("run")) == before

    # Told where its pictures are now, it compares them.
    shutil.copytree(folder, "moved")
    moved = jaxnet("train", "--resume", "run", "--data", "moved")
    assert moved.code == 0
    assert "run is continued after 20 of 20 iterations" in moved.out
    assert load_run("run").data_source == DataSource("moved", size=8)
    assert jaxnet("train", "--resume", "run", "--data", less).code == 2


def as_killed(path: Path, data: Path, outcome: str) -> None:
    """Leave a run as one that was killed after it had saved all its iterations."""
    run = load_run(path)
    train_file = path / "model.h5"
    with h5py.File(train_file, "a") as file:
        file["origin"].attrs["outcome"] = np.bytes_(outcome)
    for name in OUTPUTS - {"model.h5"}:
        (path / name).unlink()
    assert len(run.costs) == run.settings.iterations  # type: ignore[union-attr]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("outcome", "ended"),
    [
        ("unfinished", "learning"),
        ("stopped", "learning"),
        ("learning", "learning"),
        ("unfinished", "dead"),
        pytest.param("stopped", "dead", marks=pytest.mark.slow),
        pytest.param("learning", "dead", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_was_killed_after_its_last_save_is_finished(
    outcome: str, ended: str, jaxnet: Run, folder: Path
) -> None:
    learns = ("--iterations", 40, "--weight-scale", "he")
    settings, code = (learns, 0) if ended == "learning" else (("--weight-scale", 0), 1)
    settings = ("--iterations", 20, *settings)
    whole = jaxnet("train", "--data", folder, *QUICK, *settings, "--out", "run")
    before = load_run("run")
    assert (whole.code, before.outcome) == (code, ended)
    as_killed(Path("run"), folder, outcome)
    result = jaxnet("train", "--resume", "run", "--json")
    assert result.code == code
    assert json.loads(result.out)["outcome"] == ended
    made = len(before.costs)
    assert f"run is continued after {made} of {made} iterations" in result.err
    assert kept_files(Path("run")).keys() == OUTPUTS
    assert_same_run(load_run("run"), before)
    assert jaxnet("train", "--resume", "run").out == "run is finished already\n"


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("left", ["outcome", "figure", "page"])
def test_a_resumed_run_that_was_killed_has_its_outputs_of_before(
    left: str, jaxnet: Run, folder: Path
) -> None:
    """They exist, but are not of what it has reached, or that is not determined."""
    jaxnet("train", "--data", folder, *QUICK, "--iterations", 20, "--out", "run")
    if left == "outcome":
        with h5py.File("run/model.h5", "a") as file:
            file["origin"].attrs["outcome"] = np.bytes_("unfinished")
    for name in ("training.png", "page.html"):
        Path("run", name).touch()  # as new as can be
    if left != "outcome":
        older = Path("run", {"figure": "training.png", "page": "page.html"}[left])
        os.utime(older, ns=(0, Path("run/model.h5").stat().st_mtime_ns - 1))
    result = jaxnet("train", "--resume", "run")
    assert result.code == 0
    assert "written: run/training.png" in result.out
    assert "written: run/page.html" in result.out
    assert load_run("run").outcome == "plateau"
    assert jaxnet("train", "--resume", "run").out == "run is finished already\n"


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_lacks_its_page_only(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--iterations", 20, "--out", "run", "--no-page")
    assert kept_files(Path("run")).keys() == OUTPUTS - {"page.html"}
    assert "is finished" in jaxnet("train", "--resume", "run", "--no-page").out
    assert jaxnet("train", "--resume", "run").code == 0
    assert kept_files(Path("run")).keys() == OUTPUTS


@pytest.mark.usefixtures("undrawn")
def test_a_run_of_the_library_is_resumed_by_the_command(jaxnet: Run, folder: Path) -> None:
    """And one that was not loaded by `load_dataset`, or is a bare network, says why not."""
    data = load_dataset(folder, size=8)
    run = train(data, Settings(hidden_units=3, iterations=20))
    run.save("run")
    assert jaxnet("train", "--resume", "run").code == 0
    assert kept_files(Path("run")).keys() == OUTPUTS
    dataclasses.replace(run, data_source=None).save("alone")
    refused = jaxnet("train", "--resume", "alone")
    assert refused.code == 2
    assert "alone has a network without its settings or its data source" in refused.err


def saved_at(path: Path) -> int:
    """Return when a file was written; 0 if there is none."""
    return path.stat().st_mtime_ns if path.exists() else 0


@pytest.mark.optimized
@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_killed_run_opens_and_is_resumed_to_the_same_bits(jaxnet: Run) -> None:
    settings = ["--count", "40", "--size", "16", "--iterations", "30000", "--out"]
    assert jaxnet("train", *settings, "whole").code == 0
    whole = load_run("whole")

    draw = random.Random(0)
    run, model = Path("run"), Path("run/model.h5")
    made, kills = 0, 0
    train = [sys.executable, "-m", "jaxnet", "train"]
    while kills < KILLS:
        # From the start again where the last one was killed before its first save, or is done.
        if not model.exists() or made == len(whole.costs):
            for file in run.iterdir() if run.exists() else ():
                file.unlink()
            command, made = [*train, *settings, "run"], 0
        else:
            command = [*train, "--resume", "run"]
        before = saved_at(model)
        process = subprocess.Popen(
            [*command, "--checkpoint-every", "20"], stdout=subprocess.DEVNULL
        )
        if draw.random() < 0.3:
            time.sleep(draw.uniform(0.5, 4.5))
        else:
            while process.poll() is None and saved_at(model) == before:
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        if model.exists():
            costs = load_run(run).costs
            assert len(costs) >= made
            np.testing.assert_array_equal(costs, whole.costs[: len(costs)])
            made = len(costs)
    rest = ["--resume", "run"] if made else [*settings, "run", "--force"]
    assert jaxnet("train", *rest).code == 0
    assert_same_run(load_run(run), whole)
    left = {path.name for path in run.iterdir()}
    assert left - {".jaxnet-run"} == OUTPUTS, "what the killed leave is swept"
