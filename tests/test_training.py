import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp
import jitted
import numpy as np
import optax
import pytest
from conftest import Problem
from jax import lax

from jaxnet import descent
from jaxnet.activations import ACTIVATIONS, Activation, leaky_relu, relu
from jaxnet.backprop import backward
from jaxnet.descent import TrainState
from jaxnet.errors import DataError, DivergenceError, UsageError
from jaxnet.network import Params, init_params, loss
from jaxnet.optimizer import sgd
from jaxnet.training import Fit, fit, fit_in_chunks, make_update, start_descent

ALL = pytest.mark.parametrize("hidden", ACTIVATIONS.values(), ids=lambda g: g.name)


@functools.partial(jax.jit, static_argnames="hidden")
def make_step(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    hidden: Activation,
    learning_rate: float,
    weights: jax.Array | None = None,
) -> Params:
    """Make one step by the article's formulas and nothing else."""
    step = backward(params, X, Y, hidden, weights)._asdict()
    return {name: leaf - learning_rate * step[f"d{name}"] for name, leaf in params.items()}


def descend(problem: Problem, hidden: Activation, learning_rate: float, count: int) -> Params:
    """Gradient descent by the article's formulas and nothing else."""
    params = problem.params
    for _ in range(count):
        params = make_step(params, problem.X, problem.Y, hidden, learning_rate)
    return params


def in_chunks(
    problem: Problem, optimizer: Any, chunk: int, iterations: int = 30, basis: str = "pixels"
) -> list[Fit]:
    descent = start_descent(problem.params, problem.X, optimizer, basis)
    return list(fit_in_chunks(descent, problem.Y, iterations=iterations, chunk=chunk))


@pytest.mark.parametrize(
    ("hidden", "optimizer"),
    [*((hidden, sgd(0.3)) for hidden in ACTIVATIONS.values()), (relu, optax.sgd(0.3))],
    ids=[*ACTIVATIONS, "relu of optax"],
)
def test_one_update_is_params_minus_alpha_times_the_article_s_gradient(
    hidden: Activation, optimizer: Any, tiny: Problem
) -> None:
    state = TrainState(tiny.params, optimizer.init(tiny.params))
    (params, _), cost = make_update(optimizer, hidden)(state, tiny.X, tiny.Y)
    chex.assert_trees_all_close(params, descend(tiny, hidden, 0.3, 1), rtol=1e-12)
    np.testing.assert_allclose(cost, jitted.loss(tiny.params, tiny.X, tiny.Y, hidden), rtol=1e-12)


def test_one_update_with_example_weights(tiny: Problem) -> None:
    optimizer = sgd(0.3)
    state = TrainState(tiny.params, optimizer.init(tiny.params))
    (params, _), _ = make_update(optimizer)(state, tiny.X, tiny.Y, tiny.weights)
    expected = make_step(tiny.params, tiny.X, tiny.Y, relu, 0.3, tiny.weights)
    chex.assert_trees_all_close(params, expected, rtol=1e-12)


@ALL
def test_fit_repeats_that_update(hidden: Activation, tiny: Problem) -> None:
    result = fit(tiny.params, tiny.X, tiny.Y, hidden, learning_rate=0.1, iterations=20)
    chex.assert_trees_all_close(result.params, descend(tiny, hidden, 0.1, 20), rtol=1e-10)
    assert result.costs.shape == (20,)
    before = [descend(tiny, hidden, 0.1, t) for t in (0, 1, 19)]
    expected = [jitted.loss(params, tiny.X, tiny.Y, hidden) for params in before]
    np.testing.assert_allclose(result.costs[[0, 1, 19]], expected, rtol=1e-10)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_by_hand(nesterov: bool, tiny: Problem) -> None:
    result = fit(
        tiny.params,
        tiny.X,
        tiny.Y,
        learning_rate=0.1,
        momentum=0.9,
        nesterov=nesterov,
        iterations=9,
    )

    @jax.jit
    def move(params: Params, velocity: Params) -> tuple[Params, Params]:
        gradient = jax.grad(loss)(params, tiny.X, tiny.Y)
        velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradient)
        step = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradient) if nesterov else velocity
        return jax.tree.map(lambda p, s: p - 0.1 * s, params, step), velocity

    params, velocity = tiny.params, jax.tree.map(np.zeros_like, tiny.params)
    for _ in range(9):
        params, velocity = move(params, velocity)
    chex.assert_trees_all_close(result.params, params, rtol=1e-12)


@pytest.mark.parametrize(
    "optimizer",
    [
        optax.sgd(optax.cosine_decay_schedule(0.3, 30), momentum=0.9),
        optax.chain(optax.clip_by_global_norm(0.1), optax.adamw(0.01)),
        # So large a rate that the search shortens the steps.
        optax.chain(optax.sgd(10.0), optax.scale_by_backtracking_linesearch(15)),
        pytest.param(
            optax.lbfgs(linesearch=optax.scale_by_backtracking_linesearch(10)),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["momentum and schedule", "chain with adam", "line search", "lbfgs"],
)
def test_any_optimizer_of_optax(optimizer: Any, tiny: Problem) -> None:
    result = fit(tiny.params, tiny.X, tiny.Y, leaky_relu, optimizer=optimizer, iterations=12)
    cost_of = functools.partial(loss, X=tiny.X, Y=tiny.Y, hidden=leaky_relu)
    extra = optax.with_extra_args_support(optimizer)

    @jax.jit
    def step(params: Params, state: Any) -> tuple[Params, Any]:
        cost, gradients = jax.value_and_grad(cost_of)(params)
        steps, state = extra.update(
            gradients, state, params, value=cost, grad=gradients, value_fn=cost_of
        )
        return optax.apply_updates(params, steps), state

    params, state = tiny.params, optimizer.init(tiny.params)
    for _ in range(12):
        params, state = step(params, state)
    chex.assert_trees_all_close(result.params, params, rtol=1e-8)
    assert result.costs[-1] < result.costs[0]


def test_a_schedule_of_the_built_in_sgd(tiny: Problem) -> None:
    schedule = optax.piecewise_constant_schedule(0.4, {5: 0.1})
    ours = fit(tiny.params, tiny.X, tiny.Y, learning_rate=schedule, momentum=0.5, iterations=9)
    theirs = optax.sgd(schedule, momentum=0.5)
    expected = fit(tiny.params, tiny.X, tiny.Y, optimizer=theirs, iterations=9)
    chex.assert_trees_all_close(ours.params, expected.params, rtol=1e-12)


@pytest.mark.optimized
@pytest.mark.parametrize(
    ("dtype", "optimizer"), [("float32", sgd(0.1, 0.9)), ("float64", optax.adam(0.01))]
)
def test_chunks_of_any_length_give_the_same_bits_as_a_scan(
    dtype: str, optimizer: Any, tiny: Problem
) -> None:
    tiny = jax.device_put(jax.tree.map(lambda array: np.asarray(array, dtype), tiny))
    update = make_update(optimizer)

    @jax.jit
    def scanned(state: TrainState, X: jax.Array, Y: jax.Array) -> tuple[TrainState, jax.Array]:
        return lax.scan(lambda state, _: update(state, X, Y), state, length=30)

    start = TrainState(tiny.params, optimizer.init(tiny.params))
    state, costs = scanned(start, tiny.X, tiny.Y)
    for chunk in (1, 7, 30, 1000):
        fits = in_chunks(tiny, optimizer, chunk)
        assert [len(fit.costs) for fit in fits] == [*range(chunk, 30, chunk), 30]
        assert [fit.outcome is None for fit in fits] == [True] * (len(fits) - 1) + [False]
        chex.assert_trees_all_equal(fits[-1].params, state.params)
        chex.assert_trees_all_equal(fits[-1].descent.state.opt_state, state.opt_state)
        np.testing.assert_array_equal(fits[-1].costs, costs)


def test_going_on_from_a_chunk_gives_the_same_bits(tiny: Problem) -> None:
    optimizer = sgd(0.1, 0.9)
    whole = in_chunks(tiny, optimizer, 7)[-1]
    half = in_chunks(tiny, optimizer, 7, iterations=15)[-1]
    assert len(half.costs) == 15
    *_, rest = fit_in_chunks(half.descent, tiny.Y, iterations=30)
    chex.assert_trees_all_equal(rest.params, whole.params)
    np.testing.assert_array_equal(rest.costs, whole.costs)
    assert rest.outcome == whole.outcome
    with pytest.raises(UsageError, match="iterations is 30"):
        fit_in_chunks(rest.descent, tiny.Y, iterations=30)


@pytest.mark.parametrize("basis", ["pixels", "span"])
def test_nothing_recompiles(basis: str, tiny: Problem) -> None:
    run = descent.updates_program(small_products=basis == "span")
    run.clear_cache()
    for seed, rate, momentum, iterations in ((0, 0.1, 0.0, 150), (1, 0.2, 0.9, 7), (2, 3, 0.5, 1)):
        params = init_params(jax.random.key(seed), 5, 3, weight_scale=0.1 * rate, dtype=jnp.float64)
        settings: dict[str, Any] = {"learning_rate": rate, "momentum": momentum, "basis": basis}
        fit(params, tiny.X, tiny.Y, iterations=iterations, **settings)
    assert run._cache_size() == 1


def test_the_same_optimizer_compiles_once(tiny: Problem) -> None:
    run = descent.updates_program(small_products=False)
    run.clear_cache()
    adam = optax.adam(0.01)
    for _ in range(2):
        fit(tiny.params, tiny.X, tiny.Y, optimizer=adam, iterations=3)
    assert run._cache_size() == 1


def make_counted() -> tuple[Activation, list[int]]:
    """Make an activation of its own, and a list that grows whenever a program is traced with it."""
    traces: list[int] = []

    def function(Z: jax.Array) -> jax.Array:
        traces.append(1)
        return jax.nn.relu(Z)

    return Activation("counted", function, relu.slope), traces


def test_the_step_traces_once(tiny: Problem) -> None:
    hidden, traces = make_counted()
    optimizer = sgd(0.1)
    step = make_update(optimizer, hidden)
    state = TrainState(tiny.params, optimizer.init(tiny.params))
    for _ in range(3):
        state, _ = step(state, tiny.X, tiny.Y)
    assert len(traces) == 1
    chex.clear_trace_counter()
    update = jax.jit(chex.assert_max_traces(step, n=1))
    for _ in range(3):
        state, _ = update(state, tiny.X, tiny.Y)


def test_another_rate_or_momentum_of_the_step_compiles_nothing_anew(tiny: Problem) -> None:
    hidden, traces = make_counted()
    settings = ((0.1, 0.0), (0.3, 0.9), (jnp.asarray(0.2), jnp.asarray(0.5)), (1, 1))
    for rate, momentum in settings:
        optimizer = sgd(rate, momentum)
        state = TrainState(tiny.params, optimizer.init(tiny.params))
        for _ in range(2):
            state, _ = make_update(optimizer, hidden)(state, tiny.X, tiny.Y)
        theirs = fit(
            tiny.params, tiny.X, tiny.Y, learning_rate=rate, momentum=momentum, iterations=2
        )
        chex.assert_trees_all_close(state.params, theirs.params, rtol=1e-12)
    assert len(traces) == 1
    optimizer = sgd(0.1, nesterov=True)  # another rule, which is another program
    state = TrainState(tiny.params, optimizer.init(tiny.params))
    make_update(optimizer, hidden)(state, tiny.X, tiny.Y)
    assert len(traces) == 2


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_a_run_that_is_not_finite_stops_there_with_the_last_good_state(
    chunk: int, tiny: Problem
) -> None:
    # The rate jumps at iteration 5, so that the parameters explode and the cost overflows later.
    optimizer = sgd(lambda t: jnp.where(t < 5, 0.01, 1e150))
    last = in_chunks(tiny, optimizer, chunk)[-1]
    assert last.outcome == "not finite"
    assert 5 < len(last.costs) < 30
    assert np.isfinite(last.costs[:-1]).all()
    good_cost = jitted.loss(last.params, tiny.X, tiny.Y)
    assert np.isfinite(good_cost)
    good = len(last.costs) - (1 if np.isfinite(last.costs[-1]) else 2)
    expected = in_chunks(tiny, optimizer, chunk, iterations=good)[-1]
    chex.assert_trees_all_equal(last.params, expected.params)
    chex.assert_trees_all_equal(last.descent.state, expected.descent.state)
    # The descent is whole: going on from it comes to the same end.
    np.testing.assert_array_equal(last.descent.costs, expected.costs)
    *_, again = fit_in_chunks(last.descent, tiny.Y, iterations=30, chunk=chunk)
    assert again.outcome == "not finite"
    np.testing.assert_array_equal(again.costs, last.costs)
    chex.assert_trees_all_equal(again.descent.state, last.descent.state)


def test_fit_raises_with_the_last_good_state(tiny: Problem) -> None:
    with pytest.raises(DivergenceError, match="at iteration") as caught:
        fit(tiny.params, tiny.X, tiny.Y, leaky_relu, learning_rate=1e200)
    assert np.isfinite(jitted.loss(caught.value.fit.params, tiny.X, tiny.Y, leaky_relu))
    assert caught.value.fit.outcome == "not finite"
    assert str(len(caught.value.fit.costs) - 1) in str(caught.value)


def test_infinite_weights_are_seen_even_where_the_cost_is_finite(tiny: Problem) -> None:
    # All inputs positive: a row of W1 at −∞ makes its unit 0 and leaves the cost finite.
    X = jax.device_put(np.abs(tiny.X) + 0.1)
    params = jax.device_put({name: np.abs(leaf) for name, leaf in tiny.params.items()})
    steps = {name: np.zeros(leaf.shape) for name, leaf in params.items()}
    steps["W1"] = np.full(params["W1"].shape, -np.inf)
    optimizer = optax.GradientTransformation(lambda _: (), lambda *_: (steps, ()))
    assert np.isfinite(jitted.loss(params | {"W1": steps["W1"]}, X, tiny.Y))
    *_, last = fit_in_chunks(start_descent(params, X, optimizer), tiny.Y, iterations=5)
    assert last.outcome == "not finite"
    assert len(last.costs) == 1
    chex.assert_trees_all_equal(last.params, params)


@pytest.mark.parametrize("basis", ["pixels", "span"])
def test_an_infinite_cost_is_seen_even_where_all_parameters_are_finite(
    basis: str, tiny: Problem
) -> None:
    # Each of four losses is 1e308, and finite; their sum is not.
    params = tiny.params | {"b2": jax.device_put(np.full((1, 1), 1e308))}
    start = start_descent(params, tiny.X, sgd(0.1), basis)
    *_, last = fit_in_chunks(start, tiny.Y, iterations=30)
    assert last.outcome == "not finite"
    assert last.costs.tolist() == [np.inf]
    chex.assert_trees_all_equal(last.descent.state, start.state)


def test_too_large_a_rate_ends_dead_or_diverged_and_too_small_a_one_on_the_plateau(
    tiny: Problem,
) -> None:
    small = jax.device_put({name: 1e-3 * np.asarray(w) for name, w in tiny.params.items()})
    for params, rate, iterations, outcome in (
        (tiny.params, 100.0, 50, "dead"),
        (tiny.params, 30.0, 50, "diverged"),
        (small, 0.5, 20, "plateau"),
        (tiny.params, 0.5, 400, "learning"),
    ):
        trained = fit(params, tiny.X, tiny.Y, learning_rate=rate, iterations=iterations)
        assert trained.outcome == outcome


def test_an_optimizer_excludes_the_settings_it_replaces(tiny: Problem) -> None:
    for settings in (
        {"learning_rate": 0.1},
        {"learning_rate": 0.0075},
        {"momentum": 0.9},
        {"nesterov": True},
    ):
        with pytest.raises(UsageError, match="both an optimizer and"):
            fit(tiny.params, tiny.X, tiny.Y, optimizer=optax.adam(0.1), **settings)


@pytest.mark.parametrize("settings", [{"iterations": 0}, {"chunk": 0}, {"chunk": 1001}])
def test_numbers_out_of_range(settings: dict[str, Any], tiny: Problem) -> None:
    with pytest.raises(UsageError, match=r"(iterations|chunk) is"):
        fit_in_chunks(start_descent(tiny.params, tiny.X), tiny.Y, **settings)


def test_shapes_and_precisions_that_do_not_fit(tiny: Problem) -> None:
    X: Any = np.asarray(tiny.X)
    Y: Any = np.asarray(tiny.Y)
    for wrong_X, wrong_Y, weights, found in (
        (X.T, tiny.Y, None, r"to do:    transpose it: X.T"),
        (X[:4], tiny.Y, None, r"X has shape \(4, 7\)"),
        (X[:, :6], tiny.Y, None, r"Y has shape \(1, 7\)"),
        (tiny.X, Y[0], None, r"Y has shape \(7,\)"),
        (tiny.X, tiny.Y, np.asarray(tiny.weights)[0], r"weights has shape \(7,\)"),
        (X.astype("float32"), tiny.Y, None, "X float32, Y float64"),
        (tiny.X, Y.astype(int), None, "Y int64"),
    ):
        with pytest.raises(DataError, match=found):
            fit(tiny.params, wrong_X, wrong_Y, weights=weights)


@pytest.mark.parametrize(("weighted", "optimizer"), [(False, "adam"), (True, "sgd")])
def test_blocks_of_examples_give_the_same_steps(
    weighted: bool, optimizer: str, tiny: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven examples in blocks of two, the last of which is filled up."""
    rule = {"sgd": sgd(0.2, 0.9), "adam": optax.adam(0.01)}[optimizer]

    def train() -> Fit:
        start = start_descent(tiny.params, tiny.X, rule, "pixels")
        weights = tiny.weights if weighted else None
        *_, last = fit_in_chunks(start, tiny.Y, iterations=20, weights=weights)
        return last

    whole = train()
    monkeypatch.setattr(descent, "BLOCK_BYTES", 2 * 5 * 8)
    monkeypatch.setattr(descent, "LEAST_BLOCKS", 3)
    blocks = descent.in_blocks(tiny.X)
    assert blocks is not None
    assert blocks.shape == (4, 2, 5)
    np.testing.assert_array_equal(np.reshape(blocks, (8, 5))[:7], np.transpose(tiny.X))
    ours = train()
    np.testing.assert_allclose(ours.costs, whole.costs, rtol=1e-12)
    chex.assert_trees_all_close(ours.params, whole.params, rtol=1e-11)
    assert ours.outcome == whole.outcome


def test_few_examples_are_one_block(tiny: Problem) -> None:
    assert descent.in_blocks(tiny.X) is None
