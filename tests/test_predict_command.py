"""`jaxnet predict`: files, folders, patterns and standard input; tables, JSON and CSV."""

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import Result
from PIL import Image
from test_commands import QUICK, RATE, answer_of
from test_model import make_model

from jaxnet.data.load import load_dataset
from jaxnet.runs.model_file import load_model, save_model

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A network that was saved like a run, for pictures of 8 × 6."""
    folder = tmp_path / "run"
    folder.mkdir()
    save_model(folder / "model.h5", make_model())
    return folder


@pytest.mark.usefixtures("undrawn")
def test_predict(jaxnet: Run, folder: Path, tmp_path: Path) -> None:
    jaxnet("train", "--data", folder, "--size", 8, "--iterations", 400, *RATE)
    pictures = [folder / "cat" / "01.png", folder / "dog" / "00.png"]
    result = jaxnet("predict", "runs/001", *pictures)
    assert result.code == 0
    assert re.search(r"01\.png  0\.\d{4}  cat\n", result.out)
    assert re.search(r"00\.png  0\.\d{4}  dog\n", result.out)
    answer = answer_of(jaxnet("predict", "runs/001/model.h5", *pictures, "--json"))
    assert [entry["class"] for entry in answer] == ["cat", "dog"]
    assert {entry["positive"] for entry in answer} == {"cat"}
    dataset = load_dataset(folder, size=8)
    model = load_model("runs/001")
    images = np.stack([np.asarray(Image.open(path).resize((8, 8), 1)) for path in pictures])
    assert dataset.train.images.dtype == images.dtype == np.uint8
    expected = model.predict_images(images)
    np.testing.assert_allclose([entry["probability"] for entry in answer], expected, rtol=1e-6)
    strict = answer_of(jaxnet("predict", "runs/001", *pictures, "--threshold", 1, "--json"))
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


def names_of(result: Result) -> list[str]:
    assert result.code == 0, result.err
    return [Path(entry["picture"]).name for entry in json.loads(result.out)]


def test_a_folder_a_pattern_and_what_is_passed_over(jaxnet: Run, run: Path, folder: Path) -> None:
    (folder / "cat" / "notes.txt").touch()
    cats = [f"{i:02}.png" for i in range(1, 12, 2)]
    result = jaxnet("predict", run, folder / "cat", "--json")
    assert names_of(result) == cats
    assert "passed over: 1 .txt" in result.err
    assert names_of(jaxnet("predict", run, f"{folder}/*/*1.png", "--json")) == ["01.png", "11.png"]
    assert len(names_of(jaxnet("predict", run, folder, "-r", "--json"))) == 12
    refused = jaxnet("predict", run, folder)
    assert refused.code == 2
    assert "12 in the folders below it" in refused.err
    assert "--recursive" in refused.err


def test_csv(jaxnet: Run, run: Path, folder: Path) -> None:
    result = jaxnet("predict", run, folder / "cat", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    answer = json.loads(jaxnet("predict", run, folder / "cat", "--json").out)
    assert [row | {"probability": float(row["probability"])} for row in rows] == answer
    both = jaxnet("predict", run, folder / "cat", "--csv", "--json")
    assert both.code == 2
    assert "both --json and --csv" in both.err


@pytest.mark.parametrize("kind", ["picture", "lines", "nul"])
def test_standard_input(
    kind: str, jaxnet: Run, run: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = folder / "cat" / "01.png"
    text = f"{picture}\n{folder / 'dog' / '00.png'}\n".encode()
    content = {
        "picture": picture.read_bytes(),
        "lines": text.replace(b"\n", b"\r\n"),
        "nul": text.replace(b"\n", b"\0"),
    }[kind]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    result = jaxnet("predict", run, "-", "--json")
    named = ["standard input"] if kind == "picture" else ["01.png", "00.png"]
    assert names_of(result) == named
    expected = json.loads(jaxnet("predict", run, picture, "--json").out)[0]["probability"]
    assert json.loads(result.out)[0]["probability"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("content", "found"), [(b"", "is empty"), (b"\x7fELF\1\2", "standard input is a program")]
)
def test_standard_input_that_is_neither(
    content: bytes, found: str, jaxnet: Run, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    result = jaxnet("predict", run, "-")
    assert result.code == 2
    assert found in result.err


def test_arguments_in_the_wrong_order(jaxnet: Run, run: Path, folder: Path) -> None:
    picture = folder / "cat" / "01.png"
    for place in (picture, folder / "cat"):
        for network in (run, run / "model.h5"):
            result = jaxnet("predict", place, network)
            assert result.code == 2
            assert f"as in: jaxnet predict {network} {place}" in result.err
    alone = jaxnet("predict", picture, picture)
    assert f"{picture} is a PNG picture, where the run is expected" in alone.err
    assert f"jaxnet predict RUN {picture}" in alone.err


def test_an_export_is_a_network_too(jaxnet: Run, run: Path, folder: Path) -> None:
    expected = jaxnet("predict", run, folder / "cat").out
    for kind in ("npz", "safetensors"):
        assert jaxnet("export", run, "--format", kind).code == 0
        assert jaxnet("predict", run / f"model.{kind}", folder / "cat").out == expected
