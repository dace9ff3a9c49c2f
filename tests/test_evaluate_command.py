"""`jaxnet evaluate` as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import Result
from PIL import Image

from jaxnet.data.load import load_dataset
from jaxnet.evaluation.scores import score
from jaxnet.runs.model_file import load_model, save_model
from jaxnet.runs.train import train
from jaxnet.settings import Settings

Run = Callable[..., Result]
Write = Callable[..., Path]

QUICK = ("--size", 8, "--iterations", 100, "--learning-rate", 0.1, "--no-page")


def test_all_scores_are_printed_and_drawn(
    jaxnet: Run, folder: Path, request: pytest.FixtureRequest
) -> None:
    settings = Settings(iterations=100, learning_rate=0.1)
    train(load_dataset(folder, size=8), settings).save("runs/001")
    result = jaxnet("evaluate", "runs/001")
    assert result.code == 0
    for part in (
        "Threshold: 0.5, fixed in advance",
        "train (seen in training)",
        "balanced accuracy",
        "precision",
        "recall",
        "ROC AUC",
        "log loss",
        "Brier score",
        "in hindsight",
        "brightness alone",
        "logistic regression",
        "predicted cat",
        "calibration",
        "written: runs/001/evaluation.png",
    ):
        assert part in result.out, part
    assert "these are not" not in result.out
    with Image.open("runs/001/evaluation.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 300
    refused = jaxnet("evaluate", "runs/001/model.h5")
    assert refused.code == 2
    assert "evaluation.png exists already" in refused.err
    request.getfixturevalue("undrawn")
    assert jaxnet("evaluate", "runs/001/model.h5", "--force").code == 0
    assert Path("runs/001/evaluation.png").read_bytes() == b""


@pytest.mark.usefixtures("undrawn")
def test_the_answer_in_json_is_that_of_the_network(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK)
    model, dataset = load_model("runs/001"), load_dataset(folder, size=8)
    result = jaxnet("evaluate", "runs/001", "--json", "--out", "here.png")
    answer = json.loads(result.out)
    assert Path("here.png").exists()
    assert answer["same_data_as_in_training"] is True
    assert answer["threshold"]["value"] == 0.5
    assert list(answer["splits"]) == ["test", "train"]
    for name, split in dataset.splits.items():
        said = answer["splits"][name]
        assert said["seen_in_training"] is (name == "train")
        expected = score(split.labels, model.predict_images(split.images))
        assert said["confusion"] == expected.confusion.tolist()
        assert said["right"] == expected.confusion.trace()
        assert said["accuracy"] == pytest.approx(expected.accuracy._asdict())
        for end in ("value", "low", "high") if name == "train" else ("value",):
            found = getattr(expected.log_loss, end)
            assert said["log_loss"][end] == pytest.approx(found, rel=1e-4)
        assert sum(part["pictures"] for part in said["calibration"]) == len(split.labels)
        assert [key for key, line in said["baselines"].items() if line["in_hindsight"]] == [
            "hindsight"
        ]
        assert said["mcnemar"].keys() == {"gained", "lost", "p"}
        assert len(said["most_wrong"]) == said["pictures"] - said["right"]


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_threshold_is_chosen_on_train(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, "--size", 8, "--iterations", 3, "--no-page")
    half = json.loads(jaxnet("evaluate", "runs/001", "--json").out)
    chosen = json.loads(
        jaxnet("evaluate", "runs/001", "--json", "--threshold", "train", "--force").out
    )
    assert chosen["threshold"]["how"] == "train"
    assert chosen["splits"]["train"]["right"] > half["splits"]["train"]["right"]
    strict = json.loads(jaxnet("evaluate", "runs/001", "--json", "--threshold", 1, "--force").out)
    assert strict["splits"]["test"]["recall"]["value"] == 0
    assert strict["splits"]["test"]["precision"]["value"] is None
    for wrong in ("nan", "2", "best"):
        refused = jaxnet("evaluate", "runs/001", "--threshold", wrong)
        assert refused.code == 2
        assert f'--threshold is "{wrong}"' in refused.err


@pytest.mark.usefixtures("undrawn")
def test_data_that_have_changed_are_told(jaxnet: Run, h5: Write, images: np.ndarray) -> None:
    path = h5()
    jaxnet("train", "--data", path, *QUICK)
    h5(test_set_y=np.array([1, 0, 0, 0]))
    result = jaxnet("evaluate", "runs/001")
    assert "the training pictures are the run's, the test pictures are not" in result.out
    assert "train (seen in training)" in result.out
    h5(train_set_y=np.array([1, 1, 0, 1, 0, 1, 0, 1]))
    result = jaxnet("evaluate", "runs/001", "--force", "--json")
    assert "the data have changed: these are not the training pictures" in result.err
    answer = json.loads(result.out)
    assert answer["same_data_as_in_training"] is False
    # Pictures of either split may have been trained on.
    assert [part["seen_in_training"] for part in answer["splits"].values()] == [None, None]


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_other_data_and_no_test_split(jaxnet: Run, h5: Write, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--positive", "dog")
    other = h5("one.h5", test_set_x=None, test_set_y=None, list_classes=np.array([b"dog", b"cat"]))
    result = jaxnet("evaluate", "runs/001", "--data", other, "--json")
    answer = json.loads(result.out)
    assert answer["data"]["positive"] == "dog"
    assert list(answer["splits"]) == ["train"]
    assert "there is no test split to evaluate on" in result.err
    assert "other data: " in result.err
    mixed = jaxnet("evaluate", "runs/001", "--data", h5(), "--force")
    assert mixed.code == 0
    assert (
        'predicts the probability of "dog", but the positive class of these data is "cat"'
        in mixed.out
    )


@pytest.mark.usefixtures("undrawn")
def test_the_data_options_of_the_run_are_kept(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--data-seed", 5, "--positive", "dog")
    answer = json.loads(jaxnet("evaluate", "runs/001", "--json").out)
    assert answer["same_data_as_in_training"] is True
    assert answer["data"]["positive"] == "dog"
    seed = ("--data-seed", 0, "--force", "--json")
    assert json.loads(jaxnet("evaluate", "runs/001", *seed).out)["same_data_as_in_training"] is (
        False
    )


@pytest.mark.usefixtures("undrawn")
def test_data_options_edited_by_hand(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK)
    with h5py.File("runs/001/model.h5", "a") as file:
        file["data"].attrs["data_seed"] = np.bytes_("five")
    result = jaxnet("evaluate", "runs/001")
    assert result.code == 2
    assert "was saved with the setting data_seed = 'five'" in result.err
    assert jaxnet("evaluate", "runs/001", "--data", folder).code == 2, "a file is read whole"


@pytest.mark.usefixtures("undrawn")
def test_test_pictures_that_are_in_train_can_be_left_out(
    jaxnet: Run, h5: Write, images: np.ndarray
) -> None:
    path = h5(test_set_x=images[[0, 9, 10, 11]])
    jaxnet("train", "--data", path, "--iterations", 20, "--no-page")
    result = jaxnet("evaluate", "runs/001", "--exclude-leaks", "--json")
    assert "test (without 1 that are also in train): only the network" in result.err
    answer = json.loads(result.out)
    assert answer["same_data_as_in_training"] is True
    seen = {name: part["seen_in_training"] for name, part in answer["splits"].items()}
    assert seen == {"train": True, "test": False}
    assert answer["splits"]["test"]["pictures"] == 3
    assert answer["splits"]["train"]["pictures"] == 8


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_model_that_names_no_data(jaxnet: Run, folder: Path) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--precision", "float64")
    assert jaxnet("evaluate", "runs/001").code == 0
    with h5py.File("runs/001/model.h5") as file:
        assert file["params/W1"].dtype == np.float64
    jaxnet("train", "--data", folder, *QUICK)
    save_model("alone.h5", load_model("runs/002"))
    refused = jaxnet("evaluate", "alone.h5")
    assert refused.code == 2
    assert "--data" in refused.err
    assert jaxnet("evaluate", "alone.h5", "--data", folder).code == 0
    assert jaxnet("evaluate", "nowhere").code == 2


@pytest.mark.usefixtures("undrawn")
@pytest.mark.slow
def test_the_real_cats(jaxnet: Run, cats: object) -> None:
    jaxnet("train", "--data", "catvnoncat", "--iterations", 300, "--no-page")
    answer = json.loads(jaxnet("evaluate", "runs/001", "--json").out)
    right = {key: line["right"] for key, line in answer["splits"]["test"]["baselines"].items()}
    assert right == {"constant": 17, "hindsight": 33, "brightness": 19, "logistic": 27}
    assert answer["splits"]["test"]["best_baseline"] == "hindsight"
    assert answer["splits"]["test"]["tested_baseline"] == "logistic"


@pytest.mark.slow
def test_a_run_that_was_trained_on_a_stream(
    jaxnet: Run, h5: Write, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    path = h5()
    options = ("--stream", "--batch", 4, "--iterations", 9, "--out", "r")
    trained = jaxnet("train", "--data", path, *options)
    assert trained.code < 2, trained.err
    monkeypatch.setattr("jaxnet.data.load.load_searched", None)
    shown = jaxnet("evaluate", "r")
    assert shown.code == 0, shown.err
    for part in ("read in blocks", "train (seen in training)", "duplicates are not searched"):
        assert part in shown.out
    assert Path("r/evaluation.png").exists()
    request.getfixturevalue("undrawn")
    answer = json.loads(jaxnet("evaluate", "r", "--force", "--json").out)
    assert answer["data"]["splits"]["test"]["shape"] == [4, 8, 6, 3]


def test_a_part_of_a_stream_on_the_page(jaxnet: Run, h5: Write) -> None:
    path = h5()
    options = ("--stream", "--batch", 4, "--iterations", 9, "--out", "r")
    assert jaxnet("train", "--data", path, *options).code < 2
    shown = jaxnet("page", "r", "--data", h5("small.h5"))
    assert shown.code == 0, shown.err
    assert "the run was trained on a stream" in shown.out
    assert Path("r/page.html").exists()


@pytest.mark.usefixtures("undrawn")
def test_it_says_how_often_the_test_set_was_scored(jaxnet: Run, folder: Path, h5: Write) -> None:
    jaxnet("train", "--data", folder, *QUICK, "--no-page")
    scored = Path("runs/001/test-set-scored.txt")
    for before in ("once before (jaxnet train)", "2 times before (jaxnet train; jaxnet evaluate, "):
        result = jaxnet("evaluate", "runs/001", "--force", "--json")
        assert f"the test set was scored {before}" in " ".join(result.err.split())
    assert len(scored.read_text().splitlines()) == 2
    by = json.loads(result.out)["test_set_scored_by"]
    assert [text.split(",")[0] for text in by] == ["jaxnet train", *["jaxnet evaluate"] * 2]
    other = jaxnet("evaluate", "runs/001", "--data", h5(), "--force", "--json")  # other pictures
    assert json.loads(other.out)["test_set_scored_by"] == []
    assert "was scored" not in other.err
    assert len(scored.read_text().splitlines()) == 2
    scored.unlink()
    scored.mkdir()  # nothing can be written there
    again = jaxnet("evaluate", "runs/001", "--force")
    assert again.code == 0
    assert "once before (jaxnet train)" in " ".join(again.out.split())
