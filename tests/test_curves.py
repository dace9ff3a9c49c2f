"""What is recorded beside the costs: the test cost, to be looked at; validation on a stream."""

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np
import pytest
from conftest import Result

from jaxnet import (
    Dataset,
    Settings,
    Split,
    UsageError,
    load_run,
    loss,
    open_pictures,
    plot_costs,
    plot_training,
    resume,
    to_examples,
    train,
)
from jaxnet.data.hdf5 import write_hdf5
from jaxnet.errors import ModelFileError
from jaxnet.report.run import training_to_json
from jaxnet.report.training import curve_ends, describe_validation
from jaxnet.runs import test_curve
from jaxnet.runs.run import Run, first_params

SETTINGS = Settings(
    hidden_units=3,
    weight_scale=0.3,
    learning_rate=0.05,
    weight_decay=0.1,
    iterations=12,
    precision="float64",
)
BATCHES = dataclasses.replace(SETTINGS, batch=3, basis="pixels", iterations=30)


@pytest.fixture
def data(images: np.ndarray) -> Dataset:
    """Six pictures of noise to train on, three to validate, three to test."""
    labels = np.array([0, 1, 0, 0, 1, 0])
    validation, test = Split(images[6:9], labels[:3]), Split(images[9:], labels[1:4])
    return Dataset(Split(images[:6], labels), test, ("no", "yes"), "noise", validation=validation)


def curve_of(run: Run) -> tuple[np.ndarray, np.ndarray]:
    assert run.test_curve is not None
    return run.test_curve


@pytest.mark.parametrize("basis", ["span", "pixels"])
def test_the_test_cost_is_that_of_the_weights_on_the_way(basis: str, data: Dataset) -> None:
    """The oracle: `loss` of the parameters of trainings that end there."""
    settings = dataclasses.replace(SETTINGS, basis=basis, activation="leaky_relu")
    run = train(data, settings, chunk=5)
    iterations, costs = curve_of(run)
    assert iterations.tolist() == [0, 5, 10, 12]
    X, Y, _ = to_examples(data, settings)["test"]
    for t, cost in zip(iterations.tolist(), costs, strict=True):
        params = first_params(run)
        if t:
            params = train(data, dataclasses.replace(settings, iterations=t)).model.params
        with jax.enable_x64(True):
            expected = jax.jit(loss, static_argnums=3)(params, X, Y, run.hidden)
        np.testing.assert_allclose(cost, expected, rtol=1e-12)
    # Nothing depends on it.
    without = train(dataclasses.replace(data, test=None), settings, chunk=5)
    assert without.test_curve is None
    np.testing.assert_array_equal(without.costs, run.costs)


def test_the_test_curve_is_kept_and_continued(data: Dataset, tmp_path: Path) -> None:
    run = train(data, SETTINGS, chunk=5)
    iterations, costs = curve_of(run)
    folder = run.save(tmp_path / "run")
    for again in (load_run(folder), pickle.loads(pickle.dumps(run))):
        np.testing.assert_array_equal(curve_of(again), curve_of(run))
    longer = resume(load_run(folder), data, iterations=17, chunk=4)
    assert curve_of(longer)[0].tolist() == [0, 5, 10, 12, 16, 17]
    np.testing.assert_array_equal(curve_of(longer)[1][:4], costs)
    whole = train(data, dataclasses.replace(SETTINGS, iterations=17), chunk=17)
    np.testing.assert_allclose(curve_of(longer)[1][-1], curve_of(whole)[1][-1], rtol=1e-12)
    # What is saved on the way is not computed; the rest of the curve is known later.
    saved: list[Any] = []
    train(data, SETTINGS, chunk=5, hook=lambda r: saved.append(r.save(tmp_path / str(len(saved)))))
    assert load_run(saved[0]).test_curve is None
    with h5py.File(folder / "model.h5", "a") as file:
        del file["test_curve/costs"]
        file["test_curve/costs"] = costs[:2]
    with pytest.raises(ModelFileError, match="test curve have shapes"):
        load_run(folder)
    assert iterations.size == 4


def test_not_many_parameters_are_kept(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_curve, "MOST", 5)
    run = train(data, SETTINGS, chunk=1)
    assert curve_of(run)[0].tolist() == [0, 3, 6, 9, 12]
    monkeypatch.setattr(test_curve, "MOST_BYTES", 1)
    longer = train(data, dataclasses.replace(SETTINGS, iterations=14), chunk=1)
    assert curve_of(longer)[0].tolist() == [0, 4, 8, 12, 14]


def test_the_figure_shows_train_validation_and_test_apart(data: Dataset) -> None:
    run = train(data, SETTINGS, chunk=5)
    costs = plot_costs(run).axes[0]
    lines = {str(line.get_label()): line for line in costs.lines}
    assert run.validation_costs is not None
    np.testing.assert_array_equal(np.asarray(lines["validation"].get_ydata()), run.validation_costs)
    test = lines["test (decides nothing)"]
    np.testing.assert_array_equal(np.asarray(test.get_xydata()).T, curve_of(run))
    assert test.get_linestyle() != lines["validation"].get_linestyle()
    assert costs.get_ylim()[1] > max(curve_of(run)[1].max(), run.costs.max())
    left, _ = plot_training(run).subfigs
    above, below = left.axes
    assert "test (decides nothing)" in [str(line.get_label()) for line in above.lines]
    assert run.validation_accuracies is not None
    drawn = np.asarray(below.lines[0].get_ydata())
    np.testing.assert_allclose(drawn, 100 * run.validation_accuracies)
    assert below.get_ylabel() == "validation\naccuracy (%)"
    plain = train(Dataset(data.train, None, data.classes), SETTINGS)
    assert len(plot_training(plain).subfigs[0].axes) == 1
    assert "test (decides nothing)" not in str(
        plot_costs(plain).axes[0].get_legend_handles_labels()
    )


def test_validation_on_a_stream_is_that_in_memory(data: Dataset, tmp_path: Path) -> None:
    write_hdf5(tmp_path / "a.h5", data)
    pictures, validation = (open_pictures(tmp_path / "a.h5", s) for s in ("train", "validation"))
    streamed, in_memory = train(pictures, BATCHES, validation=validation), train(data, BATCHES)
    starts = np.arange(30) % 2 == 0  # an epoch has two batches
    for name in ("validation_costs", "validation_accuracies"):
        ours, theirs = getattr(streamed, name), getattr(in_memory, name)
        np.testing.assert_allclose(ours, np.where(starts, theirs, np.nan), rtol=1e-12)
    assert in_memory.objectives is not None
    assert np.isfinite(in_memory.objectives).sum() == 3
    np.testing.assert_allclose(streamed.objectives, in_memory.objectives, rtol=1e-12)  # type: ignore[arg-type]
    np.testing.assert_array_equal(train(pictures, BATCHES).costs, streamed.costs)
    half = train(pictures, dataclasses.replace(BATCHES, iterations=13), validation=validation)
    half = load_run(half.save(tmp_path / "half"))
    rest = resume(half, pictures, iterations=30, validation=validation)
    np.testing.assert_array_equal(rest.costs, streamed.costs)
    np.testing.assert_array_equal(rest.validation_costs, streamed.validation_costs)
    np.testing.assert_array_equal(rest.objectives, streamed.objectives)
    # What is said is of the iterations in which it is known.
    first, last = curve_ends(streamed.validation_costs)  # type: ignore[arg-type]
    assert describe_validation(streamed) == [f"validation cost {first:.4f} → {last:.4f}"]
    answer = training_to_json(streamed)
    assert answer["last_validation_cost"] == streamed.validation_costs[28]  # type: ignore[index]
    assert answer["last_objective"] == streamed.objectives[20]  # type: ignore[index]
    drawn = plot_costs(streamed).axes[0].lines[2]
    assert np.asarray(drawn.get_xdata()).size == 15
    with pytest.raises(UsageError, match="validation is given with a data set in memory"):
        train(data, BATCHES, validation=validation)


@pytest.mark.slow
def test_the_command_validates_on_a_stream(
    jaxnet: Callable[..., Result], data: Dataset, tmp_path: Path
) -> None:
    write_hdf5(tmp_path / "a.h5", data)
    result = jaxnet("train", "--data", tmp_path / "a.h5", "--stream", "--batch", 3, "--epochs", 4)
    assert result.code in (0, 1), result.err
    assert "validation cost 0." in result.out
    assert "validation " in result.out
    assert load_run("runs/001").validation_costs is not None
