"""A descent that is saved and continued, against one that was never stopped: the same bits."""

import functools
from pathlib import Path

import chex
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxnet.data.preprocessing import Preprocessing
from jaxnet.errors import ModelFileError
from jaxnet.network import init_params
from jaxnet.optimizer import sgd
from jaxnet.runs.checkpoint import Checkpoint, checkpoint_of, continue_from
from jaxnet.runs.model import Model
from jaxnet.runs.model_file import Stored, load_model, read_model_file, write_model_file
from jaxnet.training import Descent, Fit, fit_in_chunks, start_descent

# Rules hold no state, and each is made once, so that its program is compiled once.
RULES: dict[str, tuple[optax.GradientTransformation, str]] = {
    "sgd": (sgd(0.2), "pixels"),
    "sgd in the span": (sgd(0.2), "span"),
    "momentum": (sgd(0.1, 0.9), "pixels"),
    "nesterov in the span": (sgd(0.1, 0.9, nesterov=True), "span"),
    "adam": (optax.adam(0.01), "pixels"),
}


def make_start(name: str, dtype: str) -> tuple[Descent, jax.Array]:
    draw = np.random.default_rng(3)
    X = jax.device_put(draw.uniform(-1, 1, (48, 7)).astype(dtype))
    Y = jax.device_put(draw.integers(0, 2, (1, 7)).astype(dtype))
    rule, basis = RULES[name]
    params = init_params(jax.random.key(1), 48, 3, weight_scale=0.3, dtype=jnp.dtype(dtype))
    return start_descent(params, X, rule, basis), Y


@functools.cache
def make_whole(name: str, dtype: str) -> Fit:
    """Train without a stop."""
    start, Y = make_start(name, dtype)
    *_, whole = fit_in_chunks(start, Y, iterations=40)
    return whole


def save(path: Path, checkpoint: Checkpoint) -> Path:
    model = Model(checkpoint.params, Preprocessing(8, 6), ("no", "yes"))
    write_model_file(path, Stored(model, checkpoint, None, None, {}))
    return path


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("sgd", "float32"),
        ("sgd in the span", "float32"),
        ("sgd in the span", "float64"),
        ("momentum", "float32"),
        ("nesterov in the span", "float32"),
        ("adam", "float64"),
        *(
            pytest.param(*pair, marks=pytest.mark.slow)
            for pair in (
                ("sgd", "float64"),
                ("momentum", "float64"),
                ("nesterov in the span", "float64"),
                ("adam", "float32"),
            )
        ),
    ],
)
@pytest.mark.parametrize("stopped_at", [0, 1, 13])
def test_a_continued_descent_has_the_same_bits(
    name: str, dtype: str, stopped_at: int, tmp_path: Path
) -> None:
    with jax.enable_x64(dtype == "float64"):
        start, Y = make_start(name, dtype)
        whole = make_whole(name, dtype)
        here = start
        if stopped_at:
            *_, part = fit_in_chunks(start, Y, iterations=stopped_at, chunk=5)
            here = part.descent
        save(tmp_path / "model.h5", checkpoint_of(here))
        # As in a new process: everything from the start, but for what was saved.
        stored = read_model_file(tmp_path).checkpoint
        again = continue_from(stored, make_start(name, dtype)[0])
        assert len(again.costs) == stopped_at
        chex.assert_trees_all_equal(again.state, here.state)
        chex.assert_trees_all_equal_dtypes(again.state, here.state)
        *_, rest = fit_in_chunks(again, Y, iterations=40, chunk=9)
        chex.assert_trees_all_equal(rest.params, whole.params)
        np.testing.assert_array_equal(rest.costs, whole.costs)
        assert rest.costs.dtype == whole.costs.dtype
        assert rest.outcome == whole.outcome
        chex.assert_trees_all_equal(load_model(tmp_path).params, here.params)


def test_a_checkpoint_of_a_checkpoint_is_itself() -> None:
    checkpoint = checkpoint_of(make_start("momentum", "float32")[0])
    assert checkpoint_of(checkpoint) is checkpoint


@pytest.mark.parametrize("name", ["W1", "Z1"])
def test_what_is_fixed_in_the_span_is_the_stored_one(name: str, tmp_path: Path) -> None:
    """Computed anew, W1₀ X could have other last bits; and W1₀ is nowhere else."""
    start, Y = make_start("sgd in the span", "float32")
    kept = checkpoint_of(make_whole("sgd in the span", "float32").descent)
    array = getattr(kept, name)
    moved = kept._replace(**{name: array * np.float32(1.01)})
    save(tmp_path / "model.h5", moved)
    again = continue_from(read_model_file(tmp_path).checkpoint, start)
    assert again.span is not None
    held = again.W1 if name == "W1" else again.span.Z1
    np.testing.assert_array_equal(held, getattr(moved, name))
    assert (np.asarray(held) != array).all()
    *_, rest = fit_in_chunks(again, Y, iterations=60)
    *_, whole = fit_in_chunks(continue_from(kept, start), Y, iterations=60)
    assert not np.array_equal(rest.params["W1"], whole.params["W1"])
    assert (name == "W1") == np.array_equal(rest.costs, whole.costs)


def refused(checkpoint: Checkpoint, start: Descent, found: str, expected: str = "") -> None:
    with pytest.raises(ModelFileError) as caught:
        continue_from(checkpoint, start)
    assert found in caught.value.found
    assert expected in caught.value.expected


def test_what_does_not_fit_is_refused(x64: None) -> None:
    spanned = checkpoint_of(make_start("sgd in the span", "float64")[0])
    pixels = make_start("sgd", "float64")[0]
    wide, narrow = (make_start("sgd in the span", dtype)[0] for dtype in ("float64", "float32"))
    refused(spanned, pixels, "was trained in the basis span, but its settings have pixels")
    refused(spanned, narrow, "of the run is float64", "float32")
    for name, value, found in (
        ("state", {"C": spanned.state["C"]}, "of the run is missing"),
        ("state", spanned.state | {"C": np.zeros((3, 6))}, "C of the run is float64 (3, 6)"),
        ("W1", np.zeros((48, 3)), "W1 of the run is float64 (48, 3)"),
        ("Z1", None, "Z1 of the run is missing"),
        ("memory", spanned.memory[:-1], "of the run is missing"),
        ("memory", (*spanned.memory, np.zeros(3)), "of the run is float64 (3,)"),
    ):
        refused(spanned._replace(**{name: value}), wide, found)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", ["state/C", "state/b2", "optimizer/0", "W1", "Z1"])
def test_a_file_without_a_part_of_its_descent(part: str, tmp_path: Path) -> None:
    start, _ = make_start("sgd in the span", "float32")
    path = save(tmp_path / "model.h5", checkpoint_of(start))
    with h5py.File(path, "a") as file:
        del file[f"descent/{part}"]
    with pytest.raises(ModelFileError, match="a part missing"):
        read_model_file(path)
    chex.assert_trees_all_equal(load_model(path).params, start.params)


def test_an_unknown_basis(tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", checkpoint_of(make_start("sgd", "float32")[0]))
    with h5py.File(path, "a") as file:
        file["descent"].attrs["basis"] = np.bytes_("wavelets")
    with pytest.raises(ModelFileError, match="unknown basis wavelets"):
        read_model_file(path)


@pytest.mark.parametrize("basis", ["pixels", "span"])
def test_another_rate_than_the_checkpoint_keeps_is_refused(basis: str) -> None:
    start, _ = make_start("momentum", "float32")
    rates = {"the learning_rate 0.1": (0.2, 0.9), "the momentum 0.9": (0.1, 0.8)}
    kept = checkpoint_of(start_descent(start.params, start.X, sgd(0.1, 0.9), basis))
    for found, other in rates.items():
        with pytest.raises(ModelFileError) as caught:
            continue_from(kept, start_descent(start.params, start.X, sgd(*other), basis))
        assert caught.value.found.startswith(f"the run was trained with {found}, but its settings")
    same = continue_from(kept, start_descent(start.params, start.X, sgd(0.1, 0.9), basis))
    chex.assert_trees_all_equal(same.params, start.params)


def test_what_a_file_holds_of_a_descent(tmp_path: Path) -> None:
    path = save(tmp_path / "model.h5", checkpoint_of(make_start("adam", "float32")[0]))
    with h5py.File(path) as file:
        assert file["descent"].attrs["basis"] == b"pixels"
        assert sorted(file["descent/state"]) == ["W1", "W2", "b1", "b2"]
        assert len(file["descent/optimizer"]) == 9  # Adam's count, and two moments of each array
