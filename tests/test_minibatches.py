"""Mini-batches against a plain loop over `jax.grad` on the columns of each batch."""

import dataclasses
from collections.abc import Callable
from typing import Any

import chex
import jax
import numpy as np
import pytest
from conftest import Problem

from jaxnet import (
    DataError,
    Examples,
    Settings,
    UsageError,
    fit,
    fit_in_chunks,
    label_entropy,
    loss,
    sgd,
    start_descent,
)
from jaxnet.many.engine import Variant, train_networks
from jaxnet.minibatches import NO_EXAMPLE, draw_batches, draw_permutations, epoch_costs
from jaxnet.network import Params
from jaxnet.runs.run import draw_params
from jaxnet.training import Fit

BASES = pytest.mark.parametrize("basis", ["pixels", "span"])


def test_every_epoch_takes_each_example_once() -> None:
    batches = draw_batches(5, 0, 12, 11, 3)  # three epochs of 3 + 3 + 3 + 2 examples
    assert batches.shape == (12, 3)
    epochs = batches.reshape(3, 12)
    np.testing.assert_array_equal(np.sort(epochs[:, :11]), np.tile(np.arange(11), (3, 1)))
    np.testing.assert_array_equal(epochs[:, 11:], NO_EXAMPLE)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert not np.array_equal(batches, draw_batches(6, 0, 12, 11, 3))


def test_the_order_is_the_same_for_good() -> None:
    """These numbers decide what a run that is resumed sees next: they must never change."""
    np.testing.assert_array_equal(
        draw_batches(0, 0, 4, 7, 3), [[0, 2, 1], [5, 4, 3], [6, -1, -1], [3, 1, 0]]
    )
    seed = 2**32 - 1
    np.testing.assert_array_equal(draw_permutations(seed, range(9, 10), 5), [[2, 3, 1, 0, 4]])


@pytest.mark.parametrize("m", [1, 4, 10, 13])
def test_the_iterations_from_any_on_see_the_same(m: int) -> None:
    whole = draw_batches(3, 0, 30, m, 4)
    for first in range(25):
        np.testing.assert_array_equal(draw_batches(3, first, 5, m, 4), whole[first : first + 5])


def test_every_example_is_as_likely_at_every_place() -> None:
    """A chi-squared test of 6,000 permutations of five: 16 degrees of freedom."""
    orders = draw_permutations(1, range(6000), 5)
    counts = np.stack([(orders == example).sum(axis=0) for example in range(5)])
    assert ((counts - 1200) ** 2 / 1200).sum() < 39.25  # exceeded once in 1,000 seeds


def test_a_batch_counts_in_its_epoch_by_its_size() -> None:
    costs = np.array([1.0, 2.0, 4.0, 3.0, 3.0, 6.0, 9.0])
    expected = [(3 * 1 + 3 * 2 + 4) / 7, (3 * 3 + 3 * 3 + 6) / 7]
    np.testing.assert_allclose(epoch_costs(costs, 7, 3), expected, rtol=1e-15)
    np.testing.assert_array_equal(epoch_costs(costs, 7, None), costs)
    assert epoch_costs(costs[:2], 7, 3).shape == (0,)


cost_and_gradients = jax.jit(jax.value_and_grad(loss))


def descend(
    problem: Problem, iterations: int, momentum: float, weights: np.ndarray | None
) -> tuple[list[float], Params]:
    """The oracle: gradient descent with momentum on the columns of each batch, in plain Python."""
    params, X, Y, _ = jax.device_get(problem)
    velocity = jax.tree.map(np.zeros_like, params)
    costs = []
    for batch in draw_batches(4, 0, iterations, Y.size, 3):
        seen = batch[batch >= 0]
        w = None if weights is None else weights[:, seen]
        found = cost_and_gradients(params, X[:, seen], Y[:, seen], weights=w)
        cost, gradients = jax.device_get(found)
        velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, gradients)
        params = jax.tree.map(lambda p, v: p - 0.2 * v, params, velocity)
        costs.append(float(cost))
    return costs, params


def train(problem: Problem, **more: Any) -> Fit:
    params, X, Y, _ = problem
    settings: dict[str, Any] = {"learning_rate": 0.2, "batch": 3, "seed": 4} | more
    return fit(params, X, Y, **settings)


@pytest.mark.parametrize(
    ("momentum", "weighted", "basis"),
    [(0.0, True, "pixels"), (0.9, True, "pixels"), (0.9, False, "span")],
)
def test_fit_makes_the_steps_of_a_plain_loop(
    momentum: float, weighted: bool, basis: str, tiny: Problem
) -> None:
    """Seven examples in batches of three: every third batch has one example."""
    weights = np.where(np.arange(7) == 3, 1.5, tiny.weights) if weighted else None
    costs, params = descend(tiny, 20, momentum, weights)
    ours = train(tiny, momentum=momentum, weights=weights, basis=basis, iterations=20)
    np.testing.assert_allclose(ours.costs, costs, rtol=1e-12)
    chex.assert_trees_all_close(ours.params, params, rtol=1e-11)
    assert np.ptp(costs) > 0.1


@BASES
def test_a_batch_of_weight_0_moves_nothing(basis: str, tiny: Problem) -> None:
    """Example 3 has the weight 0: with batches of one, a step sees nothing else."""
    steps = draw_batches(4, 0, 7, 7, 1)[:, 0]
    alone = int(np.flatnonzero(steps == 3)[0])
    start = start_descent(tiny.params, tiny.X, sgd(0.2), basis)
    settings: dict[str, Any] = {"batch": 1, "seed": 4, "weights": tiny.weights, "chunk": 1}
    fits = list(fit_in_chunks(start, tiny.Y, iterations=7, **settings))
    costs = fits[-1].costs
    assert costs[alone] == 0
    assert (np.delete(costs, alone) > 0).all()
    before = tiny.params if alone == 0 else fits[alone - 1].params
    chex.assert_trees_all_equal(fits[alone].params, before)


@BASES
def test_interrupted_at_any_batch_it_goes_on_with_the_same_bits(basis: str, tiny: Problem) -> None:
    how: dict[str, Any] = {"batch": 3, "seed": 4}
    start = start_descent(tiny.params, tiny.X, sgd(0.2, 0.9), basis)
    *_, whole = fit_in_chunks(start, tiny.Y, epochs=4, **how)
    assert len(whole.costs) == 12
    for stop in range(1, 7):  # two epochs
        *_, half = fit_in_chunks(start, tiny.Y, iterations=stop, chunk=5, **how)
        *_, rest = fit_in_chunks(half.descent, tiny.Y, iterations=12, chunk=5, **how)
        np.testing.assert_array_equal(rest.costs, whole.costs)
        chex.assert_trees_all_equal(rest.params, whole.params)


@BASES
def test_a_batch_of_all_examples_is_the_full_batch(basis: str, tiny: Problem) -> None:
    full = train(tiny, batch=None, iterations=9, basis=basis)
    for batch in (7, 100):
        ours = train(tiny, batch=batch, epochs=9, basis=basis)
        np.testing.assert_array_equal(ours.costs, full.costs)


@BASES
def test_a_training_that_is_not_finite_keeps_the_last_good_state(basis: str, tiny: Problem) -> None:
    start = start_descent(tiny.params, tiny.X, sgd(1e40), basis)
    *_, last = fit_in_chunks(start, tiny.Y, iterations=30, batch=3, seed=4)
    assert last.outcome == "not finite"
    good = len(last.descent.costs)
    assert 0 < good < 30
    *_, again = fit_in_chunks(start, tiny.Y, iterations=good, batch=3, seed=4)
    chex.assert_trees_all_equal(last.params, again.params)


def test_the_outcome_is_judged_by_an_epoch_at_least(tiny: Problem) -> None:
    """Of 9 iterations the last 5 % is one batch, of a single example with a large loss."""
    ours = train(tiny, iterations=9, learning_rate=0.0, seed=0)
    entropy = label_entropy(tiny.Y)
    assert ours.costs[-1] > 1.02 * max(ours.costs[0], entropy)
    assert ours.costs[-3:].mean() < 0.98 * entropy
    assert ours.outcome == "learning"


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_networks_of_a_sweep_see_the_batches_of_fit(momentum: float, x64: None) -> None:
    draw = np.random.default_rng(0)
    X, Y = draw.uniform(-1, 1, (6, 7)), np.array([[0.0, 1, 1, 0, 1, 0, 0]])
    examples = Examples(*jax.device_put((X, Y, draw.uniform(0.5, 2, (1, 7)))))
    settings = Settings(
        hidden_units=3, weight_scale=0.5, momentum=momentum, batch=3, epochs=4, precision="float64"
    )
    seeds, rates = np.array([4, 9]), [0.1, 0.3]
    variants = [Variant(rate, 0.5, 0.0) for rate in rates]
    ends = train_networks(
        examples, settings, seeds=seeds, variants=variants, keep_costs=True, block=3
    )
    assert ends.costs is not None
    for s, seed in enumerate(seeds):
        params = draw_params(dataclasses.replace(settings, seed=int(seed)), 6)
        for r, rate in enumerate(rates):
            alone = fit(
                params,
                *examples[:2],
                learning_rate=rate,
                momentum=momentum,
                batch=3,
                epochs=4,
                seed=int(seed),
                weights=examples.weights,
            )
            np.testing.assert_allclose(ends.costs[r, 0, s], alone.costs, rtol=1e-12)
            assert ends.outcomes[r, 0, s] == alone.outcome
    assert not np.allclose(ends.costs[0, 0, 0], ends.costs[0, 0, 1])


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"batch": 0}, "batch is 0"),
        ({"batch": "32"}, 'batch is "32"'),
        ({"epochs": 2, "iterations": 3}, "iterations is 3 and epochs is 2"),
        ({"seed": -1}, "seed is -1"),
    ],
    ids=["none", "text", "two lengths", "seed"],
)
def test_wrong_arguments_of_fit(wrong: dict[str, Any], found: str, tiny: Problem) -> None:
    with pytest.raises(UsageError) as caught:
        train(tiny, **wrong)
    assert caught.value.found == found


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: draw_batches(-1, 0, 1, 7, 3), "seed is -1"),
        (lambda: draw_batches(0, -1, 1, 7, 3), "first is -1"),
        (lambda: draw_batches(0, 0, 0, 7, 3), "count is 0"),
        (lambda: draw_batches(0, 0, 1, 0, 3), "m is 0"),
        (lambda: draw_batches(0, 0, 1, 7, 0), "batch is 0"),
        (lambda: epoch_costs(np.ones(4), 0, 3), "m is 0"),
        (lambda: epoch_costs(np.ones(4), 7, 0), "batch is 0"),
        (
            lambda: epoch_costs(np.ones((4, 1)), 7, 3),
            "costs is of type ndarray and of shape (4, 1)",
        ),
    ],
    ids=["seed", "first", "count", "m", "batch", "m of costs", "batch of costs", "shape"],
)
def test_wrong_arguments(call: Callable[[], object], found: str) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        call()
    assert caught.value.found == found
