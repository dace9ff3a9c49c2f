"""Validation and early stopping: what is recorded, when a training stops, what is kept."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import numpy as np
import pytest
from conftest import Problem, Result

from jaxnet import (
    DataError,
    Dataset,
    Examples,
    Settings,
    Split,
    UsageError,
    accuracy,
    fit,
    fit_in_chunks,
    load_run,
    loss,
    make_examples,
    relu,
    repeat,
    resume,
    sgd,
    start_descent,
    sweep,
    train,
)
from jaxnet.descent import updates_program
from jaxnet.training import Fit

BASES = pytest.mark.parametrize("basis", ["span", "pixels"])


def draw_validation(tiny: Problem) -> Examples:
    """Nine examples whose labels are noise, so that their cost rises in time."""
    draw = np.random.default_rng(5)
    X = jax.device_put(draw.normal(size=(5, 9)))
    return make_examples(X, jax.device_put(draw.integers(0, 2, (1, 9)).astype(float)))


def by_steps(tiny: Problem, validation: Examples, iterations: int, **how: Any) -> list[Fit]:
    start = start_descent(tiny.params, tiny.X, sgd(0.3, 0.5), how.pop("basis"))
    seen: dict[str, Any] = {"validation": validation, "seed": 2} | how
    return list(fit_in_chunks(start, tiny.Y, iterations=iterations, chunk=1, **seen))


@BASES
@pytest.mark.parametrize("batch", [None, 3])
def test_the_curves_are_those_of_the_weights_before_each_update(
    batch: int | None, basis: str, tiny: Problem
) -> None:
    """The oracle: `loss` and `accuracy` of the parameters of every iteration."""
    validation = draw_validation(tiny)
    weights = jax.device_put(np.random.default_rng(1).uniform(size=(1, 9)))
    fits = by_steps(tiny, validation._replace(weights=weights), 25, basis=basis, batch=batch)
    points = [tiny.params, *(fit.params for fit in fits)][:25]
    cost, right = jax.jit(loss, static_argnums=3), jax.jit(accuracy, static_argnums=3)
    X, Y, _ = validation
    expected = [float(cost(params, X, Y, relu, weights)) for params in points]
    assert fits[-1].validation_costs is not None
    np.testing.assert_allclose(fits[-1].validation_costs, expected, rtol=1e-12)
    shares = [float(right(params, X, Y, relu)) for params in points]
    np.testing.assert_allclose(fits[-1].validation_accuracies, shares, rtol=1e-12)  # type: ignore[arg-type]
    # Without patience nothing is chosen, and watching changes no step.
    plain = fit(*tiny[:3], learning_rate=0.3, momentum=0.5, iterations=25, batch=batch, seed=2)
    chex.assert_trees_all_close(fits[-1].params, plain.params, rtol=1e-11)
    assert plain.validation_costs is None


@BASES
@pytest.mark.parametrize("batch", [None, 3])
def test_it_stops_and_keeps_the_weights_of_a_run_cut_there(
    batch: int | None, basis: str, tiny: Problem
) -> None:
    validation = draw_validation(tiny)
    how: dict[str, Any] = {"basis": basis, "batch": batch}
    whole = by_steps(tiny, validation, 150, patience=150, **how)
    costs = whole[-1].validation_costs
    assert costs is not None
    for patience in (1, 4, 20):
        *_, stopped = by_steps(tiny, validation, 150, patience=patience, **how)
        # The first iteration after which so many are not lower.
        lowest = np.minimum.accumulate(costs)
        waiting = np.arange(150) - [int(np.argmin(costs[: t + 1])) for t in range(150)]
        end = int(np.flatnonzero(waiting == patience)[0])
        best = end - patience
        assert len(stopped.costs) == end + 1 < 150
        assert costs[best] == lowest[end]
        np.testing.assert_array_equal(stopped.validation_costs, costs[: end + 1])
        reached = whole[best - 1].descent if best else start_descent(tiny.params, tiny.X)
        cut = dataclasses.replace(reached, best=None).params  # those reached, not the best so far
        chex.assert_trees_all_equal(stopped.params, cut)
        assert stopped.outcome is not None


@BASES
def test_continued_at_any_iteration_it_stops_with_the_same_bits(basis: str, tiny: Problem) -> None:
    validation = draw_validation(tiny)
    how: dict[str, Any] = {"validation": validation, "patience": 6}
    start = start_descent(tiny.params, tiny.X, sgd(0.3), basis)
    *_, whole = fit_in_chunks(start, tiny.Y, iterations=400, **how)
    made = len(whole.costs)
    assert made < 400
    for stop in (1, made - 6, made - 5, made - 1):
        *_, half = fit_in_chunks(start, tiny.Y, iterations=stop, chunk=3, **how)
        *_, rest = fit_in_chunks(half.descent, tiny.Y, iterations=400, chunk=7, **how)
        np.testing.assert_array_equal(rest.costs, whole.costs)
        np.testing.assert_array_equal(rest.validation_costs, whole.validation_costs)
        chex.assert_trees_all_equal(rest.params, whole.params)
    (ended,) = fit_in_chunks(whole.descent, tiny.Y, iterations=400, **how)
    assert (len(ended.costs), ended.outcome) == (made, whole.outcome)


@BASES
def test_another_patience_compiles_nothing_anew(basis: str, tiny: Problem) -> None:
    run = updates_program(small_products=basis == "span")
    sizes = []
    for patience in (1, 5):
        fit(
            *tiny[:3],
            validation=draw_validation(tiny),
            patience=patience,
            basis=basis,
            iterations=9,
        )
        sizes.append(run._cache_size())
    assert sizes[0] == sizes[1] > 0


def test_a_cost_that_is_not_a_number_is_not_lower(tiny: Problem) -> None:
    validation = draw_validation(tiny)
    X = np.array(validation.X)
    X[0, 0] = np.nan
    lost = validation._replace(X=jax.device_put(X))
    found = fit(*tiny[:3], validation=lost, patience=3, iterations=50)
    assert len(found.costs) == 3
    assert np.isnan(found.validation_costs).all()  # type: ignore[arg-type]
    assert all(np.isfinite(leaf).all() for leaf in found.params.values())


def test_wrong_arguments_are_refused(tiny: Problem) -> None:
    validation = draw_validation(tiny)
    for wrong, said in (
        ({"patience": 3}, "patience is 3 without validation"),
        ({"patience": 0, "validation": validation}, "patience is 0"),
        ({"validation": tiny.X}, "validation is of type"),
        ({"validation": Examples(validation.X[:3], validation.Y)}, "has 3 features"),
        ({"validation": Examples(validation.X, validation.Y[0])}, r"Y has shape \(9,\)"),
    ):
        with pytest.raises((UsageError, DataError), match=said):
            fit(*tiny[:3], iterations=3, **wrong)


def make_data() -> Dataset:
    """Pictures of noise: 12 to train on, 8 to validate and 4 to test."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (24, 4, 6, 3), dtype=np.uint8)
    labels = np.arange(24) % 3 % 2
    parts = [Split(images[a:b], labels[a:b]) for a, b in ((0, 12), (12, 20), (20, 24))]
    return Dataset(parts[0], parts[2], ("no", "yes"), "noise", validation=parts[1])


QUICK = Settings(
    hidden_units=3, weight_scale=0.3, learning_rate=0.3, iterations=300, patience=5, momentum=0.5
)


def test_a_run_that_stopped_is_kept_continued_and_repeated_to_the_bit(tmp_path: Path) -> None:
    data = make_data()
    whole = train(data, QUICK)
    made, best = len(whole.costs), whole.best_iteration
    assert whole.stopped_early
    assert best == made - 6
    assert best is not None
    assert best > 0
    loaded = load_run(whole.save(tmp_path / "whole"))
    assert (loaded.best_iteration, loaded.stopped_early) == (best, True)
    assert loaded.origin == whole.origin
    chex.assert_trees_all_equal(loaded.model.params, whole.model.params)
    again = resume(loaded, data)
    assert (len(again.costs), again.outcome) == (made, whole.outcome)
    for stop in (best + 1, made - 1):
        half = train(data, dataclasses.replace(QUICK, iterations=stop))
        assert (half.stopped_early, half.best_iteration) == (False, best)
        kept = load_run(half.save(tmp_path / f"half {stop}"))
        rest = resume(kept, data, iterations=300)
        np.testing.assert_array_equal(rest.costs, whole.costs)
        np.testing.assert_array_equal(rest.validation_costs, whole.validation_costs)
        chex.assert_trees_all_equal(rest.model.params, whole.model.params)
        assert rest.stopped_early
    assert repeat(loaded, data).same
    # The test set takes no part: with other test pictures the run is the same.
    assert data.test is not None
    other = dataclasses.replace(data, test=data.test._replace(images=255 - data.test.images))
    chex.assert_trees_all_equal(train(other, QUICK).model.params, whole.model.params)


def test_what_cannot_stop_early_says_so() -> None:
    data = make_data()
    with pytest.raises(UsageError, match="the data have no validation set"):
        train(dataclasses.replace(data, validation=None), QUICK)
    assert data.validation is not None
    one_class = dataclasses.replace(data, validation=data.validation.take(np.array([0, 2])))
    with pytest.raises(DataError, match='every validation picture is "no"'):
        train(one_class, QUICK)
    with pytest.raises(UsageError, match="patience is 5 for many networks"):
        sweep(data, settings=QUICK)
    with pytest.raises(UsageError, match="patience is 0"):
        dataclasses.replace(QUICK, patience=0)


@pytest.mark.slow
def test_the_command_stops_early_and_says_by_what(
    jaxnet: Callable[..., Result], undrawn: None
) -> None:
    few = ("--count", 24, "--size", 10, "--iterations", 400, "--learning-rate", 0.3)
    asked = ("train", *few, "--no-page", "--out", "run", "--validation", 0.4, "--patience", 5)
    result = jaxnet(*asked, "--json")
    assert result.code == 0
    answer = json.loads(result.out)
    run = load_run("run")
    assert run.validation_costs is not None
    best = run.best_iteration
    assert best is not None
    assert run.stopped_early
    assert answer["best_iteration"] == best == answer["iterations"] - 6
    assert (answer["stopped_early"], answer["stop_decided_by"]) == (True, "validation")
    assert answer["last_validation_cost"] == pytest.approx(float(run.validation_costs[-1]))
    assert answer["settings"]["validation"] == 0.4
    said = f"stopped early: the validation cost was lowest at iteration {best} ("
    assert said in " ".join(result.err.split())
    assert "the test set nothing" in " ".join(result.err.split())
    with h5py.File("run/model.h5") as file:
        assert file["origin"].attrs["best_iteration"] == best
        assert file["origin"].attrs["stopped_early"]
    assert "finished already" in jaxnet("train", "--resume", "run", "--no-page").out
    refused = jaxnet("train", "--count", 24, "--size", 10, "--no-page", "--patience", 5)
    assert refused.code == 2
    assert "--patience is 5, and the data have no validation set" in refused.err
    for more in (("--seeds", 3), ("--stream", "--batch", 4)):
        assert jaxnet(*asked, "--force", *more).code == 2
