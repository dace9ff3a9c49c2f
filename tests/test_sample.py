"""The pictures on which an export is tried: those of its run, where they are there."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from jaxnet.data.load import load_dataset
from jaxnet.runs.run import load_run
from jaxnet.runs.sample import SIZE, draw_sample, take_sample
from jaxnet.runs.train import train
from jaxnet.settings import Settings


def test_pictures_of_the_run_else_drawn_ones(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jaxnet.runs.sample.SIZE", 5)
    data = load_dataset(folder, size=8)
    train(data, Settings(iterations=1)).save(tmp_path / "run")
    run = load_run(tmp_path / "run")
    sample = take_sample(run)
    assert sample.images.shape == (5, 8, 8, 3)
    assert str(folder) in sample.source
    every = np.concatenate([split.images for split in data.splits.values()])
    assert all((image == every).all((1, 2, 3)).any() for image in sample.images)
    assert (sample.images[-1] == data.splits["test"].images[-1]).all()
    shutil.rmtree(folder)
    assert take_sample(run).source == draw_sample().source == "drawn sketches"


def test_drawn_ones_are_of_both_classes_and_of_many_colours() -> None:
    images = draw_sample().images
    assert images.shape == (SIZE, 64, 64, 3)
    assert images.std() > 30
