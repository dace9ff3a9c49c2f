"""The commands as a user types them: what they print, write, and answer with."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

import h5py
import jax
import numpy as np
import pytest
from conftest import Result
from PIL import Image

from jaxnet.activations import ACTIVATIONS
from jaxnet.commands import options
from jaxnet.commands.train import train
from jaxnet.data.columns import COLORS, SCALES
from jaxnet.data.load import load_dataset
from jaxnet.runs.model_file import load_model, save_model
from jaxnet.training import Basis

Run = Callable[..., Result]
Write = Callable[..., Path]

QUICK = ("--size", 8, "--iterations", 20)
RATE = ("--learning-rate", 0.1)


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
    answer = json.loads(jaxnet("data", path, "--json").out)
    assert answer["splits"]["train"]["counts"] == {"non-cat": 4, "cat": 4}
    assert answer["positive"] == "cat"
    assert len(answer["sha256"]) == 64


def test_data_writes_a_contact_sheet_and_a_folder_as_hdf5(jaxnet: Run, folder: Path) -> None:
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
    assert jaxnet(*arguments, "--force").code == 0


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
    model = load_model("runs/001")
    assert len(model.costs) == 300
    assert model.classes == ("other", "cat")
    assert model.settings["learning_rate"] == 0.0075
    assert len(str(model.origin["sha256"])) == 64


def test_train_answers_in_json(jaxnet: Run, folder: Path) -> None:
    result = jaxnet("train", "--data", folder, *QUICK, "--json")
    answer = json.loads(result.out)
    assert answer["parameters"] == 8 * 64 + 8 + 8 + 1
    assert answer["accuracy"].keys() == {"train", "test"}
    assert answer["run"] == "runs/001"
    assert "training.png" in result.err


@pytest.mark.usefixtures("undrawn")
def test_every_setting_reaches_the_run(jaxnet: Run, folder: Path) -> None:
    settings = {
        "--color": "rgb",
        "--scale": "unit",
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
    with jax.enable_x64(True):
        model = load_model("here")
    assert model.classes == ("cat", "dog")
    assert model.hidden.name == "leaky_relu"
    assert model.preprocessing.n_x == 300
    assert model.preprocessing.scale == "unit"
    assert {str(leaf.dtype) for leaf in model.params.values()} == {"float64"}
    assert model.params["W1"].shape == (3, 300)
    recorded = {name: model.settings[name] for name in ("seed", "momentum", "nesterov", "balanced")}
    assert recorded == {"seed": 5, "momentum": 0.5, "nesterov": True, "balanced": True}
    costs = model.costs
    for left_out in ("--nesterov", "--balanced"):
        kept = {"--nesterov", "--balanced"} - {left_out}
        assert jaxnet("train", "--data", folder, *pairs, *kept, "--force").code == 0
        with jax.enable_x64(True):
            assert not np.array_equal(load_model("here").costs, costs), left_out
    for option, other in (
        ("--data-seed", 1),
        ("--basis", "pixels"),
        ("--seed", 6),
        ("--momentum", 0.1),
        ("--scale", "symmetric"),
        ("--weight-scale", 0.1),
        ("--learning-rate", 0.1),
        ("--activation", "sigmoid"),
    ):
        changed = [word for pair in (settings | {option: other}).items() for word in pair]
        assert jaxnet("train", "--data", folder, *changed, "--force").code in (0, 1)
        with jax.enable_x64(True):
            assert not np.array_equal(load_model("here").costs, costs), option


@pytest.mark.usefixtures("undrawn")
def test_the_test_split_may_lie_elsewhere(jaxnet: Run, h5: Write) -> None:
    train = h5("train.h5", test_set_x=None, test_set_y=None)
    test = h5("elsewhere.h5", train_set_x=None, train_set_y=None)
    answer = json.loads(jaxnet("train", "--data", train, "--test", test, *QUICK, "--json").out)
    assert answer["data"]["splits"]["test"]["counts"] == {"non-cat": 1, "cat": 3}


@pytest.mark.usefixtures("undrawn")
def test_train_leaves_bad_pictures_out_on_request(jaxnet: Run, folder: Path) -> None:
    (folder / "cat" / "bad.jpg").write_text("<html>")
    assert jaxnet("train", "--data", folder, *QUICK).code == 2
    result = jaxnet("train", "--data", folder, *QUICK, "--skip-bad")
    assert result.code == 0
    assert "bad.jpg is an HTML page" in result.out


@pytest.mark.usefixtures("undrawn")
def test_an_idle_gpu_is_pointed_out(
    jaxnet: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jaxnet.commands.console.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    if jax.default_backend() == "cpu":
        assert ".[cuda]" in jaxnet("train", "--data", folder, *QUICK).out
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert ".[cuda]" not in jaxnet("train", "--data", folder, *QUICK).out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_interrupted_is_saved(number: int, code: int, tmp_path: Path) -> None:
    command = ["-m", "jaxnet", "train", "--count", "40", "--iterations", "50000000", "--out", "run"]
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "run").exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert "stopped: the run was interrupted" in out
    assert "jaxnet train --resume run goes on" in out
    assert len(load_model(tmp_path / "run").costs) > 0


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_that_lacks_a_symbol(encoding: str, folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jaxnet", "data", str(folder), "--size", "8"]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.usefixtures("undrawn")
def test_adam(jaxnet: Run, folder: Path) -> None:
    assert jaxnet("train", "--data", folder, *QUICK, "--optimizer", "adam").code == 0
    assert load_model("runs/001").settings["learning_rate"] == 0.001
    refused = jaxnet("train", "--data", folder, *QUICK, "--optimizer", "adam", "--momentum", 0.9)
    assert refused.code == 2
    assert "Adam has momentum of its own" in refused.err


def test_the_same_command_gives_the_same_bits(jaxnet: Run, folder: Path) -> None:
    train = ("train", "--data", str(folder), *map(str, QUICK))
    assert jaxnet(*train).code == 0
    subprocess.run([sys.executable, "-m", "jaxnet", *train], check=True, capture_output=True)
    first, second = (load_model(f"runs/00{number}") for number in (1, 2))
    np.testing.assert_array_equal(first.costs, second.costs)
    for name, leaf in first.params.items():
        np.testing.assert_array_equal(leaf, second.params[name])


def test_a_run_that_goes_wrong_is_saved_and_ends_with_1(jaxnet: Run, folder: Path) -> None:
    result = jaxnet("train", "--data", folder, *QUICK, "--learning-rate", 1000)
    assert result.code == 1
    (found,) = re.findall(r"the rate 1000 is too large: (\S+) learns", result.out)
    assert jaxnet("train", "--data", folder, *QUICK, "--learning-rate", found).code == 0


def test_a_run_that_overflows_is_whole_and_can_be_gone_on_with(jaxnet: Run, folder: Path) -> None:
    train = ("train", "--data", folder, *QUICK, "--activation", "leaky_relu", "--out", "run")
    overflow = jaxnet(*train, "--learning-rate", 1e30)
    assert overflow.code == 1
    assert "not finite: at iteration 1 a cost" in overflow.out
    before = Path("run/model.h5").read_bytes()
    assert len(load_model("run").costs) == 0  # the one step that was made led to no finite cost
    again = jaxnet("train", "--resume", "run")
    assert again.code == 1
    assert "not finite: at iteration 1 a cost" in again.out
    assert Path("run/model.h5").read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("--iterations", 10, "--learning-rate", 1e-5), "take more --iterations or a larger"),
        (("--learning-rate", 0), "the rate is 0: take a larger"),
        (("--optimizer", "adam", "--learning-rate", 500), "take a smaller --learning-rate"),
        (("--learning-rate", 1e30), "nor does any rate of α/2"),
    ],
    ids=["short", "zero", "adam", "huge"],
)
def test_advice_claims_no_more_than_was_measured(
    settings: tuple[str, ...], said: str, jaxnet: Run
) -> None:
    result = jaxnet("train", "--count", 24, *QUICK, *settings)
    assert result.code == 1
    assert said in result.out
    assert "is too large" not in result.out


@pytest.mark.usefixtures("undrawn")
def test_many_seeds_and_the_one_that_is_kept(jaxnet: Run, folder: Path) -> None:
    train = ("train", "--data", folder, *QUICK)
    result = jaxnet(*train, "--seed", 7, "--seeds", 4, "--json")
    answer, said = json.loads(result.out), result.err
    alone = [json.loads(jaxnet(*train, "--seed", seed, "--json").out) for seed in range(7, 11)]
    found = answer["seeds"]
    assert found["seeds"] == [7, 8, 9, 10]
    costs = [run["last_cost"] for run in alone]
    np.testing.assert_allclose(found["last_costs"], costs, rtol=1e-5)
    kept = 7 + int(np.argsort(costs)[1])
    assert found["kept"] == answer["settings"]["seed"] == kept
    assert answer["last_cost"] == costs[kept - 7]
    assert found["splits"]["test"]["accuracies"] == [run["accuracy"]["test"] for run in alone]
    assert jaxnet("train", "--resume", "runs/001", "--iterations", 30).code in (0, 1)

    assert "4 seeds: " in said
    assert "the labels of test choose nothing" in said
    for refused, found in (
        (("--seeds", 2, "--optimizer", "adam"), "--seeds 2 is given with --optimizer adam"),
        (("--seeds", 2, "--seed", 2**32 - 1), "from --seed 4294967295 on"),
    ):
        result = jaxnet(*train, *refused)
        assert result.code == 2
        assert found in result.err
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
    result = jaxnet("train", "--data", "pets", "--exclude-leaks", *QUICK)
    assert "are in train, too" not in result.out
    assert re.search(r"test [01]/1 = .* · without the 12 that train has, too", result.out)
    assert load_model("runs/001").settings["exclude_leaks"] is True


def test_no_run_is_overwritten_unasked(jaxnet: Run, folder: Path) -> None:
    arguments = ("train", "--data", folder, *QUICK, "--out", "here")
    assert jaxnet(*arguments).code == 0
    before = Path("here/model.h5").read_bytes()
    refused = jaxnet(*arguments)
    assert refused.code == 2
    assert "here is not empty" in refused.err
    assert Path("here/model.h5").read_bytes() == before
    assert jaxnet(*arguments, "--force", "--seed", 1).code == 0
    assert Path("here/model.h5").read_bytes() != before


@pytest.mark.usefixtures("undrawn")
def test_predict(jaxnet: Run, folder: Path, tmp_path: Path) -> None:
    jaxnet("train", "--data", folder, "--size", 8, "--iterations", 400, *RATE)
    pictures = [folder / "cat" / "01.png", folder / "dog" / "00.png"]
    result = jaxnet("predict", "runs/001", *pictures)
    assert result.code == 0
    assert re.search(r"01\.png  P\(cat\) = 0\.\d{4}  cat", result.out)
    assert re.search(r"00\.png  P\(cat\) = 0\.\d{4}  dog", result.out)
    answer = json.loads(jaxnet("predict", "runs/001/model.h5", *pictures, "--json").out)
    assert [entry["class"] for entry in answer] == ["cat", "dog"]
    assert {entry["positive"] for entry in answer} == {"cat"}
    dataset = load_dataset(folder, size=8)
    model = load_model("runs/001")
    images = np.stack([np.asarray(Image.open(path).resize((8, 8), 1)) for path in pictures])
    assert dataset.train.images.dtype == images.dtype == np.uint8
    expected = model.predict_images(images)
    np.testing.assert_allclose([entry["probability"] for entry in answer], expected, rtol=1e-6)
    strict = json.loads(jaxnet("predict", "runs/001", *pictures, "--threshold", 1, "--json").out)
    assert [entry["class"] for entry in strict] == ["dog", "dog"]


@pytest.mark.usefixtures("undrawn")
def test_predict_with_a_float64_model(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--precision", "float64")
    assert jaxnet("predict", "runs/001", folder / "cat" / "01.png").code == 0


@pytest.mark.usefixtures("undrawn")
def test_predict_refuses_or_leaves_out_what_is_no_picture(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK)
    bad, good = folder / "bad.jpg", folder / "cat" / "01.png"
    bad.write_text("<html>")
    refused = jaxnet("predict", "runs/001", bad, good)
    assert refused.code == 2
    assert f"{bad} is an HTML page" in refused.err
    result = jaxnet("predict", "runs/001", bad, good, "--skip-bad")
    assert result.code == 0
    assert "01.png" in result.out
    assert f"left out: {bad}" in result.err


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("train", "--data", "nowhere.h5"), "there is no "),
        (("train", "--data", "page.h5"), "page.h5 is an HTML page"),
        (("data", "page.h5"), "page.h5 is an HTML page"),
        (("predict", "nowhere", "cat.png"), "there is no "),
        (("predict", "page.h5", "cat.png"), "page.h5 is an HTML page"),
        (("train", "--weight-scale", "big"), '--weight-scale is "big"'),
        (("train", "--data", "one"), "holds one class, cat"),
        (("train", "--weight-scale", "nan"), '--weight-scale is "nan"'),
        (("train", "--learning-rate", "nan"), "learning_rate is nan"),
        (("train", "--learning-rate", "-1", "--optimizer", "adam"), "--learning-rate is -1"),
        (("data", "one", "--test", "page.h5"), "is a file"),
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


@pytest.mark.usefixtures("undrawn")
def test_a_newer_model_file_is_told(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK)
    with h5py.File("runs/001/model.h5", "a") as file:
        file.attrs["format_version"] = 99
    result = jaxnet("predict", "runs/001", folder / "cat" / "01.png")
    assert result.code == 2
    assert "format version 99" in result.err


def test_names_with_brackets_are_printed_as_they_are(jaxnet: Run, folder: Path) -> None:
    strange = folder.rename(folder.with_name("[red]pets[b]"))
    (strange / "cat").rename(strange / "[bold]cat")
    result = jaxnet("data", strange, "--size", 8, "--positive", "[bold]cat")
    assert "[red]pets[b]" in result.out
    assert "[bold]cat" in result.out
    assert jaxnet("train", "--data", strange, *QUICK).code == 0
    model = load_model("runs/001")
    save_model("copy.h5", model)
    assert "[bold]cat" in jaxnet("predict", "copy.h5", strange / "[bold]cat" / "01.png").out


@pytest.mark.slow
def test_train_on_the_real_cats(jaxnet: Run, cats: object) -> None:
    result = jaxnet("train", "--data", "catvnoncat")
    assert result.code == 0
    assert re.search(r"train 20[5-9]/209 = ", result.out)
    assert 'always "cat" would score 66 %' in result.out


def test_choices_are_those_of_the_library() -> None:
    def choices(option: object) -> set[str]:
        return set(get_args(get_args(option)[0]))

    assert choices(options.Color) == set(COLORS)
    assert choices(options.Scale) == set(SCALES)
    hints = get_type_hints(train, include_extras=True)
    assert choices(hints["activation"]) == set(ACTIVATIONS)
    assert choices(hints["basis"]) == set(get_args(Basis))
