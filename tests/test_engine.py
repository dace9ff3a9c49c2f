"""The engine's parts; what it trains is compared with `fit` in test_sweep.py and its neighbours."""

import dataclasses
from typing import Any

import by_numpy
import chex
import jax
import jax.numpy as jnp
import jitted
import numpy as np
import pytest
from test_span import cancel, make_problem

from jaxnet.examples import Examples, make_examples
from jaxnet.many import engine
from jaxnet.many.engine import Ends, Variant, train_networks
from jaxnet.many.grid import Grid
from jaxnet.many.leave_one_out import leave_one_out
from jaxnet.many.seeds import train_seeds
from jaxnet.many.sweep import sweep
from jaxnet.network import forward, init_params
from jaxnet.outcomes import any_active
from jaxnet.runs.run import draw_params
from jaxnet.settings import Settings
from jaxnet.training import fit

SETTINGS = Settings(
    hidden_units=3, iterations=8, learning_rate=0.1, weight_scale=0.3, activation="sigmoid"
)


def in_float32() -> Examples:
    X = np.random.default_rng(26).uniform(-1, 1, (20, 6)).astype(np.float32)
    return make_examples(*jax.device_put((X, np.array([[0, 1, 1, 0, 0, 0]], np.float32))))


def train_some(examples: Examples, seeds: Any = (0, 1, 2), **options: Any) -> Ends:
    return train_networks(
        examples, options.pop("settings", SETTINGS), seeds=np.array(seeds), **options
    )


class StartedError(Exception):
    """Raised where the program would start."""


def given_to_the_program(
    monkeypatch: pytest.MonkeyPatch, examples: Examples, **options: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what the program of a block of networks would be called with."""

    def stop(*arguments: Any, **settings: Any) -> Any:
        raise StartedError(arguments, settings)

    with monkeypatch.context() as patched:
        patched.setattr(engine, "_block_program", lambda **_: stop)
        with pytest.raises(StartedError) as caught:
            train_some(examples, **options)
    arguments, settings = caught.value.args
    return arguments, settings


@pytest.mark.parametrize("weight_scale", [0.01, "he"])
def test_networks_start_from_the_products_in_float64(weight_scale: float | str) -> None:
    """W1₀ X is rounded once, at the end, from the weights that `init_params` draws."""
    settings = dataclasses.replace(
        SETTINGS, hidden_units=1, weight_scale=weight_scale, iterations=1, learning_rate=0.0
    )
    params = draw_params(settings, 2000)
    X, Y = cancel(params), np.array([[0, 1, 1, 0, 1, 0]], np.float32)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda array: np.asarray(array, np.float64), (params, X))
        exact = jitted.forward(*wide, settings.hidden)
        cost = float(jitted.loss(*wide, Y.astype(float), settings.hidden))
    rounded = jitted.forward(params, X, settings.hidden)
    assert np.abs(np.asarray(rounded.A1) - np.asarray(exact.A1)).max() > 0.02  # float32 is wrong
    A2, last_first = np.asarray(exact.A2), jax.device_put((np.asarray(X)[:, ::-1], Y[:, ::-1]))
    ends = train_some(
        make_examples(X, jax.device_put(Y)),
        seeds=[0],
        settings=settings,
        test=Examples(*last_first),
        keep_costs=True,
        keep_probabilities=True,
    )
    assert ends.costs is not None
    assert ends.train_A2 is not None
    assert ends.test_A2 is not None
    np.testing.assert_allclose(ends.costs.ravel(), [cost], rtol=1e-6)
    np.testing.assert_allclose(ends.train_A2[0, 0, 0], A2[0], rtol=1e-6)
    np.testing.assert_allclose(ends.test_A2[0, 0, 0], A2[0, ::-1], rtol=1e-6)


def test_networks_learn_by_products_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """XᵀX and XᵀX′ are rounded once, too; here a sum in float32 would be nothing but rounding."""
    x, other = np.random.default_rng(0).normal(size=(2, 2000))
    other -= x * (x @ other) / (x @ x)
    X = np.stack([x, other], axis=1).astype(np.float32)
    exact = X.astype(float).T @ X.astype(float)
    X_put, X_test, Y = jax.device_put((X, X[:, ::-1], np.array([[0, 1]], np.float32)))
    ((_, _, _, shared, *_), _) = given_to_the_program(
        monkeypatch, make_examples(X_put, Y), seeds=[0], test=Examples(X_test, Y)
    )
    np.testing.assert_allclose(shared.K, exact, rtol=1e-3)
    np.testing.assert_allclose(shared.K_test, exact[:, ::-1], rtol=1e-3)
    in_float32 = X.T @ X
    assert abs(in_float32[0, 1] - exact[0, 1]) > 0.01 * abs(exact[0, 1])


def test_every_product_runs_at_highest_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    program = engine._block_program(small_products=True)
    arguments, settings = given_to_the_program(
        monkeypatch, in_float32(), test=in_float32(), keep_probabilities=True
    )
    lowered = program.lower(*arguments, **settings).as_text()
    products = [line for line in lowered.splitlines() if "dot_general" in line]
    assert len(products) > 6
    assert all("precision = [HIGHEST, HIGHEST]" in line for line in products)


def test_a_probability_of_exactly_one_half_is_class_0() -> None:
    """Without weights and at rate 0 every probability is 0.5."""
    examples = in_float32()
    settings = dataclasses.replace(SETTINGS, weight_scale=0.0, learning_rate=0.0)
    ends = train_some(examples, settings=settings, test=examples, keep_probabilities=True)
    assert ends.train_A2 is not None
    assert (ends.train_A2 == 0.5).all()
    of_class_0 = float(np.mean(np.asarray(examples.Y) == 0))
    assert 0 < of_class_0 < 1
    assert of_class_0 != 0.5
    np.testing.assert_allclose(ends.train_accuracies, of_class_0, rtol=1e-6)
    np.testing.assert_allclose(ends.test_accuracies, of_class_0, rtol=1e-6)


def test_dead_is_who_is_dead_at_the_end(x64: None) -> None:
    """A network that died while it was trained, and one that rose from the dead."""
    settings = Settings(
        hidden_units=1, iterations=2, learning_rate=1e3, weight_scale=0.3, precision="float64"
    )
    _, X, Y, _ = make_problem(20, 6)
    seeds = np.arange(40)
    ends = train_some(make_examples(X, Y), seeds=seeds, settings=settings)
    outcomes = ends.outcomes[0, 0]
    starts = [draw_params(dataclasses.replace(settings, seed=int(seed)), 20) for seed in seeds]
    alive_at_start = np.array([bool(any_active(params, X)) for params in starts])
    assert (outcomes[alive_at_start] == "dead").any()
    for seed, params in enumerate(starts):
        alone = fit(params, X, Y, learning_rate=1e3, iterations=2)
        assert outcomes[seed] == alone.outcome


@pytest.mark.parametrize("n_x", [20, 5])
def test_the_order_of_the_results(n_x: int, x64: None) -> None:
    """Variants, ways to weight the examples, seeds: each network is where it should be."""
    _, X, Y, weights = make_problem(n_x, 6)
    examples = make_examples(X, Y, weights)
    settings = dataclasses.replace(SETTINGS, precision="float64")
    variants = [Variant(0.1, 0.2, 0.0), Variant(0.4, "he", 0.3), Variant(0.2, 0.2, 0.1)]
    example_weights, seeds = np.array([[1, 1, 1, 1, 0, 1], [2, 0, 1, 1, 0.5, 0]]), (7, 3)
    ends = train_some(
        examples,
        seeds=seeds,
        settings=settings,
        variants=variants,
        example_weights=example_weights,
        keep_costs=True,
        keep_probabilities=True,
        keep_params=True,
        block=5,
    )
    assert ends.last_costs.shape == (3, 2, 2)
    assert ends.params is not None
    assert ends.costs is not None
    assert ends.train_A2 is not None
    assert ends.test_A2 is not None
    assert ends.best_iterations is None
    assert ends.costs.shape == (3, 2, 2, 8)
    assert ends.train_A2.shape == (3, 2, 2, 6)
    assert ends.test_A2.shape == (3, 2, 2, 0)
    for place in np.ndindex(3, 2, 2):
        v, w, k = place
        rate, scale, decay = variants[v]
        params = init_params(
            jax.random.key(seeds[k]), n_x, 3, weight_scale=scale, dtype=jnp.float64
        )
        own = np.asarray(weights) * example_weights[w : w + 1]
        alone = fit(
            params,
            X,
            Y,
            settings.hidden,
            learning_rate=rate,
            weight_decay=decay,
            iterations=8,
            weights=own,
            basis="pixels",
        )
        np.testing.assert_allclose(ends.costs[place], alone.costs, rtol=1e-11)
        assert ends.last_costs[place] == ends.costs[place][-1]
        A2 = by_numpy.predict(alone.params, X, settings.hidden)
        np.testing.assert_allclose(ends.train_A2[place], A2, rtol=1e-11)
        ours = {name: leaf[place] for name, leaf in ends.params.items()}
        chex.assert_trees_all_close(ours, jax.device_get(alone.params), rtol=1e-10, atol=1e-12)
        assert ends.train_accuracies[place] == np.mean((A2 > 0.5) == np.asarray(Y)[0])
        assert ends.outcomes[place] == alone.outcome


def test_a_program_without_decay_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    decays = []
    for decay in (0.0, 0.1):
        variants = [Variant(0.1, 0.3, 0.0), Variant(0.1, 0.3, decay)]
        ((networks, *_), _) = given_to_the_program(monkeypatch, in_float32(), variants=variants)
        decays.append(networks.weight_decay)
    assert decays[0] is None
    np.testing.assert_array_equal(decays[1], np.array([0, 0, 0, 0.1, 0.1, 0.1], np.float32))


@pytest.mark.parametrize(
    ("batch", "decay", "n_x"),
    [
        (3, 0.0, 20),
        (None, 0.3, 5),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((None, 0.3, 20), (4, 0.3, 5))),
    ],
)
def test_each_network_stops_where_fit_stops(
    batch: int | None, decay: float, n_x: int, x64: None
) -> None:
    """Ways with other validation pictures; some stop early, some train to the end."""
    _, X, Y, _ = make_problem(n_x, 9)
    settings = Settings(
        hidden_units=3, iterations=40, batch=batch, patience=7, weight_decay=decay,
        momentum=0.5, activation="sigmoid", precision="float64",
    )  # fmt: skip
    validation = np.zeros((3, 9))
    for way, held in enumerate(([0, 3, 5], [1, 2, 4, 8], [6, 7, 0])):
        validation[way, held] = 1 + way * np.arange(len(held))
    trained = np.where(validation > 0, 0, 1 + np.arange(27).reshape(3, 9) % 2)
    variants = [Variant(rate, 1.0, decay) for rate in (0.005, 0.4)]
    seeds = np.array([4, 1])
    ends = train_some(
        make_examples(X, Y), seeds, settings=settings, variants=variants, keep_costs=True,
        example_weights=trained, validation_weights=validation, keep_probabilities=True, block=5,
    )  # fmt: skip
    assert ends.costs is not None
    assert ends.train_A2 is not None
    assert ends.best_iterations is not None
    lengths = []
    for v, w, k in np.ndindex(2, 3, 2):
        params = init_params(jax.random.key(seeds[k]), n_x, 3, weight_scale=1.0, dtype=jnp.float64)
        alone = fit(
            params, X, Y, settings.hidden, learning_rate=variants[v].learning_rate, momentum=0.5,
            weight_decay=decay, iterations=40, batch=batch, seed=int(seeds[k]), patience=7,
            weights=jax.device_put(trained[w : w + 1].astype(float)),
            validation=Examples(X, Y, jax.device_put(validation[w : w + 1])),
        )  # fmt: skip
        assert alone.validation_costs is not None
        lengths.append(len(alone.costs))
        costs = ends.costs[v, w, k]
        np.testing.assert_allclose(costs[: lengths[-1]], alone.costs, rtol=1e-11)
        assert np.isnan(costs[lengths[-1] :]).all()
        assert ends.last_costs[v, w, k] == costs[lengths[-1] - 1]
        assert ends.best_iterations[v, w, k] == np.argmin(alone.validation_costs)
        A2 = by_numpy.predict(alone.params, X, settings.hidden)
        np.testing.assert_allclose(ends.train_A2[v, w, k], A2, rtol=1e-11)
        assert ends.outcomes[v, w, k] == alone.outcome
    assert min(lengths) < max(lengths) == 40


@pytest.mark.parametrize("together", [1, 2, 64])
def test_starts_that_are_drawn_some_at_a_time_are_the_same(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_some(in_float32(), seeds=range(5))
    monkeypatch.setattr(engine, "SEEDS_AT_ONCE", together)
    parts = train_some(in_float32(), seeds=range(5))
    np.testing.assert_array_equal(parts.last_costs, whole.last_costs)
    monkeypatch.setattr(engine, "MOST_AT_ONCE", 3 * 20 * together)
    limited = train_some(in_float32(), seeds=range(5))
    np.testing.assert_allclose(limited.last_costs, whole.last_costs, rtol=1e-6)


@pytest.mark.parametrize(
    ("networks", "block", "size", "expected"),
    [(1000, None, 600, 64), (10, None, 600, 10), (1000, 7, 600, 7), (1000, None, 10**7, 10)],
)
def test_how_many_networks_are_trained_at_once(
    networks: int, block: int | None, size: int, expected: int
) -> None:
    assert len(jax.devices()) == 1
    assert engine._share_out(networks, block, size)[0] == expected


# The random generator.


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_generator_draws_the_same_networks_everywhere(precision: str) -> None:
    """One after another in one process, so that nothing compiled for one serves another."""
    first_costs: dict[str, np.ndarray] = {}
    for generator in ("threefry2x32", "rbg", "threefry2x32", "unsafe_rbg"):
        with jax.default_prng_impl(generator), jax.enable_x64(precision == "float64"):
            examples = in_float32()
            examples = make_examples(*(array.astype(precision) for array in examples[:2]))
            settings = dataclasses.replace(SETTINGS, seed=5, precision=precision)
            alone = [
                fit(
                    init_params(jax.random.key(seed), 20, 3, weight_scale=0.3, dtype=precision),
                    *examples[:2],
                    settings.hidden,
                    learning_rate=0.1,
                    iterations=8,
                    basis="span",
                )
                for seed in (5, 6, 7)
            ]
            swept = sweep(
                examples, Grid((0.1,), (0.3,), 3, ("sigmoid",)), settings, keep_costs=True
            )
            seeds = train_seeds(examples, settings, seeds=3)
            without = leave_one_out(examples, settings, seeds=3)
            drawn = draw_params(dataclasses.replace(settings, seed=6), 20)
            chex.assert_trees_all_equal(
                drawn, init_params(jax.random.key(6), 20, 3, weight_scale=0.3, dtype=precision)
            )
        assert swept.costs is not None
        costs = np.stack([run.costs for run in alone])
        np.testing.assert_allclose(swept.costs[0, 0, 0], costs, rtol=2e-6)
        np.testing.assert_allclose(seeds.last_costs, costs[:, -1], rtol=2e-6)
        A2 = [forward_at(run.params, examples.X, settings, precision) for run in alone]
        np.testing.assert_allclose(seeds.probabilities["train"], A2, rtol=1e-5)
        np.testing.assert_allclose(without.train, A2, rtol=1e-5)
        first_costs.setdefault(generator, costs[:, 0])
        np.testing.assert_array_equal(first_costs[generator], costs[:, 0])
    assert np.abs(first_costs["rbg"] - first_costs["threefry2x32"]).min() > 1e-4


def forward_at(params: Any, X: jax.Array, settings: Settings, precision: str) -> np.ndarray:
    with jax.enable_x64(precision == "float64"):
        return np.asarray(forward(params, X, settings.hidden).A2[0])
