"""A sweep against training each of its networks alone."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_span import make_problem

from jaxnet.activations import ACTIVATIONS, Activation, relu
from jaxnet.errors import DataError, UsageError
from jaxnet.many import engine as blocks
from jaxnet.many.leave_one_out import leave_one_out
from jaxnet.many.sweep import Sweep, sweep
from jaxnet.network import accuracy, init_params, loss
from jaxnet.training import fit

RATES = (0.05, 0.3)
SCALES: tuple[float | str, ...] = (0.1, "he")
KEYS = 3
SEEDS = np.arange(5, 5 + KEYS)


@pytest.fixture
def keys() -> jax.Array:
    return jax.vmap(jax.random.key)(SEEDS)


def assert_as_alone(
    swept: Sweep, keys: jax.Array, hidden: Activation = relu, **settings: Any
) -> None:
    """Compare every network of the sweep with `fit` from the same key in pixels."""
    _, X, Y, _ = make_problem(20, 6)
    _, X_test, Y_test, _ = make_problem(20, 9)
    assert swept.costs is not None
    assert swept.test_accuracies is not None
    for r, rate in enumerate(RATES):
        for s, scale in enumerate(SCALES):
            for k in range(KEYS):
                params = init_params(keys[k], 20, 3, scale=scale, dtype=jnp.float64)
                alone = fit(params, X, Y, hidden, learning_rate=rate, basis="pixels", **settings)
                np.testing.assert_allclose(swept.costs[r, s, k], alone.costs, rtol=1e-11)
                assert swept.last_costs[r, s, k] == swept.costs[r, s, k, -1]
                assert swept.outcomes[r, s, k] == alone.outcome
                ours = (swept.train_accuracies[r, s, k], swept.test_accuracies[r, s, k])
                trained = alone.params
                theirs = [accuracy(trained, *data, hidden) for data in ((X, Y), (X_test, Y_test))]
                np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def run(keys: jax.Array, hidden: Activation = relu, **changes: Any) -> Sweep:
    _, X, Y, _ = make_problem(20, 6)
    _, X_test, Y_test, _ = make_problem(20, 9)
    settings: dict[str, Any] = {"learning_rates": RATES, "scales": SCALES, "n_h": 3} | changes
    return sweep(keys, X, Y, hidden, test=(X_test, Y_test), keep_costs=True, **settings)


@pytest.mark.parametrize("hidden", ACTIVATIONS.values(), ids=lambda g: g.name)
def test_each_network_is_trained_as_if_alone(
    hidden: Activation, keys: jax.Array, x64: None
) -> None:
    assert_as_alone(run(keys, hidden, iterations=30), keys, hidden, iterations=30)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_and_weights(nesterov: bool, keys: jax.Array, x64: None) -> None:
    settings: dict[str, Any] = {
        "momentum": 0.9,
        "nesterov": nesterov,
        "weights": make_problem(20, 6).weights,
        "iterations": 25,
    }
    assert_as_alone(run(keys, **settings), keys, **settings)


@pytest.mark.parametrize("block", [1, 5, 12, 100])
def test_blocks_of_any_size_give_the_same(block: int, keys: jax.Array, x64: None) -> None:
    ours, theirs = run(keys, iterations=10, block=block), run(keys, iterations=10)
    assert ours.costs is not None
    assert theirs.costs is not None
    np.testing.assert_allclose(ours.costs, theirs.costs, rtol=1e-13)


def test_a_rate_for_each_layer(keys: jax.Array, x64: None) -> None:
    _, X, Y, _ = make_problem(20, 6)
    swept = run(keys, learning_rates=[(0.2, 0.0), (0.0, 0.2), (0.2, 0.2), 0.2], iterations=20)
    assert swept.costs is not None
    np.testing.assert_array_equal(swept.costs[2], swept.costs[3])
    params = init_params(keys[1], 20, 3, scale=0.1, dtype=jnp.float64)
    for _ in range(20):
        cost, step = jax.value_and_grad(loss)(params, X, Y)
        params |= {name: params[name] - 0.2 * step[name] for name in ("W2", "b2")}
    np.testing.assert_allclose(swept.last_costs[1, 0, 1], cost, rtol=1e-12)


def test_a_rate_that_is_far_too_large_is_not_finite_or_dead(keys: jax.Array, x64: None) -> None:
    swept = run(keys, learning_rates=(0.1, 1e200), iterations=20)
    assert swept.test_accuracies is not None
    assert set(swept.outcomes[1].ravel()) <= {"not finite", "dead"}
    wrong = swept.outcomes == "not finite"
    np.testing.assert_array_equal(np.isnan(swept.train_accuracies), wrong)
    np.testing.assert_array_equal(np.isnan(swept.test_accuracies), wrong)


def test_without_test_pictures_and_costs(keys: jax.Array) -> None:
    X, Y = jnp.linspace(-1, 1, 120).reshape(20, 6), jnp.array([[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]])
    swept = sweep(keys, X, Y, learning_rates=[0.1], iterations=5)
    assert swept.test_accuracies is None
    assert swept.costs is None
    assert swept.last_costs.shape == (1, 1, KEYS)
    assert swept.last_costs.dtype == np.float32


def test_other_rates_scales_seeds_and_momentum_compile_nothing_anew(
    keys: jax.Array, x64: None
) -> None:
    train_block = blocks._block_program(small_products=True)
    train_block.clear_cache()
    run(keys, iterations=6)
    other = jax.vmap(jax.random.key)(np.arange(9, 9 + KEYS))
    run(other, learning_rates=(1, (0.2, 3.0)), scales=("he", 0.5), momentum=0.7, iterations=6)
    assert train_block._cache_size() == 1


def test_what_does_not_fit(keys: jax.Array, x64: None) -> None:
    _, X, Y, _ = make_problem(20, 6)
    with pytest.raises(DataError, match="Y has shape"):
        sweep(keys, X, Y[0], learning_rates=[0.1])
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"learning_rates": [-1.0]}, "learning rate is -1"),
        ({"learning_rates": [(0.1, float("nan"))]}, "learning rate is nan"),
        ({"learning_rates": [0.1], "iterations": 0}, "iterations is 0"),
        ({"learning_rates": [0.1], "scales": ["xavier"]}, "xavier"),
        ({"learning_rates": [0.1], "momentum": 2}, "momentum is 2"),
    )
    for settings, found in cases:
        with pytest.raises(UsageError, match=found):
            sweep(keys, X, Y, **settings)


def save_some_sweeps(path: str | Path) -> None:
    """Train networks on the devices there are, and save what they come to."""
    X = jax.random.normal(jax.random.key(1), (20, 6))
    Y = jnp.array([[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]])
    keys = jax.vmap(jax.random.key)(np.arange(5))
    swept = sweep(keys, X, Y, learning_rates=[0.1, 0.3], iterations=20, keep_costs=True)
    found = leave_one_out(keys, X, Y, learning_rate=0.1, iterations=20)
    assert swept.costs is not None
    np.savez(path, costs=swept.costs, probabilities=found.train_without)


def test_networks_that_do_not_fit_into_memory(keys: jax.Array) -> None:
    X, Y = jnp.linspace(-1, 1, 120).reshape(20, 6), jnp.array([[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]])
    settings: dict[str, Any] = {"learning_rates": [0.1], "iterations": 2}
    with pytest.raises(UsageError, match="starts of 90,000,000 hidden units"):
        sweep(keys, X, Y, n_h=90_000_000, **settings)
    # A block holds as many as there is room for; fewer networks at a time change nothing.
    whole = sweep(keys, X, Y, n_h=3, **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MOST_AT_ONCE", 1)
        one_by_one = sweep(keys, X, Y, n_h=3, **settings)
    np.testing.assert_allclose(one_by_one.last_costs, whole.last_costs, rtol=1e-6)


def test_several_devices_give_the_same(tmp_path: Path, x64: None) -> None:
    program = """
import sys, jax
jax.config.update("jax_num_cpu_devices", 3)
jax.config.update("jax_enable_x64", True)
assert len(jax.devices()) == 3
from test_sweeps import save_some_sweeps
save_some_sweeps(sys.argv[1])
"""
    one, three = tmp_path / "1.npz", tmp_path / "3.npz"
    assert len(jax.devices()) == 1
    save_some_sweeps(one)
    path = os.pathsep.join(sys.path)
    subprocess.run(
        [sys.executable, "-c", program, three], check=True, env=os.environ | {"PYTHONPATH": path}
    )
    results = np.load(one), np.load(three)
    for name in ("costs", "probabilities"):
        assert np.ptp(results[0][name]) > 0.01
        np.testing.assert_allclose(results[0][name], results[1][name], rtol=1e-13)


def test_all_cores_are_used_or_it_is_told_why_not() -> None:
    program = """
import os, jax, jaxnet
jaxnet.use_all_cores()
assert len(jax.devices()) == len(os.sched_getaffinity(0))
jax.numpy.zeros(1)
try:
    jax.config.update("jax_num_cpu_devices", 1)
except RuntimeError:
    pass
try:
    jaxnet.use_all_cores()
except jaxnet.UsageError as error:
    assert "in use already" in str(error)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
