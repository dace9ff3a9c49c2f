"""Mirror images and shifts: what is trained on, and that nothing else is changed."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import jitted
import numpy as np
import pytest
from conftest import Problem

from jaxnet import (
    Dataset,
    Examples,
    Preprocessing,
    Settings,
    Split,
    UsageError,
    diagnose,
    fit,
    fit_in_chunks,
    leave_one_out,
    load_run,
    loss,
    open_pictures,
    repeat,
    resume,
    start_descent,
    sweep,
    train,
    train_seeds,
)
from jaxnet.data.to_examples import examples_of, to_examples
from jaxnet.errors import DataError
from jaxnet.evaluation.doctor.result import check_gap
from jaxnet.evaluation.doctor.trained import trained_network
from jaxnet.many.grid import Grid
from jaxnet.minibatches import draw_batches
from jaxnet.runs.run import draw_params
from jaxnet.shifts import Shifts, draw_offsets, shift_rows, start_drawing
from jaxnet.training import Fit

LABELS = np.array([0, 1, 0, 0, 1, 0, 1, 0])
MIRRORED = Settings(
    hidden_units=3,
    weight_scale=0.3,
    learning_rate=0.05,
    iterations=20,
    mirrored=True,
    precision="float64",
)
SHIFTED = dataclasses.replace(MIRRORED, mirrored=False, batch=3, shift=2)


@pytest.fixture
def data(images: np.ndarray) -> Dataset:
    """Eight pictures of noise to train on, two to validate, two to test."""
    two = np.array([0, 1])
    validation, test = Split(images[8:10], two), Split(images[10:], two)
    return Dataset(Split(images[:8], LABELS), test, ("no", "yes"), "noise", validation=validation)


def mirror_by_hand(X: Any) -> np.ndarray:
    """Permute the rows of X of pictures of 8 × 6 in grey: pixel (i, j) becomes (i, 5 − j)."""
    order = [6 * i + 5 - j for i in range(8) for j in range(6)]
    return np.asarray(X)[order]


def test_every_training_picture_is_followed_by_its_mirror_image(data: Dataset) -> None:
    ours, plain = (to_examples(data, s) for s in (MIRRORED, Settings(precision="float64")))
    X, Y = ours["train"].X, ours["train"].Y
    np.testing.assert_array_equal(X[:, :8], plain["train"].X)
    np.testing.assert_array_equal(X[:, 8:], mirror_by_hand(plain["train"].X))
    np.testing.assert_array_equal(Y, [[*LABELS, *LABELS]])
    for name in ("validation", "test"):
        chex.assert_trees_all_equal(ours[name], plain[name])
    weights = to_examples(data, dataclasses.replace(MIRRORED, balanced=True))["train"].weights
    assert weights is not None
    np.testing.assert_allclose(weights[0, 8:], weights[0, :8], rtol=0)


def test_a_cost_is_the_mean_over_pictures_and_mirror_images(data: Dataset) -> None:
    """The oracle: `fit` of columns that are mirrored by hand, in the span and in pixels."""
    plain = to_examples(data, Settings(precision="float64"))["train"]
    with jax.enable_x64(True):
        mirrored = mirror_by_hand(plain.X)
        X = jax.device_put(np.concatenate([plain.X, mirrored], axis=1))
        Y = jax.device_put(np.concatenate([plain.Y, plain.Y], axis=1))
        params = draw_params(MIRRORED, len(X))
        both = [jitted.loss(params, some, plain.Y) for some in (plain.X, mirrored)]
    for basis, other, batch in (("span", "pixels", None), ("pixels", "span", 5)):
        settings = dataclasses.replace(MIRRORED, basis=basis, batch=batch)
        run = train(data, settings)
        how: dict[str, Any] = {"learning_rate": 0.05, "iterations": 20, "basis": other}
        with jax.enable_x64(True):
            by_hand = fit(params, X, Y, batch=batch, **how)
        np.testing.assert_allclose(run.costs, by_hand.costs, rtol=1e-12)
        chex.assert_trees_all_close(run.model.params, by_hand.params, rtol=1e-11, atol=1e-13)
        if batch is None:
            np.testing.assert_allclose(run.costs[0], np.mean(both), rtol=1e-13)
        else:
            assert run.epoch == 4  # sixteen examples in batches of five
            assert len(run.epoch_costs) == 5


def test_a_network_of_mirrored_pictures_knows_its_pictures_again(
    data: Dataset, tmp_path: Path
) -> None:
    settings = Settings(
        hidden_units=3, epochs=10, batch=5, mirrored=True, precision="float64", basis="pixels"
    )
    whole = train(data, settings)
    assert len(whole.costs) == 10 * 4
    half = train(data, dataclasses.replace(settings, epochs=4))
    half.save(tmp_path / "half")
    rest = resume(load_run(tmp_path / "half"), data, epochs=10)
    np.testing.assert_array_equal(rest.costs, whole.costs)
    chex.assert_trees_all_equal(rest.model.params, whole.model.params)
    assert rest.trained_on(data)
    assert repeat(load_run(rest.save(tmp_path / "rest")), data).same
    # The checks see what it was trained on; accuracies are those of the pictures themselves.
    with jax.enable_x64(True):
        trained = trained_network(rest, data)
        gap = check_gap(trained)
    chex.assert_trees_all_equal(trained.train, to_examples(data, settings)["train"])
    right = (rest.model.predict_images(data.train.images) > 0.5) == LABELS
    assert gap.values["train"] == right.mean()


@pytest.mark.slow
def test_many_networks_are_those_of_train(data: Dataset) -> None:
    seeds = train_seeds(data, MIRRORED, seeds=2)
    swept = sweep(data, Grid((0.05,), (0.3,), 2, ("relu",)), MIRRORED, keep_costs=True)
    assert swept.costs is not None
    assert seeds.probabilities["train"].shape == (2, 8)
    np.testing.assert_array_equal(seeds.labels["train"], LABELS)
    for i in range(2):
        run = train(data, dataclasses.replace(MIRRORED, seed=i))
        np.testing.assert_allclose(seeds.last_costs[i], run.costs[-1], rtol=1e-12)
        np.testing.assert_allclose(swept.costs[0, 0, 0, i], run.costs, rtol=1e-12)
        expected = run.model.predict_images(data.train.images)
        np.testing.assert_allclose(seeds.probabilities["train"][i], expected, rtol=1e-12)


@pytest.mark.slow
def test_a_picture_is_left_out_with_its_mirror_image(data: Dataset) -> None:
    """The oracle: trainings on data sets without the picture."""
    result = leave_one_out(data, MIRRORED, seeds=2)
    assert result.train.shape == (2, 8)
    assert result.train_without.shape == (2, 8, 8)
    kept = np.delete(np.arange(8), 4)
    without = train(dataclasses.replace(data, train=data.train.take(kept)), MIRRORED).model
    expected = without.predict_images(data.train.images)
    np.testing.assert_allclose(result.train_without[0, 4], expected, rtol=1e-11)


@pytest.mark.slow
def test_a_diagnosis_searches_among_the_same_examples(data: Dataset) -> None:
    wild = train(data, dataclasses.replace(MIRRORED, learning_rate=40.0, iterations=30))
    assert wild.outcome in ("diverged", "dead", "not finite")
    assert diagnose(wild).reason == "rate too large"


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_a_shifted_picture_is_that_of_numpy(color: str, images: np.ndarray) -> None:
    """The oracle: NumPy pads by the edge, rolls, and cuts the padding off."""
    preprocessing = Preprocessing(8, 6, color)
    rows = np.transpose(preprocessing.columns(images))
    offsets = np.array([(i - 2, j - 2) for i in range(5) for j in range(5)], np.int32)[::2][:12]
    ours = jax.jit(shift_rows, static_argnums=2)(rows, offsets, Shifts(2, 8, 6))
    for picture, (down, right), shifted in zip(images, offsets, ours, strict=False):
        padded = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="edge")
        moved = np.roll(padded, (down, right), axis=(0, 1))[2:-2, 2:-2]
        expected = np.asarray(preprocessing.columns(moved[None]))[:, 0]
        np.testing.assert_array_equal(shifted, expected)


draw_in_jit = jax.jit(draw_offsets, static_argnums=0)
cost_and_gradients = jax.jit(jax.value_and_grad(loss))


def test_every_offset_is_drawn_as_often_as_the_others() -> None:
    """χ² of 25 offsets over 4,000 draws; the second iteration and another seed draw others."""
    numbers = np.arange(2000)

    def draw(drawing: Any, t: int) -> Any:
        return draw_in_jit(Shifts(2, 8, 6), drawing, t, numbers)

    first, second = (np.asarray(draw(start_drawing(3, 0), t)) for t in (0, 1))
    both = np.concatenate([first, second])
    counts = np.bincount((both + 2) @ [5, 1], minlength=25)
    assert counts.sum() == 4000
    assert counts.size == 25
    assert ((counts - 160) ** 2 / 160).sum() < 51.2  # p = 0.001, 24 degrees of freedom
    # What is drawn depends on seed, iteration and picture; the chunk it is counted from does not.
    np.testing.assert_array_equal(draw(start_drawing(3, 1), 0), second)
    assert (first != second).any(axis=1).mean() > 0.9
    assert (first != draw(start_drawing(4, 0), 0)).any(axis=1).mean() > 0.9
    of_two = start_drawing(3, 0, np.array([9, 7], np.int32))
    some = draw_in_jit(Shifts(2, 8, 6), of_two, 0, np.array([1]))
    np.testing.assert_array_equal(some, first[7:8])


@pytest.mark.parametrize("batch", [3, None])
def test_every_update_sees_pictures_shifted_anew(batch: int | None, data: Dataset) -> None:
    """The oracle: pictures shifted one by one with NumPy, and plain steps by the gradient."""
    settings = dataclasses.replace(SHIFTED, batch=batch, iterations=5)
    run = train(data, settings)
    assert settings.basis == "pixels"
    preprocessing = run.preprocessing
    with jax.enable_x64(True):
        params = jax.device_get(draw_params(settings, 48))
        for t, rows in enumerate(draw_batches(0, 0, 5, 8, batch or 8)):
            seen = rows[rows >= 0]
            offsets = np.asarray(draw_in_jit(Shifts(2, 8, 6), start_drawing(0, t), 0, seen))
            moved = [
                np.roll(np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="edge"), offset, (0, 1))
                for picture, offset in zip(data.train.images[seen], offsets, strict=True)
            ]
            X = preprocessing.columns(np.stack(moved)[:, 2:-2, 2:-2], "float64")
            cost, slopes = cost_and_gradients(params, X, LABELS[None, seen].astype(float))
            np.testing.assert_allclose(run.costs[t], cost, rtol=1e-12)
            params = {name: leaf - 0.05 * slopes[name] for name, leaf in params.items()}
    chex.assert_trees_all_close(run.model.params, params, rtol=1e-11, atol=1e-13)


def test_a_shifted_training_is_continued_and_repeated_to_the_bit(
    data: Dataset, tmp_path: Path
) -> None:
    whole = train(data, SHIFTED)
    half = train(data, dataclasses.replace(SHIFTED, iterations=9))
    rest = resume(load_run(half.save(tmp_path / "half")), data, iterations=20)
    np.testing.assert_array_equal(rest.costs, whole.costs)
    chex.assert_trees_all_equal(rest.model.params, whole.model.params)
    assert repeat(rest, data).same


def test_pictures_that_stay_in_their_file_are_shifted_alike(data: Dataset, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["train_set_x"], file["train_set_y"] = data.train.images, data.train.labels
    pictures = open_pictures(tmp_path / "a.h5")
    streamed, in_memory = train(pictures, SHIFTED), train(data, SHIFTED)
    np.testing.assert_allclose(streamed.costs, in_memory.costs, rtol=1e-12)
    half = train(pictures, dataclasses.replace(SHIFTED, iterations=9))
    rest = resume(half, pictures, iterations=20)
    np.testing.assert_array_equal(rest.costs, streamed.costs)
    with pytest.raises(UsageError, match="read in blocks, and mirrored is set"):
        train(pictures, dataclasses.replace(SHIFTED, mirrored=True))


def test_what_cannot_be_mirrored_or_shifted_is_refused(data: Dataset, tiny: Problem) -> None:
    examples = Examples(*tiny[1:3])
    start = start_descent(tiny.params, tiny.X, basis="span")
    in_pixels = start_descent(tiny.params, tiny.X, basis="pixels")
    cases: tuple[tuple[type[Exception], str, Callable[[], Any]], ...] = (
        (UsageError, "mirrored is set, and the data are", lambda: examples_of(examples, MIRRORED)),
        (UsageError, "the basis is span with shift 2", lambda: Settings(basis="span", shift=2)),
        (UsageError, "shift is -1", lambda: Settings(shift=-1)),
        (UsageError, "shift is 2 for many networks", lambda: train_seeds(data, SHIFTED, seeds=2)),
        (UsageError, "shift is 6 for pictures of 8 × 6", lambda: shift_by(data, 6)),
        (UsageError, "basis of the descent is the span", lambda: steps(start, Shifts(1, 1, 5))),
        (UsageError, "shifts is of type int", lambda: steps(in_pixels, 3)),
        (DataError, "X has 5 features, and the", lambda: steps(in_pixels, Shifts(1, 2, 2))),
    )
    for kind, found, call in cases:
        with pytest.raises(kind, match=found):
            call()


def shift_by(data: Dataset, most: int) -> Any:
    return train(data, dataclasses.replace(SHIFTED, shift=most))


def steps(descent: Any, shifts: Any) -> list[Fit]:
    Y = jax.device_put(np.array([[0.0, 1, 1, 0, 1, 0, 0]]))
    return list(fit_in_chunks(descent, Y, iterations=2, shifts=shifts))
