"""A run that is saved and goes on, against one that was never stopped: the same bits."""

import functools
from pathlib import Path
from typing import Any

import chex
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import Problem

from jaxnet.data.columns import Preprocessing
from jaxnet.errors import ModelFileError
from jaxnet.network import init_params
from jaxnet.optimizer import sgd
from jaxnet.runs.model_file import Model, load_descent, load_model, save_model
from jaxnet.training import Basis, Descent, Fit, fit_in_chunks, start_descent

# Rules hold no state, and each is made once, so that its program is compiled once.
RULES: dict[str, tuple[optax.GradientTransformation, Basis]] = {
    "sgd": (sgd(0.2), "pixels"),
    "sgd in the span": (sgd(0.2), "span"),
    "momentum": (sgd(0.1, 0.9), "pixels"),
    "nesterov in the span": (sgd(0.1, 0.9, nesterov=True), "span"),
    "adam": (optax.adam(0.01), "pixels"),
}


def make_start(name: str, dtype: str) -> tuple[Descent, jax.Array]:
    draw = np.random.default_rng(3)
    X = jnp.asarray(draw.uniform(-1, 1, (48, 7)), dtype)
    Y = jnp.asarray(draw.integers(0, 2, (1, 7)), dtype)
    rule, basis = RULES[name]
    params = init_params(jax.random.key(1), 48, 3, scale=0.3, dtype=dtype)
    return start_descent(params, X, rule, basis), Y


@functools.cache
def make_whole(name: str, dtype: str) -> Fit:
    """Train without a stop."""
    start, Y = make_start(name, dtype)
    *_, whole = fit_in_chunks(start, Y, iterations=40)
    return whole


def as_model(params: Any, costs: np.ndarray) -> Model:
    return Model(params, Preprocessing(8, 6), ("no", "yes"), costs=costs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("stopped_at", [0, 1, 13])
def test_going_on_gives_the_same_bits(
    name: str, dtype: str, stopped_at: int, tmp_path: Path
) -> None:
    with jax.enable_x64(dtype == "float64"):
        start, Y = make_start(name, dtype)
        whole = make_whole(name, dtype)
        here = start
        if stopped_at:
            *_, part = fit_in_chunks(start, Y, iterations=stopped_at, chunk=5)
            here = part.descent
        save_model(tmp_path / "model.h5", as_model(here.params, here.costs), here)
        # As in a new process: everything from the start, but for what was saved.
        again = load_descent(tmp_path, make_start(name, dtype)[0])
        assert len(again.costs) == stopped_at
        chex.assert_trees_all_equal(again.state, here.state)
        *_, rest = fit_in_chunks(again, Y, iterations=40, chunk=9)
        chex.assert_trees_all_equal(rest.params, whole.params)
        np.testing.assert_array_equal(rest.costs, whole.costs)
        assert rest.costs.dtype == whole.costs.dtype
        assert rest.outcome == whole.outcome
        chex.assert_trees_all_equal(load_model(tmp_path).params, here.params)


def test_what_does_not_fit_is_refused(tmp_path: Path, x64: None) -> None:
    path = tmp_path / "model.h5"
    start, _ = make_start("sgd in the span", "float64")
    save_model(path, as_model(start.params, start.costs))
    with pytest.raises(ModelFileError, match="not how to go on"):
        load_descent(path, start)
    save_model(path, as_model(start.params, start.costs), start)
    with pytest.raises(ModelFileError, match="trained in span, and is to go on in pixels"):
        load_descent(path, make_start("sgd", "float64")[0])
    with pytest.raises(ModelFileError, match=r"state/C of the run is float64 \(3, 7\)"):
        load_descent(path, make_start("sgd in the span", "float32")[0])
    for name in ("state/C", "optimizer/0", "W1", "Z1"):
        save_model(path, as_model(start.params, start.costs), start)
        with h5py.File(path, "a") as file:
            del file[f"descent/{name}"]
        with pytest.raises(ModelFileError, match="a part missing"):
            load_descent(path, start)


def test_a_whole_run_is_one_file(tmp_path: Path, tiny: Problem) -> None:
    start, _ = make_start("adam", "float64")
    save_model(tmp_path / "model.h5", as_model(start.params, start.costs), start)
    with h5py.File(tmp_path / "model.h5") as file:
        assert file["descent"].attrs["basis"] == b"pixels"
        assert sorted(file["descent/state"]) == ["W1", "W2", "b1", "b2"]
        assert len(file["descent/optimizer"]) == 9  # Adam's count, and two moments of each array
