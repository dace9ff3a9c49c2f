"""Ensembles: many seeds in one model file, which predicts by the mean of their probabilities."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import numpy as np
import pytest
from conftest import Result

from jaxnet import (
    DataError,
    Dataset,
    Model,
    Preprocessing,
    Settings,
    Split,
    UsageError,
    evaluate,
    export_model,
    init_params,
    load_model,
    load_run,
    open_pictures,
    resume,
    save_model,
    train,
    train_ensemble,
    train_seeds,
)
from jaxnet.data.hdf5 import write_hdf5
from jaxnet.errors import ModelFileError
from jaxnet.evaluation.accuracies import predict_stored
from jaxnet.report.display import summary
from jaxnet.report.page.data import collect
from jaxnet.runs.ensemble import train_members
from jaxnet.runs.model import mean_prediction

SETTINGS = Settings(
    hidden_units=3, weight_scale=0.3, learning_rate=0.05, iterations=15, seed=4, precision="float64"
)


@pytest.fixture
def data(images: np.ndarray) -> Dataset:
    labels = np.array([0, 1, 0, 0, 1, 0, 1, 0])
    return Dataset(Split(images[:8], labels), Split(images[8:], labels[:4]), ("no", "yes"), "noise")


def drawn(count: int) -> tuple[Any, ...]:
    return tuple(init_params(jax.random.key(i), 48, 3, weight_scale=0.3) for i in range(count))


@pytest.fixture
def model() -> Model:
    """Five networks, of which the third is the one to be looked at."""
    members = drawn(5)
    return Model(members[2], Preprocessing(8, 6), ("no", "yes"), members=members)


def test_it_predicts_the_mean_of_the_probabilities(
    model: Model, images: np.ndarray, tmp_path: Path
) -> None:
    singles = [Model(params, model.preprocessing, model.classes) for params in model.members]
    expected = np.mean([single.predict_images(images) for single in singles], axis=0)
    np.testing.assert_array_equal(model.predict_images(images), expected)
    assert not np.allclose(expected, singles[2].predict_images(images), atol=1e-4)
    save_model(tmp_path / "model.h5", model)
    loaded = load_model(tmp_path)
    np.testing.assert_array_equal(loaded.predict_images(images), expected)
    chex.assert_trees_all_equal(loaded.members, model.members)
    chex.assert_trees_all_equal(loaded.params, model.params)
    assert "the mean of 5 such networks" in summary(loaded)
    # What is of one network is that of params.
    chex.assert_trees_all_equal(model.forward_images(images), singles[2].forward_images(images))
    # A file without one is read whatever of the two versions it is.
    save_model(tmp_path / "one.h5", singles[2])
    with h5py.File(tmp_path / "one.h5", "a") as file:
        assert "members" not in file
        file.attrs["format_version"] = 2
    assert load_model(tmp_path / "one.h5").members == ()


def test_the_loss_of_a_mean_is_finite_where_its_probability_rounds_to_1() -> None:
    Z2 = np.array([[1.0, -2.0, 90.0, -690.0], [3.0, 0.5, 100.0, -700.0], [-1.0, 0.0, 95.0, -695.0]])
    logits, probabilities = mean_prediction([(z, 1 / (1 + np.exp(-z))) for z in Z2])
    mean = (1 / (1 + np.exp(-Z2))).mean(axis=0)
    np.testing.assert_allclose(probabilities, mean, rtol=1e-15)
    usual = mean[:2]
    np.testing.assert_allclose(logits[:2], np.log(usual / (1 - usual)), rtol=1e-13)
    # 1 − p is the mean of e^−z, and p that of e^z.
    for column, sign in ((2, -1), (3, 1)):
        expected = sign * (np.logaddexp.reduce(sign * Z2[:, column]) - np.log(3))
        np.testing.assert_allclose(logits[column], expected, rtol=1e-13)


def test_its_members_are_the_networks_of_train(data: Dataset, tmp_path: Path) -> None:
    run = train_ensemble(data, SETTINGS, seeds=4)
    runs = [train(data, dataclasses.replace(SETTINGS, seed=seed)) for seed in (4, 5, 6, 7)]
    for params, single in zip(run.members, runs, strict=True):
        chex.assert_trees_all_equal(params, single.model.params)
    seeds = train_members(data, SETTINGS, seeds=4).seeds
    many = train_seeds(data, SETTINGS, seeds=4)
    assert run.settings is not None
    assert run.settings.seed == seeds.kept == many.kept
    np.testing.assert_allclose(seeds.last_costs, many.last_costs, rtol=1e-12)
    np.testing.assert_array_equal(seeds.outcomes, many.outcomes)
    for name in ("train", "test"):
        theirs = many.probabilities[name]
        np.testing.assert_allclose(seeds.probabilities[name], theirs, rtol=1e-11)
        np.testing.assert_array_equal(seeds.labels[name], many.labels[name])
    kept = runs[run.settings.seed - 4]
    np.testing.assert_array_equal(run.costs, kept.costs)
    chex.assert_trees_all_equal(run.model.params, kept.model.params)
    # Its scores are those of the mean, in memory and in files.
    expected = np.mean([single.model.predict_images(data.test.images) for single in runs], axis=0)  # type: ignore[union-attr]
    run.save(tmp_path / "run")
    loaded = load_run(tmp_path / "run")
    scored = evaluate(loaded, data).splits["test"]
    labels = data.test.labels  # type: ignore[union-attr]
    assert scored.right == int(((expected > 0.5) == labels).sum())
    losses = -np.log(np.where(labels == 1, expected, 1 - expected))
    assert scored.log_loss.value == pytest.approx(losses.mean(), rel=1e-12)
    write_hdf5(tmp_path / "data.h5", data)
    stored = predict_stored(loaded.model, open_pictures(tmp_path / "data.h5", "test"))[1]
    np.testing.assert_allclose(stored, expected, rtol=1e-12)
    # It is judged as it is, and not continued.
    chex.assert_trees_all_equal(resume(loaded, data).members, run.members)
    with pytest.raises(UsageError, match="an ensemble of 4 networks, of which it has the training"):
        resume(loaded, data, iterations=16)
    assert collect(loaded, data).header["ensemble"] == 4


def test_a_network_that_is_not_finite_is_no_member(data: Dataset) -> None:
    wild = dataclasses.replace(SETTINGS, learning_rate=1e200, activation="leaky_relu")
    with pytest.raises(UsageError, match="none of 2 networks has finite numbers"):
        train_ensemble(data, wild, seeds=2)
    with pytest.raises(UsageError, match="seeds is 1"):
        train_ensemble(data, SETTINGS, seeds=1)
    with pytest.raises(UsageError, match="the last seed is 4294967299"):
        train_ensemble(data, dataclasses.replace(SETTINGS, seed=2**32 - 1), seeds=5)


def test_members_of_another_shape_are_refused(model: Model, tmp_path: Path) -> None:
    other = init_params(jax.random.key(0), 48, 4)
    with pytest.raises(DataError, match=r"member 1 of the ensemble has W1 \(4, 48\) float32"):
        dataclasses.replace(model, members=(model.params, other))
    infinite = {**model.params, "b2": model.params["b2"] + np.inf}
    with pytest.raises(UsageError, match="a parameter of the model is not finite"):
        save_model(tmp_path / "a.h5", dataclasses.replace(model, members=(infinite,)))
    save_model(tmp_path / "model.h5", model)
    changes: dict[str, Callable[[h5py.Group], Any]] = {
        "W1 of the members has shape": lambda group: cut(group, "W1", np.s_[:, :2]),
        "of the members has shape": lambda group: cut(group, "b1", np.s_[:3]),
        "there is no W2": lambda group: group.pop("W2", None) or group.__delitem__("W2"),
    }
    for found, change in changes.items():
        shutil.copy(tmp_path / "model.h5", tmp_path / "changed.h5")
        with h5py.File(tmp_path / "changed.h5", "a") as file:
            change(file["members"])
        with pytest.raises(ModelFileError, match=found):
            load_model(tmp_path / "changed.h5")


def cut(group: h5py.Group, name: str, part: Any) -> None:
    array = group[name][part]
    del group[name]
    group[name] = array


def test_it_is_exported_as_a_function(model: Model, images: np.ndarray, tmp_path: Path) -> None:
    export_model(model, tmp_path / "a.stablehlo", "stablehlo", images)
    exported = jax.export.deserialize(bytearray((tmp_path / "a.stablehlo").read_bytes()))
    A2 = exported.call(model.preprocessing.columns(images))
    np.testing.assert_allclose(A2[0], model.predict_images(images), rtol=1e-5)
    for kind in ("npz", "safetensors", "numpy"):
        with pytest.raises(UsageError, match=f"an ensemble of 5 networks, and {kind} holds one"):
            export_model(model, tmp_path / "a", kind)


@pytest.mark.slow
def test_the_command_trains_one(jaxnet: Callable[..., Result], folder: Path) -> None:
    options = ("--data", folder, "--size", 8, "--iterations", 5, "--no-page", "--out", "run")
    result = jaxnet("train", *options, "--seeds", 3, "--ensemble", "--optimizer", "adam")
    assert result.code in (0, 1), result.err
    said = "ensemble: predictions are the mean of the probabilities of 3 networks"
    assert said in result.out
    assert "3 seeds: " in result.out
    assert len(load_run("run").members) == 3
    picture = next(folder.rglob("*.png"))
    result = jaxnet("predict", "run", picture, "--json")
    assert "ensemble: the mean probability of 3 networks" in result.err
    (prediction,) = json.loads(result.out)
    mean = load_run("run").model.predict_files(picture)[0]
    assert prediction["probability"] == pytest.approx(float(mean), rel=1e-6)
    result = jaxnet("train", "--ensemble")
    assert result.code == 2
    assert "--ensemble is given with one seed" in result.err
    result = jaxnet("train", "--resume", "run", "--iterations", 9)
    assert result.code == 2
    assert "the run is an ensemble of 3 networks" in result.err
