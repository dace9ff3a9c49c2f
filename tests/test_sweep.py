"""A sweep against training each of its networks alone."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import by_numpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_span import make_problem

from jaxnet.activations import ACTIVATIONS
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.data.to_examples import to_examples
from jaxnet.defaults import LARGEST_SEED
from jaxnet.errors import DataError, UsageError
from jaxnet.examples import Examples, make_examples
from jaxnet.many import engine
from jaxnet.many import sweep as module
from jaxnet.many.engine import Variant
from jaxnet.many.grid import Grid
from jaxnet.many.leave_one_out import leave_one_out
from jaxnet.many.sweep import Sweep, add_part, empty_sweep, sweep, sweep_in_parts
from jaxnet.network import init_params, loss
from jaxnet.settings import Settings
from jaxnet.training import fit

T = TypeVar("T")

RATES = (0.05, 0.3)
SCALES = (0.1, "he")
SEEDS, FIRST_SEED = 3, 5


def examples_in_float32() -> Examples:
    X = np.linspace(-1, 1, 120, dtype=np.float32).reshape(20, 6)
    return make_examples(*jax.device_put((X, np.array([[0, 1, 1, 0, 1, 0]], np.float32))))


def make_data(*, weighted: bool = False) -> tuple[Examples, Examples]:
    """Make 6 training examples and 9 test examples in float64."""
    _, X, Y, weights = make_problem(20, 6)
    _, X_test, Y_test, _ = make_problem(20, 9)
    return make_examples(X, Y, weights if weighted else None), make_examples(X_test, Y_test)


def make_settings(**changes: Any) -> Settings:
    usual: dict[str, Any] = {
        "hidden_units": 3,
        "iterations": 20,
        "seed": FIRST_SEED,
        "precision": "float64",
    }
    return Settings(**(usual | changes))


def run(
    *,
    weighted: bool = False,
    rates: Any = RATES,
    scales: Any = SCALES,
    activations: tuple[str, ...] = ("relu",),
    block: int | None = None,
    **changes: Any,
) -> Sweep:
    train, test = make_data(weighted=weighted)
    grid = Grid(rates, scales, SEEDS, activations)
    return sweep(train, grid, make_settings(**changes), test=test, keep_costs=True, block=block)


def assert_as_alone(swept: Sweep, *, weighted: bool = False, **settings: Any) -> None:
    """Compare every network of the sweep with `fit` from the same seed in pixels."""
    train, test = make_data(weighted=weighted)
    assert swept.costs is not None
    assert swept.test_accuracies is not None
    for place in np.ndindex(*swept.grid.shape):
        a, r, s, k = place
        hidden = ACTIVATIONS[swept.grid.activations[a]]
        params = init_params(
            jax.random.key(FIRST_SEED + k),
            20,
            3,
            weight_scale=swept.grid.weight_scales[s],
            dtype=jnp.float64,
        )
        alone = fit(
            params,
            train.X,
            train.Y,
            hidden,
            learning_rate=swept.grid.learning_rates[r],
            weights=train.weights,
            basis="pixels",
            **settings,
        )
        np.testing.assert_allclose(swept.costs[place], alone.costs, rtol=1e-11)
        assert swept.last_costs[place] == swept.costs[place][-1]
        assert swept.outcomes[place] == alone.outcome
        ours = (swept.train_accuracies[place], swept.test_accuracies[place])
        theirs = [
            np.mean((by_numpy.predict(alone.params, X, hidden) > 0.5) == np.asarray(Y)[0])
            for X, Y, _ in (train, test)
        ]
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_each_network_is_trained_as_if_alone(x64: None) -> None:
    swept = run(activations=tuple(ACTIVATIONS))
    assert swept.outcomes.shape == (3, 2, 2, 3)
    assert_as_alone(swept, iterations=20)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_and_weights(nesterov: bool, x64: None) -> None:
    settings: dict[str, Any] = {"momentum": 0.9, "nesterov": nesterov, "iterations": 20}
    assert_as_alone(run(weighted=True, **settings), weighted=True, **settings)


@pytest.mark.parametrize("block", [1, 5, 12])
def test_blocks_of_any_size_give_the_same(block: int, x64: None) -> None:
    ours, theirs = run(block=block), run()
    assert ours.costs is not None
    assert theirs.costs is not None
    np.testing.assert_allclose(ours.costs, theirs.costs, rtol=1e-13)


cost_and_gradient = jax.jit(jax.value_and_grad(loss))


def test_a_rate_for_each_layer(x64: None) -> None:
    train, _ = make_data()
    swept = run(rates=((0.2, 0.0), (0.0, 0.2), (0.2, 0.2), 0.2), scales=(0.1,))
    assert swept.costs is not None
    np.testing.assert_array_equal(swept.costs[:, 2], swept.costs[:, 3])
    for r, trained in enumerate((("W1", "b1"), ("W2", "b2"))):
        params = init_params(
            jax.random.key(FIRST_SEED + 1), 20, 3, weight_scale=0.1, dtype=jnp.float64
        )
        for _ in range(20):
            cost, step = cost_and_gradient(params, train.X, train.Y)
            params |= {name: np.asarray(params[name]) - 0.2 * step[name] for name in trained}
        np.testing.assert_allclose(swept.last_costs[0, r, 0, 1], cost, rtol=1e-12)


def test_a_rate_that_is_far_too_large_is_not_finite(x64: None) -> None:
    swept = run(rates=(0.1, 1e200))
    assert swept.test_accuracies is not None
    wrong = swept.outcomes == "not finite"
    assert wrong[0, 1].all()
    assert not wrong[0, 0].any()
    np.testing.assert_array_equal(np.isnan(swept.train_accuracies), wrong)
    np.testing.assert_array_equal(np.isnan(swept.test_accuracies), wrong)


def test_without_test_pictures_and_costs() -> None:
    settings = Settings(hidden_units=3, iterations=5)
    swept = sweep(examples_in_float32(), Grid((0.1,), seeds=SEEDS), settings)
    assert swept.test_accuracies is None
    assert swept.costs is None
    assert swept.last_costs.shape == (1, 1, 1, SEEDS)
    assert swept.arrays.keys() == {"last_costs", "outcomes", "train_accuracies"}


def test_other_rates_scales_seeds_and_momentum_compile_nothing_anew(x64: None) -> None:
    train_block = engine._block_program(small_products=True)
    train_block.clear_cache()
    run()
    run(seed=9, rates=(1, (0.2, 3.0)), scales=("he", 0.5), momentum=0.7)
    assert train_block._cache_size() == 1


def test_a_data_set_is_swept_as_its_examples_are(images: np.ndarray) -> None:
    labels = np.array([0, 1, 0, 0, 1, 0, 0, 1])
    data = Dataset(Split(images[:8], labels), Split(images[8:], labels[:4]), ("tree", "boat"))
    grid = Grid((0.1,), (0.1,), 2)
    settings = Settings(hidden_units=3, iterations=5, balanced=True)
    preprocessing = Preprocessing(4, 3, "rgb", "unit")
    swept = sweep(data, grid, settings, preprocessing)
    splits = to_examples(data, settings, preprocessing)
    assert splits["train"].weights is not None
    weighted = make_examples(*splits["train"])
    unbalanced = Settings(hidden_units=3, iterations=5)
    expected = sweep(weighted, grid, unbalanced, test=splits["test"])
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(swept.arrays[name], array)
    other = sweep(data, grid, settings, Preprocessing(4, 3, "rgb", "raw"))
    assert not np.array_equal(other.last_costs, swept.last_costs)


@pytest.mark.slow
@pytest.mark.optimized
def test_a_sweep_in_parts_is_continued_where_it_stopped(
    x64: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NETWORKS_A_PART", 4)  # two rates: two seeds a part
    train, test = make_data()
    grid = Grid(RATES, SCALES, SEEDS, ("relu", "sigmoid"))
    settings = make_settings()
    whole = sweep(train, grid, settings, test=test)
    result = empty_sweep(grid, has_test=True)
    assert (result.outcomes == "").all()
    assert np.isnan(result.last_costs).all()
    parts = sweep_in_parts(train, result, settings, test=test)
    for _ in range(3):
        result = add_part(result, next(parts))
    assert (result.outcomes != "").sum() == 2 * (2 + 1 + 2)
    rest = list(sweep_in_parts(train, result, settings, test=test))
    assert len(rest) == 5
    for part in rest:
        result = add_part(result, part)
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(result.arrays[name], array)


class Trained(NamedTuple):
    """What a sweep takes of the results of its networks."""

    last_costs: np.ndarray
    outcomes: np.ndarray
    train_accuracies: np.ndarray
    test_accuracies: None = None
    costs: None = None


def test_every_part_is_tracked_and_entered_in_its_place(
    x64: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []

    def costs_of(variants: Any, seeds: Any) -> np.ndarray:
        """Make costs that tell rate, scale and seed: (variants, 1, seeds)."""
        own = [variant.learning_rate + 10 * variant.weight_scale for variant in variants]
        return np.add.outer(own, seeds)[:, None]

    def train(_: Examples, settings: Settings, *, seeds: Any, variants: Any, **others: Any) -> Any:
        costs = costs_of(variants, 100.0 * seeds)
        outcomes = np.full(costs.shape, "slow")
        trained.append(costs.size)
        return Trained(costs, outcomes, costs)

    monkeypatch.setattr(module, "train_networks", train)
    grid = Grid(RATES, (1.0, 2.0), SEEDS)
    expected = costs_of(
        [Variant(rate, scale, 0.0) for rate in RATES for scale in (1.0, 2.0)],
        100.0 * (FIRST_SEED + np.arange(SEEDS)),
    ).reshape(grid.shape)
    totals: list[float | None] = []

    def track(sequence: Iterable[T], description: str, total: float | None) -> Iterable[T]:
        items = list(sequence)
        totals.extend([len(items), total])
        return items

    # Two seeds a part, and one in the last of each scale; then a part for each network.
    for most, count in ((4, 4), (1, 12)):
        monkeypatch.setattr(module, "NETWORKS_A_PART", most)
        swept = sweep(make_data()[0], grid, make_settings(), track=track)
        assert totals[-2:] == [count, count]
        assert len(trained) == count
        assert sum(trained) == grid.networks
        trained.clear()
        np.testing.assert_array_equal(swept.last_costs, expected)


def test_what_does_not_fit(x64: None) -> None:
    train, _ = make_data()
    grid = Grid((0.1,), (0.1,), 2)
    cases: tuple[tuple[Any, str], ...] = (
        (lambda: sweep(train, grid, make_settings(optimizer="adam")), "networks is adam"),
        (lambda: sweep(train, grid, make_settings(seed=LARGEST_SEED)), "2 seeds from 4294967295"),
        (lambda: sweep(train, grid, Settings()), "X is of type float64"),
        (lambda: sweep(train, grid, make_settings(), Preprocessing()), "preprocessing is given"),
        (
            lambda: sweep(make_data(weighted=True)[0], grid, make_settings(balanced=True)),
            "balanced is set, and the examples have weights",
        ),
    )
    for call, found in cases:
        with pytest.raises(UsageError, match=found):
            call()
    with pytest.raises(DataError, match="Y has shape"):
        sweep(Examples(train.X, train.Y[0]), grid, make_settings())
    sweep(train, Grid((0.1,), (0.1,), 1), make_settings(seed=LARGEST_SEED, iterations=1))


def save_some_sweeps(path: str | Path) -> None:
    """Train networks on the devices that JAX has, and save their results."""
    X = jax.random.normal(jax.random.key(1), (20, 6))
    Y = jnp.array([[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]])
    examples = make_examples(X, Y)
    settings = Settings(iterations=20, learning_rate=0.1, precision="float64")
    swept = sweep(examples, Grid((0.1, 0.3), seeds=5), settings, keep_costs=True)
    without = leave_one_out(examples, settings, seeds=5)
    assert swept.costs is not None
    np.savez(path, costs=swept.costs, probabilities=without.train_without)


def test_networks_that_do_not_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, grid = examples_in_float32(), Grid((0.1,), seeds=SEEDS)
    settings = Settings(iterations=5, hidden_units=3)
    whole = sweep(examples, grid, settings)
    # A block holds as many as there is room for; fewer networks at a time change nothing.
    monkeypatch.setattr(engine, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(engine, "MOST_IN_STARTS", 54)
    one_by_one = sweep(examples, grid, settings)
    np.testing.assert_allclose(one_by_one.last_costs, whole.last_costs, rtol=1e-6)
    monkeypatch.setattr(engine, "MOST_IN_STARTS", 53)
    with pytest.raises(UsageError, match="3 starts of 3 hidden units need 54 numbers"):
        sweep(examples, grid, settings)


@pytest.mark.slow
def test_several_devices_give_the_same(tmp_path: Path, x64: None) -> None:
    program = """
import sys, jax
jax.config.update("jax_num_cpu_devices", 3)
jax.config.update("jax_enable_x64", True)
assert len(jax.devices()) == 3
from test_sweep import save_some_sweeps
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
