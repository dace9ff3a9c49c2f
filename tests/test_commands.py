"""The commands as a user types them: what they print, write, and answer with."""

import dataclasses
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import numpy as np
import pytest
from conftest import Result
from PIL import Image

from jaxnet.data.load import load_dataset
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.source import DataSource
from jaxnet.errors import UsageError
from jaxnet.io.names import CLAIM_NAME
from jaxnet.runs import folder as claiming
from jaxnet.runs.model_file import load_model, save_model
from jaxnet.runs.run import load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings

Run = Callable[..., Result]
Write = Callable[..., Path]

QUICK = ("--size", 8, "--iterations", 20)
TRAIN = ("train", "--no-page", *QUICK)
RATE = ("--learning-rate", 0.1)


def answer_of(result: Result) -> Any:
    """Read the answer of a command as strictly as JSON is meant: it has no NaN."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(result.out, parse_constant=refuse)


def is_picture(path: Path) -> bool:
    with Image.open(path) as image:
        return image.format == "PNG" and min(image.size) > 300


def test_version_and_help(jaxnet: Run) -> None:
    assert re.match(r"jaxnet \d+\.\d+", jaxnet("--version").out)
    for command in ("data", "train", "predict"):
        assert command in jaxnet("--help").out
        assert jaxnet(command, "--help").code == 0
    help_of_train = jaxnet("train", "--help").out
    for default in ("0.0075", "2500", "symmetric", "sketches", "runs/001"):
        assert default in help_of_train
    assert jaxnet("train", "--learning", "1").code == 2
    assert jaxnet("train", "--seed", 2**64).code == 2
    assert jaxnet("train", "--hidden-units", 0).code == 2
    assert subprocess.run([sys.executable, "-m", "jaxnet", "--version"], check=True).returncode == 0


def test_data(jaxnet: Run, h5: Write) -> None:
    path = h5()
    result = jaxnet("data", path)
    assert result.code == 0
    for part in ("(8, 8, 6, 3)", "(4, 8, 6, 3)", "4 (50.0%)", "3 (75.0%)", "1: cat", "0 to 255"):
        assert part in result.out
    answer = answer_of(jaxnet("data", path, "--json"))
    assert answer["splits"]["train"]["counts"] == {"non-cat": 4, "cat": 4}
    assert answer["positive"] == "cat"
    assert len(answer["sha256"]) == 64


def test_data_writes_a_contact_sheet_and_a_folder_as_hdf5(
    jaxnet: Run,
    folder: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jaxnet.report.figures.contact_sheet.COLUMNS", 3)
    arguments = ("data", folder, "--size", 16, "--sheet", "sheet.png", "--write", "pets.h5")
    result = jaxnet(*arguments)
    assert result.code == 0
    assert is_picture(Path("sheet.png"))
    ours, theirs = load_dataset(folder, size=16), load_dataset("pets.h5")
    assert theirs.classes == ("dog", "cat")
    for name in ("train", "test"):
        np.testing.assert_array_equal(ours.splits[name].images, theirs.splits[name].images)
        np.testing.assert_array_equal(ours.splits[name].labels, theirs.splits[name].labels)
    again = jaxnet(*arguments)
    assert again.code == 2
    assert "sheet.png exists already" in again.err
    request.getfixturevalue("undrawn")
    assert jaxnet(*arguments, "--force").code == 0
    assert Path("sheet.png").read_bytes() == b""


def test_data_writes_any_number_of_sketches(jaxnet: Run) -> None:
    assert jaxnet("data", "sketches", "--count", 300, "--write", "many.h5").code == 0
    with h5py.File("many.h5") as file:
        assert file["train_set_x"].shape == (300, 64, 64, 3)
        assert file["test_set_x"].shape == (72, 64, 64, 3)


def test_train_with_no_arguments(jaxnet: Run) -> None:
    result = jaxnet("train", "--iterations", 300)
    assert result.code == 0
    for part in (
        "sketches",
        "(209, 64, 64, 3) → X (4096, 209), Y (1, 209)",
        "(8, 4096)",
        "32,776 + 9 = 32,785",
        "Device: ",
        "300 iterations in",
        'always "other" would score 66 %',
        "than guessing (p = ",
        "runs/001/model.h5",
        "runs/001/training.png",
    ):
        assert part in result.out, part
    assert is_picture(Path("runs/001/training.png"))
    run = load_run("runs/001")
    assert len(run.costs) == 300
    assert run.classes == ("other", "cat")
    assert run.settings == Settings(iterations=300, basis="span")
    assert run.data_source == DataSource()
    assert len(str(run.origin["sha256"])) == 64
    assert run.origin["command"] == "jaxnet train --iterations 300"
    assert Path("runs/001/page.html").stat().st_size > 1e6


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_is_too_short_is_slow_and_no_failure(jaxnet: Run) -> None:
    result = jaxnet("train", "--iterations", 30)
    assert result.code == 0
    (first, late) = re.findall(
        r"slow: the cost went from (\S+) to (\S+), still above that of always predicting the class "
        "rate; take more --iterations or a larger --learning-rate",
        result.out,
    )[0]
    assert 0.6439 < float(late) < float(first) < 0.7, "the entropy of 137 to 72 is 0.6439"
    assert ", slow\n" in result.out
    run = load_run("runs/001")
    assert run.outcome == "slow"
    assert f"{run.costs[0]:.4f}" == first
    assert f"{run.costs[-2:].mean():.4f}" == late


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("settings", "outcome", "said"),
    [
        (("--learning-rate", 1e30), "not finite", "not finite: at iteration 1 a cost or a parame"),
        (
            ("--weight-scale", 0),
            "dead",
            "dead: all 8 hidden units have been dead since iteration 0",
        ),
        (
            ("--learning-rate", 6.23551, "--weight-scale", "he", "--seed", 3),
            "diverged",
            "diverged: the cost rose from ",
        ),
        (("--learning-rate", 1e-5), "plateau", "plateau: the cost is that of always predicting"),
        (("--learning-rate", 0.1), "learning", ", learning\n"),
    ],
    ids=["not finite", "dead", "diverged", "plateau", "learning"],
)
def test_an_outcome_is_a_sentence_and_a_code(
    settings: tuple[Any, ...], outcome: str, said: str, jaxnet: Run, folder: Path
) -> None:
    train = (*TRAIN, "--data", folder, *settings, "--json")
    result = jaxnet(*train)
    answer = answer_of(result)
    assert answer["outcome"] == load_run("runs/001").outcome == outcome
    assert said in result.err
    failed = outcome in ("not finite", "dead", "diverged")
    assert result.code == failed
    assert result.err.count(f"{outcome}: ") == (outcome != "learning")


@pytest.mark.usefixtures("undrawn")
def test_train_answers_in_json(jaxnet: Run, folder: Path) -> None:
    result = jaxnet(*TRAIN, "--data", folder, "--json")
    answer = answer_of(result)
    assert answer["parameters"] == 8 * 64 + 8 + 8 + 1
    assert answer["accuracy"].keys() == {"train", "test"}
    assert answer["run"] == "runs/001"
    assert "training.png" in result.err


@pytest.mark.usefixtures("undrawn")
def test_every_setting_reaches_the_run(jaxnet: Run, folder: Path) -> None:
    settings = {
        "--color": "rgb",
        "--pixel-scale": "unit",
        "--hidden-units": 3,
        "--activation": "leaky_relu",
        "--weight-scale": "he",
        "--seed": 5,
        "--learning-rate": 0.05,
        "--momentum": 0.5,
        "--iterations": 25,
        "--precision": "float64",
        "--positive": "dog",
        "--size": 10,
        "--out": "here",
    }
    pairs = [word for pair in settings.items() for word in pair]
    result = jaxnet("train", "--data", folder, *pairs, "--nesterov", "--balanced")
    assert result.code == 0
    run = load_run("here")
    assert run.classes == ("cat", "dog")
    assert run.hidden.name == "leaky_relu"
    assert run.preprocessing == Preprocessing(10, 10, "rgb", "unit")
    assert {str(leaf.dtype) for leaf in run.model.params.values()} == {"float64"}
    assert run.model.params["W1"].shape == (3, 300)
    assert run.settings == Settings(
        hidden_units=3,
        activation="leaky_relu",
        weight_scale="he",
        seed=5,
        learning_rate=0.05,
        momentum=0.5,
        nesterov=True,
        iterations=25,
        balanced=True,
        basis="span",
        precision="float64",
    )
    assert run.data_source == DataSource(str(folder), positive="dog", size=10)
    data = load_dataset(folder, size=10, positive="dog")
    expected = train(data, run.settings, run.preprocessing)
    np.testing.assert_array_equal(run.costs, expected.costs)
    chex.assert_trees_all_equal(run.model.params, expected.model.params)
    more: dict[str, Any] = {"seed": 6, "momentum": 0.1, "weight_scale": 0.1, "learning_rate": 0.1}
    others = [
        train(data, run.settings, Preprocessing(10, 10, "rgb", "symmetric")),
        *(
            train(data, dataclasses.replace(run.settings, **{name: value}), run.preprocessing)
            for name, value in more.items()
        ),
    ]
    again = ("--nesterov", "--balanced", "--no-page", "--force", "--data-seed", 1)
    assert jaxnet("train", "--data", folder, *pairs, *again).code in (0, 1)
    for other in (*others, load_run("here")):
        assert not np.array_equal(other.costs, run.costs), other.settings


@pytest.mark.usefixtures("undrawn")
def test_the_test_split_may_lie_elsewhere(jaxnet: Run, h5: Write, images: np.ndarray) -> None:
    here = {"train_set_x": images[:10], "train_set_y": np.arange(10) % 2}  # as many as in `folder`
    there = {"test_set_x": images[10:], "test_set_y": np.ones(2, int)}
    train = h5("train.h5", **here, test_set_x=None, test_set_y=None)
    test = h5("elsewhere.h5", **there, train_set_x=None, train_set_y=None)
    answer = answer_of(jaxnet(*TRAIN, "--data", train, "--test", test, "--json"))
    assert answer["data"]["splits"]["test"]["counts"] == {"non-cat": 0, "cat": 2}


@pytest.mark.usefixtures("undrawn")
def test_train_leaves_bad_pictures_out_on_request(jaxnet: Run, folder: Path) -> None:
    (folder / "cat" / "bad.jpg").write_text("<html>")
    assert jaxnet(*TRAIN, "--data", folder).code == 2
    result = jaxnet(*TRAIN, "--data", folder, "--skip-bad")
    assert result.code == 0
    assert "bad.jpg is an HTML page" in result.out


@pytest.mark.usefixtures("undrawn")
def test_an_idle_gpu_is_pointed_out(
    jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jaxnet.machine.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    if jax.default_backend() == "cpu":
        assert ".[cuda]" in jaxnet(*TRAIN, "--data", folder).out
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert ".[cuda]" not in jaxnet(*TRAIN, "--data", folder).out


ENDLESS = ("--size", 8, "--iterations", 50_000_000, "--no-page", "--out", "run")


def require_stopped(out: str, err: str) -> None:
    assert "Traceback" not in err
    assert "stopped: the run was interrupted" in out
    assert "jaxnet train --resume run continues it" in out
    run = load_run("run")
    assert run.outcome == "stopped"
    assert len(run.costs) > 0


@pytest.mark.slow
def test_a_process_that_is_told_to_end_has_saved_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "jaxnet", "train", "--count", "40", *map(str, ENDLESS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not Path("run/model.h5").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143
    require_stopped(out, err)


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_is_interrupted_is_saved(jaxnet: Run, folder: Path) -> None:
    ended = threading.Event()

    def interrupt() -> None:
        while not ended.wait(0.02):
            if Path("run/model.h5").exists():
                return signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    result = jaxnet("train", "--data", folder, *ENDLESS)
    ended.set()
    thread.join()
    assert result.code == 130
    require_stopped(result.out, result.err)


@pytest.mark.parametrize(("encoding", "size"), [("cp1252", "8 × 8"), ("ascii", r"8 \xd7 8")])
def test_a_terminal_that_lacks_a_symbol(
    encoding: str, size: str, folder: Path, jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding, write_through=True))
    result = jaxnet("data", folder, "--size", 8)
    assert (result.code, result.err) == (0, "")
    text = shown.getvalue().decode(encoding)
    assert f"pets, {size}, " in text
    assert "(10, 8, 8, 3)" in text


@pytest.mark.usefixtures("undrawn")
def test_adam(jaxnet: Run, folder: Path) -> None:
    assert jaxnet("train", "--data", folder, *QUICK, "--optimizer", "adam").code == 0
    assert load_run("runs/001").settings == Settings(
        optimizer="adam", iterations=20, basis="pixels"
    )
    refused = jaxnet(*TRAIN, "--data", folder, "--optimizer", "adam", "--momentum", 0.9)
    assert refused.code == 2
    assert "with sgd only" in refused.err


@pytest.mark.slow
@pytest.mark.optimized
def test_the_same_command_gives_the_same_bits(jaxnet: Run, folder: Path) -> None:
    train = (*map(str, TRAIN), "--data", str(folder))
    assert jaxnet(*train).code == 0
    subprocess.run([sys.executable, "-m", "jaxnet", *train], check=True, capture_output=True)
    first, second = (load_run(f"runs/00{number}") for number in (1, 2))
    np.testing.assert_array_equal(first.costs, second.costs)
    for name, leaf in first.model.params.items():
        np.testing.assert_array_equal(leaf, second.model.params[name])


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_goes_wrong_is_saved_and_ends_with_1(jaxnet: Run, folder: Path) -> None:
    result = jaxnet(*TRAIN, "--data", folder, "--learning-rate", 1000)
    assert result.code == 1
    (found,) = re.findall(r"the learning rate 1000 is too large: (\S+) learns", result.out)
    assert jaxnet(*TRAIN, "--data", folder, "--learning-rate", found).code == 0


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_overflows_is_whole_and_can_be_resumed(jaxnet: Run, folder: Path) -> None:
    train = ("train", "--data", folder, *QUICK, "--activation", "leaky_relu", "--out", "run")
    overflow = jaxnet(*train, "--learning-rate", 1e30)
    assert overflow.code == 1
    assert "not finite: at iteration 1 a cost" in overflow.out
    before = load_run("run")
    assert len(before.costs) == 0  # the one step that was made led to no finite cost
    again = jaxnet("train", "--resume", "run")
    assert again.code == 1
    assert "not finite: at iteration 1 a cost" in again.out
    after = load_run("run")
    chex.assert_trees_all_equal(after.descent, before.descent)
    assert (after.outcome, after.settings) == (before.outcome, before.settings)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("--optimizer", "adam", "--learning-rate", 1e30), "take a smaller --learning-rate"),
        (("--learning-rate", 1e30), "no rate of α/2, α/4, … down to 2e+25 learns in as many"),
        (
            ("--weight-scale", 1e30, "--pixel-scale", "raw"),
            "the first cost is not finite: take a smaller --weight-scale or another",
        ),
        (("--weight-scale", 0), "all initial weights are 0, so no hidden unit can learn: take a"),
    ],
    ids=["adam", "huge", "weights", "zero weights"],
)
def test_advice_claims_no_more_than_was_measured(
    settings: tuple[str, ...], said: str, jaxnet: Run, folder: Path
) -> None:
    result = jaxnet(*TRAIN, "--data", folder, *settings)
    assert result.code == 1
    assert said in result.out
    assert "is too large" not in result.out


@pytest.mark.usefixtures("undrawn")
def test_many_seeds_and_the_one_that_is_kept(jaxnet: Run, folder: Path) -> None:
    train = (*TRAIN, "--data", folder)
    result = jaxnet(*train, "--seed", 7, "--seeds", 4, "--json")
    answer, said = answer_of(result), result.err
    alone = [answer_of(jaxnet(*train, "--seed", seed, "--json")) for seed in range(7, 11)]
    found = answer["seeds"]
    assert found["seeds"] == [7, 8, 9, 10]
    costs = [run["last_cost"] for run in alone]
    np.testing.assert_allclose(found["last_costs"], costs, rtol=1e-5)
    kept = 7 + int(np.argsort(costs)[1])
    assert found["kept"] == answer["settings"]["seed"] == kept
    assert answer["last_cost"] == costs[kept - 7]
    assert found["splits"]["test"]["accuracies"] == [run["accuracy"]["test"] for run in alone]
    assert jaxnet("train", "--resume", "runs/001", "--iterations", 30, "--no-page").code in (0, 1)

    assert "4 seeds: " in said
    assert "the test labels play no part in the choice" in said
    for refused, found in (
        (
            ("--seeds", 2, "--optimizer", "adam"),
            "the optimizer of many networks is adam",
        ),
        (("--seeds", 2, "--seed", 2**32 - 1), "the 2 seeds from 4294967295 go up to"),
    ):
        result = jaxnet(*train, *refused)
        assert result.code == 2
        assert found in result.err
        assert "Data: " not in result.out, "refused before pictures are read"
    assert (
        "--seeds is given with --resume"
        in jaxnet("train", "--resume", "runs/001", "--seeds", 2).err
    )


@pytest.mark.usefixtures("undrawn")
def test_leaked_pictures_are_left_out_and_the_score_says_so(jaxnet: Run, folder: Path) -> None:
    for name in ("train", "test"):
        shutil.copytree(folder / "cat", f"pets/{name}/cat")
        shutil.copytree(folder / "dog", f"pets/{name}/dog")
    Image.new("RGB", (8, 8), (9, 99, 9)).save("pets/test/cat/another.png")
    result = jaxnet(*TRAIN, "--data", "pets", "--exclude-leaks")
    assert "are in train, too" not in result.out
    assert re.search(r"test [01]/1 = .* · without the 12 that are also in train", result.out)
    assert load_run("runs/001").data_source == DataSource("pets", size=8, exclude_leaks=True)


@pytest.mark.usefixtures("undrawn")
def test_no_run_is_overwritten_unasked(jaxnet: Run, folder: Path) -> None:
    arguments = (*TRAIN, "--data", folder, "--out", "here")
    assert jaxnet(*arguments).code == 0
    before = Path("here/model.h5").read_bytes()
    refused = jaxnet(*arguments)
    assert refused.code == 2
    assert "here is not empty\n" in refused.err
    assert "give another folder, or --force to write into this one" in refused.err
    assert "Data: " not in refused.out, "refused before pictures are read"
    assert Path("here/model.h5").read_bytes() == before
    assert jaxnet(*arguments, "--force", "--seed", 1).code == 0
    assert Path("here/model.h5").read_bytes() != before


def test_of_two_runs_that_claim_a_folder_at_once_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen that it is empty before either claims it."""
    both = threading.Barrier(2)
    look = claiming.require_empty

    def look_together(out: Path) -> None:
        look(out)
        both.wait(timeout=60)

    monkeypatch.setattr(claiming, "require_empty", look_together)

    def claim(_: int) -> Path | UsageError:
        try:
            return claiming.claim_folder(tmp_path / "deep" / "run")
        except UsageError as error:
            return error

    with ThreadPoolExecutor(2) as threads:
        claimed = sorted(threads.map(claim, range(2)), key=lambda one: isinstance(one, Path))
    refused, folder = claimed
    assert folder == tmp_path / "deep" / "run"
    assert isinstance(refused, UsageError)
    assert "is not empty (claimed by a run that has saved nothing yet)" in refused.found


# Claims a folder; between its look whether it is empty and the claim it waits for a line.
CLAIMING = """
import sys
from pathlib import Path
from jaxnet import UsageError
from jaxnet.runs import folder

look = folder.require_empty

def look_and_wait(out):
    look(out)
    print("it is empty", flush=True)
    sys.stdin.readline()

folder.require_empty = look_and_wait
try:
    folder.claim_folder(Path("one"))
    print("claimed")
except UsageError as error:
    print(error.found)
"""


def test_of_two_processes_that_claim_a_folder_at_once_one_succeeds(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMING],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "it is empty\n"
    refused, claimed = sorted(process.communicate("go\n")[0] for process in processes)
    assert claimed == "claimed\n"
    assert "one is not empty (claimed by a run that has saved nothing yet)" in refused


@pytest.mark.usefixtures("undrawn")
def test_a_command_whose_folder_another_claims_after_it_has_looked_ends_before_it_trains(
    jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = claiming.require_empty

    def look_first(out: Path) -> None:
        look(out)
        monkeypatch.setattr(claiming, "require_empty", look)
        claiming.claim_folder(out)

    monkeypatch.setattr(claiming, "require_empty", look_first)
    result = jaxnet(*TRAIN, "--data", folder, "--out", "one")
    assert result.code == 2
    assert "is not empty (claimed by a run that has saved nothing yet)" in result.err
    assert [path.name for path in Path("one").iterdir()] == [CLAIM_NAME]


# What 0.1.0 answered with, and is answered still: a program may read it. What is made of the data
# (splits, classes, the numbers of an audit) is looked at one level deep.
DATA = "source positive splits skipped sha256 train_sha256 audit leaks_excluded passed_over"
SOURCE = "data data_seed skip_bad strict"
DESCENT = "hidden_units weight_scale learning_rate momentum nesterov iterations precision"
VALUES = "accuracy balanced_accuracy precision recall roc_auc log_loss brier"
ANSWERS: dict[str, dict[str, str]] = {
    "data": {
        "": DATA,
        "audit": "pairs leaks constant positives brightness findings",
        "audit.brightness": "threshold brighter accuracies p",
        "splits.train": "shape counts least greatest mean",
    },
    "train": {
        "": "run data parameters settings origin outcome iterations first_cost last_cost accuracy "
        "seeds dead_since learning_rate_that_learns seconds",
        "data": DATA,
        "settings": f"{SOURCE} {DESCENT} seed optimizer balanced basis exclude_leaks size",
        "origin": "source sha256 train_sha256 device prng python jax jaxlib jaxnet numpy optax",
        "seeds": "seeds kept last_costs outcomes splits",
        "seeds.splits.test": "accuracies accuracy ensemble flips",
        "seeds.splits.test.accuracy": "median low high",
        "seeds.splits.test.ensemble": "value low high",
    },
    "evaluate": {
        "": "model data same_data_as_in_training threshold splits written",
        "threshold": "value how",
        "splits.test": f"seen_in_training pictures right confusion {VALUES} calibration baselines "
        "best_baseline mcnemar most_wrong",
        "splits.test.roc_auc": "value low high",
        "splits.test.mcnemar": "gained lost p",
        "splits.test.calibration.0": "low high pictures probability share",
        "splits.test.baselines.hindsight": "in_hindsight right accuracy",
        "splits.train.most_wrong.0": "picture class probability",
    },
    "predict": {"0": "picture positive probability class"},
    "page": {"": "written size shown of pictures"},
    "export": {"": "written format bytes"},
    "repeat": {"": "run command same differs_from largest_difference parameters_differ versions"},
    "sweep": {
        "": "run settings outcomes cells",
        "settings": "sha256 exclude_leaks color scale learning_rates weight_scales seeds "
        "hidden_units activations momentum nesterov iterations precision",
        "cells.0": "activation learning_rate weight_scale networks learning best_cost cost "
        "train_accuracy test_accuracy",
        "cells.0.cost": "median p5 p95",
    },
    "leave-one-out": {
        "": "run data settings positive outcomes left_out left_out_by_seed seen_by_seed always "
        "memorisation explained",
        "settings": f"{SOURCE} {DESCENT} seeds size test positive count color scale activation",
        "left_out": "pictures accuracy",
        "always": "class accuracy",
        "memorisation.0": "picture class change spread noise seen left_out",
        "explained.0": "picture class probability by",
        "explained.0.by.0": "picture class change spread noise",
    },
}


@pytest.mark.usefixtures("undrawn")
def test_answers_have_the_keys_that_they_had_in_0_1_0(jaxnet: Run, folder: Path) -> None:
    few = ("--data", folder, *QUICK, "--weight-scale")
    commands: dict[str, tuple[Any, ...]] = {
        "data": (folder, "--size", 8),
        "train": (*few, "he", "--learning-rate", 1e-4, "--seeds", 4, "--out", "run", "--no-page"),
        "evaluate": ("run",),
        "predict": ("run", folder / "cat" / "01.png"),
        "page": ("run",),
        "export": ("run",),
        "repeat": ("run",),
        "sweep": (*few[:-1], "--learning-rates", "1e-4,1e30", "--seeds", 2),
        "leave-one-out": (*few, "he", "--seeds", 4),
    }
    assert commands.keys() == ANSWERS.keys()
    for command, arguments in commands.items():
        result = jaxnet(command, *arguments, "--json")
        assert result.code == 0, result.err
        answer = answer_of(result)
        for place, names in ANSWERS[command].items():
            part = answer
            for step in filter(None, place.split(".")):
                part = part[int(step) if step.isdecimal() else step]
            assert set(names.split()) <= part.keys(), (command, place)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("train", "--data", "nowhere.h5"), "there is no "),
        (("train", "--data", "page.h5"), "page.h5 is an HTML page"),
        (("data", "page.h5"), "page.h5 is an HTML page"),
        (("predict", "nowhere", "cat.png"), "there is no "),
        (("predict", "page.h5", "cat.png"), "page.h5 is an HTML page"),
        (("train", "--weight-scale", "big"), '--weight-scale is "big"'),
        (("train", "--data", "one"), "contains only one class, cat"),
        (("train", "--weight-scale", "nan"), "--weight-scale is nan"),
        (("train", "--learning-rate", "inf"), "--learning-rate is inf"),
        (("data", "one", "--test", "page.h5"), ", and one is a folder"),
        (("data", "x" * 300), "there is no "),
        (("data", "sketches", "--count", "5", "--write", "x" * 300), "could not be written"),
    ],
)
def test_bad_input_is_told_without_a_traceback(
    arguments: tuple[str, ...], found: str, jaxnet: Run
) -> None:
    Path("page.h5").write_text("<!DOCTYPE html><html></html>")
    Path("one/cat").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save("one/cat/1.png")
    result = jaxnet(*arguments)
    assert result.code == 2
    assert "Traceback" not in result.err
    assert result.err.startswith("Error: ")
    for part in (found, "expected: ", "to do: "):
        assert part in result.err
    assert not Path("runs").exists()


@pytest.mark.parametrize("value", ["nan", "-1", "fast"])
def test_a_value_outside_the_range_of_its_option(value: str, jaxnet: Run) -> None:
    result = jaxnet("train", "--learning-rate", value, "--optimizer", "adam")
    assert result.code == 2
    assert "Invalid value for '--learning-rate'" in result.err


@pytest.mark.usefixtures("undrawn")
def test_a_newer_model_file_is_told(jaxnet: Run, folder: Path) -> None:
    jaxnet(*TRAIN, "--data", folder)
    with h5py.File("runs/001/model.h5", "a") as file:
        file.attrs["format_version"] = 99
    result = jaxnet("predict", "runs/001", folder / "cat" / "01.png")
    assert result.code == 2
    assert "format version 99" in result.err


@pytest.mark.usefixtures("undrawn")
def test_names_with_brackets_are_printed_as_they_are(jaxnet: Run, folder: Path) -> None:
    strange = folder.rename(folder.with_name("[red]pets[b]"))
    (strange / "cat").rename(strange / "[bold]cat")
    result = jaxnet("data", strange, "--size", 8, "--positive", "[bold]cat")
    assert "[red]pets[b]" in result.out
    assert "[bold]cat" in result.out
    assert jaxnet(*TRAIN, "--data", strange).code == 0
    model = load_model("runs/001")
    save_model("copy.h5", model)
    assert "[bold]cat" in jaxnet("predict", "copy.h5", strange / "[bold]cat" / "01.png").out


@pytest.mark.usefixtures("undrawn")
@pytest.mark.slow
def test_train_on_the_real_cats(jaxnet: Run, cats: object) -> None:
    result = jaxnet("train", "--data", "catvnoncat")
    assert result.code == 0
    assert re.search(r"train 20[5-9]/209 = ", result.out)
    assert 'always "cat" would score 66 %' in result.out
