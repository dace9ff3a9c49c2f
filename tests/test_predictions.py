"""Predictions of many files: those of the model, in batches, and as tables."""

import csv
from pathlib import Path

import numpy as np
import pytest
from picture_files import write_containers
from PIL import Image
from test_model import make_model

from jaxnet.data.find_pictures import find_pictures
from jaxnet.errors import DataError, UsageError
from jaxnet.evaluation.predictions import Prediction, predict_pictures
from jaxnet.report.predictions import describe_predictions, predictions_to_csv
from jaxnet.runs import model as model_module


@pytest.fixture
def paths(images: np.ndarray, tmp_path: Path) -> list[Path]:
    """Five pictures, the second of which is a text."""
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for path, image in zip(paths, images, strict=False):
        Image.fromarray(image).save(path)
    paths[1].write_text("no picture")
    return paths


def test_they_are_those_of_the_model_in_any_batches(
    paths: list[Path], images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model()
    expected = model.predict_images(images[[0, 2, 3, 4]])
    threshold = float(np.median(expected))
    for batch in (1, 2, 1024):
        monkeypatch.setattr(model_module, "BLOCK", batch)
        answer = predict_pictures(model, paths, threshold=threshold, skip_bad=True)
        assert [p.picture for p in answer.predictions] == [str(paths[i]) for i in (0, 2, 3, 4)]
        found = [p.probability for p in answer.predictions]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        names = [model.classes[p > threshold] for p in found]
        assert [p.class_ for p in answer.predictions] == names
        assert sorted(set(names)) == sorted(model.classes)
        assert {p.positive for p in answer.predictions} == {model.classes[1]}
        (error,) = answer.left_out
        assert str(paths[1]) in error.found


def test_files_are_predicted_in_blocks(
    paths: list[Path], images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model()
    readable = [path for path in paths if path != paths[1]] * 2
    expected = model.predict_images(images[[0, 2, 3, 4] * 2])
    monkeypatch.setattr(model_module, "BLOCK", 3)
    lengths = []
    predict = model_module.Model.predict_images

    def count(model: model_module.Model, images: np.ndarray) -> np.ndarray:
        lengths.append(len(images))
        return predict(model, images)

    monkeypatch.setattr(model_module.Model, "predict_images", count)
    predicted = model.predict_files(readable)
    np.testing.assert_allclose(predicted, expected, rtol=1e-6)
    assert predicted.dtype == expected.dtype
    assert lengths == [3, 3, 2]
    with pytest.raises(DataError, match=r"1\.png is a file of another kind"):
        model.predict_files(paths)


def test_a_file_that_cannot_be_read_is_an_error(paths: list[Path]) -> None:
    with pytest.raises(DataError, match=r"1\.png is a file of another kind"):
        predict_pictures(make_model(), paths)
    with pytest.raises(DataError, match=r"1\.png is a file of another kind"):
        predict_pictures(make_model(), paths[1:2], skip_bad=True)
    with pytest.raises(UsageError, match="threshold is 2"):
        predict_pictures(make_model(), paths[:1], threshold=2)


ODD = (
    Prediction("a, b.png", "cat", 0.25, "no cat"),
    Prediction("line\nbreak.png", "cat", 1.0, "cat"),
    Prediction('quote".png', "cat", 0.0, "no cat"),
)


def test_a_table_has_one_line_for_each_picture() -> None:
    assert describe_predictions(ODD) == [
        "picture         P(cat)  class",
        "a, b.png        0.2500  no cat",
        "line\N{REPLACEMENT CHARACTER}break.png  1.0000  cat",
        'quote".png      0.0000  no cat',
        "3 pictures: 2 no cat, 1 cat",
    ]
    assert len(describe_predictions(ODD[:1])) == 2


def test_csv_is_read_back_as_it_was() -> None:
    rows = list(csv.DictReader(predictions_to_csv(ODD).splitlines(keepends=True)))
    assert [row["picture"] for row in rows] == [p.picture for p in ODD]
    assert [float(row["probability"]) for row in rows] == [0.25, 1, 0]
    assert [row["class"] for row in rows] == ["no cat", "cat", "no cat"]
    assert {row["positive"] for row in rows} == {"cat"}


def test_a_picture_has_the_same_probability_in_every_container(tmp_path: Path) -> None:
    containers = write_containers(tmp_path)
    assert len(containers) >= 25
    model = make_model()
    paths = list(containers.values())
    answer = predict_pictures(model, paths)
    probabilities = [p.probability for p in answer.predictions]
    assert dict(zip(containers, probabilities, strict=True)) == dict.fromkeys(
        containers, probabilities[0]
    )
    np.testing.assert_array_equal(model.predict_files(paths), probabilities)
    assert len(find_pictures(tmp_path).paths) == len(containers)
