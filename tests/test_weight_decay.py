"""Weight decay: the gradient of the objective, in every basis and in every training."""

import dataclasses
from pathlib import Path
from typing import Any

import chex
import jax
import jitted
import numpy as np
import optax
import pytest
from conftest import Problem

from jaxnet import (
    ACTIVATIONS,
    Grid,
    Settings,
    TrainState,
    UsageError,
    backward,
    fit,
    fit_in_chunks,
    hessian_product,
    leave_one_out,
    load_run,
    loss,
    make_update,
    relu,
    resume,
    sgd,
    sharpness,
    start_descent,
    sweep,
    train,
    train_seeds,
)
from jaxnet.curvature import Sharpness
from jaxnet.data.dataset import Dataset, Split
from jaxnet.data.preprocessing import Preprocessing
from jaxnet.descent import updates_program
from jaxnet.examples import make_examples
from jaxnet.minibatches import draw_batches
from jaxnet.network import Params
from jaxnet.stability import largest_curvature
from jaxnet.training import Fit

DECAY = 0.3
NUMBERS = ("W1", "b1", "W2", "b2")
MOMENTA = pytest.mark.parametrize(
    ("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)]
)


def make_data() -> Dataset:
    """Eight pictures of noise to train on, three of them of class 1, and four to test on."""
    images = np.random.default_rng(0).integers(0, 256, (12, 4, 6, 3), dtype=np.uint8)
    train = Split(images[:8], np.array([0, 1, 0, 0, 1, 0, 1, 0]))
    return Dataset(train, Split(images[8:], np.array([0, 1, 1, 0])), ("no", "yes"), "noise")


QUICK = Settings(
    hidden_units=3,
    weight_scale=0.3,
    learning_rate=0.05,
    iterations=30,
    weight_decay=DECAY,
    precision="float64",
)


gradient = jax.jit(jax.grad(loss), static_argnames=("hidden", "weight_decay"))
cost_and_gradient = jax.jit(jax.value_and_grad(loss))


def assert_close(ours: Any, theirs: Any) -> None:
    chex.assert_trees_all_close(ours, theirs, rtol=1e-12, atol=1e-13)


def test_the_objective_and_its_gradient_three_ways(tiny: Problem) -> None:
    params, X, Y, weights = tiny
    for w in (None, weights):
        cost = jitted.loss(params, X, Y, weights=w)
        square = sum(float(np.sum(np.square(params[name]))) for name in ("W1", "W2"))
        objective = jitted.loss(params, X, Y, weights=w, weight_decay=DECAY)
        np.testing.assert_allclose(objective, cost + DECAY / 2 * square, rtol=1e-14)
    draw, h = np.random.default_rng(0).normal, 1e-6
    start = jax.device_get(params)
    for hidden in ACTIVATIONS.values():
        by_hand = jitted.backward(params, X, Y, hidden, weights, weight_decay=DECAY)
        by_jax = jax.device_get(gradient(params, X, Y, hidden, weights, weight_decay=DECAY))
        assert_close({name: getattr(by_hand, f"d{name}") for name in NUMBERS}, by_jax)
        direction = {name: draw(size=leaf.shape) for name, leaf in start.items()}
        up, down = (
            float(jitted.loss(moved, X, Y, hidden, weights, weight_decay=DECAY))
            for moved in (
                {name: leaf + step * direction[name] for name, leaf in start.items()}
                for step in (h, -h)
            )
        )
        slope = sum(float(np.sum(by_jax[name] * direction[name])) for name in NUMBERS)
        np.testing.assert_allclose((up - down) / (2 * h), slope, rtol=1e-7)


def test_dA_dZ_and_the_biases_are_those_without_decay(tiny: Problem) -> None:
    params, X, Y, weights = tiny
    plain = jitted.backward(params, X, Y, relu, weights)
    decayed = jitted.backward(params, X, Y, relu, weights, weight_decay=DECAY)
    for name, theirs, ours in zip(plain._fields, plain, decayed, strict=True):
        added = DECAY * np.asarray(params[name[1:]]) if name in ("dW1", "dW2") else 0
        np.testing.assert_array_equal(ours, np.asarray(theirs) + added)


def test_a_decay_of_0_is_no_decay(tiny: Problem) -> None:
    """The same graphs are traced, so that the same programs compute the same bits."""
    params, X, Y, _ = tiny
    for function in (loss, backward):
        traced = [
            str(jax.make_jaxpr(lambda p, f=function, o=options: f(p, X, Y, **o))(params))
            for options in ({}, {"weight_decay": 0}, {"weight_decay": np.float32(0)})
        ]
        assert len(set(traced)) == 1
    run = updates_program(small_products=True)
    run.clear_cache()
    plain = fit(params, X, Y, iterations=5, basis="span")
    zero = fit(params, X, Y, iterations=5, basis="span", weight_decay=0.0)
    assert run._cache_size() == 1
    chex.assert_trees_all_equal(zero.params, plain.params)
    assert zero.objectives is None


def descend(
    problem: Problem, momentum: float, nesterov: bool, batch: int | None, iterations: int = 40
) -> tuple[list[float], list[float], Params]:
    """The oracle: a plain loop over the gradients of the cost, with W decayed by hand."""
    params, X, Y, _ = jax.device_get(problem)
    velocity = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    costs, objectives = [], []
    rows = np.tile(np.arange(Y.size), (iterations, 1))
    if batch is not None:
        rows = draw_batches(4, 0, iterations, Y.size, batch)
    for row in rows:
        seen = row[row >= 0]
        cost, slopes = cost_and_gradient(params, X[:, seen], Y[:, seen])
        costs.append(float(cost))
        square = sum(float(np.sum(np.square(params[name]))) for name in ("W1", "W2"))
        objectives.append(float(cost) + DECAY / 2 * square)
        for name in NUMBERS:
            slope = np.asarray(slopes[name])
            if name in ("W1", "W2"):
                slope = slope + DECAY * params[name]
            velocity[name] = momentum * velocity[name] + slope
            step = slope + momentum * velocity[name] if nesterov else velocity[name]
            params = params | {name: params[name] - 0.1 * step}
    return costs, objectives, params


@pytest.mark.parametrize(
    ("batch", "momentum", "nesterov"), [(None, 0.0, False), (None, 0.9, False), (3, 0.9, True)]
)
def test_every_basis_makes_the_steps_of_a_plain_loop(
    batch: int | None, momentum: float, nesterov: bool, tiny: Problem
) -> None:
    costs, objectives, params = descend(tiny, momentum, nesterov, batch)
    for basis in ("span", "pixels"):
        ours = fit(
            *tiny[:3],
            learning_rate=0.1,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=DECAY,
            iterations=40,
            batch=batch,
            seed=4,
            basis=basis,
        )
        np.testing.assert_allclose(ours.costs, costs, rtol=1e-12)
        assert_close(ours.params, params)
        expected = np.array(objectives)
        if batch is not None:  # an epoch has three batches: once in ten iterations
            expected[np.arange(40) % 10 != 0] = np.nan
        np.testing.assert_allclose(ours.objectives, expected, rtol=1e-12)  # type: ignore[arg-type]
    free = fit(*tiny[:3], learning_rate=0.1, iterations=40)
    assert np.linalg.norm(free.params["W1"]) > 1.5 * np.linalg.norm(params["W1"])


def test_a_schedule_and_weights_in_the_span(tiny: Problem) -> None:
    how: dict[str, Any] = {
        "learning_rate": optax.cosine_decay_schedule(0.3, 40),
        "momentum": 0.5,
        "weight_decay": DECAY,
        "weights": tiny.weights,
        "iterations": 40,
    }
    span, pixels = (fit(*tiny[:3], basis=basis, **how) for basis in ("span", "pixels"))
    np.testing.assert_allclose(span.costs, pixels.costs, rtol=1e-12)
    assert span.objectives is not None
    assert pixels.objectives is not None
    np.testing.assert_allclose(span.objectives, pixels.objectives, rtol=1e-12)
    assert_close(span.params, pixels.params)


@pytest.mark.slow
def test_any_optimizer_gets_the_gradient_of_the_objective(tiny: Problem) -> None:
    """L-BFGS searches along a line, and would end elsewhere on the cost alone."""
    found = fit(*tiny[:3], optimizer=optax.lbfgs(), weight_decay=DECAY, iterations=60)
    at_rest = jitted.backward(found.params, tiny.X, tiny.Y, weight_decay=DECAY)
    largest = max(np.abs(getattr(at_rest, f"d{name}")).max() for name in NUMBERS)
    assert largest < 1e-6


def test_one_step(tiny: Problem) -> None:
    params, X, Y, _ = tiny
    optimizer = sgd(0.1)
    update = make_update(optimizer, weight_decay=DECAY)
    state, cost = update(TrainState(params, optimizer.init(params)), X, Y)
    np.testing.assert_allclose(cost, jitted.loss(params, X, Y), rtol=1e-14)
    ours, slopes = jax.device_get((params, gradient(params, X, Y, weight_decay=DECAY)))
    assert_close(state.params, {name: leaf - 0.1 * slopes[name] for name, leaf in ours.items()})


@pytest.mark.parametrize("basis", ["span", "pixels"])
def test_another_decay_compiles_nothing_anew(basis: str, tiny: Problem) -> None:
    run = updates_program(small_products=basis == "span")
    run.clear_cache()
    for rate, decay in ((0.1, 0.1), (0.2, 0.01), (0.1, 3)):
        fit(*tiny[:3], learning_rate=rate, weight_decay=decay, iterations=3, basis=basis)
    assert run._cache_size() == 1


@pytest.mark.parametrize("batch", [None, 3])
def test_going_on_gives_the_same_bits(batch: int | None, tiny: Problem) -> None:
    start = start_descent(tiny.params, tiny.X, sgd(0.1, 0.9), "span", weight_decay=DECAY)

    def run(start: Any, iterations: int, chunk: int) -> Fit:
        *_, last = fit_in_chunks(start, tiny.Y, iterations=iterations, chunk=chunk, batch=batch)
        return last

    whole, half = run(start, 30, 30), run(start, 13, 4)
    rest = run(half.descent, 30, 7)
    chex.assert_trees_all_equal(rest.params, whole.params)
    np.testing.assert_array_equal(rest.costs, whole.costs)
    np.testing.assert_array_equal(rest.objectives, whole.objectives)


def test_a_decay_that_overshoots_is_refused(tiny: Problem) -> None:
    for name, rate, options, largest in (
        ("a rate", 0.5, {}, 4.0),
        ("momentum", 0.5, {"momentum": 0.5}, 6.0),
        ("Nesterov", 0.5, {"momentum": 0.5, "nesterov": True}, 3.0),
        ("a schedule", optax.piecewise_constant_schedule(0.1, {5: 5.0}), {}, 4.0),
    ):
        how: dict[str, Any] = {"learning_rate": rate, "iterations": 8, **options}
        fit(*tiny[:3], weight_decay=largest, **how)
        with pytest.raises(UsageError, match=f"a weight_decay of at most {largest:g}:") as caught:
            fit(*tiny[:3], weight_decay=largest * 1.001, **how)
        assert caught.value.found.startswith(f"weight_decay is {largest * 1.001:g} with"), name
    schedule = optax.piecewise_constant_schedule(0.1, {5: 5.0})
    fit(
        *tiny[:3], weight_decay=19, learning_rate=schedule, iterations=5
    )  # it ends at a rate of 0.1
    with pytest.raises(UsageError, match="at most 4:"):
        Settings(learning_rate=0.5, weight_decay=5)
    with pytest.raises(UsageError, match="at most 4:"):
        make_update(sgd(0.5), weight_decay=5)
    with pytest.raises(UsageError, match="at most 4:"):
        sweep(make_examples(tiny.X, tiny.Y), Grid((0.1, 0.5), (0.1,), 1), replace(weight_decay=5))
    with pytest.raises(UsageError, match=r"at most 266\.66[0-9]:") as caught:
        Settings(weight_decay=266.667)
    said = float(caught.value.expected.split("at most ")[1].split(":")[0])
    assert Settings(weight_decay=said).weight_decay == said
    assert Settings(optimizer="adam", learning_rate=0.5, weight_decay=5).weight_decay == 5
    for wrong in (-1, float("nan"), "much"):
        with pytest.raises(UsageError, match="weight_decay is"):
            fit(*tiny[:3], weight_decay=wrong)  # type: ignore[arg-type]


def replace(**changes: Any) -> Settings:
    return dataclasses.replace(QUICK, **changes)


@MOMENTA
def test_the_bound_is_where_a_weight_without_gradient_begins_to_grow(
    momentum: float, nesterov: bool
) -> None:
    bound = largest_curvature(0.2, momentum, nesterov)
    for factor, grows in ((0.999, False), (1.001, True)):
        w, v = 1.0, 0.0
        for _ in range(20_000):
            slope = factor * bound * w
            v = momentum * v + slope
            w -= 0.2 * (slope + momentum * v if nesterov else v)
        assert (abs(w) > 2) == grows


def test_the_curvature_is_that_of_the_objective(tiny: Problem) -> None:
    """H + λ on the diagonal of the weights: along W1 and W2 it adds λ v, along the biases 0."""
    params, X, Y, weights = tiny
    vector = jax.tree.map(np.cos, jax.device_get(params))
    plain = hessian_product(params, vector, X, Y, weights=weights)
    ours = hessian_product(params, vector, X, Y, weights=weights, weight_decay=DECAY)
    added = {name: DECAY * (name[0] == "W") * leaf for name, leaf in vector.items()}
    assert_close(ours, jax.tree.map(np.add, jax.device_get(plain), added))
    found: Sharpness = sharpness(params, X, Y, weight_decay=DECAY, tolerance=1e-10)
    leaves, tree = jax.tree.flatten(params)
    size, ends = sum(leaf.size for leaf in leaves), np.cumsum([leaf.size for leaf in leaves])
    dense = []
    for row in np.eye(size):
        parts = zip(np.split(row, ends[:-1]), leaves, strict=True)
        along = jax.tree.unflatten(tree, [part.reshape(leaf.shape) for part, leaf in parts])
        product = hessian_product(params, along, X, Y, weight_decay=DECAY)
        dense.append(np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(product)]))
    np.testing.assert_allclose(found.value, np.linalg.eigvalsh(np.stack(dense))[-1], rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [None, 3])
def test_many_networks_are_those_of_fit(batch: int | None) -> None:
    """A sweep, several seeds and leave-one-out, with momentum."""
    data = make_data()
    settings = replace(momentum=0.9, batch=batch)
    grid = Grid((0.05, 0.01), (0.3,), 2)
    swept = sweep(data, grid, settings, keep_costs=True)
    assert swept.costs is not None
    for r, rate in enumerate(grid.learning_rates):
        for seed in range(2):
            alone = train(data, replace(momentum=0.9, batch=batch, learning_rate=rate, seed=seed))
            ours = swept.costs[0, r, 0, seed]
            np.testing.assert_allclose(ours, alone.costs, rtol=1e-12)
    seeds = train_seeds(data, settings, seeds=2)
    np.testing.assert_allclose(seeds.last_costs, swept.costs[0, 0, 0, :, -1], rtol=1e-12)
    if batch is not None:
        return
    without = leave_one_out(data, settings, seeds=2)
    rest = dataclasses.replace(data, train=data.train.take(np.arange(8) != 2))
    alone = train(rest, settings, Preprocessing(4, 6))
    expected = alone.model.predict_images(data.train.images)
    np.testing.assert_allclose(without.train_without[0, 2], expected, rtol=1e-10)


@pytest.mark.parametrize("changes", [{}, {"optimizer": "adam", "learning_rate": 0.01}])
def test_a_run_is_saved_and_continued_to_the_bit(changes: dict[str, Any], tmp_path: Path) -> None:
    data = make_data()
    whole = train(data, replace(**changes))
    half = train(data, replace(iterations=11, **changes))
    loaded = load_run(half.save(tmp_path / "half"))
    assert loaded.settings == half.settings
    np.testing.assert_array_equal(loaded.objectives, half.objectives)
    rest = resume(loaded, data, iterations=30)
    chex.assert_trees_all_equal(rest.model.params, whole.model.params)
    np.testing.assert_array_equal(rest.costs, whole.costs)
    assert whole.objectives is not None
    np.testing.assert_array_equal(rest.objectives, whole.objectives)
    assert (whole.objectives > whole.costs).all()
    again = load_run(rest.save(tmp_path / "rest"))
    assert len(again.objectives) == 30  # type: ignore[arg-type]
