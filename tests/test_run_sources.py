"""A run on each kind of source is repeated and evaluated from what its file says of the data."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from jaxnet.data.load import load_dataset
from jaxnet.runs.repeat import repeat
from jaxnet.runs.run import load_data_for, load_run
from jaxnet.runs.train import train
from jaxnet.settings import Settings


@pytest.mark.parametrize("layout", [None, "NCHW"])
def test_a_run_on_an_archive(layout: str | None, images: np.ndarray, tmp_path: Path) -> None:
    axes = (0, 3, 1, 2) if layout else (0, 1, 2, 3)
    np.savez(tmp_path / "a.npz", X=images.transpose(axes), y=np.arange(12) % 3)
    data = load_dataset(tmp_path / "a.npz", positive="2", layout=layout, data_seed=3)
    train(data, Settings(iterations=2)).save(tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert run.data_source == data.data_source
    assert run.data_source is not None
    assert run.data_source.layout == layout
    with h5py.File(tmp_path / "run" / "model.h5") as file:  # what is None is as in older files
        assert ("layout" in file["data"].attrs) == (layout is not None)
    again = load_data_for(run)
    assert again.sha256 == data.sha256
    assert repeat(run, again).same


def test_a_run_on_a_table(folder: Path, tmp_path: Path) -> None:
    lines = [f"{path.relative_to(folder)},{path.parent.name}" for path in folder.glob("*/*.png")]
    (folder / "pets.csv").write_text("\n".join(["path,label", *lines]))
    data = load_dataset(folder / "pets.csv", size=8, positive="dog")
    train(data, Settings(iterations=2)).save(tmp_path / "run")
    (folder / "pets.csv").write_text("\n".join(["path,label", *lines[::-1]]))
    run = load_run(tmp_path / "run")
    again = load_data_for(run)
    assert again.classes == ("cat", "dog")
    assert again.sha256 == data.sha256
    assert repeat(run, again).same
